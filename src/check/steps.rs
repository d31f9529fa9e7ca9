//! The lines of derivations, side against side: at the points in floating point, and modulo a prime, first with the d's
//! as any matrices, then with the slopes that they stand for.

use std::collections::HashMap;
use std::ops::Range;

use super::differences::Derivative;
use super::exact::{Cell, Ground};
use super::report::worst_entry;
use super::results::agree;
use super::{Check, Failure, Point, Report, STEP_TOLERANCE, USELESS};
use crate::answer::Answer;
use crate::derivation::Left;
use crate::eval::Evaluator;
use crate::expr::{Arena, ExprId};
use crate::matrix::Matrix;
use crate::render::build::notation;
use crate::render::text::text;

/// Sides of a line are compared relative to at least this part of a function of moderate size.
const LEAST: f64 = 1e-3;

/// A line that says that two expressions are equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    outcome: usize,
    number: usize,
    /// The left side as the reader sees it.
    left: ExprId,
    /// The right side of the line before, where this one goes on from it.
    before: Option<ExprId>,
    right: ExprId,
}

impl Line {
    pub(super) fn sides(&self) -> impl Iterator<Item = ExprId> + use<> {
        [self.left, self.right].into_iter()
    }
}

/// The lines of some results.
pub(super) fn lines(answer: &Answer, outcomes: Range<usize>) -> Vec<Line> {
    let mut out = Vec::new();
    for outcome in outcomes {
        let result = &answer.outcomes[outcome];
        let mut chain: Option<(ExprId, ExprId)> = None;
        for (number, step) in result.derivation.steps.iter().enumerate() {
            let right = step.right;
            let (left, before) = match step.left {
                Left::Continued => match chain {
                    Some((left, before)) => (left, Some(before)),
                    None => continue,
                },
                Left::Expression(left) => (left, None),
                // Before a Hessian the gradient is read off.
                Left::Gradient { .. } => {
                    (result.forms.as_ref().and_then(|forms| forms.gradient).unwrap_or(result.result), None)
                }
                Left::Jacobian { .. } | Left::Hessian { .. } | Left::Along { .. } | Left::Against { .. } => {
                    (result.result, None)
                }
                Left::Aside(left) => {
                    out.push(Line { outcome, number, left, before: None, right });
                    continue;
                }
            };
            chain = Some((left, right));
            out.push(Line { outcome, number, left, before, right });
        }
    }
    out
}

/// What is known of the lines so far.
pub(super) struct Steps {
    lines: Vec<Line>,
    evaluator: Evaluator,
    /// For each line: compared at a point, and agreed wherever it was.
    compared: Vec<bool>,
    agreed: Vec<bool>,
    /// For each line what the draws modulo the prime said.
    verdicts: Vec<Vec<(bool, Ground)>>,
}

impl Steps {
    pub(super) fn new(check: &Check<'_>) -> Steps {
        let lines = check.lines.clone();
        let roots: Vec<ExprId> = lines.iter().flat_map(Line::sides).collect();
        let n = lines.len();
        Steps {
            evaluator: Evaluator::with_independent(check.arena, &roots, &check.independent),
            lines,
            compared: vec![false; n],
            agreed: vec![true; n],
            verdicts: vec![Vec::new(); n],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Compares both sides of all lines at a point, whose differentials of named results are those by differences;
    /// `size` is that of the function there.
    pub(super) fn compare(
        &mut self,
        check: &Check<'_>,
        point: &Point,
        named: &[Derivative],
        size: f64,
        report: &mut Report,
    ) {
        // Where a differential all but vanishes what is left of the function's own digits is all there is.
        let least = LEAST * size.clamp(0.1, 1.0);
        let rough = named.iter().any(|d| d.error > USELESS * d.value.max_abs().max(1e-6));
        let values: Vec<Option<Matrix>> = match self.evaluator.run(&point.numbers) {
            Ok(values) => values.into_iter().map(Some).collect(),
            // One side without a value must not hide the others.
            Err(_) => self
                .lines
                .iter()
                .flat_map(Line::sides)
                .map(|side| {
                    let alone = Evaluator::with_independent(check.arena, &[side], &check.independent);
                    alone.run(&point.numbers).ok()?.pop()
                })
                .collect(),
        };
        for (k, pair) in values.chunks_exact(2).enumerate() {
            let (Some(left), Some(right)) = (&pair[0], &pair[1]) else { continue };
            if agree(left, right, STEP_TOLERANCE, least) {
                self.compared[k] = true;
            } else if !rough {
                self.compared[k] = true;
                self.agreed[k] = false;
                let (expected, found) = worst_entry(left, right);
                let (result, sizes) = (self.lines[k].outcome, check.sizes(point));
                report.fail(Failure { result, what: self.what(check.arena, k), expected, found, sizes });
            }
        }
    }

    fn what(&self, arena: &Arena, k: usize) -> String {
        let line = &self.lines[k];
        let side = |id: ExprId| {
            let text = text(&notation(arena, id));
            if text.chars().count() > 120 { text.chars().take(117).chain("...".chars()).collect() } else { text }
        };
        format!("step {}, `{} = {}`", line.number + 1, side(line.left), side(line.right))
    }

    /// Compares the lines modulo the prime.
    pub(super) fn compare_exactly(
        &mut self,
        check: &Check<'_>,
        free: &HashMap<ExprId, Cell>,
        moving: &HashMap<ExprId, Cell>,
    ) {
        debug_assert_eq!(self.lines.len(), check.lines.len());
        for (line, verdicts) in self.lines.iter().zip(&mut self.verdicts) {
            if settled(verdicts) {
                continue;
            }
            let equal = |cells: &HashMap<ExprId, Cell>, left: ExprId| {
                let (a, b) = (cells.get(&left)?, cells.get(&line.right)?);
                let same = |x: &Cell, y: &Cell| {
                    (x.matrix.rows, x.matrix.columns) == (y.matrix.rows, y.matrix.columns)
                        && x.matrix.entries.iter().zip(&y.matrix.entries).all(|(a, b)| a.value == b.value)
                };
                Some((same(a, b), a.ground.max(b.ground)))
            };
            let verdict = match equal(free, line.before.unwrap_or(line.left)) {
                Some((true, ground)) => Some((true, ground)),
                // Where the d's are not free the line must hold for what they stand for.
                _ => equal(moving, line.left),
            };
            verdicts.extend(verdict);
        }
    }

    /// No further draw would tell more.
    pub(super) fn settled(&self) -> bool {
        self.verdicts.iter().all(|verdicts| settled(verdicts))
    }

    /// A rational line that fails modulo the prime is false, whatever floating point says.
    pub(super) fn conclude_exactly(&mut self, check: &Check<'_>, point: &Point, report: &mut Report) {
        for k in 0..self.lines.len() {
            if self.agreed[k] && self.verdicts[k].contains(&(false, Ground::Rational)) {
                self.agreed[k] = false;
                let what = format!("{} modulo 2^61-1", self.what(check.arena, k));
                let (expected, found) = ("equality".to_owned(), "a difference".to_owned());
                let (result, sizes) = (self.lines[k].outcome, check.sizes(point));
                report.fail(Failure { result, what, expected, found, sizes });
            }
        }
    }

    /// Counts what was checked.
    pub(super) fn conclude(&self, report: &mut Report) {
        for (k, line) in self.lines.iter().enumerate() {
            let counted = &mut report.results[line.outcome];
            if self.compared[k] && self.agreed[k] {
                counted.steps_by_numbers += 1;
                counted.steps_exact += usize::from(holds(&self.verdicts[k]));
            } else if !self.compared[k] {
                report.not_checked(line.outcome, format!("step {}: a side has no value", line.number + 1));
            }
        }
    }
}

fn settled(verdicts: &[(bool, Ground)]) -> bool {
    match verdicts.last() {
        None => false,
        Some((holds, Ground::Symbols)) => *holds,
        Some((_, Ground::Rational)) => true,
        Some((_, Ground::Signs)) => false,
    }
}

/// Signs are coins, so all draws must agree; symbols that agree once do so for good.
fn holds(verdicts: &[(bool, Ground)]) -> bool {
    !verdicts.is_empty()
        && (verdicts.iter().all(|(holds, _)| *holds)
            || verdicts.iter().any(|(holds, ground)| *holds && *ground == Ground::Symbols))
}

//! Results against differences of the function itself: ⟨G, D⟩ for random directions D, and entry by entry; differentials
//! as they are; programs line by line; and, modulo a prime, against the function's own slope.

use std::collections::{HashMap, HashSet};

use super::exact::{Cell, Draw, Ground};
use super::field::{Dual, Exact};
use super::report::{number_text, worst_entry};
use super::{Check, Derivative, Failure, Point, RESULT_TOLERANCE, Report, USELESS};
use crate::answer::Answer;
use crate::elaborate::{Properties, Property};
use crate::eval::{EvalError, Evaluator, project};
use crate::expr::{ExprId, NameKind, Op};
use crate::matrix::Matrix;
use crate::syntax::ast::AskKind;

/// The forms of all results of a request, made ready to be evaluated.
pub(super) struct Results {
    forms: Vec<Form>,
    evaluator: Evaluator,
    /// Lines of programs: what stands right, and what the name stands for.
    program: Vec<ProgramLine>,
}

/// One form of a result.
struct Form {
    outcome: usize,
    name: &'static str,
    root: ExprId,
}

struct ProgramLine {
    outcome: usize,
    name: String,
    right: ExprId,
    means: ExprId,
}

impl Results {
    pub(super) fn new(check: &Check<'_>) -> Results {
        let mut forms = Vec::new();
        let mut program = Vec::new();
        let arena = check.arena;
        for i in check.outcomes.clone() {
            let outcome = &check.answer.outcomes[i];
            forms.push(Form { outcome: i, name: "the result", root: outcome.result });
            if let Some(value) = outcome.value.filter(|&value| value != outcome.result) {
                forms.push(Form { outcome: i, name: "the result in one expression", root: value });
            }
            for (k, line) in outcome.program.iter().enumerate() {
                let last = k + 1 == outcome.program.len();
                let named = arena.called(&line.name).filter(|n| !is_users(n.kind));
                let means = if last { Some(outcome.result) } else { named.map(|n| n.body) };
                if let Some(means) = means {
                    program.push(ProgramLine { outcome: i, name: line.name.clone(), right: line.right, means });
                }
            }
        }
        let mut roots: Vec<ExprId> = forms.iter().map(|form| form.root).collect();
        roots.extend(program.iter().flat_map(|line| [line.right, line.means]));
        let evaluator = Evaluator::with_independent(arena, &roots, &check.independent);
        Results { forms, evaluator, program }
    }

    /// Compares all forms with differences at a point.
    pub(super) fn compare(
        &self,
        check: &Check<'_>,
        point: &Point,
        function: &Evaluator,
        joint: Option<&[Derivative]>,
        report: &mut Report,
    ) {
        let values = match self.evaluator.run(&point.numbers) {
            Ok(values) => values,
            Err(error) => {
                for i in check.outcomes.clone() {
                    report.not_checked(i, format!("it has no value at a point of the domain: {error}"));
                }
                return;
            }
        };
        let size = match function.run(&point.numbers) {
            Ok(of) => of[0].max_abs(),
            Err(EvalError { message, .. }) => {
                for i in check.outcomes.clone() {
                    report.not_checked(i, format!("the function has no value at a point: {message}"));
                }
                return;
            }
        };
        if check.outcomes.len() > MOST_ALONE && self.together(check, point, &values, joint, size, report) {
            self.compare_programs(check, point, &values, report);
            return;
        }
        for i in check.outcomes.clone() {
            let forms: Vec<(&str, &Matrix)> =
                self.forms.iter().zip(&values).filter(|(f, _)| f.outcome == i).map(|(f, v)| (f.name, v)).collect();
            let done = match check.answer.outcomes[i].kind {
                AskKind::Gradient | AskKind::JacobianAgainst => {
                    gradient(check, point, function, i, &forms, size, report)
                }
                AskKind::Differential | AskKind::JacobianAlong => {
                    differential(check, point, joint, i, &forms, size, report)
                }
                AskKind::Jacobian | AskKind::Hessian | AskKind::HessianAlong => {
                    super::higher::compare(check, point, function, i, &forms, size, report)
                }
            };
            if done {
                report.results[i].points += 1;
            }
        }
        self.compare_programs(check, point, &values, report);
    }

    /// Of very many gradients all at once: Σ ⟨G, D⟩ against the difference in the direction of all D. Random directions
    /// leave no room for two errors that cancel. False where that does not settle it: then each is looked at alone.
    fn together(
        &self,
        check: &Check<'_>,
        point: &Point,
        values: &[Matrix],
        joint: Option<&[Derivative]>,
        size: f64,
        report: &mut Report,
    ) -> bool {
        let Some(joint) = joint else { return false };
        let (derivative, error) = (joint[0].value.entries()[0], joint[0].error);
        let gradients = check.outcomes.clone().all(|i| check.answer.outcomes[i].kind == AskKind::Gradient);
        if !gradients || !check.own.is_empty() {
            return false;
        }
        let found: HashMap<(usize, &str), &Matrix> =
            self.forms.iter().zip(values).map(|(form, value)| ((form.outcome, form.name), value)).collect();
        let mut worst = 0.0_f64;
        for name in ["the result", "the result in one expression"] {
            let (mut along, mut parts) = (0.0, 0.0);
            for i in check.outcomes.clone() {
                // A value in one expression stands for the result where it is given, else the result itself.
                let Some(g) = found.get(&(i, name)).or_else(|| found.get(&(i, "the result"))) else { return false };
                let direction = &point.directions[&check.answer.outcomes[i].wrt_nodes[0]];
                if g.shape() != direction.shape() {
                    return false;
                }
                along += g.dot(direction);
                parts += g.zip(direction, |x, y| (x * y).abs()).sum();
            }
            match compare_with_difference(along, parts, derivative, error, size) {
                Some((off, true)) => worst = worst.max(off),
                _ => return false,
            }
        }
        for i in check.outcomes.clone() {
            let checked = &mut report.results[i];
            checked.points += 1;
            checked.directions += 1;
            checked.worst_error = checked.worst_error.max(worst);
        }
        true
    }

    fn compare_programs(&self, check: &Check<'_>, point: &Point, values: &[Matrix], report: &mut Report) {
        for (line, pair) in self.program.iter().zip(values[self.forms.len()..].chunks_exact(2)) {
            if !agree(&pair[1], &pair[0], RESULT_TOLERANCE, LEAST_SIZE) {
                let (expected, found) = worst_entry(&pair[1], &pair[0]);
                let what = format!("the line `{} = …` of its program", line.name);
                report.fail(Failure { result: line.outcome, what, expected, found, sizes: check.sizes(point) });
            }
        }
    }
}

fn is_users(kind: NameKind) -> bool {
    matches!(kind, NameKind::Definition | NameKind::Request)
}

/// Each name that a line of a program uses is the user's or that of an earlier line.
pub(super) fn programs_go_on_from_each_other(answer: &Answer, report: &mut Report) {
    let arena = &answer.arena;
    let mut introduced: HashSet<&str> = HashSet::new();
    for (i, outcome) in answer.outcomes.iter().enumerate() {
        for line in &outcome.program {
            let mut stack = vec![line.right];
            let mut seen = HashSet::new();
            while let Some(id) = stack.pop() {
                if !seen.insert(id) {
                    continue;
                }
                if let Op::Named(name) = arena.op(id) {
                    let named = arena.named(*name);
                    if !is_users(named.kind) && !introduced.contains(named.name.as_str()) {
                        let what = format!("the line `{} = …` of its program", line.name);
                        let expected = "names of definitions and of earlier lines only".to_owned();
                        let found = format!("`{}`, which no earlier line gives", named.name);
                        report.fail(Failure { result: i, what, expected, found, sizes: String::new() });
                    }
                }
                arena.operands(id, |a| stack.push(a));
            }
            introduced.insert(&line.name);
        }
    }
}

/// Below this rounding of larger numbers on the way is all there is.
const LEAST_SIZE: f64 = 1e-6;

/// Whether two matrices agree, relative to the larger of them, or to `least` where both are smaller.
pub(super) fn agree(a: &Matrix, b: &Matrix, tolerance: f64, least: f64) -> bool {
    if a.shape() != b.shape() {
        return false;
    }
    let size = a.max_abs().max(b.max_abs());
    let mut errors = a.entries().iter().zip(b.entries()).map(|(x, y)| (x - y).abs());
    // Written so that a NaN disagrees.
    errors.all(|error| error <= tolerance * size.max(least))
}

/// A number against a difference: `None` where the difference tells nothing, else the relative error and whether it is
/// small enough.
fn compare_with_difference(found: f64, size: f64, derivative: f64, error: f64, function: f64) -> Option<(f64, bool)> {
    let scale = derivative.abs().max(size).max(SMALL * (1.0 + function));
    if error > USELESS * scale {
        return None;
    }
    let off = (found - derivative).abs();
    let holds = off <= RESULT_TOLERANCE * scale + 2.0 * error;
    Some((off / scale.max(REPORTED * (1.0 + function)), holds))
}

/// Where the operations of the function times its variables are more, directions must do.
const MOST_WORK: usize = 2_000;
/// More gradients of one function than this are compared together.
const MOST_ALONE: usize = 64;
/// A derivative is compared relative to at least this part of the function: of one that vanishes differences leave the
/// rounding of what cancels.
const SMALL: f64 = 1e-4;
/// The error of a derivative that vanishes is told relative to this part of the function.
const REPORTED: f64 = 1e-3;

#[allow(clippy::too_many_arguments)] // what is compared, where, and where it is told
fn gradient(
    check: &Check<'_>,
    point: &Point,
    function: &Evaluator,
    result: usize,
    forms: &[(&str, &Matrix)],
    size: f64,
    report: &mut Report,
) -> bool {
    let leaf = check.answer.outcomes[result].wrt_nodes[0];
    let Some(place) = check.numbers_of(&point.numbers, leaf) else { return false };
    let function = check.own.get(&leaf).unwrap_or(function);
    let (rows, columns) = place.shape();
    let of = match check.arena.op(leaf) {
        Op::Variable(v) => check.arena.variables[v.0 as usize].properties,
        _ => Properties::NONE,
    };
    let sizes = check.sizes(point);
    let mut fits = true;
    for &(form, g) in forms {
        let lacks = if g.shape() != (rows, columns) {
            Some((format!("the shape of {}, {rows}x{columns}", check.arena.name_of(leaf)), shape_text(g)))
        } else {
            let projected = project(of, g.clone());
            (!agree(&projected, g, RESULT_TOLERANCE, LEAST_SIZE)).then(|| worst_entry(&projected, g))
        };
        if let Some((expected, found)) = lacks {
            fits = false;
            let what = format!("{form} does not have the structure of its variable");
            report.fail(Failure { result, what, expected, found, sizes: sizes.clone() });
        }
    }
    if !fits {
        return true;
    }
    let mut directions = vec![(None, point.directions[&leaf].clone())];
    let work = function.len() * check.wrt.len();
    let small = rows * columns <= check.options.entries && rows * columns > 1 && work <= MOST_WORK;
    if point.index == 0 && small && !of.has(Property::Constant) {
        for i in 0..rows {
            for j in 0..columns {
                let unit = Matrix::from_fn(rows, columns, |k, l| if (k, l) == (i, j) { 1.0 } else { 0.0 });
                let unit = project(of, unit);
                if unit.max_abs() > 0.0 {
                    directions.push((Some((i, j)), unit));
                }
            }
        }
    }
    // Of a matrix-valued function its product with the given matrix counts.
    let weight = point.cotangent.as_ref();
    let weights = weight.map_or(1.0, |u| u.map(f64::abs).sum());
    let size = size * weights;
    let mut told = false;
    for (entry, direction) in &directions {
        let Some(found) = check.along_directions(point, function, &[(leaf, direction)]) else { continue };
        let of = &found[0].value;
        if weight.is_some_and(|u| u.shape() != of.shape()) {
            continue;
        }
        let derivative = weight.map_or(of.entries()[0], |u| u.dot(of));
        let error = found[0].error * weights;
        let mut useful = false;
        for &(form, g) in forms {
            let along = g.dot(direction);
            let parts = g.zip(direction, |x, y| (x * y).abs()).sum();
            let Some((off, holds)) = compare_with_difference(along, parts, derivative, error, size) else { continue };
            useful = true;
            let worst = &mut report.results[result].worst_error;
            *worst = worst.max(off);
            if !holds {
                let (mut expected, mut found) = (number_text(derivative), number_text(along));
                // Of the entries the first wrong one stands for all.
                let what = match entry {
                    Some((i, j)) => {
                        let place = format!(" at entry ({}, {})", i + 1, j + 1);
                        expected.push_str(&place);
                        found.push_str(&place);
                        format!("{form}: its entries against differences")
                    }
                    None => format!("{form}: tr(G'*D) in a random direction D against differences"),
                };
                report.fail(Failure { result, what, expected, found, sizes: sizes.clone() });
            }
        }
        if useful {
            let checked = &mut report.results[result];
            match entry {
                Some(_) => checked.entries += 1,
                None => {
                    checked.directions += 1;
                    told = true;
                }
            }
        }
    }
    if !told {
        report.not_checked(result, "at a point the differences were too rough to tell");
    }
    told
}

fn differential(
    check: &Check<'_>,
    point: &Point,
    joint: Option<&[Derivative]>,
    result: usize,
    forms: &[(&str, &Matrix)],
    size: f64,
    report: &mut Report,
) -> bool {
    let Some(joint) = joint else {
        report.not_checked(result, "at a point the function has no values nearby");
        return false;
    };
    let derivative = &joint[0];
    let scale = derivative.value.max_abs().max(SMALL * (1.0 + size));
    if derivative.error > USELESS * scale {
        report.not_checked(result, "at a point the differences were too rough to tell");
        return false;
    }
    for &(form, value) in forms {
        let holds = value.shape() == derivative.value.shape() && {
            let off = value.subtract(&derivative.value).max_abs();
            let worst = &mut report.results[result].worst_error;
            *worst = worst.max(off / scale.max(REPORTED * (1.0 + size)));
            value.is_finite() && off <= RESULT_TOLERANCE * scale + 2.0 * derivative.error
        };
        if !holds {
            let (expected, found) = worst_entry(&derivative.value, value);
            let what = format!("{form}: dF in a random direction against differences");
            report.fail(Failure { result, what, expected, found, sizes: check.sizes(point) });
        }
    }
    report.results[result].directions += 1;
    true
}

fn shape_text(a: &Matrix) -> String {
    format!("{}x{}", a.rows(), a.columns())
}

/// What the exact comparison needs: the function and all forms of its results.
pub(super) fn exact_roots(check: &Check<'_>) -> Vec<ExprId> {
    let mut roots = vec![check.of];
    roots.extend(check.cotangent());
    for outcome in &check.answer.outcomes[check.outcomes.clone()] {
        roots.push(outcome.result);
        roots.extend(outcome.value);
    }
    roots
}

/// What the draws modulo the prime say of the results of one request.
#[derive(Debug, Default)]
pub(super) struct ExactTally {
    verdicts: Vec<(bool, Ground)>,
}

impl ExactTally {
    /// No further draw would tell more.
    pub(super) fn settled(&self) -> bool {
        match self.verdicts.last() {
            None => false,
            Some((holds, Ground::Symbols)) => *holds,
            Some((_, Ground::Rational)) => true,
            Some((_, Ground::Signs)) => false,
        }
    }

    fn holds(&self) -> bool {
        !self.verdicts.is_empty()
            && (self.verdicts.iter().all(|(holds, _)| *holds)
                || self.verdicts.iter().any(|(holds, ground)| *holds && *ground == Ground::Symbols))
    }

    pub(super) fn conclude(&self, check: &Check<'_>, point: &Point, leaves: &[ExprId], report: &mut Report) {
        let holds = self.holds();
        for i in check.outcomes.clone() {
            if check.answer.outcomes[i].wrt_nodes.iter().any(|leaf| leaves.contains(leaf)) {
                report.results[i].exact = holds;
            }
        }
        let failed = |result: usize| report.failures.iter().any(|f| f.result == result);
        if self.verdicts.contains(&(false, Ground::Rational)) && !check.outcomes.clone().any(failed) {
            let what = "the results of this request modulo 2^61-1, against the slope of the function".to_owned();
            let (expected, found) = ("equality".to_owned(), "a difference".to_owned());
            let (result, sizes) = (check.outcomes.start, check.sizes(point));
            report.fail(Failure { result, what, expected, found, sizes });
        }
    }
}

/// The slope of the function where these leaves move, against Σ ⟨G, D⟩ or against dF itself.
pub(super) fn compare_exactly(
    check: &Check<'_>,
    draw: &Draw<'_>,
    moving: &HashMap<ExprId, Cell>,
    leaves: &[ExprId],
    tally: &mut ExactTally,
) {
    let Some(of) = moving.get(&check.of) else { return };
    let outcomes = &check.answer.outcomes[check.outcomes.clone()];
    let mut ground = of.ground;
    let mut holds = true;
    let mut slope = of.matrix.slopes();
    if let Some(cotangent) = check.cotangent() {
        let Some(weight) = moving.get(&cotangent) else { return };
        ground = ground.max(weight.ground);
        let weight = weight.matrix.map(|x| Dual::constant(x.value));
        if (weight.rows, weight.columns) != (slope.rows, slope.columns) {
            return;
        }
        slope = Exact::scalar(Dual::constant(weight.dot(&slope).value));
    }
    for in_one in [false, true] {
        let mut total = Exact::filled(slope.rows, slope.columns, Dual::ZERO);
        for outcome in outcomes.iter().filter(|o| o.wrt_nodes.iter().any(|leaf| leaves.contains(leaf))) {
            let root = if in_one { outcome.value.unwrap_or(outcome.result) } else { outcome.result };
            let Some(g) = moving.get(&root) else { return };
            ground = ground.max(g.ground);
            let part = match outcome.kind {
                AskKind::Gradient | AskKind::JacobianAgainst => {
                    let Some(direction) = draw.direction(outcome.wrt_nodes[0]) else { return };
                    if (direction.rows, direction.columns) != (g.matrix.rows, g.matrix.columns) {
                        return;
                    }
                    Exact::scalar(Dual::constant(g.matrix.dot(&direction).value))
                }
                AskKind::Differential | AskKind::JacobianAlong => g.matrix.map(|x| Dual::constant(x.value)),
                AskKind::Jacobian => {
                    let Some(direction) = draw.direction(outcome.wrt_nodes[0]) else { return };
                    let (rows, columns) = (of.matrix.entries.len(), direction.entries.len());
                    let along =
                        g.matrix.reshape(rows, columns).and_then(|j| j.multiply(&direction.reshape(columns, 1)?));
                    let Some(along) = along.and_then(|y| y.reshape(of.matrix.rows, of.matrix.columns)) else { return };
                    along.map(|x| Dual::constant(x.value))
                }
                AskKind::Hessian | AskKind::HessianAlong => return,
            };
            let Some(sum) = total.pairs(&part, |x, y| Some(x.plus(y))) else { return };
            total = sum;
        }
        holds &= total == slope;
    }
    tally.verdicts.push((holds, ground));
}

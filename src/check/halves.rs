//! A Hessian times a direction is checked in two halves: the gradient against differences of the function, then the
//! result against differences of the gradient. Here such a result becomes two, and what was found of them one again.

use std::ops::Range;

use super::{Group, Report};
use crate::answer::{Answer, Direction, Outcome};
use crate::derivation::Derivation;
use crate::syntax::ast::AskKind;

/// An answer whose results are all of one half.
pub(super) struct Halves {
    /// The answer.
    pub(super) answer: Answer,
    /// Its requests.
    pub(super) groups: Vec<Group>,
    /// For each result the one that it is of.
    origin: Vec<usize>,
}

/// The halves of an answer that has such results.
pub(super) fn halves(answer: &Answer, groups: &[Group]) -> Option<Halves> {
    let is_whole = |outcome: &Outcome| matches!(outcome.direction, Direction::Along { gradient: Some(_), .. });
    if !answer.outcomes.iter().any(is_whole) {
        return None;
    }
    let mut out = Halves { answer: answer.clone(), groups: Vec::new(), origin: Vec::new() };
    out.answer.outcomes.clear();
    for group in groups {
        if !answer.outcomes[group.outcomes.clone()].iter().any(is_whole) {
            let range = out.add(answer, group.outcomes.clone(), |outcome| Some(outcome.clone()));
            out.groups.push(Group { outcomes: range, wrt: group.wrt.clone() });
            continue;
        }
        let first = out.add(answer, group.outcomes.clone(), gradient);
        let wrt = out.answer.outcomes[first.clone()].iter().map(|outcome| outcome.wrt_nodes[0]).collect();
        out.groups.push(Group { outcomes: first, wrt });
        for i in group.outcomes.clone() {
            let second = out.add(answer, i..i + 1, derivative_of_gradient);
            let wrt = out.answer.outcomes[second.start].wrt_nodes.clone();
            out.groups.push(Group { outcomes: second, wrt });
        }
    }
    Some(out)
}

impl Halves {
    fn add(
        &mut self,
        answer: &Answer,
        outcomes: Range<usize>,
        with: impl Fn(&Outcome) -> Option<Outcome>,
    ) -> Range<usize> {
        let start = self.answer.outcomes.len();
        for i in outcomes {
            if let Some(outcome) = with(&answer.outcomes[i]) {
                self.answer.outcomes.push(outcome);
                self.origin.push(i);
            }
        }
        start..self.answer.outcomes.len()
    }

    /// Puts what was found of the halves into the report on the whole.
    pub(super) fn join(&self, found: Report, whole: &mut Report) {
        let mut met = vec![false; whole.results.len()];
        for (half, &i) in found.results.iter().zip(&self.origin) {
            let first = !std::mem::replace(&mut met[i], true);
            let result = &mut whole.results[i];
            result.points = if first { half.points } else { result.points.min(half.points) };
            result.exact = (first || result.exact) && half.exact;
            result.reduced |= half.reduced;
            result.directions += half.directions;
            result.entries += half.entries;
            result.worst_error = result.worst_error.max(half.worst_error);
            result.steps_by_numbers += half.steps_by_numbers;
            result.steps_exact += half.steps_exact;
            for why in &half.not_checked {
                whole.not_checked(i, why.clone());
            }
        }
        for mut failure in found.failures {
            failure.result = self.origin[failure.result];
            whole.fail(failure);
        }
    }
}

/// The gradient on the way, as a result.
fn gradient(outcome: &Outcome) -> Option<Outcome> {
    let Direction::Along { gradient: Some(half), .. } = &outcome.direction else { return None };
    Some(Outcome {
        kind: AskKind::Gradient,
        wrt: outcome.wrt[..1].to_vec(),
        wrt_nodes: outcome.wrt_nodes[..1].to_vec(),
        direction: Direction::None,
        value: None,
        result: half.result,
        program: Vec::new(),
        derivation: Derivation { steps: outcome.derivation.steps[..half.steps].to_vec() },
        ..outcome.clone()
    })
}

/// The derivative of that gradient along the directions, as a result.
fn derivative_of_gradient(outcome: &Outcome) -> Option<Outcome> {
    let Direction::Along { gradient: Some(half), moves } = &outcome.direction else { return None };
    Some(Outcome {
        kind: AskKind::JacobianAlong,
        wrt_nodes: moves.iter().map(|moved| moved.leaf).collect(),
        direction: Direction::Along { gradient: None, moves: moves.clone() },
        of_node: half.named,
        derivation: Derivation { steps: outcome.derivation.steps[half.steps..].to_vec() },
        ..outcome.clone()
    })
}

//! Verdicts on curvature beside results: of a Hessian always, of gradients on request. An answer's outcomes come in; each
//! gets its verdicts, and a note for each that says something.

use super::{Answer, Direction, Outcome};
use crate::curvature::{Curvature, Verdict, curvature, curvature_with_hessian};
use crate::expr::{Arena, ExprId};
use crate::syntax::ast::AskKind;

/// A verdict and in what it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The names that move together.
    pub by: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Judged {
    /// `L is convex in w: a squared norm is convex`
    fn note(&self, of: &str) -> String {
        let by = self.by.join(" and ");
        let together = if self.by.len() > 1 { " together" } else { "" };
        match self.verdict.curvature {
            Curvature::Affine => {
                format!("{of} is affine in {by}{together}, both convex and concave: {}", self.verdict.reason)
            }
            Curvature::Unknown => {
                format!("it is not known whether {of} is convex in {by}{together}: {}", self.verdict.reason)
            }
            other => format!("{of} is {} in {by}{together}: {}", other.name(), self.verdict.reason),
        }
    }
}

impl Answer {
    /// Adds verdicts to the gradients: each in its own variable, and the first of a request in all of them together.
    pub fn judge_gradients(&mut self) {
        let mut start = 0;
        while start < self.outcomes.len() {
            let first = &self.outcomes[start];
            let (kind, of) = (first.kind, first.of_node);
            let same = |o: &Outcome| o.kind == kind && o.of_node == of;
            let end = start + self.outcomes[start..].iter().take_while(|o| same(o)).count();
            if kind == AskKind::Gradient {
                let mut all: Vec<ExprId> = Vec::new();
                for i in start..end {
                    let leaf = self.outcomes[i].wrt_nodes[0];
                    if !all.contains(&leaf) {
                        all.push(leaf);
                    }
                    judge(&self.arena, &mut self.outcomes[i], &[leaf]);
                }
                if all.len() > 1 {
                    judge(&self.arena, &mut self.outcomes[start], &all);
                }
            }
            start = end;
        }
    }
}

/// The verdict of a Hessian, where it is one of one variable or of all that move.
pub(super) fn judge_hessian(arena: &Arena, outcome: &mut Outcome) {
    let leaves: Vec<ExprId> = match (&outcome.direction, outcome.kind) {
        (Direction::None, AskKind::Hessian) => outcome.wrt_nodes.clone(),
        (Direction::Along { moves, .. }, AskKind::HessianAlong) if outcome.wrt_nodes.len() == 1 => {
            moves.iter().map(|moved| moved.leaf).collect()
        }
        _ => return,
    };
    // A block of two variables says nothing of either.
    if outcome.kind == AskKind::Hessian && leaves.first() != leaves.last() {
        return;
    }
    let mut leaves = leaves;
    leaves.dedup();
    judge(arena, outcome, &leaves);
}

fn judge(arena: &Arena, outcome: &mut Outcome, leaves: &[ExprId]) {
    let by = leaves.iter().map(|&leaf| arena.name_of(leaf)).collect();
    let verdict = match *leaves {
        [leaf] if outcome.kind == AskKind::Hessian && arena.shape(leaf).is_column() => {
            curvature_with_hessian(arena, outcome.of_node, leaf, outcome.value.unwrap_or(outcome.result))
        }
        _ => curvature(arena, outcome.of_node, leaves),
    };
    let judged = Judged { by, verdict };
    let note = judged.note(&arena.name_of(outcome.of_node));
    if !outcome.notes.contains(&note) {
        outcome.notes.push(note);
    }
    outcome.curvature.push(judged);
}

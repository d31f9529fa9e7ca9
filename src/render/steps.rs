//! The lines of a derivation as notation: each an equation, a continued one with its left side put back.

use super::build::notation;
use super::notation::Notation;
use crate::derivation::{Derivation, Left};
use crate::expr::Arena;
use crate::rules::RuleId;

/// A line with its rules.
#[derive(Clone, Debug)]
pub struct ShownStep {
    /// Which rules led here, the outermost first.
    pub rules: Vec<RuleId>,
    /// The left side; of a continued line that of the line it goes on from.
    pub left: Notation,
    /// The right side.
    pub right: Notation,
    /// Whether it goes on from the line before.
    pub continued: bool,
}

/// The steps of a derivation in order.
pub fn shown_steps(arena: &Arena, derivation: &Derivation) -> Vec<ShownStep> {
    let mut out: Vec<ShownStep> = Vec::with_capacity(derivation.steps.len());
    let mut chain = Notation::Name("dF".to_owned());
    for step in &derivation.steps {
        let (left, continued) = match &step.left {
            Left::Continued => (chain.clone(), out.last().is_some_and(|last| last.left == chain)),
            Left::Aside(id) => {
                let left = notation(arena, *id);
                out.push(ShownStep {
                    rules: step.rules.clone(),
                    left,
                    right: notation(arena, step.right),
                    continued: false,
                });
                continue;
            }
            Left::Expression(id) => (notation(arena, *id), false),
            Left::Gradient { of, wrt } => (Notation::Partial(of.clone(), wrt.clone()), false),
        };
        chain = left.clone();
        out.push(ShownStep { rules: step.rules.clone(), left, right: notation(arena, step.right), continued });
    }
    out
}

//! The calculus: differentials by the rules, gradients read off dF = tr(Gᵀ dX) by the trace rules, waypoint by waypoint.
//! Nobody writes a gradient rule: a function states its differential, and each linear operation knows its transpose.

pub mod adjoint;
pub mod along;
pub mod differential;
mod expand;
mod factor;
pub mod gradient;
pub mod lines;
pub mod names;
pub mod present;
mod special;
mod template;

/// An operation that the calculus does not cover, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCovered {
    /// What cannot be done.
    pub message: String,
}

/// All expressions of a program may have this many operands together, some gigabytes; beyond it the answer is refused.
const MOST_OPERANDS: usize = 20_000_000;

impl NotCovered {
    /// An error once the expressions take too much memory.
    fn unless_small(arena: &crate::expr::Arena) -> Result<(), NotCovered> {
        if arena.operand_count() > MOST_OPERANDS {
            return Err(NotCovered::new(
                "the derivation grows too large; name parts of the expression and ask for less at once",
            ));
        }
        Ok(())
    }

    fn new(message: impl Into<String>) -> NotCovered {
        NotCovered { message: message.into() }
    }
}

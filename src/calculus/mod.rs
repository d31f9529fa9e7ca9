//! The calculus: differentials by the rules, gradients read off dF = tr(Gᵀ dX) by the trace rules, waypoint by waypoint.
//! Nobody writes a gradient rule: a function states its differential, and each linear operation knows its transpose.

pub mod adjoint;
pub mod differential;
mod expand;
mod factor;
pub mod gradient;
pub mod lines;
pub mod names;
pub mod present;
mod special;
pub mod substitute;
mod template;

/// An operation that the calculus does not cover, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCovered {
    /// What cannot be done.
    pub message: String,
}

impl NotCovered {
    fn new(message: impl Into<String>) -> NotCovered {
        NotCovered { message: message.into() }
    }
}

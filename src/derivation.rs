//! What was done, where and why: a derivation is a list of steps, each a line (an equation between expressions) and the
//! rules that lead to it. Ids, not strings; rendering is elsewhere.

use crate::expr::ExprId;
use crate::rules::RuleId;

/// How much of a derivation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only the results.
    None,
    /// The lines between waypoints.
    Brief,
    /// Every move.
    Full,
}

/// The left side of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
    /// The previous line goes on with `=`.
    Continued,
    /// An expression.
    Expression(ExprId),
    /// An expression of an equation beside the chain: a property that was used.
    Aside(ExprId),
    /// ∂F/∂X
    Gradient {
        /// F as typed.
        of: String,
        /// X.
        wrt: String,
    },
}

/// One move.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which rules were applied, the outermost first; at least one.
    pub rules: Vec<RuleId>,
    /// What stands left of the equals sign.
    pub left: Left,
    /// What stands right of it.
    pub right: ExprId,
    /// Shown only in full, or also in brief.
    pub detail: Detail,
}

/// The lines of one result, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derivation {
    /// The steps in order.
    pub steps: Vec<Step>,
}

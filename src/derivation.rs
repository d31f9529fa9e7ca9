//! What was done, where and why: a derivation is a list of steps, each a line (an equation between expressions) and the
//! rule that leads to it. Ids, not strings; rendering is elsewhere.

use crate::expr::ExprId;

/// A rule of the calculus or of algebra, by its textbook name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// A short identifier, `cyclic`.
    pub id: &'static str,
    /// What a book calls it or states, `tr(AB) = tr(BA)`.
    pub statement: &'static str,
}

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
    /// d of a compound expression.
    DifferentialOf(ExprId),
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
    /// Which rule was applied.
    pub rule: Rule,
    /// What stands left of the equals sign.
    pub left: Left,
    /// What stands right of it.
    pub right: ExprId,
    /// Shown only in full, or also in brief.
    pub detail: Detail,
}

/// A heading and its lines: one waypoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derivation {
    /// The steps in order.
    pub steps: Vec<Step>,
}

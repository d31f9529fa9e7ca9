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
    /// `Σ ∂Y/∂X[V]`, or with `wrt` `∂²F/∂W∂X[V]`, and `d(∂F/∂W)` where several move
    Along {
        /// What is differentiated.
        of: ExprId,
        /// Of a second derivative what the gradient is by.
        wrt: Option<ExprId>,
        /// What moves, and along what.
        moves: Vec<(ExprId, ExprId)>,
    },
    /// `(∂Y/∂X)ᵀ[U]`
    Against {
        /// Y.
        of: ExprId,
        /// X.
        wrt: ExprId,
        /// U.
        cotangent: ExprId,
    },
    /// ∂Y/∂X, or of vec(Y) by vec(X).
    Jacobian {
        /// Y as typed.
        of: String,
        /// X.
        wrt: String,
        /// Whether it is that of vec(Y), and by vec(X).
        stacked: [bool; 2],
    },
    /// ∂²F/∂X∂Y, or by vec(X) and vec(Y).
    Hessian {
        /// F as typed.
        of: String,
        /// X and Y.
        wrt: [String; 2],
        /// Whether it is by vec(X), and by vec(Y).
        stacked: [bool; 2],
    },
}

impl Left {
    /// Whether it names a derivative, which is no expression.
    pub fn is_derivative(&self) -> bool {
        !matches!(self, Left::Continued | Left::Expression(_) | Left::Aside(_))
    }
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

impl Derivation {
    /// The steps up to a level of detail that `fits` to be shown; a line whose chain began with one that is left out gets its
    /// left side.
    pub fn up_to(&self, detail: Detail, fits: &dyn Fn(ExprId) -> bool) -> Derivation {
        let mut left: Option<ExprId> = None;
        let mut shown = false;
        // Rules of lines left out since the last one shown of the chain: the next one stands for them too.
        let mut skipped: Vec<RuleId> = Vec::new();
        let mut steps = Vec::new();
        for step in &self.steps {
            match step.left {
                Left::Expression(id) => (left, shown) = (Some(id), false),
                Left::Continued | Left::Aside(_) => {}
                _ => (left, shown) = (None, false),
            }
            if matches!(step.left, Left::Expression(_)) || step.left.is_derivative() {
                skipped.clear();
            }
            if step.detail > detail || !fits(step.right) || matches!(step.left, Left::Expression(id) if !fits(id)) {
                skipped.extend(step.rules.iter().filter(|_| !matches!(step.left, Left::Aside(_))));
                continue;
            }
            let mut step = step.clone();
            if let (Left::Continued, false, Some(id)) = (&step.left, shown, left) {
                step.left = Left::Expression(id);
            }
            if !matches!(step.left, Left::Aside(_)) {
                shown = true;
                skipped.append(&mut step.rules);
                for &rule in &skipped {
                    if !step.rules.contains(&rule) {
                        step.rules.push(rule);
                    }
                }
                skipped.clear();
            }
            steps.push(step);
        }
        Derivation { steps }
    }
}

//! Whether a scalar function is convex or concave in what moves: an expression and the leaves that move come in, a verdict
//! with its reason goes out. First the rules of composition are tried (S. Boyd and L. Vandenberghe, Convex Optimization,
//! ch. 3.2), then the signs of the terms of the second differential. Where neither proves it the verdict is that it is not
//! known; a function that is not convex is never called so. No number is drawn here.

mod compose;
mod form;
mod sign;

use rustc_hash::FxHashSet as HashSet;

use crate::expr::{Arena, ExprId};

/// What is known of a function's curvature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curvature {
    /// Both convex and concave.
    Affine,
    /// On the segment between two points of its domain no larger than the chord.
    Convex,
    /// No smaller than the chord.
    Concave,
    /// Neither was proved.
    Unknown,
}

impl Curvature {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Curvature::Affine => "affine",
            Curvature::Convex => "convex",
            Curvature::Concave => "concave",
            Curvature::Unknown => "unknown",
        }
    }

    /// That of −f.
    fn negated(self) -> Curvature {
        match self {
            Curvature::Convex => Curvature::Concave,
            Curvature::Concave => Curvature::Convex,
            other => other,
        }
    }

    /// That of a sum.
    fn and(self, other: Curvature) -> Curvature {
        match (self, other) {
            (Curvature::Affine, other) | (other, Curvature::Affine) => other,
            (a, b) if a == b => a,
            _ => Curvature::Unknown,
        }
    }
}

/// A verdict and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What was proved.
    pub curvature: Curvature,
    /// The reason in plain words.
    pub reason: String,
}

/// Expressions with more nodes are judged by the rules of composition only.
const LARGEST_FORM: usize = 400;

/// The curvature of the scalar `of` where the leaves (variables, or definitions that count as independent) move together.
pub fn curvature(arena: &Arena, of: ExprId, leaves: &[ExprId]) -> Verdict {
    let leaves: HashSet<ExprId> = leaves.iter().copied().collect();
    let nodes = arena.reachable(&[of]);
    let composed = compose::judge(arena, of, &nodes, &leaves);
    if composed.curvature != Curvature::Unknown || nodes.len() > LARGEST_FORM {
        return composed;
    }
    form::judge(arena, of, &nodes, &leaves).unwrap_or(composed)
}

/// As [`curvature`], of a function whose Hessian by the one leaf, a vector, is known: where nothing else settles it,
/// the Hessian's own form may show that it is semidefinite, as XᵀDX does with D ≥ 0.
pub fn curvature_with_hessian(arena: &Arena, of: ExprId, leaf: ExprId, hessian: ExprId) -> Verdict {
    let verdict = curvature(arena, of, &[leaf]);
    if verdict.curvature != Curvature::Unknown || arena.shape(hessian).columns != arena.shape(leaf).rows {
        return verdict;
    }
    form::judge_hessian(arena, of, leaf, hessian).unwrap_or(verdict)
}

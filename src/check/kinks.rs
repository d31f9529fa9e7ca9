//! Points at which the function itself has no derivative: a kink that is met exactly and left as soon as something moves,
//! as the zeros of a diagonal matrix are under relu. Differences say nothing there of the value that is usually taken.

use super::{Check, Point};
use crate::eval::{Evaluator, kink};
use crate::expr::{ExprId, Op};
use crate::matrix::Matrix;

/// How far things are moved.
const STEP: f64 = 1.0 / 1024.0;

/// Whether the function has a kink at the point along its directions.
pub(super) fn met(check: &Check<'_>, point: &Point) -> bool {
    let pairs: Vec<(ExprId, Option<ExprId>)> =
        check.arena.reachable(&[check.of]).into_iter().filter_map(|id| kink(check.arena, id)).collect();
    if pairs.is_empty() {
        return false;
    }
    let roots: Vec<ExprId> = pairs.iter().flat_map(|&(a, b)| [Some(a), b]).flatten().collect();
    let along = |leaves: &[ExprId], independent: &[ExprId]| {
        let evaluator = Evaluator::with_independent(check.arena, &roots, independent);
        let moves: Vec<(ExprId, &Matrix)> = leaves.iter().map(|leaf| (*leaf, &point.directions[leaf])).collect();
        let at = |t: f64| evaluator.run(&check.moved(point, &moves, t)?).ok();
        // Without values nothing is said.
        let (Some(here), Some(there)) = (at(0.0), at(STEP)) else { return false };
        left(check, &pairs, &here, &there)
    };
    along(&check.joint, &check.independent)
        || check.own.keys().any(|&leaf| along(&[leaf], &[check.independent.as_slice(), &[leaf]].concat()))
}

/// Whether an entry is exactly on a kink here and off it there.
fn left(check: &Check<'_>, pairs: &[(ExprId, Option<ExprId>)], here: &[Matrix], there: &[Matrix]) -> bool {
    let mut next = 0;
    for &(node, other) in pairs {
        let place = next;
        next += 1 + usize::from(other.is_some());
        let difference = |values: &[Matrix]| match other {
            None => Some(values[place].clone()),
            Some(_) => entries_apart(&values[place], &values[place + 1]),
        };
        let (Some(before), Some(after)) = (difference(here), difference(there)) else { continue };
        debug_assert!(!matches!(check.arena.op(node), Op::Differential(_)));
        if before.entries().iter().zip(after.entries()).any(|(x, y)| *x == 0.0 && *y != 0.0) {
            return true;
        }
    }
    false
}

/// a − b, where either may be a scalar.
fn entries_apart(a: &Matrix, b: &Matrix) -> Option<Matrix> {
    if a.shape() == b.shape() {
        Some(a.subtract(b))
    } else if b.entries().len() == 1 {
        Some(a.map(|x| x - b.entries()[0]))
    } else if a.entries().len() == 1 {
        Some(b.map(|x| a.entries()[0] - x))
    } else {
        None
    }
}

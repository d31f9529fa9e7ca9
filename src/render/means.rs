//! Means to notation: sums with their divisors beside them.

use super::build::{call, dimension, leaf, leaf_or_group, product, quotient};
use super::chain::chain_of;
use super::notation::Notation;
use super::written::Written;
use crate::dimension::DimId;
use crate::expr::{ExprId, Op};
use crate::number::Number;

/// A chain with means in it, also where those are repeated: rowmean(G)*ones(1, n); and the scalars that are left.
pub(super) fn chain_with_means(
    arena: &Written,
    scalars: &[ExprId],
    factors: &[ExprId],
) -> (Vec<ExprId>, Vec<Notation>) {
    let ones = |f: ExprId| matches!(arena.op(f), Op::Ones);
    let (before, sums, behind) = match *factors {
        [first, _, _] if ones(first) && arena.shape(first).is_column() => (Some(first), &factors[1..], None),
        [_, _, last] if ones(last) && arena.shape(last).is_row() => (None, &factors[..2], Some(last)),
        _ => (None, factors, None),
    };
    match take_means(arena, scalars, sums) {
        (left, Some(mean)) => {
            let ones = |f: Option<ExprId>| f.map(|f| leaf(arena, f));
            (left, ones(before).into_iter().chain([mean]).chain(ones(behind)).collect())
        }
        (left, None) => (left, chain_of(arena, factors)),
    }
}

/// sum/(m·n), rowsum/n and colsum/m are means: takes their divisors out of the scalars.
pub(super) fn take_means(arena: &Written, scalars: &[ExprId], factors: &[ExprId]) -> (Vec<ExprId>, Option<Notation>) {
    let mut left: Vec<ExprId> = scalars.to_vec();
    let divisor = |left: &[ExprId], d: DimId| {
        left.iter().position(|&s| match arena.op(s) {
            Op::Power(base, k) => {
                matches!(arena.op(*base), Op::Dimension(b) if *b == d)
                    && matches!(arena.op(*k), Op::Number(k) if *k == Number::MINUS_ONE)
            }
            _ => false,
        })
    };
    let ones = |f: ExprId| matches!(arena.op(f), Op::Ones);
    match *factors {
        [x, last] if ones(last) && arena.shape(last).is_column() && !ones(x) && arena.shape(x).rows != DimId::ONE => {
            if let Some(i) = divisor(&left, arena.shape(last).rows) {
                left.remove(i);
                let (n, ones) = (one_over(arena, arena.shape(last).rows), leaf(arena, last));
                let explicit = product(vec![n, leaf_or_group(arena, x), ones]);
                return (left, Some(Notation::Sums(Box::new(explicit), Box::new(call("rowmean", arena.part(x))))));
            }
        }
        [first, x] if ones(first) && arena.shape(first).is_row() && !ones(x) => {
            if let Some(i) = divisor(&left, arena.shape(first).columns) {
                left.remove(i);
                let (m, ones) = (one_over(arena, arena.shape(first).columns), leaf(arena, first));
                let explicit = product(vec![m, ones, leaf_or_group(arena, x)]);
                return (left, Some(Notation::Sums(Box::new(explicit), Box::new(call("colmean", arena.part(x))))));
            }
        }
        _ => {}
    }
    (left, None)
}

fn one_over(arena: &Written, d: DimId) -> Notation {
    quotient(Notation::Number(Number::ONE), dimension(arena, d))
}

/// The mean of all entries where a scalar chain is a sum and its divisors stand beside it.
pub(super) fn mean_of_all(arena: &Written, scalars: &mut Vec<ExprId>, chain: ExprId) -> Option<Notation> {
    let Op::Product { factors, .. } = arena.op(chain) else { return None };
    let ones = |f: ExprId| matches!(arena.op(f), Op::Ones);
    let (x, sizes) = match **factors {
        [a, x, b] if ones(a) && ones(b) && !ones(x) => (x, vec![arena.shape(a).columns, arena.shape(b).rows]),
        [a, x] if ones(a) && !ones(x) => (x, vec![arena.shape(a).columns]),
        [x, b] if ones(b) && !ones(x) => (x, vec![arena.shape(b).rows]),
        _ => return None,
    };
    let mut places = Vec::new();
    for size in sizes {
        let place = scalars.iter().enumerate().position(|(i, &s)| {
            !places.contains(&i)
                && matches!(arena.op(s), Op::Power(base, k)
                    if matches!(arena.op(*base), Op::Dimension(d) if *d == size)
                        && matches!(arena.op(*k), Op::Number(k) if *k == Number::MINUS_ONE))
        })?;
        places.push(place);
    }
    places.sort_unstable();
    for place in places.into_iter().rev() {
        scalars.remove(place);
    }
    Some(Notation::Call { function: "mean", arguments: vec![arena.part(x)], columns: false })
}

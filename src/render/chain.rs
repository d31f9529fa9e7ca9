//! Chains of matrix factors to notation: what is computed first, sums from products with ones, transposes of whole products.

use super::build::{call, dimension, leaf_or_group};
use super::notation::Notation;
use super::written::Written;
use crate::dimension::DimId;
use crate::expr::{ExprId, Op};

/// This many transposed factors in a row are shown as the transpose of their product.
const TRANSPOSED_RUN: usize = 3;

/// The factors of a matrix product in reading form.
pub(super) fn chain_of(arena: &Written, factors: &[ExprId]) -> Vec<Notation> {
    let ones = |f: ExprId| matches!(arena.op(f), Op::Ones);
    if let [a, b] = *factors
        && ones(a)
        && ones(b)
        && arena.shape(a).is_column()
    {
        let (m, n) = (arena.shape(a).rows, arena.shape(b).columns);
        return vec![Notation::Ones(Box::new(dimension(arena, m)), Some(Box::new(dimension(arena, n))))];
    }
    // A column inside a chain makes an outer product: both sides are computed before it.
    let boundary = (0..factors.len().saturating_sub(1))
        .find(|&i| arena.shape(factors[i]).columns == DimId::ONE && arena.shape(factors[i + 1]).rows == DimId::ONE);
    match boundary {
        Some(i) => {
            let mut out = side(arena, &factors[..=i]);
            let right = side(arena, &factors[i + 1..]);
            if right.len() > 1 {
                out.push(Notation::Grouped(Box::new(Notation::Product(right))));
            } else {
                out.extend(right);
            }
            out
        }
        None => side(arena, factors),
    }
}

/// A chain without an outer product in it; one that ends in a column is computed from the right.
fn side(arena: &Written, factors: &[ExprId]) -> Vec<Notation> {
    let shown = factors_of(arena, factors);
    let ends_in_column = factors.last().is_some_and(|&f| arena.shape(f).columns == DimId::ONE);
    let starts_with_row = factors.first().is_some_and(|&f| arena.shape(f).rows == DimId::ONE);
    if !ends_in_column || starts_with_row || shown.len() < 3 {
        return shown;
    }
    let mut items = shown.into_iter().rev();
    let mut inner = items.next().expect("at least three factors");
    let mut rest: Vec<Notation> = items.collect();
    let first = rest.pop().expect("at least three factors");
    for factor in rest {
        inner = Notation::Grouped(Box::new(Notation::Product(vec![factor, inner])));
    }
    vec![first, inner]
}

/// The factors with sums written as such and runs of transposes joined.
fn factors_of(arena: &Written, factors: &[ExprId]) -> Vec<Notation> {
    let ones = |f: ExprId| matches!(arena.op(f), Op::Ones);
    let mut out = Vec::new();
    let mut i = 0;
    while i < factors.len() {
        let f = factors[i];
        let next = factors.get(i + 1).copied();
        if ones(f) && arena.shape(f).is_row() {
            match next {
                Some(x) if !ones(x) => {
                    let last = factors.get(i + 2).copied();
                    if last.is_some_and(|l| ones(l) && arena.shape(l).is_column()) {
                        out.push(call("sum", arena.part(x)));
                        i += 3;
                    } else {
                        let short = if arena.shape(x).columns == DimId::ONE {
                            call("sum", arena.part(x))
                        } else {
                            sums(arena, x, false)
                        };
                        out.push(with_ones(arena, &[f, x], short));
                        i += 2;
                    }
                    continue;
                }
                _ => {}
            }
        }
        if !ones(f)
            && next.is_some_and(|n| ones(n) && arena.shape(n).is_column())
            && arena.shape(f).columns != DimId::ONE
        {
            let short = if arena.shape(f).rows == DimId::ONE {
                call("sum", arena.part(untransposed(arena, f)))
            } else {
                sums(arena, f, true)
            };
            out.push(with_ones(arena, &[f, next.expect("just seen")], short));
            i += 2;
            continue;
        }
        // A run of transposes.
        let run = factors[i..]
            .iter()
            .enumerate()
            .take_while(|&(j, &g)| {
                matches!(arena.op(g), Op::Transpose(_)) && !factors.get(i + j + 1).is_some_and(|&n| ones(n))
            })
            .count();
        if run >= TRANSPOSED_RUN {
            let inner: Vec<Notation> =
                factors[i..i + run].iter().rev().map(|&g| arena.part(untransposed(arena, g))).collect();
            out.push(Notation::Transpose(Box::new(Notation::Product(inner))));
            i += run;
            continue;
        }
        out.push(leaf_or_group(arena, f));
        i += 1;
    }
    out
}

/// A sum as a product with ones, and as the language calls it.
fn with_ones(arena: &Written, factors: &[ExprId], short: Notation) -> Notation {
    let explicit = factors.iter().map(|&f| leaf_or_group(arena, f)).collect();
    Notation::Sums(Box::new(Notation::Product(explicit)), Box::new(short))
}

fn untransposed(arena: &Written, id: ExprId) -> ExprId {
    match arena.op(id) {
        Op::Transpose(inner) => *inner,
        _ => id,
    }
}

/// rowsum(x) or colsum(x); of a transpose the transpose of the other.
fn sums(arena: &Written, x: ExprId, rows: bool) -> Notation {
    match arena.op(x) {
        Op::Transpose(inner) => Notation::Transpose(Box::new(sums(arena, *inner, !rows))),
        _ => call(if rows { "rowsum" } else { "colsum" }, arena.part(x)),
    }
}

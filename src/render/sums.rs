//! Sums to notation: the order in which terms are read, operands that are repeated beside larger ones, means inside.

use super::build::{hadamard, leaf, product_of, term};
use super::means::take_means;
use super::notation::Notation;
use super::written::Written;
use crate::dimension::Shape;
use crate::expr::{ExprId, Op};
use crate::number::Number;

/// A sum in reading order: a positive term first.
pub(super) fn sum_of_terms(arena: &Written, terms: &[(Number, ExprId)], shape: Shape) -> Notation {
    let terms = &with_means_inside(arena, terms)[..];
    let mut ordered: Vec<(Number, ExprId)> = terms.iter().map(|&(c, a, _)| (c, a)).collect();
    let divisor_of: std::collections::HashMap<ExprId, ExprId> =
        terms.iter().filter_map(|&(_, a, divisor)| Some((a, divisor?))).collect();
    // A column next to a row is an error in the language: a term of the full shape goes first.
    let directions: Vec<Option<bool>> =
        ordered.iter().map(|&(_, a)| spread(arena, a).and_then(|s| s.direction(arena))).collect();
    if directions.contains(&Some(true))
        && directions.contains(&Some(false))
        && let Some(place) = ordered.iter().position(|&(_, a)| spread(arena, a).is_none())
    {
        let first = ordered.remove(place);
        ordered.insert(0, first);
    }
    // A broadcast operand is short beside one of the full shape; without such a one the first is written out.
    let mut full = shape.is_scalar() || ordered.iter().any(|&(_, a)| spread(arena, a).is_none());
    let mut out = Vec::with_capacity(ordered.len());
    for (c, a) in ordered {
        let divisor = divisor_of.get(&a).copied();
        let explicit = match divisor {
            Some(divisor) => divided(arena, c.abs(), a, divisor),
            None => term(arena, c.abs(), a),
        };
        let shown = match spread(arena, a) {
            Some(vector) if full && !shape.is_scalar() => {
                let scalars: Vec<ExprId> = vector.scalars.iter().copied().chain(divisor).collect();
                let short = product_of(arena, c.abs(), &scalars, &vector.factors);
                Notation::Broadcast(Box::new(explicit), Box::new(short))
            }
            Some(_) if !shape.is_scalar() => {
                full = true;
                explicit
            }
            _ => explicit,
        };
        out.push((c.is_negative(), shown));
    }
    Notation::Sum(out)
}

/// The terms of a sum, where 1/n·(a + b) stands as a/n + b/n if each of those is shown as a mean; with the divisor.
fn with_means_inside(arena: &Written, terms: &[(Number, ExprId)]) -> Vec<(Number, ExprId, Option<ExprId>)> {
    let mut out = Vec::with_capacity(terms.len());
    for &(c, a) in terms {
        match mean_terms(arena, a) {
            Some((divisor, inner)) => out.extend(inner.iter().map(|&(d, t)| (c.times(d), t, Some(divisor)))),
            None => out.push((c, a, None)),
        }
    }
    out
}

/// Splits 1/n·(a + b) into 1/n and the terms, if each term sums over n entries.
fn mean_terms<'a>(arena: &'a Written, id: ExprId) -> Option<(ExprId, &'a [(Number, ExprId)])> {
    let Op::Product { scalars, factors } = arena.op(id) else { return None };
    let ([divisor], [sum]) = (&**scalars, &**factors) else { return None };
    let Op::Sum(terms) = arena.op(*sum) else { return None };
    let all = terms.iter().all(|&(_, t)| takes_divisor(arena, t, *divisor));
    (terms.len() > 1 && all).then_some((*divisor, &**terms))
}

/// Whether a term is shown as a mean once it is divided.
fn takes_divisor(arena: &Written, term: ExprId, divisor: ExprId) -> bool {
    let is_sum = |id: ExprId| match arena.op(id) {
        Op::Product { scalars, factors } if scalars.is_empty() => take_means(arena, &[divisor], factors).1.is_some(),
        _ => false,
    };
    let parts = match arena.op(term) {
        Op::Hadamard(list) => list.to_vec(),
        _ => vec![term],
    };
    parts.iter().any(|&part| match spread(arena, part) {
        Some(vector) if vector.scalars.is_empty() => {
            take_means(arena, &[divisor], &vector.factors).1.is_some()
                || vector.factors.len() == 1
                    && arena.element_factors(vector.factors[0]).iter().any(|&(f, k)| k.is_one() && is_sum(f))
        }
        _ => false,
    })
}

/// c·A·divisor.
fn divided(arena: &Written, c: Number, a: ExprId, divisor: ExprId) -> Notation {
    match arena.op(a) {
        Op::Product { scalars, factors } => {
            let scalars: Vec<ExprId> = scalars.iter().copied().chain([divisor]).collect();
            product_of(arena, c, &scalars, factors)
        }
        Op::Hadamard(list) => hadamard(arena, c, &[divisor], list),
        _ => product_of(arena, c, &[divisor], &[a]),
    }
}
/// The smaller operand that a product with ones repeats.
pub(super) struct Spread {
    pub(super) scalars: Vec<ExprId>,
    pub(super) factors: Vec<ExprId>,
    /// The ones that repeat it: a row behind a column, or a column before a row; none for a scalar.
    ones: Option<ExprId>,
}

impl Spread {
    /// The product with ones.
    pub(super) fn repeated(&self, arena: &Written, vector: Notation) -> Notation {
        match self.ones {
            Some(ones) if arena.shape(ones).is_row() => Notation::Product(vec![vector, leaf(arena, ones)]),
            Some(ones) => Notation::Product(vec![leaf(arena, ones), vector]),
            None => vector,
        }
    }

    /// Whether it is repeated along rows, columns, or both.
    pub(super) fn direction(&self, arena: &Written) -> Option<bool> {
        self.ones.map(|ones| arena.shape(ones).is_row())
    }
}

pub(super) fn spread(arena: &Written, id: ExprId) -> Option<Spread> {
    let shape = arena.shape(id);
    if shape.is_scalar() || arena.is_hidden(id) {
        return None;
    }
    if matches!(arena.op(id), Op::Ones) {
        return Some(Spread { scalars: Vec::new(), factors: Vec::new(), ones: None });
    }
    let Op::Product { scalars, factors } = arena.op(id) else { return None };
    let ones = |f: &ExprId| matches!(arena.op(*f), Op::Ones);
    if factors.iter().all(ones) {
        return Some(Spread { scalars: scalars.to_vec(), factors: Vec::new(), ones: None });
    }
    let (first, last) = (factors.first()?, factors.last()?);
    if factors.len() < 2 {
        return None;
    }
    if ones(last) && arena.shape(*last).is_row() {
        return Some(Spread {
            scalars: scalars.to_vec(),
            factors: factors[..factors.len() - 1].to_vec(),
            ones: Some(*last),
        });
    }
    if ones(first) && arena.shape(*first).is_column() {
        return Some(Spread { scalars: scalars.to_vec(), factors: factors[1..].to_vec(), ones: Some(*first) });
    }
    None
}

//! Products of sums multiplied out, where terms then meet and cancel: (1 - y) .* s - y .* (1 - s) is s - y.

use crate::expr::{Arena, ExprId, Op};
use crate::number::Number;

/// More terms than this are not worth it.
const MOST: usize = 24;

/// The sum with the products in it multiplied out and like terms collected; `None` where there is nothing to multiply
/// out, or too much.
pub(super) fn expanded(arena: &mut Arena, terms: &[(Number, ExprId)]) -> Option<ExprId> {
    let mut open: Vec<(Number, ExprId)> = terms.iter().rev().copied().collect();
    let mut out: Vec<(Number, ExprId)> = Vec::new();
    let mut changed = false;
    let mut work = 0;
    while let Some((c, t)) = open.pop() {
        work += 1;
        if work > 4 * MOST || open.len() + out.len() > MOST {
            return None;
        }
        match parts(arena, t) {
            Some(parts) => {
                changed = true;
                open.extend(parts.into_iter().rev().map(|(d, p)| (c.times(d), p)));
            }
            None => out.push((c, t)),
        }
    }
    changed.then(|| arena.sum(&out))
}

/// The terms of one product, by the first sum in it.
fn parts(arena: &mut Arena, t: ExprId) -> Option<Vec<(Number, ExprId)>> {
    let sum_in = |arena: &Arena, list: &[ExprId]| {
        list.iter().position(|&f| {
            let (_, f) = arena.coefficient(f);
            let f = match arena.op(f) {
                Op::Transpose(inner) => *inner,
                _ => f,
            };
            matches!(arena.op(f), Op::Sum(terms) if terms.len() > 1)
        })
    };
    let over = |arena: &mut Arena, list: &[ExprId], at: usize, join: fn(&mut Arena, &[ExprId]) -> ExprId| {
        let mut list = list.to_vec();
        let mut out = Vec::new();
        for (c, term) in open_terms(arena, list[at]) {
            list[at] = term;
            out.push((c, join(arena, &list)));
        }
        out
    };
    match arena.op(t).clone() {
        Op::Sum(terms) => Some(terms.to_vec()),
        Op::Transpose(_) if sum_in(arena, &[t]).is_some() => Some(open_terms(arena, t)),
        Op::Product { scalars, factors } => {
            let all: Vec<ExprId> = scalars.iter().chain(factors.iter()).copied().collect();
            let at = sum_in(arena, &all)?;
            Some(over(arena, &all, at, |arena, list| arena.multiply(list)))
        }
        Op::Hadamard(list) => {
            let at = sum_in(arena, &list)?;
            Some(over(arena, &list, at, |arena, list| arena.hadamard(list)))
        }
        _ => None,
    }
}

/// The terms of a sum or of the transpose of one.
fn open_terms(arena: &mut Arena, id: ExprId) -> Vec<(Number, ExprId)> {
    let (c, inner) = arena.coefficient(id);
    let terms = match arena.op(inner).clone() {
        Op::Sum(terms) => terms.to_vec(),
        Op::Transpose(a) => {
            let (d, a) = arena.coefficient(a);
            let terms = arena.terms(a);
            terms.iter().map(|&(e, t)| (d.times(e), arena.transpose(t))).collect()
        }
        _ => vec![(Number::ONE, inner)],
    };
    terms.into_iter().map(|(d, t)| (c.times(d), t)).collect()
}

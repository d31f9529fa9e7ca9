//! Terms in one form: factors sorted with the summed indices numbered alike, equal terms added, terms that differ in one
//! factor joined in a sum. Terms come in and fewer go out; no index is contracted here.

use super::index::{Factor, Index, Term};
use crate::expr::substitute::tree_size;
use crate::expr::{Arena, ExprId, Op};
use crate::number::Number;

/// Whether a matrix is named by this one rather than by the other, which is its transpose.
pub(super) fn better(arena: &Arena, this: ExprId, other: ExprId) -> bool {
    let size = |id| tree_size(arena, id, 200);
    let (a, b) = (size(this), size(other));
    a < b || a == b && this < other
}

/// The most summed indices for which every order is tried.
const MOST_ORDERED: usize = 4;

/// The factors sorted, with the summed indices numbered so that the list is the first of all such; and those indices in
/// that order.
pub(super) fn in_one_order(factors: &[Factor], axes: usize, summed: &[Index]) -> (Vec<Factor>, Vec<Index>) {
    let numbered = |order: &[Index]| {
        let mut list: Vec<Factor> = factors
            .iter()
            .map(|f| {
                let at = f.at.iter().map(|&i| match order.iter().position(|&s| s == i) {
                    Some(place) => axes + place,
                    None => i,
                });
                Factor { expr: f.expr, at: at.collect() }
            })
            .collect();
        list.sort_unstable_by(|a, b| (a.at.iter().min(), &a.at, a.expr).cmp(&(b.at.iter().min(), &b.at, b.expr)));
        list
    };
    let mut best = (numbered(summed), summed.to_vec());
    if summed.len() > 1 && summed.len() <= MOST_ORDERED {
        for order in orders(summed) {
            let list = numbered(&order);
            if list < best.0 {
                best = (list, order);
            }
        }
    }
    best
}

/// All orders of a short list.
fn orders(list: &[Index]) -> Vec<Vec<Index>> {
    let mut out: Vec<Vec<Index>> = vec![Vec::new()];
    for &item in list {
        let mut next = Vec::new();
        for order in &out {
            for place in 0..=order.len() {
                let mut longer = order.clone();
                longer.insert(place, item);
                next.push(longer);
            }
        }
        out = next;
    }
    out
}

/// Equal terms added; terms that differ in one factor with the same indices joined in the sum of those factors.
pub(super) fn collected(arena: &mut Arena, terms: Vec<Term>) -> Vec<Term> {
    let mut out: Vec<Term> = Vec::with_capacity(terms.len());
    for term in terms {
        let same = |t: &&mut Term| t.factors == term.factors && t.deltas == term.deltas && t.summed == term.summed;
        match out.iter_mut().find(same) {
            Some(t) => t.coefficient = arena.add(t.coefficient, term.coefficient),
            None => out.push(term),
        }
    }
    out.retain(|t| !arena.is_zero(t.coefficient));
    while let Some((a, b, joined)) = pair_to_join(arena, &out) {
        out.remove(b);
        out[a] = joined;
    }
    out
}

/// Two terms that are one with a sum in it.
fn pair_to_join(arena: &mut Arena, terms: &[Term]) -> Option<(usize, usize, Term)> {
    for a in 0..terms.len() {
        for b in a + 1..terms.len() {
            let (x, y) = (&terms[a], &terms[b]);
            let fits = x.deltas == y.deltas && x.summed == y.summed && x.factors.len() == y.factors.len();
            if !fits || x.factors.is_empty() {
                continue;
            }
            let only_here: Vec<&Factor> = x.factors.iter().filter(|f| !y.factors.contains(f)).collect();
            let only_there: Vec<&Factor> = y.factors.iter().filter(|f| !x.factors.contains(f)).collect();
            let ([f], [g]) = (&only_here[..], &only_there[..]) else { continue };
            let turned: Vec<Index> = g.at.iter().rev().copied().collect();
            if f.at != g.at && f.at != turned {
                continue;
            }
            let (split_x, split_y) = (number_of(arena, x.coefficient), number_of(arena, y.coefficient));
            if split_x.1 != split_y.1 {
                continue;
            }
            let mut other = g.expr;
            if arena.shape(other) != arena.shape(f.expr) || f.at.len() == 2 && f.at != g.at {
                other = arena.transpose(other);
            }
            let sum = arena.sum(&[(split_x.0, f.expr), (split_y.0, other)]);
            let (c, sum) = arena.coefficient(sum);
            let coefficient = arena.scale(c, split_x.1);
            let mut joined = x.clone();
            joined.coefficient = coefficient;
            let place = x.factors.iter().position(|h| h == *f)?;
            joined.factors[place].expr = sum;
            return Some((a, b, joined));
        }
    }
    None
}

/// A scalar as a number times what is left.
fn number_of(arena: &mut Arena, scalar: ExprId) -> (Number, ExprId) {
    match arena.op(scalar) {
        Op::Number(k) => (*k, arena.integer(1)),
        _ => arena.coefficient(scalar),
    }
}

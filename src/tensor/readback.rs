//! Entries read back as a matrix: the graph of a term's indices comes in, and where it is that of a product, a Hadamard
//! product, a diagonal, an outer or a Kronecker product, the matrix goes out: the Jacobian itself where it has two axes, its
//! form for vec column by column where it has more. Nothing where a term has no such form.

use super::constants::{commutation, kron};
use super::index::{Entries, Factor, Index, Term};
use super::piece::vec;
use crate::calculus::NotCovered;
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, ExprId};
use crate::number::Number;

/// The matrix with vec(dY) = matrix·vec(dX); `None` where a term has no such form.
///
/// # Errors
/// Sizes too large to be counted.
pub fn matrix(arena: &mut Arena, entries: &Entries) -> Result<Option<ExprId>, NotCovered> {
    let mut sum = Vec::with_capacity(entries.terms.len());
    for term in &entries.terms {
        let Some(matrix) = of_term(arena, entries, term)? else { return Ok(None) };
        sum.push((Number::ONE, arena.multiply(&[term.coefficient, matrix])));
    }
    Ok(if sum.is_empty() { None } else { Some(arena.sum(&sum)) })
}

/// Factors of a term by where their indices stand.
struct Places<'a> {
    entries: &'a Entries,
    /// The first axis that each axis equals.
    class: Vec<Index>,
    left: Vec<Factor>,
}

impl Places<'_> {
    fn axis(&self, i: Option<Index>) -> Option<Index> {
        i.map(|i| self.class[i])
    }

    /// Takes out what stands between two axes: the Hadamard product of the matrices there.
    fn between(&mut self, arena: &mut Arena, i: Option<Index>, j: Option<Index>) -> Option<ExprId> {
        let (i, j) = (self.axis(i)?, self.axis(j)?);
        if i == j {
            return None;
        }
        let mut found: Option<ExprId> = None;
        let mut k = 0;
        while k < self.left.len() {
            let turned = self.left[k].at == [j, i];
            if !turned && self.left[k].at != [i, j] {
                k += 1;
                continue;
            }
            let factor = self.left.remove(k);
            let own = if turned { arena.transpose(factor.expr) } else { factor.expr };
            found = Some(match found {
                Some(other) => arena.hadamard(&[other, own]),
                None => own,
            });
        }
        found
    }

    /// Takes out the vectors of an axis, as a column.
    fn along(&mut self, arena: &mut Arena, i: Option<Index>) -> Option<ExprId> {
        let i = self.axis(i)?;
        let mut found: Option<ExprId> = None;
        while let Some(k) = self.left.iter().position(|f| f.at == [i]) {
            let factor = self.left.remove(k);
            let own = if arena.shape(factor.expr).is_row() { arena.transpose(factor.expr) } else { factor.expr };
            found = Some(match found {
                Some(other) => arena.hadamard(&[other, own]),
                None => own,
            });
        }
        found
    }

    fn same(&self, i: Option<Index>, j: Option<Index>) -> bool {
        matches!((self.axis(i), self.axis(j)), (Some(i), Some(j)) if i == j)
    }

    /// The size of an axis; 1 for none.
    fn size(&self, i: Option<Index>) -> DimId {
        i.map_or(DimId::ONE, |i| self.entries.axes[i])
    }

    /// The matrix that two axes have between them: from matrices, from vectors of either, from a delta, else ones; and
    /// whether one depends on the other at all.
    fn block(&mut self, arena: &mut Arena, i: Option<Index>, k: Option<Index>) -> (ExprId, bool) {
        let matrix = self.between(arena, i, k);
        let (rows, columns) = (self.size(i), self.size(k));
        if self.same(i, k) {
            let vector = self.along(arena, i);
            let diagonal = match vector {
                Some(vector) => arena.diagonal(vector),
                None => arena.identity(rows),
            };
            return (diagonal, true);
        }
        let (u, v) = (self.along(arena, i), self.along(arena, k));
        match matrix {
            Some(matrix) => {
                let mut operands = Vec::with_capacity(3);
                operands.extend(u.map(|u| arena.diagonal(u)));
                operands.push(matrix);
                operands.extend(v.map(|v| arena.diagonal(v)));
                (arena.multiply(&operands), true)
            }
            None => {
                let u = u.unwrap_or_else(|| arena.ones_column(rows));
                let v = match v {
                    Some(v) => arena.transpose(v),
                    None => arena.ones_row(columns),
                };
                (arena.multiply(&[u, v]), false)
            }
        }
    }
}

fn of_term(arena: &mut Arena, entries: &Entries, term: &Term) -> Result<Option<ExprId>, NotCovered> {
    let mut class: Vec<Index> = (0..entries.axes.len()).collect();
    for &(first, other) in &term.deltas {
        class[other] = first;
    }
    let left = chains_between(arena, &term.factors, entries.axes.len());
    let mut places = Places { entries, class, left };
    let axis = |range: std::ops::Range<usize>, place: usize| range.clone().nth(place);
    let (rows, all) = (entries.rows, entries.axes.len());
    let (i, j, k, l) = (axis(0..rows, 0), axis(0..rows, 1), axis(rows..all, 0), axis(rows..all, 1));
    // Three or four axes that are one have no product form.
    let firsts = places.class.iter().enumerate().filter(|&(own, first)| own != *first).map(|(_, &first)| first);
    let firsts: Vec<Index> = firsts.collect();
    if firsts.len() > 2 || firsts.len() == 2 && firsts[0] == firsts[1] || places.same(i, j) || places.same(k, l) {
        return Ok(None);
    }
    let (above, below) = (places.between(arena, i, j), places.between(arena, k, l));
    let crossing = |p: &Places<'_>, i: Option<Index>, k: Option<Index>| {
        let at = (p.axis(i), p.axis(k));
        let (Some(a), Some(b)) = at else { return false };
        a == b || p.left.iter().any(|f| f.at == [a, b] || f.at == [b, a])
    };
    let straight = crossing(&places, i, k) || crossing(&places, j, l);
    let crossed = crossing(&places, i, l) || crossing(&places, j, k);
    if straight && crossed {
        return Ok(None);
    }
    // Of a matrix by a vector, or the other way round, the one axis pairs with either.
    let (inner, outer) = if crossed { ((i, l), (j, k)) } else { ((i, k), (j, l)) };
    let (m, first) = places.block(arena, inner.0, inner.1);
    let (n, second) = places.block(arena, outer.0, outer.1);
    if !places.left.is_empty() {
        return Ok(None);
    }
    if !first && !second {
        return Ok(Some(outer_product(arena, &places, (above, below), (m, n), crossed)));
    }
    let mut operands = Vec::with_capacity(4);
    if let Some(above) = above {
        let stacked = vec(arena, above);
        operands.push(arena.diagonal(stacked));
    }
    let four = j.is_some() && l.is_some();
    // A vector by a matrix: in vec(dX) the row index is the fast one, whichever of the two the other axis pairs with.
    let turned = crossed && l.is_some() && !four;
    operands.push(if turned { whole(arena, m, n)? } else { whole(arena, n, m)? });
    if crossed && four {
        operands.push(commutation(arena, Shape::new(places.size(k), places.size(l)))?);
    }
    if let Some(below) = below {
        let stacked = vec(arena, below);
        operands.push(arena.diagonal(stacked));
    }
    Ok(Some(arena.multiply(&operands)))
}

/// n ⊗ m, of two identities the larger one.
fn whole(arena: &mut Arena, n: ExprId, m: ExprId) -> Result<ExprId, NotCovered> {
    let identity = |arena: &Arena, a: ExprId| matches!(arena.op(a), crate::expr::Op::Identity);
    if identity(arena, n) && identity(arena, m) {
        let (rows, columns) = (arena.shape(m).rows, arena.shape(n).rows);
        let size = super::constants::times(arena, rows, columns)?;
        return Ok(arena.identity(size));
    }
    Ok(kron(arena, n, m))
}

/// vec(H)·vec(G)ᵀ: what depends on the rows alone times what depends on the columns alone.
fn outer_product(
    arena: &mut Arena,
    places: &Places<'_>,
    (above, below): (Option<ExprId>, Option<ExprId>),
    (m, n): (ExprId, ExprId),
    crossed: bool,
) -> ExprId {
    debug_assert!(!crossed, "what is crossed has a matrix between its axes");
    let (rows, all) = (places.entries.rows, places.entries.axes.len());
    // m = u·vᵀ and n = x·yᵀ: the entries of u·xᵀ and of v·yᵀ, where a missing axis has length 1.
    let ((u, v), (x, y)) = (rank_one(arena, m), rank_one(arena, n));
    let part = |arena: &mut Arena, first: ExprId, second: ExprId, by: Option<ExprId>| {
        let turned = arena.transpose(second);
        let own = arena.multiply(&[first, turned]);
        match by {
            Some(by) => arena.times(own, by),
            None => own,
        }
    };
    let (left, right) = (part(arena, u, x, above), part(arena, v, y, below));
    let (left, right) = (vec(arena, left), vec(arena, right));
    debug_assert!(rows <= all);
    let turned = arena.transpose(right);
    arena.multiply(&[left, turned])
}

/// A product u·vᵀ as (u, v), each a column.
fn rank_one(arena: &mut Arena, a: ExprId) -> (ExprId, ExprId) {
    let shape = arena.shape(a);
    let one = arena.integer(1);
    if shape.columns == DimId::ONE {
        return (a, one);
    }
    if shape.rows == DimId::ONE {
        return (one, arena.transpose(a));
    }
    let (c, inner) = arena.coefficient(a);
    let (s, inner) = arena.split_scalars(inner);
    let crate::expr::Op::Product { factors, .. } = arena.op(inner).clone() else {
        unreachable!("a block without a matrix between its axes is an outer product")
    };
    let cut = (1..factors.len()).find(|&i| arena.shape(factors[i]).rows == DimId::ONE).unwrap_or(1);
    let (left, right) = (arena.multiply(&factors[..cut]), arena.multiply(&factors[cut..]));
    let left = arena.multiply(&[s, left]);
    let left = arena.scale(c, left);
    (left, arena.transpose(right))
}

/// The factors, with each summed index that stands in two matrices and any vectors contracted: B·diag(d)·A.
fn chains_between(arena: &mut Arena, factors: &[Factor], axes: usize) -> Vec<Factor> {
    let mut list = factors.to_vec();
    loop {
        let mut next: Option<Index> = None;
        for factor in &list {
            for &i in factor.at.iter().filter(|&&i| i >= axes) {
                let matrices = list.iter().filter(|f| f.at.len() == 2 && f.at.contains(&i)).count();
                if matrices == 2 && next.is_none() {
                    next = Some(i);
                }
            }
        }
        let Some(index) = next else { return list };
        let (own, rest): (Vec<Factor>, Vec<Factor>) = list.into_iter().partition(|f| f.at.contains(&index));
        list = rest;
        let (mut chain, mut at): (Vec<ExprId>, Vec<Index>) = (Vec::new(), Vec::new());
        let (vectors, matrices): (Vec<Factor>, Vec<Factor>) = own.into_iter().partition(|f| f.at.len() == 1);
        let mut diagonals = Vec::new();
        for vector in vectors {
            diagonals.push(arena.diagonal(vector.expr));
        }
        for (place, matrix) in matrices.into_iter().enumerate() {
            // The first with the index as its column, the second with it as its row.
            let fits = matrix.at[1 - place] == index;
            at.push(if fits { matrix.at[place] } else { matrix.at[1 - place] });
            chain.push(if fits { matrix.expr } else { arena.transpose(matrix.expr) });
        }
        chain.splice(1..1, diagonals);
        let product = arena.multiply(&chain);
        if at[0] == at[1] {
            let diagonal = arena.diagonal(product);
            list.push(Factor { expr: diagonal, at: vec![at[0]] });
        } else {
            list.push(Factor { expr: product, at });
        }
    }
}

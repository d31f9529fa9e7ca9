//! Constant matrices of zeros and ones that act on vec, as expressions of the language: transposing, taking rows and
//! columns out of a stacked index, diagonals, half-vectorisation. Sizes come in, expressions go out; nothing is derived.

use crate::calculus::NotCovered;
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, Axis, ExprId, NameKind};
use crate::functions::Function;
use crate::syntax::ast::Comparison;

/// m·n, or an error where that is no dimension any more.
pub fn times(arena: &mut Arena, m: DimId, n: DimId) -> Result<DimId, NotCovered> {
    arena
        .dimensions
        .product(m, n)
        .ok_or_else(|| NotCovered { message: "the derivative has more entries than can be counted".to_owned() })
}

/// a ⊗ b, where either may be 1×1.
pub fn kron(arena: &mut Arena, a: ExprId, b: ExprId) -> ExprId {
    let one = |arena: &Arena, x: ExprId| arena.shape(x).is_scalar();
    if one(arena, a) || one(arena, b) {
        return arena.multiply(&[a, b]);
    }
    arena.call(Function::Kron, Axis::All, &[a, b])
}

/// The commutation matrix K with vec(Aᵀ) = K·vec(A) for A of that shape, by its name K_m_n: the entries of vec(I_m)⊗I_n in
/// another shape (Magnus and Neudecker, ch. 3.7).
pub fn commutation(arena: &mut Arena, of: Shape) -> Result<ExprId, NotCovered> {
    let all = times(arena, of.rows, of.columns)?;
    let identity = arena.identity(of.rows);
    let stacked = arena.call(Function::Vec, Axis::All, &[identity]);
    let other = arena.identity(of.columns);
    let product = kron(arena, stacked, other);
    let body = arena.reshape(product, Shape::new(all, all));
    if let Some(i) = arena.all_named().iter().position(|n| n.kind == NameKind::Adjoint && n.body == body) {
        return Ok(arena.named_node(i));
    }
    // K_m_n, where both sizes are names or numbers.
    let sizes = [of.rows, of.columns].map(|d| arena.dimensions.text(d));
    let words = sizes.iter().all(|text| text.chars().all(char::is_alphanumeric));
    let base = if words { format!("K_{}", sizes.join("_")) } else { "K".to_owned() };
    let name = arena.unused_name(&base);
    Ok(arena.name(name, body, NameKind::Adjoint))
}

/// R with R[p, i] = 1 where entry p of vec(A) stands in row i of A: 1_n ⊗ I_m.
pub fn row_of(arena: &mut Arena, of: Shape) -> ExprId {
    let (ones, identity) = (arena.ones_column(of.columns), arena.identity(of.rows));
    kron(arena, ones, identity)
}

/// C with C[p, j] = 1 where entry p of vec(A) stands in column j of A: I_n ⊗ 1_m.
pub fn column_of(arena: &mut Arena, of: Shape) -> ExprId {
    let (identity, ones) = (arena.identity(of.columns), arena.ones_column(of.rows));
    kron(arena, identity, ones)
}

/// E with vec(diag(v)) = E·v for v of n entries.
pub fn embedding(arena: &mut Arena, n: DimId) -> ExprId {
    let square = Shape::new(n, n);
    let (rows, columns) = (row_of(arena, square), column_of(arena, square));
    arena.hadamard(&[rows, columns])
}

/// R and C for the entries of vech(A) with A square of n rows: R[p, i] = 1 where entry p stands in row i of A, C[p, j]
/// likewise for its column. The numbers 1 … n, put through vech, are compared with 1 … n.
pub fn places_of_half(arena: &mut Arena, n: DimId, length: DimId) -> (ExprId, ExprId) {
    let ones = arena.ones(Shape::new(n, n));
    let lower = arena.call(Function::Tril, Axis::All, &[ones]);
    let (column, row) = (arena.ones_column(n), arena.ones_row(n));
    let counted = arena.multiply(&[lower, column]);
    let counted_row = arena.transpose(counted);
    let long = arena.ones_column(length);
    let numbers = arena.multiply(&[long, counted_row]);
    let mut places = |rows_or_columns: &[ExprId]| {
        let square = arena.multiply(rows_or_columns);
        let taken = arena.linear_call(Function::Vech, square, Shape::column(length));
        let repeated = arena.multiply(&[taken, row]);
        arena.compare(Comparison::Equal, repeated, numbers)
    };
    (places(&[counted, row]), places(&[column, counted_row]))
}

/// S with vech(A) = S·vec(A) for a square A of n rows: row p of C⊗1ᵀ times row p of 1ᵀ⊗R.
pub fn half(arena: &mut Arena, n: DimId, length: DimId) -> ExprId {
    let (rows, columns) = places_of_half(arena, n, length);
    let ones = arena.ones_row(n);
    let (slow, fast) = (kron(arena, columns, ones), kron(arena, ones, rows));
    arena.hadamard(&[slow, fast])
}

/// [0; I; 0]: the rows of a stack of blocks with these heights that belong to block i.
pub fn block(arena: &mut Arena, sizes: &[DimId], i: usize) -> ExprId {
    let width = sizes[i];
    let mut parts = Vec::with_capacity(3);
    for (list, own) in [(&sizes[..i], false), (&sizes[i..=i], true), (&sizes[i + 1..], false)] {
        let Some((&first, rest)) = list.split_first() else { continue };
        let height = rest.iter().fold(first, |sum, &n| arena.dimensions.sum(sum, n).expect("a part of a shape in use"));
        let part = if own { arena.identity(width) } else { arena.zeros(Shape::new(height, width)) };
        parts.push(part);
    }
    arena.vertical(&parts)
}

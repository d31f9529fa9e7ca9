//! Constant matrices of zeros and ones that act on vec, as expressions of the language: transposing, taking rows and
//! columns out of a stacked index, diagonals, half-vectorisation. Sizes come in, expressions go out; nothing is derived.

use crate::calculus::NotCovered;
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, Axis, ExprId, NameKind, Op};
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
    Ok(named(arena, "K", &[of.rows, of.columns], body))
}

/// A constant matrix by its name: a letter and its sizes, where those are names or numbers.
fn named(arena: &mut Arena, letter: &str, sizes: &[DimId], body: ExprId) -> ExprId {
    if let Some(i) = arena.all_named().iter().position(|n| n.kind == NameKind::Adjoint && n.body == body) {
        return arena.named_node(i);
    }
    let sizes: Vec<String> = sizes.iter().map(|&d| arena.dimensions.text(d)).collect();
    let words = sizes.iter().all(|text| text.chars().all(char::is_alphanumeric));
    let base = if words { format!("{letter}_{}", sizes.join("_")) } else { letter.to_owned() };
    let name = arena.unused_name(&base);
    arena.name(name, body, NameKind::Adjoint)
}

/// What a named constant matrix does, in words for a reader; nothing for any other expression.
pub fn meaning(arena: &Arena, name: &str, body: ExprId) -> Option<String> {
    let places = |id: ExprId| match arena.op(id) {
        Op::Call(Function::Kron, _, arguments) => {
            arguments.iter().any(|&a| matches!(arena.op(a), Op::Ones))
                && arguments.iter().any(|&a| matches!(arena.op(a), Op::Identity | Op::Compare(..)))
        }
        _ => false,
    };
    match arena.op(body) {
        Op::Reshape(inner) if matches!(arena.op(*inner), Op::Call(Function::Kron, ..)) => {
            Some(format!("{name} is the commutation matrix: vec(A') = {name}*vec(A)"))
        }
        Op::Hadamard(list) if list.len() == 2 && list.iter().all(|&f| places(f)) => {
            let compares = |id: &ExprId| match arena.op(*id) {
                Op::Call(_, _, arguments) => arguments.iter().any(|&a| matches!(arena.op(a), Op::Compare(..))),
                _ => false,
            };
            Some(match list.iter().any(compares) {
                true => format!("{name} is the elimination matrix: vech(A) = {name}*vec(A)"),
                false => format!("{name} places a diagonal: vec(diag(v)) = {name}*v"),
            })
        }
        _ => None,
    }
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

/// E with vec(diag(v)) = E·v for v of n entries, by its name E_n.
pub fn embedding(arena: &mut Arena, n: DimId) -> ExprId {
    let square = Shape::new(n, n);
    let (rows, columns) = (row_of(arena, square), column_of(arena, square));
    let body = arena.hadamard(&[rows, columns]);
    named(arena, "E", &[n], body)
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

/// L with vech(A) = L·vec(A) for a square A of n rows, by its name L_n: row p of C⊗1ᵀ times row p of 1ᵀ⊗R (Magnus and
/// Neudecker, ch. 3.8, call such a matrix an elimination matrix).
pub fn half(arena: &mut Arena, n: DimId, length: DimId) -> ExprId {
    let (rows, columns) = places_of_half(arena, n, length);
    let ones = arena.ones_row(n);
    let (slow, fast) = (kron(arena, columns, ones), kron(arena, ones, rows));
    let body = arena.hadamard(&[slow, fast]);
    named(arena, "L", &[n], body)
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

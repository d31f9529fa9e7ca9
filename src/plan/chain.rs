//! Chains of matrix products: factors come in, their product comes out as values of the graph, multiplied in the order of the
//! fewest operations (dynamic programming; Cormen et al., Introduction to Algorithms, 15.2). Ones cut a chain into sums of
//! rows and columns, a diagonal factor scales rows or columns, a trace never forms its last product.

use super::PlanError;
use super::graph::{Direction, Elementary, Reduction, Use};
use super::lower::{Lowering, Operand};
use crate::eval::Reference;
use crate::expr::{Axis, ExprId};
use crate::functions::Function;

/// Chains longer than this are multiplied from the cheaper end: the search grows with the cube of the length.
const LONGEST_SEARCHED: usize = 24;

/// A factor of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Factor {
    /// A value, perhaps repeated.
    Plain(Operand),
    /// The diagonal matrix of a column.
    Diagonal(Use),
    /// Ones of that shape.
    Ones(usize, usize),
}

/// A factor that is no ones.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Plain(Use),
    Diagonal(Use),
}

/// A chain cut at its ones: first · 1·1ᵀ · … · 1·1ᵀ · last.
struct Cut {
    pieces: Vec<Piece>,
    /// Numbers that scale the whole: those of factors that are one number repeated.
    scalars: Vec<Use>,
}

/// Factors between ones.
#[derive(Clone, Debug, Default)]
struct Piece {
    parts: Vec<Part>,
    /// How many ones stand before it, which counts where the piece is empty.
    ones: usize,
}

/// The product of the factors; smaller than its shape where it is repeated.
pub(super) fn product(lowering: &mut Lowering<'_>, factors: &[ExprId]) -> Result<Use, PlanError> {
    let cut = cut(lowering, factors)?;
    let Cut { mut pieces, scalars } = cut;
    let mut out = if pieces.len() == 1 {
        multiply(lowering, &pieces[0].parts)
    } else {
        let last = pieces.pop().unwrap_or_default();
        let mut pieces = pieces.into_iter();
        let first = pieces.next().unwrap_or_default();
        let left = row_sums(lowering, &first.parts);
        let right = column_sums(lowering, &last.parts);
        let mut out = match (left, right) {
            (Some(left), Some(right)) => lowering.graph.map(Elementary::Multiply, &[left, right]),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => lowering.graph.constant(1.0),
        };
        for piece in pieces {
            let sum = sum_of(lowering, &piece);
            out = lowering.graph.map(Elementary::Multiply, &[sum, out]);
        }
        out
    };
    for scalar in scalars {
        out = lowering.graph.map(Elementary::Multiply, &[scalar, out]);
    }
    Ok(out)
}

/// 1ᵀ·piece·1
fn sum_of(lowering: &mut Lowering<'_>, piece: &Piece) -> Use {
    if let &[Part::Plain(of)] = piece.parts.as_slice() {
        return lowering.graph.reduce(Reduction::Sum, Direction::All, of);
    }
    match row_sums(lowering, &piece.parts) {
        Some(sums) => lowering.graph.reduce(Reduction::Sum, Direction::All, sums),
        None => lowering.graph.constant(piece.ones as f64),
    }
}

/// The trace of the product.
pub(super) fn trace(lowering: &mut Lowering<'_>, factors: &[ExprId]) -> Result<Use, PlanError> {
    let cut = cut(lowering, factors)?;
    let Cut { mut pieces, scalars } = cut;
    let mut out = if pieces.len() > 1 {
        // tr(A·1·1ᵀ·B) is 1ᵀ·B·A·1.
        let mut last = pieces.pop().unwrap_or_default();
        last.parts.append(&mut pieces[0].parts);
        pieces[0] = last;
        let mut out = lowering.graph.constant(1.0);
        for piece in pieces {
            let sum = sum_of(lowering, &piece);
            out = lowering.graph.map(Elementary::Multiply, &[sum, out]);
        }
        out
    } else {
        trace_of(lowering, &pieces[0].parts)
    };
    for scalar in scalars {
        out = lowering.graph.map(Elementary::Multiply, &[scalar, out]);
    }
    Ok(out)
}

/// The diagonal of a square product, a column.
pub(super) fn diagonal(lowering: &mut Lowering<'_>, factors: &[ExprId]) -> Result<Use, PlanError> {
    let cut = cut(lowering, factors)?;
    let one_piece = cut.pieces.len() == 1;
    let mut parts = cut.pieces[0].parts.clone();
    let plain = |part: &Part| matches!(part, Part::Plain(_));
    if one_piece && parts.len() >= 2 && cut.scalars.is_empty() && plain(&parts[0]) {
        let rest = parts.split_off(1);
        let (Part::Plain(first), rest) = (parts[0], multiply(lowering, &rest)) else { unreachable!("looked at above") };
        let products = lowering.graph.map(Elementary::Multiply, &[first, rest.turned()]);
        return Ok(lowering.graph.reduce(Reduction::Sum, Direction::Rows, products));
    }
    let whole = product(lowering, factors)?;
    let n = rows_of(lowering, factors)?;
    let whole = lowering.in_full(Operand { of: whole, rows: n, columns: n });
    Ok(diagonal_of(lowering, whole))
}

fn rows_of(lowering: &mut Lowering<'_>, factors: &[ExprId]) -> Result<usize, PlanError> {
    Ok(match lowering.factor(factors[0])? {
        Factor::Plain(operand) => operand.rows,
        Factor::Diagonal(vector) => lowering.graph.use_shape(vector).0,
        Factor::Ones(rows, _) => rows,
    })
}

fn diagonal_of(lowering: &mut Lowering<'_>, square: Use) -> Use {
    let n = lowering.graph.use_shape(square).0;
    if n == 1 {
        return square;
    }
    lowering.graph.reference(Reference::Call(Function::Diag, Axis::All), &[square], n, 1)
}

fn cut(lowering: &mut Lowering<'_>, factors: &[ExprId]) -> Result<Cut, PlanError> {
    let mut out = Cut { pieces: vec![Piece::default()], scalars: Vec::new() };
    for &id in factors {
        let factor = lowering.factor(id)?;
        let piece = out.pieces.last_mut().expect("a chain has a piece");
        match factor {
            Factor::Diagonal(vector) => piece.parts.push(Part::Diagonal(vector)),
            Factor::Ones(_, columns) => out.pieces.push(Piece { parts: Vec::new(), ones: columns }),
            Factor::Plain(Operand { of, rows, columns }) => match lowering.graph.use_shape(of) {
                shape if shape == (rows, columns) => piece.parts.push(Part::Plain(of)),
                (1, 1) => {
                    out.scalars.push(of);
                    out.pieces.push(Piece { parts: Vec::new(), ones: columns });
                }
                // 1·row
                (1, _) => out.pieces.push(Piece { parts: vec![Part::Plain(of)], ones: 1 }),
                // column·1ᵀ
                _ => {
                    piece.parts.push(Part::Plain(of));
                    out.pieces.push(Piece { parts: Vec::new(), ones: columns });
                }
            },
        }
    }
    Ok(out)
}

/// piece·1, a column; `None` where the piece is empty: ones.
fn row_sums(lowering: &mut Lowering<'_>, piece: &[Part]) -> Option<Use> {
    let (&last, rest) = piece.split_last()?;
    let mut vector = match last {
        Part::Plain(of) => lowering.graph.reduce(Reduction::Sum, Direction::Rows, of),
        Part::Diagonal(vector) => vector,
    };
    for &part in rest.iter().rev() {
        vector = join(lowering, part, Part::Plain(vector)).0;
    }
    Some(vector)
}

/// 1ᵀ·piece, a row; `None` where the piece is empty: ones.
fn column_sums(lowering: &mut Lowering<'_>, piece: &[Part]) -> Option<Use> {
    let (&first, rest) = piece.split_first()?;
    let mut vector = match first {
        Part::Plain(of) => lowering.graph.reduce(Reduction::Sum, Direction::Columns, of),
        Part::Diagonal(vector) => vector.turned(),
    };
    for &part in rest {
        vector = join(lowering, Part::Plain(vector), part).0;
    }
    Some(vector)
}

/// The product of two parts, and whether it is the vector of a diagonal matrix.
fn join(lowering: &mut Lowering<'_>, left: Part, right: Part) -> (Use, bool) {
    let graph = &mut lowering.graph;
    match (left, right) {
        (Part::Plain(a), Part::Plain(b)) => (graph.product(a, b), false),
        (Part::Diagonal(d), Part::Plain(b)) => (graph.map(Elementary::Multiply, &[d, b]), false),
        (Part::Plain(a), Part::Diagonal(d)) => (graph.map(Elementary::Multiply, &[a, d.turned()]), false),
        (Part::Diagonal(d), Part::Diagonal(e)) => (graph.map(Elementary::Multiply, &[d, e]), true),
    }
}

fn joined(lowering: &mut Lowering<'_>, left: Part, right: Part) -> Part {
    match join(lowering, left, right) {
        (vector, true) => Part::Diagonal(vector),
        (of, false) => Part::Plain(of),
    }
}

fn shape(lowering: &Lowering<'_>, part: Part) -> (usize, usize) {
    match part {
        Part::Plain(of) => lowering.graph.use_shape(of),
        Part::Diagonal(vector) => {
            let n = lowering.graph.use_shape(vector).0;
            (n, n)
        }
    }
}

/// The product of parts, written out.
fn multiply(lowering: &mut Lowering<'_>, parts: &[Part]) -> Use {
    match multiply_parts(lowering, parts) {
        Part::Plain(of) => of,
        Part::Diagonal(vector) => {
            let n = lowering.graph.use_shape(vector).0;
            lowering.graph.reference(Reference::Call(Function::Diag, Axis::All), &[vector], n, n)
        }
    }
}

fn multiply_parts(lowering: &mut Lowering<'_>, parts: &[Part]) -> Part {
    match *parts {
        [one] => one,
        [a, b] => joined(lowering, a, b),
        _ if parts.len() > LONGEST_SEARCHED => from_the_cheaper_end(lowering, parts),
        _ => {
            let (_, splits) = best_splits(lowering, parts);
            by_splits(lowering, parts, &splits, 0, parts.len())
        }
    }
}

/// The cost of the cheapest order, and the first part of the right side for each range [from, to), at from·(n+1)+to.
fn best_splits(lowering: &Lowering<'_>, parts: &[Part]) -> (f64, Vec<usize>) {
    let n = parts.len();
    let shapes: Vec<(usize, usize)> = parts.iter().map(|&part| shape(lowering, part)).collect();
    let is_diagonal = |i: usize| matches!(parts[i], Part::Diagonal(_));
    let mut costs = vec![0.0; (n + 1) * (n + 1)];
    let mut splits = vec![0; (n + 1) * (n + 1)];
    for length in 2..=n {
        for from in 0..=n - length {
            let to = from + length;
            let mut best = f64::INFINITY;
            for split in from + 1..to {
                let (m, k, columns) = (shapes[from].0 as f64, shapes[split].0 as f64, shapes[to - 1].1 as f64);
                let left_diagonal = (from..split).all(is_diagonal);
                let right_diagonal = (split..to).all(is_diagonal);
                let known = match (length, parts[from], parts[to - 1]) {
                    (2, Part::Plain(a), Part::Plain(b)) => lowering.graph.has_product(a, b),
                    _ => false,
                };
                let own = match (left_diagonal, right_diagonal) {
                    (true, true) => m,
                    (true, false) | (false, true) => m * columns,
                    _ if known => 0.0,
                    _ => m * k * columns,
                };
                let this = costs[from * (n + 1) + split] + costs[split * (n + 1) + to] + own;
                if this < best {
                    best = this;
                    splits[from * (n + 1) + to] = split;
                }
            }
            costs[from * (n + 1) + to] = best;
        }
    }
    (costs[n], splits)
}

/// At most [`LONGEST_SEARCHED`] calls deep.
fn by_splits(lowering: &mut Lowering<'_>, parts: &[Part], splits: &[usize], from: usize, to: usize) -> Part {
    if to == from + 1 {
        return parts[from];
    }
    let split = splits[from * (parts.len() + 1) + to];
    let left = by_splits(lowering, parts, splits, from, split);
    let right = by_splits(lowering, parts, splits, split, to);
    joined(lowering, left, right)
}

fn from_the_cheaper_end(lowering: &mut Lowering<'_>, parts: &[Part]) -> Part {
    let (rows, columns) = (shape(lowering, parts[0]).0, shape(lowering, parts[parts.len() - 1]).1);
    if rows <= columns {
        let mut out = parts[0];
        for &part in &parts[1..] {
            out = joined(lowering, out, part);
        }
        out
    } else {
        let mut out = parts[parts.len() - 1];
        for &part in parts[..parts.len() - 1].iter().rev() {
            out = joined(lowering, part, out);
        }
        out
    }
}

/// tr(A·R) as Σ Aᵀ .* R, with the rotation that makes R cheapest.
fn trace_of(lowering: &mut Lowering<'_>, parts: &[Part]) -> Use {
    let n = parts.len();
    if parts.iter().all(|part| matches!(part, Part::Diagonal(_))) {
        let Part::Diagonal(vector) = multiply_parts(lowering, parts) else {
            unreachable!("diagonal matrices have a diagonal product")
        };
        return lowering.graph.reduce(Reduction::Sum, Direction::All, vector);
    }
    let mut best: Option<(f64, Vec<Part>)> = None;
    for first in 0..n {
        if !matches!(parts[first], Part::Plain(_)) {
            continue;
        }
        let rotated: Vec<Part> = parts[first..].iter().chain(&parts[..first]).copied().collect();
        let cost = if n <= LONGEST_SEARCHED { best_splits(lowering, &rotated[1..]).0 } else { 0.0 };
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, rotated));
        }
    }
    let (_, rotated) = best.expect("one part is not diagonal");
    let Part::Plain(first) = rotated[0] else { unreachable!("chosen above") };
    let (rows, columns) = lowering.graph.use_shape(first);
    let products = match rotated[1..] {
        [] => return sum_of_diagonal(lowering, first),
        [Part::Diagonal(vector)] => {
            let diagonal = diagonal_of(lowering, first);
            lowering.graph.map(Elementary::Multiply, &[vector, diagonal])
        }
        _ => {
            let rest = multiply(lowering, &rotated[1..]);
            debug_assert_eq!(lowering.graph.use_shape(rest), (columns, rows), "the rest closes the circle");
            lowering.graph.map(Elementary::Multiply, &[first.turned(), rest])
        }
    };
    lowering.graph.reduce(Reduction::Sum, Direction::All, products)
}

fn sum_of_diagonal(lowering: &mut Lowering<'_>, square: Use) -> Use {
    let diagonal = diagonal_of(lowering, square);
    lowering.graph.reduce(Reduction::Sum, Direction::All, diagonal)
}

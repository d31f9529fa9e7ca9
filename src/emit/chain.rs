//! Chains of matrix products: factors come in, the product goes out in a cheap order. An inverse beside another factor is
//! a solve, a diagonal matrix scales rows or columns, ones are sums or repetitions. Sizes are not known here: a named
//! dimension counts as a hundred, so that vectors are multiplied first.

use super::code::{Along, MatrixOp, Value};
use super::lower::{Lowerer, Operand};
use crate::dimension::{DimId, Shape};
use crate::elaborate::Property;
use crate::expr::{ExprId, Op as Node};
use crate::functions::Function;
use crate::number::Number;

/// What a named dimension counts as.
const USUAL_SIZE: i64 = 100;
/// Chains longer than this are multiplied from the cheaper end: the search grows with the cube of the length.
const LONGEST_SEARCHED: usize = 24;

/// A factor on the way.
#[derive(Clone, Copy, Debug)]
enum Item {
    Plain(Operand),
    /// Ones of that shape.
    Ones(Shape),
    /// The diagonal matrix of a column.
    Diagonal(Value),
    /// The inverse of a square matrix that is symmetric and positive definite, or symmetric, if so.
    Inverse {
        of: Value,
        symmetric: bool,
        positive: bool,
    },
}

/// The product of the factors.
pub(super) fn product(lowerer: &mut Lowerer<'_>, factors: &[ExprId]) -> Operand {
    let items = items(lowerer, factors);
    let out = multiply_all(lowerer, items);
    operand(lowerer, out)
}

/// The trace of the product of the factors.
pub(super) fn trace(lowerer: &mut Lowerer<'_>, factors: &[ExprId]) -> Value {
    let mut list = items(lowerer, factors);
    // The trace does not change where a factor goes from the front to the end: a plain one comes to the front.
    if let Some(first) = list.iter().position(|item| matches!(item, Item::Plain(_))) {
        list.rotate_left(first);
        let first = list.remove(0);
        let rest = multiply_all(lowerer, list);
        let (first, rest) = (operand(lowerer, first), operand(lowerer, rest));
        let turned = lowerer.transposed(first);
        return lowerer.dot(turned, rest);
    }
    let whole = multiply_all(lowerer, list);
    if let Item::Diagonal(v) = whole {
        return lowerer.code.total(Along::All, v);
    }
    let whole = operand(lowerer, whole);
    let full = lowerer.full(whole);
    lowerer.code.matrix(MatrixOp::Trace, &[full], Shape::SCALAR)
}

/// The diagonal of the product of at least two factors, a column.
pub(super) fn diagonal(lowerer: &mut Lowerer<'_>, factors: &[ExprId]) -> Operand {
    let mut list = items(lowerer, factors);
    let rest = list.split_off(1);
    let rest = multiply_all(lowerer, rest);
    let (first, rest) = (operand(lowerer, list[0]), operand(lowerer, rest));
    let turned = lowerer.transposed(rest);
    let products = lowerer.code.multiply(&[first.value, turned.value]);
    lowerer.total(Along::Rows, Operand { value: products, shape: first.shape })
}

fn items(lowerer: &mut Lowerer<'_>, factors: &[ExprId]) -> Vec<Item> {
    factors.iter().map(|&id| item(lowerer, id)).collect()
}

fn item(lowerer: &mut Lowerer<'_>, id: ExprId) -> Item {
    let arena = lowerer.arena;
    let shape = arena.shape(id);
    match arena.op(id) {
        Node::Ones => Item::Ones(shape),
        Node::Call(Function::Diag, _, list) if !arena.shape(list[0]).is_square() => {
            let vector = lowerer.at(list[0]);
            let full = lowerer.full(vector);
            let column = if lowerer.code.shape(full).is_row() { lowerer.code.transpose(full) } else { full };
            Item::Diagonal(column)
        }
        Node::MatrixPower(a, k) if *k == Number::MINUS_ONE => {
            let of = lowerer.at(*a);
            let of = lowerer.full(of);
            let properties = arena.properties(*a);
            let positive = properties.has(Property::PositiveDefinite);
            Item::Inverse { of, symmetric: positive || properties.has(Property::Symmetric), positive }
        }
        _ => Item::Plain(lowerer.at(id)),
    }
}

fn shape_of(lowerer: &Lowerer<'_>, item: &Item) -> Shape {
    match *item {
        Item::Plain(operand) => operand.shape,
        Item::Ones(shape) => shape,
        Item::Diagonal(v) => Shape::new(lowerer.code.shape(v).rows, lowerer.code.shape(v).rows),
        Item::Inverse { of, .. } => lowerer.code.shape(of),
    }
}

/// An item as a value.
fn operand(lowerer: &mut Lowerer<'_>, item: Item) -> Operand {
    let shape = shape_of(lowerer, &item);
    let code = &mut lowerer.code;
    let value = match item {
        Item::Plain(operand) => return operand,
        Item::Ones(_) => code.number(Number::ONE),
        Item::Diagonal(v) => code.matrix(MatrixOp::DiagonalMatrix, &[v], shape),
        Item::Inverse { of, .. } => code.matrix(MatrixOp::Inverse, &[of], shape),
    };
    Operand { value, shape }
}

fn multiply_all(lowerer: &mut Lowerer<'_>, list: Vec<Item>) -> Item {
    let n = list.len();
    if n == 1 {
        return list[0];
    }
    let shapes: Vec<Shape> = list.iter().map(|item| shape_of(lowerer, item)).collect();
    let size = |d: DimId| {
        let fixed = &lowerer.code.fixed;
        let of = |name: &str| Some(fixed.iter().find(|(known, _)| known == name).map_or(USUAL_SIZE, |&(_, n)| n));
        lowerer.code.dimensions.value(d, &of).map_or(1e9, |n| n as f64)
    };
    let sizes: Vec<(f64, f64)> = shapes.iter().map(|shape| (size(shape.rows), size(shape.columns))).collect();
    if n > LONGEST_SEARCHED {
        let mut list = list.into_iter();
        if sizes[0].0 <= sizes[n - 1].1 {
            let first = list.next().expect("a chain has factors");
            return list.fold(first, |left, right| join(lowerer, left, right));
        }
        let last = list.next_back().expect("a chain has factors");
        return list.rev().fold(last, |right, left| join(lowerer, left, right));
    }
    // Ones, diagonals and repeated operands cost one pass.
    let cheap: Vec<bool> = list.iter().map(|item| !matches!(item, Item::Plain(_) | Item::Inverse { .. })).collect();
    let mut costs = vec![0.0; (n + 1) * (n + 1)];
    let mut splits = vec![0; (n + 1) * (n + 1)];
    for length in 2..=n {
        for from in 0..=n - length {
            let to = from + length;
            let mut best = f64::INFINITY;
            for split in from + 1..to {
                let (m, k, columns) = (sizes[from].0, sizes[split].0, sizes[to - 1].1);
                let one_pass = split == from + 1 && cheap[from] || split + 1 == to && cheap[split];
                let own = if one_pass { m * k + k * columns } else { m * k * columns };
                let cost = costs[from * (n + 1) + split] + costs[split * (n + 1) + to] + own;
                if cost <= best {
                    best = cost;
                    splits[from * (n + 1) + to] = split;
                }
            }
            costs[from * (n + 1) + to] = best;
        }
    }
    by_splits(lowerer, &list, &splits, 0, n)
}

/// At most [`LONGEST_SEARCHED`] calls deep.
fn by_splits(lowerer: &mut Lowerer<'_>, list: &[Item], splits: &[usize], from: usize, to: usize) -> Item {
    if to == from + 1 {
        return list[from];
    }
    let split = splits[from * (list.len() + 1) + to];
    let left = by_splits(lowerer, list, splits, from, split);
    let right = by_splits(lowerer, list, splits, split, to);
    join(lowerer, left, right)
}

fn join(lowerer: &mut Lowerer<'_>, left: Item, right: Item) -> Item {
    let (a, b) = (shape_of(lowerer, &left), shape_of(lowerer, &right));
    let shape = Shape::new(a.rows, b.columns);
    let plain = |value: Value| Item::Plain(Operand { value, shape });
    match (left, right) {
        (Item::Diagonal(v), Item::Diagonal(w)) => Item::Diagonal(lowerer.code.multiply(&[v, w])),
        (Item::Diagonal(v), Item::Ones(_)) => plain(v),
        (Item::Ones(_), Item::Diagonal(v)) => plain(lowerer.code.transpose(v)),
        (Item::Diagonal(v), Item::Plain(x)) => plain(lowerer.code.multiply(&[v, x.value])),
        (Item::Plain(x), Item::Diagonal(v)) => {
            let row = lowerer.code.transpose(v);
            plain(lowerer.code.multiply(&[x.value, row]))
        }
        (Item::Inverse { of, positive, .. }, other) => {
            let right = operand(lowerer, other);
            let right = lowerer.full(right);
            plain(solve(lowerer, of, positive, right))
        }
        (other, Item::Inverse { of, symmetric, positive }) => {
            let left = operand(lowerer, other);
            let left = lowerer.full(left);
            let (of, left) = (if symmetric { of } else { lowerer.code.transpose(of) }, lowerer.code.transpose(left));
            let turned = solve(lowerer, of, positive, left);
            plain(lowerer.code.transpose(turned))
        }
        (Item::Ones(_), Item::Ones(_)) => {
            let count = lowerer.code.size(a.columns);
            plain(count)
        }
        // A column of ones repeats a row, a row of ones repeats a column.
        (Item::Ones(_), Item::Plain(x)) if a.columns == DimId::ONE => plain(x.value),
        (Item::Plain(x), Item::Ones(_)) if a.columns == DimId::ONE => plain(x.value),
        (Item::Ones(_), Item::Plain(x)) if a.rows == DimId::ONE => Item::Plain(lowerer.total(Along::Columns, x)),
        (Item::Plain(x), Item::Ones(_)) if b.columns == DimId::ONE => Item::Plain(lowerer.total(Along::Rows, x)),
        (left, right) => {
            let (x, y) = (operand(lowerer, left), operand(lowerer, right));
            if x.shape.columns == DimId::ONE {
                return plain(lowerer.code.multiply(&[x.value, y.value]));
            }
            if shape.is_scalar() {
                let turned = lowerer.transposed(x);
                return plain(lowerer.dot(turned, y));
            }
            let (x, y) = (lowerer.full(x), lowerer.full(y));
            plain(lowerer.code.product(x, y))
        }
    }
}

fn solve(lowerer: &mut Lowerer<'_>, a: Value, positive: bool, b: Value) -> Value {
    let op = if positive { MatrixOp::SolvePositive } else { MatrixOp::Solve };
    let shape = lowerer.code.shape(b);
    lowerer.code.matrix(op, &[a, b], shape)
}

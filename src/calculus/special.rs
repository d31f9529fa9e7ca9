//! Differentials that are more than a line of the dictionary: ties, Cholesky factors, roots.

use rustc_hash::FxHashMap as HashMap;

use crate::dimension::Shape;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::{Comparison, Operator};

/// d max(a, b) = ½ (1 + sign(a − b)) da + ½ (1 − sign(a − b)) db, d min likewise: a tie is split evenly.
pub fn extremum(arena: &mut Arena, function: Function, arguments: &[ExprId], d: &HashMap<ExprId, ExprId>) -> ExprId {
    let (a, b) = (arguments[0], arguments[1]);
    let difference = arena.binary(Operator::Subtract, a, b);
    let sign = arena.call(Function::Sign, Axis::All, &[difference]);
    let mut sum: Option<ExprId> = None;
    for (x, first) in [(a, true), (b, false)] {
        let Some(&dx) = d.get(&x) else { continue };
        let operator = if first == (function == Function::Max) { Operator::Add } else { Operator::Subtract };
        let one = arena.integer(1);
        let mask = arena.binary(operator, one, sign);
        let mask = arena.scale(Number::HALF, mask);
        let part = arena.pointwise(mask, dx);
        sum = Some(match sum {
            Some(before) => arena.binary(Operator::Add, before, part),
            None => part,
        });
    }
    sum.unwrap_or_else(|| arena.zeros(arena.shape(a)))
}

/// d leaky_relu(x, s) = ([x > 0] + s [x ≤ 0]) dx + x [x ≤ 0] ds.
pub fn leaky_relu(arena: &mut Arena, arguments: &[ExprId], d: &HashMap<ExprId, ExprId>) -> ExprId {
    let (x, slope) = (arguments[0], arguments[1]);
    let zero = arena.integer(0);
    let below = arena.compare(Comparison::LessEqual, x, zero);
    let mut parts = Vec::new();
    if let Some(&dx) = d.get(&x) {
        let above = arena.compare(Comparison::Greater, x, zero);
        let scaled = arena.multiply(&[slope, below]);
        let mask = arena.add(above, scaled);
        parts.push((Number::ONE, arena.times(mask, dx)));
    }
    if let Some(&ds) = d.get(&slope) {
        let masked = arena.times(x, below);
        parts.push((Number::ONE, arena.multiply(&[ds, masked])));
    }
    arena.sum(&parts)
}

/// d log det(A⊗B) = n tr(A⁻¹dA) + m tr(B⁻¹dB) for A m×m and B n×n: det(A⊗B) = det(A)ⁿ det(B)ᵐ, whatever the signs (Magnus
/// and Neudecker, ch. 2.1).
pub fn log_determinant_of_kron(arena: &mut Arena, kron: ExprId, d: &HashMap<ExprId, ExprId>) -> Option<ExprId> {
    let Op::Call(Function::Kron, _, arguments) = arena.op(kron).clone() else { return None };
    let shapes = [arena.shape(arguments[0]), arena.shape(arguments[1])];
    if !shapes.iter().all(|shape| shape.is_square()) {
        return None;
    }
    let mut parts = Vec::new();
    for (i, a) in arguments.iter().enumerate() {
        let Some(&da) = d.get(a) else { continue };
        let times = arena.dimension(shapes[1 - i].rows);
        let inverse = arena.matrix_power(*a, Number::MINUS_ONE);
        let product = arena.multiply(&[inverse, da]);
        let trace = arena.trace(product);
        parts.push((Number::ONE, arena.multiply(&[times, trace])));
    }
    Some(arena.sum(&parts))
}

/// dL = L·Φ(L⁻¹ · ½(dA + dAᵀ) · L⁻ᵀ) with Φ the lower triangle, its diagonal halved (Murray, arXiv 1602.07527).
pub fn cholesky(arena: &mut Arena, l: ExprId, da: ExprId) -> ExprId {
    let turned = arena.transpose(da);
    let symmetric = arena.sum(&[(Number::HALF, da), (Number::HALF, turned)]);
    let inverse = arena.matrix_power(l, Number::MINUS_ONE);
    let inverse_turned = arena.transpose(inverse);
    let inner = arena.multiply(&[inverse, symmetric, inverse_turned]);
    let lower = arena.call(Function::Tril, Axis::All, &[inner]);
    let diagonal = arena.diagonal(inner);
    let diagonal = arena.diagonal(diagonal);
    let phi = arena.sum(&[(Number::ONE, lower), (Number::Ratio(-1, 2), diagonal)]);
    arena.multiply(&[l, phi])
}

/// S = A^(1/2) solves dS·S + S·dS = dA, so vec dS = (Sᵀ⊗I + I⊗S)⁻¹ vec dA; d(A^(−1/2)) = −S⁻¹ dS S⁻¹.
pub fn root(arena: &mut Arena, id: ExprId, a: ExprId, k: Number, da: ExprId) -> ExprId {
    let shape = arena.shape(a);
    let root = arena.matrix_power(a, Number::HALF);
    let identity = arena.identity(shape.rows);
    let turned = arena.transpose(root);
    let left = arena.call(Function::Kron, Axis::All, &[turned, identity]);
    let right = arena.call(Function::Kron, Axis::All, &[identity, root]);
    let sum = arena.add(left, right);
    let inverse = arena.matrix_power(sum, Number::MINUS_ONE);
    let column = Shape::column(arena.shape(inverse).rows);
    let stacked = arena.reshape(da, column);
    let solved = arena.multiply(&[inverse, stacked]);
    let d_root = arena.reshape(solved, shape);
    if k == Number::HALF {
        return d_root;
    }
    let product = arena.multiply(&[id, d_root, id]);
    arena.negate(product)
}

/// d of the upper right block of f([A, E; 0, A]): the upper right block of the derivative of f at [A, E; 0, A] along
/// [dA, dE; 0, dA] (Higham, Functions of Matrices, thm 3.6, applied twice).
pub fn frechet(
    arena: &mut Arena,
    (a, e): (ExprId, ExprId),
    d: &HashMap<ExprId, ExprId>,
    along: impl Fn(&mut Arena, ExprId, ExprId) -> ExprId,
) -> ExprId {
    let shape = arena.shape(a);
    let zeros = arena.zeros(shape);
    if let (None, Some(&de)) = (d.get(&a), d.get(&e)) {
        return along(arena, a, de);
    }
    let upper = |arena: &mut Arena, a: ExprId, e: ExprId| {
        let (top, bottom) = (arena.horizontal(&[a, e]), arena.horizontal(&[zeros, a]));
        arena.vertical(&[top, bottom])
    };
    let block = upper(arena, a, e);
    let (da, de) = (d.get(&a).copied().unwrap_or(zeros), d.get(&e).copied().unwrap_or(zeros));
    let direction = upper(arena, da, de);
    let whole = along(arena, block, direction);
    let identity = arena.identity(shape.rows);
    let (first, last) = (arena.horizontal(&[identity, zeros]), arena.vertical(&[zeros, identity]));
    arena.multiply(&[first, whole, last])
}

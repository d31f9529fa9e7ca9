//! d of an expression by the rules of differentials (Magnus and Neudecker, Matrix Differential Calculus, ch. 8): an
//! expression and the names that move come in; dF, linear in the d's of those names, goes out. Each node is visited once.

use rustc_hash::FxHashMap as HashMap;

use super::NotCovered;
use super::special;
use super::template::{dictionary_differential, row_wise_differential};
use crate::expr::substitute::local_nodes;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::{Function, Signature};
use crate::number::Number;

/// Above this power the sum of k terms gives way to a power of a block matrix.
const LONGEST_POWER_SUM: i64 = 6;

/// The differentials of a root's parts, each visited once.
#[derive(Debug, Default)]
pub struct Differentials {
    /// d of each node that moves.
    pub of: HashMap<ExprId, ExprId>,
    /// The nodes that move, in order of evaluation.
    pub order: Vec<ExprId>,
}

/// dF of `root` when the leaves (variables and named results) in `moving` move; `None` where nothing moves.
pub fn differential(
    arena: &mut Arena,
    root: ExprId,
    moving: &dyn Fn(ExprId) -> bool,
) -> Result<(Option<ExprId>, Differentials), NotCovered> {
    let mut out = Differentials::default();
    for id in local_nodes(arena, root) {
        let moves = match arena.op(id) {
            Op::Variable(_) | Op::Named(_) => moving(id),
            _ => {
                let mut any = false;
                arena.operands(id, |a| any |= out.of.contains_key(&a));
                any
            }
        };
        if !moves {
            continue;
        }
        NotCovered::unless_small(arena)?;
        let d = of_node(arena, id, &out.of)?;
        if !arena.is_zero(d) {
            out.of.insert(id, d);
            out.order.push(id);
        }
    }
    Ok((out.of.get(&root).copied(), out))
}

fn of_node(arena: &mut Arena, id: ExprId, d: &HashMap<ExprId, ExprId>) -> Result<ExprId, NotCovered> {
    let zero = |arena: &mut Arena| {
        let shape = arena.shape(id);
        arena.zeros(shape)
    };
    Ok(match arena.op(id).clone() {
        Op::Variable(_) | Op::Named(_) => arena.differential_of(id),
        Op::Number(_)
        | Op::Pi
        | Op::Euler
        | Op::Dimension(_)
        | Op::Identity
        | Op::Ones
        | Op::Zeros
        | Op::Unit(_)
        | Op::Compare(..) => zero(arena),
        Op::Differential(_) => return Err(NotCovered::new("the differential of a differential is not covered")),
        Op::Sum(terms) => {
            let parts: Vec<(Number, ExprId)> =
                terms.iter().filter_map(|&(c, a)| d.get(&a).map(|&da| (c, da))).collect();
            arena.sum(&parts)
        }
        Op::Product { scalars, factors } => {
            let operands: Vec<ExprId> = scalars.iter().chain(factors.iter()).copied().collect();
            product_rule(arena, &operands, d, |arena, list| arena.multiply(list))
        }
        Op::Hadamard(list) => product_rule(arena, &list, d, |arena, list| arena.hadamard(list)),
        Op::Power(base, exponent) => power(arena, id, base, exponent, d),
        Op::MatrixPower(a, k) => matrix_power(arena, id, a, k, d[&a])?,
        Op::Transpose(a) => arena.transpose(d[&a]),
        Op::Reshape(a) => {
            let shape = arena.shape(id);
            arena.reshape(d[&a], shape)
        }
        Op::Horizontal(parts) => {
            let parts = with_zeros(arena, &parts, d);
            arena.horizontal(&parts)
        }
        Op::Vertical(parts) => {
            let parts = with_zeros(arena, &parts, d);
            arena.vertical(&parts)
        }
        Op::ExpmFrechet(a, e) => {
            special::frechet(arena, (a, e), d, |arena, block, along| arena.expm_frechet(block, along))
        }
        Op::PowerFrechet(a, e, k) => {
            special::frechet(arena, (a, e), d, |arena, block, along| arena.power_frechet(block, along, k))
        }
        Op::Call(function, axis, arguments) => call(arena, id, function, axis, &arguments, d)?,
    })
}

/// Σ over the operands that move, each replaced by its differential.
fn product_rule(
    arena: &mut Arena,
    operands: &[ExprId],
    d: &HashMap<ExprId, ExprId>,
    join: fn(&mut Arena, &[ExprId]) -> ExprId,
) -> ExprId {
    let mut parts = Vec::new();
    for (i, a) in operands.iter().enumerate() {
        if let Some(&da) = d.get(a) {
            let mut list = operands.to_vec();
            list[i] = da;
            parts.push((Number::ONE, join(arena, &list)));
        }
    }
    arena.sum(&parts)
}

fn with_zeros(arena: &mut Arena, parts: &[ExprId], d: &HashMap<ExprId, ExprId>) -> Vec<ExprId> {
    parts
        .iter()
        .map(|a| match d.get(a) {
            Some(&da) => da,
            None => {
                let shape = arena.shape(*a);
                arena.zeros(shape)
            }
        })
        .collect()
}

/// d(x^k) = k x^(k−1) dx; with a moving exponent d(x^y) = x^y (dy log x + y dx / x).
fn power(arena: &mut Arena, id: ExprId, base: ExprId, exponent: ExprId, d: &HashMap<ExprId, ExprId>) -> ExprId {
    let mut parts = Vec::new();
    if let Some(&db) = d.get(&base) {
        let one = arena.integer(1);
        let exponent_shape = arena.shape(exponent);
        let one = arena.broadcast(one, exponent_shape);
        let lower = arena.subtract(exponent, one);
        let power = arena.power(base, lower);
        let scaled = arena.pointwise(exponent, power);
        parts.push((Number::ONE, arena.pointwise(scaled, db)));
    }
    if let Some(&de) = d.get(&exponent) {
        let log = arena.call(Function::Log, Axis::All, &[base]);
        let scaled = arena.pointwise(id, log);
        parts.push((Number::ONE, arena.pointwise(scaled, de)));
    }
    arena.sum(&parts)
}

fn matrix_power(arena: &mut Arena, id: ExprId, a: ExprId, k: Number, da: ExprId) -> Result<ExprId, NotCovered> {
    let Some(k) = k.as_integer() else { return Ok(special::root(arena, id, a, k, da)) };
    if k == -1 {
        let product = arena.multiply(&[id, da, id]);
        return Ok(arena.negate(product));
    }
    if k.abs() > LONGEST_POWER_SUM {
        if k > 0 {
            return Ok(arena.power_frechet(a, da, k));
        }
        // As a power of the inverse: A^-k between two powers A^k would lose all digits.
        let inverse = arena.matrix_power(a, Number::MINUS_ONE);
        let d_inverse = arena.multiply(&[inverse, da, inverse]);
        let d_inverse = arena.negate(d_inverse);
        return Ok(arena.power_frechet(inverse, d_inverse, -k));
    }
    let mut parts = Vec::new();
    for i in 0..k.abs() {
        let (left, right, sign) = if k > 0 { (i, k - 1 - i, Number::ONE) } else { (-1 - i, k + i, Number::MINUS_ONE) };
        let left = arena.matrix_power(a, Number::integer(left));
        let right = arena.matrix_power(a, Number::integer(right));
        parts.push((sign, arena.multiply(&[left, da, right])));
    }
    Ok(arena.sum(&parts))
}

fn call(
    arena: &mut Arena,
    id: ExprId,
    function: Function,
    axis: Axis,
    arguments: &[ExprId],
    d: &HashMap<ExprId, ExprId>,
) -> Result<ExprId, NotCovered> {
    let x = arguments[0];
    match function {
        Function::LogDet => {
            if let Some(dx) = special::log_determinant_of_kron(arena, x, d) {
                return Ok(dx);
            }
        }
        Function::Max | Function::Min => return Ok(special::extremum(arena, function, arguments, d)),
        Function::LeakyRelu => return Ok(special::leaky_relu(arena, arguments, d)),
        Function::Kron => {
            return Ok(product_rule(arena, arguments, d, |arena, list| arena.call(Function::Kron, Axis::All, list)));
        }
        _ => {}
    }
    let dx = d[&x];
    Ok(match function {
        Function::Trace => {
            // d tr(A^k) = k tr(A^(k−1) dA): the k terms of d(A^k) have one trace.
            if let Op::MatrixPower(a, k) = *arena.op(x) {
                let lower = match k.plus(Number::MINUS_ONE) {
                    // No power of its own in the language: A^(-3/2) is A^-1 A^(-1/2).
                    Number::Ratio(-3, 2) => {
                        let inverse = arena.matrix_power(a, Number::MINUS_ONE);
                        arena.multiply(&[inverse, x])
                    }
                    lower => arena.matrix_power(a, lower),
                };
                let product = arena.multiply(&[lower, d[&a]]);
                let trace = arena.trace(product);
                arena.scale(k, trace)
            } else {
                arena.trace(dx)
            }
        }
        Function::Diag => arena.diagonal(dx),
        Function::Tril | Function::Triu => arena.call(function, axis, &[dx]),
        Function::Vech | Function::Unvech => {
            let shape = arena.shape(id);
            arena.linear_call(function, dx, shape)
        }
        Function::Softmax | Function::LogSoftmax | Function::LogSumExp => {
            row_wise_differential(arena, function, axis, id, x, dx)
        }
        Function::Expm => arena.expm_frechet(x, dx),
        Function::Chol => special::cholesky(arena, id, dx),
        _ => {
            debug_assert!(function.entry().signature != Signature::Kronecker);
            dictionary_differential(arena, function, id, x, dx).ok_or_else(|| {
                NotCovered::new(format!("the differential of `{}` is not in the dictionary", function.name()))
            })?
        }
    })
}

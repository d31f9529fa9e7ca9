//! The second differential as a quadratic form: the derivative of the gradient along a fresh direction V, times V. Where
//! all its terms are at least 0 the function is convex. Only functions that are smooth on a convex domain are looked at,
//! so that what holds at each point holds between points too.

use rustc_hash::FxHashSet as HashSet;

use super::sign::{Sign, Signs};
use super::{Curvature, Verdict};
use crate::calculus::along::{Moved, along};
use crate::calculus::gradient::{gradients_against, write_out_adjoints};
use crate::calculus::present::Presenter;
use crate::elaborate::{Property, VariableId};
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::functions::Function;
use crate::number::Number;

/// The verdict by the signs of the terms; `None` where they do not settle it.
pub(super) fn judge(arena: &Arena, of: ExprId, nodes: &[ExprId], leaves: &HashSet<ExprId>) -> Option<Verdict> {
    if !is_smooth(arena, nodes, leaves) {
        return None;
    }
    // The direction's names are no part of the program.
    let mut arena = arena.clone();
    let mut list: Vec<ExprId> = leaves.iter().copied().collect();
    list.sort_unstable();
    let hidden: Vec<ExprId> = list.iter().copied().filter(|&leaf| matches!(arena.op(leaf), Op::Named(_))).collect();
    let one = arena.integer(1);
    let sweep = gradients_against(&mut arena, of, one, &list, &hidden, false).ok()?;
    let mut roots = Vec::with_capacity(list.len());
    for gradient in &sweep.gradients {
        let name = arena.unused_name("gradient");
        // In its short form terms have met that cancel.
        let body = match hidden.is_empty() {
            true => Presenter::default().present(&mut arena, gradient.named),
            false => gradient.named,
        };
        roots.push(arena.name(name, body, NameKind::Adjoint));
    }
    let moves: Vec<Moved> = list.iter().map(|&leaf| Moved { leaf, direction: direction(&mut arena, leaf) }).collect();
    let derivatives = along(&mut arena, &roots, &moves, false).ok()?;
    let mut parts = Vec::with_capacity(list.len());
    for (moved, derivative) in moves.iter().zip(&derivatives) {
        let value = write_out_adjoints(&mut arena, derivative.value, &mut Default::default());
        parts.push((Number::ONE, arena.inner(moved.direction, value)));
    }
    let form = arena.sum(&parts);
    let shorter = Presenter::default().present(&mut arena, form);
    for form in [form, shorter] {
        let signs = Signs::new(&arena, &arena.reachable(&[form]));
        let (curvature, words) = match signs.sign(form) {
            Sign::Zero => (Curvature::Affine, "its second differential is 0"),
            Sign::Above => (Curvature::Convex, "all terms of its second differential are at least 0"),
            Sign::Below => (Curvature::Concave, "all terms of its second differential are at most 0"),
            Sign::Unknown => continue,
        };
        return Some(Verdict { curvature, reason: words.to_owned() });
    }
    None
}

/// The verdict by the form of the Hessian by one column; `None` where it shows nothing.
pub(super) fn judge_hessian(arena: &Arena, of: ExprId, leaf: ExprId, hessian: ExprId) -> Option<Verdict> {
    if !is_smooth(arena, &arena.reachable(&[of]), &HashSet::from_iter([leaf])) {
        return None;
    }
    let mut arena = arena.clone();
    let negative = arena.negate(hessian);
    let signs = Signs::new(&arena, &arena.reachable(&[hessian, negative]));
    if signs.known(hessian).semidefinite {
        let reason = "its Hessian is positive semidefinite, as its form shows".to_owned();
        return Some(Verdict { curvature: Curvature::Convex, reason });
    }
    signs.known(negative).semidefinite.then(|| Verdict {
        curvature: Curvature::Concave,
        reason: "its Hessian is negative semidefinite, as its form shows".to_owned(),
    })
}

/// A variable of the leaf's shape and structure that nothing else knows.
fn direction(arena: &mut Arena, leaf: ExprId) -> ExprId {
    let known = arena.properties(leaf);
    let mut properties = crate::elaborate::Properties::NONE;
    for p in [Property::Symmetric, Property::Skew, Property::Diagonal] {
        // A definition counts as independent: only a variable is bound to its structure.
        if known.has(p) && matches!(arena.op(leaf), Op::Variable(_)) {
            properties = properties.with(p);
        }
    }
    let id = VariableId(u32::try_from(arena.variables.len()).expect("fewer than 2^32 variables"));
    let name = arena.unused_name("V");
    arena.reserve(&name);
    arena.variables.push(crate::elaborate::Variable {
        name,
        shape: arena.shape(leaf),
        properties,
        kind: String::new(),
        span: Default::default(),
        inferred: true,
    });
    arena.variable(id)
}

/// 1 − sigmoid(z), which is above 0.
fn is_rest_of_sigmoid(arena: &Arena, id: ExprId) -> bool {
    let body = |mut id: ExprId| {
        while let Op::Named(name) = arena.op(id) {
            id = arena.named(*name).body;
        }
        id
    };
    let Op::Sum(terms) = arena.op(body(id)) else { return false };
    let [a, b] = **terms else { return false };
    [(a, b), (b, a)].into_iter().any(|((c, one), (k, s))| {
        let is_one = c.is_one() && (arena.is_ones(one) || matches!(arena.op(one), Op::Number(v) if v.is_one()));
        is_one && k == Number::MINUS_ONE && matches!(arena.op(body(s)), Op::Call(Function::Sigmoid, ..))
    })
}

/// Whether every part that moves is a smooth function on the whole of a convex domain.
fn is_smooth(arena: &Arena, nodes: &[ExprId], leaves: &HashSet<ExprId>) -> bool {
    let mut moving: HashSet<ExprId> = HashSet::default();
    for &id in nodes {
        if leaves.contains(&id) {
            moving.insert(id);
            continue;
        }
        if let Op::Named(name) = arena.op(id) {
            if moving.contains(&arena.named(*name).body) {
                moving.insert(id);
            }
            continue;
        }
        let mut moves = false;
        arena.operands(id, |a| moves |= moving.contains(&a));
        if !moves {
            continue;
        }
        moving.insert(id);
        let positive = |a: ExprId| arena.properties(a).has(Property::Positive) || is_rest_of_sigmoid(arena, a);
        let definite = |a: ExprId| arena.properties(a).has(Property::PositiveDefinite);
        let smooth = match arena.op(id) {
            Op::Sum(_)
            | Op::Product { .. }
            | Op::Hadamard(_)
            | Op::Transpose(_)
            | Op::Reshape(_)
            | Op::Horizontal(_)
            | Op::Vertical(_) => true,
            Op::Power(base, exponent) => {
                let natural = matches!(arena.op(*exponent), Op::Number(k) if k.as_integer().is_some_and(|k| k >= 0));
                natural || positive(*base)
            }
            Op::MatrixPower(a, k) => k.as_integer().is_some_and(|k| k >= 0) || definite(*a),
            Op::Call(function, _, arguments) => match function {
                Function::Exp
                | Function::Expm1
                | Function::Sin
                | Function::Cos
                | Function::Sinh
                | Function::Cosh
                | Function::Tanh
                | Function::Atan
                | Function::Sigmoid
                | Function::Softplus
                | Function::Gelu
                | Function::Silu
                | Function::Erf
                | Function::Square
                | Function::NormSq
                | Function::Softmax
                | Function::LogSoftmax
                | Function::LogSumExp
                | Function::Trace
                | Function::Diag
                | Function::Tril
                | Function::Triu
                | Function::Vech
                | Function::Unvech
                | Function::Kron
                | Function::Det => true,
                Function::Log | Function::Sqrt | Function::Recip => positive(arguments[0]),
                Function::LogDet => definite(arguments[0]),
                _ => false,
            },
            _ => false,
        };
        if !smooth {
            return false;
        }
    }
    true
}

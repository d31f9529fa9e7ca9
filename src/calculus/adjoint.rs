//! The trace tricks: ⟨G, dE⟩ with dE linear in the d's becomes Σ ⟨Gₓ, dX⟩. One rule for each linear operation (a
//! factor of a product, a transpose, a Hadamard factor, a trace, …). What a derivation shows of it is in `lines`.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap as HashMap;

use super::NotCovered;
use super::lines::Lines;
use crate::dimension::DimId;
use crate::expr::substitute::local_nodes;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// For each moving leaf (the node that moves, not its differential) the parts of its cotangent.
pub type Pulled = BTreeMap<ExprId, Vec<ExprId>>;

/// A part ⟨G, n⟩ of a line: the node and the parts of its cotangent.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) node: ExprId,
    pub(super) cotangent: Vec<ExprId>,
}

/// Pulls ⟨cotangent, d⟩ back to the leaves of d, level by level: all parts that stand at the same distance from d move
/// at once. `lines`, where given, shows each move.
pub fn pull_back(
    arena: &mut Arena,
    d: ExprId,
    cotangent: ExprId,
    mut lines: Option<&mut Lines>,
) -> Result<Pulled, NotCovered> {
    let levels = linear_levels(arena, d);
    let mut parts = vec![Part { node: d, cotangent: vec![cotangent] }];
    loop {
        let is_open = |arena: &Arena, node: ExprId| !matches!(arena.op(node), Op::Differential(_));
        let next = parts.iter().filter(|part| is_open(arena, part.node)).map(|part| levels[&part.node]).min();
        let Some(level) = next else { break };
        let mut places: HashMap<ExprId, usize> = HashMap::default();
        let mut after: Vec<Part> = Vec::with_capacity(parts.len() + 1);
        let mut add = |node: ExprId, cotangent: &[ExprId]| {
            let place = *places.entry(node).or_insert_with(|| {
                after.push(Part { node, cotangent: Vec::new() });
                after.len() - 1
            });
            after[place].cotangent.extend(cotangent);
        };
        arena.take_property_uses();
        let mut moves = Vec::with_capacity(parts.len());
        for part in &parts {
            if !is_open(arena, part.node) || levels[&part.node] != level {
                add(part.node, &part.cotangent);
                moves.push(None);
                continue;
            }
            NotCovered::unless_small(arena)?;
            let g = total(arena, &part.cotangent);
            let mut moved = transpose_of(arena, part.node, g, &|id| levels.contains_key(&id))?;
            moved.retain(|&(_, g)| !arena.is_zero(g));
            for &(child, g) in &moved {
                add(child, &[g]);
            }
            moves.push(Some((g, moved)));
        }
        if let Some(lines) = lines.as_deref_mut() {
            lines.round(arena, &parts, &moves, &after);
        }
        parts = after;
    }
    let mut out = Pulled::new();
    for part in parts {
        if let Op::Differential(leaf) = *arena.op(part.node) {
            out.entry(leaf).or_default().extend(part.cotangent);
        }
    }
    Ok(out)
}

/// The nodes in which a d stands, each with its longest distance from the root.
fn linear_levels(arena: &Arena, d: ExprId) -> HashMap<ExprId, usize> {
    let nodes = local_nodes(arena, d);
    let mut linear = rustc_hash::FxHashSet::default();
    for &id in &nodes {
        let mut any = matches!(arena.op(id), Op::Differential(_));
        arena.operands(id, |a| any |= linear.contains(&a));
        if any {
            linear.insert(id);
        }
    }
    let mut levels = HashMap::from_iter([(d, 0)]);
    for &id in nodes.iter().rev().filter(|id| linear.contains(id)) {
        let level = levels[&id];
        arena.operands(id, |a| {
            if linear.contains(&a) {
                let known = levels.entry(a).or_insert(0);
                *known = (*known).max(level + 1);
            }
        });
    }
    levels
}

/// Σ of the parts of a cotangent.
pub fn total(arena: &mut Arena, parts: &[ExprId]) -> ExprId {
    let terms: Vec<(Number, ExprId)> = parts.iter().map(|&g| (Number::ONE, g)).collect();
    arena.sum(&terms)
}

/// ⟨g, node⟩ = Σ ⟨gᵢ, childᵢ⟩ for the linear children of a node.
fn transpose_of(
    arena: &mut Arena,
    node: ExprId,
    g: ExprId,
    linear: &dyn Fn(ExprId) -> bool,
) -> Result<Vec<(ExprId, ExprId)>, NotCovered> {
    let mut out = Vec::new();
    match arena.op(node).clone() {
        Op::Sum(terms) => {
            for &(c, a) in terms.iter().filter(|&&(_, a)| linear(a)) {
                out.push((a, arena.scale(c, g)));
            }
        }
        Op::Product { scalars, factors } => {
            if let Some(i) = scalars.iter().position(|&s| linear(s)) {
                let rest: Vec<ExprId> = scalars.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &s)| s).collect();
                let mut operands = rest;
                if factors.is_empty() {
                    operands.push(g);
                } else {
                    let chain = arena.multiply(&factors);
                    operands.push(arena.inner(g, chain));
                }
                out.push((scalars[i], arena.multiply(&operands)));
            } else if let Some(i) = factors.iter().position(|&f| linear(f)) {
                let mut operands = scalars.to_vec();
                for &f in factors[..i].iter().rev() {
                    operands.push(arena.transpose(f));
                }
                operands.push(g);
                for &f in factors[i + 1..].iter().rev() {
                    operands.push(arena.transpose(f));
                }
                out.push((factors[i], arena.multiply(&operands)));
            }
        }
        Op::Hadamard(list) => {
            if let Some(i) = list.iter().position(|&f| linear(f)) {
                let mut operands = vec![g];
                operands.extend(list.iter().enumerate().filter(|&(j, _)| j != i).map(|(_, &f)| f));
                out.push((list[i], arena.hadamard(&operands)));
            }
        }
        Op::Transpose(a) => out.push((a, arena.transpose(g))),
        Op::Reshape(a) => {
            let shape = arena.shape(a);
            out.push((a, arena.reshape(g, shape)));
        }
        Op::Horizontal(parts) => {
            let columns: Vec<DimId> = parts.iter().map(|&p| arena.shape(p).columns).collect();
            for (i, &part) in parts.iter().enumerate().filter(|&(_, &p)| linear(p)) {
                let cut = cut_out(arena, &columns, i);
                out.push((part, arena.multiply(&[g, cut])));
            }
        }
        Op::Vertical(parts) => {
            let rows: Vec<DimId> = parts.iter().map(|&p| arena.shape(p).rows).collect();
            for (i, &part) in parts.iter().enumerate().filter(|&(_, &p)| linear(p)) {
                let cut = cut_out(arena, &rows, i);
                let cut = arena.transpose(cut);
                out.push((part, arena.multiply(&[cut, g])));
            }
        }
        Op::ExpmFrechet(a, e) => {
            let turned = arena.transpose(a);
            out.push((e, arena.expm_frechet(turned, g)));
        }
        Op::PowerFrechet(a, e, k) => {
            let turned = arena.transpose(a);
            out.push((e, arena.power_frechet(turned, g, k)));
        }
        Op::Call(function, axis, arguments) => {
            let a = arguments[0];
            let shape = arena.shape(a);
            match function {
                Function::Trace => {
                    let identity = arena.identity(shape.rows);
                    out.push((a, arena.multiply(&[g, identity])));
                }
                Function::Diag => out.push((a, arena.diagonal(g))),
                Function::Tril | Function::Triu => out.push((a, arena.call(function, axis, &[g]))),
                Function::Vech => out.push((a, arena.linear_call(Function::Unvech, g, shape))),
                Function::Unvech => out.push((a, arena.linear_call(Function::Vech, g, shape))),
                Function::Kron => out.push(kron_adjoint(arena, &arguments, g, linear)),
                _ => {
                    return Err(NotCovered::new(format!("`{}` of a differential has no adjoint", function.name())));
                }
            }
        }
        _ => return Err(NotCovered::new("an operation on a differential has no adjoint")),
    }
    Ok(out)
}

/// The columns of a block row that belong to block i: [0; I; 0].
fn cut_out(arena: &mut Arena, sizes: &[DimId], i: usize) -> ExprId {
    let columns = sizes[i];
    let zeros = |arena: &mut Arena, rows: &[DimId]| {
        let (&first, rest) = rows.split_first()?;
        let rows = rest.iter().fold(first, |sum, &n| arena.dimensions.sum(sum, n).expect("a part of a shape in use"));
        Some(arena.zeros(crate::dimension::Shape::new(rows, columns)))
    };
    let (above, identity, below) = (zeros(arena, &sizes[..i]), arena.identity(columns), zeros(arena, &sizes[i + 1..]));
    let parts: Vec<ExprId> = above.into_iter().chain([identity]).chain(below).collect();
    arena.vertical(&parts)
}

/// Σᵢⱼ Aᵢⱼ Gᵢⱼ over the blocks of G for d in the right factor, and likewise for the left: with block sums written as
/// products with kron(1, I).
fn kron_adjoint(
    arena: &mut Arena,
    arguments: &[ExprId],
    g: ExprId,
    linear: &dyn Fn(ExprId) -> bool,
) -> (ExprId, ExprId) {
    let (left, right) = (arguments[0], arguments[1]);
    let (outer, inner) = (arena.shape(left), arena.shape(right));
    let kron = |arena: &mut Arena, a: ExprId, b: ExprId| {
        if arena.shape(a).is_scalar() || arena.shape(b).is_scalar() {
            arena.multiply(&[a, b])
        } else {
            arena.call(Function::Kron, Axis::All, &[a, b])
        }
    };
    if linear(right) {
        let ones = arena.ones(inner);
        let weights = kron(arena, left, ones);
        let weighted = arena.times(g, weights);
        let (row, column) = (arena.ones_row(outer.rows), arena.ones_column(outer.columns));
        let (m, n) = (arena.identity(inner.rows), arena.identity(inner.columns));
        let (first, last) = (kron(arena, row, m), kron(arena, column, n));
        (right, arena.multiply(&[first, weighted, last]))
    } else {
        let ones = arena.ones(outer);
        let weights = kron(arena, ones, right);
        let weighted = arena.times(g, weights);
        let (m, n) = (arena.identity(outer.rows), arena.identity(outer.columns));
        let (row, column) = (arena.ones_row(inner.rows), arena.ones_column(inner.columns));
        let (first, last) = (kron(arena, m, row), kron(arena, n, column));
        (left, arena.multiply(&[first, weighted, last]))
    }
}

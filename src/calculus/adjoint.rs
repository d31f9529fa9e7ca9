//! The trace tricks: ⟨G, dE⟩ with dE linear in the d's becomes Σ ⟨Gₓ, dX⟩. One rule for each linear operation (a
//! factor of a product, a transpose, a Hadamard factor, a trace, …); each use of a rule is a step.

use std::collections::BTreeMap;

use super::NotCovered;
use super::differential::local_nodes;
use crate::derivation::{Detail, Left, Rule, Step};
use crate::dimension::DimId;
use crate::elaborate::Property;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// More parts than this and a line of a derivation shows only the part that changes.
const LONGEST_LINE: usize = 6;

const LINEARITY: Rule = Rule { id: "linearity", statement: "tr(A + B) = tr(A) + tr(B)" };
const CYCLIC: Rule = Rule { id: "cyclic", statement: "tr(AB) = tr(BA)" };
const TRANSPOSE: Rule = Rule { id: "transpose", statement: "tr(A) = tr(A')" };
const SCALAR: Rule = Rule { id: "scalar", statement: "a = tr(a)" };
const HADAMARD: Rule = Rule { id: "hadamard", statement: "tr(A'(B .* C)) = tr((A .* B)'C)" };
const FROBENIUS: Rule = Rule { id: "frobenius", statement: "tr(A'B) = sum(A .* B)" };
const IDENTITY: Rule = Rule { id: "trace", statement: "tr(A) = tr(I'A)" };
const ROW_SUMS: Rule = Rule { id: "row-sums", statement: "each row of a one-hot or stochastic matrix sums to 1" };
const ORTHOGONAL: Rule = Rule { id: "orthogonal", statement: "Q'Q = I" };
const LINEAR: Rule = Rule { id: "linear", statement: "<G, f(dX)> = <f*(G), dX> for a linear f and its adjoint f*" };

/// What the trace rules made of ⟨G, dE⟩.
#[derive(Debug, Default)]
pub struct Pulled {
    /// For each moving leaf (the node that moves, not its differential) the parts of its cotangent.
    pub parts: BTreeMap<ExprId, Vec<ExprId>>,
}

/// The parts ⟨G, n⟩ that make up the current line, largest id first.
struct Frontier {
    open: BTreeMap<ExprId, Vec<ExprId>>,
    /// The left side of whole lines; `None` where no steps are wanted.
    line: Option<ExprId>,
    /// Whether the last step was a whole line, so that the next may go on from it.
    whole: bool,
}

/// Pulls ⟨cotangent, d⟩ back to the leaves of d. With a `line`, the left side of the last step's equation, each move is
/// a step.
pub fn pull_back(
    arena: &mut Arena,
    d: ExprId,
    cotangent: ExprId,
    steps: &mut Vec<Step>,
    line: Option<ExprId>,
) -> Result<Pulled, NotCovered> {
    let log = line.is_some();
    let linear = linear_nodes(arena, d);
    let mut frontier = Frontier { open: BTreeMap::new(), line, whole: true };
    frontier.open.insert(d, vec![cotangent]);
    let mut out = Pulled::default();
    while let Some((node, parts)) = frontier.open.pop_last() {
        let g = total(arena, &parts);
        if let Op::Differential(leaf) = *arena.op(node) {
            out.parts.entry(leaf).or_default().push(g);
            continue;
        }
        let before = if log { Some(pairing(arena, g, node)) } else { None };
        arena.take_property_uses();
        let moved = transpose_of(arena, node, g, &|id| linear.contains(&id))?;
        if log {
            for used in arena.take_property_uses() {
                let rule = if used.property == Property::Orthogonal { ORTHOGONAL } else { ROW_SUMS };
                let left = Left::Aside(used.left);
                steps.push(Step { rule, left, right: used.right, detail: Detail::Brief });
            }
        }
        if let Some(before) = before {
            frontier.explain(arena, node, g, before, &moved, &out, steps);
        }
        for (child, g) in moved {
            if !arena.is_zero(g) {
                frontier.open.entry(child).or_default().push(g);
            }
        }
    }
    Ok(out)
}

fn linear_nodes(arena: &Arena, d: ExprId) -> std::collections::HashSet<ExprId> {
    let mut out = std::collections::HashSet::new();
    for id in local_nodes(arena, d) {
        let mut linear = matches!(arena.op(id), Op::Differential(_));
        arena.operands(id, |a| linear |= out.contains(&a));
        if linear {
            out.insert(id);
        }
    }
    out
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
    let parts: Vec<ExprId> =
        sizes
            .iter()
            .enumerate()
            .map(|(j, &rows)| {
                if i == j { arena.identity(columns) } else { arena.zeros(crate::dimension::Shape::new(rows, columns)) }
            })
            .collect();
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

/// ⟨g, node⟩ as a line shows it: tr(g'·node), g'·x for columns, g·s for scalars.
pub fn pairing(arena: &mut Arena, g: ExprId, node: ExprId) -> ExprId {
    let shape = arena.shape(node);
    if shape.is_scalar() {
        return if matches!(arena.op(g), Op::Number(k) if k.is_one()) { node } else { raw_product(arena, &[g, node]) };
    }
    let turned = raw_transpose(arena, g);
    let product = raw_product(arena, &[turned, node]);
    if shape.columns == DimId::ONE { product } else { raw_trace(arena, product) }
}

/// aᵀ shown as a transpose of the whole: (a*b')' and not b*a'.
fn raw_transpose(arena: &mut Arena, a: ExprId) -> ExprId {
    let (c, inner) = arena.coefficient(a);
    if let Op::Product { scalars, factors } = arena.op(inner).clone()
        && factors.len() >= 2
    {
        let chain = arena.multiply(&factors);
        let shape = arena.shape(chain).transposed();
        let turned = arena.intern(Op::Transpose(chain), shape, Default::default());
        let mut operands = scalars.to_vec();
        operands.push(turned);
        let product = raw_product(arena, &operands);
        return arena.scale(c, product);
    }
    arena.transpose(a)
}

/// A product in the order given, with nothing cancelled or turned.
fn raw_product(arena: &mut Arena, operands: &[ExprId]) -> ExprId {
    let mut coefficient = Number::ONE;
    let (mut scalars, mut factors): (Vec<ExprId>, Vec<ExprId>) = (Vec::new(), Vec::new());
    for &operand in operands {
        let (c, a) = arena.coefficient(operand);
        coefficient = coefficient.times(c);
        match arena.op(a).clone() {
            Op::Number(value) => coefficient = coefficient.times(value),
            Op::Product { scalars: s, factors: f } if !arena.shape(a).is_scalar() || f.is_empty() => {
                scalars.extend(s.iter());
                factors.extend(f.iter());
            }
            _ if arena.shape(a).is_scalar() => scalars.push(a),
            _ => factors.push(a),
        }
    }
    let shape = match (factors.first(), factors.last()) {
        (Some(&first), Some(&last)) => crate::dimension::Shape::new(arena.shape(first).rows, arena.shape(last).columns),
        _ => crate::dimension::Shape::SCALAR,
    };
    let node = match (scalars.as_slice(), factors.as_slice()) {
        ([], []) => arena.integer(1),
        (&[a], []) | ([], &[a]) => a,
        _ => arena.intern(Op::Product { scalars: scalars.into(), factors: factors.into() }, shape, Default::default()),
    };
    arena.scale(coefficient, node)
}

fn raw_trace(arena: &mut Arena, a: ExprId) -> ExprId {
    let (c, inner) = arena.coefficient(a);
    let node = match arena.op(inner).clone() {
        Op::Product { scalars, factors } if !scalars.is_empty() => {
            let chain = raw_product(arena, &factors);
            let trace = arena.call_node(Function::Trace, Axis::All, &[chain]);
            let mut operands = scalars.to_vec();
            operands.push(trace);
            raw_product(arena, &operands)
        }
        _ => arena.call_node(Function::Trace, Axis::All, &[inner]),
    };
    arena.scale(c, node)
}

/// A sum in the order given, with nothing taken out.
fn raw_sum(arena: &mut Arena, parts: &[ExprId]) -> ExprId {
    if let [only] = parts {
        return *only;
    }
    let terms: Vec<(Number, ExprId)> = parts.iter().flat_map(|&p| arena.terms(p)).collect();
    let shape = arena.shape(parts[0]);
    arena.intern(Op::Sum(terms.into()), shape, Default::default())
}

impl Frontier {
    #[allow(clippy::too_many_arguments)] // the state of a line before and after one rule
    fn explain(
        &mut self,
        arena: &mut Arena,
        node: ExprId,
        g: ExprId,
        before: ExprId,
        moved: &[(ExprId, ExprId)],
        done: &Pulled,
        steps: &mut Vec<Step>,
    ) {
        let Some(line) = self.line else { return };
        let mut forms: Vec<(Rule, Vec<ExprId>)> = Vec::new();
        let after: Vec<ExprId> = moved.iter().map(|&(child, g)| pairing(arena, g, child)).collect();
        match arena.op(node).clone() {
            Op::Sum(_) => forms.push((LINEARITY, after.clone())),
            Op::Product { scalars, factors } => {
                let child = moved.first().map(|&(child, _)| child);
                if let Some(i) = factors.iter().position(|&f| Some(f) == child) {
                    let row_times_column = arena.shape(node).is_scalar();
                    if row_times_column && arena.shape(factors[i]).columns != DimId::ONE {
                        forms.push((SCALAR, vec![raw_trace(arena, before)]));
                    }
                    let turned = if row_times_column { g } else { raw_transpose(arena, g) };
                    let mut operands: Vec<ExprId> = scalars.to_vec();
                    operands.extend(&factors[i + 1..]);
                    operands.push(turned);
                    operands.extend(&factors[..i]);
                    operands.push(factors[i]);
                    let product = raw_product(arena, &operands);
                    let shown = if arena.shape(product).is_scalar() { product } else { raw_trace(arena, product) };
                    if shown != before {
                        forms.push((CYCLIC, vec![shown]));
                    }
                    forms.push((TRANSPOSE, after.clone()));
                } else {
                    forms.push((FROBENIUS, after.clone()));
                }
            }
            Op::Hadamard(_) => forms.push((HADAMARD, after.clone())),
            Op::Transpose(_) => forms.push((TRANSPOSE, after.clone())),
            Op::Call(Function::Trace, ..) => forms.push((IDENTITY, after.clone())),
            _ => forms.push((LINEAR, after.clone())),
        }
        // The other parts of the line, unchanged.
        let mut others: Vec<ExprId> = Vec::new();
        let count = self.open.len() + done.parts.len();
        let whole = count <= LONGEST_LINE;
        if whole {
            for (leaf, parts) in done.parts.clone() {
                let g = total(arena, &parts);
                let d = arena.differential_of(leaf);
                others.push(pairing(arena, g, d));
            }
            for (node, parts) in self.open.clone().into_iter().rev() {
                let g = total(arena, &parts);
                others.push(pairing(arena, g, node));
            }
        }
        let mut last = before;
        let mut first = true;
        for (rule, parts) in forms {
            if parts.is_empty() {
                continue;
            }
            let now = raw_sum(arena, &parts);
            if now == last {
                continue;
            }
            last = now;
            let (left, right) = if whole {
                let mut all = vec![now];
                all.extend(&others);
                let left = if self.whole { Left::Continued } else { Left::Expression(line) };
                self.whole = true;
                (left, raw_sum(arena, &all))
            } else if first {
                (Left::Expression(before), now)
            } else {
                (Left::Continued, now)
            };
            first = false;
            self.whole &= whole;
            steps.push(Step { rule, left, right, detail: Detail::Full });
        }
    }
}

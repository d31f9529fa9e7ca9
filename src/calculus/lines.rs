//! The lines of a derivation: each level of the pull-back as one or more lines, each a true equation of the forms before
//! and after a rule. Forms are built raw, so that a line shows what a hand would write before it is simplified.

use super::adjoint::{Part, total};
use crate::derivation::{Detail, Left, Step};
use crate::dimension::{DimId, Shape};
use crate::elaborate::Property;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;
use crate::rules::{self, RuleId};

/// More parts than this and a line shows only those that change.
const LONGEST_LINE: usize = 6;

/// How a part moved: its whole cotangent, and the children it went to; `None` where it stayed.
pub(super) type Move = Option<(ExprId, Vec<(ExprId, ExprId)>)>;

/// The chain of lines that a pull-back writes.
pub struct Lines<'a> {
    /// Where the steps go.
    pub steps: &'a mut Vec<Step>,
    /// The left side of the chain.
    left: ExprId,
    /// The right side of its last line.
    last: ExprId,
    /// Whether the last step is the chain's, so that the next goes on from it.
    continues: bool,
}

impl<'a> Lines<'a> {
    /// Goes on from a line `left = last` that was just written.
    pub fn new(steps: &'a mut Vec<Step>, left: ExprId, last: ExprId) -> Lines<'a> {
        Lines { steps, left, last, continues: true }
    }

    /// The last line of the chain, in which the gradients stand, is shown in brief too.
    pub fn finish(self) {
        if let Some(last) = self.steps.last_mut().filter(|last| !matches!(last.left, Left::Aside(_))) {
            last.detail = Detail::Brief;
        }
    }

    /// One level: the parts before, how they moved, the parts after.
    pub(super) fn round(&mut self, arena: &mut Arena, parts: &[Part], moves: &[Move], after: &[Part]) {
        self.asides(arena);
        let whole = parts.len().max(after.len()) <= LONGEST_LINE;
        let sequences: Vec<Vec<(RuleId, Vec<ExprId>)>> = parts
            .iter()
            .zip(moves)
            .map(|(part, moved)| match moved {
                Some((g, moved)) => forms(arena, part.node, *g, moved),
                None => Vec::new(),
            })
            .collect();
        let before: Vec<ExprId> = parts.iter().map(|part| shown(arena, part)).collect();
        let rounds = sequences.iter().map(Vec::len).max().unwrap_or(0);
        if !whole {
            for ((sequence, moved), &before) in sequences.iter().zip(moves).zip(&before) {
                if moved.is_some() {
                    self.aside_chain(arena, before, sequence);
                }
            }
            return;
        }
        for k in 0..rounds {
            let mut used: Vec<RuleId> = Vec::new();
            let mut line: Vec<ExprId> = Vec::new();
            for (sequence, &before) in sequences.iter().zip(&before) {
                if let Some((rule, _)) = sequence.get(k)
                    && !used.contains(rule)
                {
                    used.push(*rule);
                }
                match sequence.get(k).or(sequence.last()) {
                    Some((_, forms)) => line.extend(forms),
                    None => line.push(before),
                }
            }
            let now = raw_sum(arena, &line);
            self.line(used, now);
        }
        // Parts of one node add up.
        let collected: Vec<ExprId> = after.iter().map(|part| shown(arena, part)).collect();
        if !collected.is_empty() {
            let now = raw_sum(arena, &collected);
            let rule =
                if after.iter().any(|part| part.cotangent.len() > 1) { rules::LINEARITY } else { rules::SIMPLIFY };
            self.line(vec![rule], now);
        }
    }

    fn line(&mut self, used: Vec<RuleId>, now: ExprId) {
        if now == self.last {
            return;
        }
        let left = if self.continues { Left::Continued } else { Left::Expression(self.left) };
        self.continues = true;
        self.last = now;
        self.steps.push(Step { rules: used, left, right: now, detail: Detail::Full });
    }

    /// A part's own equation, where the whole line would be too long.
    fn aside_chain(&mut self, arena: &mut Arena, before: ExprId, sequence: &[(RuleId, Vec<ExprId>)]) {
        let mut left = Left::Expression(before);
        let mut last = before;
        for (rule, forms) in sequence {
            if forms.is_empty() {
                continue;
            }
            let now = raw_sum(arena, forms);
            if now == last {
                continue;
            }
            last = now;
            self.continues = false;
            self.steps.push(Step { rules: vec![*rule], left, right: now, detail: Detail::Full });
            left = Left::Continued;
        }
    }

    /// Properties that were used since the last line: equations of their own.
    fn asides(&mut self, arena: &mut Arena) {
        for used in arena.take_property_uses() {
            let rule = if used.property == Property::Orthogonal { rules::ORTHOGONAL } else { rules::ROW_SUMS };
            let left = Left::Aside(used.left);
            self.steps.push(Step { rules: vec![rule], left, right: used.right, detail: Detail::Brief });
        }
    }
}

fn shown(arena: &mut Arena, part: &Part) -> ExprId {
    let g = total(arena, &part.cotangent);
    pairing(arena, g, part.node)
}

/// The forms that ⟨g, node⟩ goes through until d stands behind its cotangent.
fn forms(arena: &mut Arena, node: ExprId, g: ExprId, moved: &[(ExprId, ExprId)]) -> Vec<(RuleId, Vec<ExprId>)> {
    let before = pairing(arena, g, node);
    let after: Vec<ExprId> = moved.iter().map(|&(child, g)| pairing(arena, g, child)).collect();
    let mut out: Vec<(RuleId, Vec<ExprId>)> = Vec::new();
    match arena.op(node).clone() {
        Op::Sum(_) | Op::Horizontal(_) | Op::Vertical(_) => out.push((rules::LINEARITY, after)),
        Op::Product { scalars, factors } => {
            let child = moved.first().map(|&(child, _)| child);
            match factors.iter().position(|&f| Some(f) == child) {
                Some(i) => product_forms(arena, g, &scalars, &factors, i, &mut out),
                None => out.push((rules::LINEARITY, after.clone())),
            }
            let spreads = factors.iter().any(|&f| matches!(arena.op(f), Op::Ones));
            out.push((if spreads { rules::BROADCAST } else { rules::TRANSPOSE }, after));
        }
        Op::Hadamard(_) => {
            let (_, inner) = arena.coefficient(g);
            let (_, inner) = arena.split_scalars(inner);
            let sum = arena.is_ones(inner);
            out.push((if sum { rules::FROBENIUS } else { rules::HADAMARD }, after));
        }
        Op::Transpose(_) => out.push((rules::TRANSPOSE, after)),
        Op::Call(Function::Trace, ..) => out.push((rules::CYCLIC, after)),
        _ => out.push((rules::ADJOINT_MAP, after)),
    }
    // Only what changes is a line.
    let mut last = vec![before];
    out.retain(|(_, forms)| {
        let changed = *forms != last && !forms.is_empty();
        if changed {
            last.clone_from(forms);
        }
        changed
    });
    out
}

/// tr(g'·A·dX·B) = tr(B·g'·A·dX): the d goes to the end; where it stands transposed, the whole is transposed first.
fn product_forms(
    arena: &mut Arena,
    g: ExprId,
    scalars: &[ExprId],
    factors: &[ExprId],
    i: usize,
    out: &mut Vec<(RuleId, Vec<ExprId>)>,
) {
    let (first, last) = (factors[0], factors[factors.len() - 1]);
    let scalar = arena.shape(first).rows == DimId::ONE && arena.shape(last).columns == DimId::ONE;
    if scalar && [first, last].iter().all(|&f| matches!(arena.op(f), Op::Ones)) {
        return;
    }
    // The factors in the order of the trace: what comes before the d, the d, what comes behind it.
    let mut before: Vec<ExprId> = factors[..i].to_vec();
    let mut behind: Vec<ExprId> = factors[i + 1..].to_vec();
    let mut front: Vec<ExprId> = scalars.to_vec();
    if scalar {
        front.insert(0, g);
    } else {
        let (c, inner) = arena.coefficient(g);
        let (s, base) = arena.split_scalars(inner);
        let c = arena.number(c);
        front.splice(0..0, [c, s]);
        before.insert(0, raw_transpose(arena, base));
    }
    let mut d = factors[i];
    let line = |arena: &mut Arena, chain: &[ExprId]| {
        let chain = raw_product(arena, chain);
        let row_times_column = arena.shape(chain).is_scalar();
        let shown = if row_times_column { chain } else { raw_trace(arena, chain) };
        let mut all = front.clone();
        all.push(shown);
        (row_times_column, raw_product(arena, &all))
    };
    if let Op::Transpose(inner) = *arena.op(d) {
        let turned = |arena: &mut Arena, list: &[ExprId]| -> Vec<ExprId> {
            list.iter().rev().map(|&f| arena.transpose(f)).collect()
        };
        (before, behind) = (turned(arena, &behind), turned(arena, &before));
        d = inner;
        let chain: Vec<ExprId> = before.iter().copied().chain([d]).chain(behind.iter().copied()).collect();
        let (_, shown) = line(arena, &chain);
        out.push((rules::TRANSPOSE, vec![shown]));
    }
    let chain: Vec<ExprId> = before.iter().copied().chain([d]).chain(behind.iter().copied()).collect();
    let (row_times_column, _) = line(arena, &chain);
    let column = arena.shape(d).columns == DimId::ONE;
    if row_times_column && !(behind.is_empty() && column) {
        let product = raw_product(arena, &chain);
        let trace = raw_trace(arena, product);
        let mut all = front.clone();
        all.push(trace);
        out.push((rules::SCALAR, vec![raw_product(arena, &all)]));
    }
    if !behind.is_empty() {
        let chain: Vec<ExprId> = behind.iter().copied().chain(before.iter().copied()).chain([d]).collect();
        let (_, shown) = line(arena, &chain);
        out.push((rules::CYCLIC, vec![shown]));
    }
}

/// ⟨g, node⟩ as a line shows it: tr(g'·node), g'·x for columns, g·s for scalars; with g the identity or ones the trace or
/// the sum.
pub fn pairing(arena: &mut Arena, g: ExprId, node: ExprId) -> ExprId {
    if let Op::Transpose(inner) = *arena.op(node) {
        let turned = arena.transpose(g);
        return pairing(arena, turned, inner);
    }
    let shape = arena.shape(node);
    if shape.is_scalar() {
        return if matches!(arena.op(g), Op::Number(k) if k.is_one()) { node } else { raw_product(arena, &[g, node]) };
    }
    let (c, inner) = arena.coefficient(g);
    let trivial = |f: &ExprId| matches!(arena.op(*f), Op::Identity | Op::Ones);
    let may_be_plain = match arena.op(inner) {
        Op::Product { factors, .. } => factors.iter().all(trivial),
        _ => trivial(&inner),
    };
    let (s, base) = if may_be_plain { arena.split_scalars(inner) } else { (inner, inner) };
    let plain = if matches!(arena.op(base), Op::Identity) {
        Some(raw_trace(arena, node))
    } else if arena.is_ones(base) {
        let (row, column) = (arena.ones_row(shape.rows), arena.ones_column(shape.columns));
        Some(raw_product(arena, &[row, node, column]))
    } else {
        None
    };
    if let Some(plain) = plain {
        let product = raw_product(arena, &[s, plain]);
        return arena.scale(c, product);
    }
    let turned = raw_transpose(arena, g);
    let product = raw_product(arena, &[turned, node]);
    if shape.columns == DimId::ONE { product } else { raw_trace(arena, product) }
}

/// aᵀ shown as a transpose of the whole: (a*b')' and not b*a'.
fn raw_transpose(arena: &mut Arena, a: ExprId) -> ExprId {
    let (c, inner) = arena.coefficient(a);
    if let Op::Product { scalars, factors } = arena.op(inner)
        && factors.len() >= 2
        && !factors.iter().any(|&f| matches!(arena.op(f), Op::Ones))
    {
        let (scalars, factors) = (scalars.clone(), factors.clone());
        let transposes = factors.iter().filter(|&&f| matches!(arena.op(f), Op::Transpose(_))).count();
        let chain = arena.multiply(&factors);
        if 2 * transposes > factors.len() {
            return arena.transpose(a);
        }
        if arena.properties(chain).has(Property::Symmetric) {
            return a;
        }
        let shape = arena.shape(chain).transposed();
        let turned = arena.intern_raw(Op::Transpose(chain), shape);
        let mut operands = scalars.to_vec();
        operands.push(turned);
        let product = raw_product(arena, &operands);
        return arena.scale(c, product);
    }
    arena.transpose(a)
}

/// A product in the order given, with nothing cancelled or turned; identities are left out.
fn raw_product(arena: &mut Arena, operands: &[ExprId]) -> ExprId {
    let mut coefficient = Number::ONE;
    let (mut scalars, mut factors) = (Vec::new(), Vec::with_capacity(operands.len() + 2));
    for &operand in operands {
        let (c, a) = arena.coefficient(operand);
        coefficient = coefficient.times(c);
        match arena.op(a) {
            Op::Number(value) => coefficient = coefficient.times(*value),
            Op::Product { scalars: s, factors: f } if !arena.shape(a).is_scalar() || f.is_empty() => {
                scalars.extend(s.iter());
                factors.extend(f.iter());
            }
            _ if arena.shape(a).is_scalar() => scalars.push(a),
            _ => factors.push(a),
        }
    }
    if factors.iter().any(|&f| !matches!(arena.op(f), Op::Identity)) {
        factors.retain(|&f| !matches!(arena.op(f), Op::Identity));
    }
    let shape = match (factors.first(), factors.last()) {
        (Some(&first), Some(&last)) => Shape::new(arena.shape(first).rows, arena.shape(last).columns),
        _ => Shape::SCALAR,
    };
    let node = match (scalars.as_slice(), factors.as_slice()) {
        ([], []) => arena.integer(1),
        (&[a], []) | ([], &[a]) => a,
        _ => arena.intern_raw(Op::Product { scalars: scalars.into(), factors: factors.into() }, shape),
    };
    arena.scale(coefficient, node)
}

fn raw_trace(arena: &mut Arena, a: ExprId) -> ExprId {
    let (c, inner) = arena.coefficient(a);
    let node = match arena.op(inner).clone() {
        Op::Product { scalars, factors } if !scalars.is_empty() && factors.is_empty() => {
            // A product of scalars: the chain among them is the trace.
            let at = scalars.iter().position(|&s| matches!(arena.op(s), Op::Product { .. })).unwrap_or(0);
            let trace = arena.call_node(Function::Trace, Axis::All, &[scalars[at]]);
            let mut operands = scalars.to_vec();
            operands[at] = trace;
            raw_product(arena, &operands)
        }
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
    let mut terms: Vec<(Number, ExprId)> = parts.iter().flat_map(|&p| arena.terms(p)).collect();
    arena.positive_first(&mut terms);
    let shape = arena.shape(parts[0]);
    arena.intern_raw(Op::Sum(terms.into()), shape)
}

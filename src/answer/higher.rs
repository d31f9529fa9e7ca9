//! Jacobians and Hessians: the differential of what is asked for, or of its gradient, is read as a linear map, once as a
//! matrix that acts on vec and once entry by entry. The matrix is given in the shortest form found.

use rustc_hash::FxHashMap as HashMap;

use super::{
    Asked, Direction, LARGEST_VALUE, Line, Names, Outcome, present_value, program_of, taken_name_of_differential,
};
use crate::calculus::NotCovered;
use crate::calculus::adjoint::{pull_back, total};
use crate::calculus::differential::differential;
use crate::calculus::gradient::{Gradient, conclude, gradients, moving_names, project, rules_of};
use crate::calculus::names::Names as Definitions;
use crate::derivation::{Derivation, Detail, Left, Step};
use crate::dimension::{DimId, Shape};
use crate::expr::substitute::{substitute, tree_size};
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::functions::Function;
use crate::number::Number;
use crate::rules;
use crate::syntax::ast::AskKind;
use crate::tensor::constants::{commutation, meaning};
use crate::tensor::index::{Entries, entries};
use crate::tensor::linear::{Known, Linear, linear, projection};
use crate::tensor::piece::{Chain, Piece, vec};
use crate::tensor::readback;

/// A factor of the entries with more nodes gets a name and a line of the program.
const LARGEST_FACTOR: usize = 120;

/// The forms of a derivative beside its matrix.
#[derive(Clone, Debug)]
pub struct Forms {
    /// Entry by entry.
    pub entries: Entries,
    /// The differential that was read: dY of what is differentiated, or of the gradient; nothing where it is too large.
    pub operator: Option<ExprId>,
    /// Of a Hessian the gradient that was differentiated.
    pub gradient: Option<ExprId>,
}

impl Forms {
    /// Whether the matrix form is one for vec: the derivative has more than two axes.
    pub fn stacked(&self) -> bool {
        self.entries.axes.len() > 2
    }
}

/// What d of a root is in terms of the leaves.
struct Differentiated {
    /// The differential with every waypoint put in.
    total: ExprId,
    /// For each leaf the map by which it depends on that leaf.
    maps: HashMap<ExprId, Linear>,
    /// Lines that lead to the differential.
    steps: Vec<Step>,
    /// Whether a waypoint was put in.
    substituted: bool,
}

/// The Jacobians of `asked.node`, one for each leaf.
pub(super) fn jacobians(arena: &mut Arena, asked: &Asked<'_>, names: &mut Names) -> Result<Vec<Outcome>, NotCovered> {
    let &Asked { node: of, wrt, log, .. } = asked;
    // A definition that depends on another leaf passes on what that gets; its own derivative is taken with it independent.
    let depends = |arena: &Arena, leaf: ExprId| match arena.op(leaf) {
        Op::Named(name) => {
            let below = arena.reachable(&[arena.named(*name).body]);
            wrt.iter().any(|other| *other != leaf && below.binary_search(other).is_ok())
        }
        _ => false,
    };
    let (dependent, joint): (Vec<ExprId>, Vec<ExprId>) = wrt.iter().partition(|&&leaf| depends(arena, leaf));
    let all = differentiated(arena, of, &joint, log)?;
    let mut alone: HashMap<ExprId, Differentiated> = HashMap::default();
    for &leaf in &dependent {
        alone.insert(leaf, differentiated(arena, of, &[leaf], false)?);
    }
    let mut steps = all.steps.clone();
    let mut out = Vec::with_capacity(wrt.len());
    for &leaf in wrt {
        let read = alone.get(&leaf).unwrap_or(&all);
        let found = derivative(arena, of, leaf, read, names)?;
        if log {
            if joint.contains(&leaf) {
                vec_lines(arena, of, leaf, &all, &found, &mut steps)?;
            }
            let mut rules = vec![rules::FIRST_IDENTIFICATION];
            if found.projected {
                rules.push(rules::PROJECT);
            }
            let (of, wrt) = (arena.name_of(of), arena.name_of(leaf));
            let left = Left::Jacobian { of, wrt, stacked: found.forms.stacked() };
            steps.push(Step { rules, left, right: found.result, detail: Detail::Brief });
        }
        let wrt = vec![leaf];
        let name = format!("J_{}", arena.name_of(leaf));
        let derivation = Derivation { steps: std::mem::take(&mut steps) };
        out.push(outcome(arena, AskKind::Jacobian, asked, wrt, name, found, derivation, names));
    }
    Ok(out)
}

/// The form of a gradient that is differentiated again: the one that is read where it is shorter, except where it has a
/// function of its own that hides a simpler differential.
pub(super) fn to_differentiate(arena: &Arena, raw: ExprId, shown: ExprId) -> ExprId {
    let hides = |id: ExprId| {
        let nodes = crate::expr::substitute::local_nodes(arena, id);
        nodes.into_iter().any(|n| matches!(arena.op(n), Op::Call(Function::Pinv, ..)))
    };
    let size = |id: ExprId| tree_size(arena, id, LARGEST_VALUE);
    if size(shown) <= size(raw) && (hides(raw) || !hides(shown)) { shown } else { raw }
}

/// The second derivative of the scalar `asked.node`, by one leaf twice or by two.
pub(super) fn hessian(arena: &mut Arena, asked: &Asked<'_>, names: &mut Names) -> Result<Vec<Outcome>, NotCovered> {
    let &Asked { node: of, wrt, log, .. } = asked;
    let (first, last) = (wrt[0], wrt[wrt.len() - 1]);
    let mut leaves = vec![first];
    if last != first {
        leaves.push(last);
    }
    let sweep = gradients(arena, of, &leaves, log)?;
    let gradient = sweep.gradients[0].clone();
    let mut steps = sweep.derivation.steps;
    let mut kinks: Vec<&'static str> = Vec::new();
    for other in &sweep.gradients {
        kinks.extend(other.kinks.iter().filter(|kink| !kinks.contains(kink)).copied().collect::<Vec<_>>());
    }
    let raw = gradient.value.unwrap_or(gradient.named);
    let shown = names.presenter.present(arena, raw);
    if log {
        conclude(arena, &arena.name_of(of), &Gradient { named: shown, ..gradient.clone() }, &mut steps);
    }
    let body = to_differentiate(arena, raw, shown);
    let base = format!("G_{}", arena.name_of(first));
    let text = arena.unused_name(&base);
    let named = arena.name(text, body, NameKind::Adjoint);
    let read = differentiated(arena, named, &leaves, log)?;
    add_new(&mut steps, &read.steps);
    let mut found = derivative(arena, named, last, &read, names)?;
    found.forms.gradient = Some(named);
    if log {
        vec_lines(arena, named, last, &read, &found, &mut steps)?;
        let mut rules = vec![rules::SECOND_IDENTIFICATION];
        if found.projected || gradient.projection.is_some() {
            rules.push(rules::PROJECT);
        }
        let left = Left::Hessian {
            of: arena.name_of(of),
            wrt: [arena.name_of(first), arena.name_of(last)],
            stacked: found.forms.stacked(),
        };
        steps.push(Step { rules, left, right: found.result, detail: Detail::Brief });
    }
    let mut name = format!("H_{}", arena.name_of(first));
    if last != first {
        name.push('_');
        name.push_str(&arena.name_of(last));
    }
    let derivation = Derivation { steps };
    let mut out = outcome(arena, AskKind::Hessian, asked, leaves, name, found, derivation, names);
    out.notes.splice(0..0, kinks.into_iter().map(str::to_owned));
    Ok(vec![out])
}

/// Adds lines, without those that stand already: a definition's differential is told once.
fn add_new(steps: &mut Vec<Step>, more: &[Step]) {
    let known = steps.len();
    for (i, step) in more.iter().enumerate() {
        let goes_on = more.get(i + 1).is_some_and(|next| next.left == Left::Continued);
        let told = |old: &Step| old.left == step.left && old.right == step.right;
        if goes_on || step.left == Left::Continued || !steps[..known].iter().any(told) {
            steps.push(step.clone());
        }
    }
}

/// dZ of each waypoint in turn, as a map of each leaf's differential and as an expression.
fn differentiated(arena: &mut Arena, of: ExprId, leaves: &[ExprId], log: bool) -> Result<Differentiated, NotCovered> {
    let moving = moving_names(arena, of, leaves);
    let mut known: Vec<Known> = leaves.iter().map(|&leaf| Known::new(arena, leaf)).collect();
    let mut written: HashMap<ExprId, ExprId> = HashMap::default();
    let mut steps = Vec::new();
    let mut definitions = Definitions::default();
    let shape = arena.shape(of);
    let mut out =
        Differentiated { total: arena.zeros(shape), maps: HashMap::default(), steps: Vec::new(), substituted: false };
    if leaves.contains(&of) {
        out.total = arena.differential_of(of);
    }
    let order: Vec<ExprId> =
        arena.reachable(&[of]).into_iter().filter(|id| matches!(arena.op(*id), Op::Named(_))).collect();
    for id in order {
        if leaves.contains(&id) || !moving.contains(&id) {
            continue;
        }
        let Op::Named(name) = arena.op(id) else { continue };
        let body = arena.named(*name).body;
        let (d, differentials) = differential(arena, body, &|leaf| moving.contains(&leaf))?;
        let dz = arena.differential_of(id);
        let Some(d) = d else {
            // A comparison stands still although what it reads moves.
            let still = arena.zeros(arena.shape(id));
            written.insert(dz, still);
            continue;
        };
        let d = definitions.put_into(arena, d);
        for known in &mut known {
            let map = linear(arena, d, known)?;
            known.of.insert(id, map);
        }
        let full = {
            let before = written.clone();
            substitute(arena, d, &mut HashMap::default(), &|_, node| before.get(&node).copied())
        };
        if log {
            // The differential of an adjoint is put in at once; that of a definition is a line of its own.
            let shown = substitute(arena, d, &mut HashMap::default(), &|arena, node| match arena.op(node) {
                Op::Differential(leaf) => match arena.op(*leaf) {
                    Op::Named(name) if arena.named(*name).kind.is_ours() => written.get(&node).copied(),
                    _ => None,
                },
                _ => None,
            });
            let rules = rules_of(arena, &differentials);
            steps.push(Step { rules, left: Left::Expression(dz), right: shown, detail: Detail::Brief });
            if id == of && full != shown {
                let rules = vec![rules::SUBSTITUTE];
                steps.push(Step { rules, left: Left::Continued, right: full, detail: Detail::Brief });
                out.substituted = true;
            }
        }
        if id == of {
            out.total = full;
        }
        written.insert(dz, full);
    }
    for (known, &leaf) in known.into_iter().zip(leaves) {
        out.maps.insert(leaf, known.of.get(&of).cloned().unwrap_or_default());
    }
    out.steps = steps;
    Ok(out)
}

/// A derivative in its forms.
struct Found {
    /// The shortest matrix form.
    result: ExprId,
    /// The matrix as the rules for vec give it, where it has that form.
    first: Option<ExprId>,
    /// The forms beside it.
    forms: Forms,
    /// Rows and columns of a derivative with at most two axes, else its axes.
    shape: Vec<DimId>,
    /// Whether the leaf is structured and the derivative was projected.
    projected: bool,
    /// Whether it is zero.
    zero: bool,
}

fn derivative(
    arena: &mut Arena,
    of: ExprId,
    leaf: ExprId,
    read: &Differentiated,
    names: &mut Names,
) -> Result<Found, NotCovered> {
    let (from, to) = (arena.shape(leaf), arena.shape(of));
    let free = read.maps.get(&leaf).cloned().unwrap_or_default();
    let map = free.projected(arena, leaf)?;
    let mut found = entries(arena, &map, from, to);
    let mut first = None;
    let mut candidates: Vec<ExprId> = Vec::new();
    if from.is_scalar() {
        candidates.push(along_one(arena, read.total, leaf));
    } else if to.is_scalar() {
        let one = arena.integer(1);
        let mut pulled = pull_back(arena, read.total, one, None)?;
        let gradient = match pulled.remove(&leaf) {
            Some(parts) => total(arena, &parts),
            None => arena.zeros(from),
        };
        let (gradient, _) = project(arena, leaf, gradient);
        candidates.push(if from.is_column() { arena.transpose(gradient) } else { gradient });
    } else if let Some(matrix) = map.matrix(arena, from)? {
        first = Some(matrix);
        candidates.push(matrix);
        candidates.extend(with_swaps(arena, &map, from)?);
        candidates.extend(map.sandwiched(arena, from)?);
        candidates.extend(projected_last(arena, &free, leaf, from)?);
        candidates.extend(readback::matrix(arena, &found)?);
    } else {
        let (rows, columns) = (stacked_size(arena, to)?, stacked_size(arena, from)?);
        candidates.push(arena.zeros(Shape::new(rows, columns)));
    }
    let mut best: Option<(usize, ExprId)> = None;
    for candidate in candidates {
        let shown = names.presenter.present(arena, candidate);
        let size = reading_size(arena, shown);
        if best.is_none_or(|(least, _)| size < least) {
            best = Some((size, shown));
        }
    }
    let (_, result) = best.expect("there is a candidate");
    for term in &mut found.terms {
        term.coefficient = names.presenter.present(arena, term.coefficient);
        for factor in &mut term.factors {
            factor.expr = names.presenter.present(arena, factor.expr);
        }
    }
    let operator = only(arena, read.total, leaf);
    let operator = names.presenter.present(arena, operator);
    let operator = (tree_size(arena, operator, LARGEST_VALUE) <= LARGEST_VALUE).then_some(operator);
    let shape = arena.shape(result);
    let zero = arena.is_zero(result);
    let forms = Forms { entries: found, operator, gradient: None };
    let shape = if forms.stacked() { forms.entries.axes.clone() } else { vec![shape.rows, shape.columns] };
    let (_, how) = {
        let zeros = arena.zeros(from);
        project(arena, leaf, zeros)
    };
    Ok(Found { result, first, forms, shape, projected: how.is_some(), zero })
}

/// How long an expression reads: its nodes, where a commutation matrix counts as a sign.
fn reading_size(arena: &Arena, id: ExprId) -> usize {
    tree_size(arena, id, 4 * LARGEST_VALUE)
}

fn stacked_size(arena: &mut Arena, shape: Shape) -> Result<DimId, NotCovered> {
    crate::tensor::constants::times(arena, shape.rows, shape.columns)
}

/// The differential where only one leaf moves.
fn only(arena: &mut Arena, d: ExprId, leaf: ExprId) -> ExprId {
    let dx = arena.differential_of(leaf);
    with_one(arena, d, leaf, dx)
}

/// The differential with the d of a scalar leaf as 1 and all others as 0: the derivative by that scalar.
fn along_one(arena: &mut Arena, d: ExprId, leaf: ExprId) -> ExprId {
    let one = arena.integer(1);
    with_one(arena, d, leaf, one)
}

/// The differential with a value for the d of a leaf, and 0 for all others.
fn with_one(arena: &mut Arena, d: ExprId, leaf: ExprId, value: ExprId) -> ExprId {
    let mut with: HashMap<ExprId, ExprId> = HashMap::default();
    for other in crate::tensor::linear::differentials_in(arena, d) {
        let dx = arena.differential_of(other);
        if other == leaf {
            with.insert(dx, value);
        } else {
            let shape = arena.shape(other);
            let zeros = arena.zeros(shape);
            with.insert(dx, zeros);
        }
    }
    substitute(arena, d, &mut HashMap::default(), &|_, node| with.get(&node).copied())
}

/// The matrix times that of the projection: M·½(I ± K); nothing for a leaf without structure.
fn projected_last(arena: &mut Arena, free: &Linear, leaf: ExprId, from: Shape) -> Result<Option<ExprId>, NotCovered> {
    let Some(parts) = projection(arena, leaf) else { return Ok(None) };
    let chains = parts.into_iter().map(|(number, piece)| Chain {
        number,
        scalars: Vec::new(),
        pieces: piece.into_iter().collect(),
    });
    let projection = Linear { chains: chains.collect() }.matrix(arena, from)?;
    let (Some(matrix), Some(projection)) = (free.matrix(arena, from)?, projection) else { return Ok(None) };
    Ok(Some(arena.multiply(&[matrix, projection])))
}

/// The matrix with commutation matrices in front, (B⊗A)·K = K·(A⊗B), and with I ± K taken out on either side; nothing
/// where there is no such matrix.
fn with_swaps(arena: &mut Arena, map: &Linear, from: Shape) -> Result<Vec<ExprId>, NotCovered> {
    let swapped = |chain: &Chain| matches!(chain.pieces[..], [Piece::Swap(_)] | [Piece::Swap(_), Piece::Kron { .. }]);
    if !map.chains.iter().any(swapped) {
        return Ok(Vec::new());
    }
    let mut turned = map.clone();
    for chain in &mut turned.chains {
        if let [Piece::Swap(_), Piece::Kron { right, left }] = chain.pieces[..] {
            let shape = Shape::new(arena.shape(right).rows, arena.shape(left).rows);
            if shape.rows != DimId::ONE && shape.columns != DimId::ONE {
                chain.pieces = vec![Piece::Kron { right: left, left: right }, Piece::Swap(shape)];
            }
        }
    }
    let mut out = Vec::new();
    out.extend(turned.matrix(arena, from)?);
    for map in [map, &turned] {
        out.extend(with_common_kron(arena, map, from)?);
    }
    Ok(out)
}

/// The matrix with (B⊗A) + c·(B⊗A)·K as (B⊗A)·(I + c·K), and likewise with K in front.
fn with_common_kron(arena: &mut Arena, map: &Linear, from: Shape) -> Result<Option<ExprId>, NotCovered> {
    let mut left: Vec<Chain> = map.chains.clone();
    let mut terms: Vec<(Number, ExprId)> = Vec::new();
    let mut any = false;
    while let Some(chain) = left.pop() {
        let (swap, first) = match chain.pieces[..] {
            [Piece::Swap(shape), Piece::Kron { .. }] | [Piece::Swap(shape)] => (shape, true),
            [Piece::Kron { .. }, Piece::Swap(shape)] => (shape, false),
            _ => {
                terms.push((Number::ONE, chain.matrix(arena, from)?));
                continue;
            }
        };
        let kron: Vec<Piece> = chain.pieces.iter().copied().filter(|p| !matches!(p, Piece::Swap(_))).collect();
        let other = left.iter().position(|c| c.pieces == kron && c.scalars == chain.scalars);
        let ratio = other.and_then(|at| Some(chain.number.times(left[at].number.reciprocal()?)));
        let (Some(at), Some(ratio)) = (other, ratio) else {
            terms.push((Number::ONE, chain.matrix(arena, from)?));
            continue;
        };
        let plain = left.remove(at);
        let whole = plain.matrix(arena, from)?;
        let swap = commutation(arena, swap)?;
        let identity = arena.identity(arena.shape(swap).rows);
        let sum = arena.sum(&[(Number::ONE, identity), (ratio, swap)]);
        let product = if first { arena.multiply(&[whole, sum]) } else { arena.multiply(&[sum, whole]) };
        terms.push((Number::ONE, product));
        any = true;
    }
    Ok(if any { Some(arena.sum(&terms)) } else { None })
}

/// The line vec(dY) = Σ J·vec(dX), and the one that goes on to the form of the result.
fn vec_lines(
    arena: &mut Arena,
    of: ExprId,
    leaf: ExprId,
    read: &Differentiated,
    found: &Found,
    steps: &mut Vec<Step>,
) -> Result<(), NotCovered> {
    let Some(first) = found.first else { return Ok(()) };
    let dy = arena.differential_of(of);
    let left = vec(arena, dy);
    // The other leaves' parts, as they are.
    let mut rest = Vec::new();
    for (&other, map) in &read.maps {
        let from = arena.shape(other);
        if other != leaf && !map.is_zero() {
            let Some(matrix) = (if from.is_scalar() { None } else { map.matrix(arena, from)? }) else {
                return Ok(());
            };
            rest.push((other, matrix));
        }
    }
    rest.sort_unstable();
    let line = |arena: &mut Arena, own: ExprId| {
        let mut terms = Vec::new();
        for (other, matrix) in std::iter::once((leaf, own)).chain(rest.iter().copied()) {
            let dx = arena.differential_of(other);
            let stacked = vec(arena, dx);
            terms.push((Number::ONE, arena.multiply(&[matrix, stacked])));
        }
        arena.sum(&terms)
    };
    let right = line(arena, first);
    let rules = vec![if found.forms.stacked() { rules::VEC_OF_PRODUCT } else { rules::MATRIX_OF_DIFFERENTIAL }];
    // Of a vector vec is the vector itself: the line goes on from that of the differential.
    let goes_on = left == dy
        && steps.iter().rfind(|step| step.left != Left::Continued).is_some_and(|s| s.left == Left::Expression(dy));
    let left = if goes_on { Left::Continued } else { Left::Expression(left) };
    steps.push(Step { rules, left, right, detail: Detail::Brief });
    let shown = line(arena, found.result);
    if shown != right {
        let rules = vec![rules::SIMPLIFY];
        steps.push(Step { rules, left: Left::Continued, right: shown, detail: Detail::Brief });
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // the parts of an outcome
fn outcome(
    arena: &mut Arena,
    kind: AskKind,
    asked: &Asked<'_>,
    leaves: Vec<ExprId>,
    name: String,
    mut found: Found,
    derivation: Derivation,
    names: &mut Names,
) -> Outcome {
    let mut program: Vec<Line> = Vec::new();
    for term in &mut found.forms.entries.terms {
        for factor in &mut term.factors {
            if tree_size(arena, factor.expr, LARGEST_FACTOR) > LARGEST_FACTOR {
                let text = arena.unused_name("T");
                let named = arena.name(text.clone(), factor.expr, NameKind::Shared);
                program.extend(program_of(arena, text, factor.expr, names));
                factor.expr = named;
            }
        }
    }
    let written = super::written_out(arena, found.result);
    let value = present_value(arena, written, names);
    let wrt: Vec<String> = leaves.iter().map(|&leaf| arena.name_of(leaf)).collect();
    program.extend(program_of(arena, name, found.result, names));
    let mut notes = Vec::new();
    for (&leaf, name) in leaves.iter().zip(&wrt) {
        if let Some(d) = taken_name_of_differential(arena, leaf) {
            notes.push(format!("in the steps {d} is the differential of {name}"));
        }
        let zeros = arena.zeros(arena.shape(leaf));
        if project(arena, leaf, zeros).1.is_some() {
            notes.push(format!(
                "{name} is structured: this is projected onto its structure in each pair of its indices"
            ));
        }
    }
    notes.extend(program.iter().filter_map(|line| meaning(arena, &line.name, line.right)));
    if found.zero {
        let by = wrt.last().cloned().unwrap_or_default();
        let of = arena.name_of(asked.node);
        notes.push(match kind {
            AskKind::Hessian => format!("the gradient of {of} by {} does not depend on {by}", wrt[0]),
            _ => format!("{of} does not depend on {by}"),
        });
    }
    Outcome {
        kind,
        of: asked.text.to_owned(),
        wrt,
        wrt_nodes: leaves,
        direction: Direction::None,
        of_node: asked.node,
        shape: found.shape,
        value,
        result: found.result,
        program,
        notes,
        derivation,
        forms: Some(found.forms),
    }
}

//! Jacobians and Hessians: the differential of what is asked for, or of its gradient, is read as a linear map, once as a
//! matrix that acts on vec and once entry by entry. The matrix is given in the shortest form found.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::directed::are_independent;
use super::{
    Asked, Direction, LARGEST_VALUE, Line, Names, Outcome, present_value, program_of, taken_name_of_differential,
};
use crate::calculus::NotCovered;
use crate::calculus::differential::differential;
use crate::calculus::gradient::{Gradient, conclude, gradients, gradients_against, moving_names, project, rules_of};
use crate::calculus::names::Names as Definitions;
use crate::derivation::{Derivation, Detail, Left, Step};
use crate::dimension::{DimId, Shape};
use crate::expr::substitute::{substitute, tree_size};
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::functions::Function;
use crate::number::Number;
use crate::rules::{self, RuleId};
use crate::syntax::ast::AskKind;
use crate::tensor::constants::meaning;
use crate::tensor::forms::{projected_last, with_swaps};
use crate::tensor::index::{Entries, entries};
use crate::tensor::linear::{Known, Linear, differentials_in, linear};
use crate::tensor::piece::{Piece, vec};
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
    /// The differential with every waypoint put in; nothing where that is too large.
    total: Option<ExprId>,
    /// For each scalar leaf the derivative by it.
    by_scalar: HashMap<ExprId, ExprId>,
    /// For each leaf the map by which it depends on that leaf.
    maps: HashMap<ExprId, Linear>,
    /// Lines that lead to the differential.
    steps: Vec<Step>,
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
    let mut told: Vec<Step> = Vec::new();
    let mut out = Vec::with_capacity(wrt.len());
    for &leaf in wrt {
        let read = alone.get(&leaf).unwrap_or(&all);
        let found = derivative(arena, of, leaf, read, names)?;
        if log {
            if joint.contains(&leaf) {
                let mut lines = Vec::new();
                vec_lines(arena, of, leaf, &all, &found, &steps, &mut lines)?;
                let fresh = lines.iter().any(|line| told.iter().all(|old| old.right != line.right));
                if fresh {
                    told.extend(lines.iter().cloned());
                    steps.append(&mut lines);
                }
            }
            let mut rules = vec![rules::FIRST_IDENTIFICATION];
            if found.projected {
                rules.push(rules::PROJECT);
            }
            let (of, wrt) = (arena.name_of(of), arena.name_of(leaf));
            let left = Left::Jacobian { of, wrt, stacked: stacked_sides(arena, asked.node, leaf, &found.forms) };
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
    are_independent(arena, &leaves)?;
    let hidden: Vec<ExprId> = leaves.iter().copied().filter(|&leaf| matches!(arena.op(leaf), Op::Named(_))).collect();
    let one = arena.integer(1);
    let sweep = gradients_against(arena, of, one, &leaves, &hidden, log)?;
    let gradient = sweep.gradients[0].clone();
    let mut steps = sweep.derivation.steps;
    let mut kinks: Vec<&'static str> = Vec::new();
    for other in &sweep.gradients {
        kinks.extend(other.kinks.iter().filter(|kink| !kinks.contains(kink)).copied().collect::<Vec<_>>());
    }
    let raw = gradient.value.unwrap_or(gradient.named);
    // For reading a definition stands where its expression does; not where the two move apart.
    let shown = if hidden.is_empty() { names.presenter.present(arena, raw) } else { raw };
    if log {
        conclude(arena, &arena.name_of(of), &Gradient { named: shown, ..gradient.clone() }, &mut steps);
    }
    let body = to_differentiate(arena, raw, shown);
    let base = format!("G_{}", arena.name_of(first));
    // Of several requests that go on from one gradient it has one name.
    let known = arena.all_named().iter().position(|n| n.kind == NameKind::Adjoint && n.body == body && n.name == base);
    let named = match known {
        Some(i) => arena.named_node(i),
        None => {
            let text = arena.unused_name(&base);
            arena.name(text, body, NameKind::Adjoint)
        }
    };
    let read = differentiated(arena, named, &leaves, log)?;
    add_new(&mut steps, &read.steps);
    let mut found = derivative(arena, named, last, &read, names)?;
    found.forms.gradient = Some(named);
    if log {
        let mut lines = Vec::new();
        vec_lines(arena, named, last, &read, &found, &steps, &mut lines)?;
        steps.append(&mut lines);
        let mut rules = vec![rules::SECOND_IDENTIFICATION];
        if found.projected || gradient.projection.is_some() {
            rules.push(rules::PROJECT);
        }
        let left = Left::Hessian {
            of: arena.name_of(of),
            wrt: [arena.name_of(first), arena.name_of(last)],
            stacked: stacked_sides(arena, first, last, &found.forms),
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

/// Which of two sides are vec of a matrix in a derivative of more than two axes.
pub fn stacked_sides(arena: &Arena, of: ExprId, by: ExprId, forms: &Forms) -> [bool; 2] {
    let matrix = |id: ExprId| {
        let shape = arena.shape(id);
        forms.stacked() && !shape.is_column() && !shape.is_row()
    };
    [matrix(of), matrix(by)]
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
    // The differentials of waypoints in terms of the leaves' own; and for each scalar leaf their derivatives by it.
    let mut written: HashMap<ExprId, ExprId> = HashMap::default();
    let scalars: Vec<ExprId> = leaves.iter().copied().filter(|&leaf| arena.shape(leaf).is_scalar()).collect();
    let mut by_scalar: Vec<HashMap<ExprId, ExprId>> = Vec::with_capacity(scalars.len());
    for &leaf in &scalars {
        let mut with = HashMap::default();
        for &other in leaves {
            let (dx, shape) = (arena.differential_of(other), arena.shape(other));
            with.insert(dx, if other == leaf { arena.integer(1) } else { arena.zeros(shape) });
        }
        by_scalar.push(with);
    }
    let mut too_large: HashSet<ExprId> = HashSet::default();
    let mut steps = Vec::new();
    let mut definitions = Definitions::default();
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
            by_scalar.iter_mut().for_each(|with| {
                with.insert(dz, still);
            });
            continue;
        };
        let d = definitions.put_into(arena, d);
        for known in &mut known {
            let map = linear(arena, d, known)?;
            known.of.insert(id, map);
        }
        for with in &mut by_scalar {
            let mut own = substitute(arena, d, &mut HashMap::default(), &|_, node| with.get(&node).copied());
            if tree_size(arena, own, LARGEST_VALUE) > LARGEST_VALUE {
                let text = arena.unused_name(&format!("D_{}", arena.name_of(id)));
                own = arena.name(text, own, NameKind::Adjoint);
            }
            with.insert(dz, own);
        }
        let full = if differentials_in(arena, d).iter().any(|leaf| too_large.contains(leaf)) {
            None
        } else {
            let full = substitute(arena, d, &mut HashMap::default(), &|_, node| written.get(&node).copied());
            (tree_size(arena, full, LARGEST_VALUE) <= LARGEST_VALUE).then_some(full)
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
            if let Some(full) = full.filter(|&full| id == of && full != shown) {
                let rules = vec![rules::SUBSTITUTE];
                steps.push(Step { rules, left: Left::Continued, right: full, detail: Detail::Brief });
            }
        }
        match full {
            Some(full) => {
                written.insert(dz, full);
            }
            None => {
                too_large.insert(id);
            }
        }
    }
    let dy = arena.differential_of(of);
    let still = arena.zeros(arena.shape(of));
    let total = match written.get(&dy) {
        Some(&total) => Some(total),
        None if leaves.contains(&of) => Some(dy),
        None if too_large.contains(&of) => None,
        None => Some(still),
    };
    let values = scalars.iter().zip(&by_scalar).map(|(&leaf, with)| (leaf, with.get(&dy).copied().unwrap_or(still)));
    let by_scalar = values.collect();
    let mut maps = HashMap::default();
    for (known, &leaf) in known.into_iter().zip(leaves) {
        maps.insert(leaf, known.of.get(&of).cloned().unwrap_or_default());
    }
    Ok(Differentiated { total, by_scalar, maps, steps })
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
        let still = arena.zeros(to);
        candidates.push(read.by_scalar.get(&leaf).copied().unwrap_or(still));
    } else if to.is_scalar() {
        let sweep = gradients(arena, of, &[leaf], false)?;
        let gradient = sweep.gradients[0].value.unwrap_or(sweep.gradients[0].named);
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
    let operator = read.total.map(|total| {
        let own = only(arena, total, leaf);
        names.presenter.present(arena, own)
    });
    let operator = operator.filter(|&operator| tree_size(arena, operator, LARGEST_VALUE) <= LARGEST_VALUE);
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
    let mut still: HashMap<ExprId, ExprId> = HashMap::default();
    for other in differentials_in(arena, d).into_iter().filter(|&other| other != leaf) {
        let (dx, shape) = (arena.differential_of(other), arena.shape(other));
        still.insert(dx, arena.zeros(shape));
    }
    substitute(arena, d, &mut HashMap::default(), &|_, node| still.get(&node).copied())
}

/// The line vec(dY) = Σ J·vec(dX), and the one that goes on to the form of the result.
fn vec_lines(
    arena: &mut Arena,
    of: ExprId,
    leaf: ExprId,
    read: &Differentiated,
    found: &Found,
    before: &[Step],
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
    let rules = if found.forms.stacked() { vec_rules(&read.maps) } else { vec![rules::MATRIX_OF_DIFFERENTIAL] };
    // Of a vector vec is the vector itself: the line goes on from that of the differential.
    let goes_on = left == dy
        && before.iter().rfind(|step| step.left != Left::Continued).is_some_and(|s| s.left == Left::Expression(dy));
    let left = if goes_on { Left::Continued } else { Left::Expression(left) };
    steps.push(Step { rules, left, right, detail: Detail::Brief });
    let shown = line(arena, found.result);
    if shown != right {
        let rules = vec![rules::SIMPLIFY];
        steps.push(Step { rules, left: Left::Continued, right: shown, detail: Detail::Brief });
    }
    Ok(())
}

/// The rules by which vec of a differential is a matrix times vec(dX).
fn vec_rules(maps: &HashMap<ExprId, Linear>) -> Vec<RuleId> {
    let mut out = Vec::new();
    for piece in maps.values().flat_map(|map| &map.chains).flat_map(|chain| &chain.pieces) {
        let rule = match piece {
            Piece::Kron { .. } => rules::VEC_OF_PRODUCT,
            Piece::Diagonal(_) => rules::VEC_OF_HADAMARD,
            Piece::Swap(_) => rules::VEC_OF_TRANSPOSE,
            Piece::Row(_) => rules::VEC_OF_TRACE,
            Piece::Embed(_) | Piece::Extract(_) => rules::VEC_OF_DIAGONAL,
            Piece::Half { .. } | Piece::Matrix { .. } | Piece::Column(_) | Piece::Reshape { .. } => continue,
        };
        if !out.contains(&rule) {
            out.push(rule);
        }
    }
    if out.is_empty() {
        out.push(rules::MATRIX_OF_DIFFERENTIAL);
    }
    out.sort_unstable();
    out
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
        curvature: Vec::new(),
        derivation,
        forms: Some(found.forms),
    }
}

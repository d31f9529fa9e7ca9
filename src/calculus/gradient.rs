//! Gradients of one scalar with respect to several variables in one sweep: from the last definition to the first, each
//! definition's adjoint is finished before its own differential is taken. The size of the work is that of the program.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::NotCovered;
use super::adjoint::{pull_back, total};
use super::differential::{Differentials, differential};
use super::lines::{Lines, pairing};
use super::names::Names;
use crate::derivation::{Derivation, Detail, Left, Step};
use crate::elaborate::Property;
use crate::expr::substitute::local_nodes;
use crate::expr::substitute::{substitute, tree_size};
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::functions::Function;
use crate::number::Number;
use crate::rules::{self, RuleId};

/// A value with its adjoints written out is not built beyond this size.
const LARGEST_WRITTEN: usize = 4_000;
/// An adjoint with one way on gets a name from this size on.
const LONGEST_UNNAMED: usize = 30;

/// A gradient and how it came about.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// With respect to this variable's or definition's node.
    pub wrt: ExprId,
    /// With adjoints by name.
    pub named: ExprId,
    /// With every adjoint written out, where that is not too large.
    pub value: Option<ExprId>,
    /// How many definitions it comes from.
    pub uses: usize,
    /// Where a function has no derivative and a usual value was taken.
    pub kinks: Vec<&'static str>,
    /// How the variable's structure entered, in words.
    pub projection: Option<&'static str>,
    /// The steps that lead here and that no earlier gradient of the sweep has shown.
    pub derivation: Derivation,
}

/// All gradients of one sweep.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// In the order asked for.
    pub gradients: Vec<Gradient>,
    /// The steps of the sweep, in order.
    pub derivation: Derivation,
}

/// What moves when the leaves of `wrt` do: those leaves and each definition below `root` that depends on them.
pub fn moving_names(arena: &Arena, root: ExprId, wrt: &[ExprId]) -> HashSet<ExprId> {
    let mut moving: HashSet<ExprId> = wrt.iter().copied().collect();
    moving.retain(|&leaf| !arena.properties(leaf).has(Property::Constant));
    for id in arena.reachable(&[root]) {
        if let Op::Named(name) = arena.op(id)
            && !moving.contains(&id)
            && local_nodes(arena, arena.named(*name).body).iter().any(|leaf| moving.contains(leaf))
        {
            moving.insert(id);
        }
    }
    moving
}

/// The gradients of the scalar `root` with respect to variables or definitions.
pub fn gradients(arena: &mut Arena, root: ExprId, wrt: &[ExprId], log: bool) -> Result<Sweep, NotCovered> {
    let one = arena.integer(1);
    gradients_against(arena, root, one, wrt, &[], log)
}

/// The gradients of ⟨cotangent, root⟩ = tr(cotangentᵀ·root), in which the cotangent stands still whatever is in it. Of a
/// gradient that is differentiated again the definitions that move are `hidden`: an expression like theirs stands still.
pub fn gradients_against(
    arena: &mut Arena,
    root: ExprId,
    cotangent: ExprId,
    wrt: &[ExprId],
    hidden: &[ExprId],
    log: bool,
) -> Result<Sweep, NotCovered> {
    let moving = moving_names(arena, root, wrt);
    let mut sweep = Sweep::default();
    let mut cotangents: BTreeMap<ExprId, Vec<ExprId>> = BTreeMap::new();
    cotangents.insert(root, vec![cotangent]);
    let mut finished: HashMap<ExprId, (ExprId, usize)> = HashMap::default();
    let mut names = Names::hiding(hidden);
    let mut kinks: HashMap<ExprId, Vec<&'static str>> = HashMap::default();
    let mut steps: Vec<Step> = Vec::new();
    while let Some((id, parts)) = cotangents.pop_last() {
        let g = total(arena, &parts);
        if wrt.contains(&id) {
            // A definition that is asked for counts as independent, and passes on what the variables below it get.
            finished.insert(id, (g, parts.len()));
        }
        let body = match arena.op(id) {
            Op::Named(name) => arena.named(*name).body,
            Op::Variable(_) => continue,
            _ => id,
        };
        let (d, differentials) = differential(arena, body, &|leaf| moving.contains(&leaf))?;
        let Some(d) = d else { continue };
        let d = names.put_into(arena, d);
        carry_kinks(arena, id, &differentials, &mut kinks);
        let targets = local_nodes(arena, d).iter().filter(|&&n| matches!(arena.op(n), Op::Differential(_))).count();
        let uses = parts.len();
        let g = name_adjoint(arena, id, g, targets, uses, log.then_some(&mut steps));
        if let Some((own, _)) = finished.get_mut(&id) {
            *own = g;
        }
        let pulled = if log {
            let (left, right) = take_differential(arena, id, g, d, &differentials, &mut steps);
            let mut lines = Lines::new(&mut steps, left, right);
            let pulled = pull_back(arena, d, g, Some(&mut lines))?;
            lines.finish();
            pulled
        } else {
            pull_back(arena, d, g, None)?
        };
        for (leaf, parts) in pulled {
            // Parts from definitions further from the root come first: a regulariser stands last.
            cotangents.entry(leaf).or_default().splice(0..0, parts);
        }
    }
    let mut sizes: HashMap<ExprId, usize> = HashMap::default();
    let mut written_out: HashMap<ExprId, ExprId> = HashMap::default();
    for &leaf in wrt {
        let (named, uses) = match finished.get(&leaf) {
            Some(&found) => found,
            None => {
                let shape = arena.shape(leaf);
                (arena.zeros(shape), 0)
            }
        };
        let value = (written_size(arena, named, LARGEST_WRITTEN, &mut sizes) <= LARGEST_WRITTEN).then(|| {
            let value = write_out_adjoints(arena, named, &mut written_out);
            project(arena, leaf, value).0
        });
        let (named, projection) = project(arena, leaf, named);
        let kinks = kinks.remove(&leaf).unwrap_or_default();
        sweep.gradients.push(Gradient {
            wrt: leaf,
            named,
            value,
            uses,
            projection,
            kinks,
            derivation: Derivation::default(),
        });
    }
    sweep.derivation.steps = steps;
    Ok(sweep)
}

/// The size of an expression as a tree with adjoints written out, up to a limit.
fn written_size(arena: &Arena, root: ExprId, limit: usize, sizes: &mut HashMap<ExprId, usize>) -> usize {
    let mut stack = vec![root];
    while let Some(&id) = stack.last() {
        if sizes.contains_key(&id) {
            stack.pop();
            continue;
        }
        let mut children = Vec::new();
        match arena.op(id) {
            Op::Named(name) if arena.named(*name).kind.is_ours() => children.push(arena.named(*name).body),
            _ => arena.operands(id, |a| children.push(a)),
        }
        let before = stack.len();
        stack.extend(children.iter().filter(|a| !sizes.contains_key(a)));
        if stack.len() > before {
            continue;
        }
        let size = children.iter().fold(1_usize, |sum, a| sum.saturating_add(sizes[a]));
        sizes.insert(id, size.min(limit + 1));
        stack.pop();
    }
    sizes[&root]
}

/// The expression with each adjoint's name replaced by what it stands for.
pub fn write_out_adjoints(arena: &mut Arena, root: ExprId, done: &mut HashMap<ExprId, ExprId>) -> ExprId {
    substitute(arena, root, done, &|arena, id| match arena.op(id) {
        Op::Named(name) if arena.named(*name).kind.is_ours() => Some(arena.named(*name).body),
        _ => None,
    })
}

/// Gives the adjoint of a definition a name where several gradients go on from it.
fn name_adjoint(
    arena: &mut Arena,
    id: ExprId,
    g: ExprId,
    targets: usize,
    uses: usize,
    steps: Option<&mut Vec<Step>>,
) -> ExprId {
    let Op::Named(name) = *arena.op(id) else { return g };
    let (_, inner) = arena.coefficient(g);
    let (_, inner) = arena.split_scalars(inner);
    let simple = matches!(
        arena.op(inner),
        Op::Number(_) | Op::Variable(_) | Op::Named(_) | Op::Ones | Op::Identity | Op::Dimension(_)
    );
    // A long chain of waypoints with one way on would grow with each: from some size on it gets a name all the same.
    let small = targets < 2 && tree_size(arena, g, LONGEST_UNNAMED) <= LONGEST_UNNAMED;
    if small || simple || arena.is_ones(inner) {
        return g;
    }
    let base = format!("G_{}", arena.named(name).name);
    let text = arena.unused_name(&base);
    let named = arena.name(text, g, NameKind::Adjoint);
    if let Some(steps) = steps {
        let rules = if uses > 1 { vec![rules::ADJOINT, rules::COLLECT] } else { vec![rules::ADJOINT] };
        steps.push(Step { rules, left: Left::Expression(named), right: g, detail: Detail::Brief });
    }
    named
}

/// The line dZ = dE of Z = E, and the one that puts it into ⟨G, dZ⟩; the sides of the last line.
fn take_differential(
    arena: &mut Arena,
    id: ExprId,
    g: ExprId,
    d: ExprId,
    parts: &Differentials,
    steps: &mut Vec<Step>,
) -> (ExprId, ExprId) {
    let dz = arena.differential_of(id);
    if let Op::Named(name) = arena.op(id)
        && arena.is_rewritten(arena.named(*name).body)
    {
        let right = arena.named(*name).body;
        steps.push(Step { rules: vec![rules::SIMPLIFY], left: Left::Expression(id), right, detail: Detail::Brief });
    }
    let rules = rules_of(arena, parts);
    steps.push(Step { rules, left: Left::Expression(dz), right: d, detail: Detail::Brief });
    if matches!(arena.op(g), Op::Number(k) if k.is_one()) {
        return (dz, d);
    }
    let (left, right) = (pairing(arena, g, dz), pairing(arena, g, d));
    let rules = vec![rules::SUBSTITUTE];
    steps.push(Step { rules, left: Left::Expression(left), right, detail: Detail::Full });
    (left, right)
}

/// The rules by which the differentials of these nodes are taken, the outermost first.
pub fn rules_of(arena: &Arena, parts: &Differentials) -> Vec<RuleId> {
    let mut out: Vec<RuleId> = Vec::new();
    for &node in parts.order.iter().rev() {
        if let Some(rule) = rule_of(arena, node)
            && !out.contains(&rule)
        {
            out.push(rule);
        }
    }
    if out.is_empty() {
        out.push(rules::SIMPLIFY);
    }
    out
}

/// The rule by which d of a node is taken.
fn rule_of(arena: &Arena, node: ExprId) -> Option<RuleId> {
    Some(match arena.op(node) {
        Op::Product { scalars, factors } if scalars.len() + factors.len() > 1 => {
            let plain = factors.iter().all(|&f| matches!(arena.op(f), Op::Ones));
            if plain && !factors.is_empty() { rules::BROADCAST } else { rules::PRODUCT }
        }
        Op::Hadamard(list) => {
            let divides = |&a: &ExprId| arena.element_power_form(a).1.is_negative();
            if list.iter().any(divides) { rules::QUOTIENT } else { rules::HADAMARD_PRODUCT }
        }
        Op::Power(_, exponent) => match arena.op(*exponent) {
            Op::Number(k) if *k == Number::MINUS_ONE => RuleId::of_function(Function::Recip),
            Op::Number(k) if *k == Number::HALF => RuleId::of_function(Function::Sqrt),
            Op::Number(_) => rules::POWER,
            _ => rules::EXPONENTIAL,
        },
        Op::MatrixPower(_, k) if *k == Number::MINUS_ONE => rules::INVERSE,
        Op::MatrixPower(_, k) if k.as_integer().is_some() => rules::MATRIX_POWER,
        Op::MatrixPower(..) => rules::MATRIX_ROOT,
        Op::Sum(terms) if terms.len() > 1 => rules::SUM,
        Op::Transpose(_) => rules::TRANSPOSED,
        Op::Call(function, ..) => RuleId::of_function(*function),
        Op::Horizontal(_) | Op::Vertical(_) => rules::BLOCKS,
        Op::Reshape(_) => rules::RESHAPED,
        _ => return None,
    })
}

/// Notes of kinks go with the adjoints: what d of a definition passes, with what the definition's own adjoint carries.
fn carry_kinks(arena: &Arena, id: ExprId, parts: &Differentials, carried: &mut HashMap<ExprId, Vec<&'static str>>) {
    let add = |leaf: ExprId, note: &'static str, carried: &mut HashMap<ExprId, Vec<&'static str>>| {
        let notes = carried.entry(leaf).or_default();
        if !notes.contains(&note) {
            notes.push(note);
        }
    };
    let leaves = |id: ExprId| {
        local_nodes(arena, id).into_iter().filter(|&n| matches!(arena.op(n), Op::Variable(_) | Op::Named(_)))
    };
    if let Some(own) = carried.get(&id).cloned()
        && let Some(&body) = parts.order.last()
    {
        for leaf in leaves(body).filter(|&leaf| leaf != id) {
            own.iter().for_each(|&note| add(leaf, note, carried));
        }
    }
    for &node in &parts.order {
        if let Some(note) = kink(arena, node) {
            leaves(node).for_each(|leaf| add(leaf, note, carried));
        }
    }
}

/// Where the function of a node has no derivative, and what is taken there.
pub(super) fn kink(arena: &Arena, node: ExprId) -> Option<&'static str> {
    let Op::Call(function, ..) = arena.op(node) else { return None };
    Some(match function {
        Function::Relu => "relu has no derivative at 0; relu'(0) = 0 is taken",
        Function::LeakyRelu => "leaky_relu has no derivative at 0; the slope is taken there",
        Function::Abs => "abs has no derivative at 0; sign(0) = 0 is taken",
        Function::Norm1 => "norm1 has no derivative where an entry is 0; sign(0) = 0 is taken",
        Function::Norm => "norm has no derivative at 0",
        Function::Max => "max has no derivative at a tie; it is split evenly",
        Function::Min => "min has no derivative at a tie; it is split evenly",
        Function::Sign => "sign has no derivative at 0; 0 is taken",
        Function::Step => "step has no derivative at 0; 0 is taken",
        _ => return None,
    })
}

/// The gradient of the unconstrained entries projected onto the variable's structure.
pub fn project(arena: &mut Arena, leaf: ExprId, g: ExprId) -> (ExprId, Option<&'static str>) {
    if arena.shape(leaf).is_scalar() || !matches!(arena.op(leaf), Op::Variable(_)) {
        return (g, None);
    }
    let of = arena.properties(leaf);
    if of.has(Property::Diagonal) {
        let diagonal = arena.diagonal(g);
        return (arena.diagonal(diagonal), Some("the diagonal matrix of the unconstrained gradient"));
    }
    let other = if of.has(Property::Symmetric) {
        Number::HALF
    } else if of.has(Property::Skew) {
        Number::Ratio(-1, 2)
    } else {
        return (g, None);
    };
    let turned = arena.transpose(g);
    let projected = arena.sum(&[(Number::HALF, g), (other, turned)]);
    let how = if of.has(Property::Symmetric) {
        "the symmetric part (G + G')/2 of the unconstrained gradient"
    } else {
        "the skew part (G - G')/2 of the unconstrained gradient"
    };
    (projected, Some(how))
}

/// The last line of a gradient's derivation.
pub fn conclude(arena: &Arena, of: &str, gradient: &Gradient, steps: &mut Vec<Step>) {
    let wrt = arena.name_of(gradient.wrt);
    let mut rules = vec![rules::READ_OFF];
    if gradient.projection.is_some() {
        rules.push(rules::PROJECT);
    }
    if gradient.uses > 1 {
        rules.push(rules::COLLECT);
    }
    let left = Left::Gradient { of: of.to_owned(), wrt };
    steps.push(Step { rules, left, right: gradient.named, detail: Detail::Brief });
}

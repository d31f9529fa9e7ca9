//! Gradients of one scalar with respect to several variables in one sweep: from the last definition to the first, each
//! definition's adjoint is finished before its own differential is taken. The size of the work is that of the program.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::NotCovered;
use super::adjoint::{pairing, pull_back, total};
use super::differential::{Differentials, differential, local_nodes};
use super::substitute::substitute;
use crate::derivation::{Derivation, Detail, Left, Rule, Step};
use crate::elaborate::Property;
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::functions::Function;
use crate::number::Number;

const TAKE: Rule = Rule { id: "differential", statement: "dF by the rules of differentials" };
const READ_OFF: Rule = Rule { id: "read-off", statement: "dF = tr(G'dX), so G is the gradient" };
const ADJOINT: Rule = Rule { id: "adjoint", statement: "dL = tr(G_Z'dZ) names the adjoint of Z" };
const COLLECT: Rule = Rule { id: "collect", statement: "the contributions of all uses add up" };

/// A gradient and how it came about.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// With respect to this variable's or definition's node.
    pub wrt: ExprId,
    /// With adjoints by name.
    pub named: ExprId,
    /// With every adjoint written out.
    pub value: ExprId,
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
    /// Where a function has no derivative and a usual value was taken.
    pub kinks: Vec<&'static str>,
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
    let moving = moving_names(arena, root, wrt);
    let mut sweep = Sweep::default();
    let mut cotangents: BTreeMap<ExprId, Vec<ExprId>> = BTreeMap::new();
    let one = arena.integer(1);
    cotangents.insert(root, vec![one]);
    let mut finished: HashMap<ExprId, ExprId> = HashMap::new();
    let mut steps: Vec<Step> = Vec::new();
    while let Some((id, parts)) = cotangents.pop_last() {
        let g = total(arena, &parts);
        if wrt.contains(&id) {
            finished.insert(id, g);
            continue;
        }
        let body = match arena.op(id) {
            Op::Named(name) => arena.named(*name).body,
            Op::Variable(_) => continue,
            _ => id,
        };
        let (d, parts) = differential(arena, body, &|leaf| moving.contains(&leaf))?;
        let Some(d) = d else { continue };
        note_kinks(arena, &parts, &mut sweep.kinks);
        let targets = local_nodes(arena, d).iter().filter(|&&n| matches!(arena.op(n), Op::Differential(_))).count();
        let g = name_adjoint(arena, id, g, targets, log, &mut steps);
        let line = if log { Some(take_differential(arena, id, body, g, d, &parts, &mut steps)) } else { None };
        let pulled = pull_back(arena, d, g, &mut steps, line)?;
        for (leaf, parts) in pulled.parts {
            cotangents.entry(leaf).or_default().extend(parts);
        }
    }
    let mut written_out: HashMap<ExprId, ExprId> = HashMap::new();
    for &leaf in wrt {
        let named = match finished.get(&leaf) {
            Some(&g) => g,
            None => {
                let shape = arena.shape(leaf);
                arena.zeros(shape)
            }
        };
        let (named, projection) = project(arena, leaf, named);
        let value = write_out_adjoints(arena, named, &mut written_out);
        let (value, _) = project(arena, leaf, value);
        sweep.gradients.push(Gradient { wrt: leaf, named, value, projection, derivation: Derivation::default() });
    }
    sweep.derivation.steps = steps;
    Ok(sweep)
}

/// The expression with each adjoint's name replaced by what it stands for.
pub fn write_out_adjoints(arena: &mut Arena, root: ExprId, done: &mut HashMap<ExprId, ExprId>) -> ExprId {
    substitute(arena, root, done, &|arena, id| match arena.op(id) {
        Op::Named(name) if arena.named(*name).kind != NameKind::Definition => Some(arena.named(*name).body),
        _ => None,
    })
}

/// Gives the adjoint of a definition a name where several gradients go on from it.
fn name_adjoint(arena: &mut Arena, id: ExprId, g: ExprId, targets: usize, log: bool, steps: &mut Vec<Step>) -> ExprId {
    let Op::Named(name) = *arena.op(id) else { return g };
    let (_, inner) = arena.coefficient(g);
    let simple = matches!(
        arena.op(inner),
        Op::Number(_) | Op::Variable(_) | Op::Named(_) | Op::Ones | Op::Identity | Op::Dimension(_)
    );
    if targets < 2 || simple || arena.is_ones(inner) {
        return g;
    }
    let base = format!("G_{}", arena.named(name).name);
    let text = unused_name(arena, base);
    let named = arena.name(text, g, NameKind::Adjoint);
    if log {
        steps.push(Step { rule: ADJOINT, left: Left::Expression(named), right: g, detail: Detail::Brief });
    }
    named
}

/// A name that no variable, definition or adjoint has.
pub fn unused_name(arena: &Arena, base: String) -> String {
    let taken =
        |name: &str| arena.variables.iter().any(|v| v.name == name) || arena.all_named().iter().any(|n| n.name == name);
    if !taken(&base) {
        return base;
    }
    (2..).map(|i| format!("{base}_{i}")).find(|name| !taken(name)).expect("some number is free")
}

/// The steps from ⟨G, dZ⟩ to ⟨G, dE⟩ for Z = E; the left side of the last one.
fn take_differential(
    arena: &mut Arena,
    id: ExprId,
    body: ExprId,
    g: ExprId,
    d: ExprId,
    parts: &Differentials,
    steps: &mut Vec<Step>,
) -> ExprId {
    for &node in &parts.order {
        if let Some(rule) = rule_of(arena, node)
            && node != body
        {
            let right = parts.of[&node];
            steps.push(Step { rule, left: Left::DifferentialOf(node), right, detail: Detail::Full });
        }
    }
    let rule = rule_of(arena, body).unwrap_or(TAKE);
    let named = matches!(arena.op(id), Op::Named(_));
    if matches!(arena.op(g), Op::Number(k) if k.is_one()) {
        let df = if named { arena.differential_of(id) } else { d };
        let left = if named { Left::Expression(df) } else { Left::DifferentialOf(body) };
        steps.push(Step { rule, left, right: d, detail: Detail::Brief });
        return df;
    }
    let dz = arena.differential_of(id);
    steps.push(Step { rule, left: Left::Expression(dz), right: d, detail: Detail::Brief });
    let (left, right) = (pairing(arena, g, dz), pairing(arena, g, d));
    steps.push(Step { rule: TAKE, left: Left::Expression(left), right, detail: Detail::Full });
    left
}

/// The rule by which d of a node is taken, for those that a derivation names.
fn rule_of(arena: &Arena, node: ExprId) -> Option<Rule> {
    let rule = |id, statement| Some(Rule { id, statement });
    match arena.op(node) {
        Op::Product { .. } => rule("product", "d(XY) = dX Y + X dY"),
        Op::Hadamard(_) => rule("hadamard-product", "d(X .* Y) = dX .* Y + X .* dY"),
        Op::Power(_, exponent) => match arena.op(*exponent) {
            Op::Number(k) if *k == Number::MINUS_ONE => rule("reciprocal", "d(1 ./ X) = -dX ./ X.^2"),
            Op::Number(k) if *k == Number::HALF => rule("d-sqrt", "d sqrt(X) = 0.5*dX ./ sqrt(X)"),
            _ => rule("power", "d(X.^k) = k*X.^(k - 1) .* dX"),
        },
        Op::MatrixPower(_, k) if *k == Number::MINUS_ONE => rule("inverse", "d(inv(X)) = -inv(X) dX inv(X)"),
        Op::MatrixPower(_, k) if k.as_integer().is_some() => {
            rule("matrix-power", "d(X^k) = sum of X^i dX X^(k - 1 - i)")
        }
        Op::MatrixPower(..) => rule("matrix-root", "S = X^(1/2) solves dS S + S dS = dX"),
        Op::Sum(_) => rule("sum", "d(X + Y) = dX + dY"),
        Op::Transpose(_) => rule("d-transpose", "d(X') = (dX)'"),
        Op::Call(function, ..) => match function {
            Function::Trace => rule("d-trace", "d tr(X) = tr(dX)"),
            Function::Det => rule("determinant", "d det(X) = det(X) tr(inv(X) dX)"),
            Function::LogDet => rule("logdet", "d logdet(X) = tr(inv(X) dX)"),
            Function::Softmax => rule("softmax", "d softmax(X) = P .* dX - P .* rowsum(P .* dX), P = softmax(X)"),
            Function::LogSoftmax => rule("logsoftmax", "d logsoftmax(X) = dX - rowsum(softmax(X) .* dX)"),
            Function::LogSumExp => rule("logsumexp", "d logsumexp(X) = rowsum(softmax(X) .* dX)"),
            Function::Norm => rule("norm", "d norm(X) = tr(X'dX)/norm(X)"),
            Function::NormSq => rule("normsq", "d normsq(X) = 2*tr(X'dX)"),
            Function::Norm1 => rule("norm1", "d norm1(X) = tr(sign(X)'dX)"),
            Function::Chol => rule("cholesky", "dL = L phi(inv(L) dA inv(L)'), phi the lower half"),
            Function::Expm => rule("expm", "d expm(X) = upper right block of expm([X, dX; 0, X])"),
            Function::Pinv => rule("pinv", "the differential of the Moore-Penrose inverse at full rank"),
            Function::Adj => rule("adjugate", "adj(X) = det(X) inv(X)"),
            Function::Diag | Function::Tril | Function::Triu | Function::Vech | Function::Unvech => {
                rule("linear-map", "d f(X) = f(dX) for a linear f")
            }
            Function::Kron => rule("kronecker", "d kron(X, Y) = kron(dX, Y) + kron(X, dY)"),
            Function::Max | Function::Min => rule("extremum", "the larger operand moves; a tie is split evenly"),
            _ => rule("chain", "d f(X) = f'(X) .* dX by elements"),
        },
        Op::Horizontal(_) | Op::Vertical(_) => rule("blocks", "d of blocks is the blocks of the d's"),
        Op::Reshape(_) => rule("vec", "d vec(X) = vec(dX)"),
        _ => None,
    }
}

fn note_kinks(arena: &Arena, parts: &Differentials, kinks: &mut Vec<&'static str>) {
    for &node in &parts.order {
        let note = match arena.op(node) {
            Op::Call(Function::Relu, ..) => "relu has no derivative at 0; relu'(0) = 0 is taken",
            Op::Call(Function::LeakyRelu, ..) => "leaky_relu has no derivative at 0; the slope is taken there",
            Op::Call(Function::Abs, ..) => "abs has no derivative at 0; sign(0) = 0 is taken",
            Op::Call(Function::Norm1, ..) => "norm1 has no derivative where an entry is 0; sign(0) = 0 is taken",
            Op::Call(Function::Norm, ..) => "norm has no derivative at 0",
            Op::Call(Function::Max, ..) => "max has no derivative at a tie; it is split evenly",
            Op::Call(Function::Min, ..) => "min has no derivative at a tie; it is split evenly",
            _ => continue,
        };
        if !kinks.contains(&note) {
            kinks.push(note);
        }
    }
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

/// The final lines of a gradient's derivation.
pub fn conclude(arena: &Arena, of: &str, gradient: &Gradient, steps: &mut Vec<Step>) {
    let wrt = arena.name_of(gradient.wrt);
    let rule = if gradient.projection.is_some() { COLLECT } else { READ_OFF };
    let left = Left::Gradient { of: of.to_owned(), wrt };
    steps.push(Step { rule, left, right: gradient.named, detail: Detail::Brief });
}

//! From a text to all it asks for: the one call that the doors make. A program's text comes in; results with their
//! derivations go out, as expressions of one arena, or all the errors of the text. Nothing is printed here.

mod directed;
mod higher;
mod key;
mod verdict;

pub use directed::{Direction, FirstHalf, Move};
pub use verdict::Judged;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::calculus::NotCovered;
use crate::calculus::differential::differential;
use crate::calculus::gradient::{conclude, gradients, moving_names, rules_of, write_out_adjoints};
use crate::calculus::present::Presenter;
use crate::derivation::{Derivation, Detail, Left, Step};
use crate::diagnostic::{Diagnostic, Span};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Meaning, Property, Typed, elaborate};
use crate::expr::substitute::{rebuild, tree_size};
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::syntax::ast::AskKind;
use crate::syntax::parse;

pub use higher::{Forms, stacked_sides};

/// A value of more nodes than this is given as a program only.
pub const LARGEST_VALUE: usize = 500;
/// A part used more than once gets a name in a program from this size on.
const SHARED_FROM: usize = 8;
/// A step of a derivation with more nodes is left out: nobody reads it.
const LONGEST_STEP: usize = 500;
/// A line of a program is not longer than this many nodes.
const LONGEST_LINE: usize = 120;

/// A line of a program.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name it introduces.
    pub name: String,
    /// What it stands for; earlier lines and definitions stand in it by name.
    pub right: ExprId,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which derivative.
    pub kind: AskKind,
    /// Of what, as typed.
    pub of: String,
    /// With respect to these.
    pub wrt: Vec<String>,
    /// The nodes of those.
    pub wrt_nodes: Vec<ExprId>,
    /// Along or against what.
    pub direction: Direction,
    /// The node of what is differentiated.
    pub of_node: ExprId,
    /// Rows and columns.
    pub shape: Vec<DimId>,
    /// The result in one expression, where it is not too large.
    pub value: Option<ExprId>,
    /// The result with adjoints by name.
    pub result: ExprId,
    /// The result as lines; names of earlier outcomes' lines may stand in it.
    pub program: Vec<Line>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// Whether the function is convex.
    pub curvature: Vec<Judged>,
    /// How the result came about.
    pub derivation: Derivation,
    /// Of a Jacobian or Hessian its entries and its operator form.
    pub forms: Option<Forms>,
}

/// All answers of a text.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The typed program.
    pub typed: Typed,
    /// The expressions of all answers.
    pub arena: Arena,
    /// The nodes of the definitions' names.
    pub definitions: Vec<ExprId>,
    /// One for each gradient, differential, ….
    pub outcomes: Vec<Outcome>,
}

/// Reads a program and answers all it asks for, with steps up to `detail`.
///
/// # Errors
/// All errors of the text, each with its place; or what is not covered, at the request's place.
pub fn answer(source: &str, detail: Detail) -> Result<Answer, Vec<Diagnostic>> {
    let (ast, errors) = parse(source);
    if !errors.is_empty() {
        return Err(errors);
    }
    let typed = elaborate(ast, source)?;
    answer_typed(typed, detail)
}

/// As [`answer`], of a typed program.
///
/// # Errors
/// What is not covered, at the request's place.
pub fn answer_typed(typed: Typed, detail: Detail) -> Result<Answer, Vec<Diagnostic>> {
    let mut variables = typed.variables.clone();
    // A property that is no linear space may not rewrite what one differentiates by.
    for ask in &typed.asks {
        for meaning in &ask.wrt {
            if let Meaning::Variable(v) = meaning {
                let properties = &mut variables[v.0 as usize].properties;
                if properties.has(Property::RowStochastic) {
                    // Only on account of that; it too would hide a kink at 0.
                    *properties = properties.without(Property::Nonnegative);
                }
                for p in [Property::Orthogonal, Property::OneHot, Property::RowStochastic] {
                    *properties = properties.without(p);
                }
            }
        }
    }
    let mut arena = Arena::new(typed.dimensions.clone(), variables);
    let built = arena.build(&typed);
    arena.reading_order = true;
    let mut outcomes = Vec::new();
    let mut errors = Vec::new();
    let mut names = Names::default();
    for ((ask, &of), directions) in typed.asks.iter().zip(&built.asked).zip(&built.directions) {
        let wrt: Vec<ExprId> = ask
            .wrt
            .iter()
            .filter_map(|meaning| match meaning {
                Meaning::Variable(v) => Some(arena.variable(*v)),
                Meaning::Definition(d) => Some(built.definitions[d.0 as usize]),
                _ => None,
            })
            .collect();
        let log = detail > Detail::None;
        let (text, direction_texts) = (&ask.of_text, &ask.direction_texts);
        let node = named_request(&mut arena, of);
        let asked = Asked { text, node, wrt: &wrt, directions, direction_texts, log };
        let result = match ask.kind {
            AskKind::Gradient => gradient_outcomes(&mut arena, &asked, &mut names),
            AskKind::Differential => differential_outcome(&mut arena, &asked, &mut names),
            AskKind::HessianAlong => directed::hessian_along(&mut arena, &asked, &mut names),
            AskKind::JacobianAlong => directed::jacobian_along(&mut arena, &asked, &mut names),
            AskKind::JacobianAgainst => directed::jacobian_against(&mut arena, &asked, &mut names),
            AskKind::Jacobian => higher::jacobians(&mut arena, &asked, &mut names),
            AskKind::Hessian => higher::hessian(&mut arena, &asked, &mut names),
        };
        match result {
            Ok(list) => outcomes.extend(list),
            Err(not_covered) => errors.push(at(ask.span, &not_covered)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    for outcome in &mut outcomes {
        verdict::judge_hessian(&arena, outcome);
        outcome.keep_steps(detail, &|id| tree_size(&arena, id, LONGEST_STEP) <= LONGEST_STEP);
    }
    Ok(Answer { typed, arena, definitions: built.definitions, outcomes })
}

fn at(span: Span, not_covered: &NotCovered) -> Diagnostic {
    Diagnostic::at(span, not_covered.message.clone())
}

/// A request with its nodes.
struct Asked<'a> {
    /// What it is of, as typed.
    text: &'a str,
    /// Its node.
    node: ExprId,
    /// With respect to these.
    wrt: &'a [ExprId],
    /// What stands behind `along` or `against`.
    directions: &'a [ExprId],
    /// Those as typed.
    direction_texts: &'a [String],
    /// Whether steps are wanted.
    log: bool,
}

/// What is asked for, by a name: `f` where the user gave none.
fn named_request(arena: &mut Arena, of: ExprId) -> ExprId {
    if matches!(arena.op(of), Op::Named(_)) {
        return of;
    }
    if let Some(i) = arena.all_named().iter().position(|n| n.kind == NameKind::Request && n.body == of) {
        return arena.named_node(i);
    }
    let name = arena.unused_name("f");
    let of = arena.cut_into_parts(of);
    arena.name(name, of, NameKind::Request)
}

/// Names given to lines so far.
#[derive(Debug, Default)]
struct Names {
    /// Adjoints and shared parts whose line was written.
    written: HashSet<ExprId>,
    /// Presented forms.
    presenter: Presenter,
    /// Parts that have a name, by what they stand for.
    shared: HashMap<ExprId, ExprId>,
    count: usize,
}

fn gradient_outcomes(arena: &mut Arena, asked: &Asked<'_>, names: &mut Names) -> Result<Vec<Outcome>, NotCovered> {
    let &Asked { text: of_text, node: of, wrt, log, .. } = asked;
    let sweep = gradients(arena, of, wrt, log)?;
    let mut steps = sweep.derivation.steps;
    let mut out = Vec::with_capacity(wrt.len());
    for gradient in &sweep.gradients {
        let result = names.presenter.present(arena, gradient.named);
        let value = gradient.value.and_then(|value| present_value(arena, value, names));
        let shown = crate::calculus::gradient::Gradient { named: result, ..gradient.clone() };
        if log {
            conclude(arena, &arena.name_of(of), &shown, &mut steps);
        }
        let name = arena.name_of(gradient.wrt);
        let program = program_of(arena, format!("G_{name}"), result, names);
        let shape = arena.shape(gradient.wrt);
        let mut notes: Vec<String> = gradient.kinks.iter().map(|&k| k.to_owned()).collect();
        if let Some(d) = taken_name_of_differential(arena, gradient.wrt) {
            notes.push(format!("in the steps {d} is the differential of {name}"));
        }
        if gradient.uses == 0 {
            notes.push(format!("{} does not depend on {name}", arena.name_of(of)));
        }
        if let Some(how) = gradient.projection {
            notes.push(format!("{name} is structured: this is {how}"));
        }
        out.push(Outcome {
            kind: AskKind::Gradient,
            of: of_text.to_owned(),
            wrt: vec![name],
            wrt_nodes: vec![gradient.wrt],
            direction: Direction::None,
            of_node: of,
            shape: vec![shape.rows, shape.columns],
            value,
            result,
            program,
            notes,
            curvature: Vec::new(),
            derivation: Derivation { steps: std::mem::take(&mut steps) },
            forms: None,
        });
    }
    Ok(out)
}

/// dX where that is the name of something else too; a variable dX of X's shape is the direction itself, declared to be
/// written in formulas.
fn taken_name_of_differential(arena: &Arena, leaf: ExprId) -> Option<String> {
    let d = format!("d{}", arena.name_of(leaf));
    let declared = arena.variables.iter().any(|v| v.name == d && v.shape == arena.shape(leaf));
    (arena.has_name(&d) && !declared).then_some(d)
}

fn differential_outcome(arena: &mut Arena, asked: &Asked<'_>, names: &mut Names) -> Result<Vec<Outcome>, NotCovered> {
    let &Asked { text: of_text, node: of, wrt, log, .. } = asked;
    let moving = moving_names(arena, of, wrt);
    for &leaf in wrt.iter().filter(|leaf| moving.contains(leaf)) {
        if let Some(d) = taken_name_of_differential(arena, leaf) {
            let name = arena.name_of(leaf);
            let message =
                format!("the differential of `{name}` is written `{d}`, which has another meaning here: rename `{d}`");
            return Err(NotCovered { message });
        }
    }
    let Shape { rows, columns } = arena.shape(of);
    // d of a definition in terms of the variables: each moving definition's differential put in.
    let mut known: HashMap<ExprId, ExprId> = HashMap::default();
    let mut steps = Vec::new();
    let mut definitions = crate::calculus::names::Names::default();
    let mut total = arena.zeros(Shape { rows, columns });
    let mut order: Vec<ExprId> =
        arena.reachable(&[of]).into_iter().filter(|id| matches!(arena.op(*id), Op::Named(_))).collect();
    if !order.contains(&of) {
        order.push(of);
    }
    for id in order {
        if wrt.contains(&id) || id != of && !moving.contains(&id) {
            continue;
        }
        let body = match arena.op(id) {
            Op::Named(name) => arena.named(*name).body,
            _ => id,
        };
        let (d, differentials) = differential(arena, body, &|leaf| moving.contains(&leaf))?;
        let Some(d) = d else {
            // A comparison or a step stands still although what it reads moves.
            let (still, dz) = (arena.zeros(arena.shape(id)), arena.differential_of(id));
            known.insert(dz, still);
            continue;
        };
        let d = definitions.put_into(arena, d);
        if log {
            let left = Left::Expression(arena.differential_of(id));
            let rules = rules_of(arena, &differentials);
            steps.push(Step { rules, left, right: d, detail: Detail::Brief });
        }
        let mut done = HashMap::default();
        let known_now = known.clone();
        let full = crate::expr::substitute::substitute(arena, d, &mut done, &|_, node| known_now.get(&node).copied());
        if id == of {
            total = full;
        } else {
            let dz = arena.differential_of(id);
            known.insert(dz, full);
        }
    }
    let result = names.presenter.present(arena, total);
    let value = (tree_size(arena, result, LARGEST_VALUE) <= LARGEST_VALUE).then_some(result);
    let name = format!("D_{}", arena.name_of(of));
    let program = program_of(arena, name, result, names);
    Ok(vec![Outcome {
        kind: AskKind::Differential,
        of: of_text.to_owned(),
        wrt: wrt.iter().map(|&x| arena.name_of(x)).collect(),
        wrt_nodes: wrt.to_vec(),
        direction: Direction::None,
        of_node: of,
        shape: vec![rows, columns],
        value,
        result,
        program,
        notes: Vec::new(),
        curvature: Vec::new(),
        derivation: Derivation { steps },
        forms: None,
    }])
}

/// The value in one expression for reading, where it is not too large.
fn present_value(arena: &mut Arena, value: ExprId, names: &mut Names) -> Option<ExprId> {
    if tree_size(arena, value, 4 * LARGEST_VALUE) > 4 * LARGEST_VALUE {
        return None;
    }
    let value = names.presenter.present(arena, value);
    (tree_size(arena, value, LARGEST_VALUE) <= LARGEST_VALUE).then_some(value)
}

/// The lines that end with `name = result`: adjoints in use, shared parts, parts that would make a line too long.
fn program_of(arena: &mut Arena, name: String, result: ExprId, names: &mut Names) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut adjoints: Vec<ExprId> = Vec::new();
    let mut seen: HashSet<ExprId> = HashSet::default();
    let mut stack = vec![result];
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        if let Op::Named(named) = arena.op(id) {
            let named = arena.named(*named);
            if matches!(named.kind, NameKind::Adjoint | NameKind::Directional | NameKind::Part) {
                adjoints.push(id);
                if !names.written.contains(&id) {
                    let body = arena_body(arena, id);
                    let body = names.presenter.present(arena, body);
                    stack.push(body);
                }
            }
            continue;
        }
        arena.operands(id, |a| stack.push(a));
    }
    adjoints.sort_unstable();
    for id in adjoints {
        if !names.written.insert(id) {
            continue;
        }
        let body = arena_body(arena, id);
        let body = names.presenter.present(arena, body);
        let line_name = arena.name_of(id);
        let body = cut(arena, body, names, &mut lines);
        lines.push(Line { name: line_name, right: body });
    }
    if lines
        .last()
        .is_some_and(|line: &Line| matches!(arena.op(result), Op::Named(_)) && line.name == arena.name_of(result))
    {
        // The result is the adjoint of a definition, whose line was just written.
        return lines;
    }
    let result = cut(arena, result, names, &mut lines);
    let name = arena.unused_name(&name);
    // The name is taken from here on; the node that stands for it is not needed.
    arena.name(name.clone(), result, NameKind::Shared);
    lines.push(Line { name, right: result });
    lines
}

fn arena_body(arena: &Arena, id: ExprId) -> ExprId {
    match arena.op(id) {
        Op::Named(name) => arena.named(*name).body,
        _ => id,
    }
}

/// Gives parts of an expression that stand in it more than once, or that are too long, a line of their own.
fn cut(arena: &mut Arena, root: ExprId, names: &mut Names, lines: &mut Vec<Line>) -> ExprId {
    let nodes = crate::expr::substitute::local_nodes(arena, root);
    let mut uses: HashMap<ExprId, usize> = HashMap::default();
    for &id in &nodes {
        arena.operands(id, |a| *uses.entry(a).or_default() += 1);
    }
    let mut built: HashMap<ExprId, ExprId> = HashMap::default();
    let mut sizes: HashMap<ExprId, usize> = HashMap::default();
    for &id in &nodes {
        if let Some(&name) = names.shared.get(&id)
            && id != root
        {
            built.insert(id, name);
            sizes.insert(id, 1);
            continue;
        }
        let mut size = 1;
        arena.operands(id, |a| size += sizes[&a]);
        let mut own = rebuild(arena, id, &|a| built[&a]);
        let shared = uses.get(&id).copied().unwrap_or(0) > 1 && size >= SHARED_FROM;
        let carries_differential = matches!(arena.op(id), Op::Ones | Op::Identity);
        if id != root && (shared || size > LONGEST_LINE) && !carries_differential {
            names.count += 1;
            let base = format!("T{}", names.count);
            let text = arena.unused_name(&base);
            let node = arena.name(text.clone(), own, NameKind::Shared);
            lines.push(Line { name: text, right: own });
            names.shared.insert(id, node);
            own = node;
            size = 1;
        }
        built.insert(id, own);
        sizes.insert(id, size);
    }
    built[&root]
}

/// The expression with every adjoint and shared part written out, for a check that knows only variables and definitions.
pub fn written_out(arena: &mut Arena, id: ExprId) -> ExprId {
    write_out_adjoints(arena, id, &mut HashMap::default())
}

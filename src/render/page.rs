//! The page of an answer as data, before any format: what is given, each request with its derivation waypoint by
//! waypoint, its results, notes, and what was checked. Every format prints this, so that all of them tell the same.

use super::build::{dimension, notation};
use super::entries::entry_form;
use super::measure::width;
use super::notation::Notation;
use super::steps::{ShownStep, left_side, partial, second_partial, shown_steps};
use super::text::text;
use super::typeset::typeset;
use crate::answer::{Answer, Direction, Move, Outcome, stacked_sides};
use crate::derivation::Derivation;
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Property, Variable};
use crate::expr::{Arena, ExprId, Op};
use crate::rules::{Rule, RuleId};
use crate::syntax::ast::AskKind;

/// A result that is written out in one expression beside its short form is not longer than this.
const SHORT_RESULT: usize = 64;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The variables.
    pub variables: Vec<Declared>,
    /// The definitions, in order: `Z1 = X*W1 + b1`.
    pub definitions: Vec<(Notation, Notation)>,
    /// What was asked for, in order.
    pub requests: Vec<Request>,
    /// The closing lines of a check.
    pub checked: Vec<String>,
}

/// A variable and what it is.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its name.
    pub name: Notation,
    /// Its type in the language.
    pub kind: String,
    /// Rows and columns; none for a scalar, rows alone for a column.
    pub size: Vec<Notation>,
    /// Its properties in words.
    pub properties: Vec<&'static str>,
}

/// A request with its results.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which derivative.
    pub kind: AskKind,
    /// The name of what is differentiated.
    pub of: Notation,
    /// Along which directions, or against what.
    pub directions: Vec<Notation>,
    /// What that stands for, where the user gave it no name.
    pub meaning: Option<Notation>,
    /// With respect to these; of a differential of everything too.
    pub wrt: Vec<Notation>,
    /// The derivation.
    pub waypoints: Vec<Waypoint>,
    /// The results and the names that stand in them, in order.
    pub results: Vec<Shown>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// A part of a derivation.
#[derive(Clone, Debug)]
pub struct Waypoint {
    /// Where the part is.
    pub place: Place,
    /// Its chains of equations.
    pub chains: Vec<Chain>,
}

/// Where a part of a derivation is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// At a definition: its name and what it stands for.
    At(Notation, Notation),
    /// At the end, where the results are read off.
    End,
    /// Elsewhere.
    Open,
}

/// left = right = right …
#[derive(Clone, Debug)]
pub struct Chain {
    /// The left side.
    pub left: Notation,
    /// The right sides, each with the rules that lead to it.
    pub lines: Vec<ChainLine>,
}

/// A line of a chain.
#[derive(Clone, Debug)]
pub struct ChainLine {
    /// The right side.
    pub right: Notation,
    /// Why it holds.
    pub reasons: Vec<Reason>,
}

/// A rule beside a line.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The rule.
    pub rule: &'static Rule,
    /// Whether the page says it for the first time.
    pub first: bool,
}

/// A result, or a name that stands in one.
#[derive(Clone, Debug)]
pub struct Shown {
    /// `∂L/∂W1`, `dL`, or the name.
    pub left: Notation,
    /// What it is.
    pub right: Notation,
    /// The same in one expression, where that is short and another.
    pub whole: Option<Notation>,
    /// Rows and columns, or the kept axes; none for a name.
    pub shape: Vec<Notation>,
    /// Whether it is the first form of what was asked for; else it is another form, or a name.
    pub asked: bool,
}

/// The page of an answer.
pub fn page(answer: &Answer, checked: &[String]) -> Page {
    let arena = &answer.arena;
    let mut told = Vec::new();
    Page {
        variables: answer.typed.variables.iter().map(|variable| declared(arena, variable)).collect(),
        definitions: answer.definitions.iter().filter_map(|&id| named(arena, id)).collect(),
        requests: requests(answer).into_iter().map(|outcomes| request(answer, outcomes, &mut told)).collect(),
        checked: checked.to_vec(),
    }
}

/// Outcomes of one request stand together: the derivation is that of the first, the others only read off.
fn requests(answer: &Answer) -> Vec<&[Outcome]> {
    let same =
        |a: &Outcome, b: &Outcome| a.kind == b.kind && a.of_node == b.of_node && one_request(a, b) && a.wrt != b.wrt;
    answer.outcomes.chunk_by(same).collect()
}

/// Whether two outcomes of one function may be of one request.
fn one_request(a: &Outcome, b: &Outcome) -> bool {
    let leaves = |moves: &[Move]| moves.iter().map(|m| (m.leaf, m.asked)).collect::<Vec<_>>();
    match (&a.direction, &b.direction) {
        (Direction::None, Direction::None) => a.kind == AskKind::Gradient,
        (Direction::Along { moves: x, .. }, Direction::Along { moves: y, .. }) => {
            a.kind == AskKind::HessianAlong && x.len() > 1 && leaves(x) == leaves(y)
        }
        (Direction::Against { cotangent: x, .. }, Direction::Against { cotangent: y, .. }) => x == y,
        _ => false,
    }
}

fn named(arena: &Arena, id: ExprId) -> Option<(Notation, Notation)> {
    match arena.op(id) {
        Op::Named(name) => {
            let named = arena.named(*name);
            Some((Notation::Name(named.name.clone()), notation(arena, named.body)))
        }
        _ => None,
    }
}

fn declared(arena: &Arena, variable: &Variable) -> Declared {
    let Shape { rows, columns } = variable.shape;
    let size = match (rows == DimId::ONE, columns == DimId::ONE) {
        (true, true) => Vec::new(),
        (false, true) => vec![dimension(arena, rows)],
        _ => vec![dimension(arena, rows), dimension(arena, columns)],
    };
    let has = |property| variable.properties.has(property);
    let definite = has(Property::PositiveDefinite);
    // What follows from a property that is told is not told again.
    let told = [
        (has(Property::Diagonal), "diagonal"),
        (definite, "positive definite"),
        (has(Property::Symmetric) && !definite && !has(Property::Diagonal), "symmetric"),
        (has(Property::Skew), "skew-symmetric"),
        (has(Property::Orthogonal), "orthogonal"),
        (has(Property::Invertible) && !definite && !has(Property::Orthogonal), "invertible"),
        (has(Property::OneHot), "one-hot rows"),
        (has(Property::RowStochastic) && !has(Property::OneHot), "rows that sum to one"),
        (has(Property::Positive), "positive"),
        (
            has(Property::Nonnegative)
                && ![Property::Positive, Property::OneHot, Property::RowStochastic].into_iter().any(has),
            "not negative",
        ),
        (has(Property::Constant), "constant"),
    ];
    Declared {
        name: Notation::Name(variable.name.clone()),
        kind: variable.kind.clone(),
        size,
        properties: told.iter().filter(|row| row.0).map(|row| row.1).collect(),
    }
}

fn request(answer: &Answer, outcomes: &[Outcome], told: &mut Vec<RuleId>) -> Request {
    let arena = &answer.arena;
    let first = &outcomes[0];
    let of = arena.name_of(first.of_node);
    let meaning = match named(arena, first.of_node) {
        Some((_, body)) if !answer.definitions.contains(&first.of_node) => Some(body),
        _ => None,
    };
    let mut notes: Vec<String> = Vec::new();
    let mut waypoints: Vec<Waypoint> = Vec::new();
    let mut results = Vec::new();
    let mut wrt = Vec::new();
    let half = |outcome: &Outcome, second: bool| {
        let (first, rest) = outcome.derivation.steps.split_at(outcome.steps_of_gradient());
        Derivation { steps: if second { rest } else { first }.to_vec() }
    };
    // All gradients before what is taken of them.
    for (second, outcome) in [false, true].into_iter().flat_map(|second| outcomes.iter().map(move |o| (second, o))) {
        for step in shown_steps(arena, &half(outcome, second)) {
            add_step(answer, &mut waypoints, step, told);
        }
    }
    for outcome in outcomes {
        for note in &outcome.notes {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        results.extend(shown(answer, &of, outcome));
        wrt.extend(outcome.wrt.iter().map(|name| Notation::Name(name.clone())));
    }
    let directions = match &first.direction {
        Direction::None => Vec::new(),
        Direction::Along { moves, .. } => moves.iter().map(|m| notation(arena, m.asked)).collect(),
        Direction::Against { cotangent, .. } => vec![notation(arena, *cotangent)],
    };
    Request { kind: first.kind, of: Notation::Name(of), directions, meaning, wrt, waypoints, results, notes }
}

fn add_step(answer: &Answer, waypoints: &mut Vec<Waypoint>, step: ShownStep, told: &mut Vec<RuleId>) {
    let mut reasons = Vec::with_capacity(step.rules.len());
    for &id in &step.rules {
        let first = !told.contains(&id);
        if first {
            told.push(id);
        }
        reasons.push(Reason { rule: id.rule(), first });
    }
    let line = ChainLine { right: step.right, reasons };
    if step.continued
        && let Some(chain) = waypoints.last_mut().and_then(|part| part.chains.last_mut())
    {
        return chain.lines.push(line);
    }
    let place = place_of(answer, &step.left);
    let chain = Chain { left: step.left, lines: vec![line] };
    match waypoints.last_mut() {
        Some(part) if place == Place::Open && part.place != Place::End || part.place == place => {
            part.chains.push(chain)
        }
        _ => waypoints.push(Waypoint { place, chains: vec![chain] }),
    }
}

fn place_of(answer: &Answer, left: &Notation) -> Place {
    match left {
        Notation::Partial(..) | Notation::SecondPartial(..) | Notation::Stacked(..) => Place::End,
        Notation::Applied { .. } => Place::End,
        Notation::DifferentialOf(inner) if matches!(**inner, Notation::Partial(..)) => Place::End,
        Notation::Sum(terms) if matches!(terms.first(), Some((_, Notation::Applied { .. }))) => Place::End,
        Notation::Differential(name) => {
            let arena = &answer.arena;
            match arena.called(name) {
                Some(named) => Place::At(Notation::Name(name.clone()), notation(arena, named.body)),
                None => Place::Open,
            }
        }
        _ => Place::Open,
    }
}

/// A result with the names that its program gives first; of a Jacobian or Hessian its operator form and its entries too.
fn shown(answer: &Answer, of: &str, outcome: &Outcome) -> Vec<Shown> {
    let arena = &answer.arena;
    let mut out = Vec::with_capacity(outcome.program.len() + 2);
    let Some((last, names)) = outcome.program.split_last() else { return out };
    for line in names {
        let left = Notation::Name(line.name.clone());
        out.push(Shown { left, right: notation(arena, line.right), whole: None, shape: Vec::new(), asked: false });
    }
    let wrt = |i: usize| outcome.wrt.get(i).or(outcome.wrt.first()).cloned().unwrap_or_default();
    let forms = outcome.forms.as_ref();
    let stacked = forms.is_some_and(|forms| forms.stacked());
    let sides = match (forms, outcome.wrt_nodes.as_slice()) {
        (Some(forms), [first, .., second]) => stacked_sides(arena, *first, *second, forms),
        (Some(forms), [only]) if outcome.kind == AskKind::Hessian => stacked_sides(arena, *only, *only, forms),
        (Some(forms), [only]) => stacked_sides(arena, outcome.of_node, *only, forms),
        _ => [false; 2],
    };
    let left = match outcome.kind {
        AskKind::Differential => Notation::Differential(of.to_owned()),
        AskKind::Hessian => second_partial(of, &wrt(0), &wrt(1), sides),
        AskKind::Gradient | AskKind::Jacobian => partial(of, &wrt(0), sides),
        AskKind::HessianAlong | AskKind::JacobianAlong | AskKind::JacobianAgainst => match outcome.directed_left() {
            Some(left) => left_side(arena, &left),
            None => partial(of, &wrt(0), [false; 2]),
        },
    };
    let right = notation(arena, last.right);
    let whole = outcome
        .value
        .map(|value| notation(arena, value))
        .filter(|value| text(value).len() <= SHORT_RESULT && text(value) != text(&right));
    let shape: Vec<Notation> = outcome.shape.iter().map(|&d| dimension(arena, d)).collect();
    let own = if stacked { Vec::new() } else { shape.clone() };
    out.push(Shown { left, right, whole, shape: own, asked: true });
    let Some(forms) = forms else { return out };
    if let Some(operator) = forms.operator {
        let left = match outcome.kind {
            AskKind::Hessian => Notation::DifferentialOf(Box::new(Notation::Partial(of.to_owned(), wrt(0)))),
            _ => Notation::Differential(of.to_owned()),
        };
        out.push(Shown { left, right: notation(arena, operator), whole: None, shape: Vec::new(), asked: false });
    }
    if let Some((left, right)) = entry_form(answer, outcome) {
        let shape = if stacked { shape } else { Vec::new() };
        out.push(Shown { left, right, whole: None, shape, asked: false });
    }
    out
}

/// A line of a long formula: the sign in front of it, and its terms.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Whether a minus or a plus stands in front; nothing in front of the first line.
    pub minus: Option<bool>,
    /// The terms of the line.
    pub part: Notation,
}

/// A formula on lines no wider than that in a book, broken between the terms of a sum; what has no such place stays whole.
pub fn broken(formula: &Notation, widest: usize) -> Vec<Broken> {
    let whole = || vec![Broken { minus: None, part: formula.clone() }];
    let Notation::Sum(terms) = formula else { return whole() };
    if width(&typeset(formula)) <= widest {
        return whole();
    }
    let mut signs: Vec<Option<bool>> = vec![None];
    let mut lines: Vec<Vec<(bool, Notation)>> = vec![Vec::new()];
    let mut used = 0;
    for (minus, term) in terms {
        // A negative term is a subtracted one.
        let (minus, term) = match term {
            Notation::Negative(inner) => (!minus, &**inner),
            _ => (*minus, term),
        };
        let own = 3 + width(&typeset(term));
        if used + own > widest && used > 0 {
            signs.push(Some(minus));
            lines.push(vec![(false, term.clone())]);
            used = own;
        } else {
            used += own;
            if let Some(line) = lines.last_mut() {
                line.push((minus, term.clone()));
            }
        }
    }
    let parts = signs.into_iter().zip(lines);
    parts.map(|(minus, terms)| Broken { minus, part: Notation::Sum(terms) }).collect()
}

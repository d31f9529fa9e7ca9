//! The nearest right formula to a wrong one: changes are tried, the smallest first, until one agrees with the other side at
//! random points; where none does, what matgrad derives itself stands in.

use std::collections::HashSet;

use super::compare::{Question, agree, free_of};
use super::edits::{Edit, Pieces, edits};
use super::evaluate::Evaluator;
use super::scope::{Form, Ranges, Repeats, Scope};
use super::sizes::Sizes;
use super::values::Floats;
use crate::document::formula::{Formula, Kind, Size};
use crate::document::write::{Script, write};
use crate::elaborate::Property;

/// A right formula in place of a wrong one.
#[derive(Clone, Debug, PartialEq)]
pub struct Repair {
    /// The formula.
    pub formula: Formula,
    /// What is changed, in words.
    pub what: String,
    /// How much is changed, in tenths.
    pub cost: u32,
}

/// Changes of changes that are tried at most.
const MOST_PAIRS: usize = 5_000;
/// Formulas of more parts are changed in one place only.
const LARGEST_FOR_PAIRS: usize = 40;
/// Formulas of more parts are not changed.
const LARGEST: usize = 250;
/// Points at which a change must agree.
const POINTS: usize = 3;
/// How many right formulas are told.
const TOLD: usize = 2;

/// A formula that failed, and what it should equal.
pub struct Wrong<'a> {
    /// What is right.
    pub left: &'a Formula,
    /// Its shape.
    pub form: Form,
    /// What is wrong.
    pub right: &'a Formula,
    /// The names that move.
    pub moving: &'a [String],
    /// What may be put in.
    pub pieces: &'a Pieces,
}

/// The nearest right formulas, the nearest first.
pub fn repairs(scope: &mut Scope, ranges: &Ranges, wrong: &Wrong<'_>) -> Vec<Repair> {
    let size = wrong.right.size();
    if size > LARGEST {
        return Vec::new();
    }
    // What is on the left already says nothing.
    let mut seen: HashSet<String> = HashSet::from([key(wrong.right)]);
    if let Some(name) = wrong.left.as_name() {
        seen.insert(name.to_owned());
    }
    let singles = edits(wrong.right, wrong.pieces);
    let fitting = shaped(scope, ranges, wrong, singles.clone(), &mut seen);
    let found = right_ones(scope, ranges, wrong, fitting);
    if !found.is_empty() || size > LARGEST_FOR_PAIRS {
        return found;
    }
    let mut pairs: Vec<Edit> = Vec::new();
    for first in singles.iter().filter(|edit| edit.cost <= 12) {
        for second in edits(&first.formula, &Pieces { names: Vec::new(), ..wrong.pieces.clone() }) {
            if second.cost <= 12 {
                let what = format!("{}, {}", first.what, second.what);
                pairs.push(Edit { formula: second.formula, cost: first.cost + second.cost, what });
            }
        }
        if pairs.len() > MOST_PAIRS {
            break;
        }
    }
    pairs.sort_by_key(|edit| edit.cost);
    let fitting = shaped(scope, ranges, wrong, pairs, &mut seen);
    right_ones(scope, ranges, wrong, fitting)
}

/// As [`repairs`]; for d(…) of an expression also where every name in it moves, of which a wrong line may show one only.
pub fn repairs_where_all_moves(scope: &mut Scope, ranges: &Ranges, wrong: &Wrong<'_>) -> Vec<Repair> {
    let found = repairs(scope, ranges, wrong);
    let Kind::Differential(inner) = &wrong.left.kind else { return found };
    let mut all = wrong.moving.to_vec();
    for name in inner.names() {
        let constant = |v: &super::scope::Variable| v.properties.has(Property::Constant);
        let moves = scope.variables.get(name).is_some_and(|variable| !constant(variable));
        if moves && !scope.definitions.contains_key(name) && !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    if inner.as_name().is_some() || all.len() == wrong.moving.len() {
        return found;
    }
    let whole = repairs(scope, ranges, &Wrong { moving: &all, ..*wrong });
    let cost = |list: &[Repair]| list.first().map_or(u32::MAX, |repair| repair.cost);
    if cost(&whole) <= cost(&found) { whole } else { found }
}

/// The shortest changes of a formula that make it fit its names' shapes, where nothing else is known of it.
pub fn fitting(
    scope: &mut Scope,
    ranges: &Ranges,
    right: &Formula,
    form: Option<Form>,
    pieces: &Pieces,
) -> Option<Repair> {
    if right.size() > LARGEST {
        return None;
    }
    for edit in edits(right, &Pieces { names: Vec::new(), ..pieces.clone() }) {
        let before = (scope.sizes.clone(), scope.variable_order.len());
        // What is filled in here is forgotten: the formula is given back as it was.
        let fits = scope.shape(&mut edit.formula.clone(), &mut ranges.clone()).is_ok_and(|found| {
            form.is_none_or(|form| {
                scope.sizes.unify(form.rows, found.rows) && scope.sizes.unify(form.columns, found.columns)
            })
        });
        scope.forget(before.0, before.1);
        if fits {
            return Some(Repair { formula: edit.formula, what: edit.what, cost: edit.cost });
        }
    }
    None
}

fn key(formula: &Formula) -> String {
    write(formula, Script::Language)
}

/// (AB)' as B'A', as one writes it.
fn transposes_inside(formula: Formula) -> Formula {
    let mut out = formula;
    let span = out.span;
    if let Kind::Transpose(inner) = out.kind {
        out = match inner.kind {
            Kind::Product(list) => {
                let turned = list.into_iter().rev().map(|factor| match factor.kind {
                    Kind::Number(_) => factor,
                    _ => factor.transposed(),
                });
                Formula::new(Kind::Product(turned.collect()), span)
            }
            Kind::Transpose(inner) => *inner,
            kind => Formula::new(Kind::Transpose(Box::new(Formula { kind, span: inner.span })), span),
        };
    }
    for child in out.children_mut() {
        *child = transposes_inside(child.clone());
    }
    // A number stands in front.
    if let Kind::Product(list) = &mut out.kind {
        list.sort_by_key(|factor| super::evaluate::literal(factor).is_none());
    }
    if let Kind::Power(base, exponent) = &out.kind
        && matches!(&exponent.kind, Kind::Number(value) if value.is_one())
    {
        return (**base).clone();
    }
    // (-A)*B is -A*B.
    if let Kind::Product(list) = &mut out.kind
        && let Some(first) = list.first_mut()
        && let Kind::Sum(terms) = &mut first.kind
        && terms.len() == 1
        && terms[0].0
    {
        *first = terms.remove(0).1;
        return Formula::new(Kind::Sum(vec![(true, out)]), span);
    }
    out
}

/// The changes whose shapes fit, with their sizes filled in.
fn shaped(
    scope: &mut Scope,
    ranges: &Ranges,
    wrong: &Wrong<'_>,
    list: Vec<Edit>,
    seen: &mut HashSet<String>,
) -> Vec<Edit> {
    let before = scope.sizes.clone();
    let variables = scope.variable_order.len();
    // A repair repeats nothing: that would hide what is wrong.
    let repeats = std::mem::replace(&mut scope.repeats_in_products, Repeats::Refused);
    let mut out = Vec::new();
    for mut edit in list {
        if !seen.insert(key(&edit.formula)) {
            continue;
        }
        let fits = scope.shape(&mut edit.formula, &mut ranges.clone()).is_ok_and(|form| {
            scope.sizes.are_equal(form.rows, wrong.form.rows) && scope.sizes.are_equal(form.columns, wrong.form.columns)
        });
        let known = fits && settled(&mut edit.formula, &scope.sizes, before.count());
        scope.forget(before.clone(), variables);
        if known {
            out.push(edit);
        }
    }
    scope.repeats_in_products = repeats;
    out
}

/// Puts the dimensions for which its open sizes stand into a formula; `false` where one is new.
fn settled(formula: &mut Formula, sizes: &Sizes, count: usize) -> bool {
    let mut known = true;
    let mut settle = |size: &mut Size| {
        if let Size::Open(Some(id)) = size {
            *id = sizes.find(*id);
            known &= (*id as usize) < count;
        }
    };
    match &mut formula.kind {
        Kind::Identity(n) | Kind::Unit(n, _) | Kind::Over { upper: n, .. } => settle(n),
        Kind::Ones(m, n) | Kind::Zeros(m, n) => {
            settle(m);
            n.iter_mut().for_each(settle);
        }
        Kind::Reshape(_, m, n) => [m, n].into_iter().for_each(settle),
        _ => {}
    }
    known && formula.children_mut().into_iter().all(|child| settled(child, sizes, count))
}

/// The first few that agree with the right side everywhere.
fn right_ones(scope: &Scope, ranges: &Ranges, wrong: &Wrong<'_>, list: Vec<Edit>) -> Vec<Repair> {
    let question = Question::new(scope, ranges, &[wrong.left, wrong.right], wrong.moving);
    let free = free_of(wrong.left, wrong.right);
    let points = question.known_values(wrong.left, &free, POINTS);
    let Some((first, _, _)) = points.first() else { return Vec::new() };
    // Values of definitions are kept from one change to the next.
    let mut evaluator = Evaluator::new(&Floats, scope, first, wrong.moving);
    let mut out: Vec<Repair> = Vec::new();
    for edit in list {
        if out.first().is_some_and(|best| edit.cost > best.cost + 4) {
            break;
        }
        let same_indices = free_of(wrong.left, &edit.formula) == free;
        let promising = free.is_empty().then(|| evaluator.value(&edit.formula, &mut Default::default()).ok()).flatten();
        let rejected = match (&promising, points.first()) {
            (Some(value), Some((_, known, largest))) => {
                !agree(std::slice::from_ref(value), known, largest.max(evaluator.largest))
            }
            (None, _) if free.is_empty() => true,
            _ => false,
        };
        if rejected || !same_indices {
            continue;
        }
        let right = points.iter().all(|(point, known, largest)| {
            question
                .values(&Floats, point, &edit.formula, &free)
                .is_ok_and(|(values, size)| agree(&values, known, largest.max(size)))
        });
        if right {
            out.push(Repair { formula: transposes_inside(edit.formula), what: edit.what, cost: edit.cost });
            if out.len() == TOLD {
                break;
            }
        }
    }
    out
}

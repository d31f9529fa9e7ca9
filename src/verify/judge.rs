//! The verdict on each equals sign of a chain: shapes first, then numbers; for a right one the rules, for a wrong one the
//! reason and the nearest right formula. A wrong part does not hide later ones.

use super::compare::{Answer, Counterexample, Question};
use super::conditions::{condition, is_zero, zero_by_definition};
use super::derived::derived;
use super::edits::Pieces;
use super::justify::{Waypoint, justify, pairing, way as way_between};
use super::moving::moving;
use super::pieces::pieces;
use super::repair::{Repair, Wrong, fitting, repairs_where_all_moves};
use super::scope::{Fault, Form, Misfit, Ranges, Scope, is_second_by_one};
use crate::diagnostic::Span;
use crate::document::formula::{Formula, Kind};
use crate::elaborate::{Properties, Property};

/// What is said of one equals sign.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It says what a name stands for.
    Defines(String),
    /// Both sides are equal.
    Holds(Holds),
    /// They are not.
    Fails(Box<Fails>),
    /// Nothing is said, for this reason.
    Skipped(String),
}

/// A right step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holds {
    /// Exactly too, modulo a prime, with functions as symbols.
    pub exact: bool,
    /// The rules that lead from left to right; none where no short chain was found.
    pub rules: Vec<String>,
    /// Declared properties without which it would be false.
    pub relies_on: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// A wrong step.
#[derive(Clone, Debug, PartialEq)]
pub struct Fails {
    /// The formula that is wrong.
    pub place: Span,
    /// Why.
    pub reason: Reason,
    /// Right formulas, the nearest first.
    pub repairs: Vec<Repair>,
    /// What matgrad derives, as a formula.
    pub derived: Option<Formula>,
    /// Undeclared properties under which it would hold.
    pub only_if: Vec<String>,
}

/// Why a step is wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The shapes do not fit.
    Shape(String),
    /// The numbers differ.
    Numbers(Option<Counterexample>),
}

/// Formulas joined by equals signs.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The formulas.
    pub parts: Vec<Formula>,
    /// A name that the first equals sign defines.
    pub defines: Option<String>,
    /// A name of which the first equals sign says where it is, after it moved before.
    pub places: Option<String>,
}

/// What the rest of the text says that matters to a chain.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Names whose differential stands somewhere.
    pub differentials: Vec<String>,
    /// Names by which derivatives are taken.
    pub variables: Vec<String>,
    /// Whether each equation is a claim, as in a program; in a document it may be a condition.
    pub claims_only: bool,
}

/// The verdicts on a chain, one for each equals sign. What a chain says of sizes nobody declared counts for later ones
/// only where it is right.
pub fn judge(scope: &mut Scope, chain: &Chain, around: &Surroundings) -> Vec<Verdict> {
    let before = scope.clone();
    let verdicts = judged(scope, chain, around);
    if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fails(_))) {
        *scope = before;
    } else {
        scope.settle();
    }
    verdicts
}

fn judged(scope: &mut Scope, chain: &Chain, around: &Surroundings) -> Vec<Verdict> {
    let mut ranges = Ranges::new();
    let mut parts: Vec<(Formula, Result<Form, Misfit>)> = Vec::new();
    for part in &chain.parts {
        let mut formula = part.clone();
        let form = scope.shape(&mut formula, &mut ranges);
        parts.push((formula, form));
    }
    let all: Vec<&Formula> = chain.parts.iter().collect();
    let moving = match moving(scope, &all, around) {
        Ok(moving) => moving,
        Err(reason) => return vec![Verdict::Skipped(reason); chain.parts.len().saturating_sub(1)],
    };
    let forms: Vec<Form> = parts.iter().filter_map(|(_, form)| form.as_ref().ok().copied()).collect();
    let pieces = pieces(scope, &chain.parts, &forms);
    let mut out = Vec::new();
    // The last part that can be gone on from, and the one before a wrong one.
    let mut good: Option<(Formula, Form)> = match &parts[0].1 {
        Ok(form) => Some((parts[0].0.clone(), *form)),
        Err(_) => None,
    };
    let mut before_mistake: Option<(Formula, Form)> = None;
    let first_error = parts[0].1.as_ref().err().cloned();
    for k in 1..parts.len() {
        if k == 1
            && let Some(name) = &chain.defines
        {
            match &parts[1].1 {
                Ok(form) => {
                    out.push(Verdict::Defines(name.clone()));
                    good = Some((parts[1].0.clone(), *form));
                    continue;
                }
                Err(misfit) if misfit.fault == Fault::NotCovered => {
                    out.push(Verdict::Skipped(misfit.message.clone()));
                    good = None;
                    continue;
                }
                Err(misfit) => {
                    let declared = scope.variables.get(name).filter(|variable| variable.declared).map(|v| v.form);
                    let repair = fitting(scope, &ranges, &chain.parts[1], declared, &pieces);
                    let reason = Reason::Shape(misfit.message.clone());
                    good = repair.as_ref().and_then(|repair| {
                        let mut formula = repair.formula.clone();
                        scope.shape(&mut formula, &mut ranges).ok().map(|form| (formula, form))
                    });
                    out.push(Verdict::Fails(Box::new(Fails {
                        place: misfit.span,
                        reason,
                        repairs: repair.into_iter().collect(),
                        derived: None,
                        only_if: Vec::new(),
                    })));
                    continue;
                }
            }
        }
        if k == 1
            && let Some(name) = parts[0].0.as_name()
            && !around.claims_only
            && scope.sizes.has_name(name)
            && scope.form_of(name).is_none()
        {
            out.push(Verdict::Skipped(format!("`{name}` is a dimension in this text: no claim is made about it")));
            good = None;
            continue;
        }
        if k == 1
            && let Some(name) = &chain.places
        {
            out.push(Verdict::Skipped(format!("it says where `{name}` is: a condition, not a claim")));
            good = parts[1].1.as_ref().ok().map(|form| (parts[1].0.clone(), *form));
            continue;
        }
        let Some((left, left_form)) = good.clone() else {
            out.push(match (&first_error, k) {
                (Some(misfit), 1) if misfit.fault == Fault::NotCovered => Verdict::Skipped(misfit.message.clone()),
                (Some(misfit), 1) => wrong_shape(misfit.span, misfit.message.clone()),
                _ => Verdict::Skipped("the side before it could not be read".to_owned()),
            });
            if let Ok(form) = &parts[k].1 {
                good = Some((parts[k].0.clone(), *form));
            }
            continue;
        };
        let line = Line { scope, ranges: &ranges, moving: &moving, pieces: &pieces, around };
        let (verdict, next) = line.judge(&left, left_form, &parts[k], &chain.parts[k]);
        let verdict = match (verdict, &before_mistake) {
            // It may go on from the line before the wrong one.
            (Verdict::Fails(fails), Some((earlier, form))) => {
                let line = Line { scope, ranges: &ranges, moving: &moving, pieces: &pieces, around };
                match line.judge(earlier, *form, &parts[k], &chain.parts[k]).0 {
                    Verdict::Holds(mut holds) => {
                        holds.notes.push("it goes on from the line before the wrong one".to_owned());
                        before_mistake = None;
                        Verdict::Holds(holds)
                    }
                    _ => Verdict::Fails(fails),
                }
            }
            (verdict, _) => verdict,
        };
        if matches!(verdict, Verdict::Fails(_)) && before_mistake.is_none() {
            before_mistake = Some((left, left_form));
        }
        out.push(verdict);
        if let Some(next) = next {
            good = Some(next);
        }
    }
    out
}

fn wrong_shape(place: Span, why: String) -> Verdict {
    Verdict::Fails(Box::new(Fails {
        place,
        reason: Reason::Shape(why),
        repairs: Vec::new(),
        derived: None,
        only_if: Vec::new(),
    }))
}

/// One equals sign.
struct Line<'a> {
    scope: &'a mut Scope,
    ranges: &'a Ranges,
    moving: &'a [String],
    pieces: &'a Pieces,
    around: &'a Surroundings,
}

impl Line<'_> {
    /// The verdict, and what the chain goes on from.
    fn judge(
        self,
        left: &Formula,
        left_form: Form,
        right: &(Formula, Result<Form, Misfit>),
        written: &Formula,
    ) -> (Verdict, Option<(Formula, Form)>) {
        let form = match &right.1 {
            Ok(form) => *form,
            Err(misfit) if misfit.fault == Fault::NotCovered => {
                return (Verdict::Skipped(misfit.message.clone()), None);
            }
            Err(misfit) => return self.no_shape(left, left_form, misfit.span, misfit.message.clone(), written),
        };
        let same = self.scope.sizes.unify(left_form.rows, form.rows)
            && self.scope.sizes.unify(left_form.columns, form.columns);
        if !same && !is_zero(left) && !is_zero(&right.0) {
            let why =
                format!("the left side is {}, the right side {}", self.scope.text(left_form), self.scope.text(form));
            return self.no_shape(left, left_form, written.span, why, written);
        }
        let next = Some((right.0.clone(), form));
        let question = Question::new(self.scope, self.ranges, &[left, &right.0], self.moving);
        match question.compare(left, &right.0) {
            Answer::Unknown(why) => (Verdict::Skipped(why), next),
            Answer::Equal { exact } => {
                if let Some(name) = zero_by_definition(self.scope, self.ranges, left, &right.0, self.moving) {
                    let why = format!("both sides are zero, but only where `{name}` is what it is defined as");
                    return (Verdict::Skipped(why), next);
                }
                let relies_on = relies_on(self.scope, self.ranges, left, &right.0, self.moving);
                let mut notes = Vec::new();
                match self.held(left, &right.0) {
                    Held::Nothing => {}
                    Held::Fine(names) => notes.push(format!("{} held fixed", listed(&names))),
                    Held::Wrong(names) => {
                        let only_if =
                            names.iter().map(|name| format!("`{name}` is held fixed (assume constant({name}))"));
                        let only_if = only_if.collect();
                        let all = [self.moving, &names].concat();
                        let fails = self.failure(left, left_form, &right.0, &all, only_if);
                        return (Verdict::Fails(Box::new(fails)), next);
                    }
                }
                if let Some(name) = second_by_matrix(self.scope, left, &right.0) {
                    notes.push(format!("by vec({name}), column by column"));
                }
                let rules = justify(self.scope, self.moving, left, &right.0);
                (Verdict::Holds(Holds { exact, rules, relies_on, notes }), next)
            }
            Answer::Different => {
                if !self.around.claims_only
                    && let Some(why) = condition(left, &right.0)
                {
                    return (Verdict::Skipped(why), None);
                }
                if let Some(name) = second_by_matrix(self.scope, left, &right.0) {
                    self.scope.rows_first = true;
                    let question = Question::new(self.scope, self.ranges, &[left, &right.0], self.moving);
                    let right_by_rows = matches!(question.compare(left, &right.0), Answer::Equal { .. });
                    self.scope.rows_first = false;
                    if right_by_rows {
                        let why =
                            format!("right where vec puts the rows of `{name}` one below the other, not its columns");
                        return (Verdict::Skipped(why), next);
                    }
                }
                let only_if = only_if(self.scope, self.ranges, left, &right.0, self.moving);
                let moving = self.moving.to_vec();
                let fails = self.failure(left, left_form, &right.0, &moving, only_if);
                (Verdict::Fails(Box::new(fails)), next)
            }
        }
    }

    fn failure(self, left: &Formula, form: Form, right: &Formula, moving: &[String], only_if: Vec<String>) -> Fails {
        let question = Question::new(self.scope, self.ranges, &[left, right], moving);
        let counterexample = question.counterexample(left, right);
        let wrong = Wrong { left, form, right, moving, pieces: self.pieces };
        let repairs = repairs_where_all_moves(self.scope, self.ranges, &wrong);
        let derived = if repairs.is_empty() { derived(self.scope, self.ranges, &wrong) } else { None };
        Fails { place: right.span, reason: Reason::Numbers(counterexample), repairs, derived, only_if }
    }

    fn no_shape(
        self,
        left: &Formula,
        form: Form,
        place: Span,
        why: String,
        written: &Formula,
    ) -> (Verdict, Option<(Formula, Form)>) {
        let wrong = Wrong { left, form, right: written, moving: self.moving, pieces: self.pieces };
        let repairs = repairs_where_all_moves(self.scope, self.ranges, &wrong);
        let derived = if repairs.is_empty() { derived(self.scope, self.ranges, &wrong) } else { None };
        // Later parts are compared with what is right.
        let next = repairs.first().map(|repair| (repair.formula.clone(), form));
        let fails = Fails { place, reason: Reason::Shape(why), repairs, derived, only_if: Vec::new() };
        (Verdict::Fails(Box::new(fails)), next)
    }

    /// Names that the left side depends on, that move elsewhere in the text, and that this chain holds fixed.
    fn held(&self, left: &Formula, right: &Formula) -> Held {
        let (inner, explicit) = match &left.kind {
            Kind::Differential(inner) => (inner, inner.as_name().is_none()),
            _ => return Held::Nothing,
        };
        let below: Vec<String> = match inner.as_name() {
            Some(name) => self.scope.below(name).into_iter().skip(1).collect(),
            None => inner.names().into_iter().map(str::to_owned).collect(),
        };
        let candidates: Vec<String> = below
            .into_iter()
            .filter(|name| {
                let elsewhere = self.around.differentials.contains(name);
                let variable = explicit && !self.scope.definitions.contains_key(name);
                (elsewhere || variable) && self.scope.form_of(name).is_some() && !self.moving.contains(name)
            })
            .filter(|name| {
                let constant = |v: &super::scope::Variable| v.properties.has(Property::Constant);
                self.scope.variables.get(name).is_none_or(|variable| !constant(variable))
                    && !self.moving.iter().any(|moving| self.scope.below(name).contains(moving))
                    && !self.moving.iter().any(|moving| self.scope.below(moving).contains(name))
            })
            .collect();
        if candidates.is_empty() {
            return Held::Nothing;
        }
        let all = [self.moving, &candidates].concat();
        let question = Question::new(self.scope, self.ranges, &[left, right], &all);
        match question.compare(left, right) {
            Answer::Different if explicit && candidates.iter().any(|name| self.around.differentials.contains(name)) => {
                Held::Wrong(candidates)
            }
            Answer::Different => Held::Fine(candidates),
            _ => Held::Nothing,
        }
    }
}

/// The matrix by which a second derivative is taken here.
fn second_by_matrix(scope: &Scope, left: &Formula, right: &Formula) -> Option<String> {
    let mut found = None;
    for side in [left, right] {
        side.visit(&mut |part| {
            if let Kind::Derivative { of, by } = &part.kind
                && is_second_by_one(of, by)
                && let Some(name) = by.as_name()
                && let Some(form) = scope.form_of(name)
                && !scope.sizes.is_one(form.rows)
                && !scope.sizes.is_one(form.columns)
            {
                found = Some(name.to_owned());
            }
        });
    }
    found
}

/// What a chain holds fixed.
enum Held {
    Nothing,
    /// By the custom of writing dZ for the part of it that is meant.
    Fine(Vec<String>),
    /// d of an expression leaves nothing out.
    Wrong(Vec<String>),
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Properties that are tried one by one, with what they say.
const TRIED: &[(Property, &str)] = &[
    (Property::Symmetric, "is symmetric"),
    (Property::Skew, "is skew"),
    (Property::Diagonal, "is diagonal"),
    (Property::Orthogonal, "is orthogonal"),
    (Property::RowStochastic, "has rows that sum to 1"),
    (Property::OneHot, "is one-hot"),
    (Property::PositiveDefinite, "is positive definite"),
    (Property::Positive, "has positive entries"),
    (Property::Nonnegative, "has no negative entries"),
];

fn variables_below(scope: &Scope, formulas: &[&Formula]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for formula in formulas {
        for name in formula.names() {
            for below in scope.below(name) {
                if scope.variables.contains_key(&below)
                    && !scope.definitions.contains_key(&below)
                    && !out.contains(&below)
                {
                    out.push(below);
                }
            }
        }
    }
    out
}

/// Declared properties without which a true line would be false.
fn relies_on(scope: &Scope, ranges: &Ranges, left: &Formula, right: &Formula, moving: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for name in variables_below(scope, &[left, right]) {
        let Some(variable) = scope.variables.get(&name) else { continue };
        let declared = variable.properties;
        if declared == Properties::NONE {
            continue;
        }
        let with = |of: Properties| {
            Question::new(scope, ranges, &[left, right], moving).with_properties(&name, of).compare(left, right)
        };
        if with(Properties::NONE) != Answer::Different {
            continue;
        }
        for &(property, what) in TRIED.iter().filter(|(property, _)| declared.has(*property)) {
            if matches!(with(Properties::NONE.with(property).closed()), Answer::Equal { .. }) {
                out.push(format!("`{name}` {what}"));
                break;
            }
        }
    }
    out
}

/// Undeclared properties under which a false line would be true.
fn only_if(scope: &Scope, ranges: &Ranges, left: &Formula, right: &Formula, moving: &[String]) -> Vec<String> {
    const MOST_VARIABLES: usize = 10;
    let mut out = Vec::new();
    for name in variables_below(scope, &[left, right]).into_iter().take(MOST_VARIABLES) {
        let Some(variable) = scope.variables.get(&name) else { continue };
        let square = scope.sizes.are_equal(variable.form.rows, variable.form.columns);
        if scope.is_scalar(variable.form) {
            continue;
        }
        for &(property, what) in TRIED {
            let fits = match property {
                Property::Symmetric | Property::Skew | Property::Diagonal | Property::Orthogonal => square,
                Property::RowStochastic => !square && !scope.sizes.is_one(variable.form.columns),
                _ => false,
            };
            if !fits || variable.properties.has(property) {
                continue;
            }
            let of = variable.properties.with(property).closed();
            let question = Question::new(scope, ranges, &[left, right], moving).with_properties(&name, of);
            if matches!(question.compare(left, right), Answer::Equal { .. }) {
                out.push(format!("`{name}` {what}"));
                break;
            }
        }
    }
    out
}

/// A way from one formula to another that equals it.
pub struct Way {
    /// From the left side to the right side; from dF to tr(G'dX) where a gradient is read off.
    pub points: Vec<Waypoint>,
    /// The gradient that is read off, left and right.
    pub read_off: Option<(Formula, Formula)>,
}

/// The way between two formulas by named rules; `None` where none was found.
pub fn way(scope: &mut Scope, pair: &[Formula], around: &Surroundings) -> Option<Way> {
    let mut ranges = Ranges::new();
    let (mut left, mut right) = (pair.first()?.clone(), pair.get(1)?.clone());
    scope.shape(&mut left, &mut ranges).ok()?;
    scope.shape(&mut right, &mut ranges).ok()?;
    let moving = moving(scope, &[&left, &right], around).ok()?;
    if let Some(points) = way_between(scope, &moving, &left, &right) {
        return Some(Way { points, read_off: None });
    }
    if let Some((moving, differential, pairing)) = pairing(scope, &left, &right)
        && let Some(points) = way_between(scope, &moving, &differential, &pairing)
    {
        return Some(Way { points, read_off: Some((left, right)) });
    }
    // In index notation all at once.
    let rules = justify(scope, &moving, &left, &right);
    let points = vec![Waypoint { formula: left, rules: Vec::new() }, Waypoint { formula: right, rules }];
    (!points[1].rules.is_empty()).then_some(Way { points, read_off: None })
}

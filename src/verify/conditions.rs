//! Equations that are no claims: `∇f = 0`, which says where a minimum is, `w = …` of a `w` by which derivatives were taken
//! before, `dW` for a gradient. A text is full of them; they are told apart here and never counted as right or wrong.

use super::compare::{Answer, Question, free_of};
use super::scope::{Ranges, Scope};
use crate::document::formula::{Formula, Kind};
use crate::document::text::Line;
use crate::elaborate::Properties;

/// Numbers up to this are zero.
const ZERO: f64 = 1e-9;

/// Whether a side is written as zero.
pub fn is_zero(formula: &Formula) -> bool {
    match &formula.kind {
        Kind::Number(value) => value.is_zero(),
        Kind::Zeros(..) => true,
        _ => false,
    }
}

/// Why an equation that is not true for all values may be meant as a condition; `None` where it is a claim.
pub fn condition(left: &Formula, right: &Formula) -> Option<String> {
    let moves = |formula: &Formula| formula.any(|part| matches!(part.kind, Kind::Differential(_)));
    let zero = is_zero(left) || is_zero(right);
    (zero && !moves(left) && !moves(right))
        .then(|| "not true for all values: taken for a condition, not for a claim".to_owned())
}

/// Whether a name that a line seems to define is one that moved in an earlier line: then the line says where it is.
pub fn moved_before(name: &str, earlier: &[Line]) -> bool {
    earlier.iter().flat_map(|line| &line.parts).any(|part| {
        part.any(|part| match &part.kind {
            Kind::Differential(inner) => inner.as_name() == Some(name),
            Kind::Derivative { by, .. } => by.names().contains(&name),
            _ => false,
        })
    })
}

/// Where both sides are zero only because a name that moves is what it is defined as: the name.
pub fn zero_by_definition(
    scope: &Scope,
    ranges: &Ranges,
    left: &Formula,
    right: &Formula,
    moving: &[String],
) -> Option<String> {
    let mut names: Vec<String> = moving.to_vec();
    for side in [left, right] {
        side.visit(&mut |part| {
            if let Kind::Derivative { by, .. } = &part.kind {
                names.extend(by.names().iter().map(|name| (*name).to_owned()));
            }
        });
    }
    names.retain(|name| scope.definitions.contains_key(name));
    if names.is_empty() || is_zero(left) || is_zero(right) {
        return None;
    }
    let free = free_of(left, right);
    let question = Question::new(scope, ranges, &[left, right], moving);
    let values = question.known_values(left, &free, 1);
    let zero = values.iter().all(|(_, values, largest)| {
        values.iter().flat_map(|grid| &grid.entries).all(|x| x.value.abs() <= ZERO * largest.max(1.0))
    });
    if values.is_empty() || !zero {
        return None;
    }
    names.into_iter().find(|name| {
        let mut free = scope.clone();
        let Some(form) = free.form_of(name) else { return false };
        free.definitions.remove(name);
        if !free.variables.contains_key(name) {
            free.declare(name, form, Properties::NONE, false);
        }
        Question::new(&free, ranges, &[left, right], moving).compare(left, right) == Answer::Different
    })
}

/// Whether a text writes `dW` for a gradient: a formula without a differential for `dZ`, and `dW` of a `W` that nothing
/// defines by others.
pub fn gradients_as_differentials(scope: &Scope, lines: &[Line]) -> bool {
    let moves = |formula: &Formula| formula.any(|part| matches!(part.kind, Kind::Differential(_)));
    let (mut plain, mut free) = (false, false);
    for line in lines {
        let Some((name, right)) = differential_head(scope, line) else { continue };
        plain |= !moves(right) && !is_zero(right);
        free |= moves(right) && !scope.definitions.contains_key(name) && {
            !right.any(|part| matches!(&part.kind, Kind::Differential(inner) if inner.as_name() == Some(name)))
        };
    }
    plain && free
}

/// The Z of a line `dZ = …` that is no scalar, and what stands on its right.
pub fn differential_head<'a>(scope: &Scope, line: &'a Line) -> Option<(&'a str, &'a Formula)> {
    let Kind::Differential(inner) = &line.parts[0].kind else { return None };
    let name = inner.as_name()?;
    let scalar = scope.form_of(name).is_some_and(|form| scope.is_scalar(form));
    (!scalar).then(|| (name, &line.parts[1]))
}

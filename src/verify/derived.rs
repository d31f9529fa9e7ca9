//! What matgrad derives itself, in place of a wrong gradient: the names of the scope become a program, its answer a formula.

use super::compare::{Answer, Question};
use super::repair::Wrong;
use super::scope::{Ranges, Scope};
use crate::answer::answer;
use crate::derivation::Detail;
use crate::document::formula::{Formula, Kind};
use crate::document::language::{Names, formula};
use crate::document::write::{Script, write};
use crate::elaborate::Property;
use crate::render::build::notation;
use crate::render::text::explicit_text;
use crate::syntax::parse_expression;

/// Longer results help nobody.
const LONGEST: usize = 400;

struct Plain;

impl Names for Plain {
    fn is_known(&self, _: &str) -> bool {
        true
    }
}

/// The gradient ∂F/∂X that the left side asks for.
pub fn derived(scope: &Scope, ranges: &Ranges, wrong: &Wrong<'_>) -> Option<Formula> {
    let Kind::Derivative { of, by } = &wrong.left.kind else { return None };
    let (of, by) = (of.as_name()?, by.as_name()?);
    let program = program(scope, of, by)?;
    let answer = answer(&program, Detail::None).ok()?;
    let value = answer.outcomes.first()?.value?;
    let text = explicit_text(&notation(&answer.arena, value));
    if text.len() > LONGEST {
        return None;
    }
    let (ast, root, errors) = parse_expression(&text);
    if !errors.is_empty() {
        return None;
    }
    let mut found = formula(&ast, root?, &Plain).ok()?;
    let mut scratch = scope.clone();
    scratch.shape(&mut found, &mut ranges.clone()).ok()?;
    let question = Question::new(&scratch, ranges, &[wrong.left, &found], wrong.moving);
    matches!(question.compare(wrong.left, &found), Answer::Equal { .. }).then_some(found)
}

/// The names below F as a program that asks for the gradient.
fn program(scope: &Scope, of: &str, by: &str) -> Option<String> {
    const PROPERTIES: [Property; 11] = [
        Property::Symmetric,
        Property::Skew,
        Property::Diagonal,
        Property::Orthogonal,
        Property::Invertible,
        Property::PositiveDefinite,
        Property::Positive,
        Property::Nonnegative,
        Property::OneHot,
        Property::RowStochastic,
        Property::Constant,
    ];
    let mut scope = scope.clone();
    let below = scope.below(of);
    let mut open = Vec::new();
    for name in &below {
        if let Some(form) = scope.form_of(name) {
            open.extend([form.rows, form.columns]);
        }
    }
    scope.sizes.name_open(&open);
    let mut out = String::new();
    for name in &scope.variable_order {
        if !below.contains(name) || scope.definitions.contains_key(name) {
            continue;
        }
        let variable = &scope.variables[name];
        out.push_str(&format!("{name} : {}\n", scope.kind_text(variable.form)));
        for property in PROPERTIES.iter().filter(|property| variable.properties.has(**property)) {
            out.push_str(&format!("assume {}({name})\n", property.name()));
        }
    }
    for name in definitions_in_order(&scope, &below) {
        let body = &scope.definitions[&name].body;
        let foreign = |part: &Formula| {
            matches!(
                part.kind,
                Kind::Generic { .. }
                    | Kind::Entry { .. }
                    | Kind::Over { .. }
                    | Kind::Delta(..)
                    | Kind::Derivative { .. }
                    | Kind::Differential(_)
            )
        };
        if body.any(foreign) {
            return None;
        }
        out.push_str(&format!("{name} = {}\n", write(body, Script::Language)));
    }
    out.push_str(&format!("grad {of} wrt {by}\n"));
    Some(out)
}

/// Definitions, each behind those it stands on.
fn definitions_in_order(scope: &Scope, below: &[String]) -> Vec<String> {
    let mut left: Vec<String> = scope.definition_order.iter().filter(|name| below.contains(name)).cloned().collect();
    let mut out: Vec<String> = Vec::new();
    while !left.is_empty() {
        let ready = |name: &String| {
            scope.definitions[name].body.names().iter().all(|inner| !left.iter().any(|other| other == inner))
        };
        let Some(next) = left.iter().position(ready) else { break };
        out.push(left.remove(next));
    }
    out
}

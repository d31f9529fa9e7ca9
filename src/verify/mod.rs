//! Derivations made by hand, line by line: formulas of a document come in, a verdict for each equals sign goes out.

mod chapters;
pub mod compare;
mod conditions;
mod derived;
pub mod draw;
pub mod edits;
mod entries;
pub mod evaluate;
pub mod judge;
pub mod justify;
pub mod linear;
pub mod moves;
mod moving;
mod names;
pub mod normal;
mod pieces;
pub mod repair;
pub mod report;
pub mod scope;
pub mod shown;
pub mod sizes;
pub mod slopes;
pub mod values;

use crate::diagnostic::{self, Diagnostic};
use crate::document::formula::{Formula, Kind};
use crate::document::text::Document;
use crate::document::write::{Script, write};
use crate::rules;

use judge::{Surroundings, judge};
use report::{Judged, Report, Step};

/// Judges all chains of a document.
pub fn verify(document: &Document) -> Report {
    let report = judged(document);
    let anew = chapters::used_anew(document, &report);
    if anew.is_empty() {
        return report;
    }
    let mut report = judged(&chapters::marked(document, &anew));
    chapters::unmark(&mut report);
    report
}

fn judged(document: &Document) -> Report {
    let (mut scope, mut errors) = names::declared(document);
    errors.splice(0..0, document.errors.iter().cloned());
    let chains = names::defined(&mut scope, document);
    scope.settle();
    let mut around = Surroundings::default();
    for part in chains.iter().flat_map(|chain| &chain.parts) {
        part.visit(&mut |formula| {
            let (list, inner) = match &formula.kind {
                Kind::Differential(inner) => (&mut around.differentials, inner),
                Kind::Derivative { by, .. } => (&mut around.variables, by),
                _ => return,
            };
            let name = match &formula.kind {
                Kind::Differential(inner) => moving::moved_name(inner),
                _ => inner.as_name(),
            };
            if let Some(name) = name
                && !list.iter().any(|known| known == name)
            {
                list.push(name.to_owned());
            }
        });
    }
    // Functions that the text itself says more of than their name.
    let specified: Vec<String> = chains
        .iter()
        .filter_map(|chain| match &chain.parts[0].kind {
            Kind::Generic { name, argument, .. } if argument.as_name().is_some() => Some(name.clone()),
            _ => None,
        })
        .collect();
    around.claims_only = document.script == Script::Language;
    let gradients = !around.claims_only && conditions::gradients_as_differentials(&scope, &document.lines);
    let mut lines = Vec::new();
    for (line, chain) in document.lines.iter().zip(&chains) {
        let mut verdicts = match conditions::differential_head(&scope, line) {
            Some((name, _)) if gradients => {
                let why = format!(
                    "`d{name}` seems to stand for a gradient in this text: write \\partial L/\\partial {name} for it"
                );
                vec![judge::Verdict::Skipped(why); chain.parts.len() - 1]
            }
            _ => judge(&mut scope, chain, &around),
        };
        for (pair, verdict) in chain.parts.windows(2).zip(&mut verdicts) {
            let given = specified
                .iter()
                .find(|name| !scope.functions.contains_key(*name) && pair.iter().any(|part| applies(part, name)));
            if let (judge::Verdict::Fails(_), Some(name)) = (&*verdict, given) {
                let why = format!("the text says what `{name}` is; verify takes it for any function");
                *verdict = judge::Verdict::Skipped(why);
            }
        }
        let pairs = chain.parts.windows(2);
        let steps = pairs
            .zip(verdicts)
            .map(|(pair, verdict)| Step {
                left: pair[0].span,
                right: pair[1].span,
                formulas: [pair[0].clone(), pair[1].clone()],
                verdict,
            })
            .collect();
        lines.push(Judged { span: line.span, steps });
    }
    let mut inferred = document.assumed.clone();
    scope.settle();
    for name in &scope.variable_order {
        let variable = &scope.variables[name];
        if !variable.declared && !scope.definitions.contains_key(name) {
            inferred.push(format!("{name} : {}", scope.kind_text(variable.form)));
        }
    }
    diagnostic::in_order(&mut errors);
    let skipped = document.skipped.iter().map(|skipped| (skipped.span, skipped.reason.clone())).collect();
    Report { lines, skipped, inferred, errors, outline: document.outline.clone(), script: document.script }
}

/// Whether a function known by its name is applied in a formula.
fn applies(formula: &Formula, function: &str) -> bool {
    formula.any(|part| matches!(&part.kind, Kind::Generic { name, .. } if name == function))
}

/// Why an equation was not explained.
#[derive(Clone, Debug)]
pub enum NoWay {
    /// The text has mistakes.
    Mistakes(Vec<Diagnostic>),
    /// The equation is wrong.
    Wrong,
    /// No way was found, for this reason.
    NotFound(String),
}

/// The way from the left side of the last equation of a document to its right side, by named rules, a line each.
///
/// # Errors
/// A mistake in the text, a wrong equation, or that no way was found.
pub fn explanation(document: &Document) -> Result<String, NoWay> {
    let report = verify(document);
    if !report.errors.is_empty() {
        return Err(NoWay::Mistakes(report.errors));
    }
    if report.counts().wrong > 0 {
        return Err(NoWay::Wrong);
    }
    let nothing = || NoWay::NotFound("there is no equation to explain".to_owned());
    let (mut scope, _) = names::declared(document);
    let chains = names::defined(&mut scope, document);
    let (chain, line) =
        chains.iter().zip(&report.lines).rfind(|(chain, _)| chain.defines.is_none()).ok_or_else(nothing)?;
    let mut out = String::new();
    for (pair, step) in chain.parts.windows(2).zip(&line.steps) {
        if let judge::Verdict::Skipped(why) = &step.verdict {
            return Err(NoWay::NotFound(why.clone()));
        }
        let around = Surroundings::default();
        let Some(way) = judge::way(&mut scope, pair, &around) else {
            return Err(NoWay::NotFound("the equation holds, but no short way by named rules was found".to_owned()));
        };
        for (k, waypoint) in way.points.iter().enumerate() {
            let text = write(&waypoint.formula, document.script);
            match k {
                0 if out.is_empty() => out.push_str(&format!("  {text}\n")),
                0 => {}
                _ => out.push_str(&format!("= {text}   [{}]\n", waypoint.rules.join("; "))),
            }
        }
        if let Some((left, right)) = &way.read_off {
            let [left, right] = [left, right].map(|side| write(side, document.script));
            out.push_str(&format!("so {left} = {right}   [{}]\n", rules::READ_OFF.rule().statement));
        }
    }
    Ok(out)
}

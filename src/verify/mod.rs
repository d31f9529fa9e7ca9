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
mod layers;
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
mod symmetric;
pub mod values;

use crate::diagnostic::{self, Diagnostic};
use crate::document::formula::{Formula, Index, Kind};
use crate::document::text::Document;
use crate::document::write::{Script, write};
use crate::rules;

use judge::{Surroundings, judge};
use report::{Judged, Report, Step};

/// Judges all chains of a document.
pub fn verify(document: &Document) -> Report {
    let mut report = judged(document);
    let anew = chapters::used_anew(document, &report);
    if !anew.is_empty() {
        report = judged(&chapters::marked(document, &anew));
        chapters::unmark(&mut report);
    }
    layers::merge(document, &mut report);
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
    // Names of which an equation says more than was understood.
    let headless = chains.iter().filter_map(|chain| chain.defines.clone());
    let mut half_known: Vec<String> = document.unread.iter().cloned().chain(headless).collect();
    half_known.retain(|name| {
        let declared = scope.variables.get(name).is_some_and(|variable| variable.declared);
        !scope.definitions.contains_key(name) && !declared
    });
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
            if let judge::Verdict::Fails(fails) = &*verdict
                && matches!(fails.reason, judge::Reason::Shape(_))
                && let Some((name, index)) = pair.iter().find_map(|part| turned_entry(&scope, part))
            {
                let why = format!(
                    "`{name}_{index}` is turned like a vector, and nothing says that it is one: declare {name}_{index} : vector(n)"
                );
                *verdict = judge::Verdict::Skipped(why);
            }
            if let judge::Verdict::Fails(_) = &*verdict
                && let Some(name) = half_known.iter().find(|name| pair.iter().any(|part| stands_on(&scope, part, name)))
            {
                let why = format!("it stands on `{name}`, of which an equation was not understood");
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
                layers: None,
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

/// The x of `x_i^\top` where nobody says what x is: an entry is not turned, so each x_i may be a vector.
fn turned_entry(scope: &scope::Scope, formula: &Formula) -> Option<(String, String)> {
    let mut found = None;
    formula.visit(&mut |part| {
        if let Kind::Transpose(inner) = &part.kind
            && let Kind::Entry { of, indices } = &inner.kind
            && let (Some(name), [Index::Name(index)]) = (of.as_name(), indices.as_slice())
            && !scope.variables.get(name).is_some_and(|variable| variable.declared)
            && !scope.definitions.contains_key(name)
        {
            found.get_or_insert((name.to_owned(), index.clone()));
        }
    });
    found
}

/// Whether a formula, or a definition in it, holds a name.
fn stands_on(scope: &scope::Scope, formula: &Formula, name: &str) -> bool {
    formula.names().iter().any(|inner| scope.below(inner).iter().any(|below| below == name))
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

//! Names that a later chapter uses anew: `f = …` in one exercise and another `f = …` in the next. Where the second is no
//! claim about the first, the name gets a mark from there on; the mark is taken away before anything is told.

use super::judge::{Reason, Verdict};
use super::report::Report;
use crate::document::formula::{Formula, Kind};
use crate::document::text::Document;

/// Marks a name that is used anew; it is no letter, and never shown.
const MARK: char = '\u{2060}';

/// Where names are used anew: the line, and the name.
pub fn used_anew(document: &Document, report: &Report) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut defined: Vec<(usize, String)> = Vec::new();
    for (k, (line, judged)) in document.lines.iter().zip(&report.lines).enumerate() {
        let Some(name) = line.parts[0].as_name() else { continue };
        match judged.steps.first().map(|step| &step.verdict) {
            Some(Verdict::Defines(_)) => defined.push((k, name.to_owned())),
            Some(Verdict::Fails(_)) if line.may_define => {
                let Some((first, _)) = defined.iter().rfind(|(_, known)| known == name) else { continue };
                let (from, to) = (document.lines[*first].span.start, line.span.start);
                // Without a heading between them the second is a claim about the first, and wrong.
                if document.headings.iter().any(|&heading| from < heading && heading < to) {
                    out.push((k, name.to_owned()));
                    defined.push((k, name.to_owned()));
                }
            }
            _ => {}
        }
    }
    out
}

/// The document with marks behind the names that are used anew.
pub fn marked(document: &Document, anew: &[(usize, String)]) -> Document {
    let mut out = document.clone();
    for (first, name) in anew {
        let from = out.lines[*first].parts[0].as_name().unwrap_or(name).to_owned();
        let to = format!("{from}{MARK}");
        for line in &mut out.lines[*first..] {
            line.parts.iter_mut().for_each(|part| renamed(part, &from, &to));
        }
    }
    out
}

fn renamed(formula: &mut Formula, from: &str, to: &str) {
    if let Kind::Name(name) = &mut formula.kind
        && name == from
    {
        *name = to.to_owned();
    }
    formula.children_mut().into_iter().for_each(|child| renamed(child, from, to));
}

/// Takes the marks away.
pub fn unmark(report: &mut Report) {
    for step in report.lines.iter_mut().flat_map(|line| &mut line.steps) {
        step.formulas.iter_mut().for_each(unmarked);
        match &mut step.verdict {
            Verdict::Defines(text) | Verdict::Skipped(text) => strip(text),
            Verdict::Holds(holds) => {
                holds.rules.iter_mut().chain(&mut holds.relies_on).chain(&mut holds.notes).for_each(strip);
            }
            Verdict::Fails(fails) => {
                fails.only_if.iter_mut().for_each(strip);
                fails.derived.iter_mut().for_each(unmarked);
                for repair in &mut fails.repairs {
                    unmarked(&mut repair.formula);
                    strip(&mut repair.what);
                }
                match &mut fails.reason {
                    Reason::Shape(why) => strip(why),
                    Reason::Numbers(found) => {
                        found.iter_mut().flat_map(|found| &mut found.given).for_each(|(name, _)| strip(name));
                    }
                }
            }
        }
    }
    report.inferred.iter_mut().for_each(strip);
}

fn strip(text: &mut String) {
    if text.contains(MARK) {
        *text = text.replace(MARK, "");
    }
}

fn unmarked(formula: &mut Formula) {
    if let Kind::Name(name) = &mut formula.kind {
        strip(name);
    }
    formula.children_mut().into_iter().for_each(unmarked);
}

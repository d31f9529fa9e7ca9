//! What is asked of a text with formulas: verdicts on its equations, and ways from one side to the other. The fields of a
//! request come in; the command line's text or JSON goes out, or the object that the page's script takes.

use axum::http::StatusCode;
use matgrad::diagnostic::{LineIndex, Span};
use matgrad::document::{Format, read};
use matgrad::verify::judge::{Fails, Verdict};
use matgrad::verify::report::Report;
use matgrad::verify::shown::mathml::mathml;
use matgrad::verify::shown::words::{complaints, excerpt, reasons, summary};
use matgrad::verify::shown::{Subject, html, json, sarif, text};
use matgrad::verify::{NoWay, explanation};
use serde_json::{Value, json as object};

use super::asked::Asked;
use super::reply::{HTML, JSON, PLAIN, Reply, diagnostics, units};

/// A text has no more bytes.
const LARGEST: usize = 256 << 10;

/// Verdicts on a text.
pub fn verify(asked: &Asked) -> Result<impl FnOnce() -> Reply + use<>, Reply> {
    let source = asked.required("text")?;
    let kind = asked.word("kind", &["guess", "markdown", "latex", "program", "claim", "notebook"])?;
    let format = asked.word("format", &["json", "text", "html", "sarif", "page"])?;
    let inside = asked.told_inside()?;
    asked.finish()?;
    if source.len() > LARGEST {
        return Err(too_large());
    }
    Ok(move || {
        let read_as = match kind {
            "markdown" => Format::Markdown,
            "latex" => Format::Latex,
            "program" => Format::Program,
            "claim" => Format::Claim,
            "notebook" => Format::Notebook,
            _ => Format::guess(&source),
        };
        let report = matgrad::verify::verify(&read(&source, read_as));
        if !report.errors.is_empty() {
            let reply = Reply::mistakes(&report.errors, &source);
            return if inside { reply.inside() } else { reply };
        }
        let subject = Subject { report: &report, source: &source, file: "text" };
        match format {
            "text" => Reply::text(PLAIN, text(&subject)),
            "html" => Reply::text(HTML, html(&subject)),
            "sarif" => Reply::text(JSON, sarif(&subject)),
            "page" => Reply::json(&page(&report, &source)),
            _ => Reply::text(JSON, json(&subject)),
        }
    })
}

fn too_large() -> Reply {
    let why = format!("the text is larger than {} kB, which is the limit of the page", LARGEST >> 10);
    Reply::refused(StatusCode::UNPROCESSABLE_ENTITY, &why)
}

/// The object of the Verify tab.
fn page(report: &Report, source: &str) -> Value {
    let lines = LineIndex::new(source);
    let place = |span: Span| {
        let (line, column) = lines.place(source, span.start as usize);
        object!({ "start": units(source, span.start), "end": units(source, span.end), "line": line, "column": column })
    };
    let mut steps = Vec::new();
    for line in &report.lines {
        for (k, step) in line.steps.iter().enumerate() {
            let (verdict, why) = match &step.verdict {
                Verdict::Holds(holds) => ("right", vec![reasons(holds)]),
                Verdict::Defines(name) => ("defines", vec![format!("defines {name}")]),
                Verdict::Skipped(why) => ("skipped", vec![format!("skipped: {why}")]),
                Verdict::Fails(fails) => {
                    // What would be right is shown as a formula.
                    let reasons = Fails { repairs: Vec::new(), derived: None, ..Fails::clone(fails) };
                    ("wrong", complaints(&reasons, report.script))
                }
            };
            let (repairs, wrong) = match &step.verdict {
                Verdict::Fails(fails) => (repairs(fails), Some(place(fails.place))),
                _ => (Vec::new(), None),
            };
            steps.push(object!({
                "verdict": verdict,
                "why": why,
                "place": place(step.right),
                "wrong": wrong,
                "left": if k == 0 { mathml(&step.formulas[0]) } else { String::new() },
                "right": mathml(&step.formulas[1]),
                "repairs": repairs,
                "written": excerpt(source, step.right),
            }));
        }
    }
    let skipped: Vec<Value> = report
        .skipped
        .iter()
        .map(|(span, why)| object!({ "place": place(*span), "written": excerpt(source, *span), "why": why }))
        .collect();
    let counts = report.counts();
    object!({
        "summary": summary(report),
        "wrong": counts.wrong,
        "steps": steps,
        "skipped": skipped,
        "inferred": report.inferred,
    })
}

/// Formulas that would be right, the nearest first, each with what it changes.
fn repairs(fails: &Fails) -> Vec<Value> {
    let changed =
        fails.repairs.iter().map(|repair| object!({ "formula": mathml(&repair.formula), "what": repair.what }));
    let derived = fails.derived.iter();
    let derived = derived.map(|formula| object!({ "formula": mathml(formula), "what": "as matgrad derives it" }));
    changed.chain(derived).collect()
}

/// The way from one side of an equation to the other.
pub fn explain(asked: &Asked) -> Result<impl FnOnce() -> Reply + use<>, Reply> {
    let source = asked.required("equation")?;
    asked.finish()?;
    if source.len() > LARGEST {
        return Err(too_large());
    }
    Ok(move || {
        let refused = |why: &str| Reply::refused(StatusCode::UNPROCESSABLE_ENTITY, why);
        match explanation(&read(&source, Format::Claim)) {
            Ok(text) => Reply::text(PLAIN, text),
            Err(NoWay::Mistakes(errors)) => {
                let list = diagnostics(&errors, &source);
                let text = matgrad::diagnostic::render(&errors, &source, "equation");
                let value = object!({ "error": text, "errors": list });
                Reply { status: StatusCode::UNPROCESSABLE_ENTITY, ..Reply::json(&value) }
            }
            Err(NoWay::Wrong) => refused("the equation is wrong"),
            Err(NoWay::NotFound(why)) => refused(&why),
        }
    })
}

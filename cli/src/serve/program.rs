//! What is asked of a program: derivatives in every format, checks, code. The fields of a request come in; the same text or
//! JSON as the command line's goes out, made by the same functions of the library. Programs too large for a shared server are
//! refused.

use std::time::Instant;

use axum::http::StatusCode;
use matgrad::answer::{Answer, answer_typed};
use matgrad::check::{self, Report};
use matgrad::derivation::Detail;
use matgrad::diagnostic::Diagnostic;
use matgrad::elaborate::read;
use matgrad::emit::{self, TARGETS, emit};
use matgrad::render::{Format, render};
use serde_json::{Value, json};

use super::asked::{Asked, wrong};
use super::page;
use super::reply::{HTML, JSON, PLAIN, Reply, diagnostics};
use crate::check::summary;

/// A program has no more bytes.
const LARGEST: usize = 64 << 10;
/// It has no more names, numbers and operations.
const NODES: usize = 10_000;
/// It asks for no more derivatives.
const DERIVATIVES: usize = 100;
/// An answer has no more bytes.
const ANSWER: usize = 16 << 20;

/// A program with its derivatives.
pub struct Derived {
    /// The text.
    pub source: String,
    /// The derivatives.
    pub answer: Answer,
    /// What the reader should know of the text.
    pub notes: Vec<Diagnostic>,
}

/// Reads a program and derives what it asks for.
///
/// # Errors
/// The mistakes of the program, or that it is too large.
pub fn derived(source: String, detail: Detail) -> Result<Derived, Reply> {
    let too_large = |what: String| Err(Reply::refused(StatusCode::UNPROCESSABLE_ENTITY, &what));
    if source.len() > LARGEST {
        return too_large(format!("the program is larger than {} kB, which is the limit of the page", LARGEST >> 10));
    }
    let typed = read(&source).map_err(|errors| Reply::mistakes(&errors, &source))?;
    if typed.ast.len() > NODES {
        return too_large(format!(
            "the program has more than {NODES} names and operations, which is the limit of the page"
        ));
    }
    if typed.asks.iter().map(|ask| ask.wrt.len().max(1)).sum::<usize>() > DERIVATIVES {
        return too_large(format!(
            "the program asks for more than {DERIVATIVES} derivatives, which is the limit of the page"
        ));
    }
    let notes = typed.notes.clone();
    let answer = answer_typed(typed, detail).map_err(|errors| Reply::mistakes(&errors, &source))?;
    Ok(Derived { source, answer, notes })
}

/// Derivatives in a format.
pub fn derive(asked: &Asked) -> Result<impl FnOnce() -> Reply + use<>, Reply> {
    let source = asked.required("program")?;
    let words = ["json", "text", "unicode", "latex", "markdown", "html", "page"];
    let format = asked.word("format", &words)?;
    let detail = asked.steps("full")?;
    let curvature = asked.flag("curvature")?;
    let seed = asked.whole("seed", check::Options::default().seed)?;
    let inside = asked.told_inside()?;
    asked.finish()?;
    Ok(move || {
        let start = Instant::now();
        let derived = derived(source, detail).map(|mut derived| {
            if curvature {
                derived.answer.judge_gradients();
            }
            derived
        });
        let reply = derived.and_then(|derived| shown(&derived, format, seed, start));
        let reply = reply.unwrap_or_else(|reply| reply);
        if inside { reply.inside() } else { reply }
    })
}

fn shown(derived: &Derived, format: &str, seed: u64, start: Instant) -> Result<Reply, Reply> {
    if format == "page" {
        return bounded(Reply::json(&page::derivation(derived, start.elapsed())));
    }
    let report = checked(&derived.answer, seed);
    let (format, kind) = match format {
        "text" => (Format::Text, PLAIN),
        "unicode" => (Format::Unicode, PLAIN),
        "latex" => (Format::Latex, PLAIN),
        "markdown" => (Format::Markdown, PLAIN),
        "html" => (Format::Html, HTML),
        _ => (Format::Json, JSON),
    };
    bounded(Reply::text(kind, render(format, &derived.answer, &derived.source, &report.lines())))
}

fn bounded(reply: Reply) -> Result<Reply, Reply> {
    match reply.text.len() > ANSWER {
        false => Ok(reply),
        true => Err(Reply::refused(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!("the answer is larger than {} MB: ask for less, or for fewer steps", ANSWER >> 20),
        )),
    }
}

fn checked(answer: &Answer, seed: u64) -> Report {
    check::check(answer, check::Options { seed, ..check::Options::default() })
}

/// Every result against numbers.
pub fn check(asked: &Asked) -> Result<impl FnOnce() -> Reply + use<>, Reply> {
    let source = asked.required("program")?;
    let detail = asked.steps("full")?;
    let seed = asked.whole("seed", check::Options::default().seed)?;
    let inside = asked.told_inside()?;
    asked.finish()?;
    Ok(move || match derived(source, detail) {
        Err(reply) if inside => reply.inside(),
        Err(reply) => reply,
        Ok(derived) => Reply::json(&verdicts(&checked(&derived.answer, seed))),
    })
}

/// A report as an object: how each result came out, in order, and the closing lines of a derivation.
fn verdicts(report: &Report) -> Value {
    let results: Vec<Value> = report
        .results
        .iter()
        .enumerate()
        .map(|(i, result)| {
            let failures: Vec<Value> = report
                .failures
                .iter()
                .filter(|failure| failure.result == i)
                .map(|failure| {
                    json!({ "what": failure.what, "expected": failure.expected, "found": failure.found, "at": failure.sizes })
                })
                .collect();
            let verdict = match (failures.is_empty(), result.points > 0) {
                (false, _) => "failed",
                (true, true) => "ok",
                (true, false) => "unknown",
            };
            json!({
                "title": result.title,
                "verdict": verdict,
                "summary": summary(result),
                "points": result.points,
                "worst_error": result.worst_error,
                "exact": result.exact,
                "steps": result.steps,
                "steps_by_numbers": result.steps_by_numbers,
                "steps_exact": result.steps_exact,
                "not_checked": result.not_checked,
                "failures": failures,
            })
        })
        .collect();
    json!({ "ok": report.is_ok(), "results": results, "lines": report.lines() })
}

/// Code in a target.
pub fn code(asked: &Asked) -> Result<impl FnOnce() -> Reply + use<>, Reply> {
    let source = asked.required("program")?;
    let mut names: Vec<&'static str> = TARGETS.iter().map(|(name, _)| *name).collect();
    let missing = asked.text("target")?.is_none();
    if missing {
        return Err(wrong(&format!("`target` is missing: one of {}", names.join(", "))));
    }
    let wanted = asked.word("target", &names)?;
    names.retain(|name| *name == wanted);
    let name = asked.text("name")?.unwrap_or_default();
    let detail = asked.steps("none")?;
    let mut sizes = Vec::new();
    for (name, size) in asked.object("sizes")? {
        let size = size.as_i64().filter(|size| *size > 0);
        let (Some(size), Some(name)) = (size, matgrad::syntax::canonical_name(&name)) else {
            return Err(wrong(&format!("`sizes`: `{name}` is a dimension with a number from 1")));
        };
        sizes.push((name, size));
    }
    let inside = asked.told_inside()?;
    asked.finish()?;
    Ok(move || {
        let written = derived(source, detail).and_then(|derived| {
            let Some(&(_, target)) = TARGETS.iter().find(|(name, _)| *name == wanted) else {
                return Err(wrong("there is no such target"));
            };
            let options = emit::Options { name, derivation: detail > Detail::None, test: false, sizes, sharded: None };
            let emitted = emit(&derived.answer, &derived.source, target, &options);
            let emitted = emitted.map_err(|error| Reply::refused(StatusCode::UNPROCESSABLE_ENTITY, &error.message))?;
            bounded(Reply::text(PLAIN, emitted.text))
        });
        let reply = written.unwrap_or_else(|reply| reply);
        if inside { reply.inside() } else { reply }
    })
}

/// What the reader should know of a text.
pub fn notes(derived: &Derived) -> Vec<Value> {
    diagnostics(&derived.notes, &derived.source)
}

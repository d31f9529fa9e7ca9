//! Derivations made by hand: a text with formulas comes in, verdicts go out in all formats.

use matgrad::diagnostic::Piece;
use matgrad::document::{Format, read};
use matgrad::verify::shown::{Subject, html, json, sarif, text};
use matgrad::verify::{NoWay, explanation};
use pyo3::prelude::*;

use crate::failure;

/// Text, JSON and HTML of a report, then how many steps are right, wrong, definitions and left out.
type Told = (String, String, String, String, [usize; 4]);

/// Judges each equals sign of a document, with what an appendix of the same format declares and defines, in `program`, `claim`, `markdown`, `latex`, `notebook` or, where it is `None`, in the
/// format that it looks like.
#[pyfunction]
#[pyo3(signature = (source, appendix, format, name))]
pub fn verify(py: Python<'_>, source: String, appendix: &str, format: Option<&str>, name: &str) -> PyResult<Told> {
    let format = match format {
        Some("program") => Format::Program,
        Some("claim") => Format::Claim,
        Some("markdown") => Format::Markdown,
        Some("latex") => Format::Latex,
        Some("notebook") => Format::Notebook,
        Some(other) => return Err(failure::value(format!("there is no format `{other}` of documents"))),
        None => Format::guess(&source),
    };
    let end = source.len();
    let source = source + appendix;
    let told = py.detach(|| {
        let mut report = matgrad::verify::verify(&read(&source, format));
        report.lines.retain(|line| (line.span.start as usize) < end);
        if !report.errors.is_empty() {
            return Err(report.errors);
        }
        let subject = Subject { report: &report, source: &source, file: name };
        let counts = report.counts();
        let counts = [counts.right, counts.wrong, counts.definitions, counts.skipped];
        Ok((text(&subject), json(&subject), html(&subject), sarif(&subject), counts))
    });
    let pieces =
        [Piece { name: name.to_owned(), range: 0..end }, Piece { name: "types".to_owned(), range: end..source.len() }];
    told.map_err(|errors| failure::of_text(py, &errors, &source, &pieces))
}

/// The way from one side of an equation to the other, a line for each rule.
#[pyfunction]
pub fn explain(py: Python<'_>, source: String, name: &str) -> PyResult<String> {
    match py.detach(|| explanation(&read(&source, Format::Claim))) {
        Ok(text) => Ok(text),
        Err(NoWay::Mistakes(errors)) => Err(failure::of_text(py, &errors, &source, &whole(&source, name))),
        Err(NoWay::Wrong) => Err(failure::plain(py, "the equation is wrong; `verify` says where")),
        Err(NoWay::NotFound(why)) => Err(failure::plain(py, why)),
    }
}

fn whole(source: &str, name: &str) -> [Piece; 1] {
    [Piece { name: name.to_owned(), range: 0..source.len() }]
}

//! A report as SARIF 2.1.0, the form in which code hosts and editors take findings: one result for each wrong step.

use std::fmt::Write;

use super::Subject;
use super::words::complaints;
use crate::diagnostic::LineIndex;
use crate::render::json::quoted;
use crate::verify::judge::{Reason, Verdict};

/// The report as SARIF.
pub fn sarif(subject: &Subject<'_>) -> String {
    let Subject { report, source, file } = *subject;
    let lines = LineIndex::new(source);
    let mut results = Vec::new();
    for step in report.lines.iter().flat_map(|line| &line.steps) {
        let Verdict::Fails(fails) = &step.verdict else { continue };
        let rule = if matches!(fails.reason, Reason::Shape(_)) { "shapes" } else { "unequal" };
        let (line, column) = lines.place(source, fails.place.start as usize);
        let (end_line, end_column) = lines.place(source, fails.place.end as usize);
        let mut message = complaints(fails, report.script).join(". ");
        if let Some(layers) = &step.layers {
            message.push_str(&format!(". At {layers}"));
        }
        let mut out = String::new();
        let _ = write!(
            out,
            "{{\"ruleId\": \"{rule}\", \"level\": \"error\", \"message\": {{\"text\": {}}}, \"locations\": [{{\
             \"physicalLocation\": {{\"artifactLocation\": {{\"uri\": {}}}, \"region\": {{\"startLine\": {line}, \
             \"startColumn\": {column}, \"endLine\": {end_line}, \"endColumn\": {end_column}}}}}}}]}}",
            quoted(&message),
            quoted(file)
        );
        results.push(out);
    }
    format!(
        "{{\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\", \"version\": \"2.1.0\", \"runs\": [{{\
         \"tool\": {{\"driver\": {{\"name\": \"matgrad\", \"version\": {}, \"rules\": [\
         {{\"id\": \"shapes\", \"shortDescription\": {{\"text\": \"The shapes of a formula do not fit\"}}}}, \
         {{\"id\": \"unequal\", \"shortDescription\": {{\"text\": \"The two sides of an equation differ\"}}}}]}}}},\n \
         \"columnKind\": \"unicodeCodePoints\",\n \"results\": [{}]}}]}}\n",
        quoted(env!("CARGO_PKG_VERSION")),
        results.join(",\n  ")
    )
}

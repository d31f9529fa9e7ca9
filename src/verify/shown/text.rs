//! A report for a terminal: a line for each equals sign, and below a wrong one the place and what would be right.

use std::fmt::Write;

use super::Subject;
use super::words::{complaints, excerpt, reasons, summary};
use crate::diagnostic::{LineIndex, Span};
use crate::verify::judge::Verdict;

/// Longer lines of the source are cut around the place.
const WIDEST: usize = 100;

/// The report as text.
pub fn text(subject: &Subject<'_>) -> String {
    let Subject { report, source, file } = *subject;
    let lines = LineIndex::new(source);
    let place = |span: Span| lines.place(source, span.start as usize);
    let mut out = String::new();
    let width = lines.place(source, source.len()).0.to_string().len() + 4;
    for line in &report.lines {
        for (k, step) in line.steps.iter().enumerate() {
            let (row, column) = place(step.right);
            let at = format!("{row}:{column}");
            let left = if k == 0 { excerpt(source, step.left) } else { String::new() };
            let shown = format!("{left} = {}", excerpt(source, step.right));
            let shown = match &step.layers {
                Some(layers) if k == 0 || matches!(step.verdict, Verdict::Fails(_)) => {
                    format!("{}   [{layers}]", shown.trim_start())
                }
                _ => shown.trim_start().to_owned(),
            };
            let _ = match &step.verdict {
                Verdict::Holds(holds) => writeln!(out, "✓ {at:<width$} {shown}\n  {:width$}   {}", "", reasons(holds)),
                Verdict::Defines(name) => writeln!(out, "· {at:<width$} {shown}\n  {:width$}   defines {name}", ""),
                Verdict::Skipped(why) => writeln!(out, "- {at:<width$} {shown}\n  {:width$}   skipped: {why}", ""),
                Verdict::Fails(fails) => {
                    let _ = writeln!(out, "✗ {at:<width$} {shown}");
                    underlined(&mut out, source, &lines, fails.place, file, width);
                    for complaint in complaints(fails, report.script) {
                        let _ = writeln!(out, "  {:width$}   {complaint}", "");
                    }
                    Ok(())
                }
            };
        }
    }
    for (span, why) in &report.skipped {
        let (row, column) = place(*span);
        let at = format!("{row}:{column}");
        let _ = writeln!(out, "- {at:<width$} {}\n  {:width$}   skipped: {why}", excerpt(source, *span), "");
    }
    if !report.inferred.is_empty() {
        let _ = writeln!(out, "taken from use, to be confirmed: {}", report.inferred.join(", "));
    }
    let _ = writeln!(out, "{file}: {}", summary(report));
    out
}

/// The line of a place with the place underlined.
fn underlined(out: &mut String, source: &str, lines: &LineIndex, span: Span, file: &str, width: usize) {
    let (row, column) = lines.place(source, span.start as usize);
    let start = source[..(span.start as usize).min(source.len())].rfind('\n').map_or(0, |at| at + 1);
    let end = source[start..].find('\n').map_or(source.len(), |at| start + at);
    let line = source[start..end].trim_end();
    let characters: Vec<char> = line.chars().collect();
    let first = (column - 1).min(characters.len());
    let marked = source.get(span.start as usize..(span.end as usize).min(end)).unwrap_or_default().trim_end();
    let length = marked.chars().count().max(1);
    let from = if characters.len() > WIDEST { first.saturating_sub(30) } else { 0 };
    let shown: String = characters[from..].iter().take(WIDEST).collect();
    let length = length.min(WIDEST.saturating_sub(first - from).max(1));
    let indent = " ".repeat(first - from);
    let _ = writeln!(out, "  {:width$}   --> {file}:{row}:{column}", "");
    let _ = writeln!(out, "  {:width$}   | {shown}", "");
    let _ = writeln!(out, "  {:width$}   | {indent}{}", "", "^".repeat(length));
}

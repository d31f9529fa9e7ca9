//! A report as one JSON object.

use std::fmt::Write;

use super::Subject;
use super::words::{complaints, excerpt};
use crate::diagnostic::{LineIndex, Span};
use crate::document::write::write;
use crate::render::json::quoted;
use crate::verify::judge::{Reason, Verdict};
use crate::verify::values::Grid;

/// The report as JSON.
pub fn json(subject: &Subject<'_>) -> String {
    let Subject { report, source, file } = *subject;
    let lines = LineIndex::new(source);
    let mut out = format!("{{\"file\": {},\n \"steps\": [", quoted(file));
    let mut first = true;
    for step in report.lines.iter().flat_map(|line| &line.steps) {
        out.push_str(if std::mem::replace(&mut first, false) { "\n  " } else { ",\n  " });
        let _ = write!(
            out,
            "{{\"place\": {}, \"left\": {}, \"right\": {}, ",
            place(source, &lines, step.right),
            quoted(&excerpt(source, step.left)),
            quoted(&excerpt(source, step.right))
        );
        if let Some(layers) = &step.layers {
            let _ = write!(out, "\"layers\": {}, ", quoted(layers));
        }
        match &step.verdict {
            Verdict::Defines(name) => {
                let _ = write!(out, "\"verdict\": \"definition\", \"name\": {}}}", quoted(name));
            }
            Verdict::Skipped(why) => {
                let _ = write!(out, "\"verdict\": \"skipped\", \"reason\": {}}}", quoted(why));
            }
            Verdict::Holds(holds) => {
                let _ = write!(
                    out,
                    "\"verdict\": \"right\", \"exact\": {}, \"rules\": {}, \"relies_on\": {}, \"notes\": {}}}",
                    holds.exact,
                    list(&holds.rules),
                    list(&holds.relies_on),
                    list(&holds.notes)
                );
            }
            Verdict::Fails(fails) => {
                let kind = if matches!(fails.reason, Reason::Shape(_)) { "shapes" } else { "numbers" };
                let _ = write!(
                    out,
                    "\"verdict\": \"wrong\", \"because\": \"{kind}\", \"at\": {}, \"message\": {}",
                    place(source, &lines, fails.place),
                    list(&complaints(fails, report.script))
                );
                if let Reason::Numbers(Some(found)) = &fails.reason {
                    let given: Vec<String> =
                        found.given.iter().map(|(name, grid)| format!("{}: {}", quoted(name), matrix(grid))).collect();
                    let sizes: Vec<String> =
                        found.sizes.iter().map(|(name, size)| format!("{}: {size}", quoted(name))).collect();
                    let _ = write!(
                        out,
                        ", \"counterexample\": {{\"sizes\": {{{}}}, \"given\": {{{}}}, \"left\": {}, \"right\": {}}}",
                        sizes.join(", "),
                        given.join(", "),
                        matrix(&found.left),
                        matrix(&found.right)
                    );
                }
                let repairs: Vec<String> = fails
                    .repairs
                    .iter()
                    .map(|repair| {
                        let formula = quoted(&write(&repair.formula, report.script));
                        format!("{{\"formula\": {formula}, \"change\": {}}}", quoted(&repair.what))
                    })
                    .collect();
                let _ = write!(out, ", \"repairs\": [{}], \"only_if\": {}}}", repairs.join(", "), list(&fails.only_if));
            }
        }
    }
    out.push_str("],\n \"skipped\": [");
    for (i, (span, why)) in report.skipped.iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        let _ = write!(out, "{comma}{{\"place\": {}, \"reason\": {}}}", place(source, &lines, *span), quoted(why));
    }
    let counts = report.counts();
    let _ = writeln!(
        out,
        "],\n \"inferred\": {},\n \"right\": {}, \"wrong\": {}, \"definitions\": {}, \"left_out\": {}}}",
        list(&report.inferred),
        counts.right,
        counts.wrong,
        counts.definitions,
        counts.skipped
    );
    out
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

fn place(source: &str, lines: &LineIndex, span: Span) -> String {
    let (line, column) = lines.place(source, span.start as usize);
    let (end_line, end_column) = lines.place(source, span.end as usize);
    format!("{{\"line\": {line}, \"column\": {column}, \"end_line\": {end_line}, \"end_column\": {end_column}}}")
}

fn matrix(grid: &Grid<f64>) -> String {
    let number = |x: &f64| if x.is_finite() { format!("{x}") } else { "null".to_owned() };
    let rows: Vec<String> = grid
        .entries
        .chunks(grid.columns.max(1))
        .map(|row| format!("[{}]", row.iter().map(number).collect::<Vec<_>>().join(", ")))
        .collect();
    format!("[{}]", rows.join(", "))
}

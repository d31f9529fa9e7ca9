//! A report as one HTML document that asks nothing of anyone: the document's formulas in their order, the verdicts beside
//! them, no script.

use super::Subject;
use super::mathml::mathml;
use super::words::{complaints, reasons, summary};
use crate::diagnostic::LineIndex;
use crate::document::write::Script;
use crate::render::mathml::escaped;
use crate::verify::judge::Verdict;

const STYLE: &str = include_str!("../../../assets/page.css");
/// What a page of verdicts needs beside the style of all pages.
const OWN_STYLE: &str = "\
.step { display: grid; grid-template-columns: 1.4rem minmax(0, 1fr) 24rem; column-gap: 0.8rem; padding: 0.45rem 0; \
border-bottom: 1px solid var(--line); align-items: baseline; }
.step .formula { overflow-x: auto; overflow-y: hidden; }
.step .why { font-size: 0.85rem; line-height: 1.45; color: var(--faint); overflow-wrap: anywhere; }
.step .why .at { display: block; font-size: 0.78rem; }
.wrong { background: var(--box); }
.wrong .mark, .wrong .why { color: var(--accent); }
.chainbox { margin: 1.4rem 0; }
@media (max-width: 50rem) { .step { grid-template-columns: 1.4rem minmax(0, 1fr); } .step .why { grid-column: 2; } }
";

/// The report as an HTML document.
pub fn html(subject: &Subject<'_>) -> String {
    let Subject { report, source, file } = *subject;
    let lines = LineIndex::new(source);
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str(&format!(
        "<title>{}</title>\n<style>\n{STYLE}{OWN_STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(file)
    ));
    out.push_str(&format!("<h1>{}</h1>\n<p>{}</p>\n", escaped(file), escaped(&summary(report))));
    for line in &report.lines {
        out.push_str("<div class=\"chainbox\">\n");
        for (k, step) in line.steps.iter().enumerate() {
            let (row, column) = lines.place(source, step.right.start as usize);
            let (class, mark) = match &step.verdict {
                Verdict::Holds(_) => ("right", "✓"),
                Verdict::Fails(_) => ("wrong", "✗"),
                Verdict::Defines(_) => ("defines", "·"),
                Verdict::Skipped(_) => ("skipped", "–"),
            };
            let left = if k == 0 { mathml(&step.formulas[0]) } else { String::new() };
            let formula = format!("{left}<mo>=</mo>{}", mathml(&step.formulas[1]));
            out.push_str(&format!("<div class=\"step {class}\"><span class=\"mark\">{mark}</span>"));
            out.push_str(&format!(
                "<span class=\"formula\"><math display=\"block\" style=\"text-align: left\">{formula}</math></span>"
            ));
            let why = match &step.verdict {
                Verdict::Holds(holds) => escaped(&reasons(holds)),
                Verdict::Defines(name) => format!("defines {}", escaped(name)),
                Verdict::Skipped(why) => format!("skipped: {}", escaped(why)),
                Verdict::Fails(fails) => {
                    let mut told: Vec<String> =
                        complaints(fails, Script::Language).iter().map(|complaint| escaped(complaint)).collect();
                    if let Some(repair) = fails.repairs.first() {
                        let shown = mathml(&repair.formula);
                        told.push(format!("<math display=\"block\"><mo>=</mo>{shown}</math>"));
                    }
                    told.join("<br>")
                }
            };
            let at = format!("<span class=\"at\">line {row}, column {column}</span>");
            out.push_str(&format!("<span class=\"why\">{why}{at}</span></div>\n"));
        }
        out.push_str("</div>\n");
    }
    if !report.skipped.is_empty() {
        out.push_str("<h2>Skipped</h2>\n<ul class=\"plain\">\n");
        for (span, why) in &report.skipped {
            let row = lines.place(source, span.start as usize).0;
            let text = super::words::excerpt(source, *span);
            out.push_str(&format!("<li>line {row}: <code>{}</code>: {}</li>\n", escaped(&text), escaped(why)));
        }
        out.push_str("</ul>\n");
    }
    if !report.inferred.is_empty() {
        out.push_str("<h2>Taken from use, to be confirmed</h2>\n<ul class=\"plain\">\n");
        for inferred in &report.inferred {
            out.push_str(&format!("<li><code>{}</code></li>\n", escaped(inferred)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

//! A report as one HTML document that asks nothing of anyone: the document's own sentences and formulas in their order, the
//! verdicts beside them, no script.

use super::Subject;
use super::inline::presented;
use super::mathml::mathml;
use super::words::{complaints, excerpt, reasons, summary};
use crate::diagnostic::{LineIndex, Span};
use crate::document::outline::{Inline, Piece};
use crate::document::write::Script;
use crate::render::mathml::escaped;
use crate::verify::judge::{Fails, Verdict};
use crate::verify::report::Judged;

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
    let mut page = Page { source, lines: LineIndex::new(source), out: String::new() };
    page.put("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.put(&format!(
        "<title>{}</title>\n<style>\n{STYLE}{OWN_STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(file)
    ));
    page.put(&format!("<h1>{}</h1>\n<p>{}</p>\n", escaped(file), escaped(&summary(report))));
    // Chains and what was left out, in the order of the text.
    let mut entries: Vec<Entry<'_>> = report.lines.iter().map(Entry::Chain).collect();
    entries.extend(report.skipped.iter().map(|(span, why)| Entry::LeftOut(*span, why)));
    entries.sort_unstable_by_key(|entry| entry.span());
    let mut entries = entries.into_iter().peekable();
    for piece in &report.outline {
        match piece {
            Piece::Heading(level, parts) => {
                let level = (level + 1).min(6);
                page.put(&format!("<h{level}>{}</h{level}>\n", inlines(parts)));
            }
            Piece::Paragraph(parts) => page.put(&format!("<p>{}</p>\n", inlines(parts))),
            Piece::Code(code) => page.put(&format!("<pre><code>{}</code></pre>\n", escaped(code))),
            Piece::Display(span) => {
                while let Some(entry) = entries.next_if(|entry| entry.span().start < span.end) {
                    page.entry(&entry);
                }
            }
        }
    }
    entries.for_each(|entry| page.entry(&entry));
    if !report.inferred.is_empty() {
        page.put("<h2>Taken from use, to be confirmed</h2>\n<ul class=\"plain\">\n");
        for inferred in &report.inferred {
            page.put(&format!("<li><code>{}</code></li>\n", escaped(inferred)));
        }
        page.put("</ul>\n");
    }
    page.put("</main>\n</body>\n</html>\n");
    page.out
}

/// What a page has of a formula.
enum Entry<'a> {
    Chain(&'a Judged),
    LeftOut(Span, &'a str),
}

impl Entry<'_> {
    fn span(&self) -> Span {
        match self {
            Entry::Chain(chain) => chain.span,
            Entry::LeftOut(span, _) => *span,
        }
    }
}

fn inlines(parts: &[Inline]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Inline::Words(words) => escaped(words),
            Inline::Math(_, Some(formula)) => format!("<math>{}</math>", mathml(formula)),
            Inline::Math(text, None) => match presented(text) {
                Some(signs) => format!("<math>{signs}</math>"),
                None => format!("<code>{}</code>", escaped(text)),
            },
        })
        .collect()
}

struct Page<'a> {
    source: &'a str,
    lines: LineIndex,
    out: String,
}

impl Page<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn entry(&mut self, entry: &Entry<'_>) {
        self.put("<div class=\"chainbox\">\n");
        match entry {
            Entry::LeftOut(span, why) => {
                let text = format!("<code>{}</code>", escaped(&excerpt(self.source, *span)));
                self.row(("skipped", "–"), &text, &format!("skipped: {}", escaped(why)), span.start);
            }
            Entry::Chain(chain) => {
                for (k, step) in chain.steps.iter().enumerate() {
                    let class = match &step.verdict {
                        Verdict::Holds(_) => ("right", "✓"),
                        Verdict::Fails(_) => ("wrong", "✗"),
                        Verdict::Defines(_) => ("defines", "·"),
                        Verdict::Skipped(_) => ("skipped", "–"),
                    };
                    let left = if k == 0 { mathml(&step.formulas[0]) } else { String::new() };
                    let formula =
                        format!("<math displaystyle=\"true\">{left}<mo>=</mo>{}</math>", mathml(&step.formulas[1]));
                    let why = match &step.verdict {
                        Verdict::Holds(holds) => escaped(&reasons(holds)),
                        Verdict::Defines(name) => format!("defines {}", escaped(name)),
                        Verdict::Skipped(why) => format!("skipped: {}", escaped(why)),
                        Verdict::Fails(fails) => told(fails),
                    };
                    let why = match &step.layers {
                        Some(layers) => format!("{why}<br>{}", escaped(layers)),
                        None => why,
                    };
                    self.row(class, &formula, &why, step.right.start);
                }
            }
        }
        self.put("</div>\n");
    }

    fn row(&mut self, (class, mark): (&str, &str), formula: &str, why: &str, at: u32) {
        let (row, column) = self.lines.place(self.source, at as usize);
        self.put(&format!(
            "<div class=\"step {class}\"><span class=\"mark\">{mark}</span><span class=\"formula\">{formula}</span>"
        ));
        self.put(&format!(
            "<span class=\"why\">{why}<span class=\"at\">line {row}, column {column}</span></span></div>\n"
        ));
    }
}

/// Why a step is wrong, and what would be right.
fn told(fails: &Fails) -> String {
    let mut told: Vec<String> =
        complaints(fails, Script::Language).iter().map(|complaint| escaped(complaint)).collect();
    if let Some(repair) = fails.repairs.first() {
        told.push(format!("<math displaystyle=\"true\"><mo>=</mo>{}</math>", mathml(&repair.formula)));
    }
    told.join("<br>")
}

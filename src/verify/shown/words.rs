//! The parts of a report in words: why a step is wrong, the numbers that show it, what would be right, how it came out in
//! all.

use crate::diagnostic::Span;
use crate::document::write::{Script, write};
use crate::verify::judge::{Fails, Holds, Reason};
use crate::verify::report::{Counts, Report};
use crate::verify::values::Grid;

/// A matrix of more entries is not shown.
const MOST_ENTRIES: usize = 36;
/// A formula is cut at this many characters.
const LONGEST: usize = 76;

/// A formula's own text on one line.
pub fn excerpt(source: &str, span: Span) -> String {
    let text = source.get(span.start as usize..span.end as usize).unwrap_or_default();
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.retain(|word| *word != "&");
    let text = words.join(" ").replace('&', "");
    let text = text.trim().trim_end_matches("\\\\").trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What justifies a right step.
pub fn reasons(holds: &Holds) -> String {
    let mut out = match holds.rules.is_empty() {
        true => "equal, by no single rule".to_owned(),
        false => holds.rules.join("; "),
    };
    if !holds.relies_on.is_empty() {
        out.push_str(&format!("; uses that {}", holds.relies_on.join(" and ")));
    }
    for note in &holds.notes {
        out.push_str(&format!("; {note}"));
    }
    out
}

/// Why a step is wrong, and what would be right: a line each.
pub fn complaints(fails: &Fails, script: Script) -> Vec<String> {
    let mut out = Vec::new();
    match &fails.reason {
        Reason::Shape(why) => out.push(format!("the shapes do not fit: {why}")),
        Reason::Numbers(None) => out.push("the two sides differ at random points".to_owned()),
        Reason::Numbers(Some(found)) => {
            let mut at: Vec<String> = found.sizes.iter().map(|(name, size)| format!("{name} = {size}")).collect();
            for (name, grid) in &found.given {
                if grid.entries.len() <= MOST_ENTRIES {
                    at.push(format!("{name} = {}", numbers(grid)));
                }
            }
            at.extend(found.at.iter().map(|(index, place)| format!("{index} = {place}")));
            out.push(format!("at {}", at.join(", ")));
            out.push(format!("the left side is {}, the right side {}", numbers(&found.left), numbers(&found.right)));
        }
    }
    for (i, repair) in fails.repairs.iter().enumerate() {
        let word = if i == 0 { "nearest right formula" } else { "or" };
        out.push(format!("{word}: {}   ({})", write(&repair.formula, script), repair.what));
    }
    if let Some(derived) = &fails.derived {
        out.push(format!("right would be: {}   (as matgrad derives it)", write(derived, script)));
    }
    for condition in &fails.only_if {
        out.push(format!("it would hold if {condition}, which is not declared"));
    }
    out
}

/// A matrix as the language writes it: `[1, 2; 3, 4]`.
pub fn numbers(grid: &Grid<f64>) -> String {
    let number = |x: f64| {
        let rounded = (x * 1e4).round() / 1e4;
        if rounded == 0.0 { "0".to_owned() } else { format!("{rounded}") }
    };
    if grid.entries.len() == 1 {
        return number(grid.entries[0]);
    }
    if grid.entries.len() > MOST_ENTRIES {
        return format!("a {}×{} matrix", grid.rows, grid.columns);
    }
    let rows: Vec<String> = grid
        .entries
        .chunks(grid.columns.max(1))
        .map(|row| row.iter().map(|&x| number(x)).collect::<Vec<_>>().join(", "))
        .collect();
    format!("[{}]", rows.join("; "))
}

/// `5 right, 1 wrong, 2 definitions, 1 skipped`
pub fn summary(report: &Report) -> String {
    let Counts { right, wrong, definitions, skipped } = report.counts();
    let mut out = vec![format!("{right} right"), format!("{wrong} wrong")];
    if definitions > 0 {
        out.push(format!("{definitions} definition{}", if definitions == 1 { "" } else { "s" }));
    }
    if skipped > 0 {
        out.push(format!("{skipped} skipped"));
    }
    out.join(", ")
}

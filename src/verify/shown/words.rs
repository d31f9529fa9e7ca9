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
        false => essential(&holds.rules).join("; "),
    };
    if !holds.relies_on.is_empty() {
        out.push_str(&format!("; uses that {}", holds.relies_on.join(" and ")));
    }
    for note in &holds.notes {
        out.push_str(&format!("; {note}"));
    }
    out
}

/// More rules than these are not told of one step.
const MOST_RULES: usize = 4;

/// The rules that a reader needs most, in order: of a long chain the definitions are told together, and what every line of
/// such a derivation does is left out. JSON has them all.
pub fn essential(rules: &[String]) -> Vec<String> {
    if rules.len() <= MOST_RULES {
        return rules.to_vec();
    }
    let names: Vec<&str> = rules.iter().filter_map(|rule| rule.strip_prefix("definition of ")).collect();
    let mut out: Vec<String> = Vec::new();
    if let [first, rest @ ..] = names.as_slice() {
        out.push(match rest.len() {
            0 => format!("definition of {first}"),
            1..=3 => format!("definitions of {}", names.join(", ")),
            more => format!("definition of {first} and {more} more"),
        });
    }
    out.extend(rules.iter().filter(|rule| !rule.starts_with("definition of ")).cloned());
    let all = out.len();
    while out.len() > MOST_RULES {
        let plainest = (0..out.len()).max_by_key(|&k| (plainness(&out[k]), k)).unwrap_or_default();
        out.remove(plainest);
    }
    if all > out.len() {
        let more = all - out.len();
        out.push(format!("and {more} plainer rule{}", if more == 1 { "" } else { "s" }));
    }
    out
}

/// How little a rule tells: 0 is what a step is about, larger what almost each step does.
fn plainness(rule: &str) -> u32 {
    const PLAIN: &[(&str, u32)] = &[
        ("a = a' for a number a", 9),
        ("a = tr(a)", 9),
        ("tr(A) = tr(A')", 8),
        ("d(X') = (dX)'", 8),
        ("(A')_ij = A_ji", 8),
        ("d tr(X) = tr(dX)", 7),
        ("(AB)' = B'A'", 7),
        ("d(X + Y) = dX + dY", 6),
        ("A(B + C) = AB + AC", 6),
        ("∂A_ij/∂A_kl = δ_ik δ_jl", 5),
        ("tr(AB) = tr(BA)", 4),
        ("a sum with δ picks one term", 4),
        ("(AB)_ij = sum_k A_ik B_kj", 4),
        ("d(XY) = dX Y + X dY", 3),
        ("sum(A .* B) = tr(A'B)", 3),
        ("rowsum(A) = A*ones, colsum(A) = ones'*A", 3),
    ];
    const TELLING: &[&str] = &[
        "dF = tr(G'dX), so G is the gradient",
        "d(dF) = dx'H dy, so H is the second derivative",
        "each row of a one-hot or stochastic matrix sums to 1",
    ];
    if rule.starts_with("definition") || TELLING.contains(&rule) {
        return 0;
    }
    PLAIN.iter().find(|(known, _)| *known == rule).map_or(1, |(_, plain)| *plain)
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

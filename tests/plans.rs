//! Plans of programs as golden pages: the first line of each program says for which sizes, threads and numbers.

use std::collections::HashMap;

use chapters::{Section, compare, pages};
use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::expr::ExprId;
use matgrad::plan::{Plan, Precision, Request, Tuning};

#[allow(dead_code, reason = "these pages have no formulas of the literature")]
mod chapters;

fn printed(section: &Section) -> String {
    let title = &section.title;
    let answer = answer(&section.program, Detail::None).unwrap_or_else(|errors| panic!("{title}: {errors:?}"));
    let mut sizes: HashMap<String, i64> = HashMap::new();
    let (mut threads, mut precision, mut by_labels) = (1, Precision::Double, Vec::new());
    let first = section.program.lines().next().unwrap_or_default().trim_start_matches('#');
    for word in first.split(',').map(str::trim) {
        match (word, word.split_once('=')) {
            ("f32", _) => precision = Precision::Single,
            ("f64", _) => precision = Precision::Double,
            (_, Some(("threads", count))) => threads = count.parse().expect("a number of threads"),
            (_, Some(("labels", name))) => by_labels.push(name),
            (_, Some((name, size))) => {
                sizes.insert(name.to_owned(), size.parse().expect("a size"));
            }
            _ => panic!("{title}: `{word}`"),
        }
    }
    let mut roots: Vec<ExprId> = Vec::new();
    for outcome in &answer.outcomes {
        if !roots.contains(&outcome.of_node) {
            roots.push(outcome.of_node);
        }
    }
    roots.extend(answer.outcomes.iter().map(|outcome| outcome.result));
    let labels: Vec<ExprId> = answer
        .arena
        .reachable(&roots)
        .into_iter()
        .filter(|&id| by_labels.iter().any(|name| answer.arena.name_of(id) == *name))
        .collect();
    let tuning = Tuning::default();
    let request = Request { sizes: &sizes, independent: &[], labels: &labels, precision, threads, tuning };
    let plan = Plan::new(&answer.arena, &roots, &request).unwrap_or_else(|error| panic!("{title}: {error}"));
    let again = Plan::new(&answer.arena, &roots, &request).expect("as before");
    assert!(plan == again, "{title}: the same program has two plans");
    plan.to_string()
}

#[test]
fn plans_are_as_on_their_pages() {
    let count = compare(&pages("plans"), printed);
    assert!(count >= 10, "only {count} plans");
}

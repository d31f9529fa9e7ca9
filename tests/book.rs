//! The book of worked problems in `tests/book/`: each problem's program is answered and compared with what the book
//! prints, and with what the literature has, by numbers. `UPDATE=1 cargo test --test book` prints the book anew: read the
//! difference before it is committed.

mod chapters;

use std::fmt::Write;

use chapters::{compare, pages, sections};
use matgrad::answer::{Answer, Outcome, answer};
use matgrad::check::{Options, check};
use matgrad::derivation::Detail;
use matgrad::eval::{Numbers, evaluate, sample};
use matgrad::matrix::Matrix;
use matgrad::render::build::notation;
use matgrad::render::text::text;
use matgrad::render::{Format, render};
use matgrad::syntax::ast::AskKind;

/// Largest error against the literature, relative to the largest entry or one.
const TOLERANCE: f64 = 1e-9;

/// What the book prints below a problem: the derivation and its results; what is given stands above it already.
fn printed(answer: &Answer, program: &str) -> String {
    let page = render(Format::Text, answer, program, &[]);
    let heading =
        ["\nGradient", "\nDifferential", "\nHessian", "\nJacobian"].iter().filter_map(|word| page.find(word)).min();
    let heading = heading.expect("a derivation has a heading");
    page[heading + 1..].to_owned()
}

fn answered(title: &str, program: &str, detail: Detail) -> Answer {
    answer(program, detail).unwrap_or_else(|errors| panic!("{title}: {errors:?}"))
}

#[test]
fn the_book_is_as_printed() {
    let count = compare(&pages("book"), |problem| {
        printed(&answered(&problem.title, &problem.program, Detail::Brief), &problem.program)
    });
    assert!(count >= 60, "only {count} problems were read");
}

#[test]
fn every_result_and_every_step_is_true() {
    let mut wrong = Vec::new();
    let mut steps = 0;
    for problem in pages("book").iter().flat_map(|page| sections(page)) {
        let answer = answered(&problem.title, &problem.program, Detail::Full);
        let report = check(&answer, Options { points: 2, ..Options::default() });
        wrong.extend(report.failures.iter().map(|failure| format!("{}: {failure:?}", problem.title)));
        for result in &report.results {
            steps += result.steps_by_numbers;
            if result.points == 0 || result.steps_by_numbers < result.steps {
                wrong.push(format!("{}: {} is not checked: {:?}", problem.title, result.title, result.not_checked));
            }
        }
    }
    assert!(steps > 1000, "only {steps} steps were checked");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The program with `dX` declared with the type of X, for formulas in which differentials stand.
fn with_differentials(title: &str, program: &str) -> String {
    let answer = answered(title, program, Detail::None);
    let mut out = program.to_owned();
    for outcome in answer.outcomes.iter().filter(|outcome| outcome.kind == AskKind::Differential) {
        for name in &outcome.wrt {
            let moved = answer.typed.variables.iter().find(|variable| variable.name == *name);
            let _ = writeln!(out, "d{name} : {}", moved.map_or("scalar", |variable| &variable.kind));
        }
    }
    out
}

/// The variable `dX` gets the number of the differential.
fn let_differentials_agree(answer: &Answer, numbers: &mut Numbers) {
    for outcome in answer.outcomes.iter().filter(|outcome| outcome.kind == AskKind::Differential) {
        for (name, &leaf) in outcome.wrt.iter().zip(&outcome.wrt_nodes) {
            let variable = answer.typed.variables.iter().position(|v| v.name == format!("d{name}"));
            if let (Some(variable), Some(number)) = (variable, numbers.differentials.get(&leaf)) {
                numbers.variables[variable] = number.clone();
            }
        }
    }
}

/// Compares a result with definitions of the same program at a random point; in words where they differ.
fn differences(answer: &Answer, outcome: &Outcome, names: &[&str]) -> Vec<String> {
    let definition = |name: &str| answer.typed.definitions.iter().position(|d| d.name == name).expect("it was added");
    let mut roots = vec![outcome.result];
    roots.extend(names.iter().map(|name| answer.definitions[definition(name)]));
    let mut numbers = sample(&answer.arena, &answer.typed, &roots, 7).expect("a point in the domain");
    let_differentials_agree(answer, &mut numbers);
    let values = evaluate(&answer.arena, &numbers, &roots).expect("numbers");
    let (found, others) = values.split_first().expect("the result");
    let largest = found.entries().iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= TOLERANCE * largest;
    let same = |other: &Matrix| {
        let shapes = found.rows() == other.rows() && found.columns() == other.columns();
        shapes && found.entries().iter().zip(other.entries()).all(close)
    };
    let wrong = names.iter().zip(others).filter(|(_, other)| !same(other));
    wrong.map(|(name, other)| format!("{found:?}, but {name} is {other:?}")).collect()
}

#[test]
fn results_are_what_the_literature_has() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for problem in pages("book").iter().flat_map(|page| sections(page)) {
        let mut program = with_differentials(&problem.title, &problem.program);
        for (i, (_, formula)) in problem.known.iter().enumerate() {
            let _ = writeln!(program, "literature{i} = {formula}");
        }
        let answer = answered(&problem.title, &program, Detail::None);
        for (i, (wrt, _)) in problem.known.iter().enumerate() {
            let found = answer.outcomes.iter().find(|outcome| outcome.wrt.join(",") == *wrt);
            let outcome = found.unwrap_or_else(|| panic!("{}: nothing by {wrt}", problem.title));
            for difference in differences(&answer, outcome, &[&format!("literature{i}")]) {
                wrong.push(format!("{} by {wrt}: {difference}", problem.title));
            }
            compared += 1;
        }
    }
    assert!(compared >= 150, "only {compared} formulas were compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn results_can_be_read_back() {
    let mut wrong = Vec::new();
    for problem in pages("book").iter().flat_map(|page| sections(page)) {
        let plain = answered(&problem.title, &problem.program, Detail::None);
        let mut program = with_differentials(&problem.title, &problem.program);
        let mut names: Vec<Vec<String>> = Vec::new();
        for (i, outcome) in plain.outcomes.iter().enumerate() {
            let mut added = Vec::new();
            if let Some(value) = outcome.value {
                let _ = writeln!(program, "value{i} = {}", text(&notation(&plain.arena, value)));
                added.push(format!("value{i}"));
            }
            for line in &outcome.program {
                let _ = writeln!(program, "{} = {}", line.name, text(&notation(&plain.arena, line.right)));
            }
            added.extend(outcome.program.last().map(|line| line.name.clone()));
            names.push(added);
        }
        let answer = answered(&problem.title, &program, Detail::None);
        for (outcome, names) in answer.outcomes.iter().zip(&names) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for difference in differences(&answer, outcome, &names) {
                wrong.push(format!("{} by {}: {difference}", problem.title, outcome.wrt.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

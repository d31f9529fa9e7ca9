//! The book of worked problems in `tests/book/`: each problem's program is answered and compared with what the book
//! prints, and with what the literature has, by numbers. `UPDATE=1 cargo test --test book` prints the book anew: read the
//! difference before it is committed.

mod chapters;

use std::fmt::Write;

use chapters::{Section, compare, pages, sections};
use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::eval::{Numbers, evaluate, sample};
use matgrad::render::build::notation;
use matgrad::render::text::text;
use matgrad::syntax::ast::AskKind;

/// Largest error against the literature, relative to the largest entry or one.
const TOLERANCE: f64 = 1e-9;

/// What the book prints below a problem.
fn printed(answer: &Answer) -> String {
    let mut out = String::new();
    for outcome in &answer.outcomes {
        let value = outcome.value.map_or("(see the program)".to_owned(), |value| text(&notation(&answer.arena, value)));
        let left = match outcome.kind {
            AskKind::Differential => format!("d{}", outcome.of),
            _ => format!("∂{}/∂{}", outcome.of, outcome.wrt.join(", ")),
        };
        let _ = writeln!(out, "{left} = {value}");
        if outcome.program.len() > 1 {
            for line in &outcome.program {
                let _ = writeln!(out, "    {} = {}", line.name, text(&notation(&answer.arena, line.right)));
            }
        }
        for note in &outcome.notes {
            let _ = writeln!(out, "    note: {note}");
        }
    }
    out
}

#[test]
fn the_book_is_as_printed() {
    let count = compare(&pages("book"), |problem| printed(&answered(&problem.title, &problem.program)));
    assert!(count >= 60, "only {count} problems were read");
}

fn answered(title: &str, program: &str) -> Answer {
    answer(program, Detail::None).unwrap_or_else(|errors| panic!("{title}: {errors:?}"))
}

/// The problem's answer with each formula of the literature as a definition at the end. There `dX` is a variable of the
/// type of X.
fn with_literature(problem: &Section) -> Answer {
    let mut program = problem.program.clone();
    let plain = answered(&problem.title, &program);
    for outcome in plain.outcomes.iter().filter(|outcome| outcome.kind == AskKind::Differential) {
        for name in &outcome.wrt {
            let moved = plain.typed.variables.iter().find(|variable| variable.name == *name);
            let _ = writeln!(program, "d{name} : {}", moved.map_or("scalar", |variable| &variable.kind));
        }
    }
    for (i, (_, formula)) in problem.known.iter().enumerate() {
        let _ = writeln!(program, "literature{i} = {formula}");
    }
    answered(&problem.title, &program)
}

/// The variable `dX` of a formula of the literature gets the number of the differential.
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

#[test]
fn results_are_what_the_literature_has() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for problem in pages("book").iter().flat_map(|page| sections(page)) {
        let answer = with_literature(&problem);
        let first = answer.definitions.len() - problem.known.len();
        for (i, (wrt, _)) in problem.known.iter().enumerate() {
            let found = answer.outcomes.iter().find(|outcome| outcome.wrt.join(",") == *wrt);
            let outcome = found.unwrap_or_else(|| panic!("{}: nothing by {wrt}", problem.title));
            let roots = [outcome.result, answer.definitions[first + i]];
            let mut numbers = sample(&answer.arena, &answer.typed, &roots, 7).expect("a point in the domain");
            let_differentials_agree(&answer, &mut numbers);
            let values = evaluate(&answer.arena, &numbers, &roots).expect("numbers");
            let largest = values[1].entries().iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= TOLERANCE * largest;
            let same = values[0].rows() == values[1].rows() && values[0].columns() == values[1].columns();
            if !same || !values[0].entries().iter().zip(values[1].entries()).all(close) {
                wrong.push(format!("{} by {wrt}: {:?} instead of {:?}", problem.title, values[0], values[1]));
            }
            compared += 1;
        }
    }
    assert!(compared >= 150, "only {compared} formulas were compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The book of worked problems in `tests/book/`: each problem's program is answered and compared with what the book
//! prints. `UPDATE=1 cargo test --test book` prints the book anew: read the difference before it is committed.

mod chapters;

use chapters::{compare, pages};
use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::render::build::notation;
use matgrad::render::text::text;
use matgrad::syntax::ast::AskKind;

/// What the book prints below a problem.
fn printed(answer: &Answer) -> String {
    let mut out = String::new();
    for outcome in &answer.outcomes {
        let value = outcome.value.map_or("(see the program)".to_owned(), |value| text(&notation(&answer.arena, value)));
        let left = match outcome.kind {
            AskKind::Differential => format!("d{}", outcome.of),
            _ => format!("∂{}/∂{}", outcome.of, outcome.wrt.join(", ")),
        };
        out.push_str(&format!("{left} = {value}\n"));
        if outcome.program.len() > 1 {
            for line in &outcome.program {
                out.push_str(&format!("    {} = {}\n", line.name, text(&notation(&answer.arena, line.right))));
            }
        }
        for note in &outcome.notes {
            out.push_str(&format!("    note: {note}\n"));
        }
    }
    out
}

#[test]
fn the_book_is_as_printed() {
    let count = compare(&pages("book"), |problem| match answer(&problem.program, Detail::Brief) {
        Ok(answer) => printed(&answer),
        Err(errors) => panic!("{}: {errors:?}", problem.title),
    });
    assert!(count >= 60, "only {count} problems were read");
}

//! The book of worked problems in `tests/book/`: each problem's program is answered, shown as text and compared with what
//! the book prints; what the literature has is compared by numbers. `UPDATE=1 cargo test --test book` prints the book
//! anew: read the difference before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::render::build::notation;
use matgrad::render::text::text;

/// A problem of a chapter.
struct Problem {
    title: String,
    program: String,
    /// Pairs of a variable and the gradient that the literature has.
    literature: Vec<(String, String)>,
    /// The lines of the file up to the expected text, kept as they are.
    before: String,
    expected: String,
}

fn chapters() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/book");
    let entries = fs::read_dir(folder).expect("the book is there");
    let mut out: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    out.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    out.sort();
    out
}

/// The problems of a chapter's file.
fn problems(path: &Path) -> Vec<Problem> {
    let source = fs::read_to_string(path).expect("a chapter is text");
    let mut out = Vec::new();
    let mut open = None;
    let mut current = Problem::empty();
    for line in source.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            current.title = title.to_owned();
        }
        let item = line.strip_prefix("- by ").and_then(|item| item.split_once(": `"));
        if let (None, Some((variable, formula))) = (open, item) {
            current.literature.push((variable.to_owned(), formula.trim_end_matches('`').to_owned()));
        }
        match (open, line) {
            (None, "```matgrad") => open = Some("matgrad"),
            (None, "```text") => {
                open = Some("text");
                current.before.push_str("```text\n");
            }
            (Some("text"), "```") => {
                open = None;
                out.push(std::mem::replace(&mut current, Problem::empty()));
                continue;
            }
            (Some("matgrad"), "```") => open = None,
            (Some("matgrad"), _) => {
                current.program.push_str(line);
                current.program.push('\n');
            }
            (Some("text"), _) => {
                current.expected.push_str(line);
                current.expected.push('\n');
            }
            _ => {}
        }
        if open != Some("text") {
            current.before.push_str(line);
            current.before.push('\n');
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", path.display());
    out
}

impl Problem {
    fn empty() -> Problem {
        Problem {
            title: String::new(),
            program: String::new(),
            literature: Vec::new(),
            before: String::new(),
            expected: String::new(),
        }
    }
}

/// What the book prints below a problem.
fn printed(answer: &Answer) -> String {
    let mut out = String::new();
    for outcome in &answer.outcomes {
        let value = outcome.value.map_or("(see the program)".to_owned(), |value| text(&notation(&answer.arena, value)));
        let left = match outcome.kind {
            matgrad::syntax::ast::AskKind::Differential => format!("d{}", outcome.of),
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
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in chapters() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut fresh = String::new();
        for problem in problems(&path) {
            count += 1;
            let shown = match answer(&problem.program, Detail::Brief) {
                Ok(answer) => printed(&answer),
                Err(errors) => {
                    wrong.push(format!("{name}, {}: {errors:?}", problem.title));
                    continue;
                }
            };
            if shown != problem.expected && !update {
                wrong.push(format!("{name}, {}:\n{shown}instead of\n{}", problem.title, problem.expected));
            }
            fresh.push_str(&problem.before);
            fresh.push_str(&shown);
            fresh.push_str("```\n");
        }
        if update && wrong.is_empty() {
            fs::write(&path, fresh).expect("the book can be written");
        }
    }
    assert!(count >= 60, "only {count} problems were read");
    assert!(wrong.is_empty(), "{}\n(UPDATE=1 cargo test --test book prints the book anew)", wrong.join("\n"));
}

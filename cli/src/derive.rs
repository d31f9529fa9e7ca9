//! `matgrad derive`, and `grad`, `jacobian`, `hessian`, `differential` for one expression: what is asked for, with the
//! derivation and with what was checked.

use clap::ArgMatches;
use matgrad::answer::{Answer, answer_typed};
use matgrad::derivation::Detail;
use matgrad::diagnostic::{Paint, Severity, render_pieces};
use matgrad::syntax::ast::AskKind;

use matgrad::render::{Format, render};

use crate::arguments::{format_of, output_file};
use crate::check::checked;
use crate::failure::Failure;
use crate::input::Program;
use crate::output;

/// Derives what the file, or the command itself, asks for.
pub fn run(command: &str, matches: &ArgMatches) -> Result<(), Failure> {
    let program = match kind_of(command) {
        Some(kind) => Program::request(kind, matches)?,
        None => Program::whole(matches)?,
    };
    let detail = match matches.get_one::<String>("steps").map(String::as_str) {
        Some("none") => Detail::None,
        Some("brief") => Detail::Brief,
        Some(_) => Detail::Full,
        None if command == "derive" => Detail::Full,
        None => Detail::Brief,
    };
    let mut answer = answered(&program, detail)?;
    if matches.try_contains_id("curvature").unwrap_or(false) && matches.get_flag("curvature") {
        answer.judge_gradients();
    }
    let report = checked(&answer, matches);
    let lines = report.lines();
    let format = match format_of(matches) {
        "unicode" => Format::Unicode,
        "latex" => Format::Latex,
        "markdown" => Format::Markdown,
        "typst" => Format::Typst,
        "html" => Format::Html,
        "json" => Format::Json,
        _ => Format::Text,
    };
    let text = render(format, &answer, &program.source, &lines);
    output::result(&text, output_file(matches))?;
    match report.is_ok() {
        true => Ok(()),
        // The object has no place for it, and a file may not be looked at.
        false if format == Format::Json || output_file(matches).is_some() => {
            Err(Failure::check(format!("error: a check failed\n{}\n", lines.join("\n"))))
        }
        false => Err(Failure::check("error: a check failed\n".to_owned())),
    }
}

/// The answers to a program; notes about its text are told.
pub fn answered(program: &Program, detail: Detail) -> Result<Answer, Failure> {
    let typed = program.read()?;
    if !typed.notes.is_empty() {
        let notes = &typed.notes;
        output::message(&render_pieces(notes, &program.source, &program.pieces, Severity::Note, Paint::Terminal));
    }
    answer_typed(typed, detail).map_err(|errors| Failure::diagnostics(&errors, program))
}

fn kind_of(command: &str) -> Option<AskKind> {
    match command {
        "grad" => Some(AskKind::Gradient),
        "jacobian" => Some(AskKind::Jacobian),
        "hessian" => Some(AskKind::Hessian),
        "differential" => Some(AskKind::Differential),
        _ => None,
    }
}

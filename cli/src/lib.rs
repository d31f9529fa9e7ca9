//! The `matgrad` command: arguments come in, one call of the library is made, what it gives is shown. Results go to
//! standard output and all else to standard error; the exit code tells how it went. No mathematics happens here.

mod arguments;
mod arrays;
mod check;
mod data;
mod derive;
mod emit;
mod eval;
mod failure;
mod input;
mod output;
mod serve;
mod tensors;
mod plan;
mod train;
mod verify;

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::failure::Failure;

/// Does what the arguments of this process ask for, and tells how it went by the exit code.
pub fn main() -> ExitCode {
    if let Some(done) = serve::process(std::env::args_os().skip(1)) {
        return ended(done);
    }
    let matches = match arguments::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return arguments_are_wrong(&error),
    };
    let Some((name, matches)) = matches.subcommand() else { return ExitCode::from(failure::WRONG_INPUT) };
    let done = match name {
        "derive" | "grad" | "jacobian" | "hessian" | "differential" => derive::run(name, matches),
        "check" => check::run(matches),
        "eval" => eval::run(matches),
        "verify" => verify::run(matches),
        "explain" => verify::explain(matches),
        "emit" => emit::run(matches),
        "plan" => plan::run(matches),
        "train" | "predict" | "evaluate" | "search" => train::run(name, matches),
        "man" => arguments::manual(matches),
        "completions" => arguments::completions(matches),
        "serve" => serve::run(matches),
        "export-page" => serve::export(matches),
        _ => Err(Failure::wrong(format!("there is no command `{name}`"))),
    };
    ended(done)
}

fn ended(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::message(&failure.text);
            ExitCode::from(failure.code)
        }
    }
}

/// Help and the version go to standard output; a mistake in the arguments is the user's input being wrong.
fn arguments_are_wrong(error: &clap::Error) -> ExitCode {
    // Nothing can be done where even the message cannot be written.
    let _ = error.print();
    if error.kind() == ErrorKind::InvalidSubcommand {
        let names: Vec<String> =
            arguments::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        output::message(&format!("The commands are {}.\n", names.join(", ")));
    }
    let mut words = std::env::args().skip(1);
    if error.kind() == ErrorKind::UnknownArgument
        && words.next().is_some_and(|name| matches!(name.as_str(), "grad" | "jacobian" | "hessian" | "differential"))
        && let Some(file) = words.find(|word| word.ends_with(".mg"))
    {
        output::message(&format!("What a file asks for is derived by `matgrad derive {file}`.\n"));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::WRONG_INPUT))
}

//! What stops a command: the message for standard error and the exit code, and nothing else.

use std::io;
use std::path::Path;

use matgrad::diagnostic::{Diagnostic, Paint, Severity, render_pieces};

use crate::input::Program;

/// A check failed.
pub const CHECK_FAILED: u8 = 1;
/// What the user gave is wrong.
pub const WRONG_INPUT: u8 = 2;
/// A file could not be read or written.
pub const FILE: u8 = 3;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// The message, with its line breaks.
    pub text: String,
}

impl Failure {
    /// The input is wrong, in one plain sentence.
    pub fn wrong(message: impl AsRef<str>) -> Failure {
        Failure { code: WRONG_INPUT, text: format!("error: {}\n", message.as_ref()) }
    }

    /// The program's text is wrong: each mistake with its place.
    pub fn diagnostics(errors: &[Diagnostic], program: &Program) -> Failure {
        let text = render_pieces(errors, &program.source, &program.pieces, Severity::Error, Paint::Terminal);
        Failure { code: WRONG_INPUT, text }
    }

    /// A file could not be read or written; `what` is "read" or "write".
    pub fn file(what: &str, path: &Path, error: &io::Error) -> Failure {
        let text = format!("error: cannot {what} `{}`: {}\n", path.display(), reason(error));
        Failure { code: FILE, text }
    }

    /// A check found a disagreement; what it was is part of what was shown, or of this text.
    pub fn check(text: String) -> Failure {
        Failure { code: CHECK_FAILED, text }
    }
}

/// The system's words without the number of the error.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

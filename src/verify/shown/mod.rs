//! A report as a person or a program reads it: text for a terminal, JSON, HTML, SARIF. Nothing is judged here.

mod html;
mod inline;
mod json;
pub mod mathml;
mod sarif;
mod text;
pub mod words;

use super::report::Report;

pub use html::html;
pub use json::json;
pub use sarif::sarif;
pub use text::text;

/// A report with the text it is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The verdicts.
    pub report: &'a Report,
    /// The text.
    pub source: &'a str,
    /// Its file's name.
    pub file: &'a str,
}

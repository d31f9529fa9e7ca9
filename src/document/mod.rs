//! Documents and programs to formulas: a text in the language, in LaTeX, in Markdown or of a notebook comes in; chains of
//! formulas with their places, declarations, and what was not understood go out. Whether a formula holds is not decided here.

pub mod formula;
pub mod language;
pub mod program;
pub mod text;
pub mod write;

use text::Document;

/// What kind of text a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A program of the language with claims and proofs.
    Program,
    /// The same, where an equation without a keyword is a claim too.
    Claim,
    /// Markdown with formulas in LaTeX.
    Markdown,
    /// LaTeX.
    Latex,
    /// A Jupyter notebook.
    Notebook,
}

impl Format {
    /// What a text without a file's name most likely is.
    pub fn guess(source: &str) -> Format {
        let start = source.trim_start();
        if start.starts_with('{') && source.contains("\"cells\"") {
            Format::Notebook
        } else if source.contains("\\begin{document}") || source.contains("\\documentclass") {
            Format::Latex
        } else if source.contains("$$") || source.contains("\\[") || source.contains("\\begin{") {
            Format::Markdown
        } else {
            Format::Program
        }
    }
}

/// Reads a document.
pub fn read(source: &str, format: Format) -> Document {
    match format {
        Format::Program => program::read(source, program::Bare::Statements),
        Format::Claim => program::read(source, program::Bare::Claims),
        Format::Markdown | Format::Latex | Format::Notebook => program::read(source, program::Bare::Statements),
    }
}

//! Documents and programs to formulas: a text in the language, in LaTeX, in Markdown or of a notebook comes in; chains of
//! formulas with their places, declarations, and what was not understood go out. Whether a formula holds is not decided here.

pub mod formula;
pub mod language;
pub mod latex;
pub mod layers;
pub mod macros;
mod markup;
mod notebook;
pub mod outline;
pub mod program;
mod prose;
mod regions;
mod rows;
pub mod text;
pub mod tokens;
pub mod write;

use crate::diagnostic::{Diagnostic, Span};

use formula::Formula;
use regions::Markup;
use text::Document;
use write::Script;

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
        Format::Markdown => markup::read(source, Markup::Markdown),
        Format::Latex => markup::read(source, Markup::Latex),
        Format::Notebook => match notebook::cells(source) {
            Ok(cells) => {
                let mut document = markup::read(&cells.text, Markup::Markdown);
                let place = |span: Span| {
                    let at = |byte: u32| cells.places.get(byte as usize).copied().unwrap_or_default();
                    // The end is that of the last character, not the start of the next.
                    Span { start: at(span.start), end: at(span.end.saturating_sub(1)).max(at(span.start)) + 1 }
                };
                move_places(&mut document, &place);
                document
            }
            Err(message) => {
                let mut document = Document::empty(Script::Latex);
                document.errors.push(Diagnostic::whole(message));
                document
            }
        },
    }
}

/// Puts all places of a document where they stand in the file.
fn move_places(document: &mut Document, place: &dyn Fn(Span) -> Span) {
    fn moved(formula: &mut Formula, place: &dyn Fn(Span) -> Span) {
        formula.span = place(formula.span);
        for child in formula.children_mut() {
            moved(child, place);
        }
    }
    for line in &mut document.lines {
        line.span = place(line.span);
        line.parts.iter_mut().for_each(|part| moved(part, place));
    }
    for piece in &mut document.outline {
        if let outline::Piece::Display(span) = piece {
            *span = place(*span);
        }
    }
    for heading in &mut document.headings {
        *heading = place(Span { start: *heading, end: *heading + 1 }).start;
    }
    for dot in &mut document.dots {
        *dot = place(Span { start: *dot, end: *dot + 1 }).start;
    }
    for skipped in &mut document.skipped {
        skipped.span = place(skipped.span);
    }
    for error in &mut document.errors {
        error.span = error.span.map(place);
        error.related.iter_mut().for_each(|(span, _)| *span = place(*span));
    }
}

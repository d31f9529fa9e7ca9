//! Formulas and derivations as text, Unicode, LaTeX, Markdown, MathML and pages.

pub mod build;
mod chain;
mod entries;
pub mod graph;
mod html;
mod indices;
pub mod json;
pub mod latex;
mod latex_page;
pub mod mathml;
mod means;
mod measure;
pub mod names;
pub mod notation;
pub mod page;
mod plain;
pub mod readers;
pub mod statement;
pub mod steps;
mod sums;
pub mod text;
pub mod typeset;
mod typst;
mod words;
mod written;

use crate::answer::Answer;

/// A format of `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text in the language, for a terminal.
    Text,
    /// Text in a book's signs, for a terminal.
    Unicode,
    /// A fragment of a LaTeX document, with amsmath and amssymb.
    Latex,
    /// Markdown with LaTeX between dollars.
    Markdown,
    /// A file of Typst.
    Typst,
    /// One HTML document with everything in it.
    Html,
    /// The object of the contract.
    Json,
}

pub use html::{Parts, Section, Sections, base64};

/// The answer as parts of an HTML document. `checked` are the closing lines of a check, if one was made.
pub fn html_parts(answer: &Answer, checked: &[String]) -> Parts {
    html::parts(&page::page(answer, checked))
}

/// The sections and the footer of an HTML document, without its frame and style.
pub fn html_body(answer: &Answer, checked: &[String]) -> String {
    html::body(&page::page(answer, checked))
}

/// The answer as sections of HTML, for a document that arranges them itself.
pub fn html_sections(answer: &Answer) -> Sections {
    html::sections(&page::page(answer, &[]))
}

/// The answer in a format. `source` is the program's text; `checked` are the closing lines of a check, if one was made.
pub fn render(format: Format, answer: &Answer, source: &str, checked: &[String]) -> String {
    let page = || page::page(answer, checked);
    match format {
        Format::Text => plain::plain(&page(), plain::Signs::Language),
        Format::Unicode => plain::plain(&page(), plain::Signs::Book),
        Format::Latex => latex_page::marked_up(&page(), latex_page::Markup::Latex),
        Format::Markdown => latex_page::marked_up(&page(), latex_page::Markup::Markdown),
        Format::Typst => latex_page::marked_up(&page(), latex_page::Markup::Typst),
        Format::Html => html::html(&page()),
        Format::Json => json::json(answer, source, &latex::latex),
    }
}

//! Formulas and derivations as text, Unicode, LaTeX, Markdown, MathML and pages.

pub mod build;
mod chain;
pub mod json;
pub mod latex;
pub mod mathml;
pub mod names;
pub mod notation;
pub mod readers;
pub mod steps;
pub mod text;
pub mod typeset;
mod written;

//! Formulas and derivations as text, Unicode, LaTeX, Markdown, MathML and pages.

pub mod build;
pub mod json;
pub mod notation;
pub mod steps;
pub mod text;

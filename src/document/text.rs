//! What is read from a text, of whatever kind: declarations, chains of formulas, and what was left out with the reason.

use std::collections::HashMap;

use super::formula::Formula;
use super::outline::Piece;
use super::write::Script;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::Ast;

/// A chain of formulas joined by equals signs.
#[derive(Clone, Debug)]
pub struct Line {
    /// The formulas, two at least.
    pub parts: Vec<Formula>,
    /// Where the chain stands.
    pub span: Span,
    /// Whether its first equals sign may say what a new name stands for.
    pub may_define: bool,
    /// The number of the layer for which a general formula is written out here.
    pub layer: Option<u32>,
    /// Whether it is a definition of the program itself, of which nothing is claimed.
    pub is_statement: bool,
}

/// A part of the text of which nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where.
    pub span: Span,
    /// Why.
    pub reason: String,
}

/// A text as read.
#[derive(Clone, Debug)]
pub struct Document {
    /// The tree of the declarations.
    pub declarations: Ast,
    /// The chains in order.
    pub lines: Vec<Line>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
    /// Mistakes of the text that stop its reading.
    pub errors: Vec<Diagnostic>,
    /// Types taken from prose, in words, to be confirmed.
    pub assumed: Vec<String>,
    /// Declared names that stand for a member of a family, `x_i`, with the family's name.
    pub families: HashMap<String, String>,
    /// What stands between the formulas; empty for a program.
    pub outline: Vec<Piece>,
    /// Where its headings stand.
    pub headings: Vec<u32>,
    /// The letter that numbers layers in general, where there is one.
    pub layers: Option<String>,
    /// Names at the head of equations that were not read.
    pub unread: Vec<String>,
    /// Where its `\cdot`s stand, in order.
    pub dots: Vec<u32>,
    /// How formulas are written.
    pub script: Script,
}

impl Document {
    /// One with nothing in it.
    pub fn empty(script: Script) -> Document {
        Document {
            declarations: Ast::default(),
            lines: Vec::new(),
            skipped: Vec::new(),
            errors: Vec::new(),
            assumed: Vec::new(),
            families: HashMap::new(),
            outline: Vec::new(),
            headings: Vec::new(),
            layers: None,
            unread: Vec::new(),
            dots: Vec::new(),
            script,
        }
    }
}

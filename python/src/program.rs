//! A program's text in pieces and what the library makes of it, shared by all objects of Python that are about it.

use std::sync::{Arc, OnceLock};

use matgrad::answer::{self, Answer};
use matgrad::check::{Options, Report, check};
use matgrad::derivation::Detail;
use matgrad::diagnostic::{Diagnostic, Piece};
use matgrad::elaborate::{Typed, read, read_request};
use matgrad::syntax::ast::{AskKind, Statement};
use matgrad::syntax::{Request, parse};

/// An answered program.
#[derive(Debug)]
pub struct Program {
    /// Its text.
    pub source: String,
    /// The pieces that a message may point into.
    pub pieces: Vec<Piece>,
    /// What it asks for.
    pub answer: Answer,
    checked: OnceLock<Report>,
}

/// What is asked for beside the text.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Which derivative.
    pub kind: AskKind,
    /// Whether a piece is the list of names that one differentiates by.
    pub has_wrt: bool,
    /// Whether the last piece is what stands behind `along` or `against`.
    pub has_directions: bool,
}

/// A text that is wrong.
#[derive(Debug)]
pub struct Wrong {
    /// All that is wrong with it.
    pub errors: Vec<Diagnostic>,
    /// The text.
    pub source: String,
    /// Its pieces.
    pub pieces: Vec<Piece>,
}

impl Program {
    /// Reads and answers pieces. With `asked` they are declarations, an expression, then the names and directions it has; else
    /// a whole program, which may ask for nothing. With `only_last` what pieces before the last ask for is left out.
    ///
    /// # Errors
    /// All errors of the text.
    pub fn new(
        texts: &[(String, String)],
        asked: Option<Asked>,
        only_last: bool,
        detail: Detail,
    ) -> Result<Arc<Program>, Box<Wrong>> {
        let mut source = String::new();
        let mut pieces = Vec::with_capacity(texts.len());
        for (name, text) in texts {
            let start = source.len();
            source.push_str(text);
            pieces.push(Piece { name: name.clone(), range: start..source.len() });
            source.push('\n');
        }
        let mut typed = match asked {
            Some(asked) => read_request(&request(&source, &pieces, asked)),
            None => read_whole(&mut source),
        };
        if let (true, Ok(typed), Some(last)) = (only_last, &mut typed, pieces.last()) {
            typed.asks.retain(|ask| ask.span.start as usize >= last.range.start);
        }
        match typed.and_then(|typed| answer::answer_typed(typed, detail)) {
            Ok(answer) => Ok(Arc::new(Program { source, pieces, answer, checked: OnceLock::new() })),
            Err(errors) => Err(Box::new(Wrong { errors, source, pieces })),
        }
    }

    /// What a check of all results found; it is made once.
    pub fn checked(&self) -> &Report {
        self.checked.get_or_init(|| check(&self.answer, Options::default()))
    }
}

fn request<'a>(source: &'a str, pieces: &[Piece], asked: Asked) -> Request<'a> {
    let behind = usize::from(asked.has_wrt) + usize::from(asked.has_directions);
    let expression = pieces.len().saturating_sub(behind + 1);
    let range = |piece: &Piece| piece.range.clone();
    Request {
        source,
        statements: pieces[..expression].iter().map(range).collect(),
        expression: range(&pieces[expression]),
        wrt: asked.has_wrt.then(|| range(&pieces[expression + 1])),
        directions: pieces.last().filter(|_| asked.has_directions).map(range),
        kind: asked.kind,
    }
}

/// A program in Python may ask for nothing: what it asks for comes later, by calls. The language wants a request, so it is
/// read with one, which is then dropped.
fn read_whole(source: &mut String) -> Result<Typed, Vec<Diagnostic>> {
    let (ast, _) = parse(source);
    let asks = ast.statements.iter().any(|statement| matches!(statement, Statement::Ask { .. }));
    let last = ast.statements.iter().rev().find_map(|statement| match statement {
        Statement::Definition(name, _) => Some(name.name.clone()),
        _ => None,
    });
    let Some(last) = last.filter(|_| !asks) else { return read(source) };
    let length = source.len();
    source.push_str(&format!("differential {last}\n"));
    let typed = read(source);
    source.truncate(length);
    typed.map(|mut typed| {
        typed.asks.clear();
        typed
    })
}

//! A program with claims and proofs: `claim a = b` on a line, `proof NAME:` before indented lines of which those that begin
//! with `=` go on from the line before. The rest is a program of the language, whose declarations and definitions count.

use std::collections::HashSet;
use std::ops::Range;

use super::formula::{Formula, Kind};
use super::language::{Names, PRIME, formula};
use super::text::{Document, Line, Skipped};
use super::write::Script;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{Ast, NodeId, Statement};
use crate::syntax::{canonical_name, parse, parse_expression};

/// What an equation without a keyword is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// A definition, as in every program.
    Statements,
    /// The last one of the text is a claim.
    Claims,
}

/// Reads a program with claims and proofs.
pub fn read(source: &str, bare: Bare) -> Document {
    let mut pieces = pieces(source);
    if bare == Bare::Claims && pieces.is_empty() {
        pieces.extend(last_equation(source));
    }
    let mut blanked: Vec<u8> = source.as_bytes().to_vec();
    for piece in pieces.iter().flat_map(|piece| &piece.blanked) {
        for byte in &mut blanked[piece.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    let program = String::from_utf8(blanked).unwrap_or_default();
    let (ast, errors) = parse(&program);
    let names = Appearing::of(source, &ast);
    let mut document = Document::empty(Script::Language);
    document.errors = errors;
    for statement in &ast.statements {
        if let Statement::Definition(named, body) = statement {
            match formula(&ast, *body, &names) {
                Ok(body) => {
                    let head = Formula::new(Kind::Name(named.name.clone()), named.span);
                    let span = named.span.to(body.span);
                    document.lines.push(Line {
                        parts: vec![head, body],
                        span,
                        may_define: true,
                        is_statement: true,
                        layer: None,
                    });
                }
                Err(error) => document.errors.push(error),
            }
        }
    }
    for piece in pieces {
        match chain(source, &piece.text, &names) {
            Ok(parts) if parts.len() > 1 => {
                let span = Span::new(piece.text.start, piece.text.end);
                document.lines.push(Line {
                    parts,
                    span,
                    may_define: piece.may_define,
                    is_statement: false,
                    layer: None,
                });
            }
            Ok(parts) => {
                let span = parts.first().map_or(Span::new(piece.text.start, piece.text.end), |part| part.span);
                document.skipped.push(Skipped { span, reason: "no equation".to_owned() });
            }
            Err(Unread::Wrong(error)) => document.errors.push(error),
            Err(Unread::NotCovered(span, reason)) => document.skipped.push(Skipped { span, reason }),
        }
    }
    document.lines.sort_by_key(|line| line.span);
    document.declarations = ast;
    document
}

/// The last statement of a text, where that is an equation.
fn last_equation(source: &str) -> Option<Piece> {
    let end = source.trim_end().trim_end_matches(';').len();
    let code = &source[..end];
    let start = code.rfind('\n').map_or(0, |at| at + 1);
    let last = segments(&code[start..]).pop()?;
    let range = start + last.start..start + last.end;
    let is_equation = parts(source, &range).len() > 1;
    is_equation.then(|| Piece { text: range.clone(), blanked: vec![range], may_define: false })
}

/// A claim or a chain of a proof.
struct Piece {
    /// The chain.
    text: Range<usize>,
    /// What the rest of the program does not see.
    blanked: Vec<Range<usize>>,
    may_define: bool,
}

/// The claims and the chains of proofs of a text.
fn pieces(source: &str) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut in_proof = false;
    let mut depth = 0_i64;
    let mut offset = 0;
    // Whether the chain read last may go on.
    let mut open: Option<usize> = None;
    for line in source.split_inclusive('\n') {
        let range = offset..offset + line.len();
        offset = range.end;
        let code = without_comment(line);
        let trimmed = code.trim();
        let indented = line.starts_with([' ', '\t']);
        let start = range.start + (code.len() - code.trim_start().len());
        let end = range.start + code.trim_end().len();
        let goes_on = open.is_some()
            && indented
            && (depth > 0
                || trimmed.starts_with('=')
                || trimmed.starts_with(['+', '-', '*', '.', '/', ')', '⊙'])
                || last_ends_open(source, &out));
        if trimmed.is_empty() {
            if in_proof && let Some(piece) = out.last_mut() {
                piece.blanked.push(range.clone());
            }
            continue;
        }
        if goes_on
            && !starts_word(trimmed, "claim")
            && let Some(piece) = open.and_then(|at| out.get_mut(at))
        {
            piece.text.end = end;
            piece.blanked.push(range.clone());
            depth += nesting(code);
            continue;
        }
        if trimmed.starts_with("proof") && trimmed.ends_with(':') && !indented {
            in_proof = true;
            open = None;
            depth = 0;
            // The label says what is proved; only the lines are judged.
            out.push(Piece { text: end..end, blanked: vec![range.clone()], may_define: false });
            continue;
        }
        if !indented {
            in_proof = false;
        }
        if in_proof {
            depth = nesting(code);
            out.push(Piece { text: start..end, blanked: vec![range.clone()], may_define: true });
            open = Some(out.len() - 1);
            continue;
        }
        open = None;
        // Claims of a line, among statements joined by `;`.
        for segment in segments(code) {
            let text = &code[segment.clone()];
            let skipped = text.len() - text.trim_start().len();
            if starts_word(text.trim_start(), "claim") {
                let first = range.start + segment.start + skipped + "claim".len();
                let last = range.start + segment.start + text.trim_end().len();
                out.push(Piece {
                    text: first..last,
                    blanked: std::iter::once(range.start + segment.start..range.start + segment.end).collect(),
                    may_define: false,
                });
                open = Some(out.len() - 1);
                depth = nesting(text);
            } else {
                open = None;
            }
        }
    }
    out.retain(|piece| !piece.blanked.is_empty());
    // Labels were only there to be blanked.
    let mut kept: Vec<Piece> = Vec::new();
    let mut labels: Vec<Range<usize>> = Vec::new();
    for mut piece in out {
        if piece.text.is_empty() {
            labels.append(&mut piece.blanked);
        } else {
            piece.blanked.append(&mut labels);
            kept.push(piece);
        }
    }
    if let Some(last) = kept.last_mut() {
        last.blanked.append(&mut labels);
    } else if let Some(first) = labels.first() {
        kept.push(Piece { text: first.end..first.end, blanked: labels, may_define: false });
    }
    kept
}

fn last_ends_open(source: &str, out: &[Piece]) -> bool {
    out.last()
        .is_some_and(|piece| source[piece.text.clone()].trim_end().ends_with(['+', '-', '*', '/', '=', '(', ',', '⊙']))
}

fn starts_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace()))
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

fn nesting(text: &str) -> i64 {
    text.chars()
        .map(|c| match c {
            '(' | '[' => 1,
            ')' | ']' => -1,
            _ => 0,
        })
        .sum()
}

/// The statements of a line, split at `;` outside of brackets.
fn segments(code: &str) -> Vec<Range<usize>> {
    let (mut out, mut start, mut depth) = (Vec::new(), 0, 0_i64);
    for (i, c) in code.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ';' if depth <= 0 => {
                out.push(start..i);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(start..code.len());
    out
}

/// Why a chain was not read.
enum Unread {
    /// It is no formula of the language.
    Wrong(Diagnostic),
    /// It is nothing that verify knows.
    NotCovered(Span, String),
}

/// The formulas of a chain.
fn chain(source: &str, range: &Range<usize>, names: &dyn Names) -> Result<Vec<Formula>, Unread> {
    let mut out = Vec::new();
    for part in parts(source, range) {
        out.push(part_of_chain(source, &part, names)?);
    }
    Ok(out)
}

/// The places between the equals signs of a chain.
fn parts(source: &str, range: &Range<usize>) -> Vec<Range<usize>> {
    let text = &source[range.clone()];
    let bytes = text.as_bytes();
    let (mut out, mut start, mut depth) = (Vec::new(), 0, 0_i64);
    let mut comment = false;
    for (i, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => comment = false,
            _ if comment => {}
            b'#' => comment = true,
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'=' if depth <= 0 => {
                let before = i.checked_sub(1).map_or(b' ', |k| bytes[k]);
                let compares = matches!(before, b'=' | b'<' | b'>' | b'!' | b'~') || bytes.get(i + 1) == Some(&b'=');
                if !compares {
                    out.push(range.start + start..range.start + i);
                    start = i + 1;
                }
            }
            _ => {}
        }
    }
    out.push(range.start + start..range.end);
    out
}

fn part_of_chain(source: &str, range: &Range<usize>, names: &dyn Names) -> Result<Formula, Unread> {
    let text = &source[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    let range = start..range.start + text.trim_end().len().max(start - range.start);
    let text = &source[range.clone()];
    for word in ["grad", "jacobian", "hessian", "differential"] {
        if !starts_word(text, word) {
            continue;
        }
        let span = Span::new(range.start, range.end);
        if word == "hessian" {
            return Err(Unread::NotCovered(span, "second derivatives are not covered by verify".to_owned()));
        }
        let wrt = text.find(" wrt ");
        let of = range.start + word.len()..range.start + wrt.unwrap_or(text.len());
        let of = expression(source, &of, names)?;
        let Some(wrt) = wrt else {
            return match word {
                "differential" => Ok(Formula { span, ..Formula::differential(of) }),
                _ => Err(Unread::Wrong(Diagnostic::at(span, "expected `wrt` and what to differentiate by"))),
            };
        };
        if word == "differential" {
            return Ok(Formula { span, ..Formula::differential(of) });
        }
        let by = expression(source, &(range.start + wrt + " wrt ".len()..range.end), names)?;
        if by.as_name().is_none() {
            return Err(Unread::Wrong(Diagnostic::at(by.span, "expected one name behind `wrt`")));
        }
        return Ok(Formula::new(Kind::Derivative { of: Box::new(of), by: Box::new(by) }, span));
    }
    expression(source, &range, names)
}

fn expression(source: &str, range: &Range<usize>, names: &dyn Names) -> Result<Formula, Unread> {
    // Lines that go on and comments are blanks here; the places stay.
    let mut piece = String::with_capacity(range.len());
    let mut comment = false;
    let text = &source[range.clone()];
    for (at, c) in text.char_indices() {
        match c {
            '\n' => comment = false,
            '#' => comment = true,
            _ => {}
        }
        match comment || c == '\n' || c == '\r' {
            true => piece.extend(std::iter::repeat_n(' ', c.len_utf8())),
            false if c == '\'' && is_prime(text, at) => piece.push_str(PRIME),
            false => piece.push(c),
        }
    }
    let shift = |mut error: Diagnostic| {
        let moved = |span: Span| Span::new(span.start as usize + range.start, span.end as usize + range.start);
        error.span = error.span.map(moved);
        error.related.iter_mut().for_each(|(span, _)| *span = moved(*span));
        Unread::Wrong(error)
    };
    let (ast, root, errors) = parse_expression(&piece);
    if let Some(error) = errors.into_iter().next() {
        return Err(shift(error));
    }
    let Some(root): Option<NodeId> = root else {
        return Err(Unread::Wrong(Diagnostic::at(Span::new(range.start, range.end), "expected a formula")));
    };
    let mut found = formula(&ast, root, names).map_err(shift)?;
    move_by(&mut found, range.start);
    Ok(found)
}

/// Whether a quote is the prime of a function: `σ'(X)`, `tanh''(X)`.
fn is_prime(text: &str, at: usize) -> bool {
    let behind = text[at..].trim_start_matches('\'').starts_with('(');
    let before = text[..at].trim_end_matches('\'').ends_with(|c: char| c.is_alphanumeric() || c == '_');
    behind && before
}

fn move_by(formula: &mut Formula, by: usize) {
    formula.span = Span::new(formula.span.start as usize + by, formula.span.end as usize + by);
    for child in formula.children_mut() {
        move_by(child, by);
    }
}

/// The names that stand in a text.
pub struct Appearing {
    introduced: HashSet<String>,
    appearing: HashSet<String>,
}

impl Appearing {
    /// Of a text whose declarations were read.
    pub fn of(source: &str, ast: &Ast) -> Appearing {
        let mut introduced = HashSet::new();
        for statement in &ast.statements {
            match statement {
                Statement::Declaration { names, .. } => introduced.extend(names.iter().map(|named| named.name.clone())),
                Statement::Definition(named, _) => {
                    introduced.insert(named.name.clone());
                }
                Statement::Dimensions(list) => introduced.extend(list.iter().map(|(named, _)| named.name.clone())),
                _ => {}
            }
        }
        let mut appearing = HashSet::new();
        for line in source.lines() {
            for word in without_comment(line).split(|c: char| !(c.is_alphanumeric() || c == '_')) {
                if !word.is_empty()
                    && let Some(name) = canonical_name(word)
                {
                    appearing.insert(name);
                }
            }
        }
        Appearing { introduced, appearing }
    }
}

impl Names for Appearing {
    fn is_known(&self, name: &str) -> bool {
        let differential = name
            .strip_prefix('d')
            .is_some_and(|rest| !rest.is_empty() && (self.introduced.contains(rest) || self.appearing.contains(rest)));
        self.introduced.contains(name) || self.appearing.contains(name) && !differential
    }
}

//! A Markdown or LaTeX document: its displayed formulas as chains, its declarations, types that its sentences give.

use std::collections::HashSet;

use super::formula::Formula;
use super::latex::{Known, formula};
use super::program::{self, Bare};
use super::prose::types;
use super::regions::{Markup, regions};
use super::rows::{Chain, chains, span_of};
use super::text::{Document, Line, Skipped};
use super::tokens::{Kind, Token, macros, tokens};
use super::write::Script;
use crate::diagnostic::Span;
use crate::syntax::ast::{Ast, Node, Statement};

/// Reads a document.
pub fn read(source: &str, markup: Markup) -> Document {
    let found = regions(source, markup);
    let macros = macros(source);
    let mut blanked: Vec<u8> = source.bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
    for range in &found.programs {
        blanked[range.clone()].copy_from_slice(&source.as_bytes()[range.clone()]);
    }
    let mut text = String::from_utf8(blanked).unwrap_or_default();
    let declared = program::read(&text, Bare::Statements);
    let mut known = known(&declared.declarations);
    let all: Vec<std::ops::Range<usize>> = found.inline.iter().chain(&found.displays).cloned().collect();
    let mut lists = Vec::new();
    for range in &all {
        if let Ok(list) = tokens(source, range.start, range.end, &macros) {
            lists.push(list);
        }
    }
    let assumed = types(source, &lists, &known);
    for line in &assumed {
        text.push('\n');
        text.push_str(line);
    }
    let mut document = program::read(&text, Bare::Statements);
    if !document.errors.is_empty() && declared.errors.is_empty() {
        // What the sentences say does not fit together: better none of it.
        document = declared;
    } else {
        document.assumed.clone_from(&assumed);
    }
    document.script = Script::Latex;
    known = self::known(&document.declarations);
    let mut displays: Vec<(usize, Vec<Chain>)> = Vec::new();
    for range in &found.displays {
        match tokens(source, range.start, range.end, &macros) {
            Ok(list) => displays.push((range.start, chains(&list))),
            Err(reason) => {
                document.skipped.push(Skipped { span: Span::new(range.start, range.end), reason });
            }
        }
    }
    for chain in displays.iter().flat_map(|(_, chains)| chains) {
        known.heads.extend(head(&chain.parts[0]));
    }
    let mut last: Option<Formula> = None;
    for (_, list) in displays {
        for chain in list {
            let whole: Vec<Token> = chain.parts.iter().flatten().cloned().collect();
            let Some(span) = span_of(&whole) else { continue };
            if let Some(relation) = chain.relation {
                document.skipped.push(Skipped { span, reason: format!("no equation: `{relation}`") });
                last = None;
                continue;
            }
            match read_chain(&chain.parts, &known, &last) {
                Ok(parts) if parts.len() > 1 => {
                    last = parts.last().cloned();
                    let span = parts.iter().skip(1).fold(parts[0].span, |whole, part| whole.to(part.span));
                    document.lines.push(Line { parts, span, may_define: true, is_statement: false });
                }
                Ok(parts) => {
                    last = parts.into_iter().next();
                    document.skipped.push(Skipped { span, reason: "no equation".to_owned() });
                }
                Err(unread) => {
                    last = None;
                    let place = if unread.span == Span::default() { span } else { unread.span };
                    document.skipped.push(Skipped { span: span.to(place), reason: unread.reason });
                }
            }
        }
    }
    for range in found.unclosed {
        let span = Span::new(range.start, range.end);
        document.skipped.push(Skipped { span, reason: "a formula begins here and does not end".to_owned() });
    }
    document.skipped.sort_by_key(|skipped| skipped.span);
    document
}

fn read_chain(
    parts: &[Vec<Token>],
    known: &Known,
    last: &Option<Formula>,
) -> Result<Vec<Formula>, super::latex::Unread> {
    let mut out = Vec::new();
    for (k, part) in parts.iter().enumerate() {
        match (part.is_empty(), k, last) {
            // A display that begins with `=` goes on from the one before.
            (true, 0, Some(last)) => out.push(last.clone()),
            (true, _, _) => {
                let span = parts.iter().flatten().next().map_or(Span::default(), |token| token.span);
                let reason = "a side of this equation is empty".to_owned();
                return Err(super::latex::Unread { span, reason });
            }
            _ => out.push(formula(part, known)?),
        }
    }
    Ok(out)
}

/// The f of `f(X, y) =`.
fn head(part: &[Token]) -> Option<String> {
    let [Token { kind: Kind::Character(name), .. }, Token { kind: Kind::Character('('), .. }, .., last] = part else {
        let command = match part {
            [
                Token { kind: Kind::Command(name), .. },
                Token { kind: Kind::Open, .. },
                Token { kind: Kind::Character(c), .. },
                Token { kind: Kind::Close, .. },
                Token { kind: Kind::Character('('), .. },
                ..,
                last,
            ] if matches!(name.as_str(), "mathcal" | "mathscr" | "mathrm") && last.kind == Kind::Character(')') => {
                Some(c.to_string())
            }
            [Token { kind: Kind::Command(name), .. }, Token { kind: Kind::Character('('), .. }, .., last]
                if name == "ell" && last.kind == Kind::Character(')') =>
            {
                Some("ell".to_owned())
            }
            _ => None,
        };
        return command;
    };
    let inside = &part[2..part.len() - 1];
    let simple = inside.iter().all(|token| {
        matches!(token.kind, Kind::Character(c) if c.is_alphabetic() || c == ',')
            || matches!(token.kind, Kind::Digits(_) | Kind::Below | Kind::Open | Kind::Close | Kind::Command(_))
    });
    (name.is_alphabetic() && last.kind == Kind::Character(')') && simple).then(|| name.to_string())
}

fn known(ast: &Ast) -> Known {
    let mut out = Known::default();
    let mut dimensions = HashSet::new();
    for statement in &ast.statements {
        match statement {
            Statement::Declaration { names, arguments, .. } => {
                out.declared.extend(names.iter().map(|named| named.name.clone()));
                let mut stack = arguments.clone();
                while let Some(id) = stack.pop() {
                    if let Node::Name(name) = ast.node(id) {
                        dimensions.insert(name.clone());
                    }
                    stack.extend(ast.children(id));
                }
            }
            Statement::Definition(named, _) => {
                out.declared.insert(named.name.clone());
            }
            Statement::Dimensions(list) => dimensions.extend(list.iter().map(|(named, _)| named.name.clone())),
            _ => {}
        }
    }
    out.dimensions = dimensions;
    out
}

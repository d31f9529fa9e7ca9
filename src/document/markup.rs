//! A Markdown or LaTeX document: its displayed formulas as chains, its declarations, types that its sentences give.

use std::collections::{HashMap, HashSet};

use super::formula::Formula;
use super::latex::{Known, formula, without_fonts};
use super::macros::macros;
use super::outline::outline;
use super::program::{self, Bare};
use super::prose::types;
use super::regions::{Item, Markup, regions};
use super::rows::{Chain, chains, span_of};
use super::text::{Document, Line, Skipped};
use super::tokens::{Kind, Token, tokens};
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
    // What the sentences say goes before what is assumed of their names.
    let said = document.declarations.statements.iter().position(|statement| {
        matches!(statement, Statement::Declaration { kind, .. } if kind.span.start as usize >= source.len())
    });
    if let Some(first) = said {
        let count = document.declarations.statements.len() - first;
        document.declarations.statements.rotate_right(count);
    }
    if !document.errors.is_empty() && declared.errors.is_empty() {
        // What the sentences say does not fit together: better none of it.
        document = declared;
    } else {
        document.assumed.clone_from(&assumed);
    }
    document.script = Script::Latex;
    known = self::known(&document.declarations);
    document.families = families(&document.declarations, &lists);
    for (member, base) in &document.families {
        known.declared.remove(member);
        known.declared.insert(base.clone());
        known.families.insert(base.clone());
    }
    known.matrices = families_of_matrices(&document.declarations, &document.families);
    let mut displays: Vec<(usize, Vec<Chain>)> = Vec::new();
    for range in &found.displays {
        match tokens(source, range.start, range.end, &macros) {
            Ok(list) => displays.push((range.start, chains(&list))),
            Err(reason) => {
                document.skipped.push(Skipped { span: Span::new(range.start, range.end), reason });
            }
        }
    }
    for chain in displays.iter().flat_map(|(_, chains)| chains).filter(|chain| chain.parts.len() > 1) {
        if let Some((name, arguments)) = head(&chain.parts[0]) {
            known.heads.entry(name).or_insert(arguments);
        }
    }
    document.outline = outline(source, markup, &found.items, &known, &macros);
    document.headings = headings(source, markup, &found.items);
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

/// Where headings stand: lines of Markdown with `#`, commands of LaTeX, exercises and examples.
fn headings(source: &str, markup: Markup, items: &[(std::ops::Range<usize>, Item)]) -> Vec<u32> {
    const COMMANDS: &[&str] = &[
        "\\chapter",
        "\\section",
        "\\subsection",
        "\\subsubsection",
        "\\paragraph",
        "\\begin{example}",
        "\\begin{exercise}",
        "\\begin{problem}",
    ];
    let mut out: Vec<usize> = match markup {
        Markup::Markdown => source
            .match_indices('#')
            .filter(|(at, _)| *at == 0 || source.as_bytes()[at - 1] == b'\n')
            .map(|(at, _)| at)
            .collect(),
        Markup::Latex => COMMANDS.iter().flat_map(|command| source.match_indices(command)).map(|(at, _)| at).collect(),
    };
    out.sort_unstable();
    let mut items = items.iter().peekable();
    // A `#` in code is no heading.
    out.retain(|at| {
        while items.next_if(|(whole, _)| whole.end <= *at).is_some() {}
        items.peek().is_none_or(|(whole, _)| !whole.contains(at))
    });
    out.into_iter().filter_map(|at| u32::try_from(at).ok()).collect()
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

/// The f of `f(X, y) =`, and what stands in its brackets.
fn head(part: &[Token]) -> Option<(String, Vec<Kind>)> {
    let kinds: Vec<Kind> = part.iter().map(|token| token.kind.clone()).collect();
    let plain = without_fonts(&kinds);
    let [name, Kind::Character('('), inside @ .., Kind::Character(')')] = plain.as_slice() else { return None };
    let name = match name {
        Kind::Character(name) if name.is_alphabetic() => name.to_string(),
        Kind::Command(name) if name == "ell" => name.clone(),
        _ => return None,
    };
    let simple = inside.iter().all(|kind| {
        matches!(kind, Kind::Character(c) if c.is_alphabetic() || *c == ',')
            || matches!(kind, Kind::Digits(_) | Kind::Below | Kind::Command(_))
    });
    simple.then(|| (name, inside.to_vec()))
}

/// Declared names such as `x_i` that stand for a member of a family, since a sum runs over their index; with the family's
/// name.
fn families(ast: &Ast, lists: &[Vec<Token>]) -> HashMap<String, String> {
    let mut indices: HashSet<char> = HashSet::new();
    for list in lists {
        for window in list.windows(4) {
            let [Token { kind: Kind::Command(sum), .. }, Token { kind: Kind::Below, .. }, first, second] = window
            else {
                continue;
            };
            if sum == "sum" {
                let index = if first.kind == Kind::Open { second } else { first };
                if let Kind::Character(c) = index.kind {
                    indices.insert(c);
                }
            }
        }
    }
    let mut out = HashMap::new();
    for statement in &ast.statements {
        let Statement::Declaration { names, .. } = statement else { continue };
        for named in names {
            if let Some((base, index)) = named.name.rsplit_once('_')
                && index.len() == 1
                && index.chars().all(|c| indices.contains(&c))
            {
                out.insert(named.name.clone(), base.to_owned());
            }
        }
    }
    out
}

/// The families whose members are matrices.
fn families_of_matrices(ast: &Ast, families: &HashMap<String, String>) -> HashSet<String> {
    let mut out = HashSet::new();
    for statement in &ast.statements {
        let Statement::Declaration { names, kind, .. } = statement else { continue };
        if !matches!(kind.name.as_str(), "scalar" | "vector" | "row") {
            out.extend(names.iter().filter_map(|named| families.get(&named.name)).cloned());
        }
    }
    out
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

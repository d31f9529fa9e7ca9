//! A Markdown or LaTeX document: its displayed formulas as chains, its declarations, types that its sentences give.

use std::collections::{HashMap, HashSet};

use super::formula::{Formula, Kind as FormulaKind};
use super::latex::{Known, formula, without_fonts};
use super::layers::Layers;
use super::macros::macros;
use super::outline::outline;
use super::program::{self, Bare};
use super::prose::types;
use super::regions::{Item, Markup, regions};
use super::rows::{Chain, chains, span_of};
use super::text::{Document, Line, Skipped};
use super::tokens::{Kind, Token, tokens, with_gaps};
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
    known.indices =
        indices(&lists).into_iter().filter(|index| !known.dimensions.contains(&index.to_string())).collect();
    let layers = Layers::of(&lists, &known);
    if let Some(layers) = &layers {
        lists = lists.iter().flat_map(|list| layers.lists(list)).collect();
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
    let indices = indices(&lists);
    document.families = families(&document.declarations, &indices);
    document.layers = layers.as_ref().map(Layers::name);
    known.indices = indices.into_iter().filter(|index| !known.dimensions.contains(&index.to_string())).collect();
    for (member, base) in &document.families {
        known.declared.remove(member);
        known.declared.insert(base.clone());
        known.families.insert(base.clone());
    }
    known.matrices = families_of_matrices(&document.declarations, &document.families);
    let mut displays: Vec<(usize, Vec<Chain>)> = Vec::new();
    for range in &found.displays {
        match with_gaps(source, range.start, range.end, &macros) {
            Ok(list) => {
                document.dots.extend(list.iter().filter(|token| is_dot(&token.kind)).map(|token| token.span.start));
                displays.push((range.start, chains(&list)));
            }
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
    // What a display that begins with `=` goes on from, for each layer.
    let mut last: HashMap<Option<u32>, Formula> = HashMap::new();
    let mut begun: Option<Span> = None;
    let mut steps: HashSet<Vec<Kind>> = HashSet::new();
    for (_, list) in displays {
        let mut list = list;
        list.retain(|chain| {
            let Some(layers) = &layers else { return true };
            let again = layers.step(chain).is_some_and(|head| !steps.insert(head));
            if again && let Some(span) = span_of(&chain.parts.concat()) {
                let reason = "another rule for the next step: no claim about the first".to_owned();
                document.skipped.push(Skipped { span, reason });
            }
            !again && !layers.is_range(chain)
        });
        let written_out = list.into_iter().flat_map(|chain| match &layers {
            Some(layers) => layers.written_out(&chain),
            None => vec![(None, chain)],
        });
        for (layer, chain) in written_out {
            let whole: Vec<Token> = chain.parts.iter().flatten().cloned().collect();
            let Some(span) = span_of(&whole) else { continue };
            if begun.replace(span) != Some(span) && !chain.parts[0].is_empty() {
                last.clear();
            }
            if let Some(relation) = chain.relation {
                document.unread.extend(unread_name(&chain.parts, &known));
                document.skipped.push(Skipped { span, reason: format!("no equation: `{relation}`") });
                last.remove(&layer);
                continue;
            }
            match read_chain(&chain.parts, &known, last.get(&layer)) {
                Ok(parts) if parts.len() > 1 => {
                    last.extend(parts.last().map(|part| (layer, part.clone())));
                    let span = parts.iter().skip(1).fold(parts[0].span, |whole, part| whole.to(part.span));
                    document.lines.push(Line { parts, span, may_define: true, is_statement: false, layer });
                }
                Ok(parts) => {
                    last.extend(parts.into_iter().next().map(|part| (layer, part)));
                    document.skipped.push(Skipped { span, reason: "no equation".to_owned() });
                }
                Err(unread) => {
                    document.unread.extend(unread_name(&chain.parts, &known));
                    last.remove(&layer);
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

/// `\cdot`
fn is_dot(kind: &Kind) -> bool {
    matches!(kind, Kind::Character('·')) || matches!(kind, Kind::Command(name) if name == "cdot")
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
    last: Option<&Formula>,
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

/// The name that an equation which is not read may define.
fn unread_name(parts: &[Vec<Token>], known: &Known) -> Option<String> {
    let left = parts.first().filter(|_| parts.len() > 1)?;
    let left = formula(left, known).ok()?;
    match &left.kind {
        FormulaKind::Entry { of, .. } => of.as_name().map(str::to_owned),
        FormulaKind::Generic { name, .. } => Some(name.clone()),
        _ => left.as_name().map(str::to_owned),
    }
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

/// The letters over which sums run.
fn indices(lists: &[Vec<Token>]) -> HashSet<char> {
    let mut out: HashSet<char> = HashSet::new();
    for list in lists {
        for window in list.windows(4) {
            let [Token { kind: Kind::Command(sum), .. }, Token { kind: Kind::Below, .. }, first, second] = window
            else {
                continue;
            };
            if sum == "sum" {
                let index = if first.kind == Kind::Open { second } else { first };
                if let Kind::Character(c) = index.kind {
                    out.insert(c);
                }
            }
        }
    }
    out
}

/// Declared names such as `x_i` that stand for a member of a family, since a sum runs over their index; with the family's
/// name.
fn families(ast: &Ast, indices: &HashSet<char>) -> HashMap<String, String> {
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

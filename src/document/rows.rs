//! A displayed formula as chains: rows that begin with `=` go on from the row before, words and commas end a chain, and
//! what is joined by another sign than `=` is no equation.

use super::tokens::{Kind, Token, is_gap};
use crate::diagnostic::Span;

/// A chain as tokens: its parts, between equals signs.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// The parts; the first is empty where the chain begins with `=`.
    pub parts: Vec<Vec<Token>>,
    /// A sign in it that is no equals sign.
    pub relation: Option<String>,
}

/// Environments that only arrange rows.
const ARRANGING: &[&str] = &[
    "align",
    "align*",
    "aligned",
    "alignedat",
    "split",
    "gather",
    "gather*",
    "gathered",
    "equation",
    "equation*",
    "multline",
    "multline*",
    "eqnarray",
    "eqnarray*",
    "displaymath",
    "math",
    "flalign",
    "flalign*",
    "subequations",
    "alignat",
    "alignat*",
];
const EQUALS: &[&str] =
    &["coloneqq", "triangleq", "equiv", "doteq", "eqqcolon", "coloneq", "overset", "stackrel", "underset"];
const RELATIONS: &[&str] = &[
    "approx",
    "le",
    "leq",
    "leqslant",
    "ge",
    "geq",
    "geqslant",
    "in",
    "sim",
    "propto",
    "to",
    "rightarrow",
    "mapsto",
    "ne",
    "neq",
    "simeq",
    "cong",
    "subset",
    "ll",
    "gg",
    "succ",
    "prec",
    "succeq",
    "preceq",
    "notin",
    "leftarrow",
    "gets",
    "longrightarrow",
    "xrightarrow",
    "mid",
    "forall",
    "exists",
    "lt",
    "gt",
];
const ENDS: &[&str] =
    &["implies", "Rightarrow", "iff", "Longrightarrow", "Leftrightarrow", "therefore", "because", "Longleftrightarrow"];

/// So many signs are looked at behind a gap, to see whether an equation follows.
const LONGEST_LOOK: usize = 400;

/// The chains of a display.
pub fn chains(tokens: &[Token]) -> Vec<Chain> {
    let tokens = &without_boxes(tokens);
    let mut out: Vec<Chain> = Vec::new();
    let mut chain = Chain { parts: vec![Vec::new()], relation: None };
    let (mut braces, mut brackets) = (0_i64, 0_i64);
    let mut environments = 0_i64;
    let mut at = 0;
    let mut end_chain = |chain: &mut Chain| {
        let done = std::mem::replace(chain, Chain { parts: vec![Vec::new()], relation: None });
        if done.parts.iter().any(|part| !part.is_empty()) {
            out.push(done);
        }
    };
    while let Some(token) = tokens.get(at) {
        at += 1;
        let top = braces == 0 && environments == 0;
        match &token.kind {
            Kind::Begin(name) if ARRANGING.contains(&name.as_str()) => {
                // `\begin{alignedat}{2}` has an argument.
                if name.starts_with("aligneda") || name.starts_with("alignat") {
                    at += 3;
                }
                continue;
            }
            Kind::End(name) if ARRANGING.contains(&name.as_str()) => continue,
            Kind::Begin(_) => environments += 1,
            Kind::End(_) => environments -= 1,
            Kind::Open => braces += 1,
            Kind::Close => braces -= 1,
            Kind::Character('(' | '[' | '⟨') if top => brackets += 1,
            Kind::Character(')' | ']' | '⟩') if top => brackets -= 1,
            Kind::Command(name) if top && name == "langle" => brackets += 1,
            Kind::Command(name) if top && name == "rangle" => brackets -= 1,
            Kind::Column if top => {
                if brackets <= 0 && begins_another(&chain, &tokens[at..]) {
                    end_chain(&mut chain);
                }
                continue;
            }
            kind if is_gap(kind) => {
                if top && brackets <= 0 && begins_another(&chain, &tokens[at..]) {
                    end_chain(&mut chain);
                }
                continue;
            }
            Kind::Row if top => {
                let next = tokens[at..].iter().find(|token| !is_space(&token.kind)).map(|token| &token.kind);
                let goes_on = match next {
                    Some(Kind::Character('=' | '+' | '-' | '−' | '*' | ')' | ']')) => true,
                    Some(Kind::Command(name)) => {
                        matches!(name.as_str(), "cdot" | "times" | "odot" | "circ" | "oslash" | "otimes" | "rangle")
                            || RELATIONS.contains(&name.as_str())
                            || EQUALS.contains(&name.as_str())
                    }
                    _ => false,
                };
                let last = chain.parts.last().and_then(|part| part.last()).map(|token| &token.kind);
                let open = brackets > 0
                    || matches!(last, Some(Kind::Character('+' | '-' | '−' | '(')) | None) && chain.parts.len() > 1;
                if !goes_on && !open {
                    end_chain(&mut chain);
                    brackets = 0;
                }
                continue;
            }
            Kind::Character('=') if top && brackets <= 0 => {
                chain.parts.push(Vec::new());
                continue;
            }
            Kind::Character(':') if top && tokens.get(at).is_some_and(|next| next.kind == Kind::Character('=')) => {
                continue;
            }
            Kind::Command(name) if top && EQUALS.contains(&name.as_str()) => {
                if matches!(name.as_str(), "overset" | "stackrel" | "underset") {
                    at = behind_group(tokens, at);
                    let sign = behind_group(tokens, at);
                    let equals = tokens[at..sign].iter().any(|token| token.kind == Kind::Character('='));
                    if !equals {
                        chain.relation = Some(format!("\\{name}"));
                    }
                    at = sign;
                }
                chain.parts.push(Vec::new());
                continue;
            }
            Kind::Command(name) if top && brackets <= 0 && RELATIONS.contains(&name.as_str()) => {
                chain.relation.get_or_insert_with(|| format!("\\{name}"));
            }
            Kind::Character(c @ ('<' | '>' | '≈' | '≤' | '≥' | '∈' | '≠' | '∝' | '→')) if top && brackets <= 0 =>
            {
                chain.relation.get_or_insert_with(|| c.to_string());
            }
            Kind::Command(name) if top && ENDS.contains(&name.as_str()) => {
                end_chain(&mut chain);
                continue;
            }
            Kind::Character(',' | ';') if top && brackets <= 0 => {
                end_chain(&mut chain);
                continue;
            }
            Kind::Character('.') if top && brackets <= 0 => {
                continue;
            }
            Kind::Words(words) if top && brackets <= 0 && !is_function(words, tokens.get(at)) => {
                end_chain(&mut chain);
                continue;
            }
            _ => {}
        }
        if let Some(part) = chain.parts.last_mut() {
            part.push(token.clone());
        }
    }
    end_chain(&mut chain);
    out
}

/// `&`, `\quad`
fn is_space(kind: &Kind) -> bool {
    *kind == Kind::Column || is_gap(kind)
}

/// A sign that joins what stands on both sides of it.
fn joins(kind: &Kind) -> bool {
    match kind {
        Kind::Character(c) => "=+-−*·⊙⊗⊘∘/:<>≈≤≥∈≠∝→".contains(*c),
        Kind::Command(name) => {
            let name = name.as_str();
            matches!(name, "cdot" | "times" | "odot" | "circ" | "oslash" | "otimes" | "ast")
                || RELATIONS.contains(&name)
                || EQUALS.contains(&name)
        }
        Kind::Above | Kind::Below => true,
        _ => false,
    }
}

/// Whether another equation begins behind a gap or an `&`: the one before it is whole, and what follows has a sign of its own.
fn begins_another(chain: &Chain, rest: &[Token]) -> bool {
    let whole = chain.parts.len() > 1 || chain.relation.is_some();
    let last = chain.parts.last().and_then(|part| part.last());
    if !whole || last.is_none_or(|last| joins(&last.kind)) {
        return false;
    }
    let mut depth = 0_i64;
    let mut first = true;
    for token in rest.iter().filter(|token| !is_space(&token.kind)).take(LONGEST_LOOK) {
        match &token.kind {
            kind if first && joins(kind) => return false,
            Kind::Row | Kind::End(_) | Kind::Close if first => return false,
            Kind::Open | Kind::Begin(_) | Kind::Character('(' | '[' | '⟨') => depth += 1,
            Kind::Close | Kind::End(_) | Kind::Character(')' | ']' | '⟩') => depth -= 1,
            Kind::Command(name) if name == "langle" => depth += 1,
            Kind::Command(name) if name == "rangle" => depth -= 1,
            Kind::Row | Kind::Words(_) | Kind::Character(',' | ';') if depth == 0 => return false,
            Kind::Character('=' | '<' | '>' | '≈' | '≤' | '≥' | '∈') if depth == 0 => return true,
            Kind::Command(name)
                if depth == 0 && (EQUALS.contains(&name.as_str()) || RELATIONS.contains(&name.as_str())) =>
            {
                return true;
            }
            _ => {}
        }
        first = false;
    }
    false
}

/// The tokens without the boxes that stand around whole equations, `\boxed{a = b}`.
fn without_boxes(tokens: &[Token]) -> Vec<Token> {
    let mut left_out: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if !matches!(&token.kind, Kind::Command(name) if matches!(name.as_str(), "boxed" | "fbox")) {
            continue;
        }
        let end = behind_group(tokens, at + 1);
        if end > at + 2 && tokens[at..end].iter().any(|token| token.kind == Kind::Character('=')) {
            left_out.extend([at, at + 1, end - 1]);
        }
    }
    if left_out.is_empty() {
        return tokens.to_vec();
    }
    tokens.iter().enumerate().filter(|(at, _)| !left_out.contains(at)).map(|(_, token)| token.clone()).collect()
}

/// The place behind the group or the sign at a place.
fn behind_group(tokens: &[Token], at: usize) -> usize {
    if tokens.get(at).map(|token| &token.kind) != Some(&Kind::Open) {
        return (at + 1).min(tokens.len());
    }
    let mut depth = 0_i64;
    for (k, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return k + 1;
        }
    }
    tokens.len()
}

/// Whether words are the name of a function before its argument.
fn is_function(words: &str, next: Option<&Token>) -> bool {
    let word = words.trim();
    let applied = matches!(next.map(|token| &token.kind), Some(Kind::Character('(' | '[') | Kind::Open));
    let name = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    name && (applied || crate::functions::Function::lookup(word).is_some())
}

/// Where a list of tokens stands.
pub fn span_of(tokens: &[Token]) -> Option<Span> {
    Some(tokens.first()?.span.to(tokens.last()?.span))
}

#[cfg(test)]
mod tests {
    use super::chains;
    use crate::document::macros::Macros;
    use crate::document::tokens::with_gaps;

    fn counts(source: &str) -> Vec<usize> {
        let tokens = with_gaps(source, 0, source.len(), &Macros::new()).unwrap();
        chains(&tokens).iter().map(|chain| chain.parts.len()).collect()
    }

    #[test]
    fn rows_that_begin_with_an_equals_sign_go_on() {
        assert_eq!(counts("\\begin{aligned} f &= a \\\\ &= b + c \\\\ &\\quad + d \\\\ g &= e \\end{aligned}"), [3, 2]);
        assert_eq!(counts("a = b, \\quad c = d \\implies e := f"), [2, 2, 2]);
        assert_eq!(counts("a = \\frac{b}{2} \\qquad c = d + e"), [2, 2]);
        assert_eq!(counts("a = b \\quad + c"), [2]);
        assert_eq!(counts("a &= b & c &= d \\\\ e &=& f &= g"), [2, 2, 3]);
        assert_eq!(counts("a = f(x, y) \\text{ where } x = 1."), [2, 2]);
    }
}

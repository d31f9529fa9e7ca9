//! A displayed formula as chains: rows that begin with `=` go on from the row before, words and commas end a chain, and
//! what is joined by another sign than `=` is no equation.

use super::tokens::{Kind, Token};
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
            Kind::Column if top => continue,
            Kind::Row if top => {
                let next = tokens[at..].iter().find(|token| token.kind != Kind::Column).map(|token| &token.kind);
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
    use crate::document::tokens::tokens;

    fn counts(source: &str) -> Vec<usize> {
        let tokens = tokens(source, 0, source.len(), &Macros::new()).unwrap();
        chains(&tokens).iter().map(|chain| chain.parts.len()).collect()
    }

    #[test]
    fn rows_that_begin_with_an_equals_sign_go_on() {
        assert_eq!(counts("\\begin{aligned} f &= a \\\\ &= b + c \\\\ &\\quad + d \\\\ g &= e \\end{aligned}"), [3, 2]);
        assert_eq!(counts("a = b, \\quad c = d \\implies e := f"), [2, 2, 2]);
        assert_eq!(counts("a = f(x, y) \\text{ where } x = 1."), [2, 2]);
    }
}

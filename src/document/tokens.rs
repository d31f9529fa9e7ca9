//! LaTeX of a formula as tokens with their places; spacing and decoration are left out, macros without arguments written out.

use std::collections::HashMap;

use crate::diagnostic::Span;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A letter, a sign.
    Character(char),
    /// Digits, with a decimal point.
    Digits(String),
    /// `\name`
    Command(String),
    /// `{`
    Open,
    /// `}`
    Close,
    /// `^`
    Above,
    /// `_`
    Below,
    /// `&`
    Column,
    /// `\\`
    Row,
    /// `\begin{name}`
    Begin(String),
    /// `\end{name}`
    End(String),
    /// `\text{…}`, words.
    Words(String),
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
}

/// Macros without arguments: `\newcommand{\W}{\mathbf{W}}`.
pub type Macros = HashMap<String, Vec<Token>>;

/// A formula may have so many tokens.
const MOST_TOKENS: usize = 40_000;
/// Macros may stand in macros this deep.
const DEEPEST_MACRO: usize = 12;

/// Commands that change nothing but the look.
const DECORATION: &[&str] = &[
    ",",
    ";",
    ":",
    "!",
    " ",
    ">",
    "quad",
    "qquad",
    "displaystyle",
    "textstyle",
    "scriptstyle",
    "limits",
    "nolimits",
    "nonumber",
    "notag",
    "mathstrut",
    "big",
    "Big",
    "bigg",
    "Bigg",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "biggl",
    "biggr",
    "Biggl",
    "Biggr",
    "bigm",
    "middle",
    "left",
    "right",
    "thinspace",
    "medspace",
    "bf",
    "rm",
    "it",
    "noindent",
    "centering",
    "smallskip",
    "allowbreak",
    "relax",
    "ensuremath",
];

/// Commands whose argument is left out with them.
const WITHOUT_ARGUMENT: &[&str] =
    &["tag", "label", "hspace", "vspace", "phantom", "color", "mspace", "ref", "eqref", "cite"];

/// The tokens of `source[from..to]`.
///
/// # Errors
/// What cannot be read, in words.
pub fn tokens(source: &str, from: usize, to: usize, macros: &Macros) -> Result<Vec<Token>, String> {
    let raw = raw(source, from, to)?;
    let mut out = Vec::with_capacity(raw.len());
    expand(&raw, macros, 0, None, &mut out)?;
    Ok(out)
}

/// Tokens as they stand, decoration left out.
pub fn raw(source: &str, from: usize, to: usize) -> Result<Vec<Token>, String> {
    let text = &source[from..to];
    let mut out: Vec<Token> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let at = from + (text.len() - rest.len());
        if out.len() > MOST_TOKENS {
            return Err(format!("the formula has more than {MOST_TOKENS} signs"));
        }
        let (kind, length) = match c {
            '\\' => command(rest),
            '%' => (None, rest.find('\n').unwrap_or(rest.len())),
            '{' => (Some(Kind::Open), 1),
            '}' => (Some(Kind::Close), 1),
            '^' => (Some(Kind::Above), 1),
            '_' => (Some(Kind::Below), 1),
            '&' => (Some(Kind::Column), 1),
            '~' => (None, 1),
            c if c.is_whitespace() => (None, c.len_utf8()),
            c if c.is_ascii_digit() => {
                let mut length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let behind = &rest[length..];
                if behind.starts_with('.') && behind[1..].starts_with(|c: char| c.is_ascii_digit()) {
                    let digits = behind[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len() - 1);
                    length += 1 + digits;
                }
                (Some(Kind::Digits(rest[..length].to_owned())), length)
            }
            c => (Some(Kind::Character(c)), c.len_utf8()),
        };
        if let Some(kind) = kind {
            out.push(Token { kind, span: Span::new(at, at + length) });
        }
        rest = &rest[length..];
    }
    Ok(out)
}

/// A command: its token, if it has one, and its length.
fn command(rest: &str) -> (Option<Kind>, usize) {
    let body = &rest[1..];
    let name_length = body.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(body.len());
    let name = match name_length {
        0 => body.chars().next().map_or("", |c| &body[..c.len_utf8()]),
        n => &body[..n],
    };
    let mut length = 1 + name.len();
    if name == "\\" {
        // A row may end with a distance: `\\[2pt]`.
        let behind = rest[length..].trim_start();
        if behind.starts_with('[')
            && let Some(end) = behind.find(']')
            && behind[1..end].chars().next().is_some_and(|c| c.is_ascii_digit() || c == '-' || c == '.')
        {
            length = rest.len() - behind.len() + end + 1;
        }
        return (Some(Kind::Row), length);
    }
    // Stars belong to the name's family only.
    if DECORATION.contains(&name) {
        if matches!(name, "left" | "right" | "middle") {
            let behind = rest[length..].trim_start();
            if behind.starts_with('.') {
                length = rest.len() - behind.len() + 1;
            }
        }
        return (None, length);
    }
    let argument = |from: usize| -> Option<(&str, usize)> {
        let behind = rest[from..].trim_start();
        let start = rest.len() - behind.len();
        let inner = behind.strip_prefix('{')?;
        let mut depth = 1;
        for (i, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some((&inner[..i], start + i + 2));
            }
        }
        None
    };
    if WITHOUT_ARGUMENT.contains(&name) {
        return (None, argument(length).map_or(length, |(_, end)| end));
    }
    match name {
        "begin" | "end" => match argument(length) {
            Some((inner, end)) => {
                let inner = inner.trim().to_owned();
                (Some(if name == "begin" { Kind::Begin(inner) } else { Kind::End(inner) }), end)
            }
            None => (Some(Kind::Command(name.to_owned())), length),
        },
        "text" | "textrm" | "textbf" | "textit" | "mbox" | "intertext" | "textnormal" | "textsf" => {
            match argument(length) {
                Some((inner, end)) => (Some(Kind::Words(inner.to_owned())), end),
                None => (Some(Kind::Command(name.to_owned())), length),
            }
        }
        _ => (Some(Kind::Command(name.to_owned())), length),
    }
}

fn expand(
    list: &[Token],
    macros: &Macros,
    depth: usize,
    place: Option<Span>,
    out: &mut Vec<Token>,
) -> Result<(), String> {
    for token in list {
        if out.len() > MOST_TOKENS {
            return Err(format!("the formula has more than {MOST_TOKENS} signs with its macros written out"));
        }
        let span = place.unwrap_or(token.span);
        if let Kind::Command(name) = &token.kind
            && let Some(body) = macros.get(name)
        {
            if depth >= DEEPEST_MACRO {
                return Err(format!("the macro `\\{name}` stands in itself, or macros are nested too deep"));
            }
            expand(body, macros, depth + 1, Some(span), out)?;
            continue;
        }
        out.push(Token { kind: token.kind.clone(), span });
    }
    Ok(())
}

/// The macros without arguments that a document defines.
pub fn macros(source: &str) -> Macros {
    let mut out = Macros::new();
    for word in ["\\newcommand", "\\renewcommand", "\\providecommand", "\\DeclareMathOperator", "\\def"] {
        for (at, _) in source.match_indices(word) {
            let mut rest = source[at + word.len()..].trim_start_matches('*').trim_start();
            let braced = rest.starts_with('{');
            rest = rest.trim_start_matches('{').trim_start();
            let Some(name) = rest.strip_prefix('\\') else { continue };
            let length = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
            let (name, mut rest) = name.split_at(length);
            if braced {
                let Some(behind) = rest.trim_start().strip_prefix('}') else { continue };
                rest = behind;
            }
            let rest = rest.trim_start();
            // A macro with arguments is not written out.
            let Some(body) = rest.strip_prefix('{') else { continue };
            let mut depth = 1;
            let end = body.char_indices().find(|(_, c)| {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let (Some((end, _)), false) = (end, name.is_empty()) else { continue };
            let start = source.len() - body.len();
            let tokens = match word {
                "\\DeclareMathOperator" => {
                    let span = Span::new(start, start + end);
                    let inner = Token { kind: Kind::Words(body[..end].to_owned()), span };
                    Ok(vec![Token { kind: Kind::Command("operatorname".to_owned()), span }, inner])
                }
                _ => raw(source, start, start + end),
            };
            if let Ok(tokens) = tokens
                && out.len() < 500
            {
                out.insert(name.to_owned(), tokens);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Kind, macros, tokens};

    #[test]
    fn macros_are_written_out_and_never_for_ever() {
        let source = "\\newcommand{\\W}{\\mathbf{W}}\\newcommand{\\a}{\\b\\b}\\newcommand{\\b}{\\a\\a} \\W \\a";
        let known = macros(source);
        assert_eq!(known.len(), 3);
        let at = source.rfind("\\W").unwrap();
        assert_eq!(tokens(source, at, at + 2, &known).unwrap().len(), 4);
        assert!(tokens(source, at, source.len(), &known).is_err());
    }

    #[test]
    fn decoration_is_left_out() {
        let source = "\\left( x \\,\\right) \\label{a} \\\\[2pt] 2.5";
        let kinds: Vec<Kind> =
            tokens(source, 0, source.len(), &macros("")).unwrap().into_iter().map(|token| token.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Character('('),
                Kind::Character('x'),
                Kind::Character(')'),
                Kind::Row,
                Kind::Digits("2.5".to_owned())
            ]
        );
    }
}

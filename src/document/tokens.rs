//! LaTeX of a formula as tokens with their places; spacing and decoration are left out, macros written out.

use super::macros::{Macros, definition, expanded};
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
    /// `#1` in the body of a macro.
    Parameter(usize),
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
}

/// A formula may have so many tokens.
pub const MOST_TOKENS: usize = 40_000;

/// Commands that change nothing but the look.
const DECORATION: &[&str] = &[
    ",",
    ";",
    ":",
    "!",
    " ",
    ">",
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
    "allowdisplaybreaks",
    "displaybreak",
];

/// Commands whose argument is left out with them.
const WITHOUT_ARGUMENT: &[&str] =
    &["tag", "label", "hspace", "vspace", "phantom", "color", "mspace", "ref", "eqref", "cite"];

/// The tokens of `source[from..to]`.
///
/// # Errors
/// What cannot be read, in words.
pub fn tokens(source: &str, from: usize, to: usize, macros: &Macros) -> Result<Vec<Token>, String> {
    let mut out = with_gaps(source, from, to, macros)?;
    out.retain(|token| !is_gap(&token.kind));
    Ok(out)
}

/// As [`tokens`], with the wide gaps that may stand between two equations.
///
/// # Errors
/// What cannot be read, in words.
pub fn with_gaps(source: &str, from: usize, to: usize, macros: &Macros) -> Result<Vec<Token>, String> {
    expanded(raw(source, from, to)?, macros)
}

/// `\quad`, `\qquad`
pub fn is_gap(kind: &Kind) -> bool {
    matches!(kind, Kind::Command(name) if matches!(name.as_str(), "quad" | "qquad"))
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
            '\\' => match definition(rest) {
                // A macro is known already, wherever it is defined.
                Some(definition) => (None, definition.length),
                None => command(rest),
            },
            '#' if rest[1..].starts_with(|c: char| ('1'..='9').contains(&c)) => {
                (Some(Kind::Parameter(usize::from(rest.as_bytes()[1] - b'0'))), 2)
            }
            '%' => (None, rest.find('\n').unwrap_or(rest.len())),
            '{' => (Some(Kind::Open), 1),
            '}' => (Some(Kind::Close), 1),
            '^' => (Some(Kind::Above), 1),
            '_' => (Some(Kind::Below), 1),
            '&' => (Some(Kind::Column), 1),
            '~' => (None, 1),
            c if c.is_whitespace() => (None, c.len_utf8()),
            // `\frac12`, `x^10`: one digit is all that belongs to the sign before it.
            c if c.is_ascii_digit() && takes_one_digit(&out) => (Some(Kind::Digits(c.to_string())), 1),
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

/// Whether what is read next is an argument without braces.
fn takes_one_digit(before: &[Token]) -> bool {
    let takes = |token: &Token| match &token.kind {
        Kind::Above | Kind::Below => true,
        Kind::Command(name) => is_fraction(name),
        _ => false,
    };
    match before {
        [.., Token { kind: Kind::Command(name), .. }, Token { kind: Kind::Digits(digits), .. }]
            if is_fraction(name) && digits.len() == 1 =>
        {
            true
        }
        [.., last] => takes(last),
        [] => false,
    }
}

fn is_fraction(name: &str) -> bool {
    matches!(name, "frac" | "dfrac" | "tfrac")
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
        "text" | "textrm" | "textbf" | "textit" | "mbox" | "intertext" | "textnormal" | "textsf" | "shortintertext" => {
            match argument(length) {
                Some((inner, end)) => (Some(Kind::Words(inner.to_owned())), end),
                None => (Some(Kind::Command(name.to_owned())), length),
            }
        }
        _ => (Some(Kind::Command(name.to_owned())), length),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};
    use crate::document::macros::Macros;

    #[test]
    fn decoration_is_left_out() {
        let source = "\\left( x \\,\\right) \\label{a} \\\\[2pt] 2.5";
        let kinds: Vec<Kind> =
            tokens(source, 0, source.len(), &Macros::new()).unwrap().into_iter().map(|token| token.kind).collect();
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

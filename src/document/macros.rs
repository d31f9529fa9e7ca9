//! Macros of a LaTeX document: their definitions are found in its text and written out in the tokens of its formulas, with
//! the place where the macro stands. A macro that stands in itself ends with a message.

use std::collections::HashMap;

use super::tokens::{Kind, MOST_TOKENS, Token, raw, tokens};
use crate::diagnostic::Span;

/// Macros may stand in macros this deep.
const DEEPEST: usize = 12;
/// A document may define so many macros.
const MOST: usize = 500;
/// The body of a macro may have so many bytes.
const LONGEST_BODY: usize = 1_000;
/// Definitions that cannot be read are passed over so often.
const MOST_UNREAD: usize = 2_000;

/// Macros by name: `\newcommand{\W}{\mathbf{W}}`, `\newcommand{\norm}[1]{\lVert #1 \rVert}`.
pub type Macros = HashMap<String, Macro>;

/// What a macro stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Macro {
    /// How many arguments it takes.
    arguments: usize,
    /// The first argument where it is left out: `\newcommand{\d}[2][f]{…}`.
    default: Option<Vec<Token>>,
    /// Its body, with [`Kind::Parameter`]s.
    body: Vec<Token>,
}

/// Macros that packages of physics and mathematics define alike; a document's own go before them.
const USUAL: &str = "\\newcommand{\\norm}[1]{\\lVert #1 \\rVert}\\newcommand{\\pdv}[2]{\\frac{\\partial #1}{\\partial #2}}\
                     \\newcommand{\\dv}[2]{\\frac{d #1}{d #2}}\\newcommand{\\dd}{\\mathrm{d}}\
                     \\newcommand{\\inner}[2]{\\langle #1, #2 \\rangle}\\newcommand{\\abs}[1]{\\operatorname{abs}(#1)}";

/// The definition of a macro at the start of a text.
pub struct Definition<'a> {
    /// The macro's name.
    name: &'a str,
    /// How it is defined.
    how: How,
    /// The number of its arguments.
    arguments: usize,
    /// What its first argument is where it is left out.
    default: Option<&'a str>,
    /// Its body, as an offset in the text and a text.
    body: (usize, &'a str),
    /// The length of the whole.
    pub length: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Body,
    Operator,
    Delimiters,
}

/// Reads `\newcommand{\W}[1]{…}`, `\def\W#1{…}`, `\DeclareMathOperator{\tr}{tr}`, `\DeclarePairedDelimiter{\n}{\|}{\|}` at
/// the start of a text.
pub fn definition(text: &str) -> Option<Definition<'_>> {
    let (word_length, how) = defining(text)?;
    let is_def = text[..word_length].ends_with("def");
    let mut rest = text[word_length..].trim_start_matches('*').trim_start();
    let braced = rest.starts_with('{');
    rest = rest.strip_prefix('{').unwrap_or(rest).trim_start();
    let name = rest.strip_prefix('\\')?;
    let length = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
    let (name, behind) = name.split_at(length);
    if name.is_empty() {
        return None;
    }
    rest = behind;
    if braced {
        rest = rest.trim_start().strip_prefix('}')?;
    }
    let (mut arguments, mut default) = (0, None);
    if is_def {
        while let Some(behind) = rest.trim_start().strip_prefix('#') {
            arguments += 1;
            rest = behind.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    } else if let Some(behind) = rest.trim_start().strip_prefix('[') {
        let (count, behind) = behind.split_once(']')?;
        arguments = count.trim().parse().ok().filter(|count| (1..=9).contains(count))?;
        rest = behind;
        if let Some(behind) = rest.trim_start().strip_prefix('[') {
            let (first, behind) = behind.split_once(']')?;
            default = Some(first);
            rest = behind;
        }
    }
    let inner = group(rest.trim_start())?;
    let offset = |piece: &str| piece.as_ptr() as usize - text.as_ptr() as usize;
    let mut end = offset(inner) + inner.len() + 1;
    let mut body = (offset(inner), inner);
    if how == How::Delimiters {
        let second = group(text[end..].trim_start())?;
        let from = body.0;
        end = offset(second) + second.len() + 1;
        body = (from, &text[from..offset(second) + second.len()]);
        arguments = 1;
    }
    Some(Definition { name, how, arguments, default, body, length: end })
}

/// The length of a command that defines a macro, and how it does.
fn defining(text: &str) -> Option<(usize, How)> {
    let behind = text.get(1..)?;
    let length = 1 + behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
    let how = match &text[..length] {
        "\\newcommand" | "\\renewcommand" | "\\providecommand" | "\\def" | "\\gdef" => How::Body,
        "\\DeclareMathOperator" => How::Operator,
        "\\DeclarePairedDelimiter" => How::Delimiters,
        _ => return None,
    };
    Some((length, how))
}

/// The inside of the braces at the start of a text.
fn group(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let mut depth = 1;
    let mut escaped = false;
    for (at, c) in inner.char_indices().take_while(|(at, _)| *at <= LONGEST_BODY) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&inner[..at]);
        }
    }
    None
}

/// The macros that a document defines, and those that packages define.
pub fn macros(source: &str) -> Macros {
    let mut out = Macros::new();
    collect(USUAL, &mut out);
    collect(source, &mut out);
    out
}

fn collect(source: &str, out: &mut Macros) {
    let mut unread = 0;
    for (at, _) in source.match_indices('\\') {
        let Some(definition) = definition(&source[at..]) else {
            unread += usize::from(defining(&source[at..]).is_some());
            if unread > MOST_UNREAD {
                break;
            }
            continue;
        };
        let (start, body) = (at + definition.body.0, definition.body.1);
        let span = Span::new(start, start + body.len());
        let tokens = match definition.how {
            How::Body => raw(source, start, start + body.len()),
            How::Operator => {
                let inner = Token { kind: Kind::Words(body.to_owned()), span };
                Ok(vec![Token { kind: Kind::Command("operatorname".to_owned()), span }, inner])
            }
            // The braces between the two delimiters are where the argument goes.
            How::Delimiters => {
                let sign = |text: &str| raw(text, 0, text.len());
                let close = body.rfind('{').map_or("", |k| &body[k + 1..]);
                let open = body.split('}').next().unwrap_or_default();
                sign(open).and_then(|mut tokens| {
                    tokens.push(Token { kind: Kind::Parameter(1), span });
                    tokens.extend(sign(close)?);
                    Ok(tokens)
                })
            }
        };
        let default = definition.default.and_then(tokens_of);
        if let Ok(body) = tokens
            && (out.len() < MOST || out.contains_key(definition.name))
        {
            out.insert(definition.name.to_owned(), Macro { arguments: definition.arguments, default, body });
        }
    }
}

fn tokens_of(text: &str) -> Option<Vec<Token>> {
    tokens(text, 0, text.len(), &Macros::new()).ok()
}

/// The tokens with all macros written out.
///
/// # Errors
/// Where a macro stands in itself, or too much comes of it.
pub fn expanded(list: Vec<Token>, macros: &Macros) -> Result<Vec<Token>, String> {
    let mut out = Vec::with_capacity(list.len());
    expand(&list, macros, 0, &mut out)?;
    Ok(out)
}

fn expand(list: &[Token], macros: &Macros, depth: usize, out: &mut Vec<Token>) -> Result<(), String> {
    let mut at = 0;
    while let Some(token) = list.get(at) {
        at += 1;
        if out.len() > MOST_TOKENS {
            return Err(format!("the formula has more than {MOST_TOKENS} signs with its macros written out"));
        }
        let Kind::Command(name) = &token.kind else {
            out.push(token.clone());
            continue;
        };
        let Some(found) = macros.get(name) else {
            out.push(token.clone());
            continue;
        };
        if depth >= DEEPEST {
            return Err(format!("the macro `\\{name}` stands in itself, or macros are nested too deep"));
        }
        let mut given: Vec<Vec<Token>> = Vec::with_capacity(found.arguments);
        if let Some(default) = &found.default {
            match bracket(list, &mut at) {
                Some(first) => given.push(first),
                // It stands where the macro does, as what the body itself has.
                None => {
                    given.push(default.iter().map(|part| Token { kind: part.kind.clone(), span: token.span }).collect())
                }
            }
        }
        while given.len() < found.arguments {
            match argument(list, &mut at) {
                Some(next) => given.push(next),
                None => return Err(format!("the macro `\\{name}` takes {} arguments", found.arguments)),
            }
        }
        let mut written = Vec::with_capacity(found.body.len());
        for part in &found.body {
            match part.kind {
                Kind::Parameter(k) => written.extend(given.get(k - 1).into_iter().flatten().cloned()),
                // What the body itself has stands where the macro does.
                _ => written.push(Token { kind: part.kind.clone(), span: token.span }),
            }
            if written.len() > MOST_TOKENS {
                return Err(format!("the formula has more than {MOST_TOKENS} signs with its macros written out"));
            }
        }
        expand(&written, macros, depth + 1, out)?;
    }
    Ok(())
}

/// The next argument: a group without its braces, or one sign.
fn argument(list: &[Token], at: &mut usize) -> Option<Vec<Token>> {
    if list.get(*at)?.kind != Kind::Open {
        *at += 1;
        return Some(vec![list[*at - 1].clone()]);
    }
    let start = *at + 1;
    let mut depth = 0_i64;
    while let Some(token) = list.get(*at) {
        *at += 1;
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(list[start..*at - 1].to_vec());
        }
    }
    None
}

/// `[…]`
fn bracket(list: &[Token], at: &mut usize) -> Option<Vec<Token>> {
    if list.get(*at)?.kind != Kind::Character('[') {
        return None;
    }
    let length = list[*at..].iter().position(|token| token.kind == Kind::Character(']'))?;
    let inner = list[*at + 1..*at + length].to_vec();
    *at += length + 1;
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::macros;
    use crate::document::latex::shown;
    use crate::document::tokens::tokens;

    fn written(definitions: &str, formula: &str) -> Result<String, String> {
        let source = format!("{definitions} {formula}");
        let from = source.len() - formula.len();
        let list = tokens(&source, from, source.len(), &macros(definitions))?;
        assert!(list.iter().all(|token| token.span.start as usize >= from), "{list:?}");
        Ok(list.iter().map(|token| shown(&token.kind)).collect())
    }

    #[test]
    fn macros_are_written_out_and_never_for_ever() {
        assert_eq!(written("\\newcommand{\\W}{\\mathbf{W}}", "\\W x").unwrap(), "\\mathbf{W}x");
        assert!(written("\\newcommand{\\a}{\\b\\b}\\newcommand{\\b}{\\a\\a}", "\\a").is_err());
        assert!(written("\\newcommand{\\a}[1]{\\a{#1}}", "\\a x").is_err());
    }

    #[test]
    fn macros_take_arguments() {
        let norm = "\\newcommand{\\n}[1]{\\lVert #1 \\rVert}";
        assert_eq!(written(norm, "\\n{A x}_2 + \\n x").unwrap(), "\\lVertAx\\rVert_2+\\lVertx\\rVert");
        let slope = "\\newcommand*\\D[2][f]{\\frac{\\partial #1}{\\partial #2}}";
        assert_eq!(
            written(slope, "\\D{x} \\D[g]{x}").unwrap(),
            "\\frac{\\partialf}{\\partialx}\\frac{\\partialg}{\\partialx}"
        );
        assert_eq!(written("\\def\\R#1{\\mathbb{R}^{#1}}", "\\R{n}").unwrap(), "\\mathbb{R}^{n}");
        let paired = "\\DeclarePairedDelimiter{\\n}{\\lVert}{\\rVert}";
        assert_eq!(written(paired, "\\n{x}").unwrap(), "\\lVertx\\rVert");
        assert_eq!(written("\\DeclareMathOperator{\\sm}{softmax}", "\\sm(x)").unwrap(), "\\operatornamesoftmax(x)");
        assert!(written(norm, "\\n").is_err());
    }
}

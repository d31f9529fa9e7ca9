//! Text to [`Ast`](ast::Ast): tokens, then a parser that never recurses, so that depth costs memory and nothing else.

mod ask;
pub mod ast;
mod expression;
mod letters;
mod lex;
mod parse;
mod request;

pub use letters::is_lower_greek;
pub use parse::{parse, parse_chain, parse_chain_into, parse_expression};
pub use request::{Request, parse_request};

use crate::diagnostic::Diagnostic;

/// The words that begin or join statements.
pub const KEYWORDS: &[&str] = &["dim", "assume", "grad", "jacobian", "hessian", "differential", "wrt"];

/// The types, by the number of their dimensions.
pub const TYPES: &[(&str, usize)] = &[
    ("scalar", 0),
    ("vector", 1),
    ("row", 1),
    ("matrix", 2),
    ("symmetric", 1),
    ("skew", 1),
    ("diagonal", 1),
    ("orthogonal", 1),
    ("posdef", 1),
    ("invertible", 1),
    ("onehot", 2),
    ("rowstochastic", 2),
];

/// Whether a name is a word of the language.
pub fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// Whether a name is a type's.
pub fn is_type(name: &str) -> bool {
    TYPES.iter().any(|&(kind, _)| kind == name)
}

/// A name as the language knows it: `λ₂` is `lambda2`; `None` where the text is not one name.
pub fn canonical_name(text: &str) -> Option<String> {
    let (tokens, diagnostics) = lex::tokens(text, 0);
    match tokens.as_slice() {
        [lex::Token { kind: lex::Kind::Name(name), .. }, _] if diagnostics.is_empty() => Some(name.clone()),
        _ => None,
    }
}

/// The text of a file; an error that tells the encoding where it is not UTF-8.
pub fn decode(bytes: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(bytes).map_err(|error| {
        let guess = match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ", it looks like UTF-16",
            _ => "",
        };
        let at = error.utf8_error().valid_up_to();
        Diagnostic::whole(format!("the text is not UTF-8 (byte {at}){guess}")).hint("save it as UTF-8")
    })
}

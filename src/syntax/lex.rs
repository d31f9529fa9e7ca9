//! Text to tokens. What comes in is any text at all; what goes out is tokens with canonical names, and the errors that
//! are about single characters. Where the meant character is plain, the token is made all the same, so that the parser
//! has nothing to add; otherwise [`Kind::Bad`] tells the parser to stay silent about the statement.

use super::ast::{Comparison, Operator};
use super::letters::{self, Lookalike};
use crate::diagnostic::{Diagnostic, Span, shorten};
use crate::number::Number;

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Infix {
    Binary(Operator),
    Compare(Comparison),
    Kronecker,
}

/// A kind of bracket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bracket {
    Round,
    Square,
    Angle,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(Number),
    Name(String),
    Newline,
    Semicolon,
    Comma,
    Colon,
    Equals,
    Open(Bracket),
    Close(Bracket),
    Plus,
    Minus,
    Infix(Infix),
    Transpose,
    Superscript(i64),
    InverseTranspose,
    Bad,
    End,
}

/// A token and its place.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// All tokens of a text from byte `start` on; the last is [`Kind::End`].
pub(super) fn tokens(source: &str, start: usize) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer = Lexer { source, at: start, tokens: Vec::new(), diagnostics: Vec::new(), given_up: false };
    if source[start..].starts_with('\u{feff}') {
        lexer.at += '\u{feff}'.len_utf8();
    }
    while let Some(c) = lexer.peek() {
        lexer.token(c);
    }
    lexer.push(Kind::End, source.len());
    (lexer.tokens, lexer.diagnostics)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
    /// Whether a character of this statement could not be made sense of: further ones would be the same mistake.
    given_up: bool,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.source[self.at..].chars().nth(1)
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = &self.source[self.at..];
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.tokens.push(Token { kind, span: Span::new(start, self.at) });
    }

    fn token(&mut self, c: char) {
        let start = self.at;
        let starts_fraction = c == '.' && self.peek_second().is_some_and(|d| d.is_ascii_digit());
        if c.is_ascii_digit() || starts_fraction {
            return self.number();
        }
        if letters::is_letter(c) {
            return self.name();
        }
        if letters::superscript(c).is_some() || c == '⁻' {
            return self.superscript();
        }
        if let Some(kind) = self.second_of_two(c) {
            self.at += c.len_utf8() + self.peek_second().map_or(0, char::len_utf8);
            return self.push(kind, start);
        }
        self.at += c.len_utf8();
        if matches!(c, '\n' | ';') {
            self.given_up = false;
        }
        match c {
            ' ' | '\t' | '\r' | '\u{a0}' => {}
            '#' => self.skip_while(|c| c != '\n'),
            _ => match single(c) {
                Some(kind) => self.push(kind, start),
                None => self.strange(c, start),
            },
        }
    }

    fn second_of_two(&self, first: char) -> Option<Kind> {
        let binary = |operator| Some(Kind::Infix(Infix::Binary(operator)));
        let compare = |comparison| Some(Kind::Infix(Infix::Compare(comparison)));
        match (first, self.peek_second()?) {
            ('.', '*') => binary(Operator::Hadamard),
            ('.', '/') => binary(Operator::HadamardDivide),
            ('.', '^') => binary(Operator::HadamardPower),
            ('.', '\'' | '’' | '′' | 'ᵀ') => Some(Kind::Transpose),
            ('>', '=') => compare(Comparison::GreaterEqual),
            ('<', '=') => compare(Comparison::LessEqual),
            ('=', '=') => compare(Comparison::Equal),
            ('!' | '~', '=') => compare(Comparison::NotEqual),
            _ => None,
        }
    }

    fn number(&mut self) {
        let start = self.at;
        self.skip_while(|c| c.is_ascii_digit());
        // In `2.*A` and `1./x` the dot belongs to the operator, as in MATLAB.
        let dot_is_an_operator = matches!(self.peek_second(), Some('*' | '/' | '^' | '\'' | '’' | '′' | 'ᵀ'));
        if self.peek() == Some('.') && !dot_is_an_operator {
            self.at += 1;
            self.skip_while(|c| c.is_ascii_digit());
        }
        self.exponent();
        let text = &self.source[start..self.at];
        let value = Number::parse(text);
        if value.is_none() {
            let message = format!("{} is not a finite number", shorten(text, 24));
            self.diagnostics.push(Diagnostic::at(Span::new(start, self.at), message));
        }
        self.push(Kind::Number(value.unwrap_or(Number::ONE)), start);
        self.runs_into_a_name(start);
    }

    fn exponent(&mut self) {
        let rest = &self.source.as_bytes()[self.at..];
        if !matches!(rest.first(), Some(b'e' | b'E')) {
            return;
        }
        let sign = usize::from(matches!(rest.get(1), Some(b'+' | b'-')));
        let digits = rest[1 + sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            self.at += 1 + sign + digits;
        }
    }

    fn runs_into_a_name(&mut self, start: usize) {
        let end = self.at;
        let Some(next) = self.peek() else { return };
        if next == '.' && self.peek_second().is_some_and(|c| c.is_ascii_digit()) {
            self.skip_while(|c| c == '.' || c.is_ascii_digit());
            let message = format!("`{}` is not a number", shorten(&self.source[start..self.at], 24));
            self.diagnostics.push(Diagnostic::at(Span::new(end, self.at), message));
        } else if letters::is_letter(next) {
            self.skip_while(|c| letters::is_letter(c) || c.is_ascii_digit() || letters::subscript(c).is_some());
            let (number, name) = (shorten(&self.source[start..end], 24), shorten(&self.source[end..self.at], 24));
            self.diagnostics.push(
                Diagnostic::at(Span::new(end, self.at), "a number may not run into a name")
                    .hint(format!("a product is written `{number}*{name}`")),
            );
        } else {
            return;
        }
        self.push(Kind::Bad, end);
    }

    fn name(&mut self) {
        let start = self.at;
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if let Some(spelled) = letters::spelled(c) {
                name.push_str(spelled);
            } else if letters::is_letter(c) || c.is_ascii_digit() {
                name.push(c);
            } else if let Some(digit) = letters::subscript(c) {
                name.push(digit);
            } else {
                break;
            }
            self.at += c.len_utf8();
        }
        self.push(Kind::Name(name), start);
    }

    fn superscript(&mut self) {
        let start = self.at;
        let negative = self.peek() == Some('⁻');
        if negative {
            self.at += '⁻'.len_utf8();
            if self.peek() == Some('ᵀ') {
                self.at += 'ᵀ'.len_utf8();
                return self.push(Kind::InverseTranspose, start);
            }
        }
        let mut digits = String::from(if negative { "-" } else { "" });
        while let Some(digit) = self.peek().and_then(letters::superscript) {
            digits.push(digit);
            self.at += self.peek().map_or(0, char::len_utf8);
        }
        match digits.parse() {
            Ok(power) => self.push(Kind::Superscript(power), start),
            Err(_) => {
                let message = match digits.as_str() {
                    "-" => "a superscript minus needs a digit or ᵀ behind it",
                    _ => "this exponent is too large",
                };
                self.push(Kind::Bad, start);
                self.diagnostics.push(Diagnostic::at(Span::new(start, self.at), message));
            }
        }
    }

    fn strange(&mut self, c: char, start: usize) {
        let span = Span::new(start, self.at);
        let code = format!("U+{:04X}", u32::from(c));
        let diagnostic = match letters::lookalike(c) {
            Some(Lookalike::Invisible(name)) => {
                Diagnostic::at(span, format!("an invisible character, {name} ({code})")).hint("delete it")
            }
            Some(Lookalike::Of(meant)) => {
                // The meant token stands in, so that nothing else is reported about this place.
                if let Some(kind) = single(meant) {
                    self.push(kind, start);
                } else if meant != ' ' {
                    self.push(Kind::Bad, start);
                }
                Diagnostic::at(span, format!("unexpected character `{c}` ({code})")).hint(if meant == ' ' {
                    "write a plain space".to_owned()
                } else {
                    format!("write `{meant}`")
                })
            }
            Some(Lookalike::Hint(hint)) => {
                self.push(Kind::Bad, start);
                Diagnostic::at(span, format!("unexpected character `{c}` ({code})")).hint(hint)
            }
            None => {
                self.push(Kind::Bad, start);
                let shown = if c.is_control() { String::new() } else { format!("`{c}` ") };
                Diagnostic::at(span, format!("unexpected character {shown}({code})"))
            }
        };
        let gives_up = self.tokens.last().is_some_and(|token| token.kind == Kind::Bad && token.span == span);
        if !(gives_up && self.given_up) {
            self.diagnostics.push(diagnostic);
        }
        self.given_up |= gives_up;
    }
}

fn single(c: char) -> Option<Kind> {
    let binary = |operator| Kind::Infix(Infix::Binary(operator));
    let compare = |comparison| Kind::Infix(Infix::Compare(comparison));
    Some(match c {
        '\n' => Kind::Newline,
        ';' => Kind::Semicolon,
        ',' => Kind::Comma,
        ':' => Kind::Colon,
        '=' => Kind::Equals,
        '(' => Kind::Open(Bracket::Round),
        ')' => Kind::Close(Bracket::Round),
        '[' => Kind::Open(Bracket::Square),
        ']' => Kind::Close(Bracket::Square),
        '⟨' => Kind::Open(Bracket::Angle),
        '⟩' => Kind::Close(Bracket::Angle),
        '+' => Kind::Plus,
        '-' | '−' | '–' => Kind::Minus,
        '*' | '×' | '·' | '⋅' | '∙' => binary(Operator::Multiply),
        '/' => binary(Operator::Divide),
        '\\' => binary(Operator::LeftDivide),
        '^' => binary(Operator::Power),
        '⊙' | '∘' => binary(Operator::Hadamard),
        '⊘' => binary(Operator::HadamardDivide),
        '⊗' => Kind::Infix(Infix::Kronecker),
        '>' => compare(Comparison::Greater),
        '<' => compare(Comparison::Less),
        '≥' => compare(Comparison::GreaterEqual),
        '≤' => compare(Comparison::LessEqual),
        '≠' => compare(Comparison::NotEqual),
        '\'' | '’' | '′' | 'ᵀ' => Kind::Transpose,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn names(text: &str) -> Vec<String> {
        let (tokens, diagnostics) = tokens(text, 0);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        tokens
            .into_iter()
            .filter_map(|token| if let Kind::Name(name) = token.kind { Some(name) } else { None })
            .collect()
    }

    fn messages(text: &str) -> Vec<String> {
        tokens(text, 0).1.into_iter().map(|d| format!("{} {}", d.message, d.hint.unwrap_or_default())).collect()
    }

    #[test]
    fn names_are_canonical() {
        assert_eq!(names("λ λ₂ W₁ Σ π W_1 ϵ µ"), ["lambda", "lambda2", "W1", "Sigma", "pi", "W_1", "epsilon", "mu"]);
    }

    #[test]
    fn a_dot_before_an_operator_belongs_to_it() {
        let kinds = |text: &str| tokens(text, 0).0.len();
        for text in ["2.*x", "1./x", "x.^2"] {
            assert_eq!(kinds(text), 4, "{text}");
        }
        assert_eq!(kinds(".5 2. 1e-3 1.5E+7"), 5);
    }

    #[test]
    fn strange_characters_are_named_with_their_code() {
        assert_eq!(messages("X ＋ X"), ["unexpected character `＋` (U+FF0B) write `+`"]);
        assert_eq!(messages("X\u{200b}"), ["an invisible character, a zero-width space (U+200B) delete it"]);
        assert_eq!(messages("X\0"), ["an invisible character, NUL (U+0000) delete it"]);
        assert_eq!(messages("2x"), ["a number may not run into a name a product is written `2*x`"]);
        assert_eq!(messages("1e999"), ["1e999 is not a finite number "]);
    }
}

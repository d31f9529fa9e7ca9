//! What a factor begins with: a digit, a bracket, a letter, a command.

use super::{ACCENTS, FONTS, FUNCTIONS, GREEK, Reader, T, Unread, is_function_word, shown, unread};
use crate::diagnostic::Span;
use crate::document::formula::{Formula, Kind};
use crate::document::tokens::Token;
use crate::functions::Function;
use crate::number::Number;

/// How a `d` is set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    /// `d`, which may be a name.
    Slanted,
    /// `\mathrm{d}`, which is none.
    Upright,
}

impl Reader<'_> {
    /// The size of `1_N`, a letter below the number.
    fn size_follows(&self) -> bool {
        let letter = |kind: Option<&T>| matches!(kind, Some(T::Character(c)) if c.is_alphabetic());
        let braced = self.kind_at(1) == Some(&T::Open) && letter(self.kind_at(2));
        self.kind() == Some(&T::Below) && (braced || letter(self.kind_at(1)))
    }

    pub(super) fn base(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        let Some(token) = self.next() else { return self.fail("the formula ends here unexpectedly") };
        match token.kind {
            T::Digits(one) if one == "1" && self.size_follows() => self.ones(start),
            T::Digits(digits) => {
                let value = Number::parse(&digits).ok_or_else(|| unread(token.span, "a number is expected here"))?;
                self.made(Kind::Number(value), start)
            }
            T::Character('(') => self.bracketed(')'),
            T::Character('[') => self.bracketed(']'),
            T::Character('⟨') => self.frobenius(start),
            T::Character('‖') => self.norm(start),
            T::Character('|') => Err(unread(
                token.span,
                "bars may be a determinant or an absolute value: write \\det or \\operatorname{abs}",
            )),
            T::Character('∂') => self.partial(start),
            T::Character('∇') => self.nabla(start),
            T::Character('d') if self.differential_follows(Letter::Slanted)? => self.differential(start),
            T::Character(c) if c.is_alphabetic() => {
                let name = crate::syntax::canonical_name(&c.to_string()).unwrap_or_else(|| c.to_string());
                self.named(name, start)
            }
            T::Open => {
                self.at -= 1;
                self.braced()
            }
            T::Words(words) if is_function_word(&words) => self.function(words.trim(), start),
            T::Words(words) => Err(unread(token.span, format!("words in a formula: `{}`", words.trim()))),
            T::Begin(name) => self.matrix(&name, token.span, start),
            T::Command(name) => self.command(&name, token.span, start),
            kind => Err(unread(token.span, format!("`{}` is not expected here", shown(&kind)))),
        }
    }

    /// Whether a `d` is the sign of a differential: where something follows that has one.
    fn differential_follows(&self, letter: Letter) -> Result<bool, Unread> {
        if self.known.declared.contains("d") {
            return Ok(false);
        }
        let dimension = self.known.dimensions.contains("d") && letter == Letter::Slanted;
        let square = self.square_sign();
        let next = self.kind_at(square);
        let name = match next {
            Some(T::Character(c)) => {
                c.is_alphabetic() && !(dimension && self.known.dimensions.contains(c.to_string().as_str()))
            }
            Some(T::Command(name)) => {
                FONTS.contains(&name.as_str())
                    || GREEK.contains(&name.as_str())
                    || matches!(name.as_str(), "operatorname" | "mathrm" | "hat" | "tilde" | "bar" | "ell")
            }
            _ => false,
        };
        let more = match next {
            Some(T::Character(c)) => *c == '(',
            Some(T::Open) => true,
            Some(T::Command(name)) => {
                FUNCTIONS.contains(&name.as_str()) || matches!(name.as_str(), "|" | "lVert" | "frac")
            }
            Some(T::Words(words)) => is_function_word(words),
            _ => false,
        };
        if dimension && more {
            return self
                .fail("`d` is a dimension here: write `\\mathrm{d}` for a differential, `\\cdot` for a product");
        }
        Ok(name || more)
    }

    /// The length of the `^2` of `d^2 f`.
    fn square_sign(&self) -> usize {
        let two = |ahead: usize| matches!(self.kind_at(ahead), Some(T::Digits(two)) if two == "2");
        if self.kind() != Some(&T::Above) {
            return 0;
        }
        match self.kind_at(1) {
            Some(T::Digits(_)) if two(1) => 2,
            Some(T::Open) if two(2) && self.kind_at(3) == Some(&T::Close) => 4,
            _ => 0,
        }
    }

    /// dX, d²f
    fn differential(&mut self, start: usize) -> Result<Formula, Unread> {
        let square = self.square_sign();
        self.at += square;
        let mut out = self.deeper(Self::factor)?;
        for _ in 0..if square > 0 { 2 } else { 1 } {
            out = self.made(Kind::Differential(Box::new(out)), start)?;
        }
        Ok(out)
    }

    pub(super) fn command(&mut self, name: &str, span: Span, start: usize) -> Result<Formula, Unread> {
        if FONTS.contains(&name) {
            return self.font(name, start);
        }
        if let Some((_, accent)) = ACCENTS.iter().find(|(command, _)| *command == name) {
            let inner = self.braced()?;
            let Some(base) = inner.as_name() else {
                return Err(unread(span, format!("`\\{name}` over more than a name")));
            };
            let name = format!("{base}_{accent}");
            return self.named(name, start);
        }
        if GREEK.contains(&name) {
            let spelled = name.strip_prefix("var").unwrap_or(name);
            return self.named(spelled.to_owned(), start);
        }
        if FUNCTIONS.contains(&name) {
            return self.function(name, start);
        }
        match name {
            "frac" | "dfrac" | "tfrac" | "nicefrac" => self.fraction(start),
            "sqrt" => {
                if self.is_character('[') {
                    return Err(unread(span, "a root of another order is not covered"));
                }
                let inner = self.braced()?;
                self.made(Kind::Call { function: Function::Sqrt, arguments: vec![inner], columns: false }, start)
            }
            "operatorname" | "mathrm" | "mathop" | "textup" | "mathup" => {
                self.eat('*');
                let group = self.group_tokens()?;
                let word: String = group.iter().map(|token| shown(&token.kind)).collect();
                match word.trim() {
                    "d" if self.differential_follows(Letter::Upright)? => self.differential(start),
                    word if is_function_word(word) => self.function(word, start),
                    _ => {
                        let letters: String = word.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
                        if letters.is_empty() || !letters.starts_with(|c: char| c.is_ascii_alphabetic()) {
                            return Err(unread(span, format!("`{word}` is no name")));
                        }
                        self.named(letters, start)
                    }
                }
            }
            "mathbb" | "mathds" | "mathbbm" => {
                let group = self.group_tokens()?;
                match group.as_slice() {
                    [Token { kind: T::Digits(one), .. }] if one == "1" => self.ones(start),
                    _ => Err(unread(span, "`\\mathbb` other than ones is not covered")),
                }
            }
            "partial" => self.partial(start),
            "nabla" => self.nabla(start),
            "|" | "lVert" | "Vert" => self.norm(start),
            "langle" => self.frobenius(start),
            "underbrace" | "overbrace" => {
                let inner = self.braced()?;
                if matches!(self.kind(), Some(T::Below | T::Above)) {
                    self.at += 1;
                    self.group_tokens()?;
                }
                Ok(inner)
            }
            "boxed" | "mathopen" | "mathclose" | "mathbin" | "mathrel" | "mathord" | "cancel" => self.braced(),
            "textcolor" | "colorbox" => {
                self.group_tokens()?;
                self.braced()
            }
            "lbrace" | "{" => self.bracketed_by_command(&["rbrace", "}"]),
            "lbrack" => self.bracketed(']'),
            "ell" => self.named("ell".to_owned(), start),
            "emptyset" | "ldots" | "cdots" | "dots" | "vdots" | "infty" | "pm" | "mp" | "int" | "prod" | "lim" => {
                Err(unread(span, format!("`\\{name}` is not covered")))
            }
            "lvert" | "vert" => {
                Err(unread(span, "bars may be a determinant or an absolute value: write \\det or \\operatorname{abs}"))
            }
            _ => Err(unread(span, format!("the command `\\{name}` is not known"))),
        }
    }

    pub(super) fn bracketed_by_command(&mut self, close: &[&str]) -> Result<Formula, Unread> {
        let inner = self.deeper(Self::sum)?;
        if self.is_command(close) {
            self.at += 1;
            return Ok(inner);
        }
        self.fail("a bracket is not closed")
    }
}

//! A formula in LaTeX as a [`Formula`]: juxtaposition is a product and binds tighter than ⊙, `d` before something is its
//! differential, `W_1` is `W1`, letters below a matrix are indices. What is not known is told, never guessed.

mod commands;
mod forms;
mod names;
mod second;

pub use names::without_fonts;

use std::collections::{HashMap, HashSet};

use super::formula::{Formula, Index, Kind, LARGEST, Size};
use super::tokens::{Kind as T, Token};
use crate::diagnostic::Span;
use crate::functions::Function;

/// Brackets and commands may be nested this deep.
const DEEPEST: usize = 60;

/// Why a formula was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where.
    pub span: Span,
    /// Why.
    pub reason: String,
}

/// What is known of a document's names when its formulas are read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Declared names.
    pub declared: HashSet<String>,
    /// Dimensions.
    pub dimensions: HashSet<String>,
    /// Letters over which some sum of the document runs, and that are no dimensions.
    pub indices: HashSet<char>,
    /// Names that stand before `(…) =`, with what stands in the brackets: `f(X) = …`.
    pub heads: HashMap<String, Vec<T>>,
    /// Names whose members stand below them: `x_i`, a vector for each i.
    pub families: HashSet<String>,
    /// Those of them whose members are matrices.
    pub matrices: HashSet<String>,
}

/// Reads one formula from its tokens.
///
/// # Errors
/// What is not understood.
pub fn formula(tokens: &[Token], known: &Known) -> Result<Formula, Unread> {
    let mut reader = Reader { tokens, at: 0, known, depth: 0, bound: Vec::new(), count: 0 };
    let out = reader.sum()?;
    match reader.peek() {
        None => Ok(out),
        Some(token) => Err(unread(token.span, format!("`{}` is not expected here", shown(&token.kind)))),
    }
}

/// The words of a sign, as a message quotes it.
pub fn shown(kind: &T) -> String {
    match kind {
        T::Character(c) => c.to_string(),
        T::Digits(digits) => digits.clone(),
        T::Command(name) => format!("\\{name}"),
        T::Open => "{".to_owned(),
        T::Close => "}".to_owned(),
        T::Above => "^".to_owned(),
        T::Below => "_".to_owned(),
        T::Column => "&".to_owned(),
        T::Row => "\\\\".to_owned(),
        T::Begin(name) => format!("\\begin{{{name}}}"),
        T::End(name) => format!("\\end{{{name}}}"),
        T::Words(words) => words.clone(),
        T::Parameter(k) => format!("#{k}"),
    }
}

fn unread(span: Span, reason: impl Into<String>) -> Unread {
    Unread { span, reason: reason.into() }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    known: &'a Known,
    depth: usize,
    bound: Vec<String>,
    count: usize,
}

/// A raised part.
enum Above {
    Transpose,
    InverseTranspose,
    Pseudo,
    Layer(String),
    Elements(Formula),
    Power(Formula),
}

const FONTS: &[&str] = &[
    "mathbf",
    "boldsymbol",
    "bm",
    "mathit",
    "mathsf",
    "mathcal",
    "mathscr",
    "mathfrak",
    "bold",
    "pmb",
    "mathtt",
    "vec",
    "mathnormal",
    "symbf",
];
const ACCENTS: &[(&str, &str)] = &[
    ("hat", "hat"),
    ("widehat", "hat"),
    ("tilde", "tilde"),
    ("widetilde", "tilde"),
    ("bar", "bar"),
    ("overline", "bar"),
    ("check", "check"),
    ("breve", "breve"),
    ("dot", "dot"),
];
const FUNCTIONS: &[&str] = &[
    "log", "ln", "exp", "det", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "arcsin", "arccos", "arctan",
    "tr", "Tr", "diag",
];
const GREEK: &[&str] = &[
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "varepsilon",
    "zeta",
    "eta",
    "theta",
    "vartheta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "varrho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "varphi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Pi",
    "Sigma",
    "Upsilon",
    "Phi",
    "Psi",
    "Omega",
];

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn kind(&self) -> Option<&T> {
        self.peek().map(|token| &token.kind)
    }

    fn kind_at(&self, ahead: usize) -> Option<&T> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn place(&self) -> Span {
        let last =
            self.tokens.last().map_or(Span::default(), |token| Span { start: token.span.end, end: token.span.end });
        self.peek().map_or(last, |token| token.span)
    }

    fn span_from(&self, start: usize) -> Span {
        let first = self.tokens.get(start).map_or(Span::default(), |token| token.span);
        let last = self.tokens.get(self.at.saturating_sub(1).max(start)).map_or(first, |token| token.span);
        first.to(last)
    }

    fn is_character(&self, c: char) -> bool {
        self.kind() == Some(&T::Character(c))
    }

    fn is_command(&self, names: &[&str]) -> bool {
        matches!(self.kind(), Some(T::Command(name)) if names.contains(&name.as_str()))
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.is_character(c);
        if found {
            self.at += 1;
        }
        found
    }

    fn fail<R>(&self, reason: impl Into<String>) -> Result<R, Unread> {
        Err(unread(self.place(), reason))
    }

    fn made(&mut self, kind: Kind, start: usize) -> Result<Formula, Unread> {
        self.count += 1;
        if self.count > LARGEST {
            return self.fail(format!("a formula of more than {LARGEST} parts"));
        }
        Ok(Formula::new(kind, self.span_from(start)))
    }

    fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Result<R, Unread>) -> Result<R, Unread> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail(format!("a formula nested deeper than {DEEPEST} levels"));
        }
        let out = read(self);
        self.depth -= 1;
        out
    }

    fn sum(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        let mut terms = Vec::new();
        loop {
            let mut minus = false;
            let mut signs = 0;
            while let Some(T::Character(sign @ ('+' | '-' | '−'))) = self.kind() {
                minus ^= *sign != '+';
                signs += 1;
                self.at += 1;
            }
            if signs == 0 && !terms.is_empty() {
                break;
            }
            terms.push((minus, self.deeper(Self::hadamard)?));
        }
        match terms.as_slice() {
            [] => self.fail("a formula is expected here"),
            [(false, _)] => Ok(terms.remove(0).1),
            _ => self.made(Kind::Sum(terms), start),
        }
    }

    fn hadamard(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        let mut left = self.product()?;
        loop {
            let sign = match self.kind() {
                Some(T::Command(name)) => name.clone(),
                Some(T::Character('⊙' | '∘')) => "odot".to_owned(),
                Some(T::Character('⊗')) => "otimes".to_owned(),
                Some(T::Character('⊘')) => "oslash".to_owned(),
                _ => return Ok(left),
            };
            let kind: fn(Formula, Formula) -> Kind = match sign.as_str() {
                "odot" | "circ" => |left, right| match left.kind {
                    Kind::Hadamard(mut list) => {
                        list.push(right);
                        Kind::Hadamard(list)
                    }
                    kind => Kind::Hadamard(vec![Formula { kind, span: left.span }, right]),
                },
                "oslash" => |left, right| Kind::HadamardQuotient(Box::new(left), Box::new(right)),
                "otimes" => {
                    |left, right| Kind::Call { function: Function::Kron, arguments: vec![left, right], columns: false }
                }
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.product()?;
            left = self.made(kind(left, right), start)?;
        }
    }

    fn product(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        let mut factors: Vec<Formula> = Vec::new();
        loop {
            if self.is_command(&["cdot", "times", "ast"]) || self.is_character('*') || self.is_character('·') {
                if factors.is_empty() {
                    return self.fail("a factor is expected here");
                }
                self.at += 1;
                continue;
            }
            if self.is_character('/') && !factors.is_empty() {
                self.at += 1;
                let below = self.deeper(Self::factor)?;
                let whole = if factors.len() == 1 {
                    factors.remove(0)
                } else {
                    let list = std::mem::take(&mut factors);
                    self.made(Kind::Product(list), start)?
                };
                let quotient = self.made(Kind::Quotient(Box::new(whole), Box::new(below)), start)?;
                factors = vec![quotient];
                continue;
            }
            if self.is_command(&["sum"]) {
                let over = self.deeper(Self::over)?;
                factors.push(over);
                break;
            }
            if !self.begins_a_factor() {
                break;
            }
            let factor = self.deeper(Self::factor)?;
            factors.push(factor);
        }
        match factors.len() {
            0 => self.fail("a factor is expected here"),
            1 => Ok(factors.remove(0)),
            _ => self.made(Kind::Product(factors), start),
        }
    }

    fn begins_a_factor(&self) -> bool {
        match self.kind() {
            None => false,
            Some(T::Character(c)) => c.is_alphabetic() || matches!(c, '(' | '[' | '|' | '‖' | '⟨' | '∂' | '∇' | '𝟏'),
            Some(T::Digits(_) | T::Open | T::Begin(_)) => true,
            Some(T::Words(words)) => is_function_word(words),
            Some(T::Command(name)) => {
                !matches!(
                    name.as_str(),
                    "odot"
                        | "circ"
                        | "oslash"
                        | "otimes"
                        | "cdot"
                        | "times"
                        | "rangle"
                        | "rVert"
                        | "rvert"
                        | "}"
                        | "ast"
                        | "|"
                        | "Vert"
                ) || matches!(name.as_str(), "|" | "Vert") && self.opens_a_norm()
            }
            _ => false,
        }
    }

    /// Whether bars at this place open: they do where nothing of this product is open before them.
    fn opens_a_norm(&self) -> bool {
        let bars = self.tokens[..self.at]
            .iter()
            .filter(|token| matches!(&token.kind, T::Command(name) if matches!(name.as_str(), "|" | "Vert")))
            .count();
        bars % 2 == 0
    }

    /// Σ with its index, over all that follows up to a plus or minus.
    fn over(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        self.at += 1;
        let mut indices: Vec<String> = Vec::new();
        let mut upper: Option<Formula> = None;
        while matches!(self.kind(), Some(T::Below | T::Above)) {
            let below = self.kind() == Some(&T::Below);
            self.at += 1;
            let group = self.group_tokens()?;
            if below {
                indices = self.sum_indices(&group)?;
            } else {
                let mut inner =
                    Reader { tokens: &group, at: 0, known: self.known, depth: self.depth, bound: Vec::new(), count: 0 };
                upper = Some(inner.sum()?);
                if inner.at < group.len() {
                    return self.fail("the upper end of this sum is not understood");
                }
            }
        }
        if indices.is_empty() {
            return self.fail("a sum without an index");
        }
        self.bound.extend(indices.iter().cloned());
        let body = self.deeper(Self::hadamard);
        self.bound.truncate(self.bound.len() - indices.len());
        let mut out = body?;
        let last = indices.len() == 1;
        for index in indices.iter().rev() {
            // Two indices under one sign may run to different ends.
            let upper = upper.clone().filter(|_| last).map_or(Size::Open(None), |upper| Size::Given(Box::new(upper)));
            out = self.made(Kind::Over { index: index.clone(), upper, body: Box::new(out) }, start)?;
        }
        Ok(out)
    }

    /// `i=1`, `i`, `i,j`, `ij`
    fn sum_indices(&self, group: &[Token]) -> Result<Vec<String>, Unread> {
        let mut out = Vec::new();
        let mut list = group.iter().map(|token| &token.kind);
        while let Some(kind) = list.next() {
            match kind {
                T::Character(c) if c.is_ascii_lowercase() => out.push(c.to_string()),
                T::Character(',') => {}
                T::Character('=') => match (list.next(), list.next()) {
                    (Some(T::Digits(one)), None) if one == "1" => break,
                    _ => return self.fail("a sum that does not start at 1"),
                },
                _ => return self.fail("the index of this sum is not understood"),
            }
        }
        Ok(out)
    }

    /// The tokens of `{…}`, or the one that stands alone.
    fn group_tokens(&mut self) -> Result<Vec<Token>, Unread> {
        if self.kind() != Some(&T::Open) {
            return match self.next() {
                // `^\mathsf{T}`: the argument belongs to it.
                Some(token) if matches!(&token.kind, T::Command(name) if takes_argument(name)) => {
                    let mut out = vec![token];
                    if self.kind() == Some(&T::Open) {
                        let inner = self.group_tokens()?;
                        out.extend(inner);
                    } else {
                        out.extend(self.next());
                    }
                    Ok(out)
                }
                Some(token) => Ok(vec![token]),
                None => self.fail("the formula ends here unexpectedly"),
            };
        }
        self.at += 1;
        let mut depth = 1;
        let mut out = Vec::new();
        while let Some(token) = self.next() {
            match token.kind {
                T::Open => depth += 1,
                T::Close => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(out);
            }
            out.push(token);
        }
        self.fail("a brace `{` is not closed")
    }

    fn inner(&self, group: &[Token]) -> Result<Formula, Unread> {
        let mut reader = Reader {
            tokens: group,
            at: 0,
            known: self.known,
            depth: self.depth + 1,
            bound: self.bound.clone(),
            count: self.count,
        };
        if reader.depth > DEEPEST {
            return self.fail(format!("a formula nested deeper than {DEEPEST} levels"));
        }
        let out = reader.sum()?;
        match reader.peek() {
            None => Ok(out),
            Some(token) => Err(unread(token.span, format!("`{}` is not expected here", shown(&token.kind)))),
        }
    }

    fn braced(&mut self) -> Result<Formula, Unread> {
        let group = self.group_tokens()?;
        if group.is_empty() {
            return self.fail("empty braces");
        }
        self.inner(&group)
    }

    /// Inside brackets, up to the closing one.
    fn bracketed(&mut self, close: char) -> Result<Formula, Unread> {
        let inner = self.deeper(Self::sum)?;
        if self.eat(close) {
            return Ok(inner);
        }
        match self.peek() {
            Some(token) => Err(unread(token.span, format!("expected `{close}`, found `{}`", shown(&token.kind)))),
            None => self.fail(format!("a bracket is not closed: expected `{close}`")),
        }
    }

    fn factor(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        let base = self.base()?;
        self.postfixes(base, start)
    }
}

/// The signs of a group without its braces.
fn plain_of(group: &[Token]) -> Vec<T> {
    group.iter().map(|token| token.kind.clone()).filter(|kind| !matches!(kind, T::Open | T::Close)).collect()
}

/// What stands below a name.
enum Subscript {
    /// It is part of the name.
    Name(String),
    /// It is indices.
    Indices(Vec<Index>),
    /// `Z_{2,ij}`
    Both(String, Vec<Index>),
}

/// ∂f/∂xᵀ is written for the Jacobian; of the variable itself nothing is turned.
fn without_outer_transpose(by: Formula) -> Formula {
    match by.kind {
        Kind::Transpose(inner)
            if inner.as_name().is_some() || matches!(inner.kind, Kind::Call { function: Function::Vec, .. }) =>
        {
            *inner
        }
        kind => Formula { kind, span: by.span },
    }
}

fn takes_argument(name: &str) -> bool {
    FONTS.contains(&name) || matches!(name, "mathrm" | "operatorname" | "mathbb" | "text")
}

/// Whether a word is the name of a function: of the dictionary, or an activation's.
fn is_function_word(word: &str) -> bool {
    let word = word.trim();
    let lower = word.to_lowercase();
    matches!(word, "Tr" | "trace" | "ln")
        || Function::lookup(word).is_some()
        || Function::lookup(&lower).is_some() && word.len() > 1
}

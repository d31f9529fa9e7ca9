//! A formula in LaTeX as a [`Formula`]: juxtaposition is a product and binds tighter than ⊙, `d` before something is its
//! differential, `W_1` is `W1`, letters below a matrix are indices. What is not known is told, never guessed.

use std::collections::HashSet;

use super::formula::{Formula, Index, Kind, LARGEST, Size};
use super::language::call;
use super::tokens::{Kind as T, Token};
use crate::diagnostic::Span;
use crate::functions::Function;
use crate::number::Number;

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
    /// Names that stand before `(…) =`: `f(X) = …`.
    pub heads: HashSet<String>,
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

    fn base(&mut self) -> Result<Formula, Unread> {
        let start = self.at;
        let Some(token) = self.next() else { return self.fail("the formula ends here unexpectedly") };
        match token.kind {
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
            T::Character('d') if self.differential_follows() => {
                let inner = self.deeper(Self::factor)?;
                self.made(Kind::Differential(Box::new(inner)), start)
            }
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
            T::Begin(name) => Err(unread(token.span, format!("`\\begin{{{name}}}` inside a formula is not covered"))),
            T::Command(name) => self.command(&name, token.span, start),
            kind => Err(unread(token.span, format!("`{}` is not expected here", shown(&kind)))),
        }
    }

    /// Whether a `d` is the sign of a differential: where something follows that has one.
    fn differential_follows(&self) -> bool {
        if self.known.declared.contains("d") || self.known.dimensions.contains("d") {
            return false;
        }
        match self.kind() {
            Some(T::Character(c)) => c.is_alphabetic() || *c == '(',
            Some(T::Open) => true,
            Some(T::Command(name)) => {
                FONTS.contains(&name.as_str())
                    || GREEK.contains(&name.as_str())
                    || FUNCTIONS.contains(&name.as_str())
                    || matches!(
                        name.as_str(),
                        "operatorname" | "mathrm" | "hat" | "tilde" | "bar" | "|" | "lVert" | "frac" | "ell"
                    )
            }
            Some(T::Words(words)) => is_function_word(words),
            _ => false,
        }
    }

    fn command(&mut self, name: &str, span: Span, start: usize) -> Result<Formula, Unread> {
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
                    "d" if self.differential_follows() => {
                        let inner = self.deeper(Self::factor)?;
                        self.made(Kind::Differential(Box::new(inner)), start)
                    }
                    word if is_function_word(word) => self.function(&word.to_owned(), start),
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

    fn bracketed_by_command(&mut self, close: &[&str]) -> Result<Formula, Unread> {
        let inner = self.deeper(Self::sum)?;
        if self.is_command(close) {
            self.at += 1;
            return Ok(inner);
        }
        self.fail("a bracket is not closed")
    }

    /// `\mathbf{X}`, `\mathbf 1_N`
    fn font(&mut self, font: &str, start: usize) -> Result<Formula, Unread> {
        let group = self.group_tokens()?;
        match group.as_slice() {
            [Token { kind: T::Digits(digits), .. }] if digits == "1" => self.ones(start),
            [Token { kind: T::Digits(digits), .. }] if digits == "0" => {
                let size = self.size_below()?;
                self.made(Kind::Zeros(size.unwrap_or(Size::Open(None)), None), start)
            }
            [Token { kind: T::Character(c), .. }] if c.is_alphabetic() => {
                let name = crate::syntax::canonical_name(&c.to_string()).unwrap_or_else(|| c.to_string());
                self.named(name, start)
            }
            [Token { kind: T::Command(name), .. }] if GREEK.contains(&name.as_str()) => {
                let spelled = name.strip_prefix("var").unwrap_or(name).to_owned();
                self.named(spelled, start)
            }
            [] => self.fail("empty braces"),
            _ => {
                let inner = self.inner(&group)?;
                if matches!(font, "mathcal" | "mathscr" | "mathfrak") && inner.as_name().is_none() {
                    return self.fail(format!("`\\{font}` over more than a name"));
                }
                Ok(inner)
            }
        }
    }

    fn ones(&mut self, start: usize) -> Result<Formula, Unread> {
        if self.kind() != Some(&T::Below) {
            return self.made(Kind::Ones(Size::Open(None), None), start);
        }
        self.at += 1;
        let group = self.group_tokens()?;
        let cross = group.iter().position(|token| {
            matches!(&token.kind, T::Command(name) if name == "times") || matches!(token.kind, T::Character('×' | ','))
        });
        let sizes = match cross {
            Some(at) => (self.inner(&group[..at])?, Some(self.inner(&group[at + 1..])?)),
            None => (self.inner(&group)?, None),
        };
        let size = |formula: Formula| Size::Given(Box::new(formula));
        self.made(Kind::Ones(size(sizes.0), sizes.1.map(size)), start)
    }

    fn size_below(&mut self) -> Result<Option<Size>, Unread> {
        if self.kind() != Some(&T::Below) {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Size::Given(Box::new(self.braced()?))))
    }

    /// A name: with what stands below it, and as a function where one is meant.
    fn named(&mut self, base: String, start: usize) -> Result<Formula, Unread> {
        if base == "I" && !self.known.declared.contains("I") {
            let size = self.size_below()?;
            return self.made(Kind::Identity(size.unwrap_or(Size::Open(None))), start);
        }
        let mut name = base;
        let mut indices: Option<Vec<Index>> = None;
        // W^{(1)}_{ij}
        if let Some(layer) = self.layer() {
            name.push_str(&layer);
        }
        if self.kind() == Some(&T::Below) {
            self.at += 1;
            let group = self.group_tokens()?;
            match self.below(&name, &group)? {
                Subscript::Name(whole) => name = whole,
                Subscript::Indices(list) => indices = Some(list),
                Subscript::Both(whole, list) => {
                    name = whole;
                    indices = Some(list);
                }
            }
            if let Some(layer) = self.layer() {
                name.push_str(&layer);
            }
        }
        if let Some(list) = indices {
            if name == "delta"
                && !self.known.declared.contains("delta")
                && let [i, j] = list.as_slice()
            {
                return self.made(Kind::Delta(i.clone(), j.clone()), start);
            }
            let of = self.made(Kind::Name(name), start)?;
            return self.made(Kind::Entry { of: Box::new(of), indices: list }, start);
        }
        let primes = self.primes();
        if self.is_character('(') && self.is_function(&name) {
            self.at += 1;
            let argument = self.bracketed(')')?;
            return self.made(Kind::Generic { name, order: primes, argument: Box::new(argument) }, start);
        }
        if self.known.heads.contains(&name) && primes == 0 && self.is_character('(') {
            self.skip_arguments();
        }
        let mut out = self.made(Kind::Name(name), start)?;
        for _ in 0..primes {
            out = self.made(Kind::Transpose(Box::new(out)), start)?;
        }
        Ok(out)
    }

    /// Passes over `(X, y)` behind the name of a defined function.
    fn skip_arguments(&mut self) {
        let simple =
            |kind: &T| matches!(kind, T::Character(_) | T::Digits(_) | T::Below | T::Open | T::Close | T::Command(_));
        let mut ahead = 1;
        while let Some(kind) = self.kind_at(ahead) {
            match kind {
                T::Character(')') => {
                    self.at += ahead + 1;
                    return;
                }
                T::Character('(') => return,
                kind if simple(kind) => ahead += 1,
                _ => return,
            }
        }
    }

    fn primes(&mut self) -> u32 {
        let mut count = 0;
        loop {
            match self.kind() {
                Some(T::Character('\'' | '′' | '’')) => {
                    self.at += 1;
                    count += 1;
                }
                Some(T::Above) if matches!(self.kind_at(1), Some(T::Command(name)) if name == "prime") => {
                    self.at += 2;
                    count += 1;
                }
                Some(T::Above)
                    if self.kind_at(1) == Some(&T::Open)
                        && matches!(self.kind_at(2), Some(T::Command(name)) if name == "prime")
                        && self.kind_at(3) == Some(&T::Close) =>
                {
                    self.at += 4;
                    count += 1;
                }
                _ => return count,
            }
        }
    }

    /// Whether a name before a bracket is a function's: lower-case, and nothing that was declared.
    fn is_function(&self, name: &str) -> bool {
        let usual = matches!(name, "sigma" | "phi" | "psi" | "f" | "g" | "h" | "rho" | "varphi");
        usual && !self.known.declared.contains(name) && !self.known.heads.contains(name)
    }

    /// `^{(1)}`, `^{[1]}`: the number of a layer.
    fn layer(&mut self) -> Option<String> {
        let open = matches!(self.kind_at(2), Some(T::Character('(' | '[')));
        let close = matches!(self.kind_at(4), Some(T::Character(')' | ']')));
        if self.kind() == Some(&T::Above)
            && self.kind_at(1) == Some(&T::Open)
            && open
            && close
            && self.kind_at(5) == Some(&T::Close)
            && let Some(T::Digits(digits)) = self.kind_at(3)
        {
            let digits = digits.clone();
            self.at += 6;
            return Some(digits);
        }
        None
    }

    fn below(&self, base: &str, group: &[Token]) -> Result<Subscript, Unread> {
        let place = group.first().map_or(Span::default(), |token| token.span);
        let plain: Vec<&T> =
            group.iter().map(|token| &token.kind).filter(|kind| !matches!(kind, T::Open | T::Close)).collect();
        let comma = plain.iter().any(|kind| matches!(kind, T::Character(',')));
        if let [T::Digits(digits)] = plain.as_slice() {
            let whole = format!("{base}{digits}");
            if self.known.declared.contains(base) && !self.known.declared.contains(&whole) && digits != "0" {
                let k = digits.parse().map_err(|_| unread(place, "this index is too large"))?;
                return Ok(Subscript::Indices(vec![Index::Number(k)]));
            }
            return Ok(Subscript::Name(whole));
        }
        let text: String = plain
            .iter()
            .map(|kind| match kind {
                T::Command(name) if FONTS.contains(&name.as_str()) || name == "mathrm" || name == "operatorname" => {
                    String::new()
                }
                T::Command(name) => name.clone(),
                T::Character(',') => "_".to_owned(),
                kind => shown(kind).trim().to_owned(),
            })
            .filter(|piece| piece != "_" || comma)
            .collect();
        let joined = format!("{base}_{}", text.trim_matches('_'));
        let is_index = |kind: &T| match kind {
            T::Character(c) => {
                matches!(c, ',' | ':' | 'i' | 'j' | 'k' | 'l')
                    || self.bound.iter().any(|bound| *bound == c.to_string())
                    || c.is_ascii_lowercase() && self.known.declared.contains(base) && plain.len() <= 3
            }
            T::Digits(_) => comma,
            _ => false,
        };
        if plain.iter().all(|kind| is_index(kind)) && !self.known.declared.contains(&joined) && !plain.is_empty() {
            let mut list = Vec::new();
            for kind in plain {
                match kind {
                    T::Character(',') => {}
                    T::Character(':') => list.push(Index::All),
                    T::Character(c) => list.push(Index::Name(c.to_string())),
                    T::Digits(digits) => {
                        list.push(Index::Number(digits.parse().map_err(|_| unread(place, "this index is too large"))?));
                    }
                    _ => {}
                }
            }
            if let ([T::Digits(digits), T::Character(','), ..], [_, rest @ ..]) =
                (plain_of(group).as_slice(), list.as_slice())
                && (list.len() == 3 || self.known.declared.contains(&format!("{base}{digits}")))
            {
                return Ok(Subscript::Both(format!("{base}{digits}"), rest.to_vec()));
            }
            return Ok(Subscript::Indices(list));
        }
        let valid = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !text.is_empty();
        match valid {
            true => Ok(Subscript::Name(joined)),
            false => Err(unread(place, format!("what stands below `{base}` is not understood"))),
        }
    }

    fn function(&mut self, word: &str, start: usize) -> Result<Formula, Unread> {
        let name = match word.trim() {
            "Tr" | "trace" => "tr".to_owned(),
            "ln" => "log".to_owned(),
            word if Function::lookup(word).is_some() => word.to_owned(),
            word => word.to_lowercase(),
        };
        let order = self.primes();
        let mut raised = None;
        if self.kind() == Some(&T::Above) && !self.is_character('(') {
            raised = Some(self.raised()?);
        }
        let argument = if self.is_character('(') || self.is_character('[') {
            let close = if self.is_character('(') { ')' } else { ']' };
            self.at += 1;
            let first = self.deeper(Self::sum)?;
            let mut list = vec![first];
            while self.eat(',') {
                let next = self.deeper(Self::sum)?;
                list.push(next);
            }
            if !self.eat(close) {
                return self.fail(format!("a bracket is not closed: expected `{close}`"));
            }
            list
        } else if self.is_command(&["{", "lbrace"]) {
            self.at += 1;
            vec![self.bracketed_by_command(&["}", "rbrace"])?]
        } else {
            // `\log \det X`, `\log P_{ij}`
            vec![self.deeper(Self::factor)?]
        };
        let place = self.span_from(start);
        let kind = match order {
            0 => call(&name, argument, false).map_err(|message| unread(place, message))?,
            order => match argument.into_iter().next() {
                Some(argument) => Kind::Generic { name, order, argument: Box::new(argument) },
                None => return Err(unread(place, "an argument is missing")),
            },
        };
        let out = self.made(kind, start)?;
        match raised {
            Some(above) => self.with_raised(out, above, start),
            None => Ok(out),
        }
    }

    fn norm(&mut self, start: usize) -> Result<Formula, Unread> {
        let inner = self.deeper(Self::sum)?;
        let closes = self.is_command(&["|", "rVert", "Vert"]) || self.is_character('‖');
        if !closes {
            return self.fail("a norm is not closed");
        }
        self.at += 1;
        if self.kind() == Some(&T::Below) {
            self.at += 1;
            let group = self.group_tokens()?;
            match group.iter().map(|token| shown(&token.kind)).collect::<String>().as_str() {
                "F" | "2" | "\\mathrmF" | "\\textF" => {}
                "1" => {
                    return self
                        .made(Kind::Call { function: Function::Norm1, arguments: vec![inner], columns: false }, start);
                }
                other => return self.fail(format!("the norm with `{other}` below it is not covered")),
            }
        }
        // ‖A‖² is the sum of squares, without a root.
        if self.kind() == Some(&T::Above) {
            let before = self.at;
            self.at += 1;
            let group = self.group_tokens()?;
            if matches!(group.as_slice(), [Token { kind: T::Digits(two), .. }] if two == "2") {
                if self.kind() == Some(&T::Below) {
                    self.at += 1;
                    self.group_tokens()?;
                }
                return self
                    .made(Kind::Call { function: Function::NormSq, arguments: vec![inner], columns: false }, start);
            }
            self.at = before;
        }
        self.made(Kind::Call { function: Function::Norm, arguments: vec![inner], columns: false }, start)
    }

    fn frobenius(&mut self, start: usize) -> Result<Formula, Unread> {
        let left = self.deeper(Self::sum)?;
        if !self.eat(',') {
            return self.fail("expected `,` in ⟨A, B⟩");
        }
        let right = self.deeper(Self::sum)?;
        if !(self.is_command(&["rangle"]) || self.is_character('⟩')) {
            return self.fail("⟨A, B⟩ is not closed");
        }
        self.at += 1;
        if self.kind() == Some(&T::Below) {
            self.at += 1;
            self.group_tokens()?;
        }
        self.made(Kind::Call { function: Function::Dot, arguments: vec![left, right], columns: false }, start)
    }

    /// `\frac{\partial L}{\partial X}`, `\frac{dL}{dX}`, a/b.
    fn fraction(&mut self, start: usize) -> Result<Formula, Unread> {
        let above = self.group_tokens()?;
        let below = self.group_tokens()?;
        let partial = |list: &[Token]| matches!(list.first().map(|token| &token.kind), Some(T::Command(name)) if name == "partial");
        let straight = |list: &[Token]| match list.first().map(|token| &token.kind) {
            Some(T::Character('d')) => list.len() > 1,
            Some(T::Command(name)) if name == "mathrm" => {
                matches!(list.get(2).map(|token| &token.kind), Some(T::Character('d'))) && list.len() > 4
                    || matches!(list.get(1).map(|token| &token.kind), Some(T::Character('d'))) && list.len() > 2
            }
            _ => false,
        };
        let curly = partial(&above) && partial(&below);
        if curly || straight(&above) && straight(&below) {
            let skip = |list: &[Token]| match list.first().map(|token| &token.kind) {
                Some(T::Command(name)) if name == "mathrm" => {
                    if matches!(list.get(1).map(|token| &token.kind), Some(T::Open)) { 4 } else { 2 }
                }
                _ => 1,
            };
            let (top, bottom) = (&above[skip(&above)..], &below[skip(&below)..]);
            let second =
                |list: &[Token]| list.iter().any(|token| matches!(&token.kind, T::Command(name) if name == "partial"));
            if matches!(top.first().map(|token| &token.kind), Some(T::Above)) || second(bottom) {
                return Err(unread(self.span_from(start), "second derivatives are not covered by verify"));
            }
            let by = self.inner(bottom)?;
            let by = without_outer_transpose(by);
            let of = match top.is_empty() {
                false => self.inner(top)?,
                true => self.deeper(Self::factor)?,
            };
            return self.made(Kind::Derivative { of: Box::new(of), by: Box::new(by) }, start);
        }
        if above.is_empty() || below.is_empty() {
            return self.fail("an empty fraction");
        }
        let (above, below) = (self.inner(&above)?, self.inner(&below)?);
        self.made(Kind::Quotient(Box::new(above), Box::new(below)), start)
    }

    /// `\partial L / \partial X`
    fn partial(&mut self, start: usize) -> Result<Formula, Unread> {
        let of = self.deeper(Self::factor)?;
        let below = self.eat('/');
        let sign = self.is_command(&["partial"]) || self.is_character('∂');
        if !below || !sign {
            return Err(unread(self.span_from(start), "∂ alone is not covered: write ∂F/∂X, or d for a differential"));
        }
        self.at += 1;
        let by = self.deeper(Self::factor)?;
        self.made(Kind::Derivative { of: Box::new(of), by: Box::new(by) }, start)
    }

    fn nabla(&mut self, start: usize) -> Result<Formula, Unread> {
        if self.kind() == Some(&T::Above) {
            return Err(unread(self.span_from(start), "second derivatives are not covered by verify"));
        }
        if self.kind() != Some(&T::Below) {
            return Err(unread(self.span_from(start), "∇ needs the variable below it: ∇_X"));
        }
        self.at += 1;
        let group = self.group_tokens()?;
        let by = self.inner(&group)?;
        let of = self.deeper(Self::factor)?;
        self.made(Kind::Derivative { of: Box::new(of), by: Box::new(by) }, start)
    }

    fn postfixes(&mut self, mut base: Formula, start: usize) -> Result<Formula, Unread> {
        loop {
            match self.kind() {
                Some(T::Above) => {
                    let above = self.raised()?;
                    base = self.with_raised(base, above, start)?;
                }
                Some(T::Character('\'' | '′' | '’')) => {
                    self.at += 1;
                    base = self.made(Kind::Transpose(Box::new(base)), start)?;
                }
                Some(T::Character('!')) => return self.fail("a factorial is not covered"),
                Some(T::Below) => {
                    self.at += 1;
                    let group = self.group_tokens()?;
                    match self.below("x", &group)? {
                        Subscript::Indices(indices) => {
                            base = self.made(Kind::Entry { of: Box::new(base), indices }, start)?;
                        }
                        Subscript::Name(_) | Subscript::Both(..) => {
                            return self.fail("what stands below is not understood");
                        }
                    }
                }
                // An entry in brackets: P[i, :]
                Some(T::Character('[')) if matches!(base.kind, Kind::Name(_)) && self.indices_follow() => {
                    self.at += 1;
                    let mut indices = Vec::new();
                    while let Some(token) = self.next() {
                        match token.kind {
                            T::Character(']') => break,
                            T::Character(',') => {}
                            T::Character(':') => indices.push(Index::All),
                            T::Character(c) => indices.push(Index::Name(c.to_string())),
                            T::Digits(digits) => indices.push(Index::Number(
                                digits.parse().map_err(|_| unread(token.span, "this index is too large"))?,
                            )),
                            _ => return Err(unread(token.span, "this index is not understood")),
                        }
                    }
                    base = self.made(Kind::Entry { of: Box::new(base), indices }, start)?;
                }
                _ => return Ok(base),
            }
        }
    }

    fn indices_follow(&self) -> bool {
        let mut ahead = 1;
        while let Some(kind) = self.kind_at(ahead) {
            match kind {
                T::Character(']') => return ahead > 1,
                T::Character(c) if c.is_ascii_lowercase() || matches!(c, ',' | ':') => ahead += 1,
                T::Digits(_) => ahead += 1,
                _ => return false,
            }
        }
        false
    }

    fn raised(&mut self) -> Result<Above, Unread> {
        self.at += 1;
        let group = self.group_tokens()?;
        let plain: Vec<&T> =
            group.iter().map(|token| &token.kind).filter(|kind| !matches!(kind, T::Open | T::Close)).collect();
        let is_turn = |kind: &T| match kind {
            T::Character('T' | '⊤' | 'ᵀ' | 't') => true,
            T::Command(name) => matches!(name.as_str(), "top" | "intercal" | "T"),
            T::Words(words) => words.trim() == "T",
            _ => false,
        };
        let is_font = |kind: &T| matches!(kind, T::Command(name) if FONTS.contains(&name.as_str()) || name == "mathrm");
        let signs: Vec<&T> = plain.iter().copied().filter(|kind| !is_font(kind)).collect();
        match signs.as_slice() {
            [one] if is_turn(one) => return Ok(Above::Transpose),
            [T::Character('-' | '−'), one] if is_turn(one) => return Ok(Above::InverseTranspose),
            [T::Command(name)] if name == "dagger" => return Ok(Above::Pseudo),
            [T::Command(name)] if name == "prime" => return Ok(Above::Transpose),
            [T::Character('+')] => return Ok(Above::Pseudo),
            [T::Character('(' | '['), T::Digits(digits), T::Character(')' | ']')] => {
                return Ok(Above::Layer(digits.clone()));
            }
            [T::Command(name), ..] if matches!(name.as_str(), "circ" | "odot") && signs.len() > 1 => {
                return Ok(Above::Elements(self.inner(&group[1..])?));
            }
            [T::Character('*')] | [] => return self.fail("this exponent is not covered"),
            _ => {}
        }
        Ok(Above::Power(self.inner(&group)?))
    }

    fn with_raised(&mut self, base: Formula, above: Above, start: usize) -> Result<Formula, Unread> {
        let kind = match above {
            Above::Transpose => Kind::Transpose(Box::new(base)),
            Above::InverseTranspose => {
                let inverse =
                    self.made(Kind::Call { function: Function::Inv, arguments: vec![base], columns: false }, start)?;
                Kind::Transpose(Box::new(inverse))
            }
            Above::Pseudo => Kind::Call { function: Function::Pinv, arguments: vec![base], columns: false },
            Above::Layer(digits) => match base.as_name() {
                Some(name) => Kind::Name(format!("{name}{digits}")),
                None => return self.fail("the number of a layer over more than a name"),
            },
            Above::Elements(exponent) => Kind::HadamardPower(Box::new(base), Box::new(exponent)),
            Above::Power(exponent) => Kind::Power(Box::new(base), Box::new(exponent)),
        };
        self.made(kind, start)
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
        Kind::Transpose(inner) if inner.as_name().is_some() => *inner,
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

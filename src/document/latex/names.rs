//! Names with what stands below and above them: `W_1`, `P_{ij}`, `\mathbf 1_N`, `\sigma'(Z)`.

use super::{FONTS, GREEK, Reader, Subscript, T, Unread, plain_of, shown, unread};
use crate::diagnostic::Span;
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::document::tokens::Token;

/// The signs of a list without braces and fonts.
pub fn without_fonts(list: &[T]) -> Vec<T> {
    let is_look = |kind: &T| match kind {
        T::Open | T::Close => true,
        T::Command(name) => FONTS.contains(&name.as_str()) && name != "vec",
        _ => false,
    };
    list.iter().filter(|kind| !is_look(kind)).cloned().collect()
}

impl Reader<'_> {
    /// `\mathbf{X}`, `\mathbf 1_N`
    pub(super) fn font(&mut self, font: &str, start: usize) -> Result<Formula, Unread> {
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

    pub(super) fn ones(&mut self, start: usize) -> Result<Formula, Unread> {
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

    pub(super) fn size_below(&mut self) -> Result<Option<Size>, Unread> {
        if self.kind() != Some(&T::Below) {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Size::Given(Box::new(self.braced()?))))
    }

    /// A name: with what stands below it, and as a function where one is meant.
    pub(super) fn named(&mut self, base: String, start: usize) -> Result<Formula, Unread> {
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
        // x^{(i)}, a member of a family as x_i.
        let member = self.member_above();
        if let Some(index) = &member
            && !self.known.families.contains(&name)
        {
            let whole = format!("{name}_{index}");
            if !self.known.declared.contains(&whole) {
                return self.fail(format!(
                    "`{name}^{{({index})}}` is no power; declare `{whole} : vector(n)`, or what it is, and write sums over {index}"
                ));
            }
            name = whole;
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
        if let Some(index) = member
            && self.known.families.contains(&name)
        {
            indices.get_or_insert_default().insert(0, Index::Name(index));
        }
        if let Some(list) = indices {
            if name == "delta"
                && !self.known.declared.contains("delta")
                && let [i, j] = list.as_slice()
            {
                return self.made(Kind::Delta(i.clone(), j.clone()), start);
            }
            let rows = self.known.families.contains(&name) && !self.known.matrices.contains(&name);
            let family = rows && list.len() == 1;
            let of = self.made(Kind::Name(name), start)?;
            if family {
                // The members are the rows of a matrix, each as a column.
                let indices = list.into_iter().chain([Index::All]).collect();
                let row = self.made(Kind::Entry { of: Box::new(of), indices }, start)?;
                return self.made(Kind::Transpose(Box::new(row)), start);
            }
            return self.made(Kind::Entry { of: Box::new(of), indices: list }, start);
        }
        let primes = self.primes();
        if self.is_character('(') && self.is_function(&name) {
            self.at += 1;
            let argument = self.bracketed(')')?;
            return self.made(Kind::Generic { name, order: primes, argument: Box::new(argument) }, start);
        }
        if self.is_character('(')
            && let Some(defined) = self.known.heads.get(&name)
        {
            match self.arguments() {
                Some((length, arguments)) if primes == 0 && arguments == *defined => self.at += length,
                _ => {
                    let what = if primes > 0 { "the derivative of" } else { "another argument of" };
                    return self.fail(format!("{what} `{name}` is not covered: it is read as what it is defined as"));
                }
            }
        }
        let mut out = self.made(Kind::Name(name), start)?;
        for _ in 0..primes {
            out = self.made(Kind::Transpose(Box::new(out)), start)?;
        }
        Ok(out)
    }

    /// The signs of `(X, y)` behind the name of a defined function, and how many they are with brackets and fonts.
    fn arguments(&self) -> Option<(usize, Vec<T>)> {
        let inside: Vec<T> = self.tokens[self.at + 1..]
            .iter()
            .map(|token| token.kind.clone())
            .take_while(|kind| *kind != T::Character(')'))
            .collect();
        let closed = self.at + 1 + inside.len() < self.tokens.len();
        closed.then(|| (inside.len() + 2, without_fonts(&inside)))
    }

    pub(super) fn primes(&mut self) -> u32 {
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
    pub(super) fn is_function(&self, name: &str) -> bool {
        let usual = matches!(name, "sigma" | "phi" | "psi" | "f" | "g" | "h" | "rho" | "varphi");
        usual && !self.known.declared.contains(name) && !self.known.heads.contains_key(name)
    }

    /// `^{(1)}`, `^{[1]}`: the number of a layer.
    pub(super) fn layer(&mut self) -> Option<String> {
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

    /// `^{(i)}`: the letter.
    fn member_above(&mut self) -> Option<String> {
        let ahead: Vec<Option<&T>> = (0..6).map(|k| self.kind_at(k)).collect();
        let [
            Some(T::Above),
            Some(T::Open),
            Some(T::Character('(')),
            Some(T::Character(c)),
            Some(T::Character(')')),
            Some(T::Close),
        ] = ahead.as_slice()
        else {
            return None;
        };
        let letter = c.is_ascii_lowercase().then(|| c.to_string())?;
        self.at += 6;
        Some(letter)
    }

    pub(super) fn below(&self, base: &str, group: &[Token]) -> Result<Subscript, Unread> {
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
        // A_{1j} of a known matrix
        let digit_and_letter = self.known.declared.contains(base)
            && match plain.as_slice() {
                [T::Digits(digit), T::Character(c)] | [T::Character(c), T::Digits(digit)] => {
                    digit.len() == 1 && digit != "0" && c.is_ascii_lowercase()
                }
                _ => false,
            };
        let is_index = |kind: &T| match kind {
            T::Character(c) => {
                matches!(c, ',' | ':' | 'i' | 'j' | 'k' | 'l')
                    || self.bound.iter().any(|bound| *bound == c.to_string())
                    || self.known.indices.contains(c)
                    || c.is_ascii_lowercase() && self.known.declared.contains(base) && plain.len() <= 3
            }
            T::Digits(_) => comma || digit_and_letter,
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
            false if text.contains(['+', '-', '−']) => Err(unread(
                place,
                format!("`{base}_{{{text}}}`: layers and steps are read with numbers, {base}_1, {base}_2"),
            )),
            false => Err(unread(place, format!("what stands below `{base}` is not understood"))),
        }
    }
}

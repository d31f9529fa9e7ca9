//! What has a form of its own: functions, norms, fractions, derivatives, raised parts.

use super::second::behind_square;
use super::{Above, FONTS, Reader, Subscript, T, Unread, shown, unread, without_outer_transpose};
use crate::document::formula::{Formula, Index, Kind};
use crate::document::language::call;
use crate::document::tokens::Token;
use crate::functions::Function;

impl Reader<'_> {
    pub(super) fn function(&mut self, word: &str, start: usize) -> Result<Formula, Unread> {
        let name = match word.trim() {
            "Tr" | "trace" => "tr".to_owned(),
            "ln" => "log".to_owned(),
            word if Function::lookup(word).is_some() => word.to_owned(),
            word => word.to_lowercase(),
        };
        let order = self.primes();
        let mut raised = None;
        if self.kind() == Some(&T::Above) && !self.is_character('(') {
            raised = Some(self.raised(None)?);
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
        } else if self.is_command(&["sum"]) {
            vec![self.deeper(Self::over)?]
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

    pub(super) fn norm(&mut self, start: usize) -> Result<Formula, Unread> {
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

    pub(super) fn frobenius(&mut self, start: usize) -> Result<Formula, Unread> {
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
    pub(super) fn fraction(&mut self, start: usize) -> Result<Formula, Unread> {
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
        // d/dx before what it is taken of.
        let alone = matches!(above.as_slice(), [Token { kind: T::Character('d'), .. }]);
        if curly || (alone || straight(&above)) && straight(&below) {
            let skip = |list: &[Token]| match list.first().map(|token| &token.kind) {
                Some(T::Command(name)) if name == "mathrm" => {
                    if matches!(list.get(1).map(|token| &token.kind), Some(T::Open)) { 4 } else { 2 }
                }
                _ => 1,
            };
            let (top, bottom) = (&above[skip(&above)..], &below[skip(&below)..]);
            if let Some(variables) = self.twice(top, bottom)? {
                let of = match top.len() {
                    0..=2 if top.first().is_none_or(|token| token.kind == T::Above) => self.deeper(Self::factor)?,
                    _ => self.inner(behind_square(top))?,
                };
                return self.second(of, variables, start);
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
    pub(super) fn partial(&mut self, start: usize) -> Result<Formula, Unread> {
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

    pub(super) fn postfixes(&mut self, mut base: Formula, start: usize) -> Result<Formula, Unread> {
        loop {
            match self.kind() {
                Some(T::Above) => {
                    let above = self.raised(Some(&base))?;
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

    pub(super) fn indices_follow(&self) -> bool {
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

    /// Whether a small t above something is the sign of a transpose, and no name.
    fn small_t_turns(&self, base: Option<&Formula>) -> bool {
        let name = T::Character('t');
        let known = self.known.declared.contains("t")
            || self.known.dimensions.contains("t")
            || self.bound.iter().any(|index| index == "t")
            || self.known.heads.values().any(|arguments| arguments.contains(&name));
        let turns = |base: &Formula| match &base.kind {
            Kind::Name(name) => name != "e" && !crate::syntax::is_lower_greek(name),
            Kind::Number(_) => false,
            _ => true,
        };
        !known && base.is_some_and(turns)
    }

    pub(super) fn raised(&mut self, base: Option<&Formula>) -> Result<Above, Unread> {
        self.at += 1;
        let small = self.small_t_turns(base);
        let group = self.group_tokens()?;
        let plain: Vec<&T> =
            group.iter().map(|token| &token.kind).filter(|kind| !matches!(kind, T::Open | T::Close)).collect();
        let is_turn = |kind: &T| match kind {
            T::Character('T' | '⊤' | 'ᵀ') => true,
            T::Character('t') => small,
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

    pub(super) fn with_raised(&mut self, base: Formula, above: Above, start: usize) -> Result<Formula, Unread> {
        let kind = match above {
            // The transpose of a member, which is a row as a column.
            Above::Transpose if matches!(&base.kind, Kind::Transpose(a) if matches!(a.kind, Kind::Entry { .. })) => {
                base.transposed().kind
            }
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

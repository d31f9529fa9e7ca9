//! Second derivatives and gradients without a variable, `\nabla^2 f`, `\frac{\partial^2 f}{\partial x \partial x^\top}`; and
//! matrices written out, `\begin{pmatrix} A & B \\ C & D \end{pmatrix}`.

use super::{Reader, T, Unread, shown, unread, without_outer_transpose};
use crate::diagnostic::Span;
use crate::document::formula::{Formula, Kind, Size};
use crate::document::tokens::Token;
use crate::functions::Function;

/// The variables of a second derivative: the rows, then the columns.
pub(super) struct Twice {
    rows: Formula,
    columns: Formula,
}

/// A list without the exponent at its start.
pub(super) fn behind_square(list: &[Token]) -> &[Token] {
    match list {
        [Token { kind: T::Above, .. }, Token { kind: T::Open, .. }, _, Token { kind: T::Close, .. }, rest @ ..]
        | [Token { kind: T::Above, .. }, Token { kind: T::Digits(_), .. }, rest @ ..] => rest,
        _ => list,
    }
}

fn is_sign(kind: &T) -> bool {
    matches!(kind, T::Character('∂' | 'd')) || matches!(kind, T::Command(name) if name == "partial")
}

impl Reader<'_> {
    /// The variables of `\frac{\partial^2 f}{\partial x \partial y}`; `top` and `bottom` are what stands behind the first
    /// signs. `None` where it is a first derivative.
    pub(super) fn twice(&self, top: &[Token], bottom: &[Token]) -> Result<Option<Twice>, Unread> {
        let squared = behind_square(top).len() < top.len();
        let span = bottom.first().map_or(Span::default(), |token| token.span);
        let refuse = |why: &str| Err(unread(span, why));
        let mut depth = 0_i64;
        let next = bottom.iter().position(|token| {
            match token.kind {
                T::Open => depth += 1,
                T::Close => depth -= 1,
                _ => {}
            }
            depth == 0 && matches!(&token.kind, T::Command(name) if name == "partial")
                || token.kind == T::Character('∂')
        });
        if !squared && next.is_none() {
            return Ok(None);
        }
        let order_two = matches!(top.iter().find(|token| !matches!(token.kind, T::Above | T::Open)).map(|t| &t.kind), Some(T::Digits(two)) if two == "2");
        if !squared || !order_two {
            return refuse("of derivatives of higher order only the second is covered");
        }
        let Some(next) = next else {
            // ∂x², which is written `\partial x^2`.
            let length = match bottom {
                [.., Token { kind: T::Above, .. }, Token { kind: T::Digits(two), .. }] if two == "2" => 2,
                [
                    ..,
                    Token { kind: T::Above, .. },
                    Token { kind: T::Open, .. },
                    Token { kind: T::Digits(two), .. },
                    Token { kind: T::Close, .. },
                ] if two == "2" => 4,
                _ => return refuse("what this second derivative is taken by is not understood"),
            };
            let by = self.inner(&bottom[..bottom.len() - length])?;
            return Ok(Some(Twice { rows: by.clone(), columns: by }));
        };
        let behind = &bottom[next + 1..];
        if behind.iter().any(|token| is_sign(&token.kind)) {
            return refuse("of derivatives of higher order only the second is covered");
        }
        let (first, second) = (self.inner(&bottom[..next])?, self.inner(behind)?);
        let turned = |by: &Formula| matches!(by.kind, Kind::Transpose(_));
        let (first_turned, second_turned) = (turned(&first), turned(&second));
        let (first, second) = (without_outer_transpose(first), without_outer_transpose(second));
        let alike = first.without_places() == second.without_places();
        let entries = |by: &Formula| matches!(by.kind, Kind::Entry { .. });
        match (first_turned, second_turned) {
            (true, false) => Ok(Some(Twice { rows: second, columns: first })),
            (false, true) => Ok(Some(Twice { rows: first, columns: second })),
            _ if alike || entries(&first) && entries(&second) => Ok(Some(Twice { rows: first, columns: second })),
            _ => refuse("which variable has the rows? write \\partial x \\, \\partial y^\\top"),
        }
    }

    /// The second derivative as a derivative of a gradient.
    pub(super) fn second(&mut self, of: Formula, by: Twice, start: usize) -> Result<Formula, Unread> {
        // The second derivative by X is the one by vec(X).
        let plain = |by: Formula| match by.kind {
            Kind::Call { function: Function::Vec, ref arguments, .. } if arguments[0].as_name().is_some() => {
                arguments[0].clone()
            }
            _ => by,
        };
        let by = Twice { rows: plain(by.rows), columns: plain(by.columns) };
        let gradient = self.made(Kind::Derivative { of: Box::new(of), by: Box::new(by.rows) }, start)?;
        self.made(Kind::Derivative { of: Box::new(gradient), by: Box::new(by.columns) }, start)
    }

    /// `\nabla_X f`, `\nabla f(x)`, `\nabla^2 f(x)`, `\nabla_x^2 f`
    pub(super) fn nabla(&mut self, start: usize) -> Result<Formula, Unread> {
        let mut below: Option<Vec<Token>> = None;
        let mut twice = false;
        loop {
            match self.kind() {
                Some(T::Below) if below.is_none() => {
                    self.at += 1;
                    below = Some(self.group_tokens()?);
                }
                Some(T::Above) if !twice => {
                    self.at += 1;
                    let group = self.group_tokens()?;
                    match group.as_slice() {
                        [Token { kind: T::Digits(two), .. }] if two == "2" => twice = true,
                        _ => return Err(unread(self.span_from(start), "∇ with this exponent is not covered")),
                    }
                }
                _ => break,
            }
        }
        let of_at = self.at;
        let of = self.deeper(Self::factor)?;
        let mut by = match below {
            Some(group) => self.inner(&group)?,
            // ∇f of an f that is defined as f(x) is taken by x.
            None => match of.as_name().and_then(|name| self.known.heads.get(name)) {
                Some(arguments) if !arguments.is_empty() && !arguments.contains(&T::Character(',')) => {
                    let span = self.tokens.get(of_at).map_or(Span::default(), |token| token.span);
                    let list: Vec<Token> = arguments.iter().map(|kind| Token { kind: kind.clone(), span }).collect();
                    self.inner(&list)?
                }
                _ => return Err(unread(self.span_from(start), "∇ needs the variable below it: ∇_X")),
            },
        };
        if !twice {
            return self.made(Kind::Derivative { of: Box::new(of), by: Box::new(by) }, start);
        }
        // ∇²_{xx}
        if let Kind::Product(list) = &by.kind
            && let [a, b] = list.as_slice()
            && a.as_name().is_some()
            && a.as_name() == b.as_name()
        {
            by = a.clone();
        }
        if by.as_name().is_none() {
            return Err(unread(self.span_from(start), "∇² needs one variable below it: ∇²_x"));
        }
        self.second(of, Twice { rows: by.clone(), columns: by }, start)
    }

    /// A matrix written out in the environment `name`, which has just begun.
    pub(super) fn matrix(&mut self, name: &str, span: Span, start: usize) -> Result<Formula, Unread> {
        let kind = name.trim_end_matches('*');
        if !matches!(kind, "matrix" | "pmatrix" | "bmatrix" | "Bmatrix" | "vmatrix" | "smallmatrix" | "array") {
            return Err(unread(span, format!("`\\begin{{{name}}}` inside a formula is not covered")));
        }
        if kind == "array" {
            self.group_tokens()?;
        }
        let mut rows: Vec<Vec<Vec<Token>>> = vec![vec![Vec::new()]];
        let mut depth = 0_i64;
        loop {
            let Some(token) = self.next() else { return self.fail(format!("`\\begin{{{name}}}` does not end")) };
            match &token.kind {
                T::End(_) if depth == 0 => break,
                T::Open | T::Begin(_) => depth += 1,
                T::Close | T::End(_) => depth -= 1,
                T::Row if depth == 0 => {
                    rows.push(vec![Vec::new()]);
                    continue;
                }
                T::Column if depth == 0 => {
                    rows.last_mut().into_iter().for_each(|row| row.push(Vec::new()));
                    continue;
                }
                _ => {}
            }
            if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                cell.push(token);
            }
        }
        // A sign for a new row may stand behind the last.
        if rows.len() > 1 && rows.last().is_some_and(|row| row.iter().all(Vec::is_empty)) {
            rows.pop();
        }
        let mut read = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut line = Vec::with_capacity(row.len());
            for cell in row {
                let first = cell.first().map_or(span, |token| token.span);
                if let Some(dots) =
                    cell.iter().find(|token| matches!(&token.kind, T::Command(name) if name.ends_with("dots")))
                {
                    return Err(unread(dots.span, format!("a matrix with `{}` is not covered", shown(&dots.kind))));
                }
                if cell.is_empty() {
                    return Err(unread(first, "an empty place in a matrix"));
                }
                let mut part = self.inner(cell)?;
                // 0 in a matrix of blocks is a block of zeros.
                if matches!(&part.kind, Kind::Number(value) if value.is_zero()) {
                    part.kind = Kind::Zeros(Size::Open(None), Some(Size::Open(None)));
                }
                line.push(part);
            }
            read.push(line);
        }
        let width = read.first().map_or(0, Vec::len);
        if read.iter().any(|row| row.len() != width) {
            return Err(unread(span, "the rows of this matrix are not of one length"));
        }
        let blocks = self.made(Kind::Blocks(read), start)?;
        match kind {
            "vmatrix" => {
                self.made(Kind::Call { function: Function::Det, arguments: vec![blocks], columns: false }, start)
            }
            _ => Ok(blocks),
        }
    }
}

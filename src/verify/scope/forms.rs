//! The shapes of calls, entries, derivatives and blocks, and dimensions as formulas.

use super::{Family, Form, Misfit, Ranges, SCALAR, Scope};
use crate::diagnostic::Span;
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::functions::{Function, Signature};
use crate::verify::sizes::{ONE, Symbol};

impl Scope {
    pub(super) fn form_of_derivative(&mut self, of: Form, by: Form, span: Span) -> Result<Form, Misfit> {
        if self.is_scalar(of) {
            return Ok(by);
        }
        if self.is_scalar(by) {
            return Ok(of);
        }
        let vector = |scope: &Scope, form: Form| scope.sizes.is_one(form.rows) || scope.sizes.is_one(form.columns);
        if vector(self, of) && vector(self, by) {
            let length =
                |scope: &Scope, form: Form| if scope.sizes.is_one(form.rows) { form.columns } else { form.rows };
            return Ok(Form { rows: length(self, of), columns: length(self, by) });
        }
        let message = format!("the derivative of {} by {} is no matrix", self.text(of), self.text(by));
        Err(Misfit::not_covered(span, message))
    }

    /// `X_i`, a member of a family of matrices, or `X_{ijk}`, an entry of it.
    pub(super) fn form_of_member(
        &mut self,
        family: Family,
        indices: &[Index],
        ranges: &mut Ranges,
        span: Span,
    ) -> Result<Form, Misfit> {
        let sizes = [family.members, family.member.rows, family.member.columns];
        if !matches!(indices.len(), 1 | 3) || indices.contains(&Index::All) {
            let message = "an entry of a member of a family of matrices: write (X_i)_{jk}";
            return Err(Misfit::not_covered(span, message));
        }
        for (index, size) in indices.iter().zip(sizes) {
            let Index::Name(name) = index else { continue };
            let range = self.range(name, ranges);
            if !self.sizes.unify(range, size) {
                let (range, size) = (self.sizes.text(range), self.sizes.text(size));
                return Err(Misfit::wrong(span, format!("the index {name} runs to {range}, but here to {size}")));
            }
        }
        Ok(if indices.len() == 1 { family.member } else { SCALAR })
    }

    pub(super) fn form_of_entry(
        &mut self,
        of: Form,
        indices: &[Index],
        ranges: &mut Ranges,
        span: Span,
    ) -> Result<Form, Misfit> {
        let dimensions = match indices.len() {
            2 => vec![of.rows, of.columns],
            1 if self.sizes.is_one(of.columns) => vec![of.rows],
            1 if self.sizes.is_one(of.rows) => vec![of.columns],
            1 => {
                let message = format!("one index of a matrix that is {}: a row or a column?", self.text(of));
                return Err(Misfit::not_covered(span, message));
            }
            count => return Err(Misfit::not_covered(span, format!("{count} indices of a matrix"))),
        };
        let mut all = Vec::new();
        for (index, &dimension) in indices.iter().zip(&dimensions) {
            match index {
                Index::Name(name) => {
                    let range = self.range(name, ranges);
                    if !self.sizes.unify(range, dimension) {
                        let message = format!(
                            "the index {name} runs to {}, but this has {} entries along it",
                            self.sizes.text(range),
                            self.sizes.text(dimension)
                        );
                        return Err(Misfit::wrong(span, message));
                    }
                    all.push(ONE);
                }
                Index::Number(_) => all.push(ONE),
                Index::All => all.push(dimension),
            }
        }
        match all.as_slice() {
            [rows, columns] => Ok(Form { rows: *rows, columns: *columns }),
            [ONE] => Ok(SCALAR),
            _ => Ok(of),
        }
    }

    /// The dimension that a formula of names and integers stands for.
    ///
    /// # Errors
    /// What is no dimension.
    pub fn size_of(&mut self, formula: &Formula) -> Result<u32, Misfit> {
        let fail = || Misfit::wrong(formula.span, "this is no dimension".to_owned());
        match &formula.kind {
            Kind::Name(name) if self.form_of(name).is_none() => Ok(self.sizes.named(name)),
            Kind::Number(value) => match value.as_integer().and_then(|k| u64::try_from(k).ok()) {
                Some(k) if k > 0 => Ok(self.sizes.symbol(Symbol::Number(k))),
                _ => Err(fail()),
            },
            Kind::Sum(terms) if terms.iter().all(|(minus, _)| !minus) => {
                let mut whole = None;
                for (_, term) in terms {
                    let id = self.size_of(term)?;
                    whole = Some(whole.map_or(id, |sum| self.sizes.symbol(Symbol::Sum(sum, id))));
                }
                whole.ok_or_else(fail)
            }
            Kind::Product(list) => {
                let mut whole = None;
                for factor in list {
                    let id = self.size_of(factor)?;
                    whole = Some(whole.map_or(id, |product| self.sizes.symbol(Symbol::Product(product, id))));
                }
                whole.ok_or_else(fail)
            }
            Kind::Quotient(a, b) => match (&a.kind, &b.kind) {
                (Kind::Product(list), Kind::Number(two)) if two.as_integer() == Some(2) && list.len() == 2 => {
                    let side = self.size_of(&list[0])?;
                    Ok(self.sizes.symbol(Symbol::Triangle(side)))
                }
                _ => Err(fail()),
            },
            _ => Err(fail()),
        }
    }

    pub(super) fn form_of_blocks(&mut self, rows: &mut [Vec<Formula>], ranges: &mut Ranges) -> Result<Form, Misfit> {
        let mut forms: Vec<Vec<(Form, Span)>> = Vec::with_capacity(rows.len());
        for row in rows.iter_mut() {
            let mut line = Vec::with_capacity(row.len());
            for item in row {
                line.push((self.form(item, ranges)?, item.span));
            }
            forms.push(line);
        }
        // A block whose size nothing tells is as wide as the block above or below it.
        for (i, row) in rows.iter().enumerate() {
            for (j, item) in row.iter().enumerate() {
                let open = matches!(&item.kind, Kind::Zeros(_, Some(Size::Open(_))) | Kind::Identity(Size::Open(_)));
                let beside = forms.iter().enumerate().find(|(k, line)| *k != i && line.len() == row.len());
                if let (true, Some((_, line))) = (open, beside) {
                    let (here, there) = (forms[i][j].0, line[j].0);
                    self.sizes.unify(here.columns, there.columns);
                }
            }
        }
        let mut whole: Option<Form> = None;
        for row in forms {
            let mut line: Option<(Form, Span)> = None;
            for (form, span) in row {
                line = Some(match line {
                    None => (form, span),
                    Some((left, first)) if self.sizes.unify(left.rows, form.rows) => {
                        let columns = self.sizes.symbol(Symbol::Sum(left.columns, form.columns));
                        (Form { rows: left.rows, columns }, first.to(span))
                    }
                    Some((left, _)) => {
                        let message = format!("[{}, {}] does not fit", self.text(left), self.text(form));
                        return Err(Misfit::wrong(span, message));
                    }
                });
            }
            let Some((line, span)) = line else { continue };
            whole = Some(match whole {
                None => line,
                Some(above) if self.sizes.unify(above.columns, line.columns) => {
                    Form { rows: self.sizes.symbol(Symbol::Sum(above.rows, line.rows)), columns: above.columns }
                }
                Some(above) => {
                    let message = format!("[{}; {}] does not fit", self.text(above), self.text(line));
                    return Err(Misfit::wrong(span, message));
                }
            });
        }
        Ok(whole.unwrap_or(SCALAR))
    }

    pub(super) fn form_of_call(
        &mut self,
        function: Function,
        columns: bool,
        forms: &[(Form, Span)],
        span: Span,
    ) -> Result<Form, Misfit> {
        let (a, place) = forms[0];
        let name = function.name();
        let square = |scope: &mut Scope| {
            if scope.sizes.unify(a.rows, a.columns) {
                return Ok(());
            }
            let message = format!("{name} needs a square matrix; this is {}", scope.text(a));
            Err(Misfit::wrong(place, message))
        };
        let is_vector = self.sizes.is_one(a.rows) || self.sizes.is_one(a.columns);
        Ok(match function.entry().signature {
            Signature::Elementwise | Signature::ElementwiseWithScalar | Signature::AlongRows | Signature::Same => a,
            Signature::ElementwisePair => self.broadcast(a, forms[1].0, ",", place, forms[1].1)?,
            Signature::ReduceRows if columns => Form { rows: ONE, columns: a.columns },
            Signature::ReduceRows if is_vector => SCALAR,
            Signature::ReduceRows | Signature::ReduceToColumn => Form { rows: a.rows, columns: ONE },
            Signature::ReduceToRow => Form { rows: ONE, columns: a.columns },
            Signature::Reduce | Signature::AnyToScalar => SCALAR,
            Signature::SquareToScalar => {
                square(self)?;
                SCALAR
            }
            Signature::PairToScalar => {
                let b = forms[1].0;
                let fits = self.sizes.unify(a.rows, b.rows) && self.sizes.unify(a.columns, b.columns);
                if !fits {
                    let message = format!("<{}, {}> needs two of one shape", self.text(a), self.text(b));
                    return Err(Misfit::wrong(span, message));
                }
                SCALAR
            }
            Signature::Square => {
                square(self)?;
                a
            }
            Signature::Transposed => Form { rows: a.columns, columns: a.rows },
            Signature::Diagonal if self.sizes.is_one(a.columns) => Form { rows: a.rows, columns: a.rows },
            Signature::Diagonal if self.sizes.is_one(a.rows) => Form { rows: a.columns, columns: a.columns },
            Signature::Diagonal => {
                square(self)?;
                Form { rows: a.rows, columns: ONE }
            }
            Signature::Vectorised => Form { rows: self.sizes.symbol(Symbol::Product(a.rows, a.columns)), columns: ONE },
            Signature::HalfVectorised => {
                square(self)?;
                Form { rows: self.sizes.symbol(Symbol::Triangle(a.rows)), columns: ONE }
            }
            Signature::Kronecker => {
                let b = forms[1].0;
                Form {
                    rows: self.sizes.symbol(Symbol::Product(a.rows, b.rows)),
                    columns: self.sizes.symbol(Symbol::Product(a.columns, b.columns)),
                }
            }
            _ => return Err(Misfit::not_covered(span, format!("`{name}` is not covered by verify"))),
        })
    }
}

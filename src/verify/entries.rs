//! The rules that lead from one formula in index notation to another: both sides are written as sums of products of entries,
//! derivatives by an entry taken by the rules of numbers, and compared with their bound indices renamed. It names rules;
//! whether a line is right is not decided here.

mod canonical;
mod slopes;

use super::scope::{Form, Ranges, Scope};
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::functions::Function;
use crate::number::Number;

/// Terms of a side.
const MOST_TERMS: usize = 120;
/// Definitions and derivatives may stand in each other this deep.
const DEEPEST: usize = 60;

/// The rules between two sides with indices or derivatives; `None` where the sides do not meet. `opened` are the definitions
/// that may be written out: as few of them are as will do.
pub fn justify(scope: &Scope, opened: &[String], left: &Formula, right: &Formula) -> Option<Vec<String>> {
    let by_entries = |formula: &Formula| {
        formula.any(|part| {
            matches!(part.kind, Kind::Over { .. } | Kind::Entry { .. } | Kind::Delta(..) | Kind::Derivative { .. })
        })
    };
    if !by_entries(left) && !by_entries(right) {
        return None;
    }
    // What a derivative is taken by is a name of its own.
    let mut fixed: Vec<String> = Vec::new();
    for side in [left, right] {
        side.visit(&mut |part| {
            if let Kind::Derivative { by, .. } = &part.kind {
                fixed.extend(by.names().iter().map(|name| (*name).to_owned()));
            }
        });
    }
    let full: Vec<String> = opened.iter().filter(|name| !fixed.contains(name)).cloned().collect();
    // A name that the other side leads to is as far as one goes.
    let reached = |name: &String| {
        let leads =
            |side: &Formula| side.names().iter().any(|start| *start != name && scope.below(start).contains(name));
        leads(left) || leads(right)
    };
    let few: Vec<String> = full.iter().filter(|name| !reached(name)).cloned().collect();
    let mut tried: Vec<Vec<String>> = Vec::new();
    // At last all, those that stand on both sides too.
    let mut all: Vec<String> = Vec::new();
    for name in [left.names(), right.names()].concat() {
        for below in scope.below(name) {
            if scope.definitions.contains_key(&below) && !all.contains(&below) && !fixed.contains(&below) {
                all.push(below);
            }
        }
    }
    let mut scope = scope.clone();
    for definition in scope.definitions.values_mut() {
        definition.body = canonical::with_exponentials(&definition.body);
    }
    for opened in [Vec::new(), few, full, all] {
        if tried.contains(&opened) {
            continue;
        }
        let mut entries =
            Entries { scope: scope.clone(), opened: opened.clone(), rules: Vec::new(), fresh: 0, depth: 0 };
        if let (Some(a), Some(b)) = (entries.side(left), entries.side(right))
            && a == b
        {
            return Some(entries.rules);
        }
        tried.push(opened);
    }
    None
}

/// c·Π factors, summed over the bound indices.
#[derive(Clone, Debug)]
struct Term {
    coefficient: Number,
    /// Bound indices, with the dimension that each runs to where it is written.
    bound: Vec<(String, Option<Formula>)>,
    /// Factors and their exponents.
    factors: Vec<(Formula, Number)>,
}

struct Entries {
    scope: Scope,
    opened: Vec<String>,
    rules: Vec<String>,
    fresh: usize,
    depth: usize,
}

fn plain(kind: Kind) -> Formula {
    Formula::new(kind, Default::default())
}

fn product(list: Vec<Formula>) -> Formula {
    plain(Kind::Product(list))
}

fn call(function: Function, argument: Formula) -> Formula {
    Formula::call(function, argument)
}

/// 1/a
fn inverse(a: Formula) -> Formula {
    plain(Kind::Power(Box::new(a), Box::new(Formula::integer(-1))))
}

/// The entry of a matrix, or of a row, a column or a member of one, as an entry of the whole.
fn entry_of_part(of: Formula, indices: Vec<Index>) -> Formula {
    let part = match &of.kind {
        Kind::Transpose(inner) if indices.len() == 1 => inner.as_ref(),
        _ => &of,
    };
    if let Kind::Entry { of: whole, indices: outer } = &part.kind {
        let joined = match (outer.as_slice(), indices.as_slice()) {
            ([i, Index::All], [j]) => Some(vec![i.clone(), j.clone()]),
            ([Index::All, j], [i]) => Some(vec![i.clone(), j.clone()]),
            ([member], [i, j]) => Some(vec![member.clone(), i.clone(), j.clone()]),
            _ => None,
        };
        if let Some(indices) = joined {
            return plain(Kind::Entry { of: whole.clone(), indices });
        }
    }
    plain(Kind::Entry { of: Box::new(of), indices })
}

impl Entries {
    fn rule(&mut self, statement: &str) {
        if !self.rules.iter().any(|known| known == statement) {
            self.rules.push(statement.to_owned());
        }
    }

    /// One level deeper; `None` where that is too deep.
    fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        if self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        let out = read(self);
        self.depth -= 1;
        out
    }

    /// An index that no text has.
    fn fresh_index(&mut self) -> String {
        self.fresh += 1;
        format!("#{}", self.fresh)
    }

    fn form(&mut self, formula: &Formula) -> Option<Form> {
        // Indices stand for nothing but one place.
        self.scope.form(&mut formula.clone(), &mut Ranges::new()).ok()
    }

    fn is_scalar(&mut self, formula: &Formula) -> bool {
        self.form(formula).is_some_and(|form| self.scope.is_scalar(form))
    }

    /// What a name is defined as, where it is written out.
    fn definition(&mut self, name: &str) -> Option<Formula> {
        let opened = self.opened.iter().any(|known| known == name);
        let body = self.scope.definitions.get(name).filter(|_| opened)?.body.without_places();
        self.rule(&format!("definition of {name}"));
        Some(body)
    }

    /// The entry of a matrix at a place, as a number; of a column or row where the other index is left out.
    fn entry(&mut self, formula: &Formula, i: &Index, j: &Index) -> Option<Formula> {
        self.deeper(|entries| entries.entry_of(formula, i, j))
    }

    fn entry_of(&mut self, formula: &Formula, i: &Index, j: &Index) -> Option<Formula> {
        let form = self.form(formula)?;
        let one = |scope: &Scope, id: u32| scope.sizes.is_one(id);
        let (single_row, single_column) = (one(&self.scope, form.rows), one(&self.scope, form.columns));
        let at = |of: Formula| {
            let indices = match (single_row, single_column) {
                (true, true) => return of,
                (false, true) => vec![i.clone()],
                (true, false) => vec![j.clone()],
                (false, false) => vec![i.clone(), j.clone()],
            };
            entry_of_part(of, indices)
        };
        Some(match &formula.kind {
            Kind::Number(_) | Kind::Delta(..) => formula.clone(),
            Kind::Name(name) => match self.definition(name) {
                Some(body) => self.entry_of_body(&body, i, j)?,
                None => at(formula.clone()),
            },
            Kind::Sum(terms) => {
                let mut list = Vec::with_capacity(terms.len());
                for (minus, term) in terms {
                    list.push((*minus, self.entry(term, i, j)?));
                }
                plain(Kind::Sum(list))
            }
            Kind::Hadamard(list) => {
                self.rule("(A .* B)_ij = A_ij B_ij");
                let mut out = Vec::with_capacity(list.len());
                for factor in list {
                    out.push(self.entry(factor, i, j)?);
                }
                product(out)
            }
            Kind::HadamardQuotient(a, b) => {
                let (a, b) = (self.entry(a, i, j)?, self.entry(b, i, j)?);
                product(vec![a, inverse(b)])
            }
            Kind::Quotient(a, b) if self.is_scalar(b) => {
                let (a, b) = (self.entry(a, i, j)?, self.entry(b, i, j)?);
                product(vec![a, inverse(b)])
            }
            Kind::Product(list) => self.entry_of_product(list, i, j)?,
            Kind::Transpose(a) => {
                if !self.is_scalar(a) {
                    self.rule("(A')_ij = A_ji");
                }
                self.entry(a, j, i)?
            }
            Kind::Power(base, exponent) | Kind::HadamardPower(base, exponent)
                if matches!(formula.kind, Kind::HadamardPower(..)) || self.is_scalar(base) =>
            {
                let base = self.entry(base, i, j)?;
                plain(Kind::Power(Box::new(base), exponent.clone()))
            }
            Kind::Generic { name, order, argument } => {
                let argument = Box::new(self.entry(argument, i, j)?);
                plain(Kind::Generic { name: name.clone(), order: *order, argument })
            }
            Kind::Entry { of, indices: list }
                if single_row && single_column && matches!(list.as_slice(), [_, Index::All]) =>
            {
                plain(Kind::Entry { of: of.clone(), indices: list[..1].to_vec() })
            }
            // A row or column of a matrix, a member of a family.
            Kind::Entry { .. } if !(single_row && single_column) => at(formula.clone()),
            Kind::Over { .. } => {
                let fresh = self.with_fresh_bounds(formula);
                let Kind::Over { index, upper, body } = fresh.kind else { return None };
                match self.entry(&body, i, j) {
                    Some(body) => plain(Kind::Over { index, upper, body: Box::new(body) }),
                    None if single_row && single_column => formula.clone(),
                    None => return None,
                }
            }
            Kind::Ones(..) => Formula::integer(1),
            Kind::Zeros(..) => Formula::integer(0),
            Kind::Identity(_) => plain(Kind::Delta(i.clone(), j.clone())),
            Kind::Derivative { of, by } => {
                let (of_form, by_form) = (self.form(of)?, self.form(by)?);
                let first = Index::Number(1);
                let vector = |form: Form| one(&self.scope, form.rows) || one(&self.scope, form.columns);
                let (of, by) = match (self.scope.is_scalar(of_form), self.scope.is_scalar(by_form)) {
                    (true, true) => ((**of).clone(), (**by).clone()),
                    (true, false) => ((**of).clone(), at((**by).clone())),
                    (false, true) => (self.entry(of, i, j)?, (**by).clone()),
                    (false, false) if vector(of_form) && vector(by_form) => {
                        let row = one(&self.scope, of_form.rows);
                        let of = if row { self.entry(of, &first, i)? } else { self.entry(of, i, &first)? };
                        (of, entry_of_part((**by).clone(), vec![j.clone()]))
                    }
                    _ => return None,
                };
                plain(Kind::Derivative { of: Box::new(of), by: Box::new(by) })
            }
            Kind::Call { function, arguments, columns } => self.entry_of_call(*function, arguments, *columns, i, j)?,
            _ if single_row && single_column => formula.clone(),
            _ => return None,
        })
    }

    fn entry_of_body(&mut self, body: &Formula, i: &Index, j: &Index) -> Option<Formula> {
        match &body.kind {
            Kind::ByEntries { indices, body } => {
                let places = [i, j];
                let mut out = self.with_fresh_bounds(body);
                // First to names of no text, so that no index is taken for another.
                let own: Vec<String> = indices.iter().map(|_| self.fresh_index()).collect();
                for (index, own) in indices.iter().zip(&own) {
                    out = canonical::with_index(&out, index, &Index::Name(own.clone()));
                }
                for (own, place) in own.iter().zip(places) {
                    out = canonical::with_index(&out, own, place);
                }
                Some(out)
            }
            _ => self.entry(body, i, j),
        }
    }

    /// The same with all bound indices renamed, so that none is taken for one outside.
    fn with_fresh_bounds(&mut self, formula: &Formula) -> Formula {
        let mut out = formula.clone();
        if let Kind::Over { index, body, .. } = &mut out.kind {
            let fresh = self.fresh_index();
            **body = canonical::with_index(body, index, &Index::Name(fresh.clone()));
            *index = fresh;
        }
        for child in out.children_mut() {
            *child = self.with_fresh_bounds(child);
        }
        out
    }

    /// (A·B·…)_ij, the scalars in front.
    fn entry_of_product(&mut self, list: &[Formula], i: &Index, j: &Index) -> Option<Formula> {
        let mut factors = Vec::new();
        let mut matrices = Vec::new();
        for factor in list {
            match self.is_scalar(factor) {
                true => factors.push(self.entry(factor, i, j)?),
                false => matrices.push(factor.clone()),
            }
        }
        let mut sums: Vec<(String, u32)> = Vec::new();
        let mut row = i.clone();
        for (k, matrix) in matrices.iter().enumerate() {
            let form = self.form(matrix)?;
            let column = match k + 1 == matrices.len() {
                true => j.clone(),
                false if self.scope.sizes.is_one(form.columns) => Index::Number(1),
                false => {
                    let index = self.fresh_index();
                    sums.push((index.clone(), form.columns));
                    Index::Name(index)
                }
            };
            factors.push(self.entry(matrix, &row, &column)?);
            row = column;
        }
        if !sums.is_empty() {
            self.rule("(AB)_ij = sum_k A_ik B_kj");
        }
        let mut out = product(factors);
        for (index, size) in sums.into_iter().rev() {
            out = plain(Kind::Over { index, upper: Size::Open(Some(size)), body: Box::new(out) });
        }
        Some(out)
    }

    fn entry_of_call(
        &mut self,
        function: Function,
        arguments: &[Formula],
        columns: bool,
        i: &Index,
        j: &Index,
    ) -> Option<Formula> {
        let [argument] = arguments else {
            return match (function, arguments) {
                (Function::Dot, [a, b]) => {
                    self.summed_up(&plain(Kind::Hadamard(vec![a.clone(), b.clone()])), "tr(A'B) = sum_ij A_ij B_ij")
                }
                _ => None,
            };
        };
        let form = self.form(argument)?;
        match function {
            Function::Softmax if !columns => {
                let exponential = |of: Formula| call(Function::Exp, of);
                let above = exponential(self.entry(argument, i, j)?);
                let index = self.fresh_index();
                let place = Index::Name(index.clone());
                // Over all entries of a column, along a row otherwise.
                let column = self.scope.sizes.is_one(form.columns);
                let below = exponential(if column {
                    self.entry(argument, &place, j)?
                } else {
                    self.entry(argument, i, &place)?
                });
                let size = if column { form.rows } else { form.columns };
                let sum = plain(Kind::Over { index, upper: Size::Open(Some(size)), body: Box::new(below) });
                self.rule("softmax(z)_j = exp(z_j)/sum_k exp(z_k)");
                Some(product(vec![above, inverse(sum)]))
            }
            Function::Sum => self.summed_up(argument, "sum(A) = sum_ij A_ij"),
            Function::NormSq => {
                let square = plain(Kind::HadamardPower(Box::new(argument.clone()), Box::new(Formula::integer(2))));
                self.summed_up(&square, "normsq(A) = sum_ij A_ij^2")
            }
            Function::Trace => {
                let index = self.fresh_index();
                let place = Index::Name(index.clone());
                let body = Box::new(self.entry(argument, &place, &place)?);
                self.rule("tr(A) = sum_i A_ii");
                Some(plain(Kind::Over { index, upper: Size::Open(Some(form.rows)), body }))
            }
            Function::Diag if self.scope.sizes.is_one(form.columns) => {
                let entry = self.entry(argument, i, j)?;
                self.rule("diag(x)_ij = δ_ij x_i");
                Some(product(vec![plain(Kind::Delta(i.clone(), j.clone())), entry]))
            }
            Function::TransposeOf => self.entry(argument, j, i),
            _ if super::normal::acts_on_entries(function) => Some(call(function, self.entry(argument, i, j)?)),
            _ => None,
        }
    }

    /// Σ_ij of the entries.
    fn summed_up(&mut self, of: &Formula, statement: &str) -> Option<Formula> {
        let form = self.form(of)?;
        let (row, column) = (self.fresh_index(), self.fresh_index());
        let mut out = self.entry(of, &Index::Name(row.clone()), &Index::Name(column.clone()))?;
        for (index, size) in [(column, form.columns), (row, form.rows)] {
            if !self.scope.sizes.is_one(size) {
                out = plain(Kind::Over { index, upper: Size::Open(Some(size)), body: Box::new(out) });
            }
        }
        self.rule(statement);
        Some(out)
    }
}

//! The value of a formula at a point, and its slope where names move: dX is the slope of X, ∂F/∂X is taken entry by entry.
//! Numbers come in, numbers go out; no rule of the calculus is used.

mod calls;
mod derivatives;

use std::collections::HashMap;

use super::linear::{self, Of, add, integer, multiply, scale};
use super::scope::{Form, Scope};
use super::values::{Field, Grid};
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::functions::Function;
use crate::number::Number;

/// Why a formula has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Outside of a domain, as the logarithm of a negative number.
    Undefined,
    /// Shapes that fit by name do not fit by number.
    Misfit,
    /// What no check knows.
    NotCovered(String),
}

/// Sums over indices may take so many terms together.
const MOST_TERMS: usize = 200_000;

/// Numbers for all names of a text.
#[derive(Clone, Debug)]
pub struct Point<S> {
    /// Sizes by dimension.
    pub sizes: HashMap<u32, u64>,
    /// Values of the variables, none of them moving.
    pub values: HashMap<String, Grid<S>>,
    /// The directions in which names move.
    pub directions: HashMap<String, Grid<S>>,
}

impl<S> Point<S> {
    /// The size of a dimension.
    pub fn size(&self, scope: &Scope, id: u32) -> Option<usize> {
        let value = scope.sizes.value(id, &|base| self.sizes.get(&base).copied())?;
        usize::try_from(value).ok().filter(|&n| n > 0 && n <= 4096)
    }
}

/// The numbers that indices have at the moment, from 0.
pub type Places = HashMap<String, usize>;

/// Evaluates formulas at one point.
pub struct Evaluator<'a, F: Field> {
    field: &'a F,
    scope: &'a Scope,
    point: &'a Point<F::Scalar>,
    /// The names that move; definitions among them count as independent.
    moving: Vec<String>,
    /// The direction of the one name that moves, where it is not the point's.
    direction: Option<Of<F>>,
    /// Values that names have before they move, whatever they are defined as.
    given: HashMap<String, Of<F>>,
    /// Values of definitions.
    known: HashMap<String, Of<F>>,
    /// One evaluator for each entry that a derivative is taken by.
    along: HashMap<(String, usize), Evaluator<'a, F>>,
    /// Inside d(…) or ∂: slopes are used, so that none may be lost.
    strict: bool,
    /// Terms of sums left.
    budget: usize,
    /// The largest number on the way.
    pub largest: f64,
}

impl<'a, F: Field> Evaluator<'a, F> {
    /// At this point, where these names move in its directions.
    pub fn new(field: &'a F, scope: &'a Scope, point: &'a Point<F::Scalar>, moving: &[String]) -> Evaluator<'a, F> {
        Evaluator {
            field,
            scope,
            point,
            moving: moving.to_vec(),
            direction: None,
            given: HashMap::new(),
            known: HashMap::new(),
            along: HashMap::new(),
            strict: false,
            budget: MOST_TERMS,
            largest: 0.0,
        }
    }

    /// The value of a formula, its indices at these places.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(&mut self, formula: &Formula, places: &mut Places) -> Result<Of<F>, Trouble> {
        let value = self.value_of(formula, places)?;
        for &x in &value.entries {
            let size = self.field.size(x);
            if !size.is_finite() {
                return Err(Trouble::Undefined);
            }
            self.largest = self.largest.max(size);
        }
        Ok(value)
    }

    fn value_of(&mut self, formula: &Formula, places: &mut Places) -> Result<Of<F>, Trouble> {
        let field = self.field;
        let undefined = Trouble::Undefined;
        match &formula.kind {
            Kind::Number(value) => Ok(Grid::scalar(field.number(*value).ok_or(undefined)?)),
            Kind::Name(name) => self.value_of_name(name),
            Kind::Differential(a) => {
                if self.strict {
                    return self.differential_with_slope(a, places);
                }
                self.strict = true;
                let value = self.value(a, places);
                self.strict = false;
                Ok(value?.map(|x| field.slope(x)))
            }
            Kind::Derivative { of, by } => self.derivative(of, by, places),
            Kind::Sum(terms) => {
                let mut sum: Option<Of<F>> = None;
                for (negative, term) in terms {
                    let mut value = self.value(term, places)?;
                    if *negative {
                        value = scale(field, integer(field, -1), &value);
                    }
                    sum = Some(match sum {
                        None => value,
                        Some(sum) => add(field, &sum, &value).ok_or(Trouble::Misfit)?,
                    });
                }
                sum.ok_or(undefined)
            }
            Kind::Product(list) => {
                let mut product: Option<Of<F>> = None;
                for factor in list {
                    let value = self.value(factor, places)?;
                    product = Some(match product {
                        None => value,
                        Some(product) => multiply(field, &product, &value).ok_or(Trouble::Misfit)?,
                    });
                }
                product.ok_or(undefined)
            }
            Kind::Hadamard(list) => {
                let mut product: Option<Of<F>> = None;
                for factor in list {
                    let value = self.value(factor, places)?;
                    product = Some(match product {
                        None => value,
                        Some(product) => {
                            product.pairs(&value, |x, y| Some(field.times(x, y))).ok_or(Trouble::Misfit)?
                        }
                    });
                }
                product.ok_or(undefined)
            }
            Kind::HadamardQuotient(a, b) => {
                let (a, b) = (self.value(a, places)?, self.value(b, places)?);
                a.pairs(&b, |x, y| Some(field.times(x, field.inverse(y)?))).ok_or(undefined)
            }
            Kind::Quotient(a, b) => {
                let (a, b) = (self.value(a, places)?, self.value(b, places)?);
                if b.is_scalar() {
                    let factor = field.inverse(b.entries[0]).ok_or(undefined)?;
                    return Ok(scale(field, factor, &a));
                }
                let inverse = linear::inverse(field, &b).ok_or(undefined)?;
                multiply(field, &a, &inverse).ok_or(Trouble::Misfit)
            }
            Kind::Power(a, b) => {
                let base = self.value(a, places)?;
                if base.is_scalar() {
                    return self.elementwise_power(&base, b, places);
                }
                match literal(b) {
                    Some(k) => self.matrix_power(&base, k),
                    None => Err(Trouble::NotCovered("a matrix power whose exponent is no number".to_owned())),
                }
            }
            Kind::HadamardPower(a, b) => {
                let base = self.value(a, places)?;
                self.elementwise_power(&base, b, places)
            }
            Kind::Transpose(a) => Ok(self.value(a, places)?.transpose()),
            Kind::Compare(comparison, a, b) => {
                let (a, b) = (self.value(a, places)?, self.value(b, places)?);
                let number = |holds: bool| integer(field, i64::from(holds));
                a.pairs(&b, |x, y| Some(number(field.holds(*comparison, x, y)))).ok_or(Trouble::Misfit)
            }
            Kind::Generic { name, order, argument } => {
                let value = self.value(argument, places)?;
                match (Function::lookup(name), self.scope.functions.get(name)) {
                    (Some(function), _) => self.derivative_of_function(function, *order, &value),
                    (None, Some(defined)) => self.defined_function(defined, *order, &value),
                    (None, None) => Ok(value.map(|x| field.generic(name, *order, x))),
                }
            }
            Kind::Call { function, arguments, columns } => {
                let mut list = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    list.push(self.value(argument, places)?);
                }
                self.call(*function, *columns, &list)
            }
            Kind::Blocks(rows) => self.blocks(rows, places),
            Kind::Identity(n) => {
                let n = self.size(n)?;
                Ok(linear::identity(field, n))
            }
            Kind::Ones(m, n) | Kind::Zeros(m, n) => {
                let rows = self.size(m)?;
                let columns = match n {
                    Some(n) => self.size(n)?,
                    None => 1,
                };
                let value = integer(field, i64::from(matches!(formula.kind, Kind::Ones(..))));
                Ok(Grid::from_fn(rows, columns, |_, _| value))
            }
            Kind::Unit(n, place) => {
                let n = self.size(n)?;
                if *place > n as u64 {
                    return Err(undefined);
                }
                Ok(Grid::from_fn(n, 1, |i, _| integer(field, i64::from(i as u64 + 1 == *place))))
            }
            Kind::Reshape(a, m, n) => {
                let (rows, columns) = (self.size(m)?, self.size(n)?);
                self.value(a, places)?.reshape(rows, columns).ok_or(Trouble::Misfit)
            }
            Kind::Entry { of, indices } => {
                // An entry of a derivative is taken from the derivative of the whole.
                let whole = self.value(of, places)?;
                self.part_of(of, &whole, indices, places)
            }
            Kind::Over { index, upper, body } => {
                let n = self.size(upper)?;
                self.budget = self
                    .budget
                    .checked_sub(n)
                    .ok_or_else(|| Trouble::NotCovered("sums over indices that take too many terms".to_owned()))?;
                let outer = places.get(index).copied();
                let mut sum: Option<Of<F>> = None;
                for i in 0..n {
                    places.insert(index.clone(), i);
                    let value = self.value(body, places)?;
                    sum = Some(match sum {
                        None => value,
                        Some(sum) => add(field, &sum, &value).ok_or(Trouble::Misfit)?,
                    });
                }
                match outer {
                    Some(outer) => places.insert(index.clone(), outer),
                    None => places.remove(index),
                };
                sum.ok_or(undefined)
            }
            Kind::ByEntries { .. } => {
                Err(Trouble::NotCovered("a matrix by its entries other than as a definition".to_owned()))
            }
            Kind::Delta(i, j) => {
                let (i, j) = (place(i, places)?, place(j, places)?);
                Ok(Grid::scalar(integer(field, i64::from(i == j))))
            }
        }
    }

    /// The entry, row, column or member of `of`, whose value is `whole`, at some indices.
    fn part_of<S: Copy>(
        &self,
        of: &Formula,
        whole: &Grid<S>,
        indices: &[Index],
        places: &Places,
    ) -> Result<Grid<S>, Trouble> {
        let Some(family) = self.scope.family_of(of) else { return entry(whole, indices, places) };
        let (member, rest) = indices.split_first().ok_or(Trouble::Misfit)?;
        let rows = self.point.size(self.scope, family.member.rows).ok_or(Trouble::Misfit)?;
        let first = place(member, places)? * rows;
        if first + rows > whole.rows {
            return Err(Trouble::Undefined);
        }
        let member = Grid::from_fn(rows, whole.columns, |i, j| whole.at(first + i, j));
        if rest.is_empty() { Ok(member) } else { entry(&member, rest, places) }
    }

    fn size(&self, size: &Size) -> Result<usize, Trouble> {
        let id = match size {
            Size::Open(Some(id)) => self.point.size(self.scope, *id),
            Size::Open(None) => None,
            Size::Given(formula) => self.size_of(formula),
        };
        id.ok_or(Trouble::Misfit)
    }

    fn size_of(&self, formula: &Formula) -> Option<usize> {
        match &formula.kind {
            Kind::Number(value) => usize::try_from(value.as_integer()?).ok(),
            Kind::Name(name) => self.point.size(self.scope, self.scope.sizes.known(name)?),
            Kind::Sum(terms) => terms.iter().map(|(_, a)| self.size_of(a)).sum(),
            Kind::Product(list) => list.iter().map(|a| self.size_of(a)).product(),
            Kind::Quotient(a, _) => Some(self.size_of(a)? / 2),
            _ => None,
        }
    }

    fn value_of_name(&mut self, name: &str) -> Result<Of<F>, Trouble> {
        let field = self.field;
        let moves = self.moving.iter().any(|moving| moving == name);
        if let Some(known) = self.known.get(name) {
            return Ok(known.clone());
        }
        if let Some(value) = self.given.get(name) {
            return if moves { self.set_moving(name, value) } else { Ok(value.clone()) };
        }
        if let Some(definition) = self.scope.definitions.get(name) {
            // What is known of it may be asked for its slopes later.
            let strict = std::mem::replace(&mut self.strict, !moves && loses_slopes(&definition.body));
            let value = match &definition.body.kind {
                Kind::ByEntries { indices, body } => self.by_entries(indices, body, definition.form),
                _ => self.value(&definition.body, &mut Places::new()),
            };
            self.strict = strict;
            let mut value = value?;
            if moves {
                value = self.set_moving(name, &value)?;
            }
            self.known.insert(name.to_owned(), value.clone());
            return Ok(value);
        }
        if let Some(value) = self.point.values.get(name) {
            return if moves { self.set_moving(name, value) } else { Ok(value.clone()) };
        }
        match name {
            "pi" => Ok(Grid::scalar(field.pi())),
            "e" => {
                let one = integer(field, 1);
                Ok(Grid::scalar(field.apply(Function::Exp, one).ok_or(Trouble::Undefined)?))
            }
            _ => {
                let size = self.size_of(&Formula::name(name)).ok_or(Trouble::Misfit)?;
                Ok(Grid::scalar(integer(field, size as i64)))
            }
        }
    }

    /// A definition entry by entry.
    fn by_entries(&mut self, indices: &[String], body: &Formula, form: Form) -> Result<Of<F>, Trouble> {
        let size = |id| self.point.size(self.scope, id).ok_or(Trouble::Misfit);
        let (rows, columns) = (size(form.rows)?, size(form.columns)?);
        let mut entries = Vec::with_capacity(rows * columns);
        for place in 0..rows * columns {
            let mut places = Places::new();
            for (k, index) in indices.iter().enumerate() {
                places.insert(index.clone(), if k == 0 { place / columns } else { place % columns });
            }
            let value = self.value(body, &mut places)?;
            entries.push(*value.entries.first().ok_or(Trouble::Misfit)?);
        }
        Ok(Grid { rows, columns, entries })
    }

    fn set_moving(&self, name: &str, value: &Of<F>) -> Result<Of<F>, Trouble> {
        let direction = self.direction.as_ref().or_else(|| self.point.directions.get(name)).ok_or(Trouble::Misfit)?;
        let zero = integer(self.field, 0);
        let still = value.map(|x| self.field.moving(x, zero));
        still.pairs(direction, |x, d| Some(self.field.moving(x, d))).ok_or(Trouble::Misfit)
    }

    fn elementwise_power(&mut self, base: &Of<F>, exponent: &Formula, places: &mut Places) -> Result<Of<F>, Trouble> {
        let field = self.field;
        if let Some(k) = literal(exponent) {
            if let Some(k) = k.as_integer().filter(|k| k.abs() <= 64) {
                return base.try_map(|x| integer_power_of(field, x, k)).ok_or(Trouble::Undefined);
            }
            let number = field.number(k).ok_or(Trouble::Undefined)?;
            return base.try_map(|x| field.power(x, number, Some(k))).ok_or(Trouble::Undefined);
        }
        let exponent = self.value(exponent, places)?;
        base.pairs(&exponent, |x, y| field.power(x, y, None)).ok_or(Trouble::Undefined)
    }
}

fn third() -> Trouble {
    Trouble::NotCovered("third derivatives are not covered by verify".to_owned())
}

/// Whether the value of a formula comes without the slopes that it has: where it is itself a derivative.
fn loses_slopes(formula: &Formula) -> bool {
    formula.any(|part| match &part.kind {
        Kind::Differential(_) | Kind::Derivative { .. } => true,
        Kind::Generic { name, order, .. } => *order > 0 && Function::lookup(name).is_some(),
        _ => false,
    })
}

/// A number, a sign before it, or a quotient of two.
pub fn literal(formula: &Formula) -> Option<Number> {
    match &formula.kind {
        Kind::Number(value) => Some(*value),
        Kind::Sum(terms) if terms.len() == 1 && terms[0].0 => Some(literal(&terms[0].1)?.negate()),
        Kind::Quotient(a, b) => Some(literal(a)?.times(literal(b)?.reciprocal()?)),
        _ => None,
    }
}

fn integer_power_of<F: Field>(field: &F, x: F::Scalar, k: i64) -> Option<F::Scalar> {
    let base = if k < 0 { field.inverse(x)? } else { x };
    Some((0..k.unsigned_abs()).fold(integer(field, 1), |product, _| field.times(product, base)))
}

fn place(index: &Index, places: &Places) -> Result<usize, Trouble> {
    match index {
        Index::Name(name) => places.get(name).copied().ok_or(Trouble::Misfit),
        Index::Number(k) => usize::try_from(*k).ok().and_then(|k| k.checked_sub(1)).ok_or(Trouble::Misfit),
        Index::All => Err(Trouble::Misfit),
    }
}

/// The entry, row or column of a matrix at some indices.
fn entry<S: Copy>(of: &Grid<S>, indices: &[Index], places: &Places) -> Result<Grid<S>, Trouble> {
    let range = |index: &Index, length: usize| match index {
        Index::All => Ok(0..length),
        other => {
            let k = place(other, places)?;
            if k < length { Ok(k..k + 1) } else { Err(Trouble::Undefined) }
        }
    };
    let (rows, columns) = match indices {
        [i, j] => (range(i, of.rows)?, range(j, of.columns)?),
        [i] if of.columns == 1 => (range(i, of.rows)?, 0..1),
        [i] if of.rows == 1 => (0..1, range(i, of.columns)?),
        _ => return Err(Trouble::Misfit),
    };
    Ok(Grid::from_fn(rows.len(), columns.len(), |i, j| of.at(rows.start + i, columns.start + j)))
}

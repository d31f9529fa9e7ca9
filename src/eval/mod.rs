//! The reference interpreter: expressions and numbers for their names come in, the numbers of the expressions go out, or
//! why there are none. Every operation and every function of the dictionary has its value here; no derivative is taken.

mod compile;
mod functions;
mod products;
mod reference;
mod sample;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::dimension::Dimensions;
use crate::expr::{Arena, ExprId};
use crate::matrix::{Matrix, MatrixError};
use compile::{Instruction, Operation, Slot, Spread};

pub(crate) use functions::log_of_determinant;
pub use reference::Reference;
pub use sample::{Sampler, kink, obeys, project, random_direction, sample};

/// Numbers for the names of a program.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// The values of the dimensions by name.
    pub dimensions: HashMap<String, i64>,
    /// The variables in the order of [`Arena::variables`].
    pub variables: Vec<Matrix>,
    /// The differentials of variables and named results, by the node that moves.
    pub differentials: HashMap<ExprId, Matrix>,
    /// Named results that count as independent, by their node: their numbers instead of those of what they stand for.
    pub overrides: HashMap<ExprId, Matrix>,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What is wrong, in words.
    pub message: String,
    /// The expression that has no value.
    pub at: Option<ExprId>,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

impl EvalError {
    fn new(message: impl Into<String>) -> EvalError {
        EvalError { message: message.into(), at: None }
    }
}

impl From<MatrixError> for EvalError {
    fn from(error: MatrixError) -> EvalError {
        EvalError::new(error.to_string())
    }
}

/// The values of the roots, in their order.
///
/// Element-wise functions follow IEEE 754: log(0) is −∞, log(−1) is not a number.
///
/// # Errors
/// A name without numbers, numbers of another shape than declared, or what has no value (an inverse of a singular matrix).
pub fn evaluate(arena: &Arena, numbers: &Numbers, roots: &[ExprId]) -> Result<Vec<Matrix>, EvalError> {
    let independent: Vec<ExprId> = numbers.overrides.keys().copied().collect();
    Evaluator::with_independent(arena, roots, &independent).run(numbers)
}

/// Expressions made ready to be evaluated many times.
#[derive(Clone, Debug)]
pub struct Evaluator {
    instructions: Vec<Instruction>,
    roots: Vec<Slot>,
    dimensions: Dimensions,
    /// The dimensions that an instruction needs, in the order of its numbers for them.
    used: Vec<crate::dimension::DimId>,
}

/// A value on the way: kept once, and named or numbered often.
#[derive(Debug)]
enum Value<'n> {
    /// Numbers that were given.
    Given(&'n Matrix),
    /// Numbers that were computed.
    Computed(Matrix),
    /// Those of another place.
    Same(Slot),
}

/// All values of one run, by the order of evaluation.
#[derive(Debug)]
struct Values<'n>(Vec<Value<'n>>);

impl Values<'_> {
    fn at(&self, slot: Slot) -> &Matrix {
        match &self.0[self.place(slot)] {
            Value::Given(matrix) => matrix,
            Value::Computed(matrix) => matrix,
            Value::Same(_) => unreachable!("places hold numbers"),
        }
    }

    /// The place that holds the numbers of a slot.
    fn place(&self, mut slot: Slot) -> usize {
        while let Value::Same(other) = self.0[slot as usize] {
            slot = other;
        }
        slot as usize
    }

    fn scalar(&self, slot: Slot) -> f64 {
        self.at(slot).entries()[0]
    }
}

impl Evaluator {
    /// Makes the roots ready; their values come in this order.
    pub fn new(arena: &Arena, roots: &[ExprId]) -> Evaluator {
        Evaluator::with_independent(arena, roots, &[])
    }

    /// As [`Evaluator::new`], with named results that count as independent: each run takes their numbers from
    /// [`Numbers::overrides`].
    pub fn with_independent(arena: &Arena, roots: &[ExprId], independent: &[ExprId]) -> Evaluator {
        compile::compile(arena, roots, independent)
    }

    /// The values of the roots at these numbers.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn run(&self, numbers: &Numbers) -> Result<Vec<Matrix>, EvalError> {
        let mut values = self.values(numbers)?;
        let places: Vec<usize> = self.roots.iter().map(|&root| values.place(root)).collect();
        let mut asked = vec![0_u32; values.0.len()];
        places.iter().for_each(|&place| asked[place] += 1);
        let mut out = Vec::with_capacity(places.len());
        for place in places {
            asked[place] -= 1;
            // The last root of a place takes its matrix, so that a result is not copied.
            out.push(match &mut values.0[place] {
                Value::Computed(matrix) if asked[place] == 0 => std::mem::replace(matrix, Matrix::zeros(0, 0)),
                Value::Computed(matrix) => matrix.clone(),
                Value::Given(matrix) => (*matrix).clone(),
                Value::Same(_) => unreachable!("places hold numbers"),
            });
        }
        Ok(out)
    }

    /// How many operations a run does.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.instructions.is_empty()
    }

    fn values<'n>(&self, numbers: &'n Numbers) -> Result<Values<'n>, EvalError> {
        let mut sizes = Vec::with_capacity(self.used.len());
        for &dimension in &self.used {
            sizes.push(self.size(dimension, numbers)?);
        }
        let mut values = Values(Vec::with_capacity(self.instructions.len()));
        for instruction in &self.instructions {
            let value = self.value(instruction, numbers, &sizes, &values);
            match value {
                Ok(value) => values.0.push(value),
                Err(mut error) => {
                    error.at = error.at.or(Some(instruction.node));
                    return Err(error);
                }
            }
        }
        Ok(values)
    }

    fn size(&self, dimension: crate::dimension::DimId, numbers: &Numbers) -> Result<usize, EvalError> {
        let size = self.dimensions.value(dimension, &|name| numbers.dimensions.get(name).copied());
        let text = || self.dimensions.text(dimension);
        let Some(size) = size else {
            return Err(EvalError::new(format!("the dimension `{}` has no value", text())));
        };
        let size = usize::try_from(size).ok().filter(|&n| n > 0);
        size.ok_or_else(|| EvalError::new(format!("the dimension `{}` is not positive", text())))
    }

    fn value<'n>(
        &self,
        instruction: &Instruction,
        numbers: &'n Numbers,
        sizes: &[usize],
        values: &Values<'n>,
    ) -> Result<Value<'n>, EvalError> {
        let computed = match &instruction.operation {
            Operation::Constant(value) => Matrix::scalar(*value),
            Operation::Dimension(d) => Matrix::scalar(sizes[*d as usize] as f64),
            Operation::Variable { index, name, shape } => {
                return given(numbers.variables.get(*index), name, *shape, sizes);
            }
            Operation::Differential { of, name, shape } => {
                return given(numbers.differentials.get(of), name, *shape, sizes);
            }
            Operation::Independent { node, name, shape } => {
                return given(numbers.overrides.get(node), name, *shape, sizes);
            }
            Operation::Same(slot) => return Ok(Value::Same(*slot)),
            Operation::Identity(n) => Matrix::identity(sizes[*n as usize]),
            Operation::Filled((rows, columns), value) => {
                Matrix::filled(sizes[*rows as usize], sizes[*columns as usize], *value)
            }
            Operation::Unit(n, i) => reference::unit(sizes[*n as usize], *i)?,
            Operation::Sum(terms) => sum(terms, values),
            Operation::Product { scalars, factors } => {
                let scale: f64 = scalars.iter().map(|&s| values.scalar(s)).product();
                let mut out = match factors.as_ref() {
                    [] => Matrix::scalar(1.0),
                    list => products::chain(list, values, sizes)?,
                };
                if !scalars.is_empty() {
                    out.entries_mut().iter_mut().for_each(|x| *x *= scale);
                }
                out
            }
            Operation::TraceOfProduct { scalars, factors } => {
                let scale: f64 = scalars.iter().map(|&s| values.scalar(s)).product();
                Matrix::scalar(scale * products::trace_of_chain(factors, values, sizes)?)
            }
            Operation::Hadamard(list) => hadamard(list, values),
            Operation::Power(base, exponent) => {
                functions::pairwise(values.at(*base), values.at(*exponent), functions::power)?
            }
            Operation::ConstantPower(base, exponent) => functions::constant_power(values.at(*base), *exponent),
            Operation::MatrixPower(a, exponent) => functions::matrix_power(values.at(*a), *exponent)?,
            Operation::Transpose(a) => values.at(*a).transpose(),
            Operation::Compare(comparison, a, b) => {
                functions::pairwise(
                    values.at(*a),
                    values.at(*b),
                    |x, y| if comparison.holds(x, y) { 1.0 } else { 0.0 },
                )?
            }
            Operation::Call(function, axis, arguments) => {
                let list: Vec<&Matrix> = arguments.iter().map(|&a| values.at(a)).collect();
                functions::call(*function, *axis, &list)?
            }
            Operation::LogOfSoftmax { axis, argument, transposed } => {
                let out = functions::call(crate::functions::Function::LogSoftmax, *axis, &[values.at(*argument)])?;
                if *transposed { out.transpose() } else { out }
            }
            Operation::LogOfSigmoid(a) => values.at(*a).map(|x| -functions::softplus(-x)),
            Operation::ExpmFrechet(a, e) => functions::upper_right(values.at(*a), values.at(*e), Matrix::exponential)?,
            Operation::PowerFrechet(a, e, k) => {
                functions::upper_right(values.at(*a), values.at(*e), |block| block.integer_power(*k))?
            }
            Operation::Horizontal(parts) => {
                let list: Vec<&Matrix> = parts.iter().map(|&a| values.at(a)).collect();
                Matrix::horizontal(&list)
            }
            Operation::Vertical(parts) => {
                let list: Vec<&Matrix> = parts.iter().map(|&a| values.at(a)).collect();
                Matrix::vertical(&list)
            }
            Operation::Reshape(a, (rows, columns)) => {
                values.at(*a).reshape(sizes[*rows as usize], sizes[*columns as usize])
            }
            Operation::Unvech(a, n) => values.at(*a).unvech(sizes[*n as usize]),
        };
        Ok(Value::Computed(computed))
    }
}

fn given<'n>(
    matrix: Option<&'n Matrix>,
    name: &str,
    shape: compile::SizedShape,
    sizes: &[usize],
) -> Result<Value<'n>, EvalError> {
    let Some(matrix) = matrix else { return Err(EvalError::new(format!("`{name}` has no numbers"))) };
    let (rows, columns) = (sizes[shape.0 as usize], sizes[shape.1 as usize]);
    if matrix.shape() != (rows, columns) {
        let (r, c) = matrix.shape();
        return Err(EvalError::new(format!("`{name}` is {rows}x{columns}, but its numbers are {r}x{c}")));
    }
    Ok(Value::Given(matrix))
}

/// Σ c·A; rows, columns and scalars among the terms are added to each row, column or entry.
fn sum(terms: &[(f64, Spread)], values: &Values<'_>) -> Matrix {
    let first = terms.iter().position(|(_, part)| matches!(part, Spread::Full(_))).unwrap_or(0);
    let mut out = match terms[first] {
        (1.0, Spread::Full(slot)) => values.at(slot).clone(),
        (c, part) => values.at(part.slot()).scale(c),
    };
    for (_, &(c, part)) in terms.iter().enumerate().filter(|&(i, _)| i != first) {
        let matrix = values.at(part.slot());
        spread(&mut out, part, matrix, |x, y| *x += c * y);
    }
    out
}

/// The element-wise product, with rows, columns and scalars among the factors.
fn hadamard(list: &[Spread], values: &Values<'_>) -> Matrix {
    let first = list.iter().position(|part| matches!(part, Spread::Full(_))).unwrap_or(0);
    let mut out = Cow::Borrowed(values.at(list[first].slot()));
    for (_, &part) in list.iter().enumerate().filter(|&(i, _)| i != first) {
        let matrix = values.at(part.slot());
        match (&out, part) {
            (Cow::Borrowed(a), Spread::Full(_)) => out = Cow::Owned(a.zip(matrix, |x, y| x * y)),
            _ => spread(out.to_mut(), part, matrix, |x, y| *x *= y),
        }
    }
    out.into_owned()
}

fn spread(out: &mut Matrix, part: Spread, matrix: &Matrix, f: impl Fn(&mut f64, f64)) {
    let columns = out.columns().max(1);
    match part {
        Spread::Full(_) => out.entries_mut().iter_mut().zip(matrix.entries()).for_each(|(x, &y)| f(x, y)),
        Spread::Row(_) => {
            for row in out.entries_mut().chunks_exact_mut(columns) {
                row.iter_mut().zip(matrix.entries()).for_each(|(x, &y)| f(x, y));
            }
        }
        Spread::Column(_) => {
            for (row, &y) in out.entries_mut().chunks_exact_mut(columns).zip(matrix.entries()) {
                row.iter_mut().for_each(|x| f(x, y));
            }
        }
        Spread::Scalar(_) => {
            let y = matrix.entries()[0];
            out.entries_mut().iter_mut().for_each(|x| f(x, y));
        }
    }
}

#[cfg(test)]
mod tests;

//! Single operations on matrices, for a runtime that has no kernel of its own for them: an operation and its operands come
//! in, its value goes out, as the interpreter has it.

use super::{EvalError, functions};
use crate::expr::Axis;
use crate::functions::Function;
use crate::matrix::Matrix;
use crate::number::Number;

/// An operation on whole matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A function of the dictionary whose shape follows from its arguments'.
    Call(Function, Axis),
    /// An integer power of a square matrix, or one of ±1/2.
    MatrixPower(Number),
    /// The Fréchet derivative of expm at A along E.
    ExpmFrechet,
    /// The derivative of A^k along E.
    PowerFrechet(i64),
    /// Blocks side by side.
    Horizontal,
    /// Blocks one below the other.
    Vertical,
    /// The same entries column by column, in this shape.
    Reshape(usize, usize),
    /// The n×n lower triangular matrix of n(n+1)/2 entries.
    Unvech(usize),
    /// Column i of the identity of n rows, from 1.
    Unit(usize, u64),
}

impl Reference {
    /// Its name, as a plan shows it.
    pub fn name(self) -> &'static str {
        match self {
            Reference::Call(function, _) => function.name(),
            Reference::MatrixPower(k) if k == Number::MINUS_ONE => "inv",
            Reference::MatrixPower(_) => "matrix power",
            Reference::ExpmFrechet => "derivative of expm",
            Reference::PowerFrechet(_) => "derivative of a matrix power",
            Reference::Horizontal => "[,]",
            Reference::Vertical => "[;]",
            Reference::Reshape(..) => "reshape",
            Reference::Unvech(_) => "unvech",
            Reference::Unit(..) => "unit",
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// Where it has none there, as [`super::evaluate`].
    pub fn value(self, operands: &[&Matrix]) -> Result<Matrix, EvalError> {
        Ok(match self {
            Reference::Call(function, axis) => functions::call(function, axis, operands)?,
            Reference::MatrixPower(k) => functions::matrix_power(operands[0], k)?,
            Reference::ExpmFrechet => functions::upper_right(operands[0], operands[1], Matrix::exponential)?,
            Reference::PowerFrechet(k) => {
                functions::upper_right(operands[0], operands[1], |block| block.integer_power(k))?
            }
            Reference::Horizontal => Matrix::horizontal(operands),
            Reference::Vertical => Matrix::vertical(operands),
            Reference::Reshape(rows, columns) => operands[0].reshape(rows, columns),
            Reference::Unvech(n) => operands[0].unvech(n),
            Reference::Unit(n, i) => unit(n, i)?,
        })
    }
}

/// Column i of the identity of n rows, from 1.
pub(super) fn unit(n: usize, i: u64) -> Result<Matrix, EvalError> {
    if i == 0 || i > n as u64 {
        return Err(EvalError::new(format!("unit(n, {i}) is asked for with n = {n}")));
    }
    Ok(Matrix::from_fn(n, 1, |k, _| if k as u64 + 1 == i { 1.0 } else { 0.0 }))
}

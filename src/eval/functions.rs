//! The dictionary's functions on numbers, stable where their plain formula would overflow or cancel.

use super::EvalError;
use crate::expr::Axis;
use crate::functions::Function;
use crate::matrix::{Matrix, MatrixError, erf, erfc};
use crate::number::Number;

/// f(arguments); `axis` matters to softmax and its kind.
///
/// # Errors
/// Where the function has no value there, or is no function of matrices (`eye`).
pub(super) fn call(function: Function, axis: Axis, arguments: &[&Matrix]) -> Result<Matrix, EvalError> {
    let a = arguments[0];
    Ok(match function {
        Function::Exp => a.map(f64::exp),
        Function::Log => a.map(f64::ln),
        Function::Log1p => a.map(f64::ln_1p),
        Function::Expm1 => a.map(f64::exp_m1),
        Function::Sqrt => a.map(f64::sqrt),
        Function::Abs => a.map(f64::abs),
        Function::Sign => a.map(sign),
        Function::Sin => a.map(f64::sin),
        Function::Cos => a.map(f64::cos),
        Function::Tan => a.map(f64::tan),
        Function::Asin => a.map(f64::asin),
        Function::Acos => a.map(f64::acos),
        Function::Atan => a.map(f64::atan),
        Function::Sinh => a.map(f64::sinh),
        Function::Cosh => a.map(f64::cosh),
        Function::Tanh => a.map(f64::tanh),
        Function::Sigmoid => a.map(sigmoid),
        Function::Softplus => a.map(softplus),
        Function::Relu => a.map(|x| if x <= 0.0 { 0.0 } else { x }),
        Function::Elu => a.map(|x| if x <= 0.0 { x.exp_m1() } else { x }),
        Function::Gelu => a.map(|x| 0.5 * x * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)),
        Function::Silu => a.map(|x| x * sigmoid(x)),
        Function::Erf => a.map(erf),
        Function::Step => a.map(|x| if x > 0.0 { 1.0 } else { 0.0 }),
        Function::Square => a.map(|x| x * x),
        Function::Recip => a.map(f64::recip),
        Function::LeakyRelu => {
            let slope = arguments[1].entries()[0];
            a.map(|x| if x <= 0.0 { slope * x } else { x })
        }
        Function::Max => pairwise(a, arguments[1], |x, y| if x >= y || x.is_nan() { x } else { y })?,
        Function::Min => pairwise(a, arguments[1], |x, y| if x <= y || x.is_nan() { x } else { y })?,
        Function::Softmax => along(a, axis, |line| {
            let (largest, sum) = shifted(line);
            line.iter_mut().for_each(|x| *x = (*x - largest).exp() / sum);
        }),
        Function::LogSoftmax => along(a, axis, |line| {
            let (largest, sum) = shifted(line);
            let log = sum.ln();
            line.iter_mut().for_each(|x| *x = (*x - largest) - log);
        }),
        Function::LogSumExp => log_sum_exp(a, axis),
        Function::Sum => Matrix::scalar(a.sum()),
        Function::Mean => Matrix::scalar(a.sum() / a.entries().len() as f64),
        Function::RowSum => a.row_sums(),
        Function::RowMean => a.row_sums().scale(1.0 / a.columns() as f64),
        Function::ColSum => a.column_sums(),
        Function::ColMean => a.column_sums().scale(1.0 / a.rows() as f64),
        Function::Trace => Matrix::scalar(a.trace()),
        Function::Det => Matrix::scalar(a.determinant()?),
        Function::LogDet => log_of_determinant(a.log_abs_determinant()?)?,
        Function::Norm => Matrix::scalar(a.norm()),
        Function::Norm1 => Matrix::scalar(a.entries().iter().map(|x| x.abs()).sum()),
        Function::NormSq => Matrix::scalar(a.dot(a)),
        Function::Dot => Matrix::scalar(a.dot(arguments[1])),
        Function::Inv => a.inverse()?,
        Function::Adj => a.adjugate()?,
        Function::Expm => a.exponential()?,
        Function::Chol => a.cholesky()?,
        Function::Tril => a.tril(),
        Function::Triu => a.triu(),
        Function::TransposeOf => a.transpose(),
        Function::Pinv => a.pseudo_inverse()?,
        Function::Diag => {
            if a.rows() == 1 || a.columns() == 1 {
                a.to_diagonal()
            } else {
                a.diagonal()
            }
        }
        Function::Vec => a.reshape(a.entries().len(), 1),
        Function::Vech => a.vech(),
        Function::Kron => a.kron(arguments[1]),
        Function::Unvech
        | Function::Reshape
        | Function::Eye
        | Function::Ones
        | Function::Zeros
        | Function::OneVec
        | Function::Unit
        | Function::VectorOf
        | Function::MatrixOf => {
            return Err(EvalError::new(format!("`{}` has no value without its shape", function.name())));
        }
    })
}

/// f of pairs of entries; either side may be a scalar.
pub(super) fn pairwise(a: &Matrix, b: &Matrix, f: impl Fn(f64, f64) -> f64) -> Result<Matrix, EvalError> {
    if a.shape() == b.shape() {
        return Ok(a.zip(b, f));
    }
    if b.entries().len() == 1 {
        let y = b.entries()[0];
        return Ok(a.map(|x| f(x, y)));
    }
    if a.entries().len() == 1 {
        let x = a.entries()[0];
        return Ok(b.map(|y| f(x, y)));
    }
    let ((m, n), (p, q)) = (a.shape(), b.shape());
    Err(EvalError::new(format!("an element-wise operation of {m}x{n} and {p}x{q}")))
}

/// x^k, by multiplication for small integers k.
pub(super) fn power(x: f64, k: f64) -> f64 {
    if k == k.trunc() && k.abs() <= 64.0 { x.powi(k as i32) } else { x.powf(k) }
}

/// Each entry to a constant power.
pub(super) fn constant_power(a: &Matrix, k: f64) -> Matrix {
    if k == 2.0 {
        a.map(|x| x * x)
    } else if k == -1.0 {
        a.map(f64::recip)
    } else if k == 0.5 {
        a.map(f64::sqrt)
    } else if k == -0.5 {
        a.map(|x| x.sqrt().recip())
    } else {
        a.map(|x| power(x, k))
    }
}

/// A^k for an integer k, or ±1/2.
pub(super) fn matrix_power(a: &Matrix, k: Number) -> Result<Matrix, EvalError> {
    if k == Number::HALF {
        return Ok(a.symmetric_root()?);
    }
    if k == Number::HALF.negate() {
        return Ok(a.symmetric_root()?.inverse()?);
    }
    match k.as_integer() {
        Some(k) => Ok(a.integer_power(k)?),
        None => Err(EvalError::new(format!("the matrix power {} is not covered", k.to_f64()))),
    }
}

/// The upper right block of f([a, e; 0, a]), which is linear in e: e is taken at size one, so that no digits are lost to it.
pub(super) fn upper_right(
    a: &Matrix,
    e: &Matrix,
    f: impl Fn(&Matrix) -> Result<Matrix, MatrixError>,
) -> Result<Matrix, EvalError> {
    let n = a.rows();
    let zeros = Matrix::zeros(n, n);
    let largest = e.max_abs();
    // A power of two, so that nothing is rounded.
    let size = if largest > 0.0 && largest.is_finite() { largest.log2().floor().exp2() } else { 1.0 };
    let e = e.scale(1.0 / size);
    let (above, below) = (Matrix::horizontal(&[a, &e]), Matrix::horizontal(&[&zeros, a]));
    let block = Matrix::vertical(&[&above, &below]);
    Ok(f(&block)?.block(0, n, n, n).scale(size))
}

pub(super) fn softplus(x: f64) -> f64 {
    // A NaN stays one.
    if x <= 0.0 { x.exp().ln_1p() } else { x + (-x).exp().ln_1p() }
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // 0 of either sign is 0, a NaN stays one.
        x * 0.0
    }
}

/// The largest entry, and Σ exp(x − largest).
fn shifted(line: &[f64]) -> (f64, f64) {
    let largest = line.iter().fold(f64::NEG_INFINITY, |l, &x| l.max(x));
    (largest, line.iter().map(|x| (x - largest).exp()).sum())
}

/// f of each row, each column, or of all entries as one line.
fn along(a: &Matrix, axis: Axis, f: impl Fn(&mut [f64])) -> Matrix {
    let mut out = a.clone();
    match axis {
        Axis::All => f(out.entries_mut()),
        Axis::Rows => {
            let columns = a.columns().max(1);
            out.entries_mut().chunks_exact_mut(columns).for_each(f);
        }
        Axis::Columns => {
            let mut turned = a.transpose();
            let columns = turned.columns().max(1);
            turned.entries_mut().chunks_exact_mut(columns).for_each(f);
            out = turned.transpose();
        }
    }
    out
}

fn log_sum_exp(a: &Matrix, axis: Axis) -> Matrix {
    let of = |line: &[f64]| {
        let (largest, sum) = shifted(line);
        if largest.is_infinite() { largest } else { largest + sum.ln() }
    };
    match axis {
        Axis::All => Matrix::scalar(of(a.entries())),
        Axis::Rows => Matrix::from_fn(a.rows(), 1, |i, _| of(a.row(i))),
        Axis::Columns => {
            let turned = a.transpose();
            Matrix::from_fn(1, a.columns(), |_, j| of(turned.row(j)))
        }
    }
}

/// logdet, from log |det| and the determinant's sign.
///
/// # Errors
/// Where the determinant is negative.
pub fn log_of_determinant((log, sign): (f64, f64)) -> Result<Matrix, EvalError> {
    if sign < 0.0 {
        return Err(EvalError::new("logdet is asked of a matrix whose determinant is negative"));
    }
    Ok(Matrix::scalar(log))
}

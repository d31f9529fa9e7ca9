//! Gaussian elimination with partial pivoting and Cholesky factors: inverses, solutions, determinants.

use super::{Matrix, MatrixError};

/// P·A = L·U in one matrix, with the rows' order and the sign of that permutation.
struct Elimination {
    factors: Matrix,
    order: Vec<usize>,
    sign: f64,
    /// A pivot vanished to working precision.
    singular: bool,
}

impl Matrix {
    fn eliminate(&self) -> Result<Elimination, MatrixError> {
        let n = self.require_square()?;
        self.require_finite()?;
        let mut factors = self.clone();
        let mut order: Vec<usize> = (0..n).collect();
        let mut sign = 1.0;
        let mut singular = false;
        // Against the size of its own row: a badly scaled matrix is not a singular one.
        let sizes: Vec<f64> = (0..n).map(|i| self.row(i).iter().fold(0.0, |s: f64, x| s.max(x.abs()))).collect();
        for k in 0..n {
            let mut best = k;
            for i in k + 1..n {
                if factors.at(i, k).abs() > factors.at(best, k).abs() {
                    best = i;
                }
            }
            if best != k {
                for j in 0..n {
                    factors.entries.swap(k * n + j, best * n + j);
                }
                order.swap(k, best);
                sign = -sign;
            }
            let pivot = factors.at(k, k);
            if pivot.abs() <= f64::EPSILON * n as f64 * sizes[order[k]] {
                singular = true;
                if pivot == 0.0 {
                    continue;
                }
            }
            let (above, below) = factors.entries.split_at_mut((k + 1) * n);
            let pivot_row = &above[k * n..];
            for row in below.chunks_exact_mut(n) {
                let factor = row[k] / pivot;
                row[k] = factor;
                subtract_multiple(&mut row[k + 1..], factor, &pivot_row[k + 1..]);
            }
        }
        Ok(Elimination { factors, order, sign, singular })
    }

    /// The inverse.
    ///
    /// # Errors
    /// Where the matrix is not square, not finite or singular to working precision.
    pub fn inverse(&self) -> Result<Matrix, MatrixError> {
        self.solve(&Matrix::identity(self.rows))
    }

    /// X with self·X = right.
    ///
    /// # Errors
    /// Where the matrix is not square, not finite or singular to working precision.
    ///
    /// # Panics
    /// Where `right` has another number of rows.
    pub fn solve(&self, right: &Matrix) -> Result<Matrix, MatrixError> {
        let Elimination { factors, order, singular, .. } = self.eliminate()?;
        assert_eq!(self.rows, right.rows, "both sides of a linear system have equally many rows");
        if singular {
            return Err(MatrixError::Singular);
        }
        let (n, columns) = (self.rows, right.columns);
        let mut out = Matrix::zeros(n, columns);
        for (i, &from) in order.iter().enumerate() {
            out.row_mut(i).copy_from_slice(right.row(from));
        }
        for i in 0..n {
            let (done, rest) = out.entries.split_at_mut(i * columns);
            let row = &mut rest[..columns];
            for j in 0..i {
                subtract_multiple(row, factors.at(i, j), &done[j * columns..][..columns]);
            }
        }
        for i in (0..n).rev() {
            let (rest, done) = out.entries.split_at_mut((i + 1) * columns);
            let row = &mut rest[i * columns..];
            for j in i + 1..n {
                subtract_multiple(row, factors.at(i, j), &done[(j - i - 1) * columns..][..columns]);
            }
            let pivot = factors.at(i, i);
            row.iter_mut().for_each(|x| *x /= pivot);
        }
        if out.is_finite() { Ok(out) } else { Err(MatrixError::Singular) }
    }

    /// The determinant; of a singular matrix what rounding leaves of zero.
    ///
    /// # Errors
    /// Where the matrix is not square or not finite.
    pub fn determinant(&self) -> Result<f64, MatrixError> {
        let Elimination { factors, sign, .. } = self.eliminate()?;
        Ok((0..self.rows).map(|i| factors.at(i, i)).product::<f64>() * sign)
    }

    /// log |det| and the determinant's sign, with no overflow between.
    ///
    /// # Errors
    /// Where the matrix is not square, not finite or singular to working precision.
    pub fn log_abs_determinant(&self) -> Result<(f64, f64), MatrixError> {
        let Elimination { factors, sign, singular, .. } = self.eliminate()?;
        if singular {
            return Err(MatrixError::Singular);
        }
        let mut total = (0.0, sign);
        for i in 0..self.rows {
            let pivot = factors.at(i, i);
            total = (total.0 + pivot.abs().ln(), total.1 * pivot.signum());
        }
        Ok(total)
    }

    /// The adjugate: det(A)·A⁻¹ where that exists, else the transposed cofactors.
    ///
    /// # Errors
    /// Where the matrix is not square or not finite.
    pub fn adjugate(&self) -> Result<Matrix, MatrixError> {
        let determinant = self.determinant()?;
        if let Ok(inverse) = self.inverse() {
            return Ok(inverse.scale(determinant));
        }
        let n = self.rows;
        let mut out = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..n {
                let past = |k: usize, left_out: usize| if k < left_out { k } else { k + 1 };
                let minor = Matrix::from_fn(n - 1, n - 1, |k, l| self.at(past(k, i), past(l, j)));
                let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
                out.set(j, i, sign * minor.determinant()?);
            }
        }
        Ok(out)
    }

    /// The lower triangular L with L·Lᵀ = (A + Aᵀ)/2.
    ///
    /// # Errors
    /// Where the matrix is not square, not finite or not positive definite.
    pub fn cholesky(&self) -> Result<Matrix, MatrixError> {
        let n = self.require_square()?;
        self.require_finite()?;
        let mut out = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..=i {
                let given = f64::midpoint(self.at(i, j), self.at(j, i));
                let sum: f64 = (0..j).map(|k| out.at(i, k) * out.at(j, k)).sum();
                let rest = given - sum;
                if i > j {
                    out.set(i, j, rest / out.at(j, j));
                } else if rest > f64::EPSILON * n as f64 * given.abs() {
                    out.set(i, i, rest.sqrt());
                } else {
                    return Err(MatrixError::NotPositiveDefinite);
                }
            }
        }
        Ok(out)
    }

    /// The integer power of a square matrix, by repeated squaring; of a negative exponent that of the inverse.
    ///
    /// # Errors
    /// Where the matrix is not square, or for a negative exponent singular.
    pub fn integer_power(&self, exponent: i64) -> Result<Matrix, MatrixError> {
        let n = self.require_square()?;
        let mut base = if exponent < 0 { self.inverse()? } else { self.clone() };
        let mut rest = exponent.unsigned_abs();
        let mut out: Option<Matrix> = None;
        while rest > 0 {
            if rest % 2 == 1 {
                out = Some(match out {
                    Some(so_far) => so_far.multiply(&base),
                    None => base.clone(),
                });
            }
            rest /= 2;
            if rest > 0 {
                base = base.multiply(&base);
            }
        }
        Ok(out.unwrap_or_else(|| Matrix::identity(n)))
    }
}

/// row − factor·other
pub(crate) fn subtract_multiple(row: &mut [f64], factor: f64, other: &[f64]) {
    if factor != 0.0 {
        row.iter_mut().zip(other).for_each(|(x, y)| *x -= factor * y);
    }
}

#[cfg(test)]
mod tests {
    use super::{Matrix, MatrixError};

    fn example() -> Matrix {
        Matrix::new(3, 3, vec![0.0, 2.0, 1.0, 1.0, -1.0, 3.0, 4.0, 0.5, -2.0])
    }

    #[test]
    fn inverses_and_solutions_multiply_back() {
        let a = example();
        let near = |x: &Matrix, y: &Matrix| x.subtract(y).max_abs() < 1e-14;
        assert!(near(&a.multiply(&a.inverse().unwrap()), &Matrix::identity(3)));
        let b = Matrix::new(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!(near(&a.multiply(&a.solve(&b).unwrap()), &b));
    }

    #[test]
    fn determinants_have_their_sign_and_logarithm() {
        let a = example();
        // 0·(2 − 1.5) − 2·(−2 − 12) + 1·(0.5 + 4)
        assert!((a.determinant().unwrap() - 32.5).abs() < 1e-13);
        let (log, sign) = a.scale(-1.0).log_abs_determinant().unwrap();
        assert!((log - 32.5_f64.ln()).abs() < 1e-14 && sign == -1.0);
        assert!(Matrix::identity(400).scale(1e-3).log_abs_determinant().unwrap().0.is_finite());
    }

    #[test]
    fn adjugates_exist_where_inverses_do_not() {
        let singular = Matrix::new(3, 3, vec![1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 1.0, 0.0, 1.0]);
        assert_eq!(singular.inverse(), Err(MatrixError::Singular));
        let adjugate = singular.adjugate().unwrap();
        assert!(singular.multiply(&adjugate).max_abs() < 1e-13);
        assert!((adjugate.at(0, 0) - 4.0).abs() < 1e-13);
        let a = example();
        let product = a.multiply(&a.adjugate().unwrap());
        assert!(product.subtract(&Matrix::identity(3).scale(32.5)).max_abs() < 1e-12);
    }

    #[test]
    fn failures_are_in_words_and_bad_scaling_is_none() {
        assert_eq!(Matrix::zeros(2, 3).inverse(), Err(MatrixError::NotSquare));
        let thin = Matrix::new(2, 3, vec![0.3, 0.7, 0.1, 0.9, 0.2, 0.5]);
        let rank_two = thin.transpose().multiply(&thin);
        assert_eq!(rank_two.inverse(), Err(MatrixError::Singular));
        assert_eq!(rank_two.cholesky(), Err(MatrixError::NotPositiveDefinite));
        assert_eq!(Matrix::scalar(f64::NAN).inverse(), Err(MatrixError::NotFinite));
        let scaled = Matrix::new(2, 2, vec![1.0, 0.0, 0.0, 1e-200]);
        assert_eq!(scaled.inverse().unwrap().at(1, 1), 1e200);
    }

    #[test]
    fn cholesky_reads_the_symmetric_part() {
        let l = Matrix::new(3, 3, vec![2.0, 0.0, 0.0, -1.0, 1.5, 0.0, 0.5, 0.25, 3.0]);
        let mut a = l.multiply(&l.transpose());
        a.set(0, 2, a.at(0, 2) + 0.5);
        a.set(2, 0, a.at(2, 0) - 0.5);
        assert!(a.cholesky().unwrap().subtract(&l).max_abs() < 1e-14);
    }

    #[test]
    fn powers_agree_with_products() {
        let a = example();
        let cube = a.multiply(&a).multiply(&a);
        assert!(a.integer_power(3).unwrap().subtract(&cube).max_abs() < 1e-12);
        let back = a.integer_power(-3).unwrap().multiply(&cube);
        assert!(back.subtract(&Matrix::identity(3)).max_abs() < 1e-12);
        assert_eq!(a.integer_power(0).unwrap(), Matrix::identity(3));
    }
}

//! What needs more than elimination: eigenvalues and singular values by Jacobi's rotations, roots, pseudo-inverses, and
//! the matrix exponential.

use super::{Matrix, MatrixError};

/// Sweeps of rotations; Jacobi's method converges quadratically and needs about six.
const MOST_SWEEPS: usize = 60;
/// How unsymmetric a matrix may be, relative to its largest entry, to be taken as symmetric but for rounding.
const SYMMETRY: f64 = 1e-9;

/// Coefficients of the numerator of the diagonal Padé approximation of exp of degree 13, lowest first (N. J. Higham, The scaling
/// and squaring method for the matrix exponential revisited, SIAM J. Matrix Anal. Appl. 26 (2005)).
pub(crate) const PADE: [f64; 14] = [
    64_764_752_532_480_000.0,
    32_382_376_266_240_000.0,
    7_771_770_303_897_600.0,
    1_187_353_796_428_800.0,
    129_060_195_264_000.0,
    10_559_470_521_600.0,
    670_442_572_800.0,
    33_522_128_640.0,
    1_323_241_920.0,
    40_840_800.0,
    960_960.0,
    16_380.0,
    182.0,
    1.0,
];

impl Matrix {
    /// Eigenvalues (unsorted) and the orthogonal matrix of eigenvectors, its columns, of the symmetric part.
    ///
    /// Cyclic Jacobi rotations (Golub and Van Loan, Matrix Computations, 8.5).
    ///
    /// # Errors
    /// Where the matrix is not square, not finite or not symmetric.
    pub fn symmetric_eigen(&self) -> Result<(Vec<f64>, Matrix), MatrixError> {
        let n = self.require_square()?;
        self.require_finite()?;
        let size = self.max_abs();
        let mut a = Matrix::from_fn(n, n, |i, j| f64::midpoint(self.at(i, j), self.at(j, i)));
        if self.subtract(&a).max_abs() > SYMMETRY * size {
            return Err(MatrixError::NotSymmetric);
        }
        let mut vectors = Matrix::identity(n);
        for _ in 0..MOST_SWEEPS {
            let mut off = 0.0_f64;
            for p in 0..n {
                for q in p + 1..n {
                    let x = a.at(p, q);
                    off = off.max(x.abs());
                    if x == 0.0 {
                        continue;
                    }
                    let (c, s) = rotation((a.at(q, q) - a.at(p, p)) / (2.0 * x));
                    a.rotate_columns(p, q, c, s);
                    a.rotate_rows(p, q, c, s);
                    vectors.rotate_columns(p, q, c, s);
                }
            }
            if off <= f64::EPSILON * size * 1e-3 {
                break;
            }
        }
        Ok(((0..n).map(|i| a.at(i, i)).collect(), vectors))
    }

    /// The symmetric positive definite S with S·S = A.
    ///
    /// # Errors
    /// Where the matrix is not square, finite, symmetric and positive definite.
    pub fn symmetric_root(&self) -> Result<Matrix, MatrixError> {
        let (values, vectors) = self.symmetric_eigen()?;
        let largest = values.iter().fold(0.0_f64, |l, &x| l.max(x.abs()));
        let mut scaled = vectors.clone();
        for (j, &value) in values.iter().enumerate() {
            if value <= f64::EPSILON * values.len() as f64 * largest {
                return Err(MatrixError::NotPositiveDefinite);
            }
            for i in 0..values.len() {
                scaled.set(i, j, vectors.at(i, j) * value.sqrt());
            }
        }
        Ok(super::product(scaled.view(), vectors.view().transposed()))
    }

    /// The Moore-Penrose inverse; singular values below max(m, n)·ε of the largest count as zero.
    ///
    /// One-sided Jacobi rotations make the columns of A·V orthogonal (Golub and Van Loan, Matrix Computations, 8.6.3);
    /// then A⁺ = V·Σ⁻²·(A·V)ᵀ.
    ///
    /// # Errors
    /// Where the matrix is not finite.
    pub fn pseudo_inverse(&self) -> Result<Matrix, MatrixError> {
        self.require_finite()?;
        if self.rows < self.columns {
            return Ok(self.transpose().pseudo_inverse()?.transpose());
        }
        let (m, n) = self.shape();
        let mut turned = self.clone();
        let mut v = Matrix::identity(n);
        for _ in 0..MOST_SWEEPS {
            let mut rotated = false;
            for p in 0..n {
                for q in p + 1..n {
                    let (mut pp, mut pq, mut qq) = (0.0, 0.0, 0.0);
                    for i in 0..m {
                        let (x, y) = (turned.at(i, p), turned.at(i, q));
                        (pp, pq, qq) = (pp + x * x, pq + x * y, qq + y * y);
                    }
                    if pq == 0.0 || pq.abs() <= 0.5 * f64::EPSILON * (pp * qq).sqrt() {
                        continue;
                    }
                    rotated = true;
                    let (c, s) = rotation((qq - pp) / (2.0 * pq));
                    turned.rotate_columns(p, q, c, s);
                    v.rotate_columns(p, q, c, s);
                }
            }
            if !rotated {
                break;
            }
        }
        let squares: Vec<f64> = (0..n).map(|j| (0..m).map(|i| turned.at(i, j) * turned.at(i, j)).sum()).collect();
        let largest = squares.iter().fold(0.0, |l: f64, &x| l.max(x)).sqrt();
        let cut = f64::EPSILON * m.max(n) as f64 * largest;
        for (j, &square) in squares.iter().enumerate() {
            let inverse = if square.sqrt() > cut { 1.0 / square } else { 0.0 };
            for i in 0..n {
                v.set(i, j, v.at(i, j) * inverse);
            }
        }
        Ok(super::product(v.view(), turned.view().transposed()))
    }

    /// The matrix exponential by scaling and squaring with the Padé approximant of degree 13.
    ///
    /// A. H. Al-Mohy and N. J. Higham, A New Scaling and Squaring Algorithm for the Matrix Exponential, SIAM J. Matrix Anal.
    /// Appl. 31 (2009), algorithm 5.1, with the highest degree only and norms of powers computed, not estimated. A block
    /// [A, E; 0, A] with a large E is not scaled more than A itself, which would lose the digits of its result.
    ///
    /// # Errors
    /// Where the matrix is not square or not finite, or the result is too large.
    pub fn exponential(&self) -> Result<Matrix, MatrixError> {
        let n = self.require_square()?;
        self.require_finite()?;
        let squarings = self.squarings();
        if squarings > 1024.0 {
            return Err(MatrixError::NotFinite);
        }
        let a = self.scale((-squarings).exp2());
        let a2 = a.multiply(&a);
        let a4 = a2.multiply(&a2);
        let a6 = a4.multiply(&a2);
        let identity = Matrix::identity(n);
        // c[first+6]·A⁶ + c[first+4]·A⁴ + c[first+2]·A² + c[first]·I
        let combine = |first: usize, lowest: f64| {
            let mut out = a6.scale(PADE[first + 6]);
            out.add_scaled(PADE[first + 4], &a4);
            out.add_scaled(PADE[first + 2], &a2);
            out.add_scaled(lowest, &identity);
            out
        };
        // Degrees 8, 10, 12 are those of 2, 4, 6 times A⁶.
        let odd = a6.multiply(&combine(7, 0.0)).add(&combine(1, PADE[1]));
        let u = a.multiply(&odd);
        let v = a6.multiply(&combine(6, 0.0)).add(&combine(0, PADE[0]));
        let mut out = v.subtract(&u).solve(&v.add(&u))?;
        for _ in 0..squarings as usize {
            out = out.multiply(&out);
        }
        if out.is_finite() { Ok(out) } else { Err(MatrixError::NotFinite) }
    }

    /// How often the matrix is halved before its exponential is approximated.
    fn squarings(&self) -> f64 {
        const LARGEST: f64 = 4.25;
        // The leading coefficient of the backward error of degree 13 is 1/|c|.
        const COEFFICIENT: f64 = 113_250_775_606_021_113_483_283_660_800_000_000.0;
        let norm = self.norm_1();
        if norm <= LARGEST {
            return 0.0;
        }
        if !norm.is_finite() {
            return f64::INFINITY;
        }
        // Powers of the matrix over its norm, so that none overflows.
        let a = self.scale(1.0 / norm);
        let a2 = a.multiply(&a);
        let a4 = a2.multiply(&a2);
        let a6 = a4.multiply(&a2);
        let root = |power: Matrix, k: f64| norm * power.norm_1().powf(1.0 / k);
        let (d6, d8, d10) = (root(a6.clone(), 6.0), root(a4.multiply(&a4), 8.0), root(a4.multiply(&a6), 10.0));
        let size = d6.max(d8).min(d8.max(d10));
        let squarings = (size / LARGEST).log2().ceil().max(0.0);
        // More where the powers of the absolute values tell that rounding would spoil the approximation.
        let scaled = norm * (-squarings).exp2();
        let mut column_sums = Matrix::from_fn(1, a.columns(), |_, _| 1.0);
        let absolute = a.map(f64::abs);
        let mut logarithm = 0.0;
        for _ in 0..27 {
            column_sums = column_sums.multiply(&absolute);
            let largest = column_sums.max_abs();
            if largest == 0.0 {
                return squarings;
            }
            column_sums = column_sums.scale(1.0 / largest);
            logarithm += largest.log2() + scaled.log2();
        }
        let relative = logarithm - (a.norm_1() * scaled).log2() - COEFFICIENT.log2();
        squarings + ((relative + 53.0) / 26.0).ceil().max(0.0)
    }

    /// The largest sum of absolute values of a column.
    fn norm_1(&self) -> f64 {
        let sum = |j: usize| (0..self.rows()).map(|i| self.at(i, j).abs()).sum::<f64>();
        (0..self.columns()).map(sum).fold(0.0, f64::max)
    }

    /// Columns p and q become c·p − s·q and s·p + c·q.
    fn rotate_columns(&mut self, p: usize, q: usize, c: f64, s: f64) {
        for row in self.entries.chunks_exact_mut(self.columns) {
            (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
        }
    }

    /// Rows p and q become c·p − s·q and s·p + c·q.
    fn rotate_rows(&mut self, p: usize, q: usize, c: f64, s: f64) {
        for j in 0..self.columns {
            let (x, y) = (self.at(p, j), self.at(q, j));
            self.set(p, j, c * x - s * y);
            self.set(q, j, s * x + c * y);
        }
    }
}

/// Cosine and sine of the smaller angle whose rotation makes a pair orthogonal, from τ = cot 2θ.
fn rotation(tau: f64) -> (f64, f64) {
    let t = if tau >= 0.0 { 1.0 / (tau + (1.0 + tau * tau).sqrt()) } else { -1.0 / (-tau + (1.0 + tau * tau).sqrt()) };
    let c = 1.0 / (1.0 + t * t).sqrt();
    (c, t * c)
}

#[cfg(test)]
mod tests {
    use super::{Matrix, MatrixError};

    fn near(a: &Matrix, b: &Matrix, tolerance: f64) -> bool {
        a.subtract(b).max_abs() < tolerance
    }

    #[test]
    fn eigenvalues_and_vectors_build_the_matrix() {
        let a = Matrix::new(3, 3, vec![2.0, -1.0, 0.5, -1.0, 3.0, 0.25, 0.5, 0.25, -1.0]);
        let (values, vectors) = a.symmetric_eigen().unwrap();
        let diagonal = Matrix::new(1, 3, values).to_diagonal();
        assert!(near(&vectors.multiply(&diagonal).multiply(&vectors.transpose()), &a, 1e-14));
        assert!(near(&vectors.transpose().multiply(&vectors), &Matrix::identity(3), 1e-14));
    }

    #[test]
    fn roots_square_to_the_matrix() {
        let b = Matrix::new(3, 3, vec![1.0, 2.0, 0.0, 0.5, -1.0, 3.0, 4.0, 0.5, -2.0]);
        let a = b.multiply(&b.transpose());
        let root = a.symmetric_root().unwrap();
        assert!(near(&root.multiply(&root), &a, 1e-13));
        assert_eq!(b.symmetric_root(), Err(MatrixError::NotSymmetric));
        assert_eq!(a.scale(-1.0).symmetric_root(), Err(MatrixError::NotPositiveDefinite));
    }

    #[test]
    fn pseudo_inverses_satisfy_penroses_four_equations() {
        let tall = Matrix::new(4, 2, vec![1.0, 2.0, 0.0, 0.5, -1.0, 3.0, 4.0, 0.5]);
        let rank_one = Matrix::new(2, 1, vec![1.0, -2.0]).multiply(&Matrix::new(1, 3, vec![3.0, 0.0, 1.0]));
        for a in [tall.clone(), tall.transpose(), rank_one, Matrix::zeros(2, 3)] {
            let p = a.pseudo_inverse().unwrap();
            let (left, right) = (a.multiply(&p), p.multiply(&a));
            assert!(near(&left.multiply(&a), &a, 1e-13));
            assert!(near(&right.multiply(&p), &p, 1e-13));
            assert!(near(&left, &left.transpose(), 1e-13));
            assert!(near(&right, &right.transpose(), 1e-13));
        }
    }

    #[test]
    fn exponentials_agree_with_closed_forms() {
        let turn = Matrix::new(2, 2, vec![0.0, -30.0, 30.0, 0.0]).exponential().unwrap();
        let (s, c) = 30.0_f64.sin_cos();
        assert!(near(&turn, &Matrix::new(2, 2, vec![c, -s, s, c]), 1e-12));
        let nilpotent = Matrix::new(3, 3, vec![0.0, 2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0]);
        let expected = Matrix::new(3, 3, vec![1.0, 2.0, 3.0, 0.0, 1.0, 3.0, 0.0, 0.0, 1.0]);
        assert!(near(&nilpotent.exponential().unwrap(), &expected, 1e-14));
        assert!((Matrix::scalar(2.5).exponential().unwrap().at(0, 0) - 2.5_f64.exp()).abs() < 1e-13);
        // A large block above the diagonal costs no digits: expm([A, t*I; 0, A]) has t*expm(A) there.
        let (c, s, t) = (1.5_f64.cos(), 1.5_f64.sin(), 1e12);
        let block = Matrix::from_fn(4, 4, |i, j| match (i, j) {
            (0, 1) | (2, 3) => -1.5,
            (1, 0) | (3, 2) => 1.5,
            (0, 2) | (1, 3) => t,
            _ => 0.0,
        });
        let derivative = block.exponential().unwrap().block(0, 2, 2, 2).scale(1.0 / t);
        assert!(near(&derivative, &Matrix::new(2, 2, vec![c, -s, s, c]), 1e-13));
    }
}

//! Factorisations of whole matrices by blocks: nearly all operations are those of [`products`]. A matrix comes in; its
//! inverse, determinant or Cholesky factor goes out, by the same pivots and the same limits as in [`crate::matrix`], which is the
//! reference. (Golub and Van Loan, Matrix Computations, 3.2.11 and 4.2.6.)

use super::cpu::products::{self, Into, Part, Product, Sums};
use super::cpu::{InstructionSet, View, ViewMut};
use crate::matrix::{Matrix, MatrixError, subtract_multiple};

/// Columns that are eliminated together.
const WIDTH: usize = 32;

/// Columns of the inverse that are found together.
const COLUMNS: usize = 128;

/// P·A = L·U in one matrix, with the rows' order and the sign of that permutation.
pub(super) struct Elimination {
    set: InstructionSet,
    n: usize,
    factors: Vec<f64>,
    order: Vec<usize>,
    sign: f64,
    /// A pivot vanished to working precision.
    singular: bool,
}

impl Elimination {
    /// Gaussian elimination with partial pivoting.
    ///
    /// # Errors
    /// Where the matrix is not square or not finite.
    pub(super) fn new(set: InstructionSet, matrix: &Matrix) -> Result<Elimination, MatrixError> {
        let n = side(matrix)?;
        let mut factors = matrix.entries().to_vec();
        // Against the size of its own row: a badly scaled matrix is not a singular one.
        let sizes: Vec<f64> = (0..n).map(|i| matrix.row(i).iter().fold(0.0, |s: f64, x| s.max(x.abs()))).collect();
        let mut order: Vec<usize> = (0..n).collect();
        let (mut sign, mut singular) = (1.0, false);
        let mut panel = vec![0.0; n * WIDTH];
        let mut work = vec![0.0; products::workspace::<f64>(set, n, n, WIDTH)];
        for first in (0..n).step_by(WIDTH) {
            let (width, height) = (WIDTH.min(n - first), n - first);
            let panel = &mut panel[..height * width];
            for (row, from) in panel.chunks_exact_mut(width).zip(factors[first * n..].chunks_exact(n)) {
                row.copy_from_slice(&from[first..first + width]);
            }
            for k in 0..width {
                let size = |i: usize| panel[i * width + k].abs();
                let best = (k + 1..height).fold(k, |best, i| if size(i) > size(best) { i } else { best });
                if best != k {
                    swap_rows(panel, width, k, best);
                    swap_rows(&mut factors, n, first + k, first + best);
                    order.swap(first + k, first + best);
                    sign = -sign;
                }
                let (above, below) = panel.split_at_mut((k + 1) * width);
                let pivot_row = &above[k * width..];
                let pivot = pivot_row[k];
                if pivot.abs() <= f64::EPSILON * n as f64 * sizes[order[first + k]] {
                    singular = true;
                    if pivot == 0.0 {
                        continue;
                    }
                }
                for row in below.chunks_exact_mut(width) {
                    let factor = row[k] / pivot;
                    row[k] = factor;
                    subtract_multiple(&mut row[k + 1..], factor, &pivot_row[k + 1..]);
                }
            }
            for (row, to) in panel.chunks_exact(width).zip(factors[first * n..].chunks_exact_mut(n)) {
                to[first..first + width].copy_from_slice(row);
            }
            let next = first + width;
            if next < n {
                let (above, below) = factors.split_at_mut(next * n);
                let top = &mut above[first * n..];
                for i in 1..width {
                    let (done, row) = top.split_at_mut(i * n);
                    for (j, other) in done.chunks_exact(n).enumerate() {
                        subtract_multiple(&mut row[next..n], panel[i * width + j], &other[next..]);
                    }
                }
                let left = View::new(&panel[width * width..], n - next, width, width, 1);
                let right = View::new(&top[next..], width, n - next, n, 1);
                subtract_product(
                    set,
                    left,
                    right,
                    ViewMut::new(&mut below[next..], n - next, n - next, n, 1),
                    &mut work,
                );
            }
        }
        Ok(Elimination { set, n, factors, order, sign, singular })
    }

    /// The inverse.
    ///
    /// # Errors
    /// Where the matrix is singular to working precision.
    fn inverse(&self) -> Result<Matrix, MatrixError> {
        if self.singular {
            return Err(MatrixError::Singular);
        }
        let n = self.n;
        let mut out = vec![0.0; n * n];
        // Some columns at a time, so that they stay in the second cache.
        let mut some = vec![0.0; n * COLUMNS.min(n)];
        let mut work = vec![0.0; products::workspace::<f64>(self.set, n, COLUMNS.min(n), WIDTH)];
        for first in (0..n).step_by(COLUMNS) {
            let columns = COLUMNS.min(n - first);
            let some = &mut some[..n * columns];
            some.fill(0.0);
            for (row, &from) in some.chunks_exact_mut(columns).zip(&self.order) {
                if (first..first + columns).contains(&from) {
                    row[from - first] = 1.0;
                }
            }
            self.solve(some, columns, &mut work);
            for (row, to) in some.chunks_exact(columns).zip(out.chunks_exact_mut(n)) {
                to[first..first + columns].copy_from_slice(row);
            }
        }
        let out = Matrix::new(n, n, out);
        if out.is_finite() { Ok(out) } else { Err(MatrixError::Singular) }
    }

    /// L·U·X = right, in its place.
    fn solve(&self, right: &mut [f64], columns: usize, work: &mut Vec<f64>) {
        let n = self.n;
        let factor = |rows: std::ops::Range<usize>, first: usize, width: usize| {
            View::new(&self.factors[rows.start * n + first..], rows.len(), width, n, 1)
        };
        solve_lower(self.set, &self.factors, n, (0, true), right, columns, work);
        for first in (0..n).step_by(WIDTH).rev() {
            let next = n.min(first + WIDTH);
            let (above, here) = right[..next * columns].split_at_mut(first * columns);
            for i in (first..next).rev() {
                let (row, done) = here[(i - first) * columns..].split_at_mut(columns);
                for (j, other) in (i + 1..next).zip(done.chunks_exact(columns)) {
                    subtract_multiple(row, self.factors[i * n + j], other);
                }
                let pivot = self.factors[i * n + i];
                row.iter_mut().for_each(|x| *x /= pivot);
            }
            if first > 0 {
                let right = View::new(here, next - first, columns, columns, 1);
                let rest = ViewMut::new(above, first, columns, columns, 1);
                subtract_product(self.set, factor(0..first, first, next - first), right, rest, work);
            }
        }
    }

    /// The determinant; of a singular matrix what rounding leaves of zero.
    fn determinant(&self) -> f64 {
        self.pivots().product::<f64>() * self.sign
    }

    /// log |det| and the determinant's sign, with no overflow between.
    ///
    /// # Errors
    /// Where the matrix is singular to working precision.
    fn log_abs_determinant(&self) -> Result<(f64, f64), MatrixError> {
        if self.singular {
            return Err(MatrixError::Singular);
        }
        Ok(self.pivots().fold((0.0, self.sign), |(log, sign), pivot| (log + pivot.abs().ln(), sign * pivot.signum())))
    }

    fn pivots(&self) -> impl Iterator<Item = f64> {
        (0..self.n).map(|i| self.factors[i * self.n + i])
    }
}

/// A matrix and its root: A = L·Lᵀ.
pub(super) struct Root {
    set: InstructionSet,
    n: usize,
    /// L, with zeros above the diagonal.
    lower: Vec<f64>,
}

impl Root {
    /// The inverse M·Mᵀ with Mᵀ = L⁻¹.
    fn inverse(&self) -> Result<Matrix, MatrixError> {
        let n = self.n;
        let mut inverse = vec![0.0; n * n];
        let mut some = vec![0.0; n * COLUMNS.min(n)];
        let mut work = Vec::new();
        for first in (0..n).step_by(COLUMNS) {
            // Above them the columns of L⁻¹ are zero.
            let columns = COLUMNS.min(n - first);
            let some = &mut some[..(n - first) * columns];
            some.fill(0.0);
            (0..columns).for_each(|j| some[j * columns + j] = 1.0);
            solve_lower(self.set, &self.lower, n, (first, false), some, columns, &mut work);
            for (row, to) in some.chunks_exact(columns).zip(inverse[first * n..].chunks_exact_mut(n)) {
                to[first..first + columns].copy_from_slice(row);
            }
        }
        let mut out = vec![0.0; n * n];
        let of = View::new(&inverse, n, n, n, 1);
        let product = Product { part: Part::Symmetric, ..Product::new(of.transposed(), of) };
        work.resize(products::workspace::<f64>(self.set, n, n, n).max(work.len()), 0.0);
        products::multiply(self.set, &product, ViewMut::new(&mut out, n, n, n, 1), Sums::default(), &mut work);
        let out = Matrix::new(n, n, out);
        if out.is_finite() { Ok(out) } else { Err(MatrixError::Singular) }
    }

    fn diagonal(&self) -> impl Iterator<Item = f64> {
        (0..self.n).map(|i| self.lower[i * self.n + i])
    }
}

/// A matrix ready for its inverse and its determinant: by its root where it is symmetric and positive definite, which takes half the
/// operations, by elimination elsewhere.
pub(super) enum Factorised {
    Root(Root),
    Eliminated(Elimination),
}

impl Factorised {
    /// # Errors
    /// Where the matrix is not square or not finite.
    pub(super) fn new(set: InstructionSet, matrix: &Matrix) -> Result<Factorised, MatrixError> {
        /// Smaller ones are eliminated as fast.
        const LEAST_SIDE: usize = 200;
        let n = side(matrix)?;
        let symmetric = n >= LEAST_SIDE
            && (0..n).all(|i| matrix.at(i, i) > 0.0 && (0..i).all(|j| matrix.at(i, j) == matrix.at(j, i)));
        match symmetric.then(|| cholesky(set, matrix)) {
            Some(Ok(root)) => Ok(Factorised::Root(Root { set, n, lower: root.into_entries() })),
            _ => Elimination::new(set, matrix).map(Factorised::Eliminated),
        }
    }

    /// The inverse.
    ///
    /// # Errors
    /// Where the matrix is singular to working precision.
    pub(super) fn inverse(&self) -> Result<Matrix, MatrixError> {
        match self {
            Factorised::Root(root) => root.inverse(),
            Factorised::Eliminated(elimination) => elimination.inverse(),
        }
    }

    /// The determinant; of a singular matrix what rounding leaves of zero.
    pub(super) fn determinant(&self) -> f64 {
        match self {
            Factorised::Root(root) => root.diagonal().map(|x| x * x).product(),
            Factorised::Eliminated(elimination) => elimination.determinant(),
        }
    }

    /// log |det| and the determinant's sign, with no overflow between.
    ///
    /// # Errors
    /// Where the matrix is singular to working precision.
    pub(super) fn log_abs_determinant(&self) -> Result<(f64, f64), MatrixError> {
        match self {
            Factorised::Root(root) => Ok((root.diagonal().map(|x| 2.0 * x.ln()).sum(), 1.0)),
            Factorised::Eliminated(elimination) => elimination.log_abs_determinant(),
        }
    }
}

/// L·X = right, in its place: of L and of the right side the rows and columns from `start` on, the diagonal of L being one where
/// `unit` says.
fn solve_lower(
    set: InstructionSet,
    factors: &[f64],
    n: usize,
    (start, unit): (usize, bool),
    right: &mut [f64],
    columns: usize,
    work: &mut Vec<f64>,
) {
    for first in (start..n).step_by(WIDTH) {
        let next = n.min(first + WIDTH);
        let (here, below) = right[(first - start) * columns..].split_at_mut((next - first) * columns);
        for i in first..next {
            let (done, row) = here.split_at_mut((i - first) * columns);
            let row = &mut row[..columns];
            for (j, other) in (first..i).zip(done.chunks_exact(columns)) {
                subtract_multiple(row, factors[i * n + j], other);
            }
            if !unit {
                let pivot = factors[i * n + i];
                row.iter_mut().for_each(|x| *x /= pivot);
            }
        }
        if next < n {
            let left = View::new(&factors[next * n + first..], n - next, next - first, n, 1);
            let top = View::new(here, next - first, columns, columns, 1);
            subtract_product(set, left, top, ViewMut::new(below, n - next, columns, columns, 1), work);
        }
    }
}

/// The lower triangular L with L·Lᵀ = (A + Aᵀ)/2.
///
/// # Errors
/// Where the matrix is not square, not finite or not positive definite.
pub(super) fn cholesky(set: InstructionSet, matrix: &Matrix) -> Result<Matrix, MatrixError> {
    let n = side(matrix)?;
    let mut out = vec![0.0; n * n];
    let mut panel = vec![0.0; n * WIDTH];
    let mut work = vec![0.0; products::workspace::<f64>(set, n, WIDTH, n)];
    for first in (0..n).step_by(WIDTH) {
        let (width, height) = (WIDTH.min(n - first), n - first);
        let panel = &mut panel[..height * width];
        for (i, row) in panel.chunks_exact_mut(width).enumerate() {
            for (j, x) in row.iter_mut().enumerate() {
                *x = f64::midpoint(matrix.at(first + i, first + j), matrix.at(first + j, first + i));
            }
        }
        if first > 0 {
            let left = View::new(&out[first * n..], height, first, n, 1);
            let right = View::new(&out[first * n..], width, first, n, 1).transposed();
            subtract_product(set, left, right, ViewMut::new(panel, height, width, width, 1), &mut work);
        }
        for j in 0..width {
            let (given, rest) = (matrix.at(first + j, first + j), panel[j * width + j]);
            // A NaN is not positive.
            if rest > f64::EPSILON * n as f64 * given.abs() {
                let root = rest.sqrt();
                panel[j * width + j] = root;
                panel[(j + 1) * width..].chunks_exact_mut(width).for_each(|row| row[j] /= root);
            } else {
                return Err(MatrixError::NotPositiveDefinite);
            }
            let mut column = [0.0; WIDTH];
            (j + 1..width).for_each(|k| column[k] = panel[k * width + j]);
            for row in panel[(j + 1) * width..].chunks_exact_mut(width) {
                let factor = row[j];
                subtract_multiple(&mut row[j + 1..], factor, &column[j + 1..width]);
            }
        }
        for (i, row) in panel.chunks_exact(width).enumerate() {
            let kept = width.min(i + 1);
            out[(first + i) * n + first..][..kept].copy_from_slice(&row[..kept]);
        }
    }
    Ok(Matrix::new(n, n, out))
}

/// The side of a square matrix of finite entries.
fn side(matrix: &Matrix) -> Result<usize, MatrixError> {
    if matrix.rows() != matrix.columns() {
        return Err(MatrixError::NotSquare);
    }
    if matrix.is_finite() { Ok(matrix.rows()) } else { Err(MatrixError::NotFinite) }
}

fn swap_rows(entries: &mut [f64], columns: usize, i: usize, j: usize) {
    let (above, below) = entries.split_at_mut(i.max(j) * columns);
    above[i.min(j) * columns..][..columns].swap_with_slice(&mut below[..columns]);
}

/// out − left·right
fn subtract_product(
    set: InstructionSet,
    left: View<'_, f64>,
    right: View<'_, f64>,
    out: ViewMut<'_, f64>,
    work: &mut Vec<f64>,
) {
    let room = products::workspace::<f64>(set, left.rows(), right.columns(), left.columns());
    work.resize(room.max(work.len()), 0.0);
    let product = Product { alpha: -1.0, into: Into::Add, ..Product::new(left, right) };
    products::multiply(set, &product, out, Sums::default(), work);
}

#[cfg(test)]
mod tests {
    use super::{Elimination, Factorised, cholesky};
    use crate::matrix::{Matrix, MatrixError};
    use crate::run::cpu::InstructionSet;

    /// Entries that look random and have no small determinant.
    fn square(n: usize) -> Matrix {
        let mut state = 12345_u64;
        Matrix::from_fn(n, n, |i, j| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1 << 24) as f64 - 0.5 + if i == (j * 7 + 3) % n { 2.0 } else { 0.0 }
        })
    }

    fn worst(a: &Matrix, b: &Matrix) -> f64 {
        a.entries().iter().zip(b.entries()).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn inverses_and_determinants_are_those_of_the_reference() {
        for set in InstructionSet::available() {
            for n in [1, 2, 31, 32, 33, 64, 97, 150] {
                let a = square(n);
                let elimination = Elimination::new(set, &a).expect("finite");
                let inverse = elimination.inverse().expect("regular");
                assert!(worst(&inverse.multiply(&a), &Matrix::identity(n)) < 1e-10, "{set} {n}");
                assert!(worst(&inverse, &a.inverse().expect("regular")) < 1e-10, "{set} {n}");
                let (log, sign) = elimination.log_abs_determinant().expect("regular");
                let (expected_log, expected_sign) = a.log_abs_determinant().expect("regular");
                assert!((log - expected_log).abs() < 1e-10 * n as f64 && sign == expected_sign, "{set} {n}");
                let determinant = a.determinant().expect("finite");
                assert!((elimination.determinant() - determinant).abs() <= 1e-10 * determinant.abs(), "{set} {n}");
            }
        }
    }

    #[test]
    fn cholesky_factors_multiply_back() {
        for set in InstructionSet::available() {
            for n in [1, 2, 31, 32, 33, 64, 97, 150] {
                let root = square(n);
                let a = root.multiply(&root.transpose());
                let factor = cholesky(set, &a).expect("positive definite");
                assert!(worst(&factor.multiply(&factor.transpose()), &a) < 1e-10 * n as f64, "{set} {n}");
                assert!(worst(&factor, &a.cholesky().expect("positive definite")) < 1e-9, "{set} {n}");
            }
        }
    }

    #[test]
    fn symmetric_matrices_are_those_of_the_reference_by_their_root_or_without() {
        for set in InstructionSet::available() {
            for n in [1, 150, 200, 257, 300] {
                let root = square(n);
                // Positive definite; symmetric and indefinite.
                let positive = root.multiply(&root.transpose());
                let indefinite =
                    Matrix::from_fn(n, n, |i, j| root.at(i.max(j), i.min(j)) - if i == j { 1.0 } else { 0.0 });
                for a in [positive, indefinite] {
                    let factorised = Factorised::new(set, &a).expect("finite");
                    let inverse = factorised.inverse().expect("regular");
                    let size = inverse.max_abs() * a.max_abs() * n as f64;
                    assert!(worst(&inverse.multiply(&a), &Matrix::identity(n)) < 1e-14 * size, "{set} {n}");
                    assert!(worst(&inverse, &inverse.transpose()) < 1e-14 * size, "{set} {n}");
                    let (log, sign) = factorised.log_abs_determinant().expect("regular");
                    let (expected_log, expected_sign) = a.log_abs_determinant().expect("regular");
                    assert!((log - expected_log).abs() < 1e-12 * size && sign == expected_sign, "{set} {n}");
                    let determinant = a.determinant().expect("finite");
                    if determinant.is_finite() {
                        assert!((factorised.determinant() - determinant).abs() <= 1e-12 * size * determinant.abs());
                    }
                }
                let root = square(n);
                let by_root = Factorised::new(set, &root.multiply(&root.transpose()));
                assert_eq!(matches!(by_root, Ok(Factorised::Root(_))), n >= 200, "{set} {n}");
            }
        }
    }

    #[test]
    fn what_has_no_answer_is_an_error() {
        let set = InstructionSet::detect();
        // Two equal rows, in different blocks.
        let a = square(70);
        let singular = Matrix::from_fn(70, 70, |i, j| a.at(if i == 68 { 3 } else { i }, j));
        let elimination = Elimination::new(set, &singular).expect("finite");
        assert_eq!(elimination.inverse().err(), Some(MatrixError::Singular));
        assert_eq!(elimination.log_abs_determinant().err(), Some(MatrixError::Singular));
        assert!(elimination.determinant().abs() < 1e-6 * a.determinant().expect("finite").abs());
        let zeros = Elimination::new(set, &Matrix::zeros(40, 40)).expect("finite");
        assert_eq!((zeros.determinant(), zeros.inverse().err()), (0.0, Some(MatrixError::Singular)));
        let infinite = Matrix::from_fn(40, 40, |i, j| if (i, j) == (39, 0) { f64::INFINITY } else { 1.0 });
        assert_eq!(Elimination::new(set, &infinite).err(), Some(MatrixError::NotFinite));
        assert_eq!(cholesky(set, &infinite).err(), Some(MatrixError::NotFinite));
        let indefinite = Matrix::from_fn(40, 40, |i, j| {
            if i != j {
                0.0
            } else if i == 35 {
                -1.0
            } else {
                1.0
            }
        });
        assert_eq!(cholesky(set, &indefinite).err(), Some(MatrixError::NotPositiveDefinite));
        assert_eq!(Elimination::new(set, &Matrix::zeros(2, 3)).err(), Some(MatrixError::NotSquare));
    }
}

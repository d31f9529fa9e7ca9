//! Dense matrices of `f64`, row by row: numbers come in and go out, obviously right before fast. What cannot be computed
//! (a singular inverse, a factor of a matrix that is not positive definite) is an error in words, never a silent NaN.

mod product;
mod solve;
mod spectral;

use std::borrow::Cow;
use std::fmt;

pub use matgrad_kernels::error_function::{erf, erfc};
pub use product::{View, product};
pub(crate) use solve::subtract_multiple;
pub(crate) use spectral::PADE;

/// A dense matrix; a column is n×1, a row 1×n, a scalar 1×1.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    entries: Vec<f64>,
}

/// Why a matrix has no such value, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixError {
    /// Rows and columns differ where they must not.
    NotSquare,
    /// No inverse to working precision.
    Singular,
    /// A pivot of the Cholesky factorisation, or an eigenvalue, is not positive.
    NotPositiveDefinite,
    /// A root is asked of a matrix that is not symmetric.
    NotSymmetric,
    /// An entry is infinite or not a number.
    NotFinite,
}

impl fmt::Display for MatrixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MatrixError::NotSquare => "the matrix is not square",
            MatrixError::Singular => "the matrix is singular to working precision",
            MatrixError::NotPositiveDefinite => "the matrix is not positive definite",
            MatrixError::NotSymmetric => "the matrix is not symmetric",
            MatrixError::NotFinite => "the matrix has an entry that is not finite",
        })
    }
}

impl std::error::Error for MatrixError {}

impl From<Matrix> for Cow<'_, Matrix> {
    fn from(matrix: Matrix) -> Self {
        Cow::Owned(matrix)
    }
}

impl<'a> From<&'a Matrix> for Cow<'a, Matrix> {
    fn from(matrix: &'a Matrix) -> Self {
        Cow::Borrowed(matrix)
    }
}

impl Matrix {
    /// A matrix of entries given row by row.
    ///
    /// # Panics
    /// Where there are not rows·columns entries.
    pub fn new(rows: usize, columns: usize, entries: Vec<f64>) -> Matrix {
        assert_eq!(entries.len(), rows * columns, "a {rows}x{columns} matrix has {} entries", rows * columns);
        Matrix { rows, columns, entries }
    }

    /// All zeros.
    pub fn zeros(rows: usize, columns: usize) -> Matrix {
        Matrix::filled(rows, columns, 0.0)
    }

    /// One value everywhere.
    pub fn filled(rows: usize, columns: usize, value: f64) -> Matrix {
        Matrix { rows, columns, entries: vec![value; rows * columns] }
    }

    /// The identity.
    pub fn identity(n: usize) -> Matrix {
        let mut out = Matrix::zeros(n, n);
        out.entries.iter_mut().step_by(n + 1).for_each(|x| *x = 1.0);
        out
    }

    /// 1×1.
    pub fn scalar(value: f64) -> Matrix {
        Matrix { rows: 1, columns: 1, entries: vec![value] }
    }

    /// The entry at row i and column j is `f(i, j)`, from 0.
    pub fn from_fn(rows: usize, columns: usize, mut f: impl FnMut(usize, usize) -> f64) -> Matrix {
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            entries.extend((0..columns).map(|j| f(i, j)));
        }
        Matrix { rows, columns, entries }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The entries row by row.
    pub fn entries(&self) -> &[f64] {
        &self.entries
    }

    /// The entries row by row, to change.
    pub fn entries_mut(&mut self) -> &mut [f64] {
        &mut self.entries
    }

    /// The entries row by row, kept.
    pub fn into_entries(self) -> Vec<f64> {
        self.entries
    }

    /// The entry at row i and column j, from 0.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.entries[i * self.columns + j]
    }

    /// Sets the entry at row i and column j, from 0.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.entries[i * self.columns + j] = value;
    }

    /// Row i, from 0.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.entries[i * self.columns..(i + 1) * self.columns]
    }

    /// Row i, from 0, to change.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.entries[i * self.columns..(i + 1) * self.columns]
    }

    /// As many rows as columns.
    pub fn is_square(&self) -> bool {
        self.rows == self.columns
    }

    /// No entry is infinite or not a number.
    pub fn is_finite(&self) -> bool {
        self.entries.iter().all(|x| x.is_finite())
    }

    /// The largest absolute value of an entry; 0 where there is none.
    pub fn max_abs(&self) -> f64 {
        self.entries.iter().fold(0.0, |largest, x| x.abs().max(largest))
    }

    /// f of each entry.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Matrix {
        Matrix { entries: self.entries.iter().map(|&x| f(x)).collect(), ..*self }
    }

    /// f of each pair of entries of equal shapes.
    ///
    /// # Panics
    /// Where the shapes differ.
    pub fn zip(&self, other: &Matrix, f: impl Fn(f64, f64) -> f64) -> Matrix {
        assert_eq!(self.shape(), other.shape(), "shapes of an element-wise operation");
        Matrix { entries: self.entries.iter().zip(&other.entries).map(|(&a, &b)| f(a, b)).collect(), ..*self }
    }

    /// self + other.
    pub fn add(&self, other: &Matrix) -> Matrix {
        self.zip(other, |a, b| a + b)
    }

    /// self − other.
    pub fn subtract(&self, other: &Matrix) -> Matrix {
        self.zip(other, |a, b| a - b)
    }

    /// c·self.
    pub fn scale(&self, c: f64) -> Matrix {
        self.map(|x| c * x)
    }

    /// self + c·other, in place.
    ///
    /// # Panics
    /// Where the shapes differ.
    pub fn add_scaled(&mut self, c: f64, other: &Matrix) {
        assert_eq!(self.shape(), other.shape(), "shapes of a sum");
        self.entries.iter_mut().zip(&other.entries).for_each(|(a, &b)| *a += c * b);
    }

    /// The sum of all entries.
    pub fn sum(&self) -> f64 {
        self.entries.iter().sum()
    }

    /// The sum of each row, a column.
    pub fn row_sums(&self) -> Matrix {
        Matrix::from_fn(self.rows, 1, |i, _| self.row(i).iter().sum())
    }

    /// The sum of each column, a row.
    pub fn column_sums(&self) -> Matrix {
        let mut out = Matrix::zeros(1, self.columns);
        for i in 0..self.rows {
            out.entries.iter_mut().zip(self.row(i)).for_each(|(sum, x)| *sum += x);
        }
        out
    }

    /// The sum of the diagonal.
    pub fn trace(&self) -> f64 {
        (0..self.rows.min(self.columns)).map(|i| self.at(i, i)).sum()
    }

    /// Σ of the products of entries, tr(selfᵀ·other).
    ///
    /// # Panics
    /// Where the shapes differ.
    pub fn dot(&self, other: &Matrix) -> f64 {
        assert_eq!(self.shape(), other.shape(), "shapes of a Frobenius product");
        self.entries.iter().zip(&other.entries).map(|(a, b)| a * b).sum()
    }

    /// √ of the sum of squares, scaled so that it neither overflows nor vanishes.
    pub fn norm(&self) -> f64 {
        let largest = self.max_abs();
        if largest == 0.0 || !largest.is_finite() {
            return largest;
        }
        largest * self.entries.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt()
    }

    /// Rows become columns.
    pub fn transpose(&self) -> Matrix {
        if self.rows == 1 || self.columns == 1 {
            return Matrix { rows: self.columns, columns: self.rows, entries: self.entries.clone() };
        }
        Matrix::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    /// The matrix product self·other.
    ///
    /// # Panics
    /// Where the inner sizes differ.
    pub fn multiply(&self, other: &Matrix) -> Matrix {
        product(self.view(), other.view())
    }

    /// The Kronecker product: block (i, j) is self(i, j)·other.
    pub fn kron(&self, other: &Matrix) -> Matrix {
        let (p, q) = other.shape();
        Matrix::from_fn(self.rows * p, self.columns * q, |i, j| self.at(i / p, j / q) * other.at(i % p, j % q))
    }

    /// The same entries column by column in another shape.
    ///
    /// # Panics
    /// Where the numbers of entries differ.
    pub fn reshape(&self, rows: usize, columns: usize) -> Matrix {
        assert_eq!(self.entries.len(), rows * columns, "a reshaped matrix keeps its entries");
        Matrix::from_fn(rows, columns, |i, j| {
            let place = j * rows + i;
            self.at(place % self.rows, place / self.rows)
        })
    }

    /// The lower triangle by columns, a column of n(n+1)/2.
    pub fn vech(&self) -> Matrix {
        let n = self.rows;
        let mut entries = Vec::with_capacity(n * (n + 1) / 2);
        for j in 0..n {
            entries.extend((j..n).map(|i| self.at(i, j)));
        }
        Matrix { rows: entries.len(), columns: 1, entries }
    }

    /// The n×n lower triangular matrix of n(n+1)/2 entries by columns.
    ///
    /// # Panics
    /// Where there are not n(n+1)/2 entries.
    pub fn unvech(&self, n: usize) -> Matrix {
        assert_eq!(self.entries.len(), n * (n + 1) / 2, "the lower triangle of {n} rows");
        let mut out = Matrix::zeros(n, n);
        let mut entries = self.entries.iter();
        for j in 0..n {
            for i in j..n {
                out.set(i, j, *entries.next().expect("counted above"));
            }
        }
        out
    }

    /// The lower triangle with the diagonal; zeros above.
    pub fn tril(&self) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, j| if i >= j { self.at(i, j) } else { 0.0 })
    }

    /// The upper triangle with the diagonal; zeros below.
    pub fn triu(&self) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, j| if i <= j { self.at(i, j) } else { 0.0 })
    }

    /// The diagonal as a column.
    pub fn diagonal(&self) -> Matrix {
        Matrix::from_fn(self.rows.min(self.columns), 1, |i, _| self.at(i, i))
    }

    /// The diagonal matrix of a column's or row's entries.
    pub fn to_diagonal(&self) -> Matrix {
        let n = self.entries.len();
        let mut out = Matrix::zeros(n, n);
        self.entries.iter().enumerate().for_each(|(i, &x)| out.set(i, i, x));
        out
    }

    /// Matrices with as many rows, side by side.
    ///
    /// # Panics
    /// Where the numbers of rows differ.
    pub fn horizontal(parts: &[&Matrix]) -> Matrix {
        let rows = parts[0].rows;
        assert!(parts.iter().all(|part| part.rows == rows), "blocks side by side have equally many rows");
        let columns = parts.iter().map(|part| part.columns).sum();
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            parts.iter().for_each(|part| entries.extend(part.row(i)));
        }
        Matrix { rows, columns, entries }
    }

    /// Matrices with as many columns, one below the other.
    ///
    /// # Panics
    /// Where the numbers of columns differ.
    pub fn vertical(parts: &[&Matrix]) -> Matrix {
        let columns = parts[0].columns;
        assert!(parts.iter().all(|part| part.columns == columns), "blocks one below the other are equally wide");
        let entries: Vec<f64> = parts.iter().flat_map(|part| &part.entries).copied().collect();
        Matrix { rows: parts.iter().map(|part| part.rows).sum(), columns, entries }
    }

    /// The block of `rows`×`columns` that begins at row i and column j, from 0.
    ///
    /// # Panics
    /// Where the block does not lie within the matrix.
    pub fn block(&self, i: usize, j: usize, rows: usize, columns: usize) -> Matrix {
        assert!(i + rows <= self.rows && j + columns <= self.columns, "a block lies within its matrix");
        Matrix::from_fn(rows, columns, |k, l| self.at(i + k, j + l))
    }

    fn require_square(&self) -> Result<usize, MatrixError> {
        if self.is_square() { Ok(self.rows) } else { Err(MatrixError::NotSquare) }
    }

    fn require_finite(&self) -> Result<(), MatrixError> {
        if self.is_finite() { Ok(()) } else { Err(MatrixError::NotFinite) }
    }
}

#[cfg(test)]
mod tests {
    use super::Matrix;

    fn counting(rows: usize, columns: usize) -> Matrix {
        Matrix::from_fn(rows, columns, |i, j| (10 * i + j) as f64)
    }

    #[test]
    fn sums_run_over_rows_columns_and_the_diagonal() {
        let a = counting(2, 3);
        assert_eq!(a.row_sums().entries(), [3.0, 33.0]);
        assert_eq!(a.column_sums().entries(), [10.0, 12.0, 14.0]);
        assert_eq!(a.column_sums().shape(), (1, 3));
        assert_eq!(a.sum(), 36.0);
        assert_eq!(a.trace(), 11.0);
    }

    #[test]
    fn reshapes_go_column_by_column() {
        let a = counting(2, 3);
        assert_eq!(a.reshape(6, 1).entries(), [0.0, 10.0, 1.0, 11.0, 2.0, 12.0]);
        assert_eq!(a.reshape(3, 2), Matrix::new(3, 2, vec![0.0, 11.0, 10.0, 2.0, 1.0, 12.0]));
        let s = counting(3, 3);
        assert_eq!(s.vech().entries(), [0.0, 10.0, 20.0, 11.0, 21.0, 22.0]);
        assert_eq!(s.vech().unvech(3), s.tril());
        assert_eq!(s.tril().add(&s.triu()).subtract(&s.diagonal().to_diagonal()), s);
    }

    #[test]
    fn kronecker_products_multiply_block_by_block() {
        let (a, b) = (counting(2, 3), counting(3, 2).map(|x| x + 1.0));
        let k = a.kron(&b);
        assert_eq!(k.shape(), (6, 6));
        assert_eq!(k.block(3, 4, 3, 2), b.scale(a.at(1, 2)));
    }

    #[test]
    fn blocks_are_put_side_by_side_and_below() {
        let (a, b) = (counting(2, 3), counting(2, 1));
        let wide = Matrix::horizontal(&[&a, &b]);
        assert_eq!(wide.row(1), [10.0, 11.0, 12.0, 10.0]);
        let tall = Matrix::vertical(&[&a, &counting(1, 3)]);
        assert_eq!(tall.row(2), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn norms_neither_overflow_nor_vanish() {
        assert_eq!(Matrix::filled(1, 4, 1e300).norm(), 2e300);
        assert_eq!(Matrix::filled(2, 2, 1e-300).norm(), 2e-300);
        assert_eq!(Matrix::zeros(2, 3).norm(), 0.0);
    }
}

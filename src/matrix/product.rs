//! The matrix product: views of two matrices (either may be turned) come in, their product goes out. Every entry is
//! summed in one order that depends on the sizes only, so equal inputs give equal bits.

use super::Matrix;

/// Rows and columns of the tile that stays in registers.
const TILE_ROWS: usize = 4;
const TILE_COLUMNS: usize = 4;
/// Below this many multiplications packing costs more than it saves.
const SMALL: usize = 3_000;

/// A matrix or its transpose, not copied.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    entries: &'a [f64],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl Matrix {
    /// The matrix as it is.
    pub fn view(&self) -> View<'_> {
        View {
            entries: &self.entries,
            rows: self.rows,
            columns: self.columns,
            row_stride: self.columns,
            column_stride: 1,
        }
    }
}

impl<'a> View<'a> {
    /// Rows become columns; nothing is copied.
    #[must_use]
    pub fn transposed(self) -> View<'a> {
        View {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Rows and columns.
    pub fn shape(self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The entry at row i and column j, from 0.
    pub fn at(self, i: usize, j: usize) -> f64 {
        self.entries[i * self.row_stride + j * self.column_stride]
    }

    /// The view as a matrix of its own.
    pub fn to_matrix(self) -> Matrix {
        Matrix::from_fn(self.rows, self.columns, |i, j| self.at(i, j))
    }

    /// The sum of each row, a column.
    pub fn row_sums(self) -> Matrix {
        if self.row_stride == 1 && self.rows > 1 {
            // The entries of a column lie together.
            let mut out = Matrix::zeros(self.rows, 1);
            for column in self.entries.chunks_exact(self.rows) {
                out.entries.iter_mut().zip(column).for_each(|(sum, x)| *sum += x);
            }
            return out;
        }
        Matrix::from_fn(self.rows, 1, |i, _| (0..self.columns).map(|j| self.at(i, j)).sum())
    }

    /// The sum of each column, a row.
    pub fn column_sums(self) -> Matrix {
        let mut out = self.transposed().row_sums();
        (out.rows, out.columns) = (1, out.rows);
        out
    }

    /// Σ of the products of entries.
    ///
    /// # Panics
    /// Where the shapes differ.
    pub fn dot(self, other: View<'_>) -> f64 {
        assert_eq!(self.shape(), other.shape(), "shapes of a Frobenius product");
        let mut total = 0.0;
        for i in 0..self.rows {
            total += (0..self.columns).map(|j| self.at(i, j) * other.at(i, j)).sum::<f64>();
        }
        total
    }
}

/// The matrix product a·b.
///
/// # Panics
/// Where the inner sizes differ.
pub fn product(a: View<'_>, b: View<'_>) -> Matrix {
    assert_eq!(a.columns, b.rows, "the inner sizes of a matrix product");
    let work = a.rows * a.columns * b.columns;
    if b.columns == 1 {
        by_dots(a, b)
    } else if work < SMALL || a.rows < TILE_ROWS || b.columns < TILE_COLUMNS {
        if b.column_stride == 1 { by_rows(a, b) } else { by_rows(a, b.to_matrix().view()) }
    } else {
        by_tiles(a, b)
    }
}

/// A matrix times a column: one dot product for each row.
fn by_dots(a: View<'_>, b: View<'_>) -> Matrix {
    if a.column_stride != 1 {
        // The rows of `a` lie scattered, its columns together: add up multiples of those.
        let mut out = Matrix::zeros(a.rows, 1);
        for k in 0..a.columns {
            let (x, column) = (b.at(k, 0), &a.entries[k * a.column_stride..]);
            out.entries.iter_mut().enumerate().for_each(|(i, sum)| *sum += column[i * a.row_stride] * x);
        }
        return out;
    }
    let copied;
    let x = if b.row_stride == 1 {
        &b.entries[..b.rows]
    } else {
        copied = b.to_matrix();
        copied.entries()
    };
    Matrix::from_fn(a.rows, 1, |i, _| dot(&a.entries[i * a.row_stride..][..a.columns], x))
}

/// Σ aᵢ·bᵢ with four sums side by side, which the compiler turns into vector instructions.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (x, y) in a4.iter().zip(b4) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// Row i of the product is Σₖ a(i, k)·(row k of b).
fn by_rows(a: View<'_>, b: View<'_>) -> Matrix {
    let mut out = Matrix::zeros(a.rows, b.columns);
    if b.columns == 0 {
        return out;
    }
    for (i, row) in out.entries.chunks_exact_mut(b.columns).enumerate() {
        for k in 0..a.columns {
            let x = a.at(i, k);
            row.iter_mut().zip(&b.entries[k * b.row_stride..]).for_each(|(sum, y)| *sum += x * y);
        }
    }
    out
}

/// Tiles of the product, each summed in registers over panels of `a` and `b` that were copied to lie together.
fn by_tiles(a: View<'_>, b: View<'_>) -> Matrix {
    let (m, depth, n) = (a.rows, a.columns, b.columns);
    let mut out = Matrix::zeros(m, n);
    let row_panels: Vec<[f64; TILE_ROWS]> = panels(m, depth, |i, k| a.at(i, k));
    for (j, panel) in panels::<TILE_COLUMNS>(n, depth, |j, k| b.at(k, j)).chunks_exact(depth).enumerate() {
        for (i, rows) in row_panels.chunks_exact(depth).enumerate() {
            let tile = tile(rows, panel);
            let (from, to) = (j * TILE_COLUMNS, n.min((j + 1) * TILE_COLUMNS));
            for (r, sums) in tile.iter().enumerate().take(m - i * TILE_ROWS) {
                let start = (i * TILE_ROWS + r) * n;
                out.entries[start + from..start + to].copy_from_slice(&sums[..to - from]);
            }
        }
    }
    out
}

/// `WIDTH` lines at a time, position by position, the last ones filled up with zeros.
fn panels<const WIDTH: usize>(lines: usize, depth: usize, at: impl Fn(usize, usize) -> f64) -> Vec<[f64; WIDTH]> {
    let mut out = Vec::with_capacity(lines.div_ceil(WIDTH) * depth);
    for first in (0..lines).step_by(WIDTH) {
        let width = WIDTH.min(lines - first);
        for k in 0..depth {
            let mut group = [0.0; WIDTH];
            group.iter_mut().take(width).enumerate().for_each(|(l, x)| *x = at(first + l, k));
            out.push(group);
        }
    }
    out
}

fn tile(a: &[[f64; TILE_ROWS]], b: &[[f64; TILE_COLUMNS]]) -> [[f64; TILE_COLUMNS]; TILE_ROWS] {
    let mut sums = [[0.0; TILE_COLUMNS]; TILE_ROWS];
    for (x, y) in a.iter().zip(b) {
        for r in 0..TILE_ROWS {
            for c in 0..TILE_COLUMNS {
                sums[r][c] += x[r] * y[c];
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::{Matrix, product};

    fn numbers(rows: usize, columns: usize, seed: u64) -> Matrix {
        let mut state = seed;
        Matrix::from_fn(rows, columns, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1 << 24) as f64 - 0.5
        })
    }

    fn naive(a: &Matrix, b: &Matrix) -> Matrix {
        Matrix::from_fn(a.rows(), b.columns(), |i, j| (0..a.columns()).map(|k| a.at(i, k) * b.at(k, j)).sum())
    }

    #[test]
    fn every_path_agrees_with_the_definition() {
        let sizes = [
            (1, 1, 1),
            (3, 4, 2),
            (5, 1, 7),
            (1, 9, 6),
            (7, 5, 1),
            (4, 300, 5),
            (37, 41, 29),
            (64, 64, 64),
            (3, 90, 50),
        ];
        for (m, k, n) in sizes {
            let (a, b) = (numbers(m, k, 1), numbers(k, n, 2));
            let expected = naive(&a, &b);
            let (at, bt) = (a.transpose(), b.transpose());
            let ways = [
                a.multiply(&b),
                product(at.view().transposed(), b.view()),
                product(a.view(), bt.view().transposed()),
                product(at.view().transposed(), bt.view().transposed()),
            ];
            for (way, got) in ways.iter().enumerate() {
                let worst = got.subtract(&expected).max_abs();
                assert!(worst < 1e-13 * k as f64, "{m}x{k}x{n}, way {way}: {worst}");
            }
        }
    }

    #[test]
    fn sums_of_views_agree_with_sums_of_matrices() {
        for (m, n) in [(1, 1), (3, 5), (1, 4), (6, 1)] {
            let a = numbers(m, n, 3);
            let near = |x: Matrix, y: Matrix| x.subtract(&y).max_abs() < 1e-15;
            assert!(near(a.view().row_sums(), a.row_sums()) && near(a.view().column_sums(), a.column_sums()));
            let turned = a.transpose();
            assert!(near(a.view().transposed().row_sums(), turned.row_sums()));
            assert!(near(a.view().transposed().column_sums(), turned.column_sums()));
            let b = numbers(n, m, 4);
            assert!((a.view().transposed().dot(b.view()) - turned.dot(&b)).abs() < 1e-15);
        }
    }

    #[test]
    fn an_empty_inner_size_gives_zeros() {
        assert_eq!(Matrix::zeros(2, 0).multiply(&Matrix::zeros(0, 3)), Matrix::zeros(2, 3));
    }
}

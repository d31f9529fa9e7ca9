//! Chains of matrix products in a cheap order for the sizes at hand: factors come in, their product goes out. The order is
//! that of the fewest multiplications (dynamic programming; Cormen et al., Introduction to Algorithms, 15.2).

use super::compile::Factor;
use super::{EvalError, Values};
use crate::matrix::{Matrix, View, product};

/// Chains longer than this are multiplied from the cheaper end: the search grows with the cube of the length.
const LONGEST_SEARCHED: usize = 24;

/// A factor with its numbers.
enum Part<'a> {
    View(View<'a>),
    Owned(Matrix),
    /// Ones of that shape, not written out.
    Ones(usize, usize),
}

impl<'a> Part<'a> {
    fn new(factor: Factor, values: &'a Values<'_>, sizes: &[usize]) -> Part<'a> {
        match factor {
            Factor::Plain(slot) => Part::View(values.at(slot).view()),
            Factor::Turned(slot) => Part::View(values.at(slot).view().transposed()),
            Factor::Ones((rows, columns)) => Part::Ones(sizes[rows as usize], sizes[columns as usize]),
        }
    }

    fn shape(&self) -> (usize, usize) {
        match self {
            Part::View(view) => view.shape(),
            Part::Owned(matrix) => matrix.shape(),
            Part::Ones(rows, columns) => (*rows, *columns),
        }
    }

    fn view(&self) -> Option<View<'_>> {
        match self {
            Part::View(view) => Some(*view),
            Part::Owned(matrix) => Some(matrix.view()),
            Part::Ones(..) => None,
        }
    }

    fn into_matrix(self) -> Matrix {
        match self {
            Part::View(view) => view.to_matrix(),
            Part::Owned(matrix) => matrix,
            Part::Ones(rows, columns) => Matrix::filled(rows, columns, 1.0),
        }
    }
}

/// The product of the factors.
pub(super) fn chain(factors: &[Factor], values: &Values<'_>, sizes: &[usize]) -> Result<Matrix, EvalError> {
    let parts = parts(factors, values, sizes)?;
    Ok(multiply_all(parts).into_matrix())
}

/// tr(A·B⋯) as Σ of Aᵀ .* (B⋯): the last product is never formed.
pub(super) fn trace_of_chain(factors: &[Factor], values: &Values<'_>, sizes: &[usize]) -> Result<f64, EvalError> {
    let mut parts = parts(factors, values, sizes)?;
    let rest = parts.split_off(1);
    let rest = multiply_all(rest).into_matrix();
    Ok(match &parts[0] {
        Part::Ones(..) => rest.sum(),
        part => {
            let first = part.view().expect("only ones have no view").transposed();
            first.dot(rest.view())
        }
    })
}

fn parts<'a>(factors: &[Factor], values: &'a Values<'_>, sizes: &[usize]) -> Result<Vec<Part<'a>>, EvalError> {
    let parts: Vec<Part<'a>> = factors.iter().map(|&f| Part::new(f, values, sizes)).collect();
    for pair in parts.windows(2) {
        let ((m, k), (l, n)) = (pair[0].shape(), pair[1].shape());
        if k != l {
            return Err(EvalError::new(format!("a product of {m}x{k} and {l}x{n}")));
        }
    }
    Ok(parts)
}

fn multiply_all<'a>(parts: Vec<Part<'a>>) -> Part<'a> {
    let n = parts.len();
    let mut parts: Vec<Option<Part<'a>>> = parts.into_iter().map(Some).collect();
    match n {
        1 => parts[0].take().expect("not taken yet"),
        2 => join(parts[0].take(), parts[1].take()),
        3 => {
            let ((m, k), (_, l), (_, n)) = (shape_of(&parts[0]), shape_of(&parts[1]), shape_of(&parts[2]));
            let (a, b, c) = (parts[0].take(), parts[1].take(), parts[2].take());
            // (a·b)·c against a·(b·c).
            if m * l * (k + n) <= k * n * (l + m) { join(Some(join(a, b)), c) } else { join(a, Some(join(b, c))) }
        }
        _ if n > LONGEST_SEARCHED => from_the_cheaper_end(parts),
        _ => {
            let splits = best_splits(&parts);
            by_splits(&mut parts, &splits, n, 0, n)
        }
    }
}

fn shape_of(part: &Option<Part<'_>>) -> (usize, usize) {
    part.as_ref().map_or((0, 0), Part::shape)
}

fn join<'a>(a: Option<Part<'a>>, b: Option<Part<'a>>) -> Part<'a> {
    let (a, b) = (a.expect("each factor is used once"), b.expect("each factor is used once"));
    let ((m, k), (_, n)) = (a.shape(), b.shape());
    Part::Owned(match (a.view(), b.view()) {
        (Some(x), Some(y)) => product(x, y),
        (Some(x), None) if n == 1 => x.row_sums(),
        (None, Some(y)) if m == 1 => y.column_sums(),
        // A column of ones times a row repeats the row; a column times a row of ones repeats the column.
        (None, Some(y)) if k == 1 => Matrix::from_fn(m, n, |_, j| y.at(0, j)),
        (Some(x), None) if k == 1 => Matrix::from_fn(m, n, |i, _| x.at(i, 0)),
        (None, None) => Matrix::filled(m, n, k as f64),
        (x, y) => {
            let ones = |rows, columns| Matrix::filled(rows, columns, 1.0);
            match (x, y) {
                (Some(x), _) => product(x, ones(k, n).view()),
                (_, Some(y)) => product(ones(m, k).view(), y),
                _ => unreachable!("two parts without numbers are ones"),
            }
        }
    })
}

/// The first factor of the right part, for each range [from, to), at from·(n+1)+to.
fn best_splits(parts: &[Option<Part<'_>>]) -> Vec<usize> {
    let n = parts.len();
    let shapes: Vec<(usize, usize)> = parts.iter().flatten().map(Part::shape).collect();
    let mut costs = vec![0.0; (n + 1) * (n + 1)];
    let mut splits = vec![0; (n + 1) * (n + 1)];
    for length in 2..=n {
        for from in 0..=n - length {
            let to = from + length;
            let mut best = f64::INFINITY;
            for split in from + 1..to {
                let (m, k, n_to) = (shapes[from].0 as f64, shapes[split].0 as f64, shapes[to - 1].1 as f64);
                let this = costs[from * (n + 1) + split] + costs[split * (n + 1) + to] + m * k * n_to;
                if this < best {
                    best = this;
                    splits[from * (n + 1) + to] = split;
                }
            }
            costs[from * (n + 1) + to] = best;
        }
    }
    splits
}

/// At most [`LONGEST_SEARCHED`] calls deep.
fn by_splits<'a>(parts: &mut [Option<Part<'a>>], splits: &[usize], n: usize, from: usize, to: usize) -> Part<'a> {
    if to == from + 1 {
        return parts[from].take().expect("each factor is used once");
    }
    let split = splits[from * (n + 1) + to];
    let left = by_splits(parts, splits, n, from, split);
    let right = by_splits(parts, splits, n, split, to);
    join(Some(left), Some(right))
}

fn from_the_cheaper_end(parts: Vec<Option<Part<'_>>>) -> Part<'_> {
    let shapes: Vec<(usize, usize)> = parts.iter().flatten().map(Part::shape).collect();
    let (rows, columns) = (shapes[0].0, shapes[shapes.len() - 1].1);
    let mut list = parts.into_iter().flatten();
    if rows <= columns {
        let first = list.next().expect("a chain has factors");
        list.fold(first, |left, right| join(Some(left), Some(right)))
    } else {
        let mut list = list.rev();
        let last = list.next().expect("a chain has factors");
        list.fold(last, |right, left| join(Some(left), Some(right)))
    }
}

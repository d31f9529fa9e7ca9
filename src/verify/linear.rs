//! Linear algebra over any field of numbers with a slope: products, elimination, and what is made of them. Inverses and
//! determinants carry their slopes along, since elimination is nothing but sums, products and quotients.

use super::values::{Field, Grid};
use crate::number::Number;

/// A matrix over a field.
pub type Of<F> = Grid<<F as Field>::Scalar>;

/// An integer.
pub fn integer<F: Field>(field: &F, value: i64) -> F::Scalar {
    field.number(Number::integer(value)).expect("an integer is a number of every field")
}

/// a − b
pub fn minus<F: Field>(field: &F, a: F::Scalar, b: F::Scalar) -> F::Scalar {
    field.add(a, field.times(integer(field, -1), b))
}

/// The sum of numbers.
pub fn total<F: Field>(field: &F, list: impl Iterator<Item = F::Scalar>) -> F::Scalar {
    list.fold(integer(field, 0), |sum, x| field.add(sum, x))
}

/// A·B; `None` where they do not fit.
pub fn multiply<F: Field>(field: &F, a: &Of<F>, b: &Of<F>) -> Option<Of<F>> {
    if a.is_scalar() || b.is_scalar() {
        return a.pairs(b, |x, y| Some(field.times(x, y)));
    }
    if a.columns != b.rows {
        return None;
    }
    Some(Grid::from_fn(a.rows, b.columns, |i, j| {
        total(field, (0..a.columns).map(|k| field.times(a.at(i, k), b.at(k, j))))
    }))
}

/// I
pub fn identity<F: Field>(field: &F, n: usize) -> Of<F> {
    Grid::from_fn(n, n, |i, j| integer(field, i64::from(i == j)))
}

/// A + B of one shape.
pub fn add<F: Field>(field: &F, a: &Of<F>, b: &Of<F>) -> Option<Of<F>> {
    a.pairs(b, |x, y| Some(field.add(x, y)))
}

/// c·A
pub fn scale<F: Field>(field: &F, c: F::Scalar, a: &Of<F>) -> Of<F> {
    a.map(|x| field.times(c, x))
}

/// The inverse, where there is one, and the determinant.
pub fn eliminate<F: Field>(field: &F, a: &Of<F>) -> Option<(Option<Of<F>>, F::Scalar)> {
    if a.rows != a.columns {
        return None;
    }
    let n = a.rows;
    let mut left = a.clone();
    let mut right = identity(field, n);
    let mut determinant = integer(field, 1);
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| field.size(left.at(i, k)).total_cmp(&field.size(left.at(j, k))))?;
        if field.size(left.at(pivot, k)) < 1e-13 {
            // A determinant of 0 still has a slope, which this elimination does not give.
            return None;
        }
        if pivot != k {
            for j in 0..n {
                left.entries.swap(pivot * n + j, k * n + j);
                right.entries.swap(pivot * n + j, k * n + j);
            }
            determinant = field.times(integer(field, -1), determinant);
        }
        determinant = field.times(determinant, left.at(k, k));
        let factor = field.inverse(left.at(k, k))?;
        for j in 0..n {
            left.entries[k * n + j] = field.times(factor, left.at(k, j));
            right.entries[k * n + j] = field.times(factor, right.at(k, j));
        }
        for i in (0..n).filter(|&i| i != k) {
            let factor = left.at(i, k);
            for j in 0..n {
                left.entries[i * n + j] = minus(field, left.at(i, j), field.times(factor, left.at(k, j)));
                right.entries[i * n + j] = minus(field, right.at(i, j), field.times(factor, right.at(k, j)));
            }
        }
    }
    Some((Some(right), determinant))
}

/// A⁻¹
pub fn inverse<F: Field>(field: &F, a: &Of<F>) -> Option<Of<F>> {
    eliminate(field, a)?.0
}

/// A^k for an integer k.
pub fn integer_power<F: Field>(field: &F, a: &Of<F>, k: i64) -> Option<Of<F>> {
    let mut base = if k < 0 { inverse(field, a)? } else { a.clone() };
    let mut out = identity(field, a.rows);
    let mut rest = k.unsigned_abs();
    while rest > 0 {
        if rest & 1 == 1 {
            out = multiply(field, &out, &base)?;
        }
        base = multiply(field, &base, &base)?;
        rest >>= 1;
    }
    Some(out)
}

/// The Moore-Penrose inverse at full rank.
pub fn pseudo_inverse<F: Field>(field: &F, a: &Of<F>) -> Option<Of<F>> {
    let turned = a.transpose();
    if a.rows >= a.columns {
        multiply(field, &inverse(field, &multiply(field, &turned, a)?)?, &turned)
    } else {
        multiply(field, &turned, &inverse(field, &multiply(field, a, &turned)?)?)
    }
}

/// exp(A) by its series after halving; only where limits are at home.
pub fn exponential<F: Field>(field: &F, a: &Of<F>) -> Option<Of<F>> {
    if !field.has_limits() || a.rows != a.columns {
        return None;
    }
    const HALVINGS: u32 = 8;
    let step = field.number(Number::Ratio(1, 1 << HALVINGS))?;
    let small = scale(field, step, a);
    let mut term = identity(field, a.rows);
    let mut sum = term.clone();
    for k in 1..16 {
        let factor = field.number(Number::Ratio(1, k))?;
        term = scale(field, factor, &multiply(field, &term, &small)?);
        sum = add(field, &sum, &term)?;
    }
    for _ in 0..HALVINGS {
        sum = multiply(field, &sum, &sum)?;
    }
    Some(sum)
}

/// The lower Cholesky factor of (A + Aᵀ)/2.
pub fn cholesky<F: Field>(field: &F, a: &Of<F>) -> Option<Of<F>> {
    if !field.has_limits() || a.rows != a.columns {
        return None;
    }
    let n = a.rows;
    let half = field.number(Number::HALF)?;
    let a = Grid::from_fn(n, n, |i, j| field.times(half, field.add(a.at(i, j), a.at(j, i))));
    let mut lower = Grid::from_fn(n, n, |_, _| integer(field, 0));
    for j in 0..n {
        for i in j..n {
            let known = total(field, (0..j).map(|k| field.times(lower.at(i, k), lower.at(j, k))));
            let rest = minus(field, a.at(i, j), known);
            lower.entries[i * n + j] = if i == j {
                field.apply(crate::functions::Function::Sqrt, rest)?
            } else {
                field.times(rest, field.inverse(lower.at(j, j))?)
            };
        }
    }
    Some(lower)
}

/// The root of a positive definite matrix, and its inverse, by the iteration of Denman and Beavers (1976).
pub fn square_root<F: Field>(field: &F, a: &Of<F>) -> Option<(Of<F>, Of<F>)> {
    if !field.has_limits() || a.rows != a.columns {
        return None;
    }
    let half = field.number(Number::HALF)?;
    let (mut root, mut inverse_root) = (a.clone(), identity(field, a.rows));
    for _ in 0..30 {
        let next = scale(field, half, &add(field, &root, &inverse(field, &inverse_root)?)?);
        inverse_root = scale(field, half, &add(field, &inverse_root, &inverse(field, &root)?)?);
        root = next;
    }
    Some((root, inverse_root))
}

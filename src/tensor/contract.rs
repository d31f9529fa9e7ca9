//! Numbers of a derivative: the numbers of its factors come in, those of the dense tensor go out. Sums are taken in an order
//! of low cost, two factors at a time; a delta restricts what is written and is never a matrix.

use std::borrow::Cow;

use super::index::{Entries, Index, Term};
use crate::dimension::DimId;
use crate::expr::ExprId;
use crate::matrix::Matrix;

/// The numbers of a term.
#[derive(Clone, Debug)]
pub struct TermNumbers<'a> {
    /// The coefficient.
    pub coefficient: f64,
    /// The factors in order.
    pub factors: Vec<Cow<'a, Matrix>>,
    /// The sizes of the indices that are summed over.
    pub summed: Vec<usize>,
}

/// What must be evaluated for the numbers of a derivative: of each term the coefficient, then the factors.
pub fn roots(entries: &Entries) -> Vec<ExprId> {
    entries.terms.iter().flat_map(|t| std::iter::once(t.coefficient).chain(t.factors.iter().map(|f| f.expr))).collect()
}

/// The numbers of the terms from those of [`roots`], in the same order; `size` gives the value of a dimension.
pub fn numbers<'a>(
    entries: &Entries,
    values: impl IntoIterator<Item: Into<Cow<'a, Matrix>>>,
    size: &dyn Fn(DimId) -> usize,
) -> Vec<TermNumbers<'a>> {
    let mut values = values.into_iter();
    let mut next = || values.next().expect("a value for each root").into();
    let mut of_term = |term: &Term| TermNumbers {
        coefficient: next().entries()[0],
        factors: term.factors.iter().map(|_| next()).collect(),
        summed: term.summed.iter().map(|&d| size(d)).collect(),
    };
    entries.terms.iter().map(&mut of_term).collect()
}

/// How many entries the dense tensor has; `None` where that cannot be counted.
pub fn dense_size(axes: &[usize]) -> Option<usize> {
    axes.iter().try_fold(1_usize, |all, &n| all.checked_mul(n)).filter(|all| all.checked_mul(8).is_some())
}

/// A matrix product to be computed: m×k times k×n, each factor anywhere in memory.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    /// The sizes m, k, n.
    pub sizes: (usize, usize, usize),
    /// The left factor.
    pub left: Strided<'a>,
    /// The right factor.
    pub right: Strided<'a>,
    /// Whether the result is known to be symmetric, so that half of it tells the other.
    pub symmetric: bool,
}

/// Entries with the distances from a row, and from a column, to the next.
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a> {
    /// The numbers.
    pub entries: &'a [f64],
    /// From a row to the next.
    pub row_stride: usize,
    /// From a column to the next.
    pub column_stride: usize,
}

impl Strided<'_> {
    fn matrix(self, rows: usize, columns: usize) -> Matrix {
        Matrix::from_fn(rows, columns, |i, j| self.entries[i * self.row_stride + j * self.column_stride])
    }
}

/// What computes the large parts of a dense tensor.
pub trait Arithmetic {
    /// A matrix product row after row.
    fn multiply(&mut self, product: &Product<'_>) -> Vec<f64>;

    /// So many zeros.
    fn zeros(&mut self, length: usize) -> Vec<f64> {
        vec![0.0; length]
    }
}

/// That of the reference.
#[derive(Clone, Copy, Debug)]
pub struct Reference;

impl Arithmetic for Reference {
    fn multiply(&mut self, product: &Product<'_>) -> Vec<f64> {
        reference(product)
    }
}

/// The product by the reference's arithmetic, row after row.
pub fn reference(product: &Product<'_>) -> Vec<f64> {
    let (m, k, n) = product.sizes;
    product.left.matrix(m, k).multiply(&product.right.matrix(k, n)).into_entries()
}

/// The dense tensor with the axes in order, the last one fastest; nothing where there is no room for it.
pub fn dense(
    entries: &Entries,
    axes: &[usize],
    terms: &[TermNumbers<'_>],
    arithmetic: &mut dyn Arithmetic,
) -> Option<Vec<f64>> {
    let size = dense_size(axes)?;
    // Whether there is room is asked first.
    Vec::<f64>::new().try_reserve_exact(size).ok()?;
    let mut out = Vec::new();
    for (term, numbers) in entries.terms.iter().zip(terms) {
        let sizes: Vec<usize> = axes.iter().chain(&numbers.summed).copied().collect();
        let arrays = term
            .factors
            .iter()
            .zip(&numbers.factors)
            .map(|(factor, matrix)| Array { at: factor.at.clone(), entries: Cow::Borrowed(matrix.entries()) });
        let arrays: Vec<Array<'_>> = arrays.collect();
        let arrays = match is_symmetric(entries, term) {
            true => contracted_by_sides(arrays, axes.len(), &sizes, &mut |of| arithmetic.multiply(of)),
            false => {
                let sums = Sums { kept: &[], symmetric: false };
                contracted(arrays, axes.len(), &sizes, &sums, &mut |of| arithmetic.multiply(of))
            }
        };
        if out.is_empty() {
            if term.deltas.is_empty() && is_whole(&arrays, axes) {
                out = arrays.into_iter().next().expect("one array").entries.into_owned();
                if numbers.coefficient != 1.0 {
                    out.iter_mut().for_each(|x| *x *= numbers.coefficient);
                }
                continue;
            }
            out = arithmetic.zeros(size);
        }
        write(&mut out, axes, &term.deltas, numbers.coefficient, &arrays, &sizes);
    }
    if out.is_empty() {
        out = arithmetic.zeros(size);
    }
    Some(out)
}

/// Whether a term's only array has all axes in order.
fn is_whole(arrays: &[Array<'_>], axes: &[usize]) -> bool {
    matches!(arrays, [array] if array.at.iter().copied().eq(0..axes.len()))
}

/// Whether a term stays the same when the axes of what is differentiated change places with the others.
fn is_symmetric(entries: &Entries, term: &Term) -> bool {
    let rows = entries.rows;
    if entries.axes.len() != 2 * rows {
        return false;
    }
    let turned = |i: Index| match i {
        i if i < rows => i + rows,
        i if i < 2 * rows => i - rows,
        i => i,
    };
    let mut own: Vec<_> = term.factors.iter().map(|f| (f.expr, f.at.clone())).collect();
    let mut other: Vec<_> = own.iter().map(|(expr, at)| (*expr, at.iter().map(|&i| turned(i)).collect())).collect();
    own.sort_unstable();
    other.sort_unstable();
    own == other && term.deltas.is_empty()
}

/// Numbers with an index for each axis, the last one fastest.
#[derive(Clone, Debug)]
struct Array<'a> {
    at: Vec<Index>,
    entries: Cow<'a, [f64]>,
}

impl Array<'_> {
    /// The same with the axes in another order.
    fn in_order(&self, order: &[Index], sizes: &[usize]) -> Cow<'_, [f64]> {
        if self.at == order {
            return Cow::Borrowed(&self.entries);
        }
        let own: Vec<usize> = order.iter().map(|i| self.stride(*i, sizes)).collect();
        let lengths: Vec<usize> = order.iter().map(|&i| sizes[i]).collect();
        let mut out = Vec::with_capacity(self.entries.len());
        walk(&lengths, &mut |counters| {
            let place: usize = counters.iter().zip(&own).map(|(c, s)| c * s).sum();
            out.push(self.entries[place]);
        });
        Cow::Owned(out)
    }

    /// The distances from a row, and from a column, to the next, where the array stands in memory as a matrix whose rows run over
    /// these indices and whose columns over those.
    fn strides_as_matrix(&self, rows: &[Index], columns: &[Index], sizes: &[usize]) -> Option<(usize, usize)> {
        let count = |list: &[Index]| list.iter().map(|&i| sizes[i]).product::<usize>();
        let is = |first: &[Index], second: &[Index]| self.at.iter().eq(first.iter().chain(second));
        if is(rows, columns) {
            return Some((count(columns), 1));
        }
        is(columns, rows).then(|| (1, count(rows)))
    }

    /// How far apart entries are that differ by one in an index; 0 where the array does not have it.
    fn stride(&self, index: Index, sizes: &[usize]) -> usize {
        match self.at.iter().position(|&i| i == index) {
            Some(place) => self.at[place + 1..].iter().map(|&i| sizes[i]).product(),
            None => 0,
        }
    }
}

/// Calls `visit` with all counters below the lengths, the last one fastest.
fn walk(lengths: &[usize], visit: &mut dyn FnMut(&[usize])) {
    if lengths.contains(&0) {
        return;
    }
    let mut counters = vec![0; lengths.len()];
    loop {
        visit(&counters);
        let mut place = lengths.len();
        loop {
            if place == 0 {
                return;
            }
            place -= 1;
            counters[place] += 1;
            if counters[place] < lengths[place] {
                break;
            }
            counters[place] = 0;
        }
    }
}

/// As [`contracted`], of a symmetric term: the factors of each side of the axes first, so that the last product is a matrix times
/// its transpose, of which half tells the other.
fn contracted_by_sides<'a>(
    arrays: Vec<Array<'a>>,
    axes: usize,
    sizes: &[usize],
    multiply: &mut dyn FnMut(&Product<'_>) -> Vec<f64>,
) -> Vec<Array<'a>> {
    let half = axes / 2;
    // What has an axis of the second side is on it; what has none of either, as weights, is on the first.
    let on_second = |array: &Array<'_>| array.at.iter().any(|&i| (half..axes).contains(&i));
    let indices = |second: bool| -> Vec<Index> {
        let mut all: Vec<Index> =
            arrays.iter().filter(|array| on_second(array) == second).flat_map(|array| array.at.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (of_first, of_second) = (indices(false), indices(true));
    let length = |of: &[Index]| of.iter().fold(1_usize, |all, &i| all.saturating_mul(sizes[i]));
    let result = sizes[..axes].iter().fold(1_usize, |all, &n| all.saturating_mul(n));
    if length(&of_first).max(length(&of_second)) > result.max(LARGEST_SIDE) {
        return contracted(arrays, axes, sizes, &Sums { kept: &[], symmetric: true }, multiply);
    }
    let (second, first): (Vec<_>, Vec<_>) = arrays.into_iter().partition(on_second);
    let mut all = contracted(first, axes, sizes, &Sums { kept: &of_second, symmetric: false }, multiply);
    all.extend(contracted(second, axes, sizes, &Sums { kept: &of_first, symmetric: false }, multiply));
    contracted(all, axes, sizes, &Sums { kept: &[], symmetric: true }, multiply)
}

/// A side of a symmetric term is made whole where it has no more entries than this, or than the result.
const LARGEST_SIDE: usize = 1 << 24;

/// What a contraction sums.
struct Sums<'s> {
    /// Indices that stay, as they stand elsewhere too.
    kept: &'s [Index],
    /// Whether the whole is symmetric in the two sides of the axes.
    symmetric: bool,
}

/// The arrays with all summed indices summed: always the two whose product costs least. Those that share an index which is kept are
/// brought together too.
fn contracted<'a>(
    mut arrays: Vec<Array<'a>>,
    axes: usize,
    sizes: &[usize],
    sums: &Sums<'_>,
    multiply: &mut dyn FnMut(&Product<'_>) -> Vec<f64>,
) -> Vec<Array<'a>> {
    for a in 0..arrays.len() {
        let alone = |i: Index| {
            i >= axes
                && !sums.kept.contains(&i)
                && arrays.iter().enumerate().all(|(b, other)| b == a || !other.at.contains(&i))
        };
        if arrays[a].at.iter().any(|&i| alone(i)) {
            let (summed, at): (Vec<Index>, Vec<Index>) = arrays[a].at.iter().partition(|&&i| alone(i));
            let count = summed.iter().map(|&i| sizes[i]).product::<usize>().max(1);
            let entries = arrays[a].in_order(&[&at[..], &summed].concat(), sizes);
            let entries = entries.chunks(count).map(|part| part.iter().sum()).collect();
            arrays[a] = Array { at, entries: Cow::Owned(entries) };
        }
    }
    loop {
        let mut best: Option<(f64, usize, usize)> = None;
        for a in 0..arrays.len() {
            for b in a + 1..arrays.len() {
                let shares = arrays[a].at.iter().any(|i| *i >= axes && arrays[b].at.contains(i));
                if !shares {
                    continue;
                }
                let mut all = arrays[a].at.clone();
                all.extend(arrays[b].at.iter().filter(|i| !arrays[a].at.contains(i)));
                let cost: f64 = all.iter().map(|&i| sizes[i] as f64).product();
                if best.is_none_or(|(least, ..)| cost < least) {
                    best = Some((cost, a, b));
                }
            }
        }
        let Some((_, a, b)) = best else { return arrays };
        let (mut right, mut left) = (arrays.remove(b), arrays.remove(a));
        // The result's rows come before its columns, as the axes do.
        let first = |of: &Array<'_>, other: &Array<'_>| of.at.iter().copied().find(|i| !other.at.contains(i));
        if first(&right, &left) < first(&left, &right) {
            std::mem::swap(&mut left, &mut right);
        }
        let kept = |i: &Index| *i < axes || sums.kept.contains(i) || arrays.iter().any(|other| other.at.contains(i));
        let mut product = |mut of: Product<'_>, rows: &[Index], columns: &[Index]| {
            // Of the last product of a symmetric term rows and columns are the axes of the two sides.
            let half = axes / 2;
            let sides = rows.iter().zip(columns).all(|(&i, &j)| i.abs_diff(j) == half && i < axes && j < axes);
            of.symmetric = sums.symmetric && arrays.is_empty() && rows.len() == half && columns.len() == half && sides;
            multiply(&of)
        };
        let product = pair(&left, &right, &kept, sizes, &mut product);
        arrays.push(product);
    }
}

/// Computes a matrix product, told which indices its rows and its columns run over.
type Multiply<'a> = dyn FnMut(Product<'_>, &[Index], &[Index]) -> Vec<f64> + 'a;

/// Two arrays as a stack of matrix products: over the indices that stand in both and are kept, one product each.
fn pair(
    left: &Array<'_>,
    right: &Array<'_>,
    kept: &dyn Fn(&Index) -> bool,
    sizes: &[usize],
    multiply: &mut Multiply<'_>,
) -> Array<'static> {
    let both: Vec<Index> = left.at.iter().copied().filter(|i| right.at.contains(i)).collect();
    let (stack, summed): (Vec<Index>, Vec<Index>) = both.iter().partition(|i| kept(i));
    let only = |a: &Array<'_>| -> Vec<Index> { a.at.iter().copied().filter(|i| !both.contains(i)).collect() };
    let (rows, columns) = (only(left), only(right));
    let count = |list: &[Index]| list.iter().map(|&i| sizes[i]).product::<usize>();
    let (depth, m, k, n) = (count(&stack), count(&rows), count(&summed), count(&columns));
    // What stands in memory as a matrix is multiplied where it lies.
    if let (true, true, Some((p, q)), Some((r, s))) = (
        stack.is_empty(),
        k > 1,
        left.strides_as_matrix(&rows, &summed, sizes),
        right.strides_as_matrix(&summed, &columns, sizes),
    ) {
        let of = Product {
            sizes: (m, k, n),
            left: Strided { entries: &left.entries, row_stride: p, column_stride: q },
            right: Strided { entries: &right.entries, row_stride: r, column_stride: s },
            symmetric: false,
        };
        let entries = multiply(of, &rows, &columns);
        return Array { at: [rows, columns].concat(), entries: Cow::Owned(entries) };
    }
    let a = left.in_order(&[&stack[..], &rows, &summed].concat(), sizes);
    let b = right.in_order(&[&stack[..], &summed, &columns].concat(), sizes);
    let mut entries = Vec::with_capacity(depth * m * n);
    if k == 1 {
        for s in 0..depth {
            for &x in &a[s * m..(s + 1) * m] {
                entries.extend(b[s * n..(s + 1) * n].iter().map(|&y| x * y));
            }
        }
    } else {
        for s in 0..depth {
            let of = Product {
                sizes: (m, k, n),
                left: Strided { entries: &a[s * m * k..(s + 1) * m * k], row_stride: k, column_stride: 1 },
                right: Strided { entries: &b[s * k * n..(s + 1) * k * n], row_stride: n, column_stride: 1 },
                symmetric: false,
            };
            // In a stack of products none is known to be symmetric.
            let own = multiply(of, if depth == 1 { &rows } else { &[] }, &columns);
            entries.extend(own);
        }
    }
    Array { at: [stack, rows, columns].concat(), entries: Cow::Owned(entries) }
}

/// Adds coefficient · Π arrays to the tensor, where the axes of each delta are equal.
fn write(
    out: &mut [f64],
    axes: &[usize],
    deltas: &[(Index, Index)],
    coefficient: f64,
    arrays: &[Array<'_>],
    sizes: &[usize],
) {
    if deltas.is_empty() && is_whole(arrays, axes) {
        let array = &arrays[0];
        out.iter_mut().zip(&*array.entries).for_each(|(to, x)| *to += coefficient * x);
        return;
    }
    let own = |axis: usize| axes[axis + 1..].iter().product::<usize>();
    let free: Vec<Index> = (0..axes.len()).filter(|&i| deltas.iter().all(|&(_, other)| other != i)).collect();
    let steps: Vec<usize> = free
        .iter()
        .map(|&i| own(i) + deltas.iter().filter(|&&(first, _)| first == i).map(|&(_, other)| own(other)).sum::<usize>())
        .collect();
    let strides: Vec<Vec<usize>> =
        arrays.iter().map(|array| free.iter().map(|&i| array.stride(i, sizes)).collect()).collect();
    let lengths: Vec<usize> = free.iter().map(|&i| sizes[i]).collect();
    let (last, outer) = match lengths.split_last() {
        Some((&last, outer)) => (last, outer),
        None => (1, &lengths[..]),
    };
    let step = steps.last().copied().unwrap_or(0);
    let mut moving: Vec<(&[f64], usize)> = Vec::with_capacity(arrays.len());
    walk(outer, &mut |counters| {
        let at = |list: &[usize]| counters.iter().zip(list).map(|(c, s)| c * s).sum::<usize>();
        let mut place = at(&steps);
        let mut factor = coefficient;
        moving.clear();
        for (array, own) in arrays.iter().zip(&strides) {
            let start = at(own);
            match own.last().copied().unwrap_or(0) {
                0 => factor *= array.entries[start],
                stride => moving.push((&array.entries[start..], stride)),
            }
        }
        if factor == 0.0 && moving.iter().all(|(list, _)| list.iter().all(|x| x.is_finite())) {
            return;
        }
        match moving.as_slice() {
            [] => (0..last).for_each(|t| out[place + t * step] += factor),
            &[(list, stride)] => {
                for t in 0..last {
                    out[place] += factor * list[t * stride];
                    place += step;
                }
            }
            many => {
                for t in 0..last {
                    let product: f64 = many.iter().map(|(list, stride)| list[t * stride]).product();
                    out[place] += factor * product;
                    place += step;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::index::{Entries, Factor, Term};
    use super::{Reference, TermNumbers, dense};
    use crate::dimension::DimId;
    use crate::expr::ExprId;
    use crate::matrix::Matrix;

    fn entries(axes: usize, factors: Vec<Vec<usize>>, deltas: Vec<(usize, usize)>) -> Entries {
        let factors = factors.into_iter().map(|at| Factor { expr: ExprId(0), at }).collect();
        let term = Term { coefficient: ExprId(0), factors, deltas, summed: Vec::new() };
        Entries { axes: vec![DimId::ONE; axes], rows: 2, terms: vec![term] }
    }

    fn counted(rows: usize, columns: usize, from: f64) -> Matrix {
        Matrix::from_fn(rows, columns, |i, j| from + (i * columns + j) as f64)
    }

    #[test]
    fn a_delta_is_written_on_its_diagonal_only() {
        // A_ik δ_jl
        let numbers = TermNumbers { coefficient: 2.0, factors: vec![counted(2, 3, 1.0).into()], summed: vec![] };
        let out =
            dense(&entries(4, vec![vec![0, 2]], vec![(1, 3)]), &[2, 4, 3, 4], &[numbers], &mut Reference).unwrap();
        for (place, &x) in out.iter().enumerate() {
            let (i, j, k, l) = (place / 48, place / 12 % 4, place / 4 % 3, place % 4);
            let expected = if j == l { 2.0 * (1 + 3 * i + k) as f64 } else { 0.0 };
            assert_eq!(x, expected, "{i} {j} {k} {l}");
        }
    }

    #[test]
    fn an_index_of_four_factors_is_summed() {
        // Σ_a X_ai p_a X_aj p_a
        let (x, p) = (counted(3, 2, 1.0), counted(3, 1, 2.0));
        let factors = [&x, &p, &x, &p].map(|factor| factor.into()).to_vec();
        let numbers = TermNumbers { coefficient: 1.0, factors, summed: vec![3] };
        let out = dense(
            &entries(2, vec![vec![2, 0], vec![2], vec![2, 1], vec![2]], vec![]),
            &[2, 2],
            &[numbers],
            &mut Reference,
        )
        .unwrap();
        for i in 0..2 {
            for j in 0..2 {
                let entry = |a: usize, i: usize| x.entries()[a * 2 + i];
                let expected: f64 = (0..3).map(|a| entry(a, i) * entry(a, j) * p.entries()[a] * p.entries()[a]).sum();
                assert_eq!(out[i * 2 + j], expected);
            }
        }
    }
}

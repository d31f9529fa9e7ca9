//! Softmax, its logarithm, log-sum-exp and cross-entropy of the rows of a matrix: exp(x − max) is taken once, and nothing
//! overflows. A whole row −∞ gives NaN where its softmax is asked, as the definition does.

use std::mem::MaybeUninit;

use super::simd::{Kernel, Lanes, array, functions, transpose};
use super::{Float, InstructionSet, View, ViewMut};

/// What each row is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a, T> {
    /// A matrix of weights Y of the shape of Z, as a one-hot matrix.
    Weights(View<'a, T>),
    /// The column of each row's one entry 1.
    Labels(&'a [u32]),
}

/// The softmax of each row.
///
/// # Panics
/// Where the shapes differ or a stride between columns is not 1.
pub fn softmax<T: Float>(set: InstructionSet, z: View<'_, T>, out: ViewMut<'_, T>) {
    rows(set, z, Asked::Softmax, out)
}

/// The logarithm of the softmax of each row.
///
/// # Panics
/// As [`softmax`].
pub fn log_softmax<T: Float>(set: InstructionSet, z: View<'_, T>, out: ViewMut<'_, T>) {
    rows(set, z, Asked::LogSoftmax, out)
}

/// log Σⱼ exp(zᵢⱼ) of each row, m×1.
///
/// # Panics
/// Where the shapes do not fit or a stride between columns of `z` is not 1.
pub fn log_sum_exp<T: Float>(set: InstructionSet, z: View<'_, T>, out: ViewMut<'_, T>) {
    rows(set, z, Asked::LogSumExp, out)
}

/// What [`cross_entropy`] writes.
#[derive(Debug)]
pub struct Results<'a, T> {
    /// The softmax P of each row.
    pub probabilities: Option<ViewMut<'a, T>>,
    /// scale·(P − Y): the gradient of the loss by Z where the rows of Y sum to 1.
    pub difference: Option<(T, ViewMut<'a, T>)>,
    /// −Σⱼ yᵢⱼ log pᵢⱼ of each row.
    pub losses: Option<&'a mut [T]>,
}

/// Softmax, loss and gradient of each row in one pass. Gives the sum of the rows' losses.
///
/// # Panics
/// Where the shapes do not fit, a stride between columns is not 1, or a label is no column.
pub fn cross_entropy<T: Float>(
    set: InstructionSet,
    z: View<'_, T>,
    target: Target<'_, T>,
    results: Results<'_, T>,
) -> T {
    let (m, n) = (z.rows(), z.columns());
    check(z);
    match target {
        Target::Weights(y) => {
            assert_eq!((y.rows(), y.columns()), (m, n), "the target does not fit");
            check(y);
        }
        Target::Labels(labels) => {
            assert_eq!(labels.len(), m, "the target does not fit");
            assert!(labels.iter().all(|&label| (label as usize) < n), "a label that is no column");
        }
    }
    for out in results.probabilities.iter().chain(results.difference.iter().map(|(_, out)| out)) {
        check_out(out, m, n);
    }
    if let Some(losses) = &results.losses {
        assert_eq!(losses.len(), m, "the losses do not fit");
    }
    T::cross_entropy(set, CrossEntropy { z, target, results })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Softmax,
    LogSoftmax,
    LogSumExp,
}

fn check<T: Float>(z: View<'_, T>) {
    assert!(z.column_stride() == 1 || z.columns() <= 1, "rows are read along memory");
}

fn check_out<T: Float>(out: &ViewMut<'_, T>, m: usize, n: usize) {
    assert_eq!((out.rows(), out.columns()), (m, n), "the result does not fit");
    assert!(out.column_stride() == 1 || n <= 1, "rows are written along memory");
}

fn rows<T: Float>(set: InstructionSet, z: View<'_, T>, asked: Asked, out: ViewMut<'_, T>) {
    check(z);
    let columns = if asked == Asked::LogSumExp { 1 } else { z.columns() };
    check_out(&out, z.rows(), columns);
    T::rows(set, Rows { z, asked, out })
}

pub(super) struct Rows<'a, T> {
    z: View<'a, T>,
    asked: Asked,
    out: ViewMut<'a, T>,
}

impl<T: Float> Kernel<T> for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) {
        let Rows { z, asked, mut out } = self;
        let n = z.columns();
        for i in 0..z.rows() {
            // SAFETY: row i of both views, whose columns are next to each other; the caller has asked for the instructions of V.
            unsafe {
                let from = z.pointer().add(i * z.row_stride());
                let to = out.pointer().add(i * out.row_stride());
                let largest = largest::<V>(from, n);
                match asked {
                    Asked::Softmax => {
                        let sum = exponentials::<V>(from, largest, to, n);
                        let scale = T::ONE / sum;
                        each::<V>(
                            to,
                            to,
                            n,
                            #[inline(always)]
                            |x| x * V::splat(scale),
                        );
                    }
                    Asked::LogSoftmax => {
                        let sum = sum_of_exponentials::<V>(from, largest, n);
                        let log = logarithm(sum);
                        each::<V>(
                            from,
                            to,
                            n,
                            #[inline(always)]
                            |x| (x - V::splat(largest)) - V::splat(log),
                        );
                    }
                    Asked::LogSumExp => {
                        let sum = sum_of_exponentials::<V>(from, largest, n);
                        // All −∞, or one +∞: the largest entry is the value.
                        let infinite = largest == T::LOWEST || largest == -T::LOWEST;
                        *to = if infinite { largest } else { largest + logarithm(sum) };
                    }
                }
            }
        }
    }
}

pub(super) struct CrossEntropy<'a, T> {
    z: View<'a, T>,
    target: Target<'a, T>,
    results: Results<'a, T>,
}

/// So many rows have their logarithms taken together.
const ROWS: usize = 16;

impl<T: Float> Kernel<T> for CrossEntropy<'_, T> {
    type Output = T;

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) -> T {
        let CrossEntropy { z, target, mut results } = self;
        let (m, n) = (z.rows(), z.columns());
        let mut total = 0.0;
        let mut first = 0;
        while first < m && n <= FEW {
            let count = V::COUNT.min(m - first);
            // SAFETY: rows of every view, whose columns are next to each other; the caller has asked for the instructions of V.
            total += unsafe { few_columns::<V>(first, count, z, &target, &mut results) };
            first += count;
        }
        while first < m {
            let count = ROWS.min(m - first);
            // Of the rows beyond the last, the sum is 1.
            let (mut largest_of, mut sums, mut logs) = ([T::ZERO; ROWS], [T::ONE; ROWS], [T::ZERO; ROWS]);
            // SAFETY: rows of every view, whose columns are next to each other; the caller has asked for the instructions of V.
            unsafe {
                for r in 0..count {
                    let i = first + r;
                    let from = z.pointer().add(i * z.row_stride());
                    largest_of[r] = largest::<V>(from, n);
                    let out = results.probabilities.as_mut().or(results.difference.as_mut().map(|(_, out)| out));
                    sums[r] = match out {
                        Some(out) => exponentials::<V>(from, largest_of[r], out.pointer().add(i * out.row_stride()), n),
                        None => sum_of_exponentials::<V>(from, largest_of[r], n),
                    };
                }
                for r in (0..ROWS).step_by(V::COUNT) {
                    functions::log(V::load(sums.as_ptr().add(r))).store(logs.as_mut_ptr().add(r));
                }
                for r in 0..count {
                    let i = first + r;
                    let normaliser = largest_of[r] + logs[r];
                    let from = z.pointer().add(i * z.row_stride());
                    let loss = match target {
                        Target::Labels(labels) => normaliser - *from.add(labels[i] as usize),
                        Target::Weights(y) => weighted::<V>(y.pointer().add(i * y.row_stride()), from, normaliser, n),
                    };
                    total += loss.to_f64();
                    if let Some(losses) = results.losses.as_deref_mut() {
                        losses[i] = loss;
                    }
                    finish_row::<V>(i, T::ONE / sums[r], n, &target, &mut results);
                }
            }
            first += count;
        }
        T::from_f64(total)
    }
}

/// Up to so many columns the rows stand side by side in the lanes.
const FEW: usize = 16;

/// Numbers of some rows with few columns, each column in a vector.
type Turned<T> = MaybeUninit<[T; FEW * FEW]>;

/// The place of column j.
#[inline(always)]
fn place<T>(of: &mut Turned<T>, j: usize) -> *mut T {
    of.as_mut_ptr().cast::<T>().wrapping_add(j * FEW)
}

/// Turns `count` rows of n columns.
#[inline(always)]
unsafe fn turned<V: Lanes>(
    from: *const V::Scalar,
    down: usize,
    (count, n): (usize, usize),
    to: &mut Turned<V::Scalar>,
) {
    let mut j = 0;
    while j < n {
        let (columns, to) = (V::COUNT.min(n - j), place(to, j));
        // SAFETY: the caller's; there are no more columns than places.
        unsafe { V::turn((count, columns), from.wrapping_add(j), down, to, FEW, V::COUNT) }
        j += columns;
    }
}

/// What [`cross_entropy`] does for rows of few columns, `count` ≤ a vector's numbers of them from row `first` on: nothing is taken
/// together across lanes. Gives the sum of their losses.
#[inline(always)]
unsafe fn few_columns<V: Lanes>(
    first: usize,
    count: usize,
    z: View<'_, V::Scalar>,
    target: &Target<'_, V::Scalar>,
    results: &mut Results<'_, V::Scalar>,
) -> f64 {
    let n = z.columns();
    let shape = (count, n);
    let nothing = Turned::<V::Scalar>::uninit();
    let (mut inputs, mut weights, mut exponentials, mut out) = (nothing, nothing, nothing, nothing);
    let mut losses = [V::Scalar::ZERO; FEW];
    let mut total = 0.0;
    // SAFETY: the caller's; each of the n columns has a place of FEW numbers.
    unsafe {
        let from = z.pointer().add(first * z.row_stride());
        turned::<V>(from, z.row_stride(), shape, &mut inputs);
        let column = |of: &mut Turned<V::Scalar>, j: usize| V::load(place(of, j));
        let (zero, mut largest) = (V::splat(V::Scalar::ZERO), V::splat(V::Scalar::LOWEST));
        for j in 0..n {
            let x = column(&mut inputs, j);
            largest = x.where_or(x.above(largest) | x.is_nan(), largest);
        }
        let mut sum = zero;
        for j in 0..n {
            let e = functions::exp(column(&mut inputs, j) - largest);
            e.store(place(&mut exponentials, j));
            sum = sum + e;
        }
        let (normaliser, inverse) = (largest + functions::log(sum), V::splat(V::Scalar::ONE) / sum);
        match target {
            Target::Labels(labels) => {
                normaliser.store(losses.as_mut_ptr());
                for (loss, (r, &label)) in losses.iter_mut().zip(labels[first..first + count].iter().enumerate()) {
                    *loss = *loss - *from.add(r * z.row_stride() + label as usize);
                }
            }
            Target::Weights(y) => {
                turned::<V>(y.pointer().add(first * y.row_stride()), y.row_stride(), shape, &mut weights);
                let mut loss = zero;
                for j in 0..n {
                    let y = column(&mut weights, j);
                    loss = loss + zero.where_or(y.equals(zero), y * (normaliser - column(&mut inputs, j)));
                }
                loss.store(losses.as_mut_ptr());
            }
        }
        for (r, &loss) in losses[..count].iter().enumerate() {
            total += loss.to_f64();
            if let Some(all) = results.losses.as_deref_mut() {
                all[first + r] = loss;
            }
        }
        if let Some(probabilities) = results.probabilities.as_mut() {
            for j in 0..n {
                (column(&mut exponentials, j) * inverse).store(place(&mut out, j));
            }
            let down = probabilities.row_stride();
            transpose::<V>((n, count), place(&mut out, 0), FEW, probabilities.pointer().add(first * down), down);
        }
        if let Some((scale, difference)) = results.difference.as_mut() {
            let (each, by) = (V::splat(*scale), V::splat(*scale) * inverse);
            for j in 0..n {
                let mut d = column(&mut exponentials, j) * by;
                if let Target::Weights(_) = target {
                    d = d - column(&mut weights, j) * each;
                }
                d.store(place(&mut out, j));
            }
            let down = difference.row_stride();
            let to = difference.pointer().add(first * down);
            transpose::<V>((n, count), place(&mut out, 0), FEW, to, down);
            if let Target::Labels(labels) = target {
                for (r, &label) in labels[first..first + count].iter().enumerate() {
                    let place = to.add(r * down + label as usize);
                    *place = *place - *scale;
                }
            }
        }
    }
    total
}

/// The probabilities of row i and their difference from the target, from the exponentials that were stored and the inverse of
/// their sum.
#[inline(always)]
unsafe fn finish_row<V: Lanes>(
    i: usize,
    inverse: V::Scalar,
    n: usize,
    target: &Target<'_, V::Scalar>,
    results: &mut Results<'_, V::Scalar>,
) {
    // SAFETY: the caller's.
    unsafe {
        let probabilities = results.probabilities.as_mut().map(|out| out.pointer().add(i * out.row_stride()));
        if let Some(out) = probabilities {
            each::<V>(
                out,
                out,
                n,
                #[inline(always)]
                |x| x * V::splat(inverse),
            );
        }
        let Some((scale, out)) = results.difference.as_mut() else { return };
        let (scale, out) = (*scale, out.pointer().add(i * out.row_stride()));
        let (source, factor) = match probabilities {
            Some(probabilities) => (probabilities.cast_const(), scale),
            None => (out.cast_const(), scale * inverse),
        };
        match target {
            Target::Labels(labels) => {
                each::<V>(
                    source,
                    out,
                    n,
                    #[inline(always)]
                    |x| x * V::splat(factor),
                );
                let place = out.add(labels[i] as usize);
                *place = *place - scale;
            }
            Target::Weights(y) => {
                let y = y.pointer().add(i * y.row_stride());
                pairs::<V>(
                    source,
                    y,
                    out,
                    n,
                    #[inline(always)]
                    |x, y| x * V::splat(factor) - y * V::splat(scale),
                );
            }
        }
    }
}

fn logarithm<T: Float>(x: T) -> T {
    T::from_f64(x.to_f64().ln())
}

/// The first `count` numbers, `other` in the other lanes.
#[inline(always)]
unsafe fn load_or<V: Lanes>(from: *const V::Scalar, count: usize, other: V) -> V {
    const PLACES: [f64; 16] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12., 13., 14., 15.];
    let places = array!([V::Scalar::ZERO; 16], |i| V::Scalar::from_f64(PLACES[i]));
    // SAFETY: the caller's; no vector has more than 16 lanes.
    unsafe {
        let here = V::splat(V::Scalar::from_f64(count as f64)).above(V::load(places.as_ptr()));
        V::load_first(from, count).where_or(here, other)
    }
}

/// The largest of n numbers, −∞ of none, NaN where there is one.
#[inline(always)]
unsafe fn largest<V: Lanes>(from: *const V::Scalar, n: usize) -> V::Scalar {
    // SAFETY: n numbers can be read.
    unsafe {
        let lowest = V::splat(V::Scalar::LOWEST);
        let mut largest = lowest;
        let mut j = 0;
        while j < n {
            let x = if j + V::COUNT <= n { V::load(from.add(j)) } else { load_or(from.add(j), n - j, lowest) };
            // A NaN wins over what stands before it, and over what comes after.
            largest = x.where_or(x.above(largest) | x.is_nan(), largest);
            j += V::COUNT;
        }
        largest.largest()
    }
}

/// exp(x − largest) of n numbers to memory, and their sum.
#[inline(always)]
unsafe fn exponentials<V: Lanes>(
    from: *const V::Scalar,
    largest: V::Scalar,
    to: *mut V::Scalar,
    n: usize,
) -> V::Scalar {
    // SAFETY: n numbers can be read and written.
    unsafe {
        let shift = V::splat(largest);
        let mut sum = V::splat(V::Scalar::ZERO);
        let mut j = 0;
        while j + V::COUNT <= n {
            let e = functions::exp(V::load(from.add(j)) - shift);
            e.store(to.add(j));
            sum = sum + e;
            j += V::COUNT;
        }
        if j < n {
            // Of −∞ the exponential is 0.
            let e = functions::exp(load_or(from.add(j), n - j, V::splat(V::Scalar::LOWEST)) - shift);
            e.store_first(to.add(j), n - j);
            sum = sum + e;
        }
        sum.sum()
    }
}

/// Σ exp(x − largest) of n numbers.
#[inline(always)]
unsafe fn sum_of_exponentials<V: Lanes>(from: *const V::Scalar, largest: V::Scalar, n: usize) -> V::Scalar {
    // SAFETY: n numbers can be read.
    unsafe {
        let (shift, lowest) = (V::splat(largest), V::splat(V::Scalar::LOWEST));
        let mut sum = V::splat(V::Scalar::ZERO);
        let mut j = 0;
        while j < n {
            let x = if j + V::COUNT <= n { V::load(from.add(j)) } else { load_or(from.add(j), n - j, lowest) };
            sum = sum + functions::exp(x - shift);
            j += V::COUNT;
        }
        sum.sum()
    }
}

/// Σ yⱼ (normaliser − zⱼ), where yⱼ = 0 takes no part.
#[inline(always)]
unsafe fn weighted<V: Lanes>(y: *const V::Scalar, z: *const V::Scalar, normaliser: V::Scalar, n: usize) -> V::Scalar {
    // SAFETY: n numbers can be read from both.
    unsafe {
        let zero = V::splat(V::Scalar::ZERO);
        let mut sum = zero;
        let mut j = 0;
        while j < n {
            let count = (n - j).min(V::COUNT);
            let (y, z) = (V::load_first(y.add(j), count), V::load_first(z.add(j), count));
            sum = sum + zero.where_or(y.equals(zero), y * (V::splat(normaliser) - z));
            j += V::COUNT;
        }
        sum.sum()
    }
}

#[inline(always)]
unsafe fn each<V: Lanes>(from: *const V::Scalar, to: *mut V::Scalar, n: usize, f: impl Fn(V) -> V) {
    // SAFETY: n numbers can be read and written.
    unsafe {
        let mut j = 0;
        while j + V::COUNT <= n {
            f(V::load(from.add(j))).store(to.add(j));
            j += V::COUNT;
        }
        if j < n {
            f(V::load_first(from.add(j), n - j)).store_first(to.add(j), n - j);
        }
    }
}

#[inline(always)]
unsafe fn pairs<V: Lanes>(
    left: *const V::Scalar,
    right: *const V::Scalar,
    to: *mut V::Scalar,
    n: usize,
    f: impl Fn(V, V) -> V,
) {
    // SAFETY: n numbers can be read from both and written.
    unsafe {
        let mut j = 0;
        while j < n {
            let count = (n - j).min(V::COUNT);
            f(V::load_first(left.add(j), count), V::load_first(right.add(j), count)).store_first(to.add(j), count);
            j += V::COUNT;
        }
    }
}

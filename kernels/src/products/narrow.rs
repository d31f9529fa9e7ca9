//! Products with few columns, n ≤ 16, where a tile along the rows of C would leave most of its vectors empty.
//!
//! Where the rows of A are contiguous, vectors run along k and each entry is the sum of a vector's lanes. Where its columns are,
//! the transposed product is made in pieces, which are turned and finished: [`finish_turned`]. One column is a sum of A's
//! columns, which are read in the order in which they stand: [`combination`].

use super::blocks::Source;
use super::tile::{Block, Finish};
use crate::Float;
use crate::simd::{Lanes, array, transpose};

/// At most so many columns.
pub(super) const FEW: usize = 16;
/// So many rows of C are made before they are finished.
const ROWS: usize = 16;
/// The columns of a transposed piece.
pub(super) const PIECE: usize = 128;

/// How a product with few columns is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As any other.
    Plain,
    /// By sums along k.
    Dots,
    /// By transposed pieces.
    Turned,
    /// As a sum of A's columns.
    Combination,
}

/// The way for an m×n result over k.
pub(super) fn way<V: Lanes>((m, n, k): (usize, usize, usize), a: Source<V::Scalar>) -> Way {
    if n == 0 || n > FEW || k == 0 {
        return Way::Plain;
    }
    if a.along == 1 && (k >= 8 * V::COUNT || (n <= 4 && k >= 2 * V::COUNT) || n == 1) {
        return Way::Dots;
    }
    if a.along != 1 && a.down == 1 && n == 1 {
        return Way::Combination;
    }
    if a.along != 1 && a.down == 1 && n <= 12 && m >= 2 * V::COUNT {
        return Way::Turned;
    }
    Way::Plain
}

/// How many numbers these ways need to work with.
pub(super) fn workspace(n: usize, k: usize) -> usize {
    n.min(FEW) * (k + FEW) + ROWS * FEW + FEW + (FEW + FEW) * PIECE + 2 * n
}

/// So many columns are summed before their sum joins the others: a long sum of few rounds less.
const COLUMNS_AT_ONCE: usize = 256;

/// The product with one column, as a sum of A's columns.
///
/// # Safety
/// A has k columns of m contiguous numbers, B k entries, C and what `finish` names m; the workspace is as long as [`workspace`]
/// says. The processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn combination<V: Lanes>(
    (m, k): (usize, usize),
    a: Source<V::Scalar>,
    b: Source<V::Scalar>,
    finish: &Finish<V::Scalar>,
    c: *mut V::Scalar,
    c_down: usize,
    work: *mut V::Scalar,
) {
    let (all, some) = (work, work.wrapping_add(m));
    // SAFETY: the caller's.
    unsafe {
        std::ptr::write_bytes(all, 0, m);
        let mut first = 0;
        while first < k {
            let last = k.min(first + COLUMNS_AT_ONCE);
            std::ptr::write_bytes(some, 0, m);
            let mut p = first;
            while p < last {
                // Four at a time, so that the sums are read and written once for them.
                let count = (last - p).min(4);
                let columns = array!([a.pointer; 4], |q| a.from(0, p + q.min(count - 1)).pointer);
                let weights = array!([V::Scalar::ZERO; 4], |q| {
                    if q < count { *b.from(p + q, 0).pointer } else { V::Scalar::ZERO }
                });
                add_columns::<V>(m, columns, weights, count, some);
                p += count;
            }
            add_columns::<V>(m, [some.cast_const(); 4], [V::Scalar::ONE; 4], 1, all);
            first = last;
        }
        V::call(Block { shape: (m, 1), made: all, pitch: 1, finish, c, c_down });
    }
}

/// Adds the first `count` columns of m numbers, weighted, to `sums`: all four at once, or one after the other.
#[inline(always)]
unsafe fn add_columns<V: Lanes>(
    m: usize,
    columns: [*const V::Scalar; 4],
    weights: [V::Scalar; 4],
    count: usize,
    sums: *mut V::Scalar,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut j = 0;
        let splats = array!(std::mem::zeroed::<[V; 4]>(), |q| V::splat(weights[q]));
        if count == 4 {
            while j + V::COUNT <= m {
                let mut x = V::load(sums.add(j));
                for (column, weight) in columns.iter().zip(splats) {
                    x = weight.times_plus(V::load(column.add(j)), x);
                }
                x.store(sums.add(j));
                j += V::COUNT;
            }
        }
        while j < m {
            let width = V::COUNT.min(m - j);
            let mut x = V::load_first(sums.add(j), width);
            for (column, weight) in columns.iter().zip(splats).take(count) {
                x = weight.times_plus(V::load_first(column.add(j), width), x);
            }
            x.store_first(sums.add(j), width);
            j += width;
        }
    }
}

/// The product by sums along k.
///
/// # Safety
/// A has m rows of k contiguous numbers, B k×n entries, C and what `finish` names m×n; the workspace is as long as [`workspace`]
/// says. The processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn dots<V: Lanes>(
    (m, n, k): (usize, usize, usize),
    a: Source<V::Scalar>,
    b: Source<V::Scalar>,
    finish: &Finish<V::Scalar>,
    c: *mut V::Scalar,
    c_down: usize,
    workspace: *mut V::Scalar,
) {
    let made = workspace;
    let columns = made.wrapping_add(ROWS * FEW + FEW);
    // SAFETY: all places are inside of the factors, the result and the workspace.
    unsafe {
        // The columns of B, each contiguous.
        let pitch = k.next_multiple_of(FEW);
        let b = if b.down == 1 {
            b
        } else {
            if b.along == 1 {
                transpose::<V>((k, n), b.pointer, b.down, columns, pitch);
            } else {
                for j in 0..n {
                    for p in 0..k {
                        *columns.add(j * pitch + p) = *b.from(p, j).pointer;
                    }
                }
            }
            Source { pointer: columns.cast_const(), down: 1, along: pitch }
        };
        let mut i = 0;
        while i < m {
            let rows = ROWS.min(m - i);
            let a = a.from(i, 0);
            let mut j = 0;
            while j < n {
                let from = b.pointer.add(j * b.along);
                let to = made.add(j);
                // As many sums at once as hide the time of an addition, and as two or one turns of lanes make sums of.
                j += match (n - j, V::TALL >= 24) {
                    (4.., true) => some_dots::<V, 4, 4, 16>(rows, k, a, from, b.along, (to, n)),
                    (2..=3, true) => some_dots::<V, 8, 2, 16>(rows, k, a, from, b.along, (to, n)),
                    (_, true) => some_dots::<V, 16, 1, 16>(rows, k, a, from, b.along, (to, n)),
                    (4.., false) => some_dots::<V, 2, 4, 8>(rows, k, a, from, b.along, (to, n)),
                    (2..=3, false) => some_dots::<V, 4, 2, 8>(rows, k, a, from, b.along, (to, n)),
                    (_, false) => some_dots::<V, 8, 1, 8>(rows, k, a, from, b.along, (to, n)),
                };
            }
            let (finish, c) = (&finish.from(i, 0), c.add(i * c_down));
            V::call(Block { shape: (rows, n), made, pitch: n, finish, c, c_down });
            i += rows;
        }
    }
}

/// N columns of up to [`ROWS`] rows, R rows at a time; gives N.
#[inline(always)]
unsafe fn some_dots<V: Lanes, const R: usize, const N: usize, const RN: usize>(
    rows: usize,
    k: usize,
    a: Source<V::Scalar>,
    b: *const V::Scalar,
    b_along: usize,
    (to, to_down): (*mut V::Scalar, usize),
) -> usize {
    let mut i = 0;
    while i < rows {
        // SAFETY: rows beyond the last repeat it, and their sums go nowhere.
        unsafe {
            let mut sums = std::mem::zeroed::<[V; RN]>();
            let row = array!([a.pointer; R], |r| a.pointer.add((i + r).min(rows - 1) * a.down));
            let mut p = 0;
            while p + V::COUNT <= k {
                let columns = array!(std::mem::zeroed::<[V; N]>(), |j| V::load(b.add(j * b_along + p)));
                for r in 0..R {
                    let x = V::load(row[r].add(p));
                    for j in 0..N {
                        sums[r * N + j] = x.times_plus(columns[j], sums[r * N + j]);
                    }
                }
                p += V::COUNT;
            }
            if p < k {
                let columns = array!(std::mem::zeroed::<[V; N]>(), |j| V::load_first(b.add(j * b_along + p), k - p));
                for r in 0..R {
                    let x = V::load_first(row[r].add(p), k - p);
                    for j in 0..N {
                        sums[r * N + j] = x.times_plus(columns[j], sums[r * N + j]);
                    }
                }
            }
            let mut values = [V::Scalar::ZERO; RN];
            V::sums(&sums, values.as_mut_ptr());
            for r in 0..R.min(rows - i) {
                std::ptr::copy_nonoverlapping(values.as_ptr().add(r * N), to.add((i + r) * to_down), N);
            }
        }
        i += R;
    }
    N
}

/// Turns a piece of the transposed product, n×`width` with rows [`PIECE`] apart, and finishes it as rows of C.
///
/// # Safety
/// C, and what `finish` names, have `width` rows of n ≤ [`FEW`] columns; `room` has [`PIECE`]·[`FEW`] numbers. The processor has the
/// instructions of `V`.
#[inline(always)]
pub(super) unsafe fn finish_turned<V: Lanes>(
    (width, n): (usize, usize),
    piece: *const V::Scalar,
    room: *mut V::Scalar,
    finish: &Finish<V::Scalar>,
    c: *mut V::Scalar,
    c_down: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        transpose::<V>((n, width), piece, PIECE, room, n);
        V::call(Block { shape: (width, n), made: room, pitch: n, finish, c, c_down });
    }
}

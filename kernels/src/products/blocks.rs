//! The loops around the tile. k is cut so that a panel of B stays in the second cache; rows are cut so that the copy of their part
//! of A stays small; for each panel of columns all tiles of those rows follow each other.
//!
//! A factor is copied into panels where its own order would cost more than the copy: panels of B have NV vectors for each k,
//! panels of A as many rows as the tile.

use super::ahead::Ahead;
use super::pack;
use super::tile::{Factor, Finish, Held, Strip, Tiles};
use crate::Float;
use crate::simd::Lanes;

/// A matrix that is read: entry (i, j) at `i * down + j * along`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub pointer: *const T,
    pub down: usize,
    pub along: usize,
}

impl<T> Source<T> {
    #[inline]
    pub(super) fn from(self, i: usize, j: usize) -> Source<T> {
        Source { pointer: self.pointer.wrapping_add(i * self.down + j * self.along), ..self }
    }
}

/// Where B comes from.
#[derive(Clone, Copy)]
pub(super) enum Panels<T> {
    Plain(Source<T>),
    /// All panels of all cuts of k, see [`pack_all`].
    Packed(*const T),
}

/// How a product is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cuts {
    /// k at a time.
    pub k: usize,
    /// Rows at a time.
    pub m: usize,
}

/// How many columns the panels of a factor have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Widths {
    /// The numbers of a vector.
    count: usize,
    /// The vectors of a panel, at most.
    most: usize,
}

impl Widths {
    #[inline(always)]
    pub(super) fn of<V: Lanes>() -> Widths {
        Widths { count: V::COUNT, most: V::VECTORS }
    }

    /// The columns of the next panel where so many are left, filled up to whole vectors: as many as a tile has, but no last one of
    /// a single vector, whose tiles would be slow.
    #[inline(always)]
    pub(super) fn panel(self, left: usize) -> usize {
        let vectors = left.div_ceil(self.count);
        let here = if vectors == self.most + 1 { vectors.div_ceil(2) } else { vectors.min(self.most) };
        here * self.count
    }

    /// The columns of all panels together.
    #[inline(always)]
    pub(super) fn padded(self, columns: usize) -> usize {
        columns.next_multiple_of(self.count)
    }
}

/// Bytes of a column of B at a time. A panel of so many k stays in the second cache with what is asked for ahead, and the rows of a
/// tile in the nearest one.
const BYTES_OF_K: usize = 2048;
/// Bytes of A at a time. They are read in order, tile after tile, from wherever they are: more of them are read for each copy of a
/// panel of B.
const BYTES_OF_A: usize = 2200 << 10;
/// A copy of a factor is used for so many rows or columns of the result, or its own order costs less.
const LEAST_USE: usize = 512;

/// k in equal parts.
#[inline]
pub(super) fn cut_k<T>(k: usize) -> usize {
    let parts = k.div_ceil(BYTES_OF_K / size_of::<T>()).max(1);
    k.div_ceil(parts).next_multiple_of(4).max(1)
}

/// The cuts for m rows over k; rounded factors have two k in the place of one.
#[inline]
pub(super) fn cuts<T>(m: usize, k: usize, rounded: bool) -> Cuts {
    let k = if rounded { 2 * cut_k::<T>(k.div_ceil(2)) } else { cut_k::<T>(k) };
    let most = (BYTES_OF_A / (stored(k, rounded) * size_of::<T>())).max(48);
    let parts = m.div_ceil(most).max(1);
    Cuts { k, m: m.div_ceil(parts).next_multiple_of(24) }
}

/// The numbers that so many k take in a packed factor.
#[inline]
fn stored(k: usize, rounded: bool) -> usize {
    if rounded { k.div_ceil(2) } else { k }
}

/// The product of the block; B's panels and A's are made in `workspace`.
///
/// # Safety
/// The factors, C and what `finish` names have the entries of an m×n result over k; the workspace is as long as [`workspace`]
/// says. The processor has the instructions of `V`. Factors that are to be rounded are not packed before, and the processor
/// multiplies pairs.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a product is these things")]
pub(super) unsafe fn product<V: Lanes>(
    (m, n, k): (usize, usize, usize),
    a: Source<V::Scalar>,
    b: Panels<V::Scalar>,
    finish: &Finish<V::Scalar>,
    c: *mut V::Scalar,
    c_down: usize,
    (lower_only, rounded): (bool, bool),
    workspace: *mut V::Scalar,
) {
    // What is not there is left out by the compiler.
    let rounded = V::PAIRS && rounded;
    let cuts = cuts::<V::Scalar>(m, k, rounded);
    let widths = Widths::of::<V>();
    let room_of_b = workspace;
    let room_of_a = workspace.wrapping_add(V::VECTORS * V::COUNT * stored(cuts.k, rounded));
    let widest = widths.panel(n) / V::COUNT;
    let mut first_k = 0;
    loop {
        let depth = cuts.k.min(k - first_k);
        let stored = stored(depth, rounded);
        let ends = first_k + depth >= k;
        let held = if finish.held == Held::Nothing && first_k > 0 { Held::Partial } else { finish.held };
        let here = match held {
            held if ends => Finish { held, ..*finish },
            Held::Result => Finish { sums: std::ptr::null_mut(), squares: std::ptr::null_mut(), ..*finish },
            held => Finish::partial(held),
        };
        let mut row = 0;
        while row < m {
            let height = cuts.m.min(m - row);
            let a = a.from(row, first_k);
            let packed_a = rounded || packs_a::<V>(a, n, depth);
            // SAFETY: all places are inside of the factors, the result and the workspace.
            unsafe {
                if rounded {
                    let mut i = 0;
                    while i < height {
                        let rows = tile_rows::<V>(height - i, widest);
                        let from = a.from(i, 0);
                        let across = Source { down: from.along, along: from.down, ..from };
                        pack::pairs::<V>(across, (depth, rows), rows, room_of_a.wrapping_add(i * stored));
                        i += rows;
                    }
                } else if packed_a {
                    pack::rows::<V>(a, (height, depth), widest, room_of_a);
                }
                let mut column = 0;
                while column < n && !(lower_only && column >= row + height) {
                    let panel = widths.panel(n - column);
                    let width = panel.min(n - column);
                    let vectors = panel / V::COUNT;
                    let last = width - (vectors - 1) * V::COUNT;
                    let mut ahead = Ahead::NOTHING;
                    let (b, last_of_b) = match b {
                        Panels::Packed(all) => {
                            let place = all.wrapping_add(first_k * widths.padded(n) + column * depth);
                            (Factor { pointer: place, across: V::COUNT, along: panel }, V::COUNT)
                        }
                        Panels::Plain(b) => {
                            let b = b.from(first_k, column);
                            let rest = n - column - width;
                            ahead = next_panel(b.from(0, panel), depth, widths.panel(rest).min(rest));
                            if rounded || packs_b::<V>(b, m, depth) {
                                if rounded {
                                    pack::pairs::<V>(b, (depth, width), panel, room_of_b);
                                } else {
                                    pack::columns::<V>(b, depth, width, room_of_b);
                                }
                                (Factor { pointer: room_of_b.cast_const(), across: V::COUNT, along: panel }, V::COUNT)
                            } else {
                                (Factor { pointer: b.pointer, across: V::COUNT, along: b.down }, last)
                            }
                        }
                    };
                    // Packed rows stand as the widest tiles read them.
                    let wide = if packed_a { widest } else { vectors };
                    let mut i = 0;
                    while i < height {
                        let rows = tile_rows::<V>(height - i, wide);
                        if lower_only && column >= row + i + rows {
                            i += rows;
                            continue;
                        }
                        let count = if rows == tile_rows::<V>(usize::MAX, wide) { (height - i) / rows } else { 1 };
                        let (a, a_step) = if packed_a {
                            let pointer = room_of_a.wrapping_add(i * stored).cast_const();
                            (Factor { pointer, across: 1, along: rows }, rows * stored)
                        } else {
                            (Factor { pointer: a.from(i, 0).pointer, across: a.down, along: a.along }, rows * a.down)
                        };
                        let ahead = if i == 0 { ahead } else { Ahead::NOTHING };
                        let finish = here.from(row + i, column);
                        let c = c.wrapping_add((row + i) * c_down + column);
                        let last = (last_of_b, last);
                        strip::<V>(
                            (rows, vectors, rounded),
                            &Strip { count, k: stored, a, a_step, b, last, finish, c, c_down, ahead },
                        );
                        i += count * rows;
                    }
                    column += width;
                }
            }
            row += height;
        }
        first_k += depth;
        if ends {
            break;
        }
    }
}

/// How many rows the next tile has.
#[inline]
pub(super) fn tile_rows<V: Lanes>(left: usize, vectors: usize) -> usize {
    let most = V::TALL / vectors;
    [24, 12, 8, 6, 4, 2, 1].into_iter().find(|&rows| rows <= left && rows <= most).unwrap_or(1)
}

/// What is read next of a panel of B, where it is made of contiguous pieces.
#[inline]
fn next_panel<T>(b: Source<T>, depth: usize, width: usize) -> Ahead<T> {
    match b {
        _ if width == 0 => Ahead::NOTHING,
        Source { pointer, down, along: 1 } => Ahead { pointer, step: down, count: depth, length: width },
        Source { pointer, down: 1, along } => Ahead { pointer, step: along, count: width, length: depth },
        _ => Ahead::NOTHING,
    }
}

/// Whether A is copied: where its rows would push each other out of the cache, or its numbers are far apart.
#[inline]
fn packs_a<V: Lanes>(a: Source<V::Scalar>, n: usize, depth: usize) -> bool {
    let bytes = size_of::<V::Scalar>();
    if n <= LEAST_USE {
        return false;
    }
    if a.along == 1 { (a.down * bytes).is_multiple_of(2048) } else { a.along * bytes * depth > (32 << 10) }
}

/// Whether a panel of B is copied: where it is not contiguous along columns, or pushes itself out of the cache.
#[inline]
fn packs_b<V: Lanes>(b: Source<V::Scalar>, m: usize, depth: usize) -> bool {
    let bytes = size_of::<V::Scalar>();
    b.along != 1 || (m > LEAST_USE && b.down * bytes * depth > (32 << 10))
}

/// Whether there are tiles of this size: the compiler leaves out the others.
#[inline(always)]
const fn fits<V: Lanes>(rows: usize, vectors: usize) -> bool {
    rows * vectors <= V::TALL && vectors <= V::VECTORS
}

/// The strip with tiles of that many rows and vectors.
#[inline(always)]
unsafe fn strip<V: Lanes>((rows, vectors, rounded): (usize, usize, bool), strip: &Strip<V::Scalar>) {
    macro_rules! tiles {
        ($rows:literal, $vectors:literal) => {
            if V::PAIRS && rounded {
                V::call(Tiles::<_, $rows, $vectors, true>(strip));
            } else {
                V::call(Tiles::<_, $rows, $vectors, false>(strip));
            }
        };
        ($($rows:literal)*) => {
            // SAFETY: the caller's.
            unsafe {
                match (rows, vectors) {
                    $(
                        ($rows, 1) if fits::<V>($rows, 1) => tiles!($rows, 1),
                        ($rows, 2) if fits::<V>($rows, 2) => tiles!($rows, 2),
                        ($rows, 3) if fits::<V>($rows, 3) => tiles!($rows, 3),
                    )*
                    _ => unreachable!("a tile of {rows} rows and {vectors} vectors"),
                }
            }
        };
    }
    tiles!(1 2 4 6 8 12 24)
}

/// How many numbers [`product`] needs to work with.
pub(super) fn workspace<V: Lanes>(m: usize, k: usize, rounded: bool) -> usize {
    let cuts = cuts::<V::Scalar>(m, k, rounded);
    (V::VECTORS * V::COUNT + cuts.m) * stored(cuts.k, rounded)
}

/// How many numbers all panels of a k×n factor have.
pub(super) fn packed_length<V: Lanes>(k: usize, n: usize) -> usize {
    k * Widths::of::<V>().padded(n)
}

/// All panels of B: for each cut of k the panels of columns one after the other.
///
/// # Safety
/// B has k×n entries and `to` room for [`packed_length`]. The processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn pack_all<V: Lanes>(b: Source<V::Scalar>, k: usize, n: usize, to: *mut V::Scalar) {
    let widths = Widths::of::<V>();
    let at_once = cut_k::<V::Scalar>(k);
    let mut first_k = 0;
    while first_k < k {
        let depth = at_once.min(k - first_k);
        let mut column = 0;
        while column < n {
            let place = to.wrapping_add(first_k * widths.padded(n) + column * depth);
            let panel = widths.panel(n - column);
            // SAFETY: the panel is inside of the factor and of the room.
            unsafe { pack::columns::<V>(b.from(first_k, column), depth, panel.min(n - column), place) }
            column += panel;
        }
        first_k += depth;
    }
}

/// The workspace's start on a cache line.
pub(super) fn aligned<T: Float>(workspace: &mut [T]) -> *mut T {
    let start = workspace.as_mut_ptr();
    start.wrapping_add(start.align_offset(64).min(LINE))
}

/// Room to start on a cache line.
pub(super) const LINE: usize = 16;

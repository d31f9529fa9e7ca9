//! Copies of factors in the order in which the tile reads them.

use super::blocks::{Source, tile_rows};
use crate::Float;
use crate::simd::Lanes;

/// A panel of B: for each of `depth` k the `width` columns, filled up with zeros to whole vectors.
///
/// # Safety
/// B has `depth` rows and `width` columns; `to` has room for `depth` times the columns of those vectors. The processor has the
/// instructions of `V`.
#[inline(always)]
pub(super) unsafe fn columns<V: Lanes>(b: Source<V::Scalar>, depth: usize, width: usize, to: *mut V::Scalar) {
    let vectors = width.div_ceil(V::COUNT);
    let panel = vectors * V::COUNT;
    // SAFETY: the caller's.
    unsafe {
        if b.along == 1 && width == panel {
            for p in 0..depth {
                for v in 0..vectors {
                    let vector = V::load(b.pointer.add(p * b.down + v * V::COUNT));
                    vector.store(to.add(p * panel + v * V::COUNT));
                }
            }
        } else if b.along == 1 {
            for p in 0..depth {
                for v in 0..vectors {
                    let count = width.saturating_sub(v * V::COUNT).min(V::COUNT);
                    let vector = V::load_first(b.pointer.wrapping_add(p * b.down + v * V::COUNT), count);
                    vector.store(to.add(p * panel + v * V::COUNT));
                }
            }
        } else if b.down == 1 {
            for v in 0..vectors {
                let count = width.saturating_sub(v * V::COUNT).min(V::COUNT);
                let from = b.pointer.wrapping_add(v * V::COUNT * b.along);
                let mut p = 0;
                // Whole blocks, whose size the compiler knows.
                while count == V::COUNT && p + V::COUNT <= depth {
                    let (block, to) = ((V::COUNT, V::COUNT), to.add(p * panel + v * V::COUNT));
                    V::turn(block, from.wrapping_add(p), b.along, to, panel, V::COUNT);
                    p += V::COUNT;
                }
                while p < depth {
                    let block = (count, V::COUNT.min(depth - p));
                    V::turn(block, from.wrapping_add(p), b.along, to.add(p * panel + v * V::COUNT), panel, V::COUNT);
                    p += V::COUNT;
                }
            }
        } else {
            for p in 0..depth {
                for j in 0..width {
                    *to.add(p * panel + j) = *b.pointer.add(p * b.down + j * b.along);
                }
                for j in width..panel {
                    *to.add(p * panel + j) = V::Scalar::ZERO;
                }
            }
        }
    }
}

/// The panels of A, as many rows each as the tile that reads it and is that many vectors wide: for each k the rows' numbers.
///
/// # Safety
/// A has `height` rows and `depth` columns, and `to` has room for them. The processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn rows<V: Lanes>(
    a: Source<V::Scalar>,
    (height, depth): (usize, usize),
    vectors: usize,
    to: *mut V::Scalar,
) {
    let mut i = 0;
    while i < height {
        let rows = tile_rows::<V>(height - i, vectors);
        let a = a.from(i, 0);
        let to = to.wrapping_add(i * depth);
        let mut tiles = 1;
        // SAFETY: the caller's.
        unsafe {
            if a.down == 1 {
                tiles = ((height - i) / rows).min(TILES_AT_ONCE);
                side_by_side(a, (rows, tiles), depth, to);
            } else if a.along == 1 && rows <= V::COUNT {
                let mut p = 0;
                while p < depth {
                    let block = (rows, V::COUNT.min(depth - p));
                    V::turn(block, a.pointer.add(p), a.down, to.add(p * rows), rows, rows);
                    p += V::COUNT;
                }
            } else {
                for p in 0..depth {
                    for r in 0..rows {
                        *to.add(p * rows + r) = *a.pointer.add(r * a.down + p * a.along);
                    }
                }
            }
        }
        i += tiles * rows;
    }
}

/// So many tiles' numbers are read for each k: some lines of memory that follow each other.
const TILES_AT_ONCE: usize = 8;

/// Tiles of so many rows, whose numbers stand one after the other for each k.
#[inline(always)]
unsafe fn side_by_side<T: Float>(a: Source<T>, (rows, tiles): (usize, usize), depth: usize, to: *mut T) {
    macro_rules! copies {
        ($($rows:literal)*) => {
            match rows {
                $($rows => {
                    for p in 0..depth {
                        for t in 0..tiles {
                            let from = a.pointer.wrapping_add(p * a.along + t * $rows).cast::<[T; $rows]>();
                            let to = to.wrapping_add((t * depth + p) * $rows).cast::<[T; $rows]>();
                            // SAFETY: the rows are there, and room for them.
                            unsafe { to.write_unaligned(from.read_unaligned()) }
                        }
                    }
                })*
                _ => unreachable!("a tile of {rows} rows"),
            }
        };
    }
    copies!(1 2 4 6 8 12 24)
}

/// A panel of `depth` rows and `width` columns, rounded to bf16: for each two rows the `pitch` columns' pairs, filled up with zeros.
///
/// # Safety
/// The source has the panel's entries and `to` room for half of `depth`, rounded up, times `pitch`. The processor has the instructions
/// of `V`, which have pairs.
#[inline(always)]
pub(super) unsafe fn pairs<V: Lanes>(
    from: Source<V::Scalar>,
    (depth, width): (usize, usize),
    pitch: usize,
    to: *mut V::Scalar,
) {
    /// Numbers of a vector and vectors of a block.
    const SIDE: usize = 16;
    let mut block = [V::Scalar::ZERO; SIDE * SIDE];
    let room = block.as_mut_ptr();
    let mut j = 0;
    while j < pitch {
        let count = V::COUNT.min(pitch - j);
        let columns = width.saturating_sub(j).min(count);
        let mut p = 0;
        while p < depth {
            let rows = V::COUNT.min(depth - p);
            let from = from.from(p, j);
            // SAFETY: the caller's; the block has room for as many vectors as a vector has numbers.
            unsafe {
                let (pointer, down) = if from.along == 1 {
                    (from.pointer, from.down)
                } else {
                    if from.down == 1 {
                        V::turn((columns, rows), from.pointer, from.along, room, SIDE, V::COUNT);
                    } else {
                        for q in 0..rows {
                            let to = room.add(q * SIDE);
                            (0..columns).for_each(|c| *to.add(c) = *from.from(q, c).pointer);
                        }
                    }
                    (room.cast_const(), SIDE)
                };
                let row = |q: usize| match q {
                    q if q >= rows => V::splat(V::Scalar::ZERO),
                    q if columns == V::COUNT => V::load(pointer.add(q * down)),
                    q => V::load_first(pointer.add(q * down), columns),
                };
                for q in (0..rows).step_by(2) {
                    let (pair, to) = (row(q).pair(row(q + 1)), to.add((p + q) / 2 * pitch + j));
                    if count == V::COUNT { pair.store(to) } else { pair.store_first(to, count) }
                }
            }
            p += rows;
        }
        j += count;
    }
}

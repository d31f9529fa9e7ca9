//! What is asked for before it is read: places that stand far apart, and that no processor sees coming.

use crate::simd::prefetch;

/// Contiguous pieces of B that are asked for while the tiles are made.
#[derive(Clone, Copy)]
pub(super) struct Ahead<T> {
    pub pointer: *const T,
    /// From a piece to the next.
    pub step: usize,
    pub count: usize,
    /// Of a piece.
    pub length: usize,
}

impl<T> Ahead<T> {
    pub(super) const NOTHING: Ahead<T> = Ahead { pointer: std::ptr::null(), step: 0, count: 0, length: 0 };

    /// Takes the next pieces out, as many as there are.
    #[inline(always)]
    pub(super) fn take(&mut self, pieces: usize) -> Ahead<T> {
        let count = pieces.min(self.count);
        let taken = Ahead { count, ..*self };
        self.pointer = self.pointer.wrapping_add(count * self.step);
        self.count -= count;
        taken
    }

    /// Asks for all of it.
    #[inline(always)]
    fn ask(self) {
        let mut at = self.pointer;
        for _ in 0..self.count {
            ask::<false, T>(at, self.length);
            at = at.wrapping_add(self.step);
        }
    }
}

/// Asks for all lines of so many numbers, in the nearest cache or in the second.
#[inline(always)]
fn ask<const NEAR: bool, T>(first: *const T, length: usize) {
    let mut at = 0;
    while at < length {
        prefetch::<NEAR, T>(first.wrapping_add(at));
        at += 64 / size_of::<T>();
    }
    prefetch::<NEAR, T>(first.wrapping_add(length - 1));
}

/// Between two requests for what the next tile's end reads and writes lie at least so many k.
pub(super) const SHORTEST_STRETCH: usize = 8;

/// What is asked for while a tile is made: rows that the next tile's end reads and writes, in the nearest cache, and this tile's
/// share of the next panel of B, in the second.
#[derive(Clone, Copy)]
pub(super) struct Next<T> {
    /// The next row of each matrix, and how far apart its rows are.
    rows: [(*const T, usize); 3],
    ahead: Ahead<T>,
}

impl<T> Next<T> {
    #[inline(always)]
    pub(super) fn new(rows: [(*const T, usize); 3]) -> Next<T> {
        Next { rows, ahead: Ahead::NOTHING }
    }

    /// With this share of the next panel.
    #[inline(always)]
    pub(super) fn with(self, ahead: Ahead<T>) -> Next<T> {
        Next { ahead, ..self }
    }

    /// Goes down some rows.
    #[inline(always)]
    pub(super) fn skip(&mut self, rows: usize) {
        for (row, down) in &mut self.rows {
            *row = row.wrapping_add(rows * *down);
        }
    }

    /// How many pieces are left to ask for.
    #[inline(always)]
    pub(super) fn pieces(&self) -> usize {
        self.ahead.count
    }

    /// Asks for a row of so many numbers and for some pieces of the next panel, and goes on.
    #[inline(always)]
    pub(super) fn ask(&mut self, length: usize, pieces: usize) {
        for (row, down) in &mut self.rows {
            ask::<true, T>(*row, length);
            *row = row.wrapping_add(*down);
        }
        self.ahead.take(pieces).ask();
    }
}

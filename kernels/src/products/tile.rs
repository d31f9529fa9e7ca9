//! The innermost part of a product: a tile of the result, M rows by NV vectors, stays in registers while k runs. For each k the
//! tile takes NV vectors of B and M numbers of A. Then the tile is finished: scaled, added to, cut off, summed, and stored.

use super::ahead::{Ahead, Next, SHORTEST_STRETCH};
use crate::Float;
use crate::simd::{Kernel, Lanes, array};

/// Does the same for each row of a tile. Written out, since the compiler leaves a loop of a dozen rows a loop, and the tile in
/// memory.
macro_rules! for_rows {
    ($count:ident, $i:ident, $work:block) => {
        for_rows!($count, $i, $work, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)
    };
    ($count:ident, $i:ident, $work:block, $($row:literal)*) => {
        $(
            if $row < $count {
                let $i: usize = $row;
                $work
            }
        )*
    };
}

/// What is done to a tile when its sums are complete, for the whole result; pointers are to entry (0, 0).
#[derive(Clone, Copy)]
pub(super) struct Finish<T> {
    pub alpha: T,
    /// β·D is added.
    pub beta: T,
    pub added: Side<T>,
    pub then: Kind,
    pub other: Side<T>,
    /// The column sums, or null.
    pub sums: *mut T,
    /// The sum of the squares of D, or null.
    pub squares: *mut f64,
    pub held: Held,
    /// C is written past the caches.
    pub stream: bool,
}

/// A matrix beside the result, or none.
#[derive(Clone, Copy)]
pub(super) struct Side<T> {
    pub pointer: *const T,
    pub down: usize,
    pub along: usize,
}

/// What becomes of what C holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It is overwritten.
    Nothing,
    /// It is the sum over the k before, and joins this sum.
    Partial,
    /// It is a result, and the product is added to it.
    Result,
}

/// What is done to each entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    Relu,
    WhereAbove,
    Times,
}

impl<T> Side<T> {
    pub(super) const NONE: Side<T> = Side { pointer: std::ptr::null(), down: 0, along: 0 };

    /// The same matrix from entry (i, j) on.
    #[inline]
    pub(super) fn from(self, i: usize, j: usize) -> Side<T> {
        Side { pointer: self.pointer.wrapping_add(i * self.down + j * self.along), ..self }
    }
}

impl<T: Float> Finish<T> {
    /// A tile whose sums are not complete: stored as it is, or added to what is there.
    #[inline]
    pub(super) fn partial(held: Held) -> Finish<T> {
        Finish {
            alpha: T::ONE,
            beta: T::ZERO,
            added: Side::NONE,
            then: Kind::Nothing,
            other: Side::NONE,
            sums: std::ptr::null_mut(),
            squares: std::ptr::null_mut(),
            held,
            stream: false,
        }
    }

    /// The same for the block of the result that starts at (i, j).
    #[inline]
    pub(super) fn from(self, i: usize, j: usize) -> Finish<T> {
        let sums = if self.sums.is_null() { self.sums } else { self.sums.wrapping_add(j) };
        Finish { added: self.added.from(i, j), other: self.other.from(i, j), sums, ..self }
    }

    /// Whether the tile is stored and nothing else.
    #[inline]
    fn only_stores(&self) -> bool {
        self.held == Held::Nothing && !self.stream && self.changes_nothing()
    }

    /// Whether all that stands beside the tile runs along its rows.
    #[inline]
    fn runs_along(&self) -> bool {
        let along = |side: &Side<T>| side.pointer.is_null() || side.along == 1;
        !self.stream && along(&self.added) && along(&self.other)
    }

    #[inline]
    fn changes_nothing(&self) -> bool {
        self.alpha == T::ONE && self.added.pointer.is_null() && self.then == Kind::Nothing && self.sums.is_null()
    }
}

/// A factor as the tile reads it.
#[derive(Clone, Copy)]
pub(super) struct Factor<T> {
    pub pointer: *const T,
    /// From a row of A to the next; from a vector of B to the next.
    pub across: usize,
    /// From one k to the next.
    pub along: usize,
}

/// Tiles one below the other.
pub(super) struct Strip<T> {
    pub count: usize,
    pub k: usize,
    pub a: Factor<T>,
    /// From a tile's part of A to the next one's.
    pub a_step: usize,
    pub b: Factor<T>,
    /// Of the last vector, as many numbers are read from B and written to C.
    pub last: (usize, usize),
    /// Of the first tile.
    pub finish: Finish<T>,
    pub c: *mut T,
    pub c_down: usize,
    pub ahead: Ahead<T>,
}

/// A strip of tiles of M rows by NV vectors, of numbers or of pairs of bf16 along k. A function of its own: all sizes in one take
/// the compiler a minute.
pub(super) struct Tiles<'a, T, const M: usize, const NV: usize, const PAIRS: bool>(pub &'a Strip<T>);

impl<T: Float, const M: usize, const NV: usize, const PAIRS: bool> Kernel<T> for Tiles<'_, T, M, NV, PAIRS> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) {
        let &Strip { count, k, mut a, a_step, b, last, finish, mut c, c_down, mut ahead } = self.0;
        let pieces = ahead.count.div_ceil(count);
        let mut next = next_end(c, c_down, &finish);
        for t in 0..count {
            next.skip(M);
            let next = next.with(ahead.take(pieces));
            // SAFETY: the caller's.
            unsafe { tile::<V, M, NV, PAIRS>(k, a, b, last, (&finish, t * M), c, c_down, next) }
            a.pointer = a.pointer.wrapping_add(a_step);
            c = c.wrapping_add(M * c_down);
        }
    }
}

/// The rows that the first tile's end reads and writes.
#[inline]
fn next_end<T: Float>(c: *mut T, c_down: usize, finish: &Finish<T>) -> Next<T> {
    // What does not run along rows, or is not there, is not asked for: C's first row stands in its place.
    let side = |side: Side<T>| if side.along == 1 { (side.pointer, side.down) } else { (c.cast_const(), 0) };
    Next::new([(c.cast_const(), c_down), side(finish.added), side(finish.other)])
}

/// M rows by NV vectors of the result. Of the last vector, as many numbers as `last` says are read from B and written to C.
///
/// # Safety
/// A has M rows and `k` columns; B has `k` rows of NV vectors, of which the last may be short; C, and what `finish` names, have
/// the tile's entries. The processor has the instructions of `V`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a tile is these things")]
unsafe fn tile<V: Lanes, const M: usize, const NV: usize, const PAIRS: bool>(
    k: usize,
    a: Factor<V::Scalar>,
    b: Factor<V::Scalar>,
    (last_of_b, last): (usize, usize),
    finish: (&Finish<V::Scalar>, usize),
    c: *mut V::Scalar,
    c_down: usize,
    next: Next<V::Scalar>,
) {
    // SAFETY: the caller's.
    unsafe {
        // All bits zero is a vector of zeros. A loop that fills the array would keep it in memory.
        let mut sums = std::mem::zeroed::<[[V; NV]; M]>();
        // Three rows share a pointer, so that a dozen rows need no more than four.
        let mut rows = array!([a.pointer; 8], |g| a.pointer.wrapping_add(3 * g * a.across));
        let mut from = b.pointer;
        if last_of_b == V::COUNT {
            // Between stretches of k the next tile's end is asked for, a row at a time: all at once would keep the loads waiting.
            let stretch = k.div_ceil(M).max(SHORTEST_STRETCH);
            let pieces = next.pieces().div_ceil(M);
            let mut next = next;
            let mut left = k;
            while left > 0 {
                let some = stretch.min(left);
                left -= some;
                next.ask(NV * V::COUNT, pieces);
                for _ in 0..some {
                    let vectors = array!(std::mem::zeroed::<[V; NV]>(), |v| V::load(from.add(v * b.across)));
                    step::<V, M, NV, PAIRS>(&mut sums, &vectors, &rows, a.across);
                    rows = array!(rows, |g| rows[g].wrapping_add(a.along));
                    from = from.wrapping_add(b.along);
                }
            }
        } else {
            for _ in 0..k {
                let vectors = array!(std::mem::zeroed::<[V; NV]>(), |v| {
                    let place = from.add(v * b.across);
                    if v + 1 == NV { V::load_first(place, last_of_b) } else { V::load(place) }
                });
                step::<V, M, NV, PAIRS>(&mut sums, &vectors, &rows, a.across);
                rows = array!(rows, |g| rows[g].wrapping_add(a.along));
                from = from.wrapping_add(b.along);
            }
        }
        leave(&sums, last, finish, c, c_down);
    }
}

/// One k, or a pair of them: M·NV multiply-adds.
#[inline(always)]
unsafe fn step<V: Lanes, const M: usize, const NV: usize, const PAIRS: bool>(
    sums: &mut [[V; NV]; M],
    vectors: &[V; NV],
    rows: &[*const V::Scalar; 8],
    across: usize,
) {
    for_rows!(M, i, {
        // SAFETY: row i of A.
        let x = unsafe { V::splat(*rows[i / 3].add(i % 3 * across)) };
        for v in 0..NV {
            // SAFETY: pairs are asked for only where the processor multiplies them.
            sums[i][v] = if PAIRS {
                unsafe { x.pairs_plus(vectors[v], sums[i][v]) }
            } else {
                x.times_plus(vectors[v], sums[i][v])
            };
        }
    });
}

/// Finishes and stores a tile. One that is only stored leaves from its registers, and one of the largest size beside which all runs
/// along its rows; others go through memory in the nearest cache, in one piece of code for tiles of all sizes.
#[inline(always)]
unsafe fn leave<V: Lanes, const M: usize, const NV: usize>(
    sums: &[[V; NV]; M],
    last: usize,
    (finish, row): (&Finish<V::Scalar>, usize),
    c: *mut V::Scalar,
    c_down: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        if finish.only_stores() && last == V::COUNT {
            for_rows!(M, i, {
                let row = c.add(i * c_down);
                for (v, sum) in sums[i].iter().enumerate() {
                    sum.store(row.add(v * V::COUNT));
                }
            });
        } else if M * NV == V::TALL && last == V::COUNT && finish.runs_along() {
            // All is read before any is written: rows that are a multiple of a page apart look alike to the processor, and it
            // would hold back each read until the write before is done.
            let zero = V::splat(V::Scalar::ZERO);
            let (added, other) = (finish.added.from(row, 0), finish.other.from(row, 0));
            let mut x = *sums;
            macro_rules! each {
                ($place:expr, $down:expr, |$x:ident, $at:ident| $value:expr) => {
                    for_rows!(M, i, {
                        let row = $place.wrapping_add(i * $down);
                        for v in 0..NV {
                            let ($x, $at) = (x[i][v], row.wrapping_add(v * V::COUNT));
                            x[i][v] = $value;
                        }
                    })
                };
            }
            if finish.held == Held::Partial {
                each!(c, c_down, |x, at| x + V::load(at));
            }
            if finish.alpha != V::Scalar::ONE {
                let alpha = V::splat(finish.alpha);
                each!(c, c_down, |x, _at| x * alpha);
            }
            if finish.held == Held::Result {
                each!(c, c_down, |x, at| x + V::load(at));
            }
            if !added.pointer.is_null() {
                let beta = V::splat(finish.beta);
                if finish.squares.is_null() && added.down == 0 {
                    // A row: additions take no turn of the multiply-adds of the next tile.
                    let row = array!([zero; NV], |v| beta * V::load(added.pointer.wrapping_add(v * V::COUNT)));
                    for_rows!(M, i, {
                        for v in 0..NV {
                            x[i][v] = x[i][v] + row[v];
                        }
                    });
                } else if finish.squares.is_null() {
                    each!(added.pointer, added.down, |x, at| beta.times_plus(V::load(at), x));
                } else {
                    let mut squares = [zero; NV];
                    for_rows!(M, i, {
                        let row = added.pointer.wrapping_add(i * added.down);
                        for v in 0..NV {
                            let d = V::load(row.wrapping_add(v * V::COUNT));
                            x[i][v] = beta.times_plus(d, x[i][v]);
                            squares[v] = d.times_plus(d, squares[v]);
                        }
                    });
                    for v in 1..NV {
                        squares[0] = squares[0] + squares[v];
                    }
                    *finish.squares += squares[0].sum().to_f64();
                }
            }
            match finish.then {
                Kind::Nothing => {}
                Kind::Relu => {
                    // The second where one is NaN.
                    each!(c, c_down, |x, _at| zero.larger(x));
                }
                Kind::WhereAbove => {
                    each!(other.pointer, other.down, |x, at| x.where_or(V::load(at).above(zero), zero));
                }
                Kind::Times => {
                    each!(other.pointer, other.down, |x, at| x * V::load(at));
                }
            }
            if !finish.sums.is_null() {
                let mut down = [zero; NV];
                for_rows!(M, i, {
                    for (sum, &x) in down.iter_mut().zip(&x[i]) {
                        *sum = *sum + x;
                    }
                });
                for (v, &sum) in down.iter().enumerate() {
                    add_column_sums(sum, finish, v * V::COUNT, V::COUNT);
                }
            }
            for_rows!(M, i, {
                let row = c.add(i * c_down);
                for (v, sum) in x[i].iter().enumerate() {
                    sum.store(row.add(v * V::COUNT));
                }
            });
        } else {
            let mut made = std::mem::zeroed::<[[V; NV]; M]>();
            for_rows!(M, i, {
                made[i] = sums[i];
            });
            let columns = (NV - 1) * V::COUNT + last;
            let (made, finish) = (made.as_mut_ptr().cast(), &finish.from(row, 0));
            V::call(Block { shape: (M, columns), made, pitch: NV * V::COUNT, finish, c, c_down });
        }
    }
}

/// Sums that stand in memory, rows `pitch` apart, to be finished and stored; they are written over. They, C and what `finish`
/// names have the block's entries.
pub(super) struct Block<'a, T> {
    pub shape: (usize, usize),
    pub made: *mut T,
    pub pitch: usize,
    pub finish: &'a Finish<T>,
    pub c: *mut T,
    pub c_down: usize,
}

impl<T: Float> Kernel<T> for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) {
        let turned;
        let block = match self.as_row() {
            Some(finish) => {
                turned = finish;
                Block { shape: (1, self.shape.0 * self.shape.1), finish: &turned, ..self }
            }
            None => self,
        };
        let Block { shape: (rows, columns), made, pitch, finish, c, c_down } = block;
        let mut j = 0;
        while j < columns {
            let count = V::COUNT.min(columns - j);
            // SAFETY: the entries are there; the caller has asked for the instructions of V.
            unsafe {
                let mut column_sum = V::splat(T::ZERO);
                for i in 0..rows {
                    let sums = V::load_first(made.add(i * pitch + j), count);
                    column_sum = column_sum + finished(sums, finish, (i, j), count, c, c_down);
                }
                add_column_sums(column_sum, finish, j, count);
                if !finish.squares.is_null() {
                    let mut squares = V::splat(T::ZERO);
                    for i in 0..rows {
                        // A number that stands for a row would be in all lanes.
                        let side = finish.added.from(i, j);
                        let d: V =
                            if side.along == 0 { spread(side.pointer, 0, count) } else { beside(side, 0, 0, count) };
                        squares = d.times_plus(d, squares);
                    }
                    *finish.squares += squares.sum().to_f64();
                }
            }
            j += count;
        }
    }
}

impl<T: Float> Block<'_, T> {
    /// What is beside the block as one row, where all rows follow each other without gaps, and a column as rows do.
    fn as_row(&self) -> Option<Finish<T>> {
        let (finish, columns) = (self.finish, self.shape.1);
        let alike = |side: &Side<T>| {
            side.pointer.is_null() || (side.down == 0 && side.along == 0) || (side.along == 1 && side.down == columns)
        };
        if self.pitch != columns || self.c_down != columns || !finish.sums.is_null() {
            return None;
        }
        if columns == 1 {
            let turned = |side: Side<T>| Side { down: side.along, along: side.down, ..side };
            return Some(Finish { added: turned(finish.added), other: turned(finish.other), ..*finish });
        }
        (alike(&finish.added) && alike(&finish.other)).then_some(*finish)
    }
}

/// Finishes and stores the first `count` numbers of a vector of sums at (i, j), and gives them.
#[inline(always)]
unsafe fn finished<V: Lanes>(
    sums: V,
    finish: &Finish<V::Scalar>,
    (i, j): (usize, usize),
    count: usize,
    c: *mut V::Scalar,
    c_down: usize,
) -> V {
    // SAFETY: the caller's.
    unsafe {
        let zero = V::splat(V::Scalar::ZERO);
        let place = c.add(i * c_down + j);
        let mut x = sums;
        if finish.held == Held::Partial {
            x = x + V::load_first(place, count);
        }
        x = x * V::splat(finish.alpha);
        if finish.held == Held::Result {
            x = x + V::load_first(place, count);
        }
        if !finish.added.pointer.is_null() {
            x = V::splat(finish.beta).times_plus(beside(finish.added, i, j, count), x);
        }
        match finish.then {
            Kind::Nothing => {}
            Kind::Relu => x = zero.larger(x),
            Kind::WhereAbove => {
                let other: V = beside(finish.other, i, j, count);
                x = x.where_or(other.above(zero), zero);
            }
            Kind::Times => x = x * beside(finish.other, i, j, count),
        }
        if finish.stream && count == V::COUNT {
            x.stream(place);
        } else {
            x.store_first(place, count);
        }
        x
    }
}

/// Adds to the column sums, where they are asked for.
#[inline(always)]
unsafe fn add_column_sums<V: Lanes>(sums: V, finish: &Finish<V::Scalar>, j: usize, count: usize) {
    if !finish.sums.is_null() {
        // SAFETY: the caller's.
        unsafe {
            let place = finish.sums.add(j);
            (V::load_first(place, count) + sums).store_first(place, count);
        }
    }
}

/// A vector of a matrix beside the result.
#[inline(always)]
unsafe fn beside<V: Lanes>(side: Side<V::Scalar>, i: usize, j: usize, count: usize) -> V {
    // SAFETY: the caller's.
    unsafe {
        let place = side.pointer.add(i * side.down + j * side.along);
        match side.along {
            1 => V::load_first(place, count),
            0 => V::splat(*place),
            along => spread(place, along, count),
        }
    }
}

/// A vector of numbers that are apart.
#[cold]
#[inline(never)]
unsafe fn spread<V: Lanes>(place: *const V::Scalar, along: usize, count: usize) -> V {
    let mut lanes = [V::Scalar::ZERO; 16];
    for (lane, x) in lanes[..count].iter_mut().enumerate() {
        // SAFETY: the caller's.
        *x = unsafe { *place.add(lane * along) };
    }
    // SAFETY: no vector has more than 16 lanes.
    unsafe { V::load(lanes.as_ptr()) }
}

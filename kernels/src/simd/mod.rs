//! Vectors of numbers: what one instruction works on. A kernel is written once over [`Lanes`] and compiled for each instruction
//! set. Everything here is inlined into the function that carries the set's instructions; called from elsewhere it would be
//! right and slow.
//!
//! A value of a vector type exists only where the processor has its instructions: the functions that make one from memory or
//! from a number are unsafe and say so, arithmetic on values is safe.

/// An array, first as given, then entry `i` as the expression says. A macro: `std::array::from_fn` and `map` are functions that
/// call a function, and where one of them is not inlined a vector in it loses its instructions.
macro_rules! array {
    ($first:expr, |$i:ident| $entry:expr) => {{
        let mut all = $first;
        for $i in 0..all.len() {
            all[$i] = $entry;
        }
        all
    }};
}

pub mod functions;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use array;

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::Float;

pub use portable::Plain;
#[cfg(target_arch = "x86_64")]
pub use x86::{F32x8, F32x16, F64x4, F64x8};

/// Work that is compiled for each instruction set.
pub trait Kernel<T: Float> {
    /// What comes out.
    type Output;

    /// Does the work.
    ///
    /// # Safety
    /// The processor has the instructions of `V`. The implementation is `#[inline(always)]`, and so is all that it calls with `V`.
    unsafe fn run<V: Lanes<Scalar = T>>(self) -> Self::Output;
}

/// Which lanes are meant.
pub trait Mask: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// Whether any lane is meant.
    fn any(self) -> bool;
}

/// A vector of `COUNT` numbers.
pub trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The numbers.
    type Scalar: Float;
    /// The result of a comparison.
    type Mask: Mask;
    /// How many numbers.
    const COUNT: usize;
    /// The vectors of a row of a product's tile, at most.
    const VECTORS: usize;
    /// The vectors that a product's tile sums up: the rows of one that is one vector wide.
    const TALL: usize;

    /// Whether there are [`Lanes::pair`] and [`Lanes::pairs_plus`] where the instruction set has bf16.
    const PAIRS: bool = false;

    /// Runs a kernel as a function of its own, compiled for the instructions of this type.
    ///
    /// # Safety
    /// The processor has the instructions of this type, and what the kernel asks holds.
    unsafe fn call<K: Kernel<Self::Scalar>>(kernel: K) -> K::Output;

    /// The same number in all lanes.
    ///
    /// # Safety
    /// The processor has the instructions of this type.
    unsafe fn splat(x: Self::Scalar) -> Self;

    /// `COUNT` numbers from memory, aligned or not.
    ///
    /// # Safety
    /// They can be read, and the processor has the instructions of this type.
    unsafe fn load(from: *const Self::Scalar) -> Self;

    /// The first `count` ≤ `COUNT` numbers, 0 in the other lanes; nothing else is read.
    ///
    /// # Safety
    /// They can be read, and the processor has the instructions of this type.
    unsafe fn load_first(from: *const Self::Scalar, count: usize) -> Self;

    /// All lanes to memory, aligned or not.
    ///
    /// # Safety
    /// They can be written.
    unsafe fn store(self, to: *mut Self::Scalar);

    /// The first `count` ≤ `COUNT` lanes to memory; nothing else is written.
    ///
    /// # Safety
    /// They can be written.
    unsafe fn store_first(self, to: *mut Self::Scalar, count: usize);

    /// All lanes to memory past the caches where there is an instruction for it.
    ///
    /// # Safety
    /// They can be written; the place is a multiple of the vector's size. A fence stands between it and other threads' reads.
    unsafe fn stream(self, to: *mut Self::Scalar);

    /// Turns a block: its `rows` ≤ `COUNT` rows of `columns` ≤ `COUNT` numbers stand `from_down` apart; to each place that is
    /// `to_down` after the one before goes a column, filled up with zeros to `width` ≤ `COUNT` numbers.
    ///
    /// # Safety
    /// The rows can be read and `columns` times `width` numbers written, and the processor has the instructions of this type.
    #[inline(always)]
    unsafe fn turn(
        (rows, columns): (usize, usize),
        from: *const Self::Scalar,
        from_down: usize,
        to: *mut Self::Scalar,
        to_down: usize,
        width: usize,
    ) {
        for j in 0..columns {
            for i in 0..width {
                // SAFETY: the caller's.
                unsafe {
                    let x = if i < rows { *from.add(i * from_down + j) } else { Self::Scalar::ZERO };
                    *to.add(j * to_down + i) = x;
                }
            }
        }
    }

    /// In each lane the lane of `self` and that of `b` behind it, both rounded to bf16: the nearest, even where two are.
    ///
    /// # Safety
    /// The instruction set has bf16.
    #[inline(always)]
    unsafe fn pair(self, _b: Self) -> Self {
        unreachable!("no pairs of these")
    }

    /// c and the products of each lane's pairs of bf16 with those of `b`.
    ///
    /// # Safety
    /// The instruction set has bf16.
    #[inline(always)]
    unsafe fn pairs_plus(self, _b: Self, _c: Self) -> Self {
        unreachable!("no pairs of these")
    }

    /// The sum of each vector's lanes, in order.
    ///
    /// # Safety
    /// `N` numbers can be written; `N` is a multiple of `COUNT`.
    #[inline(always)]
    unsafe fn sums<const N: usize>(vectors: &[Self; N], to: *mut Self::Scalar) {
        for (i, vector) in vectors.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { *to.add(i) = vector.sum() }
        }
    }

    /// The same number in all lanes.
    #[inline(always)]
    fn all(self, x: f64) -> Self {
        // SAFETY: a value of this type exists.
        unsafe { Self::splat(Self::Scalar::from_f64(x)) }
    }

    /// self · b + c, with one rounding where the processor has it.
    fn times_plus(self, b: Self, c: Self) -> Self;

    /// The larger; b where either is NaN.
    fn larger(self, b: Self) -> Self;

    /// The smaller; b where either is NaN.
    fn smaller(self, b: Self) -> Self;

    /// |x|
    fn magnitude(self) -> Self;

    /// The magnitude of self with the sign of b.
    fn with_sign_of(self, b: Self) -> Self;

    /// √x
    fn root(self) -> Self;

    /// The nearest integer, ties to even.
    fn nearest(self) -> Self;

    /// The largest integer not above.
    fn floor(self) -> Self;

    /// self · 2^n for integers n; over- and underflow as a product has them. |n| ≤ 4 times the largest exponent.
    fn times_two_to(self, n: Self) -> Self;

    /// For x > 0, finite and normal: (m, n) with x = m · 2^n and √½ ≤ m < √2, up to rounding of these bounds.
    fn mantissa_and_exponent(self) -> (Self, Self);

    /// x > b
    fn above(self, b: Self) -> Self::Mask;

    /// x ≥ b
    fn at_least(self, b: Self) -> Self::Mask;

    /// x = b
    fn equals(self, b: Self) -> Self::Mask;

    /// x < b
    #[inline(always)]
    fn below(self, b: Self) -> Self::Mask {
        b.above(self)
    }

    /// x ≤ b
    #[inline(always)]
    fn at_most(self, b: Self) -> Self::Mask {
        b.at_least(self)
    }

    /// x is NaN
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        !self.equals(self)
    }

    /// self where the mask is set, b elsewhere.
    fn where_or(self, mask: Self::Mask, b: Self) -> Self;

    /// The sum of the lanes, in a fixed order.
    fn sum(self) -> Self::Scalar;

    /// The largest lane; NaN where there is one.
    fn largest(self) -> Self::Scalar;

    /// f of each lane, by the scalar function.
    #[inline(always)]
    fn each(self, f: impl Fn(Self::Scalar) -> Self::Scalar) -> Self {
        let mut lanes = [Self::Scalar::ZERO; 16];
        // SAFETY: no vector has more than 16 lanes.
        unsafe {
            self.store(lanes.as_mut_ptr());
            lanes[..Self::COUNT].iter_mut().for_each(|x| *x = f(*x));
            Self::load(lanes.as_ptr())
        }
    }

    /// f of each pair of lanes, by the scalar function.
    #[inline(always)]
    fn each_pair(self, b: Self, f: impl Fn(Self::Scalar, Self::Scalar) -> Self::Scalar) -> Self {
        let (mut left, mut right) = ([Self::Scalar::ZERO; 16], [Self::Scalar::ZERO; 16]);
        // SAFETY: no vector has more than 16 lanes.
        unsafe {
            self.store(left.as_mut_ptr());
            b.store(right.as_mut_ptr());
            left[..Self::COUNT].iter_mut().zip(right).for_each(|(x, y)| *x = f(*x, y));
            Self::load(left.as_ptr())
        }
    }
}

/// Turns a matrix of `rows` times `columns` numbers, whose rows stand `from_down` apart: its columns stand `to_down` apart then.
///
/// # Safety
/// The rows can be read and the columns written, and the processor has the instructions of `V`.
#[inline(always)]
pub unsafe fn transpose<V: Lanes>(
    (rows, columns): (usize, usize),
    from: *const V::Scalar,
    from_down: usize,
    to: *mut V::Scalar,
    to_down: usize,
) {
    let mut i = 0;
    while i < rows {
        let height = V::COUNT.min(rows - i);
        let mut j = 0;
        while j < columns {
            let block = (height, V::COUNT.min(columns - j));
            // SAFETY: the caller's.
            unsafe { V::turn(block, from.add(i * from_down + j), from_down, to.add(j * to_down + i), to_down, height) }
            j += V::COUNT;
        }
        i += V::COUNT;
    }
}

/// Asks for the line of that place, in the nearest cache or in the second. Any place may be named.
#[inline(always)]
pub fn prefetch<const NEAR: bool, T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        if NEAR { _mm_prefetch::<_MM_HINT_T0>(place.cast()) } else { _mm_prefetch::<_MM_HINT_T1>(place.cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Waits until what was written past the caches is seen by all.
#[inline(always)]
pub fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this kind has it.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

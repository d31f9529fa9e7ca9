//! One instruction over one block.

use super::{Binary, Unary};
use crate::run::cpu::Float;
use crate::run::cpu::simd::{Lanes, functions};

/// Where the numbers of a block stand: next to each other with a step of 1; with 0 the same vector again and again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<T> {
    pub pointer: *const T,
    pub step: usize,
}

impl<T> Place<T> {
    pub(super) const NOWHERE: Place<T> = Place { pointer: std::ptr::null(), step: 0 };

    #[inline(always)]
    unsafe fn load<V: Lanes<Scalar = T>>(self, j: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::load(self.pointer.add(j * self.step)) }
    }

    #[inline(always)]
    unsafe fn load_first<V: Lanes<Scalar = T>>(self, j: usize, count: usize) -> V {
        // SAFETY: the caller's.
        unsafe { V::load_first(self.pointer.add(j * self.step), count) }
    }
}

/// f of each number.
#[inline(always)]
unsafe fn one<V: Lanes>(x: Place<V::Scalar>, to: *mut V::Scalar, n: usize, f: impl Fn(V) -> V) {
    // SAFETY: the caller's.
    unsafe {
        let mut j = 0;
        while j + V::COUNT <= n {
            f(x.load(j)).store(to.add(j));
            j += V::COUNT;
        }
        if j < n {
            f(x.load_first(j, n - j)).store_first(to.add(j), n - j);
        }
    }
}

/// f of each pair.
#[inline(always)]
unsafe fn two<V: Lanes>(x: Place<V::Scalar>, y: Place<V::Scalar>, to: *mut V::Scalar, n: usize, f: impl Fn(V, V) -> V) {
    // SAFETY: the caller's.
    unsafe {
        let mut j = 0;
        while j + V::COUNT <= n {
            f(x.load(j), y.load(j)).store(to.add(j));
            j += V::COUNT;
        }
        if j < n {
            f(x.load_first(j, n - j), y.load_first(j, n - j)).store_first(to.add(j), n - j);
        }
    }
}

/// f of each triple.
#[inline(always)]
pub(super) unsafe fn three<V: Lanes>(
    [x, y, z]: [Place<V::Scalar>; 3],
    to: *mut V::Scalar,
    n: usize,
    f: impl Fn(V, V, V) -> V,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut j = 0;
        while j + V::COUNT <= n {
            f(x.load(j), y.load(j), z.load(j)).store(to.add(j));
            j += V::COUNT;
        }
        if j < n {
            let rest = n - j;
            f(x.load_first(j, rest), y.load_first(j, rest), z.load_first(j, rest)).store_first(to.add(j), rest);
        }
    }
}

/// A function of one number over a block.
///
/// # Safety
/// `n` numbers can be read and written; the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn unary<V: Lanes>(function: Unary, x: Place<V::Scalar>, to: *mut V::Scalar, n: usize) {
    // SAFETY: the caller's.
    unsafe {
        let zero = V::splat(V::Scalar::ZERO);
        let unit = V::splat(V::Scalar::ONE);
        match function {
            Unary::Copy => one::<V>(x, to, n, |x| x),
            Unary::Negate => one::<V>(x, to, n, |x| -x),
            Unary::Abs => one::<V>(x, to, n, |x| x.magnitude()),
            Unary::Sign => one::<V>(x, to, n, |x| {
                // 0 of either sign is 0, a NaN stays one.
                let signed = unit.with_sign_of(x);
                signed.where_or(x.above(zero) | x.below(zero), (x + zero).where_or(x.is_nan(), zero))
            }),
            Unary::Sqrt => one::<V>(x, to, n, |x| x.root()),
            Unary::InverseSqrt => one::<V>(x, to, n, |x| unit / x.root()),
            Unary::Exp => one::<V>(x, to, n, functions::exp),
            Unary::Log => one::<V>(x, to, n, functions::log),
            Unary::Log1p => one::<V>(x, to, n, functions::log1p),
            Unary::Expm1 => one::<V>(x, to, n, functions::expm1),
            Unary::Sin => one::<V>(x, to, n, functions::sin),
            Unary::Cos => one::<V>(x, to, n, functions::cos),
            Unary::Tan => one::<V>(x, to, n, functions::tan),
            Unary::Asin => one::<V>(x, to, n, functions::asin),
            Unary::Acos => one::<V>(x, to, n, functions::acos),
            Unary::Atan => one::<V>(x, to, n, functions::atan),
            Unary::Sinh => one::<V>(x, to, n, functions::sinh),
            Unary::Cosh => one::<V>(x, to, n, functions::cosh),
            Unary::Tanh => one::<V>(x, to, n, functions::tanh),
            Unary::Sigmoid => one::<V>(x, to, n, functions::sigmoid),
            Unary::Softplus => one::<V>(x, to, n, functions::softplus),
            Unary::Relu => one::<V>(x, to, n, |x| zero.where_or(x.at_most(zero), x)),
            Unary::Elu => one::<V>(x, to, n, |x| functions::expm1(x).where_or(x.at_most(zero), x)),
            Unary::Gelu => one::<V>(x, to, n, functions::gelu),
            Unary::Silu => one::<V>(x, to, n, |x| x * functions::sigmoid(x)),
            Unary::Erf => one::<V>(x, to, n, functions::erf),
            Unary::Erfc => one::<V>(x, to, n, functions::erfc),
            Unary::Step => one::<V>(x, to, n, |x| unit.where_or(x.above(zero), zero)),
            Unary::Square => one::<V>(x, to, n, |x| x * x),
            Unary::Recip => one::<V>(x, to, n, |x| unit / x),
            Unary::Powi(k) => one::<V>(x, to, n, |x| functions::integer_power(x, k)),
        }
    }
}

/// A function of two numbers over a block.
///
/// # Safety
/// `n` numbers can be read and written; the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn binary<V: Lanes>(
    function: Binary,
    x: Place<V::Scalar>,
    y: Place<V::Scalar>,
    to: *mut V::Scalar,
    n: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let zero = V::splat(V::Scalar::ZERO);
        let unit = V::splat(V::Scalar::ONE);
        let flag = |mask: V::Mask| unit.where_or(mask, zero);
        match function {
            Binary::Add => two::<V>(x, y, to, n, |x, y| x + y),
            Binary::Subtract => two::<V>(x, y, to, n, |x, y| x - y),
            Binary::Multiply => two::<V>(x, y, to, n, |x, y| x * y),
            Binary::Divide => two::<V>(x, y, to, n, |x, y| x / y),
            Binary::Max => two::<V>(x, y, to, n, |x, y| x.where_or(x.at_least(y) | x.is_nan(), y)),
            Binary::Min => two::<V>(x, y, to, n, |x, y| x.where_or(x.at_most(y) | x.is_nan(), y)),
            Binary::Power => two::<V>(x, y, to, n, functions::power),
            Binary::LeakyRelu => two::<V>(x, y, to, n, |x, y| (y * x).where_or(x.at_most(zero), x)),
            Binary::Greater => two::<V>(x, y, to, n, |x, y| flag(x.above(y))),
            Binary::GreaterEqual => two::<V>(x, y, to, n, |x, y| flag(x.at_least(y))),
            Binary::Less => two::<V>(x, y, to, n, |x, y| flag(x.below(y))),
            Binary::LessEqual => two::<V>(x, y, to, n, |x, y| flag(x.at_most(y))),
            Binary::Equal => two::<V>(x, y, to, n, |x, y| flag(x.equals(y))),
            Binary::NotEqual => two::<V>(x, y, to, n, |x, y| flag(!x.equals(y))),
        }
    }
}

/// The sum of a block's numbers, in four strands.
#[inline(always)]
pub(super) unsafe fn sum<V: Lanes>(x: Place<V::Scalar>, n: usize) -> V::Scalar {
    // SAFETY: the caller's.
    unsafe {
        let zero = V::splat(V::Scalar::ZERO);
        let mut strands = [zero; 4];
        let mut j = 0;
        while j + 4 * V::COUNT <= n {
            for (s, strand) in strands.iter_mut().enumerate() {
                *strand = *strand + x.load(j + s * V::COUNT);
            }
            j += 4 * V::COUNT;
        }
        let mut sum = (strands[0] + strands[1]) + (strands[2] + strands[3]);
        while j + V::COUNT <= n {
            sum = sum + x.load(j);
            j += V::COUNT;
        }
        if j < n {
            sum = sum + x.load_first(j, n - j);
        }
        sum.sum()
    }
}

/// The largest of a block's numbers; NaN where there is one.
#[inline(always)]
pub(super) unsafe fn largest<V: Lanes>(x: Place<V::Scalar>, n: usize) -> V::Scalar {
    // SAFETY: the caller's.
    unsafe {
        let mut largest = V::splat(V::Scalar::LOWEST);
        let mut j = 0;
        while j + V::COUNT <= n {
            largest = larger(largest, x.load(j));
            j += V::COUNT;
        }
        let mut value = largest.largest();
        while j < n {
            value = larger_of(value, *x.pointer.add(j * x.step));
            j += 1;
        }
        value
    }
}

/// The larger; NaN where one is.
#[inline(always)]
pub(super) fn larger<V: Lanes>(x: V, y: V) -> V {
    y.where_or((y.above(x) | y.is_nan()) & x.equals(x), x)
}

/// The larger; NaN where one is.
#[inline(always)]
pub(super) fn larger_of<T: Float>(x: T, y: T) -> T {
    #[allow(clippy::eq_op, reason = "true for a NaN alone")]
    let take = (y > x || y != y) && x == x;
    if take { y } else { x }
}

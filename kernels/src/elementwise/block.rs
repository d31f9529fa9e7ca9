//! One instruction over one block.

use super::{Binary, Unary};
use crate::Float;
use crate::simd::{Kernel, Lanes, functions};

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

/// Stores an expression of vectors for each stretch of a block. A macro, since a closure would be a function of its own, without
/// the instructions of `V`.
macro_rules! store {
    ($n:ident, $to:ident, |$($x:ident),+| $value:expr) => {{
        let mut j = 0;
        while j + V::COUNT <= $n {
            $(let $x: V = $x.load(j);)+
            ($value).store($to.add(j));
            j += V::COUNT;
        }
        if j < $n {
            $(let $x: V = $x.load_first(j, $n - j);)+
            ($value).store_first($to.add(j), $n - j);
        }
    }};
}

/// The same with one copy of a long expression, as a function of its own: all of them in one function take the compiler minutes.
macro_rules! store_long {
    ($n:ident, $to:ident, |$($x:ident),+ $(; $k:ident: $kind:ty)?| $value:expr) => {{
        struct Long<T> {
            $($x: Place<T>,)+
            $($k: $kind,)?
            to: *mut T,
            n: usize,
        }
        impl<T: Float> Kernel<T> for Long<T> {
            type Output = ();

            #[inline(always)]
            unsafe fn run<V: Lanes<Scalar = T>>(self) {
                let Long { $($x,)+ $($k,)? to, n } = self;
                let mut j = 0;
                while j < n {
                    let count = V::COUNT.min(n - j);
                    // SAFETY: the caller's.
                    unsafe {
                        $(let $x: V = if count == V::COUNT { $x.load(j) } else { $x.load_first(j, count) };)+
                        let value = $value;
                        if count == V::COUNT { value.store(to.add(j)) } else { value.store_first(to.add(j), count) }
                    }
                    j += V::COUNT;
                }
            }
        }
        V::call(Long { $($x,)+ $($k,)? to: $to, n: $n })
    }};
}

/// x·y + z over a block.
///
/// # Safety
/// `n` numbers can be read and written; the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn multiply_add<V: Lanes>([x, y, z]: [Place<V::Scalar>; 3], to: *mut V::Scalar, n: usize) {
    // SAFETY: the caller's.
    unsafe { store!(n, to, |x, y, z| x.times_plus(y, z)) }
}

/// y where x ≠ 0, else z, over a block.
///
/// # Safety
/// `n` numbers can be read and written; the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn select<V: Lanes>([x, y, z]: [Place<V::Scalar>; 3], to: *mut V::Scalar, n: usize) {
    // SAFETY: the caller's.
    unsafe { store!(n, to, |x, y, z| z.where_or(x.equals(x.all(0.0)), y)) }
}

/// A function of one number over a block.
///
/// # Safety
/// `n` numbers can be read and written; the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn unary<V: Lanes>(function: Unary, x: Place<V::Scalar>, to: *mut V::Scalar, n: usize) {
    // SAFETY: the caller's.
    unsafe {
        let unit = V::splat(V::Scalar::ONE);
        match function {
            Unary::Copy => store!(n, to, |x| x),
            Unary::Negate => store!(n, to, |x| -x),
            Unary::Abs => store!(n, to, |x| x.magnitude()),
            Unary::Sign => store!(n, to, |x| functions::sign(x)),
            Unary::Sqrt => store!(n, to, |x| x.root()),
            Unary::InverseSqrt => store!(n, to, |x| unit / x.root()),
            Unary::Exp => store_long!(n, to, |x| functions::exp(x)),
            Unary::Log => store_long!(n, to, |x| functions::log(x)),
            Unary::Log1p => store_long!(n, to, |x| functions::log1p(x)),
            Unary::Expm1 => store_long!(n, to, |x| functions::expm1(x)),
            Unary::Sin => store_long!(n, to, |x| functions::sin(x)),
            Unary::Cos => store_long!(n, to, |x| functions::cos(x)),
            Unary::Tan => store_long!(n, to, |x| functions::tan(x)),
            Unary::Asin => store_long!(n, to, |x| functions::asin(x)),
            Unary::Acos => store_long!(n, to, |x| functions::acos(x)),
            Unary::Atan => store_long!(n, to, |x| functions::atan(x)),
            Unary::Sinh => store_long!(n, to, |x| functions::sinh(x)),
            Unary::Cosh => store_long!(n, to, |x| functions::cosh(x)),
            Unary::Tanh => store_long!(n, to, |x| functions::tanh(x)),
            Unary::Sigmoid => store_long!(n, to, |x| functions::sigmoid(x)),
            Unary::Softplus => store_long!(n, to, |x| functions::softplus(x)),
            Unary::Relu => store!(n, to, |x| functions::relu(x)),
            Unary::Elu => store_long!(n, to, |x| functions::elu(x)),
            Unary::Gelu => store_long!(n, to, |x| functions::gelu(x)),
            Unary::Silu => store_long!(n, to, |x| functions::silu(x)),
            Unary::Erf => store_long!(n, to, |x| functions::erf(x)),
            Unary::Erfc => store_long!(n, to, |x| functions::erfc(x)),
            Unary::Step => store!(n, to, |x| functions::step(x)),
            Unary::Square => store!(n, to, |x| x * x),
            Unary::Recip => store!(n, to, |x| unit / x),
            Unary::Powi(k) => store_long!(n, to, |x; k: i32| functions::integer_power(x, k)),
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
        match function {
            Binary::Add => store!(n, to, |x, y| x + y),
            Binary::Subtract => store!(n, to, |x, y| x - y),
            Binary::Multiply => store!(n, to, |x, y| x * y),
            Binary::Divide => store!(n, to, |x, y| x / y),
            Binary::Max => store!(n, to, |x, y| functions::larger(x, y)),
            Binary::Min => store!(n, to, |x, y| functions::smaller(x, y)),
            Binary::Power => store_long!(n, to, |x, y| functions::power(x, y)),
            Binary::LeakyRelu => store!(n, to, |x, y| functions::leaky_relu(x, y)),
            Binary::Greater => store!(n, to, |x, y| functions::flag(x, x.above(y))),
            Binary::GreaterEqual => store!(n, to, |x, y| functions::flag(x, x.at_least(y))),
            Binary::Less => store!(n, to, |x, y| functions::flag(x, x.below(y))),
            Binary::LessEqual => store!(n, to, |x, y| functions::flag(x, x.at_most(y))),
            Binary::Equal => store!(n, to, |x, y| functions::flag(x, x.equals(y))),
            Binary::NotEqual => store!(n, to, |x, y| functions::flag(x, !x.equals(y))),
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

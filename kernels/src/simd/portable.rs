//! Vectors as arrays: for every processor, turned into its vectors by the compiler.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use super::{Kernel, Lanes, Mask};

/// An array of numbers that behaves as a vector.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T, const N: usize>([T; N]);

/// A flag for each lane.
#[derive(Clone, Copy, Debug)]
pub struct Flags<const N: usize>([bool; N]);

/// Whether a fused multiply-add is one instruction in code for every processor of this kind.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

impl<const N: usize> BitAnd for Flags<N> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, b: Self) -> Self {
        Flags(array!(self.0, |i| self.0[i] & b.0[i]))
    }
}

impl<const N: usize> BitOr for Flags<N> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, b: Self) -> Self {
        Flags(array!(self.0, |i| self.0[i] | b.0[i]))
    }
}

impl<const N: usize> Not for Flags<N> {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Flags(array!(self.0, |i| !self.0[i]))
    }
}

impl<const N: usize> Mask for Flags<N> {
    #[inline(always)]
    fn any(self) -> bool {
        self.0.iter().any(|&flag| flag)
    }
}

macro_rules! operator {
    ($trait:ident, $function:ident, $float:ident, $operator:tt) => {
        impl<const N: usize> $trait for Plain<$float, N> {
            type Output = Self;
            #[inline(always)]
            fn $function(self, b: Self) -> Self {
                Plain(array!(self.0, |i| self.0[i] $operator b.0[i]))
            }
        }
    };
}

macro_rules! plain {
    ($float:ident, $bits:ident, $mantissa_bits:literal, $bias:literal) => {
        operator!(Add, add, $float, +);
        operator!(Sub, sub, $float, -);
        operator!(Mul, mul, $float, *);
        operator!(Div, div, $float, /);

        impl<const N: usize> Neg for Plain<$float, N> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Plain(array!(self.0, |i| -self.0[i]))
            }
        }

        impl<const N: usize> Plain<$float, N> {
            #[inline(always)]
            fn pair(self, b: Self, f: impl Fn($float, $float) -> $float) -> Self {
                Plain(array!(self.0, |i| f(self.0[i], b.0[i])))
            }

            #[inline(always)]
            fn test(self, b: Self, f: impl Fn($float, $float) -> bool) -> Flags<N> {
                Flags(array!([false; N], |i| f(self.0[i], b.0[i])))
            }
        }

        impl<const N: usize> Lanes for Plain<$float, N> {
            type Scalar = $float;
            type Mask = Flags<N>;
            const COUNT: usize = N;
            const VECTORS: usize = 1;
            const TALL: usize = 4;

            #[inline(never)]
            unsafe fn call<K: Kernel<$float>>(kernel: K) -> K::Output {
                // SAFETY: the caller's.
                unsafe { kernel.run::<Self>() }
            }

            #[inline(always)]
            unsafe fn splat(x: $float) -> Self {
                Plain([x; N])
            }

            #[inline(always)]
            unsafe fn load(from: *const $float) -> Self {
                // SAFETY: the caller's.
                Plain(unsafe { from.cast::<[$float; N]>().read_unaligned() })
            }

            #[inline(always)]
            unsafe fn load_first(from: *const $float, count: usize) -> Self {
                // SAFETY: the caller's.
                Plain(array!([0.0; N], |i| if i < count { unsafe { *from.add(i) } } else { 0.0 }))
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: the caller's.
                unsafe { to.cast::<[$float; N]>().write_unaligned(self.0) }
            }

            #[inline(always)]
            unsafe fn store_first(self, to: *mut $float, count: usize) {
                for (i, &x) in self.0.iter().take(count).enumerate() {
                    // SAFETY: the caller's.
                    unsafe { *to.add(i) = x }
                }
            }

            #[inline(always)]
            unsafe fn stream(self, to: *mut $float) {
                // SAFETY: the caller's.
                unsafe { self.store(to) }
            }

            #[inline(always)]
            fn times_plus(self, b: Self, c: Self) -> Self {
                Plain(array!(self.0, |i| {
                    if FUSED { self.0[i].mul_add(b.0[i], c.0[i]) } else { self.0[i] * b.0[i] + c.0[i] }
                }))
            }

            #[inline(always)]
            fn larger(self, b: Self) -> Self {
                self.pair(b, #[inline(always)] |x, y| if x > y { x } else { y })
            }

            #[inline(always)]
            fn smaller(self, b: Self) -> Self {
                self.pair(b, #[inline(always)] |x, y| if x < y { x } else { y })
            }

            #[inline(always)]
            fn magnitude(self) -> Self {
                Plain(array!(self.0, |i| self.0[i].abs()))
            }

            #[inline(always)]
            fn with_sign_of(self, b: Self) -> Self {
                self.pair(b, $float::copysign)
            }

            #[inline(always)]
            fn root(self) -> Self {
                Plain(array!(self.0, |i| self.0[i].sqrt()))
            }

            #[inline(always)]
            fn nearest(self) -> Self {
                // Adding and taking away a number whose unit is 1 rounds; what is larger is an integer already.
                const UNIT: $float = (1_u64 << $mantissa_bits) as $float;
                Plain(array!(self.0, |i| {
                    let x = self.0[i];
                    let rounded = ((x.abs() + UNIT) - UNIT).copysign(x);
                    if x.abs() < UNIT { rounded } else { x }
                }))
            }

            #[inline(always)]
            fn floor(self) -> Self {
                let rounded = self.nearest();
                rounded.pair(self, #[inline(always)] |r, x| if r > x { r - 1.0 } else { r })
            }

            #[inline(always)]
            fn times_two_to(self, n: Self) -> Self {
                // In three factors, so that each is a normal number and only the last product rounds.
                self.pair(n, #[inline(always)] |x, n| {
                    const LIMIT: $float = (3 * $bias) as $float;
                    const BIAS: $bits = $bias;
                    let n = if n > LIMIT { LIMIT } else if n > -LIMIT { n } else { -LIMIT };
                    let (n, bias) = (n as $bits, BIAS);
                    let first = n / 3;
                    let rest = n - 2 * first;
                    let power = |n: $bits| $float::from_bits(((n + bias) << $mantissa_bits) as _);
                    x * power(first) * power(first) * power(rest)
                })
            }

            #[inline(always)]
            fn mantissa_and_exponent(self) -> (Self, Self) {
                // Bits of √½, so that the exponent steps there.
                const OFFSET: $bits = ($bias << $mantissa_bits)
                    - (std::$float::consts::FRAC_1_SQRT_2.to_bits() as $bits);
                let exponent =
                    array!([0; N], |i| ((self.0[i].to_bits() as $bits).wrapping_add(OFFSET) >> $mantissa_bits) - $bias);
                let mantissa = array!(self.0, |i| {
                    $float::from_bits((self.0[i].to_bits() as $bits).wrapping_sub(exponent[i] << $mantissa_bits) as _)
                });
                (Plain(mantissa), Plain(array!(self.0, |i| exponent[i] as $float)))
            }

            #[inline(always)]
            fn above(self, b: Self) -> Flags<N> {
                self.test(b, #[inline(always)] |x, y| x > y)
            }

            #[inline(always)]
            fn at_least(self, b: Self) -> Flags<N> {
                self.test(b, #[inline(always)] |x, y| x >= y)
            }

            #[inline(always)]
            fn equals(self, b: Self) -> Flags<N> {
                self.test(b, #[inline(always)] |x, y| x == y)
            }

            #[inline(always)]
            fn where_or(self, mask: Flags<N>, b: Self) -> Self {
                Plain(array!(self.0, |i| if mask.0[i] { self.0[i] } else { b.0[i] }))
            }

            #[inline(always)]
            fn sum(self) -> $float {
                let mut lanes = self.0;
                let mut half = N / 2;
                while half > 0 {
                    for i in 0..half {
                        lanes[i] += lanes[i + half];
                    }
                    half /= 2;
                }
                lanes[0]
            }

            #[inline(always)]
            fn largest(self) -> $float {
                let mut largest = $float::NEG_INFINITY;
                for x in self.0 {
                    largest = if largest > x || largest.is_nan() { largest } else { x };
                }
                largest
            }
        }
    };
}

plain!(f32, i32, 23, 127);
plain!(f64, i64, 52, 1023);

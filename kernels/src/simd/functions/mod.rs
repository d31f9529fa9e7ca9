//! The element-wise functions of the language on vectors, in both precisions. Errors are measured in `tests` and stated in
//! docs/kernels.md. A NaN stays a NaN; infinities, zeros and the ends of a domain give what the standard library gives.
//!
//! The coefficients of the polynomials are interpolations at Chebyshev nodes of the function that each comment names, computed
//! with forty digits; their own error is below an eighth of a unit in the last place.

mod error;
mod exponential;
mod trigonometric;

pub use error::{erf, erfc, gelu};
pub use exponential::{cosh, elu, exp, expm1, log, log1p, sigmoid, silu, sinh, softplus, tanh};
pub use trigonometric::{acos, asin, atan, cos, sin, tan};

use super::Lanes;
use crate::Float;

/// A polynomial for each precision, lowest degree first.
struct Coefficients {
    single: &'static [f64],
    double: &'static [f64],
}

/// Whether the lanes are of single precision.
#[inline(always)]
const fn is_single<V: Lanes>() -> bool {
    size_of::<V::Scalar>() == 4
}

/// A number that each precision has its own of.
#[inline(always)]
fn number<V: Lanes>(x: V, single: f64, double: f64) -> V {
    x.all(if is_single::<V>() { single } else { double })
}

/// The polynomial at x, by Horner's rule.
#[inline(always)]
fn polynomial<V: Lanes>(x: V, coefficients: &Coefficients) -> V {
    let coefficients = if is_single::<V>() { coefficients.single } else { coefficients.double };
    let mut sum = x.all(coefficients[coefficients.len() - 1]);
    let mut i = coefficients.len() - 1;
    while i > 0 {
        i -= 1;
        sum = sum.times_plus(x, x.all(coefficients[i]));
    }
    sum
}

/// 1, −1, or 0 at 0
#[inline(always)]
pub fn sign<V: Lanes>(x: V) -> V {
    let zero = x.all(0.0);
    let signed = x.all(1.0).with_sign_of(x);
    // 0 of either sign is 0, a NaN stays one.
    signed.where_or(x.above(zero) | x.below(zero), x.where_or(x.is_nan(), zero))
}

/// 0 where x ≤ 0, else x
#[inline(always)]
pub fn relu<V: Lanes>(x: V) -> V {
    let zero = x.all(0.0);
    zero.where_or(x.at_most(zero), x)
}

/// slope·x where x ≤ 0, else x
#[inline(always)]
pub fn leaky_relu<V: Lanes>(x: V, slope: V) -> V {
    (slope * x).where_or(x.at_most(x.all(0.0)), x)
}

/// The larger; NaN where one is.
#[inline(always)]
pub fn larger<V: Lanes>(x: V, y: V) -> V {
    // The instruction gives its second operand where either is NaN.
    x.where_or(x.is_nan(), x.larger(y))
}

/// The smaller; NaN where one is.
#[inline(always)]
pub fn smaller<V: Lanes>(x: V, y: V) -> V {
    x.where_or(x.is_nan(), x.smaller(y))
}

/// 1 where x > 0, else 0
#[inline(always)]
pub fn step<V: Lanes>(x: V) -> V {
    x.all(1.0).where_or(x.above(x.all(0.0)), x.all(0.0))
}

/// 1 where the mask is set, else 0
#[inline(always)]
pub fn flag<V: Lanes>(x: V, mask: V::Mask) -> V {
    x.all(1.0).where_or(mask, x.all(0.0))
}

/// x^k by repeated squaring.
#[inline(always)]
pub fn integer_power<V: Lanes>(x: V, k: i32) -> V {
    let one = x.all(1.0);
    let (mut result, mut base, mut rest) = (one, x, k.unsigned_abs());
    while rest > 0 {
        if rest & 1 == 1 {
            result = result * base;
        }
        rest >>= 1;
        if rest > 0 {
            base = base * base;
        }
    }
    if k < 0 { one / result } else { result }
}

/// x^y, lane by lane.
#[inline(always)]
pub fn power<V: Lanes>(x: V, y: V) -> V {
    x.each_pair(y, V::Scalar::power)
}

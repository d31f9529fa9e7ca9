//! The error function, its complement, and the Gaussian error linear unit, by the rational approximations of W. J. Cody,
//! Mathematics of Computation 23 (1969), 631–637: in x² near 0, and of exp(y²)·erfc(y) in y and in 1/y² further out.

use super::exponential::exp_of_sum;
use super::number;
use crate::error_function::{
    LARGE_ABOVE, LARGE_BELOW, MIDDLE_ABOVE, MIDDLE_BELOW, ONE_OVER_ROOT_PI, SMALL_ABOVE, SMALL_BELOW,
};
use crate::simd::{Lanes, Mask};

/// erf(x)
#[inline(always)]
pub fn erf<V: Lanes>(x: V) -> V {
    let y = x.magnitude();
    let small = y.at_most(x.all(0.468_75));
    let near = x * ratio_near(x * x);
    if !(!small).any() {
        return near;
    }
    let half = x.all(0.5);
    // 1/2 − erfc is exact, so that one rounding is left.
    let far = ((half - complement(y)) + half).with_sign_of(x);
    near.where_or(small, far).where_or(!x.is_nan(), x)
}

/// 1 − erf(x), to its own last digits where it is small.
#[inline(always)]
pub fn erfc<V: Lanes>(x: V) -> V {
    let y = x.magnitude();
    let small = y.at_most(x.all(0.468_75));
    let near = x.all(1.0) - x * ratio_near(x * x);
    let far = complement(y);
    let far = (x.all(2.0) - far).where_or(x.below(x.all(0.0)), far);
    near.where_or(small, far).where_or(!x.is_nan(), x)
}

/// x Φ(x) = x·erfc(−x/√2)/2, Φ the normal distribution function.
#[inline(always)]
pub fn gelu<V: Lanes>(x: V) -> V {
    let half = x.all(0.5);
    let y = x.magnitude() * x.all(std::f64::consts::FRAC_1_SQRT_2);
    let small = y.at_most(x.all(0.468_75));
    let near = half + half * (x * x.all(std::f64::consts::FRAC_1_SQRT_2)) * ratio_near(y * y);
    // exp(−x²/2) from x itself: the square of the rounded y would cost digits.
    let tail = half * scaled_complement(y) * exp_of_square(x, -0.5);
    let far = (x.all(1.0) - tail).where_or(x.at_least(x.all(0.0)), tail);
    let gone = y.above(number(x, 14.5, 39.0));
    let far = flat(x).where_or(gone, far);
    // −∞ times nothing is nothing, from below.
    let value = x * near.where_or(small, far);
    x.all(-0.0).where_or(gone & x.below(x.all(0.0)), value).where_or(!x.is_nan(), x)
}

/// 1 where x > 0, else 0.
#[inline(always)]
fn flat<V: Lanes>(x: V) -> V {
    super::step(x)
}

/// erf(x)/x in y = x², for |x| ≤ 0.46875
#[inline(always)]
fn ratio_near<V: Lanes>(y: V) -> V {
    let (mut above, mut below) = (y.all(SMALL_ABOVE[4]) * y, y);
    for i in 0..3 {
        above = (above + y.all(SMALL_ABOVE[i])) * y;
        below = (below + y.all(SMALL_BELOW[i])) * y;
    }
    (above + y.all(SMALL_ABOVE[3])) / (below + y.all(SMALL_BELOW[3]))
}

/// erfc(y) for y > 0.46875
#[inline(always)]
fn complement<V: Lanes>(y: V) -> V {
    let value = scaled_complement(y) * exp_of_square(y, -1.0);
    y.all(0.0).where_or(y.above(number(y, 10.2, 27.3)), value)
}

/// exp(factor·y²), y² with all its digits.
#[inline(always)]
fn exp_of_square<V: Lanes>(y: V, factor: f64) -> V {
    // The square of the head is exact.
    let head = (y * y.all(16.0)).nearest() * y.all(0.0625);
    exp_of_sum(y.all(factor) * head * head, y.all(factor) * ((y - head) * (y + head)))
}

/// exp(y²)·erfc(y) for y > 0.46875
#[inline(always)]
fn scaled_complement<V: Lanes>(y: V) -> V {
    let (mut above, mut below) = (y.all(MIDDLE_ABOVE[8]) * y, y);
    for i in 0..7 {
        above = (above + y.all(MIDDLE_ABOVE[i])) * y;
        below = (below + y.all(MIDDLE_BELOW[i])) * y;
    }
    let middle = (above + y.all(MIDDLE_ABOVE[7])) / (below + y.all(MIDDLE_BELOW[7]));
    let large = y.above(y.all(4.0));
    if !large.any() {
        return middle;
    }
    let z = y.all(1.0) / (y * y);
    let (mut above, mut below) = (y.all(LARGE_ABOVE[5]) * z, z);
    for i in 0..4 {
        above = (above + y.all(LARGE_ABOVE[i])) * z;
        below = (below + y.all(LARGE_BELOW[i])) * z;
    }
    let tail = z * (above + y.all(LARGE_ABOVE[4])) / (below + y.all(LARGE_BELOW[4]));
    ((y.all(ONE_OVER_ROOT_PI) - tail) / y).where_or(large, middle)
}

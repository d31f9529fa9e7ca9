//! The exponential, the logarithm, and what is made of them.
//!
//! exp: x = n·log 2 + r with |r| ≤ log(2)/2, log 2 in two parts of which the first times n is exact; exp(x) = 2ⁿ·exp(r).
//! log: x = m·2ⁿ with √½ ≤ m < √2 and f = m − 1; with s = f/(2 + f), log(1 + f) = f − (f²/2 − s·(f²/2 + s²·R(s²))), where R
//! belongs to the series of 2·artanh(s). See P. T. P. Tang, ACM Transactions on Mathematical Software 15 (1989), 144–157, and 16
//! (1990), 378–400.

use super::{Coefficients, number, polynomial};
use crate::simd::Lanes;

/// (exp(r) − 1 − r)/r² for |r| ≤ log(2)/2
const EXPONENTIAL: Coefficients = Coefficients {
    single: &[0.5, 0.1666657702559799, 0.041666554662050534, 0.008363173074513711, 0.001392617611993558],
    double: &[
        0.5,
        0.1666666666666667,
        0.04166666666666667,
        0.008333333333326141,
        0.0013888888888883752,
        0.00019841269874800493,
        2.4801587325533363e-05,
        2.7557255425746435e-06,
        2.7557273661348637e-07,
        2.510520637395701e-08,
        2.0914679376583935e-09,
    ],
};
/// 2(artanh(s)/s − 1)/s² in s², for |s| ≤ (√2 − 1)/(√2 + 1)
const LOGARITHM: Coefficients = Coefficients {
    single: &[0.6666666654512713, 0.4000012942695626, 0.2854996859130847, 0.23353427603651186],
    double: &[
        0.666666666666667,
        0.39999999999886615,
        0.28571428631764334,
        0.2222221019926421,
        0.18182956608063458,
        0.15329500754204178,
        0.14643628601909797,
    ],
};

/// log 2 in two parts.
#[inline(always)]
fn log2_parts<V: Lanes>(x: V) -> (V, V) {
    (number(x, 0.69140625, 0.6931471803691238), number(x, 0.001_740_930_559_945_309_4, 1.908_214_929_270_587_8e-10))
}

/// x held between two bounds; NaN stays.
#[inline(always)]
fn held<V: Lanes>(x: V, low: V, high: V) -> V {
    // The instructions give their second operand where one is NaN.
    low.larger(high.smaller(x))
}

/// (n, r): a + b = n·log 2 + r, where b is small against a or zero.
#[inline(always)]
fn reduced<V: Lanes>(a: V, b: V) -> (V, V) {
    let n = ((a + b) * a.all(std::f64::consts::LOG2_E)).nearest();
    let (high, low) = log2_parts(a);
    let r = (-n).times_plus(low, (-n).times_plus(high, a) + b);
    (n, r)
}

/// exp(r) − 1 for |r| ≤ log(2)/2
#[inline(always)]
fn small_expm1<V: Lanes>(r: V) -> V {
    (r * r).times_plus(polynomial(r, &EXPONENTIAL), r)
}

/// exp(a + b): for an argument with more digits than one number has.
#[inline(always)]
pub(super) fn exp_of_sum<V: Lanes>(a: V, b: V) -> V {
    let bound = number(a, 105.0, 747.0);
    let (n, r) = reduced(held(a, -bound, bound), b);
    (a.all(1.0) + small_expm1(r)).times_two_to(n)
}

/// exp(x)
#[inline(always)]
pub fn exp<V: Lanes>(x: V) -> V {
    exp_of_sum(x, x.all(0.0))
}

/// exp(x) − 1
#[inline(always)]
pub fn expm1<V: Lanes>(x: V) -> V {
    // Below the bound the value is −1 to the last digit.
    let (n, r) = reduced(held(x, number(x, -20.0, -42.0), number(x, 105.0, 747.0)), x.all(0.0));
    let one = x.all(1.0);
    let value = (small_expm1(r) + (one - one.times_two_to(-n))).times_two_to(n);
    // 2⁻ⁿ is nothing beside 1 where n is large, but overflows none.
    value.where_or(!n.equals(x.all(0.0)), small_expm1(r))
}

/// log(u) + c/u for u ≥ 0, where c is at most the rounding of u.
#[inline(always)]
fn log_and_rest<V: Lanes>(u: V, c: V) -> V {
    let zero = u.all(0.0);
    // Numbers below the normal ones are made larger first.
    let tiny = u.below(number(u, f64::from(f32::MIN_POSITIVE), f64::MIN_POSITIVE));
    let shift = number(u, 64.0, 256.0);
    let scaled = u.times_two_to(shift).where_or(tiny, u);
    let (m, n) = scaled.mantissa_and_exponent();
    let n = (n - shift).where_or(tiny, n);
    let f = m - u.all(1.0);
    let s = f / (f + u.all(2.0));
    let z = s * s;
    let half = f * f * u.all(0.5);
    let rest = z * polynomial(z, &LOGARITHM);
    let (high, low) = log2_parts(u);
    let small = n.times_plus(low, c);
    let value = n.times_plus(high, f - (half - s.times_plus(half + rest, small)));
    // log 0 = −∞, log ∞ = ∞, log of a negative number is NaN.
    let infinity = u.all(f64::INFINITY);
    let value = u.where_or(u.equals(infinity), value);
    let value = (-infinity).where_or(u.equals(zero), value);
    u.all(f64::NAN).where_or(u.below(zero) | u.is_nan(), value)
}

/// log(x)
#[inline(always)]
pub fn log<V: Lanes>(x: V) -> V {
    log_and_rest(x, x.all(0.0))
}

/// log(1 + x)
#[inline(always)]
pub fn log1p<V: Lanes>(x: V) -> V {
    let one = x.all(1.0);
    let u = one + x;
    let value = log_and_rest(u, (x - (u - one)) / u);
    // The sign of zero, and every x whose square is nothing.
    x.where_or(x.magnitude().below(number(x, 1e-9, 1e-18)), value)
}

/// tanh(x)
#[inline(always)]
pub fn tanh<V: Lanes>(x: V) -> V {
    // t/(t + 2) with t = exp(2|x|) − 1; 1 to the last digit beyond the bound.
    let bounded = held(x.magnitude(), x.all(0.0), number(x, 10.0, 22.0));
    let t = expm1(bounded + bounded);
    (t / (t + x.all(2.0))).with_sign_of(x)
}

/// sinh(x)
#[inline(always)]
pub fn sinh<V: Lanes>(x: V) -> V {
    let y = x.magnitude();
    let t = expm1(y);
    let small = x.all(0.5) * (t + t / (t + x.all(1.0)));
    large_half_exp(y).where_or(y.above(number(x, 20.0, 40.0)), small).with_sign_of(x)
}

/// cosh(x)
#[inline(always)]
pub fn cosh<V: Lanes>(x: V) -> V {
    let y = x.magnitude();
    let e = exp(y);
    let small = x.all(0.5) * e + x.all(0.5) / e;
    large_half_exp(y).where_or(y.above(number(x, 20.0, 40.0)), small)
}

/// exp(y)/2, also where exp(y) overflows.
#[inline(always)]
fn large_half_exp<V: Lanes>(y: V) -> V {
    let (n, r) = reduced(held(y, y.all(0.0), number(y, 105.0, 747.0)), y.all(0.0));
    (y.all(1.0) + small_expm1(r)).times_two_to(n - y.all(1.0))
}

/// 1/(1 + exp(−x))
#[inline(always)]
pub fn sigmoid<V: Lanes>(x: V) -> V {
    let one = x.all(1.0);
    let e = exp(-x.magnitude());
    one.where_or(x.at_least(x.all(0.0)), e) / (one + e)
}

/// x/(1 + exp(−x))
#[inline(always)]
pub fn silu<V: Lanes>(x: V) -> V {
    x * sigmoid(x)
}

/// log(1 + exp(x))
#[inline(always)]
pub fn softplus<V: Lanes>(x: V) -> V {
    let zero = x.all(0.0);
    // A NaN stays one.
    zero.where_or(x.at_most(zero), x) + log1p(exp(-x.magnitude()))
}

/// exp(x) − 1 where x ≤ 0, else x
#[inline(always)]
pub fn elu<V: Lanes>(x: V) -> V {
    expm1(x).where_or(x.at_most(x.all(0.0)), x)
}

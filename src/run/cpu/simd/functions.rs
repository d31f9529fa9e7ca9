//! The element-wise functions of the language on vectors.

use super::Lanes;
use crate::matrix;
use crate::run::cpu::Float;

macro_rules! by_standard_library {
    ($($name:ident = $f:expr;)*) => {
        $(
            /// By the scalar function.
            #[inline(always)]
            pub fn $name<V: Lanes>(x: V) -> V {
                x.each(|x| V::Scalar::from_f64($f(x.to_f64())))
            }
        )*
    };
}

by_standard_library! {
    exp = f64::exp;
    log = f64::ln;
    log1p = f64::ln_1p;
    expm1 = f64::exp_m1;
    sin = f64::sin;
    cos = f64::cos;
    tan = f64::tan;
    asin = f64::asin;
    acos = f64::acos;
    atan = f64::atan;
    sinh = f64::sinh;
    cosh = f64::cosh;
    tanh = f64::tanh;
    erf = matrix::erf;
    erfc = matrix::erfc;
}

/// 1/(1 + exp(−x))
#[inline(always)]
pub fn sigmoid<V: Lanes>(x: V) -> V {
    let one = x.all(1.0);
    let e = exp(-x.magnitude());
    one.where_or(x.at_least(x.all(0.0)), e) / (one + e)
}

/// log(1 + exp(x))
#[inline(always)]
pub fn softplus<V: Lanes>(x: V) -> V {
    let zero = x.all(0.0);
    // A NaN stays one.
    zero.where_or(x.at_most(zero), x) + log1p(exp(-x.magnitude()))
}

/// x Φ(x), Φ the normal distribution function
#[inline(always)]
pub fn gelu<V: Lanes>(x: V) -> V {
    x.all(0.5) * x * erfc(-x * x.all(std::f64::consts::FRAC_1_SQRT_2))
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
        base = base * base;
        rest >>= 1;
    }
    if k < 0 { one / result } else { result }
}

/// x^y
#[inline(always)]
pub fn power<V: Lanes>(x: V, y: V) -> V {
    x.each_pair(y, V::Scalar::power)
}

//! Circular functions and their inverses.
//!
//! sin, cos, tan: x = q·π/2 + r with |r| ≤ π/4, π/2 in parts of which all but the last times q are exact; beyond the bound
//! of that, each lane by the standard library. Inverses: by arctan(x) = π/4 + arctan((x − 1)/(x + 1)) and
//! arcsin(x) = π/2 − 2·arcsin(√((1 − x)/2)) to short intervals.

use super::{Coefficients, number, polynomial};
use crate::Float;
use crate::simd::{Lanes, Mask};

/// (sin(r)/r − 1)/r² in r², for |r| ≤ π/4
const SINE: Coefficients = Coefficients {
    single: &[-0.16666666663741367, 0.00833333183062943, -0.00019840063040804117, 2.7246868722877944e-06],
    double: &[
        -0.16666666666666666,
        0.008333333333333331,
        -0.00019841269841264821,
        2.7557319219150783e-06,
        -2.5052106167335705e-08,
        1.6058521349954986e-10,
        -7.586094789672621e-13,
    ],
};
/// (cos(r) − 1 + r²/2)/r⁴ in r², for |r| ≤ π/4
const COSINE: Coefficients = Coefficients {
    single: &[0.04166666459882798, -0.0013888291300556933, 2.4545419078353295e-05],
    double: &[
        0.041666666666666664,
        -0.0013888888888888887,
        2.480158730158451e-05,
        -2.755731922129809e-07,
        2.0876755754879594e-09,
        -1.1470455178216906e-11,
        4.745537017319258e-14,
    ],
};
/// (arctan(r)/r − 1)/r² in r², for |r| ≤ tan(π/8)
const ARCTANGENT: Coefficients = Coefficients {
    single: &[-0.33333331686451945, 0.1999952339722771, -0.1426336657972561, 0.1073739696716272, -0.06431038710715442],
    double: &[
        -0.3333333333333333,
        0.1999999999999509,
        -0.14285714284577217,
        0.11111111008107874,
        -0.09090904289128517,
        0.07692176510795928,
        -0.06664417824186955,
        0.058573396761385246,
        -0.05081236164642543,
        0.03911053674347613,
        -0.019029290809743138,
    ],
};
/// (arcsin(r)/r − 1)/r² in r², for |r| ≤ 1/2
const ARCSINE: Coefficients = Coefficients {
    single: &[
        0.16666666332957783,
        0.07500095636159641,
        0.04459898840489624,
        0.031106000730555115,
        0.017121587649016196,
        0.03374028050884876,
    ],
    double: &[
        0.16666666666666669,
        0.07499999999998389,
        0.04464285714644605,
        0.0303819441312372,
        0.022372173243832207,
        0.017352385393480947,
        0.013971325328728771,
        0.011478047472510145,
        0.010330370295404406,
        0.005424230839804001,
        0.017493569476248205,
        -0.014999855783811349,
        0.02886097438799853,
    ],
};

/// (quadrant 0 … 3, sin r, cos r, whether a lane is beyond the bound)
#[inline(always)]
fn circle<V: Lanes>(x: V) -> (V, V, V, bool) {
    let far = !x.magnitude().at_most(number(x, 8192.0, 1e6));
    let q = (x * x.all(std::f64::consts::FRAC_2_PI)).nearest();
    let parts = [
        number(x, 1.5703125, 1.5707963267341256),
        number(x, 0.0004837512969970703, 6.077_100_506_303_966e-11),
        number(x, 7.549533620476723e-08, 2.022_266_248_795_950_6e-21),
        number(x, 2.563344151594519e-12, 0.0),
    ];
    let r = (-q).times_plus(parts[0], x);
    let r = (-q).times_plus(parts[1], r);
    let r = (-q).times_plus(parts[2], r);
    let r = (-q).times_plus(parts[3], r);
    let z = r * r;
    let sine = (r * z).times_plus(polynomial(z, &SINE), r);
    let cosine = (z * z).times_plus(polynomial(z, &COSINE), x.all(1.0) - z * x.all(0.5));
    let quadrant = q - x.all(4.0) * (q * x.all(0.25)).floor();
    (quadrant, sine, cosine, far.any())
}

/// sin(x)
#[inline(always)]
pub fn sin<V: Lanes>(x: V) -> V {
    let (quadrant, sine, cosine, far) = circle(x);
    if far {
        return x.each(|x| V::Scalar::from_f64(x.to_f64().sin()));
    }
    let odd = quadrant.equals(x.all(1.0)) | quadrant.equals(x.all(3.0));
    let value = cosine.where_or(odd, sine);
    (-value).where_or(quadrant.at_least(x.all(2.0)), value)
}

/// cos(x)
#[inline(always)]
pub fn cos<V: Lanes>(x: V) -> V {
    let (quadrant, sine, cosine, far) = circle(x);
    if far {
        return x.each(|x| V::Scalar::from_f64(x.to_f64().cos()));
    }
    let (one, two) = (x.all(1.0), x.all(2.0));
    let value = sine.where_or(quadrant.equals(one) | quadrant.equals(x.all(3.0)), cosine);
    (-value).where_or(quadrant.equals(one) | quadrant.equals(two), value)
}

/// tan(x)
#[inline(always)]
pub fn tan<V: Lanes>(x: V) -> V {
    let (quadrant, sine, cosine, far) = circle(x);
    if far {
        return x.each(|x| V::Scalar::from_f64(x.to_f64().tan()));
    }
    let odd = quadrant.equals(x.all(1.0)) | quadrant.equals(x.all(3.0));
    (-cosine).where_or(odd, sine) / sine.where_or(odd, cosine)
}

/// arctan(x)
#[inline(always)]
pub fn atan<V: Lanes>(x: V) -> V {
    let one = x.all(1.0);
    let y = x.magnitude();
    let large = y.above(x.all(2.414_213_562_373_095));
    let middle = y.above(x.all(0.414_213_562_373_095)) & !large;
    let above = (-one).where_or(large, (y - one).where_or(middle, y));
    let below = y.where_or(large, (y + one).where_or(middle, one));
    let r = above / below;
    let z = r * r;
    let small = (r * z).times_plus(polynomial(z, &ARCTANGENT), r);
    let zero = x.all(0.0);
    let high = number(x, 1.5707963705062866, std::f64::consts::FRAC_PI_2);
    let low = number(x, -4.371_139_000_186_241e-8, 6.123_233_995_736_766e-17);
    let half = x.all(0.5);
    let high = high.where_or(large, (high * half).where_or(middle, zero));
    let low = low.where_or(large, (low * half).where_or(middle, zero));
    (high + (small + low)).with_sign_of(x).where_or(!x.is_nan(), x)
}

/// (arcsin of the reduced argument, whether |x| > 1/2)
#[inline(always)]
fn arc<V: Lanes>(x: V) -> (V, V::Mask) {
    let y = x.magnitude();
    let large = y.above(x.all(0.5));
    let half = (x.all(1.0) - y) * x.all(0.5);
    let z = half.where_or(large, y * y);
    let s = half.root().where_or(large, y);
    ((s * z).times_plus(polynomial(z, &ARCSINE), s), large)
}

/// arcsin(x)
#[inline(always)]
pub fn asin<V: Lanes>(x: V) -> V {
    let (s, large) = arc(x);
    let high = number(x, 1.5707963705062866, std::f64::consts::FRAC_PI_2);
    let low = number(x, -4.371_139_000_186_241e-8, 6.123_233_995_736_766e-17);
    let reflected = high - (s + s - low);
    reflected.where_or(large, s).with_sign_of(x).where_or(!x.is_nan(), x)
}

/// arccos(x)
#[inline(always)]
pub fn acos<V: Lanes>(x: V) -> V {
    let (s, large) = arc(x);
    let high = number(x, 1.5707963705062866, std::f64::consts::FRAC_PI_2);
    let low = number(x, -4.371_139_000_186_241e-8, 6.123_233_995_736_766e-17);
    let negative = x.below(x.all(0.0));
    let two = s + s;
    let far = (high + high - (two - low - low)).where_or(negative, two);
    let near = high - (s.with_sign_of(x) - low);
    far.where_or(large, near)
}

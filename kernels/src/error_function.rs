//! The error function and its complement in double precision.
//!
//! Rational Chebyshev approximations of W. J. Cody, Rational Chebyshev Approximation for the Error Function, Mathematics
//! of Computation 23 (1969), 631–637, in three ranges of |x|.

/// The text of these functions, for programs that are compiled elsewhere.
pub fn source() -> &'static str {
    const SOURCE: &str = include_str!("error_function.rs");
    let start = SOURCE.find("\n/// Numerator").unwrap_or(0);
    SOURCE[start..].trim()
}

/// Numerator and denominator for |x| ≤ 0.46875, in x², highest degree last in the order of the paper's scheme.
pub const SMALL_ABOVE: [f64; 5] = [
    3.161_123_743_870_565_6,
    1.138_641_541_510_501_6e2,
    3.774_852_376_853_02e2,
    3.209_377_589_138_469_5e3,
    1.857_777_061_846_031_5e-1,
];
/// Its denominator.
pub const SMALL_BELOW: [f64; 4] =
    [2.360_129_095_234_412_1e1, 2.440_246_379_344_441_7e2, 1.282_616_526_077_372_3e3, 2.844_236_833_439_171e3];
/// For 0.46875 ≤ |x| ≤ 4, in |x|.
pub const MIDDLE_ABOVE: [f64; 9] = [
    5.641_884_969_886_701e-1,
    8.883_149_794_388_376,
    6.611_919_063_714_163e1,
    2.986_351_381_974_001e2,
    8.819_522_212_417_69e2,
    1.712_047_612_634_070_6e3,
    2.051_078_377_826_071_5e3,
    1.230_339_354_797_997_2e3,
    2.153_115_354_744_038_5e-8,
];
/// Its denominator.
pub const MIDDLE_BELOW: [f64; 8] = [
    1.574_492_611_070_983_5e1,
    1.176_939_508_913_125e2,
    5.371_811_018_620_099e2,
    1.621_389_574_566_690_2e3,
    3.290_799_235_733_46e3,
    4.362_619_090_143_247e3,
    3.439_367_674_143_721_6e3,
    1.230_339_354_803_749_4e3,
];
/// For |x| ≥ 4, in 1/x².
pub const LARGE_ABOVE: [f64; 6] = [
    3.053_266_349_612_323_4e-1,
    3.603_448_999_498_044_4e-1,
    1.257_817_261_112_292_5e-1,
    1.608_378_514_874_228e-2,
    6.587_491_615_298_378e-4,
    1.631_538_713_730_209_8e-2,
];
/// Its denominator.
pub const LARGE_BELOW: [f64; 5] = [
    2.568_520_192_289_822,
    1.872_952_849_923_467_3,
    5.279_051_029_514_284e-1,
    6.051_834_131_244_132e-2,
    2.335_204_976_268_691_8e-3,
];
/// 1/√π
pub const ONE_OVER_ROOT_PI: f64 = 0.564_189_583_547_756_3;
const SMALL_UP_TO: f64 = 0.468_75;
const MIDDLE_UP_TO: f64 = 4.0;

/// erf(x) = 2/√π ∫₀ˣ exp(−t²) dt.
pub fn erf(x: f64) -> f64 {
    if x.abs() <= SMALL_UP_TO {
        return x * small(x * x);
    }
    let rest = complement(x.abs());
    // 0.5 − rest is exact, so that one rounding is left.
    let value = (0.5 - rest) + 0.5;
    if x < 0.0 { -value } else { value }
}

/// erfc(x) = 1 − erf(x), accurate where that is small.
pub fn erfc(x: f64) -> f64 {
    if x.abs() <= SMALL_UP_TO {
        return 1.0 - x * small(x * x);
    }
    let rest = complement(x.abs());
    if x < 0.0 { 2.0 - rest } else { rest }
}

fn small(y: f64) -> f64 {
    let (mut above, mut below) = (SMALL_ABOVE[4] * y, y);
    for i in 0..3 {
        above = (above + SMALL_ABOVE[i]) * y;
        below = (below + SMALL_BELOW[i]) * y;
    }
    (above + SMALL_ABOVE[3]) / (below + SMALL_BELOW[3])
}

/// erfc(y) for y > 0.46875.
fn complement(y: f64) -> f64 {
    if y.is_nan() || y > 27.0 {
        return if y.is_nan() { y } else { 0.0 };
    }
    let scaled = if y <= MIDDLE_UP_TO {
        let (mut above, mut below) = (MIDDLE_ABOVE[8] * y, y);
        for i in 0..7 {
            above = (above + MIDDLE_ABOVE[i]) * y;
            below = (below + MIDDLE_BELOW[i]) * y;
        }
        (above + MIDDLE_ABOVE[7]) / (below + MIDDLE_BELOW[7])
    } else {
        let z = 1.0 / (y * y);
        let (mut above, mut below) = (LARGE_ABOVE[5] * z, z);
        for i in 0..4 {
            above = (above + LARGE_ABOVE[i]) * z;
            below = (below + LARGE_BELOW[i]) * z;
        }
        (ONE_OVER_ROOT_PI - z * (above + LARGE_ABOVE[4]) / (below + LARGE_BELOW[4])) / y
    };
    // exp(−y²) as a product of two exact exponents: y² itself would be rounded.
    let head = (y * 16.0).trunc() / 16.0;
    (-head * head).exp() * (-(y - head) * (y + head)).exp() * scaled
}

//! Exact coefficients: what comes in is a decimal literal or an integer, what goes out is a ratio in lowest terms,
//! or a float where 64 bits do not hold the ratio. Nothing here rounds silently: a ratio stays a ratio while it fits.

use std::hash::{Hash, Hasher};

/// A numeric coefficient of a formula: an exact ratio, or a float where no ratio of `i64` fits.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// `numerator / denominator` in lowest terms, the denominator positive.
    Ratio(i64, i64),
    /// A value that no ratio of two `i64` represents.
    Float(f64),
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Ratio(a, b), Number::Ratio(c, d)) => a == c && b == d,
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Number::Ratio(a, b) => (a, b).hash(state),
            Number::Float(x) => x.to_bits().hash(state),
        }
    }
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number::Ratio(0, 1);
    /// One.
    pub const ONE: Number = Number::Ratio(1, 1);
    /// Minus one.
    pub const MINUS_ONE: Number = Number::Ratio(-1, 1);
    /// One half.
    pub const HALF: Number = Number::Ratio(1, 2);

    /// An integer.
    pub const fn integer(value: i64) -> Number {
        Number::Ratio(value, 1)
    }

    /// The ratio of two integers in lowest terms; `None` where the denominator is zero or a part leaves `i64`.
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Number> {
        if denominator == 0 {
            return None;
        }
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()).max(1) as i128;
        let sign = denominator.signum();
        let n = i64::try_from(sign * (numerator / divisor)).ok()?;
        let d = i64::try_from(sign * (denominator / divisor)).ok()?;
        Some(Number::Ratio(n, d))
    }

    /// A literal of the language (`12`, `0.5`, `1e-6`); `None` where it is not a finite number.
    pub fn parse(text: &str) -> Option<Number> {
        let float: f64 = text.parse().ok().filter(|x: &f64| x.is_finite())?;
        Some(Number::exact(text).unwrap_or(Number::Float(float)))
    }

    fn exact(text: &str) -> Option<Number> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let power = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
        let ten = 10_i128.checked_pow(power.unsigned_abs())?;
        if power >= 0 { Number::ratio(digits.checked_mul(ten)?, 1) } else { Number::ratio(digits, ten) }
    }

    /// The nearest `f64`.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Ratio(n, d) => n as f64 / d as f64,
            Number::Float(x) => x,
        }
    }

    /// The integer that it is, if it is one.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Number::Ratio(n, 1) => Some(n),
            _ => None,
        }
    }

    /// Exactly zero.
    pub fn is_zero(self) -> bool {
        self == Number::ZERO || matches!(self, Number::Float(x) if x == 0.0)
    }

    /// Exactly one.
    pub fn is_one(self) -> bool {
        self == Number::ONE
    }

    /// Below zero.
    pub fn is_negative(self) -> bool {
        match self {
            Number::Ratio(n, _) => n < 0,
            Number::Float(x) => x < 0.0,
        }
    }

    /// Without its sign.
    pub fn abs(self) -> Number {
        if self.is_negative() { self.negate() } else { self }
    }

    /// −self.
    pub fn negate(self) -> Number {
        match self {
            Number::Ratio(n, d) => match n.checked_neg() {
                Some(n) => Number::Ratio(n, d),
                None => Number::Float(-self.to_f64()),
            },
            Number::Float(x) => Number::Float(-x),
        }
    }

    /// self + other, exact where it fits.
    pub fn plus(self, other: Number) -> Number {
        if let (Number::Ratio(a, 1), Number::Ratio(b, 1)) = (self, other)
            && let Some(sum) = a.checked_add(b)
        {
            return Number::Ratio(sum, 1);
        }
        let exact = match (self, other) {
            (Number::Ratio(a, b), Number::Ratio(c, d)) => {
                let (a, b, c, d) = (i128::from(a), i128::from(b), i128::from(c), i128::from(d));
                (a * d).checked_add(c * b).and_then(|n| Number::ratio(n, b * d))
            }
            _ => None,
        };
        exact.unwrap_or(Number::Float(self.to_f64() + other.to_f64()))
    }

    /// self · other, exact where it fits.
    pub fn times(self, other: Number) -> Number {
        if let (Number::Ratio(a, 1), Number::Ratio(b, 1)) = (self, other)
            && let Some(product) = a.checked_mul(b)
        {
            return Number::Ratio(product, 1);
        }
        if self.is_one() {
            return other;
        }
        if other.is_one() {
            return self;
        }
        let exact = match (self, other) {
            (Number::Ratio(a, b), Number::Ratio(c, d)) => {
                Number::ratio(i128::from(a) * i128::from(c), i128::from(b) * i128::from(d))
            }
            _ => None,
        };
        exact.unwrap_or(Number::Float(self.to_f64() * other.to_f64()))
    }

    /// 1 / self; `None` for zero.
    pub fn reciprocal(self) -> Option<Number> {
        match self {
            Number::Ratio(n, d) => Number::ratio(i128::from(d), i128::from(n)),
            Number::Float(x) => Some(1.0 / x).filter(|y| y.is_finite()).map(Number::Float),
        }
    }

    /// self^k for an integer k, exact where it fits; `None` for a negative power of zero or no finite value.
    pub fn power(self, k: i64) -> Option<Number> {
        if k < 0 {
            return self.reciprocal()?.power(k.checked_neg()?);
        }
        let exponent = u32::try_from(k).ok()?;
        let exact = match self {
            Number::Ratio(n, d) => match (n.checked_pow(exponent), d.checked_pow(exponent)) {
                (Some(n), Some(d)) => Number::ratio(n.into(), d.into()),
                _ => None,
            },
            Number::Float(_) => None,
        };
        exact.or_else(|| Some(self.to_f64().powi(i32::try_from(k).ok()?)).filter(|x| x.is_finite()).map(Number::Float))
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn ratios_are_in_lowest_terms_with_a_positive_denominator() {
        assert_eq!(Number::ratio(6, -4), Some(Number::Ratio(-3, 2)));
        assert_eq!(Number::ratio(0, 5), Some(Number::ZERO));
        assert_eq!(Number::ratio(1, 0), None);
    }

    #[test]
    fn literals_are_exact_where_a_ratio_fits() {
        assert_eq!(Number::parse("0.01"), Some(Number::Ratio(1, 100)));
        assert_eq!(Number::parse(".5"), Some(Number::HALF));
        assert_eq!(Number::parse("2."), Some(Number::integer(2)));
        assert_eq!(Number::parse("1e-6"), Some(Number::Ratio(1, 1_000_000)));
        assert_eq!(Number::parse("1e40"), Some(Number::Float(1e40)));
        assert_eq!(Number::parse("1e999"), None);
    }

    #[test]
    fn arithmetic_falls_back_to_floats_only_where_it_must() {
        let third = Number::Ratio(1, 3);
        assert_eq!(third.plus(third).plus(third), Number::ONE);
        assert_eq!(third.times(Number::integer(6)), Number::integer(2));
        assert_eq!(third.power(-2), Some(Number::integer(9)));
        assert!(matches!(Number::integer(i64::MAX).plus(Number::ONE), Number::Float(_)));
        assert_eq!(Number::ZERO.power(-1), None);
    }
}

//! Exact coefficients: what comes in is a decimal literal or an integer, what goes out is a ratio in lowest terms,
//! or a float where 64 bits do not hold the ratio. Nothing here rounds silently: a ratio stays a ratio while it fits.

/// A numeric coefficient of a formula: an exact ratio, or a float where no ratio of `i64` fits.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// `numerator / denominator` in lowest terms, the denominator positive.
    Ratio(i64, i64),
    /// A value that no ratio of two `i64` represents.
    Float(f64),
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number::Ratio(0, 1);
    /// One.
    pub const ONE: Number = Number::Ratio(1, 1);

    /// The ratio of two integers in lowest terms; `None` where the denominator is zero or a part leaves `i64`.
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Number> {
        if denominator == 0 {
            return None;
        }
        let (mut a, mut b) = (numerator.unsigned_abs(), denominator.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = i128::try_from(a.max(1)).ok()?;
        let sign = denominator.signum();
        let n = i64::try_from(sign * (numerator / divisor)).ok()?;
        let d = i64::try_from(sign * (denominator / divisor)).ok()?;
        Some(Number::Ratio(n, d))
    }

    /// The nearest `f64`.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Ratio(n, d) => n as f64 / d as f64,
            Number::Float(x) => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn ratios_are_in_lowest_terms_with_a_positive_denominator() {
        assert!(matches!(Number::ratio(6, -4), Some(Number::Ratio(-3, 2))));
        assert!(matches!(Number::ratio(0, 5), Some(Number::Ratio(0, 1))));
        assert!(Number::ratio(1, 0).is_none());
    }
}

//! Numbers over a field, each with a slope of its own: a derivative of what is a derivative already keeps the slope that the
//! field's numbers have. One level only, which second derivatives need; for a third there is none.

use super::linear::integer;
use super::values::Field;
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// The field over another.
#[derive(Clone, Debug)]
pub struct Over<F>(pub F);

/// v + s·η with η² = 0, where v and s are numbers of the field below.
#[derive(Clone, Copy, Debug)]
pub struct Pair<S> {
    /// The value.
    pub value: S,
    /// The slope.
    pub slope: S,
}

impl<F: Field> Over<F> {
    fn still(&self, value: F::Scalar) -> Pair<F::Scalar> {
        Pair { value, slope: integer(&self.0, 0) }
    }
}

impl<F: Field + Clone> Field for Over<F> {
    type Scalar = Pair<F::Scalar>;
    type Higher = Over<F>;

    fn higher(&self) -> Option<Over<F>> {
        None
    }

    fn lift(&self, a: Self::Scalar) -> Self::Scalar {
        a
    }

    fn slope_of(&self, a: Self::Scalar) -> Self::Scalar {
        a
    }

    fn number(&self, value: Number) -> Option<Self::Scalar> {
        Some(self.still(self.0.number(value)?))
    }

    fn add(&self, a: Self::Scalar, b: Self::Scalar) -> Self::Scalar {
        Pair { value: self.0.add(a.value, b.value), slope: self.0.add(a.slope, b.slope) }
    }

    fn times(&self, a: Self::Scalar, b: Self::Scalar) -> Self::Scalar {
        let slope = self.0.add(self.0.times(a.slope, b.value), self.0.times(a.value, b.slope));
        Pair { value: self.0.times(a.value, b.value), slope }
    }

    fn inverse(&self, a: Self::Scalar) -> Option<Self::Scalar> {
        let value = self.0.inverse(a.value)?;
        let square = self.0.times(value, value);
        Some(Pair { value, slope: self.0.times(integer(&self.0, -1), self.0.times(square, a.slope)) })
    }

    fn slope(&self, a: Self::Scalar) -> Self::Scalar {
        self.still(a.slope)
    }

    fn moving(&self, a: Self::Scalar, slope: Self::Scalar) -> Self::Scalar {
        Pair { value: a.value, slope: slope.value }
    }

    fn apply(&self, function: Function, a: Self::Scalar) -> Option<Self::Scalar> {
        let value = self.0.apply(function, a.value)?;
        Some(Pair { value, slope: self.0.times(derivative(&self.0, function, a.value, value)?, a.slope) })
    }

    fn power(&self, a: Self::Scalar, b: Self::Scalar, exponent: Option<Number>) -> Option<Self::Scalar> {
        let field = &self.0;
        let value = field.power(a.value, b.value, exponent)?;
        let less = field.add(b.value, integer(field, -1));
        let lower = field.power(a.value, less, exponent.map(|k| k.plus(Number::integer(-1))))?;
        let mut slope = field.times(field.times(b.value, lower), a.slope);
        if exponent.is_none() {
            let log = field.apply(Function::Log, a.value)?;
            slope = field.add(slope, field.times(field.times(value, log), b.slope));
        }
        Some(Pair { value, slope })
    }

    fn generic(&self, name: &str, order: u32, a: Self::Scalar) -> Self::Scalar {
        let slope = self.0.times(self.0.generic(name, order + 1, a.value), a.slope);
        Pair { value: self.0.generic(name, order, a.value), slope }
    }

    fn holds(&self, comparison: Comparison, a: Self::Scalar, b: Self::Scalar) -> bool {
        self.0.holds(comparison, a.value, b.value)
    }

    fn pi(&self) -> Self::Scalar {
        self.still(self.0.pi())
    }

    fn size(&self, a: Self::Scalar) -> f64 {
        self.0.size(a.value)
    }

    fn has_limits(&self) -> bool {
        self.0.has_limits()
    }
}

/// f′(x) as a number of the field, where f(x) is `value`; `None` where it is not known.
fn derivative<F: Field>(field: &F, function: Function, x: F::Scalar, value: F::Scalar) -> Option<F::Scalar> {
    let whole = |k: i64| integer(field, k);
    let (add, times) = (|a, b| field.add(a, b), |a, b| field.times(a, b));
    let apply = |function: Function, x: F::Scalar| field.apply(function, x);
    let one_minus = |a: F::Scalar| add(whole(1), times(whole(-1), a));
    let square = times(x, x);
    Some(match function {
        Function::Exp => value,
        Function::Log => field.inverse(x)?,
        Function::Log1p => field.inverse(add(whole(1), x))?,
        Function::Expm1 => apply(Function::Exp, x)?,
        Function::Sqrt => field.inverse(times(whole(2), value))?,
        Function::Abs => apply(Function::Sign, x)?,
        Function::Sign | Function::Step => whole(0),
        Function::Sin => apply(Function::Cos, x)?,
        Function::Cos => times(whole(-1), apply(Function::Sin, x)?),
        Function::Tan => add(whole(1), times(value, value)),
        Function::Asin => field.inverse(apply(Function::Sqrt, one_minus(square))?)?,
        Function::Acos => times(whole(-1), field.inverse(apply(Function::Sqrt, one_minus(square))?)?),
        Function::Atan => field.inverse(add(whole(1), square))?,
        Function::Sinh => apply(Function::Cosh, x)?,
        Function::Cosh => apply(Function::Sinh, x)?,
        Function::Tanh => one_minus(times(value, value)),
        Function::Sigmoid => times(value, one_minus(value)),
        Function::Softplus => apply(Function::Sigmoid, x)?,
        Function::Relu => apply(Function::Step, x)?,
        Function::Elu if field.holds(Comparison::Greater, x, whole(0)) => whole(1),
        Function::Elu => apply(Function::Exp, x)?,
        Function::Silu => {
            let sigmoid = apply(Function::Sigmoid, x)?;
            add(sigmoid, times(x, times(sigmoid, one_minus(sigmoid))))
        }
        Function::Erf => {
            let factor = field.number(Number::Float(2.0 / std::f64::consts::PI.sqrt()))?;
            times(factor, apply(Function::Exp, times(whole(-1), square))?)
        }
        Function::Gelu => {
            let number = |x: f64| field.number(Number::Float(x));
            let erf = apply(Function::Erf, times(number(std::f64::consts::FRAC_1_SQRT_2)?, x))?;
            let bell = apply(Function::Exp, times(number(-0.5)?, square))?;
            let density = times(number(1.0 / std::f64::consts::TAU.sqrt())?, bell);
            add(times(number(0.5)?, add(whole(1), erf)), times(x, density))
        }
        Function::Square => times(whole(2), x),
        Function::Recip => times(whole(-1), times(value, value)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Over, Pair};
    use crate::functions::Function;
    use crate::verify::values::{Field, Float, Floats};

    /// The slope of the slope is the difference of first derivatives.
    #[test]
    fn second_derivatives_of_all_functions_are_those_of_differences() {
        let over = Over(Floats);
        let mut tried = 0;
        for function in crate::functions::ENTRIES.iter().map(|entry| entry.function) {
            let x = 0.37;
            let first = |x: f64| Floats.apply(function, Float { value: x, slope: 1.0 }).map(|y| y.slope);
            let (Some(left), Some(right)) = (first(x - 1e-5), first(x + 1e-5)) else { continue };
            let one = Float { value: 1.0, slope: 0.0 };
            let at = Pair { value: Float { value: x, slope: 1.0 }, slope: one };
            let found = over.apply(function, at).unwrap_or_else(|| panic!("{function:?}")).slope;
            assert!((found.value - first(x).unwrap()).abs() < 1e-12, "{function:?}");
            assert!((found.slope - (right - left) / 2e-5).abs() < 1e-6, "{function:?}");
            tried += 1;
        }
        assert!(tried >= 25, "{tried}");
        assert!(over.apply(Function::Log, over.number(crate::number::Number::integer(-1)).unwrap()).is_none());
    }
}

//! Functions that are not rational, modulo a prime: symbols. The same function of the same number gives the same
//! pseudo-random number, with the identities that its definition has (exp(−x) = 1/exp(x), √x·√x = x where x is a square)
//! and with its own derivative, stated here a second time and not read from the dictionary.

use super::field::{Dual, PRIME, add, inverse, negate, square_root, times};
use crate::functions::Function;
use crate::syntax::ast::Comparison;

/// The symbols of one draw.
#[derive(Clone, Debug)]
pub struct Symbols {
    seed: u64,
    /// π, a square whose root goes well with that of 2.
    pi: u64,
    /// Euler's number.
    pub euler: u64,
}

/// Which symbol.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
enum Tag {
    Sign = 1,
    Exp,
    Log,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Erf,
    Power,
    Root,
    Pi,
    /// Functions of whole matrices follow.
    Matrix,
}

impl Symbols {
    /// The symbols of a seed.
    pub fn new(seed: u64) -> Symbols {
        let mut symbols = Symbols { seed, pi: 0, euler: 0 };
        symbols.euler = symbols.exp(Dual::ONE).value;
        let root_of_two = symbols.root_of_square(2).expect("2 is a square modulo 2^61 - 1");
        // √(2π) is to be √2·√π: the signs that choose the roots must agree.
        for i in 0.. {
            let root = symbols.number(Tag::Pi, i, 0);
            let root = if symbols.sign(root) == 1 { root } else { negate(root) };
            if symbols.sign(times(root_of_two, root)) == 1 {
                symbols.pi = times(root, root);
                break;
            }
        }
        symbols
    }

    /// π.
    pub fn pi(&self) -> u64 {
        self.pi
    }

    /// A pseudo-random number that is not zero.
    fn number(&self, tag: Tag, a: u64, b: u64) -> u64 {
        let mixed = mix(mix(mix(self.seed ^ (tag as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) ^ a) ^ b);
        1 + mixed % (PRIME - 1)
    }

    /// A pseudo-random number for an entry of a function of a whole matrix.
    pub fn entry(&self, function: u64, argument: u64, place: u64) -> u64 {
        self.number(Tag::Matrix, mix(function) ^ argument, place)
    }

    /// 1, −1 or 0, odd: the order of numbers modulo a prime is a symbol too.
    pub fn sign(&self, x: u64) -> i64 {
        if x == 0 {
            return 0;
        }
        let size = x.min(PRIME - x);
        let bit = (self.number(Tag::Sign, size, 0) & 1) as i64 * 2 - 1;
        if size == x { bit } else { -bit }
    }

    /// Whether a comparison of a and b holds.
    pub fn holds(&self, comparison: Comparison, a: u64, b: u64) -> bool {
        let sign = self.sign(add(a, negate(b)));
        match comparison {
            Comparison::Greater => sign > 0,
            Comparison::GreaterEqual => sign >= 0,
            Comparison::Less => sign < 0,
            Comparison::LessEqual => sign <= 0,
            Comparison::Equal => sign == 0,
            Comparison::NotEqual => sign != 0,
        }
    }

    /// max(a, b), a tie split evenly.
    pub fn larger(&self, a: Dual, b: Dual) -> Dual {
        match self.sign(add(a.value, negate(b.value))) {
            1 => a,
            -1 => b,
            _ => {
                let half = inverse(2).expect("2 is not zero");
                Dual { value: a.value, slope: times(half, add(a.slope, b.slope)) }
            }
        }
    }

    /// exp(x).
    pub fn exp(&self, x: Dual) -> Dual {
        let size = x.value.min(PRIME - x.value);
        let value = match x.value {
            0 => 1,
            v if v == size => self.number(Tag::Exp, size, 0),
            _ => inverse(self.number(Tag::Exp, size, 0)).expect("no symbol is zero"),
        };
        Dual { value, slope: times(value, x.slope) }
    }

    /// log(x); `None` for zero.
    pub fn log(&self, x: Dual) -> Option<Dual> {
        let value = if x.value == 1 { 0 } else { self.number(Tag::Log, x.value, 0) };
        Some(Dual { value, slope: times(inverse(x.value)?, x.slope) })
    }

    /// x^(n/d) as the n-th power of a root.
    pub fn rational_power(&self, x: Dual, n: i64, d: i64) -> Option<Dual> {
        if d == 1 {
            return x.power(n);
        }
        let root = match (d, self.root_of_square(x.value)) {
            (2, Some(root)) => root,
            _ => self.number(Tag::Root, x.value, d as u64),
        };
        // d root = root/(d·x) dx
        let slope = match x.slope {
            0 => 0,
            s => times(times(root, s), inverse(times(d as u64, x.value))?),
        };
        Dual { value: root, slope }.power(n)
    }

    /// √x where x is a square, the root that counts as positive: so √(x²) is |x|.
    fn root_of_square(&self, x: u64) -> Option<u64> {
        let root = square_root(x)?;
        Some(if self.sign(root) < 0 { negate(root) } else { root })
    }

    /// x^y for any y, a symbol; `None` where it moves.
    pub fn general_power(&self, x: Dual, y: Dual) -> Option<Dual> {
        (x.slope == 0 && y.slope == 0).then(|| Dual::constant(self.number(Tag::Power, x.value, y.value)))
    }

    /// An element-wise function of one number; `None` where it has no value or is no such function.
    pub fn apply(&self, function: Function, x: Dual) -> Option<Dual> {
        let one = Dual::ONE;
        let two = Dual::constant(2);
        Some(match function {
            Function::Exp => self.exp(x),
            Function::Log => self.log(x)?,
            Function::Log1p => self.log(one.plus(x))?,
            Function::Expm1 => self.exp(x).minus(one),
            Function::Sqrt => self.rational_power(x, 1, 2)?,
            Function::Square => x.by(x),
            Function::Recip => x.inverse()?,
            Function::Abs => self.scaled_by_sign(x),
            Function::Sign => Dual::constant(super::field::integer(self.sign(x.value))),
            Function::Step => Dual::constant(u64::from(self.sign(x.value) > 0)),
            Function::Relu => {
                if self.sign(x.value) > 0 {
                    x
                } else {
                    Dual::ZERO
                }
            }
            Function::Elu => {
                if self.sign(x.value) > 0 {
                    x
                } else {
                    self.exp(x).minus(one)
                }
            }
            Function::Sinh => {
                let e = self.exp(x);
                e.minus(e.inverse()?).by(two.inverse()?)
            }
            Function::Cosh => {
                let e = self.exp(x);
                e.plus(e.inverse()?).by(two.inverse()?)
            }
            Function::Tanh => {
                let e = self.exp(x);
                let square = e.by(e);
                square.minus(one).by(square.plus(one).inverse()?)
            }
            Function::Sigmoid => self.sigmoid(x)?,
            Function::Silu => x.by(self.sigmoid(x)?),
            Function::Softplus => self.log(one.plus(self.exp(x)))?,
            Function::Gelu => {
                let root = self.rational_power(two, 1, 2)?;
                let erf = self.apply(Function::Erf, x.by(root.inverse()?))?;
                x.by(one.plus(erf)).by(two.inverse()?)
            }
            Function::Erf => {
                let root = self.rational_power(Dual::constant(self.pi), -1, 2)?;
                let slope = two.by(root).by(self.exp(x.by(x).negated()));
                self.odd(Tag::Erf, x, slope.value)
            }
            Function::Sin => {
                let slope = self.even(Tag::Cos, x.value);
                self.odd(Tag::Sin, x, slope)
            }
            Function::Cos => {
                let sin = self.odd(Tag::Sin, Dual::constant(x.value), 0).value;
                Dual { value: self.even(Tag::Cos, x.value), slope: negate(times(sin, x.slope)) }
            }
            Function::Tan => {
                let value = self.odd(Tag::Tan, Dual::constant(x.value), 0).value;
                Dual { value, slope: times(add(1, times(value, value)), x.slope) }
            }
            Function::Asin => self.odd(Tag::Asin, x, self.arc_slope(x)?),
            Function::Acos => {
                let value = self.number(Tag::Acos, x.value, 0);
                Dual { value, slope: negate(times(self.arc_slope(x)?, x.slope)) }
            }
            Function::Atan => {
                let slope = inverse(add(1, times(x.value, x.value)))?;
                self.odd(Tag::Atan, x, slope)
            }
            _ => return None,
        })
    }

    /// |x| = x·sign(x).
    pub fn scaled_by_sign(&self, x: Dual) -> Dual {
        match self.sign(x.value) {
            0 => Dual::ZERO,
            1 => x,
            _ => x.negated(),
        }
    }

    fn sigmoid(&self, x: Dual) -> Option<Dual> {
        let e = self.exp(x);
        Some(e.by(Dual::ONE.plus(e).inverse()?))
    }

    /// 1/√(1 − x²)
    fn arc_slope(&self, x: Dual) -> Option<u64> {
        let rest = Dual::constant(add(1, negate(times(x.value, x.value))));
        self.rational_power(rest, -1, 2).map(|y| y.value)
    }

    fn odd(&self, tag: Tag, x: Dual, slope: u64) -> Dual {
        let size = x.value.min(PRIME - x.value);
        let value = match x.value {
            0 => 0,
            v if v == size => self.number(tag, size, 0),
            _ => negate(self.number(tag, size, 0)),
        };
        Dual { value, slope: times(slope, x.slope) }
    }

    fn even(&self, tag: Tag, x: u64) -> u64 {
        if x == 0 { 1 } else { self.number(tag, x.min(PRIME - x), 0) }
    }
}

/// A number that stands for a list of numbers.
pub fn digest(values: impl Iterator<Item = u64>) -> u64 {
    values.fold(0x5851_f42d_4c95_7f2d, |state, value| mix(state ^ value))
}

/// A bijection that spreads its bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// a^(p−2), the inverse by Fermat, for tests of [`inverse`].
#[cfg(test)]
fn inverse_by_fermat(a: u64) -> u64 {
    super::field::power(a, PRIME - 2)
}

#[cfg(test)]
mod tests {
    use super::{Dual, Function, Symbols, inverse, inverse_by_fermat, times};

    #[test]
    fn definitions_hold_between_symbols() {
        let symbols = Symbols::new(3);
        let x = Dual { value: 123_456_789, slope: 1 };
        assert_eq!(inverse(x.value), Some(inverse_by_fermat(x.value)));
        assert_eq!(symbols.exp(x).by(symbols.exp(x.negated())), Dual::ONE);
        let apply = |function, x| symbols.apply(function, x).unwrap();
        // 1 − tanh² is the slope of tanh; cosh that of sinh.
        let tanh = apply(Function::Tanh, x);
        assert_eq!(tanh.slope, Dual::ONE.minus(tanh.by(tanh)).value);
        assert_eq!(apply(Function::Sinh, x).slope, apply(Function::Cosh, x).value);
        let root = symbols.rational_power(x.by(x), 1, 2).unwrap();
        assert_eq!(root, symbols.scaled_by_sign(x));
        let (two, pi) = (Dual::constant(2), Dual::constant(symbols.pi()));
        let product = symbols.rational_power(two.by(pi), 1, 2).unwrap();
        let (a, b) = (symbols.rational_power(two, 1, 2).unwrap(), symbols.rational_power(pi, 1, 2).unwrap());
        assert_eq!(product, a.by(b));
        assert_eq!(times(a.value, a.value), 2);
    }
}

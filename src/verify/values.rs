//! Numbers with a slope, v + s·ε with ε² = 0, in floating point and modulo a prime, and matrices of them: what the
//! arithmetic of both sides of a line needs. Slopes follow the definition of each function, stated here and not read from
//! the dictionary, so that a line is judged by something else than the calculus.

use std::fmt::Debug;

use super::slopes::{Over, Pair};
use crate::check::field::{Dual, integer, inverse as inverse_modulo};
use crate::check::opaque::{Symbols, digest};
use crate::functions::Function;
use crate::matrix::erf;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A field whose numbers have a slope.
pub trait Field {
    /// Its numbers.
    type Scalar: Copy + Debug;
    /// The field over this one, whose numbers have a slope made of numbers of this.
    type Higher: Field;
    /// The field over this one; `None` where slopes of slopes end.
    fn higher(&self) -> Option<Self::Higher>;
    /// A number as one of the field over this, which does not move there.
    fn lift(&self, a: Self::Scalar) -> <Self::Higher as Field>::Scalar;
    /// The slope of a number of the field over this.
    fn slope_of(&self, a: <Self::Higher as Field>::Scalar) -> Self::Scalar;
    /// A number of the language; `None` where it is none here.
    fn number(&self, value: Number) -> Option<Self::Scalar>;
    /// a + b
    fn add(&self, a: Self::Scalar, b: Self::Scalar) -> Self::Scalar;
    /// a·b
    fn times(&self, a: Self::Scalar, b: Self::Scalar) -> Self::Scalar;
    /// 1/a
    fn inverse(&self, a: Self::Scalar) -> Option<Self::Scalar>;
    /// The slope as a number that does not move.
    fn slope(&self, a: Self::Scalar) -> Self::Scalar;
    /// The value with this slope.
    fn moving(&self, a: Self::Scalar, slope: Self::Scalar) -> Self::Scalar;
    /// An element-wise function.
    fn apply(&self, function: Function, a: Self::Scalar) -> Option<Self::Scalar>;
    /// a^b
    fn power(&self, a: Self::Scalar, b: Self::Scalar, exponent: Option<Number>) -> Option<Self::Scalar>;
    /// The `order`-th derivative of a function known by its name only.
    fn generic(&self, name: &str, order: u32, a: Self::Scalar) -> Self::Scalar;
    /// Whether a comparison holds.
    fn holds(&self, comparison: Comparison, a: Self::Scalar, b: Self::Scalar) -> bool;
    /// π
    fn pi(&self) -> Self::Scalar;
    /// How large the value is, to choose a pivot.
    fn size(&self, a: Self::Scalar) -> f64;
    /// Whether limits are at home here: a matrix exponential, a root.
    fn has_limits(&self) -> bool;
}

/// Floating point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Floats;

/// A floating-point number with a slope.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Float {
    /// The value.
    pub value: f64,
    /// The slope.
    pub slope: f64,
}

fn float(value: f64, slope: f64) -> Option<Float> {
    Some(Float { value, slope: if slope == 0.0 { 0.0 } else { slope } })
}

impl Field for Floats {
    type Scalar = Float;
    type Higher = Over<Floats>;

    fn higher(&self) -> Option<Over<Floats>> {
        Some(Over(*self))
    }

    fn lift(&self, a: Float) -> Pair<Float> {
        Pair { value: a, slope: Float::default() }
    }

    fn slope_of(&self, a: Pair<Float>) -> Float {
        a.slope
    }

    fn number(&self, value: Number) -> Option<Float> {
        float(value.to_f64(), 0.0)
    }

    fn add(&self, a: Float, b: Float) -> Float {
        Float { value: a.value + b.value, slope: a.slope + b.slope }
    }

    fn times(&self, a: Float, b: Float) -> Float {
        let part = |slope: f64, value: f64| if slope == 0.0 { 0.0 } else { slope * value };
        Float { value: a.value * b.value, slope: part(a.slope, b.value) + part(b.slope, a.value) }
    }

    fn inverse(&self, a: Float) -> Option<Float> {
        if a.value == 0.0 {
            return None;
        }
        float(1.0 / a.value, -a.slope / (a.value * a.value))
    }

    fn slope(&self, a: Float) -> Float {
        Float { value: a.slope, slope: 0.0 }
    }

    fn moving(&self, a: Float, slope: Float) -> Float {
        Float { value: a.value, slope: slope.value }
    }

    fn apply(&self, function: Function, a: Float) -> Option<Float> {
        let (x, s) = (a.value, a.slope);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let with = |value: f64, derivative: f64| float(value, if s == 0.0 { 0.0 } else { derivative * s });
        match function {
            Function::Exp => with(x.exp(), x.exp()),
            Function::Log if x > 0.0 => with(x.ln(), 1.0 / x),
            Function::Log1p if x > -1.0 => with(x.ln_1p(), 1.0 / (1.0 + x)),
            Function::Expm1 => with(x.exp_m1(), x.exp()),
            Function::Sqrt if x > 0.0 => with(x.sqrt(), 0.5 / x.sqrt()),
            Function::Abs => with(x.abs(), if x == 0.0 { 0.0 } else { x.signum() }),
            Function::Sign => with(if x == 0.0 { 0.0 } else { x.signum() }, 0.0),
            Function::Sin => with(x.sin(), x.cos()),
            Function::Cos => with(x.cos(), -x.sin()),
            Function::Tan => with(x.tan(), 1.0 + x.tan() * x.tan()),
            Function::Asin if x.abs() < 1.0 => with(x.asin(), 1.0 / (1.0 - x * x).sqrt()),
            Function::Acos if x.abs() < 1.0 => with(x.acos(), -1.0 / (1.0 - x * x).sqrt()),
            Function::Atan => with(x.atan(), 1.0 / (1.0 + x * x)),
            Function::Sinh => with(x.sinh(), x.cosh()),
            Function::Cosh => with(x.cosh(), x.sinh()),
            Function::Tanh => with(x.tanh(), 1.0 - x.tanh() * x.tanh()),
            Function::Sigmoid => with(sigmoid(x), sigmoid(x) * sigmoid(-x)),
            Function::Softplus => with(x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid(x)),
            Function::Relu => with(x.max(0.0), if x > 0.0 { 1.0 } else { 0.0 }),
            Function::Elu if x > 0.0 => with(x, 1.0),
            Function::Elu => with(x.exp_m1(), x.exp()),
            Function::Gelu => {
                let normal = 0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2));
                let density = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
                with(x * normal, normal + x * density)
            }
            Function::Silu => with(x * sigmoid(x), sigmoid(x) * (1.0 + x * sigmoid(-x))),
            Function::Erf => with(erf(x), 2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp()),
            Function::Step => with(if x > 0.0 { 1.0 } else { 0.0 }, 0.0),
            Function::Square => with(x * x, 2.0 * x),
            Function::Recip => self.inverse(a),
            _ => None,
        }
    }

    fn power(&self, a: Float, b: Float, _exponent: Option<Number>) -> Option<Float> {
        let value = a.value.powf(b.value);
        let mut slope = 0.0;
        if a.slope != 0.0 {
            slope += b.value * a.value.powf(b.value - 1.0) * a.slope;
        }
        if b.slope != 0.0 {
            slope += value * a.value.ln() * b.slope;
        }
        (value.is_finite() && slope.is_finite()).then_some(Float { value, slope })
    }

    fn generic(&self, name: &str, order: u32, a: Float) -> Float {
        // A function without relations to any other: the n-th derivative of sin(px + q) + r exp(tx) + u x³.
        let seed = digest(name.bytes().map(u64::from));
        let pick = |i: u64| 0.4 + ((seed >> (i * 12)) & 0xfff) as f64 / 4096.0;
        let (p, q, r, t, u) = (pick(0), pick(1), 0.3 * pick(2), 0.5 * pick(3), 0.2 * pick(4));
        let at = |n: u32, x: f64| {
            let turned = p * x + q + f64::from(n) * std::f64::consts::FRAC_PI_2;
            let cube = match n {
                0 => x * x * x,
                1 => 3.0 * x * x,
                2 => 6.0 * x,
                3 => 6.0,
                _ => 0.0,
            };
            p.powi(n as i32) * turned.sin() + r * t.powi(n as i32) * (t * x).exp() + u * cube
        };
        Float { value: at(order, a.value), slope: if a.slope == 0.0 { 0.0 } else { at(order + 1, a.value) * a.slope } }
    }

    fn holds(&self, comparison: Comparison, a: Float, b: Float) -> bool {
        comparison.holds(a.value, b.value)
    }

    fn pi(&self) -> Float {
        Float { value: std::f64::consts::PI, slope: 0.0 }
    }

    fn size(&self, a: Float) -> f64 {
        a.value.abs()
    }

    fn has_limits(&self) -> bool {
        true
    }
}

/// Numbers modulo the prime 2^61 − 1, functions as symbols.
#[derive(Clone, Debug)]
pub struct Residues {
    symbols: Symbols,
}

impl Residues {
    /// With the symbols of a seed.
    pub fn new(seed: u64) -> Residues {
        Residues { symbols: Symbols::new(seed) }
    }
}

impl Field for Residues {
    type Scalar = Dual;
    type Higher = Over<Residues>;

    fn higher(&self) -> Option<Over<Residues>> {
        Some(Over(self.clone()))
    }

    fn lift(&self, a: Dual) -> Pair<Dual> {
        Pair { value: a, slope: Dual::ZERO }
    }

    fn slope_of(&self, a: Pair<Dual>) -> Dual {
        a.slope
    }

    fn number(&self, value: Number) -> Option<Dual> {
        match value {
            Number::Ratio(n, d) => Some(Dual::constant(integer(n)).by(Dual::constant(inverse_modulo(integer(d))?))),
            Number::Float(_) => None,
        }
    }

    fn add(&self, a: Dual, b: Dual) -> Dual {
        a.plus(b)
    }

    fn times(&self, a: Dual, b: Dual) -> Dual {
        a.by(b)
    }

    fn inverse(&self, a: Dual) -> Option<Dual> {
        a.inverse()
    }

    fn slope(&self, a: Dual) -> Dual {
        Dual::constant(a.slope)
    }

    fn moving(&self, a: Dual, slope: Dual) -> Dual {
        Dual { value: a.value, slope: slope.value }
    }

    fn apply(&self, function: Function, a: Dual) -> Option<Dual> {
        self.symbols.apply(function, a)
    }

    fn power(&self, a: Dual, b: Dual, exponent: Option<Number>) -> Option<Dual> {
        match exponent {
            Some(Number::Ratio(n, d)) => self.symbols.rational_power(a, n, d),
            _ => self.symbols.general_power(a, b),
        }
    }

    fn generic(&self, name: &str, order: u32, a: Dual) -> Dual {
        let function = digest(name.bytes().map(u64::from));
        let at = |n: u32| self.symbols.entry(function, a.value, u64::from(n));
        let slope = if a.slope == 0 { 0 } else { Dual::constant(at(order + 1)).by(Dual::constant(a.slope)).value };
        Dual { value: at(order), slope }
    }

    fn holds(&self, comparison: Comparison, a: Dual, b: Dual) -> bool {
        self.symbols.holds(comparison, a.value, b.value)
    }

    fn pi(&self) -> Dual {
        Dual::constant(self.symbols.pi())
    }

    fn size(&self, a: Dual) -> f64 {
        if a.value == 0 { 0.0 } else { 1.0 }
    }

    fn has_limits(&self) -> bool {
        false
    }
}

/// A matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid<S> {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// The entries row by row.
    pub entries: Vec<S>,
}

impl<S: Copy> Grid<S> {
    /// The entry at row i and column j is `f(i, j)`.
    pub fn from_fn(rows: usize, columns: usize, mut f: impl FnMut(usize, usize) -> S) -> Grid<S> {
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            entries.extend((0..columns).map(|j| f(i, j)));
        }
        Grid { rows, columns, entries }
    }

    /// 1×1.
    pub fn scalar(value: S) -> Grid<S> {
        Grid { rows: 1, columns: 1, entries: vec![value] }
    }

    /// The entry at row i and column j, from 0.
    pub fn at(&self, i: usize, j: usize) -> S {
        self.entries[i * self.columns + j]
    }

    /// 1×1.
    pub fn is_scalar(&self) -> bool {
        self.rows == 1 && self.columns == 1
    }

    /// Entry by entry.
    pub fn map(&self, f: impl Fn(S) -> S) -> Grid<S> {
        Grid { rows: self.rows, columns: self.columns, entries: self.entries.iter().map(|&x| f(x)).collect() }
    }

    /// Entry by entry, where each has a value.
    pub fn try_map(&self, f: impl Fn(S) -> Option<S>) -> Option<Grid<S>> {
        let entries: Option<Vec<S>> = self.entries.iter().map(|&x| f(x)).collect();
        Some(Grid { rows: self.rows, columns: self.columns, entries: entries? })
    }

    /// Two matrices entry by entry; a scalar, a row or a column is repeated beside a larger one.
    pub fn pairs(&self, other: &Grid<S>, f: impl Fn(S, S) -> Option<S>) -> Option<Grid<S>> {
        let fits = |a: usize, b: usize| a == b || a == 1 || b == 1;
        if !fits(self.rows, other.rows) || !fits(self.columns, other.columns) {
            return None;
        }
        let (rows, columns) = (self.rows.max(other.rows), self.columns.max(other.columns));
        let mut entries = Vec::with_capacity(rows * columns);
        let place = |n: usize, i: usize| if n == 1 { 0 } else { i };
        for i in 0..rows {
            for j in 0..columns {
                let x = self.at(place(self.rows, i), place(self.columns, j));
                let y = other.at(place(other.rows, i), place(other.columns, j));
                entries.push(f(x, y)?);
            }
        }
        Some(Grid { rows, columns, entries })
    }

    /// Rows for columns.
    pub fn transpose(&self) -> Grid<S> {
        Grid::from_fn(self.columns, self.rows, |i, j| self.at(j, i))
    }

    /// The same entries, column by column, in another shape.
    pub fn reshape(&self, rows: usize, columns: usize) -> Option<Grid<S>> {
        if rows * columns != self.entries.len() {
            return None;
        }
        Some(Grid::from_fn(rows, columns, |i, j| {
            let place = j * rows + i;
            self.at(place % self.rows, place / self.rows)
        }))
    }
}

//! Constructors of a program's values: operands come in, the value goes out in its stable and short form. What a textbook
//! writes and a computer should not compute as written is recognised here, once for all targets: the logarithm of a
//! softmax, of a sum of exponentials, of a determinant, log(1 + x), exp(x) − 1, softplus and the logistic function.

use super::code::{Along, Code, Label, MatrixOp, Op, SoftmaxPart, Value};
use crate::dimension::{DimId, Shape};
use crate::expr::Axis;
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;

impl Code {
    /// A number.
    pub(super) fn number(&mut self, number: Number) -> Value {
        self.intern(Op::Number(number), Shape::SCALAR)
    }

    /// The number that a value always is.
    pub fn number_of(&self, value: Value) -> Option<Number> {
        match self.op(value) {
            Op::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The value of a dimension.
    pub(super) fn size(&mut self, dimension: DimId) -> Value {
        match self.dimensions.as_constant(dimension) {
            Some(n) => self.number(Number::integer(n)),
            None => self.intern(Op::Dimension(dimension), Shape::SCALAR),
        }
    }

    /// The shape that operands are repeated to beside each other.
    fn joined(&self, list: &[Value]) -> Shape {
        let longest = |of: &dyn Fn(Shape) -> DimId| {
            list.iter().map(|&a| of(self.shape(a))).find(|&d| d != DimId::ONE).unwrap_or(DimId::ONE)
        };
        Shape::new(longest(&|shape| shape.rows), longest(&|shape| shape.columns))
    }

    /// c and x of a value c·x without a name of its own.
    fn coefficient_of(&self, value: Value) -> (Number, Value) {
        match self.op(value) {
            Op::Sum(terms) if terms.len() == 1 && self.label(value).is_none() => terms[0],
            _ => (Number::ONE, value),
        }
    }

    /// Σ c·a.
    pub(super) fn sum(&mut self, terms: &[(Number, Value)]) -> Value {
        let mut list: Vec<(Number, Value)> = Vec::with_capacity(terms.len());
        let mut constant = Number::ZERO;
        let mut place = None;
        for &(c, a) in terms {
            let (inner, a) = self.coefficient_of(a);
            let c = c.times(inner);
            if let Some(number) = self.number_of(a) {
                constant = constant.plus(c.times(number));
                place.get_or_insert(list.len());
                continue;
            }
            match list.iter_mut().find(|(_, known)| *known == a) {
                Some((sum, _)) => *sum = sum.plus(c),
                None => list.push((c, a)),
            }
        }
        list.retain(|(c, _)| !c.is_zero());
        if constant.is_one() || constant == Number::MINUS_ONE {
            for known in &mut list {
                if let Some(term) = self.with_one(constant, *known) {
                    *known = term;
                    constant = Number::ZERO;
                    break;
                }
            }
        }
        if !constant.is_zero() {
            let number = self.number(constant.abs());
            let sign = if constant.is_negative() { Number::MINUS_ONE } else { Number::ONE };
            list.insert(place.unwrap_or(0).min(list.len()), (sign, number));
        }
        if let Some(first) = list.iter().position(|(c, _)| !c.is_negative()) {
            let term = list.remove(first);
            list.insert(0, term);
        }
        match list.as_slice() {
            [] => self.number(Number::ZERO),
            &[(c, a)] => match self.number_of(a) {
                Some(number) => self.number(c.times(number)),
                None if c.is_one() => a,
                None => {
                    let shape = self.shape(a);
                    self.intern(Op::Sum(Box::new([(c, a)])), shape)
                }
            },
            many => {
                let shape = self.joined(&many.iter().map(|&(_, a)| a).collect::<Vec<_>>());
                self.intern(Op::Sum(many.into()), shape)
            }
        }
    }

    /// exp(x) − 1 and 1 − σ(x) as functions of their own, where the constant is 1 or −1.
    fn with_one(&mut self, constant: Number, (c, a): (Number, Value)) -> Option<(Number, Value)> {
        if self.label(a).is_some() || c != constant.negate() {
            return None;
        }
        match *self.op(a) {
            Op::Map(Function::Exp, x) => Some((c, self.intern(Op::Map(Function::Expm1, x), self.shape(a)))),
            Op::Map(Function::Sigmoid, x) => {
                let negative = self.negative(x);
                Some((constant, self.map(Function::Sigmoid, negative)))
            }
            _ => None,
        }
    }

    /// −a
    pub(super) fn negative(&mut self, a: Value) -> Value {
        self.sum(&[(Number::MINUS_ONE, a)])
    }

    /// c·a
    pub(super) fn scaled(&mut self, c: Number, a: Value) -> Value {
        self.sum(&[(c, a)])
    }

    /// a·b·… by entries.
    pub(super) fn multiply(&mut self, list: &[Value]) -> Value {
        let mut c = Number::ONE;
        let mut factors: Vec<Value> = Vec::with_capacity(list.len());
        for &a in list {
            let (inner, a) = self.coefficient_of(a);
            c = c.times(inner);
            match self.number_of(a) {
                Some(number) => c = c.times(number),
                None => factors.push(a),
            }
        }
        // exp(x)·σ(−x) = σ(x)
        for i in 0..factors.len() {
            let Op::Map(Function::Exp, x) = *self.op(factors[i]) else { continue };
            let minus = self.negative(x);
            let place = factors.iter().position(|&b| *self.op(b) == Op::Map(Function::Sigmoid, minus));
            if let Some(j) = place {
                factors[j] = self.map(Function::Sigmoid, x);
                factors.remove(i);
                break;
            }
        }
        let scalar = |code: &Code, a: &Value| code.shape(*a).is_scalar();
        factors.sort_by_key(|a| !scalar(self, a));
        let product = match factors.as_slice() {
            [] => return self.number(c),
            &[a] => a,
            many => {
                let shape = self.joined(many);
                self.intern(Op::Multiply(many.into()), shape)
            }
        };
        self.scaled(c, product)
    }

    /// a/b by entries.
    pub(super) fn divide(&mut self, a: Value, b: Value) -> Value {
        let (c, x) = self.coefficient_of(a);
        let (d, y) = self.coefficient_of(b);
        if let Some(reciprocal) = d.reciprocal()
            && (!c.is_one() || !d.is_one())
        {
            let quotient = self.divide(x, y);
            return self.scaled(c.times(reciprocal), quotient);
        }
        if let Some(number) = self.number_of(b)
            && let Some(reciprocal) = number.reciprocal()
        {
            return self.scaled(reciprocal, a);
        }
        if let Some(x) = self.one_plus_exponential(b) {
            let minus = self.negative(x);
            let sigmoid = self.map(Function::Sigmoid, minus);
            return self.multiply(&[a, sigmoid]);
        }
        if let Op::Total(along, inner) = *self.op(b)
            && inner == a
            && let Op::Map(Function::Exp, x) = *self.op(a)
        {
            return self.intern(Op::Softmax(SoftmaxPart::Softmax, axis_of(along), x), self.shape(x));
        }
        if let Some(number) = self.number_of(a)
            && number.is_zero()
        {
            return a;
        }
        let shape = self.joined(&[a, b]);
        self.intern(Op::Divide(a, b), shape)
    }

    /// x of 1 + exp(x).
    fn one_plus_exponential(&self, value: Value) -> Option<Value> {
        let Op::Sum(terms) = self.op(value) else { return None };
        let &[(c, a), (d, b)] = terms.as_ref() else { return None };
        if !c.is_one() || !d.is_one() {
            return None;
        }
        let one = |v: Value| self.number_of(v) == Some(Number::ONE);
        let exponential = |v: Value| match *self.op(v) {
            Op::Map(Function::Exp, x) => Some(x),
            _ => None,
        };
        if one(a) {
            exponential(b)
        } else if one(b) {
            exponential(a)
        } else {
            None
        }
    }

    /// base to a power by entries.
    pub(super) fn power(&mut self, base: Value, exponent: Value) -> Value {
        if let Some(k) = self.number_of(exponent) {
            if k.is_one() {
                return base;
            }
            if k.is_zero() {
                return self.number(Number::ONE);
            }
            if k.is_negative() {
                let positive = self.number(k.negate());
                let power = self.power(base, positive);
                let one = self.number(Number::ONE);
                return self.divide(one, power);
            }
            if k == Number::HALF {
                return self.map(Function::Sqrt, base);
            }
        }
        let shape = self.joined(&[base, exponent]);
        self.intern(Op::Power(base, exponent), shape)
    }

    /// A function of one argument by entries.
    pub(super) fn map(&mut self, function: Function, a: Value) -> Value {
        let shape = self.shape(a);
        match function {
            Function::Log => {
                if let Some(stable) = self.logarithm(a) {
                    return stable;
                }
            }
            Function::Square => {
                let two = self.number(Number::integer(2));
                return self.power(a, two);
            }
            Function::Recip => {
                let one = self.number(Number::ONE);
                return self.divide(one, a);
            }
            Function::Sqrt => {
                if let Op::Dot(x, y) = *self.op(a)
                    && x == y
                {
                    return self.intern(Op::Matrix(MatrixOp::Norm, Box::new([x])), Shape::SCALAR);
                }
            }
            _ => {}
        }
        self.intern(Op::Map(function, a), shape)
    }

    /// log(a) where that has a stable form of its own.
    fn logarithm(&mut self, a: Value) -> Option<Value> {
        let shape = self.shape(a);
        Some(match self.op(a).clone() {
            Op::Softmax(SoftmaxPart::Softmax, axis, x) => self.softmax(SoftmaxPart::LogSoftmax, axis, x, shape),
            Op::Transpose(inner) => {
                let log = self.logarithm(inner)?;
                self.transpose(log)
            }
            Op::Map(Function::Sigmoid, x) => {
                let minus = self.negative(x);
                let softplus = self.map(Function::Softplus, minus);
                self.negative(softplus)
            }
            Op::Map(Function::Exp, x) => x,
            Op::Total(along, inner) => match *self.op(inner) {
                Op::Map(Function::Exp, x) => self.softmax(SoftmaxPart::LogSumExp, axis_of(along), x, shape),
                _ => return None,
            },
            Op::Matrix(MatrixOp::Determinant, list) => {
                self.intern(Op::Matrix(MatrixOp::LogDeterminant, list), Shape::SCALAR)
            }
            Op::Sum(terms) => {
                if let Some(x) = self.one_plus_exponential(a) {
                    return Some(self.map(Function::Softplus, x));
                }
                let one = terms.iter().position(|&(c, v)| c.is_one() && self.number_of(v) == Some(Number::ONE))?;
                let mut rest = terms.to_vec();
                rest.remove(one);
                let rest = self.sum(&rest);
                self.intern(Op::Map(Function::Log1p, rest), shape)
            }
            _ => return None,
        })
    }

    /// Part of a softmax.
    pub(super) fn softmax(&mut self, part: SoftmaxPart, axis: Axis, a: Value, shape: Shape) -> Value {
        self.intern(Op::Softmax(part, axis, a), shape)
    }

    /// x where x > 0, else s·x; the larger; the smaller; a comparison.
    pub(super) fn pair(&mut self, op: fn(Value, Value) -> Op, a: Value, b: Value) -> Value {
        let shape = self.joined(&[a, b]);
        self.intern(op(a, b), shape)
    }

    /// 1 where it holds, else 0.
    pub(super) fn compare(&mut self, comparison: Comparison, a: Value, b: Value) -> Value {
        if let (Some(x), Some(y)) = (self.number_of(a), self.number_of(b)) {
            let holds = comparison.holds(x.to_f64(), y.to_f64());
            return self.number(if holds { Number::ONE } else { Number::ZERO });
        }
        let shape = self.joined(&[a, b]);
        self.intern(Op::Compare(comparison, a, b), shape)
    }

    /// The transpose.
    pub(super) fn transpose(&mut self, a: Value) -> Value {
        let shape = self.shape(a);
        if shape.is_scalar() {
            return a;
        }
        match *self.op(a) {
            Op::Transpose(inner) => inner,
            Op::Identity => a,
            Op::Sum(_) if self.coefficient_of(a).1 != a => {
                let (c, x) = self.coefficient_of(a);
                let turned = self.transpose(x);
                self.scaled(c, turned)
            }
            _ => self.intern(Op::Transpose(a), shape.transposed()),
        }
    }

    /// A matrix product, none of whose sides is 1×1 or a sum of one term.
    pub(super) fn product(&mut self, a: Value, b: Value) -> Value {
        let ((c, a), (d, b)) = (self.coefficient_of(a), self.coefficient_of(b));
        let shape = Shape::new(self.shape(a).rows, self.shape(b).columns);
        let product = self.intern(Op::Product(a, b), shape);
        self.scaled(c.times(d), product)
    }

    /// ⟨a, b⟩
    pub(super) fn dot(&mut self, a: Value, b: Value) -> Value {
        let ((c, a), (d, b)) = (self.coefficient_of(a), self.coefficient_of(b));
        if self.shape(a).is_scalar() {
            let product = self.multiply(&[a, b]);
            return self.scaled(c.times(d), product);
        }
        // ⟨Aᵀ, Bᵀ⟩ = ⟨A, B⟩, and a vector's transpose has its entries.
        let (mut a, mut b) = (a, b);
        let turned = |code: &Code, v: Value| match *code.op(v) {
            Op::Transpose(inner) => Some(inner),
            _ => None,
        };
        if super::code::rank(self.shape(a)) == 1 {
            a = turned(self, a).unwrap_or(a);
            b = turned(self, b).unwrap_or(b);
        } else if let (Some(x), Some(y)) = (turned(self, a), turned(self, b)) {
            (a, b) = (x, y);
        }
        let dot = self.intern(Op::Dot(a, b), Shape::SCALAR);
        self.scaled(c.times(d), dot)
    }

    /// A sum of entries.
    pub(super) fn total(&mut self, along: Along, a: Value) -> Value {
        let shape = self.shape(a);
        let (c, x) = self.coefficient_of(a);
        if x != a {
            let total = self.total(along, x);
            return self.scaled(c, total);
        }
        let along = match along {
            Along::Rows if shape.columns == DimId::ONE => return a,
            Along::Columns if shape.rows == DimId::ONE => return a,
            Along::Rows if shape.rows == DimId::ONE => Along::All,
            Along::Columns if shape.columns == DimId::ONE => Along::All,
            other => other,
        };
        let to = match along {
            _ if shape.is_scalar() => return a,
            Along::Rows => Shape::new(shape.rows, DimId::ONE),
            Along::Columns => Shape::new(DimId::ONE, shape.columns),
            Along::All => Shape::SCALAR,
        };
        if self.label(a).is_none() {
            match self.op(a).clone() {
                Op::Divide(x, s) if self.shape(s).is_scalar() && self.shape(x) == shape => {
                    let total = self.total(along, x);
                    return self.divide(total, s);
                }
                Op::Multiply(list) => {
                    let (scalars, rest): (Vec<Value>, Vec<Value>) =
                        list.iter().partition(|&&b| self.shape(b).is_scalar());
                    if !scalars.is_empty() {
                        let rest = self.multiply(&rest);
                        let total = self.total(along, rest);
                        return self.multiply(&[scalars, vec![total]].concat());
                    }
                    if along == Along::All
                        && let &[x, y] = rest.as_slice()
                        && self.shape(x) == self.shape(y)
                    {
                        return self.dot(x, y);
                    }
                }
                Op::Power(x, k) if along == Along::All && self.number_of(k) == Some(Number::integer(2)) => {
                    return self.dot(x, x);
                }
                Op::Transpose(x) | Op::Total(_, x) if along == Along::All => return self.total(along, x),
                _ => {}
            }
        }
        self.intern(Op::Total(along, a), to)
    }

    /// An operation on whole matrices.
    pub(super) fn matrix(&mut self, op: MatrixOp, list: &[Value], shape: Shape) -> Value {
        self.intern(Op::Matrix(op, list.into()), shape)
    }

    /// a/b, and 0 where b is 0: pseudo-inverses of numbers and vectors.
    pub(super) fn over_or_zero(&mut self, a: Value, b: Value) -> Value {
        let zero = self.number(Number::ZERO);
        let none = self.compare(Comparison::Equal, b, zero);
        let some = self.compare(Comparison::NotEqual, b, zero);
        let (above, below) = (self.multiply(&[some, a]), self.sum(&[(Number::ONE, b), (Number::ONE, none)]));
        self.divide(above, below)
    }

    /// A row or column of that shape with the first entry of the value and zeros.
    pub(super) fn first_entry(&mut self, a: Value, shape: Shape) -> Value {
        let column = if shape.is_row() { shape.transposed() } else { shape };
        let unit = self.intern(Op::Unit(1), column);
        let unit = if shape.is_row() { self.transpose(unit) } else { unit };
        self.multiply(&[a, unit])
    }

    /// Gives a value a name.
    pub(super) fn call_it(&mut self, value: Value, name: &str, formula: String) {
        self.set_label(value, Label { name: name.to_owned(), formula });
    }
}

/// The axis of a softmax that a sum of exponentials runs along.
fn axis_of(along: Along) -> Axis {
    match along {
        Along::Rows => Axis::Rows,
        Along::Columns => Axis::Columns,
        Along::All => Axis::All,
    }
}

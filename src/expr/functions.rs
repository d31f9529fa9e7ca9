//! The dictionary's functions on expressions: what is another form of something simpler becomes that form.

use super::{Arena, Axis, ExprId, Op};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Properties, Property};
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::syntax::ast::Comparison;

impl Arena {
    /// f(arguments) of a function whose result has a shape that follows from theirs.
    pub fn call(&mut self, function: Function, axis: Axis, arguments: &[ExprId]) -> ExprId {
        let a = arguments[0];
        let shape = self.shape(a);
        match function {
            Function::Sqrt => {
                let half = self.number(Number::HALF);
                return self.power(a, half);
            }
            Function::Square => {
                let two = self.integer(2);
                return self.power(a, two);
            }
            Function::Recip => return self.reciprocal(a),
            Function::Exp => {
                if let Op::Call(Function::Log, _, inner) = self.op(a) {
                    return inner[0];
                }
                if self.is_zero(a) {
                    return if shape.is_scalar() { self.integer(1) } else { self.ones(shape) };
                }
            }
            Function::Log => {
                if let Op::Call(Function::Exp, _, inner) = self.op(a) {
                    return inner[0];
                }
                if self.is_ones(a) || matches!(self.op(a), Op::Number(k) if k.is_one()) {
                    return self.zeros(shape);
                }
            }
            Function::Abs if self.properties(a).has(Property::Nonnegative) => return a,
            Function::Sum => return self.sum_all(a),
            Function::Mean => {
                let total = self.sum_all(a);
                return self.over_dimensions(total, &[shape.rows, shape.columns]);
            }
            Function::RowSum | Function::RowMean => {
                let ones = self.ones_column(shape.columns);
                let sums = self.multiply(&[a, ones]);
                return if function == Function::RowSum { sums } else { self.over_dimensions(sums, &[shape.columns]) };
            }
            Function::ColSum | Function::ColMean => {
                let ones = self.ones_row(shape.rows);
                let sums = self.multiply(&[ones, a]);
                return if function == Function::ColSum { sums } else { self.over_dimensions(sums, &[shape.rows]) };
            }
            Function::Dot => {
                if shape.columns == DimId::ONE || shape.rows == DimId::ONE {
                    return self.inner(a, arguments[1]);
                }
                let turned = self.transpose(a);
                let product = self.multiply(&[turned, arguments[1]]);
                return self.trace(product);
            }
            Function::TransposeOf => return self.transpose(a),
            Function::Inv => return self.matrix_power(a, Number::MINUS_ONE),
            Function::Trace => return self.trace(a),
            Function::Diag => return self.diagonal(a),
            Function::Det | Function::LogDet => {
                if let Some(simpler) = self.determinant(function, a) {
                    return simpler;
                }
            }
            Function::Vec => {
                return match self.dimensions.product(shape.rows, shape.columns) {
                    Some(rows) => self.reshape(a, Shape::column(rows)),
                    None => a,
                };
            }
            Function::Pinv if shape.is_square() && self.properties(a).has(Property::Invertible) => {
                return self.matrix_power(a, Number::MINUS_ONE);
            }
            Function::Norm | Function::NormSq | Function::Norm1 if shape.is_scalar() => {
                let size = self.call(Function::Abs, Axis::All, &[a]);
                let two = self.integer(2);
                return if function == Function::NormSq { self.power(a, two) } else { size };
            }
            Function::Norm | Function::NormSq | Function::Norm1 => {
                if let Op::Transpose(inner) = self.op(a) {
                    let inner = *inner;
                    return self.call(function, axis, &[inner]);
                }
                let (c, inner) = self.coefficient(a);
                if !c.is_one() {
                    let size = if function == Function::NormSq { c.times(c) } else { c.abs() };
                    let norm = self.call(function, axis, &[inner]);
                    return self.scale(size, norm);
                }
            }
            // Of a 1×1 matrix.
            Function::Expm if shape.is_scalar() => return self.call(Function::Exp, Axis::All, &[a]),
            Function::Chol if shape.is_scalar() => return self.call(Function::Sqrt, Axis::All, &[a]),
            Function::Tril | Function::Triu if shape.is_scalar() => return a,
            Function::Tril | Function::Triu if self.properties(a).has(Property::Diagonal) => return a,
            Function::Tril | Function::Triu if self.is_zero(a) => return a,
            Function::Tril | Function::Triu => {
                let (own, other) = match function {
                    Function::Tril => (Property::LowerTriangular, Property::UpperTriangular),
                    _ => (Property::UpperTriangular, Property::LowerTriangular),
                };
                if self.properties(a).has(own) {
                    return a;
                }
                if self.properties(a).has(other) && shape.is_square() {
                    let diagonal = self.diagonal(a);
                    return self.diagonal(diagonal);
                }
            }
            _ => {}
        }
        if function.entry().signature == Signature::Elementwise
            && !shape.is_scalar()
            && let Some((vector, _)) = self.broadcast_vector(a)
        {
            let inner = self.call(function, axis, &[vector]);
            return self.broadcast(inner, shape);
        }
        self.call_node(function, axis, arguments)
    }

    /// f(arguments) as a node, with nothing simplified.
    pub fn call_node(&mut self, function: Function, axis: Axis, arguments: &[ExprId]) -> ExprId {
        let of = self.shape(arguments[0]);
        let shape = match function.entry().signature {
            Signature::Elementwise
            | Signature::ElementwiseWithScalar
            | Signature::AlongRows
            | Signature::Square
            | Signature::Same => of,
            Signature::ElementwisePair => {
                if of.is_scalar() {
                    self.shape(arguments[1])
                } else {
                    of
                }
            }
            Signature::ReduceRows => match axis {
                Axis::All => Shape::SCALAR,
                Axis::Rows => Shape::column(of.rows),
                Axis::Columns => Shape::new(DimId::ONE, of.columns),
            },
            Signature::SquareToScalar | Signature::AnyToScalar | Signature::PairToScalar => Shape::SCALAR,
            Signature::Transposed => of.transposed(),
            Signature::Diagonal => {
                if of.is_column() {
                    Shape::new(of.rows, of.rows)
                } else {
                    Shape::column(of.rows)
                }
            }
            Signature::Kronecker => {
                let other = self.shape(arguments[1]);
                let rows = self.dimensions.product(of.rows, other.rows);
                let columns = self.dimensions.product(of.columns, other.columns);
                Shape::new(rows.expect("checked when typed"), columns.expect("checked when typed"))
            }
            _ => unreachable!("{} has no node of its own", function.name()),
        };
        let properties = self.call_properties(function, axis, arguments);
        self.intern(Op::Call(function, axis, arguments.into()), shape, properties)
    }

    fn call_properties(&self, function: Function, axis: Axis, arguments: &[ExprId]) -> Properties {
        let of = self.properties(arguments[0]);
        let mut out = Properties::NONE;
        match function {
            Function::Exp | Function::Sigmoid | Function::Softplus | Function::Cosh | Function::Softmax => {
                out = out.with(Property::Positive).with(Property::Nonnegative);
            }
            Function::Abs | Function::Relu | Function::Norm | Function::NormSq | Function::Norm1 => {
                out = out.with(Property::Nonnegative);
            }
            Function::Diag if self.shape(arguments[0]).is_column() => {
                out = out.with(Property::Diagonal).with(Property::Symmetric);
            }
            Function::Det if of.has(Property::PositiveDefinite) => {
                out = out.with(Property::Positive).with(Property::Nonnegative);
            }
            Function::Expm => out = out.with(Property::Invertible),
            Function::Chol => out = out.with(Property::Invertible).with(Property::LowerTriangular),
            Function::Tril => out = out.with(Property::LowerTriangular),
            Function::Triu => out = out.with(Property::UpperTriangular),
            _ => {}
        }
        if function == Function::Softmax && axis == Axis::Rows {
            out = out.with(Property::RowStochastic);
        }
        let keeps_symmetry = function.entry().signature == Signature::Elementwise
            || matches!(function, Function::Expm | Function::Adj | Function::Pinv);
        if keeps_symmetry && of.has(Property::Symmetric) {
            out = out.with(Property::Symmetric);
        }
        if function == Function::Kron && arguments.iter().all(|&a| self.properties(a).has(Property::Symmetric)) {
            out = out.with(Property::Symmetric);
        }
        out
    }

    fn over_dimensions(&mut self, a: ExprId, dimensions: &[DimId]) -> ExprId {
        let mut operands = Vec::with_capacity(3);
        for &d in dimensions {
            let n = self.dimension(d);
            operands.push(self.reciprocal(n));
        }
        operands.push(a);
        self.multiply(&operands)
    }

    /// tr(a).
    pub fn trace(&mut self, a: ExprId) -> ExprId {
        let (c, inner) = self.coefficient(a);
        if !c.is_one() {
            let trace = self.trace(inner);
            return self.scale(c, trace);
        }
        let shape = self.shape(a);
        if shape.is_scalar() {
            return a;
        }
        match self.op(a).clone() {
            Op::Zeros => self.number(Number::ZERO),
            Op::Identity => self.dimension(shape.rows),
            Op::Transpose(inner) => self.trace(inner),
            Op::Call(Function::Diag, _, arguments) => self.sum_all(arguments[0]),
            Op::Call(Function::Kron, _, arguments)
                if self.shape(arguments[0]).is_square() && self.shape(arguments[1]).is_square() =>
            {
                let (left, right) = (self.trace(arguments[0]), self.trace(arguments[1]));
                self.multiply(&[left, right])
            }
            Op::Product { scalars, factors } => {
                if !scalars.is_empty() {
                    let product = self.multiply(&factors);
                    let trace = self.trace(product);
                    let mut operands = scalars.to_vec();
                    operands.push(trace);
                    return self.multiply(&operands);
                }
                self.trace_of_chain(a, &factors)
            }
            _ => self.call_node(Function::Trace, Axis::All, &[a]),
        }
    }

    fn trace_of_chain(&mut self, a: ExprId, factors: &[ExprId]) -> ExprId {
        // tr(u·v') = v'·u: turn the chain so that it starts with the row.
        if let Some(i) = factors.iter().position(|&f| self.shape(f).rows == DimId::ONE) {
            let turned: Vec<ExprId> = factors[i..].iter().chain(&factors[..i]).copied().collect();
            return self.multiply(&turned);
        }
        // tr(A⁻¹·B·A) = tr(B): join the ends where that shortens the chain.
        let (first, last) = (factors[0], factors[factors.len() - 1]);
        if factors.len() > 2 {
            let ends = self.multiply(&[last, first]);
            let shorter = match self.op(ends) {
                Op::Product { factors, .. } => factors.len() < 2,
                _ => !matches!(self.op(ends), Op::MatrixPower(_, k) if !k.is_negative()),
            };
            if shorter {
                let mut operands = vec![ends];
                operands.extend(&factors[1..factors.len() - 1]);
                let product = self.multiply(&operands);
                return self.trace(product);
            }
        }
        self.call_node(Function::Trace, Axis::All, &[a])
    }

    /// diag(a): the diagonal matrix of a vector, the vector of a square matrix's diagonal.
    pub fn diagonal(&mut self, a: ExprId) -> ExprId {
        let shape = self.shape(a);
        if shape.is_scalar() {
            return a;
        }
        if shape.is_row() {
            let column = self.transpose(a);
            return self.diagonal(column);
        }
        let (c, inner) = self.coefficient(a);
        if !c.is_one() {
            let diagonal = self.diagonal(inner);
            return self.scale(c, diagonal);
        }
        match self.op(a).clone() {
            Op::Zeros if shape.is_column() => return self.zeros(Shape::new(shape.rows, shape.rows)),
            Op::Zeros => return self.zeros(Shape::column(shape.rows)),
            Op::Ones => return self.identity(shape.rows),
            Op::Identity => return self.ones_column(shape.rows),
            Op::Transpose(inner) if !shape.is_column() => return self.diagonal(inner),
            Op::Call(Function::Diag, _, arguments)
                if shape.is_column() && self.properties(arguments[0]).has(Property::Diagonal) =>
            {
                return arguments[0];
            }
            Op::Call(Function::Diag, _, arguments) if !shape.is_column() => return arguments[0],
            Op::Product { scalars, factors } => {
                if !scalars.is_empty() {
                    let product = self.multiply(&factors);
                    let mut operands = scalars.to_vec();
                    operands.push(self.diagonal(product));
                    return self.multiply(&operands);
                }
                // diag(A·diag(v)) = diag(A) .* v
                if !shape.is_column()
                    && let Some((vector, rest)) = self.diagonal_at_an_end(&factors)
                {
                    let diagonal = self.diagonal(rest);
                    return self.hadamard(&[diagonal, vector]);
                }
                // diag(u·v') = u .* v
                let place = factors.iter().position(|&f| self.shape(f).rows == DimId::ONE);
                if let (Some(i), false) = (place, shape.is_column()) {
                    let (left, right) = (self.multiply(&factors[..i]), self.multiply(&factors[i..]));
                    let right = self.transpose(right);
                    return self.hadamard(&[left, right]);
                }
            }
            _ => {}
        }
        self.call_node(Function::Diag, Axis::All, &[a])
    }

    /// Splits diag(v) off the beginning or end of a chain.
    fn diagonal_at_an_end(&mut self, factors: &[ExprId]) -> Option<(ExprId, ExprId)> {
        let n = factors.len();
        for (at, rest) in [(n - 1, &factors[..n - 1]), (0, &factors[1..])] {
            if let Op::Call(Function::Diag, _, arguments) = self.op(factors[at])
                && self.shape(factors[at]).is_square()
            {
                let vector = arguments[0];
                return Some((vector, self.multiply(rest)));
            }
        }
        None
    }

    /// det and logdet of a power, an exponential, a Kronecker product, a diagonal matrix.
    fn determinant(&mut self, function: Function, a: ExprId) -> Option<ExprId> {
        let log = function == Function::LogDet;
        match self.op(a).clone() {
            Op::Identity => Some(self.integer(if log { 0 } else { 1 })),
            Op::Transpose(inner) => Some(self.call(function, Axis::All, &[inner])),
            // det(expm(A)) = exp(tr(A)): Liouville's formula.
            Op::Call(Function::Expm, _, arguments) => {
                let trace = self.trace(arguments[0]);
                Some(if log { trace } else { self.call(Function::Exp, Axis::All, &[trace]) })
            }
            Op::MatrixPower(base, k) if !log || self.properties(base).has(Property::PositiveDefinite) || odd(k) => {
                let inner = self.call(function, Axis::All, &[base]);
                let k = self.number(k);
                Some(if log { self.multiply(&[k, inner]) } else { self.power(inner, k) })
            }
            // The logarithm of each: a product may be positive where its factors are not.
            Op::Call(Function::Kron, _, arguments)
                if log && arguments.iter().all(|&x| self.properties(x).has(Property::PositiveDefinite)) =>
            {
                let (left, right) = (arguments[0], arguments[1]);
                let (m, n) = (self.shape(left).rows, self.shape(right).rows);
                let (m, n) = (self.dimension(m), self.dimension(n));
                let (left, right) = (self.call(function, Axis::All, &[left]), self.call(function, Axis::All, &[right]));
                let (first, second) = (self.multiply(&[n, left]), self.multiply(&[m, right]));
                Some(self.add(first, second))
            }
            Op::Call(Function::Diag, _, arguments) if log && self.properties(arguments[0]).has(Property::Positive) => {
                let logs = self.call(Function::Log, Axis::All, &[arguments[0]]);
                Some(self.sum_all(logs))
            }
            _ => None,
        }
    }

    /// The same entries, column by column, in another shape.
    pub fn reshape(&mut self, a: ExprId, shape: Shape) -> ExprId {
        if self.shape(a) == shape {
            return a;
        }
        if self.is_zero(a) {
            return self.zeros(shape);
        }
        let (c, inner) = self.coefficient(a);
        if !c.is_one() {
            let reshaped = self.reshape(inner, shape);
            return self.scale(c, reshaped);
        }
        if self.is_ones(a) {
            return self.ones(shape);
        }
        match self.op(a).clone() {
            Op::Reshape(inner) => self.reshape(inner, shape),
            Op::Transpose(inner) if self.shape(inner).is_column() => self.reshape(inner, shape),
            Op::Product { scalars, factors } if !scalars.is_empty() => {
                let product = self.multiply(&factors);
                let mut operands = scalars.to_vec();
                operands.push(self.reshape(product, shape));
                self.multiply(&operands)
            }
            _ => self.intern(Op::Reshape(a), shape, Properties::NONE),
        }
    }

    /// 1 where the comparison holds, 0 elsewhere; either side may be a scalar.
    pub fn compare(&mut self, comparison: Comparison, a: ExprId, b: ExprId) -> ExprId {
        let shape = if self.shape(a).is_scalar() { self.shape(b) } else { self.shape(a) };
        self.intern(Op::Compare(comparison, a, b), shape, Properties::NONE.with(Property::Nonnegative))
    }

    /// `[a, b, …]`
    pub fn horizontal(&mut self, parts: &[ExprId]) -> ExprId {
        if let [only] = parts {
            return *only;
        }
        let rows = self.shape(parts[0]).rows;
        let mut columns = self.shape(parts[0]).columns;
        for &part in &parts[1..] {
            let more = self.shape(part).columns;
            columns = self.dimensions.sum(columns, more).expect("checked when typed");
        }
        let shape = Shape::new(rows, columns);
        if parts.iter().all(|&a| self.is_zero(a)) {
            return self.zeros(shape);
        }
        self.intern(Op::Horizontal(parts.into()), shape, Properties::NONE)
    }

    /// `[a; b; …]`
    pub fn vertical(&mut self, parts: &[ExprId]) -> ExprId {
        if let [only] = parts {
            return *only;
        }
        let columns = self.shape(parts[0]).columns;
        let mut rows = self.shape(parts[0]).rows;
        for &part in &parts[1..] {
            let more = self.shape(part).rows;
            rows = self.dimensions.sum(rows, more).expect("checked when typed");
        }
        let shape = Shape::new(rows, columns);
        if parts.iter().all(|&a| self.is_zero(a)) {
            return self.zeros(shape);
        }
        self.intern(Op::Vertical(parts.into()), shape, Properties::NONE)
    }
}

fn odd(k: Number) -> bool {
    k.as_integer().is_some_and(|k| k % 2 != 0)
}

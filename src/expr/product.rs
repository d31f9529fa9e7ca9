//! Products: flat, numbers and scalars in front, neighbours that cancel cancelled, 1×1 parts taken out as scalars.

use super::{Arena, ExprId, Op};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Properties, Property};
use crate::functions::Function;
use crate::number::Number;

/// Longer sums are not summed term by term.
const MOST_SUMMED: usize = 8;

/// A square factor as a power: (transposed, base, exponent).
type PowerForm = (bool, ExprId, Number);

impl Arena {
    /// A column of ones.
    pub fn ones_column(&mut self, rows: DimId) -> ExprId {
        if rows == DimId::ONE {
            return self.integer(1);
        }
        let properties = Properties::NONE.with(Property::Positive).with(Property::Nonnegative);
        self.intern(Op::Ones, Shape::column(rows), properties)
    }

    /// A row of ones.
    pub fn ones_row(&mut self, columns: DimId) -> ExprId {
        if columns == DimId::ONE {
            return self.integer(1);
        }
        let properties = Properties::NONE.with(Property::Positive).with(Property::Nonnegative);
        self.intern(Op::Ones, Shape::new(DimId::ONE, columns), properties)
    }

    /// A matrix of ones: the product of a column and a row of them.
    pub fn ones(&mut self, shape: Shape) -> ExprId {
        let (column, row) = (self.ones_column(shape.rows), self.ones_row(shape.columns));
        self.multiply(&[column, row])
    }

    /// The identity of that many rows.
    pub fn identity(&mut self, rows: DimId) -> ExprId {
        if rows == DimId::ONE {
            return self.integer(1);
        }
        let properties = Properties::NONE
            .with(Property::Symmetric)
            .with(Property::Diagonal)
            .with(Property::Orthogonal)
            .with(Property::Invertible)
            .with(Property::PositiveDefinite)
            .with(Property::Nonnegative);
        self.intern(Op::Identity, Shape::new(rows, rows), properties)
    }

    /// The product of the operands in order: matrices as a matrix product, scalars as factors of it.
    pub fn multiply(&mut self, operands: &[ExprId]) -> ExprId {
        let mut coefficient = Number::ONE;
        let mut scalars: Vec<ExprId> = Vec::new();
        let mut factors: Vec<ExprId> = Vec::with_capacity(operands.len() + 2);
        for &operand in operands {
            let (c, a) = self.coefficient(operand);
            coefficient = coefficient.times(c);
            self.take_operand(a, &mut coefficient, &mut scalars, &mut factors);
        }
        let shape = match (factors.first(), factors.last()) {
            (Some(&first), Some(&last)) => Shape::new(self.shape(first).rows, self.shape(last).columns),
            _ => Shape::SCALAR,
        };
        if coefficient.is_zero() || scalars.iter().chain(&factors).any(|&a| self.is_zero(a)) {
            return self.zeros(shape);
        }
        let factors = if factors.len() > 1 { self.cancel_neighbours(factors, &mut scalars) } else { factors };
        if factors.iter().any(|&a| self.is_zero(a)) {
            return self.zeros(shape);
        }
        let factors = self.take_scalars_out(factors, shape, &mut coefficient, &mut scalars);
        let scalars = self.combine_scalars(scalars, &mut coefficient);
        let mut product = self.product_node(scalars, factors, shape);
        if let (Op::Identity, true) = (self.op(product), shape.is_scalar()) {
            product = self.integer(1);
        }
        self.scale(coefficient, product)
    }

    fn take_operand(&self, a: ExprId, coefficient: &mut Number, scalars: &mut Vec<ExprId>, factors: &mut Vec<ExprId>) {
        match self.op(a) {
            Op::Number(value) => *coefficient = coefficient.times(*value),
            Op::Product { scalars: s, factors: f } if !self.shape(a).is_scalar() || f.is_empty() => {
                scalars.extend(s.iter());
                factors.extend(f.iter());
            }
            // A scalar chain a'·X·b stays together as one scalar.
            _ if self.shape(a).is_scalar() => scalars.push(a),
            _ => factors.push(a),
        }
    }

    fn product_node(&mut self, scalars: Vec<ExprId>, factors: Vec<ExprId>, shape: Shape) -> ExprId {
        match (scalars.as_slice(), factors.as_slice()) {
            ([], []) => return self.integer(1),
            (&[a], []) | ([], &[a]) => return a,
            _ => {}
        }
        let properties = self.product_properties(&scalars, &factors, shape);
        if scalars.is_sorted() {
            return self.intern(Op::Product { scalars: scalars.into(), factors: factors.into() }, shape, properties);
        }
        let mut sorted = scalars.clone();
        sorted.sort_unstable();
        let key = Op::Product { scalars: sorted.into(), factors: factors.clone().into() };
        let op = Op::Product { scalars: scalars.into(), factors: factors.into() };
        self.intern_as(key, op, shape, properties)
    }

    fn product_properties(&mut self, scalars: &[ExprId], factors: &[ExprId], shape: Shape) -> Properties {
        let mut out = Properties::NONE;
        let all = |arena: &Arena, p: Property| scalars.iter().chain(factors).all(|&a| arena.properties(a).has(p));
        for p in [Property::Positive, Property::Nonnegative] {
            if all(self, p) {
                out = out.with(p);
            }
        }
        if factors.is_empty() || !shape.is_square() || shape.is_scalar() {
            return out;
        }
        let every = |arena: &Arena, p: Property| factors.iter().all(|&a| arena.properties(a).has(p));
        for p in [Property::Diagonal, Property::Invertible] {
            if every(self, p) {
                out = out.with(p);
            }
        }
        for p in [Property::LowerTriangular, Property::UpperTriangular] {
            if factors.iter().all(|&a| self.properties(a).has(p) || self.properties(a).has(Property::Diagonal)) {
                out = out.with(p);
            }
        }
        let n = factors.len();
        let mirrored = (0..n.div_ceil(2)).all(|i| self.transpose(factors[n - 1 - i]) == factors[i]);
        if mirrored || out.has(Property::Diagonal) {
            out = out.with(Property::Symmetric);
        }
        out
    }

    /// Simplifies neighbours of a chain until none simplifies.
    fn cancel_neighbours(&mut self, factors: Vec<ExprId>, scalars: &mut Vec<ExprId>) -> Vec<ExprId> {
        let mut out: Vec<ExprId> = Vec::with_capacity(factors.len());
        let mut rest: Vec<ExprId> = factors.into_iter().rev().collect();
        while let Some(next) = rest.pop() {
            if matches!(self.op(next), Op::Identity) && (!out.is_empty() || !rest.is_empty()) {
                continue;
            }
            let Some(&last) = out.last() else {
                out.push(next);
                continue;
            };
            match self.pair(last, next) {
                None => out.push(next),
                Some(joined) => {
                    out.pop();
                    let (c, joined) = self.coefficient(joined);
                    if !c.is_one() {
                        let c = self.number(c);
                        scalars.push(c);
                    }
                    match self.op(joined).clone() {
                        Op::Product { scalars: s, factors: f } if !self.shape(joined).is_scalar() => {
                            scalars.extend(s.iter());
                            rest.extend(f.iter().rev());
                        }
                        Op::Number(_) => scalars.push(joined),
                        _ if self.shape(joined).is_scalar() => scalars.push(joined),
                        _ => rest.push(joined),
                    }
                }
            }
        }
        if out.len() > 1 {
            out.retain(|&a| !matches!(self.op(a), Op::Identity));
        }
        out
    }

    /// What two neighbours of a chain become, where that is simpler.
    fn pair(&mut self, a: ExprId, b: ExprId) -> Option<ExprId> {
        if let (Op::Ones, Op::Ones) = (self.op(a), self.op(b))
            && self.shape(a).is_row()
        {
            let n = self.shape(a).columns;
            return Some(self.dimension(n));
        }
        if matches!(self.op(b), Op::Ones) && self.shape(b).is_column() {
            if self.properties(a).has(Property::RowStochastic) {
                let rows = self.shape(a).rows;
                let ones = self.ones_column(rows);
                self.note_use(Property::RowStochastic, a, b, ones);
                return Some(ones);
            }
            if let Op::Call(Function::Diag, _, arguments) = self.op(a)
                && self.shape(a).is_square()
            {
                return Some(arguments[0]);
            }
        }
        if matches!(self.op(a), Op::Ones) && self.shape(a).is_row() {
            if let Op::Call(Function::Diag, _, arguments) = self.op(b)
                && self.shape(b).is_square()
            {
                let x = arguments[0];
                return Some(self.transpose(x));
            }
            if let Op::Transpose(inner) = self.op(b)
                && self.properties(*inner).has(Property::RowStochastic)
            {
                let columns = self.shape(b).columns;
                let ones = self.ones_row(columns);
                self.note_use(Property::RowStochastic, a, b, ones);
                return Some(ones);
            }
        }
        if let Some(sums) = self.sums_of(a, b) {
            return Some(sums);
        }
        if !self.shape(a).is_square() || !self.shape(b).is_square() {
            return None;
        }
        if let Some(whole) = self.cholesky_pair(a, b) {
            return Some(whole);
        }
        if self.properties(a).has(Property::Orthogonal) && self.transpose(a) == b {
            let n = self.shape(a).rows;
            let identity = self.identity(n);
            self.note_use(Property::Orthogonal, a, b, identity);
            return Some(identity);
        }
        let (ta, base_a, ka) = self.power_form(a);
        let (tb, base_b, kb) = self.power_form(b);
        if base_a == base_b && (ta == tb || self.properties(base_a).has(Property::Symmetric)) {
            let half = |k: Number| matches!(k, Number::Ratio(_, 2));
            let sum = ka.plus(kb);
            if sum.as_integer().is_some() || half(sum) && sum.abs() == Number::HALF && (half(ka) || half(kb)) {
                let power = self.matrix_power(base_a, sum);
                return Some(if ta { self.transpose(power) } else { power });
            }
        }
        self.cancel_within_inverse(ta, base_a, ka, b).or_else(|| {
            // (A·B)·C = ((C'·B')·A')': the same rule read from the other side.
            if !(kb == Number::MINUS_ONE && matches!(self.op(base_b), Op::Product { .. })) {
                return None;
            }
            let (bt, at) = (self.transpose(b), self.transpose(a));
            let (t, base, k) = self.power_form(bt);
            let joined = self.cancel_within_inverse(t, base, k, at)?;
            Some(self.transpose(joined))
        })
    }

    /// L·L' = A and inv(L)'·inv(L) = inv(A) for L = chol(A), which reads the symmetric part of A.
    fn cholesky_pair(&mut self, a: ExprId, b: ExprId) -> Option<ExprId> {
        let (ta, base_a, ka) = self.power_form(a);
        let (tb, base_b, kb) = self.power_form(b);
        let Op::Call(Function::Chol, _, arguments) = self.op(base_a).clone() else { return None };
        if base_a != base_b || ka != kb || ta == tb || ka.abs() != Number::ONE || ta == (ka == Number::ONE) {
            return None;
        }
        let of = arguments[0];
        let turned = self.transpose(of);
        let symmetric = self.sum(&[(Number::HALF, of), (Number::HALF, turned)]);
        Some(self.matrix_power(symmetric, ka))
    }

    /// Row sums A·1 or column sums 1'·A that become simpler: of a sum in which a term is a broadcast or has known sums, of
    /// an element-wise product with a vector broadcast along the sum, of what is known to sum to zero.
    fn sums_of(&mut self, a: ExprId, b: ExprId) -> Option<ExprId> {
        let rows = matches!(self.op(b), Op::Ones) && self.shape(b).is_column() && !matches!(self.op(a), Op::Ones);
        let columns = matches!(self.op(a), Op::Ones) && self.shape(a).is_row() && !matches!(self.op(b), Op::Ones);
        if !rows && !columns {
            return None;
        }
        let inner = if rows { a } else { b };
        let zero = if rows { Property::ZeroRowSums } else { Property::ZeroColumnSums };
        if self.properties(inner).has(zero) {
            return Some(self.zeros(Shape::new(self.shape(a).rows, self.shape(b).columns)));
        }
        let along = |arena: &mut Arena, x: ExprId| if rows { arena.multiply(&[x, b]) } else { arena.multiply(&[a, x]) };
        match self.op(inner).clone() {
            Op::Sum(terms) if terms.len() > 1 => {
                if terms.len() > MOST_SUMMED {
                    return None;
                }
                let sums: Vec<(Number, ExprId)> = terms.iter().map(|&(c, t)| (c, along(self, t))).collect();
                let sum = self.sum(&sums);
                // colsum(X + b) is shorter than colsum(X) + N*b: only where terms meet or vanish.
                let (_, inner) = self.coefficient(sum);
                (self.terms(inner).len() < terms.len()).then_some(sum)
            }
            Op::Hadamard(list) => {
                let place =
                    list.iter().position(|&f| self.broadcast_vector(f).is_some_and(|(_, column)| column == rows))?;
                let (vector, _) = self.broadcast_vector(list[place])?;
                let rest: Vec<ExprId> = list.iter().enumerate().filter(|&(i, _)| i != place).map(|(_, &f)| f).collect();
                let rest = self.hadamard(&rest);
                let sums = along(self, rest);
                Some(self.times(vector, sums))
            }
            Op::Transpose(_) => {
                // A'·1 is (1'·A)'.
                let (row, column) = (self.transpose(b), self.transpose(a));
                let sums = self.sums_of(row, column)?;
                Some(self.transpose(sums))
            }
            _ => None,
        }
    }

    /// inv(P₁⋯Pₖ)·P₁ = inv(P₂⋯Pₖ) for square P₁; with a transpose, inv(P₁⋯Pₖ)'·Pₖ' likewise.
    fn cancel_within_inverse(&mut self, transposed: bool, base: ExprId, exponent: Number, b: ExprId) -> Option<ExprId> {
        if exponent != Number::MINUS_ONE {
            return None;
        }
        let Op::Product { scalars, factors } = self.op(base).clone() else { return None };
        let (&first, &last) = (factors.first()?, factors.last()?);
        if factors.len() < 2 {
            return None;
        }
        let rest: Vec<ExprId> = if !transposed && first == b {
            factors[1..].to_vec()
        } else if transposed && self.transpose(last) == b {
            factors[..factors.len() - 1].to_vec()
        } else {
            return None;
        };
        let rest: Vec<ExprId> = scalars.iter().copied().chain(rest).collect();
        let product = self.multiply(&rest);
        let inverse = self.matrix_power(product, Number::MINUS_ONE);
        Some(if transposed { self.transpose(inverse) } else { inverse })
    }

    fn power_form(&self, a: ExprId) -> PowerForm {
        match self.op(a) {
            Op::MatrixPower(base, k) => (false, *base, *k),
            Op::Transpose(inner) => match self.op(*inner) {
                Op::MatrixPower(base, k) => (true, *base, *k),
                _ => (true, *inner, Number::ONE),
            },
            _ => (false, a, Number::ONE),
        }
    }

    /// Takes 1×1 parts (a row … a column) out of a chain as scalars.
    fn take_scalars_out(
        &mut self,
        factors: Vec<ExprId>,
        shape: Shape,
        coefficient: &mut Number,
        scalars: &mut Vec<ExprId>,
    ) -> Vec<ExprId> {
        let n = factors.len();
        if !factors.iter().any(|&f| self.shape(f).rows == DimId::ONE) {
            return factors;
        }
        let mut out = Vec::with_capacity(n);
        let mut i = 0;
        while i < n {
            let opens = self.shape(factors[i]).rows == DimId::ONE;
            let close = if opens { (i..n).find(|&j| self.shape(factors[j]).columns == DimId::ONE) } else { None };
            match close {
                Some(j) if j > i => {
                    let chain = self.scalar_chain(&factors[i..=j]);
                    let (c, chain) = self.coefficient(chain);
                    *coefficient = coefficient.times(c);
                    scalars.push(chain);
                    i = j + 1;
                }
                _ => {
                    out.push(factors[i]);
                    i += 1;
                }
            }
        }
        debug_assert!(shape.is_scalar() || !out.is_empty());
        out
    }

    /// A chain that is 1×1, in the orientation with fewer transposes.
    fn scalar_chain(&mut self, factors: &[ExprId]) -> ExprId {
        let mirrored: Vec<ExprId> = factors.iter().rev().map(|&a| self.transpose(a)).collect();
        let cost =
            |arena: &Arena, list: &[ExprId]| list.iter().filter(|&&a| matches!(arena.op(a), Op::Transpose(_))).count();
        let plain = mirrored.iter().all(|&a| !matches!(self.op(a), Op::Sum(_) | Op::Product { .. }));
        let (here, there) = (cost(self, factors), cost(self, &mirrored));
        let mirror_known = self
            .ids
            .contains_key(&(Op::Product { scalars: Box::new([]), factors: mirrored.clone().into() }, Shape::SCALAR));
        let chosen: &[ExprId] =
            if there < here || plain && there == here && mirror_known { &mirrored } else { factors };
        if let [row, column] = *chosen
            && let Some(sum) = self.cancelled_inner(row, column)
        {
            return sum;
        }
        let key = Op::Product { scalars: Box::new([]), factors: chosen.into() };
        let properties = self.product_properties(&[], chosen, Shape::SCALAR);
        let palindrome = factors.len() >= 2 && mirrored == factors;
        let middle_definite = {
            let n = factors.len();
            n.is_multiple_of(2) || self.properties(factors[n / 2]).has(Property::PositiveDefinite)
        };
        let properties =
            if palindrome && middle_definite { properties.with(Property::Nonnegative) } else { properties };
        self.intern(key, Shape::SCALAR, properties)
    }

    /// (a ./ b)'·b = sum(a): the inner product of two columns in which a divisor cancels.
    fn cancelled_inner(&mut self, row: ExprId, column: ExprId) -> Option<ExprId> {
        let turned = self.transpose(row);
        let (left, right) = (self.element_factors(turned), self.element_factors(column));
        let cancels = left
            .iter()
            .any(|&(base, k)| right.iter().any(|&(other, j)| base == other && k.is_negative() != j.is_negative()));
        if !cancels {
            return None;
        }
        let product = self.hadamard(&[turned, column]);
        Some(self.sum_all(product))
    }

    /// Powers of equal bases added, numbers into the coefficient.
    fn combine_scalars(&mut self, scalars: Vec<ExprId>, coefficient: &mut Number) -> Vec<ExprId> {
        if scalars.is_empty() {
            return scalars;
        }
        let mut powers: Vec<(ExprId, Number)> = Vec::with_capacity(scalars.len());
        let mut stack: Vec<ExprId> = scalars.into_iter().rev().collect();
        while let Some(s) = stack.pop() {
            match self.op(s) {
                Op::Number(value) => *coefficient = coefficient.times(*value),
                Op::Sum(terms) if terms.len() == 1 => {
                    *coefficient = coefficient.times(terms[0].0);
                    stack.push(terms[0].1);
                }
                Op::Product { scalars: inner, factors } if factors.is_empty() => stack.extend(inner.iter().rev()),
                _ => {
                    let (base, k) = self.scalar_power_form(s);
                    // Squares of a norm count as its powers, so that norm(x)^3 over norm(x) is normsq(x).
                    let (base, k) = match self.op(base) {
                        Op::Call(Function::NormSq, axis, arguments) if k.as_integer().is_some() => {
                            let (axis, arguments) = (*axis, arguments.clone());
                            let norm = self.call(Function::Norm, axis, &arguments);
                            (norm, k.plus(k))
                        }
                        _ => (base, k),
                    };
                    match powers.iter_mut().find(|(b, _)| *b == base) {
                        Some((_, sum)) => *sum = sum.plus(k),
                        None => powers.push((base, k)),
                    }
                }
            }
        }
        self.merge_functions(&mut powers);
        let mut out = Vec::with_capacity(powers.len());
        for (base, k) in powers {
            if k.is_zero() {
                continue;
            }
            let exponent = self.number(k);
            let norm = matches!(self.op(base), Op::Call(Function::Norm, ..));
            let power = match norm {
                _ if k.is_one() => base,
                true => self.power(base, exponent),
                false => self.power_node(base, exponent),
            };
            match self.op(power) {
                Op::Number(value) => *coefficient = coefficient.times(*value),
                _ => out.push(power),
            }
        }
        out
    }

    fn scalar_power_form(&self, s: ExprId) -> (ExprId, Number) {
        if let Op::Power(base, exponent) = self.op(s)
            && let Op::Number(k) = self.op(*exponent)
        {
            return (*base, *k);
        }
        (s, Number::ONE)
    }

    /// A^k for an integer k or ±1/2.
    pub fn matrix_power(&mut self, a: ExprId, k: Number) -> ExprId {
        let shape = self.shape(a);
        if shape.is_scalar() {
            let exponent = self.number(k);
            return self.power(a, exponent);
        }
        if k.is_zero() {
            return self.identity(shape.rows);
        }
        if k.is_one() {
            return a;
        }
        let (c, inner) = self.coefficient(a);
        if !c.is_one()
            && let Some(c) = k.as_integer().and_then(|k| c.power(k))
        {
            let power = self.matrix_power(inner, k);
            return self.scale(c, power);
        }
        let integer = k.as_integer();
        match self.op(a).clone() {
            Op::Identity => return a,
            Op::MatrixPower(base, j) if integer.is_some() || j.as_integer().is_some_and(|j| j % 2 != 0) => {
                let exponent = j.times(k);
                if exponent.as_integer().is_some() || exponent.abs() == Number::HALF {
                    return self.matrix_power(base, exponent);
                }
            }
            Op::Transpose(inner) => {
                let power = self.matrix_power(inner, k);
                return self.transpose(power);
            }
            // The inverse of an exponential is as good as the exponential; found by elimination it may have no digit right.
            Op::Call(Function::Expm, axis, arguments) if integer.is_some() => {
                let exponent = self.scale(k, arguments[0]);
                return self.call(Function::Expm, axis, &[exponent]);
            }
            Op::Call(Function::Diag, axis, arguments) => {
                let exponent = self.number(k);
                let x = self.power(arguments[0], exponent);
                return self.call(Function::Diag, axis, &[x]);
            }
            Op::Call(Function::Kron, axis, arguments)
                if k == Number::MINUS_ONE
                    && self.shape(arguments[0]).is_square()
                    && self.shape(arguments[1]).is_square() =>
            {
                let left = self.matrix_power(arguments[0], k);
                let right = self.matrix_power(arguments[1], k);
                return self.call(Function::Kron, axis, &[left, right]);
            }
            Op::Product { scalars, factors } if integer.is_some() && !scalars.is_empty() => {
                let exponent = self.number(k);
                let mut operands: Vec<ExprId> = Vec::new();
                for &s in &scalars {
                    operands.push(self.power(s, exponent));
                }
                let product = self.multiply(&factors);
                operands.push(self.matrix_power(product, k));
                return self.multiply(&operands);
            }
            _ => {}
        }
        if k == Number::MINUS_ONE && self.properties(a).has(Property::Orthogonal) {
            return self.transpose(a);
        }
        let of = self.properties(a);
        let mut properties = Properties::NONE;
        for p in [
            Property::Symmetric,
            Property::Diagonal,
            Property::Orthogonal,
            Property::Invertible,
            Property::PositiveDefinite,
            Property::LowerTriangular,
            Property::UpperTriangular,
        ] {
            if of.has(p) {
                properties = properties.with(p);
            }
        }
        if integer.is_none() {
            // The root is that of a positive definite matrix.
            properties =
                properties.with(Property::Symmetric).with(Property::PositiveDefinite).with(Property::Invertible);
        }
        if k.is_negative() {
            properties = properties.with(Property::Invertible);
        }
        self.intern(Op::MatrixPower(a, k), shape, properties)
    }
}

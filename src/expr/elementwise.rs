//! Element-wise products and powers: flat, powers of equal bases added, broadcast vectors kept as vectors.

use super::{Arena, Axis, ExprId, Op};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Properties, Property};
use crate::functions::Function;
use crate::number::Number;

impl Arena {
    /// a repeated to a larger shape: a product with ones.
    pub fn broadcast(&mut self, a: ExprId, shape: Shape) -> ExprId {
        let from = self.shape(a);
        let mut operands = Vec::with_capacity(3);
        if from.rows != shape.rows {
            operands.push(self.ones_column(shape.rows));
        }
        operands.push(a);
        if from.columns != shape.columns {
            operands.push(self.ones_row(shape.columns));
        }
        if from.is_scalar() && !shape.is_scalar() {
            let ones = self.ones(shape);
            return self.multiply(&[a, ones]);
        }
        if operands.len() == 1 { a } else { self.multiply(&operands) }
    }

    /// a .* b where either may be a scalar.
    pub fn times(&mut self, a: ExprId, b: ExprId) -> ExprId {
        if self.shape(a).is_scalar() || self.shape(b).is_scalar() {
            self.multiply(&[a, b])
        } else {
            self.hadamard(&[a, b])
        }
    }

    /// Splits a broadcast vector c·1ᵀ or 1·r into the vector and whether it is a column.
    pub fn broadcast_vector(&mut self, a: ExprId) -> Option<(ExprId, bool)> {
        let Op::Product { scalars, factors } = self.op(a).clone() else { return None };
        if !scalars.is_empty() || factors.len() < 2 {
            return None;
        }
        let (&first, &last) = (factors.first()?, factors.last()?);
        if matches!(self.op(last), Op::Ones) && self.shape(last).is_row() {
            let rest = factors[..factors.len() - 1].to_vec();
            return Some((self.multiply(&rest), true));
        }
        if matches!(self.op(first), Op::Ones) && self.shape(first).is_column() {
            let rest = factors[1..].to_vec();
            return Some((self.multiply(&rest), false));
        }
        None
    }

    /// What a chain sums along rows (X·1) or columns (1'·X), and over which dimension.
    pub fn summed(&self, chain: &[ExprId]) -> Option<(ExprId, DimId)> {
        let [first, last] = *chain else { return None };
        let ones = |a: ExprId| matches!(self.op(a), Op::Ones);
        let (row, column) = (self.shape(first), self.shape(last));
        match (ones(first), ones(last)) {
            (false, true) if column.is_column() => Some((first, column.rows)),
            (true, false) if row.is_row() => Some((last, row.columns)),
            _ => None,
        }
    }

    /// Whether a node is a vector or matrix of ones.
    pub fn is_ones(&self, a: ExprId) -> bool {
        match self.op(a) {
            Op::Ones => true,
            Op::Product { scalars, factors } => {
                scalars.is_empty() && factors.iter().all(|&f| matches!(self.op(f), Op::Ones))
            }
            _ => false,
        }
    }

    /// The element-wise product of equal shapes.
    pub fn hadamard(&mut self, operands: &[ExprId]) -> ExprId {
        let shape = self.shape(operands[0]);
        if shape.is_scalar() {
            return self.multiply(operands);
        }
        let mut scalars: Vec<ExprId> = Vec::new();
        let mut powers: Vec<(ExprId, Number)> = Vec::new();
        let (mut columns, mut rows): (Vec<ExprId>, Vec<ExprId>) = (Vec::new(), Vec::new());
        let mut stack: Vec<ExprId> = operands.iter().rev().copied().collect();
        while let Some(operand) = stack.pop() {
            debug_assert_eq!(self.shape(operand), shape, "operands of .* have one shape");
            if self.is_ones(operand) {
                continue;
            }
            match self.op(operand).clone() {
                Op::Zeros => return operand,
                Op::Sum(terms) if terms.len() == 1 => {
                    let c = self.number(terms[0].0);
                    scalars.push(c);
                    stack.push(terms[0].1);
                }
                Op::Product { scalars: s, factors } if !s.is_empty() => {
                    scalars.extend(s.iter());
                    stack.push(self.multiply(&factors));
                }
                Op::Hadamard(list) => stack.extend(list.iter().rev()),
                _ => match self.broadcast_vector(operand) {
                    Some((vector, true)) => columns.push(vector),
                    Some((vector, false)) => rows.push(vector),
                    None => {
                        let (base, k) = self.element_power_form(operand);
                        match powers.iter_mut().find(|(b, _)| *b == base) {
                            Some((_, sum)) => *sum = sum.plus(k),
                            None => powers.push((base, k)),
                        }
                    }
                },
            }
        }
        self.select_by_one_hot(&mut powers, &mut columns);
        self.merge_quotient(&mut powers, &mut columns, &mut rows);
        self.merge_functions(&mut powers);
        if let Some(distributed) = self.distribute_quotient(&powers) {
            let mut factors = vec![distributed];
            for vectors in [columns, rows].iter().filter(|vectors| !vectors.is_empty()) {
                let vector = self.hadamard(vectors);
                factors.push(self.broadcast(vector, shape));
            }
            scalars.push(self.hadamard(&factors));
            return self.multiply(&scalars);
        }
        let mut parts: Vec<ExprId> = Vec::with_capacity(powers.len() + 2);
        for (base, k) in powers {
            let zero_or_one = matches!(self.op(base), Op::Compare(..)) || self.properties(base).has(Property::OneHot);
            let k = if zero_or_one && !k.is_negative() && !k.is_zero() { Number::ONE } else { k };
            if !k.is_zero() {
                let exponent = self.number(k);
                parts.push(if k.is_one() { base } else { self.power_node(base, exponent) });
            }
        }
        for vectors in [columns, rows].iter().filter(|vectors| !vectors.is_empty()) {
            let vector = self.hadamard(vectors);
            let spread = self.broadcast(vector, shape);
            // The vector may have become a multiple: its number and scalars go in front.
            let (c, inner) = self.coefficient(spread);
            let c = self.number(c);
            scalars.push(c);
            let (s, inner) = self.split_scalars(inner);
            scalars.push(s);
            if !self.is_ones(inner) {
                parts.push(inner);
            }
        }
        let product = match parts.as_slice() {
            [] => self.ones(shape),
            &[only] => only,
            _ => self.hadamard_node(parts, shape),
        };
        scalars.push(product);
        self.multiply(&scalars)
    }

    /// Y .* rowsum(Y .* A).^k = Y .* A.^k for a one-hot Y: the sum selects the entry of A where Y is 1.
    fn select_by_one_hot(&mut self, powers: &mut Vec<(ExprId, Number)>, columns: &mut Vec<ExprId>) {
        let Some(&(y, _)) = powers.iter().find(|&&(b, k)| self.properties(b).has(Property::OneHot) && !k.is_negative())
        else {
            return;
        };
        let mut kept = Vec::with_capacity(columns.len());
        let mut stack = std::mem::take(columns);
        while let Some(vector) = stack.pop() {
            if let Op::Hadamard(list) = self.op(vector) {
                stack.extend(list.iter());
                continue;
            }
            let (base, k) = self.element_power_form(vector);
            // Where Y is 0 the power must have a value all the same.
            let whole = k.as_integer().is_some();
            let has_value = |arena: &Arena, a: ExprId| match k.is_negative() {
                true => arena.properties(a).has(Property::Positive),
                false => whole || arena.properties(a).has(Property::Nonnegative),
            };
            match self.selected(y, base).filter(|&a| has_value(self, a)) {
                Some(a) => match powers.iter_mut().find(|(b, _)| *b == a) {
                    Some((_, sum)) => *sum = sum.plus(k),
                    None => powers.push((a, k)),
                },
                None => kept.push(vector),
            }
        }
        *columns = kept;
    }

    /// The A of rowsum(Y .* A).
    fn selected(&mut self, y: ExprId, vector: ExprId) -> Option<ExprId> {
        let Op::Product { scalars, factors } = self.op(vector) else { return None };
        let [product, ones] = **factors else { return None };
        if !scalars.is_empty() || !matches!(self.op(ones), Op::Ones) {
            return None;
        }
        let Op::Hadamard(list) = self.op(product).clone() else { return None };
        let rest: Vec<ExprId> = list.iter().copied().filter(|&a| a != y).collect();
        (rest.len() + 1 == list.len()).then(|| self.hadamard(&rest))
    }

    /// X .* (X ./ C).^k = (X ./ C).^(k + 1) .* C for −1 < k < 0, where C is a vector repeated along rows or columns: it then
    /// leaves sums along them.
    fn merge_quotient(
        &mut self,
        powers: &mut Vec<(ExprId, Number)>,
        columns: &mut Vec<ExprId>,
        rows: &mut Vec<ExprId>,
    ) {
        for i in 0..powers.len() {
            let (quotient, k) = powers[i];
            if !k.is_negative() || k.abs().to_f64() >= 1.0 {
                continue;
            }
            let Op::Hadamard(list) = self.op(quotient).clone() else { continue };
            let (mut matrices, mut vectors) = (Vec::new(), Vec::new());
            for &part in &list {
                match self.broadcast_vector(part) {
                    Some(vector) => vectors.push(vector),
                    None => matrices.push(part),
                }
            }
            let [x] = *matrices else { continue };
            let Some(j) = powers.iter().position(|&(base, j)| base == x && j.is_one()) else { continue };
            for (vector, column) in vectors {
                let inverse = self.reciprocal(vector);
                if column { columns.push(inverse) } else { rows.push(inverse) }
            }
            powers[i].1 = k.plus(Number::ONE);
            powers.remove(j);
            return;
        }
    }

    /// sign(x)·x = abs(x), sign(x)/abs(x) = 1/x, sinh/cosh = tanh, sin/cos = tan, in a list of powers.
    pub(super) fn merge_functions(&mut self, powers: &mut Vec<(ExprId, Number)>) {
        const PAIRS: [(Function, Function, Function); 2] =
            [(Function::Sinh, Function::Cosh, Function::Tanh), (Function::Sin, Function::Cos, Function::Tan)];
        let mut i = 0;
        while i < powers.len() {
            let (base, k) = powers[i];
            i += 1;
            let Op::Call(function, axis, arguments) = self.op(base) else { continue };
            let (function, axis, x) = (*function, *axis, arguments[0]);
            if function == Function::Sign && k.is_one() {
                let size = self.call(Function::Abs, Axis::All, &[x]);
                let over = powers.iter().position(|&(b, k)| b == size && k.is_negative() && k.as_integer().is_some());
                let times = powers.iter().position(|&(b, k)| b == x && k.as_integer().is_some_and(|k| k > 0));
                let (place, add) = match (over, times) {
                    (Some(place), _) => (place, (x, Number::MINUS_ONE)),
                    (None, Some(place)) => (place, (size, Number::ONE)),
                    (None, None) => continue,
                };
                let step = if over.is_some() { Number::ONE } else { Number::MINUS_ONE };
                powers[place].1 = powers[place].1.plus(step);
                powers[i - 1].1 = Number::ZERO;
                match powers.iter_mut().find(|(b, _)| *b == add.0) {
                    Some((_, sum)) => *sum = sum.plus(add.1),
                    None => powers.push(add),
                }
            } else if let Some(&(_, below, quotient)) = PAIRS.iter().find(|(above, ..)| *above == function)
                && k.is_one()
            {
                let below = self.call(below, axis, &[x]);
                if let Some(place) = powers.iter().position(|&(b, k)| b == below && k == Number::MINUS_ONE) {
                    let quotient = self.call(quotient, axis, &[x]);
                    powers[place] = (quotient, Number::ONE);
                    powers[i - 1].1 = Number::ZERO;
                }
            }
        }
        powers.retain(|(_, k)| !k.is_zero());
    }

    /// (A ./ B + C) .* B = A + C .* B: a factor goes into a sum where it cancels a divisor. All powers as one expression
    /// then, where that happened.
    fn distribute_quotient(&mut self, powers: &[(ExprId, Number)]) -> Option<ExprId> {
        for (i, &(sum, k)) in powers.iter().enumerate() {
            let Op::Sum(terms) = self.op(sum) else { continue };
            if !k.is_one() {
                continue;
            }
            let terms = terms.clone();
            let divides = |arena: &Arena, base: ExprId| {
                terms.iter().any(|&(_, t)| arena.element_factors(t).iter().any(|&(b, k)| b == base && k.is_negative()))
            };
            let place =
                powers.iter().position(|&(b, k)| b != sum && k.as_integer().is_some_and(|k| k > 0) && divides(self, b));
            let Some(j) = place else { continue };
            let (base, exponent) = (powers[j].0, self.number(powers[j].1));
            let factor = self.power(base, exponent);
            let inner: Vec<(Number, ExprId)> = terms.iter().map(|&(c, t)| (c, self.hadamard(&[t, factor]))).collect();
            let mut operands = vec![self.sum(&inner)];
            for (place, &(b, k)) in powers.iter().enumerate() {
                if place != i && place != j {
                    let exponent = self.number(k);
                    operands.push(self.power(b, exponent));
                }
            }
            return Some(self.hadamard(&operands));
        }
        None
    }

    /// The factors of an element-wise product with their exponents; scalars and broadcast vectors aside.
    pub fn element_factors(&self, a: ExprId) -> Vec<(ExprId, Number)> {
        let (_, a) = self.coefficient(a);
        match self.op(a) {
            Op::Hadamard(list) => list.iter().map(|&f| self.element_power_form(f)).collect(),
            Op::Product { factors, .. } => match **factors {
                [only] => self.element_factors_of_leaf(only),
                _ => vec![(a, Number::ONE)],
            },
            _ => vec![self.element_power_form(a)],
        }
    }

    fn element_factors_of_leaf(&self, a: ExprId) -> Vec<(ExprId, Number)> {
        match self.op(a) {
            Op::Hadamard(list) => list.iter().map(|&f| self.element_power_form(f)).collect(),
            _ => vec![self.element_power_form(a)],
        }
    }

    fn hadamard_node(&mut self, parts: Vec<ExprId>, shape: Shape) -> ExprId {
        if let Some(&identity) = parts.iter().find(|&&a| matches!(self.op(a), Op::Identity)) {
            let rest: Vec<ExprId> = parts.iter().copied().filter(|&a| a != identity).collect();
            let rest = self.hadamard(&rest);
            let diagonal = self.diagonal(rest);
            return self.diagonal(diagonal);
        }
        if parts.iter().all(|&a| matches!(self.op(a), Op::Transpose(_))) {
            let inner: Vec<ExprId> = parts.iter().map(|&a| self.transpose(a)).collect();
            let product = self.hadamard(&inner);
            return self.transpose(product);
        }
        let mut properties = Properties::NONE;
        for p in [Property::Symmetric, Property::Positive, Property::Nonnegative] {
            if parts.iter().all(|&a| self.properties(a).has(p)) {
                properties = properties.with(p);
            }
        }
        if parts.iter().any(|&a| self.properties(a).has(Property::Diagonal)) {
            properties = properties.with(Property::Diagonal).with(Property::Symmetric);
        }
        let parts = if self.reading_order { self.in_reading_order(&parts) } else { parts };
        let mut sorted = parts.clone();
        sorted.sort_unstable();
        self.intern_as(Op::Hadamard(sorted.into()), Op::Hadamard(parts.into()), shape, properties)
    }

    /// Factors as they are read: names before functions, those before masks, a sum last; nothing passes a product.
    fn in_reading_order(&self, parts: &[ExprId]) -> Vec<ExprId> {
        let rank = |id: ExprId| match self.op(self.element_power_form(id).0) {
            Op::Variable(_) | Op::Named(_) => Some(0),
            Op::Call(..) => Some(1),
            Op::Compare(..) => Some(2),
            Op::Sum(terms) if terms.len() > 1 => Some(3),
            _ => None,
        };
        let mut out: Vec<ExprId> = Vec::with_capacity(parts.len());
        for &part in parts {
            let mut place = out.len();
            while place > 0
                && let (Some(own), Some(before)) = (rank(part), rank(out[place - 1]))
                && own < before
            {
                place -= 1;
            }
            out.insert(place, part);
        }
        out
    }

    /// Splits x.^k into x and k.
    pub fn element_power_form(&self, a: ExprId) -> (ExprId, Number) {
        if let Op::Power(base, exponent) = self.op(a)
            && let Op::Number(k) = self.op(*exponent)
        {
            return (*base, *k);
        }
        (a, Number::ONE)
    }

    /// base .^ exponent by elements; either may be a scalar beside a larger one.
    pub fn power(&mut self, base: ExprId, exponent: ExprId) -> ExprId {
        let Op::Number(k) = *self.op(exponent) else { return self.power_node(base, exponent) };
        if k.is_one() {
            return base;
        }
        let shape = self.shape(base);
        if k.is_zero() {
            return if shape.is_scalar() { self.integer(1) } else { self.ones(shape) };
        }
        if self.is_ones(base) {
            return base;
        }
        let (c, inner) = self.coefficient(base);
        if !c.is_one()
            && let Some(c) = k.as_integer().and_then(|k| c.power(k))
        {
            let power = self.power(inner, exponent);
            return self.scale(c, power);
        }
        match self.op(base).clone() {
            Op::Number(value) => {
                if let Some(value) = k.as_integer().and_then(|k| value.power(k)) {
                    return self.number(value);
                }
            }
            Op::Power(inner, first) => {
                if let Op::Number(j) = *self.op(first) {
                    let odd_or_broken = j.as_integer().is_none_or(|j| j % 2 != 0);
                    if k.as_integer().is_some() || odd_or_broken {
                        let product = self.number(j.times(k));
                        return self.power(inner, product);
                    }
                }
            }
            Op::Hadamard(list) if k.as_integer().is_some() => {
                let list: Vec<ExprId> = list.iter().map(|&a| self.power(a, exponent)).collect();
                return self.hadamard(&list);
            }
            Op::Product { scalars, factors }
                if k.as_integer().is_some() && !scalars.is_empty() && (!factors.is_empty() || scalars.len() > 1) =>
            {
                let mut operands: Vec<ExprId> = scalars.iter().map(|&a| self.power(a, exponent)).collect();
                if !factors.is_empty() {
                    let rest = self.multiply(&factors);
                    operands.push(self.power(rest, exponent));
                }
                return self.multiply(&operands);
            }
            Op::Call(Function::NormSq, axis, arguments) if k.abs() == Number::HALF => {
                let norm = self.call(Function::Norm, axis, &arguments);
                return if k.is_negative() { self.reciprocal(norm) } else { norm };
            }
            Op::Call(Function::Norm, axis, arguments) if k.as_integer().is_some_and(|k| k % 2 == 0) => {
                let square = self.call(Function::NormSq, axis, &arguments);
                let exponent = self.number(k.times(Number::HALF));
                return self.power(square, exponent);
            }
            Op::Call(Function::Abs, _, arguments) if k == Number::integer(2) => {
                return self.power(arguments[0], exponent);
            }
            Op::Compare(..) if !k.is_negative() => return base,
            _ => {}
        }
        if !shape.is_scalar()
            && let Some((vector, _)) = self.broadcast_vector(base)
        {
            let power = self.power(vector, exponent);
            return self.broadcast(power, shape);
        }
        self.power_node(base, exponent)
    }

    /// base .^ exponent as a node, with nothing simplified.
    pub(super) fn power_node(&mut self, base: ExprId, exponent: ExprId) -> ExprId {
        let (b, e) = (self.shape(base), self.shape(exponent));
        let shape = if b.is_scalar() { e } else { b };
        let of = self.properties(base);
        let mut properties = Properties::NONE;
        let even = matches!(self.op(exponent), Op::Number(k) if k.as_integer().is_some_and(|k| k % 2 == 0));
        if of.has(Property::Positive) {
            properties = properties.with(Property::Positive).with(Property::Nonnegative);
        }
        if of.has(Property::Nonnegative) || even {
            properties = properties.with(Property::Nonnegative);
        }
        if of.has(Property::Symmetric) && e.is_scalar() {
            properties = properties.with(Property::Symmetric);
        }
        self.intern(Op::Power(base, exponent), shape, properties)
    }

    /// 1 ./ a by elements.
    pub fn reciprocal(&mut self, a: ExprId) -> ExprId {
        let minus_one = self.integer(-1);
        self.power(a, minus_one)
    }

    /// Σ of all entries of a, 1ᵀ·a·1.
    pub fn sum_all(&mut self, a: ExprId) -> ExprId {
        let shape = self.shape(a);
        let (row, column) = (self.ones_row(shape.rows), self.ones_column(shape.columns));
        self.multiply(&[row, a, column])
    }

    /// The Frobenius product of equal shapes, in the form that is shorter to read.
    pub fn inner(&mut self, a: ExprId, b: ExprId) -> ExprId {
        let shape = self.shape(a);
        debug_assert_eq!(shape, self.shape(b));
        if shape.is_scalar() {
            return self.multiply(&[a, b]);
        }
        if shape.columns == DimId::ONE || shape.rows == DimId::ONE {
            let (row, column) =
                if shape.columns == DimId::ONE { (self.transpose(a), b) } else { (a, self.transpose(b)) };
            return self.multiply(&[row, column]);
        }
        let terms = self.terms(a);
        if matches!(self.op(b), Op::Identity) && terms.len() > 1 {
            let parts: Vec<(Number, ExprId)> = terms.iter().map(|&(c, t)| (c, self.inner(t, b))).collect();
            return self.sum(&parts);
        }
        for x in [a, b] {
            if self.is_ones(x) {
                let other = if x == a { b } else { a };
                return self.sum_all(other);
            }
        }
        let chain = |arena: &Arena, x: ExprId| {
            let (_, x) = arena.coefficient(x);
            matches!(arena.op(x), Op::Product { .. } | Op::Identity | Op::MatrixPower(..) | Op::Transpose(_))
        };
        if chain(self, a) || chain(self, b) {
            let turned = self.transpose(a);
            let product = self.multiply(&[turned, b]);
            return self.trace(product);
        }
        let product = self.hadamard(&[a, b]);
        self.sum_all(product)
    }
}

//! Transposes: pushed into products, kept outside of everything else, dropped where a property says so.

use super::{Arena, Axis, ExprId, Op};
use crate::elaborate::{Properties, Property};
use crate::functions::{Function, Signature};
use crate::number::Number;

impl Arena {
    /// aᵀ.
    pub fn transpose(&mut self, a: ExprId) -> ExprId {
        let shape = self.shape(a);
        if shape.is_scalar() || self.properties(a).has(Property::Symmetric) {
            return a;
        }
        if self.properties(a).has(Property::Skew) {
            return self.negate(a);
        }
        let turned = shape.transposed();
        match self.op(a).clone() {
            Op::Transpose(inner) => return inner,
            Op::Ones => return self.intern(Op::Ones, turned, self.properties(a)),
            Op::Zeros => return self.zeros(turned),
            Op::Sum(terms) if terms.len() == 1 => {
                let inner = self.transpose(terms[0].1);
                return self.scale(terms[0].0, inner);
            }
            Op::Sum(terms) if terms.iter().all(|&(_, t)| self.turns_well(t)) => {
                let terms: Vec<(Number, ExprId)> = terms.iter().map(|&(c, t)| (c, self.transpose(t))).collect();
                return self.sum(&terms);
            }
            Op::Product { scalars, factors } => {
                let mut operands = scalars.to_vec();
                for &factor in factors.iter().rev() {
                    operands.push(self.transpose(factor));
                }
                return self.multiply(&operands);
            }
            Op::Hadamard(list) if list.iter().all(|&f| self.turns_well(f)) => {
                let list: Vec<ExprId> = list.iter().map(|&f| self.transpose(f)).collect();
                return self.hadamard(&list);
            }
            Op::Power(base, exponent)
                if matches!(self.op(base), Op::Transpose(_)) && self.shape(exponent).is_scalar() =>
            {
                let inner = self.transpose(base);
                return self.power(inner, exponent);
            }
            Op::MatrixPower(base, k) if matches!(self.op(base), Op::Transpose(_)) => {
                let inner = self.transpose(base);
                return self.matrix_power(inner, k);
            }
            Op::Call(f, Axis::All, arguments)
                if f.entry().signature == Signature::Elementwise
                    && matches!(self.op(arguments[0]), Op::Transpose(_)) =>
            {
                let inner = self.transpose(arguments[0]);
                return self.call(f, Axis::All, &[inner]);
            }
            Op::Call(Function::Kron, axis, arguments) => {
                let (left, right) = (self.transpose(arguments[0]), self.transpose(arguments[1]));
                return self.call(Function::Kron, axis, &[left, right]);
            }
            _ => {}
        }
        let of = self.properties(a);
        let mut properties = Properties::NONE;
        for p in [Property::Orthogonal, Property::Invertible, Property::Positive, Property::Nonnegative] {
            if of.has(p) {
                properties = properties.with(p);
            }
        }
        for (p, turned) in [
            (Property::LowerTriangular, Property::UpperTriangular),
            (Property::UpperTriangular, Property::LowerTriangular),
            (Property::ZeroRowSums, Property::ZeroColumnSums),
            (Property::ZeroColumnSums, Property::ZeroRowSums),
        ] {
            if of.has(p) {
                properties = properties.with(turned);
            }
        }
        self.intern(Op::Transpose(a), turned, properties)
    }

    /// Whether a part is no longer when it is transposed.
    fn turns_well(&self, a: ExprId) -> bool {
        if self.properties(a).has(Property::Symmetric) || self.properties(a).has(Property::Skew) {
            return true;
        }
        match self.op(a) {
            Op::Transpose(_) | Op::Ones | Op::Identity | Op::Zeros => true,
            Op::Sum(terms) if terms.len() == 1 => self.turns_well(terms[0].1),
            Op::Product { factors, .. } => {
                let turned = factors.iter().filter(|&&f| matches!(self.op(f), Op::Transpose(_))).count();
                let fixed = factors
                    .iter()
                    .filter(|&&f| {
                        matches!(self.op(f), Op::Ones | Op::Identity) || self.properties(f).has(Property::Symmetric)
                    })
                    .count();
                2 * turned + fixed >= factors.len()
            }
            _ => false,
        }
    }
}

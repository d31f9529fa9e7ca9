//! Nodes that are linear in an argument: derivatives of matrix functions along a direction, vech and its inverse.

use super::{Arena, Axis, ExprId, Op};
use crate::dimension::Shape;
use crate::elaborate::{Properties, Property};
use crate::functions::Function;

impl Arena {
    /// The derivative of expm at a along e: the upper right block of expm([a, e; 0, a]) (Higham, Functions of
    /// Matrices, 3.16). Linear in e.
    pub fn expm_frechet(&mut self, a: ExprId, e: ExprId) -> ExprId {
        let shape = self.shape(a);
        if self.is_zero(e) {
            return e;
        }
        self.intern(Op::ExpmFrechet(a, e), shape, Default::default())
    }

    /// The derivative of a^k at a along e: the upper right block of [a, e; 0, a]^k. Linear in e.
    pub fn power_frechet(&mut self, a: ExprId, e: ExprId, k: i64) -> ExprId {
        let shape = self.shape(a);
        if self.is_zero(e) {
            return e;
        }
        self.intern(Op::PowerFrechet(a, e, k), shape, Default::default())
    }

    /// vech and unvech, whose result's shape the caller knows.
    pub fn linear_call(&mut self, function: Function, a: ExprId, shape: Shape) -> ExprId {
        if self.is_zero(a) {
            return self.zeros(shape);
        }
        if shape.is_scalar() && self.shape(a).is_scalar() {
            return a;
        }
        let mut properties = Properties::NONE;
        if function == Function::Unvech {
            properties = properties.with(Property::LowerTriangular);
        }
        self.intern(Op::Call(function, Axis::All, Box::new([a])), shape, properties)
    }

    /// π.
    pub fn pi(&mut self) -> ExprId {
        let positive = Properties::NONE.with(Property::Positive).with(Property::Nonnegative);
        self.intern(Op::Pi, Shape::SCALAR, positive)
    }
}

//! Signs of values, whatever moves: whether all entries are at least 0, at most 0, at most 1, and whether a square matrix
//! is positive semidefinite. Nodes in order of evaluation come in; what could be shown of each goes out.

use rustc_hash::FxHashMap as HashMap;

use crate::elaborate::Property;
use crate::expr::{Arena, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// The sign of all entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Zero,
    /// At least 0.
    Above,
    /// At most 0.
    Below,
    Unknown,
}

impl Sign {
    pub(super) fn times(self, other: Sign) -> Sign {
        match (self, other) {
            (Sign::Zero, _) | (_, Sign::Zero) => Sign::Zero,
            (Sign::Unknown, _) | (_, Sign::Unknown) => Sign::Unknown,
            (a, b) if a == b => Sign::Above,
            _ => Sign::Below,
        }
    }

    fn plus(self, other: Sign) -> Sign {
        match (self, other) {
            (Sign::Zero, other) | (other, Sign::Zero) => other,
            (a, b) if a == b => a,
            _ => Sign::Unknown,
        }
    }
}

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) sign: Sign,
    /// No entry is above 1.
    pub(super) at_most_one: bool,
    /// A symmetric matrix without negative eigenvalues, or a scalar that is at least 0.
    pub(super) semidefinite: bool,
}

/// What is known of each node; nodes that are not there are unknown.
#[derive(Debug, Default)]
pub(super) struct Signs {
    of: HashMap<ExprId, Known>,
}

/// The sign of a number.
pub(super) fn of_number(value: Number) -> Sign {
    match value {
        _ if value.is_zero() => Sign::Zero,
        _ if value.is_negative() => Sign::Below,
        _ => Sign::Above,
    }
}

impl Signs {
    /// Looks at nodes in order of evaluation.
    pub(super) fn new(arena: &Arena, nodes: &[ExprId]) -> Signs {
        let mut signs = Signs::default();
        for &id in nodes {
            let known = signs.look(arena, id);
            signs.of.insert(id, known);
        }
        signs
    }

    pub(super) fn known(&self, id: ExprId) -> Known {
        self.of.get(&id).copied().unwrap_or(Known { sign: Sign::Unknown, at_most_one: false, semidefinite: false })
    }

    pub(super) fn sign(&self, id: ExprId) -> Sign {
        self.known(id).sign
    }

    fn look(&self, arena: &Arena, id: ExprId) -> Known {
        let of = arena.properties(id);
        let mut known = Known {
            sign: self.sign_of(arena, id),
            at_most_one: self.at_most_one(arena, id),
            semidefinite: of.has(Property::PositiveDefinite) || self.semidefinite(arena, id),
        };
        if of.has(Property::Positive) || of.has(Property::Nonnegative) {
            known.sign = if known.sign == Sign::Zero { Sign::Zero } else { Sign::Above };
        }
        known.at_most_one |= of.has(Property::OneHot) || of.has(Property::RowStochastic);
        known.semidefinite |= arena.shape(id).is_scalar() && matches!(known.sign, Sign::Above | Sign::Zero);
        known
    }

    fn sign_of(&self, arena: &Arena, id: ExprId) -> Sign {
        let all = |list: &[ExprId]| {
            let mut signs = list.iter().map(|&a| self.sign(a));
            let first = signs.next().unwrap_or(Sign::Unknown);
            signs.fold(first, Sign::plus)
        };
        match arena.op(id) {
            Op::Number(value) => of_number(*value),
            Op::Pi | Op::Euler | Op::Dimension(_) | Op::Identity | Op::Ones | Op::Unit(_) | Op::Compare(..) => {
                Sign::Above
            }
            Op::Zeros => Sign::Zero,
            Op::Named(name) => self.sign(arena.named(*name).body),
            Op::Sum(terms) => {
                let mut signs = terms.iter().map(|&(c, a)| of_number(c).times(self.sign(a)));
                let first = signs.next().unwrap_or(Sign::Zero);
                match signs.fold(first, Sign::plus) {
                    Sign::Unknown if self.is_rest_of_one(arena, terms) => Sign::Above,
                    sign => sign,
                }
            }
            Op::Product { scalars, factors } => {
                let outer = scalars.iter().fold(Sign::Above, |sign, &s| sign.times(self.sign(s)));
                if arena.shape(id).is_scalar() && factors.len() > 1 {
                    if self.is_square_form(arena, factors) {
                        return outer;
                    }
                    if let Some(weights) = self.weighted_square(arena, factors) {
                        return outer.times(weights);
                    }
                }
                factors.iter().fold(outer, |sign, &f| sign.times(self.sign(f)))
            }
            Op::Hadamard(list) => list.iter().fold(Sign::Above, |sign, &a| sign.times(self.sign(a))),
            Op::Power(base, exponent) => match *arena.op(*exponent) {
                Op::Number(k) if k.as_integer().is_some_and(|k| k % 2 == 0) => Sign::Above,
                _ if matches!(self.sign(*base), Sign::Above) => Sign::Above,
                Op::Number(k) if k.as_integer().is_some() => self.sign(*base),
                // A power that is no integer is a root of what is at least 0.
                Op::Number(_) => Sign::Above,
                _ => Sign::Unknown,
            },
            Op::Transpose(a) | Op::Reshape(a) => self.sign(*a),
            Op::Horizontal(parts) | Op::Vertical(parts) => {
                // A block of zeros among others has their sign.
                all(parts)
            }
            Op::Call(function, _, arguments) => self.sign_of_call(arena, *function, arguments),
            _ => Sign::Unknown,
        }
    }

    fn sign_of_call(&self, arena: &Arena, function: Function, arguments: &[ExprId]) -> Sign {
        let x = arguments[0];
        match function {
            Function::Exp
            | Function::Cosh
            | Function::Sigmoid
            | Function::Softplus
            | Function::Relu
            | Function::Abs
            | Function::Sqrt
            | Function::Step
            | Function::Square
            | Function::Softmax
            | Function::Norm
            | Function::Norm1
            | Function::NormSq => Sign::Above,
            Function::LogSoftmax => Sign::Below,
            Function::Sinh
            | Function::Tanh
            | Function::Atan
            | Function::Erf
            | Function::Expm1
            | Function::Log1p
            | Function::Sign
            | Function::Recip
            | Function::Diag
            | Function::Tril
            | Function::Triu
            | Function::Vech
            | Function::Unvech => self.sign(x),
            Function::Max if arguments.iter().any(|&a| self.sign(a) == Sign::Above) => Sign::Above,
            Function::Trace => {
                let (c, inner) = arena.coefficient(x);
                let definite = self.known(inner).semidefinite || self.trace_of_product(arena, inner);
                if definite { of_number(c) } else { self.sign(x) }
            }
            Function::Kron => self.sign(x).times(self.sign(arguments[1])),
            _ => Sign::Unknown,
        }
    }

    /// tr(A·B) of two semidefinite matrices, and tr(S·V·S·V) with S semidefinite and V symmetric.
    fn trace_of_product(&self, arena: &Arena, id: ExprId) -> bool {
        let Op::Product { scalars, factors } = arena.op(id) else { return false };
        if !scalars.iter().all(|&s| self.sign(s) == Sign::Above) {
            return false;
        }
        let symmetric = |a: ExprId| arena.properties(a).has(Property::Symmetric);
        match **factors {
            [a, b] => self.known(a).semidefinite && self.known(b).semidefinite,
            [a, b, c, d] if a == c && b == d => {
                self.known(a).semidefinite && symmetric(b) || self.known(b).semidefinite && symmetric(a)
            }
            // tr(A·X·B·X') with A and B semidefinite
            [a, x, b, y] if turned(arena, x, y) => self.known(a).semidefinite && self.known(b).semidefinite,
            [x, b, y, a] if turned(arena, x, y) => self.known(a).semidefinite && self.known(b).semidefinite,
            [x, y, a] | [a, x, y] if turned(arena, x, y) => self.known(a).semidefinite,
            [x, a, y] if turned(arena, x, y) => self.known(a).semidefinite,
            _ => false,
        }
    }

    /// Whether factors are u'·u or u'·M·u with M semidefinite.
    pub(super) fn is_square_form(&self, arena: &Arena, factors: &[ExprId]) -> bool {
        let n = factors.len();
        let mirrored = (0..n / 2).all(|i| turned(arena, factors[i], factors[n - 1 - i]));
        mirrored && (n.is_multiple_of(2) || self.known(factors[n / 2]).semidefinite)
    }

    /// The sign of D in u'·(D ⊙ u), a weighted sum of squares.
    fn weighted_square(&self, arena: &Arena, factors: &[ExprId]) -> Option<Sign> {
        let (&last, rest) = factors.split_last()?;
        let Op::Hadamard(list) = arena.op(last) else { return None };
        let place = list.iter().position(|&u| {
            let alone = [u];
            let own: &[ExprId] = match arena.op(u) {
                Op::Product { scalars, factors } if scalars.is_empty() => factors,
                _ => &alone,
            };
            own.len() == rest.len() && rest.iter().rev().zip(own).all(|(&a, &b)| turned(arena, a, b))
        })?;
        let weights = list.iter().enumerate().filter(|&(i, _)| i != place);
        Some(weights.fold(Sign::Above, |sign, (_, &w)| sign.times(self.sign(w))))
    }

    fn semidefinite(&self, arena: &Arena, id: ExprId) -> bool {
        match arena.op(id) {
            Op::Identity => true,
            Op::Zeros => arena.shape(id).is_square(),
            Op::Named(name) => self.known(arena.named(*name).body).semidefinite,
            Op::Sum(terms) => terms.iter().all(|&(c, a)| !c.is_negative() && self.known(a).semidefinite),
            Op::Product { scalars, factors } => {
                arena.shape(id).is_square()
                    && !factors.is_empty()
                    && scalars.iter().all(|&s| self.sign(s) == Sign::Above)
                    && self.is_square_form(arena, factors)
            }
            Op::MatrixPower(a, k) => {
                let even = k.as_integer().is_some_and(|k| k % 2 == 0);
                arena.properties(*a).has(Property::PositiveDefinite)
                    || even && arena.properties(*a).has(Property::Symmetric)
            }
            Op::Transpose(a) => self.known(*a).semidefinite,
            Op::Call(Function::Diag, _, arguments) => {
                arena.shape(arguments[0]).is_column() && self.sign(arguments[0]) == Sign::Above
            }
            Op::Call(Function::Kron, _, arguments) => arguments.iter().all(|&a| self.known(a).semidefinite),
            _ => false,
        }
    }

    fn at_most_one(&self, arena: &Arena, id: ExprId) -> bool {
        match arena.op(id) {
            Op::Number(value) => value.to_f64() <= 1.0,
            Op::Named(name) => self.known(arena.named(*name).body).at_most_one,
            Op::Identity | Op::Ones | Op::Zeros | Op::Unit(_) | Op::Compare(..) => true,
            Op::Transpose(a) | Op::Reshape(a) => self.known(*a).at_most_one,
            Op::Call(function, ..) => matches!(
                function,
                Function::Sigmoid
                    | Function::Softmax
                    | Function::LogSoftmax
                    | Function::Tanh
                    | Function::Sin
                    | Function::Cos
                    | Function::Erf
                    | Function::Sign
                    | Function::Step
            ),
            Op::Power(base, exponent) => {
                // A square of what is between -1 and 1.
                let between = matches!(
                    arena.op(*base),
                    Op::Call(Function::Tanh | Function::Sin | Function::Cos | Function::Erf | Function::Sigmoid, ..)
                );
                between && matches!(arena.op(*exponent), Op::Number(k) if k.as_integer().is_some_and(|k| k > 0))
            }
            _ => false,
        }
    }

    /// 1 − a with a at most 1.
    fn is_rest_of_one(&self, arena: &Arena, terms: &[(Number, ExprId)]) -> bool {
        let [first, second] = *terms else { return false };
        [(first, second), (second, first)].into_iter().any(|((c, one), (k, a))| {
            let one = match arena.op(one) {
                Op::Number(value) => c.times(*value).to_f64() >= 1.0,
                _ => arena.is_ones(one) && c.to_f64() >= 1.0,
            };
            // −k·a ≤ 1 for −1 ≤ k < 0 needs no more than a ≤ 1.
            one && (-1.0..0.0).contains(&k.to_f64()) && self.known(a).at_most_one
        })
    }
}

/// Whether b is aᵀ.
pub(super) fn turned(arena: &Arena, a: ExprId, b: ExprId) -> bool {
    let inner = |x: ExprId| match arena.op(x) {
        Op::Transpose(inner) => Some(*inner),
        _ => None,
    };
    inner(a) == Some(b) || inner(b) == Some(a) || a == b && arena.properties(a).has(Property::Symmetric)
}

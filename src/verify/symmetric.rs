//! Whether a formula is its own transpose, as its form and what is declared tell.

use super::normal::{Normaliser, key};
use super::scope::Variable;
use crate::document::formula::{Formula, Kind};
use crate::elaborate::Property;
use crate::functions::Function;

/// Definitions are followed this deep.
const DEEPEST: usize = 16;

impl Normaliser {
    /// Whether a name, its differential or an inverse is symmetric: it is declared so, or what it stands for is.
    pub(super) fn is_symmetric(&self, formula: &Formula) -> bool {
        self.name_is_symmetric(formula, DEEPEST)
    }

    fn name_is_symmetric(&self, formula: &Formula, depth: usize) -> bool {
        let name = match &formula.kind {
            Kind::Name(name) => name,
            Kind::Differential(inner) => match inner.as_name() {
                Some(name) => name,
                None => return false,
            },
            Kind::Call { function: Function::Inv, arguments, .. } => {
                return self.name_is_symmetric(&arguments[0], depth);
            }
            _ => return false,
        };
        if let Some(definition) = self.scope.definitions.get(name) {
            return depth > 0 && self.body_is_symmetric(&definition.body, depth - 1);
        }
        let symmetric = |variable: &Variable| variable.properties.has(Property::Symmetric);
        self.scope.variables.get(name).is_some_and(symmetric)
    }

    /// Of what a name stands for: sums, inverses and powers of symmetric ones, numbers times them, A'A and A'SA.
    fn body_is_symmetric(&self, body: &Formula, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        let inner = |formula: &Formula| self.body_is_symmetric(formula, depth - 1);
        match &body.kind {
            Kind::Identity(_) => true,
            Kind::Sum(terms) => terms.iter().all(|(_, term)| inner(term)),
            Kind::Hadamard(list) => list.iter().all(inner),
            Kind::Transpose(a) => inner(a),
            Kind::Call { function: Function::Inv, arguments, .. } => inner(&arguments[0]),
            Kind::Quotient(a, b) => self.is_scalar(b) && inner(a),
            Kind::Power(a, exponent) => super::evaluate::literal(exponent).is_some() && inner(a),
            Kind::Product(list) => {
                let factors: Vec<&Formula> = list.iter().filter(|factor| !self.is_scalar(factor)).collect();
                let mirrored = |a: &Formula, b: &Formula| {
                    key(&a.clone().transposed().without_places()) == key(&b.without_places())
                };
                let pairs = factors.iter().zip(factors.iter().rev()).take(factors.len() / 2);
                let middle = factors.get(factors.len() / 2).filter(|_| factors.len() % 2 == 1);
                pairs.into_iter().all(|(a, b)| mirrored(a, b)) && middle.is_none_or(|middle| inner(middle))
            }
            _ => self.name_is_symmetric(body, depth),
        }
    }
}

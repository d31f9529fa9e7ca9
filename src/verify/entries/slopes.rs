//! The derivative of a number in index notation by one entry, by the rules of numbers.

use super::{Entries, call, inverse, plain, product};
use crate::document::formula::{Formula, Index, Kind};
use crate::functions::Function;
use crate::verify::evaluate::literal;

impl Entries {
    /// ∂of/∂by, as a number in index notation; `by` is an entry or the name of a number.
    pub(super) fn slope(&mut self, of: &Formula, by: &Formula) -> Option<Formula> {
        self.deeper(|entries| entries.slope_of(of, by))
    }

    fn slope_of(&mut self, of: &Formula, by: &Formula) -> Option<Formula> {
        let (name, places): (&str, &[Index]) = match &by.kind {
            Kind::Name(name) => (name, &[]),
            Kind::Entry { of, indices } => (of.as_name()?, indices),
            Kind::Transpose(inner) => return self.slope(of, inner),
            _ => return None,
        };
        // A number of a family of numbers.
        let places = match places {
            [i, Index::All] => std::slice::from_ref(i),
            _ => places,
        };
        let zero = || Formula::integer(0);
        if !self.depends(of, name) {
            return Some(zero());
        }
        Some(match &of.kind {
            Kind::Name(other) if other == name => Formula::integer(1),
            Kind::Name(other) => {
                let body = self.scope.definitions.get(other)?.body.without_places();
                self.rule(&format!("definition of {other}"));
                let body = self.entry(&body, &Index::Number(1), &Index::Number(1))?;
                let body = self.with_fresh_bounds(&body);
                self.slope(&body, by)?
            }
            Kind::Entry { of: matrix, indices } => {
                let other = matrix.as_name()?;
                if other == name {
                    if indices.len() != places.len() {
                        return None;
                    }
                    self.rule("∂A_ij/∂A_kl = δ_ik δ_jl");
                    let deltas =
                        indices.iter().zip(places).map(|(i, k)| plain(Kind::Delta(i.clone(), k.clone()))).collect();
                    return Some(product(deltas));
                }
                let definition = self.scope.definitions.get(other)?.clone();
                let row = self.scope.sizes.is_one(definition.form.rows);
                let (i, j) = match indices.as_slice() {
                    [i, j] => (i.clone(), j.clone()),
                    [j] if row => (Index::Number(1), j.clone()),
                    [i] => (i.clone(), Index::Number(1)),
                    _ => return None,
                };
                self.rule(&format!("definition of {other}"));
                let body = definition.body.without_places();
                if let Some(slope) = self.slope_of_softmax(of, &body, &i, &j, by) {
                    return slope;
                }
                let body = self.entry_of_body(&body, &i, &j)?;
                self.slope(&body, by)?
            }
            Kind::Sum(terms) => {
                let mut out = Vec::with_capacity(terms.len());
                for (minus, term) in terms {
                    out.push((*minus, self.slope(term, by)?));
                }
                plain(Kind::Sum(out))
            }
            Kind::Product(list) | Kind::Hadamard(list) => {
                let moving = list.iter().filter(|factor| self.depends(factor, name)).count();
                if moving > 1 {
                    self.rule("product rule");
                }
                let mut out = Vec::with_capacity(list.len());
                for (k, factor) in list.iter().enumerate() {
                    if self.depends(factor, name) {
                        let mut factors = list.clone();
                        factors[k] = self.slope(factor, by)?;
                        out.push((false, product(factors)));
                    }
                }
                plain(Kind::Sum(out))
            }
            Kind::Derivative { of, by: first } => {
                let slope = self.slope(of, first)?;
                self.slope(&slope, by)?
            }
            Kind::Transpose(a) => self.slope(a, by)?,
            Kind::Quotient(a, b) => {
                let moves = (self.depends(a, name), self.depends(b, name));
                let over_b = |top: Formula| product(vec![top, inverse((**b).clone())]);
                if !moves.1 {
                    return Some(over_b(self.slope(a, by)?));
                }
                self.rule("quotient rule");
                let square = plain(Kind::Power(b.clone(), Box::new(Formula::integer(-2))));
                let second = product(vec![(**a).clone(), square, self.slope(b, by)?]);
                let mut terms = vec![(true, second)];
                if moves.0 {
                    terms.insert(0, (false, over_b(self.slope(a, by)?)));
                }
                plain(Kind::Sum(terms))
            }
            Kind::Power(base, exponent) => {
                let k = literal(exponent)?;
                self.rule("chain rule");
                let inner = self.slope(base, by)?;
                let less = plain(Kind::Number(k.plus(crate::number::Number::MINUS_ONE)));
                // Its bound indices are its own.
                let own = self.with_fresh_bounds(base);
                let power = plain(Kind::Power(Box::new(own), Box::new(less)));
                product(vec![plain(Kind::Number(k)), power, inner])
            }
            Kind::Over { index, upper, body } => {
                let body = Box::new(self.slope(body, by)?);
                plain(Kind::Over { index: index.clone(), upper: upper.clone(), body })
            }
            Kind::Generic { name: function, order, argument } => {
                self.rule("chain rule");
                let inner = self.slope(argument, by)?;
                let outer = Kind::Generic { name: function.clone(), order: order + 1, argument: argument.clone() };
                product(vec![plain(outer), inner])
            }
            Kind::Call { function, arguments, .. } => match arguments.as_slice() {
                [argument] if crate::verify::normal::acts_on_entries(*function) => {
                    let outer = self.slope_of_function(*function, argument)?;
                    let inner = self.slope(argument, by)?;
                    self.rule("chain rule");
                    product(vec![outer, inner])
                }
                _ => {
                    let written = self.entry(of, &Index::Number(1), &Index::Number(1))?;
                    if written.without_places() == of.without_places() {
                        return None;
                    }
                    self.slope(&written, by)?
                }
            },
            _ => return None,
        })
    }

    fn depends(&self, of: &Formula, name: &str) -> bool {
        of.names().iter().any(|start| {
            *start == name
                || self.scope.definitions.contains_key(*start) && self.scope.below(start).iter().any(|n| n == name)
        })
    }

    /// ∂softmax(z)_j/∂z_m = p_j(δ_jm − p_m), of a name defined as a softmax.
    fn slope_of_softmax(
        &mut self,
        entry: &Formula,
        body: &Formula,
        i: &Index,
        j: &Index,
        by: &Formula,
    ) -> Option<Option<Formula>> {
        let Kind::Call { function: Function::Softmax, arguments, columns: false } = &body.kind else { return None };
        let Kind::Entry { of, indices } = &entry.kind else { return None };
        let form = self.form(&arguments[0])?;
        let index = self.fresh_index();
        let other = Index::Name(index.clone());
        let column = self.scope.sizes.is_one(form.columns);
        let (inner, here) = match column {
            true => (self.entry(&arguments[0], &other, j), i.clone()),
            false => (self.entry(&arguments[0], i, &other), j.clone()),
        };
        let mut places = indices.clone();
        *places.last_mut()? = other.clone();
        let there = plain(Kind::Entry { of: of.clone(), indices: places });
        let delta = plain(Kind::Delta(here, other));
        let difference = plain(Kind::Sum(vec![(false, delta), (true, there)]));
        self.rule("∂softmax(z)_j/∂z_m = p_j (δ_jm - p_m)");
        let size = if column { form.rows } else { form.columns };
        Some(inner.and_then(|inner| {
            let inner = self.slope(&inner, by)?;
            let body = Box::new(product(vec![entry.clone(), difference, inner]));
            let upper = crate::document::formula::Size::Open(Some(size));
            Some(plain(Kind::Over { index, upper, body }))
        }))
    }

    /// f′(x)
    fn slope_of_function(&mut self, function: Function, x: &Formula) -> Option<Formula> {
        let whole = call(function, x.clone());
        let one_minus = |a: Formula| plain(Kind::Sum(vec![(false, Formula::integer(1)), (true, a)]));
        let square = |a: &Formula| plain(Kind::Power(Box::new(a.clone()), Box::new(Formula::integer(2))));
        Some(match function {
            Function::Exp => whole,
            Function::Log => inverse(x.clone()),
            Function::Sqrt => product(vec![plain(Kind::Number(crate::number::Number::HALF)), inverse(whole)]),
            Function::Sin => call(Function::Cos, x.clone()),
            Function::Cos => call(Function::Sin, x.clone()).negated(),
            Function::Tanh => one_minus(square(&whole)),
            Function::Sigmoid => product(vec![whole.clone(), one_minus(whole)]),
            Function::Softplus => call(Function::Sigmoid, x.clone()),
            Function::Relu => call(Function::Step, x.clone()),
            Function::Square => product(vec![Formula::integer(2), self.with_fresh_bounds(x)]),
            _ => return None,
        })
    }
}

//! Changes of sums and of their terms: a sign, a factor before a term, a term left out.

use super::{Changes, one_over, short};
use crate::document::formula::{Formula, Kind, Size};
use crate::functions::Function;

/// Functions of a whole term that are often forgotten.
const CALLS_OF_TERMS: &[Function] =
    &[Function::Sum, Function::RowSum, Function::ColSum, Function::Trace, Function::Diag, Function::Inv];

impl Changes<'_> {
    pub(super) fn sum(&mut self, terms: &[(bool, Formula)]) {
        for (i, (minus, term)) in terms.iter().enumerate() {
            let mut signs = terms.to_vec();
            signs[i].0 = !minus;
            let sign = if *minus { '+' } else { '−' };
            let changed = self.sum_of(signs);
            self.add(changed, 10, format_args!("{sign} before {}", short(term)));
            if terms.len() > 1 {
                let mut rest = terms.to_vec();
                rest.remove(i);
                let rest = self.sum_of(rest);
                self.add(rest, 18, format_args!("without the term {}", short(term)));
            }
        }
        if terms.len() == 2 && terms[0].0 != terms[1].0 {
            let turned = terms.iter().map(|(minus, term)| (!minus, term.clone())).rev().collect();
            self.add_kind(Kind::Sum(turned), 11, format_args!("the difference the other way round"));
        }
    }

    fn sum_of(&self, terms: Vec<(bool, Formula)>) -> Formula {
        match terms.as_slice() {
            [(false, only)] => only.clone(),
            _ => self.made(Kind::Sum(terms)),
        }
    }

    /// What may be wrong with a term as a whole, or with the whole formula.
    pub(super) fn term(&mut self, whole: bool) {
        let part = self.part;
        if whole && !matches!(part.kind, Kind::Sum(_)) {
            self.add(part.clone().negated(), 10, format_args!("the other sign"));
        } else if whole {
            self.add_kind(Kind::Sum(vec![(true, part.clone())]), 12, format_args!("the other sign of all"));
        }
        self.scaled();
        self.with_calls(CALLS_OF_TERMS, 14);
        for function in [Function::RowSum, Function::ColSum] {
            let call = Formula::call(function, part.clone()).transposed();
            self.add(call, 16, format_args!("{} of {}, transposed", function.name(), short(part)));
        }
        let both = vec![(false, part.clone()), (false, part.clone().transposed())];
        self.add_kind(Kind::Sum(both), 15, format_args!("the transpose added"));
        for index in part.free_indices() {
            let over = Kind::Over { index: index.clone(), upper: Size::Open(None), body: Box::new(part.clone()) };
            self.add_kind(over, 12, format_args!("summed over {index}"));
        }
        for name in &self.pieces.names {
            let factor = Formula::name(name.clone());
            let joined = Kind::Hadamard(vec![factor.clone(), part.clone()]);
            self.add_kind(joined, 17, format_args!("`{name}` ⊙ before it"));
            for before in [true, false] {
                self.multiplied(factor.clone(), before, 17);
                self.multiplied(factor.clone().transposed(), before, 18);
            }
        }
    }

    /// A function of the part.
    pub(super) fn with_calls(&mut self, functions: &[Function], cost: u32) {
        let part = self.part;
        for function in functions {
            let call = Formula::call(*function, part.clone());
            self.add(call, cost, format_args!("{} of {}", function.name(), short(part)));
        }
    }

    /// A number, or a dimension, before the part.
    fn scaled(&mut self) {
        let span = self.part.span;
        self.times(Formula::integer(2), 10, "2");
        self.times(one_over(Formula::integer(2), span), 10, "1/2");
        for name in &self.pieces.dimensions {
            let dimension = || Formula::name(name.clone());
            self.times(one_over(dimension(), span), 11, &format!("1/{name}"));
            self.times(dimension(), 12, name);
            let root = Formula::call(Function::Sqrt, dimension());
            self.times(one_over(root, span), 13, &format!("1/sqrt({name})"));
        }
    }

    fn times(&mut self, factor: Formula, cost: u32, name: &str) {
        let list = self.with_factor(factor, true);
        self.add_kind(Kind::Product(list), cost, format_args!("a factor {name}"));
    }

    fn multiplied(&mut self, factor: Formula, before: bool, cost: u32) {
        let text = short(&factor);
        let place = if before { "before it" } else { "behind it" };
        let list = self.with_factor(factor, before);
        self.add_kind(Kind::Product(list), cost, format_args!("a factor {text} {place}"));
    }

    /// The factors of the part with one more at an end.
    fn with_factor(&self, factor: Formula, before: bool) -> Vec<Formula> {
        let mut list = match &self.part.kind {
            Kind::Product(list) => list.clone(),
            _ => vec![self.part.clone()],
        };
        list.insert(if before { 0 } else { list.len() }, factor);
        list
    }
}

//! Changes of products: an order, a factor, ⊙ for a matrix product.

use super::{Changes, only_or, short};
use crate::document::formula::{Formula, Kind};
use crate::functions::Function;

impl Changes<'_> {
    pub(super) fn product(&mut self, list: &[Formula]) {
        for i in 0..list.len().saturating_sub(1) {
            self.pair_of_factors(list, i);
        }
        for i in 0..list.len() {
            self.factor(list, i);
        }
        if let [a, b] = list {
            self.differential_of_the_other(a, b);
        }
        if list.len() > 2 {
            let reversed = list.iter().rev().cloned().collect();
            self.add_kind(Kind::Product(reversed), 14, format_args!("the factors in reverse order"));
        }
    }

    /// Two neighbours the other way round, or joined by ⊙.
    fn pair_of_factors(&mut self, list: &[Formula], i: usize) {
        let (a, b) = (&list[i], &list[i + 1]);
        let mut swapped = list.to_vec();
        swapped.swap(i, i + 1);
        self.add_kind(Kind::Product(swapped), 10, format_args!("{} and {} the other way round", short(a), short(b)));
        if let Kind::Transpose(inner) = &a.kind {
            let joined = self.with_pair_joined(list, i, (**inner).clone());
            self.add(joined, 11, format_args!("{} ⊙ {} in place of a product", short(inner), short(b)));
        }
        let joined = self.with_pair_joined(list, i, a.clone());
        self.add(joined, 10, format_args!("{} ⊙ {} in place of a matrix product", short(a), short(b)));
    }

    /// The product in which `first` ⊙ the factor behind i stands for both.
    fn with_pair_joined(&self, list: &[Formula], i: usize, first: Formula) -> Formula {
        let pair = self.made(Kind::Hadamard(vec![first, list[i + 1].clone()]));
        let mut joined = list.to_vec();
        joined.splice(i..i + 2, [pair]);
        only_or(joined, Kind::Product, self.part.span)
    }

    /// One factor left out, repeated at the other end, or moved.
    fn factor(&mut self, list: &[Formula], i: usize) {
        let (factor, span) = (&list[i], self.part.span);
        let mut rest = list.to_vec();
        rest.remove(i);
        let number = matches!(factor.kind, Kind::Number(_) | Kind::Quotient(..));
        let rest = only_or(rest, Kind::Product, span);
        let cost = if number { 10 } else { 15 };
        self.add(rest.clone(), cost, format_args!("without the factor {}", short(factor)));
        if i == 0 && list.len() > 1 && matches!(&factor.kind, Kind::Number(two) if two.as_integer() == Some(2)) {
            let both = vec![(false, rest.clone()), (false, rest.clone().transposed())];
            self.add_kind(Kind::Sum(both), 14, format_args!("{} and its transpose in place of twice it", short(&rest)));
        }
        // A factor at one end is what is missing at the other: S⁻¹ u uᵀ S⁻¹.
        let at_an_end = i == 0 || i + 1 == list.len();
        if !number && (at_an_end || matches!(factor.kind, Kind::Power(..))) {
            let (mut before, mut behind) = (list.to_vec(), list.to_vec());
            before.insert(0, factor.clone());
            behind.push(factor.clone());
            self.add_kind(Kind::Product(behind), 16, format_args!("a factor {} behind it", short(factor)));
            self.add_kind(Kind::Product(before), 16, format_args!("a factor {} before it", short(factor)));
        }
        for j in 0..list.len() {
            if j != i && j + 1 != i && i + 1 != j {
                let mut moved = list.to_vec();
                let taken = moved.remove(i);
                moved.insert(j, taken);
                self.add_kind(Kind::Product(moved), 13, format_args!("{} at another place", short(factor)));
            }
        }
    }

    /// dB A for dA B
    fn differential_of_the_other(&mut self, a: &Formula, b: &Formula) {
        let turned = match (&a.kind, &b.kind) {
            (Kind::Differential(x), Kind::Name(_)) => vec![Formula::differential(b.clone()), (**x).clone()],
            (Kind::Name(_), Kind::Differential(y)) => vec![(**y).clone(), Formula::differential(a.clone())],
            _ => return,
        };
        let turned = self.made(Kind::Product(turned));
        let (text, part) = (short(&turned), self.part);
        self.add(turned, 12, format_args!("{text} in place of {}", short(part)));
    }

    /// What may stand in place of one factor.
    pub(super) fn factor_of_something(&mut self) {
        let part = self.part;
        if part.as_name().is_some() {
            let both = vec![(false, part.clone()), (false, part.clone().transposed())];
            self.add_kind(Kind::Sum(both), 15, format_args!("{} and its transpose", short(part)));
        }
        for name in &self.pieces.names {
            let joined = Kind::Hadamard(vec![part.clone(), Formula::name(name.clone())]);
            self.add_kind(joined, 18, format_args!("⊙ `{name}` behind {}", short(part)));
        }
        self.with_calls(&[Function::RowSum, Function::ColSum, Function::Sum, Function::Diag, Function::Inv], 15);
    }

    pub(super) fn hadamard(&mut self, a: &Formula, b: &Formula) {
        for (left, right, cost) in [
            (a.clone(), b.clone(), 10),
            (a.clone().transposed(), b.clone(), 12),
            (a.clone(), b.clone().transposed(), 12),
            (b.clone(), a.clone(), 12),
            (b.clone(), a.clone().transposed(), 13),
            (b.clone().transposed(), a.clone(), 13),
        ] {
            self.add_kind(Kind::Product(vec![left, right]), cost, format_args!("a matrix product in place of ⊙"));
        }
        let quotient = Kind::HadamardQuotient(Box::new(a.clone()), Box::new(b.clone()));
        self.add_kind(quotient, 12, format_args!("⊘ in place of ⊙ {}", short(b)));
    }

    pub(super) fn hadamard_quotient(&mut self, a: &Formula, b: &Formula) {
        let product = Kind::Hadamard(vec![a.clone(), b.clone()]);
        self.add_kind(product, 12, format_args!("⊙ in place of ⊘ {}", short(b)));
        let turned = Kind::HadamardQuotient(Box::new(b.clone()), Box::new(a.clone()));
        self.add_kind(turned, 12, format_args!("the quotient the other way round"));
    }
}

//! A plain normal form of formulas: sums and products flat, scalars in front, like terms together, commuting parts in one
//! order. Two formulas with one normal form differ by nothing that a reader would call a step.

use super::evaluate::literal;
use super::scope::Scope;
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::document::write::{Script, write};
use crate::functions::{Function, Signature};
use crate::number::Number;

/// Makes normal forms over a scope of its own.
pub struct Normaliser {
    /// The names, whose shapes tell scalars from matrices.
    pub scope: Scope,
}

/// c·A: a term of a sum.
#[derive(Clone, Debug)]
pub struct Term {
    /// The number before it.
    pub coefficient: Number,
    /// Scalar factors in order of their text.
    pub scalars: Vec<Formula>,
    /// What is multiplied as matrices, in order; none where it is a scalar.
    pub factors: Vec<Formula>,
}

/// The text that tells normal forms apart.
pub fn key(formula: &Formula) -> String {
    write(formula, Script::Language)
}

fn plain(kind: Kind) -> Formula {
    Formula::new(kind, Default::default())
}

impl Normaliser {
    /// Over the names of a scope.
    pub fn new(scope: &Scope) -> Normaliser {
        Normaliser { scope: scope.clone() }
    }

    /// Whether a formula is 1×1.
    pub fn is_scalar(&self, formula: &Formula) -> bool {
        self.ones(formula) == (true, true)
    }

    /// Whether a formula has one row, and one column.
    pub fn ones(&self, formula: &Formula) -> (bool, bool) {
        let scalar = (true, true);
        let one = |size: &Size| match size {
            Size::Given(given) => matches!(&given.kind, Kind::Number(value) if value.is_one()),
            Size::Open(Some(id)) => self.scope.sizes.is_one(*id),
            Size::Open(None) => false,
        };
        let joined = |list: &mut dyn Iterator<Item = &Formula>| {
            list.fold(scalar, |(rows, columns), part| {
                let (r, c) = self.ones(part);
                (rows && r, columns && c)
            })
        };
        match &formula.kind {
            Kind::Number(_) | Kind::Delta(..) => scalar,
            Kind::Name(name) => match self.scope.form_of(name) {
                Some(form) => (self.scope.sizes.is_one(form.rows), self.scope.sizes.is_one(form.columns)),
                None => scalar,
            },
            Kind::Differential(a) | Kind::Generic { argument: a, .. } => self.ones(a),
            Kind::Power(a, _) => self.ones(a),
            Kind::Transpose(a) => {
                let (rows, columns) = self.ones(a);
                (columns, rows)
            }
            Kind::Derivative { of, by } => match (self.ones(of), self.ones(by)) {
                ((true, true), by) => by,
                (of, (true, true)) => of,
                _ => (false, false),
            },
            Kind::Sum(terms) => joined(&mut terms.iter().map(|(_, term)| term)),
            Kind::Hadamard(list) => joined(&mut list.iter()),
            Kind::HadamardQuotient(a, b) | Kind::HadamardPower(a, b) | Kind::Compare(_, a, b) => {
                joined(&mut [a.as_ref(), b.as_ref()].into_iter())
            }
            Kind::Quotient(a, b) if self.is_scalar(b) => self.ones(a),
            Kind::Quotient(a, _) => self.ones(a),
            Kind::Product(list) => list.iter().fold(scalar, |(rows, columns), factor| {
                let (r, c) = self.ones(factor);
                match ((rows, columns) == scalar, (r, c) == scalar) {
                    (true, _) => (r, c),
                    (_, true) => (rows, columns),
                    _ => (rows, c),
                }
            }),
            Kind::Call { function, arguments, columns } => {
                let (rows, one_column) = self.ones(&arguments[0]);
                match function.entry().signature {
                    Signature::Reduce
                    | Signature::AnyToScalar
                    | Signature::SquareToScalar
                    | Signature::PairToScalar => scalar,
                    Signature::ReduceRows if *columns => (true, one_column),
                    Signature::ReduceRows if rows || one_column => scalar,
                    Signature::ReduceRows | Signature::ReduceToColumn => (rows, true),
                    Signature::ReduceToRow => (true, one_column),
                    Signature::Transposed => (one_column, rows),
                    Signature::Diagonal if rows && one_column => scalar,
                    Signature::Diagonal if rows || one_column => (false, false),
                    Signature::Diagonal | Signature::Vectorised | Signature::HalfVectorised => (false, true),
                    Signature::ElementwisePair | Signature::Kronecker => joined(&mut arguments.iter()),
                    _ => (rows, one_column),
                }
            }
            Kind::Blocks(_) => (false, false),
            Kind::Identity(n) => (one(n), one(n)),
            Kind::Ones(m, n) | Kind::Zeros(m, n) => (one(m), n.as_ref().is_none_or(one)),
            Kind::Unit(n, _) => (one(n), true),
            Kind::Reshape(_, m, n) => (one(m), one(n)),
            Kind::Entry { of, indices } if self.scope.family_of(of).is_some() => match self.scope.family_of(of) {
                Some(family) if indices.len() == 1 => {
                    (self.scope.sizes.is_one(family.member.rows), self.scope.sizes.is_one(family.member.columns))
                }
                _ => scalar,
            },
            Kind::Entry { of, indices } => {
                let (rows, columns) = self.ones(of);
                let all = |k: usize| indices.get(k) == Some(&Index::All);
                (rows || !all(0), columns || !all(1))
            }
            Kind::Over { body, .. } => self.ones(body),
            Kind::ByEntries { indices, .. } => (false, indices.len() < 2),
        }
    }

    /// The normal form.
    pub fn normal(&self, formula: &Formula) -> Formula {
        self.normal_of(formula.clone())
    }

    fn normal_of(&self, mut formula: Formula) -> Formula {
        for child in formula.children_mut() {
            let taken = std::mem::replace(child, Formula::integer(0));
            *child = self.normal_of(taken);
        }
        let kind = match formula.kind {
            Kind::Transpose(a) => match a.kind {
                Kind::Transpose(inner) => return *inner,
                _ if self.is_scalar(&a) || matches!(a.kind, Kind::Identity(_)) => return *a,
                _ if self.is_symmetric(&a) => return *a,
                kind => {
                    let inner = plain(kind);
                    return self.scaled_in_front(&inner, Formula::transposed);
                }
            },
            Kind::Power(a, b) => match literal(&b) {
                Some(k) if k == Number::MINUS_ONE && !self.is_scalar(&a) => {
                    Kind::Call { function: Function::Inv, arguments: vec![*a], columns: false }
                }
                Some(k) => return self.power_of(&a, k, false),
                None if a.as_name() == Some("e") && !self.scope.knows("e") => {
                    Kind::Call { function: Function::Exp, arguments: vec![*b], columns: false }
                }
                None => Kind::Power(a, b),
            },
            Kind::HadamardPower(a, b) => match literal(&b) {
                Some(k) => return self.power_of(&a, k, true),
                None if self.is_scalar(&a) => Kind::Power(a, b),
                None => Kind::HadamardPower(a, b),
            },
            Kind::Call { function: Function::Sqrt, arguments, .. } => {
                let half = plain(Kind::Number(Number::HALF));
                let base = arguments.into_iter().next().unwrap_or_else(|| Formula::integer(0));
                let base = Box::new(base);
                let scalar = self.is_scalar(&base);
                if scalar { Kind::Power(base, Box::new(half)) } else { Kind::HadamardPower(base, Box::new(half)) }
            }
            Kind::Call { function: Function::Square, arguments, .. } => {
                let base = arguments.into_iter().next().unwrap_or_else(|| Formula::integer(0));
                let scalar = self.is_scalar(&base);
                let (base, two) = (Box::new(base), Box::new(Formula::integer(2)));
                if scalar { Kind::Power(base, two) } else { Kind::HadamardPower(base, two) }
            }
            Kind::Call { function: Function::TransposeOf, mut arguments, .. } => {
                let inner = plain(Kind::Transpose(Box::new(arguments.remove(0))));
                return self.normal_of(inner);
            }
            Kind::Unit(..) | Kind::Name(_) => formula.kind,
            // A matrix of ones is a column times a row.
            Kind::Ones(_, Some(_)) => {
                let ones = || plain(Kind::Ones(Size::Open(None), None));
                Kind::Product(vec![ones(), ones().transposed()])
            }
            Kind::Ones(_, None) => Kind::Ones(Size::Open(None), None),
            Kind::Call { function: Function::Sum, mut arguments, columns: false }
                if matches!(
                    arguments[0].kind,
                    Kind::Call { function: Function::RowSum | Function::ColSum, columns: false, .. }
                ) =>
            {
                if let Kind::Call { arguments: inner, .. } = arguments.remove(0).kind {
                    arguments = inner;
                }
                let whole = Kind::Call { function: Function::Sum, arguments, columns: false };
                return self.normal_of(plain(whole));
            }
            Kind::Call { function, mut arguments, columns: false }
                if pulls_scalars_out(function) && !self.is_scalar(&arguments[0]) =>
            {
                let inner = arguments.remove(0);
                return self.scaled_in_front(&inner, |inner| Formula::call(function, inner));
            }
            Kind::Identity(_) => Kind::Identity(Size::Open(None)),
            kind => kind,
        };
        let formula = plain(kind);
        match formula.kind {
            Kind::Sum(_)
            | Kind::Product(_)
            | Kind::Hadamard(_)
            | Kind::HadamardQuotient(..)
            | Kind::Quotient(..)
            | Kind::Number(_) => {
                let terms = self.terms(&formula);
                from_terms(terms)
            }
            _ => formula,
        }
    }

    /// f(c·A) as c·f(A).
    fn scaled_in_front(&self, inner: &Formula, of: impl Fn(Formula) -> Formula) -> Formula {
        let terms = self.terms(inner);
        match terms.as_slice() {
            [term] if !term.factors.is_empty() && (!term.coefficient.is_one() || !term.scalars.is_empty()) => {
                let mut out = term.clone();
                let made = of(product_of(std::mem::take(&mut out.factors)));
                match self.is_scalar(&made) {
                    true => out.scalars.push(made),
                    false => out.factors.push(made),
                }
                from_terms(vec![out])
            }
            _ => of(inner.clone()),
        }
    }

    /// a^k, by elements where a is no number, of a normal a: (a^j)^k = a^(jk), (c a b)^k = c^k a^k b^k.
    fn power_of(&self, base: &Formula, k: Number, by_elements: bool) -> Formula {
        if k.is_one() {
            return base.clone();
        }
        let scalar = self.is_scalar(base);
        let raised = |base: &Formula, k: Number| -> Formula {
            let exponent = plain(Kind::Number(k.abs()));
            let exponent = Box::new(if k.is_negative() { exponent.negated() } else { exponent });
            let base = Box::new(base.clone());
            plain(if by_elements && !scalar {
                Kind::HadamardPower(base, exponent)
            } else {
                Kind::Power(base, exponent)
            })
        };
        let whole = k.as_integer().filter(|k| (-8..=8).contains(k) && (scalar || by_elements));
        let Some(count) = whole else {
            return match &base.kind {
                Kind::HadamardPower(inner, j) if by_elements => match literal(j) {
                    Some(j) => raised(inner, j.times(k)),
                    None => raised(base, k),
                },
                _ => raised(base, k),
            };
        };
        match &base.kind {
            Kind::Power(inner, j) | Kind::HadamardPower(inner, j) => match literal(j) {
                Some(j) => self.power_of(inner, j.times(k), by_elements),
                None => raised(base, k),
            },
            Kind::Product(_) if scalar => {
                let mut term = self.term(base);
                let lone = term.scalars.len() < 2 && term.coefficient.is_one();
                if lone || term.coefficient.is_zero() || !term.factors.is_empty() {
                    return raised(base, k);
                }
                let one = if count < 0 { term.coefficient.reciprocal() } else { Some(term.coefficient) };
                let Some(one) = one else { return raised(base, k) };
                term.coefficient = (0..count.unsigned_abs()).fold(Number::ONE, |product, _| product.times(one));
                term.scalars = term.scalars.iter().map(|factor| self.power_of(factor, k, false)).collect();
                from_terms(vec![term])
            }
            Kind::Hadamard(list) if by_elements => {
                let list = list.iter().map(|factor| self.power_of(factor, k, true)).collect();
                from_terms(self.terms(&plain(Kind::Hadamard(list))))
            }
            _ => raised(base, k),
        }
    }

    /// Row times matrices times column is a number, wherever it stands in a product.
    fn numbers_out(&self, term: &mut Term) {
        let ones: Vec<(bool, bool)> = term.factors.iter().map(|factor| self.ones(factor)).collect();
        let mut left = Vec::with_capacity(term.factors.len());
        let mut at = 0;
        while at < ones.len() {
            let end = match ones[at] {
                (true, false) => (at + 1..ones.len()).find(|&k| ones[k].1),
                _ => None,
            };
            match end {
                Some(end) => {
                    term.scalars.push(product_of(term.factors[at..=end].to_vec()));
                    at = end + 1;
                }
                None => {
                    left.push(term.factors[at].clone());
                    at += 1;
                }
            }
        }
        term.factors = left;
    }

    /// The terms of a formula whose parts are normal, like ones together.
    pub fn terms(&self, formula: &Formula) -> Vec<Term> {
        let mut out: Vec<Term> = Vec::new();
        match &formula.kind {
            Kind::Sum(list) => {
                for (minus, term) in list {
                    for mut inner in self.terms(term) {
                        if *minus {
                            inner.coefficient = inner.coefficient.negate();
                        }
                        out.push(inner);
                    }
                }
            }
            _ => out.push(self.term(formula)),
        }
        collected(out)
    }

    fn term(&self, formula: &Formula) -> Term {
        let mut term = Term { coefficient: Number::ONE, scalars: Vec::new(), factors: Vec::new() };
        self.multiply_into(&mut term, formula);
        self.numbers_out(&mut term);
        term.scalars = powers_together(term.scalars);
        term
    }

    fn multiply_into(&self, term: &mut Term, formula: &Formula) {
        match &formula.kind {
            Kind::Number(value) => term.coefficient = term.coefficient.times(*value),
            Kind::Sum(list) if list.len() == 1 => {
                if list[0].0 {
                    term.coefficient = term.coefficient.negate();
                }
                self.multiply_into(term, &list[0].1);
            }
            Kind::Product(list) if term.factors.is_empty() || !self.is_scalar(formula) => {
                let whole_is_scalar = self.is_scalar(formula);
                let mut inner = Term { coefficient: Number::ONE, scalars: Vec::new(), factors: Vec::new() };
                for factor in list {
                    self.multiply_into(&mut inner, factor);
                }
                term.coefficient = term.coefficient.times(inner.coefficient);
                term.scalars.append(&mut inner.scalars);
                if whole_is_scalar && !inner.factors.is_empty() {
                    term.scalars.push(product_of(inner.factors));
                } else {
                    term.factors.append(&mut inner.factors);
                }
            }
            Kind::Product(list) => {
                // A scalar product beside matrices scales them.
                let inner = self.term(&plain(Kind::Product(list.clone())));
                term.coefficient = term.coefficient.times(inner.coefficient);
                term.scalars.extend(inner.scalars);
                if !inner.factors.is_empty() {
                    term.scalars.push(product_of(inner.factors));
                }
            }
            Kind::Quotient(a, b) => {
                self.multiply_into(term, a);
                match (&b.kind, self.is_scalar(b)) {
                    (Kind::Number(value), _) if !value.is_zero() => {
                        term.coefficient = term.coefficient.times(value.reciprocal().unwrap_or(Number::ONE));
                    }
                    (Kind::Product(list), true) if list.iter().all(|factor| self.is_scalar(factor)) => {
                        for factor in list {
                            let one = plain(Kind::Quotient(Box::new(Formula::integer(1)), Box::new(factor.clone())));
                            self.multiply_into(term, &one);
                        }
                    }
                    (_, true) => {
                        let inverse = self.power_of(b, Number::MINUS_ONE, false);
                        match inverse.kind {
                            Kind::Power(..) => term.scalars.push(inverse),
                            _ => self.multiply_into(term, &inverse),
                        }
                    }
                    _ => term.factors.push(Formula::call(Function::Inv, (**b).clone())),
                }
            }
            Kind::Hadamard(list) => self.hadamard_into(term, list),
            Kind::HadamardQuotient(a, b) => {
                let inverse = self.power_of(b, Number::MINUS_ONE, true);
                self.hadamard_into(term, &[(**a).clone(), inverse]);
            }
            _ if self.is_scalar(formula) => term.scalars.push(formula.clone()),
            Kind::Identity(_) if !term.factors.is_empty() => {}
            _ => {
                if matches!(term.factors.last().map(|last| &last.kind), Some(Kind::Identity(_))) {
                    term.factors.pop();
                }
                term.factors.push(formula.clone());
            }
        }
    }

    fn hadamard_into(&self, term: &mut Term, list: &[Formula]) {
        let mut inner: Vec<Formula> = Vec::new();
        let mut stack: Vec<Formula> = list.iter().rev().cloned().collect();
        while let Some(factor) = stack.pop() {
            let taken = self.term(&factor);
            term.coefficient = term.coefficient.times(taken.coefficient);
            term.scalars.extend(taken.scalars);
            match taken.factors.as_slice() {
                [] => {}
                [one] => match &one.kind {
                    Kind::Hadamard(more) => inner.extend(more.iter().cloned()),
                    _ => inner.push(one.clone()),
                },
                _ => inner.push(product_of(taken.factors)),
            }
        }
        let inner = powers_together(inner);
        match inner.len() {
            0 => {}
            1 => term.factors.extend(inner),
            _ => term.factors.push(plain(Kind::Hadamard(inner))),
        }
    }
}

/// Commuting factors in order, equal ones as a power.
fn powers_together(list: Vec<Formula>) -> Vec<Formula> {
    let mut bases: Vec<(String, Formula, Number, bool)> = Vec::new();
    for factor in list {
        let (base, exponent, by_elements) = match &factor.kind {
            Kind::Power(base, exponent) => match literal(exponent) {
                Some(k) => ((**base).clone(), k, false),
                None => (factor.clone(), Number::ONE, false),
            },
            Kind::HadamardPower(base, exponent) => match literal(exponent) {
                Some(k) => ((**base).clone(), k, true),
                None => (factor.clone(), Number::ONE, true),
            },
            _ => (factor.clone(), Number::ONE, false),
        };
        let (base, exponent) = as_norm(base, exponent);
        let text = key(&base);
        match bases.iter_mut().find(|(known, ..)| *known == text) {
            Some((_, _, k, elements)) => {
                *k = k.plus(exponent);
                *elements |= by_elements;
            }
            None => bases.push((text, base, exponent, by_elements)),
        }
    }
    let scalars = bases.iter().all(|(_, _, _, elements)| !elements);
    bases.retain(|(_, _, k, _)| !k.is_zero() || !scalars);
    bases.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    bases
        .into_iter()
        .filter(|(_, _, k, _)| !k.is_zero())
        .map(|(_, base, k, elements)| {
            if k.is_one() {
                return base;
            }
            if let Kind::Call { function: Function::Norm, arguments, .. } = &base.kind
                && k.as_integer() == Some(2)
            {
                return Formula::call(Function::NormSq, arguments[0].clone());
            }
            let exponent = Box::new(plain(Kind::Number(k.abs())));
            let exponent = if k.is_negative() { Box::new(exponent.negated()) } else { exponent };
            let matrix = elements || !scalars;
            plain(if matrix {
                Kind::HadamardPower(Box::new(base), exponent)
            } else {
                Kind::Power(Box::new(base), exponent)
            })
        })
        .collect()
}

/// normsq(x)^k as norm(x)^(2k).
fn as_norm(base: Formula, exponent: Number) -> (Formula, Number) {
    match base.kind {
        Kind::Call { function: Function::NormSq, arguments, columns } => {
            let norm = Kind::Call { function: Function::Norm, arguments, columns };
            (plain(norm), exponent.plus(exponent))
        }
        kind => (plain(kind), exponent),
    }
}

/// A·B·… of one or more factors.
pub fn product_of(mut factors: Vec<Formula>) -> Formula {
    if factors.len() == 1 { factors.remove(0) } else { plain(Kind::Product(factors)) }
}

impl Term {
    /// The term without its number.
    pub fn body(&self) -> Formula {
        let mut list = self.scalars.clone();
        list.extend(self.factors.iter().cloned());
        match list.len() {
            0 => Formula::integer(1),
            _ => product_of(list),
        }
    }

    fn with_number(&self) -> Formula {
        let size = plain(Kind::Number(self.coefficient.abs()));
        if self.coefficient.abs().is_one() {
            return self.body();
        }
        let mut list = vec![size];
        list.extend(self.scalars.iter().cloned());
        list.extend(self.factors.iter().cloned());
        product_of(list)
    }
}

fn collected(mut list: Vec<Term>) -> Vec<Term> {
    if list.len() < 2 {
        list.retain(|term| !term.coefficient.is_zero());
        return list;
    }
    let mut out: Vec<(String, Term)> = Vec::new();
    for term in list {
        let text = key(&term.body());
        match out.iter_mut().find(|(known, _)| *known == text) {
            Some((_, known)) => known.coefficient = known.coefficient.plus(term.coefficient),
            None => out.push((text, term)),
        }
    }
    out.retain(|(_, term)| !term.coefficient.is_zero());
    out.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    out.into_iter().map(|(_, term)| term).collect()
}

/// The sum of terms.
pub fn from_terms(terms: Vec<Term>) -> Formula {
    let mut list: Vec<(bool, Formula)> =
        collected(terms).iter().map(|term| (term.coefficient.is_negative(), term.with_number())).collect();
    match list.as_slice() {
        [] => Formula::integer(0),
        [(false, _)] => list.remove(0).1,
        _ => plain(Kind::Sum(list)),
    }
}

/// Linear functions that a scalar may be taken out of.
fn pulls_scalars_out(function: Function) -> bool {
    matches!(
        function,
        Function::Trace
            | Function::Sum
            | Function::Mean
            | Function::RowSum
            | Function::ColSum
            | Function::RowMean
            | Function::ColMean
            | Function::Diag
            | Function::Vec
    )
}

/// Whether a function acts on each entry alone.
pub fn acts_on_entries(function: Function) -> bool {
    function.entry().signature == Signature::Elementwise
}

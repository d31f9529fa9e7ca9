//! A number in index notation as a sum of products of entries, written so that equal ones are equal texts: like factors
//! together, deltas picked, bound indices renamed.

use super::{Entries, MOST_TERMS, Term, inverse, plain, product};
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::elaborate::Property;
use crate::number::Number;
use crate::verify::evaluate::literal;
use crate::verify::normal::key;

/// Bound indices of a term, which are put in all orders.
const MOST_BOUND: usize = 5;

/// The same with another index in place of one that is free in it.
pub(super) fn with_index(formula: &Formula, index: &str, other: &Index) -> Formula {
    let mut out = formula.clone();
    let change = |i: &mut Index| {
        if *i == Index::Name(index.to_owned()) {
            *i = other.clone();
        }
    };
    match &mut out.kind {
        Kind::Entry { indices, .. } => indices.iter_mut().for_each(change),
        Kind::Delta(i, j) => [i, j].into_iter().for_each(change),
        Kind::Over { index: bound, .. } if bound == index => return out,
        _ => {}
    }
    for child in out.children_mut() {
        *child = with_index(child, index, other);
    }
    out
}

/// Renames the bound indices of a factor in the order in which they stand.
fn bounds_in_order(formula: &mut Formula, count: &mut usize) {
    if let Kind::Over { index, body, .. } = &mut formula.kind {
        *count += 1;
        let name = format!("~{count}");
        **body = with_index(body, index, &Index::Name(name.clone()));
        *index = name;
    }
    for child in formula.children_mut() {
        bounds_in_order(child, count);
    }
}

/// e^x as exp(x).
pub(super) fn with_exponentials(formula: &Formula) -> Formula {
    let mut out = formula.clone();
    for child in out.children_mut() {
        *child = with_exponentials(child);
    }
    match out.kind {
        Kind::Power(base, exponent) if base.as_name() == Some("e") && literal(&exponent).is_none() => {
            Formula::call(crate::functions::Function::Exp, *exponent)
        }
        kind => plain(kind),
    }
}

fn one() -> Term {
    Term { coefficient: Number::ONE, bound: Vec::new(), factors: Vec::new() }
}

impl Entries {
    /// The text of a side.
    pub(super) fn side(&mut self, formula: &Formula) -> Option<String> {
        let formula = self.with_fresh_bounds(&with_exponentials(&formula.without_places()));
        let formula = match self.is_scalar(&formula) {
            true => formula,
            // A matrix is told by its entry at a place of its own.
            false => self.entry(&formula, &Index::Name("row".to_owned()), &Index::Name("column".to_owned()))?,
        };
        let terms = self.terms(&formula)?;
        self.text(terms)
    }

    fn text(&mut self, terms: Vec<Term>) -> Option<String> {
        let mut sum: Vec<(String, Number)> = Vec::new();
        for term in terms {
            let term = self.simplified(term);
            let text = written(&term)?;
            match sum.iter_mut().find(|(known, _)| *known == text) {
                Some((_, coefficient)) => *coefficient = coefficient.plus(term.coefficient),
                None => sum.push((text, term.coefficient)),
            }
        }
        sum.retain(|(_, coefficient)| !coefficient.is_zero());
        sum.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Some(sum.iter().map(|(text, coefficient)| format!("{coefficient:?} {text}")).collect::<Vec<_>>().join(" + "))
    }

    fn terms(&mut self, formula: &Formula) -> Option<Vec<Term>> {
        self.deeper(|entries| entries.terms_of(formula))
    }

    fn terms_of(&mut self, formula: &Formula) -> Option<Vec<Term>> {
        Some(match &formula.kind {
            Kind::Number(value) => vec![Term { coefficient: *value, ..one() }],
            Kind::Sum(list) => {
                let mut out = Vec::new();
                for (minus, term) in list {
                    for mut inner in self.terms(term)? {
                        if *minus {
                            inner.coefficient = inner.coefficient.negate();
                        }
                        out.push(inner);
                    }
                }
                out
            }
            Kind::Product(list) | Kind::Hadamard(list) => {
                let scalars = list.iter().all(|factor| self.is_scalar(factor));
                if !scalars {
                    let written = self.entry(formula, &Index::Number(1), &Index::Number(1))?;
                    return self.terms(&written);
                }
                let mut out = vec![one()];
                for factor in list {
                    let inner = self.terms(factor)?;
                    out = multiplied(&out, &inner)?;
                }
                out
            }
            Kind::Quotient(a, b) | Kind::HadamardQuotient(a, b) => {
                self.terms(&product(vec![(**a).clone(), inverse((**b).clone())]))?
            }
            Kind::Power(base, exponent) | Kind::HadamardPower(base, exponent) => {
                let Some(k) = literal(exponent) else { return Some(vec![self.atom(formula)?]) };
                let inner = self.terms(base)?;
                match (inner.as_slice(), k.as_integer()) {
                    ([single], _)
                        if single.bound.is_empty() && (single.coefficient.is_one() || k == Number::MINUS_ONE) =>
                    {
                        let mut term = single.clone();
                        if !term.coefficient.is_one() {
                            term.coefficient = term.coefficient.reciprocal()?;
                        }
                        term.factors.iter_mut().for_each(|(_, exponent)| *exponent = exponent.times(k));
                        vec![term]
                    }
                    (_, Some(1)) => inner,
                    (_, Some(k @ 2..=3)) => {
                        let mut out = vec![one()];
                        for _ in 0..k {
                            // Each factor has bound indices of its own.
                            let fresh = self.with_fresh_bounds(base);
                            let inner = self.terms(&fresh)?;
                            out = multiplied(&out, &inner)?;
                        }
                        out
                    }
                    _ => {
                        let text = self.text(inner)?;
                        vec![Term { factors: vec![(Formula::name(format!("({text})")), k)], ..one() }]
                    }
                }
            }
            Kind::Over { index, upper, body } => {
                let upper = match upper {
                    Size::Given(given) => Some((**given).clone()),
                    Size::Open(Some(id)) => Some(Formula::name(self.scope.sizes.text(*id))),
                    Size::Open(None) => None,
                };
                let mut terms = self.terms(body)?;
                terms.iter_mut().for_each(|term| term.bound.push((index.clone(), upper.clone())));
                terms
            }
            Kind::Name(name) => match self.definition(name) {
                Some(body) => {
                    let body = self.entry(&body, &Index::Number(1), &Index::Number(1))?;
                    let body = self.with_fresh_bounds(&body);
                    self.terms(&body)?
                }
                None => vec![self.atom(formula)?],
            },
            Kind::Entry { indices, .. } if indices.len() == 3 => vec![self.atom(formula)?],
            Kind::Entry { of, indices } => {
                let form = self.form(of)?;
                let (i, j) = match indices.as_slice() {
                    [i, j] => (i.clone(), j.clone()),
                    [j] if self.scope.sizes.is_one(form.rows) => (Index::Number(1), j.clone()),
                    [i] => (i.clone(), Index::Number(1)),
                    _ => return None,
                };
                let written = self.entry(of, &i, &j)?;
                match written.without_places() == formula.without_places() {
                    true => vec![self.atom(formula)?],
                    false => self.terms(&written)?,
                }
            }
            Kind::Derivative { of, by } => {
                let of = self.entry(of, &Index::Number(1), &Index::Number(1))?;
                let of = self.with_fresh_bounds(&of);
                let slope = self.slope(&of, by)?;
                self.terms(&slope)?
            }
            Kind::Transpose(a) if self.is_scalar(a) => self.terms(a)?,
            Kind::Call { .. } => {
                let written = self.entry(formula, &Index::Number(1), &Index::Number(1))?;
                match (&written.kind, written.without_places() == formula.without_places()) {
                    (Kind::Call { .. }, _) | (_, true) => vec![self.atom(&written)?],
                    _ => self.terms(&written)?,
                }
            }
            Kind::Delta(..) | Kind::Generic { .. } => vec![self.atom(formula)?],
            _ => return None,
        })
    }

    /// A factor that is no sum or product, its argument in its own canonical form where it has one.
    fn atom(&mut self, formula: &Formula) -> Option<Term> {
        let mut own = formula.clone();
        bounds_in_order(&mut own, &mut 0);
        Some(Term { factors: vec![(own, Number::ONE)], ..one() })
    }

    /// Deltas with a bound index picked, sums over rows that are 1 left out.
    fn simplified(&mut self, mut term: Term) -> Term {
        loop {
            let found = term.factors.iter().enumerate().find_map(|(k, (factor, exponent))| {
                let Kind::Delta(i, j) = &factor.kind else { return None };
                if i == j {
                    return Some((k, None));
                }
                let bound = |index: &Index| match index {
                    Index::Name(name) => term.bound.iter().position(|(bound, _)| bound == name),
                    _ => None,
                };
                exponent.is_one().then_some(())?;
                match (bound(i), bound(j)) {
                    (Some(at), _) => Some((k, Some((at, j.clone())))),
                    (_, Some(at)) => Some((k, Some((at, i.clone())))),
                    _ => None,
                }
            });
            let Some((k, pick)) = found else { break };
            term.factors.remove(k);
            if let Some((at, other)) = pick {
                let (index, _) = term.bound.remove(at);
                term.factors.iter_mut().for_each(|(factor, _)| *factor = with_index(factor, &index, &other));
                self.rule("a sum with δ picks one term");
            }
        }
        term.factors = together(std::mem::take(&mut term.factors));
        // Σ_j Y_ij = 1
        let single = term.bound.iter().position(|(index, _)| {
            let with: Vec<&(Formula, Number)> =
                term.factors.iter().filter(|(factor, _)| factor.free_indices().contains(index)).collect();
            let [(factor, exponent)] = with.as_slice() else { return false };
            let Kind::Entry { of, indices } = &factor.kind else { return false };
            let stochastic = of.as_name().and_then(|name| self.scope.variables.get(name)).is_some_and(|variable| {
                variable.properties.has(Property::RowStochastic) || variable.properties.has(Property::OneHot)
            });
            exponent.is_one() && stochastic && indices.last() == Some(&Index::Name(index.clone()))
        });
        if let Some(at) = single {
            let (index, _) = term.bound.remove(at);
            term.factors.retain(|(factor, _)| !factor.free_indices().contains(&index));
            self.rule("each row of a one-hot or stochastic matrix sums to 1");
            return self.simplified(term);
        }
        // A sum of equal terms is their number times one of them.
        let idle = term.bound.iter().position(|(index, upper)| {
            upper.is_some() && !term.factors.iter().any(|(factor, _)| factor.free_indices().contains(index))
        });
        if let Some(at) = idle
            && let (_, Some(upper)) = term.bound.remove(at)
        {
            term.factors.push((upper, Number::ONE));
            return self.simplified(term);
        }
        term
    }
}

/// Like factors as one with the sum of their exponents.
fn together(list: Vec<(Formula, Number)>) -> Vec<(Formula, Number)> {
    let mut out: Vec<(String, Formula, Number)> = Vec::new();
    for (factor, exponent) in list {
        let text = key(&factor);
        match out.iter_mut().find(|(known, ..)| *known == text) {
            Some((_, _, known)) => *known = known.plus(exponent),
            None => out.push((text, factor, exponent)),
        }
    }
    out.into_iter()
        .filter(|(_, _, exponent)| !exponent.is_zero())
        .map(|(_, factor, exponent)| (factor, exponent))
        .collect()
}

fn multiplied(left: &[Term], right: &[Term]) -> Option<Vec<Term>> {
    if left.len() * right.len() > MOST_TERMS {
        return None;
    }
    let mut out = Vec::with_capacity(left.len() * right.len());
    for a in left {
        for b in right {
            out.push(Term {
                coefficient: a.coefficient.times(b.coefficient),
                bound: a.bound.iter().chain(&b.bound).cloned().collect(),
                factors: a.factors.iter().chain(&b.factors).cloned().collect(),
            });
        }
    }
    Some(out)
}

/// The text of a term without its coefficient: the least over all orders of its bound indices.
fn written(term: &Term) -> Option<String> {
    if term.bound.len() > MOST_BOUND {
        return None;
    }
    let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..term.bound.len() {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                (0..term.bound.len())
                    .filter(|k| !order.contains(k))
                    .map(|k| [order.as_slice(), &[k]].concat())
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    let texts = orders.into_iter().map(|order| {
        let mut factors: Vec<String> = term
            .factors
            .iter()
            .map(|(factor, exponent)| {
                let mut factor = factor.clone();
                for (place, &k) in order.iter().enumerate() {
                    factor = with_index(&factor, &term.bound[k].0, &Index::Name(format!("@{place}")));
                }
                format!("{}^{exponent:?}", key(&ordered(&factor)))
            })
            .collect();
        factors.sort_unstable();
        format!("{} {}", order.len(), factors.join(" "))
    });
    texts.min()
}

/// δ_ji as δ_ij.
fn ordered(formula: &Formula) -> Formula {
    match &formula.kind {
        Kind::Delta(i, j) if format!("{i:?}") > format!("{j:?}") => plain(Kind::Delta(j.clone(), i.clone())),
        _ => formula.clone(),
    }
}

//! Moves of traces: products in other words, round the corner, turned over.

use super::{Mover, least_rotation, plain};
use crate::document::formula::{Formula, Kind, Size};
use crate::functions::Function;
use crate::number::Number;
use crate::verify::evaluate::literal;
use crate::verify::normal::{from_terms, key, product_of};

impl Mover {
    pub(super) fn is_ones(formula: &Formula) -> bool {
        match &formula.kind {
            Kind::Ones(_, None) => true,
            Kind::Transpose(inner) => matches!(inner.kind, Kind::Ones(_, None)),
            _ => false,
        }
    }

    /// Y*ones is ones where the rows of Y sum to 1, round the corner of a trace too.
    pub(super) fn row_sums(&mut self, part: Formula) -> Formula {
        let stochastic = |mover: &Mover, formula: &Formula| {
            let name = match &formula.kind {
                Kind::Name(name) => name,
                _ => return false,
            };
            let scope = &mover.normal.scope;
            let has = |v: &crate::verify::scope::Variable| v.properties.has(crate::elaborate::Property::RowStochastic);
            let softmax = scope.definitions.get(name).is_some_and(|definition| {
                matches!(&definition.body.kind, Kind::Call { function: Function::Softmax, columns: false, .. })
            });
            scope.variables.get(name).is_some_and(has) && !scope.definitions.contains_key(name) || softmax
        };
        let ones = || plain(Kind::Ones(Size::Open(None), None));
        let change = |mover: &mut Mover, list: &[Formula], round: bool| -> Option<Vec<Formula>> {
            let n = list.len();
            let pairs = if round { n } else { n.saturating_sub(1) };
            for i in 0..pairs {
                let (a, b) = (&list[i], &list[(i + 1) % n]);
                let joined = match (&a.kind, &b.kind) {
                    (_, Kind::Ones(_, None)) if stochastic(mover, a) => ones(),
                    (Kind::Transpose(left), Kind::Transpose(right))
                        if matches!(left.kind, Kind::Ones(_, None)) && stochastic(mover, right) =>
                    {
                        ones().transposed()
                    }
                    _ => continue,
                };
                let mut out = list.to_vec();
                if i + 1 < n {
                    out.splice(i..i + 2, [joined]);
                } else {
                    out[i] = joined;
                    out.remove(0);
                }
                return Some(out);
            }
            None
        };
        match &part.kind {
            Kind::Product(list) => match change(self, list, false) {
                Some(list) => product_of(list),
                None => part,
            },
            Kind::Call { function: Function::Trace, arguments, .. } => match &arguments[0].kind {
                Kind::Product(list) => match change(self, list, true) {
                    Some(list) => Formula::call(Function::Trace, product_of(list)),
                    None => part,
                },
                _ => part,
            },
            _ => part,
        }
    }

    pub(super) fn as_trace(&mut self, part: Formula) -> Formula {
        let trace = |left: Formula, right: Formula| {
            Formula::call(Function::Trace, plain(Kind::Product(vec![left.transposed(), right])))
        };
        match &part.kind {
            Kind::Call { function: Function::Dot, arguments, .. } => trace(arguments[0].clone(), arguments[1].clone()),
            Kind::Call { function: Function::NormSq, arguments, .. } => {
                trace(arguments[0].clone(), arguments[0].clone())
            }
            // 1'(A .* B)1
            Kind::Product(list) => match list.as_slice() {
                [first, Formula { kind: Kind::Hadamard(inner), .. }, last]
                    if inner.len() > 1
                        && matches!(first.kind, Kind::Transpose(_))
                        && Mover::is_ones(first)
                        && matches!(last.kind, Kind::Ones(..))
                        && Mover::is_ones(last) =>
                {
                    let mut rest = inner.clone();
                    let left = rest.remove(0);
                    trace(left, if rest.len() == 1 { rest.remove(0) } else { plain(Kind::Hadamard(rest)) })
                }
                [first, Formula { kind: Kind::HadamardPower(base, exponent), .. }, last]
                    if matches!(first.kind, Kind::Transpose(_))
                        && Mover::is_ones(first)
                        && matches!(last.kind, Kind::Ones(..))
                        && literal(exponent).and_then(Number::as_integer) == Some(2) =>
                {
                    trace((**base).clone(), (**base).clone())
                }
                _ => part,
            },
            Kind::Power(base, exponent) if literal(exponent).and_then(Number::as_integer) == Some(2) => {
                match &base.kind {
                    Kind::Call { function: Function::Norm, arguments, .. } => {
                        trace(arguments[0].clone(), arguments[0].clone())
                    }
                    _ => part,
                }
            }
            Kind::Call { function: Function::Sum, arguments, .. } => match &arguments[0].kind {
                Kind::Hadamard(list) if list.len() > 1 => {
                    let mut rest = list.clone();
                    let first = rest.remove(0);
                    let rest = if rest.len() == 1 { rest.remove(0) } else { plain(Kind::Hadamard(rest)) };
                    trace(first, rest)
                }
                Kind::HadamardPower(base, exponent) if literal(exponent).and_then(Number::as_integer) == Some(2) => {
                    trace((**base).clone(), (**base).clone())
                }
                _ => part,
            },
            _ => part,
        }
    }

    /// (P ⊗ Q)vec(X) = vec(Q X P')
    pub(super) fn vec_of_product(&mut self, part: Formula) -> Formula {
        let Kind::Product(list) = &part.kind else { return part };
        let call = |formula: &Formula, wanted: Function| match &formula.kind {
            Kind::Call { function, arguments, .. } if *function == wanted => Some(arguments.clone()),
            _ => None,
        };
        for at in 1..list.len() {
            if let (Some(kron), Some(vec)) = (call(&list[at - 1], Function::Kron), call(&list[at], Function::Vec)) {
                let [p, q] = kron.as_slice() else { continue };
                let inner = plain(Kind::Product(vec![q.clone(), vec[0].clone(), p.clone().transposed()]));
                let inner = self.with_transposes_pushed(inner);
                let mut out = list.clone();
                out.splice(at - 1..=at, [Formula::call(Function::Vec, self.normal.normal(&inner))]);
                return if out.len() == 1 { out.remove(0) } else { product_of(out) };
            }
        }
        part
    }

    /// tr(A(B .* C)) = sum(A' .* B .* C), with the factors in order.
    pub(super) fn exchanged(&mut self, part: Formula) -> Formula {
        let Kind::Call { function: Function::Trace, arguments, .. } = &part.kind else { return part };
        let Kind::Product(list) = &arguments[0].kind else { return part };
        let Some(i) = list.iter().position(|factor| matches!(factor.kind, Kind::Hadamard(_))) else { return part };
        let Kind::Hadamard(inner) = &list[i].kind else { return part };
        let rest: Vec<Formula> = list[i + 1..].iter().chain(&list[..i]).cloned().collect();
        if rest.is_empty() {
            return part;
        }
        let mut all = inner.clone();
        // A factor of ones only changes nothing.
        if !(rest.len() == 2 && rest.iter().all(Mover::is_ones)) {
            all.push(product_of(rest).transposed());
        }
        if let [one, other] = all.as_slice() {
            let product = plain(Kind::Product(vec![one.clone().transposed(), other.clone()]));
            let pushed = self.with_transposes_pushed(product);
            return Formula::call(Function::Trace, self.normal.normal(&pushed));
        }
        let all = plain(Kind::Hadamard(all));
        let forms = [all.clone(), all.transposed()].map(|form| {
            let form = self.with_transposes_pushed(form);
            self.normal.normal(&form)
        });
        let [one, other] = forms;
        let least = if key(&one) <= key(&other) { one } else { other };
        Formula::call(Function::Sum, least)
    }

    /// A scalar product of matrices as its own trace.
    pub(super) fn scalars_as_traces(&mut self, formula: &Formula) -> Formula {
        let terms = self.normal.terms(formula);
        let mut out = Vec::new();
        for mut term in terms {
            let mut scalars = Vec::new();
            for factor in std::mem::take(&mut term.scalars) {
                match factor.kind {
                    Kind::Product(list) if list.len() > 1 => {
                        scalars.push(Formula::call(Function::Trace, plain(Kind::Product(list))));
                    }
                    kind => scalars.push(plain(kind)),
                }
            }
            term.scalars = scalars;
            if term.factors.len() > 1
                && term.scalars.is_empty()
                && self.normal.is_scalar(&product_of(term.factors.clone()))
            {
                let inner = product_of(std::mem::take(&mut term.factors));
                term.scalars.push(Formula::call(Function::Trace, inner));
            }
            out.push(term);
        }
        from_terms(out)
    }

    pub(super) fn rotated(&mut self, part: Formula) -> Formula {
        let Kind::Call { function: Function::Trace, arguments, .. } = &part.kind else { return part };
        let Kind::Product(list) = &arguments[0].kind else { return part };
        Formula::call(Function::Trace, plain(Kind::Product(least_rotation(list))))
    }

    pub(super) fn turned(&mut self, part: Formula) -> Formula {
        let Kind::Call { function: Function::Trace, arguments, .. } = &part.kind else { return part };
        let inner = &arguments[0];
        let other = self.with_transposes_pushed(inner.clone().transposed());
        let other = self.normal.normal(&other);
        let rotation = |formula: &Formula| match &formula.kind {
            Kind::Product(list) => plain(Kind::Product(least_rotation(list))),
            _ => formula.clone(),
        };
        let (a, b) = (rotation(inner), rotation(&other));
        let least = if key(&a) <= key(&b) { a } else { b };
        Formula::call(Function::Trace, least)
    }

    /// A number that is a product, or its transpose: the lesser text of both.
    pub(super) fn number_turned(&mut self, part: Formula) -> Formula {
        let Kind::Product(list) = &part.kind else { return part };
        if !self.normal.is_scalar(&part) || list.iter().any(|factor| self.normal.is_scalar(factor)) {
            return part;
        }
        let turned = self.with_transposes_pushed(part.clone().transposed());
        let Kind::Product(factors) = turned.kind else { return part };
        // The transpose of a number is taken away, so each factor is turned alone.
        let turned = product_of(factors.iter().map(|factor| self.normal.normal(factor)).collect());
        if key(&turned) < key(&part) { turned } else { part }
    }

    /// diag(x)*A*y = x .* (A*y), and y'*A*diag(x) = (x .* A'y)'.
    pub(super) fn diagonals(&mut self, part: Formula) -> Formula {
        let Kind::Product(list) = &part.kind else { return part };
        let of = |factor: &Formula| match &factor.kind {
            Kind::Call { function: Function::Diag, arguments, .. } => Some(arguments[0].clone()),
            _ => None,
        };
        let (mut ends, mut begins) = (None, None);
        for (at, factor) in list.iter().enumerate() {
            let Some(x) = of(factor) else { continue };
            if !self.is_column(&x) {
                continue;
            }
            if at + 1 < list.len() && list.last().is_some_and(|last| self.is_column(last)) {
                ends = Some((at, x));
            } else if at > 0 && begins.is_none() && self.is_column(&list[0].clone().transposed()) {
                begins = Some((at, x));
            }
        }
        let mut out = list.clone();
        if let Some((at, x)) = ends {
            let rest = product_of(out.split_off(at + 1));
            out[at] = plain(Kind::Hadamard(vec![x, rest]));
        } else if let Some((at, x)) = begins {
            let rest = out.split_off(at + 1);
            out.pop();
            let row = product_of(out).transposed();
            out = vec![plain(Kind::Hadamard(vec![x, row])).transposed()];
            out.extend(rest);
        } else {
            return part;
        }
        product_of(out)
    }

    /// Whether a formula has one column and not one row.
    fn is_column(&self, formula: &Formula) -> bool {
        self.normal.ones(formula) == (false, true)
    }
}

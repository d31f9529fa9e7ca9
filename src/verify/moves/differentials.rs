//! d of a formula, pulled in by the rules until it stands before names only.

use super::{Mover, Plain, boxed, plain, rule};
use crate::document::formula::{Formula, Kind};
use crate::document::language::formula;
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::rules::{self, RuleId};
use crate::syntax::parse_expression;
use crate::verify::evaluate::literal;
use crate::verify::normal::product_of;
use crate::verify::scope::Ranges;

/// Larger definitions are not differentiated here.
const LARGEST_BODY: usize = 400;
/// Nor are products of more factors.
const MOST_FACTORS: usize = 40;

impl Mover {
    /// d pulled in until it stands before names only.
    pub(super) fn differentials(&mut self, formula: &Formula) -> Formula {
        self.bottom_up(formula, &mut |mover, part| match part.kind {
            Kind::Differential(inner) => {
                let d = mover.differential(&inner, 0);
                d.unwrap_or_else(|| plain(Kind::Differential(inner)))
            }
            _ => part,
        })
    }

    /// d of a formula; `None` where no rule is known here.
    pub(super) fn differential(&mut self, of: &Formula, depth: usize) -> Option<Formula> {
        if depth > 60 {
            return None;
        }
        let below = depth + 1;
        let zero = || Some(Formula::integer(0));
        if !self.moves(of) {
            return zero();
        }
        match &of.kind {
            Kind::Name(name) => {
                if !self.moving.contains(name)
                    && self.opened.contains(name)
                    && let Some(definition) = self.normal.scope.definitions.get(name)
                {
                    if definition.body.size() > LARGEST_BODY {
                        return None;
                    }
                    let body = definition.body.without_places();
                    self.use_rule(format!("definition of {name}"));
                    return self.differential(&body, below);
                }
                Some(Formula::differential(Formula::name(name.clone())))
            }
            Kind::Sum(terms) => {
                if terms.len() > 1 {
                    self.use_rule(rule(rules::SUM));
                }
                let mut out = Vec::new();
                for (minus, term) in terms {
                    out.push((*minus, self.differential(term, below)?));
                }
                Some(plain(Kind::Sum(out)))
            }
            Kind::Product(list) | Kind::Hadamard(list) if self.divisor(list).is_some() => {
                let at = self.divisor(list)?;
                let mut rest = list.clone();
                let (Kind::Power(divisor, _) | Kind::HadamardPower(divisor, _)) = rest.remove(at).kind else {
                    return None;
                };
                let above = match (&of.kind, rest.len()) {
                    (Kind::Hadamard(_), 2..) => plain(Kind::Hadamard(rest)),
                    _ => product_of(rest),
                };
                self.differential(&plain(Kind::HadamardQuotient(Box::new(above), divisor)), below)
            }
            Kind::Product(list) => {
                if list.iter().filter(|factor| self.moves(factor)).count() > 1 {
                    self.use_rule(rule(rules::PRODUCT));
                }
                self.each_factor(list, below, Kind::Product)
            }
            Kind::Hadamard(list) => {
                self.use_rule(rule(rules::HADAMARD_PRODUCT));
                self.each_factor(list, below, Kind::Hadamard)
            }
            Kind::Transpose(a) => {
                self.use_rule(rule(rules::TRANSPOSED));
                Some(plain(Kind::Transpose(Box::new(self.differential(a, below)?))))
            }
            Kind::Quotient(a, b) if !self.moves(b) => {
                Some(plain(Kind::Quotient(Box::new(self.differential(a, below)?), b.clone())))
            }
            Kind::HadamardQuotient(a, b) | Kind::Quotient(a, b) => {
                self.use_rule(rule(rules::QUOTIENT));
                let (da, db) = (self.differential(a, below)?, self.differential(b, below)?);
                let first = plain(Kind::HadamardQuotient(Box::new(da), b.clone()));
                let top = plain(Kind::Hadamard(vec![(**a).clone(), db]));
                let bottom = boxed(Kind::HadamardPower(b.clone(), Box::new(Formula::integer(2))));
                let second = plain(Kind::HadamardQuotient(Box::new(top), bottom));
                Some(plain(Kind::Sum(vec![(false, first), (true, second)])))
            }
            Kind::Power(base, exponent) | Kind::HadamardPower(base, exponent) => {
                let k = literal(exponent)?;
                let da = self.differential(base, below)?;
                let matrix = matches!(of.kind, Kind::Power(..)) && !self.normal.is_scalar(base);
                if matrix {
                    return self.matrix_power(base, k, da);
                }
                self.use_rule(rule(rules::POWER));
                let lower = k.plus(Number::MINUS_ONE);
                let number = |value: Number| {
                    let size = plain(Kind::Number(value.abs()));
                    if value.is_negative() { size.negated() } else { size }
                };
                let power = plain(Kind::HadamardPower(base.clone(), Box::new(number(lower))));
                let scaled = plain(Kind::Product(vec![number(k), power]));
                Some(plain(Kind::Hadamard(vec![scaled, da])))
            }
            Kind::Generic { name, order, argument } => {
                let da = self.differential(argument, below)?;
                self.use_rule(format!("d {name}(X) = {name}′(X) .* dX"));
                let slope = plain(Kind::Generic { name: name.clone(), order: order + 1, argument: argument.clone() });
                Some(plain(Kind::Hadamard(vec![slope, da])))
            }
            Kind::Over { index, upper, body } => {
                let body = self.differential(body, below)?;
                Some(plain(Kind::Over { index: index.clone(), upper: upper.clone(), body: Box::new(body) }))
            }
            Kind::Entry { of, indices } => {
                let inner = self.differential(of, below)?;
                Some(plain(Kind::Entry { of: Box::new(inner), indices: indices.clone() }))
            }
            Kind::Call { function, arguments, columns } => self.of_call(*function, arguments, *columns, of, below),
            _ => None,
        }
    }

    /// The factor 1/b of a quotient in which b moves.
    fn divisor(&self, list: &[Formula]) -> Option<usize> {
        let moving = |factor: &Formula| match &factor.kind {
            Kind::Power(base, exponent) | Kind::HadamardPower(base, exponent) => {
                literal(exponent) == Some(Number::MINUS_ONE)
                    && (matches!(factor.kind, Kind::HadamardPower(..)) || self.normal.is_scalar(base))
                    && self.moves(base)
            }
            _ => false,
        };
        (list.len() > 1).then(|| list.iter().position(moving)).flatten()
    }

    pub(super) fn moves(&self, formula: &Formula) -> bool {
        match &formula.kind {
            // In d(dF) the first dX is held fixed.
            Kind::Differential(inner) if inner.as_name().is_some_and(|name| self.is_moving(name)) => false,
            Kind::Name(name) => {
                self.is_moving(name)
                    || self.normal.scope.definitions.contains_key(name)
                        && self.normal.scope.below(name).iter().any(|below| self.moving.contains(below))
            }
            _ => formula.children().into_iter().any(|child| self.moves(child)),
        }
    }

    fn is_moving(&self, name: &str) -> bool {
        self.moving.iter().any(|moving| moving == name)
    }

    pub(super) fn each_factor(
        &mut self,
        list: &[Formula],
        depth: usize,
        join: fn(Vec<Formula>) -> Kind,
    ) -> Option<Formula> {
        if list.len() > MOST_FACTORS {
            return None;
        }
        let mut terms = Vec::new();
        for (i, factor) in list.iter().enumerate() {
            if self.moves(factor) {
                let mut changed = list.to_vec();
                changed[i] = self.differential(factor, depth)?;
                terms.push((false, plain(join(changed))));
            }
        }
        Some(plain(Kind::Sum(terms)))
    }

    pub(super) fn matrix_power(&mut self, base: &Formula, k: Number, da: Formula) -> Option<Formula> {
        let k = k.as_integer().filter(|k| k.abs() <= 6)?;
        let power = |i: i64| match i {
            0 => None,
            1 => Some(base.clone()),
            _ => Some(plain(Kind::Power(Box::new(base.clone()), Box::new(Formula::integer(i))))),
        };
        self.use_rule(rule(if k == -1 { rules::INVERSE } else { rules::MATRIX_POWER }));
        let mut terms = Vec::new();
        for i in 0..k.abs() {
            let (left, right) = if k > 0 { (i, k - 1 - i) } else { (-1 - i, k + i) };
            let list = [power(left), Some(da.clone()), power(right)].into_iter().flatten().collect();
            terms.push((k < 0, product_of(list)));
        }
        Some(plain(Kind::Sum(terms)))
    }

    pub(super) fn of_call(
        &mut self,
        function: Function,
        arguments: &[Formula],
        columns: bool,
        whole: &Formula,
        depth: usize,
    ) -> Option<Formula> {
        let a = &arguments[0];
        let named = rule(RuleId::of_function(function));
        match function {
            Function::Dot | Function::Kron => {
                self.use_rule(if function == Function::Dot { rule(rules::PRODUCT) } else { named });
                let call = |list: Vec<Formula>| plain(Kind::Call { function, arguments: list, columns: false });
                let mut terms = Vec::new();
                for i in 0..2 {
                    if self.moves(&arguments[i]) {
                        let mut changed = arguments.to_vec();
                        changed[i] = self.differential(&arguments[i], depth)?;
                        terms.push((false, call(changed)));
                    }
                }
                return Some(plain(Kind::Sum(terms)));
            }
            Function::Inv => {
                let da = self.differential(a, depth)?;
                self.use_rule(rule(rules::INVERSE));
                let inverse = Formula::call(Function::Inv, a.clone());
                return Some(plain(Kind::Product(vec![inverse.clone(), da, inverse])).negated());
            }
            Function::Softmax | Function::LogSoftmax | Function::LogSumExp if !columns => {
                let da = self.differential(a, depth)?;
                self.use_rule(named);
                let mut scratch = a.clone();
                let form = self.normal.scope.shape(&mut scratch, &mut Ranges::new()).ok()?;
                let sizes = &self.normal.scope.sizes;
                let vector = sizes.is_one(form.rows) || sizes.is_one(form.columns);
                let sums = if vector { Function::Sum } else { Function::RowSum };
                let p = Formula::call(Function::Softmax, a.clone());
                let weighted = Formula::call(sums, plain(Kind::Hadamard(vec![p.clone(), da.clone()])));
                let rest = plain(Kind::Sum(vec![(false, da), (true, weighted.clone())]));
                return Some(match function {
                    Function::Softmax => plain(Kind::Hadamard(vec![p, rest])),
                    Function::LogSoftmax => rest,
                    _ => weighted,
                });
            }
            _ => {}
        }
        let linear = matches!(
            function.entry().signature,
            Signature::Reduce
                | Signature::ReduceToColumn
                | Signature::ReduceToRow
                | Signature::Vectorised
                | Signature::HalfVectorised
                | Signature::Diagonal
                | Signature::Same
        ) || matches!(function, Function::Trace | Function::TransposeOf);
        let da = self.differential(a, depth)?;
        if linear {
            self.use_rule(named);
            return Some(plain(Kind::Call { function, arguments: vec![da], columns }));
        }
        let template = function.entry().differential;
        if template.is_empty() || matches!(function, Function::Pinv) {
            return None;
        }
        let (ast, root, errors) = parse_expression(template);
        if !errors.is_empty() {
            return None;
        }
        let read = formula(&ast, root?, &Plain).ok()?;
        self.use_rule(named);
        Some(self.bottom_up(&read, &mut |_, part| match part.as_name() {
            Some("X") => a.clone(),
            Some("dX") => da.clone(),
            Some("F") => whole.clone(),
            _ => part,
        }))
    }
}

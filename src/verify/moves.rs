//! The moves that a step of a derivation is made of, each applied wherever it can be: definitions written out, d taken by
//! the rules, traces turned. Two formulas that become one by some moves are equal by these.

use super::normal::{Normaliser, acts_on_entries, from_terms, key, product_of};
use super::scope::{Ranges, Scope};
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::document::language::{Names, formula};
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::rules::{self, RuleId};
use crate::syntax::parse_expression;

/// A move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Names stand for their definitions.
    Definitions,
    /// d by the rules of differentials.
    Differentials,
    /// Sums along rows and columns are products with ones.
    Ones,
    /// Y*ones = ones of a one-hot or stochastic Y.
    RowSums,
    /// <A, B> = tr(A'B), sum(A .* B) = tr(A'B).
    Frobenius,
    /// (AB)' = B'A'
    Transposes,
    /// A(B + C) = AB + AC, the trace of a sum.
    Expand,
    /// tr(A'(B .* C)) = tr((A .* B)'C)
    Exchange,
    /// a = tr(a)
    Scalar,
    /// tr(AB) = tr(BA)
    Cyclic,
    /// tr(A) = tr(A')
    TraceOfTranspose,
    /// Σ_j δ_ij a_j = a_i
    Delta,
    /// (AB)⁻¹ = B⁻¹A⁻¹, A⁻¹A = I
    Inverses,
    /// log softmax = logsoftmax, log exp = 1
    Functions,
}

/// All moves in the order in which they are made.
pub const MOVES: [Move; 14] = [
    Move::Definitions,
    Move::Differentials,
    Move::Functions,
    Move::Ones,
    Move::Frobenius,
    Move::Delta,
    Move::Expand,
    Move::Inverses,
    Move::Transposes,
    Move::RowSums,
    Move::Exchange,
    Move::Scalar,
    Move::Cyclic,
    Move::TraceOfTranspose,
];

/// Makes moves, and remembers by which rules.
pub struct Mover {
    /// Normal forms.
    pub normal: Normaliser,
    /// The names that move.
    moving: Vec<String>,
    /// The definitions that may be written out.
    opened: Vec<String>,
    /// Rules of differentials and definitions used, as a book states them.
    pub used: Vec<String>,
}

fn plain(kind: Kind) -> Formula {
    Formula::new(kind, Default::default())
}

fn boxed(kind: Kind) -> Box<Formula> {
    Box::new(plain(kind))
}

fn rule(id: RuleId) -> String {
    id.rule().statement.clone()
}

struct Plain;

impl Names for Plain {
    fn is_known(&self, name: &str) -> bool {
        name != "dX"
    }
}

impl Mover {
    /// Over the names of a scope, of which some move and some may be written out.
    pub fn new(scope: &Scope, moving: &[String], opened: &[String]) -> Mover {
        Mover { normal: Normaliser::new(scope), moving: moving.to_vec(), opened: opened.to_vec(), used: Vec::new() }
    }

    fn use_rule(&mut self, statement: String) {
        if !self.used.contains(&statement) {
            self.used.push(statement);
        }
    }

    /// The formula after a move, in normal form.
    pub fn make(&mut self, by: Move, formula: &Formula) -> Formula {
        let moved = match by {
            Move::Definitions => self.definitions(formula),
            Move::Differentials => self.differentials(formula),
            Move::Expand => {
                let mut out = formula.clone();
                for _ in 0..4 {
                    let next = self.bottom_up(&out, &mut Mover::expanded);
                    let next = self.normal.normal(&next);
                    let same = next == out;
                    out = next;
                    if same || out.size() > 2_000 {
                        break;
                    }
                }
                out
            }
            Move::Transposes => {
                let mut out = formula.clone();
                for _ in 0..4 {
                    out = self.bottom_up(&out, &mut Mover::transpose_pushed);
                }
                out
            }
            Move::Ones => self.bottom_up(formula, &mut Mover::with_ones),
            Move::Frobenius => self.bottom_up(formula, &mut Mover::as_trace),
            Move::RowSums => self.bottom_up(formula, &mut Mover::row_sums),
            Move::Exchange => self.bottom_up(formula, &mut Mover::exchanged),
            Move::Scalar => self.scalars_as_traces(formula),
            Move::Cyclic => self.bottom_up(formula, &mut Mover::rotated),
            Move::TraceOfTranspose => self.bottom_up(formula, &mut Mover::turned),
            Move::Delta => self.bottom_up(formula, &mut Mover::delta_picked),
            Move::Inverses => self.bottom_up(formula, &mut Mover::inverses),
            Move::Functions => self.bottom_up(formula, &mut Mover::functions),
        };
        self.normal.normal(&moved)
    }

    fn bottom_up(&mut self, formula: &Formula, change: &mut dyn FnMut(&mut Mover, Formula) -> Formula) -> Formula {
        let mut out = formula.clone();
        for child in out.children_mut() {
            *child = self.bottom_up(child, change);
        }
        change(self, out)
    }

    fn definitions(&mut self, formula: &Formula) -> Formula {
        let opened = self.opened.clone();
        let mut out = formula.clone();
        // Bodies may hold names that are opened too.
        for _ in 0..8 {
            let next = self.bottom_up(&out, &mut |mover, part| {
                let Kind::Name(name) = &part.kind else { return part };
                match mover.normal.scope.definitions.get(name) {
                    Some(definition) if opened.contains(name) && !mover.moving.contains(name) => {
                        let body = definition.body.without_places();
                        let statement = format!("definition of {name}");
                        mover.use_rule(statement);
                        body
                    }
                    _ => part,
                }
            });
            if next == out || next.size() > 2_000 {
                break;
            }
            out = next;
        }
        out
    }

    /// d pulled in until it stands before names only.
    fn differentials(&mut self, formula: &Formula) -> Formula {
        self.bottom_up(formula, &mut |mover, part| match part.kind {
            Kind::Differential(inner) => {
                let d = mover.differential(&inner, 0);
                d.unwrap_or_else(|| plain(Kind::Differential(inner)))
            }
            _ => part,
        })
    }

    /// d of a formula; `None` where no rule is known here.
    fn differential(&mut self, of: &Formula, depth: usize) -> Option<Formula> {
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
                let k = super::evaluate::literal(exponent)?;
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

    fn moves(&self, formula: &Formula) -> bool {
        formula.names().iter().any(|&name| {
            self.moving.iter().any(|moving| moving == name)
                || self.normal.scope.definitions.contains_key(name)
                    && self.normal.scope.below(name).iter().any(|below| self.moving.contains(below))
        })
    }

    fn each_factor(&mut self, list: &[Formula], depth: usize, join: fn(Vec<Formula>) -> Kind) -> Option<Formula> {
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

    fn matrix_power(&mut self, base: &Formula, k: Number, da: Formula) -> Option<Formula> {
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

    fn of_call(
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

    fn form(&mut self, formula: &Formula) -> Option<super::scope::Form> {
        self.normal.scope.form(&mut formula.clone(), &mut Ranges::new()).ok()
    }

    /// A column or row beside a matrix, as a product with ones.
    fn broadcast_written_out(&mut self, terms: &[(bool, Formula)]) -> Option<Formula> {
        let forms: Option<Vec<super::scope::Form>> = terms.iter().map(|(_, term)| self.form(term)).collect();
        let forms = forms?;
        let sizes = self.normal.scope.sizes.clone();
        let column = |form: &super::scope::Form| sizes.is_one(form.columns) && !sizes.is_one(form.rows);
        let row = |form: &super::scope::Form| sizes.is_one(form.rows) && !sizes.is_one(form.columns);
        let full = forms.iter().any(|form| !sizes.is_one(form.rows) && !sizes.is_one(form.columns));
        if !full || !forms.iter().any(|form| column(form) || row(form)) {
            return None;
        }
        let ones = || plain(Kind::Ones(Size::Open(None), None));
        let written = terms.iter().zip(&forms).map(|((minus, term), form)| {
            let term = term.clone();
            (
                *minus,
                match (column(form), row(form)) {
                    (true, _) => plain(Kind::Product(vec![term, ones().transposed()])),
                    (_, true) => plain(Kind::Product(vec![ones(), term])),
                    _ => term,
                },
            )
        });
        Some(plain(Kind::Sum(written.collect())))
    }

    fn is_ones(formula: &Formula) -> bool {
        match &formula.kind {
            Kind::Ones(_, None) => true,
            Kind::Transpose(inner) => matches!(inner.kind, Kind::Ones(_, None)),
            _ => false,
        }
    }

    /// Y*ones is ones where the rows of Y sum to 1, round the corner of a trace too.
    fn row_sums(&mut self, part: Formula) -> Formula {
        let stochastic = |mover: &Mover, formula: &Formula| {
            let name = match &formula.kind {
                Kind::Name(name) => name,
                _ => return false,
            };
            let scope = &mover.normal.scope;
            let has = |v: &super::scope::Variable| v.properties.has(crate::elaborate::Property::RowStochastic);
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

    fn with_ones(&mut self, part: Formula) -> Formula {
        if let Kind::Sum(terms) = &part.kind {
            return self.broadcast_written_out(terms).unwrap_or(part);
        }
        let Kind::Call { function, arguments, columns: false } = &part.kind else { return part };
        let a = || arguments[0].clone();
        let ones = || plain(Kind::Ones(Size::Open(None), None));
        match function {
            Function::RowSum => plain(Kind::Product(vec![a(), ones()])),
            Function::ColSum => plain(Kind::Product(vec![ones().transposed(), a()])),
            _ => part,
        }
    }

    fn as_trace(&mut self, part: Formula) -> Formula {
        let trace = |left: Formula, right: Formula| {
            Formula::call(Function::Trace, plain(Kind::Product(vec![left.transposed(), right])))
        };
        match &part.kind {
            Kind::Call { function: Function::Dot, arguments, .. } => trace(arguments[0].clone(), arguments[1].clone()),
            Kind::Call { function: Function::NormSq, arguments, .. } => {
                trace(arguments[0].clone(), arguments[0].clone())
            }
            Kind::Power(base, exponent)
                if super::evaluate::literal(exponent).and_then(Number::as_integer) == Some(2) =>
            {
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
                Kind::HadamardPower(base, exponent)
                    if super::evaluate::literal(exponent).and_then(Number::as_integer) == Some(2) =>
                {
                    trace((**base).clone(), (**base).clone())
                }
                _ => part,
            },
            _ => part,
        }
    }

    fn expanded(&mut self, part: Formula) -> Formula {
        match &part.kind {
            Kind::Product(list) | Kind::Hadamard(list) => {
                let Some(i) =
                    list.iter().position(|factor| matches!(&factor.kind, Kind::Sum(terms) if terms.len() > 1))
                else {
                    return part;
                };
                let Kind::Sum(terms) = &list[i].kind else { return part };
                let hadamard = matches!(part.kind, Kind::Hadamard(_));
                let terms = terms
                    .iter()
                    .map(|(minus, term)| {
                        let mut changed = list.clone();
                        changed[i] = term.clone();
                        (*minus, plain(if hadamard { Kind::Hadamard(changed) } else { Kind::Product(changed) }))
                    })
                    .collect();
                plain(Kind::Sum(terms))
            }
            Kind::Call { function, arguments, columns: false } if is_linear(*function) => {
                let function = *function;
                // A scalar is its own trace, which is a move of its own.
                if self.normal.is_scalar(&arguments[0]) {
                    return part;
                }
                let terms = self.normal.terms(&arguments[0]);
                if terms.len() == 1 && terms[0].coefficient.is_one() && terms[0].scalars.is_empty() {
                    return part;
                }
                let terms = terms
                    .into_iter()
                    .map(|mut term| {
                        let inner =
                            if term.factors.is_empty() { Formula::integer(1) } else { product_of(term.factors) };
                        term.factors = Vec::new();
                        term.scalars.push(Formula::call(function, inner));
                        term
                    })
                    .collect();
                from_terms(terms)
            }
            Kind::Transpose(a) => match &a.kind {
                Kind::Sum(terms) => {
                    plain(Kind::Sum(terms.iter().map(|(minus, term)| (*minus, term.clone().transposed())).collect()))
                }
                _ => part,
            },
            Kind::Over { index, upper, body } => {
                let terms = self.normal.terms(body);
                if terms.len() == 1 && terms[0].coefficient.is_one() {
                    return part;
                }
                let terms = terms
                    .into_iter()
                    .map(|mut term| {
                        let (inside, outside): (Vec<Formula>, Vec<Formula>) = term
                            .scalars
                            .drain(..)
                            .partition(|factor| factor.free_indices().iter().any(|name| name == index));
                        let inner = if inside.is_empty() { Formula::integer(1) } else { product_of(inside) };
                        let over = Kind::Over { index: index.clone(), upper: upper.clone(), body: Box::new(inner) };
                        term.scalars = outside;
                        term.scalars.push(plain(over));
                        term
                    })
                    .collect();
                from_terms(terms)
            }
            _ => part,
        }
    }

    fn transpose_pushed(&mut self, part: Formula) -> Formula {
        let Kind::Transpose(a) = &part.kind else { return part };
        match &a.kind {
            Kind::Product(list) => {
                let turned = list.iter().rev().map(|factor| factor.clone().transposed()).collect();
                plain(Kind::Product(turned))
            }
            Kind::Hadamard(list) => {
                plain(Kind::Hadamard(list.iter().map(|factor| factor.clone().transposed()).collect()))
            }
            Kind::HadamardPower(base, exponent) => {
                plain(Kind::HadamardPower(Box::new((**base).clone().transposed()), exponent.clone()))
            }
            Kind::Sum(terms) => {
                plain(Kind::Sum(terms.iter().map(|(minus, term)| (*minus, term.clone().transposed())).collect()))
            }
            Kind::Call { function, arguments, columns } if *function == Function::Inv || acts_on_entries(*function) => {
                let inner = arguments[0].clone().transposed();
                plain(Kind::Call { function: *function, arguments: vec![inner], columns: *columns })
            }
            Kind::Generic { name, order, argument } => plain(Kind::Generic {
                name: name.clone(),
                order: *order,
                argument: Box::new((**argument).clone().transposed()),
            }),
            Kind::Transpose(inner) => (**inner).clone(),
            _ => part,
        }
    }

    /// tr(A(B .* C)) = sum(A' .* B .* C), with the factors in order.
    fn exchanged(&mut self, part: Formula) -> Formula {
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
            let pushed = self.bottom_up(&product, &mut Mover::transpose_pushed);
            return Formula::call(Function::Trace, self.normal.normal(&pushed));
        }
        let all = plain(Kind::Hadamard(all));
        let forms = [all.clone(), all.transposed()].map(|mut form| {
            for _ in 0..3 {
                form = self.bottom_up(&form, &mut Mover::transpose_pushed);
            }
            self.normal.normal(&form)
        });
        let [one, other] = forms;
        let least = if key(&one) <= key(&other) { one } else { other };
        Formula::call(Function::Sum, least)
    }

    /// A scalar product of matrices as its own trace.
    fn scalars_as_traces(&mut self, formula: &Formula) -> Formula {
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

    fn rotated(&mut self, part: Formula) -> Formula {
        let Kind::Call { function: Function::Trace, arguments, .. } = &part.kind else { return part };
        let Kind::Product(list) = &arguments[0].kind else { return part };
        Formula::call(Function::Trace, plain(Kind::Product(least_rotation(list))))
    }

    fn turned(&mut self, part: Formula) -> Formula {
        let Kind::Call { function: Function::Trace, arguments, .. } = &part.kind else { return part };
        let inner = &arguments[0];
        let mut other = inner.clone().transposed();
        for _ in 0..3 {
            other = self.bottom_up(&other, &mut Mover::transpose_pushed);
        }
        let other = self.normal.normal(&other);
        let rotation = |formula: &Formula| match &formula.kind {
            Kind::Product(list) => plain(Kind::Product(least_rotation(list))),
            _ => formula.clone(),
        };
        let (a, b) = (rotation(inner), rotation(&other));
        let least = if key(&a) <= key(&b) { a } else { b };
        Formula::call(Function::Trace, least)
    }

    fn delta_picked(&mut self, part: Formula) -> Formula {
        let Kind::Over { index, body, .. } = &part.kind else { return part };
        let terms = self.normal.terms(body);
        let [term] = terms.as_slice() else { return part };
        let picks = term.scalars.iter().position(|factor| match &factor.kind {
            Kind::Delta(Index::Name(i), Index::Name(j)) => (i == index) != (j == index),
            _ => false,
        });
        let Some(place) = picks else { return part };
        let mut term = term.clone();
        let Kind::Delta(i, j) = term.scalars.remove(place).kind else { return part };
        let other = if i == Index::Name(index.clone()) { j } else { i };
        term.scalars = term.scalars.iter().map(|factor| with_index(factor, index, &other)).collect();
        from_terms(vec![term])
    }

    fn inverses(&mut self, part: Formula) -> Formula {
        match &part.kind {
            Kind::Call { function: Function::Inv, arguments, .. } => match &arguments[0].kind {
                Kind::Product(list) if list.len() > 1 => {
                    plain(Kind::Product(list.iter().rev().map(|a| Formula::call(Function::Inv, a.clone())).collect()))
                }
                Kind::Call { function: Function::Inv, arguments, .. } => arguments[0].clone(),
                _ => part,
            },
            Kind::Product(list) => {
                let mut out: Vec<Formula> = Vec::new();
                for factor in list {
                    let cancels = out.last().is_some_and(|last| {
                        let inverse = |a: &Formula, b: &Formula| match &a.kind {
                            Kind::Call { function: Function::Inv, arguments, .. } => key(&arguments[0]) == key(b),
                            _ => false,
                        };
                        inverse(last, factor) || inverse(factor, last)
                    });
                    if cancels {
                        out.pop();
                    } else {
                        out.push(factor.clone());
                    }
                }
                if out.is_empty() { plain(Kind::Identity(Size::Open(None))) } else { product_of(out) }
            }
            _ => part,
        }
    }

    fn functions(&mut self, part: Formula) -> Formula {
        if let Kind::Generic { name, order: 1, argument } = &part.kind
            && let Some(function) = Function::lookup(name).filter(|function| acts_on_entries(*function))
            && let (ast, Some(root), _) = parse_expression(function.entry().differential)
            && let Ok(read) = formula(&ast, root, &Plain)
        {
            let whole = Formula::call(function, (**argument).clone());
            return self.bottom_up(&read, &mut |_, part| match part.as_name() {
                Some("X") => (**argument).clone(),
                Some("dX") => Formula::integer(1),
                Some("F") => whole.clone(),
                _ => part,
            });
        }
        let Kind::Call { function, arguments, columns } = &part.kind else { return part };
        match (function, &arguments[0].kind) {
            (Function::Log, Kind::Call { function: Function::Softmax, arguments: inner, columns }) => {
                plain(Kind::Call { function: Function::LogSoftmax, arguments: inner.clone(), columns: *columns })
            }
            (Function::Log, Kind::Call { function: Function::Exp, arguments: inner, .. })
            | (Function::Exp, Kind::Call { function: Function::Log, arguments: inner, .. }) => inner[0].clone(),
            (Function::Log, Kind::Call { function: Function::Det, arguments: inner, .. }) => {
                plain(Kind::Call { function: Function::LogDet, arguments: inner.clone(), columns: *columns })
            }
            _ => part,
        }
    }
}

fn is_linear(function: Function) -> bool {
    matches!(
        function,
        Function::Trace | Function::Sum | Function::Mean | Function::RowSum | Function::ColSum | Function::Diag
    )
}

fn least_rotation(list: &[Formula]) -> Vec<Formula> {
    let rotations = (0..list.len()).map(|i| list[i..].iter().chain(&list[..i]).cloned().collect::<Vec<_>>());
    rotations.min_by_key(|rotation| rotation.iter().map(key).collect::<Vec<_>>()).unwrap_or_default()
}

fn with_index(formula: &Formula, index: &str, other: &Index) -> Formula {
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

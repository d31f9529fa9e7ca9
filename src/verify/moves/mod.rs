//! The moves that a step of a derivation is made of, each applied wherever it can be: definitions written out, d taken by
//! the rules, traces turned. Two formulas that become one by some moves are equal by these.

mod differentials;
mod functions;
mod traces;

use std::collections::HashMap;

use super::normal::{Normaliser, acts_on_entries, from_terms, key, product_of};
use super::scope::{Ranges, Scope};
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::document::language::Names;
use crate::functions::Function;
use crate::rules::RuleId;

/// A move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// Names stand for their definitions.
    Definitions,
    /// d by the rules of differentials.
    Differentials,
    /// Sums along rows and columns are products with ones.
    Ones,
    /// Y*ones = ones of a one-hot or stochastic Y.
    RowSums,
    /// `<A, B> = tr(A'B)`, `sum(A .* B) = tr(A'B)`.
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
    /// exp(x)/sum(exp(x)) = softmax(x), log(exp(A)) = A
    Functions,
    /// diag(x)*y = x .* y
    Diagonals,
    /// a = a' of a number
    TransposeOfNumber,
    /// (B' ⊗ A)vec(X) = vec(AXB)
    Vec,
}

/// All moves in the order in which they are made.
pub const MOVES: [Move; 17] = [
    Move::Definitions,
    Move::Functions,
    Move::Differentials,
    Move::Vec,
    Move::Ones,
    Move::Frobenius,
    Move::Delta,
    Move::Expand,
    Move::Diagonals,
    Move::Scalar,
    Move::Inverses,
    Move::Transposes,
    Move::RowSums,
    Move::Exchange,
    Move::Cyclic,
    Move::TraceOfTranspose,
    Move::TransposeOfNumber,
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
    /// What moves made before, with the rules that they used: the same are asked for again and again.
    made: HashMap<(Move, String), (Formula, Vec<String>)>,
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
    fn is_known(&self, _: &str) -> bool {
        true
    }
}

impl Mover {
    /// Over the names of a scope, of which some move and some may be written out.
    pub fn new(scope: &Scope, moving: &[String], opened: &[String]) -> Mover {
        Mover {
            normal: Normaliser::new(scope),
            moving: moving.to_vec(),
            opened: opened.to_vec(),
            used: Vec::new(),
            made: HashMap::new(),
        }
    }

    fn use_rule(&mut self, statement: String) {
        if !self.used.contains(&statement) {
            self.used.push(statement);
        }
    }

    /// The formula after a move, in normal form; it is given in normal form.
    pub fn make(&mut self, by: Move, formula: &Formula) -> Formula {
        let place = (by, key(formula));
        if let Some((made, rules)) = self.made.get(&place) {
            let (made, rules) = (made.clone(), rules.clone());
            rules.into_iter().for_each(|rule| self.use_rule(rule));
            return made;
        }
        let before = std::mem::take(&mut self.used);
        let made = self.made_by(by, formula);
        let rules = std::mem::replace(&mut self.used, before);
        rules.iter().for_each(|rule| self.use_rule(rule.clone()));
        self.made.insert(place, (made.clone(), rules));
        made
    }

    fn made_by(&mut self, by: Move, formula: &Formula) -> Formula {
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
            Move::Transposes => self.with_transposes_pushed(formula.clone()),
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
            Move::Diagonals => self.bottom_up(formula, &mut Mover::diagonals),
            Move::Vec => self.bottom_up(formula, &mut Mover::vec_of_product),
            Move::TransposeOfNumber => self.bottom_up(formula, &mut Mover::number_turned),
        };
        // What is given is normal already.
        if moved == *formula { moved } else { self.normal.normal(&moved) }
    }

    fn bottom_up(&mut self, formula: &Formula, change: &mut dyn FnMut(&mut Mover, Formula) -> Formula) -> Formula {
        self.bottom_up_of(formula.clone(), change)
    }

    fn bottom_up_of(
        &mut self,
        mut formula: Formula,
        change: &mut dyn FnMut(&mut Mover, Formula) -> Formula,
    ) -> Formula {
        for child in formula.children_mut() {
            let taken = std::mem::replace(child, Formula::integer(0));
            *child = self.bottom_up_of(taken, change);
        }
        change(self, formula)
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
            Function::Sum if !matches!(arguments[0].kind, Kind::Hadamard(_) | Kind::HadamardPower(..)) => {
                plain(Kind::Product(vec![ones().transposed(), a(), ones()]))
            }
            Function::Mean | Function::RowMean | Function::ColMean => {
                let Some(form) = self.form(&arguments[0]) else { return part };
                let (sums, over) = match function {
                    Function::Mean => (Function::Sum, vec![form.rows, form.columns]),
                    Function::RowMean => (Function::RowSum, vec![form.columns]),
                    _ => (Function::ColSum, vec![form.rows]),
                };
                let sizes: Option<Vec<Formula>> = over
                    .into_iter()
                    .map(|id| {
                        let text = self.normal.scope.sizes.text(id);
                        let number = text.parse().ok().map(Formula::integer);
                        number.or_else(|| self.normal.scope.sizes.known(&text).map(|_| Formula::name(text)))
                    })
                    .collect();
                let Some(sizes) = sizes else { return part };
                let sum = self.with_ones(Formula::call(sums, a()));
                plain(Kind::Quotient(Box::new(sum), Box::new(product_of(sizes))))
            }
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
                    return if function == Function::Trace { self.trace_of_scalars(&arguments[0]) } else { part };
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

    /// tr(x'y + z'w) = tr(x'y) + tr(z'w), where each product is a scalar.
    fn trace_of_scalars(&mut self, formula: &Formula) -> Formula {
        let mut terms = self.normal.terms(formula);
        for term in &mut terms {
            for factor in &mut term.scalars {
                if matches!(factor.kind, Kind::Product(_)) {
                    let inner = std::mem::replace(factor, Formula::integer(1));
                    *factor = Formula::call(Function::Trace, inner);
                }
            }
        }
        from_terms(terms)
    }

    /// Transposes pushed in as far as they go.
    pub(super) fn with_transposes_pushed(&mut self, formula: Formula) -> Formula {
        const MOST_ROUNDS: usize = 8;
        let mut out = formula;
        for _ in 0..MOST_ROUNDS {
            let next = self.bottom_up(&out, &mut Mover::transpose_pushed);
            if next == out {
                break;
            }
            out = next;
        }
        out
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

    fn is_square(&mut self, formula: &Formula) -> bool {
        self.form(formula).is_some_and(|form| self.normal.scope.sizes.are_equal(form.rows, form.columns))
    }

    fn inverses(&mut self, part: Formula) -> Formula {
        match &part.kind {
            Kind::Call { function: Function::Inv, arguments, .. } => match &arguments[0].kind {
                Kind::Product(list) if list.len() > 1 && list.iter().all(|factor| self.is_square(factor)) => {
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
                        without_inverse_pair(&mut out);
                    }
                }
                if out.is_empty() { plain(Kind::Identity(Size::Open(None))) } else { product_of(out) }
            }
            _ => part,
        }
    }
}

/// Takes inv(AB) and A, B beside it away at the end of a product.
fn without_inverse_pair(list: &mut Vec<Formula>) {
    const LONGEST: usize = 4;
    let inverse_of = |inverse: &Formula, factors: &[Formula]| match &inverse.kind {
        Kind::Call { function: Function::Inv, arguments, .. } => match &arguments[0].kind {
            Kind::Product(inner) => {
                inner.len() == factors.len() && inner.iter().zip(factors).all(|(a, b)| key(a) == key(b))
            }
            _ => false,
        },
        _ => false,
    };
    for length in 2..=LONGEST.min(list.len().saturating_sub(1)) {
        let start = list.len() - length - 1;
        let tail = &list[start..];
        if inverse_of(&tail[0], &tail[1..]) || inverse_of(&tail[length], &tail[..length]) {
            list.truncate(start);
            return;
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

//! Formulas near a wrong one: each way to change a little, as people get a formula wrong, with how much it changes. Whether
//! one of them is right is judged elsewhere.

mod products;
mod terms;

use std::fmt;

use crate::diagnostic::Span;
use crate::document::formula::{Formula, Index, Kind};
use crate::document::write::{Script, write};
use crate::functions::Function;
use crate::number::Number;

/// A changed formula.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The formula after the change.
    pub formula: Formula,
    /// How much changes, in tenths.
    pub cost: u32,
    /// What was changed, in words.
    pub what: String,
}

/// What may be put into a formula.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// Dimensions that may scale.
    pub dimensions: Vec<String>,
    /// Names that may stand in.
    pub names: Vec<String>,
    /// Names that differ in a number at their end, each with the other.
    pub siblings: Vec<(String, String)>,
    /// Functions that act on each entry and may be what is missing.
    pub functions: Vec<Function>,
    /// Indices of the line.
    pub indices: Vec<String>,
}

/// All single changes, cheapest first.
pub fn edits(formula: &Formula, pieces: &Pieces) -> Vec<Edit> {
    let mut out = Vec::new();
    let count = formula.size();
    for place in 0..count {
        let part = part_at(formula, place);
        let parent = parent_of(formula, place).map(|parent| &parent.kind);
        let mut changes = Changes { part, parent, pieces, found: Vec::new() };
        changes.all(place == 0);
        for change in changes.found {
            out.push(Edit { formula: with_part(formula, place, change.formula), ..change });
        }
    }
    out.sort_by_key(|edit| edit.cost);
    out
}

/// The part at a place, counted with the whole first.
fn part_at(formula: &Formula, place: usize) -> &Formula {
    let mut found = None;
    let mut count = 0;
    formula.visit(&mut |part| {
        if count == place {
            found = Some(part);
        }
        count += 1;
    });
    found.unwrap_or(formula)
}

fn parent_of(formula: &Formula, place: usize) -> Option<&Formula> {
    let wanted = std::ptr::from_ref(part_at(formula, place));
    let mut found = None;
    formula.visit(&mut |part| {
        if part.children().into_iter().any(|child| std::ptr::eq(child, wanted)) {
            found = Some(part);
        }
    });
    found
}

fn with_part(formula: &Formula, place: usize, part: Formula) -> Formula {
    fn walk(formula: &mut Formula, count: &mut usize, place: usize, part: &mut Option<Formula>) {
        if *count == place {
            if let Some(part) = part.take() {
                *formula = part;
            }
            *count += 1;
            return;
        }
        *count += 1;
        for child in formula.children_mut() {
            if part.is_none() {
                return;
            }
            walk(child, count, place, part);
        }
    }
    let mut out = formula.clone();
    walk(&mut out, &mut 0, place, &mut Some(part));
    out
}

/// The ways to change one part, in the order in which they are tried.
struct Changes<'a> {
    part: &'a Formula,
    parent: Option<&'a Kind>,
    pieces: &'a Pieces,
    found: Vec<Edit>,
}

/// As a message writes a formula.
fn shown(formula: &Formula) -> String {
    write(formula, Script::Language)
}

/// As a message writes a factor, where that is not long.
fn short(formula: &Formula) -> String {
    let text = shown(formula);
    if text.chars().count() > 40 { "a factor".to_owned() } else { format!("`{text}`") }
}

/// The only one of a list, or what joins them.
fn only_or(mut list: Vec<Formula>, join: fn(Vec<Formula>) -> Kind, span: Span) -> Formula {
    if list.len() == 1 { list.remove(0) } else { Formula::new(join(list), span) }
}

fn one_over(below: Formula, span: Span) -> Formula {
    Formula::new(Kind::Quotient(Box::new(Formula::integer(1)), Box::new(below)), span)
}

impl Changes<'_> {
    /// A change of the part: every one is added here.
    #[inline(never)]
    fn add(&mut self, formula: Formula, cost: u32, what: fmt::Arguments<'_>) {
        self.found.push(Edit { formula, cost, what: what.to_string() });
    }

    /// As [`Changes::add`], at the place of the part.
    fn add_kind(&mut self, kind: Kind, cost: u32, what: fmt::Arguments<'_>) {
        self.add(self.made(kind), cost, what);
    }

    fn made(&self, kind: Kind) -> Formula {
        Formula::new(kind, self.part.span)
    }

    fn all(&mut self, whole: bool) {
        let part = self.part;
        let constant = self.is_constant();
        let may_turn = !constant && !matches!(self.parent, Some(Kind::Transpose(_)));
        if may_turn && !matches!(part.kind, Kind::Entry { .. }) {
            self.turned();
        }
        match &part.kind {
            Kind::Product(list) => self.product(list),
            Kind::Hadamard(list) if list.len() == 2 => self.hadamard(&list[0], &list[1]),
            Kind::HadamardQuotient(a, b) => self.hadamard_quotient(a, b),
            Kind::Quotient(a, b) => {
                self.add((**a).clone(), 11, format_args!("without the division by {}", short(b)));
                let turned = Kind::Quotient(b.clone(), a.clone());
                self.add_kind(turned, 14, format_args!("the quotient the other way round"));
            }
            // The sign of an exponent is changed with the power.
            Kind::Sum(_) if matches!(self.parent, Some(Kind::Power(..) | Kind::HadamardPower(..))) => {}
            Kind::Sum(terms) => self.sum(terms),
            Kind::Call { function, arguments, columns } => self.call(*function, arguments, *columns),
            Kind::Generic { name, order, argument } => self.generic(name, *order, argument),
            Kind::Power(base, exponent) => self.power(base, exponent, Kind::Power),
            Kind::HadamardPower(base, exponent) => self.power(base, exponent, Kind::HadamardPower),
            Kind::Number(value) => self.number(*value),
            Kind::Entry { of, indices } => self.entry(of, indices),
            Kind::Delta(i, j) => self.delta(i, j),
            Kind::Over { body, index, .. } => {
                self.add((**body).clone(), 11, format_args!("without the sum over {index}"));
            }
            Kind::Name(name) => self.name(name),
            _ => {}
        }
        if may_turn {
            self.with_functions();
        }
        if matches!(self.parent, Some(Kind::Call { .. })) && !constant {
            for name in &self.pieces.names {
                let joined = Kind::Hadamard(vec![Formula::name(name.clone()), part.clone()]);
                self.add_kind(joined, 17, format_args!("`{name}` ⊙ before {}", short(part)));
            }
        }
        if matches!(self.parent, Some(Kind::Blocks(_))) {
            self.add(part.clone().negated(), 10, format_args!("− before {}", short(part)));
        }
        if matches!(self.parent, Some(Kind::Sum(_))) || whole {
            self.term(whole);
        } else if matches!(self.parent, Some(Kind::Product(_) | Kind::Hadamard(_))) && !constant {
            self.factor_of_something();
        }
    }

    /// Whether a part is a number, whatever its names stand for.
    fn is_constant(&self) -> bool {
        match &self.part.kind {
            Kind::Number(_) | Kind::Delta(..) | Kind::Over { .. } => true,
            Kind::Derivative { by, .. } => matches!(by.kind, Kind::Entry { .. }),
            Kind::Call { function, .. } => is_scalar_function(*function),
            Kind::Name(name) => self.pieces.dimensions.contains(name),
            _ => false,
        }
    }

    fn turned(&mut self) {
        let part = self.part;
        let cost = if matches!(part.kind, Kind::Sum(_) | Kind::Hadamard(_) | Kind::Product(_)) { 11 } else { 10 };
        let turned = part.clone().transposed();
        match &part.kind {
            Kind::Transpose(inner) => self.add(turned, cost, format_args!("{} not transposed", short(inner))),
            _ => self.add(turned, cost, format_args!("{} transposed", short(part))),
        }
    }

    fn call(&mut self, function: Function, arguments: &[Formula], columns: bool) {
        let with = |function: Function, arguments: &[Formula], columns: bool| Kind::Call {
            function,
            arguments: arguments.to_vec(),
            columns,
        };
        for &(a, b) in SIBLINGS {
            for (from, to) in [(a, b), (b, a)] {
                if function == from {
                    let other = with(to, arguments, columns);
                    self.add_kind(other, 10, format_args!("{} in place of {}", to.name(), from.name()));
                }
            }
        }
        match arguments {
            [a, b] => {
                let turned = with(function, &[b.clone(), a.clone()], columns);
                self.add_kind(turned, 10, format_args!("{} and {} the other way round", short(a), short(b)));
            }
            [only] => self.add(only.clone(), 15, format_args!("without {}", function.name())),
            _ => {}
        }
        if matches!(function, Function::Softmax | Function::LogSoftmax | Function::LogSumExp) {
            let turned = with(function, arguments, !columns);
            self.add_kind(turned, 12, format_args!("{} along the other axis", function.name()));
        }
    }

    fn generic(&mut self, name: &str, order: u32, argument: &Formula) {
        let with = |order: u32| Kind::Generic { name: name.to_owned(), order, argument: Box::new(argument.clone()) };
        let primes = "′".repeat(order as usize + 1);
        self.add_kind(with(order + 1), 10, format_args!("the derivative {name}{primes}"));
        if order > 0 {
            self.add_kind(with(order - 1), 10, format_args!("{name} one derivative less"));
        }
    }

    fn power(&mut self, base: &Formula, exponent: &Formula, join: fn(Box<Formula>, Box<Formula>) -> Kind) {
        let with = |exponent: Formula| join(Box::new(base.clone()), Box::new(exponent));
        self.add(base.clone(), 12, format_args!("without the exponent"));
        self.add_kind(with(exponent.clone().negated()), 11, format_args!("the exponent with the other sign"));
        if let Some(k) = super::evaluate::literal(exponent).and_then(Number::as_integer) {
            for other in [k - 1, k + 1] {
                self.add_kind(with(Formula::integer(other)), 11, format_args!("the exponent {other}"));
            }
        }
    }

    fn number(&mut self, value: Number) {
        let part = shown(self.part);
        for other in [1, 2, 3] {
            if value.as_integer() != Some(other) {
                self.add(Formula::integer(other), 11, format_args!("{other} in place of {part}"));
            }
        }
        self.add_kind(Kind::Number(Number::HALF), 12, format_args!("1/2 in place of {part}"));
    }

    /// A change that a message shows beside what was there.
    fn add_shown(&mut self, kind: Kind, cost: u32) {
        let (changed, part) = (self.made(kind), self.part);
        let text = shown(&changed);
        self.add(changed, cost, format_args!("{text} in place of {}", shown(part)));
    }

    fn entry(&mut self, of: &Formula, indices: &[Index]) {
        let with = |indices: Vec<Index>| Kind::Entry { of: Box::new(of.clone()), indices };
        if let [i, j] = indices {
            let turned = with(vec![j.clone(), i.clone()]);
            self.add_kind(turned, 10, format_args!("the indices of {} the other way round", short(of)));
        }
        for (k, index) in indices.iter().enumerate() {
            for other in &self.pieces.indices {
                let other = Index::Name(other.clone());
                if *index != other {
                    let mut list = indices.to_vec();
                    list[k] = other;
                    self.add_shown(with(list), 11);
                }
            }
        }
    }

    fn delta(&mut self, i: &Index, j: &Index) {
        for other in &self.pieces.indices {
            let other = || Index::Name(other.clone());
            self.add_shown(Kind::Delta(i.clone(), other()), 11);
            self.add_shown(Kind::Delta(other(), j.clone()), 11);
        }
    }

    fn name(&mut self, name: &str) {
        let pieces = self.pieces;
        for (a, b) in &pieces.siblings {
            if a == name {
                self.add_kind(Kind::Name(b.clone()), 12, format_args!("`{b}` in place of `{name}`"));
            }
        }
        let dimension = |name: &str| pieces.dimensions.iter().any(|known| known == name);
        for other in &pieces.names {
            if other != name && !dimension(other) && !dimension(name) {
                self.add_kind(Kind::Name(other.clone()), 19, format_args!("`{other}` in place of `{name}`"));
            }
        }
    }

    /// Functions of a part that may be what is missing, and its square.
    fn with_functions(&mut self) {
        let part = self.part;
        for &function in &self.pieces.functions {
            let call = Formula::call(function, part.clone());
            self.add(call, 15, format_args!("{} of {}", function.name(), short(part)));
        }
        let place = matches!(self.parent, Some(Kind::Sum(_) | Kind::Hadamard(_)));
        if place && !matches!(part.kind, Kind::Number(_) | Kind::Sum(_) | Kind::Product(_)) {
            let square = Kind::Hadamard(vec![part.clone(), part.clone()]);
            self.add_kind(square, 15, format_args!("{} squared", short(part)));
        }
    }
}

/// Functions that are taken for each other.
const SIBLINGS: &[(Function, Function)] = &[
    (Function::Sum, Function::Mean),
    (Function::RowSum, Function::RowMean),
    (Function::ColSum, Function::ColMean),
    (Function::RowSum, Function::ColSum),
    (Function::Sum, Function::Trace),
    (Function::Det, Function::LogDet),
    (Function::Norm, Function::NormSq),
    (Function::Log, Function::Exp),
    (Function::Sin, Function::Cos),
    (Function::Sigmoid, Function::Tanh),
    (Function::Relu, Function::Step),
    (Function::Softmax, Function::LogSoftmax),
];

/// Whether a function gives a scalar, whose transpose is itself.
pub fn is_scalar_function(function: Function) -> bool {
    matches!(
        function,
        Function::Sum
            | Function::Mean
            | Function::Trace
            | Function::Det
            | Function::LogDet
            | Function::Norm
            | Function::NormSq
            | Function::Norm1
            | Function::Dot
    )
}

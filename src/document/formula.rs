//! A formula as a person writes it, in the language or in LaTeX: a tree with the place of each part in the text. It holds
//! what the language has and what only documents have: d of an expression, ∂F/∂X, entries, sums over an index, functions
//! known by name only. Trees are no deeper than [`DEEPEST`], so that passes over them may recurse; nothing is computed here.

use crate::diagnostic::Span;
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// How deep a formula may be nested.
pub const DEEPEST: usize = 160;
/// How many nodes a formula may have.
pub const LARGEST: usize = 6_000;

/// A part of a formula and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
}

/// An index of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Index {
    /// `i`
    Name(String),
    /// A place, from 1.
    Number(u64),
    /// `:`, a whole row or column.
    All,
}

/// A size: given by a formula, or left for the shapes to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Size {
    /// `n` in `eye(n)`.
    Given(Box<Formula>),
    /// Not written; a number once the shapes are known.
    Open(Option<u32>),
}

/// What a part of a formula is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number, not negative.
    Number(Number),
    /// A variable, definition, dimension, or `pi` and `e`.
    Name(String),
    /// `dX`, `d(X*Y)`
    Differential(Box<Formula>),
    /// ∂F/∂X; `by` is a name or an entry of one.
    Derivative {
        /// F.
        of: Box<Formula>,
        /// X.
        by: Box<Formula>,
    },
    /// a ± b ± …; `true` is minus. One term with minus is −a.
    Sum(Vec<(bool, Formula)>),
    /// Matrix products and scalings, from the left.
    Product(Vec<Formula>),
    /// Element by element.
    Hadamard(Vec<Formula>),
    /// a ⊘ b
    HadamardQuotient(Box<Formula>, Box<Formula>),
    /// a / b with a scalar or a square matrix b.
    Quotient(Box<Formula>, Box<Formula>),
    /// a ^ b
    Power(Box<Formula>, Box<Formula>),
    /// a .^ b
    HadamardPower(Box<Formula>, Box<Formula>),
    /// aᵀ
    Transpose(Box<Formula>),
    /// a > b
    Compare(Comparison, Box<Formula>, Box<Formula>),
    /// A function of the dictionary that takes values.
    Call {
        /// Which.
        function: Function,
        /// Its arguments.
        arguments: Vec<Formula>,
        /// `axis=0`
        columns: bool,
    },
    /// σ(A), σ′(A): a function that acts on each entry and is known by its name only.
    Generic {
        /// Its name.
        name: String,
        /// How often it is differentiated.
        order: u32,
        /// Its argument.
        argument: Box<Formula>,
    },
    /// `[a, b; c, d]`
    Blocks(Vec<Vec<Formula>>),
    /// I
    Identity(Size),
    /// Ones of that many rows and columns; no columns: a column.
    Ones(Size, Option<Size>),
    /// Zeros of that many rows and columns.
    Zeros(Size, Option<Size>),
    /// The unit column e_i of that many entries.
    Unit(Size, u64),
    /// The same entries, column by column, in another shape.
    Reshape(Box<Formula>, Size, Size),
    /// A_{ij}
    Entry {
        /// A.
        of: Box<Formula>,
        /// i, j.
        indices: Vec<Index>,
    },
    /// Σ_i
    Over {
        /// The index.
        index: String,
        /// Up to where.
        upper: Size,
        /// What is added up.
        body: Box<Formula>,
    },
    /// δ_{ij}
    Delta(Index, Index),
}

impl Formula {
    /// A part at a place.
    pub fn new(kind: Kind, span: Span) -> Formula {
        Formula { kind, span }
    }

    /// A name without a place.
    pub fn name(name: impl Into<String>) -> Formula {
        Formula::new(Kind::Name(name.into()), Span::default())
    }

    /// An integer without a place.
    pub fn integer(value: i64) -> Formula {
        let number = Formula::new(Kind::Number(Number::integer(value.abs())), Span::default());
        if value < 0 { number.negated() } else { number }
    }

    /// −self.
    pub fn negated(self) -> Formula {
        let span = self.span;
        match self.kind {
            Kind::Sum(mut terms) if terms.len() == 1 && terms[0].0 => terms.remove(0).1,
            kind => Formula::new(Kind::Sum(vec![(true, Formula { kind, span })]), span),
        }
    }

    /// selfᵀ.
    pub fn transposed(self) -> Formula {
        let span = self.span;
        match self.kind {
            Kind::Transpose(inner) => *inner,
            kind => Formula::new(Kind::Transpose(Box::new(Formula { kind, span })), span),
        }
    }

    /// A function of one argument.
    pub fn call(function: Function, argument: Formula) -> Formula {
        let span = argument.span;
        Formula::new(Kind::Call { function, arguments: vec![argument], columns: false }, span)
    }

    /// d of a formula.
    pub fn differential(of: Formula) -> Formula {
        let span = of.span;
        Formula::new(Kind::Differential(Box::new(of)), span)
    }

    /// The name, where it is one.
    pub fn as_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The parts right below, in order; sizes that are given are parts too.
    pub fn children(&self) -> Vec<&Formula> {
        fn size(size: &Size) -> Option<&Formula> {
            match size {
                Size::Given(formula) => Some(formula),
                Size::Open(_) => None,
            }
        }
        match &self.kind {
            Kind::Number(_) | Kind::Name(_) | Kind::Delta(..) => Vec::new(),
            Kind::Differential(a) | Kind::Transpose(a) | Kind::Generic { argument: a, .. } => vec![a],
            Kind::Derivative { of: a, by: b }
            | Kind::HadamardQuotient(a, b)
            | Kind::Quotient(a, b)
            | Kind::Power(a, b)
            | Kind::HadamardPower(a, b)
            | Kind::Compare(_, a, b) => vec![a, b],
            Kind::Sum(terms) => terms.iter().map(|(_, a)| a).collect(),
            Kind::Product(list) | Kind::Hadamard(list) | Kind::Call { arguments: list, .. } => list.iter().collect(),
            Kind::Blocks(rows) => rows.iter().flatten().collect(),
            Kind::Identity(n) | Kind::Unit(n, _) => size(n).into_iter().collect(),
            Kind::Ones(m, n) | Kind::Zeros(m, n) => {
                [Some(m), n.as_ref()].into_iter().flatten().filter_map(size).collect()
            }
            Kind::Reshape(a, m, n) => std::iter::once(a.as_ref()).chain([m, n].into_iter().filter_map(size)).collect(),
            Kind::Entry { of, .. } => vec![of],
            Kind::Over { upper, body, .. } => size(upper).into_iter().chain([body.as_ref()]).collect(),
        }
    }

    /// As [`Formula::children`], to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Formula> {
        fn size(size: &mut Size) -> Option<&mut Formula> {
            match size {
                Size::Given(formula) => Some(formula),
                Size::Open(_) => None,
            }
        }
        match &mut self.kind {
            Kind::Number(_) | Kind::Name(_) | Kind::Delta(..) => Vec::new(),
            Kind::Differential(a) | Kind::Transpose(a) | Kind::Generic { argument: a, .. } => vec![a],
            Kind::Derivative { of: a, by: b }
            | Kind::HadamardQuotient(a, b)
            | Kind::Quotient(a, b)
            | Kind::Power(a, b)
            | Kind::HadamardPower(a, b)
            | Kind::Compare(_, a, b) => vec![a, b],
            Kind::Sum(terms) => terms.iter_mut().map(|(_, a)| a).collect(),
            Kind::Product(list) | Kind::Hadamard(list) | Kind::Call { arguments: list, .. } => {
                list.iter_mut().collect()
            }
            Kind::Blocks(rows) => rows.iter_mut().flatten().collect(),
            Kind::Identity(n) | Kind::Unit(n, _) => size(n).into_iter().collect(),
            Kind::Ones(m, n) | Kind::Zeros(m, n) => {
                [Some(m), n.as_mut()].into_iter().flatten().filter_map(size).collect()
            }
            Kind::Reshape(a, m, n) => std::iter::once(a.as_mut()).chain([m, n].into_iter().filter_map(size)).collect(),
            Kind::Entry { of, .. } => vec![of],
            Kind::Over { upper, body, .. } => size(upper).into_iter().chain([body.as_mut()]).collect(),
        }
    }

    /// Calls `visit` with each part, the whole first.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Formula)) {
        visit(self);
        for child in self.children() {
            child.visit(visit);
        }
    }

    /// Whether some part is like this.
    pub fn any(&self, mut wanted: impl FnMut(&Formula) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |part| found |= wanted(part));
        found
    }

    /// How many parts there are.
    pub fn size(&self) -> usize {
        let mut count = 0;
        self.visit(&mut |_| count += 1);
        count
    }

    /// All names that stand in it, each once, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        self.visit(&mut |part| {
            if let Kind::Name(name) = &part.kind
                && !out.contains(&name.as_str())
            {
                out.push(name);
            }
        });
        out
    }

    /// Indices that no sum binds, each once, in order.
    pub fn free_indices(&self) -> Vec<String> {
        fn walk(formula: &Formula, bound: &mut Vec<String>, out: &mut Vec<String>) {
            let mut note = |index: &Index, bound: &[String]| {
                if let Index::Name(name) = index
                    && !bound.contains(name)
                    && !out.contains(name)
                {
                    out.push(name.clone());
                }
            };
            match &formula.kind {
                Kind::Entry { indices, .. } => indices.iter().for_each(|index| note(index, bound)),
                Kind::Delta(i, j) => [i, j].into_iter().for_each(|index| note(index, bound)),
                _ => {}
            }
            if let Kind::Over { index, .. } = &formula.kind {
                bound.push(index.clone());
            }
            for child in formula.children() {
                walk(child, bound, out);
            }
            if let Kind::Over { .. } = &formula.kind {
                bound.pop();
            }
        }
        let mut out = Vec::new();
        walk(self, &mut Vec::new(), &mut out);
        out
    }

    /// The same with each place taken away, so that equal formulas are equal.
    #[must_use]
    pub fn without_places(&self) -> Formula {
        let mut out = self.clone();
        out.set_span(Span::default());
        out
    }

    /// Puts all parts at one place.
    pub fn set_span(&mut self, span: Span) {
        self.span = span;
        for child in self.children_mut() {
            child.set_span(span);
        }
    }
}

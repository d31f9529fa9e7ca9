//! One notation tree for all outputs: a formula as it is to be read, in reading order, with no brackets in it; each
//! format puts those by precedence. Built from expressions in one place, so that all formats show the same formula.

use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A formula in reading order.
#[derive(Clone, Debug, PartialEq)]
pub enum Notation {
    /// A number, positive (signs are in `Sum` and `Negative`).
    Number(Number),
    /// π
    Pi,
    /// Euler's number
    Euler,
    /// A name of the user's or an adjoint's (`W1`, `lambda`, `G_Z2`), or a dimension.
    Name(String),
    /// `dX`
    Differential(String),
    /// −a
    Negative(Box<Notation>),
    /// a ± b ± …; `true` is minus.
    Sum(Vec<(bool, Notation)>),
    /// a*b*…: matrix products and scalings alike, to be computed from the left.
    Product(Vec<Notation>),
    /// A part of a product that is computed first for its cost alone; formats for people drop its brackets.
    Grouped(Box<Notation>),
    /// a / s with a scalar s.
    Quotient(Box<Notation>, Box<Notation>),
    /// a .* b .* …
    Hadamard(Vec<Notation>),
    /// a ./ b
    HadamardQuotient(Box<Notation>, Box<Notation>),
    /// a^k of a scalar or a square matrix.
    Power(Box<Notation>, Box<Notation>),
    /// a.^b
    HadamardPower(Box<Notation>, Box<Notation>),
    /// aᵀ
    Transpose(Box<Notation>),
    /// A⁻¹, `inv(A)`
    Inverse(Box<Notation>),
    /// √a of a scalar or by elements
    Root(Box<Notation>),
    /// a > b
    Compare(Comparison, Box<Notation>, Box<Notation>),
    /// f(a, b, axis=0): a function of the dictionary by its name.
    Call {
        /// The function's name in the language.
        function: &'static str,
        /// The arguments.
        arguments: Vec<Notation>,
        /// Whether `axis=0` is shown.
        columns: bool,
    },
    /// I of that many rows.
    Identity(Box<Notation>),
    /// Ones: rows, and columns unless it is a column.
    Ones(Box<Notation>, Option<Box<Notation>>),
    /// Zeros: rows, and columns unless it is a column.
    Zeros(Box<Notation>, Option<Box<Notation>>),
    /// The unit column e_i of n entries.
    Unit(Box<Notation>, u64),
    /// Rows of blocks.
    Blocks(Vec<Vec<Notation>>),
    /// a repeated to a larger shape beside it: text in the language leaves the ones out (the second form), others show
    /// the product with ones (the first).
    Broadcast(Box<Notation>, Box<Notation>),
    /// Sums along rows or columns: the language calls a function (the second form), books write the product with ones (the
    /// first).
    Sums(Box<Notation>, Box<Notation>),
    /// A part left out because the whole is too large to read.
    Elided,
    /// ∂F/∂X as a left side.
    Partial(String, String),
    /// ∂²F/∂X∂Y as a left side.
    SecondPartial(String, String, String),
    /// A derivative applied to a direction, for a left side: `∂Y/∂X[V]`; transposed `(∂Y/∂X)ᵀ[U]`.
    Applied {
        /// The derivative.
        map: Box<Notation>,
        /// Whether it is transposed.
        transposed: bool,
        /// The direction.
        to: Box<Notation>,
    },
    /// A first or second partial derivative with vec of either of its two matrices.
    Stacked(Box<Notation>, [bool; 2]),
    /// ∂Y_ij/∂X_kl: what it is of with its indices, and what it is by.
    PartialEntries {
        /// Y or F, and its indices.
        of: (String, Vec<char>),
        /// What it is by, once or twice.
        wrt: Vec<(String, Vec<char>)>,
    },
    /// A_ij: an entry.
    Indexed(Box<Notation>, Vec<char>),
    /// δ_ij
    Delta(char, char),
    /// Σ over indices.
    SumOver(Vec<char>, Box<Notation>),
    /// d(expr) of a compound, for a left side.
    DifferentialOf(Box<Notation>),
    /// a = b = …
    Equation(Vec<Notation>),
}

impl Notation {
    /// The same form with each operand replaced.
    pub fn map(&self, with: &dyn Fn(&Notation) -> Notation) -> Notation {
        let one = |a: &Notation| Box::new(with(a));
        let many = |list: &[Notation]| list.iter().map(with).collect();
        match self {
            Notation::Number(_)
            | Notation::Pi
            | Notation::Euler
            | Notation::Name(_)
            | Notation::Differential(_)
            | Notation::Partial(..)
            | Notation::SecondPartial(..)
            | Notation::PartialEntries { .. }
            | Notation::Delta(..)
            | Notation::Elided => self.clone(),
            Notation::Stacked(a, sides) => Notation::Stacked(one(a), *sides),
            Notation::Indexed(a, at) => Notation::Indexed(one(a), at.clone()),
            Notation::SumOver(at, a) => Notation::SumOver(at.clone(), one(a)),
            Notation::Negative(a) => Notation::Negative(one(a)),
            Notation::Sum(terms) => Notation::Sum(terms.iter().map(|(minus, a)| (*minus, with(a))).collect()),
            Notation::Product(factors) => Notation::Product(many(factors)),
            Notation::Grouped(a) => Notation::Grouped(one(a)),
            Notation::Quotient(a, b) => Notation::Quotient(one(a), one(b)),
            Notation::Hadamard(factors) => Notation::Hadamard(many(factors)),
            Notation::HadamardQuotient(a, b) => Notation::HadamardQuotient(one(a), one(b)),
            Notation::Power(a, b) => Notation::Power(one(a), one(b)),
            Notation::HadamardPower(a, b) => Notation::HadamardPower(one(a), one(b)),
            Notation::Transpose(a) => Notation::Transpose(one(a)),
            Notation::Inverse(a) => Notation::Inverse(one(a)),
            Notation::Root(a) => Notation::Root(one(a)),
            Notation::Compare(comparison, a, b) => Notation::Compare(*comparison, one(a), one(b)),
            Notation::Call { function, arguments, columns } => {
                Notation::Call { function, arguments: many(arguments), columns: *columns }
            }
            Notation::Identity(n) => Notation::Identity(one(n)),
            Notation::Ones(m, n) => Notation::Ones(one(m), n.as_deref().map(one)),
            Notation::Zeros(m, n) => Notation::Zeros(one(m), n.as_deref().map(one)),
            Notation::Unit(n, i) => Notation::Unit(one(n), *i),
            Notation::Blocks(rows) => Notation::Blocks(rows.iter().map(|row| many(row)).collect()),
            Notation::Broadcast(a, b) => Notation::Broadcast(one(a), one(b)),
            Notation::Sums(a, b) => Notation::Sums(one(a), one(b)),
            Notation::Applied { map, transposed, to } => {
                Notation::Applied { map: one(map), transposed: *transposed, to: one(to) }
            }
            Notation::DifferentialOf(a) => Notation::DifferentialOf(one(a)),
            Notation::Equation(sides) => Notation::Equation(many(sides)),
        }
    }

    /// Calls `visit` with each operand.
    pub fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a Notation)) {
        match self {
            Notation::Number(_)
            | Notation::Pi
            | Notation::Euler
            | Notation::Name(_)
            | Notation::Differential(_)
            | Notation::Partial(..)
            | Notation::SecondPartial(..)
            | Notation::PartialEntries { .. }
            | Notation::Delta(..)
            | Notation::Elided => {}
            Notation::Sum(terms) => terms.iter().for_each(|(_, a)| visit(a)),
            Notation::Product(list) | Notation::Hadamard(list) | Notation::Equation(list) => {
                list.iter().for_each(visit)
            }
            Notation::Call { arguments, .. } => arguments.iter().for_each(visit),
            Notation::Blocks(rows) => rows.iter().flatten().for_each(visit),
            Notation::Ones(m, n) | Notation::Zeros(m, n) => {
                visit(m);
                n.iter().for_each(|n| visit(n));
            }
            Notation::Negative(a)
            | Notation::Grouped(a)
            | Notation::Transpose(a)
            | Notation::Inverse(a)
            | Notation::Root(a)
            | Notation::Identity(a)
            | Notation::Unit(a, _)
            | Notation::Stacked(a, _)
            | Notation::Indexed(a, _)
            | Notation::SumOver(_, a)
            | Notation::DifferentialOf(a) => visit(a),
            Notation::Quotient(a, b)
            | Notation::HadamardQuotient(a, b)
            | Notation::Power(a, b)
            | Notation::HadamardPower(a, b)
            | Notation::Compare(_, a, b)
            | Notation::Broadcast(a, b)
            | Notation::Sums(a, b)
            | Notation::Applied { map: a, to: b, .. } => {
                visit(a);
                visit(b);
            }
        }
    }
}

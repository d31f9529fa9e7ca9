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
    /// ∂F/∂X as a left side.
    Partial(String, String),
    /// d(expr) of a compound, for a left side.
    DifferentialOf(Box<Notation>),
    /// a = b = …
    Equation(Vec<Notation>),
}

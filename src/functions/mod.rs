//! The dictionary: one row per function of the language. A row holds the name, the shape rule and the differential as
//! the textbook prints it, in our own language; parsing, shape errors, derivatives, renderings and the reference page read it.

mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

/// How a function's result has its shape from its arguments'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// f(A) by elements: A's shape.
    Elementwise,
    /// f(A, s) by elements with a scalar parameter: A's shape.
    ElementwiseWithScalar,
    /// f(a, b) by elements with broadcasting.
    ElementwisePair,
    /// softmax, logsoftmax: A's shape; takes `axis`.
    AlongRows,
    /// logsumexp: a scalar for a vector or row, m×1 for a matrix (1×n with `axis=0`).
    ReduceRows,
    /// sum, mean: a scalar; with a second argument 1 → 1×n, 2 → m×1.
    Reduce,
    /// rowsum, rowmean: m×1.
    ReduceToColumn,
    /// colsum, colmean: 1×n.
    ReduceToRow,
    /// tr, det, logdet: a scalar of a square matrix.
    SquareToScalar,
    /// norm, norm1, normsq: a scalar of anything.
    AnyToScalar,
    /// dot(a, b): a scalar of two equal shapes.
    PairToScalar,
    /// inv, adj, expm, chol: square to square.
    Square,
    /// tril, triu: any shape, kept.
    Same,
    /// transpose, pinv: n×m.
    Transposed,
    /// diag: scalar → scalar, vector or row → square, square → column.
    Diagonal,
    /// vec: (m·n)×1.
    Vectorised,
    /// vech: (n(n+1)/2)×1.
    HalfVectorised,
    /// unvech: the inverse of vech.
    UnHalfVectorised,
    /// reshape(A, m, n).
    Reshape,
    /// kron(A, B).
    Kronecker,
    /// eye(n).
    Identity,
    /// ones, zeros (m, n) or (n).
    Filled,
    /// onevec(n).
    Column,
    /// unit(n, i).
    UnitVector,
    /// vector(c): a column of the length that fits.
    ConstantVector,
    /// matrix(c): a matrix of the shape that fits.
    ConstantMatrix,
}

/// A row of the dictionary.
#[derive(Debug)]
pub struct Entry {
    /// Which function.
    pub function: Function,
    /// The name in the language.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// The shape rule.
    pub signature: Signature,
    /// d f(X) with the differential written `dX`, in the language; the function itself may stand as `F`.
    /// Empty where the function is linear (its differential is f(dX)) or has a rule of its own in `calculus`.
    pub differential: &'static str,
}

pub use table::{ALIASES, ENTRIES, Function};

impl Function {
    /// The dictionary's row.
    pub fn entry(self) -> &'static Entry {
        let entry = &ENTRIES[self as usize];
        debug_assert!(entry.function == self);
        entry
    }

    /// The name in the language.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The function of that name or of an alias (`arcsin`, `normF`).
    pub fn lookup(name: &str) -> Option<Function> {
        static BY_NAME: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
            let aliases = ALIASES.iter().map(|&(alias, function)| (alias, function));
            ENTRIES.iter().map(|entry| (entry.name, entry.function)).chain(aliases).collect()
        });
        BY_NAME.get(name).copied()
    }
}

impl Signature {
    /// How many arguments may be given.
    pub fn arity(self) -> std::ops::RangeInclusive<usize> {
        match self {
            Signature::ElementwiseWithScalar
            | Signature::ElementwisePair
            | Signature::PairToScalar
            | Signature::Kronecker
            | Signature::UnitVector => 2..=2,
            Signature::Reduce | Signature::Filled => 1..=2,
            Signature::Reshape => 3..=3,
            _ => 1..=1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENTRIES, Function};

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (i, entry) in ENTRIES.iter().enumerate() {
            assert_eq!(entry.function as usize, i, "{}", entry.name);
            assert_eq!(Function::lookup(entry.name), Some(entry.function));
        }
    }
}

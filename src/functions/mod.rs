//! The dictionary: one row per function of the language. A row holds the name, the shape rule, the differential as the
//! textbook prints it, in our own language, and how the function is written in other languages; parsing, shape errors,
//! derivatives, renderings, targets and the reference page read it.

mod along;
mod elementwise;
mod matrices;
mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use table::{ALIASES, ENTRIES, Function};

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
#[derive(Clone, Copy, Debug)]
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
    /// The function in other languages. Empty where it is made of others (`mean`) or a shape alone (`vec`).
    pub forms: &'static [Form],
}

/// A form of a function in other languages, or the definition of a helper that forms call; a column per target, empty where
/// it has none. In the languages with arrays `$0` is the first argument; `emit::arrays` tells the other signs. In C and Rust
/// it is the name of a function of entries, or of buffers: sizes, what is given, what is made, room to work in.
/// In StableHLO it is operations within each other, of entries.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Empty for the plain function; what is special (`of rows`); a helper's name, which begins with `_` or `mg_`.
    pub name: &'static str,
    /// Python with NumPy and SciPy.
    pub numpy: &'static str,
    /// Python with PyTorch.
    pub torch: &'static str,
    /// Python with JAX.
    pub jax: &'static str,
    /// Julia.
    pub julia: &'static str,
    /// MATLAB and Octave.
    pub matlab: &'static str,
    /// C99.
    pub c: &'static str,
    /// Rust.
    pub rust: &'static str,
    /// StableHLO.
    pub stablehlo: &'static str,
    /// A number in Python, without a library.
    pub python: &'static str,
}

/// A column of the forms: a target.
pub type Column = fn(&Form) -> &'static str;

/// The form that no target has.
const FORM: Form =
    Form { name: "", numpy: "", torch: "", jax: "", julia: "", matlab: "", c: "", rust: "", stablehlo: "", python: "" };

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

/// How a target writes a function, by its name with what is special behind it: `softmax of rows`.
pub fn form(key: &str, column: Column) -> Option<&'static str> {
    let (name, special) = key.split_once(' ').unwrap_or((key, ""));
    let forms = Function::lookup(name)?.entry().forms;
    forms.iter().filter(|form| form.name == special).map(column).find(|text| !text.is_empty())
}

/// The helpers of a target that belong to one function: their names and definitions.
pub fn helpers(column: Column) -> impl Iterator<Item = (&'static str, &'static str)> {
    let named = |form: &&Form| form.name.starts_with('_') || form.name.starts_with("mg_");
    let all = ENTRIES.iter().flat_map(|entry| entry.forms).filter(named);
    all.map(move |form| (form.name, column(form))).filter(|(_, text)| !text.is_empty())
}

const fn row(
    function: Function,
    name: &'static str,
    title: &'static str,
    signature: Signature,
    differential: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry { function, name, title, signature, differential, forms }
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
    use super::{Column, ENTRIES, Form, Function};

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (i, entry) in ENTRIES.iter().enumerate() {
            assert_eq!(entry.function as usize, i, "{}", entry.name);
            assert_eq!(Function::lookup(entry.name), Some(entry.function));
        }
    }
    #[test]
    fn a_form_stands_for_all_languages_with_arrays() {
        let arrays: [Column; 5] =
            [|form| form.numpy, |form| form.torch, |form| form.jax, |form| form.julia, |form| form.matlab];
        let has = |form: &Form, column: &Column| !column(form).is_empty();
        for entry in ENTRIES {
            let plain = entry.forms.iter().filter(|form| form.name.is_empty() || form.name.starts_with("of "));
            for form in plain.filter(|form| arrays.iter().any(|column| has(form, column))) {
                assert!(arrays.iter().all(|column| has(form, column)), "{} {}", entry.name, form.name);
            }
        }
    }
}

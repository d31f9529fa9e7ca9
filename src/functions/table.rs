//! The functions' names, and the dictionary put together of its chapters.

use super::{Entry, along, elementwise, matrices};

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Function {
    /// exponential
    Exp,
    /// natural logarithm
    Log,
    /// log(1 + x)
    Log1p,
    /// exp(x) - 1
    Expm1,
    /// square root
    Sqrt,
    /// absolute value
    Abs,
    /// sign
    Sign,
    /// sine
    Sin,
    /// cosine
    Cos,
    /// tangent
    Tan,
    /// inverse sine
    Asin,
    /// inverse cosine
    Acos,
    /// inverse tangent
    Atan,
    /// hyperbolic sine
    Sinh,
    /// hyperbolic cosine
    Cosh,
    /// hyperbolic tangent
    Tanh,
    /// logistic function
    Sigmoid,
    /// log(1 + exp(x))
    Softplus,
    /// rectified linear unit
    Relu,
    /// exponential linear unit
    Elu,
    /// Gaussian error linear unit
    Gelu,
    /// sigmoid linear unit
    Silu,
    /// error function
    Erf,
    /// Heaviside step, 0 at 0
    Step,
    /// square
    Square,
    /// reciprocal
    Recip,
    /// leaky rectified linear unit
    LeakyRelu,
    /// larger of two
    Max,
    /// smaller of two
    Min,
    /// softmax along rows
    Softmax,
    /// logarithm of softmax along rows
    LogSoftmax,
    /// log of the sum of exponentials
    LogSumExp,
    /// sum of all entries
    Sum,
    /// mean of all entries
    Mean,
    /// sum along each row
    RowSum,
    /// mean along each row
    RowMean,
    /// sum along each column
    ColSum,
    /// mean along each column
    ColMean,
    /// trace
    Trace,
    /// determinant
    Det,
    /// logarithm of the determinant
    LogDet,
    /// 2-norm of a vector, Frobenius norm of a matrix
    Norm,
    /// sum of absolute values
    Norm1,
    /// sum of squares
    NormSq,
    /// sum of products of entries
    Dot,
    /// inverse
    Inv,
    /// adjugate
    Adj,
    /// matrix exponential
    Expm,
    /// Cholesky factor, lower
    Chol,
    /// lower triangle
    Tril,
    /// upper triangle
    Triu,
    /// transpose
    TransposeOf,
    /// Moore-Penrose inverse
    Pinv,
    /// diagonal matrix of a vector, vector of a matrix's diagonal
    Diag,
    /// columns stacked
    Vec,
    /// lower triangle by columns
    Vech,
    /// lower triangular matrix of a vector
    Unvech,
    /// same entries column by column in another shape
    Reshape,
    /// Kronecker product
    Kron,
    /// identity
    Eye,
    /// all ones
    Ones,
    /// all zeros
    Zeros,
    /// column of ones
    OneVec,
    /// column of the identity
    Unit,
    /// constant column
    VectorOf,
    /// constant matrix
    MatrixOf,
}

use Function as F;

/// Other names in use for the same function.
pub const ALIASES: &[(&str, Function)] =
    &[("arcsin", F::Asin), ("arccos", F::Acos), ("arctan", F::Atan), ("normF", F::Norm), ("norm2", F::Norm)];

/// The dictionary.
pub static ENTRIES: &[Entry] =
    &joined::<{ F::MatrixOf as usize + 1 }>([elementwise::ENTRIES, along::ENTRIES, matrices::ENTRIES]);

/// The chapters behind each other.
const fn joined<const N: usize>(chapters: [&[Entry]; 3]) -> [Entry; N] {
    let mut out = [chapters[0][0]; N];
    let (mut chapter, mut place, mut row) = (0, 0, 0);
    while place < N {
        if row == chapters[chapter].len() {
            (chapter, row) = (chapter + 1, 0);
        } else {
            out[place] = chapters[chapter][row];
            (place, row) = (place + 1, row + 1);
        }
    }
    out
}

//! The rows of the dictionary, in the order of [`Function`].

use super::Entry;
use super::Signature as S;

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
#[rustfmt::skip]
pub static ENTRIES: &[Entry] = &[
    // function, name, title, signature, differential
    row(F::Exp, "exp", "exponential", S::Elementwise, "F .* dX"),
    row(F::Log, "log", "natural logarithm", S::Elementwise, "dX ./ X"),
    row(F::Log1p, "log1p", "log(1 + x)", S::Elementwise, "dX ./ (1 + X)"),
    row(F::Expm1, "expm1", "exp(x) - 1", S::Elementwise, "exp(X) .* dX"),
    row(F::Sqrt, "sqrt", "square root", S::Elementwise, "0.5*dX ./ F"),
    row(F::Abs, "abs", "absolute value", S::Elementwise, "sign(X) .* dX"),
    row(F::Sign, "sign", "sign", S::Elementwise, "0"),
    row(F::Sin, "sin", "sine", S::Elementwise, "cos(X) .* dX"),
    row(F::Cos, "cos", "cosine", S::Elementwise, "-sin(X) .* dX"),
    row(F::Tan, "tan", "tangent", S::Elementwise, "(1 + F.^2) .* dX"),
    row(F::Asin, "asin", "inverse sine", S::Elementwise, "dX ./ sqrt(1 - X.^2)"),
    row(F::Acos, "acos", "inverse cosine", S::Elementwise, "-dX ./ sqrt(1 - X.^2)"),
    row(F::Atan, "atan", "inverse tangent", S::Elementwise, "dX ./ (1 + X.^2)"),
    row(F::Sinh, "sinh", "hyperbolic sine", S::Elementwise, "cosh(X) .* dX"),
    row(F::Cosh, "cosh", "hyperbolic cosine", S::Elementwise, "sinh(X) .* dX"),
    row(F::Tanh, "tanh", "hyperbolic tangent", S::Elementwise, "(1 - F.^2) .* dX"),
    row(F::Sigmoid, "sigmoid", "logistic function", S::Elementwise, "F .* (1 - F) .* dX"),
    row(F::Softplus, "softplus", "log(1 + exp(x))", S::Elementwise, "sigmoid(X) .* dX"),
    row(F::Relu, "relu", "rectified linear unit", S::Elementwise, "(X > 0) .* dX"),
    row(F::Elu, "elu", "exponential linear unit", S::Elementwise, "exp(min(X, 0)) .* dX"),
    row(F::Gelu, "gelu", "Gaussian error linear unit", S::Elementwise, "(0.5*(1 + erf(X/sqrt(2))) + X .* exp(-0.5*X.^2)/sqrt(2*pi)) .* dX"),
    row(F::Silu, "silu", "sigmoid linear unit", S::Elementwise, "sigmoid(X) .* (1 + X .* (1 - sigmoid(X))) .* dX"),
    row(F::Erf, "erf", "error function", S::Elementwise, "2/sqrt(pi)*exp(-X.^2) .* dX"),
    row(F::Step, "step", "Heaviside step, 0 at 0", S::Elementwise, "0"),
    row(F::Square, "square", "square", S::Elementwise, "2*X .* dX"),
    row(F::Recip, "recip", "reciprocal", S::Elementwise, "-dX ./ X.^2"),
    row(F::LeakyRelu, "leaky_relu", "leaky rectified linear unit", S::ElementwiseWithScalar, ""),
    row(F::Max, "max", "larger of two", S::ElementwisePair, ""),
    row(F::Min, "min", "smaller of two", S::ElementwisePair, ""),
    row(F::Softmax, "softmax", "softmax along rows", S::AlongRows, ""),
    row(F::LogSoftmax, "logsoftmax", "logarithm of softmax along rows", S::AlongRows, ""),
    row(F::LogSumExp, "logsumexp", "log of the sum of exponentials", S::ReduceRows, ""),
    row(F::Sum, "sum", "sum of all entries", S::Reduce, ""),
    row(F::Mean, "mean", "mean of all entries", S::Reduce, ""),
    row(F::RowSum, "rowsum", "sum along each row", S::ReduceToColumn, ""),
    row(F::RowMean, "rowmean", "mean along each row", S::ReduceToColumn, ""),
    row(F::ColSum, "colsum", "sum along each column", S::ReduceToRow, ""),
    row(F::ColMean, "colmean", "mean along each column", S::ReduceToRow, ""),
    row(F::Trace, "tr", "trace", S::SquareToScalar, ""),
    row(F::Det, "det", "determinant", S::SquareToScalar, "F*tr(inv(X)*dX)"),
    row(F::LogDet, "logdet", "logarithm of the determinant", S::SquareToScalar, "tr(inv(X)*dX)"),
    row(F::Norm, "norm", "2-norm of a vector, Frobenius norm of a matrix", S::AnyToScalar, "tr(X'*dX)/F"),
    row(F::Norm1, "norm1", "sum of absolute values", S::AnyToScalar, "tr(sign(X)'*dX)"),
    row(F::NormSq, "normsq", "sum of squares", S::AnyToScalar, "2*tr(X'*dX)"),
    row(F::Dot, "dot", "sum of products of entries", S::PairToScalar, ""),
    row(F::Inv, "inv", "inverse", S::Square, ""),
    row(F::Adj, "adj", "adjugate", S::Square, "tr(inv(X)*dX)*F - inv(X)*dX*F"),
    row(F::Expm, "expm", "matrix exponential", S::Square, ""),
    row(F::Chol, "chol", "Cholesky factor, lower", S::Square, ""),
    row(F::Tril, "tril", "lower triangle", S::Same, ""),
    row(F::Triu, "triu", "upper triangle", S::Same, ""),
    row(F::TransposeOf, "transpose", "transpose", S::Transposed, ""),
    row(F::Pinv, "pinv", "Moore-Penrose inverse", S::Transposed, "-F*dX*F + F*F'*dX'*(eye(m) - X*F) + (eye(n) - F*X)*dX'*F'*F"),
    row(F::Diag, "diag", "diagonal matrix of a vector, vector of a matrix's diagonal", S::Diagonal, ""),
    row(F::Vec, "vec", "columns stacked", S::Vectorised, ""),
    row(F::Vech, "vech", "lower triangle by columns", S::HalfVectorised, ""),
    row(F::Unvech, "unvech", "lower triangular matrix of a vector", S::UnHalfVectorised, ""),
    row(F::Reshape, "reshape", "same entries column by column in another shape", S::Reshape, ""),
    row(F::Kron, "kron", "Kronecker product", S::Kronecker, ""),
    row(F::Eye, "eye", "identity", S::Identity, ""),
    row(F::Ones, "ones", "all ones", S::Filled, ""),
    row(F::Zeros, "zeros", "all zeros", S::Filled, ""),
    row(F::OneVec, "onevec", "column of ones", S::Column, ""),
    row(F::Unit, "unit", "column of the identity", S::UnitVector, ""),
    row(F::VectorOf, "vector", "constant column", S::ConstantVector, ""),
    row(F::MatrixOf, "matrix", "constant matrix", S::ConstantMatrix, ""),
];

const fn row(
    function: Function,
    name: &'static str,
    title: &'static str,
    signature: super::Signature,
    differential: &'static str,
) -> Entry {
    Entry { function, name, title, signature, differential }
}

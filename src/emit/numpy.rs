//! Python with NumPy and SciPy: one function of arrays that gives back a named tuple.

use super::arrays::{Dialect, write as write_arrays};
use super::code::Code;
use super::python;
use super::python_test;
use super::{About, EmitError, Emitted};

const DIALECT: Dialect = Dialect { rows: ROWS, host: Some(HOST), helpers: HELPERS, ..python::DIALECT };

#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    ("exp", "np.exp($0)"),
    ("log", "np.log($0)"),
    ("log1p", "np.log1p($0)"),
    ("expm1", "np.expm1($0)"),
    ("sqrt", "np.sqrt($0)"),
    ("abs", "np.abs($0)"),
    ("sign", "np.sign($0)"),
    ("sin", "np.sin($0)"),
    ("cos", "np.cos($0)"),
    ("tan", "np.tan($0)"),
    ("asin", "np.arcsin($0)"),
    ("acos", "np.arccos($0)"),
    ("atan", "np.arctan($0)"),
    ("sinh", "np.sinh($0)"),
    ("cosh", "np.cosh($0)"),
    ("tanh", "np.tanh($0)"),
    ("sigmoid", "special.expit($0)"),
    ("softplus", "np.logaddexp(0, $0)"),
    ("relu", "np.maximum($0, 0)"),
    ("elu", "+np.maximum($0, 0) + np.expm1(np.minimum($0, 0))"),
    ("gelu", "*@0 * special.ndtr($0)"),
    ("silu", "*@0 * special.expit($0)"),
    ("erf", "special.erf($0)"),
    ("step", "np.heaviside($0, 0)"),
    ("leaky_relu", "np.where(@0 > 0, $0, @1 * @0)"),
    ("max", "np.maximum($0, $1)"),
    ("min", "np.minimum($0, $1)"),
    ("max number", "np.maximum($0, $1)"),
    ("min number", "np.minimum($0, $1)"),
    ("cast", "@0.astype(float)"),
    ("number", "np.float64($0)"),
    ("pi", "math.pi"),
    ("e", "math.e"),
    ("identity", "np.eye($m)"),
    ("unit", "np.eye($m)[:, $k - 1]"),
    ("fill", "np.full($tuple, $0, dtype=float)"),
    ("repeat", "np.full($tuple, $0)"),
    ("transpose", "@0.T"),
    ("as column", "@0[:, None]"),
    ("column matrix", "@0[:, None]"),
    ("row matrix", "@0[None, :]"),
    ("scalar matrix", "np.reshape($0, (1, 1))"),
    ("scalar vector", "np.reshape($0, (1,))"),
    ("dot", "*@0 @ @1"),
    ("dot of matrices", "np.vdot($0, $1)"),
    ("normsq", "np.vdot($0, $0)"),
    ("norm", "np.linalg.norm($0)"),
    ("sum", "np.sum($0)"),
    ("rowsum", "np.sum($0, axis=1)"),
    ("colsum", "np.sum($0, axis=0)"),
    ("softmax", "special.softmax($0)"),
    ("softmax of rows", "special.softmax($0, axis=1)"),
    ("softmax of columns", "special.softmax($0, axis=0)"),
    ("logsoftmax", "special.log_softmax($0)"),
    ("logsoftmax of rows", "special.log_softmax($0, axis=1)"),
    ("logsoftmax of columns", "special.log_softmax($0, axis=0)"),
    ("logsumexp", "special.logsumexp($0)"),
    ("logsumexp of rows", "special.logsumexp($0, axis=1)"),
    ("logsumexp of columns", "special.logsumexp($0, axis=0)"),
    ("inv", "np.linalg.inv($0)"),
    ("solve", "np.linalg.solve($0, $1)"),
    ("solve positive", "scipy.linalg.solve($0, $1, assume_a=\"pos\")"),
    ("det", "np.linalg.det($0)"),
    ("logdet", "_logdet($0)"),
    ("adj", "_adjugate($0)"),
    ("expm", "scipy.linalg.expm($0)"),
    ("chol", "np.linalg.cholesky($0)"),
    ("tril", "np.tril($0)"),
    ("triu", "np.triu($0)"),
    ("pinv", "np.linalg.pinv($0)"),
    ("diagonal", "np.diag($0)"),
    ("diagonal matrix", "np.diag($0)"),
    ("tr", "np.trace($0)"),
    ("vech", "@0.T[np.triu_indices($p)]"),
    ("unvech", "_unvech($0, $m)"),
    ("kron", "np.kron(#0, #1)"),
    ("power", "np.linalg.matrix_power($0, $k)"),
    ("root", "_positive_root($0)"),
    ("inverse root", "np.linalg.inv(_positive_root($0))"),
    ("expm along", "scipy.linalg.expm_frechet($0, $1, compute_expm=False)"),
    ("power along", "_power_along($0, $1, $k)"),
    ("joined", "np.concatenate([$list])"),
    ("horizontal", "np.hstack([$list])"),
    ("vertical", "np.vstack([$list])"),
    ("reshape", "np.reshape($0, $tuple, order=\"F\")"),
    ("einsum", "np.einsum(\"$letters\", $arrays, optimize=True)"),
    ("eye", "np.eye($size)"),
    ("ones", "np.ones($size)"),
    ("zeros", "np.zeros(($size,))"),
];

/// Numbers that stand on sizes alone.
#[rustfmt::skip]
pub(super) const HOST: &[(&str, &str)] = &[
    ("exp", "math.exp($0)"),
    ("log", "math.log($0)"),
    ("log1p", "math.log1p($0)"),
    ("expm1", "math.expm1($0)"),
    ("sqrt", "math.sqrt($0)"),
    ("abs", "abs($0)"),
    ("sin", "math.sin($0)"),
    ("cos", "math.cos($0)"),
    ("tan", "math.tan($0)"),
    ("asin", "math.asin($0)"),
    ("acos", "math.acos($0)"),
    ("atan", "math.atan($0)"),
    ("sinh", "math.sinh($0)"),
    ("cosh", "math.cosh($0)"),
    ("tanh", "math.tanh($0)"),
    ("erf", "math.erf($0)"),
    ("pi", "math.pi"),
    ("e", "math.e"),
];

const HELPERS: &[(&str, &str)] = &[
    (
        "_logdet",
        "def _logdet(a):
    \"\"\"The logarithm of a positive determinant; not a number where it is negative.\"\"\"
    sign, logarithm = np.linalg.slogdet(a)
    return logarithm if sign > 0 else np.log(sign)
",
    ),
    (
        "_adjugate",
        "def _adjugate(a):
    \"\"\"The transposed matrix of cofactors, of a singular matrix too: adj(U S V) = adj(V) adj(S) adj(U).\"\"\"
    u, s, v = np.linalg.svd(a)
    others = np.array([np.prod(np.delete(s, i)) for i in range(len(s))])
    return np.linalg.det(u) * np.linalg.det(v) * (v.T * others) @ u.T
",
    ),
    (
        "_unvech",
        "def _unvech(v, n):
    \"\"\"The lower triangular matrix with these entries, column by column.\"\"\"
    out = np.zeros((n, n))
    out.T[np.triu_indices(n)] = v
    return out
",
    ),
    (
        "_positive_root",
        "def _positive_root(a):
    \"\"\"The symmetric positive definite root of such a matrix.\"\"\"
    values, vectors = np.linalg.eigh(a)
    return (vectors * np.sqrt(values)) @ vectors.T
",
    ),
    (
        "_power_along",
        "def _power_along(a, e, k):
    \"\"\"The derivative of a^k along e: the upper right block of [a, e; 0, a]^k.\"\"\"
    n = len(a)
    return np.linalg.matrix_power(np.block([[a, e], [np.zeros((n, n)), a]]), k)[:n, n:]
",
    ),
];

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let written = write_arrays(code, &DIALECT)?;
    let code = &*code;
    let conversions: String =
        written.inputs.iter().map(|name| format!("    {name} = np.asarray({name}, dtype=float)\n")).collect();
    let first = "The values and derivatives at these numbers.";
    let mut main = format!(
        "def {}({}) -> Result:\n{}{conversions}{}{}{}",
        written.name,
        python::parameters(&written, "ArrayLike"),
        python::function_docstring(code, &written, first),
        python::size_lines(code, &written),
        python::body(&written),
        python::returned(&written),
    );
    python::add_helpers(&mut main, &written);
    if let Some(test) = &about.test {
        main.push_str(&python_test::written(&written, test, &python_test::NP));
    }
    let mut imports = String::new();
    if main.contains("math.") {
        imports.push_str("import math\n");
    }
    imports.push_str("from typing import NamedTuple\n\nimport numpy as np\n");
    if main.contains("scipy.linalg") {
        imports.push_str("import scipy.linalg\n");
    }
    imports.push_str("from numpy.typing import ArrayLike, NDArray\n");
    if main.contains("special.") {
        imports.push_str("from scipy import special\n");
    }
    let text = format!(
        "{}{imports}\n\n{}\n\n{main}",
        python::docstring(code, about, "NumPy"),
        python::result_class(code, &written, "NDArray[np.float64]"),
    );
    Ok(written.emitted(code, text))
}

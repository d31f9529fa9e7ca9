//! Python with NumPy and SciPy: one function of arrays that gives back a named tuple.

use super::arrays::{Dialect, write as write_arrays};
use super::code::Code;
use super::python;
use super::python_test;
use super::{About, EmitError, Emitted};

const DIALECT: Dialect = Dialect { functions: |form| form.numpy, rows: ROWS, helpers: HELPERS, ..python::DIALECT };

#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    ("cast", "@0.astype(float)"),
    ("cast number", "float($0)"),
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
    ("solve", "np.linalg.solve($0, $1)"),
    ("solve positive", "scipy.linalg.solve($0, $1, assume_a=\"pos\")"),
    ("power", "np.linalg.matrix_power($0, $k)"),
    ("root", "_positive_root($0)"),
    ("inverse root", "np.linalg.inv(_positive_root($0))"),
    ("expm along", "scipy.linalg.expm_frechet($0, $1, compute_expm=False)"),
    ("power along", "_power_along($0, $1, $k)"),
    ("joined", "np.concatenate([$list])"),
    ("horizontal", "np.hstack([$list])"),
    ("vertical", "np.vstack([$list])"),
    ("einsum", "np.einsum(\"$letters\", $arrays, optimize=True)"),
    ("eye", "np.eye($size)"),
    ("ones", "np.ones($size)"),
    ("zeros", "np.zeros(($size,))"),
];

const HELPERS: &[(&str, &str)] = &[
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

//! Python with JAX: one function of arrays that gives back a named tuple, and for each scalar with gradients a function
//! with `jax.custom_vjp` whose backward is the derived gradient. Both go through `jit` and `vmap`.

use super::arrays::{Dialect, Written, write as write_arrays};
use super::code::Code;
use super::python::{self, Halves, halves};
use super::python_test;
use super::{About, EmitError, Emitted};

const DIALECT: Dialect = Dialect { functions: |form| form.jax, rows: ROWS, helpers: HELPERS, ..python::DIALECT };

#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    ("array", "jnp.zeros(0)"),
    ("cast", "@0.astype($like.dtype)"),
    ("cast number", "float($0)"),
    ("number", "jnp.asarray($0, dtype=$like.dtype)"),
    ("constant", "jnp.asarray($0, dtype=$like.dtype)"),
    ("pi", "math.pi"),
    ("e", "math.e"),
    ("identity", "jnp.eye($m, dtype=$like.dtype)"),
    ("unit", "jnp.eye($m, dtype=$like.dtype)[:, $k - 1]"),
    ("fill", "jnp.full($tuple, $0, dtype=$like.dtype)"),
    ("repeat", "jnp.broadcast_to($0, $tuple)"),
    ("transpose", "@0.T"),
    ("as column", "@0[:, None]"),
    ("column matrix", "@0[:, None]"),
    ("row matrix", "@0[None, :]"),
    ("scalar matrix", "jnp.reshape($0, (1, 1))"),
    ("scalar vector", "jnp.reshape($0, (1,))"),
    ("solve", "jnp.linalg.solve($0, $1)"),
    ("solve positive", "jax.scipy.linalg.solve($0, $1, assume_a=\"pos\")"),
    ("power", "jnp.linalg.matrix_power($0, $k)"),
    ("root", "_positive_root($0)"),
    ("inverse root", "jnp.linalg.inv(_positive_root($0))"),
    ("expm along", "_along(jax.scipy.linalg.expm, $0, $1)"),
    ("power along", "_along(lambda a: jnp.linalg.matrix_power(a, $k), $0, $1)"),
    ("joined", "jnp.concatenate([$list])"),
    ("horizontal", "jnp.hstack([$list])"),
    ("vertical", "jnp.vstack([$list])"),
    ("einsum", "jnp.einsum(\"$letters\", $arrays)"),
    ("eye", "jnp.eye($size, dtype=$like.dtype)"),
    ("ones", "jnp.ones($size, dtype=$like.dtype)"),
    ("zeros", "jnp.zeros(($size,), dtype=$like.dtype)"),
];

const HELPERS: &[(&str, &str)] = &[
    (
        "_positive_root",
        "def _positive_root(a: Array) -> Array:
    \"\"\"The symmetric positive definite root of such a matrix.\"\"\"
    values, vectors = jnp.linalg.eigh(a)
    return (vectors * jnp.sqrt(values)) @ vectors.T
",
    ),
    (
        "_along",
        "def _along(f, a: Array, e: Array) -> Array:
    \"\"\"The derivative of a function of matrices at a along e: the upper right block of f([a, e; 0, a]).\"\"\"
    n = a.shape[0]
    return f(jnp.block([[a, e], [jnp.zeros_like(a), a]]))[:n, n:]
",
    ),
];

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let written = write_arrays(code, &DIALECT)?;
    let code = &*code;
    let conversions: String = written.inputs.iter().map(|name| format!("    {name} = jnp.asarray({name})\n")).collect();
    let first = "The values and derivatives at these numbers; goes through `jax.jit` and `jax.vmap`.";
    let sizes = python::size_lines(code, &written);
    let mut main = format!(
        "def {}({}) -> Result:\n{}{conversions}{sizes}{}{}",
        written.name,
        python::parameters(&written, "Array"),
        python::function_docstring(code, &written, first),
        python::body(&written),
        python::returned(&written),
    );
    for place in 0..code.outputs.len() {
        if let Some(function) = custom(code, &written, place, &conversions, &sizes) {
            main.push_str(&format!("\n\n{function}"));
        }
    }
    python::add_helpers(&mut main, &written);
    if let Some(test) = &about.test {
        main.push_str(&python_test::written(&written, test, &python_test::JNP));
    }
    let mut imports = String::new();
    if main.contains("math.") {
        imports.push_str("import math\n");
    }
    if main.contains("partial(") {
        imports.push_str("from functools import partial\n");
    }
    imports.push_str("from typing import NamedTuple\n\n");
    if main.contains("jax.") {
        imports.push_str("import jax\n");
    }
    imports.push_str("import jax.numpy as jnp\nfrom jax import Array\n");
    let text = format!(
        "{}{imports}\n\n{}\n\n{main}",
        python::docstring(code, about, "JAX"),
        python::result_class(code, &written, "Array"),
    );
    Ok(written.emitted(code, text))
}

/// The function with a derived backward of the result at that place, where it is a scalar with gradients by inputs.
fn custom(code: &Code, written: &Written, place: usize, conversions: &str, sizes: &str) -> Option<String> {
    let Halves { gradients, forward, backward, kept } = halves(code, written, place)?;
    let output = &written.outputs[place];
    let result = &written.results[place];
    let function = format!("vjp_{output}");
    let (parameters, arguments) = (python::parameters(written, "Array"), python::arguments(written));
    let size_parameters = written.size_parameters();
    let count = written.inputs.len();
    let mut out = String::new();
    if size_parameters.is_empty() {
        out.push_str("@jax.custom_vjp\n");
    } else {
        let places: Vec<String> = (count..count + size_parameters.len()).map(|i| i.to_string()).collect();
        out.push_str(&format!("@partial(jax.custom_vjp, nondiff_argnums=({},))\n", places.join(", ")));
    }
    out.push_str(&format!("def {function}({parameters}) -> Array:\n"));
    out.push_str(&format!("    \"\"\"{output}, differentiable once in reverse with the derived gradient.\"\"\"\n"));
    out.push_str(&format!("{conversions}{sizes}"));
    forward.iter().for_each(|line| out.push_str(&python::body_line(line)));
    out.push_str(&format!("    return {result}\n\n\n"));
    out.push_str(&format!("def _{output}_forward({arguments}):\n"));
    for (name, gradient) in written.inputs.iter().zip(&gradients) {
        if gradient.is_none() {
            out.push_str(&format!(
                "    if {name}.perturbed:\n        raise NotImplementedError(\"the gradient by `{name}` was not derived\")\n"
            ));
        }
    }
    for name in &written.inputs {
        out.push_str(&format!("    {name} = jnp.asarray({name}.value)\n"));
    }
    out.push_str(sizes);
    forward.iter().for_each(|line| out.push_str(&python::body_line(line)));
    let saved: Vec<&str> = written.inputs.iter().map(String::as_str).chain(kept.iter().copied()).collect();
    out.push_str(&format!("    return {result}, ({},)\n\n\n", saved.join(", ")));
    let nondifferentiable: String = size_parameters.iter().map(|name| format!("{name}, ")).collect();
    out.push_str(&format!("def _{output}_backward({nondifferentiable}residuals, grad):\n"));
    out.push_str(&format!("    {}, = residuals\n", saved.join(", ")));
    sizes.lines().filter(|line| !line.contains("_check(")).for_each(|line| out.push_str(&format!("{line}\n")));
    backward.iter().for_each(|line| out.push_str(&python::body_line(line)));
    let parts: Vec<String> = gradients
        .iter()
        .map(|gradient| match gradient {
            Some(i) => {
                let text = &written.results[*i];
                let plain = text.chars().all(|c| c.is_alphanumeric() || c == '_');
                if plain { format!("grad * {text}") } else { format!("grad * ({text})") }
            }
            None => "None".to_owned(),
        })
        .collect();
    out.push_str(&format!("    return {},\n\n\n", parts.join(", ")));
    out.push_str(&format!("{function}.defvjp(_{output}_forward, _{output}_backward, symbolic_zeros=True)\n"));
    Some(out)
}

//! Python with PyTorch: one plain function, and for each scalar with gradients a `torch.autograd.Function` whose backward
//! is the derived gradient. Nothing stands on a device or a type of numbers; a batch is a matter of `torch.vmap`.

use rustc_hash::FxHashSet as HashSet;

use super::arrays::{Dialect, Written, write as write_arrays};
use super::code::Code;
use super::python::{self, Halves, halves};
use super::python_test;
use super::{About, EmitError, Emitted};

const DIALECT: Dialect = Dialect { functions: |form| form.torch, rows: ROWS, helpers: HELPERS, ..python::DIALECT };

#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    ("array", "torch.empty(0, dtype=torch.float64)"),
    ("cast", "@0.to($like.dtype)"),
    ("cast number", "float($0)"),
    ("number", "$like.new_tensor($0)"),
    ("constant", "$like.new_tensor($0)"),
    ("pi", "math.pi"),
    ("e", "math.e"),
    ("identity", "torch.eye($m, dtype=$like.dtype, device=$like.device)"),
    ("unit", "torch.eye($m, dtype=$like.dtype, device=$like.device)[:, $k - 1]"),
    ("fill", "$like.new_full($tuple, $0)"),
    ("repeat", "@0.expand($shape)"),
    ("transpose", "@0.mT"),
    ("as column", "@0[:, None]"),
    ("column matrix", "@0[:, None]"),
    ("row matrix", "@0[None, :]"),
    ("scalar matrix", "@0.reshape(1, 1)"),
    ("scalar vector", "@0.reshape(1)"),
    ("number matrix", "$like.new_tensor([[$0]])"),
    ("number vector", "$like.new_tensor([$0])"),
    ("product plus", "torch.addmm($0, $1, $2)"),
    ("solve", "torch.linalg.solve($0, $1)"),
    ("solve positive", "_solve_positive($0, $1)"),
    ("power", "torch.linalg.matrix_power($0, $k)"),
    ("root", "_positive_root($0)"),
    ("inverse root", "torch.linalg.inv(_positive_root($0))"),
    ("expm along", "_along(torch.linalg.matrix_exp, $0, $1)"),
    ("power along", "_along(lambda a: torch.linalg.matrix_power(a, $k), $0, $1)"),
    ("joined", "torch.cat([$list])"),
    ("horizontal", "torch.cat([$list], dim=1)"),
    ("vertical", "torch.cat([$list])"),
    ("einsum", "torch.einsum(\"$letters\", $arrays)"),
    ("eye", "torch.eye($size, dtype=$like.dtype, device=$like.device)"),
    ("ones", "$like.new_ones($size)"),
    ("zeros", "$like.new_zeros(($size,))"),
];

const HELPERS: &[(&str, &str)] = &[
    (
        "_solve_positive",
        "def _solve_positive(a: Tensor, b: Tensor) -> Tensor:
    \"\"\"a^-1 b of a symmetric positive definite a.\"\"\"
    matrix = b if b.ndim == 2 else b[:, None]
    x = torch.cholesky_solve(matrix, torch.linalg.cholesky(a))
    return x if b.ndim == 2 else x[:, 0]
",
    ),
    (
        "_positive_root",
        "def _positive_root(a: Tensor) -> Tensor:
    \"\"\"The symmetric positive definite root of such a matrix.\"\"\"
    values, vectors = torch.linalg.eigh(a)
    return (vectors * torch.sqrt(values)) @ vectors.mT
",
    ),
    (
        "_along",
        "def _along(f, a: Tensor, e: Tensor) -> Tensor:
    \"\"\"The derivative of a function of matrices at a along e: the upper right block of f([a, e; 0, a]).\"\"\"
    n = a.shape[0]
    below = torch.cat([torch.zeros_like(a), a], dim=1)
    return f(torch.cat([torch.cat([a, e], dim=1), below]))[:n, n:]
",
    ),
];

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    code.masks_as_signs();
    let written = write_arrays(code, &DIALECT)?;
    let code = &*code;
    let first = "The values and derivatives at these numbers, on their device; `torch.vmap` takes a batch.";
    let sizes = python::size_lines(code, &written);
    let mut main = format!(
        "def {}({}) -> Result:\n{}{sizes}{}{}",
        written.name,
        python::parameters(&written, "Tensor"),
        python::function_docstring(code, &written, first),
        python::body(&written),
        python::returned(&written),
    );
    for place in 0..code.outputs.len() {
        if let Some(function) = autograd(code, &written, place, &sizes) {
            main.push_str(&format!("\n\n{function}"));
        }
    }
    python::add_helpers(&mut main, &written);
    if let Some(test) = &about.test {
        main.push_str(&python_test::written(&written, test, &python_test::TORCH));
    }
    let mut imports = String::new();
    if main.contains("math.") {
        imports.push_str("import math\n");
    }
    imports.push_str("from typing import NamedTuple\n\nimport torch\n");
    if main.contains("F.") {
        imports.push_str("import torch.nn.functional as F\n");
    }
    imports.push_str("from torch import Tensor\n");
    if main.contains("once_differentiable") {
        imports.push_str("from torch.autograd.function import once_differentiable\n");
    }
    let text = format!(
        "{}{imports}\n\n{}\n\n{main}",
        python::docstring(code, about, "PyTorch"),
        python::result_class(code, &written, "Tensor"),
    );
    Ok(written.emitted(code, text))
}

/// The function with a derived backward of the result at that place, where it is a scalar with gradients by inputs.
fn autograd(code: &Code, written: &Written, place: usize, sizes: &str) -> Option<String> {
    let Halves { gradients, forward, backward, kept } = halves(code, written, place)?;
    let output = &written.outputs[place];
    let (class, function) = (format!("_{output}Function"), format!("autograd_{output}"));
    let arguments = python::arguments(written);
    let size_parameters = written.size_parameters();
    let mut out = format!("class {class}(torch.autograd.Function):\n");
    out.push_str(&format!(
        "    \"\"\"{output} with its derived gradient as backward; it can be differentiated once.\"\"\"\n\n"
    ));
    out.push_str("    generate_vmap_rule = True\n\n    @staticmethod\n");
    // Autograd reads the signature of `forward` at each call: one parameter costs the least.
    out.push_str("    def forward(*inputs):\n");
    let all: Vec<&str> = written.inputs.iter().chain(&size_parameters).map(String::as_str).collect();
    out.push_str(&unpacked(&all, "inputs"));
    let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    out.push_str(&indented(sizes));
    forward.iter().for_each(|line| out.push_str(&indented(&python::body_line(line))));
    let mut returned = vec![written.results[place].clone()];
    returned.extend(kept.iter().map(|&name| format!("{name}.clone()")).zip(&kept).map(|(clone, &name)| {
        // An output twice would be one tensor with two histories.
        if name == written.results[place] { clone } else { name.to_owned() }
    }));
    out.push_str(&format!("        return {}\n\n", returned.join(", ")));
    // What backward reads, and nothing else, is saved.
    let results: Vec<Option<&str>> = gradients.iter().map(|place| place.map(|i| written.results[i].as_str())).collect();
    let mut read: HashSet<&str> = HashSet::default();
    backward.iter().for_each(|line| read.extend(words(&line.right)));
    results.iter().flatten().for_each(|text| read.extend(words(text)));
    let mut axes = Vec::new();
    for line in sizes.lines().rev().filter(|line| !line.contains("_check(")) {
        let (left, right) = line.split_once(" = ").unwrap_or((line, ""));
        if words(left).any(|name| name != "_" && read.contains(name)) {
            read.extend(words(right));
            axes.push(line);
        }
    }
    axes.reverse();
    let saved: Vec<(usize, &str)> =
        written.inputs.iter().map(String::as_str).enumerate().filter(|(_, name)| read.contains(name)).collect();
    let used_sizes = size_parameters.iter().any(|name| read.contains(name.as_str()));
    out.push_str("    @staticmethod\n    def setup_context(ctx, inputs, output):\n");
    if used_sizes {
        let (first, count) = (written.inputs.len(), size_parameters.len());
        out.push_str(&format!("        ctx.sizes = inputs[{first}:{}]\n", first + count));
    }
    if !kept.is_empty() {
        // Without the last line autograd makes zeros for each of them.
        out.push_str("        ctx.mark_non_differentiable(*output[1:])\n        ctx.set_materialize_grads(False)\n");
    }
    let mut kept_by = Vec::new();
    match saved.len() == written.inputs.len() && size_parameters.is_empty() {
        true => kept_by.push("*inputs".to_owned()),
        false => kept_by.extend(saved.iter().map(|(i, _)| format!("inputs[{i}]"))),
    }
    if !kept.is_empty() {
        kept_by.push("*output[1:]".to_owned());
    }
    if !kept_by.is_empty() {
        out.push_str(&format!("        ctx.save_for_backward({})\n", kept_by.join(", ")));
    }
    out.push_str("\n    @staticmethod\n    @once_differentiable\n    def backward(ctx, grad, *_):\n");
    for (i, (name, gradient)) in written.inputs.iter().zip(&gradients).enumerate() {
        if gradient.is_none() {
            out.push_str(&format!(
                "        if ctx.needs_input_grad[{i}]:\n            raise NotImplementedError(\"the gradient by `{name}` was not derived\")\n"
            ));
        }
    }
    if !kept.is_empty() {
        let nothing = vec!["None"; gradients.len() + size_parameters.len()].join(", ");
        out.push_str(&format!("        if grad is None:\n            return {nothing},\n"));
    }
    let names: Vec<&str> = saved.iter().map(|&(_, name)| name).chain(kept.iter().copied()).collect();
    if !names.is_empty() {
        out.push_str(&unpacked(&names, "ctx.saved_tensors"));
    }
    if used_sizes {
        let names: Vec<&str> = size_parameters.iter().map(String::as_str).collect();
        out.push_str(&unpacked(&names, "ctx.sizes"));
    }
    axes.iter().for_each(|line| out.push_str(&indented(&python::without_axis_checks(line))));
    backward.iter().for_each(|line| out.push_str(&indented(&python::body_line(line))));
    let mut parts: Vec<String> = gradients
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
    parts.extend(size_parameters.iter().map(|_| "None".to_owned()));
    out.push_str(&format!("        return {}\n\n\n", parts.join(", ")));
    out.push_str(&format!("def {function}({}) -> Tensor:\n", python::parameters(written, "Tensor")));
    out.push_str(&format!("    \"\"\"{output}, differentiable by autograd with the derived gradient.\"\"\"\n"));
    let first = if kept.is_empty() { "" } else { "[0]" };
    out.push_str(&format!("    return {class}.apply({arguments}){first}\n"));
    Some(out)
}

/// `        a, b = right`, and of one name alone `        (a,) = right`.
fn unpacked(names: &[&str], right: &str) -> String {
    match names {
        [name] => format!("        ({name},) = {right}\n"),
        _ => format!("        {} = {right}\n", names.join(", ")),
    }
}

/// The names in a piece of Python, among its other words.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

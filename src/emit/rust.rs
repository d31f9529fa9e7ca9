//! Rust without dependencies: one function over slices that the caller gives, row by row. Nothing is allocated; a second
//! function tells how much memory the first works in. Matrix products are loops that the compiler vectorises.

use super::arrays::helpers;
use super::buffers::{Words, Written, write as write_buffers};
use super::code::{Code, rank};
use super::helpers_in_rust::HELPERS;
use super::rust_test;
use super::selftest::{SelfTest, TestNames};
use super::sizes::Source;
use super::{About, EmitError, Emitted};
use crate::dimension::DimId;
use crate::functions;

struct Rust;

pub(super) const RESERVED: &[&str] = &[
    "as break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return",
    "self Self static struct super trait true type unsafe use where while async await abstract become box do final macro",
    "override priv try typeof unsized virtual yield gen union f64 usize i64 bool str work w i j i0 i1 i2 i3 s0 s1 s2 s3 s4",
    "s5 s6 s7 sum results moved slope curvature quarter applied agree tests side Array0 Array1 Array2 Axis Results ndarray Ok Err Some None Result Option Vec String matrix_product dot_product norm_of",
];

/// The error function of this library.
fn erf_source() -> String {
    matgrad_kernels::error_function::source().replace("pub const", "const")
}

impl Words for Rust {
    fn reserved(&self) -> &'static [&'static str] {
        RESERVED
    }
    fn function(&self, key: &str) -> Option<&'static str> {
        functions::form(key, |form| form.rust)
    }
    fn power(&self) -> &'static str {
        "f64::powf"
    }
    fn real(&self, size: &str) -> String {
        if size.contains(' ') { format!("(({size}) as f64)") } else { format!("({size} as f64)") }
    }
    fn choose(&self, condition: &str, yes: &str, no: &str) -> String {
        format!("(if {condition} {{ {yes} }} else {{ {no} }})")
    }
    fn open(&self, index: &str, count: &str) -> String {
        if count == "1" { format!("for {index} in [0] {{") } else { format!("for {index} in 0..{count} {{") }
    }
    fn constant(&self, name: &str, right: &str) -> String {
        format!("let {name} = {right};")
    }
    fn variable(&self, name: &str, right: &str) -> String {
        format!("let mut {name} = {right};")
    }
    fn buffer(&self, name: &str, count: &str) -> String {
        format!("let ({name}, w) = w.split_at_mut({count});")
    }
    fn store(&self, output: &str, right: &str) -> String {
        format!("*{output} = {right};")
    }
    fn product(&self, out: &str, [m, k, n]: [&str; 3], [a, b]: [&str; 2], [left, right]: [bool; 2]) -> String {
        format!("matrix_product({m}, {k}, {n}, {a}, {left}, {b}, {right}, {out});")
    }
    fn attempt(&self, call: &str) -> String {
        format!("{call}?;")
    }
    fn dot(&self, count: &str, a: &str, b: &str) -> String {
        format!("dot_product({count}, {a}, {b})")
    }
    fn norm(&self, count: &str, a: &str) -> String {
        format!("norm_of({count}, {a})")
    }
}

/// The parts of a file that work on slices.
pub(super) struct Core<'a> {
    /// The program, with its names.
    pub(super) written: Written,
    /// The dimensions that are parameters.
    pub(super) parameters: Vec<(String, Source)>,
    /// The words at the top of the file.
    pub(super) top: String,
    /// What the function takes and gives, as comments.
    pub(super) described: String,
    /// The two functions: how much memory, and the values.
    pub(super) functions: String,
    /// The helpers that they call.
    pub(super) helpers: String,
    code: &'a Code,
}

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let core = core(code, about, "", "", "pub ")?;
    let mut text = format!("{}{}{}", core.top, core.functions, core.helpers);
    if let Some(test) = &about.test {
        let names = test.names(RESERVED, &core.written.name, &core.written.inputs);
        let sizes: Vec<String> = core.parameters.iter().map(|(name, _)| test.size(name).to_string()).collect();
        let head = results_of(core.code, &core.written, &sizes, &test.counts(core.code));
        text.push_str(&core.tested(test, &names, head));
    }
    Ok(core.emitted(text, core.sizes_of()))
}

impl Core<'_> {
    /// The tests of the file; `head` has the function that calls the program.
    pub(super) fn tested(&self, test: &SelfTest, names: &TestNames, head: String) -> String {
        let outputs = self.written.outputs.iter().map(|name| name.trim_end_matches("_out").to_owned()).collect();
        rust_test::written(test, names, &rust_test::Tested { inputs: &self.written.inputs, outputs, head })
    }

    fn sizes_of(&self) -> Vec<(String, String)> {
        self.parameters.iter().map(|(name, _)| (name.clone(), self.written.dimensions[name].clone())).collect()
    }

    /// What a caller has to know of the file; `sizes` are the dimensions that the function takes.
    pub(super) fn emitted(&self, text: String, sizes: Vec<(String, String)>) -> Emitted {
        let written = &self.written;
        Emitted::new(self.code, text, &written.name, [&written.inputs, &written.outputs], sizes)
    }

    /// A dimension in Rust.
    pub(super) fn size(&self, d: DimId) -> String {
        super::arrays::dimension(&self.code.dimensions, d, &self.written.dimensions, " / ").0
    }
}

/// The functions over slices, their names with `suffix` behind, `visible` where others call them. `products` stands for the
/// helper that multiplies matrices, where another is to be used.
pub(super) fn core<'a>(
    code: &'a mut Code,
    about: &About<'_>,
    suffix: &str,
    products: &'static str,
    visible: &str,
) -> Result<Core<'a>, EmitError> {
    let written = write_buffers(code, &Rust)?;
    let code = &*code;
    let parameters: Vec<(String, Source)> =
        written.sizes.names.iter().filter(|(_, source)| !matches!(source, Source::Fixed(_))).cloned().collect();
    let size_parameters: Vec<String> =
        parameters.iter().map(|(name, _)| format!("{}: usize", written.dimensions[name])).collect();
    let arrays = code.inputs.iter().zip(&written.inputs).map(|(input, name)| match rank(input.shape) {
        0 => format!("{name}: f64"),
        _ => format!("{name}: &[f64]"),
    });
    let outputs = code.outputs.iter().zip(&written.outputs).map(|(output, name)| match output.axes.len() {
        0 => format!("{name}: &mut f64"),
        _ => format!("{name}: &mut [f64]"),
    });
    let all: Vec<String> =
        size_parameters.iter().cloned().chain(arrays).chain(outputs).chain(["work: &mut [f64]".to_owned()]).collect();
    let size = |d| super::arrays::dimension(&code.dimensions, d, &written.dimensions, " / ").0;
    let count = |axes: Vec<String>| {
        let parts: Vec<String> =
            axes.iter().map(|d| if d.contains(' ') { format!("({d})") } else { d.clone() }).collect();
        parts.join(" * ")
    };
    let mut fixed = String::new();
    for (name, source) in &written.sizes.names {
        if let Source::Fixed(n) = source {
            fixed.push_str(&format!("    let {} = {n};\n", written.dimensions[name]));
        }
    }
    let mut checks = String::new();
    let one = DimId::ONE;
    for (input, name) in code.inputs.iter().zip(&written.inputs).filter(|(input, _)| rank(input.shape) > 0) {
        let axes = [input.shape.rows, input.shape.columns].into_iter().filter(|&d| d != one).map(size).collect();
        checks.push_str(&check(name, &count(axes)));
    }
    for (output, name) in code.outputs.iter().zip(&written.outputs).filter(|(output, _)| !output.axes.is_empty()) {
        checks.push_str(&check(name, &count(output.axes.iter().map(|&d| size(d)).collect())));
    }
    let mut helpers: String = helpers(|form| form.rust, HELPERS, &[&written.body])
        .into_iter()
        .map(|(name, text)| match name {
            "matrix_product" if !products.is_empty() => format!("\n{products}"),
            _ => format!("\n{text}"),
        })
        .collect();
    let erf = |text: &str| text.contains(" erf(") || text.contains(" erfc(") || text.contains("(erf(");
    if erf(&written.body) || erf(&helpers) {
        helpers.push_str(&format!("\n{}\n", erf_source()));
    }
    let work = if written.work.is_empty() { "0".to_owned() } else { written.work.join(" + ") };
    let mut top = format!(
        "//! `{}`: values and derivatives, derived by matgrad. Matrices lie row by row.\n//!\n//! The program:\n//!\n//! ```text\n",
        written.name
    );
    about.program().for_each(|line| top.push_str(&format!("//! {line}\n")));
    if !about.derivation.is_empty() {
        top.push_str("//! ```\n//!\n//! The derivation:\n//!\n//! ```text\n");
        about.derivation.iter().for_each(|line| {
            top.push_str(format!("//! {line}").trim_end());
            top.push('\n');
        });
    }
    top.push_str(
        "//! ```\n\n#![allow(non_snake_case, unused_variables, unused_parens, dead_code)]\n#![allow(clippy::all)]\n\n",
    );
    let mut doc = "/// The values and derivatives at these numbers.\n///\n".to_owned();
    for (input, name) in code.inputs.iter().zip(&written.inputs) {
        doc.push_str(&format!(
            "/// - `{name}`: {}, {} x {}\n",
            input.kind,
            size(input.shape.rows),
            size(input.shape.columns)
        ));
    }
    for (output, name) in code.outputs.iter().zip(&written.outputs) {
        let axes: Vec<String> = output.axes.iter().map(|&d| size(d)).collect();
        let axes = if axes.is_empty() { "a number".to_owned() } else { axes.join(" x ") };
        doc.push_str(&format!("/// - `{name}`: {}, {axes}\n", output.title));
    }
    let described = doc.clone();
    doc.push_str(&format!("/// - `work`: room for [`{}{suffix}_work`] numbers\n///\n/// # Errors\n/// Where a length does not fit, a matrix is singular or not positive definite.\n", written.name));
    let functions = format!(
        "/// How many numbers `work` must have room for.\n{visible}fn {name}{suffix}_work({}) -> usize {{\n{fixed}    {work}\n}}\n\n{doc}{visible}fn {name}{suffix}(\n    {},\n) -> Result<(), &'static str> {{\n{fixed}{checks}    let w = work;\n{}    Ok(())\n}}\n",
        size_parameters.join(", "),
        all.join(",\n    "),
        written.body,
        name = written.name,
    );
    Ok(Core { written, parameters, top, described, functions, helpers, code })
}

/// The function of the tests that calls the program: a list for each output.
fn results_of(code: &Code, written: &Written, sizes: &[String], counts: &[usize]) -> String {
    let name = &written.name;
    let parameters: Vec<String> = written.inputs.iter().map(|input| format!("{input}: &[f64]")).collect();
    let mut arguments: Vec<String> = sizes.to_vec();
    for (input, given) in written.inputs.iter().zip(&code.inputs) {
        arguments.push(if rank(given.shape) == 0 { format!("{input}[0]") } else { input.clone() });
    }
    let mut lines = String::new();
    for (i, (output, count)) in code.outputs.iter().zip(counts).enumerate() {
        lines.push_str(&format!("        let mut out{i} = vec![0.0; {count}];\n"));
        arguments.push(if output.axes.is_empty() { format!("&mut out{i}[0]") } else { format!("&mut out{i}") });
    }
    let all: Vec<String> = (0..counts.len()).map(|i| format!("out{i}")).collect();
    format!(
        "    use super::{{{name}, {name}_work}};\n\n    /// What comes back, a list of entries for each.\n    fn results({}) -> Vec<Vec<f64>> {{\n{lines}        let mut work = vec![0.0; {name}_work({})];\n        {name}({}, &mut work).unwrap();\n        vec![{}]\n    }}\n",
        parameters.join(", "),
        sizes.join(", "),
        arguments.join(", "),
        all.join(", ")
    )
}

fn check(name: &str, count: &str) -> String {
    format!("    if {name}.len() != {count} {{\n        return Err(\"the length of {name} does not fit\");\n    }}\n")
}

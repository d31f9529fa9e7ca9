//! Rust with `ndarray`: one function of views that gives back a struct of owned arrays. It checks the shapes, takes the sizes
//! from them, and calls the function over slices that the target `rust` has; matrix products are `ndarray`'s, so that its
//! `blas` feature is used where a program has it.

use super::code::{Code, rank};
use super::names::Names;
use super::rust::{Core, RESERVED, core};
use super::selftest::{Array, SelfTest};
use super::sizes::{AxisOf, Source};
use super::{About, EmitError, Emitted};
use crate::dimension::DimId;

/// The product of two matrices that lie row by row, each as it is or turned.
const PRODUCTS: &str = "/// out = a·b, an m×k matrix times a k×n matrix; what is `turned` lies as its transpose.
fn matrix_product(m: usize, k: usize, n: usize, a: &[f64], left: bool, b: &[f64], right: bool, out: &mut [f64]) {
    let (a, b) = (side(m, k, a, left), side(k, n, b, right));
    let mut out = ArrayViewMut2::from_shape((m, n), &mut out[..m * n]).expect(\"as many entries as it has room for\");
    general_mat_mul(1.0, &a, &b, 0.0, &mut out);
}

fn side(rows: usize, columns: usize, entries: &[f64], turned: bool) -> ArrayView2<'_, f64> {
    let shape = if turned { (columns, rows) } else { (rows, columns) };
    let whole = ArrayView2::from_shape(shape, &entries[..rows * columns]).expect(\"as many entries as it has room for\");
    if turned { whole.reversed_axes() } else { whole }
}
";

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let inputs = code.inputs.clone();
    let outputs = code.outputs.clone();
    let core = core(code, about, "_over_slices", PRODUCTS, "")?;
    let written = &core.written;
    let name = &written.name;
    let mut fields = Names::new(RESERVED);
    let fields: Vec<String> = outputs.iter().map(|output| fields.take(&output.name)).collect();
    let kind = |axes: usize| match axes {
        0 => "f64".to_owned(),
        1..=6 => format!("Array{axes}<f64>"),
        _ => "ArrayD<f64>".to_owned(),
    };
    let mut out =
        format!("/// What [`{name}`] gives back.\n#[derive(Clone, Debug, PartialEq)]\npub struct Results {{\n");
    for (output, field) in outputs.iter().zip(&fields) {
        out.push_str(&format!("    /// {}\n    pub {field}: {},\n", output.title, kind(output.axes.len())));
    }
    out.push_str("}\n\n");
    out.push_str(&core.described);
    out.push_str("///\n/// # Errors\n/// Where a shape does not fit, a matrix is singular or not positive definite.\n");
    let given = inputs.iter().zip(&written.inputs).map(|(input, name)| match rank(input.shape) {
        0 => format!("{name}: f64"),
        axes => format!("{name}: ArrayView{axes}<'_, f64>"),
    });
    let own = core.parameters.iter().filter(|(_, source)| *source == Source::Parameter);
    let own: Vec<(String, String)> = own.map(|(name, _)| (name.clone(), written.dimensions[name].clone())).collect();
    let sizes = own.iter().map(|(_, taken)| format!("{taken}: usize"));
    let all: Vec<String> = given.chain(sizes).collect();
    out.push_str(&format!("pub fn {name}(\n    {},\n) -> Result<Results, &'static str> {{\n", all.join(",\n    ")));
    out.push_str(&bound(&core));
    let mut arguments: Vec<String> = core.parameters.iter().map(|(name, _)| written.dimensions[name].clone()).collect();
    let sizes = arguments.join(", ");
    let mut layouts = String::new();
    for (input, name) in inputs.iter().zip(&written.inputs) {
        if rank(input.shape) == 0 {
            arguments.push(name.clone());
            continue;
        }
        let axes = axes_of(input.shape.rows, input.shape.columns).map(|d| core.size(d)).collect::<Vec<_>>().join(", ");
        out.push_str(&format!(
            "    if {name}.shape() != [{axes}] {{\n        return Err(\"the shape of {name} does not fit\");\n    }}\n"
        ));
        layouts.push_str(&format!("    let {name} = {name}.as_standard_layout();\n"));
        arguments.push(format!("{name}.as_slice().unwrap_or_default()"));
    }
    out.push_str(&layouts);
    for (output, name) in outputs.iter().zip(&written.outputs) {
        let axes: Vec<String> = output.axes.iter().map(|&d| core.size(d)).collect();
        let zeros = match axes.len() {
            0 => "0.0".to_owned(),
            1 => format!("Array1::zeros({})", axes[0]),
            n @ 2..=6 => format!("Array{n}::zeros(({}))", axes.join(", ")),
            _ => format!("ArrayD::zeros(IxDyn(&[{}]))", axes.join(", ")),
        };
        out.push_str(&format!("    let mut {name}{} = {zeros};\n", typed(&axes)));
        arguments.push(match axes.len() {
            0 => format!("&mut {name}"),
            _ => format!("{name}.as_slice_mut().unwrap_or_default()"),
        });
    }
    out.push_str(&format!("    let mut work = vec![0.0; {name}_over_slices_work({sizes})];\n"));
    let arguments = arguments.join(",\n        ");
    out.push_str(&format!("    {name}_over_slices(\n        {arguments},\n        &mut work,\n    )?;\n"));
    let pairs: Vec<String> =
        fields.iter().zip(&written.outputs).map(|(field, out)| format!("{field}: {out}")).collect();
    out.push_str(&format!("    Ok(Results {{ {} }})\n}}\n", pairs.join(", ")));
    let mut rest = format!("{out}\n{}{}", core.functions, core.helpers);
    if let Some(test) = &about.test {
        let counted = test.parameters(&written.sizes);
        let names = test.names(RESERVED, name, &written.inputs);
        rest.push_str(&core.tested(test, &names, results_of(&core, test, &fields, &counted, &outputs)));
    }
    let text = format!("{}{}\n{rest}", core.top, imports(&rest));
    Ok(core.emitted(text, own))
}

fn axes_of(rows: DimId, columns: DimId) -> impl Iterator<Item = DimId> {
    [rows, columns].into_iter().filter(|&d| d != DimId::ONE)
}

fn typed(axes: &[String]) -> &'static str {
    if axes.is_empty() { ": f64" } else { "" }
}

/// The lines that take the sizes from the shapes.
fn bound(core: &Core<'_>) -> String {
    let mut out = String::new();
    let written = &core.written;
    let axis = |of: &AxisOf| format!("{}.shape()[{}]", written.inputs[of.input], of.axis);
    for (name, source) in &written.sizes.names {
        let own = &written.dimensions[name];
        let right = match source {
            Source::Parameter => continue,
            Source::Fixed(n) => n.to_string(),
            Source::Triangle { of } => format!("(((8 * {} + 1) as f64).sqrt() as usize - 1) / 2", axis(of)),
            Source::Axis { of, factor, rest } => {
                let mut right = axis(of);
                if let Some(rest) = rest {
                    right = format!("{right}.saturating_sub({})", core.size(*rest));
                }
                if *factor == 1 { right } else { format!("{right} / {factor}") }
            }
        };
        out.push_str(&format!("    let {own}: usize = {right};\n"));
    }
    out
}

/// The line of imports of what the text names.
fn imports(text: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    for axes in 1..=6 {
        names.push(format!("Array{axes}"));
    }
    names.extend(["ArrayD", "ArrayView1", "ArrayView2", "ArrayViewMut2", "IxDyn"].map(str::to_owned));
    let own = text.split("#[cfg(test)]").next().unwrap_or_default();
    names.retain(|name| {
        own.contains(&format!("{name}<")) || own.contains(&format!("{name}::")) || own.contains(&format!("{name}("))
    });
    if own.contains("general_mat_mul(") {
        names.push("linalg::general_mat_mul".to_owned());
    }
    if names.is_empty() { String::new() } else { format!("use ndarray::{{{}}};\n", names.join(", ")) }
}

/// The function of the tests that calls the program: a list for each output.
fn results_of(
    core: &Core<'_>,
    test: &SelfTest,
    fields: &[String],
    sizes: &[String],
    outputs: &[super::code::Output],
) -> String {
    let (name, inputs) = (&core.written.name, &core.written.inputs);
    let parameters: Vec<String> = inputs.iter().map(|input| format!("{input}: &[f64]")).collect();
    let view = |name: &String, array: &Array| match array.rank {
        0 => format!("{name}[0]"),
        1 => format!("ndarray::ArrayView1::from({name})"),
        _ => format!("ndarray::ArrayView2::from_shape(({}, {}), {name}).unwrap()", array.shape[0], array.shape[1]),
    };
    let mut arguments: Vec<String> = inputs.iter().zip(&test.inputs).map(|(name, array)| view(name, array)).collect();
    arguments.extend(sizes.iter().cloned());
    let lists: Vec<String> = fields
        .iter()
        .zip(outputs)
        .map(|(field, output)| match output.axes.len() {
            0 => format!("vec![out.{field}]"),
            _ => format!("out.{field}.into_iter().collect()"),
        })
        .collect();
    format!(
        "    use super::{name};\n\n    /// What comes back, a list of entries for each.\n    fn results({}) -> Vec<Vec<f64>> {{\n        let out = {name}({}).unwrap();\n        vec![{}]\n    }}\n",
        parameters.join(", "),
        arguments.join(", "),
        lists.join(", ")
    )
}

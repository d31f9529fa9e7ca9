//! The self-test at the end of a file of Python, behind `if __name__ == "__main__":`. Numbers and comparisons come in, Python
//! goes out; NumPy, PyTorch and JAX differ in how an array is made.

use super::arrays::Written;
use super::python::RESERVED;
use super::selftest::{Array, CURVATURE_STEP, Comparison, SLOPE_STEP, SelfTest, Shift, TOLERANCE, TestNames};

/// How a library makes an array of a list.
pub(super) struct Library {
    /// The module's name.
    module: &'static str,
    /// What stands before the list.
    open: &'static str,
    /// What stands behind it.
    close: &'static str,
    /// A line before all others.
    first: &'static str,
}

pub(super) const NP: Library = Library { module: "np", open: "np.array(", close: ")", first: "" };
pub(super) const TORCH: Library =
    Library { module: "torch", open: "torch.tensor(", close: ", dtype=torch.float64)", first: "" };
pub(super) const JNP: Library = Library {
    module: "jnp",
    open: "jnp.array(",
    close: ")",
    first: "    jax.config.update(\"jax_enable_x64\", True)\n",
};

/// The test's text, behind a blank line.
pub(super) fn written(written: &Written, test: &SelfTest, library: &Library) -> String {
    let names = test.names(RESERVED, &written.name, &written.inputs);
    let mut out = format!(
        "\n\ndef _self_test() -> None:\n    \"\"\"Compares each derivative, along a direction, with differences of the value.\"\"\"\n{}",
        library.first
    );
    for (name, array) in written.inputs.iter().zip(&test.inputs) {
        out.push_str(&format!("    {name} = {}\n", literal(array, library)));
    }
    for (name, along) in names.directions.iter().zip(&test.directions) {
        out.push_str(&format!("    {name} = {}\n", literal(&along.array, library)));
    }
    let result = &names.result;
    out.push_str(&format!("    {result} = {}\n", call(written, test, &names, &[])));
    for comparison in &test.comparisons {
        let field = &written.outputs[comparison.output];
        let mut derivative = format!("{result}.{field}");
        for &d in &comparison.applied {
            let name = &names.directions[d];
            derivative = match test.directions[d].array.rank {
                0 => format!("{derivative} * {name}"),
                rank => format!("{}.tensordot({derivative}, {name}, {rank})", library.module),
            };
        }
        let differences = differences(written, test, &names, comparison, library);
        out.push_str(&format!(
            "    _agree(\n        \"{field}\",\n        {derivative},\n        {differences},\n    )\n"
        ));
    }
    for (output, why) in &test.left_out {
        out.push_str(&format!("    print(\"{} is not tested: {why}\")\n", written.outputs[*output]));
    }
    out.push_str(&format!("    print(\"{}: {} with differences\")\n", written.name, test.count()));
    let helpers = format!(
        "def _slope(f, step={SLOPE_STEP:?}):
    \"\"\"The derivative of f at 0 by differences of fourth order.\"\"\"
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step)
|
def _curvature(f, step={CURVATURE_STEP:?}):
    \"\"\"The second derivative of f at 0 by differences of fourth order.\"\"\"
    return (16 * (f(step) + f(-step)) - (f(2 * step) + f(-2 * step)) - 30 * f(0.0)) / (12 * step * step)
|
def _agree(name, derivative, difference):
    error = float(abs(derivative - difference).max())
    if not error <= {TOLERANCE} * (1 + float(abs(difference).max())):
        raise AssertionError(f\"{{name}} is off by {{error:.1e}} from differences\")
"
    );
    for helper in helpers.split("\n|\n") {
        let name = helper.split('(').next().unwrap_or_default().trim_start_matches("def ").to_owned();
        if out.contains(&format!("{name}(")) {
            out.push_str(&format!("\n\n{}\n", helper.trim_end()));
        }
    }
    out.push_str("\n\nif __name__ == \"__main__\":\n    _self_test()\n");
    out
}

fn literal(array: &Array, library: &Library) -> String {
    let list = |entries: &[f64]| {
        let entries: Vec<String> = entries.iter().map(|x| format!("{x:?}")).collect();
        format!("[{}]", entries.join(", "))
    };
    let text = match array.rank {
        0 => format!("{:?}", array.entries[0]),
        1 => list(&array.entries),
        _ => {
            let rows: Vec<String> = array.entries.chunks(array.shape[1]).map(list).collect();
            format!("[{}]", rows.join(", "))
        }
    };
    format!("{}{text}{}", library.open, library.close)
}

/// The function at moved inputs.
fn call(written: &Written, test: &SelfTest, names: &TestNames, path: &[Shift]) -> String {
    let mut arguments = Vec::with_capacity(written.inputs.len());
    for (input, name) in written.inputs.iter().enumerate() {
        let mut text = name.clone();
        for shift in test.shifts_of(path, input) {
            let sign = if shift.back { '-' } else { '+' };
            text.push_str(&format!(" {sign} {} * {}", names.step, names.directions[shift.along]));
        }
        arguments.push(text);
    }
    arguments.extend(test.parameters(&written.sizes));
    format!("{}({})", written.name, arguments.join(", "))
}

fn differences(
    written: &Written,
    test: &SelfTest,
    names: &TestNames,
    comparison: &Comparison,
    library: &Library,
) -> String {
    let function = if comparison.second { "_curvature" } else { "_slope" };
    let mut terms = Vec::with_capacity(comparison.paths.len());
    for path in &comparison.paths {
        let mut value = format!("{}.{}", call(written, test, names, path), written.outputs[comparison.of]);
        if let Some(against) = comparison.against {
            value = format!("{}.sum({} * {value})", library.module, names.directions[against]);
        }
        terms.push(format!("{function}(lambda {}: {value})", names.step));
    }
    match terms.as_slice() {
        [one] => one.clone(),
        many => format!("({}) / 4", many.join("\n            - ")),
    }
}

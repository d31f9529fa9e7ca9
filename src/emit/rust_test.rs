//! The self-test of a file of Rust: a module of tests. Numbers and comparisons come in, Rust goes out; how the function is
//! called and its results are read is the caller's text, everything else works on lists of numbers.

use super::selftest::{CURVATURE_STEP, Comparison, SLOPE_STEP, SelfTest, Shift, TOLERANCE, TestNames};

/// What the test has to know of the file.
pub(super) struct Tested<'a> {
    /// The names of the inputs.
    pub(super) inputs: &'a [String],
    /// The names of the outputs as a reader knows them.
    pub(super) outputs: Vec<String>,
    /// The line of imports, and the function `results` of the inputs that gives back a list for each output.
    pub(super) head: String,
}

/// The test's text.
pub(super) fn written(test: &SelfTest, names: &TestNames, file: &Tested<'_>) -> String {
    let mut body = String::new();
    let list = |entries: &[f64]| entries.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ");
    for (name, array) in file.inputs.iter().zip(&test.inputs) {
        body.push_str(&format!("        let {name} = [{}];\n", list(&array.entries)));
    }
    for (name, along) in names.directions.iter().zip(&test.directions) {
        body.push_str(&format!("        let {name} = [{}];\n", list(&along.array.entries)));
    }
    body.push_str(&format!("        let {} = {};\n", names.result, call(test, names, file, &[])));
    for comparison in &test.comparisons {
        let mut derivative = format!("{}[{}]", names.result, comparison.output);
        for &d in &comparison.applied {
            derivative = format!("applied(&{derivative}, &{})", names.directions[d]);
        }
        body.push_str(&format!(
            "        agree(\n            \"{}\",\n            &{derivative},\n            &{},\n        );\n",
            file.outputs[comparison.output],
            differences(test, names, file, comparison)
        ));
    }
    for (output, why) in &test.left_out {
        body.push_str(&format!("        println!(\"{} is not tested: {why}\");\n", file.outputs[*output]));
    }
    let helpers = format!(
        "    /// x + step·along
    fn moved(x: &[f64], step: f64, along: &[f64]) -> Vec<f64> {{
        x.iter().zip(along).map(|(x, d)| x + step * d).collect()
    }}
|
    /// The derivative of f at 0 by differences of fourth order.
    fn slope(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {{
        let h = {SLOPE_STEP:?};
        let (a, b, c, d) = (f(-2.0 * h), f(-h), f(h), f(2.0 * h));
        (0..a.len()).map(|k| (8.0 * (c[k] - b[k]) - (d[k] - a[k])) / (12.0 * h)).collect()
    }}
|
    /// The second derivative of f at 0 by differences of fourth order.
    fn curvature(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {{
        let h = {CURVATURE_STEP:?};
        let (a, b, c, d, e) = (f(-2.0 * h), f(-h), f(0.0), f(h), f(2.0 * h));
        (0..a.len()).map(|k| (16.0 * (b[k] + d[k]) - (a[k] + e[k]) - 30.0 * c[k]) / (12.0 * h * h)).collect()
    }}
|
    /// (a - b)/4
    fn quarter(a: Vec<f64>, b: Vec<f64>) -> Vec<f64> {{
        a.iter().zip(&b).map(|(a, b)| 0.25 * (a - b)).collect()
    }}
|
    /// A derivative applied to a direction of its last axes.
    fn applied(derivative: &[f64], along: &[f64]) -> Vec<f64> {{
        derivative.chunks(along.len()).map(|row| row.iter().zip(along).map(|(x, d)| x * d).sum()).collect()
    }}
|
    fn agree(name: &str, derivative: &[f64], difference: &[f64]) {{
        assert_eq!(derivative.len(), difference.len());
        let size = difference.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
        for (a, b) in derivative.iter().zip(difference) {{
            assert!((a - b).abs() <= {TOLERANCE} * (1.0 + size), \"{{name}} is {{a}}, by differences {{b}}\");
        }}
    }}"
    );
    let mut wanted = String::new();
    for helper in helpers.split("\n|\n") {
        let name = helper.split_once("fn ").and_then(|(_, rest)| rest.split('(').next()).unwrap_or_default();
        if body.contains(&format!("{name}(")) {
            wanted.push_str(&format!("\n{helper}\n"));
        }
    }
    format!(
        "\n#[cfg(test)]\nmod tests {{\n{}{wanted}\n    /// Compares each derivative, along a direction, with differences of the value.\n    #[test]\n    fn derivatives_agree_with_differences() {{\n{body}    }}\n}}\n",
        file.head
    )
}

fn call(test: &SelfTest, names: &TestNames, file: &Tested<'_>, path: &[Shift]) -> String {
    let mut arguments = Vec::with_capacity(file.inputs.len());
    for (input, name) in file.inputs.iter().enumerate() {
        let mut text = name.clone();
        for shift in test.shifts_of(path, input) {
            let sign = if shift.back { "-" } else { "" };
            text = format!("moved(&{text}, {sign}{}, &{})", names.step, names.directions[shift.along]);
        }
        arguments.push(format!("&{text}"));
    }
    format!("results({})", arguments.join(", "))
}

fn differences(test: &SelfTest, names: &TestNames, file: &Tested<'_>, comparison: &Comparison) -> String {
    let function = if comparison.second { "curvature" } else { "slope" };
    let mut terms = Vec::with_capacity(comparison.paths.len());
    for path in &comparison.paths {
        let mut value = format!("{}.swap_remove({})", call(test, names, file, path), comparison.of);
        if let Some(against) = comparison.against {
            value = format!("applied(&{value}, &{})", names.directions[against]);
        }
        terms.push(format!("{function}(|{}| {value})", names.step));
    }
    match terms.as_slice() {
        [one] => one.clone(),
        many => format!("quarter({})", many.join(", ")),
    }
}

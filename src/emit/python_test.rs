//! The self-test at the end of a file of Python, behind `if __name__ == "__main__":`. Numbers and comparisons come in, Python
//! goes out; NumPy, PyTorch and JAX differ in how an array is made.

use super::array_test::{Compared, Spelling, parts};
use super::arrays::Written;
use super::python::RESERVED;
use super::selftest::{Array, CURVATURE_STEP, SLOPE_STEP, SelfTest, TOLERANCE};

/// How a library makes an array of a list.
pub(super) struct Library {
    /// The module's name.
    module: &'static str,
    /// What stands before the list.
    open: &'static str,
    /// What stands behind it.
    close: &'static str,
    /// The largest size of entries of `$`, an array or number.
    largest: &'static str,
    /// A line before all others.
    first: &'static str,
}

pub(super) const NP: Library =
    Library { module: "np", open: "np.array(", close: ")", largest: "np.max(abs($))", first: "" };
pub(super) const TORCH: Library = Library {
    module: "torch",
    open: "torch.tensor(",
    close: ", dtype=torch.float64)",
    largest: "torch.as_tensor(abs($)).max()",
    first: "",
};
pub(super) const JNP: Library = Library {
    module: "jnp",
    open: "jnp.array(",
    close: ")",
    largest: "jnp.max(abs($))",
    first: "    jax.config.update(\"jax_enable_x64\", True)\n",
};

/// The test's text, behind a blank line.
pub(super) fn written(written: &Written, test: &SelfTest, library: &Library) -> String {
    let parts = parts(written, test, RESERVED, library);
    let mut out = format!(
        "\n\ndef _self_test() -> None:\n    \"\"\"Compares each derivative, along a direction, with differences of the value.\"\"\"\n{}",
        library.first
    );
    for (name, value) in &parts.assigned {
        out.push_str(&format!("    {name} = {value}\n"));
    }
    for Compared { output, derivative, difference } in &parts.compared {
        out.push_str(&format!(
            "    _agree(\n        \"{output}\",\n        {derivative},\n        {difference},\n    )\n"
        ));
    }
    for (output, why) in &parts.left_out {
        out.push_str(&format!("    print(\"{output} is not tested: {why}\")\n"));
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
    error = float({})
    if not error <= {TOLERANCE} * (1 + float({})):
        raise AssertionError(f\"{{name}} is off by {{error:.1e}} from differences\")
",
        library.largest.replace('$', "derivative - difference"),
        library.largest.replace('$', "difference")
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

impl Spelling for Library {
    fn literal(&self, array: &Array) -> String {
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
        format!("{}{text}{}", self.open, self.close)
    }

    fn output_of(&self, call: &str, output: &str) -> String {
        format!("{call}.{output}")
    }

    fn applied(&self, derivative: &str, direction: &str, rank: usize) -> String {
        match rank {
            0 => format!("{derivative} * {direction}"),
            rank => format!("{}.tensordot({derivative}, {direction}, {rank})", self.module),
        }
    }

    fn against(&self, direction: &str, value: &str) -> String {
        format!("{}.sum({direction} * {value})", self.module)
    }

    fn difference(&self, second: bool, step: &str, value: &str) -> String {
        format!("{}(lambda {step}: {value})", if second { "_curvature" } else { "_slope" })
    }

    fn minus(&self) -> &'static str {
        "\n            - "
    }
}

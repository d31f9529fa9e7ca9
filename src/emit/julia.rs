//! Julia: one function of arrays that gives back a named tuple, and for each scalar with gradients a function with a
//! `ChainRulesCore.rrule`. A vector is a `Vector`, whichever way it lies in the formula.

use super::array_test::{Compared, Spelling, parts};
use super::arrays::{Dialect, Line, Written, dimension, write as write_arrays};
use super::code::{Code, rank};
use super::python::{self, Halves, halves};
use super::selftest::{Array, CURVATURE_STEP, SLOPE_STEP, SelfTest, TOLERANCE};
use super::sizes::{AxisOf, Source};
use super::{About, EmitError, Emitted};
use crate::dimension::DimId;

const DIALECT: Dialect = Dialect {
    functions: |form| form.julia,
    rows: ROWS,
    host: None,
    helpers: HELPERS,
    multiply: " .* ",
    divide: " ./ ",
    power: " .^ ",
    product: " * ",
    add: [" .+ ", " .- "],
    scale: " * ",
    shrink: " / ",
    scalar_power: " ^ ",
    flat: true,
    halves: ".",
    integer_division: " ÷ ",
    reserved: RESERVED,
    not_equal: "!=",
};

const RESERVED: &[&str] = &[
    "baremodule begin break catch const continue do else elseif end export false finally for function global if import",
    "in isa let local macro module outer quote return struct true try type using where while mutable abstract primitive",
    "exp log log1p expm1 sqrt abs sign sin cos tan asin acos atan sinh cosh tanh max min erf erfc zeros ones fill I dot sum",
    "norm inv det logdet cholesky tril triu pinv diag diagm tr kron reshape repeat vec vcat hcat size length Matrix Vector",
    "Symmetric Float64 Real Int AbstractMatrix AbstractVector NoTangent ChainRulesCore LinearAlgebra SpecialFunctions pi",
    "svd prod eigen throw DimensionMismatch grad maximum missing nothing isqrt transpose adjoint abs2 only typeof println",
    "pullback LineNumberNode",
];

#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    ("cast", "Float64$.($0)"),
    ("number", "Float64($0)"),
    ("pi", "pi"),
    ("e", "exp(1)"),
    ("identity", "Matrix(1.0I, $m, $m)"),
    ("unit", "[Float64(i == $k) for i in 1:$m]"),
    ("fill", "fill(Float64($0), $shape)"),
    ("repeat", "+@0 .+ zeros($shape)"),
    ("transpose", "@0'"),
    ("as row", "@0'"),
    ("column matrix", "reshape($0, :, 1)"),
    ("row matrix", "@0'"),
    ("scalar matrix", "fill($0, 1, 1)"),
    ("scalar vector", "[$0]"),
    ("row times matrix", "*@1' * @0"),
    ("solve", "\\@0 \\ @1"),
    ("solve positive", "\\cholesky(Symmetric($0)) \\ @1"),
    ("power", "^@0 ^ ($k)"),
    ("root", "_positive_root($0)"),
    ("inverse root", "inv(_positive_root($0))"),
    ("expm along", "_along(exp, $0, $1)"),
    ("power along", "_along(a -> a ^ ($k), $0, $1)"),
    ("joined", "vcat($list)"),
    ("horizontal", "hcat($list)"),
    ("vertical", "vcat($list)"),
    ("einsum", "[$entries for $ranges]"),
    ("eye", ""),
    ("ones", ""),
    ("zeros", "zeros($size)"),
];

const HELPERS: &[(&str, &str)] = &[
    (
        "_positive_root",
        "\"The symmetric positive definite root of such a matrix.\"
_positive_root(a) = Matrix(sqrt(Symmetric(a)))
",
    ),
    (
        "_along",
        "\"The derivative of a function of matrices at a along e: the upper right block of f([a e; 0 a]).\"
function _along(f, a, e)
    n = size(a, 1)
    return f([a e; zero(a) a])[1:n, n+1:end]
end
",
    ),
];

fn size(code: &Code, written: &Written, d: DimId) -> String {
    dimension(&code.dimensions, d, &written.dimensions, " ÷ ").0
}

fn axes_text(code: &Code, written: &Written, input: usize) -> String {
    let shape = code.inputs[input].shape;
    let axes: Vec<String> =
        [shape.rows, shape.columns].into_iter().filter(|&d| d != DimId::ONE).map(|d| size(code, written, d)).collect();
    if axes.len() == 1 { format!("({},)", axes[0]) } else { format!("({})", axes.join(", ")) }
}

/// The lines that bind the dimensions and check the shapes.
fn size_lines(code: &Code, written: &Written) -> String {
    let mut out = String::new();
    let axis = |of: &AxisOf| format!("size({}, {})", written.inputs[of.input], of.axis + 1);
    for (name, source) in &written.sizes.names {
        let own = &written.dimensions[name];
        match source {
            Source::Parameter => {}
            Source::Fixed(n) => out.push_str(&format!("    {own} = {n}\n")),
            Source::Triangle { of } => out.push_str(&format!("    {own} = (isqrt(8 * {} + 1) - 1) ÷ 2\n", axis(of))),
            Source::Axis { of, factor, rest } => {
                let mut right = axis(of);
                if let Some(rest) = rest {
                    right = format!("{right} - ({})", size(code, written, *rest));
                }
                if *factor != 1 {
                    right = format!("({right}) ÷ {factor}");
                }
                out.push_str(&format!("    {own} = {right}\n"));
            }
        }
    }
    for (i, (input, name)) in code.inputs.iter().zip(&written.inputs).enumerate() {
        if rank(input.shape) > 0 {
            let shape = axes_text(code, written, i);
            out.push_str(&format!(
                "    size({name}) == {shape} || throw(DimensionMismatch(\"{name} must have the size {shape}\"))\n"
            ));
        }
    }
    out
}

fn parameters(code: &Code, written: &Written) -> String {
    let arrays = code.inputs.iter().zip(&written.inputs).map(|(input, name)| match rank(input.shape) {
        0 => format!("{name}::Real"),
        1 => format!("{name}::AbstractVector"),
        _ => format!("{name}::AbstractMatrix"),
    });
    let sizes = written.size_parameters().into_iter().map(|name| format!("{name}::Int"));
    arrays.chain(sizes).collect::<Vec<_>>().join(", ")
}

fn body_line(line: &Line) -> String {
    let comment = if line.formula.is_empty() { String::new() } else { format!("  # {}", line.formula) };
    format!("    {} = {}{comment}\n", line.name, line.right)
}

/// Text that may stand in a string of several lines.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$")
}

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let written = write_arrays(code, &DIALECT)?;
    let code = &*code;
    let mut doc = format!(
        "\"\"\"\n    {}({})\n\nValues and derivatives, derived by matgrad.\n\nThe program:\n\n",
        written.name,
        python::arguments(&written)
    );
    about.program().for_each(|line| doc.push_str(&format!("    {}\n", quoted(line))));
    if !about.derivation.is_empty() {
        doc.push_str("\nThe derivation:\n\n");
        for line in &about.derivation {
            doc.push_str(format!("    {}", quoted(line)).trim_end());
            doc.push('\n');
        }
    }
    doc.push_str("\nWhat is given:\n\n");
    for (i, (input, name)) in code.inputs.iter().zip(&written.inputs).enumerate() {
        doc.push_str(&format!("- `{name}`: {}, size `{}`\n", input.kind, axes_text(code, &written, i)));
    }
    doc.push_str("\nWhat comes back:\n\n");
    for (output, name) in code.outputs.iter().zip(&written.outputs) {
        doc.push_str(&format!("- `{name}`: {}\n", output.title));
    }
    doc.push_str("\"\"\"\n");
    let fields: Vec<String> =
        written.outputs.iter().zip(&written.results).map(|(name, right)| format!("{name} = {right},")).collect();
    let sizes = size_lines(code, &written);
    let body: String = written.lines.iter().map(body_line).collect();
    let mut main = format!(
        "{doc}function {}({})\n{sizes}{body}    return ({})\nend\n",
        written.name,
        parameters(code, &written),
        fields.join(" ")
    );
    for place in 0..code.outputs.len() {
        if let Some(rule) = rrule(code, &written, place, &sizes) {
            main.push_str(&format!("\n{rule}"));
        }
    }
    for helper in &written.helpers {
        main.push_str(&format!("\n{helper}"));
    }
    if let Some(test) = &about.test {
        main.push_str(&self_test(&written, test));
    }
    let mut imports = "using LinearAlgebra\n".to_owned();
    if main.contains("ChainRulesCore.") {
        imports.insert_str(0, "using ChainRulesCore: ChainRulesCore, NoTangent\n");
    }
    if main.contains("erf") {
        imports.push_str("using SpecialFunctions: erf, erfc\n");
    }
    Ok(written.emitted(code, format!("{imports}\n{main}")))
}

/// The value alone and its rule for reverse mode.
fn rrule(code: &Code, written: &Written, place: usize, sizes: &str) -> Option<String> {
    let Halves { gradients, forward, backward, .. } = halves(code, written, place)?;
    let output = &written.outputs[place];
    let result = &written.results[place];
    let mut function = format!("value_{output}");
    if function == written.name {
        function.push('_');
    }
    let parameters = parameters(code, written);
    let first: String = forward.iter().map(|line| body_line(line)).collect();
    let second: String = backward.iter().map(|line| format!("    {}", body_line(line))).collect();
    let mut out = format!(
        "\"{output} alone; a rule of ChainRulesCore gives its derived gradient.\"\nfunction {function}({parameters})\n{sizes}{first}    return {result}\nend\n\n"
    );
    let mut parts = vec!["NoTangent()".to_owned()];
    for (name, gradient) in written.inputs.iter().zip(&gradients) {
        parts.push(match gradient {
            Some(i) => format!("grad * {}", written.results[*i]),
            None => format!("ChainRulesCore.NotImplemented(@__MODULE__, LineNumberNode(0), \"the gradient by {name} was not derived\")"),
        });
    }
    parts.extend(written.size_parameters().iter().map(|_| "NoTangent()".to_owned()));
    out.push_str(&format!(
        "function ChainRulesCore.rrule(::typeof({function}), {parameters})\n{sizes}{first}    function pullback(grad)\n{second}        return ({})\n    end\n    return {result}, pullback\nend\n",
        parts.join(", ")
    ));
    Some(out)
}

/// The self-test, where the file is run as a program.
fn self_test(written: &Written, test: &SelfTest) -> String {
    let parts = parts(written, test, RESERVED, &Julia);
    let mut body = String::new();
    for (name, value) in &parts.assigned {
        body.push_str(&format!("    {name} = {value}\n"));
    }
    for Compared { output, derivative, difference } in &parts.compared {
        body.push_str(&format!("    _agree(\"{output}\", {derivative}, {difference})\n"));
    }
    for (output, why) in &parts.left_out {
        body.push_str(&format!("    println(\"{output} is not tested: {why}\")\n"));
    }
    format!(
        "
\"Compares each derivative, along a direction, with differences of the value.\"
function _self_test()
{body}    println(\"{}: {} with differences\")
end

\"A derivative applied to a direction of its last axes.\"
_applied(a, d::Number) = a * d
function _applied(a, d)
    kept = size(a)[1:ndims(a) - ndims(d)]
    out = reshape(a, :, length(d)) * vec(d)
    return isempty(kept) ? only(out) : reshape(out, kept)
end

\"The derivative of f at 0 by differences of fourth order.\"
_slope(f, h = {SLOPE_STEP:?}) = (8 * (f(h) - f(-h)) - (f(2h) - f(-2h))) / (12h)

\"The second derivative of f at 0 by differences of fourth order.\"
_curvature(f, h = {CURVATURE_STEP:?}) = (16 * (f(h) + f(-h)) - (f(2h) + f(-2h)) - 30 * f(0.0)) / (12 * h * h)

function _agree(name, derivative, difference)
    error_found = maximum(abs.(derivative - difference))
    error_found <= {TOLERANCE} * (1 + maximum(abs.(difference))) || error(\"$name is off by $error_found from differences\")
end

if abspath(PROGRAM_FILE) == @__FILE__
    _self_test()
end
",
        written.name,
        test.count()
    )
}

/// How Julia writes the parts of a self-test.
struct Julia;

impl Spelling for Julia {
    fn literal(&self, array: &Array) -> String {
        let list =
            |entries: &[f64], between: &str| entries.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(between);
        match array.rank {
            0 => format!("{:?}", array.entries[0]),
            1 => format!("[{}]", list(&array.entries, ", ")),
            // Numbers below each other would be a vector.
            _ if array.shape[1] == 1 => format!("reshape([{}], :, 1)", list(&array.entries, ", ")),
            _ => {
                let rows: Vec<String> = array.entries.chunks(array.shape[1]).map(|row| list(row, " ")).collect();
                format!("[{}]", rows.join("; "))
            }
        }
    }

    fn output_of(&self, call: &str, output: &str) -> String {
        format!("{call}.{output}")
    }

    fn applied(&self, derivative: &str, direction: &str, _: usize) -> String {
        format!("_applied({derivative}, {direction})")
    }

    fn against(&self, direction: &str, value: &str) -> String {
        format!("dot({direction}, {value})")
    }

    fn difference(&self, second: bool, step: &str, value: &str) -> String {
        format!("{}({step} -> {value})", if second { "_curvature" } else { "_slope" })
    }
}

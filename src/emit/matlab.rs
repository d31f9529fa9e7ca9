//! MATLAB, and Octave: a file of one function that gives back a structure, rows as rows and columns as columns.

use super::array_test::{Compared, Spelling, parts};
use super::arrays::{Dialect, Written, dimension, write as write_arrays};
use super::code::Code;
use super::selftest::{Array, CURVATURE_STEP, SLOPE_STEP, SelfTest, TOLERANCE};
use super::sizes::{AxisOf, Source};
use super::{About, EmitError, Emitted};
use crate::dimension::DimId;

const DIALECT: Dialect = Dialect {
    functions: |form| form.matlab,
    rows: ROWS,
    host: None,
    helpers: HELPERS,
    multiply: " .* ",
    divide: " ./ ",
    power: " .^ ",
    product: " * ",
    add: [" + ", " - "],
    scale: " * ",
    shrink: " / ",
    scalar_power: " ^ ",
    flat: false,
    halves: "",
    integer_division: " / ",
    reserved: RESERVED,
    not_equal: "~=",
};

const RESERVED: &[&str] = &[
    "break case catch classdef continue else elseif end for function global if otherwise parfor persistent return spmd",
    "switch try while do until endif endfor endwhile endfunction end_try_catch unwind_protect properties methods events",
    "exp log log1p expm1 sqrt abs sign sin cos tan asin acos atan sinh cosh tanh max min erf erfc double zeros ones eye",
    "repmat dot sum norm inv det expm chol tril triu pinv diag trace kron sqrtm reshape pi e i j Inf NaN size numel assert",
    "isequal full result true false error func varargin varargout nargin nargout ans I J eps svd prod real imag lu logical",
    "any all disp import rank cross length end ndims permute lambda",
];

#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    ("cast", "double($0)"),
    ("pi", "pi"),
    ("e", "exp(1)"),
    ("identity", "full(eye($m))"),
    ("unit", "double((1:$m)' == $k)"),
    ("fill", "repmat($0, $m, $n)"),
    ("repeat", "+@0 + zeros($m, $n)"),
    ("transpose", "@0'"),
    ("solve", "\\@0 \\ @1"),
    ("solve positive", "\\@0 \\ @1"),
    ("power", "^@0 ^ ($k)"),
    ("root", "sqrtm($0)"),
    ("inverse root", "inv(sqrtm($0))"),
    ("expm along", "mg_along(@expm, $0, $1)"),
    ("power along", "mg_along(@(a) a ^ ($k), $0, $1)"),
    ("horizontal", "[$list]"),
    ("vertical", "[$list;]"),
    ("einsum", "mg_tensor([$sizes], $axes, $pairs)"),
    ("eye", "full(eye($size))"),
    ("ones", "ones($size, 1)"),
    ("zeros", "zeros($size)"),
];

const HELPERS: &[(&str, &str)] = &[
    (
        "mg_dimension",
        "function dim = mg_dimension(x, dim)
if dim == 0
    dim = 1 + (size(x, 1) == 1);
end
end
",
    ),
    (
        "mg_along",
        "function y = mg_along(f, a, e)
% The derivative of a function of matrices at a along e: the upper right block of f([a, e; 0, a]).
n = size(a, 1);
block = f([a, e; zeros(n), a]);
y = block(1:n, n + 1:end);
end
",
    ),
    (
        "mg_tensor",
        "function y = mg_tensor(sizes, kept, varargin)
% The products of entries, summed over the indices behind the kept ones as soon as no array is left that has them. Behind
% these come pairs: the indices of an array and the array.
last = zeros(1, numel(sizes));
for k = 1:2:numel(varargin)
    last(varargin{k}) = k;
end
summed = sizes(kept + 1:end);
y = prod(summed(last(kept + 1:end) == 0));
for k = 1:2:numel(varargin)
    at = varargin{k};
    a = varargin{k + 1};
    if numel(at) == 2 && at(1) > at(2)
        a = a.';
    end
    shape = ones(1, max(numel(sizes), 2));
    shape(at) = sizes(at);
    y = y .* reshape(a, shape);
    for index = find(last == k)
        if index > kept
            y = sum(y, index);
        end
    end
end
y = y .* ones([sizes(1:kept), 1, 1]);
end
",
    ),
];

fn size(code: &Code, written: &Written, d: DimId) -> String {
    dimension(&code.dimensions, d, &written.dimensions, " / ").0
}

/// The lines that bind the dimensions and check the shapes.
fn size_lines(code: &Code, written: &Written) -> String {
    let mut out = String::new();
    let axis = |of: &AxisOf| format!("size({}, {})", written.inputs[of.input], if of.columns { 2 } else { 1 });
    for (name, source) in &written.sizes.names {
        let own = &written.dimensions[name];
        match source {
            Source::Parameter => {}
            Source::Fixed(n) => out.push_str(&format!("{own} = {n};\n")),
            Source::Triangle { of } => out.push_str(&format!("{own} = (sqrt(8 * {} + 1) - 1) / 2;\n", axis(of))),
            Source::Axis { of, factor, rest } => {
                let mut right = axis(of);
                if let Some(rest) = rest {
                    right = format!("{right} - ({})", size(code, written, *rest));
                }
                if *factor != 1 {
                    right = format!("({right}) / {factor}");
                }
                out.push_str(&format!("{own} = {right};\n"));
            }
        }
    }
    for (input, name) in code.inputs.iter().zip(&written.inputs) {
        let (rows, columns) = (size(code, written, input.shape.rows), size(code, written, input.shape.columns));
        out.push_str(&format!(
            "assert(isequal(size({name}), [{rows}, {columns}]), '{name} must be {rows} x {columns}');\n"
        ));
    }
    out
}

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>) -> Result<Emitted, EmitError> {
    let written = write_arrays(code, &DIALECT)?;
    let code = &*code;
    let parameters: Vec<String> = written.inputs.iter().cloned().chain(written.size_parameters()).collect();
    let mut text = format!("function result = {}({})\n", written.name, parameters.join(", "));
    text.push_str(&format!("%{} Values and derivatives, derived by matgrad.\n%\n", written.name.to_uppercase()));
    text.push_str("% The program:\n%\n");
    about.program().for_each(|line| text.push_str(&format!("%     {line}\n")));
    text.push_str("%\n% Inputs:\n");
    for (input, name) in code.inputs.iter().zip(&written.inputs) {
        let (rows, columns) = (size(code, &written, input.shape.rows), size(code, &written, input.shape.columns));
        text.push_str(&format!("%   {name}: {}, {rows} x {columns}\n", input.kind));
    }
    text.push_str("%\n% Fields of the result:\n");
    for (output, name) in code.outputs.iter().zip(&written.outputs) {
        text.push_str(&format!("%   {name}: {}\n", output.title));
    }
    if !about.derivation.is_empty() {
        text.push_str("\n% The derivation:\n%\n");
        for line in &about.derivation {
            text.push_str(format!("%     {line}").trim_end());
            text.push('\n');
        }
    }
    if about.test.is_some() {
        text.push_str("%\n% Without inputs it compares each derivative with differences of the value.\n");
    }
    text.push('\n');
    if about.test.is_some() {
        text.push_str("if nargin == 0\n    mg_self_test();\n    return\nend\n");
    }
    text.push_str(&size_lines(code, &written));
    for line in &written.lines {
        let comment = if line.formula.is_empty() { String::new() } else { format!("  % {}", line.formula) };
        text.push_str(&format!("{} = {};{comment}\n", line.name, line.right));
    }
    text.push_str("result = struct();\n");
    for (name, right) in written.outputs.iter().zip(&written.results) {
        text.push_str(&format!("result.{name} = {right};\n"));
    }
    text.push_str("end\n");
    for helper in &written.helpers {
        text.push_str(&format!("\n{helper}"));
    }
    if let Some(test) = &about.test {
        text.push_str(&self_test(&written, test));
    }
    Ok(written.emitted(code, text))
}

/// The self-test, a function of its own.
fn self_test(written: &Written, test: &SelfTest) -> String {
    let parts = parts(written, test, RESERVED, &Matlab);
    let mut body = String::new();
    for (name, value) in &parts.assigned {
        body.push_str(&format!("{name} = {value};\n"));
    }
    for Compared { output, derivative, difference } in &parts.compared {
        body.push_str(&format!("mg_agree('{output}', {derivative}, {difference});\n"));
    }
    for (output, why) in &parts.left_out {
        body.push_str(&format!("fprintf('{output} is not tested: {why}\\n');\n"));
    }
    format!(
        "
function mg_self_test()
% Compares each derivative, along a direction, with differences of the value.
{body}fprintf('{}: {} with differences\\n');
end

function y = mg_applied(a, d)
% A derivative applied to a direction of its last axes, as a column.
y = reshape(a, [], numel(d)) * d(:);
end

function y = mg_slope(f)
% The derivative of f at 0 by differences of fourth order.
h = {SLOPE_STEP:?};
y = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
end

function y = mg_curvature(f)
% The second derivative of f at 0 by differences of fourth order.
h = {CURVATURE_STEP:?};
y = (16 * (f(h) + f(-h)) - (f(2 * h) + f(-2 * h)) - 30 * f(0)) / (12 * h * h);
end

function mg_agree(name, derivative, difference)
off = max(abs(derivative(:) - difference(:)));
if ~(off <= {TOLERANCE} * (1 + max(abs(difference(:)))))
    error('%s is off by %.1e from differences', name, off);
end
end
",
        written.name,
        test.count()
    )
}

/// How MATLAB writes the parts of a self-test.
struct Matlab;

impl Spelling for Matlab {
    fn literal(&self, array: &Array) -> String {
        let row = |row: &[f64]| row.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", ");
        let rows: Vec<String> = array.entries.chunks(array.shape[1]).map(row).collect();
        format!("[{}]", rows.join("; "))
    }

    fn output_of(&self, call: &str, output: &str) -> String {
        format!("getfield({call}, '{output}')")
    }

    fn applied(&self, derivative: &str, direction: &str, _: usize) -> String {
        format!("mg_applied({derivative}, {direction})")
    }

    fn against(&self, direction: &str, value: &str) -> String {
        format!("sum(sum({direction} .* {value}))")
    }

    fn difference(&self, second: bool, step: &str, value: &str) -> String {
        format!("{}(@({step}) {value})", if second { "mg_curvature" } else { "mg_slope" })
    }
}

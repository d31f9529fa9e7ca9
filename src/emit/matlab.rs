//! MATLAB, and Octave: a file of one function that gives back a structure, rows as rows and columns as columns.

use super::array_test::{Compared, Spelling, parts};
use super::arrays::{Dialect, Written, dimension, write as write_arrays};
use super::code::Code;
use super::selftest::{Array, CURVATURE_STEP, SLOPE_STEP, SelfTest, TOLERANCE};
use super::sizes::{AxisOf, Source};
use super::{About, EmitError, Emitted};
use crate::dimension::DimId;

const DIALECT: Dialect = Dialect {
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
    ("exp", "exp($0)"),
    ("log", "log($0)"),
    ("log1p", "log1p($0)"),
    ("expm1", "expm1($0)"),
    ("sqrt", "sqrt($0)"),
    ("abs", "abs($0)"),
    ("sign", "sign($0)"),
    ("sin", "sin($0)"),
    ("cos", "cos($0)"),
    ("tan", "tan($0)"),
    ("asin", "asin($0)"),
    ("acos", "acos($0)"),
    ("atan", "atan($0)"),
    ("sinh", "sinh($0)"),
    ("cosh", "cosh($0)"),
    ("tanh", "tanh($0)"),
    ("sigmoid", "*1 ./ (1 + exp(-@0))"),
    ("softplus", "+max($0, 0) + log1p(exp(-abs($0)))"),
    ("relu", "max($0, 0)"),
    ("elu", "+max($0, 0) + expm1(min($0, 0))"),
    ("gelu", "*0.5 * @0 .* erfc(-@0 / sqrt(2))"),
    ("silu", "*@0 ./ (1 + exp(-@0))"),
    ("erf", "erf($0)"),
    ("step", "double(@0 > 0)"),
    ("leaky_relu", "+max($0, 0) + @1 * min($0, 0)"),
    ("max", "max($0, $1)"),
    ("min", "min($0, $1)"),
    ("max number", "max($0, $1)"),
    ("min number", "min($0, $1)"),
    ("cast", "double($0)"),
    ("pi", "pi"),
    ("e", "exp(1)"),
    ("identity", "full(eye($m))"),
    ("unit", "double((1:$m)' == $k)"),
    ("fill", "repmat($0, $m, $n)"),
    ("repeat", "+@0 + zeros($m, $n)"),
    ("transpose", "@0'"),
    ("dot", "dot($0, $1)"),
    ("dot of matrices", "sum(sum(@0 .* @1))"),
    ("normsq", "sum(sum(@0 .^ 2))"),
    ("norm", "norm($0, 'fro')"),
    ("sum", "sum(sum($0))"),
    ("rowsum", "sum($0, 2)"),
    ("colsum", "sum($0, 1)"),
    ("softmax", "mg_softmax($0, 0)"),
    ("softmax of rows", "mg_softmax($0, 2)"),
    ("softmax of columns", "mg_softmax($0, 1)"),
    ("logsoftmax", "mg_logsoftmax($0, 0)"),
    ("logsoftmax of rows", "mg_logsoftmax($0, 2)"),
    ("logsoftmax of columns", "mg_logsoftmax($0, 1)"),
    ("logsumexp", "mg_logsumexp($0, 0)"),
    ("logsumexp of rows", "mg_logsumexp($0, 2)"),
    ("logsumexp of columns", "mg_logsumexp($0, 1)"),
    ("inv", "inv($0)"),
    ("solve", "*@0 \\ @1"),
    ("solve positive", "*@0 \\ @1"),
    ("det", "det($0)"),
    ("logdet", "mg_logdet($0)"),
    ("adj", "mg_adjugate($0)"),
    ("expm", "expm($0)"),
    ("chol", "chol($0, 'lower')"),
    ("tril", "tril($0)"),
    ("triu", "triu($0)"),
    ("pinv", "pinv($0)"),
    ("diagonal", "diag($0)"),
    ("diagonal matrix", "full(diag($0))"),
    ("tr", "trace($0)"),
    ("vech", "mg_vech($0)"),
    ("unvech", "mg_unvech($0, $m)"),
    ("kron", "kron($0, $1)"),
    ("power", "^@0 ^ ($k)"),
    ("root", "sqrtm($0)"),
    ("inverse root", "inv(sqrtm($0))"),
    ("expm along", "mg_along(@expm, $0, $1)"),
    ("power along", "mg_along(@(a) a ^ ($k), $0, $1)"),
    ("horizontal", "[$list]"),
    ("vertical", "[$list;]"),
    ("reshape", "reshape($0, $m, $n)"),
    ("einsum", "mg_tensor([$sizes], $axes, $pairs)"),
    ("eye", "full(eye($size))"),
    ("ones", "ones($size, 1)"),
    ("zeros", "zeros($size)"),
];

const HELPERS: &[(&str, &str)] = &[
    (
        "mg_softmax",
        "function y = mg_softmax(x, dim)
% Softmax along a dimension; along all entries of a vector where it is 0.
dim = mg_dimension(x, dim);
y = exp(x - max(x, [], dim));
y = y ./ sum(y, dim);
end
",
    ),
    (
        "mg_logsoftmax",
        "function y = mg_logsoftmax(x, dim)
% The logarithm of the softmax.
y = x - mg_logsumexp(x, dim);
end
",
    ),
    (
        "mg_logsumexp",
        "function y = mg_logsumexp(x, dim)
% log(sum(exp(x))) along a dimension; along all entries of a vector where it is 0.
dim = mg_dimension(x, dim);
largest = max(x, [], dim);
y = largest + log(sum(exp(x - largest), dim));
end
",
    ),
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
        "mg_logdet",
        "function y = mg_logdet(a)
% The logarithm of a positive determinant; not a number where it is negative.
[l, u, p] = lu(a);
if det(p) * prod(sign(diag(u))) < 0
    y = NaN;
else
    y = sum(log(abs(diag(u))));
end
end
",
    ),
    (
        "mg_adjugate",
        "function y = mg_adjugate(a)
% The transposed matrix of cofactors, of a singular matrix too: adj(U S V') = adj(V') adj(S) adj(U).
[u, s, v] = svd(a);
s = diag(s);
others = arrayfun(@(k) prod(s([1:k - 1, k + 1:end])), 1:numel(s));
y = det(u) * det(v) * (v .* others) * u';
end
",
    ),
    (
        "mg_vech",
        "function y = mg_vech(a)
% The lower triangle, column by column.
y = a(tril(true(size(a))));
end
",
    ),
    (
        "mg_unvech",
        "function y = mg_unvech(v, n)
% The lower triangular matrix with these entries, column by column.
y = zeros(n);
y(tril(true(n))) = v;
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
% The products of entries, summed over the indices behind the kept ones. Behind these come pairs: the indices of an array
% and the array.
y = ones([sizes(1:kept), 1, 1]);
for k = 1:2:numel(varargin)
    at = varargin{k};
    a = varargin{k + 1};
    if numel(at) == 2 && at(1) > at(2)
        a = a.';
    end
    shape = ones(1, max(numel(sizes), 2));
    shape(at) = sizes(at);
    y = y .* reshape(a, shape);
end
for k = numel(sizes):-1:kept + 1
    y = sum(y, k);
end
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

//! What the targets in Python share: the frame of a file, its docstrings, the checks of shapes. A program in lines comes
//! in, Python goes out; which library the lines call is not known here.

use rustc_hash::FxHashSet as HashSet;

use super::About;
use super::arrays::{Dialect, Level, Line, Written, dimension};
use super::code::{Code, Output, ResultKind, Value};
use super::sizes::{AxisOf, Source};
use crate::dimension::DimId;

/// How Python writes arrays; a library adds its functions, rows and helpers.
pub(super) const DIALECT: Dialect = Dialect {
    functions: |form| form.python,
    rows: &[],
    host: Some(|form| form.python),
    helpers: &[],
    multiply: " * ",
    divide: " / ",
    power: " ** ",
    product: " @ ",
    add: [" + ", " - "],
    scale: " * ",
    shrink: " / ",
    scalar_power: " ** ",
    flat: true,
    halves: "",
    integer_division: " // ",
    reserved: RESERVED,
    not_equal: "!=",
};

/// Puts the functions that the lines call behind them.
pub(super) fn add_helpers(main: &mut String, written: &Written) {
    for helper in &written.helpers {
        main.push_str(&format!("\n\n{helper}"));
    }
    for (name, text) in [("_check(", CHECK), ("_axes(", AXES)] {
        if main.contains(name) {
            main.push_str(&format!("\n\n{text}"));
        }
    }
}

/// Python's keywords, and names that the files use themselves.
pub(super) const RESERVED: &[&str] = &[
    "False None True and as assert async await break class continue def del elif else except finally for from global if",
    "import in is lambda nonlocal not or pass raise return try while with yield match case type print float int len list",
    "tuple super sum abs max min all any self cls math np scipy special torch jax jnp F Tensor Array NamedTuple Result",
    "ArrayLike NDArray ctx grad inputs output residuals rng once_differentiable partial isqrt ValueError",
];

/// How wide a line of a docstring may be.
const WIDTH: usize = 100;

/// The words at the top of a file.
pub(super) fn docstring(code: &Code, about: &About<'_>, library: &str) -> String {
    let title = format!("`{}`: values and derivatives with {library}, derived by matgrad.", code.name);
    let mut out = format!("\"\"\"{title}\n\nThe program:\n\n");
    about.program().for_each(|line| out.push_str(&format!("    {}\n", quoted(line))));
    if !about.derivation.is_empty() {
        out.push_str("\nThe derivation:\n\n");
        for line in &about.derivation {
            out.push_str(format!("    {}", quoted(line)).trim_end());
            out.push('\n');
        }
    }
    out.push_str("\"\"\"\n");
    out
}

/// Text that may stand between three quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"")
}

/// A dimension in Python.
pub(super) fn size(code: &Code, written: &Written, d: DimId) -> String {
    dimension(&code.dimensions, d, &written.dimensions, " // ").0
}

fn bracketed_size(code: &Code, written: &Written, d: DimId) -> String {
    let (text, level) = dimension(&code.dimensions, d, &written.dimensions, " // ");
    if level == Level::Atom { text } else { format!("({text})") }
}

/// `(N, D)`, `(n,)`, `()`
pub(super) fn shape_of(code: &Code, written: &Written, axes: &[DimId]) -> String {
    let parts: Vec<String> = axes.iter().map(|&d| size(code, written, d)).collect();
    match parts.as_slice() {
        [one] => format!("({one},)"),
        many => format!("({})", many.join(", ")),
    }
}

fn axes_of(code: &Code, input: usize) -> Vec<DimId> {
    let shape = code.inputs[input].shape;
    [shape.rows, shape.columns].into_iter().filter(|&d| d != DimId::ONE).collect()
}

/// The class of what the function gives back.
pub(super) fn result_class(code: &Code, written: &Written, array: &str) -> String {
    let mut out = format!("class Result(NamedTuple):\n    \"\"\"What `{}` gives back.\"\"\"\n\n", written.name);
    for (output, name) in code.outputs.iter().zip(&written.outputs) {
        out.push_str(&format!("    {name}: {array}  # {}\n", result_words(code, written, output)));
    }
    out
}

fn result_words(code: &Code, written: &Written, output: &Output) -> String {
    format!("{}, shape {}", output.title, shape_of(code, written, &output.axes))
}

/// `X: Tensor, n: int`
pub(super) fn parameters(written: &Written, array: &str) -> String {
    let arrays = written.inputs.iter().map(|name| format!("{name}: {array}"));
    let sizes = written.size_parameters().into_iter().map(|name| format!("{name}: int"));
    arrays.chain(sizes).collect::<Vec<_>>().join(", ")
}

/// `X, n`
pub(super) fn arguments(written: &Written) -> String {
    written.inputs.iter().cloned().chain(written.size_parameters()).collect::<Vec<_>>().join(", ")
}

/// The docstring of the function.
pub(super) fn function_docstring(code: &Code, written: &Written, first: &str) -> String {
    let mut out = format!("    \"\"\"{first}\n\n    Args:\n");
    for (i, (input, name)) in code.inputs.iter().zip(&written.inputs).enumerate() {
        let shape = shape_of(code, written, &axes_of(code, i));
        out.push_str(&wrapped(&format!("        {name}: {}, shape {shape}", input.kind)));
    }
    for name in written.size_parameters() {
        out.push_str(&format!("        {name}: a dimension\n"));
    }
    out.push_str("\n    Returns:\n");
    for (output, name) in code.outputs.iter().zip(&written.outputs) {
        out.push_str(&wrapped(&format!("        {name}: {}", result_words(code, written, output))));
    }
    out.push_str("\n    Raises:\n        ValueError: a shape does not fit\n    \"\"\"\n");
    out
}

fn wrapped(line: &str) -> String {
    let mut text = line.to_owned();
    if text.chars().count() > WIDTH {
        text = text.chars().take(WIDTH - 3).collect::<String>() + "...";
    }
    text + "\n"
}

/// The function that the checks of shapes call.
const CHECK: &str = "def _check(name, array, shape):
    if tuple(array.shape) != shape:
        raise ValueError(f\"`{name}` has shape {tuple(array.shape)}, expected {shape}\")
";

/// The function that takes sizes out of shapes.
const AXES: &str = "def _axes(name, array, axes):
    if len(array.shape) != axes:
        raise ValueError(f\"`{name}` has {len(array.shape)} axes, expected {axes}\")
    return array.shape
";

/// The lines that bind the dimensions and check the shapes, indented by four.
pub(super) fn size_lines(code: &Code, written: &Written) -> String {
    let mut out = String::new();
    let name_of = |name: &str| written.dimensions[name].clone();
    let axis = |of: &AxisOf| {
        let axes = axes_of(code, of.input).len();
        let array = &written.inputs[of.input];
        format!("_axes(\"{array}\", {array}, {axes})[{}]", of.axis)
    };
    // Whole shapes of new names first: `N, D = X.shape`.
    let mut bound: Vec<&str> = Vec::new();
    let plain = |name: &str| {
        written.sizes.names.iter().find(|(known, _)| known == name).and_then(|(_, source)| match source {
            Source::Axis { of, factor: 1, rest: None } => Some(*of),
            _ => None,
        })
    };
    for (name, source) in &written.sizes.names {
        if bound.contains(&name.as_str()) {
            continue;
        }
        match source {
            Source::Parameter => {}
            Source::Fixed(n) => out.push_str(&format!("    {} = {n}\n", name_of(name))),
            Source::Triangle { of } => {
                out.push_str(&format!("    {} = (math.isqrt(8 * {} + 1) - 1) // 2\n", name_of(name), axis(of)));
            }
            Source::Axis { of, factor: 1, rest: None } => {
                let array = &written.inputs[of.input];
                let all = axes_of(code, of.input);
                let mut places = Vec::with_capacity(all.len());
                for (i, &d) in all.iter().enumerate() {
                    let own =
                        code.dimensions.as_name(d).map(|n| code.dimensions.name(n)).filter(|n| !bound.contains(n));
                    let here = own.filter(|n| plain(n).is_some_and(|from| from.input == of.input && from.axis == i));
                    places.push(match here {
                        Some(own) => {
                            bound.push(own);
                            name_of(own)
                        }
                        None => "_".to_owned(),
                    });
                }
                let left = if places.len() == 1 { format!("({},)", places[0]) } else { places.join(", ") };
                out.push_str(&format!("    {left} = _axes(\"{array}\", {array}, {})\n", all.len()));
            }
            Source::Axis { of, factor, rest } => {
                let mut right = axis(of);
                if let Some(rest) = rest {
                    right = format!("{right} - {}", bracketed_size(code, written, *rest));
                }
                if *factor != 1 {
                    right =
                        if rest.is_some() { format!("({right}) // {factor}") } else { format!("{right} // {factor}") };
                }
                out.push_str(&format!("    {} = {right}\n", name_of(name)));
            }
        }
    }
    for (i, name) in written.inputs.iter().enumerate() {
        let axes = axes_of(code, i);
        let told = !axes.is_empty()
            && axes.iter().enumerate().all(|(place, &d)| {
                let own = code.dimensions.as_name(d).map(|n| code.dimensions.name(n));
                own.and_then(plain).is_some_and(|from| from.input == i && from.axis == place)
            });
        if !told {
            out.push_str(&format!("    _check(\"{name}\", {name}, {})\n", shape_of(code, written, &axes)));
        }
    }
    out
}

/// The lines of the body.
pub(super) fn body(written: &Written) -> String {
    let mut out = String::new();
    for line in &written.lines {
        out.push_str(&body_line(line));
    }
    out
}

/// A line of the body with its formula behind it.
pub(super) fn body_line(line: &super::arrays::Line) -> String {
    let text = format!("    {} = {}", line.name, line.right);
    match line.formula.as_str() {
        "" => format!("{text}\n"),
        formula if text.len() + formula.len() < WIDTH => format!("{text}  # {formula}\n"),
        formula => format!("    # {formula}\n{text}\n"),
    }
}

/// A line of sizes where the shapes are known to be right: `X.shape` for `_axes("X", X, 2)`.
pub(super) fn without_axis_checks(line: &str) -> String {
    let mut parts = line.split("_axes(\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (array, behind) = part.split_once('"').unwrap_or((part, ""));
        let rest = behind.split_once(')').map_or("", |(_, rest)| rest);
        out.push_str(&format!("{array}.shape{rest}"));
    }
    out
}

/// The call that gives the results back.
pub(super) fn returned(written: &Written) -> String {
    let fields: Vec<String> =
        written.outputs.iter().zip(&written.results).map(|(name, right)| format!("{name}={right}")).collect();
    let line = format!("    return Result({})\n", fields.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let rows: String = fields.iter().map(|field| format!("        {field},\n")).collect();
    format!("    return Result(\n{rows}    )\n")
}

/// A scalar result and its gradients as two functions: what is computed for the value, and what for the gradients beyond
/// it.
pub(super) struct Halves<'a> {
    /// For each input the place of its gradient among the results.
    pub(super) gradients: Vec<Option<usize>>,
    /// The lines that lead to the value.
    pub(super) forward: Vec<&'a Line>,
    /// The further lines that lead to the gradients.
    pub(super) backward: Vec<&'a Line>,
    /// The names of the first that the second read.
    pub(super) kept: Vec<&'a str>,
}

/// The result at that place in two halves, where it has gradients by inputs.
pub(super) fn halves<'a>(code: &Code, written: &'a Written, place: usize) -> Option<Halves<'a>> {
    let mut gradients: Vec<Option<usize>> = vec![None; code.inputs.len()];
    for (i, output) in code.outputs.iter().enumerate() {
        if let ResultKind::Gradient { of, wrt: Some(wrt) } = output.kind
            && of == place
        {
            gradients[wrt as usize] = Some(i);
        }
    }
    if gradients.iter().all(Option::is_none) {
        return None;
    }
    let named: HashSet<Value> = written.lines.iter().map(|line| line.value).collect();
    let needed = |roots: &[Value]| code.needed(roots).into_iter().collect::<HashSet<Value>>();
    let first = needed(&[code.outputs[place].value]);
    let roots: Vec<Value> = gradients.iter().flatten().map(|&i| code.outputs[i].value).collect();
    let second = needed(&roots);
    let lines = |wanted: &dyn Fn(Value) -> bool| -> Vec<&'a Line> {
        written.lines.iter().filter(|line| wanted(line.value)).collect()
    };
    let forward = lines(&|v| first.contains(&v));
    let backward = lines(&|v| second.contains(&v) && !first.contains(&v));
    let mut reads: HashSet<Value> = read_by(code, &roots, &named);
    for line in &backward {
        let mut operands = Vec::new();
        code.operands(line.value, |a| operands.push(a));
        reads.extend(read_by(code, &operands, &named));
    }
    let kept = forward.iter().filter(|line| reads.contains(&line.value)).map(|line| line.name.as_str()).collect();
    Some(Halves { gradients, forward, backward, kept })
}

/// What a value reads: values with a name, not looking behind those.
fn read_by(code: &Code, roots: &[Value], named: &HashSet<Value>) -> HashSet<Value> {
    let mut out = HashSet::default();
    let mut seen = HashSet::default();
    let mut waiting: Vec<Value> = roots.to_vec();
    while let Some(value) = waiting.pop() {
        if !seen.insert(value) {
            continue;
        }
        if named.contains(&value) {
            out.insert(value);
        } else {
            code.operands(value, |a| waiting.push(a));
        }
    }
    out
}

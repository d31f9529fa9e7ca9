//! Languages that have arrays: a program's values come in, expressions of the language go out, with brackets exactly where
//! its precedence needs them. What a language calls each operation is its own table, in its own file; what is written here
//! is what they share: sums, products, broadcasting, which values stand on lines of their own.

use rustc_hash::FxHashMap as HashMap;

use super::code::{Along, Code, MatrixOp, Op, SoftmaxPart, Value, rank};
use super::expressions::Writer;
use super::names::Names;
use super::sizes::{Sizes, sizes};
use super::statements::lines;
use super::{EmitError, Emitted};
use crate::dimension::DimId;
use crate::expr::Axis;
use crate::functions::{self, Column};

/// A row of a dialect's table: an operation, and how it is written. `$0` is its first operand where a comma or bracket
/// stands beside it, `@0` the same in brackets unless it is a name or call, `#0` as an array with as many axes as the
/// result. `$shape` is the result's shape, `$tuple` the same in brackets, `$m` and `$n` its rows and columns, `$p` the rows of the first operand, `$k` a
/// number of the operation, `$like` an input whose kind of entries the result has, `$.` a dot where the result is no
/// scalar. A `+`, `\`, `*`, `-` or `^` in front tells that the whole binds like a sum, solve, product, sign or power.
pub(super) type Row = (&'static str, &'static str);

/// How a language writes arrays.
pub(super) struct Dialect {
    /// The functions, in the dictionary.
    pub(super) functions: Column,
    /// The other operations.
    pub(super) rows: &'static [Row],
    /// The functions of numbers that are known from the sizes alone; nothing where those are written alike.
    pub(super) host: Option<Column>,
    /// Functions that the rows call and the language lacks: a name and its definition. Those of one function stand in the
    /// dictionary.
    pub(super) helpers: &'static [Row],
    /// ` * ` by entries.
    pub(super) multiply: &'static str,
    /// ` / ` by entries.
    pub(super) divide: &'static str,
    /// ` ** ` by entries.
    pub(super) power: &'static str,
    /// ` @ `
    pub(super) product: &'static str,
    /// ` + ` and ` - ` where one side is repeated.
    pub(super) add: [&'static str; 2],
    /// ` * ` where one side is a scalar.
    pub(super) scale: &'static str,
    /// ` / ` by a scalar.
    pub(super) shrink: &'static str,
    /// ` ** ` of scalars.
    pub(super) scalar_power: &'static str,
    /// Whether a vector has one axis, whichever way it lies.
    pub(super) flat: bool,
    /// The dot that is put before operators between arrays of other than scalar shape (Julia); empty elsewhere.
    pub(super) halves: &'static str,
    /// `m`·(m+1)/2 with integers: ` // `.
    pub(super) integer_division: &'static str,
    /// Names that may not be taken.
    pub(super) reserved: &'static [&'static str],
    /// Comparison signs in the order of `Comparison`.
    pub(super) not_equal: &'static str,
}

/// How tightly an expression binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Compare,
    Sum,
    /// `A \ b`, which a sign or factor on the left would join with A.
    Solve,
    Product,
    Sign,
    Power,
    Atom,
}

/// An expression of the language.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) level: Level,
}

impl Text {
    pub(super) fn new(text: impl Into<String>, level: Level) -> Text {
        Text { text: text.into(), level }
    }

    pub(super) fn atom(text: impl Into<String>) -> Text {
        Text::new(text, Level::Atom)
    }

    /// In brackets unless it binds at least as tightly.
    pub(super) fn at_least(&self, level: Level) -> String {
        if self.level >= level { self.text.clone() } else { format!("({})", self.text) }
    }
}

/// A line of the body.
pub(super) struct Line {
    /// The name it introduces.
    pub(super) name: String,
    /// What it stands for.
    pub(super) right: String,
    /// The formula in the language, where there is one.
    pub(super) formula: String,
    /// The value.
    pub(super) value: Value,
}

/// A program in a language with arrays.
pub(super) struct Written {
    /// The identifiers of the inputs.
    pub(super) inputs: Vec<String>,
    /// The identifiers of the dimensions and how they are known.
    pub(super) sizes: Sizes,
    /// The identifiers of the dimensions by name.
    pub(super) dimensions: HashMap<String, String>,
    /// The lines.
    pub(super) lines: Vec<Line>,
    /// What is given back, an expression for each output.
    pub(super) results: Vec<String>,
    /// The identifiers of the outputs.
    pub(super) outputs: Vec<String>,
    /// The identifier of the whole.
    pub(super) name: String,
    /// The definitions of the helpers that are called.
    pub(super) helpers: Vec<&'static str>,
}

impl Written {
    /// The identifiers of dimensions that are parameters.
    pub(super) fn size_parameters(&self) -> Vec<String> {
        self.sizes.parameters().map(|name| self.dimensions[name].clone()).collect()
    }

    /// The file, with what a caller has to know of it.
    pub(super) fn emitted(&self, code: &Code, text: String) -> Emitted {
        let sizes = self.sizes.parameters().map(|name| (name.clone(), self.dimensions[name].clone())).collect();
        Emitted::new(code, text, &self.name, [&self.inputs, &self.outputs], sizes)
    }
}

/// The program in a dialect.
pub(super) fn write(code: &mut Code, dialect: &Dialect) -> Result<Written, EmitError> {
    let sizes = sizes(code);
    let code = &*code;
    let mut names = Names::new(dialect.reserved);
    let name = names.take(&code.name);
    let inputs: Vec<String> = code.inputs.iter().map(|input| names.take(&input.name)).collect();
    let dimensions: HashMap<String, String> =
        sizes.names.iter().map(|(name, _)| (name.clone(), names.take(name))).collect();
    let roots = code.roots();
    let order = lines(code, &roots, &|code, value, operand| dialect.uses(code, value, operand));
    let mut writer = Writer { code, dialect, inputs: &inputs, dimensions: &dimensions, known: HashMap::default() };
    let mut out = Vec::with_capacity(order.len());
    for value in order {
        let (wanted, formula) = match code.label(value) {
            Some(label) => (label.name.clone(), label.formula.clone()),
            None => ("t".to_owned(), String::new()),
        };
        let mut right = writer.expression(value)?;
        if let Op::Compare(..) = code.op(value) {
            right = writer.cast(value, right);
        }
        if let Some(row) = dialect.row("constant").filter(|_| code.is_constant(value)) {
            right = writer.filled(row, value, &[value], &[right])?;
        }
        let name = if wanted == "t" { names.take(&format!("t{}", out.len() + 1)) } else { names.take(&wanted) };
        writer.known.insert(value, name.clone());
        out.push(Line { name, right: right.text, formula, value });
    }
    let mut results = Vec::with_capacity(roots.len());
    for &root in &roots {
        results.push(writer.result(root)?);
    }
    let mut fields = Names::new(dialect.reserved);
    let outputs = code.outputs.iter().map(|output| fields.take(&output.name)).collect();
    let all: Vec<&str> = out.iter().map(|line| line.right.as_str()).chain(results.iter().map(String::as_str)).collect();
    let helpers = helpers(dialect.functions, dialect.helpers, &all).into_iter().map(|(_, text)| text).collect();
    Ok(Written { inputs, sizes, dimensions, lines: out, results, outputs, name, helpers })
}

/// The helpers that the texts call, and those that these call, each behind those that it calls: names and definitions.
pub(super) fn helpers(functions: Column, own: &[Row], texts: &[&str]) -> Vec<Row> {
    let all: Vec<Row> = own.iter().copied().chain(functions::helpers(functions)).collect();
    // Julia's `f.(x)` is a call by entries.
    let calls: Vec<[String; 2]> = all.iter().map(|(name, _)| [format!("{name}("), format!("{name}.(")]).collect();
    let called = |text: &str| -> Vec<usize> {
        (0..all.len()).filter(|&place| calls[place].iter().any(|call| text.contains(call))).collect()
    };
    let mut out: Vec<usize> = Vec::new();
    // A place stands here once before what it calls, and once behind it.
    let mut waiting: Vec<(usize, bool)> =
        texts.iter().flat_map(|text| called(text)).map(|place| (place, false)).collect();
    waiting.reverse();
    while let Some((place, ready)) = waiting.pop() {
        if out.contains(&place) {
            continue;
        }
        if ready {
            out.push(place);
            continue;
        }
        waiting.push((place, true));
        let others = called(all[place].1).into_iter().filter(|&other| other != place);
        waiting.extend(others.map(|other| (other, false)));
    }
    out.into_iter().map(|place| all[place]).collect()
}

impl Dialect {
    /// How an operation is written.
    pub(super) fn row(&self, key: &str) -> Option<&'static str> {
        let own = self.rows.iter().find(|(known, _)| *known == key).map(|&(_, text)| text);
        own.or_else(|| functions::form(key, self.functions))
    }

    /// How often the form of a value has an operand.
    fn uses(&self, code: &Code, value: Value, operand: Value) -> usize {
        if code.is_size(value) {
            return 1;
        }
        let Some(row) = key(code, value).and_then(|key| self.row(key)) else { return 1 };
        let mut place = None;
        let mut next = 0;
        code.operands(value, |a| {
            if a == operand && place.is_none() {
                place = Some(next);
            }
            next += 1;
        });
        let Some(place) = place else { return 1 };
        let count = ["$", "@", "#"].iter().map(|sign| row.matches(&format!("{sign}{place}")).count()).sum::<usize>();
        count.max(1)
    }
}

/// The key of an operation in a dialect's table; nothing for what is written with operators.
pub(super) fn key(code: &Code, value: Value) -> Option<&'static str> {
    Some(match code.op(value) {
        Op::Map(function, _) => function.name(),
        Op::LeakyRelu(a, _) if code.is_size(*a) => "leaky_relu number",
        Op::LeakyRelu(..) => "leaky_relu",
        Op::Maximum(a, b) if code.is_size(*b) || code.is_size(*a) => "max number",
        Op::Maximum(..) => "max",
        Op::Minimum(a, b) if code.is_size(*b) || code.is_size(*a) => "min number",
        Op::Minimum(..) => "min",
        Op::Identity => "identity",
        Op::Unit(_) => "unit",
        Op::Pi => "pi",
        Op::Euler => "e",
        Op::Repeat(a) if code.is_size(*a) => "fill",
        Op::Repeat(_) => "repeat",
        Op::Transpose(_) => "transpose",
        Op::Dot(a, b) if a == b => "normsq",
        Op::Dot(a, _) if rank(code.shape(*a)) == 1 => "dot",
        Op::Dot(..) => "dot of matrices",
        Op::Total(Along::All, _) => "sum",
        Op::Total(Along::Rows, _) => "rowsum",
        Op::Total(Along::Columns, _) => "colsum",
        Op::Softmax(part, axis, _) => match (part, axis) {
            (SoftmaxPart::Softmax, Axis::All) => "softmax",
            (SoftmaxPart::Softmax, Axis::Rows) => "softmax of rows",
            (SoftmaxPart::Softmax, Axis::Columns) => "softmax of columns",
            (SoftmaxPart::LogSoftmax, Axis::All) => "logsoftmax",
            (SoftmaxPart::LogSoftmax, Axis::Rows) => "logsoftmax of rows",
            (SoftmaxPart::LogSoftmax, Axis::Columns) => "logsoftmax of columns",
            (SoftmaxPart::LogSumExp, Axis::All) => "logsumexp",
            (SoftmaxPart::LogSumExp, Axis::Rows) => "logsumexp of rows",
            (SoftmaxPart::LogSumExp, Axis::Columns) => "logsumexp of columns",
        },
        Op::Matrix(op, _) => matrix_key(*op),
        _ => return None,
    })
}

/// The key of an operation on whole matrices.
pub(super) fn matrix_key(op: MatrixOp) -> &'static str {
    match op {
        MatrixOp::Inverse => "inv",
        MatrixOp::Solve => "solve",
        MatrixOp::SolvePositive => "solve positive",
        MatrixOp::Determinant => "det",
        MatrixOp::LogDeterminant => "logdet",
        MatrixOp::Adjugate => "adj",
        MatrixOp::Exponential => "expm",
        MatrixOp::Cholesky => "chol",
        MatrixOp::Lower => "tril",
        MatrixOp::Upper => "triu",
        MatrixOp::PseudoInverse => "pinv",
        MatrixOp::Diagonal => "diag",
        MatrixOp::DiagonalMatrix => "diag of vector",
        MatrixOp::Trace => "tr",
        MatrixOp::Norm => "norm",
        MatrixOp::HalfVectorised => "vech",
        MatrixOp::FromHalfVectorised => "unvech",
        MatrixOp::Kronecker => "kron",
        MatrixOp::Power(_) => "power",
        MatrixOp::Root { inverse: false } => "root",
        MatrixOp::Root { inverse: true } => "inverse root",
        MatrixOp::ExponentialAlong => "expm along",
        MatrixOp::PowerAlong(_) => "power along",
        MatrixOp::Horizontal => "horizontal",
        MatrixOp::Vertical => "vertical",
        MatrixOp::Reshape => "reshape",
    }
}

/// A dimension in the arithmetic of integers.
pub(super) fn dimension(
    table: &crate::dimension::Dimensions,
    d: DimId,
    names: &HashMap<String, String>,
    division: &str,
) -> (String, Level) {
    let mut out = String::new();
    let mut level = Level::Atom;
    let mut count = 0;
    for (factors, k) in table.terms_for_reading(d) {
        let mut parts: Vec<String> = Vec::new();
        let size = k.unsigned_abs();
        if factors.is_empty() || size != 1 {
            parts.push(size.to_string());
        }
        for &name in factors {
            parts.push(match table.side_of_triangle(name) {
                Some(side) => {
                    let (side, level) = dimension(table, side, names, division);
                    let side = if level == Level::Atom { side } else { format!("({side})") };
                    format!("({side} * ({side} + 1){division}2)")
                }
                None => names.get(table.name(name)).cloned().unwrap_or_else(|| table.name(name).to_owned()),
            });
        }
        level = if parts.len() > 1 { Level::Product } else { Level::Atom };
        let minus = *k < 0;
        if count > 0 {
            out.push_str(if minus { " - " } else { " + " });
        } else if minus {
            out.push('-');
            level = Level::Sum;
        }
        out.push_str(&parts.join(" * "));
        count += 1;
    }
    match count {
        0 => ("0".to_owned(), Level::Atom),
        1 => (out, level),
        _ => (out, Level::Sum),
    }
}

//! Languages that have arrays: a program's values come in, expressions of the language go out, with brackets exactly where
//! its precedence needs them. What a language calls each operation is its own table, in its own file; what is written here
//! is what they share: sums, products, broadcasting, which values stand on lines of their own.

use rustc_hash::FxHashMap as HashMap;

use super::EmitError;
use super::code::{Along, Code, MatrixOp, Op, SoftmaxPart, Tensor, Value, rank};
use super::names::Names;
use super::sizes::{Source, Sizes, sizes};
use super::statements::lines;
use crate::dimension::{DimId, Shape};
use crate::expr::Axis;
use crate::number::Number;
use crate::render::text::number_text;

/// A row of a dialect's table: an operation, and how it is written. `$0` is its first operand where a comma or bracket
/// stands beside it, `@0` the same in brackets unless it is a name or call, `#0` as an array with as many axes as the
/// result. `$shape` is the result's shape, `$tuple` the same in brackets, `$m` and `$n` its rows and columns, `$p` the rows of the first operand, `$k` a
/// number of the operation, `$like` an input whose kind of entries the result has, `$.` a dot where the result is no
/// scalar. A `+`, `*`, `-` or `^` in front tells that the whole binds like a sum, product, sign or power.
pub(super) type Row = (&'static str, &'static str);

/// How a language writes arrays.
pub(super) struct Dialect {
    /// The operations.
    pub(super) rows: &'static [Row],
    /// The same for numbers that are known from the sizes alone; nothing where those are written alike.
    pub(super) host: Option<&'static [Row]>,
    /// Functions that the rows call and the language lacks: a name and its definition.
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
    fn new(text: impl Into<String>, level: Level) -> Text {
        Text { text: text.into(), level }
    }

    fn atom(text: impl Into<String>) -> Text {
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
        let parameters = self.sizes.names.iter().filter(|(_, source)| *source == Source::Parameter);
        parameters.map(|(name, _)| self.dimensions[name].clone()).collect()
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
    let mut writer =
        Writer { code, dialect, inputs: &inputs, dimensions: &dimensions, known: HashMap::default() };
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
    let helpers = helpers(dialect, &all);
    Ok(Written { inputs, sizes, dimensions, lines: out, results, outputs, name, helpers })
}

/// The helpers that the texts call, and those that these call.
fn helpers(dialect: &Dialect, texts: &[&str]) -> Vec<&'static str> {
    let mut wanted: Vec<&Row> = Vec::new();
    let mut waiting: Vec<&str> = texts.to_vec();
    while let Some(text) = waiting.pop() {
        for row in dialect.helpers {
            let called = text.contains(&format!("{}(", row.0));
            if called && !wanted.iter().any(|known| known.0 == row.0) {
                wanted.push(row);
                waiting.push(row.1);
            }
        }
    }
    dialect.helpers.iter().filter(|row| wanted.iter().any(|known| known.0 == row.0)).map(|row| row.1).collect()
}

impl Dialect {
    /// How an operation is written.
    fn row(&self, key: &str) -> Option<&'static str> {
        self.rows.iter().find(|(known, _)| *known == key).map(|&(_, text)| text)
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
        Op::Matrix(op, _) => match op {
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
            MatrixOp::Diagonal => "diagonal",
            MatrixOp::DiagonalMatrix => "diagonal matrix",
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
        },
        _ => return None,
    })
}

pub(super) struct Writer<'a> {
    pub(super) code: &'a Code,
    pub(super) dialect: &'a Dialect,
    pub(super) inputs: &'a [String],
    pub(super) dimensions: &'a HashMap<String, String>,
    pub(super) known: HashMap<Value, String>,
}

impl Writer<'_> {
    /// A value where it is used: its name, or its expression.
    fn used(&self, value: Value) -> Result<Text, EmitError> {
        if let Some(name) = self.known.get(&value) {
            return Ok(Text::atom(name));
        }
        let text = self.expression(value)?;
        Ok(match self.code.op(value) {
            Op::Compare(..) => self.cast(value, text),
            _ => text,
        })
    }

    /// A result: no plain number where the language tells those from arrays.
    fn result(&self, root: Value) -> Result<String, EmitError> {
        let text = self.used(root)?;
        if self.code.is_size(root)
            && let Some(row) = self.dialect.row("number")
        {
            return Ok(self.filled(row, root, &[root], &[text])?.text);
        }
        Ok(text.text)
    }

    /// A comparison as numbers.
    fn cast(&self, value: Value, text: Text) -> Text {
        match self.dialect.row("cast") {
            Some(row) => self.filled(row, value, &[value], std::slice::from_ref(&text)).unwrap_or(text),
            None => text,
        }
    }

    /// A value in an operation by entries whose result has this shape.
    fn spread(&self, value: Value, to: Shape, text: Text) -> Text {
        let own = self.code.shape(value);
        let row = match (own.is_column(), own.is_row()) {
            (true, _) if self.dialect.flat && rank(to) == 2 => self.dialect.row("as column"),
            (_, true) if self.dialect.flat && rank(to) == 2 => self.dialect.row("as row"),
            _ => None,
        };
        match row {
            Some(row) => self.filled(row, value, &[value], std::slice::from_ref(&text)).unwrap_or(text),
            None => text,
        }
    }

    fn spread_use(&self, value: Value, to: Shape) -> Result<Text, EmitError> {
        let text = self.used(value)?;
        Ok(self.spread(value, to, text))
    }

    /// Whether an operation on these has one shape throughout, but for numbers.
    fn alike(&self, list: impl Iterator<Item = Value>, to: Shape) -> bool {
        let mut list = list;
        list.all(|a| self.code.shape(a) == to)
    }

    /// The expression of a value whose operands are known or written in place.
    pub(super) fn expression(&self, value: Value) -> Result<Text, EmitError> {
        let code = self.code;
        let shape = code.shape(value);
        let scalar = shape.is_scalar();
        match code.op(value) {
            Op::Input(place) => Ok(Text::atom(self.inputs[*place as usize].as_str())),
            Op::Number(number) => Ok(self.number(*number)),
            Op::Dimension(d) => Ok(self.dimension(*d)),
            Op::Sum(terms) => {
                let alike = self.alike(terms.iter().map(|&(_, a)| a), shape);
                self.sum(terms, shape, alike)
            }
            Op::Multiply(list) => self.multiply(list, shape),
            Op::Divide(a, b) => {
                let (x, y) = (self.spread_use(*a, shape)?, self.spread_use(*b, shape)?);
                let sign = if code.shape(*b).is_scalar() && !code.shape(*a).is_scalar() || scalar {
                    self.dialect.shrink
                } else {
                    self.dialect.divide
                };
                let left = self.factor(*a, &x);
                Ok(Text::new(format!("{left}{sign}{}", y.at_least(Level::Sign)), Level::Product))
            }
            Op::Power(a, b) => {
                let (x, y) = (self.spread_use(*a, shape)?, self.spread_use(*b, shape)?);
                let sign = if scalar { self.dialect.scalar_power } else { self.dialect.power };
                Ok(Text::new(format!("{}{sign}{}", x.at_least(Level::Atom), y.at_least(Level::Atom)), Level::Power))
            }
            Op::Compare(comparison, a, b) => {
                let (x, y) = (self.spread_use(*a, shape)?, self.spread_use(*b, shape)?);
                let dot = if scalar { "" } else { self.dialect.halves };
                let sign = match comparison.text() {
                    "!=" => self.dialect.not_equal,
                    other => other,
                };
                let text = format!("{} {dot}{sign} {}", x.at_least(Level::Sum), y.at_least(Level::Sum));
                Ok(Text::new(text, Level::Compare))
            }
            Op::Transpose(a) if self.dialect.flat && rank(shape) < 2 => self.used(*a),
            Op::Product(a, b) => {
                let (x, y) = (self.product_side(*a)?, self.product_side(*b)?);
                if self.dialect.flat && code.shape(*a).is_row() && let Some(row) = self.dialect.row("row times matrix") {
                    return self.filled(row, value, &[*a, *b], &[x, y]);
                }
                let left = if matches!(code.op(*a), Op::Product(..)) { x.at_least(Level::Product) } else { x.at_least(Level::Sign) };
                Ok(Text::new(format!("{left}{}{}", self.dialect.product, y.at_least(Level::Sign)), Level::Product))
            }
            Op::Tensor(tensor) => self.tensor(tensor),
            _ => self.by_row(value),
        }
    }

    fn product_side(&self, value: Value) -> Result<Text, EmitError> {
        self.used(value)
    }

    /// A number; a sign in front of it binds like a sign.
    fn number(&self, number: Number) -> Text {
        let text = number_text(number);
        let level = match text.as_bytes().first() {
            _ if text.contains('/') => Level::Product,
            Some(b'-') => Level::Sign,
            _ => Level::Atom,
        };
        Text::new(text.replace('/', " / "), level)
    }

    /// A factor on the left of a product or quotient by entries: a matrix product or sum is bracketed.
    fn factor(&self, value: Value, text: &Text) -> String {
        let product = matches!(self.code.op(value), Op::Product(..)) && !self.known.contains_key(&value);
        if product { format!("({})", text.text) } else { text.at_least(Level::Product) }
    }

    fn multiply(&self, list: &[Value], shape: Shape) -> Result<Text, EmitError> {
        let code = self.code;
        let compare = |v: &Value| matches!(code.op(*v), Op::Compare(..)) && !self.known.contains_key(v);
        // A comparison beside a number counts as 0 or 1 by itself.
        let cast = list.iter().all(compare);
        let mut out = String::new();
        let mut so_far = Shape::SCALAR;
        for (i, &a) in list.iter().enumerate() {
            let own = code.shape(a);
            let text = if compare(&a) && !cast { self.expression(a)? } else { self.used(a)? };
            let text = self.spread(a, shape, text);
            if i == 0 {
                out = self.factor(a, &text);
                so_far = own;
                continue;
            }
            let sign = if so_far.is_scalar() || own.is_scalar() { self.dialect.scale } else { self.dialect.multiply };
            out.push_str(sign);
            out.push_str(&text.at_least(Level::Sign));
            if so_far.is_scalar() {
                so_far = own;
            }
        }
        Ok(Text::new(out, Level::Product))
    }

    fn sum(&self, terms: &[(Number, Value)], shape: Shape, alike: bool) -> Result<Text, EmitError> {
        let mut out = String::new();
        let mut level = Level::Sum;
        let signs = if alike || shape.is_scalar() { [" + ", " - "] } else { self.dialect.add };
        for (i, &(c, a)) in terms.iter().enumerate() {
            let text = self.spread_use(a, shape)?;
            let size = c.abs();
            let matrix = matches!(self.code.op(a), Op::Product(..)) && !self.known.contains_key(&a);
            let term = if size.is_one() {
                text.clone()
            } else if let Number::Ratio(1, n) = size
                && number_text(size).contains('/')
            {
                Text::new(format!("{}{}{n}", self.factor(a, &text), self.dialect.shrink), Level::Product)
            } else {
                let scaled = if matrix { format!("({})", text.text) } else { text.at_least(Level::Product) };
                let number = number_text(size).replace('/', " / ");
                Text::new(format!("{number}{}{scaled}", self.dialect.scale), Level::Product)
            };
            match (i, c.is_negative()) {
                (0, false) => {
                    level = term.level;
                    out = term.text;
                }
                (0, true) => {
                    level = if size.is_one() { Level::Sign } else { Level::Product };
                    out = format!("-{}", term.at_least(Level::Product));
                }
                (_, minus) => {
                    out.push_str(signs[usize::from(minus)]);
                    out.push_str(&term.at_least(if minus { Level::Product } else { Level::Sum }));
                }
            }
        }
        if terms.len() > 1 {
            level = Level::Sum;
        }
        Ok(Text::new(out, level))
    }

    /// An operation that the table has.
    fn by_row(&self, value: Value) -> Result<Text, EmitError> {
        let code = self.code;
        let Some(key) = key(code, value) else { return Err(EmitError::new("an operation without a form".to_owned())) };
        let mut row = None;
        if code.is_size(value)
            && let Some(host) = self.dialect.host
        {
            row = host.iter().find(|(known, _)| *known == key).map(|&(_, text)| text);
        }
        if matches!(code.op(value), Op::Matrix(MatrixOp::Horizontal | MatrixOp::Vertical, _)) && rank(code.shape(value)) == 1 {
            row = self.dialect.row("joined");
        }
        let Some(row) = row.or_else(|| self.dialect.row(key)) else {
            return Err(EmitError::new(format!("`{key}` is not covered for this target")));
        };
        let mut operands = Vec::new();
        code.operands(value, |a| operands.push(a));
        if matches!(code.op(value), Op::Maximum(..) | Op::Minimum(..)) && code.is_size(operands[0]) {
            operands.reverse();
        }
        let by_entries =
            matches!(code.op(value), Op::Map(..) | Op::LeakyRelu(..) | Op::Maximum(..) | Op::Minimum(..) | Op::Repeat(_));
        let mut texts = Vec::with_capacity(operands.len());
        for &a in &operands {
            texts.push(if by_entries { self.spread_use(a, code.shape(value))? } else { self.used(a)? });
        }
        self.filled(row, value, &operands, &texts)
    }

    /// A row of the table with its places filled.
    fn filled(&self, row: &'static str, value: Value, operands: &[Value], texts: &[Text]) -> Result<Text, EmitError> {
        let code = self.code;
        let shape = code.shape(value);
        let (level, row) = match row.as_bytes()[0] {
            b'+' => (Level::Sum, &row[1..]),
            b'*' => (Level::Product, &row[1..]),
            b'-' => (Level::Sign, row),
            b'^' => (Level::Power, &row[1..]),
            _ => (Level::Atom, row),
        };
        let mut out = String::with_capacity(2 * row.len());
        let mut rest = row;
        while let Some(at) = rest.find(['$', '@', '#']) {
            out.push_str(&rest[..at]);
            let sign = rest.as_bytes()[at];
            let word = &rest[at + 1..];
            let operand = word.as_bytes().first().filter(|c| c.is_ascii_digit()).map(|c| usize::from(c - b'0'));
            let mut taken = 1;
            match (sign, operand) {
                (_, Some(i)) => {
                    let (Some(text), Some(&operand)) = (texts.get(i), operands.get(i)) else {
                        return Err(EmitError::new("a row of the table names an operand too many".to_owned()));
                    };
                    out.push_str(&match sign {
                        b'$' => text.text.clone(),
                        b'@' => text.at_least(Level::Atom),
                        _ => self.with_axes(operand, text, shape)?,
                    });
                }
                (b'$', None) => {
                    let dimension = |d: DimId| self.dimension(d).text;
                    let first = operands.first().map(|&a| code.shape(a)).unwrap_or(shape);
                    let words: [(&str, &dyn Fn() -> String); 10] = [
                        ("shape", &|| self.shape_text(shape)),
                        ("tuple", &|| self.tuple_text(shape)),
                        ("like", &|| self.inputs.first().cloned().unwrap_or_default()),
                        ("list", &|| String::new()),
                        ("m", &|| dimension(shape.rows)),
                        ("n", &|| dimension(shape.columns)),
                        ("p", &|| dimension(first.rows)),
                        ("q", &|| dimension(first.columns)),
                        ("k", &|| self.number_of_operation(value)),
                        (".", &|| if shape.is_scalar() { String::new() } else { ".".to_owned() }),
                    ];
                    let Some((name, text)) = words.iter().find(|(name, _)| word.starts_with(name)) else {
                        out.push('$');
                        rest = word;
                        continue;
                    };
                    taken = name.len();
                    if *name == "list" {
                        let mut parts = Vec::with_capacity(texts.len());
                        for (&operand, text) in operands.iter().zip(texts) {
                            parts.push(self.with_axes(operand, text, shape)?);
                        }
                        let separator = if word.starts_with("list;") { "; " } else { ", " };
                        taken += usize::from(word.starts_with("list;"));
                        out.push_str(&parts.join(separator));
                    } else {
                        out.push_str(&text());
                    }
                }
                _ => {
                    out.push(char::from(sign));
                    taken = 0;
                }
            }
            rest = &word[taken..];
        }
        out.push_str(rest);
        Ok(Text::new(out, level))
    }

    /// An operand with as many axes as the result.
    fn with_axes(&self, operand: Value, text: &Text, to: Shape) -> Result<String, EmitError> {
        let own = self.code.shape(operand);
        if !self.dialect.flat || rank(own) >= rank(to) {
            return Ok(text.at_least(Level::Atom));
        }
        let key = match (rank(to), own.is_column(), own.is_row()) {
            (2, true, _) => "column matrix",
            (2, _, true) => "row matrix",
            (2, ..) => "scalar matrix",
            _ => "scalar vector",
        };
        let number = match key {
            "scalar matrix" if self.code.is_size(operand) => self.dialect.row("number matrix"),
            "scalar vector" if self.code.is_size(operand) => self.dialect.row("number vector"),
            _ => None,
        };
        match number.or_else(|| self.dialect.row(key)) {
            Some(row) => Ok(self.filled(row, operand, &[operand], std::slice::from_ref(text))?.text),
            None => Ok(text.at_least(Level::Atom)),
        }
    }

    fn number_of_operation(&self, value: Value) -> String {
        match self.code.op(value) {
            Op::Matrix(MatrixOp::Power(k) | MatrixOp::PowerAlong(k), _) => k.to_string(),
            Op::Unit(i) => i.to_string(),
            _ => String::new(),
        }
    }

    /// The shape of a value as the language writes it.
    fn shape_text(&self, shape: Shape) -> String {
        let axes: Vec<DimId> = match self.dialect.flat {
            true => [shape.rows, shape.columns].into_iter().filter(|&d| d != DimId::ONE).collect(),
            false => vec![shape.rows, shape.columns],
        };
        let parts: Vec<String> = axes.into_iter().map(|d| self.dimension(d).text).collect();
        parts.join(", ")
    }

    /// The same in brackets, with a comma behind a single size.
    fn tuple_text(&self, shape: Shape) -> String {
        let text = self.shape_text(shape);
        if rank(shape) == 1 && self.dialect.flat { format!("({text},)") } else { format!("({text})") }
    }

    /// A dimension as a number.
    pub(super) fn dimension(&self, d: DimId) -> Text {
        let (text, level) = dimension(&self.code.dimensions, d, self.dimensions, self.dialect.integer_division);
        Text::new(text, level)
    }

    fn tensor(&self, tensor: &Tensor) -> Result<Text, EmitError> {
        let mut terms = Vec::with_capacity(tensor.terms.len());
        for term in &tensor.terms {
            let mut factors = Vec::with_capacity(term.factors.len());
            for (factor, at) in &term.factors {
                factors.push((self.used(*factor)?, at.clone()));
            }
            terms.push(TensorText {
                coefficient: (self.code.number_of(term.coefficient) != Some(Number::ONE))
                    .then(|| self.used(term.coefficient))
                    .transpose()?,
                factors,
                deltas: term.deltas.clone(),
                summed: term.summed.iter().map(|&d| self.dimension(d).text).collect(),
            });
        }
        let axes: Vec<String> = tensor.axes.iter().map(|&d| self.dimension(d).text).collect();
        let like = self.inputs.first().cloned().unwrap_or_default();
        match self.dialect.row("einsum") {
            Some(_) => Ok(einsum(self, &axes, &terms, &like)),
            None => Err(EmitError::new("a derivative of more than two axes is not covered for this target".to_owned())),
        }
    }
}

/// A term of a tensor in the language.
pub(super) struct TensorText {
    pub(super) coefficient: Option<Text>,
    pub(super) factors: Vec<(Text, Vec<usize>)>,
    pub(super) deltas: Vec<(usize, usize)>,
    pub(super) summed: Vec<String>,
}

/// Letters of the axes, then of the indices that are summed over.
const LETTERS: &str = "ijklabcdefghmnopqrstuvwxyz";

/// The terms as calls of a function that sums products of entries by letters. The rows `eye` and `ones` make the factors of
/// deltas and of axes that no factor has.
fn einsum(writer: &Writer<'_>, axes: &[String], terms: &[TensorText], like: &str) -> Text {
    let letter = |i: usize| LETTERS.chars().nth(if i < axes.len() { i } else { i - axes.len() + 4 }).unwrap_or('?');
    let made = |key: &str, size: &str| {
        writer.dialect.row(key).unwrap_or_default().replace("$size", size).replace("$like", like)
    };
    let mut parts = Vec::new();
    for term in terms {
        let mut letters: Vec<String> = Vec::new();
        let mut arrays: Vec<String> = Vec::new();
        for (text, at) in &term.factors {
            letters.push(at.iter().map(|&i| letter(i)).collect());
            arrays.push(text.text.clone());
        }
        for &(i, j) in &term.deltas {
            letters.push([letter(i), letter(j)].iter().collect());
            arrays.push(made("eye", &axes[i]));
        }
        for i in 0..axes.len() + term.summed.len() {
            if !letters.iter().any(|known| known.contains(letter(i))) {
                let size = if i < axes.len() { &axes[i] } else { &term.summed[i - axes.len()] };
                letters.push(letter(i).to_string());
                arrays.push(made("ones", size));
            }
        }
        let all: String = (0..axes.len()).map(letter).collect();
        let call = writer.dialect.row("einsum").unwrap_or_default();
        let places = |letters: &String| -> String {
            let numbers: Vec<String> = letters
                .chars()
                .map(|c| (0..).find(|&i| letter(i) == c).map_or(0, |i: usize| i + 1).to_string())
                .collect();
            format!("[{}]", numbers.join(", "))
        };
        let pairs: Vec<String> = letters.iter().zip(&arrays).map(|(at, array)| format!("{}, {array}", places(at))).collect();
        let sizes: Vec<&str> = axes.iter().chain(&term.summed).map(String::as_str).collect();
        let call = call
            .replace("$letters", &format!("{}->{all}", letters.join(",")))
            .replace("$arrays", &arrays.join(", "))
            .replace("$pairs", &pairs.join(", "))
            .replace("$sizes", &sizes.join(", "))
            .replace("$entries", &entries_text(term, axes.len(), &letter))
            .replace("$axes", &axes.len().to_string())
            .replace("$ranges", &ranges(axes, &letter));
        parts.push(match &term.coefficient {
            Some(c) => format!("{}{}{call}", c.at_least(Level::Product), writer.dialect.scale),
            None => call,
        });
    }
    if parts.is_empty() {
        let shape = axes.join(", ");
        return Text::atom(made("zeros", &shape));
    }
    let level = match parts.len() {
        1 => Level::Product,
        _ => Level::Sum,
    };
    Text::new(parts.join(" + "), level)
}

/// A term entry by entry: `sum(A[i, a] * B[a, j] for a in 1:n)`.
fn entries_text(term: &TensorText, axes: usize, letter: &dyn Fn(usize) -> char) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (text, at) in &term.factors {
        let at: Vec<String> = at.iter().map(|&i| letter(i).to_string()).collect();
        parts.push(format!("{}[{}]", text.at_least(Level::Atom), at.join(", ")));
    }
    parts.extend(term.deltas.iter().map(|&(i, j)| format!("({} == {})", letter(i), letter(j))));
    let product = if parts.is_empty() { "1.0".to_owned() } else { parts.join(" * ") };
    if term.summed.is_empty() {
        return product;
    }
    let ranges: Vec<String> =
        term.summed.iter().enumerate().map(|(s, size)| format!("{} in 1:{size}", letter(axes + s))).collect();
    format!("sum({product} for {})", ranges.join(", "))
}

/// `i in 1:m, j in 1:n`
fn ranges(axes: &[String], letter: &dyn Fn(usize) -> char) -> String {
    let ranges: Vec<String> = axes.iter().enumerate().map(|(i, size)| format!("{} in 1:{size}", letter(i))).collect();
    ranges.join(", ")
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

//! Languages without arrays: a program's values come in, statements over buffers of numbers go out, row by row, in the words
//! of C or Rust. Operations by entries are fused into the loop that stores or sums them; matrix products and operations on
//! whole matrices are calls. Every buffer lies in one piece of memory that the caller gives: nothing is allocated.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::EmitError;
use super::arrays::{Level, Text, dimension, key};
use super::code::{Along, Code, MatrixOp, Op, SoftmaxPart, Tensor, Value, rank};
use super::names::Names;
use super::sizes::{Sizes, sizes};
use super::statements::lines;
use crate::dimension::{DimId, Shape};
use crate::expr::Axis;
use crate::number::Number;

/// What C and Rust say differently.
pub(super) trait Words {
    /// Names that may not be taken.
    fn reserved(&self) -> &'static [&'static str];
    /// The function of an operation by entries: `exp` is `f64::exp`.
    fn function(&self, key: &str) -> Option<&'static str>;
    /// A size as a number.
    fn real(&self, size: &str) -> String;
    /// One of two numbers.
    fn choose(&self, condition: &str, yes: &str, no: &str) -> String;
    /// A loop's first line.
    fn open(&self, index: &str, count: &str) -> String;
    /// A number that stays.
    fn constant(&self, name: &str, right: &str) -> String;
    /// A number that changes.
    fn variable(&self, name: &str, right: &str) -> String;
    /// A buffer of that many numbers.
    fn buffer(&self, name: &str, count: &str) -> String;
    /// What an output of one number is stored in.
    fn store(&self, output: &str, right: &str) -> String;
    /// left = alpha · op(a) · op(b), `sizes` are m, k, n; `turned` tells which side is transposed.
    fn product(&self, out: &str, sizes: [&str; 3], sides: [&str; 2], turned: [bool; 2]) -> String;
    /// A call of a helper that may fail.
    fn attempt(&self, call: &str) -> String;
    /// The dot product of two buffers; the norm of one.
    fn dot(&self, count: &str, a: &str, b: &str) -> String;
    /// The 2-norm of a buffer.
    fn norm(&self, count: &str, a: &str) -> String;
    /// The end of a statement.
    fn end(&self) -> &'static str {
        ";"
    }
    /// A comment.
    fn comment(&self, text: &str) -> String {
        format!("// {text}")
    }
}

/// A program over buffers.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) sizes: Sizes,
    pub(super) dimensions: HashMap<String, String>,
    /// The body, indented by four.
    pub(super) body: String,
    /// The numbers of entries of all buffers.
    pub(super) work: Vec<String>,
}

/// The program in those words.
pub(super) fn write(code: &mut Code, words: &dyn Words) -> Result<Written, EmitError> {
    let sizes = sizes(code);
    let code = &*code;
    let mut names = Names::new(words.reserved());
    let name = names.take(&code.name);
    let dimensions: HashMap<String, String> =
        sizes.names.iter().map(|(name, _)| (name.clone(), names.take(name))).collect();
    let inputs: Vec<String> = code.inputs.iter().map(|input| names.take(&input.name)).collect();
    let outputs: Vec<String> = code.outputs.iter().map(|output| names.take(&format!("{}_out", output.name))).collect();
    let stored = stored(code);
    let mut writer = Writer {
        code,
        words,
        inputs: &inputs,
        dimensions: &dimensions,
        stored: &stored,
        known: HashMap::default(),
        names: &mut names,
        body: String::new(),
        depth: 1,
        work: Vec::new(),
        unnamed: 0,
    };
    let roots = code.roots();
    let mut order: Vec<Value> = code.needed(&roots).into_iter().filter(|v| stored.contains(v)).collect();
    order.sort_unstable();
    for value in order {
        let place = code.outputs.iter().position(|output| output.value == value);
        let own = place.filter(|_| !code.shape(value).is_scalar()).map(|place| outputs[place].as_str());
        writer.statement(value, own)?;
    }
    for (place, output) in code.outputs.iter().enumerate() {
        writer.output(&outputs[place], output.value)?;
    }
    let (body, work) = (writer.body, writer.work);
    Ok(Written { name, inputs, outputs, sizes, dimensions, body, work })
}

/// Whether entries of a value can be computed one by one from entries of its operands.
fn by_entries(code: &Code, value: Value) -> bool {
    match code.op(value) {
        Op::Product(..) | Op::Dot(..) | Op::Total(..) | Op::Softmax(..) | Op::Tensor(_) => false,
        Op::Matrix(op, _) => {
            matches!(op, MatrixOp::Lower | MatrixOp::Upper | MatrixOp::Diagonal | MatrixOp::DiagonalMatrix)
        }
        _ => true,
    }
}

fn is_atom(code: &Code, value: Value) -> bool {
    matches!(code.op(value), Op::Input(_) | Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_))
}

/// The values that lie in a buffer or a variable of their own.
fn stored(code: &Code) -> HashSet<Value> {
    let roots = code.roots();
    let mut out: HashSet<Value> = lines(code, &roots, &|_, _, _| 1).into_iter().collect();
    out.retain(|&v| !matches!(code.op(v), Op::Identity | Op::Unit(_) | Op::Repeat(_)) || roots.contains(&v));
    for value in code.needed(&roots) {
        let whole = !by_entries(code, value);
        if whole {
            out.insert(value);
        }
        let mut operands = Vec::new();
        code.operands(value, |a| operands.push(a));
        for a in operands {
            let base = match *code.op(a) {
                Op::Transpose(inner) if matches!(code.op(value), Op::Product(..)) => inner,
                _ => a,
            };
            if is_atom(code, base) {
                continue;
            }
            // What sums by entries reads them once, all else reads a whole buffer.
            let reads_buffer = whole && !matches!(code.op(value), Op::Dot(..) | Op::Total(..));
            let smaller = code.shape(base) != code.shape(value) && !matches!(code.op(value), Op::Transpose(_) | Op::Dot(..) | Op::Total(..));
            let cheap = matches!(code.op(base), Op::Identity | Op::Unit(_) | Op::Transpose(_)) || code.is_size(base);
            if reads_buffer && !code.is_size(base) || smaller && !cheap {
                out.insert(base);
            }
        }
    }
    out
}

struct Writer<'a> {
    code: &'a Code,
    words: &'a dyn Words,
    inputs: &'a [String],
    dimensions: &'a HashMap<String, String>,
    stored: &'a HashSet<Value>,
    known: HashMap<Value, String>,
    names: &'a mut Names,
    body: String,
    depth: usize,
    work: Vec<String>,
    /// How many values without a name of their own there are so far.
    unnamed: usize,
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.body.push_str(&"    ".repeat(self.depth));
        self.body.push_str(text);
        self.body.push('\n');
    }

    fn open(&mut self, index: &str, count: &str) {
        let text = self.words.open(index, count);
        self.line(&text);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    fn size(&self, d: DimId) -> String {
        dimension(&self.code.dimensions, d, self.dimensions, " / ").0
    }

    fn factor(&self, d: DimId) -> String {
        let (text, level) = dimension(&self.code.dimensions, d, self.dimensions, " / ");
        if level >= Level::Product { text } else { format!("({text})") }
    }

    /// How many entries a shape has.
    fn count(&self, shape: Shape) -> String {
        match (shape.rows == DimId::ONE, shape.columns == DimId::ONE) {
            (true, true) => "1".to_owned(),
            (true, false) => self.size(shape.columns),
            (false, true) => self.size(shape.rows),
            _ => format!("{} * {}", self.factor(shape.rows), self.factor(shape.columns)),
        }
    }

    /// A new buffer of that many numbers.
    fn buffer(&mut self, name: &str, count: &str) {
        let text = self.words.buffer(name, count);
        self.line(&text);
        self.work.push(count.to_owned());
    }

    fn scratch(&mut self, count: &str) -> String {
        let name = self.names.take("scratch");
        self.buffer(&name, count);
        name
    }

    /// The buffer of a value, and whether its transpose is meant.
    fn buffer_of(&self, value: Value) -> Option<String> {
        match self.code.op(value) {
            Op::Input(place) => Some(self.inputs[*place as usize].clone()),
            _ => self.known.get(&value).cloned(),
        }
    }

    fn buffer_needed(&self, value: Value) -> Result<String, EmitError> {
        self.buffer_of(value).ok_or_else(|| EmitError::new("an operand without a buffer".to_owned()))
    }

    /// The statement that computes a value, into an output's buffer where one is given.
    fn statement(&mut self, value: Value, own: Option<&str>) -> Result<(), EmitError> {
        let code = self.code;
        let shape = code.shape(value);
        let label = code.label(value);
        if let Some(label) = label.filter(|label| !label.formula.is_empty()) {
            let text = self.words.comment(&label.formula);
            self.line(&text);
        }
        let name = match (own, label) {
            (Some(own), _) => own.to_owned(),
            (None, Some(label)) => self.names.take(&label.name),
            (None, None) => {
                self.unnamed += 1;
                self.names.take(&format!("t{}", self.unnamed))
            }
        };
        if shape.is_scalar() && !matches!(code.op(value), Op::Tensor(_)) {
            self.scalar(value, &name)?;
            self.known.insert(value, name);
            return Ok(());
        }
        if own.is_none() {
            let count = match code.op(value) {
                Op::Tensor(tensor) => self.count_of_axes(&tensor.axes),
                _ => self.count(shape),
            };
            self.buffer(&name, &count);
        }
        self.fill(value, &name)?;
        self.known.insert(value, name);
        Ok(())
    }

    fn count_of_axes(&self, axes: &[DimId]) -> String {
        axes.iter().map(|&d| self.factor(d)).collect::<Vec<_>>().join(" * ")
    }

    fn scalar(&mut self, value: Value, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        match *code.op(value) {
            Op::Dot(a, b) => {
                let count = self.count(code.shape(a));
                if let (Some(x), Some(y)) = (self.buffer_of(a), self.buffer_of(b)) {
                    let text = self.words.constant(name, &self.words.dot(&count, &x, &y));
                    self.line(&text);
                    return Ok(());
                }
                let turned = code.shape(a) != code.shape(b);
                self.accumulate(name, code.shape(a), &|writer, i, j| {
                    let x = writer.entry(a, i, j)?;
                    let y = if turned { writer.entry(b, j, i)? } else { writer.entry(b, i, j)? };
                    Ok(format!("{} * {}", x.at_least(Level::Product), y.at_least(Level::Sign)))
                })
            }
            Op::Total(_, a) => self.accumulate(name, code.shape(a), &|writer, i, j| Ok(writer.entry(a, i, j)?.text)),
            Op::Matrix(MatrixOp::Norm, ref list) => {
                let count = self.count(code.shape(list[0]));
                let x = self.buffer_needed(list[0])?;
                let text = self.words.constant(name, &self.words.norm(&count, &x));
                self.line(&text);
                Ok(())
            }
            Op::Matrix(MatrixOp::Trace, ref list) => {
                let (a, n) = (list[0], self.size(code.shape(list[0]).rows));
                let text = self.words.variable(name, "0.0");
                self.line(&text);
                self.open("i", &n);
                let entry = self.entry(a, "i", "i")?.text;
                self.line(&format!("{name} += {entry}{}", self.words.end()));
                self.close();
                Ok(())
            }
            Op::Matrix(op @ (MatrixOp::Determinant | MatrixOp::LogDeterminant), ref list) => {
                let n = self.size(code.shape(list[0]).rows);
                let a = self.buffer_needed(list[0])?;
                let scratch = self.scratch(&format!("({n}) * ({n})"));
                let helper = if op == MatrixOp::Determinant { "mg_determinant" } else { "mg_log_determinant" };
                let text = self.words.constant(name, &format!("{helper}({n}, {a}, {scratch})"));
                self.line(&text);
                Ok(())
            }
            Op::Softmax(SoftmaxPart::LogSumExp, _, a) => {
                let count = self.count(code.shape(a));
                let a = self.buffer_needed(a)?;
                let text = self.words.constant(name, &format!("mg_log_sum_exp({count}, {a}, 0, 1)"));
                self.line(&text);
                Ok(())
            }
            _ => {
                let text = self.entry_of(value, "0", "0")?.text;
                let text = self.words.constant(name, &text);
                self.line(&text);
                Ok(())
            }
        }
    }

    /// Loops over all entries of a shape; vectors have one.
    fn over(
        &mut self,
        shape: Shape,
        inner: &mut dyn FnMut(&mut Self, &str, &str) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        let (rows, columns) = (shape.rows != DimId::ONE, shape.columns != DimId::ONE);
        if rows {
            let count = self.size(shape.rows);
            self.open("i", &count);
        }
        if columns {
            let count = self.size(shape.columns);
            self.open("j", &count);
        }
        inner(self, if rows { "i" } else { "0" }, if columns { "j" } else { "0" })?;
        (0..usize::from(rows) + usize::from(columns)).for_each(|_| self.close());
        Ok(())
    }

    fn accumulate(
        &mut self,
        name: &str,
        shape: Shape,
        term: &dyn Fn(&Self, &str, &str) -> Result<String, EmitError>,
    ) -> Result<(), EmitError> {
        let text = self.words.variable(name, "0.0");
        self.line(&text);
        self.over(shape, &mut |writer, i, j| {
            let text = term(writer, i, j)?;
            writer.line(&format!("{name} += {text}{}", writer.words.end()));
            Ok(())
        })
    }

    /// Fills a buffer with a value.
    fn fill(&mut self, value: Value, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let shape = code.shape(value);
        let end = self.words.end();
        match code.op(value) {
            Op::Product(a, b) => self.product(*a, *b, name),
            Op::Total(along, a) => {
                let (along, a) = (*along, *a);
                self.over(shape, &mut |writer, i, j| {
                    let at = if along == Along::Rows { i } else { j };
                    writer.line(&format!("{name}[{at}] = 0.0{end}"));
                    Ok(())
                })?;
                self.over(code.shape(a), &mut |writer, i, j| {
                    let text = writer.entry(a, i, j)?.text;
                    let at = if along == Along::Rows { i } else { j };
                    writer.line(&format!("{name}[{at}] += {text}{end}"));
                    Ok(())
                })
            }
            Op::Softmax(part, axis, a) => self.softmax(*part, *axis, *a, name),
            Op::Tensor(tensor) => self.tensor(tensor, name),
            Op::Matrix(op, list) if !by_entries(code, value) => self.matrix(*op, list, shape, name),
            _ => self.over(shape, &mut |writer, i, j| {
                let text = writer.entry_of(value, i, j)?.text;
                let at = writer.place(shape, i, j);
                writer.line(&format!("{name}[{at}] = {text}{end}"));
                Ok(())
            }),
        }
    }

    /// Where an entry lies in a buffer of that shape.
    fn place(&self, shape: Shape, i: &str, j: &str) -> String {
        match rank(shape) {
            2 => format!("{i} * {} + {j}", self.factor_of_place(shape.columns)),
            _ if shape.rows != DimId::ONE => i.to_owned(),
            _ => j.to_owned(),
        }
    }

    fn factor_of_place(&self, d: DimId) -> String {
        let (text, level) = dimension(&self.code.dimensions, d, self.dimensions, " / ");
        if level == Level::Atom { text } else { format!("({text})") }
    }

    /// An entry of a value where it is used.
    fn entry(&self, value: Value, i: &str, j: &str) -> Result<Text, EmitError> {
        let shape = self.code.shape(value);
        if let Some(name) = self.buffer_of(value) {
            return Ok(Text {
                text: if shape.is_scalar() { name } else { format!("{name}[{}]", self.place(shape, i, j)) },
                level: Level::Atom,
            });
        }
        if self.stored.contains(&value) && !self.code.is_size(value) {
            return Err(EmitError::new("a value is read before it is computed".to_owned()));
        }
        self.entry_of(value, i, j)
    }

    fn call(&self, value: Value, arguments: &[Text]) -> Result<Text, EmitError> {
        let name = key(self.code, value).unwrap_or_default();
        let Some(function) = self.words.function(name) else {
            return Err(EmitError::new(format!("`{name}` is not covered for this target")));
        };
        let arguments: Vec<&str> = arguments.iter().map(|text| text.text.as_str()).collect();
        Ok(Text { text: format!("{function}({})", arguments.join(", ")), level: Level::Atom })
    }

    /// An entry of a value, computed from those of its operands.
    fn entry_of(&self, value: Value, i: &str, j: &str) -> Result<Text, EmitError> {
        let code = self.code;
        let at = |text: String, level: Level| Ok(Text { text, level });
        let choose = |condition: String, yes: &str, no: &str| {
            Ok(Text { text: self.words.choose(&condition, yes, no), level: Level::Atom })
        };
        match code.op(value) {
            Op::Input(_) => self.entry(value, i, j),
            Op::Number(number) => {
                let text = real_text(*number);
                let level = if text.starts_with('-') { Level::Sign } else { Level::Atom };
                at(text, level)
            }
            Op::Pi => at(format!("{:?}", std::f64::consts::PI), Level::Atom),
            Op::Euler => at(format!("{:?}", std::f64::consts::E), Level::Atom),
            Op::Dimension(d) => at(self.words.real(&self.size(*d)), Level::Atom),
            Op::Identity => choose(format!("{i} == {j}"), "1.0", "0.0"),
            Op::Unit(k) => choose(format!("{i} + 1 == {k}"), "1.0", "0.0"),
            Op::Repeat(a) => self.entry(*a, i, j),
            Op::Transpose(a) => self.entry(*a, j, i),
            Op::Sum(terms) => {
                let mut out = String::new();
                for (place, &(c, a)) in terms.iter().enumerate() {
                    let text = self.entry(a, i, j)?;
                    let size = c.abs();
                    let term = if size.is_one() {
                        text
                    } else {
                        let text = format!("{} * {}", real_text(size), text.at_least(Level::Sign));
                        Text { text, level: Level::Product }
                    };
                    match (place, c.is_negative()) {
                        (0, false) => out.push_str(&term.text),
                        (0, true) => out.push_str(&format!("-{}", term.at_least(Level::Product))),
                        (_, false) => out.push_str(&format!(" + {}", term.at_least(Level::Sum))),
                        (_, true) => out.push_str(&format!(" - {}", term.at_least(Level::Product))),
                    }
                }
                let level = if terms.len() == 1 && terms[0].0 == Number::MINUS_ONE { Level::Sign } else { Level::Sum };
                at(out, level)
            }
            Op::Multiply(list) => {
                let mut parts = Vec::with_capacity(list.len());
                for (place, &a) in list.iter().enumerate() {
                    let text = self.entry(a, i, j)?;
                    parts.push(text.at_least(if place == 0 { Level::Product } else { Level::Sign }));
                }
                at(parts.join(" * "), Level::Product)
            }
            Op::Divide(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                at(format!("{} / {}", x.at_least(Level::Product), y.at_least(Level::Sign)), Level::Product)
            }
            Op::Power(a, b) => {
                let x = self.entry(*a, i, j)?;
                if code.number_of(*b) == Some(Number::integer(2)) {
                    if x.level == Level::Atom && !x.text.contains('(') {
                        return at(format!("{} * {}", x.text, x.text), Level::Product);
                    }
                    return self.named_call("square", &[x]);
                }
                let y = self.entry(*b, i, j)?;
                self.named_call("power of entries", &[x, y])
            }
            Op::Map(_, a) => {
                let x = self.entry(*a, i, j)?;
                self.call(value, &[x])
            }
            Op::LeakyRelu(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                self.named_call("leaky_relu", &[x, y])
            }
            Op::Maximum(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                self.named_call("max", &[x, y])
            }
            Op::Minimum(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                self.named_call("min", &[x, y])
            }
            Op::Compare(comparison, a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                let condition =
                    format!("{} {} {}", x.at_least(Level::Sum), comparison.text(), y.at_least(Level::Sum));
                choose(condition, "1.0", "0.0")
            }
            Op::Matrix(MatrixOp::Lower, list) => choose(format!("{j} <= {i}"), &self.entry(list[0], i, j)?.text, "0.0"),
            Op::Matrix(MatrixOp::Upper, list) => choose(format!("{i} <= {j}"), &self.entry(list[0], i, j)?.text, "0.0"),
            Op::Matrix(MatrixOp::Diagonal, list) => self.entry(list[0], i, i),
            Op::Matrix(MatrixOp::DiagonalMatrix, list) => {
                choose(format!("{i} == {j}"), &self.entry(list[0], i, i)?.text, "0.0")
            }
            _ => Err(EmitError::new("an operation that has no entries of its own".to_owned())),
        }
    }

    fn named_call(&self, name: &str, arguments: &[Text]) -> Result<Text, EmitError> {
        let Some(function) = self.words.function(name) else {
            return Err(EmitError::new(format!("`{name}` is not covered for this target")));
        };
        let arguments: Vec<&str> = arguments.iter().map(|text| text.text.as_str()).collect();
        Ok(Text { text: format!("{function}({})", arguments.join(", ")), level: Level::Atom })
    }

    fn product(&mut self, a: Value, b: Value, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let side = |writer: &Self, v: Value| -> Result<(String, bool), EmitError> {
            match *code.op(v) {
                // The transpose of a vector has its entries in the same order.
                Op::Transpose(inner) if writer.buffer_of(v).is_none() => {
                    Ok((writer.buffer_needed(inner)?, rank(code.shape(v)) == 2))
                }
                _ => Ok((writer.buffer_needed(v)?, false)),
            }
        };
        let ((x, left), (y, right)) = (side(self, a)?, side(self, b)?);
        let (sa, sb) = (code.shape(a), code.shape(b));
        let (m, k, n) = (self.size(sa.rows), self.size(sa.columns), self.size(sb.columns));
        let text = self.words.product(name, [&m, &k, &n], [&x, &y], [left, right]);
        self.line(&text);
        Ok(())
    }

    fn softmax(&mut self, part: SoftmaxPart, axis: Axis, a: Value, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let shape = code.shape(a);
        let buffer = self.buffer_needed(a)?;
        let (rows, columns) = (self.size(shape.rows), self.size(shape.columns));
        let (lines, length, line_step, step) = match axis {
            Axis::All => ("1".to_owned(), self.count(shape), "0".to_owned(), "1".to_owned()),
            Axis::Rows => (rows, columns.clone(), columns, "1".to_owned()),
            Axis::Columns => (columns.clone(), rows, "1".to_owned(), columns),
        };
        let end = self.words.end();
        self.open("i", &lines);
        match part {
            SoftmaxPart::LogSumExp => {
                let start = format!("i * ({line_step})");
                self.line(&format!("{name}[i] = mg_log_sum_exp({length}, {buffer}, {start}, {step}){end}"));
            }
            _ => {
                let helper = if part == SoftmaxPart::Softmax { "mg_softmax" } else { "mg_log_softmax" };
                self.line(&format!("{helper}({length}, {buffer}, {name}, i * ({line_step}), {step}){end}"));
            }
        }
        self.close();
        Ok(())
    }

    fn matrix(&mut self, op: MatrixOp, list: &[Value], shape: Shape, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let end = self.words.end();
        let of = code.shape(list[0]);
        let (p, q) = (self.size(of.rows), self.size(of.columns));
        let square = |count: usize| format!("{count} * ({p}) * ({p})");
        let scratch = match op {
            MatrixOp::Inverse | MatrixOp::Solve | MatrixOp::SolvePositive => square(1),
            MatrixOp::Adjugate => square(2),
            MatrixOp::Power(_) => square(4),
            MatrixOp::Root { .. } => square(3),
            MatrixOp::Exponential => square(9),
            MatrixOp::ExponentialAlong => square(4 * 11),
            MatrixOp::PowerAlong(_) => square(4 * 6),
            MatrixOp::PseudoInverse => format!("({p}) * ({q}) + ({p}) * ({p}) + ({q}) * ({q})"),
            _ => String::new(),
        };
        let helper = match op {
            MatrixOp::Inverse => Some("mg_inverse"),
            MatrixOp::Solve => Some("mg_solve"),
            MatrixOp::SolvePositive => Some("mg_solve_positive"),
            MatrixOp::Adjugate => Some("mg_adjugate"),
            MatrixOp::Cholesky => Some("mg_cholesky"),
            MatrixOp::Power(_) => Some("mg_power"),
            MatrixOp::Root { inverse: false } => Some("mg_root"),
            MatrixOp::Root { inverse: true } => Some("mg_inverse_root"),
            MatrixOp::Exponential => Some("mg_exponential"),
            MatrixOp::ExponentialAlong => Some("mg_exponential_along"),
            MatrixOp::PowerAlong(_) => Some("mg_power_along"),
            MatrixOp::PseudoInverse => Some("mg_pseudo_inverse"),
            _ => None,
        };
        if let Some(helper) = helper {
            let mut arguments = vec![p.clone()];
            match op {
                MatrixOp::Solve | MatrixOp::SolvePositive => arguments.push(self.size(code.shape(list[1]).columns)),
                MatrixOp::PseudoInverse => arguments.push(q),
                MatrixOp::Power(k) | MatrixOp::PowerAlong(k) => arguments.push(k.to_string()),
                _ => {}
            }
            for &a in list {
                arguments.push(self.buffer_needed(a)?);
            }
            arguments.push(name.to_owned());
            if !scratch.is_empty() {
                let scratch = self.scratch(&scratch);
                arguments.push(scratch);
            }
            let text = self.words.attempt(&format!("{helper}({})", arguments.join(", ")));
            self.line(&text);
            return Ok(());
        }
        match op {
            MatrixOp::Kronecker => {
                let (a, b) = (list[0], list[1]);
                let inner = code.shape(b);
                let (r, c) = (self.factor_of_place(inner.rows), self.factor_of_place(inner.columns));
                self.over(shape, &mut |writer, i, j| {
                    let (ia, ib) = (format!("({i} / {r})"), format!("({i} % {r})"));
                    let (ja, jb) = (format!("({j} / {c})"), format!("({j} % {c})"));
                    let (x, y) = (writer.entry(a, &ia, &ja)?, writer.entry(b, &ib, &jb)?);
                    let at = writer.place(shape, i, j);
                    writer.line(&format!("{name}[{at}] = {} * {}{end}", x.at_least(Level::Product), y.at_least(Level::Sign)));
                    Ok(())
                })
            }
            MatrixOp::Reshape => {
                let a = list[0];
                let (from, to) = (self.factor_of_place(of.rows), self.factor_of_place(shape.rows));
                self.over(shape, &mut |writer, i, j| {
                    let place = format!("({j} * {to} + {i})");
                    let x = writer.entry(a, &format!("({place} % {from})"), &format!("({place} / {from})"))?;
                    let at = writer.place(shape, i, j);
                    writer.line(&format!("{name}[{at}] = {}{end}", x.text));
                    Ok(())
                })
            }
            MatrixOp::Horizontal | MatrixOp::Vertical => self.blocks(op, list, shape, name),
            MatrixOp::HalfVectorised | MatrixOp::FromHalfVectorised => {
                let back = op == MatrixOp::FromHalfVectorised;
                let n = if back { shape.rows } else { of.rows };
                let n = self.size(n);
                let buffer = self.buffer_needed(list[0])?;
                let helper = if back { "mg_from_half" } else { "mg_half" };
                self.line(&format!("{helper}({n}, {buffer}, {name}){end}"));
                Ok(())
            }
            _ => Err(EmitError::new("an operation on matrices that is not covered for this target".to_owned())),
        }
    }

    fn blocks(&mut self, op: MatrixOp, list: &[Value], shape: Shape, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let end = self.words.end();
        let mut offset: Vec<String> = Vec::new();
        for &block in list {
            let own = code.shape(block);
            let before = if offset.is_empty() { String::new() } else { format!("{} + ", offset.join(" + ")) };
            self.over(own, &mut |writer, i, j| {
                let x = writer.entry(block, i, j)?;
                let (row, column) = match op {
                    MatrixOp::Horizontal => (i.to_owned(), format!("{before}{j}")),
                    _ => (format!("({before}{i})"), j.to_owned()),
                };
                let row = if op == MatrixOp::Vertical && rank(shape) < 2 { format!("{before}{i}") } else { row };
                let at = writer.place(shape, &row, &column);
                writer.line(&format!("{name}[{at}] = {}{end}", x.text));
                Ok(())
            })?;
            offset.push(match op {
                MatrixOp::Horizontal => self.factor(own.columns),
                _ => self.factor(own.rows),
            });
        }
        Ok(())
    }

    fn tensor(&mut self, tensor: &Tensor, name: &str) -> Result<(), EmitError> {
        let end = self.words.end();
        let code = self.code;
        let axes = &tensor.axes;
        let indices: Vec<String> = (0..axes.len()).map(|i| format!("i{i}")).collect();
        let place = |writer: &Self, at: &[String]| {
            let mut out = at[0].clone();
            for (d, index) in axes.iter().zip(at).skip(1) {
                let inner = if out.contains(' ') { format!("({out})") } else { out };
                out = format!("{inner} * {} + {index}", writer.factor_of_place(*d));
            }
            out
        };
        let count = self.count_of_axes(axes);
        self.open("i", &count);
        self.line(&format!("{name}[i] = 0.0{end}"));
        self.close();
        for term in &tensor.terms {
            let mut at = indices.clone();
            for &(i, j) in &term.deltas {
                at[j] = at[i].clone();
            }
            let mut depth = 0;
            for i in 0..axes.len() {
                if at[i] == indices[i] {
                    let size = self.size(axes[i]);
                    self.open(&indices[i], &size);
                    depth += 1;
                }
            }
            let mut all = at.clone();
            all.extend((0..term.summed.len()).map(|s| format!("s{s}")));
            let mut product = Vec::new();
            for (factor, own) in &term.factors {
                let shape = code.shape(*factor);
                let text = match (own.as_slice(), shape.is_row()) {
                    (&[i, j], _) => self.entry(*factor, &all[i], &all[j])?,
                    (&[j], true) => self.entry(*factor, "0", &all[j])?,
                    (&[i], false) => self.entry(*factor, &all[i], "0")?,
                    _ => return Err(EmitError::new("a factor with other than one or two indices".to_owned())),
                };
                product.push(text.at_least(Level::Sign));
            }
            let whole = place(self, &at);
            let one = code.number_of(term.coefficient) == Some(Number::ONE);
            let c = self.entry(term.coefficient, "0", "0")?.at_least(Level::Sign);
            let joined = if product.is_empty() { "1.0".to_owned() } else { product.join(" * ") };
            if term.summed.is_empty() {
                let right = match (one, product.is_empty()) {
                    (true, _) => joined,
                    (false, true) => c,
                    (false, false) => format!("{c} * {joined}"),
                };
                self.line(&format!("{name}[{whole}] += {right}{end}"));
            } else {
                let text = self.words.variable("sum", "0.0");
                self.line(&text);
                for (s, &d) in term.summed.iter().enumerate() {
                    let size = self.size(d);
                    self.open(&format!("s{s}"), &size);
                }
                self.line(&format!("sum += {joined}{end}"));
                term.summed.iter().for_each(|_| self.close());
                let right = if one { "sum".to_owned() } else { format!("{c} * sum") };
                self.line(&format!("{name}[{whole}] += {right}{end}"));
            }
            (0..depth).for_each(|_| self.close());
        }
        Ok(())
    }

    /// Gives an output its value, unless that lies there already.
    fn output(&mut self, name: &str, value: Value) -> Result<(), EmitError> {
        let shape = self.code.shape(value);
        let tensor = matches!(self.code.op(value), Op::Tensor(_));
        if shape.is_scalar() && !tensor {
            let text = self.entry(value, "0", "0")?.text;
            let text = self.words.store(name, &text);
            self.line(&text);
            return Ok(());
        }
        let known = self.buffer_of(value);
        if known.as_deref() == Some(name) {
            return Ok(());
        }
        let end = self.words.end();
        if let (Op::Tensor(tensor), Some(known)) = (self.code.op(value), &known) {
            let count = self.count_of_axes(&tensor.axes);
            self.open("i", &count);
            self.line(&format!("{name}[i] = {known}[i]{end}"));
            self.close();
            return Ok(());
        }
        self.over(shape, &mut |writer, i, j| {
            let text = writer.entry(value, i, j)?.text;
            let at = writer.place(shape, i, j);
            writer.line(&format!("{name}[{at}] = {text}{end}"));
            Ok(())
        })
    }
}

/// A number with a point in it.
fn real_text(number: Number) -> String {
    format!("{:?}", number.to_f64())
}

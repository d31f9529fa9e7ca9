//! Loops over buffers: a value of a program comes in, the statements that fill its buffer or find its number go out.
//! Operations by entries stand within the loop, those on whole matrices are in `wholes`.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::EmitError;
use super::arrays::{Level, Text, dimension, matrix_key};
use super::buffers::{Words, by_entries};
use super::code::{Along, Code, MatrixOp, Op, SoftmaxPart, Value, rank};
use super::names::Names;
use crate::dimension::{DimId, Shape};
use crate::number::Number;

/// What the statements are written from, and what is written so far.
pub(super) struct Writer<'a> {
    pub(super) code: &'a Code,
    pub(super) words: &'a dyn Words,
    pub(super) inputs: &'a [String],
    pub(super) dimensions: &'a HashMap<String, String>,
    pub(super) stored: &'a HashSet<Value>,
    /// Products that are made in the buffer of what reads them.
    pub(super) hosts: &'a HashMap<Value, Value>,
    pub(super) known: HashMap<Value, String>,
    pub(super) names: &'a mut Names,
    pub(super) body: String,
    pub(super) depth: usize,
    pub(super) work: Vec<String>,
    /// How many values without a name of their own there are so far.
    pub(super) unnamed: usize,
}

impl Writer<'_> {
    pub(super) fn line(&mut self, text: &str) {
        self.body.push_str(&"    ".repeat(self.depth));
        self.body.push_str(text);
        self.body.push('\n');
    }

    pub(super) fn open(&mut self, index: &str, count: &str) {
        let text = self.words.open(index, count);
        self.line(&text);
        self.depth += 1;
    }

    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    pub(super) fn size(&self, d: DimId) -> String {
        dimension(&self.code.dimensions, d, self.dimensions, " / ").0
    }

    pub(super) fn factor(&self, d: DimId) -> String {
        let (text, level) = dimension(&self.code.dimensions, d, self.dimensions, " / ");
        if level >= Level::Product { text } else { format!("({text})") }
    }

    /// How many entries a shape has.
    pub(super) fn count(&self, shape: Shape) -> String {
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

    pub(super) fn scratch(&mut self, count: &str) -> String {
        let name = self.names.take("scratch");
        self.buffer(&name, count);
        name
    }

    /// The buffer of a value, and whether its transpose is meant.
    pub(super) fn buffer_of(&self, value: Value) -> Option<String> {
        match self.code.op(value) {
            Op::Input(place) => Some(self.inputs[*place as usize].clone()),
            _ => self.known.get(&value).cloned(),
        }
    }

    pub(super) fn buffer_needed(&self, value: Value) -> Result<String, EmitError> {
        self.buffer_of(value).ok_or_else(|| EmitError::new("an operand without a buffer".to_owned()))
    }

    /// The statement that computes a value.
    pub(super) fn statement(&mut self, value: Value, outputs: &[String]) -> Result<(), EmitError> {
        let code = self.code;
        let name = self.named(value, outputs);
        if let Some(&product) = self.hosts.get(&value) {
            self.fill(product, &name)?;
            self.known.insert(product, name.clone());
        }
        if code.shape(value).is_scalar() && !matches!(code.op(value), Op::Tensor(_)) {
            self.scalar(value, &name)?;
        } else {
            self.fill(value, &name)?;
        }
        self.known.insert(value, name);
        Ok(())
    }

    /// A value's name, after its formula and its buffer, which is that of an output where the value is one.
    fn named(&mut self, value: Value, outputs: &[String]) -> String {
        let code = self.code;
        let shape = code.shape(value);
        let label = code.label(value);
        if let Some(label) = label.filter(|label| !label.formula.is_empty()) {
            let text = self.words.comment(&label.formula);
            self.line(&text);
        }
        let place = code.outputs.iter().position(|output| output.value == value);
        if let Some(place) = place.filter(|_| !shape.is_scalar()) {
            return outputs[place].clone();
        }
        let name = match label {
            Some(label) => self.names.take(&label.name),
            None => {
                self.unnamed += 1;
                self.names.take(&format!("t{}", self.unnamed))
            }
        };
        let count = match code.op(value) {
            Op::Tensor(tensor) => self.count_of_axes(&tensor.axes),
            _ if shape.is_scalar() => return name,
            _ => self.count(shape),
        };
        self.buffer(&name, &count);
        name
    }

    pub(super) fn count_of_axes(&self, axes: &[DimId]) -> String {
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
                let helper = self.function(matrix_key(op))?;
                let text = self.words.constant(name, &format!("{helper}({n}, {a}, {scratch})"));
                self.line(&text);
                Ok(())
            }
            Op::Softmax(SoftmaxPart::LogSumExp, _, a) => {
                let count = self.count(code.shape(a));
                let a = self.buffer_needed(a)?;
                let text = self.words.constant(name, &format!("{}({count}, {a}, 0, 1)", self.function("logsumexp")?));
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
    pub(super) fn over(
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
                writer.line(&format!("{}{end}", assignment(&format!("{name}[{at}]"), &text)));
                Ok(())
            }),
        }
    }

    /// Where an entry lies in a buffer of that shape.
    pub(super) fn place(&self, shape: Shape, i: &str, j: &str) -> String {
        match rank(shape) {
            2 => format!("{i} * {} + {j}", self.factor_of_place(shape.columns)),
            _ if shape.rows != DimId::ONE => i.to_owned(),
            _ => j.to_owned(),
        }
    }

    pub(super) fn factor_of_place(&self, d: DimId) -> String {
        let (text, level) = dimension(&self.code.dimensions, d, self.dimensions, " / ");
        if level == Level::Atom { text } else { format!("({text})") }
    }

    /// An entry of a value where it is used.
    pub(super) fn entry(&self, value: Value, i: &str, j: &str) -> Result<Text, EmitError> {
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
                    return self.call("square", &[x]);
                }
                let y = self.entry(*b, i, j)?;
                Ok(called(self.words.power(), &[x, y]))
            }
            Op::Map(function, a) => {
                let x = self.entry(*a, i, j)?;
                self.call(function.name(), &[x])
            }
            Op::LeakyRelu(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                self.call("leaky_relu", &[x, y])
            }
            Op::Maximum(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                self.call("max", &[x, y])
            }
            Op::Minimum(a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                self.call("min", &[x, y])
            }
            Op::Compare(comparison, a, b) => {
                let (x, y) = (self.entry(*a, i, j)?, self.entry(*b, i, j)?);
                let condition = format!("{} {} {}", x.at_least(Level::Sum), comparison.text(), y.at_least(Level::Sum));
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

    /// What the language calls a function.
    pub(super) fn function(&self, key: &str) -> Result<&'static str, EmitError> {
        self.words.function(key).ok_or_else(|| EmitError::new(format!("`{key}` is not covered for this target")))
    }

    fn call(&self, key: &str, arguments: &[Text]) -> Result<Text, EmitError> {
        Ok(called(self.function(key)?, arguments))
    }

    /// Gives an output its value, unless that lies there already.
    pub(super) fn output(&mut self, name: &str, value: Value) -> Result<(), EmitError> {
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

/// `place = text`, or `place += …` where the text begins with the place and has one operation more.
fn assignment(place: &str, text: &str) -> String {
    let rest = text.strip_prefix(place).and_then(|rest| rest.strip_prefix(' '));
    if let Some((operator, rest)) = rest.and_then(|rest| rest.split_once(' ')) {
        let others: &[&str] = match operator {
            "+" | "-" => &[" + ", " - "],
            "*" | "/" => &[" + ", " - ", " * ", " / "],
            _ => return format!("{place} = {text}"),
        };
        if !others.iter().any(|other| stands_outside(rest, other)) {
            return format!("{place} {operator}= {rest}");
        }
    }
    format!("{place} = {text}")
}

/// Whether something stands in a text outside of all brackets.
fn stands_outside(text: &str, wanted: &str) -> bool {
    let mut depth = 0_usize;
    text.char_indices().any(|(at, c)| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && text[at..].starts_with(wanted)
    })
}

/// A call of a function.
fn called(function: &str, arguments: &[Text]) -> Text {
    let arguments: Vec<&str> = arguments.iter().map(|text| text.text.as_str()).collect();
    Text::atom(format!("{function}({})", arguments.join(", ")))
}

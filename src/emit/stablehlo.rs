//! StableHLO as text, for XLA: one module with one function, for given numbers of all dimensions. Rows of a named dimension
//! may be spread over devices; XLA's partitioner then adds what they sum together. What StableHLO has no operation for is a
//! function of the module.

use rustc_hash::FxHashMap as HashMap;

use super::arrays::key;
use super::code::{Along, Code, Op, SoftmaxPart, Value, rank};
use super::{About, EmitError, Emitted, Options};
use crate::dimension::{DimId, Shape};
use crate::expr::Axis;
use crate::functions;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A value in the text: its name and the sizes of its axes.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) name: String,
    pub(super) axes: Vec<i64>,
}

/// What the lines are written from, and what is written so far.
pub(super) struct Writer<'a> {
    pub(super) code: &'a Code,
    sizes: &'a HashMap<String, i64>,
    pub(super) body: String,
    pub(super) known: HashMap<Value, Tile>,
    pub(super) count: usize,
    /// Functions that `main` calls: their names and texts.
    functions: Vec<(String, String)>,
}

/// The file.
pub(super) fn write(code: &mut Code, about: &About<'_>, options: &Options) -> Result<Emitted, EmitError> {
    let code = &*code;
    let mut sizes: HashMap<String, i64> = code.fixed.iter().cloned().collect();
    sizes.extend(options.sizes.iter().cloned());
    let mut writer =
        Writer { code, sizes: &sizes, body: String::new(), known: HashMap::default(), count: 0, functions: Vec::new() };
    let mut parameters = Vec::with_capacity(code.inputs.len());
    for (place, input) in code.inputs.iter().enumerate() {
        let axes = writer.axes(input.shape)?;
        let rows = match &options.sharded {
            Some((name, devices)) if code.dimensions.text(input.shape.rows) == *name => {
                let others = if axes.len() == 2 { ",1" } else { "" };
                format!(" {{mhlo.sharding = \"{{devices=[{devices}{others}]<=[{devices}]}}\"}}")
            }
            Some(_) => " {mhlo.sharding = \"{replicated}\"}".to_owned(),
            None => String::new(),
        };
        parameters.push(format!("%arg{place}: {}{rows}", kind(&axes)));
    }
    let roots = code.roots();
    for value in code.needed(&roots) {
        let tile = writer.value(value)?;
        writer.known.insert(value, tile);
    }
    let results: Vec<Tile> = roots.iter().map(|root| writer.known[root].clone()).collect();
    let names: Vec<&str> = results.iter().map(|tile| tile.name.as_str()).collect();
    let kinds: Vec<String> = results.iter().map(|tile| kind(&tile.axes)).collect();
    let shown = if options.sharded.is_some() { " {mhlo.sharding = \"{replicated}\"}" } else { "" };
    let returned: Vec<String> = kinds.iter().map(|kind| format!("{kind}{shown}")).collect();
    let devices = options.sharded.as_ref().map_or(String::new(), |(_, devices)| {
        format!(" attributes {{mhlo.num_partitions = {devices} : i32, mhlo.num_replicas = 1 : i32}}")
    });
    let mut text = format!("// {}: values and derivatives, derived by matgrad.\n//\n// The program:\n//\n", code.name);
    about.program().for_each(|line| text.push_str(&format!("//     {line}\n")));
    about.derivation.iter().for_each(|line| text.push_str(&format!("// {line}\n")));
    text.push_str("//\n");
    for (place, input) in code.inputs.iter().enumerate() {
        text.push_str(&format!("// %arg{place} is {}: {}\n", input.name, input.kind));
    }
    for output in &code.outputs {
        text.push_str(&format!("// gives {}: {}\n", output.name, output.title));
    }
    text.push_str(&format!(
        "module @{}{devices} {{\n  func.func public @main({}) -> ({}) {{\n{}    return {} : {}\n  }}\n{}}}\n",
        super::names::identifier(&code.name),
        parameters.join(", "),
        returned.join(", "),
        writer.body,
        names.join(", "),
        kinds.join(", "),
        writer.functions.iter().map(|(_, text)| text.as_str()).collect::<String>()
    ));
    Ok(Emitted::under_own_names(code, text, "main"))
}

/// A number with a point, as MLIR wants it.
fn real(x: f64) -> String {
    let text = format!("{x:e}");
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

/// `tensor<3x4xf64>`
pub(super) fn kind(axes: &[i64]) -> String {
    kind_of(axes, "f64")
}

fn kind_of(axes: &[i64], entries: &str) -> String {
    let sizes: String = axes.iter().map(|n| format!("{n}x")).collect();
    format!("tensor<{sizes}{entries}>")
}

fn list(numbers: impl IntoIterator<Item = usize>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|n| n.to_string()).collect();
    format!("[{}]", numbers.join(", "))
}

impl Writer<'_> {
    pub(super) fn size(&self, d: DimId) -> Result<i64, EmitError> {
        let value = self.code.dimensions.value(d, &|name| self.sizes.get(name).copied());
        value.filter(|&n| n > 0).ok_or_else(|| {
            EmitError::new(format!(
                "the dimension `{}` needs a number: --size NAME=NUMBER",
                self.code.dimensions.text(d)
            ))
        })
    }

    fn axes(&self, shape: Shape) -> Result<Vec<i64>, EmitError> {
        [shape.rows, shape.columns].into_iter().filter(|&d| d != DimId::ONE).map(|d| self.size(d)).collect()
    }

    /// A line that gives a value of these axes.
    pub(super) fn line(&mut self, right: &str, axes: &[i64]) -> Tile {
        let name = format!("%{}", self.count);
        self.count += 1;
        self.body.push_str(&format!("    {name} = {right}\n"));
        Tile { name, axes: axes.to_vec() }
    }

    /// A line that gives several values: their names.
    pub(super) fn lines(&mut self, right: &str, count: usize) -> Vec<String> {
        let name = format!("%{}", self.count);
        self.count += 1;
        self.body.push_str(&format!("    {name}:{count} = {right}\n"));
        (0..count).map(|i| format!("{name}#{i}")).collect()
    }

    /// Whether the module has a function of that name.
    pub(super) fn has_function(&self, name: &str) -> bool {
        self.functions.iter().any(|(known, _)| known == name)
    }

    /// A function of the module, once.
    pub(super) fn function(&mut self, name: &str, text: impl FnOnce() -> String) {
        if !self.has_function(name) {
            self.functions.push((name.to_owned(), text()));
        }
    }

    pub(super) fn constant(&mut self, x: f64, axes: &[i64]) -> Tile {
        self.line(&format!("stablehlo.constant dense<{}> : {}", real(x), kind(axes)), axes)
    }

    pub(super) fn unary(&mut self, name: &str, a: &Tile) -> Tile {
        self.line(&format!("stablehlo.{name} {} : {}", a.name, kind(&a.axes)), &a.axes.clone())
    }

    pub(super) fn binary(&mut self, name: &str, a: &Tile, b: &Tile) -> Tile {
        self.line(&format!("stablehlo.{name} {}, {} : {}", a.name, b.name, kind(&a.axes)), &a.axes.clone())
    }

    /// The tile repeated: its axes are those at `places` of the result.
    pub(super) fn broadcast(&mut self, a: &Tile, places: &[usize], axes: &[i64]) -> Tile {
        if a.axes == axes {
            return a.clone();
        }
        let right = format!(
            "stablehlo.broadcast_in_dim {}, dims = {} : ({}) -> {}",
            a.name,
            list(places.iter().copied()),
            kind(&a.axes),
            kind(axes)
        );
        self.line(&right, axes)
    }

    /// A value in an operation by entries of that shape.
    fn spread(&mut self, value: Value, to: Shape) -> Result<Tile, EmitError> {
        let axes = self.axes(to)?;
        let own = self.code.shape(value);
        let tile = self.known[&value].clone();
        let places: Vec<usize> = match (rank(own), rank(to)) {
            (0, _) => Vec::new(),
            (1, 2) if own.is_row() => vec![1],
            (n, _) => (0..n).collect(),
        };
        Ok(self.broadcast(&tile, &places, &axes))
    }

    pub(super) fn reduce(&mut self, name: &str, start: f64, a: &Tile, over: &[usize]) -> Tile {
        let first = self.constant(start, &[]);
        let axes: Vec<i64> = a.axes.iter().enumerate().filter(|(i, _)| !over.contains(i)).map(|(_, &n)| n).collect();
        let right = format!(
            "stablehlo.reduce({} init: {}) applies stablehlo.{name} across dimensions = {} : ({}, tensor<f64>) -> {}",
            a.name,
            first.name,
            list(over.iter().copied()),
            kind(&a.axes),
            kind(&axes)
        );
        self.line(&right, &axes)
    }

    pub(super) fn dot(&mut self, a: &Tile, b: &Tile, over: [usize; 2]) -> Tile {
        let mut axes: Vec<i64> = a.axes.clone();
        axes.remove(over[0]);
        axes.extend(b.axes.iter().enumerate().filter(|(i, _)| *i != over[1]).map(|(_, &n)| n));
        let right = format!(
            "stablehlo.dot_general {}, {}, contracting_dims = [{}] x [{}] : ({}, {}) -> {}",
            a.name,
            b.name,
            over[0],
            over[1],
            kind(&a.axes),
            kind(&b.axes),
            kind(&axes)
        );
        self.line(&right, &axes)
    }

    /// 1 where it holds, else 0.
    pub(super) fn compare(&mut self, direction: &str, a: &Tile, b: &Tile) -> Tile {
        let truth = kind_of(&a.axes, "i1");
        let holds = self.line(
            &format!(
                "stablehlo.compare {direction}, {}, {}, FLOAT : ({}, {}) -> {truth}",
                a.name,
                b.name,
                kind(&a.axes),
                kind(&b.axes)
            ),
            &a.axes.clone(),
        );
        self.line(&format!("stablehlo.convert {} : ({truth}) -> {}", holds.name, kind(&a.axes)), &a.axes.clone())
    }

    /// x where it is positive, else y.
    pub(super) fn where_positive(&mut self, a: &Tile, x: &Tile, y: &Tile) -> Tile {
        let truth = kind_of(&a.axes, "i1");
        let zero = self.constant(0.0, &a.axes.clone());
        let right = format!(
            "stablehlo.compare GT, {}, {}, FLOAT : ({}, {}) -> {truth}",
            a.name,
            zero.name,
            kind(&a.axes),
            kind(&a.axes)
        );
        let holds = self.line(&right, &a.axes.clone());
        let right = format!("stablehlo.select {}, {}, {} : {truth}, {}", holds.name, x.name, y.name, kind(&a.axes));
        self.line(&right, &a.axes.clone())
    }

    pub(super) fn transpose(&mut self, a: &Tile) -> Tile {
        let axes: Vec<i64> = a.axes.iter().rev().copied().collect();
        self.line(
            &format!("stablehlo.transpose {}, dims = [1, 0] : ({}) -> {}", a.name, kind(&a.axes), kind(&axes)),
            &axes,
        )
    }

    pub(super) fn reshape(&mut self, a: &Tile, axes: &[i64]) -> Tile {
        if a.axes == axes {
            return a.clone();
        }
        self.line(&format!("stablehlo.reshape {} : ({}) -> {}", a.name, kind(&a.axes), kind(axes)), axes)
    }

    pub(super) fn iota(&mut self, dim: usize, axes: &[i64]) -> Tile {
        self.line(&format!("stablehlo.iota dim = {dim} : {}", kind(axes)), axes)
    }

    pub(super) fn identity(&mut self, n: i64) -> Tile {
        let (rows, columns) = (self.iota(0, &[n, n]), self.iota(1, &[n, n]));
        self.compare("EQ", &rows, &columns)
    }

    pub(super) fn lacking(&self, value: Value) -> EmitError {
        EmitError::new(format!(
            "`{}` is not covered: StableHLO has no operation for it",
            key(self.code, value).unwrap_or("?")
        ))
    }

    fn value(&mut self, value: Value) -> Result<Tile, EmitError> {
        let code = self.code;
        let shape = code.shape(value);
        if let Op::Tensor(tensor) = code.op(value) {
            return self.tensor(tensor);
        }
        let axes = self.axes(shape)?;
        let known = |writer: &Self, v: Value| writer.known[&v].clone();
        Ok(match code.op(value) {
            Op::Input(place) => Tile { name: format!("%arg{place}"), axes },
            Op::Number(number) => self.constant(number.to_f64(), &[]),
            Op::Pi => self.constant(std::f64::consts::PI, &[]),
            Op::Euler => self.constant(std::f64::consts::E, &[]),
            Op::Dimension(d) => {
                let n = self.size(*d)?;
                self.constant(n as f64, &[])
            }
            Op::Identity => self.identity(axes[0]),
            Op::Unit(k) => {
                let (places, one) = (self.iota(0, &axes), self.constant(*k as f64 - 1.0, &axes));
                self.compare("EQ", &places, &one)
            }
            Op::Repeat(a) => self.spread(*a, shape)?,
            Op::Sum(terms) => {
                let mut sum: Option<Tile> = None;
                for &(c, a) in terms {
                    let mut term = self.spread(a, shape)?;
                    let size = if sum.is_some() { c.abs() } else { c };
                    if size == Number::MINUS_ONE {
                        term = self.unary("negate", &term);
                    } else if !size.is_one() {
                        let factor = self.constant(size.to_f64(), &axes);
                        term = self.binary("multiply", &factor, &term);
                    }
                    sum = Some(match sum {
                        None => term,
                        Some(sum) => self.binary(if c.is_negative() { "subtract" } else { "add" }, &sum, &term),
                    });
                }
                sum.ok_or_else(|| self.lacking(value))?
            }
            Op::Multiply(list) => {
                let mut product = self.spread(list[0], shape)?;
                for &a in &list[1..] {
                    let factor = self.spread(a, shape)?;
                    product = self.binary("multiply", &product, &factor);
                }
                product
            }
            Op::Divide(a, b) => self.pair("divide", *a, *b, shape)?,
            Op::Power(a, b) if code.number_of(*b) == Some(Number::integer(2)) => {
                let base = self.spread(*a, shape)?;
                self.binary("multiply", &base, &base)
            }
            Op::Power(a, b) => self.pair("power", *a, *b, shape)?,
            Op::Maximum(a, b) => self.function_of_two("max", *a, *b, shape)?,
            Op::Minimum(a, b) => self.function_of_two("min", *a, *b, shape)?,
            Op::LeakyRelu(a, b) => self.function_of_two("leaky_relu", *a, *b, shape)?,
            Op::Compare(comparison, a, b) => {
                let (x, y) = (self.spread(*a, shape)?, self.spread(*b, shape)?);
                let direction = match comparison {
                    Comparison::Greater => "GT",
                    Comparison::GreaterEqual => "GE",
                    Comparison::Less => "LT",
                    Comparison::LessEqual => "LE",
                    Comparison::Equal => "EQ",
                    Comparison::NotEqual => "NE",
                };
                self.compare(direction, &x, &y)
            }
            Op::Map(function, a) => {
                let x = known(self, *a);
                self.function_of(function.name(), &[x])?
            }
            Op::Transpose(a) => {
                let x = known(self, *a);
                if x.axes.len() == 2 { self.transpose(&x) } else { x }
            }
            Op::Product(a, b) => {
                let (x, y) = (known(self, *a), known(self, *b));
                self.dot(&x, &y, [x.axes.len() - 1, 0])
            }
            Op::Dot(a, b) => {
                let (x, y) = (known(self, *a), known(self, *b));
                let products = self.binary("multiply", &x, &y);
                let over: Vec<usize> = (0..x.axes.len()).collect();
                self.reduce("add", 0.0, &products, &over)
            }
            Op::Total(along, a) => {
                let x = known(self, *a);
                let over: Vec<usize> = match along {
                    Along::All => (0..x.axes.len()).collect(),
                    Along::Rows => vec![1],
                    Along::Columns => vec![0],
                };
                self.reduce("add", 0.0, &x, &over)
            }
            Op::Softmax(part, axis, a) => {
                let x = known(self, *a);
                self.softmax(*part, *axis, &x)
            }
            Op::Matrix(op, list) => {
                let parts: Vec<Tile> = list.iter().map(|&a| known(self, a)).collect();
                self.matrix(*op, &parts, list, &axes)?
            }
            Op::Tensor(_) => return Err(self.lacking(value)),
        })
    }

    fn pair(&mut self, name: &str, a: Value, b: Value, shape: Shape) -> Result<Tile, EmitError> {
        let (x, y) = (self.spread(a, shape)?, self.spread(b, shape)?);
        Ok(self.binary(name, &x, &y))
    }

    fn function_of_two(&mut self, key: &str, a: Value, b: Value, shape: Shape) -> Result<Tile, EmitError> {
        let arguments = [self.spread(a, shape)?, self.spread(b, shape)?];
        self.function_of(key, &arguments)
    }

    /// A function by entries, as the dictionary writes it.
    fn function_of(&mut self, key: &str, arguments: &[Tile]) -> Result<Tile, EmitError> {
        let form = functions::form(key, |form| form.stablehlo)
            .ok_or_else(|| EmitError::new(format!("`{key}` is not covered: StableHLO has no operation for it")))?;
        self.form(form, arguments)
    }

    /// An operation of operations within each other, `$0`, and numbers.
    fn form(&mut self, text: &str, arguments: &[Tile]) -> Result<Tile, EmitError> {
        let Some((name, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
            let place = text.strip_prefix('$').and_then(|place| arguments.get(place.parse::<usize>().ok()?));
            return match (place, text.parse()) {
                (Some(tile), _) => Ok(tile.clone()),
                (None, Ok(x)) => Ok(self.constant(x, &arguments[0].axes)),
                (None, Err(_)) => Err(EmitError::new(format!("the dictionary's `{text}` is no operation"))),
            };
        };
        let mut operands = Vec::new();
        let (mut depth, mut start) = (0, 0);
        for (place, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    operands.push(self.form(inner[start..place].trim(), arguments)?);
                    start = place + 1;
                }
                _ => {}
            }
        }
        Ok(match (name, operands.as_slice()) {
            ("erf", [x]) => self.erf(x),
            ("gelu", [x]) => self.gelu(x),
            ("positive", [x]) => {
                let zero = self.constant(0.0, &x.axes);
                self.compare("GT", x, &zero)
            }
            ("where_positive", [x, above, below]) => self.where_positive(x, above, below),
            (_, [x]) => self.unary(name, x),
            (_, [x, y]) => self.binary(name, x, y),
            _ => return Err(EmitError::new(format!("the dictionary's `{text}` is no operation"))),
        })
    }

    fn softmax(&mut self, part: SoftmaxPart, axis: Axis, x: &Tile) -> Tile {
        let axes = x.axes.clone();
        let (over, kept): (Vec<usize>, Vec<usize>) = match axis {
            Axis::All => ((0..axes.len()).collect(), Vec::new()),
            Axis::Rows => (vec![1], vec![0]),
            Axis::Columns => (vec![0], vec![1]),
        };
        let first = self.constant(f64::MIN, &[]);
        let short: Vec<i64> = kept.iter().map(|&i| axes[i]).collect();
        let right = format!(
            "stablehlo.reduce({} init: {}) applies stablehlo.maximum across dimensions = {} : ({}, tensor<f64>) -> {}",
            x.name,
            first.name,
            list(over.iter().copied()),
            kind(&axes),
            kind(&short)
        );
        let largest = self.line(&right, &short);
        let wide = self.broadcast(&largest, &kept, &axes);
        let shifted = self.binary("subtract", x, &wide);
        let e = self.unary("exponential", &shifted);
        let sum = self.reduce("add", 0.0, &e, &over);
        match part {
            SoftmaxPart::Softmax => {
                let wide = self.broadcast(&sum, &kept, &axes);
                self.binary("divide", &e, &wide)
            }
            SoftmaxPart::LogSoftmax => {
                let log = self.unary("log", &sum);
                let wide = self.broadcast(&log, &kept, &axes);
                self.binary("subtract", &shifted, &wide)
            }
            SoftmaxPart::LogSumExp => {
                let log = self.unary("log", &sum);
                self.binary("add", &largest, &log)
            }
        }
    }
}

//! Expressions of a language with arrays: a value of a program comes in, its text goes out, with brackets exactly where the
//! precedence needs them. Operands that have a line of their own stand by name, all else in place. Which lines there are is
//! decided in `arrays`.

use rustc_hash::FxHashMap as HashMap;

use super::EmitError;
use super::arrays::{Dialect, Level, Text, dimension, key};
use super::code::{Code, MatrixOp, Op, Value, rank};
use crate::dimension::{DimId, Shape};
use crate::functions;
use crate::number::Number;
use crate::render::text::number_text;

/// What an expression is written from.
pub(super) struct Writer<'a> {
    pub(super) code: &'a Code,
    pub(super) dialect: &'a Dialect,
    pub(super) inputs: &'a [String],
    pub(super) dimensions: &'a HashMap<String, String>,
    pub(super) known: HashMap<Value, String>,
}

impl Writer<'_> {
    /// Whether an array, a size or a line has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut names = self.inputs.iter().chain(self.dimensions.values()).chain(self.known.values());
        names.any(|taken| taken == name)
    }

    /// An array whose kind of entries results have: the first input, or one made for a program that has none.
    pub(super) fn like(&self) -> String {
        let made = || self.dialect.row("array").unwrap_or_default();
        self.inputs.first().map_or_else(|| made().to_owned(), String::clone)
    }

    /// A value where it is used: its name, or its expression.
    pub(super) fn used(&self, value: Value) -> Result<Text, EmitError> {
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
    pub(super) fn result(&self, root: Value) -> Result<String, EmitError> {
        let text = self.used(root)?;
        if self.code.is_size(root)
            && let Some(row) = self.dialect.row("number")
        {
            return Ok(self.filled(row, root, &[root], &[text])?.text);
        }
        Ok(text.text)
    }

    /// A comparison as numbers.
    pub(super) fn cast(&self, value: Value, text: Text) -> Text {
        let number = self.dialect.row("cast number").filter(|_| self.code.is_constant(value));
        match number.or_else(|| self.dialect.row("cast")) {
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
                if let Some(fused) = self.product_plus(value, terms)? {
                    return Ok(fused);
                }
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
                // MATLAB reads `A .^ B'` as (A .^ B)'.
                let exponent = match y.text.ends_with('\'') {
                    true => format!("({})", y.text),
                    false => y.at_least(Level::Atom),
                };
                Ok(Text::new(format!("{}{sign}{exponent}", x.at_least(Level::Atom)), Level::Power))
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
                if self.dialect.flat
                    && code.shape(*a).is_row()
                    && let Some(row) = self.dialect.row("row times matrix")
                {
                    return self.filled(row, value, &[*a, *b], &[x, y]);
                }
                let left = if matches!(code.op(*a), Op::Product(..)) {
                    x.at_least(Level::Product)
                } else {
                    x.at_least(Level::Sign)
                };
                Ok(Text::new(format!("{left}{}{}", self.dialect.product, y.at_least(Level::Sign)), Level::Product))
            }
            Op::Tensor(tensor) => self.tensor(tensor),
            _ => self.by_row(value),
        }
    }

    /// A product of two matrices plus something, where the language has one operation for it.
    fn product_plus(&self, value: Value, terms: &[(Number, Value)]) -> Result<Option<Text>, EmitError> {
        let code = self.code;
        let &[(c, x), (d, y)] = terms else { return Ok(None) };
        let Some(row) = self.dialect.row("product plus") else { return Ok(None) };
        let factors = |a: Value| match *code.op(a) {
            Op::Product(p, q) if !self.known.contains_key(&a) => Some([p, q]),
            _ => None,
        };
        let ([p, q], one, added) = match (factors(x), factors(y)) {
            (Some(factors), None) => (factors, c, (d, y)),
            (None, Some(factors)) => (factors, d, (c, x)),
            _ => return Ok(None),
        };
        // A number that stands for a whole matrix is no array.
        let base = if let Op::Repeat(a) = *code.op(added.1) { a } else { added.1 };
        let shape = code.shape(value);
        let matrices = [p, q, value].iter().all(|&a| rank(code.shape(a)) == 2) && rank(code.shape(base)) > 0;
        if !(one.is_one() && matrices) {
            return Ok(None);
        }
        let first = self.sum(&[added], shape, code.shape(added.1) == shape)?;
        self.filled(row, value, &[added.1, p, q], &[first, self.used(p)?, self.used(q)?]).map(Some)
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

    /// Whether a comparison is the first factor of a product where it stands.
    fn starts_with_truth(&self, value: Value) -> bool {
        match self.code.op(value) {
            Op::Multiply(list) if !self.known.contains_key(&value) => {
                matches!(self.code.op(list[0]), Op::Compare(..)) && !self.known.contains_key(&list[0])
            }
            _ => false,
        }
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
                // A truth value has no sign.
                (0, true) if size.is_one() && self.starts_with_truth(a) => {
                    level = Level::Product;
                    out = format!("-1{}{}", self.dialect.scale, term.at_least(Level::Product));
                }
                (0, true) => {
                    level = if size.is_one() { Level::Sign } else { Level::Product };
                    out = format!("-{}", term.at_least(Level::Product));
                }
                (_, minus) => {
                    out.push_str(signs[usize::from(minus)]);
                    // `+` and `.+` are not one operator: a sum in a sum of the other kind keeps its brackets.
                    let bracketed = minus || !self.dialect.halves.is_empty();
                    out.push_str(&term.at_least(if bracketed { Level::Solve } else { Level::Sum }));
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
        // Few languages write functions of an array and a number in a way of their own.
        let plain = key.strip_suffix(" number").unwrap_or(key);
        let mut row = None;
        if code.is_constant(value)
            && let Some(host) = self.dialect.host
        {
            row = functions::form(plain, host);
        }
        if matches!(code.op(value), Op::Matrix(MatrixOp::Horizontal | MatrixOp::Vertical, _))
            && rank(code.shape(value)) == 1
        {
            row = self.dialect.row("joined");
        }
        let Some(row) = row.or_else(|| self.dialect.row(key)).or_else(|| self.dialect.row(plain)) else {
            return Err(EmitError::new(format!("`{key}` is not covered for this target")));
        };
        let mut operands = Vec::new();
        code.operands(value, |a| operands.push(a));
        if matches!(code.op(value), Op::Maximum(..) | Op::Minimum(..)) && code.is_size(operands[0]) {
            operands.reverse();
        }
        let by_entries = matches!(
            code.op(value),
            Op::Map(..) | Op::LeakyRelu(..) | Op::Maximum(..) | Op::Minimum(..) | Op::Repeat(_)
        );
        let mut texts = Vec::with_capacity(operands.len());
        for &a in &operands {
            texts.push(if by_entries { self.spread_use(a, code.shape(value))? } else { self.used(a)? });
        }
        self.filled(row, value, &operands, &texts)
    }

    /// A row of the table with its places filled.
    pub(super) fn filled(
        &self,
        row: &'static str,
        value: Value,
        operands: &[Value],
        texts: &[Text],
    ) -> Result<Text, EmitError> {
        let code = self.code;
        let shape = code.shape(value);
        let (level, row) = match row.as_bytes()[0] {
            b'+' => (Level::Sum, &row[1..]),
            b'\\' => (Level::Solve, &row[1..]),
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
                        ("like", &|| self.like()),
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
}

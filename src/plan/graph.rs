//! The sized graph: what a program computes once every dimension is a number, as values with a few kinds of operation.
//! Uses of values come in, equal operations come back as one value, and a transpose is a way to use a value, not a value.
//! Rows of one line are kept as columns: their numbers lie in memory alike. Nothing is ordered or placed here.

use rustc_hash::FxHashMap as HashMap;

use super::{Precision, Tuning};
use crate::eval::Reference;
use crate::functions::Function;
use crate::syntax::ast::Comparison;

/// A sum over rows that each thread keeps in a near cache has at most so many bytes.
const LARGEST_ACCUMULATED: usize = 128 << 10;

/// A value of a [`Graph`]; operands have smaller ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// A value as an operand reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Use {
    /// The value.
    pub value: ValueId,
    /// Whether its transpose is meant.
    pub transposed: bool,
}

impl Use {
    /// The transpose of it.
    pub fn turned(self) -> Use {
        Use { transposed: !self.transposed, ..self }
    }
}

/// An operation on entries, with broadcasting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elementary {
    /// The operand, repeated to the shape.
    Copy,
    /// a + b
    Add,
    /// a − b
    Subtract,
    /// a·b
    Multiply,
    /// a / b
    Divide,
    /// a to the power b
    Power,
    /// The larger; a where it is no number.
    Maximum,
    /// The smaller; a where it is no number.
    Minimum,
    /// x where x > 0, else b·x.
    LeakyRelu,
    /// 1 where it holds, else 0.
    Compare(Comparison),
    /// A function of the dictionary that acts by elements, of one argument.
    Function(Function),
}

/// How a line of numbers becomes one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// The largest.
    Max,
}

/// Which numbers a reduction takes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Those of each row: m×1.
    Rows,
    /// Those of each column: n×1.
    Columns,
    /// All: 1×1.
    All,
}

/// What of the softmax of each row is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SoftmaxPart {
    /// The softmax, m×n.
    Softmax,
    /// Its logarithm, m×n.
    LogSoftmax,
    /// The logarithm of the sum of exponentials, m×1.
    LogSumExp,
}

/// What gives a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The input of that place.
    Input(u32),
    /// The one-hot matrix of the labels at that place among the inputs.
    Labels(u32),
    /// A number, by its bits.
    Constant(u64),
    /// The identity of the value's shape.
    Identity,
    /// An operation on entries.
    Map(Elementary, Box<[Use]>),
    /// A reduction.
    Reduce(Reduction, Direction, ValueId),
    /// A matrix product.
    Product(Use, Use),
    /// leftᵀ·right where both have many rows and the result is small: a sum over rows, taken while they are at hand.
    Accumulate(ValueId, ValueId),
    /// A part of the softmax of rows.
    Softmax(SoftmaxPart, ValueId),
    /// The transpose, written out.
    Transpose(ValueId),
    /// What only the reference has.
    Reference(Reference, Box<[Use]>),
}

/// A value's operation and shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What gives it.
    pub operation: Operation,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

/// The values of a program.
#[derive(Clone, Debug)]
pub struct Graph {
    values: Vec<Value>,
    ids: HashMap<(Operation, usize, usize), ValueId>,
    /// The largest and the smallest positive number of the precision.
    largest: f64,
    smallest: f64,
    /// Bytes of a number.
    bytes: usize,
    tuning: Tuning,
}

impl Graph {
    /// No value yet.
    pub fn new(precision: Precision, tuning: Tuning) -> Graph {
        let (largest, smallest) = match precision {
            Precision::Mixed | Precision::Single => (f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)),
            Precision::Double => (f64::MAX, f64::MIN_POSITIVE),
        };
        let bytes = precision.bytes();
        Graph { values: Vec::new(), ids: HashMap::default(), largest, smallest, bytes, tuning }
    }

    /// The values alone, operands first.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// All values, operands first.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// A value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    /// Rows and columns of a value.
    pub fn shape(&self, id: ValueId) -> (usize, usize) {
        let value = self.value(id);
        (value.rows, value.columns)
    }

    /// Rows and columns as the operand reads them.
    pub fn use_shape(&self, operand: Use) -> (usize, usize) {
        let (rows, columns) = self.shape(operand.value);
        if operand.transposed { (columns, rows) } else { (rows, columns) }
    }

    /// The number that a value always is.
    pub fn constant_of(&self, operand: Use) -> Option<f64> {
        match self.value(operand.value).operation {
            Operation::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// A value, new or known.
    fn intern(&mut self, operation: Operation, rows: usize, columns: usize) -> ValueId {
        debug_assert!(rows != 1 || columns == 1, "a row is kept as a column");
        let key = (operation, rows, columns);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = ValueId(u32::try_from(self.values.len()).expect("fewer than 2^32 values"));
        self.values.push(Value { operation: key.0.clone(), rows, columns });
        self.ids.insert(key, id);
        id
    }

    /// A use of an operation whose result has this shape; a row is kept as a column.
    fn used(&mut self, operation: Operation, rows: usize, columns: usize) -> Use {
        if rows == 1 && columns > 1 {
            Use { value: self.intern(operation, columns, 1), transposed: true }
        } else {
            Use { value: self.intern(operation, rows, columns), transposed: false }
        }
    }

    /// The input of that place.
    pub fn input(&mut self, place: u32, rows: usize, columns: usize) -> Use {
        self.used(Operation::Input(place), rows, columns)
    }

    /// The one-hot matrix of labels.
    pub fn labels(&mut self, place: u32, rows: usize, columns: usize) -> Use {
        self.used(Operation::Labels(place), rows, columns)
    }

    /// A number.
    pub fn constant(&mut self, value: f64) -> Use {
        self.used(Operation::Constant(value.to_bits()), 1, 1)
    }

    /// The identity.
    pub fn identity(&mut self, n: usize) -> Use {
        if n == 1 { self.constant(1.0) } else { self.used(Operation::Identity, n, n) }
    }

    /// What only the reference has; its result has this shape.
    pub fn reference(&mut self, reference: Reference, operands: &[Use], rows: usize, columns: usize) -> Use {
        self.used(Operation::Reference(reference, operands.into()), rows, columns)
    }

    /// An operation on entries of operands that are repeated to a common shape.
    pub fn map(&mut self, elementary: Elementary, operands: &[Use]) -> Use {
        let (mut rows, mut columns) = (1, 1);
        for &operand in operands {
            let (r, c) = self.use_shape(operand);
            rows = rows.max(r);
            columns = columns.max(c);
        }
        self.map_to(elementary, operands, rows, columns)
    }

    /// As [`Graph::map`], repeated to a shape.
    pub fn map_to(&mut self, elementary: Elementary, operands: &[Use], rows: usize, columns: usize) -> Use {
        if let Some(simpler) = self.simpler(elementary, operands, rows, columns) {
            return simpler;
        }
        let mut operands: Vec<Use> = operands.to_vec();
        // The result stands as most of its full operands do.
        let full = |graph: &Graph, operand: &Use| {
            let (r, c) = graph.use_shape(*operand);
            r > 1 && c > 1
        };
        let turned = operands.iter().filter(|o| full(self, o) && o.transposed).count();
        let plain = operands.iter().filter(|o| full(self, o) && !o.transposed).count();
        let flip = rows == 1 && columns > 1 || (rows > 1 && columns > 1 && turned > plain);
        let (mut rows, mut columns) = (rows, columns);
        if flip {
            (rows, columns) = (columns, rows);
            operands.iter_mut().for_each(|operand| *operand = operand.turned());
        }
        for operand in &mut operands {
            *operand = self.upright(*operand);
        }
        let value = self.intern(Operation::Map(elementary, operands.into()), rows, columns);
        Use { value, transposed: flip }
    }

    /// The operand without a transpose where it has several rows and columns.
    fn upright(&mut self, operand: Use) -> Use {
        let (rows, columns) = self.shape(operand.value);
        if (rows, columns) == (1, 1) {
            return Use { value: operand.value, transposed: false };
        }
        if operand.transposed && rows > 1 && columns > 1 {
            return Use { value: self.transpose_of(operand.value), transposed: false };
        }
        operand
    }

    /// The transpose of a full matrix as a value of its own.
    fn transpose_of(&mut self, value: ValueId) -> ValueId {
        let (rows, columns) = self.shape(value);
        match self.value(value).operation {
            Operation::Transpose(inner) => inner,
            Operation::Identity => value,
            _ => self.intern(Operation::Transpose(value), columns, rows),
        }
    }

    /// The value as it is used: its transpose is written out where it must be.
    pub fn written(&mut self, operand: Use) -> Use {
        self.upright(operand)
    }

    fn simpler(&mut self, elementary: Elementary, operands: &[Use], rows: usize, columns: usize) -> Option<Use> {
        let is = |graph: &Graph, i: usize, value: f64| graph.constant_of(operands[i]) == Some(value);
        let full = |graph: &Graph, i: usize| graph.use_shape(operands[i]) == (rows, columns);
        if (rows, columns) == (1, 1)
            && let Some(numbers) = operands.iter().map(|&o| self.constant_of(o)).collect::<Option<Vec<f64>>>()
            && let Some(value) = elementary.of(&numbers)
        {
            return Some(self.constant(value));
        }
        match elementary {
            Elementary::Copy if full(self, 0) => Some(operands[0]),
            Elementary::Multiply => {
                for (a, b) in [(0, 1), (1, 0)] {
                    if is(self, a, 1.0) && full(self, b) {
                        return Some(operands[b]);
                    }
                    // c·(s·A) is (c·s)·A, one multiplication of each entry less.
                    if self.use_shape(operands[a]) == (1, 1)
                        && self.use_shape(operands[b]) != (1, 1)
                        && let Operation::Map(Elementary::Multiply, inner) =
                            self.value(operands[b].value).operation.clone()
                        && self.use_shape(inner[0]) == (1, 1)
                    {
                        let scale = self.map(Elementary::Multiply, &[operands[a], inner[0]]);
                        let rest = Use { transposed: inner[1].transposed != operands[b].transposed, ..inner[1] };
                        return Some(self.map_to(Elementary::Multiply, &[scale, rest], rows, columns));
                    }
                    // a·(1/b) is a/b, rounded once; not where 1/b is short and used for many entries.
                    if full(self, b)
                        && let Operation::Map(Elementary::Function(Function::Recip), inner) =
                            self.value(operands[b].value).operation.clone()
                    {
                        let divisor = Use { transposed: inner[0].transposed != operands[b].transposed, ..inner[0] };
                        return Some(self.map_to(Elementary::Divide, &[operands[a], divisor], rows, columns));
                    }
                }
                // Scalars stand first.
                let (first, second) = (self.use_shape(operands[0]), self.use_shape(operands[1]));
                (second == (1, 1) && first != (1, 1))
                    .then(|| self.map_to(Elementary::Multiply, &[operands[1], operands[0]], rows, columns))
            }
            Elementary::Compare(Comparison::Greater) if is(self, 1, 0.0) => {
                // relu(Z) > 0 where Z > 0, and then Z need not be kept.
                let relu = Operation::Map(
                    Elementary::Function(Function::Relu),
                    [Use { transposed: false, ..operands[0] }].into(),
                );
                let (r, c) = self.shape(operands[0].value);
                let known = self.ids.get(&(relu, r, c)).copied()?;
                let operand = Use { value: known, ..operands[0] };
                Some(self.map_to(elementary, &[operand, operands[1]], rows, columns))
            }
            _ => None,
        }
    }

    /// A reduction of an operand, in the directions in which the operand is read.
    pub fn reduce(&mut self, reduction: Reduction, direction: Direction, operand: Use) -> Use {
        let (rows, columns) = self.shape(operand.value);
        let of_value = match (direction, operand.transposed) {
            (Direction::Rows, true) => Direction::Columns,
            (Direction::Columns, true) => Direction::Rows,
            _ => direction,
        };
        let of_value = if columns == 1 && of_value == Direction::Columns { Direction::All } else { of_value };
        let length = match of_value {
            Direction::Rows => rows,
            Direction::Columns => columns,
            Direction::All => 1,
        };
        let nothing_to_do = columns == 1 && (of_value == Direction::Rows || rows == 1);
        let value = if nothing_to_do {
            operand.value
        } else {
            self.intern(Operation::Reduce(reduction, of_value, operand.value), length, 1)
        };
        Use { value, transposed: direction == Direction::Columns && length > 1 }
    }

    /// The product of two operands with at least two rows, two columns and two terms in each sum; or what is as good.
    pub fn product(&mut self, left: Use, right: Use) -> Use {
        let ((m, k), (_, n)) = (self.use_shape(left), self.use_shape(right));
        if k == 1 {
            return self.map(Elementary::Multiply, &[left, right]);
        }
        if m == 1 && n == 1 {
            let products = self.map(Elementary::Multiply, &[left.turned(), right]);
            return self.reduce(Reduction::Sum, Direction::All, products);
        }
        if n == 1 {
            return self.times_column(left, right);
        }
        if m == 1 {
            return self.times_column(right.turned(), left.turned()).turned();
        }
        let (left, right) = (self.plain_identity(left), self.plain_identity(right));
        let turned = Operation::Product(right.turned(), left.turned());
        if let Some(&id) = self.ids.get(&(turned, n, m)) {
            return Use { value: id, transposed: true };
        }
        if left.transposed && !right.transposed && self.is_accumulated(m, k, n) {
            let turned = Operation::Accumulate(right.value, left.value);
            if let Some(&id) = self.ids.get(&(turned, n, m)) {
                return Use { value: id, transposed: true };
            }
            return self.used(Operation::Accumulate(left.value, right.value), m, n);
        }
        self.used(Operation::Product(left, right), m, n)
    }

    /// A·x
    fn times_column(&mut self, matrix: Use, column: Use) -> Use {
        if matches!(self.value(matrix.value).operation, Operation::Map(..)) {
            // The sums of the rows of A .* xᵀ: A is made in the same pass, and never stored.
            let products = self.map(Elementary::Multiply, &[matrix, column.turned()]);
            return self.reduce(Reduction::Sum, Direction::Rows, products);
        }
        let matrix = self.plain_identity(matrix);
        let rows = self.use_shape(matrix).0;
        // Either way rows of A as it lies there are read one after the other, with whatever else reads them.
        match matrix.transposed {
            true => self.used(Operation::Accumulate(matrix.value, column.value), rows, 1),
            false => self.used(Operation::Product(matrix, column), rows, 1),
        }
    }

    /// Whether an m×n product over k is taken as a sum over rows: the factors do not stay in a cache and the result does.
    fn is_accumulated(&self, m: usize, k: usize, n: usize) -> bool {
        let (factors, result) = (k * (m + n) * self.bytes, m * n * self.bytes);
        factors >= self.tuning.accumulated_from && result <= LARGEST_ACCUMULATED && result <= factors / 8
    }

    fn plain_identity(&self, operand: Use) -> Use {
        match self.value(operand.value).operation {
            Operation::Identity => Use { transposed: false, ..operand },
            _ => operand,
        }
    }

    /// A part of the softmax along the rows of what is used.
    pub fn softmax(&mut self, part: SoftmaxPart, operand: Use) -> Use {
        let (rows, columns) = self.use_shape(operand);
        if rows == 1 {
            return self.softmax_of_line(part, operand);
        }
        let operand = self.upright(operand);
        let columns = if part == SoftmaxPart::LogSumExp { 1 } else { columns };
        self.used(Operation::Softmax(part, operand.value), rows, columns)
    }

    /// Of all entries of a column or row as one line: by its parts, each a pass over all of it.
    pub fn softmax_of_line(&mut self, part: SoftmaxPart, line: Use) -> Use {
        let largest = self.reduce(Reduction::Max, Direction::All, line);
        // What is subtracted is finite, so that a line of -inf has the logarithm -inf.
        let (low, high) = (self.constant(-self.largest), self.constant(self.largest));
        let shift = self.map(Elementary::Maximum, &[largest, low]);
        let shift = self.map(Elementary::Minimum, &[shift, high]);
        let shifted = self.map(Elementary::Subtract, &[line, shift]);
        let exponentials = self.map(Elementary::Function(Function::Exp), &[shifted]);
        let sum = self.reduce(Reduction::Sum, Direction::All, exponentials);
        if part == SoftmaxPart::Softmax {
            return self.map(Elementary::Divide, &[exponentials, sum]);
        }
        let log = self.map(Elementary::Function(Function::Log), &[sum]);
        match part {
            SoftmaxPart::LogSoftmax => self.map(Elementary::Subtract, &[shifted, log]),
            _ => self.map(Elementary::Add, &[shift, log]),
        }
    }

    /// The 2-norm of all entries, scaled so that squares neither overflow nor vanish.
    pub fn norm(&mut self, operand: Use) -> Use {
        let sizes = self.map(Elementary::Function(Function::Abs), &[operand]);
        let largest = self.reduce(Reduction::Max, Direction::All, sizes);
        let (low, high) = (self.constant(self.smallest), self.constant(self.largest));
        let scale = self.map(Elementary::Maximum, &[largest, low]);
        let scale = self.map(Elementary::Minimum, &[scale, high]);
        let ratios = self.map(Elementary::Divide, &[operand, scale]);
        let squares = self.map(Elementary::Multiply, &[ratios, ratios]);
        let sum = self.reduce(Reduction::Sum, Direction::All, squares);
        let root = self.map(Elementary::Function(Function::Sqrt), &[sum]);
        self.map(Elementary::Multiply, &[scale, root])
    }

    /// Whether the product of these is a value already.
    pub fn has_product(&self, left: Use, right: Use) -> bool {
        let ((m, _), (_, n)) = (self.use_shape(left), self.use_shape(right));
        self.ids.contains_key(&(Operation::Product(left, right), m, n))
            || self.ids.contains_key(&(Operation::Product(right.turned(), left.turned()), n, m))
    }
}

impl Elementary {
    /// Its value at numbers, where plain arithmetic gives it.
    fn of(self, x: &[f64]) -> Option<f64> {
        Some(match self {
            Elementary::Copy => x[0],
            Elementary::Add => x[0] + x[1],
            Elementary::Subtract => x[0] - x[1],
            Elementary::Multiply => x[0] * x[1],
            Elementary::Divide => x[0] / x[1],
            Elementary::Function(Function::Sqrt) => x[0].sqrt(),
            Elementary::Function(Function::Recip) => x[0].recip(),
            Elementary::Function(Function::Square) => x[0] * x[0],
            Elementary::Function(Function::Exp) => x[0].exp(),
            Elementary::Function(Function::Log) => x[0].ln(),
            Elementary::Power => x[0].powf(x[1]),
            _ => return None,
        })
    }
}

impl Operation {
    /// Calls `visit` with each operand.
    pub fn operands(&self, mut visit: impl FnMut(Use)) {
        let plain = |value: ValueId| Use { value, transposed: false };
        match self {
            Operation::Input(_) | Operation::Labels(_) | Operation::Constant(_) | Operation::Identity => {}
            Operation::Map(_, list) | Operation::Reference(_, list) => list.iter().copied().for_each(visit),
            Operation::Reduce(_, _, a) | Operation::Softmax(_, a) | Operation::Transpose(a) => visit(plain(*a)),
            Operation::Accumulate(a, b) => {
                visit(plain(*a));
                visit(plain(*b));
            }
            Operation::Product(a, b) => {
                visit(*a);
                visit(*b);
            }
        }
    }
}

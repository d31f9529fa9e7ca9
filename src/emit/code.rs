//! The program that every target writes: values with a few kinds of operation, equal ones once, operands first, with the
//! names and formulas that a reader knows them by. It is built by `lower`; targets read it. No target's text is here.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::dimension::{DimId, Dimensions, Shape};
use crate::expr::{Axis, ExprId};
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;
use crate::tensor::index::Index;

/// A value of a [`Code`]; operands have smaller ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);

/// Which entries a sum takes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Along {
    /// Those of each row: m×1.
    Rows,
    /// Those of each column: 1×n.
    Columns,
    /// All: 1×1.
    All,
}

/// What of a softmax is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SoftmaxPart {
    /// The softmax.
    Softmax,
    /// Its logarithm.
    LogSoftmax,
    /// The logarithm of the sum of exponentials.
    LogSumExp,
}

/// An operation on whole matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatrixOp {
    /// A⁻¹
    Inverse,
    /// A⁻¹·B of A and B.
    Solve,
    /// A⁻¹·B of a symmetric positive definite A and B.
    SolvePositive,
    /// Determinant.
    Determinant,
    /// log |det A|
    LogDeterminant,
    /// Adjugate.
    Adjugate,
    /// Matrix exponential.
    Exponential,
    /// Cholesky factor of a symmetric matrix.
    Cholesky,
    /// Lower triangle.
    Lower,
    /// Upper triangle.
    Upper,
    /// Moore-Penrose inverse.
    PseudoInverse,
    /// Diagonal of a square matrix, a column.
    Diagonal,
    /// Diagonal matrix of a column or row.
    DiagonalMatrix,
    /// Sum of the diagonal.
    Trace,
    /// Square root of the sum of squares of all entries.
    Norm,
    /// Lower triangle by columns.
    HalfVectorised,
    /// Lower triangular matrix of such a column.
    FromHalfVectorised,
    /// Kronecker product.
    Kronecker,
    /// A^k, k at least 2 or at most −2.
    Power(i64),
    /// The symmetric positive definite root of A, or its inverse.
    Root {
        /// Whether the inverse of the root is meant.
        inverse: bool,
    },
    /// Derivative of the matrix exponential at A along E.
    ExponentialAlong,
    /// Derivative of A^k at A along E.
    PowerAlong(i64),
    /// Blocks side by side.
    Horizontal,
    /// Blocks one below the other.
    Vertical,
    /// The same entries column by column in the value's shape.
    Reshape,
}

/// A term of a tensor: coefficient · Σ Π factors · Π deltas.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorTerm {
    /// A scalar.
    pub coefficient: Value,
    /// Matrices and vectors, with the indices of their axes that are longer than 1.
    pub factors: Vec<(Value, Vec<Index>)>,
    /// Pairs of axes that are equal.
    pub deltas: Vec<(Index, Index)>,
    /// The sizes of the indices that are summed over, which begin behind the axes.
    pub summed: Vec<DimId>,
}

/// A tensor of more than two axes, entry by entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tensor {
    /// The sizes of its axes.
    pub axes: Vec<DimId>,
    /// The terms that are added.
    pub terms: Vec<TensorTerm>,
}

/// What gives a value. Operands of operations on entries are of the value's shape, or a row, column or scalar that is
/// repeated to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The input of that place.
    Input(u32),
    /// A number.
    Number(Number),
    /// π
    Pi,
    /// Euler's number
    Euler,
    /// The value of a dimension.
    Dimension(DimId),
    /// The identity.
    Identity,
    /// The column of the identity with a one at this place, from 1.
    Unit(u64),
    /// The operand repeated to the value's shape.
    Repeat(Value),
    /// Σ c·a by entries.
    Sum(Box<[(Number, Value)]>),
    /// a·b·… by entries, scalars first.
    Multiply(Box<[Value]>),
    /// a/b by entries.
    Divide(Value, Value),
    /// a to the power b by entries.
    Power(Value, Value),
    /// A function of one argument by entries.
    Map(Function, Value),
    /// x where x > 0, else s·x.
    LeakyRelu(Value, Value),
    /// The larger.
    Maximum(Value, Value),
    /// The smaller.
    Minimum(Value, Value),
    /// 1 where it holds, else 0.
    Compare(Comparison, Value, Value),
    /// Transpose.
    Transpose(Value),
    /// Matrix product.
    Product(Value, Value),
    /// Sum of the products of entries of two equal shapes; of vectors whichever way they lie.
    Dot(Value, Value),
    /// Sum of entries.
    Total(Along, Value),
    /// Part of a softmax along rows, columns or all entries.
    Softmax(SoftmaxPart, Axis, Value),
    /// An operation on whole matrices.
    Matrix(MatrixOp, Box<[Value]>),
    /// A tensor of more than two axes; its shape is rows of the first axes times columns of the rest, for counting only.
    Tensor(Box<Tensor>),
}

/// A value.
#[derive(Clone, Debug)]
pub struct Node {
    /// What gives it.
    pub op: Op,
    /// Rows and columns.
    pub shape: Shape,
}

/// What a reader knows a value by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// The formula in the language, `Z1 = X*W1 + b1`.
    pub formula: String,
}

/// An array that is given.
#[derive(Clone, Debug)]
pub struct Input {
    /// The name in the program.
    pub name: String,
    /// Rows and columns.
    pub shape: Shape,
    /// What it is, for a reader: `matrix(N, D)`.
    pub kind: String,
    /// The variable or differential. A variable may have the name of a differential.
    pub node: ExprId,
}

/// What a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// What is differentiated.
    Value,
    /// A gradient of the value at that place among the results, with respect to the input of that place.
    Gradient {
        /// The result it is the gradient of.
        of: usize,
        /// The input it is taken by; nothing where that is a definition.
        wrt: Option<u32>,
    },
    /// Any other derivative.
    Derivative,
}

/// Something that the program gives back.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name: `L`, `grad_L_W1`.
    pub name: String,
    /// What it is, for a reader: `∂L/∂W1`.
    pub title: String,
    /// The value.
    pub value: Value,
    /// The sizes of its axes; axes of length 1 are left out.
    pub axes: Vec<DimId>,
    /// What kind of result.
    pub kind: ResultKind,
    /// What it is of the answer.
    pub from: Origin,
}

/// What of an answer a result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The value of what is differentiated.
    Value(ExprId),
    /// The outcome at that place.
    Outcome(usize),
}

/// A program for a target.
#[derive(Clone, Debug)]
pub struct Code {
    /// The name of the whole.
    pub name: String,
    /// The dimensions' table.
    pub dimensions: Dimensions,
    /// Values of dimensions that have one.
    pub fixed: Vec<(String, i64)>,
    /// What is given, in order.
    pub inputs: Vec<Input>,
    /// What is given back, in order.
    pub outputs: Vec<Output>,
    nodes: Vec<Node>,
    ids: HashMap<(Op, Shape), Value>,
    labels: HashMap<Value, Label>,
}

impl Code {
    /// A program without values.
    pub(super) fn new(name: String, dimensions: Dimensions, fixed: Vec<(String, i64)>) -> Code {
        Code {
            name,
            dimensions,
            fixed,
            inputs: Vec::new(),
            outputs: Vec::new(),
            nodes: Vec::new(),
            ids: HashMap::default(),
            labels: HashMap::default(),
        }
    }

    /// What gives a value.
    pub fn op(&self, value: Value) -> &Op {
        &self.nodes[value.0 as usize].op
    }

    /// Rows and columns of a value.
    pub fn shape(&self, value: Value) -> Shape {
        self.nodes[value.0 as usize].shape
    }

    /// What a reader knows the value by.
    pub fn label(&self, value: Value) -> Option<&Label> {
        self.labels.get(&value)
    }

    /// Gives a value a name, unless it has one or is too plain for it.
    pub(super) fn set_label(&mut self, value: Value, label: Label) {
        let plain = matches!(
            self.op(value),
            Op::Input(_) | Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_) | Op::Identity
        );
        if !plain {
            self.labels.entry(value).or_insert(label);
        }
    }

    /// The value of an operation, new or known.
    pub(super) fn intern(&mut self, op: Op, shape: Shape) -> Value {
        let key = (op, shape);
        if let Some(&value) = self.ids.get(&key) {
            return value;
        }
        let value = Value(u32::try_from(self.nodes.len()).expect("fewer than 2^32 values"));
        self.nodes.push(Node { op: key.0.clone(), shape });
        self.ids.insert(key, value);
        value
    }

    /// Where relu(Z) is there before, `Z > 0` becomes its sign: what has slow arrays of truth values multiplies numbers.
    pub(super) fn masks_as_signs(&mut self) {
        for place in 0..self.nodes.len() {
            let Node { op: Op::Compare(Comparison::Greater, z, zero), shape } = self.nodes[place] else { continue };
            if shape.is_scalar() || *self.op(zero) != Op::Number(Number::ZERO) || self.shape(z) != shape {
                continue;
            }
            let relu = self.ids.get(&(Op::Map(Function::Relu, z), shape)).copied();
            if let Some(relu) = relu.filter(|relu| (relu.0 as usize) < place) {
                self.nodes[place].op = Op::Map(Function::Sign, relu);
            }
        }
    }

    /// How many axes a value has that are longer than 1.
    pub fn rank(&self, value: Value) -> usize {
        match self.op(value) {
            Op::Tensor(tensor) => tensor.axes.len(),
            _ => rank(self.shape(value)),
        }
    }

    /// Whether a value is known from the sizes alone and written where it is used: a plain number in any target.
    pub fn is_size(&self, value: Value) -> bool {
        (self.is_number(value) || self.label(value).is_none()) && self.is_constant(value)
    }

    fn is_number(&self, value: Value) -> bool {
        matches!(self.op(value), Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_))
    }

    /// Whether a value is known from the sizes alone, by itself or with a name.
    pub fn is_constant(&self, value: Value) -> bool {
        if !self.shape(value).is_scalar() {
            return false;
        }
        let mut waiting = vec![value];
        while let Some(part) = waiting.pop() {
            match self.op(part) {
                _ if self.is_number(part) => {}
                Op::Sum(_)
                | Op::Multiply(_)
                | Op::Divide(..)
                | Op::Power(..)
                | Op::Map(..)
                | Op::Maximum(..)
                | Op::Minimum(..)
                | Op::LeakyRelu(..)
                | Op::Compare(..)
                    if part == value || self.label(part).is_none() =>
                {
                    self.operands(part, |a| waiting.push(a));
                }
                _ => return false,
            }
        }
        true
    }

    /// Calls `visit` with each operand.
    pub fn operands(&self, value: Value, mut visit: impl FnMut(Value)) {
        match self.op(value) {
            Op::Input(_) | Op::Number(_) | Op::Pi | Op::Euler | Op::Dimension(_) | Op::Identity | Op::Unit(_) => {}
            Op::Sum(terms) => terms.iter().for_each(|&(_, a)| visit(a)),
            Op::Multiply(list) | Op::Matrix(_, list) => list.iter().for_each(|&a| visit(a)),
            Op::Repeat(a) | Op::Map(_, a) | Op::Transpose(a) | Op::Total(_, a) | Op::Softmax(_, _, a) => visit(*a),
            Op::Divide(a, b)
            | Op::Power(a, b)
            | Op::LeakyRelu(a, b)
            | Op::Maximum(a, b)
            | Op::Minimum(a, b)
            | Op::Compare(_, a, b)
            | Op::Product(a, b)
            | Op::Dot(a, b) => {
                visit(*a);
                visit(*b);
            }
            Op::Tensor(tensor) => {
                for term in &tensor.terms {
                    visit(term.coefficient);
                    term.factors.iter().for_each(|&(a, _)| visit(a));
                }
            }
        }
    }

    /// All values that the roots need, operands first.
    pub fn needed(&self, roots: &[Value]) -> Vec<Value> {
        let mut seen: HashSet<Value> = HashSet::default();
        let mut waiting = roots.to_vec();
        while let Some(value) = waiting.pop() {
            if seen.insert(value) {
                self.operands(value, |a| waiting.push(a));
            }
        }
        let mut out: Vec<Value> = seen.into_iter().collect();
        out.sort_unstable();
        out
    }

    /// The values of all outputs.
    pub fn roots(&self) -> Vec<Value> {
        self.outputs.iter().map(|output| output.value).collect()
    }
}

/// How many axes of a shape are longer than 1.
pub fn rank(shape: Shape) -> usize {
    usize::from(shape.rows != DimId::ONE) + usize::from(shape.columns != DimId::ONE)
}

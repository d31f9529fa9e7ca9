//! Expressions: typed, hash-consed nodes in an append-only arena, children before parents, in a normal form that the
//! constructors keep. Equal expressions have equal ids. No derivative is taken here and nothing is printed.

pub mod build;
mod elementwise;
mod functions;
mod linear;
mod product;
pub mod substitute;
mod sum;
mod transpose;

use rustc_hash::{FxBuildHasher, FxHashMap as HashMap, FxHashSet};

use crate::dimension::{DimId, Dimensions, Shape};
use crate::elaborate::{Properties, Property, Variable, VariableId};
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A node of an [`Arena`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// A named intermediate result of an [`Arena`]: a definition of the user's, an adjoint or a shared part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamedId(pub u32);

/// Which entries a row-wise function pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Axis {
    /// Along each row (the default of a matrix).
    Rows,
    /// Along each column (`axis=0`).
    Columns,
    /// Over all entries (vectors and rows).
    All,
}

/// What a node is. Shapes are the node's own ([`Arena::shape`]).
///
/// Normal form: numbers stand only in `Sum` (and alone); `Product` is flat and takes its scalars out; sums of all entries
/// are products with ones (`rowsum(X)` is X·1, `colsum(X)` is 1ᵀ·X); `inv(A)` is `MatrixPower(A, -1)`; quotients are powers
/// with exponent −1; a broadcast operand is a product with ones, except a scalar in `Compare`, `Power`, `max` and `min`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A number, a scalar.
    Number(Number),
    /// π
    Pi,
    /// Euler's number
    Euler,
    /// The value of a dimension, a scalar.
    Dimension(DimId),
    /// A variable.
    Variable(VariableId),
    /// A named intermediate result; its expression is [`Arena::named`]`.body`, which stands earlier in the arena.
    Named(NamedId),
    /// The differential `dX` of a `Variable` or `Named` node.
    Differential(ExprId),
    /// The identity of the node's shape.
    Identity,
    /// A column or row of ones; a matrix of ones is the product of both.
    Ones,
    /// All zeros, of the node's shape (a scalar zero is `Number`).
    Zeros,
    /// The column of the identity with a one at this place, from 1.
    Unit(u64),
    /// A linear combination Σ cᵢ·Aᵢ of equal shapes; one term is a scaled expression.
    Sum(Box<[(Number, ExprId)]>),
    /// scalars · (matrix product of the factors); with no factors a product of scalars.
    Product {
        /// Scalar factors (symbolic; numbers are in `Sum`).
        scalars: Box<[ExprId]>,
        /// Factors of the matrix product, none of them 1×1.
        factors: Box<[ExprId]>,
    },
    /// Element-wise product of equal shapes, not scalars.
    Hadamard(Box<[ExprId]>),
    /// Element-wise (or scalar) base .^ exponent; either may be a scalar next to a larger other one.
    Power(ExprId, ExprId),
    /// Power of a square matrix: an integer, 1/2 or −1/2.
    MatrixPower(ExprId, Number),
    /// Transpose.
    Transpose(ExprId),
    /// 1 where it holds, else 0; either side may be a scalar.
    Compare(Comparison, ExprId, ExprId),
    /// A function of the dictionary; `Axis` is `All` where it has no meaning.
    Call(Function, Axis, Box<[ExprId]>),
    /// Upper right block of expm([A, E; 0, A]): the Fréchet derivative of expm at A along E.
    ExpmFrechet(ExprId, ExprId),
    /// Upper right block of [A, E; 0, A]^k: the derivative of A^k along E.
    PowerFrechet(ExprId, ExprId, i64),
    /// `[A, B, …]`
    Horizontal(Box<[ExprId]>),
    /// `[A; B; …]`
    Vertical(Box<[ExprId]>),
    /// The same entries, column by column, in the node's shape (`vec` too).
    Reshape(ExprId),
}

/// Why something has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// The user's definition.
    Definition,
    /// What a request asks for without a name, `f` in its derivation.
    Request,
    /// The adjoint of a definition, `G_Z2`.
    Adjoint,
    /// The derivative of a definition or adjoint along a direction, `D_Z2`.
    Directional,
    /// A part used more than once.
    Shared,
    /// A part of an expression of the user's that is too large to be looked at in one piece.
    Part,
}

impl NameKind {
    /// Whether the name is not the user's: written out in a value, a line of its own in a program.
    pub fn is_ours(self) -> bool {
        matches!(self, NameKind::Adjoint | NameKind::Directional | NameKind::Shared | NameKind::Part)
    }
}

/// A named intermediate result.
#[derive(Clone, Debug)]
pub struct NamedExpr {
    /// Its name in every output.
    pub name: String,
    /// What it stands for.
    pub body: ExprId,
    /// Why it has a name.
    pub kind: NameKind,
}

/// A property that a constructor used: an equation that holds because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PropertyUse {
    /// The property.
    pub property: Property,
    /// What stood there.
    pub left: ExprId,
    /// What it became.
    pub right: ExprId,
}

#[derive(Clone, Debug)]
struct Node {
    op: Op,
    shape: Shape,
    properties: Properties,
}

/// Room for the nodes of a usual program, so that its tables do not grow.
const USUAL_NODES: usize = 1024;

/// The expressions of one program.
#[derive(Clone, Debug)]
pub struct Arena {
    nodes: Vec<Node>,
    ids: HashMap<(Op, Shape), ExprId>,
    /// Forms that only a derivation shows: never found by the constructors, so that logging changes no result.
    raw: HashMap<(Op, Shape), ExprId>,
    named: Vec<NamedExpr>,
    /// The nodes that stand for them.
    named_nodes: Vec<ExprId>,
    /// Names in use, each with the number that was last tried behind it.
    names: HashMap<String, u32>,
    /// Named results by name.
    called: HashMap<String, NamedId>,
    /// How many operands all nodes have together.
    operand_count: usize,
    uses: Vec<PropertyUse>,
    /// Expressions of the user's that stand here with other functions than were typed.
    rewritten: FxHashSet<ExprId>,
    /// Whether new sums and element-wise products are put in reading order; what the user typed keeps its own.
    pub reading_order: bool,
    /// The dimensions' table.
    pub dimensions: Dimensions,
    /// The variables; `Op::Variable` points here.
    pub variables: Vec<Variable>,
}

impl Arena {
    /// An empty arena over a program's dimensions and variables.
    pub fn new(dimensions: Dimensions, variables: Vec<Variable>) -> Arena {
        let names = variables.iter().map(|v| v.name.as_str()).chain(dimensions.all_names());
        Arena {
            nodes: Vec::with_capacity(USUAL_NODES),
            ids: HashMap::with_capacity_and_hasher(USUAL_NODES, FxBuildHasher),
            raw: HashMap::with_capacity_and_hasher(USUAL_NODES, FxBuildHasher),
            named: Vec::new(),
            named_nodes: Vec::new(),
            names: names.map(|name| (name.to_owned(), 1)).collect(),
            called: HashMap::default(),
            operand_count: 0,
            uses: Vec::new(),
            rewritten: FxHashSet::default(),
            reading_order: false,
            dimensions,
            variables,
        }
    }

    /// What a node is.
    pub fn op(&self, id: ExprId) -> &Op {
        &self.nodes[id.0 as usize].op
    }

    /// A node's shape.
    pub fn shape(&self, id: ExprId) -> Shape {
        self.nodes[id.0 as usize].shape
    }

    /// What is known of a node.
    pub fn properties(&self, id: ExprId) -> Properties {
        self.nodes[id.0 as usize].properties
    }

    /// How many nodes there are; children have smaller ids than parents.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A named intermediate result.
    pub fn named(&self, id: NamedId) -> &NamedExpr {
        &self.named[id.0 as usize]
    }

    /// The node that stands for the i-th named intermediate result.
    pub fn named_node(&self, i: usize) -> ExprId {
        self.named_nodes[i]
    }

    /// The name of a variable or of a named intermediate result; of a differential `d` before it.
    pub fn name_of(&self, id: ExprId) -> String {
        match self.op(id) {
            Op::Variable(v) => self.variables[v.0 as usize].name.clone(),
            Op::Named(name) => self.named(*name).name.clone(),
            Op::Differential(of) => format!("d{}", self.name_of(*of)),
            _ => String::from("?"),
        }
    }

    /// Whether an expression of the user's stands here with other functions than were typed.
    pub fn is_rewritten(&self, body: ExprId) -> bool {
        self.rewritten.contains(&body)
    }

    /// The properties used since the last call.
    pub fn take_property_uses(&mut self) -> Vec<PropertyUse> {
        std::mem::take(&mut self.uses)
    }

    /// Remembers that a property turned the product of two factors into something simpler.
    fn note_use(&mut self, property: Property, a: ExprId, b: ExprId, right: ExprId) {
        let shape = Shape::new(self.shape(a).rows, self.shape(b).columns);
        let product = Op::Product { scalars: Box::new([]), factors: Box::new([a, b]) };
        let left = self.intern_raw(product, shape);
        let used = PropertyUse { property, left, right };
        if !self.uses.contains(&used) {
            self.uses.push(used);
        }
    }

    /// Keeps a name from being given to anything of ours.
    pub(crate) fn reserve(&mut self, name: &str) {
        self.names.entry(name.to_owned()).or_insert(1);
    }

    /// Whether something has this name.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// A name that nothing has: `base`, or with a number behind it.
    pub fn unused_name(&mut self, base: &str) -> String {
        let Some(&last) = self.names.get(base) else { return base.to_owned() };
        for i in last + 1.. {
            let name = format!("{base}_{i}");
            if !self.names.contains_key(&name) {
                self.names.insert(base.to_owned(), i);
                return name;
            }
        }
        unreachable!("some number is free")
    }

    /// The named intermediate result of that name.
    pub fn called(&self, name: &str) -> Option<&NamedExpr> {
        self.called.get(name).map(|&id| self.named(id))
    }

    /// How much memory the nodes take, counted in operands.
    pub fn operand_count(&self) -> usize {
        self.operand_count
    }

    /// All named intermediate results, in order.
    pub fn all_named(&self) -> &[NamedExpr] {
        &self.named
    }

    /// Gives an expression a name; the node that stands for it is new.
    pub fn name(&mut self, name: String, body: ExprId, kind: NameKind) -> ExprId {
        let properties = self.named_properties(body);
        self.name_with(name, body, kind, properties)
    }

    /// Gives a definition a name by which one differentiates: it counts as independent, so that of what its expression
    /// is only what holds nearby too may be used, and never that it is symmetric or that its rows sum to 1.
    pub fn name_independent(&mut self, name: String, body: ExprId) -> ExprId {
        let mut properties = Properties::NONE;
        for p in [Property::Positive, Property::Invertible] {
            if self.properties(body).has(p) {
                properties = properties.with(p);
            }
        }
        if properties.has(Property::Positive) {
            properties = properties.with(Property::Nonnegative);
        }
        self.name_with(name, body, NameKind::Definition, properties)
    }

    fn name_with(&mut self, name: String, body: ExprId, kind: NameKind, properties: Properties) -> ExprId {
        let id = NamedId(u32::try_from(self.named.len()).expect("fewer than 2^32 names"));
        self.names.entry(name.clone()).or_insert(1);
        self.called.entry(name.clone()).or_insert(id);
        self.named.push(NamedExpr { name, body, kind });
        let shape = self.shape(body);
        let node = self.intern(Op::Named(id), shape, properties);
        self.named_nodes.push(node);
        node
    }

    /// What is known of a name: what is known of its expression, and sums that are zero (X - rowmean(X)), which the name
    /// would hide.
    fn named_properties(&mut self, body: ExprId) -> Properties {
        let (mut properties, shape) = (self.properties(body), self.shape(body));
        let Op::Sum(terms) = self.op(body) else { return properties };
        if shape.is_scalar() || terms.len() > 8 {
            return properties;
        }
        let terms = terms.clone();
        let mut repeats = false;
        for &(_, t) in &terms {
            let (_, t) = self.split_scalars(t);
            repeats |= self.is_ones(t) || self.broadcast_vector(t).is_some();
        }
        if !repeats {
            return properties;
        }
        let (row, column) = (self.ones_row(shape.rows), self.ones_column(shape.columns));
        if !shape.is_column() && self.multiply_is_zero(&[body, column]) {
            properties = properties.with(Property::ZeroRowSums);
        }
        if !shape.is_row() && self.multiply_is_zero(&[row, body]) {
            properties = properties.with(Property::ZeroColumnSums);
        }
        properties
    }

    fn multiply_is_zero(&mut self, operands: &[ExprId]) -> bool {
        let product = self.multiply(operands);
        self.is_zero(product)
    }

    /// The node as given, with no normal form: for lines of a derivation that show a form before it is simplified.
    pub fn intern_raw(&mut self, op: Op, shape: Shape) -> ExprId {
        let key = (op, shape);
        if let Some(&id) = self.ids.get(&key).or_else(|| self.raw.get(&key)) {
            return id;
        }
        let id = self.push(key.0.clone(), shape, Properties::NONE);
        self.raw.insert(key, id);
        id
    }

    /// The node as given, with no normal form: for the constructors.
    pub fn intern(&mut self, op: Op, shape: Shape, properties: Properties) -> ExprId {
        let key = (op, shape);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = self.push(key.0.clone(), shape, properties);
        self.ids.insert(key, id);
        id
    }

    /// As [`Arena::intern`], found again by `key`: operands of a sum are kept in the order they were written, and found
    /// in any order.
    fn intern_as(&mut self, key: Op, op: Op, shape: Shape, properties: Properties) -> ExprId {
        let key = (key, shape);
        if let Some(&id) = self.ids.get(&key) {
            return id;
        }
        let id = self.push(op, shape, properties);
        self.ids.insert(key, id);
        id
    }

    fn push(&mut self, op: Op, shape: Shape, properties: Properties) -> ExprId {
        let id = ExprId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 expressions"));
        self.operand_count += match &op {
            Op::Sum(terms) => terms.len(),
            Op::Product { scalars, factors } => scalars.len() + factors.len(),
            Op::Hadamard(list) | Op::Call(_, _, list) | Op::Horizontal(list) | Op::Vertical(list) => list.len(),
            _ => 1,
        };
        self.nodes.push(Node { op, shape, properties });
        id
    }

    /// Calls `visit` with each operand of a node; a `Named` node has none (see [`Arena::named`]).
    pub fn operands(&self, id: ExprId, mut visit: impl FnMut(ExprId)) {
        match self.op(id) {
            Op::Number(_)
            | Op::Pi
            | Op::Euler
            | Op::Dimension(_)
            | Op::Variable(_)
            | Op::Named(_)
            | Op::Differential(_)
            | Op::Identity
            | Op::Ones
            | Op::Zeros
            | Op::Unit(_) => {}
            Op::Sum(terms) => terms.iter().for_each(|&(_, a)| visit(a)),
            Op::Product { scalars, factors } => scalars.iter().chain(factors.iter()).for_each(|&a| visit(a)),
            Op::Hadamard(list) | Op::Call(_, _, list) | Op::Horizontal(list) | Op::Vertical(list) => {
                list.iter().for_each(|&a| visit(a));
            }
            Op::Power(a, b) | Op::Compare(_, a, b) | Op::ExpmFrechet(a, b) | Op::PowerFrechet(a, b, _) => {
                visit(*a);
                visit(*b);
            }
            Op::MatrixPower(a, _) | Op::Transpose(a) | Op::Reshape(a) => visit(*a),
        }
    }

    /// Marks all nodes that the roots need, through names too; ids in rising order are an order of evaluation.
    pub fn reachable(&self, roots: &[ExprId]) -> Vec<ExprId> {
        let mut seen: FxHashSet<ExprId> = FxHashSet::default();
        let mut stack = roots.to_vec();
        let mut out = Vec::new();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            out.push(id);
            if let Op::Named(name) = self.op(id) {
                stack.push(self.named(*name).body);
            }
            self.operands(id, |a| stack.push(a));
        }
        out.sort_unstable();
        out
    }
}

//! The tree of a program as typed: nodes in an arena, children before parents, so that every later pass is a loop and no
//! input is too deep. Names are canonical here (`λ` is `lambda`, `W₁` is `W1`); nothing is resolved or typed yet.

use crate::diagnostic::Span;
use crate::number::Number;

/// A node of an [`Ast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`
    Divide,
    /// `a \ b`
    LeftDivide,
    /// `a .* b`
    Hadamard,
    /// `a ./ b`
    HadamardDivide,
    /// `a ^ b`
    Power,
    /// `a .^ b`
    HadamardPower,
}

/// A comparison: 1 where it holds, 0 elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// As typed.
    pub fn text(self) -> &'static str {
        match self {
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        }
    }

    /// Whether it is true of two numbers; of NaN only `!=` is.
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Comparison::Greater => a > b,
            Comparison::GreaterEqual => a >= b,
            Comparison::Less => a < b,
            Comparison::LessEqual => a <= b,
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
        }
    }
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A literal.
    Number(Number),
    /// A name.
    Name(String),
    /// `-a`
    Negate(NodeId),
    /// `a'`
    Transpose(NodeId),
    /// `a op b`
    Binary(Operator, NodeId, NodeId),
    /// `a > b`
    Compare(Comparison, NodeId, NodeId),
    /// `f(a, b, axis=0)`
    Call {
        /// The function's name as typed.
        function: String,
        /// The arguments in order.
        arguments: Vec<NodeId>,
        /// Arguments by name.
        named: Vec<(String, Span, NodeId)>,
    },
    /// `[a, b; c, d]`
    Blocks(Vec<Vec<NodeId>>),
    /// `<a, b>`
    Frobenius(NodeId, NodeId),
    /// Where a mistake was reported already; later passes stay silent about it.
    Error,
}

/// A name and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The canonical name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// What a statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AskKind {
    /// `grad F wrt …`
    Gradient,
    /// `jacobian Y wrt …`
    Jacobian,
    /// `hessian F wrt …`
    Hessian,
    /// `differential F [wrt …]`
    Differential,
    /// `hessian F wrt … along …`
    HessianAlong,
    /// `jacobian Y wrt … along …`
    JacobianAlong,
    /// `jacobian Y wrt … against …`
    JacobianAgainst,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `dim N, D = 64`
    Dimensions(Vec<(Named, Option<(u64, Span)>)>),
    /// `A, B : matrix(n, n)`
    Declaration {
        /// What is declared.
        names: Vec<Named>,
        /// The type's name.
        kind: Named,
        /// Its dimensions.
        arguments: Vec<NodeId>,
    },
    /// `assume symmetric(A), posdef(B)`
    Assume(Vec<(Named, Named)>),
    /// `Z = X*W`
    Definition(Named, NodeId),
    /// `grad L wrt X, Y`
    Ask {
        /// Which derivative.
        kind: AskKind,
        /// Of what.
        of: NodeId,
        /// With respect to what; empty for a differential of everything.
        wrt: Vec<Named>,
        /// What stands behind `along` or `against`.
        directions: Vec<NodeId>,
        /// The statement's place.
        span: Span,
    },
}

/// A parsed program.
#[derive(Clone, Debug, Default)]
pub struct Ast {
    nodes: Vec<Node>,
    spans: Vec<Span>,
    operators: Vec<Span>,
    /// The statements in order.
    pub statements: Vec<Statement>,
}

impl Ast {
    /// Adds a node whose children are there already. `span` is the whole expression, `operator` the place of its
    /// operator or of the function's name.
    pub fn push(&mut self, node: Node, span: Span, operator: Span) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).expect("fewer than 2^32 nodes"));
        self.nodes.push(node);
        self.spans.push(span);
        self.operators.push(operator);
        id
    }

    /// Forgets the nodes from `len` on: what is left of a statement with a mistake in it.
    pub(super) fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
        self.spans.truncate(len);
        self.operators.truncate(len);
    }

    /// The node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The place of the whole expression.
    pub fn span(&self, id: NodeId) -> Span {
        self.spans[id.0 as usize]
    }

    /// The place of the operator or function's name.
    pub fn operator_span(&self, id: NodeId) -> Span {
        self.operators[id.0 as usize]
    }

    /// How many nodes there are; ids run from 0 to this, children before parents.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The children of a node, in order.
    pub fn children(&self, id: NodeId) -> Vec<NodeId> {
        match self.node(id) {
            Node::Number(_) | Node::Name(_) | Node::Error => Vec::new(),
            Node::Negate(a) | Node::Transpose(a) => vec![*a],
            Node::Binary(_, a, b) | Node::Compare(_, a, b) | Node::Frobenius(a, b) => vec![*a, *b],
            Node::Call { arguments, named, .. } => {
                arguments.iter().copied().chain(named.iter().map(|(_, _, id)| *id)).collect()
            }
            Node::Blocks(rows) => rows.iter().flatten().copied().collect(),
        }
    }
}

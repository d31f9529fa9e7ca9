//! A typed tree to expressions: names to nodes, broadcasting written out as products with ones.

use rustc_hash::FxHashMap as HashMap;

use super::substitute::local_nodes;
use super::{Arena, Axis, ExprId, NameKind, Op};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{DefinitionId, Meaning, Properties, Property, Typed, VariableId};
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::syntax::ast::{Ast, Node, NodeId, Operator};

/// A program's expressions: what its names and requests stand for.
#[derive(Clone, Debug)]
pub struct Built {
    /// The node of each definition's name.
    pub definitions: Vec<ExprId>,
    /// What each request is of.
    pub asked: Vec<ExprId>,
    /// What stands behind `along` or `against` in each request.
    pub directions: Vec<Vec<ExprId>>,
}

impl Arena {
    /// A variable.
    pub fn variable(&mut self, id: VariableId) -> ExprId {
        let variable = &self.variables[id.0 as usize];
        let (shape, properties) = (variable.shape, variable.properties);
        self.intern(Op::Variable(id), shape, properties)
    }

    /// The differential of a variable's or named node.
    pub fn differential_of(&mut self, of: ExprId) -> ExprId {
        let (shape, known) = (self.shape(of), self.properties(of));
        let mut properties = Properties::NONE;
        // The differential stays in a linear space of matrices; it need not be positive or orthogonal.
        for p in [Property::Symmetric, Property::Skew, Property::Diagonal] {
            if known.has(p) {
                properties = properties.with(p);
            }
        }
        self.intern(Op::Differential(of), shape, properties)
    }

    /// All definitions and requests of a typed program.
    pub fn build(&mut self, typed: &Typed) -> Built {
        let mut built = Nodes { built: vec![None; typed.ast.len()], joined: joined(typed) };
        // Those further down too: a part of an earlier one must not take their names.
        typed.definitions.iter().for_each(|definition| self.reserve(&definition.name));
        let mut definitions: Vec<ExprId> = Vec::with_capacity(typed.definitions.len());
        let mut next = 0;
        for definition in &typed.definitions {
            self.build_up_to(typed, &mut next, definition.body, &definitions, &mut built);
            let body = built.built[definition.body.0 as usize].expect("a definition's body is an expression");
            self.note_rewritten(&typed.ast, definition.body, body);
            let body = self.cut_into_parts(body);
            let id = DefinitionId(u32::try_from(definitions.len()).expect("fewer than 2^32 definitions"));
            let asked_for = typed.asks.iter().any(|ask| ask.wrt.contains(&Meaning::Definition(id)));
            let named = if asked_for {
                self.name_independent(definition.name.clone(), body)
            } else {
                self.name(definition.name.clone(), body, NameKind::Definition)
            };
            definitions.push(named);
        }
        let mut asked = Vec::with_capacity(typed.asks.len());
        let mut directions = Vec::with_capacity(typed.asks.len());
        for ask in &typed.asks {
            self.build_up_to(typed, &mut next, ask.of, &definitions, &mut built);
            let of = built.built[ask.of.0 as usize].expect("a request is of an expression");
            self.note_rewritten(&typed.ast, ask.of, of);
            asked.push(of);
            let mut list = Vec::with_capacity(ask.directions.len());
            for &direction in &ask.directions {
                self.build_up_to(typed, &mut next, direction, &definitions, &mut built);
                list.push(built.built[direction.0 as usize].expect("a direction is an expression"));
            }
            directions.push(list);
        }
        Built { definitions, asked, directions }
    }

    /// Remembers an expression in which the normal form has other functions than the user typed: det(A*X) is
    /// det(A)*det(X), and a derivation says so.
    fn note_rewritten(&mut self, ast: &Ast, typed: NodeId, body: ExprId) {
        const TOLD: [Function; 13] = [
            Function::Det,
            Function::LogDet,
            Function::Trace,
            Function::Kron,
            Function::Diag,
            Function::Norm,
            Function::NormSq,
            Function::Log,
            Function::Exp,
            Function::Expm,
            Function::Pinv,
            Function::Chol,
            Function::Abs,
        ];
        let mut counts = [0_i64; TOLD.len()];
        let place = |function: Function| TOLD.iter().position(|&f| f == function);
        let mut stack = vec![typed];
        while let Some(id) = stack.pop() {
            if let Node::Call { function, .. } = ast.node(id)
                && let Some(i) = Function::lookup(function).and_then(place)
            {
                counts[i] += 1;
            }
            stack.extend(ast.children(id));
        }
        // Each function as often as it stands in the expression written out.
        let mut times: HashMap<ExprId, i64> = HashMap::from_iter([(body, 1)]);
        for id in local_nodes(self, body).into_iter().rev() {
            let own = times[&id];
            if let Op::Call(function, ..) = self.op(id)
                && let Some(i) = place(*function)
            {
                counts[i] = counts[i].saturating_sub(own);
            }
            self.operands(id, |a| {
                let known = times.entry(a).or_insert(0);
                *known = known.saturating_add(own);
            });
        }
        if counts.iter().any(|&count| count != 0) {
            self.rewritten.insert(body);
        }
    }

    fn build_up_to(&mut self, typed: &Typed, next: &mut u32, last: NodeId, definitions: &[ExprId], nodes: &mut Nodes) {
        // Requests may stand between definitions, so their nodes may be behind.
        let from = if *next <= last.0 { *next } else { 0 };
        for i in from..=last.0 {
            if nodes.built[i as usize].is_none() && !nodes.joined[i as usize] {
                nodes.built[i as usize] = self.build_node(typed, NodeId(i), definitions, nodes);
            }
        }
        *next = (*next).max(last.0 + 1);
    }

    /// One node whose children are built; `None` for a node that stands for a dimension.
    fn build_node(&mut self, typed: &Typed, id: NodeId, definitions: &[ExprId], nodes: &Nodes) -> Option<ExprId> {
        let shape = typed.shapes[id.0 as usize];
        if let Node::Name(_) = typed.ast.node(id) {
            return match typed.meanings[id.0 as usize]? {
                Meaning::Variable(v) => Some(self.variable(v)),
                Meaning::Definition(d) => definitions.get(d.0 as usize).copied(),
                Meaning::Dimension(d) => Some(self.dimension(d)),
                Meaning::Pi => Some(self.intern(Op::Pi, Shape::SCALAR, positive())),
                Meaning::E => Some(self.intern(Op::Euler, Shape::SCALAR, positive())),
                Meaning::DifferentialOfVariable(v) => {
                    let x = self.variable(v);
                    Some(self.differential_of(x))
                }
                Meaning::DifferentialOfDefinition(d) => {
                    let x = *definitions.get(d.0 as usize)?;
                    Some(self.differential_of(x))
                }
            };
        }
        let child = |n: NodeId| nodes.built[n.0 as usize];
        if let Node::Binary(operator, a, b) = typed.ast.node(id)
            && (nodes.joined[a.0 as usize] || nodes.joined[b.0 as usize])
        {
            let operands = operands_of_chain(&typed.ast, id, &nodes.joined);
            let operands: Option<Vec<(bool, ExprId)>> =
                operands.into_iter().map(|(minus, n)| Some((minus, child(n)?))).collect();
            return Some(self.chain(*operator, &operands?, shape));
        }
        self.combine(&typed.ast, id, shape, &child)
    }

    /// a + b - c …, a*b*c … or a .* b .* c … at once, so that a chain of n operands costs n.
    fn chain(&mut self, operator: Operator, operands: &[(bool, ExprId)], shape: Shape) -> ExprId {
        match operator {
            Operator::Multiply => {
                let list: Vec<ExprId> = operands.iter().map(|&(_, a)| a).collect();
                self.multiply(&list)
            }
            Operator::Hadamard => {
                let (scalars, mut others): (Vec<ExprId>, Vec<ExprId>) =
                    operands.iter().map(|&(_, a)| a).partition(|&a| self.shape(a).is_scalar());
                for a in &mut others {
                    *a = self.broadcast(*a, shape);
                }
                let mut list = scalars;
                if !others.is_empty() {
                    list.push(self.hadamard(&others));
                }
                self.multiply(&list)
            }
            _ => {
                let mut terms = Vec::with_capacity(operands.len());
                for &(minus, a) in operands {
                    let sign = if minus { Number::MINUS_ONE } else { Number::ONE };
                    terms.push((sign, self.broadcast(a, shape)));
                }
                self.sum(&terms)
            }
        }
    }

    /// A node that is no name, from its built children.
    pub(crate) fn combine(
        &mut self,
        ast: &Ast,
        id: NodeId,
        shape: Shape,
        child: &dyn Fn(NodeId) -> Option<ExprId>,
    ) -> Option<ExprId> {
        Some(match ast.node(id) {
            Node::Name(_) | Node::Error => return None,
            Node::Number(value) => self.number(*value),
            Node::Negate(a) => {
                let a = child(*a)?;
                self.negate(a)
            }
            Node::Transpose(a) => {
                let a = child(*a)?;
                self.transpose(a)
            }
            Node::Binary(operator, a, b) => {
                let (a, b) = (child(*a)?, child(*b)?);
                self.binary(*operator, a, b)
            }
            Node::Compare(comparison, a, b) => {
                let (a, b) = (child(*a)?, child(*b)?);
                let (a, b) = self.same_shape_or_scalar(a, b);
                self.compare(*comparison, a, b)
            }
            Node::Frobenius(a, b) => {
                let (a, b) = (child(*a)?, child(*b)?);
                self.call(Function::Dot, Axis::All, &[a, b])
            }
            Node::Blocks(rows) => {
                let mut bands = Vec::with_capacity(rows.len());
                for row in rows {
                    let parts: Option<Vec<ExprId>> = row.iter().map(|&a| child(a)).collect();
                    bands.push(self.horizontal(&parts?));
                }
                self.vertical(&bands)
            }
            Node::Call { function, arguments, named } => {
                let function = Function::lookup(function)?;
                let columns = named
                    .iter()
                    .any(|(name, _, value)| name == "axis" && child(*value).is_some_and(|v| self.is_zero(v)));
                self.typed_call(ast, function, arguments, columns, shape, child)?
            }
        })
    }

    fn typed_call(
        &mut self,
        ast: &Ast,
        function: Function,
        arguments: &[NodeId],
        columns: bool,
        shape: Shape,
        child: &dyn Fn(NodeId) -> Option<ExprId>,
    ) -> Option<ExprId> {
        let first = || child(arguments[0]);
        Some(match function.entry().signature {
            Signature::Identity => self.identity(shape.rows),
            Signature::Filled if function == Function::Zeros => self.zeros(shape),
            Signature::Filled | Signature::Column => self.ones(shape),
            Signature::UnitVector => match ast.node(arguments[1]) {
                Node::Number(i) => self.unit(shape.rows, u64::try_from(i.as_integer()?).ok()?),
                _ => return None,
            },
            Signature::ConstantVector | Signature::ConstantMatrix => {
                let value = first()?;
                self.broadcast(value, shape)
            }
            Signature::Reshape | Signature::Vectorised => {
                let a = first()?;
                self.reshape(a, shape)
            }
            Signature::HalfVectorised | Signature::UnHalfVectorised => {
                let a = first()?;
                self.linear_call(function, a, shape)
            }
            Signature::AlongRows | Signature::ReduceRows => {
                let a = first()?;
                let of = self.shape(a);
                let vector = of.rows == DimId::ONE || of.columns == DimId::ONE;
                let axis = match (columns, vector) {
                    (false, true) => Axis::All,
                    (true, _) => Axis::Columns,
                    (false, false) => Axis::Rows,
                };
                self.row_wise(function, axis, a)
            }
            Signature::Reduce if arguments.len() == 2 => {
                let (a, axis) = (first()?, child(arguments[1])?);
                let rows = matches!(self.op(axis), Op::Number(k) if k.is_one());
                let function = match (function, rows) {
                    (Function::Sum, true) => Function::ColSum,
                    (Function::Sum, false) => Function::RowSum,
                    (_, true) => Function::ColMean,
                    (_, false) => Function::RowMean,
                };
                self.call(function, Axis::All, &[a])
            }
            Signature::ElementwisePair => {
                let (a, b) = (first()?, child(arguments[1])?);
                let (a, b) = self.same_shape_or_scalar(a, b);
                self.call(function, Axis::All, &[a, b])
            }
            _ => {
                let arguments: Option<Vec<ExprId>> = arguments.iter().map(|&a| child(a)).collect();
                self.call(function, Axis::All, &arguments?)
            }
        })
    }

    /// softmax and its kind; of a matrix along an axis of length one they are over all entries.
    pub fn row_wise(&mut self, function: Function, axis: Axis, a: ExprId) -> ExprId {
        let shape = self.shape(a);
        let axis = match axis {
            Axis::Columns if shape.is_column() => Axis::All,
            Axis::Rows if shape.is_row() => Axis::All,
            axis => axis,
        };
        self.call(function, axis, &[a])
    }

    /// The unit column e_i.
    pub fn unit(&mut self, rows: DimId, i: u64) -> ExprId {
        if rows == DimId::ONE {
            return self.integer(1);
        }
        self.intern(Op::Unit(i), Shape::column(rows), Properties::NONE.with(Property::Nonnegative))
    }

    /// The two operands repeated to one shape.
    pub fn same_shape(&mut self, a: ExprId, b: ExprId) -> (ExprId, ExprId) {
        let shape = self.joined(a, b);
        (self.broadcast(a, shape), self.broadcast(b, shape))
    }

    fn same_shape_or_scalar(&mut self, a: ExprId, b: ExprId) -> (ExprId, ExprId) {
        if self.shape(a).is_scalar() || self.shape(b).is_scalar() { (a, b) } else { self.same_shape(a, b) }
    }

    fn joined(&self, a: ExprId, b: ExprId) -> Shape {
        let (a, b) = (self.shape(a), self.shape(b));
        let larger = |x: DimId, y: DimId| if x == DimId::ONE { y } else { x };
        Shape::new(larger(a.rows, b.rows), larger(a.columns, b.columns))
    }

    /// a operator b with the language's broadcasting.
    pub fn binary(&mut self, operator: Operator, a: ExprId, b: ExprId) -> ExprId {
        match operator {
            Operator::Add => {
                let (a, b) = self.same_shape(a, b);
                self.add(a, b)
            }
            Operator::Subtract => {
                let (a, b) = self.same_shape(a, b);
                self.subtract(a, b)
            }
            Operator::Multiply => self.multiply(&[a, b]),
            Operator::Divide if self.shape(b).is_scalar() => {
                let b = self.reciprocal(b);
                self.multiply(&[a, b])
            }
            Operator::Divide => {
                let b = self.matrix_power(b, Number::MINUS_ONE);
                self.multiply(&[a, b])
            }
            Operator::LeftDivide if self.shape(a).is_scalar() => {
                let a = self.reciprocal(a);
                self.multiply(&[a, b])
            }
            Operator::LeftDivide => {
                let a = self.matrix_power(a, Number::MINUS_ONE);
                self.multiply(&[a, b])
            }
            Operator::Hadamard => self.pointwise(a, b),
            Operator::HadamardDivide => {
                let b = self.reciprocal(b);
                self.pointwise(a, b)
            }
            Operator::Power if !self.shape(a).is_scalar() => match *self.op(b) {
                Op::Number(k) => self.matrix_power(a, k),
                _ => unreachable!("checked when typed: a matrix has a literal power"),
            },
            Operator::Power | Operator::HadamardPower => {
                let (a, b) = self.same_shape_or_scalar(a, b);
                self.power(a, b)
            }
        }
    }

    /// a .* b with broadcasting.
    pub fn pointwise(&mut self, a: ExprId, b: ExprId) -> ExprId {
        if self.shape(a).is_scalar() || self.shape(b).is_scalar() {
            return self.multiply(&[a, b]);
        }
        let (a, b) = self.same_shape(a, b);
        self.hadamard(&[a, b])
    }
}

/// What is built so far, by node of the tree.
struct Nodes {
    built: Vec<Option<ExprId>>,
    /// Nodes that are built together with the operator above them.
    joined: Vec<bool>,
}

/// Which operators are built together with the one above them: sums in sums, products in products. A product that comes
/// out a scalar stays on its own: in `(a'*b)*c` it scales c, and is no part of a chain with it.
fn joined(typed: &Typed) -> Vec<bool> {
    let ast = &typed.ast;
    let kind = |id: NodeId| match ast.node(id) {
        Node::Binary(Operator::Add | Operator::Subtract, ..) => Some(Operator::Add),
        Node::Binary(operator @ (Operator::Multiply | Operator::Hadamard), ..) => Some(*operator),
        _ => None,
    };
    let mut out = vec![false; ast.len()];
    for i in 0..ast.len() {
        let id = NodeId(i as u32);
        if let (Some(own), Node::Binary(_, a, b)) = (kind(id), ast.node(id)) {
            for child in [a, b] {
                let scales = own == Operator::Multiply && typed.shapes[child.0 as usize].is_scalar();
                out[child.0 as usize] |= kind(*child) == Some(own) && !scales;
            }
        }
    }
    out
}

/// The operands of a chain from left to right, each with whether it is subtracted.
fn operands_of_chain(ast: &Ast, root: NodeId, joined: &[bool]) -> Vec<(bool, NodeId)> {
    let mut out = Vec::new();
    let mut stack = vec![(false, root)];
    while let Some((minus, id)) = stack.pop() {
        match ast.node(id) {
            Node::Binary(operator, a, b) if id == root || joined[id.0 as usize] => {
                stack.push((minus != (*operator == Operator::Subtract), *b));
                stack.push((minus, *a));
            }
            _ => out.push((minus, id)),
        }
    }
    out
}

fn positive() -> Properties {
    Properties::NONE.with(Property::Positive).with(Property::Nonnegative)
}

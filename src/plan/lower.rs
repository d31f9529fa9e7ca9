//! From expressions to the sized graph: roots of an arena and numbers for its dimensions come in; values come out, with
//! chains of products in their cheapest order, broadcasts left unwritten, and logarithms of softmax and traces of products
//! in a form that neither overflows nor is formed in full. Nothing recurses.

use std::collections::HashMap;

use super::graph::{Direction, Elementary, Graph, Reduction, SoftmaxPart, Use};
use super::{Form, Input, PlanError, Request, chain};
use crate::dimension::DimId;
use crate::eval::Reference;
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;

/// An operand that may be smaller than what it stands for: then it is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Operand {
    /// Its numbers.
    pub(super) of: Use,
    /// Rows of what it stands for.
    pub(super) rows: usize,
    /// Columns of what it stands for.
    pub(super) columns: usize,
}

/// A program in numbers.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) graph: Graph,
    pub(super) inputs: Vec<Input>,
    /// The roots in full shape.
    pub(super) roots: Vec<Use>,
    /// The names that a program gives to values.
    pub(super) names: Vec<Option<String>>,
}

/// Lowers what the roots need.
///
/// # Errors
/// A dimension that has no value or is not positive.
pub(super) fn lower(arena: &Arena, roots: &[ExprId], request: &Request<'_>) -> Result<Lowered, PlanError> {
    let mut lowering = Lowering {
        arena,
        independent: request.independent,
        sizes: request.sizes,
        labels: request.labels,
        known: HashMap::new(),
        graph: Graph::new(request.precision, request.tuning),
        inputs: Vec::new(),
        operands: HashMap::new(),
    };
    let top = roots.iter().map(|r| r.0 as usize + 1).max().unwrap_or(0);
    let mut needed = vec![false; top];
    roots.iter().for_each(|r| needed[r.0 as usize] = true);
    // Operands have smaller ids, so one pass downwards meets every need before its node.
    for i in (0..top).rev() {
        if needed[i] {
            lowering.needs(ExprId(i as u32), |a| needed[a.0 as usize] = true);
        }
    }
    for (i, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
        let id = ExprId(i as u32);
        let operand = lowering.node(id)?;
        lowering.operands.insert(id, operand);
    }
    let mut out = Vec::with_capacity(roots.len());
    for root in roots {
        let operand = lowering.operands[root];
        let full = lowering.in_full(operand);
        out.push(lowering.graph.written(full));
    }
    let mut names = vec![None; lowering.graph.values().len()];
    for (&id, operand) in &lowering.operands {
        if matches!(arena.op(id), Op::Named(_)) {
            let name = arena.name_of(id);
            let known: &mut Option<String> = &mut names[operand.of.value.0 as usize];
            let name = if operand.of.transposed && operand.rows > 1 { format!("{name}'") } else { name };
            // Of several names for one value the first in the alphabet, so that the plan is always the same.
            if known.as_ref().is_none_or(|known| name < *known) {
                *known = Some(name);
            }
        }
    }
    Ok(Lowered { graph: lowering.graph, inputs: lowering.inputs, roots: out, names })
}

pub(super) struct Lowering<'a> {
    pub(super) arena: &'a Arena,
    independent: &'a [ExprId],
    sizes: &'a HashMap<String, i64>,
    labels: &'a [ExprId],
    known: HashMap<DimId, usize>,
    pub(super) graph: Graph,
    inputs: Vec<Input>,
    operands: HashMap<ExprId, Operand>,
}

impl Lowering<'_> {
    fn size(&mut self, dimension: DimId) -> Result<usize, PlanError> {
        if let Some(&size) = self.known.get(&dimension) {
            return Ok(size);
        }
        let text = || self.arena.dimensions.text(dimension);
        let value = self.arena.dimensions.value(dimension, &|name| self.sizes.get(name).copied());
        let Some(value) = value else {
            return Err(PlanError::new(format!("the dimension `{}` has no value", text())));
        };
        let Some(size) = usize::try_from(value).ok().filter(|&n| n > 0) else {
            return Err(PlanError::new(format!("the dimension `{}` is not positive", text())));
        };
        self.known.insert(dimension, size);
        Ok(size)
    }

    fn shape(&mut self, id: ExprId) -> Result<(usize, usize), PlanError> {
        let shape = self.arena.shape(id);
        Ok((self.size(shape.rows)?, self.size(shape.columns)?))
    }

    /// Calls `visit` with the nodes that the value of this one is made of.
    fn needs(&self, id: ExprId, mut visit: impl FnMut(ExprId)) {
        let arena = self.arena;
        if self.independent.contains(&id) {
            return;
        }
        match arena.op(id) {
            Op::Named(name) => visit(arena.named(*name).body),
            Op::Call(Function::Log, _, list) => visit(self.log_of(list[0]).1),
            Op::Call(Function::Trace | Function::Diag, _, list) => match self.product_behind(list[0]) {
                Some((scalars, factors)) => {
                    scalars.iter().for_each(|&a| visit(a));
                    self.needs_of_factors(factors, visit);
                }
                None => visit(list[0]),
            },
            Op::Product { scalars, factors } => {
                scalars.iter().for_each(|&a| visit(a));
                self.needs_of_factors(factors, visit);
            }
            _ => arena.operands(id, visit),
        }
    }

    fn needs_of_factors(&self, factors: &[ExprId], mut visit: impl FnMut(ExprId)) {
        for &factor in factors {
            match self.diagonal_of(factor) {
                Some(vector) => visit(vector),
                None => visit(factor),
            }
        }
    }

    /// The vector of a factor `diag(vector)`.
    fn diagonal_of(&self, factor: ExprId) -> Option<ExprId> {
        match self.arena.op(factor) {
            Op::Call(Function::Diag, _, list) if self.arena.shape(list[0]).is_column() => Some(list[0]),
            Op::Call(Function::Diag, _, list) if self.arena.shape(list[0]).is_row() => Some(list[0]),
            _ => None,
        }
    }

    /// A square product of at least two factors, for its trace or its diagonal.
    fn product_behind(&self, id: ExprId) -> Option<(&[ExprId], &[ExprId])> {
        match self.arena.op(id) {
            Op::Product { scalars, factors } if factors.len() >= 2 && self.arena.shape(id).is_square() => {
                Some((scalars, factors))
            }
            _ => None,
        }
    }

    /// How the logarithm of a node is taken: of what, whether it is a softmax or a sigmoid, and whether it is transposed.
    fn log_of(&self, argument: ExprId) -> (LogOf, ExprId) {
        let (mut id, mut transposed) = (argument, false);
        while !self.independent.contains(&id) {
            match self.arena.op(id) {
                Op::Named(name) => id = self.arena.named(*name).body,
                Op::Transpose(a) => (id, transposed) = (*a, !transposed),
                Op::Call(Function::Softmax, axis, of) => return (LogOf::Softmax(*axis, transposed), of[0]),
                Op::Call(Function::Sigmoid, _, of) if !transposed => return (LogOf::Sigmoid, of[0]),
                _ => break,
            }
        }
        (LogOf::Plain, argument)
    }

    fn at(&self, id: ExprId) -> Operand {
        self.operands[&id]
    }

    /// The operand repeated to what it stands for.
    pub(super) fn in_full(&mut self, operand: Operand) -> Use {
        if self.graph.use_shape(operand.of) == (operand.rows, operand.columns) {
            operand.of
        } else {
            self.graph.map_to(Elementary::Copy, &[operand.of], operand.rows, operand.columns)
        }
    }

    fn full(&mut self, id: ExprId) -> Use {
        let operand = self.at(id);
        self.in_full(operand)
    }

    fn map(&mut self, elementary: Elementary, list: &[ExprId]) -> Use {
        let operands: Vec<Use> = list.iter().map(|&a| self.at(a).of).collect();
        self.graph.map(elementary, &operands)
    }

    fn reference(&mut self, reference: Reference, list: &[ExprId], (rows, columns): (usize, usize)) -> Use {
        let operands: Vec<Use> = list.iter().map(|&a| self.full(a)).collect();
        self.graph.reference(reference, &operands, rows, columns)
    }

    /// An array that is given at each run.
    fn given(&mut self, id: ExprId, (rows, columns): (usize, usize)) -> Use {
        let place = u32::try_from(self.inputs.len()).expect("fewer than 2^32 inputs");
        let form = if self.labels.contains(&id) { Form::Labels } else { Form::Entries };
        self.inputs.push(Input { node: id, name: self.arena.name_of(id), rows, columns, form });
        match form {
            Form::Entries => self.graph.input(place, rows, columns),
            Form::Labels => self.graph.labels(place, rows, columns),
        }
    }

    fn node(&mut self, id: ExprId) -> Result<Operand, PlanError> {
        let arena = self.arena;
        let (rows, columns) = self.shape(id)?;
        let shape = (rows, columns);
        if self.independent.contains(&id) {
            return Ok(Operand { of: self.given(id, shape), rows, columns });
        }
        let of = match arena.op(id) {
            Op::Number(value) => self.graph.constant(value.to_f64()),
            Op::Pi => self.graph.constant(std::f64::consts::PI),
            Op::Euler => self.graph.constant(std::f64::consts::E),
            Op::Dimension(d) => {
                let size = self.size(*d)?;
                self.graph.constant(size as f64)
            }
            Op::Variable(_) | Op::Differential(_) => self.given(id, shape),
            Op::Named(name) => self.at(arena.named(*name).body).of,
            Op::Identity => self.graph.identity(rows),
            Op::Ones => self.graph.constant(1.0),
            Op::Zeros => self.graph.constant(0.0),
            Op::Unit(i) => self.graph.reference(Reference::Unit(rows, *i), &[], rows, columns),
            Op::Sum(terms) => self.sum(terms),
            Op::Product { scalars, factors } => {
                let product = match factors.as_ref() {
                    [] => None,
                    list => Some(chain::product(self, list)?),
                };
                self.scaled(scalars, product)
            }
            Op::Hadamard(list) => self.smallest_first(list, Elementary::Multiply),
            Op::Power(base, exponent) => self.power(*base, *exponent),
            Op::MatrixPower(a, k) if *k == Number::MINUS_ONE && shape == (1, 1) => {
                self.map(Elementary::Function(Function::Recip), &[*a])
            }
            Op::MatrixPower(a, k) => self.reference(Reference::MatrixPower(*k), &[*a], shape),
            Op::Transpose(a) => self.at(*a).of.turned(),
            Op::Compare(comparison, a, b) => self.map(Elementary::Compare(*comparison), &[*a, *b]),
            Op::Call(function, axis, arguments) => self.call(*function, *axis, arguments, shape)?,
            Op::ExpmFrechet(a, e) => self.reference(Reference::ExpmFrechet, &[*a, *e], shape),
            Op::PowerFrechet(a, e, k) => self.reference(Reference::PowerFrechet(*k), &[*a, *e], shape),
            Op::Horizontal(parts) => self.reference(Reference::Horizontal, parts, shape),
            Op::Vertical(parts) => self.reference(Reference::Vertical, parts, shape),
            Op::Reshape(a) => self.reshaped(*a, shape),
        };
        Ok(Operand { of, rows, columns })
    }

    /// Operands joined by one operation, those with fewer entries first: they are put together while they are short.
    fn smallest_first(&mut self, list: &[ExprId], elementary: Elementary) -> Use {
        let mut operands: Vec<Use> = list.iter().map(|&a| self.at(a).of).collect();
        operands.sort_by_key(|&operand| self.entries(operand));
        let mut out = operands[0];
        for &operand in &operands[1..] {
            out = self.graph.map(elementary, &[out, operand]);
        }
        out
    }

    fn entries(&self, operand: Use) -> usize {
        let (rows, columns) = self.graph.use_shape(operand);
        rows * columns
    }

    /// Σ c·A.
    fn sum(&mut self, terms: &[(Number, ExprId)]) -> Use {
        let mut parts: Vec<(f64, Use)> = terms.iter().map(|&(c, a)| (c.to_f64(), self.at(a).of)).collect();
        // Short ones first; among those alike one without a coefficient leads.
        parts.sort_by_key(|&(c, operand)| (self.entries(operand), c != 1.0));
        let mut out: Option<Use> = None;
        for (c, operand) in parts {
            let (size, minus) = (c.abs(), c < 0.0 && out.is_some());
            let term = match (minus, size == 1.0) {
                (true, true) => operand,
                (true, false) => self.times(size, operand),
                (false, _) => self.times(c, operand),
            };
            out = Some(match out {
                None => term,
                Some(sum) if minus => self.graph.map(Elementary::Subtract, &[sum, term]),
                Some(sum) => self.graph.map(Elementary::Add, &[sum, term]),
            });
        }
        out.unwrap_or_else(|| self.graph.constant(0.0))
    }

    fn times(&mut self, c: f64, operand: Use) -> Use {
        let c = self.graph.constant(c);
        self.graph.map(Elementary::Multiply, &[c, operand])
    }

    /// The product of scalars and what they scale.
    fn scaled(&mut self, scalars: &[ExprId], product: Option<Use>) -> Use {
        let scale = (!scalars.is_empty()).then(|| self.smallest_first(scalars, Elementary::Multiply));
        match (scale, product) {
            (Some(scale), Some(product)) => self.graph.map(Elementary::Multiply, &[scale, product]),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => self.graph.constant(1.0),
        }
    }

    fn power(&mut self, base: ExprId, exponent: ExprId) -> Use {
        let x = self.at(base).of;
        let exponent = self.at(exponent).of;
        let unary = |graph: &mut Graph, f: Function| graph.map(Elementary::Function(f), &[x]);
        let graph = &mut self.graph;
        match graph.constant_of(exponent) {
            Some(2.0) => graph.map(Elementary::Multiply, &[x, x]),
            Some(3.0) => {
                let square = graph.map(Elementary::Multiply, &[x, x]);
                graph.map(Elementary::Multiply, &[square, x])
            }
            Some(-1.0) => unary(graph, Function::Recip),
            Some(0.5) => unary(graph, Function::Sqrt),
            Some(-2.0) => {
                let square = graph.map(Elementary::Multiply, &[x, x]);
                graph.map(Elementary::Function(Function::Recip), &[square])
            }
            Some(-0.5) => {
                let root = unary(graph, Function::Sqrt);
                graph.map(Elementary::Function(Function::Recip), &[root])
            }
            _ => graph.map(Elementary::Power, &[x, exponent]),
        }
    }

    fn reshaped(&mut self, a: ExprId, (rows, columns): (usize, usize)) -> Use {
        let operand = self.at(a);
        let whole = self.graph.use_shape(operand.of) == (operand.rows, operand.columns);
        if self.entries(operand.of) == 1 {
            return operand.of;
        }
        // The entries of one line stay in their order.
        if whole && (operand.rows == 1 || operand.columns == 1) && (rows == 1 || columns == 1) {
            return Use { transposed: rows == 1, ..operand.of };
        }
        self.reference(Reference::Reshape(rows, columns), &[a], (rows, columns))
    }

    fn call(
        &mut self,
        function: Function,
        axis: Axis,
        arguments: &[ExprId],
        shape: (usize, usize),
    ) -> Result<Use, PlanError> {
        use Function as F;
        let unary = Elementary::Function(function);
        Ok(match function {
            F::Log => match self.log_of(arguments[0]) {
                (LogOf::Plain, a) => self.map(unary, &[a]),
                (LogOf::Sigmoid, a) => {
                    // log σ(x) = −softplus(−x)
                    let x = self.at(a).of;
                    let negative = self.times(-1.0, x);
                    let softplus = self.graph.map(Elementary::Function(F::Softplus), &[negative]);
                    self.times(-1.0, softplus)
                }
                (LogOf::Softmax(axis, transposed), a) => {
                    let out = self.softmax(SoftmaxPart::LogSoftmax, axis, a);
                    if transposed { out.turned() } else { out }
                }
            },
            F::Exp
            | F::Log1p
            | F::Expm1
            | F::Sqrt
            | F::Abs
            | F::Sign
            | F::Sin
            | F::Cos
            | F::Tan
            | F::Asin
            | F::Acos
            | F::Atan
            | F::Sinh
            | F::Cosh
            | F::Tanh
            | F::Sigmoid
            | F::Softplus
            | F::Relu
            | F::Elu
            | F::Gelu
            | F::Silu
            | F::Erf
            | F::Step
            | F::Recip => self.map(unary, arguments),
            F::Square => self.map(Elementary::Multiply, &[arguments[0], arguments[0]]),
            F::LeakyRelu => self.map(Elementary::LeakyRelu, arguments),
            F::Max => self.map(Elementary::Maximum, arguments),
            F::Min => self.map(Elementary::Minimum, arguments),
            F::Softmax => self.softmax(SoftmaxPart::Softmax, axis, arguments[0]),
            F::LogSoftmax => self.softmax(SoftmaxPart::LogSoftmax, axis, arguments[0]),
            F::LogSumExp => self.softmax(SoftmaxPart::LogSumExp, axis, arguments[0]),
            F::Sum => self.reduced(Direction::All, arguments[0]),
            F::RowSum => self.reduced(Direction::Rows, arguments[0]),
            F::ColSum => self.reduced(Direction::Columns, arguments[0]),
            F::Mean | F::RowMean | F::ColMean => {
                let operand = self.at(arguments[0]);
                let (direction, count) = match function {
                    F::Mean => (Direction::All, operand.rows as f64 * operand.columns as f64),
                    F::RowMean => (Direction::Rows, operand.columns as f64),
                    _ => (Direction::Columns, operand.rows as f64),
                };
                let sum = self.reduced(direction, arguments[0]);
                self.times(1.0 / count, sum)
            }
            F::Norm => {
                let of = self.full(arguments[0]);
                self.graph.norm(of)
            }
            F::Norm1 => {
                let sizes = self.map(Elementary::Function(F::Abs), arguments);
                let operand = Operand { of: sizes, ..self.at(arguments[0]) };
                self.sum_of(Direction::All, operand)
            }
            F::NormSq => self.sum_of_products(arguments[0], arguments[0]),
            F::Dot => self.sum_of_products(arguments[0], arguments[1]),
            F::TransposeOf => self.at(arguments[0]).of.turned(),
            F::Vec => self.reshaped(arguments[0], shape),
            F::Reshape => self.reshaped(arguments[0], shape),
            F::Unvech => self.reference(Reference::Unvech(shape.0), arguments, shape),
            F::Trace | F::Diag => match self.product_of(arguments[0]) {
                Some((scalars, factors)) if function == F::Trace => {
                    let trace = chain::trace(self, &factors)?;
                    self.scaled(&scalars, Some(trace))
                }
                Some((scalars, factors)) => {
                    let diagonal = chain::diagonal(self, &factors)?;
                    self.scaled(&scalars, Some(diagonal))
                }
                None => self.reference(Reference::Call(function, axis), arguments, shape),
            },
            F::Inv if shape == (1, 1) => self.map(Elementary::Function(F::Recip), arguments),
            F::Det if self.at(arguments[0]).rows == 1 => self.at(arguments[0]).of,
            F::Inv => self.reference(Reference::MatrixPower(Number::MINUS_ONE), arguments, shape),
            F::Det | F::LogDet | F::Adj | F::Expm | F::Chol | F::Tril | F::Triu | F::Pinv | F::Vech | F::Kron => {
                self.reference(Reference::Call(function, axis), arguments, shape)
            }
            F::Eye => self.graph.identity(shape.0),
            F::Ones | F::OneVec => self.graph.constant(1.0),
            F::Zeros => self.graph.constant(0.0),
            F::Unit | F::VectorOf | F::MatrixOf => {
                return Err(PlanError::new(format!("`{}` stands in no expression", function.name())));
            }
        })
    }

    fn product_of(&self, id: ExprId) -> Option<(Vec<ExprId>, Vec<ExprId>)> {
        self.product_behind(id).map(|(scalars, factors)| (scalars.to_vec(), factors.to_vec()))
    }

    fn reduced(&mut self, direction: Direction, a: ExprId) -> Use {
        let operand = self.at(a);
        self.sum_of(direction, operand)
    }

    /// The sums of an operand; what is repeated is counted.
    pub(super) fn sum_of(&mut self, direction: Direction, operand: Operand) -> Use {
        let (rows, columns) = self.graph.use_shape(operand.of);
        let sum = self.graph.reduce(Reduction::Sum, direction, operand.of);
        let times = |small: usize, large: usize| if small == large { 1 } else { large };
        let (down, across) = (times(rows, operand.rows), times(columns, operand.columns));
        let count = match direction {
            Direction::Rows => across,
            Direction::Columns => down,
            Direction::All => down * across,
        };
        if count == 1 { sum } else { self.times(count as f64, sum) }
    }

    fn sum_of_products(&mut self, a: ExprId, b: ExprId) -> Use {
        let products = self.map(Elementary::Multiply, &[a, b]);
        let operand = Operand { of: products, ..self.at(a) };
        self.sum_of(Direction::All, operand)
    }

    fn softmax(&mut self, part: SoftmaxPart, axis: Axis, a: ExprId) -> Use {
        let of = self.full(a);
        match axis {
            Axis::All => self.graph.softmax_of_line(part, of),
            Axis::Rows => self.graph.softmax(part, of),
            Axis::Columns => self.graph.softmax(part, of.turned()).turned(),
        }
    }

    /// The factors of a chain with their numbers.
    pub(super) fn factor(&mut self, id: ExprId) -> Result<chain::Factor, PlanError> {
        let arena = self.arena;
        if let Some(vector) = self.diagonal_of(id) {
            let of = self.full(vector);
            let column = if self.graph.use_shape(of).0 == 1 { of.turned() } else { of };
            return Ok(chain::Factor::Diagonal(column));
        }
        Ok(match arena.op(id) {
            Op::Ones => {
                let (rows, columns) = self.shape(id)?;
                chain::Factor::Ones(rows, columns)
            }
            _ => chain::Factor::Plain(self.at(id)),
        })
    }
}

/// What the logarithm is taken of.
enum LogOf {
    Plain,
    /// A softmax with that axis, its transpose if so.
    Softmax(Axis, bool),
    Sigmoid,
}

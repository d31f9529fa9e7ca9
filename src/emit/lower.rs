//! From an answer to the program that a target writes: what is differentiated and every derivative asked for become
//! values, shared parts once. Names and formulas of definitions, adjoints and results come along. No target is known here.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::EmitError;
use super::chain;
use super::code::{
    Along, Code, Input, MatrixOp, Op, Origin, Output, ResultKind, SoftmaxPart, Tensor, TensorTerm, Value,
};
use crate::answer::{Answer, Direction, Outcome};
use crate::dimension::{DimId, Shape};
use crate::elaborate::Property;
use crate::expr::{Arena, Axis, ExprId, NameKind, Op as Node};
use crate::functions::Function;
use crate::number::Number;
use crate::render::build::notation;
use crate::render::text::text;
use crate::syntax::ast::AskKind;
use crate::tensor::index::Entries;

/// A value that stands for something of this shape: of the shape itself, or a row, column or scalar that is repeated to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) value: Value,
    pub(super) shape: Shape,
}

/// A formula with more characters is left out of the comments.
const LONGEST_FORMULA: usize = 160;

/// The program of an answer, under a name.
pub(super) fn lower(answer: &Answer, name: &str) -> Result<Code, EmitError> {
    let arena = &answer.arena;
    let code = Code::new(name.to_owned(), arena.dimensions.clone(), answer.typed.dimension_values.clone());
    let roots = roots(answer);
    let reachable = arena.reachable(&roots);
    let logarithms = logarithms(arena, &reachable);
    let mut lowerer = Lowerer { arena, code, values: HashMap::default(), logarithms };
    lowerer.inputs(answer, &reachable);
    for &id in &reachable {
        let operand = lowerer.node(id)?;
        debug_assert_eq!(operand.shape, arena.shape(id));
        lowerer.values.insert(id, operand);
        if let Node::Named(named) = arena.op(id) {
            let named = arena.named(*named);
            if lowerer.code.shape(operand.value) == operand.shape && named.kind != NameKind::Request {
                let formula = formula(&named.name, arena, named.body);
                lowerer.code.call_it(operand.value, &named.name, formula);
            }
        }
    }
    lowerer.outputs(answer);
    Ok(lowerer.code)
}

/// All that must have a value.
fn roots(answer: &Answer) -> Vec<ExprId> {
    let mut out = Vec::new();
    for outcome in &answer.outcomes {
        out.push(outcome.of_node);
        match many_axes(outcome) {
            Some(entries) => {
                for term in &entries.terms {
                    out.push(term.coefficient);
                    out.extend(term.factors.iter().map(|factor| factor.expr));
                }
            }
            None => out.push(outcome.result),
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The entries of a derivative that no matrix holds.
fn many_axes(outcome: &Outcome) -> Option<&Entries> {
    outcome.forms.as_ref().map(|forms| &forms.entries).filter(|entries| entries.axes.len() > 2)
}

fn formula(name: &str, arena: &Arena, body: ExprId) -> String {
    let right = text(&notation(arena, body));
    if right.chars().count() > LONGEST_FORMULA || right.contains('\n') {
        return String::new();
    }
    format!("{name} = {right}")
}

/// The softmaxes whose logarithm is wanted too, by what they are of: their exponentials are taken of that, once.
fn logarithms(arena: &Arena, reachable: &[ExprId]) -> HashSet<(ExprId, Axis)> {
    let mut out = HashSet::default();
    for &id in reachable {
        match arena.op(id) {
            Node::Call(Function::LogSoftmax, axis, list) => {
                out.insert((list[0], *axis));
            }
            Node::Call(Function::Log, _, list) => {
                let mut of = list[0];
                while let Node::Named(_) | Node::Transpose(_) = arena.op(of) {
                    of = match arena.op(of) {
                        Node::Named(named) => arena.named(*named).body,
                        Node::Transpose(inner) => *inner,
                        _ => break,
                    };
                }
                if let Node::Call(Function::Softmax, axis, list) = arena.op(of) {
                    out.insert((list[0], *axis));
                }
            }
            _ => {}
        }
    }
    out
}

pub(super) struct Lowerer<'a> {
    pub(super) arena: &'a Arena,
    pub(super) code: Code,
    values: HashMap<ExprId, Operand>,
    /// Softmaxes that are the exponentials of their logarithms.
    logarithms: HashSet<(ExprId, Axis)>,
}

impl Lowerer<'_> {
    /// Every variable that is used, then the differentials.
    fn inputs(&mut self, answer: &Answer, reachable: &[ExprId]) {
        let arena = self.arena;
        let mut places: Vec<(usize, ExprId)> = Vec::new();
        for &id in reachable {
            match arena.op(id) {
                Node::Variable(v) => places.push((v.0 as usize, id)),
                Node::Differential(_) => places.push((usize::MAX, id)),
                _ => {}
            }
        }
        places.sort_unstable();
        for (_, id) in places {
            let place = u32::try_from(self.code.inputs.len()).expect("fewer than 2^32 inputs");
            let shape = arena.shape(id);
            let kind = match arena.op(id) {
                Node::Variable(v) => answer.typed.variables[v.0 as usize].kind.clone(),
                Node::Differential(of) => format!("the differential of {}", arena.name_of(*of)),
                _ => String::new(),
            };
            self.code.inputs.push(Input { name: arena.name_of(id), shape, kind, node: id });
            let value = self.code.intern(Op::Input(place), shape);
            self.values.insert(id, Operand { value, shape });
        }
    }

    fn outputs(&mut self, answer: &Answer) {
        let arena = self.arena;
        let mut places: HashMap<ExprId, usize> = HashMap::default();
        for outcome in &answer.outcomes {
            let of = outcome.of_node;
            if places.contains_key(&of) {
                continue;
            }
            let full = self.full(self.at(of));
            let name = arena.name_of(of);
            if let Node::Named(named) = arena.op(of) {
                let formula = formula(&name, arena, arena.named(*named).body);
                self.code.call_it(full, &name, formula);
            }
            places.insert(of, self.code.outputs.len());
            let axes = axes_of(arena.shape(of));
            let (kind, from) = (ResultKind::Value, Origin::Value(of));
            let output = Output { name: name.clone(), title: name, value: full, axes, kind, from };
            self.code.outputs.push(output);
        }
        for (place, outcome) in answer.outcomes.iter().enumerate() {
            let of = places[&outcome.of_node];
            let name = output_name(outcome, &arena.name_of(outcome.of_node));
            let title = title(outcome);
            if self.code.outputs.iter().any(|known| known.name == name && known.title == title) {
                continue;
            }
            let (value, axes) = match many_axes(outcome) {
                Some(entries) => (self.tensor(entries), entries.axes.clone()),
                None => {
                    let full = self.full(self.at(outcome.result));
                    (full, axes_of(self.code.shape(full)))
                }
            };
            if let Some(line) = outcome.program.last() {
                let formula =
                    if many_axes(outcome).is_some() { String::new() } else { formula(&line.name, arena, line.right) };
                self.code.call_it(value, &line.name, formula);
            }
            let kind = match (outcome.kind, outcome.wrt_nodes.as_slice()) {
                (AskKind::Gradient, &[wrt]) => {
                    let input = self.values.get(&wrt).and_then(|operand| match self.code.op(operand.value) {
                        Op::Input(place) => Some(*place),
                        _ => None,
                    });
                    ResultKind::Gradient { of, wrt: input }
                }
                _ => ResultKind::Derivative,
            };
            self.code.outputs.push(Output { name, title, value, axes, kind, from: Origin::Outcome(place) });
        }
    }

    fn tensor(&mut self, entries: &Entries) -> Value {
        let mut terms = Vec::with_capacity(entries.terms.len());
        for term in &entries.terms {
            let coefficient = self.full(self.at(term.coefficient));
            let factors =
                term.factors.iter().map(|factor| (self.full(self.at(factor.expr)), factor.at.clone())).collect();
            terms.push(TensorTerm { coefficient, factors, deltas: term.deltas.clone(), summed: term.summed.clone() });
        }
        let all = |code: &mut Code, list: &[DimId]| {
            list.iter().fold(DimId::ONE, |all, &d| code.dimensions.product(all, d).unwrap_or(all))
        };
        let (rows, columns) = entries.axes.split_at(entries.rows);
        let shape = Shape::new(all(&mut self.code, rows), all(&mut self.code, columns));
        self.code.intern(Op::Tensor(Box::new(Tensor { axes: entries.axes.clone(), terms })), shape)
    }

    /// What a node was lowered to.
    pub(super) fn at(&self, id: ExprId) -> Operand {
        self.values[&id]
    }

    /// The operand as a value of its whole shape.
    pub(super) fn full(&mut self, operand: Operand) -> Value {
        if self.code.shape(operand.value) == operand.shape {
            return operand.value;
        }
        self.code.intern(Op::Repeat(operand.value), operand.shape)
    }

    pub(super) fn transposed(&mut self, operand: Operand) -> Operand {
        Operand { value: self.code.transpose(operand.value), shape: operand.shape.transposed() }
    }

    /// A sum of entries; what is repeated is counted.
    pub(super) fn total(&mut self, along: Along, operand: Operand) -> Operand {
        let own = self.code.shape(operand.value);
        let mut value = self.code.total(along, operand.value);
        let mut counts = Vec::new();
        if along != Along::Columns && own.columns != operand.shape.columns {
            counts.push(operand.shape.columns);
        }
        if along != Along::Rows && own.rows != operand.shape.rows {
            counts.push(operand.shape.rows);
        }
        for count in counts {
            let count = self.code.size(count);
            value = self.code.multiply(&[count, value]);
        }
        let shape = match along {
            Along::Rows => Shape::new(operand.shape.rows, DimId::ONE),
            Along::Columns => Shape::new(DimId::ONE, operand.shape.columns),
            Along::All => Shape::SCALAR,
        };
        Operand { value, shape }
    }

    /// ⟨a, b⟩ of two operands of one shape.
    pub(super) fn dot(&mut self, a: Operand, b: Operand) -> Value {
        if self.code.shape(a.value) == a.shape && self.code.shape(b.value) == a.shape {
            return self.code.dot(a.value, b.value);
        }
        let value = self.code.multiply(&[a.value, b.value]);
        self.total(Along::All, Operand { value, shape: a.shape }).value
    }

    fn node(&mut self, id: ExprId) -> Result<Operand, EmitError> {
        let arena = self.arena;
        let shape = arena.shape(id);
        let value = match arena.op(id) {
            Node::Number(number) => self.code.number(*number),
            Node::Pi => self.code.intern(Op::Pi, Shape::SCALAR),
            Node::Euler => self.code.intern(Op::Euler, Shape::SCALAR),
            Node::Dimension(d) => self.code.size(*d),
            Node::Variable(_) | Node::Differential(_) => return Ok(self.at(id)),
            Node::Named(name) => self.at(arena.named(*name).body).value,
            Node::Identity if shape.is_scalar() => self.code.number(Number::ONE),
            Node::Identity => self.code.intern(Op::Identity, shape),
            Node::Ones => self.code.number(Number::ONE),
            Node::Zeros => self.code.number(Number::ZERO),
            Node::Unit(i) => self.code.intern(Op::Unit(*i), shape),
            Node::Sum(terms) => {
                let terms: Vec<(Number, Value)> = terms.iter().map(|&(c, a)| (c, self.at(a).value)).collect();
                self.code.sum(&terms)
            }
            Node::Product { scalars, factors } => {
                let mut numerator = Vec::new();
                let mut denominator = Vec::new();
                scalars.iter().for_each(|&s| self.split(s, &mut numerator, &mut denominator));
                if !factors.is_empty() {
                    numerator.push(chain::product(self, factors).value);
                }
                self.quotient(&numerator, &denominator)
            }
            Node::Hadamard(list) => {
                let mut numerator = Vec::new();
                let mut denominator = Vec::new();
                list.iter().for_each(|&a| self.split(a, &mut numerator, &mut denominator));
                self.quotient(&numerator, &denominator)
            }
            Node::Power(a, b) => {
                let (a, b) = (self.at(*a).value, self.at(*b).value);
                self.code.power(a, b)
            }
            Node::MatrixPower(a, k) => self.matrix_power(*a, *k)?,
            Node::Transpose(a) => {
                let a = self.at(*a).value;
                self.code.transpose(a)
            }
            Node::Compare(comparison, a, b) => {
                let (a, b) = (self.at(*a).value, self.at(*b).value);
                self.code.compare(*comparison, a, b)
            }
            Node::Call(function, axis, list) => self.call(*function, *axis, list, shape)?,
            Node::ExpmFrechet(a, e) if shape.is_scalar() => {
                let (a, e) = (self.at(*a).value, self.at(*e).value);
                let exponential = self.code.map(Function::Exp, a);
                self.code.multiply(&[exponential, e])
            }
            Node::ExpmFrechet(a, e) => self.whole(MatrixOp::ExponentialAlong, &[*a, *e], shape),
            Node::PowerFrechet(a, e, k) if shape.is_scalar() => {
                let (a, e) = (self.at(*a).value, self.at(*e).value);
                let lower = self.code.number(Number::integer(k - 1));
                let (k, power) = (self.code.number(Number::integer(*k)), self.code.power(a, lower));
                self.code.multiply(&[k, power, e])
            }
            Node::PowerFrechet(a, e, k) => self.whole(MatrixOp::PowerAlong(*k), &[*a, *e], shape),
            Node::Horizontal(list) => self.whole(MatrixOp::Horizontal, list, shape),
            Node::Vertical(list) => self.whole(MatrixOp::Vertical, list, shape),
            Node::Reshape(a) => self.reshape(*a, shape),
        };
        Ok(Operand { value, shape })
    }

    /// A factor over the line or, with its exponent turned, under it.
    fn split(&mut self, id: ExprId, numerator: &mut Vec<Value>, denominator: &mut Vec<Value>) {
        if let Node::Power(base, exponent) = self.arena.op(id)
            && let Node::Number(k) = self.arena.op(*exponent)
            && k.is_negative()
        {
            let positive = self.code.number(k.negate());
            let base = self.at(*base).value;
            denominator.push(self.code.power(base, positive));
        } else {
            numerator.push(self.at(id).value);
        }
    }

    fn quotient(&mut self, numerator: &[Value], denominator: &[Value]) -> Value {
        let over = self.code.multiply(numerator);
        if denominator.is_empty() {
            return over;
        }
        let under = self.code.multiply(denominator);
        self.code.divide(over, under)
    }

    /// An operation on whole matrices.
    fn whole(&mut self, op: MatrixOp, list: &[ExprId], shape: Shape) -> Value {
        let values: Vec<Value> = list.iter().map(|&a| self.full(self.at(a))).collect();
        self.code.matrix(op, &values, shape)
    }

    fn matrix_power(&mut self, a: ExprId, k: Number) -> Result<Value, EmitError> {
        let shape = self.arena.shape(a);
        if shape.is_scalar() {
            let (base, exponent) = (self.at(a).value, self.code.number(k));
            return Ok(self.code.power(base, exponent));
        }
        Ok(match k.as_integer() {
            Some(-1) => self.whole(MatrixOp::Inverse, &[a], shape),
            Some(2) => {
                let a = self.full(self.at(a));
                self.code.product(a, a)
            }
            Some(k) => self.whole(MatrixOp::Power(k), &[a], shape),
            None if k == Number::HALF => self.whole(MatrixOp::Root { inverse: false }, &[a], shape),
            None if k == Number::HALF.negate() => self.whole(MatrixOp::Root { inverse: true }, &[a], shape),
            None => return Err(EmitError::new(format!("the matrix power {} is not covered", k.to_f64()))),
        })
    }

    fn reshape(&mut self, a: ExprId, shape: Shape) -> Value {
        let operand = self.at(a);
        if operand.shape == shape || self.code.shape(operand.value).is_scalar() {
            return operand.value;
        }
        let full = self.full(operand);
        if operand.shape == shape.transposed() && (shape.is_column() || shape.is_row()) {
            return self.code.transpose(full);
        }
        self.code.matrix(MatrixOp::Reshape, &[full], shape)
    }

    fn call(&mut self, function: Function, axis: Axis, list: &[ExprId], shape: Shape) -> Result<Value, EmitError> {
        use Function as F;
        let of = list.first().map(|&a| self.at(a));
        let Some(first) = of else { return Err(lacking(function)) };
        let second = list.get(1).map(|&b| self.at(b).value);
        let scalar = first.shape.is_scalar();
        let value = first.value;
        Ok(match (function, second) {
            (F::LeakyRelu, Some(slope)) => self.code.pair(Op::LeakyRelu, value, slope),
            (F::Max, Some(b)) => self.code.pair(Op::Maximum, value, b),
            (F::Min, Some(b)) => self.code.pair(Op::Minimum, value, b),
            (F::Dot, _) => self.dot(first, self.at(list[1])),
            (F::Kron, Some(b)) if scalar || self.at(list[1]).shape.is_scalar() => self.code.multiply(&[value, b]),
            (F::Kron, _) => self.whole(MatrixOp::Kronecker, list, shape),
            (F::Softmax, _) if scalar => self.code.number(Number::ONE),
            (F::LogSoftmax, _) if scalar => self.code.number(Number::ZERO),
            (F::LogSumExp, _) if scalar => value,
            (F::Softmax, _) if self.logarithms.contains(&(list[0], axis)) => {
                let logarithm = self.softmax(SoftmaxPart::LogSoftmax, axis, first, shape);
                self.code.map(F::Exp, logarithm)
            }
            (F::Softmax, _) => self.softmax(SoftmaxPart::Softmax, axis, first, shape),
            (F::LogSoftmax, _) => self.softmax(SoftmaxPart::LogSoftmax, axis, first, shape),
            (F::LogSumExp, _) => self.softmax(SoftmaxPart::LogSumExp, axis, first, shape),
            (F::Sum, _) => self.total(Along::All, first).value,
            (F::RowSum, _) => self.total(Along::Rows, first).value,
            (F::ColSum, _) => self.total(Along::Columns, first).value,
            (F::Mean, _) => {
                let total = self.total(Along::All, first).value;
                let (rows, columns) = (self.code.size(first.shape.rows), self.code.size(first.shape.columns));
                let count = self.code.multiply(&[rows, columns]);
                self.code.divide(total, count)
            }
            (F::RowMean, _) => {
                let total = self.total(Along::Rows, first).value;
                let count = self.code.size(first.shape.columns);
                self.code.divide(total, count)
            }
            (F::ColMean, _) => {
                let total = self.total(Along::Columns, first).value;
                let count = self.code.size(first.shape.rows);
                self.code.divide(total, count)
            }
            (F::NormSq, _) => self.dot(first, first),
            (F::Norm, _) => {
                let square = self.dot(first, first);
                self.code.map(F::Sqrt, square)
            }
            (F::Norm1, _) => {
                let sizes = self.code.map(F::Abs, value);
                self.total(Along::All, Operand { value: sizes, shape: first.shape }).value
            }
            (F::Trace | F::Det | F::Tril | F::Triu | F::Diag | F::Vec | F::Vech | F::Unvech | F::Reshape, _)
                if scalar =>
            {
                value
            }
            (F::LogDet, _) if scalar => self.code.map(F::Log, value),
            (F::Expm, _) if scalar => self.code.map(F::Exp, value),
            (F::Chol, _) if scalar => self.code.map(F::Sqrt, value),
            (F::Inv, _) if scalar => self.code.map(F::Recip, value),
            (F::Adj, _) if scalar => self.code.number(Number::ONE),
            (F::Trace, _) => match self.product_of(list[0]) {
                Some((scalars, factors)) => {
                    let trace = chain::trace(self, &factors);
                    let mut all: Vec<Value> = scalars.iter().map(|&s| self.at(s).value).collect();
                    all.push(trace);
                    self.code.multiply(&all)
                }
                None => self.whole(MatrixOp::Trace, list, shape),
            },
            (F::Diag, _) if shape.is_column() => match self.product_of(list[0]) {
                Some((scalars, factors)) => {
                    let diagonal = chain::diagonal(self, &factors).value;
                    let mut all: Vec<Value> = scalars.iter().map(|&s| self.at(s).value).collect();
                    all.push(diagonal);
                    self.code.multiply(&all)
                }
                None => self.whole(MatrixOp::Diagonal, list, shape),
            },
            (F::Diag, _) => {
                let full = self.full(first);
                let column = if self.code.shape(full).is_row() { self.code.transpose(full) } else { full };
                self.code.matrix(MatrixOp::DiagonalMatrix, &[column], shape)
            }
            (F::Det, _) => self.whole(MatrixOp::Determinant, list, shape),
            (F::LogDet, _) => self.whole(MatrixOp::LogDeterminant, list, shape),
            (F::Inv, _) => self.whole(MatrixOp::Inverse, list, shape),
            (F::Adj, _) => self.whole(MatrixOp::Adjugate, list, shape),
            (F::Expm, _) => self.whole(MatrixOp::Exponential, list, shape),
            (F::Chol, _) => self.cholesky(list[0], shape),
            // Of a column the lower part is all of it, of a row the first entry; the upper part is the other way.
            (F::Tril | F::Triu, _) if shape.is_column() || shape.is_row() => {
                let all = (function == F::Tril) == shape.is_column();
                if all { value } else { self.code.first_entry(value, shape) }
            }
            (F::Tril, _) => self.whole(MatrixOp::Lower, list, shape),
            (F::Triu, _) => self.whole(MatrixOp::Upper, list, shape),
            (F::Pinv, _) if first.shape.is_column() || first.shape.is_row() => {
                let full = self.full(first);
                let (turned, square) = (self.code.transpose(full), self.code.dot(full, full));
                self.code.over_or_zero(turned, square)
            }
            (F::Pinv, _) if scalar => {
                let above = self.code.number(Number::ONE);
                self.code.over_or_zero(above, value)
            }
            (F::Pinv, _) => self.whole(MatrixOp::PseudoInverse, list, shape),
            (F::TransposeOf, _) => self.code.transpose(value),
            (F::Vec | F::Reshape, _) => self.reshape(list[0], shape),
            (F::Vech, _) => self.whole(MatrixOp::HalfVectorised, list, shape),
            (F::Unvech, _) => self.whole(MatrixOp::FromHalfVectorised, list, shape),
            (
                F::Eye
                | F::Ones
                | F::Zeros
                | F::OneVec
                | F::Unit
                | F::VectorOf
                | F::MatrixOf
                | F::LeakyRelu
                | F::Max
                | F::Min,
                _,
            ) => return Err(lacking(function)),
            (function, _) => self.code.map(function, value),
        })
    }

    /// The Cholesky factor reads the symmetric part.
    fn cholesky(&mut self, a: ExprId, shape: Shape) -> Value {
        let full = self.full(self.at(a));
        let properties = self.arena.properties(a);
        let symmetric = properties.has(Property::Symmetric) || properties.has(Property::PositiveDefinite);
        let of = if symmetric {
            full
        } else {
            let turned = self.code.transpose(full);
            self.code.sum(&[(Number::HALF, full), (Number::HALF, turned)])
        };
        self.code.matrix(MatrixOp::Cholesky, &[of], shape)
    }

    fn softmax(&mut self, part: SoftmaxPart, axis: Axis, of: Operand, shape: Shape) -> Value {
        // A row has one entry in each column, a column one in each row.
        if axis == Axis::Columns && of.shape.is_row() || axis == Axis::Rows && of.shape.is_column() {
            return match part {
                SoftmaxPart::Softmax => self.code.number(Number::ONE),
                SoftmaxPart::LogSoftmax => self.code.number(Number::ZERO),
                SoftmaxPart::LogSumExp => of.value,
            };
        }
        let full = self.full(of);
        self.code.softmax(part, axis, full, shape)
    }

    /// The scalars and factors of a product of at least two factors, behind names of ours.
    fn product_of(&self, id: ExprId) -> Option<(Vec<ExprId>, Vec<ExprId>)> {
        match self.arena.op(id) {
            Node::Product { scalars, factors } if factors.len() >= 2 => Some((scalars.to_vec(), factors.to_vec())),
            _ => None,
        }
    }
}

fn lacking(function: Function) -> EmitError {
    EmitError::new(format!("`{}` has no form of its own in a program", function.name()))
}

fn axes_of(shape: Shape) -> Vec<DimId> {
    crate::tensor::index::axes_of(shape)
}

/// The name of a result: `grad_L_W1`.
fn output_name(outcome: &Outcome, of: &str) -> String {
    let wrt = outcome.wrt.join("_");
    let along = match &outcome.direction {
        Direction::None => "",
        Direction::Along { .. } => "_along",
        Direction::Against { .. } => "_against",
    };
    match outcome.kind {
        AskKind::Gradient => format!("grad_{of}_{wrt}"),
        AskKind::Jacobian => format!("jac_{of}_{wrt}"),
        AskKind::Hessian => format!("hess_{of}_{wrt}"),
        AskKind::Differential => format!("d_{of}"),
        AskKind::HessianAlong => format!("hess_{of}_{wrt}{along}"),
        AskKind::JacobianAlong | AskKind::JacobianAgainst => format!("jac_{of}_{wrt}{along}"),
    }
}

/// What a result is, for a reader: `gradient of L with respect to W1`.
fn title(outcome: &Outcome) -> String {
    let of = outcome.of.split_whitespace().collect::<Vec<_>>().join(" ");
    let wrt = outcome.wrt.join(", ");
    let kind = match outcome.kind {
        AskKind::Gradient => "gradient",
        AskKind::Differential => return format!("differential of {of}"),
        AskKind::Jacobian | AskKind::JacobianAlong | AskKind::JacobianAgainst => "Jacobian",
        AskKind::Hessian | AskKind::HessianAlong => "Hessian",
    };
    format!("{kind} of {of} with respect to {wrt}{}", outcome.direction.in_words())
}

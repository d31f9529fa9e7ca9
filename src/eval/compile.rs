//! From expressions to a list of instructions, operands before their use: what is needed is found from the roots down, and
//! forms whose plain value would overflow or cost more than it must (the logarithm of a softmax, the trace of a product, a
//! broadcast that is only added) become instructions of their own.

use std::collections::HashMap;

use super::Evaluator;
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::Function;
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A place among the values of a run; before places are given, the number of a node.
pub(super) type Slot = u32;
/// A place among the sizes of a run.
pub(super) type Size = u32;
/// Rows and columns.
pub(super) type SizedShape = (Size, Size);

/// A part of a sum or an element-wise product: of the full shape, or repeated to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spread {
    Full(Slot),
    Row(Slot),
    Column(Slot),
    Scalar(Slot),
}

impl Spread {
    pub(super) fn slot(self) -> Slot {
        match self {
            Spread::Full(slot) | Spread::Row(slot) | Spread::Column(slot) | Spread::Scalar(slot) => slot,
        }
    }

    fn slot_mut(&mut self) -> &mut Slot {
        match self {
            Spread::Full(slot) | Spread::Row(slot) | Spread::Column(slot) | Spread::Scalar(slot) => slot,
        }
    }
}

/// A factor of a matrix product.
#[derive(Clone, Copy, Debug)]
pub(super) enum Factor {
    Plain(Slot),
    /// The transpose of a value, read in turned order.
    Turned(Slot),
    /// A row or column of ones: the product with it is a sum or a repetition.
    Ones(SizedShape),
}

/// What a run does at one place.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Constant(f64),
    Dimension(Size),
    Variable { index: usize, name: String, shape: SizedShape },
    Differential { of: ExprId, name: String, shape: SizedShape },
    Independent { node: ExprId, name: String, shape: SizedShape },
    Same(Slot),
    Identity(Size),
    Filled(SizedShape, f64),
    Unit(Size, u64),
    Sum(Box<[(f64, Spread)]>),
    Product { scalars: Box<[Slot]>, factors: Box<[Factor]> },
    TraceOfProduct { scalars: Box<[Slot]>, factors: Box<[Factor]> },
    Hadamard(Box<[Spread]>),
    Power(Slot, Slot),
    ConstantPower(Slot, f64),
    MatrixPower(Slot, Number),
    Transpose(Slot),
    Compare(Comparison, Slot, Slot),
    Call(Function, Axis, Box<[Slot]>),
    LogOfSoftmax { axis: Axis, argument: Slot, transposed: bool },
    LogOfSigmoid(Slot),
    ExpmFrechet(Slot, Slot),
    PowerFrechet(Slot, Slot, i64),
    Horizontal(Box<[Slot]>),
    Vertical(Box<[Slot]>),
    Reshape(Slot, SizedShape),
    Unvech(Slot, Size),
}

/// One operation and the node whose value it gives.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub(super) node: ExprId,
    pub(super) operation: Operation,
}

pub(super) fn compile(arena: &Arena, roots: &[ExprId], independent: &[ExprId]) -> Evaluator {
    let mut compiler = Compiler { arena, independent, used: Vec::new(), places: HashMap::new() };
    let top = roots.iter().map(|r| r.0 as usize + 1).max().unwrap_or(0);
    let mut needed = vec![false; top];
    roots.iter().for_each(|r| needed[r.0 as usize] = true);
    let mut instructions: Vec<Instruction> = Vec::new();
    // Operands have smaller numbers, so one pass downwards meets every need before its node.
    for i in (0..top).rev() {
        if needed[i] {
            let node = ExprId(i as u32);
            let mut operation = compiler.operation(node);
            operation.for_each_slot(|slot| needed[*slot as usize] = true);
            instructions.push(Instruction { node, operation });
        }
    }
    instructions.reverse();
    let mut slots: Vec<Slot> = vec![0; top];
    for (place, instruction) in instructions.iter_mut().enumerate() {
        slots[instruction.node.0 as usize] = place as Slot;
        instruction.operation.for_each_slot(|slot| *slot = slots[*slot as usize]);
    }
    Evaluator {
        instructions,
        roots: roots.iter().map(|r| slots[r.0 as usize]).collect(),
        dimensions: arena.dimensions.clone(),
        used: compiler.used,
    }
}

struct Compiler<'a> {
    arena: &'a Arena,
    independent: &'a [ExprId],
    used: Vec<DimId>,
    places: HashMap<DimId, Size>,
}

impl Compiler<'_> {
    fn size(&mut self, dimension: DimId) -> Size {
        let used = &mut self.used;
        *self.places.entry(dimension).or_insert_with(|| {
            used.push(dimension);
            used.len() as Size - 1
        })
    }

    fn shape(&mut self, shape: Shape) -> SizedShape {
        (self.size(shape.rows), self.size(shape.columns))
    }

    fn operation(&mut self, id: ExprId) -> Operation {
        let arena = self.arena;
        let shape = arena.shape(id);
        if self.independent.contains(&id) {
            return Operation::Independent { node: id, name: arena.name_of(id), shape: self.shape(shape) };
        }
        let slots = |list: &[ExprId]| list.iter().map(|a| a.0).collect::<Box<[Slot]>>();
        match arena.op(id) {
            Op::Number(value) => Operation::Constant(value.to_f64()),
            Op::Pi => Operation::Constant(std::f64::consts::PI),
            Op::Euler => Operation::Constant(std::f64::consts::E),
            Op::Dimension(d) => Operation::Dimension(self.size(*d)),
            Op::Variable(v) => {
                Operation::Variable { index: v.0 as usize, name: arena.name_of(id), shape: self.shape(shape) }
            }
            Op::Differential(of) => {
                Operation::Differential { of: *of, name: arena.name_of(id), shape: self.shape(shape) }
            }
            Op::Named(name) => Operation::Same(arena.named(*name).body.0),
            Op::Identity => Operation::Identity(self.size(shape.rows)),
            Op::Ones => Operation::Filled(self.shape(shape), 1.0),
            Op::Zeros => Operation::Filled(self.shape(shape), 0.0),
            Op::Unit(i) => Operation::Unit(self.size(shape.rows), *i),
            Op::Sum(terms) => {
                let mut parts: Vec<(f64, Spread)> =
                    terms.iter().map(|&(c, a)| (c.to_f64(), self.spread(a, shape))).collect();
                if !parts.iter().any(|(_, part)| matches!(part, Spread::Full(_))) {
                    parts = terms.iter().map(|&(c, a)| (c.to_f64(), Spread::Full(a.0))).collect();
                }
                Operation::Sum(parts.into())
            }
            Op::Product { scalars, factors } => {
                Operation::Product { scalars: slots(scalars), factors: self.factors(factors) }
            }
            Op::Hadamard(list) => {
                let mut parts: Vec<Spread> = list.iter().map(|&a| self.spread(a, shape)).collect();
                if !parts.iter().any(|part| matches!(part, Spread::Full(_))) {
                    parts = list.iter().map(|&a| Spread::Full(a.0)).collect();
                }
                Operation::Hadamard(parts.into())
            }
            Op::Power(base, exponent) => match arena.op(*exponent) {
                Op::Number(k) => Operation::ConstantPower(base.0, k.to_f64()),
                _ => Operation::Power(base.0, exponent.0),
            },
            Op::MatrixPower(a, k) => Operation::MatrixPower(a.0, *k),
            Op::Transpose(a) => Operation::Transpose(a.0),
            Op::Compare(comparison, a, b) => Operation::Compare(*comparison, a.0, b.0),
            Op::Call(function, axis, arguments) => self.call(id, *function, *axis, arguments),
            Op::ExpmFrechet(a, e) => Operation::ExpmFrechet(a.0, e.0),
            Op::PowerFrechet(a, e, k) => Operation::PowerFrechet(a.0, e.0, *k),
            Op::Horizontal(parts) => Operation::Horizontal(slots(parts)),
            Op::Vertical(parts) => Operation::Vertical(slots(parts)),
            Op::Reshape(a) => Operation::Reshape(a.0, self.shape(shape)),
        }
    }

    fn call(&mut self, id: ExprId, function: Function, axis: Axis, arguments: &[ExprId]) -> Operation {
        let arena = self.arena;
        match function {
            Function::Log => {
                let (inner, transposed) = self.behind_names(arguments[0]);
                match arena.op(inner) {
                    Op::Call(Function::Softmax, axis, of) => {
                        return Operation::LogOfSoftmax { axis: *axis, argument: of[0].0, transposed };
                    }
                    Op::Call(Function::Sigmoid, _, of) if !transposed => return Operation::LogOfSigmoid(of[0].0),
                    _ => {}
                }
            }
            Function::Trace => {
                if let Op::Product { scalars, factors } = arena.op(arguments[0])
                    && factors.len() >= 2
                {
                    let scalars = scalars.iter().map(|a| a.0).collect();
                    return Operation::TraceOfProduct { scalars, factors: self.factors(factors) };
                }
            }
            Function::Unvech => {
                let n = self.size(arena.shape(id).rows);
                return Operation::Unvech(arguments[0].0, n);
            }
            Function::Vec | Function::Reshape => {
                let shape = self.shape(arena.shape(id));
                return Operation::Reshape(arguments[0].0, shape);
            }
            _ => {}
        }
        Operation::Call(function, axis, arguments.iter().map(|a| a.0).collect())
    }

    /// What a name stands for, and whether it is transposed on the way.
    fn behind_names(&self, mut id: ExprId) -> (ExprId, bool) {
        let mut transposed = false;
        while !self.independent.contains(&id) {
            match self.arena.op(id) {
                Op::Named(name) => id = self.arena.named(*name).body,
                Op::Transpose(a) => (id, transposed) = (*a, !transposed),
                _ => break,
            }
        }
        (id, transposed)
    }

    fn factors(&mut self, factors: &[ExprId]) -> Box<[Factor]> {
        let arena = self.arena;
        factors
            .iter()
            .map(|&a| match arena.op(a) {
                Op::Ones => Factor::Ones(self.shape(arena.shape(a))),
                Op::Transpose(inner) => Factor::Turned(inner.0),
                _ => Factor::Plain(a.0),
            })
            .collect()
    }

    /// 1·row and column·1ᵀ need not be written out where they are only added or multiplied by elements.
    fn spread(&self, id: ExprId, shape: Shape) -> Spread {
        let arena = self.arena;
        if let Op::Product { scalars, factors } = arena.op(id) {
            let ones = |a: ExprId| matches!(arena.op(a), Op::Ones);
            match (scalars.as_ref(), factors.as_ref()) {
                // A row of ones times a column of ones is a number of its own.
                (&[s], list)
                    if !list.is_empty()
                        && list.iter().all(|&a| ones(a))
                        && list[1..].iter().all(|&a| arena.shape(a).rows == DimId::ONE) =>
                {
                    return Spread::Scalar(s.0);
                }
                ([], &[a, row]) if ones(a) && arena.shape(row).is_row() && !ones(row) => return Spread::Row(row.0),
                ([], &[column, a]) if ones(a) && arena.shape(column).is_column() && !ones(column) => {
                    return Spread::Column(column.0);
                }
                _ => {}
            }
        }
        debug_assert_eq!(arena.shape(id), shape, "terms have one shape");
        Spread::Full(id.0)
    }
}

impl Operation {
    fn for_each_slot(&mut self, mut f: impl FnMut(&mut Slot)) {
        match self {
            Operation::Constant(_)
            | Operation::Dimension(_)
            | Operation::Variable { .. }
            | Operation::Differential { .. }
            | Operation::Independent { .. }
            | Operation::Identity(_)
            | Operation::Filled(..)
            | Operation::Unit(..) => {}
            Operation::Same(a)
            | Operation::ConstantPower(a, _)
            | Operation::MatrixPower(a, _)
            | Operation::Transpose(a)
            | Operation::LogOfSoftmax { argument: a, .. }
            | Operation::LogOfSigmoid(a)
            | Operation::Reshape(a, _)
            | Operation::Unvech(a, _) => f(a),
            Operation::Power(a, b)
            | Operation::Compare(_, a, b)
            | Operation::ExpmFrechet(a, b)
            | Operation::PowerFrechet(a, b, _) => {
                f(a);
                f(b);
            }
            Operation::Sum(terms) => terms.iter_mut().for_each(|(_, part)| f(part.slot_mut())),
            Operation::Hadamard(list) => list.iter_mut().for_each(|part| f(part.slot_mut())),
            Operation::Product { scalars, factors } | Operation::TraceOfProduct { scalars, factors } => {
                scalars.iter_mut().for_each(&mut f);
                for factor in factors {
                    match factor {
                        Factor::Plain(slot) | Factor::Turned(slot) => f(slot),
                        Factor::Ones(_) => {}
                    }
                }
            }
            Operation::Call(_, _, list) | Operation::Horizontal(list) | Operation::Vertical(list) => {
                list.iter_mut().for_each(f);
            }
        }
    }
}

//! What each thread does in a run: all threads go through the same stages, each does its part of the rows, and they meet
//! between stages and nowhere else. What comes in is a compiled plan whose arrays are bound; what goes out is written to them.
//!
//! # Safety of the whole
//! The arrays are reached through pointers, because threads write different rows of one array at one time. The plan gives every
//! value a place of its own while it is of use, a region reads from its own rows only what it wrote there itself, and
//! everything else was written in an earlier stage, before all threads met. What is written in a region lies in rows that one
//! thread alone has, in that thread's block, or in that thread's part of a sum.

use std::ops::Range;

use super::RunError;
use super::code::CompiledPass;
use super::cpu::products::{self, Into, Product, Sums};
use super::cpu::{Crew, Float, View, ViewMut, softmax};
use super::executable::{Compiled, CompiledStep, Executable};
use super::linear::{self, Factorised};
use crate::eval::{EvalError, Reference, log_of_determinant};
use crate::functions::Function;
use crate::matrix::Matrix;
use crate::number::Number;
use crate::plan::graph::{Direction, Operation, Reduction, Use, ValueId};
use crate::plan::{Place, Plan, Precision, ProductStep, Scale, SoftmaxStep, Then, part, partial_length};

/// All that the threads of a run share.
pub(super) struct Shared<'a, T: Float> {
    pub(super) executable: &'a Executable<T>,
    pub(super) memory: *mut T,
}

// SAFETY: see the first paragraph of this file; a thread reaches its own `Thread` only, and `error` is thread 0's.
unsafe impl<T: Float> Sync for Shared<'_, T> {}

impl<T: Float> Shared<'_, T> {
    fn plan(&self) -> &Plan {
        &self.executable.plan
    }

    /// Stages in which the other threads have no part.
    pub(super) fn alone(&self, stages: Range<usize>) {
        for stage in stages {
            self.gather(&self.plan().stages[stage].gathers);
            for compiled in &self.executable.stages[stage] {
                self.region(compiled, 0, 1);
            }
        }
    }

    /// What one thread does of stages that are done by several.
    pub(super) fn together(&self, stages: Range<usize>, crew: Crew<'_>) {
        let threads = self.plan().threads;
        let first = stages.start;
        for at in stages {
            if at > first {
                crew.wait();
            }
            let stage = &self.plan().stages[at];
            if at > first && !stage.gathers.is_empty() {
                if crew.thread() == 0 {
                    self.gather(&stage.gathers);
                }
                if stage.is_shared() {
                    crew.wait();
                }
            }
            for compiled in &self.executable.stages[at] {
                if compiled.region.shared {
                    if crew.thread() < threads {
                        self.region(compiled, crew.thread(), threads);
                    }
                } else if crew.thread() == 0 {
                    self.region(compiled, 0, 1);
                }
            }
        }
    }

    /// Adds up the threads' parts of sums.
    fn gather(&self, sums: &[ValueId]) {
        for &id in sums {
            let Some(offset) = self.plan().partial(id) else { continue };
            let value = self.plan().value(id);
            let count = value.rows * value.columns;
            let apart = partial_length(count, self.plan().precision);
            let reduction = reduction_of(&value.operation);
            for thread in 1..self.plan().threads {
                // SAFETY: all threads have met since they wrote, and this thread alone adds up.
                let (total, part) = unsafe {
                    let part = self.memory.add(offset + (thread - 1) * apart);
                    (
                        std::slice::from_raw_parts_mut(self.pointer(id, 0), count),
                        std::slice::from_raw_parts(part.cast_const(), count),
                    )
                };
                for (x, &y) in total.iter_mut().zip(part) {
                    *x = match reduction {
                        Reduction::Sum => *x + y,
                        Reduction::Max => larger(*x, y),
                    };
                }
            }
        }
    }

    /// The end of a run: sums nobody read, and outputs that are copies.
    pub(super) fn finish(&self) {
        self.gather(&self.executable.gathers);
        for &(output, id) in &self.executable.copies {
            let value = self.plan().value(id);
            let count = value.rows * value.columns;
            // SAFETY: an output is the caller's own memory of that length and no other value lies there.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    self.pointer(id, 0).cast_const(),
                    self.executable.bound.outputs[output],
                    count,
                );
            }
        }
    }

    /// Where the numbers of a value start, for a thread.
    fn pointer(&self, id: ValueId, thread: usize) -> *mut T {
        let executable = self.executable;
        match self.plan().place(id) {
            Place::Nowhere => executable.constants[id.0 as usize..].as_ptr().cast_mut(),
            Place::Input(place) => executable.bound.inputs[place].cast_mut(),
            Place::Output(place) => executable.bound.outputs[place],
            Place::Memory(offset) => self.memory.wrapping_add(offset),
            Place::Block(offset) => executable.bound.blocks[thread].wrapping_add(offset),
        }
    }

    /// Where a thread's part of a sum over rows starts.
    fn sum_pointer(&self, id: ValueId, thread: usize) -> *mut T {
        if thread == 0 {
            return self.pointer(id, 0);
        }
        let value = self.plan().value(id);
        let apart = partial_length(value.rows * value.columns, self.plan().precision);
        let offset = self.plan().partial(id).expect("a shared region has room for each thread's sums");
        self.memory.wrapping_add(offset + (thread - 1) * apart)
    }

    /// One thread's part of a region.
    fn region(&self, compiled: &Compiled, thread: usize, threads: usize) {
        let region = &compiled.region;
        for &id in &region.sums {
            let value = self.plan().value(id);
            let reduction = reduction_of(&value.operation);
            let start = if reduction == Reduction::Sum { T::ZERO } else { T::LOWEST };
            // SAFETY: the thread's own part of the sum.
            let sums =
                unsafe { std::slice::from_raw_parts_mut(self.sum_pointer(id, thread), value.rows * value.columns) };
            sums.fill(start);
        }
        let part = part(region.rows, thread, threads);
        self.pack(compiled, part.len() > region.block, thread);
        let mut from = part.start;
        while from < part.end {
            let to = (from + region.block).min(part.end);
            let at = Block { rows: from..to, thread };
            for (place, step) in compiled.steps.iter().enumerate() {
                self.step(place, step, &at);
            }
            from = to;
        }
    }

    /// Packs the right factors of a region's products where there are several blocks.
    fn pack(&self, compiled: &Compiled, several: bool, thread: usize) {
        // SAFETY: a thread reaches its own lists and its own room only.
        let (lists, room) = unsafe {
            (&mut *self.executable.threads[thread].own.get(), {
                let room = self.executable.bound.packed[thread];
                &mut *room
            })
        };
        lists.packed.clear();
        lists.packed.resize(compiled.steps.len(), None);
        let mut rest: &'static mut [T] = room;
        let mut start = 0;
        for &(place, offset) in compiled.packs.iter().filter(|_| several) {
            let CompiledStep::Product(product) = &compiled.steps[place] else { continue };
            let right = self.whole(product.right, thread);
            let length = products::packed_length::<T>(self.executable.set, right.rows(), right.columns());
            let (own, after) = rest.split_at_mut(offset - start + length);
            (rest, start) = (after, offset + length);
            let gap = own.len() - length;
            let own = &mut own[gap..];
            lists.packed[place] = Some(products::pack_right(self.executable.set, right, own));
        }
    }

    fn step(&self, place: usize, step: &CompiledStep, at: &Block) {
        match step {
            CompiledStep::Product(product) => self.product(place, product, at),
            CompiledStep::Accumulate(left, right, out) => self.accumulate(*left, *right, *out, at),
            CompiledStep::Softmax(step) => self.softmax(step, at),
            CompiledStep::Pass(columns, pass) => self.pass(*columns, pass, at),
            CompiledStep::Identity(id) => self.ones(*id, at, Some),
            CompiledStep::Labels(id, place) => {
                let labels = self.executable.bound.labels[*place];
                let input = &self.plan().inputs[*place];
                if input.rows == 1 {
                    // A row is kept as a column.
                    // SAFETY: one label was given.
                    let label = unsafe { *labels } as usize;
                    self.ones(*id, at, |i| (i == label).then_some(0));
                } else {
                    // SAFETY: a label was given for each row.
                    self.ones(*id, at, |i| Some(unsafe { *labels.add(i) } as usize));
                }
            }
            CompiledStep::Transpose(id, of) => self.transpose(*id, *of),
            CompiledStep::Reference(id, reference, list) => self.reference(*id, *reference, list),
        }
    }

    /// How far apart the rows and the columns of a value are.
    fn strides(&self, id: ValueId) -> (usize, usize) {
        match self.plan().place(id) {
            Place::Input(place) => self.executable.bound.strides[place],
            _ => (self.plan().value(id).columns, 1),
        }
    }

    /// The whole of a value as an operand reads it.
    fn whole(&self, operand: Use, thread: usize) -> View<'static, T> {
        let value = self.plan().value(operand.value);
        let (down, along) = self.strides(operand.value);
        // SAFETY: see the first paragraph of this file.
        let view =
            unsafe { View::from_raw(self.pointer(operand.value, thread), value.rows, value.columns, down, along) };
        if operand.transposed { view.transposed() } else { view }
    }

    /// The block's rows of a value that is read.
    fn read(&self, id: ValueId, at: &Block) -> View<'static, T> {
        let columns = self.plan().value(id).columns;
        let (down, along) = self.strides(id);
        let mut pointer = self.pointer(id, at.thread);
        if !matches!(self.plan().place(id), Place::Block(_)) {
            pointer = pointer.wrapping_add(at.rows.start * down);
        }
        // SAFETY: see the first paragraph of this file.
        unsafe { View::from_raw(pointer, at.rows.len(), columns, down, along) }
    }

    /// The block's rows of a value that is written row by row.
    fn rows(&self, id: ValueId, at: &Block) -> ViewMut<'static, T> {
        let columns = self.plan().value(id).columns;
        let mut pointer = self.pointer(id, at.thread);
        if !matches!(self.plan().place(id), Place::Block(_)) {
            pointer = pointer.wrapping_add(at.rows.start * columns);
        }
        // SAFETY: see the first paragraph of this file.
        unsafe { ViewMut::from_raw(pointer, at.rows.len(), columns, columns, 1) }
    }

    /// An operand repeated to the block's rows and so many columns.
    fn spread(&self, operand: Use, columns: usize, at: &Block) -> View<'static, T> {
        let value = self.plan().value(operand.value);
        let rows = at.rows.len();
        let pointer = self.pointer(operand.value, at.thread);
        // SAFETY: see the first paragraph of this file.
        unsafe {
            if (value.rows, value.columns) == (1, 1) {
                View::from_raw(pointer, rows, columns, 0, 0)
            } else if operand.transposed {
                View::from_raw(pointer, rows, columns, 0, self.strides(operand.value).0)
            } else {
                let view = self.read(operand.value, at);
                let along = if value.columns == columns { view.column_stride() } else { 0 };
                View::from_raw(view.pointer(), rows, columns, view.row_stride(), along)
            }
        }
    }

    fn scale(&self, scale: Scale) -> T {
        let number = T::from_f64(scale.number);
        match scale.value {
            // SAFETY: a number that was written in an earlier stage.
            Some(id) => number * unsafe { *self.pointer(id, 0) },
            None => number,
        }
    }

    /// A thread's own workspace.
    #[allow(clippy::mut_from_ref, reason = "each thread has one workspace and does one step at a time")]
    fn workspace(&self, thread: usize) -> &mut [T] {
        // SAFETY: a thread reaches its own workspace only, and one step at a time.
        unsafe {
            let workspace = self.executable.bound.workspaces[thread];
            &mut *workspace
        }
    }

    /// Whether the factors of a product with so many columns are rounded: memory bounds that of one column, and not arithmetic.
    fn rounds(&self, columns: usize) -> bool {
        self.plan().precision == Precision::Mixed && columns > 1
    }

    fn product(&self, place: usize, step: &ProductStep, at: &Block) {
        let left = if step.left.transposed {
            let left = self.whole(step.left, at.thread);
            left.block(at.rows.clone(), 0..left.columns())
        } else {
            self.read(step.left.value, at)
        };
        let right = self.whole(step.right, at.thread);
        let columns = right.columns();
        // SAFETY: a thread reaches its own lists only.
        let packed = unsafe { (&(*self.executable.threads[at.thread].own.get()).packed)[place] };
        let mut product = match packed {
            Some(packed) => Product::with_packed(left, packed),
            None => Product::new(left, right),
        };
        product.rounded = self.rounds(columns);
        product.alpha = self.scale(step.scale);
        product.added = step.added.map(|(scale, added)| (self.scale(scale), self.spread(added, columns, at)));
        product.then = match step.then {
            Then::Nothing => products::Then::Nothing,
            Then::Relu => products::Then::Relu,
            Then::WhereAbove(of) => products::Then::WhereAbove(self.spread(of, columns, at)),
            Then::Times(of) => products::Then::Times(self.spread(of, columns, at)),
        };
        // SAFETY: the thread's own part of the sums.
        let column_sums =
            step.sums.map(|id| unsafe { std::slice::from_raw_parts_mut(self.sum_pointer(id, at.thread), columns) });
        let mut squares = 0.0;
        let sums = Sums { columns: column_sums, squares: step.squares.map(|_| &mut squares) };
        let out = self.rows(step.out, at);
        products::multiply(self.executable.set, &product, out, sums, self.workspace(at.thread));
        if let Some(id) = step.squares {
            // SAFETY: as above.
            let sum = unsafe { &mut *self.sum_pointer(id, at.thread) };
            *sum = *sum + T::from_f64(squares);
        }
    }

    /// Adds leftᵀ·right of the block's rows to the thread's part of the sum.
    fn accumulate(&self, left: ValueId, right: ValueId, out: ValueId, at: &Block) {
        let factor = |value: ValueId| {
            let columns = self.plan().value(value).columns;
            self.spread(Use { value, transposed: false }, columns, at)
        };
        let mut product = Product::new(factor(left).transposed(), factor(right));
        product.into = Into::Add;
        let (rows, columns) = (self.plan().value(out).rows, self.plan().value(out).columns);
        product.rounded = self.rounds(columns);
        // SAFETY: the thread's own part of the sum.
        let out = unsafe { ViewMut::from_raw(self.sum_pointer(out, at.thread), rows, columns, columns, 1) };
        products::multiply(self.executable.set, &product, out, Sums::default(), self.workspace(at.thread));
    }

    fn softmax(&self, step: &SoftmaxStep, at: &Block) {
        let set = self.executable.set;
        let of = || self.spread(Use { value: step.of, transposed: false }, self.plan().value(step.of).columns, at);
        if let Some(id) = step.log_sum {
            softmax::log_sum_exp(set, of(), self.rows(id, at));
        }
        if let Some(id) = step.log {
            softmax::log_softmax(set, of(), self.rows(id, at));
        }
        let Some(target) = step.target else {
            if let Some(id) = step.softmax {
                softmax::softmax(set, of(), self.rows(id, at));
            }
            return;
        };
        let target = match self.plan().value(target).operation {
            Operation::Labels(place) => {
                let labels = self.executable.bound.labels[place as usize].wrapping_add(at.rows.start);
                // SAFETY: a label was given for each row.
                softmax::Target::Labels(unsafe { std::slice::from_raw_parts(labels, at.rows.len()) })
            }
            _ => {
                let columns = self.plan().value(target).columns;
                softmax::Target::Weights(self.spread(Use { value: target, transposed: false }, columns, at))
            }
        };
        let results = softmax::Results {
            probabilities: step.softmax.map(|id| self.rows(id, at)),
            difference: step.difference.map(|(scale, id)| (self.scale(scale), self.rows(id, at))),
            losses: None,
        };
        let loss = softmax::cross_entropy(set, of(), target, results);
        if let Some(id) = step.likelihood {
            // SAFETY: the thread's own part of the sum.
            let sum = unsafe { &mut *self.sum_pointer(id, at.thread) };
            *sum = *sum - loss;
        }
    }

    fn pass(&self, columns: usize, pass: &CompiledPass, at: &Block) {
        // SAFETY: a thread reaches its own lists only, and one step at a time.
        let lists = unsafe { &mut *self.executable.threads[at.thread].own.get() };
        lists.inputs.clear();
        lists.inputs.extend(pass.inputs.iter().map(|&operand| self.spread(operand, columns, at)));
        lists.outputs.clear();
        for &id in &pass.outputs {
            let view = match self.plan().value(id).operation {
                Operation::Reduce(reduction, direction, _) => {
                    match direction {
                        Direction::Rows => {
                            let mut view = self.rows(id, at);
                            let start = if reduction == Reduction::Sum { T::ZERO } else { T::LOWEST };
                            // SAFETY: the block's rows of a column lie one after the other.
                            unsafe { std::slice::from_raw_parts_mut(view.pointer(), view.rows()) }.fill(start);
                            view
                        }
                        // SAFETY: the thread's own part of the sums.
                        Direction::Columns => unsafe {
                            ViewMut::from_raw(self.sum_pointer(id, at.thread), 1, columns, columns, 1)
                        },
                        // SAFETY: as above.
                        Direction::All => unsafe { ViewMut::from_raw(self.sum_pointer(id, at.thread), 1, 1, 1, 1) },
                    }
                }
                _ => self.rows(id, at),
            };
            lists.outputs.push(view);
        }
        let shape = (at.rows.len(), columns);
        let workspace = self.workspace(at.thread);
        pass.code.run(self.executable.set, shape, &lists.inputs, &mut lists.outputs, Into::Add, workspace);
        lists.inputs.clear();
        lists.outputs.clear();
    }

    /// Rows that are 0 but for a one where `place` says.
    fn ones(&self, id: ValueId, at: &Block, place: impl Fn(usize) -> Option<usize>) {
        let mut view = self.rows(id, at);
        let columns = view.columns();
        // SAFETY: the block's rows lie one after the other.
        let entries = unsafe { std::slice::from_raw_parts_mut(view.pointer(), at.rows.len() * columns) };
        entries.fill(T::ZERO);
        for (i, row) in at.rows.clone().enumerate() {
            if let Some(j) = place(row) {
                entries[i * columns + j] = T::ONE;
            }
        }
    }

    fn transpose(&self, id: ValueId, of: ValueId) {
        /// Squares of this side are turned one at a time, so that both sides stay in cache.
        const SIDE: usize = 16;
        let value = self.plan().value(id);
        let (rows, columns) = (value.rows, value.columns);
        let (to, from) = (self.pointer(id, 0), self.pointer(of, 0).cast_const());
        for i in (0..rows).step_by(SIDE) {
            for j in (0..columns).step_by(SIDE) {
                for k in i..(i + SIDE).min(rows) {
                    for l in j..(j + SIDE).min(columns) {
                        // SAFETY: both entries are inside.
                        unsafe { *to.add(k * columns + l) = *from.add(l * rows + k) };
                    }
                }
            }
        }
    }

    /// Inverses, determinants and Cholesky factors by blocks; one of which several are asked is factorised once.
    fn factorised(&self, reference: Reference, operand: Use, matrix: &Matrix) -> Option<Result<Matrix, EvalError>> {
        /// Smaller ones the reference does as fast.
        const LEAST_SIDE: usize = 24;
        let set = self.executable.set;
        let inverse = reference == Reference::MatrixPower(Number::MINUS_ONE);
        let function = match reference {
            Reference::Call(function @ (Function::Det | Function::LogDet | Function::Chol), _) => Some(function),
            _ => None,
        };
        if matrix.rows() < LEAST_SIDE || !(inverse || function.is_some()) {
            return None;
        }
        if function == Some(Function::Chol) {
            return Some(linear::cholesky(set, matrix).map_err(EvalError::from));
        }
        // SAFETY: only thread 0 does what the reference does.
        let known = unsafe { &mut *self.executable.bound.factorised.get() };
        let place = match known.iter().position(|(of, _)| *of == operand) {
            Some(place) => place,
            None => match Factorised::new(set, matrix) {
                Ok(factors) => {
                    known.push((operand, factors));
                    known.len() - 1
                }
                Err(error) => return Some(Err(error.into())),
            },
        };
        let factors = &known[place].1;
        Some(match function {
            Some(Function::Det) => Ok(Matrix::scalar(factors.determinant())),
            Some(_) => factors.log_abs_determinant().map_err(EvalError::from).and_then(log_of_determinant),
            None => factors.inverse().map_err(EvalError::from),
        })
    }

    fn reference(&self, id: ValueId, reference: Reference, list: &[Use]) {
        let matrices: Vec<Matrix> = list
            .iter()
            .map(|&operand| {
                let view = self.whole(operand, 0);
                Matrix::from_fn(view.rows(), view.columns(), |i, j| view.at(i, j).to_f64())
            })
            .collect();
        let operands: Vec<&Matrix> = matrices.iter().collect();
        let value = self.plan().value(id);
        let factorised = match (list, operands.as_slice()) {
            (&[operand], &[matrix]) => self.factorised(reference, operand, matrix),
            _ => None,
        };
        match factorised.unwrap_or_else(|| reference.value(&operands)) {
            Ok(matrix) => {
                debug_assert_eq!(matrix.entries().len(), value.rows * value.columns, "the reference has the shape");
                let to = self.pointer(id, 0);
                for (i, &x) in matrix.entries().iter().enumerate() {
                    // SAFETY: the value has as many entries.
                    unsafe { *to.add(i) = T::from_f64(x) };
                }
            }
            Err(error) => {
                // SAFETY: only thread 0 does what the reference does.
                let first = unsafe { &mut *self.executable.bound.error.get() };
                first.get_or_insert_with(|| RunError::new(error.to_string()));
            }
        }
    }
}

/// Rows of a region that are done together.
struct Block {
    rows: Range<usize>,
    thread: usize,
}

/// How parts of a sum over rows become one.
fn reduction_of(operation: &Operation) -> Reduction {
    match operation {
        Operation::Reduce(reduction, ..) => *reduction,
        _ => Reduction::Sum,
    }
}

fn larger<T: Float>(x: T, y: T) -> T {
    // A NaN stays.
    if x >= y || x.partial_cmp(&x).is_none() { x } else { y }
}

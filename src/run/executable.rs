//! A plan made ready, and its runs. What comes in is arrays of the shapes that the plan names; each thread goes through the
//! same stages and does its part of the rows. Threads meet between stages and nowhere else.
//!
//! # Safety of the whole
//! The arrays are reached through pointers, because threads write different rows of one array at one time. The plan gives every
//! value a place of its own while it is of use, a region reads from its own rows only what it wrote there itself, and
//! everything else was written in an earlier stage, before all threads met. What is written in a region lies in rows that one
//! thread alone has, in that thread's block, or in that thread's part of a sum.

use std::cell::UnsafeCell;
use std::ops::Range;

use super::RunError;
use super::code::{CompiledPass, compiled};
use super::cpu::products::{self, Into, Product};
use super::cpu::{Buffer, Crew, Float, InstructionSet, Pool, View, ViewMut, softmax};
use crate::eval::Reference;
use crate::matrix::Matrix;
use crate::plan::graph::{Operation, Reduction, Use, ValueId};
use crate::plan::{Form, Place, Plan, ProductStep, Region, Scale, SoftmaxStep, Step, Then, partial_length};

/// An array that a run is given.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a, T> {
    /// Its entries row by row.
    Entries(&'a [T]),
    /// For each row of a one-hot matrix the column of its one, from 0.
    Labels(&'a [u32]),
}

/// A plan ready to run, with all memory that its runs need.
#[derive(Debug)]
pub struct Executable<T: Float> {
    plan: Plan,
    set: InstructionSet,
    stages: Vec<Vec<Compiled>>,
    /// Sums over rows that no stage reads: added up at the end.
    gathers: Vec<ValueId>,
    /// Outputs whose numbers lie elsewhere.
    copies: Vec<(usize, ValueId)>,
    memory: Buffer<T>,
    threads: Vec<Thread<T>>,
    /// Numbers of the plan that kernels read from memory, by value.
    constants: Vec<T>,
    bound: Bound<T>,
}

/// A region with its steps compiled.
#[derive(Debug)]
struct Compiled {
    region: Region,
    steps: Vec<CompiledStep>,
}

#[derive(Debug)]
enum CompiledStep {
    Product(Box<ProductStep>),
    Softmax(SoftmaxStep),
    Pass(usize, Box<CompiledPass>),
    Identity(ValueId),
    Labels(ValueId, usize),
    Transpose(ValueId, ValueId),
    Reference(ValueId, Reference, Vec<Use>),
}

/// What one thread has for itself.
#[derive(Debug)]
struct Thread<T: Float> {
    block: Buffer<T>,
    workspace: Buffer<T>,
    own: UnsafeCell<Lists<T>>,
}

/// Room for the views of a step.
#[derive(Debug)]
struct Lists<T: 'static> {
    inputs: Vec<View<'static, T>>,
    outputs: Vec<ViewMut<'static, T>>,
}

/// Where the caller's arrays lie.
#[derive(Debug)]
struct Bound<T> {
    inputs: Vec<*const T>,
    labels: Vec<*const u32>,
    outputs: Vec<*mut T>,
    error: UnsafeCell<Option<RunError>>,
}

// SAFETY: the pointers are set by a run from borrowed arrays and read only within it.
unsafe impl<T: Float> Send for Bound<T> {}

/// All that the threads of a run share.
struct Shared<'a, T: Float> {
    executable: &'a Executable<T>,
    memory: *mut T,
}

// SAFETY: see the first paragraph of this file; a thread reaches its own `Thread` only, and `error` is thread 0's.
unsafe impl<T: Float> Sync for Shared<'_, T> {}

impl<T: Float> Executable<T> {
    /// Makes a plan ready.
    ///
    /// # Errors
    /// Where the plan is for another precision.
    pub fn new(plan: Plan, set: InstructionSet) -> Result<Executable<T>, RunError> {
        let bytes = size_of::<T>();
        if plan.precision.bytes() != bytes {
            return Err(RunError::new(format!("the plan is for {}-bit numbers", plan.precision.bytes() * 8)));
        }
        let mut workspace = 0;
        let mut stages = Vec::with_capacity(plan.stages.len());
        for stage in &plan.stages {
            let mut regions = Vec::with_capacity(stage.regions.len());
            for region in &stage.regions {
                let mut steps = Vec::with_capacity(region.steps.len());
                for step in &region.steps {
                    let step = compile_step(&plan, step)?;
                    workspace = workspace.max(workspace_of::<T>(&plan, set, region, &step));
                    steps.push(step);
                }
                regions.push(Compiled { region: region.clone(), steps });
            }
            stages.push(regions);
        }
        let gathered: Vec<ValueId> = plan.stages.iter().flat_map(|stage| &stage.gathers).copied().collect();
        let gathers = plan.partials.iter().map(|&(id, _)| id).filter(|id| !gathered.contains(id)).collect();
        let copies = plan.outputs.iter().enumerate().filter_map(|(i, output)| {
            (plan.place(output.value) != Place::Output(i)).then_some((i, output.value))
        });
        let copies = copies.collect();
        let constants = (0..plan.values.len() as u32).map(|i| T::from_f64(plan.constant(ValueId(i)).unwrap_or(0.0)));
        let constants = constants.collect();
        let threads = (0..plan.threads.max(1))
            .map(|_| Thread {
                block: Buffer::zeroed(plan.block_memory),
                workspace: Buffer::zeroed(workspace),
                own: UnsafeCell::new(Lists { inputs: Vec::with_capacity(64), outputs: Vec::with_capacity(64) }),
            })
            .collect();
        let bound = Bound {
            inputs: vec![std::ptr::null(); plan.inputs.len()],
            labels: vec![std::ptr::null(); plan.inputs.len()],
            outputs: vec![std::ptr::null_mut(); plan.outputs.len()],
            error: UnsafeCell::new(None),
        };
        let memory = Buffer::zeroed(plan.memory);
        Ok(Executable { plan, set, stages, gathers, copies, memory, threads, constants, bound })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs the program: reads the inputs and writes all of each output, both in the order of the plan.
    ///
    /// # Errors
    /// Before anything runs: an array too many or too few, of another length, a label that is no column, a pool with too few
    /// threads. After: what has no value, as the inverse of a singular matrix; what the outputs hold is then not defined.
    pub fn run(
        &mut self,
        pool: &mut Pool,
        inputs: &[Given<'_, T>],
        outputs: &mut [&mut [T]],
    ) -> Result<(), RunError> {
        self.check(pool, inputs, outputs)?;
        for (place, given) in inputs.iter().enumerate() {
            match given {
                Given::Entries(entries) => self.bound.inputs[place] = entries.as_ptr(),
                Given::Labels(labels) => self.bound.labels[place] = labels.as_ptr(),
            }
        }
        for (place, output) in outputs.iter_mut().enumerate() {
            self.bound.outputs[place] = output.as_mut_ptr();
        }
        let memory = self.memory.as_mut_ptr();
        let shared = Shared { executable: self, memory };
        let stages = &shared.executable.plan.stages;
        let first = stages.iter().position(super::super::plan::Stage::is_shared).unwrap_or(stages.len());
        let last = stages.iter().rposition(super::super::plan::Stage::is_shared).map_or(first, |last| last + 1);
        shared.alone(0..first);
        if first < last {
            pool.run(&|crew| shared.together(first..last, crew));
        }
        shared.alone(last..stages.len());
        shared.finish();
        let error = self.bound.error.get_mut().take();
        error.map_or(Ok(()), Err)
    }

    fn check(&self, pool: &Pool, inputs: &[Given<'_, T>], outputs: &[&mut [T]]) -> Result<(), RunError> {
        if inputs.len() != self.plan.inputs.len() || outputs.len() != self.plan.outputs.len() {
            return Err(RunError::new(format!(
                "{} inputs and {} outputs are given, but the plan has {} and {}",
                inputs.len(),
                outputs.len(),
                self.plan.inputs.len(),
                self.plan.outputs.len()
            )));
        }
        if pool.threads() < self.plan.threads && self.plan.stages.iter().any(crate::plan::Stage::is_shared) {
            return Err(RunError::new(format!(
                "the plan is for {} threads, but the pool has {}",
                self.plan.threads,
                pool.threads()
            )));
        }
        for (given, input) in inputs.iter().zip(&self.plan.inputs) {
            let (name, rows, columns) = (&input.name, input.rows, input.columns);
            match (given, input.form) {
                (Given::Entries(entries), Form::Entries) if entries.len() == rows * columns => {}
                (Given::Entries(entries), Form::Entries) => {
                    let count = entries.len();
                    return Err(RunError::new(format!("`{name}` is {rows}x{columns}, but {count} numbers are given")));
                }
                (Given::Labels(labels), Form::Labels) if labels.len() == rows => {
                    if let Some(i) = labels.iter().position(|&label| label as usize >= columns) {
                        let label = labels[i];
                        return Err(RunError::new(format!(
                            "label {label} of row {} is out of range: `{name}` has {columns} columns",
                            i + 1
                        )));
                    }
                }
                (Given::Labels(labels), Form::Labels) => {
                    let count = labels.len();
                    return Err(RunError::new(format!("`{name}` has {rows} rows, but {count} labels are given")));
                }
                (Given::Entries(_), Form::Labels) => {
                    return Err(RunError::new(format!("`{name}` is planned to be given by labels")));
                }
                (Given::Labels(_), Form::Entries) => {
                    return Err(RunError::new(format!("`{name}` is planned to be given by entries")));
                }
            }
        }
        for (i, (output, planned)) in outputs.iter().zip(&self.plan.outputs).enumerate() {
            let (rows, columns) = (planned.rows, planned.columns);
            if output.len() != rows * columns {
                let count = output.len();
                return Err(RunError::new(format!(
                    "output {} is {rows}x{columns}, but there is room for {count} numbers",
                    i + 1
                )));
            }
        }
        Ok(())
    }
}

fn compile_step(plan: &Plan, step: &Step) -> Result<CompiledStep, RunError> {
    Ok(match step {
        Step::Product(product) => CompiledStep::Product(product.clone()),
        Step::Softmax(softmax) => CompiledStep::Softmax(softmax.clone()),
        Step::Pass(pass) => CompiledStep::Pass(pass.columns, Box::new(compiled(plan, pass)?)),
        Step::Identity(id) => CompiledStep::Identity(*id),
        Step::Labels(id) | Step::Transpose(id) | Step::Reference(id) => match &plan.value(*id).operation {
            Operation::Labels(place) => CompiledStep::Labels(*id, *place as usize),
            Operation::Transpose(of) => CompiledStep::Transpose(*id, *of),
            Operation::Reference(reference, list) => CompiledStep::Reference(*id, *reference, list.to_vec()),
            _ => unreachable!("the step is of the value's kind"),
        },
    })
}

fn workspace_of<T: Float>(plan: &Plan, set: InstructionSet, region: &Region, step: &CompiledStep) -> usize {
    match step {
        CompiledStep::Product(product) => {
            let (_, k) = plan.use_shape(product.left);
            let (_, n) = plan.use_shape(product.right);
            products::workspace::<T>(set, region.block, n, k)
        }
        CompiledStep::Pass(_, pass) => pass.code.workspace::<T>(),
        _ => 0,
    }
}

/// Rows of thread `thread` of `threads`: contiguous, in multiples of four where there are many.
fn part(rows: usize, thread: usize, threads: usize) -> Range<usize> {
    let unit = if rows >= 16 * threads { 4 } else { 1 };
    let units = rows.div_ceil(unit);
    let bound = |thread: usize| (units * thread / threads * unit).min(rows);
    bound(thread)..bound(thread + 1)
}

impl<T: Float> Shared<'_, T> {
    fn plan(&self) -> &Plan {
        &self.executable.plan
    }

    /// Stages in which the other threads have no part.
    fn alone(&self, stages: Range<usize>) {
        for stage in stages {
            self.gather(&self.plan().stages[stage].gathers);
            for compiled in &self.executable.stages[stage] {
                self.region(compiled, 0, 1);
            }
        }
    }

    /// What one thread does of stages that are done by several.
    fn together(&self, stages: Range<usize>, crew: Crew<'_>) {
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
            let Some(&(_, offset)) = self.plan().partials.iter().find(|(partial, _)| *partial == id) else { continue };
            let value = self.plan().value(id);
            let count = value.rows * value.columns;
            let apart = partial_length(count, self.plan().precision);
            let Operation::Reduce(reduction, ..) = value.operation else { continue };
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
    fn finish(&self) {
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
            Place::Block(offset) => executable.threads[thread].block.as_ptr().cast_mut().wrapping_add(offset),
        }
    }

    /// Where a thread's part of a sum over rows starts.
    fn sum_pointer(&self, id: ValueId, thread: usize) -> *mut T {
        if thread == 0 {
            return self.pointer(id, 0);
        }
        let value = self.plan().value(id);
        let apart = partial_length(value.rows * value.columns, self.plan().precision);
        let partial = self.plan().partials.iter().find(|(partial, _)| *partial == id);
        let (_, offset) = partial.expect("a shared region has room for each thread's sums");
        self.memory.wrapping_add(offset + (thread - 1) * apart)
    }

    /// One thread's part of a region.
    fn region(&self, compiled: &Compiled, thread: usize, threads: usize) {
        let region = &compiled.region;
        for &id in &region.sums {
            let value = self.plan().value(id);
            let Operation::Reduce(reduction, ..) = value.operation else { continue };
            let start = if reduction == Reduction::Sum { T::ZERO } else { T::LOWEST };
            // SAFETY: the thread's own part of the sum.
            let sums = unsafe {
                std::slice::from_raw_parts_mut(self.sum_pointer(id, thread), value.rows * value.columns)
            };
            sums.fill(start);
        }
        let part = part(region.rows, thread, threads);
        let mut from = part.start;
        while from < part.end {
            let to = (from + region.block).min(part.end);
            let at = Block { rows: from..to, thread };
            for step in &compiled.steps {
                self.step(step, &at);
            }
            from = to;
        }
    }

    fn step(&self, step: &CompiledStep, at: &Block) {
        match step {
            CompiledStep::Product(product) => self.product(product, at),
            CompiledStep::Softmax(step) => self.softmax(step, at),
            CompiledStep::Pass(columns, pass) => self.pass(*columns, pass, at),
            CompiledStep::Identity(id) => self.ones(*id, at, |i| Some(i)),
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

    /// The whole of a value as an operand reads it.
    fn whole(&self, operand: Use, thread: usize) -> View<'static, T> {
        let value = self.plan().value(operand.value);
        // SAFETY: see the first paragraph of this file.
        let view = unsafe {
            View::from_raw(self.pointer(operand.value, thread), value.rows, value.columns, value.columns, 1)
        };
        if operand.transposed { view.transposed() } else { view }
    }

    /// The block's rows of a value that is written or read row by row.
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
                View::from_raw(pointer, rows, columns, 0, 1)
            } else {
                let view = self.rows(operand.value, at);
                let along = usize::from(value.columns == columns);
                let mut view = view;
                View::from_raw(view.pointer(), rows, columns, value.columns, along)
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

    fn workspace(&self, thread: usize) -> &mut [T] {
        let workspace = &self.executable.threads[thread].workspace;
        // SAFETY: a thread reaches its own workspace only, and one step at a time.
        unsafe { std::slice::from_raw_parts_mut(workspace.as_ptr().cast_mut(), workspace.len()) }
    }

    fn product(&self, step: &ProductStep, at: &Block) {
        let left = if step.left.transposed {
            let left = self.whole(step.left, at.thread);
            left.block(at.rows.clone(), 0..left.columns())
        } else {
            let mut view = self.rows(step.left.value, at);
            // SAFETY: see the first paragraph of this file.
            unsafe { View::from_raw(view.pointer(), view.rows(), view.columns(), view.row_stride(), 1) }
        };
        let right = self.whole(step.right, at.thread);
        let columns = right.columns();
        let mut product = Product::new(left, right);
        product.alpha = self.scale(step.scale);
        product.added = step.added.map(|(scale, added)| (self.scale(scale), self.spread(added, columns, at)));
        product.then = match step.then {
            Then::Nothing => products::Then::Nothing,
            Then::Relu => products::Then::Relu,
            Then::WhereAbove(of) => products::Then::WhereAbove(self.spread(of, columns, at)),
            Then::Times(of) => products::Then::Times(self.spread(of, columns, at)),
        };
        // SAFETY: the thread's own part of the sums.
        let sums = step.sums.map(|id| unsafe { std::slice::from_raw_parts_mut(self.sum_pointer(id, at.thread), columns) });
        let out = self.rows(step.out, at);
        products::multiply(self.executable.set, &product, out, sums, self.workspace(at.thread));
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
                    use crate::plan::graph::Direction;
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
        match reference.value(&operands) {
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

fn larger<T: Float>(x: T, y: T) -> T {
    if x >= y || x != x { x } else { y }
}




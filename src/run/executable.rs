//! A plan made ready, and its runs. Arrays of the shapes that the plan names come in; they are checked, and handed to the
//! threads (`worker`), which write the results. All memory of the runs is made here, once.

use std::cell::UnsafeCell;

use super::RunError;
use super::code::{CompiledPass, compiled};
use super::cpu::{Buffer, Float, InstructionSet, Pool, View, ViewMut, products};
use super::linear::Factorised;
use super::worker::Shared;
use crate::eval::Reference;
use crate::plan::graph::{Operation, Use, ValueId};
use crate::plan::{Form, Place, Plan, Precision, ProductStep, Region, SoftmaxStep, Stage, Step, part, partial_length};

/// An array that a run is given.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a, T> {
    /// Its entries row by row.
    Entries(&'a [T]),
    /// Its entries in any layout; of inputs that [`Executable::reads_any_layout`].
    View(View<'a, T>),
    /// For each row of a one-hot matrix the column of its one, from 0.
    Labels(&'a [u32]),
}

/// A right factor of more bytes is not packed as a whole: the copy would push all else out of the caches.
const LARGEST_PACKED: usize = 8 << 20;

/// A plan ready to run, with all memory that its runs need.
#[derive(Debug)]
pub struct Executable<T: Float> {
    pub(super) plan: Plan,
    pub(super) set: InstructionSet,
    pub(super) stages: Vec<Vec<Compiled>>,
    /// Sums over rows that no stage reads: added up at the end.
    pub(super) gathers: Vec<ValueId>,
    /// Outputs whose numbers lie elsewhere.
    pub(super) copies: Vec<(usize, ValueId)>,
    /// Of each input how far apart the rows and columns of its value are where its entries are given row by row.
    row_by_row: Vec<(usize, usize)>,
    /// Of each input whether all that read it can read any layout.
    any_layout: Vec<bool>,
    pub(super) memory: Buffer<T>,
    pub(super) threads: Vec<Thread<T>>,
    /// Numbers of the plan that kernels read from memory, by value.
    pub(super) constants: Vec<T>,
    pub(super) bound: Bound<T>,
}

/// A region with its steps compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) region: Region,
    pub(super) steps: Vec<CompiledStep>,
    /// Products whose right factor is packed before the first of several blocks, and where in the thread's memory.
    pub(super) packs: Vec<(usize, usize)>,
}

#[derive(Debug)]
pub(super) enum CompiledStep {
    Product(Box<ProductStep>),
    Accumulate(ValueId, ValueId, ValueId),
    Softmax(SoftmaxStep),
    Pass(usize, Box<CompiledPass>),
    Identity(ValueId),
    Labels(ValueId, usize),
    Transpose(ValueId, ValueId),
    Reference(ValueId, Reference, Vec<Use>),
}

/// What one thread has for itself.
#[derive(Debug)]
pub(super) struct Thread<T: Float> {
    pub(super) block: Buffer<T>,
    pub(super) workspace: Buffer<T>,
    /// Packed right factors of a region's products.
    pub(super) packed: Buffer<T>,
    pub(super) own: UnsafeCell<Lists<T>>,
}

/// Room for the views of a step.
#[derive(Debug)]
pub(super) struct Lists<T: 'static> {
    pub(super) inputs: Vec<View<'static, T>>,
    pub(super) outputs: Vec<ViewMut<'static, T>>,
    /// Of each step of the region under way the packed right factor, where it has one.
    pub(super) packed: Vec<Option<products::Packed<'static, T>>>,
}

/// Where the caller's arrays lie.
#[derive(Debug)]
pub(super) struct Bound<T> {
    pub(super) inputs: Vec<*const T>,
    /// Of each input how far apart the rows and the columns of its value are.
    pub(super) strides: Vec<(usize, usize)>,
    pub(super) labels: Vec<*const u32>,
    pub(super) outputs: Vec<*mut T>,
    /// Each thread's block.
    pub(super) blocks: Vec<*mut T>,
    /// Each thread's workspace.
    pub(super) workspaces: Vec<*mut [T]>,
    /// Each thread's room for packed factors.
    pub(super) packed: Vec<*mut [T]>,
    pub(super) error: UnsafeCell<Option<RunError>>,
    /// Matrices that were factorised in this run.
    pub(super) factorised: UnsafeCell<Vec<(Use, Factorised)>>,
}

// SAFETY: the lists are empty but within a step.
unsafe impl<T: Float> Send for Lists<T> {}

// SAFETY: the pointers are set by a run from borrowed arrays and read only within it.
unsafe impl<T: Float> Send for Bound<T> {}

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
        if plan.precision == Precision::Mixed && !set.has_bf16() {
            return Err(RunError::new(
                "this processor has no products of bf16 (AVX512-BF16); f32 is computed everywhere",
            ));
        }
        let (mut workspace, mut packed, mut most_steps) = (0, 0, 0);
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
                let (packs, length) = packs::<T>(&plan, set, region, &steps);
                packed = packed.max(length);
                most_steps = most_steps.max(steps.len());
                regions.push(Compiled { region: region.clone(), steps, packs });
            }
            stages.push(regions);
        }
        let gathered: Vec<ValueId> = plan.stages.iter().flat_map(|stage| &stage.gathers).copied().collect();
        let gathers = plan.partials.iter().map(|&(id, _)| id).filter(|id| !gathered.contains(id)).collect();
        let copies = plan
            .outputs
            .iter()
            .enumerate()
            .filter_map(|(i, output)| (plan.place(output.value) != Place::Output(i)).then_some((i, output.value)));
        let copies: Vec<(usize, ValueId)> = copies.collect();
        let constants = (0..plan.values.len() as u32).map(|i| T::from_f64(plan.constant(ValueId(i)).unwrap_or(0.0)));
        let constants = constants.collect();
        let threads = (0..plan.threads.max(1))
            .map(|_| Thread {
                block: Buffer::zeroed(plan.block_memory),
                workspace: Buffer::zeroed(workspace),
                packed: Buffer::zeroed(packed),
                own: UnsafeCell::new(Lists {
                    inputs: Vec::with_capacity(64),
                    outputs: Vec::with_capacity(64),
                    packed: Vec::with_capacity(most_steps),
                }),
            })
            .collect();
        let bound = Bound {
            inputs: vec![std::ptr::null(); plan.inputs.len()],
            strides: vec![(0, 0); plan.inputs.len()],
            labels: vec![std::ptr::null(); plan.inputs.len()],
            outputs: vec![std::ptr::null_mut(); plan.outputs.len()],
            blocks: Vec::with_capacity(plan.threads.max(1)),
            workspaces: Vec::with_capacity(plan.threads.max(1)),
            packed: Vec::with_capacity(plan.threads.max(1)),
            error: UnsafeCell::new(None),
            factorised: UnsafeCell::new(Vec::new()),
        };
        let memory = Buffer::zeroed(plan.memory);
        let row_by_row = row_by_row(&plan);
        let any_layout = any_layout(&plan, &stages, &copies);
        Ok(Executable { plan, set, stages, gathers, copies, row_by_row, any_layout, memory, threads, constants, bound })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether the input at that place may be given as a view of any layout; else its entries must be given row by row. What is
    /// read by products and by passes may; what a softmax or the reference reads, or what is a result itself, may not.
    pub fn reads_any_layout(&self, place: usize) -> bool {
        self.any_layout.get(place).is_some_and(|&any| any)
    }

    /// Runs the program: reads the inputs and writes all of each output, both in the order of the plan.
    ///
    /// # Errors
    /// Before anything runs: an array too many or too few, of another length, a label that is no column, a pool with too few
    /// threads. After: what has no value, as the inverse of a singular matrix; what the outputs hold is then not defined.
    pub fn run(&mut self, pool: &mut Pool, inputs: &[Given<'_, T>], outputs: &mut [&mut [T]]) -> Result<(), RunError> {
        self.check(pool, inputs, outputs)?;
        // A run that a panic ended has left its own.
        self.bound.factorised.get_mut().clear();
        for (place, given) in inputs.iter().enumerate() {
            match given {
                Given::Entries(entries) => {
                    self.bound.inputs[place] = entries.as_ptr();
                    self.bound.strides[place] = self.row_by_row[place];
                }
                Given::View(view) => {
                    let (down, along) = (view.row_stride(), view.column_stride());
                    self.bound.inputs[place] = view.pointer();
                    // A row is kept as a column.
                    self.bound.strides[place] = if view.rows() == 1 { (along, down) } else { (down, along) };
                }
                Given::Labels(labels) => self.bound.labels[place] = labels.as_ptr(),
            }
        }
        for (place, output) in outputs.iter_mut().enumerate() {
            self.bound.outputs[place] = output.as_mut_ptr();
        }
        self.bound.blocks.clear();
        self.bound.blocks.extend(self.threads.iter_mut().map(|thread| thread.block.as_mut_ptr()));
        self.bound.workspaces.clear();
        self.bound.workspaces.extend(self.threads.iter_mut().map(|thread| &raw mut *thread.workspace));
        self.bound.packed.clear();
        self.bound.packed.extend(self.threads.iter_mut().map(|thread| &raw mut *thread.packed));
        let memory = self.memory.as_mut_ptr();
        let shared = Shared { executable: self, memory };
        let stages = &shared.executable.plan.stages;
        let first = stages.iter().position(Stage::is_shared).unwrap_or(stages.len());
        let last = stages.iter().rposition(Stage::is_shared).map_or(first, |last| last + 1);
        shared.alone(0..first);
        if first < last {
            pool.run(&|crew| shared.together(first..last, crew));
        }
        shared.alone(last..stages.len());
        shared.finish();
        // They are of this run's numbers, and large.
        self.bound.factorised.get_mut().clear();
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
        if pool.threads() < self.plan.threads && self.plan.stages.iter().any(Stage::is_shared) {
            return Err(RunError::new(format!(
                "the plan is for {} threads, but the pool has {}",
                self.plan.threads,
                pool.threads()
            )));
        }
        for (place, (given, input)) in inputs.iter().zip(&self.plan.inputs).enumerate() {
            let (name, rows, columns) = (&input.name, input.rows, input.columns);
            match (given, input.form) {
                (Given::Entries(entries), Form::Entries) if entries.len() == rows * columns => {}
                (Given::Entries(entries), Form::Entries) => {
                    let count = entries.len();
                    return Err(RunError::new(format!("`{name}` is {rows}x{columns}, but {count} numbers are given")));
                }
                (Given::View(view), Form::Entries) if (view.rows(), view.columns()) == (rows, columns) => {
                    if !self.any_layout[place] {
                        return Err(RunError::new(format!("`{name}` must be given row by row")));
                    }
                }
                (Given::View(view), Form::Entries) => {
                    let (r, c) = (view.rows(), view.columns());
                    return Err(RunError::new(format!("`{name}` is {rows}x{columns}, but its numbers are {r}x{c}")));
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
                (Given::Entries(_) | Given::View(_), Form::Labels) => {
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

/// The value of each input, where it is read at all.
fn values_of_inputs(plan: &Plan) -> Vec<Option<ValueId>> {
    let mut out = vec![None; plan.inputs.len()];
    for (i, value) in plan.values.iter().enumerate() {
        if let Operation::Input(place) = value.operation {
            out[place as usize] = Some(ValueId(i as u32));
        }
    }
    out
}

fn row_by_row(plan: &Plan) -> Vec<(usize, usize)> {
    let strides = |id: Option<ValueId>| id.map_or((0, 0), |id| (plan.value(id).columns, 1));
    values_of_inputs(plan).into_iter().map(strides).collect()
}

fn any_layout(plan: &Plan, stages: &[Vec<Compiled>], copies: &[(usize, ValueId)]) -> Vec<bool> {
    let mut fixed: Vec<ValueId> = copies.iter().map(|&(_, id)| id).collect();
    for step in stages.iter().flatten().flat_map(|region| &region.steps) {
        match step {
            CompiledStep::Softmax(softmax) => {
                fixed.push(softmax.of);
                fixed.extend(softmax.target);
            }
            CompiledStep::Transpose(_, of) => fixed.push(*of),
            CompiledStep::Reference(_, _, list) => fixed.extend(list.iter().map(|operand| operand.value)),
            _ => {}
        }
    }
    values_of_inputs(plan).into_iter().map(|id| id.is_some_and(|id| !fixed.contains(&id))).collect()
}

fn compile_step(plan: &Plan, step: &Step) -> Result<CompiledStep, RunError> {
    Ok(match step {
        Step::Product(product) => CompiledStep::Product(product.clone()),
        Step::Accumulate { left, right, out } => CompiledStep::Accumulate(*left, *right, *out),
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
            heights(plan, region).map(|m| products::workspace::<T>(set, m, n, k)).max().unwrap_or(0)
        }
        CompiledStep::Accumulate(left, right, _) => {
            let (m, n) = (plan.value(*left).columns, plan.value(*right).columns);
            heights(plan, region).map(|k| products::workspace::<T>(set, m, n, k)).max().unwrap_or(0)
        }
        CompiledStep::Pass(_, pass) => pass.code.workspace::<T>(),
        _ => 0,
    }
}

/// How many rows a block of the region may have. Fewer rows may need more room: they are cut in another way.
fn heights(plan: &Plan, region: &Region) -> impl Iterator<Item = usize> {
    let (rows, block) = (region.rows, region.block.max(1));
    let threads = if region.shared { plan.threads } else { 1 };
    let lengths = (0..threads).map(move |thread| part(rows, thread, threads).len());
    lengths.flat_map(move |length| [block.min(length), length % block])
}

/// Which products of a region have their right factor packed once for all blocks, where it is put, and the room for all.
fn packs<T: Float>(
    plan: &Plan,
    set: InstructionSet,
    region: &Region,
    steps: &[CompiledStep],
) -> (Vec<(usize, usize)>, usize) {
    let threads = if region.shared { plan.threads } else { 1 };
    let share = part(region.rows, threads - 1, threads).len();
    let (mut out, mut length) = (Vec::new(), 0);
    // Rounded factors are packed by the product itself.
    if share <= region.block || plan.precision == Precision::Mixed {
        return (out, length);
    }
    for (place, step) in steps.iter().enumerate() {
        let CompiledStep::Product(product) = step else { continue };
        let (k, n) = plan.use_shape(product.right);
        if n == 1 {
            // One column is made by sums along k, which read it as it stands.
            continue;
        }
        let own = products::packed_length::<T>(set, k, n);
        if own * size_of::<T>() <= LARGEST_PACKED {
            out.push((place, length));
            length += partial_length(own, plan.precision);
        }
    }
    (out, length)
}

//! Plans: expressions of an arena and numbers for their dimensions come in; a [`Plan`] goes out, a value that prints and
//! compares. It says in which order, in which blocks and in which memory a program runs: products in the cheapest order,
//! element-wise operations joined to passes and to the products they follow, rows done block by block while they are in
//! cache, memory given again when it is free. Nothing is computed here, and nothing knows a particular program.

mod chain;
mod follow;
pub mod graph;
mod lower;
mod place;
mod region;
mod show;
mod step;

use std::collections::HashMap;
use std::fmt;

use crate::expr::{Arena, ExprId};
use graph::{Use, Value, ValueId};
pub use region::part;
pub use step::{Pass, ProductStep, Scale, SoftmaxStep, Step, Then};

/// The numbers that a plan computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32-bit floats; the factors of products are rounded to bf16, which has 8 bits of a number and the whole of its exponent, and
    /// their products summed in 32 bits.
    Mixed,
    /// 32-bit floats.
    Single,
    /// 64-bit floats.
    Double,
}

impl Precision {
    /// All, the shorter first.
    pub const ALL: [Precision; 3] = [Precision::Mixed, Precision::Single, Precision::Double];

    /// `bf16`, `f32` or `f64`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Mixed => "bf16",
            Precision::Single => "f32",
            Precision::Double => "f64",
        }
    }

    /// The precision of that name.
    pub fn named(name: &str) -> Option<Precision> {
        Precision::ALL.into_iter().find(|precision| precision.name() == name)
    }

    /// Bytes of one number in memory.
    pub fn bytes(self) -> usize {
        match self {
            Precision::Mixed | Precision::Single => 4,
            Precision::Double => 8,
        }
    }
}

/// Sizes that decide how work is cut. They change how fast a plan runs, and never what it computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// A region with fewer operations is done by one thread: waking another would take longer.
    pub shared_from: f64,
    /// The memory that a block with products may touch, in bytes: part of a core's second cache.
    pub block_of_products: usize,
    /// The memory that a block of several passes may touch, in bytes: part of a core's first cache.
    pub block_of_passes: usize,
    /// A small product of two factors with many rows is taken row by row where the factors have at least so many bytes.
    pub accumulated_from: usize,
    /// Regions that read the same input of at least so many numbers are joined.
    pub joined_from: usize,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            shared_from: 150_000.0,
            block_of_products: 1 << 20,
            block_of_passes: 24 << 10,
            accumulated_from: 1 << 20,
            joined_from: 1024,
        }
    }
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The dimensions' values by name.
    pub sizes: &'a HashMap<String, i64>,
    /// Named results that count as independent: their numbers are given.
    pub independent: &'a [ExprId],
    /// Variables whose one-hot matrix is given by labels, the column of the one in each row, from 0.
    pub labels: &'a [ExprId],
    /// In which numbers.
    pub precision: Precision,
    /// How many threads take part.
    pub threads: usize,
    /// How the work is cut.
    pub tuning: Tuning,
}

/// How an input is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Its entries row by row.
    Entries,
    /// A label for each row.
    Labels,
}

/// An array that each run is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The variable, differential or independent result.
    pub node: ExprId,
    /// Its name.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// How it is given.
    pub form: Form,
}

/// A result that each run writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output {
    /// Where its numbers come from.
    pub value: ValueId,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it is in registers only, or a number of the plan.
    Nowhere,
    /// In the caller's input of that place.
    Input(usize),
    /// In the caller's output of that place.
    Output(usize),
    /// In the memory of the run, from that number on.
    Memory(usize),
    /// In each thread's own memory, the rows of one block, from that number on.
    Block(usize),
}

/// Rows that are done block by block.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// How many rows there are.
    pub rows: usize,
    /// How many are done at a time.
    pub block: usize,
    /// Whether all threads take a part of the rows; else one thread does all.
    pub shared: bool,
    /// What is done to each block, in order.
    pub steps: Vec<Step>,
    /// Sums over rows: each thread adds to numbers of its own, which are added up at the end.
    pub sums: Vec<ValueId>,
    /// Operations on numbers, each counted as one.
    pub operations: f64,
}

/// Regions that do not need each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Them.
    pub regions: Vec<Region>,
    /// Sums over rows that are added up over the threads before.
    pub gathers: Vec<ValueId>,
}

impl Stage {
    /// Whether more than one thread works.
    pub fn is_shared(&self) -> bool {
        self.regions.iter().any(|region| region.shared)
    }
}

/// A program ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// In which numbers.
    pub precision: Precision,
    /// How many threads take part.
    pub threads: usize,
    /// What each run is given.
    pub inputs: Vec<Input>,
    /// What each run writes.
    pub outputs: Vec<Output>,
    /// All values, operands first; some are computed on the way only.
    pub values: Vec<Value>,
    /// Where each value lies.
    pub places: Vec<Place>,
    /// The names that the program gives to values.
    pub names: Vec<Option<String>>,
    /// What is done, one stage after the other.
    pub stages: Vec<Stage>,
    /// Where the other threads' parts of sums over rows lie in the memory of the run, one after the other.
    pub partials: Vec<(ValueId, usize)>,
    /// Numbers of the run's own memory.
    pub memory: usize,
    /// Numbers of each thread's own memory.
    pub block_memory: usize,
    /// Operations on numbers in all.
    pub operations: f64,
    /// Bytes that are read or written outside of the blocks' memory.
    pub bytes: f64,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// What is wrong, in words.
    pub message: String,
}

impl PlanError {
    fn new(message: impl Into<String>) -> PlanError {
        PlanError { message: message.into() }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// A plan for the values of the roots, in their order.
    ///
    /// # Errors
    /// A dimension that has no value or is not positive, or more numbers than memory can hold.
    pub fn new(arena: &Arena, roots: &[ExprId], request: &Request<'_>) -> Result<Plan, PlanError> {
        let lowered = lower::lower(arena, roots, request)?;
        let output = |root: &Use| {
            let (rows, columns) = lowered.graph.use_shape(*root);
            Output { value: root.value, rows, columns }
        };
        let outputs: Vec<Output> = lowered.roots.iter().map(output).collect();
        too_large(&lowered.graph)?;
        let stages = region::stages(&lowered.graph, &outputs, request);
        Ok(place::placed(lowered, outputs, stages, request))
    }

    /// A value.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    /// Where a value lies.
    pub fn place(&self, id: ValueId) -> Place {
        self.places[id.0 as usize]
    }

    /// Where the other threads' parts of a sum over rows start in the memory of the run, where it has any.
    pub fn partial(&self, id: ValueId) -> Option<usize> {
        let place = self.partials.binary_search_by_key(&id, |&(id, _)| id).ok()?;
        Some(self.partials[place].1)
    }

    /// The number that a value always is.
    pub fn constant(&self, id: ValueId) -> Option<f64> {
        match self.value(id).operation {
            graph::Operation::Constant(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Rows and columns as an operand reads them.
    pub fn use_shape(&self, operand: Use) -> (usize, usize) {
        let value = self.value(operand.value);
        if operand.transposed { (value.columns, value.rows) } else { (value.rows, value.columns) }
    }
}

/// How many numbers apart the parts of different threads lie in [`Plan::partials`].
pub fn partial_length(count: usize, precision: Precision) -> usize {
    place::round(count, precision)
}

/// No array may have more numbers than an allocation can hold.
fn too_large(graph: &graph::Graph) -> Result<(), PlanError> {
    for value in graph.values() {
        let bytes = value.rows.checked_mul(value.columns).and_then(|n| n.checked_mul(16));
        if bytes.is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(PlanError::new(format!("a matrix of {}x{} numbers is too large", value.rows, value.columns)));
        }
    }
    Ok(())
}

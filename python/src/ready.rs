//! Plans that are ready to run, kept between calls. A call takes one that fits its shapes and puts it back; calls from several
//! threads at once each have their own, so that none waits for another.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use matgrad::plan::{Plan, Stage};
use matgrad::run::Executable;
use matgrad::run::cpu::{InstructionSet, Pool};
use pyo3::prelude::*;

use crate::arrays::Real;

/// So many are kept; the one that was used longest ago goes first.
const KEPT: usize = 16;

/// Counts the processes from the first to this one: threads do not live on in a copy of a process.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// To be called in a process that was made by `fork`: the threads of plans that are ready stayed behind.
#[pyfunction]
pub fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The shape of each input, and whether it is given by labels.
pub type Shapes = Vec<(usize, usize, bool)>;

/// A plan ready for some shapes.
pub struct Ready<T: Real> {
    /// The shapes of the inputs.
    pub shapes: Shapes,
    /// The numbers of the dimensions by name.
    pub sizes: Vec<(String, i64)>,
    /// The plan with its memory.
    pub executable: Executable<T>,
    /// Its threads.
    pub pool: Pool,
    /// Of each input of the plan its place among the inputs of the function.
    pub places: Vec<usize>,
    generation: u64,
}

impl<T: Real> Ready<T> {
    /// Makes a plan ready.
    ///
    /// # Errors
    /// None for the plans there are.
    pub fn new(
        plan: Plan,
        shapes: Shapes,
        sizes: Vec<(String, i64)>,
        places: Vec<usize>,
    ) -> Result<Box<Ready<T>>, String> {
        let threads = if plan.stages.iter().any(Stage::is_shared) { plan.threads } else { 1 };
        let executable = Executable::new(plan, InstructionSet::detect()).map_err(|error| error.message)?;
        let generation = GENERATION.load(Ordering::Relaxed);
        Ok(Box::new(Ready { shapes, sizes, executable, pool: Pool::new(threads), places, generation }))
    }
}

/// Those that no call has at the moment, the last used last.
#[allow(clippy::vec_box, reason = "each call takes one out and puts it back: a pointer is moved, and not the plan")]
pub struct Idle<T: Real>(Mutex<Vec<Box<Ready<T>>>>);

impl<T: Real> Idle<T> {
    /// None yet.
    pub fn new() -> Idle<T> {
        Idle(Mutex::new(Vec::new()))
    }

    /// One for those shapes, where there is one.
    pub fn take(&self, fits: impl Fn(&Ready<T>) -> bool) -> Option<Box<Ready<T>>> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = GENERATION.load(Ordering::Relaxed);
        if list.first().is_some_and(|ready| ready.generation != generation) {
            // To end a thread that is not there would wait for ever.
            list.drain(..).for_each(std::mem::forget);
        }
        let place = list.iter().rposition(|ready| fits(ready))?;
        Some(list.remove(place))
    }

    /// Puts one back.
    pub fn put(&self, ready: Box<Ready<T>>) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = (list.len() == KEPT).then(|| list.remove(0));
        list.push(ready);
        drop(list);
        // Its threads end without the lock.
        drop(oldest);
    }
}

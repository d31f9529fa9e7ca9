//! A program that is run again and again, at arrays of a few shapes: each shape is planned and compiled when it comes first,
//! and kept. Arrays come in as borrowed slices, by a question for each name; results go out as matrices.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::cpu::{InstructionSet, Pool};
use super::{Executable, Given, RunError};
use crate::expr::{Arena, ExprId};
use crate::matrix::Matrix;
use crate::plan::{Form, Input, Plan, Precision, Request, Tuning};

/// So many shapes are kept: a training has batches of two shapes, and its validation two more.
const SHAPES_KEPT: usize = 8;

/// A program in double precision that plans are made of as its shapes come.
pub struct Repeated {
    arena: Arena,
    roots: Vec<ExprId>,
    labels: Vec<ExprId>,
    set: InstructionSet,
    threads: usize,
    state: Mutex<State>,
}

/// What one run at a time uses.
struct State {
    pool: Pool,
    /// The last used last.
    ready: Vec<Ready>,
}

/// A plan ready for one shape.
struct Ready {
    /// The dimensions' values by name, sorted.
    sizes: Vec<(String, i64)>,
    executable: Executable<f64>,
}

impl Repeated {
    /// The values of the roots, in their order. The one-hot matrices of `labels` are given by labels.
    pub fn new(arena: &Arena, roots: &[ExprId], labels: &[ExprId], set: InstructionSet, threads: usize) -> Repeated {
        let state = Mutex::new(State { pool: Pool::new(threads), ready: Vec::new() });
        Repeated { arena: arena.clone(), roots: roots.to_vec(), labels: labels.to_vec(), set, threads, state }
    }

    /// The values of the roots at arrays that `given` has for each input, and numbers for the dimensions.
    ///
    /// # Errors
    /// A dimension without a value, an input that `given` does not have, or as [`Executable::run`].
    pub fn run<'a>(
        &self,
        sizes: &HashMap<String, i64>,
        given: &dyn Fn(&Input) -> Option<Given<'a, f64>>,
    ) -> Result<Vec<Matrix>, RunError> {
        // A run that panicked left numbers that nobody reads.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { pool, ready } = &mut *state;
        let mut key: Vec<(String, i64)> = sizes.iter().map(|(name, size)| (name.clone(), *size)).collect();
        key.sort_unstable();
        match ready.iter().position(|known| known.sizes == key) {
            Some(place) => ready[place..].rotate_left(1),
            None => {
                let executable = self.compiled(sizes)?;
                if ready.len() == SHAPES_KEPT {
                    ready.remove(0);
                }
                ready.push(Ready { sizes: key, executable });
            }
        }
        let Ready { executable, .. } = ready.last_mut().expect("one was put there");
        let mut inputs = Vec::with_capacity(executable.plan().inputs.len());
        for input in &executable.plan().inputs {
            let array = given(input).ok_or_else(|| RunError::new(format!("`{}` has no numbers", input.name)))?;
            inputs.push(array);
        }
        let shapes = executable.plan().outputs.iter().map(|output| Matrix::zeros(output.rows, output.columns));
        let mut values: Vec<Matrix> = shapes.collect();
        let mut outputs: Vec<&mut [f64]> = values.iter_mut().map(Matrix::entries_mut).collect();
        executable.run(pool, &inputs, &mut outputs)?;
        Ok(values)
    }

    fn compiled(&self, sizes: &HashMap<String, i64>) -> Result<Executable<f64>, RunError> {
        let request = Request {
            sizes,
            independent: &[],
            labels: &self.labels,
            precision: Precision::Double,
            threads: self.threads,
            tuning: Tuning::default(),
        };
        let plan = Plan::new(&self.arena, &self.roots, &request).map_err(|error| RunError::new(error.message))?;
        Executable::new(plan, self.set)
    }

    /// Whether a variable's one-hot matrix is given by labels.
    pub fn form(&self, node: ExprId) -> Form {
        if self.labels.contains(&node) { Form::Labels } else { Form::Entries }
    }
}

impl Clone for Repeated {
    /// The same program with threads and plans of its own.
    fn clone(&self) -> Repeated {
        Repeated::new(&self.arena, &self.roots, &self.labels, self.set, self.threads)
    }
}

impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeated").field("roots", &self.roots).field("threads", &self.threads).finish_non_exhaustive()
    }
}

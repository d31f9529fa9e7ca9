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

/// A program that plans are made of as its shapes come. Numbers come in and go out in double precision, whatever they are
/// computed in.
pub struct Repeated {
    arena: Arena,
    roots: Vec<ExprId>,
    labels: Vec<ExprId>,
    precision: Precision,
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
    compiled: Compiled,
}

/// A plan in one of the precisions.
enum Compiled {
    Double(Executable<f64>),
    Single(Executable<f32>, Rounded),
}

/// Memory for numbers that are computed in single precision, of one plan.
#[derive(Default)]
struct Rounded {
    inputs: Vec<Vec<f32>>,
    outputs: Vec<Vec<f32>>,
}

impl Repeated {
    /// The values of the roots, in their order, computed in double precision. The one-hot matrices of `labels` are given by
    /// labels.
    pub fn new(arena: &Arena, roots: &[ExprId], labels: &[ExprId], set: InstructionSet, threads: usize) -> Repeated {
        let state = Mutex::new(State { pool: Pool::new(threads), ready: Vec::new() });
        let (arena, roots, labels) = (arena.clone(), roots.to_vec(), labels.to_vec());
        Repeated { arena, roots, labels, precision: Precision::Double, set, threads, state }
    }

    /// The same, computed in this precision.
    #[must_use]
    pub fn in_precision(mut self, precision: Precision) -> Repeated {
        if precision != self.precision {
            self.precision = precision;
            self.state.get_mut().unwrap_or_else(PoisonError::into_inner).ready.clear();
        }
        self
    }

    /// The values of the roots at arrays that `given` has for each input, and numbers for the dimensions.
    ///
    /// # Errors
    /// A dimension without a value, an input that `given` does not have, a number that single precision has no room for, or as
    /// [`Executable::run`].
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
                let compiled = self.compiled(sizes)?;
                if ready.len() == SHAPES_KEPT {
                    ready.remove(0);
                }
                ready.push(Ready { sizes: key, compiled });
            }
        }
        let Ready { compiled, .. } = ready.last_mut().expect("one was put there");
        let plan = match compiled {
            Compiled::Double(executable) => executable.plan(),
            Compiled::Single(executable, _) => executable.plan(),
        };
        let mut inputs = Vec::with_capacity(plan.inputs.len());
        for input in &plan.inputs {
            let array = given(input).ok_or_else(|| RunError::new(format!("`{}` has no numbers", input.name)))?;
            inputs.push(array);
        }
        let shapes = plan.outputs.iter().map(|output| Matrix::zeros(output.rows, output.columns));
        let mut values: Vec<Matrix> = shapes.collect();
        let mut outputs: Vec<&mut [f64]> = values.iter_mut().map(Matrix::entries_mut).collect();
        match compiled {
            Compiled::Double(executable) => executable.run(pool, &inputs, &mut outputs)?,
            Compiled::Single(executable, rounded) => run_rounded(pool, executable, rounded, &inputs, &mut outputs)?,
        }
        Ok(values)
    }

    fn compiled(&self, sizes: &HashMap<String, i64>) -> Result<Compiled, RunError> {
        let request = Request {
            sizes,
            independent: &[],
            labels: &self.labels,
            precision: self.precision,
            threads: self.threads,
            tuning: Tuning::default(),
        };
        let plan = Plan::new(&self.arena, &self.roots, &request).map_err(|error| RunError::new(error.message))?;
        Ok(match self.precision {
            Precision::Double => Compiled::Double(Executable::new(plan, self.set)?),
            Precision::Mixed | Precision::Single => {
                Compiled::Single(Executable::new(plan, self.set)?, Rounded::default())
            }
        })
    }

    /// Whether a variable's one-hot matrix is given by labels.
    pub fn form(&self, node: ExprId) -> Form {
        if self.labels.contains(&node) { Form::Labels } else { Form::Entries }
    }
}

/// A run in single precision at numbers of double precision: each is rounded to the nearest.
fn run_rounded(
    pool: &mut Pool,
    executable: &mut Executable<f32>,
    rounded: &mut Rounded,
    inputs: &[Given<'_, f64>],
    outputs: &mut [&mut [f64]],
) -> Result<(), RunError> {
    rounded.inputs.resize_with(inputs.len(), Vec::new);
    for ((array, given), input) in rounded.inputs.iter_mut().zip(inputs).zip(&executable.plan().inputs) {
        array.clear();
        match given {
            Given::Entries(entries) => array.extend(entries.iter().map(|&entry| entry as f32)),
            Given::View(view) => {
                let places = (0..view.rows()).flat_map(|i| (0..view.columns()).map(move |j| (i, j)));
                array.extend(places.map(|(i, j)| view.at(i, j) as f32));
            }
            Given::Labels(_) => {}
        }
        let lost = |(given, rounded): (f64, f32)| given.is_finite() && rounded.is_infinite();
        // One pass without a branch finds out whether there is anything to look for.
        if let (Given::Entries(entries), true) = (given, array.iter().fold(false, |any, x| any | x.is_infinite()))
            && let Some((entry, _)) = entries.iter().copied().zip(array.iter().copied()).find(|&pair| lost(pair))
        {
            return Err(RunError::new(format!("`{}` has {entry:e}, too large for a 32-bit number", input.name)));
        }
    }
    rounded.outputs.resize_with(outputs.len(), Vec::new);
    for (array, output) in rounded.outputs.iter_mut().zip(outputs.iter()) {
        array.resize(output.len(), 0.0);
    }
    let arrays = rounded.inputs.iter().zip(inputs).map(|(array, given)| match given {
        Given::Labels(labels) => Given::Labels(labels),
        _ => Given::Entries(array),
    });
    let arrays: Vec<Given<'_, f32>> = arrays.collect();
    let mut results: Vec<&mut [f32]> = rounded.outputs.iter_mut().map(Vec::as_mut_slice).collect();
    executable.run(pool, &arrays, &mut results)?;
    for (output, result) in outputs.iter_mut().zip(&results) {
        output.iter_mut().zip(result.iter()).for_each(|(output, &result)| *output = f64::from(result));
    }
    Ok(())
}

impl Clone for Repeated {
    /// The same program with threads and plans of its own.
    fn clone(&self) -> Repeated {
        Repeated::new(&self.arena, &self.roots, &self.labels, self.set, self.threads).in_precision(self.precision)
    }
}

impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeated")
            .field("roots", &self.roots)
            .field("precision", &self.precision)
            .finish_non_exhaustive()
    }
}

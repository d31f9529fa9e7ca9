//! Where a derived program is put to numbers: parameters and a batch come in; the loss, its gradients and scores go out.
//! This is the one file of a training that knows how a program is run: planned for the sizes of its batches, on the kernels
//! of the processor, with labels in place of a one-hot matrix.

use std::collections::HashMap;

use super::roles::{Role, Roles};
use super::samples::{Batch, Targets};
use crate::answer::Answer;
use crate::diagnostic::Diagnostic;
use crate::expr::{ExprId, Op};
use crate::matrix::Matrix;
use crate::plan::{Form, Precision};
use crate::run::cpu::InstructionSet;
use crate::run::{Given, Repeated};

/// A program made ready to be run many times. A copy has threads of its own.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    /// How many threads it runs on.
    pub(super) threads: usize,
    /// What it computes in.
    pub(super) precision: Precision,
    /// The loss, its gradients in order, then the scores if there are any.
    training: Repeated,
    /// The loss, then the scores if there are any.
    measuring: Repeated,
    /// The scores alone.
    scoring: Option<Repeated>,
}

/// What a program is run at.
pub(super) struct At<'a> {
    pub(super) parameters: &'a [Matrix],
    pub(super) batch: &'a Batch,
    /// Values of scalars by name.
    pub(super) settings: &'a dyn Fn(&str) -> f64,
    /// Values of dimensions by name, without the number of samples.
    pub(super) sizes: &'a HashMap<String, i64>,
}

/// What a step gives.
pub(super) struct Step {
    pub(super) loss: f64,
    /// In the order of the parameters.
    pub(super) gradients: Vec<Matrix>,
    pub(super) scores: Option<Matrix>,
}

impl Engine {
    /// That runs on so many threads, in this precision.
    pub(super) fn new(answer: &Answer, roles: &Roles, threads: usize, precision: Precision) -> Engine {
        let scores = roles.scores.as_ref().map(|(_, scores, _)| *scores);
        let mut training = vec![roles.loss];
        training.extend(&roles.gradients);
        training.extend(scores);
        let mut measuring = vec![roles.loss];
        measuring.extend(scores);
        let is_target = |id: &ExprId| match answer.arena.op(*id) {
            Op::Variable(variable) => Some(variable.0 as usize) == roles.target,
            _ => false,
        };
        let nodes = (0..answer.arena.len()).map(|place| ExprId(place as u32));
        let labels: Vec<ExprId> = if roles.labels { nodes.filter(is_target).collect() } else { Vec::new() };
        let ready = |roots: &[ExprId]| {
            Repeated::new(&answer.arena, roots, &labels, InstructionSet::detect(), threads).in_precision(precision)
        };
        Engine {
            threads,
            precision,
            training: ready(&training),
            measuring: ready(&measuring),
            scoring: scores.map(|scores| ready(&[scores])),
        }
    }

    /// The loss and its gradients.
    pub(super) fn step(&self, answer: &Answer, roles: &Roles, at: &At<'_>) -> Result<Step, Diagnostic> {
        let mut values = run(&self.training, answer, roles, at)?.into_iter();
        let loss = values.next().map_or(f64::NAN, |loss| loss.at(0, 0));
        let gradients = values.by_ref().take(roles.gradients.len()).collect();
        Ok(Step { loss, gradients, scores: values.next() })
    }

    /// The loss without its gradients.
    pub(super) fn measure(
        &self,
        answer: &Answer,
        roles: &Roles,
        at: &At<'_>,
    ) -> Result<(f64, Option<Matrix>), Diagnostic> {
        let mut values = run(&self.measuring, answer, roles, at)?.into_iter();
        Ok((values.next().map_or(f64::NAN, |loss| loss.at(0, 0)), values.next()))
    }

    /// The scores alone; no targets are needed. `None` where the program has none.
    pub(super) fn score(&self, answer: &Answer, roles: &Roles, at: &At<'_>) -> Result<Option<Matrix>, Diagnostic> {
        match &self.scoring {
            Some(scoring) => Ok(run(scoring, answer, roles, at)?.pop()),
            None => Ok(None),
        }
    }
}

fn run(program: &Repeated, answer: &Answer, roles: &Roles, at: &At<'_>) -> Result<Vec<Matrix>, Diagnostic> {
    let mut sizes = at.sizes.clone();
    if let Some(name) = answer.arena.dimensions.as_name(roles.count) {
        sizes.insert(answer.arena.dimensions.name(name).to_owned(), at.batch.features.rows() as i64);
    }
    let settings: Vec<f64> = answer.arena.variables.iter().map(|variable| (at.settings)(&variable.name)).collect();
    let values = program.run(&sizes, &|input| {
        let Op::Variable(variable) = answer.arena.op(input.node) else { return None };
        let place = variable.0 as usize;
        let given = match &roles.of[place] {
            Role::Features => Given::Entries(at.batch.features.entries()),
            Role::Target => match &at.batch.targets {
                Targets::None => return None,
                Targets::Labels { labels, .. } if input.form == Form::Labels => Given::Labels(labels),
                Targets::Labels { .. } => return None,
                Targets::Values(values) => Given::Entries(values.entries()),
            },
            Role::Parameter(parameter) => Given::Entries(at.parameters[*parameter].entries()),
            Role::Setting => Given::Entries(&settings[place..=place]),
            Role::Beside => {
                let (_, matrix) = at.batch.beside.iter().find(|(name, _)| *name == input.name)?;
                Given::Entries(matrix.entries())
            }
        };
        Some(given)
    });
    values.map_err(|error| Diagnostic::whole(format!("the program cannot be computed: {error}")))
}

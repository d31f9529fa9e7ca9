//! Where a derived program is put to numbers: parameters and a batch come in; the loss, its gradients and scores go out.
//! This is the one file of a training that knows how a program is run. It runs on the reference interpreter.

use std::collections::HashMap;

use super::roles::{Role, Roles};
use super::samples::{Batch, Targets};
use crate::answer::Answer;
use crate::diagnostic::Diagnostic;
use crate::eval::{Evaluator, Numbers};
use crate::matrix::Matrix;

/// A program made ready to be run many times.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    /// The loss, its gradients in order, then the scores if there are any.
    training: Evaluator,
    /// The loss, then the scores if there are any.
    measuring: Evaluator,
    /// The scores alone.
    scoring: Option<Evaluator>,
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
    pub(super) fn new(answer: &Answer, roles: &Roles) -> Engine {
        let scores = roles.scores.as_ref().map(|(_, scores, _)| *scores);
        let mut training = vec![roles.loss];
        training.extend(&roles.gradients);
        training.extend(scores);
        let mut measuring = vec![roles.loss];
        measuring.extend(scores);
        Engine {
            training: Evaluator::new(&answer.arena, &training),
            measuring: Evaluator::new(&answer.arena, &measuring),
            scoring: scores.map(|scores| Evaluator::new(&answer.arena, &[scores])),
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

fn run(evaluator: &Evaluator, answer: &Answer, roles: &Roles, at: &At<'_>) -> Result<Vec<Matrix>, Diagnostic> {
    let rows = at.batch.features.rows();
    let variables = answer.arena.variables.iter().zip(&roles.of).map(|(variable, role)| match role {
        Role::Features => at.batch.features.clone(),
        Role::Target => match &at.batch.targets {
            Targets::None => Matrix::zeros(0, 0),
            Targets::Labels { labels, classes } => onehot(labels, *classes),
            Targets::Values(values) => values.clone(),
        },
        Role::Parameter(place) => at.parameters[*place].clone(),
        Role::Setting => Matrix::scalar((at.settings)(&variable.name)),
        Role::Beside => {
            let found = at.batch.beside.iter().find(|(name, _)| *name == variable.name);
            found.map_or_else(|| Matrix::zeros(0, 0), |(_, matrix)| matrix.clone())
        }
    });
    let variables = variables.collect();
    let mut dimensions = at.sizes.clone();
    if let Some(name) = answer.arena.dimensions.as_name(roles.count) {
        dimensions.insert(answer.arena.dimensions.name(name).to_owned(), rows as i64);
    }
    evaluator
        .run(&Numbers { dimensions, variables, ..Numbers::default() })
        .map_err(|error| Diagnostic::whole(format!("the program cannot be computed: {error}")))
}

/// The reference interpreter knows labels only as the matrix that they stand for.
fn onehot(labels: &[u32], classes: usize) -> Matrix {
    let mut onehot = Matrix::zeros(labels.len(), classes);
    for (row, &label) in onehot.entries_mut().chunks_exact_mut(classes).zip(labels) {
        row[label as usize] = 1.0;
    }
    onehot
}

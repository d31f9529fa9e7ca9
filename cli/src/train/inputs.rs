//! What a task works on: its program, derived, and its samples, read. Both come from files, from the library, or from a
//! checkpoint.

use std::path::Path;
use std::sync::Arc;

use matgrad::derivation::Detail;
use matgrad::train::{Augmentation, ImageShape, Names, Objective, Options, Samples, Targets, two_layer};

use super::arguments::{Paths, Task};
use super::model::Saved;
use crate::data::{self, Dataset, Wanted, WantedTarget};
use crate::failure::Failure;
use crate::input::Program;

/// A program and samples.
#[derive(Debug)]
pub struct Inputs {
    /// The program.
    pub objective: Arc<Objective>,
    /// The samples.
    pub data: Dataset,
    /// The command of the checkpoint that it goes on from.
    pub command: Option<String>,
    fingerprint: String,
}

impl Inputs {
    /// Of a task; the program is that of the model where there is one already.
    pub fn read(task: &Task, saved: Option<&Saved>) -> Result<Inputs, Failure> {
        let objective = match saved {
            Some(saved) => {
                derived(saved.model.objective.source(), "the model's program", saved.model.objective.names())?
            }
            None => match &task.program {
                None => derived(&two_layer(task.activation), "the two-layer network", &task.names)?,
                Some(path) => {
                    let program = Program::of_file(path)?;
                    let source = program.source.trim_end_matches('\n').to_owned() + "\n";
                    Objective::derive(&source, &task.names, Detail::Brief)
                        .map_err(|errors| Failure::diagnostics(&errors, &program))?
                }
            },
        };
        let data = read_data(&objective, &task.data, saved)?;
        let fingerprint = fingerprint(&data.samples);
        Ok(Inputs {
            objective: Arc::new(objective.with_threads(task.threads).with_precision(task.precision)),
            data,
            command: saved.map(|saved| saved.command.clone()),
            fingerprint,
        })
    }

    /// The size of images, as told or as the data tell it.
    pub fn image(&self, task: &Task) -> Option<ImageShape> {
        task.image.or(self.data.image)
    }

    /// The options of the task for these samples. The default learning rate is that of 64 features; of more it is as much
    /// smaller as the squares of scaled samples are larger, which keeps a step as long.
    pub fn options(&self, task: &Task) -> Options {
        let augmentation = Augmentation { image: self.image(task), ..task.options.augmentation };
        let columns = self.data.samples.columns() as f64;
        let part = if task.usual_rate { (64.0 / columns).min(1.0) } else { 1.0 };
        let learning_rate = task.options.learning_rate * part;
        Options { augmentation, learning_rate, ..task.options.clone() }
    }

    /// All arguments that make the task on these samples.
    pub fn arguments(&self, task: &Task) -> Vec<(String, String)> {
        Task { options: self.options(task), ..task.clone() }.arguments()
    }

    /// A sum over the samples, to know them again.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn derived(source: &str, name: &str, names: &Names) -> Result<Objective, Failure> {
    Objective::derive(source, names, Detail::Brief)
        .map_err(|errors| Failure::diagnostics(&errors, &Program::of_text(name.to_owned(), source)))
}

/// The samples of a task, with their test samples.
fn read_data(objective: &Objective, paths: &Paths, saved: Option<&Saved>) -> Result<Dataset, Failure> {
    let wanted = wanted(objective, paths);
    let mut dataset = match &paths.data {
        Some(path) => data::read(path, &wanted)?,
        None if objective.has_labels() && objective.beside().is_empty() => data::digits(),
        None => {
            return Err(Failure::wrong(
                "name the samples with --data: the digits that come with matgrad are for programs with labels",
            ));
        }
    };
    if let Some(saved) = saved
        && dataset.classes != saved.classes
    {
        return Err(Failure::wrong("the samples have other labels than those of the checkpoint"));
    }
    if let Some(path) = &paths.test {
        let wanted = Wanted { labels: paths.test_labels.as_deref(), ..wanted };
        dataset.test = Some(data::read_test(path, &wanted, &dataset)?);
    } else if let Some(path) = &paths.test_labels {
        let path = path.display();
        return Err(Failure::wrong(format!("`--test-labels {path}` needs --test, the samples that they belong to")));
    }
    Ok(dataset)
}

/// What a program wants of data.
pub fn wanted<'a>(objective: &'a Objective, paths: &'a Paths) -> Wanted<'a> {
    let labels = objective.has_labels();
    Wanted {
        features: objective.features(),
        target: objective.target().map(|name| WantedTarget { name, labels, required: true }),
        beside: objective.beside(),
        label_column: paths.label.as_deref(),
        labels: paths.labels.as_deref(),
        ..Wanted::default()
    }
}

/// Samples for a model that is trained, with labels if they have some; those of the library where no path is told. Of data that
/// have test samples of their own it is those.
pub fn for_model(saved: &Saved, path: Option<&Path>, paths: &Paths, required: bool) -> Result<Dataset, Failure> {
    let objective = &saved.model.objective;
    let width = saved.model.scaling.shift.columns();
    let Some(path) = path else {
        let mut digits = data::digits();
        if width != digits.samples.columns() || saved.classes != digits.classes {
            return Err(Failure::wrong(
                "name the samples with --data: the model is not for the digits that come with matgrad",
            ));
        }
        if let Some(test) = digits.test.take() {
            digits.samples = test;
        }
        return Ok(digits);
    };
    let mut wanted = wanted(objective, paths);
    wanted.target = wanted.target.map(|target| WantedTarget { required, ..target });
    if !required {
        // What a loss needs beside the features is of no use for an answer that does not read it.
        wanted.beside = Vec::new();
    }
    let label = paths.label.as_deref().or(saved.label_column.as_deref());
    let known = Wanted {
        classes: Some(&saved.classes),
        columns: Some(&saved.columns),
        width: Some(width),
        label_column: label,
        label_place: saved.label_place,
        ..wanted
    };
    let mut dataset = data::read(path, &known)?;
    if let Some(test) = dataset.test.take() {
        let (count, others) = (test.len(), dataset.samples.len());
        let note =
            format!("these are the {count} test samples of `{}`; it has {others} to train on too", path.display());
        dataset.notes.push(note);
        dataset.samples = test;
    }
    Ok(dataset)
}

/// A sum over all numbers and targets, in order (Fowler, Noll and Vo's, of 64-bit words).
fn fingerprint(samples: &Samples) -> String {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |word: u64| sum = (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    let walked = samples.each_block(&mut |_, features| {
        features.entries().iter().for_each(|entry| add(entry.to_bits()));
        Ok(())
    });
    debug_assert!(walked.is_ok());
    match samples.targets() {
        Targets::None => {}
        Targets::Labels { labels, .. } => labels.iter().for_each(|&label| add(u64::from(label))),
        Targets::Values(values) => values.entries().iter().for_each(|entry| add(entry.to_bits())),
    }
    format!("{} samples of {} features, sum {sum:016x}", samples.len(), samples.columns())
}

//! A training that somebody watches: options as arguments and a folder with their files come in; what happens step by step,
//! and in the end the model, the report and how well it does, go out as values. Paths of the folder stand in none of them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Command;
use matgrad::train::{ImageShape, Progress, Training};

use super::arguments::{self, Task, task_arguments};
use super::inputs::Inputs;
use super::model::{self, Saved};
use super::outcome::{self, Results, fit};
use super::{page, wrong};
use crate::failure::Failure;

/// Hidden units whose weights are watched.
const UNITS: usize = 64;
/// Images of more pixels on a side are not watched.
const SIDE: usize = 64;
/// A model of more parameters is for the command line.
const PARAMETERS: f64 = 2e7;

/// A training under way.
pub struct Live {
    task: Task,
    inputs: Inputs,
    training: Training,
    checked: Vec<String>,
    folder: PathBuf,
    start: Instant,
}

/// What is trained on what.
pub struct Subject {
    /// Where the samples come from.
    pub name: String,
    /// How many samples are trained on.
    pub samples: usize,
    /// How many are kept out.
    pub validation: usize,
    /// How many features each has.
    pub features: usize,
    /// The names of the classes; none without labels.
    pub classes: Vec<String>,
    /// How many numbers are learnt.
    pub parameters: usize,
    /// Passes at most.
    pub epochs: usize,
    /// The lines of the check of the derivation.
    pub checked: Vec<String>,
    /// What a user should know of the samples.
    pub notes: Vec<String>,
    /// The program that is trained.
    pub program: String,
}

/// Columns of a matrix of weights as images.
pub struct Pictures {
    /// The name of the matrix.
    pub name: String,
    /// Rows and columns of a picture.
    pub size: (usize, usize),
    /// Pixels of all pictures one after the other, each picture by its own largest: from -127 to 127.
    pub pixels: Vec<i8>,
}

/// How well a part of the samples is told.
pub struct Part {
    /// `training`, `validation` or `test`.
    pub name: &'static str,
    /// How many samples.
    pub samples: usize,
    /// The mean loss.
    pub loss: f64,
    /// The part that is classified right, where there are classes.
    pub accuracy: Option<f64>,
    /// The part of the variance that is explained, where the targets are numbers that are not all equal.
    pub explained: Option<f64>,
    /// How often samples of a class (row) were taken for another (column).
    pub confusion: Vec<Vec<usize>>,
}

/// What a training came to.
pub struct Finished {
    /// Training, validation and test samples, those that are there.
    pub parts: Vec<Part>,
    /// Which epoch's parameters were taken.
    pub best_epoch: usize,
    /// The same in words, as the command line has it.
    pub text: String,
    /// The model, a `.safetensors` file.
    pub model: Vec<u8>,
    /// The report, an HTML document.
    pub report: String,
}

impl Live {
    /// Reads what the arguments name, derives and checks the gradients, and stands before the first step. `arguments` are those
    /// of `matgrad train`, by their names; paths in them are below `folder`.
    ///
    /// # Errors
    /// What is wrong with the options, the program or the data, with no word of the folder.
    pub fn new(arguments: &[(String, String)], folder: &Path) -> Result<Live, Failure> {
        let folder = folder.to_owned();
        Live::begun(arguments, &folder).map_err(|failure| Failure { text: without(&folder, &failure.text), ..failure })
    }

    fn begun(arguments: &[(String, String)], folder: &Path) -> Result<Live, Failure> {
        let start = Instant::now();
        let words = arguments.iter().map(|(name, value)| format!("--{name}={value}"));
        let matches = task_arguments(Command::new("train"))
            .try_get_matches_from(std::iter::once("train".to_owned()).chain(words))
            .map_err(|error| Failure::wrong(first_line(&error.to_string())))?;
        let task = arguments::task(&matches)?;
        let inputs = Inputs::read(&task, None)?;
        let options = inputs.options(&task);
        let samples = &inputs.data.samples;
        let bindings = inputs.objective.bindings(samples, &options.set).map_err(|errors| wrong(&errors))?;
        let count = inputs.objective.parameter_count(&bindings);
        if count > PARAMETERS {
            return Err(Failure::wrong(format!(
                "{count} parameters are more than the page trains, {PARAMETERS}: use the command line"
            )));
        }
        let training = Training::new(&inputs.objective, samples, &options).map_err(|errors| wrong(&errors))?;
        let checked = outcome::checked(&inputs.objective, task.options.seed)?;
        Ok(Live { task, inputs, training, checked, folder: folder.to_owned(), start })
    }

    /// What is trained on what.
    pub fn subject(&self) -> Subject {
        Subject {
            name: without(&self.folder, &self.inputs.data.name),
            samples: self.training.training().len(),
            validation: self.training.validation().map_or(0, matgrad::train::Samples::len),
            features: self.inputs.data.samples.columns(),
            classes: self.inputs.data.classes.clone(),
            parameters: self.training.state().parameters.count(),
            epochs: self.training.options().epochs,
            checked: self.checked.clone(),
            notes: self.inputs.data.notes.iter().map(|note| without(&self.folder, note)).collect(),
            program: self.inputs.objective.source().to_owned(),
        }
    }

    /// Whether no step is left.
    pub fn is_finished(&self) -> bool {
        self.training.is_finished()
    }

    /// A step.
    ///
    /// # Errors
    /// A training that diverges, with advice.
    pub fn step(&mut self) -> Result<Progress, Failure> {
        self.training.step().map_err(|error| wrong(&[error]))
    }

    /// The first weights as they are now, where the features are small images.
    pub fn pictures(&self) -> Option<Pictures> {
        let image: ImageShape = self.inputs.image(&self.task)?;
        if image.rows.max(image.columns) > SIDE {
            return None;
        }
        let parameters = &self.training.state().parameters;
        let (name, matrix) =
            parameters.named().find(|(_, matrix)| matrix.rows() == image.size() && matrix.columns() > 1)?;
        let mut pixels = Vec::new();
        for column in 0..matrix.columns().min(UNITS) {
            let mut sums = Vec::with_capacity(image.rows * image.columns);
            for row in 0..image.rows {
                for place in 0..image.columns {
                    let channels = (0..image.channels).map(|channel| image.place(row, place, channel));
                    sums.push(channels.map(|feature| matrix.at(feature, column)).sum::<f64>());
                }
            }
            let largest = sums.iter().fold(0.0_f64, |largest, sum| largest.max(sum.abs()));
            let scale = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            pixels.extend(sums.iter().map(|sum| (sum * scale).round() as i8));
        }
        Some(Pictures { name: name.to_owned(), size: (image.rows, image.columns), pixels })
    }

    /// Measures, and writes the model and the report.
    ///
    /// # Errors
    /// What has no value; a folder that cannot be written to.
    pub fn finish(self) -> Result<Finished, Failure> {
        let Live { task, inputs, training, checked, folder, start } = self;
        let mut saved = inputs.saved(&task, &training);
        hide(&folder, &mut saved);
        let trained = training.finish();
        let results = Results::new(&trained, inputs.data.test.as_ref(), &inputs.data.classes);
        let results = results.map_err(|error| wrong(&[error]))?;
        let about = page::About { task: &task, inputs: &inputs, checked: &checked, time: start.elapsed() };
        let report = page::page(&about, &trained, &saved, &results).map_err(|error| wrong(&[error]))?;
        let path = folder.join("model.safetensors");
        model::save(&path, &saved)?;
        let model =
            std::fs::read(&path).map_err(|error| Failure::file("read", Path::new("model.safetensors"), &error))?;
        let parts = results.parts.iter().map(|part| Part {
            name: part.name,
            samples: part.samples.len(),
            loss: part.loss,
            accuracy: part.confusion.as_ref().map(matgrad::train::Confusion::accuracy),
            explained: fit(part).and_then(|fit| fit.explained),
            confusion: part.confusion.as_ref().map(|confusion| confusion.counts().to_vec()).unwrap_or_default(),
        });
        Ok(Finished {
            parts: parts.collect(),
            best_epoch: trained.best_epoch,
            text: outcome::outcome(&trained, &results, false),
            model,
            report: without(&folder, &report),
        })
    }
}

/// A text with the folder's path taken out of all others.
fn without(folder: &Path, text: &str) -> String {
    let folder = folder.display().to_string();
    text.replace(&format!("{folder}/"), "").replace(&folder, "")
}

fn hide(folder: &Path, saved: &mut Saved) {
    saved.command = without(folder, &saved.command);
    for (_, value) in &mut saved.arguments {
        *value = without(folder, value);
    }
}

/// The first paragraph of a message about arguments, without its first word.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

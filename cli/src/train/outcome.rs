//! What a training tells: the derivation with its check, the task, accuracies and mistakes, as text.

use std::fmt::Write;
use std::time::Duration;

use matgrad::check::{self, check};
use matgrad::diagnostic::Diagnostic;
use matgrad::matrix::Matrix;
use matgrad::plan::Precision;
use matgrad::render::{Format, render};
use matgrad::train::{Confusion, Objective, Rounding, Samples, Targets, Trained, Training};

use super::arguments::Task;
use super::inputs::Inputs;
use crate::failure::{CHECK_FAILED, Failure};

/// More classes than this are no table to read.
const TABLE: usize = 20;

/// The lines of a check that held.
///
/// # Errors
/// A check that failed: nothing is trained by a gradient that is wrong.
pub fn checked(objective: &Objective, seed: u64) -> Result<Vec<String>, Failure> {
    let report = check(objective.answer(), check::Options { seed, ..check::Options::default() });
    let lines = report.lines();
    match report.is_ok() {
        true => Ok(lines),
        false => Err(Failure { code: CHECK_FAILED, text: format!("error: {}\n", lines.join("\n")) }),
    }
}

/// The program, its gradients with their steps, and what was checked.
pub fn derivation(objective: &Objective, checked: &[String]) -> String {
    render(Format::Text, objective.answer(), objective.source(), checked)
}

/// What is trained on what.
pub fn task(task: &Task, inputs: &Inputs, training: &Training) -> String {
    let samples = &inputs.data.samples;
    let options = training.options();
    let mut out =
        format!("\nTraining on {}\n{} samples of {} features", inputs.data.name, samples.len(), samples.columns());
    if let Some(classes) = samples.classes() {
        let _ = write!(out, ", {classes} classes");
    }
    if let Some(column) = &inputs.data.label_column {
        let _ = write!(out, " (column `{column}`)");
    }
    match &task.program {
        Some(path) => {
            let count = training.state().parameters.count();
            let _ = write!(out, "; {}, {count} parameters", path.display());
        }
        None => {
            let hidden = training.model().bindings.sizes.get("H").copied().unwrap_or(0);
            let _ = write!(out, "; {hidden} hidden units, {}", task.activation.name());
        }
    }
    let batches = match inputs.objective.takes_all_samples() {
        true => "all at once".to_owned(),
        false => format!("in batches of {}", options.batch_size),
    };
    let _ = writeln!(out, "; {} epochs {batches}; seed {}", options.epochs, options.seed);
    out
}

/// What rounding the factors of products costs, where it is asked for.
///
/// # Errors
/// As a step of the training.
pub fn rounding(training: &Training) -> Result<String, Diagnostic> {
    let model = training.model();
    if model.objective.precision() != Precision::Mixed {
        return Ok(String::new());
    }
    let of = Rounding::measure(&model, training.training(), training.options().batch_size)?;
    let far = of.gradients.iter().map(|(name, error)| format!("{name} {error:.1e}"));
    let (count, loss, gradients) = (of.samples, of.loss, far.collect::<Vec<_>>().join(", "));
    Ok(format!("bf16, on {count} samples, beside 64-bit numbers: loss off by {loss:.1e}, gradients by {gradients}\n"))
}

/// How fast it was; kept from the results, which are the same each time.
pub fn speed(time: Duration, samples: usize) -> String {
    let seconds = time.as_secs_f64();
    format!("{seconds:.1} s, {:.0} samples/s\n", samples as f64 / seconds.max(1e-9))
}

/// How well the model does on a part of the samples.
#[derive(Debug)]
pub struct Part {
    /// `training`, `validation` or `test`.
    pub name: &'static str,
    /// The samples.
    pub samples: Samples,
    /// The mean loss.
    pub loss: f64,
    /// The answers.
    pub scores: Option<Matrix>,
    /// The classes taken, where there are classes.
    pub predicted: Vec<u32>,
    /// What was taken for what, where there are classes.
    pub confusion: Option<Confusion>,
}

/// All parts, and the names of classes.
#[derive(Debug)]
pub struct Results {
    /// In the order of their names above.
    pub parts: Vec<Part>,
    /// The names of the classes.
    pub classes: Vec<String>,
}

impl Results {
    /// Measures a trained model.
    ///
    /// # Errors
    /// What has no value.
    pub fn new(trained: &Trained, test: Option<&Samples>, classes: &[String]) -> Result<Results, Diagnostic> {
        let parts =
            [("training", Some(&trained.training)), ("validation", trained.validation.as_ref()), ("test", test)];
        let mut out = Vec::new();
        for (name, samples) in parts {
            let Some(samples) = samples else { continue };
            let measured = trained.model.measure(samples)?;
            let predicted = measured.predicted();
            let confusion = samples
                .classes()
                .filter(|_| measured.scores.is_some())
                .map(|classes| Confusion::new(&samples.labels(), &predicted, classes));
            let (loss, scores) = (measured.loss, measured.scores);
            out.push(Part { name, samples: samples.clone(), loss, scores, predicted, confusion });
        }
        Ok(Results { parts: out, classes: classes.to_vec() })
    }

    /// The part that tells most about samples never seen: test, else validation, else training.
    pub fn last(&self) -> Option<&Part> {
        self.parts.last()
    }
}

/// Accuracies, and which classes were taken for which unless `brief`.
pub fn outcome(trained: &Trained, results: &Results, brief: bool) -> String {
    let mut out = String::new();
    for part in &results.parts {
        let count = part.samples.len();
        let name = part.name;
        let _ = match (&part.confusion, fit(part)) {
            (Some(confusion), _) => {
                writeln!(out, "{name:<10} accuracy {:6.2} % of {count} samples", 100.0 * confusion.accuracy())
            }
            (None, Some(fit)) => {
                let explained = fit.explained.map(|part| format!(", R² {part:.4}")).unwrap_or_default();
                writeln!(out, "{name:<10} loss {:.6}, error {:.4}{explained}, of {count} samples", part.loss, fit.error)
            }
            (None, None) => writeln!(out, "{name:<10} loss {:.6} of {count} samples", part.loss),
        };
    }
    if brief {
        return out;
    }
    let why = if trained.validation.is_some() { ", the best in validation" } else { "" };
    let _ = match trained.best_epoch {
        0 => writeln!(out, "parameters of the last step; no epoch ended"),
        best => writeln!(out, "parameters of epoch {best} of {}{why}", trained.history.len()),
    };
    if let Some(part) = results.parts.first()
        && let Some(confusion) = &part.confusion
    {
        out.push_str(&not_learnt(confusion));
    }
    if let Some(Part { name: "test", confusion: Some(confusion), .. }) = results.last()
        && confusion.counts().len() <= TABLE
    {
        out.push_str("\ntest samples of each class (row) by the class predicted (column)\n");
        out.push_str(&table(confusion, &results.classes));
    }
    out
}

/// How well numbers are told.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// The root of the mean square error.
    pub error: f64,
    /// The part of the variance that is explained, R²; none where all targets are equal, or too far apart for a number.
    pub explained: Option<f64>,
}

/// Of a part whose targets are numbers.
pub fn fit(part: &Part) -> Option<Fit> {
    fit_of(&part.samples.targets(), part.scores.as_ref()?)
}

/// Of answers to targets that are numbers of the same shape.
pub fn fit_of(targets: &Targets, scores: &Matrix) -> Option<Fit> {
    let Targets::Values(values) = targets else { return None };
    if scores.shape() != values.shape() {
        return None;
    }
    let (rows, columns) = values.shape();
    let means = values.column_sums().scale(1.0 / rows as f64);
    let (mut wrong, mut spread) = (0.0, 0.0);
    for i in 0..rows {
        for j in 0..columns {
            wrong += (values.at(i, j) - scores.at(i, j)).powi(2);
            spread += (values.at(i, j) - means.at(0, j)).powi(2);
        }
    }
    let explained = Some(1.0 - wrong / spread).filter(|part| spread > 0.0 && part.is_finite());
    Some(Fit { error: (wrong / (rows * columns) as f64).sqrt(), explained })
}

/// A note where the model does no better than always telling the most frequent class.
fn not_learnt(confusion: &Confusion) -> String {
    let classes = confusion.counts().len();
    let supports: Vec<usize> = (0..classes).map(|class| confusion.support(class)).collect();
    let most = supports.iter().max().copied().unwrap_or(0) as f64 / confusion.total() as f64;
    let several = supports.iter().filter(|&&support| support > 0).count() > 1;
    match confusion.accuracy() <= most && several {
        true => {
            "note: this is no better than always telling the most frequent class; take a smaller learning rate, or \
                 more epochs\n"
                .to_owned()
        }
        false => String::new(),
    }
}

/// Counts in columns.
pub fn table(confusion: &Confusion, classes: &[String]) -> String {
    let counts = confusion.counts();
    let short = |class: usize| -> String {
        classes.get(class).map_or_else(|| class.to_string(), |name| name.chars().take(10).collect())
    };
    let names: Vec<String> = (0..counts.len()).map(short).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(1);
    let largest = counts.iter().flatten().max().copied().unwrap_or(0);
    let width = largest.to_string().len().max(longest) + 2;
    let mut out = " ".repeat(width);
    for name in &names {
        let _ = write!(out, "{name:>width$}");
    }
    out.push('\n');
    for (name, counts) in names.iter().zip(counts) {
        let _ = write!(out, "{name:>width$}");
        for &count in counts {
            // Zeros as dots, so that the mistakes stand out.
            let text = if count == 0 { ".".to_owned() } else { count.to_string() };
            let _ = write!(out, "{text:>width$}");
        }
        out.push('\n');
    }
    out
}

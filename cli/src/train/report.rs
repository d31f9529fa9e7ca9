//! What a training tells: the derivation with its check, the task, accuracies and mistakes, as text.

use std::fmt::Write;
use std::time::Duration;

use matgrad::check::{self, check};
use matgrad::diagnostic::Diagnostic;
use matgrad::render::{Format, render};
use matgrad::train::{Activation, Network, Options, Samples, Trained, confusion};

use super::data::Data;
use crate::failure::{CHECK_FAILED, Failure};

/// More classes than this are no table to read.
const TABLE: usize = 20;

/// The network's program, its gradients with their steps, and what was checked.
///
/// # Errors
/// A check that failed: nothing is trained by a gradient that is wrong.
pub fn derivation(network: &Network, seed: u64) -> Result<String, Failure> {
    let report = check(network.answer(), check::Options { seed, ..check::Options::default() });
    let lines = report.lines();
    if !report.is_ok() {
        return Err(Failure { code: CHECK_FAILED, text: format!("error: {}\n", lines.join("\n")) });
    }
    Ok(render(Format::Text, network.answer(), network.source(), &lines))
}

/// What is trained on what.
pub fn task(data: &Data, activation: Activation, options: &Options) -> String {
    let samples = &data.training;
    format!(
        "\nTraining on {}\n{} samples of {} features, {} classes; {} hidden units, {}; {} epochs in batches of {}; seed {}\n",
        data.name,
        samples.len(),
        samples.features().columns(),
        samples.classes(),
        options.hidden,
        activation.name(),
        options.epochs,
        options.batch_size,
        options.seed
    )
}

/// How fast it was; kept from the results, which are the same each time.
pub fn speed(trained: &Trained, time: Duration) -> String {
    let samples = (trained.history.len() * trained.training.len()) as f64;
    let seconds = time.as_secs_f64();
    format!("{seconds:.1} s, {:.0} samples/s\n", samples / seconds.max(1e-9))
}

/// Accuracies, and which classes were taken for which unless `brief`.
pub fn outcome(trained: &Trained, test: Option<&Samples>, brief: bool) -> Result<String, Diagnostic> {
    let mut out = String::new();
    let parts = [("training", Some(&trained.training)), ("validation", trained.validation.as_ref()), ("test", test)];
    for (name, samples) in parts {
        let Some(samples) = samples else { continue };
        let accuracy = trained.model.accuracy(samples)?;
        let _ = writeln!(out, "{name:<10} accuracy {:6.2} % of {} samples", 100.0 * accuracy, samples.len());
    }
    if brief {
        return Ok(out);
    }
    let why = if trained.validation.is_some() { ", the best in validation" } else { "" };
    let _ = writeln!(out, "parameters of epoch {} of {}{why}", trained.best_epoch, trained.history.len());
    if let Some(note) = not_learnt(trained)? {
        out.push_str(&note);
    }
    if let Some(test) = test.filter(|test| test.classes() <= TABLE) {
        out.push_str("\ntest samples of each class (row) by the class predicted (column)\n");
        out.push_str(&table(&confusion(&trained.model.predict(test.features())?, test)));
    }
    Ok(out)
}

/// A note where the network does no better than always telling the most frequent class.
fn not_learnt(trained: &Trained) -> Result<Option<String>, Diagnostic> {
    let samples = &trained.training;
    let mut counts = vec![0_usize; samples.classes()];
    samples.labels().iter().for_each(|&label| counts[label as usize] += 1);
    let most = counts.iter().max().copied().unwrap_or(0) as f64 / samples.len() as f64;
    let accuracy = trained.model.accuracy(samples)?;
    Ok((accuracy <= most && counts.iter().filter(|&&count| count > 0).count() > 1).then(|| {
        "note: this is no better than always telling the most frequent class; take a smaller learning rate, or more \
         epochs\n"
            .to_owned()
    }))
}

/// Counts in columns.
pub fn table(counts: &[Vec<usize>]) -> String {
    let largest = counts.iter().flatten().max().copied().unwrap_or(0).max(counts.len());
    let width = largest.to_string().len() + 2;
    let mut out = " ".repeat(width);
    for column in 0..counts.len() {
        let _ = write!(out, "{column:>width$}");
    }
    out.push('\n');
    for (row, counts) in counts.iter().enumerate() {
        let _ = write!(out, "{row:>width$}");
        for &count in counts {
            // Zeros as dots, so that the mistakes stand out.
            let text = if count == 0 { ".".to_owned() } else { count.to_string() };
            let _ = write!(out, "{text:>width$}");
        }
        out.push('\n');
    }
    out
}

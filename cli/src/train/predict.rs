//! `matgrad predict`: a trained model and features come in, classes and scores go out.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{ArgMatches, Command};
use matgrad::diagnostic::Diagnostic;
use matgrad::matrix::Matrix;
use matgrad::train::{Samples, confusion, digits};

use super::data::{features, find, labels};
use super::{model, path, report, wrong};
use crate::arrays::{self, Array, check_ending};
use crate::failure::Failure;
use crate::output;

/// The arguments.
pub fn command() -> Command {
    Command::new("predict")
        .about("Predicts classes with a model of `matgrad train --save`")
        .after_help(
            "Without --data the embedded test digits are predicted and compared with what they are.\n\n\
             Examples:\n  \
             matgrad predict --model model.npz\n  \
             matgrad predict --model model.npz --data samples.npz --out predictions.npz",
        )
        .arg(path("model").required(true).help("The model, .npz or .safetensors"))
        .arg(path("data").help("The samples, .npz or .safetensors: X (N×D), and y to compare with, if any"))
        .arg(path("out").help("Writes `scores` (N×C) and `labels` (N) to a file instead of printing the labels"))
}

/// Predicts, and compares where the labels are known.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let out = matches.get_one::<PathBuf>("out");
    if let Some(path) = out {
        check_ending(path)?;
    }
    let Some(path) = matches.get_one::<PathBuf>("model") else { return Err(Failure::wrong("name a model")) };
    let model = model::load(path)?;
    let wrong = |error: Diagnostic| wrong(&[error]);
    let data = matches.get_one::<PathBuf>("data");
    let (features, known) = match data {
        None => {
            let test = digits::test();
            (test.features().clone(), Some(test.labels().to_vec()))
        }
        Some(path) => {
            let arrays = arrays::read(path)?;
            let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
            let known = find(&arrays, "y").map(|_| labels(&arrays, "y").map_err(at)).transpose()?;
            (features(&arrays, "X").map_err(at)?, known)
        }
    };
    let scores = model.scores(&features).map_err(wrong)?;
    let predicted = model.predict(&features).map_err(wrong)?;
    match out {
        Some(path) => write(path, scores, &predicted)?,
        None if data.is_some() => output::result(&lines(&predicted), None)?,
        None => {}
    }
    let Some(known) = known else { return Ok(()) };
    let samples = Samples::new(features, known, model.parameters.w2.columns()).map_err(wrong)?;
    let counts = confusion(&predicted, &samples);
    let right: usize = counts.iter().enumerate().map(|(class, counts)| counts[class]).sum();
    let accuracy = 100.0 * right as f64 / samples.len() as f64;
    let text = format!("accuracy {accuracy:.2} % of {} samples\n", samples.len());
    if data.is_some() {
        output::message(&text);
        return Ok(());
    }
    output::result(&format!("{}\n{text}\n{}", digits::CREDIT, report::table(&counts)), None)
}

fn lines(labels: &[i64]) -> String {
    labels.iter().fold(String::new(), |mut out, label| {
        let _ = writeln!(out, "{label}");
        out
    })
}

fn write(path: &std::path::Path, scores: Matrix, labels: &[i64]) -> Result<(), Failure> {
    let shape = vec![scores.rows(), scores.columns()];
    let labels = Array { shape: vec![labels.len()], entries: labels.iter().map(|&label| label as f64).collect() };
    let scores = Array { shape, entries: scores.into_entries() };
    arrays::write(path, &[("scores".to_owned(), scores), ("labels".to_owned(), labels)])
}

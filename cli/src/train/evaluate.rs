//! `matgrad evaluate`: a trained model and samples with labels come in; accuracy, loss, precision and recall of each class,
//! and what was taken for what go out.

use std::fmt::Write;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Command};
use matgrad::train::Confusion;
use serde_json::{Value, json};

use super::arguments::{path, paths, text};
use super::inputs::for_model;
use super::outcome::{Fit, fit_of, table};
use super::{model, wrong};
use crate::failure::Failure;
use crate::output;

/// More classes than this are no table to read.
const TABLE: usize = 30;

/// The arguments.
pub fn command() -> Command {
    Command::new("evaluate")
        .about("Tells how well a model does on samples whose labels are known")
        .after_help(
            "DATA is in any form that `matgrad train` takes. Of data that have test samples of their own, as MNIST's folder,\n\
             those are taken; without --data the embedded test digits. Precision is the part of those taken for a class that\n\
             are of it; recall the part of those of a class that were taken for it.\n\n\
             Examples:\n  \
             matgrad evaluate --model model.safetensors --data test.csv\n  \
             matgrad evaluate --model model.safetensors --data test.csv --format json",
        )
        .arg(path("model", "FILE").required(true).help("The model or checkpoint, a .safetensors file"))
        .arg(path("data", "DATA").help("The samples with labels, a file or a folder [default: the embedded test digits]"))
        .arg(text("label", "COLUMN").help("The column of labels in a table [default: as in training]"))
        .arg(path("labels", "FILE").help("The labels, where they are in a file of their own"))
        .arg(
            text("format", "FORMAT")
                .value_parser(PossibleValuesParser::new(["text", "json"]))
                .default_value("text")
                .help("How the results are written"),
        )
        .arg(path("output", "FILE").short('o').help("Writes the results to a file, whole or not at all"))
}

/// Measures a model.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(path) = matches.get_one::<PathBuf>("model") else { return Err(Failure::wrong("name a model")) };
    let saved = model::load(path)?;
    let paths = paths(matches);
    let data = for_model(&saved, paths.data.as_deref(), &paths, true)?;
    for note in &data.notes {
        output::message(&format!("note: {note}\n"));
    }
    let samples = &data.samples;
    let measured = saved.model.measure(samples).map_err(|error| wrong(&[error]))?;
    let confusion = match (samples.classes(), &measured.scores) {
        (Some(classes), Some(_)) => Some(Confusion::new(&samples.labels(), &measured.predicted(), classes)),
        _ => None,
    };
    let fit = measured.scores.as_ref().and_then(|scores| fit_of(&samples.targets(), scores));
    let told = Told { name: &data.name, count: samples.len(), loss: measured.loss, fit, classes: &saved.classes };
    let json = matches.get_one::<String>("format").is_some_and(|format| format == "json");
    let text = if json { told.json(confusion.as_ref()) } else { told.text(confusion.as_ref()) };
    output::result(&text, matches.get_one::<PathBuf>("output").map(PathBuf::as_path))
}

struct Told<'a> {
    name: &'a str,
    count: usize,
    loss: f64,
    fit: Option<Fit>,
    classes: &'a [String],
}

impl Told<'_> {
    fn text(&self, confusion: Option<&Confusion>) -> String {
        let mut out = format!("{}\n{} samples\n", self.name, self.count);
        if let Some(confusion) = confusion {
            let _ = writeln!(out, "accuracy {:.2} %", 100.0 * confusion.accuracy());
        }
        let _ = writeln!(out, "loss {:.6}", self.loss);
        if let Some(fit) = self.fit {
            let _ = writeln!(out, "root mean square error {:.6}", fit.error);
            if let Some(explained) = fit.explained {
                let _ = writeln!(out, "R² {explained:.6}");
            }
        }
        let Some(confusion) = confusion else { return out };
        let widest = self.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(5, 24);
        let _ = writeln!(out, "\n{:<widest$}  precision  recall  samples", "class");
        let percent = |part: Option<f64>| part.map_or("–".to_owned(), |part| format!("{:.1} %", 100.0 * part));
        for (class, name) in self.classes.iter().enumerate() {
            let (precision, recall) = (percent(confusion.precision(class)), percent(confusion.recall(class)));
            let support = confusion.support(class);
            let _ = writeln!(out, "{name:<widest$}  {precision:>9}  {recall:>6}  {support:>7}");
        }
        if self.classes.len() <= TABLE {
            out.push_str("\nsamples of each class (row) by the class predicted (column)\n");
            out.push_str(&table(confusion, self.classes));
        }
        out
    }

    fn json(&self, confusion: Option<&Confusion>) -> String {
        let mut out = json!({"data": self.name, "samples": self.count, "loss": self.loss});
        if let Some(fit) = self.fit {
            out["root_mean_square_error"] = json!(fit.error);
            out["r_squared"] = json!(fit.explained);
        }
        if let Some(confusion) = confusion {
            out["accuracy"] = json!(confusion.accuracy());
            let class = |(class, name): (usize, &String)| {
                json!({
                    "label": name,
                    "precision": confusion.precision(class),
                    "recall": confusion.recall(class),
                    "samples": confusion.support(class),
                })
            };
            out["classes"] = Value::Array(self.classes.iter().enumerate().map(class).collect());
            out["confusion"] = json!(confusion.counts());
        }
        format!("{out:#}\n")
    }
}

//! `matgrad predict`: a trained model and samples come in, classes, scores or probabilities go out, to a file or to standard
//! output.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use matgrad::matrix::Matrix;
use matgrad::train::Confusion;

use super::arguments::{flag, path, paths, text};
use super::inputs::for_model;
use super::{model, wrong};
use crate::arrays::{self, Array, npy};
use crate::failure::Failure;
use crate::output;

/// The arguments.
pub fn command() -> Command {
    Command::new("predict")
        .about("Predicts with a model that was trained: labels, scores or probabilities")
        .after_help(
            "DATA is in any form that `matgrad train` takes; labels are not needed. The columns of a table are found by the\n\
             names that the model was trained with. Of data that have test samples of their own, as MNIST's folder, those are\n\
             predicted; without --data the embedded test digits. Where the data have labels, standard error tells how many\n\
             are right.\n\n\
             --out takes a .csv, .npy, .npz or .safetensors file. The numbers of classes count from 0; a .npz or\n\
             .safetensors file has `labels` and `scores`, and `probabilities` where they are asked for.\n\n\
             Examples:\n  \
             matgrad predict --model model.safetensors --data new.csv\n  \
             matgrad predict --model model.safetensors --data new.csv --probabilities --out new-labels.csv\n  \
             matgrad predict --model model.safetensors --data t10k-images-idx3-ubyte.gz --out labels.npy",
        )
        .arg(path("model", "FILE").required(true).help("The model or checkpoint, a .safetensors file"))
        .arg(path("data", "DATA").help("The samples, a file or a folder [default: the embedded test digits]"))
        .arg(text("label", "COLUMN").help("The column of labels in a table, to compare with [default: as in training, if it is there]"))
        .arg(path("labels", "FILE").help("The labels to compare with, where they are in a file of their own"))
        .arg(path("out", "FILE").short('o').help("Writes to a file instead of standard output"))
        .arg(flag("scores").help("Gives the score of each class instead of the label").conflicts_with("probabilities"))
        .arg(flag("probabilities").help("Gives the probability of each class instead of the label"))
}

/// Forms that predictions are written in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Csv,
    Npy,
    Named,
}

/// Predicts, and compares where the labels are known.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let out = matches.get_one::<PathBuf>("out").map(PathBuf::as_path).filter(|path| *path != Path::new("-"));
    let form = out.map_or(Ok(Form::Csv), form_of)?;
    let Some(path) = matches.get_one::<PathBuf>("model") else { return Err(Failure::wrong("name a model")) };
    let saved = model::load(path)?;
    let paths = paths(matches);
    let data = for_model(&saved, paths.data.as_deref(), &paths, false)?;
    for note in &data.notes {
        output::message(&format!("note: {note}\n"));
    }
    let one = |error| wrong(&[error]);
    let (mut entries, mut columns) = (Vec::new(), 0);
    data.samples
        .each_block(&mut |_, features| {
            let block = saved.model.scores(features)?;
            columns = block.columns();
            entries.extend_from_slice(block.entries());
            Ok(())
        })
        .map_err(one)?;
    let scores = Matrix::new(data.samples.len(), columns, entries);
    let classes = (!saved.classes.is_empty()).then_some(saved.classes.as_slice());
    if classes.is_some_and(|classes| classes.len() != scores.columns()) {
        return Err(Failure::wrong("the model's scores are not one for each of its labels"));
    }
    let predicted: Vec<u32> = classes.map(|_| largest(&scores)).unwrap_or_default();
    let wants_probabilities = matches.get_flag("probabilities");
    let probabilities = match wants_probabilities {
        true => Some(saved.model.to_probabilities(scores.clone()).map_err(one)?),
        false => None,
    };
    let told = probabilities.as_ref().or((matches.get_flag("scores") || classes.is_none()).then_some(&scores));
    match (form, out) {
        (Form::Named, Some(path)) => {
            let mut named = Vec::new();
            if classes.is_some() {
                named.push(("labels".to_owned(), column(&predicted)));
            }
            named.push(("scores".to_owned(), array(&scores)));
            named.extend(probabilities.as_ref().map(|matrix| ("probabilities".to_owned(), array(matrix))));
            arrays::write(path, &named)?;
        }
        (Form::Npy, Some(path)) => {
            let array = told.map_or_else(|| column(&predicted), array);
            output::write_whole(path, &npy::write(&array))?;
        }
        _ => output::result(&csv(classes, told, &predicted), out)?,
    }
    if let (Some(count), true) = (data.samples.classes(), classes.is_some()) {
        let confusion = Confusion::new(&data.samples.labels(), &predicted, count);
        let accuracy = 100.0 * confusion.accuracy();
        output::message(&format!("accuracy {accuracy:.2} % of {} samples\n", data.samples.len()));
    }
    Ok(())
}

fn form_of(path: &Path) -> Result<Form, Failure> {
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("csv" | "txt") => Ok(Form::Csv),
        Some("npy") => Ok(Form::Npy),
        Some("npz" | "safetensors") => Ok(Form::Named),
        _ => Err(Failure::wrong(format!(
            "`{}` ends in none of .csv, .npy, .npz and .safetensors, the forms that predictions are written in",
            path.display()
        ))),
    }
}

/// The class with the largest score of each row, the first of equal ones.
fn largest(scores: &Matrix) -> Vec<u32> {
    (0..scores.rows())
        .map(|i| {
            let row = scores.row(i);
            (1..row.len()).fold(0, |best, j| if row[j] > row[best] { j } else { best }) as u32
        })
        .collect()
}

fn array(matrix: &Matrix) -> Array {
    Array { shape: vec![matrix.rows(), matrix.columns()], entries: matrix.entries().to_vec() }
}

fn column(labels: &[u32]) -> Array {
    Array { shape: vec![labels.len()], entries: labels.iter().map(|&label| f64::from(label)).collect() }
}

/// A line for each sample: its label alone, or a table with a header.
fn csv(classes: Option<&[String]>, told: Option<&Matrix>, predicted: &[u32]) -> String {
    let mut out = String::new();
    match (classes, told) {
        (Some(classes), None) => {
            for &label in predicted {
                let _ = writeln!(out, "{}", cell(&classes[label as usize]));
            }
        }
        (classes, Some(told)) => {
            if let Some(classes) = classes {
                let names: Vec<String> = classes.iter().map(|name| cell(name)).collect();
                let _ = writeln!(out, "label,{}", names.join(","));
            }
            for i in 0..told.rows() {
                let mut cells = Vec::with_capacity(told.columns() + 1);
                cells.extend(classes.map(|classes| cell(&classes[predicted[i] as usize])));
                cells.extend(told.row(i).iter().map(|number| format!("{number:?}")));
                let _ = writeln!(out, "{}", cells.join(","));
            }
        }
        (None, None) => {}
    }
    out
}

/// A field of a table, in quotes where it has to be.
fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

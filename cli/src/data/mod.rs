//! Samples from files in any of the forms that data sets come in, or the digits of the library. Paths come in; checked
//! samples, the names of their classes and columns, and the size of images go out. What is wrong is told with its file and
//! its place in it.

mod cifar;
mod idx;
mod images;
pub mod numpy;
mod stored;
mod table;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use matgrad::matrix::Matrix;
use matgrad::train::{ImageShape, Rows, Samples, Targets, digits};

use crate::failure::Failure;
use stored::Bytes;

/// What a program wants of data, and what a model knows of them.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// The program's name for the features.
    pub features: &'a str,
    /// What is to be told of each sample, if anything.
    pub target: Option<WantedTarget<'a>>,
    /// Other arrays with a row for each sample.
    pub beside: Vec<&'a str>,
    /// The column of labels in a table, by name or by number from 1.
    pub label_column: Option<&'a str>,
    /// Where the labels stood when a model was trained, from 1, for a table without names.
    pub label_place: Option<usize>,
    /// A file of labels, for forms that have them apart.
    pub labels: Option<&'a Path>,
    /// The names of the classes, where a model tells them.
    pub classes: Option<&'a [String]>,
    /// The names of the columns, where a model tells them; empty where they have none.
    pub columns: Option<&'a [String]>,
    /// How many features a model takes.
    pub width: Option<usize>,
}

/// What is to be told of samples.
#[derive(Clone, Copy, Debug)]
pub struct WantedTarget<'a> {
    /// The program's name for it.
    pub name: &'a str,
    /// A class for each, or numbers.
    pub labels: bool,
    /// Whether it must be there.
    pub required: bool,
}

/// Samples and what is known of them.
#[derive(Debug)]
pub struct Dataset {
    /// Where they come from.
    pub name: String,
    /// To train and to validate, or all there are.
    pub samples: Samples,
    /// To test, if they come with them.
    pub test: Option<Samples>,
    /// The names of the classes; none without labels.
    pub classes: Vec<String>,
    /// The names of the features; none where they have none.
    pub columns: Vec<String>,
    /// The column of labels in a table.
    pub label_column: Option<String>,
    /// Its number, from 1.
    pub label_place: Option<usize>,
    /// The size of the images, where the features are some.
    pub image: Option<ImageShape>,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// Targets before classes have numbers.
#[derive(Debug, Default)]
pub enum RawTargets {
    /// There are none.
    #[default]
    None,
    /// Integers.
    Whole(Vec<i64>),
    /// Names, with the line they stand in; 0 where there are no lines.
    Named(Vec<(String, u64)>),
    /// Numbers.
    Numbers(Matrix),
}

/// A part of a data set as it stands in a file.
#[derive(Debug)]
pub struct Raw {
    /// The features.
    pub rows: Arc<dyn Rows>,
    /// What is to be told of them.
    pub targets: RawTargets,
    /// The other arrays.
    pub beside: Vec<(String, Matrix)>,
    /// The names of the classes by their numbers, where the file tells them.
    pub classes: Vec<String>,
    /// The names of the features.
    pub columns: Vec<String>,
    /// The column of labels.
    pub label_column: Option<String>,
    /// Its number, from 1.
    pub label_place: Option<usize>,
    /// The size of the images.
    pub image: Option<ImageShape>,
    /// What a user should know.
    pub notes: Vec<String>,
}

impl Default for Raw {
    fn default() -> Raw {
        Raw {
            rows: Arc::new(Matrix::zeros(0, 0)),
            targets: RawTargets::None,
            beside: Vec::new(),
            classes: Vec::new(),
            columns: Vec::new(),
            label_column: None,
            label_place: None,
            image: None,
            notes: Vec::new(),
        }
    }
}

/// The digits of the library.
pub fn digits() -> Dataset {
    Dataset {
        name: digits::CREDIT.to_owned(),
        samples: digits::training(),
        test: Some(digits::test()),
        classes: (0..digits::CLASSES).map(|digit| digit.to_string()).collect(),
        columns: Vec::new(),
        label_column: None,
        label_place: None,
        image: Some(ImageShape { rows: digits::SIDE, columns: digits::SIDE, channels: 1, planar: false }),
        notes: Vec::new(),
    }
}

/// Reads a data set: a file or a folder.
///
/// # Errors
/// What is wrong, with its file and place.
pub fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Dataset, Failure> {
    let (raw, test) = raw(path, wanted)?;
    let at = |message: String| Failure::wrong(format!("`{}`{message}", path.display()));
    let mut classes = match wanted.classes {
        Some(classes) => classes.to_vec(),
        None => classes_of(&raw, test.as_ref()).map_err(|message| at(format!(": {message}")))?,
    };
    let Raw { columns, label_column, label_place, image, mut notes, .. } =
        Raw { rows: Arc::clone(&raw.rows), ..copied(&raw) };
    if let (Some(width), given) = (wanted.width, raw.rows.columns())
        && width != given
    {
        return Err(at(format!(": the samples have {given} features; the model takes {width}")));
    }
    if let Some(test) = &test
        && test.rows.columns() != raw.rows.columns()
    {
        let (a, b) = (raw.rows.columns(), test.rows.columns());
        return Err(at(format!(": the samples have {a} features, and the test samples {b}")));
    }
    let samples = samples(raw, &classes).map_err(at)?;
    let test = test.map(|test| samples_of_test(test, &classes)).transpose().map_err(at)?;
    if let Some(empty) = empty_classes(&samples, &classes)
        && wanted.classes.is_none()
    {
        notes.push(empty);
    }
    if wanted.classes.is_none() && samples.classes().is_some() {
        let labels = samples.labels();
        if labels.iter().all(|label| *label == labels[0]) {
            let name = &classes[labels[0] as usize];
            return Err(at(format!(": all {} samples have the label `{name}`; two classes are needed", labels.len())));
        }
    }
    if samples.classes().is_none() {
        classes.clear();
    }
    Ok(Dataset {
        name: path.display().to_string(),
        samples,
        test,
        classes,
        columns,
        label_column,
        label_place,
        image,
        notes,
    })
}

/// Test samples from a file of their own, whose classes are those of the data set.
///
/// # Errors
/// As [`read`].
pub fn read_test(path: &Path, wanted: &Wanted<'_>, dataset: &Dataset) -> Result<Samples, Failure> {
    let width = dataset.samples.columns();
    let known = Wanted {
        classes: Some(&dataset.classes),
        columns: Some(&dataset.columns),
        width: Some(width),
        label_column: wanted.label_column.or(dataset.label_column.as_deref()),
        label_place: dataset.label_place,
        ..wanted.clone()
    };
    Ok(read(path, &known)?.samples)
}

/// What is known of a part besides its numbers.
fn copied(raw: &Raw) -> Raw {
    Raw {
        columns: raw.columns.clone(),
        label_column: raw.label_column.clone(),
        label_place: raw.label_place,
        image: raw.image,
        notes: raw.notes.clone(),
        ..Raw::default()
    }
}

/// The bytes of a file, decompressed where it is gzipped, else mapped.
pub fn opened(path: &Path) -> Result<Bytes, Failure> {
    let bytes = Bytes::map(path)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut out = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .read_to_end(&mut out)
        .map_err(|error| Failure::wrong(format!("`{}`: it is no whole gzip file: {error}", path.display())))?;
    Ok(Bytes::Owned(out))
}

/// The size of images whose axes behind the first are these, where they can be images.
pub fn shape_of_images(axes: &[usize]) -> Option<ImageShape> {
    let (rows, columns, channels) = match *axes {
        [rows, columns] => (rows, columns, 1),
        [rows, columns, channels @ (1 | 3 | 4)] => (rows, columns, channels),
        _ => return None,
    };
    (rows > 1 && columns > 1).then_some(ImageShape { rows, columns, channels, planar: false })
}

/// Numbers that must be integers.
///
/// # Errors
/// A message with the first that is not, and its place from 0.
pub fn whole_numbers(numbers: &[f64], what: &str) -> Result<Vec<i64>, String> {
    let whole = |(place, &number): (usize, &f64)| {
        // Beyond 2^53 not every integer is a 64-bit float.
        if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
            Ok(number as i64)
        } else {
            Err(format!("label {number} of {what} at {place} is no integer"))
        }
    };
    numbers.iter().enumerate().map(whole).collect()
}

/// What a file or folder holds, by its name and its first bytes.
fn raw(path: &Path, wanted: &Wanted<'_>) -> Result<(Raw, Option<Raw>), Failure> {
    if path.is_dir() {
        return folder(path, wanted);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let with_labels = |raw: Raw| with_labels(path, raw, wanted);
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "csv" | "tsv" | "txt" | "data" => {
            let text = table::text(path)?;
            let table = table::read(&text, wanted)
                .map_err(|message| Failure::wrong(format!("`{}`: {message}", path.display())))?;
            Ok((raw_of_table(path, table, wanted)?, None))
        }
        "npz" | "safetensors" => numpy::named(path, wanted),
        "npy" => {
            let (rows, image) = numpy::single(path)?;
            Ok((with_labels(Raw { rows, image, ..Raw::default() })?, None))
        }
        "bin" => {
            let (rows, labels) = cifar::read(&[path.to_owned()])?;
            Ok((raw_of_cifar(rows, labels, Vec::new(), wanted), None))
        }
        "png" => Err(Failure::wrong(format!(
            "`{}` is one image; name the folder that has a folder for each class",
            path.display()
        ))),
        ending => {
            let start = opened(path)?;
            if idx::is_idx(&start) || name.contains("idx") || ending.contains("ubyte") {
                let (rows, image) = idx::rows(path)?;
                return Ok((with_labels(Raw { rows: Arc::new(rows), image, ..Raw::default() })?, None));
            }
            Err(Failure::wrong(format!(
                "`{}` is in no form that is read: .csv, .npz, .npy, .safetensors, IDX, CIFAR-10's .bin, or a folder of \
                 PNG images by class",
                path.display()
            )))
        }
    }
}

/// Labels for rows that have them in a file of their own.
fn with_labels(path: &Path, mut raw: Raw, wanted: &Wanted<'_>) -> Result<Raw, Failure> {
    let Some(target) = wanted.target else { return Ok(raw) };
    let beside = wanted.labels.map(Path::to_owned).or_else(|| idx::labels_beside(path));
    raw.targets = match beside {
        Some(labels) => labels_from(&labels, target)?,
        None if target.required => {
            return Err(Failure::wrong(format!("`{}` has no labels; name their file with --labels", path.display())));
        }
        None => RawTargets::None,
    };
    Ok(raw)
}

/// Labels in IDX form, as a `.npy` array, or one a line.
fn labels_from(path: &Path, target: WantedTarget<'_>) -> Result<RawTargets, Failure> {
    let bytes = opened(path)?;
    if idx::is_idx(&bytes) {
        let labels = idx::labels(path)?;
        return Ok(match target.labels {
            true => RawTargets::Whole(labels),
            false => {
                RawTargets::Numbers(Matrix::new(labels.len(), 1, labels.iter().map(|&label| label as f64).collect()))
            }
        });
    }
    if bytes.starts_with(b"\x93NUMPY") {
        return numpy::targets(path, target.labels);
    }
    let name = path.to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    if name.contains("ubyte") || name.contains("idx") {
        return idx::labels(path).map(RawTargets::Whole);
    }
    let text = table::text(path)?;
    let text =
        String::from_utf8(text).map_err(|_| Failure::wrong(format!("`{}` is not UTF-8 text", path.display())))?;
    let lines: Vec<(String, u64)> = text
        .lines()
        .enumerate()
        .map(|(line, text)| (text.trim().to_owned(), line as u64 + 1))
        .filter(|(text, _)| !text.is_empty())
        .collect();
    match target.labels {
        true => Ok(RawTargets::Named(lines)),
        false => numbers_of(path, &lines).map(RawTargets::Numbers),
    }
}

fn numbers_of(path: &Path, lines: &[(String, u64)]) -> Result<Matrix, Failure> {
    let number = |(text, line): &(String, u64)| {
        text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
            Failure::wrong(format!("`{}`: line {line}: the target `{text}` is no finite number", path.display()))
        })
    };
    let numbers: Vec<f64> = lines.iter().map(number).collect::<Result<_, _>>()?;
    Ok(Matrix::new(numbers.len(), 1, numbers))
}

fn raw_of_table(path: &Path, table: table::Table, wanted: &Wanted<'_>) -> Result<Raw, Failure> {
    let targets = match (wanted.target, table.labels) {
        (Some(target), Some(labels)) if !target.labels => RawTargets::Numbers(numbers_of(path, &labels)?),
        (Some(_), Some(labels)) => RawTargets::Named(labels),
        (Some(target), None) if wanted.labels.is_some() => labels_from(wanted.labels.unwrap_or(Path::new("")), target)?,
        (Some(target), None) if target.required => {
            return Err(Failure::wrong(format!("`{}` has no column of labels", path.display())));
        }
        _ => RawTargets::None,
    };
    Ok(Raw {
        rows: Arc::from(table.rows),
        targets,
        columns: table.columns,
        label_column: table.label_column,
        label_place: table.label_place,
        notes: table.notes,
        ..Raw::default()
    })
}

fn raw_of_cifar(rows: stored::Stored, labels: Vec<i64>, classes: Vec<String>, wanted: &Wanted<'_>) -> Raw {
    let targets = if wanted.target.is_some() { RawTargets::Whole(labels) } else { RawTargets::None };
    Raw { rows: Arc::new(rows), targets, classes, image: Some(cifar::IMAGE), ..Raw::default() }
}

fn folder(path: &Path, wanted: &Wanted<'_>) -> Result<(Raw, Option<Raw>), Failure> {
    if let Some(four) = idx::four(path)? {
        let part = |(images, labels): (PathBuf, PathBuf)| {
            let (rows, image) = idx::rows(&images)?;
            let targets = match wanted.target {
                Some(target) => labels_from(&labels, target)?,
                None => RawTargets::None,
            };
            Ok::<Raw, Failure>(Raw { rows: Arc::new(rows), targets, image, ..Raw::default() })
        };
        return Ok((part(four.training)?, four.test.map(part).transpose()?));
    }
    if let Some(batches) = cifar::batches(path)? {
        let part = |paths: &[PathBuf]| {
            let (rows, labels) = cifar::read(paths)?;
            Ok::<Raw, Failure>(raw_of_cifar(rows, labels, batches.names.clone(), wanted))
        };
        let training = Raw { notes: batches.missing.into_iter().collect(), ..part(&batches.training)? };
        return Ok((training, batches.test.map(|test| part(&[test])).transpose()?));
    }
    let (training, test) = (path.join("train"), path.join("test"));
    if training.is_dir() && !images::classes(&training)?.is_empty() {
        let training = of_images(&training, wanted)?;
        let wanted = Wanted { width: Some(training.rows.columns()), ..wanted.clone() };
        let test = match test.is_dir() {
            true => Some(of_images(&test, &wanted)?),
            false => None,
        };
        return Ok((training, test));
    }
    Ok((of_images(path, wanted)?, None))
}

fn of_images(path: &Path, wanted: &Wanted<'_>) -> Result<Raw, Failure> {
    let folders = images::classes(path)?;
    let required = wanted.target.is_some_and(|target| target.required);
    let images = match folders.is_empty() {
        false => images::of_classes(&folders, wanted.width)?,
        true if !required && images::has_images(path)? => images::unlabelled(path, wanted.width)?,
        true => {
            return Err(Failure::wrong(format!(
                "the folder `{}` has neither MNIST's nor CIFAR-10's files nor a folder of PNG images for each class",
                path.display()
            )));
        }
    };
    let targets = match (wanted.target, images.labels) {
        (Some(_), Some(labels)) => RawTargets::Named(labels.into_iter().map(|label| (label, 0)).collect()),
        _ => RawTargets::None,
    };
    Ok(Raw { rows: Arc::new(images.rows), targets, image: Some(images.image), ..Raw::default() })
}

/// The names of the classes: of integers all from 0 to the largest, of names all there are, numbers in their order.
fn classes_of(raw: &Raw, test: Option<&Raw>) -> Result<Vec<String>, String> {
    match &raw.targets {
        RawTargets::None | RawTargets::Numbers(_) => Ok(Vec::new()),
        RawTargets::Whole(labels) => {
            let of_test = match test.map(|test| &test.targets) {
                Some(RawTargets::Whole(labels)) => labels.as_slice(),
                _ => &[],
            };
            let largest = labels.iter().chain(of_test).copied().max().unwrap_or(0);
            // As many classes as samples, at most: a larger label is a slip, and would ask for that many scores.
            let count = usize::try_from(largest.saturating_add(1)).unwrap_or(0).clamp(2, labels.len().max(2));
            let names = raw.classes.iter().cloned().chain((raw.classes.len()..count).map(|class| class.to_string()));
            Ok(names.take(count.max(raw.classes.len())).collect())
        }
        RawTargets::Named(labels) => {
            let mut names: Vec<String> = labels.iter().map(|(name, _)| name.clone()).collect();
            names.sort_unstable();
            names.dedup();
            let whole: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
            if let Some(mut whole) = whole.filter(|whole| whole.len() == names.len()) {
                whole.sort_unstable();
                whole.dedup();
                // `01` and `1` are two names and one number: they stay names.
                if whole.len() == names.len() {
                    names.sort_by_key(|name| name.parse::<i64>().unwrap_or(0));
                }
            }
            if names.len() > labels.len() / 2 && names.len() > 100 {
                return Err(format!(
                    "there are {} different labels for {} samples; is it the column of labels?",
                    names.len(),
                    labels.len()
                ));
            }
            Ok(names)
        }
    }
}

fn samples_of_test(raw: Raw, classes: &[String]) -> Result<Samples, String> {
    samples(raw, classes).map_err(|message| format!(", test samples{message}"))
}

/// Checked samples; the message begins with its place in the file, or with a colon.
fn samples(raw: Raw, classes: &[String]) -> Result<Samples, String> {
    let plain = |error: matgrad::diagnostic::Diagnostic| {
        let hint = error.hint.map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
        format!(": {}{hint}", error.message)
    };
    let count = classes.len();
    let targets = match raw.targets {
        RawTargets::None => Targets::None,
        RawTargets::Numbers(numbers) => Targets::Values(numbers),
        RawTargets::Whole(labels) => {
            let number = |(row, &label): (usize, &i64)| {
                u32::try_from(label).ok().filter(|&label| (label as usize) < count).ok_or_else(|| {
                    let largest = count.saturating_sub(1);
                    format!(": label {label} of row {row} is out of range\nhelp: labels of {count} classes are 0 to {largest}")
                })
            };
            Targets::Labels { labels: labels.iter().enumerate().map(number).collect::<Result<_, _>>()?, classes: count }
        }
        RawTargets::Named(labels) => {
            if count < 2 {
                let name = classes.first().map(String::as_str).unwrap_or_default();
                let number = labels.len();
                return Err(format!(": all {number} samples have the label `{name}`; two classes are needed"));
            }
            let by_name: std::collections::HashMap<&str, u32> =
                classes.iter().enumerate().map(|(class, name)| (name.as_str(), class as u32)).collect();
            let number = |(name, line): &(String, u64)| {
                by_name.get(name.as_str()).copied().ok_or_else(|| {
                    let place = if *line > 0 { format!(", line {line}") } else { String::new() };
                    let shown = classes.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
                    let more = if classes.len() > 12 { ", …" } else { "" };
                    format!("{place}: the label `{name}` is none of {shown}{more}")
                })
            };
            Targets::Labels { labels: labels.iter().map(number).collect::<Result<_, _>>()?, classes: count }
        }
    };
    Samples::of(raw.rows, targets, raw.beside).map_err(plain)
}

fn empty_classes(samples: &Samples, classes: &[String]) -> Option<String> {
    let mut seen = vec![false; samples.classes()?];
    samples.labels().iter().for_each(|&label| seen[label as usize] = true);
    let empty: Vec<&str> =
        classes.iter().zip(&seen).filter(|(_, seen)| !**seen).map(|(name, _)| name.as_str()).take(8).collect();
    (!empty.is_empty()).then(|| format!("no sample has the label {}", empty.join(", ")))
}

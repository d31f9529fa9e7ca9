//! Trained models in files: safetensors with the parameters under their names, and in the metadata the program, its
//! dimensions, the names of classes and columns, the options, and what is done to features. A checkpoint is a model with where
//! its training stands. What does not fit together is an error when it is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use matgrad::derivation::Detail;
use matgrad::matrix::Matrix;
use matgrad::plan::Precision;
use matgrad::train::{
    Bindings, Epoch, ImageShape, Memory, Model, Names, Objective, Parameters, Scaling, ScalingKind, State,
};
use serde_json::{Map, Value, json};

use crate::arrays::{Array, Named, Written, read_with_metadata, shape_text, write_with_metadata};
use crate::data::numpy::{find, missing};
use crate::failure::Failure;

/// A model and what belongs to it.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The model.
    pub model: Model,
    /// Which scaling it has.
    pub scaling: ScalingKind,
    /// The names of its classes; none without labels.
    pub classes: Vec<String>,
    /// The names of its features; none where they have none.
    pub columns: Vec<String>,
    /// The column of labels in a table.
    pub label_column: Option<String>,
    /// Its number, from 1.
    pub label_place: Option<usize>,
    /// The size of the images.
    pub image: Option<ImageShape>,
    /// The arguments that made it.
    pub arguments: Vec<(String, String)>,
    /// The command that repeats it.
    pub command: String,
    /// The sum over the data, to know them again.
    pub fingerprint: String,
}

/// The names of the tensors that are no parameters begin so; no name of the language has a full stop.
const OWN: &str = "matgrad.";

/// Writes a model, whole or not at all.
pub fn save(path: &Path, saved: &Saved) -> Result<(), Failure> {
    write_with_metadata(path, &tensors(saved), &metadata(saved))
}

/// Writes where a training stands, whole or not at all.
pub fn save_checkpoint(path: &Path, saved: &Saved, state: &State) -> Result<(), Failure> {
    let mut arrays = tensors(saved);
    let parts = [
        ("now", &state.parameters),
        ("best", &state.best),
        ("first", &state.memory.first),
        ("second", &state.memory.second),
    ];
    for (part, parameters) in parts {
        let named = parameters.named().map(|(name, matrix)| (format!("{OWN}{part}.{name}"), whole(matrix)));
        arrays.extend(named.map(|(name, array)| (name, array, Precision::Double)));
    }
    let number = |number: Option<f64>| number.unwrap_or(f64::NAN);
    let history: Vec<f64> = state
        .history
        .iter()
        .flat_map(|epoch| {
            [
                epoch.loss,
                number(epoch.accuracy),
                number(epoch.validation_loss),
                number(epoch.validation_accuracy),
                epoch.learning_rate,
            ]
        })
        .collect();
    let history = Array { shape: vec![state.history.len(), EPOCH], entries: history };
    arrays.push((format!("{OWN}history"), history, Precision::Double));
    let place = vec![
        state.memory.steps as f64,
        state.best_epoch as f64,
        state.batch as f64,
        state.seen as f64,
        state.right as f64,
        state.loss_sum,
        state.learning_rate,
        number(state.largest_loss),
    ];
    let place = Array { shape: vec![place.len()], entries: place };
    arrays.push((format!("{OWN}place"), place, Precision::Double));
    write_with_metadata(path, &arrays, &metadata(saved))
}

/// Numbers of an epoch in a checkpoint.
const EPOCH: usize = 5;

fn whole(matrix: &Matrix) -> Array {
    Array { shape: vec![matrix.rows(), matrix.columns()], entries: matrix.entries().to_vec() }
}

/// The parameters as NumPy users know them, vectors with one axis, in the precision of the model, then the scaling.
fn tensors(saved: &Saved) -> Written {
    let model = &saved.model;
    let flat = model.objective.flat_parameters();
    let precision = model.objective.precision();
    let mut arrays: Written = model
        .parameters
        .named()
        .zip(flat)
        .map(|((name, matrix), flat)| {
            let shape = match (matrix.shape(), flat) {
                ((1, 1), true) => Vec::new(),
                ((rows, columns), true) => vec![rows * columns],
                ((rows, columns), false) => vec![rows, columns],
            };
            (name.to_owned(), Array { shape, entries: matrix.entries().to_vec() }, precision)
        })
        .collect();
    for (name, matrix) in [("shift", &model.scaling.shift), ("divisor", &model.scaling.divisor)] {
        let entries = matrix.entries().to_vec();
        arrays.push((format!("{OWN}{name}"), Array { shape: vec![entries.len()], entries }, Precision::Double));
    }
    arrays
}

fn metadata(saved: &Saved) -> BTreeMap<String, String> {
    let model = &saved.model;
    let names = model.objective.names();
    let Bindings { sizes, settings } = &model.bindings;
    let settings: Map<String, Value> =
        settings.iter().map(|(name, value)| (name.clone(), json!(format!("{value:?}")))).collect();
    let options: Vec<Value> = saved.arguments.iter().map(|(name, value)| json!([name, value])).collect();
    let mut out = BTreeMap::from([
        ("matgrad".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("program".to_owned(), model.objective.source().to_owned()),
        ("dimensions".to_owned(), json!(sizes).to_string()),
        ("settings".to_owned(), Value::Object(settings).to_string()),
        ("labels".to_owned(), json!(saved.classes).to_string()),
        ("columns".to_owned(), json!(saved.columns).to_string()),
        ("preprocessing".to_owned(), saved.scaling.name().to_owned()),
        ("precision".to_owned(), model.objective.precision().name().to_owned()),
        ("options".to_owned(), Value::Array(options).to_string()),
        ("command".to_owned(), saved.command.clone()),
        ("data".to_owned(), saved.fingerprint.clone()),
        (
            "names".to_owned(),
            json!({"features": names.features, "target": names.target, "scores": names.scores}).to_string(),
        ),
    ]);
    if let Some(column) = &saved.label_column {
        out.insert("label column".to_owned(), column.clone());
    }
    if let Some(place) = saved.label_place {
        out.insert("label place".to_owned(), place.to_string());
    }
    if let Some(image) = saved.image {
        let ImageShape { rows, columns, channels, planar } = image;
        out.insert(
            "image".to_owned(),
            json!({"rows": rows, "columns": columns, "channels": channels, "planar": planar}).to_string(),
        );
    }
    out
}

/// Reads a model or a checkpoint.
pub fn load(path: &Path) -> Result<Saved, Failure> {
    Ok(read(path)?.0)
}

/// Reads a checkpoint.
pub fn load_checkpoint(path: &Path) -> Result<(Saved, State), Failure> {
    let (saved, arrays) = read(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    if find(&arrays, &format!("{OWN}place")).is_none() {
        return Err(at("it is a model and no checkpoint: a training cannot go on from it".to_owned()));
    }
    let state = state(&saved, &arrays).map_err(at)?;
    Ok((saved, state))
}

fn read(path: &Path) -> Result<(Saved, Named), Failure> {
    check_ending(path)?;
    let bytes = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let (arrays, metadata) = read_with_metadata(&bytes).map_err(at)?;
    let saved = saved(&arrays, &metadata).map_err(at)?;
    Ok((saved, arrays))
}

/// Whether a model can be written there; checked before long work.
pub fn check_ending(path: &Path) -> Result<(), Failure> {
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("safetensors") => Ok(()),
        _ => Err(Failure::wrong(format!("`{}` does not end in .safetensors, as models do", path.display()))),
    }
}

fn saved(arrays: &Named, metadata: &BTreeMap<String, String>) -> Result<Saved, String> {
    let text =
        |key: &str| metadata.get(key).ok_or_else(|| format!("it is no model of matgrad: its metadata have no `{key}`"));
    let value = |key: &str| {
        serde_json::from_str::<Value>(text(key)?).map_err(|error| format!("the metadata's `{key}` is broken: {error}"))
    };
    let strings = |key: &str| {
        let list: Option<Vec<String>> =
            value(key)?.as_array().and_then(|list| list.iter().map(|text| Some(text.as_str()?.to_owned())).collect());
        list.ok_or_else(|| format!("the metadata's `{key}` is no list of names"))
    };
    let names = value("names")?;
    let name = |key: &str| names.get(key).and_then(Value::as_str).map(str::to_owned);
    let names = Names { features: name("features"), target: name("target"), scores: name("scores") };
    let objective = Objective::derive(text("program")?, &names, Detail::None)
        .map_err(|errors| format!("its program is wrong: {}", errors.first().map_or("", |error| &error.message)))?;
    // Before there was a choice it was this.
    let precision = metadata.get("precision").map_or(Precision::Double.name(), String::as_str);
    let precision = Precision::named(precision)
        .ok_or_else(|| format!("its precision `{precision}` is unknown: there are bf16, f32 and f64"))?;
    let objective = objective.with_precision(precision);
    let own = objective.parameter_names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let rows = objective.parameter_forms();
    let mut parameters = Vec::new();
    for (name, form) in own.into_iter().zip(rows) {
        let array = find(arrays, &name).ok_or_else(|| missing(arrays, &name))?;
        parameters.push((name.clone(), matrix(&name, array, form)?));
    }
    let parameters = Parameters::new(parameters);
    let fitting = objective.sizes_of(&parameters, &sizes_of(&value("dimensions")?)?).map_err(|error| error.message)?;
    let mut settings = BTreeMap::new();
    for (name, number) in value("settings")?.as_object().into_iter().flatten() {
        let number = number.as_str().and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
        settings.insert(name.clone(), number.ok_or_else(|| format!("the metadata's `{name}` is no number"))?);
    }
    let row = |name: &str| {
        let key = format!("{OWN}{name}");
        let array = find(arrays, &key).ok_or_else(|| missing(arrays, &key))?;
        Ok::<Matrix, String>(Matrix::new(1, array.entries.len(), array.entries.clone()))
    };
    let scaling = Scaling { shift: row("shift")?, divisor: row("divisor")? };
    let right = |x: &f64| *x > 0.0 && x.is_finite();
    if scaling.shift.columns() != scaling.divisor.columns()
        || !scaling.divisor.entries().iter().all(right)
        || !scaling.shift.is_finite()
    {
        return Err("`matgrad.shift` and `matgrad.divisor` are no scaling: as many finite numbers, positive divisors"
            .to_owned());
    }
    let mut arguments = Vec::new();
    for pair in value("options")?.as_array().into_iter().flatten() {
        match (pair.get(0).and_then(Value::as_str), pair.get(1).and_then(Value::as_str)) {
            (Some(name), Some(value)) => arguments.push((name.to_owned(), value.to_owned())),
            _ => return Err("the metadata's `options` are no list of names and values".to_owned()),
        }
    }
    let image = match metadata.get("image") {
        None => None,
        Some(_) => Some(image_of(&value("image")?).ok_or("the metadata's `image` is no size")?),
    };
    Ok(Saved {
        model: Model {
            objective: Arc::new(objective),
            parameters,
            scaling,
            bindings: Bindings { sizes: fitting, settings },
        },
        scaling: ScalingKind::named(text("preprocessing")?).ok_or("the metadata's `preprocessing` is unknown")?,
        classes: strings("labels")?,
        columns: strings("columns")?,
        label_column: metadata.get("label column").cloned(),
        label_place: metadata.get("label place").and_then(|place| place.parse().ok()).filter(|&place| place > 0),
        image,
        arguments,
        command: text("command")?.clone(),
        fingerprint: text("data")?.clone(),
    })
}

fn sizes_of(value: &Value) -> Result<BTreeMap<String, usize>, String> {
    let size = |(name, size): (&String, &Value)| Some((name.clone(), usize::try_from(size.as_u64()?).ok()?));
    let sizes: Option<_> = value.as_object().and_then(|sizes| sizes.iter().map(size).collect());
    sizes.ok_or_else(|| "the metadata's `dimensions` are no numbers".to_owned())
}

fn image_of(value: &Value) -> Option<ImageShape> {
    let size = |name: &str| usize::try_from(value.get(name)?.as_u64()?).ok();
    Some(ImageShape {
        rows: size("rows")?,
        columns: size("columns")?,
        channels: size("channels")?,
        planar: value.get("planar")?.as_bool()?,
    })
}

/// An array as a matrix of a parameter: vectors and rows may have one axis, scalars none.
fn matrix(name: &str, array: &Array, is_row: bool) -> Result<Matrix, String> {
    let (rows, columns) = match array.shape[..] {
        [] => (1, 1),
        [length] if is_row => (1, length),
        [length] => (length, 1),
        [rows, columns] => (rows, columns),
        _ => return Err(format!("`{name}` is {}; it must be a matrix", shape_text(&array.shape))),
    };
    let matrix = Matrix::new(rows, columns, array.entries.clone());
    match matrix.is_finite() {
        true => Ok(matrix),
        false => Err(format!("`{name}` has entries that are not finite")),
    }
}

fn state(saved: &Saved, arrays: &Named) -> Result<State, String> {
    let part = |part: &str| {
        let named = saved.model.parameters.named().map(|(name, own)| {
            let key = format!("{OWN}{part}.{name}");
            let array = find(arrays, &key).ok_or_else(|| missing(arrays, &key))?;
            let matrix = matrix(&key, array, false)?;
            match matrix.shape() == own.shape() {
                true => Ok((name.to_owned(), matrix)),
                false => Err(format!("`{key}` has another shape than `{name}`")),
            }
        });
        named.collect::<Result<Vec<_>, String>>().map(Parameters::new)
    };
    let place = find(arrays, &format!("{OWN}place")).map(|array| array.entries.as_slice()).unwrap_or_default();
    let &[steps, best_epoch, batch, seen, right, loss_sum, learning_rate, largest_loss] = place else {
        return Err("`matgrad.place` has not its 8 numbers".to_owned());
    };
    let count = |number: f64| match number >= 0.0 && number.fract() == 0.0 && number < 2f64.powi(53) {
        true => Ok(number as usize),
        false => Err(format!("`matgrad.place` has {number} where a count must be")),
    };
    let history = find(arrays, &format!("{OWN}history")).ok_or_else(|| missing(arrays, "matgrad.history"))?;
    let known = |number: f64| (!number.is_nan()).then_some(number);
    let (epochs, rest) = history.entries.as_chunks::<EPOCH>();
    if !rest.is_empty() || count(best_epoch)? > epochs.len() {
        return Err("`matgrad.history` has not 5 numbers for each epoch".to_owned());
    }
    let epoch = |&[loss, accuracy, validation_loss, validation_accuracy, learning_rate]: &[f64; EPOCH]| Epoch {
        loss,
        accuracy: known(accuracy),
        validation_loss: known(validation_loss),
        validation_accuracy: known(validation_accuracy),
        learning_rate,
    };
    Ok(State {
        parameters: part("now")?,
        memory: Memory { first: part("first")?, second: part("second")?, steps: count(steps)? },
        best: part("best")?,
        best_epoch: count(best_epoch)?,
        history: epochs.iter().map(epoch).collect(),
        batch: count(batch)?,
        seen: count(seen)?,
        right: count(right)?,
        loss_sum,
        learning_rate,
        largest_loss: known(largest_loss),
    })
}

//! Samples for the network: arrays of a file, or the digits of the library, come in; checked samples go out. A label that
//! is not an integer from 0, or shapes that do not fit, are errors that name the array.

use std::path::Path;

use matgrad::matrix::Matrix;
use matgrad::train::{Samples, digits};

use crate::arrays::{self, Array, Named, shape_text};
use crate::failure::Failure;

/// What a training works on.
pub struct Data {
    /// Where it comes from.
    pub name: String,
    /// To train and to validate.
    pub training: Samples,
    /// To test, if any.
    pub test: Option<Samples>,
}

/// The digits of the library.
pub fn digits() -> Data {
    Data { name: digits::CREDIT.to_owned(), training: digits::training(), test: Some(digits::test()) }
}

/// `X` and `y` of a file, with `X_test` and `y_test` where they are there.
pub fn of_file(path: &Path) -> Result<Data, Failure> {
    let arrays = arrays::read(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let features = features(&arrays, "X").map_err(at)?;
    let labels = labels(&arrays, "y").map_err(at)?;
    let test = match (find(&arrays, "X_test"), find(&arrays, "y_test")) {
        (None, None) => None,
        _ => Some((self::features(&arrays, "X_test").map_err(at)?, self::labels(&arrays, "y_test").map_err(at)?)),
    };
    let largest = labels.iter().chain(test.iter().flat_map(|(_, labels)| labels)).copied().max().unwrap_or(0);
    // As many classes as samples, at most: a larger label is a slip, and would ask for that many scores.
    let classes = usize::try_from(largest + 1).unwrap_or(0).clamp(2, labels.len().max(2));
    let samples = |features, labels| Samples::new(features, labels, classes).map_err(|error| at(super::sentence(&error)));
    let training = samples(features, labels)?;
    let test = test.map(|(features, labels)| samples(features, labels)).transpose()?;
    if let Some(test) = &test
        && test.features().columns() != training.features().columns()
    {
        let (a, b) = (training.features().columns(), test.features().columns());
        return Err(at(format!("`X` has {a} columns and `X_test` {b}")));
    }
    Ok(Data { name: path.display().to_string(), training, test })
}

/// An N×D array.
pub fn features(arrays: &Named, name: &str) -> Result<Matrix, String> {
    let array = find(arrays, name).ok_or_else(|| missing(arrays, name))?;
    match array.shape[..] {
        [rows, columns] => Ok(Matrix::new(rows, columns, array.entries.clone())),
        _ => Err(format!("`{name}` is {}; it must be N×D, one row a sample", shape_text(&array.shape))),
    }
}

/// N integers, as an array of length N or N×1.
pub fn labels(arrays: &Named, name: &str) -> Result<Vec<i64>, String> {
    let array = find(arrays, name).ok_or_else(|| missing(arrays, name))?;
    if !matches!(array.shape[..], [_] | [_, 1]) {
        return Err(format!("`{name}` is {}; it must have one label for each sample", shape_text(&array.shape)));
    }
    let label = |(place, &entry): (usize, &f64)| {
        // Beyond 2^53 not every integer is a 64-bit float.
        if entry.fract() == 0.0 && entry.abs() <= 9_007_199_254_740_992.0 {
            Ok(entry as i64)
        } else {
            Err(format!("label {entry} of `{name}` at {place} is no integer from 0"))
        }
    };
    array.entries.iter().enumerate().map(label).collect()
}

/// The array of that name.
pub fn find<'a>(arrays: &'a Named, name: &str) -> Option<&'a Array> {
    arrays.iter().find(|(key, _)| key == name).map(|(_, array)| array)
}

/// What to say where an array is not there.
pub fn missing(arrays: &Named, name: &str) -> String {
    let names: Vec<String> = arrays.iter().take(8).map(|(key, _)| format!("`{}`", key.escape_debug())).collect();
    let there = if names.is_empty() { "no array".to_owned() } else { names.join(", ") };
    format!("there is no array `{name}`; the file has {there}")
}

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
    match samples(&arrays) {
        Ok((training, test)) => Ok(Data { name: path.display().to_string(), training, test }),
        Err(message) => Err(Failure::wrong(format!("`{}`: {message}", path.display()))),
    }
}

/// Training and test samples.
fn samples(arrays: &Named) -> Result<(Samples, Option<Samples>), String> {
    let training = (features(arrays, "X")?, labels(arrays, "y")?);
    let test = match (find(arrays, "X_test"), find(arrays, "y_test")) {
        (None, None) => None,
        _ => Some((features(arrays, "X_test")?, labels(arrays, "y_test")?)),
    };
    let of_test = test.iter().flat_map(|(_, labels)| labels);
    let largest = training.1.iter().chain(of_test).copied().max().unwrap_or(0);
    // As many classes as samples, at most: a larger label is a slip, and would ask for that many scores.
    let classes = usize::try_from(largest.saturating_add(1)).unwrap_or(0).clamp(2, training.1.len().max(2));
    let checked = |(features, labels)| Samples::new(features, labels, classes).map_err(|error| super::sentence(&error));
    let (training, test) = (checked(training)?, test.map(checked).transpose()?);
    if let Some(test) = &test
        && test.features().columns() != training.features().columns()
    {
        let (a, b) = (training.features().columns(), test.features().columns());
        return Err(format!("`X` has {a} columns and `X_test` {b}"));
    }
    Ok((training, test))
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

#[cfg(test)]
mod tests {
    use super::samples;
    use crate::arrays::{Array, Named};

    fn array(shape: &[usize], entries: &[f64]) -> Array {
        Array { shape: shape.to_vec(), entries: entries.to_vec() }
    }

    fn named(arrays: &[(&str, Array)]) -> Named {
        arrays.iter().map(|(name, array)| ((*name).to_owned(), array.clone())).collect()
    }

    #[test]
    fn arrays_become_samples() {
        let x = array(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let y = array(&[3, 1], &[0.0, 2.0, 1.0]);
        let (training, test) = samples(&named(&[("y", y.clone()), ("X", x.clone())])).unwrap();
        assert_eq!((training.labels(), training.classes(), training.features().at(2, 0)), (&[0, 2, 1][..], 3, 4.0));
        assert_eq!(test, None);
        let test = array(&[1, 2], &[9.0, 9.0]);
        let arrays = named(&[("X", x), ("y", y), ("X_test", test), ("y_test", array(&[1], &[1.0]))]);
        assert_eq!(samples(&arrays).unwrap().1.unwrap().labels(), [1]);
    }

    #[test]
    fn what_is_no_sample_is_told() {
        let x = array(&[2, 2], &[0.0, 1.0, 2.0, 3.0]);
        let y = array(&[2], &[0.0, 1.0]);
        let message = |x: &Array, y: &Array| samples(&named(&[("X", x.clone()), ("y", y.clone())])).unwrap_err();
        let fraction = array(&[2], &[0.0, 1.5]);
        assert_eq!(message(&x, &fraction), "label 1.5 of `y` at 1 is no integer from 0");
        assert_eq!(message(&x, &array(&[2], &[f64::NAN, 1.0])), "label NaN of `y` at 0 is no integer from 0");
        let out_of_range = "label -1 of row 0 is out of range\nhelp: labels of 2 classes are 0 to 1";
        assert_eq!(message(&x, &array(&[2], &[-1.0, 1.0])), out_of_range);
        assert!(message(&x, &array(&[2], &[0.0, 1e9])).starts_with("label 1000000000 of row 1 is out of range"));
        assert_eq!(message(&x, &array(&[1], &[0.0])), "there are 2 rows of features and 1 labels");
        assert_eq!(message(&y, &y), "`X` is of length 2; it must be N×D, one row a sample");
        assert_eq!(message(&x, &x), "`y` is 2×2; it must have one label for each sample");
        let nan = array(&[2, 2], &[0.0, 1.0, 2.0, f64::NAN]);
        assert!(message(&nan, &y).starts_with("the features have NaN in row 1, column 1\nhelp: "));
        let missing = samples(&named(&[("X", x.clone())])).unwrap_err();
        assert_eq!(missing, "there is no array `y`; the file has `X`");
        let test = array(&[1, 3], &[0.0; 3]);
        let arrays = named(&[("X", x), ("y", y), ("X_test", test), ("y_test", array(&[1], &[1.0]))]);
        assert_eq!(samples(&arrays).unwrap_err(), "`X` has 2 columns and `X_test` 3");
    }
}

//! Samples in files of arrays: `.npz` and `.safetensors` with arrays by name, and single `.npy` arrays, which are mapped and
//! read by batches.

use std::path::Path;

use matgrad::matrix::Matrix;
use matgrad::train::{ImageShape, Rows};

use super::stored::Stored;
use super::{Raw, RawTargets, Wanted, opened, shape_of_images, whole_numbers};
use crate::arrays::{self, Array, Named, npy, shape_text};
use crate::failure::Failure;

/// The training part of a file of arrays, and its test part if there is one.
///
/// # Errors
/// Arrays that are missing or whose shapes do not fit.
pub fn named(path: &Path, wanted: &Wanted<'_>) -> Result<(Raw, Option<Raw>), Failure> {
    let arrays = arrays::read(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let training = part(&arrays, "", wanted).map_err(at)?;
    let feature_names = names(wanted.features, &["X", "x"], "_test");
    let has_test = feature_names.iter().any(|name| find(&arrays, name).is_some());
    let test = match has_test {
        true => Some(part(&arrays, "_test", wanted).map_err(at)?),
        false => None,
    };
    Ok((training, test))
}

/// The names an array may have: the program's, then the usual ones, and those that Keras writes.
fn names(own: &str, usual: &[&str], part: &str) -> Vec<String> {
    let mut out = vec![format!("{own}{part}")];
    out.extend(usual.iter().map(|name| format!("{name}{part}")));
    if part.is_empty() {
        out.extend(usual.iter().map(|name| format!("{}_train", name.to_lowercase())));
    }
    out
}

fn part(arrays: &Named, suffix: &str, wanted: &Wanted<'_>) -> Result<Raw, String> {
    let choices = names(wanted.features, &["X", "x"], suffix);
    let features = choices.iter().find_map(|name| find(arrays, name).map(|array| (name, array)));
    let (name, array) = features.ok_or_else(|| missing(arrays, &choices[0]))?;
    let (matrix, image) = rows_of(name, array)?;
    let choices = names(wanted.target.map_or("y", |target| target.name), &["y", "Y"], suffix);
    let target = choices.iter().find_map(|name| find(arrays, name).map(|array| (name, array)));
    let targets = match (wanted.target, target) {
        (None, _) => RawTargets::None,
        (Some(target), None) if target.required => return Err(missing(arrays, &choices[0])),
        (Some(_), None) => RawTargets::None,
        (Some(target), Some((name, array))) if target.labels => RawTargets::Whole(labels(&format!("`{name}`"), array)?),
        (Some(_), Some((name, array))) => RawTargets::Numbers(rows_of(name, array)?.0),
    };
    let mut beside = Vec::new();
    for name in &wanted.beside {
        let key = format!("{name}{suffix}");
        let array = find(arrays, &key).ok_or_else(|| missing(arrays, &key))?;
        beside.push(((*name).to_owned(), rows_of(&key, array)?.0));
    }
    Ok(Raw { rows: std::sync::Arc::new(matrix), targets, beside, image, ..Raw::default() })
}

/// One row a sample; what has more axes is flattened.
fn rows_of(name: &str, array: &Array) -> Result<(Matrix, Option<ImageShape>), String> {
    match array.shape.as_slice() {
        [] => Err(format!("`{name}` is 0-d; it must have one row a sample")),
        [count, rest @ ..] => {
            let columns: usize = rest.iter().product();
            Ok((Matrix::new(*count, columns, array.entries.clone()), shape_of_images(rest)))
        }
    }
}

/// N integers, as an array of length N or N×1.
fn labels(name: &str, array: &Array) -> Result<Vec<i64>, String> {
    if !matches!(array.shape[..], [_] | [_, 1]) {
        return Err(format!("{name} is {}; it must have one label for each sample", shape_text(&array.shape)));
    }
    whole_numbers(&array.entries, name)
}

/// The rows of a `.npy` array, mapped.
///
/// # Errors
/// What is wrong with the file.
pub fn single(path: &Path) -> Result<(std::sync::Arc<dyn Rows>, Option<ImageShape>), Failure> {
    let bytes = opened(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let (layout, start) = npy::layout(&bytes[..]).map_err(at)?;
    let [count, rest @ ..] = layout.shape.as_slice() else {
        return Err(at("it is 0-d; it must have one row a sample".to_owned()));
    };
    let columns = rest.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
    let columns = columns.ok_or_else(|| at(format!("the shape {:?} is too large", layout.shape)))?;
    let image = shape_of_images(rest);
    if layout.columns_first && !rest.is_empty() {
        // The numbers of a row are far apart: this one is turned in memory.
        let (array, _) = npy::read(&bytes[..]).map_err(at)?;
        return Ok((std::sync::Arc::new(Matrix::new(*count, columns, array.entries)), image));
    }
    let stored = Stored::new(bytes, start, (layout.element, layout.order), (*count, columns)).map_err(at)?;
    Ok((std::sync::Arc::new(stored), image))
}

/// What is to be told of samples, as a `.npy` array.
///
/// # Errors
/// What is wrong with the file; labels that are no integers.
pub fn targets(path: &Path, labels_wanted: bool) -> Result<RawTargets, Failure> {
    let bytes = opened(path)?;
    let at = |message: String| Failure::wrong(format!("`{}`: {message}", path.display()));
    let (array, _) = npy::read(&bytes[..]).map_err(at)?;
    match labels_wanted {
        true => labels("the array", &array).map(RawTargets::Whole).map_err(at),
        false => rows_of("the array", &array).map(|(matrix, _)| RawTargets::Numbers(matrix)).map_err(at),
    }
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
    use super::{Raw, RawTargets, Wanted, part};
    use crate::arrays::{Array, Named};
    use crate::data::WantedTarget;

    fn array(shape: &[usize], entries: &[f64]) -> Array {
        Array { shape: shape.to_vec(), entries: entries.to_vec() }
    }

    fn read(arrays: &[(&str, &Array)], suffix: &str) -> Result<Raw, String> {
        let arrays: Named = arrays.iter().map(|(name, array)| ((*name).to_owned(), (*array).clone())).collect();
        let target = WantedTarget { name: "Y", labels: true, required: true };
        part(&arrays, suffix, &Wanted { features: "X", target: Some(target), ..Wanted::default() })
    }

    #[test]
    fn arrays_become_rows_and_labels() {
        let x = array(&[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let y = array(&[3, 1], &[0.0, 2.0, 1.0]);
        let raw = read(&[("y", &y), ("X", &x)], "").unwrap();
        assert!(matches!(&raw.targets, RawTargets::Whole(labels) if labels == &[0, 2, 1]));
        assert_eq!((raw.rows.count(), raw.rows.columns(), raw.image), (3, 2, None));
        // As Keras writes MNIST.
        let images = array(&[1, 2, 3], &[9.0; 6]);
        let raw = read(&[("x_test", &images), ("y_test", &array(&[1], &[1.0]))], "_test").unwrap();
        assert_eq!((raw.rows.columns(), raw.image.map(|image| (image.rows, image.columns))), (6, Some((2, 3))));
    }

    #[test]
    fn what_is_no_sample_is_told() {
        let x = array(&[2, 2], &[0.0, 1.0, 2.0, 3.0]);
        let message = |y: &Array| read(&[("X", &x), ("y", y)], "").map(drop).unwrap_err();
        let fraction = message(&array(&[2], &[0.0, 1.5]));
        assert_eq!(fraction, "label 1.5 of `y` at 1 is no integer");
        assert_eq!(message(&array(&[2], &[f64::NAN, 1.0])), "label NaN of `y` at 0 is no integer");
        assert_eq!(message(&x), "`y` is 2×2; it must have one label for each sample");
        assert_eq!(read(&[("X", &x)], "").map(drop).unwrap_err(), "there is no array `Y`; the file has `X`");
        assert_eq!(
            read(&[("X", &array(&[], &[1.0]))], "").map(drop).unwrap_err(),
            "`X` is 0-d; it must have one row a sample"
        );
    }
}

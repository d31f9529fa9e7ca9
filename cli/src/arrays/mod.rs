//! Arrays with names, in files: `.npz` of NumPy and `.safetensors`. What comes in is any file at all; what goes out is
//! arrays of 64-bit floats in row-major order, or a message that tells what is wrong and where. Nothing is guessed: a
//! number that a 64-bit float cannot hold is an error.

mod element;
pub mod npy;
mod npz;
mod safetensors;

pub use element::{Element, Order};

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use matgrad::plan::Precision;

use crate::failure::Failure;
use crate::output::write_whole;

/// An array of any number of axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The length of each axis; none for a scalar.
    pub shape: Vec<usize>,
    /// The entries, the last axis fastest.
    pub entries: Vec<f64>,
}

/// Arrays by name, in the order of the file.
pub type Named = Vec<(String, Array)>;

/// Arrays by name, each to be written in a precision.
pub type Written = Vec<(String, Array, Precision)>;

/// An array as it stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub array: Array,
    /// The rounding of the type it is stored in: the distance from 1 to the next number.
    pub rounding: f64,
}

/// Which kind of file a path's ending tells.
enum Kind {
    Npz,
    Safetensors,
}

/// All arrays of a file.
pub fn read(path: &Path) -> Result<Named, Failure> {
    Ok(read_stored(path)?.into_iter().map(|stored| (stored.name, stored.array)).collect())
}

/// All arrays of a file, with what is known of how they were stored.
pub fn read_stored(path: &Path) -> Result<Vec<Stored>, Failure> {
    let kind = kind_of(path)?;
    let bytes = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let read = match kind {
        Kind::Npz => npz::read(&bytes),
        Kind::Safetensors => safetensors::read(&bytes),
    };
    read.map_err(|message| Failure::wrong(format!("`{}`: {message}", path.display())))
}

/// Writes arrays to a file, whole or not at all.
pub fn write(path: &Path, arrays: &[(String, Array)]) -> Result<(), Failure> {
    let bytes = match kind_of(path)? {
        Kind::Npz => npz::write(arrays),
        Kind::Safetensors => safetensors::write(arrays),
    };
    match bytes {
        Ok(bytes) => write_whole(path, &bytes),
        Err(message) => Err(Failure::wrong(format!("`{}`: {message}", path.display()))),
    }
}

/// Writes arrays with texts beside them to a `.safetensors` file, whole or not at all. The same arrays and texts give the same
/// bytes.
pub fn write_with_metadata(
    path: &Path,
    arrays: &[(String, Array, Precision)],
    metadata: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    write_whole(path, &safetensors::write_with_metadata(arrays, metadata))
}

/// The arrays and texts of a `.safetensors` file.
///
/// # Errors
/// A message that tells what is wrong.
pub fn read_with_metadata(bytes: &[u8]) -> Result<(Named, BTreeMap<String, String>), String> {
    let arrays = safetensors::read(bytes)?.into_iter().map(|stored| (stored.name, stored.array)).collect();
    Ok((arrays, safetensors::metadata(bytes)?))
}

/// Whether a file's ending is one that arrays are written with; checked before long work.
pub fn check_ending(path: &Path) -> Result<(), Failure> {
    kind_of(path).map(|_| ())
}

fn kind_of(path: &Path) -> Result<Kind, Failure> {
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("npz") => Ok(Kind::Npz),
        Some("safetensors") => Ok(Kind::Safetensors),
        _ => Err(Failure::wrong(format!("`{}` ends in neither .npz nor .safetensors", path.display()))),
    }
}

/// The number of entries of a shape; `None` where it leaves the machine's range.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis))
}

/// `3×4`, or `0-d`.
pub fn shape_text(shape: &[usize]) -> String {
    match shape {
        [] => "0-d".to_owned(),
        [n] => format!("of length {n}"),
        _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}

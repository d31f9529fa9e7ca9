//! The binary form of CIFAR-10 (<https://www.cs.toronto.edu/~kriz/cifar.html>): each sample is a label in one byte, then
//! 3072 bytes, the red, green and blue planes of 32×32 pixels.

use std::fs;
use std::path::{Path, PathBuf};

use matgrad::train::ImageShape;

use super::opened;
use super::stored::Stored;
use crate::failure::Failure;

const PIXELS: usize = 3072;
const SAMPLE: usize = PIXELS + 1;

/// What the features are.
pub const IMAGE: ImageShape = ImageShape { rows: 32, columns: 32, channels: 3, planar: true };

/// How many batches to train on there are in the whole data set.
const TRAINING: usize = 5;

/// The batches of a folder.
pub struct Batches {
    /// To train, in order; the batch to test where there is no other.
    pub training: Vec<PathBuf>,
    /// To test, if it is there.
    pub test: Option<PathBuf>,
    /// The names of the classes, if they are there.
    pub names: Vec<String>,
    /// Which batches are not there, in a sentence.
    pub missing: Option<String>,
}

/// Finds `data_batch_1.bin` … and `test_batch.bin`, in the folder or in its `cifar-10-batches-bin`.
///
/// # Errors
/// Names of the classes that cannot be read.
pub fn batches(folder: &Path) -> Result<Option<Batches>, Failure> {
    for folder in [folder.to_owned(), folder.join("cifar-10-batches-bin")] {
        let batch = |name: &str| {
            let names = [format!("{name}.bin"), format!("{name}.bin.gz")];
            names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
        };
        let names: Vec<String> = (1..=TRAINING).map(|i| format!("data_batch_{i}")).collect();
        let training: Vec<PathBuf> = names.iter().filter_map(|name| batch(name)).collect();
        let (training, test) = match (training.is_empty(), batch("test_batch")) {
            (true, None) => continue,
            (true, Some(test)) => (vec![test], None),
            (false, test) => (training, test),
        };
        let missing: Vec<&str> = names.iter().filter(|name| batch(name).is_none()).map(String::as_str).collect();
        let missing = match missing.len() {
            0 => None,
            TRAINING => Some("there is no batch to train on; the test batch is taken as any other".to_owned()),
            1 => Some(format!("one of the {TRAINING} training batches is missing: {}", missing[0])),
            count => Some(format!("{count} of the {TRAINING} training batches are missing: {}", missing.join(", "))),
        };
        let names = folder.join("batches.meta.txt");
        let names = match names.is_file() {
            true => fs::read_to_string(&names).map_err(|error| Failure::file("read", &names, &error))?,
            false => String::new(),
        };
        let names = names.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        return Ok(Some(Batches { training, test, names, missing }));
    }
    Ok(None)
}

/// Images and labels of some batches, one after another.
///
/// # Errors
/// A file that is empty or no whole number of samples, a label beyond 9.
pub fn read(paths: &[PathBuf]) -> Result<(Stored, Vec<i64>), Failure> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for path in paths {
        let bytes = opened(path)?;
        let wrong = |message: String| Err(Failure::wrong(format!("`{}`: {message}", path.display())));
        let (samples, rest) = bytes.as_chunks::<SAMPLE>();
        if bytes.is_empty() {
            return wrong("it is empty".to_owned());
        }
        if !rest.is_empty() {
            let (whole, rest) = (samples.len(), rest.len());
            return wrong(format!("it is cut short: after {whole} samples of {SAMPLE} bytes there are {rest} bytes"));
        }
        for (place, sample) in samples.iter().enumerate() {
            if sample[0] > 9 {
                return wrong(format!("the label of sample {place} is {}; CIFAR-10 has 0 to 9", sample[0]));
            }
            labels.push(i64::from(sample[0]));
            pixels.extend_from_slice(&sample[1..]);
        }
    }
    Ok((Stored::of_bytes(pixels, PIXELS), labels))
}

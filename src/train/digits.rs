//! The embedded data set of handwritten digits: compressed bytes come in, [`Samples`] go out. The library carries it, and
//! not a door, since every door offers it and a package holds only files under its own root. No file is read.
//!
//! "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998, UCI Machine Learning Repository, data set
//! 80, CC BY 4.0; see `data/README.md`.

use std::io::Read;

use flate2::read::GzDecoder;

use super::Samples;
use crate::matrix::Matrix;

/// Who made the data, in one line.
pub const CREDIT: &str = "Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak, 1998; UCI 80; CC BY 4.0)";
/// Rows and columns of an image; each pixel is 0 … 16.
pub const SIDE: usize = 8;
/// The digits 0 … 9.
pub const CLASSES: usize = 10;

/// The 3823 training samples: 64 pixels each, row by row, 0 … 16.
pub fn training() -> Samples {
    decode(include_bytes!("../../data/optdigits-train.bin.gz"))
}

/// The 1797 test samples, by writers of whom no training sample is.
pub fn test() -> Samples {
    decode(include_bytes!("../../data/optdigits-test.bin.gz"))
}

/// Samples of 65 bytes, pixels then label. The bytes are part of the program, so a fault in them is a bug.
fn decode(compressed: &[u8]) -> Samples {
    const PIXELS: usize = SIDE * SIDE;
    let mut bytes = Vec::new();
    GzDecoder::new(compressed).read_to_end(&mut bytes).expect("the embedded data are a gzip file");
    let (rows, rest) = bytes.as_chunks::<{ PIXELS + 1 }>();
    assert!(rest.is_empty(), "the embedded data are whole samples");
    let pixels = Matrix::from_fn(rows.len(), PIXELS, |i, j| f64::from(rows[i][j]));
    let labels = rows.iter().map(|row| i64::from(row[PIXELS])).collect();
    Samples::new(pixels, labels, CLASSES).expect("the embedded labels are digits")
}

#[cfg(test)]
mod tests {
    use super::{test, training};

    #[test]
    fn the_embedded_digits_are_complete() {
        for (samples, count, zeros) in [(training(), 3823, 376), (test(), 1797, 178)] {
            assert_eq!((samples.len(), samples.features().columns()), (count, 64));
            assert!(samples.features().entries().iter().all(|&pixel| (0.0..=16.0).contains(&pixel)));
            assert_eq!(samples.labels().iter().filter(|&&label| label == 0).count(), zeros);
        }
    }
}

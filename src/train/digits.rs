//! The embedded data set of handwritten digits: compressed bytes come in, [`Samples`] go out. The library carries it, and
//! not a door, since every door offers it and a package holds only files under its own root. No file is read.
//!
//! "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998, UCI Machine Learning Repository, data set
//! 80, CC BY 4.0; see `data/README.md`.

use flate2::{Decompress, FlushDecompress, Status};

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
fn decode(gzip: &[u8]) -> Samples {
    const PIXELS: usize = SIDE * SIDE;
    // A gzip file without options (RFC 1952): ten bytes, the compressed data, a checksum, and the size in four bytes.
    let (head, rest) = gzip.split_at(10);
    assert_eq!(head[..4], [0x1f, 0x8b, 8, 0], "the embedded data are a gzip file with no name in it");
    let (compressed, size) = rest.split_last_chunk::<4>().expect("the embedded data end with their size");
    let mut bytes = Vec::with_capacity(u32::from_le_bytes(*size) as usize);
    let end = Decompress::new(false).decompress_vec(compressed, &mut bytes, FlushDecompress::Finish);
    assert_eq!(end.expect("the embedded data can be decompressed"), Status::StreamEnd);
    let (rows, rest) = bytes.as_chunks::<{ PIXELS + 1 }>();
    assert!(rest.is_empty(), "the embedded data are whole samples");
    let pixels = Matrix::from_fn(rows.len(), PIXELS, |i, j| f64::from(rows[i][j]));
    let labels: Vec<i64> = rows.iter().map(|row| i64::from(row[PIXELS])).collect();
    Samples::new(pixels, &labels, CLASSES).expect("the embedded labels are digits")
}

#[cfg(test)]
mod tests {
    use super::{test, training};

    #[test]
    fn the_embedded_digits_are_complete() {
        for (samples, count, zeros, ink) in [(training(), 3823, 376, 1_204_758.0), (test(), 1797, 178, 561_718.0)] {
            let features = samples.features();
            assert_eq!((samples.len(), samples.columns()), (count, 64));
            assert!(features.entries().iter().all(|&pixel| (0.0..=16.0).contains(&pixel)));
            assert_eq!(features.sum(), ink);
            assert_eq!(samples.labels().iter().filter(|&&label| label == 0).count(), zeros);
        }
    }
}

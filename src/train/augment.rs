//! Samples changed at random while training: features of images come in, the same images moved by some pixels and with
//! noise go out. The chance of each step is fixed by the seed and the number of the step.

use super::random::{Purpose, Random};
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// Rows, columns and channels of an image whose pixels are the features, row by row, the channels of a pixel together or
/// plane by plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub rows: usize,
    /// Columns of pixels.
    pub columns: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Whether the channels come one after another as whole planes, and not together at each pixel.
    pub planar: bool,
}

impl ImageShape {
    /// The place among the features.
    pub fn place(&self, row: usize, column: usize, channel: usize) -> usize {
        match self.planar {
            true => (channel * self.rows + row) * self.columns + column,
            false => (row * self.columns + column) * self.channels + channel,
        }
    }

    /// How many features an image has.
    pub fn size(&self) -> usize {
        self.rows * self.columns * self.channels
    }
}

/// How samples are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augmentation {
    /// Images are moved by up to that many pixels in both directions, by parts of pixels too (bilinear); the pixels of the
    /// border are repeated.
    pub shift: f64,
    /// Standard deviation of noise that is added to scaled features (uniform).
    pub jitter: f64,
    /// What the features are, where they are images.
    pub image: Option<ImageShape>,
}

/// The chance of one step.
pub struct Chance(Random);

impl Chance {
    /// That of a step, from 0.
    pub(super) fn of(seed: u64, step: usize) -> Chance {
        Chance(Random::new(seed, Purpose::Augmentation { step }))
    }
}

impl Augmentation {
    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        self.shift == 0.0 && self.jitter == 0.0
    }

    /// Whether it can be done to samples of so many features.
    ///
    /// # Errors
    /// A shift of what is no image, or is smaller than the shift.
    pub fn check(&self, columns: usize) -> Result<(), Diagnostic> {
        if self.shift == 0.0 {
            return Ok(());
        }
        match self.image {
            None => Err(Diagnostic::whole("the features are no images that could be moved")
                .hint("tell their size, as 28x28, or leave the shift out")),
            Some(image) if image.size() != columns => Err(Diagnostic::whole(format!(
                "images of {}×{} pixels have {} numbers, but there are {columns} features",
                image.rows,
                image.columns,
                image.size()
            ))),
            Some(image) if self.shift >= image.rows.min(image.columns) as f64 => {
                Err(Diagnostic::whole(format!("a shift by {} pixels leaves nothing of the image", self.shift)))
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn shift(&self, features: &mut Matrix, chance: &mut Chance) {
        let Some(image) = self.image.filter(|_| self.shift > 0.0) else { return };
        let mut moved = vec![0.0; image.size()];
        for entries in features.entries_mut().chunks_exact_mut(image.size()) {
            let (down, right) = (self.shift * chance.0.uniform(), self.shift * chance.0.uniform());
            for row in 0..image.rows {
                let (above, below, low) = between(row as f64 + down, image.rows);
                for column in 0..image.columns {
                    let (left, next, far) = between(column as f64 + right, image.columns);
                    for channel in 0..image.channels {
                        let at = |row, column| entries[image.place(row, column, channel)];
                        let upper = at(above, left) + far * (at(above, next) - at(above, left));
                        let lower = at(below, left) + far * (at(below, next) - at(below, left));
                        moved[image.place(row, column, channel)] = upper + low * (lower - upper);
                    }
                }
            }
            entries.copy_from_slice(&moved);
        }
    }

    pub(super) fn jitter(&self, features: &mut Matrix, chance: &mut Chance) {
        if self.jitter > 0.0 {
            // A uniform number in -a … a has standard deviation a/√3.
            let largest = self.jitter * 3.0f64.sqrt();
            features.entries_mut().iter_mut().for_each(|entry| *entry += largest * chance.0.uniform());
        }
    }
}

/// The two pixels that a place lies between, and how far it is on the way from the first to the second.
fn between(place: f64, length: usize) -> (usize, usize, f64) {
    let place = place.clamp(0.0, (length - 1) as f64);
    let first = place.floor() as usize;
    (first, (first + 1).min(length - 1), place - place.floor())
}

#[cfg(test)]
mod tests {
    use super::{Augmentation, Chance, ImageShape};
    use crate::matrix::Matrix;

    #[test]
    fn images_are_moved_whole_and_the_border_is_repeated() {
        // A slope moves to itself plus a constant, away from the border.
        let image = ImageShape { rows: 6, columns: 7, channels: 2, planar: false };
        let augmentation = Augmentation { shift: 1.5, image: Some(image), ..Augmentation::default() };
        augmentation.check(84).unwrap();
        let mut original = Matrix::zeros(1, 84);
        for (row, column) in (0..6).flat_map(|row| (0..7).map(move |column| (row, column))) {
            original.set(0, image.place(row, column, 0), 10.0 * row as f64);
            original.set(0, image.place(row, column, 1), column as f64);
        }
        let mut least = [f64::INFINITY; 2];
        let mut most = [f64::NEG_INFINITY; 2];
        for step in 0..200 {
            let mut moved = original.clone();
            augmentation.shift(&mut moved, &mut Chance::of(1, step));
            let by = |row, column, channel| {
                moved.at(0, image.place(row, column, channel)) - original.at(0, image.place(row, column, channel))
            };
            let moves = [by(2, 2, 0) / 10.0, by(2, 2, 1)];
            for (row, column) in [(2, 3), (3, 4), (2, 4), (3, 2)] {
                assert!((by(row, column, 0) / 10.0 - moves[0]).abs() < 1e-12);
                assert!((by(row, column, 1) - moves[1]).abs() < 1e-12);
            }
            // Nothing comes from outside.
            assert!(by(0, 0, 0) >= 0.0 && by(5, 0, 0) <= 0.0 && by(0, 6, 1) <= 0.0);
            for axis in 0..2 {
                least[axis] = moves[axis].min(least[axis]);
                most[axis] = moves[axis].max(most[axis]);
            }
        }
        assert!(least.iter().all(|least| (-1.5..-1.4).contains(least)), "{least:?}");
        assert!(most.iter().all(|most| (1.4..1.5).contains(most)), "{most:?}");
    }

    #[test]
    fn noise_has_its_size_and_no_mean() {
        let augmentation = Augmentation { jitter: 0.3, ..Augmentation::default() };
        let mut features = Matrix::zeros(100, 50);
        augmentation.jitter(&mut features, &mut Chance::of(3, 7));
        let mean = features.sum() / 5000.0;
        let square = features.entries().iter().map(|x| x * x).sum::<f64>() / 5000.0;
        assert!(mean.abs() < 0.02 && (square.sqrt() - 0.3).abs() < 0.01, "{mean} {square}");
    }

    #[test]
    fn what_is_no_image_cannot_be_moved() {
        let wrong = Augmentation { shift: 1.0, ..Augmentation::default() };
        assert_eq!(wrong.check(64).unwrap_err().message, "the features are no images that could be moved");
        let image = ImageShape { rows: 8, columns: 8, channels: 1, planar: false };
        let wrong = Augmentation { image: Some(image), ..wrong };
        let message = "images of 8×8 pixels have 64 numbers, but there are 60 features";
        assert_eq!(wrong.check(60).unwrap_err().message, message);
        let wrong = Augmentation { shift: 8.0, ..wrong };
        assert_eq!(wrong.check(64).unwrap_err().message, "a shift by 8 pixels leaves nothing of the image");
    }
}

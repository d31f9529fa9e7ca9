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
    /// Images are moved by up to that many pixels in both directions; the pixels of the border are repeated.
    pub shift: usize,
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
        self.shift == 0 && self.jitter == 0.0
    }

    /// Whether it can be done to samples of so many features.
    ///
    /// # Errors
    /// A shift of what is no image, or is smaller than the shift.
    pub fn check(&self, columns: usize) -> Result<(), Diagnostic> {
        if self.shift == 0 {
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
            Some(image) if self.shift >= image.rows.min(image.columns) => {
                Err(Diagnostic::whole(format!("a shift by {} pixels leaves nothing of the image", self.shift)))
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn shift(&self, features: &mut Matrix, chance: &mut Chance) {
        let Some(image) = self.image.filter(|_| self.shift > 0) else { return };
        let mut moved = vec![0.0; image.size()];
        let steps = 2 * self.shift + 1;
        let source = |place: usize, by: usize, length: usize| (place + by).saturating_sub(self.shift).min(length - 1);
        for entries in features.entries_mut().chunks_exact_mut(image.size()) {
            let (down, right) = (chance.0.below(steps), chance.0.below(steps));
            for row in 0..image.rows {
                for column in 0..image.columns {
                    let from = (source(row, down, image.rows), source(column, right, image.columns));
                    for channel in 0..image.channels {
                        moved[image.place(row, column, channel)] = entries[image.place(from.0, from.1, channel)];
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

#[cfg(test)]
mod tests {
    use super::{Augmentation, Chance, ImageShape};
    use crate::matrix::Matrix;

    #[test]
    fn images_are_moved_whole_and_the_border_is_repeated() {
        let image = ImageShape { rows: 3, columns: 4, channels: 2, planar: false };
        let augmentation = Augmentation { shift: 1, image: Some(image), ..Augmentation::default() };
        augmentation.check(24).unwrap();
        let original = Matrix::from_fn(1, 24, |_, j| j as f64);
        let mut seen = std::collections::BTreeSet::new();
        for step in 0..60 {
            let mut moved = original.clone();
            augmentation.shift(&mut moved, &mut Chance::of(1, step));
            let first = moved.at(0, image.place(1, 1, 0)) as usize / 2;
            let (down, right) = (first / 4, first % 4);
            seen.insert((down, right));
            for (row, column, channel) in [(0, 0, 0), (2, 3, 1), (0, 3, 1), (1, 2, 0)] {
                let at = |place: usize, from: usize, last: usize| (place + from).saturating_sub(1).min(last);
                let expected = image.place(at(row, down, 2), at(column, right, 3), channel) as f64;
                assert_eq!(moved.at(0, image.place(row, column, channel)), expected);
            }
        }
        assert_eq!(seen.len(), 9, "every move is taken: {seen:?}");
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
        let wrong = Augmentation { shift: 1, ..Augmentation::default() };
        assert_eq!(wrong.check(64).unwrap_err().message, "the features are no images that could be moved");
        let image = ImageShape { rows: 8, columns: 8, channels: 1, planar: false };
        let wrong = Augmentation { image: Some(image), ..wrong };
        let message = "images of 8×8 pixels have 64 numbers, but there are 60 features";
        assert_eq!(wrong.check(60).unwrap_err().message, message);
        let wrong = Augmentation { shift: 8, ..wrong };
        assert_eq!(wrong.check(64).unwrap_err().message, "a shift by 8 pixels leaves nothing of the image");
    }
}

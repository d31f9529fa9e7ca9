//! Samples: rows of features with what is to be told of each. Numbers and labels come in; checked samples and batches of
//! them go out. A wrong label or a number that is not finite is an error and never reaches a program.

use std::sync::Arc;

use super::random::{Purpose, Random};
use super::rows::{BLOCK, Rows};
use super::{Augmentation, Scaling};
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// What is to be told of samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Nothing: there are only features.
    None,
    /// A class for each.
    Labels {
        /// N integers, each below `classes`.
        labels: Vec<u32>,
        /// How many classes there are, at least 2.
        classes: usize,
    },
    /// Numbers for each.
    Values(Matrix),
}

/// N samples, of D features each. A selection of samples shares the numbers with the whole.
#[derive(Clone, Debug)]
pub struct Samples {
    rows: Arc<dyn Rows>,
    targets: Arc<Targets>,
    /// Other arrays with a row for each sample, by name.
    beside: Arc<Vec<(String, Matrix)>>,
    places: Arc<Vec<usize>>,
}

/// Some samples as a program takes them.
#[derive(Clone, Debug)]
pub struct Batch {
    /// n×D.
    pub features: Matrix,
    /// What is to be told of them.
    pub targets: Targets,
    /// The other arrays' rows, by name.
    pub beside: Vec<(String, Matrix)>,
}

impl Samples {
    /// Samples with labels: `features` is N×D, one row a sample; `labels` has N integers from 0 to `classes` - 1.
    ///
    /// # Errors
    /// As [`Samples::of`]; a label out of range.
    pub fn new(features: Matrix, labels: &[i64], classes: usize) -> Result<Samples, Diagnostic> {
        let rows = features.rows();
        if labels.len() != rows {
            return Err(Diagnostic::whole(format!("there are {rows} rows of features and {} labels", labels.len())));
        }
        let labels = checked_labels(labels, classes)?;
        Samples::of(Arc::new(features), Targets::Labels { labels, classes }, Vec::new())
    }

    /// Samples of rows from anywhere, with `beside` them other arrays that have a row for each.
    ///
    /// # Errors
    /// Another number of targets than of rows, no sample or no feature, fewer than two classes, a label out of range, a
    /// number that is not finite.
    pub fn of(rows: Arc<dyn Rows>, targets: Targets, beside: Vec<(String, Matrix)>) -> Result<Samples, Diagnostic> {
        let (count, columns) = (rows.count(), rows.columns());
        if count == 0 || columns == 0 {
            let message = format!("the features are {count}×{columns}: there is nothing to learn from");
            return Err(Diagnostic::whole(message));
        }
        let unequal =
            |number, what| Err(Diagnostic::whole(format!("there are {count} rows of features and {number} {what}")));
        match &targets {
            Targets::None => {}
            Targets::Labels { labels, classes } => {
                if labels.len() != count {
                    return unequal(labels.len(), "labels");
                }
                if *classes < 2 {
                    return Err(Diagnostic::whole(format!("{classes} classes are too few: two are needed at least")));
                }
                check_labels(labels, *classes)?;
            }
            Targets::Values(values) => {
                if values.rows() != count {
                    return unequal(values.rows(), "rows of targets");
                }
                check_finite(values, "targets")?;
            }
        }
        for (name, matrix) in &beside {
            if matrix.rows() != count {
                return unequal(matrix.rows(), &format!("rows of `{name}`"));
            }
            check_finite(matrix, &format!("entries of `{name}`"))?;
        }
        let places = Arc::new((0..count).collect::<Vec<_>>());
        let samples = Samples { rows, targets: Arc::new(targets), beside: Arc::new(beside), places };
        samples.each_block(&mut |first, features| check_finite_from(features, "features", first))?;
        Ok(samples)
    }

    /// N.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Never of whole samples; a selection may have none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// D.
    pub fn columns(&self) -> usize {
        self.rows.columns()
    }

    /// The features, N×D, copied.
    pub fn features(&self) -> Matrix {
        self.features_at(&(0..self.len()).collect::<Vec<_>>())
    }

    /// The features of the samples at these places, copied.
    pub fn features_at(&self, places: &[usize]) -> Matrix {
        let within: Vec<usize> = places.iter().map(|&place| self.places[place]).collect();
        let mut features = Matrix::zeros(within.len(), self.columns());
        self.rows.read(&within, features.entries_mut());
        features
    }

    /// How many classes there are; `None` where there are no labels.
    pub fn classes(&self) -> Option<usize> {
        match &*self.targets {
            Targets::Labels { classes, .. } => Some(*classes),
            _ => None,
        }
    }

    /// The labels in order; none where there are none.
    pub fn labels(&self) -> Vec<u32> {
        match &*self.targets {
            Targets::Labels { labels, .. } => self.places.iter().map(|&place| labels[place]).collect(),
            _ => Vec::new(),
        }
    }

    /// The targets in order.
    pub fn targets(&self) -> Targets {
        self.targets_at(&(0..self.len()).collect::<Vec<_>>())
    }

    /// Columns of the targets: classes, or numbers for each; `None` where there are none.
    pub fn target_columns(&self) -> Option<usize> {
        match &*self.targets {
            Targets::None => None,
            Targets::Labels { classes, .. } => Some(*classes),
            Targets::Values(values) => Some(values.columns()),
        }
    }

    /// The names and columns of the other arrays.
    pub fn beside(&self) -> Vec<(&str, usize)> {
        self.beside.iter().map(|(name, matrix)| (name.as_str(), matrix.columns())).collect()
    }

    /// The other arrays whole, also where these samples are a selection.
    pub(super) fn beside_arrays(&self) -> impl Iterator<Item = (&str, &Matrix)> {
        self.beside.iter().map(|(name, matrix)| (name.as_str(), matrix))
    }

    /// The samples at these places, in this order.
    ///
    /// # Panics
    /// If a place is not below [`Samples::len`].
    pub fn select(&self, places: &[usize]) -> Samples {
        let places = Arc::new(places.iter().map(|&place| self.places[place]).collect());
        Samples { places, ..self.clone() }
    }

    /// The first `count` samples, or all where there are fewer.
    pub fn first(&self, count: usize) -> Samples {
        let places: Vec<usize> = (0..count.min(self.len())).collect();
        self.select(&places)
    }

    /// What is left and what is kept out, by random places. `part` is from 0 to below 1.
    ///
    /// # Errors
    /// Where none would be left.
    pub fn split(&self, part: f64, seed: u64) -> Result<(Samples, Option<Samples>), Diagnostic> {
        let count = (self.len() as f64 * part).round() as usize;
        if count >= self.len() {
            return Err(Diagnostic::whole(format!(
                "of {} samples, {count} are kept out to validate and none is left to train",
                self.len()
            ))
            .hint("take a smaller validation part"));
        }
        let mut places: Vec<usize> = (0..self.len()).collect();
        Random::new(seed, Purpose::Split).shuffle(&mut places);
        let (kept_out, rest) = places.split_at(count);
        Ok((self.select(rest), (count > 0).then(|| self.select(kept_out))))
    }

    /// The samples at these places as a program takes them, changed at random where that is asked for, then scaled.
    ///
    /// # Errors
    /// As [`Scaling::apply`].
    pub(super) fn batch(
        &self,
        places: &[usize],
        scaling: &Scaling,
        changed: Option<(&Augmentation, &mut super::augment::Chance)>,
    ) -> Result<Batch, Diagnostic> {
        let mut features = self.features_at(places);
        let mut jitter = None;
        if let Some((augmentation, chance)) = changed {
            augmentation.shift(&mut features, chance);
            jitter = Some((augmentation, chance));
        }
        let mut features = scaling.apply_finite(features)?;
        if let Some((augmentation, chance)) = jitter {
            augmentation.jitter(&mut features, chance);
        }
        let beside = self.beside.iter().map(|(name, matrix)| (name.clone(), self.rows_of(matrix, places)));
        Ok(Batch { features, targets: self.targets_at(places), beside: beside.collect() })
    }

    /// Visits the features by blocks of rows, in order, with the place of the block's first row.
    ///
    /// # Errors
    /// The first of the visitor's.
    pub fn each_block(
        &self,
        visit: &mut dyn FnMut(usize, &Matrix) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let mut first = 0;
        for places in self.places.chunks(BLOCK) {
            let mut features = Matrix::zeros(places.len(), self.columns());
            self.rows.read(places, features.entries_mut());
            visit(first, &features)?;
            first += places.len();
        }
        Ok(())
    }

    fn targets_at(&self, places: &[usize]) -> Targets {
        match &*self.targets {
            Targets::None => Targets::None,
            Targets::Labels { labels, classes } => Targets::Labels {
                labels: places.iter().map(|&place| labels[self.places[place]]).collect(),
                classes: *classes,
            },
            Targets::Values(values) => Targets::Values(self.rows_of(values, places)),
        }
    }

    fn rows_of(&self, matrix: &Matrix, places: &[usize]) -> Matrix {
        let mut out = Matrix::zeros(places.len(), matrix.columns());
        let within: Vec<usize> = places.iter().map(|&place| self.places[place]).collect();
        matrix.read(&within, out.entries_mut());
        out
    }
}

/// Labels as a program takes them, each from 0 to `classes` - 1.
///
/// # Errors
/// The first that is out of range, with its place from 0.
pub(super) fn checked_labels(labels: &[i64], classes: usize) -> Result<Vec<u32>, Diagnostic> {
    let checked = |(row, &label): (usize, &i64)| {
        u32::try_from(label).ok().filter(|&label| (label as usize) < classes).ok_or_else(|| {
            Diagnostic::whole(format!("label {label} of row {row} is out of range"))
                .hint(format!("labels of {classes} classes are 0 to {}", classes.saturating_sub(1)))
        })
    };
    labels.iter().enumerate().map(checked).collect()
}

/// Labels below `classes`.
///
/// # Errors
/// As [`checked_labels`].
pub(super) fn check_labels(labels: &[u32], classes: usize) -> Result<(), Diagnostic> {
    match labels.iter().position(|&label| label as usize >= classes) {
        Some(row) => checked_labels(&[i64::from(labels[row])], classes)
            .map(drop)
            .map_err(|error| Diagnostic { message: error.message.replace("row 0", &format!("row {row}")), ..error }),
        None => Ok(()),
    }
}

/// Numbers that are neither infinite nor NaN.
///
/// # Errors
/// The first that is, with its place from 0.
pub(super) fn check_finite(matrix: &Matrix, what: &str) -> Result<(), Diagnostic> {
    check_finite_from(matrix, what, 0)
}

/// As [`check_finite`], of a block whose first row has this place.
fn check_finite_from(matrix: &Matrix, what: &str, first: usize) -> Result<(), Diagnostic> {
    match matrix.entries().iter().position(|entry| !entry.is_finite()) {
        Some(place) => Err(Diagnostic::whole(format!(
            "the {what} have {} in row {}, column {}",
            matrix.entries()[place],
            first + place / matrix.columns(),
            place % matrix.columns()
        ))
        .hint("every number must be finite; leave such rows out or put a number there")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Samples, Targets};
    use crate::matrix::Matrix;

    #[test]
    fn wrong_samples_are_errors() {
        let message = |features: Matrix, labels: &[i64]| Samples::new(features, labels, 3).unwrap_err().message;
        let features = Matrix::zeros(2, 4);
        assert_eq!(message(features.clone(), &[0]), "there are 2 rows of features and 1 labels");
        assert_eq!(message(features.clone(), &[0, 3]), "label 3 of row 1 is out of range");
        assert_eq!(message(features.clone(), &[-1, 0]), "label -1 of row 0 is out of range");
        assert_eq!(message(Matrix::zeros(0, 4), &[]), "the features are 0×4: there is nothing to learn from");
        for wrong in [f64::NAN, f64::INFINITY] {
            let features = Matrix::from_fn(2, 4, |i, j| if (i, j) == (1, 2) { wrong } else { 0.0 });
            assert_eq!(message(features, &[0, 1]), format!("the features have {wrong} in row 1, column 2"));
        }
        // The place is that of the whole, not of a block.
        let late = Matrix::from_fn(2500, 1, |i, _| if i == 2100 { f64::NAN } else { 0.0 });
        assert_eq!(message(late, &[0; 2500]), "the features have NaN in row 2100, column 0");
        let labels = Targets::Labels { labels: vec![0, 0, 5], classes: 3 };
        let wrong = Samples::of(Arc::new(Matrix::zeros(3, 1)), labels, Vec::new()).unwrap_err();
        assert_eq!(wrong.message, "label 5 of row 2 is out of range");
        let targets = Targets::Values(Matrix::zeros(2, 1));
        let wrong = Samples::of(Arc::new(Matrix::zeros(3, 1)), targets, Vec::new()).unwrap_err();
        assert_eq!(wrong.message, "there are 3 rows of features and 2 rows of targets");
    }

    #[test]
    fn a_selection_of_a_selection_keeps_its_rows_together() {
        let features = Matrix::from_fn(6, 2, |i, j| (10 * i + j) as f64);
        let samples = Samples::new(features, &[0, 1, 2, 0, 1, 2], 3).unwrap();
        let some = samples.select(&[5, 3, 1]).select(&[2, 0]);
        assert_eq!((some.labels(), some.features().entries()), (vec![1, 2], &[10.0, 11.0, 50.0, 51.0][..]));
        let (rest, kept) = samples.split(0.34, 3).unwrap();
        let kept = kept.unwrap();
        assert_eq!((rest.len(), kept.len()), (4, 2));
        let mut all: Vec<f64> = [rest.features(), kept.features()].iter().flat_map(|m| m.entries().to_vec()).collect();
        all.sort_unstable_by(f64::total_cmp);
        let mut expected = samples.features().entries().to_vec();
        expected.sort_unstable_by(f64::total_cmp);
        assert_eq!(all, expected);
    }
}

//! Labelled samples and the scaling of their features. Numbers and labels come in; checked samples, batches and scaled
//! features go out. A wrong label or a number that is not finite is an error and never reaches a network.

use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// Samples with labels: one row of features each.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    features: Matrix,
    labels: Vec<i64>,
    classes: usize,
}

impl Samples {
    /// `features` is N×D, one row a sample; `labels` has N integers from 0 to `classes` - 1.
    ///
    /// # Errors
    /// Another number of labels than of rows, no sample or no feature, fewer than two classes, a label out of range, a
    /// feature that is not finite.
    pub fn new(features: Matrix, labels: Vec<i64>, classes: usize) -> Result<Samples, Diagnostic> {
        let (rows, columns) = (features.rows(), features.columns());
        if labels.len() != rows {
            return Err(Diagnostic::whole(format!("there are {rows} rows of features and {} labels", labels.len())));
        }
        if rows == 0 || columns == 0 {
            return Err(Diagnostic::whole(format!(
                "the features are {rows}×{columns}: there is nothing to learn from"
            )));
        }
        if classes < 2 {
            return Err(Diagnostic::whole(format!("{classes} classes are too few: two are needed at least")));
        }
        check_labels(&labels, classes)?;
        check_finite(&features, "features")?;
        Ok(Samples { features, labels, classes })
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Never: there is one sample at least.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The features, N×D.
    pub fn features(&self) -> &Matrix {
        &self.features
    }

    /// The labels, N integers from 0 to [`Samples::classes`] - 1.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The samples at these places, in this order.
    ///
    /// # Panics
    /// If a place is not below [`Samples::len`].
    pub fn select(&self, places: &[usize]) -> Samples {
        let columns = self.features.columns();
        let mut entries = Vec::with_capacity(places.len() * columns);
        for &place in places {
            entries.extend_from_slice(&self.features.entries()[place * columns..(place + 1) * columns]);
        }
        Samples {
            features: Matrix::new(places.len(), columns, entries),
            labels: places.iter().map(|&place| self.labels[place]).collect(),
            classes: self.classes,
        }
    }

    /// The first `count` samples, or all where there are fewer.
    pub fn first(&self, count: usize) -> Samples {
        let places: Vec<usize> = (0..count.min(self.len())).collect();
        self.select(&places)
    }

    /// The same samples with scaled features.
    ///
    /// # Errors
    /// As [`Scaling::apply`].
    pub fn scaled(&self, scaling: &Scaling) -> Result<Samples, Diagnostic> {
        Ok(Samples { features: scaling.apply(&self.features)?, labels: self.labels.clone(), classes: self.classes })
    }
}

/// Labels as integers, each from 0 to `classes` - 1.
///
/// # Errors
/// The first that is out of range, with its place from 0.
pub(super) fn check_labels(labels: &[i64], classes: usize) -> Result<(), Diagnostic> {
    match labels.iter().position(|&label| usize::try_from(label).map_or(true, |label| label >= classes)) {
        Some(row) => Err(Diagnostic::whole(format!("label {} of row {row} is out of range", labels[row]))
            .hint(format!("labels of {classes} classes are 0 to {}", classes - 1))),
        None => Ok(()),
    }
}

/// Numbers that are neither infinite nor NaN.
///
/// # Errors
/// The first that is, with its place from 0.
pub(super) fn check_finite(matrix: &Matrix, what: &str) -> Result<(), Diagnostic> {
    match matrix.entries().iter().position(|entry| !entry.is_finite()) {
        Some(place) => Err(Diagnostic::whole(format!(
            "the {what} have {} in row {}, column {}",
            matrix.entries()[place],
            place / matrix.columns(),
            place % matrix.columns()
        ))
        .hint("every number must be finite; leave such rows out or put a number there")),
        None => Ok(()),
    }
}

/// Features brought to a common size: the mean of each column is taken away, and all is divided by one standard deviation.
/// One for all columns, and not one for each, keeps a pixel that is nearly always white from being blown up.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// 1×D: what is taken away from each column.
    pub shift: Matrix,
    /// What is divided by; positive.
    pub divisor: f64,
}

impl Scaling {
    /// The scaling that gives these features mean 0 in each column and a mean square of 1. Where all rows are equal they
    /// become 0, up to rounding.
    pub fn of(features: &Matrix) -> Scaling {
        let (rows, columns) = (features.rows(), features.columns());
        // Powers of two next to the largest entry keep every sum and square within the range of f64 and change no digit.
        let largest = features.entries().iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
        let unit = if largest > 0.0 { 2.0f64.powi((largest.log2() as i32).clamp(-1000, 1000)) } else { 1.0 };
        let mut shift = Matrix::zeros(1, columns);
        for row in features.entries().chunks_exact(columns.max(1)) {
            for (sum, entry) in shift.entries_mut().iter_mut().zip(row) {
                *sum += entry / unit / rows as f64;
            }
        }
        let mut square = 0.0;
        for row in features.entries().chunks_exact(columns.max(1)) {
            for (mean, entry) in shift.entries().iter().zip(row) {
                square += (entry / unit - mean).powi(2) / (rows * columns) as f64;
            }
        }
        // Where all rows are equal, rounding leaves about 1e-16 of the largest entry, which must not be blown up.
        let divisor = if square.sqrt() > 1e-14 { square.sqrt() * unit } else { unit };
        shift.entries_mut().iter_mut().for_each(|mean| *mean *= unit);
        Scaling { shift, divisor }
    }

    /// (X - 1_N shift) / divisor.
    ///
    /// # Errors
    /// Another number of columns; a number that is not finite, before or after.
    pub fn apply(&self, features: &Matrix) -> Result<Matrix, Diagnostic> {
        let columns = self.shift.columns();
        if features.columns() != columns {
            let message = format!("the features have {} columns; the network takes {columns}", features.columns());
            return Err(Diagnostic::whole(message));
        }
        check_finite(features, "features")?;
        let scaled = Matrix::from_fn(features.rows(), columns, |i, j| {
            features.at(i, j) / self.divisor - self.shift.at(0, j) / self.divisor
        });
        check_finite(&scaled, "scaled features")?;
        Ok(scaled)
    }
}

#[cfg(test)]
mod tests {
    use super::{Samples, Scaling};
    use crate::matrix::Matrix;

    #[test]
    fn scaled_features_have_mean_zero_and_mean_square_one() {
        for size in [1.0, 1e-300, 1e300] {
            let features = Matrix::from_fn(7, 3, |i, j| size * ((i * i) as f64 / 50.0 + j as f64 / 10.0));
            let scaled = Scaling::of(&features).apply(&features).unwrap();
            for j in 0..3 {
                let mean = (0..7).map(|i| scaled.at(i, j)).sum::<f64>() / 7.0;
                assert!(mean.abs() < 1e-12, "{size}: {mean}");
            }
            let square = scaled.entries().iter().map(|x| x * x).sum::<f64>() / 21.0;
            assert!((square - 1.0).abs() < 1e-12, "{size}: {square}");
        }
    }

    #[test]
    fn constant_features_become_zero() {
        for value in [0.0, 0.1, -7.3e200, f64::MAX] {
            let features = Matrix::from_fn(5, 2, |_, _| value);
            let scaled = Scaling::of(&features).apply(&features).unwrap();
            assert!(scaled.entries().iter().all(|x| x.abs() < 1e-14), "{value}: {scaled:?}");
        }
    }

    #[test]
    fn wrong_samples_are_errors() {
        let message =
            |features: Matrix, labels: &[i64]| Samples::new(features, labels.to_vec(), 3).unwrap_err().message;
        let features = Matrix::zeros(2, 4);
        assert_eq!(message(features.clone(), &[0]), "there are 2 rows of features and 1 labels");
        assert_eq!(message(features.clone(), &[0, 3]), "label 3 of row 1 is out of range");
        assert_eq!(message(features.clone(), &[-1, 0]), "label -1 of row 0 is out of range");
        assert_eq!(message(Matrix::zeros(0, 4), &[]), "the features are 0×4: there is nothing to learn from");
        for wrong in [f64::NAN, f64::INFINITY] {
            let features = Matrix::from_fn(2, 4, |i, j| if (i, j) == (1, 2) { wrong } else { 0.0 });
            assert_eq!(message(features, &[0, 1]), format!("the features have {wrong} in row 1, column 2"));
        }
    }
}

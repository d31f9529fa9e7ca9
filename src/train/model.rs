//! A trained model: all that is needed to answer for features it has not seen, and to measure how well it does.

use std::sync::Arc;

use super::roles::Meaning;
use super::rows::BLOCK;
use super::samples::{Batch, Targets};
use super::{Bindings, Objective, Parameters, Samples, Scaling};
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// A program with its parameters.
#[derive(Clone, Debug)]
pub struct Model {
    /// The program.
    pub objective: Arc<Objective>,
    /// Its parameters.
    pub parameters: Parameters,
    /// What is done to features first.
    pub scaling: Scaling,
    /// The numbers of its dimensions and scalars.
    pub bindings: Bindings,
}

/// How well a model does on samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The mean of the loss over blocks of up to 1024 samples, each counted by its samples.
    pub loss: f64,
    /// The answers, N×C, where the program has some.
    pub scores: Option<Matrix>,
}

impl Model {
    /// The answers for features as they come, N×C.
    ///
    /// # Errors
    /// Another number of columns than trained on, a number that is infinite or NaN, a program without an answer.
    pub fn scores(&self, features: &Matrix) -> Result<Matrix, Diagnostic> {
        let mut entries = Vec::new();
        let (width, mut columns) = (features.columns(), 0);
        for rows in features.entries().chunks(BLOCK * width.max(1)) {
            let rows = Matrix::new(rows.len() / width.max(1), width, rows.to_vec());
            let batch = Batch { features: self.scaling.apply(&rows)?, targets: Targets::None, beside: Vec::new() };
            let scores = self.objective.score(&self.parameters, &batch, &self.bindings)?;
            let scores = scores.ok_or_else(|| {
                Diagnostic::whole("the model's program has no definition that is its answer")
                    .hint("give a name to the scores, as `Z = X*W + b`")
            })?;
            columns = scores.columns();
            entries.extend_from_slice(scores.entries());
        }
        Ok(Matrix::new(features.rows(), columns, entries))
    }

    /// The class with the largest score of each row, the first of equal ones.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn predict(&self, features: &Matrix) -> Result<Vec<u32>, Diagnostic> {
        Ok(largest_places(&self.scores(features)?))
    }

    /// The probability of each class, N×C, rows that sum to 1.
    ///
    /// # Errors
    /// As [`Model::scores`]; a program whose answers are no scores of classes.
    pub fn probabilities(&self, features: &Matrix) -> Result<Matrix, Diagnostic> {
        self.to_probabilities(self.scores(features)?)
    }

    /// Scores as probabilities.
    ///
    /// # Errors
    /// A program whose answers are no scores of classes.
    pub fn to_probabilities(&self, mut scores: Matrix) -> Result<Matrix, Diagnostic> {
        match self.objective.scores() {
            Some((_, Meaning::Probabilities)) => Ok(scores),
            Some((_, Meaning::Scores)) => {
                let columns = scores.columns();
                for row in scores.entries_mut().chunks_exact_mut(columns) {
                    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    row.iter_mut().for_each(|score| *score = (*score - largest).exp());
                    let sum: f64 = row.iter().sum();
                    row.iter_mut().for_each(|score| *score /= sum);
                }
                Ok(scores)
            }
            _ => Err(Diagnostic::whole("the model's answers are no scores of classes, so there are no probabilities")),
        }
    }

    /// The loss and the answers on samples with targets.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn measure(&self, samples: &Samples) -> Result<Measured, Diagnostic> {
        let places: Vec<usize> = (0..samples.len()).collect();
        let block = if self.objective.takes_all_samples() { places.len().max(1) } else { BLOCK };
        let (mut loss, mut entries, mut columns) = (0.0, Vec::new(), None);
        if samples.columns() != self.scaling.shift.columns() {
            let (given, taken) = (samples.columns(), self.scaling.shift.columns());
            return Err(Diagnostic::whole(format!("the features have {given} columns; the model takes {taken}")));
        }
        for places in places.chunks(block) {
            let batch = samples.batch(places, &self.scaling, None)?;
            let (of_block, scores) = self.objective.measure(&self.parameters, &batch, &self.bindings)?;
            loss += of_block * (places.len() as f64 / samples.len() as f64);
            if let Some(scores) = scores {
                columns = Some(scores.columns());
                entries.extend_from_slice(scores.entries());
            }
        }
        Ok(Measured { loss, scores: columns.map(|columns| Matrix::new(samples.len(), columns, entries)) })
    }

    /// Which part of the samples is classified right.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn accuracy(&self, samples: &Samples) -> Result<f64, Diagnostic> {
        let mut right = 0;
        let labels = samples.labels();
        samples.each_block(&mut |first, features| {
            let predicted = self.predict(features)?;
            right += predicted.iter().zip(&labels[first..]).filter(|(predicted, label)| predicted == label).count();
            Ok(())
        })?;
        Ok(right as f64 / samples.len() as f64)
    }
}

impl Measured {
    /// The class with the largest score of each sample, the first of equal ones.
    pub fn predicted(&self) -> Vec<u32> {
        self.scores.as_ref().map(largest_places).unwrap_or_default()
    }
}

/// How often samples of class i (row) were taken for class j (column).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Counts pairs of what is and what was predicted, each below `classes`.
    pub fn new(labels: &[u32], predicted: &[u32], classes: usize) -> Confusion {
        let mut counts = vec![vec![0; classes]; classes];
        for (&label, &predicted) in labels.iter().zip(predicted) {
            counts[label as usize][predicted as usize] += 1;
        }
        Confusion { counts }
    }

    /// The counts, a row for each class that is.
    pub fn counts(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// How many pairs there are.
    pub fn total(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Which part is on the diagonal.
    pub fn accuracy(&self) -> f64 {
        let right: usize = self.counts.iter().enumerate().map(|(class, counts)| counts[class]).sum();
        right as f64 / self.total() as f64
    }

    /// Samples of a class.
    pub fn support(&self, class: usize) -> usize {
        self.counts[class].iter().sum()
    }

    /// Of those taken for the class, the part that is of it; `None` where none was.
    pub fn precision(&self, class: usize) -> Option<f64> {
        let taken: usize = self.counts.iter().map(|counts| counts[class]).sum();
        (taken > 0).then(|| self.counts[class][class] as f64 / taken as f64)
    }

    /// Of those of the class, the part taken for it; `None` where there is none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let support = self.support(class);
        (support > 0).then(|| self.counts[class][class] as f64 / support as f64)
    }
}

/// The column of the largest entry of each row, the first of equal ones.
pub(super) fn largest_places(scores: &Matrix) -> Vec<u32> {
    let rows = scores.entries().chunks_exact(scores.columns().max(1));
    rows.map(|row| {
        let first = (0, f64::NEG_INFINITY);
        let best =
            row.iter().enumerate().fold(first, |best, (j, &score)| if score > best.1 { (j, score) } else { best });
        best.0 as u32
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{Confusion, largest_places};
    use crate::matrix::Matrix;

    #[test]
    fn precision_and_recall_are_counted_along_columns_and_rows() {
        let confusion = Confusion::new(&[0, 0, 0, 1, 1, 2], &[0, 0, 1, 1, 0, 1], 4);
        assert_eq!(confusion.counts()[0], [2, 1, 0, 0]);
        assert_eq!(confusion.accuracy(), 0.5);
        assert_eq!([confusion.precision(0), confusion.recall(0)], [Some(2.0 / 3.0); 2]);
        assert_eq!((confusion.precision(1), confusion.recall(1)), (Some(1.0 / 3.0), Some(0.5)));
        assert_eq!((confusion.precision(2), confusion.recall(2)), (None, Some(0.0)));
        assert_eq!((confusion.precision(3), confusion.recall(3), confusion.support(2)), (None, None, 1));
    }

    #[test]
    fn the_first_of_equal_scores_is_taken() {
        assert_eq!(largest_places(&Matrix::new(2, 3, vec![1.0, 2.0, 2.0, 0.0, -1.0, -2.0])), [1, 0]);
    }
}

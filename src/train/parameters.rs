//! Matrices by name: the parameters of a program, their gradients, their velocities. Names and numbers come in; what is
//! asked of all of them together goes out.

use std::sync::Arc;

use crate::matrix::Matrix;
use crate::plan::Precision;

/// The parameters of a program in the order in which it differentiates by them, or something of the same names and shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    names: Arc<[String]>,
    values: Vec<Matrix>,
}

impl Parameters {
    /// By names that are all different.
    pub fn new(named: Vec<(String, Matrix)>) -> Parameters {
        let (names, values): (Vec<String>, Vec<Matrix>) = named.into_iter().unzip();
        Parameters { names: names.into(), values }
    }

    /// Of the same names; one matrix for each.
    pub(super) fn alike(&self, values: Vec<Matrix>) -> Parameters {
        debug_assert_eq!(values.len(), self.values.len());
        Parameters { names: Arc::clone(&self.names), values }
    }

    /// The nearest numbers of a precision.
    #[must_use]
    pub fn rounded(&self, precision: Precision) -> Parameters {
        match precision {
            Precision::Double => self.clone(),
            Precision::Mixed | Precision::Single => {
                self.alike(self.values.iter().map(|matrix| matrix.map(|x| f64::from(x as f32))).collect())
            }
        }
    }

    /// Of the same names and shapes, all zero.
    pub fn zeros_like(&self) -> Parameters {
        self.alike(self.values.iter().map(|matrix| Matrix::zeros(matrix.rows(), matrix.columns())).collect())
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The matrices, in the order of the names.
    pub fn values(&self) -> &[Matrix] {
        &self.values
    }

    /// The matrices to be changed; their shapes stay.
    pub fn values_mut(&mut self) -> &mut [Matrix] {
        &mut self.values
    }

    /// Names with their matrices.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Matrix)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }

    /// The matrix of that name.
    pub fn get(&self, name: &str) -> Option<&Matrix> {
        self.names.iter().position(|known| known == name).map(|place| &self.values[place])
    }

    /// How many numbers there are in all.
    pub fn count(&self) -> usize {
        self.values.iter().map(|matrix| matrix.entries().len()).sum()
    }

    /// The root of the sum of all squares.
    pub fn norm(&self) -> f64 {
        // By way of each matrix's norm, which neither overflows nor vanishes early.
        self.values.iter().fold(0.0, |norm: f64, matrix| norm.hypot(matrix.norm()))
    }

    /// Whether no entry is infinite or NaN.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(Matrix::is_finite)
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;
    use crate::matrix::Matrix;

    #[test]
    fn parameters_are_found_by_name() {
        let parameters = Parameters::new(vec![
            ("W".to_owned(), Matrix::new(1, 2, vec![3.0, 0.0])),
            ("b".to_owned(), Matrix::scalar(-4.0)),
        ]);
        assert_eq!(parameters.get("b"), Some(&Matrix::scalar(-4.0)));
        assert_eq!((parameters.get("c"), parameters.count(), parameters.norm()), (None, 3, 5.0));
        assert_eq!(
            parameters.zeros_like().named().map(|(name, m)| (name, m.shape())).collect::<Vec<_>>(),
            [("W", (1, 2)), ("b", (1, 1))]
        );
    }
}

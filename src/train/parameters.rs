//! The parameters of the network and their moves: seeds and gradients come in, weights and biases go out.

use super::random::{Purpose, Random};
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// The weights and biases of the network, or something of the same shapes: their gradients, their velocities.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// D×H.
    pub w1: Matrix,
    /// 1×H.
    pub b1: Matrix,
    /// H×C.
    pub w2: Matrix,
    /// 1×C.
    pub b2: Matrix,
}

impl Parameters {
    /// The names in the program, in the order of [`Parameters::all`].
    pub const NAMES: [&'static str; 4] = ["W1", "b1", "W2", "b2"];

    /// All zero.
    pub fn zeros(features: usize, hidden: usize, classes: usize) -> Parameters {
        Parameters {
            w1: Matrix::zeros(features, hidden),
            b1: Matrix::zeros(1, hidden),
            w2: Matrix::zeros(hidden, classes),
            b2: Matrix::zeros(1, classes),
        }
    }

    /// Random weights and zero biases. A weight is uniform with standard deviation scale·√(gain/n), n the entries that it
    /// is summed with: gain 2 for units that are 0 on one side (K. He et al., "Delving deep into rectifiers", 2015), 1 for
    /// the scores.
    pub fn random(features: usize, hidden: usize, classes: usize, gain: f64, scale: f64, seed: u64) -> Parameters {
        let mut random = Random::new(seed, Purpose::Initialisation);
        let mut parameters = Parameters::zeros(features, hidden, classes);
        for (weights, gain) in [(&mut parameters.w1, gain), (&mut parameters.w2, 1.0)] {
            // A uniform number in -a … a has standard deviation a/√3.
            let largest = scale * (3.0 * gain / weights.rows() as f64).sqrt();
            weights.entries_mut().iter_mut().for_each(|weight| *weight = largest * random.uniform());
        }
        parameters
    }

    /// W1, b1, W2, b2.
    pub fn all(&self) -> [&Matrix; 4] {
        [&self.w1, &self.b1, &self.w2, &self.b2]
    }

    /// W1, b1, W2, b2, to be changed.
    pub fn all_mut(&mut self) -> [&mut Matrix; 4] {
        [&mut self.w1, &mut self.b1, &mut self.w2, &mut self.b2]
    }

    /// Whether no entry is infinite or NaN.
    pub fn is_finite(&self) -> bool {
        self.all().iter().all(|matrix| matrix.entries().iter().all(|entry| entry.is_finite()))
    }

    /// How many features, hidden units and classes they are for.
    ///
    /// # Errors
    /// Where the shapes do not fit each other.
    pub fn sizes(&self) -> Result<(usize, usize, usize), Diagnostic> {
        let (features, hidden, classes) = (self.w1.rows(), self.w1.columns(), self.w2.columns());
        let right = [(features, hidden), (1, hidden), (hidden, classes), (1, classes)];
        for ((matrix, name), (rows, columns)) in self.all().into_iter().zip(Parameters::NAMES).zip(right) {
            if (matrix.rows(), matrix.columns()) != (rows, columns) {
                let is = format!("{name} is {}×{}", matrix.rows(), matrix.columns());
                return Err(Diagnostic::whole(format!("{is}, but the other parameters want {rows}×{columns}")));
            }
        }
        Ok((features, hidden, classes))
    }
}

/// One step of gradient descent with momentum: V ← momentum·V - rate·G, then the parameters move by V.
pub(super) fn descend(
    parameters: &mut Parameters,
    velocity: &mut Parameters,
    gradients: &Parameters,
    rate: f64,
    momentum: f64,
) {
    let moves = parameters.all_mut().into_iter().zip(velocity.all_mut()).zip(gradients.all());
    for ((parameter, velocity), gradient) in moves {
        let entries = parameter.entries_mut().iter_mut().zip(velocity.entries_mut()).zip(gradient.entries());
        for ((parameter, velocity), gradient) in entries {
            *velocity = momentum * *velocity - rate * gradient;
            *parameter += *velocity;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameters, descend};
    use crate::matrix::Matrix;

    #[test]
    fn random_weights_have_the_stated_size() {
        let parameters = Parameters::random(50, 200, 7, 2.0, 0.5, 3);
        let square = |m: &Matrix| m.entries().iter().map(|x| x * x).sum::<f64>() / m.entries().len() as f64;
        assert!((square(&parameters.w1) / (0.25 * 2.0 / 50.0) - 1.0).abs() < 0.05);
        assert!((square(&parameters.w2) / (0.25 * 1.0 / 200.0) - 1.0).abs() < 0.1);
        assert_eq!((square(&parameters.b1), square(&parameters.b2)), (0.0, 0.0));
        assert_eq!(parameters.sizes().unwrap(), (50, 200, 7));
    }

    #[test]
    fn momentum_adds_up() {
        let mut parameters = Parameters::zeros(1, 1, 2);
        let mut velocity = parameters.clone();
        let mut gradients = parameters.clone();
        gradients.b2 = Matrix::new(1, 2, vec![1.0, -2.0]);
        for _ in 0..2 {
            descend(&mut parameters, &mut velocity, &gradients, 0.5, 0.5);
        }
        // -0.5, then -0.25 - 0.5.
        assert_eq!(parameters.b2.entries(), [-1.25, 2.5]);
        assert_eq!(parameters.w1.entries(), [0.0]);
    }

    #[test]
    fn parameters_that_do_not_fit_are_an_error() {
        let mut parameters = Parameters::zeros(3, 4, 2);
        parameters.b1 = Matrix::zeros(4, 1);
        assert_eq!(parameters.sizes().unwrap_err().message, "b1 is 4×1, but the other parameters want 1×4");
    }
}

//! Steps of descent: parameters and their gradients come in, moved parameters go out. What a rule remembers from step to
//! step is a value that can be stored.

use super::Parameters;
use crate::matrix::Matrix;

/// A rule of descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimiser {
    /// V ← momentum·V - rate·G, then the parameters move by V.
    Sgd {
        /// How much of the last move goes on, from 0 to below 1.
        momentum: f64,
    },
    /// Running means of G and of its squares, corrected for their start at zero: the parameters move by
    /// -rate·M/(√V + epsilon) (D. Kingma, J. Ba, "Adam", 2015), and shrink by rate·weight_decay apart from that
    /// (I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", 2019).
    Adam {
        /// How much of the mean goes on, from 0 to below 1.
        beta1: f64,
        /// How much of the mean square goes on, from 0 to below 1.
        beta2: f64,
        /// Keeps the quotient finite; positive.
        epsilon: f64,
        /// From 0.
        weight_decay: f64,
    },
}

impl Optimiser {
    /// Adam with the numbers of its paper.
    pub const ADAM: Optimiser = Optimiser::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };

    /// `sgd` or `adam`.
    pub fn name(&self) -> &'static str {
        match self {
            Optimiser::Sgd { .. } => "sgd",
            Optimiser::Adam { .. } => "adam",
        }
    }
}

/// What a rule remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// The last move, or the running mean of the gradients.
    pub first: Parameters,
    /// The running mean of the squares; zero and unused without Adam.
    pub second: Parameters,
    /// Steps so far.
    pub steps: usize,
}

impl Memory {
    /// Before the first step.
    pub fn new(parameters: &Parameters) -> Memory {
        Memory { first: parameters.zeros_like(), second: parameters.zeros_like(), steps: 0 }
    }
}

/// One step.
pub(super) fn descend(
    rule: &Optimiser,
    parameters: &mut Parameters,
    memory: &mut Memory,
    gradients: &[Matrix],
    rate: f64,
) {
    memory.steps += 1;
    let firsts = memory.first.values_mut().iter_mut();
    let moved = parameters.values_mut().iter_mut().zip(firsts).zip(memory.second.values_mut()).zip(gradients);
    for (((parameter, first), second), gradient) in moved {
        let gradient = gradient.entries();
        let (parameter, first) = (parameter.entries_mut(), first.entries_mut());
        match *rule {
            Optimiser::Sgd { momentum } => {
                for ((parameter, velocity), gradient) in parameter.iter_mut().zip(first).zip(gradient) {
                    *velocity = momentum * *velocity - rate * gradient;
                    *parameter += *velocity;
                }
            }
            Optimiser::Adam { beta1, beta2, epsilon, weight_decay } => {
                let steps = i32::try_from(memory.steps).unwrap_or(i32::MAX);
                let (mean_part, square_part) = (1.0 - beta1.powi(steps), 1.0 - beta2.powi(steps));
                let kept = 1.0 - rate * weight_decay;
                let second = second.entries_mut();
                for (((parameter, mean), square), gradient) in parameter.iter_mut().zip(first).zip(second).zip(gradient)
                {
                    *mean = beta1 * *mean + (1.0 - beta1) * gradient;
                    *square = beta2 * *square + (1.0 - beta2) * gradient * gradient;
                    let step = (*mean / mean_part) / ((*square / square_part).sqrt() + epsilon);
                    *parameter = kept * *parameter - rate * step;
                }
            }
        }
    }
}

/// Gradients whose norm is at most `largest`, all shortened alike.
pub(super) fn clip(gradients: &mut Parameters, largest: f64) {
    let norm = gradients.norm();
    if norm > largest {
        for matrix in gradients.values_mut() {
            // Divided first: the norm may be near the largest number.
            matrix.entries_mut().iter_mut().for_each(|entry| *entry = *entry / norm * largest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, Optimiser, clip, descend};
    use crate::matrix::Matrix;
    use crate::train::Parameters;

    fn start() -> (Parameters, Memory) {
        let parameters = Parameters::new(vec![("b".to_owned(), Matrix::new(1, 2, vec![0.5, -1.0]))]);
        let memory = Memory::new(&parameters);
        (parameters, memory)
    }

    #[test]
    fn momentum_adds_up() {
        let (mut parameters, mut memory) = start();
        for _ in 0..2 {
            let rule = Optimiser::Sgd { momentum: 0.5 };
            descend(&rule, &mut parameters, &mut memory, &[Matrix::new(1, 2, vec![1.0, -2.0])], 0.5);
        }
        // -0.5, then -0.25 - 0.5.
        assert_eq!(parameters.values()[0].entries(), [0.5 - 1.25, -1.0 + 2.5]);
    }

    #[test]
    fn adam_moves_as_its_paper_says() {
        let (mut parameters, mut memory) = start();
        let rule = Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.1 };
        let mut expected = [0.5, -1.0];
        let (mut mean, mut square) = ([0.0; 2], [0.0; 2]);
        for (t, gradient) in [(1, [0.3, -2.0]), (2, [0.1, 4.0]), (3, [-0.5, 0.0])] {
            descend(&rule, &mut parameters, &mut memory, &[Matrix::new(1, 2, gradient.to_vec())], 0.01);
            for i in 0..2 {
                mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
                square[i] = 0.99 * square[i] + 0.01 * gradient[i] * gradient[i];
                let (m, v): (f64, f64) = (mean[i] / (1.0 - 0.9f64.powi(t)), square[i] / (1.0 - 0.99f64.powi(t)));
                expected[i] -= 0.01 * 0.1 * expected[i] + 0.01 * m / (v.sqrt() + 1e-8);
            }
        }
        for (found, expected) in parameters.values()[0].entries().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-14, "{found} {expected}");
        }
        assert_eq!(memory.steps, 3);
    }

    #[test]
    fn a_clipped_gradient_keeps_its_direction() {
        let of = |entries| Parameters::new(vec![("b".to_owned(), Matrix::new(1, 2, entries))]);
        let mut long = of(vec![3e200, -4e200]);
        clip(&mut long, 2.0);
        let entries = long.values()[0].entries();
        assert!((entries[0] - 1.2).abs() < 1e-15 && (entries[1] + 1.6).abs() < 1e-15, "{entries:?}");
        let mut short = of(vec![0.3, 0.4]);
        clip(&mut short, 2.0);
        assert_eq!(short, of(vec![0.3, 0.4]));
    }
}

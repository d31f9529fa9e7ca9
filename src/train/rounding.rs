//! What a precision costs: a model and samples come in; out goes how far its loss and gradients lie from those of 64-bit floats.

use super::model::Model;
use super::samples::Samples;
use crate::diagnostic::Diagnostic;
use crate::plan::Precision;

/// How far the loss and the gradients of a model lie from those computed in 64-bit floats at the same numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounding {
    /// Samples that it was measured at.
    pub samples: usize,
    /// The loss: |L − L₆₄| / |L₆₄|.
    pub loss: f64,
    /// For each parameter ‖G − G₆₄‖ / ‖G₆₄‖, Frobenius norms.
    pub gradients: Vec<(String, f64)>,
}

impl Rounding {
    /// Measured at the first `count` samples, as a batch.
    ///
    /// # Errors
    /// As a step of a training.
    pub fn measure(model: &Model, samples: &Samples, count: usize) -> Result<Rounding, Diagnostic> {
        let count = count.min(samples.len());
        let places: Vec<usize> = (0..count).collect();
        let batch = samples.batch(&places, &model.scaling, None)?;
        let exact = model.objective.as_ref().clone().with_precision(Precision::Double);
        let (loss, gradients, _) = model.objective.step(&model.parameters, &batch, &model.bindings)?;
        let (exact_loss, exact_gradients, _) = exact.step(&model.parameters, &batch, &model.bindings)?;
        let distances = gradients.values().iter().zip(exact_gradients.values()).map(|(own, exact)| {
            let squares = |x: f64, y: f64| x + y * y;
            let apart = own.entries().iter().zip(exact.entries()).map(|(a, b)| a - b).fold(0.0, squares);
            relative(apart.sqrt(), exact.entries().iter().copied().fold(0.0, squares).sqrt())
        });
        let gradients = gradients.names().iter().cloned().zip(distances).collect();
        Ok(Rounding { samples: count, loss: relative((loss - exact_loss).abs(), exact_loss.abs()), gradients })
    }
}

/// Nothing is apart from nothing by nothing.
fn relative(apart: f64, size: f64) -> f64 {
    if apart == 0.0 { 0.0 } else { apart / size }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Rounding;
    use crate::derivation::Detail;
    use crate::plan::Precision;
    use crate::run::cpu::InstructionSet;
    use crate::train::{Activation, Objective, Options, Training, digits};

    #[test]
    fn each_precision_rounds_as_far_as_its_digits_say() {
        let samples = digits::training().first(300);
        let of = |precision: Precision| {
            let objective = Objective::two_layer(Activation::Relu, Detail::None).unwrap().with_precision(precision);
            let options = Options::default().with("H", 40.0);
            let training = Training::new(&Arc::new(objective), &samples, &options);
            training.map(|training| Rounding::measure(&training.model(), &samples, 200).unwrap())
        };
        let worst =
            |rounding: &Rounding| rounding.gradients.iter().map(|(_, error)| *error).fold(rounding.loss, f64::max);
        assert_eq!(worst(&of(Precision::Double).unwrap()), 0.0);
        let single = worst(&of(Precision::Single).unwrap());
        assert!(single > 1e-9 && single < 1e-5, "{single:e}");
        let mixed = of(Precision::Mixed);
        if InstructionSet::detect().has_bf16() {
            let mixed = mixed.unwrap();
            assert_eq!(
                mixed.gradients.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
                ["W1", "b1", "W2", "b2"]
            );
            assert!(worst(&mixed) > 1e-4 && worst(&mixed) < 2e-2, "{mixed:?}");
        } else {
            assert!(mixed.unwrap_err()[0].message.contains("no products of bf16"));
        }
    }
}

//! How to train: numbers chosen by the user come in, and errors for all that make no sense go out.

use crate::diagnostic::Diagnostic;

/// The choices of a training. The defaults for hidden units, learning rate and λ were chosen by cross-validation over ten
/// blocks of neighbouring rows of the embedded training digits, without the test digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Hidden units H, from 1.
    pub hidden: usize,
    /// How often all training samples are passed through, from 1.
    pub epochs: usize,
    /// Samples of one gradient step, from 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Learning rate of the first epoch, positive.
    pub learning_rate: f64,
    /// What the learning rate is multiplied by after each epoch, above 0, at most 1.
    pub decay: f64,
    /// How much of the last move goes on, from 0 to below 1.
    pub momentum: f64,
    /// λ, the weight of ‖W1‖² + ‖W2‖² in the loss, from 0.
    pub lambda: f64,
    /// Where the random numbers start: of the split, the first weights and the order of samples.
    pub seed: u64,
    /// Which part of the samples is kept out to validate, from 0 to below 1; with 0 the last epoch's parameters are taken.
    pub validation: f64,
    /// Factor of the first weights, positive.
    pub initial_scale: f64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hidden: 128,
            epochs: 30,
            batch_size: 64,
            learning_rate: 0.2,
            decay: 0.95,
            momentum: 0.9,
            lambda: 3e-4,
            seed: 0,
            validation: 0.1,
            initial_scale: 1.0,
        }
    }
}

impl Options {
    /// Whether the options make sense by themselves.
    ///
    /// # Errors
    /// All that do not, each with the range it may have.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        for (name, value) in [
            ("number of hidden units", self.hidden),
            ("number of epochs", self.epochs),
            ("batch size", self.batch_size),
        ] {
            if !(1..=MOST).contains(&value) {
                errors.push(out_of_range(name, &value.to_string(), &format!("a whole number from 1 to {MOST}")));
            }
        }
        let positive = |x: f64| x > 0.0 && x.is_finite();
        for (name, value, right, range) in [
            ("learning rate", self.learning_rate, positive(self.learning_rate), "a positive number, such as 0.2"),
            ("decay", self.decay, self.decay > 0.0 && self.decay <= 1.0, "above 0 and at most 1; 1 keeps the rate"),
            ("momentum", self.momentum, (0.0..1.0).contains(&self.momentum), "from 0 to below 1, such as 0.9"),
            ("lambda", self.lambda, self.lambda >= 0.0 && self.lambda.is_finite(), "from 0, such as 0.0003"),
            ("validation", self.validation, (0.0..1.0).contains(&self.validation), "from 0 to below 1, such as 0.1"),
            ("initial scale", self.initial_scale, positive(self.initial_scale), "a positive number, such as 1"),
        ] {
            if !right {
                errors.push(out_of_range(name, &format!("{value:?}"), range));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// More hidden units, epochs or samples in a batch than this are taken for a slip.
const MOST: usize = 100_000;

fn out_of_range(name: &str, value: &str, range: &str) -> Diagnostic {
    Diagnostic::whole(format!("the {name} {value} is out of range")).hint(format!("{name}: {range}"))
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_out_of_range_are_all_told() {
        assert_eq!(Options::default().check(), Ok(()));
        let wrong = Options {
            hidden: 0,
            epochs: usize::MAX,
            batch_size: 0,
            learning_rate: f64::NAN,
            decay: 0.0,
            momentum: 1.0,
            lambda: -0.1,
            validation: 1.0,
            initial_scale: f64::INFINITY,
            ..Options::default()
        };
        let errors = wrong.check().unwrap_err();
        assert_eq!(errors.len(), 9);
        assert_eq!(errors[0].message, "the number of hidden units 0 is out of range");
        assert_eq!(errors[5].message, "the momentum 1.0 is out of range");
        assert_eq!(errors[5].hint.as_deref(), Some("momentum: from 0 to below 1, such as 0.9"));
    }
}

//! How to train: numbers chosen by the user come in, and errors for all that make no sense go out.

use std::collections::BTreeMap;

use super::{Augmentation, Initialisation, Optimiser, ScalingKind};
use crate::diagnostic::Diagnostic;

/// The choices of a training. The defaults are for the two-layer network; those for hidden units, learning rate and λ were
/// chosen by cross-validation over ten blocks of neighbouring rows of the embedded training digits, without the test digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Numbers for the program's names: scalars such as `lambda`, and dimensions that the data do not tell, such as `H`.
    pub set: BTreeMap<String, f64>,
    /// How often all training samples are passed through, from 1.
    pub epochs: usize,
    /// The most steps, from 1, where that is less.
    pub iterations: Option<usize>,
    /// Samples of one gradient step, from 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// The rule of a step.
    pub optimiser: Optimiser,
    /// Learning rate of the first epoch, positive.
    pub learning_rate: f64,
    /// What the learning rate is multiplied by after each epoch, above 0, at most 1.
    pub decay: f64,
    /// The longest gradient: a longer one, over all parameters, is shortened to this norm.
    pub clip: Option<f64>,
    /// Where the random numbers start: of the split, the first weights and the order of samples.
    pub seed: u64,
    /// Which part of the samples is kept out to validate, from 0 to below 1; with 0 the last epoch's parameters are taken.
    pub validation: f64,
    /// Stops after so many epochs without a better validation, from 1.
    pub patience: Option<usize>,
    /// How the first weights are drawn.
    pub initialisation: Initialisation,
    /// Factor of the first weights, positive.
    pub initial_scale: f64,
    /// What is done to the features.
    pub scaling: ScalingKind,
    /// How samples are changed at random.
    pub augmentation: Augmentation,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            set: BTreeMap::from([("H".to_owned(), 128.0), ("lambda".to_owned(), 3e-4)]),
            epochs: 30,
            iterations: None,
            batch_size: 64,
            optimiser: Optimiser::Sgd { momentum: 0.9 },
            learning_rate: 0.2,
            decay: 0.95,
            clip: None,
            seed: 0,
            validation: 0.1,
            patience: None,
            initialisation: Initialisation::He,
            initial_scale: 1.0,
            scaling: ScalingKind::Common,
            augmentation: Augmentation::default(),
        }
    }
}

impl Options {
    /// With another number for a name of the program.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Options {
        self.set.insert(name.to_owned(), value);
        self
    }

    /// Whether the options make sense by themselves.
    ///
    /// # Errors
    /// All that do not, each with the range it may have.
    pub fn check(&self) -> Result<(), Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let counts = [
            ("number of epochs", Some(self.epochs)),
            ("number of iterations", self.iterations),
            ("batch size", Some(self.batch_size)),
            ("patience", self.patience),
        ];
        for (name, value) in counts {
            if let Some(value) = value.filter(|value| !(1..=MOST).contains(value)) {
                errors.push(out_of_range(name, &value.to_string(), &format!("a whole number from 1 to {MOST}")));
            }
        }
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let not_negative = |x: f64| x >= 0.0 && x.is_finite();
        let below_one = |x: f64| (0.0..1.0).contains(&x);
        let mut ranges = vec![
            ("learning rate", self.learning_rate, positive(self.learning_rate), "a positive number, such as 0.2"),
            ("decay", self.decay, self.decay > 0.0 && self.decay <= 1.0, "above 0 and at most 1; 1 keeps the rate"),
            ("validation", self.validation, below_one(self.validation), "from 0 to below 1, such as 0.1"),
            ("initial scale", self.initial_scale, positive(self.initial_scale), "a positive number, such as 1"),
            ("shift", self.augmentation.shift, not_negative(self.augmentation.shift), "from 0, such as 0.5"),
            ("jitter", self.augmentation.jitter, not_negative(self.augmentation.jitter), "from 0, such as 0.1"),
        ];
        match self.optimiser {
            Optimiser::Sgd { momentum } => {
                ranges.push(("momentum", momentum, below_one(momentum), "from 0 to below 1, such as 0.9"));
            }
            Optimiser::Adam { beta1, beta2, epsilon, weight_decay } => ranges.extend([
                ("beta1", beta1, below_one(beta1), "from 0 to below 1, such as 0.9"),
                ("beta2", beta2, below_one(beta2), "from 0 to below 1, such as 0.999"),
                ("epsilon", epsilon, positive(epsilon), "a positive number, such as 1e-8"),
                ("weight decay", weight_decay, not_negative(weight_decay), "from 0, such as 0.01"),
            ]),
        }
        if let Some(clip) = self.clip {
            ranges.push(("clipping norm", clip, positive(clip), "a positive number, such as 1"));
        }
        for (name, value, right, range) in ranges {
            if !right {
                errors.push(out_of_range(name, &format!("{value:?}"), range));
            }
        }
        if self.patience.is_some() && self.validation == 0.0 {
            errors.push(
                Diagnostic::whole("without validation samples nobody can tell when to stop")
                    .hint("leave the patience out, or keep a part of the samples out to validate"),
            );
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

/// Larger numbers are taken for a slip.
const MOST: usize = 100_000_000;

fn out_of_range(name: &str, value: &str, range: &str) -> Diagnostic {
    Diagnostic::whole(format!("the {name} {value} is out of range")).hint(format!("{name}: {range}"))
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::train::{Augmentation, Optimiser};

    #[test]
    fn options_out_of_range_are_all_told() {
        assert_eq!(Options::default().check(), Ok(()));
        let wrong = Options {
            epochs: usize::MAX,
            iterations: Some(0),
            batch_size: 0,
            learning_rate: f64::NAN,
            decay: 0.0,
            optimiser: Optimiser::Sgd { momentum: 1.0 },
            validation: 1.0,
            initial_scale: f64::INFINITY,
            clip: Some(0.0),
            patience: Some(0),
            augmentation: Augmentation { jitter: -1.0, ..Augmentation::default() },
            ..Options::default()
        };
        let errors = wrong.check().unwrap_err();
        assert_eq!(errors.len(), 11);
        assert_eq!(errors[1].message, "the number of iterations 0 is out of range");
        let momentum = errors.iter().find(|error| error.message == "the momentum 1.0 is out of range").unwrap();
        assert_eq!(momentum.hint.as_deref(), Some("momentum: from 0 to below 1, such as 0.9"));
        let wrong = Optimiser::Adam { beta1: 1.0, beta2: -1.0, epsilon: 0.0, weight_decay: -0.1 };
        let errors = Options { optimiser: wrong, ..Options::default() }.check().unwrap_err();
        assert_eq!(errors.len(), 4);
        let idle = Options { patience: Some(3), validation: 0.0, ..Options::default() }.check().unwrap_err();
        assert_eq!(idle[0].message, "without validation samples nobody can tell when to stop");
    }
}

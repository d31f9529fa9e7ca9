//! The training loop: a network, samples and options come in; a model, its history and progress on the way go out. One
//! gradient step for each batch, all gradients by [`Network::call`]. The loop does not know the time and ends by itself.

use super::parameters::descend;
use super::random::{Purpose, Random};
use super::{Call, Network, Options, Parameters, Samples, Scaling};
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// Where a training stands after a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// How many epochs there will be.
    pub epochs: usize,
    /// The batch of this epoch, from 1.
    pub batch: usize,
    /// How many batches an epoch has.
    pub batches: usize,
    /// Samples passed through since the start.
    pub samples: usize,
    /// Samples passed through at the end of the last epoch.
    pub total: usize,
    /// Mean loss of this epoch so far.
    pub loss: f64,
    /// Which part of this epoch's samples so far was classified right before its step.
    pub accuracy: f64,
    /// Accuracy on the validation samples after the last epoch that ended.
    pub validation: Option<f64>,
}

/// What an epoch gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Mean loss over the batches, each before its step.
    pub loss: f64,
    /// Accuracy over the training samples, each before its step.
    pub accuracy: f64,
    /// Accuracy on the validation samples at the end, if there are any.
    pub validation: Option<f64>,
    /// The learning rate.
    pub learning_rate: f64,
}

/// A trained network: all that is needed to predict.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// Its parameters.
    pub parameters: Parameters,
    /// What is done to features first.
    pub scaling: Scaling,
}

/// The outcome of a training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model with the parameters of the best epoch.
    pub model: Model,
    /// What each epoch gave.
    pub history: Vec<Epoch>,
    /// Which epoch's parameters were taken, from 1: the last of those with the best validation accuracy; without validation
    /// the last.
    pub best_epoch: usize,
    /// The samples trained on.
    pub training: Samples,
    /// The samples kept out to validate, if any.
    pub validation: Option<Samples>,
}

/// Trains by mini-batch gradient descent with momentum; `watch` is told after each batch.
///
/// # Errors
/// Options out of range, too few samples to keep some out, and a training that diverges, with advice.
pub fn train(
    network: &Network,
    samples: &Samples,
    options: &Options,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Trained, Vec<Diagnostic>> {
    options.check()?;
    let (training, validation) = split(samples, options).map_err(|error| vec![error])?;
    let scaling = Scaling::of(training.features());
    let (columns, classes) = (training.features().columns(), samples.classes());
    let gain = network.activation().gain();
    let parameters = Parameters::random(columns, options.hidden, classes, gain, options.initial_scale, options.seed);
    let model = Model { network: network.clone(), parameters, scaling };
    let mut run = Run::new(model, training, validation, options).map_err(|error| vec![error])?;
    for epoch in 1..=options.epochs {
        run.epoch(epoch, options, watch).map_err(|error| vec![error])?;
    }
    run.model.parameters = run.best;
    Ok(Trained {
        model: run.model,
        history: run.history,
        best_epoch: run.best_epoch,
        training: run.training,
        validation: run.validation,
    })
}

/// Training and validation samples, by random places.
fn split(samples: &Samples, options: &Options) -> Result<(Samples, Option<Samples>), Diagnostic> {
    let count = (samples.len() as f64 * options.validation).round() as usize;
    if count >= samples.len() {
        return Err(Diagnostic::whole(format!(
            "of {} samples, {count} are kept out to validate and none is left to train",
            samples.len()
        ))
        .hint("take a smaller validation part"));
    }
    let mut places: Vec<usize> = (0..samples.len()).collect();
    Random::new(options.seed, Purpose::Split).shuffle(&mut places);
    let (kept_out, rest) = places.split_at(count);
    Ok((samples.select(rest), (count > 0).then(|| samples.select(kept_out))))
}

/// A training under way.
struct Run {
    model: Model,
    training: Samples,
    validation: Option<Samples>,
    /// The training samples with scaled features.
    scaled: Samples,
    velocity: Parameters,
    random: Random,
    history: Vec<Epoch>,
    best: Parameters,
    best_epoch: usize,
    learning_rate: f64,
    /// The largest mean loss of an epoch that is not taken for divergence, known after the first batch.
    largest_loss: Option<f64>,
}

impl Run {
    fn new(model: Model, training: Samples, validation: Option<Samples>, options: &Options) -> Result<Run, Diagnostic> {
        let scaled = training.scaled(&model.scaling)?;
        let (features, classes) = (training.features().columns(), training.classes());
        Ok(Run {
            velocity: Parameters::zeros(features, options.hidden, classes),
            random: Random::new(options.seed, Purpose::Shuffling),
            history: Vec::new(),
            best: model.parameters.clone(),
            best_epoch: 0,
            learning_rate: options.learning_rate,
            largest_loss: None,
            model,
            training,
            validation,
            scaled,
        })
    }

    fn epoch(&mut self, epoch: usize, options: &Options, watch: &mut dyn FnMut(&Progress)) -> Result<(), Diagnostic> {
        let count = self.scaled.len();
        let mut places: Vec<usize> = (0..count).collect();
        self.random.shuffle(&mut places);
        let mut validation = self.history.last().and_then(|epoch| epoch.validation);
        let (mut seen, mut loss_sum, mut right) = (0, 0.0, 0);
        for (batch, places) in places.chunks(options.batch_size).enumerate() {
            let samples = self.scaled.select(places);
            let labels = samples.labels();
            let called =
                self.model.network.call(&self.model.parameters, samples.features(), Some(labels), options.lambda);
            let (loss, gradients, scores) = match called {
                Ok(Call::Loss { loss, gradients, scores }) => (loss, gradients, scores),
                Ok(Call::Scores(_)) => unreachable!("labels were given"),
                Err(error) => return Err(self.diverged(epoch, &error.message, options)),
            };
            let largest = *self.largest_loss.get_or_insert(GROWTH * (loss + (scores.columns() as f64).ln()));
            descend(&mut self.model.parameters, &mut self.velocity, &gradients, self.learning_rate, options.momentum);
            if !self.model.parameters.is_finite() {
                return Err(self.diverged(epoch, "the parameters are too large for a number", options));
            }
            seen += places.len();
            loss_sum += loss * places.len() as f64;
            right += largest_places(&scores).iter().zip(labels).filter(|(a, b)| a == b).count();
            let (loss, accuracy) = (loss_sum / seen as f64, right as f64 / seen as f64);
            if seen == count {
                if loss > largest {
                    return Err(self.diverged(epoch, &format!("the loss grew to {loss:.3e}"), options));
                }
                validation = self.end_epoch(loss, accuracy, options)?;
            }
            watch(&Progress {
                epoch,
                epochs: options.epochs,
                batch: batch + 1,
                batches: count.div_ceil(options.batch_size),
                samples: (epoch - 1) * count + seen,
                total: options.epochs * count,
                loss,
                accuracy,
                validation,
            });
        }
        Ok(())
    }

    /// Validates, remembers what is best, and lowers the learning rate.
    fn end_epoch(&mut self, loss: f64, accuracy: f64, options: &Options) -> Result<Option<f64>, Diagnostic> {
        let validation = match &self.validation {
            Some(samples) => Some(self.model.accuracy(samples)?),
            None => None,
        };
        let best = self.history.iter().filter_map(|epoch| epoch.validation).fold(0.0, f64::max);
        self.history.push(Epoch { loss, accuracy, validation, learning_rate: self.learning_rate });
        if validation.is_none_or(|accuracy| accuracy >= best) {
            self.best.clone_from(&self.model.parameters);
            self.best_epoch = self.history.len();
        }
        self.learning_rate *= options.decay;
        Ok(validation)
    }

    fn diverged(&self, epoch: usize, why: &str, options: &Options) -> Diagnostic {
        let advice = format!(
            "take a smaller learning rate than {:?}; momentum, lambda or the initial scale may be too large as well",
            options.learning_rate
        );
        Diagnostic::whole(format!("the training diverged in epoch {epoch}: {why}")).hint(advice)
    }
}

/// A mean loss this many times the first batch's loss is divergence.
const GROWTH: f64 = 100.0;
/// Rows scored at once.
const ROWS: usize = 256;

impl Model {
    /// The scores of features as they come, N×C.
    ///
    /// # Errors
    /// Another number of columns than trained on; a number that is infinite or NaN.
    pub fn scores(&self, features: &Matrix) -> Result<Matrix, Diagnostic> {
        let scaled = self.scaling.apply(features)?;
        let (columns, classes) = (scaled.columns(), self.parameters.w2.columns());
        let mut entries = Vec::with_capacity(scaled.rows() * classes);
        for rows in scaled.entries().chunks(ROWS * columns) {
            let rows = Matrix::new(rows.len() / columns, columns, rows.to_vec());
            match self.network.call(&self.parameters, &rows, None, 0.0)? {
                Call::Scores(scores) => entries.extend_from_slice(scores.entries()),
                Call::Loss { .. } => unreachable!("no labels were given"),
            }
        }
        Ok(Matrix::new(scaled.rows(), classes, entries))
    }

    /// The class with the largest score of each row, the first of equal ones.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn predict(&self, features: &Matrix) -> Result<Vec<i64>, Diagnostic> {
        Ok(largest_places(&self.scores(features)?))
    }

    /// Which part of the samples is classified right.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn accuracy(&self, samples: &Samples) -> Result<f64, Diagnostic> {
        let predicted = self.predict(samples.features())?;
        let right = predicted.iter().zip(samples.labels()).filter(|(predicted, label)| predicted == label).count();
        Ok(right as f64 / samples.len() as f64)
    }
}

/// How often samples of class i (row) were taken for class j (column).
pub fn confusion(predicted: &[i64], samples: &Samples) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; samples.classes()]; samples.classes()];
    for (&predicted, &label) in predicted.iter().zip(samples.labels()) {
        counts[label as usize][predicted as usize] += 1;
    }
    counts
}

/// The column of the largest entry of each row, the first of equal ones.
fn largest_places(scores: &Matrix) -> Vec<i64> {
    let rows = scores.entries().chunks_exact(scores.columns());
    rows.map(|row| {
        let first = (0, f64::NEG_INFINITY);
        let best =
            row.iter().enumerate().fold(first, |best, (j, &score)| if score > best.1 { (j, score) } else { best });
        best.0 as i64
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::{Trained, confusion, train};
    use crate::derivation::Detail;
    use crate::diagnostic::Diagnostic;
    use crate::matrix::Matrix;
    use crate::train::{Activation, Network, Options, Samples, digits};

    fn network() -> Network {
        Network::derive(Activation::Relu, Detail::None).unwrap()
    }

    fn few() -> Options {
        Options { hidden: 12, epochs: 4, batch_size: 32, learning_rate: 0.1, ..Options::default() }
    }

    fn trained(samples: &Samples, options: &Options) -> Result<Trained, Vec<Diagnostic>> {
        train(&network(), samples, options, &mut |_| ())
    }

    fn message(samples: &Samples, options: &Options) -> String {
        trained(samples, options).unwrap_err()[0].message.clone()
    }

    #[test]
    fn training_lowers_the_loss_and_is_the_same_for_the_same_seed() {
        let samples = digits::training().first(400);
        let mut told = Vec::new();
        let first = train(&network(), &samples, &few(), &mut |progress| told.push(progress.clone())).unwrap();
        let again = trained(&samples, &few()).unwrap();
        assert_eq!((&first.model.parameters, &first.history), (&again.model.parameters, &again.history));
        let other = trained(&samples, &Options { seed: 1, ..few() }).unwrap();
        assert_ne!(first.model.parameters, other.model.parameters);
        let losses: Vec<f64> = first.history.iter().map(|epoch| epoch.loss).collect();
        assert!(losses.windows(2).all(|pair| pair[1] < pair[0]) && losses[3] < 0.5 * losses[0], "{losses:?}");
        assert_eq!((first.training.len(), first.validation.as_ref().unwrap().len()), (360, 40));
        let validation = first.history[first.best_epoch - 1].validation.unwrap();
        assert_eq!(first.model.accuracy(first.validation.as_ref().unwrap()).unwrap(), validation);
        assert!(first.history.iter().all(|epoch| epoch.validation.unwrap() <= validation));
        assert_eq!(told.len(), 4 * 12);
        let last = told.last().unwrap();
        assert_eq!((last.epoch, last.batch, last.batches, last.samples, last.total), (4, 12, 12, 1440, 1440));
        assert_eq!((last.loss, last.validation), (first.history[3].loss, first.history[3].validation));
        let rates: Vec<f64> = first.history.iter().map(|epoch| epoch.learning_rate).collect();
        assert!((rates[3] - 0.1 * 0.95f64.powi(3)).abs() < 1e-15);
    }

    #[test]
    fn digits_of_unknown_writers_are_recognised() {
        let options = Options { hidden: 32, epochs: 4, ..Options::default() };
        let trained = trained(&digits::training().first(1500), &options).unwrap();
        let test = digits::test();
        let accuracy = trained.model.accuracy(&test).unwrap();
        assert!(accuracy > 0.88, "{accuracy}");
        let counts = confusion(&trained.model.predict(test.features()).unwrap(), &test);
        assert_eq!(counts.iter().flatten().sum::<usize>(), 1797);
        let right: usize = (0..10).map(|digit| counts[digit][digit]).sum();
        assert_eq!(right as f64 / 1797.0, accuracy);
        // Rows are the true digits.
        assert_eq!(counts[0].iter().sum::<usize>(), 178);
    }

    #[test]
    fn huge_and_constant_features_train_to_finite_numbers() {
        let labels: Vec<i64> = (0..60).map(|i| i % 3).collect();
        for (size, shift) in [(1e300, 0.0), (1e-300, 0.0), (0.0, 0.0), (0.0, 1e300), (1.0, 1e9)] {
            let features = Matrix::from_fn(60, 2, |i, j| shift + size * ((i % 3) as f64 - 0.5 * j as f64));
            let samples = Samples::new(features, labels.clone(), 3).unwrap();
            let trained = trained(&samples, &few()).unwrap();
            assert!(trained.model.parameters.is_finite());
            assert!(trained.history.iter().all(|epoch| epoch.loss.is_finite()), "{size} {shift}");
            if size > 0.0 {
                assert_eq!(trained.model.accuracy(&samples).unwrap(), 1.0, "{size} {shift}");
            }
        }
    }

    #[test]
    fn divergence_is_an_error_with_advice() {
        let samples = digits::training().first(200);
        for learning_rate in [1e3, 1e200] {
            let errors = trained(&samples, &Options { learning_rate, ..few() }).unwrap_err();
            assert!(errors[0].message.starts_with("the training diverged in epoch "), "{errors:?}");
            let advice = format!("take a smaller learning rate than {learning_rate:?}; ");
            assert!(errors[0].hint.as_ref().unwrap().starts_with(&advice), "{errors:?}");
        }
    }

    #[test]
    fn what_cannot_be_split_or_is_out_of_range_is_an_error() {
        let samples = digits::training().first(3);
        let none_left = Options { validation: 0.9, ..few() };
        assert_eq!(message(&samples, &none_left), "of 3 samples, 3 are kept out to validate and none is left to train");
        assert_eq!(message(&samples, &Options { epochs: 0, ..few() }), "the number of epochs 0 is out of range");
        let all = trained(&samples, &Options { validation: 0.0, ..few() }).unwrap();
        assert_eq!((all.training.len(), all.validation, all.best_epoch), (3, None, 4));
        let other = all.model.predict(&Matrix::zeros(2, 63)).unwrap_err();
        assert_eq!(other.message, "the features have 63 columns; the network takes 64");
    }
}

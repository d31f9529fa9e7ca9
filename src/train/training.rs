//! The training: a program, samples and options come in; a step at a time is done, and in the end a model and its history
//! go out. Where it stands is a value that can be stored, and from which it goes on as if it had never stopped. The training
//! knows neither time nor files, and ends by itself.

use std::sync::Arc;

use super::augment::Chance;
use super::divergence::{check_range, diverged};
use super::model::{Model, largest_places};
use super::optimiser::{Memory, clip, descend};
use super::random::{Purpose, Random};
use super::samples::Targets;
use super::{Bindings, Objective, Options, Parameters, Samples, Scaling};
use crate::diagnostic::Diagnostic;

/// Where a training stands after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// How many epochs there will be at most.
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
    /// Which part of this epoch's samples so far was classified right before its step, where there are classes.
    pub accuracy: Option<f64>,
    /// What the last epoch that ended gave.
    pub last: Option<Epoch>,
}

/// What an epoch gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Mean loss over the batches, each before its step.
    pub loss: f64,
    /// Accuracy over the training samples, each before its step, where there are classes.
    pub accuracy: Option<f64>,
    /// Loss on the validation samples at the end, if there are any.
    pub validation_loss: Option<f64>,
    /// Accuracy on them, where there are classes.
    pub validation_accuracy: Option<f64>,
    /// The learning rate.
    pub learning_rate: f64,
}

/// Where a training stands: with the samples and the options all that is needed to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The parameters now.
    pub parameters: Parameters,
    /// What the optimiser remembers.
    pub memory: Memory,
    /// The best parameters so far.
    pub best: Parameters,
    /// Which epoch they are of, from 1; 0 before the first ended.
    pub best_epoch: usize,
    /// What each epoch gave that ended.
    pub history: Vec<Epoch>,
    /// Batches done of the epoch under way.
    pub batch: usize,
    /// Samples of those.
    pub seen: usize,
    /// Sum of their losses.
    pub loss_sum: f64,
    /// How many of them were classified right.
    pub right: usize,
    /// The learning rate now.
    pub learning_rate: f64,
    /// The largest mean loss of an epoch that is not taken for divergence, known after the first batch.
    pub largest_loss: Option<f64>,
}

/// A training under way.
#[derive(Debug)]
pub struct Training {
    objective: Arc<Objective>,
    options: Options,
    bindings: Bindings,
    scaling: Scaling,
    training: Samples,
    validation: Option<Samples>,
    state: State,
    /// The order of the samples in the epoch under way.
    order: Vec<usize>,
}

/// The outcome of a training.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model with the parameters of the best epoch.
    pub model: Model,
    /// What each epoch gave.
    pub history: Vec<Epoch>,
    /// Which epoch's parameters were taken, from 1: the last of those with the best validation, by accuracy where there are
    /// classes and else by loss; without validation the last. 0 where none ended.
    pub best_epoch: usize,
    /// The samples trained on.
    pub training: Samples,
    /// The samples kept out to validate, if any.
    pub validation: Option<Samples>,
}

/// Trains to the end; `watch` is told after each step.
///
/// # Errors
/// As [`Training::new`] and [`Training::step`].
pub fn train(
    objective: &Arc<Objective>,
    samples: &Samples,
    options: &Options,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Trained, Vec<Diagnostic>> {
    let mut training = Training::new(objective, samples, options)?;
    while !training.is_finished() {
        watch(&training.step().map_err(|error| vec![error])?);
    }
    Ok(training.finish())
}

impl Training {
    /// Before the first step: samples are kept out to validate, the scaling is learnt on the rest, and the first parameters
    /// are drawn.
    ///
    /// # Errors
    /// Options out of range, data that do not fit the program or the precision, too few samples to keep some out.
    pub fn new(objective: &Arc<Objective>, samples: &Samples, options: &Options) -> Result<Training, Vec<Diagnostic>> {
        options.check()?;
        let mut options = options.clone();
        if objective.takes_all_samples() {
            // A parameter has a row for each sample: none can be left out of a step.
            options.validation = 0.0;
            options.batch_size = samples.len();
        }
        let one = |error| vec![error];
        let (training, validation) = samples.split(options.validation, options.seed).map_err(one)?;
        let bindings = objective.bindings(&training, &options.set)?;
        options.augmentation.check(training.columns()).map_err(one)?;
        let scaling = Scaling::learn(options.scaling, &training);
        check_range(samples, &scaling, objective.precision()).map_err(one)?;
        let parameters = objective.initial(&bindings, &options);
        let state = State {
            memory: Memory::new(&parameters),
            best: parameters.clone(),
            parameters,
            best_epoch: 0,
            history: Vec::new(),
            batch: 0,
            seen: 0,
            loss_sum: 0.0,
            right: 0,
            learning_rate: options.learning_rate,
            largest_loss: None,
        };
        let objective = Arc::clone(objective);
        let mut out =
            Training { objective, options, bindings, scaling, training, validation, state, order: Vec::new() };
        out.draw_order();
        Ok(out)
    }

    /// From where another training of the same program, samples and options stood: it goes on bit for bit as that would
    /// have.
    ///
    /// # Errors
    /// As [`Training::new`]; a state that cannot be of this training.
    pub fn resume(
        objective: &Arc<Objective>,
        samples: &Samples,
        options: &Options,
        state: State,
    ) -> Result<Training, Vec<Diagnostic>> {
        let mut training = Training::new(objective, samples, options)?;
        let shapes = |parameters: &Parameters| {
            parameters.named().map(|(name, matrix)| (name.to_owned(), matrix.shape())).collect::<Vec<_>>()
        };
        let own = shapes(&training.state.parameters);
        let all = [&state.parameters, &state.best, &state.memory.first, &state.memory.second];
        if all.iter().any(|parameters| shapes(parameters) != own) {
            return Err(vec![Diagnostic::whole("the parameters to go on from are not those of this program and data")]);
        }
        let seen = (state.batch * training.options.batch_size).min(training.training.len());
        if state.history.len() > training.options.epochs || state.batch >= training.batches() || state.seen != seen {
            return Err(vec![Diagnostic::whole("the place to go on from is not within this training")]);
        }
        training.state = state;
        training.draw_order();
        Ok(training)
    }

    /// Whether there is no step left: all epochs or iterations are done, or no epoch was better for as long as the patience
    /// lasts.
    pub fn is_finished(&self) -> bool {
        let state = &self.state;
        let ended = state.history.len();
        ended >= self.options.epochs
            || self.options.iterations.is_some_and(|iterations| state.memory.steps >= iterations)
            || (state.batch == 0
                && self.options.patience.is_some_and(|patience| ended - state.best_epoch.min(ended) >= patience))
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The options as they are carried out.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The samples trained on.
    pub fn training(&self) -> &Samples {
        &self.training
    }

    /// The samples kept out.
    pub fn validation(&self) -> Option<&Samples> {
        self.validation.as_ref()
    }

    /// The model with the best parameters so far; with those of now before the first epoch ended. They are rounded to the
    /// precision that the program is computed in.
    pub fn model(&self) -> Model {
        let state = &self.state;
        let parameters = if state.best_epoch == 0 { &state.parameters } else { &state.best };
        Model {
            objective: Arc::clone(&self.objective),
            parameters: parameters.rounded(self.objective.precision()),
            scaling: self.scaling.clone(),
            bindings: self.bindings.clone(),
        }
    }

    /// The model and what it came from, at any time.
    pub fn finish(self) -> Trained {
        let model = self.model();
        Trained {
            model,
            history: self.state.history,
            best_epoch: self.state.best_epoch,
            training: self.training,
            validation: self.validation,
        }
    }

    /// One gradient step, and at the end of an epoch its validation.
    ///
    /// # Errors
    /// A training that diverges, with advice; a program that has no value at the parameters it came to.
    ///
    /// # Panics
    /// If the training is finished.
    pub fn step(&mut self) -> Result<Progress, Diagnostic> {
        assert!(!self.is_finished(), "a finished training has no further step");
        let (count, size) = (self.training.len(), self.options.batch_size);
        let epoch = self.state.history.len() + 1;
        let start = self.state.batch * size;
        let places = &self.order[start..(start + size).min(count)];
        let mut chance = Chance::of(self.options.seed, self.state.memory.steps);
        let augmentation = &self.options.augmentation;
        let changed = (!augmentation.is_none()).then_some((augmentation, &mut chance));
        let batch = self.training.batch(places, &self.scaling, changed)?;
        let called = self.objective.step(&self.state.parameters, &batch, &self.bindings);
        let (loss, mut gradients, scores) = match called {
            Ok(called) => called,
            Err(error) => return Err(self.diverged(epoch, &error.message)),
        };
        if let Some(largest) = self.options.clip {
            clip(&mut gradients, largest);
        }
        let state = &mut self.state;
        // For probabilities the loss of a blind guess is log C; for anything else there is only what it started with.
        let guess = self.training.classes().map_or(0.0, |classes| (classes as f64).ln());
        let largest = *state.largest_loss.get_or_insert(GROWTH * (loss.abs() + guess));
        descend(
            &self.options.optimiser,
            &mut state.parameters,
            &mut state.memory,
            gradients.values(),
            state.learning_rate,
        );
        state.batch += 1;
        state.seen += places.len();
        state.loss_sum += loss * places.len() as f64;
        if let (Targets::Labels { labels, .. }, Some(scores)) = (&batch.targets, &scores) {
            state.right += largest_places(scores).iter().zip(labels).filter(|(a, b)| a == b).count();
        }
        let seen = state.seen as f64;
        let (loss, right) = (state.loss_sum / seen, state.right as f64 / seen);
        let accuracy = (self.training.classes().is_some() && scores.is_some()).then_some(right);
        if !state.parameters.is_finite() {
            return Err(self.diverged(epoch, "the parameters are too large for a number"));
        }
        let (batch, seen) = (self.state.batch, self.state.seen);
        if seen == count {
            if loss > largest && largest > 0.0 {
                return Err(self.diverged(epoch, &format!("the loss grew to {loss:.3e}")));
            }
            self.end_epoch(loss, accuracy)?;
        }
        Ok(Progress {
            epoch,
            epochs: self.options.epochs,
            batch,
            batches: self.batches(),
            samples: (epoch - 1) * count + seen,
            total: self.total(),
            loss,
            accuracy,
            last: self.state.history.last().cloned(),
        })
    }

    /// Batches of an epoch.
    fn batches(&self) -> usize {
        self.training.len().div_ceil(self.options.batch_size)
    }

    /// Samples that will be passed through at most.
    fn total(&self) -> usize {
        let (count, size) = (self.training.len(), self.options.batch_size);
        let all = self.options.epochs.saturating_mul(count);
        match self.options.iterations {
            Some(iterations) => {
                let whole = (iterations / self.batches()).saturating_mul(count);
                all.min(whole.saturating_add((iterations % self.batches()).saturating_mul(size).min(count)))
            }
            None => all,
        }
    }

    fn draw_order(&mut self) {
        self.order = (0..self.training.len()).collect();
        if !self.objective.takes_all_samples() {
            Random::new(self.options.seed, Purpose::Order { epoch: self.state.history.len() }).shuffle(&mut self.order);
        }
    }

    /// Validates, remembers what is best, and lowers the learning rate.
    fn end_epoch(&mut self, loss: f64, accuracy: Option<f64>) -> Result<(), Diagnostic> {
        let (mut validation_loss, mut validation_accuracy) = (None, None);
        if let Some(samples) = &self.validation {
            let model = Model { parameters: self.state.parameters.clone(), ..self.model() };
            let measured = model.measure(samples)?;
            validation_loss = Some(measured.loss);
            if samples.classes().is_some() && measured.scores.is_some() {
                let labels = samples.labels();
                let right = measured.predicted().iter().zip(&labels).filter(|(a, b)| a == b).count();
                validation_accuracy = Some(right as f64 / labels.len() as f64);
            }
        }
        let state = &mut self.state;
        let best = state.best_epoch.checked_sub(1).map(|place| &state.history[place]);
        let better = match (best, validation_accuracy, validation_loss) {
            (None, ..) | (_, None, None) => true,
            (Some(best), Some(accuracy), _) => Some(accuracy) >= best.validation_accuracy,
            (Some(best), None, Some(loss)) => best.validation_loss.is_none_or(|least| loss <= least),
        };
        let learning_rate = state.learning_rate;
        state.history.push(Epoch { loss, accuracy, validation_loss, validation_accuracy, learning_rate });
        if better {
            state.best.clone_from(&state.parameters);
            state.best_epoch = state.history.len();
        }
        state.learning_rate *= self.options.decay;
        (state.batch, state.seen, state.loss_sum, state.right) = (0, 0, 0.0, 0);
        self.draw_order();
        Ok(())
    }

    fn diverged(&self, epoch: usize, why: &str) -> Diagnostic {
        diverged(&self.training, &self.scaling, self.options.learning_rate, (epoch, why))
    }
}

/// A mean loss this many times the first batch's loss is divergence.
const GROWTH: f64 = 100.0;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Trained, Training, train};
    use crate::derivation::Detail;
    use crate::diagnostic::Diagnostic;
    use crate::matrix::Matrix;
    use crate::plan::Precision;
    use crate::train::{
        Activation, Augmentation, Confusion, ImageShape, Names, Objective, Optimiser, Options, Samples, Targets, digits,
    };

    fn network() -> Arc<Objective> {
        Arc::new(Objective::two_layer(Activation::Relu, Detail::None).unwrap())
    }

    fn few() -> Options {
        Options { epochs: 4, batch_size: 32, learning_rate: 0.1, ..Options::default() }.with("H", 12.0)
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
        let validation = first.history[first.best_epoch - 1].validation_accuracy;
        assert_eq!(first.model.accuracy(first.validation.as_ref().unwrap()).ok(), validation);
        assert!(first.history.iter().all(|epoch| epoch.validation_accuracy <= validation));
        assert_eq!(told.len(), 4 * 12);
        let last = told.last().unwrap();
        assert_eq!((last.epoch, last.batch, last.batches, last.samples, last.total), (4, 12, 12, 1440, 1440));
        assert_eq!((last.loss, last.last.as_ref()), (first.history[3].loss, first.history.last()));
        let rates: Vec<f64> = first.history.iter().map(|epoch| epoch.learning_rate).collect();
        assert!((rates[3] - 0.1 * 0.95f64.powi(3)).abs() < 1e-15);
    }

    #[test]
    fn a_training_goes_on_bit_for_bit_from_any_step() {
        let samples = digits::training().first(150);
        let image = ImageShape { rows: 8, columns: 8, channels: 1, planar: false };
        let augmentation = Augmentation { shift: 1.0, jitter: 0.1, image: Some(image) };
        let adam = Options { optimiser: Optimiser::ADAM, learning_rate: 0.01, augmentation, clip: Some(1.0), ..few() };
        for options in [few(), adam] {
            let whole = trained(&samples, &options).unwrap();
            for stop in [1, 4, 5, 7, 12, 19] {
                let mut training = Training::new(&network(), &samples, &options).unwrap();
                for _ in 0..stop {
                    training.step().unwrap();
                }
                let state = training.state().clone();
                let mut training = Training::resume(&network(), &samples, &options, state).unwrap();
                while !training.is_finished() {
                    training.step().unwrap();
                }
                let resumed = training.finish();
                assert_eq!(resumed.model.parameters, whole.model.parameters, "after {stop} steps");
                assert_eq!((&resumed.history, resumed.best_epoch), (&whole.history, whole.best_epoch));
            }
        }
        let state = Training::new(&network(), &samples, &few()).unwrap().state().clone();
        let wrong = Training::resume(&network(), &samples, &few().with("H", 13.0), state.clone()).unwrap_err();
        assert_eq!(wrong[0].message, "the parameters to go on from are not those of this program and data");
        let outside = super::State { batch: 3, ..state };
        let wrong = Training::resume(&network(), &samples, &few(), outside).unwrap_err();
        assert_eq!(wrong[0].message, "the place to go on from is not within this training");
    }

    #[test]
    fn iterations_and_patience_end_a_training() {
        let samples = digits::training().first(150);
        let mut steps = 0;
        let options = Options { iterations: Some(7), ..few() };
        let short = train(&network(), &samples, &options, &mut |progress| {
            steps += 1;
            assert_eq!(progress.total, 135 + 2 * 32);
        });
        assert_eq!((steps, short.unwrap().history.len()), (7, 1));
        // A rate that moves nothing: no epoch is better than the first, but as good.
        let still = Options { learning_rate: 1e-300, epochs: 50, patience: Some(3), ..few() };
        assert_eq!(trained(&samples, &still).unwrap().history.len(), 50);
        let patient = Options { epochs: 200, learning_rate: 0.3, decay: 1.0, patience: Some(3), ..few() };
        let stopped = trained(&samples, &patient).unwrap();
        assert_eq!(stopped.history.len(), stopped.best_epoch + 3);
        assert!(stopped.history.len() < 200);
    }

    #[test]
    fn digits_of_unknown_writers_are_recognised() {
        let options = Options { epochs: 4, ..Options::default() }.with("H", 32.0);
        let trained = trained(&digits::training().first(1500), &options).unwrap();
        let test = digits::test();
        let accuracy = trained.model.accuracy(&test).unwrap();
        assert!(accuracy > 0.88, "{accuracy}");
        let predicted = trained.model.predict(&test.features()).unwrap();
        let confusion = Confusion::new(&test.labels(), &predicted, 10);
        assert_eq!((confusion.total(), confusion.accuracy()), (1797, accuracy));
        // Rows are the true digits.
        assert_eq!(confusion.support(0), 178);
        let probabilities = trained.model.probabilities(&test.first(9).features()).unwrap();
        for (row, &class) in probabilities.entries().chunks_exact(10).zip(&predicted) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(row.iter().all(|&probability| probability <= row[class as usize]));
        }
    }

    #[test]
    fn any_loss_is_trained() {
        // Least squares, whose solution is known: y = 2 x1 - x2 + 0.5.
        let source = "X: matrix(m, n); y: vector(m); w: vector(n); b: scalar\nz = X*w + b\n\
                      L = 1/m*normsq(z - y)\ngrad L wrt w, b";
        let objective = Arc::new(Objective::derive(source, &Names::default(), Detail::None).unwrap());
        let features = Matrix::from_fn(40, 2, |i, j| ((7 * i + 5 * j + i * j) % 13) as f64 / 6.0 - 1.0);
        let targets = Matrix::from_fn(40, 1, |i, _| 2.0 * features.at(i, 0) - features.at(i, 1) + 0.5);
        let samples = Samples::of(Arc::new(features.clone()), Targets::Values(targets), Vec::new()).unwrap();
        let options = Options {
            set: std::collections::BTreeMap::new(),
            epochs: 400,
            batch_size: 16,
            decay: 1.0,
            scaling: crate::train::ScalingKind::None,
            ..Options::default()
        };
        let trained = train(&objective, &samples, &options, &mut |_| ()).unwrap();
        let w = trained.model.parameters.get("w").unwrap();
        assert!((w.at(0, 0) - 2.0).abs() < 1e-6 && (w.at(1, 0) + 1.0).abs() < 1e-6, "{w:?}");
        let b = trained.model.parameters.get("b").unwrap().at(0, 0);
        assert!((b - 0.5).abs() < 1e-6);
        assert_eq!(trained.history[0].accuracy, None);
        let losses: Vec<f64> = trained.history.iter().filter_map(|epoch| epoch.validation_loss).collect();
        assert!(losses[trained.best_epoch - 1] <= losses.iter().copied().fold(f64::INFINITY, f64::min));
        // Factors of a matrix of rank 2 take all rows at a time.
        let source = "X: matrix(m, n); U: matrix(m, k); V: matrix(n, k); L = normsq(X - U*V'); grad L wrt U, V";
        let objective = Arc::new(Objective::derive(source, &Names::default(), Detail::None).unwrap());
        let low = Matrix::from_fn(9, 7, |i, j| (i as f64 - 4.0) * 0.2 + ((i * i) % 5) as f64 * j as f64 * 0.1);
        let samples = Samples::of(Arc::new(low), Targets::None, Vec::new()).unwrap();
        let options = Options { learning_rate: 0.01, epochs: 3000, ..options }.with("k", 2.0);
        let trained = train(&objective, &samples, &options, &mut |_| ()).unwrap();
        assert!(trained.history.last().unwrap().loss < 1e-8, "{:?}", trained.history.last());
    }

    #[test]
    fn huge_and_constant_features_train_to_finite_numbers() {
        let labels: Vec<i64> = (0..60).map(|i| i % 3).collect();
        for (size, shift) in [(1e300, 0.0), (1e-300, 0.0), (0.0, 0.0), (0.0, 1e300), (1.0, 1e9)] {
            let features = Matrix::from_fn(60, 2, |i, j| shift + size * ((i % 3) as f64 - 0.5 * j as f64));
            let samples = Samples::new(features, &labels, 3).unwrap();
            let trained = trained(&samples, &few()).unwrap();
            assert!(trained.model.parameters.is_finite());
            assert!(trained.history.iter().all(|epoch| epoch.loss.is_finite()), "{size} {shift}");
            if size > 0.0 {
                assert_eq!(trained.model.accuracy(&samples).unwrap(), 1.0, "{size} {shift}");
            }
        }
    }

    #[test]
    fn a_training_in_single_precision_gives_a_model_of_single_precision() {
        let samples = digits::training().first(400);
        let objective = Objective::two_layer(Activation::Relu, Detail::None).unwrap();
        let objective = Arc::new(objective.with_threads(2).with_precision(Precision::Single));
        let single = train(&objective, &samples, &few(), &mut |_| ()).unwrap();
        let double = trained(&samples, &few()).unwrap();
        assert_ne!(single.model.parameters, double.model.parameters);
        for (single, double) in single.model.parameters.values().iter().zip(double.model.parameters.values()) {
            assert!(single.entries().iter().all(|&x| f64::from(x as f32) == x));
            assert!(single.subtract(double).max_abs() < 1e-2 * double.max_abs());
        }
        let huge = Samples::new(Matrix::from_fn(40, 1, |i, _| 1e39 * i as f64), &[0, 1].repeat(20), 2).unwrap();
        let unscaled = Options { scaling: crate::train::ScalingKind::None, ..few() };
        let message = train(&objective, &huge, &unscaled, &mut |_| ()).unwrap_err().remove(0).message;
        assert_eq!(message, "the features are as large as 3.9e40, which is too large for a 32-bit number");
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
        assert_eq!((all.training.len(), all.validation.is_none(), all.best_epoch), (3, true, 4));
        let other = all.model.predict(&Matrix::zeros(2, 63)).unwrap_err();
        assert_eq!(other.message, "the features have 63 columns; the model takes 64");
    }
}

//! A program whose loss is to be made small, and the one call around it: parameters and features come in; scores go out, or
//! a loss with its gradients. What the gradients are is derived by [`crate::answer`] when the objective is made; here they
//! are only put to numbers. No number that is infinite or NaN leaves.

use std::collections::BTreeMap;

use super::activation::two_layer;
use super::bindings::{Bindings, Fact};
use super::engine::{At, Engine};
use super::initial::{Drawn, draw};
use super::roles::{Meaning, Names, Role, Roles, find};
use super::samples::{Batch, Targets, check_finite, checked_labels};
use super::{Activation, Options, Parameters};
use crate::answer::{Answer, answer};
use crate::derivation::Detail;
use crate::diagnostic::Diagnostic;
use crate::elaborate::Variable;
use crate::matrix::Matrix;
use crate::plan::Precision;
use crate::syntax::canonical_name;

/// A derived program, ready to be called and trained.
#[derive(Clone, Debug)]
pub struct Objective {
    source: String,
    answer: Answer,
    names: Names,
    pub(super) roles: Roles,
    pub(super) engine: Engine,
}

/// What is to be told of features in a call.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Nothing is known: scores are wanted.
    Unknown,
    /// A class for each row, from 0.
    Labels(&'a [i64]),
    /// Numbers for each row.
    Values(&'a Matrix),
}

/// What a call of a program gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Without targets: the scores, N×C.
    Scores(Matrix),
    /// With targets.
    Loss {
        /// The loss.
        loss: f64,
        /// Its gradients under the names of the parameters.
        gradients: Parameters,
        /// The scores on the way, N×C, where the program has some.
        scores: Option<Matrix>,
    },
}

impl Objective {
    /// Derives a program's gradients, with steps up to `detail`. Its parameters are those it differentiates by. The features
    /// are `X`, the target is a one-hot matrix or `Y`, the scores are found, where the user does not name others.
    ///
    /// # Errors
    /// All errors of the text; what the calculus does not cover; what cannot be trained.
    pub fn derive(source: &str, names: &Names, detail: Detail) -> Result<Objective, Vec<Diagnostic>> {
        let answer = answer(source, detail)?;
        let canonical =
            |name: &Option<String>| name.as_ref().map(|name| canonical_name(name).unwrap_or_else(|| name.clone()));
        let found = Names {
            features: canonical(&names.features),
            target: canonical(&names.target),
            scores: canonical(&names.scores),
        };
        let roles = find(&answer, &found)?;
        let engine = Engine::new(&answer, &roles, 1, Precision::Double);
        Ok(Objective { source: source.to_owned(), answer, names: names.clone(), roles, engine })
    }

    /// The two-layer network: parameters W1, b1, W2, b2, features X, labels Y, scores Z2, a weight `lambda` of the squares.
    ///
    /// # Errors
    /// None for the activations there are.
    pub fn two_layer(activation: Activation, detail: Detail) -> Result<Objective, Vec<Diagnostic>> {
        Objective::derive(&two_layer(activation), &Names::default(), detail)
    }

    /// The same on so many threads, at least one; a new objective runs on one. Results are the same bit by bit for the same
    /// number. A copy has threads of its own; runs of one wait for each other.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Objective {
        let threads = threads.max(1);
        if threads != self.engine.threads {
            self.engine = Engine::new(&self.answer, &self.roles, threads, self.engine.precision);
        }
        self
    }

    /// The same computed in this precision; a new objective computes in 64-bit floats. Numbers come in and go out in 64 bits.
    /// With 32-bit floats the scores, the loss and the gradients are computed in them from parameters rounded to them; what a
    /// training adds up, its parameters and what its optimiser remembers, stays in 64 bits.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Objective {
        if precision != self.engine.precision {
            self.engine = Engine::new(&self.answer, &self.roles, self.engine.threads, precision);
        }
        self
    }

    /// What it is computed in.
    pub fn precision(&self) -> Precision {
        self.engine.precision
    }

    /// The program's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The derived gradients with their steps.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The names as they were told.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The name of the loss.
    pub fn loss(&self) -> &str {
        &self.roles.loss_name
    }

    /// The name of the features.
    pub fn features(&self) -> &str {
        &self.variable(self.roles.features).name
    }

    /// The name of the targets, where there are any.
    pub fn target(&self) -> Option<&str> {
        self.roles.target.map(|place| self.variable(place).name.as_str())
    }

    /// Whether the targets are classes.
    pub fn has_labels(&self) -> bool {
        self.roles.labels
    }

    /// The name of the model's answer and what it is, where the program has one.
    pub fn scores(&self) -> Option<(&str, Meaning)> {
        self.roles.scores.as_ref().map(|(name, _, meaning)| (name.as_str(), *meaning))
    }

    /// Whether every step needs all samples: a parameter has a row for each.
    pub fn takes_all_samples(&self) -> bool {
        self.roles.whole
    }

    /// Other arrays that it needs, with a row for each sample.
    pub fn beside(&self) -> Vec<&str> {
        let variables = self.answer.typed.variables.iter().zip(&self.roles.of);
        variables.filter(|(_, role)| **role == Role::Beside).map(|(variable, _)| variable.name.as_str()).collect()
    }

    /// The scores of N×D features where nothing is known of them, else the loss and its gradients. `settings` are numbers
    /// for the program's scalars; one that is not among them is 0.
    ///
    /// ```
    /// use matgrad::{derivation::Detail, matrix::Matrix};
    /// use matgrad::train::{Activation, Call, Objective, Parameters, Target};
    ///
    /// let network = Objective::two_layer(Activation::Tanh, Detail::None).unwrap();
    /// let some = |rows, columns| Matrix::from_fn(rows, columns, |i, j| 0.1 * (i as f64 - j as f64));
    /// let named = [("W1", some(4, 5)), ("b1", some(1, 5)), ("W2", some(5, 3)), ("b2", some(1, 3))];
    /// let parameters = Parameters::new(named.map(|(name, matrix)| (name.to_owned(), matrix)).into());
    /// let called = network.call(&parameters, &some(2, 4), Target::Labels(&[2, 0]), &[("lambda", 0.01)]).unwrap();
    /// let Call::Loss { loss, gradients, scores } = called else { panic!() };
    /// assert_eq!((scores.unwrap().shape(), gradients.get("W1").unwrap().shape()), ((2, 3), (4, 5)));
    /// assert!(loss > 0.0);
    /// let wrong = network.call(&parameters, &some(2, 4), Target::Labels(&[2, 3]), &[]).unwrap_err();
    /// assert_eq!(wrong.message, "label 3 of row 1 is out of range");
    /// ```
    ///
    /// # Errors
    /// Shapes that do not fit, a label out of range, numbers that are infinite or NaN, coming in or going out; a program
    /// without scores, or one that needs other arrays too.
    pub fn call(
        &self,
        parameters: &Parameters,
        features: &Matrix,
        target: Target<'_>,
        settings: &[(&str, f64)],
    ) -> Result<Call, Diagnostic> {
        let own = self.roles.parameters.iter().map(|&place| &self.variable(place).name);
        if !own.eq(parameters.names()) {
            let message = format!("the parameters are {}, but the program's are others", parameters.names().join(", "));
            return Err(Diagnostic::whole(message));
        }
        if features.rows() == 0 {
            return Err(Diagnostic::whole("there is no row of features"));
        }
        let mut facts = self.facts_of(parameters);
        facts.extend(self.fact(self.roles.features, features.columns(), "the features have {} columns"));
        let rows = features.rows();
        let unequal =
            |number, what| Err(Diagnostic::whole(format!("there are {rows} rows of features and {number} {what}")));
        if let Target::Values(values) = target {
            if values.rows() != rows {
                return unequal(values.rows(), "rows of targets");
            }
            let place = self.roles.target;
            facts.extend(place.and_then(|place| self.fact(place, values.columns(), "the targets have {} columns")));
            check_finite(values, "targets")?;
        }
        facts.push(Fact {
            dimension: self.roles.count,
            length: rows,
            what: format!("there are {rows} rows of features"),
        });
        let sizes = self.sizes(&facts, &BTreeMap::new())?;
        check_finite(features, "features")?;
        for (name, matrix) in parameters.named() {
            check_finite(matrix, &format!("entries of {name}"))?;
        }
        let mut bindings = Bindings { sizes, ..Bindings::default() };
        for &(name, value) in settings {
            if !value.is_finite() {
                return Err(Diagnostic::whole(format!("{name} is {value}")).hint("it must be a finite number"));
            }
            bindings.settings.insert(name.to_owned(), value);
        }
        if let Some(name) = self.beside().first() {
            return Err(Diagnostic::whole(format!("the program needs `{name}` too, which a call does not give")));
        }
        let targets = match target {
            Target::Unknown => Targets::None,
            Target::Values(_) if self.roles.labels => {
                return Err(Diagnostic::whole("the program wants a label for each row, not numbers"));
            }
            Target::Values(values) => Targets::Values(values.clone()),
            Target::Labels(labels) => {
                if labels.len() != rows {
                    return unequal(labels.len(), "labels");
                }
                let place = self.roles.target.filter(|_| self.roles.labels);
                let Some(place) = place else {
                    return Err(Diagnostic::whole("the program has no one-hot matrix that labels could stand for"));
                };
                let classes = self.value(self.variable(place).shape.columns, &bindings.sizes).unwrap_or(0);
                Targets::Labels { labels: checked_labels(labels, classes)?, classes }
            }
        };
        let batch = Batch { features: features.clone(), targets, beside: Vec::new() };
        match target {
            Target::Unknown => match self.score(parameters, &batch, &bindings)? {
                Some(scores) => Ok(Call::Scores(scores)),
                None => Err(Diagnostic::whole("the program has no definition that is its answer")
                    .hint("give a name to the scores, as `Z = X*W + b`")),
            },
            _ => {
                let (loss, gradients, scores) = self.step(parameters, &batch, &bindings)?;
                Ok(Call::Loss { loss, gradients, scores })
            }
        }
    }

    /// The loss, its gradients and the scores of a batch.
    ///
    /// # Errors
    /// What has no value, or a value that is infinite or NaN.
    pub(super) fn step(
        &self,
        parameters: &Parameters,
        batch: &Batch,
        bindings: &Bindings,
    ) -> Result<(f64, Parameters, Option<Matrix>), Diagnostic> {
        let sizes = bindings.sizes();
        let settings = |name: &str| bindings.setting(name);
        let at = At { parameters: parameters.values(), batch, settings: &settings, sizes: &sizes };
        let step = self.engine.step(&self.answer, &self.roles, &at)?;
        let gradients = parameters.alike(step.gradients);
        if step.scores.as_ref().is_some_and(|scores| !scores.is_finite()) {
            return Err(overflow("scores are"));
        }
        if !step.loss.is_finite() {
            return Err(overflow("loss is"));
        }
        if !gradients.is_finite() {
            return Err(overflow("gradients are"));
        }
        Ok((step.loss, gradients, step.scores))
    }

    /// The loss and the scores of a batch.
    ///
    /// # Errors
    /// As [`Objective::step`].
    pub(super) fn measure(
        &self,
        parameters: &Parameters,
        batch: &Batch,
        bindings: &Bindings,
    ) -> Result<(f64, Option<Matrix>), Diagnostic> {
        let sizes = bindings.sizes();
        let settings = |name: &str| bindings.setting(name);
        let at = At { parameters: parameters.values(), batch, settings: &settings, sizes: &sizes };
        let (loss, scores) = self.engine.measure(&self.answer, &self.roles, &at)?;
        if scores.as_ref().is_some_and(|scores| !scores.is_finite()) {
            return Err(overflow("scores are"));
        }
        if loss.is_finite() { Ok((loss, scores)) } else { Err(overflow("loss is")) }
    }

    /// The scores of a batch of which nothing needs to be known.
    ///
    /// # Errors
    /// As [`Objective::step`].
    pub(super) fn score(
        &self,
        parameters: &Parameters,
        batch: &Batch,
        bindings: &Bindings,
    ) -> Result<Option<Matrix>, Diagnostic> {
        let sizes = bindings.sizes();
        let settings = |name: &str| bindings.setting(name);
        let at = At { parameters: parameters.values(), batch, settings: &settings, sizes: &sizes };
        let scores = self.engine.score(&self.answer, &self.roles, &at)?;
        if scores.as_ref().is_some_and(|scores| !scores.is_finite()) {
            return Err(overflow("scores are"));
        }
        Ok(scores)
    }

    /// The first parameters.
    /// How many numbers all parameters have together; a float, since nothing is made yet and it may be any number.
    pub fn parameter_count(&self, bindings: &Bindings) -> f64 {
        let length = |dimension| self.value(dimension, &bindings.sizes).unwrap_or(1) as f64;
        let entries = |&place: &usize| {
            let shape = self.variable(place).shape;
            length(shape.rows) * length(shape.columns)
        };
        self.roles.parameters.iter().map(entries).sum()
    }

    pub(super) fn initial(&self, bindings: &Bindings, options: &Options) -> Parameters {
        let target = self.roles.target.map(|place| self.variable(place).shape.columns);
        let length = |dimension| self.value(dimension, &bindings.sizes).unwrap_or(1);
        let drawn: Vec<Drawn<'_>> = self
            .roles
            .parameters
            .iter()
            .map(|&place| {
                let variable = self.variable(place);
                let (rows, columns) = (length(variable.shape.rows), length(variable.shape.columns));
                Drawn { variable, rows, columns, last: Some(variable.shape.columns) == target }
            })
            .collect();
        let names = drawn.iter().map(|drawn| drawn.variable.name.clone());
        let matrices = draw(&drawn, options.initialisation, options.initial_scale, options.seed);
        Parameters::new(names.zip(matrices).collect())
    }

    /// Whether each parameter is a scalar, a vector or a row, in order.
    pub fn flat_parameters(&self) -> Vec<bool> {
        let flat = |&place: &usize| {
            let shape = self.variable(place).shape;
            shape.is_scalar() || shape.is_row() || shape.is_column()
        };
        self.roles.parameters.iter().map(flat).collect()
    }

    /// Whether each parameter is a row, in order.
    pub fn parameter_forms(&self) -> Vec<bool> {
        self.roles.parameters.iter().map(|&place| self.variable(place).shape.is_row()).collect()
    }

    /// The parameters' names and places, in order.
    pub fn parameter_names(&self) -> Vec<&str> {
        self.roles.parameters.iter().map(|&place| self.variable(place).name.as_str()).collect()
    }

    pub(super) fn variable(&self, place: usize) -> &Variable {
        &self.answer.typed.variables[place]
    }
}

fn overflow(what: &str) -> Diagnostic {
    Diagnostic::whole(format!("the {what} too large for a number"))
        .hint("the weights or the features are far too large; scale them down")
}

#[cfg(test)]
mod tests {
    use super::{Call, Objective, Target};
    use crate::derivation::Detail;
    use crate::matrix::Matrix;
    use crate::train::{Activation, Meaning, Names, Options, Parameters, Samples};

    const LABELS: [i64; 5] = [2, 0, 1, 2, 2];

    fn network(activation: Activation) -> Objective {
        Objective::two_layer(activation, Detail::None).unwrap()
    }

    fn features() -> Matrix {
        Matrix::from_fn(5, 4, |i, j| ((3 * i + 7 * j) % 11) as f64 / 5.0 - 1.0)
    }

    fn parameters() -> Parameters {
        let network = network(Activation::Relu);
        let samples = Samples::new(features(), &LABELS, 3).unwrap();
        let options = Options { seed: 11, ..Options::default() }.with("H", 6.0);
        let bindings = network.bindings(&samples, &options.set).unwrap();
        let mut parameters = network.initial(&bindings, &options);
        parameters.values_mut()[1] = Matrix::from_fn(1, 6, |_, j| 0.1 * j as f64 - 0.2);
        parameters.values_mut()[3] = Matrix::from_fn(1, 3, |_, j| 0.3 - 0.2 * j as f64);
        parameters
    }

    fn loss_of(called: Call) -> (f64, Parameters, Matrix) {
        match called {
            Call::Loss { loss, gradients, scores } => (loss, gradients, scores.unwrap()),
            Call::Scores(_) => panic!("no loss"),
        }
    }

    fn with_labels(network: &Objective, parameters: &Parameters, lambda: f64) -> (f64, Parameters, Matrix) {
        let target = Target::Labels(&LABELS);
        loss_of(network.call(parameters, &features(), target, &[("lambda", lambda)]).unwrap())
    }

    fn error(parameters: &Parameters, features: &Matrix, target: Target<'_>) -> String {
        network(Activation::Relu).call(parameters, features, target, &[]).unwrap_err().message
    }

    #[test]
    fn derived_gradients_agree_with_differences_of_the_loss() {
        for activation in Activation::ALL {
            let network = network(activation);
            let (_, gradients, _) = with_labels(&network, &parameters(), 0.1);
            for (which, gradient) in gradients.values().iter().enumerate() {
                for entry in 0..gradient.entries().len() {
                    let moved = |by: f64| {
                        let mut parameters = parameters();
                        parameters.values_mut()[which].entries_mut()[entry] += by;
                        with_labels(&network, &parameters, 0.1).0
                    };
                    let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    let derived = gradient.entries()[entry];
                    let name = &gradients.names()[which];
                    assert!(
                        (difference - derived).abs() < 1e-8 * (1.0 + derived.abs()),
                        "{activation:?} {name}[{entry}]: {derived} and {difference}"
                    );
                }
            }
        }
    }

    #[test]
    fn scores_and_loss_are_those_of_the_textbook() {
        let (parameters, features) = (parameters(), features());
        let network = network(Activation::Relu);
        let Call::Scores(scores) = network.call(&parameters, &features, Target::Unknown, &[]).unwrap() else {
            panic!("no scores")
        };
        let [w1, b1, w2, b2] = ["W1", "b1", "W2", "b2"].map(|name| parameters.get(name).unwrap());
        let add = |product: Matrix, bias: &Matrix| {
            Matrix::from_fn(product.rows(), product.columns(), |i, j| product.at(i, j) + bias.at(0, j))
        };
        let hidden = add(features.multiply(w1), b1).map(|x| x.max(0.0));
        let expected = add(hidden.multiply(w2), b2);
        assert!(scores.subtract(&expected).max_abs() < 1e-12);
        let (loss, _, scores_too) = self::with_labels(&network, &parameters, 0.5);
        assert_eq!(scores_too, scores);
        let mut mean = 0.0;
        for (i, &label) in LABELS.iter().enumerate() {
            let sum: f64 = scores.row(i).iter().map(|score| score.exp()).sum();
            mean += (sum.ln() - scores.at(i, label as usize)) / 5.0;
        }
        let squares = |m: &Matrix| m.entries().iter().map(|x| x * x).sum::<f64>();
        let expected = mean + 0.5 * (squares(w1) + squares(w2));
        assert!((loss - expected).abs() < 1e-12, "{loss} and {expected}");
        // Without lambda it is 0.
        let without = loss_of(network.call(&parameters, &features, Target::Labels(&LABELS), &[]).unwrap()).0;
        assert!((without - mean).abs() < 1e-12);
    }

    #[test]
    fn huge_scores_give_a_finite_loss() {
        let zeros = [("W1", 2, 3), ("b1", 1, 3), ("W2", 3, 2), ("b2", 1, 2)];
        let mut named = zeros.map(|(name, rows, columns)| (name.to_owned(), Matrix::zeros(rows, columns)));
        named[3].1 = Matrix::new(1, 2, vec![1e4, -1e4]);
        let called = network(Activation::Relu).call(
            &Parameters::new(named.into()),
            &Matrix::zeros(1, 2),
            Target::Labels(&[1]),
            &[],
        );
        let (loss, gradients, _) = loss_of(called.unwrap());
        assert_eq!((loss, gradients.get("b2").unwrap().entries()), (2e4, [1.0, -1.0].as_slice()));
    }

    #[test]
    fn wrong_calls_are_errors() {
        let right = features();
        for label in [-1, 3] {
            let message = format!("label {label} of row 4 is out of range");
            assert_eq!(error(&parameters(), &right, Target::Labels(&[0, 1, 2, 0, label])), message);
        }
        let fewer = error(&parameters(), &right, Target::Labels(&[0]));
        assert_eq!(fewer, "there are 5 rows of features and 1 labels");
        let narrow = error(&parameters(), &Matrix::zeros(5, 3), Target::Unknown);
        assert_eq!(narrow, "the features have 3 columns, but W1 is 4×6");
        assert_eq!(error(&parameters(), &Matrix::zeros(0, 4), Target::Unknown), "there is no row of features");
        let mut wrong = right.clone();
        wrong.entries_mut()[6] = f64::NAN;
        assert_eq!(error(&parameters(), &wrong, Target::Unknown), "the features have NaN in row 1, column 2");
        let mut wrong = parameters();
        wrong.values_mut()[2].entries_mut()[4] = f64::INFINITY;
        assert_eq!(error(&wrong, &right, Target::Unknown), "the entries of W2 have inf in row 1, column 1");
        let mut wrong = parameters();
        wrong.values_mut()[1] = Matrix::zeros(1, 5);
        assert_eq!(error(&wrong, &right, Target::Unknown), "b1 is 1×5, but W1 is 4×6");
        let large = right.scale(1e300);
        let mut wrong = parameters();
        wrong.values_mut()[0] = wrong.values()[0].scale(1e200);
        assert_eq!(error(&wrong, &large, Target::Labels(&LABELS)), "the scores are too large for a number");
        let numbers = error(&parameters(), &right, Target::Values(&Matrix::zeros(5, 3)));
        assert_eq!(numbers, "the program wants a label for each row, not numbers");
        let target = Target::Labels(&LABELS);
        let lambda = network(Activation::Relu).call(&parameters(), &right, target, &[("lambda", f64::NAN)]);
        assert_eq!(lambda.unwrap_err().message, "lambda is NaN");
        let others = Parameters::new(vec![("W".to_owned(), Matrix::zeros(4, 3))]);
        let message = "the parameters are W, but the program's are others";
        assert_eq!(error(&others, &right, Target::Unknown), message);
    }

    #[test]
    fn roles_are_found_or_told() {
        let found = |source: &str, names: &Names| Objective::derive(source, names, Detail::None).unwrap();
        let objective = found(
            "X: matrix(m, n); y: vector(m); w: vector(n); z = X*w; L = normsq(z - y); grad L wrt w",
            &Names::default(),
        );
        assert_eq!((objective.features(), objective.target(), objective.has_labels()), ("X", Some("y"), false));
        assert_eq!(objective.scores(), Some(("z", Meaning::Numbers)));
        let source = "A: matrix(N, D); T: onehot(N, C); W: matrix(D, C); S = A*W; P = softmax(S); \
                      L = -sum(T .* log(P)); grad L wrt W";
        let objective = found(source, &Names::default());
        assert_eq!((objective.features(), objective.target(), objective.has_labels()), ("A", Some("T"), true));
        assert_eq!(objective.scores(), Some(("S", Meaning::Scores)));
        let told = Names { scores: Some("P".to_owned()), ..Names::default() };
        assert_eq!(found(source, &told).scores(), Some(("P", Meaning::Probabilities)));
        // Factors of a matrix: every parameter's row is a sample's.
        let source = "Y: matrix(m, n); U: matrix(m, k); V: matrix(n, k); L = normsq(Y - U*V'); grad L wrt U, V";
        let objective = found(source, &Names::default());
        assert_eq!((objective.features(), objective.target(), objective.takes_all_samples()), ("Y", None, true));
    }

    #[test]
    fn what_cannot_be_trained_is_told() {
        let error = |source: &str, names: &Names| {
            let errors = Objective::derive(source, names, Detail::None).unwrap_err();
            errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ")
        };
        let plain = Names::default();
        assert_eq!(
            error("x: vector(n); f = normsq(x); differential f", &plain),
            "the program asks for no gradient by a variable, so there is nothing to train"
        );
        assert_eq!(
            error("x: vector(n); grad normsq(x) wrt x", &plain),
            "the program has no data: every array in it is a parameter"
        );
        assert_eq!(
            error("X: matrix(m, n); Q: orthogonal(n); grad normsq(X*Q - X) wrt Q", &plain),
            "`Q` is declared orthogonal, which a step of descent would break"
        );
        assert_eq!(
            error("X: matrix(m, n); A: matrix(n, n); w: vector(n); grad normsq(X*A*w) wrt w", &plain),
            "`A` has not the rows of `X`: data have one row a sample"
        );
        let told = Names { target: Some("Z".to_owned()), ..Names::default() };
        assert_eq!(
            error("X: matrix(m, n); w: vector(n); grad normsq(X*w) wrt w", &told),
            "the program has no array `Z` that could be the target"
        );
        assert_eq!(
            error("X: matrix(m, n); w: vector(n); f = normsq(X*w); g = sum(w); grad f wrt w; grad g wrt w", &plain),
            "the program asks for gradients of `f` and of `g`; one loss can be trained"
        );
    }
}

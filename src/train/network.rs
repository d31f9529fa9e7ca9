//! The two-layer network as a program of the language, and the one call around it: parameters and features come in; scores
//! go out, or a loss with its four gradients. What the gradients are is derived by [`crate::answer`] when the network is
//! made; here they are only put to numbers. No number that is infinite or NaN leaves.

use super::Parameters;
use super::samples::{check_finite, check_labels};
use crate::answer::{Answer, answer};
use crate::derivation::Detail;
use crate::diagnostic::Diagnostic;
use crate::eval::{Evaluator, Numbers};
use crate::matrix::Matrix;

/// The function σ of the hidden units, H1 = σ(Z1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// max(0, x)
    Relu,
    /// x, and 0.01 x where it is negative
    LeakyRelu,
    /// x, and eˣ - 1 where it is negative
    Elu,
    /// x times the normal distribution function
    Gelu,
    /// x times the logistic function
    Silu,
    /// log(1 + eˣ)
    Softplus,
    /// hyperbolic tangent
    Tanh,
    /// logistic function
    Sigmoid,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 8] = [
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softplus,
        Activation::Tanh,
        Activation::Sigmoid,
    ];

    /// Its name in the language, `leaky_relu`.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Relu => "relu",
            Activation::LeakyRelu => "leaky_relu",
            Activation::Elu => "elu",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Softplus => "softplus",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Activation> {
        Activation::ALL.into_iter().find(|activation| activation.name() == name)
    }

    /// σ(Z1) in the language.
    fn of_hidden(self) -> String {
        match self {
            Activation::LeakyRelu => "leaky_relu(Z1, 0.01)".to_owned(),
            _ => format!("{}(Z1)", self.name()),
        }
    }

    /// The gain of the first weights' variance, see [`Parameters::random`]: 2 where half of the units are near 0.
    pub fn gain(self) -> f64 {
        match self {
            Activation::Tanh | Activation::Sigmoid => 1.0,
            _ => 2.0,
        }
    }
}

/// A derived network, ready to be called.
#[derive(Clone, Debug)]
pub struct Network {
    activation: Activation,
    source: String,
    answer: Answer,
    /// Z2.
    scoring: Evaluator,
    /// L, then its gradients in the order of [`Parameters::NAMES`], then Z2.
    training: Evaluator,
}

/// What a call of the network gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Without labels: the scores Z2, N×C.
    Scores(Matrix),
    /// With labels.
    Loss {
        /// L, with the mean over the samples and λ(‖W1‖² + ‖W2‖²).
        loss: f64,
        /// ∂L/∂W1, ∂L/∂b1, ∂L/∂W2, ∂L/∂b2 under the names of the parameters.
        gradients: Parameters,
        /// The scores Z2 on the way, N×C.
        scores: Matrix,
    },
}

impl Network {
    /// The program of the network. The loss is finite for every finite score: the evaluator takes the logarithm of a softmax
    /// in one piece.
    pub fn program(activation: Activation) -> String {
        format!(
            "# two-layer network
X  : matrix(N, D)     # N samples of D features
Y  : onehot(N, C)     # their classes
W1 : matrix(D, H)
b1 : row(H)
W2 : matrix(H, C)
b2 : row(C)
lambda : scalar

Z1 = X*W1 + b1
H1 = {}
Z2 = H1*W2 + b2       # scores
P  = softmax(Z2)
L  = -1/N * tr(Y' * log(P)) + lambda*(sum(W1.^2) + sum(W2.^2))

grad L wrt W1, b1, W2, b2
",
            activation.of_hidden()
        )
    }

    /// Derives the loss's gradients, with steps up to `detail`.
    ///
    /// # Errors
    /// None for the activations there are; what the calculus does not cover otherwise.
    pub fn derive(activation: Activation, detail: Detail) -> Result<Network, Vec<Diagnostic>> {
        let source = Network::program(activation);
        let answer = answer(&source, detail)?;
        let definition = |name: &str| answer.definitions.iter().copied().find(|&id| answer.arena.name_of(id) == name);
        let scores = definition("Z2").expect("the program defines Z2");
        let mut training = vec![definition("L").expect("the program defines L")];
        for name in Parameters::NAMES {
            let outcome = answer.outcomes.iter().find(|outcome| outcome.wrt == [name]);
            training.push(outcome.expect("the program asks for each gradient").result);
        }
        training.push(scores);
        let scoring = Evaluator::new(&answer.arena, &[scores]);
        let training = Evaluator::new(&answer.arena, &training);
        Ok(Network { activation, source, answer, scoring, training })
    }

    /// Which σ it has.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The program's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The derived gradients with their steps.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The scores of N×D features where there are no labels, else the loss and its four gradients.
    ///
    /// # Errors
    /// Shapes that do not fit, a label out of range, numbers that are infinite or NaN, coming in or going out.
    pub fn call(
        &self,
        parameters: &Parameters,
        features: &Matrix,
        labels: Option<&[i64]>,
        lambda: f64,
    ) -> Result<Call, Diagnostic> {
        let (columns, hidden, classes) = parameters.sizes()?;
        let (rows, given) = (features.rows(), features.columns());
        if given != columns {
            return Err(Diagnostic::whole(format!("the features have {given} columns, but W1 has {columns} rows")));
        }
        if rows == 0 {
            return Err(Diagnostic::whole("there is no row of features"));
        }
        check_finite(features, "features")?;
        for (matrix, name) in parameters.all().into_iter().zip(Parameters::NAMES) {
            check_finite(matrix, &format!("entries of {name}"))?;
        }
        let Some(labels) = labels else {
            let numbers = self.numbers(parameters, features, Matrix::zeros(rows, classes), lambda);
            let [scores] = values(&self.scoring, &numbers)?;
            return if scores.entries().iter().all(|score| score.is_finite()) {
                Ok(Call::Scores(scores))
            } else {
                Err(overflow("scores"))
            };
        };
        if labels.len() != rows {
            return Err(Diagnostic::whole(format!("there are {rows} rows of features and {} labels", labels.len())));
        }
        check_labels(labels, classes)?;
        if !(lambda >= 0.0 && lambda.is_finite()) {
            return Err(Diagnostic::whole(format!("lambda is {lambda}")).hint("it must be 0 or positive"));
        }
        let mut onehot = Matrix::zeros(rows, classes);
        for (row, &label) in onehot.entries_mut().chunks_exact_mut(classes).zip(labels) {
            row[label as usize] = 1.0;
        }
        let numbers = self.numbers(parameters, features, onehot, lambda);
        let [loss, w1, b1, w2, b2, scores] = values(&self.training, &numbers)?;
        let (loss, gradients) = (loss.at(0, 0), Parameters { w1, b1, w2, b2 });
        debug_assert_eq!(gradients.sizes(), Ok((columns, hidden, classes)));
        if !scores.entries().iter().all(|score| score.is_finite()) {
            return Err(overflow("scores"));
        }
        if !loss.is_finite() {
            return Err(overflow("loss"));
        }
        if !gradients.is_finite() {
            return Err(overflow("gradients"));
        }
        Ok(Call::Loss { loss, gradients, scores })
    }

    fn numbers(&self, parameters: &Parameters, features: &Matrix, onehot: Matrix, lambda: f64) -> Numbers {
        let sizes = [
            ("N", features.rows()),
            ("D", features.columns()),
            ("H", parameters.w1.columns()),
            ("C", parameters.w2.columns()),
        ];
        let mut onehot = Some(onehot);
        let variables = self.answer.arena.variables.iter().map(|variable| match variable.name.as_str() {
            "X" => features.clone(),
            "Y" => onehot.take().expect("Y is declared once"),
            "W1" => parameters.w1.clone(),
            "b1" => parameters.b1.clone(),
            "W2" => parameters.w2.clone(),
            "b2" => parameters.b2.clone(),
            _ => Matrix::scalar(lambda),
        });
        let variables = variables.collect();
        let dimensions = sizes.map(|(name, size)| (name.to_owned(), size as i64)).into();
        Numbers { dimensions, variables, ..Numbers::default() }
    }
}

/// The values of a fixed number of roots.
fn values<const COUNT: usize>(evaluator: &Evaluator, numbers: &Numbers) -> Result<[Matrix; COUNT], Diagnostic> {
    let values = evaluator
        .run(numbers)
        .map_err(|error| Diagnostic::whole(format!("the network cannot be computed: {error}")))?;
    Ok(values.try_into().expect("one value for each root"))
}

fn overflow(what: &str) -> Diagnostic {
    let be = if what == "loss" { "is" } else { "are" };
    Diagnostic::whole(format!("the {what} {be} too large for a number"))
        .hint("the weights or the features are far too large; scale them down")
}

#[cfg(test)]
mod tests {
    use super::{Activation, Call, Network};
    use crate::derivation::Detail;
    use crate::matrix::Matrix;
    use crate::train::Parameters;

    const LABELS: [i64; 5] = [2, 0, 1, 2, 2];

    fn network(activation: Activation) -> Network {
        Network::derive(activation, Detail::None).unwrap()
    }

    fn features() -> Matrix {
        Matrix::from_fn(5, 4, |i, j| ((3 * i + 7 * j) % 11) as f64 / 5.0 - 1.0)
    }

    fn parameters() -> Parameters {
        let mut parameters = Parameters::random(4, 6, 3, 2.0, 1.0, 11);
        parameters.b1 = Matrix::from_fn(1, 6, |_, j| 0.1 * j as f64 - 0.2);
        parameters.b2 = Matrix::from_fn(1, 3, |_, j| 0.3 - 0.2 * j as f64);
        parameters
    }

    fn loss_of(called: Call) -> (f64, Parameters, Matrix) {
        match called {
            Call::Loss { loss, gradients, scores } => (loss, gradients, scores),
            Call::Scores(_) => panic!("no loss"),
        }
    }

    fn error(parameters: &Parameters, features: &Matrix, labels: Option<&[i64]>) -> String {
        network(Activation::Relu).call(parameters, features, labels, 0.0).unwrap_err().message
    }

    #[test]
    fn derived_gradients_agree_with_differences_of_the_loss() {
        for activation in Activation::ALL {
            let network = network(activation);
            let at =
                |parameters: &Parameters| loss_of(network.call(parameters, &features(), Some(&LABELS), 0.1).unwrap());
            let (_, gradients, _) = at(&parameters());
            for which in 0..4 {
                for entry in 0..parameters().all()[which].entries().len() {
                    let moved = |by: f64| {
                        let mut parameters = parameters();
                        parameters.all_mut()[which].entries_mut()[entry] += by;
                        at(&parameters).0
                    };
                    let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    let derived = gradients.all()[which].entries()[entry];
                    let name = Parameters::NAMES[which];
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
        let Call::Scores(scores) = network.call(&parameters, &features, None, 0.0).unwrap() else {
            panic!("no scores")
        };
        let add = |product: Matrix, bias: &Matrix| {
            Matrix::from_fn(product.rows(), product.columns(), |i, j| product.at(i, j) + bias.at(0, j))
        };
        let hidden = add(features.multiply(&parameters.w1), &parameters.b1).map(|x| x.max(0.0));
        let expected = add(hidden.multiply(&parameters.w2), &parameters.b2);
        assert!(scores.subtract(&expected).max_abs() < 1e-12);
        let (loss, _, with_labels) = loss_of(network.call(&parameters, &features, Some(&LABELS), 0.5).unwrap());
        assert_eq!(with_labels, scores);
        let mut mean = 0.0;
        for (i, &label) in LABELS.iter().enumerate() {
            let sum: f64 = scores.row(i).iter().map(|score| score.exp()).sum();
            mean += (sum.ln() - scores.at(i, label as usize)) / 5.0;
        }
        let squares = |m: &Matrix| m.entries().iter().map(|x| x * x).sum::<f64>();
        let expected = mean + 0.5 * (squares(&parameters.w1) + squares(&parameters.w2));
        assert!((loss - expected).abs() < 1e-12, "{loss} and {expected}");
    }

    #[test]
    fn huge_scores_give_a_finite_loss() {
        let mut parameters = Parameters::zeros(2, 3, 2);
        parameters.b2 = Matrix::new(1, 2, vec![1e4, -1e4]);
        let (loss, gradients, _) =
            loss_of(network(Activation::Relu).call(&parameters, &Matrix::zeros(1, 2), Some(&[1]), 0.0).unwrap());
        assert_eq!((loss, gradients.b2.entries()), (2e4, [1.0, -1.0].as_slice()));
    }

    #[test]
    fn wrong_calls_are_errors() {
        let right = features();
        for label in [-1, 3] {
            let message = format!("label {label} of row 4 is out of range");
            assert_eq!(error(&parameters(), &right, Some(&[0, 1, 2, 0, label])), message);
        }
        assert_eq!(error(&parameters(), &right, Some(&[0])), "there are 5 rows of features and 1 labels");
        assert_eq!(error(&parameters(), &Matrix::zeros(5, 3), None), "the features have 3 columns, but W1 has 4 rows");
        assert_eq!(error(&parameters(), &Matrix::zeros(0, 4), None), "there is no row of features");
        let mut wrong = right.clone();
        wrong.entries_mut()[6] = f64::NAN;
        assert_eq!(error(&parameters(), &wrong, None), "the features have NaN in row 1, column 2");
        let mut wrong = parameters();
        wrong.w2.entries_mut()[4] = f64::INFINITY;
        assert_eq!(error(&wrong, &right, None), "the entries of W2 have inf in row 1, column 1");
        let large = right.scale(1e300);
        let mut wrong = parameters();
        wrong.w1 = wrong.w1.scale(1e200);
        assert_eq!(error(&wrong, &large, Some(&LABELS)), "the scores are too large for a number");
        let lambda = network(Activation::Relu).call(&parameters(), &right, Some(&LABELS), f64::NAN);
        assert_eq!(lambda.unwrap_err().message, "lambda is NaN");
    }
}

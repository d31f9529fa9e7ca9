//! The first parameters: shapes and a seed come in, matrices go out. What stands for a bias starts at zero.

use super::random::{Purpose, Random};
use crate::diagnostic::Diagnostic;
use crate::elaborate::{Property, Variable};
use crate::matrix::Matrix;

/// How the first weights are drawn. All are uniform around 0 with a stated variance; n is the number of entries that a
/// weight is summed with (its matrix's rows), m the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initialisation {
    /// Variance 2/n, and 1/n where the result is compared with the targets (K. He et al., "Delving deep into rectifiers",
    /// 2015).
    He,
    /// Variance 2/(n + m) (X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural
    /// networks", 2010).
    Glorot,
    /// Variance 1/n (Y. LeCun et al., "Efficient BackProp", 1998).
    Lecun,
    /// All zero: for losses that are convex.
    Zero,
}

impl Initialisation {
    /// All of them.
    pub const ALL: [Initialisation; 4] =
        [Initialisation::He, Initialisation::Glorot, Initialisation::Lecun, Initialisation::Zero];

    /// Its name on a command line and in a model.
    pub fn name(self) -> &'static str {
        match self {
            Initialisation::He => "he",
            Initialisation::Glorot => "glorot",
            Initialisation::Lecun => "lecun",
            Initialisation::Zero => "zero",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Initialisation> {
        Initialisation::ALL.into_iter().find(|initialisation| initialisation.name() == name)
    }
}

/// A parameter that is to be drawn.
pub(super) struct Drawn<'a> {
    pub(super) variable: &'a Variable,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Whether its result is compared with the targets.
    pub(super) last: bool,
}

/// The first matrices, in order; `scale` is a factor of the random ones.
pub(super) fn draw(parameters: &[Drawn<'_>], how: Initialisation, scale: f64, seed: u64) -> Vec<Matrix> {
    let mut random = Random::new(seed, Purpose::Initialisation);
    let one = |parameter: &Drawn<'_>| {
        let (rows, columns) = (parameter.rows, parameter.columns);
        let properties = parameter.variable.properties;
        if properties.has(Property::PositiveDefinite) || properties.has(Property::Invertible) {
            return Matrix::identity(rows);
        }
        let shape = parameter.variable.shape;
        if how == Initialisation::Zero || shape.is_row() || shape.is_scalar() {
            return Matrix::zeros(rows, columns);
        }
        let variance = match how {
            Initialisation::He if parameter.last => 1.0 / rows as f64,
            Initialisation::He => 2.0 / rows as f64,
            Initialisation::Glorot => 2.0 / (rows + columns) as f64,
            Initialisation::Lecun | Initialisation::Zero => 1.0 / rows as f64,
        };
        // A uniform number in -a … a has standard deviation a/√3.
        let largest = scale * (3.0 * variance).sqrt();
        let mut matrix = Matrix::zeros(rows, columns);
        matrix.entries_mut().iter_mut().for_each(|entry| *entry = largest * random.uniform());
        let transposed = matrix.transpose();
        if properties.has(Property::Diagonal) {
            matrix.diagonal().to_diagonal()
        } else if properties.has(Property::Symmetric) {
            matrix.add(&transposed).scale(0.5)
        } else if properties.has(Property::Skew) {
            matrix.subtract(&transposed).scale(0.5)
        } else {
            matrix
        }
    };
    parameters.iter().map(one).collect()
}

/// Whether a step of descent keeps the variable what it was declared to be.
///
/// # Errors
/// A property that a step would break.
pub(super) fn check_trainable(variable: &Variable) -> Result<(), Diagnostic> {
    let broken = [
        (Property::Orthogonal, "orthogonal"),
        (Property::OneHot, "one-hot"),
        (Property::RowStochastic, "row-stochastic"),
        (Property::Positive, "positive"),
        (Property::Nonnegative, "nonnegative"),
    ];
    match broken.into_iter().find(|&(property, _)| variable.properties.has(property)) {
        Some((_, word)) => Err(Diagnostic::at(
            variable.span,
            format!("`{}` is declared {word}, which a step of descent would break", variable.name),
        )
        .hint(
            "declare it without that, and write the loss in numbers that are free, such as exp(x) for a positive one",
        )),
        None => Ok(()),
    }
}

//! The training of a program by the library's own loop: samples and options come in, the parameters, the scaling and the
//! history go out. The lock is not held; now and then it is asked whether the user wants to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use matgrad::derivation::Detail;
use matgrad::diagnostic::{Diagnostic, render};
use matgrad::matrix::Matrix;
use matgrad::plan::Precision;
use matgrad::train::{Initialisation, Names, Objective, Optimiser, Options, Samples, ScalingKind, Training};
use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure;

/// How often it is asked whether the user wants to stop.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// Of an epoch its loss, accuracy, validation loss, validation accuracy and learning rate.
type Epoch = (f64, Option<f64>, Option<f64>, Option<f64>, f64);
/// The parameters by name, what is taken from each column and what it is divided by, the epochs, the best one.
type Trained<'py> = (Bound<'py, PyDict>, Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>, Vec<Epoch>, usize);

/// Trains a program on N×D features with labels from 0.
#[pyfunction]
#[pyo3(signature = (text, features, labels, classes, options))]
pub fn train<'py>(
    py: Python<'py>,
    text: &str,
    features: PyReadonlyArray2<'py, f64>,
    labels: PyReadonlyArray1<'py, i64>,
    classes: usize,
    options: &Bound<'py, PyDict>,
) -> PyResult<Trained<'py>> {
    let (options, threads, precision) = options_of(options)?;
    let shape = features.as_array().dim();
    let features = Matrix::new(shape.0, shape.1, features.as_slice().map_err(|_| not_plain())?.to_vec());
    let labels = labels.as_slice().map_err(|_| not_plain())?.to_vec();
    let told = |errors: &[Diagnostic]| {
        let text = errors.iter().map(|error| match &error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message.clone(),
        });
        failure::value(text.collect::<Vec<_>>().join("\n"))
    };
    let derived = py.detach(|| Objective::derive(text, &Names::default(), Detail::None));
    let objective = derived.map_err(|errors| failure::value(render(&errors, text, "program")))?;
    let objective = Arc::new(objective.with_threads(threads).with_precision(precision));
    let trained = py.detach(|| -> Result<_, Stopped> {
        let samples = Samples::new(features, &labels, classes).map_err(|error| Stopped::Wrong(vec![error]))?;
        let mut training = Training::new(&objective, &samples, &options).map_err(Stopped::Wrong)?;
        let mut asked = Instant::now();
        while !training.is_finished() {
            training.step().map_err(|error| Stopped::Wrong(vec![error]))?;
            if asked.elapsed() >= ASKED_EVERY {
                Python::attach(|py| py.check_signals()).map_err(Stopped::ByUser)?;
                asked = Instant::now();
            }
        }
        Ok(training.finish())
    });
    let trained = match trained {
        Ok(trained) => trained,
        Err(Stopped::Wrong(errors)) => return Err(told(&errors)),
        Err(Stopped::ByUser(error)) => return Err(error),
    };
    let parameters = PyDict::new(py);
    for ((name, matrix), is_row) in trained.model.parameters.named().zip(objective.parameter_forms()) {
        let matrix = array(py, matrix);
        match is_row {
            true => parameters.set_item(name, matrix.call_method0("ravel")?)?,
            false => parameters.set_item(name, matrix)?,
        }
    }
    let epochs = trained.history.iter();
    let epochs =
        epochs.map(|e| (e.loss, e.accuracy, e.validation_loss, e.validation_accuracy, e.learning_rate)).collect();
    let scaling = &trained.model.scaling;
    Ok((parameters, array(py, &scaling.shift), array(py, &scaling.divisor), epochs, trained.best_epoch))
}

/// Why a training did not come to its end.
enum Stopped {
    Wrong(Vec<Diagnostic>),
    ByUser(PyErr),
}

fn not_plain() -> PyErr {
    failure::value("the features and labels must lie row by row")
}

fn array<'py>(py: Python<'py>, matrix: &Matrix) -> Bound<'py, PyArray2<f64>> {
    // SAFETY: all entries are written on the next lines.
    unsafe {
        let array = PyArray2::<f64>::new(py, [matrix.rows(), matrix.columns()], false);
        std::ptr::copy_nonoverlapping(matrix.entries().as_ptr(), array.data(), matrix.entries().len());
        array
    }
}

fn options_of(given: &Bound<'_, PyDict>) -> PyResult<(Options, usize, Precision)> {
    let mut options = Options::default();
    let (mut threads, mut precision) = (1, Precision::Double);
    let (mut momentum, mut is_adam) = (0.9, false);
    for (key, value) in given {
        let key: String = key.extract()?;
        match key.as_str() {
            "H" | "lambda" => {
                options.set.insert(key, value.extract()?);
            }
            "epochs" => options.epochs = value.extract()?,
            "batch_size" => options.batch_size = value.extract()?,
            "learning_rate" => options.learning_rate = value.extract()?,
            "decay" => options.decay = value.extract()?,
            "clip" => options.clip = value.extract()?,
            "seed" => options.seed = value.extract()?,
            "validation" => options.validation = value.extract()?,
            "patience" => options.patience = value.extract()?,
            "initial_scale" => options.initial_scale = value.extract()?,
            "momentum" => momentum = value.extract()?,
            "threads" => threads = value.extract()?,
            "dtype" => match value.extract::<String>()?.as_str() {
                "float64" => precision = Precision::Double,
                "float32" => precision = Precision::Single,
                other => return Err(failure::value(format!("dtype is float64 or float32, not {other}"))),
            },
            "optimiser" => match value.extract::<String>()?.as_str() {
                "sgd" => is_adam = false,
                "adam" => is_adam = true,
                other => return Err(failure::value(format!("optimiser is sgd or adam, not {other}"))),
            },
            "scaling" => {
                let name: String = value.extract()?;
                options.scaling = ScalingKind::named(&name).ok_or_else(|| {
                    let known: Vec<&str> = ScalingKind::ALL.iter().map(|kind| kind.name()).collect();
                    failure::value(format!("scaling is {}, not {name}", known.join(", ")))
                })?;
            }
            "initialisation" => {
                let name: String = value.extract()?;
                options.initialisation = Initialisation::named(&name)
                    .ok_or_else(|| failure::value(format!("there is no initialisation `{name}`")))?;
            }
            _ => return Err(failure::value(format!("there is no option `{key}`"))),
        }
    }
    options.optimiser = if is_adam { Optimiser::ADAM } else { Optimiser::Sgd { momentum } };
    Ok((options, threads, precision))
}

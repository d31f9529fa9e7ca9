//! The two-layer network by the calling convention of courses: dictionaries of W1, b1, W2, b2 come in, scores or the loss with
//! a dictionary of gradients go out, as arrays of the kind that came. The program is the one that `matgrad train` derives; it
//! is derived once.

use std::sync::Arc;
use std::sync::OnceLock;

use matgrad::derivation::Detail;
use matgrad::train::Activation;
use numpy::{PyArrayDyn, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyString};

use crate::arrays::{as_array, is_torch};
use crate::compiled::{Compiled, Ours, Wanted};
use crate::failure;
use crate::function::threads_of;
use crate::program::Program;
use crate::written::Written;

/// The parameters in order.
const PARAMETERS: [&str; 4] = ["W1", "b1", "W2", "b2"];

/// What is compiled once.
struct Network {
    /// L and its gradients.
    training: Compiled,
    /// Scores and hidden features.
    scoring: Compiled,
}

fn network() -> &'static Result<Network, String> {
    static NETWORK: OnceLock<Result<Network, String>> = OnceLock::new();
    NETWORK.get_or_init(|| {
        let text = matgrad::train::two_layer(Activation::Relu);
        let program = Program::new(&[("network".to_owned(), text)], None, false, Detail::None)
            .map_err(|wrong| wrong.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; "))?;
        let threads = threads_of(None).unwrap_or(1);
        let compiled = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            Compiled::new(Arc::clone(&program), Some(&names), Vec::new(), threads, false)
        };
        Ok(Network {
            training: compiled(&["L", "grad(L,W1)", "grad(L,b1)", "grad(L,W2)", "grad(L,b2)"])?,
            scoring: compiled(&["Z2", "H1"])?,
        })
    })
}

/// The text of the network's program with an activation.
#[pyfunction]
pub fn two_layer(activation: &str) -> PyResult<String> {
    match Activation::named(activation) {
        Some(activation) => Ok(matgrad::train::two_layer(activation)),
        None => {
            let known: Vec<&str> = Activation::ALL.iter().map(|activation| activation.name()).collect();
            Err(failure::value(format!("there is no activation `{activation}`; there are {}", known.join(", "))))
        }
    }
}

/// Scores and hidden features.
#[pyfunction]
#[pyo3(signature = (params, X))]
#[allow(non_snake_case, reason = "the name in Python")]
pub fn nn_forward_pass<'py>(
    py: Python<'py>,
    params: &Bound<'py, PyAny>,
    X: Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let arrays = Arrays::new(py, params, X)?;
    match arrays.is_single {
        true => arrays.scores::<f32>(py),
        false => arrays.scores::<f64>(py),
    }
}

/// Scores, or loss and gradients.
#[pyfunction]
#[pyo3(signature = (params, X, y=None, reg=None))]
#[allow(non_snake_case, reason = "the name in Python")]
pub fn nn_forward_backward<'py>(
    py: Python<'py>,
    params: &Bound<'py, PyAny>,
    X: Bound<'py, PyAny>,
    y: Option<Bound<'py, PyAny>>,
    reg: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let arrays = Arrays::new(py, params, X)?;
    let Some(y) = y else {
        return match arrays.is_single {
            true => Ok(arrays.scores::<f32>(py)?.0),
            false => Ok(arrays.scores::<f64>(py)?.0),
        };
    };
    let reg = match reg {
        Some(reg) if reg.is_instance_of::<PyFloat>() => reg,
        Some(reg) => PyFloat::new(py, reg.extract::<f64>()?).into_any(),
        None => PyFloat::new(py, 0.0).into_any(),
    };
    match arrays.is_single {
        true => arrays.loss::<f32>(py, y, reg),
        false => arrays.loss::<f64>(py, y, reg),
    }
}

/// What a call is given, as arrays of NumPy.
struct Arrays<'py> {
    parameters: [Bound<'py, PyAny>; 4],
    features: Bound<'py, PyAny>,
    /// Whether tensors of PyTorch came, and must go.
    is_torch: bool,
    /// Whether every array is of 32-bit floats.
    is_single: bool,
}

impl<'py> Arrays<'py> {
    fn new(py: Python<'py>, params: &Bound<'py, PyAny>, features: Bound<'py, PyAny>) -> PyResult<Arrays<'py>> {
        let from_torch = !features.is_instance_of::<PyUntypedArray>() && is_torch(&features);
        let mut is_single = true;
        let mut array = |object: Bound<'py, PyAny>, name: &str| -> PyResult<Bound<'py, PyAny>> {
            if object.cast::<PyArrayDyn<f32>>().is_ok() {
                return Ok(object);
            }
            let (array, _) = as_array(&object, name)?;
            is_single &= array.cast::<PyArrayDyn<f32>>().is_ok();
            Ok(array)
        };
        let features = array(features, "X")?;
        let mut of = |name: &str, spelt: &Bound<'py, PyString>| -> PyResult<Bound<'py, PyAny>> {
            let found = match params.cast_exact::<PyDict>() {
                Ok(params) => params.get_item(spelt)?,
                Err(_) => params.get_item(spelt).ok(),
            };
            let Some(found) = found else {
                return Err(failure::value(format!("params has no `{name}`; it must have W1, b1, W2 and b2")));
            };
            array(found, name)
        };
        let names = names(py);
        let parameters = [
            of("W1", names[0].bind(py))?,
            of("b1", names[1].bind(py))?,
            of("W2", names[2].bind(py))?,
            of("b2", names[3].bind(py))?,
        ];
        Ok(Arrays { parameters, features, is_torch: from_torch, is_single })
    }

    fn named(&self, name: &str) -> Option<Bound<'py, PyAny>> {
        match name {
            "X" => Some(self.features.clone()),
            _ => PARAMETERS.iter().position(|known| *known == name).map(|place| self.parameters[place].clone()),
        }
    }

    fn scores<T: Ours>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let network = network().as_ref().map_err(|message| failure::value(message.as_str()))?;
        let mut fetch =
            |_: usize, wanted: &Wanted| self.named(&wanted.name).ok_or_else(|| failure::kind(wanted.name.as_str()));
        let results = network.scoring.call::<T>(py, &mut fetch, None)?;
        let mut results = results.into_iter().map(|result| self.as_given(py, result));
        match (results.next(), results.next()) {
            (Some(scores), Some(hidden)) => Ok((scores?, hidden?)),
            _ => Err(failure::value("the network has no scores")),
        }
    }

    fn loss<T: Ours>(
        &self,
        py: Python<'py>,
        y: Bound<'py, PyAny>,
        reg: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let network = network().as_ref().map_err(|message| failure::value(message.as_str()))?;
        let labels = as_array(&y, "y")?.0;
        is_of_labels(&labels)?;
        let mut fetch = |_: usize, wanted: &Wanted| match wanted.name.as_str() {
            "Y" => Ok(labels.clone()),
            "lambda" => Ok(reg.clone()),
            name => self.named(name).ok_or_else(|| failure::kind(name)),
        };
        let results =
            network.training.call::<T>(py, &mut fetch, None).map_err(|error| in_names_of_course(py, error))?;
        let gradients = PyDict::new(py);
        let mut loss = None;
        for (place, result) in results.into_iter().enumerate() {
            match place {
                0 if self.is_torch => loss = Some(self.as_given(py, result)?),
                // A number of the type of the arrays, as NumPy's own formulas would give.
                0 => loss = Some(result.object.get_item(())?),
                _ => gradients.set_item(names(py)[place - 1].bind(py), self.as_given(py, result)?)?,
            }
        }
        Ok((loss, gradients).into_pyobject(py)?.into_any())
    }

    /// A result as an array of the kind that came.
    fn as_given<T: Ours>(&self, py: Python<'py>, result: Written<'py, T>) -> PyResult<Bound<'py, PyAny>> {
        static FROM_NUMPY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        match self.is_torch {
            true => FROM_NUMPY.import(py, "torch", "from_numpy")?.call1((result.object,)),
            false => Ok(result.object),
        }
    }
}

/// The names as Python's strings.
fn names(py: Python<'_>) -> &[Py<PyString>; 4] {
    static NAMES: PyOnceLock<[Py<PyString>; 4]> = PyOnceLock::new();
    NAMES.get_or_init(py, || PARAMETERS.map(|name| PyString::intern(py, name).unbind()))
}

/// Labels are whole numbers, one for each row.
fn is_of_labels(labels: &Bound<'_, PyAny>) -> PyResult<()> {
    use numpy::{PyArrayDescrMethods, PyUntypedArrayMethods};
    let array = labels.cast::<PyUntypedArray>()?;
    if array.ndim() != 1 || !matches!(array.dtype().kind(), b'i' | b'u') {
        let shape: Vec<String> = array.shape().iter().map(usize::to_string).collect();
        return Err(failure::value(format!(
            "y must be whole numbers with one axis, a label for each row of X; it has type {} and shape ({})",
            array.dtype(),
            shape.join(", ")
        )));
    }
    Ok(())
}

/// In messages the labels are called `y`, as in the call.
fn in_names_of_course(py: Python<'_>, error: PyErr) -> PyErr {
    let text = error.value(py).to_string();
    match text.contains("`Y`") {
        true => failure::value(text.replace("`Y`", "`y`")),
        false => error,
    }
}

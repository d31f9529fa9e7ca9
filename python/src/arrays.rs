//! Arrays of Python as numbers in memory: what a user has (NumPy arrays of any layout, PyTorch tensors, anything with DLPack,
//! lists, numbers) comes in, where its numbers lie goes out. An array of the right type is read where it lies. Another is
//! converted where no digit is lost, and refused where some would be.

use matgrad::run::cpu::{Float, View};
use numpy::{Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyFloat, PyInt, PyType};

use crate::failure;

/// A precision of functions.
pub trait Real: Float + Element {
    /// Its name in NumPy.
    const NAME: &'static str;
    /// How far rounding may have moved an entry, relative to the largest.
    const ROUNDING: f64;
}

impl Real for f32 {
    const NAME: &'static str = "float32";
    const ROUNDING: f64 = f32::EPSILON as f64;
}

impl Real for f64 {
    const NAME: &'static str = "float64";
    const ROUNDING: f64 = f64::EPSILON;
}

/// The most axes that an array may have.
pub const MOST_AXES: usize = 4;

/// What a variable is for those who give its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One number.
    Scalar,
    /// n×1, or one axis.
    Column,
    /// 1×n, or one axis.
    Row,
    /// Two axes.
    Matrix,
    /// Two axes, or a label for each row.
    OneHot,
}

/// Where the numbers of an input are.
pub struct Held<'py, T> {
    /// What keeps them alive.
    pub owner: Option<Bound<'py, PyAny>>,
    /// What was given, for a message.
    pub axes: usize,
    /// The lengths of the axes.
    pub lengths: [usize; MOST_AXES],
    /// Rows, or how many labels there are.
    pub rows: usize,
    /// Columns; 0 for labels.
    pub columns: usize,
    /// From a row to the next.
    pub down: usize,
    /// From a column to the next.
    pub along: usize,
    /// The first number, where they lie in an array.
    pointer: *const T,
    /// A number that was given as such.
    number: T,
    /// Labels.
    pub labels: Option<Vec<u32>>,
}

impl<'py, T: Real> Held<'py, T> {
    /// A number.
    pub fn number(number: T) -> Held<'py, T> {
        Held {
            owner: None,
            axes: 0,
            lengths: [0; MOST_AXES],
            rows: 1,
            columns: 1,
            down: 1,
            along: 1,
            pointer: std::ptr::null(),
            number,
            labels: None,
        }
    }

    /// What an object of Python holds. `name` is told in messages.
    pub fn new(object: Bound<'py, PyAny>, form: Form, name: &str) -> PyResult<Held<'py, T>> {
        if let Ok(array) = object.cast::<PyArrayDyn<T>>() {
            return Held::array(array, form, name);
        }
        if let Ok(number) = object.cast::<PyFloat>() {
            return Ok(Held::number(T::from_f64(number.value())));
        }
        if object.is_instance_of::<PyInt>() && !object.is_instance_of::<PyBool>() {
            return Ok(Held::number(T::from_f64(object.extract()?)));
        }
        Held::converted(&object, form, name)
    }

    /// Of an array of the right type.
    fn array(array: &Bound<'py, PyArrayDyn<T>>, form: Form, name: &str) -> PyResult<Held<'py, T>> {
        let py = array.py();
        let axes = array.ndim();
        if axes > MOST_AXES {
            return Err(failure::value(format!("`{name}` has {axes} axes; it may have two")));
        }
        if !is_plain(array.as_any()) && array.as_any().hasattr("mask")? {
            return Err(failure::kind(format!(
                "`{name}` is a masked array, whose mask would be lost: give `{name}.filled(…)`"
            )));
        }
        let bytes = size_of::<T>() as isize;
        let strides = array.strides();
        let readable = array.is_aligned() && strides.iter().all(|&stride| stride >= 0 && stride % bytes == 0);
        if !readable {
            // A copy of the method `copy` is aligned; `ascontiguousarray` may give the same array back.
            let copy = array.call_method1(intern!(py, "copy"), ("C",))?;
            return Held::array(copy.cast::<PyArrayDyn<T>>()?, form, name);
        }
        let mut lengths = [0; MOST_AXES];
        lengths[..axes].copy_from_slice(array.shape());
        let stride = |axis: usize| strides[axis] as usize / size_of::<T>();
        let (rows, columns, down, along) = match (axes, form) {
            (0, _) => (1, 1, 1, 1),
            (1, Form::Row) => (1, lengths[0], lengths[0], stride(0)),
            (1, Form::Column | Form::Scalar) => (lengths[0], 1, stride(0), 1),
            (2, _) => (lengths[0], lengths[1], stride(0), stride(1)),
            // What fits nowhere is told where the sizes are.
            _ => (usize::MAX, usize::MAX, 0, 0),
        };
        Ok(Held {
            owner: Some(array.as_any().clone()),
            axes,
            lengths,
            rows,
            columns,
            down,
            along,
            pointer: array.data().cast_const(),
            number: T::ZERO,
            labels: None,
        })
    }

    /// Of anything else.
    fn converted(object: &Bound<'py, PyAny>, form: Form, name: &str) -> PyResult<Held<'py, T>> {
        let (array, has_type) = as_array(object, name)?;
        if array.cast::<PyArrayDyn<T>>().is_ok() {
            return Held::array(array.cast::<PyArrayDyn<T>>()?, form, name);
        }
        let untyped = array.cast::<PyUntypedArray>()?;
        let dtype = untyped.dtype();
        let whole = matches!(dtype.kind(), b'i' | b'u');
        if form == Form::OneHot && whole && untyped.ndim() == 1 {
            return Held::of_labels(untyped, name);
        }
        let loses = dtype.kind() == b'f' && has_type && dtype.itemsize() > size_of::<T>();
        if !(whole || matches!(dtype.kind(), b'f' | b'b')) {
            return Err(failure::kind(format!(
                "`{name}` has entries of type {dtype}, not numbers of type {}",
                T::NAME
            )));
        }
        if loses {
            return Err(failure::kind(format!(
                "`{name}` has entries of type {dtype}, but the function computes in {}: digits would be lost; compile it with \
                 dtype=\"{dtype}\", or give `{name}.astype(\"{}\")`",
                T::NAME,
                T::NAME
            )));
        }
        if !is_plain(&array) && array.hasattr("mask")? {
            return Err(failure::kind(format!(
                "`{name}` is a masked array, whose mask would be lost: give `{name}.filled(…)`"
            )));
        }
        let copy = array.call_method1("astype", (T::NAME,))?;
        Held::array(copy.cast::<PyArrayDyn<T>>()?, form, name)
    }

    fn of_labels(array: &Bound<'py, PyUntypedArray>, name: &str) -> PyResult<Held<'py, T>> {
        let labels = labels(array, name)?;
        let mut held = Held::number(T::ZERO);
        (held.rows, held.columns) = (labels.len(), 0);
        (held.axes, held.lengths[0]) = (1, labels.len());
        held.labels = Some(labels);
        Ok(held)
    }

    /// Where the first number lies.
    pub fn pointer(&self) -> *const T {
        if self.pointer.is_null() { &raw const self.number } else { self.pointer }
    }

    /// Whether the entries lie row by row without gaps.
    pub fn is_row_by_row(&self) -> bool {
        (self.along == 1 || self.columns <= 1) && (self.down == self.columns || self.rows <= 1)
    }

    /// The same, row by row.
    pub fn row_by_row(&self, py: Python<'py>, form: Form, name: &str) -> PyResult<Held<'py, T>> {
        let Some(owner) = &self.owner else { return Ok(Held::number(self.number)) };
        let copy = owner.call_method1(intern!(py, "copy"), ("C",))?;
        Held::array(copy.cast::<PyArrayDyn<T>>()?, form, name)
    }

    /// The numbers as a view.
    ///
    /// # Safety
    /// The array that is held lives for `'a`, and nobody writes to it.
    pub unsafe fn view<'a>(&self) -> View<'a, T> {
        // SAFETY: the array has an entry at each place; the rest is the caller's.
        unsafe { View::from_raw(self.pointer(), self.rows, self.columns, self.down, self.along) }
    }

    /// The first and one past the last byte of what is read.
    pub fn extent(&self) -> (usize, usize) {
        let start = self.pointer() as usize;
        let last = self.rows.saturating_sub(1) * self.down + self.columns.saturating_sub(1) * self.along;
        (start, start + (last + 1) * size_of::<T>())
    }
}

/// Labels as the kernels take them. Whether each is a column is checked where the columns are known.
pub fn labels(array: &Bound<'_, PyUntypedArray>, name: &str) -> PyResult<Vec<u32>> {
    let whole = array.as_any().cast::<PyArrayDyn<i64>>();
    let converted;
    let whole = match whole {
        Ok(whole) if whole.is_aligned() => whole,
        _ => {
            converted = array.as_any().call_method1("astype", ("int64",))?;
            converted.cast::<PyArrayDyn<i64>>()?
        }
    };
    let stride = whole.strides()[0];
    let mut out = Vec::with_capacity(whole.len());
    for i in 0..whole.len() {
        // SAFETY: an array has an entry at each of its places, and this one is aligned.
        let label = unsafe { *whole.data().cast_const().byte_offset(stride * i as isize) };
        match u32::try_from(label) {
            Ok(label) => out.push(label),
            Err(_) => {
                let row = i + 1;
                return Err(failure::value(format!(
                    "label {label} of row {row} is out of range: `{name}` has labels from 0"
                )));
            }
        }
    }
    Ok(out)
}

/// Whether an object is an array of NumPy's own class, and not of one derived from it.
fn is_plain(object: &Bound<'_, PyAny>) -> bool {
    let py = object.py();
    numpy(py).is_ok_and(|numpy| object.get_type().is(numpy.ndarray.bind(py)))
}

/// Whether an object is a tensor of PyTorch.
pub fn is_torch(object: &Bound<'_, PyAny>) -> bool {
    let module = object.get_type().module();
    module.is_ok_and(|module| module.to_str().is_ok_and(|module| module == "torch" || module.starts_with("torch.")))
}

/// An object as an array, without a copy where that can be, and whether it has a type of its own that must be kept.
pub fn as_array<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<(Bound<'py, PyAny>, bool)> {
    let py = object.py();
    if object.is_instance_of::<PyUntypedArray>() {
        return Ok((object.clone(), true));
    }
    if is_torch(object) {
        // The usual tensor; the others have something that is told, or that does not matter to numbers.
        if let Ok(array) = object.call_method0(intern!(py, "numpy")) {
            return Ok((array, true));
        }
        let device = object.getattr("device")?.getattr("type")?;
        if device.to_string() != "cpu" {
            return Err(failure::kind(format!("`{name}` is on the device {device}; give `{name}.cpu()`")));
        }
        return Ok((object.call_method0("detach")?.call_method0("numpy")?, true));
    }
    let numpy = numpy(py)?;
    if object.hasattr("__dlpack__")?
        && let Ok(array) = numpy.from_dlpack.bind(py).call1((object,))
    {
        return Ok((array, true));
    }
    let has_type = object.hasattr("dtype")? || object.hasattr("__array_interface__")?;
    Ok((numpy.asarray.bind(py).call1((object,))?, has_type))
}

/// What is used of NumPy.
pub struct Numpy {
    pub asarray: Py<PyAny>,
    pub from_dlpack: Py<PyAny>,
    pub ndarray: Py<PyType>,
}

/// NumPy, imported when it is needed first.
pub fn numpy(py: Python<'_>) -> PyResult<&Numpy> {
    static NUMPY: PyOnceLock<Numpy> = PyOnceLock::new();
    NUMPY.get_or_try_init(py, || {
        let module = py.import("numpy")?;
        let get = |name: &str| module.getattr(name).map(Bound::unbind);
        Ok(Numpy {
            asarray: get("asarray")?,
            from_dlpack: get("from_dlpack")?,
            ndarray: module.getattr("ndarray")?.cast_into::<PyType>()?.unbind(),
        })
    })
}

//! Arrays that results are written to: new ones, or the caller's where they fit. What is in a new one is not defined until it
//! is written.

use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::{Real, is_torch};
use crate::failure;

/// An array that is given back.
pub struct Written<'py, T> {
    /// The object of Python.
    pub object: Bound<'py, PyAny>,
    /// Its first number.
    pub pointer: *mut T,
    /// How many numbers it has.
    pub length: usize,
}

impl<'py, T: Real> Written<'py, T> {
    /// A new array of those lengths, or the caller's, where it fits. `key` is told in messages.
    ///
    /// # Errors
    /// A caller's array of another type, shape or layout.
    pub fn new(
        py: Python<'py>,
        axes: &[usize],
        place: Option<Bound<'py, PyAny>>,
        key: &str,
    ) -> PyResult<Written<'py, T>> {
        let length = axes.iter().product();
        if let Some(object) = place {
            let array =
                if is_torch(&object) { object.call_method0("detach")?.call_method0("numpy")? } else { object.clone() };
            let fits = array.cast::<PyArrayDyn<T>>().ok().filter(|array| array.shape() == axes);
            let Some(array) = fits else {
                return Err(failure::value(format!(
                    "out[\"{key}\"] must be an array of type {} and shape {}",
                    T::NAME,
                    shape_text(axes)
                )));
            };
            let is_writeable: bool = array.getattr("flags")?.getattr("writeable")?.extract()?;
            if !(array.is_c_contiguous() && array.is_aligned() && is_writeable) {
                return Err(failure::value(format!("out[\"{key}\"] must be writeable, with its entries row by row")));
            }
            return Ok(Written { object, pointer: array.data(), length });
        }
        // SAFETY: all entries of each are written before anybody reads them.
        Ok(unsafe {
            match *axes {
                [rows, columns] => {
                    let array = PyArray2::<T>::new(py, [rows, columns], false);
                    let pointer = array.data();
                    Written { object: array.into_any(), pointer, length }
                }
                [n] => {
                    let array = PyArray1::<T>::new(py, [n], false);
                    let pointer = array.data();
                    Written { object: array.into_any(), pointer, length }
                }
                _ => {
                    let array = PyArrayDyn::<T>::new(py, axes, false);
                    let pointer = array.data();
                    Written { object: array.into_any(), pointer, length }
                }
            }
        })
    }

    /// The first number.
    pub fn first(&self) -> T {
        // SAFETY: an array that is given back has an entry at least, and it was written.
        unsafe { *self.pointer }
    }

    /// The first and one past the last byte.
    pub fn extent(&self) -> (usize, usize) {
        (self.pointer as usize, self.pointer as usize + self.length * size_of::<T>())
    }
}

fn shape_text(axes: &[usize]) -> String {
    let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
    match axes.as_slice() {
        [n] => format!("({n},)"),
        _ => format!("({})", axes.join(", ")),
    }
}

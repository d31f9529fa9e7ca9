//! Errors of the library as exceptions: a text that is wrong becomes `matgrad.MatgradError` with its place, arrays that do not
//! fit a `ValueError` or `TypeError`. Nothing is caught here.

use matgrad::diagnostic::{Diagnostic, LineIndex, Paint, Piece, Severity, render_pieces};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The class of errors about a text.
fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "matgrad._errors", "MatgradError")
}

/// All errors of a text as one exception: the message as the command line shows it, and of the first its line and column from
/// 1 within its piece, and its hint.
pub fn of_text(py: Python<'_>, errors: &[Diagnostic], source: &str, pieces: &[Piece]) -> PyErr {
    let text = render_pieces(errors, source, pieces, Severity::Error, Paint::Plain);
    let first = errors.first();
    let place = first.and_then(|error| error.span).map(|span| {
        let at = span.start as usize;
        let piece =
            pieces.iter().rev().find(|piece| piece.range.start <= at).map_or(0..source.len(), |p| p.range.clone());
        let within = source.get(piece.clone()).unwrap_or_default();
        LineIndex::new(within).place(within, at - piece.start)
    });
    let (line, column) = place.map_or((None, None), |(line, column)| (Some(line), Some(column)));
    let hint = first.and_then(|error| error.hint.clone());
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    // The first line of a rendering is `error: …`; Python names the class itself.
    let text = text.trim_end().strip_prefix("error: ").unwrap_or(text.trim_end()).to_owned();
    match class(py).and_then(|class| class.call1((text, line, column, hint, messages))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// An error that has no place in a text.
pub fn plain(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    of_text(py, &[Diagnostic::whole(message.as_ref())], "", &[])
}

/// Something has a value that does not fit.
pub fn value(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}

/// Something is of a kind that does not fit.
pub fn kind(message: impl Into<String>) -> PyErr {
    PyTypeError::new_err(message.into())
}

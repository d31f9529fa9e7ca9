//! The compiled part of the Python package: texts and arrays of Python come in, one call of the library is made, strings and
//! arrays go out. What a user sees (names, docstrings, how results show themselves) is in `python/matgrad/`; no mathematics
//! happens here, and no array is copied that can be read where it lies.

mod answer;
mod arrays;
mod compiled;
mod failure;
mod function;
mod network;
mod outputs;
mod program;
mod ready;
mod training;
mod verify;
mod written;

use pyo3::pymodule;

#[pymodule]
mod _matgrad {
    #[pymodule_export]
    use crate::answer::Answer;
    #[pymodule_export]
    use crate::function::Function;
    #[pymodule_export]
    use crate::network::{nn_forward_backward, nn_forward_pass, two_layer};
    #[pymodule_export]
    use crate::ready::forked;
    #[pymodule_export]
    use crate::training::train;
    #[pymodule_export]
    use crate::verify::{explain, verify};
}

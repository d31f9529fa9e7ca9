//! Numbers at the speed of the machine: a plan and borrowed arrays come in, results are written to borrowed arrays. A plan is
//! compiled once into an [`Executable`] and run many times; a run allocates nothing and takes no lock, except in functions
//! that only the reference has. [`cpu`] holds the kernels. Nothing here rewrites an expression or takes a derivative. The only
//! room with `unsafe`.

mod code;
mod executable;
mod linear;
mod dense;
mod once;
mod repeated;
mod worker;

use std::fmt;

pub use matgrad_kernels as cpu;

pub use dense::Dense;
pub use executable::{Executable, Given};
pub use once::evaluate;
pub use repeated::Repeated;

/// Why a program did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// What is wrong, in words.
    pub message: String,
}

impl RunError {
    pub(crate) fn new(message: impl Into<String>) -> RunError {
        RunError { message: message.into() }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RunError {}

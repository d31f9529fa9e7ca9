//! Where features come from: rows of numbers that can be read in any order. In memory they are a [`Matrix`]; a door may
//! have them in a mapped file. Nothing is checked here; [`super::Samples`] does that once, when samples are made.

use std::fmt::Debug;

use crate::matrix::Matrix;

/// Rows at once where all are gone through.
pub(super) const BLOCK: usize = 1024;

/// N rows of D numbers that do not change.
pub trait Rows: Debug + Send + Sync {
    /// N.
    fn count(&self) -> usize;

    /// D.
    fn columns(&self) -> usize;

    /// Writes the rows at these places (from 0, below [`Rows::count`]) one after another; `into` has room for exactly them.
    fn read(&self, places: &[usize], into: &mut [f64]);
}

impl Rows for Matrix {
    fn count(&self) -> usize {
        self.rows()
    }

    fn columns(&self) -> usize {
        self.columns()
    }

    fn read(&self, places: &[usize], into: &mut [f64]) {
        let columns = self.columns();
        for (&place, into) in places.iter().zip(into.chunks_exact_mut(columns.max(1))) {
            into.copy_from_slice(&self.entries()[place * columns..(place + 1) * columns]);
        }
    }
}

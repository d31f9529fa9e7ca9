//! The numbers of Jacobians and Hessians for a file: the dense tensor with its axes kept, or, compressed, the factors of each
//! term. What does not fit in memory is refused before any of it is computed.

use std::borrow::Cow;

use matgrad::answer::{Answer, Outcome};
use matgrad::dimension::DimId;
use matgrad::matrix::Matrix;
use matgrad::tensor::contract::{Arithmetic, TermNumbers, dense, dense_size, numbers};
use matgrad::tensor::index::{Entries, Index};

use crate::arrays::Array;
use crate::failure::Failure;

/// Letters of the axes, then of the indices that are summed over.
const LETTERS: [&str; 2] = ["ijkl", "abcdefghmnopqrstuvwx"];

/// The derivative of an outcome as arrays with names, or why not.
pub struct Tensor<'a> {
    /// The key of the whole.
    pub key: String,
    /// Its terms.
    pub entries: &'a Entries,
    /// The sizes of its axes.
    axes: Vec<usize>,
}

impl<'a> Tensor<'a> {
    /// The tensor of an outcome that has one, at these sizes.
    pub fn new(key: String, outcome: &'a Outcome, size: &dyn Fn(DimId) -> usize) -> Option<Tensor<'a>> {
        let entries = &outcome.forms.as_ref()?.entries;
        Some(Tensor { key, entries, axes: entries.axes.iter().map(|&d| size(d)).collect() })
    }

    /// How many bytes the dense tensor takes; `None` where they cannot be counted.
    pub fn bytes(&self) -> Option<u64> {
        u64::try_from(dense_size(&self.axes)?).ok()?.checked_mul(8)
    }

    /// `50 x 5 x 50 x 5`
    fn sizes(&self) -> String {
        self.axes.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
    }

    /// Why the dense tensor is refused.
    fn too_large(&self, free: Option<u64>) -> Failure {
        let takes = match self.bytes() {
            Some(bytes) => format!("takes {}", bytes_text(bytes)),
            None => "takes more bytes than can be counted".to_owned(),
        };
        let room = match free {
            Some(free) => format!(", and {} are free", bytes_text(free)),
            None => String::new(),
        };
        Failure::wrong(format!(
            "`{}` has {} entries: it {takes}{room}; --compressed writes its factors instead",
            self.key,
            self.sizes()
        ))
    }

    /// The dense tensor in this shape.
    pub fn dense(
        &self,
        values: Vec<Cow<'_, Matrix>>,
        shape: Vec<usize>,
        size: &dyn Fn(DimId) -> usize,
        arithmetic: &mut dyn Arithmetic,
    ) -> Result<Array, Failure> {
        let terms = numbers(self.entries, values, size);
        let entries = dense(self.entries, &self.axes, &terms, arithmetic).ok_or_else(|| self.too_large(None))?;
        Ok(Array { shape, entries })
    }

    /// The shape of the dense tensor: its axes.
    pub fn shape(&self) -> Vec<usize> {
        self.axes.clone()
    }

    /// The factors: `KEY/output/ijkl` with the sizes of the axes, and of each term `KEY/1/coefficient`, a factor as
    /// `KEY/1/1/ik`, and a delta as `KEY/1/delta/jl` with its size.
    pub fn compressed(&self, values: Vec<Cow<'_, Matrix>>, size: &dyn Fn(DimId) -> usize) -> Vec<(String, Array)> {
        let key = &self.key;
        let letters = |at: &[Index]| at.iter().map(|&i| self.letter(i)).collect::<String>();
        let all: Vec<Index> = (0..self.axes.len()).collect();
        let sizes = self.axes.iter().map(|&n| n as f64).collect();
        let mut out =
            vec![(format!("{key}/output/{}", letters(&all)), Array { shape: vec![self.axes.len()], entries: sizes })];
        let scalar = |x: f64| Array { shape: Vec::new(), entries: vec![x] };
        let terms: Vec<TermNumbers<'_>> = numbers(self.entries, values, size);
        for (place, (term, of)) in self.entries.terms.iter().zip(terms).enumerate() {
            let place = place + 1;
            out.push((format!("{key}/{place}/coefficient"), scalar(of.coefficient)));
            for (k, (factor, matrix)) in term.factors.iter().zip(of.factors).enumerate() {
                let (rows, columns) = matrix.shape();
                let shape = if factor.at.len() == 1 { vec![rows * columns] } else { vec![rows, columns] };
                let name = format!("{key}/{place}/{}/{}", k + 1, letters(&factor.at));
                out.push((name, Array { shape, entries: matrix.into_owned().into_entries() }));
            }
            for &(i, j) in &term.deltas {
                out.push((format!("{key}/{place}/delta/{}", letters(&[i, j])), scalar(self.axes[i] as f64)));
            }
        }
        out
    }

    fn letter(&self, index: Index) -> char {
        let axes = self.axes.len();
        let (list, at) = if index < axes { (LETTERS[0], index) } else { (LETTERS[1], index - axes) };
        list.chars().nth(at).unwrap_or('?')
    }
}

/// An error for the first tensor that leaves no room for itself and those before it.
pub fn must_fit<'a>(tensors: impl Iterator<Item = &'a Tensor<'a>>) -> Result<(), Failure> {
    let free = free_memory();
    let mut all = 0_u64;
    for tensor in tensors {
        let fits =
            tensor.bytes().and_then(|bytes| all.checked_add(bytes)).filter(|&sum| free.is_none_or(|free| sum <= free));
        all = fits.ok_or_else(|| tensor.too_large(free))?;
    }
    Ok(())
}

/// The bytes that the system has left, where it tells.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// `20.9 GB`
fn bytes_text(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        1_000_000_000..1_000_000_000_000 => (1e9, "GB"),
        _ => (1e12, "TB"),
    };
    format!("{:.1} {name}", bytes as f64 / unit)
}

/// The size of a dimension at the numbers of the data.
pub fn size_of(answer: &Answer, dimension: DimId, of: &dyn Fn(&str) -> Option<i64>) -> usize {
    let value = answer.arena.dimensions.value(dimension, of);
    value.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

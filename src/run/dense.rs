//! One matrix product on all threads, for the contraction of tensors: a product comes in, its entries row after row go out.
//! Of a symmetric result only the blocks on and below the diagonal are computed, and mirrored.

use std::mem::MaybeUninit;
use std::sync::Mutex;

use super::cpu::products::{self, Product as Kernel, Sums};
use super::cpu::{InstructionSet, Pool, View, ViewMut};
use crate::tensor::contract::{Arithmetic, Product};

/// Blocks of rows for each thread: of a symmetric result the last ones have more columns.
const BLOCKS: usize = 4;
/// A block has at least so many rows.
const LEAST_ROWS: usize = 16;
/// A thread writes at least so many zeros.
const LEAST_ZEROS: usize = 1 << 16;
/// More come from the system each time, and fewer from memory that was given back: 32 MiB.
const MOST_ZEROS: usize = 4 << 20;

/// The arithmetic of a dense tensor on all threads of a pool.
pub struct Dense<'a> {
    /// The instructions of its kernels.
    pub set: InstructionSet,
    /// Its threads.
    pub pool: &'a mut Pool,
}

impl Arithmetic for Dense<'_> {
    fn multiply(&mut self, of: &Product<'_>) -> Vec<f64> {
        product(of, self.set, self.pool)
    }

    fn zeros(&mut self, length: usize) -> Vec<f64> {
        zeros(length, self.pool)
    }
}

/// Zeros that each thread writes its part of, since one alone is slower than the memory. Many are the system's own, which cost
/// nothing where nothing is written.
fn zeros(length: usize, pool: &mut Pool) -> Vec<f64> {
    if !(2 * LEAST_ZEROS..=MOST_ZEROS).contains(&length) {
        return vec![0.0; length];
    }
    let mut out: Vec<f64> = Vec::with_capacity(length);
    let size = length.div_ceil(pool.threads());
    let parts: Vec<&mut [MaybeUninit<f64>]> = out.spare_capacity_mut()[..length].chunks_mut(size).collect();
    let waiting = Mutex::new(parts);
    pool.run(&|_| {
        while let Some(part) = waiting.lock().ok().and_then(|mut list| list.pop()) {
            part.fill(MaybeUninit::new(0.0));
        }
    });
    // SAFETY: all parts were written: a thread that breaks ends the run.
    unsafe { out.set_len(length) };
    out
}

/// The product in double precision.
fn product(of: &Product<'_>, set: InstructionSet, pool: &mut Pool) -> Vec<f64> {
    let (m, k, n) = of.sizes;
    let mut out = vec![0.0; m * n];
    if m == 0 || n == 0 || k == 0 {
        return out;
    }
    let left = View::new(of.left.entries, m, k, of.left.row_stride, of.left.column_stride);
    let right = View::new(of.right.entries, k, n, of.right.row_stride, of.right.column_stride);
    let height = m.div_ceil(BLOCKS * pool.threads()).max(LEAST_ROWS);
    // Each block of rows is taken by the next free thread, the widest first.
    let blocks: Vec<(usize, &mut [f64])> = out.chunks_mut(height * n).enumerate().collect();
    let waiting = Mutex::new(blocks);
    pool.run(&|_| {
        let mut workspace: Vec<f64> = Vec::new();
        loop {
            let Some((place, rows)) = waiting.lock().ok().and_then(|mut list| list.pop()) else { return };
            let first = place * height;
            let last = first + rows.len() / n;
            let width = if of.symmetric { last } else { n };
            let room = products::workspace::<f64>(set, last - first, width, k);
            workspace.resize(room.max(workspace.len()), 0.0);
            let kernel = Kernel::new(left.block(first..last, 0..k), right.block(0..k, 0..width));
            let out = ViewMut::new(rows, last - first, width, n, 1);
            products::multiply(set, &kernel, out, Sums::default(), &mut workspace);
        }
    });
    if of.symmetric {
        mirror(&mut out, n);
    }
    out
}

/// Copies what is below the diagonal of an n×n matrix to what is above, in squares that stay in the nearest cache.
fn mirror(out: &mut [f64], n: usize) {
    const SIDE: usize = 32;
    for top in (0..n).step_by(SIDE) {
        for left in (top..n).step_by(SIDE) {
            for i in top..n.min(top + SIDE) {
                for j in left.max(i + 1)..n.min(left + SIDE) {
                    out[i * n + j] = out[j * n + i];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LEAST_ZEROS, MOST_ZEROS, product, zeros};
    use crate::run::cpu::{InstructionSet, Pool};
    use crate::tensor::contract::{Product, Strided, reference};

    fn numbers(n: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 7 + 3) % 11) as f64 - 5.0).collect()
    }

    #[test]
    fn zeros_are_zeros_however_many() {
        for threads in 1..=3 {
            let mut pool = Pool::new(threads);
            for length in [0, 1, LEAST_ZEROS, 2 * LEAST_ZEROS, 2 * LEAST_ZEROS + 1, MOST_ZEROS, MOST_ZEROS + 1] {
                let out = zeros(length, &mut pool);
                assert!(out.len() == length && out.iter().all(|&x| x == 0.0), "{threads} {length}");
            }
        }
    }

    #[test]
    fn products_are_those_of_the_reference() {
        let (m, k, n) = (45, 30, 37);
        let (a, b) = (numbers(m * k), numbers(k * n));
        let mut pool = Pool::new(2);
        // The left factor lies in memory column by column.
        let left = Strided { entries: &a, row_stride: 1, column_stride: m };
        let right = Strided { entries: &b, row_stride: n, column_stride: 1 };
        let of = Product { sizes: (m, k, n), left, right, symmetric: false };
        assert_eq!(product(&of, InstructionSet::detect(), &mut pool), reference(&of));
    }

    #[test]
    fn half_of_a_symmetric_product_tells_the_other() {
        let (m, k) = (70, 33);
        let a = numbers(m * k);
        let mut pool = Pool::new(2);
        let left = Strided { entries: &a, row_stride: k, column_stride: 1 };
        let right = Strided { entries: &a, row_stride: 1, column_stride: k };
        let of = Product { sizes: (m, k, m), left, right, symmetric: true };
        assert_eq!(product(&of, InstructionSet::detect(), &mut pool), reference(&of));
    }
}

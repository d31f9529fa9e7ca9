//! The step by ndarray: products into arrays that are there, loops over rows for all else.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, Zip};

use crate::{Arrays, Network, REGULARISATION};

pub struct Step {
    x: Array2<f32>,
    w1: Array2<f32>,
    b1: Array1<f32>,
    w2: Array2<f32>,
    b2: Array1<f32>,
    labels: Vec<u32>,
    h1: Array2<f32>,
    z2: Array2<f32>,
    dz1: Array2<f32>,
    loss: f32,
    dw1: Array2<f32>,
    db1: Array1<f32>,
    dw2: Array2<f32>,
    db2: Array1<f32>,
}

impl Step {
    pub fn new(arrays: Arrays) -> Step {
        let [n, d, h, c] = arrays.sizes;
        let matrix =
            |rows, columns, entries| Array2::from_shape_vec((rows, columns), entries).expect("entries that fit");
        Step {
            x: matrix(n, d, arrays.x),
            w1: matrix(d, h, arrays.w1),
            b1: Array1::from(arrays.b1),
            w2: matrix(h, c, arrays.w2),
            b2: Array1::from(arrays.b2),
            labels: arrays.labels,
            h1: Array2::zeros((n, h)),
            z2: Array2::zeros((n, c)),
            dz1: Array2::zeros((n, h)),
            loss: 0.0,
            dw1: Array2::zeros((d, h)),
            db1: Array1::zeros(h),
            dw2: Array2::zeros((h, c)),
            db2: Array1::zeros(c),
        }
    }
}

/// The sum of squares, in lanes that the compiler makes vectors of.
fn squares(matrix: &Array2<f32>) -> f32 {
    let mut lanes = [0.0_f32; 32];
    let entries = matrix.as_slice().expect("entries in order");
    let chunks = entries.chunks_exact(32);
    let rest: f32 = chunks.remainder().iter().map(|entry| entry * entry).sum();
    for chunk in chunks {
        for (lane, entry) in lanes.iter_mut().zip(chunk) {
            *lane += entry * entry;
        }
    }
    rest + lanes.iter().sum::<f32>()
}

impl Network for Step {
    fn step(&mut self) {
        let n = self.labels.len() as f32;
        general_mat_mul(1.0, &self.x, &self.w1, 0.0, &mut self.h1);
        for mut row in self.h1.rows_mut() {
            row.zip_mut_with(&self.b1, |entry, &bias| *entry = (*entry + bias).max(0.0));
        }
        general_mat_mul(1.0, &self.h1, &self.w2, 0.0, &mut self.z2);
        let mut loss = 0.0;
        for (mut row, &label) in self.z2.rows_mut().into_iter().zip(&self.labels) {
            row.zip_mut_with(&self.b2, |entry, &bias| *entry += bias);
            let largest = row.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            let right = row[label as usize] - largest;
            row.mapv_inplace(|entry| (entry - largest).exp());
            let sum = row.sum();
            loss += sum.ln() - right;
            let factor = 1.0 / (sum * n);
            row.mapv_inplace(|entry| entry * factor);
            row[label as usize] -= 1.0 / n;
        }
        self.loss = loss / n + REGULARISATION * (squares(&self.w1) + squares(&self.w2));
        self.dw2.assign(&self.w2);
        general_mat_mul(1.0, &self.h1.t(), &self.z2, 2.0 * REGULARISATION, &mut self.dw2);
        self.db2.fill(0.0);
        for row in self.z2.rows() {
            self.db2 += &row;
        }
        general_mat_mul(1.0, &self.z2, &self.w2.t(), 0.0, &mut self.dz1);
        Zip::from(&mut self.dz1).and(&self.h1).for_each(|d, &h| *d = if h > 0.0 { *d } else { 0.0 });
        self.dw1.assign(&self.w1);
        general_mat_mul(1.0, &self.x.t(), &self.dz1, 2.0 * REGULARISATION, &mut self.dw1);
        self.db1.fill(0.0);
        for row in self.dz1.rows() {
            self.db1 += &row;
        }
    }

    fn results(&self) -> (f32, [Vec<f32>; 4]) {
        let entries = [self.dw1.iter(), self.dw2.iter()].map(|all| all.copied().collect::<Vec<f32>>());
        let [dw1, dw2] = entries;
        (self.loss, [dw1, self.db1.to_vec(), dw2, self.db2.to_vec()])
    }
}

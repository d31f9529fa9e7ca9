//! The step by candle, whose operations make a new tensor each.

use candle_core::{DType, Device, Result, Tensor};

use crate::{Arrays, Network, REGULARISATION};

pub struct Step {
    x: Tensor,
    w1: Tensor,
    b1: Tensor,
    w2: Tensor,
    b2: Tensor,
    /// N×1.
    labels: Tensor,
    /// N×C: -1 where the label is, 0 elsewhere.
    minus: Tensor,
    results: Option<(Tensor, [Tensor; 4])>,
}

impl Step {
    pub fn new(arrays: Arrays) -> Result<Step> {
        let [n, d, h, c] = arrays.sizes;
        let mut minus = vec![0.0_f32; n * c];
        for (row, &label) in minus.chunks_exact_mut(c).zip(&arrays.labels) {
            row[label as usize] = -1.0;
        }
        let cpu = &Device::Cpu;
        Ok(Step {
            x: Tensor::from_vec(arrays.x, (n, d), cpu)?,
            w1: Tensor::from_vec(arrays.w1, (d, h), cpu)?,
            b1: Tensor::from_vec(arrays.b1, h, cpu)?,
            w2: Tensor::from_vec(arrays.w2, (h, c), cpu)?,
            b2: Tensor::from_vec(arrays.b2, c, cpu)?,
            labels: Tensor::from_vec(arrays.labels, (n, 1), cpu)?,
            minus: Tensor::from_vec(minus, (n, c), cpu)?,
            results: None,
        })
    }

    fn computed(&self) -> Result<(Tensor, [Tensor; 4])> {
        let n = self.x.dim(0)? as f64;
        let weight = f64::from(REGULARISATION);
        let h1 = self.x.matmul(&self.w1)?.broadcast_add(&self.b1)?.relu()?;
        let z2 = h1.matmul(&self.w2)?.broadcast_add(&self.b2)?;
        let scores = z2.broadcast_sub(&z2.max_keepdim(1)?)?;
        let exponentials = scores.exp()?;
        let sums = exponentials.sum_keepdim(1)?;
        let likelihood = (scores.gather(&self.labels, 1)? - sums.log()?)?.sum_all()?;
        let squares = (self.w1.sqr()?.sum_all()? + self.w2.sqr()?.sum_all()?)?;
        let loss = ((likelihood * (-1.0 / n))? + (squares * weight)?)?;
        let dz2 = ((exponentials.broadcast_div(&sums)? + &self.minus)? * (1.0 / n))?;
        let dw2 = (h1.t()?.matmul(&dz2)? + (&self.w2 * (2.0 * weight))?)?;
        let active = h1.gt(0.0_f32)?.to_dtype(DType::F32)?;
        let dz1 = (dz2.matmul(&self.w2.t()?)? * active)?;
        let dw1 = (self.x.t()?.matmul(&dz1)? + (&self.w1 * (2.0 * weight))?)?;
        Ok((loss, [dw1, dz1.sum(0)?, dw2, dz2.sum(0)?]))
    }
}

impl Network for Step {
    fn step(&mut self) {
        self.results = Some(self.computed().expect("operations that fit"));
    }

    fn results(&self) -> (f32, [Vec<f32>; 4]) {
        let (loss, gradients) = self.results.as_ref().expect("a step was done");
        let entries = gradients.each_ref().map(|g| g.flatten_all().and_then(|flat| flat.to_vec1()).expect("f32"));
        (loss.to_scalar().expect("f32"), entries)
    }
}

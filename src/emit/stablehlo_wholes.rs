//! Operations on whole matrices in StableHLO: factors, solves, blocks, tensors. Operands come in as tiles, lines go
//! out; what has no operation is an error.

use super::EmitError;
use super::code::{MatrixOp, Tensor, Value};
use super::stablehlo::{Tile, Writer, kind};

impl Writer<'_> {
    /// An operation on whole matrices.
    pub(super) fn matrix(
        &mut self,
        op: MatrixOp,
        parts: &[Tile],
        list: &[Value],
        axes: &[i64],
    ) -> Result<Tile, EmitError> {
        let a = &parts[0];
        Ok(match op {
            MatrixOp::Lower | MatrixOp::Upper => {
                let (rows, columns) = (self.iota(0, axes), self.iota(1, axes));
                let mask = self.compare(if op == MatrixOp::Lower { "GE" } else { "LE" }, &rows, &columns);
                self.binary("multiply", &mask, a)
            }
            MatrixOp::Diagonal | MatrixOp::Trace => {
                let identity = self.identity(a.axes[0]);
                let kept = self.binary("multiply", &identity, a);
                let over: &[usize] = if op == MatrixOp::Trace { &[0, 1] } else { &[1] };
                self.reduce("add", 0.0, &kept, over)
            }
            MatrixOp::DiagonalMatrix => {
                let identity = self.identity(axes[0]);
                let wide = self.broadcast(a, &[0], axes);
                self.binary("multiply", &identity, &wide)
            }
            MatrixOp::Norm => {
                let square = self.binary("multiply", a, a);
                let over: Vec<usize> = (0..a.axes.len()).collect();
                let sum = self.reduce("add", 0.0, &square, &over);
                self.unary("sqrt", &sum)
            }
            MatrixOp::Power(k) if k > 0 => self.power(a, k),
            MatrixOp::Power(k) => {
                let inverse = self.inverse(a);
                self.power(&inverse, -k)
            }
            MatrixOp::PowerAlong(k) => {
                let block = self.block_along(a, &parts[1]);
                let base = if k < 0 { self.inverse(&block) } else { block };
                let power = self.power(&base, k.abs());
                self.quarter(&power)
            }
            MatrixOp::Inverse => self.inverse(a),
            MatrixOp::Solve => self.solve(a, &parts[1]),
            MatrixOp::Determinant => self.determinant(a),
            MatrixOp::LogDeterminant => self.log_determinant(a),
            MatrixOp::Exponential => self.exponential(a),
            MatrixOp::ExponentialAlong => {
                let block = self.block_along(a, &parts[1]);
                let exponential = self.exponential(&block);
                self.quarter(&exponential)
            }
            MatrixOp::HalfVectorised => self.half(a, axes),
            MatrixOp::FromHalfVectorised => self.unfolded_half(a, axes),
            MatrixOp::Cholesky => {
                let factor = self.line(&format!("stablehlo.cholesky {}, lower = true : {}", a.name, kind(axes)), axes);
                let (rows, columns) = (self.iota(0, axes), self.iota(1, axes));
                let mask = self.compare("GE", &rows, &columns);
                self.binary("multiply", &mask, &factor)
            }
            MatrixOp::SolvePositive => {
                let b = &parts[1];
                let n = a.axes[0];
                let wide: Vec<i64> = if b.axes.len() == 2 { b.axes.clone() } else { vec![n, 1] };
                let mut x = self.reshape(b, &wide);
                let factor = self
                    .line(&format!("stablehlo.cholesky {}, lower = true : {}", a.name, kind(&a.axes)), &a.axes.clone());
                for turned in ["NO_TRANSPOSE", "TRANSPOSE"] {
                    let right = format!(
                        "\"stablehlo.triangular_solve\"({}, {}) <{{left_side = true, lower = true, unit_diagonal = false, \
                         transpose_a = #stablehlo<transpose {turned}>}}> : ({}, {}) -> {}",
                        factor.name,
                        x.name,
                        kind(&factor.axes),
                        kind(&wide),
                        kind(&wide)
                    );
                    x = self.line(&right, &wide);
                }
                self.reshape(&x, &b.axes.clone())
            }
            MatrixOp::Horizontal | MatrixOp::Vertical => {
                let dim = if op == MatrixOp::Horizontal && axes.len() == 2 { 1 } else { 0 };
                let mut tiles = Vec::with_capacity(parts.len());
                for (tile, &own) in parts.iter().zip(list) {
                    let shape = self.code.shape(own);
                    let (rows, columns) = (self.size(shape.rows)?, self.size(shape.columns)?);
                    let wanted = if axes.len() == 2 { vec![rows, columns] } else { vec![rows * columns] };
                    tiles.push(self.reshape(tile, &wanted));
                }
                self.joined(&tiles, dim, axes)
            }
            MatrixOp::Reshape => {
                // Column by column is row by row of the transpose.
                let turned = if a.axes.len() == 2 { self.transpose(a) } else { a.clone() };
                let backwards: Vec<i64> = axes.iter().rev().copied().collect();
                let out = self.reshape(&turned, &backwards);
                if axes.len() == 2 { self.transpose(&out) } else { out }
            }
            MatrixOp::Kronecker => {
                let (s, t) = (self.code.shape(list[0]), self.code.shape(list[1]));
                let (m, n, p, q) =
                    (self.size(s.rows)?, self.size(s.columns)?, self.size(t.rows)?, self.size(t.columns)?);
                let (x, y) = (self.reshape(a, &[m, n]), self.reshape(&parts[1], &[p, q]));
                let whole = [m, p, n, q];
                let (x, y) = (self.broadcast(&x, &[0, 2], &whole), self.broadcast(&y, &[1, 3], &whole));
                let product = self.binary("multiply", &x, &y);
                self.reshape(&product, axes)
            }
            MatrixOp::Adjugate => self.adjugate(a),
            MatrixOp::Root { inverse } => self.root(a, inverse),
            MatrixOp::PseudoInverse => {
                let shape = self.code.shape(list[0]);
                let of = [self.size(shape.rows)?, self.size(shape.columns)?];
                let wide = self.reshape(a, &of);
                let inverse = self.pseudo_inverse(&wide);
                self.reshape(&inverse, axes)
            }
        })
    }

    /// A tensor of more than two axes.
    pub(super) fn tensor(&mut self, tensor: &Tensor) -> Result<Tile, EmitError> {
        let axes: Vec<i64> = tensor.axes.iter().map(|&d| self.size(d)).collect::<Result<_, _>>()?;
        let mut sum = self.constant(0.0, &axes);
        for term in &tensor.terms {
            let mut all = axes.clone();
            for &d in &term.summed {
                all.push(self.size(d)?);
            }
            let mut factors: Vec<(Tile, Vec<usize>)> =
                term.factors.iter().map(|(factor, at)| (self.known[factor].clone(), at.clone())).collect();
            for &(i, j) in &term.deltas {
                let identity = self.identity(all[i]);
                factors.push((identity, vec![i, j]));
            }
            // The product so far, and the indices of its axes. An index is summed as soon as no factor is left that has it.
            let (mut product, mut at) = (self.known[&term.coefficient].clone(), Vec::new());
            for k in 0..factors.len() {
                let (mut tile, mut own) = factors[k].clone();
                if own.len() == 2 && own[0] > own[1] {
                    tile = self.transpose(&tile);
                    own.reverse();
                }
                let mut joined: Vec<usize> = at.iter().chain(&own).copied().collect();
                joined.sort_unstable();
                joined.dedup();
                let shape: Vec<i64> = joined.iter().map(|&index| all[index]).collect();
                let place = |index: &usize| joined.binary_search(index).unwrap_or_default();
                let left = self.broadcast(&product, &at.iter().map(place).collect::<Vec<_>>(), &shape);
                let right = self.broadcast(&tile, &own.iter().map(place).collect::<Vec<_>>(), &shape);
                product = self.binary("multiply", &left, &right);
                let ends =
                    |index: usize| index >= axes.len() && factors[k + 1..].iter().all(|(_, at)| !at.contains(&index));
                let over: Vec<usize> = (0..joined.len()).filter(|&i| ends(joined[i])).collect();
                if !over.is_empty() {
                    product = self.reduce("add", 0.0, &product, &over);
                }
                at = joined.into_iter().filter(|&index| !ends(index)).collect();
            }
            product = self.broadcast(&product, &at, &axes);
            // A sum over an index that no factor has.
            let free = (axes.len()..all.len()).filter(|index| factors.iter().all(|(_, at)| !at.contains(index)));
            let times: i64 = free.map(|index| all[index]).product();
            if times != 1 {
                let times = self.constant(times as f64, &axes);
                product = self.binary("multiply", &product, &times);
            }
            sum = self.binary("add", &sum, &product);
        }
        Ok(sum)
    }
}

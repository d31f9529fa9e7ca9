//! The values of the dictionary's functions, of powers and blocks.

use super::{Evaluator, Places, Trouble, third};
use crate::document::formula::Formula;
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::verify::linear::{self, Of, eliminate, integer, minus, scale, total};
use crate::verify::values::{Field, Grid};

impl<F: Field> Evaluator<'_, F> {
    /// f(A) or f'(A) of a function of the dictionary.
    pub(super) fn derivative_of_function(&self, function: Function, order: u32, a: &Of<F>) -> Result<Of<F>, Trouble> {
        let field = self.field;
        if function.entry().signature != Signature::Elementwise || order > 1 {
            return Err(Trouble::NotCovered(format!("this derivative of `{}` is not covered", function.name())));
        }
        if order == 0 {
            return a.try_map(|x| field.apply(function, x)).ok_or(Trouble::Undefined);
        }
        if !self.strict {
            let one = integer(field, 1);
            let along = |x: F::Scalar| Some(field.slope(field.apply(function, field.moving(x, one))?));
            return a.try_map(along).ok_or(Trouble::Undefined);
        }
        // The derivative's own slope is wanted.
        let higher = field.higher().ok_or_else(third)?;
        let one = integer(&higher, 1);
        let along = |x: F::Scalar| Some(field.slope_of(higher.apply(function, higher.moving(field.lift(x), one))?));
        a.try_map(along).ok_or(Trouble::Undefined)
    }

    pub(super) fn matrix_power(&self, base: &Of<F>, k: Number) -> Result<Of<F>, Trouble> {
        let field = self.field;
        if let Some(k) = k.as_integer().filter(|k| k.abs() <= 64) {
            return linear::integer_power(field, base, k).ok_or(Trouble::Undefined);
        }
        if k.abs() == Number::HALF {
            let (root, inverse) = linear::square_root(field, base).ok_or(Trouble::Undefined)?;
            return Ok(if k.is_negative() { inverse } else { root });
        }
        Err(Trouble::NotCovered("a matrix power that is neither whole nor a root".to_owned()))
    }

    pub(super) fn blocks(&mut self, rows: &[Vec<Formula>], places: &mut Places) -> Result<Of<F>, Trouble> {
        let mut bands: Vec<Of<F>> = Vec::new();
        for row in rows {
            let mut parts = Vec::with_capacity(row.len());
            for part in row {
                parts.push(self.value(part, places)?);
            }
            let Some(height) = parts.first().map(|part| part.rows) else { continue };
            if parts.iter().any(|part| part.rows != height) {
                return Err(Trouble::Misfit);
            }
            let width = parts.iter().map(|part| part.columns).sum();
            let mut entries = Vec::with_capacity(height * width);
            for i in 0..height {
                for part in &parts {
                    entries.extend((0..part.columns).map(|j| part.at(i, j)));
                }
            }
            bands.push(Grid { rows: height, columns: width, entries });
        }
        let Some(columns) = bands.first().map(|band| band.columns) else { return Err(Trouble::Misfit) };
        if bands.iter().any(|band| band.columns != columns) {
            return Err(Trouble::Misfit);
        }
        let rows = bands.iter().map(|band| band.rows).sum();
        Ok(Grid { rows, columns, entries: bands.into_iter().flat_map(|band| band.entries).collect() })
    }

    pub(super) fn call(&self, function: Function, by_columns: bool, list: &[Of<F>]) -> Result<Of<F>, Trouble> {
        let field = self.field;
        let a = &list[0];
        let apply = |function: Function, x: F::Scalar| field.apply(function, x);
        let row_sums = || Grid::from_fn(a.rows, 1, |i, _| total(field, (0..a.columns).map(|j| a.at(i, j))));
        let column_sums = || Grid::from_fn(1, a.columns, |_, j| total(field, (0..a.rows).map(|i| a.at(i, j))));
        let over = |grid: Of<F>, count: usize| {
            let factor = field.number(Number::Ratio(1, count as i64))?;
            Some(scale(field, factor, &grid))
        };
        let square_sum = || total(field, a.entries.iter().map(|&x| field.times(x, x)));
        let keep = |wanted: fn(usize, usize) -> bool| {
            Grid::from_fn(a.rows, a.columns, |i, j| if wanted(i, j) { a.at(i, j) } else { integer(field, 0) })
        };
        let all = || Grid::scalar(total(field, a.entries.iter().copied()));
        let found = match function {
            Function::Max | Function::Min => a.pairs(&list[1], |x, y| {
                let more = field.holds(crate::syntax::ast::Comparison::Greater, x, y);
                Some(if more == (function == Function::Max) { x } else { y })
            }),
            Function::LeakyRelu => {
                let slope = list[1].entries[0];
                let zero = integer(field, 0);
                Some(a.map(|x| match field.holds(crate::syntax::ast::Comparison::Greater, x, zero) {
                    true => x,
                    false => field.times(slope, x),
                }))
            }
            Function::Softmax | Function::LogSoftmax | Function::LogSumExp => self.row_wise(function, by_columns, a),
            Function::Sum => Some(all()),
            Function::Mean => over(all(), a.entries.len()),
            Function::RowSum => Some(row_sums()),
            Function::RowMean => over(row_sums(), a.columns),
            Function::ColSum => Some(column_sums()),
            Function::ColMean => over(column_sums(), a.rows),
            Function::Trace => Some(Grid::scalar(total(field, (0..a.rows.min(a.columns)).map(|i| a.at(i, i))))),
            Function::Det => eliminate(field, a).map(|(_, determinant)| Grid::scalar(determinant)),
            Function::LogDet => {
                eliminate(field, a).and_then(|(_, determinant)| apply(Function::Log, determinant)).map(Grid::scalar)
            }
            Function::Norm => apply(Function::Sqrt, square_sum()).map(Grid::scalar),
            Function::NormSq => Some(Grid::scalar(square_sum())),
            Function::Norm1 => {
                let sizes: Option<Vec<F::Scalar>> = a.entries.iter().map(|&x| apply(Function::Abs, x)).collect();
                sizes.map(|sizes| Grid::scalar(total(field, sizes.into_iter())))
            }
            Function::Dot => a
                .pairs(&list[1], |x, y| Some(field.times(x, y)))
                .map(|product| Grid::scalar(total(field, product.entries.into_iter()))),
            Function::Inv => linear::inverse(field, a),
            Function::Adj => eliminate(field, a).and_then(|(inverse, d)| Some(scale(field, d, &inverse?))),
            Function::Pinv => linear::pseudo_inverse(field, a),
            Function::Expm => linear::exponential(field, a),
            Function::Chol => linear::cholesky(field, a),
            Function::Tril => Some(keep(|i, j| i >= j)),
            Function::Triu => Some(keep(|i, j| i <= j)),
            Function::TransposeOf => Some(a.transpose()),
            Function::Diag if a.columns == 1 || a.rows == 1 => {
                let n = a.entries.len();
                Some(Grid::from_fn(n, n, |i, j| if i == j { a.entries[i] } else { integer(field, 0) }))
            }
            Function::Diag => Some(Grid::from_fn(a.rows, 1, |i, _| a.at(i, i))),
            Function::Vec => a.reshape(a.entries.len(), 1),
            Function::Vech => {
                let entries: Vec<F::Scalar> =
                    (0..a.columns).flat_map(|j| (j..a.rows).map(move |i| (i, j))).map(|(i, j)| a.at(i, j)).collect();
                Some(Grid { rows: entries.len(), columns: 1, entries })
            }
            Function::Kron => {
                let b = &list[1];
                Some(Grid::from_fn(a.rows * b.rows, a.columns * b.columns, |i, j| {
                    field.times(a.at(i / b.rows, j / b.columns), b.at(i % b.rows, j % b.columns))
                }))
            }
            _ if function.entry().signature == Signature::Elementwise => a.try_map(|x| apply(function, x)),
            _ => return Err(Trouble::NotCovered(format!("`{}` is not covered by verify", function.name()))),
        };
        found.ok_or(Trouble::Undefined)
    }

    pub(super) fn row_wise(&self, function: Function, by_columns: bool, a: &Of<F>) -> Option<Of<F>> {
        let field = self.field;
        if by_columns {
            return self.row_wise(function, false, &a.transpose()).map(|out| out.transpose());
        }
        let width = if a.columns == 1 { a.entries.len() } else { a.columns };
        let mut entries = Vec::with_capacity(a.entries.len());
        for line in a.entries.chunks_exact(width.max(1)) {
            let powers: Option<Vec<F::Scalar>> = line.iter().map(|&x| field.apply(Function::Exp, x)).collect();
            let powers = powers?;
            let sum = total(field, powers.iter().copied());
            match function {
                Function::Softmax => {
                    let factor = field.inverse(sum)?;
                    entries.extend(powers.iter().map(|&x| field.times(x, factor)));
                }
                Function::LogSumExp => entries.push(field.apply(Function::Log, sum)?),
                _ => {
                    let log = field.apply(Function::Log, sum)?;
                    entries.extend(line.iter().map(|&x| minus(field, x, log)));
                }
            }
        }
        let columns = if function == Function::LogSumExp { 1 } else { a.columns };
        Some(Grid { rows: entries.len() / columns.max(1), columns, entries })
    }
}

//! Operations on whole matrices over buffers: products, softmax, solves, blocks, tensors. A value's operands come in as
//! buffers; calls of helpers and loops go out.

use super::EmitError;
use super::arrays::{Level, matrix_key};
use super::code::{MatrixOp, Op, SoftmaxPart, Tensor, Value, rank};
use super::loops::Writer;
use crate::dimension::Shape;
use crate::expr::Axis;
use crate::number::Number;

impl Writer<'_> {
    pub(super) fn product(&mut self, a: Value, b: Value, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let side = |writer: &Self, v: Value| -> Result<(String, bool), EmitError> {
            match *code.op(v) {
                // The transpose of a vector has its entries in the same order.
                Op::Transpose(inner) if writer.buffer_of(v).is_none() => {
                    Ok((writer.buffer_needed(inner)?, rank(code.shape(v)) == 2))
                }
                _ => Ok((writer.buffer_needed(v)?, false)),
            }
        };
        let ((x, left), (y, right)) = (side(self, a)?, side(self, b)?);
        let (sa, sb) = (code.shape(a), code.shape(b));
        let (m, k, n) = (self.size(sa.rows), self.size(sa.columns), self.size(sb.columns));
        let text = self.words.product(name, [&m, &k, &n], [&x, &y], [left, right]);
        self.line(&text);
        Ok(())
    }

    pub(super) fn softmax(&mut self, part: SoftmaxPart, axis: Axis, a: Value, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let shape = code.shape(a);
        let buffer = self.buffer_needed(a)?;
        let (rows, columns) = (self.size(shape.rows), self.size(shape.columns));
        let (lines, length, line_step, step) = match axis {
            Axis::All => ("1".to_owned(), self.count(shape), "0".to_owned(), "1".to_owned()),
            Axis::Rows => (rows, columns.clone(), columns, "1".to_owned()),
            Axis::Columns => (columns.clone(), rows, "1".to_owned(), columns),
        };
        let end = self.words.end();
        self.open("i", &lines);
        match part {
            SoftmaxPart::LogSumExp => {
                let start = format!("i * ({line_step})");
                let helper = self.function("logsumexp")?;
                self.line(&format!("{name}[i] = {helper}({length}, {buffer}, {start}, {step}){end}"));
            }
            _ => {
                let helper = self.function(if part == SoftmaxPart::Softmax { "softmax" } else { "logsoftmax" })?;
                self.line(&format!("{helper}({length}, {buffer}, {name}, i * ({line_step}), {step}){end}"));
            }
        }
        self.close();
        Ok(())
    }

    pub(super) fn matrix(&mut self, op: MatrixOp, list: &[Value], shape: Shape, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let end = self.words.end();
        let of = code.shape(list[0]);
        let (p, q) = (self.size(of.rows), self.size(of.columns));
        let square = |count: usize| format!("{count} * ({p}) * ({p})");
        let scratch = match op {
            MatrixOp::Inverse | MatrixOp::Solve | MatrixOp::SolvePositive => square(1),
            MatrixOp::Adjugate => square(2),
            MatrixOp::Power(_) => square(4),
            MatrixOp::Root { .. } => square(3),
            MatrixOp::Exponential => square(9),
            MatrixOp::ExponentialAlong => square(4 * 11),
            MatrixOp::PowerAlong(_) => square(4 * 6),
            MatrixOp::PseudoInverse => format!("({p}) * ({q}) + ({p}) * ({p}) + ({q}) * ({q})"),
            _ => String::new(),
        };
        let helper = match op {
            MatrixOp::Solve => Some("mg_solve"),
            MatrixOp::SolvePositive => Some("mg_solve_positive"),
            MatrixOp::Power(_) => Some("mg_power"),
            MatrixOp::Root { inverse: false } => Some("mg_root"),
            MatrixOp::Root { inverse: true } => Some("mg_inverse_root"),
            MatrixOp::ExponentialAlong => Some("mg_exponential_along"),
            MatrixOp::PowerAlong(_) => Some("mg_power_along"),
            MatrixOp::Inverse
            | MatrixOp::Adjugate
            | MatrixOp::Cholesky
            | MatrixOp::Exponential
            | MatrixOp::PseudoInverse => Some(self.function(matrix_key(op))?),
            _ => None,
        };
        if let Some(helper) = helper {
            let mut arguments = vec![p.clone()];
            match op {
                MatrixOp::Solve | MatrixOp::SolvePositive => arguments.push(self.size(code.shape(list[1]).columns)),
                MatrixOp::PseudoInverse => arguments.push(q),
                MatrixOp::Power(k) | MatrixOp::PowerAlong(k) => arguments.push(k.to_string()),
                _ => {}
            }
            for &a in list {
                arguments.push(self.buffer_needed(a)?);
            }
            arguments.push(name.to_owned());
            if !scratch.is_empty() {
                let scratch = self.scratch(&scratch);
                arguments.push(scratch);
            }
            let text = self.words.attempt(&format!("{helper}({})", arguments.join(", ")));
            self.line(&text);
            return Ok(());
        }
        match op {
            MatrixOp::Kronecker => {
                let (a, b) = (list[0], list[1]);
                let inner = code.shape(b);
                let (r, c) = (self.factor_of_place(inner.rows), self.factor_of_place(inner.columns));
                self.over(shape, &mut |writer, i, j| {
                    let (ia, ib) = (format!("({i} / {r})"), format!("({i} % {r})"));
                    let (ja, jb) = (format!("({j} / {c})"), format!("({j} % {c})"));
                    let (x, y) = (writer.entry(a, &ia, &ja)?, writer.entry(b, &ib, &jb)?);
                    let at = writer.place(shape, i, j);
                    writer.line(&format!(
                        "{name}[{at}] = {} * {}{end}",
                        x.at_least(Level::Product),
                        y.at_least(Level::Sign)
                    ));
                    Ok(())
                })
            }
            MatrixOp::Reshape => {
                let a = list[0];
                let (from, to) = (self.factor_of_place(of.rows), self.factor_of_place(shape.rows));
                self.over(shape, &mut |writer, i, j| {
                    let place = format!("({j} * {to} + {i})");
                    let x = writer.entry(a, &format!("({place} % {from})"), &format!("({place} / {from})"))?;
                    let at = writer.place(shape, i, j);
                    writer.line(&format!("{name}[{at}] = {}{end}", x.text));
                    Ok(())
                })
            }
            MatrixOp::Horizontal | MatrixOp::Vertical => self.blocks(op, list, shape, name),
            MatrixOp::HalfVectorised | MatrixOp::FromHalfVectorised => {
                let back = op == MatrixOp::FromHalfVectorised;
                let n = if back { shape.rows } else { of.rows };
                let n = self.size(n);
                let buffer = self.buffer_needed(list[0])?;
                let helper = self.function(matrix_key(op))?;
                self.line(&format!("{helper}({n}, {buffer}, {name}){end}"));
                Ok(())
            }
            _ => Err(EmitError::new("an operation on matrices that is not covered for this target".to_owned())),
        }
    }

    fn blocks(&mut self, op: MatrixOp, list: &[Value], shape: Shape, name: &str) -> Result<(), EmitError> {
        let code = self.code;
        let end = self.words.end();
        let mut offset: Vec<String> = Vec::new();
        for &block in list {
            let own = code.shape(block);
            let before = if offset.is_empty() { String::new() } else { format!("{} + ", offset.join(" + ")) };
            self.over(own, &mut |writer, i, j| {
                let x = writer.entry(block, i, j)?;
                let (row, column) = match op {
                    MatrixOp::Horizontal => (i.to_owned(), format!("{before}{j}")),
                    _ => (format!("({before}{i})"), j.to_owned()),
                };
                let row = if op == MatrixOp::Vertical && rank(shape) < 2 { format!("{before}{i}") } else { row };
                let at = writer.place(shape, &row, &column);
                writer.line(&format!("{name}[{at}] = {}{end}", x.text));
                Ok(())
            })?;
            offset.push(match op {
                MatrixOp::Horizontal => self.factor(own.columns),
                _ => self.factor(own.rows),
            });
        }
        Ok(())
    }

    pub(super) fn tensor(&mut self, tensor: &Tensor, name: &str) -> Result<(), EmitError> {
        let end = self.words.end();
        let code = self.code;
        let axes = &tensor.axes;
        let indices: Vec<String> = (0..axes.len()).map(|i| format!("i{i}")).collect();
        let place = |writer: &Self, at: &[String]| {
            let mut out = at[0].clone();
            for (d, index) in axes.iter().zip(at).skip(1) {
                let inner = if out.contains(' ') { format!("({out})") } else { out };
                out = format!("{inner} * {} + {index}", writer.factor_of_place(*d));
            }
            out
        };
        let count = self.count_of_axes(axes);
        self.open("i", &count);
        self.line(&format!("{name}[i] = 0.0{end}"));
        self.close();
        for term in &tensor.terms {
            let mut at = indices.clone();
            for &(i, j) in &term.deltas {
                at[j] = at[i].clone();
            }
            let mut depth = 0;
            for i in 0..axes.len() {
                if at[i] == indices[i] {
                    let size = self.size(axes[i]);
                    self.open(&indices[i], &size);
                    depth += 1;
                }
            }
            let mut all = at.clone();
            all.extend((0..term.summed.len()).map(|s| format!("s{s}")));
            let mut product = Vec::new();
            for (factor, own) in &term.factors {
                let shape = code.shape(*factor);
                let text = match (own.as_slice(), shape.is_row()) {
                    (&[i, j], _) => self.entry(*factor, &all[i], &all[j])?,
                    (&[j], true) => self.entry(*factor, "0", &all[j])?,
                    (&[i], false) => self.entry(*factor, &all[i], "0")?,
                    _ => return Err(EmitError::new("a factor with other than one or two indices".to_owned())),
                };
                product.push(text.at_least(Level::Sign));
            }
            let whole = place(self, &at);
            let one = code.number_of(term.coefficient) == Some(Number::ONE);
            let c = self.entry(term.coefficient, "0", "0")?.at_least(Level::Sign);
            let joined = if product.is_empty() { "1.0".to_owned() } else { product.join(" * ") };
            if term.summed.is_empty() {
                let right = match (one, product.is_empty()) {
                    (true, _) => joined,
                    (false, true) => c,
                    (false, false) => format!("{c} * {joined}"),
                };
                self.line(&format!("{name}[{whole}] += {right}{end}"));
            } else {
                let text = self.words.variable("sum", "0.0");
                self.line(&text);
                for (s, &d) in term.summed.iter().enumerate() {
                    let size = self.size(d);
                    self.open(&format!("s{s}"), &size);
                }
                self.line(&format!("sum += {joined}{end}"));
                term.summed.iter().for_each(|_| self.close());
                let right = if one { "sum".to_owned() } else { format!("{c} * sum") };
                self.line(&format!("{name}[{whole}] += {right}{end}"));
            }
            (0..depth).for_each(|_| self.close());
        }
        Ok(())
    }
}

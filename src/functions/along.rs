//! Softmax, sums and means: functions along rows, columns, or all entries.

use super::Function as F;
use super::Signature as S;
use super::{Entry, FORM, Form, row};

/// In the order of [`F`]. Function, name, title, signature, differential, forms in other languages.
#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    row(F::Softmax, "softmax", "softmax along rows", S::AlongRows, "", &[
        Form {
            numpy: "special.softmax($0)", torch: "torch.softmax($0, dim=0)", jax: "jax.nn.softmax($0)",
            julia: "_softmax($0, 1)", matlab: "mg_softmax($0, 0)", c: "mg_softmax", rust: "mg_softmax", ..FORM
        },
        Form {
            name: "of rows", numpy: "special.softmax($0, axis=1)", torch: "torch.softmax($0, dim=1)",
            jax: "jax.nn.softmax($0, axis=1)", julia: "_softmax($0, 2)", matlab: "mg_softmax($0, 2)", ..FORM
        },
        Form {
            name: "of columns", numpy: "special.softmax($0, axis=0)", torch: "torch.softmax($0, dim=0)",
            jax: "jax.nn.softmax($0, axis=0)", julia: "_softmax($0, 1)", matlab: "mg_softmax($0, 1)", ..FORM
        },
        Form { name: "_softmax", julia: "_softmax(x, dims) = (y = exp.(x .- maximum(x; dims)); y ./ sum(y; dims))\n", ..FORM },
        Form {
            name: "mg_softmax",
            matlab: "function y = mg_softmax(x, dim)
% Softmax along a dimension; along all entries of a vector where it is 0.
dim = mg_dimension(x, dim);
y = exp(x - max(x, [], dim));
y = y ./ sum(y, dim);
end
",
            c: "static void mg_softmax(size_t n, const double *a, double *out, size_t start, size_t step)
{
    const double largest = mg_largest(n, a + start, step);
    double sum = 0.0;
    for (size_t k = start; k < start + n * step; k += step) {
        out[k] = exp(a[k] - largest);
        sum += out[k];
    }
    for (size_t k = start; k < start + n * step; k += step)
        out[k] /= sum;
}
",
            rust: "/// The softmax of n numbers from `start` on that lie `step` apart.
fn mg_softmax(n: usize, a: &[f64], out: &mut [f64], start: usize, step: usize) {
    let entries = || a[start..].iter().step_by(step).take(n);
    let largest = entries().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = entries().map(|x| (x - largest).exp()).sum();
    for (y, x) in out[start..].iter_mut().step_by(step).zip(entries()) {
        *y = (x - largest).exp() / sum;
    }
}
",
            ..FORM
        },
    ]),
    row(F::LogSoftmax, "logsoftmax", "logarithm of softmax along rows", S::AlongRows, "", &[
        Form {
            numpy: "special.log_softmax($0)", torch: "torch.log_softmax($0, dim=0)", jax: "jax.nn.log_softmax($0)",
            julia: "_logsoftmax($0, 1)", matlab: "mg_logsoftmax($0, 0)", c: "mg_logsoftmax", rust: "mg_logsoftmax", ..FORM
        },
        Form {
            name: "of rows", numpy: "special.log_softmax($0, axis=1)", torch: "torch.log_softmax($0, dim=1)",
            jax: "jax.nn.log_softmax($0, axis=1)", julia: "_logsoftmax($0, 2)", matlab: "mg_logsoftmax($0, 2)", ..FORM
        },
        Form {
            name: "of columns", numpy: "special.log_softmax($0, axis=0)", torch: "torch.log_softmax($0, dim=0)",
            jax: "jax.nn.log_softmax($0, axis=0)", julia: "_logsoftmax($0, 1)", matlab: "mg_logsoftmax($0, 1)", ..FORM
        },
        Form { name: "_logsoftmax", julia: "_logsoftmax(x, dims) = x .- _logsumexp(x, dims)\n", ..FORM },
        Form {
            name: "mg_logsoftmax",
            matlab: "function y = mg_logsoftmax(x, dim)
% The logarithm of the softmax.
y = x - mg_logsumexp(x, dim);
end
",
            c: "static void mg_logsoftmax(size_t n, const double *a, double *out, size_t start, size_t step)
{
    const double largest = mg_largest(n, a + start, step);
    double sum = 0.0;
    for (size_t k = start; k < start + n * step; k += step)
        sum += exp(a[k] - largest);
    sum = log(sum);
    for (size_t k = start; k < start + n * step; k += step)
        out[k] = a[k] - largest - sum;
}
",
            rust: "/// The logarithm of the softmax of n numbers from `start` on that lie `step` apart.
fn mg_logsoftmax(n: usize, a: &[f64], out: &mut [f64], start: usize, step: usize) {
    let entries = || a[start..].iter().step_by(step).take(n);
    let largest = entries().copied().fold(f64::NEG_INFINITY, f64::max);
    let logarithm = entries().map(|x| (x - largest).exp()).sum::<f64>().ln();
    for (y, x) in out[start..].iter_mut().step_by(step).zip(entries()) {
        *y = x - largest - logarithm;
    }
}
",
            ..FORM
        },
    ]),
    row(F::LogSumExp, "logsumexp", "log of the sum of exponentials", S::ReduceRows, "", &[
        Form {
            numpy: "special.logsumexp($0)", torch: "torch.logsumexp($0, dim=0)", jax: "jax.nn.logsumexp($0)",
            julia: "only(_logsumexp($0, 1))", matlab: "mg_logsumexp($0, 0)", c: "mg_logsumexp", rust: "mg_logsumexp", ..FORM
        },
        Form {
            name: "of rows", numpy: "special.logsumexp($0, axis=1)", torch: "torch.logsumexp($0, dim=1)",
            jax: "jax.nn.logsumexp($0, axis=1)", julia: "vec(_logsumexp($0, 2))", matlab: "mg_logsumexp($0, 2)", ..FORM
        },
        Form {
            name: "of columns", numpy: "special.logsumexp($0, axis=0)", torch: "torch.logsumexp($0, dim=0)",
            jax: "jax.nn.logsumexp($0, axis=0)", julia: "vec(_logsumexp($0, 1))", matlab: "mg_logsumexp($0, 1)", ..FORM
        },
        Form {
            name: "_logsumexp",
            julia: "function _logsumexp(x, dims)
    largest = maximum(x; dims)
    return largest .+ log.(sum(exp.(x .- largest); dims))
end
",
            ..FORM
        },
        Form {
            name: "mg_logsumexp",
            matlab: "function y = mg_logsumexp(x, dim)
% log(sum(exp(x))) along a dimension; along all entries of a vector where it is 0.
dim = mg_dimension(x, dim);
largest = max(x, [], dim);
y = largest + log(sum(exp(x - largest), dim));
end
",
            c: "/* log(sum(exp(a))) of n numbers from `start` on that lie `step` apart. */
static double mg_logsumexp(size_t n, const double *a, size_t start, size_t step)
{
    const double largest = mg_largest(n, a + start, step);
    double sum = 0.0;
    for (size_t k = 0; k < n; ++k)
        sum += exp(a[start + k * step] - largest);
    return largest + log(sum);
}
",
            rust: "/// log(sum(exp(a))) of n numbers from `start` on that lie `step` apart.
fn mg_logsumexp(n: usize, a: &[f64], start: usize, step: usize) -> f64 {
    let entries = || a[start..].iter().step_by(step).take(n);
    let largest = entries().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + entries().map(|x| (x - largest).exp()).sum::<f64>().ln()
}
",
            ..FORM
        },
    ]),
    row(F::Sum, "sum", "sum of all entries", S::Reduce, "", &[
        Form { numpy: "np.sum($0)", torch: "torch.sum($0)", jax: "jnp.sum($0)", julia: "sum($0)", matlab: "sum(sum($0))", ..FORM },
    ]),
    row(F::Mean, "mean", "mean of all entries", S::Reduce, "", &[]),
    row(F::RowSum, "rowsum", "sum along each row", S::ReduceToColumn, "", &[
        Form {
            numpy: "np.sum($0, axis=1)", torch: "torch.sum($0, dim=1)", jax: "jnp.sum($0, axis=1)",
            julia: "vec(sum($0, dims=2))", matlab: "sum($0, 2)", ..FORM
        },
    ]),
    row(F::RowMean, "rowmean", "mean along each row", S::ReduceToColumn, "", &[]),
    row(F::ColSum, "colsum", "sum along each column", S::ReduceToRow, "", &[
        Form {
            numpy: "np.sum($0, axis=0)", torch: "torch.sum($0, dim=0)", jax: "jnp.sum($0, axis=0)",
            julia: "vec(sum($0, dims=1))", matlab: "sum($0, 1)", ..FORM
        },
    ]),
    row(F::ColMean, "colmean", "mean along each column", S::ReduceToRow, "", &[]),
];

//! Functions of whole matrices: traces, norms, inverses, factors, and arrangements of entries.

use super::Function as F;
use super::Signature as S;
use super::{Entry, FORM, Form, row};

/// In the order of [`F`]. Function, name, title, signature, differential, forms in other languages.
#[rustfmt::skip]
pub(super) const ENTRIES: &[Entry] = &[
    row(F::Trace, "tr", "trace", S::SquareToScalar, "", &[
        Form {
            numpy: "np.trace($0)", torch: "torch.trace($0)", jax: "jnp.trace($0)", julia: "tr($0)", matlab: "trace($0)", ..FORM
        },
    ]),
    row(F::Det, "det", "determinant", S::SquareToScalar, "F*tr(inv(X)*dX)", &[
        Form {
            numpy: "np.linalg.det($0)", torch: "torch.linalg.det($0)", jax: "jnp.linalg.det($0)", julia: "det($0)",
            matlab: "det($0)", c: "mg_determinant", rust: "mg_determinant", ..FORM
        },
    ]),
    row(F::LogDet, "logdet", "logarithm of the determinant", S::SquareToScalar, "tr(inv(X)*dX)", &[
        Form {
            numpy: "_logdet($0)", torch: "torch.logdet($0)", jax: "_logdet($0)", julia: "logdet($0)", matlab: "mg_logdet($0)",
            c: "mg_log_determinant", rust: "mg_log_determinant", ..FORM
        },
        Form {
            name: "_logdet",
            numpy: r#"def _logdet(a):
    """The logarithm of a positive determinant; not a number where it is negative."""
    sign, logarithm = np.linalg.slogdet(a)
    return logarithm if sign > 0 else np.log(sign)
"#,
            jax: r#"def _logdet(a: Array) -> Array:
    """The logarithm of a positive determinant; not a number where it is negative."""
    sign, logarithm = jnp.linalg.slogdet(a)
    return jnp.where(sign < 0, jnp.nan, logarithm)
"#,
            ..FORM
        },
        Form {
            name: "mg_logdet",
            matlab: "function y = mg_logdet(a)
% The logarithm of a positive determinant; not a number where it is negative.
[l, u, p] = lu(a);
if det(p) * prod(sign(diag(u))) < 0
    y = NaN;
else
    y = sum(log(abs(diag(u))));
end
end
",
            ..FORM
        },
    ]),
    row(F::Norm, "norm", "2-norm of a vector, Frobenius norm of a matrix", S::AnyToScalar, "tr(X'*dX)/F", &[
        Form {
            numpy: "np.linalg.norm($0)", torch: "torch.linalg.vector_norm($0)", jax: "jnp.linalg.norm($0)", julia: "norm($0)",
            matlab: "norm($0, 'fro')", ..FORM
        },
    ]),
    row(F::Norm1, "norm1", "sum of absolute values", S::AnyToScalar, "tr(sign(X)'*dX)", &[]),
    row(F::NormSq, "normsq", "sum of squares", S::AnyToScalar, "2*tr(X'*dX)", &[
        Form {
            numpy: "np.vdot($0, $0)", torch: "torch.dot(@0.flatten(), @0.flatten())", jax: "jnp.vdot($0, $0)",
            julia: "sum(abs2, $0)", matlab: "sum(sum(@0 .^ 2))", ..FORM
        },
    ]),
    row(F::Dot, "dot", "sum of products of entries", S::PairToScalar, "", &[
        Form { numpy: "*@0 @ @1", torch: "*@0 @ @1", jax: "*@0 @ @1", julia: "dot($0, $1)", matlab: "dot($0, $1)", ..FORM },
        Form {
            name: "of matrices", numpy: "np.vdot($0, $1)", torch: "torch.dot(@0.flatten(), @1.flatten())",
            jax: "jnp.vdot($0, $1)", julia: "dot($0, $1)", matlab: "sum(sum(@0 .* @1))", ..FORM
        },
    ]),
    row(F::Inv, "inv", "inverse", S::Square, "", &[
        Form {
            numpy: "np.linalg.inv($0)", torch: "torch.linalg.inv($0)", jax: "jnp.linalg.inv($0)", julia: "inv($0)",
            matlab: "inv($0)", c: "mg_inverse", rust: "mg_inverse", ..FORM
        },
    ]),
    row(F::Adj, "adj", "adjugate", S::Square, "tr(inv(X)*dX)*F - inv(X)*dX*F", &[
        Form {
            numpy: "_adjugate($0)", torch: "_adjugate($0)", jax: "_adjugate($0)", julia: "_adjugate($0)",
            matlab: "mg_adjugate($0)", c: "mg_adjugate", rust: "mg_adjugate", ..FORM
        },
        Form {
            name: "_adjugate",
            numpy: r#"def _adjugate(a):
    """The transposed matrix of cofactors, of a singular matrix too: adj(U S V) = adj(V) adj(S) adj(U)."""
    u, s, v = np.linalg.svd(a)
    others = np.array([np.prod(np.delete(s, i)) for i in range(len(s))])
    return np.linalg.det(u) * np.linalg.det(v) * (v.T * others) @ u.T
"#,
            torch: r#"def _adjugate(a: Tensor) -> Tensor:
    """The transposed matrix of cofactors, of a singular matrix too: adj(U S V) = adj(V) adj(S) adj(U)."""
    u, s, v = torch.linalg.svd(a)
    n = a.shape[0]
    one = torch.eye(n, dtype=torch.bool, device=a.device)
    others = torch.prod(torch.where(one, 1.0, s.expand(n, n)), dim=1)
    return torch.linalg.det(u) * torch.linalg.det(v) * (v.mT * others) @ u.mT
"#,
            jax: r#"def _adjugate(a: Array) -> Array:
    """The transposed matrix of cofactors, of a singular matrix too: adj(U S V) = adj(V) adj(S) adj(U)."""
    u, s, v = jnp.linalg.svd(a)
    one = jnp.eye(len(s), dtype=bool)
    others = jnp.prod(jnp.where(one, 1.0, s), axis=1)
    return jnp.linalg.det(u) * jnp.linalg.det(v) * (v.T * others) @ u.T
"#,
            julia: r#""The transposed matrix of cofactors, of a singular matrix too: adj(U S V') = adj(V') adj(S) adj(U)."
function _adjugate(a)
    u, s, v = svd(a)
    others = [prod(s[1:end .!= k]) for k in eachindex(s)]
    return det(u) * det(v) * (v .* others') * u'
end
"#,
            ..FORM
        },
        Form {
            name: "mg_adjugate",
            matlab: "function y = mg_adjugate(a)
% The transposed matrix of cofactors, of a singular matrix too: adj(U S V') = adj(V') adj(S) adj(U).
[u, s, v] = svd(a);
s = diag(s);
others = arrayfun(@(k) prod(s([1:k - 1, k + 1:end])), 1:numel(s));
y = det(u) * det(v) * (v .* others) * u';
end
",
            ..FORM
        },
    ]),
    row(F::Expm, "expm", "matrix exponential", S::Square, "", &[
        Form {
            numpy: "scipy.linalg.expm($0)", torch: "torch.linalg.matrix_exp($0)", jax: "jax.scipy.linalg.expm($0)",
            julia: "exp($0)", matlab: "full(expm($0))", c: "mg_exponential", rust: "mg_exponential", ..FORM
        },
    ]),
    row(F::Chol, "chol", "Cholesky factor, lower", S::Square, "", &[
        Form {
            numpy: "np.linalg.cholesky($0)", torch: "torch.linalg.cholesky($0)", jax: "jnp.linalg.cholesky($0)",
            julia: "Matrix(cholesky(Symmetric($0)).L)", matlab: "chol($0, 'lower')", c: "mg_cholesky", rust: "mg_cholesky",
            ..FORM
        },
    ]),
    row(F::Tril, "tril", "lower triangle", S::Same, "", &[
        Form { numpy: "np.tril($0)", torch: "torch.tril($0)", jax: "jnp.tril($0)", julia: "tril($0)", matlab: "tril($0)", ..FORM },
    ]),
    row(F::Triu, "triu", "upper triangle", S::Same, "", &[
        Form { numpy: "np.triu($0)", torch: "torch.triu($0)", jax: "jnp.triu($0)", julia: "triu($0)", matlab: "triu($0)", ..FORM },
    ]),
    row(F::TransposeOf, "transpose", "transpose", S::Transposed, "", &[]),
    row(F::Pinv, "pinv", "Moore-Penrose inverse", S::Transposed, "-F*dX*F + F*F'*dX'*(eye(m) - X*F) + (eye(n) - F*X)*dX'*F'*F", &[
        Form {
            numpy: "np.linalg.pinv($0)", torch: "torch.linalg.pinv($0)", jax: "jnp.linalg.pinv($0)", julia: "pinv($0)",
            matlab: "pinv($0)", c: "mg_pseudo_inverse", rust: "mg_pseudo_inverse", ..FORM
        },
    ]),
    row(F::Diag, "diag", "diagonal matrix of a vector, vector of a matrix's diagonal", S::Diagonal, "", &[
        Form {
            numpy: "np.diag($0)", torch: "torch.diagonal($0)", jax: "jnp.diag($0)", julia: "diag($0)", matlab: "diag($0)",
            ..FORM
        },
        Form {
            name: "of vector", numpy: "np.diag($0)", torch: "torch.diag($0)", jax: "jnp.diag($0)", julia: "diagm($0)",
            matlab: "full(diag($0))", ..FORM
        },
    ]),
    row(F::Vec, "vec", "columns stacked", S::Vectorised, "", &[]),
    row(F::Vech, "vech", "lower triangle by columns", S::HalfVectorised, "", &[
        Form {
            numpy: "@0.T[np.triu_indices($p)]", torch: "_vech($0)", jax: "@0.T[jnp.triu_indices($p)]", julia: "_vech($0)",
            matlab: "mg_vech($0)", c: "mg_vech", rust: "mg_vech", ..FORM
        },
        Form {
            name: "_vech",
            torch: r#"def _vech(a: Tensor) -> Tensor:
    """The lower triangle, column by column."""
    column, row = torch.triu_indices(a.shape[0], a.shape[0], device=a.device)
    return a[row, column]
"#,
            julia: r#""The lower triangle, column by column."
_vech(a) = [a[i, j] for j in axes(a, 2) for i in j:size(a, 1)]
"#,
            ..FORM
        },
        Form {
            name: "mg_vech",
            matlab: "function y = mg_vech(a)
% The lower triangle, column by column.
y = a(tril(true(size(a))));
end
",
            c: "/* The lower triangle of a, column by column. */
static void mg_vech(size_t n, const double *a, double *out)
{
    for (size_t j = 0; j < n; ++j)
        for (size_t i = j; i < n; ++i)
            *out++ = a[i * n + j];
}
",
            rust: "/// The lower triangle of a, column by column.
fn mg_vech(n: usize, a: &[f64], out: &mut [f64]) {
    let places = (0..n).flat_map(|j| (j..n).map(move |i| i * n + j));
    for (y, place) in out.iter_mut().zip(places) {
        *y = a[place];
    }
}
",
            ..FORM
        },
    ]),
    row(F::Unvech, "unvech", "lower triangular matrix of a vector", S::UnHalfVectorised, "", &[
        Form {
            numpy: "_unvech($0, $m)", torch: "_unvech($0, $m)", jax: "_unvech($0, $m)", julia: "_unvech($0, $m)",
            matlab: "mg_unvech($0, $m)", c: "mg_unvech", rust: "mg_unvech", ..FORM
        },
        Form {
            name: "_unvech",
            numpy: r#"def _unvech(v, n):
    """The lower triangular matrix with these entries, column by column."""
    out = np.zeros((n, n))
    out.T[np.triu_indices(n)] = v
    return out
"#,
            torch: r#"def _unvech(v: Tensor, n: int) -> Tensor:
    """The lower triangular matrix with these entries, column by column."""
    column, row = torch.triu_indices(n, n, device=v.device)
    return v.new_zeros((n, n)).index_put((row, column), v)
"#,
            jax: r#"def _unvech(v: Array, n: int) -> Array:
    """The lower triangular matrix with these entries, column by column."""
    column, row = jnp.triu_indices(n)
    return jnp.zeros((n, n), dtype=v.dtype).at[row, column].set(v)
"#,
            julia: r#""The lower triangular matrix with these entries, column by column."
_unvech(v, n) = [i >= j ? v[(j - 1) * n - (j * (j - 1)) ÷ 2 + i] : zero(eltype(v)) for i in 1:n, j in 1:n]
"#,
            ..FORM
        },
        Form {
            name: "mg_unvech",
            matlab: "function y = mg_unvech(v, n)
% The lower triangular matrix with these entries, column by column.
y = zeros(n);
y(tril(true(n))) = v;
end
",
            c: "/* The lower triangular matrix with these entries, column by column. */
static void mg_unvech(size_t n, const double *v, double *out)
{
    memset(out, 0, n * n * sizeof *out);
    for (size_t j = 0; j < n; ++j)
        for (size_t i = j; i < n; ++i)
            out[i * n + j] = *v++;
}
",
            rust: "/// The lower triangular matrix with these entries, column by column.
fn mg_unvech(n: usize, v: &[f64], out: &mut [f64]) {
    out[..n * n].fill(0.0);
    let places = (0..n).flat_map(|j| (j..n).map(move |i| i * n + j));
    for (x, place) in v.iter().zip(places) {
        out[place] = *x;
    }
}
",
            ..FORM
        },
    ]),
    row(F::Reshape, "reshape", "same entries column by column in another shape", S::Reshape, "", &[
        Form {
            numpy: r#"np.reshape($0, $tuple, order="F")"#, torch: "_reshape($0, $tuple)",
            jax: r#"jnp.reshape($0, $tuple, order="F")"#, julia: "reshape($0, $shape)", matlab: "reshape($0, $m, $n)", ..FORM
        },
        Form {
            name: "_reshape",
            torch: r#"def _reshape(a: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The same entries column by column in another shape."""
    entries = a.mT.reshape(-1) if a.ndim == 2 else a
    return entries.reshape(shape[::-1]).mT if len(shape) == 2 else entries
"#,
            ..FORM
        },
    ]),
    row(F::Kron, "kron", "Kronecker product", S::Kronecker, "", &[
        Form {
            numpy: "np.kron(#0, #1)", torch: "torch.kron(#0.contiguous(), #1.contiguous())", jax: "jnp.kron(#0, #1)",
            julia: "kron(#0, #1)", matlab: "kron($0, $1)", ..FORM
        },
    ]),
    row(F::Eye, "eye", "identity", S::Identity, "", &[]),
    row(F::Ones, "ones", "all ones", S::Filled, "", &[]),
    row(F::Zeros, "zeros", "all zeros", S::Filled, "", &[]),
    row(F::OneVec, "onevec", "column of ones", S::Column, "", &[]),
    row(F::Unit, "unit", "column of the identity", S::UnitVector, "", &[]),
    row(F::VectorOf, "vector", "constant column", S::ConstantVector, "", &[]),
    row(F::MatrixOf, "matrix", "constant matrix", S::ConstantMatrix, "", &[]),
];

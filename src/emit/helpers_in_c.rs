//! Helpers in C: what its library lacks, as text, by the name that is called. Nothing is written here.

/// Helpers that operations or several functions call; those of one function stand in the dictionary.
pub(super) const HELPERS: &[(&str, &str)] = &[
    (
        "mg_largest",
        "/* The largest of n numbers that lie `step` apart. */
static double mg_largest(size_t n, const double *a, size_t step)
{
    double largest = a[0];
    for (size_t k = 1; k < n; ++k)
        if (a[k * step] > largest)
            largest = a[k * step];
    return largest;
}
",
    ),
    (
        "mg_eliminate",
        "/* Gauss elimination with pivots by columns of the n x n matrix a and, if x is given, of its k right sides; the
   determinant is sign * exp(the logarithm). The return value is not 0 where a is singular. */
static int mg_eliminate(size_t n, double *a, size_t k, double *x, double *sign, double *logarithm)
{
    *sign = 1.0;
    *logarithm = 0.0;
    for (size_t c = 0; c < n; ++c) {
        size_t pivot = c;
        for (size_t i = c + 1; i < n; ++i)
            if (fabs(a[i * n + c]) > fabs(a[pivot * n + c]))
                pivot = i;
        if (a[pivot * n + c] == 0.0) {
            *sign = 0.0;
            *logarithm = -INFINITY;
            return 1;
        }
        if (pivot != c) {
            cblas_dswap((int)n, a + pivot * n, 1, a + c * n, 1);
            if (k)
                cblas_dswap((int)k, x + pivot * k, 1, x + c * k, 1);
            *sign = -*sign;
        }
        if (a[c * n + c] < 0.0)
            *sign = -*sign;
        *logarithm += log(fabs(a[c * n + c]));
        for (size_t i = c + 1; i < n; ++i) {
            const double factor = a[i * n + c] / a[c * n + c];
            if (factor == 0.0)
                continue;
            cblas_daxpy((int)(n - c), -factor, a + c * n + c, 1, a + i * n + c, 1);
            if (k)
                cblas_daxpy((int)k, -factor, x + c * k, 1, x + i * k, 1);
        }
    }
    return 0;
}
",
    ),
    (
        "mg_solve",
        "/* x = a^-1 b with k right sides; `scratch` holds n * n numbers. */
static int mg_solve(size_t n, size_t k, const double *a, const double *b, double *x, double *scratch)
{
    double sign, logarithm;
    memcpy(scratch, a, n * n * sizeof *a);
    memcpy(x, b, n * k * sizeof *b);
    if (mg_eliminate(n, scratch, k, x, &sign, &logarithm))
        return 1;
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, (int)n, (int)k, 1.0, scratch, (int)n, x,
                (int)k);
    return 0;
}
",
    ),
    (
        "mg_inverse",
        "/* x = a^-1; `scratch` holds n * n numbers. */
static int mg_inverse(size_t n, const double *a, double *x, double *scratch)
{
    double sign, logarithm;
    memcpy(scratch, a, n * n * sizeof *a);
    memset(x, 0, n * n * sizeof *x);
    for (size_t i = 0; i < n; ++i)
        x[i * n + i] = 1.0;
    if (mg_eliminate(n, scratch, n, x, &sign, &logarithm))
        return 1;
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, (int)n, (int)n, 1.0, scratch, (int)n, x,
                (int)n);
    return 0;
}
",
    ),
    (
        "mg_cholesky",
        "/* The lower triangular l with l l' = a; the return value is not 0 where a is not positive definite. */
static int mg_cholesky(size_t n, const double *a, double *l)
{
    memset(l, 0, n * n * sizeof *l);
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j <= i; ++j) {
            const double rest = a[i * n + j] - cblas_ddot((int)j, l + i * n, 1, l + j * n, 1);
            if (i > j)
                l[i * n + j] = rest / l[j * n + j];
            else if (rest > 0.0)
                l[i * n + i] = sqrt(rest);
            else
                return 2;
        }
    return 0;
}
",
    ),
    (
        "mg_solve_positive",
        "/* x = a^-1 b of a symmetric positive definite a, with k right sides; `scratch` holds n * n numbers. */
static int mg_solve_positive(size_t n, size_t k, const double *a, const double *b, double *x, double *scratch)
{
    if (mg_cholesky(n, a, scratch))
        return 2;
    memcpy(x, b, n * k * sizeof *b);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, (int)k, 1.0, scratch, (int)n, x,
                (int)k);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)n, (int)k, 1.0, scratch, (int)n, x,
                (int)k);
    return 0;
}
",
    ),
    (
        "mg_determinant",
        "static double mg_determinant(size_t n, const double *a, double *scratch)
{
    double sign, logarithm, product = 1.0;
    memcpy(scratch, a, n * n * sizeof *a);
    if (mg_eliminate(n, scratch, 0, NULL, &sign, &logarithm))
        return 0.0;
    for (size_t i = 0; i < n; ++i)
        product *= fabs(scratch[i * n + i]);
    return sign * product;
}
",
    ),
    (
        "mg_log_determinant",
        "/* The logarithm of a positive determinant; not a number where it is negative. */
static double mg_log_determinant(size_t n, const double *a, double *scratch)
{
    double sign, logarithm;
    memcpy(scratch, a, n * n * sizeof *a);
    mg_eliminate(n, scratch, 0, NULL, &sign, &logarithm);
    return sign < 0.0 ? NAN : logarithm;
}
",
    ),
    (
        "mg_adjugate",
        "/* The transposed matrix of cofactors; `scratch` holds 2 * n * n numbers. */
static int mg_adjugate(size_t n, const double *a, double *out, double *scratch)
{
    const double determinant = mg_determinant(n, a, scratch);
    if (mg_inverse(n, a, out, scratch) == 0) {
        cblas_dscal((int)(n * n), determinant, out, 1);
        return 0;
    }
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
            double *minor = scratch + n * n;
            size_t place = 0;
            for (size_t k = 0; k < n; ++k)
                for (size_t l = 0; l < n; ++l)
                    if (k != i && l != j)
                        minor[place++] = a[k * n + l];
            out[j * n + i] = ((i + j) % 2 ? -1.0 : 1.0) * mg_determinant(n - 1, minor, scratch);
        }
    return 0;
}
",
    ),
    (
        "mg_multiply",
        "/* out = a b of n x n matrices. */
static void mg_multiply(size_t n, const double *a, const double *b, double *out)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)n, (int)n, 1.0, a, (int)n, b, (int)n, 0.0, out,
                (int)n);
}
",
    ),
    (
        "mg_exponential",
        "/* exp(a) by the Pade approximation of degree 13 with squaring (Higham 2005); `scratch` holds 9 * n * n numbers. */
static int mg_exponential(size_t n, const double *a, double *out, double *scratch)
{
    static const double c[14] = {64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
                                 129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
                                 40840800.0, 960960.0, 16380.0, 182.0, 1.0};
    const size_t nn = n * n;
    double *x = scratch, *x2 = x + nn, *x4 = x2 + nn, *x6 = x4 + nn, *u = x6 + nn, *v = u + nn, *t = v + nn, *s = t + nn;
    double norm = 0.0;
    for (size_t j = 0; j < n; ++j) {
        double sum = 0.0;
        for (size_t i = 0; i < n; ++i)
            sum += fabs(a[i * n + j]);
        if (sum > norm)
            norm = sum;
    }
    if (!(norm < 1e300))
        return 1;
    int squarings = 0;
    double scale = 1.0;
    while (norm * scale > 4.25) {
        scale *= 0.5;
        ++squarings;
    }
    for (size_t k = 0; k < nn; ++k)
        x[k] = a[k] * scale;
    mg_multiply(n, x, x, x2);
    mg_multiply(n, x2, x2, x4);
    mg_multiply(n, x4, x2, x6);
    for (int odd = 1; odd >= 0; --odd) {
        for (size_t k = 0; k < nn; ++k)
            t[k] = c[12 + odd] * x6[k] + c[10 + odd] * x4[k] + c[8 + odd] * x2[k];
        mg_multiply(n, x6, t, s);
        for (size_t k = 0; k < nn; ++k)
            s[k] += c[6 + odd] * x6[k] + c[4 + odd] * x4[k] + c[2 + odd] * x2[k];
        for (size_t i = 0; i < n; ++i)
            s[i * n + i] += c[odd];
        if (odd)
            mg_multiply(n, x, s, u);
        else
            memcpy(v, s, nn * sizeof *s);
    }
    for (size_t k = 0; k < nn; ++k) {
        t[k] = v[k] - u[k];
        s[k] = v[k] + u[k];
    }
    if (mg_solve(n, n, t, s, out, x))
        return 1;
    for (; squarings > 0; --squarings) {
        mg_multiply(n, out, out, x);
        memcpy(out, x, nn * sizeof *out);
    }
    return 0;
}
",
    ),
    (
        "mg_power",
        "/* a^k; `scratch` holds 4 * n * n numbers. */
static int mg_power(size_t n, long k, const double *a, double *out, double *scratch)
{
    const size_t nn = n * n;
    double *base = scratch, *t = base + nn;
    if (k < 0) {
        if (mg_inverse(n, a, base, t))
            return 1;
        k = -k;
    } else
        memcpy(base, a, nn * sizeof *a);
    memset(out, 0, nn * sizeof *out);
    for (size_t i = 0; i < n; ++i)
        out[i * n + i] = 1.0;
    for (; k > 0; k /= 2) {
        if (k % 2) {
            mg_multiply(n, out, base, t);
            memcpy(out, t, nn * sizeof *out);
        }
        mg_multiply(n, base, base, t);
        memcpy(base, t, nn * sizeof *t);
    }
    return 0;
}
",
    ),
    (
        "mg_block",
        "/* [a, e; 0, a] */
static void mg_block(size_t n, const double *a, const double *e, double *out)
{
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
            out[i * 2 * n + j] = out[(i + n) * 2 * n + j + n] = a[i * n + j];
            out[i * 2 * n + j + n] = e[i * n + j];
            out[(i + n) * 2 * n + j] = 0.0;
        }
}
",
    ),
    (
        "mg_exponential_along",
        "/* The derivative of exp at a along e; `scratch` holds 44 * n * n numbers. */
static int mg_exponential_along(size_t n, const double *a, const double *e, double *out, double *scratch)
{
    double *block = scratch, *f = block + 4 * n * n;
    mg_block(n, a, e, block);
    if (mg_exponential(2 * n, block, f, f + 4 * n * n))
        return 1;
    for (size_t i = 0; i < n; ++i)
        memcpy(out + i * n, f + i * 2 * n + n, n * sizeof *out);
    return 0;
}
",
    ),
    (
        "mg_power_along",
        "/* The derivative of a^k along e; `scratch` holds 24 * n * n numbers. */
static int mg_power_along(size_t n, long k, const double *a, const double *e, double *out, double *scratch)
{
    double *block = scratch, *f = block + 4 * n * n;
    mg_block(n, a, e, block);
    if (mg_power(2 * n, k, block, f, f + 4 * n * n))
        return 1;
    for (size_t i = 0; i < n; ++i)
        memcpy(out + i * n, f + i * 2 * n + n, n * sizeof *out);
    return 0;
}
",
    ),
    (
        "mg_eigen",
        "/* Jacobi rotations: the diagonal of a becomes the eigenvalues of the symmetric a, the columns of v its vectors. */
static void mg_eigen(size_t n, double *a, double *v)
{
    memset(v, 0, n * n * sizeof *v);
    for (size_t i = 0; i < n; ++i)
        v[i * n + i] = 1.0;
    for (int sweep = 0, turned = 1; sweep < 60 && turned; ++sweep) {
        turned = 0;
        for (size_t p = 0; p < n; ++p)
            for (size_t q = p + 1; q < n; ++q) {
                const double pq = a[p * n + q], pp = a[p * n + p], qq = a[q * n + q];
                if (fabs(pq) <= 1e-17 * sqrt(fabs(pp * qq)) || pq == 0.0)
                    continue;
                turned = 1;
                const double theta = (qq - pp) / (2.0 * pq);
                const double t = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
                const double c = 1.0 / sqrt(t * t + 1.0);
                cblas_drot((int)n, a + p, (int)n, a + q, (int)n, c, -t * c);
                cblas_drot((int)n, a + p * n, 1, a + q * n, 1, c, -t * c);
                cblas_drot((int)n, v + p, (int)n, v + q, (int)n, c, -t * c);
            }
    }
}
",
    ),
    (
        "mg_root",
        "/* The symmetric positive definite root of a; `scratch` holds 3 * n * n numbers. */
static int mg_root(size_t n, const double *a, double *out, double *scratch)
{
    double *values = scratch, *v = values + n * n, *t = v + n * n;
    memcpy(values, a, n * n * sizeof *a);
    mg_eigen(n, values, v);
    for (size_t j = 0; j < n; ++j) {
        if (!(values[j * n + j] > 0.0))
            return 2;
        for (size_t i = 0; i < n; ++i)
            t[i * n + j] = v[i * n + j] * sqrt(values[j * n + j]);
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)n, 1.0, t, (int)n, v, (int)n, 0.0, out,
                (int)n);
    return 0;
}
",
    ),
    (
        "mg_inverse_root",
        "/* The inverse of that root; `scratch` holds 3 * n * n numbers. */
static int mg_inverse_root(size_t n, const double *a, double *out, double *scratch)
{
    double *values = scratch, *v = values + n * n, *t = v + n * n;
    memcpy(values, a, n * n * sizeof *a);
    mg_eigen(n, values, v);
    for (size_t j = 0; j < n; ++j) {
        if (!(values[j * n + j] > 0.0))
            return 2;
        for (size_t i = 0; i < n; ++i)
            t[i * n + j] = v[i * n + j] / sqrt(values[j * n + j]);
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)n, 1.0, t, (int)n, v, (int)n, 0.0, out,
                (int)n);
    return 0;
}
",
    ),
    (
        "mg_pseudo_inverse",
        "/* The Moore-Penrose inverse of the m x n matrix a: one-sided Jacobi rotations make the columns of t = a v orthogonal,
   of the transpose where a is wide; `scratch` holds m * n + m * m + n * n numbers. */
static int mg_pseudo_inverse(size_t m, size_t n, const double *a, double *out, double *scratch)
{
    const int wide = m < n;
    const size_t rows = wide ? n : m, columns = wide ? m : n;
    double *t = scratch, *v = t + m * n, largest = 0.0;
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < columns; ++j)
            t[i * columns + j] = wide ? a[j * n + i] : a[i * n + j];
    memset(v, 0, columns * columns * sizeof *v);
    for (size_t i = 0; i < columns; ++i)
        v[i * columns + i] = 1.0;
    for (int sweep = 0, turned = 1; sweep < 60 && turned; ++sweep) {
        turned = 0;
        for (size_t p = 0; p < columns; ++p)
            for (size_t q = p + 1; q < columns; ++q) {
                const int s = (int)columns;
                const double pq = cblas_ddot((int)rows, t + p, s, t + q, s);
                const double pp = cblas_ddot((int)rows, t + p, s, t + p, s), qq = cblas_ddot((int)rows, t + q, s, t + q, s);
                if (pq == 0.0 || fabs(pq) <= 1e-16 * sqrt(pp * qq))
                    continue;
                turned = 1;
                const double theta = (qq - pp) / (2.0 * pq);
                const double tangent = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
                const double c = 1.0 / sqrt(tangent * tangent + 1.0);
                cblas_drot((int)rows, t + p, s, t + q, s, c, -tangent * c);
                cblas_drot((int)columns, v + p, s, v + q, s, c, -tangent * c);
            }
    }
    for (size_t k = 0; k < columns; ++k) {
        const double size = cblas_dnrm2((int)rows, t + k, (int)columns);
        if (size > largest)
            largest = size;
    }
    memset(out, 0, m * n * sizeof *out);
    for (size_t k = 0; k < columns; ++k) {
        const double size = cblas_dnrm2((int)rows, t + k, (int)columns);
        if (size <= (double)rows * 2.220446049250313e-16 * largest)
            continue;
        for (size_t i = 0; i < columns; ++i)
            for (size_t j = 0; j < rows; ++j) {
                const double part = v[i * columns + k] / size * (t[j * columns + k] / size);
                out[wide ? j * m + i : i * m + j] += part;
            }
    }
    return 0;
}
",
    ),
];

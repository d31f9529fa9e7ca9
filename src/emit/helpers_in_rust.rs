//! Helpers in Rust: what its library lacks, as text, by the name that is called. Nothing is written here.

/// Helpers that operations or several functions call; those of one function stand in the dictionary.
pub(super) const HELPERS: &[(&str, &str)] = &[
    ("dot_product", "fn dot_product(n: usize, a: &[f64], b: &[f64]) -> f64 {
    a[..n].iter().zip(&b[..n]).map(|(x, y)| x * y).sum()
}
"),
    ("norm_of", "/// The root of the sum of squares, at the size of the largest number.
fn norm_of(n: usize, a: &[f64]) -> f64 {
    let largest = a[..n].iter().fold(0.0_f64, |l, x| l.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a[..n].iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt()
}
"),
    ("matrix_product", "/// out = op(a) op(b), m x n with sums of k terms; a turned side is stored as its transpose.
#[allow(clippy::too_many_arguments)]
fn matrix_product(m: usize, k: usize, n: usize, a: &[f64], a_turned: bool, b: &[f64], b_turned: bool, out: &mut [f64]) {
    out[..m * n].fill(0.0);
    for i in 0..m {
        let row = &mut out[i * n..(i + 1) * n];
        if b_turned {
            for (j, y) in row.iter_mut().enumerate() {
                let other = &b[j * k..(j + 1) * k];
                *y = other.iter().enumerate().map(|(l, x)| x * if a_turned { a[l * m + i] } else { a[i * k + l] }).sum();
            }
        } else {
            for l in 0..k {
                let x = if a_turned { a[l * m + i] } else { a[i * k + l] };
                row.iter_mut().zip(&b[l * n..(l + 1) * n]).for_each(|(y, z)| *y += x * z);
            }
        }
    }
}
"),
    ("mg_eliminate", "/// Gauss elimination with pivots by columns of the n x n matrix a and its k right sides: the sign of the determinant, 0
/// where a is singular.
fn mg_eliminate(n: usize, a: &mut [f64], k: usize, x: &mut [f64]) -> f64 {
    let mut sign = 1.0;
    for c in 0..n {
        let pivot = (c..n).max_by(|&p, &q| a[p * n + c].abs().total_cmp(&a[q * n + c].abs())).unwrap_or(c);
        if a[pivot * n + c] == 0.0 {
            return 0.0;
        }
        if pivot != c {
            (0..n).for_each(|j| a.swap(pivot * n + j, c * n + j));
            (0..k).for_each(|j| x.swap(pivot * k + j, c * k + j));
            sign = -sign;
        }
        if a[c * n + c] < 0.0 {
            sign = -sign;
        }
        for i in c + 1..n {
            let factor = a[i * n + c] / a[c * n + c];
            (c..n).for_each(|j| a[i * n + j] -= factor * a[c * n + j]);
            (0..k).for_each(|j| x[i * k + j] -= factor * x[c * k + j]);
        }
    }
    sign
}
"),
    ("mg_solve", "/// x = a^-1 b with k right sides; `scratch` has room for n * n numbers.
fn mg_solve(n: usize, k: usize, a: &[f64], b: &[f64], x: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    scratch[..n * n].copy_from_slice(&a[..n * n]);
    x[..n * k].copy_from_slice(&b[..n * k]);
    if mg_eliminate(n, scratch, k, x) == 0.0 {
        return Err(\"a matrix is singular\");
    }
    for c in (0..n).rev() {
        for j in 0..k {
            let known: f64 = (c + 1..n).map(|l| scratch[c * n + l] * x[l * k + j]).sum();
            x[c * k + j] = (x[c * k + j] - known) / scratch[c * n + c];
        }
    }
    Ok(())
}
"),
    ("mg_inverse", "/// x = a^-1; `scratch` has room for n * n numbers.
fn mg_inverse(n: usize, a: &[f64], x: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    scratch[..n * n].copy_from_slice(&a[..n * n]);
    x[..n * n].fill(0.0);
    (0..n).for_each(|i| x[i * n + i] = 1.0);
    if mg_eliminate(n, scratch, n, x) == 0.0 {
        return Err(\"a matrix is singular\");
    }
    for c in (0..n).rev() {
        for j in 0..n {
            let known: f64 = (c + 1..n).map(|l| scratch[c * n + l] * x[l * n + j]).sum();
            x[c * n + j] = (x[c * n + j] - known) / scratch[c * n + c];
        }
    }
    Ok(())
}
"),
    ("mg_cholesky", "/// The lower triangular l with l l' = a.
fn mg_cholesky(n: usize, a: &[f64], l: &mut [f64]) -> Result<(), &'static str> {
    l[..n * n].fill(0.0);
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = a[i * n + j] - known;
            if i > j {
                l[i * n + j] = rest / l[j * n + j];
            } else if rest > 0.0 {
                l[i * n + i] = rest.sqrt();
            } else {
                return Err(\"a matrix is not positive definite\");
            }
        }
    }
    Ok(())
}
"),
    ("mg_solve_positive", "/// x = a^-1 b of a symmetric positive definite a; `scratch` has room for n * n numbers.
fn mg_solve_positive(n: usize, k: usize, a: &[f64], b: &[f64], x: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    mg_cholesky(n, a, scratch)?;
    x[..n * k].copy_from_slice(&b[..n * k]);
    for j in 0..k {
        for i in 0..n {
            let known: f64 = (0..i).map(|l| scratch[i * n + l] * x[l * k + j]).sum();
            x[i * k + j] = (x[i * k + j] - known) / scratch[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|l| scratch[l * n + i] * x[l * k + j]).sum();
            x[i * k + j] = (x[i * k + j] - known) / scratch[i * n + i];
        }
    }
    Ok(())
}
"),
    ("mg_determinant", "fn mg_determinant(n: usize, a: &[f64], scratch: &mut [f64]) -> f64 {
    scratch[..n * n].copy_from_slice(&a[..n * n]);
    let sign = mg_eliminate(n, scratch, 0, &mut []);
    if sign == 0.0 { 0.0 } else { sign * (0..n).map(|i| scratch[i * n + i].abs()).product::<f64>() }
}
"),
    ("mg_log_determinant", "/// The logarithm of a positive determinant; not a number where it is negative.
fn mg_log_determinant(n: usize, a: &[f64], scratch: &mut [f64]) -> f64 {
    scratch[..n * n].copy_from_slice(&a[..n * n]);
    let sign = mg_eliminate(n, scratch, 0, &mut []);
    if sign < 0.0 {
        return f64::NAN;
    }
    if sign == 0.0 { f64::NEG_INFINITY } else { (0..n).map(|i| scratch[i * n + i].abs().ln()).sum() }
}
"),
    ("mg_adjugate", "/// The transposed matrix of cofactors; `scratch` has room for 2 * n * n numbers.
fn mg_adjugate(n: usize, a: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    let determinant = mg_determinant(n, a, scratch);
    if mg_inverse(n, a, out, scratch).is_ok() {
        out[..n * n].iter_mut().for_each(|x| *x *= determinant);
        return Ok(());
    }
    let (scratch, minor) = scratch.split_at_mut(n * n);
    for i in 0..n {
        for j in 0..n {
            let kept = (0..n).filter(|&k| k != i).flat_map(|k| (0..n).filter(|&l| l != j).map(move |l| k * n + l));
            minor.iter_mut().zip(kept).for_each(|(x, place)| *x = a[place]);
            let sign = if (i + j) % 2 == 0 { 1.0 } else { -1.0 };
            out[j * n + i] = sign * mg_determinant(n - 1, minor, scratch);
        }
    }
    Ok(())
}
"),
    ("mg_exponential", "/// exp(a) by the Pade approximation of degree 13 with squaring (Higham 2005); `scratch` has room for 9 * n * n numbers.
fn mg_exponential(n: usize, a: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    const C: [f64; 14] = [
        64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
        10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
    ];
    let nn = n * n;
    let (x, rest) = scratch.split_at_mut(nn);
    let (x2, rest) = rest.split_at_mut(nn);
    let (x4, rest) = rest.split_at_mut(nn);
    let (x6, rest) = rest.split_at_mut(nn);
    let (u, rest) = rest.split_at_mut(nn);
    let (v, rest) = rest.split_at_mut(nn);
    let (t, s) = rest.split_at_mut(nn);
    let norm = (0..n).map(|j| (0..n).map(|i| a[i * n + j].abs()).sum::<f64>()).fold(0.0, f64::max);
    if !(norm < 1e300) {
        return Err(\"a matrix is too large for its exponential\");
    }
    let (mut squarings, mut scale) = (0, 1.0);
    while norm * scale > 4.25 {
        scale *= 0.5;
        squarings += 1;
    }
    (0..nn).for_each(|k| x[k] = a[k] * scale);
    matrix_product(n, n, n, x, false, x, false, x2);
    matrix_product(n, n, n, x2, false, x2, false, x4);
    matrix_product(n, n, n, x4, false, x2, false, x6);
    for odd in [1, 0] {
        (0..nn).for_each(|k| t[k] = C[12 + odd] * x6[k] + C[10 + odd] * x4[k] + C[8 + odd] * x2[k]);
        matrix_product(n, n, n, x6, false, t, false, s);
        (0..nn).for_each(|k| s[k] += C[6 + odd] * x6[k] + C[4 + odd] * x4[k] + C[2 + odd] * x2[k]);
        (0..n).for_each(|i| s[i * n + i] += C[odd]);
        if odd == 1 {
            matrix_product(n, n, n, x, false, s, false, u);
        } else {
            v.copy_from_slice(&s[..nn]);
        }
    }
    for k in 0..nn {
        t[k] = v[k] - u[k];
        s[k] = v[k] + u[k];
    }
    mg_solve(n, n, t, s, out, x)?;
    for _ in 0..squarings {
        matrix_product(n, n, n, out, false, out, false, x);
        out[..nn].copy_from_slice(x);
    }
    Ok(())
}
"),
    ("mg_power", "/// a^k; `scratch` has room for 4 * n * n numbers.
fn mg_power(n: usize, k: i64, a: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    let nn = n * n;
    let (base, t) = scratch.split_at_mut(nn);
    if k < 0 {
        mg_inverse(n, a, base, t)?;
    } else {
        base.copy_from_slice(&a[..nn]);
    }
    out[..nn].fill(0.0);
    (0..n).for_each(|i| out[i * n + i] = 1.0);
    let mut k = k.unsigned_abs();
    while k > 0 {
        if k % 2 == 1 {
            matrix_product(n, n, n, out, false, base, false, t);
            out[..nn].copy_from_slice(&t[..nn]);
        }
        matrix_product(n, n, n, base, false, base, false, t);
        base.copy_from_slice(&t[..nn]);
        k /= 2;
    }
    Ok(())
}
"),
    ("mg_block", "/// [a, e; 0, a]
fn mg_block(n: usize, a: &[f64], e: &[f64], out: &mut [f64]) {
    out[..4 * n * n].fill(0.0);
    for i in 0..n {
        for j in 0..n {
            out[i * 2 * n + j] = a[i * n + j];
            out[(i + n) * 2 * n + j + n] = a[i * n + j];
            out[i * 2 * n + j + n] = e[i * n + j];
        }
    }
}
"),
    ("mg_exponential_along", "/// The derivative of exp at a along e; `scratch` has room for 44 * n * n numbers.
fn mg_exponential_along(n: usize, a: &[f64], e: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    let (block, rest) = scratch.split_at_mut(4 * n * n);
    let (f, rest) = rest.split_at_mut(4 * n * n);
    mg_block(n, a, e, block);
    mg_exponential(2 * n, block, f, rest)?;
    (0..n).for_each(|i| out[i * n..(i + 1) * n].copy_from_slice(&f[i * 2 * n + n..(i + 1) * 2 * n]));
    Ok(())
}
"),
    ("mg_power_along", "/// The derivative of a^k along e; `scratch` has room for 24 * n * n numbers.
fn mg_power_along(n: usize, k: i64, a: &[f64], e: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    let (block, rest) = scratch.split_at_mut(4 * n * n);
    let (f, rest) = rest.split_at_mut(4 * n * n);
    mg_block(n, a, e, block);
    mg_power(2 * n, k, block, f, rest)?;
    (0..n).for_each(|i| out[i * n..(i + 1) * n].copy_from_slice(&f[i * 2 * n + n..(i + 1) * 2 * n]));
    Ok(())
}
"),
    ("mg_rotate", "/// Turns columns p and q of the matrix with that many columns.
fn mg_rotate(rows: usize, columns: usize, a: &mut [f64], p: usize, q: usize, c: f64, s: f64) {
    for i in 0..rows {
        let (x, y) = (a[i * columns + p], a[i * columns + q]);
        a[i * columns + p] = c * x - s * y;
        a[i * columns + q] = s * x + c * y;
    }
}
"),
    ("mg_root_to", "/// The power 1/2 or -1/2 of a symmetric positive definite a by Jacobi rotations; `scratch` has room for 3 * n * n
/// numbers.
fn mg_root_to(n: usize, a: &[f64], out: &mut [f64], scratch: &mut [f64], power: f64) -> Result<(), &'static str> {
    let (values, rest) = scratch.split_at_mut(n * n);
    let (v, t) = rest.split_at_mut(n * n);
    values.copy_from_slice(&a[..n * n]);
    v.fill(0.0);
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    for _ in 0..60 {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                let (pq, pp, qq) = (values[p * n + q], values[p * n + p], values[q * n + q]);
                if pq == 0.0 || pq.abs() <= 1e-17 * (pp * qq).abs().sqrt() {
                    continue;
                }
                turned = true;
                let theta = (qq - pp) / (2.0 * pq);
                let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (tangent * tangent + 1.0).sqrt();
                let s = tangent * c;
                mg_rotate(n, n, values, p, q, c, s);
                for j in 0..n {
                    let (x, y) = (values[p * n + j], values[q * n + j]);
                    values[p * n + j] = c * x - s * y;
                    values[q * n + j] = s * x + c * y;
                }
                mg_rotate(n, n, v, p, q, c, s);
            }
        }
        if !turned {
            break;
        }
    }
    for j in 0..n {
        let value = values[j * n + j];
        if value <= 0.0 || value.is_nan() {
            return Err(\"a matrix is not positive definite\");
        }
        (0..n).for_each(|i| t[i * n + j] = v[i * n + j] * value.powf(power));
    }
    matrix_product(n, n, n, t, false, v, true, out);
    Ok(())
}
"),
    ("mg_root", "fn mg_root(n: usize, a: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    mg_root_to(n, a, out, scratch, 0.5)
}
"),
    ("mg_inverse_root", "fn mg_inverse_root(n: usize, a: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    mg_root_to(n, a, out, scratch, -0.5)
}
"),
    ("mg_pseudo_inverse", "/// The Moore-Penrose inverse of the m x n matrix a: one-sided Jacobi rotations make the columns of t = a v orthogonal, of
/// the transpose where a is wide; `scratch` has room for m * n + m * m + n * n numbers.
fn mg_pseudo_inverse(m: usize, n: usize, a: &[f64], out: &mut [f64], scratch: &mut [f64]) -> Result<(), &'static str> {
    let wide = m < n;
    let (rows, columns) = if wide { (n, m) } else { (m, n) };
    let (t, v) = scratch.split_at_mut(m * n);
    for i in 0..rows {
        for j in 0..columns {
            t[i * columns + j] = if wide { a[j * n + i] } else { a[i * n + j] };
        }
    }
    v.fill(0.0);
    (0..columns).for_each(|i| v[i * columns + i] = 1.0);
    let along = |t: &[f64], p: usize, q: usize| (0..rows).map(|i| t[i * columns + p] * t[i * columns + q]).sum::<f64>();
    for _ in 0..60 {
        let mut turned = false;
        for p in 0..columns {
            for q in p + 1..columns {
                let (pq, pp, qq) = (along(t, p, q), along(t, p, p), along(t, q, q));
                if pq == 0.0 || pq.abs() <= 1e-16 * (pp * qq).sqrt() {
                    continue;
                }
                turned = true;
                let theta = (qq - pp) / (2.0 * pq);
                let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (tangent * tangent + 1.0).sqrt();
                mg_rotate(rows, columns, t, p, q, c, tangent * c);
                mg_rotate(columns, columns, v, p, q, c, tangent * c);
            }
        }
        if !turned {
            break;
        }
    }
    let largest = (0..columns).map(|k| along(t, k, k).sqrt()).fold(0.0, f64::max);
    out[..m * n].fill(0.0);
    for k in 0..columns {
        let size = along(t, k, k).sqrt();
        if size <= rows as f64 * f64::EPSILON * largest {
            continue;
        }
        for i in 0..columns {
            for j in 0..rows {
                let part = v[i * columns + k] / size * (t[j * columns + k] / size);
                out[if wide { j * m + i } else { i * m + j }] += part;
            }
        }
    }
    Ok(())
}
"),
];

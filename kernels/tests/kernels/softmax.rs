//! Softmax and its kind against plain formulas in double precision.

use matgrad_kernels::softmax::{Results, Target, cross_entropy, log_softmax, log_sum_exp, softmax};
use matgrad_kernels::{Float, InstructionSet, View, ViewMut};

fn numbers<T: Float>(length: usize, scale: f64) -> Vec<T> {
    (0..length).map(|i| T::from_f64((((i * 7919) % 1013) as f64 / 506.0 - 1.0) * scale)).collect()
}

/// log Σ exp of a row.
fn normaliser<T: Float>(row: &[T]) -> f64 {
    let largest = row.iter().fold(f64::NEG_INFINITY, |l, x| l.max(x.to_f64()));
    largest + row.iter().map(|x| (x.to_f64() - largest).exp()).sum::<f64>().ln()
}

fn rows_agree<T: Float>(set: InstructionSet, (m, n): (usize, usize), scale: f64) {
    let epsilon = if size_of::<T>() == 4 { 2e-6 } else { 1e-14 };
    let z: Vec<T> = numbers(m * n, scale);
    let y: Vec<T> = (0..m * n).map(|i| T::from_f64(if i % 3 == 0 { 0.5 } else { 0.0 })).collect();
    let labels: Vec<u32> = (0..m).map(|i| (i * 5 % n) as u32).collect();
    let view = View::row_major(&z, m, n);
    let (mut p, mut log, mut sums) = (vec![T::ZERO; m * n], vec![T::ZERO; m * n], vec![T::ZERO; m]);
    softmax(set, view, ViewMut::row_major(&mut p, m, n));
    log_softmax(set, view, ViewMut::row_major(&mut log, m, n));
    log_sum_exp(set, view, ViewMut::row_major(&mut sums, m, 1));
    let case = format!("{set} {m}x{n} scale {scale}");
    let close = |x: T, exact: f64, what: &str| {
        let error = (x.to_f64() - exact).abs();
        assert!(error <= epsilon * exact.abs().max(scale), "{case} {what}: {x:?}, not {exact}");
    };
    for target in [Target::Labels(&labels), Target::Weights(View::row_major(&y, m, n))] {
        for with_probabilities in [false, true] {
            let (mut q, mut g, mut losses) = (vec![T::ZERO; m * n], vec![T::ZERO; m * n], vec![T::ZERO; m]);
            let total = cross_entropy(
                set,
                view,
                target,
                Results {
                    probabilities: with_probabilities.then(|| ViewMut::row_major(&mut q, m, n)),
                    difference: Some((T::from_f64(0.25), ViewMut::row_major(&mut g, m, n))),
                    losses: Some(&mut losses),
                },
            );
            let mut expected = 0.0;
            for i in 0..m {
                let row = &z[i * n..][..n];
                let lse = normaliser(row);
                let weight = |j: usize| match target {
                    Target::Labels(labels) => f64::from(u8::from(labels[i] as usize == j)),
                    Target::Weights(y) => y.at(i, j).to_f64(),
                };
                let loss: f64 = (0..n).map(|j| weight(j) * (lse - row[j].to_f64())).sum();
                close(losses[i], loss, "loss");
                expected += loss;
                for (j, z) in row.iter().enumerate() {
                    let exact = (z.to_f64() - lse).exp();
                    close(g[i * n + j], 0.25 * (exact - weight(j)), "difference");
                    close(p[i * n + j], exact, "softmax");
                    close(log[i * n + j], z.to_f64() - lse, "logarithm");
                    if with_probabilities {
                        close(q[i * n + j], exact, "probability");
                    }
                }
                close(sums[i], lse, "log-sum-exp");
            }
            let error = (total.to_f64() - expected).abs();
            assert!(error <= epsilon * expected.abs().max(scale) * m as f64, "{case} total");
        }
    }
}

#[test]
fn rows_agree_with_plain_formulas() {
    for set in InstructionSet::available() {
        let sizes = [(1, 1), (3, 2), (17, 10), (5, 16), (9, 13), (4, 33), (37, 17), (2, 1000)];
        for size in sizes.into_iter().filter(|(m, n)| !cfg!(miri) || m * n < 200) {
            for scale in [1.0, 300.0] {
                rows_agree::<f32>(set, size, scale);
                rows_agree::<f64>(set, size, scale);
            }
        }
    }
}

#[test]
fn infinities_are_the_largest_entry() {
    let inf = f64::INFINITY;
    let z = [-inf, -inf, 1.0, inf, 0.0, -inf, f64::NAN, 0.0];
    for set in InstructionSet::available() {
        let mut out = [0.0; 4];
        log_sum_exp(set, View::row_major(&z, 4, 2), ViewMut::row_major(&mut out, 4, 1));
        assert_eq!(out[..3], [-inf, inf, 0.0]);
        assert!(out[3].is_nan());
    }
}

#[test]
#[should_panic(expected = "a label that is no column")]
fn a_label_beyond_the_columns_is_refused() {
    let results = Results { probabilities: None, difference: None, losses: None };
    let z = [0.0_f32; 6];
    cross_entropy(InstructionSet::PORTABLE, View::row_major(&z, 2, 3), Target::Labels(&[0, 3]), results);
}

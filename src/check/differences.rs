//! Derivatives by differences: a function of one real number comes in, its derivative at 0 with an estimate of the error
//! goes out. Central differences at halved steps are extrapolated to step zero (L. F. Richardson 1911; C. J. F. Ridders,
//! Accurate computation of F'(x) and F'(x)F''(x), Advances in Engineering Software 4 (1982)).

use crate::matrix::Matrix;

/// Steps, each half of the one before.
const LEVELS: usize = 4;
/// How many units in its last place a value of the function may be off.
const ROUNDING: f64 = 4.0;
/// The first steps of the tries, largest first.
pub const FIRST_STEPS: [f64; 3] = [1.0 / 32.0, 1.0 / 1024.0, 1.0 / 32_768.0];

/// A derivative by differences.
#[derive(Clone, Debug)]
pub struct Derivative {
    /// The derivative.
    pub value: Matrix,
    /// How far it may be off: the change by the last extrapolation.
    pub error: f64,
}

/// The derivatives at 0 of the matrices that `f` gives, from the first step on; `None` where `f` has no value nearby.
pub fn derivatives(f: &mut dyn FnMut(f64) -> Option<Vec<Matrix>>, first_step: f64) -> Option<Vec<Derivative>> {
    let mut tables: Vec<Vec<Matrix>> = Vec::new();
    let mut best: Vec<Derivative> = Vec::new();
    let mut step = first_step;
    let mut sizes: Vec<f64> = Vec::new();
    for level in 0..LEVELS {
        let (after, before) = (f(step)?, f(-step)?);
        for (k, (a, b)) in after.iter().zip(&before).enumerate() {
            if level == 0 {
                sizes.push(a.max_abs());
            }
            let quotient = a.zip(b, |x, y| (x - y) / (2.0 * step));
            if !quotient.is_finite() {
                return None;
            }
            if level == 0 {
                tables.push(vec![quotient.clone()]);
                best.push(Derivative { value: quotient, error: f64::INFINITY });
                continue;
            }
            let table = &mut tables[k];
            let mut row = vec![quotient];
            let mut factor = 1.0;
            for j in 1..=level {
                factor *= 4.0;
                let better = row[j - 1].zip(&table[j - 1], |new, old| new + (new - old) / (factor - 1.0));
                let change = |other: &Matrix| better.zip(other, |x, y| x - y).max_abs();
                let error = change(&row[j - 1]).max(change(&table[j - 1]));
                if error <= best[k].error {
                    best[k] = Derivative { value: better.clone(), error };
                }
                row.push(better);
            }
            *table = row;
        }
        step *= 0.5;
    }
    // What rounding of the function's values leaves in a quotient, whatever the extrapolation says.
    for (derivative, size) in best.iter_mut().zip(sizes) {
        derivative.error = derivative.error.max(ROUNDING * f64::EPSILON * size / step);
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_STEPS, derivatives};
    use crate::matrix::Matrix;

    #[test]
    fn smooth_functions_are_differentiated_to_twelve_digits() {
        let mut f =
            |t: f64| Some(vec![Matrix::new(1, 2, vec![(1.0 + t).ln(), (2.0 * t).sin()]), Matrix::scalar(t * t)]);
        let out = derivatives(&mut f, FIRST_STEPS[0]).unwrap();
        assert!((out[0].value.at(0, 0) - 1.0).abs() < 1e-12 && (out[0].value.at(0, 1) - 2.0).abs() < 1e-12);
        assert!(out[0].error < 1e-9 && out[0].error > 0.0 && out[1].value.at(0, 0).abs() < 1e-15);
    }

    #[test]
    fn kinks_and_ends_of_the_domain_are_noticed() {
        let mut kink = |t: f64| Some(vec![Matrix::scalar((t - 0.003).max(0.0))]);
        assert!(derivatives(&mut kink, FIRST_STEPS[0]).unwrap()[0].error > 1e-3);
        assert!(derivatives(&mut kink, FIRST_STEPS[1]).unwrap()[0].error < 1e-10);
        let mut end = |t: f64| (t > -0.01).then(|| vec![Matrix::scalar(t)]);
        assert!(derivatives(&mut end, FIRST_STEPS[0]).is_none());
    }
}

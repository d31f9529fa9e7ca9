//! Features brought to a common size: samples come in, a shift and a divisor for each column go out, and are applied to
//! other samples. They are learnt on the samples trained on and on no others. No column is divided by zero.

use super::Samples;
use super::samples::check_finite;
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;

/// Which scaling is learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalingKind {
    /// The features stay as they are.
    None,
    /// The mean of each column is taken away, and all is divided by one standard deviation. One for all columns, and not one
    /// for each, keeps a pixel that is nearly always white from being blown up.
    Common,
    /// The mean of each column is taken away, and each is divided by its standard deviation.
    Standard,
    /// Each column goes from 0 to 1.
    Range,
}

impl ScalingKind {
    /// All of them.
    pub const ALL: [ScalingKind; 4] =
        [ScalingKind::Common, ScalingKind::Standard, ScalingKind::Range, ScalingKind::None];

    /// Its name on a command line and in a model.
    pub fn name(self) -> &'static str {
        match self {
            ScalingKind::None => "none",
            ScalingKind::Common => "common",
            ScalingKind::Standard => "standard",
            ScalingKind::Range => "range",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<ScalingKind> {
        ScalingKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What is done to features: (X - 1_N shift) ⊘ (1_N divisor).
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// 1×D: what is taken away from each column.
    pub shift: Matrix,
    /// 1×D: what each column is divided by; positive.
    pub divisor: Matrix,
}

/// What is known of columns on the way.
struct Columns {
    least: Vec<f64>,
    most: Vec<f64>,
    /// A power of two next to the largest entry of each; 1 where all are 0.
    unit: Vec<f64>,
}

impl Scaling {
    /// The one that changes nothing.
    pub fn identity(columns: usize) -> Scaling {
        Scaling { shift: Matrix::zeros(1, columns), divisor: Matrix::filled(1, columns, 1.0) }
    }

    /// Whether it changes nothing.
    pub(super) fn is_identity(&self) -> bool {
        let is = |matrix: &Matrix, number: f64| matrix.entries().iter().all(|&entry| entry == number);
        is(&self.shift, 0.0) && is(&self.divisor, 1.0)
    }

    /// The scaling of these samples. Columns in which all rows are equal become 0, up to rounding.
    pub fn learn(kind: ScalingKind, samples: &Samples) -> Scaling {
        let width = samples.columns();
        if kind == ScalingKind::None {
            return Scaling::identity(width);
        }
        let columns = Columns::of(samples, kind == ScalingKind::Common);
        if kind == ScalingKind::Range {
            let divisor = columns.least.iter().zip(&columns.most).map(|(least, most)| {
                // Half of each: the difference may be beyond the largest number.
                let half = most / 2.0 - least / 2.0;
                if half > 0.0 { (2.0 * half).min(f64::MAX) } else { 1.0 }
            });
            return Scaling {
                divisor: Matrix::new(1, width, divisor.collect()),
                shift: Matrix::new(1, width, columns.least),
            };
        }
        let count = samples.len() as f64;
        let mut shift = vec![0.0; width];
        visit_rows(samples, |row| {
            for ((sum, entry), unit) in shift.iter_mut().zip(row).zip(&columns.unit) {
                *sum += entry / unit / count;
            }
        });
        let mut squares = vec![0.0; width];
        visit_rows(samples, |row| {
            for (((square, entry), mean), unit) in squares.iter_mut().zip(row).zip(&shift).zip(&columns.unit) {
                *square += (entry / unit - mean).powi(2) / count;
            }
        });
        if kind == ScalingKind::Common {
            let mean = squares.iter().map(|square| square / width as f64).sum();
            squares.fill(mean);
        }
        // Where all rows are equal, rounding leaves about 1e-16 of the largest entry, which must not be blown up.
        let divisor = squares
            .iter()
            .zip(&columns.unit)
            .map(|(square, unit): (&f64, _)| if square.sqrt() > 1e-14 { square.sqrt() * unit } else { *unit });
        let divisor = Matrix::new(1, width, divisor.collect());
        shift.iter_mut().zip(&columns.unit).for_each(|(mean, unit)| *mean *= unit);
        Scaling { shift: Matrix::new(1, width, shift), divisor }
    }

    /// The scaled features.
    ///
    /// # Errors
    /// Another number of columns; a number that is not finite, before or after.
    pub fn apply(&self, features: &Matrix) -> Result<Matrix, Diagnostic> {
        let columns = self.shift.columns();
        if features.columns() != columns {
            let message = format!("the features have {} columns; the model takes {columns}", features.columns());
            return Err(Diagnostic::whole(message));
        }
        check_finite(features, "features")?;
        self.apply_finite(features.clone())
    }

    /// As [`Scaling::apply`], of features that are known to fit and to be finite.
    pub(super) fn apply_finite(&self, mut features: Matrix) -> Result<Matrix, Diagnostic> {
        let columns = self.shift.columns();
        for row in features.entries_mut().chunks_exact_mut(columns.max(1)) {
            for ((entry, shift), divisor) in row.iter_mut().zip(self.shift.entries()).zip(self.divisor.entries()) {
                // Divided first: the difference of two large numbers may be no number.
                *entry = *entry / divisor - shift / divisor;
            }
        }
        check_finite(&features, "scaled features")?;
        Ok(features)
    }
}

impl Columns {
    /// With a unit for each, or one for all.
    fn of(samples: &Samples, common: bool) -> Columns {
        let width = samples.columns();
        let mut least = vec![f64::INFINITY; width];
        let mut most = vec![f64::NEG_INFINITY; width];
        visit_rows(samples, |row| {
            for ((least, most), &entry) in least.iter_mut().zip(&mut most).zip(row) {
                *least = least.min(entry);
                *most = most.max(entry);
            }
        });
        let mut largest: Vec<f64> = least.iter().zip(&most).map(|(a, b)| a.abs().max(b.abs())).collect();
        if common {
            let all = largest.iter().copied().fold(0.0, f64::max);
            largest.fill(all);
        }
        // Powers of two keep every sum and square within the range of f64 and change no digit.
        let unit = largest.iter().map(|&largest| match largest > 0.0 {
            true => 2.0f64.powi((largest.log2() as i32).clamp(-1000, 1000)),
            false => 1.0,
        });
        Columns { unit: unit.collect(), least, most }
    }
}

fn visit_rows(samples: &Samples, mut visit: impl FnMut(&[f64])) {
    let width = samples.columns();
    let walked = samples.each_block(&mut |_, features| {
        features.entries().chunks_exact(width.max(1)).for_each(&mut visit);
        Ok(())
    });
    debug_assert_eq!(walked, Ok(()));
}

#[cfg(test)]
mod tests {
    use super::{Scaling, ScalingKind};
    use crate::matrix::Matrix;
    use crate::train::Samples;

    fn samples(features: Matrix) -> Samples {
        let labels: Vec<i64> = (0..features.rows() as i64).map(|i| i % 2).collect();
        Samples::new(features, &labels, 2).unwrap()
    }

    fn scaled(kind: ScalingKind, features: &Matrix) -> Matrix {
        Scaling::learn(kind, &samples(features.clone())).apply(features).unwrap()
    }

    #[test]
    fn scaled_features_have_mean_zero_and_mean_square_one() {
        for size in [1.0, 1e-300, 1e300] {
            let features = Matrix::from_fn(7, 3, |i, j| size * ((i * i) as f64 / 50.0 + (j + i * j) as f64 / 10.0));
            for kind in [ScalingKind::Common, ScalingKind::Standard] {
                let scaled = scaled(kind, &features);
                let square = |j| (0..7).map(|i| scaled.at(i, j).powi(2)).sum::<f64>() / 7.0;
                for j in 0..3 {
                    let mean = (0..7).map(|i| scaled.at(i, j)).sum::<f64>() / 7.0;
                    assert!(mean.abs() < 1e-12, "{size}: {mean}");
                    assert!(kind == ScalingKind::Common || (square(j) - 1.0).abs() < 1e-12, "{size}");
                }
                assert!(((square(0) + square(1) + square(2)) / 3.0 - 1.0).abs() < 1e-12, "{size}");
            }
        }
    }

    #[test]
    fn a_range_goes_from_zero_to_one() {
        let features = Matrix::new(3, 2, vec![5.0, -1e308, 7.0, 1e308, 6.5, 0.0]);
        let scaled = scaled(ScalingKind::Range, &features);
        assert_eq!([scaled.at(0, 0), scaled.at(1, 0), scaled.at(2, 0)], [0.0, 1.0, 0.75]);
        assert!((0..3).all(|i| (-1e-9..1.2).contains(&scaled.at(i, 1))), "{scaled:?}");
        assert_eq!(super::Scaling::identity(2).apply(&features).unwrap(), features);
    }

    #[test]
    fn constant_features_become_zero() {
        for value in [0.0, 0.1, -7.3e200, f64::MAX] {
            for kind in [ScalingKind::Common, ScalingKind::Standard, ScalingKind::Range] {
                let scaled = scaled(kind, &Matrix::filled(5, 2, value));
                assert!(scaled.entries().iter().all(|x| x.abs() < 1e-14), "{value}: {scaled:?}");
            }
        }
        // A constant column beside another is not blown up either.
        let features = Matrix::from_fn(6, 2, |i, j| if j == 0 { 0.1 } else { i as f64 });
        let scaled = scaled(ScalingKind::Standard, &features);
        assert!((0..6).all(|i| scaled.at(i, 0).abs() < 1e-14));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let scaling = Scaling::identity(3);
        let message = scaling.apply(&Matrix::zeros(2, 4)).unwrap_err().message;
        assert_eq!(message, "the features have 4 columns; the model takes 3");
        let message = scaling.apply(&Matrix::filled(2, 3, f64::NAN)).unwrap_err().message;
        assert_eq!(message, "the features have NaN in row 0, column 0");
    }
}

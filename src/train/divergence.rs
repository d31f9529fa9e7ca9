//! What is told of a training that comes to no number: samples, their scaling and where it failed come in, an error with advice
//! goes out. The size of the samples is named where it is the cause, else the learning rate. Nothing is repaired here.

use super::Scaling;
use super::samples::{Samples, Targets};
use crate::diagnostic::Diagnostic;
use crate::matrix::Matrix;
use crate::plan::Precision;
use crate::run::cpu::InstructionSet;

/// Numbers beyond this are far from those that the usual learning rates are for: scaled features are of size 1.
const LARGE: f64 = 100.0;

/// Something that is learnt from, with its largest number without sign.
struct Size {
    /// In words, as the subject of a sentence.
    what: String,
    largest: f64,
    /// What makes it smaller.
    advice: &'static str,
}

/// Whether the samples are within the range of the numbers that a program is computed in.
///
/// # Errors
/// Features, targets or other arrays that are too large for 32-bit numbers, with what helps; a precision that this processor
/// does not have.
pub(super) fn check_range(samples: &Samples, scaling: &Scaling, precision: Precision) -> Result<(), Diagnostic> {
    if precision == Precision::Double {
        return Ok(());
    }
    if precision == Precision::Mixed && !InstructionSet::detect().has_bf16() {
        let message = "this processor has no products of bf16 (AVX512-BF16)";
        return Err(Diagnostic::whole(message).hint("compute in 32-bit numbers (f32)"));
    }
    match sizes(samples, scaling).into_iter().find(|size| size.largest > f64::from(f32::MAX)) {
        None => Ok(()),
        Some(Size { what, largest, advice }) => Err(Diagnostic::whole(format!(
            "{what} are as large as {}, which is too large for a 32-bit number",
            shown(largest)
        ))
        .hint(format!("{advice}, or compute in 64-bit numbers (f64)"))),
    }
}

/// The error of a training that diverged.
pub(super) fn diverged(
    samples: &Samples,
    scaling: &Scaling,
    learning_rate: f64,
    (epoch, why): (usize, &str),
) -> Diagnostic {
    let advice = match sizes(samples, scaling).into_iter().find(|size| size.largest > LARGE) {
        Some(Size { what, largest, advice }) => format!(
            "{what} are as large as {}: {advice}, or take a much smaller learning rate than {learning_rate:?}",
            shown(largest)
        ),
        None => format!(
            "take a smaller learning rate than {learning_rate:?}; momentum, lambda or the initial scale may be too large as well"
        ),
    };
    Diagnostic::whole(format!("the training diverged in epoch {epoch}: {why}")).hint(advice)
}

/// How large all is that a program is given of samples.
fn sizes(samples: &Samples, scaling: &Scaling) -> Vec<Size> {
    let mut features = 0.0_f64;
    let walked = samples.each_block(&mut |_, block| {
        // What is too large even for a 64-bit number when it is scaled is as large as a number can be.
        features = features.max(scaling.apply(block).map_or(f64::MAX, |scaled| scaled.max_abs()));
        Ok(())
    });
    debug_assert_eq!(walked, Ok(()));
    let scale = match scaling.is_identity() {
        true => "scale them (common, standard or range)",
        false => "scale each by its own (standard or range)",
    };
    let divide = "divide them by a number of their size";
    let mut out = vec![Size { what: "the features".to_owned(), largest: features, advice: scale }];
    if let Targets::Values(values) = samples.targets() {
        out.push(Size { what: "the targets".to_owned(), largest: values.max_abs(), advice: divide });
    }
    let beside = samples.beside_arrays();
    out.extend(beside.map(|(name, matrix): (&str, &Matrix)| Size {
        what: format!("the numbers of `{name}`"),
        largest: matrix.max_abs(),
        advice: divide,
    }));
    out
}

/// Four digits of a number, as one writes it.
fn shown(number: f64) -> String {
    let rounded: f64 = format!("{number:.3e}").parse().unwrap_or(number);
    if rounded < 1e6 { rounded.to_string() } else { format!("{rounded:e}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{check_range, diverged, shown};
    use crate::matrix::Matrix;
    use crate::plan::Precision;
    use crate::train::{Samples, Scaling, ScalingKind, Targets};

    fn of(feature: f64, target: f64, beside: f64) -> Samples {
        let one = |number| Matrix::from_fn(3, 1, |i, _| if i == 1 { number } else { 0.5 });
        let beside = vec![("w".to_owned(), one(beside))];
        Samples::of(Arc::new(one(feature)), Targets::Values(one(target)), beside).unwrap()
    }

    #[test]
    fn what_is_too_large_for_32_bits_is_named_with_what_helps() {
        let told = |samples: &Samples, kind| {
            let scaling = Scaling::learn(kind, samples);
            assert_eq!(check_range(samples, &scaling, Precision::Double), Ok(()));
            check_range(samples, &scaling, Precision::Single).err().map(|error| (error.message, error.hint.unwrap()))
        };
        assert_eq!(told(&of(1e38, -1e38, 3e38), ScalingKind::None), None);
        let (message, hint) = told(&of(-1e39, 1.0, 1.0), ScalingKind::None).unwrap();
        assert_eq!(message, "the features are as large as 1e39, which is too large for a 32-bit number");
        assert_eq!(hint, "scale them (common, standard or range), or compute in 64-bit numbers (f64)");
        assert_eq!(told(&of(-1e300, 1.0, 1.0), ScalingKind::Common), None);
        let (message, hint) = told(&of(1.0, 2e40, 1.0), ScalingKind::None).unwrap();
        assert!(message.starts_with("the targets are as large as 2e40, "), "{message}");
        assert!(hint.starts_with("divide them by a number of their size, or "), "{hint}");
        let (message, _) = told(&of(1.0, 1.0, 1e50), ScalingKind::None).unwrap();
        assert!(message.starts_with("the numbers of `w` are as large as 1e50, "), "{message}");
    }

    #[test]
    fn divergence_is_laid_to_the_size_of_the_samples_or_to_the_rate() {
        let hint = |samples: &Samples, kind| {
            diverged(samples, &Scaling::learn(kind, samples), 0.2, (1, "it grew")).hint.unwrap()
        };
        let advice = "the features are as large as 255: scale them (common, standard or range), or take a much smaller \
                      learning rate than 0.2";
        assert_eq!(hint(&of(255.0, 1.0, 1.0), ScalingKind::None), advice);
        assert!(hint(&of(255.0, 1.0, 1.0), ScalingKind::Range).starts_with("take a smaller learning rate than 0.2; "));
        let advice = hint(&of(1.0, 350_000.0, 1.0), ScalingKind::None);
        assert!(advice.starts_with("the targets are as large as 350000: divide them"), "{advice}");
    }

    #[test]
    fn numbers_are_shown_with_four_digits() {
        assert_eq!([255.0, 1234.567, 2.5e6, 1e39, 0.1].map(shown), ["255", "1235", "2.5e6", "1e39", "0.1"]);
    }
}

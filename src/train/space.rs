//! What a search tries: axes of options come in, trials go out, all of a grid or some at random. The same seed gives the
//! same trials, and more trials begin with the same ones.

use super::random::{Purpose, Random};

/// The values of one option.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// These.
    List(Vec<f64>),
    /// Anything from one number to another, both positive, even in the logarithm.
    Range {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
        /// Whether only whole numbers are taken.
        whole: bool,
    },
}

/// An option with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The option.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// All combinations, the last axis fastest; `None` where an axis is a range.
pub fn grid(axes: &[Axis]) -> Option<Vec<Vec<f64>>> {
    let mut out = vec![Vec::new()];
    for axis in axes {
        let Values::List(list) = &axis.values else { return None };
        out = out
            .into_iter()
            .flat_map(|trial| {
                list.iter().map(move |&value| {
                    let mut longer = trial.clone();
                    longer.push(value);
                    longer
                })
            })
            .collect();
    }
    Some(out)
}

/// Combinations at random, each axis by itself.
pub fn random(axes: &[Axis], trials: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed, Purpose::Trials);
    let mut one = |axis: &Axis| match &axis.values {
        Values::List(list) => list[random.below(list.len())],
        Values::Range { low, high, whole } => {
            let part = 0.5 + 0.5 * random.uniform();
            let value = (low.ln() + part * (high.ln() - low.ln())).exp().clamp(*low, *high);
            if *whole {
                value.round()
            } else {
                // Four digits are all that anybody will type again.
                format!("{value:.3e}").parse().unwrap_or(value)
            }
        }
    };
    (0..trials).map(|_| axes.iter().map(&mut one).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Axis, Values, grid, random};

    fn axes() -> Vec<Axis> {
        vec![
            Axis { name: "hidden".to_owned(), values: Values::List(vec![8.0, 16.0]) },
            Axis { name: "lambda".to_owned(), values: Values::List(vec![0.0, 1.0, 2.0]) },
        ]
    }

    #[test]
    fn a_grid_has_all_combinations() {
        let trials = grid(&axes()).unwrap();
        assert_eq!(trials.len(), 6);
        assert_eq!((trials[0].as_slice(), trials[4].as_slice()), (&[8.0, 0.0][..], &[16.0, 1.0][..]));
    }

    #[test]
    fn random_trials_are_within_their_ranges_and_begin_alike() {
        let mut axes = axes();
        axes.push(Axis { name: "rate".to_owned(), values: Values::Range { low: 1e-4, high: 1.0, whole: false } });
        axes.push(Axis { name: "width".to_owned(), values: Values::Range { low: 3.0, high: 50.0, whole: true } });
        assert_eq!(grid(&axes), None);
        let trials = random(&axes, 400, 5);
        assert_eq!(random(&axes, 7, 5), trials[..7]);
        assert_ne!(random(&axes, 7, 6), trials[..7]);
        let small = trials.iter().filter(|trial| trial[2] < 1e-2).count();
        assert!((160..240).contains(&small), "even in the logarithm: {small}");
        assert!(trials.iter().all(|trial| (1e-4..=1.0).contains(&trial[2])));
        assert!(trials.iter().all(|trial| trial[3].fract() == 0.0 && (3.0..=50.0).contains(&trial[3])));
    }
}

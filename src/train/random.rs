//! Random numbers that are the same for the same seed on every machine: ChaCha with twelve rounds, one stream for each
//! purpose, so that another number of epochs does not change the split, and a training can be taken up in its middle. Only
//! integer arithmetic and exact scaling is used.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are for; each has a stream of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Which samples are kept out.
    Split,
    /// The first parameters.
    Initialisation,
    /// The order of samples in an epoch.
    Order { epoch: usize },
    /// What is done to the samples of a step.
    Augmentation { step: usize },
    /// The trials of a search.
    Trials,
}

impl Purpose {
    /// The number of its stream; purposes that have many count within 2^48.
    fn stream(self) -> u64 {
        let (kind, number) = match self {
            Purpose::Split => (0, 0),
            Purpose::Initialisation => (1, 0),
            Purpose::Order { epoch } => (2, epoch as u64),
            Purpose::Augmentation { step } => (3, step as u64),
            Purpose::Trials => (4, 0),
        };
        (kind << 48) | (number & ((1 << 48) - 1))
    }
}

/// A stream of random numbers.
pub(super) struct Random(ChaCha12Rng);

impl Random {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Random {
        let mut generator = ChaCha12Rng::seed_from_u64(seed);
        generator.set_stream(purpose.stream());
        Random(generator)
    }

    /// Uniform in -1 … 1.
    pub(super) fn uniform(&mut self) -> f64 {
        // 53 bits, then a power of two: exact.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// A whole number from 0 to below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        // The upper word of a 128-bit product is uniform up to 2^-64 limit.
        ((u128::from(self.0.next_u64()) * limit as u128) >> 64) as usize
    }

    /// Puts a list in random order (Fisher and Yates).
    pub(super) fn shuffle(&mut self, list: &mut [usize]) {
        for i in (1..list.len()).rev() {
            let place = self.below(i + 1);
            list.swap(i, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Purpose, Random};

    #[test]
    fn streams_are_fixed_by_seed_and_purpose() {
        let draw = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            let mut list: Vec<usize> = (0..20).collect();
            random.shuffle(&mut list);
            (list, random.uniform())
        };
        assert_eq!(draw(1, Purpose::Split), draw(1, Purpose::Split));
        assert_ne!(draw(1, Purpose::Split), draw(2, Purpose::Split));
        assert_ne!(draw(1, Purpose::Split), draw(1, Purpose::Order { epoch: 0 }));
        assert_ne!(draw(1, Purpose::Order { epoch: 1 }), draw(1, Purpose::Order { epoch: 2 }));
        assert_ne!(draw(1, Purpose::Order { epoch: 1 }), draw(1, Purpose::Augmentation { step: 1 }));
        let mut sorted = draw(1, Purpose::Split).0;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn uniform_numbers_fill_their_range() {
        let mut random = Random::new(5, Purpose::Initialisation);
        let numbers: Vec<f64> = (0..4000).map(|_| random.uniform()).collect();
        let mean = numbers.iter().sum::<f64>() / 4000.0;
        let square = numbers.iter().map(|x| x * x).sum::<f64>() / 4000.0;
        assert!(numbers.iter().all(|x| (-1.0..1.0).contains(x)));
        assert!(mean.abs() < 0.03 && (square - 1.0 / 3.0).abs() < 0.03, "{mean} {square}");
        let mut counts = [0_usize; 7];
        (0..7000).for_each(|_| counts[random.below(7)] += 1);
        assert!(counts.iter().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}

//! Random numbers that are the same for the same seed on every machine: ChaCha with twelve rounds, one stream for each
//! purpose, so that another number of epochs does not change the split. Only integer arithmetic and exact scaling is used.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are for; each has a stream of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Split,
    Initialisation,
    Shuffling,
}

/// A stream of random numbers.
pub(super) struct Random(ChaCha12Rng);

impl Random {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Random {
        let mut generator = ChaCha12Rng::seed_from_u64(seed);
        generator.set_stream(purpose as u64);
        Random(generator)
    }

    /// Uniform in -1 … 1.
    pub(super) fn uniform(&mut self) -> f64 {
        // 53 bits, then a power of two: exact.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Puts a list in random order (Fisher and Yates).
    pub(super) fn shuffle(&mut self, list: &mut [usize]) {
        for i in (1..list.len()).rev() {
            // The upper word of a 128-bit product is uniform below i + 1 up to 2^-64 (i + 1).
            let below = (u128::from(self.0.next_u64()) * (i as u128 + 1)) >> 64;
            list.swap(i, below as usize);
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
        assert_ne!(draw(1, Purpose::Split), draw(1, Purpose::Shuffling));
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
    }
}

//! The most that a core can multiply and add: what the speed of a product is a share of. A number of rounds comes in; the caller
//! holds the clock.

use std::hint::black_box;
use std::marker::PhantomData;

use super::simd::{Kernel, Lanes};
use super::{Float, InstructionSet};

/// As many sums as hide the time of a multiply-add on every processor there is.
const SUMS: usize = 12;

/// Multiplies and adds in registers alone, and gives how many operations that were, two for each multiply-add.
pub fn multiply_adds<T: Float>(set: InstructionSet, rounds: usize) -> f64 {
    let lanes = set.run(Rounds { rounds, number: PhantomData::<T> });
    2.0 * (SUMS * lanes) as f64 * rounds as f64
}

struct Rounds<T> {
    rounds: usize,
    number: PhantomData<T>,
}

impl<T: Float> Kernel<T> for Rounds<T> {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<V: Lanes<Scalar = T>>(self) -> usize {
        // SAFETY: the caller has asked for the instructions of V; all bits zero is a vector of zeros.
        unsafe {
            let (x, y) = (V::splat(black_box(T::from_f64(0.999))), V::splat(black_box(T::from_f64(0.001))));
            let mut sums = std::mem::zeroed::<[V; SUMS]>();
            for _ in 0..self.rounds {
                for sum in &mut sums {
                    *sum = sum.times_plus(x, y);
                }
            }
            let mut lanes = [T::ZERO; 16];
            for sum in sums {
                sum.store(lanes.as_mut_ptr());
                black_box(lanes);
            }
            V::COUNT
        }
    }
}

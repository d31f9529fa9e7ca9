//! Which instructions a kernel may use. A value that exists is one that this processor can run; only `detect` and `named` make
//! one, so that a kernel called with it is safe to enter.

use std::fmt;

use super::Float;
use super::simd::{Kernel, Lanes};

/// A set of instructions that this processor has. Ordered: a larger one includes the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstructionSet(Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl InstructionSet {
    /// What every processor has: the compiler's own vectors.
    pub const PORTABLE: InstructionSet = InstructionSet(Level::Portable);

    /// The largest set of this processor.
    pub fn detect() -> InstructionSet {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if avx2 && avx512 {
                return InstructionSet(Level::Avx512);
            }
            if avx2 {
                return InstructionSet(Level::Avx2);
            }
        }
        InstructionSet::PORTABLE
    }

    /// All sets of this processor, smallest first.
    pub fn available() -> Vec<InstructionSet> {
        let largest = InstructionSet::detect();
        let all = [
            Level::Portable,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512,
        ];
        all.into_iter().map(InstructionSet).filter(|&set| set <= largest).collect()
    }

    /// The set of that name (`portable`, `avx2`, `avx512`), where this processor has it.
    pub fn named(name: &str) -> Option<InstructionSet> {
        InstructionSet::available().into_iter().find(|set| set.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        }
    }

    /// Whether products in single precision can round their factors to bf16: the vectors of AVX-512, and AVX512-BF16.
    pub fn has_bf16(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => is_x86_feature_detected!("avx512bf16"),
            _ => false,
        }
    }

    /// Runs a kernel in code compiled for this set.
    pub(super) fn run<T: Float, K: Kernel<T>>(self, kernel: K) -> K::Output {
        match self.0 {
            // SAFETY: the portable vectors need nothing.
            Level::Portable => unsafe { T::Portable::call(kernel) },
            // SAFETY: a value of this type exists only where the processor was asked.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { T::Avx2::call(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { T::Avx512::call(kernel) },
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

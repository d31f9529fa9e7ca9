//! The two precisions of the kernels.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::entry::Entry;
use super::simd::{Lanes, Plain};

/// `f32` or `f64`. No other type can be one.
pub trait Float:
    Entry
    + Copy
    + Default
    + Debug
    + PartialEq
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// −∞
    const LOWEST: Self;

    /// The nearest number of this precision.
    fn from_f64(x: f64) -> Self;

    /// The same number in double precision.
    fn to_f64(self) -> f64;

    /// x^y as the standard library has it.
    fn power(self, y: Self) -> Self;
}

/// The vectors of a precision, one type for each instruction set.
pub trait Vectors: Sized {
    /// For every processor.
    type Portable: Lanes<Scalar = Self>;
    /// For AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Lanes<Scalar = Self>;
    /// For AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Lanes<Scalar = Self>;
}

impl Vectors for f32 {
    type Portable = Plain<f32, 4>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::simd::F32x8;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::simd::F32x16;
}

impl Vectors for f64 {
    type Portable = Plain<f64, 2>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = super::simd::F64x4;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = super::simd::F64x8;
}

macro_rules! float {
    ($float:ident) => {
        impl Float for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST: Self = $float::NEG_INFINITY;

            fn from_f64(x: f64) -> Self {
                x as $float
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            fn power(self, y: Self) -> Self {
                if y == y.trunc() && y.abs() <= 64.0 { self.powi(y as i32) } else { self.powf(y) }
            }
        }
    };
}

float!(f32);
float!(f64);

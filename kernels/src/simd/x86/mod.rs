//! Vectors of AVX2 with FMA, and of AVX-512.

mod avx2;
mod avx512;

pub use avx2::{F32x8, F64x4};
pub use avx512::{F32x16, F64x8};

macro_rules! operators {
    ($vector:ident, $add:ident, $subtract:ident, $multiply:ident, $divide:ident, $xor:ident, $sign:expr) => {
        operators!($vector, Add, add, $add);
        operators!($vector, Sub, sub, $subtract);
        operators!($vector, Mul, mul, $multiply);
        operators!($vector, Div, div, $divide);

        impl Neg for $vector {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                // SAFETY: a vector exists only where the processor has its instructions.
                unsafe { $vector($xor(self.0, $sign)) }
            }
        }
    };
    ($vector:ident, $trait:ident, $function:ident, $intrinsic:ident) => {
        impl $trait for $vector {
            type Output = Self;
            #[inline(always)]
            fn $function(self, b: Self) -> Self {
                // SAFETY: a vector exists only where the processor has its instructions.
                unsafe { $vector($intrinsic(self.0, b.0)) }
            }
        }
    };
}

/// A method of two or three vectors that is one instruction.
macro_rules! instruction {
    ($(#[$attribute:meta])* fn $function:ident(self $(, $argument:ident)*) = $intrinsic:ident) => {
        #[inline(always)]
        fn $function(self $(, $argument: Self)*) -> Self {
            // SAFETY: a vector exists only where the processor has its instructions.
            unsafe { Self($intrinsic(self.0 $(, $argument.0)*)) }
        }
    };
}

/// A kernel called as a function of its own with these instructions.
macro_rules! call {
    ($features:literal) => {
        #[inline(always)]
        unsafe fn call<K: Kernel<Self::Scalar>>(kernel: K) -> K::Output {
            #[inline(never)]
            #[target_feature(enable = $features)]
            unsafe fn enter<V: Lanes, K: Kernel<V::Scalar>>(kernel: K) -> K::Output {
                // SAFETY: the caller's.
                unsafe { kernel.run::<V>() }
            }
            // SAFETY: the caller's.
            unsafe { enter::<Self, K>(kernel) }
        }
    };
}

use {call, instruction, operators};

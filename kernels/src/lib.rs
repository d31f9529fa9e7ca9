//! Kernels for the processor. Views of numbers in memory come in, numbers are written to views; sizes and instruction sets are
//! the caller's. Nothing is allocated inside a kernel, no lock is taken, nothing is read from the environment.
//!
//! - [`InstructionSet`]: AVX-512, AVX2 with FMA, or portable code, chosen at run time by a value.
//! - [`View`], [`ViewMut`]: matrices in memory with any strides.
//! - [`products`]: C = α·A·B with what follows it in the same pass.
//! - [`elementwise`]: many element-wise operations in one pass over blocks that stay in cache.
//! - [`softmax`]: softmax, log-sum-exp and cross-entropy of rows, stable, in one pass.
//! - [`error_function`]: erf and erfc, one number at a time.
//! - [`Pool`]: threads for steps of microseconds.
//! - [`Buffer`]: memory on cache lines.
//! - [`multiply_adds`]: what a core could do at most.
//!
//! Code for one kind of processor stands here alone. Every kernel is single-threaded and works on the block that it is given; the
//! split over threads is the caller's. The same call with the same instruction set gives the same bits.

mod instruction_set;
mod entry;
mod float;
mod memory;
mod peak;
mod pool;
mod simd;
mod view;
pub mod elementwise;
pub mod error_function;
pub mod products;
pub mod softmax;

pub use float::Float;
pub use instruction_set::InstructionSet;
pub use memory::Buffer;
pub use peak::multiply_adds;
pub use pool::{Crew, Pool};
pub use view::{View, ViewMut};

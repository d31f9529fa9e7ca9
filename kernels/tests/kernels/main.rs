//! The kernels by their public interface, against plain loops and tables.
//!
//! Under Miri they run in fewer and smaller sizes. It knows no streaming stores of x86, so it is given another processor:
//! `MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-deterministic-floats" cargo +nightly miri test -p matgrad-kernels --target
//! aarch64-unknown-linux-gnu`.

mod elementwise;
mod error_function;
mod memory;
mod pool;
mod products;
mod softmax;
mod view;

//! The kernels by their public interface, against plain loops and tables.

mod elementwise;
mod error_function;
mod memory;
mod pool;
mod products;
mod softmax;
mod view;

//! Numbers at the speed of the machine. [`cpu`] holds the kernels: products of matrices, fused element-wise passes, softmax,
//! threads. The only room with `unsafe` is `cpu`. Nothing here knows an expression or takes a derivative.

pub mod cpu;

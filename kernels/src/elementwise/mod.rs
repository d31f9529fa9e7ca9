//! Many element-wise operations in one pass. A [`Code`] of instructions over registers comes in, with matrices of one shape; the
//! pass goes over blocks of some hundred numbers that stay in the nearest cache, and writes matrices, or sums and maxima of rows,
//! of columns, or of all.
//!
//! A row, a column or a number that stands for a matrix is a view with a stride 0. Nothing is allocated in [`Code::run`]; the
//! workspace is the caller's.

mod block;
mod code;
mod instruction;
mod pass;

pub use code::{Code, CodeError};
pub use instruction::{Binary, Fold, Instruction, Operand, Output, Over, Unary};
pub(super) use pass::Pass;

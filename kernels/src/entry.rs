//! Where kernels are entered. The functions that callers see are generic in the precision; a crate that names one would compile
//! its kernel for each instruction set again. These are not generic: they are compiled here, once.

#![allow(private_interfaces, reason = "a kernel's arguments are nobody's but this room's")]

use super::InstructionSet;
use super::elementwise::Pass;
use super::float::Vectors;
use super::products::{Multiply, Packing, Widths};
use super::softmax::{CrossEntropy, Rows};

/// The kernels of a precision, run with a set of instructions.
pub trait Entry: Vectors {
    fn multiply(set: InstructionSet, kernel: Multiply<'_, Self>);
    fn pack(set: InstructionSet, kernel: Packing<'_, Self>) -> Widths;
    fn pass(set: InstructionSet, kernel: &mut Pass<'_, Self>);
    fn rows(set: InstructionSet, kernel: Rows<'_, Self>);
    fn cross_entropy(set: InstructionSet, kernel: CrossEntropy<'_, Self>) -> Self;
}

macro_rules! entry {
    ($float:ident) => {
        impl Entry for $float {
            fn multiply(set: InstructionSet, kernel: Multiply<'_, Self>) {
                set.run(kernel)
            }

            fn pack(set: InstructionSet, kernel: Packing<'_, Self>) -> Widths {
                set.run(kernel)
            }

            fn pass(set: InstructionSet, kernel: &mut Pass<'_, Self>) {
                set.run(kernel)
            }

            fn rows(set: InstructionSet, kernel: Rows<'_, Self>) {
                set.run(kernel)
            }

            fn cross_entropy(set: InstructionSet, kernel: CrossEntropy<'_, Self>) -> Self {
                set.run(kernel)
            }
        }
    };
}

entry!(f32);
entry!(f64);

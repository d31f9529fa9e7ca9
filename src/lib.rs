//! matgrad derives matrix gradients by differentials, the way it is done by hand.
//!
//! Rooms are declared in dependency order: a module uses only those above it.

pub mod diagnostic;
pub mod number;
pub mod dimension;
pub mod syntax;
pub mod matrix;
pub mod functions;
pub mod elaborate;
pub mod expr;
pub mod eval;
pub mod bind;
pub mod rules;
pub mod derivation;
pub mod calculus;
pub mod curvature;
pub mod tensor;
pub mod answer;
pub mod render;
pub mod check;
pub mod emit;
pub mod document;
pub mod verify;
pub mod plan;
pub mod run;
pub mod train;

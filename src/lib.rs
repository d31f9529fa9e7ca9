//! matgrad derives matrix gradients by differentials, the way it is done by hand.
//!
//! Rooms are declared in dependency order: a module uses only those above it.

pub mod number;
pub mod dimension;

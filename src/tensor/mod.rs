//! Derivatives of order 3 and 4, and matrices of derivatives: a differential dY, linear in dX, comes in; the matrix of the
//! linear map vec(dX) ↦ vec(dY) goes out, and its entries in index notation with deltas kept as deltas. No derivative is
//! taken here: the calculus has done that.
//!
//! Two readings of one map. `linear` reads dY as a sum of chains of `piece`s, each a matrix that acts on vec, as in
//! Magnus and Neudecker, Matrix Differential Calculus, ch. 2 and 9. `index` reads the same chains entry by entry, contracts
//! what can be contracted, and merges terms that are equal. `readback` makes a matrix of the entries again, which often is
//! shorter. `contract` computes the numbers of the entries in an order that costs little.

pub mod constants;
pub mod contract;
pub mod readback;
pub mod index;
pub mod linear;
pub mod piece;

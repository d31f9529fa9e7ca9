//! Shorter forms of the matrix of a linear map: commutation matrices on one side, I ± K taken out, the projection of a
//! structured variable at the end. A map comes in and matrices go out, all of them equal; which is shortest is decided
//! elsewhere.

use super::constants::commutation;
use super::linear::{Linear, projection};
use super::piece::{Chain, Piece};
use crate::calculus::NotCovered;
use crate::dimension::{DimId, Shape};
use crate::expr::{Arena, ExprId};
use crate::number::Number;

/// The matrix times that of the projection: M·½(I ± K); nothing for a leaf without structure.
///
/// # Errors
/// Sizes too large to be counted.
pub fn projected_last(
    arena: &mut Arena,
    free: &Linear,
    leaf: ExprId,
    from: Shape,
) -> Result<Option<ExprId>, NotCovered> {
    let Some(parts) = projection(arena, leaf) else { return Ok(None) };
    let chains = parts.into_iter().map(|(number, piece)| Chain {
        number,
        scalars: Vec::new(),
        pieces: piece.into_iter().collect(),
    });
    let projection = Linear { chains: chains.collect() }.matrix(arena, from)?;
    let (Some(matrix), Some(projection)) = (free.matrix(arena, from)?, projection) else { return Ok(None) };
    Ok(Some(arena.multiply(&[matrix, projection])))
}

/// The matrix with commutation matrices in front, (B⊗A)·K = K·(A⊗B), and with I ± K taken out on either side; nothing
/// where there is no such matrix.
///
/// # Errors
/// Sizes too large to be counted.
pub fn with_swaps(arena: &mut Arena, map: &Linear, from: Shape) -> Result<Vec<ExprId>, NotCovered> {
    let swapped = |chain: &Chain| matches!(chain.pieces[..], [Piece::Swap(_)] | [Piece::Swap(_), Piece::Kron { .. }]);
    if !map.chains.iter().any(swapped) {
        return Ok(Vec::new());
    }
    let mut turned = map.clone();
    for chain in &mut turned.chains {
        if let [Piece::Swap(_), Piece::Kron { right, left }] = chain.pieces[..] {
            let shape = Shape::new(arena.shape(right).rows, arena.shape(left).rows);
            if shape.rows != DimId::ONE && shape.columns != DimId::ONE {
                chain.pieces = vec![Piece::Kron { right: left, left: right }, Piece::Swap(shape)];
            }
        }
    }
    let mut out = Vec::new();
    out.extend(turned.matrix(arena, from)?);
    for map in [map, &turned] {
        out.extend(with_common_kron(arena, map, from)?);
    }
    Ok(out)
}

/// The matrix with (B⊗A) + c·(B⊗A)·K as (B⊗A)·(I + c·K), and likewise with K in front.
fn with_common_kron(arena: &mut Arena, map: &Linear, from: Shape) -> Result<Option<ExprId>, NotCovered> {
    // Those with a swap come last, and are taken from the end.
    let mut left: Vec<Chain> = map.chains.clone();
    left.sort_by_key(|chain| chain.pieces.iter().any(|piece| matches!(piece, Piece::Swap(_))));
    let mut terms: Vec<(Number, ExprId)> = Vec::new();
    let mut any = false;
    while let Some(chain) = left.pop() {
        let (swap, first) = match chain.pieces[..] {
            [Piece::Swap(shape), Piece::Kron { .. }] | [Piece::Swap(shape)] => (shape, true),
            [Piece::Kron { .. }, Piece::Swap(shape)] => (shape, false),
            _ => {
                terms.push((Number::ONE, chain.matrix(arena, from)?));
                continue;
            }
        };
        let kron: Vec<Piece> = chain.pieces.iter().copied().filter(|p| !matches!(p, Piece::Swap(_))).collect();
        let other = left.iter().position(|c| c.pieces == kron && c.scalars == chain.scalars);
        let ratio = other.and_then(|at| Some(chain.number.times(left[at].number.reciprocal()?)));
        let (Some(at), Some(ratio)) = (other, ratio) else {
            terms.push((Number::ONE, chain.matrix(arena, from)?));
            continue;
        };
        let plain = left.remove(at);
        let whole = plain.matrix(arena, from)?;
        let swap = commutation(arena, swap)?;
        let identity = arena.identity(arena.shape(swap).rows);
        let sum = arena.sum(&[(Number::ONE, identity), (ratio, swap)]);
        let product = if first { arena.multiply(&[whole, sum]) } else { arena.multiply(&[sum, whole]) };
        terms.push((Number::ONE, product));
        any = true;
    }
    Ok(if any { Some(arena.sum(&terms)) } else { None })
}

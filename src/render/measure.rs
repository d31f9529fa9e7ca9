//! How large laid out pieces are, as far as a layout asks: tall, with brackets, how wide. Nothing is laid out here.

use super::typeset::{Piece, Size};

/// Whether a piece is taller than a line.
pub(super) fn is_tall(piece: &Piece) -> bool {
    match piece {
        Piece::Fraction(..) | Piece::Table(_) => true,
        Piece::Fenced { size, .. } => *size == Size::Tall,
        Piece::Row(row) => row.iter().any(is_tall),
        Piece::Scripts { base, .. } | Piece::Differential(base) | Piece::Root(base) => is_tall(base),
        _ => false,
    }
}

/// Whether a round bracket stands in the line, not in an index.
pub(super) fn has_bracket(piece: &Piece) -> bool {
    match piece {
        Piece::Fenced { open: '(', .. } => true,
        Piece::Fenced { inner, .. } | Piece::Root(inner) | Piece::Differential(inner) => has_bracket(inner),
        Piece::Row(row) => row.iter().any(has_bracket),
        Piece::Scripts { base, .. } => has_bracket(base),
        _ => false,
    }
}

/// How wide a piece is, roughly, in characters.
pub fn width(piece: &Piece) -> usize {
    match piece {
        Piece::Row(row) => row.iter().map(width).sum(),
        Piece::Word(text) | Piece::Operation(text) | Piece::Digits(text) => text.chars().count(),
        Piece::Binary(_) | Piece::Relation(_) => 3,
        Piece::Thin | Piece::Times => 0,
        Piece::Scripts { base, below, above } => {
            let script = |p: &Option<Box<Piece>>| p.as_ref().map_or(0, |p| width(p));
            width(base) + script(below).max(script(above)).div_ceil(2)
        }
        Piece::Fraction(a, b) => width(a).max(width(b)),
        Piece::Root(inner) | Piece::Differential(inner) => 1 + width(inner),
        Piece::Fenced { inner, .. } => 2 + width(inner),
        Piece::Table(rows) => rows.iter().map(|row| row.iter().map(|p| 2 + width(p)).sum()).max().unwrap_or(0),
        _ => 1,
    }
}

//! Derivatives as left sides and forms with indices, laid out for a book: ∂Y/∂X, the same of vec, A_ij, δ_ij, Σ.

use super::notation::Notation;
use super::typeset::{Piece, in_base, indexed, name, piece as laid_out, raised};

/// The layout of a derivative or of a form with indices.
pub(super) fn piece(notation: &Notation) -> Piece {
    match notation {
        Notation::Partial(of, wrt) => fraction(vec![partial(), name(of)], vec![partial(), name(wrt)]),
        Notation::SecondPartial(of, x, y) => {
            let below = vec![partial(), name(x), Piece::Thin, partial(), name(y)];
            fraction(vec![twice(), name(of)], below)
        }
        Notation::Stacked(inner) => match &**inner {
            Notation::Partial(of, wrt) => fraction(vec![partial(), vec(of)], vec![partial(), vec(wrt)]),
            Notation::SecondPartial(of, x, y) => {
                let below = vec![partial(), vec(x), Piece::Thin, partial(), vec(y)];
                fraction(vec![twice(), name(of)], below)
            }
            other => laid_out(other),
        },
        Notation::PartialEntries { of, wrt } => {
            let mut below = Vec::with_capacity(3 * wrt.len());
            for (k, (text, at)) in wrt.iter().enumerate() {
                if k > 0 {
                    below.push(Piece::Thin);
                }
                below.extend([partial(), with_indices(name(text), at)]);
            }
            let sign = if wrt.len() > 1 { twice() } else { partial() };
            fraction(vec![sign, with_indices(name(&of.0), &of.1)], below)
        }
        Notation::Indexed(inner, at) => with_indices(in_base(inner), at),
        Notation::Delta(i, j) => with_indices(Piece::Letter('δ'), &[*i, *j]),
        Notation::SumOver(at, inner) => {
            Piece::Row(vec![with_indices(Piece::Plain('∑'), at), Piece::Thin, laid_out(inner)])
        }
        other => laid_out(other),
    }
}

fn partial() -> Piece {
    Piece::Plain('∂')
}

fn twice() -> Piece {
    raised(partial(), Piece::Digits("2".to_owned()))
}

fn fraction(above: Vec<Piece>, below: Vec<Piece>) -> Piece {
    Piece::Fraction(Box::new(Piece::Row(above)), Box::new(Piece::Row(below)))
}

fn vec(text: &str) -> Piece {
    laid_out(&Notation::Call { function: "vec", arguments: vec![Notation::Name(text.to_owned())], columns: false })
}

/// With indices behind those that a name has already: W₁ becomes (W₁)_ij.
fn with_indices(base: Piece, at: &[char]) -> Piece {
    if at.is_empty() {
        return base;
    }
    let letters = Piece::Row(at.iter().map(|&i| Piece::Letter(i)).collect());
    match base {
        Piece::Scripts { below: Some(_), .. } => {
            let inner = Box::new(base);
            let size = super::typeset::Size::Normal;
            indexed(Piece::Fenced { open: '(', inner, close: ')', size }, letters)
        }
        Piece::Scripts { base, below: None, above } => Piece::Scripts { base, below: Some(Box::new(letters)), above },
        Piece::Row(row) => {
            let inner = Box::new(Piece::Row(row));
            let size = super::typeset::Size::Normal;
            indexed(Piece::Fenced { open: '(', inner, close: ')', size }, letters)
        }
        base => indexed(base, letters),
    }
}

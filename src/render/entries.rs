//! The entries of a derivative as notation and as data: indices get letters, each term is a product of entries, deltas and a
//! sum in front. What the terms are is decided elsewhere.

use std::fmt::Write;

use super::build::{notation, product};
use super::json::quoted;
use super::notation::Notation;
use super::text::text;
use crate::answer::{Answer, Outcome};
use crate::expr::{Arena, ExprId, Op};
use crate::syntax::ast::AskKind;
use crate::tensor::index::{Entries, Factor, Index, Term, axes_of};

/// The letters of the axes and of summed indices.
const AXES: [char; 4] = ['i', 'j', 'k', 'l'];
const SUMMED: [char; 20] =
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x'];

/// The letter of an index; `None` for one too many.
fn letter(entries: &Entries, index: Index) -> Option<char> {
    let axes = entries.axes.len();
    if index < axes { AXES.get(index).copied() } else { SUMMED.get(index - axes).copied() }
}

fn letters(entries: &Entries, at: &[Index]) -> Option<Vec<char>> {
    at.iter().map(|&i| letter(entries, i)).collect()
}

/// ∂Y_ij/∂X_kl = Σ …: both sides of the index form; nothing where there is none.
pub fn entry_form(answer: &Answer, outcome: &Outcome) -> Option<(Notation, Notation)> {
    let arena = &answer.arena;
    let entries = &outcome.forms.as_ref()?.entries;
    let all: Vec<Index> = (0..entries.axes.len()).collect();
    let mut rest = letters(entries, &all)?.into_iter();
    let of_shape = match outcome.kind {
        AskKind::Hessian => None,
        _ => Some(arena.shape(outcome.of_node)),
    };
    let mut take = |shape| axes_of(shape).iter().filter_map(|_| rest.next()).collect::<Vec<char>>();
    let of = (arena.name_of(outcome.of_node), of_shape.map_or_else(Vec::new, &mut take));
    let mut leaves = outcome.wrt_nodes.clone();
    if outcome.kind == AskKind::Hessian && leaves.len() == 1 {
        leaves.push(leaves[0]);
    }
    let wrt = leaves.iter().map(|&leaf| (arena.name_of(leaf), take(arena.shape(leaf)))).collect();
    let terms: Option<Vec<(bool, Notation)>> = entries.terms.iter().map(|term| term_of(arena, entries, term)).collect();
    let mut terms = terms?;
    let right = match terms.len() {
        0 => Notation::Number(crate::number::Number::ZERO),
        1 if !terms[0].0 => terms.remove(0).1,
        _ => Notation::Sum(terms),
    };
    Some((Notation::PartialEntries { of, wrt }, right))
}

/// A term, and whether it is subtracted.
fn term_of(arena: &Arena, entries: &Entries, term: &Term) -> Option<(bool, Notation)> {
    let (minus, coefficient) = match notation(arena, term.coefficient) {
        Notation::Negative(inner) => (true, *inner),
        other => (false, other),
    };
    // What is divided by stands behind the entries.
    let (above, below) = match coefficient {
        Notation::Quotient(above, below) => (*above, Some(below)),
        other => (other, None),
    };
    let mut factors: Vec<Notation> = match above {
        Notation::Number(k) if k.is_one() => Vec::new(),
        // A scalar that is a chain of matrices keeps its brackets.
        Notation::Product(list) if !has_chain(arena, term.coefficient) => list,
        other => vec![other],
    };
    for &(i, j) in &term.deltas {
        factors.push(Notation::Delta(letter(entries, i)?, letter(entries, j)?));
    }
    for Factor { expr, at } in &term.factors {
        let (shown, at) = match (arena.op(*expr), at.as_slice()) {
            // A row's transpose is the same entry.
            (Op::Transpose(inner), [_]) => (*inner, at.clone()),
            (Op::Transpose(inner), [i, j]) => (*inner, vec![*j, *i]),
            _ => (*expr, at.clone()),
        };
        factors.push(Notation::Indexed(Box::new(notation(arena, shown)), letters(entries, &at)?));
    }
    if factors.is_empty() {
        factors.push(Notation::Number(crate::number::Number::ONE));
    }
    let mut whole = product(factors);
    if let Some(below) = below {
        whole = Notation::Quotient(Box::new(whole), below);
    }
    let summed: Vec<Index> = (0..term.summed.len()).map(|k| entries.axes.len() + k).collect();
    let summed = letters(entries, &summed)?;
    Some((minus, if summed.is_empty() { whole } else { Notation::SumOver(summed, Box::new(whole)) }))
}

/// Whether a scalar is a chain of matrices, or such a chain is a factor of it.
fn has_chain(arena: &Arena, scalar: ExprId) -> bool {
    match arena.op(arena.coefficient(scalar).1) {
        Op::Product { scalars, factors } => {
            !factors.is_empty()
                || scalars.iter().any(|&s| matches!(arena.op(s), Op::Product { factors, .. } if !factors.is_empty()))
        }
        _ => false,
    }
}

/// The terms as the list of the contract: coefficient, factors with their indices, deltas, output.
pub fn einsum(arena: &Arena, entries: &Entries) -> Option<String> {
    let all: Vec<Index> = (0..entries.axes.len()).collect();
    let output: String = letters(entries, &all)?.into_iter().collect();
    let mut out = String::from("[");
    for (place, term) in entries.terms.iter().enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        let coefficient = match arena.op(term.coefficient) {
            Op::Number(k) if k.as_integer().is_some() => text(&notation(arena, term.coefficient)),
            _ => quoted(&text(&notation(arena, term.coefficient))),
        };
        let _ = write!(out, "{{\"coefficient\": {coefficient}, \"factors\": [");
        let mut first = true;
        let mut factor = |expr: &str, at: &[Index]| -> Option<()> {
            let indices: String = letters(entries, at)?.into_iter().collect();
            if !std::mem::replace(&mut first, false) {
                out.push_str(", ");
            }
            let _ = write!(out, "{{\"expr\": {}, \"indices\": \"{indices}\"}}", quoted(expr));
            Some(())
        };
        for Factor { expr, at } in &term.factors {
            let shown = text(&notation(arena, *expr));
            if shown.contains('…') {
                return None;
            }
            factor(&shown, at)?;
        }
        for &(i, j) in &term.deltas {
            factor("delta", &[i, j])?;
        }
        for (axis, size) in unnamed_axes(entries, term) {
            factor(&format!("ones({})", arena.dimensions.text(size)), &[axis])?;
        }
        let _ = write!(out, "], \"output\": \"{output}\"}}");
    }
    out.push(']');
    Some(out)
}

/// The axes that stand in no factor and no delta of a term: along them it is constant.
fn unnamed_axes(entries: &Entries, term: &Term) -> Vec<(Index, crate::dimension::DimId)> {
    let named =
        |i: Index| term.factors.iter().any(|f| f.at.contains(&i)) || term.deltas.iter().any(|&(a, b)| a == i || b == i);
    entries.axes.iter().copied().enumerate().filter(|&(i, _)| !named(i)).collect()
}

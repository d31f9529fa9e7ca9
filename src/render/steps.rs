//! The lines of a derivation as notation: each an equation, a continued one with its left side put back.

use super::build::notation;
use super::notation::Notation;
use super::readers::{Reader, for_reader};
use crate::derivation::{Derivation, Left};
use crate::expr::{Arena, ExprId};
use crate::rules::RuleId;

/// A line with its rules.
#[derive(Clone, Debug)]
pub struct ShownStep {
    /// Which rules led here, the outermost first.
    pub rules: Vec<RuleId>,
    /// The left side; of a continued line that of the line it goes on from.
    pub left: Notation,
    /// The right side.
    pub right: Notation,
    /// Whether it goes on from the line before.
    pub continued: bool,
}

/// A left side that is no expression: a derivative as books write it.
pub fn left_side(arena: &Arena, left: &Left) -> Notation {
    let applied = |map: Notation, transposed: bool, to: ExprId| Notation::Applied {
        map: Box::new(map),
        transposed,
        to: Box::new(notation(arena, to)),
    };
    match left {
        Left::Continued => Notation::Name("dF".to_owned()),
        Left::Expression(id) | Left::Aside(id) => notation(arena, *id),
        Left::Gradient { of, wrt } => Notation::Partial(of.clone(), wrt.clone()),
        Left::Jacobian { of, wrt, stacked } => partial(of, wrt, *stacked),
        Left::Hessian { of, wrt: [x, y], stacked } => second_partial(of, x, y, *stacked),
        Left::Along { of, wrt, moves } => {
            let of = arena.name_of(*of);
            let map = |leaf: ExprId| match wrt {
                Some(wrt) => Notation::SecondPartial(of.clone(), arena.name_of(*wrt), arena.name_of(leaf)),
                None => Notation::Partial(of.clone(), arena.name_of(leaf)),
            };
            match (moves.as_slice(), wrt) {
                (&[_, _, ..], Some(wrt)) => {
                    Notation::DifferentialOf(Box::new(Notation::Partial(of.clone(), arena.name_of(*wrt))))
                }
                (&[(leaf, to)], _) => applied(map(leaf), false, to),
                (list, _) => {
                    Notation::Sum(list.iter().map(|&(leaf, to)| (false, applied(map(leaf), false, to))).collect())
                }
            }
        }
        Left::Against { of, wrt, cotangent } => {
            applied(Notation::Partial(arena.name_of(*of), arena.name_of(*wrt)), true, *cotangent)
        }
    }
}

/// The steps of a derivation in order; a line that reads as the one before it is left out.
pub fn shown_steps(arena: &Arena, derivation: &Derivation) -> Vec<ShownStep> {
    let mut out: Vec<ShownStep> = Vec::with_capacity(derivation.steps.len());
    // The left side of the chain, and its last right side as it is read.
    let mut chain = Notation::Name("dF".to_owned());
    let mut last: Option<Notation> = None;
    for step in &derivation.steps {
        let right = notation(arena, step.right);
        let rules = step.rules.clone();
        let (left, continued) = match &step.left {
            Left::Continued => (chain.clone(), out.last().is_some_and(|last| last.left == chain)),
            Left::Aside(id) => {
                out.push(ShownStep { rules, left: notation(arena, *id), right, continued: false });
                continue;
            }
            Left::Expression(id) => (notation(arena, *id), false),
            left => (left_side(arena, left), false),
        };
        let read = for_reader(&right, Reader::Page);
        let repeated = match step.left {
            Left::Continued => last.as_ref() == Some(&read),
            _ => for_reader(&left, Reader::Page) == read,
        };
        chain = left.clone();
        if !repeated {
            last = Some(read);
            out.push(ShownStep { rules, left, right, continued });
        }
    }
    out
}

/// ∂Y/∂X, or ∂vec(Y)/∂vec(X).
pub fn partial(of: &str, wrt: &str, stacked: bool) -> Notation {
    let plain = Notation::Partial(of.to_owned(), wrt.to_owned());
    if stacked { Notation::Stacked(Box::new(plain)) } else { plain }
}

/// ∂²F/∂X∂Y, or ∂²F/∂vec(X)∂vec(Y).
pub fn second_partial(of: &str, x: &str, y: &str, stacked: bool) -> Notation {
    let plain = Notation::SecondPartial(of.to_owned(), x.to_owned(), y.to_owned());
    if stacked { Notation::Stacked(Box::new(plain)) } else { plain }
}

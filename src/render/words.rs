//! The sentences around formulas, the same in every format: the title of a request, and what its signs mean.

use super::notation::Notation;
use super::page::{Page, Request};
use super::readers::{Reader, for_reader};
use super::statement::Inline;
use crate::syntax::ast::AskKind;

/// The title of a request: `Gradient of L with respect to W1 and b1`.
pub fn title(request: &Request) -> Vec<Inline> {
    let kind = match request.kind {
        AskKind::Gradient if request.wrt.len() > 1 => "Gradients of ",
        AskKind::Gradient => "Gradient of ",
        AskKind::Jacobian | AskKind::JacobianAlong | AskKind::JacobianAgainst => "Jacobian of ",
        AskKind::Hessian | AskKind::HessianAlong => "Hessian of ",
        AskKind::Differential => "Differential of ",
    };
    let mut out = vec![Inline::Prose(kind.to_owned()), Inline::Formula(request.of.clone())];
    if request.kind == AskKind::Differential {
        return out;
    }
    for (i, name) in request.wrt.iter().enumerate() {
        let before = match i {
            0 => " with respect to ",
            _ if i + 1 == request.wrt.len() => " and ",
            _ => ", ",
        };
        out.push(Inline::Prose(before.to_owned()));
        out.push(Inline::Formula(name.clone()));
    }
    let word = if request.kind == AskKind::JacobianAgainst { " against " } else { " along " };
    for (i, direction) in request.directions.iter().enumerate() {
        let before = match i {
            0 => word,
            _ if i + 1 == request.directions.len() => " and ",
            _ => ", ",
        };
        out.push(Inline::Prose(before.to_owned()));
        out.push(Inline::Formula(direction.clone()));
    }
    out
}

/// A sign that a page explains.
#[derive(Clone, Debug, PartialEq)]
pub enum Mention {
    /// 1_N, by the name of one of its sizes.
    Ones(String),
    /// ⊙ or ⊘.
    Hadamard,
    /// A comparison as 1 or 0: the first one on the page.
    Indicator(Notation),
    /// A part left out.
    Elided,
}

/// The signs of a page that want a word.
pub fn legend(page: &Page) -> Vec<Mention> {
    let mut found: [Option<Mention>; 4] = [const { None }; 4];
    for formula in formulas(page) {
        let formula = for_reader(formula, Reader::Book);
        let mut stack = vec![&formula];
        while let Some(part) = stack.pop() {
            let mention = match part {
                Notation::Ones(n, None) => match &**n {
                    Notation::Name(name) => Some((0, Mention::Ones(name.clone()))),
                    _ => None,
                },
                Notation::Hadamard(_) | Notation::HadamardQuotient(..) => Some((1, Mention::Hadamard)),
                Notation::Compare(..) => Some((2, Mention::Indicator(part.clone()))),
                Notation::Elided => Some((3, Mention::Elided)),
                _ => None,
            };
            if let Some((place, mention)) = mention {
                found[place].get_or_insert(mention);
            }
            part.each(&mut |inner| stack.push(inner));
        }
    }
    found.into_iter().flatten().collect()
}

/// All formulas of a page.
fn formulas(page: &Page) -> Vec<&Notation> {
    let mut out: Vec<&Notation> = page.definitions.iter().map(|(_, body)| body).collect();
    for request in &page.requests {
        out.extend(&request.meaning);
        for chain in request.waypoints.iter().flat_map(|part| &part.chains) {
            out.push(&chain.left);
            out.extend(chain.lines.iter().map(|line| &line.right));
        }
        for shown in &request.results {
            out.push(&shown.right);
            out.extend(&shown.whole);
        }
    }
    out
}

//! What a compiled function gives: which results of a program, under which keys, in which shapes. Names that a user asks for
//! come in, roots of the program's expressions go out.

use std::ops::Range;

use matgrad::answer::{Answer, Outcome};
use matgrad::dimension::{DimId, Shape};
use matgrad::expr::{ExprId, Op};
use matgrad::syntax::ast::AskKind;
use matgrad::tensor::contract;

/// A value that a function gives.
#[derive(Clone, Debug)]
pub struct Output {
    /// `L`, `grad(L,W1)`
    pub key: String,
    /// What is computed for it, places in the list of all roots.
    pub roots: Range<usize>,
    /// Rows and columns, of a tensor with more axes those of its matrix.
    pub shape: Shape,
    /// Whether it is one number.
    pub is_scalar: bool,
    /// Whether it is a column or a row.
    pub is_vector: bool,
    /// The variable whose form it takes.
    pub like: Option<usize>,
    /// The outcome whose dense tensor it is, with the dimensions of its axes.
    pub tensor: Option<(usize, Vec<DimId>)>,
}

/// The outputs of those names, or where there are none those that are asked for with the values that they are derivatives of;
/// and all roots.
///
/// # Errors
/// A name that the program does not have, with those it has.
pub fn outputs(answer: &Answer, names: Option<&[String]>) -> Result<(Vec<Output>, Vec<ExprId>), String> {
    let all = candidates(answer);
    let chosen: Vec<Candidate> = match names {
        None => all.into_iter().filter(|candidate| candidate.is_default).collect(),
        Some(names) => {
            let mut chosen: Vec<Candidate> = Vec::with_capacity(names.len());
            for name in names {
                let plain = |text: &str| text.replace(' ', "");
                let Some(found) = all.iter().find(|candidate| plain(&candidate.key) == plain(name)) else {
                    let known: Vec<&str> = all.iter().map(|candidate| candidate.key.as_str()).collect();
                    return Err(format!("the program has no result `{name}`; it has {}", known.join(", ")));
                };
                if chosen.iter().all(|known| known.key != found.key) {
                    chosen.push(found.clone());
                }
            }
            chosen
        }
    };
    let (mut outputs, mut roots) = (Vec::with_capacity(chosen.len()), Vec::new());
    for candidate in chosen {
        let start = roots.len();
        let entries =
            candidate.outcome.and_then(|place| answer.outcomes[place].forms.as_ref()).map(|forms| &forms.entries);
        match entries {
            Some(entries) => roots.extend(contract::roots(entries)),
            None => roots.push(candidate.root),
        }
        let shape = answer.arena.shape(candidate.root);
        outputs.push(Output {
            key: candidate.key,
            roots: start..roots.len(),
            shape,
            is_scalar: shape.is_scalar() && entries.is_none_or(|entries| entries.axes.is_empty()),
            is_vector: shape.is_column() || shape.is_row(),
            like: candidate.like,
            tensor: entries.zip(candidate.outcome).map(|(entries, place)| (place, entries.axes.clone())),
        });
    }
    Ok((outputs, roots))
}

#[derive(Clone)]
struct Candidate {
    key: String,
    root: ExprId,
    like: Option<usize>,
    outcome: Option<usize>,
    is_default: bool,
}

/// The values of what is differentiated, the derivatives, then the definitions; each key once.
fn candidates(answer: &Answer) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    let mut add = |candidate: Candidate| {
        if out.iter().all(|known| known.key != candidate.key) {
            out.push(candidate);
        }
    };
    for (place, outcome) in answer.outcomes.iter().enumerate() {
        let of = outcome.of.split_whitespace().collect::<Vec<_>>().join(" ");
        add(Candidate { key: of, root: outcome.of_node, like: None, outcome: None, is_default: true });
        let (key, like) = (outcome.key(), like(answer, outcome));
        add(Candidate { key, root: outcome.result, like, outcome: Some(place), is_default: true });
    }
    let none_asked = answer.outcomes.is_empty();
    for (definition, &root) in answer.typed.definitions.iter().zip(&answer.definitions) {
        add(Candidate { key: definition.name.clone(), root, like: None, outcome: None, is_default: none_asked });
    }
    out
}

/// The variable that a derivative has the shape of.
fn like(answer: &Answer, outcome: &Outcome) -> Option<usize> {
    match (outcome.kind, outcome.wrt_nodes.as_slice()) {
        (AskKind::Gradient | AskKind::JacobianAgainst, &[wrt]) | (AskKind::HessianAlong, &[wrt, ..]) => {
            match answer.arena.op(wrt) {
                Op::Variable(v) => Some(v.0 as usize),
                _ => None,
            }
        }
        _ => None,
    }
}

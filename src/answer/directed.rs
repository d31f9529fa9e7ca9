//! Derivatives along directions and against a matrix: `hessian F wrt X along V`, `jacobian Y wrt X along V` and
//! `jacobian Y wrt X against U`. A request with its nodes comes in, outcomes go out; no Hessian and no Jacobian is formed.

use super::{Asked, LARGEST_VALUE, Names, Outcome, present_value, program_of, taken_name_of_differential};
use crate::calculus::NotCovered;
use crate::calculus::along::{Along, Moved, along, structured};
use crate::calculus::gradient::{Gradient, conclude, gradients_against, write_out_adjoints};
use crate::derivation::{Derivation, Detail, Left, Step};
use crate::dimension::Shape;
use crate::elaborate::Property;
use crate::expr::substitute::tree_size;
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::rules;
use crate::syntax::ast::AskKind;

/// A name that moves, and along what.
#[derive(Clone, Debug)]
pub struct Move {
    /// The variable or definition.
    pub leaf: ExprId,
    /// Its name.
    pub name: String,
    /// The direction as it was asked for.
    pub asked: ExprId,
    /// The direction with the structure of what moves.
    pub direction: ExprId,
    /// As typed.
    pub text: String,
}

/// Along or against what an outcome is taken.
#[derive(Clone, Debug, Default)]
pub enum Direction {
    /// The derivative itself.
    #[default]
    None,
    /// The derivative applied to directions.
    Along {
        /// What moves.
        moves: Vec<Move>,
        /// Of a second derivative the gradient that was differentiated.
        gradient: Option<FirstHalf>,
    },
    /// The transposed Jacobian applied to a matrix of Y's shape.
    Against {
        /// The matrix.
        cotangent: ExprId,
        /// As typed.
        text: String,
    },
}

impl Direction {
    /// ` along U, V`, ` against U`, or nothing: what stands behind the names of a request.
    pub fn in_words(&self) -> String {
        match self {
            Direction::None => String::new(),
            Direction::Along { moves, .. } => {
                let texts: Vec<&str> = moves.iter().map(|moved| moved.text.as_str()).collect();
                format!(" along {}", texts.join(", "))
            }
            Direction::Against { text, .. } => format!(" against {text}"),
        }
    }
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The gradient on the way to a second derivative.
#[derive(Clone, Copy, Debug)]
pub struct FirstHalf {
    /// The name it has in the second half.
    pub named: ExprId,
    /// As it is shown.
    pub result: ExprId,
    /// How many steps of the derivation lead to it.
    pub steps: usize,
}

impl Outcome {
    /// The left side of the result of a derivative along or against something.
    pub fn directed_left(&self) -> Option<Left> {
        let of = self.of_node;
        match &self.direction {
            Direction::None => None,
            Direction::Along { moves, gradient } => Some(Left::Along {
                of,
                wrt: gradient.map(|_| self.wrt_nodes[0]),
                moves: moves.iter().map(|moved| (moved.leaf, moved.asked)).collect(),
            }),
            Direction::Against { cotangent, .. } => {
                Some(Left::Against { of, wrt: self.wrt_nodes[0], cotangent: *cotangent })
            }
        }
    }

    /// How many steps of the derivation lead to a gradient that is differentiated further on.
    pub fn steps_of_gradient(&self) -> usize {
        match &self.direction {
            Direction::Along { gradient: Some(half), .. } => half.steps,
            _ => 0,
        }
    }

    /// The steps of both halves up to a level of detail.
    pub(super) fn keep_steps(&mut self, detail: Detail, fits: &dyn Fn(ExprId) -> bool) {
        let half = match &mut self.direction {
            Direction::Along { gradient: Some(half), .. } => half,
            _ => {
                self.derivation = self.derivation.up_to(detail, fits);
                return;
            }
        };
        let second = Derivation { steps: self.derivation.steps.split_off(half.steps) };
        self.derivation = self.derivation.up_to(detail, fits);
        half.steps = self.derivation.steps.len();
        self.derivation.steps.extend(second.up_to(detail, fits).steps);
    }
}

/// The directions of a request with the structure of what moves in them.
fn moves(arena: &mut Arena, leaves: &[ExprId], asked: &Asked<'_>) -> Vec<Move> {
    let directions = leaves.iter().zip(asked.directions).zip(asked.direction_texts);
    let list = directions.map(|((&leaf, &direction), text)| Move {
        leaf,
        name: arena.name_of(leaf),
        asked: direction,
        direction: structured(arena, leaf, direction),
        text: on_one_line(text),
    });
    list.collect()
}

fn moved(moves: &[Move]) -> Vec<Moved> {
    moves.iter().map(|m| Moved { leaf: m.leaf, direction: m.direction }).collect()
}

/// The Hessian times directions: the derivative of the gradient along them.
pub(super) fn hessian_along(
    arena: &mut Arena,
    asked: &Asked<'_>,
    names: &mut Names,
) -> Result<Vec<Outcome>, NotCovered> {
    let (of, log) = (asked.node, asked.log);
    let block = asked.wrt.len() == 2 && asked.directions.len() == 1;
    let (by, moving) = if block { asked.wrt.split_at(1) } else { (asked.wrt, asked.wrt) };
    are_independent(arena, asked.wrt)?;
    let one = arena.integer(1);
    let hidden: Vec<ExprId> = asked.wrt.iter().copied().filter(|&x| matches!(arena.op(x), Op::Named(_))).collect();
    let sweep = gradients_against(arena, of, one, by, &hidden, log)?;
    let mut sweep_steps = sweep.derivation.steps;
    let moves = moves(arena, moving, asked);
    let mut halves = Vec::with_capacity(by.len());
    for gradient in &sweep.gradients {
        // For reading a definition stands where its expression does; not where the two move apart.
        let result = match hidden.is_empty() {
            true => names.presenter.present(arena, gradient.named),
            false => gradient.named,
        };
        let mut steps = std::mem::take(&mut sweep_steps);
        if log {
            let shown = Gradient { named: result, ..gradient.clone() };
            conclude(arena, &arena.name_of(of), &shown, &mut steps);
        }
        let name = arena.unused_name(&format!("G_{}", arena.name_of(gradient.wrt)));
        let body = super::higher::to_differentiate(arena, gradient.named, result);
        let named = arena.name(name, body, NameKind::Adjoint);
        halves.push((gradient, FirstHalf { named, result, steps: steps.len() }, steps));
    }
    let roots: Vec<ExprId> = halves.iter().map(|(_, half, _)| half.named).collect();
    let derivatives = along(arena, &roots, &moved(&moves), log)?;
    let mut out = Vec::with_capacity(by.len());
    for ((gradient, half, mut steps), derivative) in halves.into_iter().zip(derivatives) {
        let leaf = gradient.wrt;
        let wrt_nodes = if block { asked.wrt.to_vec() } else { vec![leaf] };
        let mut notes: Vec<String> = Vec::new();
        for &kink in gradient.kinks.iter().chain(&derivative.kinks) {
            if !notes.iter().any(|note| note == kink) {
                notes.push(kink.to_owned());
            }
        }
        let steps_of_second = derivative.steps.clone();
        steps.extend(steps_of_second);
        let direction = Direction::Along { moves: moves.clone(), gradient: Some(half) };
        let mut all = wrt_nodes.clone();
        all.extend(moves.iter().map(|m| m.leaf).filter(|m| !wrt_nodes.contains(m)));
        notes.extend(notes_of_names(arena, &all));
        if arena.is_zero(derivative.value) {
            let list: Vec<String> = moves.iter().map(|m| arena.name_of(m.leaf)).collect();
            let (of, leaf, list) = (arena.name_of(of), arena.name_of(leaf), list.join(" and "));
            notes.push(format!("the gradient of {of} by {leaf} does not change where {list} moves"));
        }
        notes.extend(notes_of_structure(arena, &moves, Some(leaf)));
        let program_name = format!("H_{}", arena.name_of(leaf));
        let shape = arena.shape(leaf);
        let kind = AskKind::HessianAlong;
        let made = Made { kind, wrt_nodes, direction, shape, notes, steps, program_name };
        out.push(finish(arena, asked, made, &derivative, names));
    }
    Ok(out)
}

/// A Jacobian times directions: the differential with each dX put to its direction.
pub(super) fn jacobian_along(
    arena: &mut Arena,
    asked: &Asked<'_>,
    names: &mut Names,
) -> Result<Vec<Outcome>, NotCovered> {
    let of = asked.node;
    let moves = moves(arena, asked.wrt, asked);
    let derivative = if asked.wrt.contains(&of) {
        // Y by itself.
        let value = moves.iter().find(|m| m.leaf == of).map_or(of, |m| m.direction);
        Along { value, kinks: Vec::new(), steps: Vec::new() }
    } else {
        let mut list = along(arena, &[of], &moved(&moves), asked.log)?;
        list.swap_remove(0)
    };
    let mut notes: Vec<String> = derivative.kinks.iter().map(|&kink| kink.to_owned()).collect();
    notes.extend(notes_of_names(arena, asked.wrt));
    if arena.is_zero(derivative.value) {
        let list: Vec<String> = asked.wrt.iter().map(|&leaf| arena.name_of(leaf)).collect();
        notes.push(format!("{} does not change where {} moves", arena.name_of(of), list.join(" and ")));
    }
    notes.extend(notes_of_structure(arena, &moves, None));
    let made = Made {
        kind: AskKind::JacobianAlong,
        wrt_nodes: asked.wrt.to_vec(),
        direction: Direction::Along { moves, gradient: None },
        shape: arena.shape(of),
        notes,
        steps: derivative.steps.clone(),
        program_name: format!("J_{}", arena.name_of(of)),
    };
    Ok(vec![finish(arena, asked, made, &derivative, names)])
}

/// A transposed Jacobian times a matrix: the gradients of ⟨U, Y⟩ with U standing still.
pub(super) fn jacobian_against(
    arena: &mut Arena,
    asked: &Asked<'_>,
    names: &mut Names,
) -> Result<Vec<Outcome>, NotCovered> {
    let of = asked.node;
    let cotangent = asked.directions[0];
    let sweep = gradients_against(arena, of, cotangent, asked.wrt, &[], asked.log)?;
    let mut steps = sweep.derivation.steps;
    let mut out = Vec::with_capacity(asked.wrt.len());
    for gradient in &sweep.gradients {
        let leaf = gradient.wrt;
        let name = arena.name_of(leaf);
        let mut notes: Vec<String> = gradient.kinks.iter().map(|&kink| kink.to_owned()).collect();
        notes.extend(notes_of_names(arena, &[leaf]));
        if gradient.uses == 0 {
            notes.push(format!("{} does not depend on {name}", arena.name_of(of)));
        }
        notes.extend(notes_of_structure(arena, &[], Some(leaf)));
        let result = Along { value: gradient.named, kinks: Vec::new(), steps: Vec::new() };
        let made = Made {
            kind: AskKind::JacobianAgainst,
            wrt_nodes: vec![leaf],
            direction: Direction::Against { cotangent, text: on_one_line(&asked.direction_texts[0]) },
            shape: arena.shape(leaf),
            notes,
            steps: std::mem::take(&mut steps),
            program_name: format!("U_{name}"),
        };
        out.push(finish(arena, asked, made, &result, names));
    }
    Ok(out)
}

/// What an outcome is made of.
struct Made {
    kind: AskKind,
    wrt_nodes: Vec<ExprId>,
    direction: Direction,
    shape: Shape,
    notes: Vec<String>,
    steps: Vec<Step>,
    program_name: String,
}

fn finish(arena: &mut Arena, asked: &Asked<'_>, made: Made, derivative: &Along, names: &mut Names) -> Outcome {
    let result = names.presenter.present(arena, derivative.value);
    let written = (tree_size(arena, derivative.value, 4 * LARGEST_VALUE) <= 4 * LARGEST_VALUE)
        .then(|| write_out_adjoints(arena, derivative.value, &mut Default::default()));
    let value = written.and_then(|value| present_value(arena, value, names));
    let program = program_of(arena, made.program_name, result, names);
    let mut outcome = Outcome {
        kind: made.kind,
        of: asked.text.to_owned(),
        wrt: made.wrt_nodes.iter().map(|&x| arena.name_of(x)).collect(),
        wrt_nodes: made.wrt_nodes,
        direction: made.direction,
        of_node: asked.node,
        shape: vec![made.shape.rows, made.shape.columns],
        value,
        result,
        program,
        notes: made.notes,
        derivation: Derivation { steps: made.steps },
        forms: None,
    };
    if let (true, Some(left)) = (asked.log, outcome.directed_left()) {
        let rules = vec![if made.kind == AskKind::JacobianAgainst { rules::AGAINST } else { rules::ALONG }];
        outcome.derivation.steps.push(Step { rules, left, right: result, detail: Detail::Brief });
    }
    outcome
}

/// A block of a Hessian needs names that move apart from each other.
fn are_independent(arena: &Arena, wrt: &[ExprId]) -> Result<(), NotCovered> {
    for &leaf in wrt {
        let Op::Named(name) = arena.op(leaf) else { continue };
        let below = arena.reachable(&[arena.named(*name).body]);
        if let Some(other) = wrt.iter().find(|&&other| other != leaf && below.binary_search(&other).is_ok()) {
            let (leaf, other) = (arena.name_of(leaf), arena.name_of(*other));
            let message =
                format!("`{leaf}` depends on `{other}`, so they have no block of a Hessian: ask for one of them");
            return Err(NotCovered { message });
        }
    }
    Ok(())
}

fn notes_of_names(arena: &Arena, leaves: &[ExprId]) -> Vec<String> {
    let mut out = Vec::new();
    for &leaf in leaves {
        if let Some(d) = taken_name_of_differential(arena, leaf) {
            let note = format!("in the steps {d} is the differential of {}", arena.name_of(leaf));
            if !out.contains(&note) {
                out.push(note);
            }
        }
    }
    out
}

/// How structured variables entered.
fn notes_of_structure(arena: &Arena, moves: &[Move], result: Option<ExprId>) -> Vec<String> {
    let part = |leaf: ExprId| {
        let of = arena.properties(leaf);
        match () {
            () if arena.shape(leaf).is_scalar() || !matches!(arena.op(leaf), Op::Variable(_)) => None,
            () if of.has(Property::Diagonal) => Some("diagonal"),
            () if of.has(Property::Symmetric) => Some("symmetric part"),
            () if of.has(Property::Skew) => Some("skew part"),
            () => None,
        }
    };
    let mut out = Vec::new();
    for moved in moves.iter().filter(|m| m.asked != m.direction) {
        let name = arena.name_of(moved.leaf);
        if arena.properties(moved.leaf).has(Property::Constant) {
            out.push(format!("{name} is constant: it does not move along {}", moved.text));
        } else if let Some(part) = part(moved.leaf) {
            out.push(format!("{name} is structured: it moves along the {part} of {}", moved.text));
        }
    }
    if let Some((leaf, part)) = result.and_then(|leaf| Some((leaf, part(leaf)?))) {
        out.push(format!("{} is structured: the result is the {part} of the unconstrained one", arena.name_of(leaf)));
    }
    out
}

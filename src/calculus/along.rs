//! Derivatives along a direction: roots and the leaves that move, each with its direction, come in; dF with every dX put
//! to its direction goes out, definition by definition, so that the size of the result is that of the program. Of a gradient
//! this is the Hessian times the direction, and no Hessian is formed. A direction itself is never differentiated.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::NotCovered;
use super::differential::{Differentials, differential};
use super::gradient::{kink, project, rules_of};
use super::names::Names;
use crate::derivation::{Detail, Left, Step};
use crate::elaborate::Property;
use crate::expr::substitute::{local_nodes, substitute, tree_size};
use crate::expr::{Arena, ExprId, NameKind, Op};
use crate::rules;

/// A derivative that is used once gets a name from this size on, one that is used more often from the next.
const LONGEST_UNNAMED: usize = 30;
const SHORTEST_NAMED: usize = 4;

/// A leaf and the direction it moves in.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// A variable, or a definition that counts as independent.
    pub leaf: ExprId,
    /// Of its shape and of its structure.
    pub direction: ExprId,
}

/// The derivative of a root along the directions.
#[derive(Clone, Debug)]
pub struct Along {
    /// With derivatives of definitions by name.
    pub value: ExprId,
    /// Where a function has no derivative and a usual value was taken.
    pub kinks: Vec<&'static str>,
    /// The lines that lead here and that no earlier root has shown.
    pub steps: Vec<Step>,
}

/// A direction with its variable's structure: that of the unconstrained entries, projected.
pub fn structured(arena: &mut Arena, leaf: ExprId, direction: ExprId) -> ExprId {
    if arena.properties(leaf).has(Property::Constant) {
        let shape = arena.shape(leaf);
        return arena.zeros(shape);
    }
    project(arena, leaf, direction).0
}

/// A name on the way from the leaves to the roots, with its differential.
struct Waypoint {
    id: ExprId,
    d: ExprId,
    parts: Differentials,
}

/// The derivatives of the roots along the directions.
pub fn along(arena: &mut Arena, roots: &[ExprId], moves: &[Moved], log: bool) -> Result<Vec<Along>, NotCovered> {
    let leaves: Vec<ExprId> = moves.iter().map(|moved| moved.leaf).collect();
    let mut definitions = Names::hiding(&leaves);
    let (waypoints, still) = waypoints(arena, roots, &leaves, &mut definitions)?;
    let mut uses: HashMap<ExprId, usize> = HashMap::default();
    for waypoint in &waypoints {
        // As often as it is read, not as often as it is stored.
        let mut times: HashMap<ExprId, usize> = HashMap::from_iter([(waypoint.d, 1)]);
        for id in local_nodes(arena, waypoint.d).into_iter().rev() {
            let own = times[&id];
            if let Op::Differential(leaf) = *arena.op(id) {
                let known = uses.entry(leaf).or_insert(0);
                *known = known.saturating_add(own);
            }
            arena.operands(id, |a| {
                let known = times.entry(a).or_insert(0);
                *known = known.saturating_add(own);
            });
        }
    }
    let mut known: HashMap<ExprId, ExprId> = still;
    for moved in moves {
        let dx = arena.differential_of(moved.leaf);
        known.insert(dx, moved.direction);
    }
    let mut kinks: HashMap<ExprId, Vec<&'static str>> = HashMap::default();
    let mut steps: Vec<Step> = Vec::new();
    for waypoint in &waypoints {
        let Waypoint { id, d, parts } = waypoint;
        carry_kinks(arena, *id, parts, &mut kinks);
        let now = known.clone();
        let full = substitute(arena, *d, &mut HashMap::default(), &|_, node| now.get(&node).copied());
        let full = definitions.put_into(arena, full);
        let dz = arena.differential_of(*id);
        let times = uses.get(id).copied().unwrap_or(0);
        let named = match worth_a_name(arena, full, times) && !roots.contains(id) {
            true => {
                let name = arena.unused_name(&format!("D_{}", arena.name_of(*id)));
                Some(arena.name(name, full, NameKind::Directional))
            }
            false => None,
        };
        if log {
            line(arena, waypoint, dz, named, full, &mut steps);
        }
        known.insert(dz, named.unwrap_or(full));
    }
    let mut out = Vec::with_capacity(roots.len());
    for &root in roots {
        let dz = arena.differential_of(root);
        let value = match known.get(&dz) {
            Some(&value) => value,
            None => {
                let shape = arena.shape(root);
                arena.zeros(shape)
            }
        };
        let kinks = kinks.remove(&root).unwrap_or_default();
        out.push(Along { value, kinks, steps: std::mem::take(&mut steps) });
    }
    Ok(out)
}

/// The names that move, in order of evaluation, with their differentials; and the differentials of those that stand still
/// although what they read moves (a step does).
fn waypoints(
    arena: &mut Arena,
    roots: &[ExprId],
    leaves: &[ExprId],
    definitions: &mut Names,
) -> Result<(Vec<Waypoint>, HashMap<ExprId, ExprId>), NotCovered> {
    let mut moving: HashSet<ExprId> = leaves.iter().copied().collect();
    moving.retain(|&leaf| !arena.properties(leaf).has(Property::Constant));
    let mut out = Vec::new();
    let mut still = HashMap::default();
    let names = arena.reachable(roots).into_iter().filter(|&id| matches!(arena.op(id), Op::Named(_)));
    for id in names.collect::<Vec<_>>() {
        if leaves.contains(&id) {
            continue;
        }
        let Op::Named(name) = *arena.op(id) else { continue };
        let body = arena.named(name).body;
        if !local_nodes(arena, body).iter().any(|leaf| moving.contains(leaf)) {
            continue;
        }
        let (d, parts) = differential(arena, body, &|leaf| moving.contains(&leaf))?;
        match d {
            Some(d) => {
                moving.insert(id);
                let d = definitions.put_into(arena, d);
                out.push(Waypoint { id, d, parts });
            }
            None => {
                let (zeros, dz) = (arena.zeros(arena.shape(id)), arena.differential_of(id));
                still.insert(dz, zeros);
            }
        }
    }
    Ok((out, still))
}

fn worth_a_name(arena: &Arena, d: ExprId, uses: usize) -> bool {
    let least = if uses > 1 { SHORTEST_NAMED } else { LONGEST_UNNAMED };
    tree_size(arena, d, least) > least
}

/// `D_Z = dZ = dX*W = V*W`, or `dZ = dX*W = V*W` where the derivative gets no name.
fn line(arena: &Arena, waypoint: &Waypoint, dz: ExprId, named: Option<ExprId>, full: ExprId, steps: &mut Vec<Step>) {
    let mut left = Left::Expression(dz);
    if let Some(named) = named {
        let rules = vec![rules::DIRECTIONAL];
        steps.push(Step { rules, left: Left::Expression(named), right: dz, detail: Detail::Brief });
        left = Left::Continued;
    }
    let rules = rules_of(arena, &waypoint.parts);
    steps.push(Step { rules, left, right: waypoint.d, detail: Detail::Brief });
    if full != waypoint.d {
        let rules = vec![rules::ALONG];
        steps.push(Step { rules, left: Left::Continued, right: full, detail: Detail::Brief });
    }
}

/// The notes of a name: those of what moves in its expression.
fn carry_kinks(arena: &Arena, id: ExprId, parts: &Differentials, carried: &mut HashMap<ExprId, Vec<&'static str>>) {
    let mut notes: Vec<&'static str> = Vec::new();
    for &node in &parts.order {
        let inherited = carried.get(&node).cloned().unwrap_or_default();
        for note in kink(arena, node).into_iter().chain(inherited) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    carried.insert(id, notes);
}

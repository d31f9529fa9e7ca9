//! What moves in a chain: the names whose d stands in it, with all their entries and members.

use super::judge::Surroundings;
use super::scope::Scope;
use crate::document::formula::{Formula, Kind};
use crate::elaborate::Property;

/// The name of which d moves all or some entries: `X` of `dX`, `dX_i`, `dx_{ij}`.
pub fn moved_name(inner: &Formula) -> Option<&str> {
    match &inner.kind {
        Kind::Name(name) => Some(name),
        Kind::Entry { of, .. } => of.as_name(),
        Kind::Transpose(inner) => match &inner.kind {
            Kind::Entry { of, .. } => of.as_name(),
            _ => None,
        },
        _ => None,
    }
}

/// Why it is not told what moves: one member or entry alone, without a sum.
fn unsummed(scope: &Scope, parts: &[&Formula]) -> Option<String> {
    let known = parts.first()?.free_indices();
    parts.iter().skip(1).find_map(|part| {
        let open: Vec<String> = part.free_indices().into_iter().filter(|index| !known.contains(index)).collect();
        let mut why = None;
        part.visit(&mut |part| {
            let Kind::Differential(inner) = &part.kind else { return };
            let Some(name) = moved_name(inner).filter(|_| inner.as_name().is_none()) else { return };
            let alone = inner.free_indices().into_iter().find(|index| open.contains(index));
            if let Some(index) = alone {
                why = Some(format!("a part of d{name} without a sum: write the sum over {index}"));
            } else if scope.families.contains_key(name) && inner.free_indices().is_empty() {
                why = Some(format!("one member of d{name} moves alone: write the sum over all"));
            }
        });
        why
    })
}

/// The names that move in a chain: those whose d stands in it and that depend on no other such name.
pub fn moving(scope: &Scope, parts: &[&Formula], around: &Surroundings) -> Result<Vec<String>, String> {
    let mut explicit: Vec<String> = Vec::new();
    let mut on_the_right: Vec<String> = Vec::new();
    let mut inside: Vec<String> = Vec::new();
    for (k, part) in parts.iter().enumerate() {
        part.visit(&mut |formula| {
            let Kind::Differential(inner) = &formula.kind else { return };
            match moved_name(inner) {
                Some(name) => {
                    explicit.push(name.to_owned());
                    if k > 0 {
                        on_the_right.push(name.to_owned());
                    }
                }
                None => inside.extend(inner.names().iter().map(|name| (*name).to_owned())),
            }
        });
    }
    if let Some(why) = unsummed(scope, parts) {
        return Err(why);
    }
    let constant = |name: &String| scope.variables.get(name).is_some_and(|v| v.properties.has(Property::Constant));
    let known = |name: &String| scope.form_of(name).is_some();
    if explicit.is_empty() && inside.is_empty() {
        return Ok(Vec::new());
    }
    let all_below = |names: &[String]| -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for name in names {
            for below in scope.below(name) {
                if scope.variables.contains_key(&below)
                    && !scope.definitions.contains_key(&below)
                    && !constant(&below)
                    && !out.contains(&below)
                {
                    out.push(below);
                }
            }
        }
        out
    };
    if on_the_right.is_empty() {
        // Nothing says what moves: all that moves elsewhere, or else all.
        let all = all_below(&[explicit, inside].concat());
        let named = |name: &&String| around.differentials.contains(*name) || around.variables.contains(*name);
        let elsewhere: Vec<String> = all.iter().filter(named).cloned().collect();
        return Ok(if elsewhere.is_empty() { all } else { elsewhere });
    }
    explicit.sort_unstable();
    explicit.dedup();
    let minimal: Vec<String> = explicit
        .iter()
        .filter(|name| {
            let below = scope.below(name);
            known(name) && !explicit.iter().any(|other| other != *name && below.contains(other))
        })
        .cloned()
        .collect();
    // A head that depends on nothing that moves cannot be checked.
    if let Some(Kind::Differential(inner)) = parts.first().map(|part| &part.kind)
        && let Some(head) = inner.as_name()
        && minimal.iter().any(|name| name == head)
        && !on_the_right.iter().any(|name| name == head)
    {
        // dL = tr(G'dE) where L is not written with E: what E is made of moves.
        let below = all_below(&on_the_right);
        let named = |name: &&String| around.differentials.contains(*name);
        let named: Vec<String> = below.iter().filter(named).cloned().collect();
        let below = if named.is_empty() { below } else { named };
        let reached = scope.below(head);
        if !below.is_empty() && below.iter().all(|name| reached.contains(name)) {
            return Ok(below);
        }
        return Err(format!("no definition of `{head}` is known by which `d{head}` follows from what moves here"));
    }
    Ok(minimal)
}

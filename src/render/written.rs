//! The parts of an expression as notation, children first, so that depth costs no stack; of a very large expression the
//! inner parts are left out.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;

use super::build::term;
use super::notation::Notation;
use crate::expr::{Arena, ExprId};
use crate::number::Number;

/// An expression nested deeper than this is shown with its inner parts left out.
const DEEPEST: usize = 250;
/// The same for one of more nodes, counted where they stand.
const LARGEST: usize = 4_000;
/// How many levels of a too large expression are shown: the first that makes it small enough.
const SHOWN_LEVELS: [usize; 4] = [24, 12, 6, 3];

/// An arena with the notation of the parts of one expression.
pub(super) struct Written<'a> {
    arena: &'a Arena,
    parts: HashMap<ExprId, Notation>,
    hidden: HashSet<ExprId>,
}

impl Deref for Written<'_> {
    type Target = Arena;

    fn deref(&self) -> &Arena {
        self.arena
    }
}

impl Written<'_> {
    /// The notation of a whole expression.
    pub(super) fn all_of(arena: &Arena, root: ExprId) -> Notation {
        let (nodes, hidden) = visible(arena, root);
        let mut written = Written { arena, parts: HashMap::with_capacity(nodes.len()), hidden };
        for id in nodes {
            let part = term(&written, Number::ONE, id);
            written.parts.insert(id, part);
        }
        written.part(root)
    }

    /// The notation of a part; what lies below a part left out is left out too.
    pub(super) fn part(&self, id: ExprId) -> Notation {
        self.parts.get(&id).cloned().unwrap_or(Notation::Elided)
    }

    /// Whether a part is left out.
    pub(super) fn is_hidden(&self, id: ExprId) -> bool {
        self.hidden.contains(&id)
    }
}

/// The nodes to write, children first, and those of them that stand for a part left out.
fn visible(arena: &Arena, root: ExprId) -> (Vec<ExprId>, HashSet<ExprId>) {
    let mut nodes = nodes_of(arena, root);
    // The longest way from the root: no way to a node is longer than the level at which nodes are cut.
    let mut level: HashMap<ExprId, usize> = HashMap::from([(root, 0)]);
    for &id in nodes.iter().rev() {
        let below = level[&id] + 1;
        arena.operands(id, |a| {
            let known = level.entry(a).or_insert(0);
            *known = below.max(*known);
        });
    }
    let deepest = level.values().copied().max().unwrap_or(0);
    let mut hidden = HashSet::new();
    if deepest <= DEEPEST && size(arena, &nodes, &hidden) <= LARGEST {
        return (nodes, hidden);
    }
    for limit in SHOWN_LEVELS {
        nodes.retain(|id| level[id] <= limit);
        hidden = nodes
            .iter()
            .copied()
            .filter(|&id| level[&id] == limit)
            .filter(|&id| {
                let mut inner = false;
                arena.operands(id, |_| inner = true);
                inner
            })
            .collect();
        if size(arena, &nodes, &hidden) <= LARGEST {
            break;
        }
    }
    (nodes, hidden)
}

/// How many nodes a tree has with hidden ones as leaves.
fn size(arena: &Arena, nodes: &[ExprId], hidden: &HashSet<ExprId>) -> usize {
    let mut sizes: HashMap<ExprId, usize> = HashMap::with_capacity(nodes.len());
    let mut last = 0_usize;
    for &id in nodes {
        last = 1;
        if !hidden.contains(&id) {
            arena.operands(id, |a| last = last.saturating_add(sizes.get(&a).copied().unwrap_or(1)));
        }
        sizes.insert(id, last);
    }
    last
}

/// A node and all below it, children first.
fn nodes_of(arena: &Arena, root: ExprId) -> Vec<ExprId> {
    let mut seen = HashSet::from([root]);
    let mut out = vec![root];
    let mut next = 0;
    while let Some(&id) = out.get(next) {
        next += 1;
        arena.operands(id, |a| {
            if seen.insert(a) {
                out.push(a);
            }
        });
    }
    out.sort_unstable();
    out
}

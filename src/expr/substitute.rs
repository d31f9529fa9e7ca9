//! Rebuilding expressions with some nodes replaced: names written out, names put back, large expressions cut into named
//! parts. Every node is built once.

use rustc_hash::FxHashMap as HashMap;

use super::{Arena, ExprId, NameKind, Op};
use crate::functions::Function;

/// The nodes below a root, not looking behind names, in order of evaluation.
pub fn local_nodes(arena: &Arena, root: ExprId) -> Vec<ExprId> {
    const USUAL: usize = 32;
    let mut seen = rustc_hash::FxHashSet::with_capacity_and_hasher(USUAL, rustc_hash::FxBuildHasher);
    let (mut stack, mut out) = (Vec::with_capacity(USUAL), Vec::with_capacity(USUAL));
    stack.push(root);
    while let Some(id) = stack.pop() {
        if seen.insert(id) {
            out.push(id);
            arena.operands(id, |a| stack.push(a));
        }
    }
    out.sort_unstable();
    out
}

/// The expression with nodes replaced as `with` says (before their operands are looked at), rebuilt in normal form.
pub fn substitute(
    arena: &mut Arena,
    root: ExprId,
    done: &mut HashMap<ExprId, ExprId>,
    with: &dyn Fn(&Arena, ExprId) -> Option<ExprId>,
) -> ExprId {
    // A replacement may stand anywhere in the arena and need rebuilding itself, so this walks with a stack of its own.
    let mut stack = vec![root];
    while let Some(&id) = stack.last() {
        if done.contains_key(&id) {
            stack.pop();
            continue;
        }
        if let Some(other) = with(arena, id) {
            match done.get(&other) {
                Some(&built) => {
                    done.insert(id, built);
                    stack.pop();
                }
                None if other == id => {
                    done.insert(id, id);
                    stack.pop();
                }
                None => stack.push(other),
            }
            continue;
        }
        let mut missing = false;
        arena.operands(id, |a| {
            if !done.contains_key(&a) {
                missing = true;
                stack.push(a);
            }
        });
        if missing {
            continue;
        }
        let built = rebuild(arena, id, &|a| done[&a]);
        done.insert(id, built);
        stack.pop();
    }
    done[&root]
}

/// The node built again from other operands.
pub fn rebuild(arena: &mut Arena, id: ExprId, of: &dyn Fn(ExprId) -> ExprId) -> ExprId {
    let mut changed = false;
    arena.operands(id, |a| changed |= of(a) != a);
    if !changed {
        return id;
    }
    match arena.op(id).clone() {
        Op::Sum(terms) => {
            let terms: Vec<_> = terms.iter().map(|&(c, a)| (c, of(a))).collect();
            arena.sum(&terms)
        }
        Op::Product { scalars, factors } => {
            let operands: Vec<ExprId> = scalars.iter().chain(factors.iter()).map(|&a| of(a)).collect();
            arena.multiply(&operands)
        }
        Op::Hadamard(list) => {
            let list: Vec<ExprId> = list.iter().map(|&a| of(a)).collect();
            arena.hadamard(&list)
        }
        Op::Power(a, b) => arena.power(of(a), of(b)),
        Op::MatrixPower(a, k) => arena.matrix_power(of(a), k),
        Op::Transpose(a) => arena.transpose(of(a)),
        Op::Compare(comparison, a, b) => arena.compare(comparison, of(a), of(b)),
        Op::Call(function @ (Function::Vech | Function::Unvech), _, arguments) => {
            let shape = arena.shape(id);
            arena.linear_call(function, of(arguments[0]), shape)
        }
        Op::Call(function, axis, arguments) => {
            let arguments: Vec<ExprId> = arguments.iter().map(|&a| of(a)).collect();
            arena.call(function, axis, &arguments)
        }
        Op::ExpmFrechet(a, e) => arena.expm_frechet(of(a), of(e)),
        Op::PowerFrechet(a, e, k) => arena.power_frechet(of(a), of(e), k),
        Op::Horizontal(parts) => {
            let parts: Vec<ExprId> = parts.iter().map(|&a| of(a)).collect();
            arena.horizontal(&parts)
        }
        Op::Vertical(parts) => {
            let parts: Vec<ExprId> = parts.iter().map(|&a| of(a)).collect();
            arena.vertical(&parts)
        }
        Op::Reshape(a) => {
            let shape = arena.shape(id);
            arena.reshape(of(a), shape)
        }
        _ => id,
    }
}

/// The number of nodes of an expression written out as a tree, up to a limit; names count as one.
pub fn tree_size(arena: &Arena, root: ExprId, limit: usize) -> usize {
    let mut size = 0;
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        size += 1;
        // Beyond the limit nothing more is counted, so that a tree of any size costs no more than the limit.
        if size > limit {
            break;
        }
        arena.operands(id, |a| stack.push(a));
    }
    size
}

/// A larger expression is cut into named parts before it is looked at.
const LARGEST_BODY: usize = 400;
/// A part has about this many nodes.
const PART: usize = 100;

impl Arena {
    /// The expression, if it is very large, with parts of it named: each is a waypoint of its own then, so that the work
    /// is linear in the depth.
    pub fn cut_into_parts(&mut self, root: ExprId) -> ExprId {
        if tree_size(self, root, LARGEST_BODY) <= LARGEST_BODY {
            return root;
        }
        let mut built: HashMap<ExprId, ExprId> = HashMap::default();
        let mut sizes: HashMap<ExprId, usize> = HashMap::default();
        for id in local_nodes(self, root) {
            let mut size = 1_usize;
            self.operands(id, |a| size = size.saturating_add(sizes[&a]));
            let mut own = rebuild(self, id, &|a| built[&a]);
            // A long flat sum or product of small parts stays whole: cutting it would not make it smaller.
            let mut largest = 0;
            self.operands(id, |a| largest = largest.max(sizes[&a]));
            if id != root && size > PART && largest * 8 > size {
                let name = self.unused_name("T");
                own = self.name(name, own, NameKind::Part);
                size = 1;
            }
            built.insert(id, own);
            sizes.insert(id, size);
        }
        built[&root]
    }
}

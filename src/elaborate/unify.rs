//! Dimensions that are not declared: names that start with `?`, solved by linear unification, each with the place that
//! settled it, so that a later clash can tell why.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::Span;
use crate::dimension::{DimId, DimName, Dimensions, Shape};

/// The dimensions of a program while it is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Solver {
    pub(super) table: Dimensions,
    solution: HashMap<DimName, DimId>,
    reasons: HashMap<DimName, Span>,
    open: HashSet<DimName>,
    /// Open names that may not turn out 1: the length of an undeclared vector, which is not to become a scalar silently.
    longer: HashSet<DimName>,
    values: HashMap<DimName, i64>,
    fresh: usize,
}

impl Solver {
    pub(super) fn new(table: Dimensions) -> Solver {
        Solver { table, ..Solver::default() }
    }

    pub(super) fn set_value(&mut self, name: &str, value: i64) {
        let name = self.table.name_of(name);
        self.values.insert(name, value);
    }

    /// A new open dimension.
    pub(super) fn fresh(&mut self) -> DimId {
        self.fresh += 1;
        let text = format!("?{}", self.fresh);
        let name = self.table.name_of(&text);
        self.open.insert(name);
        self.table.named(&text)
    }

    /// A new open dimension that may not turn out 1.
    pub(super) fn fresh_length(&mut self) -> DimId {
        let id = self.fresh();
        self.longer.extend(self.table.as_name(id));
        id
    }

    /// The names in a dimension, those inside triangles too.
    fn names(&self, id: DimId) -> Vec<DimName> {
        if let Some(name) = self.table.as_name(id)
            && self.table.side_of_triangle(name).is_none()
        {
            return vec![name];
        }
        let mut out = Vec::new();
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            for &name in self.table.polynomial(id).terms().iter().flat_map(|(names, _)| names) {
                match self.table.side_of_triangle(name) {
                    Some(side) => stack.push(side),
                    None => out.push(name),
                }
            }
        }
        out
    }

    /// The dimension with all that is solved put in.
    pub(super) fn resolve(&mut self, id: DimId) -> DimId {
        // A chain of single names is followed first and shortened, so that long chains are walked once.
        let mut passed = Vec::new();
        let mut at = id;
        while let Some(name) = self.table.as_name(at)
            && let Some(&next) = self.solution.get(&name)
        {
            passed.push(name);
            at = next;
        }
        // A single name that is not solved, or a number, is done.
        if at == DimId::ONE || self.table.as_name(at).is_some_and(|name| self.table.side_of_triangle(name).is_none()) {
            for name in passed {
                self.solution.insert(name, at);
            }
            return at;
        }
        while self.names(at).iter().any(|name| self.solution.contains_key(name)) {
            // Only sums and products come here; out of bounds they stay unresolved, which a clash then tells.
            match self.table.substitute(at, &self.solution) {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        for name in passed {
            self.solution.insert(name, at);
        }
        at
    }

    pub(super) fn resolve_shape(&mut self, shape: Shape) -> Shape {
        Shape::new(self.resolve(shape.rows), self.resolve(shape.columns))
    }

    pub(super) fn is_one(&mut self, id: DimId) -> bool {
        self.resolve(id) == DimId::ONE
    }

    /// Whether some of the dimension is not known yet.
    pub(super) fn is_open(&self, id: DimId) -> bool {
        self.names(id).iter().any(|name| self.open.contains(name))
    }

    /// The number, where all names have values.
    pub(super) fn value(&self, id: DimId) -> Option<i64> {
        let by_text = |text: &str| self.values.get(&self.table.known_name(text)?).copied();
        if self.names(id).iter().all(|name| self.values.contains_key(name)) {
            self.table.value(id, &by_text)
        } else {
            None
        }
    }

    /// Makes two dimensions equal; false where they cannot be. `reason` is the place that asks for it.
    pub(super) fn unify(&mut self, a: DimId, b: DimId, reason: Span) -> bool {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return true;
        }
        if let (Some(left), Some(right)) = (self.as_triangle(a), self.as_triangle(b)) {
            return self.unify(left, right, reason);
        }
        if self.solve(a, b, reason) || self.solve_triangle(a, b, reason) || self.solve_triangle(b, a, reason) {
            return true;
        }
        match (self.value(a), self.value(b)) {
            (Some(x), Some(y)) if x == y => {
                // Equal by value only: one spelling from here on, so that equal dimensions have equal ids.
                for name in self.names(a).into_iter().chain(self.names(b)) {
                    if let Some(&value) = self.values.get(&name) {
                        let number = self.table.constant(value);
                        self.solution.insert(name, number);
                    }
                }
                true
            }
            _ => false,
        }
    }

    fn as_triangle(&self, id: DimId) -> Option<DimId> {
        self.table.side_of_triangle(self.table.as_name(id)?)
    }

    /// Solves a − b = 0 for an open name that stands in it once, alone, with coefficient ±1.
    fn solve(&mut self, a: DimId, b: DimId, reason: Span) -> bool {
        let Some(difference) = self.table.difference(a, b) else { return false };
        let terms = self.table.polynomial(difference).terms().to_vec();
        let candidates = terms.iter().filter_map(|(names, k)| match names.as_slice() {
            [name] if (*k == 1 || *k == -1) && self.open.contains(name) => Some((*name, *k)),
            _ => None,
        });
        let mut negative: Option<(DimName, DimId)> = None;
        for (name, k) in candidates.collect::<Vec<_>>() {
            let itself = self.table.name(name).to_owned();
            let itself = self.table.named(&itself);
            // difference = k·name + rest, so name = −rest/k.
            let solved =
                if k == 1 { self.table.difference(itself, difference) } else { self.table.sum(itself, difference) };
            let Some(solved) = solved else { continue };
            if self.names(solved).contains(&name) || !self.may_be(name, solved) {
                continue;
            }
            // A dimension is a sum or product; a difference stands only where nothing else solves it.
            if self.table.polynomial(solved).terms().iter().any(|(_, k)| *k < 0) {
                negative.get_or_insert((name, solved));
                continue;
            }
            self.solution.insert(name, solved);
            self.reasons.insert(name, reason);
            return true;
        }
        let Some((name, solved)) = negative else { return false };
        self.solution.insert(name, solved);
        self.reasons.insert(name, reason);
        true
    }

    fn may_be(&mut self, name: DimName, solved: DimId) -> bool {
        let least = if self.longer.contains(&name) { 2 } else { 1 };
        if let Some(value) = self.table.as_constant(solved) {
            return value >= least;
        }
        if least == 2 {
            let other = self.table.as_name(solved).filter(|other| self.open.contains(other));
            self.longer.extend(other);
        }
        true
    }

    /// d·(d+1)/2 = a number.
    fn solve_triangle(&mut self, a: DimId, b: DimId, reason: Span) -> bool {
        let Some(side) = self.as_triangle(a) else { return false };
        let Some(root) = self.value(b).and_then(triangular_root) else { return false };
        let root = self.table.constant(root);
        self.unify(side, root, reason)
    }

    /// The n of a vector with n·(n+1)/2 entries.
    pub(super) fn side(&mut self, length: DimId, reason: Span) -> Option<DimId> {
        let length = self.resolve(length);
        if let Some(side) = self.as_triangle(length) {
            return Some(side);
        }
        if let Some(value) = self.value(length) {
            let root = triangular_root(value)?;
            return Some(self.table.constant(root));
        }
        if !self.is_open(length) {
            return None;
        }
        let side = self.fresh();
        let triangle = self.table.triangle(side)?;
        self.unify(length, triangle, reason).then_some(side)
    }

    /// The places that settled the open names of these dimensions.
    pub(super) fn reasons(&self, dimensions: &[DimId]) -> Vec<(DimId, Span)> {
        let mut out = Vec::new();
        for &id in dimensions {
            for name in self.names(id) {
                if let (Some(&solved), Some(&span)) = (self.solution.get(&name), self.reasons.get(&name))
                    && !out.iter().any(|&(_, known)| known == span)
                {
                    out.push((solved, span));
                }
            }
        }
        out
    }

    /// Gives what is still open in a dimension its final names, from `fresh_names`.
    pub(super) fn settle(&mut self, id: DimId, fresh_names: &mut impl FnMut() -> String) {
        let resolved = self.resolve(id);
        if !self.is_open(resolved) {
            return;
        }
        // Names of a dimension in their order of birth, which is the order of first use.
        let mut names = self.names(resolved);
        names.sort_unstable();
        names.dedup();
        for name in names {
            if self.open.contains(&name) && !self.solution.contains_key(&name) {
                let settled = self.table.named(&fresh_names());
                self.solution.insert(name, settled);
            }
        }
    }
}

fn triangular_root(value: i64) -> Option<i64> {
    let root = i64::try_from((8 * i128::from(value) + 1).isqrt()).ok()?;
    let side = (root - 1) / 2;
    (side >= 1 && side.checked_mul(side + 1)? / 2 == value).then_some(side)
}

#[cfg(test)]
mod tests {
    use super::{Solver, triangular_root};
    use crate::diagnostic::Span;

    #[test]
    fn open_dimensions_are_solved_and_remembered() {
        let mut solver = Solver::default();
        let (a, b, n) = (solver.fresh(), solver.fresh(), solver.table.named("n"));
        let next = solver.table.sum(b, crate::dimension::DimId::ONE).unwrap();
        assert!(solver.unify(a, next, Span::new(1, 2)));
        assert!(solver.unify(b, n, Span::new(3, 4)));
        let a = solver.resolve(a);
        assert_eq!(solver.table.text(a), "n+1");
        assert!(!solver.unify(a, n, Span::default()));
    }

    #[test]
    fn long_chains_are_walked_once() {
        let mut solver = Solver::default();
        let chain: Vec<_> = (0..50_000).map(|_| solver.fresh()).collect();
        for pair in chain.windows(2) {
            assert!(solver.unify(pair[0], pair[1], Span::default()));
        }
        let n = solver.table.named("n");
        assert!(solver.unify(chain[0], n, Span::default()));
        assert!(chain.iter().all(|&id| solver.resolve(id) == n));
    }

    #[test]
    fn triangles_are_recognised() {
        assert_eq!(triangular_root(6), Some(3));
        assert_eq!(triangular_root(7), None);
        let mut solver = Solver::default();
        let (open, six) = (solver.fresh(), solver.table.constant(6));
        let triangle = solver.table.triangle(open).unwrap();
        assert!(solver.unify(triangle, six, Span::default()));
        let side = solver.resolve(open);
        assert_eq!(solver.table.as_constant(side), Some(3));
    }
}

//! Dimensions as they are while formulas are read: open, a name, a number, a sum or product of others. Two that must be
//! equal are made one; where they cannot be, nothing changes and the answer is no.

use std::collections::HashMap;

/// What a dimension is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// A name of the text.
    Name(String),
    /// A number.
    Number(u64),
    /// a + b
    Sum(u32, u32),
    /// a·b
    Product(u32, u32),
    /// a·(a + 1)/2
    Triangle(u32),
}

/// Dimensions and what is known of them.
#[derive(Clone, Debug)]
pub struct Sizes {
    parents: Vec<u32>,
    known: Vec<Option<Symbol>>,
    names: HashMap<String, u32>,
    values: HashMap<String, u64>,
}

/// The dimension 1.
pub const ONE: u32 = 0;

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes {
            parents: vec![ONE],
            known: vec![Some(Symbol::Number(1))],
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }
}

impl Sizes {
    /// How many dimensions there are.
    pub fn count(&self) -> usize {
        self.parents.len()
    }

    /// A dimension nothing is known of.
    pub fn open(&mut self) -> u32 {
        let id = self.parents.len() as u32;
        self.parents.push(id);
        self.known.push(None);
        id
    }

    /// The dimension with this meaning.
    pub fn symbol(&mut self, symbol: Symbol) -> u32 {
        match symbol {
            Symbol::Number(1) => ONE,
            Symbol::Product(ONE, other) | Symbol::Product(other, ONE) => other,
            Symbol::Name(name) => self.named(&name),
            symbol => {
                let id = self.open();
                self.known[id as usize] = Some(symbol);
                id
            }
        }
    }

    /// The dimension of that name.
    pub fn named(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.names.get(name) {
            return self.find(id);
        }
        let id = self.open();
        self.known[id as usize] = Some(Symbol::Name(name.to_owned()));
        self.names.insert(name.to_owned(), id);
        id
    }

    /// The dimension of a name that is one's.
    pub fn known(&self, name: &str) -> Option<u32> {
        self.names.get(name).map(|&id| self.find(id))
    }

    /// Whether a name is a dimension's.
    pub fn has_name(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Gives a named dimension a fixed value.
    pub fn set_value(&mut self, name: &str, value: u64) {
        self.named(name);
        self.values.insert(name.to_owned(), value);
    }

    /// The one that stands for it and all equal ones.
    pub fn find(&self, mut id: u32) -> u32 {
        while self.parents[id as usize] != id {
            id = self.parents[id as usize];
        }
        id
    }

    /// Whether it is the number 1.
    pub fn is_one(&self, id: u32) -> bool {
        self.find(id) == ONE
    }

    /// Whether nothing is known of it.
    pub fn is_open(&self, id: u32) -> bool {
        self.known[self.find(id) as usize].is_none()
    }

    /// Whether both are certainly one.
    pub fn are_equal(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        a == b || self.same_symbol(a, b, 8)
    }

    fn same_symbol(&self, a: u32, b: u32, depth: usize) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return true;
        }
        if depth == 0 {
            return false;
        }
        let equal = |x: u32, y: u32| self.same_symbol(x, y, depth - 1);
        match (&self.known[a as usize], &self.known[b as usize]) {
            (Some(Symbol::Number(x)), Some(Symbol::Number(y))) => x == y,
            (Some(Symbol::Sum(a, b)), Some(Symbol::Sum(c, d)))
            | (Some(Symbol::Product(a, b)), Some(Symbol::Product(c, d))) => {
                equal(*a, *c) && equal(*b, *d) || equal(*a, *d) && equal(*b, *c)
            }
            (Some(Symbol::Triangle(a)), Some(Symbol::Triangle(b))) => equal(*a, *b),
            _ => false,
        }
    }

    /// Makes two dimensions one; `false` where both are known and differ.
    pub fn unify(&mut self, a: u32, b: u32) -> bool {
        if self.are_equal(a, b) {
            return true;
        }
        let (a, b) = (self.find(a), self.find(b));
        match (&self.known[a as usize], &self.known[b as usize]) {
            (None, _) => self.parents[a as usize] = b,
            (_, None) => self.parents[b as usize] = a,
            // What is built from others is told apart by its numbers only.
            (Some(Symbol::Sum(..) | Symbol::Product(..) | Symbol::Triangle(_)), _)
            | (_, Some(Symbol::Sum(..) | Symbol::Product(..) | Symbol::Triangle(_))) => {
                return self.could_be_equal(a, b);
            }
            _ => return false,
        }
        true
    }

    /// Whether two dimensions have the same value for all values of their names, as two polynomials tried at points.
    fn could_be_equal(&self, a: u32, b: u32) -> bool {
        (0..4).all(|seed: u64| {
            let of = |id: u32| Some(2 + (u64::from(id) * 7 + seed * 13 + 5) % 11);
            let (x, y) = (self.value(a, &of), self.value(b, &of));
            x.is_some() && x == y
        })
    }

    /// The value of a dimension, where `of` gives those of open and named ones.
    pub fn value(&self, id: u32, of: &dyn Fn(u32) -> Option<u64>) -> Option<u64> {
        self.value_within(id, of, 32)
    }

    fn value_within(&self, id: u32, of: &dyn Fn(u32) -> Option<u64>, depth: usize) -> Option<u64> {
        if depth == 0 || id as usize >= self.parents.len() {
            return None;
        }
        let id = self.find(id);
        let value = |x: u32| self.value_within(x, of, depth - 1);
        match &self.known[id as usize] {
            None => of(id),
            Some(Symbol::Name(name)) => self.values.get(name).copied().or_else(|| of(id)),
            Some(Symbol::Number(k)) => Some(*k),
            Some(Symbol::Sum(a, b)) => value(*a)?.checked_add(value(*b)?),
            Some(Symbol::Product(a, b)) => value(*a)?.checked_mul(value(*b)?),
            Some(Symbol::Triangle(a)) => {
                let n = value(*a)?;
                Some(n.checked_mul(n.checked_add(1)?)? / 2)
            }
        }
    }

    /// The open and named dimensions that this one is made of, those with a fixed value left out.
    pub fn bases(&self, id: u32, out: &mut Vec<u32>) {
        let mut stack = vec![id];
        let mut budget = 64;
        while let Some(id) = stack.pop() {
            budget -= 1;
            if budget == 0 {
                return;
            }
            let id = self.find(id);
            match &self.known[id as usize] {
                Some(Symbol::Number(_)) => {}
                Some(Symbol::Name(name)) if self.values.contains_key(name) => {}
                None | Some(Symbol::Name(_)) => {
                    if !out.contains(&id) {
                        out.push(id);
                    }
                }
                Some(Symbol::Sum(a, b) | Symbol::Product(a, b)) => stack.extend([*a, *b]),
                Some(Symbol::Triangle(a)) => stack.push(*a),
            }
        }
    }

    /// The fixed value of a dimension's name.
    pub fn fixed(&self, id: u32) -> Option<u64> {
        match &self.known[self.find(id) as usize] {
            Some(Symbol::Name(name)) => self.values.get(name).copied(),
            Some(Symbol::Number(k)) => Some(*k),
            _ => None,
        }
    }

    /// As in a message: `n`, `3`, `m+n`, `?` for an open one.
    pub fn text(&self, id: u32) -> String {
        self.text_within(id, 6)
    }

    fn text_within(&self, id: u32, depth: usize) -> String {
        let id = self.find(id);
        if depth == 0 {
            return "…".to_owned();
        }
        let text = |x: u32| self.text_within(x, depth - 1);
        let factor = |x: u32| match &self.known[self.find(x) as usize] {
            Some(Symbol::Sum(..)) => format!("({})", text(x)),
            _ => text(x),
        };
        match &self.known[id as usize] {
            None => "?".to_owned(),
            Some(Symbol::Name(name)) => name.clone(),
            Some(Symbol::Number(k)) => k.to_string(),
            Some(Symbol::Sum(a, b)) => format!("{}+{}", text(*a), text(*b)),
            Some(Symbol::Product(a, b)) => format!("{}*{}", factor(*a), factor(*b)),
            Some(Symbol::Triangle(a)) => format!("{0}*({0}+1)/2", factor(*a)),
        }
    }

    /// Gives each open dimension among these the next free letter: m, n, p, q, then r … w, then n1, n2, …
    pub fn name_open(&mut self, ids: &[u32]) {
        let letters = ["m", "n", "p", "q", "r", "s", "t", "u", "v", "w"].map(str::to_owned);
        let mut names = letters.into_iter().chain((1..).map(|i: usize| format!("n{i}")));
        for &id in ids {
            let root = self.find(id);
            if self.known[root as usize].is_none()
                && let Some(name) = names.by_ref().find(|name| !self.names.contains_key(name))
            {
                self.known[root as usize] = Some(Symbol::Name(name.clone()));
                self.names.insert(name, root);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ONE, Sizes, Symbol};

    #[test]
    fn equal_sizes_become_one_and_unequal_ones_do_not() {
        let mut sizes = Sizes::default();
        let (m, n, open) = (sizes.named("m"), sizes.named("n"), sizes.open());
        assert!(sizes.unify(open, n) && sizes.are_equal(n, open));
        assert!(!sizes.unify(m, n) && !sizes.unify(m, ONE));
        let (a, b) = (sizes.symbol(Symbol::Product(m, n)), sizes.symbol(Symbol::Product(n, m)));
        assert!(sizes.unify(a, b));
        assert!(!sizes.unify(a, m));
        assert_eq!(sizes.text(a), "m*n");
    }
}

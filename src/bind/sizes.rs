//! The values of dimensions from the lengths of axes: a name alone takes its length, a sum or product with one unknown name
//! is solved for it, everything else is compared.

use std::collections::HashMap;

use super::Entry;
use crate::dimension::{DimId, Dimensions};

/// Dimensions on the way to their values.
pub(super) struct Sizes<'a> {
    table: &'a Dimensions,
    /// Values so far, and where they come from.
    known: HashMap<String, (i64, String)>,
    /// Lengths that are still to be solved or compared.
    waiting: Vec<Length>,
    /// Every name seen, in order.
    seen: Vec<String>,
}

struct Length {
    dimension: DimId,
    length: i64,
    entry: String,
    axis: usize,
}

impl<'a> Sizes<'a> {
    pub(super) fn new(table: &'a Dimensions, fixed: &[(String, i64)]) -> Sizes<'a> {
        let known = fixed.iter().map(|(name, value)| (name.clone(), (*value, format!("by `dim {name} = {value}`"))));
        let seen = fixed.iter().map(|(name, _)| name.clone()).collect();
        Sizes { table, known: known.collect(), waiting: Vec::new(), seen }
    }

    /// The names of dimensions seen so far.
    pub(super) fn names(&self) -> Vec<String> {
        self.seen.clone()
    }

    pub(super) fn values(self) -> HashMap<String, i64> {
        self.known.into_iter().map(|(name, (value, _))| (name, value)).collect()
    }

    /// The names of a dimension need values.
    pub(super) fn see(&mut self, dimension: DimId) {
        for name in self.names_in(dimension) {
            if !self.seen.contains(&name) {
                self.seen.push(name);
            }
        }
    }

    /// Tells the names that have no value in the end.
    pub(super) fn tell_unknown(&self, errors: &mut Vec<String>) {
        for name in self.seen.iter().filter(|name| !self.known.contains_key(*name)) {
            errors.push(format!("the dimension `{name}` has no value: write `dim {name} = …`, or give it as an entry"));
        }
    }

    /// An axis of an entry has this length.
    pub(super) fn note(&mut self, dimension: DimId, length: usize, entry: &str, axis: usize, errors: &mut Vec<String>) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        self.see(dimension);
        let length = Length { dimension, length, entry: entry.to_owned(), axis };
        match self.table.as_name(dimension).filter(|&name| self.table.side_of_triangle(name).is_none()) {
            Some(name) if !self.known.contains_key(self.table.name(name)) => {
                let name = self.table.name(name).to_owned();
                self.known.insert(name, (length.length, length.source()));
            }
            _ if self.unknown(dimension).is_empty() => self.compare(&length, errors),
            _ => self.waiting.push(length),
        }
    }

    /// A dimension given as a number under its own name.
    pub(super) fn give(&mut self, name: &str, entry: &Entry<'_>, errors: &mut Vec<String>) {
        let &[value] = entry.entries else {
            errors.push(format!("`{name}` is a dimension: one whole number is its value"));
            return;
        };
        if value.fract() != 0.0 || !(1.0..=1e15).contains(&value) {
            errors.push(format!("`{name}` is a dimension: a positive integer, not {value}"));
            return;
        }
        let value = value as i64;
        match self.known.get(name) {
            Some((known, source)) if *known != value => {
                errors.push(format!("`{name}` is {value}, but the dimension `{name}` is {known} {source}"));
            }
            Some(_) => {}
            None => {
                self.known.insert(name.to_owned(), (value, format!("by the entry `{name}`")));
            }
        }
    }

    /// Solves what has one unknown name, until nothing more can be.
    pub(super) fn solve(&mut self, errors: &mut Vec<String>) {
        loop {
            let waiting = std::mem::take(&mut self.waiting);
            let before = waiting.len();
            for length in waiting {
                match self.unknown(length.dimension).as_slice() {
                    [] => self.compare(&length, errors),
                    [name] => match self.root(length.dimension, name, length.length) {
                        Some(value) => {
                            self.known.insert(name.clone(), (value, length.source()));
                        }
                        None => errors.push(format!(
                            "`{}`: axis {} is {}, but no `{name}` makes `{}` that",
                            length.entry,
                            length.axis,
                            length.length,
                            self.table.text(length.dimension)
                        )),
                    },
                    _ => self.waiting.push(length),
                }
            }
            if self.waiting.is_empty() || self.waiting.len() == before {
                return;
            }
        }
    }

    fn compare(&self, length: &Length, errors: &mut Vec<String>) {
        let value = self.value(length.dimension, None);
        if value == Some(length.length) {
            return;
        }
        let text = self.table.text(length.dimension);
        let names = self.names_in(length.dimension);
        let why: Vec<String> = names
            .iter()
            .filter_map(|name| {
                let (value, source) = self.known.get(name)?;
                let told = if *name == text { source.clone() } else { format!("{name} is {value} {source}") };
                Some(told)
            })
            .collect();
        let value = value.map_or_else(|| "too large".to_owned(), |value| value.to_string());
        let (entry, axis, found) = (&length.entry, length.axis, length.length);
        errors.push(match why.as_slice() {
            [] => format!("`{entry}`: axis {axis} is {found}, not {value} as declared"),
            [one] if names[0] == text => format!("`{entry}`: axis {axis} is {found}, but `{text}` is {value} {one}"),
            _ => format!("`{entry}`: axis {axis} is {found}, but `{text}` is {value}: {}", why.join(", ")),
        });
    }

    fn value(&self, dimension: DimId, assumed: Option<(&str, i64)>) -> Option<i64> {
        self.table.value(dimension, &|name| match assumed {
            Some((assumed, value)) if assumed == name => Some(value),
            _ => self.known.get(name).map(|&(value, _)| value),
        })
    }

    /// The value of a name that gives the dimension this length. Dimensions grow with their names, so halving finds it.
    fn root(&self, dimension: DimId, name: &str, length: i64) -> Option<i64> {
        let (mut low, mut high) = (1_i64, length.max(1).saturating_mul(2));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.value(dimension, Some((name, middle))) {
                Some(value) if value < length => low = middle + 1,
                _ => high = middle,
            }
        }
        (self.value(dimension, Some((name, low))) == Some(length)).then_some(low)
    }

    fn unknown(&self, dimension: DimId) -> Vec<String> {
        let mut names = self.names_in(dimension);
        names.retain(|name| !self.known.contains_key(name));
        names
    }

    /// The names in a dimension, those inside triangles too.
    fn names_in(&self, dimension: DimId) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut stack = vec![dimension];
        while let Some(id) = stack.pop() {
            for &name in self.table.polynomial(id).terms().iter().flat_map(|(names, _)| names) {
                match self.table.side_of_triangle(name) {
                    Some(side) => stack.push(side),
                    None if out.iter().any(|known| known == self.table.name(name)) => {}
                    None => out.push(self.table.name(name).to_owned()),
                }
            }
        }
        out
    }
}

impl Length {
    fn source(&self) -> String {
        format!("by axis {} of `{}`", self.axis, self.entry)
    }
}

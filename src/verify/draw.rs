//! Numbers for the names of a line: random ones of unequal sizes, small integers for a counterexample, residues. Every
//! declared property is obeyed exactly, since all numbers are made of integers. The same seed gives the same numbers.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::evaluate::Point;
use super::linear::{self, Of, add, integer, minus, multiply, total};
use super::scope::Scope;
use super::values::{Field, Grid};
use crate::elaborate::{Properties, Property};
use crate::number::Number;

/// In what manner numbers are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Integers from −k to k.
    Integers(i64),
    /// Integers from 1 to k.
    Positive(i64),
    /// Sixteenths of either sign, none of them zero.
    Fractions,
    /// Fractions of either sign, up to five or so.
    Wide,
    /// Fractions between 0 and 1.
    Inside,
    /// Fractions, with a large diagonal where the matrix is square.
    Dominant,
}

/// The manners of random points, the usual one first and most often.
pub const MANNERS: [Manner; 8] = [
    Manner::Fractions,
    Manner::Fractions,
    Manner::Fractions,
    Manner::Positive(7),
    Manner::Inside,
    Manner::Dominant,
    Manner::Fractions,
    Manner::Inside,
];

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The variables.
    pub variables: Vec<String>,
    /// Variables and definitions that move.
    pub moving: Vec<String>,
    /// Open and named dimensions.
    pub bases: Vec<u32>,
    /// Properties that count instead of the declared ones.
    pub properties: HashMap<String, Properties>,
}

/// Distinct sizes from 2 on for the dimensions.
pub fn random_sizes(bases: &[u32], seed: u64) -> HashMap<u32, u64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sizes: Vec<u64> = (0..bases.len().max(3)).map(|i| 2 + (i as u64) % 5).collect();
    for i in (1..sizes.len()).rev() {
        sizes.swap(i, (random.next_u64() % (i as u64 + 1)) as usize);
    }
    bases.iter().copied().zip(sizes).collect()
}

/// A point of these sizes; `None` where a property cannot be had.
pub fn draw<F: Field>(
    field: &F,
    scope: &Scope,
    wanted: &Wanted,
    sizes: HashMap<u32, u64>,
    manner: Manner,
    seed: u64,
) -> Option<Point<F::Scalar>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut point = Point { sizes, values: HashMap::new(), directions: HashMap::new() };
    for name in &wanted.variables {
        let variable = scope.variables.get(name)?;
        let of = wanted.properties.get(name).copied().unwrap_or(variable.properties);
        let (rows, columns) = (point.size(scope, variable.form.rows)?, point.size(scope, variable.form.columns)?);
        let value = with_properties(field, of, rows, columns, manner, &mut random)?;
        point.values.insert(name.clone(), value);
    }
    for name in &wanted.moving {
        let form = scope.form_of(name)?;
        let (rows, columns) = (point.size(scope, form.rows)?, point.size(scope, form.columns)?);
        let of = match (scope.definitions.contains_key(name), scope.variables.get(name)) {
            (false, Some(variable)) => wanted.properties.get(name).copied().unwrap_or(variable.properties),
            _ => Properties::NONE,
        };
        let manner = match manner {
            Manner::Integers(_) | Manner::Fractions => manner,
            _ => Manner::Fractions,
        };
        let direction = plain(field, Properties::NONE, rows, columns, manner, &mut random)?;
        let direction = match of.has(Property::Constant) {
            true => direction.map(|_| integer(field, 0)),
            false => projected(field, of, &direction)?,
        };
        point.directions.insert(name.clone(), direction);
    }
    Some(point)
}

/// n/d for an entry.
fn entry(manner: Manner, of: Properties, random: &mut ChaCha8Rng) -> (i64, i64) {
    let mut below = |n: i64| (random.next_u64() % n.unsigned_abs().max(1)) as i64;
    let (n, d) = match manner {
        Manner::Integers(k) => (below(2 * k + 1) - k, 1),
        Manner::Positive(k) => (1 + below(k), 1),
        Manner::Fractions | Manner::Dominant => {
            let size = 3 + below(26);
            (if below(2) == 0 { size } else { -size }, 16)
        }
        Manner::Wide => {
            let size = 5 + below(194);
            (if below(2) == 0 { size } else { -size }, 37)
        }
        Manner::Inside => (3 + below(26), 32),
    };
    if of.has(Property::Positive) {
        (n.abs().max(1), d)
    } else if of.has(Property::Nonnegative) {
        (n.abs(), d)
    } else {
        (n, d)
    }
}

fn plain<F: Field>(
    field: &F,
    of: Properties,
    rows: usize,
    columns: usize,
    manner: Manner,
    random: &mut ChaCha8Rng,
) -> Option<Of<F>> {
    let mut entries = Vec::with_capacity(rows * columns);
    for _ in 0..rows * columns {
        let (n, d) = entry(manner, of, random);
        let number =
            if field.has_limits() { Number::ratio(n.into(), d.into())? } else { Number::integer(spread(n, random)) };
        entries.push(field.number(number)?);
    }
    let mut out = Grid { rows, columns, entries };
    if manner == Manner::Dominant && rows == columns && rows > 1 {
        let add_to = integer(field, rows as i64 + 1);
        for i in 0..rows {
            out.entries[i * columns + i] = field.add(out.at(i, i), add_to);
        }
    }
    Some(out)
}

/// A large integer for arithmetic modulo the prime.
fn spread(n: i64, random: &mut ChaCha8Rng) -> i64 {
    if n == 0 { 0 } else { (random.next_u64() >> 5) as i64 }
}

fn projected<F: Field>(field: &F, of: Properties, a: &Of<F>) -> Option<Of<F>> {
    if a.rows != a.columns || a.rows == 1 {
        return Some(a.clone());
    }
    let n = a.rows;
    Some(if of.has(Property::Diagonal) {
        Grid::from_fn(n, n, |i, j| if i == j { a.at(i, i) } else { integer(field, 0) })
    } else if of.has(Property::Symmetric) {
        // Not the mean: integers stay integers.
        Grid::from_fn(n, n, |i, j| a.at(i.min(j), i.max(j)))
    } else if of.has(Property::Skew) {
        Grid::from_fn(n, n, |i, j| minus(field, a.at(i, j), a.at(j, i)))
    } else {
        a.clone()
    })
}

fn with_properties<F: Field>(
    field: &F,
    of: Properties,
    rows: usize,
    columns: usize,
    manner: Manner,
    random: &mut ChaCha8Rng,
) -> Option<Of<F>> {
    let zero = integer(field, 0);
    if of.has(Property::OneHot) {
        let places: Vec<usize> = (0..rows).map(|_| (random.next_u64() % columns as u64) as usize).collect();
        return Some(Grid::from_fn(rows, columns, |i, j| integer(field, i64::from(places[i] == j))));
    }
    if of.has(Property::RowStochastic) {
        let a = plain(field, of.with(Property::Positive), rows, columns, Manner::Positive(5), random)?;
        let mut entries = Vec::with_capacity(rows * columns);
        for i in 0..rows {
            let sum = field.inverse(total(field, (0..columns).map(|j| a.at(i, j))))?;
            entries.extend((0..columns).map(|j| field.times(sum, a.at(i, j))));
        }
        return Some(Grid { rows, columns, entries });
    }
    if of.has(Property::Orthogonal) {
        if rows != columns {
            return None;
        }
        let one = reflection(field, rows, random)?;
        if of.has(Property::Diagonal) || of.has(Property::PositiveDefinite) {
            return Some(linear::identity(field, rows));
        }
        if of.has(Property::Symmetric) {
            return Some(one);
        }
        return multiply(field, &one, &reflection(field, rows, random)?);
    }
    let mut out = plain(field, of, rows, columns, manner, random)?;
    if of.has(Property::PositiveDefinite) {
        if of.has(Property::Diagonal) {
            out = Grid::from_fn(rows, columns, |i, j| {
                if i == j { field.add(integer(field, 1), field.times(out.at(i, j), out.at(i, j))) } else { zero }
            });
        } else {
            let square = multiply(field, &out, &out.transpose())?;
            out = add(field, &square, &linear::identity(field, rows))?;
        }
    }
    projected(field, of, &out)
}

/// I − 2vvᵀ/(vᵀv)
fn reflection<F: Field>(field: &F, n: usize, random: &mut ChaCha8Rng) -> Option<Of<F>> {
    let v = plain(field, Properties::NONE, n, 1, Manner::Positive(3), random)?;
    let signs: Vec<bool> = (0..n).map(|_| random.next_u64() & 1 == 0).collect();
    let v = Grid::from_fn(n, 1, |i, _| if signs[i] { v.at(i, 0) } else { minus(field, integer(field, 0), v.at(i, 0)) });
    let size = total(field, v.entries.iter().map(|&x| field.times(x, x)));
    let factor = field.times(integer(field, -2), field.inverse(size)?);
    let outer = multiply(field, &v, &v.transpose())?;
    add(field, &linear::identity(field, n), &outer.map(|x| field.times(factor, x)))
}

//! Whether two formulas are equal: at random points in floating point, and exactly modulo a prime where it is algebra.
//! Where they are not, the smallest point of small integers that shows it.

use std::collections::HashMap;

use super::draw::{MANNERS, Manner, Wanted, draw, random_sizes};
use super::evaluate::{Evaluator, Places, Point, Trouble};
use super::scope::{Ranges, Scope};
use super::values::{Field, Float, Floats, Grid, Residues};
use crate::document::formula::{Formula, Kind, Size};
use crate::elaborate::Properties;
use crate::functions::Function;

/// Random points at which both sides must agree.
const POINTS: usize = 4;
/// As many where a function has a kink, so that both sides of it are met.
const POINTS_AT_KINKS: usize = 24;
/// Points tried in all.
const ATTEMPTS: u64 = 40;
/// Free indices may take so many places together.
const MOST_PLACES: usize = 4_000;

/// The values of a formula at all places of its free indices, and the largest number that was met on the way.
pub type Values<S> = (Vec<Grid<S>>, f64);

/// Two formulas to be compared, with all that their value needs.
pub struct Question<'a> {
    /// The names.
    pub scope: &'a Scope,
    /// The ranges of free indices.
    pub ranges: &'a Ranges,
    /// What is drawn.
    pub wanted: Wanted,
    /// Whether a function in it has a kink.
    kinks: bool,
}

/// Numbers of both sides that differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterexample {
    /// The sizes, `m = 2, n = 1`.
    pub sizes: Vec<(String, u64)>,
    /// The names with their numbers, differentials among them.
    pub given: Vec<(String, Grid<f64>)>,
    /// Which entry, where the formulas have free indices: `i = 1, j = 2`.
    pub at: Vec<(String, usize)>,
    /// The left side.
    pub left: Grid<f64>,
    /// The right side.
    pub right: Grid<f64>,
}

/// What a comparison says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Both agree at all points; exactly too, where it says so.
    Equal {
        /// Modulo a prime, functions as symbols.
        exact: bool,
    },
    /// They differ.
    Different,
    /// Nothing can be said.
    Unknown(String),
}

impl<'a> Question<'a> {
    /// About these formulas: the names below them are drawn, `moving` ones with a direction.
    pub fn new(scope: &'a Scope, ranges: &'a Ranges, formulas: &[&Formula], moving: &[String]) -> Question<'a> {
        let mut variables: Vec<String> = Vec::new();
        let mut bases = Vec::new();
        let note = |id: u32, bases: &mut Vec<u32>| scope.sizes.bases(id, bases);
        let mut names: Vec<String> = moving.to_vec();
        for formula in formulas {
            for name in formula.names() {
                for below in scope.below(name) {
                    if !names.contains(&below) {
                        names.push(below);
                    }
                }
            }
            note_sizes(scope, formula, &mut bases);
        }
        let bodies = names.iter().filter_map(|name| scope.definitions.get(name).map(|definition| &definition.body));
        let functions = scope.functions.values().map(|defined| &defined.body);
        let kinks = formulas.iter().copied().chain(bodies).chain(functions).any(has_kink);
        for name in &names {
            if let Some(form) = scope.form_of(name) {
                note(form.rows, &mut bases);
                note(form.columns, &mut bases);
            }
            match scope.definitions.get(name) {
                Some(definition) => note_sizes(scope, &definition.body, &mut bases),
                None if scope.variables.contains_key(name) && !variables.contains(name) => variables.push(name.clone()),
                None => {}
            }
            if let Some(id) = scope.sizes.known(name) {
                note(id, &mut bases);
            }
        }
        for &range in ranges.values() {
            note(range, &mut bases);
        }
        bases.sort_unstable();
        bases.dedup();
        let wanted = Wanted { variables, moving: moving.to_vec(), bases, properties: HashMap::new() };
        Question { scope, ranges, wanted, kinks }
    }

    /// With other properties than the declared ones.
    #[must_use]
    pub fn with_properties(mut self, name: &str, of: Properties) -> Question<'a> {
        self.wanted.properties.insert(name.to_owned(), of);
        self
    }

    /// The values of a formula at a point, one for each place of the free indices.
    pub fn values<F: Field>(
        &self,
        field: &F,
        point: &Point<F::Scalar>,
        formula: &Formula,
        free: &[String],
    ) -> Result<Values<F::Scalar>, Trouble> {
        let mut evaluator = Evaluator::new(field, self.scope, point, &self.wanted.moving);
        let mut out = Vec::new();
        for mut places in self.places(point, free)? {
            out.push(evaluator.value(formula, &mut places)?);
        }
        Ok((out, evaluator.largest))
    }

    fn places<S>(&self, point: &Point<S>, free: &[String]) -> Result<Vec<Places>, Trouble> {
        let mut all = vec![Places::new()];
        for index in free {
            let range = self.ranges.get(index).ok_or(Trouble::Misfit)?;
            let n = point.size(self.scope, *range).ok_or(Trouble::Misfit)?;
            if all.len() * n > MOST_PLACES {
                return Err(Trouble::NotCovered("free indices with too many places".to_owned()));
            }
            all = all
                .into_iter()
                .flat_map(|places| {
                    (0..n).map(move |i| {
                        let mut places = places.clone();
                        places.insert(index.clone(), i);
                        places
                    })
                })
                .collect();
        }
        Ok(all)
    }

    /// Points at which a formula has a value, with that value.
    pub fn known_values(
        &self,
        formula: &Formula,
        free: &[String],
        count: usize,
    ) -> Vec<(Point<Float>, Vec<Grid<Float>>, f64)> {
        let mut out = Vec::new();
        let count = if self.kinks { count.max(POINTS_AT_KINKS) } else { count };
        for attempt in 0..ATTEMPTS {
            let Some(point) = self.random_point(attempt) else { continue };
            if let Ok((values, largest)) = self.values(&Floats, &point, formula, free) {
                out.push((point, values, largest));
                if out.len() == count {
                    break;
                }
            }
        }
        out
    }

    fn random_point(&self, attempt: u64) -> Option<Point<Float>> {
        let manner = match attempt {
            // Whole numbers may lie on a kink, where there is no derivative.
            _ if self.kinks => [Manner::Fractions, Manner::Wide, Manner::Inside][attempt as usize % 3],
            0..4 => Manner::Fractions,
            _ => MANNERS[attempt as usize % MANNERS.len()],
        };
        let sizes = random_sizes(&self.wanted.bases, attempt.wrapping_mul(7919) + 1);
        draw(&Floats, self.scope, &self.wanted, sizes, manner, attempt + 11)
    }

    /// Whether two formulas are equal.
    pub fn compare(&self, left: &Formula, right: &Formula) -> Answer {
        let free = free_of(left, right);
        let mut agreed = 0;
        let mut reason = "no point of its domain was found".to_owned();
        for attempt in 0..ATTEMPTS {
            let Some(point) = self.random_point(attempt) else {
                reason = "no numbers with the declared properties were found".to_owned();
                continue;
            };
            let sides = (self.values(&Floats, &point, left, &free), self.values(&Floats, &point, right, &free));
            match sides {
                (Ok((a, x)), Ok((b, y))) => match agree(&a, &b, x.max(y)) {
                    true => agreed += 1,
                    false => return Answer::Different,
                },
                (Err(Trouble::NotCovered(why)), _) | (_, Err(Trouble::NotCovered(why))) => {
                    return Answer::Unknown(why);
                }
                (Err(Trouble::Misfit), _) | (_, Err(Trouble::Misfit)) => {
                    reason = "a size in it is not known".to_owned();
                }
                _ => {}
            }
            if agreed == if self.kinks { POINTS_AT_KINKS } else { POINTS } {
                return Answer::Equal { exact: self.is_exact(left, right, &free) };
            }
        }
        // Fewer points than wished for are points all the same.
        if agreed > 0 { Answer::Equal { exact: self.is_exact(left, right, &free) } } else { Answer::Unknown(reason) }
    }

    fn is_exact(&self, left: &Formula, right: &Formula, free: &[String]) -> bool {
        (1..=2).all(|seed| {
            let field = Residues::new(seed);
            let sizes = random_sizes(&self.wanted.bases, seed * 104_729);
            let Some(point) = draw(&field, self.scope, &self.wanted, sizes, Manner::Fractions, seed + 5) else {
                return false;
            };
            let sides = (self.values(&field, &point, left, free), self.values(&field, &point, right, free));
            matches!(sides, (Ok((a, _)), Ok((b, _))) if equal_residues(&a, &b))
        })
    }

    /// A point of small integers at which two formulas differ, of the smallest sizes.
    pub fn counterexample(&self, left: &Formula, right: &Formula) -> Option<Counterexample> {
        let free = free_of(left, right);
        let bases = &self.wanted.bases;
        let mut sizes: Vec<HashMap<u32, u64>> = Vec::new();
        let combinations = 1_usize << bases.len().min(6);
        let mut masks: Vec<usize> = (0..combinations).collect();
        masks.sort_unstable_by_key(|mask| (mask.count_ones(), *mask));
        for mask in masks {
            let of = |i: usize| if i < 6 { 1 + u64::from(mask >> i & 1 == 1) } else { 2 };
            sizes.push(bases.iter().enumerate().map(|(i, &base)| (base, of(i))).collect());
        }
        sizes.extend((0..6).map(|seed| random_sizes(bases, seed)));
        for sizes in sizes {
            let manners: &[Manner] = if self.kinks {
                &[Manner::Wide, Manner::Fractions, Manner::Inside]
            } else {
                &[Manner::Integers(1), Manner::Integers(2), Manner::Positive(3), Manner::Integers(3), Manner::Inside]
            };
            for (seed, manner) in manners.iter().flat_map(|&manner| (0..3_u64).map(move |seed| (seed, manner))) {
                let Some(point) = draw(&Floats, self.scope, &self.wanted, sizes.clone(), manner, seed) else {
                    continue;
                };
                let sides = (self.values(&Floats, &point, left, &free), self.values(&Floats, &point, right, &free));
                if let (Ok((a, x)), Ok((b, y))) = sides
                    && !agree(&a, &b, x.max(y))
                {
                    return Some(self.shown(&point, &free, &a, &b, x.max(y)));
                }
            }
        }
        None
    }

    fn shown(
        &self,
        point: &Point<Float>,
        free: &[String],
        left: &[Grid<Float>],
        right: &[Grid<Float>],
        largest: f64,
    ) -> Counterexample {
        let plain = |grid: &Grid<Float>| Grid {
            rows: grid.rows,
            columns: grid.columns,
            entries: grid.entries.iter().map(|x| x.value).collect(),
        };
        let place = (0..left.len())
            .find(|&k| !agree(std::slice::from_ref(&left[k]), std::slice::from_ref(&right[k]), largest))
            .unwrap_or(0);
        let places = self.places(point, free).unwrap_or_default();
        let at = free.iter().filter_map(|index| Some((index.clone(), places.get(place)?.get(index)? + 1))).collect();
        let mut names = self.scope.sizes.clone();
        names.name_open(&self.wanted.bases);
        let sizes = self.wanted.bases.iter().map(|&base| (names.text(base), point.sizes[&base])).collect();
        let mut given: Vec<(String, Grid<f64>)> = self
            .wanted
            .variables
            .iter()
            .filter_map(|name| Some((name.clone(), plain(point.values.get(name)?))))
            .collect();
        for name in &self.wanted.moving {
            if let Some(direction) = point.directions.get(name) {
                given.push((format!("d{name}"), plain(direction)));
            }
        }
        Counterexample { sizes, given, at, left: plain(&left[place]), right: plain(&right[place]) }
    }
}

/// Whether a function in a formula has a kink, or is a comparison.
fn has_kink(formula: &Formula) -> bool {
    formula.any(|part| match &part.kind {
        Kind::Compare(..) => true,
        Kind::Call { function, .. } => matches!(
            function,
            Function::Max
                | Function::Min
                | Function::Relu
                | Function::LeakyRelu
                | Function::Elu
                | Function::Step
                | Function::Abs
                | Function::Sign
                | Function::Norm1
        ),
        Kind::Generic { name, .. } => matches!(name.as_str(), "relu" | "step" | "abs" | "sign" | "elu"),
        _ => false,
    })
}

/// The free indices of two formulas.
pub fn free_of(left: &Formula, right: &Formula) -> Vec<String> {
    let mut free = left.free_indices();
    for index in right.free_indices() {
        if !free.contains(&index) {
            free.push(index);
        }
    }
    free
}

fn note_sizes(scope: &Scope, formula: &Formula, bases: &mut Vec<u32>) {
    formula.visit(&mut |part| {
        let mut note = |size: &Size| {
            if let Size::Open(Some(id)) = size {
                scope.sizes.bases(*id, bases);
            }
        };
        match &part.kind {
            Kind::Identity(n) | Kind::Unit(n, _) | Kind::Over { upper: n, .. } => note(n),
            Kind::Ones(m, n) | Kind::Zeros(m, n) => {
                note(m);
                n.iter().for_each(note);
            }
            Kind::Reshape(_, m, n) => [m, n].into_iter().for_each(note),
            Kind::Name(name) => {
                if let Some(id) = scope.sizes.known(name) {
                    scope.sizes.bases(id, bases);
                }
            }
            _ => {}
        }
    });
}

/// Whether numbers agree but for rounding, where numbers as large as `largest` were met on the way.
pub fn agree(a: &[Grid<Float>], b: &[Grid<Float>], largest: f64) -> bool {
    let size = |list: &[Grid<Float>]| {
        list.iter().flat_map(|grid| &grid.entries).fold(0.0_f64, |size, x| size.max(x.value.abs()))
    };
    let tolerance = 1e-8 * size(a).max(size(b)) + 1e-11 * largest + 1e-12;
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let close = |x: Float, y: Float| {
                let off = (x.value - y.value).abs();
                // Written so that a NaN disagrees.
                Some(Float { value: f64::from(u8::from(off <= tolerance)), slope: 0.0 })
            };
            (a.rows, a.columns) == (b.rows, b.columns)
                && a.pairs(b, close).is_some_and(|all| all.entries.iter().all(|x| x.value == 1.0))
                || zero_of_any_shape(a, b, tolerance)
        })
}

/// A scalar zero stands for zeros of any shape.
fn zero_of_any_shape(a: &Grid<Float>, b: &Grid<Float>, tolerance: f64) -> bool {
    let zero = |grid: &Grid<Float>| grid.entries.iter().all(|x| x.value.abs() <= tolerance);
    (a.is_scalar() || b.is_scalar()) && zero(a) && zero(b)
}

fn equal_residues(a: &[Grid<crate::check::field::Dual>], b: &[Grid<crate::check::field::Dual>]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            let same = (a.rows, a.columns) == (b.rows, b.columns)
                && a.entries.iter().zip(&b.entries).all(|(x, y)| x.value == y.value);
            let zero = |grid: &Grid<crate::check::field::Dual>| grid.entries.iter().all(|x| x.value == 0);
            same || (a.is_scalar() || b.is_scalar()) && zero(a) && zero(b)
        })
}

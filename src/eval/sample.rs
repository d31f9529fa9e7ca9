//! Random numbers for the names of a program, inside the domain of what is asked of it: sizes that differ, every declared
//! property obeyed, values of moderate size, arguments away from kinks. The same seed gives the same numbers.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::compile::Operation;
use super::{Evaluator, Numbers, Value};
use crate::dimension::{DimId, DimName, Shape};
use crate::elaborate::{Properties, Property, Typed, Variable};
use crate::expr::{Arena, ExprId, Op};
use crate::functions::Function;
use crate::matrix::{Matrix, product};

/// All values of a point may have so many entries together: a larger one would cost seconds and gigabytes.
const MOST_ENTRIES: i64 = 20_000_000;
/// Points tried before giving up.
const MOST_ATTEMPTS: usize = 60;
/// All attempts together may take this many operations.
const ATTEMPTED_OPERATIONS: usize = 1_000_000;
/// Attempts with one way of drawing for all variables, in order; later each variable draws its own.
const COMMON_ATTEMPTS: usize = 16;
/// Numbers on the way may be this large: in the first attempts, then in later ones.
const MODERATE: f64 = 1e3;
const LARGE: f64 = 1e8;
/// Arguments of functions with a kink stay this far from it, if they can.
const CLEARANCE: f64 = 0.05;
/// Closer than this to a kink a point is no use.
const LEAST_CLEARANCE: f64 = 1e-3;

/// Random numbers for all variables, and for the differentials among the roots' parts; `None` where no point of the
/// domain was found.
pub fn sample(arena: &Arena, typed: &Typed, roots: &[ExprId], seed: u64) -> Option<Numbers> {
    Sampler::new(arena, typed, roots).draw(seed)
}

/// Draws points for the same roots several times.
#[derive(Debug)]
pub struct Sampler<'a> {
    arena: &'a Arena,
    evaluator: Evaluator,
    /// Pairs of places whose difference, or places whose value, must not be zero.
    kinks: Vec<(usize, Option<usize>)>,
    /// Names of dimensions without a value of their own.
    names: Vec<String>,
    fixed: HashMap<String, i64>,
    differentials: Vec<ExprId>,
    /// The shapes of all values, and how many have each.
    shapes: Vec<(Shape, i64)>,
}

/// A way of drawing entries.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Normal,
    Positive,
    NearHalf,
    Small,
    /// Near the identity where square.
    Dominant,
    AboveOne,
    Negative,
    Large,
}

const MANNERS: [Manner; 8] = [
    Manner::Normal,
    Manner::Positive,
    Manner::NearHalf,
    Manner::Small,
    Manner::Dominant,
    Manner::AboveOne,
    Manner::Negative,
    Manner::Large,
];

impl<'a> Sampler<'a> {
    /// A sampler for the domain of the roots, with the sizes that the program gives.
    pub fn new(arena: &'a Arena, typed: &Typed, roots: &[ExprId]) -> Sampler<'a> {
        Sampler::with_sizes(arena, roots, typed.dimension_values.iter().cloned().collect())
    }

    /// A sampler for the domain of the roots, with these sizes; all others are drawn.
    pub fn with_sizes(arena: &'a Arena, roots: &[ExprId], fixed: HashMap<String, i64>) -> Sampler<'a> {
        let reachable = arena.reachable(roots);
        let mut evaluated = roots.to_vec();
        let mut kinks = Vec::new();
        let mut differentials = Vec::new();
        for &id in &reachable {
            let mut note = |a: ExprId, b: Option<ExprId>| {
                evaluated.push(a);
                let first = evaluated.len() - 1;
                evaluated.extend(b);
                kinks.push((first, b.map(|_| first + 1)));
            };
            if let Some((a, b)) = kink(arena, id) {
                note(a, b);
            }
            if matches!(arena.op(id), Op::Differential(_)) {
                differentials.push(id);
            }
        }
        let mut counts: HashMap<Shape, i64> = HashMap::new();
        for &id in &reachable {
            *counts.entry(arena.shape(id)).or_default() += 1;
        }
        let mut names = Vec::new();
        let shapes = arena.variables.iter().map(|v| v.shape).chain(reachable.iter().map(|&id| arena.shape(id)));
        for shape in shapes {
            note_names(arena, shape.rows, &mut names);
            note_names(arena, shape.columns, &mut names);
        }
        for &id in &reachable {
            if let Op::Dimension(d) = arena.op(id) {
                note_names(arena, *d, &mut names);
            }
        }
        let mut names: Vec<String> = names.into_iter().map(|name| arena.dimensions.name(name).to_owned()).collect();
        names.retain(|name| !fixed.contains_key(name));
        Sampler {
            arena,
            evaluator: Evaluator::new(arena, &evaluated),
            kinks,
            names,
            fixed,
            differentials,
            shapes: counts.into_iter().collect(),
        }
    }

    /// A point; `None` where none was found in the domain.
    pub fn draw(&self, seed: u64) -> Option<Numbers> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut best: Option<(f64, Numbers)> = None;
        // Of a very large program a point that is good enough must do.
        let attempts = (ATTEMPTED_OPERATIONS / self.evaluator.len().max(1)).clamp(2, MOST_ATTEMPTS);
        for attempt in 0..attempts {
            let Some(numbers) = self.attempt(attempt, &mut random) else { continue };
            let Some((size, clearance)) = self.judge(&numbers) else { continue };
            if size <= MODERATE && clearance >= CLEARANCE {
                return Some(numbers);
            }
            if size > LARGE || clearance < LEAST_CLEARANCE {
                continue;
            }
            let merit = clearance.min(CLEARANCE) / size.max(MODERATE);
            if best.as_ref().is_none_or(|(m, _)| merit > *m) {
                best = Some((merit, numbers));
            }
            if attempt >= MOST_ATTEMPTS / 2 && best.is_some() {
                break;
            }
        }
        best.map(|(_, numbers)| numbers)
    }

    fn attempt(&self, attempt: usize, random: &mut ChaCha8Rng) -> Option<Numbers> {
        let mut dimensions = self.fixed.clone();
        // Distinct sizes from 2 on, none larger than it must be.
        let count = self.names.len();
        let mut sizes: Vec<i64> =
            (0..count.max(3)).map(|i| if i < 7 { i as i64 + 2 } else { i as i64 % 5 + 2 }).collect();
        shuffle(&mut sizes, random);
        dimensions.extend(self.names.iter().cloned().zip(sizes));
        let size = |d: DimId| {
            let value = self.arena.dimensions.value(d, &|name| dimensions.get(name).copied())?;
            usize::try_from(value).ok().filter(|&n| n > 0)
        };
        let mut entries = 0_i64;
        for &(shape, count) in &self.shapes {
            let length = |d: DimId| i64::try_from(size(d)?).ok();
            entries =
                entries.checked_add(length(shape.rows)?.checked_mul(length(shape.columns)?)?.checked_mul(count)?)?;
        }
        if entries > MOST_ENTRIES {
            return None;
        }
        let mut variables = Vec::with_capacity(self.arena.variables.len());
        for variable in &self.arena.variables {
            let manner = if attempt < COMMON_ATTEMPTS {
                MANNERS[if attempt < 4 { 0 } else { attempt % MANNERS.len() }]
            } else {
                MANNERS[(random.next_u64() % MANNERS.len() as u64) as usize]
            };
            let (rows, columns) = (size(variable.shape.rows)?, size(variable.shape.columns)?);
            variables.push(draw_variable(variable, rows, columns, manner, random)?);
        }
        let mut differentials = HashMap::new();
        for &id in &self.differentials {
            let Op::Differential(of) = *self.arena.op(id) else { continue };
            let Shape { rows, columns } = self.arena.shape(id);
            let direction = random_direction(self.arena, of, size(rows)?, size(columns)?, random);
            differentials.insert(of, direction);
        }
        Some(Numbers { dimensions, variables, differentials, overrides: HashMap::new() })
    }

    /// The largest number on the way and the distance to the nearest kink; `None` outside of the domain.
    fn judge(&self, numbers: &Numbers) -> Option<(f64, f64)> {
        let values = self.evaluator.values(numbers).ok()?;
        let mut size = 0.0_f64;
        for (value, instruction) in values.0.iter().zip(&self.evaluator.instructions) {
            if let Value::Computed(matrix) = value
                && !matches!(instruction.operation, Operation::Constant(_) | Operation::Dimension(_))
            {
                if !matrix.is_finite() {
                    return None;
                }
                size = size.max(matrix.max_abs());
            }
        }
        let mut clearance = f64::INFINITY;
        for &(a, b) in &self.kinks {
            let a = values.at(self.evaluator.roots[a]);
            let b = b.map(|b| values.at(self.evaluator.roots[b]));
            clearance = clearance.min(distance(a, b));
        }
        Some((size, clearance))
    }
}

/// Where the function of a node has no derivative: where the first is 0, or where both are equal.
pub fn kink(arena: &Arena, id: ExprId) -> Option<(ExprId, Option<ExprId>)> {
    use Function::{Abs, Elu, LeakyRelu, Max, Min, Norm1, Relu, Sign, Step};
    match arena.op(id) {
        Op::Call(Relu | LeakyRelu | Abs | Norm1 | Sign | Step | Elu, _, list) => Some((list[0], None)),
        Op::Call(Max | Min, _, list) => Some((list[0], Some(list[1]))),
        Op::Compare(_, a, b) => Some((*a, Some(*b))),
        _ => None,
    }
}

/// The smallest difference of entries that is not exactly zero: a zero that no random number gives is there for good.
fn distance(a: &Matrix, b: Option<&Matrix>) -> f64 {
    let least = |least: f64, x: f64| if x == 0.0 { least } else { least.min(x.abs()) };
    let zero = Matrix::scalar(0.0);
    match super::functions::pairwise(a, b.unwrap_or(&zero), |x, y| x - y) {
        Ok(differences) => differences.entries().iter().fold(f64::INFINITY, |l, &x| least(l, x)),
        Err(_) => 0.0,
    }
}

fn note_names(arena: &Arena, dimension: DimId, names: &mut Vec<DimName>) {
    let mut stack = vec![dimension];
    while let Some(dimension) = stack.pop() {
        for name in arena.dimensions.polynomial(dimension).terms().iter().flat_map(|(names, _)| names) {
            match arena.dimensions.side_of_triangle(*name) {
                Some(side) => stack.push(side),
                None if !names.contains(name) => names.push(*name),
                None => {}
            }
        }
    }
}

fn draw_variable(
    variable: &Variable,
    rows: usize,
    columns: usize,
    manner: Manner,
    random: &mut ChaCha8Rng,
) -> Option<Matrix> {
    let of = variable.properties;
    let n = rows;
    let mut out = Matrix::from_fn(rows, columns, |_, _| entry(manner, of, random));
    if manner == Manner::Dominant && rows == columns && rows > 1 {
        out.add_scaled(1.0 + 0.5 * n as f64, &Matrix::identity(n));
    }
    if of.has(Property::OneHot) {
        out = Matrix::zeros(rows, columns);
        for i in 0..rows {
            out.set(i, (random.next_u64() % columns as u64) as usize, 1.0);
        }
    } else if of.has(Property::RowStochastic) {
        out = Matrix::from_fn(rows, columns, |_, _| 0.2 + uniform(random));
        let sums = out.row_sums();
        out = Matrix::from_fn(rows, columns, |i, j| out.at(i, j) / sums.at(i, 0));
    } else if of.has(Property::Orthogonal) {
        out = orthogonal(n, of, random)?;
    } else if of.has(Property::PositiveDefinite) {
        let square = product(out.view(), out.view().transposed()).scale(1.0 / n as f64);
        out = square.add(&Matrix::identity(n).scale(0.5));
    }
    out = project(of, out);
    let all = [
        Property::Symmetric,
        Property::Skew,
        Property::Diagonal,
        Property::Orthogonal,
        Property::Invertible,
        Property::PositiveDefinite,
        Property::Positive,
        Property::Nonnegative,
        Property::OneHot,
        Property::RowStochastic,
    ];
    all.iter().all(|&property| !of.has(property) || obeys(&out, property)).then_some(out)
}

/// An entry in the manner asked for; a declared sign goes before it.
fn entry(manner: Manner, of: Properties, random: &mut ChaCha8Rng) -> f64 {
    let manner = if of.has(Property::Positive) || of.has(Property::Nonnegative) {
        match manner {
            Manner::Normal | Manner::Negative | Manner::Small | Manner::Dominant => Manner::Positive,
            other => other,
        }
    } else {
        manner
    };
    match manner {
        Manner::Normal => normal(random),
        Manner::Positive => 0.5 + uniform(random),
        Manner::NearHalf => 0.25 + 0.5 * uniform(random),
        Manner::Small | Manner::Dominant => 0.3 * normal(random).clamp(-2.5, 2.5),
        Manner::AboveOne => 1.2 + uniform(random),
        Manner::Negative => -0.5 - uniform(random),
        Manner::Large => 3.0 + 3.0 * uniform(random),
    }
}

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (u, v) = (1.0 - uniform(random), uniform(random));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn shuffle(list: &mut [i64], random: &mut ChaCha8Rng) {
    for i in (1..list.len()).rev() {
        list.swap(i, (random.next_u64() % (i as u64 + 1)) as usize);
    }
}

/// A random orthogonal matrix: signs where it is diagonal, a reflection where it is symmetric, else by Gram and Schmidt.
fn orthogonal(n: usize, of: Properties, random: &mut ChaCha8Rng) -> Option<Matrix> {
    if of.has(Property::PositiveDefinite) || of.has(Property::Nonnegative) {
        return Some(Matrix::identity(n));
    }
    if of.has(Property::Diagonal) {
        let signs = Matrix::from_fn(n, 1, |_, _| if random.next_u64().is_multiple_of(2) { 1.0 } else { -1.0 });
        return Some(signs.to_diagonal());
    }
    if of.has(Property::Symmetric) {
        let v = Matrix::from_fn(n, 1, |_, _| normal(random));
        let size = v.dot(&v);
        return Some(Matrix::identity(n).subtract(&v.multiply(&v.transpose()).scale(2.0 / size)));
    }
    if of.has(Property::Skew) {
        let turns = |i: usize, j: usize| if i / 2 != j / 2 || i == j { 0.0 } else { j as f64 - i as f64 };
        return n.is_multiple_of(2).then(|| Matrix::from_fn(n, n, turns));
    }
    let mut out = Matrix::zeros(n, n);
    for i in 0..n {
        let mut row = Matrix::from_fn(1, n, |_, _| normal(random));
        // Twice, so that rounding leaves nothing of the earlier rows.
        for _ in 0..2 {
            for j in 0..i {
                let along: f64 = row.entries().iter().zip(out.row(j)).map(|(x, y)| x * y).sum();
                let other = Matrix::new(1, n, out.row(j).to_vec());
                row.add_scaled(-along, &other);
            }
        }
        let size = row.norm();
        out.row_mut(i).copy_from_slice(row.scale(1.0 / size).entries());
    }
    Some(out)
}

/// The matrix projected onto the linear space of the properties: symmetric, skew, diagonal.
pub fn project(of: Properties, a: Matrix) -> Matrix {
    if !a.is_square() || a.rows() == 1 && !of.has(Property::Skew) {
        return a;
    }
    let n = a.rows();
    if of.has(Property::Diagonal) {
        Matrix::from_fn(n, n, |i, j| if i == j { a.at(i, i) } else { 0.0 })
    } else if of.has(Property::Symmetric) {
        Matrix::from_fn(n, n, |i, j| f64::midpoint(a.at(i, j), a.at(j, i)))
    } else if of.has(Property::Skew) {
        Matrix::from_fn(n, n, |i, j| 0.5 * (a.at(i, j) - a.at(j, i)))
    } else {
        a
    }
}

/// Whether a matrix has a property, but for rounding.
pub fn obeys(a: &Matrix, property: Property) -> bool {
    const TOLERANCE: f64 = 1e-8;
    let n = a.rows();
    let size = a.max_abs();
    let close = |b: &Matrix| a.subtract(b).max_abs() <= TOLERANCE * size;
    match property {
        Property::Symmetric => a.is_square() && close(&a.transpose()),
        Property::Skew => a.is_square() && close(&a.transpose().scale(-1.0)),
        Property::Diagonal => a.is_square() && close(&a.diagonal().to_diagonal()),
        Property::Orthogonal => {
            let gram = product(a.view().transposed(), a.view());
            a.is_square() && gram.subtract(&Matrix::identity(n)).max_abs() <= TOLERANCE
        }
        Property::Invertible => a.inverse().is_ok(),
        Property::PositiveDefinite => a.is_square() && close(&a.transpose()) && a.cholesky().is_ok(),
        Property::Positive => a.entries().iter().all(|&x| x > 0.0),
        Property::Nonnegative => a.entries().iter().all(|&x| x >= 0.0),
        Property::OneHot => {
            a.entries().iter().all(|&x| x == 0.0 || x == 1.0) && a.row_sums().entries().iter().all(|&x| x == 1.0)
        }
        Property::RowStochastic => {
            a.entries().iter().all(|&x| x >= 0.0)
                && a.row_sums().entries().iter().all(|&x| (x - 1.0).abs() <= TOLERANCE)
        }
        Property::Constant => true,
        Property::ZeroRowSums => a.row_sums().max_abs() <= TOLERANCE * size * a.columns() as f64,
        Property::ZeroColumnSums => a.column_sums().max_abs() <= TOLERANCE * size * n as f64,
        Property::LowerTriangular => close(&a.tril()),
        Property::UpperTriangular => close(&a.triu()),
    }
}

/// A random direction in which a variable may move: entries of size ½ to 1 of either sign, in the linear space of the
/// variable's properties; zeros for a constant. Of a named result any direction.
pub fn random_direction(arena: &Arena, leaf: ExprId, rows: usize, columns: usize, random: &mut ChaCha8Rng) -> Matrix {
    let of = match arena.op(leaf) {
        Op::Variable(v) => arena.variables[v.0 as usize].properties,
        _ => arena.properties(leaf),
    };
    if of.has(Property::Constant) {
        return Matrix::zeros(rows, columns);
    }
    let direction = Matrix::from_fn(rows, columns, |_, _| {
        let size = 0.5 + 0.5 * uniform(random);
        if random.next_u64().is_multiple_of(2) { size } else { -size }
    });
    project(of, direction)
}

//! Expressions modulo a prime: numbers drawn for the names come in, the exact values of all parts go out, each with word
//! of what it rests on. What has no value there (a division by zero, a slope of a function of
//! matrices that is a mere symbol) has none, and nothing is said about it.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::field::{Dual, Exact, PRIME, add, integer, inverse, negate, times};
use super::opaque::{Symbols, digest};
use crate::dimension::{DimId, Shape};
use crate::elaborate::{Properties, Property};
use crate::expr::{Arena, Axis, ExprId, Op};
use crate::functions::{Function, Signature};
use crate::number::Number;

/// The largest matrix, in entries, that is worth the time.
const LARGEST: usize = 2048;

/// What a value rests on, the firmer first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// Rational in the numbers drawn: equal values are equal formulas but for a vanishing chance.
    Rational,
    /// Symbols for functions too: equal values are equal formulas, unequal ones may yet be.
    Symbols,
    /// Signs too, each drawn like a coin: only several draws tell.
    Signs,
}

/// A value and what it rests on.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The exact numbers.
    pub matrix: Exact,
    /// What they rest on.
    pub ground: Ground,
}

/// What a differential `dX` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Any matrix: a line that holds then holds whatever the d's are.
    Free,
    /// The slope of X where the chosen leaves move.
    Moving,
}

/// Numbers for one point modulo the prime.
#[derive(Debug)]
pub struct Draw<'a> {
    arena: &'a Arena,
    sizes: &'a HashMap<String, i64>,
    seed: u64,
    symbols: Symbols,
    /// Definitions that count as independent.
    independent: &'a [ExprId],
    /// What moves.
    moving: &'a [ExprId],
    /// Slopes that are given; `None` where the given one has no value modulo the prime.
    given: HashMap<ExprId, Option<Exact>>,
}

impl<'a> Draw<'a> {
    /// A point for a seed: the leaves in `moving` move, the definitions in `independent` only for themselves.
    pub fn new(
        arena: &'a Arena,
        sizes: &'a HashMap<String, i64>,
        independent: &'a [ExprId],
        moving: &'a [ExprId],
        seed: u64,
    ) -> Draw<'a> {
        Draw { arena, sizes, seed, symbols: Symbols::new(seed), independent, moving, given: HashMap::new() }
    }

    /// As it is, but that leaves move as given: each with the value that an expression has here.
    pub fn with_directions(mut self, directions: &[(ExprId, ExprId)]) -> Draw<'a> {
        let roots: Vec<ExprId> = directions.iter().map(|&(_, direction)| direction).collect();
        let cells = self.evaluate(&roots, World::Free);
        for &(leaf, direction) in directions {
            let value = cells.get(&direction).map(|cell| cell.matrix.map(|x| Dual::constant(x.value)));
            self.given.insert(leaf, value);
        }
        self
    }

    /// The slope that a moving leaf has.
    pub fn direction(&self, leaf: ExprId) -> Option<Exact> {
        if let Some(given) = self.given.get(&leaf) {
            return given.clone();
        }
        let arena = self.arena;
        let mut random = self.random(leaf, 1);
        let of = match arena.op(leaf) {
            Op::Variable(v) => arena.variables[v.0 as usize].properties,
            _ => arena.properties(leaf),
        };
        let (rows, columns) = self.shape(arena.shape(leaf))?;
        if of.has(Property::Constant) {
            return Some(Exact::filled(rows, columns, Dual::ZERO));
        }
        Some(linear(of, rows, columns, &mut random))
    }

    /// The values of all parts of the roots, as far as they have one.
    pub fn evaluate(&self, roots: &[ExprId], world: World) -> HashMap<ExprId, Cell> {
        let arena = self.arena;
        let mut all = arena.reachable(roots);
        if world == World::Moving {
            let leaves: Vec<ExprId> = all
                .iter()
                .filter_map(|&id| match arena.op(id) {
                    Op::Differential(of) => Some(*of),
                    _ => None,
                })
                .collect();
            if !leaves.is_empty() {
                all = arena.reachable(&[roots, &leaves].concat());
            }
        }
        let mut cells: HashMap<ExprId, Cell> = HashMap::with_capacity(all.len());
        for id in all {
            if let Some(cell) = self.cell(id, world, &cells) {
                cells.insert(id, cell);
            }
        }
        cells
    }

    fn size(&self, dimension: DimId) -> Option<usize> {
        let value = self.arena.dimensions.value(dimension, &|name| self.sizes.get(name).copied())?;
        usize::try_from(value).ok()
    }

    fn shape(&self, shape: Shape) -> Option<(usize, usize)> {
        let (rows, columns) = (self.size(shape.rows)?, self.size(shape.columns)?);
        (rows.checked_mul(columns)? <= LARGEST).then_some((rows, columns))
    }

    fn random(&self, id: ExprId, purpose: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(digest([self.seed, u64::from(id.0), purpose].into_iter()))
    }

    fn cell(&self, id: ExprId, world: World, cells: &HashMap<ExprId, Cell>) -> Option<Cell> {
        let arena = self.arena;
        let shape = self.shape(arena.shape(id))?;
        let (rows, columns) = shape;
        let mut ground = Ground::Rational;
        let mut missing = false;
        arena.operands(id, |a| match cells.get(&a) {
            Some(cell) => ground = ground.max(cell.ground),
            None => missing = true,
        });
        if missing {
            return None;
        }
        let of = |a: ExprId| &cells[&a].matrix;
        let matrix = match arena.op(id) {
            Op::Number(value) => {
                ground = ground.max(of_number(*value));
                Exact::scalar(Dual::constant(residue(*value)?))
            }
            Op::Pi => Exact::scalar(Dual::constant(self.symbols.pi())),
            Op::Euler => Exact::scalar(Dual::constant(self.symbols.euler)),
            Op::Dimension(d) => Exact::scalar(Dual::constant(integer(self.size(*d)? as i64))),
            Op::Variable(v) => {
                let variable = &arena.variables[v.0 as usize];
                let mut matrix = draw(variable.properties, rows, columns, &mut self.random(id, 0))?;
                if world == World::Moving && self.moving.contains(&id) {
                    add_slopes(&mut matrix, &self.direction(id)?);
                }
                matrix
            }
            Op::Named(name) => {
                let cell = cells.get(&arena.named(*name).body)?;
                ground = ground.max(cell.ground);
                let mut matrix = cell.matrix.clone();
                if self.independent.contains(&id) {
                    matrix = matrix.map(|x| Dual::constant(x.value));
                    if world == World::Moving && self.moving.contains(&id) {
                        add_slopes(&mut matrix, &self.direction(id)?);
                    }
                }
                matrix
            }
            Op::Differential(leaf) => match world {
                World::Free => linear(arena.properties(id), rows, columns, &mut self.random(id, 2)),
                World::Moving => {
                    let cell = cells.get(leaf)?;
                    ground = ground.max(cell.ground);
                    cell.matrix.slopes()
                }
            },
            Op::Identity => Exact::identity(rows),
            Op::Ones => Exact::filled(rows, columns, Dual::ONE),
            Op::Zeros => Exact::filled(rows, columns, Dual::ZERO),
            Op::Unit(i) => Exact::from_fn(rows, 1, |k, _| if k as u64 + 1 == *i { Dual::ONE } else { Dual::ZERO }),
            Op::Sum(terms) => {
                let mut sum = Exact::filled(rows, columns, Dual::ZERO);
                for &(c, a) in terms {
                    ground = ground.max(of_number(c));
                    let c = Dual::constant(residue(c)?);
                    sum = sum.pairs(of(a), |x, y| Some(x.plus(c.by(y))))?;
                }
                sum
            }
            Op::Product { scalars, factors } => {
                let scale = scalars.iter().fold(Dual::ONE, |s, &a| s.by(of(a).entries[0]));
                let product = match factors.as_ref() {
                    [] => Exact::scalar(Dual::ONE),
                    list => self.chain(list, cells)?,
                };
                product.map(|x| x.by(scale))
            }
            Op::Hadamard(list) => {
                let mut product = of(list[0]).clone();
                for &a in &list[1..] {
                    product = product.pairs(of(a), |x, y| Some(x.by(y)))?;
                }
                product
            }
            Op::Power(base, exponent) => match arena.op(*exponent) {
                Op::Number(Number::Ratio(n, d)) => {
                    if *d != 1 {
                        ground = ground.max(Ground::Symbols);
                    }
                    of(*base).try_map(|x| self.symbols.rational_power(x, *n, *d))?
                }
                _ => {
                    ground = ground.max(Ground::Symbols);
                    of(*base).pairs(of(*exponent), |x, y| self.symbols.general_power(x, y))?
                }
            },
            Op::MatrixPower(a, k) => match k.as_integer() {
                Some(k) => of(*a).integer_power(k)?,
                None => {
                    ground = ground.max(Ground::Symbols);
                    let symmetric = arena.properties(*a).has(Property::Symmetric);
                    self.symbol(function_number(*k), &[of(*a)], rows, columns, symmetric)?
                }
            },
            Op::Transpose(a) => of(*a).transpose(),
            Op::Compare(comparison, a, b) => {
                ground = Ground::Signs;
                let holds = |x: Dual, y: Dual| self.symbols.holds(*comparison, x.value, y.value);
                of(*a).pairs(of(*b), |x, y| Some(if holds(x, y) { Dual::ONE } else { Dual::ZERO }))?
            }
            Op::Call(function, axis, arguments) => {
                let list: Vec<&Exact> = arguments.iter().map(|&a| of(a)).collect();
                ground = ground.max(of_function(*function));
                match (function, self.behind_names(arguments[0])) {
                    // As the evaluator reads it: the logarithm of a softmax is a logsoftmax.
                    (Function::Log, inner) if matches!(arena.op(inner), Op::Call(Function::Softmax, ..)) => {
                        let Op::Call(_, axis, of_softmax) = arena.op(inner) else { return None };
                        self.call(Function::LogSoftmax, *axis, &[&cells.get(&of_softmax[0])?.matrix], shape)?
                    }
                    _ => self.call(*function, *axis, &list, shape)?,
                }
            }
            Op::ExpmFrechet(a, e) => {
                ground = ground.max(Ground::Symbols);
                self.symbol(function_number(Number::integer(-1)), &[of(*a), of(*e)], rows, columns, false)?
            }
            Op::PowerFrechet(a, e, k) => {
                let (a, e) = (of(*a), of(*e));
                let n = a.rows;
                let block = Exact::from_fn(2 * n, 2 * n, |i, j| match (i < n, j < n) {
                    (true, true) => a.at(i, j),
                    (true, false) => e.at(i, j - n),
                    (false, true) => Dual::ZERO,
                    (false, false) => a.at(i - n, j - n),
                });
                let power = block.integer_power(*k)?;
                Exact::from_fn(n, n, |i, j| power.at(i, j + n))
            }
            Op::Horizontal(parts) => {
                let mut entries = Vec::with_capacity(rows * columns);
                for i in 0..rows {
                    for &part in parts {
                        let part = of(part);
                        entries.extend((0..part.columns).map(|j| part.at(i, j)));
                    }
                }
                Exact { rows, columns, entries }
            }
            Op::Vertical(parts) => {
                Exact { rows, columns, entries: parts.iter().flat_map(|&p| of(p).entries.iter().copied()).collect() }
            }
            Op::Reshape(a) => of(*a).reshape(rows, columns)?,
        };
        debug_assert_eq!((matrix.rows, matrix.columns), shape, "{:?}", arena.op(id));
        ((matrix.rows, matrix.columns) == shape).then_some(Cell { matrix, ground })
    }

    fn behind_names(&self, mut id: ExprId) -> ExprId {
        while let Op::Named(name) = self.arena.op(id)
            && !self.independent.contains(&id)
        {
            id = self.arena.named(*name).body;
        }
        id
    }

    /// The product of factors from the side where it stays smaller.
    fn chain(&self, list: &[ExprId], cells: &HashMap<ExprId, Cell>) -> Option<Exact> {
        let of = |a: ExprId| &cells[&a].matrix;
        let (first, last) = (of(list[0]), of(list[list.len() - 1]));
        if first.rows <= last.columns {
            list[1..].iter().try_fold(first.clone(), |left, &a| left.multiply(of(a)))
        } else {
            list[..list.len() - 1].iter().rev().try_fold(last.clone(), |right, &a| of(a).multiply(&right))
        }
    }

    /// A function of whole matrices that is only a symbol: an unknown matrix for each argument; `None` where that moves.
    fn symbol(&self, number: u64, of: &[&Exact], rows: usize, columns: usize, symmetric: bool) -> Option<Exact> {
        if of.iter().any(|a| a.moves()) {
            return None;
        }
        let argument = digest(of.iter().flat_map(|a| a.entries.iter().map(|x| x.value)));
        Some(Exact::from_fn(rows, columns, |i, j| {
            let (i, j) = if symmetric && i > j { (j, i) } else { (i, j) };
            Dual::constant(self.symbols.entry(number, argument, (i * columns + j) as u64))
        }))
    }

    fn call(&self, function: Function, axis: Axis, list: &[&Exact], shape: (usize, usize)) -> Option<Exact> {
        let a = list[0];
        let (rows, columns) = shape;
        let symbols = &self.symbols;
        let over = |sum: Exact, count: usize| {
            let factor = Dual::constant(inverse(count as u64)?);
            Some(sum.map(|x| x.by(factor)))
        };
        let row_sums = || Exact::from_fn(a.rows, 1, |i, _| line_sum((0..a.columns).map(|j| a.at(i, j))));
        let column_sums = || Exact::from_fn(1, a.columns, |_, j| line_sum((0..a.rows).map(|i| a.at(i, j))));
        Some(match function {
            Function::LeakyRelu => {
                let slope = list[1].entries[0];
                a.map(|x| if symbols.sign(x.value) > 0 { x } else { slope.by(x) })
            }
            Function::Max => a.pairs(list[1], |x, y| Some(symbols.larger(x, y)))?,
            Function::Min => a.pairs(list[1], |x, y| Some(symbols.larger(x.negated(), y.negated()).negated()))?,
            Function::Softmax | Function::LogSoftmax | Function::LogSumExp => self.row_wise(function, axis, a)?,
            Function::Sum => Exact::scalar(a.sum()),
            Function::Mean => over(Exact::scalar(a.sum()), a.entries.len())?,
            Function::RowSum => row_sums(),
            Function::RowMean => over(row_sums(), a.columns)?,
            Function::ColSum => column_sums(),
            Function::ColMean => over(column_sums(), a.rows)?,
            Function::Trace => Exact::scalar(line_sum((0..a.rows).map(|i| a.at(i, i)))),
            Function::Det => Exact::scalar(a.eliminate()?.1),
            Function::LogDet => Exact::scalar(symbols.log(a.eliminate()?.1)?),
            Function::Norm => Exact::scalar(symbols.rational_power(a.dot(a), 1, 2)?),
            Function::Norm1 => Exact::scalar(line_sum(a.entries.iter().map(|&x| symbols.scaled_by_sign(x)))),
            Function::NormSq => Exact::scalar(a.dot(a)),
            Function::Dot => Exact::scalar(a.dot(list[1])),
            Function::Inv => a.inverse()?,
            Function::Adj => {
                let (inverse, determinant) = a.eliminate()?;
                inverse?.map(|x| x.by(determinant))
            }
            // The pseudo-inverse at full rank.
            Function::Pinv if a.rows >= a.columns => {
                let turned = a.transpose();
                turned.multiply(a)?.inverse()?.multiply(&turned)?
            }
            Function::Pinv => {
                let turned = a.transpose();
                turned.multiply(&a.multiply(&turned)?.inverse()?)?
            }
            Function::Expm => self.symbol(function as u64, list, rows, columns, false)?,
            Function::Chol => {
                let lower = self.symbol(function as u64, list, rows, columns, false)?;
                Exact::from_fn(rows, columns, |i, j| if i >= j { lower.at(i, j) } else { Dual::ZERO })
            }
            Function::Tril => Exact::from_fn(rows, columns, |i, j| if i >= j { a.at(i, j) } else { Dual::ZERO }),
            Function::Triu => Exact::from_fn(rows, columns, |i, j| if i <= j { a.at(i, j) } else { Dual::ZERO }),
            Function::TransposeOf => a.transpose(),
            Function::Diag if a.columns == 1 || a.rows == 1 => {
                Exact::from_fn(rows, columns, |i, j| if i == j { a.entries[i] } else { Dual::ZERO })
            }
            Function::Diag => Exact::from_fn(rows, 1, |i, _| a.at(i, i)),
            Function::Vec | Function::Reshape => a.reshape(rows, columns)?,
            Function::Vech => {
                let entries = (0..a.columns).flat_map(|j| (j..a.rows).map(move |i| a.at(i, j))).collect();
                Exact { rows, columns, entries }
            }
            Function::Unvech => {
                let mut out = Exact::filled(rows, columns, Dual::ZERO);
                let mut entries = a.entries.iter();
                for j in 0..columns {
                    for i in j..rows {
                        out.entries[i * columns + j] = *entries.next()?;
                    }
                }
                out
            }
            Function::Kron => {
                let b = list[1];
                Exact::from_fn(rows, columns, |i, j| {
                    a.at(i / b.rows, j / b.columns).by(b.at(i % b.rows, j % b.columns))
                })
            }
            _ => a.try_map(|x| symbols.apply(function, x))?,
        })
    }

    fn row_wise(&self, function: Function, axis: Axis, a: &Exact) -> Option<Exact> {
        let turned;
        let a = if axis == Axis::Columns {
            turned = a.transpose();
            &turned
        } else {
            a
        };
        let width = if axis == Axis::All { a.entries.len() } else { a.columns };
        let mut entries = Vec::with_capacity(a.entries.len());
        for line in a.entries.chunks_exact(width.max(1)) {
            let powers: Vec<Dual> = line.iter().map(|&x| self.symbols.exp(x)).collect();
            let total = line_sum(powers.iter().copied());
            match function {
                Function::Softmax => {
                    let factor = total.inverse()?;
                    entries.extend(powers.iter().map(|e| e.by(factor)));
                }
                Function::LogSumExp => entries.push(self.symbols.log(total)?),
                _ => {
                    let log = self.symbols.log(total)?;
                    entries.extend(line.iter().map(|x| x.minus(log)));
                }
            }
        }
        let columns = if function == Function::LogSumExp { 1 } else { a.columns };
        let out = Exact { rows: entries.len() / columns.max(1), columns, entries };
        Some(if axis == Axis::Columns { out.transpose() } else { out })
    }
}

fn line_sum(line: impl Iterator<Item = Dual>) -> Dual {
    line.fold(Dual::ZERO, Dual::plus)
}

/// A number that tells the powers of matrices apart from the functions of the dictionary.
fn function_number(k: Number) -> u64 {
    1000 + k.to_f64().to_bits() % 1_000_003
}

fn of_number(value: Number) -> Ground {
    // Floats were rounded on the way, so equations between them hold only nearly.
    if matches!(value, Number::Ratio(..)) { Ground::Rational } else { Ground::Symbols }
}

/// What the values of a function rest on beside its arguments.
fn of_function(function: Function) -> Ground {
    match function {
        Function::Abs
        | Function::Sign
        | Function::Step
        | Function::Relu
        | Function::LeakyRelu
        | Function::Elu
        | Function::Max
        | Function::Min
        | Function::Norm1 => Ground::Signs,
        Function::Square | Function::Recip => Ground::Rational,
        Function::LogDet | Function::Norm | Function::Expm | Function::Chol => Ground::Symbols,
        _ => match function.entry().signature {
            Signature::Elementwise | Signature::AlongRows | Signature::ReduceRows => Ground::Symbols,
            _ => Ground::Rational,
        },
    }
}

/// A number modulo the prime; a float exactly as its binary fraction.
fn residue(value: Number) -> Option<u64> {
    match value {
        Number::Ratio(n, d) => Some(times(integer(n), inverse(integer(d))?)),
        Number::Float(x) => {
            let bits = x.to_bits();
            let exponent = ((bits >> 52) & 0x7ff) as i64;
            let fraction = bits & ((1 << 52) - 1);
            if exponent == 0x7ff {
                return None;
            }
            let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
            let two = Dual::constant(2).power(exponent.max(1) - 1075)?.value;
            let size = times(mantissa, two);
            Some(if x < 0.0 { negate(size) } else { size })
        }
    }
}

fn uniform(random: &mut ChaCha8Rng) -> u64 {
    random.next_u64() % PRIME
}

fn add_slopes(matrix: &mut Exact, direction: &Exact) {
    for (x, d) in matrix.entries.iter_mut().zip(&direction.entries) {
        x.slope = add(x.slope, d.value);
    }
}

/// Random numbers in the linear space of the properties.
fn linear(of: Properties, rows: usize, columns: usize, random: &mut ChaCha8Rng) -> Exact {
    let a = Exact::from_fn(rows, columns, |_, _| Dual::constant(uniform(random)));
    let square = rows == columns;
    let keep = |i: usize, j: usize| {
        !(of.has(Property::Diagonal) && i != j
            || of.has(Property::LowerTriangular) && i < j
            || of.has(Property::UpperTriangular) && i > j)
    };
    Exact::from_fn(rows, columns, |i, j| {
        if !keep(i, j) {
            Dual::ZERO
        } else if square && of.has(Property::Symmetric) {
            a.at(i.min(j), i.max(j))
        } else if square && of.has(Property::Skew) {
            a.at(i, j).minus(a.at(j, i))
        } else {
            a.at(i, j)
        }
    })
}

/// Random numbers with all declared properties that have a meaning modulo a prime.
fn draw(of: Properties, rows: usize, columns: usize, random: &mut ChaCha8Rng) -> Option<Exact> {
    if of.has(Property::OneHot) {
        let places: Vec<usize> = (0..rows).map(|_| (random.next_u64() % columns as u64) as usize).collect();
        return Some(Exact::from_fn(rows, columns, |i, j| if places[i] == j { Dual::ONE } else { Dual::ZERO }));
    }
    if of.has(Property::RowStochastic) {
        let mut out = linear(Properties::NONE, rows, columns, random);
        for i in 0..rows {
            let rest = line_sum((1..columns).map(|j| out.at(i, j)));
            out.entries[i * columns] = Dual::ONE.minus(rest);
        }
        return Some(out);
    }
    if of.has(Property::Orthogonal) {
        let identity = Exact::identity(rows);
        if of.has(Property::Diagonal) || of.has(Property::PositiveDefinite) || of.has(Property::Nonnegative) {
            return Some(identity);
        }
        if of.has(Property::Symmetric) {
            // A reflection, I − 2vvᵀ/(vᵀv).
            let v = linear(Properties::NONE, rows, 1, random);
            let factor = Dual::constant(2).by(v.dot(&v).inverse()?);
            let outer = v.multiply(&v.transpose())?;
            return identity.pairs(&outer, |x, y| Some(x.minus(factor.by(y))));
        }
        if of.has(Property::Skew) {
            return None;
        }
        // Cayley's transform of a skew matrix.
        let skew = linear(Properties::NONE.with(Property::Skew), rows, rows, random);
        let left = identity.pairs(&skew, |x, y| Some(x.minus(y)))?;
        let right = identity.pairs(&skew, |x, y| Some(x.plus(y)))?;
        return left.multiply(&right.inverse()?);
    }
    Some(linear(of, rows, columns, random))
}

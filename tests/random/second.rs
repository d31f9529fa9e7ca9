//! Second order: the random programs ask for Hessians along directions, and for Jacobians along and against, in place of
//! gradients. What is expected comes from the slopes of the tree, and from differences of those slopes.

use std::collections::HashMap;

use matgrad::elaborate::{Ask, Meaning, Property};
use matgrad::eval::{Numbers, evaluate};
use matgrad::expr::ExprId;
use matgrad::matrix::Matrix;
use matgrad::syntax::ast::{AskKind, NodeId};
use matgrad::tensor::contract;

use super::chance::Chance;
use super::direct::{Moves, Point, values};
use super::judge::{Judge, Left, Verdict, judge_text, wrong};
use super::points::projected;
use super::tree::{Brackets, Program};

/// The first step of the differences, and how often it is halved.
const STEP: f64 = 1.0 / 256.0;
const LEVELS: usize = 3;
/// Nearer to a kink than this the differences would cross it.
const CLEARANCE: f64 = 0.03;
/// Relative error that differences of slopes explain.
const TOLERANCE: f64 = 1e-6;

/// The program with requests of second order; `None` where it has no variable to move.
pub fn source(program: &Program, seed: u64) -> Option<String> {
    let mut chance = Chance::new(seed ^ 0x5EC0);
    let mut bare = program.clone();
    bare.asks.clear();
    let mut lines = vec![bare.text(Brackets::Needed).trim_end().to_owned()];
    for (k, ask) in program.asks.iter().enumerate() {
        let of = ask.of.text(Brackets::Needed);
        let wrt = &ask.wrt;
        if wrt.is_empty() {
            continue;
        }
        let (x, y) = (chance.one_of(wrt).clone(), chance.one_of(wrt).clone());
        let v = match chance.below(4) {
            0 => format!("2*{x}"),
            1 => format!("sin({x}) - {x}"),
            _ => format!("V9{k}"),
        };
        let manner = chance.below(if ask.gradient { 10 } else { 5 });
        lines.push(match manner {
            0 => format!("jacobian {of} wrt {x} along {v}"),
            1 if x != y => format!("jacobian {of} wrt {x}, {y} along {v}, Q8{k}"),
            3 => format!("jacobian {of} wrt {x}"),
            4 if x != y => format!("jacobian {of} wrt {x}, {y}"),
            4 => format!("jacobian {of} wrt {x}"),
            5 | 6 => format!("hessian {of} wrt {x}"),
            7 => format!("hessian {of} wrt {x}, {y}"),
            1 | 2 => {
                let u = if chance.percent(30) { format!("2*({of})") } else { format!("U9{k}") };
                let names = if x == y { x } else { format!("{x}, {y}") };
                format!("jacobian {of} wrt {names} against {u}")
            }
            8 => format!("hessian {of} wrt {x}, {y} along Q8{k}"),
            9 if x != y => format!("hessian {of} wrt {x}, {y} along {v}, Q8{k}"),
            _ => format!("hessian {of} wrt {x} along {v}"),
        });
    }
    (lines.len() > 1).then(|| lines.join("\n") + "\n")
}

/// Judges the program of second order.
pub fn judge(program: &Program, seed: u64, thorough: bool) -> Verdict {
    let Some(source) = source(program, seed) else { return Verdict::Open("nothing moves".to_owned()) };
    let undeclared = program.variables.iter().any(|v| !v.declared);
    match judge_text(&source, seed, thorough) {
        Verdict::Wrong("refused", message) if undeclared && message.contains('?') => {
            Verdict::Open("a type that use does not settle".to_owned())
        }
        Verdict::Wrong("refused", message) if undeclared && message.contains("unknown variable") => {
            Verdict::Open("a variable of other requests only".to_owned())
        }
        Verdict::Wrong("refused", message) if message.contains("so they have no block of a Hessian") => {
            Verdict::Open("a block of names that depend on each other".to_owned())
        }
        verdict => verdict,
    }
}

impl Judge<'_> {
    /// The results of a request along or against something.
    pub(super) fn directed(
        &mut self,
        point: &Point,
        numbers: &mut Numbers,
        ask: &Ask,
        place: usize,
        count: usize,
    ) -> Result<(), Left> {
        numbers.differentials.clear();
        let directions = self.values_at(point, &Moves::default(), &ask.directions)?;
        let directions: Vec<Matrix> = directions.into_iter().map(|(value, _)| value).collect();
        for i in 0..count {
            match ask.kind {
                AskKind::JacobianAlong => {
                    let moves = self.moves(point, &ask.wrt, &directions);
                    let truth = self.values_at(point, &moves, &[ask.of])?.remove(0).1;
                    let found = self.result(numbers, place + i)?;
                    self.compare_all(&found, &truth, None)?;
                }
                AskKind::JacobianAgainst => {
                    let mut moves = Moves::default();
                    self.move_one(point, &ask.wrt[i], &mut moves)?;
                    let slope = self.values_at(point, &moves, &[ask.of])?.remove(0).1;
                    let truth = Matrix::scalar(directions[0].dot(&slope));
                    let found = self.result(numbers, place + i)?;
                    self.compare_all(&found, &truth, only(&moves))?;
                }
                AskKind::Jacobian => {
                    let mut moves = Moves::default();
                    self.move_one(point, &ask.wrt[i], &mut moves)?;
                    let slope = self.values_at(point, &moves, &[ask.of])?.remove(0).1;
                    let direction = only(&moves).cloned().unwrap_or_else(|| slope.clone());
                    self.tensor(numbers, place + i, None, &direction, &slope)?;
                }
                AskKind::Hessian => {
                    let (mut first, mut last) = (Moves::default(), Moves::default());
                    self.move_one(point, &ask.wrt[0], &mut first)?;
                    self.move_one(point, &ask.wrt[ask.wrt.len() - 1], &mut last)?;
                    let truth = match (first.definitions.is_empty(), last.definitions.is_empty()) {
                        (true, _) => self.second(point, ask.of, &last, &first)?,
                        (false, true) => self.second(point, ask.of, &first, &last)?,
                        (false, false) => continue,
                    };
                    if let (Some(d), Some(e)) = (only(&first), only(&last)) {
                        self.tensor(numbers, place + i, Some(d), e, &Matrix::scalar(truth))?;
                    }
                }
                _ => {
                    let block = ask.wrt.len() == 2 && directions.len() == 1;
                    let moving = if block { &ask.wrt[1..] } else { &ask.wrt[..] };
                    let along = self.moves(point, moving, &directions);
                    let mut across = Moves::default();
                    self.move_one(point, &ask.wrt[i], &mut across)?;
                    let truth = match (along.definitions.is_empty(), across.definitions.is_empty()) {
                        // Only variables can be moved by differences; the second derivative is symmetric.
                        (_, true) => self.second(point, ask.of, &along, &across)?,
                        (true, false) => self.second(point, ask.of, &across, &along)?,
                        (false, false) => continue,
                    };
                    let found = self.result(numbers, place + i)?;
                    self.compare_all(&found, &Matrix::scalar(truth), only(&across))?;
                }
            }
            self.counts.results += 1;
            let found = self.result(numbers, place + i)?;
            self.texts(point, &HashMap::new(), place + i, &found[0], found.get(2))?;
        }
        Ok(())
    }

    /// A Jacobian or Hessian in all its forms, applied to directions, against the truth.
    fn tensor(
        &mut self,
        numbers: &Numbers,
        place: usize,
        left: Option<&Matrix>,
        right: &Matrix,
        truth: &Matrix,
    ) -> Result<(), Left> {
        let rough = 20.0 * std::mem::take(&mut self.roughness);
        let rows = left.map_or(truth.entries().len(), |d| d.entries().len());
        let columns = right.entries().len();
        // Column by column: the stacked directions.
        let (stacked_right, stacked_left) = (right.reshape(columns, 1), left.map(|d| d.reshape(rows, 1)));
        let applied = |matrix: &Matrix| {
            let along = matrix.multiply(&stacked_right);
            match &stacked_left {
                Some(left) => Matrix::scalar(left.dot(&along)),
                None => along.reshape(truth.rows(), truth.columns()),
            }
        };
        let mut forms: Vec<(&str, Matrix)> = Vec::new();
        for (form, name) in self.result(numbers, place)?.iter().zip(["the result", "the program", "the value"]) {
            if form.entries().len() != rows * columns {
                return Err(wrong("shape", format!("{name} is {:?}, not {rows} by {columns}", form.shape())));
            }
            forms.push((name, form.reshape(rows, columns)));
        }
        let entries = self.entries(numbers, place, left.unwrap_or(truth).shape(), right.shape())?;
        forms.extend(entries.map(|entries| ("the entries", entries)));
        if let (Some(first), Some(last), true) = (left, Some(right), rows == columns) {
            let outcome = &self.found.outcomes[place];
            if outcome.wrt_nodes.first() == outcome.wrt_nodes.last() && first.shape() == last.shape() {
                let (_, matrix) = &forms[0];
                let off = matrix.subtract(&matrix.transpose()).max_abs();
                if !(off <= 1e-8 * matrix.max_abs().max(1e-2)) {
                    return Err(wrong("symmetry", format!("a Hessian off by {off}: {:?}", matrix.entries())));
                }
            }
        }
        for (name, form) in &forms {
            let size = form.map(f64::abs).multiply(&stacked_right.map(f64::abs)).max_abs();
            let scale = truth.max_abs().max(size).max(1e-2);
            let found = applied(form);
            let off = found.subtract(truth).max_abs();
            if !(off <= TOLERANCE * scale + rough) {
                let what = format!("{name} gives {:?}, the tree {:?}", found.entries(), truth.entries());
                return Err(wrong("tensor", what));
            }
        }
        Ok(())
    }

    /// The tensor of an outcome entry by entry, as a matrix of stacked sides; `None` where it is too large.
    fn entries(
        &self,
        numbers: &Numbers,
        place: usize,
        (m, n): (usize, usize),
        (p, q): (usize, usize),
    ) -> Result<Option<Matrix>, Left> {
        let (arena, outcome) = (&self.found.arena, &self.found.outcomes[place]);
        let Some(forms) = &outcome.forms else { return Err(wrong("shape", "no entries".to_owned())) };
        self.is_small(numbers, &contract::roots(&forms.entries))?;
        let values = evaluate(arena, numbers, &contract::roots(&forms.entries));
        let values = values.map_err(|error| wrong("no value", format!("the entries: {error}")))?;
        let of = |name: &str| numbers.dimensions.get(name).copied();
        let size = |d| arena.dimensions.value(d, &of).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let axes: Vec<usize> = forms.entries.axes.iter().map(|&d| size(d)).collect();
        let terms = contract::numbers(&forms.entries, values, &size);
        let Some(dense) = contract::dense(&forms.entries, &axes, &terms, &mut contract::Reference) else {
            return Ok(None);
        };
        if dense.len() != m * n * p * q {
            return Err(wrong("shape", format!("{} entries, not {m}x{n}x{p}x{q}", dense.len())));
        }
        // The last index is the fastest in the tensor, the first of each side in the matrix.
        Ok(Some(Matrix::from_fn(m * n, p * q, |row, column| {
            let (i, j, k, l) = (row % m, row / m, column % p, column / p);
            dense[((i * n + j) * p + k) * q + l]
        })))
    }

    /// The forms of a result: the result, the last line of its program, its value.
    fn result(&self, numbers: &Numbers, place: usize) -> Result<Vec<Matrix>, Left> {
        let outcome = &self.found.outcomes[place];
        let mut roots = vec![outcome.result, outcome.program[outcome.program.len() - 1].right];
        roots.extend(outcome.value);
        self.is_small(numbers, &roots)?;
        evaluate(&self.found.arena, numbers, &roots).map_err(|error| wrong("no value", error.to_string()))
    }

    /// Whether no matrix on the way is so large that the plain arithmetic takes seconds: second derivatives of functions
    /// of matrices within each other have such.
    fn is_small(&self, numbers: &Numbers, roots: &[ExprId]) -> Result<(), Left> {
        const MOST_ENTRIES: i64 = 2_500;
        let arena = &self.found.arena;
        let of = |name: &str| numbers.dimensions.get(name).copied();
        let entries = |id: ExprId| {
            let shape = arena.shape(id);
            let size = |d| arena.dimensions.value(d, &of).unwrap_or(0);
            size(shape.rows).saturating_mul(size(shape.columns))
        };
        match arena.reachable(roots).into_iter().all(|id| entries(id) <= MOST_ENTRIES) {
            true => Ok(()),
            false => Err(Left::Point("large matrices")),
        }
    }

    /// Values and slopes of nodes where no kink is near.
    fn values_at(&mut self, point: &Point, moves: &Moves, roots: &[NodeId]) -> Result<Vec<(Matrix, Matrix)>, Left> {
        let found = values(&self.found.typed, point, moves, &HashMap::new(), roots).map_err(|e| Left::Point(e.0))?;
        self.ties |= found.ties;
        if found.clearance < CLEARANCE || found.largest > 1e3 {
            return Err(Left::Point("a kink nearby or large numbers"));
        }
        let values = roots.iter().map(|root| found.nodes[root.0 as usize].as_ref().map(|g| (g.values(), g.slopes())));
        values.collect::<Option<Vec<_>>>().ok_or(Left::Point("nothing"))
    }

    /// The leaves along their directions, each with its structure.
    fn moves(&self, point: &Point, leaves: &[Meaning], directions: &[Matrix]) -> Moves {
        let mut moves = Moves::default();
        for (meaning, direction) in leaves.iter().zip(directions) {
            match meaning {
                Meaning::Variable(v) => {
                    let of = self.found.typed.variables[v.0 as usize].properties;
                    let mut own = projected(of, direction);
                    if of.has(Property::Constant) {
                        own = own.scale(0.0);
                    }
                    debug_assert_eq!(own.shape(), point.variables[v.0 as usize].shape());
                    moves.variables.insert(v.0 as usize, own);
                }
                Meaning::Definition(d) => {
                    moves.definitions.insert(d.0 as usize, direction.clone());
                }
                _ => {}
            }
        }
        moves
    }

    /// The change of the slope along some moves where variables move along others.
    fn second(&mut self, point: &Point, of: NodeId, slope: &Moves, change: &Moves) -> Result<f64, Left> {
        let mut table: Vec<f64> = Vec::new();
        let (mut best, mut error) = (0.0, f64::INFINITY);
        let mut step = STEP;
        let mut size = 0.0_f64;
        for level in 0..LEVELS {
            let mut at = |t: f64| {
                let mut moved = point.clone();
                for (&i, direction) in &change.variables {
                    moved.variables[i].add_scaled(t, direction);
                }
                Ok(self.values_at(&moved, slope, &[of])?.remove(0).1.entries()[0])
            };
            let (after, before) = (at(step)?, at(-step)?);
            size = size.max(after.abs()).max(before.abs());
            let mut row = vec![(after - before) / (2.0 * step)];
            let mut factor = 1.0;
            for j in 1..=level {
                factor *= 4.0;
                row.push(row[j - 1] + (row[j - 1] - table[j - 1]) / (factor - 1.0));
            }
            if level > 0 {
                error = f64::abs(row[level] - row[level - 1]);
            }
            best = row[level];
            table = row;
            step *= 0.5;
        }
        // What rounding of the slopes leaves.
        let rounding = 1e-13 * size.max(1.0) / step;
        self.roughness = error.max(rounding);
        if self.roughness > 1e-5 * best.abs().max(1e-2) {
            return Err(Left::Point("differences that tell nothing"));
        }
        Ok(best)
    }

    /// Each form, or its product with a direction, against the truth.
    fn compare_all(&mut self, found: &[Matrix], truth: &Matrix, against: Option<&Matrix>) -> Result<(), Left> {
        let rough = 20.0 * std::mem::take(&mut self.roughness);
        for (form, name) in found.iter().zip(["the result", "the program", "the value"]) {
            let (own, size) = match against {
                Some(d) if d.shape() != form.shape() => {
                    return Err(wrong("shape", format!("{name} is {:?}, not {:?}", form.shape(), d.shape())));
                }
                Some(d) => (Matrix::scalar(form.dot(d)), form.zip(d, |x, y| (x * y).abs()).sum()),
                None => (form.clone(), 0.0),
            };
            if own.shape() != truth.shape() {
                return Err(wrong("shape", format!("{name} is {:?}, not {:?}", own.shape(), truth.shape())));
            }
            let scale = truth.max_abs().max(size).max(1e-2);
            let off = own.subtract(truth).max_abs();
            if !(off <= TOLERANCE * scale + rough) {
                let what = format!("{name} gives {:?}, the tree {:?}", own.entries(), truth.entries());
                return Err(wrong("second", what));
            }
        }
        Ok(())
    }
}

/// The one direction of moves.
fn only(moves: &Moves) -> Option<&Matrix> {
    moves.variables.values().chain(moves.definitions.values()).next()
}

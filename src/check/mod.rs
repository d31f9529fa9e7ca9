//! Every result and every line of a derivation against numbers that come from elsewhere: an answer comes in, a report goes
//! out. Results are compared with differences of the function itself at random points, lines side against side, and what is
//! algebra also exactly, modulo a prime. No rule of the calculus is used here; what could not be checked is said.

mod differences;
mod exact;
mod field;
mod halves;
mod higher;
mod kinks;
mod opaque;
mod report;
mod results;
mod steps;

use std::collections::HashMap;
use std::ops::Range;

use crate::answer::{Answer, Direction};
use crate::elaborate::Meaning;
use crate::eval::{Evaluator, Numbers, Sampler, random_direction};
use crate::expr::{Arena, ExprId, Op};
use crate::matrix::Matrix;
use crate::syntax::ast::AskKind;

use differences::{Derivative, FIRST_STEPS, derivatives};

pub use report::{Checked, Failure, Report};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// How much is checked.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Random points for each result, of unequal sizes; one for a very large program.
    pub points: usize,
    /// Variables of at most so many entries are checked entry by entry too, at the first point.
    pub entries: usize,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { points: 3, entries: 16, seed: 1 }
    }
}

/// Results agree to this, relative to their size.
const RESULT_TOLERANCE: f64 = 1e-7;
/// Both sides of a line agree to this, relative to their size.
const STEP_TOLERANCE: f64 = 1e-7;
/// Sizes above this are reduced where the formulas allow it.
const LARGEST_SIZE: i64 = 8;
/// With more numbers than this one point must do.
const MOST_ENTRIES: usize = 20_000;
/// With more operations times variables than this too.
const MOST_WORK: usize = 20_000;
/// An evaluation of more operations is not made.
const MOST_OPERATIONS: f64 = 1e7;
/// The same where the result is a matrix for vec: such a matrix is larger, and the function is not.
const MOST_OF_A_MATRIX: f64 = 3e8;
/// A difference with a larger relative error tells nothing.
const USELESS: f64 = 1e-5;

/// Checks all results of an answer and all lines of their derivations.
pub fn check(answer: &Answer, options: Options) -> Report {
    let mut report = Report::new(answer);
    results::programs_go_on_from_each_other(answer, &mut report);
    let groups = groups(answer);
    match halves::halves(answer, &groups) {
        None => groups.iter().for_each(|group| Check::new(answer, group, options).run(&mut report)),
        Some(halves) => {
            let mut found = Report::new(&halves.answer);
            for group in &halves.groups {
                Check::new(&halves.answer, group, options).run(&mut found);
            }
            halves.join(found, &mut report);
        }
    }
    results::programs_go_on_from_each_other(answer, &mut report);
    report
}

/// The results of one request.
struct Group {
    outcomes: Range<usize>,
    /// What moves together in the derivation.
    wrt: Vec<ExprId>,
}

/// Results in the order of the requests; each belongs to the request that names its variable.
fn groups(answer: &Answer) -> Vec<Group> {
    let mut out = Vec::new();
    let mut next = 0;
    for ask in &answer.typed.asks {
        let start = next;
        let is_block = ask.wrt.len() == 2 && ask.directions.len() == 1;
        let wanted = match ask.kind {
            AskKind::HessianAlong if is_block => 1,
            AskKind::Gradient | AskKind::Jacobian | AskKind::JacobianAgainst | AskKind::HessianAlong => {
                let named = |m: &&Meaning| matches!(m, Meaning::Variable(_) | Meaning::Definition(_));
                ask.wrt.iter().filter(named).count()
            }
            AskKind::Hessian | AskKind::Differential | AskKind::JacobianAlong => 1,
        };
        while next < answer.outcomes.len()
            && next - start < wanted
            && answer.outcomes[next].kind == ask.kind
            && answer.outcomes[next].of == ask.of_text
        {
            next += 1;
        }
        let mut wrt: Vec<ExprId> = Vec::new();
        for outcome in &answer.outcomes[start..next] {
            wrt.extend(outcome.wrt_nodes.iter().filter(|leaf| !wrt.contains(leaf)).copied().collect::<Vec<_>>());
        }
        out.push(Group { outcomes: start..next, wrt });
    }
    // Whatever no request accounts for stands for itself.
    for i in next..answer.outcomes.len() {
        out.push(Group { outcomes: i..i + 1, wrt: answer.outcomes[i].wrt_nodes.clone() });
    }
    out.retain(|group| !group.outcomes.is_empty());
    out
}

/// The check of one request's results.
struct Check<'a> {
    answer: &'a Answer,
    arena: &'a Arena,
    options: Options,
    outcomes: Range<usize>,
    wrt: &'a [ExprId],
    /// Definitions among `wrt` that count as independent while all move.
    independent: Vec<ExprId>,
    /// What moves by itself: `wrt` without definitions that depend on others of it.
    joint: Vec<ExprId>,
    /// The function with one of those definitions independent, for its own gradient.
    own: HashMap<ExprId, Evaluator>,
    of: ExprId,
    /// Named results whose differentials stand in the lines.
    named: Vec<ExprId>,
    lines: Vec<steps::Line>,
}

/// A point: numbers for all names, and the directions in which the leaves move.
struct Point {
    numbers: Numbers,
    directions: HashMap<ExprId, Matrix>,
    /// What a transposed Jacobian is applied to.
    cotangent: Option<Matrix>,
    index: usize,
}

impl<'a> Check<'a> {
    fn new(answer: &'a Answer, group: &'a Group, options: Options) -> Check<'a> {
        let arena = &answer.arena;
        let of = answer.outcomes[group.outcomes.start].of_node;
        // In a gradient a definition that depends on another variable asked for passes on what that gets; its own
        // gradient is the one with it independent. In a differential every definition asked for is independent.
        let passes_on = |leaf: ExprId| {
            let Op::Named(name) = arena.op(leaf) else { return false };
            let below = arena.reachable(&[arena.named(*name).body]);
            let kind = answer.outcomes[group.outcomes.start].kind;
            let splits = matches!(kind, AskKind::Gradient | AskKind::Jacobian | AskKind::JacobianAgainst);
            splits && group.wrt.iter().any(|other| *other != leaf && below.binary_search(other).is_ok())
        };
        let (dependent, joint): (Vec<ExprId>, Vec<ExprId>) = group.wrt.iter().partition(|&&leaf| passes_on(leaf));
        let independent: Vec<ExprId> =
            joint.iter().copied().filter(|&leaf| matches!(arena.op(leaf), Op::Named(_))).collect();
        let own = dependent.iter().map(|&leaf| {
            let independent = [independent.as_slice(), &[leaf]].concat();
            (leaf, Evaluator::with_independent(arena, &[of], &independent))
        });
        let own = own.collect();
        let lines = steps::lines(answer, group.outcomes.clone());
        let sides: Vec<ExprId> = lines.iter().flat_map(steps::Line::sides).collect();
        let mut named: Vec<ExprId> = Vec::new();
        for id in arena.reachable(&sides) {
            if let Op::Differential(leaf) = *arena.op(id)
                && matches!(arena.op(leaf), Op::Named(_))
                && !independent.contains(&leaf)
            {
                named.push(leaf);
            }
        }
        let (outcomes, wrt) = (group.outcomes.clone(), group.wrt.as_slice());
        Check { answer, arena, options, outcomes, wrt, independent, joint, own, of, named, lines }
    }

    fn run(&self, report: &mut Report) {
        let (arena, outcomes) = (self.arena, &self.answer.outcomes[self.outcomes.clone()]);
        let mut essential: Vec<ExprId> =
            outcomes.iter().flat_map(|o| [Some(o.of_node), Some(o.result), o.value]).flatten().collect();
        essential.extend(self.given().iter().map(|&(_, direction)| direction));
        essential.extend(self.cotangent());
        let mut all = essential.clone();
        all.extend(outcomes.iter().flat_map(|o| o.program.iter().map(|line| line.right)));
        all.extend(self.lines.iter().flat_map(steps::Line::sides));
        let most = if outcomes.iter().any(|o| o.forms.is_some()) { MOST_OF_A_MATRIX } else { MOST_OPERATIONS };
        if self.work(&all) > most {
            for i in self.outcomes.clone() {
                report.not_checked(i, "it is too large to be evaluated at random points");
            }
            return;
        }
        let numbers = self.draw(&all, &essential, report);
        if numbers.is_empty() {
            for i in self.outcomes.clone() {
                report.not_checked(i, "no point of its domain was found");
            }
            return;
        }
        let function = Evaluator::with_independent(arena, &[self.of], &self.independent);
        let mut roots = vec![self.of];
        roots.extend(&self.named);
        let moving = Evaluator::with_independent(arena, &roots, &self.independent);
        let results = results::Results::new(self);
        let mut steps = steps::Steps::new(self);
        let (mut checked_points, mut on_a_kink) = (0, false);
        for (index, numbers) in numbers.into_iter().enumerate() {
            let Some(mut point) = self.point(numbers, index) else { continue };
            if kinks::met(self, &point) {
                on_a_kink = true;
                continue;
            }
            let joint = self.along(&point, &moving, &self.joint);
            if let Some(joint) = &joint {
                for (&leaf, derivative) in self.named.iter().zip(&joint[1..]) {
                    point.numbers.differentials.insert(leaf, derivative.value.clone());
                }
                let size = function.run(&point.numbers).map_or(0.0, |of| of[0].max_abs());
                steps.compare(self, &point, &joint[1..], size, report);
            }
            results.compare(self, &point, &function, joint.as_deref(), report);
            if checked_points == 0 {
                self.exactly(&point, &mut steps, report);
            }
            checked_points += 1;
        }
        if checked_points == 0 {
            let why = match on_a_kink {
                true => "all its points lie on a kink, where differences tell nothing of the value that is taken",
                false => "no point of its domain was found",
            };
            for i in self.outcomes.clone() {
                report.not_checked(i, why);
            }
        }
        steps.conclude(report);
    }

    /// About how many operations one evaluation takes at the small sizes of a check: entries, and products of matrices.
    fn work(&self, roots: &[ExprId]) -> f64 {
        const USUAL: i64 = 4;
        const OVERHEAD: f64 = 10.0;
        let size = |d| self.arena.dimensions.value(d, &|_| Some(USUAL)).map_or(f64::INFINITY, |n| n as f64);
        let mut work = 0.0;
        for id in self.arena.reachable(roots) {
            let shape = self.arena.shape(id);
            work += OVERHEAD + size(shape.rows) * size(shape.columns);
            if let Op::Product { factors, .. } = self.arena.op(id) {
                for pair in factors.windows(2) {
                    let (a, b) = (self.arena.shape(pair[0]), self.arena.shape(pair[1]));
                    work += size(a.rows) * size(a.columns) * size(b.columns);
                }
            }
        }
        work
    }

    /// Points in the domain of all lines, or else of the results only. Where the program gives large sizes, smaller ones
    /// are tried first.
    fn draw(&self, all: &[ExprId], essential: &[ExprId], report: &mut Report) -> Vec<Numbers> {
        let given: HashMap<String, i64> = self.answer.typed.dimension_values.iter().cloned().collect();
        let small: HashMap<String, i64> =
            given.iter().filter(|&(_, &size)| size <= LARGEST_SIZE).map(|(name, &size)| (name.clone(), size)).collect();
        let reduced = small.len() < given.len();
        let seed = |i: usize| self.options.seed.wrapping_mul(1000).wrapping_add((self.outcomes.start * 16 + i) as u64);
        let tries =
            [(&small, all, reduced), (&small, essential, reduced), (&given, all, false), (&given, essential, false)];
        for (sizes, roots, reduced) in tries.into_iter().skip(if reduced { 0 } else { 2 }) {
            let sampler = Sampler::with_sizes(self.arena, roots, sizes.clone());
            let mut numbers: Vec<Numbers> = Vec::new();
            // Each variable costs several runs of the function, so of a large program one point must do.
            let work = self.arena.reachable(&[self.of]).len() * self.wrt.len();
            let points = if work > MOST_WORK { self.options.points.min(1) } else { self.options.points };
            for i in 0..points {
                numbers.extend(sampler.draw(seed(i)));
                let entries = |n: &Numbers| n.variables.iter().map(|m| m.entries().len()).sum::<usize>();
                if numbers.last().is_some_and(|n| entries(n) > MOST_ENTRIES) {
                    break;
                }
            }
            if !numbers.is_empty() {
                self.outcomes.clone().for_each(|i| report.results[i].reduced = reduced);
                return numbers;
            }
        }
        Vec::new()
    }

    /// Numbers with directions for all that moves; `None` where a definition has no value.
    fn point(&self, mut numbers: Numbers, index: usize) -> Option<Point> {
        let named: Vec<ExprId> =
            self.wrt.iter().copied().filter(|&leaf| matches!(self.arena.op(leaf), Op::Named(_))).collect();
        if !named.is_empty() {
            let values = Evaluator::new(self.arena, &named).run(&numbers).ok()?;
            numbers.overrides = named.iter().copied().zip(values).collect();
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed ^ ((index as u64 + 1) << 32));
        numbers.differentials.clear();
        let mut directions = HashMap::new();
        for &leaf in self.wrt {
            let (rows, columns) = self.numbers_of(&numbers, leaf)?.shape();
            let direction = match self.given().iter().find(|(moved, _)| *moved == leaf) {
                Some(&(_, direction)) => Evaluator::new(self.arena, &[direction]).run(&numbers).ok()?.pop()?,
                None => random_direction(self.arena, leaf, rows, columns, &mut random),
            };
            numbers.differentials.insert(leaf, direction.clone());
            directions.insert(leaf, direction);
        }
        // Variables that stand still.
        for side in self.arena.reachable(&self.lines.iter().flat_map(steps::Line::sides).collect::<Vec<_>>()) {
            if let Op::Differential(leaf) = *self.arena.op(side)
                && !numbers.differentials.contains_key(&leaf)
                && let Some(still) = self.numbers_of(&numbers, leaf)
            {
                let zeros = Matrix::zeros(still.rows(), still.columns());
                numbers.differentials.insert(leaf, zeros);
            }
        }
        let cotangent = match self.cotangent() {
            Some(cotangent) => Some(Evaluator::new(self.arena, &[cotangent]).run(&numbers).ok()?.pop()?),
            None => None,
        };
        Some(Point { numbers, directions, cotangent, index })
    }

    /// The leaves that move in directions of the request, with those.
    fn given(&self) -> Vec<(ExprId, ExprId)> {
        match &self.answer.outcomes[self.outcomes.start].direction {
            Direction::Along { moves, .. } => moves.iter().map(|moved| (moved.leaf, moved.direction)).collect(),
            Direction::None | Direction::Against { .. } => Vec::new(),
        }
    }

    /// What the request applies a transposed Jacobian to.
    fn cotangent(&self) -> Option<ExprId> {
        match self.answer.outcomes[self.outcomes.start].direction {
            Direction::Against { cotangent, .. } => Some(cotangent),
            Direction::None | Direction::Along { .. } => None,
        }
    }

    /// The numbers of a variable or of a definition that counts as independent.
    fn numbers_of<'n>(&self, numbers: &'n Numbers, leaf: ExprId) -> Option<&'n Matrix> {
        match self.arena.op(leaf) {
            Op::Variable(v) => numbers.variables.get(v.0 as usize),
            _ => numbers.overrides.get(&leaf),
        }
    }

    /// Derivatives by differences of an evaluator's roots where these leaves move in their directions.
    fn along(&self, point: &Point, roots: &Evaluator, leaves: &[ExprId]) -> Option<Vec<Derivative>> {
        let moves: Vec<(ExprId, &Matrix)> = leaves.iter().map(|leaf| (*leaf, &point.directions[leaf])).collect();
        self.along_directions(point, roots, &moves)
    }

    /// The numbers of a point from which leaves have moved so far in their directions.
    fn moved(&self, point: &Point, moves: &[(ExprId, &Matrix)], t: f64) -> Option<Numbers> {
        let mut moved = point.numbers.clone();
        for &(leaf, direction) in moves {
            let mut place = self.numbers_of(&point.numbers, leaf)?.clone();
            place.add_scaled(t, direction);
            match self.arena.op(leaf) {
                Op::Variable(v) => moved.variables[v.0 as usize] = place,
                _ => {
                    moved.overrides.insert(leaf, place);
                }
            }
        }
        Some(moved)
    }

    fn along_directions(
        &self,
        point: &Point,
        roots: &Evaluator,
        moves: &[(ExprId, &Matrix)],
    ) -> Option<Vec<Derivative>> {
        let mut at = |t: f64| roots.run(&self.moved(point, moves, t)?).ok();
        let mut best: Option<Vec<Derivative>> = None;
        for first_step in FIRST_STEPS {
            let Some(found) = derivatives(&mut at, first_step) else { continue };
            match &mut best {
                None => best = Some(found),
                Some(best) => {
                    for (old, new) in best.iter_mut().zip(found) {
                        if new.error < old.error {
                            *old = new;
                        }
                    }
                }
            }
            let good = |d: &Derivative| d.error <= 1e-9 * d.value.max_abs().max(1e-3);
            if best.as_ref().is_some_and(|list| list.iter().all(good)) {
                break;
            }
        }
        best
    }

    /// The results and the lines modulo a prime.
    fn exactly(&self, point: &Point, steps: &mut steps::Steps, report: &mut Report) {
        let sizes = &point.numbers.dimensions;
        let mut tally = results::ExactTally::default();
        for seed in 0..3 {
            let draw = exact::Draw::new(
                self.arena,
                sizes,
                &self.independent,
                &self.joint,
                self.options.seed.wrapping_mul(31).wrapping_add(seed),
            )
            .with_directions(&self.given());
            let mut roots = results::exact_roots(self);
            roots.extend(self.lines.iter().flat_map(steps::Line::sides));
            let moving = draw.evaluate(&roots, exact::World::Moving);
            results::compare_exactly(self, &draw, &moving, &self.joint, &mut tally);
            if !steps.is_empty() {
                let free = draw.evaluate(&roots, exact::World::Free);
                steps.compare_exactly(self, &free, &moving);
            }
            if tally.settled() && steps.settled() {
                break;
            }
        }
        tally.conclude(self, point, &self.joint, report);
        for &leaf in self.own.keys() {
            let mut tally = results::ExactTally::default();
            let independent = [self.independent.as_slice(), &[leaf]].concat();
            for seed in 0..3 {
                let seed = self.options.seed.wrapping_mul(37).wrapping_add(seed);
                let draw = exact::Draw::new(self.arena, sizes, &independent, std::slice::from_ref(&leaf), seed);
                let moving = draw.evaluate(&results::exact_roots(self), exact::World::Moving);
                results::compare_exactly(self, &draw, &moving, &[leaf], &mut tally);
                if tally.settled() {
                    break;
                }
            }
            tally.conclude(self, point, &[leaf], report);
        }
        steps.conclude_exactly(self, point, report);
    }

    /// The sizes of a point in words: `m = 3, n = 2`.
    fn sizes(&self, point: &Point) -> String {
        let mut sizes: Vec<String> = point.numbers.dimensions.iter().map(|(n, v)| format!("{n} = {v}")).collect();
        sizes.sort_unstable();
        sizes.join(", ")
    }
}

#[cfg(test)]
mod tests;

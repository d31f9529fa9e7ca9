//! What must hold of every program that is well typed: it is answered; its value, its gradients, its texts and every
//! line of its derivations have the numbers that the definitions of the language give.

use std::collections::HashMap;

use matgrad::answer::{Answer, Outcome, answer};
use matgrad::derivation::Detail;
use matgrad::elaborate::{Line, Meaning, Properties, Typed};
use matgrad::eval::{Numbers, evaluate};
use matgrad::expr::{Arena, ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::render::build::notation;
use matgrad::render::text::text;
use matgrad::syntax::ast::{AskKind, Ast, Node, NodeId};
use matgrad::syntax::parse;

use super::chance::Chance;
use super::direct::{Moves, Point, values};
use super::dual::Grid;
use super::points::{direction, draw, nearby};
use super::tree::{Brackets, Program};

/// How a program came out.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All holds.
    Good(Counts),
    /// Nothing could be said: the stated reason.
    Open(String),
    /// Something does not hold: what kind of thing, and the particulars.
    Wrong(&'static str, String),
}

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub results: usize,
    pub texts: usize,
    pub steps: usize,
    pub stable: usize,
    /// Of two answers with fewer steps those with the same texts.
    pub same_with_fewer_steps: usize,
    /// Points that were drawn and not used.
    pub resampled: usize,
}

/// Points tried before a program is given up.
const ATTEMPTS: usize = 40;
/// Relative error that rounding explains.
const TOLERANCE: f64 = 1e-7;
/// Numbers on the way may be this large.
const LARGEST: f64 = 1e4;
/// Nearer to a kink than this a point is no use.
const CLEARANCE: f64 = 1e-4;

/// Judges a program; `thorough` with the library's own check too.
pub fn judge(program: &Program, seed: u64, thorough: bool) -> Verdict {
    let source = program.text(Brackets::Needed);
    if let Some(difference) = brackets_matter(program, &source) {
        return Verdict::Wrong("brackets", difference);
    }
    let undeclared = program.variables.iter().any(|v| !v.declared);
    match judge_text(&source, seed, thorough) {
        Verdict::Wrong("refused", message) if undeclared && message.contains('?') => {
            Verdict::Open("a type that use does not settle".to_owned())
        }
        Verdict::Wrong("refused", message) if message.contains("which has another meaning here: rename") => {
            Verdict::Open("a name that a differential needs".to_owned())
        }
        verdict => verdict,
    }
}

/// Judges a program by its text.
pub fn judge_text(source: &str, seed: u64, thorough: bool) -> Verdict {
    judged(source, seed, thorough, 1)
}

/// Judges a program by its text at several points.
pub fn judge_at(source: &str, seed: u64, points: usize) -> Verdict {
    judged(source, seed, true, points)
}

fn judged(source: &str, seed: u64, thorough: bool, points: usize) -> Verdict {
    let found = match answer(source, Detail::Full) {
        Ok(found) => found,
        Err(errors) => {
            return Verdict::Wrong("refused", errors.first().map_or(String::new(), |e| e.message.clone()));
        }
    };
    let name = |i: usize| &found.typed.variables[i].name;
    let all = 0..found.typed.variables.len();
    let direction_declared = all.clone().any(|i| all.clone().any(|j| *name(i) == format!("d{}", name(j))));
    if direction_declared && found.outcomes.iter().any(|o| o.kind == AskKind::Differential) {
        // A variable dX of X's shape is to be the direction, and has numbers of its own here.
        return Verdict::Open("a name that a differential needs".to_owned());
    }
    let (texts, counts) = (read_back(&found), Counts::default());
    let chance = Chance::new(seed ^ 0xABCD);
    let mut judge = Judge { source, found: &found, texts, chance, counts, ties: false, roughness: 0.0 };
    if let Err(verdict) = judge.at_points(points) {
        return verdict;
    }
    if thorough {
        let options = matgrad::check::Options { points: 1, entries: 0, seed: seed | 1 };
        let report = matgrad::check::check(&found, options);
        if let Some(failure) = report.failures.first() {
            let what = format!(
                "{}: expected {}, found {} at {}",
                failure.what, failure.expected, failure.found, failure.sizes
            );
            return Verdict::Wrong("check", what);
        }
    }
    Verdict::Good(judge.counts)
}

/// Brackets that the precedence makes needless change nothing.
fn brackets_matter(program: &Program, source: &str) -> Option<String> {
    let (few, errors) = parse(source);
    if let Some(error) = errors.first() {
        return Some(format!("does not parse: {}", error.message));
    }
    let (many, errors) = parse(&program.text(Brackets::All));
    if let Some(error) = errors.first() {
        return Some(format!("does not parse with all brackets: {}", error.message));
    }
    let same = few.len() == many.len() && (0..few.len()).all(|i| same_node(&few, &many, NodeId(i as u32)));
    (!same).then(|| format!("another tree than\n{}", program.text(Brackets::All)))
}

fn same_node(a: &Ast, b: &Ast, id: NodeId) -> bool {
    match (a.node(id), b.node(id)) {
        (Node::Call { function: f, arguments: x, named: u }, Node::Call { function: g, arguments: y, named: v }) => {
            let plain = |list: &[(String, matgrad::diagnostic::Span, NodeId)]| {
                list.iter().map(|(name, _, id)| (name.clone(), *id)).collect::<Vec<_>>()
            };
            f == g && x == y && plain(u) == plain(v)
        }
        (x, y) => x == y,
    }
}

fn shown(answer: &Answer) -> Vec<String> {
    let mut out = Vec::new();
    for outcome in &answer.outcomes {
        out.extend(outcome.value.map(|v| text(&notation(&answer.arena, v))));
        out.extend(outcome.program.iter().map(|l| format!("{} = {}", l.name, text(&notation(&answer.arena, l.right)))));
    }
    out
}

/// How many steps are wanted changes no result: not the numbers at a point, and hardly ever the text. How often the text
/// is the same goes out.
fn detail_matters(source: &str, full: &Answer, numbers: &Numbers) -> Result<usize, String> {
    let roots = |answer: &Answer| answer.outcomes.iter().flat_map(|o| [o.result].into_iter().chain(o.value)).collect();
    let expected = shown(full);
    let wanted: Vec<ExprId> = roots(full);
    let mut same = 0;
    for detail in [Detail::None, Detail::Brief] {
        let other = answer(source, detail).map_err(|errors| format!("with {detail:?}: {errors:?}"))?;
        let found = shown(&other);
        if found == expected {
            same += 1;
            continue;
        }
        let own: Vec<ExprId> = roots(&other);
        // The same differentials by the nodes of the other arena.
        let mut others = numbers.clone();
        others.differentials.clear();
        for i in 0..other.arena.len() {
            let id = ExprId(i as u32);
            if let Op::Variable(v) = other.arena.op(id) {
                let own =
                    (0..full.arena.len()).map(|k| ExprId(k as u32)).find(|&k| full.arena.op(k) == &Op::Variable(*v));
                let slope = own.and_then(|own| numbers.differentials.get(&own));
                others.differentials.extend(slope.map(|slope| (id, slope.clone())));
            }
        }
        let a = evaluate(&full.arena, numbers, &wanted).map_err(|e| e.to_string())?;
        let b = evaluate(&other.arena, &others, &own).map_err(|e| e.to_string())?;
        let near =
            |x: &Matrix, y: &Matrix| x.shape() == y.shape() && x.subtract(y).max_abs() <= 1e-8 * x.max_abs().max(1e-3);
        if a.len() != b.len() || !a.iter().zip(&b).all(|(x, y)| near(x, y)) {
            return Err(format!("with full steps {expected:?}, with {detail:?} {found:?}"));
        }
    }
    Ok(same)
}

/// The texts of an answer, read over its program.
struct Texts {
    typed: Typed,
    /// For each outcome the node of its value's text and of its last line's.
    values: Vec<Option<NodeId>>,
    last: Vec<NodeId>,
    count: usize,
    /// How many are printed alike once they are read.
    stable: usize,
}

fn read_back(answer: &Answer) -> Result<Texts, String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut values, mut last) = (Vec::new(), Vec::new());
    for (k, outcome) in answer.outcomes.iter().enumerate() {
        for line in &outcome.program {
            lines.push(format!("{} = {}", line.name, text(&notation(&answer.arena, line.right))));
        }
        last.push(lines.len() - 1);
        values.push(outcome.value.map(|value| {
            lines.push(format!("readback_of_result_{k} = {}", text(&notation(&answer.arena, value))));
            lines.len() - 1
        }));
    }
    let borrowed: Vec<Line<'_>> = lines.iter().map(|l| Line::Definition(l)).collect();
    let extended = answer.typed.with_lines(&[], &borrowed).map_err(|error| {
        let message = error.diagnostics.first().map_or(String::new(), |d| d.message.clone());
        format!("`{}` does not read: {message}", lines[error.line])
    })?;
    let node = |i: usize| extended.lines[i][0];
    let mut texts = Texts {
        values: values.iter().map(|v| v.map(node)).collect(),
        last: last.iter().map(|&i| node(i)).collect(),
        count: lines.len(),
        stable: 0,
        typed: extended.typed,
    };
    // Read and printed once more the text is the same.
    let mut arena = Arena::new(texts.typed.dimensions.clone(), answer.arena.variables.clone());
    let built = arena.build(&texts.typed);
    let first = answer.typed.definitions.len();
    for (line, &id) in lines.iter().zip(&built.definitions[first..]) {
        let Op::Named(name) = *arena.op(id) else { continue };
        let again = text(&notation(&arena, arena.named(name).body));
        texts.stable += usize::from(line.split_once(" = ").is_some_and(|(_, right)| right == again));
    }
    Ok(texts)
}

pub(super) struct Judge<'a> {
    source: &'a str,
    pub(super) found: &'a Answer,
    texts: Result<Texts, String>,
    chance: Chance,
    pub(super) counts: Counts,
    /// Whether the point at hand lies on a kink.
    pub(super) ties: bool,
    /// How far a second derivative by differences may be off.
    pub(super) roughness: f64,
}

impl Judge<'_> {
    fn at_points(&mut self, points: usize) -> Result<(), Verdict> {
        let mut reason = "no sizes";
        let mut good = 0;
        for attempt in 0..ATTEMPTS * points {
            let Some(point) = draw(&self.found.typed, &mut self.chance, attempt) else { continue };
            match self.at(&point) {
                Ok(()) => {
                    good += 1;
                    if good == points {
                        return Ok(());
                    }
                    continue;
                }
                Err(Left::Point(why)) => reason = why,
                // On a kink rounding decides which way it goes.
                Err(Left::Verdict(_)) if self.ties => reason = "a tie that rounding decides",
                Err(Left::Verdict(verdict)) => return Err(verdict),
            }
            self.counts.resampled += 1;
        }
        Err(Verdict::Open(format!("no point: {reason}")))
    }

    fn at(&mut self, point: &Point) -> Result<(), Left> {
        let typed = &self.found.typed;
        let mut numbers =
            Numbers { dimensions: point.sizes.clone(), variables: point.variables.clone(), ..Numbers::default() };
        let mut next = 0;
        for ask in &typed.asks {
            let block = ask.wrt.len() == 2 && ask.directions.len() == 1;
            let wanted = match ask.kind {
                AskKind::HessianAlong if block => 1,
                AskKind::Gradient | AskKind::JacobianAgainst | AskKind::HessianAlong => ask.wrt.len(),
                _ => 1,
            };
            if !ask.directions.is_empty() {
                self.directed(point, &mut numbers, ask, next, wanted)?;
                next += wanted;
                continue;
            }
            let outcomes = &self.found.outcomes[next..next + wanted];
            // Where all move at once: for differentials, and for the lines of derivations.
            let mut together = Moves::default();
            for (i, meaning) in ask.wrt.iter().enumerate() {
                let mut alone = Moves::default();
                self.move_one(point, meaning, &mut alone)?;
                together.variables.extend(alone.variables.clone());
                together.definitions.extend(alone.definitions.clone());
                if ask.kind == AskKind::Gradient {
                    self.gradient(point, &mut numbers, ask.of, &outcomes[i], next + i, &alone)?;
                }
            }
            let moving = values(typed, point, &together, &HashMap::new(), &[ask.of]).map_err(|e| Left::Point(e.0))?;
            let slope = moving.nodes[ask.of.0 as usize].as_ref().map(|g| (g.values(), g.slopes()));
            let (_, slope) = slope.ok_or(Left::Point("nothing"))?;
            self.differentials(ask, &together, &slope, &moving.nodes, &mut numbers);
            if ask.kind == AskKind::Differential {
                self.differential(point, &numbers, ask, next, &together, &slope)?;
            }
            // Beside its variables a definition moves in two ways; the library's own check sees to those lines.
            if together.variables.is_empty() || together.definitions.is_empty() {
                self.steps(&numbers, outcomes, ask)?;
            }
            next += wanted;
        }
        if let Err(why) = &self.texts {
            return Err(wrong("text", why.clone()));
        }
        match detail_matters(self.source, self.found, &numbers) {
            Ok(same) => self.counts.same_with_fewer_steps = same,
            Err(what) => return Err(wrong("detail", what)),
        }
        Ok(())
    }

    pub(super) fn move_one(&mut self, point: &Point, meaning: &Meaning, moves: &mut Moves) -> Result<(), Left> {
        let typed = &self.found.typed;
        match meaning {
            Meaning::Variable(v) => {
                let i = v.0 as usize;
                let at = &point.variables[i];
                let of = typed.variables[i].properties;
                moves.variables.insert(i, direction(of, at.rows(), at.columns(), &mut self.chance));
            }
            Meaning::Definition(d) => {
                let body = typed.definitions[d.0 as usize].body;
                let found = values(typed, point, &Moves::default(), &HashMap::new(), &[body]);
                let found = found.map_err(|e| Left::Point(e.0))?;
                let value = found.nodes[body.0 as usize].as_ref().ok_or(Left::Point("nothing"))?;
                let free = direction(Properties::NONE, value.rows, value.columns, &mut self.chance);
                moves.definitions.insert(d.0 as usize, free);
            }
            _ => {}
        }
        Ok(())
    }

    /// Numbers of the lines' differentials.
    fn differentials(
        &self,
        ask: &matgrad::elaborate::Ask,
        moves: &Moves,
        slope: &Matrix,
        nodes: &[Option<Grid>],
        numbers: &mut Numbers,
    ) {
        let (arena, typed) = (&self.found.arena, &self.found.typed);
        numbers.differentials.clear();
        for i in 0..arena.len() {
            let id = ExprId(i as u32);
            match arena.op(id) {
                Op::Variable(v) => {
                    let i = v.0 as usize;
                    let still = numbers.variables[i].scale(0.0);
                    numbers.differentials.insert(id, moves.variables.get(&i).cloned().unwrap_or(still));
                }
                Op::Named(_) => {
                    if let Some(d) = self.found.definitions.iter().position(|&n| n == id) {
                        let own = nodes[typed.definitions[d].body.0 as usize].as_ref().map(|g| g.slopes());
                        let moved = moves.definitions.get(&d).cloned().or(own);
                        numbers.differentials.extend(moved.map(|m| (id, m)));
                    } else if self.found.outcomes.iter().any(|o| o.of_node == id && o.of == ask.of_text) {
                        numbers.differentials.insert(id, slope.clone());
                    }
                }
                _ => {}
            }
        }
    }

    fn gradient(
        &mut self,
        point: &Point,
        numbers: &mut Numbers,
        of: NodeId,
        outcome: &Outcome,
        place: usize,
        moves: &Moves,
    ) -> Result<(), Left> {
        let typed = &self.found.typed;
        let truth = values(typed, point, moves, &HashMap::new(), &[of]).map_err(|e| Left::Point(e.0))?;
        self.ties = truth.ties;
        if truth.clearance < CLEARANCE {
            return Err(Left::Point("a kink nearby"));
        }
        if truth.largest > LARGEST {
            return Err(Left::Point("large numbers"));
        }
        let function = truth.nodes[of.0 as usize].as_ref().ok_or(Left::Point("nothing"))?.at(0, 0);
        if function.slope.abs() > LARGEST {
            return Err(Left::Point("a steep slope"));
        }
        let d =
            moves.variables.values().chain(moves.definitions.values()).next().ok_or(Left::Point("nothing"))?.clone();
        let mut roots = vec![outcome.of_node, outcome.result, outcome.program[outcome.program.len() - 1].right];
        roots.extend(outcome.value);
        let found = match evaluate(&self.found.arena, numbers, &roots) {
            Ok(found) => found,
            Err(error) => return Err(wrong("no value", format!("{error} (the tree has {})", function.value))),
        };
        let near = |a: f64, b: f64, scale: f64| (a - b).abs() <= TOLERANCE * scale.max(1e-3).max(1e-4 * truth.largest);
        let own = found[0].entries()[0];
        if !near(own, function.value, function.value.abs()) {
            let here = (&Matrix::scalar(function.value), &Matrix::scalar(function.slope));
            if self.noise(point, of, moves, here).0 * 10.0 > (own - function.value).abs() {
                return Err(Left::Point("a badly conditioned point"));
            }
            return Err(wrong("value", format!("the expression is {own}, the tree {}", function.value)));
        }
        for (i, form) in ["the result", "the program", "the value"].into_iter().enumerate().take(roots.len() - 1) {
            let (g, root) = (&found[i + 1], roots[i + 1]);
            if g.shape() != d.shape() {
                return Err(wrong("shape", format!("{form} is {:?}, not {:?}", g.shape(), d.shape())));
            }
            let along = g.dot(&d);
            let size = g.zip(&d, |x, y| (x * y).abs()).sum();
            if !near(along, function.slope, size.max(function.slope.abs())) {
                let off = (along - function.slope).abs();
                let here = (&Matrix::scalar(function.value), &Matrix::scalar(function.slope));
                let variables = nearby(point, &self.found.typed, &mut self.chance).variables;
                let near = evaluate(&self.found.arena, &Numbers { variables, ..numbers.clone() }, &[root]);
                let own = near.map_or(f64::INFINITY, |there| (there[0].dot(&d) - along).abs());
                if self.noise(point, of, moves, here).1.max(own) * 10.0 > off {
                    return Err(Left::Point("a badly conditioned point"));
                }
                let what =
                    format!("{form} by {} gives {along}, the slope is {}", outcome.wrt.join(","), function.slope);
                return Err(wrong("gradient", what));
            }
        }
        self.counts.results += 1;
        self.texts(point, &HashMap::new(), place, &found[1], found.get(3))
    }

    /// How far the value and the slope change where the numbers change in their last digits but four.
    fn noise(&mut self, point: &Point, of: NodeId, moves: &Moves, here: (&Matrix, &Matrix)) -> (f64, f64) {
        let near = nearby(point, &self.found.typed, &mut self.chance);
        let there = values(&self.found.typed, &near, moves, &HashMap::new(), &[of]);
        let there = there.ok().and_then(|found| found.nodes[of.0 as usize].clone());
        let off = |there: Grid| (there.values().subtract(here.0).max_abs(), there.slopes().subtract(here.1).max_abs());
        there.map_or((f64::INFINITY, f64::INFINITY), off)
    }

    /// The texts have the numbers of what they show, evaluated as trees.
    pub(super) fn texts(
        &mut self,
        point: &Point,
        differentials: &HashMap<usize, Matrix>,
        place: usize,
        result: &Matrix,
        value: Option<&Matrix>,
    ) -> Result<(), Left> {
        // What does not read is told once all requests have numbers: 1/0 need not be readable.
        let Ok(texts) = &self.texts else { return Ok(()) };
        let mut roots = vec![(texts.last[place], result, "the program")];
        if let (Some(node), Some(value)) = (texts.values[place], value) {
            roots.push((node, value, "the value"));
        }
        for (node, expected, form) in roots {
            let read = match values(&texts.typed, point, &Moves::default(), differentials, &[node]) {
                Ok(read) => read,
                // What the text divides by may be near zero where the function is not.
                Err(why) => return Err(Left::Point(why.0)),
            };
            let found = read.nodes[node.0 as usize].as_ref().ok_or(Left::Point("nothing"))?.values();
            let scale = expected.max_abs().max(1e-3).max(1e-4 * read.largest);
            if found.shape() != expected.shape() || !(found.subtract(expected).max_abs() <= TOLERANCE * scale) {
                // Rounding that grows on the way to a sum that cancels.
                let near = nearby(point, &self.found.typed, &mut self.chance);
                let there = values(&texts.typed, &near, &Moves::default(), differentials, &[node]);
                let there = there.ok().and_then(|read| Some(read.nodes[node.0 as usize].as_ref()?.values()));
                if there.is_some_and(|there| {
                    there.shape() == expected.shape()
                        && there.subtract(&found).max_abs() * 10.0 > found.subtract(expected).max_abs()
                }) {
                    return Err(Left::Point("a badly conditioned point"));
                }
                let what = format!("{form} as text gives {:?}, not {:?}", found.entries(), expected.entries());
                return Err(wrong("text", what));
            }
        }
        (self.counts.texts, self.counts.stable) = (texts.count, texts.stable);
        Ok(())
    }

    fn differential(
        &mut self,
        point: &Point,
        numbers: &Numbers,
        ask: &matgrad::elaborate::Ask,
        place: usize,
        moves: &Moves,
        slope: &Matrix,
    ) -> Result<(), Left> {
        let outcome = &self.found.outcomes[place];
        let truth =
            values(&self.found.typed, point, moves, &HashMap::new(), &[ask.of]).map_err(|e| Left::Point(e.0))?;
        self.ties = truth.ties;
        if truth.clearance < CLEARANCE || truth.largest > LARGEST || slope.max_abs() > LARGEST {
            return Err(Left::Point("a kink nearby or large numbers"));
        }
        let mut roots = vec![outcome.of_node, outcome.result, outcome.program[outcome.program.len() - 1].right];
        roots.extend(outcome.value);
        let found = match evaluate(&self.found.arena, numbers, &roots) {
            Ok(found) => found,
            Err(error) => return Err(wrong("no value", error.to_string())),
        };
        let function = truth.nodes[ask.of.0 as usize].as_ref().ok_or(Left::Point("nothing"))?.values();
        let near = |a: &Matrix, b: &Matrix| {
            let scale = b.max_abs().max(1e-3).max(1e-4 * truth.largest);
            a.shape() == b.shape() && a.subtract(b).max_abs() <= TOLERANCE * scale
        };
        if !near(&found[0], &function) {
            return Err(wrong("value", format!("{:?}, the tree {:?}", found[0].entries(), function.entries())));
        }
        for (d, form) in found[1..].iter().zip(["the result", "the program", "the value"]) {
            if !near(d, slope) {
                if d.shape() == slope.shape()
                    && self.noise(point, ask.of, moves, (&function, slope)).1 * 10.0 > d.subtract(slope).max_abs()
                {
                    return Err(Left::Point("a badly conditioned point"));
                }
                let what = format!("{form} of dF is {:?}, the slope {:?}", d.entries(), slope.entries());
                return Err(wrong("differential", what));
            }
        }
        self.counts.results += 1;
        self.texts(point, &moves.variables, place, &found[1], found.get(3))
    }

    /// Each line of the derivations is a true equation.
    fn steps(&mut self, numbers: &Numbers, outcomes: &[Outcome], ask: &matgrad::elaborate::Ask) -> Result<(), Left> {
        use matgrad::derivation::Left as Side;
        let arena = &self.found.arena;
        let mut sides: Vec<(ExprId, ExprId)> = Vec::new();
        for outcome in outcomes {
            let mut left = None;
            for step in &outcome.derivation.steps {
                let own = match step.left {
                    Side::Continued => left,
                    Side::Expression(id) => Some(id),
                    Side::Aside(id) => {
                        sides.push((id, step.right));
                        continue;
                    }
                    _ => Some(outcome.result),
                };
                left = own;
                sides.extend(own.map(|id| (id, step.right)));
            }
        }
        // Lines with the differential of a part that only the library named are left to its own check.
        let known = |id: ExprId| {
            arena.reachable(&[id]).iter().all(|&n| match arena.op(n) {
                Op::Differential(leaf) => numbers.differentials.contains_key(leaf),
                _ => true,
            })
        };
        sides.retain(|&(a, b)| known(a) && known(b));
        let roots: Vec<ExprId> = sides.iter().flat_map(|&(a, b)| [a, b]).collect();
        let found = match evaluate(arena, numbers, &roots) {
            Ok(found) => found,
            Err(error) => return Err(wrong("no value", format!("a line: {error}"))),
        };
        for (pair, sides) in found.chunks_exact(2).zip(&sides) {
            let scale = pair[0].max_abs().max(pair[1].max_abs()).max(1e-2);
            let same = pair[0].shape() == pair[1].shape() && pair[0].subtract(&pair[1]).max_abs() <= 1e-6 * scale;
            if !same {
                let side = |id: ExprId| text(&notation(arena, id));
                let what = format!(
                    "`{} = {}`: {:?} and {:?} for {}",
                    side(sides.0),
                    side(sides.1),
                    pair[0].entries(),
                    pair[1].entries(),
                    ask.of_text
                );
                return Err(wrong("step", what));
            }
            self.counts.steps += 1;
        }
        Ok(())
    }
}

/// Why a point was left.
pub(super) enum Left {
    Point(&'static str),
    Verdict(Verdict),
}

pub(super) fn wrong(kind: &'static str, what: String) -> Left {
    Left::Verdict(Verdict::Wrong(kind, what))
}

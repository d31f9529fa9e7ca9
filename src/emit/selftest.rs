//! What a self-test of a program computes: numbers for the inputs inside their domain, directions in which they move, and for
//! each derivative the difference of the value that it must agree with. An answer comes in, numbers and comparisons go out;
//! each target writes them in its own way. Nothing is derived here, and no derivative is used to find the numbers.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::EmitError;
use super::code::{Code, Origin, ResultKind, rank};
use super::names::Names;
use super::sizes::Sizes;
use crate::answer::{Answer, Direction};
use crate::elaborate::Property;
use crate::eval::{Evaluator, Numbers, Sampler, obeys, random_direction};
use crate::expr::{ExprId, Op as Node};
use crate::matrix::Matrix;
use crate::syntax::ast::AskKind;
use crate::tensor::contract;

/// Points tried before giving up.
const MOST_POINTS: u64 = 24;
/// The step of a first difference, as it stands in the programs.
pub(super) const SLOPE_STEP: f64 = 1e-3;
/// The step of a second difference, as it stands in the programs.
pub(super) const CURVATURE_STEP: f64 = 5e-3;
/// How far a derivative may be from a difference, in parts of 1 + the largest entry of the difference.
pub(super) const TOLERANCE: &str = "1e-6";
/// How far differences with two steps may be apart at a point that is used: a tenth of the tolerance.
const STEADY: f64 = 1e-7;

/// What numbers may lose when they are rounded.
const LOST_BY_ROUNDING: [Property; 5] = [
    Property::Orthogonal,
    Property::RowStochastic,
    Property::PositiveDefinite,
    Property::Positive,
    Property::Nonnegative,
];

/// An array of numbers, row by row.
#[derive(Clone, Debug)]
pub(super) struct Array {
    /// Rows and columns.
    pub(super) shape: [usize; 2],
    /// How many axes it has: those that are not always 1.
    pub(super) rank: usize,
    /// The entries.
    pub(super) entries: Vec<f64>,
}

/// A direction in which an input moves.
#[derive(Clone, Debug)]
pub(super) struct Along {
    /// Its name: `along_W1`.
    pub(super) name: String,
    /// The numbers.
    pub(super) array: Array,
}

/// How far an input moves: sign · t · the direction at that place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    /// The place of the input.
    pub(super) input: usize,
    /// Whether it moves against the direction.
    pub(super) back: bool,
    /// The place of the direction.
    pub(super) along: usize,
}

/// A derivative and what it must agree with.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    /// The place of the derivative among the outputs.
    pub(super) output: usize,
    /// The place of what is differentiated.
    pub(super) of: usize,
    /// The directions that the derivative is applied to, that of its last axes first.
    pub(super) applied: Vec<usize>,
    /// What the difference is multiplied with and summed: the place of a direction of the value's shape.
    pub(super) against: Option<usize>,
    /// Whether the difference is a second one.
    pub(super) second: bool,
    /// The difference along the first shifts; less that along the second, divided by four, where there are two.
    pub(super) paths: Vec<Vec<Shift>>,
}

/// A self-test.
#[derive(Clone, Debug)]
pub(super) struct SelfTest {
    /// The numbers of the inputs, in order.
    pub(super) inputs: Vec<Array>,
    /// The sizes of the dimensions by name.
    pub(super) sizes: Vec<(String, i64)>,
    /// The directions.
    pub(super) directions: Vec<Along>,
    /// The comparisons.
    pub(super) comparisons: Vec<Comparison>,
    /// The derivatives that are not compared: the place of the output, and why.
    pub(super) left_out: Vec<(usize, String)>,
}

/// The identifiers of a self-test in a language.
pub(super) struct TestNames {
    /// Of the directions.
    pub(super) directions: Vec<String>,
    /// Of the results at the point.
    pub(super) result: String,
    /// Of how far the inputs have moved.
    pub(super) step: String,
}

impl SelfTest {
    /// The comparison's path as what each input is: its name, and the shifts on it.
    pub(super) fn shifts_of(&self, path: &[Shift], input: usize) -> Vec<Shift> {
        path.iter().copied().filter(|shift| shift.input == input).collect()
    }

    /// Identifiers beside those of the function and its inputs.
    pub(super) fn names(&self, reserved: &'static [&'static str], function: &str, inputs: &[String]) -> TestNames {
        let mut names = Names::new(reserved);
        std::iter::once(function).chain(inputs.iter().map(String::as_str)).for_each(|name| names.keep(name));
        TestNames {
            result: names.take("result"),
            step: names.take("t"),
            directions: self.directions.iter().map(|direction| names.take(&direction.name)).collect(),
        }
    }

    /// What is compared, in words.
    pub(super) fn count(&self) -> String {
        match self.comparisons.len() {
            1 => "1 derivative agrees".to_owned(),
            n => format!("{n} derivatives agree"),
        }
    }

    /// The numbers of the dimensions that are parameters.
    pub(super) fn parameters(&self, sizes: &Sizes) -> Vec<String> {
        sizes.parameters().map(|name| self.size(name).to_string()).collect()
    }

    /// How many entries each output has.
    pub(super) fn counts(&self, code: &Code) -> Vec<usize> {
        let size = |d| code.dimensions.value(d, &|name| Some(self.size(name))).and_then(|n| usize::try_from(n).ok());
        code.outputs.iter().map(|output| output.axes.iter().map(|&d| size(d).unwrap_or(0)).product()).collect()
    }

    /// The size of a dimension.
    pub(super) fn size(&self, name: &str) -> i64 {
        self.sizes.iter().find(|(known, _)| known == name).map_or(0, |&(_, n)| n)
    }
}

/// The self-test of a program at the first point at which its differences are steady.
pub(super) fn self_test(answer: &Answer, code: &Code) -> Result<SelfTest, EmitError> {
    let roots = all_roots(answer);
    let drawn = Sampler::new(&answer.arena, &answer.typed, &roots).draw(0);
    let fixed = &answer.typed.dimension_values;
    let mut names: Vec<String> = drawn.map(|numbers| numbers.dimensions.into_keys().collect()).unwrap_or_default();
    names.retain(|name| fixed.iter().all(|(known, _)| known != name));
    names.sort();
    // Small sizes that differ: the numbers stand in the file.
    let small = names.into_iter().enumerate().map(|(i, name)| (name, i as i64 % 4 + 2));
    let small = Sampler::with_sizes(&answer.arena, &roots, fixed.iter().cloned().chain(small).collect());
    // Where one size must be larger than another, any will do.
    let any = Sampler::new(&answer.arena, &answer.typed, &roots);
    for seed in 0..MOST_POINTS {
        let sampler = if seed < MOST_POINTS / 3 { &small } else { &any };
        let Some(numbers) = sampler.draw(seed) else { continue };
        let point = Point { answer, code, numbers: rounded(answer, numbers) };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let Some(test) = point.test(&mut random)? else { continue };
        if point.is_steady(&test) {
            return Ok(test);
        }
    }
    Err(EmitError::new("--test: no numbers were found at which differences of the value tell its derivatives"))
}

/// Everything that must have a value.
fn all_roots(answer: &Answer) -> Vec<ExprId> {
    let mut roots = Vec::new();
    for outcome in &answer.outcomes {
        roots.push(outcome.of_node);
        roots.push(outcome.result);
        if let Some(forms) = &outcome.forms {
            roots.extend(contract::roots(&forms.entries));
        }
        match &outcome.direction {
            Direction::Along { moves, .. } => roots.extend(moves.iter().map(|moved| moved.direction)),
            Direction::Against { cotangent, .. } => roots.push(*cotangent),
            Direction::None => {}
        }
    }
    roots
}

/// The same numbers with three decimals, where a variable keeps its properties so: they are shorter to read.
fn rounded(answer: &Answer, mut numbers: Numbers) -> Numbers {
    let short = |a: &Matrix| a.map(|x| (x * 1000.0).round() / 1000.0);
    for (variable, value) in answer.arena.variables.iter().zip(&mut numbers.variables) {
        let rounded = short(value);
        if LOST_BY_ROUNDING.iter().all(|&of| !variable.properties.has(of) || obeys(&rounded, of)) {
            *value = rounded;
        }
    }
    for value in numbers.differentials.values_mut() {
        *value = short(value);
    }
    numbers
}

/// Numbers for an answer.
struct Point<'a> {
    answer: &'a Answer,
    code: &'a Code,
    numbers: Numbers,
}

impl Point<'_> {
    /// The comparisons at these numbers; nothing where a direction has no value.
    fn test(&self, random: &mut ChaCha8Rng) -> Result<Option<SelfTest>, EmitError> {
        let (code, arena) = (self.code, &self.answer.arena);
        let places: Vec<Option<usize>> = arena_places(self.answer, code);
        let mut inputs = Vec::with_capacity(code.inputs.len());
        for (place, input) in code.inputs.iter().enumerate() {
            let Some(matrix) = self.input(place) else { return Ok(None) };
            inputs.push(array(matrix, rank(input.shape)));
        }
        let mut test = SelfTest {
            inputs,
            sizes: self.numbers.dimensions.iter().map(|(name, &n)| (name.clone(), n)).collect(),
            directions: Vec::new(),
            comparisons: Vec::new(),
            left_out: Vec::new(),
        };
        test.sizes.sort();
        for (output, given) in code.outputs.iter().enumerate() {
            let Origin::Outcome(place) = given.from else { continue };
            let outcome = &self.answer.outcomes[place];
            let of = code.outputs.iter().position(|known| known.from == Origin::Value(outcome.of_node));
            let Some(of) = of.filter(|&of| code.outputs[of].kind == ResultKind::Value) else { continue };
            let input_of = |node: ExprId| places.get(node.0 as usize).copied().flatten();
            if let Some(&node) = outcome.wrt_nodes.iter().find(|&&node| input_of(node).is_none()) {
                let why = format!("{} is no input of its own", arena.name_of(node));
                test.left_out.push((output, why));
                continue;
            }
            let still = |node: &&ExprId| input_of(**node).is_some_and(|input| self.is_still(&test, input, **node));
            if outcome.kind != AskKind::Differential
                && let Some(&node) = outcome.wrt_nodes.iter().find(still)
            {
                test.left_out.push((output, format!("{} does not move", arena.name_of(node))));
                continue;
            }
            let wrt: Vec<usize> = outcome.wrt_nodes.iter().filter_map(|&node| input_of(node)).collect();
            let forth = |input: usize, along: usize| Shift { input, back: false, along };
            let mut comparison =
                Comparison { output, of, applied: Vec::new(), against: None, second: false, paths: Vec::new() };
            match (outcome.kind, &outcome.direction) {
                (AskKind::Gradient | AskKind::Jacobian, _) => {
                    let d = self.direction(&mut test, wrt[0], outcome.wrt_nodes[0], random);
                    comparison.applied = vec![d];
                    comparison.paths = vec![vec![forth(wrt[0], d)]];
                }
                (AskKind::JacobianAgainst, Direction::Against { cotangent, .. }) => {
                    let d = self.direction(&mut test, wrt[0], outcome.wrt_nodes[0], random);
                    comparison.applied = vec![d];
                    comparison.paths = vec![vec![forth(wrt[0], d)]];
                    let Some(given) = self.value(*cotangent) else { return Ok(None) };
                    let name = format!("against_{}", code.outputs[of].name);
                    test.directions.push(Along { name, array: array(&given, rank(arena.shape(*cotangent))) });
                    comparison.against = Some(test.directions.len() - 1);
                }
                (AskKind::Differential, _) => {
                    let mut path = Vec::new();
                    for (&node, &input) in outcome.wrt_nodes.iter().zip(&wrt) {
                        // The differential of a constant is not there.
                        let Some(given) = self.numbers.differentials.get(&node) else { continue };
                        let name = format!("d_{}", code.inputs[input].name);
                        test.directions.push(Along { name, array: array(given, test.inputs[input].rank) });
                        path.push(forth(input, test.directions.len() - 1));
                    }
                    if path.is_empty() {
                        test.left_out.push((output, "what it moves is constant".to_owned()));
                        continue;
                    }
                    comparison.paths = vec![path];
                }
                (AskKind::Hessian, _) => {
                    let (first, last) = (wrt[0], wrt[wrt.len() - 1]);
                    let u = self.direction(&mut test, first, outcome.wrt_nodes[0], random);
                    let v = self.direction(&mut test, last, outcome.wrt_nodes[wrt.len() - 1], random);
                    comparison.second = true;
                    comparison.applied = vec![v, u];
                    comparison.paths = match first == last {
                        true => vec![vec![forth(first, u)]],
                        false => both_ways(vec![forth(first, u)], vec![forth(last, v)]),
                    };
                }
                (AskKind::JacobianAlong | AskKind::HessianAlong, Direction::Along { moves, .. }) => {
                    let mut path = Vec::new();
                    for moved in moves {
                        let Some(input) = input_of(moved.leaf) else {
                            return Err(EmitError::new("a direction is of no input"));
                        };
                        let Some(given) = self.value(moved.direction) else { return Ok(None) };
                        let name = format!("given_{}", code.inputs[input].name);
                        test.directions.push(Along { name, array: array(&given, test.inputs[input].rank) });
                        path.push(forth(input, test.directions.len() - 1));
                    }
                    if outcome.kind == AskKind::JacobianAlong {
                        comparison.paths = vec![path];
                    } else {
                        let u = self.direction(&mut test, wrt[0], outcome.wrt_nodes[0], random);
                        comparison.second = true;
                        comparison.applied = vec![u];
                        comparison.paths = both_ways(vec![forth(wrt[0], u)], path);
                    }
                }
                (kind, _) => return Err(EmitError::new(format!("a {kind:?} has no self-test"))),
            }
            test.comparisons.push(comparison);
        }
        if test.comparisons.is_empty() {
            return Err(EmitError::new(
                "--test: no derivative by an input was asked for, so there is nothing to compare",
            ));
        }
        Ok(Some(test))
    }

    /// Whether a variable has no direction but 0: a constant, a skew matrix of one entry.
    fn is_still(&self, test: &SelfTest, input: usize, leaf: ExprId) -> bool {
        let [rows, columns] = test.inputs[input].shape;
        let mut random = ChaCha8Rng::seed_from_u64(0);
        random_direction(&self.answer.arena, leaf, rows, columns, &mut random).max_abs() == 0.0
    }

    /// The place of the direction in which an input moves; drawn where it is not known yet.
    fn direction(&self, test: &mut SelfTest, input: usize, leaf: ExprId, random: &mut ChaCha8Rng) -> usize {
        let name = format!("along_{}", self.code.inputs[input].name);
        if let Some(known) = test.directions.iter().position(|known| known.name == name) {
            return known;
        }
        let [rows, columns] = test.inputs[input].shape;
        let drawn = random_direction(&self.answer.arena, leaf, rows, columns, random);
        let matrix = drawn.map(|x| (x * 100.0).round() / 100.0);
        test.directions.push(Along { name, array: array(&matrix, test.inputs[input].rank) });
        test.directions.len() - 1
    }

    /// The numbers of the input at that place.
    fn input(&self, place: usize) -> Option<&Matrix> {
        match *self.answer.arena.op(self.code.inputs[place].node) {
            Node::Variable(variable) => self.numbers.variables.get(variable.0 as usize),
            Node::Differential(of) => self.numbers.differentials.get(&of),
            _ => None,
        }
    }

    fn value(&self, id: ExprId) -> Option<Matrix> {
        Evaluator::new(&self.answer.arena, &[id]).run(&self.numbers).ok()?.pop()
    }

    /// Whether the differences that the test takes are the same with half the step.
    fn is_steady(&self, test: &SelfTest) -> bool {
        test.comparisons.iter().all(|comparison| {
            let Origin::Value(of) = self.code.outputs[comparison.of].from else { return false };
            let evaluator = Evaluator::new(&self.answer.arena, &[of]);
            comparison.paths.iter().all(|path| {
                let at = |t: f64| evaluator.run(&self.moved(test, path, t)).ok()?.pop();
                let step = if comparison.second { CURVATURE_STEP } else { SLOPE_STEP };
                match (difference(&at, step, comparison.second), difference(&at, 0.5 * step, comparison.second)) {
                    (Some(whole), Some(half)) => {
                        let off = whole.subtract(&half).max_abs();
                        half.is_finite() && off <= STEADY * (1.0 + half.max_abs())
                    }
                    _ => false,
                }
            })
        })
    }

    fn moved(&self, test: &SelfTest, path: &[Shift], t: f64) -> Numbers {
        let mut numbers = self.numbers.clone();
        for shift in path {
            let Node::Variable(variable) = *self.answer.arena.op(self.code.inputs[shift.input].node) else { continue };
            let place = variable.0 as usize;
            let direction = &test.directions[shift.along].array;
            let [rows, columns] = direction.shape;
            let step = if shift.back { -t } else { t };
            let direction = Matrix::new(rows, columns, direction.entries.clone());
            numbers.variables[place] = numbers.variables[place].zip(&direction, |x, d| x + step * d);
        }
        numbers
    }
}

/// For each node of the arena the place of the input that it is.
fn arena_places(answer: &Answer, code: &Code) -> Vec<Option<usize>> {
    let arena = &answer.arena;
    let mut out = vec![None; arena.len()];
    for outcome in &answer.outcomes {
        let mut nodes = outcome.wrt_nodes.clone();
        if let Direction::Along { moves, .. } = &outcome.direction {
            nodes.extend(moves.iter().map(|moved| moved.leaf));
        }
        for node in nodes {
            out[node.0 as usize] = code.inputs.iter().position(|input| input.node == node);
        }
    }
    out
}

/// Along both, and along the first and against the second: a quarter of the difference of the second differences is the
/// mixed derivative.
fn both_ways(first: Vec<Shift>, second: Vec<Shift>) -> Vec<Vec<Shift>> {
    let back = second.iter().map(|shift| Shift { back: true, ..*shift });
    let against = first.iter().copied().chain(back).collect();
    vec![first.into_iter().chain(second.iter().copied()).collect(), against]
}

/// The difference of fourth order that the programs take.
fn difference(at: &dyn Fn(f64) -> Option<Matrix>, step: f64, second: bool) -> Option<Matrix> {
    let (near, far) = ((at(step)?, at(-step)?), (at(2.0 * step)?, at(-2.0 * step)?));
    if second {
        let (near, far) = (near.0.zip(&near.1, |x, y| x + y), far.0.zip(&far.1, |x, y| x + y));
        let inner = near.zip(&far, |x, y| 16.0 * x - y);
        return Some(inner.zip(&at(0.0)?, |x, y| (x - 30.0 * y) / (12.0 * step * step)));
    }
    let (near, far) = (near.0.subtract(&near.1), far.0.subtract(&far.1));
    Some(near.zip(&far, |x, y| (8.0 * x - y) / (12.0 * step)))
}

fn array(matrix: &Matrix, rank: usize) -> Array {
    Array { shape: [matrix.rows(), matrix.columns()], rank, entries: matrix.entries().to_vec() }
}

//! `matgrad eval`: numbers for a program's variables come from a file, the numbers of its definitions and of all it asks
//! for go to another.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::ArgMatches;
use matgrad::answer::Answer;
use matgrad::bind::{Bound, Entry, bind};
use matgrad::derivation::Detail;
use matgrad::dimension::Shape;
use matgrad::eval::{EvalError, evaluate};
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::run::cpu::{InstructionSet, Pool};
use matgrad::run::{self, Dense};
use matgrad::syntax::ast::AskKind;
use matgrad::syntax::canonical_name;
use matgrad::tensor::contract;
use matgrad::tensor::index::Entries;

use crate::arrays::{self, Array, Stored};
use crate::derive::answered;
use crate::failure::Failure;
use crate::input::Program;
use crate::output;
use crate::tensors::{Tensor, must_fit, size_of};

/// Evaluates a program at the numbers of a file.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned().unwrap_or_default();
    let (data, out) = (path("data"), path("out"));
    arrays::check_ending(&out)?;
    let program = Program::whole(matches)?;
    let answer = answered(&program, Detail::None)?;
    let stored = arrays::read_stored(&data)?;
    let entries: Vec<Entry<'_>> = stored
        .iter()
        .map(|stored| Entry {
            name: &stored.name,
            shape: &stored.array.shape,
            entries: &stored.array.entries,
            rounding: stored.rounding,
        })
        .collect();
    let results = without_idle_differentials(results(&answer), &answer, &stored)?;
    let compressed = matches.get_flag("compressed");
    let mut roots: Vec<ExprId> = Vec::with_capacity(results.len());
    for result in &results {
        match result.entries(&answer) {
            Some(entries) => roots.extend(contract::roots(entries)),
            None => roots.push(result.root),
        }
    }
    let in_data = |message: String| format!("error: `{}`: {message}\n", data.display());
    let bound = bind(&answer.arena, &answer.typed, &entries, &roots).map_err(|errors| {
        let text: String = errors.into_iter().map(in_data).collect();
        Failure { code: crate::failure::WRONG_INPUT, text }
    })?;
    for name in &bound.unused {
        output::message(&format!("note: `{}`: the program has no use for the entry `{name}`\n", data.display()));
    }
    let size = |d| size_of(&answer, d, &|name| bound.numbers.dimensions.get(name).copied());
    let tensors: Vec<Option<Tensor<'_>>> = results
        .iter()
        .map(|result| Tensor::new(result.key.clone(), &answer.outcomes[result.outcome?], &size))
        .collect();
    if !compressed {
        must_fit(tensors.iter().flatten())?;
    }
    let mut pool = Pool::new(std::thread::available_parallelism().map_or(1, |threads| threads.get().min(64)));
    let values = computed(&answer, &bound, &roots, &mut pool).map_err(|error| {
        let at =
            error.at.and_then(|at| results.iter().find(|result| answer.arena.reachable(&[result.root]).contains(&at)));
        let what = at.map(|result| format!("`{}` has no value: ", result.key)).unwrap_or_default();
        Failure::wrong(format!("{what}{error}"))
    })?;
    let flat = Flat::new(&answer, &bound);
    let mut out_arrays = Vec::with_capacity(results.len());
    let mut values = values.into_iter();
    for (result, tensor) in results.iter().zip(&tensors) {
        let start = out_arrays.len();
        match tensor {
            None => {
                let value = values.next().expect("a value for each root");
                let shape = flat.shape(&answer, result, value.shape());
                out_arrays.push((result.key.clone(), Array { shape, entries: value.into_owned().into_entries() }));
            }
            Some(tensor) => {
                let own: Vec<Cow<'_, Matrix>> = values.by_ref().take(contract::roots(tensor.entries).len()).collect();
                if compressed {
                    out_arrays.extend(tensor.compressed(own, &size));
                } else {
                    let shape = match tensor.shape() {
                        axes if axes.len() > 2 => axes,
                        _ => flat.shape(&answer, result, (size(result.shape.rows), size(result.shape.columns))),
                    };
                    out_arrays.push((
                        result.key.clone(),
                        tensor.dense(
                            own,
                            shape,
                            &size,
                            &mut Dense { set: InstructionSet::detect(), pool: &mut pool },
                        )?,
                    ));
                }
            }
        }
        if out_arrays[start..].iter().any(|(_, array)| array.entries.iter().any(|x| !x.is_finite())) {
            output::message(&format!("note: `{}` has entries that are not finite\n", result.key));
        }
    }
    arrays::write(&out, &out_arrays)
}

/// The values of the roots on the processor's kernels. The reference tells of what has no value where that is.
fn computed<'n>(
    answer: &Answer,
    bound: &'n Bound,
    roots: &[ExprId],
    pool: &mut Pool,
) -> Result<Vec<Cow<'n, Matrix>>, EvalError> {
    run::evaluate(&answer.arena, &bound.numbers, roots, InstructionSet::detect(), pool).or_else(|_| {
        let values = evaluate(&answer.arena, &bound.numbers, roots)?;
        Ok(values.into_iter().map(Cow::Owned).collect())
    })
}

/// Leaves out, with a note, the differentials of which no part is among the data: the values are of use without them. An
/// error where nothing is left.
fn without_idle_differentials(
    results: Vec<Valued>,
    answer: &Answer,
    stored: &[Stored],
) -> Result<Vec<Valued>, Failure> {
    let names: Vec<String> = stored.iter().filter_map(|stored| canonical_name(&stored.name)).collect();
    let mut kept = Vec::with_capacity(results.len());
    let mut left_out = Vec::new();
    for result in results {
        let moving = answer.arena.reachable(&[result.root]).into_iter().filter_map(|id| match answer.arena.op(id) {
            Op::Differential(leaf) => Some(format!("d{}", answer.arena.name_of(*leaf))),
            _ => None,
        });
        let moving: Vec<String> = moving.collect();
        if moving.is_empty() || moving.iter().any(|name| names.contains(name)) {
            kept.push(result);
        } else {
            left_out.push(format!("`{}` needs the entry `{}`", result.key, moving.join("` and `")));
        }
    }
    if kept.is_empty() {
        return Err(Failure::wrong(left_out.join("; ")));
    }
    for text in left_out {
        output::message(&format!("note: {text}, and is left out\n"));
    }
    Ok(kept)
}

/// Something that is written.
struct Valued {
    key: String,
    root: ExprId,
    shape: Shape,
    /// The variable whose form it takes.
    like: Option<usize>,
    /// The outcome it is.
    outcome: Option<usize>,
}

impl Valued {
    /// The terms of a Jacobian or Hessian.
    fn entries<'a>(&self, answer: &'a Answer) -> Option<&'a Entries> {
        Some(&answer.outcomes[self.outcome?].forms.as_ref()?.entries)
    }
}

/// The definitions, then what is asked for; each key once.
fn results(answer: &Answer) -> Vec<Valued> {
    let arena = &answer.arena;
    let mut out: Vec<Valued> = Vec::new();
    for (definition, &root) in answer.typed.definitions.iter().zip(&answer.definitions) {
        out.push(Valued { key: definition.name.clone(), root, shape: arena.shape(root), like: None, outcome: None });
    }
    for (place, outcome) in answer.outcomes.iter().enumerate() {
        let like = match (outcome.kind, outcome.wrt_nodes.as_slice()) {
            (AskKind::Gradient | AskKind::JacobianAgainst, &[wrt]) | (AskKind::HessianAlong, &[wrt, ..]) => {
                match arena.op(wrt) {
                    Op::Variable(v) => Some(v.0 as usize),
                    _ => None,
                }
            }
            _ => None,
        };
        let key = outcome.key();
        if out.iter().all(|known| known.key != key) {
            let (root, shape) = (outcome.result, arena.shape(outcome.result));
            out.push(Valued { key, root, shape, like, outcome: Some(place) });
        }
    }
    out
}

/// Which vectors and rows are written with one axis.
struct Flat {
    /// How many axes each variable was given with.
    axes: Vec<Option<usize>>,
    /// Whether every vector and row of the data has one axis.
    all: bool,
}

impl Flat {
    fn new(answer: &Answer, bound: &Bound) -> Flat {
        let vectors = answer.typed.variables.iter().zip(&bound.axes).filter_map(|(variable, axes)| {
            let axes = (*axes)?;
            (variable.shape.is_column() || variable.shape.is_row()).then_some(axes)
        });
        let vectors: Vec<usize> = vectors.collect();
        Flat { axes: bound.axes.clone(), all: !vectors.is_empty() && vectors.iter().all(|&axes| axes < 2) }
    }

    fn shape(&self, answer: &Answer, result: &Valued, (rows, columns): (usize, usize)) -> Vec<usize> {
        if result.shape.is_scalar() {
            return Vec::new();
        }
        let flat = match result.like.filter(|&v| !answer.typed.variables[v].shape.is_scalar()) {
            Some(variable) => self.axes[variable].is_some_and(|axes| axes < 2),
            None => self.all,
        };
        match flat && (result.shape.is_column() || result.shape.is_row()) {
            true => vec![rows * columns],
            false => vec![rows, columns],
        }
    }
}

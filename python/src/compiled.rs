//! Programs as functions of arrays: for each call objects of Python come in and results go out. The plan for the shapes at
//! hand is made when they come first. A call reads arrays where they lie, writes results to arrays that are new or the
//! caller's, and holds the interpreter's lock only before and after the work.

use std::collections::HashMap;
use std::sync::Arc;

use matgrad::bind::{self, Entry};
use matgrad::dimension::DimId;
use matgrad::elaborate::Property;
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::plan::{self, Plan, Precision, Request, Tuning};
use matgrad::run::cpu::InstructionSet;
use matgrad::run::{self, Given};
use matgrad::tensor::contract;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{Form, Held, MOST_AXES, Real};
use crate::failure;
use crate::outputs::{Output, outputs};
use crate::program::Program;
use crate::ready::{Idle, Ready, Shapes};
use crate::written::Written;

/// The lock is held during work of fewer operations: to give it away and take it back would take longer.
const LOCKED_BELOW: f64 = 100_000.0;

/// A name that a function needs.
pub struct Wanted {
    /// The canonical name, `dX` for the differential of X.
    pub name: String,
    /// What its numbers are given as.
    pub form: Form,
    /// Its node.
    node: ExprId,
    /// Its variable, or the variable whose differential it is.
    variable: Option<usize>,
    is_differential: bool,
    /// Whether its numbers must have a property.
    has_property: bool,
}

/// What is compiled, and for what.
pub struct Compiled {
    /// The program.
    pub program: Arc<Program>,
    /// What is needed, in the order of the program.
    pub wanted: Vec<Wanted>,
    /// What is given.
    pub outputs: Vec<Output>,
    /// Numbers of dimensions that were told.
    pub fixed: Vec<(String, i64)>,
    /// How many threads take part.
    pub threads: usize,
    /// Whether declared properties are checked.
    checks: bool,
    roots: Vec<ExprId>,
    single: Idle<f32>,
    double: Idle<f64>,
}

/// A precision with the plans that are ready in it.
pub trait Ours: Real {
    /// Which it is.
    const PRECISION: Precision;
    /// Its plans.
    fn idle(compiled: &Compiled) -> &Idle<Self>;
}

impl Ours for f32 {
    const PRECISION: Precision = Precision::Single;
    fn idle(compiled: &Compiled) -> &Idle<f32> {
        &compiled.single
    }
}

impl Ours for f64 {
    const PRECISION: Precision = Precision::Double;
    fn idle(compiled: &Compiled) -> &Idle<f64> {
        &compiled.double
    }
}

/// The properties of which numbers are checked.
const CHECKED: [Property; 10] = [
    Property::Symmetric,
    Property::Skew,
    Property::Diagonal,
    Property::Orthogonal,
    Property::PositiveDefinite,
    Property::Invertible,
    Property::OneHot,
    Property::RowStochastic,
    Property::Positive,
    Property::Nonnegative,
];

impl Compiled {
    /// The results of those names, or all that are asked for.
    ///
    /// # Errors
    /// A result or a dimension that the program does not have.
    pub fn new(
        program: Arc<Program>,
        names: Option<&[String]>,
        fixed: Vec<(String, i64)>,
        threads: usize,
        checks: bool,
    ) -> Result<Compiled, String> {
        let answer = &program.answer;
        let (outputs, roots) = outputs(answer, names)?;
        if outputs.is_empty() {
            return Err("the program has no result to compute".to_owned());
        }
        let mut told: HashMap<&str, i64> = HashMap::new();
        for (name, value) in answer.typed.dimension_values.iter().chain(&fixed) {
            if answer.arena.dimensions.known_name(name).is_none() {
                let known: Vec<&str> = answer.arena.dimensions.all_names().collect();
                let there =
                    if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
                return Err(format!("the program has no dimension `{name}`: {there}"));
            }
            if *value < 1 {
                return Err(format!("the dimension `{name}` is a positive number, not {value}"));
            }
            if let Some(before) = told.insert(name, *value).filter(|before| before != value) {
                return Err(format!("the dimension `{name}` is {before}, and {value} is given"));
            }
        }
        let wanted = wanted(&program, &roots);
        Ok(Compiled {
            program,
            wanted,
            outputs,
            fixed,
            threads: threads.max(1),
            checks,
            roots,
            single: Idle::new(),
            double: Idle::new(),
        })
    }

    /// The plan in words for these sizes of the dimensions.
    ///
    /// # Errors
    /// A dimension without a number.
    pub fn plan_text<T: Ours>(&self, sizes: &HashMap<String, i64>) -> Result<String, String> {
        let plan = self.plan::<T>(sizes, &[]).map_err(|error| error.message)?;
        let mut text = plan.to_string();
        text.push_str("outputs\n");
        for (i, output) in self.outputs.iter().enumerate() {
            let planned = &plan.outputs[output.roots.start];
            match output.tensor {
                None => text.push_str(&format!("  {} {} : {}x{}\n", i + 1, output.key, planned.rows, planned.columns)),
                Some(_) => text.push_str(&format!("  {} {} : contracted of its factors\n", i + 1, output.key)),
            }
        }
        Ok(text)
    }

    fn plan<T: Ours>(&self, sizes: &HashMap<String, i64>, labels: &[ExprId]) -> Result<Plan, plan::PlanError> {
        let request = Request {
            sizes,
            independent: &[],
            labels,
            precision: T::PRECISION,
            threads: self.threads,
            tuning: Tuning::default(),
        };
        Plan::new(&self.program.answer.arena, &self.roots, &request)
    }

    /// The lengths of the axes of each result, from those of the inputs, in the order of `wanted`. Whole numbers with one axis
    /// stand for a one-hot matrix.
    ///
    /// # Errors
    /// Shapes that do not fit.
    pub fn shapes(&self, lengths: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, String> {
        let answer = &self.program.answer;
        let is_labels = |wanted: &Wanted, shape: &[usize]| wanted.form == Form::OneHot && shape.len() == 1;
        let given = self.wanted.iter().zip(lengths).filter(|(wanted, shape)| !is_labels(wanted, shape));
        let numbers: Vec<f64> = self.fixed.iter().map(|&(_, value)| value as f64).collect();
        let told = self.fixed.iter().zip(&numbers).map(|((name, _), number)| Entry {
            name,
            shape: &[],
            entries: std::slice::from_ref(number),
            rounding: 0.0,
        });
        let entries: Vec<Entry<'_>> = given
            .map(|(wanted, shape)| Entry { name: &wanted.name, shape, entries: &[], rounding: 0.0 })
            .chain(told)
            .collect();
        let sizes =
            bind::sizes(&answer.arena, &answer.typed, &entries, &self.roots).map_err(|errors| errors.join("; "))?;
        let sizes: Vec<(String, i64)> = sizes.into_iter().collect();
        let flat = Flat::new(self.wanted.iter().zip(lengths.iter().map(Vec::len)));
        Ok(self.outputs.iter().map(|output| self.axes(output, &sizes, &flat)).collect())
    }

    /// The results at the arrays that `fetch` has, in the order of the outputs. Where `out` has an array for an output it is
    /// written there. Of a scalar the result is an array without axes.
    ///
    /// # Errors
    /// Arrays that do not fit, or that overlap those of `out`; what has no value.
    pub fn call<'py, T: Ours>(
        &self,
        py: Python<'py>,
        fetch: &mut dyn FnMut(usize, &Wanted) -> PyResult<Bound<'py, PyAny>>,
        out: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Written<'py, T>>> {
        let mut held: Vec<Held<'py, T>> = Vec::with_capacity(self.wanted.len());
        for (place, wanted) in self.wanted.iter().enumerate() {
            held.push(Held::new(fetch(place, wanted)?, wanted.form, &wanted.name)?);
        }
        if self.checks {
            self.check(&held)?;
        }
        let fits = |ready: &Ready<T>| {
            ready
                .shapes
                .iter()
                .zip(&held)
                .all(|(&shape, held)| shape == (held.rows, held.columns, held.labels.is_some()))
        };
        let mut ready = match T::idle(self).take(fits) {
            Some(ready) => ready,
            None => self.ready(py, &held)?,
        };
        let outcome = self.run(py, &mut ready, &mut held, out);
        T::idle(self).put(ready);
        outcome
    }

    fn run<'py, T: Ours>(
        &self,
        py: Python<'py>,
        ready: &mut Ready<T>,
        held: &mut [Held<'py, T>],
        out: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Written<'py, T>>> {
        for (input, &place) in ready.places.iter().enumerate() {
            let one = &held[place];
            if one.labels.is_none() && !one.is_row_by_row() && !ready.executable.reads_any_layout(input) {
                let wanted = &self.wanted[place];
                held[place] = one.row_by_row(py, wanted.form, &wanted.name)?;
            }
        }
        let held = &*held;
        let mut given: Vec<Given<'_, T>> = Vec::with_capacity(ready.places.len());
        for &place in &ready.places {
            let one = &held[place];
            given.push(match &one.labels {
                Some(labels) => Given::Labels(labels),
                None if one.is_row_by_row() => {
                    // SAFETY: the array has as many numbers one after the other, and `held` keeps it.
                    let entries = unsafe { std::slice::from_raw_parts(one.pointer(), one.rows * one.columns) };
                    Given::Entries(entries)
                }
                // SAFETY: `held` keeps the array.
                None => Given::View(unsafe { one.view() }),
            });
        }
        if let Some(out) = out {
            self.check_names(out)?;
        }
        let flat = Flat::new(self.wanted.iter().zip(held.iter().map(|one| one.axes)));
        let mut results: Vec<Written<'py, T>> = Vec::with_capacity(self.outputs.len());
        let mut written: Vec<&mut [T]> = Vec::with_capacity(self.roots.len());
        let mut rooms: Vec<Vec<T>> = Vec::new();
        for output in &self.outputs {
            let planned = &ready.executable.plan().outputs[output.roots.clone()];
            let place = match out {
                Some(out) => out.get_item(&output.key)?,
                None => None,
            };
            if output.tensor.is_some() {
                rooms.extend(planned.iter().map(|root| vec![T::ZERO; root.rows * root.columns]));
            }
            let result = Written::new(py, &self.axes(output, &ready.sizes, &flat), place, &output.key)?;
            results.push(result);
        }
        if out.is_some() {
            self.check_apart(held, &results)?;
        }
        let mut rooms_left = rooms.iter_mut();
        for (output, result) in self.outputs.iter().zip(&mut results) {
            match output.tensor {
                Some(_) => written.extend(rooms_left.by_ref().take(output.roots.len()).map(Vec::as_mut_slice)),
                // SAFETY: the array is new, or the caller's alone and apart from all others; `results` keeps it.
                None => written.push(unsafe { std::slice::from_raw_parts_mut(result.pointer, result.length) }),
            }
        }
        let Ready { executable, pool, .. } = ready;
        let is_short = executable.plan().operations < LOCKED_BELOW;
        let (executable_ref, given_ref, written_ref, pool_ref) = (&mut *executable, &given, &mut written, &mut *pool);
        let outcome = match is_short {
            true => executable_ref.run(pool_ref, given_ref, written_ref),
            false => py.detach(move || executable_ref.run(pool_ref, given_ref, written_ref)),
        };
        outcome.map_err(|error| failure::value(error.message))?;
        drop(written);
        if !rooms.is_empty() {
            self.contract(py, ready, rooms, &mut results)?;
        }
        Ok(results)
    }

    /// The dense tensors of derivatives from the numbers of their factors.
    fn contract<T: Ours>(
        &self,
        py: Python<'_>,
        ready: &mut Ready<T>,
        rooms: Vec<Vec<T>>,
        results: &mut [Written<'_, T>],
    ) -> PyResult<()> {
        let answer = &self.program.answer;
        let sizes = &ready.sizes;
        let size = |dimension: DimId| value_of(&self.program, sizes, dimension);
        let (planned, pool) = (&ready.executable.plan().outputs, &mut ready.pool);
        let mut rooms = rooms.into_iter();
        for (output, result) in self.outputs.iter().zip(results) {
            let Some((place, axes)) = &output.tensor else { continue };
            let Some(forms) = &answer.outcomes[*place].forms else { continue };
            let values: Vec<Matrix> = planned[output.roots.clone()]
                .iter()
                .zip(rooms.by_ref())
                .map(|(root, room)| Matrix::new(root.rows, root.columns, room.into_iter().map(T::to_f64).collect()))
                .collect();
            let axes: Vec<usize> = axes.iter().map(|&axis| size(axis)).collect();
            // SAFETY: the array is new, or the caller's alone; `results` keeps it.
            let written = unsafe { std::slice::from_raw_parts_mut(result.pointer, result.length) };
            let done = py.detach(|| {
                let terms = contract::numbers(&forms.entries, values, &size);
                let mut arithmetic = run::Dense { set: InstructionSet::detect(), pool };
                let entries = contract::dense(&forms.entries, &axes, &terms, &mut arithmetic)?;
                written.iter_mut().zip(entries).for_each(|(to, from)| *to = T::from_f64(from));
                Some(())
            });
            done.ok_or_else(|| too_large(&output.key, &axes))?;
        }
        Ok(())
    }

    /// The lengths of the axes of a result.
    fn axes(&self, output: &Output, sizes: &[(String, i64)], flat: &Flat) -> Vec<usize> {
        let size = |dimension: DimId| value_of(&self.program, sizes, dimension);
        if let Some((_, axes)) = output.tensor.as_ref().filter(|(_, axes)| axes.len() > 2) {
            return axes.iter().map(|&axis| size(axis)).collect();
        }
        let (rows, columns) = (size(output.shape.rows), size(output.shape.columns));
        if output.is_scalar {
            Vec::new()
        } else if output.is_vector && flat.of(output) {
            vec![rows * columns]
        } else {
            vec![rows, columns]
        }
    }

    /// A plan for shapes that come the first time.
    fn ready<'py, T: Ours>(&self, py: Python<'py>, held: &[Held<'py, T>]) -> PyResult<Box<Ready<T>>> {
        let shapes: Shapes = held.iter().map(|one| (one.rows, one.columns, one.labels.is_some())).collect();
        let lengths: Vec<(usize, [usize; MOST_AXES])> = held.iter().map(|one| (one.axes, one.lengths)).collect();
        py.detach(|| self.planned(shapes, &lengths)).map_err(failure::value)
    }

    fn planned<T: Ours>(
        &self,
        shapes: Shapes,
        lengths: &[(usize, [usize; MOST_AXES])],
    ) -> Result<Box<Ready<T>>, String> {
        let answer = &self.program.answer;
        let mut entries: Vec<Entry<'_>> = Vec::with_capacity(self.wanted.len() + self.fixed.len());
        let mut labels = Vec::new();
        for ((wanted, shape), (axes, lengths)) in self.wanted.iter().zip(&shapes).zip(lengths) {
            match shape.2 {
                true => labels.push(wanted.node),
                false => {
                    let shape = &lengths[..*axes];
                    entries.push(Entry { name: &wanted.name, shape, entries: &[], rounding: T::ROUNDING });
                }
            }
        }
        let numbers: Vec<f64> = self.fixed.iter().map(|&(_, value)| value as f64).collect();
        for ((name, _), number) in self.fixed.iter().zip(&numbers) {
            entries.push(Entry { name, shape: &[], entries: std::slice::from_ref(number), rounding: 0.0 });
        }
        let sizes =
            bind::sizes(&answer.arena, &answer.typed, &entries, &self.roots).map_err(|errors| errors.join("; "))?;
        let plan = self.plan::<T>(&sizes, &labels).map_err(|error| error.message)?;
        for output in &self.outputs {
            let Some((_, axes)) = &output.tensor else { continue };
            let list: Vec<(String, i64)> = sizes.iter().map(|(name, size)| (name.clone(), *size)).collect();
            let axes: Vec<usize> = axes.iter().map(|&axis| value_of(&self.program, &list, axis)).collect();
            if contract::dense_size(&axes).is_none() {
                return Err(format!("`{}` has too many entries for an array", output.key));
            }
        }
        let place = |node: ExprId| self.wanted.iter().position(|wanted| wanted.node == node);
        let places = plan.inputs.iter().map(|input| place(input.node)).collect::<Option<Vec<usize>>>();
        let places = places.ok_or("the plan needs what the program does not name")?;
        Ready::new(plan, shapes, sizes.into_iter().collect(), places)
    }

    /// Declared properties of what is given.
    fn check<T: Ours>(&self, held: &[Held<'_, T>]) -> PyResult<()> {
        for (wanted, one) in self.wanted.iter().zip(held).filter(|(wanted, _)| wanted.has_property) {
            let Some(variable) = wanted.variable.map(|place| &self.program.answer.typed.variables[place]) else {
                continue;
            };
            if one.labels.is_some() || one.rows == usize::MAX || one.rows * one.columns == 0 {
                continue;
            }
            // SAFETY: `held` keeps the array.
            let view = unsafe { one.view() };
            let matrix = Matrix::from_fn(one.rows, one.columns, |i, j| view.at(i, j).to_f64());
            let broken = match wanted.is_differential {
                true => bind::broken_direction(&wanted.name, variable, &matrix, T::ROUNDING),
                false => bind::broken_property(variable, &matrix, T::ROUNDING),
            };
            if let Some(why) = broken {
                return Err(failure::value(why));
            }
        }
        Ok(())
    }

    /// Every name of `out` is an output's.
    fn check_names(&self, out: &Bound<'_, PyDict>) -> PyResult<()> {
        for key in out.keys() {
            let name: String = key.extract()?;
            if self.outputs.iter().all(|output| output.key != name) {
                let known: Vec<&str> = self.outputs.iter().map(|output| output.key.as_str()).collect();
                return Err(failure::value(format!("out has `{name}`, but the results are {}", known.join(", "))));
            }
        }
        Ok(())
    }

    /// Nothing that is written lies where something is read, or where something else is written.
    fn check_apart<T: Ours>(&self, held: &[Held<'_, T>], results: &[Written<'_, T>]) -> PyResult<()> {
        let meet = |a: (usize, usize), b: (usize, usize)| a.0 < b.1 && b.0 < a.1;
        for (i, result) in results.iter().enumerate() {
            let extent = result.extent();
            let key = &self.outputs[i].key;
            for (wanted, one) in self.wanted.iter().zip(held).filter(|(_, one)| one.owner.is_some()) {
                if meet(extent, one.extent()) {
                    return Err(failure::value(format!(
                        "out[\"{key}\"] shares memory with the input `{}`",
                        wanted.name
                    )));
                }
            }
            if let Some(j) = results[..i].iter().position(|other| meet(extent, other.extent())) {
                let other = &self.outputs[j].key;
                return Err(failure::value(format!("out[\"{key}\"] shares memory with `{other}`")));
            }
        }
        Ok(())
    }
}

/// Which vectors have one axis.
struct Flat {
    all: bool,
    of_variable: Vec<(Option<usize>, bool)>,
}

impl Flat {
    /// Those that have the form of a variable as that was given, others where every vector and row was given with one axis.
    fn new<'a>(given: impl Iterator<Item = (&'a Wanted, usize)>) -> Flat {
        let mut all = None;
        let mut of_variable = Vec::new();
        for (wanted, axes) in given.filter(|(wanted, _)| !wanted.is_differential) {
            if matches!(wanted.form, Form::Row | Form::Column) {
                all = Some(all.unwrap_or(true) && axes < 2);
                of_variable.push((wanted.variable, axes < 2));
            }
        }
        Flat { all: all.unwrap_or(false), of_variable }
    }

    fn of(&self, output: &Output) -> bool {
        let own = output.like.and_then(|like| self.of_variable.iter().find(|(of, _)| *of == Some(like)));
        own.map_or(self.all, |(_, flat)| *flat)
    }
}

/// What the roots stand on, variables in order and then differentials.
fn wanted(program: &Program, roots: &[ExprId]) -> Vec<Wanted> {
    let answer = &program.answer;
    let variables = &answer.typed.variables;
    let form = |place: usize| {
        let variable = &variables[place];
        let shape = variable.shape;
        if shape.is_scalar() {
            Form::Scalar
        } else if shape.is_row() {
            Form::Row
        } else if shape.is_column() {
            Form::Column
        } else if variable.properties.has(Property::OneHot) {
            Form::OneHot
        } else {
            Form::Matrix
        }
    };
    let has_property = |place: usize| CHECKED.iter().any(|&property| variables[place].properties.has(property));
    let mut out: Vec<Wanted> = Vec::new();
    let mut differentials: Vec<Wanted> = Vec::new();
    for id in answer.arena.reachable(roots) {
        match answer.arena.op(id) {
            Op::Variable(v) => {
                let place = v.0 as usize;
                out.push(Wanted {
                    name: variables[place].name.clone(),
                    form: form(place),
                    node: id,
                    variable: Some(place),
                    is_differential: false,
                    has_property: has_property(place),
                });
            }
            Op::Differential(leaf) => {
                let variable = match answer.arena.op(*leaf) {
                    Op::Variable(v) => Some(v.0 as usize),
                    _ => None,
                };
                let shape = answer.arena.shape(*leaf);
                let form = match (shape.is_scalar(), shape.is_row(), shape.is_column()) {
                    (true, ..) => Form::Scalar,
                    (_, true, _) => Form::Row,
                    (_, _, true) => Form::Column,
                    _ => Form::Matrix,
                };
                differentials.push(Wanted {
                    name: format!("d{}", answer.arena.name_of(*leaf)),
                    form,
                    node: id,
                    variable,
                    is_differential: true,
                    has_property: variable.is_some_and(|place| {
                        has_property(place) || variables[place].properties.has(Property::Constant)
                    }),
                });
            }
            _ => {}
        }
    }
    out.sort_by_key(|wanted| wanted.variable);
    out.extend(differentials);
    out
}

fn value_of(program: &Program, sizes: &[(String, i64)], dimension: DimId) -> usize {
    let of = |name: &str| sizes.iter().find(|(known, _)| known == name).map(|(_, size)| *size);
    let value = program.answer.arena.dimensions.value(dimension, &of);
    value.and_then(|size| usize::try_from(size).ok()).unwrap_or(0)
}

fn too_large(key: &str, axes: &[usize]) -> PyErr {
    let axes: Vec<String> = axes.iter().map(usize::to_string).collect();
    pyo3::exceptions::PyMemoryError::new_err(format!("`{key}` has {} entries, too many for memory", axes.join(" x ")))
}

//! One run of a program at numbers that are at hand as matrices: planned, compiled, run, and its results as matrices again.

use std::borrow::Cow;

use super::cpu::{InstructionSet, Pool};
use super::{Executable, Given, RunError};
use crate::eval::Numbers;
use crate::expr::{Arena, ExprId, Op};
use crate::matrix::Matrix;
use crate::plan::{Input, Plan, Precision, Request, Tuning};

/// The values of the roots, in their order, in double precision: what [`crate::eval::evaluate`] gives, at the speed of the
/// machine. A root that is a name with numbers is those numbers themselves.
///
/// # Errors
/// A name without numbers, numbers of another shape than declared, or what has no value (an inverse of a singular matrix).
pub fn evaluate<'n>(
    arena: &Arena,
    numbers: &'n Numbers,
    roots: &[ExprId],
    set: InstructionSet,
    pool: &mut Pool,
) -> Result<Vec<Cow<'n, Matrix>>, RunError> {
    let at_hand: Vec<Option<&Matrix>> = roots.iter().map(|&root| at_hand(arena, numbers, root)).collect();
    let rest: Vec<ExprId> =
        roots.iter().zip(&at_hand).filter(|(_, given)| given.is_none()).map(|(&root, _)| root).collect();
    let independent: Vec<ExprId> = numbers.overrides.keys().copied().collect();
    let request = Request {
        sizes: &numbers.dimensions,
        independent: &independent,
        labels: &[],
        precision: Precision::Double,
        threads: pool.threads(),
        tuning: Tuning::default(),
    };
    let plan = Plan::new(arena, &rest, &request).map_err(|error| RunError::new(error.message))?;
    let mut given = Vec::with_capacity(plan.inputs.len());
    for input in &plan.inputs {
        given.push(Given::Entries(numbers_of(arena, numbers, input)?.entries()));
    }
    let mut values: Vec<Matrix> =
        plan.outputs.iter().map(|output| Matrix::zeros(output.rows, output.columns)).collect();
    let mut executable = Executable::<f64>::new(plan, set)?;
    let mut outputs: Vec<&mut [f64]> = values.iter_mut().map(Matrix::entries_mut).collect();
    executable.run(pool, &given, &mut outputs)?;
    let mut values = values.into_iter();
    let mut next = || Cow::Owned(values.next().expect("a value for each root that is not at hand"));
    Ok(at_hand.into_iter().map(|given| given.map_or_else(&mut next, Cow::Borrowed)).collect())
}

/// The numbers that a name was given.
fn at_hand<'n>(arena: &Arena, numbers: &'n Numbers, node: ExprId) -> Option<&'n Matrix> {
    match (numbers.overrides.get(&node), arena.op(node)) {
        (Some(matrix), _) => Some(matrix),
        (None, Op::Variable(v)) => numbers.variables.get(v.0 as usize),
        (None, Op::Differential(of)) => numbers.differentials.get(of),
        (None, _) => None,
    }
}

/// The numbers of an input.
fn numbers_of<'n>(arena: &Arena, numbers: &'n Numbers, input: &Input) -> Result<&'n Matrix, RunError> {
    let Some(matrix) = at_hand(arena, numbers, input.node) else {
        return Err(RunError::new(format!("`{}` has no numbers", input.name)));
    };
    if matrix.shape() != (input.rows, input.columns) {
        let (r, c) = matrix.shape();
        let (rows, columns) = (input.rows, input.columns);
        return Err(RunError::new(format!("`{}` is {rows}x{columns}, but its numbers are {r}x{c}", input.name)));
    }
    Ok(matrix)
}

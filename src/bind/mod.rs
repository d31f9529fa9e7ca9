//! Named arrays to the numbers of a program: sizes settle the dimensions, shapes and declared properties are checked. What
//! comes in is arrays as a user has them; what goes out is numbers that the program may be evaluated at, or all that is
//! wrong with the arrays, in words. No number is changed.

mod properties;
mod sizes;

use std::collections::HashMap;

use crate::diagnostic::shorten;
use crate::dimension::Shape;
use crate::elaborate::{Property, Typed, Variable};
use crate::eval::Numbers;
use crate::expr::{Arena, ExprId, Op};
use crate::matrix::Matrix;
use crate::syntax::canonical_name;
use sizes::Sizes;

/// An array as a user gives it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name it was given under.
    pub name: &'a str,
    /// The length of each axis; none for a scalar.
    pub shape: &'a [usize],
    /// The entries, the last axis fastest.
    pub entries: &'a [f64],
    /// How far rounding may have moved an entry, relative to the largest: that of the type the array was stored in.
    pub rounding: f64,
}

/// Numbers for a program.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The numbers.
    pub numbers: Numbers,
    /// The number of axes each variable was given with, by variable; `None` where it was not given.
    pub axes: Vec<Option<usize>>,
    /// Names among the arrays that the program has no use for.
    pub unused: Vec<String>,
}

/// Binds arrays to the names that the roots stand on: variables by their name, the differential of X as `dX`. A dimension
/// may be given too, as a whole number under its name. The arena is that of the program's answer.
///
/// # Errors
/// All that is wrong: names without an array, shapes that do not fit, sizes that contradict each other, entries that break
/// a declared property or are not finite.
pub fn bind(arena: &Arena, typed: &Typed, entries: &[Entry<'_>], roots: &[ExprId]) -> Result<Bound, Vec<String>> {
    let mut errors = Vec::new();
    let given = by_name(entries, &mut errors);
    let reachable = arena.reachable(roots);
    let mut needed = vec![false; typed.variables.len()];
    let mut moving = Vec::new();
    for &id in &reachable {
        match arena.op(id) {
            Op::Variable(v) => needed[v.0 as usize] = true,
            Op::Differential(_) => moving.push(id),
            _ => {}
        }
    }
    let mut sizes = Sizes::new(&arena.dimensions, &typed.dimension_values);
    see(arena, &reachable, &mut sizes);
    let mut fits = vec![false; typed.variables.len()];
    let mut used: Vec<String> = Vec::new();
    for (i, variable) in typed.variables.iter().enumerate() {
        match given.get(variable.name.as_str()) {
            Some(entry) => {
                used.push(variable.name.clone());
                fits[i] = has_form(entry, variable.shape, &declared(variable), &mut sizes, &mut errors);
            }
            None if needed[i] => errors.push(format!("there is no entry `{}`, {}", variable.name, declared(variable))),
            None => {}
        }
    }
    for name in sizes.names() {
        if let Some(entry) = given.get(name.as_str()) {
            sizes.give(&name, entry, &mut errors);
        }
    }
    sizes.solve(&mut errors);
    let mut variables = Vec::with_capacity(typed.variables.len());
    for (i, variable) in typed.variables.iter().enumerate() {
        let entry = given.get(variable.name.as_str()).filter(|_| fits[i]);
        variables.push(match entry {
            Some(entry) => {
                let matrix = matrix_of(entry, variable.shape);
                properties::check(variable, &matrix, entry.rounding, &mut errors);
                matrix
            }
            None => Matrix::zeros(0, 0),
        });
    }
    let mut differentials = HashMap::new();
    for id in moving {
        let Op::Differential(leaf) = arena.op(id) else { continue };
        let name = format!("d{}", arena.name_of(*leaf));
        let shape = arena.shape(*leaf);
        let Some(entry) = given.get(name.as_str()) else {
            errors.push(format!("there is no entry `{name}`, which the differential is linear in"));
            continue;
        };
        used.push(name.clone());
        let form = format!("the differential of `{}`", arena.name_of(*leaf));
        if has_form(entry, shape, &form, &mut sizes, &mut errors) {
            let matrix = matrix_of(entry, shape);
            if let Op::Variable(v) = arena.op(*leaf) {
                properties::check_direction(&name, &typed.variables[v.0 as usize], &matrix, entry, &mut errors);
            }
            differentials.insert(*leaf, matrix);
        }
    }
    sizes.solve(&mut errors);
    if errors.is_empty() {
        sizes.tell_unknown(&mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let axes = typed.variables.iter().map(|v| given.get(v.name.as_str()).map(|entry| entry.shape.len())).collect();
    let unused = entries.iter().filter(|entry| {
        let name = canonical_name(entry.name).unwrap_or_default();
        !used.contains(&name) && arena.dimensions.known_name(&name).is_none()
    });
    let unused = unused.map(|entry| entry.name.to_owned()).collect();
    let numbers = Numbers { dimensions: sizes.values(), variables, differentials, overrides: HashMap::new() };
    Ok(Bound { numbers, axes, unused })
}

/// The numbers of the dimensions that the roots stand on, from the shapes of arrays, whose entries are not looked at and may be
/// left out. Only an entry that is a dimension's own number is read.
///
/// # Errors
/// All that is wrong: shapes that do not fit, sizes that contradict each other, dimensions that nothing tells.
pub fn sizes(
    arena: &Arena,
    typed: &Typed,
    shapes: &[Entry<'_>],
    roots: &[ExprId],
) -> Result<HashMap<String, i64>, Vec<String>> {
    let mut errors = Vec::new();
    let given = by_name(shapes, &mut errors);
    let mut sizes = Sizes::new(&arena.dimensions, &typed.dimension_values);
    let reachable = arena.reachable(roots);
    see(arena, &reachable, &mut sizes);
    for name in sizes.names() {
        if let Some(entry) = given.get(name.as_str()) {
            sizes.give(&name, entry, &mut errors);
        }
    }
    for variable in &typed.variables {
        if let Some(entry) = given.get(variable.name.as_str()) {
            has_form(entry, variable.shape, &declared(variable), &mut sizes, &mut errors);
        }
    }
    for id in reachable {
        let Op::Differential(leaf) = arena.op(id) else { continue };
        let name = arena.name_of(*leaf);
        if let Some(entry) = given.get(format!("d{name}").as_str()) {
            has_form(entry, arena.shape(*leaf), &format!("the differential of `{name}`"), &mut sizes, &mut errors);
        }
    }
    sizes.solve(&mut errors);
    if errors.is_empty() {
        sizes.tell_unknown(&mut errors);
    }
    if errors.is_empty() { Ok(sizes.values()) } else { Err(errors) }
}

/// Tells the first declared property that the numbers of a variable do not have. `rounding` is as in [`Entry`].
pub fn broken_property(variable: &Variable, matrix: &Matrix, rounding: f64) -> Option<String> {
    let mut errors = Vec::new();
    properties::check(variable, matrix, rounding, &mut errors);
    errors.pop()
}

/// Tells where the numbers of a direction, given as `name`, leave the linear space that its variable is declared in.
pub fn broken_direction(name: &str, variable: &Variable, matrix: &Matrix, rounding: f64) -> Option<String> {
    let mut errors = Vec::new();
    let entry = Entry { name, shape: &[], entries: &[], rounding };
    properties::check_direction(name, variable, matrix, &entry, &mut errors);
    errors.pop()
}

/// All dimensions that expressions stand on need numbers.
fn see(arena: &Arena, reachable: &[ExprId], sizes: &mut Sizes<'_>) {
    for &id in reachable {
        let shape = arena.shape(id);
        sizes.see(shape.rows);
        sizes.see(shape.columns);
        if let Op::Dimension(dimension) = arena.op(id) {
            sizes.see(*dimension);
        }
    }
}

/// The arrays by canonical name; those that are no name of the language are nobody's.
fn by_name<'a, 'e>(entries: &'a [Entry<'e>], errors: &mut Vec<String>) -> HashMap<String, &'a Entry<'e>> {
    let mut out: HashMap<String, &Entry<'_>> = HashMap::new();
    for entry in entries {
        let Some(name) = canonical_name(entry.name) else { continue };
        if let Some(first) = out.get(&name) {
            errors.push(format!("the entries `{}` and `{}` are one name", first.name, entry.name));
            continue;
        }
        out.insert(name, entry);
    }
    out
}

fn declared(variable: &Variable) -> String {
    let how = if variable.inferred { "which is" } else { "declared" };
    format!("{how} {}", variable.kind)
}

/// `5×3`, or a 1-d array's length.
fn shape_text(shape: &[usize]) -> String {
    match shape {
        [] => "0-d".to_owned(),
        [n] => format!("1-d of length {n}"),
        _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}

/// Whether an array has as many axes, and 1 where the shape has 1; its lengths are noted for its dimensions.
fn has_form(entry: &Entry<'_>, shape: Shape, declared: &str, sizes: &mut Sizes<'_>, errors: &mut Vec<String>) -> bool {
    let name = shorten(entry.name, 60);
    if entry.shape.contains(&0) {
        errors.push(format!("`{name}` is empty: it is {}", shape_text(entry.shape)));
        return false;
    }
    let (rows, columns) = match *entry.shape {
        [] => (1, 1),
        [n] if shape.is_row() => (1, n),
        [n] if shape.is_column() || shape.is_scalar() => (n, 1),
        [m, n] => (m, n),
        _ => {
            errors.push(format!("`{name}` is {}, but it is {declared}", shape_text(entry.shape)));
            return false;
        }
    };
    let one_by_one = (rows, columns) == (1, 1);
    let fits = if shape.is_scalar() {
        one_by_one
    } else {
        (!shape.is_column() || columns == 1) && (!shape.is_row() || rows == 1)
    };
    if !fits {
        let transposed = (shape.is_column() && rows == 1) || (shape.is_row() && columns == 1);
        let hint = if transposed { "; give it 1-d, or transposed" } else { "" };
        errors.push(format!("`{name}` is {}, but it is {declared}{hint}", shape_text(entry.shape)));
        return false;
    }
    if let Some((i, value)) = entry.entries.iter().enumerate().find(|(_, x)| !x.is_finite()) {
        let place = if entry.shape.is_empty() { String::new() } else { place(entry.shape, i) };
        let value = if value.is_nan() { "not a number".to_owned() } else { value.to_string() };
        errors.push(format!("`{name}{place}` is {value}"));
        return false;
    }
    let before = errors.len();
    sizes.note(shape.rows, rows, &name, 0, errors);
    sizes.note(shape.columns, columns, &name, usize::from(entry.shape.len() > 1), errors);
    errors.len() == before
}

/// `[2, 0]`, as NumPy counts.
fn place(shape: &[usize], mut at: usize) -> String {
    let mut index = Vec::with_capacity(shape.len());
    for &axis in shape.iter().rev() {
        index.push((at % axis.max(1)).to_string());
        at /= axis.max(1);
    }
    index.reverse();
    format!("[{}]", index.join(", "))
}

fn matrix_of(entry: &Entry<'_>, shape: Shape) -> Matrix {
    let (rows, columns) = match *entry.shape {
        [m, n] => (m, n),
        [n] if shape.is_row() => (1, n),
        _ => (entry.entries.len(), 1),
    };
    Matrix::new(rows, columns, entry.entries.to_vec())
}

/// The properties that are linear spaces: a differential stays in them.
const LINEAR: [Property; 3] = [Property::Symmetric, Property::Skew, Property::Diagonal];

#[cfg(test)]
mod tests;

//! Random numbers for the names of a program: sizes that differ, declared properties obeyed. Whether a point is in the
//! domain is found out by whoever evaluates there.

use std::collections::HashMap;

use matgrad::dimension::DimId;
use matgrad::elaborate::{Properties, Property, Typed};
use matgrad::matrix::Matrix;

use super::chance::Chance;
use super::direct::{Point, size_of};

/// Sizes and numbers; the later the attempt, the more the ways of drawing differ.
pub fn draw(typed: &Typed, chance: &mut Chance, attempt: usize) -> Option<Point> {
    let mut sizes: HashMap<String, i64> = typed.dimension_values.iter().cloned().collect();
    let mut names: Vec<String> = Vec::new();
    let shapes = typed.variables.iter().map(|v| v.shape).chain(typed.shapes.iter().copied());
    let mut stack: Vec<DimId> = shapes.flat_map(|s| [s.rows, s.columns]).collect();
    for meaning in &typed.meanings {
        if let Some(matgrad::elaborate::Meaning::Dimension(d)) = meaning {
            stack.push(*d);
        }
    }
    while let Some(id) = stack.pop() {
        for &name in typed.dimensions.polynomial(id).terms().iter().flat_map(|(names, _)| names) {
            match typed.dimensions.side_of_triangle(name) {
                Some(side) => stack.push(side),
                None => {
                    let name = typed.dimensions.name(name).to_owned();
                    if !names.contains(&name) && !sizes.contains_key(&name) {
                        names.push(name);
                    }
                }
            }
        }
    }
    names.sort_unstable();
    let mut free: Vec<i64> = Vec::new();
    for name in names {
        if free.is_empty() {
            free = vec![2, 3, 4];
        }
        let size = free.remove(chance.below(free.len()));
        sizes.insert(name, size);
    }
    let mut point = Point { sizes, variables: Vec::new() };
    let common = chance.below(5);
    for variable in &typed.variables {
        let rows = size_of(typed, &point.sizes, variable.shape.rows)?;
        let columns = size_of(typed, &point.sizes, variable.shape.columns)?;
        let manner = if attempt < 6 { common } else { chance.below(6) };
        point.variables.push(variable_of(variable.properties, rows, columns, manner, chance));
    }
    Some(point)
}

fn variable_of(of: Properties, rows: usize, columns: usize, manner: usize, chance: &mut Chance) -> Matrix {
    let has = |p: Property| of.has(p);
    let n = rows;
    if has(Property::OneHot) {
        let places: Vec<usize> = (0..rows).map(|_| chance.below(columns)).collect();
        return Matrix::from_fn(rows, columns, |i, j| if places[i] == j { 1.0 } else { 0.0 });
    }
    if has(Property::RowStochastic) {
        let raw = Matrix::from_fn(rows, columns, |_, _| 0.2 + chance.uniform());
        let sums = raw.row_sums();
        return Matrix::from_fn(rows, columns, |i, j| raw.at(i, j) / sums.at(i, 0));
    }
    if has(Property::Orthogonal) {
        // Reflections are symmetric; the product of two is not.
        let mut reflection = || {
            let v = Matrix::from_fn(n, 1, |_, _| chance.normal());
            let size = v.dot(&v);
            Matrix::identity(n).subtract(&v.multiply(&v.transpose()).scale(2.0 / size))
        };
        let first = reflection();
        return if has(Property::Symmetric) { first } else { first.multiply(&reflection()) };
    }
    let positive = has(Property::Positive) || has(Property::Nonnegative);
    let mut out = Matrix::from_fn(rows, columns, |_, _| match manner {
        _ if positive => 0.3 + 1.2 * chance.uniform(),
        0 | 1 => 0.8 * chance.normal().clamp(-2.5, 2.5),
        2 => 0.3 + 1.2 * chance.uniform(),
        3 => 0.3 * chance.normal().clamp(-2.5, 2.5),
        4 => 0.15 + 0.7 * chance.uniform(),
        _ => -0.3 - chance.uniform(),
    });
    if has(Property::PositiveDefinite) {
        return out.multiply(&out.transpose()).scale(1.0 / n as f64).add(&Matrix::identity(n).scale(0.6));
    }
    if has(Property::Invertible) && n > 1 {
        out = out.add(&Matrix::identity(n).scale(1.5));
    }
    projected(of, &out)
}

/// The part of a matrix with the linear structure of a variable.
pub fn projected(of: Properties, a: &Matrix) -> Matrix {
    if a.rows() != a.columns() {
        return a.clone();
    }
    let n = a.rows();
    if of.has(Property::Diagonal) {
        Matrix::from_fn(n, n, |i, j| if i == j { a.at(i, i) } else { 0.0 })
    } else if of.has(Property::Symmetric) {
        Matrix::from_fn(n, n, |i, j| 0.5 * (a.at(i, j) + a.at(j, i)))
    } else if of.has(Property::Skew) {
        Matrix::from_fn(n, n, |i, j| 0.5 * (a.at(i, j) - a.at(j, i)))
    } else {
        a.clone()
    }
}

/// A random direction in which a variable may move; zeros for a constant.
pub fn direction(of: Properties, rows: usize, columns: usize, chance: &mut Chance) -> Matrix {
    if of.has(Property::Constant) {
        return Matrix::zeros(rows, columns);
    }
    let free = Matrix::from_fn(rows, columns, |_, _| {
        let size = 0.5 + 0.5 * chance.uniform();
        if chance.percent(50) { size } else { -size }
    });
    projected(of, &free)
}

/// The point with other last digits but four.
pub fn nearby(point: &Point, typed: &Typed, chance: &mut Chance) -> Point {
    let mut near = point.clone();
    for (matrix, variable) in near.variables.iter_mut().zip(&typed.variables) {
        let (rows, columns) = matrix.shape();
        let change = direction(variable.properties, rows, columns, chance).scale(1e-12);
        *matrix = matrix.add(&matrix.zip(&change, |x, c| x.abs() * c));
    }
    near
}

//! Whether numbers have the properties that were declared, with the place where they do not.

use super::{Entry, LINEAR};
use crate::elaborate::{Property, Variable};
use crate::matrix::{Matrix, product};

/// The strictest tolerance: what a result that was computed in 64-bit floats may be off, relative to the largest entry.
const TOLERANCE: f64 = 1e-8;
/// How many roundings of the stored type an entry may be off.
const ROUNDINGS: f64 = 64.0;

/// In this order: what a property needs first is told first.
const ORDER: [Property; 10] = [
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

/// Tells the first declared property that the numbers of a variable do not have.
pub(super) fn check(variable: &Variable, matrix: &Matrix, rounding: f64, errors: &mut Vec<String>) {
    let tolerance = (ROUNDINGS * rounding).max(TOLERANCE);
    for property in ORDER.into_iter().filter(|&property| variable.properties.has(property)) {
        if let Some(why) = violation(&variable.name, matrix, property, tolerance) {
            errors.push(format!("`{}` is declared {}, but {why}", variable.name, property.name()));
            return;
        }
    }
}

/// Tells where a differential leaves the linear space of its variable.
pub(super) fn check_direction(
    name: &str,
    variable: &Variable,
    matrix: &Matrix,
    entry: &Entry<'_>,
    errors: &mut Vec<String>,
) {
    let tolerance = (ROUNDINGS * entry.rounding).max(TOLERANCE);
    for property in LINEAR.into_iter().filter(|&property| variable.properties.has(property)) {
        if let Some(why) = violation(name, matrix, property, tolerance) {
            let of = &variable.name;
            errors.push(format!("`{name}` must be {0} as `{of}` is declared {0}, but {why}", property.name()));
            return;
        }
    }
    if variable.properties.has(Property::Constant) && matrix.max_abs() > 0.0 {
        errors.push(format!("`{name}` must be zero: `{}` is declared constant", variable.name));
    }
}

fn violation(name: &str, a: &Matrix, property: Property, tolerance: f64) -> Option<String> {
    if property.needs_a_square() && !a.is_square() {
        // Its sizes are told to be wrong elsewhere.
        return None;
    }
    let size = a.max_abs();
    let entry = |i: usize, j: usize| format!("{name}[{i}, {j}] is {}", a.at(i, j));
    let pairs = || (0..a.rows()).flat_map(|i| (0..=i).map(move |j| (i, j)));
    let all = || (0..a.rows()).flat_map(|i| (0..a.columns()).map(move |j| (i, j)));
    match property {
        Property::Symmetric => {
            let wrong = pairs().find(|&(i, j)| (a.at(i, j) - a.at(j, i)).abs() > tolerance * size);
            wrong.map(|(i, j)| format!("{} and {}", entry(j, i), entry(i, j)))
        }
        Property::Skew => {
            let wrong = pairs().find(|&(i, j)| (a.at(i, j) + a.at(j, i)).abs() > tolerance * size);
            wrong.map(|(i, j)| if i == j { entry(i, i) } else { format!("{} and {}", entry(j, i), entry(i, j)) })
        }
        Property::Diagonal => {
            let wrong = all().find(|&(i, j)| i != j && a.at(i, j).abs() > tolerance * size);
            wrong.map(|(i, j)| entry(i, j))
        }
        Property::Orthogonal => {
            let gram = product(a.view().transposed(), a.view());
            let n = a.rows();
            let off = gram.subtract(&Matrix::identity(n)).max_abs();
            (off > tolerance * n as f64).then(|| format!("{name}'*{name} is {off:.1e} away from the identity"))
        }
        Property::PositiveDefinite => a.cholesky().err().map(|_| "it has an eigenvalue that is not above 0".to_owned()),
        Property::Invertible => a.inverse().err().map(|_| "it is singular".to_owned()),
        Property::Positive => all().find(|&(i, j)| a.at(i, j) <= 0.0).map(|(i, j)| entry(i, j)),
        Property::Nonnegative => all().find(|&(i, j)| a.at(i, j) < 0.0).map(|(i, j)| entry(i, j)),
        Property::OneHot => {
            let wrong = all().find(|&(i, j)| a.at(i, j) != 0.0 && a.at(i, j) != 1.0);
            wrong.map(|(i, j)| entry(i, j)).or_else(|| row_sum(name, a, 0.0))
        }
        Property::RowStochastic => {
            let wrong = all().find(|&(i, j)| a.at(i, j) < 0.0);
            wrong.map(|(i, j)| entry(i, j)).or_else(|| row_sum(name, a, tolerance * a.columns() as f64))
        }
        // Found, not declared; and a constant is one whatever its numbers.
        Property::Constant
        | Property::ZeroRowSums
        | Property::ZeroColumnSums
        | Property::LowerTriangular
        | Property::UpperTriangular => None,
    }
}

/// A row that does not sum to 1.
fn row_sum(name: &str, a: &Matrix, tolerance: f64) -> Option<String> {
    let sums = a.row_sums();
    let wrong = (0..a.rows()).find(|&i| (sums.at(i, 0) - 1.0).abs() > tolerance);
    wrong.map(|i| format!("the entries of row {name}[{i}] sum to {}", sums.at(i, 0)))
}

//! Derivatives entry by entry, by slopes; where a slope of the derivative itself is wanted, by numbers over the field.

use std::collections::HashMap;

use super::{Evaluator, Places, Point, Trouble, third};
use crate::document::formula::{Formula, Kind};
use crate::elaborate::Property;
use crate::number::Number;
use crate::verify::linear::{Of, integer, minus};
use crate::verify::scope::{Defined, Scope};
use crate::verify::values::{Field, Grid};

impl<'a, F: Field> Evaluator<'a, F> {
    /// ∂of/∂by: the slope of `of` where one entry of `by` moves, for each entry.
    pub(super) fn derivative(&mut self, of: &Formula, by: &Formula, places: &mut Places) -> Result<Of<F>, Trouble> {
        let by_what = || Trouble::NotCovered("a derivative by an expression".to_owned());
        // A member of a family is a row as a column.
        let (turned, inner) = match &by.kind {
            Kind::Transpose(inner) => (true, inner.as_ref()),
            _ => (false, by),
        };
        let (name, indices, inside) = match &inner.kind {
            Kind::Name(name) if !turned => (name.as_str(), None, None),
            Kind::Entry { of, indices } => match &of.kind {
                Kind::Name(name) => (name.as_str(), Some(indices), None),
                // (X_i)_{jk}, an entry of a member.
                Kind::Entry { of: family, indices: member } if self.scope.family_of(family).is_some() && !turned => {
                    (family.as_name().ok_or_else(by_what)?, Some(member), Some(indices))
                }
                _ => return Err(by_what()),
            },
            _ => return Err(by_what()),
        };
        let depends = of.names().iter().any(|&start| {
            start == name
                || self.scope.definitions.contains_key(start) && self.scope.below(start).iter().any(|n| n == name)
        });
        if !depends {
            let what = of.as_name().map_or("this expression".to_owned(), |of| format!("`{of}`"));
            return Err(Trouble::NotCovered(format!("{what} does not depend on `{name}` by any definition here")));
        }
        let form = self.scope.form_of(name).ok_or(Trouble::Misfit)?;
        let point = self.point;
        let size = |id| point.size(self.scope, id).ok_or(Trouble::Misfit);
        let (rows, columns) = (size(form.rows)?, size(form.columns)?);
        let mut wanted = Grid::from_fn(rows, columns, |i, j| i * columns + j);
        if let Some(indices) = indices {
            let family = self.scope.families.contains_key(name);
            wanted = self.part_of(&Formula::name(name), &wanted, indices, places)?;
            if let Some(inside) = inside {
                wanted = super::entry(&wanted, inside, places)?;
            }
            if turned {
                wanted = wanted.transpose();
            } else if !wanted.is_scalar() && !family {
                return Err(Trouble::NotCovered("a derivative by a row or column of a matrix".to_owned()));
            }
        }
        let mut slopes = if self.strict {
            self.slopes_with_slope(of, name, (rows, columns), &wanted.entries, places)?
        } else {
            let mut slopes = Vec::with_capacity(wanted.entries.len());
            for &k in &wanted.entries {
                slopes.push(self.slope_along(of, name, (rows, columns), k, places)?);
            }
            slopes
        };
        let first = &slopes[0];
        if first.is_scalar() {
            let entries = slopes.iter().map(|slope| slope.entries[0]).collect();
            return Ok(Grid { rows: wanted.rows, columns: wanted.columns, entries });
        }
        if slopes.len() == 1 {
            return Ok(slopes.remove(0));
        }
        // The second derivative by a matrix is the one by its vec.
        if first.rows > 1 && first.columns > 1 {
            let (rows, columns) = (first.rows, first.columns);
            if (wanted.rows, wanted.columns) != (rows, columns) {
                return Err(Trouble::NotCovered("the derivative of a matrix by a matrix".to_owned()));
            }
            let entry = |k: usize| match self.scope.rows_first {
                true => k,
                false => (k % rows) * columns + k / rows,
            };
            return Ok(Grid::from_fn(rows * columns, rows * columns, |i, j| slopes[entry(j)].entries[entry(i)]));
        }
        // A vector by a vector: one column for each entry of the second.
        Ok(Grid::from_fn(first.entries.len(), slopes.len(), |i, j| slopes[j].entries[i]))
    }

    fn slope_along(
        &mut self,
        of: &Formula,
        name: &str,
        (rows, columns): (usize, usize),
        entry: usize,
        places: &mut Places,
    ) -> Result<Of<F>, Trouble> {
        let field = self.field;
        let key = (name.to_owned(), entry);
        if !self.along.contains_key(&key) {
            let direction = unit_direction(field, self.scope, name, (rows, columns), entry)?;
            let mut inner = Evaluator::new(field, self.scope, self.point, std::slice::from_ref(&key.0));
            inner.direction = Some(direction);
            inner.given = self.given.clone();
            inner.strict = true;
            self.along.insert(key.clone(), inner);
        }
        let inner = self.along.get_mut(&key).ok_or(Trouble::Misfit)?;
        let value = inner.value(of, places)?;
        self.largest = self.largest.max(inner.largest);
        Ok(value.map(|x| field.slope(x)))
    }

    /// As [`Evaluator::slope_along`], for some entries, with the slopes that these slopes have where names move here.
    fn slopes_with_slope(
        &mut self,
        of: &Formula,
        name: &str,
        shape: (usize, usize),
        entries: &[usize],
        places: &mut Places,
    ) -> Result<Vec<Of<F>>, Trouble> {
        let field = self.field;
        let higher = field.higher().ok_or_else(third)?;
        let point = self.lifted_point()?;
        let given = self.lifted_definitions(std::slice::from_ref(&name.to_owned()))?;
        let mut out = Vec::with_capacity(entries.len());
        for &k in entries {
            let direction = unit_direction(&higher, self.scope, name, shape, k)?;
            let mut inner = Evaluator::new(&higher, self.scope, &point, std::slice::from_ref(&name.to_owned()));
            inner.direction = Some(direction);
            inner.given = given.clone();
            inner.strict = true;
            let value = inner.value(of, places)?;
            self.largest = self.largest.max(inner.largest);
            out.push(Grid {
                rows: value.rows,
                columns: value.columns,
                entries: value.entries.iter().map(|&x| field.slope_of(x)).collect(),
            });
        }
        Ok(out)
    }

    /// d of a formula, with the slope that it has itself: d(dX) is 0.
    pub(super) fn differential_with_slope(&mut self, of: &Formula, places: &mut Places) -> Result<Of<F>, Trouble> {
        let field = self.field;
        let higher = field.higher().ok_or_else(third)?;
        if let Some(name) = self.moving.iter().find(|name| self.scope.definitions.contains_key(*name)) {
            // Its own second differential is not zero.
            return Err(Trouble::NotCovered(format!("a second differential where `{name}` moves, which is defined")));
        }
        let point = self.lifted_point()?;
        let moving = self.moving.clone();
        let given = self.lifted_definitions(&moving)?;
        let mut inner = Evaluator::new(&higher, self.scope, &point, &moving);
        inner.direction = self.direction.as_ref().map(|direction| lifted(field, direction));
        inner.given = given;
        inner.strict = true;
        let value = inner.value(of, places)?;
        self.largest = self.largest.max(inner.largest);
        let entries = value.entries.iter().map(|&x| field.slope_of(x)).collect();
        Ok(Grid { rows: value.rows, columns: value.columns, entries })
    }

    /// f(A) or f′(A) of a function that the text defines.
    pub(super) fn defined_function(&mut self, defined: &Defined, order: u32, a: &Of<F>) -> Result<Of<F>, Trouble> {
        let field = self.field;
        let mut entries = Vec::with_capacity(a.entries.len());
        match order {
            0 => {
                for &x in &a.entries {
                    // The parameter hides what its name means elsewhere.
                    let outer = self.given.insert(defined.parameter.clone(), Grid::scalar(x));
                    let moving = self.moving.iter().position(|name| *name == defined.parameter);
                    let hidden = moving.map(|at| self.moving.remove(at));
                    let known = self.known.remove(&defined.parameter);
                    let value = self.value(&defined.body, &mut Places::new());
                    self.given.remove(&defined.parameter);
                    self.given.extend(outer.map(|value| (defined.parameter.clone(), value)));
                    self.known.extend(known.map(|value| (defined.parameter.clone(), value)));
                    self.moving.extend(hidden);
                    entries.push(*value?.entries.first().ok_or(Trouble::Misfit)?);
                }
            }
            1 => {
                let higher = field.higher().ok_or_else(third)?;
                let point = self.lifted_point()?;
                let given = self.lifted_definitions(&[])?;
                let one = integer(&higher, 1);
                for &x in &a.entries {
                    let mut inner = Evaluator::new(&higher, self.scope, &point, &[]);
                    inner.given = given.clone();
                    inner.given.insert(defined.parameter.clone(), Grid::scalar(higher.moving(field.lift(x), one)));
                    inner.strict = true;
                    let value = inner.value(&defined.body, &mut Places::new())?;
                    entries.push(field.slope_of(*value.entries.first().ok_or(Trouble::Misfit)?));
                }
            }
            _ => return Err(Trouble::NotCovered("this derivative of a function that the text defines".to_owned())),
        }
        Ok(Grid { rows: a.rows, columns: a.columns, entries })
    }

    /// The point as numbers over the field, with the slopes that the variables have here.
    fn lifted_point(&mut self) -> Result<Point<<F::Higher as Field>::Scalar>, Trouble> {
        let field = self.field;
        let point = self.point;
        let mut values = HashMap::new();
        for name in point.values.keys() {
            if !self.scope.definitions.contains_key(name) {
                let value = self.value_of_name(name)?;
                values.insert(name.clone(), lifted(field, &value));
            }
        }
        let directions =
            point.directions.iter().map(|(name, direction)| (name.clone(), lifted(field, direction))).collect();
        Ok(Point { sizes: point.sizes.clone(), values, directions })
    }

    /// The definitions that move here, as numbers over the field; `moving` ones move there too.
    fn lifted_definitions(&mut self, moving: &[String]) -> Result<HashMap<String, Of<F::Higher>>, Trouble> {
        let field = self.field;
        let mut out = HashMap::new();
        for (name, value) in &self.given {
            out.insert(name.clone(), lifted(field, value));
        }
        let names = self.moving.clone();
        for name in names.iter().filter(|name| self.scope.definitions.contains_key(*name)) {
            let moves_there = moving.contains(name);
            if !moves_there && moving.iter().any(|below| self.scope.below(name).contains(below)) {
                return Err(Trouble::NotCovered(format!(
                    "a derivative by what `{name}` depends on, where `{name}` moves"
                )));
            }
            let value = self.value_of_name(name)?;
            out.insert(name.clone(), lifted(field, &value));
        }
        Ok(out)
    }
}

fn lifted<F: Field>(field: &F, value: &Of<F>) -> Of<F::Higher> {
    let entries = value.entries.iter().map(|&x| field.lift(x)).collect();
    Grid { rows: value.rows, columns: value.columns, entries }
}

/// The direction of one entry, projected onto the structure of the variable.
fn unit_direction<F: Field>(
    field: &F,
    scope: &Scope,
    name: &str,
    (rows, columns): (usize, usize),
    entry: usize,
) -> Result<Of<F>, Trouble> {
    let (i, j) = (entry / columns, entry % columns);
    let unit = |k: usize, l: usize| integer(field, i64::from((k, l) == (i, j)));
    let properties = match (scope.definitions.contains_key(name), scope.variables.get(name)) {
        (false, Some(variable)) if rows == columns && rows > 1 => variable.properties,
        _ => return Ok(Grid::from_fn(rows, columns, unit)),
    };
    let half = field.number(Number::HALF).ok_or(Trouble::Undefined)?;
    Ok(Grid::from_fn(rows, columns, |k, l| {
        if properties.has(Property::Diagonal) {
            if k == l { unit(k, l) } else { integer(field, 0) }
        } else if properties.has(Property::Symmetric) {
            field.times(half, field.add(unit(k, l), unit(l, k)))
        } else if properties.has(Property::Skew) {
            field.times(half, minus(field, unit(k, l), unit(l, k)))
        } else {
            unit(k, l)
        }
    }))
}

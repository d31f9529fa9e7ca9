//! How a program learns its dimensions from what it is given: from the axes of its inputs where they tell, else as
//! parameters of their own. Inputs with symbolic sizes come in; for each name the way to its number goes out, and the axes
//! that are left to be checked.

use super::code::Code;
use crate::dimension::{DimId, DimName};

/// An axis of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AxisOf {
    /// The place of the input.
    pub(super) input: usize,
    /// The axis among those longer than 1, from 0.
    pub(super) axis: usize,
    /// Whether it is the columns of the input.
    pub(super) columns: bool,
    /// Its size.
    pub(super) size: DimId,
}

/// How a name gets its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The program says it.
    Fixed(i64),
    /// (length of the axis − rest) / factor, where the rest has known names only.
    Axis { of: AxisOf, factor: i64, rest: Option<DimId> },
    /// The side of a triangle with as many entries as the axis is long.
    Triangle { of: AxisOf },
    /// It is a parameter.
    Parameter,
}

/// The dimensions of a program.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// Every name that is needed, in an order in which each stands on earlier ones.
    pub(super) names: Vec<(String, Source)>,
}

impl Sizes {
    /// The names of the dimensions that are parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &String> {
        self.names.iter().filter(|(_, source)| *source == Source::Parameter).map(|(name, _)| name)
    }
}

/// The names of all sizes in the program, and how each is known.
pub(super) fn sizes(code: &mut Code) -> Sizes {
    let mut axes = Vec::new();
    for (input, given) in code.inputs.iter().enumerate() {
        let list = [(given.shape.rows, false), (given.shape.columns, true)];
        for (axis, (size, columns)) in list.into_iter().filter(|&(size, _)| size != DimId::ONE).enumerate() {
            axes.push(AxisOf { input, axis, columns, size });
        }
    }
    let mut wanted: Vec<DimName> = Vec::new();
    let dimensions = &code.dimensions;
    let mut want = |d: DimId| names_of(code, d, &mut wanted);
    axes.iter().for_each(|axis| want(axis.size));
    for value in code.needed(&code.roots()) {
        let shape = code.shape(value);
        want(shape.rows);
        want(shape.columns);
        match code.op(value) {
            super::code::Op::Dimension(d) => want(*d),
            super::code::Op::Tensor(tensor) => {
                tensor.axes.iter().for_each(|&d| want(d));
                tensor.terms.iter().flat_map(|term| &term.summed).for_each(|&d| want(d));
            }
            _ => {}
        }
    }
    let mut names: Vec<(String, Source)> = Vec::new();
    let mut left: Vec<DimName> = Vec::new();
    for name in wanted {
        let text = dimensions.name(name);
        match code.fixed.iter().find(|(known, _)| known == text) {
            Some(&(_, n)) => names.push((text.to_owned(), Source::Fixed(n))),
            None => left.push(name),
        }
    }
    while !left.is_empty() {
        let found = left.iter().enumerate().find_map(|(place, &name)| Some((place, source(code, name, &left, &axes)?)));
        match found {
            Some((place, source)) => {
                let source = settled(code, source);
                let name = left.remove(place);
                names.push((code.dimensions.name(name).to_owned(), source));
            }
            None => {
                let name = left.remove(0);
                names.push((code.dimensions.name(name).to_owned(), Source::Parameter));
            }
        }
    }
    Sizes { names }
}

/// The way to a name, where an axis has it once and nothing else that is unknown; the rest is not taken out yet.
fn source(code: &Code, name: DimName, left: &[DimName], axes: &[AxisOf]) -> Option<(AxisOf, DimName, i64, bool)> {
    // The plainest axis first.
    for plain in [true, false] {
        for &of in axes {
            let terms = code.dimensions.polynomial(of.size).terms();
            if plain && (terms.len() != 1 || terms[0].1 != 1) {
                continue;
            }
            let mut unknown = 0;
            let mut found = None;
            for (factors, k) in terms {
                let mut names = Vec::new();
                for &factor in factors {
                    match code.dimensions.side_of_triangle(factor) {
                        Some(side) => names_of(code, side, &mut names),
                        None => names.push(factor),
                    }
                }
                if names.iter().any(|n| left.contains(n)) {
                    unknown += 1;
                    let triangle = factors.len() == 1 && code.dimensions.side_of_triangle(factors[0]).is_some();
                    let sides = triangle
                        && code.dimensions.side_of_triangle(factors[0]).and_then(|d| code.dimensions.as_name(d))
                            == Some(name);
                    if factors.as_slice() == [name] {
                        found = Some((of, name, *k, false));
                    } else if sides && *k == 1 && terms.len() == 1 {
                        found = Some((of, name, 1, true));
                    }
                }
            }
            if unknown == 1 && found.is_some() {
                return found;
            }
        }
    }
    None
}

fn settled(code: &mut Code, (of, name, factor, triangle): (AxisOf, DimName, i64, bool)) -> Source {
    if triangle {
        return Source::Triangle { of };
    }
    let text = code.dimensions.name(name).to_owned();
    let own = code.dimensions.named(&text);
    let k = code.dimensions.constant(factor);
    let rest = code
        .dimensions
        .product(own, k)
        .and_then(|own| code.dimensions.difference(of.size, own))
        .filter(|&rest| code.dimensions.as_constant(rest) != Some(0));
    Source::Axis { of, factor, rest }
}

/// The names in a dimension, those in the side of a triangle too.
fn names_of(code: &Code, dimension: DimId, out: &mut Vec<DimName>) {
    let mut waiting = vec![dimension];
    while let Some(dimension) = waiting.pop() {
        for &name in code.dimensions.polynomial(dimension).terms().iter().flat_map(|(names, _)| names) {
            match code.dimensions.side_of_triangle(name) {
                Some(side) => waiting.push(side),
                None if !out.contains(&name) => out.push(name),
                None => {}
            }
        }
    }
}

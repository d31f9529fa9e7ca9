//! Which numbers the dimensions and scalars of a program have: lengths of data and parameters and what the user sets come in;
//! numbers go out, or which two contradict each other, or which is missing.

use std::collections::{BTreeMap, HashMap};

use super::roles::Role;
use super::{Objective, Parameters, Samples};
use crate::diagnostic::Diagnostic;
use crate::dimension::DimId;
use crate::elaborate::Variable;
use crate::syntax::canonical_name;

/// The numbers of a program's dimensions (without the number of samples) and scalars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bindings {
    /// Dimensions by name.
    pub sizes: BTreeMap<String, usize>,
    /// Scalars by name.
    pub settings: BTreeMap<String, f64>,
}

impl Bindings {
    pub(super) fn sizes(&self) -> HashMap<String, i64> {
        self.sizes.iter().map(|(name, &size)| (name.clone(), i64::try_from(size).unwrap_or(i64::MAX))).collect()
    }

    pub(super) fn setting(&self, name: &str) -> f64 {
        self.settings.get(name).copied().unwrap_or(0.0)
    }
}

/// A length of data or parameters that a dimension takes.
pub(super) struct Fact {
    pub(super) dimension: DimId,
    pub(super) length: usize,
    /// What has it, in words.
    pub(super) what: String,
}

impl Objective {
    /// The numbers of all dimensions and scalars, from the data and what the user sets.
    ///
    /// # Errors
    /// A name that the program does not have, one without a number, numbers that contradict each other or make no sense.
    pub fn bindings(&self, samples: &Samples, set: &BTreeMap<String, f64>) -> Result<Bindings, Vec<Diagnostic>> {
        let mut errors = Vec::new();
        let mut settings = BTreeMap::new();
        let mut told = BTreeMap::new();
        let dimensions = &self.answer().arena.dimensions;
        for (given, &value) in set {
            let name = canonical_name(given).unwrap_or_else(|| given.clone());
            let scalar = self.settings().any(|variable| variable.name == name);
            if scalar && value.is_finite() {
                settings.insert(name, value);
            } else if scalar {
                errors.push(Diagnostic::whole(format!("{name} is {value}")).hint("it must be a finite number"));
            } else if dimensions.known_name(&name).is_none() {
                errors.push(Diagnostic::whole(format!("the program has neither a scalar nor a dimension `{given}`")));
            } else if value.fract() == 0.0 && (1.0..=LARGEST).contains(&value) {
                told.insert(name, value as usize);
            } else {
                errors.push(
                    Diagnostic::whole(format!("the dimension `{given}` is {value}"))
                        .hint(format!("it must be a whole number from 1 to {LARGEST}")),
                );
            }
        }
        for variable in self.settings() {
            if !settings.contains_key(&variable.name) && !errors.iter().any(|e| e.message.starts_with(&variable.name)) {
                let name = &variable.name;
                errors.push(
                    Diagnostic::whole(format!("the scalar `{name}` has no number")).hint(format!("set {name}=…")),
                );
            }
        }
        let mut facts = Vec::new();
        facts.extend(self.fact(self.roles.features, samples.columns(), "the features have {} columns"));
        match (self.roles.target, samples.target_columns(), samples.classes()) {
            (Some(place), Some(columns), classes) if classes.is_some() == self.roles.labels => {
                let what = if classes.is_some() { "there are {} classes" } else { "the targets have {} columns" };
                facts.extend(self.fact(place, columns, what));
            }
            (Some(place), given, _) => {
                let name = &self.variable(place).name;
                let wanted = if self.roles.labels { "labels" } else { "numbers" };
                let have = match given {
                    None => "no targets",
                    Some(_) if self.roles.labels => "numbers",
                    Some(_) => "labels",
                };
                errors
                    .push(Diagnostic::whole(format!("the program wants {wanted} for `{name}`; the data have {have}")));
            }
            (None, ..) => {}
        }
        for name in self.beside() {
            let place = self.answer().typed.variables.iter().position(|variable| variable.name == name);
            match samples.beside().into_iter().find(|(given, _)| *given == name) {
                Some((_, columns)) => {
                    let what = format!("`{name}` has {{}} columns");
                    facts.extend(place.and_then(|place| self.fact(place, columns, &what)));
                }
                None => errors.push(
                    Diagnostic::whole(format!("the program wants an array `{name}`, which the data do not have"))
                        .hint(format!("give it in a .npz or .safetensors file, under the name {name}")),
                ),
            }
        }
        if self.roles.whole {
            let rows = samples.len();
            facts.push(Fact { dimension: self.roles.count, length: rows, what: format!("there are {rows} samples") });
        }
        match self.sizes(&facts, &told) {
            Ok(sizes) if errors.is_empty() => Ok(Bindings { sizes, settings }),
            Ok(_) => Err(errors),
            Err(error) => {
                errors.push(error);
                Err(errors)
            }
        }
    }

    /// Whether matrices are parameters of this program, and which numbers its dimensions have by them and by what is `told`.
    ///
    /// # Errors
    /// A parameter that is not there, or whose shape does not fit.
    pub fn sizes_of(
        &self,
        parameters: &Parameters,
        told: &BTreeMap<String, usize>,
    ) -> Result<BTreeMap<String, usize>, Diagnostic> {
        self.sizes(&self.facts_of(parameters), told)
    }

    fn settings(&self) -> impl Iterator<Item = &Variable> {
        let roles = self.answer().typed.variables.iter().zip(&self.roles.of);
        roles.filter(|(_, role)| **role == Role::Setting).map(|(variable, _)| variable)
    }

    pub(super) fn value(&self, dimension: DimId, sizes: &BTreeMap<String, usize>) -> Option<usize> {
        let of = |name: &str| sizes.get(name).and_then(|&size| i64::try_from(size).ok());
        usize::try_from(self.answer().arena.dimensions.value(dimension, &of)?).ok()
    }

    /// The columns of a variable that is data.
    pub(super) fn fact(&self, place: usize, columns: usize, what: &str) -> Option<Fact> {
        let what = what.replace("{}", &columns.to_string());
        Some(Fact { dimension: self.variable(place).shape.columns, length: columns, what })
    }

    pub(super) fn facts_of(&self, parameters: &Parameters) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (&place, (name, matrix)) in self.roles.parameters.iter().zip(parameters.named()) {
            let shape = self.variable(place).shape;
            let (rows, columns) = matrix.shape();
            for (dimension, length) in [(shape.rows, rows), (shape.columns, columns)] {
                facts.push(Fact { dimension, length, what: format!("{name} is {rows}×{columns}") });
            }
        }
        facts
    }

    /// The numbers of all names of dimensions that parameters and data have, but the number of samples where it may vary.
    pub(super) fn sizes(
        &self,
        facts: &[Fact],
        told: &BTreeMap<String, usize>,
    ) -> Result<BTreeMap<String, usize>, Diagnostic> {
        let dimensions = &self.answer().arena.dimensions;
        let mut sizes = told.clone();
        let mut sources: HashMap<String, String> =
            told.iter().map(|(name, size)| (name.clone(), format!("{name} is set to {size}"))).collect();
        for (name, size) in &self.answer().typed.dimension_values {
            sizes.insert(name.clone(), usize::try_from(*size).unwrap_or(0));
            sources.insert(name.clone(), format!("the program says `dim {name} = {size}`"));
        }
        for fact in facts {
            if let Some(name) = dimensions.as_name(fact.dimension) {
                let name = dimensions.name(name).to_owned();
                sizes.entry(name.clone()).or_insert(fact.length);
                sources.entry(name).or_insert_with(|| fact.what.clone());
            }
        }
        for fact in facts {
            match self.value(fact.dimension, &sizes) {
                Some(length) if length == fact.length => {}
                Some(length) => {
                    let text = dimensions.text(fact.dimension);
                    let name = dimensions.as_name(fact.dimension).map(|name| dimensions.name(name));
                    let why = match name.and_then(|name| sources.get(name)) {
                        Some(source) => format!("{}, but {source}", fact.what),
                        None => format!("{}, but {text} is {length}", fact.what),
                    };
                    return Err(Diagnostic::whole(why).hint(format!("both are the dimension {text} of the program")));
                }
                None => {}
            }
        }
        let count = dimensions.as_name(self.roles.count).filter(|_| !self.roles.whole);
        if let Some(name) = count {
            sizes.remove(dimensions.name(name));
        }
        let needed =
            self.answer().typed.variables.iter().flat_map(|variable| [variable.shape.rows, variable.shape.columns]);
        for dimension in needed {
            for (names, _) in dimensions.polynomial(dimension).terms() {
                for &name in names {
                    let text = dimensions.name(name);
                    if Some(name) != count && !sizes.contains_key(text) {
                        return Err(Diagnostic::whole(format!("the dimension `{text}` has no number"))
                            .hint(format!("set {text}=…, or write `dim {text} = …` into the program")));
                    }
                }
            }
        }
        Ok(sizes)
    }
}

/// A dimension beyond this is taken for a slip.
const LARGEST: f64 = 100_000.0;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use crate::derivation::Detail;
    use crate::matrix::Matrix;
    use crate::train::{Activation, Objective, Samples, Targets};

    #[test]
    fn names_without_numbers_are_told() {
        let network = Objective::two_layer(Activation::Relu, Detail::None).unwrap();
        let features = || Matrix::from_fn(5, 4, |i, j| (3 * i + j) as f64);
        let samples = Samples::new(features(), &[2, 0, 1, 2, 2], 3).unwrap();
        let errors = |set: &[(&str, f64)]| {
            let set: BTreeMap<String, f64> = set.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
            let errors = network.bindings(&samples, &set).unwrap_err();
            errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(errors(&[]), ["the scalar `lambda` has no number", "the dimension `H` has no number"]);
        assert_eq!(errors(&[("λ", 0.0), ("H", 1.5)])[0], "the dimension `H` is 1.5");
        let unknown = "the program has neither a scalar nor a dimension `K`";
        assert_eq!(errors(&[("lambda", 0.0), ("H", 2.0), ("K", 2.0)]), [unknown]);
        let twice = "the features have 4 columns, but D is set to 7";
        assert_eq!(errors(&[("lambda", 0.0), ("H", 2.0), ("D", 7.0)]), [twice]);
        let unlabelled = Samples::of(Arc::new(features()), Targets::None, Vec::new()).unwrap();
        let set = BTreeMap::from([("lambda".to_owned(), 0.0), ("H".to_owned(), 2.0), ("C".to_owned(), 3.0)]);
        let message = &network.bindings(&unlabelled, &set).unwrap_err()[0].message;
        assert_eq!(message, "the program wants labels for `Y`; the data have no targets");
    }
}

//! Which part each name of a program has in a training: a derived program comes in, and where its features, targets,
//! parameters and scores are goes out, or why it cannot be trained. The names are the user's; none is built in, except that
//! `X` and `Y` are looked for first.

use crate::answer::Answer;
use crate::diagnostic::Diagnostic;
use crate::dimension::DimId;
use crate::elaborate::{Property, Variable};
use crate::expr::{Axis, ExprId, Op};
use crate::functions::Function;
use crate::syntax::ast::AskKind;

use super::initial::check_trainable;

/// Names that the user tells instead of leaving them to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The variable of the features, one row a sample.
    pub features: Option<String>,
    /// The variable of what is to be told.
    pub target: Option<String>,
    /// The definition that is the model's answer.
    pub scores: Option<String>,
}

/// What a variable is in a training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One row a sample.
    Features,
    /// What is to be told of each sample.
    Target,
    /// The parameter at this place.
    Parameter(usize),
    /// A scalar that is set.
    Setting,
    /// Another array with a row for each sample.
    Beside,
}

/// What the answer of the model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Scores whose softmax are probabilities.
    Scores,
    /// Probabilities.
    Probabilities,
    /// Numbers, to be compared with the targets.
    Numbers,
}

/// All roles of a program.
#[derive(Clone, Debug)]
pub(super) struct Roles {
    /// By variable.
    pub(super) of: Vec<Role>,
    /// The name of the loss as asked for.
    pub(super) loss_name: String,
    pub(super) loss: ExprId,
    /// The parameters' variables, in order.
    pub(super) parameters: Vec<usize>,
    /// Their gradients.
    pub(super) gradients: Vec<ExprId>,
    pub(super) features: usize,
    pub(super) target: Option<usize>,
    /// Whether the target is a class for each sample.
    pub(super) labels: bool,
    /// The model's answer, by name.
    pub(super) scores: Option<(String, ExprId, Meaning)>,
    /// The number of samples.
    pub(super) count: DimId,
    /// Whether all samples must be taken at once.
    pub(super) whole: bool,
}

/// Finds the roles.
///
/// # Errors
/// What is not asked for, is not declared as it must be, or cannot be found.
pub(super) fn find(answer: &Answer, names: &Names) -> Result<Roles, Vec<Diagnostic>> {
    let variables = &answer.typed.variables;
    let mut errors = Vec::new();
    let mut parameters = Vec::new();
    let mut gradients = Vec::new();
    let mut loss: Option<(String, ExprId)> = None;
    for (ask, outcome) in answer.outcomes.iter().enumerate() {
        if outcome.kind != AskKind::Gradient {
            continue;
        }
        match &loss {
            Some((name, of)) if *of != outcome.of_node => errors.push(Diagnostic::whole(format!(
                "the program asks for gradients of `{name}` and of `{}`; one loss can be trained",
                outcome.of
            ))),
            _ => loss = Some((outcome.of.clone(), outcome.of_node)),
        }
        debug_assert_eq!(outcome.wrt_nodes.len(), 1, "gradient {ask} is by one name");
        for &node in &outcome.wrt_nodes {
            // A gradient by a definition is something to look at, and trains nothing.
            let Op::Variable(variable) = answer.arena.op(node) else { continue };
            let place = variable.0 as usize;
            if !parameters.contains(&place) {
                errors.extend(check_trainable(&variables[place]).err());
                parameters.push(place);
                gradients.push(outcome.result);
            }
        }
    }
    let Some((loss_name, loss)) = loss.filter(|_| !parameters.is_empty()) else {
        errors.push(
            Diagnostic::whole("the program asks for no gradient by a variable, so there is nothing to train")
                .hint("ask for the gradients of the loss by its parameters, as `grad L wrt W, b`"),
        );
        return Err(errors);
    };
    let (features, target) = match data(variables, &parameters, names) {
        Ok(found) => found,
        Err(error) => {
            errors.push(error);
            return Err(errors);
        }
    };
    let count = variables[features].shape.rows;
    let of: Vec<Role> = variables
        .iter()
        .enumerate()
        .map(|(place, variable)| {
            if place == features {
                Role::Features
            } else if Some(place) == target {
                Role::Target
            } else if let Some(parameter) = parameters.iter().position(|&parameter| parameter == place) {
                Role::Parameter(parameter)
            } else if variable.shape.is_scalar() {
                Role::Setting
            } else {
                Role::Beside
            }
        })
        .collect();
    for (variable, role) in variables.iter().zip(&of) {
        errors.extend(check_data(variable, role, &variables[features]).err());
    }
    let labels = target.is_some_and(|target| variables[target].properties.has(Property::OneHot));
    let scores = match scores(answer, names, features, target) {
        Ok(scores) => scores,
        Err(error) => {
            errors.push(error);
            None
        }
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let dimensions = &answer.arena.dimensions;
    let whole = match dimensions.as_name(count) {
        None => true,
        Some(name) => variables.iter().zip(&of).any(|(variable, role)| {
            let has = |dimension: DimId| {
                dimensions.polynomial(dimension).terms().iter().any(|(names, _)| names.contains(&name))
            };
            has(variable.shape.columns) || (matches!(role, Role::Parameter(_)) && has(variable.shape.rows))
        }),
    };
    Ok(Roles { of, loss_name, loss, parameters, gradients, features, target, labels, scores, count, whole })
}

/// The variables of features and targets.
fn data(variables: &[Variable], parameters: &[usize], names: &Names) -> Result<(usize, Option<usize>), Diagnostic> {
    let free: Vec<usize> = (0..variables.len())
        .filter(|place| !parameters.contains(place) && !variables[*place].shape.is_scalar())
        .collect();
    let called = |name: &str| free.iter().copied().find(|&place| variables[place].name == name);
    let told = |name: &Option<String>, what: &str| match name {
        None => Ok(None),
        Some(name) => called(name).map(Some).ok_or_else(|| {
            let known: Vec<&str> = free.iter().map(|&place| variables[place].name.as_str()).collect();
            Diagnostic::whole(format!("the program has no array `{name}` that could be the {what}"))
                .hint(format!("its arrays besides the parameters are {}", known.join(", ")))
        }),
    };
    let onehot = || free.iter().copied().find(|&place| variables[place].properties.has(Property::OneHot));
    let told_features = told(&names.features, "features")?;
    let mut target = match told(&names.target, "target")? {
        Some(target) => Some(target),
        None => onehot().or_else(|| called("Y")).or_else(|| called("y")).filter(|&place| Some(place) != told_features),
    };
    let rest = |target: Option<usize>| free.iter().copied().find(|&place| Some(place) != target);
    let features = told_features.or_else(|| called("X").or_else(|| called("x")).filter(|&place| Some(place) != target));
    let features = match features.or_else(|| rest(target)) {
        Some(features) => features,
        // What there is has no targets.
        None => match target.take() {
            Some(features) => features,
            None => {
                return Err(Diagnostic::whole("the program has no data: every array in it is a parameter")
                    .hint("declare the samples, as `X : matrix(N, D)`"));
            }
        },
    };
    Ok((features, target))
}

/// Whether a variable of data can be what it is.
fn check_data(variable: &Variable, role: &Role, features: &Variable) -> Result<(), Diagnostic> {
    if !matches!(role, Role::Features | Role::Target | Role::Beside) {
        return Ok(());
    }
    let name = &variable.name;
    if variable.shape.rows != features.shape.rows {
        return Err(Diagnostic::at(
            variable.span,
            format!("`{name}` has not the rows of `{}`: data have one row a sample", features.name),
        )
        .hint("write the program for samples in rows, and constants as definitions"));
    }
    let unchecked = [
        Property::Symmetric,
        Property::Skew,
        Property::Diagonal,
        Property::Orthogonal,
        Property::Invertible,
        Property::PositiveDefinite,
        Property::RowStochastic,
        Property::Positive,
    ];
    let onehot = variable.properties.has(Property::OneHot);
    if onehot && *role == Role::Target {
        return Ok(());
    }
    if onehot || unchecked.into_iter().any(|property| variable.properties.has(property)) {
        return Err(Diagnostic::at(variable.span, format!("`{name}` is data of which a training does not check that"))
            .hint("declare it without the property; labels are `onehot`"));
    }
    Ok(())
}

/// The definition that is the model's answer: it has the target's shape, or is the one told, and does not depend on the
/// target. The last whose softmax is taken comes first, then the last of all.
fn scores(
    answer: &Answer,
    names: &Names,
    features: usize,
    target: Option<usize>,
) -> Result<Option<(String, ExprId, Meaning)>, Diagnostic> {
    let arena = &answer.arena;
    let variables = &answer.typed.variables;
    let reads = |root: ExprId, place: usize| {
        arena.reachable(&[root]).iter().any(|&id| matches!(arena.op(id), Op::Variable(v) if v.0 as usize == place))
    };
    let named = |definition: ExprId| arena.name_of(definition);
    let told = match &names.scores {
        None => None,
        Some(name) => {
            let found = answer.definitions.iter().copied().find(|&definition| named(definition) == *name);
            let Some(found) = found else {
                return Err(Diagnostic::whole(format!("the program has no definition `{name}` to answer with")));
            };
            if arena.shape(found).rows != variables[features].shape.rows {
                return Err(Diagnostic::whole(format!("`{name}` has not one row a sample, and is no answer")));
            }
            if target.is_some_and(|target| reads(found, target)) {
                return Err(Diagnostic::whole(format!("`{name}` depends on the target, and is no answer")));
            }
            Some(found)
        }
    };
    let candidates: Vec<ExprId> = match (told, target) {
        (Some(told), _) => vec![told],
        (None, None) => Vec::new(),
        (None, Some(target)) => answer
            .definitions
            .iter()
            .copied()
            .filter(|&definition| arena.shape(definition) == variables[target].shape && !reads(definition, target))
            .collect(),
    };
    let of_softmax = |id: ExprId| {
        (0..arena.len()).any(|place| match arena.op(ExprId(place as u32)) {
            Op::Call(Function::Softmax | Function::LogSoftmax | Function::LogSumExp, Axis::Rows, operands) => {
                operands.first() == Some(&id)
            }
            _ => false,
        })
    };
    let onehot = target.is_some_and(|target| variables[target].properties.has(Property::OneHot));
    if onehot && let Some(&found) = candidates.iter().rev().find(|&&candidate| of_softmax(candidate)) {
        return Ok(Some((named(found), found, Meaning::Scores)));
    }
    Ok(candidates.last().map(|&found| {
        let body = match arena.op(found) {
            Op::Named(id) => arena.op(arena.named(*id).body),
            other => other,
        };
        let meaning = match body {
            Op::Call(Function::Softmax, Axis::Rows, _) => Meaning::Probabilities,
            _ => Meaning::Numbers,
        };
        (named(found), found, meaning)
    }))
}

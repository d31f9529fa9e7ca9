//! Declarations and definitions of a document as a [`Scope`].

use super::edits::Pieces;
use super::judge::Chain;
use super::repair::fitting;
use super::scope::{Form, Ranges, Scope};
use super::sizes::ONE;
use crate::diagnostic::Diagnostic;
use crate::document::formula::{Formula, Kind, Size};
use crate::document::language::{Names, formula};
use crate::document::text::{Document, Line};
use crate::elaborate::{Properties, Property};
use crate::functions::Function;
use crate::syntax::TYPES;
use crate::syntax::ast::{Ast, Named, NodeId, Statement};

struct Plain;

impl Names for Plain {
    fn is_known(&self, _: &str) -> bool {
        true
    }
}

/// The names that a document declares, and its mistakes.
pub fn declared(ast: &Ast) -> (Scope, Vec<Diagnostic>) {
    let mut scope = Scope::default();
    let mut errors = Vec::new();
    for statement in &ast.statements {
        match statement {
            Statement::Dimensions(list) => {
                for (named, value) in list {
                    scope.sizes.named(&named.name);
                    if let Some((value, _)) = value {
                        scope.sizes.set_value(&named.name, *value);
                    }
                }
            }
            Statement::Declaration { names, kind, arguments } => {
                match declared_type(&mut scope, ast, kind, arguments) {
                    Ok((form, properties)) => {
                        for named in names {
                            if scope.variables.contains_key(&named.name) {
                                let message = format!("`{}` is already declared", named.name);
                                errors.push(Diagnostic::at(named.span, message));
                            } else if Function::lookup(&named.name).is_some() {
                                let message = format!("`{}` is a function's name", named.name);
                                errors.push(Diagnostic::at(named.span, message));
                            } else {
                                scope.declare(&named.name, form, properties, true);
                            }
                        }
                    }
                    Err(error) => errors.push(error),
                }
            }
            Statement::Assume(list) => {
                for (property, named) in list {
                    let Some(property) = Property::named(&property.name) else {
                        let message = format!("unknown property `{}`", property.name);
                        errors.push(Diagnostic::at(property.span, message));
                        continue;
                    };
                    let mut name = Formula::name(named.name.clone());
                    let _ = scope.shape(&mut name, &mut Ranges::new());
                    if let Some(variable) = scope.variables.get_mut(&named.name) {
                        variable.properties = variable.properties.with(property).closed();
                        let form = variable.form;
                        let square = matches!(
                            property,
                            Property::Symmetric
                                | Property::Skew
                                | Property::Diagonal
                                | Property::Orthogonal
                                | Property::Invertible
                                | Property::PositiveDefinite
                        );
                        if square && !scope.sizes.unify(form.rows, form.columns) {
                            let message = format!("{} needs a square matrix", property.name());
                            errors.push(Diagnostic::at(named.span, message));
                        }
                    }
                }
            }
            Statement::Definition(..) | Statement::Ask { .. } => {}
        }
    }
    (scope, errors)
}

fn declared_type(
    scope: &mut Scope,
    ast: &Ast,
    kind: &Named,
    arguments: &[NodeId],
) -> Result<(Form, Properties), Diagnostic> {
    let Some(&(name, arity)) = TYPES.iter().find(|(name, _)| *name == kind.name) else {
        let list: Vec<&str> = TYPES.iter().map(|&(name, _)| name).collect();
        let message = format!("unknown type `{}`", kind.name);
        return Err(Diagnostic::at(kind.span, message).hint(format!("the types are {}", list.join(", "))));
    };
    if arguments.len() != arity {
        return Err(Diagnostic::at(kind.span, format!("`{name}` takes {arity} dimensions, not {}", arguments.len())));
    }
    let mut sizes = Vec::new();
    for &argument in arguments {
        let size = formula(ast, argument, &Plain)?;
        sizes.push(scope.size_of(&size).map_err(|misfit| Diagnostic::at(ast.span(argument), misfit.message))?);
    }
    let properties =
        Property::named(name).map_or(Properties::NONE, |property| Properties::NONE.with(property)).closed();
    let form = match (name, sizes.as_slice()) {
        ("vector", &[n]) => Form { rows: n, columns: ONE },
        ("row", &[n]) => Form { rows: ONE, columns: n },
        (_, &[n]) => Form { rows: n, columns: n },
        (_, &[m, n]) => Form { rows: m, columns: n },
        _ => super::scope::SCALAR,
    };
    Ok((form, properties))
}

/// The lines as chains; those that say what a new name stands for are put into the scope.
pub fn defined(scope: &mut Scope, document: &Document) -> Vec<Chain> {
    note_dimensions(scope, document);
    let mut chains: Vec<Chain> =
        document.lines.iter().map(|line| Chain { parts: line.parts.clone(), defines: None }).collect();
    let mut pending: Vec<(usize, String)> = Vec::new();
    for (k, line) in document.lines.iter().enumerate() {
        if let Some(name) = head(scope, line)
            && !pending.iter().any(|(_, other)| *other == name)
        {
            pending.push((k, name));
        }
    }
    for (k, name) in &pending {
        chains[*k].defines = Some(name.clone());
    }
    while !pending.is_empty() {
        let waits = |k: usize| {
            document.lines[k].parts[1].names().iter().any(|inner| pending.iter().any(|(_, other)| other == inner))
        };
        let Some(next) = pending.iter().position(|(k, _)| !waits(*k)) else { break };
        let (k, name) = pending.remove(next);
        define(scope, &name, &document.lines[k].parts[1]);
    }
    // Definitions that stand on each other in a circle are no definitions.
    for (k, _) in pending {
        chains[k].defines = None;
    }
    chains
}

/// Names that stand below ones or above a sum are dimensions wherever they stand.
fn note_dimensions(scope: &mut Scope, document: &Document) {
    let mut names: Vec<String> = Vec::new();
    for part in document.lines.iter().flat_map(|line| &line.parts) {
        part.visit(&mut |formula| {
            let sizes: Vec<&Size> = match &formula.kind {
                Kind::Ones(m, n) | Kind::Zeros(m, n) => std::iter::once(m).chain(n).collect(),
                Kind::Identity(n) | Kind::Unit(n, _) | Kind::Over { upper: n, .. } => vec![n],
                _ => Vec::new(),
            };
            for size in sizes {
                if let Size::Given(given) = size {
                    names.extend(given.names().iter().map(|name| (*name).to_owned()));
                }
            }
        });
    }
    for name in names {
        if !scope.variables.contains_key(&name) {
            scope.sizes.named(&name);
        }
    }
}

/// The name that the first equals sign of a line defines.
fn head(scope: &Scope, line: &Line) -> Option<String> {
    let name = match &line.parts[0].kind {
        Kind::Name(name) => name,
        // f(X) = …
        Kind::Generic { name, order: 0, argument } if argument.as_name().is_some() => name,
        _ => return None,
    };
    let body = &line.parts[1];
    let free = !body.free_indices().is_empty();
    let known = scope.sizes.has_name(name) || scope.definitions.contains_key(name);
    let own = body.names().contains(&name.as_str());
    (line.may_define && !free && !known && !own).then(|| name.clone())
}

fn define(scope: &mut Scope, name: &str, body: &Formula) {
    let declared = scope.variables.get(name).filter(|variable| variable.declared).map(|variable| variable.form);
    let mut filled = body.clone();
    let mut ranges = Ranges::new();
    if let Ok(form) = scope.shape(&mut filled, &mut ranges) {
        let fits = declared.is_none_or(|declared| {
            scope.sizes.unify(declared.rows, form.rows) && scope.sizes.unify(declared.columns, form.columns)
        });
        if fits {
            scope.define(name, filled, form);
        }
        return;
    }
    // What does not fit is told where the line is judged; later lines go on from the nearest that does.
    if let Some(repair) = fitting(scope, &ranges, body, declared, &Pieces::default()) {
        let mut formula = repair.formula;
        if let Ok(form) = scope.shape(&mut formula, &mut ranges) {
            scope.define(name, formula, form);
        }
    }
}

//! Declarations and definitions of a document as a [`Scope`].

use super::conditions::moved_before;
use super::edits::Pieces;
use super::judge::Chain;
use super::repair::fitting;
use super::scope::{Defined, Family, Form, Ranges, SCALAR, Scope};
use super::sizes::{ONE, Symbol};
use crate::diagnostic::Diagnostic;
use crate::document::formula::{Formula, Index, Kind, Size};
use crate::document::language::{Names, formula};
use crate::document::text::{Document, Line};
use crate::document::write::Script;
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
pub fn declared(document: &Document) -> (Scope, Vec<Diagnostic>) {
    let ast = &document.declarations;
    let mut scope = Scope { dots: document.dots.clone().into(), ..Scope::default() };
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
            // A type that was not read was told already.
            Statement::Declaration { kind, .. } if kind.name.is_empty() => {}
            Statement::Declaration { names, kind, arguments } => {
                match declared_type(&mut scope, ast, kind, arguments) {
                    Ok((form, properties)) => {
                        for named in names {
                            if let Some(family) = document.families.get(&named.name) {
                                if !scope.variables.contains_key(family) {
                                    declare_family(&mut scope, family, form);
                                }
                            } else if scope.variables.contains_key(&named.name) {
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
                        let hint = format!("the properties are {}", Property::names().collect::<Vec<_>>().join(", "));
                        errors.push(Diagnostic::at(property.span, message).hint(hint));
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

/// A family of columns or numbers is a matrix with a row for each; one of matrices has them one below the other.
fn declare_family(scope: &mut Scope, family: &str, member: Form) {
    let members = scope.sizes.open();
    let form = if scope.sizes.is_one(member.columns) {
        Form { rows: members, columns: member.rows }
    } else {
        scope.families.insert(family.to_owned(), Family { members, member });
        Form { rows: scope.sizes.symbol(Symbol::Product(members, member.rows)), columns: member.columns }
    };
    scope.declare(family, form, Properties::NONE, true);
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
    let lines = with_whole_names(scope, &document.lines);
    note_dimensions(scope, &lines);
    note_families(scope, &lines, document);
    let mut chains: Vec<Chain> =
        lines.iter().map(|line| Chain { parts: line.parts.clone(), defines: None, places: None }).collect();
    let mut pending: Vec<(usize, String)> = Vec::new();
    for (k, line) in lines.iter().enumerate() {
        if let Some(name) = head(scope, line)
            && document.script == Script::Latex
            && matches!(line.parts[0].kind, Kind::Name(_))
            && moved_before(&name, &lines[..k])
        {
            chains[k].places = Some(name);
        } else if let Some(name) = head(scope, line)
            && !pending.iter().any(|(_, other)| *other == name)
        {
            pending.push((k, name));
        }
    }
    // A definition of the whole goes before one of its entries.
    for (k, line) in lines.iter().enumerate() {
        if let (Some(name), Kind::Name(_)) = (head(scope, line), &line.parts[0].kind)
            && chains[k].places.is_none()
            && let Some(place) = pending.iter().position(|(j, other)| {
                *other == name && *j < k && matches!(lines[*j].parts[0].kind, Kind::Entry { .. })
            })
        {
            pending[place] = (k, name);
        }
    }
    for (k, name) in &pending {
        chains[*k].defines = Some(name.clone());
    }
    while !pending.is_empty() {
        let waits =
            |k: usize| lines[k].parts[1].names().iter().any(|inner| pending.iter().any(|(_, other)| other == inner));
        let Some(next) = pending.iter().position(|(k, _)| !waits(*k)) else { break };
        let (k, name) = pending.remove(next);
        if let Some(defined) = function_of(scope, &lines[k]) {
            if !scope.knows(&defined.parameter) {
                scope.declare(&defined.parameter, SCALAR, Properties::NONE, false);
            }
            scope.functions.insert(name.clone(), defined);
        }
        define(scope, &name, &body_of(&lines[k]));
    }
    // Definitions that stand on each other in a circle are no definitions.
    for (k, _) in pending {
        chains[k].defines = None;
    }
    chains
}

/// Names that stand below ones or above a sum are dimensions wherever they stand.
fn note_dimensions(scope: &mut Scope, lines: &[Line]) {
    let mut names: Vec<String> = Vec::new();
    for part in lines.iter().flat_map(|line| &line.parts) {
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

/// How many members a family has is told by the sums over it.
fn note_families(scope: &mut Scope, lines: &[Line], document: &Document) {
    let families: Vec<&String> = document.families.values().collect();
    for part in lines.iter().flat_map(|line| &line.parts) {
        let mut found: Vec<(String, Formula)> = Vec::new();
        part.visit(&mut |formula| {
            let Kind::Over { index, upper: Size::Given(upper), body } = &formula.kind else { return };
            body.visit(&mut |part| {
                if let Kind::Entry { of, indices } = &part.kind
                    && let Some(name) = of.as_name()
                    && families.iter().any(|family| *family == name)
                    && indices.first() == Some(&Index::Name(index.clone()))
                {
                    found.push((name.to_owned(), (**upper).clone()));
                }
            });
        });
        for (name, upper) in found {
            if let (Ok(size), Some(form)) = (scope.size_of(&upper), scope.form_of(&name)) {
                let members = scope.families.get(&name).map_or(form.rows, |family| family.members);
                scope.sizes.unify(members, size);
            }
        }
    }
}

/// The lines, where `a_i = W_i x` says that `a_i` is a name of its own: no index i stands on its right side, and no other
/// stands below `a`.
fn with_whole_names(scope: &Scope, lines: &[Line]) -> Vec<Line> {
    let mut whole: Vec<(String, String)> = Vec::new();
    for line in lines {
        if let Kind::Entry { of, indices } = &line.parts[0].kind
            && let (Some(name), [Index::Name(index)]) = (of.as_name(), indices.as_slice())
            && line.may_define
            && !scope.knows(name)
            && !line.parts[1].names().is_empty()
            && !line.parts[1].free_indices().contains(index)
        {
            whole.push((name.to_owned(), index.clone()));
        }
    }
    let used = |name: &str, index: &str| {
        lines.iter().flat_map(|line| &line.parts).any(|part| {
            let (mut all, mut entries) = (0, 0);
            part.visit(&mut |part| match &part.kind {
                Kind::Name(other) if other == name => all += 1,
                Kind::Entry { of, indices }
                    if of.as_name() == Some(name) && *indices == [Index::Name(index.to_owned())] =>
                {
                    entries += 1;
                }
                _ => {}
            });
            all != entries
        })
    };
    whole.retain(|(name, index)| !used(name, index));
    let mut out = lines.to_vec();
    if !whole.is_empty() {
        out.iter_mut().flat_map(|line| &mut line.parts).for_each(|part| put_whole_names(part, &whole));
    }
    out
}

fn put_whole_names(formula: &mut Formula, whole: &[(String, String)]) {
    if let Kind::Entry { of, indices } = &formula.kind
        && let (Some(name), [Index::Name(index)]) = (of.as_name(), indices.as_slice())
        && whole.iter().any(|(known, below)| known == name && below == index)
    {
        formula.kind = Kind::Name(format!("{name}_{index}"));
        return;
    }
    formula.children_mut().into_iter().for_each(|child| put_whole_names(child, whole));
}

/// The function of a number that a line defines: σ(t) = 1/(1 + e⁻ᵗ).
fn function_of(scope: &Scope, line: &Line) -> Option<Defined> {
    let Kind::Generic { argument, order: 0, .. } = &line.parts[0].kind else { return None };
    let parameter = argument.as_name()?;
    let body = line.parts[1].clone();
    let simple = !body.any(|part| match &part.kind {
        Kind::Name(name) => name != parameter && scope.definitions.contains_key(name),
        Kind::Generic { name, .. } => Function::lookup(name).is_none(),
        Kind::Entry { .. } | Kind::Over { .. } | Kind::Derivative { .. } | Kind::Differential(_) => true,
        _ => false,
    });
    let mut scope = scope.clone();
    scope.definitions.remove(parameter);
    scope.declare(parameter, SCALAR, Properties::NONE, true);
    let form = scope.shape(&mut body.clone(), &mut Ranges::new()).ok()?;
    (simple && scope.is_scalar(form)).then(|| Defined { parameter: parameter.to_owned(), body })
}

/// The name that the first equals sign of a line defines.
fn head(scope: &Scope, line: &Line) -> Option<String> {
    let body = &line.parts[1];
    let free = body.free_indices();
    let name = match &line.parts[0].kind {
        Kind::Name(name) if free.is_empty() => name,
        // f(X) = …
        Kind::Generic { name, order: 0, argument } if argument.as_name().is_some() && free.is_empty() => name,
        Kind::Entry { of, .. } => {
            let indices = indices_of(&line.parts[0])?;
            if !free.iter().all(|index| indices.contains(index)) {
                return None;
            }
            match &of.kind {
                Kind::Name(name) => name,
                _ => return None,
            }
        }
        _ => return None,
    };
    let known = scope.sizes.has_name(name) || scope.definitions.contains_key(name);
    let own = body.names().contains(&name.as_str());
    (line.may_define && !known && !own).then(|| name.clone())
}

/// The indices of an entry, where they are names that differ.
fn indices_of(entry: &Formula) -> Option<Vec<String>> {
    let Kind::Entry { indices, .. } = &entry.kind else { return None };
    let mut out: Vec<String> = Vec::new();
    for index in indices {
        match index {
            Index::Name(name) if !out.contains(name) => out.push(name.clone()),
            _ => return None,
        }
    }
    Some(out)
}

/// What a line defines its name as: the right side, or the matrix that has it as its entries.
fn body_of(line: &Line) -> Formula {
    let body = line.parts[1].clone();
    match indices_of(&line.parts[0]) {
        Some(indices) => {
            let span = body.span;
            Formula::new(Kind::ByEntries { indices, body: Box::new(body) }, span)
        }
        None => body,
    }
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

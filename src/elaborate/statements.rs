//! Statements and names: what may be declared, what a name means where it is used, and which default an undeclared
//! name takes.

use super::message::{function_names, nearest};
use super::properties::NAMES as PROPERTIES;
use super::reader::{Entry, Reader, Role};
use super::{Definition, DefinitionId, Meaning, Properties, Property, Variable, VariableId};
use crate::diagnostic::{Diagnostic, Span, shorten};
use crate::dimension::{DimId, Shape};
use crate::functions::Function;
use crate::syntax::ast::{Named, Node, NodeId, Statement};
use crate::syntax::{TYPES, is_lower_greek, is_type};

impl Reader<'_> {
    /// Looks through the statements for what counts wherever it stands: values of dimensions, assumptions, and the
    /// names that are introduced somewhere.
    pub(super) fn collect(&mut self) {
        for statement in &self.ast.statements {
            match statement {
                Statement::Dimensions(list) => {
                    for (named, value) in list {
                        self.introduces(&named.name, named.span, "declared");
                        if let Some((value, _)) = value {
                            self.solver.set_value(&named.name, i64::try_from(*value).unwrap_or(i64::MAX));
                        }
                    }
                }
                Statement::Declaration { names, arguments, .. } => {
                    names.iter().for_each(|named| self.introduces(&named.name, named.span, "declared"));
                    let mut stack = arguments.clone();
                    while let Some(id) = stack.pop() {
                        if let Node::Name(name) = self.ast.node(id) {
                            self.introduces(name, self.ast.span(id), "declared");
                        }
                        stack.extend(self.ast.children(id));
                    }
                }
                Statement::Assume(list) => {
                    for (property, named) in list {
                        if let Some(property) = Property::named(&property.name) {
                            let known = self.assumed.entry(named.name.clone()).or_default();
                            *known = known.with(property);
                        }
                    }
                }
                Statement::Definition(named, _) => self.introduces(&named.name, named.span, "defined"),
                Statement::Ask { .. } => {}
            }
        }
    }

    fn introduces(&mut self, name: &str, span: Span, how: &'static str) {
        if !self.later.contains_key(name) {
            self.later.insert(name.to_owned(), (span, how));
        }
    }

    /// A name as messages quote it.
    pub(super) fn short(&self, name: &str) -> String {
        shorten(name, 48)
    }

    pub(super) fn declare_dimensions(&mut self, list: &[(Named, Option<(u64, Span)>)]) {
        let mut seen: Vec<&str> = Vec::new();
        for (named, value) in list {
            let known = self.names.get(&named.name).map(|&(entry, span)| (entry, span));
            match known {
                // A dimension known from a type may still be given its value.
                Some((Entry::Dimension(_), span)) => {
                    let valued = self.dimension_values.iter().any(|(name, _)| *name == named.name);
                    if seen.contains(&named.name.as_str()) || valued || value.is_none() {
                        let message = format!("the dimension `{}` is already declared", self.short(&named.name));
                        self.errors.push(Diagnostic::at(named.span, message).related(span, "here"));
                        continue;
                    }
                }
                Some((Entry::Faulty, _)) | None => {
                    if self.may_bind(named) {
                        let id = self.solver.table.named(&named.name);
                        self.names.insert(named.name.clone(), (Entry::Dimension(id), named.span));
                    } else {
                        continue;
                    }
                }
                Some(_) => {
                    self.may_bind(named);
                    continue;
                }
            }
            seen.push(&named.name);
            if let Some((value, _)) = value {
                self.dimension_values.push((named.name.clone(), i64::try_from(*value).unwrap_or(i64::MAX)));
            }
        }
    }

    pub(super) fn declare(&mut self, names: &[Named], kind: &Named, arguments: &[NodeId]) {
        let declared = self.declared_type(kind, arguments);
        for named in names {
            if !self.may_bind(named) {
                continue;
            }
            let Some((shape, kind, properties)) = declared.clone() else {
                self.names.insert(named.name.clone(), (Entry::Faulty, named.span));
                continue;
            };
            let assumed = self.assumed.get(&named.name).copied().unwrap_or_default();
            self.stated.insert(named.name.clone(), properties.closed());
            self.add_variable(Variable {
                name: named.name.clone(),
                shape,
                properties: properties.union(assumed).closed(),
                kind,
                span: named.span,
                inferred: false,
            });
        }
    }

    pub(super) fn add_variable(&mut self, variable: Variable) -> VariableId {
        let id = VariableId(u32::try_from(self.variables.len()).expect("fewer than 2^32 variables"));
        self.names.insert(variable.name.clone(), (Entry::Variable(id), variable.span));
        self.variables.push(variable);
        id
    }

    fn declared_type(&mut self, kind: &Named, arguments: &[NodeId]) -> Option<(Shape, String, Properties)> {
        for &id in arguments {
            self.roles[id.0 as usize] = Role::Dimension;
        }
        if let Some(&last) = arguments.last() {
            self.read_nodes(last);
        }
        if kind.name.is_empty() {
            return None;
        }
        let Some(&(name, arity)) = TYPES.iter().find(|(name, _)| *name == kind.name) else {
            let list: Vec<&str> = TYPES.iter().map(|&(name, _)| name).collect();
            let mut diagnostic = Diagnostic::at(kind.span, format!("unknown type `{}`", self.short(&kind.name)));
            diagnostic = match nearest(&kind.name, list.iter().copied()) {
                Some(near) => diagnostic.hint(format!("did you mean the type `{near}`?")),
                None => diagnostic.hint(format!("the types are {}", list.join(", "))),
            };
            return self.fail(diagnostic);
        };
        if arguments.len() != arity {
            let (form, count) = match (name, arity) {
                (_, 0) => (name.to_owned(), "no dimension"),
                (_, 1) => (format!("{name}(n)"), "one dimension"),
                _ => (format!("{name}(m, n)"), "two dimensions"),
            };
            let message = format!("`{name}` takes {count}, not {}", arguments.len());
            return self.fail(Diagnostic::at(kind.span, message).hint(format!("write `{form}`")));
        }
        let mut sizes = Vec::new();
        for &id in arguments {
            sizes.push(self.dimensions[id.0 as usize]?);
        }
        let properties = Property::named(name).map_or(Properties::NONE, |property| Properties::NONE.with(property));
        let shape = match (name, sizes.as_slice()) {
            ("vector", &[n]) => Shape::column(n),
            ("row", &[n]) => Shape::new(DimId::ONE, n),
            (_, &[n]) => Shape::new(n, n),
            (_, &[m, n]) => Shape::new(m, n),
            _ => Shape::SCALAR,
        };
        let texts: Vec<String> = sizes.iter().map(|&id| self.solver.table.text(id)).collect();
        let text = if texts.is_empty() { name.to_owned() } else { format!("{name}({})", texts.join(", ")) };
        Some((shape, text, properties))
    }

    pub(super) fn assume(&mut self, property: &Named, named: &Named) {
        let Some(found) = Property::named(&property.name) else {
            let list: Vec<&str> = PROPERTIES.iter().map(|&(name, _)| name).collect();
            let mut diagnostic =
                Diagnostic::at(property.span, format!("unknown property `{}`", self.short(&property.name)));
            diagnostic = match nearest(&property.name, list.iter().copied()) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint(format!("the properties are {}", list.join(", "))),
            };
            self.errors.push(diagnostic);
            return;
        };
        let shown = self.short(&named.name);
        let id = match self.names.get(&named.name) {
            Some((Entry::Variable(id), _)) => *id,
            Some((Entry::Faulty, _)) => return,
            Some((Entry::Definition(_), _)) => {
                let message = format!("`{shown}` is a definition; properties are assumed of variables");
                self.errors.push(Diagnostic::at(named.span, message));
                return;
            }
            Some((Entry::Dimension(_), _)) => {
                let message = format!("`{shown}` is a dimension; properties are assumed of variables");
                self.errors.push(Diagnostic::at(named.span, message));
                return;
            }
            None => match self.undeclared(&named.name, named.span) {
                Some(Meaning::Variable(id)) => id,
                _ => return,
            },
        };
        let shape = self.variables[id.0 as usize].shape;
        if found.needs_a_square() && !self.solver.unify(shape.rows, shape.columns, named.span) {
            let message = format!("{} needs a square matrix; `{shown}` is {}", found.name(), self.described(shape));
            self.errors.push(Diagnostic::at(named.span, message));
            return;
        }
        // All assumptions were put in at the declaration; what was stated so far tells where they begin to contradict.
        let stated = self.stated.entry(named.name.clone()).or_default();
        let before = *stated;
        *stated = before.with(found).closed();
        if let (None, Some((a, b))) = (before.contradiction(), stated.contradiction()) {
            let mut message = format!("`{shown}` cannot be {} and {} at once, unless it is zero", a.name(), b.name());
            if found != a && found != b {
                let implied = if Properties::NONE.with(found).closed().has(a) { a } else { b };
                message.push_str(&format!("; {} matrices are {}", found.name(), implied.name()));
            }
            self.errors.push(Diagnostic::at(named.span, message));
        }
    }

    pub(super) fn define(&mut self, named: &Named, body: NodeId) {
        self.read_nodes(body);
        if !self.may_bind(named) {
            return;
        }
        self.add_definition(named, body);
    }

    pub(super) fn add_definition(&mut self, named: &Named, body: NodeId) {
        let id = DefinitionId(u32::try_from(self.definitions.len()).expect("fewer than 2^32 definitions"));
        self.names.insert(named.name.clone(), (Entry::Definition(id), named.span));
        self.definitions.push(Definition { name: named.name.clone(), body, span: named.span });
    }

    /// Whether a new variable, definition or dimension may have this name; tells why not.
    fn may_bind(&mut self, named: &Named) -> bool {
        let shown = self.short(&named.name);
        if let Some(what) = reserved(&named.name) {
            let hint = format!("choose another name, such as `{shown}1`");
            self.errors
                .push(Diagnostic::at(named.span, format!("`{shown}` is {what} and cannot be declared")).hint(hint));
            // Where it is used the same would be told again.
            self.names.insert(named.name.clone(), (Entry::Faulty, named.span));
            return false;
        }
        let already = match self.names.get(&named.name) {
            None | Some((Entry::Faulty, _)) => None,
            Some((Entry::Variable(id), span)) => {
                let inferred = self.variables[id.0 as usize].inferred;
                Some((if inferred { "is already in use as a variable" } else { "is already a variable" }, *span))
            }
            Some((Entry::Definition(_), span)) => Some(("is already defined", *span)),
            Some((Entry::Dimension(_), span)) => Some(("is already a dimension", *span)),
        };
        if let Some((why, span)) = already {
            let related = "the first time is here";
            self.errors.push(Diagnostic::at(named.span, format!("`{shown}` {why}")).related(span, related));
            return false;
        }
        if matches!(named.name.as_str(), "e" | "pi") {
            let constant = if named.name == "e" { "Euler's number" } else { "the circle's π" };
            self.notes.push(Diagnostic::at(named.span, format!("`{shown}` is your own name here, not {constant}")));
        }
        true
    }

    /// What a name means where it is used as a value.
    pub(super) fn meaning(&mut self, name: &str, span: Span) -> Option<Meaning> {
        match self.names.get(name) {
            Some((Entry::Variable(id), _)) => Some(Meaning::Variable(*id)),
            Some((Entry::Definition(id), _)) => Some(Meaning::Definition(*id)),
            Some((Entry::Dimension(id), _)) => Some(Meaning::Dimension(*id)),
            Some((Entry::Faulty, _)) => None,
            None => self.undeclared(name, span),
        }
    }

    /// The meaning of a name that was not introduced before.
    fn undeclared(&mut self, name: &str, span: Span) -> Option<Meaning> {
        let shown = self.short(name);
        if let Some(&(at, how)) = self.later.get(name) {
            self.names.insert(name.to_owned(), (Entry::Faulty, span));
            let message = if at.start < span.start {
                format!("`{shown}` stands in its own definition")
            } else {
                format!("`{shown}` is used before it is {how}")
            };
            return self.fail(Diagnostic::at(span, message).related(at, format!("it is {how} here")));
        }
        match name {
            "pi" => return Some(Meaning::Pi),
            "e" => return Some(Meaning::E),
            _ => {}
        }
        if let Some(what) = reserved(name) {
            let diagnostic = Diagnostic::at(span, format!("`{shown}` is {what}, not a value"));
            return self.fail(match Function::lookup(name) {
                Some(_) => diagnostic.hint(format!("call it: `{shown}(…)`")),
                None => diagnostic,
            });
        }
        if !self.infers {
            if let Some(meaning) = self.differential(name) {
                return Some(meaning);
            }
            return self.fail(Diagnostic::at(span, format!("unknown name `{shown}`")));
        }
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let shape = if is_lower_greek(base) {
            Shape::SCALAR
        } else if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            Shape::new(self.solver.fresh(), self.solver.fresh())
        } else {
            Shape::column(self.solver.fresh_length())
        };
        let properties = self.assumed.get(name).copied().unwrap_or_default().closed();
        let variable = Variable { name: name.to_owned(), shape, properties, kind: String::new(), span, inferred: true };
        Some(Meaning::Variable(self.add_variable(variable)))
    }

    fn differential(&self, name: &str) -> Option<Meaning> {
        match self.names.get(name.strip_prefix('d')?)?.0 {
            Entry::Variable(id) => Some(Meaning::DifferentialOfVariable(id)),
            Entry::Definition(id) => Some(Meaning::DifferentialOfDefinition(id)),
            Entry::Dimension(_) | Entry::Faulty => None,
        }
    }

    /// A name behind `wrt` that the program does not have.
    pub(super) fn unknown_variable(&self, named: &Named) -> Diagnostic {
        let shown = self.short(&named.name);
        if let Some(what) = reserved(&named.name) {
            return Diagnostic::at(named.span, format!("`{shown}` is {what}, not a variable"));
        }
        let diagnostic = Diagnostic::at(named.span, format!("unknown variable `{shown}`"));
        let near = nearest(&named.name, self.variables.iter().map(|variable| variable.name.as_str()));
        match near {
            Some(near) if near.len() > 2 => diagnostic.hint(format!("did you mean `{near}`?")),
            _ => diagnostic.hint("it is neither declared nor used; behind `wrt` stand variables and definitions"),
        }
    }

    /// A function's name that is none.
    pub(super) fn unknown_function(&self, name: &str, span: Span) -> Diagnostic {
        let shown = self.short(name);
        if let Some((entry @ (Entry::Variable(_) | Entry::Definition(_) | Entry::Dimension(_)), _)) =
            self.names.get(name)
        {
            let what = match entry {
                Entry::Definition(_) => "a definition",
                Entry::Dimension(_) => "a dimension",
                _ => "a variable",
            };
            let message = format!("`{shown}` is {what}, not a function: a product needs `*`");
            let hint = match entry {
                Entry::Dimension(_) => format!("write `{shown}*(…)`"),
                _ => format!(
                    "write `{shown}*(…)`; entries are `unit(n, 1)'*x` of a vector, `unit(m, 1)'*X*unit(n, 2)` of a matrix"
                ),
            };
            return Diagnostic::at(span, message).hint(hint);
        }
        let diagnostic = Diagnostic::at(span, format!("unknown function `{shown}`"));
        let known = match name {
            "trace" => Some("tr"),
            "ln" => Some("log"),
            "inverse" => Some("inv"),
            "identity" | "I" => Some("eye"),
            "exponential" => Some("exp"),
            "vecnorm" | "fro" => Some("norm"),
            "tanh_" => Some("tanh"),
            "cholesky" => Some("chol"),
            "frob" | "inner" => Some("dot"),
            "logistic" => Some("sigmoid"),
            "swish" => Some("silu"),
            "lse" => Some("logsumexp"),
            _ => nearest(name, function_names()),
        };
        match known {
            Some(known) => diagnostic.hint(format!("did you mean `{known}`?")),
            None => diagnostic,
        }
    }
}

/// What a word of the language is, where it may not be declared.
fn reserved(name: &str) -> Option<&'static str> {
    if is_type(name) {
        Some("a type's name")
    } else if Function::lookup(name).is_some() {
        Some("a function's name")
    } else if Property::named(name).is_some() {
        Some("a property's name")
    } else {
        None
    }
}

//! The state while a program is read: names, open dimensions, what is known of each node, and the errors so far.

use std::collections::HashMap;

use super::unify::Solver;
use super::{Ask, Definition, DefinitionId, Meaning, Properties, Property, Typed, Variable, VariableId};
use crate::diagnostic::{self, Diagnostic, Span};
use crate::dimension::{DimId, Shape};
use crate::number::Number;
use crate::syntax::ast::{AskKind, Ast, Named, Node, NodeId, Operator, Statement};

/// What a name stands for while the program is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    Variable(VariableId),
    Definition(DefinitionId),
    Dimension(DimId),
    /// An error about this name was told already.
    Faulty,
}

/// What an argument of a function stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A value with a shape.
    Value,
    /// A dimension, as in `eye(n)`.
    Dimension,
}

/// A request whose names are looked up at the end.
pub(super) struct Request<'a> {
    pub(super) kind: AskKind,
    pub(super) of: NodeId,
    pub(super) wrt: &'a [Named],
    pub(super) directions: &'a [NodeId],
    pub(super) span: Span,
}

pub(super) struct Reader<'a> {
    pub(super) ast: &'a Ast,
    pub(super) source: &'a str,
    pub(super) solver: Solver,
    pub(super) names: HashMap<String, (Entry, Span)>,
    /// Names that some statement of the program introduces, with the first such place, and "declared" or "defined".
    pub(super) later: HashMap<String, (Span, &'static str)>,
    /// Properties from `assume`, wherever in the program they stand.
    pub(super) assumed: HashMap<String, Properties>,
    /// Properties that the statements read so far give.
    pub(super) stated: HashMap<String, Properties>,
    pub(super) variables: Vec<Variable>,
    pub(super) definitions: Vec<Definition>,
    pub(super) dimension_values: Vec<(String, i64)>,
    pub(super) requests: Vec<Request<'a>>,
    pub(super) notes: Vec<Diagnostic>,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) roles: Vec<Role>,
    /// Shapes of nodes; `None` before, and where an error was told already.
    pub(super) shapes: Vec<Option<Shape>>,
    /// Values of constant scalar expressions.
    pub(super) constants: Vec<Option<Number>>,
    /// Dimensions that nodes with [`Role::Dimension`] stand for.
    pub(super) dimensions: Vec<Option<DimId>>,
    pub(super) meanings: Vec<Option<Meaning>>,
    /// The first node that was not read yet.
    pub(super) next: usize,
    /// Whether names may be used without a declaration.
    pub(super) infers: bool,
    /// Whether nothing of the text was left out because of a mistake.
    complete: bool,
}

/// Reads a program; `complete` says that nothing of its text was left out because of a mistake.
pub(super) fn elaborate(ast: Ast, source: &str, complete: bool) -> Result<Typed, Vec<Diagnostic>> {
    let mut reader = Reader::new(&ast, source, Solver::default());
    reader.complete = complete;
    reader.collect();
    for statement in &ast.statements {
        reader.statement(statement);
    }
    reader.fit_directions();
    reader.name_dimensions();
    let asks = reader.asks();
    if asks.is_empty() && reader.errors.is_empty() && complete {
        let nothing = if ast.statements.is_empty() { "the text is empty" } else { "the text asks for nothing" };
        let hint = "end it with a request such as `grad F wrt X`";
        reader.errors.push(Diagnostic::whole(nothing).hint(hint));
    }
    if !reader.errors.is_empty() {
        diagnostic::in_order(&mut reader.errors);
        return Err(reader.errors);
    }
    let parts = reader.finish();
    Ok(Typed {
        ast,
        dimensions: parts.solver.table,
        dimension_values: parts.dimension_values,
        variables: parts.variables,
        definitions: parts.definitions,
        asks,
        shapes: parts.shapes,
        meanings: parts.meanings,
        notes: parts.notes,
    })
}

/// What is left of a [`Reader`] without its tree.
pub(super) struct Parts {
    pub(super) solver: Solver,
    pub(super) variables: Vec<Variable>,
    pub(super) definitions: Vec<Definition>,
    pub(super) dimension_values: Vec<(String, i64)>,
    pub(super) shapes: Vec<Shape>,
    pub(super) meanings: Vec<Option<Meaning>>,
    pub(super) notes: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(ast: &'a Ast, source: &'a str, solver: Solver) -> Reader<'a> {
        let nodes = ast.len();
        Reader {
            ast,
            source,
            solver,
            names: HashMap::new(),
            later: HashMap::new(),
            assumed: HashMap::new(),
            stated: HashMap::new(),
            variables: Vec::new(),
            definitions: Vec::new(),
            dimension_values: Vec::new(),
            requests: Vec::new(),
            notes: Vec::new(),
            errors: Vec::new(),
            roles: vec![Role::Value; nodes],
            shapes: vec![None; nodes],
            constants: vec![None; nodes],
            dimensions: vec![None; nodes],
            meanings: vec![None; nodes],
            next: 0,
            infers: true,
            complete: true,
        }
    }

    /// Tells an error; the shape of what it is about is not known then.
    pub(super) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.errors.push(diagnostic);
        None
    }

    /// Names what is still open: m, n, p, q, then r … w, then n1, n2, …, in order of first use, rows before columns.
    pub(super) fn name_dimensions(&mut self) {
        let taken: std::collections::HashSet<String> = self.names.keys().cloned().collect();
        let letters = ["m", "n", "p", "q", "r", "s", "t", "u", "v", "w"].map(str::to_owned);
        let numbered = (1..).map(|i: usize| format!("n{i}"));
        let mut names = letters.into_iter().chain(numbered).filter(|name| !taken.contains(name));
        let mut next = || names.next().unwrap_or_default();
        let inferred = self.variables.iter().filter(|variable| variable.inferred).map(|variable| variable.shape);
        // Variables first, since their dimensions are the ones a reader sees; constants such as `vector(1)` after them.
        let shapes: Vec<Shape> = inferred.chain(self.shapes.iter().flatten().copied()).collect();
        for shape in shapes {
            self.solver.settle(shape.rows, &mut next);
            self.solver.settle(shape.columns, &mut next);
        }
    }

    fn asks(&mut self) -> Vec<Ask> {
        let requests = std::mem::take(&mut self.requests);
        let mut asks = Vec::new();
        for request in &requests {
            let wrt = self.wrt(request);
            self.must_be_scalar(request);
            let of_text = self.text_of(request.of);
            let directions = request.directions.to_vec();
            let direction_texts = directions.iter().map(|&direction| self.text_of(direction)).collect();
            let (kind, of, span) = (request.kind, request.of, request.span);
            asks.push(Ask { kind, of, of_text, wrt, directions, direction_texts, span });
        }
        asks
    }

    fn text_of(&self, id: NodeId) -> String {
        let span = self.ast.span(id);
        self.source.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
    }

    fn wrt(&mut self, request: &Request<'a>) -> Vec<Meaning> {
        let mut out = Vec::new();
        for named in request.wrt {
            let meaning = match self.names.get(&named.name) {
                Some((Entry::Variable(id), _)) => Meaning::Variable(*id),
                Some((Entry::Definition(id), _)) => Meaning::Definition(*id),
                Some((Entry::Faulty, _)) => continue,
                Some((Entry::Dimension(_), _)) => {
                    let message = format!("`{}` is a dimension, not a variable", self.short(&named.name));
                    self.errors.push(Diagnostic::at(named.span, message));
                    continue;
                }
                // What was left out may have had the name.
                None if !self.complete => continue,
                None => {
                    let diagnostic = self.unknown_variable(named);
                    self.errors.push(diagnostic);
                    continue;
                }
            };
            let pairs = matches!(request.kind, AskKind::Hessian | AskKind::HessianAlong);
            if !out.contains(&meaning) || pairs {
                out.push(meaning);
            }
        }
        if request.kind == AskKind::Hessian && request.wrt.len() > 2 {
            let message = "a Hessian is taken with respect to one or two variables";
            self.errors.push(Diagnostic::at(request.wrt[2].span, message).hint("ask once for each pair"));
        }
        if request.kind == AskKind::Differential && request.wrt.is_empty() {
            let moving = self.variables.iter().enumerate().filter(|(_, v)| !v.properties.has(Property::Constant));
            out.extend(moving.map(|(i, _)| Meaning::Variable(VariableId(i as u32))));
        }
        out
    }

    fn must_be_scalar(&mut self, request: &Request<'a>) {
        let word = match request.kind {
            AskKind::Gradient => "grad",
            AskKind::Hessian | AskKind::HessianAlong => "hessian",
            AskKind::Jacobian | AskKind::JacobianAlong | AskKind::JacobianAgainst | AskKind::Differential => return,
        };
        let Some(shape) = self.shapes[request.of.0 as usize] else { return };
        let shape = self.solver.resolve_shape(shape);
        if shape.is_scalar() {
            return;
        }
        let (text, shown) = (self.quoted(request.of), self.described(shape));
        let span = self.ast.span(request.of);
        if self.is_guessed(request.of) && self.first_use(request.of) == Some(span) {
            let message = format!("`{text}` is not defined");
            self.errors.push(Diagnostic::at(span, message).hint(format!("define it first: `{text} = …`")));
            return;
        }
        let wrt = request.wrt.first().map_or("X", |named| named.name.as_str());
        let guessed = self.guessed_columns(request.of);
        let hint = match request.kind {
            AskKind::Gradient => format!("ask for `jacobian {text} wrt {}`, or for a scalar of it", self.short(wrt)),
            _ => format!("ask for a scalar of it, such as `sum({text})`"),
        };
        let hint = match guessed.first() {
            Some(name) => {
                format!("{hint}; `{name}` is not declared and taken to be a column: is it `{name} : scalar`?")
            }
            None => hint,
        };
        self.errors.push(Diagnostic::at(span, format!("{word} needs a scalar; `{text}` is {shown}")).hint(hint));
    }

    /// The undeclared names in an expression, and in the definitions it stands on, that were taken to be columns and are
    /// added to a scalar.
    fn guessed_columns(&self, root: NodeId) -> Vec<String> {
        let mut out = Vec::new();
        let (mut stack, mut seen) = (vec![root], std::collections::HashSet::new());
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            match self.meanings[id.0 as usize] {
                Some(Meaning::Definition(definition)) => stack.push(self.definitions[definition.0 as usize].body),
                Some(_) => {}
                None => stack.extend(self.ast.children(id)),
            }
            let Node::Binary(Operator::Add | Operator::Subtract, a, b) = self.ast.node(id) else { continue };
            for (node, other) in [(*a, *b), (*b, *a)] {
                let scalar = self.shapes[other.0 as usize].is_some_and(Shape::is_scalar);
                if let (true, true, Node::Name(name)) = (scalar, self.is_guessed(node), self.ast.node(node)) {
                    out.push(self.short(name));
                }
            }
        }
        out
    }

    /// Whether a node is a bare name of a variable that was never declared.
    pub(super) fn is_guessed(&self, id: NodeId) -> bool {
        match self.meanings[id.0 as usize] {
            Some(Meaning::Variable(variable)) => self.variables[variable.0 as usize].inferred,
            _ => false,
        }
    }

    fn first_use(&self, id: NodeId) -> Option<Span> {
        match self.meanings[id.0 as usize] {
            Some(Meaning::Variable(variable)) => Some(self.variables[variable.0 as usize].span),
            _ => None,
        }
    }

    /// Puts what was solved into every shape.
    pub(super) fn finish(self) -> Parts {
        let Reader { mut solver, mut variables, definitions, dimension_values, notes, meanings, shapes, .. } = self;
        let shapes: Vec<Shape> =
            shapes.into_iter().map(|shape| solver.resolve_shape(shape.unwrap_or(Shape::SCALAR))).collect();
        for variable in &mut variables {
            variable.shape = solver.resolve_shape(variable.shape);
            if variable.inferred {
                variable.kind = kind_text(&solver, variable.shape);
            }
        }
        Parts { solver, variables, definitions, dimension_values, shapes, meanings, notes }
    }

    pub(super) fn statement(&mut self, statement: &'a Statement) {
        match statement {
            Statement::Dimensions(list) => self.declare_dimensions(list),
            Statement::Declaration { names, kind, arguments } => self.declare(names, kind, arguments),
            Statement::Assume(list) => list.iter().for_each(|(property, name)| self.assume(property, name)),
            Statement::Definition(named, body) => self.define(named, *body),
            Statement::Ask { kind, of, wrt, directions, span } => {
                self.read_nodes(*of);
                directions.iter().for_each(|&direction| self.read_nodes(direction));
                let (kind, of, span) = (*kind, *of, *span);
                self.requests.push(Request { kind, of, wrt, directions, span });
            }
        }
    }
}

/// A type as in the language, for a shape.
pub(super) fn kind_text(solver: &Solver, shape: Shape) -> String {
    let text = |id| solver.table.text(id);
    match () {
        () if shape.is_scalar() => "scalar".to_owned(),
        () if shape.is_column() => format!("vector({})", text(shape.rows)),
        () if shape.is_row() => format!("row({})", text(shape.columns)),
        () => format!("matrix({}, {})", text(shape.rows), text(shape.columns)),
    }
}

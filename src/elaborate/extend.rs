//! Further texts over a program that is read already: results read back, and lines of a derivation, in which `dX` is the
//! differential of X.

use super::reader::{Entry, Reader};
use super::unify::Solver;
use super::{DefinitionId, Properties, Typed, Variable, VariableId};
use crate::diagnostic::{Diagnostic, Span};
use crate::dimension::Shape;
use crate::syntax::ast::{Ast, Named, Node, NodeId};
use crate::syntax::parse_chain_into;

/// A text to read over a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// `a`, or `a = b = c`: expressions of equal value.
    Chain(&'a str),
    /// `NAME = EXPR`, whose name later lines may use.
    Definition(&'a str),
}

/// A program with further texts.
#[derive(Clone, Debug)]
pub struct Extended {
    /// The program; its own nodes, variables and definitions kept their ids, the new ones stand behind them.
    pub typed: Typed,
    /// The expressions of each line: the parts of a chain, the body of a definition.
    pub lines: Vec<Vec<NodeId>>,
}

/// A line that is wrong; places are within that line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Which line, from 0.
    pub line: usize,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

impl Typed {
    /// Reads further texts with the program's names, and with `extra` variables of known shapes. Names that are neither
    /// are errors, except `dX`, the differential of a variable or definition X.
    pub fn with_lines(&self, extra: &[(String, Shape)], lines: &[Line<'_>]) -> Result<Extended, LineError> {
        let mut ast = self.ast.clone();
        let mut read = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            let source = line.text();
            let (whole, nodes, diagnostics) = parse_chain_into(ast, source);
            ast = whole;
            if !diagnostics.is_empty() {
                return Err(LineError { line: i, diagnostics });
            }
            read.push(nodes);
        }
        let mut reader = self.reader(&ast);
        for (name, shape) in extra {
            reader.add_variable(Variable {
                name: name.clone(),
                shape: *shape,
                properties: Properties::NONE,
                kind: super::reader::kind_text(&reader.solver, *shape),
                span: Span::default(),
                inferred: false,
            });
        }
        for (i, (line, nodes)) in lines.iter().zip(&mut read).enumerate() {
            reader.source = line.text();
            reader.line(*line, nodes);
            if !reader.errors.is_empty() {
                return Err(LineError { line: i, diagnostics: reader.errors });
            }
        }
        reader.name_dimensions();
        let parts = reader.finish();
        let typed = Typed {
            ast,
            dimensions: parts.solver.table,
            dimension_values: parts.dimension_values,
            variables: parts.variables,
            definitions: parts.definitions,
            asks: self.asks.clone(),
            shapes: parts.shapes,
            meanings: parts.meanings,
            notes: parts.notes,
        };
        Ok(Extended { typed, lines: read })
    }

    /// A reader that knows all of this program.
    fn reader<'a>(&self, ast: &'a Ast) -> Reader<'a> {
        let mut reader = Reader::new(ast, "", Solver::new(self.dimensions.clone()));
        reader.infers = false;
        reader.next = self.ast.len();
        for (i, (shape, meaning)) in self.shapes.iter().zip(&self.meanings).enumerate() {
            reader.shapes[i] = Some(*shape);
            reader.meanings[i] = *meaning;
            if let Some(super::Meaning::Dimension(id)) = meaning
                && let Node::Name(name) = ast.node(NodeId(i as u32))
            {
                reader.names.insert(name.clone(), (Entry::Dimension(*id), Span::default()));
            }
        }
        let dimensions = self.variables.iter().flat_map(|v| [v.shape.rows, v.shape.columns]);
        for id in dimensions.chain(self.shapes.iter().flat_map(|shape| [shape.rows, shape.columns])) {
            reader.know_dimension(id);
        }
        for (name, value) in &self.dimension_values {
            let id = reader.solver.table.named(name);
            reader.names.insert(name.clone(), (Entry::Dimension(id), Span::default()));
            reader.solver.set_value(name, *value);
        }
        for (i, variable) in self.variables.iter().enumerate() {
            reader.names.insert(variable.name.clone(), (Entry::Variable(VariableId(i as u32)), variable.span));
        }
        for (i, definition) in self.definitions.iter().enumerate() {
            reader.names.insert(definition.name.clone(), (Entry::Definition(DefinitionId(i as u32)), definition.span));
        }
        reader.variables.clone_from(&self.variables);
        reader.definitions.clone_from(&self.definitions);
        reader.dimension_values.clone_from(&self.dimension_values);
        reader.notes.clone_from(&self.notes);
        reader
    }
}

impl Line<'_> {
    fn text(&self) -> &str {
        match self {
            Line::Chain(text) | Line::Definition(text) => text,
        }
    }
}

impl Reader<'_> {
    /// Makes the names of a dimension known as dimensions.
    fn know_dimension(&mut self, id: crate::dimension::DimId) {
        let table = &self.solver.table;
        let mut stack = vec![id];
        let mut names = Vec::new();
        while let Some(id) = stack.pop() {
            for &name in table.polynomial(id).terms().iter().flat_map(|(names, _)| names) {
                match table.side_of_triangle(name) {
                    Some(side) => stack.push(side),
                    None => names.push(table.name(name).to_owned()),
                }
            }
        }
        for name in names {
            if !self.names.contains_key(&name) {
                let id = self.solver.table.named(&name);
                self.names.insert(name, (Entry::Dimension(id), Span::default()));
            }
        }
    }

    /// Reads one line; of a definition only the body is left in `nodes`.
    fn line(&mut self, line: Line<'_>, nodes: &mut Vec<NodeId>) {
        let Line::Definition(text) = line else {
            if let Some(&last) = nodes.last() {
                self.read_nodes(last);
            }
            return;
        };
        let named = match nodes.as_slice() {
            [name, _] => match self.ast.node(*name) {
                Node::Name(text) => Some((Named { name: text.clone(), span: self.ast.span(*name) }, *name)),
                _ => None,
            },
            _ => None,
        };
        let Some((named, node)) = named else {
            self.errors.push(Diagnostic::at(Span::new(0, text.len()), "expected `NAME = EXPR`"));
            return;
        };
        // The name's own node is no use of the name: it is passed over.
        self.next = node.0 as usize + 1;
        nodes.remove(0);
        self.define(&named, nodes[0]);
        self.shapes[node.0 as usize] = self.shapes[nodes[0].0 as usize];
    }
}

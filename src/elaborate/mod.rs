//! Names, types and dimensions: an [`Ast`] comes in, a [`Typed`] program goes out, in which each
//! node has a shape and every name a meaning, or all the errors of the text at once. No expression is simplified here.

mod calls;
mod directions;
mod extend;
mod message;
mod nodes;
mod properties;
mod reader;
mod statements;
mod unify;

use crate::diagnostic::{self, Diagnostic, Span};
use crate::dimension::{Dimensions, Shape};
use crate::syntax::ast::{AskKind, Ast, NodeId};
use crate::syntax::{Request, parse, parse_request};

pub use extend::{Extended, Line, LineError};

/// Reads a whole program: all errors of its text, of the syntax and of the shapes, in order of their places.
pub fn read(source: &str) -> Result<Typed, Vec<Diagnostic>> {
    let (ast, errors) = parse(source);
    with_errors(ast, errors, source)
}

/// As [`read`], of a text in pieces that asks for one derivative.
pub fn read_request(request: &Request<'_>) -> Result<Typed, Vec<Diagnostic>> {
    let (ast, errors) = parse_request(request);
    with_errors(ast, errors, request.source)
}

fn with_errors(ast: Ast, mut errors: Vec<Diagnostic>, source: &str) -> Result<Typed, Vec<Diagnostic>> {
    let complete = errors.is_empty();
    match reader::elaborate(ast, source, complete) {
        Ok(typed) if complete => Ok(typed),
        Ok(_) => Err(errors),
        Err(found) => {
            errors.extend(found);
            diagnostic::in_order(&mut errors);
            Err(errors)
        }
    }
}

/// Resolves names and finds shapes in a program that was parsed without errors.
pub fn elaborate(ast: Ast, source: &str) -> Result<Typed, Vec<Diagnostic>> {
    reader::elaborate(ast, source, true)
}

/// A variable of a [`Typed`] program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableId(pub u32);

/// A definition of a [`Typed`] program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefinitionId(pub u32);

/// A property of a matrix, declared or found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Property {
    /// A = Aᵀ
    Symmetric,
    /// A = −Aᵀ
    Skew,
    /// zero off the diagonal
    Diagonal,
    /// AᵀA = I
    Orthogonal,
    /// has an inverse
    Invertible,
    /// symmetric with positive eigenvalues
    PositiveDefinite,
    /// entries above 0
    Positive,
    /// entries not below 0
    Nonnegative,
    /// entries 0 or 1, each row sums to 1
    OneHot,
    /// entries not below 0, each row sums to 1
    RowStochastic,
    /// d is zero
    Constant,
    /// each row sums to 0; found, never declared
    ZeroRowSums,
    /// each column sums to 0; found, never declared
    ZeroColumnSums,
    /// zero above the diagonal; found, never declared
    LowerTriangular,
    /// zero below the diagonal; found, never declared
    UpperTriangular,
}

/// A set of properties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Properties(u16);

impl Properties {
    /// No property.
    pub const NONE: Properties = Properties(0);

    /// With one more.
    #[must_use]
    pub fn with(self, property: Property) -> Properties {
        Properties(self.0 | 1 << property as u16)
    }

    /// Without one.
    #[must_use]
    pub fn without(self, property: Property) -> Properties {
        Properties(self.0 & !(1 << property as u16))
    }

    /// With all of another set.
    #[must_use]
    pub fn union(self, other: Properties) -> Properties {
        Properties(self.0 | other.0)
    }

    /// Whether it is in the set.
    pub fn has(self, property: Property) -> bool {
        self.0 & (1 << property as u16) != 0
    }
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its canonical name.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Its declared properties, with what follows from them (posdef is symmetric and invertible, …).
    pub properties: Properties,
    /// Its type as in the language, `matrix(N, D)`; an inferred one too.
    pub kind: String,
    /// The declaration or first use.
    pub span: Span,
    /// Not declared: type inferred from use.
    pub inferred: bool,
}

/// A named intermediate result.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its canonical name.
    pub name: String,
    /// What it stands for.
    pub body: NodeId,
    /// The place of its name.
    pub span: Span,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// A variable.
    Variable(VariableId),
    /// A definition.
    Definition(DefinitionId),
    /// A dimension as a scalar.
    Dimension(crate::dimension::DimId),
    /// π
    Pi,
    /// Euler's number
    E,
    /// `dX`, the differential of a variable or definition (only where the caller allows them).
    DifferentialOfVariable(VariableId),
    /// `dZ` of a definition.
    DifferentialOfDefinition(DefinitionId),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which derivative.
    pub kind: AskKind,
    /// Of what.
    pub of: NodeId,
    /// As typed: a definition's name or the expression's text.
    pub of_text: String,
    /// With respect to what; for a differential without `wrt` every variable.
    pub wrt: Vec<Meaning>,
    /// What stands behind `along` or `against`.
    pub directions: Vec<NodeId>,
    /// Each of those as typed.
    pub direction_texts: Vec<String>,
    /// The statement's place.
    pub span: Span,
}

/// A program whose names are resolved and whose nodes have shapes.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The tree.
    pub ast: Ast,
    /// The dimensions' table.
    pub dimensions: Dimensions,
    /// Values of dimensions that have one (`dim D = 64`), by name.
    pub dimension_values: Vec<(String, i64)>,
    /// The variables in order of declaration or first use.
    pub variables: Vec<Variable>,
    /// The definitions in order.
    pub definitions: Vec<Definition>,
    /// The requests in order.
    pub asks: Vec<Ask>,
    /// Each node's shape; of a node that stands for a dimension (`eye(n)`'s n) 1×1.
    pub shapes: Vec<Shape>,
    /// What each `Node::Name` means.
    pub meanings: Vec<Option<Meaning>>,
    /// The dimensions that a node gives (`reshape(x, m, n)`, `ones(m, n)`): the shape of the node has them.
    /// Notes: `e` shadowed, a compound base taken to be posdef, …
    pub notes: Vec<crate::diagnostic::Diagnostic>,
}

//! Shapes of calls, by the dictionary's signatures.

use super::Meaning;
use super::reader::Reader;
use crate::diagnostic::{Diagnostic, Span};
use crate::dimension::{DimId, Shape};
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::syntax::ast::{Node, NodeId};

impl Reader<'_> {
    pub(super) fn call(
        &mut self,
        id: NodeId,
        name: &str,
        arguments: &[NodeId],
        named: &[(String, Span, NodeId)],
    ) -> Option<Shape> {
        let place = self.place(id);
        let Some(function) = Function::lookup(name) else {
            let diagnostic = self.unknown_function(name, place);
            return self.fail(diagnostic);
        };
        let signature = function.entry().signature;
        let along_an_axis = matches!(signature, Signature::AlongRows | Signature::ReduceRows);
        for (key, span, _) in named {
            if key != "axis" || !along_an_axis {
                let message = format!("{name} has no argument `{}`", self.short(key));
                let hint = match signature {
                    Signature::Reduce if self.names.contains_key(key) => "a comparison is written `==`".to_owned(),
                    Signature::Reduce => format!("`{name}(A, 1)` is along columns, `{name}(A, 2)` along rows"),
                    _ if along_an_axis => format!("write `{name}(A, axis=0)`"),
                    _ if self.names.contains_key(key) => "a comparison is written `==`".to_owned(),
                    _ => format!("the arguments of {name} have no names"),
                };
                return self.fail(Diagnostic::at(*span, message).hint(hint));
            }
        }
        self.arity(place, name, signature, arguments)?;
        self.by_signature(id, function, signature, arguments, named)
    }

    fn arity(&mut self, place: Span, name: &str, signature: Signature, arguments: &[NodeId]) -> Option<()> {
        let arity = signature.arity();
        if arity.contains(&arguments.len()) {
            return Some(());
        }
        let (least, most) = (*arity.start(), *arity.end());
        let takes = if least == most { least.to_string() } else { format!("{least} or {most}") };
        let word = if most == 1 { "argument" } else { "arguments" };
        let mut diagnostic = Diagnostic::at(place, format!("{name} takes {takes} {word}, not {}", arguments.len()));
        if matches!(signature, Signature::AlongRows | Signature::ReduceRows) {
            diagnostic = diagnostic.hint(format!("columns are chosen with `{name}(A, axis=0)`"));
        }
        self.fail(diagnostic)
    }

    fn by_signature(
        &mut self,
        id: NodeId,
        function: Function,
        signature: Signature,
        arguments: &[NodeId],
        named: &[(String, Span, NodeId)],
    ) -> Option<Shape> {
        let first = arguments[0];
        let name = function.name();
        match signature {
            Signature::Elementwise | Signature::Same => self.shape(first),
            Signature::ElementwiseWithScalar => {
                let parameter = self.shape(arguments[1])?;
                if !parameter.is_scalar() {
                    return self.needs_a_scalar(arguments[1], &format!("the second argument of {name}"));
                }
                self.shape(first)
            }
            Signature::ElementwisePair => self.broadcast(id, name, first, arguments[1]),
            Signature::AlongRows => {
                self.axis(named)?;
                self.shape(first)
            }
            Signature::ReduceRows => {
                let axis = self.axis(named)?;
                let shape = self.shape(first)?;
                Some(match axis {
                    None if shape.is_row() || shape.is_column() || shape.is_scalar() => Shape::SCALAR,
                    None | Some(1) => Shape::column(shape.rows),
                    Some(_) => Shape::new(DimId::ONE, shape.columns),
                })
            }
            Signature::Reduce => self.reduce(name, arguments),
            Signature::ReduceToColumn => Some(Shape::column(self.shape(first)?.rows)),
            Signature::ReduceToRow => Some(Shape::new(DimId::ONE, self.shape(first)?.columns)),
            Signature::SquareToScalar => {
                self.square(id, name, first);
                Some(Shape::SCALAR)
            }
            Signature::AnyToScalar => Some(Shape::SCALAR),
            Signature::PairToScalar => {
                self.same_shape(id, first, arguments[1]);
                Some(Shape::SCALAR)
            }
            Signature::Square => self.square(id, name, first),
            Signature::Transposed => Some(self.shape(first)?.transposed()),
            Signature::Diagonal => {
                let shape = self.shape(first)?;
                match () {
                    () if shape.is_scalar() => Some(shape),
                    () if shape.is_column() => Some(Shape::new(shape.rows, shape.rows)),
                    () if shape.is_row() => Some(Shape::new(shape.columns, shape.columns)),
                    () => Some(Shape::column(self.square(id, name, first)?.rows)),
                }
            }
            Signature::Vectorised => {
                let shape = self.shape(first)?;
                let length = self.solver.table.product(shape.rows, shape.columns);
                self.bounded(id, length).map(Shape::column)
            }
            Signature::HalfVectorised => {
                let side = self.square(id, name, first)?.rows;
                let length = self.solver.table.triangle(side);
                self.bounded(id, length).map(Shape::column)
            }
            Signature::UnHalfVectorised => self.unvech(id, first),
            Signature::Reshape => self.reshape(id, arguments),
            Signature::Kronecker => {
                let (a, b) = (self.shape(first)?, self.shape(arguments[1])?);
                let rows = self.solver.table.product(a.rows, b.rows);
                let columns = self.solver.table.product(a.columns, b.columns);
                Some(Shape::new(self.bounded(id, rows)?, self.bounded(id, columns)?))
            }
            Signature::Identity => {
                let size = self.dimension(first)?;
                Some(Shape::new(size, size))
            }
            Signature::Filled => {
                let rows = self.dimension(first)?;
                match arguments.get(1) {
                    Some(&second) => Some(Shape::new(rows, self.dimension(second)?)),
                    None => Some(Shape::column(rows)),
                }
            }
            Signature::Column => self.dimension(first).map(Shape::column),
            Signature::UnitVector => self.unit(first, arguments[1]),
            Signature::ConstantVector | Signature::ConstantMatrix => {
                if !self.shape(first)?.is_scalar() {
                    return self.needs_a_scalar(first, &format!("the argument of {name}"));
                }
                let rows = self.solver.fresh();
                match signature {
                    Signature::ConstantVector => Some(Shape::column(rows)),
                    _ => Some(Shape::new(rows, self.solver.fresh())),
                }
            }
        }
    }

    fn dimension(&self, id: NodeId) -> Option<DimId> {
        self.dimensions[id.0 as usize]
    }

    fn bounded(&mut self, id: NodeId, dimension: Option<DimId>) -> Option<DimId> {
        match dimension {
            Some(dimension) => Some(dimension),
            None => self.fail(Diagnostic::at(self.place(id), "the dimensions grow too large")),
        }
    }

    fn needs_a_scalar(&mut self, id: NodeId, what: &str) -> Option<Shape> {
        let shape = self.shape(id)?;
        let message = format!("{what} is a scalar; `{}` is {}", self.quoted(id), self.described(shape));
        let diagnostic = Diagnostic::at(self.ast.span(id), message);
        let diagnostic = match self.offer_scalar(&[id]) {
            Some(offer) => diagnostic.hint(offer),
            None => diagnostic,
        };
        self.fail(diagnostic)
    }

    /// `axis=0` or `axis=1`, if given; `None` for a wrong one.
    fn axis(&mut self, named: &[(String, Span, NodeId)]) -> Option<Option<i64>> {
        let Some((_, _, value)) = named.first() else { return Some(None) };
        match self.constants[value.0 as usize].and_then(Number::as_integer) {
            Some(axis @ (0 | 1)) => Some(Some(axis)),
            _ => {
                let message = format!("axis is 0 (along columns) or 1 (along rows), not {}", self.quoted(*value));
                self.fail(Diagnostic::at(self.ast.span(*value), message))
            }
        }
    }

    fn reduce(&mut self, name: &str, arguments: &[NodeId]) -> Option<Shape> {
        let Some(&second) = arguments.get(1) else { return Some(Shape::SCALAR) };
        let direction = self.constants[second.0 as usize].and_then(Number::as_integer);
        let shape = self.shape(arguments[0]);
        match direction {
            Some(1) => Some(Shape::new(DimId::ONE, shape?.columns)),
            Some(2) => Some(Shape::column(shape?.rows)),
            _ => {
                let message = format!(
                    "the second argument of {name} is 1 (along columns) or 2 (along rows), not {}",
                    self.quoted(second)
                );
                self.fail(Diagnostic::at(self.ast.span(second), message))
            }
        }
    }

    fn square(&mut self, id: NodeId, name: &str, argument: NodeId) -> Option<Shape> {
        let shape = self.shape(argument)?;
        if self.solver.unify(shape.rows, shape.columns, self.place(id)) {
            return Some(shape);
        }
        let message = format!("{name} needs a square matrix; `{}` is {}", self.quoted(argument), self.described(shape));
        let mut diagnostic = Diagnostic::at(self.place(id), message);
        if let Some(Meaning::Variable(variable)) = self.meanings[argument.0 as usize]
            && let variable = &self.variables[variable.0 as usize]
            && !variable.inferred
        {
            diagnostic = diagnostic.related(variable.span, "declared here");
        }
        let diagnostic = match name {
            "inv" => diagnostic.hint(format!("the pseudo-inverse is `pinv({})`", self.quoted(argument))),
            _ => match self.offer_scalar(&[argument]) {
                Some(offer) if shape.is_column() => diagnostic.hint(offer),
                _ => diagnostic,
            },
        };
        let known = self.shapes[argument.0 as usize]?;
        let diagnostic = self.with_reasons(diagnostic, &[known.rows, known.columns]);
        self.fail(diagnostic)
    }

    fn unvech(&mut self, id: NodeId, argument: NodeId) -> Option<Shape> {
        let shape = self.shape(argument)?;
        let place = self.place(id);
        let column = self.solver.unify(shape.columns, DimId::ONE, place);
        if let Some(side) = column.then(|| self.solver.side(shape.rows, place)).flatten() {
            return Some(Shape::new(side, side));
        }
        let message = format!(
            "unvech needs a column of n*(n+1)/2 entries; `{}` is {}",
            self.quoted(argument),
            self.described(shape)
        );
        self.fail(Diagnostic::at(place, message).hint("declare it as `vector(n*(n+1)/2)`"))
    }

    fn reshape(&mut self, id: NodeId, arguments: &[NodeId]) -> Option<Shape> {
        let (rows, columns) = (self.dimension(arguments[1])?, self.dimension(arguments[2])?);
        let result = Shape::new(rows, columns);
        let Some(shape) = self.shape(arguments[0]) else { return Some(result) };
        let before = self.solver.table.product(shape.rows, shape.columns);
        let after = self.solver.table.product(rows, columns);
        let (before, after) = (self.bounded(id, before)?, self.bounded(id, after)?);
        if self.solver.unify(before, after, self.place(id)) {
            return Some(result);
        }
        let (before, after) = (self.dimension_text(before), self.dimension_text(after));
        let message = format!(
            "reshape: `{}` is {} with {before} entries, not {after}",
            self.quoted(arguments[0]),
            self.described(shape)
        );
        self.fail(Diagnostic::at(self.place(id), message))
    }

    fn unit(&mut self, size: NodeId, index: NodeId) -> Option<Shape> {
        let size = self.dimension(size)?;
        let span = self.ast.span(index);
        let is_literal = matches!(self.ast.node(index), Node::Number(_) | Node::Negate(_));
        let value = self.constants[index.0 as usize].and_then(Number::as_integer).filter(|_| is_literal);
        let Some(value) = value else {
            let message = format!("unit(n, i): the index is a literal integer, not `{}`", self.quoted(index));
            return self.fail(Diagnostic::at(span, message));
        };
        if value < 1 {
            return self.fail(Diagnostic::at(span, format!("unit(n, i): indices start at 1, this is {value}")));
        }
        if let Some(most) = self.solver.value(size)
            && value > most
        {
            return self.fail(Diagnostic::at(span, format!("unit(n, i): the index {value} is beyond {most}")));
        }
        Some(Shape::column(size))
    }
}

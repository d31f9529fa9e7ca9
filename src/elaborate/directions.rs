//! What stands behind `along` and `against`: each direction gets the shape of what moves in it, or an error says which
//! shapes do not fit. Undeclared names in a direction take their dimensions from there.

use super::reader::{Entry, Reader};
use crate::diagnostic::{Diagnostic, Span};
use crate::dimension::Shape;
use crate::syntax::ast::{AskKind, Named, NodeId};

impl Reader<'_> {
    /// Fits the directions of all requests.
    pub(super) fn fit_directions(&mut self) {
        for i in 0..self.requests.len() {
            let (kind, of) = (self.requests[i].kind, self.requests[i].of);
            let (wrt, directions, span) = (self.requests[i].wrt, self.requests[i].directions, self.requests[i].span);
            match kind {
                AskKind::JacobianAgainst => self.against(of, directions),
                AskKind::HessianAlong if wrt.len() == 2 && directions.len() == 1 => {
                    self.along(&wrt[1], directions[0]);
                }
                AskKind::HessianAlong | AskKind::JacobianAlong => {
                    self.each_along(kind, wrt, directions, span);
                }
                AskKind::Gradient | AskKind::Jacobian | AskKind::Hessian | AskKind::Differential => {}
            }
        }
    }

    /// As many directions as variables, each of its variable's shape.
    fn each_along(&mut self, kind: AskKind, wrt: &[Named], directions: &[NodeId], span: Span) {
        if wrt.is_empty() || directions.is_empty() {
            // A mistake there was told already.
            return;
        }
        if wrt.len() != directions.len() {
            let plural = |n: usize, noun: &str| if n == 1 { format!("one {noun}") } else { format!("{n} {noun}s") };
            let message = format!(
                "{} but {}: each variable moves along a direction of its own",
                plural(wrt.len(), "variable"),
                plural(directions.len(), "direction")
            );
            let hint = match kind {
                AskKind::HessianAlong => {
                    "`hessian F wrt X, Y along U, V` moves both; `hessian F wrt X, Y along V` is the block of X and Y times V"
                }
                _ => "as in `jacobian F wrt X, Y along U, V`",
            };
            self.errors.push(Diagnostic::at(span, message).hint(hint));
            return;
        }
        for (i, named) in wrt.iter().enumerate() {
            if wrt[..i].iter().any(|other| other.name == named.name) {
                let message = format!("`{}` moves along two directions", self.short(&named.name));
                self.errors.push(Diagnostic::at(named.span, message).hint("add the directions up"));
                return;
            }
        }
        for (named, &direction) in wrt.iter().zip(directions) {
            self.along(named, direction);
        }
    }

    fn along(&mut self, named: &Named, direction: NodeId) {
        let shape = match self.names.get(&named.name) {
            Some((Entry::Variable(id), _)) => Some(self.variables[id.0 as usize].shape),
            Some((Entry::Definition(id), _)) => self.shapes[self.definitions[id.0 as usize].body.0 as usize],
            // An unknown name is told of where it stands.
            _ => None,
        };
        if let Some(shape) = shape {
            let name = self.short(&named.name);
            self.fit(direction, shape, &name);
        }
    }

    fn against(&mut self, of: NodeId, directions: &[NodeId]) {
        if let &[_, second, ..] = directions {
            let span = self.ast.span(second);
            let hint = "as in `jacobian Y wrt X against U`, with U of Y's shape";
            self.errors.push(Diagnostic::at(span, "a Jacobian is taken against one matrix").hint(hint));
            return;
        }
        if let (Some(shape), Some(&direction)) = (self.shapes[of.0 as usize], directions.first()) {
            let name = self.quoted(of);
            self.fit(direction, shape, &name);
        }
    }

    /// Makes a direction's shape that of what it belongs to.
    fn fit(&mut self, direction: NodeId, shape: Shape, name: &str) {
        let Some(own) = self.shapes[direction.0 as usize] else { return };
        let span = self.ast.span(direction);
        if self.solver.unify(own.rows, shape.rows, span) && self.solver.unify(own.columns, shape.columns, span) {
            return;
        }
        let (text, own, shape) = (self.quoted(direction), self.described(own), self.described(shape));
        let message = format!("the direction `{text}` is {own}, but `{name}` is {shape}");
        let diagnostic = Diagnostic::at(span, message);
        let diagnostic = match self.is_guessed(direction) {
            true => diagnostic.hint(format!("declare it with the shape of `{name}`")),
            false => diagnostic.hint(format!("a direction has the shape of `{name}`")),
        };
        self.errors.push(diagnostic);
    }
}

//! Shapes of expressions, node by node: children stand before their parents, so a loop does it. A node whose operand is
//! in error has no shape and says nothing.

use super::Meaning;
use super::reader::{Reader, Role};
use crate::diagnostic::Diagnostic;
use crate::dimension::{DimId, Shape};
use crate::functions::{Function, Signature};
use crate::number::Number;
use crate::syntax::ast::{Node, NodeId, Operator};

impl Reader<'_> {
    /// Reads all nodes up to this one.
    pub(super) fn read_nodes(&mut self, last: NodeId) {
        let (first, end) = (self.next, last.0 as usize + 1);
        if end <= first {
            return;
        }
        self.next = end;
        for i in (first..end).rev() {
            self.give_roles(NodeId(i as u32));
        }
        for i in first..end {
            let id = NodeId(i as u32);
            if self.roles[i] == Role::Dimension {
                self.dimensions[i] = self.dimension_of(id);
                self.shapes[i] = Some(Shape::SCALAR);
            } else {
                self.constants[i] = self.constant_of(id);
                self.shapes[i] = self.shape_of(id);
            }
        }
    }

    /// Which arguments are dimensions must be known before their names are looked up.
    fn give_roles(&mut self, id: NodeId) {
        let ast = self.ast;
        if self.roles[id.0 as usize] == Role::Dimension {
            for child in ast.children(id) {
                self.roles[child.0 as usize] = Role::Dimension;
            }
            return;
        }
        let Node::Call { function, arguments, .. } = ast.node(id) else { return };
        let Some(function) = Function::lookup(function) else { return };
        let dimensions = match function.entry().signature {
            Signature::Identity | Signature::Filled | Signature::Column => arguments.as_slice(),
            Signature::UnitVector => arguments.get(..1).unwrap_or_default(),
            Signature::Reshape => arguments.get(1..).unwrap_or_default(),
            _ => &[],
        };
        for child in dimensions {
            self.roles[child.0 as usize] = Role::Dimension;
        }
    }

    fn dimension_of(&mut self, id: NodeId) -> Option<DimId> {
        let ast = self.ast;
        let known = |reader: &Self, id: NodeId| reader.dimensions[id.0 as usize];
        let out_of_bounds = "this dimension is too large";
        match ast.node(id) {
            Node::Number(value) => match value.as_integer() {
                // A zero or a fraction is an error, but `n+1` and `n/2` are judged where they are used.
                Some(value) if value > 0 => Some(self.solver.table.constant(value)),
                _ => {
                    let message = match value.to_f64() {
                        large if large > 1e15 => format!("the dimension {} is too large", self.quoted(id)),
                        _ => format!("a dimension is a positive integer, not {}", self.quoted(id)),
                    };
                    self.fail(Diagnostic::at(ast.span(id), message))
                }
            },
            Node::Name(name) => self.dimension_named(id, name),
            Node::Binary(operator, a, b) => {
                let (left, right) = (known(self, *a)?, known(self, *b)?);
                let result = match operator {
                    Operator::Add => self.solver.table.sum(left, right),
                    Operator::Multiply => self.solver.table.product(left, right),
                    Operator::Subtract => self.solver.table.difference(left, right),
                    Operator::Divide => return self.half_of_product(id, *a, right),
                    _ => return self.not_a_dimension(id),
                };
                match result {
                    Some(result) if self.solver.table.as_constant(result).is_some_and(|value| value < 1) => {
                        let message = format!("a dimension is a positive integer, not {}", self.quoted(id));
                        self.fail(Diagnostic::at(ast.span(id), message))
                    }
                    Some(result) => Some(result),
                    None => self.fail(Diagnostic::at(ast.span(id), out_of_bounds)),
                }
            }
            Node::Error => None,
            _ if ast.children(id).iter().any(|&child| known(self, child).is_none()) => None,
            _ => self.not_a_dimension(id),
        }
    }

    fn dimension_named(&mut self, id: NodeId, name: &str) -> Option<DimId> {
        use super::reader::Entry;
        let span = self.ast.span(id);
        let shown = self.short(name);
        let dimension = match self.names.get(name) {
            Some((Entry::Dimension(dimension), _)) => *dimension,
            Some((Entry::Faulty, _)) => return None,
            Some((entry, at)) => {
                let (what, at) = (if matches!(entry, Entry::Variable(_)) { "variable" } else { "definition" }, *at);
                let message = format!("`{shown}` is a {what}, not a dimension");
                return self.fail(Diagnostic::at(span, message).related(at, "declared here"));
            }
            None if !self.infers => return self.fail(Diagnostic::at(span, format!("unknown dimension `{shown}`"))),
            None => {
                if Function::lookup(name).is_some() || crate::syntax::is_type(name) || name == "pi" || name == "e" {
                    let message = format!("`{shown}` is a word of the language and cannot name a dimension");
                    return self.fail(Diagnostic::at(span, message));
                }
                let dimension = self.solver.table.named(name);
                self.names.insert(name.to_owned(), (Entry::Dimension(dimension), span));
                dimension
            }
        };
        self.meanings[id.0 as usize] = Some(Meaning::Dimension(dimension));
        Some(dimension)
    }

    /// `n*(n+1)/2`, the length of vech, is the one quotient that is a dimension; numbers divide where they do.
    fn half_of_product(&mut self, id: NodeId, product: NodeId, divisor: DimId) -> Option<DimId> {
        let divisor = self.solver.table.as_constant(divisor);
        let whole = self.dimensions[product.0 as usize]?;
        if let (Some(whole), Some(divisor)) = (self.solver.table.as_constant(whole), divisor)
            && divisor > 0
            && whole % divisor == 0
        {
            return Some(self.solver.table.constant(whole / divisor));
        }
        if let (Node::Binary(Operator::Multiply, a, b), Some(2)) = (self.ast.node(product), divisor) {
            let (a, b) = (self.dimensions[a.0 as usize]?, self.dimensions[b.0 as usize]?);
            for (side, next) in [(a, b), (b, a)] {
                if self.solver.table.sum(side, DimId::ONE) == Some(next) {
                    return self.solver.table.triangle(side);
                }
            }
        }
        self.not_a_dimension(id)
    }

    fn not_a_dimension(&mut self, id: NodeId) -> Option<DimId> {
        let message = format!("`{}` is not a dimension", self.quoted(id));
        let hint = "a dimension is a name, a positive integer, or a sum or product of those (and n*(n+1)/2)";
        self.fail(Diagnostic::at(self.ast.span(id), message).hint(hint))
    }

    /// The value of a constant scalar expression, exactly.
    fn constant_of(&self, id: NodeId) -> Option<Number> {
        let value = |id: &NodeId| self.constants[id.0 as usize];
        match self.ast.node(id) {
            Node::Number(number) => Some(*number),
            Node::Negate(a) => Some(value(a)?.negate()),
            Node::Transpose(a) => value(a),
            Node::Binary(operator, a, b) => {
                let (a, b) = (value(a)?, value(b)?);
                match operator {
                    Operator::Add => Some(a.plus(b)),
                    Operator::Subtract => Some(a.plus(b.negate())),
                    Operator::Multiply | Operator::Hadamard => Some(a.times(b)),
                    Operator::Divide | Operator::HadamardDivide => Some(a.times(b.reciprocal()?)),
                    Operator::Power | Operator::HadamardPower => a.power(b.as_integer().filter(|k| k.abs() <= 1024)?),
                    Operator::LeftDivide => Some(b.times(a.reciprocal()?)),
                }
            }
            _ => None,
        }
    }

    pub(super) fn shape(&mut self, id: NodeId) -> Option<Shape> {
        let shape = self.shapes[id.0 as usize]?;
        Some(self.solver.resolve_shape(shape))
    }

    fn shape_of(&mut self, id: NodeId) -> Option<Shape> {
        let ast = self.ast;
        match ast.node(id) {
            Node::Number(_) => Some(Shape::SCALAR),
            Node::Name(name) => {
                let meaning = self.meaning(name, ast.span(id))?;
                self.meanings[id.0 as usize] = Some(meaning);
                match meaning {
                    Meaning::Variable(id) | Meaning::DifferentialOfVariable(id) => {
                        Some(self.variables[id.0 as usize].shape)
                    }
                    Meaning::Definition(id) | Meaning::DifferentialOfDefinition(id) => {
                        self.shape(self.definitions[id.0 as usize].body)
                    }
                    Meaning::Dimension(_) | Meaning::Pi | Meaning::E => Some(Shape::SCALAR),
                }
            }
            Node::Negate(a) => self.shape(*a),
            Node::Transpose(a) => Some(self.shape(*a)?.transposed()),
            Node::Binary(operator, a, b) => self.binary(id, *operator, *a, *b),
            Node::Compare(comparison, a, b) => self.broadcast(id, comparison.text(), *a, *b),
            Node::Call { function, arguments, named } => self.call(id, function, arguments, named),
            Node::Blocks(rows) => self.blocks(rows),
            Node::Frobenius(a, b) => {
                self.same_shape(id, *a, *b);
                Some(Shape::SCALAR)
            }
            Node::Error => None,
        }
    }

    fn binary(&mut self, id: NodeId, operator: Operator, a: NodeId, b: NodeId) -> Option<Shape> {
        match operator {
            Operator::Add => self.broadcast(id, "+", a, b),
            Operator::Subtract => self.broadcast(id, "-", a, b),
            Operator::Hadamard => self.broadcast(id, ".*", a, b),
            Operator::HadamardDivide => {
                self.not_by_zero(b)?;
                self.broadcast(id, "./", a, b)
            }
            Operator::HadamardPower => self.broadcast(id, ".^", a, b),
            Operator::Multiply => self.product(id, a, b),
            Operator::Divide => self.divide(id, a, b),
            Operator::LeftDivide => self.left_divide(id, a, b),
            Operator::Power => self.power(id, a, b),
        }
    }

    fn not_by_zero(&mut self, divisor: NodeId) -> Option<()> {
        if self.constants[divisor.0 as usize].is_some_and(Number::is_zero) {
            return self.fail(Diagnostic::at(self.ast.span(divisor), "division by 0"));
        }
        Some(())
    }

    /// Element by element, where a scalar, a row or a column is repeated along a larger operand.
    pub(super) fn broadcast(&mut self, id: NodeId, operator: &str, a: NodeId, b: NodeId) -> Option<Shape> {
        let (left, right) = (self.shape(a)?, self.shape(b)?);
        if left.is_scalar() {
            return Some(right);
        }
        if right.is_scalar() {
            return Some(left);
        }
        if (left.is_column() && right.is_row()) || (left.is_row() && right.is_column()) {
            return self.column_next_to_row(id, operator, a, b);
        }
        let mut sizes = [DimId::ONE; 2];
        for (size, (x, y)) in sizes.iter_mut().zip([(left.rows, right.rows), (left.columns, right.columns)]) {
            *size = match (self.solver.is_one(x), self.solver.is_one(y)) {
                (true, false) => y,
                (false, true) => x,
                _ if self.solver.unify(x, y, self.place(id)) => x,
                _ => return self.do_not_fit(id, operator, [a, b], [x, y]),
            };
        }
        Some(Shape::new(sizes[0], sizes[1]))
    }

    fn do_not_fit(&mut self, id: NodeId, operator: &str, nodes: [NodeId; 2], sizes: [DimId; 2]) -> Option<Shape> {
        let [a, b] = nodes;
        let (Some(left), Some(right)) = (self.shapes[a.0 as usize], self.shapes[b.0 as usize]) else { return None };
        let (left_text, right_text) = (self.described(left), self.described(right));
        let message = format!(
            "`{}`: {left_text} and {right_text} do not fit under `{operator}`: {}",
            self.quoted(id),
            self.unequal(sizes[0], sizes[1])
        );
        let mut diagnostic =
            self.with_operands(Diagnostic::at(self.place(id), message), nodes, [left_text, right_text]);
        let (x, y) = (self.solver.resolve_shape(left), self.solver.resolve_shape(right));
        if x == y.transposed() && matches!(operator, "+" | "-" | ".*" | "./") {
            let turned = match self.ast.node(b) {
                Node::Transpose(inner) => self.operand(*inner),
                _ => format!("{}'", self.operand(b)),
            };
            let hint = format!("transposed they fit: `{} {operator} {turned}`", self.operand(a));
            diagnostic = diagnostic.hint(hint);
        } else if let Some(offer) = self.offer_scalar(&nodes) {
            diagnostic = diagnostic.hint(offer);
        }
        let diagnostic = self.with_reasons(diagnostic, &[left.rows, left.columns, right.rows, right.columns]);
        self.fail(diagnostic)
    }

    /// Labels the two operands with their shapes.
    pub(super) fn with_operands(
        &mut self,
        diagnostic: Diagnostic,
        nodes: [NodeId; 2],
        texts: [String; 2],
    ) -> Diagnostic {
        let spans = nodes.map(|id| self.ast.span(id));
        let [left, right] = texts;
        diagnostic.related(spans[0], left).related(spans[1], right)
    }

    fn column_next_to_row(&mut self, id: NodeId, operator: &str, a: NodeId, b: NodeId) -> Option<Shape> {
        let (left, right) = (self.shape(a)?, self.shape(b)?);
        let (x, y) = (self.operand(a), self.operand(b));
        let (first, second) = if left.is_column() { (left.rows, right.columns) } else { (left.columns, right.rows) };
        let mut named = |id, open: &str| match self.dimension_text(id) {
            unknown if unknown == "?" => open.to_owned(),
            known => known,
        };
        let (offer, what) = if left.is_column() {
            let (m, n) = (named(first, "m"), named(second, "n"));
            (format!("`{x}*ones(1,{n}) {operator} ones({m})*{y}`"), "a column next to a row")
        } else {
            let (n, m) = (named(first, "n"), named(second, "m"));
            (format!("`ones({m})*{x} {operator} {y}*ones(1,{n})`"), "a row next to a column")
        };
        let texts = [self.described(left), self.described(right)];
        let message =
            format!("`{}`: {what}, {} and {}", self.quoted(id), self.shape_text(left), self.shape_text(right));
        let hint = format!("for the matrix of all pairs write {offer}; else transpose one of them");
        let diagnostic = self.with_operands(Diagnostic::at(self.place(id), message), [a, b], texts);
        let reasons = [self.shapes[a.0 as usize]?, self.shapes[b.0 as usize]?];
        let [p, q] = reasons;
        let diagnostic = self.with_reasons(diagnostic.hint(hint), &[p.rows, p.columns, q.rows, q.columns]);
        self.fail(diagnostic)
    }

    fn product(&mut self, id: NodeId, a: NodeId, b: NodeId) -> Option<Shape> {
        let (left, right) = (self.shape(a)?, self.shape(b)?);
        if left.is_scalar() {
            return Some(right);
        }
        if right.is_scalar() {
            return Some(left);
        }
        if self.solver.unify(left.columns, right.rows, self.place(id)) {
            return Some(Shape::new(left.rows, right.columns));
        }
        let message = format!(
            "`{}` is ({})·({}): {}",
            self.quoted(id),
            self.shape_text(left),
            self.shape_text(right),
            self.unequal(left.columns, right.rows)
        );
        let texts = [self.described(left), self.described(right)];
        let diagnostic = self.with_operands(Diagnostic::at(self.place(id), message), [a, b], texts);
        let (x, y) = (self.operand(a), self.operand(b));
        let mut offers = Vec::new();
        if left.rows == right.rows {
            offers.push(format!("`{x}'*{y}`"));
        }
        if left.columns == right.columns {
            offers.push(format!("`{x}*{y}'`"));
        }
        if left == right {
            offers.push(format!("`{x} .* {y}`"));
        }
        let diagnostic = match (self.offer_scalar(&[a, b]), offers.is_empty()) {
            (Some(offer), _) => diagnostic.hint(offer),
            (None, false) => diagnostic.hint(format!("these fit: {}", offers.join(", "))),
            (None, true) => diagnostic,
        };
        let (p, q) = (self.shapes[a.0 as usize]?, self.shapes[b.0 as usize]?);
        let diagnostic = self.with_reasons(diagnostic, &[p.columns, q.rows]);
        self.fail(diagnostic)
    }

    fn divide(&mut self, id: NodeId, a: NodeId, b: NodeId) -> Option<Shape> {
        self.not_by_zero(b)?;
        let (left, right) = (self.shape(a)?, self.shape(b)?);
        if right.is_scalar() {
            return Some(left);
        }
        let (x, y) = (self.operand(a), self.operand(b));
        let offer_scalar = |reader: &Self, hint: String| match reader.offer_scalar(&[b]) {
            Some(offer) => format!("{hint}; {offer}"),
            None => hint,
        };
        if right.is_row() || right.is_column() {
            let message = format!("`{}`: one cannot divide by {}", self.quoted(id), self.described(right));
            let hint = offer_scalar(self, format!("element by element is `{x} ./ {y}`"));
            return self.fail(Diagnostic::at(self.place(id), message).hint(hint));
        }
        if left.is_scalar() {
            let message = format!("`{}`: a scalar over {}", self.quoted(id), self.described(right));
            let hint = offer_scalar(self, format!("element by element is `{x} ./ {y}`, the inverse `{x}*inv({y})`"));
            return self.fail(Diagnostic::at(self.place(id), message).hint(hint));
        }
        if !self.solver.unify(right.rows, right.columns, self.place(id)) {
            let message = format!("`{}`: the divisor is {}, not square", self.quoted(id), self.described(right));
            let hint = format!("element by element is `{x} ./ {y}`, the pseudo-inverse `{x}*pinv({y})`");
            return self.fail(Diagnostic::at(self.place(id), message).hint(hint));
        }
        if !self.solver.unify(left.columns, right.rows, self.place(id)) {
            return self.do_not_fit(id, "/", [a, b], [left.columns, right.rows]);
        }
        Some(Shape::new(left.rows, right.rows))
    }

    fn left_divide(&mut self, id: NodeId, a: NodeId, b: NodeId) -> Option<Shape> {
        self.not_by_zero(a)?;
        let (left, right) = (self.shape(a)?, self.shape(b)?);
        if left.is_scalar() {
            return Some(right);
        }
        let (x, y) = (self.operand(a), self.operand(b));
        if !self.solver.unify(left.rows, left.columns, self.place(id)) {
            let message = format!("`{}`: the left side is {}, not square", self.quoted(id), self.described(left));
            return self
                .fail(Diagnostic::at(self.place(id), message).hint(format!("least squares is `pinv({x})*{y}`")));
        }
        if right.is_scalar() {
            let message = format!("`{}`: {} over a scalar", self.quoted(id), self.described(left));
            return self.fail(Diagnostic::at(self.place(id), message).hint(format!("write `inv({x})*{y}`")));
        }
        if !self.solver.unify(left.columns, right.rows, self.place(id)) {
            return self.do_not_fit(id, "\\", [a, b], [left.columns, right.rows]);
        }
        Some(Shape::new(left.columns, right.columns))
    }

    fn power(&mut self, id: NodeId, a: NodeId, b: NodeId) -> Option<Shape> {
        let (base, exponent) = (self.shape(a)?, self.shape(b)?);
        let (x, y) = (self.operand(a), self.operand(b));
        let place = self.place(id);
        if !exponent.is_scalar() {
            let message = format!("`{}`: the exponent is {}, not a scalar", self.quoted(id), self.described(exponent));
            let elementwise = format!("element by element is `{x} .^ {y}`");
            let hint = self.offer_scalar(&[b]).map_or(elementwise.clone(), |offer| format!("{elementwise}; {offer}"));
            return self.fail(Diagnostic::at(place, message).hint(hint));
        }
        if base.is_scalar() {
            return Some(base);
        }
        if base.is_row() || base.is_column() || !self.solver.unify(base.rows, base.columns, place) {
            let needs = if base.is_row() || base.is_column() { "" } else { ", not square" };
            let message = format!("`{}`: a power of {}{needs}", self.quoted(id), self.described(base));
            let elementwise = format!("element by element is `{x}.^{y}`");
            let hint = self.offer_scalar(&[a]).map_or(elementwise.clone(), |offer| format!("{elementwise}; {offer}"));
            return self.fail(Diagnostic::at(place, message).hint(hint));
        }
        let constant = self.constants[b.0 as usize];
        if constant.is_some_and(|k| k.as_integer().is_some()) {
            return Some(base);
        }
        if constant.is_none_or(|k| k.abs() != Number::HALF) {
            let message =
                format!("`{}`: a matrix power needs an integer, 1/2 or -1/2 as its exponent", self.quoted(id));
            return self.fail(Diagnostic::at(place, message).hint(format!("element by element is `{x}.^{y}`")));
        }
        self.root_needs_posdef(id, a)?;
        Some(base)
    }

    /// A bare name must be declared posdef; a compound base is taken to be, with a note.
    fn root_needs_posdef(&mut self, id: NodeId, base: NodeId) -> Option<()> {
        let text = self.quoted(base);
        if let Some(Meaning::Variable(variable)) = self.meanings[base.0 as usize] {
            let posdef = super::Property::PositiveDefinite;
            if self.variables[variable.0 as usize].properties.has(posdef) {
                return Some(());
            }
            let message = format!("`{}`: a root needs a posdef matrix", self.quoted(id));
            let hint = format!("add `assume posdef({text})`, or declare `{text} : posdef(n)`");
            return self.fail(Diagnostic::at(self.place(id), message).hint(hint));
        }
        let message = format!("`{text}` is taken to be posdef, as its root needs");
        self.notes.push(Diagnostic::at(self.place(id), message));
        Some(())
    }

    /// Tells where two shapes that must be equal are not.
    pub(super) fn same_shape(&mut self, id: NodeId, a: NodeId, b: NodeId) -> Option<()> {
        let (left, right) = (self.shape(a)?, self.shape(b)?);
        let place = self.place(id);
        if self.solver.unify(left.rows, right.rows, place) && self.solver.unify(left.columns, right.columns, place) {
            return Some(());
        }
        let texts = [self.described(left), self.described(right)];
        let message = format!("`{}`: {} and {} are not the same shape", self.quoted(id), texts[0], texts[1]);
        let diagnostic = self.with_operands(Diagnostic::at(place, message), [a, b], texts);
        let (p, q) = (self.shapes[a.0 as usize]?, self.shapes[b.0 as usize]?);
        let diagnostic = self.with_reasons(diagnostic, &[p.rows, p.columns, q.rows, q.columns]);
        self.fail(diagnostic)
    }

    fn blocks(&mut self, rows: &[Vec<NodeId>]) -> Option<Shape> {
        let mut whole: Option<(Shape, NodeId)> = None;
        for row in rows {
            let Some(&first) = row.first() else { continue };
            let mut line = self.shape(first)?;
            for &item in &row[1..] {
                let shape = self.shape(item)?;
                if !self.solver.unify(line.rows, shape.rows, self.ast.span(item)) {
                    let message = format!(
                        "[A, B]: {} and {} have different numbers of rows",
                        self.described(line),
                        self.described(shape)
                    );
                    return self.fail(Diagnostic::at(self.ast.span(item), message));
                }
                line.columns = self.joined(item, line.columns, shape.columns)?;
            }
            whole = Some(match whole {
                None => (line, first),
                Some((above, place)) => {
                    if !self.solver.unify(above.columns, line.columns, self.ast.span(first)) {
                        let message = format!(
                            "[A; B]: {} and {} have different numbers of columns",
                            self.described(above),
                            self.described(line)
                        );
                        return self.fail(Diagnostic::at(self.ast.span(first), message));
                    }
                    (Shape::new(self.joined(first, above.rows, line.rows)?, above.columns), place)
                }
            });
        }
        whole.map(|(shape, _)| shape)
    }

    fn joined(&mut self, at: NodeId, a: DimId, b: DimId) -> Option<DimId> {
        match self.solver.table.sum(a, b) {
            Some(sum) => Some(sum),
            None => self.fail(Diagnostic::at(self.ast.span(at), "the dimensions grow too large")),
        }
    }
}

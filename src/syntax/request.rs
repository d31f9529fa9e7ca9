//! A request in pieces, as a command line gives it: declarations, an expression, and the names one differentiates by.
//! Each piece is parsed by itself into one tree; places count from the start of the whole text.

use std::ops::Range;

use super::ast::{AskKind, Ast, Named, Node, NodeId, Statement};
use super::lex::Kind;
use super::parse::{Parser, Reported};
use crate::diagnostic::{Diagnostic, Span};

/// A text in pieces that asks for one derivative: statements, then an expression, then names.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The whole text; all places count from its start.
    pub source: &'a str,
    /// Where statements stand that come before the expression.
    pub statements: Vec<Range<usize>>,
    /// Where the expression stands; statements may come before it there too, and it may be a definition.
    pub expression: Range<usize>,
    /// Where the names stand that one differentiates by; `None` for all of them, as a differential allows.
    pub wrt: Option<Range<usize>>,
    /// Where the directions stand that `kind` needs, behind `along` or `against`.
    pub directions: Option<Range<usize>>,
    /// Which derivative.
    pub kind: AskKind,
}

/// Parses the pieces of a request, each by itself, so that a mistake in one is not seen as one of the next.
pub fn parse_request(request: &Request<'_>) -> (Ast, Vec<Diagnostic>) {
    let (mut ast, mut all) = (Ast::default(), Vec::new());
    for piece in &request.statements {
        let mut parser = Parser::within(request.source, piece, ast);
        parser.statements();
        let (read, diagnostics) = parser.finish();
        ast = read;
        all.extend(diagnostics);
    }
    let mut parser = Parser::within(request.source, &request.expression, ast);
    let of = parser.last_expression();
    let (mut ast, diagnostics) = parser.finish();
    all.extend(diagnostics);
    let mut wrt = Vec::new();
    if let Some(piece) = &request.wrt {
        let mut parser = Parser::within(request.source, piece, ast);
        wrt = parser.whole_list_of_names().unwrap_or_default();
        let (read, diagnostics) = parser.finish();
        ast = read;
        all.extend(diagnostics);
    }
    let mut directions = Vec::new();
    if let Some(piece) = &request.directions {
        let mut parser = Parser::within(request.source, piece, ast);
        directions = parser.whole_list_of_expressions().unwrap_or_default();
        let (read, diagnostics) = parser.finish();
        ast = read;
        all.extend(diagnostics);
    }
    if let Ok((of, span)) = of {
        ast.statements.push(Statement::Ask { kind: request.kind, of, wrt, directions, span });
    }
    (ast, all)
}

impl Parser<'_> {
    /// Statements that end in an expression or in a definition: that expression, or the defined name.
    fn last_expression(&mut self) -> Result<(NodeId, Span), Reported> {
        loop {
            self.skip_separators();
            if self.token().kind == Kind::End {
                return Err(self.expected("an expression"));
            }
            if !self.begins_a_statement() {
                let found = self.expression()?;
                self.end_of_text()?;
                return Ok((found, self.ast.span(found)));
            }
            let (place, errors) = (self.token().span, self.diagnostics.len());
            self.statement();
            if self.diagnostics.len() > errors {
                // The rest is read for its mistakes only.
                self.statements();
                return Err(Reported);
            }
            self.skip_separators();
            if self.token().kind == Kind::End {
                return match self.ast.statements.last() {
                    Some(Statement::Definition(named, _)) => {
                        let Named { name, span } = named.clone();
                        Ok((self.ast.push(Node::Name(name), span, span), span))
                    }
                    _ => {
                        let message = "expected an expression at the end, found only a statement";
                        Err(self.report(Diagnostic::at(place, message)))
                    }
                };
            }
        }
    }

    fn whole_list_of_names(&mut self) -> Result<Vec<Named>, Reported> {
        self.skip_newlines();
        let mut names = vec![self.name("a variable's name")?];
        while self.comma() {
            names.push(self.name("a variable's name")?);
        }
        self.skip_newlines();
        match self.token().kind {
            Kind::End => Ok(names),
            _ => Err(self.expected("`,` between the names")),
        }
    }

    fn whole_list_of_expressions(&mut self) -> Result<Vec<NodeId>, Reported> {
        self.skip_newlines();
        let list = self.directions()?;
        self.end_of_text()?;
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, parse_request};
    use crate::syntax::ast::{AskKind, Statement};

    /// The three pieces joined, and what is read of them: the statements, and messages with their place.
    fn read(declaration: &str, expression: &str, wrt: &str) -> (Vec<Statement>, Vec<String>) {
        let source = format!("{declaration}\n{expression}\n{wrt}");
        let second = declaration.len() + 1;
        let third = second + expression.len() + 1;
        let request = Request {
            source: &source,
            statements: std::iter::once(0..declaration.len()).collect(),
            expression: second..second + expression.len(),
            wrt: Some(third..source.len()),
            directions: None,
            kind: AskKind::Gradient,
        };
        let (ast, errors) = parse_request(&request);
        let told = errors.iter().map(|e| format!("{} {}", e.span.map_or(0, |s| s.start), e.message)).collect();
        (ast.statements, told)
    }

    #[test]
    fn the_last_expression_or_definition_is_asked_for() {
        for expression in ["tr(A*X)", "Y = A*X; tr(Y)", "Y = A*X\ntr(\n  Y)", "f = tr(A*X);\n"] {
            let (statements, errors) = read("A : matrix(n, m)", expression, "X, A");
            assert!(errors.is_empty(), "{expression}: {errors:?}");
            let Some(Statement::Ask { wrt, .. }) = statements.last() else { panic!("{statements:?}") };
            assert_eq!(wrt.iter().map(|named| named.name.as_str()).collect::<Vec<_>>(), ["X", "A"]);
        }
    }

    #[test]
    fn a_mistake_stays_in_its_piece() {
        for (declaration, expression, wrt, expected) in [
            ("A : matrix(n", "tr(A)", "A", "12 expected `)`, found the end of the line"),
            ("A : scalar", "tr(A*", "A", "16 expected a number, a name or a bracket, found the end of the text"),
            ("A : scalar", "", "A", "11 expected an expression, found the end of the text"),
            ("A : scalar", "A; A", "A", "14 unexpected `A` behind the expression"),
            ("A : scalar", "grad A wrt A", "A", "11 expected an expression at the end, found only a statement"),
            ("A : scalar", "A", "A B", "15 expected `,` between the names, found `B`"),
            ("A : scalar", "A", "A*B", "14 expected `,` between the names, found `*`"),
        ] {
            assert_eq!(read(declaration, expression, wrt).1, [expected], "{declaration} | {expression} | {wrt}");
        }
    }
}

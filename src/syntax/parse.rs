//! Statements: each is read by itself, and a mistake in one costs the rest of that statement only, so that all mistakes
//! of a file are told at once and each of them once.

use std::ops::Range;

use super::ast::{AskKind, Ast, Named, Node, NodeId, Statement};
use super::lex::{Bracket, Kind, Token, tokens};
use super::{is_keyword, is_type};
use crate::diagnostic::{self, Diagnostic, Span, shorten};

/// A mistake was found and told; the statement cannot go on.
#[derive(Debug)]
pub(super) struct Reported;

pub(super) struct Parser<'a> {
    pub(super) source: &'a str,
    tokens: Vec<Token>,
    at: usize,
    pub(super) ast: Ast,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Parses a program. Statements with a mistake are left out, or hold [`Node::Error`] where their name is known.
pub fn parse(source: &str) -> (Ast, Vec<Diagnostic>) {
    let mut parser = Parser::new(source, Ast::default());
    parser.statements();
    parser.finish()
}

/// Parses one expression.
pub fn parse_expression(source: &str) -> (Ast, Option<NodeId>, Vec<Diagnostic>) {
    let mut parser = Parser::new(source, Ast::default());
    let node = parser.whole_expression().ok();
    let (ast, diagnostics) = parser.finish();
    (ast, node, diagnostics)
}

/// Parses `a = b = c`, a line of a derivation; a single expression is a chain of one.
pub fn parse_chain(source: &str) -> (Ast, Vec<NodeId>, Vec<Diagnostic>) {
    parse_chain_into(Ast::default(), source)
}

/// As [`parse_chain`], with the nodes added to a tree that is there already.
pub fn parse_chain_into(ast: Ast, source: &str) -> (Ast, Vec<NodeId>, Vec<Diagnostic>) {
    let mut parser = Parser::new(source, ast);
    let nodes = parser.whole_chain().unwrap_or_default();
    let (ast, diagnostics) = parser.finish();
    (ast, nodes, diagnostics)
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, ast: Ast) -> Parser<'a> {
        Parser::within(source, &(0..source.len()), ast)
    }

    /// Of one piece of a text.
    pub(super) fn within(source: &'a str, piece: &Range<usize>, ast: Ast) -> Parser<'a> {
        let (tokens, diagnostics) = tokens(&source[..piece.end], piece.start);
        Parser { source, tokens, at: 0, ast, diagnostics }
    }

    pub(super) fn finish(mut self) -> (Ast, Vec<Diagnostic>) {
        diagnostic::in_order(&mut self.diagnostics);
        (self.ast, self.diagnostics)
    }

    pub(super) fn token(&self) -> &Token {
        &self.tokens[self.at]
    }

    pub(super) fn kind_at(&self, ahead: usize) -> &Kind {
        self.tokens.get(self.at + ahead).map_or(&Kind::End, |token| &token.kind)
    }

    pub(super) fn second_kind(&self) -> &Kind {
        self.kind_at(1)
    }

    pub(super) fn span_at(&self, ahead: usize) -> Span {
        self.tokens.get(self.at + ahead).map_or_else(Span::default, |token| token.span)
    }

    pub(super) fn text(&self, span: Span) -> &str {
        &self.source[span.start as usize..span.end as usize]
    }

    /// Goes on; the last token is never left.
    pub(super) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    pub(super) fn skip_newlines(&mut self) {
        while self.token().kind == Kind::Newline {
            self.advance();
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.diagnostics.push(diagnostic);
        Reported
    }

    /// The place right behind the token before this one (newlines aside).
    pub(super) fn place_before(&self) -> Span {
        let before = self.tokens[..self.at].iter().rev().find(|token| token.kind != Kind::Newline);
        let end = before.map_or(self.tokens[0].span.start, |token| token.span.end) as usize;
        Span::new(end, end)
    }

    /// Whether this token is the first of its line.
    pub(super) fn begins_a_line(&self) -> bool {
        self.at > 0 && self.tokens[self.at - 1].kind == Kind::Newline
    }

    /// The token before this one, newlines too.
    pub(super) fn span_before(&self) -> Span {
        self.at.checked_sub(1).map_or_else(Span::default, |before| self.tokens[before].span)
    }

    /// The token as a message shows it.
    pub(super) fn shown(&self) -> String {
        match self.token().kind {
            Kind::Newline => "the end of the line".to_owned(),
            Kind::End => "the end of the text".to_owned(),
            _ => format!("`{}`", shorten(self.text(self.token().span), 40)),
        }
    }

    /// "expected …, found …" at this token, or at the end of the line where the line is over.
    pub(super) fn expected(&mut self, what: &str) -> Reported {
        if self.token().kind == Kind::Bad {
            return Reported;
        }
        let over = matches!(self.token().kind, Kind::Newline | Kind::End);
        let span = if over { self.place_before() } else { self.token().span };
        let message = format!("expected {what}, found {}", self.shown());
        self.report(Diagnostic::at(span, message))
    }

    pub(super) fn juxtaposition(&self) -> Diagnostic {
        let message = format!("unexpected {}: a product needs `*`", self.shown());
        let diagnostic = Diagnostic::at(self.token().span, message);
        match self.token().kind {
            Kind::Open(Bracket::Square) => {
                diagnostic.hint("an entry of a vector is `unit(n, 1)'*x`, of a matrix `unit(m, 1)'*X*unit(n, 2)`")
            }
            _ => diagnostic,
        }
    }

    pub(super) fn not_a_keyword(&mut self, name: &str, span: Span) -> Result<(), Reported> {
        if is_keyword(name) {
            let message = format!("`{name}` is a word of the language and cannot stand in an expression");
            return Err(self.report(Diagnostic::at(span, message)));
        }
        Ok(())
    }

    pub(super) fn statements(&mut self) {
        loop {
            self.skip_separators();
            if self.token().kind == Kind::End {
                return;
            }
            self.statement();
        }
    }

    pub(super) fn skip_separators(&mut self) {
        while matches!(self.token().kind, Kind::Newline | Kind::Semicolon) {
            self.advance();
        }
    }

    pub(super) fn statement(&mut self) {
        let (first_node, first_token) = (self.ast.len(), self.at);
        if self.try_statement().is_err() {
            self.ast.truncate(first_node);
            self.resynchronise(first_token);
        }
    }

    /// Skips the rest of a statement with a mistake in it: to a line's end outside of brackets, or to a line that begins
    /// like a statement, since a missing bracket is the likelier mistake then.
    fn resynchronise(&mut self, first_token: usize) {
        let mut depth = 0_i64;
        for token in &self.tokens[first_token..self.at] {
            depth += nesting(&token.kind);
        }
        while self.token().kind != Kind::End {
            let line_ends = self.token().kind == Kind::Newline;
            if (line_ends || self.token().kind == Kind::Semicolon) && depth <= 0 {
                return;
            }
            depth += nesting(&self.token().kind);
            let begins_a_line = self.at > first_token && self.tokens[self.at - 1].kind == Kind::Newline;
            if begins_a_line && self.begins_a_statement() {
                return;
            }
            self.advance();
        }
    }

    pub(super) fn begins_a_statement(&self) -> bool {
        let Kind::Name(name) = &self.token().kind else { return false };
        let named_argument = self.second_kind() == &Kind::Equals && name == "axis";
        (is_keyword(name) && name != "wrt")
            || (matches!(self.second_kind(), Kind::Equals | Kind::Colon) && !named_argument)
    }

    fn try_statement(&mut self) -> Result<(), Reported> {
        let token = self.token().clone();
        let Kind::Name(first) = &token.kind else { return Err(self.not_a_statement()) };
        let declares = matches!(self.second_kind(), Kind::Equals | Kind::Colon);
        if is_keyword(first) && declares {
            let message = format!("`{first}` is a word of the language and cannot be declared");
            return Err(self.report(Diagnostic::at(token.span, message)));
        }
        match (first.as_str(), self.second_kind()) {
            ("dim", _) => self.dimensions(),
            ("assume", _) => self.assumptions(),
            ("grad", _) => self.ask(AskKind::Gradient),
            ("jacobian", _) => self.ask(AskKind::Jacobian),
            ("hessian", _) => self.ask(AskKind::Hessian),
            ("differential", _) => self.ask(AskKind::Differential),
            ("wrt", _) => Err(self.report(
                Diagnostic::at(token.span, "`wrt` stands in a request").hint("write `grad F wrt X` on one line"),
            )),
            (_, Kind::Equals) => self.definition(),
            (_, Kind::Colon | Kind::Comma) => self.declaration(),
            _ => Err(self.not_a_statement()),
        }
    }

    fn not_a_statement(&mut self) -> Reported {
        let token = self.token().clone();
        let forms = "a statement is `NAME = …`, `NAME : TYPE`, `dim …`, `assume …` or `grad F wrt X`";
        match &token.kind {
            Kind::Bad => Reported,
            Kind::Name(name) => {
                let named = Named { name: name.clone(), span: token.span };
                let second = self.kind_at(1).clone();
                self.advance();
                let diagnostic = match second {
                    Kind::Bad => return Reported,
                    Kind::Name(kind) if is_type(&kind) => {
                        self.poison(vec![named]);
                        let span = self.token().span;
                        Diagnostic::at(span, format!("expected `:` between the name and its type, found `{kind}`"))
                    }
                    Kind::Name(_) | Kind::Number(_) => {
                        let found = self.shown();
                        Diagnostic::at(self.token().span, format!("expected `=` or `:`, found {found}")).hint(forms)
                    }
                    _ => Diagnostic::at(token.span, "an expression alone asks for nothing").hint(forms),
                };
                self.report(diagnostic)
            }
            Kind::Plus | Kind::Minus | Kind::Infix(_) | Kind::Transpose if self.at > 0 => {
                let found = self.shown();
                self.report(
                    Diagnostic::at(token.span, format!("a statement cannot start with {found}"))
                        .hint("a line goes on where it ends in an operator or inside brackets"),
                )
            }
            Kind::Close(_) | Kind::Comma | Kind::Colon | Kind::Equals => {
                let found = self.shown();
                self.report(Diagnostic::at(token.span, format!("a statement cannot start with {found}")).hint(forms))
            }
            Kind::Infix(_) if self.text(token.span) == "/" => {
                let diagnostic = Diagnostic::at(token.span, "a statement cannot start with `/`");
                self.report(diagnostic.hint("a comment starts with `#`"))
            }
            _ => self.report(Diagnostic::at(token.span, "an expression alone asks for nothing").hint(forms)),
        }
    }

    /// A declaration whose type could not be read: later passes know the names and say nothing about them.
    fn poison(&mut self, names: Vec<Named>) {
        let kind = Named { name: String::new(), span: Span::default() };
        self.ast.statements.push(Statement::Declaration { names, kind, arguments: Vec::new() });
    }

    pub(super) fn name(&mut self, what: &str) -> Result<Named, Reported> {
        match &self.token().kind {
            Kind::Name(name) => {
                let named = Named { name: name.clone(), span: self.token().span };
                self.not_a_keyword_name(&named)?;
                self.advance();
                Ok(named)
            }
            _ => Err(self.expected(what)),
        }
    }

    fn not_a_keyword_name(&mut self, named: &Named) -> Result<(), Reported> {
        if is_keyword(&named.name) {
            let message = format!("`{}` is a word of the language and no name", named.name);
            return Err(self.report(Diagnostic::at(named.span, message)));
        }
        Ok(())
    }

    pub(super) fn comma(&mut self) -> bool {
        let found = self.token().kind == Kind::Comma;
        if found {
            self.advance();
            self.skip_newlines();
        }
        found
    }

    fn expect(&mut self, kind: &Kind, what: &str) -> Result<(), Reported> {
        if &self.token().kind == kind {
            self.advance();
            return Ok(());
        }
        Err(self.expected(what))
    }

    pub(super) fn end_of_statement(&mut self) -> Result<(), Reported> {
        match self.token().kind {
            Kind::Newline | Kind::Semicolon | Kind::End => Ok(()),
            Kind::Bad => Err(Reported),
            Kind::Name(_) | Kind::Number(_) | Kind::Open(_) => {
                let diagnostic = self.juxtaposition();
                Err(self.report(diagnostic))
            }
            Kind::Equals => {
                let span = self.token().span;
                Err(self.report(Diagnostic::at(span, "unexpected `=`").hint("a comparison is written `==`")))
            }
            Kind::Close(_) => {
                let (span, found) = (self.token().span, self.shown());
                Err(self.report(Diagnostic::at(span, format!("unexpected {found}: no bracket is open here"))))
            }
            _ => {
                let (span, found) = (self.token().span, self.shown());
                Err(self.report(Diagnostic::at(span, format!("unexpected {found}"))))
            }
        }
    }

    fn dimensions(&mut self) -> Result<(), Reported> {
        self.advance();
        let mut list = Vec::new();
        let result = self.dimension_list(&mut list);
        // The names that could be read are known, even where the statement goes wrong later.
        self.ast.statements.push(Statement::Dimensions(list));
        result
    }

    fn dimension_list(&mut self, list: &mut Vec<(Named, Option<(u64, Span)>)>) -> Result<(), Reported> {
        loop {
            list.push((self.name("the name of a dimension")?, None));
            if self.token().kind == Kind::Equals {
                self.advance();
                let value = self.dimension_value()?;
                if let Some(last) = list.last_mut() {
                    last.1 = Some(value);
                }
            }
            if !self.comma() {
                break;
            }
        }
        match self.token().kind {
            Kind::Name(_) => Err(self.expected("`,` between dimensions")),
            _ => self.end_of_statement(),
        }
    }

    fn dimension_value(&mut self) -> Result<(u64, Span), Reported> {
        let span = self.token().span;
        let Kind::Number(number) = self.token().kind else {
            return Err(self.expected("a positive integer as the dimension's value"));
        };
        let text = shorten(self.text(span), 40);
        match number.as_integer().and_then(|value| u64::try_from(value).ok()) {
            Some(value) if value > 0 => {
                self.advance();
                Ok((value, span))
            }
            _ => {
                let huge = number.to_f64() > 1e15;
                let message = if huge {
                    format!("the dimension {text} is too large")
                } else {
                    format!("a dimension is a positive integer, not {text}")
                };
                Err(self.report(Diagnostic::at(span, message)))
            }
        }
    }

    fn assumptions(&mut self) -> Result<(), Reported> {
        self.advance();
        let mut list = Vec::new();
        loop {
            let property = self.name("a property")?;
            self.expect(&Kind::Open(Bracket::Round), "`(`, as in `assume symmetric(A)`")?;
            let name = self.name("a variable's name")?;
            if self.token().kind != Kind::Close(Bracket::Round) {
                let told = self.expected("`)`");
                if let Some(last) = self.diagnostics.last_mut() {
                    last.hint
                        .get_or_insert_with(|| "properties are assumed of one variable each, by its name".to_owned());
                }
                return Err(told);
            }
            self.advance();
            list.push((property, name));
            if !self.comma() {
                break;
            }
        }
        self.end_of_statement()?;
        self.ast.statements.push(Statement::Assume(list));
        Ok(())
    }

    fn definition(&mut self) -> Result<(), Reported> {
        let first_token = self.at;
        let named = self.name("a name")?;
        self.advance();
        self.skip_newlines();
        let first_node = self.ast.len();
        let body = self.expression().and_then(|body| self.end_of_statement().map(|()| body));
        let (result, body) = match body {
            Ok(body) => (Ok(()), body),
            Err(reported) => {
                self.ast.truncate(first_node);
                let node = self.ast.push(Node::Error, named.span, named.span);
                (Err(reported), node)
            }
        };
        self.ast.statements.push(Statement::Definition(named, body));
        if result.is_err() {
            // The node of the failed body stays: the statement holds it. Only the tokens are skipped.
            self.resynchronise(first_token);
        }
        Ok(())
    }

    fn declaration(&mut self) -> Result<(), Reported> {
        let mut names = Vec::new();
        let first_node = self.ast.len();
        match self.declared_type(&mut names) {
            Ok((kind, arguments)) => {
                self.ast.statements.push(Statement::Declaration { names, kind, arguments });
                Ok(())
            }
            Err(reported) => {
                self.ast.truncate(first_node);
                self.poison(names);
                Err(reported)
            }
        }
    }

    fn declared_type(&mut self, names: &mut Vec<Named>) -> Result<(Named, Vec<NodeId>), Reported> {
        names.push(self.name("a name")?);
        while self.comma() {
            names.push(self.name("a name")?);
        }
        self.expect(&Kind::Colon, "`:` and a type")?;
        if self.token().kind == Kind::Equals {
            let (span, name) = (self.token().span, self.text(names[0].span));
            let hint = format!("a definition is written `{} = …`", shorten(name, 40));
            return Err(self.report(Diagnostic::at(span, "expected a type, found `=`").hint(hint)));
        }
        let kind = self.name("a type")?;
        let mut arguments = Vec::new();
        if self.token().kind == Kind::Open(Bracket::Round) {
            // The arguments are read as those of a call, which brings lines that go on, and errors, with it.
            self.at -= 1;
            let call = self.expression()?;
            match self.ast.node(call) {
                Node::Call { function, arguments: found, named } if *function == kind.name && named.is_empty() => {
                    arguments.clone_from(found);
                    // The call itself is no expression of the program; its arguments stand before it.
                    self.ast.truncate(call.0 as usize);
                }
                _ => {
                    let span = self.ast.span(call);
                    let message = "a type is one name with dimensions, as in `matrix(m, n)`";
                    return Err(self.report(Diagnostic::at(span, message)));
                }
            }
        }
        self.end_of_statement()?;
        Ok((kind, arguments))
    }

    fn whole_expression(&mut self) -> Result<NodeId, Reported> {
        self.skip_newlines();
        let node = self.expression()?;
        self.end_of_text()?;
        Ok(node)
    }

    fn whole_chain(&mut self) -> Result<Vec<NodeId>, Reported> {
        self.skip_newlines();
        let mut nodes = vec![self.expression()?];
        while self.token().kind == Kind::Equals {
            self.advance();
            self.skip_newlines();
            nodes.push(self.expression()?);
        }
        self.end_of_text()?;
        Ok(nodes)
    }

    pub(super) fn end_of_text(&mut self) -> Result<(), Reported> {
        self.end_of_statement()?;
        self.skip_separators();
        match self.token().kind {
            Kind::End => Ok(()),
            _ => {
                let (span, found) = (self.token().span, self.shown());
                Err(self.report(Diagnostic::at(span, format!("unexpected {found} behind the expression"))))
            }
        }
    }
}

fn nesting(kind: &Kind) -> i64 {
    match kind {
        Kind::Open(_) => 1,
        Kind::Close(_) => -1,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;

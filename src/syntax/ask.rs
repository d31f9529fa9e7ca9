//! What a program asks for: `grad F wrt X, Y`, `hessian F wrt X along V`. The tokens of a request come in, its statement
//! goes out. Whether its names exist and its directions fit is not looked at.

use super::ast::{AskKind, NodeId, Statement};
use super::lex::Kind;
use super::parse::{Parser, Reported};
use crate::diagnostic::Diagnostic;

impl Parser<'_> {
    /// A request from its first word on.
    pub(super) fn ask(&mut self, kind: AskKind) -> Result<(), Reported> {
        let start = self.token().span;
        self.advance();
        if matches!(&self.token().kind, Kind::Name(name) if name == "wrt") {
            return Err(self.expected("what to differentiate"));
        }
        let of = self.expression()?;
        let (mut wrt, mut directions, mut kind) = (Vec::new(), Vec::new(), kind);
        let asks = matches!(&self.token().kind, Kind::Name(name) if name == "wrt");
        let ends = matches!(self.token().kind, Kind::Newline | Kind::Semicolon | Kind::End);
        if asks {
            self.advance();
            wrt.push(self.name("a variable's name")?);
            while self.comma() {
                wrt.push(self.name("a variable's name")?);
            }
            if let Some(word) = self.direction_word() {
                kind = self.directed(kind, word)?;
                self.advance();
                directions = self.directions()?;
                self.end_of_statement()?;
            } else {
                self.end_of_wrt()?;
            }
        } else if kind != AskKind::Differential && ends {
            let message = "expected `wrt` and what to differentiate by, found the end of the line";
            let span = self.place_before();
            let wrt_follows = matches!(self.second_kind(), Kind::Name(name) if name == "wrt");
            let hint = if wrt_follows { "write `grad F wrt X` on one line" } else { "as in `grad F wrt X`" };
            let told = self.report(Diagnostic::at(span, message).hint(hint));
            if wrt_follows {
                // The next line belongs to this one, and goes with it.
                self.advance();
            }
            return Err(told);
        } else if self.direction_word().is_some() {
            let told = self.expected("`wrt` and what to differentiate by");
            if let Some(last) = self.diagnostics.last_mut() {
                last.hint.get_or_insert_with(|| "as in `hessian F wrt X along V`".to_owned());
            }
            return Err(told);
        } else {
            self.end_of_statement()?;
        }
        let span = start.to(self.place_before());
        self.ast.statements.push(Statement::Ask { kind, of, wrt, directions, span });
        Ok(())
    }

    /// `along` or `against` behind the names of `wrt`; elsewhere they are names like others.
    fn direction_word(&self) -> Option<&'static str> {
        match &self.token().kind {
            Kind::Name(name) => ["along", "against"].into_iter().find(|word| name == word),
            _ => None,
        }
    }

    /// The request that such a word makes of another.
    fn directed(&mut self, kind: AskKind, word: &'static str) -> Result<AskKind, Reported> {
        let message = match (kind, word) {
            (AskKind::Hessian, "along") => return Ok(AskKind::HessianAlong),
            (AskKind::Jacobian, "along") => return Ok(AskKind::JacobianAlong),
            (AskKind::Jacobian, "against") => return Ok(AskKind::JacobianAgainst),
            (AskKind::Hessian, _) => "a Hessian is symmetric: it is taken `along` a direction",
            _ => "`along` and `against` belong to `jacobian` and `hessian`",
        };
        let hint = match kind {
            AskKind::Hessian => "write `hessian F wrt X along V`",
            _ => "write `jacobian Y wrt X along V`, `jacobian Y wrt X against U` or `hessian F wrt X along V`",
        };
        let span = self.token().span;
        Err(self.report(Diagnostic::at(span, message).hint(hint)))
    }

    /// Expressions with commas between them.
    pub(super) fn directions(&mut self) -> Result<Vec<NodeId>, Reported> {
        if matches!(self.token().kind, Kind::Newline | Kind::Semicolon | Kind::End) {
            return Err(self.expected("a direction: a variable or an expression"));
        }
        let mut list = vec![self.expression()?];
        while self.comma() {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn end_of_wrt(&mut self) -> Result<(), Reported> {
        match self.token().kind {
            Kind::Newline | Kind::Semicolon | Kind::End => Ok(()),
            Kind::Bad => Err(Reported),
            Kind::Name(_) => Err(self.expected("`,` between the names behind `wrt`")),
            _ => {
                let (span, found) = (self.token().span, self.shown());
                Err(self.report(
                    Diagnostic::at(span, format!("unexpected {found}: behind `wrt` stand names only"))
                        .hint("name the expression first: `Z = …`, then `grad F wrt Z`"),
                ))
            }
        }
    }
}

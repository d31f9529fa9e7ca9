//! Expressions by operator precedence with a stack of our own: depth of the input costs heap, never the call stack, and
//! each token is looked at a fixed number of times.

use super::ast::{Node, NodeId, Operator};
use super::is_keyword;
use super::lex::{Bracket, Infix, Kind};
use super::parse::{Parser, Reported};
use crate::diagnostic::{Diagnostic, Span};
use crate::number::Number;

/// How many levels of brackets, and of signs and powers, an expression may have.
const MAX_NESTING: usize = 10_000;

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
}

fn level(infix: Infix) -> Level {
    match infix {
        Infix::Compare(_) => Level::Comparison,
        Infix::Binary(Operator::Add | Operator::Subtract) => Level::Sum,
        Infix::Binary(Operator::Power | Operator::HadamardPower) => Level::Power,
        Infix::Binary(_) | Infix::Kronecker => Level::Product,
    }
}

/// Something begun and not finished.
enum Frame {
    Sign { minus: bool, span: Span, in_exponent: bool },
    Infix { infix: Infix, left: Operand, span: Span },
    Group { open: Span },
    Call { function: String, name: Span, arguments: Vec<NodeId>, named: Vec<(String, Span, NodeId)>, key: Option<Key> },
    Blocks { open: Span, rows: Vec<Vec<NodeId>> },
    Angle { open: Span, left: Option<NodeId>, close: &'static str },
}

/// The name of an argument given by name.
type Key = (String, Span);

/// A finished operand.
#[derive(Clone, Copy)]
struct Operand {
    node: NodeId,
    /// The place with the brackets around it, which the node's own place leaves out.
    span: Span,
    /// A number as typed, without brackets: a transpose behind it belongs to the power it is the exponent of.
    literal: bool,
}

/// What a token behind a finished operand leads to.
enum Next {
    /// The operand is larger now.
    Operand(Operand),
    /// An operand must follow.
    Operator,
    /// The expression ends before this token.
    End(NodeId),
}

#[derive(Default)]
struct Stack {
    frames: Vec<Frame>,
    /// Where in `frames` the brackets are.
    brackets: Vec<usize>,
    /// How many signs and powers are open.
    chained: usize,
}

impl Parser<'_> {
    /// One expression; stops before the first token that does not go on with it.
    pub(super) fn expression(&mut self) -> Result<NodeId, Reported> {
        let mut stack = Stack::default();
        loop {
            let Some(mut operand) = self.operand(&mut stack)? else { continue };
            loop {
                match self.after_operand(&mut stack, operand)? {
                    Next::Operand(larger) => operand = larger,
                    Next::Operator => break,
                    Next::End(node) => return Ok(node),
                }
            }
        }
    }

    /// Reads up to one operand; `None` where a bracket or a sign was opened and the operand is still to come.
    fn operand(&mut self, stack: &mut Stack) -> Result<Option<Operand>, Reported> {
        if !stack.frames.is_empty() {
            self.skip_newlines();
        }
        let token = self.token().clone();
        let leaf = |node, literal| Some(Operand { node, span: token.span, literal });
        match token.kind {
            Kind::Number(value) => {
                self.advance();
                Ok(leaf(self.ast.push(Node::Number(value), token.span, token.span), true))
            }
            Kind::Name(name) if is_keyword(&name) && self.begins_a_line() => {
                // The line before ended too early; what begins here is a statement of its own.
                let span = self.place_before();
                let message = "expected a number, a name or a bracket, found the end of the line";
                Err(self.report(Diagnostic::at(span, message)))
            }
            Kind::Name(name) if self.second_kind() == &Kind::Open(Bracket::Round) => {
                self.advance();
                self.advance();
                self.not_a_keyword(&name, token.span)?;
                self.skip_newlines();
                if self.token().kind == Kind::Close(Bracket::Round) {
                    let span = token.span.to(self.token().span);
                    self.advance();
                    let call = Node::Call { function: name, arguments: Vec::new(), named: Vec::new() };
                    let node = self.ast.push(call, span, token.span);
                    return Ok(Some(Operand { node, span, literal: false }));
                }
                let (arguments, named, key) = (Vec::new(), Vec::new(), self.key());
                self.open(stack, Frame::Call { function: name, name: token.span, arguments, named, key }, token.span)
            }
            Kind::Name(name) => {
                self.not_a_keyword(&name, token.span)?;
                self.advance();
                Ok(leaf(self.ast.push(Node::Name(name), token.span, token.span), false))
            }
            Kind::Open(Bracket::Round) => {
                self.advance();
                self.open(stack, Frame::Group { open: token.span }, token.span)
            }
            Kind::Open(Bracket::Square) => {
                self.advance();
                self.open(stack, Frame::Blocks { open: token.span, rows: vec![Vec::new()] }, token.span)
            }
            Kind::Open(Bracket::Angle) => {
                self.advance();
                self.open(stack, Frame::Angle { open: token.span, left: None, close: "⟩" }, token.span)
            }
            Kind::Infix(Infix::Compare(super::ast::Comparison::Less)) => {
                self.advance();
                self.open(stack, Frame::Angle { open: token.span, left: None, close: ">" }, token.span)
            }
            Kind::Plus | Kind::Minus => {
                self.advance();
                let in_exponent = stack.ends_in_a_power();
                stack.chain(self, token.span)?;
                let minus = token.kind == Kind::Minus;
                stack.frames.push(Frame::Sign { minus, span: token.span, in_exponent });
                Ok(None)
            }
            Kind::Bad => Err(Reported),
            Kind::Infix(Infix::Binary(Operator::Multiply)) if self.text(self.span_before()) == "*" => {
                let message = "expected a number, a name or a bracket, found `*`";
                let hint = "a power is written `^`, element by element `.^`";
                Err(self.report(Diagnostic::at(token.span, message).hint(hint)))
            }
            Kind::Infix(Infix::Binary(Operator::LeftDivide)) if matches!(self.second_kind(), Kind::Name(_)) => {
                let message = "expected a number, a name or a bracket, found `\\`";
                let hint = "LaTeX is not read: write functions as `sum(x)` and Greek letters as `lambda` or `λ`";
                Err(self.report(Diagnostic::at(token.span, message).hint(hint)))
            }
            _ => Err(self.expected("a number, a name or a bracket")),
        }
    }

    fn open<T>(&mut self, stack: &mut Stack, frame: Frame, at: Span) -> Result<Option<T>, Reported> {
        if stack.brackets.len() >= MAX_NESTING {
            return Err(self.too_deep(at));
        }
        stack.brackets.push(stack.frames.len());
        stack.frames.push(frame);
        Ok(None)
    }

    fn too_deep(&mut self, at: Span) -> Reported {
        self.report(
            Diagnostic::at(at, format!("nested too deeply: {MAX_NESTING} levels are the limit"))
                .hint("name a part of it: `Z = …`"),
        )
    }

    /// `axis=` at the beginning of an argument.
    fn key(&mut self) -> Option<Key> {
        self.skip_newlines();
        let Kind::Name(name) = &self.token().kind else { return None };
        if self.second_kind() != &Kind::Equals {
            return None;
        }
        let key = (name.clone(), self.token().span);
        self.advance();
        self.advance();
        Some(key)
    }

    fn after_operand(&mut self, stack: &mut Stack, operand: Operand) -> Result<Next, Reported> {
        if let Some(larger) = self.postfix(stack, operand) {
            return Ok(Next::Operand(larger));
        }
        let newline = self.token().kind == Kind::Newline;
        if !stack.brackets.is_empty() {
            self.skip_newlines();
        }
        let token = self.token().clone();
        let infix = match token.kind {
            Kind::Plus => Some(Infix::Binary(Operator::Add)),
            Kind::Minus => Some(Infix::Binary(Operator::Subtract)),
            Kind::Infix(infix) => Some(infix),
            _ => None,
        };
        if let Some(infix) = infix
            && !(stack.closes_with_greater() && self.text(token.span) == ">")
        {
            self.advance();
            self.infix(stack, operand, infix, token.span)?;
            return Ok(Next::Operator);
        }
        let operand = self.reduce_to_bracket(stack, operand);
        let Some(bracket) = stack.brackets.pop() else { return Ok(Next::End(operand.node)) };
        debug_assert_eq!(bracket + 1, stack.frames.len());
        match stack.frames.pop() {
            Some(frame) => self.in_bracket(stack, frame, operand, newline),
            None => Ok(Next::End(operand.node)),
        }
    }

    /// Transposes and superscripts, which bind tighter than any operator.
    fn postfix(&mut self, stack: &mut Stack, operand: Operand) -> Option<Operand> {
        let token = self.token().clone();
        match token.kind {
            Kind::Transpose => {
                self.advance();
                let base = self.base_of_postfix(stack, operand);
                Some(self.transpose(base, token.span))
            }
            Kind::Superscript(power) => {
                self.advance();
                let base = self.base_of_postfix(stack, operand);
                Some(self.literal_power(base, power, token.span))
            }
            Kind::InverseTranspose => {
                self.advance();
                let base = self.base_of_postfix(stack, operand);
                let inverse = self.literal_power(base, -1, token.span);
                Some(self.transpose(inverse, token.span))
            }
            Kind::Infix(Infix::Binary(Operator::Power)) => {
                let minus = usize::from(self.second_kind() == &Kind::Minus);
                let is_t = matches!(self.kind_at(1 + minus), Kind::Name(name) if name == "T");
                if !is_t || self.kind_at(2 + minus) == &Kind::Open(Bracket::Round) {
                    return None;
                }
                let span = token.span.to(self.span_at(1 + minus));
                (0..2 + minus).for_each(|_| self.advance());
                let mut base = self.base_of_postfix(stack, operand);
                if minus == 1 {
                    base = self.literal_power(base, -1, span);
                }
                Some(self.transpose(base, span))
            }
            _ => None,
        }
    }

    /// `A^-1'` is (A^-1)': behind a literal exponent a postfix belongs to the whole power.
    fn base_of_postfix(&mut self, stack: &mut Stack, operand: Operand) -> Operand {
        let mut base = operand;
        let mut literal = operand.literal;
        while literal && stack.ends_in_a_power() {
            while let Some(Frame::Sign { in_exponent: true, .. }) = stack.frames.last() {
                base = self.reduce_last(stack, base);
            }
            literal = matches!(stack.frames.last(), Some(Frame::Infix { left, .. }) if left.literal);
            base = self.reduce_last(stack, base);
        }
        base
    }

    fn transpose(&mut self, base: Operand, operator: Span) -> Operand {
        let span = base.span.to(operator);
        Operand { node: self.ast.push(Node::Transpose(base.node), span, operator), span, literal: false }
    }

    fn literal_power(&mut self, base: Operand, power: i64, operator: Span) -> Operand {
        let span = base.span.to(operator);
        let mut exponent = self.ast.push(Node::Number(Number::integer(power).abs()), operator, operator);
        if power < 0 {
            exponent = self.ast.push(Node::Negate(exponent), operator, operator);
        }
        let node = self.ast.push(Node::Binary(Operator::Power, base.node, exponent), span, operator);
        Operand { node, span, literal: false }
    }

    fn infix(&mut self, stack: &mut Stack, left: Operand, infix: Infix, span: Span) -> Result<(), Reported> {
        let new = level(infix);
        let mut left = left;
        loop {
            let top = match stack.frames.last() {
                Some(Frame::Sign { in_exponent, .. }) => {
                    if *in_exponent {
                        Level::Power
                    } else {
                        Level::Sign
                    }
                }
                Some(Frame::Infix { infix: top, .. }) => level(*top),
                _ => break,
            };
            if top == Level::Comparison && new == Level::Comparison {
                return Err(self.report(
                    Diagnostic::at(span, "comparisons do not chain")
                        .hint("multiply two comparisons: `(a < b) .* (b < c)`, or group with brackets"),
                ));
            }
            // Powers go from right to left, all others from left to right.
            if top > new || (top == new && new != Level::Power) {
                left = self.reduce_last(stack, left);
            } else {
                break;
            }
        }
        if new == Level::Power {
            stack.chain(self, span)?;
        }
        stack.frames.push(Frame::Infix { infix, left, span });
        Ok(())
    }

    /// Finishes the sign or operator on top of the stack with its last operand.
    fn reduce_last(&mut self, stack: &mut Stack, right: Operand) -> Operand {
        match stack.frames.pop() {
            Some(Frame::Sign { minus, span: sign, .. }) => {
                stack.chained -= 1;
                let span = sign.to(right.span);
                let node = if minus { self.ast.push(Node::Negate(right.node), span, sign) } else { right.node };
                Operand { node, span, literal: false }
            }
            Some(Frame::Infix { infix, left, span: operator }) => {
                stack.chained -= usize::from(level(infix) == Level::Power);
                let span = left.span.to(right.span);
                let node = match infix {
                    Infix::Binary(op) => Node::Binary(op, left.node, right.node),
                    Infix::Compare(comparison) => Node::Compare(comparison, left.node, right.node),
                    Infix::Kronecker => Node::Call {
                        function: "kron".to_owned(),
                        arguments: vec![left.node, right.node],
                        named: Vec::new(),
                    },
                };
                Operand { node: self.ast.push(node, span, operator), span, literal: false }
            }
            Some(bracket) => {
                stack.frames.push(bracket);
                right
            }
            None => right,
        }
    }

    fn reduce_to_bracket(&mut self, stack: &mut Stack, operand: Operand) -> Operand {
        let mut operand = operand;
        while matches!(stack.frames.last(), Some(Frame::Sign { .. } | Frame::Infix { .. })) {
            operand = self.reduce_last(stack, operand);
        }
        operand
    }

    /// Goes on in, or closes, the bracket that was taken from the stack.
    fn in_bracket(
        &mut self,
        stack: &mut Stack,
        frame: Frame,
        operand: Operand,
        newline: bool,
    ) -> Result<Next, Reported> {
        let token = self.token().clone();
        let finished = |parser: &mut Self, open: Span, operator: Span, node: Node| {
            parser.advance();
            let span = open.to(token.span);
            Ok(Next::Operand(Operand { node: parser.ast.push(node, span, operator), span, literal: false }))
        };
        let (again, open, close) = match (frame, &token.kind) {
            (Frame::Group { open }, Kind::Close(Bracket::Round)) => {
                self.advance();
                return Ok(Next::Operand(Operand { node: operand.node, span: open.to(token.span), literal: false }));
            }
            (Frame::Group { open }, _) => (None, open, ")"),
            (Frame::Call { function, name, mut arguments, mut named, key }, kind) => {
                match key {
                    Some((key, span)) => named.push((key, span, operand.node)),
                    None => arguments.push(operand.node),
                }
                match kind {
                    Kind::Close(Bracket::Round) => {
                        return finished(self, name, name, Node::Call { function, arguments, named });
                    }
                    Kind::Comma => {
                        self.advance();
                        let key = self.key();
                        (Some(Frame::Call { function, name, arguments, named, key }), name, ")")
                    }
                    _ => (None, name, ")"),
                }
            }
            (Frame::Blocks { open, mut rows }, kind) => {
                if let Some(row) = rows.last_mut() {
                    row.push(operand.node);
                }
                match kind {
                    Kind::Close(Bracket::Square) => return finished(self, open, open, Node::Blocks(rows)),
                    Kind::Comma => {
                        self.advance();
                        (Some(Frame::Blocks { open, rows }), open, "]")
                    }
                    Kind::Semicolon => {
                        self.advance();
                        rows.push(Vec::new());
                        (Some(Frame::Blocks { open, rows }), open, "]")
                    }
                    _ => (None, open, "]"),
                }
            }
            (Frame::Angle { open, left: Some(left), close }, _) if self.text(token.span) == close => {
                return finished(self, open, open, Node::Frobenius(left, operand.node));
            }
            (Frame::Angle { open, left: None, close }, Kind::Comma) => {
                self.advance();
                (Some(Frame::Angle { open, left: Some(operand.node), close }), open, close)
            }
            (Frame::Angle { open, left, close }, _) => (None, open, if left.is_none() { "," } else { close }),
            (other @ (Frame::Sign { .. } | Frame::Infix { .. }), _) => (Some(other), token.span, ")"),
        };
        match again {
            Some(frame) => {
                stack.brackets.push(stack.frames.len());
                stack.frames.push(frame);
                Ok(Next::Operator)
            }
            None if token.kind == Kind::Bad => Err(Reported),
            None => Err(self.unclosed(open, close, newline)),
        }
    }

    fn unclosed(&mut self, open: Span, close: &str, newline: bool) -> Reported {
        let token = self.token().clone();
        let opened = self.text(open).chars().next_back().filter(|c| "([<⟨".contains(*c)).unwrap_or('(');
        let juxtaposed = matches!(token.kind, Kind::Number(_) | Kind::Name(_) | Kind::Open(_));
        let diagnostic = if juxtaposed && !newline {
            self.juxtaposition()
        } else if newline || token.kind == Kind::End {
            let span = self.place_before();
            Diagnostic::at(span, format!("expected `{close}`, found the end of the line"))
        } else if matches!(token.kind, Kind::Close(_)) {
            let found = self.shown();
            Diagnostic::at(token.span, format!("expected `{close}` to match `{opened}`, found {found}"))
        } else {
            let found = self.shown();
            Diagnostic::at(token.span, format!("expected `{close}`, found {found}"))
        };
        let role = if close == "," { "`<a, b>` has two factors" } else { "opened here" };
        let related = diagnostic.related.is_empty() && (!juxtaposed || newline);
        self.report(if related { diagnostic.related(open, role) } else { diagnostic })
    }
}

impl Stack {
    /// Whether the next operand is an exponent, signs aside.
    fn ends_in_a_power(&self) -> bool {
        match self.frames.last() {
            Some(Frame::Infix { infix, .. }) => level(*infix) == Level::Power,
            Some(Frame::Sign { in_exponent, .. }) => *in_exponent,
            _ => false,
        }
    }

    /// Inside `<a, b`, where `>` closes.
    fn closes_with_greater(&self) -> bool {
        let innermost = self.brackets.last().map(|&at| &self.frames[at]);
        matches!(innermost, Some(Frame::Angle { close: ">", .. }))
    }

    fn chain(&mut self, parser: &mut Parser<'_>, at: Span) -> Result<(), Reported> {
        self.chained += 1;
        if self.chained > MAX_NESTING { Err(parser.too_deep(at)) } else { Ok(()) }
    }
}

//! Programs as trees that can be printed in many ways and made smaller: what the generator makes.

use std::fmt;

use super::chance::Chance;

/// A dimension in a form in which equal ones are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    One,
    Name(&'static str),
    Sum(&'static str, &'static str),
    Product(&'static str, &'static str),
    Triangle(&'static str),
}

impl Size {
    pub fn sum(a: &'static str, b: &'static str) -> Size {
        Size::Sum(a.min(b), a.max(b))
    }

    pub fn product(a: &'static str, b: &'static str) -> Size {
        Size::Product(a.min(b), a.max(b))
    }

    pub fn is_one(&self) -> bool {
        *self == Size::One
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::One => f.write_str("1"),
            Size::Name(n) => f.write_str(n),
            Size::Sum(a, b) if a == b => write!(f, "2*{a}"),
            Size::Sum(a, b) => write!(f, "{a}+{b}"),
            Size::Product(a, b) => write!(f, "{a}*{b}"),
            Size::Triangle(n) => write!(f, "{n}*({n}+1)/2"),
        }
    }
}

/// Rows and columns.
pub type Shape = (Size, Size);

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
    Postfix,
}

/// What stands at the top of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A name, a number or a constant, as it is printed.
    Leaf(String),
    Negate,
    /// `a OP b`
    Infix(&'static str),
    /// `f(a, b REST)`
    Call(&'static str, String),
    /// With this sign behind it.
    Transpose(&'static str),
    /// `a^k` with the operator and the exponent as printed.
    Power(String),
    /// Blocks with so many in each row.
    Blocks(usize),
    /// `<a, b>`
    Frobenius,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    pub kind: Kind,
    pub shape: Shape,
    pub operands: Vec<Tree>,
}

impl Tree {
    pub fn leaf(text: impl Into<String>, shape: &Shape) -> Tree {
        Tree { kind: Kind::Leaf(text.into()), shape: shape.clone(), operands: Vec::new() }
    }

    pub fn new(kind: Kind, shape: &Shape, operands: Vec<Tree>) -> Tree {
        Tree { kind, shape: shape.clone(), operands }
    }

    pub fn call(function: &'static str, shape: &Shape, operands: Vec<Tree>) -> Tree {
        Tree::new(Kind::Call(function, String::new()), shape, operands)
    }

    pub fn infix(operator: &'static str, shape: &Shape, a: Tree, b: Tree) -> Tree {
        Tree::new(Kind::Infix(operator), shape, vec![a, b])
    }

    pub fn transposed(self, sign: &'static str) -> Tree {
        let shape = (self.shape.1.clone(), self.shape.0.clone());
        Tree { kind: Kind::Transpose(sign), shape, operands: vec![self] }
    }

    pub fn power(self, text: &str) -> Tree {
        let shape = self.shape.clone();
        Tree { kind: Kind::Power(text.to_owned()), shape, operands: vec![self] }
    }

    /// How many nodes there are.
    pub fn size(&self) -> usize {
        1 + self.operands.iter().map(Tree::size).sum::<usize>()
    }

    /// Calls `visit` with every node.
    pub fn each(&self, visit: &mut dyn FnMut(&Tree)) {
        visit(self);
        self.operands.iter().for_each(|a| a.each(visit));
    }

    /// Whether a name stands in it.
    pub fn mentions(&self, name: &str) -> bool {
        let mut found = false;
        self.each(&mut |t| found |= matches!(&t.kind, Kind::Leaf(text) if text == name));
        found
    }

    /// Whether it is a number as typed, signs of transposes behind it left out.
    fn is_literal(&self) -> bool {
        match &self.kind {
            Kind::Leaf(text) => text.starts_with(|c: char| c.is_ascii_digit() || c == '.'),
            Kind::Transpose(_) => self.operands[0].is_literal(),
            _ => false,
        }
    }

    fn level(&self) -> Level {
        match &self.kind {
            Kind::Negate => Level::Sign,
            Kind::Infix("+" | "-") => Level::Sum,
            Kind::Infix(">" | ">=" | "<" | "<=" | "==" | "!=") => Level::Comparison,
            Kind::Infix(".^" | "^") | Kind::Power(_) => Level::Power,
            Kind::Infix(_) => Level::Product,
            // As an exponent, 1' would end at the 1: the transpose belongs to the whole power then.
            Kind::Transpose(_) if self.operands[0].is_literal() => Level::Power,
            _ => Level::Postfix,
        }
    }

    /// As text; with every bracket, or with those that the precedence needs.
    pub fn text(&self, brackets: Brackets) -> String {
        let mut out = String::new();
        self.write(&mut out, Level::Comparison, brackets);
        out
    }

    fn write(&self, out: &mut String, least: Level, brackets: Brackets) {
        let all = brackets == Brackets::All && self.level() < Level::Postfix && least > Level::Comparison;
        if all || self.level() < least {
            out.push('(');
            self.write(out, Level::Comparison, brackets);
            out.push(')');
            return;
        }
        let operand = |i: usize, out: &mut String, least: Level| self.operands[i].write(out, least, brackets);
        match &self.kind {
            Kind::Leaf(text) => out.push_str(text),
            Kind::Negate => {
                out.push('-');
                operand(0, out, Level::Sign);
            }
            Kind::Infix(operator) => {
                let (left, right) = match self.level() {
                    Level::Comparison => (Level::Sum, Level::Sum),
                    Level::Sum => (Level::Sum, Level::Product),
                    Level::Power => (Level::Postfix, Level::Postfix),
                    _ => (Level::Product, Level::Sign),
                };
                operand(0, out, left);
                let close = matches!(*operator, "*" | "/" | ".^" | "^" | "·");
                out.push_str(if close { "" } else { " " });
                out.push_str(operator);
                out.push_str(if close { "" } else { " " });
                operand(1, out, right);
            }
            Kind::Call(function, rest) => {
                out.push_str(function);
                out.push('(');
                self.list(out, brackets);
                out.push_str(rest);
                out.push(')');
            }
            Kind::Transpose(sign) => {
                // Behind a literal exponent a transpose belongs to the whole power.
                let literal = matches!(&self.operands[0].kind, Kind::Power(k) if !k.ends_with(')') && k.is_ascii());
                // In an exponent it would belong to the power there.
                operand(0, out, if literal && least < Level::Postfix { Level::Power } else { Level::Postfix });
                out.push_str(sign);
            }
            Kind::Power(text) => {
                operand(0, out, Level::Postfix);
                out.push_str(text);
            }
            Kind::Blocks(across) => {
                out.push('[');
                for (i, a) in self.operands.iter().enumerate() {
                    if i > 0 {
                        out.push_str(if i % across == 0 { "; " } else { ", " });
                    }
                    a.write(out, Level::Comparison, brackets);
                }
                out.push(']');
            }
            Kind::Frobenius => {
                out.push('<');
                operand(0, out, Level::Sum);
                out.push_str(", ");
                operand(1, out, Level::Sum);
                out.push('>');
            }
        }
    }

    fn list(&self, out: &mut String, brackets: Brackets) {
        for (i, a) in self.operands.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            a.write(out, Level::Comparison, brackets);
        }
    }
}

/// Which brackets are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brackets {
    Needed,
    All,
}

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    pub shape: Shape,
    /// `matrix(m, n)`
    pub kind: String,
    /// `assume` gives it these.
    pub assumed: Vec<&'static str>,
    /// Whether it is declared; else its type follows from its name and use.
    pub declared: bool,
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    pub gradient: bool,
    pub of: Tree,
    /// Empty for a differential of everything.
    pub wrt: Vec<String>,
}

/// A whole program.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Program {
    /// Dimensions that are declared, with their value if they have one.
    pub dimensions: Vec<(&'static str, Option<u64>)>,
    pub variables: Vec<Variable>,
    pub definitions: Vec<(String, Tree)>,
    pub asks: Vec<Ask>,
}

impl Program {
    pub fn text(&self, brackets: Brackets) -> String {
        let mut out = String::new();
        for (name, value) in &self.dimensions {
            let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == *name);
            match value {
                Some(value) => out.push_str(&format!("dim {name} = {value}\n")),
                // A type declares what it names.
                None if self.variables.iter().any(|v| v.declared && word(&v.kind)) => {}
                None => out.push_str(&format!("dim {name}\n")),
            }
        }
        for variable in self.variables.iter().filter(|v| v.declared) {
            out.push_str(&format!("{} : {}\n", variable.name, variable.kind));
        }
        for variable in &self.variables {
            for property in &variable.assumed {
                out.push_str(&format!("assume {property}({})\n", variable.name));
            }
        }
        for (name, body) in &self.definitions {
            out.push_str(&format!("{name} = {}\n", body.text(brackets)));
        }
        for ask in &self.asks {
            let wrt = if ask.wrt.is_empty() { String::new() } else { format!(" wrt {}", ask.wrt.join(", ")) };
            let what = if ask.gradient { "grad" } else { "differential" };
            out.push_str(&format!("{what} {}{wrt}\n", ask.of.text(brackets)));
        }
        out
    }

    /// How many nodes there are.
    pub fn size(&self) -> usize {
        let bodies: usize = self.definitions.iter().map(|(_, t)| t.size()).sum();
        bodies + self.asks.iter().map(|a| a.of.size() + a.wrt.len()).sum::<usize>() + self.variables.len()
    }

    /// Whether a name stands in a definition or request.
    pub fn mentions(&self, name: &str) -> bool {
        self.definitions.iter().any(|(_, t)| t.mentions(name))
            || self.asks.iter().any(|a| a.of.mentions(name) || a.wrt.iter().any(|w| w == name))
    }

    /// Without what nothing uses.
    pub fn swept(mut self) -> Program {
        loop {
            let unused = (0..self.definitions.len()).rev().find(|&i| {
                let name = &self.definitions[i].0;
                !self.definitions.iter().enumerate().any(|(j, (_, t))| j != i && t.mentions(name))
                    && !self.asks.iter().any(|a| a.of.mentions(name) || a.wrt.contains(name))
            });
            match unused {
                Some(i) => {
                    self.definitions.remove(i);
                }
                None => break,
            }
        }
        let used: Vec<bool> = self.variables.iter().map(|v| self.mentions(&v.name)).collect();
        let mut place = 0;
        self.variables.retain(|_| {
            place += 1;
            used[place - 1]
        });
        self
    }
}

/// A sign of a transpose, the usual one mostly.
pub fn transpose_sign(chance: &mut Chance) -> &'static str {
    if chance.percent(80) { "'" } else { *chance.one_of(&["ᵀ", "^T", ".'"]) }
}

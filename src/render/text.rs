//! Notation on a line: text of the language, with brackets exactly where the grammar needs them, so that it reads back as
//! it was; and the same in the signs of a book (`Xᵀ·G`), which reads back too wherever the language has the sign.

use super::names::unicode_name;
use super::notation::Notation;
use super::readers::{Reader, for_reader};
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// The formula in the language, as short as the language allows.
pub fn text(notation: &Notation) -> String {
    write(&for_reader(notation, Reader::Parser), Signs::Language)
}

/// The formula in the language with broadcasts written out.
pub fn explicit_text(notation: &Notation) -> String {
    write(&for_reader(notation, Reader::Page), Signs::Language)
}

/// The formula in a book's signs on one line. `√`, `½`, `1_N`, `I_n` and `0_n` are the signs in it that the language lacks.
pub fn unicode(notation: &Notation) -> String {
    write(&for_reader(notation, Reader::Book), Signs::Book)
}

fn write(notation: &Notation, signs: Signs) -> String {
    let mut line = Line { out: String::with_capacity(64), signs };
    line.write(notation, Level::Comparison);
    line.out
}

/// A number as the language writes it: an integer, a short decimal, else a ratio.
pub fn number_text(value: Number) -> String {
    match value {
        Number::Ratio(n, 1) => n.to_string(),
        Number::Ratio(n, d) => decimal(n, d).unwrap_or_else(|| format!("{n}/{d}")),
        Number::Float(x) => format!("{x:?}"),
    }
}

/// n/d as a decimal of at most eight digits, where it is one.
fn decimal(n: i64, d: i64) -> Option<String> {
    let mut scale = 1_i64;
    for digits in 1..=8_usize {
        scale = scale.checked_mul(10)?;
        if scale % d == 0 {
            let value = n.checked_mul(scale / d)?;
            let sign = if value < 0 { "-" } else { "" };
            let value = value.unsigned_abs();
            let scale = scale.unsigned_abs();
            if value / scale == 0 && digits > 4 {
                let zeros = digits - value.to_string().len();
                if zeros > 3 {
                    return Some(format!("{sign}{value}e-{digits}"));
                }
            }
            return Some(format!("{sign}{}.{:0digits$}", value / scale, value % scale));
        }
    }
    None
}

/// A ratio that a book prints as a fraction: halves and quarters, and what is no short decimal.
pub(super) fn as_fraction(value: Number) -> Option<(i64, i64)> {
    match value {
        Number::Ratio(n, d) if d != 1 && (matches!(d, 2 | 4) && n.abs() < 10 || decimal(n, d).is_none()) => {
            Some((n, d))
        }
        _ => None,
    }
}

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Comparison,
    Sum,
    Product,
    Power,
    Postfix,
}

/// Which signs a line is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signs {
    Language,
    Book,
}

fn level(notation: &Notation, signs: Signs) -> Level {
    let book = signs == Signs::Book;
    match notation {
        // In a book a comparison has brackets of its own, [a > b].
        Notation::Compare(..) if book => Level::Postfix,
        Notation::Equation(_) | Notation::Compare(..) => Level::Comparison,
        Notation::Sum(_) | Notation::Negative(_) => Level::Sum,
        Notation::SumOver(..) => Level::Product,
        Notation::Product(_) | Notation::Quotient(..) | Notation::Hadamard(_) | Notation::HadamardQuotient(..) => {
            Level::Product
        }
        Notation::Number(value) if book && vulgar(*value).is_some() => Level::Postfix,
        Notation::Number(Number::Ratio(n, d)) if *d != 1 && decimal(*n, *d).is_none() => Level::Product,
        Notation::Grouped(inner) => level(inner, signs),
        Notation::Broadcast(_, short) | Notation::Sums(_, short) => level(short, signs),
        Notation::Ones(_, Some(_)) if book => Level::Product,
        Notation::Call { function: "kron", .. } if book => Level::Product,
        Notation::Root(_) if book => Level::Power,
        Notation::HadamardPower(..) => Level::Power,
        Notation::Power(_, exponent) => match book.then(|| superscript(exponent)).flatten() {
            Some(_) => Level::Postfix,
            None => Level::Power,
        },
        _ => Level::Postfix,
    }
}

struct Line {
    out: String,
    signs: Signs,
}

impl Line {
    fn bracketed(&mut self, notation: &Notation) {
        self.out.push('(');
        self.write(notation, Level::Comparison);
        self.out.push(')');
    }

    /// The sign of the language, or of a book.
    fn sign(&mut self, language: &str, book: &str) {
        self.out.push_str(if self.signs == Signs::Book { book } else { language });
    }

    fn name(&mut self, name: &str) {
        match self.signs {
            Signs::Language => self.out.push_str(name),
            Signs::Book => self.out.push_str(&unicode_name(name)),
        }
    }

    fn write(&mut self, notation: &Notation, least: Level) {
        if level(notation, self.signs) < least {
            return self.bracketed(notation);
        }
        match notation {
            Notation::Number(value) => self.number(*value),
            Notation::Pi => self.sign("pi", "π"),
            Notation::Euler => self.out.push('e'),
            Notation::Name(name) => self.name(name),
            Notation::Differential(name) => {
                self.out.push('d');
                self.name(name);
            }
            Notation::Negative(inner) => {
                self.sign("-", "−");
                self.write(inner, Level::Product);
            }
            Notation::Sum(terms) => self.sum(terms),
            Notation::Product(factors) => self.product(factors),
            Notation::Grouped(inner) => self.write(inner, least),
            Notation::Broadcast(_, short) | Notation::Sums(_, short) => self.write(short, least),
            Notation::Quotient(above, below) => {
                if self.by_elements(above) {
                    self.bracketed(above);
                } else {
                    self.write(above, Level::Product);
                }
                self.out.push('/');
                self.write(below, Level::Power);
            }
            Notation::Hadamard(factors) => {
                for (i, factor) in factors.iter().enumerate() {
                    if i > 0 {
                        self.sign(" .* ", " ⊙ ");
                        self.write(factor, Level::Power);
                    } else {
                        self.first_of_elements(factor);
                    }
                }
            }
            Notation::HadamardQuotient(above, below) => {
                self.first_of_elements(above);
                self.sign(" ./ ", " ⊘ ");
                self.write(below, Level::Power);
            }
            Notation::Power(base, exponent) => self.power(base, "^", exponent),
            Notation::HadamardPower(base, exponent) => self.power(base, ".^", exponent),
            Notation::Transpose(inner) => self.transpose(inner),
            Notation::Inverse(inner) if self.signs == Signs::Book => {
                self.write(inner, Level::Postfix);
                self.out.push_str("⁻¹");
            }
            Notation::Inverse(inner) => self.call("inv", &[inner], false),
            Notation::Root(inner) if self.signs == Signs::Book => {
                self.out.push('√');
                self.write(inner, Level::Postfix);
            }
            Notation::Root(inner) => self.call("sqrt", &[inner], false),
            Notation::Compare(comparison, a, b) => self.compare(*comparison, a, b),
            Notation::Call { function, arguments, columns } => {
                let arguments: Vec<&Notation> = arguments.iter().collect();
                match (self.signs, *function, &arguments[..]) {
                    (Signs::Book, "kron", [a, b]) => {
                        self.write(a, Level::Power);
                        self.out.push_str(" ⊗ ");
                        self.write(b, Level::Power);
                    }
                    (Signs::Book, "dot", [_, _]) => self.list('⟨', &arguments, '⟩'),
                    _ => self.call(function, &arguments, *columns),
                }
            }
            Notation::Identity(n) if self.signs == Signs::Book => self.indexed("I", n),
            Notation::Identity(n) => self.call("eye", &[n], false),
            Notation::Ones(m, n) => self.filled('1', "ones", m, n.as_deref()),
            Notation::Zeros(m, n) => self.filled('0', "zeros", m, n.as_deref()),
            Notation::Unit(_, i) if self.signs == Signs::Book => {
                self.out.push('e');
                self.out.push_str(&unicode_name(&format!("{i}")));
            }
            Notation::Unit(n, i) => self.call("unit", &[n, &Notation::Name(i.to_string())], false),
            Notation::Blocks(rows) => {
                self.out.push('[');
                for (i, row) in rows.iter().enumerate() {
                    if i > 0 {
                        self.out.push_str("; ");
                    }
                    for (j, block) in row.iter().enumerate() {
                        if j > 0 {
                            self.out.push_str(", ");
                        }
                        self.write(block, Level::Comparison);
                    }
                }
                self.out.push(']');
            }
            Notation::Partial(of, wrt) => {
                self.out.push('∂');
                self.name(of);
                self.out.push_str("/∂");
                self.name(wrt);
            }
            Notation::SecondPartial(of, x, y) => {
                self.out.push_str("∂²");
                self.name(of);
                self.out.push_str("/∂");
                self.name(x);
                if x == y {
                    self.out.push('²');
                } else {
                    self.out.push('∂');
                    self.name(y);
                }
            }
            Notation::Applied { map, transposed, to } => {
                match transposed {
                    false => self.write(map, Level::Sum),
                    true => {
                        self.bracketed(map);
                        self.sign("'", "ᵀ");
                    }
                }
                self.out.push('[');
                self.write(to, Level::Sum);
                self.out.push(']');
            }
            Notation::Stacked(inner) => self.stacked(inner),
            Notation::PartialEntries { of, wrt } => {
                self.out.push_str(if wrt.len() > 1 { "∂²" } else { "∂" });
                self.name(&of.0);
                self.indices(&of.1);
                self.out.push('/');
                for (name, at) in wrt {
                    self.out.push('∂');
                    self.name(name);
                    self.indices(at);
                }
            }
            Notation::Indexed(inner, at) => {
                self.write(inner, Level::Postfix);
                self.indices(at);
            }
            Notation::Delta(i, j) => {
                self.sign("delta", "δ");
                self.indices(&[*i, *j]);
            }
            Notation::SumOver(at, inner) => {
                self.sign("sum", "Σ");
                self.indices(at);
                self.out.push(' ');
                self.write(inner, Level::Product);
            }
            Notation::DifferentialOf(inner) => {
                self.out.push('d');
                self.bracketed(inner);
            }
            Notation::Equation(sides) => {
                for (i, side) in sides.iter().enumerate() {
                    if i > 0 {
                        self.out.push_str(" = ");
                    }
                    self.write(side, Level::Sum);
                }
            }
            Notation::Elided => self.out.push('…'),
        }
    }

    /// ∂vec(Y)/∂vec(X)
    fn stacked(&mut self, derivative: &Notation) {
        let vec = |line: &mut Line, name: &str| {
            line.out.push_str("∂vec(");
            line.name(name);
            line.out.push(')');
        };
        match derivative {
            Notation::Partial(of, wrt) => {
                vec(self, of);
                self.out.push('/');
                vec(self, wrt);
            }
            Notation::SecondPartial(of, x, y) => {
                self.out.push_str("∂²");
                self.name(of);
                self.out.push('/');
                vec(self, x);
                vec(self, y);
            }
            other => self.write(other, Level::Postfix),
        }
    }

    /// `[i,j]`, or `_ij`.
    fn indices(&mut self, at: &[char]) {
        if at.is_empty() {
            return;
        }
        if self.signs == Signs::Book {
            self.out.push('_');
            return self.out.extend(at);
        }
        self.out.push('[');
        for (k, &i) in at.iter().enumerate() {
            if k > 0 {
                self.out.push(',');
            }
            self.out.push(i);
        }
        self.out.push(']');
    }

    fn number(&mut self, value: Number) {
        match (self.signs, vulgar(value)) {
            (Signs::Book, Some(sign)) => self.out.push(sign),
            _ => self.out.push_str(&number_text(value)),
        }
    }

    fn sum(&mut self, terms: &[(bool, Notation)]) {
        for (i, (minus, term)) in terms.iter().enumerate() {
            let (minus, term) = match term {
                Notation::Negative(inner) => (!minus, &**inner),
                _ => (*minus, term),
            };
            match (i, minus) {
                (0, false) => {}
                (0, true) => self.sign("-", "−"),
                (_, false) => self.out.push_str(" + "),
                (_, true) => self.sign(" - ", " − "),
            }
            self.write(term, Level::Product);
        }
    }

    fn product(&mut self, factors: &[Notation]) {
        for (i, factor) in factors.iter().enumerate() {
            if i > 0 {
                self.sign("*", "·");
                self.write(factor, Level::Power);
            } else if self.by_elements(factor) || matches!(factor, Notation::Product(_)) {
                self.bracketed(factor);
            } else {
                self.write(factor, Level::Product);
            }
        }
    }

    fn power(&mut self, base: &Notation, operator: &str, exponent: &Notation) {
        self.write(base, Level::Postfix);
        if self.signs == Signs::Book
            && operator == "^"
            && let Some(raised) = superscript(exponent)
        {
            return self.out.push_str(&raised);
        }
        self.out.push_str(operator);
        match exponent {
            // `x^T` would be the transpose.
            Notation::Name(name) if name == "T" => self.bracketed(exponent),
            Notation::Number(_) | Notation::Name(_) => self.write(exponent, Level::Power),
            Notation::Negative(inner) if matches!(&**inner, Notation::Number(k) if k.as_integer().is_some()) => {
                self.sign("-", "−");
                self.write(inner, Level::Power);
            }
            _ => self.bracketed(exponent),
        }
    }

    fn transpose(&mut self, inner: &Notation) {
        if self.signs == Signs::Book
            && let Notation::Inverse(inner) = inner
        {
            self.write(inner, Level::Postfix);
            return self.out.push_str("⁻ᵀ");
        }
        self.write(inner, Level::Postfix);
        self.sign("'", "ᵀ");
    }

    fn compare(&mut self, comparison: Comparison, a: &Notation, b: &Notation) {
        let book = self.signs == Signs::Book;
        if book {
            self.out.push('[');
        }
        self.write(a, Level::Sum);
        let sign = match comparison {
            Comparison::GreaterEqual if book => "≥",
            Comparison::LessEqual if book => "≤",
            Comparison::NotEqual if book => "≠",
            other => other.text(),
        };
        self.out.push(' ');
        self.out.push_str(sign);
        self.out.push(' ');
        self.write(b, Level::Sum);
        if book {
            self.out.push(']');
        }
    }

    /// The first operand of .* or ./: a product in brackets, unless it is a number times one thing.
    fn first_of_elements(&mut self, notation: &Notation) {
        let open = match notation {
            Notation::Product(factors) => {
                factors.iter().filter(|f| !matches!(f, Notation::Number(_) | Notation::Quotient(..))).count() <= 1
            }
            Notation::Quotient(..) => false,
            Notation::Ones(_, Some(_)) => self.signs == Signs::Language,
            _ => true,
        };
        if open { self.write(notation, Level::Product) } else { self.bracketed(notation) }
    }

    /// Whether a product by elements, or in a book by ⊗, would stand open in front of a matrix product: legal, and hard to
    /// read.
    fn by_elements(&self, notation: &Notation) -> bool {
        match notation {
            Notation::Hadamard(_) | Notation::HadamardQuotient(..) => true,
            Notation::Call { function: "kron", .. } => self.signs == Signs::Book,
            Notation::Grouped(inner) | Notation::Broadcast(_, inner) | Notation::Sums(_, inner) => {
                self.by_elements(inner)
            }
            _ => false,
        }
    }

    fn filled(&mut self, sign: char, function: &str, m: &Notation, n: Option<&Notation>) {
        match (self.signs, n) {
            (Signs::Book, None) => self.indexed(&sign.to_string(), m),
            (Signs::Book, Some(n)) if sign == '1' => {
                self.indexed("1", m);
                self.out.push('·');
                self.indexed("1", n);
                self.out.push('ᵀ');
            }
            (Signs::Book, Some(n)) => {
                self.out.push_str("0_(");
                self.write(m, Level::Power);
                self.out.push('×');
                self.write(n, Level::Power);
                self.out.push(')');
            }
            (Signs::Language, Some(n)) => self.call(function, &[m, n], false),
            (Signs::Language, None) if function == "zeros" => {
                self.call(function, &[m, &Notation::Number(Number::ONE)], false);
            }
            (Signs::Language, None) => self.call(function, &[m], false),
        }
    }

    /// A letter with a dimension as its index: `I_n`, `1_(n+1)`.
    fn indexed(&mut self, letter: &str, index: &Notation) {
        self.out.push_str(letter);
        if *index == Notation::Name(String::new()) {
            return;
        }
        self.out.push('_');
        self.write(index, Level::Postfix);
    }

    fn call(&mut self, function: &str, arguments: &[&Notation], columns: bool) {
        self.out.push_str(function);
        self.list('(', arguments, if columns { '=' } else { ')' });
    }

    fn list(&mut self, open: char, arguments: &[&Notation], close: char) {
        self.out.push(open);
        for (i, argument) in arguments.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.write(argument, Level::Comparison);
        }
        if close == '=' {
            self.out.push_str(", axis=0)");
        } else {
            self.out.push(close);
        }
    }
}

/// A ratio that has a sign of its own.
fn vulgar(value: Number) -> Option<char> {
    match value {
        Number::Ratio(1, 2) => Some('½'),
        Number::Ratio(1, 3) => Some('⅓'),
        Number::Ratio(2, 3) => Some('⅔'),
        Number::Ratio(1, 4) => Some('¼'),
        Number::Ratio(3, 4) => Some('¾'),
        _ => None,
    }
}

/// An integer exponent in raised digits.
fn superscript(exponent: &Notation) -> Option<String> {
    let (sign, exponent) = match exponent {
        Notation::Negative(inner) => ("⁻", &**inner),
        other => ("", other),
    };
    let Notation::Number(value) = exponent else { return None };
    let digits = value.as_integer()?.to_string();
    let raised = digits.chars().map(|c| match c {
        '0' => Some('⁰'),
        '1' => Some('¹'),
        '2' => Some('²'),
        '3' => Some('³'),
        _ => c.to_digit(10).and_then(|d| char::from_u32(u32::from('⁴') + d - 4)),
    });
    Some(sign.to_owned() + &raised.collect::<Option<String>>()?)
}

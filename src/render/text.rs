//! Notation as text of the language: brackets exactly where the grammar needs them, so that it reads back as it was.

use super::notation::Notation;
use crate::number::Number;

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Comparison,
    Sum,
    Product,
    Power,
    Postfix,
}

/// The formula in the language.
pub fn text(notation: &Notation) -> String {
    let mut out = String::with_capacity(64);
    write(&mut out, notation, Level::Comparison);
    out
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

fn level(notation: &Notation) -> Level {
    match notation {
        Notation::Equation(_) | Notation::Compare(..) => Level::Comparison,
        Notation::Sum(_) | Notation::Negative(_) => Level::Sum,
        Notation::Product(_) | Notation::Quotient(..) | Notation::Hadamard(_) | Notation::HadamardQuotient(..) => {
            Level::Product
        }
        Notation::Number(Number::Ratio(n, d)) if *d != 1 && decimal(*n, *d).is_none() => Level::Product,
        Notation::Grouped(inner) => level(inner),
        Notation::Broadcast(_, short) => level(short),
        Notation::Power(..) | Notation::HadamardPower(..) => Level::Power,
        Notation::Transpose(_) => Level::Postfix,
        _ => Level::Postfix,
    }
}

fn bracketed(out: &mut String, notation: &Notation) {
    out.push('(');
    write(out, notation, Level::Comparison);
    out.push(')');
}

fn write(out: &mut String, notation: &Notation, least: Level) {
    if level(notation) < least {
        return bracketed(out, notation);
    }
    match notation {
        Notation::Number(value) => out.push_str(&number_text(*value)),
        Notation::Pi => out.push_str("pi"),
        Notation::Euler => out.push('e'),
        Notation::Name(name) => out.push_str(name),
        Notation::Differential(name) => {
            out.push('d');
            out.push_str(name);
        }
        Notation::Negative(inner) => {
            out.push('-');
            write(out, inner, Level::Product);
        }
        Notation::Sum(terms) => {
            for (i, (minus, term)) in terms.iter().enumerate() {
                let (minus, term) = match term {
                    Notation::Negative(inner) => (!minus, &**inner),
                    _ => (*minus, term),
                };
                match (i, minus) {
                    (0, false) => {}
                    (0, true) => out.push('-'),
                    (_, false) => out.push_str(" + "),
                    (_, true) => out.push_str(" - "),
                }
                write(out, term, Level::Product);
            }
        }
        Notation::Product(factors) => {
            for (i, factor) in factors.iter().enumerate() {
                if i > 0 {
                    out.push('*');
                    write(out, factor, Level::Power);
                } else if by_elements(factor) {
                    bracketed(out, factor);
                } else {
                    write(out, factor, Level::Product);
                }
            }
        }
        Notation::Grouped(inner) => write(out, inner, least),
        Notation::Quotient(above, below) => {
            if by_elements(above) {
                bracketed(out, above)
            } else {
                write(out, above, Level::Product)
            }
            out.push('/');
            write(out, below, Level::Power);
        }
        Notation::Hadamard(factors) => {
            for (i, factor) in factors.iter().enumerate() {
                if i > 0 {
                    out.push_str(" .* ");
                    write(out, factor, Level::Power);
                } else {
                    first_of_elements(out, factor);
                }
            }
        }
        Notation::HadamardQuotient(above, below) => {
            first_of_elements(out, above);
            out.push_str(" ./ ");
            write(out, below, Level::Power);
        }
        Notation::Power(base, exponent) => {
            write(out, base, Level::Postfix);
            out.push('^');
            write_exponent(out, exponent);
        }
        Notation::HadamardPower(base, exponent) => {
            write(out, base, Level::Postfix);
            out.push_str(".^");
            write_exponent(out, exponent);
        }
        Notation::Transpose(inner) => {
            write(out, inner, Level::Postfix);
            out.push('\'');
        }
        Notation::Inverse(inner) => call(out, "inv", &[inner], false),
        Notation::Root(inner) => call(out, "sqrt", &[inner], false),
        Notation::Compare(comparison, a, b) => {
            write(out, a, Level::Sum);
            out.push(' ');
            out.push_str(comparison.text());
            out.push(' ');
            write(out, b, Level::Sum);
        }
        Notation::Call { function, arguments, columns } => {
            let arguments: Vec<&Notation> = arguments.iter().collect();
            call(out, function, &arguments, *columns);
        }
        Notation::Identity(n) => call(out, "eye", &[n], false),
        Notation::Ones(m, n) => filled(out, "ones", m, n.as_deref()),
        Notation::Zeros(m, n) => filled(out, "zeros", m, n.as_deref()),
        Notation::Unit(n, i) => call(out, "unit", &[n, &Notation::Name(i.to_string())], false),
        Notation::Blocks(rows) => {
            out.push('[');
            for (i, row) in rows.iter().enumerate() {
                if i > 0 {
                    out.push_str("; ");
                }
                for (j, block) in row.iter().enumerate() {
                    if j > 0 {
                        out.push_str(", ");
                    }
                    write(out, block, Level::Comparison);
                }
            }
            out.push(']');
        }
        Notation::Broadcast(_, short) => write(out, short, least),
        Notation::Partial(of, wrt) => {
            out.push('∂');
            out.push_str(of);
            out.push_str("/∂");
            out.push_str(wrt);
        }
        Notation::DifferentialOf(inner) => {
            out.push_str("d(");
            write(out, inner, Level::Comparison);
            out.push(')');
        }
        Notation::Equation(sides) => {
            for (i, side) in sides.iter().enumerate() {
                if i > 0 {
                    out.push_str(" = ");
                }
                write(out, side, Level::Sum);
            }
        }
    }
}

/// Whether a product by elements would stand open in front of a matrix product: legal, and hard to read.
fn by_elements(notation: &Notation) -> bool {
    match notation {
        Notation::Hadamard(_) | Notation::HadamardQuotient(..) => true,
        Notation::Grouped(inner) | Notation::Broadcast(_, inner) => by_elements(inner),
        _ => false,
    }
}

/// The first operand of .* or ./: a product in brackets, unless it is a number times one thing.
fn first_of_elements(out: &mut String, notation: &Notation) {
    let open = match notation {
        Notation::Product(factors) => {
            factors.iter().filter(|f| !matches!(f, Notation::Number(_) | Notation::Quotient(..))).count() <= 1
        }
        Notation::Quotient(..) => false,
        _ => true,
    };
    if open { write(out, notation, Level::Product) } else { bracketed(out, notation) }
}

fn write_exponent(out: &mut String, exponent: &Notation) {
    match exponent {
        Notation::Number(_) | Notation::Name(_) => write(out, exponent, Level::Power),
        _ => bracketed(out, exponent),
    }
}

fn filled(out: &mut String, function: &str, m: &Notation, n: Option<&Notation>) {
    match n {
        Some(n) => call(out, function, &[m, n], false),
        None if function == "zeros" => call(out, function, &[m, &Notation::Number(Number::ONE)], false),
        None => call(out, function, &[m], false),
    }
}

fn call(out: &mut String, function: &str, arguments: &[&Notation], columns: bool) {
    out.push_str(function);
    out.push('(');
    for (i, argument) in arguments.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(out, argument, Level::Comparison);
    }
    if columns {
        out.push_str(", axis=0");
    }
    out.push(')');
}

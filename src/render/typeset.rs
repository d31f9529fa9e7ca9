//! A formula as a typesetter lays it out: brackets and their sizes, fractions, indices and raised signs, and the spaces
//! between factors are decided here, once for LaTeX and MathML, which only spell the pieces.

use super::indices;
use super::names;
use super::notation::Notation;
use super::readers::{Reader, for_reader};
use super::text::{as_fraction, number_text};
use crate::number::Number;
use crate::syntax::ast::Comparison;

/// A piece of a formula in two dimensions.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Side by side.
    Row(Vec<Piece>),
    /// A variable of one letter, slanted.
    Letter(char),
    /// A name of several letters, or a constant: upright.
    Word(String),
    /// A bold sign: ones, zeros, a unit vector.
    Bold(char),
    /// A function's name in front of its argument.
    Operation(String),
    /// Digits.
    Digits(String),
    /// A minus as a sign.
    Minus,
    /// An operator between two operands.
    Binary(char),
    /// A relation between two sides.
    Relation(char),
    /// A sign with no space around it.
    Plain(char),
    /// A comma between arguments or indices.
    Comma,
    /// A little space between two factors.
    Thin,
    /// No space, but a product.
    Times,
    /// The sign of a transpose.
    Top,
    /// An index and a raised part.
    Scripts {
        /// What carries them.
        base: Box<Piece>,
        /// The index.
        below: Option<Box<Piece>>,
        /// The raised part.
        above: Option<Box<Piece>>,
    },
    /// A fraction.
    Fraction(Box<Piece>, Box<Piece>),
    /// A root.
    Root(Box<Piece>),
    /// Something in brackets or bars.
    Fenced {
        /// The left bracket.
        open: char,
        /// What is inside.
        inner: Box<Piece>,
        /// The right bracket.
        close: char,
        /// How large the brackets are.
        size: Size,
    },
    /// Rows of a block matrix.
    Table(Vec<Vec<Piece>>),
    /// The d of a differential and what it is of.
    Differential(Box<Piece>),
    /// Something left out.
    Dots,
}

/// How large brackets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As the line.
    Normal,
    /// One step larger than brackets inside.
    Larger,
    /// As tall as what is inside.
    Tall,
}

/// A numerator wider than this, in characters, stands behind its fraction: (1/N) tr(…).
const WIDEST_NUMERATOR: usize = 12;

/// Lays a formula out for a book.
pub fn typeset(notation: &Notation) -> Piece {
    piece(&for_reader(notation, Reader::Book))
}

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Equation,
    Sum,
    Product,
    Factor,
}

fn level(notation: &Notation) -> Level {
    match notation {
        Notation::Equation(_) => Level::Equation,
        Notation::Sum(_) | Notation::Negative(_) => Level::Sum,
        Notation::Product(_) | Notation::Hadamard(_) | Notation::HadamardQuotient(..) | Notation::SumOver(..) => {
            Level::Product
        }
        Notation::Call { function: "kron", .. } => Level::Product,
        Notation::Quotient(above, below) if is_split(above, below) => Level::Product,
        _ => Level::Factor,
    }
}

/// Whether the form carries a raised sign without brackets around it.
fn is_base(notation: &Notation) -> bool {
    match notation {
        Notation::Name(_)
        | Notation::Pi
        | Notation::Euler
        | Notation::Identity(_)
        | Notation::Ones(..)
        | Notation::Zeros(..)
        | Notation::Unit(..)
        | Notation::Blocks(_)
        | Notation::Compare(..)
        | Notation::Elided => true,
        Notation::Number(value) => as_fraction(*value).is_none() && !number_text(*value).contains('e'),
        Notation::Call { function, .. } => !matches!(*function, "kron" | "normsq" | "square" | "pinv" | "recip"),
        _ => false,
    }
}

pub(super) fn piece(notation: &Notation) -> Piece {
    match notation {
        Notation::Number(value) => number(*value),
        Notation::Pi => Piece::Letter('π'),
        Notation::Euler => Piece::Word("e".to_owned()),
        Notation::Name(text) => name(text),
        Notation::Differential(text) => Piece::Differential(Box::new(name(text))),
        Notation::Negative(inner) => Piece::Row(vec![Piece::Minus, at_least(inner, Level::Product)]),
        Notation::Sum(terms) => sum(terms),
        Notation::Product(factors) => product(factors),
        Notation::Quotient(above, below) => quotient(above, below),
        Notation::Hadamard(factors) => {
            let mut row = Vec::with_capacity(2 * factors.len());
            for (i, factor) in factors.iter().enumerate() {
                if i > 0 {
                    row.push(Piece::Binary('⊙'));
                }
                row.push(of_elements(factor, i == 0));
            }
            Piece::Row(row)
        }
        Notation::HadamardQuotient(above, below) => {
            Piece::Row(vec![of_elements(above, true), Piece::Binary('⊘'), of_elements(below, false)])
        }
        Notation::Power(base, exponent) => raised(in_base(base), script(exponent)),
        Notation::HadamardPower(base, exponent) => {
            raised(in_base(base), Piece::Row(vec![Piece::Plain('⊙'), at_least_in_script(exponent)]))
        }
        Notation::Transpose(inner) => transpose(inner),
        Notation::Inverse(inner) => raised(in_base(inner), inverse()),
        Notation::Root(inner) => Piece::Root(Box::new(piece(inner))),
        Notation::Compare(comparison, a, b) => {
            let sign = match comparison {
                Comparison::Greater => '>',
                Comparison::GreaterEqual => '≥',
                Comparison::Less => '<',
                Comparison::LessEqual => '≤',
                Comparison::Equal => '=',
                Comparison::NotEqual => '≠',
            };
            fenced('[', Piece::Row(vec![at_least(a, Level::Sum), Piece::Relation(sign), at_least(b, Level::Sum)]), ']')
        }
        Notation::Call { function, arguments, columns } => call(function, arguments, *columns),
        Notation::Identity(n) => indexed(Piece::Letter('I'), piece(n)),
        Notation::Ones(m, n) => filled('1', m, n.as_deref()),
        Notation::Zeros(m, n) => filled('0', m, n.as_deref()),
        Notation::Unit(_, i) => indexed(Piece::Bold('e'), Piece::Digits(i.to_string())),
        Notation::Blocks(rows) => {
            let table = rows.iter().map(|row| row.iter().map(piece).collect()).collect();
            fenced('[', Piece::Table(table), ']')
        }
        Notation::Partial(..)
        | Notation::SecondPartial(..)
        | Notation::Stacked(_)
        | Notation::PartialEntries { .. }
        | Notation::Indexed(..)
        | Notation::Delta(..)
        | Notation::SumOver(..) => indices::piece(notation),
        Notation::Applied { map, transposed, to } => {
            let map = match transposed {
                false => piece(map),
                true => raised(fenced('(', piece(map), ')'), Piece::Top),
            };
            Piece::Row(vec![map, fenced('[', piece(to), ']')])
        }
        Notation::DifferentialOf(inner) => {
            let open = match &**inner {
                Notation::Name(_) | Notation::Blocks(_) => true,
                Notation::Call { .. } => is_base(inner),
                _ => false,
            };
            let inner = if open { piece(inner) } else { fenced('(', piece(inner), ')') };
            Piece::Differential(Box::new(inner))
        }
        Notation::Equation(sides) => {
            let mut row = Vec::with_capacity(2 * sides.len());
            for (i, side) in sides.iter().enumerate() {
                if i > 0 {
                    row.push(Piece::Relation('='));
                }
                row.push(piece(side));
            }
            Piece::Row(row)
        }
        Notation::Elided => Piece::Dots,
        Notation::Grouped(inner) | Notation::Broadcast(inner, _) | Notation::Sums(inner, _) => piece(inner),
    }
}

/// The piece, in brackets where it binds looser than that.
fn at_least(notation: &Notation, least: Level) -> Piece {
    if level(notation) < least { fenced('(', piece(notation), ')') } else { piece(notation) }
}

pub(super) fn in_base(notation: &Notation) -> Piece {
    if is_base(notation) { piece(notation) } else { fenced('(', piece(notation), ')') }
}

fn number(value: Number) -> Piece {
    if let Some((n, d)) = as_fraction(value) {
        return Piece::Fraction(Box::new(Piece::Digits(n.to_string())), Box::new(Piece::Digits(d.to_string())));
    }
    let text = number_text(value);
    let Some((mantissa, exponent)) = text.split_once('e') else { return Piece::Digits(text) };
    let exponent = match exponent.strip_prefix('-') {
        Some(digits) => Piece::Row(vec![Piece::Minus, Piece::Digits(digits.to_owned())]),
        None => Piece::Digits(exponent.to_owned()),
    };
    let power = raised(Piece::Digits("10".to_owned()), exponent);
    match mantissa {
        "1" | "1.0" => power,
        _ => Piece::Row(vec![Piece::Digits(mantissa.to_owned()), Piece::Binary('·'), power]),
    }
}

/// A name with its indices.
pub fn name(text: &str) -> Piece {
    let word = |text: &str| {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if letter.is_alphabetic() => Piece::Letter(letter),
            _ if text == "f*" => raised(Piece::Letter('f'), Piece::Plain('∗')),
            _ => Piece::Word(text.to_owned()),
        }
    };
    let parts = names::parts(text);
    let mut below = Vec::new();
    for (letters, digits) in &parts.below {
        if !below.is_empty() {
            below.push(Piece::Comma);
        }
        below.push(match (letters.is_empty(), digits.is_empty()) {
            (true, _) => Piece::Digits(digits.clone()),
            (false, true) => word(letters),
            (false, false) => indexed(word(letters), Piece::Digits(digits.clone())),
        });
    }
    let base = word(&parts.base);
    match below.len() {
        0 => base,
        1 => indexed(base, below.remove(0)),
        _ => indexed(base, Piece::Row(below)),
    }
}

fn sum(terms: &[(bool, Notation)]) -> Piece {
    let mut row = Vec::with_capacity(2 * terms.len());
    for (i, (minus, term)) in terms.iter().enumerate() {
        let (minus, term) = match term {
            Notation::Negative(inner) => (!minus, &**inner),
            _ => (*minus, term),
        };
        match (i, minus) {
            (0, false) => {}
            (0, true) => row.push(Piece::Minus),
            (_, false) => row.push(Piece::Binary('+')),
            (_, true) => row.push(Piece::Binary('−')),
        }
        row.push(at_least(term, Level::Product));
    }
    Piece::Row(row)
}

fn product(factors: &[Notation]) -> Piece {
    let mut row: Vec<Piece> = Vec::with_capacity(2 * factors.len());
    let mut before: Option<&Notation> = None;
    for factor in factors {
        let next = at_least(factor, Level::Factor);
        if let (Some(before), Some(last)) = (before, row.last()) {
            row.push(between(before, last, factor, &next));
        }
        row.push(next);
        before = Some(factor);
    }
    Piece::Row(row)
}

/// What stands between two factors.
fn between(before: &Notation, last: &Piece, factor: &Notation, next: &Piece) -> Piece {
    let is_word = |p: &Piece| match p {
        Piece::Word(_) => true,
        Piece::Scripts { base, .. } => matches!(**base, Piece::Word(_)),
        _ => false,
    };
    let digits = |p: &Piece| match p {
        Piece::Digits(_) => true,
        Piece::Scripts { base, .. } => matches!(**base, Piece::Digits(_)),
        _ => false,
    };
    let fraction = |p: &Piece| matches!(p, Piece::Fraction(..));
    let open = |p: &Piece| matches!(p, Piece::Fenced { open: '(' | '[', .. });
    let moves = |n: &Notation| match n {
        Notation::Differential(_) | Notation::DifferentialOf(_) => true,
        Notation::Transpose(inner) => matches!(**inner, Notation::Differential(_)),
        _ => false,
    };
    if (digits(last) || fraction(last)) && (digits(next) || fraction(next)) {
        return Piece::Binary('·');
    }
    let name_before_bracket = matches!(before, Notation::Name(_)) && open(next);
    let call = |n: &Notation| matches!(n, Notation::Call { .. });
    let scalar_in_brackets = matches!(before, Notation::Product(_)) && open(last);
    let blocks = matches!((before, factor), (Notation::Blocks(_), Notation::Blocks(_)));
    if blocks
        || scalar_in_brackets
        || fraction(last)
        || fraction(next)
        || moves(before)
        || moves(factor)
        || is_word(last)
        || is_word(next)
        || name_before_bracket
        || call(before)
        || call(factor)
    {
        Piece::Thin
    } else {
        Piece::Times
    }
}

/// Whether the numerator is better set behind the fraction.
fn is_split(above: &Notation, below: &Notation) -> bool {
    if let Notation::Call { function: "tr" | "sum" | "dot" | "logdet", .. } = above {
        return true;
    }
    let mut left = WIDEST_NUMERATOR;
    if take(above, &mut left) {
        return false;
    }
    let mut left = 2 * WIDEST_NUMERATOR;
    take(below, &mut left)
}

/// Takes the width of a formula, roughly, out of what is left; false where it does not fit.
fn take(notation: &Notation, left: &mut usize) -> bool {
    let own = match notation {
        Notation::Name(text) | Notation::Differential(text) => names::parts(text).base.chars().count(),
        Notation::Number(value) => number_text(*value).len(),
        Notation::Call { function, .. } => function.len() + 2,
        Notation::Sum(terms) => 3 * terms.len(),
        Notation::Hadamard(factors) => 3 * factors.len(),
        Notation::HadamardQuotient(..) | Notation::Compare(..) | Notation::DifferentialOf(_) => 3,
        Notation::Product(_) | Notation::Sums(..) | Notation::Broadcast(..) => 0,
        _ => 1,
    };
    let Some(rest) = left.checked_sub(own) else { return false };
    *left = rest;
    let mut fits = true;
    notation.each(&mut |inner| fits = fits && take(inner, left));
    fits
}

fn quotient(above: &Notation, below: &Notation) -> Piece {
    let (top, bottom) = (piece(above), piece(below));
    if !is_split(above, below) {
        return Piece::Fraction(Box::new(top), Box::new(bottom));
    }
    // A fraction in front of the numerator takes the divisor in.
    if let Notation::Product(factors) = above
        && let Some((Notation::Quotient(lead, first), rest)) = factors.split_first()
        && !rest.is_empty()
    {
        let mut divisors = Vec::new();
        for divisor in [&**first, below] {
            match divisor {
                Notation::Product(list) => divisors.extend(list.iter().cloned()),
                other => divisors.push(other.clone()),
            }
        }
        let whole = [Notation::Quotient(lead.clone(), Box::new(Notation::Product(divisors)))];
        return product(&whole.iter().chain(rest).cloned().collect::<Vec<_>>());
    }
    let (lead, rest) = match above {
        Notation::Product(factors) => match factors.split_first() {
            Some((lead @ Notation::Number(k), rest)) if as_fraction(*k).is_none() => {
                (piece(lead), if rest.len() == 1 { at_least(&rest[0], Level::Factor) } else { product(rest) })
            }
            _ => (Piece::Digits("1".to_owned()), top),
        },
        Notation::Hadamard(_) | Notation::HadamardQuotient(..) => {
            (Piece::Digits("1".to_owned()), fenced('(', top, ')'))
        }
        _ => (Piece::Digits("1".to_owned()), at_least(above, Level::Product)),
    };
    Piece::Row(vec![Piece::Fraction(Box::new(lead), Box::new(bottom)), Piece::Thin, rest])
}

/// An operand of ⊙ or ⊘; the first may be a number times one thing.
fn of_elements(notation: &Notation, first: bool) -> Piece {
    let open = match notation {
        Notation::Product(factors) => {
            first && factors.iter().filter(|f| !matches!(f, Notation::Number(_) | Notation::Quotient(..))).count() <= 1
        }
        Notation::Hadamard(_) | Notation::HadamardQuotient(..) => first,
        other => level(other) >= Level::Factor,
    };
    if open { piece(notation) } else { fenced('(', piece(notation), ')') }
}

fn transpose(inner: &Notation) -> Piece {
    match inner {
        Notation::Inverse(inner) => raised(in_base(inner), Piece::Row(vec![Piece::Minus, Piece::Top])),
        Notation::Differential(text) => Piece::Differential(Box::new(raised(name(text), Piece::Top))),
        other => raised(in_base(other), Piece::Top),
    }
}

fn inverse() -> Piece {
    Piece::Row(vec![Piece::Minus, Piece::Digits("1".to_owned())])
}

/// An exponent, with fractions on one line.
fn script(exponent: &Notation) -> Piece {
    match exponent {
        Notation::Negative(inner) => Piece::Row(vec![Piece::Minus, at_least_in_script(inner)]),
        Notation::Quotient(a, b) => Piece::Row(vec![at_least_in_script(a), Piece::Plain('/'), at_least_in_script(b)]),
        Notation::Number(value) => match as_fraction(*value) {
            Some((n, d)) => {
                Piece::Row(vec![Piece::Digits(n.to_string()), Piece::Plain('/'), Piece::Digits(d.to_string())])
            }
            None => number(*value),
        },
        other => piece(other),
    }
}

fn at_least_in_script(notation: &Notation) -> Piece {
    match notation {
        Notation::Number(_) => script(notation),
        Notation::Quotient(..) => fenced('(', script(notation), ')'),
        other => at_least(other, Level::Factor),
    }
}

fn call(function: &'static str, arguments: &[Notation], columns: bool) -> Piece {
    let inside = || {
        let mut row = Vec::with_capacity(2 * arguments.len());
        for (i, argument) in arguments.iter().enumerate() {
            if i > 0 {
                row.push(Piece::Comma);
            }
            row.push(piece(argument));
        }
        if row.len() == 1 { row.remove(0) } else { Piece::Row(row) }
    };
    let bars = |open: char| fenced(open, inside(), open);
    let operation = |text: &str| Piece::Operation(text.to_owned());
    match (function, arguments) {
        ("abs", _) => bars('|'),
        ("norm", _) => bars('‖'),
        ("norm1", _) => indexed(bars('‖'), Piece::Digits("1".to_owned())),
        ("normsq", _) => raised(bars('‖'), Piece::Digits("2".to_owned())),
        ("dot", _) => fenced('⟨', inside(), '⟩'),
        ("square", [a]) => raised(in_base(a), Piece::Row(vec![Piece::Plain('⊙'), Piece::Digits("2".to_owned())])),
        ("inv", [a]) => raised(in_base(a), inverse()),
        ("pinv", [a]) => raised(in_base(a), Piece::Plain('+')),
        ("sqrt", _) => Piece::Root(Box::new(inside())),
        // Maps that a rule speaks of.
        ("f", _) => Piece::Row(vec![Piece::Letter('f'), fenced('(', inside(), ')')]),
        ("f*", _) => Piece::Row(vec![raised(Piece::Letter('f'), Piece::Plain('∗')), fenced('(', inside(), ')')]),
        ("phi", _) => Piece::Row(vec![Piece::Letter('φ'), fenced('(', inside(), ')')]),
        ("transpose", [a]) => transpose(a),
        ("kron", [a, b]) => {
            Piece::Row(vec![at_least(a, Level::Factor), Piece::Binary('⊗'), at_least(b, Level::Factor)])
        }
        ("logdet", _) => Piece::Row(vec![operation("log"), Piece::Thin, operation("det"), fenced('(', inside(), ')')]),
        ("reshape", [a, m, n]) => {
            let size = Piece::Row(vec![at_least(m, Level::Factor), Piece::Binary('×'), at_least(n, Level::Factor)]);
            Piece::Row(vec![indexed(operation("reshape"), size), fenced('(', piece(a), ')')])
        }
        _ => {
            let name = if columns {
                indexed(operation(function), Piece::Word("cols".to_owned()))
            } else {
                operation(function)
            };
            Piece::Row(vec![name, fenced('(', inside(), ')')])
        }
    }
}

fn filled(sign: char, m: &Notation, n: Option<&Notation>) -> Piece {
    if *m == Notation::Name(String::new()) {
        return Piece::Bold(sign);
    }
    let size = match n {
        None => piece(m),
        Some(n) => Piece::Row(vec![at_least(m, Level::Factor), Piece::Binary('×'), at_least(n, Level::Factor)]),
    };
    indexed(Piece::Bold(sign), size)
}

pub(super) fn indexed(base: Piece, index: Piece) -> Piece {
    Piece::Scripts { base: Box::new(base), below: Some(Box::new(index)), above: None }
}

/// With a raised part: beside an index if there is one, behind the bracket of a function's argument.
pub(super) fn raised(base: Piece, above: Piece) -> Piece {
    match base {
        Piece::Scripts { base, below, above: None } => Piece::Scripts { base, below, above: Some(Box::new(above)) },
        Piece::Row(mut row) if matches!(row.last(), Some(Piece::Fenced { .. })) => {
            if let Some(last) = row.pop() {
                row.push(raised(last, above));
            }
            Piece::Row(row)
        }
        other => Piece::Scripts { base: Box::new(other), below: None, above: Some(Box::new(above)) },
    }
}

fn fenced(open: char, inner: Piece, close: char) -> Piece {
    let size = if is_tall(&inner) {
        Size::Tall
    } else if open == '(' && has_bracket(&inner) {
        Size::Larger
    } else {
        Size::Normal
    };
    Piece::Fenced { open, inner: Box::new(inner), close, size }
}

/// Whether a function's name stands first.
pub(super) fn starts_with_operation(piece: &Piece) -> bool {
    match piece {
        Piece::Operation(_) => true,
        Piece::Scripts { base, .. } => starts_with_operation(base),
        Piece::Row(row) => row.first().is_some_and(starts_with_operation),
        _ => false,
    }
}

/// Whether a piece is taller than a line.
fn is_tall(piece: &Piece) -> bool {
    match piece {
        Piece::Fraction(..) | Piece::Table(_) => true,
        Piece::Fenced { size, .. } => *size == Size::Tall,
        Piece::Row(row) => row.iter().any(is_tall),
        Piece::Scripts { base, .. } | Piece::Differential(base) | Piece::Root(base) => is_tall(base),
        _ => false,
    }
}

/// Whether a round bracket stands in the line, not in an index.
fn has_bracket(piece: &Piece) -> bool {
    match piece {
        Piece::Fenced { open: '(', .. } => true,
        Piece::Fenced { inner, .. } | Piece::Root(inner) | Piece::Differential(inner) => has_bracket(inner),
        Piece::Row(row) => row.iter().any(has_bracket),
        Piece::Scripts { base, .. } => has_bracket(base),
        _ => false,
    }
}

/// How wide a piece is, roughly, in characters.
pub fn width(piece: &Piece) -> usize {
    match piece {
        Piece::Row(row) => row.iter().map(width).sum(),
        Piece::Word(text) | Piece::Operation(text) | Piece::Digits(text) => text.chars().count(),
        Piece::Binary(_) | Piece::Relation(_) => 3,
        Piece::Thin | Piece::Times => 0,
        Piece::Scripts { base, below, above } => {
            let script = |p: &Option<Box<Piece>>| p.as_ref().map_or(0, |p| width(p));
            width(base) + script(below).max(script(above)).div_ceil(2)
        }
        Piece::Fraction(a, b) => width(a).max(width(b)),
        Piece::Root(inner) | Piece::Differential(inner) => 1 + width(inner),
        Piece::Fenced { inner, .. } => 2 + width(inner),
        Piece::Table(rows) => rows.iter().map(|row| row.iter().map(|p| 2 + width(p)).sum()).max().unwrap_or(0),
        _ => 1,
    }
}

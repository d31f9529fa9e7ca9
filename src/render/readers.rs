//! One notation tree for several readers: the language's parser, who reads a page of text, who reads a book. What stands in
//! the tree in two forms is decided here, and what only the parser needs is dropped.

use super::notation::Notation;
use super::text::as_fraction;
use crate::number::Number;

/// Who reads a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The parser: the shortest text that means the same.
    Parser,
    /// A person in the language: broadcasts are written out, numbers aside; brackets that are there for the cost of a product
    /// are dropped.
    Page,
    /// A person in a book's notation: broadcasts and sums along rows or columns are products with ones; brackets that are
    /// there for the cost of a product are dropped.
    Book,
}

/// A formula in a book is cut where it is nested deeper than this: nobody reads on, and writers need no more stack.
const DEEPEST_IN_A_BOOK: usize = 120;

/// The tree as a reader sees it; no `Broadcast` and no `Sums` is left in it, and no `Grouped` for a book.
pub fn for_reader(notation: &Notation, reader: Reader) -> Notation {
    below(notation, reader, 0)
}

fn below(notation: &Notation, reader: Reader, depth: usize) -> Notation {
    if reader == Reader::Book && depth > DEEPEST_IN_A_BOOK {
        return Notation::Elided;
    }
    let inner = |a: &Notation| below(a, reader, depth + 1);
    match notation {
        Notation::Broadcast(explicit, short) => match (reader, &**short) {
            (Reader::Parser, _) | (Reader::Page, Notation::Number(_)) => inner(short),
            _ => inner(explicit),
        },
        Notation::Sums(explicit, _) if reader == Reader::Book => inner(explicit),
        Notation::Sums(_, call) => inner(call),
        Notation::Grouped(a) if reader != Reader::Parser => inner(a),
        Notation::Product(factors) if reader != Reader::Parser => {
            let mut flat = Vec::with_capacity(factors.len());
            for (i, factor) in factors.iter().enumerate() {
                // A scalar that is itself a chain of factors keeps its brackets in front of others: (w'x) S w.
                let last = i + 1 == factors.len();
                let open = match factor {
                    Notation::Grouped(_) => true,
                    Notation::Sums(_, call) => last || !matches!(**call, Notation::Call { function: "sum", .. }),
                    _ => last,
                };
                match inner(factor) {
                    Notation::Product(list) if open => flat.extend(list),
                    other => flat.push(other),
                }
            }
            Notation::Product(flat)
        }
        Notation::Ones(m, Some(n)) if reader == Reader::Book && **m == Notation::Number(Number::ONE) => {
            Notation::Transpose(Box::new(Notation::Ones(n.clone(), None)))
        }
        Notation::Quotient(above, below) if reader == Reader::Book => quotient(inner(above), inner(below)),
        other => other.map(&inner),
    }
}

/// above / below with no fraction of numbers above: its divisor goes below.
fn quotient(above: Notation, below: Notation) -> Notation {
    let (number, rest) = match above {
        Notation::Number(k) => (k, Vec::new()),
        Notation::Product(factors) => match factors.split_first() {
            Some((Notation::Number(k), rest)) => (*k, rest.to_vec()),
            _ => return Notation::Quotient(Box::new(Notation::Product(factors)), Box::new(below)),
        },
        above => return Notation::Quotient(Box::new(above), Box::new(below)),
    };
    let joined = |number: Number, mut rest: Vec<Notation>| {
        if !number.is_one() || rest.is_empty() {
            rest.insert(0, Notation::Number(number));
        }
        if rest.len() == 1 { rest.remove(0) } else { Notation::Product(rest) }
    };
    let Some((n, d)) = as_fraction(number) else {
        return Notation::Quotient(Box::new(joined(number, rest)), Box::new(below));
    };
    let below = match below {
        Notation::Product(factors) => factors,
        other => vec![other],
    };
    let below = joined(Number::integer(d), below);
    Notation::Quotient(Box::new(joined(Number::integer(n), rest)), Box::new(below))
}

//! A formula in Typst's mathematics, from the same layout as LaTeX's. Pieces stand apart by spaces, which Typst does not show:
//! letters side by side would be one name, and a name before a bracket a call.

use super::notation::Notation;
use super::typeset::{Piece, starts_with_operation, typeset};

/// The formula in Typst, without dollars.
pub fn typst(notation: &Notation) -> String {
    let mut out = Typst { text: String::with_capacity(128) };
    out.piece(&typeset(notation));
    out.text
}

struct Typst {
    text: String,
}

impl Typst {
    /// Appends, apart from what stands before.
    fn push(&mut self, part: &str) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '(']) {
            self.text.push(' ');
        }
        self.text.push_str(part);
    }

    /// `name(…)`
    fn call(&mut self, name: &str, parts: &[&Piece]) {
        self.push(name);
        self.text.push('(');
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                self.text.push_str(", ");
            }
            self.piece(part);
        }
        self.text.push(')');
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Row(row) => {
                for (i, part) in row.iter().enumerate() {
                    // Typst puts a little space before an operator's name by itself.
                    if *part == Piece::Thin && row.get(i + 1).is_some_and(starts_with_operation) {
                        continue;
                    }
                    self.piece(part);
                }
            }
            Piece::Letter(letter) => self.push(letter.encode_utf8(&mut [0; 4])),
            Piece::Word(text) => self.push(&format!("upright({})", quoted(text))),
            Piece::Bold(sign) => self.push(&format!("bold(upright({}))", quoted(&sign.to_string()))),
            Piece::Operation(text) => self.push(&format!("op({})", quoted(text))),
            Piece::Digits(digits) => self.push(digits),
            Piece::Minus => self.push("-"),
            Piece::Binary(sign) | Piece::Relation(sign) | Piece::Plain(sign) => self.push(&spelled(*sign)),
            Piece::Comma => self.text.push_str("\\,"),
            Piece::Thin => self.push("thin"),
            Piece::Times => {}
            Piece::Top => self.push("⊤"),
            Piece::Scripts { base, below, above } => {
                self.push("attach(");
                self.piece(base);
                for (place, script) in [("b", below), ("t", above)] {
                    if let Some(script) = script {
                        self.text.push_str(&format!(", {place}: "));
                        self.piece(script);
                    }
                }
                self.text.push(')');
            }
            Piece::Fraction(above, below) => self.call("frac", &[above, below]),
            Piece::Root(inner) => self.call("sqrt", &[inner]),
            Piece::Fenced { inner, .. } if matches!(**inner, Piece::Table(_)) => self.piece(inner),
            Piece::Fenced { open, inner, close, .. } => {
                self.push("lr(");
                self.text.push_str(&format!("{open} "));
                self.piece(inner);
                self.text.push_str(&format!(" {close})"));
            }
            Piece::Table(rows) => {
                self.push("mat(delim: \"[\", ");
                for (i, row) in rows.iter().enumerate() {
                    if i > 0 {
                        self.text.push_str("; ");
                    }
                    for (j, cell) in row.iter().enumerate() {
                        if j > 0 {
                            self.text.push_str(", ");
                        }
                        self.piece(cell);
                    }
                }
                self.text.push(')');
            }
            Piece::Differential(inner) => {
                self.push("upright(d)");
                self.piece(inner);
            }
            Piece::Dots => self.push("dots"),
        }
    }
}

/// A sign; some mean something else to Typst.
fn spelled(sign: char) -> String {
    match sign {
        '−' => "-".to_owned(),
        '·' => "dot.op".to_owned(),
        '/' => "\\/".to_owned(),
        sign => sign.to_string(),
    }
}

/// A string of Typst.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Words with the characters that Typst takes for marks made harmless.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]<>$#@~=/+-".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

//! A formula in MathML Core: rows, fractions, scripts and fences, with the invisible signs that a screen reader reads out.

use super::notation::Notation;
use super::text::text;
use super::typeset::{Piece, Size, starts_with_operation, typeset};

/// The formula as a display of its own; its text in the language is the alternative.
pub fn mathml(notation: &Notation) -> String {
    let alternative = escaped(&text(notation));
    let inner = spelled(&typeset(notation));
    format!(
        "<math xmlns=\"http://www.w3.org/1998/Math/MathML\" display=\"block\" alttext=\"{alternative}\">{inner}</math>"
    )
}

/// A laid out formula as MathML elements, without the `math` around them.
pub fn spelled(piece: &Piece) -> String {
    let mut out = String::with_capacity(256);
    write_group(&mut out, piece);
    out
}

/// Text with the characters of HTML made harmless.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

fn element(out: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    inside(out);
    out.push_str("</");
    // An attribute may stand behind the name.
    out.push_str(name.split(' ').next().unwrap_or(name));
    out.push('>');
}

fn token(out: &mut String, name: &str, text: &str) {
    element(out, name, |out| out.push_str(&escaped(text)));
}

/// One element.
fn write_group(out: &mut String, piece: &Piece) {
    match piece {
        Piece::Row(_) | Piece::Fenced { .. } | Piece::Differential(_) => {
            element(out, "mrow", |out| write(out, piece));
        }
        Piece::Thin | Piece::Times => element(out, "mrow", |_| {}),
        _ => write(out, piece),
    }
}

/// One or more elements side by side.
fn write(out: &mut String, piece: &Piece) {
    match piece {
        Piece::Row(row) => {
            for (i, piece) in row.iter().enumerate() {
                match piece {
                    // A bracketed group keeps its own row, so that its brackets are as tall as what they hold.
                    Piece::Fenced { .. } | Piece::Differential(_) => write_group(out, piece),
                    _ => write(out, piece),
                }
                let applied = is_operation(piece) && !row.get(i + 1).is_some_and(|next| *next == Piece::Thin);
                if applied {
                    out.push_str("<mo>&#x2061;</mo>");
                }
            }
        }
        Piece::Letter(letter) => token(out, "mi", &letter.to_string()),
        Piece::Word(text) => {
            let one = text.chars().count() == 1;
            token(out, if one { "mi mathvariant=\"normal\"" } else { "mi" }, text);
        }
        Piece::Bold('1') => token(out, "mn", "𝟏"),
        Piece::Bold('0') => token(out, "mn", "𝟎"),
        Piece::Bold('e') => token(out, "mi", "𝐞"),
        Piece::Bold(other) => token(out, "mi", &other.to_string()),
        Piece::Operation(text) => token(out, "mi", text),
        Piece::Digits(digits) => token(out, "mn", digits),
        Piece::Minus => token(out, "mo form=\"prefix\"", "−"),
        Piece::Binary('⊙') => token(out, "mo intent=\"hadamard-product\"", "⊙"),
        Piece::Binary('⊘') => token(out, "mo intent=\"hadamard-quotient\"", "⊘"),
        Piece::Binary(sign) | Piece::Relation(sign) => token(out, "mo", &sign.to_string()),
        Piece::Plain('∂') => token(out, "mi", "∂"),
        Piece::Plain(sign) => token(out, "mo lspace=\"0\" rspace=\"0\" form=\"prefix\"", &sign.to_string()),
        Piece::Comma => token(out, "mo separator=\"true\"", ","),
        Piece::Thin => out.push_str("<mo lspace=\"0.17em\" rspace=\"0\">&#x2062;</mo>"),
        Piece::Times => out.push_str("<mo>&#x2062;</mo>"),
        Piece::Top => token(out, "mo intent=\"transpose\" lspace=\"0\" rspace=\"0\"", "⊤"),
        Piece::Scripts { base, below, above } => {
            let (name, parts) = match (below, above) {
                (Some(below), Some(above)) => ("msubsup", vec![below, above]),
                (Some(below), None) => ("msub", vec![below]),
                (None, Some(above)) => ("msup", vec![above]),
                (None, None) => return write_group(out, base),
            };
            element(out, name, |out| {
                write_group(out, base);
                parts.into_iter().for_each(|part| write_group(out, part));
            });
        }
        Piece::Fraction(above, below) => element(out, "mfrac", |out| {
            write_group(out, above);
            write_group(out, below);
        }),
        Piece::Root(inner) => element(out, "msqrt", |out| write(out, inner)),
        Piece::Fenced { open, inner, close, size } => {
            let shape = match size {
                Size::Normal => "stretchy=\"false\"",
                Size::Larger => "stretchy=\"true\" minsize=\"1.25em\" maxsize=\"1.25em\"",
                Size::Tall => "stretchy=\"true\"",
            };
            token(
                out,
                &format!("mo fence=\"true\" form=\"prefix\" lspace=\"0\" rspace=\"0\" {shape}"),
                &open.to_string(),
            );
            write(out, inner);
            token(
                out,
                &format!("mo fence=\"true\" form=\"postfix\" lspace=\"0\" rspace=\"0\" {shape}"),
                &close.to_string(),
            );
        }
        Piece::Table(rows) => element(out, "mtable", |out| {
            for row in rows {
                element(out, "mtr", |out| {
                    for cell in row {
                        element(out, "mtd", |out| write_group(out, cell));
                    }
                });
            }
        }),
        Piece::Differential(inner) => {
            token(out, "mi mathvariant=\"normal\"", "d");
            if starts_with_operation(inner) {
                write(out, &Piece::Thin);
            }
            write(out, inner);
        }
        Piece::Dots => token(out, "mo", "…"),
    }
}

fn is_operation(piece: &Piece) -> bool {
    match piece {
        Piece::Operation(_) => true,
        Piece::Scripts { base, .. } => is_operation(base),
        _ => false,
    }
}

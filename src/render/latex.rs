//! A formula in LaTeX: amsmath is all it needs, and KaTeX sets it too.

use super::names::latex_greek;
use super::notation::Notation;
use super::typeset::{Piece, Size, starts_with_operation, typeset};

/// The formula in LaTeX, without dollars.
pub fn latex(notation: &Notation) -> String {
    spelled(&typeset(notation))
}

/// A laid out formula in LaTeX.
pub fn spelled(piece: &Piece) -> String {
    let mut out = Latex { text: String::with_capacity(128) };
    out.piece(piece);
    out.text
}

struct Latex {
    text: String,
}

impl Latex {
    /// Appends, with a space where a command would run into a letter.
    fn push(&mut self, part: &str) {
        let command = self.text.rfind('\\').is_some_and(|at| {
            let word = &self.text[at + 1..];
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic())
        });
        if command && part.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.text.push(' ');
        }
        self.text.push_str(part);
    }

    fn group(&mut self, piece: &Piece) {
        self.text.push('{');
        self.piece(piece);
        self.text.push('}');
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Row(row) => self.row(row),
            Piece::Letter(letter) => self.letter(*letter),
            Piece::Word(text) => self.push(&format!("\\mathrm{{{}}}", escaped(text))),
            Piece::Bold(sign) => self.push(&format!("\\mathbf{{{sign}}}")),
            Piece::Operation(text) => match text.as_str() {
                "exp" | "log" | "det" | "sin" | "cos" | "tan" | "sinh" | "cosh" | "tanh" | "max" | "min" => {
                    self.push(&format!("\\{text}"));
                }
                other => self.push(&format!("\\operatorname{{{}}}", escaped(other))),
            },
            Piece::Digits(digits) => self.push(digits),
            Piece::Minus => self.push("-"),
            Piece::Binary(sign) | Piece::Relation(sign) => {
                self.text.push(' ');
                self.push(command(*sign));
                self.text.push(' ');
            }
            Piece::Plain(sign) => self.push(command(*sign)),
            Piece::Comma => self.push(", "),
            Piece::Thin => self.push("\\,"),
            Piece::Times => {}
            Piece::Top => self.push("\\top"),
            Piece::Scripts { base, below, above } => {
                self.base(base);
                if let Some(below) = below {
                    self.push("_");
                    self.group(below);
                }
                if let Some(above) = above {
                    self.push("^");
                    match **above {
                        Piece::Top => self.push("\\top"),
                        _ => self.group(above),
                    }
                }
            }
            Piece::Fraction(above, below) => {
                self.push("\\frac");
                self.group(above);
                self.group(below);
            }
            Piece::Root(inner) => {
                self.push("\\sqrt");
                self.group(inner);
            }
            Piece::Fenced { inner, .. } if matches!(**inner, Piece::Table(_)) => self.piece(inner),
            Piece::Fenced { open, inner, close, size } => {
                let (left, right) = match size {
                    Size::Normal => ("", ""),
                    Size::Larger => ("\\bigl", "\\bigr"),
                    Size::Tall => ("\\left", "\\right"),
                };
                self.push(left);
                self.push(bracket(*open, true));
                self.piece(inner);
                self.push(right);
                self.push(bracket(*close, false));
            }
            Piece::Table(rows) => {
                self.push("\\begin{bmatrix} ");
                for (i, row) in rows.iter().enumerate() {
                    if i > 0 {
                        self.push(" \\\\ ");
                    }
                    for (j, cell) in row.iter().enumerate() {
                        if j > 0 {
                            self.push(" & ");
                        }
                        self.piece(cell);
                    }
                }
                self.push(" \\end{bmatrix}");
            }
            Piece::Differential(inner) => {
                self.push("\\mathrm{d}");
                self.piece(inner);
            }
            Piece::Dots => self.push("\\dots"),
        }
    }

    fn row(&mut self, row: &[Piece]) {
        for (i, piece) in row.iter().enumerate() {
            // TeX puts a little space before a function's name by itself.
            let next = row.get(i + 1);
            if *piece == Piece::Thin && next.is_some_and(starts_with_operation) {
                continue;
            }
            self.piece(piece);
        }
    }

    /// What carries an index: one token, or a group.
    fn base(&mut self, base: &Piece) {
        match base {
            Piece::Letter(_) | Piece::Word(_) | Piece::Bold(_) | Piece::Operation(_) | Piece::Fenced { .. } => {
                self.piece(base);
            }
            Piece::Digits(digits) if digits.len() == 1 => self.piece(base),
            _ => self.group(base),
        }
    }

    fn letter(&mut self, letter: char) {
        if letter.is_ascii() {
            return self.push(letter.encode_utf8(&mut [0; 4]));
        }
        match latex_greek(letter) {
            Some(command) => self.push(command),
            None => match latin_twin(letter) {
                Some('o') => self.push("o"),
                Some(twin) => self.push(&format!("\\mathrm{{{twin}}}")),
                None => self.push(&format!("\\mathrm{{{letter}}}")),
            },
        }
    }
}

/// The Latin letter that a Greek one with no command of its own looks like.
fn latin_twin(letter: char) -> Option<char> {
    let twins = [
        ('Α', 'A'),
        ('Β', 'B'),
        ('Ε', 'E'),
        ('Ζ', 'Z'),
        ('Η', 'H'),
        ('Ι', 'I'),
        ('Κ', 'K'),
        ('Μ', 'M'),
        ('Ν', 'N'),
        ('Ο', 'O'),
        ('Ρ', 'P'),
        ('Τ', 'T'),
        ('Χ', 'X'),
        ('ο', 'o'),
    ];
    twins.iter().find(|twin| twin.0 == letter).map(|twin| twin.1)
}

fn bracket(sign: char, left: bool) -> &'static str {
    match (sign, left) {
        ('(', _) => "(",
        (')', _) => ")",
        ('[', _) => "[",
        (']', _) => "]",
        ('|', true) => "\\lvert",
        ('|', false) => "\\rvert",
        ('‖', true) => "\\lVert",
        ('‖', false) => "\\rVert",
        ('⟨', _) => "\\langle",
        _ => "\\rangle",
    }
}

fn command(sign: char) -> &'static str {
    match sign {
        '+' => "+",
        '−' => "-",
        '⊙' => "\\odot",
        '⊘' => "\\oslash",
        '⊗' => "\\otimes",
        '×' => "\\times",
        '·' => "\\cdot",
        '=' => "=",
        '>' => ">",
        '<' => "<",
        '≥' => "\\ge",
        '≤' => "\\le",
        '≠' => "\\ne",
        '∂' => "\\partial",
        '∑' => "\\sum",
        '∈' => "\\in",
        '/' => "/",
        '∗' => "*",
        _ => "?",
    }
}

/// A word with the characters that TeX takes for commands made harmless.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '_' | '&' | '%' | '$' | '#' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str("\\textbackslash{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            c => out.push(c),
        }
    }
    out
}

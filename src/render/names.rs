//! Names as a book sets them: `Z1` is Z₁, `lambda2` is λ₂, `G_Z2` is G with the index Z₂.

/// A name's letter or word, its number and its index: `W1_a` is W, 1, a.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameParts {
    /// The letter, Greek as a character, or a word.
    pub base: String,
    /// What stands below it, in order: the digits behind the base, then the parts behind `_`, each with its own digits.
    pub below: Vec<(String, String)>,
}

/// The parts of a name. A name with no letter in front of its first `_` is one word.
pub fn parts(name: &str) -> NameParts {
    let whole = || NameParts { base: name.to_owned(), below: Vec::new() };
    let mut pieces = name.split('_');
    let (base, digits) = with_digits(pieces.next().unwrap_or_default());
    let rest: Vec<&str> = pieces.collect();
    if base.is_empty() || rest.iter().any(|piece| piece.is_empty()) {
        return whole();
    }
    let mut below = Vec::with_capacity(rest.len() + 1);
    if !digits.is_empty() {
        below.push((String::new(), digits.to_owned()));
    }
    below.extend(rest.iter().map(|piece| {
        let (word, digits) = with_digits(piece);
        (greek(word), digits.to_owned())
    }));
    NameParts { base: greek(base), below }
}

/// A name in Unicode that the language reads back as the same name: Greek letters, and numbers as subscripts.
pub fn unicode_name(name: &str) -> String {
    let pieces: Vec<String> = name
        .split('_')
        .enumerate()
        .map(|(i, piece)| {
            let (word, digits) = with_digits(piece);
            if word.is_empty() && i > 0 { digits.to_owned() } else { greek(word) + &lowered(digits) }
        })
        .collect();
    pieces.join("_")
}

fn with_digits(piece: &str) -> (&str, &str) {
    piece.split_at(piece.trim_end_matches(|c: char| c.is_ascii_digit()).len())
}

fn lowered(digits: &str) -> String {
    digits.chars().map(|c| c.to_digit(10).and_then(|d| char::from_u32(u32::from('₀') + d)).unwrap_or(c)).collect()
}

/// A spelled Greek letter as the character, any other word as it is.
fn greek(word: &str) -> String {
    GREEK.iter().find(|row| row.0 == word).map_or_else(|| word.to_owned(), |row| row.1.to_string())
}

/// The command of a Greek letter in LaTeX; `None` for one that looks like a Latin letter.
pub fn latex_greek(letter: char) -> Option<&'static str> {
    GREEK.iter().find(|row| row.1 == letter).map(|row| row.2).filter(|command| !command.is_empty())
}

/// Spelled name, letter, command in LaTeX.
#[rustfmt::skip]
const GREEK: &[(&str, char, &str)] = &[
    ("alpha", 'α', "\\alpha"), ("beta", 'β', "\\beta"), ("gamma", 'γ', "\\gamma"), ("delta", 'δ', "\\delta"),
    ("epsilon", 'ε', "\\varepsilon"), ("zeta", 'ζ', "\\zeta"), ("eta", 'η', "\\eta"), ("theta", 'θ', "\\theta"),
    ("iota", 'ι', "\\iota"), ("kappa", 'κ', "\\kappa"), ("lambda", 'λ', "\\lambda"), ("mu", 'μ', "\\mu"),
    ("nu", 'ν', "\\nu"), ("xi", 'ξ', "\\xi"), ("omicron", 'ο', ""), ("pi", 'π', "\\pi"), ("rho", 'ρ', "\\rho"),
    ("sigma", 'σ', "\\sigma"), ("tau", 'τ', "\\tau"), ("upsilon", 'υ', "\\upsilon"), ("phi", 'φ', "\\varphi"),
    ("chi", 'χ', "\\chi"), ("psi", 'ψ', "\\psi"), ("omega", 'ω', "\\omega"),
    ("Alpha", 'Α', ""), ("Beta", 'Β', ""), ("Gamma", 'Γ', "\\Gamma"), ("Delta", 'Δ', "\\Delta"), ("Epsilon", 'Ε', ""),
    ("Zeta", 'Ζ', ""), ("Eta", 'Η', ""), ("Theta", 'Θ', "\\Theta"), ("Iota", 'Ι', ""), ("Kappa", 'Κ', ""),
    ("Lambda", 'Λ', "\\Lambda"), ("Mu", 'Μ', ""), ("Nu", 'Ν', ""), ("Xi", 'Ξ', "\\Xi"), ("Omicron", 'Ο', ""),
    ("Pi", 'Π', "\\Pi"), ("Rho", 'Ρ', ""), ("Sigma", 'Σ', "\\Sigma"), ("Tau", 'Τ', ""), ("Upsilon", 'Υ', "\\Upsilon"),
    ("Phi", 'Φ', "\\Phi"), ("Chi", 'Χ', ""), ("Psi", 'Ψ', "\\Psi"), ("Omega", 'Ω', "\\Omega"),
];

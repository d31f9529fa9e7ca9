//! The alphabet: which characters are letters and how they are spelled, and which characters only look like others.

/// Whether a name may hold this character, digits and subscripts aside.
pub(super) fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || spelled(c).is_some()
}

/// The spelled name of a Greek letter: `λ` and `lambda` are one name.
pub(super) fn spelled(c: char) -> Option<&'static str> {
    if c.is_ascii() {
        return None;
    }
    GREEK.iter().find(|(_, letters)| letters.contains(&c)).map(|&(name, _)| name)
}

/// Whether a name is the spelled name of a lower-case Greek letter.
pub fn is_lower_greek(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && GREEK.iter().any(|&(spelled, _)| spelled == name)
}

#[rustfmt::skip]
const GREEK: &[(&str, &[char])] = &[
    ("alpha", &['α']), ("beta", &['β', 'ϐ']), ("gamma", &['γ']), ("delta", &['δ']), ("epsilon", &['ε', 'ϵ']),
    ("zeta", &['ζ']), ("eta", &['η']), ("theta", &['θ', 'ϑ']), ("iota", &['ι']), ("kappa", &['κ', 'ϰ']),
    ("lambda", &['λ']), ("mu", &['μ', 'µ']), ("nu", &['ν']), ("xi", &['ξ']), ("omicron", &['ο']), ("pi", &['π']),
    ("rho", &['ρ', 'ϱ']), ("sigma", &['σ', 'ς']), ("tau", &['τ']), ("upsilon", &['υ']), ("phi", &['φ', 'ϕ']),
    ("chi", &['χ']), ("psi", &['ψ']), ("omega", &['ω']),
    ("Alpha", &['Α']), ("Beta", &['Β']), ("Gamma", &['Γ']), ("Delta", &['Δ']), ("Epsilon", &['Ε']), ("Zeta", &['Ζ']),
    ("Eta", &['Η']), ("Theta", &['Θ']), ("Iota", &['Ι']), ("Kappa", &['Κ']), ("Lambda", &['Λ']), ("Mu", &['Μ']),
    ("Nu", &['Ν']), ("Xi", &['Ξ']), ("Omicron", &['Ο']), ("Pi", &['Π']), ("Rho", &['Ρ']), ("Sigma", &['Σ']),
    ("Tau", &['Τ']), ("Upsilon", &['Υ']), ("Phi", &['Φ']), ("Chi", &['Χ']), ("Psi", &['Ψ']), ("Omega", &['Ω', '\u{2126}']),
];

/// The digit behind a subscript.
pub(super) fn subscript(c: char) -> Option<char> {
    let offset = u32::from(c).checked_sub(u32::from('₀'))?;
    char::from_digit(offset, 10)
}

/// The digit behind a superscript.
pub(super) fn superscript(c: char) -> Option<char> {
    match c {
        '⁰' => Some('0'),
        '¹' => Some('1'),
        '²' => Some('2'),
        '³' => Some('3'),
        '⁴'..='⁹' => char::from_digit(u32::from(c) - u32::from('⁴') + 4, 10),
        _ => None,
    }
}

/// What a character outside the language was probably meant to be.
pub(super) enum Lookalike {
    /// Nothing that can be seen; its name.
    Invisible(&'static str),
    /// This character.
    Of(char),
    /// Something that takes a sentence.
    Hint(&'static str),
}

/// A guess about a character outside the language.
pub(super) fn lookalike(c: char) -> Option<Lookalike> {
    Some(match c {
        '\0' => Lookalike::Invisible("NUL"),
        '\u{200b}' => Lookalike::Invisible("a zero-width space"),
        '\u{200c}' | '\u{200d}' => Lookalike::Invisible("a zero-width joiner"),
        '\u{2060}' | '\u{feff}' => Lookalike::Invisible("a zero-width no-break space"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Lookalike::Invisible("a mark of writing direction")
        }
        '\u{ad}' => Lookalike::Invisible("a soft hyphen"),
        '\u{fe00}'..='\u{fe0f}' => Lookalike::Invisible("a variation selector"),
        // The full-width forms stand in ASCII order.
        '\u{ff01}'..='\u{ff5e}' => Lookalike::Of(char::from_u32(u32::from(c) - 0xff01 + 0x21)?),
        '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Lookalike::Of(' '),
        '‐' | '‑' | '‒' | '—' | '―' => Lookalike::Of('-'),
        '∗' | '⁎' | '•' => Lookalike::Of('*'),
        '÷' | '∕' | '⁄' => Lookalike::Of('/'),
        '∖' => Lookalike::Of('\\'),
        '\u{3008}' | '\u{2329}' | '‹' => Lookalike::Of('⟨'),
        '\u{3009}' | '\u{232a}' | '›' => Lookalike::Of('⟩'),
        '‘' | '`' | '´' | '″' => Lookalike::Of('\''),
        '⊤' | '⊺' | 'ᵗ' => Lookalike::Of('ᵀ'),
        '∶' => Lookalike::Of(':'),
        '⁺' | '†' => Lookalike::Hint("the pseudo-inverse is written `pinv(A)`"),
        '∑' => Lookalike::Hint("a sum of all entries is written `sum(A)`"),
        '√' => Lookalike::Hint("a root is written `sqrt(a)`"),
        '‖' => Lookalike::Hint("a norm is written `norm(a)`"),
        '|' => Lookalike::Hint("write `abs(a)`, `det(A)` or `norm(a)`"),
        '∂' | '∇' => Lookalike::Hint("a gradient is asked for with `grad F wrt X`"),
        '"' => Lookalike::Hint("there are no texts in the language; a transpose is written `'`"),
        '{' | '}' => Lookalike::Hint("group with `(` and `)`"),
        '%' => Lookalike::Hint("a comment starts with `#`"),
        '@' => Lookalike::Hint("a matrix product is written `*`"),
        '!' => Lookalike::Hint("unequal is written `!=`"),
        '&' | '~' => Lookalike::Hint("comparisons are 1 and 0: multiply them with `.*`"),
        '.' => Lookalike::Hint("element by element is `.*`, `./` or `.^`"),
        _ => return None,
    })
}

//! A formula of a sentence in MathML as its signs stand, without being understood: `$c \in \mathbb{R}^{m \times n}$`.

use crate::document::macros::Macros;
use crate::document::tokens::{Kind, Token, tokens};
use crate::render::mathml::escaped;
use crate::render::names::parts;

/// Longer ones are shown as they are written.
const MOST_SIGNS: usize = 200;
/// As are those nested deeper.
const DEEPEST: usize = 20;

/// Commands that stand for one sign between others.
const SIGNS: &[(&str, &str)] = &[
    ("in", "∈"),
    ("notin", "∉"),
    ("times", "×"),
    ("cdot", "·"),
    ("le", "≤"),
    ("leq", "≤"),
    ("ge", "≥"),
    ("geq", "≥"),
    ("ne", "≠"),
    ("neq", "≠"),
    ("approx", "≈"),
    ("sim", "∼"),
    ("propto", "∝"),
    ("to", "→"),
    ("mapsto", "↦"),
    ("succ", "≻"),
    ("succeq", "⪰"),
    ("prec", "≺"),
    ("preceq", "⪯"),
    ("subset", "⊂"),
    ("ll", "≪"),
    ("gg", "≫"),
    ("odot", "⊙"),
    ("otimes", "⊗"),
    ("circ", "∘"),
    ("top", "⊤"),
    ("partial", "∂"),
    ("nabla", "∇"),
    ("sum", "∑"),
    ("ldots", "…"),
    ("dots", "…"),
    ("cdots", "⋯"),
    ("infty", "∞"),
    ("pm", "±"),
    ("forall", "∀"),
    ("prime", "′"),
    ("{", "{"),
    ("}", "}"),
    ("|", "‖"),
];
const FONTS: &[&str] = &["mathbf", "boldsymbol", "bm", "mathit", "mathsf", "mathcal", "mathrm", "operatorname"];

/// The formula as MathML elements; `None` where it has what is not known here.
pub fn presented(text: &str) -> Option<String> {
    let list = tokens(text, 0, text.len(), &Macros::new()).ok()?;
    if list.len() > MOST_SIGNS {
        return None;
    }
    let mut at = 0;
    let out = row(&list, &mut at, 0)?;
    (at == list.len()).then_some(out)
}

fn row(list: &[Token], at: &mut usize, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    let mut out = String::from("<mrow>");
    while list.get(*at).is_some_and(|token| token.kind != Kind::Close) {
        let base = element(list, at, depth)?;
        let (mut below, mut above) = (None, None);
        while let Some(sign @ (Kind::Below | Kind::Above)) = list.get(*at).map(|token| &token.kind) {
            *at += 1;
            let script = element(list, at, depth)?;
            if *sign == Kind::Below { &mut below } else { &mut above }.replace(script);
        }
        out.push_str(&match (below, above) {
            (None, None) => base,
            (Some(below), None) => format!("<msub>{base}{below}</msub>"),
            (None, Some(above)) => format!("<msup>{base}{above}</msup>"),
            (Some(below), Some(above)) => format!("<msubsup>{base}{below}{above}</msubsup>"),
        });
    }
    out.push_str("</mrow>");
    Some(out)
}

fn element(list: &[Token], at: &mut usize, depth: usize) -> Option<String> {
    let token = list.get(*at)?;
    *at += 1;
    Some(match &token.kind {
        Kind::Open => {
            let inner = row(list, at, depth + 1)?;
            if list.get(*at)?.kind != Kind::Close {
                return None;
            }
            *at += 1;
            inner
        }
        Kind::Character(c) if c.is_alphabetic() => format!("<mi>{c}</mi>"),
        Kind::Character('-') => "<mo>−</mo>".to_owned(),
        Kind::Character('\'') => "<mo>′</mo>".to_owned(),
        Kind::Character(c) => format!("<mo>{}</mo>", escaped(&c.to_string())),
        Kind::Digits(digits) => format!("<mn>{digits}</mn>"),
        Kind::Words(words) => format!("<mtext>{}</mtext>", escaped(words)),
        Kind::Command(name) => return command(name, list, at, depth),
        _ => return None,
    })
}

fn command(name: &str, list: &[Token], at: &mut usize, depth: usize) -> Option<String> {
    if let Some((_, sign)) = SIGNS.iter().find(|(known, _)| *known == name) {
        return Some(format!("<mo>{}</mo>", escaped(sign)));
    }
    Some(match name {
        "R" | "reals" | "RR" => "<mi>ℝ</mi>".to_owned(),
        "mathbb" => {
            let inner = element(list, at, depth + 1)?;
            inner.contains("<mi>R</mi>").then(|| "<mi>ℝ</mi>".to_owned())?
        }
        "frac" | "dfrac" | "tfrac" => {
            let (above, below) = (element(list, at, depth + 1)?, element(list, at, depth + 1)?);
            format!("<mfrac>{above}{below}</mfrac>")
        }
        "sqrt" => format!("<msqrt>{}</msqrt>", element(list, at, depth + 1)?),
        "log" | "exp" | "det" | "tr" | "Tr" | "max" | "min" | "sin" | "cos" | "tanh" => format!("<mi>{name}</mi>"),
        _ if FONTS.contains(&name) => element(list, at, depth + 1)?,
        _ => {
            // A Greek letter has a sign of its own.
            let base = parts(name).base;
            if base.chars().count() != 1 {
                return None;
            }
            format!("<mi>{}</mi>", escaped(&base))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::presented;

    #[test]
    fn signs_stand_as_they_are_written() {
        assert_eq!(presented("n \\times k").unwrap(), "<mrow><mi>n</mi><mo>×</mo><mi>k</mi></mrow>");
        let of = presented("x_i \\in \\mathbb{R}^n").unwrap();
        assert_eq!(of, "<mrow><msub><mi>x</mi><mi>i</mi></msub><mo>∈</mo><msup><mi>ℝ</mi><mi>n</mi></msup></mrow>");
        assert!(presented("\\lambda < 1").unwrap().contains("&lt;"));
        for unknown in ["\\unknown", "a}", "{a", "\\frac{a}"] {
            assert_eq!(presented(unknown), None, "{unknown}");
        }
    }
}

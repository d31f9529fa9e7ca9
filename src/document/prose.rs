//! Types that a document's sentences give: `$X \in \mathbb{R}^{m \times n}$`, "X is an m × n matrix". They are told, to be
//! confirmed; a declaration goes before them.

use super::formula::{Index, Kind};
use super::latex::{Known, formula};
use super::tokens::{Kind as T, Token, tokens};
use super::write::{Script, write};

/// Declarations in the language, one for each name that no declaration has.
pub fn types(source: &str, formulas: &[Vec<Token>], known: &Known) -> Vec<String> {
    let mut out: Vec<(String, String)> = Vec::new();
    for list in formulas {
        memberships(list, known, &mut out);
    }
    sentences(source, known, &mut out);
    let mut told: Vec<String> = Vec::new();
    for (k, (name, kind)) in out.iter().enumerate() {
        let contradicted = out.iter().any(|(other, different)| other == name && different != kind);
        let again = out[..k].iter().any(|(other, _)| other == name);
        if !contradicted && !again && !known.declared.contains(name) && !known.dimensions.contains(name) {
            told.push(format!("{name} : {kind}"));
        }
    }
    told
}

/// `X, Y \in \mathbb{R}^{m \times n}`
fn memberships(list: &[Token], known: &Known, out: &mut Vec<(String, String)>) {
    for (at, token) in list.iter().enumerate() {
        let is_in = matches!(&token.kind, T::Command(name) if name == "in") || token.kind == T::Character('∈');
        if !is_in {
            continue;
        }
        let mut next = at + 1;
        let letter = match list.get(next).map(|token| &token.kind) {
            Some(T::Character('ℝ')) => {
                next += 1;
                true
            }
            Some(T::Command(name)) if matches!(name.as_str(), "mathbb" | "mathbf" | "Bbb") => {
                next += 1;
                let braced = list.get(next).map(|token| &token.kind) == Some(&T::Open);
                next += usize::from(braced);
                let real = list.get(next).map(|token| &token.kind) == Some(&T::Character('R'));
                next += 1 + usize::from(braced);
                real
            }
            Some(T::Command(name)) if matches!(name.as_str(), "R" | "reals" | "Reals" | "RR") => {
                next += 1;
                true
            }
            _ => false,
        };
        if !letter {
            continue;
        }
        let sizes = match list.get(next).map(|token| &token.kind) {
            Some(T::Above) => sizes(list, next + 1, known),
            _ => Some(Vec::new()),
        };
        let Some(kind) = sizes.as_deref().and_then(kind) else { continue };
        for name in names_before(&list[..at], known) {
            out.push((name, kind.clone()));
        }
    }
}

/// The names of `X, Y`, behind the last sign that is none.
fn names_before(list: &[Token], known: &Known) -> Vec<String> {
    let mut out = Vec::new();
    for piece in list.split(|token| token.kind == T::Character(',')).rev() {
        // x^{(i)}, a member of a family
        let (piece, member) = match piece {
            [
                rest @ ..,
                Token { kind: T::Above, .. },
                Token { kind: T::Open, .. },
                Token { kind: T::Character('('), .. },
                Token { kind: T::Character(index), .. },
                Token { kind: T::Character(')'), .. },
                Token { kind: T::Close, .. },
            ] if index.is_ascii_lowercase() => (rest, Some(*index)),
            _ => (piece, None),
        };
        let Ok(formula) = formula(piece, known) else { break };
        match &formula.kind {
            Kind::Name(name) if member.is_some() => {
                out.extend(member.map(|index| format!("{name}_{index}")));
            }
            Kind::Name(name) => out.push(name.clone()),
            // x_i, a member of a family
            Kind::Entry { of, indices } => match (of.as_name(), indices.as_slice()) {
                (Some(name), [Index::Name(index)]) => out.push(format!("{name}_{index}")),
                _ => break,
            },
            _ => break,
        }
    }
    out.reverse();
    out
}

/// The sizes of `{m \times n}`.
fn sizes(list: &[Token], at: usize, known: &Known) -> Option<Vec<String>> {
    let group: Vec<Token> = match list.get(at).map(|token| &token.kind) {
        Some(T::Open) => {
            let mut depth = 1;
            list[at + 1..]
                .iter()
                .take_while(|token| {
                    match token.kind {
                        T::Open => depth += 1,
                        T::Close => depth -= 1,
                        _ => {}
                    }
                    depth > 0
                })
                .cloned()
                .collect()
        }
        Some(_) => vec![list[at].clone()],
        None => return None,
    };
    let cross =
        |token: &Token| matches!(&token.kind, T::Command(name) if name == "times") || token.kind == T::Character('×');
    group.split(cross).map(|piece| Some(write(&formula(piece, known).ok()?, Script::Language))).collect()
}

/// The type of these sizes.
fn kind(sizes: &[String]) -> Option<String> {
    Some(match sizes {
        [] => "scalar".to_owned(),
        [n] => format!("vector({n})"),
        [m, n] if n == "1" => format!("vector({m})"),
        [m, n] if m == "1" => format!("row({n})"),
        [m, n] => format!("matrix({m}, {n})"),
        _ => return None,
    })
}

/// "X is an (m × n) matrix", "w is a vector of length n".
fn sentences(source: &str, known: &Known, out: &mut Vec<(String, String)>) {
    let verbs = source.match_indices(" is a").chain(source.match_indices(" be a"));
    for (at, verb) in verbs {
        let before = source[..at].rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
        let behind: String = source[at + verb.len()..].chars().take(60).collect();
        let behind = behind.strip_prefix('n').unwrap_or(&behind);
        let Some(name) = name_of(before, known) else { continue };
        let end = behind.find(['.', ';', ',']).unwrap_or(behind.len());
        let phrase =
            behind[..end].replace(['$', '(', ')', '{', '}'], " ").replace("\\times", "×").replace("-by-", " × ");
        let words: Vec<&str> = phrase.split_whitespace().collect();
        let Some(noun) = words.iter().position(|word| matches!(*word, "matrix" | "vector" | "scalar")) else {
            continue;
        };
        let plain = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && word.len() <= 3
        };
        let found = match (words[noun], &words[..noun], words.get(noun + 1..)) {
            ("matrix", [m, "×" | "x", n], _) if plain(m) && plain(n) => kind(&[(*m).to_owned(), (*n).to_owned()]),
            ("vector", [], Some(["of", "length" | "size", n, ..])) if plain(n) => kind(&[(*n).to_owned()]),
            ("vector", [n], _) if plain(n.trim_end_matches("-dimensional")) => {
                kind(&[n.trim_end_matches("-dimensional").to_owned()])
            }
            ("scalar", [], _) => kind(&[]),
            _ => None,
        };
        out.extend(found.map(|kind| (name, kind)));
    }
}

/// The name of `$X$`, `$\mathbf{X}$`, `X`.
fn name_of(word: &str, known: &Known) -> Option<String> {
    let text = word.trim_matches(['$', ',', '*']);
    if text.is_empty() || text.len() > 40 {
        return None;
    }
    let list = tokens(text, 0, text.len(), &Default::default()).ok()?;
    let found = formula(&list, known).ok()?;
    let name = found.as_name()?;
    // A word of the sentence is no name.
    let one = name.chars().filter(|c| c.is_alphabetic()).count();
    (one == 1 || word.contains('$')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::types;
    use crate::document::latex::Known;
    use crate::document::macros::Macros;
    use crate::document::tokens::tokens;

    #[test]
    fn sentences_give_types() {
        let formula = "X, Y \\in \\mathbb{R}^{m \\times n}";
        let list = tokens(formula, 0, formula.len(), &Macros::new()).unwrap();
        let source = "Here $A$ is an $(n \\times p)$ matrix and $b$ is a vector of length $p$. This is a matrix. \
                      Let C be an n × n matrix, to be a matrix.";
        assert_eq!(
            types(source, &[list], &Known::default()),
            ["X : matrix(m, n)", "Y : matrix(m, n)", "A : matrix(n, p)", "b : vector(p)", "C : matrix(n, n)"]
        );
    }
}

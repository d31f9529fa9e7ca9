//! Layers that stand on each other in general, `Z_l = H_{l-1} W_l + b_l` for l = 1, …, L: such formulas are written out with
//! numbers for three layers, `Z_1 = H_0 W_1 + b_1` and so on, and `W_L` is the last of them.

use std::collections::HashSet;

use super::latex::Known;
use super::rows::Chain;
use super::tokens::{Kind, Token};

/// So many layers are written out.
pub const COUNT: u32 = 3;

/// The letter that numbers the layers of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    letter: Kind,
    /// Names that are declared as a whole: what stands below them is an index.
    declared: HashSet<String>,
}

/// What stands below or above a name.
struct Script<'a> {
    /// Its tokens without braces and brackets, and where the first stands in the list.
    inside: &'a [Token],
    start: usize,
    /// The place behind it.
    end: usize,
}

impl Layers {
    /// The letter of which `l-1` or `l+1` stands below a name, or above it in brackets; a sum's index is none, nor is one of
    /// a name that is declared as a whole, whose entries are meant.
    pub fn of(lists: &[Vec<Token>], known: &Known) -> Option<Layers> {
        for list in lists {
            for at in 0..list.len() {
                let Some(script) = script(list, at) else { continue };
                let [letter, sign, digits] = script.inside else { continue };
                let shifted = matches!(sign.kind, Kind::Character('+' | '-' | '−'))
                    && digits.kind == Kind::Digits("1".to_owned());
                let is_letter = match &letter.kind {
                    Kind::Character(c) => {
                        c.is_ascii_lowercase()
                            && !known.indices.contains(c)
                            && !known.dimensions.contains(&c.to_string())
                            && !known.declared.contains(&c.to_string())
                    }
                    Kind::Command(name) => name == "ell",
                    _ => false,
                };
                if shifted && is_letter && !stands_at_a_declared_name(list, at, &known.declared) {
                    return Some(Layers { letter: letter.kind.clone(), declared: known.declared.clone() });
                }
            }
        }
        None
    }

    /// The letter as a reader knows it.
    pub fn name(&self) -> String {
        match &self.letter {
            Kind::Character(c) => c.to_string(),
            _ => "l".to_owned(),
        }
    }

    /// A chain for each layer at which it can stand, with its number; a chain that holds for no layer in general comes alone.
    pub fn written_out(&self, chain: &Chain) -> Vec<(Option<u32>, Chain)> {
        let whole: Vec<Token> = chain.parts.iter().flatten().cloned().collect();
        self.numbers(&whole)
            .into_iter()
            .map(|number| {
                let parts = chain.parts.iter().map(|part| self.with_number(part, number)).collect();
                (number, Chain { parts, relation: chain.relation.clone() })
            })
            .collect()
    }

    /// As [`Layers::written_out`], of tokens.
    pub fn lists(&self, list: &[Token]) -> Vec<Vec<Token>> {
        self.numbers(list).into_iter().map(|number| self.with_number(list, number)).collect()
    }

    /// Whether a chain only says how far the layers go: `l = 1`.
    pub fn is_range(&self, chain: &Chain) -> bool {
        matches!(chain.parts.first().map(Vec::as_slice), Some([only]) if only.kind == self.letter)
    }

    /// The head of a rule that makes the next step from this one, `x_{k+1} = x_k - …`.
    pub fn step(&self, chain: &Chain) -> Option<Vec<Kind>> {
        let most = |part: &Vec<Token>| self.shifts(part).max();
        let (head, rest) = chain.parts.split_first()?;
        let next = most(head).is_some_and(|shift| shift > 0);
        let from_here = !rest.is_empty() && rest.iter().all(|part| most(part).is_none_or(|shift| shift <= 0));
        (next && from_here).then(|| head.iter().map(|token| token.kind.clone()).collect())
    }

    /// The layers at which all scripts of a list are ones.
    fn numbers(&self, list: &[Token]) -> Vec<Option<u32>> {
        let shifts: Vec<i64> = self.shifts(list).collect();
        let (Some(least), Some(most)) = (shifts.iter().min(), shifts.iter().max()) else { return vec![None] };
        let count = i64::from(COUNT);
        (1..=COUNT).filter(|&l| i64::from(l) + least >= 0 && i64::from(l) + most <= count).map(Some).collect()
    }

    /// How far the scripts of a list are from the layer.
    fn shifts(&self, list: &[Token]) -> impl Iterator<Item = i64> {
        (0..list.len()).filter_map(|at| self.shift(self.script(list, at)?.inside))
    }

    /// The script at a place, where it may number a layer.
    fn script<'a>(&self, list: &'a [Token], at: usize) -> Option<Script<'a>> {
        script(list, at).filter(|_| !stands_at_a_declared_name(list, at, &self.declared))
    }

    /// −1 of `l-1`, 0 of `l` and of `l,ij`.
    fn shift(&self, inside: &[Token]) -> Option<i64> {
        let (first, rest) = inside.split_first()?;
        if first.kind != self.letter {
            return None;
        }
        match rest {
            [] => Some(0),
            [comma, ..] if comma.kind == Kind::Character(',') => Some(0),
            _ => signed(rest),
        }
    }

    fn with_number(&self, list: &[Token], number: Option<u32>) -> Vec<Token> {
        let mut out: Vec<Token> = Vec::with_capacity(list.len());
        let mut at = 0;
        while at < list.len() {
            let found = self.script(list, at).and_then(|script| {
                let layer = match (self.shift(script.inside), number) {
                    (Some(shift), Some(number)) => i64::from(number) + shift,
                    // L, L-1
                    _ if script.inside.first().is_some_and(|first| first.kind == Kind::Character('L')) => {
                        let rest = &script.inside[1..];
                        i64::from(COUNT) + if rest.is_empty() { 0 } else { signed(rest)? }
                    }
                    _ => return None,
                };
                (layer >= 0).then_some((script, layer))
            });
            match found {
                Some((script, layer)) => {
                    let behind = script.inside.iter().position(|token| token.kind == Kind::Character(','));
                    let rest = script.start + behind.unwrap_or(script.inside.len());
                    out.extend(list[at..script.start].iter().cloned());
                    out.push(Token { kind: Kind::Digits(layer.to_string()), span: script.inside[0].span });
                    out.extend(list[rest..script.end].iter().cloned());
                    at = script.end;
                }
                None => {
                    out.push(list[at].clone());
                    at += 1;
                }
            }
        }
        out
    }
}

/// `-1`, `+2`
fn signed(list: &[Token]) -> Option<i64> {
    let [sign, Token { kind: Kind::Digits(digits), .. }] = list else { return None };
    let size: i64 = digits.parse().ok()?;
    match sign.kind {
        Kind::Character('-' | '−') => Some(-size),
        Kind::Character('+') => Some(size),
        _ => None,
    }
}

/// The script that begins at a place: below a name as it stands, above it in brackets only, since there a power may be meant.
fn script(list: &[Token], at: usize) -> Option<Script<'_>> {
    let below = match list[at].kind {
        Kind::Below => true,
        Kind::Above => false,
        _ => return None,
    };
    let next = list.get(at + 1)?;
    if next.kind != Kind::Open {
        return below.then(|| Script { inside: &list[at + 1..at + 2], start: at + 1, end: at + 2 });
    }
    let close = at + 2 + list[at + 2..].iter().position(|token| matches!(token.kind, Kind::Open | Kind::Close))?;
    if list[close].kind != Kind::Close {
        return None;
    }
    let inside = &list[at + 2..close];
    if below {
        return Some(Script { inside, start: at + 2, end: close + 1 });
    }
    match inside {
        [
            Token { kind: Kind::Character('(' | '['), .. },
            bracketed @ ..,
            Token { kind: Kind::Character(')' | ']'), .. },
        ] => Some(Script { inside: bracketed, start: at + 3, end: close + 1 }),
        _ => None,
    }
}

/// Whether the name before a script is declared as a whole.
fn stands_at_a_declared_name(list: &[Token], at: usize, declared: &HashSet<String>) -> bool {
    let name = list[..at].iter().rev().find(|token| !matches!(token.kind, Kind::Open | Kind::Close));
    match name.map(|token| &token.kind) {
        Some(Kind::Character(c)) => declared.contains(&c.to_string()),
        Some(Kind::Command(name)) => declared.contains(name),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Layers;
    use crate::document::latex::Known;
    use crate::document::macros::Macros;
    use crate::document::tokens::{Kind, Token, tokens};

    fn list(source: &str) -> Vec<Token> {
        tokens(source, 0, source.len(), &Macros::new()).unwrap()
    }

    fn kinds(list: &[Token]) -> Vec<Kind> {
        list.iter().map(|token| token.kind.clone()).collect()
    }

    #[test]
    fn layers_are_written_out_with_numbers() {
        let general = list("Z_l = H_{l-1} W^{(l)} + b_{l,ij} + c_L");
        let layers = Layers::of(std::slice::from_ref(&general), &Known::default()).unwrap();
        let all = layers.lists(&general);
        assert_eq!(all.len(), 3);
        assert_eq!(kinds(&all[1]), kinds(&list("Z_2 = H_{1} W^{(2)} + b_{2,ij} + c_3")));
        assert_eq!(layers.lists(&list("D_l = D_{l+1} V_{l+1}")).len(), 2);
        assert_eq!(layers.lists(&list("f = x_{ij}")).len(), 1);
        // An entry of a declared column stays one.
        let known = Known { declared: ["y".to_owned()].into(), ..Known::default() };
        let layers = Layers::of(&[general], &known).unwrap();
        assert_eq!(layers.lists(&list("y_l = y_L")), [list("y_l = y_L")]);
    }

    #[test]
    fn what_is_an_index_or_an_entry_is_no_layer() {
        let mut known = Known::default();
        known.indices.insert('t');
        known.declared.insert("x".to_owned());
        for source in ["a_{t-1}", "x_{k-1}", "A^{k-1}", "a_{ij}", "a_{l-2}"] {
            assert_eq!(Layers::of(&[list(source)], &known), None, "{source}");
        }
    }
}

//! What may be missing in a wrong formula: names, dimensions, indices and functions of its line and of the definitions that
//! it stands on. Which of them is, is found elsewhere.

use super::edits::Pieces;
use super::normal::acts_on_entries;
use super::scope::{Form, Scope};
use crate::document::formula::{Formula, Kind};

/// So many names, dimensions or indices at most.
const MOST_PIECES: usize = 14;
/// So many functions.
const MOST_FUNCTIONS: usize = 4;

/// What may be put into a part of a chain.
pub fn pieces(scope: &Scope, chain: &[Formula], forms: &[Form]) -> Pieces {
    let mut pieces = Pieces::default();
    let mut sizes: Vec<u32> = Vec::new();
    let add = |list: &mut Vec<String>, name: &str| {
        if list.len() < MOST_PIECES && !list.iter().any(|known| known == name) {
            list.push(name.to_owned());
        }
    };
    let mut names: Vec<String> = Vec::new();
    for part in chain {
        part.names().iter().for_each(|name| add(&mut names, name));
        for index in part.free_indices() {
            add(&mut pieces.indices, &index);
        }
        part.visit(&mut |formula| {
            if let Kind::Over { index, .. } = &formula.kind {
                add(&mut pieces.indices, index);
            }
        });
    }
    // What the definitions on the left are made of may be what is missing.
    let written = names.clone();
    for name in &written {
        for below in scope.below(name) {
            add(&mut names, &below);
            let Some(definition) = scope.definitions.get(&below) else { continue };
            definition.body.visit(&mut |part| {
                if let Kind::Call { function, .. } = &part.kind
                    && acts_on_entries(*function)
                    && pieces.functions.len() < MOST_FUNCTIONS
                    && !pieces.functions.contains(function)
                {
                    pieces.functions.push(*function);
                }
            });
        }
    }
    let base = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    for name in written.iter().filter(|name| base(name) != **name) {
        let known = scope.variable_order.iter().chain(&scope.definition_order);
        for other in known.filter(|other| *other != name && base(other) == base(name)) {
            let pair = (name.clone(), other.clone());
            if pieces.siblings.len() < MOST_PIECES && !pieces.siblings.contains(&pair) {
                pieces.siblings.push(pair);
            }
        }
    }
    for name in names {
        match scope.form_of(&name) {
            Some(form) => {
                sizes.extend([form.rows, form.columns]);
                pieces.names.push(name);
            }
            None if scope.sizes.has_name(&name) => add(&mut pieces.dimensions, &name),
            None => {}
        }
    }
    for form in forms {
        sizes.extend([form.rows, form.columns]);
    }
    for id in sizes {
        let text = scope.sizes.text(id);
        if scope.sizes.known(&text).is_some() && pieces.dimensions.len() < 6 {
            add(&mut pieces.dimensions, &text);
        }
    }
    pieces
}

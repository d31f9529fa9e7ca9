//! The words of errors about shapes and names.

use super::reader::Reader;
use crate::diagnostic::{Diagnostic, Span, shorten};
use crate::dimension::{DimId, Shape};
use crate::functions::{ALIASES, ENTRIES};
use crate::syntax::ast::{Node, NodeId};

/// How much of the user's text a message quotes.
const QUOTED: usize = 48;

impl Reader<'_> {
    /// A dimension as a message shows it; `?` while it is not known.
    pub(super) fn dimension_text(&mut self, id: DimId) -> String {
        let id = self.solver.resolve(id);
        match self.solver.is_open(id) {
            true => "?".to_owned(),
            false => shorten(&self.solver.table.text(id), 32),
        }
    }

    /// `m×n`
    pub(super) fn shape_text(&mut self, shape: Shape) -> String {
        format!("{}×{}", self.dimension_text(shape.rows), self.dimension_text(shape.columns))
    }

    /// `m×n`, `n×1 (a column)`, `a scalar`
    pub(super) fn described(&mut self, shape: Shape) -> String {
        let shape = self.solver.resolve_shape(shape);
        let text = self.shape_text(shape);
        match () {
            () if shape.is_scalar() => "a scalar".to_owned(),
            () if shape.is_column() => format!("{text} (a column)"),
            () if shape.is_row() => format!("{text} (a row)"),
            () => text,
        }
    }

    /// `N ≠ M`
    pub(super) fn unequal(&mut self, a: DimId, b: DimId) -> String {
        format!("{} ≠ {}", self.dimension_text(a), self.dimension_text(b))
    }

    /// The user's own text of an expression, on one line and not too long.
    pub(super) fn quoted(&self, id: NodeId) -> String {
        let span = self.ast.span(id);
        let text = self.source.get(span.start as usize..span.end as usize).unwrap_or_default();
        // Only as much as may be shown is looked at: the text may be the whole file.
        let start: String = text.chars().take(4 * QUOTED).collect();
        shorten(&start.split_whitespace().collect::<Vec<_>>().join(" "), QUOTED)
    }

    /// The text of an operand as it may stand next to an operator in a suggestion.
    pub(super) fn operand(&self, id: NodeId) -> String {
        let text = self.quoted(id);
        match self.ast.node(id) {
            Node::Binary(..) | Node::Compare(..) | Node::Negate(_) => format!("({text})"),
            _ => text,
        }
    }

    /// The place an error about a node points at: the operator or the function's name.
    pub(super) fn place(&self, id: NodeId) -> Span {
        self.ast.operator_span(id)
    }

    /// Tells which earlier places settled the dimensions that clash.
    pub(super) fn with_reasons(&mut self, diagnostic: Diagnostic, dimensions: &[DimId]) -> Diagnostic {
        let mut diagnostic = diagnostic;
        for (solved, span) in self.solver.reasons(dimensions).into_iter().take(3) {
            if Some(span) != diagnostic.span {
                let text = self.dimension_text(solved);
                let message = match text.as_str() {
                    "?" => "two dimensions are the same because of this".to_owned(),
                    _ => format!("a dimension is {text} because of this"),
                };
                diagnostic = diagnostic.related(span, message);
            }
        }
        diagnostic
    }

    /// ": scalar" for bare names whose type was only guessed.
    pub(super) fn offer_scalar(&self, nodes: &[NodeId]) -> Option<String> {
        let guessed = nodes.iter().filter_map(|&id| match self.ast.node(id) {
            Node::Name(name) if self.is_guessed(id) => Some(shorten(name, QUOTED)),
            _ => None,
        });
        let names: Vec<String> = guessed.collect();
        let name = names.first()?;
        Some(format!("`{name}` is not declared and taken to be a vector or matrix; declare `{name} : scalar`"))
    }
}

/// The entry of a list that was probably meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    if length > 24 {
        return None;
    }
    let limit = if length < 4 { 1 } else { 2 };
    let scored = candidates.map(|candidate| (distance(name, candidate), candidate));
    scored.filter(|&(d, candidate)| d <= limit && d < candidate.len()).min_by_key(|&(d, _)| d).map(|(_, name)| name)
}

/// All names of functions.
pub(super) fn function_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name).chain(ALIASES.iter().map(|&(alias, _)| alias))
}

/// How many letters to insert, delete, replace or swap with their neighbour; letters' case does not count.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, function_names, nearest};

    #[test]
    fn near_misses_find_their_function() {
        assert_eq!(nearest("sigmiod", function_names()), Some("sigmoid"));
        assert_eq!(nearest("Trace", function_names()), None);
        assert_eq!(nearest("sofmax", function_names()), Some("softmax"));
        assert_eq!(nearest("frobnicate", function_names()), None);
        assert_eq!(distance("ab", "ba"), 1);
    }
}

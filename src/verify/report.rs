//! What verify has to say of a document, as data.

use super::judge::Verdict;
use crate::diagnostic::{Diagnostic, Span};
use crate::document::formula::Formula;
use crate::document::outline::Piece;
use crate::document::write::Script;

/// The verdict on one equals sign.
#[derive(Clone, Debug)]
pub struct Step {
    /// The formula on its left.
    pub left: Span,
    /// The formula on its right.
    pub right: Span,
    /// The formulas themselves.
    pub formulas: [Formula; 2],
    /// What is said.
    pub verdict: Verdict,
    /// For which layers it is said, in words, where the formula is a general one.
    pub layers: Option<String>,
}

/// One chain.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where it stands.
    pub span: Span,
    /// Its equals signs in order.
    pub steps: Vec<Step>,
}

/// A document's verdicts.
#[derive(Clone, Debug)]
pub struct Report {
    /// The chains in order.
    pub lines: Vec<Judged>,
    /// What was left out, with the reason.
    pub skipped: Vec<(Span, String)>,
    /// Types that were not declared but found from use or prose.
    pub inferred: Vec<String>,
    /// Mistakes in the text itself.
    pub errors: Vec<Diagnostic>,
    /// What stands between the formulas.
    pub outline: Vec<Piece>,
    /// How formulas are written.
    pub script: Script,
}

/// How many equals signs came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Right.
    pub right: usize,
    /// Wrong.
    pub wrong: usize,
    /// Definitions.
    pub definitions: usize,
    /// Left out.
    pub skipped: usize,
}

impl Report {
    /// How many equals signs came out how; a formula that was not read counts as one left out.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { skipped: self.skipped.len(), ..Counts::default() };
        for step in self.lines.iter().flat_map(|line| &line.steps) {
            match step.verdict {
                Verdict::Holds(_) => counts.right += 1,
                Verdict::Fails(_) => counts.wrong += 1,
                Verdict::Defines(_) => counts.definitions += 1,
                Verdict::Skipped(_) => counts.skipped += 1,
            }
        }
        counts
    }
}

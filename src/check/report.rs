//! What a check found: for each result how far it was checked and how well it agreed, and each disagreement with its
//! numbers.

use crate::answer::Answer;
use crate::matrix::Matrix;
use crate::syntax::ast::AskKind;

/// What was checked, and what did not hold.
#[derive(Clone, Debug)]
pub struct Report {
    /// One for each result, in order.
    pub results: Vec<Checked>,
    /// What disagrees; empty where all is well.
    pub failures: Vec<Failure>,
}

/// How far one result was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// `gradient of L wrt W1`
    pub title: String,
    /// Which derivative.
    pub kind: AskKind,
    /// Random points at which it was compared with differences.
    pub points: usize,
    /// At smaller sizes than the program gives, for speed: the formulas hold for every size.
    pub reduced: bool,
    /// Random directions in which it was.
    pub directions: usize,
    /// Entries that were compared one by one.
    pub entries: usize,
    /// The largest relative error against differences.
    pub worst_error: f64,
    /// Whether it holds modulo the prime too.
    pub exact: bool,
    /// Lines of its derivation.
    pub steps: usize,
    /// Lines whose two sides agree at all points at which both have a value, and at one at least.
    pub steps_by_numbers: usize,
    /// Those that hold exactly, modulo the prime.
    pub steps_exact: usize,
    /// What could not be checked, and why.
    pub not_checked: Vec<String>,
}

/// A disagreement.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Which result, an index into [`Report::results`].
    pub result: usize,
    /// What was compared.
    pub what: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
    /// The sizes of the point, `m = 3, n = 2`.
    pub sizes: String,
}

impl Report {
    pub(super) fn new(answer: &Answer) -> Report {
        let results = answer.outcomes.iter().map(|outcome| Checked {
            title: format!(
                "{} of {} wrt {}{}",
                kind_name(outcome.kind),
                outcome.of,
                outcome.wrt.join(", "),
                outcome.direction.in_words()
            ),
            kind: outcome.kind,
            points: 0,
            reduced: false,
            directions: 0,
            entries: 0,
            worst_error: 0.0,
            exact: false,
            steps: outcome.derivation.steps.len(),
            steps_by_numbers: 0,
            steps_exact: 0,
            not_checked: Vec::new(),
        });
        Report { results: results.collect(), failures: Vec::new() }
    }

    pub(super) fn not_checked(&mut self, result: usize, why: impl Into<String>) {
        let why = why.into();
        let list = &mut self.results[result].not_checked;
        if !list.contains(&why) {
            list.push(why);
        }
    }

    /// Notes a disagreement, once for each thing that was compared.
    pub(super) fn fail(&mut self, failure: Failure) {
        if !self.failures.iter().any(|f| f.result == failure.result && f.what == failure.what) {
            self.failures.push(failure);
        }
    }

    /// Nothing disagrees.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The largest relative error of a result against differences.
    pub fn worst_error(&self) -> f64 {
        self.results.iter().fold(0.0, |worst, result| result.worst_error.max(worst))
    }

    /// Closing lines in plain words: what was checked, what could not be, what disagrees.
    pub fn lines(&self) -> Vec<String> {
        let mut out = Vec::new();
        let checked: Vec<&Checked> = self.results.iter().filter(|r| r.points > 0).collect();
        let mut parts = Vec::new();
        if !checked.is_empty() {
            let points = checked.iter().map(|r| r.points).min().unwrap_or(0);
            let exact = checked.iter().filter(|r| r.exact).count();
            let mut text = format!(
                "{} at {}{} against differences, worst error {}",
                kinds(&checked),
                count(points, "random point"),
                if checked.iter().any(|r| r.reduced) { " of smaller sizes" } else { "" },
                error_text(self.worst_error())
            );
            if exact == checked.len() {
                text.push_str(", and exactly modulo 2^61-1");
            } else if exact > 0 {
                text.push_str(&format!(", {exact} of them also exactly modulo 2^61-1"));
            }
            parts.push(text);
        }
        let by_numbers: usize = self.results.iter().map(|r| r.steps_by_numbers).sum();
        let exact: usize = self.results.iter().map(|r| r.steps_exact).sum();
        if by_numbers > 0 {
            let mut text = format!("{} by numbers", count(by_numbers, "step"));
            if exact > 0 {
                text.push_str(&format!(", {exact} exactly modulo 2^61-1"));
            }
            parts.push(text);
        }
        out.extend(parts.into_iter().map(|part| format!("checked: {part}")));
        for result in &self.results {
            for why in &result.not_checked {
                out.push(format!("not checked: {}: {why}", result.title));
            }
        }
        for failure in &self.failures {
            out.extend(failure.lines(&self.results[failure.result].title));
        }
        out
    }
}

impl Failure {
    fn lines(&self, title: &str) -> Vec<String> {
        let at = if self.sizes.is_empty() { String::new() } else { format!(" (at {})", self.sizes) };
        vec![
            format!("failed: {title}: {}{at}", self.what),
            format!("  expected {}", self.expected),
            format!("  found    {}", self.found),
        ]
    }
}

/// The name of a kind of derivative.
pub fn kind_name(kind: AskKind) -> &'static str {
    match kind {
        AskKind::Gradient => "gradient",
        AskKind::Jacobian => "jacobian",
        AskKind::Hessian => "hessian",
        AskKind::Differential => "differential",
        AskKind::HessianAlong => "hessian-vector product",
        AskKind::JacobianAlong => "jacobian-vector product",
        AskKind::JacobianAgainst => "vector-jacobian product",
    }
}

fn kinds(checked: &[&Checked]) -> String {
    let mut parts = Vec::new();
    let all = [
        AskKind::Gradient,
        AskKind::Jacobian,
        AskKind::Hessian,
        AskKind::Differential,
        AskKind::HessianAlong,
        AskKind::JacobianAlong,
        AskKind::JacobianAgainst,
    ];
    for kind in all {
        let n = checked.iter().filter(|r| r.kind == kind).count();
        if n > 0 {
            parts.push(count(n, kind_name(kind)));
        }
    }
    parts.join(", ")
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// `3e-10`, and `0` for zero.
fn error_text(error: f64) -> String {
    if error == 0.0 { "0".to_owned() } else { format!("{error:.0e}") }
}

/// A number to six digits.
pub(super) fn number_text(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x.abs()) { format!("{x:.6}") } else { format!("{x:.5e}") }
}

/// Two matrices where they differ most: what is expected, what is found.
pub(super) fn worst_entry(expected: &Matrix, found: &Matrix) -> (String, String) {
    if expected.shape() != found.shape() {
        let shape = |m: &Matrix| format!("a {}x{} matrix", m.rows(), m.columns());
        return (shape(expected), shape(found));
    }
    let mut worst = (0, -1.0);
    for (i, (x, y)) in expected.entries().iter().zip(found.entries()).enumerate() {
        let error = (x - y).abs();
        if error > worst.1 || error.is_nan() {
            worst = (i, error);
        }
    }
    let i = worst.0;
    let (x, y) = (number_text(expected.entries()[i]), number_text(found.entries()[i]));
    if expected.entries().len() == 1 {
        return (x, y);
    }
    let place = format!(" at entry ({}, {})", i / expected.columns() + 1, i % expected.columns() + 1);
    (format!("{x}{place}"), format!("{y}{place}"))
}

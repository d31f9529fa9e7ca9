//! `matgrad check`: every result and every step against independent numbers, a line for each result and for each thing that
//! disagrees.

use std::fmt::Write;

use clap::ArgMatches;
use matgrad::answer::Answer;
use matgrad::check::{Checked, Options, Report, check};
use matgrad::derivation::Detail;

use crate::derive::answered;
use crate::failure::Failure;
use crate::input::Program;
use crate::output;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// Checks what a program asks for.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let program = Program::whole(matches)?;
    let answer = answered(&program, Detail::Full)?;
    let report = checked(&answer, matches);
    output::styled(&shown(&report))?;
    if report.is_ok() {
        return Ok(());
    }
    let failed = report.failures.len();
    let what = if failed == 1 { "check disagrees" } else { "checks disagree" };
    Err(Failure::check(format!("error: {failed} {what}\n")))
}

/// The report on an answer, at the random points of `--seed`.
pub fn checked(answer: &Answer, matches: &ArgMatches) -> Report {
    let seed = matches.get_one::<u64>("seed").copied().unwrap_or(Options::default().seed);
    check(answer, Options { seed, ..Options::default() })
}

fn shown(report: &Report) -> String {
    let mut out = String::new();
    for (i, result) in report.results.iter().enumerate() {
        let failed: Vec<_> = report.failures.iter().filter(|failure| failure.result == i).collect();
        let (colour, word) = match (failed.is_empty(), result.points > 0) {
            (false, _) => (RED, "failed"),
            (true, true) => (GREEN, "ok"),
            (true, false) => (PLAIN, "unknown"),
        };
        let _ = writeln!(out, "{colour}{word:<7}{PLAIN} {}: {}", result.title, summary(result));
        for failure in failed {
            let at = if failure.sizes.is_empty() { String::new() } else { format!(" (at {})", failure.sizes) };
            let (what, expected, found) = (&failure.what, &failure.expected, &failure.found);
            let _ = writeln!(out, "        {what}{at}\n          expected {expected}\n          found    {found}");
        }
        for why in &result.not_checked {
            let _ = writeln!(out, "        not checked: {why}");
        }
    }
    out
}

/// `3 points, worst error 2e-11, exact; 5 of 5 steps`
pub fn summary(result: &Checked) -> String {
    let mut out = match result.points {
        0 => "no random point".to_owned(),
        points => {
            let sizes = if result.reduced { " of smaller sizes" } else { "" };
            format!("{points} random points{sizes}, worst error {:.0e}", result.worst_error)
        }
    };
    if result.exact {
        out.push_str(", and exactly modulo 2^61-1");
    }
    if result.steps > 0 {
        let _ = write!(out, "; {} of {} steps", result.steps_by_numbers, result.steps);
        if result.steps_exact > 0 {
            let _ = write!(out, ", {} exactly", result.steps_exact);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use matgrad::check::{Checked, Failure, Report};
    use matgrad::syntax::ast::AskKind;

    use super::shown;

    #[test]
    fn each_result_and_each_disagreement_has_its_line() {
        let result = |wrt: &str, points, not_checked: &[&str]| Checked {
            title: format!("gradient of f wrt {wrt}"),
            kind: AskKind::Gradient,
            points,
            reduced: wrt == "B",
            directions: 0,
            entries: 0,
            worst_error: 0.25,
            exact: false,
            steps: 4,
            steps_by_numbers: 3,
            steps_exact: 2,
            not_checked: not_checked.iter().map(|&why| why.to_owned()).collect(),
        };
        let results = vec![result("A", 2, &[]), result("B", 2, &[]), result("C", 0, &["no point was found"])];
        let failure = Failure {
            result: 1,
            what: "step 2".to_owned(),
            expected: "1".to_owned(),
            found: "2".to_owned(),
            sizes: "m = 3".to_owned(),
        };
        let text = anstream::adapter::strip_str(&shown(&Report { results, failures: vec![failure] })).to_string();
        let expected = "\
ok      gradient of f wrt A: 2 random points, worst error 2e-1; 3 of 4 steps, 2 exactly
failed  gradient of f wrt B: 2 random points of smaller sizes, worst error 2e-1; 3 of 4 steps, 2 exactly
        step 2 (at m = 3)
          expected 1
          found    2
unknown gradient of f wrt C: no random point; 3 of 4 steps, 2 exactly
        not checked: no point was found
";
        assert_eq!(text, expected);
    }
}

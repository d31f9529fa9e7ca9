//! Each program of `examples/` begins with a comment that says what it is, answers, and is checked by
//! numbers.

use std::fs;
use std::path::{Path, PathBuf};

use matgrad::answer::answer;
use matgrad::check::{Options, check};
use matgrad::derivation::Detail;

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(folder).expect("the examples are there");
    let mut out: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    out.retain(|path| path.extension().is_some_and(|ending| ending == "mg"));
    out.sort();
    out
}

#[test]
fn examples_answer() {
    let paths = examples();
    assert!(paths.len() >= 12, "only {} examples were found", paths.len());
    for path in paths {
        let name = path.display();
        let source = fs::read_to_string(&path).expect("an example is text");
        assert!(source.starts_with("# "), "{name}: the first line says what the example is");
        let answer = answer(&source, Detail::Full).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        assert!(!answer.outcomes.is_empty(), "{name}: nothing is asked for");
        for outcome in &answer.outcomes {
            let asked = format!("{name}: {} wrt {}", outcome.of, outcome.wrt.join(", "));
            assert!(outcome.value.is_some(), "{asked}: too large to read");
            assert!(!outcome.derivation.steps.is_empty(), "{asked}: no steps");
        }
        let report = check(&answer, Options::default());
        assert!(report.is_ok(), "{name}: {:?}", report.failures);
        for result in &report.results {
            assert!(result.points > 0, "{name}: {} was not checked: {:?}", result.title, result.not_checked);
        }
    }
}

//! `matgrad train` and `matgrad predict` as a user runs them.

use std::path::PathBuf;
use std::process::{Command, Output};

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

/// Standard output of a run that must succeed.
fn shown(arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that must fail with this exit code.
fn error(code: i32, arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

/// The test accuracy in per cent.
fn test_accuracy(text: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with("test ")).unwrap();
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A training that takes a second without optimisation.
const SHORT: [&str; 7] = ["train", "--hidden", "10", "--epochs", "2", "--learning-rate", "0.1"];

#[test]
fn the_default_network_recognises_digits_of_unknown_writers() {
    // Without optimisation the full training takes half a minute; a shorter one stands for it.
    let (options, least): (&[&str], f64) = if cfg!(debug_assertions) { (&SHORT[1..], 88.0) } else { (&[], 95.5) };
    for seed in if cfg!(debug_assertions) { 0..1 } else { 0..3 } {
        let text = shown(&[&["train", "--quiet", "--seed", &seed.to_string()], options].concat());
        assert!(test_accuracy(&text) >= least, "seed {seed}: {text}");
    }
}

#[test]
fn a_saved_model_predicts_as_it_was_trained() {
    let (first, second) = (scratch("first.npz"), scratch("second.npz"));
    let save = |path: &PathBuf| shown(&[&SHORT[..], &["--save", path.to_str().unwrap()]].concat());
    let text = save(&first);
    assert_eq!(text, save(&second), "the same seed gives the same output");
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    assert!(text.contains("G_Z2") && text.contains("CC BY 4.0"), "{text}");
    let predicted = shown(&["predict", "--model", first.to_str().unwrap()]);
    let accuracy = format!("accuracy {:.2} % of 1797 samples\n", test_accuracy(&text));
    assert!(predicted.contains(&accuracy), "{predicted}");
}

#[test]
fn progress_is_told_in_few_lines_on_standard_error() {
    let output = matgrad(&SHORT);
    let lines = String::from_utf8(output.stderr).unwrap();
    assert!(lines.starts_with("epoch 1 of 2: loss ") && lines.contains("\nepoch 2 of 2: loss "), "{lines}");
    assert!(lines.lines().count() <= 6, "{lines}");
    let quiet = matgrad(&[&SHORT[..], &["--quiet"]].concat());
    assert!(quiet.stderr.is_empty());
    assert_eq!(String::from_utf8(quiet.stdout).unwrap().lines().count(), 3);
}

#[test]
fn wrong_options_are_told_with_what_would_be_right() {
    let expected = "error: the decay 0.0 is out of range\nhelp: decay: above 0 and at most 1; 1 keeps the rate\n\
                    error: the momentum -1.0 is out of range\nhelp: momentum: from 0 to below 1, such as 0.9\n";
    assert_eq!(error(2, &["train", "--decay", "0", "--momentum", "-1"]), expected);
    assert!(error(2, &["train", "--activation", "sine"]).contains("possible values: relu, leaky_relu"));
    assert!(error(2, &["train", "--epochs", "many"]).contains("invalid value 'many' for '--epochs <NUMBER>'"));
    let diverged = error(2, &["train", "--quiet", "--learning-rate", "1e9", "--hidden", "4"]);
    assert!(diverged.starts_with("error: the training diverged in epoch 1: "), "{diverged}");
    assert!(diverged.contains("\nhelp: take a smaller learning rate than 1000000000.0; "), "{diverged}");
    let ending = "error: `model.txt` ends in neither .npz nor .safetensors\n";
    assert_eq!(error(2, &["train", "--save", "model.txt"]), ending);
    assert!(error(3, &["train", "--data", "missing.npz"]).starts_with("error: cannot read `missing.npz`: "));
    assert!(error(3, &["predict", "--model", "missing.npz"]).starts_with("error: cannot read `missing.npz`: "));
}

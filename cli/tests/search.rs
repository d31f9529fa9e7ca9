//! `matgrad search` as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

fn shown(arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn error(arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("search-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Three classes that lie in rings: a wide network and a good rate tell them apart.
fn rings(path: &Path) {
    let row = |i: u32| {
        let (class, angle) = (i % 3, f64::from(i) * 0.7);
        let radius = 1.0 + f64::from(class) + 0.2 * f64::from(i % 5) / 5.0;
        format!("{},{},{class}\n", radius * angle.cos(), radius * angle.sin())
    };
    fs::write(path, format!("a,b,ring\n{}", (0..150).map(row).collect::<String>())).unwrap();
}

const OVER: [&str; 6] = ["--over", "hidden=2,24", "--over", "learning-rate=0.001,0.1", "--epochs", "25"];

#[test]
fn all_combinations_are_ranked_and_the_best_is_saved() {
    let folder = scratch("grid");
    let data = folder.join("rings.csv");
    rings(&data);
    let base = ["search", "--quiet", "--data", text(&data), "--label", "ring", "--batch-size", "16"];
    let run = |more: &[&str]| shown(&[&base[..], &OVER, more].concat());
    let (best, log) = (folder.join("best.safetensors"), folder.join("log.jsonl"));
    let told = run(&["--save", text(&best), "--log", text(&log), "--jobs", "2"]);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["rank", "hidden", "learning-rate", "accuracy", "loss", "epoch"]
    );
    assert_eq!(lines[1].split_whitespace().take(3).collect::<Vec<_>>(), ["1", "24", "0.1"]);
    let command = format!(
        "best: matgrad train --data {} --label ring --hidden 24 --epochs 25 --batch-size 16 --learning-rate 0.1 --threads 1",
        data.display()
    );
    assert!(told.contains(&command), "{told}");
    // The best model is the one that its command trains.
    let again = folder.join("again.safetensors");
    let words: Vec<&str> = command["best: matgrad ".len()..].split(' ').collect();
    shown(&[&words[..], &["--quiet", "--save", text(&again)]].concat());
    let weights = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        safetensors::SafeTensors::deserialize(&bytes).unwrap().tensor("W1").unwrap().data().to_vec()
    };
    assert_eq!(weights(&best), weights(&again));
    // One job gives the same table, and so does a search that goes on.
    assert_eq!(run(&["--jobs", "1"]), told);
    let whole = fs::read_to_string(&log).unwrap();
    let kept: Vec<&str> = whole.split_inclusive('\n').take(3).collect();
    fs::write(&log, format!("{}{{\"trial\":3,\"val", kept.concat())).unwrap();
    fs::remove_file(&best).unwrap();
    assert_eq!(run(&["--save", text(&best), "--log", text(&log)]), told);
    assert_eq!(weights(&best), weights(&again));
    let mut lines: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    let mut before: Vec<String> = whole.lines().map(str::to_owned).collect();
    lines.sort();
    before.sort();
    assert_eq!(lines, before);
    let other = error(&[&base[..], &OVER[..4], &["--log", text(&log), "--epochs", "26"]].concat());
    assert!(other.contains("line 1: it is the log of another search"), "{other}");
}

#[test]
fn random_trials_and_trials_that_diverge() {
    let folder = scratch("random");
    let data = folder.join("rings.csv");
    rings(&data);
    let base = ["search", "--quiet", "--data", text(&data), "--label", "ring", "--epochs", "2"];
    let told = shown(&[&base[..], &["--trials", "5", "--over", "hidden=2..9", "--over", "lambda=1e-6..0.1"]].concat());
    assert_eq!(told.lines().take_while(|line| !line.is_empty()).count(), 6, "{told}");
    let told = shown(&[&base[..], &["--over", "learning-rate=0.1,1e9"]].concat());
    assert!(told.lines().nth(2).unwrap().contains("1000000000  the training diverged in epoch 1"), "{told}");
    let none = error(&[&base[..], &["--over", "learning-rate=1e9"]].concat());
    assert!(none.starts_with("error: no trial came to an end: the training diverged"), "{none}");
}

#[test]
fn wrong_searches_are_told() {
    for (arguments, message) in [
        (&["--over", "hidden"][..], "error: `--over hidden` has no values; write values as hidden=32,64"),
        (&["--over", "hidden=a,b"], "error: `--over hidden=a,b` has values that are no numbers"),
        (&["--over", "lambda=0..1", "--trials", "3"], "error: `--over lambda=0..1` is no range of positive numbers"),
        (&["--over", "lambda=0.1..1"], "error: a range is tried at random: say how many --trials"),
        (&["--over", "hidden=2", "--over", "hidden=3"], "error: `hidden` is tried twice"),
        (&["--over", "hidden=2,3", "--hidden", "4"], "error: --hidden is given, and tried by --over hidden=…"),
        (&["--over", "hidden=2.5"], "error: `matgrad train` cannot be given hidden=2.5"),
        (&["--over", "K=2"], "error: the program has neither a scalar nor a dimension `K`"),
        (&["--over", "decay=2"], "error: the decay 2.0 is out of range"),
        (&["--over", "hidden=2", "--validation", "0"], "error: a search ranks by validation"),
        (&["--trials", "0"], "error: 0 trials are out of range"),
    ] {
        let told = error(&[&["search"], arguments].concat());
        assert!(told.starts_with(message), "{told}");
    }
}

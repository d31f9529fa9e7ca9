//! Golden messages: each file of `tests/errors` is a program with mistakes, a line `---`, and what a person then reads.
//! `UPDATE=1 cargo test` rewrites them; read the difference.

use std::fs;
use std::path::{Path, PathBuf};

use matgrad::diagnostic::render;
use matgrad::elaborate::read;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What a person reads about a program that is wrong.
fn message(source: &str, name: &str) -> String {
    match read(source) {
        Ok(_) => "no mistake\n".to_owned(),
        Err(errors) => render(&errors, source, &format!("{name}.mg")),
    }
}

#[test]
fn messages_are_as_written_down() {
    let mut wrong = Vec::new();
    let paths = cases();
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap();
        let (source, expected) = text.split_once("---\n").unwrap();
        let found = message(source, &name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path, format!("{source}---\n{found}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{name}: found\n{found}\nexpected\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(paths.len() >= 80, "only {} cases", paths.len());
}

#[test]
fn every_message_has_a_place_and_plain_words() {
    if std::env::var_os("UPDATE").is_some() {
        // The files are being written.
        return;
    }
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (source, _) = text.split_once("---\n").unwrap();
        for error in read(source).unwrap_err() {
            let about_the_whole = matches!(name.as_str(), "empty" | "asks_nothing");
            assert!(error.span.is_some() || about_the_whole, "{name}: no place");
            let words = format!("{} {}", error.message, error.hint.unwrap_or_default());
            for clumsy in ["DimId", "Some(", "None", "NodeId", "unwrap", "invalid syntax", "?1"] {
                assert!(!words.contains(clumsy), "{name}: {words}");
            }
        }
    }
}

//! What the documents show is what the command prints: blocks marked `console` are run. `UPDATE=1 cargo test -p matgrad-cli
//! --test documents` writes their outputs anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn matgrad(arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the command starts")
}

/// The words of a command line, quotes taken off.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut open = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                open = true;
            }
            (None, '#') if word.is_empty() => break,
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (None, c) => word.push(c),
        }
    }
    if open || !word.is_empty() {
        out.push(word);
    }
    out
}

/// What stands behind `matgrad`, for the ways in which the documents call it.
fn arguments(line: &str) -> Option<Vec<String>> {
    let mut words = words(line.trim_start_matches("$ "));
    if words.first().is_some_and(|word| word == "matgrad") {
        return Some(words.split_off(1));
    }
    let cargo = words.len() > 2 && words[0] == "cargo" && words[1] == "run";
    let place = words.iter().position(|word| word == "--").filter(|_| cargo)?;
    Some(words.split_off(place + 1))
}

/// The commands of a document: in console blocks, and in code within a line.
fn commands_of(document: &str) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if inside {
            out.extend(arguments(line));
        }
        for (i, code) in line.split('`').enumerate() {
            if !inside && i % 2 == 1 {
                out.extend(arguments(code));
            }
        }
    }
    out
}

fn documents() -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| root().join(name)).into();
    for entry in fs::read_dir(root().join("docs")).expect("the documents are there") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            out.push(path);
        }
    }
    out
}

#[test]
fn commands_in_documents_exist() {
    let mut count = 0;
    for path in documents() {
        let document = fs::read_to_string(&path).expect("a document is text");
        for command in commands_of(&document) {
            let Some(name) = command.first().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) else {
                continue;
            };
            count += 1;
            let output = matgrad(&[name.clone(), "--help".to_owned()]);
            let help = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{}: there is no `matgrad {name}`", path.display());
            for option in command.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option.as_str()), "{}: `matgrad {name}` has no {option}", path.display());
            }
        }
    }
    assert!(count >= 6, "only {count} commands were found");
}

/// A text without the sizes of rounding errors, which differ from machine to machine.
fn without_errors(text: &str) -> String {
    let mut parts = text.split("worst error ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("worst error …");
        out.push_str(part.find(',').map_or("", |end| &part[end..]));
    }
    out
}

#[test]
fn outputs_in_the_readme_are_real() {
    let path = root().join("README.md");
    let document = fs::read_to_string(&path).expect("the README is text");
    let mut fresh = String::new();
    let mut lines = document.lines().peekable();
    let mut inside = false;
    let mut count = 0;
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        fresh.push('\n');
        if line.starts_with("```") {
            inside = line == "```console";
        }
        let Some(command) = arguments(line).filter(|_| inside && line.starts_with("$ ")) else { continue };
        count += 1;
        while lines.peek().is_some_and(|next| !next.starts_with("```") && !next.starts_with("$ ")) {
            lines.next();
        }
        let output = matgrad(&command);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let shown = String::from_utf8(output.stdout).expect("text");
        fresh.push_str(shown.trim_end());
        fresh.push('\n');
    }
    assert!(count > 0, "the README shows no output");
    let same = without_errors(&fresh) == without_errors(&document);
    if std::env::var_os("UPDATE").is_some() && !same {
        fs::write(&path, fresh).expect("the README can be written");
        return;
    }
    assert!(same, "UPDATE=1 writes the README's outputs anew:\n{fresh}");
}

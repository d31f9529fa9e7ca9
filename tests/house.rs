//! The rules of the house, held by tests: rooms in their order, files of a readable size, a pure library.

use std::fs;
use std::path::{Path, PathBuf};

/// No file of the project's sources is longer than this many lines.
const LONGEST_FILE: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below a folder, in order of their paths.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

/// The code of a file: comments and what stands in string literals left out, line ends kept.
fn code_of(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"") || rest.starts_with("r#") {
            let hashes = rest[1..].chars().take_while(|&c| c == '#').count();
            let close = format!("\"{}", "#".repeat(hashes));
            let open = 2 + hashes;
            rest.get(open..).and_then(|inner| inner.find(&close)).map_or(1, |end| open + end + close.len())
        } else if c == '"' {
            end_of_string(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\'") {
            if rest.starts_with("'\\''") { 4 } else { 3 }
        } else {
            0
        };
        if skipped > 0 {
            out.extend(rest[..skipped].chars().filter(|&c| c == '\n'));
            out.push(' ');
            rest = &rest[skipped..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The length of the string literal that `text` starts with.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    text.len()
}

/// The rooms in the order in which `lib.rs` declares them.
fn rooms() -> Vec<String> {
    code_of(&read(&root().join("src/lib.rs")))
        .lines()
        .filter_map(|line| {
            let line = line.trim();
            let name = line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?;
            Some(name.trim_end_matches(';').to_owned())
        })
        .collect()
}

/// The first names of all `crate::…` paths in a file's code.
fn rooms_used(code: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (place, found) in code.match_indices("crate::") {
        if code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[place + found.len()..];
        match rest.strip_prefix('{') {
            Some(group) => out.extend(first_names_of_group(group)),
            None => out.push(first_name(rest)),
        }
    }
    out
}

fn first_name(text: &str) -> String {
    text.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect()
}

/// The first names of `a::{b, c}, d}`, up to the bracket that closes the group.
fn first_names_of_group(text: &str) -> Vec<String> {
    let mut out = vec![first_name(text.trim_start())];
    let mut depth = 0_usize;
    for (i, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => out.push(first_name(text[i + 1..].trim_start())),
            _ => {}
        }
    }
    out.retain(|name| !name.is_empty());
    out
}

#[test]
fn a_module_uses_only_rooms_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 8, "lib.rs was not read: {rooms:?}");
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let mut seen = 0;
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let inside = path.strip_prefix(root().join("src")).expect("below src");
        let room = inside.components().next().expect("a name").as_os_str().to_string_lossy().replace(".rs", "");
        if room == "lib" {
            continue;
        }
        let own = place(&room).unwrap_or_else(|| panic!("{} belongs to no room of lib.rs", inside.display()));
        // Tests of a room may go through the whole house.
        if path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("tests")) {
            continue;
        }
        let code = code_of(&read(&path));
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for used in rooms_used(code) {
            seen += 1;
            match place(&used) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{} uses {used}, which stands below {room}", inside.display())),
                None => wrong.push(format!("{} uses crate::{used}, which is no room", inside.display())),
            }
        }
        // A path through `super` must stay inside the room.
        let depth = inside.components().count() - usize::from(inside.ends_with("mod.rs"));
        if code.contains(&"super::".repeat(depth + 1)) {
            wrong.push(format!("{} leaves its room through super", inside.display()));
        }
    }
    assert!(seen > 50, "the paths of the modules were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_search_for_paths_finds_them() {
    let code =
        code_of("use crate::{a::{b, c}, d}; // crate::e\nlet x = \"crate::f\"; fn f() { crate::g::h() } xcrate::i");
    assert_eq!(rooms_used(&code), ["a", "d", "g"]);
    assert_eq!(
        code_of("a'\"'b \"c\\\"d\" e r#\"f\"g\"# h").split_whitespace().collect::<Vec<_>>(),
        ["a", "b", "e", "h"]
    );
}

#[test]
fn files_have_a_readable_size() {
    let mut wrong = Vec::new();
    for folder in ["src", "kernels", "cli", "tests"] {
        for path in rust_files(&root().join(folder)) {
            let lines = read(&path).lines().count();
            if lines > LONGEST_FILE {
                wrong.push(format!("{} has {lines} lines", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_library_is_pure() {
    const FORBIDDEN: [&str; 16] = [
        "unsafe ",
        "println!",
        "print!",
        "eprintln!",
        "eprint!",
        "dbg!",
        "todo!",
        "unimplemented!",
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
        "std::time",
        "stdin(",
        "stdout(",
        "stderr(",
    ];
    let mut wrong = Vec::new();
    for path in ["src", "kernels/src"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let code = code_of(&read(&path));
        // What runs on threads and vectors is the one place for code that the compiler cannot check.
        let fast = path.starts_with(root().join("src/run")) || path.starts_with(root().join("kernels"));
        for word in FORBIDDEN {
            if code.contains(word) && !(fast && word == "unsafe ") {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_test_is_left_out_and_no_import_is_a_glob() {
    // Put together here so that this file does not contain the words it looks for.
    let ignored = ["#[ig", "nore"].concat();
    let mut wrong = Vec::new();
    for folder in ["src", "kernels", "cli", "tests"] {
        for path in rust_files(&root().join(folder)) {
            let code = code_of(&read(&path));
            if code.contains(&ignored) {
                wrong.push(format!("{}: a test is left out", path.display()));
            }
            if code.lines().any(|line| line.trim_start().starts_with("use ") && line.contains("::*")) {
                wrong.push(format!("{}: a glob import", path.display()));
            }
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if ["util", "utils", "common", "helper", "helpers", "prelude"].contains(&name.as_str()) {
                wrong.push(format!("{}: a room needs a name that says what it does", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_module_says_what_it_is() {
    let mut wrong = Vec::new();
    for folder in ["src", "kernels/src", "cli/src", "tests"] {
        for path in rust_files(&root().join(folder)) {
            if !read(&path).starts_with("//! ") {
                wrong.push(path.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "no first paragraph: {}", wrong.join(", "));
}

#[test]
fn the_map_names_the_rooms_in_their_order() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let rows = map.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    assert_eq!(rows.map(|(room, _)| room).collect::<Vec<_>>(), rooms());
}

//! Files that hold what a user sees. `UPDATE=1 cargo test` writes them anew; then read the difference.

use std::fs;
use std::path::Path;

/// Compares a text with `tests/golden/NAME`, or writes it there under `UPDATE=1`.
#[track_caller]
pub fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder can be made");
        fs::write(&path, text).expect("the file can be written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}; UPDATE=1 writes it"));
    if text == expected {
        return;
    }
    let mut old = expected.lines();
    let mut new = text.lines();
    let mut number = 1;
    loop {
        match (old.next(), new.next()) {
            (Some(old), Some(new)) if old == new => number += 1,
            (None, None) => panic!("{name}: the ends of lines differ"),
            (old, new) => panic!(
                "{name}:{number}: another line\n  was: {}\n  now: {}\nUPDATE=1 writes it",
                old.unwrap_or("(the end)"),
                new.unwrap_or("(the end)"),
            ),
        }
    }
}

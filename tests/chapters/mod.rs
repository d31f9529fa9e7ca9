//! Golden files that are read as pages: sections with a program and what is printed for it. The text of a page around the
//! printed blocks is kept as it is.

use std::fs;
use std::path::{Path, PathBuf};

/// A section of a page.
#[derive(Default)]
pub struct Section {
    /// The page's file and the section's heading.
    pub title: String,
    /// The text of the `matgrad` block.
    pub program: String,
    /// Pairs of a variable and a formula, from lines "- by X: `formula`".
    pub known: Vec<(String, String)>,
    /// The lines of the page up to the printed block.
    before: String,
    printed: String,
}

/// The pages of a folder below `tests/`, in order.
pub fn pages(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut out: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    out.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    out.sort();
    out
}

/// The sections of a page.
pub fn sections(path: &Path) -> Vec<Section> {
    let source = fs::read_to_string(path).expect("a page is text");
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut out = Vec::new();
    let mut open = None;
    let mut current = Section::default();
    for line in source.lines() {
        if let (None, Some(title)) = (open, line.strip_prefix("## ")) {
            current.title = format!("{file}, {title}");
        }
        if let (None, Some(item)) = (open, line.strip_prefix("- by ")) {
            let (name, formula) = item.split_once(": `").expect("a name and a formula");
            current.known.push((name.to_owned(), formula.trim_end_matches('`').to_owned()));
        }
        match (open, line) {
            (Some("text"), "```") => {
                open = None;
                out.push(std::mem::take(&mut current));
                continue;
            }
            (Some("text"), _) => {
                current.printed.push_str(line);
                current.printed.push('\n');
                continue;
            }
            (None, "```matgrad") => open = Some("matgrad"),
            (None, "```text") => open = Some("text"),
            (Some("matgrad"), "```") => open = None,
            (Some("matgrad"), _) => {
                current.program.push_str(line);
                current.program.push('\n');
            }
            _ => {}
        }
        current.before.push_str(line);
        current.before.push('\n');
    }
    assert!(open.is_none(), "{file}: a block is not closed");
    assert!(current.before.trim().is_empty(), "{file}: text behind the last printed block");
    out
}

/// Compares what `print` gives for each section with the pages; with `UPDATE` set the pages are written anew. The number
/// of sections.
pub fn compare(pages: &[PathBuf], print: impl Fn(&Section) -> String) -> usize {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in pages {
        let mut fresh = String::new();
        for section in sections(path) {
            count += 1;
            let printed = print(&section);
            if printed != section.printed {
                wrong.push(format!("{}:\n{printed}instead of\n{}", section.title, section.printed));
            }
            fresh.push_str(&section.before);
            fresh.push_str(&printed);
            fresh.push_str("```\n");
        }
        if update {
            fs::write(path, fresh).expect("the page can be written");
        }
    }
    assert!(update || wrong.is_empty(), "{}\nUPDATE=1 writes the pages anew: read what changed", wrong.join("\n"));
    count
}

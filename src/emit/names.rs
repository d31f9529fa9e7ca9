//! Names that a target accepts: names of a program come in, identifiers go out, each once. A letter that is no letter of
//! ASCII is spelled by its number, a keyword or a name of the target's library gets an underscore behind it.

use rustc_hash::FxHashSet as HashSet;

/// The identifiers in use.
#[derive(Debug)]
pub(super) struct Names {
    used: HashSet<String>,
}

impl Names {
    /// No name in use but those that the target keeps to itself.
    pub(super) fn new(reserved: &[&str]) -> Names {
        let words = reserved.iter().flat_map(|line| line.split_whitespace());
        Names { used: words.map(str::to_owned).collect() }
    }

    /// An identifier that is in use already.
    pub(super) fn keep(&mut self, name: &str) {
        self.used.insert(name.to_owned());
    }

    /// An identifier for a name, in use from here on.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let base = identifier(wanted);
        let mut name = base.clone();
        if self.used.contains(&name) {
            name = format!("{base}_");
        }
        let mut count = 2;
        while self.used.contains(&name) {
            name = format!("{base}_{count}");
            count += 1;
        }
        self.used.insert(name.clone());
        name
    }
}

/// A name in the letters, digits and underscores that every target has; it begins with a letter and ends with none of the
/// underscores that are added behind a word in use.
pub(super) fn identifier(wanted: &str) -> String {
    let mut out = String::with_capacity(wanted.len());
    for c in wanted.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            out.push(c);
        } else {
            out.push_str(&format!("u{:x}", u32::from(c)));
        }
    }
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert(0, 'v');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn identifiers_are_plain_and_different() {
        let mut names = Names::new(&["lambda class", "np"]);
        let taken: Vec<String> =
            ["lambda", "lambda_", "x", "X", "x", "np", "_a", "é", "日本"].iter().map(|n| names.take(n)).collect();
        assert_eq!(taken, ["lambda_", "lambda__", "x", "X", "x_", "np_", "v_a", "ue9", "u65e5u672c"]);
    }
}

//! Where the displayed formulas, the inline formulas and the declarations of a Markdown or LaTeX text stand.

use std::ops::Range;

use crate::syntax::TYPES;

/// The places of a text that matter.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    /// Displayed formulas, without their signs.
    pub displays: Vec<Range<usize>>,
    /// Formulas inside of sentences.
    pub inline: Vec<Range<usize>>,
    /// Programs of the language: fenced `matgrad` blocks, lines of comments.
    pub programs: Vec<Range<usize>>,
    /// What begins and does not end.
    pub unclosed: Vec<Range<usize>>,
    /// All that is no sentence, in order: where it stands with its signs, and what it is.
    pub items: Vec<(Range<usize>, Item)>,
}

/// What stands between the sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A displayed formula, without its signs.
    Display(Range<usize>),
    /// A formula inside of a sentence, without its signs.
    Inline(Range<usize>),
    /// Code.
    Code(Range<usize>),
    /// A comment.
    Hidden,
}

/// Environments that display formulas.
const DISPLAYS: &[&str] = &[
    "equation",
    "equation*",
    "align",
    "align*",
    "gather",
    "gather*",
    "multline",
    "multline*",
    "eqnarray",
    "eqnarray*",
    "displaymath",
    "flalign",
    "flalign*",
    "alignat",
    "alignat*",
    "split",
    "aligned",
    "gathered",
    "math",
];
const VERBATIM: &[&str] = &["verbatim", "verbatim*", "lstlisting", "minted", "comment"];

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Markdown: fences, HTML comments.
    Markdown,
    /// LaTeX: comments with `%`.
    Latex,
}

/// Finds the regions of a text.
pub fn regions(source: &str, markup: Markup) -> Regions {
    let mut out = Regions::default();
    let mut at = 0;
    // Where the paragraph ends that was looked at last.
    let mut paragraph = 0;
    let bytes = source.as_bytes();
    let find = |from: usize, what: &str| source.get(from..).and_then(|rest| rest.find(what)).map(|k| from + k);
    while at < bytes.len() {
        let rest = &source[at..];
        let line_start = at == 0 || bytes[at - 1] == b'\n';
        // Looked for only where it is needed: a line may be as long as the text.
        let line_end = || find(at, "\n").map_or(source.len(), |k| k + 1);
        if markup == Markup::Markdown && line_start {
            let indent = rest.len() - rest.trim_start_matches([' ', '>']).len();
            let trimmed = &rest[indent..];
            if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| trimmed.starts_with(fence)) {
                let line_end = line_end();
                let info = source[at + indent..line_end].trim_start_matches(['`', '~', ' ']).trim();
                let close = find(line_end.saturating_sub(1), &format!("\n{fence}"))
                    .or_else(|| find(line_end.saturating_sub(1), &format!("\n{}{fence}", &rest[..indent])));
                let (end, next) = match close {
                    Some(k) => (k + 1, find(k + 1, "\n").map_or(source.len(), |k| k + 1)),
                    None => (source.len(), source.len()),
                };
                let word = info.split([' ', '{', ',']).find(|word| !word.is_empty()).unwrap_or_default();
                let inside = line_end.min(end)..end;
                let item = match word {
                    "math" | "latex-math" => Item::Display(inside.clone()),
                    _ => Item::Code(inside.clone()),
                };
                out.items.push((at..next, item));
                match word {
                    "matgrad" | "mg" | "{matgrad}" => out.programs.push(inside),
                    "math" | "latex-math" => out.displays.push(inside),
                    _ => {}
                }
                at = next;
                continue;
            }
        }
        if markup == Markup::Markdown && rest.starts_with("<!--") {
            let end = find(at, "-->").unwrap_or(source.len());
            declarations(source, at + 4..end, "", &mut out.programs);
            out.items.push((at..(end + 3).min(source.len()), Item::Hidden));
            at = (end + 3).min(source.len());
            continue;
        }
        if markup == Markup::Latex && rest.starts_with('%') {
            let end = line_end();
            declarations(source, at..end, "%", &mut out.programs);
            out.items.push((at..end, Item::Hidden));
            at = end;
            continue;
        }
        if markup == Markup::Markdown && rest.starts_with('`') {
            let ticks = rest.len() - rest.trim_start_matches('`').len();
            let close = find(at + ticks, &"`".repeat(ticks));
            at = close.map_or(at + ticks, |k| k + ticks);
            continue;
        }
        if rest.starts_with("$$") {
            match find(at + 2, "$$") {
                Some(end) => {
                    out.displays.push(at + 2..end);
                    out.items.push((at..end + 2, Item::Display(at + 2..end)));
                    at = end + 2;
                }
                None => {
                    out.unclosed.push(at..line_end());
                    at += 2;
                }
            }
            continue;
        }
        if rest.starts_with('$') {
            // A formula inside of a sentence ends in its paragraph.
            if paragraph <= at {
                paragraph = find(at, "\n\n").unwrap_or(source.len());
            }
            match find(at + 1, "$").filter(|&end| end < paragraph) {
                Some(end) => {
                    out.inline.push(at + 1..end);
                    out.items.push((at..end + 1, Item::Inline(at + 1..end)));
                    at = end + 1;
                }
                None => at += 1,
            }
            continue;
        }
        if rest.starts_with('\\') {
            let (open, close, display) = match bytes.get(at + 1) {
                Some(b'[') => (2, "\\]", true),
                Some(b'(') => (2, "\\)", false),
                _ => (0, "", false),
            };
            if open > 0 {
                match find(at + 2, close) {
                    Some(end) => {
                        if display { &mut out.displays } else { &mut out.inline }.push(at + 2..end);
                        let item = if display { Item::Display } else { Item::Inline };
                        out.items.push((at..end + 2, item(at + 2..end)));
                        at = end + 2;
                    }
                    None => {
                        out.unclosed.push(at..line_end());
                        at += 2;
                    }
                }
                continue;
            }
            if let Some(name) =
                rest.strip_prefix("\\begin{").and_then(|rest| rest.split_once('}')).map(|(name, _)| name)
            {
                let body = at + "\\begin{}".len() + name.len();
                let close = format!("\\end{{{name}}}");
                let displays = DISPLAYS.contains(&name);
                if displays || VERBATIM.contains(&name) {
                    match find(body, &close) {
                        Some(end) => {
                            if displays {
                                let arguments = if name.starts_with("alignat") {
                                    find(body, "}").map_or(body, |k| k + 1)
                                } else {
                                    body
                                };
                                out.displays.push(arguments.min(end)..end);
                            }
                            let item = if displays { Item::Display } else { Item::Code };
                            out.items.push((at..end + close.len(), item(body..end)));
                            at = end + close.len();
                        }
                        None => {
                            out.unclosed.push(at..line_end());
                            at = body;
                        }
                    }
                    continue;
                }
            }
            // An escaped sign stands for itself.
            at += 1 + source[at + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    out
}

/// The lines of a comment that declare something.
fn declarations(source: &str, range: Range<usize>, prefix: &str, out: &mut Vec<Range<usize>>) {
    let mut at = range.start;
    let mut marked = false;
    for line in source[range].split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.trim_start().trim_start_matches(prefix).trim_start();
        let offset = line.len() - body.len();
        let (body, offset) = match body.strip_prefix("matgrad") {
            Some(rest) => {
                marked = true;
                let rest = rest.strip_prefix(':').unwrap_or(rest);
                (rest, line.len() - rest.len())
            }
            None => (body, offset),
        };
        if is_declaration(body.trim()) || marked && !body.trim().is_empty() && is_statement(body.trim()) {
            out.push(start + offset..start + line.trim_end().len());
        }
    }
}

/// `X, Y : matrix(m, n)`, `dim N`, `assume symmetric(S)`
fn is_declaration(line: &str) -> bool {
    if line.starts_with("assume ") || line.starts_with("dim ") {
        return true;
    }
    let Some((names, kind)) = line.split_once(':') else { return false };
    let kind = kind.trim_start();
    let known = TYPES
        .iter()
        .any(|(name, _)| kind.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric())));
    let is_name = |name: &str| !name.trim().is_empty() && name.trim().chars().all(|c| c.is_alphanumeric() || c == '_');
    known && names.split(',').all(is_name)
}

fn is_statement(line: &str) -> bool {
    line.split_once('=').is_some_and(|(name, _)| name.trim().chars().all(|c| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::{Markup, regions};

    #[test]
    fn displays_and_declarations_are_found() {
        let source = "text $x$\n```matgrad\nX : matrix(m, n)\n```\n$$a = b$$ <!-- y : vector(n) --> \\[ c \\] `$$no$$`\n\
                      ```python\n$$no$$\n```\n\\begin{align*} d \\end{align*} $$ open";
        let found = regions(source, Markup::Markdown);
        let texts = |list: &[std::ops::Range<usize>]| -> Vec<String> {
            list.iter().map(|range| source[range.clone()].trim().to_owned()).collect()
        };
        assert_eq!(texts(&found.displays), ["a = b", "c", "d"]);
        assert_eq!(texts(&found.programs), ["X : matrix(m, n)", "y : vector(n)"]);
        assert_eq!(texts(&found.inline), ["x"]);
        assert_eq!(found.unclosed.len(), 1);
    }

    #[test]
    fn comments_of_latex_may_declare() {
        let source = "% X : matrix(m, n)\n% a remark: see below\n\\begin{equation}x\\end{equation} 5\\% of $y$";
        let found = regions(source, Markup::Latex);
        assert_eq!(found.programs.len(), 1);
        assert_eq!((found.displays.len(), found.inline.len()), (1, 1));
    }
}

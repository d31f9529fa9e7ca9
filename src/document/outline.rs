//! What stands between the formulas of a document, for a page that shows both: its headings, its paragraphs with the
//! formulas in them, its code. Marks of the markup are taken away as far as a reader would miss nothing; nothing is judged.

use super::formula::Formula;
use super::latex::{Known, formula};
use super::macros::Macros;
use super::regions::{Item, Markup};
use super::tokens::{Kind, tokens};
use crate::diagnostic::Span;

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A heading, 1 the highest.
    Heading(usize, Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// Code, or declarations.
    Code(String),
    /// A displayed formula: where it stands.
    Display(Span),
}

/// A part of a paragraph.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Words.
    Words(String),
    /// A formula: as it is written, and as it was read.
    Math(String, Option<Box<Formula>>),
}

/// A formula inside of a sentence of more signs is shown as it is written.
const LONGEST: usize = 400;

/// The pieces of a text whose items stand where `items` says.
pub fn outline(
    source: &str,
    markup: Markup,
    items: &[(std::ops::Range<usize>, Item)],
    known: &Known,
    macros: &Macros,
) -> Vec<Piece> {
    let mut out = Writer { markup, pieces: Vec::new(), line: Vec::new(), heading: None };
    let begin = "\\begin{document}";
    let mut at = match (markup, source.find(begin)) {
        (Markup::Latex, Some(start)) => start + begin.len(),
        _ => 0,
    };
    for (whole, item) in items {
        if whole.start < at {
            continue;
        }
        out.prose(&source[at..whole.start]);
        at = whole.end;
        match item {
            Item::Display(inner) => {
                out.flush();
                out.pieces.push(Piece::Display(Span::new(inner.start, inner.end)));
            }
            Item::Inline(inner) => {
                let text = source[inner.clone()].trim().to_owned();
                let read = (inner.len() <= LONGEST)
                    .then(|| tokens(source, inner.start, inner.end, macros).ok())
                    .flatten()
                    .filter(|list| !list.iter().any(|token| is_cross(&token.kind)))
                    .and_then(|list| formula(&list, known).ok());
                out.line.push(Inline::Math(text, read.map(Box::new)));
            }
            Item::Code(inner) => {
                out.flush();
                out.pieces.push(Piece::Code(source[inner.clone()].trim_end().to_owned()));
            }
            Item::Hidden => {}
        }
    }
    out.prose(&source[at.min(source.len())..]);
    out.flush();
    out.pieces
}

/// The sign of `m \times n`, which in a sentence is a shape and no product.
fn is_cross(kind: &Kind) -> bool {
    matches!(kind, Kind::Character('×')) || matches!(kind, Kind::Command(name) if name == "times")
}

struct Writer {
    markup: Markup,
    pieces: Vec<Piece>,
    line: Vec<Inline>,
    /// The level of the heading that is being read.
    heading: Option<usize>,
}

impl Writer {
    /// Ends a paragraph or a heading.
    fn flush(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if let Some(Inline::Words(first)) = line.first_mut() {
            *first = first.trim_start().to_owned();
        }
        if let Some(Inline::Words(last)) = line.last_mut() {
            *last = last.trim_end().to_owned();
        }
        line.retain(|part| !matches!(part, Inline::Words(words) if words.is_empty()));
        let heading = self.heading.take();
        if !line.is_empty() {
            self.pieces.push(match heading {
                Some(level) => Piece::Heading(level, line),
                None => Piece::Paragraph(line),
            });
        }
    }

    fn word(&mut self, text: &str) {
        match self.line.last_mut() {
            Some(Inline::Words(words)) => words.push_str(text),
            _ => self.line.push(Inline::Words(text.to_owned())),
        }
    }

    fn prose(&mut self, text: &str) {
        match self.markup {
            Markup::Markdown => self.markdown(text),
            Markup::Latex => self.latex(text),
        }
    }

    fn markdown(&mut self, text: &str) {
        for (k, line) in text.split('\n').enumerate() {
            if k > 0 {
                // A heading is one line; an empty line ends a paragraph.
                if self.heading.is_some() || line.trim().is_empty() {
                    self.flush();
                }
                self.word(" ");
            }
            let trimmed = line.trim_start();
            let level = trimmed.len() - trimmed.trim_start_matches('#').len();
            let starts = k > 0 || self.line.is_empty();
            if starts && (1..=6).contains(&level) && trimmed[level..].starts_with(' ') {
                self.flush();
                self.heading = Some(level);
                self.word(trimmed[level..].trim_start());
                continue;
            }
            let item = ["- ", "* ", "+ "].into_iter().find_map(|mark| trimmed.strip_prefix(mark));
            if starts && let Some(item) = item {
                self.flush();
                self.word("• ");
                self.word(&item.replace("**", "").replace('`', ""));
                continue;
            }
            let quoted = if starts { trimmed.strip_prefix("> ").unwrap_or(line) } else { line };
            self.word(&quoted.replace("**", "").replace('`', ""));
        }
    }

    fn latex(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let behind = &rest[c.len_utf8()..];
            rest = match c {
                '\\' => self.command(behind),
                '%' => behind.find('\n').map_or("", |end| &behind[end..]),
                '{' => behind,
                '}' => {
                    if self.heading.is_some() {
                        self.flush();
                    }
                    behind
                }
                '\n' => {
                    let next = behind.trim_start_matches([' ', '\t']);
                    match next.strip_prefix('\n') {
                        Some(next) => {
                            self.flush();
                            next
                        }
                        None => {
                            self.word(" ");
                            behind
                        }
                    }
                }
                '~' => {
                    self.word(" ");
                    behind
                }
                '`' | '\'' if behind.starts_with(c) => {
                    self.word("\"");
                    &behind[1..]
                }
                _ => {
                    self.word(c.encode_utf8(&mut [0; 4]));
                    behind
                }
            };
        }
    }

    /// A command in the words of a LaTeX text, without its backslash; what stands behind it.
    fn command<'a>(&mut self, text: &'a str) -> &'a str {
        let length = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        if length == 0 {
            let Some(c) = text.chars().next() else { return "" };
            if matches!(c, '\\' | ' ' | ',' | ';') {
                self.word(" ");
            } else {
                self.word(c.encode_utf8(&mut [0; 4]));
            }
            return &text[c.len_utf8()..];
        }
        let (name, rest) = text.split_at(length);
        let rest = rest.strip_prefix('*').unwrap_or(rest);
        let level = match name {
            "title" | "chapter" | "part" => Some(1),
            "section" => Some(2),
            "subsection" => Some(3),
            "subsubsection" | "paragraph" => Some(4),
            _ => None,
        };
        if level.is_some() {
            self.flush();
            self.heading = level;
            return rest.trim_start().strip_prefix('{').unwrap_or(rest);
        }
        match name {
            "item" => {
                self.flush();
                self.word("• ");
                rest.trim_start()
            }
            "begin" | "end" | "label" | "ref" | "eqref" | "cite" | "vspace" | "hspace" | "usepackage"
            | "documentclass" | "author" | "date" => {
                let inner = rest.trim_start();
                let inner = match inner.strip_prefix('[') {
                    Some(option) => option.split_once(']').map_or(inner, |(_, behind)| behind),
                    None => inner,
                };
                match inner.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                    Some((_, behind)) => behind,
                    None => rest,
                }
            }
            _ => rest.strip_prefix(' ').unwrap_or(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inline, Piece, outline};
    use crate::document::latex::Known;
    use crate::document::macros::Macros;
    use crate::document::regions::{Markup, regions};

    fn shown(source: &str, markup: Markup) -> Vec<String> {
        let line = |parts: &[Inline]| -> String {
            let text = |part: &Inline| match part {
                Inline::Words(words) => words.clone(),
                Inline::Math(text, read) => format!("<{text}{}>", if read.is_some() { "" } else { "?" }),
            };
            parts.iter().map(text).collect()
        };
        let items = regions(source, markup).items;
        let pieces = outline(source, markup, &items, &Known::default(), &Macros::new());
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Heading(level, parts) => format!("{level} {}", line(parts)),
                Piece::Paragraph(parts) => line(parts),
                Piece::Code(code) => format!("code {code}"),
                Piece::Display(span) => format!("= {}", &source[span.start as usize..span.end as usize]),
            })
            .collect()
    }

    #[test]
    fn markdown_is_headings_paragraphs_formulas_and_code() {
        let source = "# A title\nWith **words** and $x^2$,\nand more.\n\nNext: $$a = b$$ done.\n```matgrad\nX : scalar\n```\n- one\n";
        assert_eq!(
            shown(source, Markup::Markdown),
            ["1 A title", "With words and <x^2>, and more.", "Next:", "= a = b", "done.", "code X : scalar", "• one"]
        );
    }

    #[test]
    fn latex_is_read_without_its_commands() {
        let source = "\\documentclass{a}\n\\title{no}\n\\begin{document}\n% X : scalar\n\\section{On $X$}\nSee \\emph{this}~\\ref{a}: \\begin{equation}\\label{a} a = b \\end{equation} and $\\unknown$.\n\n\\begin{itemize}\\item one\\end{itemize}";
        assert_eq!(
            shown(source, Markup::Latex),
            ["2 On <X>", "See this :", "= \\label{a} a = b ", "and <\\unknown?>.", "• one"]
        );
    }
}

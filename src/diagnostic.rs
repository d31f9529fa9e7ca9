//! The one shape of a user's error: a place, a plain sentence, and what would be right. All errors of a text are
//! collected; nothing here prints. A text may have been put together from pieces with names of their own (a file, an
//! argument): a place is shown within its piece.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// How many errors are shown in full.
const SHOWN: usize = 8;
/// How many characters all of them together may take.
const LENGTH: usize = 4500;
/// Longer lines are cut around the place.
const LINE: usize = 200;

/// A place in a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// From `start` to `end`.
    pub fn new(start: usize, end: usize) -> Span {
        let clip = |x: usize| u32::try_from(x).unwrap_or(u32::MAX);
        Span { start: clip(start), end: clip(end) }
    }

    /// The smallest place that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// An error or a note about a user's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where, if it has a place.
    pub span: Option<Span>,
    /// What is wrong, in a plain sentence.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// A second place and what it has to do with it ("`m` comes from here").
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { span: Some(span), message: message.into(), hint: None, related: Vec::new() }
    }

    /// An error about the whole text.
    pub fn whole(message: impl Into<String>) -> Diagnostic {
        Diagnostic { span: None, message: message.into(), hint: None, related: Vec::new() }
    }

    /// With what would be right.
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// With a second place.
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.related.push((span, message.into()));
        self
    }
}

/// A text cut to a number of characters, with an ellipsis where something is left out.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Puts complaints in the order of the places they point at, those about the whole first.
pub fn in_order(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
}

/// A piece of a text and what a person knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The file's name, `-e`, `-d 2`, …
    pub name: String,
    /// Where in the text it stands, in bytes.
    pub range: Range<usize>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text is wrong.
    Error,
    /// The text is right; the reader should know.
    Note,
}

/// For whom a message is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// No escape sequences.
    Plain,
    /// Escape sequences for colour.
    Terminal,
}

/// Errors as a person reads them: `file:line:column`, the line with the place underlined, and what would be right.
pub fn render(diagnostics: &[Diagnostic], source: &str, file: &str) -> String {
    let piece = Piece { name: file.to_owned(), range: 0..source.len() };
    render_pieces(diagnostics, source, &[piece], Severity::Error, Paint::Plain)
}

/// As [`render`], of a text put together from pieces in order.
pub fn render_pieces(
    diagnostics: &[Diagnostic],
    source: &str,
    pieces: &[Piece],
    severity: Severity,
    paint: Paint,
) -> String {
    let texts: Vec<Text<'_>> = pieces.iter().map(|piece| Text::new(source, piece)).collect();
    let view = View { texts, severity, paint };
    let mut out = String::new();
    for (i, diagnostic) in diagnostics.iter().enumerate() {
        let text = view.one(diagnostic);
        if i > 0 && (i >= SHOWN || out.chars().count() + text.chars().count() > LENGTH) {
            let left = diagnostics.len() - i;
            let what = if severity == Severity::Error { "error" } else { "note" };
            out.push_str(&format!("\n… and {left} more {what}{}\n", if left == 1 { "" } else { "s" }));
            break;
        }
        if i > 0 {
            out.push('\n');
        }
        out.push_str(&text);
        out.push('\n');
    }
    out
}

/// A piece with its own lines; places are counted from its start.
struct Text<'a> {
    name: &'a str,
    start: usize,
    source: Cow<'a, str>,
    lines: LineIndex,
}

impl<'a> Text<'a> {
    fn new(source: &'a str, piece: &'a Piece) -> Text<'a> {
        let source = source.get(piece.range.clone()).unwrap_or_default();
        // Line ends of two characters would be shown; as many bytes keep all places.
        let source = if source.contains("\r\n") { source.replace("\r\n", " \n").into() } else { Cow::Borrowed(source) };
        let lines = LineIndex::new(&source);
        Text { name: &piece.name, start: piece.range.start, source, lines }
    }

    fn within(&self, span: Span) -> Span {
        Span::new((span.start as usize).saturating_sub(self.start), (span.end as usize).saturating_sub(self.start))
    }
}

/// How diagnostics are shown.
struct View<'a> {
    texts: Vec<Text<'a>>,
    severity: Severity,
    paint: Paint,
}

impl View<'_> {
    /// The piece that a place stands in: the last that begins at or before it.
    fn text_at(&self, span: Span) -> Option<&Text<'_>> {
        self.texts.iter().rev().find(|text| text.start <= span.start as usize).or(self.texts.first())
    }

    fn renderer(&self) -> Renderer {
        match self.paint {
            Paint::Plain => Renderer::plain(),
            Paint::Terminal => Renderer::styled(),
        }
    }

    fn one(&self, diagnostic: &Diagnostic) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Note => Level::NOTE,
        };
        let title = level.primary_title(shorten(&diagnostic.message, 600));
        let placed = diagnostic.span.and_then(|span| Some((span, self.text_at(span)?)));
        let mut group = match placed {
            None => {
                let group = Group::with_title(title);
                match self.texts.last() {
                    Some(text) => group.element(Origin::path(text.name)),
                    None => group,
                }
            }
            Some((span, text)) => {
                let near = |other: &Span| self.text_at(*other).is_some_and(|found| found.start == text.start);
                let (inside, outside): (Vec<_>, Vec<_>) =
                    diagnostic.related.iter().take(4).partition(|(other, _)| near(other));
                let inside: Vec<(Span, &str)> =
                    inside.into_iter().map(|(other, label)| (text.within(*other), label.as_str())).collect();
                let Some(snippet) = text.lines.excerpt(text.within(span), true, &inside, &text.source) else {
                    return self.long_line(diagnostic, text.within(span), text);
                };
                let mut group = title.element(snippet.path(text.name));
                for (other, label) in outside {
                    let Some(text) = self.text_at(*other) else { continue };
                    let place = text.within(*other);
                    if let Some(snippet) = text.lines.excerpt(place, false, &[(place, label.as_str())], &text.source) {
                        group = group.element(snippet.path(text.name));
                    }
                }
                group
            }
        };
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.message(shorten(hint, 600)));
        }
        self.renderer().render(&[group])
    }

    /// A place in a line too long to show: the line is cut around it, the column stays that of the whole line.
    fn long_line(&self, diagnostic: &Diagnostic, span: Span, text: &Text<'_>) -> String {
        let (line, column) = text.lines.place(&text.source, span.start as usize);
        let whole = text.lines.text(&text.source, line);
        let before: Vec<char> = whole.chars().take(column - 1).collect();
        let start: String = before[before.len().saturating_sub(40)..].iter().collect();
        let rest: String = whole.chars().skip(column - 1).take(80).collect();
        let dots = if before.len() > 40 { "…" } else { "" };
        let marked = (span.end.saturating_sub(span.start) as usize).clamp(1, rest.chars().count().max(1));
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let under = " ".repeat(start.chars().count() + dots.chars().count());
        let level = if self.severity == Severity::Error { "error" } else { "note" };
        let message = shorten(&diagnostic.message, 600);
        let mut out = format!("{level}: {message}\n{margin}--> {}:{line}:{column}\n", text.name);
        out.push_str(&format!("{margin} |\n{number} | {dots}{start}{rest}…\n{margin} | {under}{}", "^".repeat(marked)));
        if let Some(hint) = &diagnostic.hint {
            out.push_str(&format!("\n{margin} = help: {}", shorten(hint, 600)));
        }
        out
    }
}

/// Where the lines of a text begin.
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Of this text.
    pub fn new(source: &str) -> LineIndex {
        let starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        LineIndex { starts }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn place(&self, source: &str, byte: usize) -> (usize, usize) {
        let byte = byte.min(source.len());
        let line = self.starts.partition_point(|&start| start <= byte);
        let start = self.starts[line - 1];
        let before = source.get(start..byte).unwrap_or_default().trim_start_matches('\u{feff}');
        (line, before.chars().count() + 1)
    }

    fn text<'a>(&self, source: &'a str, line: usize) -> &'a str {
        let end = self.starts.get(line).map_or(source.len(), |&next| next - 1);
        source[self.starts[line - 1]..end].trim_start_matches('\u{feff}')
    }

    /// The lines that hold a place and the related ones; `None` where one of them is too long to show.
    fn excerpt<'a>(
        &self,
        place: Span,
        primary: bool,
        related: &[(Span, &'a str)],
        source: &'a str,
    ) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let first = self.place(source, place.start as usize).0;
        let last = self.place(source, place.end as usize).0.min(first + 2);
        let places = related.iter().map(|(span, _)| self.place(source, span.start as usize).0);
        let (top, bottom) = places.fold((first, last), |(top, bottom), line| (top.min(line), bottom.max(line)));
        if (top..=bottom).take(500).any(|line| self.text(source, line).len() > LINE) {
            return None;
        }
        let start = self.starts[top - 1];
        let start = start + if source[start..].starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let end = self.starts.get(bottom).map_or(source.len(), |&next| next - 1).max(start);
        let inside = |span: Span| {
            let from = (span.start as usize).clamp(start, end);
            let to = (span.end as usize).clamp(from, end);
            // A place is one character wide at least, and whole characters: the renderer cuts the text there.
            let from = source.floor_char_boundary(from);
            let next = source[from..end].chars().next().filter(|_| to == from).map_or(0, char::len_utf8);
            from - start..source.ceil_char_boundary(to).min(end) + next - start
        };
        let mut snippet = Snippet::source(&source[start..end]).line_start(top).fold(true);
        if primary {
            snippet = snippet.annotation(AnnotationKind::Primary.span(inside(place)));
        }
        for (span, label) in related {
            snippet = snippet.annotation(AnnotationKind::Context.span(inside(*span)).label(*label));
        }
        Some(snippet)
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnostic, Span, render};

    #[test]
    fn a_place_is_underlined() {
        let source = "X : matrix(m, n)\nf = tr(λ*X)\n";
        let at = source.find("tr(").unwrap();
        let diagnostic = Diagnostic::at(Span::new(at, at + 2), "tr needs a square matrix").hint("write `sum(X)`");
        let text = render(&[diagnostic], source, "a.mg");
        assert_eq!(
            text,
            "error: tr needs a square matrix\n --> a.mg:2:5\n  |\n2 | f = tr(λ*X)\n  |     ^^\n  |\n  = help: write `sum(X)`\n"
        );
    }

    #[test]
    fn long_lines_and_many_errors_stay_short() {
        let source = format!("f = {}(x)\n", "a".repeat(100_000));
        let diagnostic = Diagnostic::at(Span::new(4, 100_004), "unknown function");
        let text = render(&vec![diagnostic; 100], &source, "a.mg");
        assert!(text.contains("a.mg:1:5") && text.contains("more errors"), "{text}");
        assert!(text.chars().count() < 5000);
    }

    #[test]
    fn the_end_of_a_text_is_a_place() {
        for source in ["", "f = (x", "f = (x\n", "\u{feff}f = (x\r\n", "λ"] {
            for at in 0..=source.len() {
                let diagnostic = Diagnostic::at(Span::new(at, at + 1), "here").related(Span::new(0, at), "there");
                assert!(render(&[diagnostic], source, "a.mg").contains("a.mg:"), "{source:?} {at}");
            }
        }
    }
}

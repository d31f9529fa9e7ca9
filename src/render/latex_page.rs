//! The page in LaTeX, a fragment to include, in Typst, and in Markdown with formulas between dollars: the same lines, aligned under
//! each other with the rules' names beside them, and each rule stated once.

use super::latex::{escaped, latex};
use super::measure::width;
use super::notation::Notation;
use super::page::{Chain, ChainLine, Declared, Page, Place, Request, Shown, Waypoint, broken};
use super::statement::{Inline, inline};
use super::typeset::typeset;
use super::typst::{escaped as escaped_for_typst, typst};
use super::words::{Mention, legend, title};

/// Right sides are broken where they would be wider, in characters.
const WIDEST: usize = 62;
/// A left side wider than this stands on a line of its own.
const WIDEST_LEFT: usize = 18;

/// Where formulas and words are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// A fragment of a LaTeX document.
    Latex,
    /// Markdown.
    Markdown,
    /// A file of Typst, or a part of one.
    Typst,
}

impl Markup {
    /// A formula, without dollars.
    fn spelled(self, formula: &Notation) -> String {
        match self {
            Markup::Latex | Markup::Markdown => latex(formula),
            Markup::Typst => typst(formula),
        }
    }

    /// Space as wide as an M, and sizes side by side.
    fn signs(self) -> [&'static str; 2] {
        match self {
            Markup::Latex | Markup::Markdown => ["\\quad", " \\times "],
            Markup::Typst => ["quad", " times "],
        }
    }
}

/// The page in that markup.
pub fn marked_up(page: &Page, markup: Markup) -> String {
    let mut out = Writer { out: String::new(), markup };
    out.page(page);
    out.out
}

struct Writer {
    out: String,
    markup: Markup,
}

impl Writer {
    fn page(&mut self, page: &Page) {
        if self.markup == Markup::Latex {
            self.out.push_str("% Needs \\usepackage{amsmath} and \\usepackage{amssymb}.\n");
        }
        self.given(page);
        for request in &page.requests {
            self.request(request);
        }
        let legend = legend(page);
        if !legend.is_empty() {
            let sentences: Vec<String> = legend.iter().map(|mention| self.mention(mention)).collect();
            self.list("Signs", sentences);
        }
        if !page.checked.is_empty() {
            let lines = page.checked.iter().map(|line| self.words(line)).collect();
            self.list("Checked", lines);
        }
    }

    fn mention(&self, mention: &Mention) -> String {
        match mention {
            Mention::Ones(n) => {
                let size = Notation::Name(n.clone());
                let ones = self.math(&Notation::Ones(Box::new(size.clone()), None));
                format!("{ones} is the column of {} ones.", self.math(&size))
            }
            Mention::Hadamard => match self.markup {
                Markup::Typst => "$⊙$ and $⊘$ are element by element.".to_owned(),
                _ => "$\\odot$ and $\\oslash$ are element by element.".to_owned(),
            },
            Mention::Delta(example) => {
                format!("{} is 1 where both indices are equal and 0 elsewhere.", self.math(example))
            }
            Mention::Indicator(example) => format!("{} is 1 where it holds and 0 elsewhere.", self.math(example)),
            Mention::Elided if self.markup == Markup::Typst => {
                "$dots$ is a part left out: the formula is too large to read.".to_owned()
            }
            Mention::Elided => "$\\dots$ is a part left out: the formula is too large to read.".to_owned(),
        }
    }

    fn words(&self, text: &str) -> String {
        match self.markup {
            Markup::Latex => escaped(text).replace("...", "\\dots{}").replace('′', "'"),
            Markup::Typst => escaped_for_typst(text),
            Markup::Markdown => {
                text.chars().flat_map(|c| "\\`*_[]<>$#|".contains(c).then_some('\\').into_iter().chain([c])).collect()
            }
        }
    }

    fn math(&self, formula: &Notation) -> String {
        format!("${}$", self.markup.spelled(formula))
    }

    fn sentence(&self, parts: Vec<Inline>) -> String {
        parts
            .into_iter()
            .map(|part| match part {
                Inline::Prose(words) => self.words(&words),
                Inline::Formula(formula) => self.math(&formula),
            })
            .collect()
    }

    fn heading(&mut self, text: &str, size: Heading) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let line = match (self.markup, size) {
            (Markup::Latex, Heading::Request) => format!("\\section*{{{text}}}\n"),
            (Markup::Latex, Heading::Part) => format!("\\subsection*{{{text}}}\n"),
            (Markup::Latex, Heading::Waypoint) => format!("\\paragraph{{{text}}}\n"),
            (Markup::Typst, Heading::Request) => format!("= {text}\n"),
            (Markup::Typst, Heading::Part) => format!("== {text}\n"),
            (Markup::Typst, Heading::Waypoint) => format!("=== {text}\n"),
            (Markup::Markdown, Heading::Request) => format!("# {text}\n\n"),
            (Markup::Markdown, Heading::Part) => format!("## {text}\n\n"),
            (Markup::Markdown, Heading::Waypoint) => format!("### {text}\n\n"),
        };
        self.out.push_str(&line);
    }

    fn list(&mut self, heading: &str, items: Vec<String>) {
        self.heading(heading, Heading::Part);
        self.items(items);
    }

    fn items(&mut self, items: Vec<String>) {
        let (begin, item, end) = match self.markup {
            Markup::Latex => ("\\begin{itemize}\n", "  \\item ", "\\end{itemize}\n"),
            Markup::Markdown | Markup::Typst => ("", "- ", ""),
        };
        self.out.push_str(begin);
        for text in items {
            self.out.push_str(&format!("{item}{text}\n"));
        }
        self.out.push_str(end);
    }

    fn display(&mut self, rows: &[String]) {
        let (begin, end) = match self.markup {
            Markup::Latex => ("\\begin{align*}\n", "\\end{align*}\n"),
            Markup::Markdown => ("$$\n\\begin{aligned}\n", "\\end{aligned}\n$$\n"),
            Markup::Typst => ("$ ", "$\n"),
        };
        self.out.push_str(begin);
        self.out.push_str(&rows.join(if self.markup == Markup::Typst { " \\\n  " } else { " \\\\\n" }));
        self.out.push('\n');
        self.out.push_str(end);
    }

    fn given(&mut self, page: &Page) {
        let items = page.variables.iter().map(|variable| self.declared(variable)).collect();
        self.heading("Given", Heading::Request);
        self.items(items);
        if !page.definitions.is_empty() {
            self.heading("Definitions", Heading::Part);
            let mut rows = Vec::new();
            for (name, body) in &page.definitions {
                equation(self.markup, &mut rows, &self.markup.spelled(name), body, "");
            }
            self.display(&rows);
        }
    }

    fn declared(&self, variable: &Declared) -> String {
        let size: Vec<String> = variable.size.iter().map(|d| self.markup.spelled(d)).collect();
        let size = size.join(self.markup.signs()[1]);
        let name = self.markup.spelled(&variable.name);
        let properties: String = variable.properties.iter().map(|text| format!(", {text}")).collect();
        let space = match (self.markup, size.is_empty()) {
            (Markup::Typst, true) => "in RR".to_owned(),
            (Markup::Typst, false) => format!("in attach(RR, t: {size})"),
            (_, true) => "\\in \\mathbb{R}".to_owned(),
            (_, false) => format!("\\in \\mathbb{{R}}^{{{size}}}"),
        };
        format!("${name} {space}${properties}")
    }

    fn request(&mut self, request: &Request) {
        let title = self.sentence(title(request));
        self.heading(&title, Heading::Request);
        if let Some(meaning) = &request.meaning {
            let mut rows = Vec::new();
            equation(self.markup, &mut rows, &self.markup.spelled(&request.of), meaning, "");
            self.display(&rows);
        }
        for (i, waypoint) in request.waypoints.iter().enumerate() {
            self.waypoint(waypoint, request, i == 0);
        }
        let rules = stated(request);
        if !rules.is_empty() {
            let items =
                rules.iter().map(|line| format!("{}: {}", self.words(line.0), self.sentence(inline(line.1)))).collect();
            self.list("Rules", items);
        }
        self.heading("Result", Heading::Part);
        let mut rows = Vec::new();
        request.results.iter().for_each(|shown| result(self.markup, &mut rows, shown));
        self.display(&rows);
        if !request.notes.is_empty() {
            let notes = request.notes.iter().map(|note| self.sentence(inline(note))).collect();
            self.list("Notes", notes);
        }
    }

    fn waypoint(&mut self, waypoint: &Waypoint, request: &Request, first: bool) {
        if first {
            self.heading("Derivation", Heading::Part);
        }
        match &waypoint.place {
            // What has no name of the user's was shown under the title.
            Place::At(name, _) if request.meaning.is_some() && *name == request.of => {}
            Place::At(name, body) => {
                let short = width(&typeset(body)) <= WIDEST;
                let equation = if short {
                    self.math(&Notation::Equation(vec![name.clone(), body.clone()]))
                } else {
                    self.math(name)
                };
                self.heading(&format!("At {equation}"), Heading::Waypoint);
            }
            Place::End => self.heading("Read off", Heading::Waypoint),
            Place::Open => {}
        }
        let mut rows = Vec::new();
        for chain in &waypoint.chains {
            // Left sides of very different widths do not stand in one alignment.
            if width(&typeset(&chain.left)) > WIDEST_LEFT || chain.lines.len() > 1 {
                if !rows.is_empty() {
                    self.display(&std::mem::take(&mut rows));
                }
                self.display(&chain_rows(self.markup, chain));
            } else {
                rows.extend(chain_rows(self.markup, chain));
            }
        }
        if !rows.is_empty() {
            self.display(&rows);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Heading {
    Request,
    Part,
    Waypoint,
}

/// The rules of a request that the page says for the first time.
fn stated(request: &Request) -> Vec<(&'static str, &'static str)> {
    let chains = request.waypoints.iter().flat_map(|part| &part.chains);
    let reasons = chains.flat_map(|chain| &chain.lines).flat_map(|line| &line.reasons);
    reasons.filter(|reason| reason.first).map(|reason| (reason.rule.id, reason.rule.statement.as_str())).collect()
}

fn chain_rows(markup: Markup, chain: &Chain) -> Vec<String> {
    let mut rows = Vec::new();
    let left = markup.spelled(&chain.left);
    let wide = width(&typeset(&chain.left)) > WIDEST_LEFT;
    if wide {
        rows.push(format!("&{left}"));
    }
    for (i, line) in chain.lines.iter().enumerate() {
        let shown = if i == 0 && !wide { left.as_str() } else { "" };
        let first = rows.len();
        equation(markup, &mut rows, shown, &line.right, &reason(markup, line));
        if wide {
            rows[first].insert_str(1, &format!("{} ", markup.signs()[0]));
        }
    }
    rows
}

/// The names of the rules of a line.
fn reason(markup: Markup, line: &ChainLine) -> String {
    let names: Vec<&str> = line.reasons.iter().map(|reason| reason.rule.id).collect();
    match markup {
        _ if names.is_empty() => String::new(),
        Markup::Typst => format!(" &quad &upright(\"{}\")", names.join(", ")),
        _ => format!(" && \\text{{{}}}", escaped(&names.join(", "))),
    }
}

/// The rows of `left = right`.
fn equation(markup: Markup, rows: &mut Vec<String>, left: &str, right: &Notation, reason: &str) {
    for (i, line) in broken(right, WIDEST).into_iter().enumerate() {
        let part = markup.spelled(&line.part);
        rows.push(match line.minus {
            None => format!("{left} &= {part}"),
            Some(minus) => format!("&{} {} {part}", markup.signs()[0], if minus { "-" } else { "+" }),
        });
        if i == 0
            && let Some(row) = rows.last_mut()
        {
            row.push_str(reason);
        }
    }
}

fn result(markup: Markup, rows: &mut Vec<String>, shown: &Shown) {
    let size: Vec<String> = shown.shape.iter().map(|d| markup.spelled(d)).collect();
    let between = if markup == Markup::Typst { "&quad &" } else { "&& " };
    let shape = match size.iter().any(|d| d != "1") {
        true => format!(" {between}({})", size.join(markup.signs()[1])),
        false => String::new(),
    };
    equation(markup, rows, &markup.spelled(&shown.left), &shown.right, &shape);
    if let Some(whole) = &shown.whole {
        equation(markup, rows, "", whole, "");
    }
}

//! The page as text in a terminal, in the language's signs or in a book's: lines of a chain aligned under each other, the
//! rules as comments, hardly a line wider than a terminal.

use super::notation::Notation;
use super::page::{Chain, ChainLine, Page, Place, Request, Shown, Waypoint};
use super::statement::{Inline, inline};
use super::text::{explicit_text, unicode};
use super::words::{Mention, legend, title};

/// Lines are broken where they would be wider.
const WIDTH: usize = 100;
/// Comments begin at one of these columns, or right behind the line, or below it where they do not fit.
const COMMENTS: [usize; 3] = [52, 68, 84];
/// A left side wider than this stands on a line of its own.
const WIDEST_LEFT: usize = 24;

/// Which signs formulas are written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    /// Those of the language.
    Language,
    /// Those of a book.
    Book,
}

/// The page as lines of text.
pub fn plain(page: &Page, signs: Signs) -> String {
    let mut text = Plain { out: String::new(), signs, rules: Vec::new() };
    text.page(page);
    text.out
}

struct Plain {
    out: String,
    signs: Signs,
    /// The rules used so far, by name, with what they state.
    rules: Vec<(&'static str, String)>,
}

impl Plain {
    fn formula(&self, notation: &Notation) -> String {
        match self.signs {
            Signs::Language => explicit_text(notation),
            Signs::Book => unicode(notation),
        }
    }

    fn sentence(&self, text: &str) -> String {
        match self.signs {
            Signs::Language => text.to_owned(),
            Signs::Book => inline(text)
                .into_iter()
                .map(|part| match part {
                    Inline::Prose(words) => words,
                    Inline::Formula(formula) => unicode(&formula),
                })
                .collect(),
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.line("");
        }
        self.line(text);
    }

    fn page(&mut self, page: &Page) {
        self.given(page);
        for request in &page.requests {
            self.request(request);
        }
        self.statements();
        let legend = legend(page);
        if self.signs == Signs::Book && !legend.is_empty() {
            self.heading("Signs");
            for mention in &legend {
                let text = match mention {
                    Mention::Ones(n) => format!("  1_{} is the column of {n} ones", super::names::unicode_name(n)),
                    Mention::Hadamard => "  ⊙ and ⊘ are element by element".to_owned(),
                    Mention::Delta(example) => {
                        format!("  {} is 1 where both indices are equal and 0 elsewhere", self.formula(example))
                    }
                    Mention::Indicator(example) => {
                        format!("  {} is 1 where it holds and 0 elsewhere", self.formula(example))
                    }
                    Mention::Elided => "  … is a part left out: the formula is too large to read".to_owned(),
                };
                self.line(&text);
            }
        }
        if self.signs == Signs::Language && legend.contains(&Mention::Elided) {
            self.heading("… is a part left out: the formula is too large to read");
        }
        if !page.checked.is_empty() {
            self.heading("Checked");
            for line in &page.checked {
                self.line(&format!("  {}", line.trim_start_matches("checked: ")));
            }
        }
    }

    fn given(&mut self, page: &Page) {
        if !page.variables.is_empty() {
            self.heading("Given");
        }
        let names: Vec<String> = page.variables.iter().map(|variable| self.formula(&variable.name)).collect();
        let widest = names.iter().map(|name| columns(name)).max().unwrap_or(0);
        for (name, variable) in names.iter().zip(&page.variables) {
            let assumed: Vec<&str> = variable.properties.iter().copied().filter(|_| is_plain(&variable.kind)).collect();
            let kind = [&[variable.kind.as_str()], &assumed[..]].concat().join(", ");
            self.line(&format!("  {} : {kind}", padded(name, widest)));
        }
        if !page.definitions.is_empty() {
            self.heading("Definitions");
        }
        let equations: Vec<(String, String)> =
            page.definitions.iter().map(|(name, body)| (self.formula(name), self.formula(body))).collect();
        let widest = equations.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
        for (name, body) in equations {
            self.equation(2, &padded(&name, widest), &body, "");
        }
    }

    fn request(&mut self, request: &Request) {
        let title: String = title(request)
            .into_iter()
            .map(|part| match part {
                Inline::Prose(words) => words,
                Inline::Formula(formula) => self.formula(&formula),
            })
            .collect();
        self.heading(&title);
        self.line(&"=".repeat(columns(&title)));
        if let Some(meaning) = &request.meaning {
            self.line("");
            let (name, body) = (self.formula(&request.of), self.formula(meaning));
            self.equation(2, &name, &body, "");
        }
        for waypoint in &request.waypoints {
            self.waypoint(waypoint, request);
        }
        self.heading("Result");
        self.results(&request.results);
        if !request.notes.is_empty() {
            self.heading("Notes");
            for note in &request.notes {
                let note = self.sentence(note);
                self.line(&format!("  {note}"));
            }
        }
    }

    fn waypoint(&mut self, waypoint: &Waypoint, request: &Request) {
        match &waypoint.place {
            // What has no name of the user's was shown under the title.
            Place::At(name, _) if request.meaning.is_some() && *name == request.of => self.line(""),
            Place::At(name, body) => {
                let equation = format!("At {} = {}", self.formula(name), self.formula(body));
                self.line("");
                self.wrapped(0, &equation, 6);
            }
            Place::End => self.heading("Read off"),
            Place::Open => {}
        }
        for chain in &waypoint.chains {
            self.chain(chain);
        }
    }

    fn chain(&mut self, chain: &Chain) {
        let left = self.formula(&chain.left);
        let wide = columns(&left) > WIDEST_LEFT;
        if wide {
            self.line(&format!("  {left}"));
        }
        for (i, line) in chain.lines.iter().enumerate() {
            let shown = match (wide, i) {
                (true, _) => "  ".to_owned(),
                (false, 0) => left.clone(),
                (false, _) => " ".repeat(columns(&left)),
            };
            let right = self.formula(&line.right);
            let comment = self.comment(line);
            self.equation(2, &shown, &right, &comment);
        }
    }

    /// The rules of a line by name; what they state is told once, at the end.
    fn comment(&mut self, line: &ChainLine) -> String {
        for reason in &line.reasons {
            let statement = (reason.rule.id, self.sentence(&reason.rule.statement));
            if !self.rules.contains(&statement) {
                self.rules.push(statement);
            }
        }
        let names: Vec<&str> = line.reasons.iter().map(|reason| reason.rule.id).collect();
        if names.is_empty() { String::new() } else { format!("# {}", names.join(", ")) }
    }

    /// `left = right`, broken where it is too wide, with a comment behind it or below.
    fn equation(&mut self, indent: usize, left: &str, right: &str, comment: &str) {
        let start = self.out.len();
        let line = format!("{left} = {right}");
        self.wrapped(indent, &line, indent + columns(left) + 3);
        if comment.is_empty() {
            return;
        }
        let last = self.out[start..].trim_end().rsplit('\n').next().map_or(0, columns);
        let fits = |column: usize| column + columns(comment) <= WIDTH;
        match COMMENTS.into_iter().chain([last + 2]).find(|&column| last + 2 <= column && fits(column)) {
            Some(column) => {
                self.out.truncate(self.out.trim_end().len());
                self.line(&format!("{}{comment}", " ".repeat(column - last)));
            }
            None => self.line(&format!("{}{comment}", " ".repeat(COMMENTS[0]))),
        }
    }

    /// What the rules used above state.
    fn statements(&mut self) {
        let rules = std::mem::take(&mut self.rules);
        if rules.is_empty() {
            return;
        }
        self.heading("Rules");
        let widest = rules.iter().map(|(id, _)| columns(id)).max().unwrap_or(0);
        for (id, statement) in &rules {
            self.line(&format!("  {}  {statement}", padded(id, widest)));
        }
    }

    fn results(&mut self, results: &[Shown]) {
        let rows: Vec<(String, String)> =
            results.iter().map(|shown| (self.formula(&shown.left), self.formula(&shown.right))).collect();
        let widest = rows.iter().map(|row| columns(&row.0)).max().unwrap_or(0);
        let right = rows.iter().map(|row| columns(&row.1)).filter(|&w| w < 60).max().unwrap_or(0);
        for (shown, (left, body)) in results.iter().zip(rows) {
            let shape: Vec<String> = shown.shape.iter().map(|d| self.formula(d)).collect();
            let shape = match shape.iter().any(|d| d != "1") {
                true => format!("({})", shape.join(if self.signs == Signs::Book { " × " } else { " x " })),
                false => String::new(),
            };
            let fits = 2 + widest + 3 + columns(&body).max(right) + 3 + columns(&shape) <= WIDTH;
            if fits {
                self.line(&format!("  {} = {}   {shape}", padded(&left, widest), padded(&body, right)));
            } else {
                self.equation(2, &padded(&left, widest), &body, "");
                if !shape.is_empty() {
                    self.line(&format!("  {}   {shape}", " ".repeat(widest)));
                }
            }
            if let Some(whole) = &shown.whole {
                let whole = self.formula(whole);
                self.equation(2, &" ".repeat(widest), &whole, "");
            }
        }
    }

    /// A long line broken in front of operators, as far outside brackets as can be.
    fn wrapped(&mut self, indent: usize, line: &str, inner: usize) {
        let inner = inner.min(WIDTH / 3);
        let characters: Vec<char> = line.chars().collect();
        let mut rest = &characters[..];
        let mut indent = indent;
        while indent + rest.len() > WIDTH {
            let Some(at) = break_place(rest, WIDTH - indent) else { break };
            let (head, tail) = rest.split_at(at);
            let head: String = head.iter().collect();
            self.line(&format!("{}{head}", " ".repeat(indent)));
            rest = &tail[tail.iter().take_while(|&&c| c == ' ').count()..];
            indent = inner;
        }
        let rest: String = rest.iter().collect();
        self.line(&format!("{}{rest}", " ".repeat(indent)));
    }
}

/// Where to break a line: in the last two thirds of what fits, in front of an operator that the fewest brackets enclose.
fn break_place(line: &[char], room: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut best: Option<(usize, bool, usize)> = None;
    for (i, &c) in line.iter().enumerate().take(room) {
        match c {
            '(' | '[' | '⟨' => depth += 1,
            ')' | ']' | '⟩' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let spaced = c == ' ' && line.get(i + 2) == Some(&' ') && line.get(i + 1) != Some(&'=')
            || c == ' ' && line.get(i + 1) == Some(&'.') && line.get(i + 3) == Some(&' ');
        let tight = matches!(c, '*' | '·') && line.get(i.wrapping_sub(1)) != Some(&'.');
        if i < room / 3 || !(spaced || tight) {
            continue;
        }
        let candidate = (depth, tight, i);
        // The fewest brackets, then a sign with spaces, then the last.
        if best.is_none_or(|(d, t, _)| (depth, tight) <= (d, t)) {
            best = Some(candidate);
        }
    }
    best.map(|(_, _, i)| i)
}

/// How many columns a text takes in a terminal: letters and signs here take one each.
fn columns(text: &str) -> usize {
    text.chars().count()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Whether a type says nothing of a property, so that one assumed elsewhere is told beside it.
fn is_plain(kind: &str) -> bool {
    ["matrix", "vector", "row", "scalar"].iter().any(|plain| kind.starts_with(plain))
}

//! The page as one HTML document that asks nothing of anyone: style and mathematics font are in it, formulas are MathML,
//! there is no script.

use super::mathml::{escaped, spelled};
use super::measure::width;
use super::notation::Notation;
use super::page::{Broken, Chain, ChainLine, Declared, Page, Place, Request, Shown, Waypoint, broken};
use super::statement::{Inline, inline};
use super::text::{explicit_text, text, unicode};
use super::typeset::{Piece, typeset};
use super::words::{Mention, legend, title};

/// Right sides are broken where they would be wider, in characters.
const WIDEST: usize = 58;
/// The same where the reasons stand below the lines, because what cannot be broken is wider still.
const BROADEST: usize = 84;
/// A left side wider than this stands on a line of its own.
const WIDEST_LEFT: usize = 18;

const STYLE: &str = include_str!("../../assets/page.css");
const FONT: &[u8] = include_bytes!("../../assets/noto-sans-math.woff2");

/// The page as a document.
pub fn html(page: &Page) -> String {
    let mut out = Html { out: String::with_capacity(FONT.len() * 2) };
    out.document(page);
    out.out
}

/// A page in two parts, for a document that has more in it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The style sheet, with its font.
    pub style: String,
    /// The sections and the footer, without a frame.
    pub body: String,
}

/// The page's parts.
pub fn parts(page: &Page) -> Parts {
    Parts { style: style(), body: body(page) }
}

/// The sections and the footer.
pub fn body(page: &Page) -> String {
    let mut out = Html { out: String::new() };
    out.sections(page);
    out.footer(page);
    out.out
}

/// A page in its sections, for a document that arranges them itself.
#[derive(Clone, Debug)]
pub struct Sections {
    /// The variables and the definitions.
    pub given: String,
    /// Each request.
    pub requests: Vec<Section>,
    /// What the signs mean; empty where there is nothing to say.
    pub signs: String,
}

/// A request's sections; none has a heading. An empty one has nothing to tell.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its title, a line of text with formulas.
    pub title: String,
    /// The same in plain letters.
    pub spoken: String,
    /// What its name stands for, where the user gave none.
    pub meaning: String,
    /// Its results. The left side of each that was asked for is of the class `asked`.
    pub results: String,
    /// The results in the language.
    pub language: String,
    /// The derivation.
    pub derivation: String,
    /// What the reader should know.
    pub notes: String,
}

/// The page's sections.
pub fn sections(page: &Page) -> Sections {
    fn written(write: impl FnOnce(&mut Html)) -> String {
        let mut out = Html { out: String::new() };
        write(&mut out);
        out.out
    }
    let of = |request: &Request| Section {
        title: written(|out| out.sentence(title(request))),
        spoken: plain_title(&title(request)),
        meaning: written(|out| out.meaning(request)),
        results: written(|out| out.results(request)),
        language: language(request),
        derivation: written(|out| request.waypoints.iter().for_each(|waypoint| out.waypoint(waypoint, request))),
        notes: written(|out| out.notes(request)),
    };
    Sections {
        given: written(|out| out.given(page)),
        requests: page.requests.iter().map(of).collect(),
        signs: written(|out| out.signs(&legend(page))),
    }
}

fn style() -> String {
    format!(
        "/* Noto Sans Math, copyright 2022 Google LLC, SIL Open Font License 1.1 */\n\
         @font-face {{ font-family: \"matgrad math\"; src: url(data:font/woff2;base64,{}) format(\"woff2\"); }}\n{STYLE}",
        base64(FONT)
    )
}

struct Html {
    out: String,
}

impl Html {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn document(&mut self, page: &Page) {
        let titles: Vec<String> = page.requests.iter().map(|request| plain_title(&title(request))).collect();
        self.push("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.push("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        self.push(&format!("<title>{}</title>\n<style>\n", escaped(&titles.join("; "))));
        self.push(&style());
        self.push("</style>\n</head>\n<body>\n<main>\n");
        self.sections(page);
        self.push("</main>\n");
        self.footer(page);
        self.push("</body>\n</html>\n");
    }

    fn sections(&mut self, page: &Page) {
        for (i, request) in page.requests.iter().enumerate() {
            self.push("<section>\n<h1>");
            self.sentence(title(request));
            self.push("</h1>\n");
            if i == 0 {
                self.given(page);
            }
            self.request(request);
            self.push("</section>\n");
        }
    }

    fn given(&mut self, page: &Page) {
        self.push("<h2>Given</h2>\n<ul class=\"plain given\">\n");
        for variable in &page.variables {
            self.declared(variable);
        }
        self.push("</ul>\n");
        if !page.definitions.is_empty() {
            self.push("<h2>Definitions</h2>\n<div class=\"chain\">\n");
            for (name, body) in &page.definitions {
                self.left(name);
                self.right(body, BROADEST);
            }
            self.push("</div>\n");
        }
    }

    fn declared(&mut self, variable: &Declared) {
        let mut row = vec![typeset(&variable.name), Piece::Relation('∈')];
        let space = Piece::Letter('ℝ');
        let mut size = Vec::new();
        for (i, d) in variable.size.iter().enumerate() {
            if i > 0 {
                size.push(Piece::Binary('×'));
            }
            size.push(typeset(d));
        }
        row.push(match size.is_empty() {
            true => space,
            false => Piece::Scripts { base: Box::new(space), below: None, above: Some(Box::new(Piece::Row(size))) },
        });
        self.push("<li>");
        self.math(&Piece::Row(row), &format!("{}: {}", text(&variable.name), variable.kind));
        for property in &variable.properties {
            self.push(&format!("<span class=\"kind\">, {property}</span>"));
        }
        self.push("</li>\n");
    }

    fn request(&mut self, request: &Request) {
        self.meaning(request);
        if !request.waypoints.is_empty() {
            self.push("<h2>Derivation</h2>\n");
        }
        for waypoint in &request.waypoints {
            self.waypoint(waypoint, request);
        }
        self.push("<h2>Result</h2>\n");
        self.results(request);
        self.push("<details>\n<summary>In the language</summary>\n<pre>");
        self.push(&escaped(&language(request)));
        self.push("</pre>\n</details>\n");
        if !request.notes.is_empty() {
            self.push("<h2>Notes</h2>\n");
            self.notes(request);
        }
    }

    fn meaning(&mut self, request: &Request) {
        if let Some(meaning) = &request.meaning {
            self.push("<div class=\"chain\">\n");
            self.left(&request.of);
            self.right(meaning, BROADEST);
            self.push("</div>\n");
        }
    }

    fn results(&mut self, request: &Request) {
        self.push("<div class=\"result\">\n<div class=\"chain\">\n");
        for shown in &request.results {
            self.result(shown);
        }
        self.push("</div>\n</div>\n");
    }

    fn notes(&mut self, request: &Request) {
        if request.notes.is_empty() {
            return;
        }
        self.push("<ul class=\"plain\">\n");
        for note in &request.notes {
            self.push("<li>");
            self.sentence(inline(note));
            self.push("</li>\n");
        }
        self.push("</ul>\n");
    }

    fn waypoint(&mut self, waypoint: &Waypoint, request: &Request) {
        match &waypoint.place {
            // What has no name of the user's was shown under the title.
            Place::At(name, _) if request.meaning.is_some() && *name == request.of => {}
            Place::At(name, body) => {
                self.push("<h3>At ");
                let short = width(&typeset(body)) <= WIDEST;
                let shown = if short { Notation::Equation(vec![name.clone(), body.clone()]) } else { name.clone() };
                self.formula(&shown);
                self.push("</h3>\n");
            }
            Place::End => self.push("<h3>Read off</h3>\n"),
            Place::Open => {}
        }
        // One-line chains with short left sides share an alignment.
        let mut open = false;
        for chain in &waypoint.chains {
            let wide = width(&typeset(&chain.left)) > WIDEST_LEFT;
            let broad = chain.lines.iter().any(|line| is_broad(&line.right));
            let own = wide || broad || chain.lines.len() > 1;
            if open && own {
                self.push("</div>\n");
                open = false;
            }
            if own {
                let class = match (wide, broad) {
                    (false, false) => "chain",
                    (true, false) => "chain wide",
                    (false, true) => "chain broad",
                    (true, true) => "chain broad wide",
                };
                self.push(&format!("<div class=\"{class}\">\n"));
            } else if !open {
                self.push("<div class=\"chain\">\n");
                open = true;
            }
            self.chain(chain, if broad { BROADEST } else { WIDEST });
            if own {
                self.push("</div>\n");
            }
        }
        if open {
            self.push("</div>\n");
        }
    }

    fn chain(&mut self, chain: &Chain, widest: usize) {
        self.left(&chain.left);
        for line in &chain.lines {
            self.right(&line.right, widest);
            self.why(line);
        }
    }

    fn left(&mut self, formula: &Notation) {
        self.left_of("left", formula);
    }

    fn left_of(&mut self, class: &str, formula: &Notation) {
        self.push(&format!("<div class=\"{class}\">"));
        self.formula(formula);
        self.push("</div>\n");
    }

    fn right(&mut self, formula: &Notation, widest: usize) {
        self.push("<div class=\"right\">");
        for Broken { minus, part } in broken(formula, widest) {
            let sign = match minus {
                None => Piece::Relation('='),
                Some(false) => Piece::Plain('+'),
                Some(true) => Piece::Minus,
            };
            let spoken = match minus {
                None => format!("= {}", text(&part)),
                Some(minus) => format!("{} {}", if minus { '-' } else { '+' }, text(&part)),
            };
            if minus.is_some() {
                self.push("<span class=\"more\">");
            }
            self.math(&Piece::Row(vec![sign, Piece::Thin, typeset(&part)]), &spoken);
            if minus.is_some() {
                self.push("</span>");
            }
        }
        self.push("</div>\n");
    }

    fn why(&mut self, line: &ChainLine) {
        self.push("<div class=\"why\">");
        for (i, reason) in line.reasons.iter().enumerate() {
            if reason.first {
                self.push(&format!("<span class=\"told\"><span class=\"rule\">{}</span> ", escaped(reason.rule.id)));
                self.sentence(inline(&reason.rule.statement));
                self.push("</span>");
            } else {
                let comma = if i > 0 && !line.reasons[i - 1].first { ", " } else { "" };
                self.push(&format!("{comma}<span class=\"rule\">{}</span>", escaped(reason.rule.id)));
            }
        }
        self.push("</div>\n");
    }

    fn result(&mut self, shown: &Shown) {
        self.left_of(if shown.asked { "left asked" } else { "left" }, &shown.left);
        self.right(&shown.right, BROADEST);
        self.push("<div class=\"why\">");
        if shown.shape.iter().any(|d| text(d) != "1") {
            let mut row = Vec::new();
            for (i, d) in shown.shape.iter().enumerate() {
                if i > 0 {
                    row.push(Piece::Binary('×'));
                }
                row.push(typeset(d));
            }
            let sizes: Vec<String> = shown.shape.iter().map(text).collect();
            self.math(&Piece::Row(row), &sizes.join(" by "));
        }
        self.push("</div>\n");
        if let Some(whole) = &shown.whole {
            self.right(whole, BROADEST);
        }
    }

    fn sentence(&mut self, parts: Vec<Inline>) {
        for part in parts {
            match part {
                Inline::Prose(words) => self.push(&escaped(&words)),
                Inline::Formula(formula) => {
                    let inner = spelled(&typeset(&formula));
                    self.push(&format!("<math alttext=\"{}\">{inner}</math>", escaped(&text(&formula))));
                }
            }
        }
    }

    fn formula(&mut self, formula: &Notation) {
        self.math(&typeset(formula), &text(formula));
    }

    fn math(&mut self, piece: &Piece, spoken: &str) {
        let inner = spelled(piece);
        self.push(&format!("<math displaystyle=\"true\" alttext=\"{}\">{inner}</math>", escaped(spoken)));
    }

    fn footer(&mut self, page: &Page) {
        let legend = legend(page);
        if legend.is_empty() && page.checked.is_empty() {
            return;
        }
        self.push("<footer>\n");
        if !legend.is_empty() {
            self.push("<h2>Signs</h2>\n");
            self.signs(&legend);
        }
        if !page.checked.is_empty() {
            self.push("<h2>Checked</h2>\n<ul class=\"plain\">\n");
            for line in &page.checked {
                self.push(&format!("<li>{}</li>\n", escaped(line)));
            }
            self.push("</ul>\n");
        }
        self.push("</footer>\n");
    }

    fn signs(&mut self, legend: &[Mention]) {
        if legend.is_empty() {
            return;
        }
        self.push("<ul class=\"plain\">\n");
        for mention in legend {
            self.push("<li>");
            self.mention(mention);
            self.push("</li>\n");
        }
        self.push("</ul>\n");
    }

    fn mention(&mut self, mention: &Mention) {
        match mention {
            Mention::Ones(n) => {
                let size = Notation::Name(n.clone());
                self.formula(&Notation::Ones(Box::new(size.clone()), None));
                self.push(" is the column of ");
                self.formula(&size);
                self.push(" ones.");
            }
            Mention::Hadamard => {
                self.math(&Piece::Plain('⊙'), ".*");
                self.push(" and ");
                self.math(&Piece::Plain('⊘'), "./");
                self.push(" are element by element.");
            }
            Mention::Delta(example) => {
                self.formula(example);
                self.push(" is 1 where both indices are equal and 0 elsewhere.");
            }
            Mention::Indicator(example) => {
                self.formula(example);
                self.push(" is 1 where it holds and 0 elsewhere.");
            }
            Mention::Elided => self.push("… is a part left out: the formula is too large to read."),
        }
    }
}

/// Whether a part that cannot be broken leaves no room for reasons beside it.
fn is_broad(formula: &Notation) -> bool {
    broken(formula, WIDEST).iter().any(|line| width(&typeset(&line.part)) > WIDEST + 4)
}

/// The results as lines of the language.
fn language(request: &Request) -> String {
    let lines =
        request.results.iter().map(|shown| format!("{} = {}\n", explicit_text(&shown.left), text(&shown.right)));
    lines.collect()
}

fn plain_title(parts: &[Inline]) -> String {
    let words = parts.iter().map(|part| match part {
        Inline::Prose(words) => words.clone(),
        Inline::Formula(formula) => unicode(formula),
    });
    words.collect()
}

/// Bytes in base 64 (RFC 4648), padded.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let value = group.iter().fold(0_u32, |value, &byte| value << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for i in 0..4 {
            let digit = DIGITS[(value >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (bytes, text) in pairs {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}

//! `matgrad export-page`: a folder comes in; the gallery with every derivation rendered is written to it, as files that any
//! web host can serve, with no script and no server.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use matgrad::answer::{Answer, answer};
use matgrad::check::{Options, check};
use matgrad::derivation::Detail;
use matgrad::diagnostic::render as told;
use matgrad::render::mathml::escaped;
use matgrad::render::{html_body, html_sections};

use super::gallery::{EXAMPLES, Example};
use crate::failure::Failure;
use crate::output;

const STYLE: &[u8] = include_bytes!("../../../assets/page.css");
const FONTS: [(&str, &[u8]); 4] = [
    ("math.woff2", include_bytes!("../../assets/page/fonts/stix-two-math.woff2")),
    ("text.woff2", include_bytes!("../../assets/page/fonts/stix-two-text.woff2")),
    ("text-italic.woff2", include_bytes!("../../assets/page/fonts/stix-two-text-italic.woff2")),
    ("fonts.txt", include_bytes!("../../assets/page/fonts/STIX-OFL.txt")),
];
const OWN: &[u8] = include_bytes!("../../assets/page/gallery.css");

/// `matgrad export-page`.
pub fn command() -> Command {
    Command::new("export-page")
        .about("Writes the gallery of worked derivations to a folder that any web host can serve")
        .after_help("Example:\n  matgrad export-page gallery/")
        .arg(
            Arg::new("DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The folder; it is made where it is not there"),
        )
}

/// Writes the gallery.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(folder) = matches.get_one::<PathBuf>("DIR") else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| Failure::file("write", folder, &error))?;
    let write = |name: &str, bytes: &[u8]| output::write_whole(&folder.join(name), bytes);
    let mut list = String::new();
    let mut chapter = "";
    for (i, example) in EXAMPLES.iter().enumerate() {
        let page = page(example, i)?;
        write(&format!("{}.html", example.name), page.text.as_bytes())?;
        if chapter != example.chapter {
            if !chapter.is_empty() {
                list.push_str("</ul>\n");
            }
            chapter = example.chapter;
            list.push_str(&format!("<h2>{}</h2>\n<ul class=\"plain gallery\">\n", escaped(chapter)));
        }
        list.push_str(&format!(
            "<li><a href=\"{}.html\">{}</a> <span class=\"kind\">{}</span></li>\n",
            example.name,
            escaped(example.title),
            page.title
        ));
    }
    list.push_str("</ul>\n");
    let about = "<p>Matrix derivatives as one does them by hand: by differentials, step by step, each step by its name, \
                 each result checked by numbers. Written by <code>matgrad export-page</code>.</p>\n";
    let index = framed("Worked matrix derivatives", &format!("<h1>Worked matrix derivatives</h1>\n{about}{list}"));
    write("index.html", index.as_bytes())?;
    write("page.css", STYLE)?;
    write("gallery.css", OWN)?;
    for (name, bytes) in FONTS {
        write(name, bytes)?;
    }
    output::result(&format!("{} pages in {}\n", EXAMPLES.len() + 1, Path::new(folder).display()), None)
}

struct Written {
    text: String,
    /// The titles of its requests, with formulas.
    title: String,
}

fn page(example: &Example, place: usize) -> Result<Written, Failure> {
    let answer: Answer = answer(example.program, Detail::Full)
        .map_err(|errors| Failure::wrong(told(&errors, example.program, example.name)))?;
    let report = check(&answer, Options::default());
    if !report.is_ok() {
        return Err(Failure::check(format!("error: {}: {}\n", example.name, report.lines().join("\n"))));
    }
    let titles: Vec<String> = html_sections(&answer).requests.into_iter().map(|request| request.title).collect();
    let neighbour = |place: Option<usize>, word: &str| match place.and_then(|place| EXAMPLES.get(place)) {
        Some(other) => format!("<a href=\"{}.html\" rel=\"{word}\">{}</a>", other.name, escaped(other.title)),
        None => String::new(),
    };
    let body = format!(
        "<nav>{}<a href=\"index.html\">all</a>{}</nav>\n{}<h2>The program</h2>\n<pre>{}</pre>\n",
        neighbour(place.checked_sub(1), "prev"),
        neighbour(Some(place + 1), "next"),
        html_body(&answer, &report.lines()),
        escaped(example.program)
    );
    Ok(Written { text: framed(example.title, &body), title: titles.join("; ") })
}

fn framed(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"page.css\">\n<link rel=\"stylesheet\" href=\"gallery.css\">\n</head>\n<body>\n<main>\n\
         {body}</main>\n</body>\n</html>\n",
        escaped(title)
    )
}

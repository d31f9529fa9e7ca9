//! `matgrad verify` and `matgrad explain`: a text with formulas comes in, a verdict for each equals sign is shown.

use std::path::Path;

use clap::ArgMatches;
use matgrad::document::{Format, read};
use matgrad::verify::shown::{Subject, html, json, sarif, text};
use matgrad::verify::{explanation, verify};

use crate::arguments::output_file;
use crate::failure::Failure;
use crate::input::Program;
use crate::output;

/// A document is no larger than this many bytes.
const LARGEST_DOCUMENT: usize = 16 << 20;

/// Judges each line of a document.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let program = Program::whole(matches)?;
    if program.source.len() > LARGEST_DOCUMENT {
        let most = LARGEST_DOCUMENT >> 20;
        return Err(Failure::wrong(format!("the document is larger than {most} MiB, too large for verify")));
    }
    let file = program.pieces.last().map_or("-e", |piece| piece.name.as_str());
    let format = match (matches.contains_id("expression"), Path::new(file).extension().and_then(|e| e.to_str())) {
        (true, _) => Format::Claim,
        (_, Some("md" | "markdown")) => Format::Markdown,
        (_, Some("tex" | "latex")) => Format::Latex,
        (_, Some("ipynb")) => Format::Notebook,
        (_, Some("mg")) => Format::Program,
        _ => Format::guess(&program.source),
    };
    if matches.contains_id("declaration") && !matches!(format, Format::Program | Format::Claim) {
        return Err(Failure::wrong("`-d` goes with a program; a document declares in a fenced block ```matgrad"));
    }
    let document = read(&program.source, format);
    let report = verify(&document);
    if !report.errors.is_empty() {
        return Err(Failure::diagnostics(&report.errors, &program));
    }
    let subject = Subject { report: &report, source: &program.source, file };
    let wanted = matches.get_one::<String>("format").map(String::as_str);
    let ending = output_file(matches).and_then(Path::extension).and_then(std::ffi::OsStr::to_str);
    let shown = match wanted.or(ending) {
        Some("json") => json(&subject),
        Some("html" | "htm") => html(&subject),
        Some("sarif") => sarif(&subject),
        _ => text(&subject),
    };
    output::result(&shown, output_file(matches))?;
    match report.counts().wrong {
        0 => Ok(()),
        1 => Err(Failure::check("error: 1 step is wrong\n".to_owned())),
        wrong => Err(Failure::check(format!("error: {wrong} steps are wrong\n"))),
    }
}

/// Shows the way from one side of an equation to the other.
pub fn explain(matches: &ArgMatches) -> Result<(), Failure> {
    let equation = matches.get_one::<String>("EQUATION").map(String::as_str).unwrap_or_default();
    let program = Program::text(equation, matches)?;
    let document = read(&program.source, Format::Claim);
    match explanation(&document) {
        Ok(text) => output::result(&text, None),
        Err(matgrad::verify::NoWay::Mistakes(errors)) => Err(Failure::diagnostics(&errors, &program)),
        Err(matgrad::verify::NoWay::Wrong) => {
            let document = read(&program.source, Format::Claim);
            let report = verify(&document);
            let shown = text(&Subject { report: &report, source: &program.source, file: "-e" });
            output::result(&shown, None)?;
            Err(Failure::check("error: the equation is wrong\n".to_owned()))
        }
        Err(matgrad::verify::NoWay::NotFound(why)) => Err(Failure::wrong(why)),
    }
}

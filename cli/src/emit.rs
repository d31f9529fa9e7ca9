//! `matgrad emit`: a program's values and derivatives as code in another language.

use std::path::Path;

use clap::ArgMatches;
use matgrad::derivation::Detail;
use matgrad::emit::{Options, TARGETS, emit};

use crate::arguments::output_file;
use crate::derive::answered;
use crate::failure::Failure;
use crate::input::Program;
use crate::output;

/// Writes the code.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let program = Program::whole(matches)?;
    let detail = match matches.get_one::<String>("steps").map(String::as_str) {
        Some("brief") => Detail::Brief,
        Some("full") => Detail::Full,
        _ => Detail::None,
    };
    let asked = matches.get_one::<String>("target").map(String::as_str).unwrap_or_default();
    let Some(&(_, target)) = TARGETS.iter().find(|(name, _)| *name == asked) else {
        return Err(Failure::wrong(format!("there is no target `{asked}`")));
    };
    let answer = answered(&program, detail)?;
    let stem = |path: &str| Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = match (matches.get_one::<String>("name"), matches.get_one::<String>("FILE")) {
        (Some(name), _) => name.clone(),
        (None, Some(path)) if path != "-" => stem(path).unwrap_or_default(),
        _ => String::new(),
    };
    let mut sizes = Vec::new();
    for text in matches.get_many::<String>("size").into_iter().flatten() {
        sizes.push(size(text).ok_or_else(|| Failure::wrong(format!("`--size {text}`: write NAME=NUMBER")))?);
    }
    let sharded = match matches.get_one::<String>("shard") {
        Some(text) => match size(text).and_then(|(name, n)| Some((name, u32::try_from(n).ok()?))) {
            Some(sharded) => Some(sharded),
            None => return Err(Failure::wrong(format!("`--shard {text}`: write NAME=DEVICES"))),
        },
        None => None,
    };
    let test = matches.get_flag("test");
    let options = Options { name, derivation: detail > Detail::None, test, sizes, sharded };
    let emitted = emit(&answer, &program.source, target, &options).map_err(|error| Failure::wrong(error.message))?;
    output::result(&emitted.text, output_file(matches))
}

/// `N=64`
fn size(text: &str) -> Option<(String, i64)> {
    let (name, number) = text.split_once('=')?;
    let number = number.trim().parse().ok().filter(|&n| n > 0)?;
    Some((matgrad::syntax::canonical_name(name.trim())?, number))
}

//! The program a command works on: from a file, from standard input, or put together from `-e`, `-d` and `--wrt`. What
//! goes out is a text whose pieces keep the names that the user knows them by, so that a message points into what was
//! typed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use clap::ArgMatches;
use matgrad::diagnostic::{Diagnostic, Piece};
use matgrad::elaborate::{Typed, read, read_request};
use matgrad::syntax::ast::AskKind;
use matgrad::syntax::{Request, decode};

use crate::failure::Failure;

/// A program is no larger than this many bytes.
const LARGEST_PROGRAM: u64 = 256 << 20;

/// A program's text and where it came from.
#[derive(Debug)]
pub struct Program {
    /// The text.
    pub source: String,
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
    /// What the command asks for, where the text does not ask itself.
    asked: Option<Asked>,
}

/// A request of the command line.
#[derive(Debug)]
struct Asked {
    kind: AskKind,
    /// How many pieces of the text are declarations.
    declarations: usize,
    /// Whether a piece is the list of names behind `--wrt`.
    has_wrt: bool,
    /// Whether the last piece is what stands behind `--along` or `--against`.
    has_directions: bool,
}

impl Program {
    /// Of `FILE` or `-e PROGRAM`, with the declarations of `-d` in front; with `--wrt` the gradient of an expression.
    pub fn whole(matches: &ArgMatches) -> Result<Program, Failure> {
        if matches.try_contains_id("wrt").unwrap_or(false) && matches.contains_id("wrt") {
            return Program::request(AskKind::Gradient, matches);
        }
        let mut program = Program { source: String::new(), pieces: Vec::new(), asked: None };
        program.add_declarations(matches);
        match (matches.get_one::<String>("FILE"), matches.get_one::<String>("expression")) {
            (_, Some(text)) => program.add_expression(text)?,
            (Some(path), None) if path == "-" => program.add("<stdin>".to_owned(), &standard_input()?),
            (Some(path), None) => program.add(path.clone(), &file(Path::new(path))?),
            (None, None) => return Err(Failure::wrong("name a file, or give the program with `-e`")),
        }
        Ok(program)
    }

    /// Of `-e EXPR --wrt X,Y` with the declarations of `-d` in front.
    pub fn request(kind: AskKind, matches: &ArgMatches) -> Result<Program, Failure> {
        let mut program = Program { source: String::new(), pieces: Vec::new(), asked: None };
        let declarations = program.add_declarations(matches);
        let expression = matches.get_one::<String>("expression").map(String::as_str).unwrap_or_default();
        program.add_expression(expression)?;
        let names: Vec<&str> = matches.get_many::<String>("wrt").into_iter().flatten().map(String::as_str).collect();
        if !names.is_empty() {
            program.add("--wrt".to_owned(), &names.join(","));
        }
        let (option, kind) = directed(kind, matches);
        let directions: Vec<&str> = option
            .and_then(|option| matches.get_many::<String>(option))
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if let Some(option) = option {
            program.add(format!("--{option}"), &directions.join(","));
        }
        let (has_wrt, has_directions) = (!names.is_empty(), option.is_some());
        program.asked = Some(Asked { kind, declarations, has_wrt, has_directions });
        Ok(program)
    }

    /// Names resolved and shapes found, or all mistakes of the text.
    pub fn read(&self) -> Result<Typed, Failure> {
        let Some(asked) = &self.asked else {
            return read(&self.source).map_err(|errors| Failure::diagnostics(&errors, self));
        };
        let range = |piece: &Piece| piece.range.clone();
        let request = Request {
            source: &self.source,
            statements: self.pieces[..asked.declarations].iter().map(range).collect(),
            expression: range(&self.pieces[asked.declarations]),
            wrt: self.pieces.get(asked.declarations + 1).filter(|_| asked.has_wrt).map(range),
            directions: self.pieces.last().filter(|_| asked.has_directions).map(range),
            kind: asked.kind,
        };
        read_request(&request).map_err(|errors| Failure::diagnostics(&errors, self))
    }

    fn add(&mut self, name: String, text: &str) {
        let start = self.source.len();
        self.source.push_str(text);
        self.pieces.push(Piece { name, range: start..self.source.len() });
        self.source.push('\n');
    }

    fn add_declarations(&mut self, matches: &ArgMatches) -> usize {
        let declarations: Vec<&String> = matches.get_many::<String>("declaration").into_iter().flatten().collect();
        for (i, text) in declarations.iter().enumerate() {
            let name = if declarations.len() == 1 { "-d".to_owned() } else { format!("-d {}", i + 1) };
            self.add(name, text);
        }
        declarations.len()
    }

    fn add_expression(&mut self, text: &str) -> Result<(), Failure> {
        if text == "-" {
            self.add("<stdin>".to_owned(), &standard_input()?);
        } else {
            self.add("-e".to_owned(), text);
        }
        Ok(())
    }
}

/// The derivative along or against something where the command names it: by which option, and which request that is.
fn directed(kind: AskKind, matches: &ArgMatches) -> (Option<&'static str>, AskKind) {
    let given = |option: &str| matches.try_contains_id(option).unwrap_or(false) && matches.contains_id(option);
    match kind {
        AskKind::Hessian if given("along") => (Some("along"), AskKind::HessianAlong),
        AskKind::Jacobian if given("along") => (Some("along"), AskKind::JacobianAlong),
        AskKind::Jacobian if given("against") => (Some("against"), AskKind::JacobianAgainst),
        kind => (None, kind),
    }
}

fn standard_input() -> Result<String, Failure> {
    text_of(io::stdin().lock(), Path::new("<stdin>"))
}

fn file(path: &Path) -> Result<String, Failure> {
    let file = File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    text_of(file, path)
}

fn text_of(from: impl Read, path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    from.take(LARGEST_PROGRAM + 1).read_to_end(&mut bytes).map_err(|error| Failure::file("read", path, &error))?;
    if bytes.len() as u64 > LARGEST_PROGRAM {
        return Err(Failure::wrong(format!(
            "`{}` is larger than {} MiB, too large for a program",
            path.display(),
            LARGEST_PROGRAM >> 20
        )));
    }
    decode(bytes).map_err(|diagnostic: Diagnostic| {
        let name = path.display().to_string();
        let program = Program { source: String::new(), pieces: vec![Piece { name, range: 0..0 }], asked: None };
        Failure::diagnostics(&[diagnostic], &program)
    })
}

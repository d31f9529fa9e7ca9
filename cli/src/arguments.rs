//! The words of the command line: which commands there are, what each takes, and the help that tells it.

use std::path::Path;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

const FORMATS: [&str; 7] = ["text", "unicode", "latex", "markdown", "typst", "html", "json"];

/// The whole command line.
pub fn command() -> Command {
    Command::new("matgrad")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Matrix gradients derived by differentials, step by step, checked by numbers")
        .after_help(
            "Examples:\n  \
             matgrad grad -e \"norm(X*w - y)^2\" --wrt w\n  \
             matgrad derive network.mg --format markdown -o network.md\n  \
             matgrad check network.mg\n  \
             matgrad eval network.mg --data in.npz --out out.npz\n\n\
             Exit codes: 0 done, 1 a check failed, 2 the input is wrong, 3 a file could not be read or written.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(one(
            "grad",
            "The gradients of one scalar expression",
            "Examples:\n  \
             matgrad grad -e \"tr(A*X)\" --wrt X\n  \
             matgrad grad -e \"logdet(S) + tr(inv(S)*C)\" --wrt S -d \"S: symmetric(n)\" --format latex\n  \
             matgrad grad -e \"r = X*w - y; r'*r\" --wrt w,X --steps full",
        )
        .arg(verdict()))
        .subcommand(one(
            "jacobian",
            "The derivative of a vector or matrix expression",
            "Examples:\n  \
             matgrad jacobian -e \"A*x\" --wrt x\n  \
             matgrad jacobian -e \"softmax(X*W)\" --wrt W --along V\n  \
             matgrad jacobian -e \"softmax(X*W)\" --wrt W --against U",
        )
        .arg(along())
        .arg(
            Arg::new("against")
                .long("against")
                .value_name("MATRIX")
                .allow_hyphen_values(true)
                .conflicts_with("along")
                .help("The transposed Jacobian times a matrix of the expression's shape, itself an expression"),
        ))
        .subcommand(one(
            "hessian",
            "The second derivative of one scalar expression",
            "Examples:\n  \
             matgrad hessian -e \"x'*A*x\" --wrt x\n  \
             matgrad hessian -e \"0.5*normsq(X*w - y)\" --wrt w --along v",
        )
        .arg(along()))
        .subcommand(one(
            "differential",
            "The differential of one expression; without --wrt every variable moves",
            "Example:\n  matgrad differential -e \"inv(X)\" -d \"X: invertible(n)\"",
        ))
        .subcommand(
            shown(program(
                "derive",
                "Everything a program asks for, with the derivation step by step",
                "Examples:\n  \
                 matgrad derive network.mg\n  \
                 matgrad derive network.mg --format html -o network.html\n  \
                 echo 'f = x'\"'\"'*A*x; grad f wrt x' | matgrad derive -",
            ))
            .arg(seed())
            .arg(verdict()),
        )
        .subcommand(
            program(
                "check",
                "Every result and every step against independent numbers at random points",
                "Exit code 1 where something disagrees.\n\n\
                 Examples:\n  matgrad check network.mg --seed 7\n  matgrad check -e \"tr(inv(X))\" --wrt X",
            )
            .arg(wrt().help("The gradient of the expression with respect to these, as X,Y"))
            .arg(seed()),
        )
        .subcommand(
            program(
                "eval",
                "Values and derivatives at given numbers",
                "Arrays are read from and written to .npz or .safetensors files. Each variable is an entry by its name:\n\
                 scalars as 0-d or length-1 arrays, vectors and rows as 1-d or 2-d ones, in any of NumPy's number types.\n\
                 The dimensions come from the data. A differential needs the entry dX as well; without it, it is left out.\n\n\
                 What is written, in 64-bit floats: every definition by its name, `grad(L,W1)`, `jacobian(Y,X)`,\n\
                 `hessian(L,X,X)` and `differential(F)`; along a direction `hessian(L,X) along V`,\n\
                 `jacobian(Y,X) along V` and `jacobian(Y,X) against U`. Scalars are 0-d. The gradient of a vector or row has the form\n\
                 its variable was given in; other vectors and rows are 1-d where all vectors and rows of the data were,\n\
                 else n×1 and 1×n. A Jacobian or Hessian of more than two axes keeps them all, m×n×p×q.\n\n\
                 With --compressed a Jacobian or Hessian is written as the factors of its terms: KEY/output/ijkl holds\n\
                 the sizes of the axes, KEY/1/coefficient the number in front of the first term, KEY/1/1/ik its first\n\
                 factor with its indices, KEY/1/delta/jl the size of an identity. Indices that are no axis are summed.\n\n\
                 Example:\n  matgrad eval network.mg --data in.npz --out out.npz",
            )
            .arg(path("data", "FILE").short(None).required(true).help("The numbers, a .npz or .safetensors file"))
            .arg(path("out", "FILE").required(true).help("Where the results go, a .npz or .safetensors file"))
            .arg(
                Arg::new("compressed")
                    .long("compressed")
                    .action(ArgAction::SetTrue)
                    .help("Writes the factors of Jacobians and Hessians instead of the dense tensors"),
            ),
        )
        .subcommand(
            program(
                "verify",
                "Each line of a derivation made by hand: right and by which rule, or wrong and what would be right",
                "A .mg file holds claims and proofs beside its statements:\n\n  \
                 f = a'*X*b\n  \
                 proof df:\n    \
                 df = a'*dX*b\n       \
                 = tr(b*a'*dX)\n  \
                 claim grad f wrt X = a*b'\n\n\
                 Of Markdown (.md), LaTeX (.tex) and Jupyter (.ipynb) documents the displayed formulas are read; types stand\n\
                 in a fenced block ```matgrad or in a comment. What was not understood is listed, never counted as right.\n\
                 Exit code 1 where something is wrong.\n\n\
                 Examples:\n  \
                 matgrad verify derivation.mg\n  \
                 matgrad verify notes.md --format html -o notes.html\n  \
                 matgrad verify -e \"d(X*Y) = dX*Y + X*dY\"",
            )
            .arg(
                Arg::new("format")
                    .long("format")
                    .value_name("FORMAT")
                    .value_parser(PossibleValuesParser::new(["text", "json", "html", "sarif"]))
                    .help("How verdicts are written [default: text, or by the ending of -o]"),
            )
            .arg(path("output", "FILE").short('o').help("Writes the verdicts to a file, whole or not at all")),
        )
        .subcommand(
            Command::new("explain")
                .about("The way from one side of an equation to the other, by named rules")
                .after_help("Example:\n  matgrad explain \"tr(A'*(B .* C)) = tr((A .* B)'*C)\"")
                .arg(
                    Arg::new("EQUATION")
                        .required(true)
                        .allow_hyphen_values(true)
                        .help("LEFT = RIGHT; statements may stand before it, joined by `;`; - reads standard input"),
                )
                .arg(declaration()),
        )
        .subcommand(
            program(
                "plan",
                "How a program runs on this machine: its steps with their operations and bytes",
                "Each dimension needs a number.\n\n\
                 Example:\n  matgrad plan network.mg --bind N=128,D=784,H=512,C=10 --threads 2",
            )
            .arg(
                Arg::new("bind")
                    .long("bind")
                    .value_name("NAME=NUMBER,…")
                    .action(ArgAction::Append)
                    .help("Numbers for the dimensions, as N=128,D=784"),
            )
            .arg(
                Arg::new("threads")
                    .long("threads")
                    .value_name("NUMBER")
                    .value_parser(value_parser!(u16).range(1..=1024))
                    .default_value("1")
                    .help("How many threads take part"),
            )
            .arg(
                Arg::new("precision")
                    .long("precision")
                    .value_name("PRECISION")
                    .value_parser(PossibleValuesParser::new(matgrad::plan::Precision::ALL.map(matgrad::plan::Precision::name)))
                    .default_value("f32")
                    .help("In which numbers; bf16 rounds the factors of products to it"),
            ),
        )
        .subcommand(
            program(
                "emit",
                "Code that computes values and derivatives, for NumPy, PyTorch and others",
                "One file: a function of the declared inputs that gives back what is differentiated and every derivative\n\
                 asked for, with checks of the shapes and the formulas as comments.\n\n\
                 Examples:\n  \
                 matgrad emit network.mg --target torch -o network.py\n  \
                 matgrad emit -e \"logdet(S) + x'*inv(S)*x\" --wrt S,x -d \"S: posdef(n)\" --target numpy",
            )
            .arg(wrt().help("The gradient of the expression with respect to these, as X,Y"))
            .arg(
                Arg::new("target")
                    .long("target")
                    .short('t')
                    .value_name("TARGET")
                    .required(true)
                    .value_parser(PossibleValuesParser::new(matgrad::emit::TARGETS.iter().map(|(name, _)| *name)))
                    .help("The language and library"),
            )
            .arg(
                Arg::new("name")
                    .long("name")
                    .value_name("NAME")
                    .help("The name of the function [default: that of the file, else program]"),
            )
            .arg(
                Arg::new("steps")
                    .long("steps")
                    .value_name("STEPS")
                    .value_parser(PossibleValuesParser::new(["none", "brief", "full"]))
                    .default_value("none")
                    .help("How much of the derivation stands in a comment"),
            )
            .arg(
                Arg::new("test")
                    .long("test")
                    .action(ArgAction::SetTrue)
                    .help("Adds a test that compares each derivative with differences of the value"),
            )
            .arg(
                Arg::new("size")
                    .long("size")
                    .value_name("NAME=NUMBER")
                    .action(ArgAction::Append)
                    .help("The number of a dimension, for stablehlo; may be given several times"),
            )
            .arg(
                Arg::new("shard")
                    .long("shard")
                    .value_name("NAME=DEVICES")
                    .help("Spreads the rows of that dimension over devices, for stablehlo"),
            )
            .arg(path("output", "FILE").short('o').help("Writes the code to a file, whole or not at all")),
        )
        .subcommand(crate::train::command())
        .subcommand(crate::train::predict_command())
        .subcommand(crate::train::evaluate_command())
        .subcommand(crate::train::search_command())
        .subcommand(crate::serve::command())
        .subcommand(crate::serve::export_command())
        .subcommand(
            Command::new("completions")
                .about("A script that completes matgrad's arguments in a shell")
                .after_help(
                    "Examples:\n  \
                     matgrad completions bash > ~/.local/share/bash-completion/completions/matgrad\n  \
                     matgrad completions zsh > ~/.zfunc/_matgrad\n  \
                     matgrad completions fish > ~/.config/fish/completions/matgrad.fish",
                )
                .arg(Arg::new("SHELL").required(true).value_parser(value_parser!(Shell))),
        )
        .subcommand(
            Command::new("man")
                .about("The manual page of matgrad, or of one of its commands")
                .after_help(
                    "Examples:\n  \
                     matgrad man train | man -l -\n  \
                     matgrad man --all ~/.local/share/man/man1",
                )
                .arg(Arg::new("COMMAND").help("Which command; without it, all of matgrad"))
                .arg(path("all", "FOLDER").conflicts_with("COMMAND").help("Writes the pages of all commands to a folder")),
        )
}

/// A command for one expression.
fn one(name: &'static str, about: &'static str, examples: &'static str) -> Command {
    shown(
        Command::new(name)
            .about(about)
            .after_help(examples)
            .arg(
                expression("EXPR").required(true).help(
                    "The expression; statements may stand before it, as \"Z = X*w; sum(Z)\"; - reads standard input",
                ),
            )
            .arg(wrt().required(name != "differential").help("The variables, as X,Y"))
            .arg(declaration())
            .arg(seed()),
    )
}

/// A command for a whole program.
fn program(name: &'static str, about: &'static str, examples: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .after_help(examples)
        .arg(Arg::new("FILE").help("The program, a .mg file; - is standard input"))
        .arg(expression("PROGRAM").help("The program itself instead of a file, statements joined by `;`"))
        .arg(declaration())
        .group(ArgGroup::new("program").args(["FILE", "expression"]).required(true))
}

/// What commands that show a derivation take.
fn shown(command: Command) -> Command {
    let steps = if command.get_name() == "derive" { "full" } else { "brief" };
    command
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(FORMATS))
                .help("How results are written [default: text, or by the ending of -o]"),
        )
        .arg(
            Arg::new("steps")
                .long("steps")
                .value_name("STEPS")
                .value_parser(PossibleValuesParser::new(["none", "brief", "full"]))
                .help(format!("How much of the derivation is shown [default: {steps}]")),
        )
        .arg(path("output", "FILE").short('o').help("Writes the results to a file, whole or not at all"))
}

fn expression(value: &'static str) -> Arg {
    Arg::new("expression").short('e').long("expression").value_name(value).allow_hyphen_values(true)
}

fn wrt() -> Arg {
    Arg::new("wrt").long("wrt").value_name("NAMES").action(ArgAction::Append)
}

fn verdict() -> Arg {
    Arg::new("curvature")
        .long("curvature")
        .action(ArgAction::SetTrue)
        .help("Says of each gradient's function whether it is convex or concave, and why")
}

fn along() -> Arg {
    Arg::new("along").long("along").value_name("DIRECTIONS").action(ArgAction::Append).allow_hyphen_values(true).help(
        "The derivative along a direction, an expression of the variable's shape; of several variables one for each",
    )
}

fn declaration() -> Arg {
    Arg::new("declaration")
        .short('d')
        .long("declare")
        .value_name("DECL")
        .action(ArgAction::Append)
        .help("A declaration, as \"X: matrix(m,n)\"; may be given several times")
}

fn seed() -> Arg {
    Arg::new("seed")
        .long("seed")
        .value_name("NUMBER")
        .value_parser(value_parser!(u64))
        .default_value("1")
        .help("Which random points the checks take")
}

fn path(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(value_parser!(std::path::PathBuf))
}

/// The file of `-o`.
pub fn output_file(matches: &ArgMatches) -> Option<&Path> {
    matches.get_one::<std::path::PathBuf>("output").map(std::path::PathBuf::as_path)
}

/// The format asked for, or the one that fits the ending of the file.
pub fn format_of(matches: &ArgMatches) -> &str {
    if let Some(format) = matches.get_one::<String>("format") {
        return format;
    }
    let ending = output_file(matches).and_then(Path::extension).and_then(std::ffi::OsStr::to_str);
    match ending {
        Some("tex") => "latex",
        Some("md") => "markdown",
        Some("html" | "htm") => "html",
        Some("json") => "json",
        _ => "text",
    }
}

/// A shell's completions.
pub fn completions(matches: &ArgMatches) -> Result<(), Failure> {
    let Some(&shell) = matches.get_one::<Shell>("SHELL") else { return Ok(()) };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "matgrad", &mut script);
    output::result(&String::from_utf8_lossy(&script), None)
}

/// A manual page, in the form that `man` reads.
pub fn manual(matches: &ArgMatches) -> Result<(), Failure> {
    let mut whole = command();
    whole.build();
    let page = |command: &Command, name: &str| {
        let mut page = Vec::new();
        let named = command.clone().name(name.to_owned()).display_name(name.to_owned());
        // Writing to memory does not fail.
        let written = clap_mangen::Man::new(named).render(&mut page);
        debug_assert!(written.is_ok());
        String::from_utf8_lossy(&page).into_owned()
    };
    let pages = |whole: &Command| -> Vec<(String, String)> {
        let own = ("matgrad".to_owned(), page(whole, "matgrad"));
        let commands = whole.get_subcommands().filter(|command| command.get_name() != "help").map(|command| {
            let name = format!("matgrad-{}", command.get_name());
            let text = page(command, &name);
            (name, text)
        });
        std::iter::once(own).chain(commands).collect()
    };
    if let Some(folder) = matches.get_one::<std::path::PathBuf>("all") {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file("write", folder, &error))?;
        for (name, text) in pages(&whole) {
            output::write_whole(&folder.join(format!("{name}.1")), text.as_bytes())?;
        }
        return Ok(());
    }
    match matches.get_one::<String>("COMMAND") {
        None => output::result(&page(&whole, "matgrad"), None),
        Some(name) => match whole.get_subcommands().find(|command| command.get_name() == name) {
            Some(command) => output::result(&page(command, &format!("matgrad-{name}")), None),
            None => Err(Failure::wrong(format!("there is no command `{name}`"))),
        },
    }
}

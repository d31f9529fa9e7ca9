//! `matgrad train` and `matgrad predict`: the two-layer network on the embedded digits or on arrays of a file. Options come
//! in; the derivation, accuracies and predictions go out. The derivation, its check and the training are the library's.

mod data;
mod model;
mod predict;
mod progress;
mod report;

use std::path::PathBuf;
use std::time::Instant;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use matgrad::derivation::Detail;
use matgrad::diagnostic::Diagnostic;
use matgrad::train::{Activation, Network, Options, train};

use crate::arrays::check_ending;
use crate::failure::Failure;
use crate::output;

pub use predict::command as predict_command;

/// Trains the network, or predicts with a trained one.
pub fn run(command: &str, matches: &ArgMatches) -> Result<(), Failure> {
    if command == "predict" { predict::run(matches) } else { run_train(matches) }
}

/// The arguments of `matgrad train`.
pub fn command() -> Command {
    let default = Options::default();
    let whole = |name, value: usize, help| number(name, "NUMBER", &value, value_parser!(usize).into(), help);
    let real = |name, value: f64, help| number(name, "NUMBER", &value, value_parser!(f64).into(), help);
    Command::new("train")
        .about("Trains the two-layer network by its derived gradients, by default on handwritten digits")
        .after_help(
            "The network is a program of the language: its gradients are derived, shown and checked, and then used.\n\
             The same options give the same parameters.\n\n\
             Examples:\n  \
             matgrad train\n  \
             matgrad train --hidden 64 --activation tanh --epochs 50 --save model.npz\n  \
             matgrad train --data samples.npz --lambda 0.001",
        )
        .arg(path("data").help(
            "Samples to train on instead of the digits, .npz or .safetensors: X (N×D), y (N integers from 0), and\n\
             X_test, y_test to test with, if any",
        ))
        .arg(
            Arg::new("activation")
                .long("activation")
                .value_name("NAME")
                .value_parser(PossibleValuesParser::new(Activation::ALL.map(Activation::name)))
                .default_value("relu")
                .help("The function of the hidden units"),
        )
        .arg(whole("hidden", default.hidden, "How many hidden units"))
        .arg(whole("epochs", default.epochs, "How often to pass through all training samples"))
        .arg(whole("batch-size", default.batch_size, "Samples of one gradient step"))
        .arg(real("learning-rate", default.learning_rate, "Learning rate of the first epoch"))
        .arg(real("decay", default.decay, "Factor of the learning rate after each epoch"))
        .arg(real("momentum", default.momentum, "How much of the last step goes on in the next, below 1"))
        .arg(real("lambda", default.lambda, "Weight of the squared weights in the loss"))
        .arg(real("validation", default.validation, "Part of the samples kept out to choose the best epoch, below 1"))
        .arg(real("initial-scale", default.initial_scale, "Factor of the random first weights"))
        .arg(number("seed", "NUMBER", &default.seed, value_parser!(u64).into(), "Which random numbers are taken"))
        .arg(path("save").help("Writes the trained model to a file, .npz or .safetensors"))
        .arg(
            Arg::new("quiet")
                .long("quiet")
                .short('q')
                .action(ArgAction::SetTrue)
                .help("Shows only the accuracies: no derivation, no progress"),
        )
}

fn number(name: &'static str, value: &'static str, default: &dyn ToString, parser: ValueParser, help: &str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .value_parser(parser)
        .default_value(default.to_string())
        .allow_negative_numbers(true)
        .help(help.to_owned())
}

fn path(name: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("FILE").value_parser(value_parser!(PathBuf))
}

fn run_train(matches: &ArgMatches) -> Result<(), Failure> {
    let options = options_of(matches);
    options.check().map_err(|errors| wrong(&errors))?;
    let save = matches.get_one::<PathBuf>("save");
    if let Some(path) = save {
        check_ending(path)?;
    }
    let data = match matches.get_one::<PathBuf>("data") {
        Some(path) => data::of_file(path)?,
        None => data::digits(),
    };
    let quiet = matches.get_flag("quiet");
    let name = matches.get_one::<String>("activation").map(String::as_str).unwrap_or_default();
    let activation = Activation::named(name).unwrap_or(Activation::Relu);
    let network = Network::derive(activation, Detail::Brief).map_err(|errors| wrong(&errors))?;
    let derivation = report::derivation(&network, options.seed)?;
    if !quiet {
        output::result(&derivation, None)?;
        output::result(&report::task(&data, activation, &options), None)?;
    }
    let start = Instant::now();
    let mut shown = progress::Shown::new(quiet);
    let trained = train(&network, &data.training, &options, &mut |progress| shown.tell(progress));
    shown.end();
    let trained = trained.map_err(|errors| wrong(&errors))?;
    if !quiet {
        output::message(&report::speed(&trained, start.elapsed()));
    }
    output::result(&report::outcome(&trained, data.test.as_ref(), quiet).map_err(|error| wrong(&[error]))?, None)?;
    match save {
        Some(path) => model::save(path, &trained.model),
        None => Ok(()),
    }
}

fn options_of(matches: &ArgMatches) -> Options {
    let whole = |name: &str| matches.get_one::<usize>(name).copied().unwrap_or_default();
    let real = |name: &str| matches.get_one::<f64>(name).copied().unwrap_or_default();
    Options {
        hidden: whole("hidden"),
        epochs: whole("epochs"),
        batch_size: whole("batch-size"),
        learning_rate: real("learning-rate"),
        decay: real("decay"),
        momentum: real("momentum"),
        lambda: real("lambda"),
        seed: matches.get_one::<u64>("seed").copied().unwrap_or_default(),
        validation: real("validation"),
        initial_scale: real("initial-scale"),
    }
}

/// Errors that have no place in a text.
fn wrong(errors: &[Diagnostic]) -> Failure {
    Failure::wrong(errors.iter().map(sentence).collect::<Vec<_>>().join("\nerror: "))
}

/// What is wrong, and what would be right on a line of its own.
fn sentence(error: &Diagnostic) -> String {
    match &error.hint {
        Some(hint) => format!("{}\nhelp: {hint}", error.message),
        None => error.message.clone(),
    }
}

//! The words of `matgrad train` and what they mean: arguments come in, a [`Task`] goes out. A task can be written down as
//! arguments again, all of them, so that a training is repeated or taken up from a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use matgrad::plan::Precision;
use matgrad::train::{Activation, Augmentation, ImageShape, Initialisation, Names, Optimiser, Options, ScalingKind};

use crate::failure::Failure;

/// The headings of the help, in order.
const DATA: &str = "Data";
const PROGRAM: &str = "What is trained";
const DESCENT: &str = "How it is trained";
const RANDOM: &str = "First weights and chance";
const OUTPUT: &str = "What comes out";

/// What a training is to do, apart from where its results go.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The options for the library.
    pub options: Options,
    /// The function of the hidden units, of the two-layer network.
    pub activation: Activation,
    /// The file of another program.
    pub program: Option<PathBuf>,
    /// Names that are told and not found.
    pub names: Names,
    /// Where the samples are.
    pub data: Paths,
    /// The size of images that the data do not tell.
    pub image: Option<ImageShape>,
    /// Threads of a step.
    pub threads: usize,
    /// What scores, losses and gradients are computed in.
    pub precision: Precision,
    /// Whether the learning rate is a default, which the number of features may lower.
    pub usual_rate: bool,
    /// The arguments as given, for a command that repeats it.
    pub given: Vec<(String, String)>,
}

/// Where samples are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths {
    /// A file or folder; the digits of the library without one.
    pub data: Option<PathBuf>,
    /// The column of labels.
    pub label: Option<String>,
    /// A file of labels.
    pub labels: Option<PathBuf>,
    /// Test samples of their own.
    pub test: Option<PathBuf>,
    /// Their labels.
    pub test_labels: Option<PathBuf>,
}

/// `matgrad train`.
pub fn command() -> Command {
    let command = Command::new("train")
        .about("Trains a network, or any loss of a program, by its derived gradients; by default on handwritten digits")
        .after_help(
            "Without --model the two-layer network is trained. It is a program of the language: its gradients are derived,\n\
             shown and checked, and then used. The same options give the same model, byte for byte. With --model FILE.mg any\n\
             program is trained that asks for the gradients of a loss: its parameters are those it differentiates by.\n\n\
             DATA is a .csv, .tsv, .npz, .npy or .safetensors file, a file in IDX form, a folder with MNIST's or CIFAR-10's\n\
             files (plain or gzipped), or a folder of PNG images with a folder for each class.\n\n\
             Examples:\n  \
             matgrad train                                         the digits that come with matgrad\n  \
             matgrad train --save model.safetensors --report digits.html\n  \
             matgrad train --data iris.csv --label species --hidden 16\n  \
             matgrad train --data mnist/ --hidden 512 --epochs 20 --shift 1 --precision f32\n  \
             matgrad train --data photos/ --optimiser adam --patience 5\n  \
             matgrad train --model ridge.mg --data houses.csv --set lambda=0.1\n  \
             matgrad train --checkpoint run.safetensors --save model.safetensors\n  \
             matgrad train --resume run.safetensors --save model.safetensors\n\n\
             A tutorial is in docs/train.md.",
        );
    outputs(task_arguments(command))
}

/// The arguments that make a task; other commands that train take them too.
pub fn task_arguments(command: Command) -> Command {
    let names = |list: &[&'static str]| PossibleValuesParser::new(list.to_vec());
    let activations: Vec<&'static str> = Activation::ALL.iter().map(|activation| activation.name()).collect();
    let initialisations: Vec<&'static str> = Initialisation::ALL.iter().map(|one| one.name()).collect();
    let scalings: Vec<&'static str> = ScalingKind::ALL.iter().map(|one| one.name()).collect();
    let whole = || value_parser!(usize).into();
    let real = || value_parser!(f64).into();
    command
        // The last of two is taken, so that an alias of the shell can be overruled.
        .args_override_self(true)
        .next_help_heading(DATA)
        .arg(path("data", "DATA").help("The samples to train on, a file or a folder [default: handwritten digits]"))
        .arg(text("label", "COLUMN").help("The column of labels or targets in a table, by name or number\n[default: one called label, class, target, y …, else the last]"))
        .arg(path("labels", "FILE").help("The labels, where they are in a file of their own"))
        .arg(path("test", "DATA").help("Samples to test with, where the data do not have some"))
        .arg(path("test-labels", "FILE").help("Their labels, where those are in a file of their own"))
        .arg(
            text("scale", "HOW")
                .value_parser(names(&scalings))
                .help("What is done to the features, learnt on the training samples: the means are taken away\nand all are divided by one deviation (common), or each by its own (standard); or each is\nbrought to 0 … 1 (range) [default: common; none with --model]"),
        )
        .arg(text("image", "SIZE").help("That the features are images of this size, as 28x28 or 32x32x3, where the data do not tell"))
        .next_help_heading(PROGRAM)
        .arg(path("model", "FILE").help("A program whose loss is trained, instead of the two-layer network"))
        .arg(text("activation", "NAME").value_parser(names(&activations)).help("The function of the hidden units [default: relu]"))
        .arg(number("hidden", "NUMBER", whole()).help("How many hidden units [default: 128]"))
        .arg(number("lambda", "NUMBER", real()).help("Weight of the squared weights in the loss [default: 0.0003]"))
        .arg(
            text("set", "NAME=NUMBER")
                .action(ArgAction::Append)
                .help("A number for a scalar or a dimension of the program; may be given several times"),
        )
        .arg(text("features", "NAME").help("The program's name for the samples [default: X]"))
        .arg(text("target", "NAME").help("The program's name for what is to be told [default: the one-hot matrix, or Y]"))
        .arg(text("scores", "NAME").help("The definition that is the answer\n[default: the one whose softmax is taken, else the last of the target's shape]"))
        .next_help_heading(DESCENT)
        .arg(number("epochs", "NUMBER", whole()).help("How often to pass through all training samples [default: 30]"))
        .arg(number("iterations", "NUMBER", whole()).help("The most steps, where that is less"))
        .arg(number("batch-size", "NUMBER", whole()).help("Samples of one gradient step [default: 64]"))
        .arg(text("optimiser", "NAME").alias("optimizer").value_parser(names(&["sgd", "adam"])).help("The rule of a step: with momentum, or Adam [default: sgd]"))
        .arg(number("learning-rate", "NUMBER", real()).help("Learning rate of the first epoch [default: 0.2, less from 65 features on; 0.002 with adam]"))
        .arg(number("decay", "NUMBER", real()).help("Factor of the learning rate after each epoch [default: 0.95]"))
        .arg(number("momentum", "NUMBER", real()).help("How much of the last step goes on in the next, below 1 [default: 0.9]"))
        .arg(number("beta1", "NUMBER", real()).help("Adam: how much of the mean goes on [default: 0.9]"))
        .arg(number("beta2", "NUMBER", real()).help("Adam: how much of the mean square goes on [default: 0.999]"))
        .arg(number("epsilon", "NUMBER", real()).help("Adam: keeps the quotient finite [default: 1e-8]"))
        .arg(number("weight-decay", "NUMBER", real()).help("Adam: how fast the parameters shrink by themselves, as AdamW [default: 0]"))
        .arg(number("threads", "NUMBER", whole()).help("Threads of a step; the same number gives the same bits [default: one a core]"))
        .arg(
            text("precision", "PRECISION")
                .value_parser(names(&Precision::ALL.map(Precision::name)))
                .help("What scores, losses and gradients are computed in; f32 is faster and its model half as\nlarge; bf16 is f32 with the factors of products rounded, on processors that have it [default: f64]"),
        )
        .arg(number("clip", "NUMBER", real()).help("Shortens gradients that are longer than this"))
        .arg(number("validation", "NUMBER", real()).help("Part of the samples kept out to choose the best epoch, below 1 [default: 0.1]"))
        .arg(number("patience", "NUMBER", whole()).help("Stops after so many epochs without a better validation"))
        .next_help_heading(RANDOM)
        .arg(text("init", "NAME").value_parser(names(&initialisations)).help("How the first weights are drawn [default: he; lecun where the activation is no ramp]"))
        .arg(number("initial-scale", "NUMBER", real()).help("Factor of the first weights [default: 1]"))
        .arg(number("shift", "PIXELS", real()).help("Moves images at random by up to so many pixels while training [default: 0]"))
        .arg(number("jitter", "NUMBER", real()).help("Deviation of the noise added to scaled features while training [default: 0]"))
        .arg(number("seed", "NUMBER", value_parser!(u64).into()).help("Which random numbers are taken [default: 0]"))
}

fn outputs(command: Command) -> Command {
    command
        .next_help_heading(OUTPUT)
        .arg(path("save", "FILE").help("Writes the trained model, a .safetensors file"))
        .arg(
            path("checkpoint", "FILE")
                .help("Writes where the training stands every so often, a .safetensors file to go on from"),
        )
        .arg(text("checkpoint-every", "TIME").help("How often: a number of steps, or seconds as 20s [default: 20s]"))
        .arg(path("resume", "FILE").help("Goes on from a checkpoint, with its options, as if it had never stopped"))
        .arg(path("report", "FILE").help("Writes a page on the training, one .html file with everything in it"))
        .arg(flag("plot").help("Shows the loss and the accuracy of all epochs in the terminal"))
        .arg(flag("quiet").short('q').help("Shows only the accuracies: no derivation, no progress"))
}

/// An option that takes a file.
pub fn path(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(value_parser!(PathBuf))
}

/// An option that takes a word.
pub fn text(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value)
}

/// An option that is there or not.
pub fn flag(name: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue)
}

/// An option that takes a number.
pub fn number(name: &'static str, value: &'static str, parser: ValueParser) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(parser).allow_negative_numbers(true)
}

/// The task of these arguments.
///
/// # Errors
/// Arguments that contradict each other or make no sense together.
pub fn task(matches: &ArgMatches) -> Result<Task, Failure> {
    let own = matches.contains_id("model");
    let word = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let whole = |name: &str| matches.get_one::<usize>(name).copied();
    let real = |name: &str| matches.get_one::<f64>(name).copied();
    let file = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    if own {
        for name in ["activation", "hidden"] {
            if matches.contains_id(name) {
                return Err(Failure::wrong(format!(
                    "--{name} is for the two-layer network; with --model the program tells, and --set sets its dimensions"
                )));
            }
        }
    }
    let optimiser = optimiser(matches)?;
    let activation = word("activation").and_then(Activation::named).unwrap_or(Activation::Relu);
    let default = Options::default();
    let mut set = BTreeMap::new();
    if !own {
        set.insert("H".to_owned(), whole("hidden").map_or(default.set["H"], |hidden| hidden as f64));
        set.insert("lambda".to_owned(), default.set["lambda"]);
    }
    if let Some(lambda) = real("lambda") {
        set.insert("lambda".to_owned(), lambda);
    }
    for given in matches.get_many::<String>("set").into_iter().flatten() {
        let pair = given.split_once('=').and_then(|(name, value)| Some((name.trim(), value.trim().parse().ok()?)));
        let Some((name, value)) = pair else {
            return Err(Failure::wrong(format!("`--set {given}` is no NAME=NUMBER, such as lambda=0.1")));
        };
        set.insert(name.to_owned(), value);
    }
    let adam = matches!(optimiser, Optimiser::Adam { .. });
    let image = word("image").map(image_of).transpose()?;
    let options = Options {
        set,
        epochs: whole("epochs").unwrap_or(default.epochs),
        iterations: whole("iterations"),
        batch_size: whole("batch-size").unwrap_or(default.batch_size),
        optimiser,
        learning_rate: real("learning-rate").unwrap_or(if adam { 0.002 } else { default.learning_rate }),
        decay: real("decay").unwrap_or(default.decay),
        clip: real("clip"),
        seed: matches.get_one::<u64>("seed").copied().unwrap_or(default.seed),
        validation: real("validation").unwrap_or(default.validation),
        patience: whole("patience"),
        initialisation: word("init").and_then(Initialisation::named).unwrap_or(match own {
            true => Initialisation::He,
            false => activation.initialisation(),
        }),
        initial_scale: real("initial-scale").unwrap_or(default.initial_scale),
        scaling: word("scale").and_then(ScalingKind::named).unwrap_or(match own {
            true => ScalingKind::None,
            false => default.scaling,
        }),
        augmentation: Augmentation {
            shift: real("shift").unwrap_or(0.0),
            jitter: real("jitter").unwrap_or(0.0),
            image,
        },
    };
    let owned = |name: &str| word(name).map(str::to_owned);
    Ok(Task {
        options,
        activation,
        program: file("model"),
        names: Names { features: owned("features"), target: owned("target"), scores: owned("scores") },
        data: paths(matches),
        image,
        threads: threads(whole("threads"))?,
        precision: word("precision").and_then(Precision::named).unwrap_or(Precision::Double),
        usual_rate: !own && !adam && real("learning-rate").is_none(),
        given: given(matches),
    })
}

/// Where the samples of these arguments are.
pub fn paths(matches: &ArgMatches) -> Paths {
    let file = |name: &str| matches.try_get_one::<PathBuf>(name).ok().flatten().cloned();
    Paths {
        data: file("data"),
        label: matches.try_get_one::<String>("label").ok().flatten().cloned(),
        labels: file("labels"),
        test: file("test"),
        test_labels: file("test-labels"),
    }
}

/// As many as there are cores, where nothing is told.
fn threads(told: Option<usize>) -> Result<usize, Failure> {
    match told {
        None => Ok(std::thread::available_parallelism().map_or(1, |threads| threads.get().min(THREADS))),
        Some(threads) if (1..=THREADS).contains(&threads) => Ok(threads),
        Some(threads) => Err(Failure::wrong(format!("{threads} threads are out of range: from 1 to {THREADS}"))),
    }
}

/// The most threads.
const THREADS: usize = 256;

fn optimiser(matches: &ArgMatches) -> Result<Optimiser, Failure> {
    let real = |name: &str, default: f64| matches.get_one::<f64>(name).copied().unwrap_or(default);
    let name = matches.get_one::<String>("optimiser").map_or("sgd", String::as_str);
    let others: &[&str] = if name == "sgd" { &["beta1", "beta2", "epsilon", "weight-decay"] } else { &["momentum"] };
    if let Some(other) = others.iter().find(|other| matches.contains_id(other)) {
        let right = if name == "sgd" { "adam" } else { "sgd" };
        return Err(Failure::wrong(format!("--{other} is for --optimiser {right}")));
    }
    Ok(match name {
        "sgd" => Optimiser::Sgd { momentum: real("momentum", 0.9) },
        _ => Optimiser::Adam {
            beta1: real("beta1", 0.9),
            beta2: real("beta2", 0.999),
            epsilon: real("epsilon", 1e-8),
            weight_decay: real("weight-decay", 0.0),
        },
    })
}

/// `28x28` or `32x32x3`.
fn image_of(text: &str) -> Result<ImageShape, Failure> {
    let sizes: Option<Vec<usize>> = text.split(['x', '×']).map(|size| size.parse().ok().filter(|&n| n > 0)).collect();
    match sizes.as_deref() {
        Some(&[rows, columns]) => Ok(ImageShape { rows, columns, channels: 1, planar: false }),
        Some(&[rows, columns, channels]) => Ok(ImageShape { rows, columns, channels, planar: false }),
        _ => Err(Failure::wrong(format!("`--image {text}` is no size, such as 28x28 or 32x32x3"))),
    }
}

/// What an argument of a task holds. A page may set values and send files, but name none of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A number, a word, or the name of a column.
    Value,
    /// The path of a file of samples.
    File,
    /// The path of a program.
    Program,
}

/// The arguments that make a task, in order.
const TASK: [(&str, Holds); 36] = [
    ("data", Holds::File),
    ("label", Holds::Value),
    ("labels", Holds::File),
    ("test", Holds::File),
    ("test-labels", Holds::File),
    ("scale", Holds::Value),
    ("image", Holds::Value),
    ("model", Holds::Program),
    ("activation", Holds::Value),
    ("hidden", Holds::Value),
    ("lambda", Holds::Value),
    ("set", Holds::Value),
    ("features", Holds::Value),
    ("target", Holds::Value),
    ("scores", Holds::Value),
    ("epochs", Holds::Value),
    ("iterations", Holds::Value),
    ("batch-size", Holds::Value),
    ("optimiser", Holds::Value),
    ("learning-rate", Holds::Value),
    ("decay", Holds::Value),
    ("momentum", Holds::Value),
    ("beta1", Holds::Value),
    ("beta2", Holds::Value),
    ("epsilon", Holds::Value),
    ("weight-decay", Holds::Value),
    ("clip", Holds::Value),
    ("validation", Holds::Value),
    ("patience", Holds::Value),
    ("init", Holds::Value),
    ("initial-scale", Holds::Value),
    ("shift", Holds::Value),
    ("jitter", Holds::Value),
    ("seed", Holds::Value),
    ("threads", Holds::Value),
    ("precision", Holds::Value),
];

/// The names of the arguments of a task that hold this, in order.
pub fn names_of(holds: Holds) -> impl Iterator<Item = &'static str> {
    TASK.into_iter().filter(move |&(_, own)| own == holds).map(|(name, _)| name)
}

/// The arguments of a task as they were typed.
fn given(matches: &ArgMatches) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, _) in TASK {
        if !matches.try_contains_id(name).unwrap_or(false)
            || matches.value_source(name) != Some(ValueSource::CommandLine)
        {
            continue;
        }
        for value in matches.get_raw(name).into_iter().flatten() {
            out.push((name.to_owned(), value.to_string_lossy().into_owned()));
        }
    }
    out
}

impl Task {
    /// All arguments that make it, whatever was given and whatever the defaults are.
    pub fn arguments(&self) -> Vec<(String, String)> {
        let options = &self.options;
        let mut out: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: String| out.push((name.to_owned(), value));
        let path = |path: &PathBuf| path.display().to_string();
        let paths = &self.data;
        for (name, file) in [
            ("data", &paths.data),
            ("labels", &paths.labels),
            ("test", &paths.test),
            ("test-labels", &paths.test_labels),
            ("model", &self.program),
        ] {
            if let Some(file) = file {
                add(name, path(file));
            }
        }
        let words = [
            ("label", &paths.label),
            ("features", &self.names.features),
            ("target", &self.names.target),
            ("scores", &self.names.scores),
        ];
        for (name, word) in words {
            if let Some(word) = word {
                add(name, word.clone());
            }
        }
        add("scale", options.scaling.name().to_owned());
        if let Some(image) = self.image {
            add("image", format!("{}x{}x{}", image.rows, image.columns, image.channels));
        }
        if self.program.is_none() {
            add("activation", self.activation.name().to_owned());
        }
        for (name, value) in &options.set {
            add("set", format!("{name}={value:?}"));
        }
        add("epochs", options.epochs.to_string());
        add("batch-size", options.batch_size.to_string());
        add("optimiser", options.optimiser.name().to_owned());
        add("learning-rate", format!("{:?}", options.learning_rate));
        add("decay", format!("{:?}", options.decay));
        match options.optimiser {
            Optimiser::Sgd { momentum } => add("momentum", format!("{momentum:?}")),
            Optimiser::Adam { beta1, beta2, epsilon, weight_decay } => {
                for (name, value) in
                    [("beta1", beta1), ("beta2", beta2), ("epsilon", epsilon), ("weight-decay", weight_decay)]
                {
                    add(name, format!("{value:?}"));
                }
            }
        }
        for (name, value) in [("iterations", options.iterations), ("patience", options.patience)] {
            if let Some(value) = value {
                add(name, value.to_string());
            }
        }
        if let Some(clip) = options.clip {
            add("clip", format!("{clip:?}"));
        }
        add("validation", format!("{:?}", options.validation));
        add("init", options.initialisation.name().to_owned());
        add("initial-scale", format!("{:?}", options.initial_scale));
        add("shift", format!("{:?}", options.augmentation.shift));
        add("jitter", format!("{:?}", options.augmentation.jitter));
        add("seed", options.seed.to_string());
        add("threads", self.threads.to_string());
        add("precision", self.precision.name().to_owned());
        out
    }

    /// The task of arguments that [`Task::arguments`] wrote.
    ///
    /// # Errors
    /// What is no such arguments.
    pub fn of_arguments(arguments: &[(String, String)]) -> Result<Task, Failure> {
        let words = arguments.iter().map(|(name, value)| format!("--{name}={value}"));
        let matches = task_arguments(Command::new("train"))
            .try_get_matches_from(std::iter::once("train".to_owned()).chain(words))
            .map_err(|error| Failure::wrong(format!("the options in it are broken: {}", error.kind())))?;
        task(&matches)
    }

    /// The command that repeats it, as it was typed.
    pub fn command(&self) -> String {
        let words = self.given.iter().map(|(name, value)| format!(" --{name} {}", quoted(value)));
        format!("matgrad train{}", words.collect::<String>())
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=+,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Task, command, quoted, task};

    #[test]
    fn a_task_is_written_down_and_read_back() {
        for words in [
            "",
            "--data a.csv --label 3 --optimiser adam --learning-rate 0.1 --clip 0.3 --set lambda=0.3 --hidden 7 --image 4x3",
            "--model m.mg --set k=3 --set lambda=1e-300 --iterations 9 --patience 2 --scale range --seed 18446744073709551615",
            "--activation tanh --precision f32 --shift 1 --jitter 0.30000000000000004 --decay 1 --momentum 0",
        ] {
            let matches =
                command().try_get_matches_from(std::iter::once("train").chain(words.split_whitespace())).unwrap();
            let first = task(&matches).unwrap();
            let again = Task::of_arguments(&first.arguments()).unwrap();
            let again = Task { usual_rate: first.usual_rate, ..again };
            assert_eq!(Task { given: Vec::new(), ..again }, Task { given: Vec::new(), ..first.clone() }, "{words}");
            assert_eq!(first.command().split_whitespace().count(), 2 + words.split_whitespace().count());
        }
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("a/b.csv"), "a/b.csv");
        assert_eq!(quoted("it's here"), "'it'\\''s here'");
    }
}

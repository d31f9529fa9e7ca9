//! `matgrad train`, `predict`, `evaluate` and `search`: programs trained on samples of files or on the embedded digits.
//! Options come in; the derivation, accuracies, models, predictions and reports go out. The derivation, its check and the
//! training are the library's.

pub mod arguments;
mod checkpoint;
mod evaluate;
mod inputs;
pub mod live;
mod model;
mod outcome;
mod page;
mod plot;
mod predict;
mod progress;
mod search;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::ArgMatches;
use matgrad::diagnostic::Diagnostic;
use matgrad::train::{Trained, Training};

use crate::failure::Failure;
use crate::output;
use arguments::Task;
use checkpoint::Checkpoints;
use inputs::Inputs;
use model::Saved;

pub use arguments::command;
pub use evaluate::command as evaluate_command;
pub use predict::command as predict_command;
pub use search::command as search_command;

/// Trains, or works with what was trained.
pub fn run(command: &str, matches: &ArgMatches) -> Result<(), Failure> {
    match command {
        "predict" => predict::run(matches),
        "evaluate" => evaluate::run(matches),
        "search" => search::run(matches),
        _ => run_train(matches),
    }
}

fn run_train(matches: &ArgMatches) -> Result<(), Failure> {
    let start = Instant::now();
    let file = |name: &str| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let (save, report, resume) = (file("save"), file("report"), file("resume"));
    for path in [save, file("checkpoint"), resume].into_iter().flatten() {
        model::check_ending(path)?;
    }
    // A long training must not end with nowhere to write to.
    for path in [save, file("checkpoint"), resume.filter(|path| path.exists()), report].into_iter().flatten() {
        output::check_writable(path)?;
    }
    let quiet = matches.get_flag("quiet");
    let mut checkpoints = Checkpoints::new(matches)?;
    let (task, inputs, training) = match resume {
        Some(path) => resumed(path, matches)?,
        None => {
            let task = arguments::task(matches)?;
            let inputs = Inputs::read(&task, None)?;
            let training = Training::new(&inputs.objective, &inputs.data.samples, &inputs.options(&task));
            let training = training.map_err(|errors| wrong(&errors))?;
            (task, inputs, training)
        }
    };
    let checked = outcome::checked(&inputs.objective, task.options.seed)?;
    if !quiet {
        output::result(&outcome::derivation(&inputs.objective, &checked), None)?;
        output::result(&outcome::task(&task, &inputs, &training), None)?;
        output::result(&outcome::rounding(&training).map_err(|error| wrong(&[error]))?, None)?;
    }
    for note in &inputs.data.notes {
        output::message(&format!("note: {note}\n"));
    }
    let ran = descend(training, &mut checkpoints, quiet, &|training| inputs.saved(&task, training))?;
    let Ran { trained, saved, interrupted, time, samples } = ran;
    if !quiet {
        output::message(&outcome::speed(time, samples));
    }
    let test = inputs.data.test.as_ref();
    let results = outcome::Results::new(&trained, test, &inputs.data.classes).map_err(|error| wrong(&[error]))?;
    output::result(&outcome::outcome(&trained, &results, quiet), None)?;
    if matches.get_flag("plot") {
        output::result(&plot::history(&trained.history), None)?;
    }
    if let Some(path) = save {
        model::save(path, &saved)?;
    }
    if let Some(path) = report {
        let about = page::About { task: &task, inputs: &inputs, checked: &checked, time: start.elapsed() };
        let text = page::page(&about, &trained, &saved, &results).map_err(|error| wrong(&[error]))?;
        output::write_whole(path, text.as_bytes())?;
    }
    if interrupted {
        output::message(&checkpoints.how_to_go_on(save));
    }
    Ok(())
}

/// The training that a checkpoint stands in.
fn resumed(path: &Path, matches: &ArgMatches) -> Result<(Task, Inputs, Training), Failure> {
    let given = arguments::task(matches)?;
    const OPEN: [&str; 6] = ["data", "labels", "test", "test-labels", "epochs", "label"];
    if let Some((name, _)) = given.given.iter().find(|(name, _)| !OPEN.contains(&name.as_str())) {
        return Err(Failure::wrong(format!("--{name} is told by the checkpoint; with --resume leave it out")));
    }
    let (saved, state) = model::load_checkpoint(path)?;
    let mut task = Task::of_arguments(&saved.arguments).map_err(|failure| {
        Failure::wrong(format!("`{}`: {}", path.display(), failure.text.trim_start_matches("error: ").trim_end()))
    })?;
    let paths = &mut task.data;
    for (own, other) in [
        (&mut paths.data, &given.data.data),
        (&mut paths.labels, &given.data.labels),
        (&mut paths.test, &given.data.test),
        (&mut paths.test_labels, &given.data.test_labels),
    ] {
        if let Some(other) = other {
            *own = Some(other.clone());
        }
    }
    if given.data.label.is_some() {
        paths.label.clone_from(&given.data.label);
    }
    if given.given.iter().any(|(name, _)| name == "epochs") {
        task.options.epochs = given.options.epochs;
    }
    let inputs = Inputs::read(&task, Some(&saved))?;
    if inputs.fingerprint() != saved.fingerprint {
        let name = &inputs.data.name;
        return Err(Failure::wrong(format!(
            "the samples of {name} are not those that `{}` was trained on",
            path.display()
        )));
    }
    let training = Training::resume(&inputs.objective, &inputs.data.samples, &inputs.options(&task), state);
    let training = training.map_err(|errors| wrong(&errors))?;
    Ok((task, inputs, training))
}

/// What a training came to.
struct Ran {
    trained: Trained,
    saved: Saved,
    interrupted: bool,
    time: Duration,
    /// Samples passed through in that time.
    samples: usize,
}

/// All steps that are left, or those until somebody stops it.
fn descend(
    mut training: Training,
    checkpoints: &mut Checkpoints,
    quiet: bool,
    saved: &dyn Fn(&Training) -> Saved,
) -> Result<Ran, Failure> {
    let stop = checkpoint::stop_asked().map_err(|error| Failure::wrong(format!("cannot listen to Ctrl-C: {error}")))?;
    let start = Instant::now();
    let mut shown = progress::Shown::new(quiet);
    let done = |training: &Training| training.state().history.len() * training.training().len() + training.state().seen;
    let before = done(&training);
    let mut interrupted = false;
    while !training.is_finished() {
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            interrupted = true;
            break;
        }
        let progress = match training.step() {
            Ok(progress) => progress,
            Err(error) => {
                shown.end();
                return Err(wrong(&[error]));
            }
        };
        shown.tell(&progress);
        if checkpoints.is_due() {
            checkpoints.write(&saved(&training), training.state())?;
        }
    }
    shown.end();
    checkpoints.write(&saved(&training), training.state())?;
    let saved = saved(&training);
    let samples = done(&training) - before;
    Ok(Ran { saved, trained: training.finish(), interrupted, time: start.elapsed(), samples })
}

/// Errors that have no place in a text.
pub fn wrong(errors: &[Diagnostic]) -> Failure {
    Failure::wrong(errors.iter().map(sentence).collect::<Vec<_>>().join("\nerror: "))
}

/// What is wrong, and what would be right on a line of its own.
fn sentence(error: &Diagnostic) -> String {
    match &error.hint {
        Some(hint) => format!("{}\nhelp: {hint}", error.message),
        None => error.message.clone(),
    }
}

/// A model of the library with what belongs to it, of a training that stands somewhere.
impl Inputs {
    fn saved(&self, task: &Task, training: &Training) -> Saved {
        Saved {
            model: training.model(),
            scaling: task.options.scaling,
            classes: self.data.classes.clone(),
            columns: self.data.columns.clone(),
            label_column: self.data.label_column.clone(),
            label_place: self.data.label_place,
            image: self.image(task),
            arguments: self.arguments(task),
            command: self.command.clone().unwrap_or_else(|| task.command()),
            fingerprint: self.fingerprint().to_owned(),
        }
    }
}

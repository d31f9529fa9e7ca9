//! `matgrad search`: options to try come in; trials are trained side by side, ranked by their validation, and the best model
//! is saved. Each trial is written down when it ends, so that a search goes on where it was stopped.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use matgrad::train::space::{Axis, Values, grid, random};
use matgrad::train::{Objective, Training};
use serde_json::{Value, json};

use super::arguments::{self, Task, flag, number, path, task_arguments};
use super::inputs::Inputs;
use super::model::{self, Saved};
use super::{checkpoint, outcome, wrong};
use crate::failure::Failure;
use crate::output;

/// More trials than this are taken for a slip.
const MOST: usize = 100_000;

/// The arguments.
pub fn command() -> Command {
    let command = Command::new("search")
        .about("Tries options of a training and ranks them by their validation")
        .after_help(
            "Each --over names an option of `matgrad train`, or a scalar or dimension of the program, with values, as\n\
             hidden=32,64,128, or a range, as learning-rate=0.01..1. All combinations of values are tried; with --trials a\n\
             number of them at random, ranges even in the logarithm. All other options are those of `matgrad train`, and\n\
             hold for every trial. Test samples take no part in the choice.\n\n\
             Without --over: hidden=64,128,256, learning-rate=0.05,0.1,0.2 and lambda=0.0001,0.0003,0.001.\n\n\
             Examples:\n  \
             matgrad search --over hidden=32,64,128 --over lambda=0.0001,0.001 --save best.safetensors\n  \
             matgrad search --data iris.csv --trials 40 --over learning-rate=0.001..0.5 --over hidden=4..64\n  \
             matgrad search --log search.jsonl --save best.safetensors     goes on where it was stopped",
        )
        .arg(
            Arg::new("over")
                .long("over")
                .value_name("NAME=VALUES")
                .action(ArgAction::Append)
                .help("An option and its values, as hidden=32,64 or lambda=1e-5..0.1; may be given several times"),
        )
        .arg(number("trials", "NUMBER", value_parser!(usize).into()).help("So many combinations at random, not all"))
        .arg(number("jobs", "NUMBER", value_parser!(usize).into()).short('j').help("Trials side by side [default: one a core]"))
        .arg(path("log", "FILE").help("Writes each trial that ended to a file, and goes on from what is in it"))
        .arg(path("save", "FILE").help("Writes the best model, a .safetensors file"))
        .arg(number("top", "NUMBER", value_parser!(usize).into()).help("How many trials are shown [default: 10]"))
        .arg(flag("quiet").short('q').help("Shows only the table"));
    task_arguments(command)
}

/// What a trial gave.
#[derive(Clone, Debug, PartialEq)]
struct Trial {
    /// Its number, from 0.
    number: usize,
    values: Vec<f64>,
    /// Validation accuracy, where there are classes.
    accuracy: Option<f64>,
    /// Validation loss; none where it diverged.
    loss: Option<f64>,
    /// The epoch whose parameters were taken.
    epoch: usize,
    /// Why it gave nothing.
    failed: Option<String>,
}

impl Trial {
    /// Smaller is better: those that gave something, by accuracy, by loss, by their number.
    fn rank(&self) -> (bool, ordered::Falling, ordered::Rising, usize) {
        let accuracy = ordered::Falling(self.accuracy.unwrap_or(0.0));
        (self.failed.is_some(), accuracy, ordered::Rising(self.loss.unwrap_or(f64::INFINITY)), self.number)
    }
}

/// Floats in order.
mod ordered {
    use std::cmp::Ordering;

    /// The least first.
    #[derive(Clone, Copy, Debug)]
    pub struct Rising(pub f64);

    /// The largest first.
    #[derive(Clone, Copy, Debug)]
    pub struct Falling(pub f64);

    macro_rules! ordered {
        ($name:ident, $a:ident, $b:ident => $order:expr) => {
            impl Ord for $name {
                fn cmp(&self, other: &Self) -> Ordering {
                    let ($a, $b) = (self.0, other.0);
                    $order
                }
            }
            impl PartialOrd for $name {
                fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                    Some(self.cmp(other))
                }
            }
            impl PartialEq for $name {
                fn eq(&self, other: &Self) -> bool {
                    self.cmp(other) == Ordering::Equal
                }
            }
            impl Eq for $name {}
        };
    }
    ordered!(Rising, a, b => a.total_cmp(&b));
    ordered!(Falling, a, b => b.total_cmp(&a));
}

/// Searches.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let mut base = arguments::task(matches)?;
    if base.given.iter().any(|(name, _)| name == "threads") {
        return Err(Failure::wrong("a trial runs on one thread; --jobs tells how many run side by side"));
    }
    // As if it were typed: the command that trains the best again gives the same bits.
    base.threads = 1;
    base.given.push(("threads".to_owned(), "1".to_owned()));
    if base.options.validation == 0.0 {
        return Err(Failure::wrong("a search ranks by validation; keep a part of the samples out with --validation"));
    }
    let file = |name: &str| matches.get_one::<PathBuf>(name).map(PathBuf::as_path);
    let (log, save) = (file("log"), file("save"));
    if let Some(path) = save {
        model::check_ending(path)?;
        output::check_writable(path)?;
    }
    let count = |name: &str| matches.get_one::<usize>(name).copied();
    let axes = axes(matches, &base)?;
    let trials = trials(&axes, count("trials"), base.options.seed)?;
    let tasks: Vec<Task> = trials.iter().map(|values| task_of(&base, &axes, values)).collect::<Result<_, _>>()?;
    let inputs = Inputs::read(&base, None)?;
    if inputs.objective.takes_all_samples() {
        return Err(Failure::wrong("every step of this program takes all samples, so none can validate a search"));
    }
    // One activation for all: an axis is a number.
    outcome::checked(&inputs.objective, base.options.seed)?;
    for task in &tasks {
        task.options.check().map_err(|errors| wrong(&errors))?;
        inputs.objective.bindings(&inputs.data.samples, &task.options.set).map_err(|errors| wrong(&errors))?;
    }
    let header = json!({
        "matgrad search": env!("CARGO_PKG_VERSION"),
        "data": inputs.fingerprint(),
        "program": inputs.objective.source(),
        "options": inputs.arguments(&base).iter().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
        "axes": axes.iter().map(|axis| axis.name.clone()).collect::<Vec<_>>(),
    });
    let mut known = match log {
        Some(path) => read_log(path, &header, &trials)?,
        None => BTreeMap::new(),
    };
    let quiet = matches.get_flag("quiet");
    for note in &inputs.data.notes {
        output::message(&format!("note: {note}\n"));
    }
    if !quiet {
        let (name, all, done) = (&inputs.data.name, trials.len(), known.len());
        let before = if done > 0 { format!(", {done} of them done before") } else { String::new() };
        output::message(&format!("{all} trials on {name}{before}\n"));
    }
    let stop = checkpoint::stop_asked().map_err(|error| Failure::wrong(format!("cannot listen to Ctrl-C: {error}")))?;
    let left: Vec<usize> = (0..trials.len()).filter(|number| !known.contains_key(number)).collect();
    let jobs = count("jobs").unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let best = known.values().min_by_key(|trial| trial.rank()).cloned();
    let shared = Shared {
        inputs: &inputs,
        tasks: &tasks,
        trials: &trials,
        left: &left,
        next: AtomicUsize::new(0),
        stop: &stop,
        ended: Mutex::new(Ended { trials: Vec::new(), best: best.clone(), failure: None }),
        log,
        save,
        quiet,
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(left.len()) {
            scope.spawn(|| shared.work());
        }
    });
    let ended = shared.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = ended.failure {
        return Err(failure);
    }
    known.extend(ended.trials.into_iter().map(|trial| (trial.number, trial)));
    let mut ranked: Vec<&Trial> = known.values().collect();
    ranked.sort_by_key(|trial| trial.rank());
    output::result(&table(&axes, &ranked, count("top").unwrap_or(10)), None)?;
    if known.len() < trials.len() {
        let on = match log {
            Some(path) => format!("; the same command with `--log {}` goes on", path.display()),
            None => String::new(),
        };
        output::message(&format!("stopped after {} of {} trials{on}\n", known.len(), trials.len()));
    }
    let Some(first) = ranked.first().filter(|trial| trial.failed.is_none()) else {
        return match ranked.first().and_then(|trial| trial.failed.clone()) {
            Some(why) => Err(Failure::wrong(format!("no trial came to an end: {why}"))),
            None => Ok(()),
        };
    };
    let saved = save.map(|path| best_model(path, &inputs, &tasks, first)).transpose()?;
    finish(&inputs, &tasks[first.number], saved)
}

/// The best model: that of the file, or of an earlier run whose file is gone or another's, trained again.
fn best_model(path: &Path, inputs: &Inputs, tasks: &[Task], first: &Trial) -> Result<Saved, Failure> {
    let task = &tasks[first.number];
    if path.exists() {
        let saved = model::load(path)?;
        if saved.arguments == inputs.arguments(task) {
            return Ok(saved);
        }
    }
    let objective = Arc::new(Objective::clone(&inputs.objective).with_threads(1));
    let (_, saved) = train_one(&objective, inputs, (task, &first.values), first.number, &mut |_| false)?;
    let saved = saved.ok_or_else(|| Failure::wrong("the best trial does not come to an end any more"))?;
    model::save(path, &saved)?;
    Ok(saved)
}

/// The command of the best trial, and how it does on the test samples where its model is at hand.
fn finish(inputs: &Inputs, task: &Task, saved: Option<Saved>) -> Result<(), Failure> {
    let mut out = format!("\nbest: {}\n", task.command());
    if let (Some(saved), Some(test)) = (saved, &inputs.data.test)
        && test.classes().is_some()
        && saved.model.objective.scores().is_some()
    {
        let accuracy = saved.model.accuracy(test).map_err(|error| wrong(&[error]))?;
        out.push_str(&format!("test accuracy {:.2} % of {} samples\n", 100.0 * accuracy, test.len()));
    }
    output::result(&out, None)
}

/// What the workers share.
struct Shared<'a> {
    inputs: &'a Inputs,
    tasks: &'a [Task],
    trials: &'a [Vec<f64>],
    left: &'a [usize],
    next: AtomicUsize,
    stop: &'a AtomicBool,
    ended: Mutex<Ended>,
    log: Option<&'a Path>,
    save: Option<&'a Path>,
    quiet: bool,
}

struct Ended {
    trials: Vec<Trial>,
    best: Option<Trial>,
    failure: Option<Failure>,
}

impl Shared<'_> {
    /// Trains one trial after another until none is left.
    fn work(&self) {
        // Runs of one objective wait for each other: each worker has its own, on one thread.
        let objective = Arc::new(Objective::clone(&self.inputs.objective).with_threads(1));
        loop {
            let Some(&number) = self.left.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return };
            let mut stopped = false;
            let mut watch = |_: &Training| {
                stopped = self.stop.load(Ordering::Relaxed);
                stopped
            };
            let trained =
                train_one(&objective, self.inputs, (&self.tasks[number], &self.trials[number]), number, &mut watch);
            if stopped {
                return;
            }
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let done = trained.and_then(|(trial, saved)| self.note(&mut ended, trial, saved.as_ref()));
            if let Err(failure) = done {
                ended.failure.get_or_insert(failure);
                self.stop.store(true, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Writes a trial down, and its model where it is the best so far.
    fn note(&self, ended: &mut Ended, trial: Trial, saved: Option<&Saved>) -> Result<(), Failure> {
        if !self.quiet {
            let (done, all) = (ended.trials.len() + self.trials.len() - self.left.len() + 1, self.trials.len());
            output::message(&format!("{done} of {all}: {}\n", summary(&trial)));
        }
        let better = ended.best.as_ref().is_none_or(|best| trial.rank() < best.rank());
        if let (true, Some(path), Some(saved)) = (better, self.save, saved) {
            model::save(path, saved)?;
        }
        // After its model: what is written down is saved.
        if let Some(path) = self.log {
            append(path, &line_of(&trial))?;
        }
        if better {
            ended.best = Some(trial.clone());
        }
        ended.trials.push(trial);
        Ok(())
    }
}

fn summary(trial: &Trial) -> String {
    match (&trial.failed, trial.accuracy, trial.loss) {
        (Some(why), ..) => why.clone(),
        (None, Some(accuracy), _) => format!("validation accuracy {:.2} %", 100.0 * accuracy),
        (None, None, Some(loss)) => format!("validation loss {loss:.6}"),
        (None, None, None) => "nothing".to_owned(),
    }
}

/// Trains a trial; `stop` is asked after each step. A training that diverges is a trial that failed.
fn train_one(
    objective: &Arc<Objective>,
    inputs: &Inputs,
    (task, values): (&Task, &[f64]),
    number: usize,
    stop: &mut dyn FnMut(&Training) -> bool,
) -> Result<(Trial, Option<Saved>), Failure> {
    let started = Training::new(objective, &inputs.data.samples, &inputs.options(task));
    let mut training = started.map_err(|errors| wrong(&errors))?;
    let mut trial = Trial { number, values: values.to_vec(), accuracy: None, loss: None, epoch: 0, failed: None };
    while !training.is_finished() {
        if stop(&training) {
            return Ok((trial, None));
        }
        if let Err(error) = training.step() {
            trial.failed = Some(error.message);
            return Ok((trial, None));
        }
    }
    let saved = inputs.saved(task, &training);
    let state = training.state();
    trial.epoch = state.best_epoch;
    match state.best_epoch.checked_sub(1).map(|place| &state.history[place]) {
        Some(epoch) => (trial.accuracy, trial.loss) = (epoch.validation_accuracy, epoch.validation_loss),
        None => trial.failed = Some("no epoch ended".to_owned()),
    }
    Ok((trial, Some(saved)))
}

/// What is tried: the axes of the arguments, or the usual ones.
fn axes(matches: &ArgMatches, base: &Task) -> Result<Vec<Axis>, Failure> {
    let given: Vec<&str> = matches.get_many::<String>("over").into_iter().flatten().map(String::as_str).collect();
    if given.is_empty() && base.program.is_some() {
        return Err(Failure::wrong("name what is tried with --over, such as --over learning-rate=0.01,0.1"));
    }
    let usual = ["hidden=64,128,256", "learning-rate=0.05,0.1,0.2", "lambda=0.0001,0.0003,0.001"];
    let texts = if given.is_empty() { usual.to_vec() } else { given };
    let axes: Vec<Axis> = texts.into_iter().map(axis).collect::<Result<_, _>>()?;
    for (i, axis) in axes.iter().enumerate() {
        if axes[..i].iter().any(|other| other.name == axis.name) {
            return Err(Failure::wrong(format!("`{}` is tried twice; put all its values into one --over", axis.name)));
        }
        if base.given.iter().any(|(name, _)| *name == axis.name) {
            return Err(Failure::wrong(format!("--{0} is given, and tried by --over {0}=…; leave one out", axis.name)));
        }
    }
    Ok(axes)
}

/// `hidden=32,64` or `learning-rate=0.01..1`
fn axis(text: &str) -> Result<Axis, Failure> {
    let wrong = |why: &str| {
        Failure::wrong(format!("`--over {text}` {why}; write values as hidden=32,64 or a range as lambda=1e-5..0.1"))
    };
    let (name, values) = text.split_once('=').ok_or_else(|| wrong("has no values"))?;
    let (name, values) = (name.trim().trim_start_matches("--").to_owned(), values.trim());
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some((low, high)) = values.split_once("..") {
        let (Some(from), Some(to)) = (number(low), number(high)) else { return Err(wrong("is no range of numbers")) };
        if !(from > 0.0 && from < to) {
            return Err(wrong("is no range of positive numbers that rises"));
        }
        let is_whole = |text: &str| text.trim().parse::<u64>().is_ok();
        let whole = is_whole(low) && is_whole(high);
        return Ok(Axis { name, values: Values::Range { low: from, high: to, whole } });
    }
    let list: Option<Vec<f64>> = values.split(',').map(number).collect();
    match list.filter(|list| !list.is_empty()) {
        Some(list) => Ok(Axis { name, values: Values::List(list) }),
        None => Err(wrong("has values that are no numbers")),
    }
}

fn trials(axes: &[Axis], count: Option<usize>, seed: u64) -> Result<Vec<Vec<f64>>, Failure> {
    match count {
        Some(count) if (1..=MOST).contains(&count) => Ok(random(axes, count, seed)),
        Some(count) => Err(Failure::wrong(format!("{count} trials are out of range: from 1 to {MOST}"))),
        None => {
            let all = axes.iter().try_fold(1_usize, |all, axis| match &axis.values {
                Values::List(list) => all.checked_mul(list.len()).filter(|&all| all <= MOST),
                Values::Range { .. } => Some(all),
            });
            if all.is_none() {
                return Err(Failure::wrong(format!(
                    "there are more than {MOST} combinations; take some with --trials"
                )));
            }
            grid(axes).ok_or_else(|| Failure::wrong("a range is tried at random: say how many --trials"))
        }
    }
}

/// The base with a trial's values instead of its own.
fn task_of(base: &Task, axes: &[Axis], values: &[f64]) -> Result<Task, Failure> {
    let known = task_arguments(Command::new("train"));
    let mut given = base.given.clone();
    for (axis, &value) in axes.iter().zip(values) {
        let text =
            if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:?}") };
        match known.get_arguments().any(|argument| argument.get_id() == axis.name.as_str()) {
            true => given.push((axis.name.clone(), text)),
            false => given.push(("set".to_owned(), format!("{}={text}", axis.name))),
        }
    }
    Task::of_arguments(&given).map_err(|_| {
        let tried: Vec<String> =
            axes.iter().zip(values).map(|(axis, value)| format!("{}={value:?}", axis.name)).collect();
        Failure::wrong(format!("`matgrad train` cannot be given {}", tried.join(", ")))
    })
}

/// The trials that are written down already.
fn read_log(path: &Path, header: &Value, trials: &[Vec<f64>]) -> Result<BTreeMap<usize, Trial>, Failure> {
    if !path.exists() {
        output::write_whole(path, format!("{header}\n").as_bytes())?;
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    let wrong = |line: usize, why: &str| Failure::wrong(format!("`{}`, line {line}: {why}", path.display()));
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
    if first.as_ref() != Some(header) {
        return Err(wrong(1, "it is the log of another search; take another file, or the same options and data"));
    }
    let mut known = BTreeMap::new();
    for (i, line) in lines.enumerate() {
        // A line that was being written when the search was killed has no end: its trial is done again.
        if !line.ends_with('\n') {
            let whole = text.len() - line.len();
            output::write_whole(path, &text.as_bytes()[..whole])?;
            break;
        }
        let trial = serde_json::from_str::<Value>(line).ok().and_then(|value| trial_of(&value));
        let trial = trial.ok_or_else(|| wrong(i + 2, "it is no trial"))?;
        // Of more trials than are asked for now, the first ones are of use.
        match trials.get(trial.number) {
            Some(values) if *values == trial.values => drop(known.insert(trial.number, trial)),
            Some(_) => return Err(wrong(i + 2, "the trial has other values than this search gives it")),
            None => {}
        }
    }
    Ok(known)
}

fn line_of(trial: &Trial) -> String {
    // Numbers as texts: they come back as they were.
    let exact = |number: f64| json!(format!("{number:?}"));
    let line = json!({
        "trial": trial.number,
        "values": trial.values.iter().map(|&value| exact(value)).collect::<Vec<_>>(),
        "accuracy": trial.accuracy.map(exact),
        "loss": trial.loss.map(exact),
        "epoch": trial.epoch,
        "failed": trial.failed,
    });
    format!("{line}\n")
}

fn trial_of(value: &Value) -> Option<Trial> {
    let exact = |value: &Value| value.as_str()?.parse::<f64>().ok();
    let maybe = |name: &str| match value.get(name)? {
        Value::Null => Some(None),
        value => exact(value).map(Some),
    };
    let count = |name: &str| usize::try_from(value.get(name)?.as_u64()?).ok();
    Some(Trial {
        number: count("trial")?,
        values: value.get("values")?.as_array()?.iter().map(exact).collect::<Option<_>>()?,
        accuracy: maybe("accuracy")?,
        loss: maybe("loss")?,
        epoch: count("epoch")?,
        failed: value.get("failed")?.as_str().map(str::to_owned),
    })
}

/// One line behind all others, on the disk when this returns.
fn append(path: &Path, line: &str) -> Result<(), Failure> {
    let written = OpenOptions::new().append(true).open(path).and_then(|mut file| {
        file.write_all(line.as_bytes())?;
        file.sync_data()
    });
    written.map_err(|error| Failure::file("write", path, &error))
}

/// The best trials, a line each.
fn table(axes: &[Axis], ranked: &[&Trial], top: usize) -> String {
    let accuracies = ranked.iter().any(|trial| trial.accuracy.is_some());
    let mut rows = vec![vec!["rank".to_owned()]];
    rows[0].extend(axes.iter().map(|axis| axis.name.clone()));
    if accuracies {
        rows[0].push("accuracy".to_owned());
    }
    rows[0].extend(["loss".to_owned(), "epoch".to_owned()]);
    for (rank, trial) in ranked.iter().take(top).enumerate() {
        let mut row = vec![(rank + 1).to_string()];
        row.extend(trial.values.iter().map(|value| format!("{value}")));
        match &trial.failed {
            Some(why) => row.push(why.clone()),
            None => {
                if accuracies {
                    row.push(trial.accuracy.map_or("–".to_owned(), |accuracy| format!("{:.2} %", 100.0 * accuracy)));
                }
                row.push(trial.loss.map_or("–".to_owned(), |loss| format!("{loss:.5}")));
                row.push(trial.epoch.to_string());
            }
        }
        rows.push(row);
    }
    let columns = rows[0].len();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() == columns).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

//! The process of one training for the page: a folder with its files and its order comes in, events go out on standard output.
//! It stops after its step when standard input ends, and ends when nobody reads any more. Nothing else is shared with the
//! server, so that one that breaks takes nothing along.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use matgrad::render::base64;
use matgrad::train::Progress;
use serde_json::{Value, json};

use super::STACK;
use crate::failure::Failure;
use crate::train::live::{Finished, Live, Pictures, Subject};

/// The file that says what is to be done. No file that is sent begins with a point.
pub const ORDER: &str = ".order";
/// So long a training may take.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Between two words on it.
const BETWEEN: Duration = Duration::from_millis(100);
/// Between two pictures of its weights.
const PICTURES: Duration = Duration::from_millis(400);

/// What is to be done.
struct Order {
    id: String,
    /// Those of `matgrad train`, by their names.
    arguments: Vec<(String, String)>,
}

/// Who listens at standard output.
struct Told {
    gone: bool,
}

impl Told {
    /// An event; waits until there is room for it.
    fn tell(&mut self, event: &str, value: &Value) {
        if !self.gone {
            let text = format!("event: {event}\ndata: {value}\n\n");
            let mut out = io::stdout().lock();
            self.gone = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err();
        }
    }
}

/// The life of the process. What is wrong with the order is an event.
///
/// # Errors
/// Where there is no order, or no thread to work on.
pub fn train(folder: &Path) -> Result<(), Failure> {
    let order = read_order(&folder.join(ORDER))?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    std::thread::spawn(move || {
        // Nothing is ever said there; it ends when the training is to end, and with its server.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        asked.store(true, Ordering::Relaxed);
    });
    let own = folder.to_owned();
    let working = std::thread::Builder::new().name("training".to_owned()).stack_size(STACK).spawn(move || {
        let mut told = Told { gone: false };
        if let Err(text) = trained(&order, &own, &stop, &mut told) {
            told.tell("failed", &json!({ "error": text.trim_start_matches("error: ").trim_end() }));
        }
        if told.gone {
            // The server is gone, or is about to do the same.
            let _ = fs::remove_dir_all(&own);
        }
    });
    let working = working.map_err(|error| Failure::wrong(format!("there is no thread to train on: {error}")))?;
    working.join().map_err(|_| Failure::wrong("the training broke"))
}

fn read_order(path: &Path) -> Result<Order, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let order = serde_json::from_slice::<Value>(&bytes).ok().and_then(|value| {
        let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()));
        let arguments = value.get("arguments")?.as_array()?.iter().map(pair).collect::<Option<_>>()?;
        Some(Order { id: value.get("id")?.as_str()?.to_owned(), arguments })
    });
    order.ok_or_else(|| Failure::wrong(format!("`{}` is no order for a training", path.display())))
}

fn trained(order: &Order, folder: &Path, stop: &AtomicBool, told: &mut Told) -> Result<(), String> {
    let plain = |failure: crate::failure::Failure| anstream::adapter::strip_str(&failure.text).to_string();
    let mut live = Live::new(&order.arguments, folder).map_err(plain)?;
    told.tell("started", &subject(&order.id, &live.subject()));
    let start = Instant::now();
    let (mut last, mut last_picture) = (start, None);
    let (mut epochs, mut interrupted) = (0, false);
    while !live.is_finished() {
        if stop.load(Ordering::Relaxed) || start.elapsed() > LONGEST {
            interrupted = true;
            break;
        }
        let progress = live.step().map_err(plain)?;
        let ended = progress.batch == progress.batches;
        if ended {
            epochs += 1;
            told.tell("epoch", &epoch(epochs, &progress));
        }
        if ended || last.elapsed() >= BETWEEN {
            last = Instant::now();
            told.tell("progress", &moved(&progress, start.elapsed()));
        }
        if last_picture.is_none_or(|last: Instant| last.elapsed() >= PICTURES) {
            last_picture = Some(Instant::now());
            if let Some(pictures) = live.pictures() {
                told.tell("weights", &drawn(&pictures));
            }
        }
        if told.gone {
            return Ok(());
        }
    }
    if let Some(pictures) = live.pictures() {
        told.tell("weights", &drawn(&pictures));
    }
    let seconds = start.elapsed().as_secs_f64();
    let finished = live.finish().map_err(plain)?;
    told.tell("finished", &ended(&finished, interrupted, seconds));
    told.tell("model", &json!({ "name": "model.safetensors", "base64": base64(&finished.model) }));
    told.tell("report", &json!({ "name": "report.html", "text": finished.report }));
    Ok(())
}

fn subject(id: &str, subject: &Subject) -> Value {
    json!({
        "id": id,
        "name": subject.name,
        "samples": subject.samples,
        "validation": subject.validation,
        "features": subject.features,
        "classes": subject.classes,
        "parameters": subject.parameters,
        "epochs": subject.epochs,
        "checked": subject.checked,
        "notes": subject.notes,
        "program": subject.program,
    })
}

fn moved(progress: &Progress, time: Duration) -> Value {
    json!({
        "epoch": progress.epoch,
        "epochs": progress.epochs,
        "samples": progress.samples,
        "total": progress.total,
        "loss": progress.loss,
        "accuracy": progress.accuracy,
        "seconds": time.as_secs_f64(),
    })
}

fn epoch(number: usize, progress: &Progress) -> Value {
    let Some(last) = &progress.last else { return json!({ "epoch": number }) };
    json!({
        "epoch": number,
        "loss": last.loss,
        "accuracy": last.accuracy,
        "validation_loss": last.validation_loss,
        "validation_accuracy": last.validation_accuracy,
        "learning_rate": last.learning_rate,
    })
}

fn drawn(pictures: &Pictures) -> Value {
    let bytes: Vec<u8> = pictures.pixels.iter().map(|&pixel| pixel.cast_unsigned()).collect();
    let (rows, columns) = pictures.size;
    json!({ "name": pictures.name, "rows": rows, "columns": columns, "base64": base64(&bytes) })
}

fn ended(finished: &Finished, interrupted: bool, seconds: f64) -> Value {
    let parts: Vec<Value> = finished
        .parts
        .iter()
        .map(|part| {
            json!({
                "name": part.name,
                "samples": part.samples,
                "loss": part.loss,
                "accuracy": part.accuracy,
                "explained": part.explained,
                "confusion": part.confusion,
            })
        })
        .collect();
    json!({
        "parts": parts,
        "best_epoch": finished.best_epoch,
        "interrupted": interrupted,
        "seconds": seconds,
        "text": finished.text,
    })
}

//! Trainings that a page watches: options and files come in as JSON, what happens goes out as server-sent events, and in the
//! end the model and the report with them. Files live in a folder of their own as long as the training does; who goes away
//! stops it.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body::Frame;
use matgrad::render::base64;
use matgrad::train::Progress;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::asked::{Asked, wrong};
use super::reply::Reply;
use crate::train::arguments::{Holds, names_of};
use crate::train::live::{Finished, Live, Pictures, Subject};

/// So many trainings at a time.
const TRAININGS: usize = 2;
/// So long one may take.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// Between two words on a training.
const BETWEEN: Duration = Duration::from_millis(100);
/// Between two pictures of its weights.
const PICTURES: Duration = Duration::from_millis(400);

/// The trainings under way.
#[derive(Clone, Debug)]
pub struct Trainings {
    turns: Arc<Semaphore>,
    stops: Arc<Mutex<HashMap<String, Arc<AtomicBool>>>>,
}

/// What a training is to do.
struct Order {
    options: Vec<(String, String)>,
    files: Vec<(&'static str, Sent)>,
    program: Option<String>,
}

/// What stands for a file of the command line.
struct Sent {
    /// The name of the file or folder.
    name: String,
    content: Content,
}

enum Content {
    File(Vec<u8>),
    /// Files by the names of the folders above them and their own.
    Folder(BTreeMap<Vec<String>, Vec<u8>>),
}

impl Trainings {
    /// None yet.
    pub fn new() -> Trainings {
        Trainings { turns: Arc::new(Semaphore::new(TRAININGS)), stops: Arc::default() }
    }

    /// A place for one more, before its data are read.
    ///
    /// # Errors
    /// That there are enough.
    pub fn turn(&self) -> Result<OwnedSemaphorePermit, Reply> {
        let busy = || {
            let why = format!("{TRAININGS} trainings are under way: stop one, or wait for its end");
            Reply::refused(StatusCode::SERVICE_UNAVAILABLE, &why)
        };
        Arc::clone(&self.turns).try_acquire_owned().map_err(|_| busy())
    }

    /// Starts one; its events are the answer.
    ///
    /// # Errors
    /// A request that is none.
    pub fn start(&self, asked: &Asked, turn: OwnedSemaphorePermit) -> Result<Response, Reply> {
        let order = order(asked)?;
        let id = random_name();
        let stop = Arc::new(AtomicBool::new(false));
        self.stops().insert(id.clone(), Arc::clone(&stop));
        let (events, receiver) = mpsc::channel(64);
        let stops = Arc::clone(&self.stops);
        let own = id.clone();
        let started =
            std::thread::Builder::new().name("training".to_owned()).stack_size(super::STACK).spawn(move || {
                let _turn = turn;
                let _listed = Listed { stops, id: own.clone() };
                let mut told = Told { events, gone: false };
                if let Err(text) = trained(&own, &order, &stop, &mut told) {
                    told.tell("failed", &json!({ "error": text.trim_start_matches("error: ").trim_end() }));
                }
            });
        if started.is_err() {
            self.stops().remove(&id);
            return Err(Reply::refused(StatusCode::SERVICE_UNAVAILABLE, "there is no thread left to train on"));
        }
        let mut response = Response::new(Body::new(Events { receiver }));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    /// Asks one to stop after its step; its model is made as usual.
    ///
    /// # Errors
    /// A request that is none; a training that is not there.
    pub fn stop(&self, asked: &Asked) -> Result<Reply, Reply> {
        let id = asked.required("id")?;
        asked.finish()?;
        match self.stops().get(&id) {
            Some(stop) => {
                stop.store(true, Ordering::Relaxed);
                Ok(Reply::json(&json!({ "stopped": id })))
            }
            None => Err(Reply::refused(StatusCode::NOT_FOUND, "there is no such training")),
        }
    }

    /// Asks all to stop, and waits a little until their folders are gone.
    pub async fn end(&self) {
        self.stops().values().for_each(|stop| stop.store(true, Ordering::Relaxed));
        for _ in 0..40 {
            if self.stops().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn stops(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<AtomicBool>>> {
        // A map of flags is whole even where a thread broke.
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A training in the list; it leaves the list when its thread ends.
struct Listed {
    stops: Arc<Mutex<HashMap<String, Arc<AtomicBool>>>>,
    id: String,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn order(asked: &Asked) -> Result<Order, Reply> {
    let mut options = Vec::new();
    for (name, value) in asked.object("options")? {
        if !names_of(Holds::Value).any(|option| option == name) {
            let all: Vec<&str> = names_of(Holds::Value).collect();
            return Err(wrong(&format!("`options`: nothing is called `{name}`; there are {}", all.join(", "))));
        }
        let values = match value {
            Value::Array(values) if name == "set" => values,
            value => vec![value],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Null => continue,
                _ => return Err(wrong(&format!("`options`: `{name}` is a number or a text"))),
            };
            options.push((name.clone(), text));
        }
    }
    let mut files = Vec::new();
    let mut given = asked.object("files")?;
    for option in names_of(Holds::File) {
        if let Some(file) = given.remove(option) {
            files.push(sent(option, &file)?);
        }
    }
    if let Some((name, _)) = given.iter().next() {
        let all: Vec<&str> = names_of(Holds::File).collect();
        return Err(wrong(&format!("`files`: nothing is called `{name}`; there are {}", all.join(", "))));
    }
    let program = asked.text("program")?;
    asked.finish()?;
    Ok(Order { options, files, program })
}

fn sent(option: &'static str, file: &Value) -> Result<(&'static str, Sent), Reply> {
    let empty = Map::new();
    let fields = file.as_object().unwrap_or(&empty);
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let (name, inside) = match (text("name"), text("base64"), fields.get("files").and_then(Value::as_object)) {
        (Some(name), Some(content), None) => (name, Err(content)),
        (Some(name), None, Some(files)) => (name, Ok(files)),
        _ => {
            let why =
                "has a `name`, and its bytes in `base64`, or if it is a folder such bytes in `files` by their paths";
            return Err(wrong(&format!("`files`: `{option}` {why}")));
        }
    };
    // The name tells the form of the data, so it is kept, and nothing of it that leads elsewhere.
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let Some(name) = name_of(last) else { return Err(wrong(&format!("`files`: `{option}` has no name of a file"))) };
    let bytes = |text: &str| bytes_of(text).ok_or_else(|| wrong(&format!("`files`: `{option}` is no base64")));
    let content = match inside {
        Err(content) => Content::File(bytes(content)?),
        Ok(files) if files.len() > FILES => {
            return Err(wrong(&format!(
                "`files`: `{option}` has more than {FILES} files, which is the limit of the page"
            )));
        }
        Ok(files) => {
            let mut folder = BTreeMap::new();
            for (path, content) in files {
                let names: Option<Vec<String>> = path.split('/').map(name_of).collect();
                let names = names.filter(|names| names.len() <= DEPTH);
                let (Some(names), Some(content)) = (names, content.as_str()) else {
                    let path: String = path.chars().take(LONGEST_NAME).collect();
                    return Err(wrong(&format!("`files`: `{option}` has no file of a folder at `{path}`")));
                };
                folder.insert(names, bytes(content)?);
            }
            Content::Folder(folder)
        }
    };
    Ok((option, Sent { name, content }))
}

/// Files of a folder.
const FILES: usize = 50_000;
/// Names of a path within it.
const DEPTH: usize = 4;
/// Characters of a name.
const LONGEST_NAME: usize = 200;

/// A name of a file or folder that leads nowhere else.
fn name_of(text: &str) -> Option<String> {
    let name: String = text.chars().filter(|c| !c.is_control()).collect();
    let own = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    (own && name.len() <= LONGEST_NAME).then_some(name)
}

impl Sent {
    /// Writes it below a folder.
    fn write(&self, path: &Path) -> std::io::Result<()> {
        let files = match &self.content {
            Content::File(bytes) => return fs::write(path, bytes),
            Content::Folder(files) => files,
        };
        fs::create_dir(path)?;
        for (names, bytes) in files {
            let mut place = path.to_owned();
            place.extend(names);
            fs::create_dir_all(place.parent().unwrap_or(path))?;
            fs::write(&place, bytes)?;
        }
        Ok(())
    }
}

/// Bytes of base 64 (RFC 4648), padded.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| -> Option<u32> {
        Some(match c {
            b'A'..=b'Z' => u32::from(c - b'A'),
            b'a'..=b'z' => u32::from(c - b'a') + 26,
            b'0'..=b'9' => u32::from(c - b'0') + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        })
    };
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let groups = text.len() / 4;
    for (i, group) in text.chunks_exact(4).enumerate() {
        let padding = match group {
            [_, _, b'=', b'='] if i + 1 == groups => 2,
            [_, _, _, b'='] if i + 1 == groups => 1,
            _ => 0,
        };
        let mut value = 0;
        for &c in &group[..4 - padding] {
            value = value << 6 | digit(c)?;
        }
        value <<= 6 * padding;
        out.extend_from_slice(&value.to_be_bytes()[1..4 - padding]);
    }
    Some(out)
}

/// A name that nobody guesses.
fn random_name() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

/// A folder that is there as long as this is.
struct Folder(PathBuf);

impl Folder {
    fn new(id: &str) -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("matgrad-{id}"));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Folder(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays; nobody is left to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Who listens.
struct Told {
    events: mpsc::Sender<Bytes>,
    gone: bool,
}

impl Told {
    /// An event; waits until there is room for it.
    fn tell(&mut self, event: &str, value: &Value) {
        if !self.gone {
            let text = format!("event: {event}\ndata: {value}\n\n");
            self.gone = self.events.blocking_send(Bytes::from(text)).is_err();
        }
    }
}

fn trained(id: &str, order: &Order, stop: &AtomicBool, told: &mut Told) -> Result<(), String> {
    let no_folder = |error: std::io::Error| format!("the files cannot be kept: {error}");
    let folder = Folder::new(id).map_err(no_folder)?;
    let mut arguments = order.options.clone();
    for (option, sent) in &order.files {
        let mut path = folder.path().join(&sent.name);
        if path.exists() {
            // Two files of one name have folders of their own.
            let own = folder.path().join(option);
            fs::create_dir(&own).map_err(no_folder)?;
            path = own.join(&sent.name);
        }
        sent.write(&path).map_err(no_folder)?;
        arguments.push(((*option).to_owned(), path.display().to_string()));
    }
    if let Some(program) = &order.program {
        let own = folder.path().join("program");
        fs::create_dir(&own).map_err(no_folder)?;
        let path = own.join("program.mg");
        fs::write(&path, program).map_err(no_folder)?;
        arguments.push(("model".to_owned(), path.display().to_string()));
    }
    let plain = |failure: crate::failure::Failure| anstream::adapter::strip_str(&failure.text).to_string();
    let mut live = Live::new(&arguments, folder.path()).map_err(plain)?;
    told.tell("started", &subject(id, &live.subject()));
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

/// Events as the body of an answer.
struct Events {
    receiver: mpsc::Receiver<Bytes>,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.receiver.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Content, bytes_of, sent};

    #[test]
    fn base64_is_read() {
        let pairs = [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")];
        for (text, bytes) in pairs {
            assert_eq!(bytes_of(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(bytes_of("+/8A"), Some(vec![0xfb, 0xff, 0x00]));
        for wrong in ["Zg", "Zg=", "Z===", "Zg==Zm9v", "Zm9 "] {
            assert_eq!(bytes_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        let file = |name: &str| sent("data", &json!({ "name": name, "base64": "Zm9v" })).ok().map(|file| file.1.name);
        assert_eq!(file("iris.csv").as_deref(), Some("iris.csv"));
        assert_eq!(file("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(file("C:\\x\\iris.csv").as_deref(), Some("iris.csv"));
        for wrong in ["", "..", "a/..", ".hidden", "a/"] {
            assert_eq!(file(wrong), None, "{wrong}");
        }
        assert!(sent("data", &json!({ "name": "a" })).is_err());
        assert!(sent("data", &json!({ "name": "a", "base64": "Zm9v", "files": {} })).is_err());
    }

    #[test]
    fn paths_of_a_folder_stay_inside_it() {
        let folder = |path: &str| {
            let (_, sent) = sent("data", &json!({ "name": "up/photos", "files": { path: "Zm9v" } })).ok()?;
            assert_eq!(sent.name, "photos");
            let Content::Folder(files) = sent.content else { panic!("no folder") };
            files.into_keys().next()
        };
        assert_eq!(folder("cat/1.png").unwrap(), ["cat", "1.png"]);
        assert_eq!(folder("train/cat/a b.png").unwrap(), ["train", "cat", "a b.png"]);
        for wrong in
            ["", "/etc/passwd", "../1.png", "cat/../../1.png", "cat//1.png", "cat/", "a\\..\\b", ".x", "a/b/c/d/e"]
        {
            assert_eq!(folder(wrong), None, "{wrong}");
        }
        assert!(sent("data", &json!({ "name": "a", "files": { "b": 3 } })).is_err());
    }
}

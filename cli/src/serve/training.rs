//! Trainings that a page watches: options and files come in as JSON, what happens goes out as server-sent events, and in the
//! end the model and the report with them. Each is a process of its own (see `trainer`), whose events are passed on here; one
//! that breaks takes nothing else along. Files live in a folder of their own as long as the training does; who goes away stops
//! it. No sample is read here.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body::Frame;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::asked::{Asked, wrong};
use super::reply::Reply;
use super::trainer::ORDER;
use super::work::Refusal;
use crate::train::arguments::{Holds, names_of};

/// So many trainings at a time.
const TRAININGS: usize = 2;

/// The trainings under way.
#[derive(Clone, Debug)]
pub struct Trainings {
    turns: Arc<Semaphore>,
    under_way: Arc<Mutex<HashMap<String, Running>>>,
    /// The program of a process with its arguments; the folder comes behind them.
    command: Arc<[OsString]>,
}

/// A training in the list.
#[derive(Debug, Default)]
struct Running {
    /// The process, as soon as there is one.
    process: Option<Child>,
    /// Its standard input: when that ends, the training stops after its step.
    goes_on: Option<ChildStdin>,
    /// Whether it was asked to stop.
    stopped: bool,
    /// Whether nobody waits for it any more.
    given_up: bool,
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
    /// None yet. `command` is a program with arguments that does [`super::trainer::train`] in the folder named behind them.
    pub fn new(command: Vec<OsString>) -> Trainings {
        Trainings { turns: Arc::new(Semaphore::new(TRAININGS)), under_way: Arc::default(), command: command.into() }
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
        self.under_way().insert(id.clone(), Running::default());
        let listed = Listed { trainings: self.clone(), id: id.clone() };
        let (events, receiver) = mpsc::channel(64);
        let trainings = self.clone();
        let own = id.clone();
        let started = std::thread::Builder::new().name("training".to_owned()).spawn(move || {
            let _turn = turn;
            let _listed = listed;
            if let Err(text) = trainings.relayed(&own, order, &events) {
                // Who has gone away is not told.
                let _ = events.blocking_send(event("failed", &json!({ "error": text })));
            }
        });
        if started.is_err() {
            return Err(Reply::refused(StatusCode::SERVICE_UNAVAILABLE, "there is no thread left to train on"));
        }
        let mut response =
            Response::new(Body::new(Events { receiver, _listener: Listener { trainings: self.clone(), id } }));
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
        match self.under_way().get_mut(&id) {
            Some(running) => {
                running.stop();
                Ok(Reply::json(&json!({ "stopped": id })))
            }
            None => Err(Reply::refused(StatusCode::NOT_FOUND, "there is no such training")),
        }
    }

    /// Asks all to stop, and waits a little until their folders are gone; then ends those that go on.
    pub async fn end(&self) {
        self.under_way().values_mut().for_each(Running::stop);
        for attempt in 0..60 {
            if self.under_way().is_empty() {
                return;
            }
            if attempt == 40 {
                self.under_way().values_mut().for_each(Running::kill);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
        // Each entry is whole even where a thread broke.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A training from its files to its last event.
    fn relayed(&self, id: &str, order: Order, events: &mpsc::Sender<Bytes>) -> Result<(), String> {
        let no_folder = |error: io::Error| format!("the files cannot be kept: {error}");
        let folder = Folder::new(id).map_err(no_folder)?;
        order.write(id, folder.path()).map_err(no_folder)?;
        drop(order);
        let answers = self.process(id, folder.path()).map_err(|error| format!("no process trains: {error}"))?;
        let whole = relay(answers, events);
        let (process, given_up) = match self.under_way().get_mut(id) {
            Some(running) => (running.process.take(), running.given_up),
            None => (None, true),
        };
        let Some(mut process) = process else { return Ok(()) };
        if !matches!(whole, Ok(true)) {
            // What cannot be ended has ended.
            let _ = process.kill();
        }
        match process.wait() {
            Ok(status) if status.success() || given_up => Ok(()),
            _ => Err(Refusal::Broken.words()),
        }
    }

    /// The process of a training in the list; what it tells comes out.
    fn process(&self, id: &str, folder: &Path) -> io::Result<ChildStdout> {
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command.args(arguments).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the server, which stops the others.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // The list is held meanwhile: whoever stops or ends a training finds its process.
        let mut under_way = self.under_way();
        let running = under_way.get_mut(id).filter(|running| !running.given_up).ok_or(io::ErrorKind::Interrupted)?;
        let mut process = command.spawn()?;
        running.goes_on = process.stdin.take().filter(|_| !running.stopped);
        let answers = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe);
        running.process = Some(process);
        Ok(answers?)
    }
}

impl Running {
    fn stop(&mut self) {
        self.stopped = true;
        self.goes_on = None;
    }

    fn kill(&mut self) {
        self.stop();
        self.given_up = true;
        if let Some(process) = &mut self.process {
            // One that has ended by itself need not be ended.
            let _ = process.kill();
        }
    }
}

/// Passes whole events on; whether they came to their end, and were not cut short by that of the process or its listener.
fn relay(answers: impl Read, events: &mpsc::Sender<Bytes>) -> io::Result<bool> {
    let mut answers = BufReader::with_capacity(1 << 16, answers);
    let mut event = Vec::new();
    loop {
        let before = event.len();
        if answers.read_until(b'\n', &mut event)? == 0 {
            return Ok(event.is_empty());
        }
        // An empty line ends an event.
        if event[before..] == *b"\n" && events.blocking_send(std::mem::take(&mut event).into()).is_err() {
            return Ok(false);
        }
    }
}

/// The bytes of an event.
fn event(name: &str, value: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {value}\n\n"))
}

/// A training in the list; it leaves the list when its thread ends.
struct Listed {
    trainings: Trainings,
    id: String,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.trainings.under_way().remove(&self.id);
    }
}

/// Who listens; who goes away ends the training.
struct Listener {
    trainings: Trainings,
    id: String,
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(running) = self.trainings.under_way().get_mut(&self.id) {
            running.kill();
        }
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

impl Order {
    /// Writes all files into a folder, and in the one called [`ORDER`] what is to be done with them.
    fn write(&self, id: &str, folder: &Path) -> io::Result<()> {
        let mut arguments = self.options.clone();
        for (option, sent) in &self.files {
            let mut path = folder.join(&sent.name);
            if path.exists() {
                // Two files of one name have folders of their own.
                let own = folder.join(option);
                fs::create_dir(&own)?;
                path = own.join(&sent.name);
            }
            sent.write(&path)?;
            arguments.push(((*option).to_owned(), path.display().to_string()));
        }
        if let Some(program) = &self.program {
            let own = folder.join("program");
            fs::create_dir(&own)?;
            let path = own.join("program.mg");
            fs::write(&path, program)?;
            arguments.push(("model".to_owned(), path.display().to_string()));
        }
        fs::write(folder.join(ORDER), json!({ "id": id, "arguments": arguments }).to_string())
    }
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

/// Events as the body of an answer.
struct Events {
    receiver: mpsc::Receiver<Bytes>,
    _listener: Listener,
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

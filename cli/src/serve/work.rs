//! Work that takes a processor: a question comes in and is handed to a process of its own, no more of them at a time than there
//! are processors, each waited for no longer than a person would. The answer, or why there is none, goes out. A process that
//! takes too long is ended, and its work with it; one that breaks takes nothing else along. The threads that answer
//! connections never do such work.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::asked::Asked;
use super::reply::{HTML, JSON, PLAIN, Reply};
use super::{STACK, program, verdicts};
use crate::failure::Failure;

/// So long a request waits until it is its turn.
const TURN: Duration = Duration::from_secs(10);
/// So many wait at most.
const WAITING: usize = 256;
/// A process whose server is gone ends by itself so long after it should have been ended.
const ORPHANED: Duration = Duration::from_secs(5);
/// The kinds of texts that are answered, by their numbers between processes.
const KINDS: [&str; 3] = [JSON, PLAIN, HTML];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Derivatives.
    Derive,
    /// Checks of them.
    Check,
    /// Code.
    Emit,
    /// Verdicts on a text.
    Verify,
    /// The way from one side to the other.
    Explain,
}

impl Route {
    const ALL: [Route; 5] = [Route::Derive, Route::Check, Route::Emit, Route::Verify, Route::Explain];

    /// The answer to a body.
    fn answer(self, body: &[u8]) -> Reply {
        match Asked::of_bytes(body) {
            Err(reply) => reply,
            Ok(asked) => match self {
                Route::Derive => done(program::derive(&asked)),
                Route::Check => done(program::check(&asked)),
                Route::Emit => done(program::code(&asked)),
                Route::Verify => done(verdicts::verify(&asked)),
                Route::Explain => done(verdicts::explain(&asked)),
            },
        }
    }
}

fn done(job: Result<impl FnOnce() -> Reply, Reply>) -> Reply {
    job.map_or_else(|reply| reply, |job| job())
}

/// Why nothing came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Others came first.
    Busy,
    /// It takes longer than this.
    TooLong(Duration),
    /// There is a mistake in matgrad.
    Broken,
}

impl Refusal {
    /// A sentence for the client.
    pub fn words(self) -> String {
        match self {
            Refusal::Busy => "the server is busy: try again in a moment".to_owned(),
            Refusal::TooLong(time) => {
                let advice = "ask for less, or use the command line, which takes all the time it needs";
                let seconds = time.as_secs_f64();
                let unit = if seconds == 1.0 { "second" } else { "seconds" };
                format!("this takes longer than {seconds} {unit}: {advice}")
            }
            Refusal::Broken => "matgrad has a mistake that this brought to light; nothing else is touched".to_owned(),
        }
    }
}

/// Whose turn it is, and the processes that wait for one.
#[derive(Clone, Debug)]
pub struct Work {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    time: Duration,
    idle: Arc<Mutex<Vec<Worker>>>,
    /// The program of a process with its arguments.
    command: Arc<[OsString]>,
}

/// A process with its ends of two pipes.
#[derive(Debug)]
struct Worker {
    process: Child,
    questions: ChildStdin,
    answers: ChildStdout,
}

/// A process while it works, where whoever waits for it finds it.
#[derive(Debug, Default)]
struct Slot {
    process: Option<Child>,
    given_up: bool,
}

/// Ends the process of a slot that still works when nobody waits any more.
struct Waits(Arc<Mutex<Slot>>);

impl Drop for Waits {
    fn drop(&mut self) {
        let mut slot = locked(&self.0);
        slot.given_up = true;
        if let Some(process) = &mut slot.process {
            // One that has ended by itself need not be ended.
            let _ = process.kill();
        }
    }
}

/// One that waits for its turn; it counts as long as it is there.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Nothing that these locks hold is half changed where a thread broke.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// For this many at a time, each of so much time. `command` is a program with arguments that does [`worker`].
    pub fn new(at_a_time: usize, time: Duration, command: Vec<OsString>) -> Work {
        Work {
            turns: Arc::new(Semaphore::new(at_a_time)),
            waiting: Arc::new(AtomicUsize::new(0)),
            time,
            idle: Arc::default(),
            command: command.into(),
        }
    }

    /// The answer of a process to a body, when it is its turn. Where it takes too long, the process is ended.
    pub async fn run(&self, route: Route, body: Vec<u8>) -> Result<Reply, Refusal> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= WAITING {
            return Err(Refusal::Busy);
        }
        let turn = timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Refusal::Busy) };
        drop(waiting);
        let work = self.clone();
        // A task of its own: a client that goes away, as while somebody types, leaves the process to its few milliseconds.
        let waited = tokio::spawn(async move {
            let slot = Arc::new(Mutex::new(Slot::default()));
            let waits = Waits(Arc::clone(&slot));
            let time = work.time;
            let working = spawn_blocking(move || {
                let _turn = turn;
                work.answered(route, &body, &slot)
            });
            let answer = timeout(time, working).await;
            drop(waits);
            match answer {
                Err(_) => Err(Refusal::TooLong(time)),
                Ok(Ok(Ok(reply))) => Ok(reply),
                Ok(_) => Err(Refusal::Broken),
            }
        });
        waited.await.unwrap_or(Err(Refusal::Broken))
    }

    /// Hands a question to a process that is idle or new, and waits for its answer, or for its end.
    fn answered(&self, route: Route, body: &[u8], slot: &Mutex<Slot>) -> io::Result<Reply> {
        let idle = locked(&self.idle).pop();
        let mut question = vec![Route::ALL.iter().position(|known| *known == route).unwrap_or_default() as u8];
        question.extend_from_slice(&(body.len() as u32).to_le_bytes());
        question.extend_from_slice(body);
        let Some(worker) = idle else { return self.asked(self.new_worker()?, &question, slot) };
        match self.asked(worker, &question, slot) {
            // It may have ended since its last answer.
            Err(_) if !locked(slot).given_up => self.asked(self.new_worker()?, &question, slot),
            reply => reply,
        }
    }

    /// Asks one process, which is idle again when it has answered.
    fn asked(&self, worker: Worker, question: &[u8], slot: &Mutex<Slot>) -> io::Result<Reply> {
        let (mut questions, mut answers) = put(worker, slot);
        let reply = questions.write_all(question).and_then(|()| read_reply(&mut answers));
        let mut held = locked(slot);
        match (reply, held.process.take(), held.given_up) {
            (Ok(reply), Some(process), false) => {
                drop(held);
                locked(&self.idle).push(Worker { process, questions, answers });
                Ok(reply)
            }
            (reply, process, _) => {
                drop(held);
                if let Some(mut process) = process {
                    // What cannot be ended has ended; waiting for it takes it from the system's list.
                    let _ = process.kill();
                    let _ = process.wait();
                }
                reply
            }
        }
    }

    fn new_worker(&self) -> io::Result<Worker> {
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the server, which ends the others.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(questions), Some(answers)) => Ok(Worker { process, questions, answers }),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Leaves the process where it can be ended; the pipes stay here.
fn put(worker: Worker, slot: &Mutex<Slot>) -> (ChildStdin, ChildStdout) {
    let Worker { mut process, questions, answers } = worker;
    let mut slot = locked(slot);
    if slot.given_up {
        let _ = process.kill();
    }
    slot.process = Some(process);
    (questions, answers)
}

fn read_reply(answers: &mut impl Read) -> io::Result<Reply> {
    let mut head = [0; 7];
    answers.read_exact(&mut head)?;
    let [status @ .., _, _, _, _, _] = head;
    let [.., a, b, c, d] = head;
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let status = StatusCode::from_u16(u16::from_le_bytes(status)).map_err(|_| broken())?;
    let kind = KINDS.get(usize::from(head[2])).copied().ok_or_else(broken)?;
    let text = String::from_utf8(read_exactly(answers, u32::from_le_bytes([a, b, c, d]))?).map_err(|_| broken())?;
    Ok(Reply { status, kind, text })
}

fn read_exactly(from: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The life of a process: questions come from standard input and answers go to standard output until the server is gone.
///
/// # Errors
/// Where there is no thread to work on.
pub fn worker(time: Duration) -> Result<(), Failure> {
    let (begun, ended) = channel();
    std::thread::spawn(move || watch(&ended, time + ORPHANED));
    // Deep programs are walked with stacks of their own; this is for the rest.
    let working = std::thread::Builder::new().stack_size(STACK).spawn(move || serve(&begun));
    let working = working.map_err(|error| Failure::wrong(format!("there is no thread to work on: {error}")))?;
    match working.join() {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::wrong("the work broke")),
    }
}

/// Answers until a pipe breaks.
fn serve(begun: &Sender<bool>) -> io::Result<()> {
    let (mut questions, mut answers) = (io::stdin().lock(), io::stdout().lock());
    loop {
        let mut head = [0; 5];
        questions.read_exact(&mut head)?;
        let [route, length @ ..] = head;
        let body = read_exactly(&mut questions, u32::from_le_bytes(length))?;
        let route = Route::ALL.get(usize::from(route)).copied().ok_or(io::ErrorKind::InvalidData)?;
        // The watcher lives as long as the process.
        let _ = begun.send(true);
        let Reply { status, kind, text } = route.answer(&body);
        let _ = begun.send(false);
        let kind = KINDS.iter().position(|known| *known == kind).unwrap_or_default() as u8;
        answers.write_all(&status.as_u16().to_le_bytes())?;
        answers.write_all(&[kind])?;
        answers.write_all(&(text.len() as u32).to_le_bytes())?;
        answers.write_all(text.as_bytes())?;
        answers.flush()?;
    }
}

/// Ends the process where work takes longer than any server waits: nobody is left to end it.
fn watch(begun: &Receiver<bool>, longest: Duration) {
    while let Ok(working) = begun.recv() {
        if working && begun.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
            std::process::exit(i32::from(crate::failure::WRONG_INPUT));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use axum::http::StatusCode;

    use super::{Refusal, Reply, Route, WAITING, Work, read_reply};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// Workers that a shell stands for.
    fn work(at_a_time: usize, time: Duration, script: &str) -> Work {
        Work::new(at_a_time, time, ["sh", "-c", script].map(Into::into).to_vec())
    }

    /// Long enough for a busy machine.
    const AMPLE: Duration = Duration::from_secs(30);

    /// Answers each question, of five bytes and no body, with `ok`.
    const ANSWERS: &str =
        r#"while [ -n "$(head -c 5 | tr '\000' 0)" ]; do printf '\310\000\000\002\000\000\000ok'; done"#;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let reply = read_reply(&mut b"\xc8\x00\x01\x03\x00\x00\x00abcd".as_slice()).unwrap();
        assert_eq!((reply.status, reply.kind, reply.text.as_str()), (StatusCode::OK, super::PLAIN, "abc"));
        for broken in [
            &b"\xc8\x00\x01\x03\x00\x00\x00ab"[..],
            b"\xc8\x00\x07\x00\x00\x00\x00",
            b"\x01\x00\x00\x00\x00\x00\x00",
            b"",
        ] {
            assert!(read_reply(&mut &broken[..]).is_err(), "{broken:?}");
        }
        let Reply { status, text, .. } = Route::Derive.answer(b"{\"program\": \"f = x'*x; grad f wrt x\"}");
        assert!(status == StatusCode::OK && text.contains("2*x"), "{text}");
        assert_eq!(Route::Explain.answer(b"{").status, StatusCode::BAD_REQUEST);
    }

    #[cfg(unix)]
    #[test]
    fn a_process_answers_again_and_again_and_one_that_ended_is_replaced() {
        let work = work(2, AMPLE, ANSWERS);
        runtime().block_on(async {
            for _ in 0..3 {
                assert_eq!(work.run(Route::Derive, Vec::new()).await.unwrap().text, "ok");
                assert_eq!(super::locked(&work.idle).len(), 1);
            }
            let process = super::locked(&work.idle)[0].process.id();
            super::locked(&work.idle)[0].process.kill().unwrap();
            super::locked(&work.idle)[0].process.wait().unwrap();
            assert_eq!(work.run(Route::Derive, Vec::new()).await.unwrap().text, "ok");
            assert_ne!(super::locked(&work.idle)[0].process.id(), process);
            assert_eq!(work.waiting.load(Ordering::SeqCst), 0);
            work.waiting.store(WAITING, Ordering::SeqCst);
            assert_eq!(work.run(Route::Derive, Vec::new()).await.unwrap_err(), Refusal::Busy);
        });
    }

    #[cfg(unix)]
    #[test]
    fn what_takes_too_long_is_ended_and_gives_its_place_back() {
        let work = work(1, Duration::from_millis(400), "exec sleep 60");
        runtime().block_on(async {
            let start = Instant::now();
            let slow = work.run(Route::Check, Vec::new()).await;
            assert_eq!(slow.unwrap_err(), Refusal::TooLong(Duration::from_millis(400)));
            // The place is free as soon as the process is gone, long before it would have ended by itself.
            let turn = tokio::time::timeout(Duration::from_secs(20), work.turns.acquire()).await;
            assert!(turn.is_ok() && start.elapsed() < Duration::from_secs(30));
            assert!(super::locked(&work.idle).is_empty());
        });
    }

    #[cfg(unix)]
    #[test]
    fn what_breaks_takes_nothing_along() {
        let work = work(1, AMPLE, "head -c 5 > /dev/null; exit 3");
        runtime().block_on(async {
            for _ in 0..2 {
                assert_eq!(work.run(Route::Emit, Vec::new()).await.unwrap_err(), Refusal::Broken);
            }
            assert_eq!(work.turns.available_permits(), 1);
        });
        let none = Work::new(1, Duration::from_secs(1), vec!["/no/such/program".into()]);
        assert_eq!(runtime().block_on(none.run(Route::Emit, Vec::new())).unwrap_err(), Refusal::Broken);
    }
}

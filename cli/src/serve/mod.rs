//! `matgrad serve`: the page in the browser, and the same answers as JSON. Arguments come in; a server listens until it is told
//! to stop. Its rooms: `connections` (who is connected), `guard` (who may ask), `asked` (what), `work` (by which process, and when),
//! `program` and `verdicts` (the answers), `training` (trainings, each a process that does `trainer`), `page` (for the page's script), `assets` and `gallery` (its files),
//! `export` (a gallery without a server). Nothing is kept between requests but the trainings under way.

mod asked;
mod assets;
mod connections;
mod export;
mod gallery;
mod guard;
mod page;
mod program;
mod reply;
mod trainer;
mod training;
mod verdicts;
mod work;

use std::ffi::OsString;
use std::io;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::net::TcpListener;

use crate::failure::{Failure, reason};
use crate::output;
use asked::Asked;
use reply::Reply;
use training::Trainings;
use work::{Refusal, Route, Work};

pub use export::{command as export_command, run as export};

/// A request that holds a program is no longer.
const PROGRAM: usize = 256 << 10;
/// One that holds a document.
const DOCUMENT: usize = 1 << 20;
/// One that holds samples.
const SAMPLES: usize = 64 << 20;
/// The stack of a thread that works: deep programs are walked with stacks of their own, so this is ample.
const STACK: usize = 32 << 20;

/// `matgrad serve`.
pub fn command() -> Command {
    Command::new("serve")
        .about("The page in the browser: derive, check, verify and train as one types")
        .after_help(
            "The page asks nothing of any other server and keeps nothing. The same answers are there as JSON at /api/.\n\
             Ctrl-C ends it.\n\n\
             Examples:\n  \
             matgrad serve --open\n  \
             matgrad serve --port 8000\n  \
             curl http://127.0.0.1:7878/api/derive -H 'Content-Type: application/json' \\\n       \
             -d '{\"program\": \"f = x'\"'\"'*A*x; grad f wrt x\"}'",
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("NUMBER")
                .value_parser(value_parser!(u16))
                .default_value("7878")
                .help("The port; 0 takes one that is free"),
        )
        .arg(
            Arg::new("host")
                .long("host")
                .value_name("HOST")
                .default_value("127.0.0.1")
                .help("The address to listen at; any other than this machine's own lets others in"),
        )
        .arg(
            Arg::new("time")
                .long("time")
                .value_name("SECONDS")
                .value_parser(seconds)
                .default_value("10")
                .help("How long an answer may take; then its work is ended"),
        )
        .arg(Arg::new("open").long("open").action(ArgAction::SetTrue).help("Opens the page in the browser"))
}

/// Seconds, from a thousandth to a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (1e-3..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "it is a number of seconds from 0.001 to 86400".to_owned())
}

/// The program that works for a server: this one, which on Linux is found even where its file was replaced.
fn own_program() -> Result<OsString, Failure> {
    let kept = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && kept.exists() {
        return Ok(kept.into());
    }
    let found = std::env::current_exe();
    found.map(Into::into).map_err(|error| Failure::wrong(format!("the program does not find itself: {error}")))
}

/// What the answers are made with.
#[derive(Clone)]
struct Server {
    work: Work,
    trainings: Trainings,
}

/// The first words of what a server starts of itself: no commands, so that no help and no completion knows them.
const ANSWERS: &str = "@answers";
const TRAINING: &str = "@training";

/// What the process of a server does, where the arguments are those of one: `@answers SECONDS` or `@training FOLDER`.
pub fn process(mut arguments: impl Iterator<Item = OsString>) -> Option<Result<(), Failure>> {
    match (arguments.next()?.to_str()?, arguments.next()?, arguments.next()) {
        (ANSWERS, time, None) => Some(work::worker(seconds(time.to_str()?).ok()?)),
        (TRAINING, folder, None) => Some(trainer::train(Path::new(&folder))),
        _ => None,
    }
}

/// Listens until Ctrl-C.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let time = matches.get_one::<Duration>("time").copied().unwrap_or(Duration::from_secs(10));
    let own = own_program()?;
    let answers = vec![own.clone(), ANSWERS.into(), time.as_secs_f64().to_string().into()];
    let trainings = Trainings::new(vec![own, TRAINING.into()]);
    let host = matches.get_one::<String>("host").map_or("127.0.0.1", String::as_str);
    let port = matches.get_one::<u16>("port").copied().unwrap_or(7878);
    let cannot = |error: &io::Error| {
        let what = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; choose another --port, or 0 for one that is free".to_owned()
            }
            _ => reason(error),
        };
        Failure { code: crate::failure::FILE, text: format!("error: cannot listen at {host}, port {port}: {what}\n") }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| cannot(&error))?;
    let served = runtime.block_on(async {
        let listener = listener(host, port).await.map_err(|error| cannot(&error))?;
        let address = listener.local_addr().map_err(|error| cannot(&error))?;
        let stop = stop_asked().map_err(|error| Failure::wrong(format!("cannot listen to Ctrl-C: {error}")))?;
        let own = if address.ip().is_loopback() { "127.0.0.1".to_owned() } else { host.to_owned() };
        let named = match address.ip() {
            ip if ip.is_loopback() && ip.is_ipv6() => "[::1]".to_owned(),
            _ if own.contains(':') => format!("[{own}]"),
            _ => own,
        };
        let url = format!("http://{named}:{}/", address.port());
        output::result(&format!("{url}\n"), None)?;
        if !address.ip().is_loopback() {
            output::message("note: this address is open to others; nothing asks them who they are\n");
        }
        output::message("Ctrl-C ends it.\n");
        if matches.get_flag("open") {
            open(&url);
        }
        let at_a_time = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
        let server = Server { work: Work::new(at_a_time, time, answers), trainings: trainings.clone() };
        connections::answer(listener, router(host, server), async {
            stop.await;
            trainings.end().await;
        })
        .await;
        Ok(())
    });
    // Work that nobody waits for any more is not waited for.
    runtime.shutdown_background();
    served
}

async fn listener(host: &str, port: u16) -> io::Result<TcpListener> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (name, port).to_socket_addrs()? {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Ends when the program is asked to stop.
fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        Ok(std::future::poll_fn(move |context| {
            match interrupted.poll_recv(context).is_ready() || terminated.poll_recv(context).is_ready() {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        }))
    }
    #[cfg(not(unix))]
    Ok(async {
        // Where nothing can be listened to, the process is ended from outside.
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Opens an address with what the desktop has for it.
fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(target_os = "windows") {
        ("cmd", &["/C", "start"])
    } else {
        ("xdg-open", &[])
    };
    let quiet = || std::process::Stdio::null();
    let started = std::process::Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn();
    if started.is_err() {
        output::message(&format!("note: no browser was found; open {url} yourself\n"));
    }
}

fn router(host: &str, server: Server) -> Router {
    let own = guard::Own(Arc::from(host));
    Router::new()
        .route("/api/words", get(words))
        .route("/api/derive", post(derive))
        .route("/api/check", post(check))
        .route("/api/emit", post(emit))
        .route("/api/verify", post(verify))
        .route("/api/explain", post(explain))
        .route("/api/train", post(train))
        .route("/api/train/stop", post(stop))
        .fallback(file)
        .method_not_allowed_fallback(other_method)
        .with_state(server)
        .layer(from_fn_with_state(own, guard::guarded))
}

async fn words(request: Request) -> Response {
    assets::words(request.headers())
}

async fn file(method: Method, uri: Uri, request: Request) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return other_method().await.into_response();
    }
    let path = if uri.path() == "/api" { "/api/" } else { uri.path() };
    match assets::ASSETS.iter().find(|asset| asset.path == path) {
        Some(asset) => assets::answer(asset, request.headers()),
        None => {
            Reply::refused(StatusCode::NOT_FOUND, "there is nothing at this address; what there is stands at /api/")
                .into()
        }
    }
}

async fn other_method() -> Reply {
    Reply::refused(StatusCode::METHOD_NOT_ALLOWED, "files are read with GET; questions are asked with POST")
}

/// Answers a question whose answer takes a processor.
async fn answered(server: &Server, request: Request, limit: usize, route: Route) -> Reply {
    match asked::body(request, limit).await {
        Ok(body) => server.work.run(route, body).await.unwrap_or_else(Reply::from),
        Err(reply) => reply,
    }
}

async fn derive(State(server): State<Server>, request: Request) -> Reply {
    answered(&server, request, PROGRAM, Route::Derive).await
}

async fn check(State(server): State<Server>, request: Request) -> Reply {
    answered(&server, request, PROGRAM, Route::Check).await
}

async fn emit(State(server): State<Server>, request: Request) -> Reply {
    answered(&server, request, PROGRAM, Route::Emit).await
}

async fn verify(State(server): State<Server>, request: Request) -> Reply {
    answered(&server, request, DOCUMENT, Route::Verify).await
}

async fn explain(State(server): State<Server>, request: Request) -> Reply {
    answered(&server, request, DOCUMENT, Route::Explain).await
}

async fn train(State(server): State<Server>, request: Request) -> Response {
    let turn = match server.trainings.turn() {
        Ok(turn) => turn,
        Err(reply) => return reply.into(),
    };
    let body = match asked::body(request, SAMPLES).await {
        Ok(body) => body,
        Err(reply) => return reply.into(),
    };
    // Many bytes take a while to read, and others are answered meanwhile.
    let started = tokio::task::spawn_blocking(move || server.trainings.start(&Asked::of_bytes(&body)?, turn));
    started.await.unwrap_or_else(|_| Err(Refusal::Broken.into())).unwrap_or_else(Response::from)
}

async fn stop(State(server): State<Server>, request: Request) -> Reply {
    let stopped = Asked::of(request, PROGRAM).await.and_then(|asked| server.trainings.stop(&asked));
    stopped.unwrap_or_else(|reply| reply)
}

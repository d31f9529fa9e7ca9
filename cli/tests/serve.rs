//! The server as a client sees it: the same answers as the command line's, mistakes with their places, limits, who may ask,
//! trainings as events, a clean end; and the gallery as files.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const MATGRAD: &str = env!("CARGO_BIN_EXE_matgrad");
const NETWORK: &str = include_str!("../../examples/two_layer_mlp.mg");

/// A server of this test's own.
struct Server {
    child: Child,
    address: String,
    files: PathBuf,
}

impl Server {
    fn start(name: &str) -> Server {
        Server::start_with(name, &[])
    }

    fn start_with(name: &str, more: &[&str]) -> Server {
        let files = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("serve-{name}"));
        let _ = std::fs::remove_dir_all(&files);
        std::fs::create_dir_all(&files).unwrap();
        let mut child = Command::new(MATGRAD)
            .args(["serve", "--port", "0"])
            .args(more)
            .env("TMPDIR", &files)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        Server { child, address, files }
    }

    /// A request as it stands; the answer as it comes.
    fn send(&self, text: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that refuses early closes while this is still sent.
        let _ = stream.write_all(text.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string())
    }

    fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(MATGRAD).args(arguments).output().unwrap()
}

fn shown(arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn answers_are_those_of_the_command_line() {
    let server = Server::start("answers");
    let path = server.files.join("program.mg");
    std::fs::write(&path, NETWORK).unwrap();
    let path = path.to_str().unwrap();
    for format in ["json", "text", "unicode", "latex", "markdown", "html"] {
        for steps in ["none", "brief", "full"] {
            let answer = server.post("/api/derive", &json!({ "program": NETWORK, "format": format, "steps": steps }));
            assert_eq!(answer.status, 200);
            let expected = shown(&["derive", path, "--format", format, "--steps", steps]);
            assert_eq!(answer.body.trim_end(), expected.trim_end(), "{format} {steps}");
        }
    }
    for target in ["numpy", "torch", "rust", "c"] {
        let answer = server.post("/api/emit", &json!({ "program": NETWORK, "target": target, "name": "program" }));
        assert_eq!(answer.body.trim_end(), shown(&["emit", path, "--target", target]).trim_end(), "{target}");
    }
    let claim = "A : matrix(m, n)\nB : matrix(m, n)\nclaim tr(A'*B) = tr(B'*A)\n";
    let file = server.files.join("text");
    std::fs::write(&file, claim).unwrap();
    for format in ["json", "text", "sarif"] {
        let answer = server.post("/api/verify", &json!({ "text": claim, "kind": "program", "format": format }));
        let expected = shown(&["verify", file.to_str().unwrap(), "--format", format]);
        let expected = expected.replace(file.to_str().unwrap(), "text");
        assert_eq!(answer.body.trim_end(), expected.trim_end(), "{format}");
    }
    let equation = "A : matrix(m, n); B : matrix(m, n); tr(A'*B) = tr(B'*A)";
    let answer = server.post("/api/explain", &json!({ "equation": equation }));
    assert_eq!(answer.body.trim_end(), shown(&["explain", equation]).trim_end());
}

#[test]
fn a_check_tells_each_result() {
    let server = Server::start("check");
    let report = server.post("/api/check", &json!({ "program": NETWORK })).json();
    assert_eq!(report["ok"], true);
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    assert!(results.iter().all(|result| result["verdict"] == "ok" && result["points"] == 3 && result["exact"] == true));
    assert_eq!(results[0]["title"], "gradient of L wrt W1");
}

#[test]
fn the_page_has_its_sections_and_its_graph() {
    let server = Server::start("page");
    let page = server.post("/api/derive", &json!({ "program": NETWORK, "format": "page" })).json();
    let request = &page["requests"][0];
    assert_eq!(request["spoken"], "Gradients of L with respect to W₁, b₁, W₂ and b₂");
    assert_eq!(request["results"].as_str().unwrap().matches("class=\"left asked\"").count(), 4);
    assert!(request["derivation"].as_str().unwrap().contains("class=\"rule\""));
    assert!(page["given"].as_str().unwrap().contains("one-hot rows"));
    let names: Vec<&str> =
        page["graph"]["nodes"].as_array().unwrap().iter().filter_map(|node| node["name"].as_str()).collect();
    assert!(names.contains(&"G_Z₁") && names.contains(&"∂L/∂W₂"), "{names:?}");
    let words = server.get("/api/words").json();
    assert!(words["functions"].as_array().unwrap().iter().any(|function| function["name"] == "softmax"));
    assert!(words["examples"].as_array().unwrap().len() > 20);
}

#[test]
fn mistakes_have_their_places_and_the_words_of_the_command_line() {
    let server = Server::start("mistakes");
    let program = "λ : scalar\nX : matrix(m, n)\nf = λ*tr(X)\ngrad f wrt X";
    let answer = server.post("/api/derive", &json!({ "program": program }));
    assert_eq!(answer.status, 422);
    let told = answer.json();
    let place = &told["errors"][0]["place"];
    assert_eq!((place["line"].as_u64(), place["column"].as_u64()), (Some(3), Some(7)));
    // UTF-16 units, not bytes.
    assert_eq!(place["start"].as_u64(), Some(34));
    let file = server.files.join("program");
    std::fs::write(&file, program).unwrap();
    let output = matgrad(&["derive", file.to_str().unwrap()]);
    let expected = String::from_utf8(output.stderr).unwrap().replace(file.to_str().unwrap(), "program");
    assert_eq!(told["error"].as_str(), Some(expected.as_str()));
    let inside = server.post("/api/derive", &json!({ "program": program, "errors": "inside" }));
    assert_eq!((inside.status, inside.json()), (200, told));
}

#[test]
fn what_is_too_large_or_no_question_is_refused_in_a_sentence() {
    let server = Server::start("limits");
    let deep = format!("f = sum({}X{})\ngrad f wrt X", "(".repeat(10_000), ")".repeat(10_000));
    let wide = format!("x : vector(n)\nf = {}0\ngrad f wrt x", "sum(x) + ".repeat(6_000));
    let many = format!("f = x'*x\n{}", "grad f wrt x\n".repeat(101));
    let emit = |target: &str| json!({ "program": "f = x'*x; grad f wrt x", "target": target });
    for (path, body, status, words) in [
        ("/api/derive", json!({ "program": deep }).to_string(), 422, "nested too deeply"),
        ("/api/derive", json!({ "program": wide }).to_string(), 422, "names and operations"),
        ("/api/derive", json!({ "program": many }).to_string(), 422, "more than 100 derivatives"),
        ("/api/derive", json!({ "program": "#".repeat(70_000) }).to_string(), 422, "larger than 64 kB"),
        ("/api/derive", json!({ "program": "#".repeat(1_000_000) }).to_string(), 413, "larger than 256 kB"),
        (
            "/api/derive",
            json!({ "program": "x", "steps": "most" }).to_string(),
            400,
            "`steps` is one of full, none, brief",
        ),
        ("/api/derive", json!({ "program": "x", "colour": 1 }).to_string(), 400, "nothing is called `colour` here"),
        ("/api/derive", "{".to_owned(), 400, "no JSON"),
        ("/api/derive", "[".repeat(9_999), 400, "no JSON"),
        ("/api/derive", json!({}).to_string(), 400, "`program` is missing"),
        ("/api/emit", emit("cobol").to_string(), 400, "`target` is one of numpy"),
        ("/api/emit", emit("stablehlo").to_string(), 422, "needs a number"),
        ("/api/train", json!({ "options": { "data": "/etc/passwd" } }).to_string(), 400, "nothing is called `data`"),
        ("/api/train", json!({ "options": { "save": "/tmp/x" } }).to_string(), 400, "nothing is called `save`"),
        ("/api/train/stop", json!({ "id": "x" }).to_string(), 404, "no such training"),
    ] {
        let answer = server.post_text(path, &body);
        assert_eq!(answer.status, status, "{path} {}: {}", &body[..body.len().min(60)], answer.body);
        let told = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(server.get("/api/derive").status, 405);
    assert_eq!(server.get("/nothing").status, 404);
    for path in ["/../Cargo.toml", "/%2e%2e/etc/passwd", "/etc/passwd", "//etc/passwd"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn pages_of_others_ask_in_vain_and_answers_keep_scripts_out() {
    let server = Server::start("guard");
    let address = server.address.clone();
    let page = server.get("/");
    assert_eq!(page.status, 200);
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "x-content-type-options: nosniff",
        "frame-ancestors 'none'",
    ] {
        assert!(page.head.contains(header), "{}", page.head);
    }
    assert!(!page.head.contains("unsafe"));
    let asked = |host: &str, more: &str| {
        server.send(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n")).status
    };
    assert_eq!(asked("evil.example", ""), 403);
    assert_eq!(asked("localhost:9", ""), 200);
    assert_eq!(asked(&address, "Origin: http://evil.example\r\n"), 403);
    assert_eq!(asked(&address, &format!("Origin: http://{address}\r\n")), 200);
    assert_eq!(asked(&address, "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"), 403);
    let form = server.send(&format!(
        "POST /api/derive HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{{}}"
    ));
    assert_eq!(form.status, 415);
    let tag = page.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    let again =
        server.send(&format!("GET / HTTP/1.1\r\nHost: {address}\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n"));
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let small = server.send(&format!(
        "HEAD /main.js HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: br, gzip\r\nConnection: close\r\n\r\n"
    ));
    assert!(small.head.contains("content-encoding: gzip"), "{}", small.head);
}

#[test]
fn a_training_is_told_as_it_goes_and_leaves_nothing_behind() {
    let server = Server::start("training");
    let mut table = "a,b,kind\n".to_owned();
    for i in 0..200 {
        table.push_str(&format!("{}.5,{},{}\n", i % 7, i % 3, if i % 7 > 3 { "high" } else { "low" }));
    }
    let base64 = matgrad::render::base64(table.as_bytes());
    let answer = server.post(
        "/api/train",
        &json!({ "options": { "epochs": 3, "hidden": "5" }, "files": { "data": { "name": "table.csv", "base64": base64 } } }),
    );
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("text/event-stream"));
    let count = |event: &str| answer.body.matches(&format!("event: {event}\n")).count();
    let counts = ["started", "epoch", "finished", "model", "report", "failed"].map(count);
    assert_eq!(counts, [1, 3, 1, 1, 1, 0], "{}", answer.body);
    assert!(answer.body.contains("\"name\":\"table.csv\"") && answer.body.contains("\"classes\":[\"high\",\"low\"]"));
    assert!(!answer.body.contains(server.files.to_str().unwrap()), "a path of the machine is told");
    assert_eq!(std::fs::read_dir(&server.files).unwrap().count(), 0, "files are left");
    let broken =
        server.post("/api/train", &json!({ "files": { "data": { "name": "table.csv", "base64": "YSxiCjEK" } } }));
    assert!(
        broken.body.contains("event: failed\n") && !broken.body.contains(server.files.to_str().unwrap()),
        "{}",
        broken.body
    );
    assert_eq!(std::fs::read_dir(&server.files).unwrap().count(), 0, "files are left");
}

/// A grey PNG image of base 64.
fn image(pixels: &[u8], width: u32) -> String {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, pixels.len() as u32 / width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    matgrad::render::base64(&bytes)
}

#[test]
fn a_folder_of_images_is_trained_on() {
    let server = Server::start("folder");
    let mut files = serde_json::Map::new();
    for i in 0..30_u8 {
        let (mut left, mut right) = ([10 + i, 250, 10, 250 - i, 0, 200], [200, 20, 240 - i, 10, 255, i]);
        left[4] = i;
        right[4] = 255 - i;
        files.insert(format!("left/{i}.png"), image(&left, 2).into());
        files.insert(format!("right/{i}.png"), image(&right, 2).into());
    }
    let train = |files: &serde_json::Map<String, Value>| {
        let folder = json!({ "data": { "name": "photos", "files": files } });
        server.post("/api/train", &json!({ "options": { "epochs": 5, "hidden": 4 }, "files": folder }))
    };
    let answer = train(&files);
    assert!(
        answer.body.contains("event: finished\n") && answer.body.contains("\"name\":\"photos\""),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("\"classes\":[\"left\",\"right\"]") && answer.body.contains("event: weights\n"));
    assert!(!answer.body.contains(server.files.to_str().unwrap()), "a path of the machine is told");
    files.insert("right/last.png".to_owned(), image(&[1, 2, 3], 1).into());
    let told = train(&files).body;
    let why =
        "event: failed\ndata: {\"error\":\"`photos/right/last.png` has 3×1 pixels, but `photos/left/0.png` has 3×2";
    assert!(told.contains(why), "{told}");
    files.insert("../../etc/cron.d/x".to_owned(), "YQ==".into());
    let told = train(&files);
    assert_eq!(told.status, 400);
    assert!(told.body.contains("`data` has no file of a folder at `../../etc/cron.d/x`"), "{}", told.body);
    assert_eq!(std::fs::read_dir(&server.files).unwrap().count(), 0, "files are left");
}

/// Starts a training that goes on for long, and reads the name by which it is stopped.
fn long_training(server: &Server) -> (BufReader<TcpStream>, String) {
    let body = json!({ "options": { "epochs": 1_000_000, "hidden": 8 } }).to_string();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    write!(
        stream,
        "POST /api/train HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("data: ") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the training did not start");
    }
    let started: Value = serde_json::from_str(line["data: ".len()..].trim()).unwrap();
    (reader, started["id"].as_str().unwrap().to_owned())
}

#[test]
fn trainings_are_few_are_stopped_and_end_with_their_listener_or_the_server() {
    let mut server = Server::start("stop");
    let (mut first, id) = long_training(&server);
    let (second, _) = long_training(&server);
    let third = server.post("/api/train", &json!({}));
    assert_eq!(third.status, 503);
    assert!(third.head.contains("retry-after") && third.body.contains("2 trainings are under way"), "{}", third.body);
    assert_eq!(server.post("/api/train/stop", &json!({ "id": id })).status, 200);
    let mut rest = String::new();
    first.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("event: finished") && rest.contains("\"interrupted\":true") && rest.contains("event: model"));
    // Whoever goes away stops the training, and its place is free.
    drop(second);
    let start = Instant::now();
    let (_third, _) = loop {
        let probe = server.post("/api/train", &json!({ "options": { "epochs": 1, "hidden": 2 } }));
        if probe.status == 200 && std::fs::read_dir(&server.files).unwrap().count() == 0 {
            break long_training(&server);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "the place is not given back");
        std::thread::sleep(Duration::from_millis(50));
    };
    let kill = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let start = Instant::now();
    let status = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "the server does not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    assert_eq!(std::fs::read_dir(&server.files).unwrap().count(), 0, "files are left");
}

/// The processes that a process has started, and are there.
#[cfg(target_os = "linux")]
fn children(of: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<u32>>()).collect()
}

/// Waits for what must come soon.
#[cfg(target_os = "linux")]
fn soon(what: &str, there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_training_that_breaks_takes_nothing_along_and_none_outlives_its_server() {
    let mut server = Server::start("broken");
    let kill = |id: u32| assert!(Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
    let empty = |server: &Server| std::fs::read_dir(&server.files).unwrap().count() == 0;
    let (mut training, _) = long_training(&server);
    let process = children(server.child.id());
    assert_eq!(process.len(), 1, "{process:?}");
    kill(process[0]);
    let mut rest = String::new();
    training.read_to_string(&mut rest).unwrap();
    let told = "event: failed\ndata: {\"error\":\"matgrad has a mistake that this brought to light; nothing else is touched\"}\n\n";
    assert!(rest.contains(told), "{}", &rest[rest.len().saturating_sub(300)..]);
    assert!(server.post("/api/derive", &json!({ "program": "f = x'*x; grad f wrt x" })).body.contains("2*x"));
    soon("files are left", || empty(&server));
    // Who goes away ends the process at once; a server that is killed leaves none, and no file.
    let (second, _) = long_training(&server);
    let trains = |id: &u32| {
        std::fs::read(format!("/proc/{id}/cmdline"))
            .is_ok_and(|words| words.windows(9).any(|word| word == b"@training"))
    };
    assert!(children(server.child.id()).iter().any(trains));
    drop(second);
    soon("the training goes on", || !children(server.child.id()).iter().any(trains) && empty(&server));
    let (_third, _) = long_training(&server);
    let process: Vec<u32> = children(server.child.id()).into_iter().filter(trains).collect();
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    soon("a process is left", || process.iter().all(|id| !PathBuf::from(format!("/proc/{id}")).exists()));
    assert!(process.len() == 1 && empty(&server), "files are left");
}

#[cfg(target_os = "linux")]
#[test]
fn work_that_takes_too_long_is_ended_and_so_is_that_of_a_server_that_is_gone() {
    // Much work in few lines: second derivatives of what is deep, by each of many names.
    let mut heavy = "X : matrix(n, n)\nA0 = X\n".to_owned();
    for i in 1..500 {
        heavy.push_str(&format!("A{i} = tanh(A{}*X) .* sin(A{}'*X) + A{}\n", i - 1, i - 1, i - 1));
    }
    heavy.push_str("f = sum(A499)\n");
    (0..90).for_each(|i| heavy.push_str(&format!("hessian f wrt A{i}\n")));
    let mut server = Server::start_with("too-long", &["--time", "0.1"]);
    let slow = server.post("/api/derive", &json!({ "program": heavy }));
    assert_eq!(slow.status, 503, "{}", &slow.body[..slow.body.len().min(300)]);
    assert!(slow.body.contains("this takes longer than 0.1 seconds: ask for less"), "{}", slow.body);
    soon("the work goes on", || children(server.child.id()).is_empty());
    // What takes its time goes on being answered, by one process after the other.
    let quick = json!({ "program": "f = x'*x; grad f wrt x", "steps": "none", "format": "page" });
    soon("nothing is answered", || server.post("/api/derive", &quick).status == 200);
    let kept = children(server.child.id());
    assert_eq!(kept.len(), 1, "{kept:?}");
    // A server that ends, or is killed, leaves none behind.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    soon("a process is left", || !PathBuf::from(format!("/proc/{}", kept[0])).exists());
    let mut server = Server::start_with("too-long-ended", &["--time", "60"]);
    let half = &heavy[..heavy.rfind("hessian f wrt A45").unwrap()];
    let (address, request) = (server.address.clone(), json!({ "program": half }).to_string());
    std::thread::spawn(move || {
        let head = format!("POST /api/derive HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "{head}Content-Length: {}\r\n\r\n{request}", request.len()).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    soon("nothing is begun", || !children(server.child.id()).is_empty());
    let busy = children(server.child.id())[0];
    assert!(Command::new("kill").args(["-INT", &server.child.id().to_string()]).status().unwrap().success());
    server.child.wait().unwrap();
    soon("the work goes on without its server", || !PathBuf::from(format!("/proc/{busy}")).exists());
}

#[test]
fn a_port_in_use_is_told() {
    let server = Server::start("port");
    let port = server.address.rsplit(':').next().unwrap();
    let output = matgrad(&["serve", "--port", port]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("another program listens there"), "{told}");
}

#[test]
fn the_gallery_is_files_that_ask_nobody() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gallery");
    let _ = std::fs::remove_dir_all(&folder);
    shown(&["export-page", folder.to_str().unwrap()]);
    let mut pages = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "html") {
            continue;
        }
        pages += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains("<script") && !text.contains(" style=") && !text.contains("<style"),
            "{}",
            path.display()
        );
        for link in text.split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap();
            assert!(folder.join(target).is_file(), "{}: {target}", path.display());
        }
        if !path.ends_with("index.html") {
            assert!(text.contains("<h2>Checked</h2>") && text.contains("<h2>Derivation</h2>"), "{}", path.display());
        }
    }
    assert!(pages > 20, "{pages} pages");
}

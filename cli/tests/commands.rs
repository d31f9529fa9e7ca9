//! The commands as a user runs them: exit codes, what goes to which stream, formats, standard input, files.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_matgrad"));
    command.args(arguments);
    command
}

fn matgrad(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read its input closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// Standard output of a run that must succeed and say nothing else.
fn shown(arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that must fail with this exit code and show no result.
fn error(code: i32, arguments: &[&str]) -> String {
    let output = matgrad(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("commands-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file with a program; its path.
fn program(folder: &std::path::Path, source: &str) -> String {
    let path = folder.join("program.mg");
    std::fs::write(&path, source).unwrap();
    path.to_str().unwrap().to_owned()
}

const NETWORK: &str = "X : matrix(N, D)\nY : onehot(N, C)\nW1 : matrix(D, H)\nb1 : row(H)\nW2 : matrix(H, C)\n\
    b2 : row(C)\nlambda : scalar\nZ1 = X*W1 + b1\nH1 = relu(Z1)\nZ2 = H1*W2 + b2\nP = softmax(Z2)\n\
    L = -1/N * tr(Y' * log(P)) + lambda*(sum(W1.^2) + sum(W2.^2))\ngrad L wrt W1, b1, W2, b2\n";

#[test]
fn a_gradient_ends_with_what_was_checked() {
    let text = shown(&["grad", "-e", "norm(X*w - y)^2", "--wrt", "w"]);
    assert!(text.contains("2*X'*(X*w - y)"), "{text}");
    let (_, checked) = text.split_once("\nChecked\n").unwrap();
    assert!(checked.contains("1 gradient at 3 random points") && checked.contains("worst error"), "{checked}");
    assert!(checked.contains("by numbers"), "{checked}");
}

#[test]
fn every_format_has_its_form() {
    let begin = |format: &str| shown(&["grad", "-e", "tr(A*X*B)", "--wrt", "X", "--format", format]);
    for (format, part) in [
        ("text", "A'*B'"),
        ("unicode", "Aᵀ·Bᵀ"),
        ("latex", "A^\\top B^\\top"),
        ("markdown", "$$"),
        ("html", "</html>"),
        ("json", "\"value\": \"A'*B'\""),
    ] {
        let text = begin(format);
        assert!(text.contains(part), "{format}: {text}");
        assert!(text.ends_with('\n'), "{format}");
    }
    // The object stands alone on standard output.
    let json = begin("json");
    assert!(json.starts_with('{') && json.trim_end().ends_with('}'));
}

#[test]
fn steps_are_none_brief_or_full() {
    let count = |steps: &[&str]| {
        let mut arguments = vec!["grad", "-e", "r = X*w - y; r'*r", "--wrt", "w", "--format", "json"];
        arguments.extend(steps);
        shown(&arguments).matches("\"rule\"").count()
    };
    let (none, brief, full) = (count(&["--steps", "none"]), count(&["--steps", "brief"]), count(&["--steps", "full"]));
    assert_eq!(none, 0);
    assert!(0 < brief && brief <= full, "{brief} {full}");
    assert_eq!(count(&[]), brief);
}

#[test]
fn declarations_and_statements_stand_before_the_expression() {
    let json = shown(&[
        "grad",
        "-e",
        "Z = X*A; sum(Z.^2)",
        "--wrt",
        "X, A",
        "-d",
        "X: matrix(m, 3)",
        "-d",
        "dim m = 2",
        "--format",
        "json",
    ]);
    assert!(json.contains("\"shape\": [\"m\", \"3\"]"), "{json}");
    assert!(json.contains("\"wrt\": [\"A\"]") && json.contains("\"Z\": \"X*A\""), "{json}");
    let named = shown(&["grad", "-e", "L = sum(X.^2)", "--wrt", "X", "--format", "json"]);
    assert!(named.contains("\"of\": \"L\""), "{named}");
}

#[test]
fn a_differential_needs_no_names() {
    let text = shown(&["differential", "-e", "inv(X)", "-d", "X: invertible(n)", "--steps", "none"]);
    assert!(text.contains("-inv(X)*dX*inv(X)"), "{text}");
    assert!(shown(&["differential", "-e", "X*A", "--wrt", "X"]).contains("dX*A"));
}

#[test]
fn programs_come_from_files_arguments_and_standard_input() {
    let folder = scratch("sources");
    let path = program(&folder, NETWORK);
    let text = shown(&["derive", &path]);
    assert!(text.contains("4 gradients at 3 random points"), "{text}");
    let output = with_input(&["derive", "-"], NETWORK.as_bytes());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
    assert_eq!(shown(&["derive", "-e", NETWORK]), text);
    let output = with_input(&["grad", "-e", "-", "--wrt", "X"], b"tr(A*X)\n");
    assert!(String::from_utf8(output.stdout).unwrap().contains("A'"));
    let output = with_input(&["derive", "-"], b"f = tr(\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--> <stdin>:1:8"));
}

#[test]
fn check_tells_each_result_on_a_line() {
    let folder = scratch("check");
    let text = shown(&["check", &program(&folder, NETWORK), "--seed", "7"]);
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 4, "{text}");
    assert!(text.contains("gradient of L wrt b2"), "{text}");
    assert!(!text.contains('\u{1b}'), "colour without a terminal");
    assert_eq!(text, shown(&["check", &program(&folder, NETWORK), "--seed", "7"]));
    let one = shown(&["check", "-e", "tr(inv(X))", "--wrt", "X"]);
    assert!(one.starts_with("ok ") && one.lines().count() == 1, "{one}");
    // A line of this derivation holds a row of ones times a column of ones.
    let text =
        shown(&["check", "-e", "sum(A.^2 - 1 - x)", "--wrt", "x", "-d", "x: vector(k)", "-d", "A: matrix(k, k)"]);
    assert!(text.starts_with("ok "), "{text}");
}

#[test]
fn a_mistake_points_into_what_was_typed() {
    for (arguments, place, words) in [
        (&["grad", "-e", "tr(A*X", "--wrt", "X"][..], "--> -e:1:7", "expected `)`"),
        (&["grad", "-e", "tr(A*X)", "--wrt", "X,Q"], "--> --wrt:1:3", "unknown variable `Q`"),
        (&["grad", "-e", "tr(A)", "--wrt", "A", "-d", "A: matrx(n,n)"], "--> -d:1:4", "did you mean the type `matrix`"),
        (
            &["grad", "-e", "tr(A)", "--wrt", "A", "-d", "B: scalar", "-d", "A: matrix(m,n)"],
            "--> -e:1:1",
            "tr needs a square matrix; `A` is m×n",
        ),
        (
            &["grad", "-e", "tr(A)", "--wrt", "A", "-d", "B: scalar", "-d", "A: matrix(m,n)"],
            "::: -d 2:1:1",
            "declared here",
        ),
        (&["grad", "-e", "Z = X*X\nsum(Z)", "--wrt", "X", "-d", "X: matrix(m,n)"], "--> -e:1:6", "n ≠ m"),
        (&["grad", "-e", "X*A", "--wrt", "X"], "--> -e:1:1", "grad needs a scalar"),
        (&["grad", "-e", "", "--wrt", "X"], "--> -e:1:1", "expected an expression"),
        (&["grad", "-e", "x", "--wrt", "", "-d", "x: scalar"], "--> --wrt:1:1", "expected a variable's name"),
        (&["derive", "-e", "f = 2"], "--> -e", "asks for nothing"),
        (&["hessian", "-e", "2*x", "--wrt", "x"], "--> -e:1:1", "hessian needs a scalar"),
    ] {
        let text = error(2, arguments);
        assert!(text.contains(place) && text.contains(words), "{arguments:?}:\n{text}");
        assert!(!text.contains('\u{1b}'), "colour without a terminal");
    }
}

#[test]
fn wrong_arguments_tell_what_is_allowed() {
    for (arguments, parts) in [
        (&["grad", "-e", "tr(A*X)"][..], &["--wrt"][..]),
        (&["grad", "--wrt", "X"], &["--expression"]),
        (&["grad", "-e", "x", "--wrt", "x", "--format", "pdf"], &["pdf", "json", "latex", "text"]),
        (&["grad", "-e", "x", "--wrt", "x", "--steps", "some"], &["some", "none", "brief", "full"]),
        (&["grad", "-e", "x", "--wrt", "x", "--seed", "one"], &["one", "--seed"]),
        (&["frobnicate"], &["frobnicate", "grad, jacobian", "derive"]),
        (&["gradd"], &["gradd", "grad"]),
        (&["derive"], &["FILE"]),
        (&["derive", "a.mg", "-e", "x"], &["cannot be used with"]),
        (&["grad", "ridge.mg"], &["`matgrad derive ridge.mg`"]),
        (&["eval", "a.mg"], &["--data", "--out"]),
        (&[], &["Usage", "derive"]),
    ] {
        let text = error(2, arguments);
        assert!(parts.iter().all(|part| text.contains(part)), "{arguments:?}:\n{text}");
    }
}

#[test]
fn help_and_version_are_results() {
    assert!(shown(&["--help"]).contains("Exit codes: 0 done, 1 a check failed, 2 the input is wrong"));
    assert!(shown(&["grad", "--help"]).contains("matgrad grad -e \"tr(A*X)\" --wrt X"));
    assert!(shown(&["--version"]).starts_with("matgrad "));
    assert!(shown(&["completions", "bash"]).contains("_matgrad"));
}

#[test]
fn files_that_cannot_be_read_or_written_are_exit_code_three() {
    let folder = scratch("files");
    let missing = folder.join("no_such_file.mg");
    let text = error(3, &["derive", missing.to_str().unwrap()]);
    assert!(text.contains("cannot read") && text.contains("no_such_file.mg"), "{text}");
    assert!(error(3, &["derive", folder.to_str().unwrap()]).contains("cannot read"));
    let nowhere = folder.join("no/such/folder/out.txt");
    let text = error(3, &["grad", "-e", "tr(X)", "--wrt", "X", "-o", nowhere.to_str().unwrap()]);
    assert!(text.contains("cannot write"), "{text}");
    assert!(error(3, &["grad", "-e", "tr(X)", "--wrt", "X", "-o", folder.to_str().unwrap()]).contains("cannot write"));
}

#[test]
fn a_file_is_written_whole_and_its_ending_chooses_the_format() {
    let folder = scratch("output");
    for (name, part) in
        [("a.tex", "\\section*"), ("a.md", "$$"), ("a.html", "</html>"), ("a.json", "{\"results\""), ("a", "Given")]
    {
        let path = folder.join(name);
        std::fs::write(&path, "before").unwrap();
        assert_eq!(shown(&["grad", "-e", "tr(A*X)", "--wrt", "X", "-o", path.to_str().unwrap()]), "");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(part) && !text.contains("before"), "{name}: {text}");
    }
    // A mistake leaves the file as it was, and nothing beside it.
    let path = folder.join("a.json");
    let before = std::fs::read_to_string(&path).unwrap();
    error(2, &["grad", "-e", "tr(A*", "--wrt", "X", "-o", path.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 5);
    assert!(shown(&["grad", "-e", "tr(A*X)", "--wrt", "X", "-o", "-"]).contains("A'"));
}

#[test]
fn bytes_that_are_no_text_are_told() {
    let utf16: Vec<u8> = "\u{feff}x : scalar".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let output = with_input(&["derive", "-"], &utf16);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("UTF-8") && text.contains("UTF-16"), "{text}");
}

#[test]
fn notes_go_to_standard_error() {
    let output = matgrad(&["grad", "-e", "e*sum(x)", "--wrt", "x", "-d", "e: scalar"]);
    assert_eq!(output.status.code(), Some(0));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("note: `e` is your own name here") && notes.contains("--> -d:1:1"), "{notes}");
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let mut child = command(&["derive", "-e", NETWORK])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn inputs_of_any_depth_and_size_are_answered() {
    let folder = scratch("large");
    let limit = std::time::Duration::from_secs(60);
    for (source, codes) in [
        (format!("x : vector(n)\nf = {}\ngrad f wrt x\n", "(".repeat(100_000)), &[2][..]),
        (format!("x : vector(n)\nf = {}sum(x){}\ngrad f wrt x\n", "(".repeat(9_000), ")".repeat(9_000)), &[0]),
        (format!("A : matrix(n, m)\nf = sum(A{})\ngrad f wrt A\n", "'".repeat(100_001)), &[0, 2]),
        (format!("x : vector(n)\nf = sum(x){}\ngrad f wrt x\n", " + sum(x)".repeat(20_000)), &[0]),
        (format!("x : vector(n)\nf = {}(x)\ngrad f wrt x\n", "a".repeat(1_000_000)), &[2]),
        (format!("x : vector(n)\nf = sum(x){}\ngrad f wrt x\n", " ".repeat(10_000_000)), &[0]),
        (format!("x : vector(n)\n{}", "y = @\n".repeat(100_000)), &[2]),
        (format!("s : scalar\nf = {}s{}\ngrad f wrt s\n", "sin(".repeat(500), ")".repeat(500)), &[0, 2]),
        (format!("s : scalar\nf = s{}\ngrad f wrt s\n", "^s".repeat(300)), &[0, 2]),
    ] {
        let start = std::time::Instant::now();
        let output = matgrad(&["derive", &program(&folder, &source), "--format", "json", "--steps", "none"]);
        let beginning: String = source.chars().take(40).collect();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| codes.contains(&code)), "{beginning}: {told}");
        assert!(told.chars().count() < 5000, "{beginning}");
        assert!(start.elapsed() < limit, "{beginning}: {:?}", start.elapsed());
    }
}

//! Documents with derivations made by hand, in `tests/documents/`: the right ones are right in every line, and what is said
//! of them is kept in a file beside each; mutants with one mistake each are wrong in that line and in no other, and the
//! right formula is offered first. `UPDATE=1 cargo test` rewrites the files.

mod long;

use std::fs;
use std::path::{Path, PathBuf};

use matgrad::diagnostic::LineIndex;
use matgrad::document::write::write;
use matgrad::document::{Format, read};
use matgrad::verify::judge::Verdict;
use matgrad::verify::report::Report;
use matgrad::verify::shown::{Subject, html, json, sarif, text};
use matgrad::verify::verify;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

fn format(name: &str) -> Format {
    match Path::new(name).extension().and_then(|ending| ending.to_str()) {
        Some("md") => Format::Markdown,
        Some("tex") => Format::Latex,
        Some("ipynb") => Format::Notebook,
        _ => Format::Program,
    }
}

fn documents() -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = fs::read_dir(folder())
        .expect("the documents are there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending != "txt"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    out.sort();
    out
}

fn judged(name: &str, source: &str) -> Report {
    let report = verify(&read(source, format(name)));
    assert!(report.errors.is_empty(), "{name}: {:?}", report.errors);
    report
}

/// The lines in which something is wrong.
fn wrong_lines(report: &Report, source: &str) -> Vec<usize> {
    let lines = LineIndex::new(source);
    let steps = report.lines.iter().flat_map(|line| &line.steps);
    let wrong = steps.filter(|step| matches!(step.verdict, Verdict::Fails(_)));
    wrong.map(|step| lines.place(source, step.right.start as usize).0).collect()
}

#[test]
fn right_documents_are_right_and_what_is_said_of_them_is_kept() {
    let documents = documents();
    assert!(documents.len() >= 40, "only {} documents", documents.len());
    let mut different = Vec::new();
    for (name, source) in documents {
        let report = judged(&name, &source);
        assert_eq!(wrong_lines(&report, &source), [0_usize; 0], "{name}");
        assert!(report.counts().right > 0 && report.skipped.is_empty(), "{name}: {:?}", report.skipped);
        let shown = text(&Subject { report: &report, source: &source, file: &name });
        let path = folder().join(format!("{name}.txt"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &shown).expect("the file is written");
        } else if fs::read_to_string(&path).unwrap_or_default() != shown {
            different.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A document with one mistake.
struct Mutant {
    name: String,
    right: String,
    wrong: String,
    offered: String,
}

fn mutants() -> Vec<Mutant> {
    let table = fs::read_to_string(folder().join("mutants.txt")).expect("the mutants are there");
    let mut out = Vec::new();
    for entry in table.split("\n\n") {
        let lines: Vec<&str> = entry.lines().filter(|line| !line.starts_with('#')).collect();
        let [name, right, wrong, offered] = lines.as_slice() else { continue };
        let rest = |line: &str, sign: &str| line.strip_prefix(sign).expect("the line's sign").to_owned();
        out.push(Mutant {
            name: (*name).to_owned(),
            right: rest(right, "- "),
            wrong: rest(wrong, "+ "),
            offered: rest(offered, "= "),
        });
    }
    out
}

#[test]
fn each_mistake_is_found_at_its_line_and_the_right_formula_is_offered_first() {
    let mutants = mutants();
    let documents = documents();
    assert!(mutants.len() >= 120, "only {} mutants", mutants.len());
    let mut first = 0;
    let mut missed = Vec::new();
    for mutant in &mutants {
        let (name, source) = documents.iter().find(|(name, _)| *name == mutant.name).expect("the mutant's document");
        let at = source.find(&mutant.right).unwrap_or_else(|| panic!("{name} does not hold {}", mutant.right));
        let changed = source.replacen(&mutant.right, &mutant.wrong, 1);
        let report = judged(name, &changed);
        let line = LineIndex::new(&changed).place(&changed, at).0;
        let found = wrong_lines(&report, &changed);
        assert_eq!(found, [line], "{name} with {}", mutant.wrong);
        let steps = report.lines.iter().flat_map(|line| &line.steps);
        let repair = steps.clone().find_map(|step| match &step.verdict {
            Verdict::Fails(fails) => fails.repairs.first(),
            _ => None,
        });
        let offered = repair.map(|repair| write(&repair.formula, report.script)).unwrap_or_default();
        if offered == mutant.offered {
            first += 1;
        } else {
            missed.push(format!("{name} with {}: offered {offered}", mutant.wrong));
        }
    }
    assert!(first * 10 >= mutants.len() * 8, "{first} of {}:\n{}", mutants.len(), missed.join("\n"));
    assert!(missed.len() <= 4, "{}", missed.join("\n"));
}

#[test]
fn the_example_of_the_documentation_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let block = |info: &str| {
        let open = format!("~~~~{info}\n");
        let start = page.find(&open).expect("the block is there") + open.len();
        let end = start + page[start..].find("~~~~").expect("the block ends");
        (start, page[start..end].to_owned())
    };
    let ((_, source), (at, told)) = (block("markdown"), block("text"));
    let report = judged("worked.md", &source);
    assert_eq!(report.counts().wrong, 3);
    let shown = text(&Subject { report: &report, source: &source, file: "worked.md" });
    if std::env::var_os("UPDATE").is_some() {
        let updated = format!("{}{shown}{}", &page[..at], &page[at + told.len()..]);
        fs::write(&path, updated).expect("the page is written");
    } else {
        assert_eq!(told, shown);
    }
}

#[test]
fn every_format_tells_of_a_wrong_step() {
    let source = "f = a'*X*b\nclaim grad f wrt X = b*a'\nclaim grad f wrt X = a*b'\n";
    let report = judged("a.mg", source);
    let subject = Subject { report: &report, source, file: "a.mg" };
    let object: serde_json::Value = serde_json::from_str(&json(&subject)).expect("JSON");
    assert_eq!(object["wrong"], 1);
    assert_eq!(object["steps"][1]["verdict"], "wrong");
    assert_eq!(object["steps"][1]["at"]["line"], 2);
    assert_eq!(object["steps"][1]["repairs"][0]["formula"], "a*b'");
    let log: serde_json::Value = serde_json::from_str(&sarif(&subject)).expect("SARIF");
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["runs"][0]["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"], 22);
    let page = html(&subject);
    assert!(page.contains("<math") && page.contains("step wrong") && page.ends_with("</html>\n"));
    assert!(text(&subject).contains("2:22"));
}

#[test]
fn an_undeclared_property_is_named_and_a_declared_one_is_told() {
    let report = judged("a.mg", "f = x'*A*x\nclaim grad f wrt x = 2*A*x\n");
    let Verdict::Fails(fails) = &report.lines[1].steps[0].verdict else { panic!("{report:?}") };
    assert_eq!(fails.only_if, ["`A` is symmetric"]);
    let report = judged("a.mg", "A : symmetric(n)\nf = x'*A*x\nclaim grad f wrt x = 2*A*x\n");
    let Verdict::Holds(holds) = &report.lines[1].steps[0].verdict else { panic!("{report:?}") };
    assert_eq!(holds.relies_on, ["`A` is symmetric"]);
    assert!(holds.exact);
}

#[test]
fn a_wrong_line_does_not_hide_later_ones() {
    let source = "A : matrix(m, n)\nB : matrix(n, m)\nproof:\n  tr(A*B) = tr(A'*B)\n    = tr(B*A)\n    = 2*tr(B*A)\n    = tr(B*A)\n";
    let report = judged("a.mg", source);
    assert_eq!(wrong_lines(&report, source), [4, 6]);
}

#[test]
fn what_is_no_equation_is_never_counted_as_right() {
    let source =
        "$$a \\approx b$$ $$\\int x = y$$ $$f$$ $$x = \\unknown y$$ $$\\frac{\\partial^2 f}{\\partial x^2} = 1$$";
    let report = judged("a.md", source);
    assert_eq!(report.counts().right, 0);
    assert_eq!(report.counts().wrong, 0);
    assert_eq!(report.skipped.len(), 5);
}

#[test]
fn a_document_of_thirty_pages_is_judged_in_a_few_seconds() {
    let source = long::document(30);
    let start = std::time::Instant::now();
    let report = judged("long.md", &source);
    let took = start.elapsed();
    println!("thirty pages, {} steps: {took:?}", report.lines.iter().map(|line| line.steps.len()).sum::<usize>());
    let counts = report.counts();
    assert_eq!((counts.wrong, counts.skipped), (10, 0), "{:?}", report.skipped);
    assert!(counts.right >= 230, "{counts:?}");
    // Two seconds with optimisation; this is for a build without, on a machine with other work.
    assert!(took.as_secs() < 60, "{took:?}");
}

#[test]
fn hostile_documents_end_with_a_message() {
    let deep = |open: &str, close: &str, n: usize| format!("$$ a = {}x{} $$", open.repeat(n), close.repeat(n));
    let documents = [
        ("a.md", format!("$$ {}x $$", "{".repeat(1000))),
        ("a.md", format!("$$ a = {}x $$", "x + ".repeat(250_000))),
        ("a.md", "\\newcommand{\\a}{\\b\\b}\\newcommand{\\b}{\\a\\a} $$ x = \\a $$".to_owned()),
        ("a.md", deep("(", ")", 15_000)),
        ("a.md", deep("{", "}", 15_000)),
        ("a.md", deep("\\frac{1}{", "}", 5_000)),
        ("a.tex", format!("{}{}", "\\begin{align}".repeat(5_000), "\\[".repeat(5_000))),
        ("a.md", "$$ \\frac{a}{b $$ $$ a = ) $$ $$ = = $$ $$ ^ = _ $$".to_owned()),
    ];
    for (name, source) in &documents {
        let report = verify(&read(source, format(name)));
        assert_eq!(report.counts().right, 0, "{}", &source[..source.len().min(80)]);
        assert!(report.counts().skipped > 0, "{}", &source[..source.len().min(80)]);
    }
    for (name, source) in [
        ("a.ipynb", "[".repeat(100_000)),
        ("a.ipynb", "{\"cells\": [{\"source\": \"".to_owned()),
        ("a.mg", format!("claim a = {}x", "x + ".repeat(250_000))),
        ("a.mg", format!("claim a = {}x{}", "(".repeat(20_000), ")".repeat(20_000))),
    ] {
        let report = verify(&read(&source, format(name)));
        assert!(!report.errors.is_empty(), "{}", &source[..source.len().min(80)]);
    }
}

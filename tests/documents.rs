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
    assert!(documents.len() >= 60, "only {} documents", documents.len());
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
    assert!(mutants.len() >= 165, "only {} mutants", mutants.len());
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
    // The page of a document has its sentences between the formulas.
    let source = "# Title\n\nWith $x^2$ and <b>.\n\n$$f = x^\\top x$$\n\nThen $$\\nabla_x f = x$$ so.\n";
    let report = judged("b.md", source);
    let page = html(&Subject { report: &report, source, file: "b.md" });
    let places =
        ["<h2>Title</h2>", "<p>With <math>", "&lt;b&gt;", "step defines", "<p>Then</p>", "step wrong", "<p>so.</p>"]
            .map(|text| page.find(text).unwrap_or_else(|| panic!("{text} is missing in {page}")));
    assert!(places.is_sorted(), "{places:?}");
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

/// What is said of each equals sign of a Markdown text: `+` right, `x` wrong, `.` a definition, `-` left out.
fn signs(source: &str) -> String {
    let report = judged("a.md", source);
    let steps = report.lines.iter().flat_map(|line| &line.steps);
    let mut out: Vec<(u32, char)> = steps
        .map(|step| {
            let sign = match step.verdict {
                Verdict::Holds(_) => '+',
                Verdict::Fails(_) => 'x',
                Verdict::Defines(_) => '.',
                Verdict::Skipped(_) => '-',
            };
            (step.right.start, sign)
        })
        .collect();
    out.extend(report.skipped.iter().map(|(span, _)| (span.start, '-')));
    out.sort_unstable();
    out.into_iter().map(|(_, sign)| sign).collect()
}

const REGRESSION: &str = "<!--\nX : matrix(N, D)\nw : vector(D)\ny : vector(N)\n-->\n$$f = \\|X w - y\\|^2$$\n";

#[test]
fn a_condition_is_no_claim_and_hides_no_mistake() {
    // The gradient is zero at the minimum, where any factor would do.
    let minimum = "$$\\nabla_w f = 0$$ $$w = (X^\\top X)^{-1} X^\\top y$$";
    let right = "$$\\nabla_w f = 2 X^\\top (X w - y)$$";
    let wrong = "$$\\nabla_w f = 17 X^\\top (X w - y)$$";
    assert_eq!(signs(&format!("{REGRESSION}{right}{minimum}")), ".+--");
    assert_eq!(signs(&format!("{REGRESSION}{wrong}{minimum}")), ".x--");
    // Where the place is told first, the line is left out.
    let first = "$$w = (X^\\top X)^{-1} X^\\top y$$";
    assert_eq!(signs(&format!("{REGRESSION}{first}{wrong}")), "..-");
    // In a program each equation is a claim.
    let report = judged("a.mg", "A : matrix(n, n)\nx : vector(n)\nclaim x'*(A + A')*x = 0\n");
    assert_eq!(report.counts().wrong, 1);
}

#[test]
fn a_later_chapter_may_use_a_name_anew() {
    let first = "# One\n$$f = x^\\top x$$ $$\\nabla_x f = 2 x$$\n";
    let second = "$$f = x^\\top A x$$ $$\\nabla_x f = (A + A^\\top) x$$\n";
    assert_eq!(signs(&format!("{first}# Two\n{second}")), ".+.+");
    // Without a heading it is a claim about the first.
    assert_eq!(signs(&format!("{first}{second}")), ".+xx");
    // What is right of the first is a claim too.
    assert_eq!(signs(&format!("{first}# Two\n$$f = \\|x\\|^2$$ $$\\nabla_x f = x$$")), ".++x");
    let report = judged("a.md", &format!("{first}# Two\n{second}$$\\nabla_x f = A x$$"));
    let page = text(&Subject { report: &report, source: "", file: "a.md" });
    assert!(page.is_ascii() || !page.contains('\u{2060}'), "{page}");
}

#[test]
fn gradients_written_as_differentials_are_left_out() {
    let network = "<!--\nX : matrix(D, N)\nY : matrix(C, N)\nW1 : matrix(C, D)\n-->\n\
                   $$Z_1 = W_1 X$$ $$L = \\|Z_1 - Y\\|^2$$ $$dZ_1 = Z_1 - Y$$ $$dW_1 = dZ_1 X^\\top$$";
    assert_eq!(signs(network), "..--");
}

#[test]
fn d_may_be_a_dimension_and_the_sign_of_a_differential() {
    let start = "<!-- X : matrix(n, d)\nb : vector(d) -->\n$$f = \\frac{1}{d} \\|X b\\|^2$$\n";
    assert_eq!(signs(&format!("{start}$$df = \\frac{{2}}{{d}} (X b)^\\top dX \\, b$$")), ".+");
    assert_eq!(signs(&format!("{start}$$df = \\frac{{1}}{{d}} (X b)^\\top dX \\, b$$")), ".x");
    // Neither is guessed where both could be meant.
    assert_eq!(signs(&format!("{start}$$d \\log f = f$$")), ".-");
}

#[test]
fn a_family_is_a_vector_for_each_index() {
    let start = "Samples $x_i \\in \\mathbb{R}^D$ and $m \\in \\mathbb{R}^D$.\n";
    let sum = "\\sum_{i=1}^N (x_i - m)(x_i - m)^\\top";
    assert_eq!(signs(&format!("{start}$$\\operatorname{{tr}} {sum} = \\sum_{{i=1}}^N \\|x_i - m\\|^2$$")), "+");
    assert_eq!(signs(&format!("{start}$$\\sum_{{i=1}}^N x_i = N x_1$$")), "x");
}

#[test]
fn a_family_may_be_one_of_matrices() {
    let start = "<!--\nX_i : matrix(m, n)\na : vector(m)\nb : vector(n)\n-->\n$$f = \\sum_{i=1}^N a^\\top X_i b$$\n";
    let judged = |claim: &str| signs(&format!("{start}$${claim}$$"));
    assert_eq!(judged("\\nabla_{X_i} f = a b^\\top"), ".+");
    assert_eq!(judged("\\nabla_{X_i} f = b a^\\top"), ".x");
    assert_eq!(judged("\\frac{\\partial f}{\\partial X_i} = 2 a b^\\top"), ".x");
    assert_eq!(judged("df = \\sum_{i=1}^N a^\\top dX_i \\, b"), ".+");
    assert_eq!(judged("\\nabla_b f = \\sum_{i=1}^N X_i^\\top a"), ".+");
    assert_eq!(judged("\\nabla_b f = X_1^\\top a"), ".x");
    // Without a sum nobody knows which members move.
    assert_eq!(judged("df = a^\\top dX_i \\, b"), ".-");
    assert_eq!(judged("df = a^\\top dX_1 \\, b"), ".-");
}

#[test]
fn members_may_be_numbered_above() {
    let start = "With $x^{(i)} \\in \\mathbb{R}^n$, $y^{(i)} \\in \\mathbb{R}$ and $w \\in \\mathbb{R}^n$.\n\
                 $$f = \\sum_{i=1}^N (w^\\top x^{(i)} - y^{(i)})^2$$\n";
    let judged = |claim: &str| signs(&format!("{start}$${claim}$$"));
    assert_eq!(judged("\\nabla_w f = 2 \\sum_{i=1}^N (w^\\top x^{(i)} - y^{(i)}) x^{(i)}"), ".+");
    assert_eq!(judged("\\nabla_{x^{(i)}} f = 2 (w^\\top x^{(i)} - y^{(i)}) w"), ".+");
    assert_eq!(judged("\\nabla_{x^{(i)}} f = 2 (w^\\top x^{(i)} - y^{(i)}) x^{(i)}"), ".x");
    // What nobody declares is no power, and no entry.
    assert_eq!(judged("w^{(t)} = w"), ".-");
}

#[test]
fn the_hessian_by_a_matrix_is_the_one_by_its_columns() {
    let start = "<!--\nW : matrix(m, n)\nC : symmetric(m)\n-->\n$$f = \\operatorname{tr}(W^\\top C W)$$\n";
    let judged = |claim: &str| signs(&format!("{start}$${claim}$$"));
    assert_eq!(judged("\\nabla_W^2 f = 2 I_n \\otimes C"), ".+");
    assert_eq!(judged("\\nabla_W^2 f = I_n \\otimes C"), ".x");
    // Right where vec puts rows below each other.
    assert_eq!(judged("\\nabla_W^2 f = 2 C \\otimes I_n"), ".-");
    let vec = "\\frac{\\partial^2 f}{\\partial \\operatorname{vec}(W) \\partial \\operatorname{vec}(W)^\\top}";
    assert_eq!(judged(&format!("{vec} = 2 I_n \\otimes C")), ".+");
}

#[test]
fn both_sides_of_a_kink_are_met() {
    let start = "<!-- x : vector(n) -->\n$$f = \\sum_{i=1}^n \\max(0, 4 - x_i)$$\n";
    assert_eq!(signs(&format!("{start}$$\\nabla_x f = -\\mathbf{{1}}_n$$")), ".x");
    assert_eq!(signs(&format!("{start}$$\\nabla_x f = -\\operatorname{{step}}(4 - x)$$")), ".+");
}

#[test]
fn functions_that_the_text_defines_are_known_with_their_derivative() {
    let start = "$$g(t) = \\frac{t}{1 + e^{-t}}$$ $$\\sigma(t) = \\log(1 + e^t)$$";
    assert_eq!(signs(&format!("{start}$$\\sigma'(t) = \\frac{{1}}{{1 + e^{{-t}}}}$$")), "..+");
    assert_eq!(signs(&format!("{start}$$\\sigma'(t) = \\frac{{1}}{{1 + e^{{t}}}}$$")), "..x");
    // f at another argument is not f.
    assert_eq!(signs("$$f(x) = x^\\top x$$ $$f(y) = y^\\top y$$"), ".-");
}

#[test]
fn second_derivatives_are_taken_by_slopes_of_slopes() {
    let start = "<!-- A : matrix(n, n)\nx : vector(n) -->\n$$f = x^\\top A x$$ $$g = \\nabla_x f$$\n";
    assert_eq!(signs(&format!("{start}$$\\nabla_x^2 f = A + A^\\top$$")), "..+");
    assert_eq!(signs(&format!("{start}$$\\nabla_x^2 f = 2 A$$")), "..x");
    assert_eq!(signs(&format!("{start}$$\\frac{{\\partial g}}{{\\partial x}} = A + A^\\top$$")), "..+");
    assert_eq!(signs(&format!("{start}$$dg = (A + A^\\top) dx$$")), "..+");
    assert_eq!(signs(&format!("{start}$$g + dg = g + A \\, dx$$")), "..x");
    assert_eq!(
        signs(&format!("{start}$$\\frac{{\\partial^2 f}}{{\\partial x_i \\partial x_j}} = A_{{ij}} + A_{{ji}}$$")),
        "..+"
    );
}

#[test]
fn equations_may_stand_beside_each_other() {
    let start = "<!--\nA : matrix(n, n)\nx : vector(n)\n-->\n";
    assert_eq!(signs(&format!("{start}$$f = x^\\top A x \\qquad g = \\frac{{1}}{{2}} f \\quad 2 g = f$$")), "..+");
    assert_eq!(
        signs(&format!("{start}\\begin{{align}} f &= x^\\top A x & 2 f &= f + f & f &= 2 f \\end{{align}}")),
        ".+x"
    );
    // A gap inside a formula is none between two.
    assert_eq!(signs(&format!("{start}$$f = x^\\top \\quad A x$$ $$\\nabla_x f = A x \\quad + A^\\top x$$")), ".+");
}

#[test]
fn a_dot_between_columns_is_their_inner_product() {
    let start = "<!--\nA : matrix(n, n)\nx : vector(n)\ny : vector(n)\n-->\n$$f = x \\cdot A y$$";
    let judged = |claim: &str| signs(&format!("{start}$${claim}$$"));
    assert_eq!(judged("\\nabla_x f = A y"), ".+");
    assert_eq!(judged("\\nabla_y f = A x"), ".x");
    assert_eq!(judged("f = 2 \\cdot \\frac{1}{2} \\cdot x^\\top \\cdot A \\cdot y"), ".+");
    // Without a dot two columns do not fit.
    assert_eq!(judged("f = x A y"), ".x");
}

#[test]
fn what_stands_on_a_line_that_was_not_understood_is_not_called_wrong() {
    let start = "<!--\nX : matrix(n, p)\nB : matrix(p, q)\n-->\n";
    let rest = "$$X^\\top E B = 3$$ $$\\operatorname{tr}(X^\\top X) = 2 \\operatorname{tr}(X X^\\top)$$";
    assert_eq!(signs(&format!("{start}$$E = \\unknown X B$${rest}")), "--x");
    assert_eq!(signs(&format!("$$f = \\sum_i (x_i^\\top w - y_i)^2$$")), "-");
}

#[test]
fn layers_in_general_are_judged_for_each() {
    let start = "$$Z_l = W_l H_{l-1}$$ $$H_l = \\tanh(Z_l)$$ $$E = \\|H_L\\|_F^2$$";
    let judged = |claim: &str| signs(&format!("{start}$${claim}$$"));
    assert_eq!(judged("\\frac{\\partial E}{\\partial H_{l-1}} = W_l^\\top \\frac{\\partial E}{\\partial Z_l}"), "...+");
    assert_eq!(judged("\\frac{\\partial E}{\\partial H_{l-1}} = W_l \\frac{\\partial E}{\\partial Z_l}"), "...x");
    assert_eq!(judged("\\frac{\\partial E}{\\partial W_l} = H_{l-1} \\frac{\\partial E}{\\partial Z_l}"), "...x");
    assert_eq!(judged("\\frac{\\partial E}{\\partial H_L} = 2 H_L"), "...+");
    assert_eq!(judged("\\frac{\\partial E}{\\partial H_L} = H_L"), "...x");
    // Right for the last layer only is not right in general.
    assert_eq!(judged("\\frac{\\partial E}{\\partial H_l} = 2 H_l"), "...x");
    // Two rules for the next step are two methods.
    assert_eq!(signs("$$x_{k+1} = x_k + g_k$$ $$x_{k+1} = x_k - 2 g_k$$"), ".-");
}

#[test]
fn a_wrong_definition_with_ones_of_unknown_size_ends_with_a_verdict() {
    let source = "<!--\nX : matrix(N, n)\nW : matrix(n, h)\nU : matrix(h, d)\n-->\n\
                  $$P = \\operatorname{softmax}(U \\sigma(X W + \\mathbf{1} b_1^\\top) + \\mathbf{1} b_2^\\top)$$ $$H = X W + 1_N b$$";
    assert_eq!(signs(source).chars().next(), Some('x'));
}

#[test]
fn a_long_list_of_rules_is_told_in_four() {
    use matgrad::verify::shown::words::essential;
    let names = [
        "definition of f",
        "definition of g",
        "a = tr(a)",
        "tr(A) = tr(A')",
        "d inv(X) = -inv(X) dX inv(X)",
        "(AB)' = B'A'",
    ];
    let rules = names.map(str::to_owned);
    assert_eq!(essential(&rules[..4]), rules[..4]);
    let told = essential(&rules);
    assert_eq!(
        told,
        ["definitions of f, g", "tr(A) = tr(A')", "d inv(X) = -inv(X) dX inv(X)", "(AB)' = B'A'", "and 1 plainer rule"]
    );
}

#[test]
fn what_is_no_equation_is_never_counted_as_right() {
    let source =
        "$$a \\approx b$$ $$\\int x = y$$ $$f$$ $$x = \\unknown y$$ $$\\frac{\\partial^3 f}{\\partial x^3} = 1$$";
    let report = judged("a.md", source);
    assert_eq!(report.counts().right, 0);
    assert_eq!(report.counts().wrong, 0);
    assert_eq!(report.skipped.len(), 5);
}

#[test]
fn a_document_of_thirty_pages_is_judged() {
    let source = long::document(30);
    let start = std::time::Instant::now();
    let report = judged("long.md", &source);
    let took = start.elapsed();
    println!("thirty pages, {} steps: {took:?}", report.lines.iter().map(|line| line.steps.len()).sum::<usize>());
    let counts = report.counts();
    assert_eq!((counts.wrong, counts.skipped), (10, 0), "{:?}", report.skipped);
    assert!(counts.right >= 230, "{counts:?}");
}

#[test]
fn a_definition_of_a_thousand_factors_is_judged_in_time() {
    let source = format!("$$ f = {} $$ $$ \\nabla_x f = 0 $$", "\\frac{x}{x} ".repeat(1_400));
    let start = std::time::Instant::now();
    assert_eq!(signs(&source), ".+");
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
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
        ("a.md", deep("\\frac{1}{", "}", 100_000)),
        ("a.md", deep("\\exp(\\log(", "))", 50_000)),
        ("a.md", format!("$$ x^{{(t)}} = {} $$", "x^{(t)".repeat(100_000))),
        ("a.tex", format!("{}{}", "\\begin{align}".repeat(5_000), "\\[".repeat(5_000))),
        ("a.md", "$$ \\frac{a}{b $$ $$ a = ) $$ $$ = = $$ $$ ^ = _ $$".to_owned()),
        ("a.md", "\\newcommand{\\a}[1]{\\a{#1#1}} $$ x = \\a{x} $$".to_owned()),
        ("a.md", "\\newcommand{\\a}[2]{#1 + #2} $$ x = \\a{x} $$ $$ y = #1 $$".to_owned()),
        ("a.md", format!("{} $$ x = ) $$", "\\def\\a{".repeat(50_000))),
        ("a.md", format!("$$ {} $$", "\\def\\a{".repeat(50_000))),
        ("a.md", format!("$$ x = {} $$", "\\begin{pmatrix} a & ".repeat(2_000))),
        ("a.md", format!("$$ x = y {} ) $$", "\\quad y & ".repeat(50_000))),
        ("a.md", format!("$$ x_{{l-1}} = y {} ) $$", "x_{l-1".repeat(50_000))),
        ("a.md", format!("{} $$ x = ) $$", "$".repeat(99_999))),
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

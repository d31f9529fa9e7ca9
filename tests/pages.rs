//! The page of an answer in every format, for the two-layer network and for exercises that a textbook works by hand.

mod golden;

use std::fs;
use std::path::Path;

use golden::assert_golden;
use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::render::{Format, render};

const FORMATS: [(Format, &str); 6] = [
    (Format::Text, "text.txt"),
    (Format::Unicode, "unicode.txt"),
    (Format::Latex, "latex.tex"),
    (Format::Markdown, "markdown.md"),
    (Format::Html, "html.html"),
    (Format::Json, "json.json"),
];

fn pages(name: &str, source: &str, checked: &[String]) {
    let answer = answer(source, Detail::Full).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
    for (format, ending) in FORMATS {
        let page = render(format, &answer, source, checked);
        assert_golden(&format!("pages/{name}.{ending}"), &without_font(&page));
    }
}

/// The page with its font left out, which is the same in all.
fn without_font(page: &str) -> String {
    match page.split_once("base64,") {
        Some((before, rest)) => {
            let (font, after) = rest.split_once(')').expect("the font's address ends");
            assert!(font.len() > 20_000, "the font is in the page");
            format!("{before}base64,…){after}")
        }
        None => page.to_owned(),
    }
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    fs::read_to_string(path).expect("the example is there")
}

#[test]
fn two_layer_network() {
    let checked = ["4 results at 3 points: the worst error is 2e-15".to_owned()];
    pages("two_layer_mlp", &example("two_layer_mlp.mg"), &checked);
}

#[test]
fn exercises() {
    pages("exercises", &example("exercises.mg"), &[]);
}

#[test]
fn requests_without_names() {
    let source = "S : posdef(n)\nX : matrix(m, n)\nalpha : scalar\n\
                  grad logdet(S + alpha*eye(n)) + 0.5*tr(X'*X)/alpha wrt X, S, alpha\ndifferential inv(S)*X'\n";
    pages("unnamed", source, &[]);
}

#[test]
fn text_fits_a_terminal() {
    for name in ["two_layer_mlp.mg", "exercises.mg", "attention.mg", "layer_norm.mg", "kalman_filter.mg"] {
        let source = example(name);
        let answer = answer(&source, Detail::Full).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        for format in [Format::Text, Format::Unicode] {
            for line in render(format, &answer, &source, &[]).lines() {
                assert!(line.chars().count() <= 100, "{name}: {line}");
            }
        }
    }
}

#[test]
fn a_page_asks_nothing_of_anyone() {
    let source = example("two_layer_mlp.mg");
    let answer = answer(&source, Detail::Full).expect("the example answers");
    let page = render(Format::Html, &answer, &source, &[]);
    let namespaces = page.replace("http://www.w3.org/1998/Math/MathML", "");
    for wanted in ["http:", "https:", "<script", "<link", "@import", "//cdn"] {
        assert!(!namespaces.contains(wanted), "{wanted}");
    }
    for element in ["html", "head", "body", "main", "section", "div", "span", "math", "mrow", "msup", "msub", "mfrac"] {
        let opened = page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
        assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "<{element}>");
        assert!(opened > 0, "<{element}>");
    }
}

//! The table of functions in `docs/language.md` is the dictionary's: names, shapes and differentials. `UPDATE=1 cargo test
//! --test reference` writes it anew.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::functions::{ALIASES, ENTRIES, Entry, Signature};
use matgrad::render::build::notation;
use matgrad::render::text::text;
use matgrad::syntax::{KEYWORDS, TYPES};

const BEGIN: &str = "<!-- functions: written by UPDATE=1 cargo test --test reference -->\n";
const END: &str = "<!-- end of functions -->";

/// How a function is called, the shape of its argument X and of its result, and the program that shows its differential.
struct Form {
    call: &'static str,
    shapes: &'static str,
    /// A call on declared variables; empty for a constant.
    example: &'static str,
    declared: &'static str,
}

fn form(signature: Signature) -> Form {
    let of = |call, shapes, example, declared| Form { call, shapes, example, declared };
    let matrix = "X : matrix(m, n)";
    let square = "X : matrix(n, n)";
    match signature {
        Signature::Elementwise => of("f(X)", "any shape, kept", "f(X)", matrix),
        Signature::ElementwiseWithScalar => {
            of("f(X, s)", "any shape, kept; s a scalar", "f(X, s)", "X : matrix(m, n); s : scalar")
        }
        Signature::ElementwisePair => of("f(X, Y)", "equal shapes, or one broadcast", "f(X, Y)", "X, Y : matrix(m, n)"),
        Signature::AlongRows => of("f(X), f(X, axis=0)", "any shape, kept", "f(X)", matrix),
        Signature::ReduceRows => {
            of("f(X), f(X, axis=0)", "m×n to m×1 (1×n); a vector or row to a scalar", "f(X)", matrix)
        }
        Signature::Reduce => of("f(X), f(X, 1), f(X, 2)", "m×n to a scalar, 1×n, m×1", "f(X)", matrix),
        Signature::ReduceToColumn => of("f(X)", "m×n to m×1", "f(X)", matrix),
        Signature::ReduceToRow => of("f(X)", "m×n to 1×n", "f(X)", matrix),
        Signature::SquareToScalar => of("f(X)", "n×n to a scalar", "f(X)", square),
        Signature::AnyToScalar => of("f(X)", "any shape to a scalar", "f(X)", matrix),
        Signature::PairToScalar => of("f(X, Y)", "two equal shapes to a scalar", "f(X, Y)", "X, Y : matrix(m, n)"),
        Signature::Square => of("f(X)", "n×n, kept", "f(X)", square),
        Signature::Same => of("f(X)", "any shape, kept", "f(X)", matrix),
        Signature::Transposed => of("f(X)", "m×n to n×m", "f(X)", matrix),
        Signature::Diagonal => of("f(X)", "a vector or row to n×n; n×n to n×1", "f(X)", square),
        Signature::Vectorised => of("f(X)", "m×n to (m·n)×1", "f(X)", matrix),
        Signature::HalfVectorised => of("f(X)", "n×n to (n·(n+1)/2)×1", "f(X)", square),
        Signature::UnHalfVectorised => of("f(X)", "(n·(n+1)/2)×1 to n×n", "f(X)", "X : vector(n*(n+1)/2)"),
        Signature::Reshape => of("f(X, m, n)", "as many entries, m×n", "f(X, p, q)", "X : vector(p*q)"),
        Signature::Kronecker => {
            of("f(X, Y)", "m×n and p×q to (m·p)×(n·q)", "f(X, Y)", "X : matrix(m, n); Y : matrix(p, q)")
        }
        Signature::Identity => of("f(n)", "n×n", "", ""),
        Signature::Filled => of("f(m, n), f(n)", "m×n, n×1", "", ""),
        Signature::Column => of("f(n)", "n×1", "", ""),
        Signature::UnitVector => of("f(n, i)", "n×1", "", ""),
        Signature::ConstantVector => of("f(c)", "the column that fits", "", ""),
        Signature::ConstantMatrix => of("f(c)", "the matrix that fits", "", ""),
    }
}

/// The differential of `F` = f(X): the dictionary's text, else what matgrad finds.
fn differential(entry: &Entry, form: &Form) -> String {
    if !entry.differential.is_empty() {
        return format!("`{}`", entry.differential);
    }
    if form.example.is_empty() {
        return "0".to_owned();
    }
    let call = form.example.replacen('f', entry.name, 1);
    let program = format!("{}\nF = {call}\ndifferential F", form.declared);
    match answer(&program, Detail::None) {
        Ok(answer) => {
            let value = answer.outcomes[0].value.expect("a short differential");
            format!("`{}`", text(&notation(&answer.arena, value)))
        }
        Err(errors) => panic!("{program}\n{errors:?}"),
    }
}

fn table() -> String {
    let mut out =
        String::from("| function | what | shapes | d of it, with `F` for its value |\n| --- | --- | --- | --- |\n");
    for entry in ENTRIES {
        let form = form(entry.signature);
        let calls: Vec<String> = form.call.split("), ").map(|call| call.replacen('f', entry.name, 1)).collect();
        let mut calls = format!("`{}`", calls.join("), "));
        for &(alias, function) in ALIASES {
            if function == entry.function {
                let _ = write!(calls, ", `{alias}`");
            }
        }
        let _ = writeln!(out, "| {calls} | {} | {} | {} |", entry.title, form.shapes, differential(entry, &form));
    }
    out
}

#[test]
fn the_page_has_the_dictionary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page marks where the table begins");
    let (shown, after) = rest.split_once(END).expect("the page marks where the table ends");
    let table = table();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).expect("the page can be written");
        return;
    }
    assert!(shown == table, "UPDATE=1 cargo test --test reference writes the table anew:\n{table}");
}

#[test]
fn the_page_has_the_words_of_the_language() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/language.md")).expect("the page");
    for word in TYPES.iter().map(|&(name, _)| name).chain(KEYWORDS.iter().copied()) {
        let shown = [format!("`{word}`"), format!("`{word}("), format!("`{word} ")];
        assert!(shown.iter().any(|form| page.contains(form)), "docs/language.md does not show `{word}`");
    }
}

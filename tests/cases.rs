//! Gradients, differentials, Jacobians and Hessians at given numbers, against numbers that were found by automatic
//! differentiation in another system and confirmed by complex steps: `tests/cases/`, one case a line.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use matgrad::answer::{Answer, Outcome, answer};
use matgrad::derivation::Detail;
use matgrad::eval::{Numbers, evaluate};
use matgrad::matrix::Matrix;
use matgrad::render::{Format, render};
use matgrad::syntax::ast::AskKind;
use matgrad::tensor::contract;
use serde_json::Value;

/// Largest error, relative to the largest entry or one.
const TOLERANCE: f64 = 1e-8;

/// A matrix from a list of rows.
fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = serde_json::from_value(value.clone()).expect("a list of rows");
    let columns = rows[0].len();
    Matrix::new(rows.len(), columns, rows.concat())
}

fn numbers(case: &Value, answer: &Answer) -> Numbers {
    let dimensions = serde_json::from_value::<HashMap<String, i64>>(case["dims"].clone()).expect("dimensions");
    let named = |name: &str| matrix(&case["inputs"][name]);
    let variables = answer.typed.variables.iter().map(|variable| named(&variable.name)).collect();
    let mut differentials = HashMap::new();
    for outcome in answer.outcomes.iter().filter(|outcome| outcome.kind == AskKind::Differential) {
        for (name, &leaf) in outcome.wrt.iter().zip(&outcome.wrt_nodes) {
            differentials.insert(leaf, matrix(&case["directions"][name]));
        }
    }
    Numbers { dimensions, variables, differentials, ..Numbers::default() }
}

/// The larger of the error and NaN, relative.
fn error(found: &Matrix, expected: &Matrix) -> f64 {
    assert_eq!((found.rows(), found.columns()), (expected.rows(), expected.columns()), "another shape");
    let largest = expected.entries().iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    let errors = found.entries().iter().zip(expected.entries()).map(|(a, b)| (a - b).abs() / largest);
    errors.fold(0.0, |worst, error| if error > worst || error.is_nan() { error } else { worst })
}

/// The errors of an outcome's value, of its program and of the function itself.
fn errors(case: &Value, answer: &Answer, outcome: &Outcome, numbers: &Numbers) -> Vec<(&'static str, f64)> {
    let last = outcome.program.last().expect("a program has a line").right;
    let mut roots = vec![outcome.of_node, last];
    roots.extend(outcome.value);
    let found = evaluate(&answer.arena, numbers, &roots).unwrap_or_else(|error| panic!("{}: {error:?}", case["id"]));
    let expected = matrix(&case["expected"][outcome.wrt.join(",")]);
    let mut out =
        vec![("function", error(&found[0], &matrix(&case["value"]))), ("program", error(&found[1], &expected))];
    out.extend(found.get(2).map(|value| ("value", error(value, &expected))));
    out
}

fn read(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(file);
    serde_json::from_str(&fs::read_to_string(path).expect("the cases are there")).expect("the cases are JSON")
}

#[test]
fn results_have_the_numbers_of_the_cases() {
    let cases = read("gradients.json");
    assert!(cases.len() > 250, "only {} cases were read", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let program = case["program"].as_str().expect("a program");
        let answer = answer(program, Detail::None).unwrap_or_else(|errors| panic!("{}: {errors:?}", case["id"]));
        let numbers = numbers(case, &answer);
        let expected = case["expected"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(answer.outcomes.len(), expected, "{}: as many results as numbers", case["id"]);
        for outcome in &answer.outcomes {
            for (what, error) in errors(case, &answer, outcome, &numbers) {
                if error.is_nan() || error > TOLERANCE {
                    wrong.push(format!("{}, {} by {}: {error:.1e}", case["id"], what, outcome.wrt.join(", ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many signs, numbers and names a formula has: the nodes of its tree.
fn nodes(formula: &str) -> usize {
    let mut count = 0;
    let mut rest = formula.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let sign = [".*", "./", ".^", ">=", "<=", "==", "!="].into_iter().find(|sign| rest.starts_with(sign));
        let length = match sign {
            Some(sign) => sign.len(),
            None if word(first) => {
                // The point of `2.*x` belongs to the sign.
                let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
                if rest[..end].ends_with('.') { end - 1 } else { end }
            }
            None => first.len_utf8(),
        };
        count += usize::from(!"()[],;".contains(first));
        rest = rest[length..].trim_start();
    }
    count
}

#[test]
fn formulas_are_no_longer_than_those_of_the_literature() {
    // At a tie max is split evenly, which `a .* (x > y)` does not tell.
    const OTHERWISE: &[&str] = &["elementwise/fn-max"];
    let (mut count, mut longer, mut far) = (0, 0, Vec::new());
    for case in read("gradients.json") {
        let (Some(literature), Some(id)) = (case["literature"].as_object(), case["id"].as_str()) else { continue };
        let program = case["program"].as_str().expect("a program");
        let answer = answer(program, Detail::None).unwrap_or_else(|errors| panic!("{id}: {errors:?}"));
        let page: Value = serde_json::from_str(&render(Format::Json, &answer, program, &[])).expect("JSON");
        for result in page["results"].as_array().expect("results") {
            let Some(theirs) = literature.get(result["wrt"][0].as_str().expect("a name")) else { continue };
            let lines = result["program"].as_array().expect("a program").iter();
            let right = |line: &Value| line.as_str().and_then(|line| line.split_once('=')).map_or(0, |(_, f)| nodes(f));
            let whole = nodes(result["value"].as_str().expect("a formula"));
            let (ours, theirs) = (whole.min(lines.map(right).sum()), nodes(theirs.as_str().expect("a formula")));
            count += 1;
            longer += usize::from(ours > theirs);
            if 5 * ours > 6 * theirs && !OTHERWISE.contains(&id) {
                far.push(format!("{id}: {} ({ours} nodes, {theirs} in the literature)", result["value"]));
            }
        }
    }
    assert!(count > 280, "only {count} formulas were compared");
    assert!(far.is_empty(), "{}", far.join("\n"));
    assert!(10 * longer <= count, "{longer} of {count} formulas are longer than those of the literature");
}

/// Numbers nested as deep as the tensor has axes, the last axis innermost.
fn flat(value: &Value, out: &mut Vec<f64>) {
    match value {
        Value::Array(list) => list.iter().for_each(|inner| flat(inner, out)),
        number => out.push(number.as_f64().expect("a number")),
    }
}

/// The entries of a matrix that acts on vec column by column, in the order of the tensor.
fn unstacked(matrix: &Matrix, axes: &[usize], rows: usize) -> Vec<f64> {
    if axes.len() < 3 {
        return matrix.entries().to_vec();
    }
    let mut out = Vec::new();
    let mut at = vec![0; axes.len()];
    loop {
        let side = |list: std::ops::Range<usize>| list.rev().fold(0, |stacked, k| stacked * axes[k] + at[k]);
        out.push(matrix.at(side(0..rows), side(rows..axes.len())));
        let Some(last) = (0..axes.len()).rev().find(|&k| at[k] + 1 < axes[k]) else { return out };
        at[last] += 1;
        at[last + 1..].fill(0);
    }
}

#[test]
fn jacobians_and_hessians_have_the_numbers_of_the_cases() {
    let cases = read("jacobians.json");
    assert!(cases.len() > 60, "only {} cases were read", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let program = case["program"].as_str().expect("a program");
        let answer = answer(program, Detail::None).unwrap_or_else(|errors| panic!("{}: {errors:?}", case["id"]));
        let numbers = numbers(case, &answer);
        let [outcome] = &answer.outcomes[..] else { panic!("{}: one result", case["id"]) };
        let (_, nested) = case["expected"].as_object().and_then(|map| map.iter().next()).expect("an expected tensor");
        let mut expected = Vec::new();
        flat(nested, &mut expected);
        let forms = outcome.forms.as_ref().expect("a Jacobian has its entries");
        let of = |name: &str| numbers.dimensions.get(name).copied();
        let size = |d| answer.arena.dimensions.value(d, &of).map_or(0, |n| n as usize);
        let axes: Vec<usize> = forms.entries.axes.iter().map(|&d| size(d)).collect();
        let mut roots = vec![outcome.program.last().expect("a program has a line").right, outcome.result];
        roots.extend(outcome.value);
        let matrices = evaluate(&answer.arena, &numbers, &roots).expect("the matrix has numbers");
        let mut found: Vec<Vec<f64>> =
            matrices.iter().map(|matrix| unstacked(matrix, &axes, forms.entries.rows)).collect();
        let values = evaluate(&answer.arena, &numbers, &contract::roots(&forms.entries)).expect("factors have numbers");
        let terms = contract::numbers(&forms.entries, values, &size);
        found.push(contract::dense(&forms.entries, &axes, &terms, &mut contract::Reference).expect("it is small"));
        let largest = expected.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
        for (form, entries) in found.iter().enumerate() {
            let holds = entries.len() == expected.len()
                && entries.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= TOLERANCE * largest);
            if !holds {
                wrong.push(format!("{}, form {form}", case["id"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

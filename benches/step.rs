//! One step of a two-layer network, its loss and its four gradients in f32, and the share of the processor's peak that it
//! reaches. `cargo bench --bench step -- [SIZE…] [--plan] [--json] [--data FOLDER] [--threads N] [--seconds S] [--bf16]`;
//! `benches/peers/step.py` sets it beside other libraries.

use std::time::Instant;

use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::plan::{Form, Precision};
use matgrad::run::cpu::{InstructionSet, Pool};
use matgrad::run::{Executable, Given};
use measure::{Arguments, Case, heading, measure, planned};

/// Name, samples, features, hidden units, classes.
const SIZES: [(&str, i64, i64, i64, i64); 6] = [
    ("tiny", 64, 64, 128, 10),
    ("digits", 128, 64, 256, 10),
    ("mnist", 128, 784, 512, 10),
    ("cifar", 200, 3072, 1024, 10),
    ("wide", 1024, 1024, 4096, 1000),
    ("big", 2048, 2048, 4096, 1000),
];

const PROGRAM: &str = include_str!("../examples/two_layer_mlp.mg");

fn main() {
    let arguments = Arguments::read();
    if !arguments.json {
        println!("from the text to the first gradients of `tiny` {:.2} ms", first_result());
        heading();
    }
    let answer = answer(PROGRAM, Detail::None).unwrap_or_else(|errors| panic!("{errors:?}"));
    for (name, n, d, h, c) in SIZES.into_iter().filter(|size| arguments.wants(size.0)) {
        let sizes = [("N", n), ("D", d), ("H", h), ("C", c)];
        let operations = 2.0 * n as f64 * (2.0 * (d * h) as f64 + 3.0 * (h * c) as f64);
        let case = Case { name, answer: &answer, sizes: &sizes, labels: Some("Y"), operations: Some(operations) };
        measure(&case, &arguments);
    }
}

/// Milliseconds from the program's text to its first results: read, derived, planned, compiled, run once.
fn first_result() -> f64 {
    let start = Instant::now();
    let answer = answer(PROGRAM, Detail::None).unwrap_or_else(|errors| panic!("{errors:?}"));
    let sizes = [("N", 64), ("D", 64), ("H", 128), ("C", 10)];
    let case = Case { name: "tiny", answer: &answer, sizes: &sizes, labels: Some("Y"), operations: None };
    let plan = planned(&case, 1, Precision::Single);
    let arrays: Vec<Vec<f32>> = plan.inputs.iter().map(|input| vec![0.5; input.rows * input.columns]).collect();
    let labels = vec![3; 64];
    let given: Vec<Given<'_, f32>> = plan
        .inputs
        .iter()
        .zip(&arrays)
        .map(|(input, array)| if input.form == Form::Labels { Given::Labels(&labels) } else { Given::Entries(array) })
        .collect();
    let mut results: Vec<Vec<f32>> = plan.outputs.iter().map(|o| vec![0.0; o.rows * o.columns]).collect();
    let mut outputs: Vec<&mut [f32]> = results.iter_mut().map(Vec::as_mut_slice).collect();
    let mut executable = Executable::<f32>::new(plan, InstructionSet::detect()).expect("a plan in f32");
    executable.run(&mut Pool::new(1), &given, &mut outputs).expect("a run");
    start.elapsed().as_secs_f64() * 1e3
}

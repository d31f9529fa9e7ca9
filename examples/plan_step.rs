//! Shows the plan of a program: `cargo run --example plan_step -- FILE.mg N=128,D=784 [threads]`.
use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::plan::{Plan, Precision, Request, Tuning};
use std::collections::HashMap;
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&arguments[1]).unwrap();
    let answer = answer(&text, Detail::None).unwrap_or_else(|e| panic!("{e:?}"));
    let sizes: HashMap<String, i64> = arguments[2]
        .split(',')
        .map(|p| p.split_once('=').unwrap())
        .map(|(a, b)| (a.to_owned(), b.parse().unwrap()))
        .collect();
    let roots: Vec<_> = answer
        .definitions
        .iter()
        .copied()
        .filter(|&d| answer.arena.name_of(d) == "L")
        .chain(answer.outcomes.iter().map(|o| o.result))
        .collect();
    let threads = arguments.get(3).map_or(1, |t| t.parse().unwrap());
    let request = Request {
        sizes: &sizes,
        independent: &[],
        labels: &[],
        precision: Precision::Single,
        threads,
        tuning: Tuning::default(),
    };
    println!("{}", Plan::new(&answer.arena, &roots, &request).unwrap());
}

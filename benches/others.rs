//! Losses and gradients of programs that no kernel anticipated, in f32: a network of ten layers, logistic regression, matrix
//! factorisation, a Gaussian likelihood. `cargo bench --bench others -- [CASE…] [--plan] [--json] [--data FOLDER] [--threads N] [--seconds S]`;
//! `benches/peers/others.py` sets them beside other libraries.

use matgrad::answer::answer;
use matgrad::derivation::Detail;
use measure::{Arguments, Case, heading, measure};

/// A program, the variable that is given as labels, and its cases: name and sizes.
type Problem = (&'static str, Option<&'static str>, [(&'static str, &'static [(&'static str, i64)]); 2]);

const PROBLEMS: [Problem; 4] = [
    (
        include_str!("peers/ten_layers.mg"),
        Some("Y"),
        [
            ("ten-layers-small", &[("N", 64), ("D", 64), ("H", 64), ("C", 10)]),
            ("ten-layers-large", &[("N", 256), ("D", 784), ("H", 512), ("C", 10)]),
        ],
    ),
    (
        include_str!("../examples/logistic_regression.mg"),
        None,
        [
            ("logistic-regression-small", &[("m", 1000), ("n", 50)]),
            ("logistic-regression-large", &[("m", 20_000), ("n", 500)]),
        ],
    ),
    (
        include_str!("../examples/matrix_factorisation.mg"),
        None,
        [
            ("factorisation-small", &[("m", 200), ("n", 150), ("k", 5)]),
            ("factorisation-large", &[("m", 2000), ("n", 1500), ("k", 20)]),
        ],
    ),
    (
        include_str!("peers/gaussian.mg"),
        None,
        [("gaussian-small", &[("n", 100), ("d", 10)]), ("gaussian-large", &[("n", 1000), ("d", 50)])],
    ),
];

fn main() {
    let arguments = Arguments::read();
    if !arguments.json {
        heading();
    }
    for (program, labels, cases) in PROBLEMS {
        let answer = answer(program, Detail::None).unwrap_or_else(|errors| panic!("{errors:?}"));
        for (name, sizes) in cases.into_iter().filter(|case| arguments.wants(case.0)) {
            measure(&Case { name, answer: &answer, sizes, labels, operations: None }, &arguments);
        }
    }
}

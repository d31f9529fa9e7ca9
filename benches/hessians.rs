//! How fast Jacobians and Hessians are evaluated once they are derived: logistic regression, matrix factorisation, softmax
//! regression and A*X*B, in double precision. A line of JSON for each problem and size: microseconds of the dense tensor, and of the
//! compressed one, medians; and milliseconds of the derivation. `benches/peers/hessians.py` sets them beside other libraries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::dimension::DimId;
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::plan::{Plan, Precision, Request, Tuning};
use matgrad::run::cpu::{InstructionSet, Pool};
use matgrad::run::{Dense, Executable, Given};
use matgrad::tensor::contract::{dense, numbers, roots};

/// Name, program, and the sizes of its dimensions.
type Problem = (&'static str, &'static str, Vec<Vec<(&'static str, i64)>>);

fn problems() -> Vec<Problem> {
    let logistic = [100, 500, 1000, 2000].map(|n| vec![("m", 2 * n), ("n", n)]).to_vec();
    let factorisation = [50, 100, 200, 400].map(|n| vec![("n", n), ("k", 5)]).to_vec();
    vec![
        (
            "logistic regression",
            "X : matrix(m, n); y : vector(m); w : vector(n)\nhessian sum(softplus(-y .* (X*w))) wrt w",
            logistic,
        ),
        (
            "matrix factorisation",
            "A : matrix(n, n); U, V : matrix(n, k)\nhessian normsq(U*V' - A) wrt U",
            factorisation,
        ),
        (
            "softmax regression",
            "X : matrix(m, n); Y : onehot(m, k); W : matrix(n, k)\nhessian -1/m*tr(Y'*logsoftmax(X*W)) wrt W",
            vec![vec![("m", 256), ("n", 32), ("k", 10)], vec![("m", 1024), ("n", 64), ("k", 10)]],
        ),
        (
            "A*X*B",
            "A : matrix(m, n); X : matrix(n, p); B : matrix(p, q)\njacobian A*X*B wrt X",
            vec![vec![("m", 20), ("n", 30), ("p", 25), ("q", 15)], vec![("m", 40), ("n", 60), ("p", 50), ("q", 30)]],
        ),
    ]
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    for (name, program, all_sizes) in problems() {
        if !wanted.is_empty() && !wanted.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        let derivation = median(&mut || {
            let start = Instant::now();
            black_box(answer(black_box(program), Detail::Full)).unwrap_or_else(|errors| panic!("{errors:?}"));
            start.elapsed().as_secs_f64()
        });
        let answer = answer(program, Detail::None).unwrap_or_else(|errors| panic!("{errors:?}"));
        for sizes in all_sizes {
            for threads in [1, 2] {
                let (of_dense, of_compressed) = evaluated(&answer, &sizes, threads);
                let sizes: Vec<String> = sizes.iter().map(|(name, n)| format!("\"{name}\": {n}")).collect();
                println!(
                    "{{\"problem\": \"{name}\", \"sizes\": {{{}}}, \"threads\": {threads}, \"dense_us\": {:.1}, \
                     \"compressed_us\": {:.2}, \"derivation_ms\": {:.3}}}",
                    sizes.join(", "),
                    of_dense * 1e6,
                    of_compressed * 1e6,
                    derivation * 1e3
                );
            }
        }
    }
}

/// Median seconds of the dense tensor and of its factors.
fn evaluated(answer: &Answer, sizes: &[(&str, i64)], threads: usize) -> (f64, f64) {
    let entries = &answer.outcomes[0].forms.as_ref().expect("a Jacobian or a Hessian").entries;
    let sizes: HashMap<String, i64> = sizes.iter().map(|&(name, n)| (name.to_owned(), n)).collect();
    let size = |d: DimId| answer.arena.dimensions.value(d, &|name| sizes.get(name).copied()).expect("a size") as usize;
    let axes: Vec<usize> = entries.axes.iter().map(|&d| size(d)).collect();
    let wanted: Vec<ExprId> = roots(entries);
    let request = Request {
        sizes: &sizes,
        independent: &[],
        labels: &[],
        precision: Precision::Double,
        threads,
        tuning: Tuning::default(),
    };
    let computed: Vec<ExprId> = wanted.iter().copied().filter(|&root| variable(answer, root).is_none()).collect();
    let plan = Plan::new(&answer.arena, &computed, &request).unwrap_or_else(|error| panic!("{error:?}"));
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let data: Vec<Matrix> = answer
        .arena
        .variables
        .iter()
        .map(|v| Matrix::from_fn(size(v.shape.rows), size(v.shape.columns), |_, _| random()))
        .collect();
    let given: Vec<Given<'_, f64>> = plan
        .inputs
        .iter()
        .map(|input| Given::Entries(data[variable(answer, input.node).expect("data of variables alone")].entries()))
        .collect();
    let shapes: Vec<(usize, usize)> = plan.outputs.iter().map(|o| (o.rows, o.columns)).collect();
    let set = InstructionSet::detect();
    let mut pool = Pool::new(threads);
    let mut executable = Executable::<f64>::new(plan, set).expect("a plan in f64");
    let mut factors = |pool: &mut Pool| {
        let mut values: Vec<Matrix> = shapes.iter().map(|&(rows, columns)| Matrix::zeros(rows, columns)).collect();
        let mut outputs: Vec<&mut [f64]> = values.iter_mut().map(Matrix::entries_mut).collect();
        executable.run(pool, &given, &mut outputs).expect("a run");
        values
    };
    let of_compressed = median(&mut || {
        let start = Instant::now();
        black_box(factors(&mut pool));
        start.elapsed().as_secs_f64()
    });
    let of_dense = median(&mut || {
        let start = Instant::now();
        let mut values = factors(&mut pool).into_iter();
        let all = wanted.iter().map(|&root| match variable(answer, root) {
            Some(v) => Cow::Borrowed(&data[v]),
            None => Cow::Owned(values.next().expect("a value for each root")),
        });
        let terms = numbers(entries, all, &size);
        black_box(dense(entries, &axes, &terms, &mut Dense { set, pool: &mut pool }).expect("room"));
        start.elapsed().as_secs_f64()
    });
    (of_dense, of_compressed)
}

/// The place of a variable among the variables.
fn variable(answer: &Answer, node: ExprId) -> Option<usize> {
    match answer.arena.op(node) {
        Op::Variable(v) => Some(v.0 as usize),
        _ => None,
    }
}

/// The median of as many runs as fit into a second, at least three.
fn median(run: &mut dyn FnMut() -> f64) -> f64 {
    run();
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || (start.elapsed().as_secs_f64() < 1.0 && times.len() < 2000) {
        times.push(run());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

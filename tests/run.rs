//! One table of programs on both machines: what a plan computes on the processor's kernels is what the reference interpreter
//! computes, for every program of the examples and the book and for random ones, in both precisions, with every instruction
//! set of the processor, on one thread and on two.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use chapters::{pages, sections};
use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::eval::{Numbers, Sampler, evaluate, sample};
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::plan::{Plan, Precision, Request, Tuning};
use matgrad::run::cpu::{Float, InstructionSet, Pool, View};
use matgrad::run::{Executable, Given, Repeated};
use random::generate::program;
use random::tree::Brackets;

#[allow(dead_code, reason = "of the pages only the programs are read here")]
mod chapters;
// The dereference that the lint would drop is what lets the compiler find the type.
#[allow(dead_code, clippy::explicit_auto_deref, reason = "programs are only made here, not judged")]
mod random {
    pub mod bound;
    pub mod chance;
    pub mod free;
    pub mod generate;
    pub mod tree;
}

/// Random programs of one run.
const PROGRAMS: u64 = 1500;

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
struct Setting {
    precision: Precision,
    set: InstructionSet,
    threads: usize,
    /// Small blocks, and work for all threads however little there is.
    fine: bool,
    /// Inputs lie column by column with gaps, where a plan can read that.
    scattered: bool,
}

/// Blocks of a few rows, shared however small.
const FINE: Tuning =
    Tuning { shared_from: 0.0, block_of_products: 1, block_of_passes: 256, accumulated_from: 1, joined_from: 1 };

fn settings() -> Vec<Setting> {
    let mut out = Vec::new();
    for set in InstructionSet::available() {
        for precision in [Precision::Double, Precision::Single] {
            for (threads, fine) in [(1, false), (1, true), (2, true)] {
                out.push(Setting { precision, set, threads, fine, scattered: false });
            }
        }
        for fine in [false, true] {
            out.push(Setting { precision: Precision::Double, set, threads: 1, fine, scattered: true });
        }
    }
    out
}

/// The values of the roots by a plan.
fn by_plan(
    answer: &Answer,
    numbers: &Numbers,
    roots: &[ExprId],
    setting: Setting,
    pool: &mut Pool,
) -> Result<Vec<Matrix>, String> {
    let tuning = if setting.fine { FINE } else { Tuning::default() };
    let request = Request {
        sizes: &numbers.dimensions,
        independent: &[],
        labels: &[],
        precision: setting.precision,
        threads: setting.threads,
        tuning,
    };
    let plan = Plan::new(&answer.arena, roots, &request).map_err(|error| error.message)?;
    match setting.precision {
        Precision::Double => run::<f64>(answer, numbers, plan, setting, pool),
        Precision::Mixed | Precision::Single => run::<f32>(answer, numbers, plan, setting, pool),
    }
}

fn run<T: Float>(
    answer: &Answer,
    numbers: &Numbers,
    plan: Plan,
    setting: Setting,
    pool: &mut Pool,
) -> Result<Vec<Matrix>, String> {
    let matrices: Vec<Vec<T>> = plan
        .inputs
        .iter()
        .map(|input| {
            let matrix = match answer.arena.op(input.node) {
                Op::Variable(v) => &numbers.variables[v.0 as usize],
                Op::Differential(of) => &numbers.differentials[of],
                _ => panic!("an input is a variable or a differential"),
            };
            matrix.entries().iter().map(|&x| T::from_f64(x)).collect()
        })
        .collect();
    let scattered: Vec<Vec<T>> = plan
        .inputs
        .iter()
        .zip(&matrices)
        .map(|(input, entries)| scattered(entries, input.rows, input.columns))
        .collect();
    let shapes: Vec<(usize, usize)> = plan.outputs.iter().map(|output| (output.rows, output.columns)).collect();
    let not_written = T::from_f64(f64::NAN);
    let mut results: Vec<Vec<T>> = shapes.iter().map(|(rows, columns)| vec![not_written; rows * columns]).collect();
    let mut executable = Executable::<T>::new(plan, setting.set).map_err(|error| error.message)?;
    let given: Vec<Given<'_, T>> = executable
        .plan()
        .inputs
        .iter()
        .enumerate()
        .map(|(i, input)| match setting.scattered && executable.reads_any_layout(i) {
            true => Given::View(View::new(&scattered[i], input.rows, input.columns, 2, 2 * input.rows + 3)),
            false => Given::Entries(&matrices[i]),
        })
        .collect();
    let mut first: Vec<Vec<f64>> = Vec::new();
    // The second run must not see what the first left.
    for again in [false, true] {
        let mut outputs: Vec<&mut [T]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        executable.run(pool, &given, &mut outputs).map_err(|error| error.message)?;
        let values: Vec<Vec<f64>> =
            results.iter().map(|entries| entries.iter().map(|x| x.to_f64()).collect()).collect();
        if again {
            let bits = |lists: &[Vec<f64>]| -> Vec<u64> { lists.iter().flatten().map(|x| x.to_bits()).collect() };
            assert_eq!(bits(&first), bits(&values), "two runs differ");
        }
        first = values;
    }
    Ok(first.into_iter().zip(shapes).map(|(entries, (rows, columns))| Matrix::new(rows, columns, entries)).collect())
}

/// The entries of a matrix column by column, each with a NaN behind it and three behind a column.
fn scattered<T: Float>(entries: &[T], rows: usize, columns: usize) -> Vec<T> {
    let mut out = vec![T::from_f64(f64::NAN); columns * (2 * rows + 3)];
    for (i, row) in entries.chunks_exact(columns).enumerate() {
        for (j, &entry) in row.iter().enumerate() {
            out[2 * i + j * (2 * rows + 3)] = entry;
        }
    }
    out
}

/// Definitions and results.
fn roots(answer: &Answer) -> Vec<ExprId> {
    answer.definitions.iter().copied().chain(answer.outcomes.iter().map(|outcome| outcome.result)).collect()
}

/// How large the numbers on the way are: rounding grows with them.
fn largest_on_the_way(answer: &Answer, numbers: &Numbers, roots: &[ExprId]) -> f64 {
    let all = answer.arena.reachable(roots);
    let values = evaluate(&answer.arena, numbers, &all)
        .map(|values| values.iter().map(Matrix::max_abs).filter(|x| x.is_finite()).fold(1.0, f64::max));
    values.unwrap_or(f64::INFINITY)
}

/// What differs between the two machines, in words.
fn differences(
    name: &str,
    answer: &Answer,
    numbers: &Numbers,
    settings: &[Setting],
    pools: &mut [Pool],
) -> Vec<String> {
    let roots = roots(answer);
    let expected = match evaluate(&answer.arena, numbers, &roots) {
        Ok(expected) => expected,
        Err(_) => return Vec::new(),
    };
    let largest = largest_on_the_way(answer, numbers, &roots);
    let mut wrong = Vec::new();
    for &setting in settings {
        let tolerance = if setting.precision == Precision::Double { 1e-9 } else { 2e-3 };
        let found = match by_plan(answer, numbers, &roots, setting, &mut pools[setting.threads - 1]) {
            Ok(found) => found,
            Err(message) => {
                wrong.push(format!("{name} {setting:?}: {message}"));
                continue;
            }
        };
        for ((root, expected), found) in roots.iter().zip(&expected).zip(&found) {
            assert_eq!(expected.shape(), found.shape(), "{name}");
            let worst = expected
                .entries()
                .iter()
                .zip(found.entries())
                .map(|(&a, &b)| if a == b || a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() })
                .fold(0.0, |worst: f64, x| if x.is_nan() { f64::INFINITY } else { worst.max(x) });
            let scale = expected.max_abs().max(largest);
            if worst > tolerance * scale.max(1.0) {
                let what = answer.arena.name_of(*root);
                wrong.push(format!(
                    "{name} {setting:?}: {what} is off by {worst}, numbers are up to {scale}\nexpected {expected:?}\nfound {found:?}"
                ));
            }
        }
    }
    wrong
}

fn pools() -> Vec<Pool> {
    (1..=2).map(Pool::new).collect()
}

fn differences_of_texts(texts: &[(String, String)], settings: &[Setting]) -> (usize, Vec<String>) {
    let mut pools = pools();
    let (mut compared, mut wrong) = (0, Vec::new());
    for (name, text) in texts {
        let Ok(answer) = answer(text, Detail::None) else { continue };
        let Some(numbers) = sample(&answer.arena, &answer.typed, &roots(&answer), 7) else { continue };
        compared += 1;
        wrong.extend(differences(name, &answer, &numbers, settings, &mut pools));
    }
    (compared, wrong)
}

#[test]
fn programs_of_the_examples_and_the_book_run_on_the_kernels() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut texts: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "mg"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a program is text")))
        .collect();
    texts.sort();
    for section in pages("book").iter().flat_map(|page| sections(page)) {
        texts.push((section.title, section.program));
    }
    let (compared, wrong) = differences_of_texts(&texts, &settings());
    assert!(compared > 150, "only {compared} programs were compared");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong[..wrong.len().min(6)].join("\n"));
}

#[test]
fn random_programs_run_on_the_kernels() {
    let texts: Vec<(String, String)> = (0..PROGRAMS)
        .map(|seed| (format!("seed {seed}"), program(seed).text(Brackets::Needed)))
        .map(|(name, text)| (format!("{name}\n{text}"), text))
        .collect();
    let all = settings();
    let in_double: Vec<Setting> = all.iter().copied().filter(|s| s.precision == Precision::Double).collect();
    let (compared, wrong) = differences_of_texts(&texts, &in_double);
    assert!(compared * 10 > texts.len() * 8, "only {compared} of {} programs were compared", texts.len());
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong[..wrong.len().min(6)].join("\n"));
}

/// Programs with names for their dimensions, run at many sizes.
const SIZED: [&str; 10] = [
    "X : matrix(a, b); Y : onehot(a, c); W1 : matrix(b, d); b1 : row(d); W2 : matrix(d, c); b2 : row(c); lambda : scalar\n\
     Z = relu(X*W1 + b1)\nP = softmax(Z*W2 + b2)\nL = -1/a*tr(Y'*log(P)) + lambda*(sum(W1.^2) + sum(W2.^2))\n\
     grad L wrt W1, b1, W2, b2",
    "X : matrix(a, b); w : vector(b); y : vector(a)\ngrad sum(softplus(X*w) - y .* (X*w)) wrt w, X",
    "A : matrix(a, b); U : matrix(a, c); V : matrix(b, c)\ngrad normsq(A - U*V') + 0.1*norm(U) wrt U, V",
    "X : matrix(a, b); G : matrix(a, b); g : row(b)\nM = X - rowmean(X)\ns = sqrt(rowmean(M.^2) + 1e-5)\n\
     grad sum(G .* ((M ./ s) .* g)) wrt X, g",
    "X : matrix(a, b); Q : matrix(b, c); K : matrix(b, c); V : matrix(b, d)\nA = softmax(X*Q*(X*K)'/sqrt(c))\n\
     grad sum(tanh(A*X*V)) wrt X, Q, K, V",
    "A : matrix(a, b); B : matrix(b, a); u : vector(a)\nS = A*B + B'*A' + diag(u)\n\
     grad sum(softmax(S, axis=0) .* S) + logsumexp(u) wrt A, B, u",
    "X : matrix(a, b); W : matrix(b, c); Y : matrix(a, c)\n\
     R = tanh(X*W) - Y\nS = X'*X\ngrad normsq(R) + tr(S*S) + sum(R'*X) wrt W, X",
    "A : matrix(a, b); x : vector(b); y : vector(a); r : row(b)\n\
     grad tr(A'*diag(y)*A*diag(x)) + sum(A*x*r) + r*x wrt A, x, y, r",
    "X : matrix(a, b); y : vector(a); r : vector(a)\nS = X*X'/b + eye(a)\nT = S + 0.5*tril(S)\n\
     grad y'*inv(S)*y + logdet(S) + logdet(T) + r'*inv(T)*y + sum(chol(S)) wrt X, y",
    "X : matrix(a, b); W : matrix(b, c); V : matrix(c, b); w : vector(b)\n\
     L = sum(tanh(X*W*V)) + sum(W.^2) + 3*normsq(V) + normsq(W + V') + sum(softplus(X*w)) + 0.5*w'*w\n\
     grad L wrt W, V, w",
];

#[test]
fn sizes_of_one_and_odd_sizes_run_on_the_kernels() {
    let mut pools = pools();
    let mut wrong = Vec::new();
    let sizes =
        [[1, 1, 1, 1], [1, 5, 2, 3], [4, 1, 3, 2], [5, 3, 1, 2], [3, 2, 4, 1], [17, 13, 10, 29], [67, 31, 5, 37]];
    for (i, program) in SIZED.iter().enumerate() {
        let answer = answer(program, Detail::None).unwrap_or_else(|errors| panic!("{program}: {errors:?}"));
        let roots = roots(&answer);
        for list in sizes {
            let fixed = ["a", "b", "c", "d"].iter().zip(list).map(|(name, size)| ((*name).to_owned(), size)).collect();
            let numbers = Sampler::with_sizes(&answer.arena, &roots, fixed).draw(5).expect("a point in the domain");
            wrong.extend(differences(&format!("program {i} at {list:?}"), &answer, &numbers, &settings(), &mut pools));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong[..wrong.len().min(6)].join("\n"));
}

fn network() -> (Answer, Vec<ExprId>, ExprId) {
    let answer = answer(SIZED[0], Detail::None).expect("a program");
    let roots: Vec<ExprId> =
        std::iter::once(answer.outcomes[0].of_node).chain(answer.outcomes.iter().map(|o| o.result)).collect();
    let reachable = answer.arena.reachable(&roots);
    let is_y = |id: &ExprId| matches!(answer.arena.op(*id), Op::Variable(_)) && answer.arena.name_of(*id) == "Y";
    let targets = reachable.into_iter().find(is_y).expect("Y is read");
    (answer, roots, targets)
}

fn network_sizes(samples: i64) -> HashMap<String, i64> {
    [("a", samples), ("b", 6), ("c", 4), ("d", 5)].map(|(name, size)| (name.to_owned(), size)).into()
}

#[test]
fn labels_stand_for_the_one_hot_matrix() {
    let (answer, roots, targets) = network();
    let by_labels = Repeated::new(&answer.arena, &roots, &[targets], InstructionSet::detect(), 2);
    let by_entries = Repeated::new(&answer.arena, &roots, &[], InstructionSet::detect(), 1);
    for samples in [1_usize, 9, 3, 9] {
        let labels: Vec<u32> = (0..samples as u32).map(|i| (3 * i + 1) % 4).collect();
        let mut onehot = vec![0.0; samples * 4];
        labels.iter().enumerate().for_each(|(i, &label)| onehot[4 * i + label as usize] = 1.0);
        let arrays: HashMap<&str, Vec<f64>> =
            [("X", samples * 6), ("W1", 30), ("b1", 5), ("W2", 20), ("b2", 4), ("lambda", 1)]
                .map(|(name, count)| (name, (0..count).map(|i| ((7 * i + count) % 11) as f64 / 11.0 - 0.4).collect()))
                .into();
        let sizes = network_sizes(samples as i64);
        let entries = |name: &str| arrays.get(name).map(|list| Given::Entries(list));
        let from_labels = by_labels
            .run(&sizes, &|input| if input.name == "Y" { Some(Given::Labels(&labels)) } else { entries(&input.name) })
            .expect("a run");
        let from_entries = by_entries
            .run(&sizes, &|input| if input.name == "Y" { Some(Given::Entries(&onehot)) } else { entries(&input.name) })
            .expect("a run");
        for (a, b) in from_labels.iter().zip(&from_entries) {
            assert!(a.subtract(b).max_abs() < 1e-14, "{samples} samples: {a:?} and {b:?}");
        }
    }
}

#[test]
fn wrong_arrays_are_errors_before_anything_runs() {
    let (answer, roots, targets) = network();
    let sizes = network_sizes(3);
    let request = Request {
        sizes: &sizes,
        independent: &[],
        labels: &[targets],
        precision: Precision::Single,
        threads: 1,
        tuning: Tuning::default(),
    };
    let plan = Plan::new(&answer.arena, &roots, &request).expect("a plan");
    let error = Executable::<f64>::new(plan.clone(), InstructionSet::detect()).expect_err("another precision");
    assert_eq!(error.message, "the plan is for 32-bit numbers");
    let mut executable = Executable::<f32>::new(plan.clone(), InstructionSet::detect()).expect("a plan in f32");
    let arrays: Vec<Vec<f32>> = plan.inputs.iter().map(|input| vec![0.5; input.rows * input.columns]).collect();
    let targets = plan.inputs.iter().position(|input| input.name == "Y").expect("Y is given");
    let mut error = |labels: &[u32], shorter: Option<usize>, room: usize| {
        let given: Vec<Given<'_, f32>> = arrays
            .iter()
            .enumerate()
            .map(|(i, list)| match i {
                _ if i == targets => Given::Labels(labels),
                _ if shorter == Some(i) => Given::Entries(&list[1..]),
                _ => Given::Entries(list),
            })
            .collect();
        let mut results: Vec<Vec<f32>> = plan.outputs.iter().map(|o| vec![0.0; o.rows * o.columns]).collect();
        results[1].resize(room, 0.0);
        let mut outputs: Vec<&mut [f32]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        executable.run(&mut Pool::new(1), &given, &mut outputs).map_err(|error| error.message)
    };
    assert_eq!(error(&[0, 3, 1], None, 30), Ok(()));
    assert_eq!(error(&[0, 4, 1], None, 30), Err("label 4 of row 2 is out of range: `Y` has 4 columns".to_owned()));
    assert_eq!(error(&[0, 1], None, 30), Err("`Y` has 3 rows, but 2 labels are given".to_owned()));
    assert_eq!(error(&[0, 3, 1], None, 29), Err("output 2 is 6x5, but there is room for 29 numbers".to_owned()));
    let x = plan.inputs.iter().position(|input| input.name == "X").expect("X is given");
    assert_eq!(error(&[0, 3, 1], Some(x), 30), Err("`X` is 3x6, but 17 numbers are given".to_owned()));
}

#[test]
fn dimensions_without_a_positive_number_have_no_plan() {
    let (answer, roots, _) = network();
    let plan = |sizes: &HashMap<String, i64>| {
        let request = Request {
            sizes,
            independent: &[],
            labels: &[],
            precision: Precision::Double,
            threads: 1,
            tuning: Tuning::default(),
        };
        Plan::new(&answer.arena, &roots, &request).map(|_| ()).map_err(|error| error.message)
    };
    assert_eq!(plan(&network_sizes(0)), Err("the dimension `a` is not positive".to_owned()));
    let mut sizes = network_sizes(2);
    sizes.remove("d");
    assert_eq!(plan(&sizes), Err("the dimension `d` has no value".to_owned()));
}

#[test]
fn numbers_are_rounded_for_a_run_in_single_precision() {
    let answer =
        answer("X : matrix(n, n)\nf = sum(X.^2) + sum(exp(X))\ngrad f wrt X", Detail::None).expect("a program");
    let roots: Vec<ExprId> = vec![answer.outcomes[0].of_node, answer.outcomes[0].result];
    let double = Repeated::new(&answer.arena, &roots, &[], InstructionSet::detect(), 1);
    let single = double.clone().in_precision(Precision::Single);
    for n in [1_usize, 5, 1] {
        let sizes = HashMap::from([("n".to_owned(), n as i64)]);
        let entries: Vec<f64> = (0..n * n).map(|i| 0.1 * i as f64 - 0.7).collect();
        let run = |runs: &Repeated| runs.run(&sizes, &|_| Some(Given::Entries(&entries))).expect("a run");
        let (long, short) = (run(&double), run(&single.clone()));
        assert_eq!(run(&single), short, "the same bits");
        for (long, short) in long.iter().zip(&short) {
            assert_ne!(long, short);
            assert!(long.subtract(short).max_abs() < 1e-6 * long.max_abs(), "{long:?} {short:?}");
            assert!(short.entries().iter().all(|&x| f64::from(x as f32) == x));
        }
        // Entries in any layout are the same numbers.
        let backwards: Vec<f64> = (0..n * n).map(|k| entries[(k % n) * n + k / n]).collect();
        let view = View::new(&backwards, n, n, 1, n);
        assert_eq!(single.run(&sizes, &|_| Some(Given::View(view))).expect("a run"), short);
    }
    let sizes = HashMap::from([("n".to_owned(), 1)]);
    let run = |x: f64| {
        let entries = [x];
        single.run(&sizes, &|_| Some(Given::Entries(&entries))).map_err(|error| error.message)
    };
    assert_eq!(run(-1e39), Err("`X` has -1e39, too large for a 32-bit number".to_owned()));
    assert_eq!(run(f64::INFINITY).expect("infinite numbers go through")[0].at(0, 0), f64::INFINITY);
}

#[test]
fn what_has_no_value_is_an_error() {
    let answer = answer("A : matrix(n, n)\ngrad sum(inv(A)) wrt A", Detail::None).expect("a program");
    let roots = roots(&answer);
    let runs = Repeated::new(&answer.arena, &roots, &[], InstructionSet::detect(), 1);
    let sizes = HashMap::from([("n".to_owned(), 2)]);
    let run = |entries: &[f64]| runs.run(&sizes, &|_| Some(Given::Entries(entries))).map_err(|error| error.message);
    assert_eq!(run(&[1.0, 2.0, 2.0, 4.0]), Err("the matrix is singular to working precision".to_owned()));
    assert!(run(&[1.0, 2.0, 2.0, 5.0]).is_ok(), "the next run has a value");
}

#[test]
fn long_programs_run_on_the_kernels() {
    let mut layers = String::from("X : matrix(N, D)\n");
    for i in 0..60 {
        let before = if i == 0 { "X".to_owned() } else { format!("H{}", i - 1) };
        let (rows, columns) = (if i == 0 { "D" } else { "K" }, "K");
        layers.push_str(&format!("W{i} : matrix({rows}, {columns})\nH{i} = tanh({before}*W{i})\n"));
    }
    layers.push_str("grad sum(H59) wrt W0, W30, W59");
    let terms: Vec<String> = (1..400).map(|k| format!("sin({k}*x)./{k}")).collect();
    let wide = format!("x : vector(n)\ngrad sum({}) wrt x", terms.join(" + "));
    let settings: Vec<Setting> = settings().into_iter().filter(|s| s.precision == Precision::Double).collect();
    let texts = [("60 layers".to_owned(), layers), ("399 terms".to_owned(), wide)];
    let (compared, wrong) = differences_of_texts(&texts, &settings);
    assert_eq!(compared, 2);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

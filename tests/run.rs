//! One table of programs on both machines: what a plan computes on the processor's kernels is what the reference interpreter
//! computes, for every program of the examples and the book and for random ones, in both precisions, with every instruction
//! set of the processor, on one thread and on two.

use std::fs;
use std::path::Path;

use chapters::{pages, sections};
use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::eval::{Numbers, evaluate, sample};
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::plan::{Plan, Precision, Request, Tuning};
use matgrad::run::cpu::{Float, InstructionSet, Pool};
use matgrad::run::{Executable, Given};
use random::generate::program;
use random::tree::Brackets;

#[allow(dead_code, reason = "of the pages only the programs are read here")]
mod chapters;
#[allow(dead_code, reason = "programs are only made here, not judged")]
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
}

/// Blocks of a few rows, shared however small.
const FINE: Tuning = Tuning { shared_from: 0.0, block_of_products: 1, block_of_passes: 256, joined_from: 1 };

fn settings() -> Vec<Setting> {
    let mut out = Vec::new();
    for set in InstructionSet::available() {
        for precision in [Precision::Double, Precision::Single] {
            for (threads, fine) in [(1, false), (1, true), (2, true)] {
                out.push(Setting { precision, set, threads, fine });
            }
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
        Precision::Double => run::<f64>(answer, numbers, plan, setting.set, pool),
        Precision::Single => run::<f32>(answer, numbers, plan, setting.set, pool),
    }
}

fn run<T: Float>(
    answer: &Answer,
    numbers: &Numbers,
    plan: Plan,
    set: InstructionSet,
    pool: &mut Pool,
) -> Result<Vec<Matrix>, String> {
    let given: Vec<Vec<T>> = plan
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
    let given: Vec<Given<'_, T>> = given.iter().map(|entries| Given::Entries(entries)).collect();
    let shapes: Vec<(usize, usize)> = plan.outputs.iter().map(|output| (output.rows, output.columns)).collect();
    let not_written = T::from_f64(f64::NAN);
    let mut results: Vec<Vec<T>> = shapes.iter().map(|(rows, columns)| vec![not_written; rows * columns]).collect();
    let mut executable = Executable::<T>::new(plan, set).map_err(|error| error.message)?;
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

/// Definitions and results.
fn roots(answer: &Answer) -> Vec<ExprId> {
    answer.definitions.iter().copied().chain(answer.outcomes.iter().map(|outcome| outcome.result)).collect()
}

/// How large the numbers on the way are: rounding grows with them.
fn largest_on_the_way(answer: &Answer, numbers: &Numbers, roots: &[ExprId]) -> f64 {
    let all = answer.arena.reachable(roots);
    let values = evaluate(&answer.arena, numbers, &all).map(|values| {
        values.iter().map(Matrix::max_abs).filter(|x| x.is_finite()).fold(1.0, f64::max)
    });
    values.unwrap_or(f64::INFINITY)
}

/// What differs between the two machines, in words.
fn differences(name: &str, answer: &Answer, numbers: &Numbers, settings: &[Setting], pools: &mut [Pool]) -> Vec<String> {
    let roots = roots(answer);
    let expected = match evaluate(&answer.arena, numbers, &roots) {
        Ok(expected) => expected,
        Err(_) => return Vec::new(),
    };
    let largest = largest_on_the_way(answer, numbers, &roots);
    let mut wrong = Vec::new();
    for &setting in settings {
        let tolerance = match setting.precision {
            Precision::Double => 1e-9,
            Precision::Single => 2e-3,
        };
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

//! One step of a two-layer network, its loss and its four gradients in f32, and the share of the processor's peak that it
//! reaches: the peak is measured in the same run, between the steps, so that what else the machine does slows both.
//! `cargo bench --bench step -- [SIZE…] [--plan]`.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::expr::ExprId;
use matgrad::plan::{Form, Plan, Precision, Request, Tuning};
use matgrad::run::cpu::{InstructionSet, Pool};
use matgrad::run::{Executable, Given};

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
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let wanted = |name: &str| {
        let names: Vec<&String> = arguments.iter().filter(|a| !a.starts_with("--")).collect();
        names.is_empty() || names.iter().any(|a| *a == name)
    };
    let show = arguments.iter().any(|a| a == "--plan");
    println!(
        "{}; from the text to the first gradients of `tiny` {:.2} ms",
        InstructionSet::detect().name(),
        first_result()
    );
    let answer = answer(PROGRAM, Detail::None).unwrap_or_else(|errors| panic!("{errors:?}"));
    println!(
        "{:<8} {:>7} {:>11} {:>11} {:>9} {:>9} {:>7}",
        "size", "threads", "median us", "best us", "GFLOP/s", "peak", "share"
    );
    for (name, n, d, h, c) in SIZES.into_iter().filter(|size| wanted(size.0)) {
        for threads in [1, 2] {
            step(&answer, name, [n, d, h, c], threads, show);
        }
    }
}

/// Milliseconds from the program's text to its first results: read, derived, planned, compiled, run once.
fn first_result() -> f64 {
    let start = Instant::now();
    let answer = answer(PROGRAM, Detail::None).unwrap_or_else(|errors| panic!("{errors:?}"));
    let plan = planned(&answer, [64, 64, 128, 10], 1);
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

/// Seconds that the processor gave this thread, where the system tells: others may have had it in between.
fn processor_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}

fn step(answer: &Answer, name: &str, [n, d, h, c]: [i64; 4], threads: usize, show: bool) {
    let start = Instant::now();
    let plan = planned(answer, [n, d, h, c], threads);
    let planning = start.elapsed();
    if show {
        println!("{plan}planned in {:.2} ms", planning.as_secs_f64() * 1e3);
    }
    let mut pool = Pool::new(threads);
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u32 << 24) as f32 - 0.5
    };
    let labels: Vec<u32> = (0..n as u32).map(|i| (i * 7) % c as u32).collect();
    let arrays: Vec<Vec<f32>> = plan
        .inputs
        .iter()
        .map(|input| {
            let scale = 2.0 / (input.rows as f32).sqrt();
            (0..input.rows * input.columns).map(|_| random() * scale).collect()
        })
        .collect();
    let forms: Vec<Form> = plan.inputs.iter().map(|input| input.form).collect();
    let given: Vec<Given<'_, f32>> = arrays
        .iter()
        .zip(&forms)
        .map(|(array, form)| if *form == Form::Labels { Given::Labels(&labels) } else { Given::Entries(array) })
        .collect();
    let mut results: Vec<Vec<f32>> = plan.outputs.iter().map(|o| vec![0.0; o.rows * o.columns]).collect();
    let mut executable = Executable::<f32>::new(plan, InstructionSet::detect()).expect("a plan in f32");
    let operations = 2.0 * n as f64 * (2.0 * (d * h) as f64 + 3.0 * (h * c) as f64);
    let mut run = |pool: &mut Pool| {
        let mut outputs: Vec<&mut [f32]> = results.iter_mut().map(Vec::as_mut_slice).collect();
        executable.run(pool, &given, &mut outputs).expect("a run");
    };
    run(&mut pool);
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    let (started, processor_before) = (Instant::now(), processor_time());
    while started.elapsed().as_secs_f64() < 1.5 || times.len() < 5 {
        peaks.push(peak(&mut pool));
        let repeat = (2e-4 / (operations / 1e11)).clamp(1.0, 50.0) as usize;
        for _ in 0..repeat {
            let start = Instant::now();
            run(&mut pool);
            times.push(start.elapsed().as_secs_f64());
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    let processor = processor_time().zip(processor_before).map(|(now, before)| (now - before) / elapsed);
    let (time, peak) = (median(&mut times), median(&mut peaks));
    let speed = operations / time / 1e9;
    println!(
        "{name:<8} {threads:>7} {:>11.1} {:>11.1} {speed:>9.1} {peak:>9.1} {:>6.1}% {:>10.0}%",
        time * 1e6,
        times[0] * 1e6,
        100.0 * speed / peak,
        100.0 * processor.unwrap_or(f64::NAN)
    );
}

fn planned(answer: &Answer, [n, d, h, c]: [i64; 4], threads: usize) -> Plan {
    let sizes: HashMap<String, i64> =
        [("N", n), ("D", d), ("H", h), ("C", c)].map(|(name, size)| (name.to_owned(), size)).into();
    let loss = answer.outcomes[0].of_node;
    let roots: Vec<ExprId> = std::iter::once(loss).chain(answer.outcomes.iter().map(|o| o.result)).collect();
    let labels: Vec<ExprId> = answer
        .arena
        .reachable(&roots)
        .into_iter()
        .filter(|&id| answer.arena.name_of(id) == "Y" && answer.arena.variables.iter().any(|v| v.name == "Y"))
        .collect();
    let request = Request {
        sizes: &sizes,
        independent: &[],
        labels: &labels,
        precision: Precision::Single,
        threads,
        tuning: Tuning::default(),
    };
    Plan::new(&answer.arena, &roots, &request).expect("a plan")
}

fn median(list: &mut [f64]) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

/// Multiplications and additions per second of all threads together, in units of 10⁹.
fn peak(pool: &mut Pool) -> f64 {
    const ROUNDS: usize = 20_000;
    let start = Instant::now();
    pool.run(&|_| {
        black_box(fused(ROUNDS));
    });
    let operations = (pool.threads() * ROUNDS * operations_of_a_round()) as f64;
    operations / start.elapsed().as_secs_f64() / 1e9
}

#[cfg(target_arch = "x86_64")]
fn operations_of_a_round() -> usize {
    if is_x86_feature_detected!("avx512f") { 16 * 16 * 2 } else { 12 * 8 * 2 }
}

#[cfg(target_arch = "x86_64")]
fn fused(rounds: usize) -> f32 {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has the instructions.
        unsafe { fused_avx512(rounds) }
    } else {
        // SAFETY: a processor on which the bench is of use has them.
        unsafe { fused_avx2(rounds) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn fused_avx512(rounds: usize) -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let (x, y) = (_mm512_set1_ps(black_box(0.999_999)), _mm512_set1_ps(black_box(1e-6)));
    let mut sums = [_mm512_set1_ps(black_box(1.0)); 16];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(*sum, x, y);
        }
    }
    sums.iter().map(|&sum| _mm512_reduce_add_ps(sum)).sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused_avx2(rounds: usize) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let (x, y) = (_mm256_set1_ps(black_box(0.999_999)), _mm256_set1_ps(black_box(1e-6)));
    let mut sums = [_mm256_set1_ps(black_box(1.0)); 12];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, x, y);
        }
    }
    sums.iter().map(|&sum| _mm256_cvtss_f32(sum)).sum()
}

#[cfg(not(target_arch = "x86_64"))]
fn operations_of_a_round() -> usize {
    64 * 2
}

#[cfg(not(target_arch = "x86_64"))]
fn fused(rounds: usize) -> f32 {
    let (x, y) = (black_box(0.999_999_f32), black_box(1e-6_f32));
    let mut sums = [black_box(1.0_f32); 64];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sum.mul_add(x, y);
        }
    }
    sums.iter().sum()
}

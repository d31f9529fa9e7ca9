//! How fast the kernels are: products of the two-layer network's sizes as a share of the multiply-adds that a core can do,
//! measured in turns with them, and element-wise functions in nanoseconds a number. Run with `cargo bench --bench kernels`; a
//! name of a size as an argument runs that size, a name of an instruction set caps the instructions.

use std::hint::black_box;
use std::time::Instant;

use matgrad::run::cpu::elementwise::{Code, Instruction, Operand, Output, Unary};
use matgrad::run::cpu::products::{Into, Product, Sums, multiply, workspace};
use matgrad::run::cpu::{Buffer, InstructionSet, View, ViewMut, multiply_adds};

/// Name, samples N, features D, hidden units H, classes C.
const SIZES: &[(&str, [usize; 4])] = &[
    ("tiny", [64, 64, 128, 10]),
    ("digits", [128, 64, 256, 10]),
    ("mnist", [128, 784, 512, 10]),
    ("cifar", [200, 3072, 1024, 10]),
    ("wide", [1024, 1024, 4096, 1000]),
    ("big", [2048, 2048, 4096, 1000]),
];

/// Which factor's memory is turned.
#[derive(Clone, Copy, PartialEq)]
enum Turned {
    None,
    Left,
    Right,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let set = arguments.iter().find_map(|name| InstructionSet::named(name)).unwrap_or_else(InstructionSet::detect);
    let chosen: Vec<_> = SIZES.iter().filter(|(name, _)| arguments.iter().any(|argument| argument == name)).collect();
    let sizes = if chosen.is_empty() { SIZES.iter().collect() } else { chosen };
    println!(
        "{set}, single precision, one thread: median and best of many runs, share of the multiply-adds of the same run"
    );
    for (name, [n, d, h, c]) in sizes.into_iter().copied() {
        let products = [
            ("X*W1", (n, h, d), Turned::None),
            ("H1*W2", (n, c, h), Turned::None),
            ("H1'*G", (h, c, n), Turned::Left),
            ("G*W2'", (n, h, c), Turned::Right),
            ("X'*G1", (d, h, n), Turned::Left),
        ];
        let (mut time, mut floor) = (0.0, 0.0);
        for (product, shape, turned) in products {
            let (seconds, least, peak) = product_speed(set, shape, turned);
            let operations = 2.0 * (shape.0 * shape.1 * shape.2) as f64;
            let share = |seconds: f64| 100.0 * operations / seconds / peak;
            println!(
                "{name:7} {product:6} {:5} {:5} {:5}  {:7.1} GFLOP/s {:4.0} % {:4.0} %",
                shape.0,
                shape.1,
                shape.2,
                operations / seconds / 1e9,
                share(seconds),
                share(least)
            );
            time += seconds;
            floor += operations / peak;
        }
        println!("{name:7} all five: {:.1} µs, {:.0} %", time * 1e6, 100.0 * floor / time);
    }
    if arguments.is_empty() {
        functions(set);
    }
}

/// Median and least seconds of a product, and the core's operations a second.
fn product_speed(set: InstructionSet, (m, n, k): (usize, usize, usize), turned: Turned) -> (f64, f64, f64) {
    let filled = |length: usize| {
        let mut buffer = Buffer::<f32>::zeroed(length);
        buffer.iter_mut().enumerate().for_each(|(i, x)| *x = (i * 7919 % 1013) as f32 / 1013.0 - 0.5);
        buffer
    };
    let (a, b) = (filled(m * k), filled(k * n));
    let mut out = Buffer::zeroed(m * n);
    let mut work = Buffer::zeroed(workspace::<f32>(set, m, n, k));
    let left = if turned == Turned::Left { View::row_major(&a, k, m).transposed() } else { View::row_major(&a, m, k) };
    let right =
        if turned == Turned::Right { View::row_major(&b, n, k).transposed() } else { View::row_major(&b, k, n) };
    let product = Product::new(left, right);
    let operations = 2.0 * (m * n * k) as f64;
    // Runs of about a tenth of a millisecond, so that other work on the machine meets few of them.
    let repeats = (1e7 / operations).ceil() as usize;
    let runs = (2e10 / (operations * repeats as f64)).clamp(7.0, 301.0) as usize;
    let (mut times, mut peak) = (Vec::new(), 0.0_f64);
    for _ in 0..runs {
        let start = Instant::now();
        let done = multiply_adds::<f32>(set, black_box(20_000));
        peak = peak.max(done / start.elapsed().as_secs_f64());
        let start = Instant::now();
        for _ in 0..repeats {
            multiply(set, &product, ViewMut::row_major(&mut out, m, n), Sums::default(), &mut work);
        }
        times.push(start.elapsed().as_secs_f64() / repeats as f64);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0], peak)
}

/// Nanoseconds a number of each function, in the nearest cache.
fn functions(set: InstructionSet) {
    let all = [
        Unary::Copy,
        Unary::Exp,
        Unary::Log,
        Unary::Log1p,
        Unary::Expm1,
        Unary::Tanh,
        Unary::Sigmoid,
        Unary::Softplus,
        Unary::Erf,
        Unary::Gelu,
        Unary::Sin,
        Unary::Tan,
        Unary::Asin,
        Unary::Atan,
        Unary::Sqrt,
    ];
    println!("nanoseconds a number, best of many runs: single, double");
    for function in all {
        let instruction = Instruction::Unary { to: 0, function, of: Operand::Input(0) };
        let code = Code::new(vec![instruction], vec![Output::Store(Operand::Register(0))], 1).expect("a code");
        let single: Vec<f32> = (0..2048).map(|i| (i % 97) as f32 / 100.0).collect();
        let double: Vec<f64> = single.iter().map(|&x| f64::from(x)).collect();
        println!("{:10} {:.3} {:.3}", format!("{function:?}"), speed(set, &code, &single), speed(set, &code, &double));
    }
}

fn speed<T: matgrad::run::cpu::Float>(set: InstructionSet, code: &Code, x: &[T]) -> f64 {
    let mut out = vec![T::ZERO; x.len()];
    let mut work = Buffer::zeroed(code.workspace::<T>());
    let shape = (1, x.len());
    let mut least = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..10 {
            let mut outputs = [ViewMut::row_major(&mut out, 1, x.len())];
            code.run(set, shape, &[View::row_major(x, 1, x.len())], &mut outputs, Into::Replace, &mut work);
        }
        least = least.min(start.elapsed().as_secs_f64() / (10 * x.len()) as f64);
    }
    least * 1e9
}

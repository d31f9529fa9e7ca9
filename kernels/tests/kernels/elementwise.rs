//! Passes against plain loops, and functions against the standard library in units of the last place. All instruction sets, both
//! precisions.

use matgrad_kernels::elementwise::{Binary, Code, CodeError, Fold, Instruction, Operand, Output, Over, Unary};
use matgrad_kernels::error_function::{erf, erfc};
use matgrad_kernels::products::Into;
use matgrad_kernels::{Buffer, Float, InstructionSet, View, ViewMut};

type Exact = fn(f64) -> f64;
type ExactOfTwo = fn(f32, f32) -> f32;

/// A function with where it is measured and how the standard library has it.
struct Row {
    name: &'static str,
    function: Unary,
    exact: Exact,
    /// Where it is measured in single and in double precision.
    from: f64,
    to: [f64; 2],
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[rustfmt::skip]
const FUNCTIONS: &[Row] = &[
    Row { name: "exp", function: Unary::Exp, exact: f64::exp, from: -87.0, to: [88.0, 700.0] },
    Row { name: "expm1", function: Unary::Expm1, exact: f64::exp_m1, from: -30.0, to: [88.0, 700.0] },
    Row { name: "log", function: Unary::Log, exact: f64::ln, from: 1e-6, to: [1e6, 1e6] },
    Row { name: "log1p", function: Unary::Log1p, exact: f64::ln_1p, from: -0.9999, to: [1e4, 1e4] },
    Row { name: "tanh", function: Unary::Tanh, exact: f64::tanh, from: -12.0, to: [12.0, 25.0] },
    Row { name: "sinh", function: Unary::Sinh, exact: f64::sinh, from: -80.0, to: [80.0, 700.0] },
    Row { name: "cosh", function: Unary::Cosh, exact: f64::cosh, from: -80.0, to: [80.0, 700.0] },
    Row { name: "sigmoid", function: Unary::Sigmoid, exact: sigmoid, from: -80.0, to: [80.0, 80.0] },
    Row { name: "softplus", function: Unary::Softplus, exact: softplus, from: -80.0, to: [80.0, 80.0] },
    Row { name: "silu", function: Unary::Silu, exact: |x| x * sigmoid(x), from: -80.0, to: [80.0, 80.0] },
    Row { name: "elu", function: Unary::Elu, exact: |x| if x <= 0.0 { x.exp_m1() } else { x }, from: -30.0, to: [4.0, 4.0] },
    Row { name: "erf", function: Unary::Erf, exact: erf, from: -5.0, to: [5.0, 5.0] },
    Row { name: "erfc", function: Unary::Erfc, exact: erfc, from: -5.0, to: [9.0, 25.0] },
    Row { name: "gelu", function: Unary::Gelu, exact: |x| 0.5 * x * erfc(-x * std::f64::consts::FRAC_1_SQRT_2), from: -3.0, to: [12.0, 12.0] },
    Row { name: "sin", function: Unary::Sin, exact: f64::sin, from: -8000.0, to: [8000.0, 8e5] },
    Row { name: "cos", function: Unary::Cos, exact: f64::cos, from: -8000.0, to: [8000.0, 8e5] },
    Row { name: "tan", function: Unary::Tan, exact: f64::tan, from: -8000.0, to: [8000.0, 8e5] },
    Row { name: "asin", function: Unary::Asin, exact: f64::asin, from: -1.0, to: [1.0, 1.0] },
    Row { name: "acos", function: Unary::Acos, exact: f64::acos, from: -1.0, to: [1.0, 1.0] },
    Row { name: "atan", function: Unary::Atan, exact: f64::atan, from: -40.0, to: [40.0, 40.0] },
];

/// f of each number, by a pass.
fn apply<T: Float>(set: InstructionSet, function: Unary, x: &[T]) -> Vec<T> {
    let instruction = Instruction::Unary { to: 0, function, of: Operand::Input(0) };
    let code = Code::new(vec![instruction], vec![Output::Store(Operand::Register(0))], 1).expect("a code");
    let mut out = vec![T::ZERO; x.len()];
    let mut work = Buffer::zeroed(code.workspace::<T>());
    let (input, output) = (View::row_major(x, 1, x.len()), ViewMut::row_major(&mut out, 1, x.len()));
    code.run(set, (1, x.len()), &[input], &mut [output], Into::Replace, &mut work);
    out
}

/// Numbers from a range, half of them near 0 on a logarithmic scale.
fn points(from: f64, to: f64, count: usize) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut out = Vec::new();
    for i in 0..count {
        let x = from + (to - from) * random();
        let near = x * 10_f64.powf(-6.0 * random());
        out.push(if i % 2 == 0 || near < from { x } else { near });
    }
    out
}

/// The largest error of a function in units of the last place, and where.
fn worst<T: Float>(set: InstructionSet, row: &Row, to: f64, digits: i32, smallest: f64) -> (f64, f64) {
    let x: Vec<T> = points(row.from, to, if cfg!(miri) { 60 } else { 20_000 }).into_iter().map(T::from_f64).collect();
    let mut worst = (0.0, 0.0);
    for (x, y) in x.iter().zip(apply(set, row.function, &x)) {
        let exact = (row.exact)(x.to_f64());
        let unit = 2_f64.powi(exact.abs().max(smallest).log2().floor() as i32 + 1 - digits);
        let error = (y.to_f64() - exact).abs() / unit;
        if error > worst.0 || error.is_nan() {
            worst = (error, x.to_f64());
        }
    }
    worst
}

/// The bounds that the page of the kernels states: for each function, single and double.
fn stated(name: &str) -> [f64; 2] {
    let page = include_str!("../../../docs/kernels.md");
    let start = format!("| {name} | ");
    let line = page.lines().find_map(|line| line.strip_prefix(&start));
    let line = line.unwrap_or_else(|| panic!("docs/kernels.md states no error of {name}"));
    let mut cells = line.split('|').map(|cell| cell.trim().parse::<f64>().expect("a number"));
    [cells.next().expect("single"), cells.next().expect("double")]
}

#[test]
fn errors_of_functions_are_as_stated() {
    let mut wrong = Vec::new();
    for row in FUNCTIONS {
        let bounds = stated(row.name);
        let mut largest = [0.0_f64; 2];
        for set in InstructionSet::available() {
            let single = worst::<f32>(set, row, row.to[0], 24, f64::from(f32::MIN_POSITIVE));
            let double = worst::<f64>(set, row, row.to[1], 53, f64::MIN_POSITIVE);
            largest = [largest[0].max(single.0), largest[1].max(double.0)];
            for (measured, bound, precision) in [(single, bounds[0], "single"), (double, bounds[1], "double")] {
                if measured.0 > bound {
                    wrong.push(format!("{} {set} {precision}: {:.2} at {:e}", row.name, measured.0, measured.1));
                }
            }
        }
        // Few points do not find the worst.
        if !cfg!(miri) && (largest[0] < bounds[0] / 4.0 || largest[1] < bounds[1] / 4.0) {
            wrong.push(format!("{}: {largest:.2?} is far below what is stated", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ends_of_domains_are_as_in_the_standard_library() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let special = [0.0, -0.0, inf, -inf, nan, 1.0, -1.0, 1e-40, 3e38, -3e38, 0.5, -2.0, 1e-30, 1e9, -1e9];
    for row in FUNCTIONS {
        for set in InstructionSet::available() {
            let single: Vec<f32> = special.iter().map(|&x| x as f32).collect();
            for (x, y) in single.iter().zip(apply(set, row.function, &single)) {
                let exact = (row.exact)(f64::from(*x)) as f32;
                // 0 times an infinity is what the plain formulas of these give.
                if x.is_infinite() && ["silu", "gelu"].contains(&row.name) {
                    continue;
                }
                let close = (y - exact).abs() <= 8.0 * f32::EPSILON * exact.abs() || (y - exact).abs() < 1e-38;
                assert!(
                    close || y == exact || (y.is_nan() && exact.is_nan()),
                    "{} {set} ({x}): {y}, not {exact}",
                    row.name
                );
            }
            for (x, y) in special.iter().zip(apply(set, row.function, &special)) {
                let exact = (row.exact)(*x);
                if x.is_infinite() && ["silu", "gelu"].contains(&row.name) {
                    continue;
                }
                let close = (y - exact).abs() <= 8.0 * f64::EPSILON * exact.abs();
                assert!(
                    close || y == exact || (y.is_nan() && exact.is_nan()),
                    "{} {set} ({x}): {y}, not {exact}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn simple_functions_are_exact() {
    let x = [-3.0_f64, -0.5, -0.0, 0.0, 0.25, 2.0, 7.0, f64::NAN, 9.0];
    let cases: [(Unary, Exact); 10] = [
        (Unary::Copy, |x| x),
        (Unary::Negate, |x| -x),
        (Unary::Abs, f64::abs),
        (Unary::Sign, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        (Unary::Sqrt, f64::sqrt),
        (Unary::Relu, |x| if x <= 0.0 { 0.0 } else { x }),
        (Unary::Step, |x| if x > 0.0 { 1.0 } else { 0.0 }),
        (Unary::Square, |x| x * x),
        (Unary::Recip, |x| 1.0 / x),
        (Unary::Powi(-3), |x| 1.0 / (x * (x * x))),
    ];
    for set in InstructionSet::available() {
        for (function, exact) in cases {
            for (x, y) in x.iter().zip(apply(set, function, &x)) {
                let exact = exact(*x);
                assert!(y == exact || (y.is_nan() && exact.is_nan()), "{function:?} {set} ({x}): {y}, not {exact}");
            }
        }
    }
}

#[test]
fn functions_of_two_numbers_are_exact() {
    let x = [-2.0_f32, 1.0, 3.0, f32::NAN, 4.0, 0.0, 2.5];
    let y = [3.0_f32, 1.0, -1.0, 1.0, f32::NAN, 0.5, 2.0];
    let cases: [(Binary, ExactOfTwo); 14] = [
        (Binary::Add, |x, y| x + y),
        (Binary::Subtract, |x, y| x - y),
        (Binary::Multiply, |x, y| x * y),
        (Binary::Divide, |x, y| x / y),
        (Binary::Max, |x, y| if x >= y || x.is_nan() { x } else { y }),
        (Binary::Min, |x, y| if x <= y || x.is_nan() { x } else { y }),
        (Binary::Power, |x, y| if y == y.trunc() { x.powi(y as i32) } else { x.powf(y) }),
        (Binary::LeakyRelu, |x, y| if x <= 0.0 { y * x } else { x }),
        (Binary::Greater, |x, y| f32::from(x > y)),
        (Binary::GreaterEqual, |x, y| f32::from(x >= y)),
        (Binary::Less, |x, y| f32::from(x < y)),
        (Binary::LessEqual, |x, y| f32::from(x <= y)),
        (Binary::Equal, |x, y| f32::from(x == y)),
        (Binary::NotEqual, |x, y| f32::from(x != y)),
    ];
    for set in InstructionSet::available() {
        for (function, exact) in cases {
            let instruction =
                Instruction::Binary { to: 3, function, left: Operand::Input(0), right: Operand::Input(1) };
            let code = Code::new(vec![instruction], vec![Output::Store(Operand::Register(3))], 2).expect("a code");
            let mut out = [0.0; 7];
            let mut work = vec![0.0; code.workspace::<f32>()];
            let inputs = [View::row_major(&x, 7, 1), View::row_major(&y, 7, 1)];
            code.run(set, (7, 1), &inputs, &mut [ViewMut::row_major(&mut out, 7, 1)], Into::Replace, &mut work);
            for i in 0..7 {
                let exact = exact(x[i], y[i]);
                assert!(
                    out[i] == exact || (out[i].is_nan() && exact.is_nan()),
                    "{function:?} {set} ({}, {})",
                    x[i],
                    y[i]
                );
            }
        }
    }
}

/// (x + row)·column, its negative kept in a second matrix, and sums and maxima of it in all directions.
fn pass<T: Float>(set: InstructionSet, (m, n): (usize, usize), turned: [bool; 3], into: Into) {
    let number = |i: usize| T::from_f64(((i * 7919) % 1013) as f64 / 500.0 - 1.0);
    let x: Vec<T> = (0..m * n).map(number).collect();
    let (row, column): (Vec<T>, Vec<T>) =
        ((0..n).map(|j| number(j + 3)).collect(), (0..m).map(|i| number(i + 9)).collect());
    let two = T::from_f64(2.0);
    let code = Code::new(
        vec![
            Instruction::Binary { to: 0, function: Binary::Add, left: Operand::Input(0), right: Operand::Input(1) },
            Instruction::Binary {
                to: 0,
                function: Binary::Multiply,
                left: Operand::Register(0),
                right: Operand::Input(2),
            },
            Instruction::MultiplyAdd {
                to: 1,
                left: Operand::Register(0),
                right: Operand::Constant(-1.0),
                plus: Operand::Input(3),
            },
            Instruction::Select {
                to: 2,
                condition: Operand::Held(2),
                then: Operand::Register(1),
                otherwise: Operand::Constant(0.25),
            },
        ],
        vec![
            Output::Store(Operand::Register(0)),
            Output::Store(Operand::Register(1)),
            Output::Store(Operand::Register(2)),
            Output::Reduce(Operand::Register(0), Fold::Sum, Over::Row),
            Output::Reduce(Operand::Register(0), Fold::Sum, Over::Column),
            Output::Reduce(Operand::Register(0), Fold::Sum, Over::All),
            Output::Reduce(Operand::Register(1), Fold::Largest, Over::Row),
            Output::Reduce(Operand::Register(1), Fold::Largest, Over::Column),
            Output::Reduce(Operand::Register(1), Fold::Largest, Over::All),
        ],
        4,
    )
    .expect("a code");
    let pitch = if turned[1] { m + 1 } else { n + 2 };
    let mut kept = [vec![T::ZERO; m * n], vec![T::ZERO; pitch * m.max(n)], vec![T::ZERO; m * n]];
    kept[2].iter_mut().enumerate().filter(|(i, _)| i % 3 == 0).for_each(|(_, x)| *x = T::ONE);
    let held = kept[2].clone();
    let mut folds: Vec<Vec<T>> = [m, n, 1, m, n, 1].iter().map(|&length| vec![T::from_f64(0.5); length]).collect();
    let input = if turned[0] { View::row_major(&x, n, m).transposed() } else { View::row_major(&x, m, n) };
    let at = |i: usize, j: usize| input.at(i, j).to_f64();
    {
        let [first, second, third] = &mut kept;
        let mut folds = folds.iter_mut();
        let mut fold = |rows, columns| ViewMut::row_major(folds.next().expect("a fold"), rows, columns);
        let second =
            if turned[1] { ViewMut::new(second, m, n, 1, pitch) } else { ViewMut::new(second, m, n, pitch, 1) };
        let mut outputs = [
            ViewMut::row_major(first, m, n),
            second,
            if turned[2] { ViewMut::row_major(third, n, m).transposed() } else { ViewMut::row_major(third, m, n) },
            fold(m, 1),
            fold(1, n),
            fold(1, 1),
            fold(m, 1),
            fold(1, n),
            fold(1, 1),
        ];
        let inputs = [
            input,
            if m == 0 { View::row_major(&x, m, n) } else { View::repeated_row(&row, m, n) },
            if n == 0 { View::row_major(&x, m, n) } else { View::repeated_column(&column, m, n) },
            View::repeated(&two, m, n),
        ];
        let mut work = Buffer::zeroed(code.workspace::<T>());
        code.run(set, (m, n), &inputs, &mut outputs, into, &mut work);
    }
    let epsilon = if size_of::<T>() == 4 { 1e-6 } else { 1e-14 };
    let y = |i: usize, j: usize| (at(i, j) + row[j].to_f64()) * column[i].to_f64();
    let start = |nothing: f64| if into == Into::Add { 0.5 } else { nothing };
    let case = format!("{set} {m}x{n} turned {turned:?} {into:?}");
    let close = |x: T, exact: f64, size: f64, what: &str| {
        let equal = x.to_f64() == exact || (x.to_f64() - exact).abs() <= epsilon * size.max(1.0);
        assert!(equal, "{case} {what}: {x:?}, not {exact}");
    };
    let (mut columns, mut largest) = (vec![start(0.0); n], vec![start(f64::NEG_INFINITY); n]);
    let (mut all, mut top) = (start(0.0), start(f64::NEG_INFINITY));
    for i in 0..m {
        let (mut sum, mut most) = (start(0.0), start(f64::NEG_INFINITY));
        for j in 0..n {
            let negative = 2.0 - y(i, j);
            close(kept[0][i * n + j], y(i, j), 4.0, "product");
            let place = if turned[1] { j * pitch + i } else { i * pitch + j };
            close(kept[1][place], negative, 4.0, "negative");
            let place = if turned[2] { j * m + i } else { i * n + j };
            close(kept[2][place], if held[place] == T::ZERO { 0.25 } else { negative }, 4.0, "selected");
            (sum, most) = (sum + y(i, j), most.max(negative));
            (columns[j], largest[j]) = (columns[j] + y(i, j), largest[j].max(negative));
            (all, top) = (all + y(i, j), top.max(negative));
        }
        close(folds[0][i], sum, 4.0 * n as f64, "row sum");
        close(folds[3][i], most, 4.0, "row maximum");
    }
    for j in 0..n {
        close(folds[1][j], columns[j], 4.0 * m as f64, "column sum");
        close(folds[4][j], largest[j], 4.0, "column maximum");
    }
    close(folds[2][0], all, 4.0 * (m * n) as f64, "sum");
    close(folds[5][0], top, 4.0, "maximum");
}

#[test]
fn passes_agree_with_plain_loops() {
    let sizes =
        [(0, 3), (3, 0), (1, 1), (1, 700), (700, 1), (7, 10), (131, 10), (3, 255), (5, 256), (4, 1301), (61, 67)];
    for set in InstructionSet::available() {
        for size in sizes.into_iter().filter(|(m, n)| !cfg!(miri) || m * n < 300) {
            for turned in [[false; 3], [true, false, false], [false, true, false], [true; 3]] {
                pass::<f32>(set, size, turned, Into::Replace);
                pass::<f64>(set, size, turned, Into::Add);
            }
        }
    }
}

#[test]
fn a_maximum_keeps_a_nan() {
    let code = Code::new(vec![], vec![Output::Reduce(Operand::Input(0), Fold::Largest, Over::All)], 1).expect("a code");
    for set in InstructionSet::available() {
        for place in [0, 3, 35, 36] {
            let mut x = [1.0_f32; 37];
            x[place] = f32::NAN;
            let (mut out, mut work) = ([0.0], vec![0.0; code.workspace::<f32>()]);
            let mut outputs = [ViewMut::row_major(&mut out, 1, 1)];
            code.run(set, (1, 37), &[View::row_major(&x, 1, 37)], &mut outputs, Into::Replace, &mut work);
            assert!(out[0].is_nan(), "{set} {place}");
        }
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    let copy = |of| Instruction::Unary { to: 0, function: Unary::Copy, of };
    let store = vec![Output::Store(Operand::Register(0))];
    assert_eq!(Code::new(vec![copy(Operand::Register(1))], store.clone(), 1), Err(CodeError::Unwritten(1)));
    assert_eq!(Code::new(vec![copy(Operand::Input(1))], store.clone(), 1), Err(CodeError::NoInput(1)));
    assert_eq!(Code::new(vec![copy(Operand::Held(1))], store, 1), Err(CodeError::NoHeld(1)));
    assert_eq!(Code::new(vec![], vec![], 65), Err(CodeError::TooLarge));
}

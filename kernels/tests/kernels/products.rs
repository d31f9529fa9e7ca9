//! Every product against plain loops: all instruction sets, both precisions, sizes of 0 and 1, primes, and beyond the cuts.

use matgrad_kernels::products::{
    Into, Part, Product, Right, Sums, Then, multiply, pack_right, packed_length, workspace,
};
use matgrad_kernels::{Buffer, Float, InstructionSet, View, ViewMut};

/// Numbers between −1 and 1 that repeat late.
fn numbers<T: Float>(length: usize, seed: usize) -> Vec<T> {
    (0..length).map(|i| T::from_f64(((i * 7919 + seed * 104_729) % 2003) as f64 / 1001.0 - 1.0)).collect()
}

/// What is asked, by plain loops in double precision, and for each entry the sum of magnitudes that its rounding grows with.
fn plain<T: Float>(product: &Product<'_, T>, right: View<'_, T>, held: View<'_, T>) -> Vec<(f64, f64)> {
    let (m, n, k) = (product.left.rows(), right.columns(), right.rows());
    let mut out = Vec::new();
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|p| product.left.at(i, p).to_f64() * right.at(p, j).to_f64());
            let (sum, size) = terms.fold((0.0, 1.0), |(sum, size), x: f64| (sum + x, size + x.abs()));
            let alpha = product.alpha.to_f64();
            let mut x = alpha * sum;
            if let Some((beta, added)) = product.added {
                x += beta.to_f64() * added.at(i, j).to_f64();
            }
            x = match product.then {
                Then::Nothing => x,
                Then::Relu => x.max(0.0),
                Then::WhereAbove(view) => {
                    if view.at(i, j) > T::ZERO {
                        x
                    } else {
                        0.0
                    }
                }
                Then::Times(view) => x * view.at(i, j).to_f64(),
            };
            if product.into == Into::Add {
                x += held.at(i, j).to_f64();
            }
            out.push((x, size * (1.0 + alpha.abs())));
        }
    }
    out
}

/// Runs a product in every way that it can be asked and compares all entries.
fn compare<T: Float>(set: InstructionSet, product: &Product<'_, T>, right: View<'_, T>, turned: bool, case: &str) {
    let (m, n, k) = (product.left.rows(), right.columns(), right.rows());
    let epsilon = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    // Rounding in sums of k terms, in whatever order.
    let tolerance = (4.0 + (k as f64).sqrt()) * epsilon;
    let pitch = if turned { m + 3 } else { n + 5 };
    let held: Vec<T> = numbers(pitch * m.max(n), 5);
    let view = |data| if turned { View::new(data, m, n, 1, pitch) } else { View::new(data, m, n, pitch, 1) };
    let expected = plain(product, right, view(&held));
    let mut memory = held.clone();
    let out =
        if turned { ViewMut::new(&mut memory, m, n, 1, pitch) } else { ViewMut::new(&mut memory, m, n, pitch, 1) };
    // Behind the workspace lies something that is not the product's.
    const BEHIND: usize = if cfg!(miri) { 64 } else { 4096 };
    let length = workspace::<T>(set, m, n, k);
    let mut work = Buffer::zeroed(length + BEHIND);
    let mut sums = vec![T::ONE; n];
    let with_sums = product.part == Part::Whole;
    let with_squares = with_sums && product.added.is_some();
    let mut squares = [1.0; 2];
    let [first, second] = &mut squares;
    let asked = Sums { columns: with_sums.then_some(&mut sums[..]), squares: with_squares.then_some(first) };
    multiply(set, product, out, asked, &mut work[..length]);
    assert!(work[length..].iter().all(|&x| x == T::ZERO), "{set} {case} {m}x{n}x{k} wrote behind the workspace");
    let result = view(&memory);
    let mut expected_sums = vec![(1.0, 1.0); n];
    for i in 0..m {
        for j in 0..n {
            let (x, size) = expected[i * n + j];
            let error = (result.at(i, j).to_f64() - x).abs();
            assert!(error <= tolerance * size, "{set} {case} {m}x{n}x{k} at ({i}, {j}): {x}, off by {error:e}");
            expected_sums[j].0 += x;
            expected_sums[j].1 += size;
        }
    }
    if with_sums {
        for (j, (sum, size)) in expected_sums.iter().enumerate() {
            let error = (sums[j].to_f64() - sum).abs();
            assert!(error <= tolerance * size, "{set} {case} {m}x{n}x{k} column sum {j}: {sum}, off by {error:e}");
        }
    }
    if let Some((_, added)) = product.added.filter(|_| with_squares) {
        // Without the columns' sums another way may be taken.
        let mut memory = held.clone();
        let out =
            if turned { ViewMut::new(&mut memory, m, n, 1, pitch) } else { ViewMut::new(&mut memory, m, n, pitch, 1) };
        multiply(set, product, out, Sums { columns: None, squares: Some(second) }, &mut work[..length]);
        let entries = (0..m).flat_map(|i| (0..n).map(move |j| added.at(i, j).to_f64()));
        let expected = 1.0 + entries.map(|x| x * x).sum::<f64>();
        for sum in squares {
            let error = (sum - expected).abs();
            assert!(
                error <= (8.0 + ((m * n) as f64).sqrt()) * epsilon * expected,
                "{set} {case} {m}x{n}x{k} squares: {expected}, off by {error:e}"
            );
        }
    }
    // What lies between the rows is not touched.
    for (place, (&now, &before)) in memory.iter().zip(&held).enumerate() {
        let (i, j) = if turned { (place % pitch, place / pitch) } else { (place / pitch, place % pitch) };
        assert!((i < m && j < n) || now == before, "{set} {case} {m}x{n}x{k} wrote beside the result at {place}");
    }
}

/// All that may follow a product.
fn everything<T: Float>(set: InstructionSet, (m, n, k): (usize, usize, usize)) {
    let (a, b) = (numbers::<T>(m * k, 1), numbers::<T>(k * n, 2));
    let (d, z) = (numbers::<T>(m * n, 3), numbers::<T>(m * n, 4));
    let half = T::from_f64(0.5);
    for turned in [false, true] {
        for (turned_left, turned_right) in [(false, false), (false, true), (true, false), (true, true)] {
            let case = format!("turned {turned}, left {turned_left}, right {turned_right}");
            let left = if turned_left { View::row_major(&a, k, m).transposed() } else { View::row_major(&a, m, k) };
            let right = if turned_right { View::row_major(&b, n, k).transposed() } else { View::row_major(&b, k, n) };
            let base = Product::new(left, right);
            compare(set, &base, right, turned, &case);
            let bias = View::repeated_row(&d[..n.min(d.len())], m, if m == 0 { 0 } else { n });
            let bias = if m == 0 || n == 0 { View::row_major(&d, m, n) } else { bias };
            let relu = Product { added: Some((T::ONE, bias)), then: Then::Relu, ..base };
            compare(set, &relu, right, turned, &format!("{case}, bias and relu"));
            let turned_d = View::row_major(&d, n, m).transposed();
            let masked = Product {
                alpha: half,
                added: Some((-half, turned_d)),
                then: Then::WhereAbove(View::row_major(&z, m, n)),
                ..base
            };
            compare(set, &masked, right, turned, &format!("{case}, mask"));
            let times = Product { alpha: -half, then: Then::Times(View::row_major(&z, m, n)), ..base };
            compare(set, &times, right, turned, &format!("{case}, times"));
            let add = Product { into: Into::Add, alpha: half, ..base };
            compare(set, &add, right, turned, &format!("{case}, added"));
            let stream = Product { into: Into::Stream, ..base };
            compare(set, &stream, right, turned, &format!("{case}, streamed"));
            let mut memory = Buffer::zeroed(packed_length::<T>(set, k, n));
            let packed = Right::Packed(pack_right(set, right, &mut memory));
            compare(set, &Product { right: packed, ..relu }, right, turned, &format!("{case}, packed"));
        }
    }
}

/// The same where the sizes are what matters.
fn plainly<T: Float>(set: InstructionSet, (m, n, k): (usize, usize, usize)) {
    let (a, b, z) = (numbers::<T>(m * k, 1), numbers::<T>(k * n, 2), numbers::<T>(m * n, 4));
    for (turned_left, turned_right) in [(false, false), (false, true), (true, false)] {
        let case = format!("left {turned_left}, right {turned_right}");
        let left = if turned_left { View::row_major(&a, k, m).transposed() } else { View::row_major(&a, m, k) };
        let right = if turned_right { View::row_major(&b, n, k).transposed() } else { View::row_major(&b, k, n) };
        let then = Then::WhereAbove(View::row_major(&z, m, n));
        let masked = Product { alpha: T::from_f64(0.5), then, ..Product::new(left, right) };
        compare(set, &masked, right, false, &case);
        let add = Product { into: Into::Add, ..Product::new(left, right) };
        compare(set, &add, right, false, &format!("{case}, added"));
        let mut memory = Buffer::zeroed(packed_length::<T>(set, k, n));
        let packed = Right::Packed(pack_right(set, right, &mut memory));
        compare(set, &Product { right: packed, ..masked }, right, false, &format!("{case}, packed"));
    }
}

fn sizes<T: Float>(sizes: &[(usize, usize, usize)]) {
    for set in InstructionSet::available() {
        for &size in sizes.iter().filter(|(m, n, k)| !cfg!(miri) || m * n * k < 40) {
            everything::<T>(set, size);
        }
    }
}

const SMALL: &[(usize, usize, usize)] = &[
    (0, 3, 2),
    (3, 0, 2),
    (3, 2, 0),
    (1, 1, 1),
    (1, 7, 5),
    (7, 1, 5),
    (5, 7, 1),
    (2, 3, 5),
    (13, 17, 11),
    (31, 10, 23),
    (12, 32, 16),
    (29, 33, 7),
    (64, 10, 37),
    (25, 97, 10),
    (1, 200, 67),
    (150, 1, 67),
    (200, 3, 31),
];

#[test]
fn single_precision_agrees_with_plain_loops() {
    sizes::<f32>(SMALL);
}

#[test]
fn double_precision_agrees_with_plain_loops() {
    sizes::<f64>(SMALL);
}

#[test]
fn few_rows_and_few_columns_over_many_terms_agree_with_plain_loops() {
    const SIZES: [(usize, usize, usize); 6] =
        [(1, 16, 700), (16, 1, 700), (3, 6, 3072), (6, 3, 1200), (2, 13, 801), (17, 12, 500)];
    let wanted = if cfg!(miri) { &[(1, 2, 60)][..] } else { &SIZES };
    for &size in wanted {
        for set in InstructionSet::available() {
            everything::<f32>(set, size);
            everything::<f64>(set, size);
        }
    }
}

#[test]
fn sizes_beyond_the_cuts_agree_with_plain_loops() {
    let large = if cfg!(miri) {
        [(1, 2, 520), (1, 1, 530), (2, 1, 515), (1, 1, 513)]
    } else {
        // k in several parts; rows in several parts, with panels of B copied; A copied.
        [(37, 61, 1101), (23, 10, 797), (1130, 19, 515), (21, 560, 530)]
    };
    for set in InstructionSet::available() {
        for size in large {
            plainly::<f32>(set, size);
        }
        plainly::<f64>(set, large[0]);
    }
}

#[test]
fn rows_that_collide_in_the_cache_agree_with_plain_loops() {
    for set in InstructionSet::available() {
        let (few, columns) = if cfg!(miri) { (2, 3) } else { (50, 70) };
        plainly::<f32>(set, (few, columns, 512));
        plainly::<f64>(set, (few / 2 + 1, if cfg!(miri) { 64 } else { 512 }, columns / 2 + 5));
    }
}

#[test]
fn a_symmetric_result_takes_the_lower_half() {
    for set in InstructionSet::available() {
        let sizes = [(1, 4), (7, 3), (65, 19), (130, 530), (530, 21)];
        for (n, k) in sizes.into_iter().filter(|(n, _)| !cfg!(miri) || *n < 10) {
            let a = numbers::<f32>(n * k, 1);
            let left = View::row_major(&a, n, k);
            let product = Product { part: Part::Symmetric, ..Product::new(left, left.transposed()) };
            compare(set, &product, left.transposed(), false, "symmetric");
            compare(set, &product, left.transposed(), true, "symmetric");
        }
    }
}

#[test]
fn the_same_call_gives_the_same_bits() {
    let (m, n, k) = if cfg!(miri) { (2, 3, 520) } else { (53, 71, 1009) };
    let (a, b) = (numbers::<f32>(m * k, 1), numbers::<f32>(k * n, 2));
    let product = Product::new(View::row_major(&a, m, k), View::row_major(&b, k, n));
    for set in InstructionSet::available() {
        let run = || {
            let mut out = vec![0.0; m * n];
            let mut work = vec![0.0; workspace::<f32>(set, m, n, k)];
            multiply(set, &product, ViewMut::row_major(&mut out, m, n), Sums::default(), &mut work);
            out.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(run(), run());
    }
}

#[test]
#[should_panic(expected = "the factors do not fit")]
fn factors_that_do_not_fit_are_refused() {
    let data = [0.0_f32; 12];
    let product = Product::new(View::row_major(&data, 3, 4), View::row_major(&data, 3, 4));
    multiply(InstructionSet::PORTABLE, &product, ViewMut::row_major(&mut [0.0; 12], 3, 4), Sums::default(), &mut []);
}

/// The nearest number of eight bits, as the factors are rounded.
fn rounded(x: f32) -> f32 {
    let bits = x.to_bits();
    f32::from_bits((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
}

#[test]
fn rounded_factors_give_the_products_of_their_nearest_bf16() {
    let set = InstructionSet::detect();
    if !set.has_bf16() {
        return;
    }
    for (m, n, k) in [
        (1, 1, 1),
        (3, 5, 2),
        (24, 16, 7),
        (17, 33, 31),
        (50, 64, 100),
        (9, 100, 433),
        (130, 49, 850),
        (67, 200, 16),
        (9, 30, 2100),
    ] {
        let a: Vec<f32> = numbers(m * k, 1);
        let b: Vec<f32> = numbers(k * n, 2);
        let beside: Vec<f32> = numbers(m * n, 3);
        let (near_a, near_b) =
            (a.iter().copied().map(rounded).collect::<Vec<_>>(), b.iter().copied().map(rounded).collect::<Vec<_>>());
        // Each factor row by row, and column by column.
        let left = |data| [View::new(data, m, k, k, 1), View::new(data, m, k, 1, m)];
        let right = |data| [View::new(data, k, n, n, 1), View::new(data, k, n, 1, k)];
        for (way_a, near_left) in left(&near_a).into_iter().enumerate() {
            for (way_b, near_right) in right(&near_b).into_iter().enumerate() {
                let added = Some((0.5, View::new(&beside, m, n, n, 1)));
                for part in [Then::Nothing, Then::Relu] {
                    let near = Product { alpha: 1.5, added, then: part, ..Product::new(near_left, near_right) };
                    let held = vec![0.0; m * n];
                    let expected = plain(&near, near_right, View::new(&held, m, n, n, 1));
                    let product =
                        Product { rounded: true, left: left(&a)[way_a], right: Right::Plain(right(&b)[way_b]), ..near };
                    let mut out = vec![f32::NAN; m * n];
                    let mut work = Buffer::zeroed(workspace::<f32>(set, m, n, k));
                    multiply(set, &product, ViewMut::new(&mut out, m, n, n, 1), Sums::default(), &mut work);
                    for (x, (y, size)) in out.iter().zip(expected) {
                        let error = (f64::from(*x) - y).abs();
                        assert!(error <= (4.0 + (k as f64).sqrt()) * 1.2e-7 * size, "{m}x{n}x{k}: {x} for {y}");
                    }
                }
            }
        }
    }
}

//! How long a derivation takes: from text to all gradients with every step, for networks of several depths. Run with
//! `cargo bench`; the figures are in docs/performance.md.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::render::{Format, render};

/// A network of that many layers with softmax cross-entropy, asked for all its gradients.
fn network(layers: usize) -> String {
    let mut text = String::from("X : matrix(N, D0)\nY : onehot(N, C)\n");
    let width = |i: usize| if i == layers { "C".to_owned() } else { format!("D{i}") };
    for i in 1..=layers {
        text += &format!("W{i} : matrix({}, {}); b{i} : row({})\n", width(i - 1), width(i), width(i));
    }
    text += "H0 = X\n";
    for i in 1..=layers {
        text += &format!("Z{i} = H{}*W{i} + b{i}\n", i - 1);
        if i < layers {
            text += &format!("H{i} = relu(Z{i})\n");
        }
    }
    text += &format!("P = softmax(Z{layers})\nL = -1/N*tr(Y'*log(P))\ngrad L wrt ");
    let names: Vec<String> = (1..=layers).map(|i| format!("W{i}, b{i}")).collect();
    text + &names.join(", ") + "\n"
}

fn derivations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("derive");
    let two_layers = include_str!("../examples/two_layer_mlp.mg");
    group.bench_function("two-layer network, full", |b| b.iter(|| answer(black_box(two_layers), Detail::Full)));
    group.bench_function("two-layer network, no steps", |b| b.iter(|| answer(black_box(two_layers), Detail::None)));
    let eight = network(8);
    group.bench_function("8 layers, full", |b| b.iter(|| answer(black_box(&eight), Detail::Full)));
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    for layers in [250, 500, 1000] {
        let text = network(layers);
        group.throughput(Throughput::Elements(layers as u64));
        group.bench_function(format!("{layers} layers, full"), |b| b.iter(|| answer(black_box(&text), Detail::Full)));
    }
    group.finish();
}

/// Second derivatives and Jacobians of the literature, with every step.
const SECOND: [(&str, &str); 6] = [
    (
        "logistic regression",
        "X : matrix(N, D); y : vector(N)\np = sigmoid(X*w)\nL = -y'*log(p) - (1 - y)'*log(1 - p)\nhessian L wrt w",
    ),
    (
        "multinomial regression",
        "X : matrix(N, D); Y : onehot(N, C)\nP = softmax(X*W)\nL = -tr(Y'*log(P))\nhessian L wrt W",
    ),
    ("matrix factorisation, block", "U : matrix(m, k); V : matrix(n, k)\nf = normsq(U*V' - A)\nhessian f wrt U, V"),
    ("log det", "X : invertible(n)\nf = logdet(X)\nhessian f wrt X"),
    (
        "two-layer network, block",
        "X : matrix(N, D); Y : matrix(N, C)\nA = tanh(X*W1)\nL = normsq(A*W2 - Y)\nhessian L wrt W1, W2",
    ),
    ("AXB", "Y = A*X*B\njacobian Y wrt X"),
];

fn second(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("derive Jacobians and Hessians");
    for (name, source) in SECOND {
        group.bench_function(name, |b| b.iter(|| answer(black_box(source), Detail::Full)));
    }
    group.finish();
}

fn pages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("render the two-layer network");
    let source = include_str!("../examples/two_layer_mlp.mg");
    let answer = answer(source, Detail::Full).expect("the example is right");
    for (name, format) in [("json", Format::Json), ("text", Format::Text), ("html", Format::Html)] {
        group.bench_function(name, |b| b.iter(|| render(format, black_box(&answer), source, &[])));
    }
    group.finish();
}

criterion_group!(benches, derivations, second, pages);
criterion_main!(benches);

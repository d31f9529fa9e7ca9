//! The two-layer network against PyTorch on the same numbers: loss and gradients for each activation, and steps of both
//! optimisers. The figures were made once by `tests/pytorch/figures.py` and stand in `tests/pytorch/figures.json`.

use std::sync::Arc;

use matgrad::derivation::Detail;
use matgrad::matrix::Matrix;
use matgrad::train::{
    Activation, Call, Objective, Optimiser, Options, Parameters, Samples, ScalingKind, State, Target, Training,
};
use serde_json::Value;

const N: usize = 7;
const D: usize = 5;
const H: usize = 6;
const C: usize = 4;
const LAMBDA: f64 = 0.05;
const LABELS: [i64; N] = [2, 0, 3, 1, 1, 0, 2];
/// How far a number may be from PyTorch's; both count in 64-bit floats.
const CLOSE: f64 = 1e-10;

fn figures() -> Value {
    serde_json::from_str(include_str!("pytorch/figures.json")).expect("the figures are JSON")
}

/// As in the script.
fn numbers(rows: usize, columns: usize, step: usize, scale: f64) -> Matrix {
    Matrix::from_fn(rows, columns, |i, j| scale * (((step * (i * columns + j)) % 17) as f64 - 8.0) / 8.0)
}

fn parameters() -> Parameters {
    let named = [
        ("W1", numbers(D, H, 5, 0.7)),
        ("b1", numbers(1, H, 7, 0.2)),
        ("W2", numbers(H, C, 3, 0.9)),
        ("b2", numbers(1, C, 11, 0.3)),
    ];
    Parameters::new(named.map(|(name, matrix)| (name.to_owned(), matrix)).into())
}

fn features() -> Matrix {
    numbers(N, D, 6, 1.5)
}

fn assert_close(found: &Parameters, expected: &Value, what: &str) {
    let expected = expected.as_array().expect("a list for each parameter");
    assert_eq!(expected.len(), 4);
    for ((name, matrix), expected) in found.named().zip(expected) {
        let expected: Vec<f64> = expected.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
        assert_eq!(matrix.entries().len(), expected.len(), "{what}: {name}");
        for (place, (found, expected)) in matrix.entries().iter().zip(expected).enumerate() {
            assert!((found - expected).abs() <= CLOSE, "{what}: {name}[{place}] is {found}, PyTorch has {expected}");
        }
    }
}

#[test]
fn loss_and_gradients_are_those_of_pytorch() {
    let figures = figures();
    let of_torch = figures["activations"].as_object().unwrap();
    assert_eq!(of_torch.len(), Activation::ALL.len());
    for activation in Activation::ALL {
        let network = Objective::two_layer(activation, Detail::None).unwrap();
        let expected = &of_torch[activation.name()];
        let called = network.call(&parameters(), &features(), Target::Labels(&LABELS), &[("lambda", LAMBDA)]).unwrap();
        let Call::Loss { loss, gradients, .. } = called else { panic!("no loss") };
        let of_torch = expected["loss"].as_f64().unwrap();
        assert!((loss - of_torch).abs() <= CLOSE, "{activation:?}: {loss} and {of_torch}");
        assert_close(&gradients, &expected["gradients"], activation.name());
    }
}

#[test]
fn steps_of_both_optimisers_are_those_of_pytorch() {
    let network = Arc::new(Objective::two_layer(Activation::Relu, Detail::None).unwrap());
    let samples = Samples::new(features(), &LABELS, C).unwrap();
    let adam = Optimiser::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.1 };
    for (name, optimiser, learning_rate) in [("sgd", Optimiser::Sgd { momentum: 0.9 }, 0.1), ("adam", adam, 0.01)] {
        let figures = &figures()[name];
        let losses = figures["losses"].as_array().unwrap();
        let options = Options {
            epochs: losses.len(),
            batch_size: N,
            optimiser,
            learning_rate,
            decay: 1.0,
            validation: 0.0,
            scaling: ScalingKind::None,
            ..Options::default()
        };
        let options = options.with("H", H as f64).with("lambda", LAMBDA);
        let fresh = Training::new(&network, &samples, &options).unwrap().state().clone();
        let state = State { parameters: parameters(), best: parameters(), ..fresh };
        let mut training = Training::resume(&network, &samples, &options, state).unwrap();
        for of_torch in losses {
            let loss = training.step().unwrap().loss;
            assert!((loss - of_torch.as_f64().unwrap()).abs() <= CLOSE, "{name}: {loss} and {of_torch}");
        }
        assert!(training.is_finished());
        assert_close(&training.finish().model.parameters, &figures["parameters"], name);
    }
}

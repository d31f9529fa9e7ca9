//! One step of a two-layer network by ndarray or candle, its gradients written by hand: the loss and the gradients, in f32.
//! `peers ndarray-hand|candle-hand SECONDS FOLDER NAME=N,D,H,C…` reads `FOLDER/NAME/*` and prints a line of JSON for
//! each: the median and the best time in microseconds, the loss, and the sum of absolute values of each gradient. The
//! libraries take their number of threads from the environment.

mod by_candle;
mod by_ndarray;

use std::path::{Path, PathBuf};
use std::time::Instant;

/// Weight of the squared weights in the loss, as in the script.
pub const REGULARISATION: f32 = 1e-3;

/// The arrays of a case, row by row.
pub struct Arrays {
    /// N, D, H, C.
    pub sizes: [usize; 4],
    pub x: Vec<f32>,
    pub w1: Vec<f32>,
    pub b1: Vec<f32>,
    pub w2: Vec<f32>,
    pub b2: Vec<f32>,
    pub labels: Vec<u32>,
}

/// A library that does the step again and again.
pub trait Network {
    /// One step.
    fn step(&mut self);
    /// The loss, dW1, db1, dW2, db2 of the last one.
    fn results(&self) -> (f32, [Vec<f32>; 4]);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [peer, seconds, folder, cases @ ..] = words.as_slice() else {
        panic!("give a peer, seconds, a folder and cases");
    };
    let seconds: f64 = seconds.parse().expect("a number of seconds");
    for case in cases {
        let (name, sizes) = case.split_once('=').expect("NAME=N,D,H,C");
        let sizes: Vec<usize> = sizes.split(',').map(|size| size.parse().expect("a size")).collect();
        let arrays = read(&PathBuf::from(folder).join(name), sizes.try_into().expect("four sizes"));
        let mut network: Box<dyn Network> = match peer.as_str() {
            "ndarray-hand" => Box::new(by_ndarray::Step::new(arrays)),
            "candle-hand" => Box::new(by_candle::Step::new(arrays).expect("tensors")),
            _ => panic!("`{peer}` is no peer here"),
        };
        let times = times(network.as_mut(), seconds);
        let (loss, gradients) = network.results();
        let sums = gradients.iter().map(|all| all.iter().map(|&entry| f64::from(entry).abs()).sum::<f64>());
        let checks: Vec<f64> = std::iter::once(f64::from(loss)).chain(sums).collect();
        println!(
            "{{\"case\": \"{name}\", \"median_us\": {:.2}, \"best_us\": {:.2}, \"checks\": {checks:?}}}",
            times[times.len() / 2] * 1e6,
            times[0] * 1e6
        );
    }
}

/// The seconds of as many steps as fit, at least five, rising.
fn times(network: &mut dyn Network, seconds: f64) -> Vec<f64> {
    network.step();
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || start.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        network.step();
        times.push(before.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times
}

fn read(folder: &Path, sizes: [usize; 4]) -> Arrays {
    let [n, d, h, c] = sizes;
    let numbers = |name: &str, count: usize| -> Vec<f32> {
        raw(&folder.join(format!("{name}.f32")), count).into_iter().map(f32::from_ne_bytes).collect()
    };
    Arrays {
        sizes,
        x: numbers("X", n * d),
        w1: numbers("W1", d * h),
        b1: numbers("b1", h),
        w2: numbers("W2", h * c),
        b2: numbers("b2", c),
        labels: raw(&folder.join("Y.u32"), n).into_iter().map(u32::from_ne_bytes).collect(),
    }
}

fn raw(path: &Path, count: usize) -> Vec<[u8; 4]> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(bytes.len(), 4 * count, "{} has another size", path.display());
    bytes.chunks_exact(4).map(|four| [four[0], four[1], four[2], four[3]]).collect()
}

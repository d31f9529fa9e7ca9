//! Derives the two-layer network with every step as often as the argument says, for a tool that counts instructions: see `run`
//! beside this file.

use std::hint::black_box;

use matgrad::answer::answer;
use matgrad::derivation::Detail;

fn main() {
    let times = std::env::args().find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(1);
    for _ in 0..times {
        let answer = answer(black_box(include_str!("../../examples/two_layer_mlp.mg")), Detail::Full);
        assert_eq!(black_box(answer).map_or(0, |answer| answer.outcomes.len()), 4, "four gradients");
    }
}

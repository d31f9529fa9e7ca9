//! Verdicts on curvature against numbers: what is called convex lies below its chords, and its Hessian has no negative
//! eigenvalue, at random points of random programs.

use matgrad::answer::answer;
use matgrad::curvature::Curvature;
use matgrad::derivation::Detail;
use matgrad::elaborate::Property;
use matgrad::eval::{Sampler, evaluate};
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;

use super::chance::Chance;
use super::tree::{Brackets, Program};

/// Pairs of points of a function.
const PAIRS: u64 = 6;

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub settled: usize,
    pub unknown: usize,
    pub chords: usize,
    pub spectra: usize,
}

/// The Hessians of a program's scalars, each by one of its variables.
pub fn source(program: &Program, seed: u64) -> String {
    let mut chance = Chance::new(seed ^ 0xC0);
    let mut bare = program.clone();
    bare.asks.clear();
    let mut out = bare.text(Brackets::Needed);
    for ask in program.asks.iter().filter(|ask| ask.gradient && !ask.wrt.is_empty()) {
        let x = chance.one_of(&ask.wrt).clone();
        out.push_str(&format!("hessian {} wrt {x}\n", ask.of.text(Brackets::Needed)));
    }
    out
}

/// What is wrong with the verdicts of a program.
pub fn judge(source: &str, seed: u64, seen: &mut Seen) -> Option<String> {
    let answer = answer(source, Detail::None).ok()?;
    for outcome in &answer.outcomes {
        let Some(judged) = outcome.curvature.first() else { continue };
        // What does not move has no curvature, and the judge would move it.
        if answer.arena.properties(outcome.wrt_nodes[0]).has(Property::Constant) {
            continue;
        }
        let sign = match judged.verdict.curvature {
            Curvature::Unknown => {
                seen.unknown += 1;
                continue;
            }
            Curvature::Convex => (true, false),
            Curvature::Concave => (false, true),
            Curvature::Affine => (true, true),
        };
        seen.settled += 1;
        let Op::Variable(variable) = *answer.arena.op(outcome.wrt_nodes[0]) else { continue };
        let roots: Vec<ExprId> = vec![outcome.of_node, outcome.result];
        let Some(first) = Sampler::new(&answer.arena, &answer.typed, &roots).draw(seed) else { continue };
        let sampler = Sampler::with_sizes(&answer.arena, &roots, first.dimensions.clone());
        for pair in 0..PAIRS {
            let Some(other) = sampler.draw(seed.wrapping_mul(31).wrapping_add(pair + 1)) else { continue };
            let place = variable.0 as usize;
            let (a, b) = (&first.variables[place], &other.variables[place]);
            if a.shape() != b.shape() {
                continue;
            }
            let value = |x: Matrix| {
                let mut numbers = first.clone();
                numbers.variables[place] = x;
                let values = evaluate(&answer.arena, &numbers, &[outcome.of_node]).ok()?;
                Some(values[0].entries()[0]).filter(|x| x.is_finite())
            };
            let middle = a.add(b).scale(0.5);
            let (Some(x), Some(y), Some(m)) = (value(a.clone()), value(b.clone()), value(middle)) else { continue };
            let slack = 1e-7 * (x.abs() + y.abs() + m.abs() + 1.0);
            let chord = 0.5 * (x + y);
            seen.chords += 1;
            if sign.0 && m > chord + slack || sign.1 && m < chord - slack {
                return Some(format!(
                    "{source}{:?}: {m} in the middle of {x} and {y}: {}",
                    judged.verdict.curvature, judged.verdict.reason
                ));
            }
        }
        let Ok(values) = evaluate(&answer.arena, &first, &[outcome.result]) else { continue };
        let hessian = &values[0];
        if hessian.rows() != hessian.columns() || !hessian.is_finite() {
            continue;
        }
        let symmetric = hessian.add(&hessian.transpose()).scale(0.5);
        let Ok((eigenvalues, _)) = symmetric.symmetric_eigen() else { continue };
        let slack = 1e-8 * (1.0 + hessian.max_abs());
        seen.spectra += 1;
        let (least, most) = eigenvalues.iter().fold((f64::MAX, f64::MIN), |(l, m), &x| (l.min(x), m.max(x)));
        if sign.0 && least < -slack || sign.1 && most > slack {
            return Some(format!(
                "{source}{:?}: eigenvalues from {least} to {most}: {}",
                judged.verdict.curvature, judged.verdict.reason
            ));
        }
    }
    None
}

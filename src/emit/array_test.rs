//! What a self-test in a language with arrays assigns and compares: numbers and comparisons come in, expressions of the language
//! go out. How an array is made and a call is written is the language's [`Spelling`]; how the lines stand in a file is the target's.

use super::arrays::Written;
use super::selftest::{Array, Comparison, SelfTest, Shift, TestNames};

/// How a language writes the parts of a self-test.
pub(super) trait Spelling {
    /// An array of numbers.
    fn literal(&self, array: &Array) -> String;

    /// An output of what a call gives.
    fn output_of(&self, call: &str, output: &str) -> String;

    /// A derivative applied to a direction of `rank` axes.
    fn applied(&self, derivative: &str, direction: &str, rank: usize) -> String;

    /// The sum of the entries of a value times those of a direction.
    fn against(&self, direction: &str, value: &str) -> String;

    /// The difference of first or second order of a value by the step.
    fn difference(&self, second: bool, step: &str, value: &str) -> String;

    /// What stands between two differences of which one is taken from the other.
    fn minus(&self) -> &'static str {
        " - "
    }
}

/// A derivative beside differences.
pub(super) struct Compared<'a> {
    /// The output that is the derivative.
    pub(super) output: &'a str,
    /// It, along its directions.
    pub(super) derivative: String,
    /// Its differences.
    pub(super) difference: String,
}

/// The parts of a self-test.
pub(super) struct Parts<'a> {
    /// Names and what they are: inputs, directions, the results at the point.
    pub(super) assigned: Vec<(String, String)>,
    /// What is compared.
    pub(super) compared: Vec<Compared<'a>>,
    /// Outputs that are not, and why.
    pub(super) left_out: Vec<(&'a str, &'a str)>,
}

/// The parts in a language.
pub(super) fn parts<'a>(
    written: &'a Written,
    test: &'a SelfTest,
    reserved: &'static [&'static str],
    spelling: &dyn Spelling,
) -> Parts<'a> {
    let test_in = TestIn { written, test, names: test.names(reserved, &written.name, &written.inputs), spelling };
    let names = &test_in.names;
    let inputs = written.inputs.iter().zip(&test.inputs);
    let directions = names.directions.iter().zip(test.directions.iter().map(|along| &along.array));
    let mut assigned: Vec<(String, String)> =
        inputs.chain(directions).map(|(name, array)| (name.clone(), spelling.literal(array))).collect();
    assigned.push((names.result.clone(), test_in.call(&[])));
    let compared = test.comparisons.iter().map(|comparison| Compared {
        output: &written.outputs[comparison.output],
        derivative: test_in.derivative(comparison),
        difference: test_in.difference(comparison),
    });
    let left_out = test.left_out.iter().map(|(output, why)| (written.outputs[*output].as_str(), why.as_str()));
    Parts { assigned, compared: compared.collect(), left_out: left_out.collect() }
}

struct TestIn<'a> {
    written: &'a Written,
    test: &'a SelfTest,
    names: TestNames,
    spelling: &'a dyn Spelling,
}

impl TestIn<'_> {
    /// The function at moved inputs.
    fn call(&self, path: &[Shift]) -> String {
        let (written, names) = (self.written, &self.names);
        let mut arguments = Vec::with_capacity(written.inputs.len());
        for (input, name) in written.inputs.iter().enumerate() {
            let mut text = name.clone();
            for shift in self.test.shifts_of(path, input) {
                let sign = if shift.back { '-' } else { '+' };
                text.push_str(&format!(" {sign} {} * {}", names.step, names.directions[shift.along]));
            }
            arguments.push(text);
        }
        arguments.extend(self.test.parameters(&written.sizes));
        format!("{}({})", written.name, arguments.join(", "))
    }

    fn derivative(&self, comparison: &Comparison) -> String {
        let at_the_point = format!("{}.{}", self.names.result, self.written.outputs[comparison.output]);
        comparison.applied.iter().fold(at_the_point, |derivative, &d| {
            self.spelling.applied(&derivative, &self.names.directions[d], self.test.directions[d].array.rank)
        })
    }

    fn difference(&self, comparison: &Comparison) -> String {
        let terms = comparison.paths.iter().map(|path| {
            let mut value = self.spelling.output_of(&self.call(path), &self.written.outputs[comparison.of]);
            if let Some(against) = comparison.against {
                value = self.spelling.against(&self.names.directions[against], &value);
            }
            self.spelling.difference(comparison.second, &self.names.step, &value)
        });
        let terms: Vec<String> = terms.collect();
        match terms.as_slice() {
            [one] => one.clone(),
            many => format!("({}) / 4", many.join(self.spelling.minus())),
        }
    }
}

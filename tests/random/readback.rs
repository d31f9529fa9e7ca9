//! The texts of an answer, read as lines behind its program.

use matgrad::answer::Answer;
use matgrad::elaborate::{Line, Typed};
use matgrad::expr::{Arena, Op};
use matgrad::render::build::notation;
use matgrad::render::text::text;
use matgrad::syntax::ast::NodeId;

/// The texts of an answer, read over its program.
pub struct Texts {
    pub typed: Typed,
    /// For each outcome the node of its value's text and of its last line's.
    pub values: Vec<Option<NodeId>>,
    pub last: Vec<NodeId>,
    pub count: usize,
    /// How many are printed alike once they are read.
    pub stable: usize,
}

/// Reads all lines and values of an answer over its program; the line that does not read.
pub fn read_back(answer: &Answer) -> Result<Texts, String> {
    let mut lines: Vec<String> = Vec::new();
    let (mut values, mut last) = (Vec::new(), Vec::new());
    for (k, outcome) in answer.outcomes.iter().enumerate() {
        for line in &outcome.program {
            lines.push(format!("{} = {}", line.name, text(&notation(&answer.arena, line.right))));
        }
        last.push(lines.len() - 1);
        values.push(outcome.value.map(|value| {
            lines.push(format!("readback_of_result_{k} = {}", text(&notation(&answer.arena, value))));
            lines.len() - 1
        }));
    }
    let borrowed: Vec<Line<'_>> = lines.iter().map(|l| Line::Definition(l)).collect();
    let extended = answer.typed.with_lines(&[], &borrowed).map_err(|error| {
        let message = error.diagnostics.first().map_or(String::new(), |d| d.message.clone());
        format!("`{}` does not read: {message}", lines[error.line])
    })?;
    let node = |i: usize| extended.lines[i][0];
    let mut texts = Texts {
        values: values.iter().map(|v| v.map(node)).collect(),
        last: last.iter().map(|&i| node(i)).collect(),
        count: lines.len(),
        stable: 0,
        typed: extended.typed,
    };
    // Read and printed once more the text is the same.
    let mut arena = Arena::new(texts.typed.dimensions.clone(), answer.arena.variables.clone());
    let built = arena.build(&texts.typed);
    let first = answer.typed.definitions.len();
    for (line, &id) in lines.iter().zip(&built.definitions[first..]) {
        let Op::Named(name) = *arena.op(id) else { continue };
        let again = text(&notation(&arena, arena.named(name).body));
        texts.stable += usize::from(line.split_once(" = ").is_some_and(|(_, right)| right == again));
    }
    Ok(texts)
}

//! What is printed as text reads back: results and lines of derivations have the same values when their text is read as
//! input, and the Unicode form reads as the same expression wherever the language has its signs.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use matgrad::answer::{Answer, answer};
use matgrad::derivation::Detail;
use matgrad::elaborate::Line;
use matgrad::eval::{Numbers, evaluate, sample};
use matgrad::expr::{Arena, ExprId, NameKind};
use matgrad::render::build::notation;
use matgrad::render::notation::Notation;
use matgrad::render::text::{explicit_text, text, unicode};
use serde_json::Value;

/// Largest difference, relative to the largest entry or one.
const TOLERANCE: f64 = 1e-9;

/// The programs of `examples/` and of `tests/cases/`.
fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = Vec::new();
    for entry in fs::read_dir(root.join("examples")).expect("the examples are there") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_some_and(|ending| ending == "mg") {
            out.push((path.display().to_string(), fs::read_to_string(&path).expect("an example is text")));
        }
    }
    let cases = fs::read_to_string(root.join("tests/cases/gradients.json")).expect("the cases are there");
    let cases: Vec<Value> = serde_json::from_str(&cases).expect("the cases are JSON");
    for case in cases {
        let field = |name: &str| case[name].as_str().expect("a text").to_owned();
        out.push((field("id"), field("program")));
    }
    out
}

/// The expressions of an answer that are printed: programs, values, and both sides of steps.
fn printed(answer: &Answer) -> Vec<ExprId> {
    let mut out = Vec::new();
    for outcome in &answer.outcomes {
        out.extend(outcome.program.iter().map(|line| line.right));
        out.extend(outcome.value);
        out.extend(outcome.derivation.steps.iter().map(|step| step.right));
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Whether a Unicode form has a sign that the language lacks, or a name with a meaning of its own there.
fn is_for_people_only(formula: &str) -> bool {
    formula.contains(['√', '½', '⅓', '⅔', '¼', '¾', '…'])
        || ["1_", "0_", "I_"].iter().any(|sign| {
            formula.match_indices(sign).any(|(at, _)| {
                !formula[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || ('₀'..='₉').contains(&c))
            })
        })
        || formula.contains("e₁")
        || formula.contains("e₂")
}

/// The texts read over the answer's program, behind the names that they use: an arena of their own, and their nodes.
fn read(name: &str, answer: &Answer, texts: &[String]) -> (Arena, Vec<ExprId>) {
    let mut lines: Vec<String> = Vec::new();
    let user: Vec<&str> = answer.typed.definitions.iter().map(|definition| definition.name.as_str()).collect();
    for named in answer.arena.all_named() {
        // The last lines of programs have names that nothing uses; user's definitions are there already.
        if named.kind != NameKind::Definition || !user.contains(&named.name.as_str()) {
            lines.push(format!("{} = {}", named.name, text(&notation(&answer.arena, named.body))));
        }
    }
    let first = answer.typed.definitions.len() + lines.len();
    lines.extend(texts.iter().enumerate().map(|(i, text)| format!("Readback{i} = {text}")));
    let lines: Vec<Line> = lines.iter().map(|line| Line::Definition(line)).collect();
    let extended = answer.typed.with_lines(&[], &lines).unwrap_or_else(|error| {
        panic!("{name}: {:?} does not read: {:?}", lines[error.line], error.diagnostics);
    });
    let typed = extended.typed;
    let mut arena = Arena::new(typed.dimensions.clone(), answer.arena.variables.clone());
    let built = arena.build(&typed);
    (arena, built.definitions[first..].to_vec())
}

/// The numbers of one arena for another over the same variables.
fn carried(answer: &Answer, numbers: &Numbers, arena: &mut Arena) -> Numbers {
    let mut nodes: HashMap<String, ExprId> = HashMap::new();
    for i in 0..arena.variables.len() {
        let id = matgrad::elaborate::VariableId(u32::try_from(i).expect("few variables"));
        let node = arena.variable(id);
        nodes.insert(arena.name_of(node), node);
    }
    for i in 0..arena.all_named().len() {
        let node = arena.named_node(i);
        nodes.insert(arena.name_of(node), node);
    }
    let moved = |of: &HashMap<ExprId, matgrad::matrix::Matrix>| {
        of.iter().map(|(id, matrix)| (nodes[&answer.arena.name_of(*id)], matrix.clone())).collect()
    };
    Numbers {
        dimensions: numbers.dimensions.clone(),
        variables: numbers.variables.clone(),
        differentials: moved(&numbers.differentials),
        overrides: moved(&numbers.overrides),
    }
}

/// How many of the texts were compared; each has the values of its expression.
fn compared(name: &str, answer: &Answer, shown: &[(ExprId, String)]) -> usize {
    let texts: Vec<String> = shown.iter().map(|(_, text)| text.clone()).collect();
    let roots: Vec<ExprId> = shown.iter().map(|(id, _)| *id).collect();
    let (mut arena, nodes) = read(name, answer, &texts);
    let Some(numbers) = sample(&answer.arena, &answer.typed, &roots, 7) else {
        panic!("{name}: no point of the domain was found");
    };
    let expected = evaluate(&answer.arena, &numbers, &roots).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let numbers = carried(answer, &numbers, &mut arena);
    let found = evaluate(&arena, &numbers, &nodes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(found.len(), texts.len());
    for ((found, expected), text) in found.iter().zip(&expected).zip(&texts) {
        assert_eq!((found.rows(), found.columns()), (expected.rows(), expected.columns()), "{name}: {text}");
        let largest = expected.entries().iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
        for (a, b) in found.entries().iter().zip(expected.entries()) {
            assert!((a - b).abs() <= TOLERANCE * largest, "{name}: {text}: {a} and not {b}");
        }
    }
    texts.len()
}

/// Reads back all programs in a form; how many texts were compared.
fn all_compared(form: fn(&Notation) -> String, left_out: fn(&str) -> bool) -> usize {
    let programs = programs();
    assert!(programs.len() > 250, "only {} programs were read", programs.len());
    let mut count = 0;
    for (name, source) in programs {
        let answer = answer(&source, Detail::Full).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let shown: Vec<(ExprId, String)> = printed(&answer)
            .into_iter()
            .map(|id| (id, form(&notation(&answer.arena, id))))
            .filter(|(_, text)| !left_out(text))
            .collect();
        count += compared(&name, &answer, &shown);
    }
    count
}

#[test]
fn texts_have_the_values_of_what_they_show() {
    let count = all_compared(text, |text| text.contains('…'));
    assert!(count > 2_000, "only {count} texts were compared");
}

#[test]
fn texts_with_broadcasts_written_out_have_the_same_values() {
    let count = all_compared(explicit_text, |text| text.contains('…'));
    assert!(count > 2_000, "only {count} texts were compared");
}

#[test]
fn unicode_reads_back_where_the_language_has_its_signs() {
    let count = all_compared(unicode, is_for_people_only);
    assert!(count > 1_000, "only {count} forms were compared");
}

//! Every program of a large table is written in every target, beside numbers for its inputs and what `eval` gives for
//! them: `tests/emitted/run.py` runs the files and compares. Here it is held that each target covers each program. Random
//! programs are among them; `EMITTED_RANDOM=2000 EMITTED_SEED=1 cargo test --test emitted` writes others.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use matgrad::answer::{Answer, answer};
use matgrad::bind::{Entry, bind};
use matgrad::derivation::Detail;
use matgrad::emit::code::Origin;
use matgrad::emit::{Options, TARGETS, Target, emit};
use matgrad::eval::{Numbers, evaluate, sample};
use matgrad::expr::{ExprId, Op};
use matgrad::matrix::Matrix;
use matgrad::tensor::contract;
use random::chance::asked;
use random::tree::Brackets;

#[allow(dead_code, reason = "programs are made here, not judged")]
#[allow(clippy::explicit_auto_deref)]
#[path = "random"]
mod random {
    pub mod bound;
    pub mod chance;
    pub mod free;
    pub mod generate;
    pub mod tree;
}

/// How many random programs are written.
const RANDOM: u64 = 60;
/// Numbers of a random program that answer a relative change of its inputs by so many times are not compared.
const STEEPEST: f64 = 1e4;
/// Nor are results with larger entries.
const LARGEST: f64 = 1e8;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program with a name, and numbers for its inputs where it has some.
struct Program {
    name: String,
    source: String,
    inputs: serde_json::Value,
}

fn programs() -> Vec<Program> {
    let without = |name: String, source: String| Program { name, source, inputs: serde_json::Value::Null };
    let mut out = Vec::new();
    let mut examples: Vec<PathBuf> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    for path in examples.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "mg")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        out.push(without(format!("examples/{name}"), fs::read_to_string(&path).unwrap()));
    }
    let text = fs::read_to_string(root().join("tests/emitted/programs.txt")).unwrap();
    for (i, block) in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).enumerate() {
        let lines: Vec<&str> = block.lines().filter(|line| !line.starts_with('#')).collect();
        if !lines.is_empty() {
            out.push(without(format!("table/{i}"), lines.join("\n")));
        }
    }
    let cases: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(root().join("tests/cases/gradients.json")).unwrap()).unwrap();
    for case in cases.as_array().unwrap() {
        out.push(Program {
            name: format!("cases/{}", case["id"].as_str().unwrap()),
            source: case["program"].as_str().unwrap().to_owned(),
            inputs: case["inputs"].clone(),
        });
    }
    let first = asked("EMITTED_SEED", 0) << 32;
    for seed in first..first + asked("EMITTED_RANDOM", RANDOM) {
        let made = random::generate::program(seed);
        let mut source = made.text(Brackets::Needed);
        if let Some(ask) = made.asks.iter().find(|ask| seed % 4 == 3 && !ask.wrt.is_empty()) {
            let second = if ask.gradient { "hessian" } else { "jacobian" };
            source.push_str(&format!("{second} {} wrt {}\n", ask.of.text(Brackets::Needed), ask.wrt[0]));
        }
        out.push(without(format!("random/{seed}"), source));
    }
    out
}

/// What must be evaluated, in order, for the derivative of a place among the outcomes.
fn roots_of(answer: &Answer, place: usize) -> Vec<ExprId> {
    let outcome = &answer.outcomes[place];
    match &outcome.forms {
        Some(forms) => contract::roots(&forms.entries),
        None => vec![outcome.result],
    }
}

/// The numbers of a program's inputs: those it comes with, or any in its domain.
fn point(answer: &Answer, inputs: &serde_json::Value, roots: &[ExprId]) -> Option<Numbers> {
    let Some(inputs) = inputs.as_object() else { return sample(&answer.arena, &answer.typed, roots, 7) };
    let mut arrays: Vec<(&str, Vec<usize>, Vec<f64>)> = Vec::new();
    for (name, value) in inputs {
        let (mut shape, mut entries, mut level) = (Vec::new(), Vec::new(), vec![value]);
        while let Some(list) = level[0].as_array() {
            shape.push(list.len());
            level = level.iter().flat_map(|row| row.as_array().unwrap()).collect();
        }
        entries.extend(level.iter().map(|x| x.as_f64().unwrap()));
        arrays.push((name, shape, entries));
    }
    let entries: Vec<Entry<'_>> =
        arrays.iter().map(|(name, shape, entries)| Entry { name, shape, entries, rounding: 1e-9 }).collect();
    match bind(&answer.arena, &answer.typed, &entries, roots) {
        Ok(bound) => Some(bound.numbers),
        Err(_) => sample(&answer.arena, &answer.typed, roots, 7),
    }
}

/// Whether all results are finite numbers of a usual size that small changes of the inputs change little: others differ
/// from target to target by rounding alone.
fn is_tame(answer: &Answer, numbers: &Numbers, roots: &[ExprId]) -> bool {
    const STEP: f64 = 1e-9;
    let mut moved = numbers.clone();
    for matrix in moved.variables.iter_mut().chain(moved.differentials.values_mut()) {
        let columns = matrix.columns().max(1);
        let signs = matrix.entries().iter().enumerate().map(|(k, x)| x * (1.0 + if k % 3 == 1 { -STEP } else { STEP }));
        *matrix = Matrix::new(matrix.rows(), columns, signs.collect());
    }
    let (Ok(here), Ok(there)) = (evaluate(&answer.arena, numbers, roots), evaluate(&answer.arena, &moved, roots))
    else {
        return false;
    };
    here.iter().zip(&there).all(|(a, b)| {
        let largest = a.entries().iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
        let near = |(x, y): (&f64, &f64)| (x - y).abs() <= STEEPEST * STEP * largest;
        largest < LARGEST && a.entries().iter().all(|x| x.is_finite()) && a.entries().iter().zip(b.entries()).all(near)
    })
}

fn array(shape: &[usize], entries: &[f64]) -> String {
    let entries: Vec<String> = entries.iter().map(|x| format!("{x:?}")).collect();
    format!("{{\"shape\": {shape:?}, \"entries\": [{}]}}", entries.join(", "))
}

fn axes(matrix: &Matrix, answer: &Answer, id: ExprId) -> Vec<usize> {
    let shape = answer.arena.shape(id);
    let one = matgrad::dimension::DimId::ONE;
    [(shape.rows, matrix.rows()), (shape.columns, matrix.columns())]
        .into_iter()
        .filter(|&(d, _)| d != one)
        .map(|(_, n)| n)
        .collect()
}

/// The number of a result, or nothing where it has none.
fn expected(answer: &Answer, numbers: &Numbers, origin: Origin) -> Option<String> {
    let size = |d| {
        let value = answer.arena.dimensions.value(d, &|name| numbers.dimensions.get(name).copied());
        usize::try_from(value.unwrap()).unwrap()
    };
    match origin {
        Origin::Value(id) => {
            let value = evaluate(&answer.arena, numbers, &[id]).ok()?.remove(0);
            Some(array(&axes(&value, answer, id), value.entries()))
        }
        Origin::Outcome(place) => {
            let roots = roots_of(answer, place);
            let mut values = evaluate(&answer.arena, numbers, &roots).ok()?;
            let outcome = &answer.outcomes[place];
            match &outcome.forms {
                Some(forms) => {
                    let sizes: Vec<usize> = forms.entries.axes.iter().map(|&d| size(d)).collect();
                    let terms = contract::numbers(&forms.entries, values, &size);
                    Some(array(&sizes, &contract::dense(&forms.entries, &sizes, &terms, &mut contract::Reference)?))
                }
                None => {
                    let value = values.remove(0);
                    Some(array(&axes(&value, answer, roots[0]), value.entries()))
                }
            }
        }
    }
}

#[test]
fn every_target_writes_every_program() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emitted");
    let _ = fs::remove_dir_all(&folder);
    let mut lacking = Vec::new();
    let mut without_point = Vec::new();
    let mut untested = Vec::new();
    let mut left_out = 0;
    let mut written = vec![0; TARGETS.len()];
    let all = programs();
    for Program { name, source, inputs } in &all {
        let random = name.starts_with("random/");
        let answer = match answer(source, Detail::None) {
            Ok(answer) => answer,
            Err(_) if random => {
                left_out += 1;
                continue;
            }
            Err(errors) => {
                let errors: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
                lacking.push(format!("{name}: {}\n{source}\n", errors.join("; ")));
                continue;
            }
        };
        let own = folder.join(name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
        let mut roots: Vec<ExprId> = answer.outcomes.iter().map(|outcome| outcome.of_node).collect();
        for place in 0..answer.outcomes.len() {
            roots.extend(roots_of(&answer, place));
            roots.push(answer.outcomes[place].result);
        }
        let Some(numbers) = point(&answer, inputs, &roots) else {
            match random {
                true => left_out += 1,
                false => without_point.push(name.clone()),
            }
            continue;
        };
        // Numbers are handed over by name: a variable may not have that of a differential.
        let differentials =
            answer.arena.reachable(&roots).into_iter().filter(|&id| matches!(answer.arena.op(id), Op::Differential(_)));
        let clash = differentials
            .map(|id| answer.arena.name_of(id))
            .any(|name| answer.arena.variables.iter().any(|v| v.name == name));
        if random && (clash || !is_tame(&answer, &numbers, &roots)) {
            left_out += 1;
            continue;
        }
        fs::create_dir_all(&own).unwrap();
        let mut manifest = format!("{{\"name\": {name:?}, \"program\": {source:?}, \"inputs\": {{");
        let mut inputs = Vec::new();
        let mut shapes = Vec::new();
        for id in answer.arena.reachable(&roots) {
            let matrix = match answer.arena.op(id) {
                Op::Variable(v) => &numbers.variables[v.0 as usize],
                Op::Differential(of) => &numbers.differentials[of],
                _ => continue,
            };
            let shape = axes(matrix, &answer, id);
            shapes.push(format!("{:?}: [{}, {}]", answer.arena.name_of(id), matrix.rows(), matrix.columns()));
            inputs.push(format!("{:?}: {}", answer.arena.name_of(id), array(&shape, matrix.entries())));
        }
        let _ = write!(manifest, "{}}}, \"shapes\": {{{}}}, \"sizes\": {{", inputs.join(", "), shapes.join(", "));
        let sizes: Vec<String> = numbers.dimensions.iter().map(|(name, n)| format!("{name:?}: {n}")).collect();
        let _ = write!(manifest, "{}}}, \"targets\": {{", sizes.join(", "));
        let mut targets = Vec::new();
        for (i, &(target_name, target)) in TARGETS.iter().enumerate() {
            let sizes = numbers.dimensions.iter().map(|(name, &n)| (name.clone(), n)).collect();
            let mut options = Options { name: "program".to_owned(), sizes, ..Options::default() };
            options.test = !matches!(target, Target::StableHlo | Target::Latex | Target::Typst);
            let mut result = emit(&answer, source, target, &options);
            if let Err(error) = &result
                && options.test
                && (error.message.contains("--test:"))
            {
                untested.push(format!("{name} in {target_name}: {error}"));
                options.test = false;
                result = emit(&answer, source, target, &options);
            }
            match result {
                Ok(emitted) => {
                    written[i] += 1;
                    fs::write(own.join(format!("{target_name}.txt")), &emitted.text).unwrap();
                    let outputs: Vec<String> = emitted
                        .outputs
                        .iter()
                        .map(|(name, origin)| {
                            let array = expected(&answer, &numbers, *origin).unwrap_or_else(|| "null".to_owned());
                            format!("[{name:?}, {array}]")
                        })
                        .collect();
                    targets.push(format!(
                        "{target_name:?}: {{\"function\": {:?}, \"tested\": {}, \"inputs\": {:?}, \"sizes\": {:?}, \"outputs\": [{}]}}",
                        emitted.name,
                        options.test,
                        emitted.inputs.iter().map(|(own, taken)| vec![own, taken]).collect::<Vec<_>>(),
                        emitted.sizes.iter().map(|(own, taken)| vec![own, taken]).collect::<Vec<_>>(),
                        outputs.join(", ")
                    ));
                }
                Err(error) => lacking.push(format!("{name}: {error}")),
            }
        }
        let _ = write!(manifest, "{}}}}}", targets.join(", "));
        fs::write(own.join("program.json"), manifest.replace("NaN", "null").replace("inf", "1e999")).unwrap();
    }
    for (count, (target, _)) in written.iter().zip(TARGETS) {
        println!("{target}: {count} of {} programs written", all.len());
    }
    println!("{left_out} random programs left out: no answer, no point in the domain, or steep there");
    println!("{} files without a self-test:\n  {}", untested.len(), untested.join("\n  "));
    assert!(without_point.is_empty(), "no point found: {without_point:?}");
    assert!(lacking.is_empty(), "{} not covered:\n{}", lacking.len(), lacking.join("\n"));
}

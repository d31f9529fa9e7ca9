//! `matgrad plan`: numbers for a program's dimensions come from the command line, the plan by which it runs is printed.

use std::collections::HashMap;
use std::fmt::Write;

use clap::ArgMatches;
use matgrad::answer::Answer;
use matgrad::derivation::Detail;
use matgrad::expr::ExprId;
use matgrad::plan::{Plan, Precision, Request, Tuning};
use matgrad::syntax::ast::AskKind;
use matgrad::syntax::canonical_name;

use crate::derive::answered;
use crate::failure::Failure;
use crate::input::Program;
use crate::output;

/// Shows the plan of what a program asks for.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let program = Program::whole(matches)?;
    let answer = answered(&program, Detail::None)?;
    let sizes = sizes(&answer, matches)?;
    let (names, roots): (Vec<String>, Vec<ExprId>) = results(&answer).into_iter().unzip();
    let precision = matches.get_one::<String>("precision").and_then(|name| Precision::named(name));
    let precision = precision.unwrap_or(Precision::Single);
    let threads = matches.get_one::<u16>("threads").copied().map_or(1, usize::from);
    let request =
        Request { sizes: &sizes, independent: &[], labels: &[], precision, threads, tuning: Tuning::default() };
    let plan = Plan::new(&answer.arena, &roots, &request).map_err(|error| {
        let hint = "give it one, as `--bind N=128,D=784`";
        let help = if error.message.ends_with("has no value") { format!("; {hint}") } else { String::new() };
        Failure::wrong(format!("{error}{help}"))
    })?;
    let mut text = plan.to_string();
    let _ = writeln!(text, "outputs");
    for (i, (name, planned)) in names.iter().zip(&plan.outputs).enumerate() {
        let _ = writeln!(text, "  {} {name} : {}x{}", i + 1, planned.rows, planned.columns);
    }
    output::result(&text, None)
}

/// What is asked for, and of what: a loss is computed with its gradients.
fn results(answer: &Answer) -> Vec<(String, ExprId)> {
    let mut out: Vec<(String, ExprId)> = Vec::new();
    for outcome in &answer.outcomes {
        if !out.iter().any(|(_, root)| *root == outcome.of_node) {
            out.push((outcome.of.clone(), outcome.of_node));
        }
        let kind = match outcome.kind {
            AskKind::Gradient => "grad",
            AskKind::Jacobian | AskKind::JacobianAlong | AskKind::JacobianAgainst => "jacobian",
            AskKind::Hessian | AskKind::HessianAlong => "hessian",
            AskKind::Differential => {
                out.push((format!("differential({})", outcome.of), outcome.result));
                continue;
            }
        };
        let key = format!("{kind}({},{}){}", outcome.of, outcome.wrt.join(","), outcome.direction.in_words());
        out.push((key, outcome.result));
    }
    out
}

/// The dimensions' values: those of the program and those of `--bind`.
fn sizes(answer: &Answer, matches: &ArgMatches) -> Result<HashMap<String, i64>, Failure> {
    let mut out: HashMap<String, i64> =
        answer.typed.dimension_values.iter().map(|(name, value)| (name.clone(), *value)).collect();
    let dimensions = &answer.arena.dimensions;
    for list in matches.get_many::<String>("bind").into_iter().flatten() {
        for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let number = |text: &str| text.trim().parse::<i64>().ok().filter(|&n| n > 0);
            let read =
                pair.split_once('=').and_then(|(name, value)| Some((canonical_name(name.trim())?, number(value)?)));
            let Some((name, value)) = read else {
                return Err(Failure::wrong(format!("`{pair}` binds nothing: write NAME=NUMBER, as `--bind N=128`")));
            };
            if dimensions.known_name(&name).is_none() {
                let known: Vec<&str> = dimensions.all_names().collect();
                let there =
                    if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
                return Err(Failure::wrong(format!("the program has no dimension `{name}`: {there}")));
            }
            if out.get(&name).is_some_and(|&before| before != value) {
                return Err(Failure::wrong(format!("the dimension `{name}` is {}, and {value} is bound", out[&name])));
            }
            out.insert(name, value);
        }
    }
    Ok(out)
}

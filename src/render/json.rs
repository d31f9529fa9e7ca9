//! The answer as the JSON of the contract: one object, results in order, programs that go on from each other.

use std::fmt::Write;

use super::build::notation;
use super::entries::einsum;
use super::steps::shown_steps;
use super::text::{explicit_text, text};
use crate::answer::{Answer, Direction, Outcome};
use crate::expr::NameKind;
use crate::syntax::ast::AskKind;

/// The object of `--format json`; `latex` renders a formula.
pub fn json(answer: &Answer, source: &str, latex: &dyn Fn(&super::notation::Notation) -> String) -> String {
    let mut out = String::from("{\"results\": [");
    for (i, outcome) in answer.outcomes.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("\n  ");
        result(&mut out, answer, outcome, latex);
    }
    out.push_str("],\n \"definitions\": {");
    let mut first = true;
    for definition in &answer.typed.definitions {
        let span = answer.typed.ast.span(definition.body);
        let body = source.get(span.start as usize..span.end as usize).unwrap_or_default();
        pair(&mut out, &mut first, &definition.name, &one_line(body));
    }
    // Adjoints' names stand in the steps, so what they stand for is given beside the user's own.
    for named in answer.arena.all_named() {
        let kind = named.kind;
        if matches!(kind, NameKind::Adjoint | NameKind::Directional | NameKind::Request | NameKind::Part)
            && answer.outcomes.iter().any(|o| !o.derivation.steps.is_empty())
        {
            pair(&mut out, &mut first, &named.name, &text(&notation(&answer.arena, named.body)));
        }
    }
    out.push_str("},\n \"types\": {");
    let mut first = true;
    for variable in &answer.typed.variables {
        pair(&mut out, &mut first, &variable.name, &variable.kind);
    }
    out.push_str("}}\n");
    out
}

/// A definition's text on one line, without comments.
fn one_line(body: &str) -> String {
    let lines: Vec<&str> = body.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    lines.join(" ").trim().to_owned()
}

fn result(out: &mut String, answer: &Answer, outcome: &Outcome, latex: &dyn Fn(&super::notation::Notation) -> String) {
    let arena = &answer.arena;
    let kind = match outcome.kind {
        AskKind::Gradient => "gradient",
        AskKind::Jacobian => "jacobian",
        AskKind::Hessian => "hessian",
        AskKind::Differential => "differential",
        AskKind::HessianAlong => "hvp",
        AskKind::JacobianAlong => "jvp",
        AskKind::JacobianAgainst => "vjp",
    };
    let _ = write!(out, "{{\"kind\": \"{kind}\", \"of\": {}, \"wrt\": ", quoted(&outcome.of));
    list(out, outcome.wrt.iter().map(|w| quoted(w)));
    match &outcome.direction {
        Direction::None => {}
        Direction::Along { moves, .. } => {
            out.push_str(", \"along\": {");
            let mut first = true;
            for moved in moves {
                pair(out, &mut first, &moved.name, &moved.text);
            }
            out.push('}');
        }
        Direction::Against { text, .. } => {
            let _ = write!(out, ", \"against\": {}", quoted(text));
        }
    }
    out.push_str(", \"shape\": ");
    list(out, outcome.shape.iter().map(|&d| quoted(&arena.dimensions.text(d))));
    out.push_str(",\n   \"value\": ");
    // A value with a part left out would not read back.
    match outcome.value.map(|value| text(&notation(arena, value))).filter(|text| !text.contains('…')) {
        Some(text) => out.push_str(&quoted(&text)),
        None => out.push_str("null"),
    }
    if let Some(forms) = &outcome.forms {
        if let Some(einsum) = einsum(arena, &forms.entries) {
            out.push_str(",\n   \"einsum\": ");
            out.push_str(&einsum);
        }
        if let Some(operator) = forms.operator {
            out.push_str(",\n   \"operator\": ");
            out.push_str(&quoted(&text(&notation(arena, operator))));
        }
    }
    out.push_str(",\n   \"program\": ");
    list(
        out,
        outcome.program.iter().map(|line| quoted(&format!("{} = {}", line.name, text(&notation(arena, line.right))))),
    );
    out.push_str(",\n   \"latex\": ");
    out.push_str(&quoted(&latex(&notation(arena, outcome.value.unwrap_or(outcome.result)))));
    out.push_str(",\n   \"notes\": ");
    list(out, outcome.notes.iter().map(|n| quoted(n)));
    out.push_str(",\n   \"steps\": ");
    list(
        out,
        shown_steps(arena, &outcome.derivation).iter().map(|step| {
            let rules: Vec<&crate::rules::Rule> = step.rules.iter().map(|id| id.rule()).collect();
            let statements: Vec<&str> = rules.iter().map(|rule| rule.statement.as_str()).collect();
            let equation = super::notation::Notation::Equation(vec![step.left.clone(), step.right.clone()]);
            format!(
                "{{\"rule\": {}, \"name\": {}, \"text\": {}, \"latex\": {}}}",
                quoted(rules.first().map_or("", |rule| rule.id)),
                quoted(&statements.join("; ")),
                quoted(&explicit_text(&equation)),
                quoted(&latex(&equation))
            )
        }),
    );
    out.push('}');
}

fn list(out: &mut String, items: impl Iterator<Item = String>) {
    out.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(&item);
    }
    out.push(']');
}

fn pair(out: &mut String, first: &mut bool, key: &str, value: &str) {
    if !std::mem::replace(first, false) {
        out.push_str(", ");
    }
    let _ = write!(out, "{}: {}", quoted(key), quoted(value));
}

/// A JSON string.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

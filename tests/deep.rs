//! Very deep and very wide expressions are rendered in every format, on the small stack of a test's thread.

use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::dimension::{Dimensions, Shape};
use matgrad::elaborate::{Properties, Variable, VariableId};
use matgrad::expr::{Arena, Axis, ExprId};
use matgrad::functions::Function;
use matgrad::number::Number;
use matgrad::render::build::notation;
use matgrad::render::latex::latex;
use matgrad::render::mathml::mathml;
use matgrad::render::text::{explicit_text, text, unicode};
use matgrad::render::{Format, render};

const FORMATS: [Format; 6] =
    [Format::Text, Format::Unicode, Format::Latex, Format::Markdown, Format::Html, Format::Json];

fn arena() -> (Arena, ExprId) {
    let mut dimensions = Dimensions::default();
    let n = dimensions.named("n");
    let x = Variable {
        name: "x".to_owned(),
        shape: Shape::column(n),
        properties: Properties::NONE,
        kind: "vector(n)".to_owned(),
        span: matgrad::diagnostic::Span::default(),
        inferred: false,
    };
    let mut arena = Arena::new(dimensions, vec![x]);
    let x = arena.variable(VariableId(0));
    (arena, x)
}

/// sin(x + 0.5*sin(x + 0.5*sin(…))).
fn nested(arena: &mut Arena, x: ExprId, levels: usize) -> ExprId {
    let mut inner = x;
    for _ in 0..levels {
        let sum = arena.sum(&[(Number::ONE, x), (Number::HALF, inner)]);
        inner = arena.call(Function::Sin, Axis::All, &[sum]);
    }
    inner
}

fn all_forms(arena: &Arena, id: ExprId) -> [String; 5] {
    let notation = notation(arena, id);
    [text(&notation), explicit_text(&notation), unicode(&notation), latex(&notation), mathml(&notation)]
}

#[test]
fn what_a_result_may_hold_is_whole_in_the_language() {
    let (mut arena, x) = arena();
    let deep = nested(&mut arena, x, 120);
    let [text, explicit, book @ ..] = all_forms(&arena, deep);
    for form in [text, explicit] {
        assert!(!form.contains('…'), "{form}");
        assert_eq!(form.matches("sin(").count(), 120);
    }
    for form in book {
        assert!(form.matches("sin").count() >= 30, "{form}");
    }
}

#[test]
fn inner_parts_of_very_deep_expressions_are_left_out() {
    let (mut arena, x) = arena();
    let deep = nested(&mut arena, x, 10_000);
    for form in all_forms(&arena, deep) {
        assert!(form.contains('…') || form.contains("\\dots"), "{form}");
        assert!(form.len() < 20_000, "{} bytes", form.len());
    }
}

#[test]
fn shared_parts_do_not_multiply() {
    let (mut arena, x) = arena();
    // Each level stands twice in the next, so that the tree has 2^60 leaves.
    let mut wide = x;
    for _ in 0..60 {
        let (a, b) = (arena.call(Function::Sin, Axis::All, &[wide]), arena.call(Function::Cos, Axis::All, &[wide]));
        wide = arena.hadamard(&[a, b]);
    }
    for form in all_forms(&arena, wide) {
        assert!(form.contains('…') || form.contains("\\dots"));
        assert!(form.len() < 400_000, "{} bytes", form.len());
    }
}

#[test]
fn deep_programs_have_pages() {
    let deep =
        |levels: usize| format!("x : vector(n)\ngrad sum({}x{}) wrt x", "tanh(".repeat(levels), ")".repeat(levels));
    let quotients = |levels: usize| {
        format!("x : vector(n)\ngrad {}normsq(x){} wrt x", "1/(1 + ".repeat(levels), ")".repeat(levels))
    };
    for source in [deep(40), deep(500), quotients(30), quotients(300)] {
        let answer = match answer(&source, Detail::Full) {
            Ok(answer) => answer,
            Err(errors) => panic!("{}: {}", &source[..60], errors[0].message),
        };
        for format in FORMATS {
            let page = render(format, &answer, &source, &[]);
            assert!(!page.is_empty());
        }
    }
}

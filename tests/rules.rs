//! The laws of the table of rules hold: both sides of each are computed at random numbers of unequal sizes.

use matgrad::answer::answer;
use matgrad::derivation::Detail;
use matgrad::eval::{evaluate, sample};
use matgrad::rules::RuleId;

#[test]
fn laws_hold_at_random_numbers() {
    let mut proved = 0;
    for rule in RuleId::all().map(RuleId::rule).filter(|rule| !rule.law.is_empty()) {
        let sides: Vec<&str> = rule.law.split(" = ").collect();
        assert!(sides.len() > 1, "{}: a law has two sides", rule.id);
        let mut program = String::new();
        for (i, side) in sides.iter().enumerate() {
            program.push_str(&format!("side{i} = {side}\n"));
        }
        program.push_str("differential side0\n");
        let answer = answer(&program, Detail::None).unwrap_or_else(|errors| panic!("{}: {errors:?}", rule.law));
        for seed in 1..4 {
            let numbers = sample(&answer.arena, &answer.typed, &answer.definitions, seed).expect("a point");
            let values = evaluate(&answer.arena, &numbers, &answer.definitions).expect("numbers");
            for value in &values[1..] {
                let error = value.subtract(&values[0]).max_abs();
                assert!(error <= 1e-12 * (1.0 + values[0].max_abs()), "{}: {}: {error:e}", rule.id, rule.law);
            }
            proved += 1;
        }
    }
    assert!(proved >= 24, "only {proved} points were compared");
}

#[test]
fn rules_are_told_apart() {
    let mut ids: Vec<&str> = RuleId::all().map(|rule| rule.rule().id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "two rules have one identifier");
    for rule in RuleId::all().map(RuleId::rule) {
        assert!(!rule.statement.is_empty(), "{} states nothing", rule.id);
    }
}

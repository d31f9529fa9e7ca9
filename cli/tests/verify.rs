//! `matgrad verify` and `matgrad explain` as a user runs them.

use std::process::{Command, Output};

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_right_claim_is_right_and_names_its_rule() {
    let output = matgrad(&["verify", "-e", "d(X*Y) = dX*Y + X*dY"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("d(XY) = dX Y + X dY"), "{}", text(&output.stdout));
}

#[test]
fn a_wrong_claim_ends_with_exit_code_1_and_what_would_be_right() {
    let output = matgrad(&["verify", "-e", "claim d(inv(A)) = inv(A)*dA*inv(A)"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("nearest right formula: -inv(A)*dA*inv(A)"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("1 step is wrong"));
}

#[test]
fn a_mistake_in_the_text_ends_with_exit_code_2() {
    for wrong in ["claim tr(A", "X : matrix(n); claim X = X", "claim"] {
        let output = matgrad(&["verify", "-e", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {}", text(&output.stdout));
    }
    assert_eq!(matgrad(&["verify", "no-such-file.md"]).status.code(), Some(3));
}

#[test]
fn an_equation_is_explained_by_named_rules() {
    let output = matgrad(&["explain", "tr(A'*(B .* C)) = tr((A .* B)'*C)"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("[tr(A'(B .* C)) = tr((A .* B)'C)]"), "{}", text(&output.stdout));
    let wrong = matgrad(&["explain", "tr(A*B) = tr(A)*tr(B)"]);
    assert_eq!(wrong.status.code(), Some(1), "{}", text(&wrong.stdout));
}

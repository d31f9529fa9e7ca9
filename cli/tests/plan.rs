//! `matgrad plan` as a user runs it.

use std::process::{Command, Output};

fn matgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_matgrad")).args(arguments).output().unwrap()
}

const PROGRAM: &str = "X : matrix(N, D); w : vector(D); y : vector(N); f = normsq(X*w - y)/N; grad f wrt w";

fn error(arguments: &[&str]) -> String {
    let output = matgrad(&[&["plan", "-e", PROGRAM], arguments].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_plan_shows_its_steps_and_what_they_take() {
    let output = matgrad(&["plan", "-e", PROGRAM, "--bind", "N=1000,D=20", "--threads", "2", "--precision", "f64"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for part in ["f64, 2 threads\n", " operations, ", " bytes of memory", "X : 1000x20\n", "stage 1\n", "1 f : 1x1\n"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    assert!(text.contains("2 grad(f,w) : 20x1\n"), "{text}");
}

#[test]
fn what_is_wrong_with_the_numbers_is_said() {
    assert!(error(&[]).contains("has no value; give it one, as `--bind N=128,D=784`"));
    let unbound = error(&["--bind", "N=5"]);
    assert_eq!(unbound, "error: the dimension `D` has no value; give it one, as `--bind N=128,D=784`\n");
    let unknown = error(&["--bind", "N=5,D=3,K=2"]);
    assert_eq!(unknown, "error: the program has no dimension `K`: it has N, D\n");
    let broken = error(&["--bind", "N=5,D"]);
    assert_eq!(broken, "error: `D` binds nothing: write NAME=NUMBER, as `--bind N=128`\n");
    let zero = error(&["--bind", "N=0,D=3"]);
    assert_eq!(zero, "error: `N=0` binds nothing: write NAME=NUMBER, as `--bind N=128`\n");
    let twice = error(&["--bind", "N=5,D=3", "--bind", "N=6"]);
    assert_eq!(twice, "error: the dimension `N` is 5, and 6 is bound\n");
}

//! Verdicts on curvature: functions of textbooks that are convex, concave, affine or neither, with what is said of them.

use matgrad::answer::answer;
use matgrad::curvature::Curvature::{self, Affine, Concave, Convex, Unknown};
use matgrad::derivation::Detail;

/// Declarations, the function, by what, and what must be said.
const KNOWN: &[(&str, &str, &str, Curvature)] = &[
    ("X : matrix(m, n); w : vector(n); y : vector(m)", "0.5*normsq(X*w - y)", "w", Convex),
    ("X : matrix(m, n); w : vector(n); y : vector(m)", "sum(softplus(-y .* (X*w)))", "w", Convex),
    ("S, C : posdef(n)", "tr(S*C) - logdet(S)", "S", Convex),
    ("S : posdef(n)", "logdet(S)", "S", Concave),
    ("S, C : posdef(n)", "tr(C*inv(S))", "S", Convex),
    ("X : invertible(n)", "logdet(X)", "X", Unknown),
    ("A : matrix(n, n); x : vector(n)", "x'*A*x", "x", Unknown),
    ("A : matrix(m, n); x : vector(n)", "x'*A'*A*x", "x", Convex),
    ("Q : posdef(n); x : vector(n)", "-x'*Q*x", "x", Concave),
    ("x : vector(n)", "logsumexp(x)", "x", Convex),
    ("x : vector(n)", "norm(x) - 2*sum(x)", "x", Convex),
    ("x : vector(n)", "exp(normsq(x))", "x", Convex),
    ("A : matrix(m, n); U : matrix(m, k); V : matrix(n, k)", "normsq(A - U*V')", "U", Convex),
    ("X : matrix(m, n); Y : onehot(m, k); W : matrix(n, k)", "-tr(Y'*log(softmax(X*W)))", "W", Convex),
    ("q, r : vector(n); assume positive(q); assume positive(r)", "sum(q .* log(q)) - dot(q, r)", "q", Convex),
    ("X : matrix(m, n); w : vector(n)", "sum(tanh(X*w))", "w", Unknown),
    ("x : vector(n)", "sum(x.^3)", "x", Unknown),
    ("x : vector(n)", "sum(x.^-2)", "x", Unknown),
    ("x : vector(n)", "sum((x.^2 - 1).^1.5)", "x", Unknown),
    ("x : vector(n)", "sum(log(x.^2))", "x", Unknown),
    ("x : vector(n); assume positive(x)", "sum(x.^-2)", "x", Convex),
    ("x : vector(n); assume positive(x)", "sum(sqrt(x))", "x", Concave),
    ("x, q : vector(n)", "q'*x + 3", "x", Affine),
    ("x : vector(n)", "-sum(relu(x))", "x", Concave),
    ("x : vector(n)", "sum(step(x))", "x", Unknown),
    ("x : vector(n)", "-sum(abs(x)) + sum(abs(x))", "x", Affine),
    ("x, w : vector(n)", "normsq(x) - (w'*x)^2", "x", Unknown),
    ("x : vector(n)", "sum(relu(x)) - sum(x)/2", "x", Convex),
    ("s : scalar", "sin(s)", "s", Unknown),
    (
        "X : matrix(m, n); w : vector(n); y : vector(m); p = sigmoid(X*w)",
        "-y'*log(p) - (1 - y)'*log(1 - p)",
        "w",
        Convex,
    ),
    (
        "X : matrix(m, n); w : vector(n); y : vector(m); p = sigmoid(X*w)",
        "y'*log(p) + (1 - y)'*log(1 - p)",
        "w",
        Concave,
    ),
];

#[test]
fn verdicts_are_those_of_textbooks() {
    let mut wrong = Vec::new();
    for &(declared, function, by, expected) in KNOWN {
        let source = format!("{declared}\nhessian {function} wrt {by}");
        let answer = answer(&source, Detail::None).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        let judged = &answer.outcomes[0].curvature[0];
        if judged.verdict.curvature != expected || judged.by != [by] {
            wrong.push(format!("{source}: {judged:?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn gradients_are_judged_on_request_alone_and_together() {
    let source = "A : matrix(m, n); U : matrix(m, k); V : matrix(n, k)\ngrad normsq(A - U*V') wrt U, V";
    let mut answer = answer(source, Detail::None).expect("a program");
    assert!(answer.outcomes.iter().all(|outcome| outcome.curvature.is_empty()));
    answer.judge_gradients();
    let found: Vec<Vec<(Vec<String>, Curvature)>> = answer
        .outcomes
        .iter()
        .map(|outcome| outcome.curvature.iter().map(|j| (j.by.clone(), j.verdict.curvature)).collect())
        .collect();
    let by = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let expected = vec![vec![(by(&["U"]), Convex), (by(&["U", "V"]), Unknown)], vec![(by(&["V"]), Convex)]];
    assert_eq!(found, expected);
    let notes = &answer.outcomes[0].notes;
    assert!(notes.iter().any(|note| note.starts_with("f is convex in U: ")), "{notes:?}");
}

//! Right answers pass with nothing left unchecked; every corrupted one is found.

use super::{Options, Report, check};
use crate::answer::{Answer, answer};
use crate::derivation::Detail;
use crate::expr::{ExprId, NameKind, Op};
use crate::functions::{ENTRIES, Function, Signature};
use crate::number::Number;

const NETWORK: &str = "dim N, D, H, C\nX : matrix(N, D)\nY : onehot(N, C)\nW1 : matrix(D, H)\nb1 : row(H)\n\
    W2 : matrix(H, C)\nb2 : row(C)\nlambda : scalar\nZ1 = X*W1 + b1\nH1 = relu(Z1)\nZ2 = H1*W2 + b2\nP = softmax(Z2)\n\
    L = -1/N * tr(Y' * log(P)) + lambda*(sum(W1.^2) + sum(W2.^2))\ngrad L wrt W1, b1, W2, b2";

const PROGRAMS: &[&str] = &[
    NETWORK,
    "grad a'*X*b wrt X",
    "X : matrix(m, n)\nf = normsq(X*w - y) + lambda*normsq(w)\ngrad f wrt w, X",
    "S : posdef(n)\nT : symmetric(n)\ngrad logdet(S) + tr(inv(S)*T) wrt S, T",
    "K : skew(n)\nD : diagonal(n)\nB : matrix(n, n)\ngrad tr(K*B*D*B) + norm1(D) wrt K, D",
    "Q : orthogonal(n)\nB : matrix(n, m)\ngrad tr(B'*Q'*Q*B) + tr(Q*B*B') wrt B",
    "Q : orthogonal(n)\nB : matrix(n, m)\ngrad tr(B'*Q'*Q*B) + det(Q) wrt Q",
    "Y : onehot(N, C)\nZ = W*x\ngrad -y'*log(softmax(Z)) wrt W, x\ngrad sum(Y.*logsoftmax(M)) wrt M",
    "X : matrix(n, m)\nZ1 = X*W\nZ2 = tanh(Z1)\nL = sum(Z2 .* Z1) + tr(Z1'*V)\ngrad L wrt Z1\ngrad L wrt X, W\ngrad L wrt X, Z2",
    "X : matrix(n, m)\nV : matrix(m, p)\nZ = X*V\nY = Z*W\nL = sum(exp(Y) .* Y)\ngrad L wrt W, Z\ngrad L wrt Z, X, Y, W\ndifferential L wrt Z, W",
    "A : matrix(n, n)\ngrad tr(expm(A)) + tr(A^9) + sum(adj(A)) wrt A",
    "X : matrix(m, n)\ngrad sum(pinv(X)) + norm(X) wrt X",
    "A : posdef(n)\ngrad sum(chol(A)) + tr(A^(1/2)*B) wrt A, B",
    "x : vector(n)\ngrad kron(x, x)'*c + sum([x, 2*x]) + vech(x*x')'*d wrt x",
    "x : vector(n)\ny : vector(n)\nassume constant(y)\ngrad sum(max(x, y)) + sum(x .^ y) + logsumexp(x) wrt x",
    "X : matrix(m, n)\nY = exp(X*B)\ndifferential Y\ndifferential Y wrt X\nf = sum(Y.^2)\ndifferential f wrt B",
    "X : matrix(m, n)\ndifferential inv(X'*X) * X' wrt X",
];

fn answered(source: &str) -> Answer {
    answer(source, Detail::Full).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

fn checked(answer: &Answer) -> Report {
    check(answer, Options::default())
}

/// At one point, which must be enough to find what is wrong.
fn checked_once(answer: &Answer) -> Report {
    check(answer, Options { points: 1, entries: 0, seed: 5 })
}

#[test]
fn right_answers_pass_and_nothing_is_left_unchecked() {
    for source in PROGRAMS {
        let answer = answered(source);
        let report = checked(&answer);
        assert!(report.is_ok(), "{source}\n{}", report.lines().join("\n"));
        assert!(report.worst_error() < 1e-6, "{source}: {}", report.worst_error());
        for (result, outcome) in report.results.iter().zip(&answer.outcomes) {
            assert_eq!(result.points, 3, "{source}: {}", result.title);
            assert!(result.not_checked.is_empty(), "{source}: {:?}", result.not_checked);
            assert_eq!(result.steps_by_numbers, outcome.derivation.steps.len(), "{source}: {}", result.title);
        }
    }
}

#[test]
fn algebra_is_checked_exactly() {
    let report = checked(&answered(NETWORK));
    for result in &report.results {
        assert!(result.exact, "{}", result.title);
        assert_eq!(result.steps_exact, result.steps, "{}", result.title);
    }
    let lines = report.lines();
    let gradients = "checked: 4 gradients at 3 random points against differences, worst error ";
    assert!(lines[0].starts_with(gradients) && lines[0].ends_with(", and exactly modulo 2^61-1"), "{lines:?}");
    assert!(lines[1].contains(" steps by numbers, ") && lines[1].ends_with(" exactly modulo 2^61-1"), "{lines:?}");
}

/// What becomes of a result.
type Corruption = dyn Fn(&mut Answer, ExprId) -> ExprId;

/// The nodes of a result in both forms and in its program, corrupted in the same way.
fn corrupt_result(answer: &mut Answer, k: usize, with: &Corruption) {
    let outcome = answer.outcomes[k].clone();
    answer.outcomes[k].result = with(answer, outcome.result);
    if let Some(value) = outcome.value {
        answer.outcomes[k].value = Some(with(answer, value));
    }
    let last = outcome.program.len() - 1;
    answer.outcomes[k].program[last].right = with(answer, outcome.program[last].right);
}

#[test]
fn a_wrong_factor_or_sign_or_term_is_found() {
    let scaled = |c: Number| move |answer: &mut Answer, id: ExprId| answer.arena.scale(c, id);
    let shifted = |answer: &mut Answer, id: ExprId| {
        let shape = answer.arena.shape(id);
        let ones = answer.arena.ones(shape);
        let ones = if shape.is_scalar() { answer.arena.integer(1) } else { ones };
        let little = answer.arena.scale(Number::Ratio(1, 1000), ones);
        answer.arena.add(id, little)
    };
    for source in PROGRAMS {
        let right = answered(source);
        for k in 0..right.outcomes.len() {
            if right.arena.is_zero(right.outcomes[k].result) {
                continue;
            }
            let wrongs: [(&str, Box<Corruption>); 4] = [
                ("twice", Box::new(scaled(Number::integer(2)))),
                ("the other sign", Box::new(scaled(Number::MINUS_ONE))),
                ("a little more", Box::new(scaled(Number::Ratio(100_001, 100_000)))),
                ("a term more", Box::new(shifted)),
            ];
            for (name, wrong) in wrongs {
                let mut answer = right.clone();
                corrupt_result(&mut answer, k, wrong.as_ref());
                let report = checked_once(&answer);
                assert!(!report.is_ok(), "{source}: {name} of result {k} passes");
                assert!(report.lines().iter().any(|line| line.starts_with("failed: ")), "{:?}", report.lines());
            }
        }
    }
}

#[test]
fn a_transpose_in_the_wrong_place_is_found() {
    for source in ["grad a'*X*b wrt X", "A : matrix(n, n)\nB : matrix(n, n)\ngrad tr(A*B) + tr(A^9) wrt A, B"] {
        let right = answered(source);
        for k in 0..right.outcomes.len() {
            let mut answer = right.clone();
            corrupt_result(&mut answer, k, &|answer, id| answer.arena.transpose(id));
            assert!(!checked(&answer).is_ok(), "{source}: result {k}");
        }
    }
    // Of one form only, while the other is right.
    let mut answer = answered("A : matrix(n, n)\nB = A*A\ngrad tr(B*C*B) wrt A");
    let value = answer.outcomes[0].value.unwrap();
    answer.outcomes[0].value = Some(answer.arena.transpose(value));
    let report = checked(&answer);
    assert!(!report.is_ok() && report.failures.iter().all(|f| f.what.contains("one expression")), "{report:?}");
}

#[test]
fn a_gradient_that_leaves_the_structure_of_its_variable_is_found() {
    let mut answer = answered("S : symmetric(n)\nB : matrix(n, n)\ngrad tr(B*S) wrt S");
    let arena = &mut answer.arena;
    let b =
        (0..arena.variables.len()).map(|i| arena.variable(crate::elaborate::VariableId(i as u32))).collect::<Vec<_>>();
    let b = b.into_iter().find(|&id| arena.name_of(id) == "B").unwrap();
    // The unconstrained gradient gives the same tr(G'·D) for every symmetric D.
    let unconstrained = arena.transpose(b);
    corrupt_result(&mut answer, 0, &move |_, _| unconstrained);
    let report = checked(&answer);
    assert!(report.failures.iter().any(|f| f.what.contains("structure")), "{:?}", report.lines());
}

#[test]
fn each_wrong_line_of_a_derivation_is_found() {
    for source in PROGRAMS {
        let right = answered(source);
        for (k, outcome) in right.outcomes.iter().enumerate() {
            for (i, step) in outcome.derivation.steps.iter().enumerate() {
                if right.arena.is_zero(step.right) {
                    continue;
                }
                let mut answer = right.clone();
                let wrong = answer.arena.scale(Number::Ratio(100_001, 100_000), step.right);
                answer.outcomes[k].derivation.steps[i].right = wrong;
                let report = checked_once(&answer);
                let found =
                    report.failures.iter().any(|f| f.result == k && f.what.contains(&format!("step {},", i + 1)));
                assert!(found, "{source}: step {} of result {k}\n{}", i + 1, report.lines().join("\n"));
            }
        }
    }
}

#[test]
fn each_wrong_line_of_a_program_is_found() {
    for source in PROGRAMS {
        let right = answered(source);
        for (k, outcome) in right.outcomes.iter().enumerate() {
            for (i, line) in outcome.program.iter().enumerate() {
                if right.arena.is_zero(line.right) {
                    continue;
                }
                let mut answer = right.clone();
                answer.outcomes[k].program[i].right = answer.arena.negate(line.right);
                assert!(!checked_once(&answer).is_ok(), "{source}: line {i} of result {k}");
            }
        }
    }
}

#[test]
fn a_program_that_uses_a_name_too_early_is_found() {
    let mut answer = answered(NETWORK);
    let used = answer.outcomes.iter().position(|o| o.program.len() > 1).expect("adjoints have lines");
    answer.outcomes[used].program.swap(0, 1);
    let report = checked(&answer);
    assert!(report.lines().iter().any(|line| line.contains("no earlier line gives")), "{:?}", report.lines());
}

#[test]
fn a_wrong_adjoint_is_found() {
    let right = answered(NETWORK);
    let steps = &right.outcomes[0].derivation.steps;
    // The line that says what an adjoint stands for: any other right side is wrong.
    let adjoint = steps.iter().position(|step| match step.left {
        crate::derivation::Left::Expression(id) => match right.arena.op(id) {
            Op::Named(name) => right.arena.named(*name).kind == NameKind::Adjoint,
            _ => false,
        },
        _ => false,
    });
    let mut answer = right.clone();
    let place = &mut answer.outcomes[0].derivation.steps[adjoint.expect("an adjoint has a line")];
    place.right = answer.arena.negate(place.right);
    assert!(!checked(&answer).is_ok());
}

#[test]
fn what_has_no_point_is_said_and_not_counted() {
    let report = checked(&answered("X : matrix(m, n)\ngrad sum(log(-X.^2 - 1)) wrt X"));
    assert!(report.is_ok());
    assert_eq!(report.results[0].points, 0);
    assert_eq!(
        report.lines(),
        ["not checked: gradient of sum(log(-X.^2 - 1)) wrt X: no point of its domain was found"]
    );
}

/// A scalar of a function of the dictionary whose gradient tells its differential, by its signature.
fn example(function: Function) -> Option<(String, &'static str)> {
    let name = function.name();
    Some(match function.entry().signature {
        Signature::Elementwise | Signature::Same | Signature::Transposed | Signature::Vectorised => {
            (format!("X : matrix(m, n)\nf = sum({name}(X) .* A)"), "X")
        }
        Signature::ElementwiseWithScalar => {
            (format!("X : matrix(m, n)\ns : scalar\nf = sum({name}(X, s) .* A)"), "X, s")
        }
        Signature::ElementwisePair => {
            (format!("X : matrix(m, n)\nf = sum({name}(X, B) .* A) + sum({name}(X, 0.5))"), "X, B")
        }
        Signature::AlongRows => {
            let all = format!("sum({name}(X) .* A) + sum({name}(X, axis=0) .* B) + {name}(x)'*c");
            (format!("X : matrix(m, n)\nx : vector(p)\nf = {all}"), "X, x")
        }
        Signature::ReduceRows => {
            (format!("X : matrix(m, n)\nf = {name}(X)'*a + {name}(X, axis=0)*b + {name}(x)"), "X, x")
        }
        Signature::Reduce => (format!("X : matrix(m, n)\nf = {name}(X)^2 + {name}(X, 1)*b + a'*{name}(X, 2)"), "X"),
        Signature::ReduceToColumn => (format!("X : matrix(m, n)\nf = a'*{name}(X)"), "X"),
        Signature::ReduceToRow => (format!("X : matrix(m, n)\nf = {name}(X)*a"), "X"),
        Signature::SquareToScalar => (format!("X : matrix(n, n)\ns : scalar\nf = {name}(X)*s"), "X, s"),
        Signature::AnyToScalar => (format!("X : matrix(m, n)\nf = {name}(X) + {name}(x)"), "X, x"),
        Signature::PairToScalar => (format!("X : matrix(m, n)\nf = {name}(X, B)"), "X, B"),
        Signature::Square => (format!("X : matrix(n, n)\nf = sum({name}(X) .* A)"), "X"),
        Signature::Diagonal => {
            (format!("X : matrix(n, n)\nx : vector(m)\nf = {name}(X)'*a + sum({name}(x) .* A)"), "X, x")
        }
        Signature::HalfVectorised => (format!("X : matrix(n, n)\nf = {name}(X)'*a"), "X"),
        Signature::UnHalfVectorised => (format!("X : matrix(n, n)\nv = vech(X)\nf = sum({name}(v) .* A)"), "X"),
        Signature::Reshape => ("dim m = 4, n = 3\nX : matrix(m, n)\nf = sum(reshape(X, 6, 2) .* A)".to_owned(), "X"),
        Signature::Kronecker => ("X : matrix(m, n)\nB : matrix(p, q)\nf = sum(kron(X, B) .* A)".to_owned(), "X, B"),
        Signature::Identity => (format!("X : matrix(n, n)\nf = tr({name}(n)*X*{name}(n)) + sum({name}(n))"), "X"),
        Signature::Filled => (format!("X : matrix(m, n)\nf = sum({name}(m, n) .* X) + {name}(m)'*X*b"), "X"),
        Signature::Column => (format!("X : matrix(m, n)\nf = {name}(m)'*X*b"), "X"),
        Signature::UnitVector => (format!("X : matrix(m, n)\nf = {name}(m, 2)'*X*b"), "X"),
        Signature::ConstantVector => (format!("X : matrix(m, n)\nf = (X*{name}(2))'*a"), "X"),
        Signature::ConstantMatrix => (format!("X : matrix(m, n)\nf = sum(X .* {name}(3))"), "X"),
    })
}

#[test]
fn every_function_of_the_dictionary_agrees_with_differences() {
    for entry in ENTRIES {
        let (definitions, wrt) = example(entry.function).expect("each signature has an example");
        let source = format!("{definitions}\ngrad f wrt {wrt}");
        let report = checked(&answered(&source));
        assert!(report.is_ok(), "{}: {source}\n{}", entry.name, report.lines().join("\n"));
        for result in &report.results {
            assert_eq!(result.points, 3, "{}: {source}\n{}", entry.name, report.lines().join("\n"));
            assert!(result.not_checked.is_empty(), "{}: {:?}", entry.name, result.not_checked);
            assert!(result.worst_error < 1e-7, "{}: {}", entry.name, result.worst_error);
        }
    }
}

#[test]
fn one_wrong_gradient_among_very_many_is_found() {
    let mut source = String::from("X : matrix(m, n)\nf = tr(X'*X)");
    for i in 0..80 {
        source += &format!(" + sum(exp(x{i})) + x{i}'*X*y");
    }
    let names: Vec<String> = (0..80).map(|i| format!("x{i}")).collect();
    source += &format!("\ngrad f wrt {}", names.join(", "));
    let right = answered(&source);
    let report = checked(&right);
    assert!(report.is_ok() && report.results.iter().all(|r| r.points >= 1), "{:?}", report.lines());
    let mut wrong = right;
    corrupt_result(&mut wrong, 71, &|answer, id| answer.arena.scale(Number::Ratio(100_001, 100_000), id));
    let failures = checked_once(&wrong).failures;
    assert!(!failures.is_empty() && failures.iter().all(|failure| failure.result == 71), "{failures:?}");
}

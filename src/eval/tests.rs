//! Values against closed forms, and against other ways of writing the same thing.

use std::collections::HashMap;

use super::{Evaluator, Numbers, evaluate, obeys, sample};
use crate::elaborate::{Property, Typed, read};
use crate::expr::{Arena, ExprId};
use crate::matrix::Matrix;

/// The arena of a program, and the nodes of its definitions.
fn built(source: &str) -> (Typed, Arena, Vec<ExprId>) {
    let typed = read(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    let mut arena = Arena::new(typed.dimensions.clone(), typed.variables.clone());
    let definitions = arena.build(&typed).definitions;
    (typed, arena, definitions)
}

/// The values of a program's definitions at numbers for its variables in order of declaration.
fn values(source: &str, dimensions: &[(&str, i64)], variables: &[Matrix]) -> Result<Vec<Matrix>, String> {
    let (_, arena, definitions) = built(source);
    let numbers = Numbers {
        dimensions: dimensions.iter().map(|&(name, value)| (name.to_owned(), value)).collect(),
        variables: variables.to_vec(),
        ..Numbers::default()
    };
    evaluate(&arena, &numbers, &definitions).map_err(|error| error.to_string())
}

#[test]
fn losses_of_large_scores_are_finite() {
    let source = "Z : matrix(N, C)\nY : onehot(N, C)\nz : vector(C)\n\
        P = softmax(Z)\na = -1/N*tr(Y'*log(P))\nb = -1/N*sum(Y .* logsoftmax(Z))\nc = -1/N*sum(log(P)' .* Y')\n\
        d = 1/N*sum(logsumexp(Z) - rowsum(Y .* Z))\nf = sum(softplus(z))\ng = sum(gelu(z)) + sum(silu(z))\n\
        h = sum(log(sigmoid(z)))\nu = logsumexp(z)\ngrad a wrt Z";
    let z = Matrix::new(2, 3, vec![1e4, -1e4, 5.0, 0.0, 2e4, -3e4]);
    let y = Matrix::new(2, 3, vec![0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    let v = Matrix::new(3, 1, vec![1e4, -1e4, 0.0]);
    let out = values(source, &[("N", 2), ("C", 3)], &[z, y, v]).unwrap();
    let got: Vec<f64> = out[1..].iter().map(|m| m.at(0, 0)).collect();
    let log2 = 2.0_f64.ln();
    assert_eq!(got, [2e4, 2e4, 2e4, 2e4, 1e4 + log2, 2e4, -1e4 - log2, 1e4]);
}

#[test]
fn products_of_any_order_agree() {
    // A chain long enough for each way of ordering it, with ones in all places.
    let source = "A : matrix(m, n)\nB : matrix(n, p)\nx : vector(p)\nr : row(m)\n\
        a = A*B*x\nb = r*A*B*x\nc = ones(n, m)*A*B\nd = A*ones(n, 1)*ones(1, p)\nf = rowsum(A)' * A\n\
        g = tr(A*B*ones(p, m))\nh = ones(p, m)*ones(m, n)*B\nk = A*B*B'*A'*A*B*x\ngrad b wrt x";
    let (m, n, p) = (2, 3, 4);
    let number = |i: usize, j: usize| ((3 * i + 5 * j) % 7) as f64 - 2.5;
    let (a, b) = (Matrix::from_fn(m, n, number), Matrix::from_fn(n, p, number));
    let (x, r) = (Matrix::from_fn(p, 1, number), Matrix::from_fn(1, m, number));
    let out = values(source, &[("m", 2), ("n", 3), ("p", 4)], &[a.clone(), b.clone(), x.clone(), r.clone()]).unwrap();
    let ones = |rows, columns| Matrix::filled(rows, columns, 1.0);
    let ab = a.multiply(&b);
    let expected = [
        ab.multiply(&x),
        r.multiply(&ab).multiply(&x),
        ones(n, m).multiply(&ab),
        a.multiply(&ones(n, p)),
        a.row_sums().transpose().multiply(&a),
        Matrix::scalar(ab.multiply(&ones(p, m)).trace()),
        ones(p, m).multiply(&ones(m, n)).multiply(&b),
        ab.multiply(&ab.transpose()).multiply(&ab).multiply(&x),
    ];
    for (i, (got, expected)) in out.iter().zip(&expected).enumerate() {
        assert_eq!(got.shape(), expected.shape(), "definition {i}");
        let worst = got.subtract(expected).max_abs() / expected.max_abs();
        assert!(worst < 1e-14, "definition {i}: {worst}");
    }
}

#[test]
fn long_chains_are_multiplied() {
    let chain = vec!["A*B"; 30].join("*");
    let source =
        format!("A : matrix(m, n)\nB : matrix(n, m)\nx : vector(m)\ny = {chain}*x\nz = x'*{chain}\ngrad sum(y) wrt x");
    let a = Matrix::new(2, 3, vec![2.0, 0.0, 0.0, 0.0, -1.0, 0.0]);
    let b = Matrix::new(3, 2, vec![0.5, 0.0, 0.0, 1.0, 7.0, 7.0]);
    let x = Matrix::new(2, 1, vec![1.0, 3.0]);
    let out = values(&source, &[("m", 2), ("n", 3)], &[a, b, x]).unwrap();
    assert_eq!(out[0].entries(), [1.0, 3.0]);
    assert_eq!(out[1].entries(), [1.0, 3.0]);
}

#[test]
fn broadcasts_are_added_and_multiplied() {
    let source = "X : matrix(m, n)\nr : row(n)\nc : vector(m)\ns : scalar\n\
        a = X + r\nb = X .* c - 2*s\nd = (X + c) ./ r\nf = ones(m)*r + c*ones(1, n)\ngrad sum(a) wrt X";
    let x = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let r = Matrix::new(1, 3, vec![1.0, 2.0, 4.0]);
    let c = Matrix::new(2, 1, vec![10.0, 20.0]);
    let s = Matrix::scalar(0.5);
    let out = values(source, &[("m", 2), ("n", 3)], &[x, r, c, s]).unwrap();
    assert_eq!(out[0].entries(), [2.0, 4.0, 7.0, 5.0, 7.0, 10.0]);
    assert_eq!(out[1].entries(), [9.0, 19.0, 29.0, 79.0, 99.0, 119.0]);
    assert_eq!(out[2].entries(), [11.0, 6.0, 3.25, 24.0, 12.5, 6.5]);
    assert_eq!(out[3].entries(), [11.0, 12.0, 14.0, 21.0, 22.0, 24.0]);
}

#[test]
fn what_has_no_value_is_an_error_in_words() {
    let source = "A : matrix(n, n)\nB = inv(A)\nf = logdet(A)\nC = chol(A)\ngrad f wrt A";
    let run = |a: Matrix, n: i64, source: &str| values(source, &[("n", n)], &[a]).unwrap_err();
    assert!(run(Matrix::zeros(2, 2), 2, source).contains("singular"));
    assert!(run(Matrix::zeros(2, 3), 2, source).contains("`A` is 2x2, but its numbers are 2x3"));
    let negative = Matrix::new(2, 2, vec![0.0, 1.0, 1.0, 0.0]);
    assert!(run(negative.clone(), 2, "A : matrix(n, n)\nf = logdet(A)\ngrad f wrt A").contains("negative"));
    assert!(run(negative, 2, "A : matrix(n, n)\nf = sum(chol(A))\ngrad f wrt A").contains("positive definite"));
    let (_, arena, definitions) = built(source);
    let error = evaluate(&arena, &Numbers::default(), &definitions[..1]).unwrap_err();
    assert!(error.message.contains("`n` has no value"), "{error}");
    let numbers = Numbers { dimensions: HashMap::from([("n".to_owned(), 2)]), ..Numbers::default() };
    let error = evaluate(&arena, &numbers, &definitions[..1]).unwrap_err();
    assert!(error.message.contains("`A` has no numbers"), "{error}");
}

#[test]
fn named_results_may_be_given_instead() {
    let (_, arena, definitions) = built("x : vector(n)\ny = 2*x\nf = y'*y\ngrad f wrt x");
    let numbers = Numbers {
        dimensions: HashMap::from([("n".to_owned(), 2)]),
        variables: vec![Matrix::new(2, 1, vec![1.0, 2.0])],
        ..Numbers::default()
    };
    assert_eq!(evaluate(&arena, &numbers, &definitions).unwrap()[1].at(0, 0), 20.0);
    let mut given = numbers.clone();
    given.overrides.insert(definitions[0], Matrix::new(2, 1, vec![3.0, 0.0]));
    assert_eq!(evaluate(&arena, &given, &definitions).unwrap()[1].at(0, 0), 9.0);
}

#[test]
fn samples_have_unequal_sizes_and_obey_declarations() {
    let source = "dim k = 5\nS : symmetric(m)\nK : skew(n)\nD : diagonal(m)\nQ : orthogonal(n)\nP : posdef(m)\n\
        V : invertible(n)\nY : onehot(m, k)\nR : rowstochastic(n, p)\nw : vector(p)\nassume positive(w)\nT : symmetric(q)\n\
        assume orthogonal(T)\nf = sum(S*D*P) + sum(K*V*Q) + sum(log(w)) + sum(Y) + sum(R*w) + logdet(P) + sum(T)\n\
        grad f wrt w";
    let (typed, arena, definitions) = built(source);
    let first = sample(&arena, &typed, &definitions, 1).expect("a point of the domain");
    assert_eq!(first.variables, sample(&arena, &typed, &definitions, 1).unwrap().variables, "the seed decides");
    for seed in 0..20 {
        let point = sample(&arena, &typed, &definitions, seed).expect("a point of the domain");
        let mut sizes: Vec<i64> = ["m", "n", "p", "q"].iter().map(|&name| point.dimensions[name]).collect();
        sizes.sort_unstable();
        sizes.dedup();
        assert_eq!((sizes.len(), point.dimensions["k"]), (4, 5));
        for (variable, matrix) in arena.variables.iter().zip(&point.variables) {
            for property in [
                Property::Symmetric,
                Property::Skew,
                Property::Diagonal,
                Property::Orthogonal,
                Property::PositiveDefinite,
                Property::Invertible,
                Property::OneHot,
                Property::RowStochastic,
                Property::Positive,
            ] {
                assert!(
                    !variable.properties.has(property) || obeys(matrix, property),
                    "{} {property:?}",
                    variable.name
                );
            }
        }
        assert!(evaluate(&arena, &point, &definitions).unwrap()[0].is_finite());
    }
}

#[test]
fn samples_find_narrow_domains_and_none_where_there_is_none() {
    for body in [
        "sum(asin(X))",
        "sum(log(log(X)))",
        "sum(sqrt(1 - X.^2))",
        "sum(log(-X))",
        "logdet(X*X') + sum(X)",
        "sum(chol(X'*X))",
        "sum(chol(X*X'))",
        "sum((X'*X + eye(n))^(1/2))",
        "sum(log(X)) + sum(log(1 - X))",
        "sum(relu(X)) + norm1(X - 1) + sum(max(X, -X))",
    ] {
        let (typed, arena, definitions) = built(&format!("X : matrix(m, n)\nf = {body}\ngrad f wrt X"));
        assert!(sample(&arena, &typed, &definitions, 7).is_some(), "{body}");
    }
    let (typed, arena, definitions) = built("X : matrix(m, n)\nf = sum(log(-X.^2 - 1))\ngrad f wrt X");
    assert!(sample(&arena, &typed, &definitions, 7).is_none());
}

#[test]
fn evaluators_run_again_with_other_numbers() {
    let source = "x : vector(n)\ny = exp(x)\nf = y'*y\ngrad f wrt x";
    let (_, arena, definitions) = built(source);
    let evaluator = Evaluator::new(&arena, &[definitions[1], definitions[0], definitions[1]]);
    for n in [1, 4] {
        let x = Matrix::from_fn(n, 1, |i, _| i as f64 * 0.5 - 1.0);
        let numbers = Numbers {
            dimensions: HashMap::from([("n".to_owned(), n as i64)]),
            variables: vec![x.clone()],
            ..Numbers::default()
        };
        let out = evaluator.run(&numbers).unwrap();
        assert!((out[0].at(0, 0) - x.map(|x| (2.0 * x).exp()).sum()).abs() < 1e-12);
        assert_eq!(out[1], x.map(f64::exp));
        assert_eq!(out[2], out[0]);
    }
}

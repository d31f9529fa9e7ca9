//! Arrays that fit a program and arrays that do not, each mistake in its words.

use super::{Entry, bind};
use crate::answer::{Answer, answer};
use crate::derivation::Detail;
use crate::eval::evaluate;
use crate::expr::ExprId;

/// A program with the roots that it asks for.
fn program(source: &str) -> (Answer, Vec<ExprId>) {
    let answer = answer(source, Detail::None).unwrap();
    let roots = answer.definitions.iter().copied().chain(answer.outcomes.iter().map(|o| o.result)).collect();
    (answer, roots)
}

/// Name, shape, entries.
type Given<'a> = (&'a str, &'a [usize], &'a [f64]);

fn bound(source: &str, given: &[Given<'_>]) -> Result<(Vec<Vec<f64>>, super::Bound), Vec<String>> {
    let (answer, roots) = program(source);
    let entries: Vec<Entry<'_>> =
        given.iter().map(|&(name, shape, entries)| Entry { name, shape, entries, rounding: 1e-16 }).collect();
    let bound = bind(&answer.arena, &answer.typed, &entries, &roots)?;
    let values = evaluate(&answer.arena, &bound.numbers, &roots).unwrap();
    Ok((values.into_iter().map(crate::matrix::Matrix::into_entries).collect(), bound))
}

#[test]
fn sizes_settle_dimensions_and_values_come_out() {
    let source = "X : matrix(m, n); w : vector(n); r : row(m)\nf = r*X*w\ngrad f wrt w";
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    for (w, r) in [(&[3_usize][..], &[2_usize][..]), (&[3, 1], &[1, 2])] {
        let given: [Given<'_>; 3] = [("X", &[2, 3], &x), ("w", w, &[1.0, 0.0, -1.0]), ("r", r, &[1.0, 10.0])];
        let (values, bound) = bound(source, &given).unwrap();
        assert_eq!(values, [vec![-22.0], vec![41.0, 52.0, 63.0]]);
        assert_eq!(bound.axes[1], Some(w.len()));
        assert_eq!((bound.numbers.dimensions["m"], bound.numbers.dimensions["n"]), (2, 3));
    }
}

#[test]
fn sums_products_and_triangles_are_solved() {
    let source = "v : vector(n*(n+1)/2); A : matrix(2*k + 1, n*k)\nf = sum(v) + n + 10*k + 0*sum(A)\ngrad f wrt v";
    let given: [Given<'_>; 2] = [("v", &[6], &[0.0; 6]), ("A", &[5, 6], &[0.0; 30])];
    assert_eq!(bound(source, &given).unwrap().0[0], [23.0]);
    let given: [Given<'_>; 2] = [("v", &[5], &[0.0; 5]), ("A", &[5, 6], &[0.0; 30])];
    assert_eq!(bound(source, &given).unwrap_err()[0], "`v`: axis 0 is 5, but no `n` makes `n*(n+1)/2` that");
}

#[test]
fn names_are_canonical_and_dimensions_may_be_given() {
    let source = "x : vector(n); λ : scalar\nf = λ*sum(x)/k*tr(eye(k))\ndifferential f wrt x";
    let source = format!("dim k\n{source}");
    let given: [Given<'_>; 5] = [
        ("x", &[2], &[1.0, 2.0]),
        ("λ", &[1], &[3.0]),
        ("dx", &[2], &[1.0, 1.0]),
        ("k", &[], &[4.0]),
        ("y", &[1], &[0.0]),
    ];
    let (values, bound) = bound(&source, &given).unwrap();
    assert_eq!(values, [[9.0], [6.0]]);
    assert_eq!(bound.unused, ["y"]);
}

#[test]
fn what_is_wrong_is_told_all_at_once_and_in_words() {
    let plain = "X : matrix(m, n); w : vector(n)\nf = sum(X*w)\ngrad f wrt w";
    let symmetric = "A : posdef(n)\nf = logdet(A)\ngrad f wrt A";
    let onehot = "Y : onehot(m, n)\nf = sum(Y)\ngrad f wrt Y";
    let cases: &[(&str, &[Given<'_>], &[&str])] = &[
        (plain, &[], &["there is no entry `X`, declared matrix(m, n)", "there is no entry `w`, declared vector(n)"]),
        (
            plain,
            &[("X", &[2, 3], &[0.0; 6]), ("w", &[2], &[0.0; 2])],
            &["`w`: axis 0 is 2, but `n` is 3 by axis 1 of `X`"],
        ),
        (
            plain,
            &[("X", &[6], &[0.0; 6]), ("w", &[1, 3], &[0.0; 3])],
            &[
                "`X` is 1-d of length 6, but it is declared matrix(m, n)",
                "`w` is 1×3, but it is declared vector(n); give it 1-d, or transposed",
            ],
        ),
        (
            plain,
            &[("X", &[1, 2], &[0.0, f64::NAN]), ("w", &[0], &[])],
            &["`X[0, 1]` is not a number", "`w` is empty: it is 1-d of length 0"],
        ),
        (
            plain,
            &[("X", &[1, 1, 1], &[0.0]), ("w", &[1], &[f64::INFINITY])],
            &["`X` is 1×1×1, but it is declared matrix(m, n)", "`w[0]` is inf"],
        ),
        (
            symmetric,
            &[("A", &[2, 2], &[2.0, 1.0, 0.5, 2.0])],
            &["`A` is declared symmetric, but A[0, 1] is 1 and A[1, 0] is 0.5"],
        ),
        (
            symmetric,
            &[("A", &[2, 2], &[1.0, 2.0, 2.0, 1.0])],
            &["`A` is declared posdef, but it has an eigenvalue that is not above 0"],
        ),
        (symmetric, &[("A", &[2, 3], &[0.0; 6])], &["`A`: axis 1 is 3, but `n` is 2 by axis 0 of `A`"]),
        (
            onehot,
            &[("Y", &[2, 3], &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0])],
            &["`Y` is declared onehot, but the entries of row Y[1] sum to 0"],
        ),
        (onehot, &[("Y", &[1, 2], &[0.5, 0.5])], &["`Y` is declared onehot, but Y[0, 0] is 0.5"]),
        (
            "dim n = 3; x : vector(n)\nf = sum(x)\ngrad f wrt x",
            &[("x", &[2], &[0.0; 2])],
            &["`x`: axis 0 is 2, but `n` is 3 by `dim n = 3`"],
        ),
        (
            "x : vector(4)\nf = sum(x)\ngrad f wrt x",
            &[("x", &[2], &[0.0; 2])],
            &["`x`: axis 0 is 2, not 4 as declared"],
        ),
        (
            "S : skew(n)\nf = sum(S*S)\ngrad f wrt S",
            &[("S", &[2, 2], &[1.0, 2.0, -2.0, 0.0])],
            &["`S` is declared skew, but S[0, 0] is 1"],
        ),
        (
            "X : symmetric(n)\nF = X*X\ndifferential F",
            &[("X", &[2, 2], &[1.0; 4]), ("dX", &[2, 2], &[1.0, 2.0, 3.0, 4.0])],
            &["`dX` must be symmetric as `X` is declared symmetric, but dX[0, 1] is 2 and dX[1, 0] is 3"],
        ),
        (
            "x : vector(n)\ndim k\nf = sum(x) + k\ngrad f wrt x\nz = f*k",
            &[("x", &[2], &[0.0; 2])],
            &["the dimension `k` has no value: write `dim k = …`, or give it as an entry"],
        ),
        (
            "s : scalar\nf = s^2\ngrad f wrt s",
            &[("s", &[2], &[0.0; 2])],
            &["`s` is 1-d of length 2, but it is declared scalar"],
        ),
        (
            "λ : scalar\nf = λ\ngrad f wrt λ",
            &[("λ", &[], &[1.0]), ("lambda", &[], &[2.0])],
            &["the entries `λ` and `lambda` are one name"],
        ),
    ];
    for (source, given, expected) in cases {
        assert_eq!(bound(source, given).unwrap_err(), *expected, "{source}");
    }
}

#[test]
fn rounding_of_the_stored_type_is_no_mistake() {
    let (answer, roots) = program("P : rowstochastic(m, n)\nf = sum(P)\ngrad f wrt P");
    let shape = [1, 3];
    let entries = [0.3, 0.3, 0.400_001];
    for (rounding, fits) in [(f64::from(f32::EPSILON), true), (f64::EPSILON, false)] {
        let entry = Entry { name: "P", shape: &shape, entries: &entries, rounding };
        assert_eq!(bind(&answer.arena, &answer.typed, &[entry], &roots).is_ok(), fits);
    }
}

//! Jacobians and Hessians in matrix form against differences: J·vec D = vec dF, and vec(D)ᵀ·H·vec(E) against the mixed
//! second difference, with vec column by column. The forms of order 3 and 4 that are Kronecker products are such matrices.

use super::differences::{Derivative, FIRST_STEPS, derivatives};
use super::report::{kind_name, worst_entry};
use super::{Check, Failure, Point, RESULT_TOLERANCE, Report, USELESS};
use crate::eval::Evaluator;
use crate::expr::{ExprId, Op};
use crate::matrix::{Matrix, product};
use crate::syntax::ast::AskKind;
use crate::tensor::contract;

/// Compares the forms of a Jacobian or Hessian at a point; whether the comparison told anything.
pub(super) fn compare(
    check: &Check<'_>,
    point: &Point,
    function: &Evaluator,
    result: usize,
    forms: &[(&str, &Matrix)],
    size: f64,
    report: &mut Report,
) -> bool {
    let outcome = &check.answer.outcomes[result];
    let (first, last) = (outcome.wrt_nodes[0], outcome.wrt_nodes[outcome.wrt_nodes.len() - 1]);
    let function = check.own.get(&last).unwrap_or(function);
    let (derivative, left) = match outcome.kind {
        AskKind::Hessian => (second(check, point, function, first, last), Some(&point.directions[&first])),
        _ => {
            let found = check.along_directions(point, function, &[(last, &point.directions[&last])]);
            (found.and_then(|mut list| list.pop()), None)
        }
    };
    let Some(Derivative { value: expected, error }) = derivative else {
        report.not_checked(result, "at a point the function has no values nearby");
        return false;
    };
    let scale = expected.max_abs().max(1e-6 * (1.0 + size));
    if error > USELESS * scale {
        report.not_checked(result, "at a point the differences were too rough to tell");
        return false;
    }
    let right = column(&point.directions[&last]);
    let rows = left.map_or(expected.entries().len(), |d| d.entries().len());
    for &(form, matrix) in forms {
        if matrix.entries().len() != rows * right.rows() {
            let what = format!("{form} is no matrix of {} by {} entries", rows, right.rows());
            let (expected, found) = worst_entry(&Matrix::zeros(rows, right.rows()), matrix);
            report.fail(Failure { result, what, expected, found, sizes: check.sizes(point) });
            continue;
        }
        let along = matrix.reshape(rows, right.rows()).multiply(&right);
        let found = match left {
            Some(left) => product(column(left).view().transposed(), along.view()),
            None => along.reshape(expected.rows(), expected.columns()),
        };
        let off = found.subtract(&expected).max_abs();
        let worst = &mut report.results[result].worst_error;
        *worst = worst.max(off / scale);
        if !found.is_finite() || off > RESULT_TOLERANCE * scale + 2.0 * error {
            let what = format!("{form}: the {} in random directions against differences", kind_name(outcome.kind));
            let (expected, found) = worst_entry(&expected, &found);
            report.fail(Failure { result, what, expected, found, sizes: check.sizes(point) });
        }
    }
    beside(check, point, result, (&expected, left, scale, error), forms.first().map(|form| form.1), report);
    report.results[result].directions += 1;
    true
}

/// The operator form against the differences, and the entries against the matrix.
fn beside(
    check: &Check<'_>,
    point: &Point,
    result: usize,
    (expected, left, scale, error): (&Matrix, Option<&Matrix>, f64, f64),
    matrix: Option<&Matrix>,
    report: &mut Report,
) {
    let Some(forms) = &check.answer.outcomes[result].forms else { return };
    let mut roots = contract::roots(&forms.entries);
    roots.extend(forms.operator);
    let evaluator = Evaluator::with_independent(check.arena, &roots, &check.independent);
    let mut values = match evaluator.run(&point.numbers) {
        Ok(values) => values,
        Err(error) => return report.not_checked(result, format!("its entries have no value at a point: {error}")),
    };
    if forms.operator.is_some()
        && let Some(along) = values.pop()
    {
        let found = match left {
            Some(left) if along.entries().len() == left.entries().len() => {
                Matrix::scalar(column(left).dot(&column(&along)))
            }
            _ => along,
        };
        let holds = found.shape() == expected.shape()
            && found.is_finite()
            && found.subtract(expected).max_abs() <= RESULT_TOLERANCE * scale + 2.0 * error;
        if !holds {
            let what = "its operator form in random directions against differences".to_owned();
            let (expected, found) = worst_entry(expected, &found);
            report.fail(Failure { result, what, expected, found, sizes: check.sizes(point) });
        }
    }
    let Some(matrix) = matrix else { return };
    let of = |name: &str| point.numbers.dimensions.get(name).copied();
    let size = |d| check.arena.dimensions.value(d, &of).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let axes: Vec<usize> = forms.entries.axes.iter().map(|&d| size(d)).collect();
    let numbers = contract::numbers(&forms.entries, values, &size);
    let Some(dense) = contract::dense(&forms.entries, &axes, &numbers, &mut contract::Reference) else {
        return;
    };
    if matrix.entries().len() != dense.len() {
        return;
    }
    let in_matrix = |place: usize| -> f64 {
        // The indices of an entry, the last one fastest; in the matrix the first of each side is.
        let mut rest = place;
        let mut at = vec![0; axes.len()];
        for k in (0..axes.len()).rev() {
            at[k] = rest % axes[k];
            rest /= axes[k];
        }
        let side = |range: std::ops::Range<usize>| range.rev().fold(0, |stacked, k| stacked * axes[k] + at[k]);
        if axes.len() > 2 {
            matrix.at(side(0..forms.entries.rows), side(forms.entries.rows..axes.len()))
        } else {
            matrix.entries()[place]
        }
    };
    let expected = Matrix::from_fn(1, dense.len(), |_, place| in_matrix(place));
    let found = Matrix::new(1, dense.len(), dense);
    let largest = expected.max_abs().max(1e-6);
    if !found.is_finite() || found.subtract(&expected).max_abs() > RESULT_TOLERANCE * largest {
        let (expected, found) = worst_entry(&expected, &found);
        let what = "its entries in index notation against its matrix".to_owned();
        report.fail(Failure { result, what, expected, found, sizes: check.sizes(point) });
    }
}

/// ∂²F/∂s∂t of F(X + s·D, Y + t·E) by differences of differences.
fn second(check: &Check<'_>, point: &Point, function: &Evaluator, first: ExprId, last: ExprId) -> Option<Derivative> {
    let (d, e) = (&point.directions[&first], &point.directions[&last]);
    let mut best: Option<Derivative> = None;
    for step in &FIRST_STEPS[..2] {
        let mut inner_error = 0.0_f64;
        let mut outer = |s: f64| {
            let mut moved = Point {
                numbers: point.numbers.clone(),
                directions: point.directions.clone(),
                cotangent: None,
                index: 1,
            };
            let mut place = check.numbers_of(&point.numbers, first)?.clone();
            place.add_scaled(s, d);
            match check.arena.op(first) {
                Op::Variable(v) => moved.numbers.variables[v.0 as usize] = place,
                _ => {
                    moved.numbers.overrides.insert(first, place);
                }
            }
            let inner = check.along_directions(&moved, function, &[(last, e)])?.pop()?;
            inner_error = inner_error.max(inner.error);
            Some(vec![inner.value])
        };
        let Some(mut found) = derivatives(&mut outer, *step).and_then(|mut list| list.pop()) else { continue };
        // The errors of the first differences are divided by the last step.
        found.error = found.error.max(inner_error.min(1e-9) * 0.1 / step);
        if best.as_ref().is_none_or(|b| found.error < b.error) {
            best = Some(found);
        }
    }
    best
}

fn column(a: &Matrix) -> Matrix {
    a.reshape(a.entries().len(), 1)
}

#[cfg(test)]
mod tests {
    use super::super::{Options, check};
    use crate::answer::{Answer, answer};
    use crate::derivation::Detail;
    use crate::expr::{Axis, ExprId};
    use crate::functions::Function;
    use crate::number::Number;
    use crate::syntax::ast::AskKind;

    /// The answer of a gradient or differential with another derivative, given by hand, in the place of the first result.
    fn replaced(source: &str, kind: AskKind, build: impl Fn(&mut Answer) -> ExprId) -> Answer {
        let mut answer = answer(source, Detail::None).unwrap();
        let result = build(&mut answer);
        answer.typed.asks[0].kind = kind;
        let outcome = &mut answer.outcomes[0];
        (outcome.kind, outcome.result, outcome.value) = (kind, result, None);
        outcome.program.clear();
        answer
    }

    fn node(answer: &mut Answer, name: &str) -> ExprId {
        let place = answer.arena.variables.iter().position(|v| v.name == name).unwrap();
        answer.arena.variable(crate::elaborate::VariableId(place as u32))
    }

    fn holds(answer: &Answer) -> bool {
        let report = check(answer, Options::default());
        assert_eq!(report.results[0].points, 3, "{:?}", report.lines());
        report.is_ok()
    }

    #[test]
    fn jacobians_are_compared_in_their_kronecker_form() {
        let source = "A : matrix(p, m)\nX : matrix(m, n)\nB : matrix(n, q)\ndifferential A*X*B wrt X";
        let build = |turned: bool| {
            move |answer: &mut Answer| {
                let (a, b) = (node(answer, "A"), node(answer, "B"));
                let b = answer.arena.transpose(b);
                let (left, right) = if turned { (a, b) } else { (b, a) };
                answer.arena.call(Function::Kron, Axis::All, &[left, right])
            }
        };
        assert!(holds(&replaced(source, AskKind::Jacobian, build(false))));
        assert!(!holds(&replaced(source, AskKind::Jacobian, build(true))));
    }

    #[test]
    fn hessians_are_compared_with_second_differences() {
        let source = "A : matrix(n, n)\nx : vector(n)\ngrad exp(x'*A*x) wrt x";
        // f·(S + S·x·x'·S) with S = A + A'
        let build = |c: i64| {
            move |answer: &mut Answer| {
                let (a, x) = (node(answer, "A"), node(answer, "x"));
                let arena = &mut answer.arena;
                let (at, xt) = (arena.transpose(a), arena.transpose(x));
                let s = arena.add(a, at);
                let outer = arena.multiply(&[s, x, xt, s]);
                let outer = arena.scale(Number::integer(c), outer);
                let inner = arena.add(s, outer);
                let form = arena.multiply(&[xt, a, x]);
                let f = arena.call(Function::Exp, Axis::All, &[form]);
                arena.multiply(&[f, inner])
            }
        };
        assert!(holds(&replaced(source, AskKind::Hessian, build(1))));
        assert!(!holds(&replaced(source, AskKind::Hessian, build(2))));
    }
}

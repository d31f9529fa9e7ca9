"""The functions of the course exercise, on NumPy arrays and on tensors, against NumPy and autograd."""

from __future__ import annotations

from typing import Any

import matgrad
import numpy as np
import pytest
import torch

from conftest import Array, arrays_of_network
from test_numbers import reference

TOLERANCES = {"float64": 1e-12, "float32": 3e-5}


def tensors(arrays: dict[str, Array]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (7, 5, 6, 4), (130, 64, 96, 10)])
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("reg", [0.0, 0.05])
def test_loss_and_gradients_are_those_of_autograd(
    rng: np.random.Generator, dtype: str, reg: float, sizes: tuple[int, int, int, int]
) -> None:
    params, X, y = arrays_of_network(rng, *sizes)
    params = {name: array.astype(dtype) for name, array in params.items()}
    X = X.astype(dtype)
    tolerance = TOLERANCES[dtype]
    leaves = {name: torch.from_numpy(array).requires_grad_() for name, array in params.items()}
    hidden = torch.relu(torch.from_numpy(X) @ leaves["W1"] + leaves["b1"])
    scores = hidden @ leaves["W2"] + leaves["b2"]
    expected = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y))
    expected = expected + reg * ((leaves["W1"] ** 2).sum() + (leaves["W2"] ** 2).sum())
    expected.backward()

    loss, grads = matgrad.nn_forward_backward(params, X, y, reg=reg)
    assert loss.dtype == dtype and float(loss) == pytest.approx(expected.item(), rel=10 * tolerance)
    assert list(grads) == ["W1", "b1", "W2", "b2"]
    for name, grad in grads.items():
        assert grad.dtype == dtype and grad.shape == params[name].shape
        wanted = leaves[name].grad
        assert wanted is not None
        np.testing.assert_allclose(grad, wanted.numpy(), rtol=tolerance, atol=tolerance)

    of_tensors = matgrad.nn_forward_backward(tensors(params), torch.from_numpy(X), torch.from_numpy(y), reg=reg)
    assert isinstance(of_tensors[0], torch.Tensor) and of_tensors[0].shape == () and of_tensors[0].item() == float(loss)
    for name, grad in of_tensors[1].items():
        assert isinstance(grad, torch.Tensor) and grad.shape == leaves[name].shape
        np.testing.assert_array_equal(grad.numpy(), grads[name])

    found, features = matgrad.nn_forward_pass(params, X)
    np.testing.assert_allclose(found, scores.detach().numpy(), rtol=10 * tolerance, atol=10 * tolerance)
    np.testing.assert_allclose(features, hidden.detach().numpy(), rtol=10 * tolerance, atol=10 * tolerance)
    np.testing.assert_array_equal(matgrad.nn_forward_backward(params, X), found)
    pair = matgrad.nn_forward_pass(tensors(params), torch.from_numpy(X))
    assert all(isinstance(one, torch.Tensor) for one in pair)


def test_parameters_with_gradients_are_taken(rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    leaves = {name: torch.from_numpy(array).requires_grad_() for name, array in params.items()}
    loss, grads = matgrad.nn_forward_backward(leaves, torch.from_numpy(X), torch.from_numpy(y))
    assert not loss.requires_grad and grads["W1"].shape == (5, 6)


def test_rows_may_have_two_axes_and_types_may_differ(rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    params["b1"] = params["b1"][None]
    _, grads = matgrad.nn_forward_backward(params, X.astype("float32"), y.astype("int8"))
    assert grads["b1"].shape == (1, 6) and grads["b1"].dtype == "float64" and grads["b2"].shape == (4,)
    whole = matgrad.nn_forward_pass(params, np.ones((2, 5), int))[0]
    np.testing.assert_allclose(whole, matgrad.nn_forward_pass(params, np.ones((2, 5)))[0])


def test_huge_scores_have_a_finite_loss() -> None:
    params = {"W1": np.zeros((2, 3)), "b1": np.zeros(3), "W2": np.zeros((3, 2)), "b2": np.array([1e4, -1e4])}
    loss, grads = matgrad.nn_forward_backward(params, np.zeros((1, 2)), np.array([1]))
    assert loss == 2e4
    np.testing.assert_array_equal(grads["b2"], [1.0, -1.0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"y": [0, 1, 2, 3, 0, 1, 4]}, ValueError, "label 4 of row 7 is out of range: `y` has 4 columns"),
        ({"y": [0, 1, 2, 3, 0, 1, -1]}, ValueError, "label -1 of row 7 is out of range"),
        ({"y": [0, 1]}, ValueError, "`y` has 7 rows, but 2 labels are given"),
        ({"y": [0.0] * 7}, ValueError, "y must be whole numbers"),
        ({"y": np.eye(4, dtype=int)[[0] * 7]}, ValueError, "y must be whole numbers"),
        ({"y": [True] * 7}, ValueError, "y must be whole numbers"),
        ({"X": np.zeros((7, 6))}, ValueError, "D"),
        ({"X": np.zeros(5)}, ValueError, "`X` is 1-d"),
        ({"X": np.zeros((0, 5)), "y": np.zeros(0, int)}, ValueError, "empty"),
        ({"X": "text"}, TypeError, "not numbers"),
        ({"W2": np.zeros((5, 4))}, ValueError, "H"),
        ({"b2": np.zeros(3)}, ValueError, "C"),
        ({"W1": np.zeros((5, 6), complex)}, TypeError, "complex"),
        ({"b1": None}, ValueError, "params has no `b1`"),
    ],
)
def test_wrong_arguments_are_errors(
    rng: np.random.Generator, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    params, X, y = arrays_of_network(rng)
    given: dict[str, Any] = {**params, "X": X, "y": y}
    for name, value in change.items():
        given[name] = value if value is None or isinstance(value, str) else np.asarray(value)
    X, y = given.pop("X"), given.pop("y")
    given = {name: value for name, value in given.items() if value is not None}
    with pytest.raises(error, match=message):
        matgrad.nn_forward_backward(given, X, y)


def test_nan_is_not_lost(rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    X[3, 2] = np.nan
    loss, grads = matgrad.nn_forward_backward(params, X, y)
    scores, _ = matgrad.nn_forward_pass(params, X)
    assert np.isnan(loss) and np.isnan(grads["W1"]).any() and np.isnan(scores[3]).all()
    assert np.isfinite(scores[[0, 1, 2, 4, 5, 6]]).all()


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_training_learns(rng: np.random.Generator, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    X = rng.standard_normal((300, 4))
    y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    params: dict[str, Any] = {
        "W1": 0.5 * rng.standard_normal((4, 32)),
        "b1": np.zeros(32),
        "W2": 0.5 * rng.standard_normal((32, 2)),
        "b2": np.zeros(2),
    }
    data: list[Any] = [X[:200], y[:200], X[200:], y[200:]]
    if kind == "torch":
        params, data = dict(tensors(params)), [torch.from_numpy(part.copy()) for part in data]
    first = {name: param + 0 for name, param in params.items()}

    def run() -> dict[str, list[float]]:
        for name, param in first.items():
            params[name][...] = param
        X, y, X_val, y_val = data
        return matgrad.nn_train(
            params, matgrad.nn_forward_backward, matgrad.nn_predict, X, y, X_val, y_val,
            learning_rate=0.5, learning_rate_decay=0.98, reg=1e-4, num_iters=400, batch_size=50, verbose=True, seed=3,
        )

    before = params["W1"]
    history = run()
    assert params["W1"] is before, "the parameters are changed in place"
    assert len(history["loss_history"]) == 400 and len(history["val_acc_history"]) == 100
    assert history["loss_history"][-1] < 0.5 * history["loss_history"][0]
    assert max(history["val_acc_history"]) > 0.9
    assert capsys.readouterr().out.count("loss") == 4
    assert run() == history, "the same seed gives the same training"
    predicted = matgrad.nn_predict(params, matgrad.nn_forward_backward, data[2])
    assert float((predicted == data[3]).sum()) / 100 > 0.9
    X_all, y_all, X_val, y_val = data
    matgrad.nn_train(
        params, matgrad.nn_forward_backward, matgrad.nn_predict, X_all, y_all, X_val, y_val, num_iters=2
    )


def test_a_training_without_samples_is_an_error() -> None:
    nothing, labels = np.zeros((0, 2)), np.zeros(0, int)
    for size, message in ((5, "no sample"), (0, "no sample")):
        with pytest.raises(ValueError, match=message):
            matgrad.nn_train({}, matgrad.nn_forward_backward, matgrad.nn_predict, nothing, labels, nothing, labels, batch_size=size)


def test_it_is_what_the_course_has(rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    loss, grads = reference(params, X, y, 0.3)
    found = matgrad.nn_forward_backward(params=params, X=X, y=y, reg=0.3)
    assert found[0] == pytest.approx(loss)
    for name, grad in grads.items():
        np.testing.assert_allclose(found[1][name], grad)
    assert found[0].item() == float(found[0])

"""Differentiable functions of PyTorch and JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matgrad
import numpy as np
import pytest
import torch
from jax.test_util import check_grads
from torch.autograd import gradcheck

PROGRAMS = [
    ("X : matrix(n, d)\nL = normsq(tanh(X*w) - y)\n", {"X": (4, 3), "w": (3,), "y": (4,)}),
    ("b : row(k)\nY = sigmoid(X*W + b)\n", {"X": (4, 3), "W": (3, 2), "b": (2,)}),
    ("y = exp(A*x) + alpha*b\n", {"A": (4, 3), "x": (3,), "alpha": (), "b": (4,)}),
    ("r : row(n)\nq = tanh(r*X)\n", {"r": (4,), "X": (4, 3)}),
    ("f = lambda*logsumexp(x) + 1/lambda\n", {"x": (5,), "lambda": ()}),
    ("S : symmetric(n)\nf = tr(S*S*A)\n", {"S": "symmetric", "A": (3, 3)}),
]


def draw(shapes: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    out = {}
    for name, shape in shapes.items():
        if shape == "symmetric":
            a = rng.standard_normal((3, 3))
            out[name] = a + a.T
        else:
            out[name] = np.asarray(0.5 + rng.random(shape) if name == "lambda" else rng.standard_normal(shape))
    return out


@pytest.mark.parametrize(("text", "shapes"), PROGRAMS)
def test_gradcheck(text: str, shapes: dict[str, Any], rng: np.random.Generator) -> None:
    # A difference in one entry leaves the symmetric matrices.
    check = "symmetric" not in shapes.values()
    f = matgrad.program(text).torch_function(check=check, wrt=None if check else "A")
    arrays = draw(shapes, rng)
    moving = [name for name in arrays if check or name == "A"]
    given = [torch.tensor(array, requires_grad=name in moving) for name, array in arrays.items()]
    order = [name for name in matgrad.program(text).variables]
    assert set(order) == set(arrays)
    given = [given[list(arrays).index(name)] for name in order]
    assert gradcheck(f, given)


@pytest.mark.parametrize(("text", "shapes"), PROGRAMS[:5])
def test_check_grads(text: str, shapes: dict[str, Any], rng: np.random.Generator) -> None:
    f = matgrad.program(text).jax_function()
    arrays = draw(shapes, rng)
    with jax.enable_x64(True):
        given = [jnp.asarray(arrays[name]) for name in matgrad.program(text).variables]
        check_grads(f, given, order=1, modes=["rev"], atol=1e-6, rtol=1e-6)
        check_grads(jax.jit(f), given, order=1, modes=["rev"], atol=1e-6, rtol=1e-6)


def test_torch_trains_with_it(network: str, rng: np.random.Generator) -> None:
    f = matgrad.program(network).torch_function(wrt="W1, b1, W2, b2")
    X = torch.from_numpy(rng.standard_normal((60, 4))).float()
    y = (X[:, 0] > 0).long()
    params = [torch.nn.Parameter(0.3 * torch.randn(shape, generator=torch.Generator().manual_seed(1)))
              for shape in ((4, 16), (16,), (16, 2), (2,))]
    optimizer = torch.optim.SGD(params, lr=0.5)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = f(X, y, *params, 1e-4)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    hidden = torch.relu(X @ params[0] + params[1])
    expected = torch.nn.functional.cross_entropy(hidden @ params[2] + params[3], y)
    expected = expected + 1e-4 * ((params[0] ** 2).sum() + (params[2] ** 2).sum())
    assert f(X, y, *params, 1e-4).item() == pytest.approx(expected.item(), rel=1e-5)
    wanted = torch.autograd.grad(expected, params)
    found = torch.autograd.grad(3 * f(X, y, *params, 1e-4), params)
    for a, b in zip(wanted, found, strict=True):
        torch.testing.assert_close(3 * a, b)


def test_only_what_is_needed_is_computed_and_what_cannot_be_is_an_error() -> None:
    p = matgrad.program("L = normsq(A*x - b)")
    f: Any = p.torch_function(wrt="x")
    A, b = torch.eye(2), torch.zeros(2)
    x = torch.ones(2, requires_grad=True)
    assert not f(A, torch.ones(2), b).requires_grad
    f(A=A, x=x, b=b).backward()
    assert x.grad is not None and x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="`b` requires a gradient"):
        f(A, x, torch.zeros(2, requires_grad=True))
    with torch.no_grad():
        f(A, x, torch.zeros(2, requires_grad=True))
    # A second derivative is an error, never a zero.
    with pytest.raises(RuntimeError, match="does not require grad"):
        (grad,) = torch.autograd.grad(f(A, x, b), x, create_graph=True)
        grad.sum().backward()
    with pytest.raises(RuntimeError, match="once_differentiable"):
        (grad,) = torch.autograd.grad(f(A, x, b) ** 2, x, create_graph=True)
        grad.sum().backward()
    wrong: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: f(A, x), TypeError, "no argument `b`"),
        (lambda: f(A, x, b, b), TypeError, "4 arrays"),
        (lambda: f(A, x, b, c=b), TypeError, "no argument `c`"),
        (lambda: f(A, x, b, A=A), TypeError, "twice"),
        (lambda: f(A.double(), x, b), TypeError, "types"),
        (lambda: f(A.half(), x.half(), b.half()), TypeError, "float16"),
        (lambda: f(A, x, torch.zeros(3)), ValueError, "b"),
        (lambda: p.torch_function(wrt="q"), ValueError, "does not depend on q"),
        (lambda: p.torch_function(of="M +"), matgrad.MatgradError, "expected"),
    ]
    for call, error, message in wrong:
        with pytest.raises(error, match=message):
            call()
    assert f.__name__ == "L" and "vector" in (f.__doc__ or "")


def test_jax_compiles_and_maps_it(network: str, rng: np.random.Generator) -> None:
    f = matgrad.program(network).jax_function()
    X = jnp.asarray(rng.standard_normal((6, 4)), jnp.float32)
    y = jnp.asarray([0, 1, 2, 0, 1, 2])
    params = {name: jnp.asarray(rng.standard_normal(shape), jnp.float32)
              for name, shape in {"W1": (4, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}.items()}

    def ours(params: Any) -> Any:
        return f(X=X, Y=y, lambda_=0.1, **params)

    def theirs(params: Any) -> Any:
        scores = jax.nn.relu(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
        loss = -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(scores), y[:, None], axis=1))
        return loss + 0.1 * (jnp.sum(params["W1"] ** 2) + jnp.sum(params["W2"] ** 2))

    for found, wanted in (
        (jax.value_and_grad(ours)(params), jax.value_and_grad(theirs)(params)),
        (jax.jit(jax.value_and_grad(ours))(params), jax.value_and_grad(theirs)(params)),
    ):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5), found, wanted)

    g = matgrad.program("y = tanh(A*x)").jax_function(wrt="x")
    A, xs = jnp.ones((2, 3)), jnp.asarray(rng.standard_normal((5, 3)), jnp.float32)
    np.testing.assert_allclose(jax.vmap(lambda x: g(A, x))(xs), jnp.tanh(xs @ A.T), rtol=1e-5)
    with pytest.raises(ValueError, match="`A` requires a gradient"):
        jax.grad(lambda A: g(A, xs[0]).sum())(A)
    with pytest.raises(TypeError, match="no argument"):
        g(A)
    with pytest.raises(ValueError, match="axis 0 is 4"):
        g(A, jnp.ones(4))

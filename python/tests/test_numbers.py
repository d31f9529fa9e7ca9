"""Compiled functions: values, shapes, layouts, types, errors, memory, threads."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import matgrad
import numpy as np
import pytest
import torch

from conftest import EXAMPLES, Array, arrays_of_network
from test_formulas import command_line


def reference(params: dict[str, Array], X: Array, y: Any, reg: float) -> tuple[float, dict[str, Array]]:
    """The network in NumPy."""
    n = len(X)
    Z1 = X @ params["W1"] + params["b1"]
    H1 = np.maximum(Z1, 0)
    Z2 = H1 @ params["W2"] + params["b2"]
    shifted = Z2 - Z2.max(1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(1))
    loss = (log_sum - shifted[np.arange(n), y]).mean() + reg * ((params["W1"] ** 2).sum() + (params["W2"] ** 2).sum())
    G = np.exp(shifted - log_sum[:, None])
    G[np.arange(n), y] -= 1
    G /= n
    back = (G @ params["W2"].T) * (H1 > 0)
    return float(loss), {
        "W1": X.T @ back + 2 * reg * params["W1"],
        "b1": back.sum(0),
        "W2": H1.T @ G + 2 * reg * params["W2"],
        "b2": G.sum(0),
    }


def close(found: dict[str, Any], loss: float, grads: dict[str, Array], tolerance: float) -> None:
    assert abs(found["L"] - loss) <= tolerance * (1 + abs(loss))
    for name, grad in grads.items():
        np.testing.assert_allclose(found[f"grad(L,{name})"], grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-5)])
def test_the_network(network: str, rng: np.random.Generator, dtype: str, tolerance: float, threads: int) -> None:
    params, X, y = arrays_of_network(rng, 150, 33, 64, 10)
    f = matgrad.program(network).compile(dtype=dtype, threads=threads)
    given = {name: array.astype(dtype) for name, array in {**params, "X": X}.items()}
    loss, grads = reference(params, X, y, 0.1)
    by_labels = f(given, Y=y, lambda_=0.1)
    close(by_labels, loss, grads, tolerance)
    close(f(given, Y=np.eye(10, dtype=dtype)[y], λ=0.1), loss, grads, tolerance)
    more: dict[str, Any] = {"lambda": np.array(0.1, dtype)}
    close(f(given, Y=y.astype(np.uint8).tolist(), **more), loss, grads, tolerance)
    assert all(by_labels[f"grad(L,{name})"].dtype == dtype for name in params)
    assert isinstance(by_labels["L"], float)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "row by row": np.ascontiguousarray,
    "column by column": np.asfortranarray,
    "every other row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every other column": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "part of a larger array": lambda a: np.pad(a, 3)[tuple(slice(3, 3 + n) for n in a.shape)],
    "not aligned": lambda a: _not_aligned(a),
    "other byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read only": lambda a: _read_only(a),
    "a list": lambda a: a.tolist(),
    "a tensor": lambda a: torch.from_numpy(np.ascontiguousarray(a)),
    "a transposed tensor": lambda a: torch.from_numpy(np.ascontiguousarray(a.T)).T if a.ndim == 2 else a,
    "a tensor with gradient": lambda a: torch.from_numpy(np.ascontiguousarray(a)).requires_grad_(),
    "dlpack": lambda a: OnlyDLPack(np.ascontiguousarray(a)),
}


class OnlyDLPack:
    """What has nothing but DLPack."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


def _not_aligned(array: Any) -> Any:
    raw = np.empty(array.nbytes + 1, np.uint8)[1:]
    out = raw.view(array.dtype).reshape(array.shape)
    out[...] = array
    assert not out.flags.aligned
    return out


def _read_only(array: Any) -> Any:
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 3e-5)])
def test_any_layout(network: str, rng: np.random.Generator, layout: str, dtype: str, tolerance: float) -> None:
    params, X, y = arrays_of_network(rng, 40, 9, 21, 5)
    f = matgrad.program(network).compile(dtype=dtype)
    loss, grads = reference(params, X, y, 0.2)
    lay = LAYOUTS[layout]
    given = {name: lay(array.astype(dtype)) for name, array in {**params, "X": X}.items()}
    close(f(given, Y=np.eye(5, dtype=dtype)[y], lambda_=0.2), loss, grads, tolerance)
    # Functions that read an array with a softmax or the reference want it row by row.
    other = matgrad.program("P = softmax(X)\nd = X*inv(A)\ne = kron(X, X)").compile(["P", "d", "e"], dtype=dtype)
    A = np.eye(9) * 4 + rng.random((9, 9))
    found = other(X=given["X"], A=lay(A.astype(dtype)))
    powers = np.exp(X - X.max(1, keepdims=True))
    np.testing.assert_allclose(found["P"], powers / powers.sum(1, keepdims=True), atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(found["d"], X @ np.linalg.inv(A), atol=100 * tolerance, rtol=100 * tolerance)
    np.testing.assert_allclose(found["e"], np.kron(X, X), atol=tolerance, rtol=10 * tolerance)


def test_inputs_are_not_copied(rng: np.random.Generator) -> None:
    f = matgrad.program("f = sum(X*w)").compile(["f"], threads=1)
    big, w = rng.random((4000, 1000)), np.ones(1000)
    f(X=big, w=w)
    fastest = {
        kind: min(_time(partial(f, X=array, w=w)) for _ in range(5))
        for kind, array in {"plain": big, "columns": np.asfortranarray(big), "rows": np.repeat(big, 2, 0)[::2]}.items()
    }
    # 32 MB are read in about 4 ms; to copy them first takes ten times as long.
    copying = min(_time(lambda: np.ascontiguousarray(np.asfortranarray(big))) for _ in range(3))
    assert fastest["plain"] < copying and fastest["rows"] < copying, (fastest, copying)


def _time(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def test_types_that_lose_digits_are_refused(network: str, rng: np.random.Generator) -> None:
    f = matgrad.program("f = sum(X .* S)").compile(["f"], dtype="float32")
    X = rng.random((2, 3)).astype("float32")
    assert f(X=X, S=X.astype("float16"))["f"] == pytest.approx((X * X).sum(), rel=1e-2)
    assert f(X=X, S=np.ones((2, 3), int))["f"] == pytest.approx(X.sum())
    assert f(X=X, S=np.ones((2, 3), bool))["f"] == pytest.approx(X.sum())
    assert f(X=X, S=[[1, 2, 3], [4, 5, 6]])["f"] > 0
    for wrong, message in [
        (X.astype("float64"), "digits would be lost"),
        (X.astype(complex), "complex128"),
        (X.astype(str), "not numbers"),
        (np.array([[None, 1.0, 2.0]] * 2), "object"),
        (np.ma.masked_array(X, X > 0.5), "mask"),
        (np.ma.masked_array(X.astype("float16"), X > 0.5), "mask"),
        (torch.ones(2, 3, dtype=torch.float64), "digits would be lost"),
    ]:
        with pytest.raises(TypeError, match=message):
            f(X=X, S=wrong)
    with pytest.raises(TypeError, match=r"X\.cpu\(\)|device"):
        f(X=torch.ones(2, 3, device="meta"), S=X)


def test_shapes_that_do_not_fit_are_errors(network: str, rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    f = matgrad.program(network).compile()
    right: dict[str, Any] = {**params, "X": X, "Y": y, "lambda": 0.1}
    f(right)
    for name, wrong, message in [
        ("X", X[:, :-1], "D"),
        ("X", X[0], "X"),
        ("X", X[None], "X"),
        ("X", np.zeros((1, 1, 1, 1, 1)), "5 axes"),
        ("X", X[:0], "empty"),
        ("b1", params["b1"][:-1], "b1"),
        ("b1", params["b1"][:, None], "row"),
        ("W1", params["W1"].T, "W1"),
        ("lambda", np.ones(2), "lambda"),
        ("Y", y[:-1], "labels"),
        ("Y", y + 4, "out of range"),
        ("Y", -y - 1, "out of range"),
        ("Y", y.astype(float), "onehot"),
        ("Y", np.ones((7, 4)), "onehot"),
        ("Y", np.eye(4)[y] * 0.5, "onehot"),
    ]:
        with pytest.raises(ValueError, match=message):
            f({**right, name: wrong})
    # A wrong call leaves nothing behind.
    close(f(right), *reference(params, X, y, 0.1), 1e-12)


def test_names_that_do_not_fit_are_errors() -> None:
    f: Any = matgrad.grad("a'*b", wrt="a").compile()
    a = np.ones(3)
    wrong: list[tuple[Callable[[], Any], str]] = [
        (lambda: f(a=a), "no argument `b`, vector"),
        (lambda: f(), "no argument"),
        (lambda: f(a=a, b=a, c=a), "no use for `c`"),
        (lambda: f({"a": a, "b": a}, a=a), "twice"),
        (lambda: f([a, a]), "by name"),
    ]
    for call, message in wrong:
        with pytest.raises(TypeError, match=message):
            call()
    # A dictionary may have more.
    assert f({"a": a, "b": a, "c": a})["a'*b"] == 3


def test_vectors_come_back_as_they_were_given() -> None:
    f = matgrad.program("A : matrix(m, n)\nf = normsq(A*x)\nr = A*x\ngrad f wrt x").compile(["f", "grad(f,x)", "r"])
    A, x = np.eye(2, 3), np.ones(3)
    flat = f(A=A, x=x)
    assert flat["grad(f,x)"].shape == (3,) and flat["r"].shape == (2,)
    column = f(A=A, x=x[:, None])
    assert column["grad(f,x)"].shape == (3, 1) and column["r"].shape == (2, 1)


def test_infinite_and_nan_go_through(network: str, rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    f = matgrad.program(network).compile()
    for value in (np.nan, np.inf):
        wrong = X.copy()
        wrong[2, 1] = value
        result = f({**params, "X": wrong, "Y": y, "lambda": 0.0})
        assert not np.isfinite(result["L"]), value
        assert not np.isfinite(result["grad(L,W1)"]).all()
    parts = matgrad.program("a = sum(X)\nb = relu(X)\nc = softmax(X)\nd = max(X, 0)").compile(["a", "b", "c", "d"])(
        X=np.array([[np.nan, 1.0], [2.0, 3.0]])
    )
    assert np.isnan(parts["a"]) and np.isnan(parts["b"][0, 0]) and np.isnan(parts["c"][0]).all()
    assert np.isnan(parts["d"][0, 0]) and np.isfinite(parts["c"][1]).all()


def test_declared_properties_are_checked() -> None:
    p = matgrad.program("S : posdef(n)\nT : symmetric(n)\nf = logdet(S) + tr(T)\ngrad f wrt S")
    f, unchecked = p.compile(), p.compile(check=False)
    S, T = np.diag([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ValueError, match="`T` is declared symmetric"):
        f(S=S, T=T)
    with pytest.raises(ValueError, match="`S` is declared posdef"):
        f(S=-S, T=S)
    assert unchecked(S=S, T=T)["f"] == pytest.approx(np.log(2) + 5)
    d = matgrad.program("T : symmetric(n)\nf = tr(T*T)\ndifferential f").compile()
    assert d(T=S, dT=S)["differential(f)"] == pytest.approx(10)
    with pytest.raises(ValueError, match="`dT` must be symmetric"):
        d(T=S, dT=T)


def test_what_has_no_value_is_an_error() -> None:
    f = matgrad.program("Y = inv(A)").compile(["Y"])
    with pytest.raises(ValueError, match="singular"):
        f(A=np.ones((2, 2)))
    np.testing.assert_allclose(f(A=2 * np.eye(2))["Y"], np.eye(2) / 2)


def test_results_go_to_arrays_of_the_caller(network: str, rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    f = matgrad.program(network).compile()
    given: dict[str, Any] = {**params, "X": X, "Y": y, "lambda": 0.1}
    loss, grads = reference(params, X, y, 0.1)
    out: dict[str, Any] = {f"grad(L,{name})": np.full_like(array, np.nan) for name, array in params.items()}
    out["L"] = np.full((), np.nan)
    result = f(given, out=out)
    assert all(result[name] is array for name, array in out.items())
    close(result, loss, grads, 1e-12)
    tensor = torch.zeros(6, dtype=torch.float64)
    assert f(given, out={"grad(L,b1)": tensor})["grad(L,b1)"] is tensor
    np.testing.assert_allclose(tensor.numpy(), grads["b1"])
    W1 = params["W1"]
    for name, wrong, message in [
        ("grad(L,W1)", np.zeros((6, 5)), "shape"),
        ("grad(L,W1)", np.zeros((5, 6), "float32"), "float64"),
        ("grad(L,W1)", np.zeros((6, 5)).T, "row by row"),
        ("grad(L,W1)", _read_only(np.zeros((5, 6))), "writeable"),
        ("grad(L,W1)", [[0.0] * 6] * 5, "array"),
        ("grad(L,W1)", W1, "shares memory with the input `W1`"),
        ("W1", np.zeros((5, 6)), "the results are"),
    ]:
        with pytest.raises(ValueError, match=message):
            f(given, out={name: wrong})
    room = np.zeros(10)
    with pytest.raises(ValueError, match="shares memory"):
        f(given, out={"grad(L,b1)": room[:6], "grad(L,b2)": room[5:9]})
    np.testing.assert_array_equal(params["W1"], W1)


def test_derivatives_of_higher_order(rng: np.random.Generator) -> None:
    A, x, b = rng.random((4, 3)), rng.random(3), rng.random(4)
    p = matgrad.program("f = normsq(A*x - b)")
    result = p.hessian("x").compile()(A=A, x=x, b=b)
    np.testing.assert_allclose(result["hessian(f,x,x)"], 2 * A.T @ A)
    tensor = matgrad.program("Y = X*X'").jacobian("X").compile()(X=A)
    (key,) = [name for name in tensor if name.startswith("jacobian")]
    expected = np.einsum("ik,jl->ijkl", np.eye(4), A) + np.einsum("jk,il->ijkl", np.eye(4), A)
    np.testing.assert_allclose(tensor[key], expected)
    out = np.empty((4, 4, 4, 3))
    assert matgrad.program("Y = X*X'").jacobian("X").compile()(X=A, out={key: out})[key] is out
    np.testing.assert_allclose(out, expected)
    v = rng.random(3)
    hvp = p.hvp("x", along="v").compile()(A=A, x=x, b=b, v=v)
    np.testing.assert_allclose([value for key, value in hvp.items() if "hessian" in key][0], 2 * A.T @ A @ v)
    with pytest.raises((MemoryError, ValueError), match="entries"):
        matgrad.program("Y = X*X'").jacobian("X").compile()(X=np.ones((100_000, 10_000), "float64")[:, :1].repeat(9000, 1))


def test_sizes_that_are_told() -> None:
    p = matgrad.program("dim k\nf = k*sum(X)")
    with pytest.raises(ValueError, match="`k` has no value"):
        p.compile(["f"])(X=np.ones((2, 2)))
    f = p.compile(["f"], k=5)
    assert f(X=np.ones((2, 2)))["f"] == 20 and f.sizes == [("k", 5)]
    with pytest.raises(ValueError, match="3"):
        matgrad.program("X : matrix(m, n)\nf = sum(X)").compile(["f"], m=3)(X=np.ones((2, 2)))
    assert "stage 1" in matgrad.program("f = sum(X*Y)").compile(["f"]).plan(m=2, n=3, p=4)
    with pytest.raises(ValueError, match="has no value"):
        matgrad.program("f = sum(X*Y)").compile(["f"]).plan(m=2)


def test_functions_tell_what_they_are(network: str) -> None:
    f = matgrad.program(network).compile(["L", "P"], dtype=np.float32, threads=1)
    assert f.outputs == ["L", "P"] and f.dtype == "float32" and f.threads == 1
    assert [name for name, _ in f.inputs] == ["X", "Y", "W1", "b1", "W2", "b2", "lambda"]
    assert "float32, 1 thread" in repr(f)
    assert matgrad.program(network).compile(dtype=torch.float32).dtype == "float32"


def test_functions_are_pickled(network: str, rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng)
    f = matgrad.program(network).compile(["L", "grad(L,W1)"], threads=1)
    again = pickle.loads(pickle.dumps(f))
    given: dict[str, Any] = {**params, "X": X, "Y": y, "lambda": 0.1}
    np.testing.assert_array_equal(again(given)["grad(L,W1)"], f(given)["grad(L,W1)"])


def test_threads_run_side_by_side(network: str, rng: np.random.Generator) -> None:
    f = matgrad.program(network).compile(threads=2)
    cases = []
    for n in (3, 60, 150, 3, 60, 151):
        params, X, y = arrays_of_network(rng, n, 20, 30, 5)
        cases.append(({**params, "X": X, "Y": y, "lambda": 0.1}, reference(params, X, y, 0.1)))

    def work(place: int) -> None:
        for i in range(30):
            given, (loss, grads) = cases[(place + i) % len(cases)]
            close(f(given), loss, grads, 1e-11)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, place) for place in range(4)]:
            done.result()


def test_the_lock_is_released(rng: np.random.Generator) -> None:
    f = matgrad.program("Y = A*B").compile(["Y"], threads=1)
    A = rng.random((1500, 1500))
    f(A=A, B=A)
    ticks = 0
    stop = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not stop.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    for _ in range(3):
        f(A=A, B=A)
    took = time.perf_counter() - start
    stop.set()
    thread.join()
    # With the lock held there would be three ticks.
    assert ticks > 6, f"{ticks} ticks in {took} s"


def _in_child(f: Any, given: Any, pipe: Any) -> None:
    pipe.send(f(given)["L"])
    pipe.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning")
def test_a_forked_process_has_threads_of_its_own(network: str, rng: np.random.Generator) -> None:
    params, X, y = arrays_of_network(rng, 300, 60, 80, 5)
    f = matgrad.program(network).compile(threads=2)
    given: dict[str, Any] = {**params, "X": X, "Y": y, "lambda": 0.1}
    here = f(given)["L"]
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_in_child, args=(f, given, theirs))
    child.start()
    assert ours.poll(60), "the child hangs"
    assert ours.recv() == pytest.approx(here)
    child.join(60)
    assert child.exitcode == 0 and f(given)["L"] == here


@pytest.mark.parametrize("example", ["two_layer_mlp", "ridge", "gaussian_likelihood", "softmax_regression", "second_order"])
def test_numbers_are_those_of_the_command_line(example: str, rng: np.random.Generator, tmp_path: Any) -> None:
    path = EXAMPLES / f"{example}.mg"
    p = matgrad.program(path)
    sizes = {name: 3 + i for i, name in enumerate(sorted(_dimensions(p)))}
    arrays = {name: _draw(kind, sizes, rng) for name, kind in p.variables.items()}
    stored: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez(tmp_path / "in.npz", **stored)
    subprocess.run(
        [command_line(), "eval", path, "--data", tmp_path / "in.npz", "--out", tmp_path / "out.npz"], check=True
    )
    with np.load(tmp_path / "out.npz") as expected:
        names = [name for name in expected.files if not name.startswith("differential")]
        found = p.compile(names)(arrays)
        assert set(found) == set(names) and names
        for name in names:
            assert np.shape(found[name]) == expected[name].shape, name
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-10, err_msg=name)


def _dimensions(p: matgrad.Program) -> set[str]:
    inside = [kind[kind.index("(") + 1 : -1].split(",") for kind in p.variables.values() if "(" in kind]
    return {name.strip() for names in inside for name in names if not name.strip().isdigit()}


def _draw(kind: str, sizes: dict[str, int], rng: np.random.Generator) -> Any:
    name, _, inside = kind.partition("(")
    shape = [sizes.get(part.strip(), 0) or int(part) for part in inside.rstrip(")").split(",") if part]
    if name == "scalar":
        return 0.5 + rng.random()
    if name == "onehot":
        return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    if name in ("symmetric", "posdef"):
        a = rng.standard_normal((shape[0], shape[0] + 2))
        return a @ a.T
    if name in ("vector", "row"):
        return rng.standard_normal(shape[0])
    return rng.standard_normal((shape[0], shape[-1]))

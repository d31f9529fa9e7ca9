"""nn_forward_backward against the same formulas in PyTorch, in one run.

    python benches/network.py [THREADS] [SIZES]

Sizes are tiny, digits, mnist, cifar, wide and big, in 32-bit floats. In PyTorch the gradients are found by formulas with results in
memory that is there already (`out=`), the fastest way there is without a compiler; by the same formulas with new arrays, as matgrad
gives them; and by autograd. Runs take turns, so that who else works on the machine hurts all alike. It prints medians in microseconds
and how many times as long PyTorch takes.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
# Both take as many threads as there are processors for them.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(THREADS)

import matgrad  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

SIZES = {
    "tiny": (64, 64, 128, 10),
    "digits": (128, 64, 256, 10),
    "mnist": (128, 784, 512, 10),
    "cifar": (200, 3072, 1024, 10),
    "wide": (1024, 1024, 4096, 1000),
    "big": (2048, 2048, 4096, 1000),
}
REG = 1e-3


def by_hand(params: dict[str, torch.Tensor], X: torch.Tensor, y: torch.Tensor) -> Callable[[], Any]:
    """The formulas with every result in memory that is there already."""
    W1, b1, W2, b2 = params.values()
    n, rows = len(X), torch.arange(len(X))
    Z1, Z2 = torch.empty(n, W1.shape[1]), torch.empty(n, W2.shape[1])
    back, dW1, dW2 = torch.empty_like(Z1), torch.empty_like(W1), torch.empty_like(W2)

    @torch.inference_mode()
    def step() -> Any:
        torch.addmm(b1, X, W1, out=Z1)
        Z1.clamp_(min=0)
        torch.addmm(b2, Z1, W2, out=Z2)
        log_sum = torch.logsumexp(Z2, 1, keepdim=True)
        loss = (log_sum[:, 0] - Z2[rows, y]).mean() + REG * (W1.square().sum() + W2.square().sum())
        Z2.sub_(log_sum).exp_()
        Z2[rows, y] -= 1
        Z2.div_(n)
        torch.addmm(W2, Z1.T, Z2, beta=2 * REG, out=dW2)
        torch.mm(Z2, W2.T, out=back)
        back.mul_(Z1 > 0)
        torch.addmm(W1, X.T, back, beta=2 * REG, out=dW1)
        return loss, {"W1": dW1, "b1": back.sum(0), "W2": dW2, "b2": Z2.sum(0)}

    return step


def formulas(params: dict[str, torch.Tensor], X: torch.Tensor, y: torch.Tensor) -> Callable[[], Any]:
    """The formulas as one writes them, with new arrays for what comes out, as matgrad gives them."""
    W1, b1, W2, b2 = params.values()
    n, rows = len(X), torch.arange(len(X))

    def step() -> Any:
        Z1 = X @ W1 + b1
        H1 = torch.relu(Z1)
        scores = torch.log_softmax(H1 @ W2 + b2, 1)
        loss = -scores[rows, y].mean() + REG * ((W1 * W1).sum() + (W2 * W2).sum())
        G_Z2 = scores.exp()
        G_Z2[rows, y] -= 1
        G_Z2 /= n
        G_Z1 = (G_Z2 @ W2.T) * (Z1 > 0)
        W1_grad, W2_grad = X.T @ G_Z1 + 2 * REG * W1, H1.T @ G_Z2 + 2 * REG * W2
        return loss, {"W1": W1_grad, "b1": G_Z1.sum(0), "W2": W2_grad, "b2": G_Z2.sum(0)}

    return step


def by_autograd(params: dict[str, torch.Tensor], X: torch.Tensor, y: torch.Tensor) -> Callable[[], Any]:
    """The loss as one writes it."""
    leaves = {name: param.clone().requires_grad_() for name, param in params.items()}

    def step() -> Any:
        scores = torch.relu(X @ leaves["W1"] + leaves["b1"]) @ leaves["W2"] + leaves["b2"]
        loss = torch.nn.functional.cross_entropy(scores, y)
        loss = loss + REG * (leaves["W1"].square().sum() + leaves["W2"].square().sum())
        grads = torch.autograd.grad(loss, list(leaves.values()))
        return loss, dict(zip(leaves, grads, strict=True))

    return step


def main() -> None:
    torch.set_num_threads(THREADS)
    rng = np.random.default_rng(0)
    wanted = sys.argv[2].split(",") if len(sys.argv) > 2 else list(SIZES)
    print(f"matgrad {matgrad.__version__}, torch {torch.__version__}, {THREADS} threads, load {os.getloadavg()[0]:.1f}")
    print(f"{'size':8}{'numpy':>12}{'tensors':>12}{'in place':>12}{'formulas':>12}{'autograd':>12}", end="")
    print(f"{'in place':>10}{'formulas':>10}{'autograd':>10}")
    for size in wanted:
        n, d, h, c = SIZES[size]
        params = {
            "W1": (rng.standard_normal((d, h)) / np.sqrt(d)).astype("float32"),
            "b1": np.zeros(h, "float32"),
            "W2": (rng.standard_normal((h, c)) / np.sqrt(h)).astype("float32"),
            "b2": np.zeros(c, "float32"),
        }
        X, y = rng.standard_normal((n, d)).astype("float32"), rng.integers(0, c, n)
        of_torch = {name: torch.from_numpy(param) for name, param in params.items()}
        X_torch, y_torch = torch.from_numpy(X), torch.from_numpy(y)
        calls: list[Callable[[], Any]] = [
            lambda params=params, X=X, y=y: matgrad.nn_forward_backward(params, X, y, REG),
            lambda params=of_torch, X=X_torch, y=y_torch: matgrad.nn_forward_backward(params, X, y, REG),
            by_hand(of_torch, X_torch, y_torch),
            formulas(of_torch, X_torch, y_torch),
            by_autograd(of_torch, X_torch, y_torch),
        ]
        loss, grads = calls[0]()
        for call in calls[1:]:
            other, others = call()
            other = torch.as_tensor(other).detach()
            assert abs(float(other) - float(loss)) < 1e-4 * abs(float(loss)), (size, other, loss)
            for name, grad in others.items():
                # By the norm: some hidden units next to 0 may be rounded to either side.
                difference = np.linalg.norm(grad.detach().numpy() - np.asarray(grads[name]))
                assert difference < 3e-3 * np.linalg.norm(grads[name]), (size, name, difference)
        took = medians(calls)
        ratios = [time / took[0] for time in took[2:]]
        print(f"{size:8}" + "".join(f"{1e6 * t:12.1f}" for t in took) + "".join(f"{ratio:10.2f}" for ratio in ratios))


def medians(calls: list[Callable[[], Any]]) -> list[float]:
    """Of each the median time; they take turns."""
    times: list[list[float]] = [[] for _ in calls]
    start = time.perf_counter()
    while len(times[0]) < 7 or time.perf_counter() - start < 4:
        for call, own in zip(calls, times, strict=True):
            turn, counted = time.perf_counter(), 0
            while counted < 3:
                before = time.perf_counter()
                call()
                after = time.perf_counter() - before
                # At first the caches are the other's, and its threads still spin, for some milliseconds.
                if before - turn > 0.01 or after > 0.05:
                    own.append(after)
                    counted += 1
                if after > 0.05:
                    break
    return [statistics.median(own) for own in times]


if __name__ == "__main__":
    main()

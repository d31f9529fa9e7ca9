"""Jacobians and Hessians beside JAX and PyTorch, in one run, in double precision, on two threads.

    python3 benches/peers/hessians.py [--quick]

Makes a virtual environment of its own under target/, installs the peers there, builds `cargo bench --bench hessians`, and prints a
table: the median time of each, how many times matgrad is ahead of the faster peer, and the time of a derivation. Compilation by the
peers is not counted, nor is the derivation by matgrad. --quick leaves out what takes minutes.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import environment
from environment import median

# A problem whose tensor has more entries than this is not given to the peers.
MOST_ENTRIES = 2000 * 2000
THREADS = 2


def functions(problem, sizes, module):
    """The function, by which argument, and its arguments, for NumPy-like functions of `module`."""
    import numpy

    random = numpy.random.default_rng(1)
    draw = lambda *shape: random.standard_normal(shape)
    if problem == "logistic regression":
        m, n = sizes["m"], sizes["n"]
        X, y, w = draw(m, n), numpy.sign(draw(m)), draw(n) / n**0.5
        return lambda w, X, y: module.softplus(-y * (X @ w)).sum(), "hessian", (w, X, y)
    if problem == "matrix factorisation":
        n, k = sizes["n"], sizes["k"]
        return lambda U, V, A: ((U @ V.T - A) ** 2).sum(), "hessian", (draw(n, k), draw(n, k), draw(n, n))
    if problem == "softmax regression":
        m, n, k = sizes["m"], sizes["n"], sizes["k"]
        Y = numpy.eye(k)[numpy.arange(m) % k]
        return lambda W, X, Y: -(Y * module.log_softmax(X @ W)).sum() / m, "hessian", (draw(n, k) / n**0.5, draw(m, n), Y)
    if problem == "A*X*B":
        m, n, p, q = (sizes[name] for name in "mnpq")
        return lambda X, A, B: A @ X @ B, "jacobian", (draw(n, p), draw(m, n), draw(p, q))
    raise SystemExit(f"no problem {problem}")


class Jax:
    name = "jax"

    def __init__(self):
        os.environ["JAX_PLATFORMS"] = "cpu"
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax = jax
        self.softplus = jax.nn.softplus
        self.log_softmax = jax.nn.log_softmax

    def time(self, function, kind, arguments):
        jax = self.jax
        derivative = jax.jit(jax.hessian(function) if kind == "hessian" else jax.jacobian(function))
        arguments = [jax.numpy.asarray(a) for a in arguments]
        return median(lambda: derivative(*arguments).block_until_ready())


class Torch:
    name = "torch"

    def __init__(self):
        import torch

        torch.set_num_threads(THREADS)
        self.torch = torch
        self.softplus = torch.nn.functional.softplus
        self.log_softmax = lambda z: torch.nn.functional.log_softmax(z, dim=1)

    def time(self, function, kind, arguments):
        func = self.torch.func
        derivative = func.hessian(function) if kind == "hessian" else func.jacrev(function)
        arguments = [self.torch.from_numpy(a) for a in arguments]
        return median(lambda: derivative(*arguments))


def entries(problem, sizes):
    if problem == "logistic regression":
        return sizes["n"] ** 2
    if problem == "A*X*B":
        return sizes["m"] * sizes["q"] * sizes["n"] * sizes["p"]
    return (sizes["n"] * sizes["k"]) ** 2


def peers(quick):
    """In the environment: reads problems as lines of JSON, writes their times."""
    libraries = [Jax(), Torch()]
    for line in sys.stdin:
        case = json.loads(line)
        problem, sizes = case["problem"], case["sizes"]
        slow = entries(problem, sizes) > (1000 * 1000 if quick else MOST_ENTRIES)
        for library in libraries:
            function, kind, arguments = functions(problem, sizes, library)
            # PyTorch takes a minute a run for the largest; JAX would fill the memory for those above.
            too_slow = slow or (library.name == "torch" and entries(problem, sizes) > 1000 * 1000)
            case[library.name] = None if too_slow else library.time(function, kind, arguments)
        print(json.dumps(case), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leaves out what takes minutes")
    parser.add_argument("--peers", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    quick = options.quick
    if options.peers:
        return peers(quick)
    own = environment.python()
    run = subprocess.run(
        ["cargo", "bench", "--quiet", "--bench", "hessians"], cwd=environment.ROOT, check=True, capture_output=True, text=True
    )
    cases = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    cases = [case for case in cases if case["threads"] == THREADS]
    command = [str(own), str(Path(__file__).resolve()), "--peers", *(["--quick"] if quick else [])]
    lines = "\n".join(json.dumps(case) for case in cases) + "\n"
    rows = []
    for line in environment.run(command, THREADS, input=lines).splitlines():
        case = json.loads(line)
        sizes = ", ".join(f"{name} = {value}" for name, value in case["sizes"].items())
        times = [case[name] for name in ("jax", "torch") if case[name] is not None]
        ahead = lambda us: f"{min(times) / us:.1f}" if times else ""
        microseconds = [case[name] for name in ("dense_us", "compressed_us", "jax", "torch")]
        row = [f"{case['problem']}, {sizes}", *map(environment.duration, microseconds)]
        rows.append([*row, ahead(case["dense_us"]), ahead(case["compressed_us"]), f"{case['derivation_ms']:.2f} ms"])
    heading = ["", "matgrad, dense", "factors", "JAX", "PyTorch", "ahead, dense", "ahead, factors", "derivation"]
    environment.table(heading, rows)
    print(f"\n{environment.machine()}")


if __name__ == "__main__":
    main()

"""What `matgrad emit --target torch` writes for the two-layer network beside the same formulas by hand in PyTorch, and autograd.

    python3 benches/peers/emitted.py [--sizes tiny,mnist] [--threads 1] [--rounds 3] [--seconds 1]

`emitted` is the plain function, `emitted-autograd` the function with the derived backward, by `torch.autograd.grad`; `hand` are
the formulas that a person would write, with the labels as a matrix, as the program has them; `autograd` finds them itself.
All take the same arrays in single precision and are compared with double precision. One run, one table, in turns.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import time

import environment
import step
from contest import choice, checks, differs

MODULE = environment.DATA / "emitted_network.py"
CASES = [case for case in step.CASES if case.name in ("tiny", "digits", "mnist", "cifar")]
PARAMETERS = step.PARAMETERS


def given(case, torch):
    """The arrays as the emitted program takes them: labels as a matrix of ones, biases as vectors."""
    arrays = {name: torch.from_numpy(array) for name, array in case.arrays().items()}
    labels = torch.nn.functional.one_hot(arrays["Y"], case.sizes["C"]).float()
    return [arrays["X"], labels, *(arrays[name].reshape(-1) if name[0] == "b" else arrays[name] for name in PARAMETERS)]


def emitted(torch, arrays, weight):
    return lambda: module().network(*arrays, weight)


def emitted_autograd(torch, arrays, weight):
    X, Y, *parameters = arrays
    leaves = [parameter.requires_grad_() for parameter in parameters]

    def run():
        loss = module().autograd_L(X, Y, *leaves, weight)
        return loss, *torch.autograd.grad(loss, leaves)

    return run


def hand(torch, arrays, weight):
    @torch.no_grad()
    def run():
        X, Y, W1, b1, W2, b2 = arrays
        N = X.shape[0]
        Z1 = X @ W1 + b1
        H1 = torch.relu(Z1)
        logarithm = torch.log_softmax(H1 @ W2 + b2, dim=1)
        loss = -(Y * logarithm).sum() / N + weight * ((W1 * W1).sum() + (W2 * W2).sum())
        dZ2 = (logarithm.exp() - Y) / N
        dZ1 = (dZ2 @ W2.T) * (Z1 > 0)
        return loss, X.T @ dZ1 + 2 * weight * W1, dZ1.sum(0), H1.T @ dZ2 + 2 * weight * W2, dZ2.sum(0)

    return run


def autograd(torch, arrays, weight):
    X, Y, *parameters = arrays
    leaves = W1, b1, W2, b2 = [parameter.requires_grad_() for parameter in parameters]

    def run():
        logarithm = torch.log_softmax(torch.relu(X @ W1 + b1) @ W2 + b2, dim=1)
        loss = -(Y * logarithm).sum() / X.shape[0] + weight * ((W1 * W1).sum() + (W2 * W2).sum())
        return loss, *torch.autograd.grad(loss, leaves)

    return run


PEERS = {"emitted": emitted, "emitted-autograd": emitted_autograd, "hand": hand, "autograd": autograd}


def module():
    """The emitted file, loaded once."""
    if "emitted_network" not in sys.modules:
        spec = importlib.util.spec_from_file_location("emitted_network", MODULE)
        sys.modules["emitted_network"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["emitted_network"])
    return sys.modules["emitted_network"]


def perform(threads, seconds, *wanted):
    """In the environment: all peers in turns on each case, a line of JSON for each."""
    import torch

    torch.set_num_threads(int(threads))
    for case in CASES:
        if case.name not in wanted:
            continue
        weight = torch.tensor(step.REGULARISATION)
        runs = {name: peer(torch, given(case, torch), weight) for name, peer in PEERS.items()}
        # In turns, run by run: none has the memory of the process to itself, or the machine at a better time.
        found = {name: [] for name in runs}
        start = time.perf_counter()
        for run in runs.values():
            run()
        while time.perf_counter() - start < len(runs) * float(seconds) or len(found["autograd"]) < 5:
            for name, run in runs.items():
                before = time.perf_counter()
                run()
                found[name].append((time.perf_counter() - before) * 1e6)
        for name, run in runs.items():
            values = [value.detach().numpy() for value in run()]
            line = {"case": case.name, "peer": name, "median_us": environment.middle(found[name]), "best_us": min(found[name])}
            print(json.dumps(line | {"off": differs(checks(values), case.judged())}), flush=True)


def main():
    if sys.argv[1:2] == ["--perform"]:
        return perform(*sys.argv[2:])
    names = [case.name for case in CASES]
    many = lambda of: lambda text: [choice(of, word.strip()) for word in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=many(names), default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--threads", type=many(["1", "2"]), default=["1", "2"], help="1, 2 or 1,2")
    parser.add_argument("--rounds", type=int, default=3, help="how often each has its turn [3]")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a case is repeated in a turn [1]")
    parser.add_argument("--best", action="store_true", help="takes the best run, not the median: for a machine that others use")
    parser.add_argument("--matgrad", help="the program `matgrad`; it is built where this is not given")
    options = parser.parse_args()
    own = environment.python()
    folder = environment.ROOT / "benches" / "peers"
    subprocess.run([str(own), str(folder / "step.py"), "--prepare", *options.sizes], check=True)
    command = [options.matgrad] if options.matgrad else ["cargo", "run", "--quiet", "--release", "-p", "matgrad-cli", "--"]
    program = environment.ROOT / "examples" / "two_layer_mlp.mg"
    subprocess.run([*command, "emit", program, "--target", "torch", "--name", "network", "-o", MODULE], cwd=environment.ROOT, check=True)
    measure = "best_us" if options.best else "median_us"
    times = {}
    for turn in range(options.rounds):
        for threads in options.threads:
            print(f"round {turn + 1} of {options.rounds}, threads {threads}", file=sys.stderr)
            command = [own, __file__, "--perform", threads, options.seconds, *options.sizes]
            for line in map(json.loads, environment.run(command, int(threads)).splitlines()):
                if not line["off"] <= 1e-4:
                    raise SystemExit(f"{line['peer']} on {line['case']} differs from float64 by {line['off']:.1e}")
                times.setdefault((line["case"], threads), {}).setdefault(line["peer"], []).append(line[measure])
    rows = []
    for threads in options.threads:
        for name in options.sizes:
            medians = {peer: environment.middle(found) for peer, found in times[name, threads].items()}
            ratios = [f"{medians[peer] / medians['emitted']:.2f}" for peer in ("hand", "autograd")]
            rows.append([name, threads, *(environment.duration(medians[peer]) for peer in PEERS), *ratios])
    environment.table(["", "threads", *PEERS, "hand ÷ emitted", "autograd ÷ emitted"], rows)
    of = "the best run of each" if options.best else "the median of the runs of each"
    print(f"\n{environment.machine()} Median of {options.rounds} rounds, {of}.")


if __name__ == "__main__":
    main()

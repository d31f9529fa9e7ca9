"""Losses and gradients by several libraries, in turns: who is how fast, and whether all say the same.

A script names its cases and its peers. The arrays of each case are written to files once, in single precision, and read by all.
In each round every peer is one process that does all cases; the medians of its runs go through the median of the rounds. NumPy in
double precision judges: the loss and the sum of the absolute values of each gradient must agree to 1e-4.
"""

import argparse
import json
import math
import subprocess
import sys

import environment

# The largest relative difference of a loss, or of the sum of absolute values of a gradient.
TOLERANCE = 1e-4


class Case:
    """Its name, the sizes of its dimensions by name, the problem it is of, and the folder with its arrays."""

    def __init__(self, name, problem, **sizes):
        self.name, self.problem, self.sizes = name, problem, sizes
        self.folder = environment.DATA / name

    def about(self):
        return ", ".join(f"{name} = {size}" for name, size in self.sizes.items())

    def arrays(self):
        """The arrays by name, as they were written."""
        import numpy

        out = {}
        for name, shape in json.loads((self.folder / "shapes.json").read_text()).items():
            if len(shape) == 1 and (self.folder / f"{name}.u32").exists():
                out[name] = numpy.fromfile(self.folder / f"{name}.u32", numpy.uint32).astype(numpy.int64)
            else:
                out[name] = numpy.fromfile(self.folder / f"{name}.f32", numpy.float32).reshape(shape)
        return out

    def write(self, draw, judge):
        """Writes the arrays that `draw` makes of the sizes, and what `judge` finds of them in double precision."""
        import numpy

        arrays = draw(numpy.random.default_rng(1), **self.sizes)
        self.folder.mkdir(parents=True, exist_ok=True)
        shapes = {name: array.shape for name, array in arrays.items()}
        (self.folder / "shapes.json").write_text(json.dumps(shapes))
        for name, array in arrays.items():
            labels = array.dtype.kind in "iu"
            array.astype(numpy.uint32 if labels else numpy.float32).tofile(self.folder / f"{name}.{'u32' if labels else 'f32'}")
        judged = {"sizes": self.sizes, "checks": checks(judge(rounded(arrays)))}
        (self.folder / "judged.json").write_text(json.dumps(judged))

    def judged(self):
        """What the judge found; `None` where nothing was written for these sizes yet."""
        path = self.folder / "judged.json"
        judged = json.loads(path.read_text()) if path.exists() else {}
        return judged["checks"] if judged.get("sizes") == self.sizes else None


def away_from_kinks(random, X, values):
    """X with other rows where relu would get a number so near 0 that rounding decides on which side of the kink it is.

    There the derivatives of two libraries may differ and both be right. `values(X)` gives what relu gets, in the double
    precision of X, one array a layer.
    """
    import numpy

    X = X.astype(numpy.float32).astype(float)
    near = numpy.ones(len(X), bool)
    while near.any():
        near[near] = numpy.any([(numpy.abs(value) < 1e-5).any(axis=1) for value in values(X[near])], axis=0)
        fresh = random.standard_normal((near.sum(), X.shape[1]))
        X[near] = fresh.astype(numpy.float32).astype(float)
    return X


def rounded(arrays):
    """The arrays as single precision has them, in double precision; labels as they are."""
    import numpy

    return {name: a if a.dtype.kind == "i" else a.astype(numpy.float32).astype(float) for name, a in arrays.items()}


def checks(results):
    """The loss, and the sum of the absolute values of each gradient."""
    import numpy

    loss, *gradients = (numpy.asarray(result, dtype=numpy.float64) for result in results)
    return [float(loss), *(float(numpy.abs(gradient).sum()) for gradient in gradients)]


def differs(found, judged):
    """The largest relative difference; infinity where there is none to tell."""
    if len(found) != len(judged) or not all(math.isfinite(value) for value in found):
        return math.inf
    return max(abs(a - b) / max(abs(b), 1e-30) for a, b in zip(found, judged))


def perform(peers, cases, arguments):
    """In the environment, as one peer: a line of JSON for each case."""
    name, threads, seconds, *wanted = arguments
    for case in cases:
        if case.name in wanted:
            step, values = peers[name](case, case.arrays(), int(threads))
            found = environment.times(step, seconds=float(seconds), longest=60.0, least=5, most=100_000)
            line = {"case": case.name, "median_us": environment.middle(found), "best_us": min(found)}
            print(json.dumps(line | {"checks": checks(values(step()))}), flush=True)


def prepare(problem, cases, wanted):
    """In the environment: writes the arrays of the cases that have none yet."""
    for case in cases:
        if case.name in wanted and case.judged() is None:
            case.write(*problem(case))


def contest(script, cases, peers, problem, bench, rust=(), share=False):
    """The whole of a script: `peers` by their names in this language, `rust` those of the crate beside it.

    `problem(case)` gives how its arrays are drawn and the judge; `bench` names the bench of matgrad.
    """
    if sys.argv[1:2] == ["--perform"]:
        return perform(peers, cases, sys.argv[2:])
    if sys.argv[1:2] == ["--prepare"]:
        return prepare(problem, cases, sys.argv[2:])
    names = [case.name for case in cases]
    everybody = [*peers, *rust]
    many = lambda of: lambda text: [choice(of, word.strip()) for word in text.split(",")]
    about = sys.modules["__main__"].__doc__
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=many(names), default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--threads", type=many(["1", "2"]), default=["1", "2"], help="1, 2 or 1,2")
    parser.add_argument("--peers", type=many(everybody), default=everybody, help=f"of {', '.join(everybody)}")
    parser.add_argument("--rounds", type=int, default=3, help="how often each has its turn [3]")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a case is repeated in a turn [1]")
    parser.add_argument("--best", action="store_true", help="takes the best run, not the median: for a machine that others use")
    options = parser.parse_args()
    measure = "best_us" if options.best else "median_us"

    own = environment.python()
    subprocess.run([str(own), str(script), "--prepare", *options.sizes], check=True)
    chosen = [case for case in cases if case.name in options.sizes]
    sizes = [f"{case.name}={','.join(map(str, case.sizes.values()))}" for case in chosen]
    matgrad = environment.bench(bench)
    told = ["--json", "--data", environment.DATA, "--seconds", options.seconds, *options.sizes]
    commands = {"matgrad": lambda n: [matgrad, *told, "--threads", n]}
    left_out = {}
    for peer in options.peers:
        if peer in peers:
            commands[peer] = lambda n, peer=peer: [own, script, "--perform", peer, n, options.seconds, *options.sizes]
            continue
        try:
            program = crate()
            commands[peer] = lambda n, peer=peer: [program, peer, options.seconds, environment.DATA, *sizes]
        except (OSError, subprocess.CalledProcessError) as error:
            left_out[peer] = f"its crate does not build: {environment.why(error)}"
    times, shares = {}, {}
    for turn in range(options.rounds):
        for threads in options.threads:
            for peer, command in commands.items():
                if peer in left_out:
                    continue
                print(f"round {turn + 1} of {options.rounds}, threads {threads}: {peer}", file=sys.stderr)
                try:
                    printed = environment.run(command(threads), int(threads))
                    lines = [json.loads(line) for line in printed.splitlines()]
                    disagree(lines, chosen)
                except (OSError, subprocess.SubprocessError, ValueError) as error:
                    if peer == "matgrad":
                        raise
                    left_out[peer] = environment.why(error)
                    continue
                for line in lines:
                    key = (line["case"], threads)
                    times.setdefault(key, {}).setdefault(peer, []).append(line[measure])
                    if peer == "matgrad":
                        shares.setdefault(key, []).append(line["best_share" if options.best else "share"])
    left = [peer for peer in commands if peer not in left_out]
    present(left, chosen, options.threads, times, shares if share else None)
    for peer, why in left_out.items():
        print(f"\nLeft out: {peer} ({why}).")
    of = "the best run of each" if options.best else "the median of the runs of each"
    print(f"\n{environment.machine()} Median of {options.rounds} rounds, {of}.")


def choice(of, word):
    """The word, which must be one of a few."""
    if word not in of:
        raise argparse.ArgumentTypeError(f"`{word}` is none of {', '.join(of)}")
    return word


def crate():
    """Builds the crate with the peers in Rust; the path of its program."""
    target = environment.ROOT / "target" / "peers-rust"
    folder = environment.ROOT / "benches" / "peers" / "rust"
    subprocess.run(["cargo", "build", "--quiet", "--release", "--target-dir", str(target)], cwd=folder, check=True)
    return target / "release" / "peers"


def disagree(lines, cases):
    """Raises a ValueError where a result is lacking, or is not what the judge found."""
    judged = {case.name: case.judged() for case in cases}
    if sorted(line["case"] for line in lines) != sorted(judged):
        raise ValueError("it did not do all cases")
    for line in lines:
        far = differs(line["checks"], judged[line["case"]])
        if not far <= TOLERANCE:
            raise ValueError(f"on {line['case']} it differs from float64 by {far:.1e}")


def present(peers, cases, counts, times, shares):
    """Prints the table: the medians, the fastest peer by matgrad, and matgrad's share of the peak."""
    heading = ["", "threads", *peers, "fastest peer ÷ matgrad", *(["share of the peak"] if shares is not None else [])]
    rows = []
    for threads in counts:
        for case in cases:
            medians = {peer: environment.middle(list_) for peer, list_ in times[case.name, threads].items()}
            others = [medians[peer] for peer in peers if peer != "matgrad"]
            ahead = f"{min(others) / medians['matgrad']:.2f}" if others else ""
            row = [case.name, threads, *(environment.duration(medians[peer]) for peer in peers), ahead]
            if shares is not None:
                row.append(f"{100 * environment.middle(shares[case.name, threads]):.0f} %")
            rows.append(row)
    environment.table(heading, rows)

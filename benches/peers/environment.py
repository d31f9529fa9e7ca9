"""What the comparisons share: a virtual environment with the peers, processes with a number of threads, medians, tables.

The environment is made once, in target/peers. A process with N threads is pinned to N processors, so that no library can take
more than it was given, and runs without settings of the shell that would change how a library computes.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target" / "peers"
DATA = ROOT / "target" / "peers-data"
PACKAGES = ["numpy==2.4.6", "jax==0.10.2", "torch==2.15.0"]
# Settings that choose a library's kernels or threads.
SETTINGS = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS", "MATMUL_NUM_THREADS", "XLA_FLAGS", "JAX_ENABLE_X64",
)  # fmt: skip
# A process of a peer that takes longer has failed.
LONGEST = 3600


def python():
    """The environment's interpreter; the environment is made where it is not there. A package that cannot be had is named."""
    own = HOME / "bin" / "python"
    if not (HOME / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True)
        lacking = []
        for package in PACKAGES:
            done = subprocess.run([str(own), "-m", "pip", "install", "--quiet", package])
            lacking += [package] if done.returncode else []
        if lacking:
            print(f"could not be installed: {', '.join(lacking)}", file=sys.stderr)
        else:
            (HOME / "ready").write_text("\n".join(PACKAGES))
    return own


def bench(name):
    """Builds a bench of matgrad; the path of its program."""
    command = ["cargo", "bench", "--quiet", "--bench", name, "--no-run", "--message-format=json"]
    built = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = (json.loads(line) for line in built.stdout.splitlines() if line.startswith("{"))
    programs = [message["executable"] for message in messages if message.get("executable")]
    return programs[-1]


def run(command, threads, **options):
    """Runs a command with so many threads, on as many processors; its standard output. A failure is a CalledProcessError."""
    surroundings = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    counts = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "MATMUL_NUM_THREADS")
    surroundings |= {name: str(threads) for name in counts} | {"JAX_PLATFORMS": "cpu"}
    if threads == 1:
        surroundings["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if shutil.which("taskset"):
        # The last ones: interrupts go to the first more often.
        processors = sorted(os.sched_getaffinity(0))[-threads:]
        command = ["taskset", "-c", ",".join(map(str, processors)), *command]
    options = {"stdout": subprocess.PIPE, "text": True, "check": True, "timeout": LONGEST} | options
    done = subprocess.run(list(map(str, command)), env=surroundings, **options)
    return done.stdout


def why(error):
    """A reason why a peer is left out; what its process said stands on standard error."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"it failed with exit status {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took longer than {error.timeout:.0f} s"
    return str(error)


def median(run):
    """The median of as many runs as fit into a second, in microseconds."""
    return middle(times(run))


def times(run, seconds=1.0, longest=20.0, least=3, most=2000):
    """The times of as many runs as fit, in microseconds."""
    run()
    found, start = [], time.perf_counter()
    while len(found) < least or (time.perf_counter() - start < seconds and len(found) < most):
        before = time.perf_counter()
        run()
        found.append((time.perf_counter() - before) * 1e6)
        if time.perf_counter() - start > longest:
            break
    return found


def middle(values):
    """The median of a few values."""
    return sorted(values)[len(values) // 2]


def duration(microseconds):
    """A time as a table shows it."""
    if microseconds is None:
        return ""
    for unit, name in ((1e6, "s"), (1e3, "ms"), (1, "µs")):
        if microseconds >= 0.9995 * unit or unit == 1:
            count = microseconds / unit
            return f"{count:.3g} {name}" if count < 999.5 else f"{count:.0f} {name}"


def machine():
    """A line that names the machine and what else it does."""
    model = "processor of unknown make"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    day = time.strftime("%Y-%m-%d")
    return f"{len(os.sched_getaffinity(0))} processors of {model}; load {load} (1, 5, 15 minutes) at the end; {day}."


def table(heading, rows):
    """Prints a Markdown table: the first column to the left, the others to the right."""
    print("| " + " | ".join(heading) + " |")
    print("| " + " | ".join(["---"] + ["---:"] * (len(heading) - 1)) + " |")
    for row in rows:
        print("| " + " | ".join(row) + " |")

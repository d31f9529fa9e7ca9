"""`matgrad train` on its digits beside the same training written in PyTorch: time and accuracy, in turns.

    python3 benches/peers/train.py [--threads 2] [--rounds 3]

Same network, loss, optimiser, batches, epochs, validation after each epoch and choice of the best one: matgrad's defaults. The
numbers are drawn by each in its own way, with another seed in each round. Of matgrad the whole process is timed, with
derivation, check, training and test; beside it what it says of the training alone. Of PyTorch the training alone is timed, from
arrays in memory to the best parameters: neither the start of Python nor a data loader counts, nor a first batch to warm up.
Each trains in both precisions, and is compared within one.
"""

import argparse
import functools
import gzip
import json
import re
import subprocess
import sys
import time

import environment

HIDDEN, EPOCHS, BATCH, RATE, DECAY, MOMENTUM, WEIGHT, VALIDATION = 128, 30, 64, 0.2, 0.95, 0.9, 3e-4, 0.1
PIXELS = 64
# The precisions by PyTorch's name and by matgrad's.
PRECISIONS = {"float64": "f64", "float32": "f32"}


def digits(part):
    """Images N×64 and labels of the digits that matgrad carries."""
    import numpy

    raw = gzip.decompress((environment.ROOT / "data" / f"optdigits-{part}.bin.gz").read_bytes())
    rows = numpy.frombuffer(raw, numpy.uint8).reshape(-1, PIXELS + 1)
    return rows[:, :PIXELS].astype(numpy.float64), rows[:, PIXELS].astype(numpy.int64)


def torch_training(precision, threads, seed):
    """In the environment: trains once, prints seconds and accuracy as JSON."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch.set_default_dtype(getattr(torch, precision))
    functional = torch.nn.functional
    images, labels = (torch.from_numpy(array) for array in digits("train"))
    test, test_labels = (torch.from_numpy(array) for array in digits("test"))

    def trained(epochs):
        order = torch.randperm(len(images))
        kept = round(VALIDATION * len(images))
        mean, deviation = images[order[kept:]].mean(0), images[order[kept:]].std(0, correction=0).square().mean().sqrt()
        scaled = ((images - mean) / deviation).to(torch.get_default_dtype())
        X, Y, validation, right = scaled[order[kept:]], labels[order[kept:]], scaled[order[:kept]], labels[order[:kept]]
        network = torch.nn.Sequential(torch.nn.Linear(PIXELS, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10))
        weights = [network[0].weight, network[2].weight]
        biases = [network[0].bias, network[2].bias]
        with torch.no_grad():
            for weight, bias in zip(weights, biases):
                weight.normal_(0, (2 / weight.shape[1]) ** 0.5)
                bias.zero_()
        # lambda·‖W‖² as decay of the weights: the same step, in less time.
        groups = [{"params": weights, "weight_decay": 2 * WEIGHT}, {"params": biases}]
        optimiser = torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM, fused=True)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, DECAY)
        best, best_accuracy = None, -1.0
        for _ in range(epochs):
            total = torch.zeros(())
            for places in torch.randperm(len(X)).split(BATCH):
                optimiser.zero_grad()
                loss = functional.cross_entropy(network(X[places]), Y[places])
                loss.backward()
                optimiser.step()
                total += loss.detach() * len(places)
            schedule.step()
            with torch.inference_mode():
                accuracy = (network(validation).argmax(1) == right).double().mean().item()
            if accuracy >= best_accuracy:
                best_accuracy = accuracy
                best = {name: value.detach().clone() for name, value in network.state_dict().items()}
        network.load_state_dict(best)
        return network, mean, deviation

    trained(1)
    start = time.perf_counter()
    network, mean, deviation = trained(EPOCHS)
    seconds = time.perf_counter() - start
    with torch.inference_mode():
        scores = network(((test - mean) / deviation).to(torch.get_default_dtype()))
    print(json.dumps({"training": seconds, "accuracy": (scores.argmax(1) == test_labels).double().mean().item()}))


def torch_turn(command, threads, seed):
    """What PyTorch's process tells."""
    return json.loads(environment.run([*command, seed], threads))


def matgrad_training(program, precision, threads, seed):
    """Trains once: seconds of the process, of the training as it says, and the accuracy on the test digits."""
    start = time.perf_counter()
    command = [program, "train", "--precision", precision, "--threads", threads, "--seed", seed]
    told = environment.run(command, threads, stderr=subprocess.STDOUT)
    whole = time.perf_counter() - start
    speed = float(re.search(r"([0-9.]+) samples/s", told).group(1))
    count = int(re.search(r"training .* of ([0-9]+) samples", told).group(1))
    accuracy = float(re.search(r"test +accuracy +([0-9.]+) %", told).group(1)) / 100
    return {"whole": whole, "training": EPOCHS * count / speed, "accuracy": accuracy}


def main():
    if sys.argv[1:2] == ["--perform"]:
        precision, threads, seed = sys.argv[2:]
        return torch_training(precision, int(threads), int(seed))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads of each [2]")
    parser.add_argument("--rounds", type=int, default=3, help="how often each trains [3]")
    options = parser.parse_args()
    own = environment.python()
    subprocess.run(["cargo", "build", "--quiet", "--release"], cwd=environment.ROOT, check=True)
    program = environment.ROOT / "target" / "release" / "matgrad"
    performers = {
        f"matgrad, {precision}": functools.partial(matgrad_training, program, short, options.threads)
        for precision, short in PRECISIONS.items()
    }
    for precision in PRECISIONS:
        # For so small a network one thread may well be the faster.
        for threads in sorted({1, options.threads}):
            command = [own, __file__, "--perform", precision, threads]
            performers[f"PyTorch, {precision}, threads {threads}"] = functools.partial(torch_turn, command, threads)
    found, left_out = {name: [] for name in performers}, {}
    for turn in range(options.rounds):
        for name, perform in performers.items():
            if name in left_out:
                continue
            print(f"round {turn + 1} of {options.rounds}: {name}", file=sys.stderr)
            try:
                found[name].append(perform(turn))
            except (OSError, subprocess.SubprocessError, ValueError) as error:
                if name.startswith("matgrad"):
                    raise
                left_out[name] = environment.why(error)
    own_time = {
        precision: environment.middle([of["whole"] for of in found[f"matgrad, {precision}"]]) for precision in PRECISIONS
    }
    rows = []
    for name, all_ in found.items():
        if name in left_out:
            continue
        middle = lambda key: environment.middle([of[key] for of in all_]) if key in all_[0] else None
        seconds = lambda key: f"{middle(key):.2f} s" if middle(key) is not None else ""
        mean = sum(of["accuracy"] for of in all_) / len(all_)
        precision = name.split(", ")[1]
        ahead = "" if name.startswith("matgrad") else f"{middle('training') / own_time[precision]:.2f}"
        rows.append([name, seconds("whole"), seconds("training"), f"{100 * mean:.2f} %", ahead])
    environment.table(["", "whole process", "training", "accuracy, mean", "training ÷ matgrad's whole process"], rows)
    for name, why in left_out.items():
        print(f"\nLeft out: {name} ({why}).")
    print(f"\n{environment.machine()} Threads: {options.threads}. Rounds: {options.rounds}.")


if __name__ == "__main__":
    main()

"""Runs the programs that the test `emitted` wrote, in one target, and compares what they give with the reference.

Usage: run.py FOLDER TARGET [NAME...]

Each folder in FOLDER holds program.json (inputs, results) and a file for each target. The exit code is 1 where a result
differs by more than 1e-10 of the size of the numbers. How many programs ran is printed; none is left out silently.
"""

import importlib.util
import json
import pathlib
import shutil
import sys

import numpy as np

TOLERANCE = 1e-10


def array(entry):
    return np.array(entry["entries"], dtype=float).reshape(entry["shape"])


def load(path, name):
    copy = path.with_suffix(".py")
    shutil.copy(path, copy)
    spec = importlib.util.spec_from_file_location(name, copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def numpy_results(folder, manifest, target):
    module = load(folder / "numpy.txt", "emitted_numpy")
    arrays = [array(manifest["inputs"][own]) for own, _ in target["inputs"]]
    sizes = [manifest["sizes"][own] for own, _ in target["sizes"]]
    result = getattr(module, target["function"])(*arrays, *sizes)
    assert list(result._fields) == [name for name, _ in target["outputs"]], result._fields
    return [np.asarray(value) for value in result]


def torch_results(folder, manifest, target):
    import torch

    module = load(folder / "torch.txt", "emitted_torch")
    arrays = [torch.tensor(array(manifest["inputs"][own]), dtype=torch.float64) for own, _ in target["inputs"]]
    sizes = [manifest["sizes"][own] for own, _ in target["sizes"]]
    result = getattr(module, target["function"])(*arrays, *sizes)
    for name in dir(module):
        if name.startswith("autograd_"):
            backward(torch, module, name, result, arrays, sizes, target)
    return [value.detach().numpy() for value in result]


def backward(torch, module, name, result, arrays, sizes, target):
    """The function for autograd has the derived gradient."""
    of = name.removeprefix("autograd_")
    prefix = f"grad_{of}_"
    names = [taken for _, taken in target["inputs"]]
    wanted = [field for field in result._fields if field.startswith(prefix)]
    leaves = [a.clone() for a in arrays]
    own = {}
    for leaf, name_of, (original, _) in zip(leaves, names, target["inputs"]):
        field = prefix + original
        if field in wanted:
            leaf.requires_grad_()
            own[field] = leaf
    value = getattr(module, name)(*leaves, *sizes)
    assert torch.allclose(value, getattr(result, of), rtol=1e-12, atol=1e-12)
    value.backward(torch.tensor(2.0, dtype=torch.float64))
    for field, leaf in own.items():
        torch.testing.assert_close(leaf.grad, 2 * getattr(result, field).expand_as(leaf.grad), rtol=1e-10, atol=1e-10)


RUNNERS = {"numpy": numpy_results, "torch": torch_results}


def compare(name, got, expected):
    wanted = array(expected)
    assert got.shape == wanted.shape, f"{name} has shape {got.shape}, expected {wanted.shape}"
    size = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    error = float(np.max(np.abs(got - wanted), initial=0.0)) / size
    assert error <= TOLERANCE, f"{name} differs by {error:.1e}"


def main():
    root, target, *only = sys.argv[1:]
    ran, failed, compared = 0, [], 0
    for folder in sorted(pathlib.Path(root).iterdir()):
        if only and folder.name not in only:
            continue
        manifest = json.loads((folder / "program.json").read_text())
        try:
            results = RUNNERS[target](folder, manifest, manifest["targets"][target])
            for got, (name, expected) in zip(results, manifest["targets"][target]["outputs"], strict=True):
                if expected is None:
                    raise AssertionError(f"{name} has no reference")
                compare(name, got, expected)
                compared += 1
            ran += 1
        except Exception as error:  # every failure is told, whatever it is
            failed.append(f"{folder.name}: {type(error).__name__}: {error}")
            if only:
                raise
    print(f"{target}: {ran} programs ran, {compared} results agree to {TOLERANCE:g}, {len(failed)} programs failed")
    for line in failed:
        print("  " + line.replace("\n", "\n    "))
    sys.exit(1 if failed else 0)


main()

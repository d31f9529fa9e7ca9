"""Runs the programs that the test `emitted` wrote, in one target, and compares what they give with the reference.

Each folder in FOLDER holds program.json (inputs, results) and a file for each target. The exit code is 1 where a result
differs by more than 1e-10 of the size of the numbers, or where PyTorch's gradcheck or JAX's check_grads refuses a derived
gradient. How many programs ran is printed; none is left out silently. Julia itself is not here: its files are evaluated by
a reader of the subset, `julia.py`.
"""

import argparse
import concurrent.futures
import contextlib
import inspect
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import types
from functools import partial

import numpy as np

import julia
from load import load

TOLERANCE = 1e-10


def array(entry):
    return np.array(entry["entries"], dtype=float).reshape(entry["shape"])


def numpy_results(folder, manifest, target):
    module = load(folder / "numpy.txt", "emitted_numpy")
    arrays = [array(manifest["inputs"][own]) for own, _ in target["inputs"]]
    sizes = [manifest["sizes"][own] for own, _ in target["sizes"]]
    result = getattr(module, target["function"])(*arrays, *sizes)
    assert list(result._fields) == [name for name, _ in target["outputs"]], result._fields
    self_test(module, target)
    return [np.asarray(value) for value in result]


def torch_results(folder, manifest, target):
    import torch

    module = load(folder / "torch.txt", "emitted_torch")
    arrays = [torch.tensor(array(manifest["inputs"][own]), dtype=torch.float64) for own, _ in target["inputs"]]
    sizes = [manifest["sizes"][own] for own, _ in target["sizes"]]
    result = getattr(module, target["function"])(*arrays, *sizes)
    for name in dir(module):
        if name.startswith("autograd_"):
            backward(torch, module, name, result, arrays, sizes, target, free(manifest))
    self_test(module, target)
    return [value.detach().numpy() for value in result]


# Where entries hang together, as in a symmetric matrix, one alone has no difference to compare with.
STRUCTURED = re.compile(r":[^;\n]*\b(symmetric|skew|diagonal|posdef)\(|\bassume\b")


def free(manifest):
    """Whether the libraries' own checks, entry by entry, apply to a program."""
    return not STRUCTURED.search(manifest["program"])


def backward(torch, module, name, result, arrays, sizes, target, judged):
    """The function for autograd has the derived gradient; PyTorch's gradcheck says so too where it is asked."""
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
    if judged:
        assert torch.autograd.gradcheck(lambda *leaves: getattr(module, name)(*leaves, *sizes), leaves)
    for field, leaf in own.items():
        torch.testing.assert_close(leaf.grad, 2 * getattr(result, field).expand_as(leaf.grad), rtol=1e-10, atol=1e-10)


def at_places(function, arrays, sizes, places, *own):
    """The function with other arrays at some places."""
    arrays = list(arrays)
    for place, array in zip(places, own):
        arrays[place] = array
    return function(*arrays, *sizes)


def jax_results(folder, manifest, target):
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    # What is compiled once for each operation is used by all programs.
    module = load(folder / "jax.txt", "emitted_jax")
    arrays = [jax.numpy.asarray(array(manifest["inputs"][own])) for own, _ in target["inputs"]]
    sizes = [manifest["sizes"][own] for own, _ in target["sizes"]]
    result = getattr(module, target["function"])(*arrays, *sizes)
    for name in dir(module):
        if name.startswith("vjp_"):
            of = name.removeprefix("vjp_")
            wanted = {f: i for i, (own, _) in enumerate(target["inputs"]) if (f := f"grad_{of}_{own}") in result._fields}
            if not wanted:
                continue
            places = tuple(wanted.values())
            value, gradients = jax.value_and_grad(getattr(module, name), argnums=places)(*arrays, *sizes)
            np.testing.assert_allclose(value, getattr(result, of), rtol=1e-10, atol=1e-10)
            for field, gradient in zip(wanted, gradients):
                np.testing.assert_allclose(gradient, getattr(result, field), rtol=1e-9, atol=1e-9)
            if free(manifest):
                own = partial(at_places, getattr(module, name), arrays, sizes, places)
                # Central differences with JAX's own step, 1e-4, are wrong in the fifth digit of a steep pinv.
                check_grads(own, [arrays[i] for i in places], order=1, modes=["rev"], eps=1e-5)
    self_test(module, target)
    return [np.asarray(value) for value in result]


def spoiled(derivative):
    """A derivative that is wrong by a part in a thousand."""
    derivative = np.asarray(derivative)
    return derivative * 1.001 + 0.01 * np.random.default_rng(0).standard_normal(derivative.shape)


def self_test(module, target):
    """What the file does where it is run as a program; a wrong derivative is noticed."""
    if not target["tested"]:
        return
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        module._self_test()
    assert "with differences" in printed.getvalue(), printed.getvalue()
    if "numpy" not in module.__name__:
        return
    # The test notices any derivative that is wrong by a part in a thousand.
    right, name = getattr(module, target["function"]), target["function"]
    for field in right_fields(module):
        if f'"{field}",' not in inspect.getsource(module._self_test):
            continue

        def wrong(*given, field=field):
            result = right(*given)
            return result._replace(**{field: spoiled(getattr(result, field))})

        setattr(module, name, wrong)
        try:
            module._self_test()
        except AssertionError:
            continue
        raise RuntimeError(f"the self-test does not notice that {field} is wrong")


def right_fields(module):
    return module.Result._fields


def matlab_results(folder, manifest, target):
    """Octave runs the function; 17 digits of every result come back."""
    name = target["function"]
    shutil.copy(folder / "matlab.txt", folder / f"{name}.m")
    lines, arguments = [], []
    for i, (own, _) in enumerate(target["inputs"]):
        values = array(manifest["inputs"][own])
        kind = manifest["shapes"][own]
        lines.append(f"in{i} = reshape([{numbers(values.reshape(kind).ravel(order='F'))}], {kind[0]}, {kind[1]});")
        arguments.append(f"in{i}")
    arguments += [str(manifest["sizes"][own]) for own, _ in target["sizes"]]
    lines.append(f"r = {name}({', '.join(arguments)});")
    for field, expected in target["outputs"]:
        axes = len(expected["shape"])
        order = f"permute(r.{field}, {axes}:-1:1)" if axes > 2 else f"r.{field}.'"
        lines.append(f"x = {order}; printf('%.17g\\n', x(:));")
    if target["tested"]:
        # What it prints is no number.
        lines.append(f"assert(strfind(evalc('{name}()'), 'with differences') > 0);")
    return lines, target


def octave(jobs):
    """All programs in one process: each in a `try` of its own, in its own folder."""
    script = []
    for folder, lines in jobs:
        body = "\n".join(lines)
        script.append(f"cd {folder}; clear -all;\ntry\n{body}\ncatch err\nprintf('failed: %s\\n', strrep(err.message, char(10), ' '));\nend\nprintf('====\\n');")
    path = jobs[0][0].parent / "all.m"
    path.write_text("warning('off', 'all');\n" + "\n".join(script))
    return run(["octave-cli", "--no-gui", "--quiet", "--norc", str(path)]).split("====\n")


def stablehlo_results(folder, manifest, target):
    """XLA compiles the module for the processor of this machine and runs it."""
    if target is None:
        return None
    import jax
    from jax._src.lib import xla_client

    jax.config.update("jax_enable_x64", True)
    device = jax.devices("cpu")[0]
    text = (folder / "stablehlo.txt").read_text()
    devices = xla_client.DeviceList((device,))
    executable = compile_module(device.client, text, devices, xla_client.CompileOptions())
    arrays = [jax.device_put(array(manifest["inputs"][own]), device) for own, _ in target["inputs"]]
    results = executable.execute_sharded(arrays).disassemble_into_single_device_arrays()
    return [np.asarray(value[0]) for value in results]


def compile_module(backend, text, devices, options):
    from jax._src.interpreters import mlir
    from jax._src.lib.mlir import ir

    with mlir.make_ir_context():
        module = ir.Module.parse(text)
        return backend.compile_and_load(module, devices, options)


def numbers(values):
    return ", ".join(repr(float(x)) for x in values)


def c_results(folder, manifest, target):
    """A program around the header prints the results; it is compiled with every warning as an error."""
    header = folder / "emitted.h"
    shutil.copy(folder / "c.txt", header)
    name = target["function"]
    sizes = [str(manifest["sizes"][own]) for own, _ in target["sizes"]]
    lines, arguments = [], list(sizes)
    for i, (own, _) in enumerate(target["inputs"]):
        values = array(manifest["inputs"][own])
        if values.ndim == 0:
            arguments.append(repr(float(values)))
        else:
            lines.append(f"static const double in{i}[] = {{{numbers(values.ravel())}}};")
            arguments.append(f"in{i}")
    prints = []
    for i, (_, expected) in enumerate(target["outputs"]):
        count = len(expected["entries"])
        lines.append(f"static double out{i}[{count}];")
        arguments.append(f"out{i}")
        prints.append(f'for (size_t i = 0; i < {count}; ++i) printf("%.17g\\n", out{i}[i]);')
    text = "\n".join(
        ['#include "emitted.h"', "#include <stdio.h>", "#include <stdlib.h>", *lines, "int main(void) {"]
        + [f"double *room = calloc({name}_work({', '.join(sizes)}) + 1, sizeof(double));"]
        + [f"const int status = {name}({', '.join(arguments)}, room);"]
        + ['if (status) { fprintf(stderr, "status %d\\n", status); return 1; }', *prints]
        + ["free(room);", "return 0;", "}", ""]
    )
    (folder / "main.c").write_text(text)
    flags = ["-std=c99", "-O0", "-Wall", "-Wextra", "-Werror"]
    # The tools that watch every access make a program slow to build: they watch some of the table.
    if folder.name.startswith("table") and folder.name.endswith("3"):
        flags.append("-fsanitize=address,undefined")
    program = folder / "program_c"
    run(["gcc", *flags, str(folder / "main.c"), "-o", str(program), "-lopenblas", "-lm"])
    if target["tested"]:
        tested = folder / "tested_c"
        run(["gcc", *flags, f"-D{name.upper()}_TEST", "-x", "c", str(header), "-o", str(tested), "-lopenblas", "-lm"])
        assert "with differences" in run([str(tested)])
    printed = run([str(program)])
    for built in folder.glob("*_c"):
        built.unlink()
    return split(printed, target)


def rust_module(folder, manifest, target, number):
    """A program as a module of a batch, and the test that prints its results on lines that begin with its number."""
    name = target["function"]
    sizes = [str(manifest["sizes"][own]) for own, _ in target["sizes"]]
    lines, arguments, prints = [], list(sizes), []
    for i, (own, _) in enumerate(target["inputs"]):
        values = array(manifest["inputs"][own])
        if values.ndim == 0:
            arguments.append(f"{float(values)!r}_f64")
        else:
            lines.append(f"    let in{i} = [{numbers(values.ravel())}];")
            arguments.append(f"&in{i}")
    for i, (_, expected) in enumerate(target["outputs"]):
        if expected["shape"]:
            lines.append(f"    let mut out{i} = [0.0; {len(expected['entries'])}];")
            prints.append(f'    out{i}.iter().for_each(|x| println!("\\n@{number} {{x:?}}"));')
        else:
            lines.append(f"    let mut out{i} = 0.0;")
            prints.append(f'    println!("\\n@{number} {{out{i}:?}}");')
        arguments.append(f"&mut out{i}")
    lines.append(f"    let mut room = vec![0.0; p{number}::{name}_work({', '.join(sizes)})];")
    lines.append(f"    p{number}::{name}({', '.join(arguments)}, &mut room).unwrap();")
    return lines + prints


def ndarray_module(folder, manifest, target, number):
    """The same with arrays of ndarray; what is given lies column by column, as a transposed array does."""
    name = target["function"]
    lines, arguments, prints = [], [], []
    for i, (own, _) in enumerate(target["inputs"]):
        values = array(manifest["inputs"][own])
        if values.ndim == 0:
            arguments.append(f"{float(values)!r}_f64")
            continue
        lines.append(f"    let in{i} = [{numbers(values.T.ravel())}];")
        if values.ndim == 1:
            arguments.append(f"ndarray::ArrayView1::from(&in{i})")
        else:
            rows, columns = values.shape
            view = f"ndarray::ArrayView2::from_shape(({columns}, {rows}), &in{i}).unwrap()"
            arguments.append(f"{view}.reversed_axes()")
    arguments += [str(manifest["sizes"][own]) for own, _ in target["sizes"]]
    lines.append(f"    let out = p{number}::{name}({', '.join(arguments)}).unwrap();")
    for field, expected in target["outputs"]:
        field = field.removesuffix("_out")
        if expected["shape"]:
            lines.append(f"    assert_eq!(out.{field}.shape(), {expected['shape']});")
            prints.append(f'    out.{field}.iter().for_each(|x| println!("\\n@{number} {{x:?}}"));')
        else:
            prints.append(f'    println!("\\n@{number} {{:?}}", out.{field});')
    return lines + prints


def rust_batch(jobs, target_name):
    """Programs compiled together, with their self-tests: what each prints, or the error that each has."""
    module = {"rust": rust_module, "ndarray": ndarray_module}[target_name]
    flags = ["--edition", "2021", "-D", "warnings", "-C", "debuginfo=0", "-C", "opt-level=0", "--test"]
    if target_name == "ndarray":
        built = pathlib.Path("target/emitted-ndarray/debug/deps").resolve()
        flags += ["--extern", f"ndarray={next(built.glob('libndarray-*.rlib'))}", "-L", f"dependency={built}"]
    text = ["#![allow(unused_imports)]"]
    for number, (folder, manifest) in enumerate(jobs):
        shutil.copy(folder / f"{target_name}.txt", folder / f"emitted_{target_name}.rs")
        text.append(f'#[path = "{folder / f"emitted_{target_name}.rs"}"]\nmod p{number};')
        target = manifest["targets"][target_name]
        text += [f"#[test]\nfn values_{number}() {{", *module(folder, manifest, target, number), "}"]
    source = jobs[0][0] / f"batch_{target_name}.rs"
    source.write_text("\n".join(text) + "\n")
    program = source.with_suffix("")
    try:
        run(["rustc", *flags, str(source), "-o", str(program)])
    except RuntimeError as error:
        if len(jobs) == 1:
            return [error]
        return [result for job in jobs for result in rust_batch([job], target_name)]
    done = subprocess.run([str(program), "--nocapture", "--test-threads=1"], capture_output=True, text=True)
    results = []
    for number, (folder, manifest) in enumerate(jobs):
        target = manifest["targets"][target_name]
        mine = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(f"@{number} ")]
        name = f"p{number}::tests::derivatives_agree_with_differences"
        # What a test prints stands between its name and its verdict; those that failed are listed at the end.
        tested = f"test {name} ..." in done.stdout and f"    {name}" not in done.stdout.split("\nfailures:\n")[-1]
        if target["tested"] and not tested:
            results.append(RuntimeError(f"the self-test failed: {done.stderr[-1500:]}"))
        elif f"test values_{number} ..." not in done.stdout:
            results.append(RuntimeError(f"no results: {done.stderr[-1500:]}"))
        else:
            results.append("\n".join(mine))
    program.unlink()
    return results


def typst_results(folder, manifest, target):
    """Typst compiles the document; there are no numbers to compare."""
    import typst

    source = folder / "program.typ"
    shutil.copy(folder / "typst.txt", source)
    assert typst.compile(str(source)).startswith(b"%PDF")
    return None


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout)[:1500])
    return done.stdout


def split(printed, target):
    """The numbers that a program printed, one on a line, as the results."""
    if "failed:" in printed:
        raise RuntimeError(printed)
    values = [float(x) for x in printed.split()]
    out = []
    for _, expected in target["outputs"]:
        count = len(expected["entries"])
        out.append(np.array(values[:count]).reshape(expected["shape"]))
        del values[:count]
    assert not values, "more numbers than results"
    return out


def latex_results(folder, manifest, target):
    """pdflatex sets the document."""
    shutil.copy(folder / "latex.txt", folder / "program.tex")
    run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "program.tex"], cwd=folder)
    return None


def julia_results(folder, manifest, target):
    """A reader of the part of Julia that is emitted evaluates the file, its rules and its self-test; Julia is not here."""
    module = julia.load(folder / "julia.txt")
    arrays = [julia.tidy(array(manifest["inputs"][own])) for own, _ in target["inputs"]]
    sizes = [manifest["sizes"][own] for own, _ in target["sizes"]]
    result = vars(module.call(target["function"], *arrays, *sizes))
    assert list(result) == [name for name, _ in target["outputs"]], list(result)
    for name in module.functions:
        if name.startswith("value_"):
            reverse_rule(module, name, result, arrays, sizes, target)
    if target["tested"]:
        # A file that is run as a program tests itself.
        assert any("with differences" in line for line in module.printed), module.printed
        notices(module, target["function"], result)
    return [np.asarray(value) for value in result.values()]


def notices(module, name, result):
    """The self-test refuses any derivative that is wrong by a part in a thousand."""
    right = module.known[name]
    for field in result:
        if f'_agree("{field}",' not in module.source:
            continue

        def wrong(*given, field=field):
            own = vars(right(*given))
            return types.SimpleNamespace(**{**own, field: julia.tidy(spoiled(own[field]))})

        module.known[name] = wrong
        try:
            module.call("_self_test")
        except julia.JuliaError:
            continue
        finally:
            module.known[name] = right
        raise RuntimeError(f"the self-test does not notice that {field} is wrong")


def reverse_rule(module, name, result, arrays, sizes, target):
    """A rule of ChainRulesCore gives the value and the derived gradients, times what comes in."""
    of = name.removeprefix("value_")
    value, pullback = module.call("ChainRulesCore.rrule", module.functions[name], *arrays, *sizes)
    np.testing.assert_allclose([value, module.call(name, *arrays, *sizes)], result[of], rtol=1e-12, atol=1e-12)
    wanted = [result.get(f"grad_{of}_{own}") for own, _ in target["inputs"]]
    of_function, *gradients = pullback(2.0)
    assert of_function is julia.NO_TANGENT
    for gradient, own in zip(gradients, wanted + [julia.NO_TANGENT] * len(sizes), strict=True):
        if own is None or own is julia.NO_TANGENT:
            assert gradient is (own or julia.NOT_IMPLEMENTED)
        else:
            np.testing.assert_allclose(gradient, 2 * np.asarray(own), rtol=1e-10, atol=1e-10)


RUNNERS = {
    "numpy": numpy_results,
    "torch": torch_results,
    "jax": jax_results,
    "matlab": matlab_results,
    "stablehlo": stablehlo_results,
    "c": c_results,
    "typst": typst_results,
    "latex": latex_results,
    "julia": julia_results,
}
# What is done where nothing is run.
DONE = {"typst": "compiled", "latex": "were set", "julia": "were evaluated by a reader of the subset (Julia itself is not here)"}
# Programs of Rust are compiled so many at a time.
BATCH = 24


def compare(name, got, expected):
    wanted = array(expected)
    assert got.shape == wanted.shape, f"{name} has shape {got.shape}, expected {wanted.shape}"
    size = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    error = float(np.max(np.abs(got - wanted), initial=0.0)) / size
    assert error <= TOLERANCE, f"{name} differs by {error:.1e}"


def evenly(folders, most):
    """At most so many of them, at equal distances, and always those with a name of their own."""
    if most is None or most >= len(folders):
        return folders
    return [folders[i * len(folders) // most] for i in range(most)]


def start(target, jobs):
    """For each program a function that waits for its results: arrays, what was printed, or nothing to compare."""
    if target in ("rust", "ndarray"):
        pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        batches = [jobs[i : i + BATCH] for i in range(0, len(jobs), BATCH)]
        waiting = [pool.submit(rust_batch, batch, target) for batch in batches]

        def result(i):
            printed = waiting[i // BATCH].result()[i % BATCH]
            if isinstance(printed, Exception):
                raise printed
            return split(printed, jobs[i][1]["targets"][target])

        return result
    if target == "matlab":
        asked = [matlab_results(f, m, m["targets"][target]) for f, m in jobs]
        printed = octave([(f, lines) for (f, _), (lines, _) in zip(jobs, asked)])
        return lambda i: split(printed[i], asked[i][1])
    # Compilers run beside each other; Python's own programs would wait for each other.
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() if target in ("c", "latex") else 1)
    waiting = [pool.submit(RUNNERS[target], f, m, m["targets"][target]) for f, m in jobs]
    return lambda i: waiting[i].result()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("target")
    arguments.add_argument("names", nargs="*", help="these programs only")
    arguments.add_argument("--most", type=int, help="run at most so many of the programs, evenly over the table")
    asked = arguments.parse_args()
    began = time.monotonic()
    everything = [f for f in sorted(asked.folder.resolve().iterdir()) if f.is_dir()]
    folders = [f for f in evenly(everything, asked.most) if not asked.names or f.name in asked.names]
    jobs, refused = [], 0
    for folder in folders:
        manifest = json.loads((folder / "program.json").read_text())
        if manifest["targets"].get(asked.target) is None:
            refused += 1
        else:
            jobs.append((folder, manifest))
    results = start(asked.target, jobs)
    ran, compared, tested, failed = 0, 0, 0, []
    for i, (folder, manifest) in enumerate(jobs):
        target = manifest["targets"][asked.target]
        try:
            arrays = results(i)
            if arrays is not None:
                for got, (name, expected) in zip(arrays, target["outputs"], strict=True):
                    if expected is None:
                        raise AssertionError(f"{name} has no reference")
                    compare(name, got, expected)
                    compared += 1
            ran += 1
            tested += target["tested"]
        except Exception as error:  # every failure is told, whatever it is
            failed.append(f"{folder.name}: {type(error).__name__}: {error}")
            if asked.names:
                raise
    of = f" of {len(everything)}" if len(folders) == len(everything) else f", evenly taken from {len(everything)},"
    print(
        f"{asked.target}: {ran}{of} programs {DONE.get(asked.target, 'ran')}, {compared} results agree to {TOLERANCE:g}, "
        f"{tested} self-tests passed, "
        f"{len(failed)} programs failed, {refused} refused, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for line in failed:
        print("  " + line[:400].replace("\n", "\n    "))
    sys.exit(1 if failed else 0)


main()

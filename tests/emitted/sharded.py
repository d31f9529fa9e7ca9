"""The two-layer network in StableHLO with its samples spread over four simulated devices, against NumPy.

Usage: sharded.py NETWORK.mlir NETWORK.txt, emitted for N=8, D=4, H=6, C=3 with --shard N=4, and for NumPy.
"""

import os
import pathlib
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import jax
import numpy as np
from jax._src.interpreters import mlir
from jax._src.lib import xla_client
from jax._src.lib.mlir import ir
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from load import load


def compiled(path, devices):
    options = xla_client.CompileOptions()
    options.num_partitions = options.executable_build_options.num_partitions = len(devices)
    options.executable_build_options.use_spmd_partitioning = True
    options.device_assignment = xla_client.DeviceAssignment.create(np.arange(len(devices)).reshape(1, -1))
    with mlir.make_ir_context():
        module = ir.Module.parse(pathlib.Path(path).read_text())
        return devices[0].client.compile_and_load(module, xla_client.DeviceList(tuple(devices)), options)


def main():
    jax.config.update("jax_enable_x64", True)
    devices = jax.devices("cpu")
    assert len(devices) == 4
    executable = compiled(sys.argv[1], devices)
    random = np.random.default_rng(0)
    n, d, h, c = 8, 4, 6, 3
    shapes = [(d, h), (h,), (h, c), (c,)]
    given = [random.standard_normal((n, d)), np.eye(c)[random.integers(0, c, n)]]
    given += [random.standard_normal(shape) for shape in shapes] + [np.float64(0.1)]
    mesh = Mesh(np.array(devices), ("N",))
    specs = [PartitionSpec("N")] * 2 + [PartitionSpec()] * 5
    arrays = [jax.device_put(x, NamedSharding(mesh, spec)) for x, spec in zip(given, specs)]
    results = executable.execute_sharded(arrays).disassemble_into_single_device_arrays()
    expected = load(pathlib.Path(sys.argv[2]), "emitted_numpy").network(*given)
    for copies, value in zip(results, expected, strict=True):
        for copy in copies:
            np.testing.assert_allclose(np.asarray(copy), value, rtol=1e-10, atol=1e-12)
    assert "all-reduce" in executable.hlo_modules()[0].to_string(), "nothing was summed over the devices"
    print("stablehlo: four devices agree with one")


main()

"""The derived gradients as PyTorch and JAX see them: gradcheck and check_grads on the two-layer network, a batch, compilation.

Usage: derivatives.py FOLDER, the folder of the two-layer network's emitted programs.
"""

import pathlib
import sys

from jax import config, numpy as jnp, random, vmap, jit
from jax.test_util import check_grads
import torch

from load import load


def torch_side(module):
    torch.manual_seed(0)
    real = {"dtype": torch.float64}
    n, d, h, c = 5, 4, 6, 3
    labels = torch.eye(c, **real)[torch.randint(0, c, (n,))]
    weights = [torch.randn(*size, **real) for size in [(d, h), (h,), (h, c), (c,)]]
    given = [torch.randn(n, d, **real), labels, *weights, torch.tensor(0.1, **real)]
    leaves = [a.clone().requires_grad_(2 <= i < 6) for i, a in enumerate(given)]
    assert torch.autograd.gradcheck(module.autograd_L, leaves)
    many = torch.stack([weights[0], 2 * weights[0]])
    batch = torch.vmap(module.program, in_dims=(None, None, 0, None, None, None, None))(*given[:2], many, *given[3:])
    one = module.program(*given[:2], many[1], *given[3:])
    torch.testing.assert_close(batch.grad_L_W1[1], one.grad_L_W1)
    compiled = torch.compile(module.autograd_L, fullgraph=True, backend="aot_eager")
    compiled(*leaves).backward()
    torch.testing.assert_close(leaves[2].grad, module.program(*given).grad_L_W1)
    given[0].requires_grad_()
    try:
        module.autograd_L(*given).backward()
    except NotImplementedError:
        return
    raise AssertionError("a gradient that was not derived is no error")


def jax_side(module):
    config.update("jax_enable_x64", True)
    keys = random.split(random.PRNGKey(0), 5)
    x, w1, b1, w2, b2 = [random.normal(k, s) for k, s in zip(keys, [(5, 4), (4, 6), (6,), (6, 3), (3,)])]
    labels = jnp.eye(3)[jnp.array([0, 2, 1, 1, 0])]
    check_grads(lambda *w: module.vjp_L(x, labels, *w, 0.1), (w1, b1, w2, b2), order=1, modes=["rev"])
    batch = jit(vmap(module.program, in_axes=(None, None, 0, None, None, None, None)))
    out = batch(x, labels, jnp.stack([w1, 2 * w1]), b1, w2, b2, 0.1)
    one = module.program(x, labels, 2 * w1, b1, w2, b2, 0.1)
    assert jnp.allclose(out.grad_L_W1[1], one.grad_L_W1, rtol=1e-12)


def main():
    folder = pathlib.Path(sys.argv[1])
    torch_side(load(folder / "torch.txt", "emitted_torch"))
    print("torch: gradcheck, vmap and compile agree")
    jax_side(load(folder / "jax.txt", "emitted_jax"))
    print("jax: check_grads, vmap and jit agree")


main()

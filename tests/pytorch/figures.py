"""Loss, gradients and steps of the two-layer network by PyTorch, in 64-bit floats, for `tests/pytorch.rs`.

Run with torch installed: `python3 figures.py > figures.json`. The numbers that go in are formulas, the same here and in the
test. Made with torch 2.15 on a CPU.
"""

import json

import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)
N, D, H, C, LAMBDA = 7, 5, 6, 4, 0.05
LABELS = [2, 0, 3, 1, 1, 0, 2]
ACTIVATIONS = {
    "relu": functional.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "atan": torch.atan,
    "erf": torch.erf,
    "sin": torch.sin,
    "identity": lambda x: x,
}


def numbers(rows, columns, step, scale):
    """Entry (i, j), counted along the rows, is scale * ((step * k) mod 17 - 8) / 8."""
    entries = [scale * ((step * k) % 17 - 8) / 8 for k in range(rows * columns)]
    return torch.tensor(entries).reshape(rows, columns)


def parameters():
    made = [numbers(D, H, 5, 0.7), numbers(1, H, 7, 0.2), numbers(H, C, 3, 0.9), numbers(1, C, 11, 0.3)]
    return [p.clone().requires_grad_() for p in made]


def loss(parameters, activation):
    w1, b1, w2, b2 = parameters
    features = numbers(N, D, 6, 1.5)
    scores = activation(features @ w1 + b1) @ w2 + b2
    return functional.cross_entropy(scores, torch.tensor(LABELS)) + LAMBDA * (w1.square().sum() + w2.square().sum())


def flat(tensors):
    return [t.detach().flatten().tolist() for t in tensors]


def called(activation):
    made = parameters()
    value = loss(made, activation)
    value.backward()
    return {"loss": value.item(), "gradients": flat([p.grad for p in made])}


def trained(optimiser, steps):
    made = parameters()
    rule = optimiser(made)
    losses = []
    for _ in range(steps):
        rule.zero_grad()
        value = loss(made, functional.relu)
        value.backward()
        rule.step()
        losses.append(value.item())
    return {"losses": losses, "parameters": flat(made)}


print(
    json.dumps(
        {
            "activations": {name: called(activation) for name, activation in ACTIVATIONS.items()},
            "sgd": trained(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 6),
            "adam": trained(lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1), 6),
        },
        indent=1,
    )
)

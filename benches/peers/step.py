"""One step of a two-layer network beside NumPy, PyTorch, JAX, ndarray and candle: the loss and all four gradients, in f32.

    python3 benches/peers/step.py [--sizes tiny,mnist] [--threads 1] [--peers jax,ndarray-hand] [--rounds 3] [--seconds 1]

`hand` is a gradient written by hand, as good as the library can; the others find it themselves. All take labels, not a one-hot
matrix, and the same arrays. Compilation is not counted, nor is the derivation by matgrad.
"""

from contest import Case, away_from_kinks, contest, rounded

CASES = [
    Case(name, "two-layer network", N=n, D=d, H=h, C=c)
    for name, n, d, h, c in (
        ("tiny", 64, 64, 128, 10),
        ("digits", 128, 64, 256, 10),
        ("mnist", 128, 784, 512, 10),
        ("cifar", 200, 3072, 1024, 10),
        ("wide", 1024, 1024, 4096, 1000),
        ("big", 2048, 2048, 4096, 1000),
    )
]
PARAMETERS = ("W1", "b1", "W2", "b2")
# Also told to the crate in Rust, which reads no file for it.
REGULARISATION = 1e-3


def draw(random, N, D, H, C):
    """Arrays as a training has them in the middle: scores of moderate size, half of the hidden units at 0."""
    import numpy

    arrays = {
        "W1": random.standard_normal((D, H)) / D**0.5,
        "b1": 0.1 * random.standard_normal((1, H)),
        "W2": random.standard_normal((H, C)) / H**0.5,
        "b2": 0.1 * random.standard_normal((1, C)),
        "Y": random.integers(0, C, N),
        "lambda": numpy.full((1, 1), REGULARISATION),
    }
    W1, b1 = (rounded(arrays)[name] for name in ("W1", "b1"))
    X = away_from_kinks(random, random.standard_normal((N, D)), lambda X: [X @ W1 + b1])
    return arrays | {"X": X}


def judge(arrays):
    """The loss and the gradients, plainly, in the precision of the arrays."""
    import numpy

    X, W1, b1, W2, b2, Y = (arrays[name] for name in ("X", "W1", "b1", "W2", "b2", "Y"))
    weight, N, rows = arrays["lambda"].item(), len(X), numpy.arange(len(X))
    H1 = numpy.maximum(X @ W1 + b1, 0)
    Z2 = H1 @ W2 + b2
    scores = Z2 - Z2.max(axis=1, keepdims=True)
    logarithm = scores - numpy.log(numpy.exp(scores).sum(axis=1, keepdims=True))
    loss = -logarithm[rows, Y].mean() + weight * ((W1**2).sum() + (W2**2).sum())
    dZ2 = numpy.exp(logarithm)
    dZ2[rows, Y] -= 1
    dZ2 /= N
    dZ1 = (dZ2 @ W2.T) * (H1 > 0)
    return loss, X.T @ dZ1 + 2 * weight * W1, dZ1.sum(axis=0), H1.T @ dZ2 + 2 * weight * W2, dZ2.sum(axis=0)


def numpy_hand(case, arrays, threads):
    """Everything in place."""
    import numpy

    X, W1, b1, W2, b2, Y = (arrays[name] for name in ("X", "W1", "b1", "W2", "b2", "Y"))
    N, D, H, C = case.sizes.values()
    single = numpy.float32
    weight, twice, part = single(REGULARISATION), single(2 * REGULARISATION), single(1 / N)
    H1, dZ1, Z2, dW1, dW2 = (numpy.empty(shape, single) for shape in ((N, H), (N, H), (N, C), (D, H), (H, C)))
    other1, other2 = numpy.empty_like(W1), numpy.empty_like(W2)
    sums, largest = numpy.empty((N, 1), single), numpy.empty((N, 1), single)
    db1, db2, active = numpy.empty(H, single), numpy.empty(C, single), numpy.empty((N, H), bool)
    flat, places, ones = Z2.reshape(-1), numpy.arange(N) * C + Y, numpy.ones(N, single)
    flat1, flat2 = W1.reshape(-1), W2.reshape(-1)

    def step():
        numpy.dot(X, W1, out=H1)
        numpy.add(H1, b1, out=H1)
        numpy.maximum(H1, 0, out=H1)
        numpy.dot(H1, W2, out=Z2)
        numpy.add(Z2, b2, out=Z2)
        numpy.maximum.reduce(Z2, axis=1, keepdims=True, out=largest)
        numpy.subtract(Z2, largest, out=Z2)
        loss = -flat[places].sum()
        numpy.exp(Z2, out=Z2)
        numpy.add.reduce(Z2, axis=1, keepdims=True, out=sums)
        loss = (loss + numpy.log(sums).sum()) / N + weight * (flat1.dot(flat1) + flat2.dot(flat2))
        numpy.multiply(sums, N, out=sums)
        numpy.divide(Z2, sums, out=Z2)
        flat[places] -= part
        numpy.dot(H1.T, Z2, out=dW2)
        numpy.multiply(W2, twice, out=other2)
        numpy.add(dW2, other2, out=dW2)
        numpy.dot(ones, Z2, out=db2)
        numpy.dot(Z2, W2.T, out=dZ1)
        numpy.greater(H1, 0, out=active)
        numpy.multiply(dZ1, active, out=dZ1)
        numpy.dot(X.T, dZ1, out=dW1)
        numpy.multiply(W1, twice, out=other1)
        numpy.add(dW1, other1, out=dW1)
        numpy.dot(ones, dZ1, out=db1)
        return loss, dW1, db1, dW2, db2

    return step, lambda results: results


def torch_with(threads):
    """PyTorch with so many threads."""
    import torch

    torch.set_num_threads(threads)
    return torch


def torch_hand(case, arrays, threads):
    """Everything in place, products with what is added to them in one call, nothing recorded."""
    torch = torch_with(threads)
    X, W1, b1, W2, b2, Y = (torch.from_numpy(arrays[name]) for name in ("X", "W1", "b1", "W2", "b2", "Y"))
    N, D, H, C = case.sizes.values()
    H1, dZ1, Z2, dZ2 = torch.empty(N, H), torch.empty(N, H), torch.empty(N, C), torch.empty(N, C)
    dW1, db1, dW2, db2 = torch.empty(D, H), torch.empty(H), torch.empty(H, C), torch.empty(C)
    column, minus, ones = Y[:, None], torch.full((N, 1), -1.0), torch.ones(N)
    flat1, flat2, row1, row2 = W1.view(-1), W2.view(-1), b1.view(-1), b2.view(-1)
    behind_relu = torch.ops.aten.threshold_backward.grad_input

    @torch.inference_mode()
    def step():
        torch.addmm(row1, X, W1, out=H1)
        H1.relu_()
        torch.addmm(row2, H1, W2, out=Z2)
        torch.log_softmax(Z2, 1, out=dZ2)
        squares = torch.dot(flat1, flat1) + torch.dot(flat2, flat2)
        loss = dZ2.gather(1, column).sum() / -N + REGULARISATION * squares
        dZ2.exp_().scatter_add_(1, column, minus).div_(N)
        torch.addmm(W2, H1.t(), dZ2, beta=2 * REGULARISATION, out=dW2)
        torch.mv(dZ2.t(), ones, out=db2)
        torch.mm(dZ2, W2.t(), out=dZ1)
        behind_relu(dZ1, H1, 0, grad_input=dZ1)
        torch.addmm(W1, X.t(), dZ1, beta=2 * REGULARISATION, out=dW1)
        torch.mv(dZ1.t(), ones, out=db1)
        return loss, dW1, db1, dW2, db2

    return step, lambda results: [result.numpy() for result in results]


def torch_autograd(case, arrays, threads):
    torch = torch_with(threads)
    X, Y = torch.from_numpy(arrays["X"]), torch.from_numpy(arrays["Y"])
    W1, b1, W2, b2 = parameters = [torch.from_numpy(arrays[name]).requires_grad_() for name in PARAMETERS]
    functional = torch.nn.functional

    def step():
        scores = torch.relu(X @ W1 + b1) @ W2 + b2
        loss = functional.cross_entropy(scores, Y) + REGULARISATION * (W1.square().sum() + W2.square().sum())
        return loss, *torch.autograd.grad(loss, parameters)

    return step, lambda results: [result.detach().numpy() for result in results]


def jax_arrays(arrays):
    import jax

    labels = lambda array: array.astype("int32") if array.dtype.kind == "i" else array
    return jax, jax.numpy, {name: jax.numpy.asarray(labels(array)) for name, array in arrays.items()}


def jax_hand(case, arrays, threads):
    jax, jnp, given = jax_arrays(arrays)
    weight = REGULARISATION

    @jax.jit
    def gradients(X, Y, W1, b1, W2, b2):
        N, C = X.shape[0], W2.shape[1]
        H1 = jnp.maximum(X @ W1 + b1, 0)
        logarithm = jax.nn.log_softmax(H1 @ W2 + b2)
        right = jax.nn.one_hot(Y, C)
        loss = -(logarithm * right).sum() / N + weight * ((W1 * W1).sum() + (W2 * W2).sum())
        dZ2 = (jnp.exp(logarithm) - right) / N
        dZ1 = jnp.where(H1 > 0, dZ2 @ W2.T, 0)
        return loss, X.T @ dZ1 + 2 * weight * W1, dZ1.sum(0), H1.T @ dZ2 + 2 * weight * W2, dZ2.sum(0)

    all_ = [given[name] for name in ("X", "Y", *PARAMETERS)]
    return lambda: jax.block_until_ready(gradients(*all_)), lambda results: results


def jax_grad(case, arrays, threads):
    jax, jnp, given = jax_arrays(arrays)

    def loss(parameters, X, Y):
        W1, b1, W2, b2 = parameters
        logarithm = jax.nn.log_softmax(jax.nn.relu(X @ W1 + b1) @ W2 + b2)
        likelihood = jnp.take_along_axis(logarithm, Y[:, None], axis=1).mean()
        return -likelihood + REGULARISATION * ((W1 * W1).sum() + (W2 * W2).sum())

    derivative = jax.jit(jax.value_and_grad(loss))
    parameters = tuple(given[name] for name in PARAMETERS)
    step = lambda: jax.block_until_ready(derivative(parameters, given["X"], given["Y"]))
    return step, lambda results: (results[0], *results[1])


PEERS = {
    "numpy-hand": numpy_hand,
    "torch-hand": torch_hand,
    "torch-autograd": torch_autograd,
    "jax-hand": jax_hand,
    "jax-grad": jax_grad,
}

if __name__ == "__main__":
    contest(__file__, CASES, PEERS, lambda case: (draw, judge), "step", rust=("ndarray-hand", "candle-hand"), share=True)

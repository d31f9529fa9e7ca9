"""Programs that no kernel anticipated, beside JAX and PyTorch: the loss and all gradients, in f32.

    python3 benches/peers/others.py [--sizes factorisation-large] [--threads 1] [--peers jax-grad] [--rounds 3] [--seconds 1]

A network of ten layers (20 gradients), logistic regression, matrix factorisation with missing entries, a Gaussian
likelihood. The peers find the gradients themselves; `torch-compile` also compiles what it found. Compilation is not counted, nor is the derivation by matgrad.
"""

from contest import Case, away_from_kinks, contest, rounded
from step import jax_arrays, torch_with

CASES = [
    Case("ten-layers-small", "ten layers", N=64, D=64, H=64, C=10),
    Case("ten-layers-large", "ten layers", N=256, D=784, H=512, C=10),
    Case("logistic-regression-small", "logistic regression", m=1000, n=50),
    Case("logistic-regression-large", "logistic regression", m=20_000, n=500),
    Case("factorisation-small", "factorisation", m=200, n=150, k=5),
    Case("factorisation-large", "factorisation", m=2000, n=1500, k=20),
    Case("gaussian-small", "gaussian", n=100, d=10),
    Case("gaussian-large", "gaussian", n=1000, d=50),
]
LAYERS = 10


def named(letter):
    return [f"{letter}{layer}" for layer in range(1, LAYERS + 1)]


def draw_layers(random, N, D, H, C):
    import numpy

    widths = [D] + (LAYERS - 1) * [H] + [C]
    arrays = {"Y": random.integers(0, C, N)}
    for W, b, before, after in zip(named("W"), named("b"), widths, widths[1:]):
        arrays[W] = random.standard_normal((before, after)) * (2 / before) ** 0.5
        arrays[b] = 0.1 * random.standard_normal((1, after))
    exact = rounded(arrays)

    def values(X):
        given = []
        for W, b in zip(named("W")[:-1], named("b")):
            given.append(X @ exact[W] + exact[b])
            X = numpy.maximum(given[-1], 0)
        return given

    return arrays | {"X": away_from_kinks(random, random.standard_normal((N, D)), values)}


def judge_layers(arrays):
    import numpy

    rows, labels = numpy.arange(len(arrays["X"])), arrays["Y"]
    values = [arrays["X"]]
    for W, b in zip(named("W"), named("b")):
        values.append(values[-1] @ arrays[W] + arrays[b])
        if W != f"W{LAYERS}":
            values[-1] = numpy.maximum(values[-1], 0)
    scores = values.pop()
    scores = scores - scores.max(axis=1, keepdims=True)
    logarithm = scores - numpy.log(numpy.exp(scores).sum(axis=1, keepdims=True))
    back = numpy.exp(logarithm)
    back[rows, labels] -= 1
    back /= len(rows)
    gradients = []
    for W in reversed(named("W")):
        value = values.pop()
        gradients = [value.T @ back, back.sum(axis=0), *gradients]
        back = (back @ arrays[W].T) * (value > 0)
    return -logarithm[rows, labels].mean(), *gradients


def draw_logistic(random, m, n):
    import numpy

    X = random.standard_normal((m, n))
    return {
        "X": X,
        "y": (X @ random.standard_normal((n, 1)) + random.standard_normal((m, 1)) > 0).astype(float),
        "w": random.standard_normal((n, 1)) / n**0.5,
        "b": numpy.full((1, 1), 0.25),
        "lambda": numpy.full((1, 1), 0.01),
    }


def judge_logistic(arrays):
    import numpy

    X, y, w, b, weight = (arrays[name] for name in ("X", "y", "w", "b", "lambda"))
    z = X @ w + b
    loss = (numpy.logaddexp(z, 0) - y * z).mean() + 0.5 * weight.item() * (w**2).sum()
    dz = (1 / (1 + numpy.exp(-z)) - y) / len(X)
    return loss, X.T @ dz + weight * w, dz.sum()


def draw_factorisation(random, m, n, k):
    import numpy

    U, V = random.standard_normal((m, k)), random.standard_normal((n, k))
    return {
        "Y": U @ V.T + 0.1 * random.standard_normal((m, n)),
        "M": (random.random((m, n)) < 0.3).astype(float),
        "U": random.standard_normal((m, k)),
        "V": random.standard_normal((n, k)),
        "lambda": numpy.full((1, 1), 0.1),
    }


def judge_factorisation(arrays):
    Y, M, U, V = (arrays[name] for name in ("Y", "M", "U", "V"))
    weight = arrays["lambda"].item()
    E = M * (Y - U @ V.T)
    loss = 0.5 * (E**2).sum() + 0.5 * weight * ((U**2).sum() + (V**2).sum())
    return loss, -(M * E) @ V + weight * U, -(M * E).T @ U + weight * V


def draw_gaussian(random, n, d):
    return {"X": random.standard_normal((n, d)) / d**0.5, "y": random.standard_normal((n, 1))}


def judge_gaussian(arrays):
    import numpy

    X, y = arrays["X"], arrays["y"]
    S = X @ X.T + numpy.eye(len(X))
    a = numpy.linalg.solve(S, y)
    loss = 0.5 * (y.T @ a).item() + 0.5 * numpy.linalg.slogdet(S)[1]
    return loss, (numpy.linalg.inv(S) - a @ a.T) @ X, a


# How arrays are drawn, who judges, and by what the loss is differentiated.
PROBLEMS = {
    "ten layers": (draw_layers, judge_layers, [name for pair in zip(named("W"), named("b")) for name in pair]),
    "logistic regression": (draw_logistic, judge_logistic, ["w", "b"]),
    "factorisation": (draw_factorisation, judge_factorisation, ["U", "V"]),
    "gaussian": (draw_gaussian, judge_gaussian, ["X", "y"]),
}


def torch_loss(torch, problem):
    functional = torch.nn.functional

    def layers(given):
        value = given["X"]
        for W, b in zip(named("W"), named("b")):
            value = torch.addmm(given[b].view(-1), value, given[W])
            value = torch.relu(value) if W != f"W{LAYERS}" else value
        return functional.cross_entropy(value, given["Y"])

    def logistic(given):
        z = given["X"] @ given["w"] + given["b"]
        likelihood = functional.binary_cross_entropy_with_logits(z, given["y"])
        return likelihood + 0.5 * given["lambda"].sum() * given["w"].square().sum()

    def factorisation(given):
        U, V = given["U"], given["V"]
        E = given["M"] * (given["Y"] - U @ V.t())
        return 0.5 * E.square().sum() + 0.5 * given["lambda"].sum() * (U.square().sum() + V.square().sum())

    def gaussian(given):
        X, y = given["X"], given["y"]
        L = torch.linalg.cholesky(X @ X.t() + torch.eye(len(X)))
        return 0.5 * (y * torch.cholesky_solve(y, L)).sum() + L.diagonal().log().sum()

    losses = {"logistic regression": logistic, "factorisation": factorisation, "gaussian": gaussian}
    return losses.get(problem, layers)


def torch_by(case, arrays, threads, compiled):
    torch = torch_with(threads)
    given = {name: torch.from_numpy(array) for name, array in arrays.items()}
    parameters = [given[name].requires_grad_() for name in PROBLEMS[case.problem][2]]
    loss = torch_loss(torch, case.problem)
    if compiled:
        torch._dynamo.reset()
        loss = torch.compile(loss, dynamic=False)

    def step():
        value = loss(given)
        return value, *torch.autograd.grad(value, parameters)

    return step, lambda results: [result.detach().numpy() for result in results]


def jax_loss(jax, problem):
    jnp = jax.numpy

    def layers(parameters, given):
        value, all_ = given["X"], given | parameters
        for W, b in zip(named("W"), named("b")):
            value = value @ all_[W] + all_[b]
            value = jax.nn.relu(value) if W != f"W{LAYERS}" else value
        return -jnp.take_along_axis(jax.nn.log_softmax(value), given["Y"][:, None], axis=1).mean()

    def logistic(parameters, given):
        z = given["X"] @ parameters["w"] + parameters["b"]
        squares = (parameters["w"] ** 2).sum()
        return (jax.nn.softplus(z) - given["y"] * z).mean() + 0.5 * given["lambda"].sum() * squares

    def factorisation(parameters, given):
        U, V = parameters["U"], parameters["V"]
        E = given["M"] * (given["Y"] - U @ V.T)
        return 0.5 * (E**2).sum() + 0.5 * given["lambda"].sum() * ((U**2).sum() + (V**2).sum())

    def gaussian(parameters, given):
        X, y = parameters["X"], parameters["y"]
        factor = jax.scipy.linalg.cho_factor(X @ X.T + jnp.eye(len(X)), lower=True)
        half = jnp.log(jnp.diagonal(factor[0])).sum()
        return 0.5 * (y * jax.scipy.linalg.cho_solve(factor, y)).sum() + half

    losses = {"logistic regression": logistic, "factorisation": factorisation, "gaussian": gaussian}
    return losses.get(problem, layers)


def jax_grad(case, arrays, threads):
    jax, _, given = jax_arrays(arrays)
    names = PROBLEMS[case.problem][2]
    parameters = {name: given.pop(name) for name in names}
    derivative = jax.jit(jax.value_and_grad(jax_loss(jax, case.problem)))
    step = lambda: jax.block_until_ready(derivative(parameters, given))
    return step, lambda results: (results[0], *(results[1][name] for name in names))


PEERS = {
    "torch-autograd": lambda case, arrays, threads: torch_by(case, arrays, threads, compiled=False),
    "torch-compile": lambda case, arrays, threads: torch_by(case, arrays, threads, compiled=True),
    "jax-grad": jax_grad,
}

if __name__ == "__main__":
    contest(__file__, CASES, PEERS, lambda case: PROBLEMS[case.problem][:2], "others")

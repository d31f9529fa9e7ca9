"""The two-layer network by the calling convention of the well-known course exercise: dictionaries of parameters, for NumPy
arrays and for PyTorch tensors on the CPU."""

from __future__ import annotations

from matgrad import _matgrad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    #: ``W1`` (D, H), ``b1`` (H,), ``W2`` (H, C), ``b2`` (C,).
    Params = dict[str, Any]


def nn_forward_pass(params: Params, X: Any) -> tuple[Any, Any]:
    """Scores and hidden features of the two-layer network.

    Parameters
    ----------
    params : dict
        ``W1`` (D, H), ``b1`` (H,), ``W2`` (H, C), ``b2`` (C,): NumPy arrays, or PyTorch tensors on the CPU.
    X : array (N, D)
        One row a sample.

    Returns
    -------
    scores : array (N, C)
        Z2 = relu(X W1 + b1) W2 + b2.
    hidden : array (N, H)
        relu(X W1 + b1).

    Raises
    ------
    ValueError
        A parameter that is missing, shapes that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.ones((2, 1)), "b2": np.zeros(1)}
    >>> matgrad.nn_forward_pass(params, np.array([[1.0, -2.0]]))
    (array([[1.]]), array([[1., 0.]]))
    """
    return _matgrad.nn_forward_pass(params, X)


def nn_forward_backward(params: Params, X: Any, y: Any = None, reg: float = 0.0) -> Any:
    """Scores of the two-layer network, or where labels are given its loss and gradients.

    The gradients are those that matgrad derives of L = −1/N Σ log softmax(Z2)[i, yᵢ] + reg (‖W1‖² + ‖W2‖²), with
    Z2 = relu(X W1 + b1) W2 + b2. The loss is taken from log-sum-exp and is finite for every finite score.

    Parameters
    ----------
    params : dict
        As in :func:`nn_forward_pass`. Where all arrays are of 32-bit floats it is computed in those, else in 64-bit ones.
    X : array (N, D)
        One row a sample.
    y : array (N,) of integers, optional
        Labels from 0 to C − 1.
    reg : float
        The weight of the squares.

    Returns
    -------
    scores : array (N, C)
        Where `y` is None.
    loss, grads : number, dict
        Else: the loss (a NumPy number, or a tensor without axes) and the gradients under the names of the parameters, in
        their shapes, as arrays of the kind that came.

    Raises
    ------
    ValueError
        A parameter that is missing, shapes that do not fit, a label out of range.
    TypeError
        What is no array of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.eye(2), "b2": np.zeros(2)}
    >>> loss, grads = matgrad.nn_forward_backward(params, np.array([[3.0, 3.0]]), np.array([1]), reg=0.5)
    >>> print(round(float(loss), 6))
    2.693147
    >>> grads["b2"]
    array([ 0.5, -0.5])
    """
    return _matgrad.nn_forward_backward(params, X, y, reg)


def nn_train(
    params: Params,
    loss_func: Callable[..., Any],
    pred_func: Callable[..., Any],
    X: Any,
    y: Any,
    X_val: Any,
    y_val: Any,
    learning_rate: float = 1e-3,
    learning_rate_decay: float = 0.95,
    reg: float = 5e-6,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
    seed: int | None = None,
) -> dict[str, list[float]]:
    """Stochastic gradient descent on mini-batches.

    Parameters
    ----------
    params : dict
        The parameters, which are changed in place.
    loss_func : callable
        ``loss_func(params, X, y=…, reg=…)`` gives the loss and a dictionary of gradients, as :func:`nn_forward_backward`.
    pred_func : callable
        ``pred_func(params, loss_func, X)`` gives labels, as :func:`nn_predict`.
    X, y : array (N, D), array (N,)
        Training samples with labels.
    X_val, y_val : array (M, D), array (M,)
        Samples to validate with.
    learning_rate : float
        Of the first epoch.
    learning_rate_decay : float
        What it is multiplied by after each epoch.
    reg : float
        The weight of the squares.
    num_iters : int
        How many steps.
    batch_size : int
        Samples of a step, drawn with repetition.
    verbose : bool
        Whether the loss is printed every hundred steps.
    seed : int, optional
        Where the random numbers start. Without it, they are those of NumPy's or PyTorch's global generator.

    Returns
    -------
    dict
        ``loss_history`` with the loss of each step, and ``train_acc_history`` and ``val_acc_history`` with the accuracies at
        the start of each epoch, on its first batch and on the validation samples.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 2)); y = (X[:, 0] > 0).astype(int)
    >>> params = {"W1": 0.1 * rng.standard_normal((2, 8)), "b1": np.zeros(8),
    ...           "W2": 0.1 * rng.standard_normal((8, 2)), "b2": np.zeros(2)}
    >>> history = matgrad.nn_train(params, matgrad.nn_forward_backward, matgrad.nn_predict, X, y, X, y,
    ...                            learning_rate=1.0, num_iters=200, batch_size=30, seed=1)
    >>> history["val_acc_history"][-1] > 0.9
    True
    """
    num_train = X.shape[0]
    if num_train == 0:
        raise ValueError("there is no sample to train on")
    if batch_size < 1:
        raise ValueError(f"batch_size is a positive number, not {batch_size}")
    draw = _drawing(X, num_train, batch_size, seed)
    steps_of_an_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []
    for it in range(num_iters):
        places = draw()
        X_batch, y_batch = X[places], y[places]
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))
        for name, grad in grads.items():
            # In place, and in the type of the parameter.
            params[name] -= learning_rate * grad
        if verbose and it % 100 == 0:
            print(f"iteration {it} / {num_iters}: loss {loss_history[-1]:f}")
        if it % steps_of_an_epoch == 0:
            train_acc_history.append(_accuracy(pred_func(params, loss_func, X_batch), y_batch))
            val_acc_history.append(_accuracy(pred_func(params, loss_func, X_val), y_val))
            learning_rate *= learning_rate_decay
    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params: Params, loss_func: Callable[..., Any], X: Any) -> Any:
    """The label with the largest score of each row, the first of equal ones.

    Parameters
    ----------
    params : dict
        As in :func:`nn_forward_pass`.
    loss_func : callable
        ``loss_func(params, X)`` gives scores, as :func:`nn_forward_backward` without labels.
    X : array (N, D)
        One row a sample.

    Returns
    -------
    array (N,) of integers

    Examples
    --------
    >>> import numpy as np
    >>> params = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.eye(2), "b2": np.zeros(2)}
    >>> matgrad.nn_predict(params, matgrad.nn_forward_backward, np.array([[0.5, 2.0], [3.0, 1.0]]))
    array([1, 0])
    """
    return loss_func(params, X).argmax(1)


def _accuracy(predicted: Any, labels: Any) -> float:
    return float((predicted == labels).sum()) / max(len(labels), 1)


def _drawing(X: Any, count: int, size: int, seed: int | None) -> Callable[[], Any]:
    """Draws places of samples, of the kind that X is indexed by."""
    if type(X).__module__.split(".")[0] == "torch":
        import torch

        generator = None if seed is None else torch.Generator().manual_seed(seed)
        return lambda: torch.randint(count, (size,), generator=generator)
    import numpy as np

    if seed is None:
        return lambda: np.random.choice(count, size)
    generator_of_numpy = np.random.default_rng(seed)
    return lambda: generator_of_numpy.integers(count, size=size)

"""The two-layer network with scikit-learn's interface."""

from __future__ import annotations

import functools
import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from matgrad import _matgrad
from matgrad._matgrad import Function

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("TwoLayerClassifier needs scikit-learn 1.6 or later: pip install scikit-learn") from error

__all__ = ["TwoLayerClassifier"]

Floats = npt.NDArray[np.float64]


class TwoLayerClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier: scores Z2 = σ(X W1 + b1) W2 + b2, trained by the gradients that matgrad derives of the cross-entropy.

    Parameters
    ----------
    hidden_units : int
        Columns of W1.
    activation : str
        σ: ``relu``, ``tanh``, ``sigmoid``, ``gelu``, ``silu``, ``softplus``, … as ``matgrad train --activation`` has them.
    reg : float
        The weight of ‖W1‖² + ‖W2‖².
    epochs : int
        How often the samples are passed through.
    batch_size : int
        Samples of one step.
    learning_rate : float
        Of the first epoch.
    decay : float
        What the learning rate is multiplied by after each epoch.
    optimiser : {"sgd", "adam"}
        The rule of a step.
    momentum : float
        Of ``sgd``.
    clip : float, optional
        The longest gradient; a longer one is shortened.
    validation : float
        Which part of the samples is kept out. Then the parameters of the epoch that does best on it are taken; else the last.
    patience : int, optional
        Stops after so many epochs without a better validation.
    scaling : {"common", "standard", "range", "none"}
        What is done to the features first, learnt on the training samples.
    random_state : int, RandomState or None
        Where the random numbers start.
    threads : int
        How many threads take part.
    dtype : {"float64", "float32"}
        What scores, losses and gradients are computed in, and the type of the parameters.

    Attributes
    ----------
    classes_ : array (C,)
        The labels.
    params_ : dict
        ``W1`` (D, H), ``b1`` (H,), ``W2`` (H, C), ``b2`` (C,).
    history_ : dict
        ``loss``, ``accuracy``, ``validation_loss``, ``validation_accuracy`` and ``learning_rate`` of each epoch.
    best_epoch_ : int
        Which epoch's parameters were taken, from 1.
    n_features_in_ : int
        D.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> matgrad.TwoLayerClassifier(hidden_units=32, random_state=0).fit(X, y).score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_units: int = 128,
        *,
        activation: str = "relu",
        reg: float = 3e-4,
        epochs: int = 30,
        batch_size: int = 64,
        learning_rate: float = 0.2,
        decay: float = 0.95,
        optimiser: str = "sgd",
        momentum: float = 0.9,
        clip: float | None = None,
        validation: float = 0.0,
        patience: int | None = None,
        scaling: str = "standard",
        random_state: Any = None,
        threads: int = 1,
        dtype: Any = "float64",
    ) -> None:
        self.hidden_units = hidden_units
        self.activation = activation
        self.reg = reg
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.decay = decay
        self.optimiser = optimiser
        self.momentum = momentum
        self.clip = clip
        self.validation = validation
        self.patience = patience
        self.scaling = scaling
        self.random_state = random_state
        self.threads = threads
        self.dtype = dtype

    def fit(self, X: Any, y: Any) -> TwoLayerClassifier:
        """Trains on samples.

        Parameters
        ----------
        X : array (N, D)
            One row a sample.
        y : array (N,)
            Labels of any kind, of two classes at least.

        Returns
        -------
        TwoLayerClassifier
            Itself.

        Raises
        ------
        ValueError
            Options out of range, data that do not fit, a training that diverges.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, order="C", ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"the labels have one class, {self.classes_[0]}; a classifier needs two at least")
        for name in ("hidden_units", "epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or value < 1:
                raise ValueError(f"{name} is a positive whole number, not {value!r}")
        options = {
            "H": float(self.hidden_units),
            "lambda": float(self.reg),
            "epochs": int(self.epochs),
            "batch_size": int(self.batch_size),
            "learning_rate": float(self.learning_rate),
            "decay": float(self.decay),
            "optimiser": self.optimiser,
            "momentum": float(self.momentum),
            "clip": self.clip,
            "validation": float(self.validation),
            "patience": self.patience,
            "scaling": self.scaling,
            "seed": int(check_random_state(self.random_state).randint(2**31)),
            "threads": int(self.threads),
            "dtype": self._dtype(),
        }
        text = _matgrad.two_layer(self.activation)
        trained = _matgrad.train(
            text, np.ascontiguousarray(X), np.ascontiguousarray(labels, np.int64), len(self.classes_), options
        )
        params, self._shift, self._divisor, epochs, self.best_epoch_ = trained
        # They are numbers of this type already.
        self.params_ = {name: param.astype(self._dtype(), copy=False) for name, param in params.items()}
        names = ("loss", "accuracy", "validation_loss", "validation_accuracy", "learning_rate")
        self.history_ = {name: [epoch[place] for epoch in epochs] for place, name in enumerate(names)}
        return self

    def decision_function(self, X: Any) -> Floats:
        """Scores: (N, C), or of two classes (N,), how much larger that of the second is.

        Parameters
        ----------
        X : array (N, D)
            One row a sample.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The label of each row.

        Parameters
        ----------
        X : array (N, D)
            One row a sample.

        Returns
        -------
        array (N,)
        """
        scores = self._scores(X)
        labels: npt.NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, rows that sum to 1, in the order of ``classes_``.

        Parameters
        ----------
        X : array (N, D)
            One row a sample.

        Returns
        -------
        array (N, C)
        """
        scores = self._scores(X)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: Floats = powers / powers.sum(axis=1, keepdims=True)
        return probabilities

    def _scores(self, X: Any) -> Floats:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, order="C", reset=False)
        dtype = self.params_["W1"].dtype
        scaled = ((X - self._shift) / self._divisor).astype(dtype, copy=False)
        scores: Floats = _scoring(self.activation, dtype.name)({"X": scaled, **self.params_})["Z2"]
        return scores

    def _dtype(self) -> str:
        """The name of the type."""
        try:
            return str(np.dtype(self.dtype).name)
        except TypeError:
            return str(self.dtype)


@functools.cache
def _scoring(activation: str, dtype: str) -> Function:
    """The scores of the network as a function."""
    from matgrad.formulas import program

    return program(_matgrad.two_layer(activation)).compile(["Z2"], dtype=dtype)

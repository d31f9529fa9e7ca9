"""The classifier of scikit-learn's kind."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from matgrad import TwoLayerClassifier
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_accepts_it() -> None:
    results = check_estimator(TwoLayerClassifier(), on_skip=None)
    assert len(results) > 40
    assert {result["status"] for result in results} <= {"passed", "skipped"}


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_it_learns_digits(activation: str) -> None:
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    names = np.array([f"digit {label}" for label in range(10)])
    model = TwoLayerClassifier(64, activation=activation, epochs=15, validation=0.1, random_state=1).fit(X, names[y])
    assert model.score(X_test, names[y_test]) > 0.94
    assert list(model.classes_) == list(names) and 1 <= model.best_epoch_ <= 15
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(1)], model.predict(X_test))
    history: dict[str, Any] = model.history_
    assert len(history["loss"]) == 15 and history["validation_accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X_test), probabilities)
    same = clone(model).fit(X, names[y])
    np.testing.assert_array_equal(same.params_["W1"], model.params_["W1"])


def test_it_is_trained_in_32_bit_floats() -> None:
    X, y = load_digits(return_X_y=True)
    single, double = (
        TwoLayerClassifier(32, epochs=8, learning_rate=0.05, dtype=dtype, random_state=0).fit(X, y)
        for dtype in (np.float32, "float64")
    )
    assert all(param.dtype == np.float32 for param in single.params_.values())
    assert all(param.dtype == np.float64 for param in double.params_.values())
    assert single.score(X, y) > 0.95
    assert single.decision_function(X).dtype == np.float32
    losses = [np.array(model.history_["loss"], np.float64) for model in (single, double)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert (losses[0] != losses[1]).any()
    again = pickle.loads(pickle.dumps(single))
    np.testing.assert_array_equal(again.predict_proba(X), single.predict_proba(X))


def test_it_works_within_others() -> None:
    X, y = load_digits(n_class=3, return_X_y=True)
    model = make_pipeline(StandardScaler(), TwoLayerClassifier(epochs=3, scaling="none", random_state=0))
    assert model.fit(X, y).score(X, y) > 0.9
    search = GridSearchCV(TwoLayerClassifier(epochs=2, random_state=0), {"hidden_units": [4, 16]}, cv=2, n_jobs=2)
    assert search.fit(X, y).best_score_ > 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_units": 0}, "hidden_units"),
        ({"epochs": 1.5}, "epochs"),
        ({"learning_rate": -1.0}, "learning rate"),
        ({"optimiser": "newton"}, "sgd or adam"),
        ({"activation": "step"}, "no activation `step`"),
        ({"scaling": "log"}, "scaling"),
        ({"dtype": "float16"}, "dtype is float64 or float32, not float16"),
        ({"dtype": "f99"}, "dtype is float64 or float32, not f99"),
        ({"learning_rate": 1e6, "epochs": 3}, "diverge|too large"),
    ],
)
def test_wrong_options_are_errors(options: dict[str, Any], message: str, rng: np.random.Generator) -> None:
    X, y = 100 * rng.standard_normal((40, 3)), rng.integers(0, 2, 40)
    with pytest.raises(ValueError, match=message):
        TwoLayerClassifier(random_state=0, **options).fit(X, y)

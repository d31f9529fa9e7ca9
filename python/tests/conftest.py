"""What the tests share."""

from __future__ import annotations

import os
import pathlib

import numpy as np
import numpy.typing as npt
import pytest

#: The folder of the repository: tests run from a copy of theirs.
ROOT = pathlib.Path(os.environ.get("MATGRAD_ROOT", pathlib.Path(__file__).resolve().parents[2]))
EXAMPLES = ROOT / "examples"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def network() -> str:
    """The text of the two-layer network."""
    return (EXAMPLES / "two_layer_mlp.mg").read_text(encoding="utf-8")


Array = npt.NDArray[np.float64]


def arrays_of_network(
    rng: np.random.Generator, n: int = 7, d: int = 5, h: int = 6, c: int = 4
) -> tuple[dict[str, Array], Array, npt.NDArray[np.int64]]:
    """Parameters, samples and labels."""
    params = {
        "W1": rng.standard_normal((d, h)),
        "b1": rng.standard_normal(h),
        "W2": rng.standard_normal((h, c)),
        "b2": rng.standard_normal(c),
    }
    return params, rng.standard_normal((n, d)), rng.integers(0, c, n)

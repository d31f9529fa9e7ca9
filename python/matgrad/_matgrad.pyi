"""The compiled part. Use the names of :mod:`matgrad`; these may change."""

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

@final
class Answer:
    """A program and all it asks for."""

    def __new__(
        cls,
        pieces: list[tuple[str, str]],
        kind: str | None = None,
        has_wrt: bool = False,
        has_directions: bool = False,
        detail: str = "none",
        curvature: bool = False,
        only_last: bool = False,
    ) -> Answer: ...
    @property
    def source(self) -> str: ...
    def without_requests(self) -> str: ...
    def notes(self) -> list[str]: ...
    def variables(self) -> list[tuple[str, str]]: ...
    def definitions(self) -> list[tuple[str, bool]]: ...
    def results(self) -> list[tuple[str, str, list[str], str]]: ...
    def directions(self) -> list[tuple[list[str], list[str]]]: ...
    def shape_of(self, place: int) -> tuple[str, str]: ...
    def equations(self, style: str) -> list[tuple[str, str, list[str]]]: ...
    def render(self, format: str, check: bool) -> str: ...
    def check(
        self, seed: int | None
    ) -> tuple[
        list[tuple[str, int, float, bool, int, int, list[str]]],
        list[tuple[str, str, str, str, str]],
        list[str],
    ]: ...
    def emit(
        self,
        target: str,
        name: str,
        derivation: bool,
        sizes: list[tuple[str, int]],
        sharded: tuple[str, int] | None = None,
    ) -> str: ...

@final
class Function:
    """A compiled program: a function of arrays. :meth:`matgrad.Program.compile` makes it."""

    def __new__(
        cls,
        answer: Answer,
        outputs: list[str] | None,
        sizes: list[tuple[str, int]],
        dtype: str,
        threads: int | None,
        check: bool,
        recipe: tuple[Callable[..., Any], tuple[Any, ...]],
    ) -> Function: ...
    def __call__(
        self,
        arrays: Mapping[str, Any] | None = None,
        /,
        *,
        out: dict[str, Any] | None = None,
        **named: Any,
    ) -> dict[str, Any]: ...
    @property
    def inputs(self) -> list[tuple[str, str]]: ...
    @property
    def outputs(self) -> list[str]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def sizes(self) -> list[tuple[str, int]]: ...
    def plan(self, **sizes: int) -> str: ...
    def shapes(self, lengths: list[tuple[int, ...]]) -> list[list[int]]: ...

def nn_forward_pass(params: Any, X: Any) -> tuple[Any, Any]: ...
def nn_forward_backward(params: Any, X: Any, y: Any = None, reg: Any = None) -> Any: ...
def two_layer(activation: str) -> str: ...
def forked() -> None: ...
def train(
    text: str,
    features: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    classes: int,
    options: dict[str, Any],
) -> tuple[
    dict[str, npt.NDArray[np.float64]],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    list[tuple[float, float | None, float | None, float | None, float]],
    int,
]: ...
def verify(
    source: str, appendix: str, format: str | None, name: str
) -> tuple[str, str, str, str, list[int]]: ...
def explain(source: str, name: str) -> str: ...

"""What a check by numbers found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Checked:
    """How far one result was checked.

    Attributes
    ----------
    title : str
        Which result.
    points : int
        At how many random points it was compared with differences; 0 where none was found.
    worst_error : float
        The largest relative error there.
    exact : bool
        Whether it also holds modulo the prime 2⁶¹ − 1.
    steps, steps_by_numbers : int
        Lines of its derivation, and those of which both sides agree.
    not_checked : tuple of str
        What could not be checked, and why.
    """

    title: str
    points: int
    worst_error: float
    exact: bool
    steps: int
    steps_by_numbers: int
    not_checked: tuple[str, ...]


@dataclass(frozen=True)
class Disagreement:
    """Something that a check found wrong: which result, what was compared, what it should be and is, at which sizes."""

    title: str
    what: str
    expected: str
    found: str
    sizes: str


class Check:
    """What a check found. It is true where nothing disagrees."""

    #: How far each result was checked.
    results: list[Checked]
    #: What disagrees.
    disagreements: list[Disagreement]

    def __init__(
        self,
        results: list[tuple[str, int, float, bool, int, int, list[str]]],
        disagreements: list[tuple[str, str, str, str, str]],
        lines: list[str],
    ) -> None:
        self.results = [Checked(*result[:6], not_checked=tuple(result[6])) for result in results]
        self.disagreements = [Disagreement(*each) for each in disagreements]
        self._lines = lines

    def __bool__(self) -> bool:
        return not self.disagreements

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def __repr__(self) -> str:
        return str(self)

"""Derivations made by hand, judged line by line."""

from __future__ import annotations

from matgrad import _matgrad
from matgrad._text import declarations_of, read_file
from matgrad.derivation import folded

# Without `typing` and `dataclasses` the package is there in half the time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import Any


class Verdicts:
    """What :func:`verify` found. It is true where no step is wrong.

    Attributes
    ----------
    right, wrong, definitions, skipped : int
        How many equals signs came out how. What is skipped never counts as right.
    """

    right: int
    wrong: int
    definitions: int
    skipped: int

    def __init__(self, told: tuple[str, str, str, str, list[int]]) -> None:
        self._text, self._json, self._html, self._sarif, counts = told
        self.right, self.wrong, self.definitions, self.skipped = counts

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Each step with its place and verdict, as ``matgrad verify --format json`` has it."""
        import json

        return list(json.loads(self._json)["steps"])

    def to_json(self) -> str:
        """The object that ``matgrad verify --format json`` prints."""
        return self._json

    def to_html(self) -> str:
        """The report as one HTML document."""
        return self._html

    def to_sarif(self) -> str:
        """The report for editors and code hosts."""
        return self._sarif

    def __bool__(self) -> bool:
        return self.wrong == 0

    def __str__(self) -> str:
        return self._text.rstrip("\n")

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return folded(f"{self.right} right, {self.wrong} wrong", self._html)


_FORMATS = {".md": "markdown", ".markdown": "markdown", ".tex": "latex", ".ipynb": "notebook", ".mg": "program"}


def verify(
    document: str | os.PathLike[str],
    format: str | None = None,
    *,
    types: str | Mapping[str, str] | None = None,
) -> Verdicts:
    """Judges each equals sign of a derivation made by hand.

    Parameters
    ----------
    document : str or path
        The text, or a path object that is read: a program with claims, Markdown, LaTeX, or a notebook.
    format : {"claim", "program", "markdown", "latex", "notebook"}, optional
        What it is; found from the name of the file or the look of the text where it is left out.
    types : str or mapping of str to str, optional
        Declarations, and definitions too, that the document goes by.

    Returns
    -------
    Verdicts
        True where no step is wrong. It shows itself with each mistake, its reason and the nearest right formula.

    Raises
    ------
    MatgradError
        The text itself cannot be read.

    Examples
    --------
    >>> matgrad.verify("d(tr(X'*X)) = 2*tr(X'*dX)").wrong
    0
    >>> print(matgrad.verify("d(tr(X'*X)) = tr(X'*dX)"))  # doctest: +ELLIPSIS
    ✗ 1:1...
    """
    name = "document"
    if not isinstance(document, str):
        import pathlib

        name, text = read_file(document)
        format = format or _FORMATS.get(pathlib.PurePath(name).suffix)
    else:
        text = document
    if format is None:
        format = _look(text)
    declared = declarations_of(types).strip("\n")
    appendix = ""
    if declared:
        if format in ("claim", "program"):
            appendix = f"\n{declared}\n"
        elif format == "markdown":
            appendix = f"\n\n```matgrad\n{declared}\n```\n"
        elif format == "latex":
            lines = "\n".join(f"% {line}" for line in declared.split("\n"))
            appendix = f"\n{lines}\n"
        else:
            raise ValueError(f"types go with claims, Markdown and LaTeX; in the format {format} the document declares them")
    return Verdicts(_matgrad.verify(text, appendix, format, name))


def _look(text: str) -> str:
    """What a text without a file's name most likely is."""
    if text.lstrip().startswith("{") and '"cells"' in text:
        return "notebook"
    if "\\begin{document}" in text or "\\documentclass" in text:
        return "latex"
    if any(sign in text for sign in ("$$", "\\[", "\\begin{", "```")):
        return "markdown"
    return "claim"


def explain(equation: str, types: str | Mapping[str, str] | None = None) -> str:
    """The way from one side of an equation to the other, by named rules, a line each.

    Raises
    ------
    MatgradError
        The equation is wrong, or no way was found.

    Examples
    --------
    >>> print(matgrad.explain("tr(A*B) = tr(B*A)"))  # doctest: +ELLIPSIS
      tr(A*B)
    = tr(B*A)...
    """
    declared = declarations_of(types)
    return _matgrad.explain(f"{declared}\n{equation}" if declared else equation, "equation").rstrip("\n")

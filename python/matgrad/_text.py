"""Texts in pieces with what is asked of them, and what can be done with every answer to one."""

from __future__ import annotations

from matgrad import _matgrad
from matgrad._matgrad import Function
from matgrad.derivation import Derivation

# Without `typing` and `dataclasses` the package is there in half the time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from matgrad.checks import Check

    #: Names to differentiate by: ``"X"``, ``"X, Y"`` or a list of names.
    Names = str | Iterable[str]


def names_of(names: Names) -> list[str]:
    parts = names.split(",") if isinstance(names, str) else list(names)
    found = [part.strip() for part in parts if part.strip()]
    if not found:
        raise ValueError("name what to differentiate by, as wrt=\"X\"")
    return found


def declarations_of(types: str | Mapping[str, str] | None) -> str:
    if types is None:
        return ""
    if isinstance(types, str):
        return types
    return "\n".join(f"{name} : {kind}" for name, kind in types.items())


def read_file(path: str | os.PathLike[str]) -> tuple[str, str]:
    import os

    with open(path, encoding="utf-8") as file:
        return os.fspath(path), file.read()


class Text:
    """A text in pieces with what is asked of it; answers are made of it. It does not change."""

    __slots__ = ("has_wrt", "kind", "only_last", "pieces")

    def __init__(
        self,
        pieces: tuple[tuple[str, str], ...],
        kind: str | None = None,
        has_wrt: bool = False,
        only_last: bool = False,
    ) -> None:
        self.pieces = pieces
        self.kind = kind
        self.has_wrt = has_wrt
        self.only_last = only_last

    def answer(self, detail: str) -> _matgrad.Answer:
        """Its answer with steps up to a detail."""
        return _matgrad.Answer(
            list(self.pieces), self.kind, has_wrt=self.has_wrt, detail=detail, only_last=self.only_last
        )

    def __reduce__(self) -> tuple[type[Text], tuple[object, ...]]:
        return (Text, (self.pieces, self.kind, self.has_wrt, self.only_last))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Text):
            return self.__reduce__() == other.__reduce__()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.pieces, self.kind, self.has_wrt, self.only_last))


class Answered:
    """What programs and derivatives have in common."""

    _text: Text
    _answers: dict[str, _matgrad.Answer]

    def __init__(self, text: Text) -> None:
        self._text = text
        self._answers = {}
        # Mistakes are told at once.
        self._answer("none")

    def _answer(self, detail: str) -> _matgrad.Answer:
        answer = self._answers.get(detail)
        if answer is None:
            answer = self._text.answer(detail)
            self._answers[detail] = answer
        return answer

    def __reduce__(self) -> tuple[type[Answered], tuple[Any, ...]]:
        return (type(self), (self._text,))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Answered):
            return type(self) is type(other) and self._text == other._text
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    @property
    def variables(self) -> dict[str, str]:
        """The variables with their types, in order of declaration or first use.

        Examples
        --------
        >>> matgrad.program("f = normsq(X*w - y)").variables
        {'X': 'matrix(m, n)', 'w': 'vector(n)', 'y': 'vector(m)'}
        """
        return dict(self._answer("none").variables())

    @property
    def notes(self) -> list[str]:
        """Notes about the text, such as that ``e`` is a variable here."""
        return self._answer("none").notes()

    def derivation(self, steps: str = "full") -> Derivation:
        """How the results come about, line by line.

        Parameters
        ----------
        steps : {"full", "brief", "none"}
            Every move, the lines between named results, or the results alone.

        Returns
        -------
        Derivation
            It shows itself as text in a terminal and as a page in a notebook.

        Examples
        --------
        >>> print(matgrad.grad("normsq(x)", wrt="x").derivation(steps="brief").to_text(check=False))
        Given
          x : vector(m)
        <BLANKLINE>
        Gradient of f with respect to x
        ===============================
        <BLANKLINE>
          f = normsq(x)
        <BLANKLINE>
          df = 2*x'*dx                                      # normsq
        <BLANKLINE>
        Read off
          ∂f/∂x = 2*x                                       # read-off
        <BLANKLINE>
        Result
          ∂f/∂x = 2*x   (m x 1)
        <BLANKLINE>
        Rules
          normsq    d normsq(X) = 2*tr(X'*dX)
          read-off  dF = tr(G'dX), so G is the gradient
        <BLANKLINE>
        """
        return Derivation(self._answer(steps))

    def check(self, seed: int | None = None) -> Check:
        """Compares every result and every step with independent numbers.

        Parameters
        ----------
        seed : int, optional
            Where the random points start.

        Returns
        -------
        Check
            True where nothing disagrees; it shows itself as text.

        Examples
        --------
        >>> check = matgrad.grad("a'*X*b", wrt="X").check()
        >>> bool(check), check.results[0].exact
        (True, True)
        """
        from matgrad.checks import Check

        return Check(*self._answer("full").check(seed))

    def to_text(self, steps: str = "full", check: bool = True) -> str:
        """The page as text in the language of matgrad, with what a check found where `check` is set."""
        return self._answer(steps).render("text", check)

    def to_unicode(self, steps: str = "full", check: bool = True) -> str:
        """The page as text in a book's signs."""
        return self._answer(steps).render("unicode", check)

    def to_latex(self, steps: str = "full", check: bool = True) -> str:
        """The page as a fragment of a LaTeX document, with amsmath and amssymb."""
        return self._answer(steps).render("latex", check)

    def to_markdown(self, steps: str = "full", check: bool = True) -> str:
        """The page as Markdown with LaTeX between dollars."""
        return self._answer(steps).render("markdown", check)

    def to_html(self, steps: str = "full", check: bool = True) -> str:
        """The page as one HTML document with everything in it."""
        return self._answer(steps).render("html", check)

    def to_json(self, steps: str = "full") -> str:
        """The object that ``matgrad derive --format json`` prints."""
        return self._answer(steps).render("json", False)

    def emit(
        self,
        target: str,
        name: str = "program",
        *,
        steps: str = "none",
        sizes: Mapping[str, int] | None = None,
        shard: tuple[str, int] | None = None,
    ) -> str:
        """Values and derivatives as code in another language.

        Parameters
        ----------
        target : str
            ``numpy``, ``torch``, ``jax``, ``julia``, ``matlab``, ``rust``, ``c``, ``stablehlo`` or ``latex``.
        name : str
            The name of the function.
        steps : {"none", "brief", "full"}
            How much of the derivation stands in the comment at the top.
        sizes : mapping of str to int, optional
            Numbers of dimensions, for a target that needs them.
        shard : (str, int), optional
            The dimension whose rows are spread over that many devices, for StableHLO.

        Returns
        -------
        str
            One file.

        Raises
        ------
        ValueError
            There is no such target.
        MatgradError
            The target does not cover the program.

        Examples
        --------
        >>> code = matgrad.grad("a'*X*b", wrt="X").emit("numpy", name="bilinear")
        >>> "def bilinear(" in code
        True
        """
        answer = self._answer(steps)
        return answer.emit(target, name, steps != "none", list((sizes or {}).items()), shard)

    def compile(
        self,
        outputs: Iterable[str] | None = None,
        *,
        dtype: Any = "float64",
        threads: int | None = None,
        check: bool = True,
        **sizes: int,
    ) -> Function:
        """A function of arrays that computes values and derivatives.

        Parameters
        ----------
        outputs : iterable of str, optional
            Which results: names of definitions, and ``grad(L,W1)``, ``jacobian(Y,X)``, ``hessian(L,X,X)``,
            ``differential(F)`` as ``matgrad eval`` has them. Without it, all derivatives that the program asks for and the
            values that they are of.
        dtype : {"float64", "float32"}
            In which numbers; NumPy's own names of types may be given too.
        threads : int, optional
            How many threads take part where the work is worth it; as many as the process may use where it is left out.
        check : bool
            Whether arrays are checked to have the properties that are declared (symmetric, one-hot, …).
        **sizes : int
            Numbers of dimensions, as ``N=128``. Others are found from the arrays of each call. A dimension whose name is
            that of another argument here is given with an underscore behind it.

        Returns
        -------
        Function
            It is called with an array for each name, as ``f(X=…, W1=…)``, or with a dictionary of them. A name that Python
            does not allow, such as ``lambda``, has an underscore behind it: ``lambda_``.

            An array of the function's type is read where it lies, in any layout, if all that read it are products and
            element-wise operations; where a softmax, a decomposition or the like reads it, or where a stride is negative, an
            array that does not lie row by row is copied once. Tensors of PyTorch on the CPU and anything with DLPack are read
            where they lie too. Arrays of other types are converted where no digit is lost. A one-hot matrix may be given by
            labels: whole numbers, one for each row.

            It gives a dictionary: of a scalar a ``float``, else a new array. ``out={"grad(L,W1)": array}`` has results
            written to arrays of yours. The interpreter's lock is released during the work, and calls from several threads run
            side by side. Numbers that are infinite or NaN go through as in NumPy.

        Raises
        ------
        ValueError
            A result, dimension or type that there is not. In a call: shapes that do not fit, labels out of range, properties
            that do not hold, what has no value.
        TypeError
            In a call: a name too many or too few, arrays that would lose digits.

        Examples
        --------
        >>> import numpy as np
        >>> f = matgrad.program("f = a'*X*b\\ngrad f wrt X").compile()
        >>> result = f(a=np.array([1.0, 2.0]), X=np.eye(2, 3), b=np.array([3.0, 4.0, 5.0]))
        >>> result["f"]
        11.0
        >>> result["grad(f,X)"]
        array([[ 3.,  4.,  5.],
               [ 6.,  8., 10.]])
        """
        names = None if outputs is None else ([outputs] if isinstance(outputs, str) else list(outputs))
        told = [(_dimension(name), int(size)) for name, size in sizes.items()]
        return compiled(self._text, names, told, _dtype(dtype), threads, check, self._answer("none"))


def _dimension(name: str) -> str:
    return name.removesuffix("_")


def _dtype(dtype: Any) -> str:
    if isinstance(dtype, str):
        return {"f4": "float32", "f8": "float64", "f32": "float32", "f64": "float64"}.get(dtype, dtype)
    text = str(dtype)
    if text.startswith("torch."):
        return text.removeprefix("torch.")
    import numpy as np

    name: str = np.dtype(dtype).name
    return name


def compiled(
    text: Text,
    outputs: list[str] | None,
    sizes: list[tuple[str, int]],
    dtype: str,
    threads: int | None,
    check: bool,
    answer: _matgrad.Answer | None = None,
) -> Function:
    recipe: tuple[Callable[..., Any], tuple[Any, ...]] = (
        compiled,
        (text, outputs, sizes, dtype, threads, check),
    )
    if answer is None:
        answer = text.answer("none")
    return Function(answer, outputs, sizes, dtype, threads, check, recipe)

"""Formulas: programs, derivatives, derivations, checks and verdicts."""

from __future__ import annotations

from matgrad import _matgrad
from matgrad._matgrad import Function

# Without `typing` and `dataclasses` the package is there in half the time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from matgrad.checks import Check

    #: Names to differentiate by: ``"X"``, ``"X, Y"`` or a list of names.
    Names = str | Iterable[str]


def _names(names: Names) -> list[str]:
    parts = names.split(",") if isinstance(names, str) else list(names)
    found = [part.strip() for part in parts if part.strip()]
    if not found:
        raise ValueError("name what to differentiate by, as wrt=\"X\"")
    return found


def _declarations(types: str | Mapping[str, str] | None) -> str:
    if types is None:
        return ""
    if isinstance(types, str):
        return types
    return "\n".join(f"{name} : {kind}" for name, kind in types.items())


class _Text:
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

    def __reduce__(self) -> tuple[type[_Text], tuple[object, ...]]:
        return (_Text, (self.pieces, self.kind, self.has_wrt, self.only_last))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Text):
            return self.__reduce__() == other.__reduce__()
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.pieces, self.kind, self.has_wrt, self.only_last))


class _Answered:
    """What programs and derivatives have in common."""

    _text: _Text
    _answers: dict[str, _matgrad.Answer]

    def __init__(self, text: _Text) -> None:
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

    def __reduce__(self) -> tuple[type[_Answered], tuple[_Text]]:
        return (type(self), (self._text,))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Answered):
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
        return _compiled(self._text, names, told, _dtype(dtype), threads, check, self._answer("none"))


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


def _compiled(
    text: _Text,
    outputs: list[str] | None,
    sizes: list[tuple[str, int]],
    dtype: str,
    threads: int | None,
    check: bool,
    answer: _matgrad.Answer | None = None,
) -> Function:
    recipe: tuple[Callable[..., Any], tuple[Any, ...]] = (
        _compiled,
        (text, outputs, sizes, dtype, threads, check),
    )
    if answer is None:
        answer = text.answer("none")
    return Function(answer, outputs, sizes, dtype, threads, check, recipe)


class Program(_Answered):
    """A text with declarations, definitions and requests, and all that can be asked of it.

    :func:`program` makes one. In a notebook it shows its derivation.
    """

    @property
    def text(self) -> str:
        """The text."""
        return self._text.pieces[0][1]

    @property
    def definitions(self) -> list[str]:
        """The names of the definitions in order."""
        return [name for name, _ in self._answer("none").definitions()]

    @property
    def results(self) -> list[Derivative]:
        """The derivatives that the text asks for, in order; those along or against something are left out.

        Examples
        --------
        >>> p = matgrad.program("L = normsq(X*w - y)\\ngrad L wrt w, y")
        >>> p.results[1].value
        '2*(y - X*w)'
        """
        return [
            self._derivative(kind, of, wrt, [])
            for kind, of, wrt, _ in self._answer("none").results()
            if " " not in kind
        ]

    def gradient(self, wrt: str, of: str | None = None) -> Derivative:
        """The gradient of a scalar.

        Parameters
        ----------
        wrt : str
            A variable or a definition.
        of : str, optional
            What is differentiated, a name or any expression. Without it what the text asks gradients of, or the last
            definition that is a scalar.

        Returns
        -------
        Derivative

        Examples
        --------
        >>> p = matgrad.program("Z = X*W\\nL = sum(tanh(Z))\\ngrad L wrt W")
        >>> p.gradient("Z")
        ∂L/∂Z = 1_m·1_pᵀ − tanh(Z).^2   (m × p)
        """
        return self._derivative("gradient", of or self._scalar(), [wrt], [])

    def jacobian(self, wrt: str, of: str | None = None) -> Derivative:
        """The derivative of a vector or matrix; of the last definition where `of` is left out.

        Examples
        --------
        >>> matgrad.program("y = A*x").jacobian("x")
        ∂y/∂x = A   (m × n)
        dy = A·dx
        ∂y_i/∂x_j = A_ij
        """
        return self._derivative("jacobian", of or self._last(), [wrt], [])

    def hessian(self, wrt: Names, of: str | None = None) -> Derivative:
        """The second derivative of a scalar by one variable, or by two: a block.

        Examples
        --------
        >>> matgrad.program("f = x'*A*x").hessian("x")
        ∂²f/∂x² = A + Aᵀ   (m × m)
        d(∂f/∂x) = (A + Aᵀ)·dx
        ∂²f/∂x_i∂x_j = (A + Aᵀ)_ij
        """
        return self._derivative("hessian", of or self._scalar(), _names(wrt), [])

    def hvp(self, wrt: Names, along: Names, of: str | None = None) -> Derivative:
        """The Hessian of a scalar applied to a direction, without forming it.

        Parameters
        ----------
        wrt : str or list of str
            One variable or several.
        along : str or list of str
            A direction for each: a name or an expression of its variable's shape.
        of : str, optional
            As in :meth:`gradient`.

        Examples
        --------
        >>> p = matgrad.program("A : matrix(n, n)\\nv : vector(n)\\nf = x'*A*x")
        >>> p.hvp("x", along="v").value
        "(A + A')*v"
        """
        return self._derivative("hessian along", of or self._scalar(), _names(wrt), _names(along))

    def jvp(self, wrt: Names, along: Names, of: str | None = None) -> Derivative:
        """The Jacobian applied to a direction."""
        return self._derivative("jacobian along", of or self._last(), _names(wrt), _names(along))

    def vjp(self, wrt: Names, against: str, of: str | None = None) -> Derivative:
        """The transposed Jacobian applied to a cotangent: the gradient of tr(U'Y) with U held fixed."""
        return self._derivative("jacobian against", of or self._last(), _names(wrt), [against])

    def differential(self, of: str | None = None, wrt: Names | None = None) -> Derivative:
        """dF itself, linear in the differentials of what moves; of the last definition where `of` is left out.

        Examples
        --------
        >>> matgrad.program("Y = inv(A)").differential()
        dY = −Y·dA·Y   (m × m)
        """
        return self._derivative("differential", of or self._last(), _names(wrt) if wrt is not None else [], [])

    def verify(self, document: str | os.PathLike[str], format: str | None = None) -> Verdicts:
        """Judges each line of a derivation made by hand, with the declarations and definitions of this program.

        Parameters
        ----------
        document : str or path
            Lines such as ``claim grad L wrt W = …``, ``dL = … = …``, or a text in Markdown, LaTeX or a notebook; a path is
            read.
        format : {"claim", "markdown", "latex", "notebook"}, optional
            What it is; found from the name of the file or the look of the text where it is left out.

        Returns
        -------
        Verdicts

        Examples
        --------
        >>> p = matgrad.program("f = a'*X*b")
        >>> bool(p.verify("claim grad f wrt X = a*b'"))
        True
        >>> bool(p.verify("claim grad f wrt X = b*a'"))
        False
        """
        return verify(document, format, types=self._answer("none").without_requests())

    def torch_function(
        self,
        of: str | None = None,
        wrt: Names | None = None,
        *,
        threads: int | None = None,
        check: bool = True,
    ) -> Callable[..., Any]:
        """A differentiable function of PyTorch tensors that runs this program's plan. See
        :func:`matgrad.torch.torch_function`."""
        from matgrad.torch import torch_function

        return torch_function(self, of, wrt, threads=threads, check=check)

    def jax_function(
        self,
        of: str | None = None,
        wrt: Names | None = None,
        *,
        threads: int | None = None,
        check: bool = True,
    ) -> Callable[..., Any]:
        """A differentiable function of JAX arrays that runs this program's plan. See
        :func:`matgrad.jax.jax_function`."""
        from matgrad.jax import jax_function

        return jax_function(self, of, wrt, threads=threads, check=check)

    def _derivative(self, kind: str, of: str, wrt: list[str], directions: list[str]) -> Derivative:
        verb = {"gradient": "grad"}.get(kind.split(" ")[0], kind.split(" ")[0])
        request = f"{verb} {of}"
        if wrt:
            request += f" wrt {', '.join(wrt)}"
        if directions:
            request += f" {kind.split(' ')[1]} {', '.join(directions)}"
        return Derivative(_Text((*self._text.pieces, (verb, request)), only_last=True))

    def _scalar(self) -> str:
        answer = self._answer("none")
        asked = list(dict.fromkeys(of for kind, of, _, _ in answer.results() if kind in ("gradient", "hessian")))
        if len(asked) == 1:
            return asked[0]
        scalars = [name for name, is_scalar in answer.definitions() if is_scalar]
        if not asked and scalars:
            return scalars[-1]
        known = ", ".join(asked or scalars)
        raise ValueError(
            "say what to differentiate, as of=\"L\"" + (f"; the program has {known}" if known else "")
        )

    def _last(self) -> str:
        answer = self._answer("none")
        asked = list(dict.fromkeys(of for kind, of, _, _ in answer.results() if kind not in ("gradient", "hessian")))
        if len(asked) == 1:
            return asked[0]
        names = [name for name, _ in answer.definitions()]
        if not names:
            raise ValueError("the program has no definition: say what to differentiate, as of=\"X*w\"")
        return names[-1]

    def __repr__(self) -> str:
        return self.text.strip("\n")

    def _repr_html_(self) -> str:
        if not self._answer("none").results():
            return f"<pre>{_escape(self.text)}</pre>"
        return self.derivation()._repr_html_()


class Derivative(_Answered):
    """One derivative: the formula, how it comes about, code for it, numbers.

    In a notebook it shows itself as a formula; ``derivation()`` shows the way to it.
    """

    _told: dict[str, Any] | None = None

    def _result(self) -> dict[str, Any]:
        if self._told is None:
            import json

            results: list[dict[str, Any]] = json.loads(self._answer("full").render("json", False))["results"]
            self._told = results[-1]
        return self._told

    @property
    def kind(self) -> str:
        """``gradient``, ``jacobian``, ``hessian``, ``differential``, or the last three applied to directions."""
        return self._answer("none").results()[-1][0]

    @property
    def of(self) -> str:
        """What is differentiated, as typed."""
        return self._answer("none").results()[-1][1]

    @property
    def wrt(self) -> tuple[str, ...]:
        """The names it is differentiated by."""
        return tuple(self._answer("none").results()[-1][2])

    @property
    def key(self) -> str:
        """Its key among the results of :meth:`compile`, as ``grad(L,W1)``."""
        return self._answer("none").results()[-1][3]

    @property
    def shape(self) -> tuple[str, ...]:
        """The lengths of its axes, as expressions in the dimensions.

        Examples
        --------
        >>> matgrad.grad("a'*X*b", wrt="X").shape
        ('m', 'n')
        """
        return tuple(self._result()["shape"])

    @property
    def value(self) -> str | None:
        """The formula in the language, in one expression; None beyond 500 nodes.

        Examples
        --------
        >>> matgrad.grad("log(det(X))", wrt="X").value
        "inv(X)'"
        """
        value: str | None = self._result()["value"]
        return value

    @property
    def program(self) -> list[str]:
        """The formula as lines with shared parts named; the last line is the result."""
        lines: list[str] = self._result()["program"]
        return lines

    @property
    def latex(self) -> str:
        """The formula in LaTeX, without the left side.

        Examples
        --------
        >>> matgrad.grad("a'*X*b", wrt="X").latex
        'ab^\\\\top'
        """
        text: str = self._result()["latex"]
        return text

    @property
    def remarks(self) -> list[str]:
        """What the reader should know: kinks, projections, that it does not depend on a name."""
        notes: list[str] = self._result()["notes"]
        return notes

    @property
    def steps(self) -> list[dict[str, str]]:
        """The derivation as a list: rule, name, text and LaTeX of each line."""
        steps: list[dict[str, str]] = self._result()["steps"]
        return steps

    def __str__(self) -> str:
        return self.value if self.value is not None else "\n".join(self.program)

    def __repr__(self) -> str:
        lines = []
        for left, right, shape in self._answer("none").equations("unicode"):
            line = f"{left} = {right}"
            lines.append(f"{line}   ({' × '.join(shape)})" if shape else line)
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        equations = self._answer("none").equations("latex")
        if len(equations) == 1:
            return f"$\\displaystyle {equations[0][0]} = {equations[0][1]}$"
        lines = " \\\\\n".join(f"{left} &= {right}" for left, right, _ in equations)
        return f"$$\\begin{{aligned}}\n{lines}\n\\end{{aligned}}$$"


class Derivation:
    """Lines that lead to results. It shows itself: as text in a terminal, as a foldable page in a notebook."""

    def __init__(self, answer: _matgrad.Answer) -> None:
        self._answer = answer

    def to_text(self, check: bool = True) -> str:
        """As text in the language; with what a check found where `check` is set."""
        return self._answer.render("text", check)

    def to_unicode(self, check: bool = True) -> str:
        """As text in a book's signs."""
        return self._answer.render("unicode", check)

    def to_latex(self, check: bool = True) -> str:
        """As a fragment of a LaTeX document."""
        return self._answer.render("latex", check)

    def to_markdown(self, check: bool = True) -> str:
        """As Markdown with LaTeX between dollars."""
        return self._answer.render("markdown", check)

    def to_html(self, check: bool = True) -> str:
        """As one HTML document."""
        return self._answer.render("html", check)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_unicode(check=False)

    def _repr_html_(self) -> str:
        names = ", ".join(f"{kind} of {of}" for kind, of in dict.fromkeys((k, o) for k, o, _, _ in self._answer.results()))
        return _folded(f"Derivation: {names}", self.to_html())


def _escape(text: str, quote: bool = True) -> str:
    import html

    return html.escape(text, quote)


def _folded(title: str, document: str) -> str:
    """A document in a frame of its own, so that its style and the notebook's do not meet."""
    frame = _escape(document, quote=True)
    return (
        f'<details open><summary>{_escape(title)}</summary><iframe srcdoc="{frame}" '
        'style="width: 100%; height: 34rem; border: 1px solid #8884; border-radius: 4px; resize: vertical" '
        f'title="{_escape(title, quote=True)}"></iframe></details>'
    )


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
        return _folded(f"{self.right} right, {self.wrong} wrong", self._html)


def program(text: str | os.PathLike[str]) -> Program:
    """Reads a program.

    Parameters
    ----------
    text : str or path
        Declarations, definitions, requests, one a line. It may ask for nothing: what is wanted can be asked later. A path
        object, or a string that ends in ``.mg``, is a file that is read.

    Returns
    -------
    Program

    Raises
    ------
    MatgradError
        The text is wrong; the message shows where, and tells all mistakes.

    Examples
    --------
    >>> p = matgrad.program('''
    ... X : matrix(N, D)
    ... y : vector(N)
    ... L = 1/N * normsq(X*w - y)
    ... grad L wrt w
    ... ''')
    >>> p.gradient("w")
    ∂L/∂w = 2/N·Xᵀ·(X·w − y)   (D × 1)
    """
    name = "program"
    if not isinstance(text, str) or (text.endswith(".mg") and "\n" not in text):
        name, text = _read(text)
    return Program(_Text(((name, text),)))


def _read(path: str | os.PathLike[str]) -> tuple[str, str]:
    import os

    with open(path, encoding="utf-8") as file:
        return os.fspath(path), file.read()


def _asked(
    kind: str, expression: str, wrt: Names | None, types: str | Mapping[str, str] | None
) -> Derivative:
    pieces = []
    declarations = _declarations(types)
    if declarations:
        pieces.append(("types", declarations))
    pieces.append(("expression", expression))
    if wrt is not None:
        pieces.append(("wrt", ", ".join(_names(wrt))))
    return Derivative(_Text(tuple(pieces), kind, wrt is not None))


def grad(expression: str, wrt: str, types: str | Mapping[str, str] | None = None) -> Derivative:
    """The gradient of a scalar expression.

    Parameters
    ----------
    expression : str
        A scalar, such as ``"a'*X*b"``. Definitions may stand before it, one a line.
    wrt : str
        The variable.
    types : str or mapping of str to str, optional
        Declarations, ``"S : symmetric(n)"`` or ``{"S": "symmetric(n)"}``. What is not declared is a matrix where its name
        begins with an upper-case letter, a column vector where with a lower-case one, a scalar where it is Greek.

    Returns
    -------
    Derivative
        Its shape is that of the variable.

    Raises
    ------
    MatgradError
        The expression is wrong, or no rule covers it.

    Examples
    --------
    >>> matgrad.grad("log(det(S)) + tr(inv(S)*A)", wrt="S", types={"S": "posdef(n)"})
    ∂f/∂S = S⁻¹ − ½·S⁻¹·(A + Aᵀ)·S⁻¹   (n × n)
    """
    names = _names(wrt)
    if len(names) > 1:
        raise ValueError("grad takes one variable; a program with `grad F wrt A, B` takes several")
    return _asked("gradient", expression, names, types)


def jacobian(expression: str, wrt: str, types: str | Mapping[str, str] | None = None) -> Derivative:
    """The derivative of a vector or matrix by one variable. Parameters and errors as in :func:`grad`.

    Examples
    --------
    >>> matgrad.jacobian("A*x", wrt="x").value
    'A'
    """
    return _asked("jacobian", expression, wrt, types)


def hessian(expression: str, wrt: Names, types: str | Mapping[str, str] | None = None) -> Derivative:
    """The second derivative of a scalar by one variable, or by two. Parameters and errors as in :func:`grad`.

    Examples
    --------
    >>> matgrad.hessian("normsq(A*x - b)", wrt="x").value
    "2*A'*A"
    """
    return _asked("hessian", expression, wrt, types)


def differential(
    expression: str, wrt: Names | None = None, types: str | Mapping[str, str] | None = None
) -> Derivative:
    """The differential of an expression, linear in dX; every variable moves where `wrt` is left out. Parameters and errors as
    in :func:`grad`.

    Examples
    --------
    >>> matgrad.differential("X*Y").value
    'dX*Y + X*dY'
    """
    return _asked("differential", expression, wrt, types)


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

        name, text = _read(document)
        format = format or _FORMATS.get(pathlib.PurePath(name).suffix)
    else:
        text = document
    if format is None:
        format = _look(text)
    declared = _declarations(types).strip("\n")
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
    declared = _declarations(types)
    return _matgrad.explain(f"{declared}\n{equation}" if declared else equation, "equation").rstrip("\n")

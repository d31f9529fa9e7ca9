"""Formulas: programs, derivatives and derivations."""

from __future__ import annotations

from matgrad._text import Answered, Text, declarations_of, names_of, read_file
from matgrad.derivation import escape
from matgrad.verdicts import verify

# Without `typing` and `dataclasses` the package is there in half the time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from typing import Any

    from matgrad._text import Names
    from matgrad.verdicts import Verdicts


class Program(Answered):
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
        """The derivatives that the text asks for, in order.

        Examples
        --------
        >>> p = matgrad.program("L = normsq(X*w - y)\\ngrad L wrt w, y\\nhessian L wrt w along v")
        >>> p.results[1].value
        '2*(y - X*w)'
        >>> p.results[2].value
        "2*X'*(X*v)"
        """
        answer = self._answer("none")
        return [
            self._derivative(kind, of, moving, directions, key)
            for (kind, of, _, key), (moving, directions) in zip(answer.results(), answer.directions())
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
        return self._derivative("hessian", of or self._scalar(), names_of(wrt), [])

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
        return self._derivative("hessian along", of or self._scalar(), names_of(wrt), names_of(along))

    def jvp(self, wrt: Names, along: Names, of: str | None = None) -> Derivative:
        """The Jacobian applied to a direction."""
        return self._derivative("jacobian along", of or self._last(), names_of(wrt), names_of(along))

    def vjp(self, wrt: Names, against: str, of: str | None = None) -> Derivative:
        """The transposed Jacobian applied to a cotangent: the gradient of tr(U'Y) with U held fixed."""
        return self._derivative("jacobian against", of or self._last(), names_of(wrt), [against])

    def differential(self, of: str | None = None, wrt: Names | None = None) -> Derivative:
        """dF itself, linear in the differentials of what moves; of the last definition where `of` is left out.

        Examples
        --------
        >>> matgrad.program("Y = inv(A)").differential()
        dY = −Y·dA·Y   (m × m)
        """
        return self._derivative("differential", of or self._last(), names_of(wrt) if wrt is not None else [], [])

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

    def _derivative(
        self, kind: str, of: str, wrt: list[str], directions: list[str], key: str | None = None
    ) -> Derivative:
        verb = {"gradient": "grad"}.get(kind.split(" ")[0], kind.split(" ")[0])
        request = f"{verb} {of}"
        if wrt:
            request += f" wrt {', '.join(wrt)}"
        if directions:
            request += f" {kind.split(' ')[1]} {', '.join(directions)}"
        return Derivative(Text((*self._text.pieces, (verb, request)), only_last=True), key)

    def _scalar(self) -> str:
        answer = self._answer("none")
        asked = list(dict.fromkeys(of for kind, of, _, _ in answer.results() if _is_of_scalar(kind)))
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
        asked = list(dict.fromkeys(of for kind, of, _, _ in answer.results() if not _is_of_scalar(kind)))
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
            return f"<pre>{escape(self.text)}</pre>"
        return self.derivation()._repr_html_()


class Derivative(Answered):
    """One derivative: the formula, how it comes about, code for it, numbers.

    In a notebook it shows itself as a formula; ``derivation()`` shows the way to it.
    """

    _told: dict[str, Any] | None = None

    def __init__(self, text: Text, key: str | None = None) -> None:
        super().__init__(text)
        # Of a request with several results the one that is meant; else the last.
        keys = [result[3] for result in self._answer("none").results()]
        self._place = keys.index(key) if key in keys else len(keys) - 1

    def __reduce__(self) -> tuple[type[Answered], tuple[Any, ...]]:
        return (type(self), (self._text, self.key))

    def __eq__(self, other: object) -> bool:
        equal = super().__eq__(other)
        return equal and self._place == other._place if isinstance(other, Derivative) else equal

    __hash__ = Answered.__hash__

    def _result(self) -> dict[str, Any]:
        if self._told is None:
            import json

            results: list[dict[str, Any]] = json.loads(self._answer("full").render("json", False))["results"]
            self._told = results[self._place]
        return self._told

    @property
    def kind(self) -> str:
        """``gradient``, ``jacobian``, ``hessian``, ``differential``, or the last three applied to directions."""
        return self._answer("none").results()[self._place][0]

    @property
    def of(self) -> str:
        """What is differentiated, as typed."""
        return self._answer("none").results()[self._place][1]

    @property
    def wrt(self) -> tuple[str, ...]:
        """The names it is differentiated by."""
        return tuple(self._answer("none").results()[self._place][2])

    @property
    def key(self) -> str:
        """Its key among the results of :meth:`compile`, as ``grad(L,W1)``."""
        return self._answer("none").results()[self._place][3]

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


def _is_of_scalar(kind: str) -> bool:
    """Whether only scalars have derivatives of this kind, applied to directions or not."""
    return kind.split(" ")[0] in ("gradient", "hessian")


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
        name, text = read_file(text)
    return Program(Text(((name, text),)))


def _asked(
    kind: str, expression: str, wrt: Names | None, types: str | Mapping[str, str] | None
) -> Derivative:
    pieces = []
    declarations = declarations_of(types)
    if declarations:
        pieces.append(("types", declarations))
    pieces.append(("expression", expression))
    if wrt is not None:
        pieces.append(("wrt", ", ".join(names_of(wrt))))
    return Derivative(Text(tuple(pieces), kind, wrt is not None))


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
    names = names_of(wrt)
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

"""What differentiable functions of PyTorch and JAX have in common: which plans they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matgrad._matgrad import Function
    from matgrad._text import Names
    from matgrad.formulas import Program


class Differentiable:
    """A result of a program with its derivatives by some of its variables.

    A scalar is computed together with those gradients that are needed, in one plan. Of anything else the value is computed
    alone, and later the transposed Jacobian is applied to the cotangent that comes.
    """

    def __init__(
        self,
        program: Program,
        of: str | None,
        wrt: Names | None,
        threads: int | None,
        check: bool,
    ) -> None:
        from matgrad._text import names_of

        self._program = program
        self._threads = threads
        self._check = check
        self.of = of if of is not None else _asked(program)
        answer = _with(program, f"differential {self.of}")
        self._shape = answer.shape_of(0)
        self.is_scalar = self._shape == ("1", "1")
        self._name = answer.results()[0][1]
        self._variables = answer.variables()
        function = self._value("float64")
        self._function_for_shapes = function
        #: The variables that the value depends on, in the order of the program.
        self.names = [name for name, _ in function.inputs]
        self._forms = dict(function.inputs)
        if wrt is None:
            moving = [name for name in self.names if self._forms[name] != "onehot"]
        else:
            moving = names_of(wrt)
            unknown = [name for name in moving if name not in self.names]
            if unknown:
                raise ValueError(f"`{self.of}` does not depend on {', '.join(unknown)}; it depends on {', '.join(self.names)}")
        self.moving = moving
        self._functions: dict[tuple[str, tuple[str, ...], bool], Function] = {}

    def doc(self, arrays: str) -> str:
        """A docstring of the function."""
        variables = dict(self._variables)
        lines = "\n".join(f"    {name} : {variables[name]}" for name in self.names)
        return f"{self.of} of {arrays}, which may be differentiated by {', '.join(self.moving)}.\n\n{lines}\n"

    def bound(self, arrays: Sequence[Any], named: dict[str, Any]) -> list[Any]:
        """The arguments in the order of the names."""
        if len(arrays) > len(self.names):
            raise TypeError(f"{len(arrays)} arrays are given; the function takes {', '.join(self.names)}")
        given = dict(zip(self.names, arrays, strict=False))
        for name, array in named.items():
            known = name if name in self.names else {"λ": "lambda"}.get(name, name.removesuffix("_"))
            if known not in self.names:
                raise TypeError(f"the function has no argument `{name}`; it takes {', '.join(self.names)}")
            if known in given:
                raise TypeError(f"`{known}` is given twice")
            given[known] = array
        missing = [name for name in self.names if name not in given]
        if missing:
            raise TypeError(f"there is no argument {', '.join(f'`{name}`' for name in missing)}")
        return [given[name] for name in self.names]

    def must_not_move(self, moves: Sequence[bool], is_enabled: bool) -> None:
        """An error where a gradient will be wanted that is not among those told."""
        for name, moved in zip(self.names, moves, strict=True):
            if moved and is_enabled and name not in self.moving:
                raise ValueError(f"`{name}` requires a gradient, but wrt is {', '.join(self.moving)}")

    def forward(self, dtype: str, arrays: Sequence[Any], needed: tuple[bool, ...]) -> tuple[Any, list[Any] | None]:
        """The value as an array; of a scalar with the gradients that are needed, each in the shape of its array."""
        import numpy as np

        by = tuple(name for name, need in zip(self.names, needed, strict=True) if need)
        if not self.is_scalar or not by:
            function = self._function(dtype, (), False)
            result = function(dict(zip(self.names, arrays, strict=True)))
            value = np.asarray(result[function.outputs[0]], dtype)
            return value, None if not self.is_scalar else [None] * len(self.names)
        function = self._function(dtype, by, False)
        result = function(dict(zip(self.names, arrays, strict=True)))
        value = np.asarray(result[function.outputs[0]], dtype)
        gradients = dict(zip(by, function.outputs[1:], strict=True))
        return value, [
            _like(result[gradients[name]], array, dtype) if name in gradients else None
            for name, array in zip(self.names, arrays, strict=True)
        ]

    def backward(self, dtype: str, arrays: Sequence[Any], needed: tuple[bool, ...], cotangent: Any) -> list[Any]:
        """The transposed Jacobian applied to the cotangent of what is no scalar."""
        by = tuple(name for name, need in zip(self.names, needed, strict=True) if need)
        if not by:
            return [None] * len(self.names)
        function = self._function(dtype, by, True)
        given = dict(zip(self.names, arrays, strict=True))
        given[self._cotangent_name()] = cotangent
        known = {name for name, _ in function.inputs}
        result = function({name: array for name, array in given.items() if name in known})
        keys = dict(zip(by, function.outputs, strict=True))
        return [
            _like(result[keys[name]], array, dtype) if name in keys else None
            for name, array in zip(self.names, arrays, strict=True)
        ]

    def _function(self, dtype: str, by: tuple[str, ...], is_backward: bool) -> Function:
        key = (dtype, by, is_backward)
        function = self._functions.get(key)
        if function is None:
            if is_backward:
                function = self._compiled(dtype, f"jacobian {self.of} wrt {', '.join(by)} against {self._cotangent_name()}", True)
            elif by:
                function = self._compiled(dtype, f"grad {self.of} wrt {', '.join(by)}", False)
            else:
                function = self._value(dtype)
            self._functions[key] = function
        return function

    def _compiled(self, dtype: str, request: str, derivatives_only: bool) -> Function:
        from matgrad._text import Text, compiled

        pieces = (*self._program._text.pieces, ("request", request))
        if derivatives_only:
            pieces = (*self._cotangent_declaration(), *pieces)
        text = Text(pieces, only_last=True)
        answer = text.answer("none")
        results = answer.results()
        keys = list(dict.fromkeys(key for _, _, _, key in results))
        outputs = keys if derivatives_only else [results[0][1], *keys]
        return compiled(text, outputs, [], dtype, self._threads, self._check, answer)

    def shape(self, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
        """The shape of the value from those of the arrays."""
        return tuple(self._function_for_shapes.shapes(shapes)[0])

    def _value(self, dtype: str) -> Function:
        from matgrad._text import Text, compiled

        text = Text((*self._program._text.pieces, ("request", f"differential {self.of}")), only_last=True)
        return compiled(text, [self._name], [], dtype, self._threads, self._check)

    def _cotangent_name(self) -> str:
        """A name that the language takes for a matrix or a column, as the value is."""
        _, columns = self._shape
        taken = {*self._program.variables, *self._program.definitions}
        name = "u" if columns == "1" else "U"
        while name in taken:
            name += "u"
        return name

    def _cotangent_declaration(self) -> tuple[tuple[str, str], ...]:
        """Of a row; what else it is follows from its name."""
        rows, columns = self._shape
        if rows != "1" or columns == "1":
            return ()
        return (("cotangent", f"{self._cotangent_name()} : row({columns})"),)


def _with(program: Program, request: str) -> Any:
    from matgrad._text import Text

    return Text((*program._text.pieces, ("request", request)), only_last=True).answer("none")


def _asked(program: Program) -> str:
    results = program.results
    if results:
        asked = list(dict.fromkeys(result.of for result in results))
        if len(asked) > 1:
            raise ValueError(f"say which result is meant, as of=\"{asked[0]}\"; the program has {', '.join(asked)}")
        return asked[0]
    if not program.definitions:
        raise ValueError("the program has no definition: say what the function gives, as of=\"X*w\"")
    return program.definitions[-1]


def _like(gradient: Any, array: Any, dtype: str) -> Any:
    """A gradient in the shape of its array: a scalar's has no axes, or those that the scalar came with."""
    import numpy as np

    gradient = np.asarray(gradient, dtype)
    shape = tuple(getattr(array, "shape", ()))
    return gradient if gradient.shape == shape else gradient.reshape(shape)

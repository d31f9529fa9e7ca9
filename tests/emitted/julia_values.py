"""Values of Julia on NumPy: what its operators and functions do, with its own rules for shapes and dots.

Numbers, arrays, ranges and tuples come in and go out. What Julia would refuse is an error: `+` between an array and a number,
a function of numbers called with an array and no dot, sizes that do not fit along the first axis, a function that stands in
none of the tables here or in a package that the file does not name.
"""

import math

import numpy as np
import scipy.linalg
import scipy.special


class JuliaError(Exception):
    """What Julia would throw, or what the reader does not know."""


class Row:
    """The adjoint of a vector: a matrix of one row, whose product with a vector is a number."""

    def __init__(self, vector):
        self.vector = vector

    def matrix(self):
        return self.vector[np.newaxis, :]


class Symmetric:
    """The upper triangle of a matrix, and its mirror image."""

    def __init__(self, a):
        self.a = np.triu(square(a)) + np.triu(a, 1).T


class Cholesky:
    """A lower triangular factor."""

    def __init__(self, a):
        a = a.a if isinstance(a, Symmetric) else square(a)
        if not np.array_equal(a, a.T):
            raise JuliaError("PosDefException: the matrix is not symmetric")
        self.L = np.linalg.cholesky(a)


class Scaling:
    """A multiple of the identity of any size."""

    def __init__(self, factor):
        self.factor = factor


COLON = object()


def is_number(x):
    return isinstance(x, (bool, int, float))


def is_vector(x):
    return isinstance(x, np.ndarray) and x.ndim == 1


def is_matrix(x):
    return isinstance(x, Row) or isinstance(x, np.ndarray) and x.ndim == 2


def of_kind(x):
    return f"{type(x).__name__}{getattr(plain(x), 'shape', '')}"


def no_method(name, *values):
    raise JuliaError(f"MethodError: {name}({', '.join(map(of_kind, values))})")


def plain(x):
    """A row as a matrix, a range as a vector; truth counts as 0 or 1 in arithmetic."""
    if isinstance(x, Row):
        x = x.matrix()
    elif isinstance(x, range):
        x = np.arange(x.start, x.stop)
    return x.astype(int) if isinstance(x, np.ndarray) and x.dtype == bool else x


def array(x):
    """An array, and nothing else."""
    x = plain(x)
    return x if isinstance(x, np.ndarray) else no_method("an array is needed, not", x)


def square(a):
    a = array(a)
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise JuliaError(f"DimensionMismatch: a matrix of size {a.shape} is not square")
    return a


def tidy(x):
    """A result of NumPy; an integer that Julia's 64 bits do not hold is no result."""
    if isinstance(x, np.generic) or isinstance(x, np.ndarray) and x.ndim == 0:
        x = x.item()
    if isinstance(x, int) and abs(x) >= 2**63 or isinstance(x, complex):
        raise JuliaError(f"{x} is no Int64 or Float64")
    return x


def broadcast(function, values):
    """A function by entries. Axes are counted from the first: a vector lies along the columns of a matrix."""
    values = [plain(x) for x in values]
    if not all(is_number(x) or isinstance(x, np.ndarray) for x in values):
        no_method("broadcast", *values)
    axes = max(np.ndim(x) for x in values)
    return tidy(function(*(x.reshape(x.shape + (1,) * (axes - x.ndim)) if np.ndim(x) else x for x in values)))


class ByEntries:
    """A function of numbers; an array needs the dot, but where there is a function of whole matrices."""

    def __init__(self, name, function, domain=None, whole=None):
        self.name, self.function, self.domain, self.whole = name, function, domain, whole

    def __call__(self, *values):
        if all(map(is_number, values)):
            return tidy(self.checked(*(+x for x in values)))
        return self.whole(*values) if self.whole else no_method(self.name, *values)

    def checked(self, *values):
        if self.domain and not np.all(self.domain(*values)):
            raise JuliaError(f"DomainError: {self.name}")
        return self.function(*values)


def power_domain(a, b):
    """An integer has no negative power, a negative number only whole ones."""
    integers = all(np.asarray(x).dtype.kind in "bi" for x in (a, b))
    return np.greater_equal(b, 0) if integers else np.logical_or(np.greater_equal(a, 0), np.equal(b, np.floor(b)))


def quotient(a, b):
    if not (isinstance(a, int) and isinstance(b, int) and b > 0 and a >= 0):
        raise JuliaError("÷ is read between counts only")
    return a // b


def matrix_power(a, k):
    if not isinstance(k, int):
        no_method("^", a, k)
    return np.linalg.matrix_power(square(a), k)


# The operators: for numbers and by entries.
OPERATORS = {
    "+": ByEntries("+", np.add),
    "-": ByEntries("-", np.subtract),
    "*": ByEntries("*", np.multiply),
    "/": ByEntries("/", np.true_divide),
    "^": ByEntries("^", np.power, power_domain, matrix_power),
    "÷": ByEntries("÷", quotient),
    "<": ByEntries("<", np.less),
    "<=": ByEntries("<=", np.less_equal),
    ">": ByEntries(">", np.greater),
    ">=": ByEntries(">=", np.greater_equal),
    "==": ByEntries("==", np.equal, whole=lambda a, b: same(a, b)),
    "!=": ByEntries("!=", np.not_equal),
}


def same(a, b):
    """Sizes and texts; arrays are not compared as wholes."""
    if not all(isinstance(x, (tuple, str)) for x in (a, b)):
        no_method("==", a, b)
    return a == b


def same_shapes(name):
    def between(a, b):
        if is_number(a) and is_number(b):
            return OPERATORS[name](a, b)
        x, y = plain(a), plain(b)
        if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):
            no_method(name, a, b)
        if x.shape != y.shape:
            raise JuliaError(f"DimensionMismatch: {x.shape} {name} {y.shape}")
        return OPERATORS[name].function(x, y)

    return between


def times(a, b):
    if is_number(a) and is_number(b):
        return OPERATORS["*"](a, b)
    if is_number(a) and isinstance(b, Scaling):
        return Scaling(a * b.factor)
    if is_number(a) or is_number(b):
        # Whether a scaled row is still an adjoint is left open: it is a matrix here.
        return OPERATORS["*"].function(plain(a), array(b)) if is_number(a) else times(b, a)
    x, y = array(a), array(b)
    if is_vector(x) and is_vector(y) or isinstance(a, Row) and isinstance(b, Row) or max(x.ndim, y.ndim) > 2:
        no_method("*", a, b)
    if is_vector(x):
        x = x[:, np.newaxis]
    if x.shape[1] != y.shape[0]:
        raise JuliaError(f"DimensionMismatch: {of_kind(a)} * {of_kind(b)}")
    if isinstance(a, Row):
        return tidy(a.vector @ y) if is_vector(y) else Row(a.vector @ y)
    return x @ y


def divide(a, b):
    if not is_number(b):
        no_method("/", a, b)
    return OPERATORS["/"](a, b) if is_number(a) else OPERATORS["/"].function(array(a), b)


def solve(a, b):
    b = array(b)
    matrix = a.L if isinstance(a, Cholesky) else square(a)
    if b.ndim > 2 or matrix.shape[0] != b.shape[0]:
        raise JuliaError(f"DimensionMismatch: {matrix.shape} \\ {b.shape}")
    return scipy.linalg.cho_solve((a.L, True), b) if isinstance(a, Cholesky) else np.linalg.solve(matrix, b)


def negative(a):
    if isinstance(a, Row):
        return Row(-plain(a.vector))
    return -a if is_number(a) else -array(a)


def adjoint(a):
    if is_number(a):
        return a
    if isinstance(a, Row):
        return a.vector
    if not isinstance(a, np.ndarray) or a.ndim > 2:
        no_method("adjoint", a)
    return Row(a) if a.ndim == 1 else a.T


BINARY = {**OPERATORS, "+": same_shapes("+"), "-": same_shapes("-"), "*": times, "/": divide, "\\": solve}
UNARY = {"-": negative, "+": lambda a: a, "!": lambda a: not truth(a)}


def truth(x):
    return x if isinstance(x, bool) else no_method("a condition is no Bool:", x)


def inside(place, n):
    """Places on an axis of so many entries, counted from 1."""
    if place is COLON:
        return range(1, n + 1)
    if isinstance(place, np.ndarray) and place.dtype == bool and place.shape == (n,):
        return [int(i) + 1 for i in np.flatnonzero(place)]
    own = [place] if type(place) is int else place if isinstance(place, range) else no_method("getindex", place)
    return own if all(1 <= i <= n for i in own) else throw(f"BoundsError: {place} of {n}")


def entries_at(base, places):
    """The entries at places that lie along the axes of loops."""
    if len(places) != base.ndim or any(np.min(p) < 1 or np.max(p) > n for p, n in zip(places, base.shape)):
        raise JuliaError(f"BoundsError: an array of size {base.shape}")
    return base[tuple(np.asarray(p) - 1 for p in places)]


def reduction(name, function):
    """`sum` and `maximum`: of all entries, along an axis that stays with size 1, of a function of the entries."""

    def reduce(*values, dims=None):
        *first, x = values
        if first and not isinstance(first[0], ByEntries) or len(values) > 2:
            no_method(name, *values)
        x = np.asarray(plain(x)) if is_number(x) else array(x)
        x = first[0].checked(x) if first else x
        if dims is None:
            return tidy(function(x))
        # An axis beyond the last has size 1.
        return function(x, axis=dims - 1, keepdims=True) if dims <= x.ndim else x

    return reduce


def sizes(values):
    """Sizes, given one by one or as a tuple."""
    given = tuple(values[0]) if len(values) == 1 and isinstance(values[0], tuple) else tuple(values)
    if not given or not all(x is COLON or isinstance(x, int) and x >= 0 for x in given):
        no_method("sizes", *given)
    return given


def fill(value, *shape):
    return np.full(sizes(shape), value) if is_number(value) else no_method("fill", value)


def reshape(a, *shape):
    return array(a).reshape([-1 if x is COLON else x for x in sizes(shape)], order="F")


def size(a, axis=None):
    shape = () if is_number(a) else array(a).shape
    return shape if axis is None else shape[axis - 1] if axis <= len(shape) else 1


def joined(axis, parts):
    """`vcat` and `hcat`: a vector is a column, a number a matrix of one entry; vectors below each other are a vector."""
    parts = [np.asarray(x) if is_number(x) else array(x) for x in parts]
    flat = axis == 0 and max(x.ndim for x in parts) < 2
    parts = [np.atleast_1d(x) if flat else x.reshape(x.shape + (1,) * (2 - x.ndim)) for x in parts]
    if any(x.ndim > 2 for x in parts) or not flat and len({x.shape[1 - axis] for x in parts}) > 1:
        raise JuliaError(f"DimensionMismatch: {[x.shape for x in parts]} side by side")
    return np.concatenate(parts, axis)


def kron(a, b):
    a, b = array(a), array(b)
    if is_vector(a) and is_vector(b):
        return np.kron(a, b)
    return np.kron(*(x[:, np.newaxis] if is_vector(x) else x for x in (a, b)))


def dot(a, b):
    if is_number(a) and is_number(b):
        return tidy(a * b)
    a, b = array(a), array(b)
    if a.shape != b.shape:
        raise JuliaError(f"DimensionMismatch: dot of {a.shape} and {b.shape}")
    return tidy(np.sum(a * b))


def exponential(a):
    return scipy.linalg.expm(square(a))


def symmetric_root(a):
    values, vectors = np.linalg.eigh(a.a) if isinstance(a, Symmetric) else no_method("sqrt", a)
    if values.min() < 0:
        raise JuliaError("the root of this matrix is complex")
    return Symmetric(vectors * np.sqrt(values) @ vectors.T)


def matrix_of(a, *shape):
    if isinstance(a, Scaling) and len(shape) == 2:
        return a.factor * np.eye(*sizes(shape))
    return a.a if isinstance(a, Symmetric) else a if is_matrix(a) and not shape else no_method("Matrix", a)


def singular_values(a):
    u, s, v = np.linalg.svd(array(a), full_matrices=False)
    return u, s, v.T


def logarithm_of_determinant(a):
    sign, logarithm = np.linalg.slogdet(square(a))
    return throw("DomainError: logdet of a negative determinant") if sign < 0 else tidy(logarithm)


def of_matrix(function):
    return lambda a: function(a) if is_matrix(a) else no_method("a matrix is needed, not", a)


def only(x):
    x = np.asarray(plain(x))
    return tidy(x.ravel()[0]) if x.size == 1 else throw("ArgumentError: only of more or less than one")


def throw(error):
    raise error if isinstance(error, Exception) else JuliaError(error)


def identity_like(a):
    return type(a)(1) if is_number(a) else np.eye(len(square(a)))


def zero(a):
    return 0.0 if a is float else type(a)(0) if is_number(a) else np.zeros_like(array(a))


SCALAR = {
    "exp": ByEntries("exp", np.exp, whole=exponential),
    "log": ByEntries("log", np.log, lambda x: x >= 0),
    "log1p": ByEntries("log1p", np.log1p, lambda x: x >= -1),
    "sqrt": ByEntries("sqrt", np.sqrt, lambda x: x >= 0, symmetric_root),
    "asin": ByEntries("asin", np.arcsin, lambda x: np.abs(x) <= 1),
    "acos": ByEntries("acos", np.arccos, lambda x: np.abs(x) <= 1),
    "atan": ByEntries("atan", np.arctan),
    "max": ByEntries("max", np.maximum),
    "min": ByEntries("min", np.minimum),
    "abs2": ByEntries("abs2", np.square),
    "Float64": ByEntries("Float64", np.float64),
    "isqrt": ByEntries("isqrt", math.isqrt),
    **{name: ByEntries(name, getattr(np, name)) for name in "expm1 abs sign sin cos tan sinh cosh tanh".split()},
}
BASE = {
    **SCALAR,
    "sum": reduction("sum", np.sum),
    "maximum": reduction("maximum", np.max),
    "prod": lambda a: tidy(np.prod(array(a))),
    "fill": fill,
    "zeros": lambda *shape: fill(0.0, *shape),
    "reshape": reshape,
    "vec": lambda a: reshape(a, COLON),
    "vcat": lambda *parts: joined(0, parts),
    "hcat": lambda *parts: joined(1, parts),
    "size": size,
    "ndims": lambda a: len(size(a)),
    "length": lambda a: math.prod(size(a)),
    "isempty": lambda a: len(a) == 0 if isinstance(a, tuple) else math.prod(size(a)) == 0,
    "axes": lambda a, axis: range(1, size(a, axis) + 1),
    "eachindex": lambda a: range(1, math.prod(size(a)) + 1),
    "only": only,
    "one": identity_like,
    "zero": zero,
    "eltype": lambda a: float if array(a).dtype == float else no_method("eltype", a),
    "Matrix": matrix_of,
    "throw": throw,
    "error": throw,
    "DimensionMismatch": lambda text: JuliaError(f"DimensionMismatch: {text}"),
    "LineNumberNode": lambda line: line,
    "abspath": lambda path: path,
    "PROGRAM_FILE": "the file",
    "@__FILE__": "the file",
    "@__MODULE__": "Main",
    "pi": math.pi,
}
NO_TANGENT, NOT_IMPLEMENTED = object(), object()
MODULES = {
    "LinearAlgebra": {
        "I": Scaling(1),
        "Symmetric": Symmetric,
        "cholesky": Cholesky,
        "dot": dot,
        "kron": kron,
        "svd": of_matrix(singular_values),
        "inv": lambda a: tidy(1 / a) if is_number(a) else np.linalg.inv(square(a)),
        "det": lambda a: tidy(np.linalg.det(square(a))),
        "logdet": logarithm_of_determinant,
        "norm": lambda a: tidy(np.sqrt(np.sum(np.square(plain(a))))),
        "tr": lambda a: tidy(np.trace(square(a))),
        "diag": of_matrix(lambda a: np.diagonal(array(a))),
        "diagm": lambda a: np.diag(a) if is_vector(a) else no_method("diagm", a),
        "tril": of_matrix(lambda a: np.tril(array(a))),
        "triu": of_matrix(lambda a: np.triu(array(a))),
        "pinv": of_matrix(lambda a: np.linalg.pinv(array(a), rcond=np.finfo(float).eps * min(size(a)))),
    },
    "SpecialFunctions": {
        "erf": ByEntries("erf", scipy.special.erf),
        "erfc": ByEntries("erfc", scipy.special.erfc),
    },
    "ChainRulesCore": {"NoTangent": lambda: NO_TANGENT, "NotImplemented": lambda *why: NOT_IMPLEMENTED},
}
TYPES = {
    "Real": is_number,
    "Number": is_number,
    "Int": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "AbstractVector": is_vector,
    "AbstractMatrix": is_matrix,
}

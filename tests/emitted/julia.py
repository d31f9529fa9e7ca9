"""Evaluates the part of Julia that `matgrad emit` writes, by the tree that the language's grammar gives.

A file comes in, its functions go out, to be called with numbers and NumPy arrays; a file that is run as a program runs its
self-test. Whatever Julia would refuse is an error here, and so is all that the reader does not know: a name that is bound
nowhere, a name read before it is bound, syntax that is never emitted. What operators and functions do is `julia_values`'s.
Julia itself is not here: that these rules are Julia's is these files' word.
"""

import itertools
import math
import operator
import types
from functools import partial

import numpy as np

from julia_values import BASE, BINARY, COLON, MODULES, NO_TANGENT, NOT_IMPLEMENTED, OPERATORS, TYPES, UNARY
from julia_values import ByEntries, JuliaError, adjoint, array, broadcast, entries_at, inside, is_number, joined
from julia_values import no_method, plain, throw, tidy, times, truth

# Comprehensions of at most so many terms are computed at once, larger ones step by step.
AT_ONCE = 4_000_000


class TooMany(Exception):
    """Terms to compute at once."""


class Scope(dict):
    """The names of a call, or of a step of a comprehension, inside those around it."""

    def __init__(self, parent, names=()):
        super().__init__(names)
        self.parent = parent


class Method:
    """A function for arguments of some types. Those behind the first defaults may be left out."""

    def __init__(self, scope, parameters, body):
        self.scope, self.parameters, self.body = scope, parameters, body
        self.strictness = sum(kind is not None for _, kind, _ in parameters)

    def takes(self, values):
        needed = sum(default is None for _, _, default in self.parameters)
        kinds = (kind for _, kind, _ in self.parameters)
        return needed <= len(values) <= len(self.parameters) and all(k is None or k(x) for k, x in zip(kinds, values))

    def call(self, values):
        scope = Scope(self.scope)
        for (name, _, default), value in itertools.zip_longest(self.parameters, values):
            scope[name] = default(scope) if value is None else value
        return self.body(scope)


class Function:
    """What a name calls: the strictest method that takes the arguments."""

    def __init__(self, name, methods=()):
        self.name, self.methods = name, list(methods)

    def __call__(self, *values):
        fitting = [method for method in self.methods if method.takes(values)]
        if not fitting:
            no_method(self.name, *values)
        return max(fitting, key=lambda method: method.strictness).call(values)


def parts(node):
    return [child for child in node.named_children if child.type != "line_comment"]


def text(node):
    return node.text.decode()


def bound(nodes):
    """The names that statements bind, but in functions of their own."""
    for node in nodes:
        inner = parts(node)
        if node.type == "function_definition":
            yield text(parts(parts(inner[0])[0])[0])
        elif node.type == "assignment" and inner[0].type != "call_expression":
            yield from (text(name) for name in (parts(inner[0]) if inner[0].type == "open_tuple" else [inner[0]]))
        elif node.type != "arrow_function_expression":
            yield from bound(inner)


def mentions(node, names):
    return node.type == "identifier" and text(node) in names or any(mentions(part, names) for part in parts(node))


class Reader:
    """Makes a file's tree into functions of Python: what stands at a node becomes a function of the scope."""

    def __init__(self, root):
        self.known, self.source = dict(BASE), text(root)
        self.functions, self.signatures, self.wanted, self.printed = {}, set(), [], []
        self.known["println"] = lambda *words: self.printed.append("".join(map(str, words)))
        # The names of each function and comprehension around a node, the innermost last.
        self.scopes = []
        for node in parts(root):
            self.read(node)(None)
        # Names in what has not run, too.
        for name in self.wanted:
            self.of_file(name)

    def call(self, name, *values):
        with np.errstate(all="ignore"):
            return self.known[name](*values)

    def read(self, node):
        reader = getattr(self, node.type, None)
        return reader(node, *parts(node)) if reader else self.unknown(node)

    def unknown(self, node):
        raise JuliaError(f"line {node.start_point[0] + 1}: {node.type} is not read: {text(node)[:80]}")

    # Names.

    def depth(self, name):
        """How many scopes out a name is bound; nothing where it is a name of the file or of Julia."""
        return next((depth for depth, names in enumerate(reversed(self.scopes)) if name in names), None)

    def identifier(self, node):
        return self.name(text(node))

    def name(self, name):
        depth = self.depth(name)
        if depth is None:
            self.wanted.append(name)
            return lambda scope: self.of_file(name)

        def value(scope):
            for _ in range(depth):
                scope = scope.parent
            if name not in scope:
                raise JuliaError(f"UndefVarError: {name} is read before it is bound")
            return scope[name]

        return value

    def of_file(self, name):
        return self.known[name] if name in self.known else throw(f"UndefVarError: {name}")

    def bind(self, name):
        depth = self.depth(name)

        def bind(scope, value):
            for _ in range(depth):
                scope = scope.parent
            scope[name] = value

        return bind

    def macrocall_expression(self, node, *_):
        return self.name(text(node))

    def using_statement(self, node, what):
        module, *names = [text(part) for part in parts(what)] or [text(what)]
        if what.type == "selected_import":
            for name in names:
                self.known[name] = types.SimpleNamespace(**MODULES[module]) if name == module else MODULES[module][name]
        else:
            self.known.update(MODULES[module])
        return lambda scope: None

    # Statements.

    def block(self, nodes):
        """What the last statement gives; `return` stands nowhere else."""
        if any(node.type == "return_statement" for node in nodes[:-1]):
            self.unknown(nodes[0])
        steps = [self.read(node) for node in nodes]

        def run(scope):
            for step in steps:
                value = step(scope)
            return value

        return run

    def return_statement(self, node, value):
        return self.read(value)

    def if_statement(self, node, condition, *body):
        met, body = self.read(condition), self.block(body)
        return lambda scope: body(scope) if truth(met(scope)) else None

    def assignment(self, node, target, sign, value):
        if target.type == "call_expression":
            return self.function(target, [value])
        value = self.read(value)
        binds = [self.bind(text(part)) for part in (parts(target) if target.type == "open_tuple" else [target])]

        def assign(scope):
            given = value(scope)
            for bind, own in zip(binds, given if len(binds) > 1 else [given], strict=True):
                bind(scope, own)
            return given

        return assign

    def function_definition(self, node, signature, *body):
        return self.function(parts(signature)[0], body)

    def function(self, call, body):
        """A function by its name; a name that the body binds is its own throughout, unless it is one of a function around it."""
        called, arguments = parts(call)
        make = self.closure(parts(arguments), body)
        name = text(called)
        if self.scopes:
            bind = self.bind(name)
            return lambda scope: bind(scope, Function(name, [make(scope)]))
        if called.type == "field_expression":
            self.read(parts(called)[0])
        signature = text(call)
        if signature in self.signatures:
            raise JuliaError(f"{signature} is defined twice")
        self.signatures.add(signature)
        self.known[name] = self.functions.setdefault(name, Function(name))
        self.functions[name].methods.append(make(None))
        return lambda scope: None

    def closure(self, parameters, body):
        own = {self.parameter_name(node) for node in parameters}
        if len(own) < len(parameters):
            raise JuliaError(f"two parameters of one name: {sorted(own)}")
        self.scopes.append(own | {name for name in bound(body) if self.depth(name) is None})
        taken = [self.parameter(node) for node in parameters]
        run = self.block(body)
        self.scopes.pop()
        return lambda scope: Method(scope, taken, run)

    def parameter_name(self, node):
        return text(node if node.type == "identifier" else parts(node)[0])

    def parameter(self, node):
        """The name, whether a value has its type, and what it is where it is left out."""
        name, kind, default = self.parameter_name(node), None, None
        if node.type == "typed_expression":
            kind = TYPES[text(parts(node)[1])]
        elif node.type == "named_argument":
            default = self.read(parts(node)[2])
        elif node.type == "unary_typed_expression":
            # `::typeof(f)`: f must be defined above.
            of = self.of_file(text(parts(parts(parts(node)[0])[1])[0]))
            kind = partial(operator.is_, of)
        elif node.type != "identifier":
            self.unknown(node)
        return name, kind, default

    def arrow_function_expression(self, node, parameter, body):
        make = self.closure([parameter], [body])
        return lambda scope: Function("->", [make(scope)])

    # Literals.

    def integer_literal(self, node):
        value = tidy(int(text(node)))
        return lambda scope: value

    def float_literal(self, node):
        value = float(text(node))
        return lambda scope: value

    def string_literal(self, node, *pieces):
        pieces = [self.read(parts(p)[0]) if p.type == "string_interpolation" else lambda s, t=text(p): t for p in pieces]
        return lambda scope: "".join(str(piece(scope)) for piece in pieces)

    def operator(self, node):
        return (lambda scope: COLON) if text(node) == ":" else self.unknown(node)

    def tuple_expression(self, node, *members):
        names = [text(parts(m)[0]) for m in members if m.type == "named_field"]
        values = [self.read(parts(m)[1] if m.type == "named_field" else m) for m in members]
        if not names:
            return lambda scope: tuple(value(scope) for value in values)
        return lambda scope: types.SimpleNamespace(**{n: v(scope) for n, v in zip(names, values, strict=True)})

    open_tuple = tuple_expression

    def parenthesized_expression(self, node, *body):
        return self.block(body)

    def vector_expression(self, node, *members):
        if len(members) == 1 and self.lopsided(members[0]):
            return self.matrix_expression(node, node)
        values = [self.read(member) for member in members]

        def vector(scope):
            entries = [value(scope) for value in values]
            return np.array(entries) if all(map(is_number, entries)) else no_method("[…]", *entries)

        return vector

    def matrix_expression(self, node, *rows):
        rows = [[value for entry in parts(row) for value in self.between_spaces(entry)] for row in rows]

        def matrix(scope):
            own = [[value(scope) for value in row] for row in rows]
            return joined(0, [joined(1, row) if len(row) > 1 else row[0] for row in own])

        return matrix

    def between_spaces(self, node):
        """`a -b` in a matrix is two entries, which the grammar takes for one."""
        if not self.lopsided(node):
            return [self.read(node)]
        left, _, right = parts(node)
        minus, value = UNARY[text(parts(node)[1])], self.read(right)
        return [*self.between_spaces(left), lambda scope: minus(value(scope))]

    def lopsided(self, node):
        if node.type != "binary_expression":
            return False
        left, sign, right = parts(node)
        return text(sign) in UNARY and left.end_byte < sign.start_byte and sign.end_byte == right.start_byte

    # Operators.

    def binary_expression(self, node, left, sign, right):
        name = text(sign)
        if name.endswith("^") and left.type == "call_expression" and parts(left)[0].type == "operator":
            # `-(a) ^ b` is `-(a ^ b)`, which the grammar takes for a call.
            minus, (base,) = UNARY[text(parts(left)[0])], parts(parts(left)[1])
            raised = self.operation(node, name, self.read(base), self.read(right))
            return lambda scope: minus(raised(scope))
        chained = left.type == "binary_expression" and text(parts(left)[1]) in ("<", "<=", ">", ">=", "==", "!=")
        # Where the grammar's precedence is not Julia's, or it is not plain.
        if self.lopsided(node) or name.endswith("^") and left.type == "juxtaposition_expression":
            self.unknown(node)
        if chained and name not in ("||", "&&"):
            self.unknown(node)
        return self.operation(node, name, self.read(left), self.read(right))

    def operation(self, node, name, a, b):
        if name == "||":
            return lambda scope: truth(a(scope)) or b(scope)
        if name == "&&":
            return lambda scope: truth(a(scope)) and b(scope)
        if name.startswith(".") and name[1:] in OPERATORS:
            by_entries = OPERATORS[name[1:]].checked
            return lambda scope: broadcast(by_entries, [a(scope), b(scope)])
        if name not in BINARY:
            self.unknown(node)
        function = BINARY[name]
        return lambda scope: function(a(scope), b(scope))

    def unary_expression(self, node, sign, value):
        function, value = UNARY.get(text(sign)) or self.unknown(node), self.read(value)
        return lambda scope: function(value(scope))

    def adjoint_expression(self, node, value):
        value = self.read(value)
        return lambda scope: adjoint(value(scope))

    def juxtaposition_expression(self, node, number, value):
        if not number.type.endswith("_literal") or value.type != "identifier":
            self.unknown(node)
        a, b = self.read(number), self.read(value)
        return lambda scope: times(a(scope), b(scope))

    def ternary_expression(self, node, condition, yes, no):
        condition, yes, no = self.read(condition), self.read(yes), self.read(no)
        return lambda scope: yes(scope) if truth(condition(scope)) else no(scope)

    def range_expression(self, node, first, last):
        first, last = self.read(first), self.read(last)
        return lambda scope: range(first(scope), last(scope) + 1)

    # Calls and places.

    def field_expression(self, node, of, field):
        of, field = self.read(of), text(field)
        return lambda scope: getattr(of(scope), field)

    def call_expression(self, node, called, arguments):
        values = parts(arguments)
        if called.type == "operator":
            return self.unary_expression(node, called, *values)
        function = self.read(called)
        if values[-1:] and values[-1].type == "for_clause":
            comprehension = self.comprehension(*values)
            return lambda scope: function(scope)(comprehension(scope))
        separator = next((child.start_byte for child in arguments.children if child.type == ";"), arguments.end_byte)
        positional, named = [], {}
        for value in values:
            if value.type == "named_argument":
                named[text(parts(value)[0])] = self.read(parts(value)[2])
            elif value.start_byte > separator:
                named[text(value)] = self.read(value)
            else:
                positional.append(self.read(value))

        def call(scope):
            return function(scope)(*(v(scope) for v in positional), **{n: v(scope) for n, v in named.items()})

        return call

    def broadcast_call_expression(self, node, called, arguments):
        function, values = self.read(called), [self.read(value) for value in parts(arguments)]

        def call(scope):
            own = function(scope)
            by_entries = own.checked if isinstance(own, ByEntries) else np.vectorize(lambda *x: own(*map(tidy, x)), [float])
            return broadcast(by_entries, [value(scope) for value in values])

        return call

    def index_expression(self, node, of, places):
        of = self.read(of)
        # `end` is the last place on the axis.
        self.scopes.append({"end"})
        places = [self.read(place) for place in parts(places)]
        self.scopes.pop()

        def entries(scope):
            base = of(scope)
            if isinstance(base, tuple):
                (place,) = [place(Scope(scope, {"end": len(base)})) for place in places]
                own = [base[i - 1] for i in inside(place, len(base))]
                return own[0] if isinstance(place, int) else tuple(own)
            base = array(base)
            if base.ndim != len(places) and len(places) == 1:
                base = base.ravel(order="F")
            elif base.ndim != len(places):
                raise JuliaError(f"BoundsError: {len(places)} places in an array of size {base.shape}")
            taken = [place(Scope(scope, {"end": n})) for place, n in zip(places, base.shape)]
            own = base[np.ix_(*(np.array(inside(place, n), int) - 1 for place, n in zip(taken, base.shape)))]
            return tidy(own.reshape([n for n, place in zip(own.shape, taken) if not isinstance(place, int)]))

        return entries

    # Comprehensions.

    def comprehension_expression(self, node, value, *clauses):
        return self.comprehension(value, *clauses)

    def comprehension(self, value, *clauses):
        """An axis for each range of one clause; with more clauses one axis, the last running fastest."""
        (first, *others) = clauses
        names, ranges = [], []
        for binding in parts(first):
            name, sign, over = parts(binding)
            names.append(text(name))
            # All ranges of a clause are what they are outside it.
            ranges.append(self.read(over))
        self.scopes.append(set(names))
        at_once = None if others else self.at_once(value, {name: place for place, name in enumerate(names)})
        inner = self.comprehension(value, *others) if others else self.read(value)
        self.scopes.pop()

        def entries(scope):
            over = [own(scope) for own in ranges]
            if at_once and math.prod(map(len, over)) <= AT_ONCE:
                try:
                    axes = dict(zip(names, np.meshgrid(*over, indexing="ij", sparse=True)))
                    return np.broadcast_to(at_once(Scope(scope), axes), [len(own) for own in over])
                except TooMany:
                    pass
            values = [inner(Scope(scope, zip(names, at))) for at in itertools.product(*over)]
            if others:
                return np.concatenate(values)
            return np.array(values).reshape([len(own) for own in over]) if all(map(is_number, values)) else no_method("[…]", *values)

        return entries

    def at_once(self, node, loops):
        """The terms of all steps together, given the scope and each loop's values along an axis of its own: for sums of
        products of entries, as most comprehensions are. Nothing for what has to be computed step by step."""
        inner = parts(node)
        if not mentions(node, loops):
            value = self.read(node)
            return lambda scope, axes: value(scope) if is_number(value(scope)) else no_method("[…]", value(scope))
        if node.type == "identifier":
            return lambda scope, axes: axes[text(node)]
        if node.type == "parenthesized_expression":
            return self.at_once(inner[0], loops) if len(inner) == 1 else None
        if node.type == "binary_expression" and text(inner[1]) in OPERATORS and not self.lopsided(node):
            a, b = self.at_once(inner[0], loops), self.at_once(inner[2], loops)
            function = OPERATORS[text(inner[1])].checked
            return a and b and (lambda scope, axes: function(plain(a(scope, axes)), plain(b(scope, axes))))
        if node.type == "index_expression" and not mentions(inner[0], loops):
            of, places = self.read(inner[0]), [self.at_once(place, loops) for place in parts(inner[1])]
            return all(places) and (lambda scope, axes: entries_at(array(of(scope)), [p(scope, axes) for p in places]))
        if node.type == "call_expression" and text(inner[0]) == "sum" and parts(inner[1])[-1].type == "for_clause":
            return self.sum_at_once(*parts(inner[1]), loops)
        return None

    def sum_at_once(self, value, clause, loops):
        bindings = [parts(binding) for binding in parts(clause)]
        names, ranges = [text(name) for name, _, _ in bindings], [self.read(over) for _, _, over in bindings]
        if any(mentions(over, loops) for _, _, over in bindings):
            return None
        self.scopes.append(set(names))
        terms = self.at_once(value, {**loops, **dict.fromkeys(names)})
        self.scopes.pop()

        def total(scope, axes):
            over = [own(scope) for own in ranges]
            outer = np.broadcast_shapes(*(axis.shape for axis in axes.values()))
            shape = outer + tuple(map(len, over))
            if math.prod(shape) > AT_ONCE:
                raise TooMany
            around = {name: axis.reshape(axis.shape + (1,) * len(over)) for name, axis in axes.items()}
            own = dict(zip(names, np.meshgrid(*over, indexing="ij", sparse=True)))
            own_terms = plain(terms(Scope(scope), {**around, **own}))
            return np.broadcast_to(own_terms, shape).sum(tuple(range(len(outer), len(shape))))

        return terms and total


def load(path):
    """What a file defines, by names in `known`; what it printed where it was run as a program, in `printed`."""
    import tree_sitter
    import tree_sitter_julia

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_julia.language()))
    root = parser.parse(path.read_bytes()).root_node
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.type == "ERROR" or node.is_missing:
            raise JuliaError(f"line {node.start_point[0] + 1}: {text(node)[:200]}")
        waiting += node.children
    with np.errstate(all="ignore"):
        return Reader(root)

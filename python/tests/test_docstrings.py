"""The examples of all docstrings are right, and everything public has a docstring."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from typing import Any

import matgrad
import matgrad.jax
import matgrad.torch
import pytest


def documented() -> Iterator[tuple[str, Any]]:
    yield "matgrad", matgrad
    for module in (matgrad, matgrad.torch, matgrad.jax):
        for name in module.__all__:
            thing = getattr(module, name)
            yield f"{module.__name__}.{name}", thing
            if not inspect.isclass(thing) or not thing.__module__.startswith("matgrad"):
                continue
            for member in dir(thing):
                if member.startswith("_") or hasattr(BaseException, member):
                    continue
                yield f"{module.__name__}.{name}.{member}", inspect.getattr_static(thing, member)


ALL = list(documented())


@pytest.mark.parametrize(("name", "thing"), ALL, ids=[name for name, _ in ALL])
def test_examples_are_right(name: str, thing: Any) -> None:
    text = inspect.getdoc(thing)
    if text is None and isinstance(thing, (str, int, list)):
        return
    assert text, f"{name} has no docstring"
    parsed = doctest.DocTestParser().get_doctest(text, {"matgrad": matgrad}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    output: list[str] = []
    runner.run(parsed, out=output.append)
    assert runner.failures == 0, "".join(output)


def test_examples_are_there() -> None:
    with_examples = [name for name, thing in ALL if ">>>" in (inspect.getdoc(thing) or "")]
    assert len(with_examples) > 20

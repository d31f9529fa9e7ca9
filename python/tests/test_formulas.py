"""Formulas, errors, how objects show themselves, and that they are those of the command line."""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import subprocess
from collections.abc import Callable

import matgrad
import numpy as np
import pytest

from conftest import EXAMPLES, ROOT


def test_a_gradient_has_a_formula_a_shape_and_a_derivation() -> None:
    g = matgrad.grad("a'*X*b", wrt="X")
    assert (g.value, g.shape, g.latex) == ("a*b'", ("m", "n"), "ab^\\top")
    assert (g.kind, g.of, g.wrt, g.key) == ("gradient", "a'*X*b", ("X",), "grad(a'*X*b,X)")
    assert [step["rule"] for step in g.steps] == ["product", "scalar", "cyclic", "transpose", "read-off"]
    assert g.variables == {"a": "vector(m)", "X": "matrix(m, n)", "b": "vector(n)"}
    assert str(g) == "a*b'"
    assert repr(g) == "∂f/∂X = a·bᵀ   (m × n)"
    assert g._repr_latex_() == "$\\displaystyle \\frac{\\partial f}{\\partial X} = ab^\\top$"
    assert "cyclic" in str(g.derivation()) and "Checked" in str(g.derivation())
    assert "\\section*" in g.to_latex() and g.to_markdown().startswith("# ") and "<math" in g.to_html()
    assert json.loads(g.to_json())["results"][0]["value"] == "a*b'"


def test_types_are_told_by_text_or_mapping() -> None:
    by_text = matgrad.grad("logdet(S)", wrt="S", types="S : posdef(n)")
    by_mapping = matgrad.grad("logdet(S)", wrt="S", types={"S": "posdef(n)"})
    assert by_text.value == by_mapping.value == "inv(S)"
    assert any("structured" in remark for remark in by_text.remarks)


def test_a_program_answers_what_it_asks_and_what_is_asked_later(network: str) -> None:
    p = matgrad.program(network)
    assert [result.wrt for result in p.results] == [("W1",), ("b1",), ("W2",), ("b2",)]
    assert p.gradient("b2").value == p.results[3].value
    assert p.gradient("Z2").value == "1/N*(P - Y)"
    assert p.definitions == ["Z1", "H1", "Z2", "P", "L"]
    assert p.jacobian("Z1", of="H1").shape == ("N", "H", "N", "H")
    assert p.hvp("W2", along="V").kind == "hessian along"
    assert p.differential("Z1", wrt="W1").value == "X*dW1"
    # Only what was asked for is derived.
    assert len(json.loads(p.gradient("W1").to_json())["results"]) == 1


def test_results_along_and_against_something_are_among_those_asked_for() -> None:
    p = matgrad.program(
        """
        A : symmetric(n)
        B : matrix(n, k)
        x, v : vector(n)
        y : vector(k)
        f = x'*A*x + (x'*B*y)^2
        Y = B'*x
        grad f wrt x
        hessian f wrt x along v
        hessian f wrt x, y along v - x, 2*y
        jacobian Y wrt x along v
        jacobian Y wrt x, B along v, C
        jacobian Y wrt x against u
        """
    )
    results = p.results
    assert [(r.kind, r.wrt) for r in results] == [
        ("gradient", ("x",)),
        ("hessian along", ("x",)),
        ("hessian along", ("x",)),
        ("hessian along", ("y",)),
        ("jacobian along", ("x",)),
        ("jacobian along", ("x", "B")),
        ("jacobian against", ("x",)),
    ]
    # Each is what the text gives, by key and by value.
    assert [r.key for r in results] == [key for _, _, _, key in p._answer("none").results()]
    of_text = json.loads(p.to_json())["results"]
    assert [r.value for r in results] == [result["value"] for result in of_text]
    assert results[1] == p.hvp("x", along="v", of="f") and results[4] == p.jvp("x", along="v", of="Y")
    assert results[6] == p.vjp("x", against="u", of="Y")
    assert results[2] != results[3] and results[2].key.endswith(" along x=v - x,y=2*y")
    assert pickle.loads(pickle.dumps(results[2])) == results[2]
    assert all(bool(r.check()) for r in results)
    # Their numbers are those of the whole program.
    rng = np.random.default_rng(3)
    arrays = {"A": np.eye(2), "B": rng.standard_normal((2, 3)), "C": rng.standard_normal((2, 3))}
    arrays |= {"x": rng.standard_normal(2), "v": rng.standard_normal(2), "y": rng.standard_normal(3)}
    arrays["u"] = rng.standard_normal(3)
    whole = p.compile()(arrays)
    for r in results:
        function = r.compile([r.key])
        own = function({name: arrays[name] for name, _ in function.inputs})
        np.testing.assert_allclose(own[r.key], whole[r.key], rtol=1e-12)
    # What a program asks second derivatives of is what a gradient is of.
    only = matgrad.program("f = x'*A*x\ng = normsq(x)\nhessian f wrt x along v")
    assert only.gradient("x").of == "f" and only.jacobian("x").of == "g"


def test_what_is_differentiated_is_found_or_must_be_told() -> None:
    p = matgrad.program("f = sum(X)\ng = normsq(X)")
    assert p.gradient("X").of == "g" and p.gradient("X", of="f").of == "f"
    two = matgrad.program("f = sum(X)\ng = normsq(X)\ngrad f wrt X\ngrad g wrt X")
    with pytest.raises(ValueError, match=r"say what to differentiate.*f, g"):
        two.gradient("X")
    with pytest.raises(ValueError, match="no definition"):
        matgrad.program("grad sum(X) wrt X").jacobian("X")


ERRORS: list[tuple[Callable[[], object], int | None, int | None, str]] = [
    (lambda: matgrad.grad("a'*X*b +", wrt="X"), 1, 9, "expected a number, a name or a bracket"),
    (lambda: matgrad.grad("a'*X*b", wrt="Q"), 1, 1, "unknown variable `Q`"),
    (lambda: matgrad.program("X : matrix(m, n)\nf = tr(X)\ngrad f wrt X"), 2, 8, "square"),
    (lambda: matgrad.program("f = sum(X)").gradient("Q"), 1, 12, "unknown variable `Q`"),
    (lambda: matgrad.program(""), None, None, "empty"),
    (lambda: matgrad.grad("X*Y", wrt="X"), 1, 1, "scalar"),
]


@pytest.mark.parametrize(("call", "line", "column", "message"), ERRORS)
def test_errors_have_a_place(call: Callable[[], object], line: int | None, column: int | None, message: str) -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        call()
    error = caught.value
    assert message in str(error) and message in " ".join(error.messages)
    assert error.line == line
    assert error.column == column or message == "square"
    if line is not None:
        assert "^" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.column, again.hint) == (str(error), line, error.column, error.hint)


def test_errors_have_a_hint_and_all_mistakes() -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        matgrad.program("f = foo(X)\ng = u + r'\ngrad f wrt Q")
    assert len(caught.value.messages) >= 2
    with pytest.raises(matgrad.MatgradError) as caught:
        matgrad.grad("sum(X)", wrt="Q")
    assert caught.value.hint is not None and "wrt" in caught.value.hint


def test_wrong_arguments_are_errors() -> None:
    g = matgrad.grad("a'*X*b", wrt="X")
    for call in (
        lambda: g.emit("fortran"),
        lambda: g.derivation("some"),
        lambda: matgrad.grad("a'*X*b", wrt=""),
        lambda: matgrad.grad("a'*X*b", wrt="X, a"),
        lambda: g.compile(dtype="float16"),
        lambda: g.compile(["h"]),
        lambda: g.compile(q=3),
        lambda: g.compile(m=0),
        lambda: g.compile(threads=0),
    ):
        with pytest.raises(ValueError):
            call()


def test_checks_and_code() -> None:
    g = matgrad.grad("tr(inv(X)*A)", wrt="X")
    check = g.check()
    assert check and check.results[0].points > 0 and check.results[0].worst_error < 1e-6 and not check.disagreements
    assert "random points" in repr(check)
    assert g.check(seed=7).results[0].points > 0
    for target in ("numpy", "torch", "jax", "julia", "matlab", "rust", "c", "latex"):
        assert "f" in g.emit(target)
    normal = matgrad.program("x : vector(n)\nf = sum(erf(x))\ngrad f wrt x")
    with pytest.raises(matgrad.MatgradError, match="size"):
        normal.emit("stablehlo")
    assert "tensor<3xf64>" in normal.emit("stablehlo", sizes={"n": 3})
    assert "stablehlo" in matgrad.grad("a'*X*b", wrt="X").emit("stablehlo", sizes={"m": 3, "n": 2})


def test_verdicts() -> None:
    p = matgrad.program("X : matrix(m, n)\nf = a'*X*b   # a comment\ngrad f wrt X")
    right = p.verify("claim grad f wrt X = a*b'")
    assert right and (right.right, right.wrong, right.definitions) == (1, 0, 0)
    wrong = p.verify("claim grad f wrt X = b*a'")
    assert not wrong and wrong.wrong == 1 and "a*b'" in str(wrong) and "1:22" in str(wrong)
    markdown = p.verify("# By hand\n\n$$\\frac{\\partial f}{\\partial X} = b a^\\top$$\n")
    assert not markdown and "3:" in str(markdown)
    latex = matgrad.verify("\\[ d(X Y) = dX \\, Y + X \\, dY \\]", "latex", types={"X": "matrix(m, n)", "Y": "matrix(n, p)"})
    assert latex and latex.right == 1
    assert "<math" in wrong.to_html() and json.loads(wrong.to_json()) and "sarif" in wrong.to_sarif()
    assert wrong.steps[0]["verdict"] == "wrong"
    with pytest.raises(ValueError):
        matgrad.verify("a = a", "word")
    assert "cyclic" in matgrad.explain("tr(A*B) = tr(B*A)") or "tr(AB) = tr(BA)" in matgrad.explain("tr(A*B) = tr(B*A)")
    with pytest.raises(matgrad.MatgradError, match="wrong"):
        matgrad.explain("A*B = B*A", types={"A": "matrix(n, n)", "B": "matrix(n, n)"})


def test_documents_are_read_from_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "hand.md"
    path.write_text("$$d(\\operatorname{tr}(X^\\top X)) = 2 \\operatorname{tr}(X^\\top dX)$$\n", encoding="utf-8")
    assert matgrad.verify(path).right == 1
    program = tmp_path / "f.mg"
    program.write_text("f = sum(X)\ngrad f wrt X\n", encoding="utf-8")
    assert matgrad.program(program).results and matgrad.program(str(program)).results
    with pytest.raises(FileNotFoundError):
        matgrad.program("nothing.mg")


def test_pages_of_a_notebook_are_apart_from_it(network: str) -> None:
    p = matgrad.program(network)
    for shown in (p, p.derivation(), p.verify("claim grad L wrt b2 = ones(N)'*(P - Y)/N")):
        page = shown._repr_html_()
        assert page.startswith("<details open>") and "srcdoc=" in page and "<script" not in page
        # The document is in an attribute: nothing in it ends the attribute.
        assert page.count('"') < 20
    assert matgrad.program("f = sum(X)")._repr_html_() == "<pre>f = sum(X)</pre>"


def test_objects_are_pickled(network: str) -> None:
    p = matgrad.program(network)
    assert pickle.loads(pickle.dumps(p)) == p and hash(pickle.loads(pickle.dumps(p))) == hash(p)
    g = p.gradient("W1")
    assert pickle.loads(pickle.dumps(g)).value == g.value
    assert p != matgrad.program("f = sum(X)") and p != 3


def command_line() -> pathlib.Path:
    given = os.environ.get("MATGRAD")
    root = ROOT / "target"
    for path in [pathlib.Path(given)] if given else [root / "debug" / "matgrad", root / "release" / "matgrad"]:
        if path.exists():
            return path
    raise FileNotFoundError("the command line is not built: cargo build -p matgrad-cli")


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.mg")))
def test_pages_are_those_of_the_command_line(example: str) -> None:
    path = EXAMPLES / example
    for format, render in (("text", "to_text"), ("markdown", "to_markdown"), ("json", "to_json")):
        printed = subprocess.run(
            [command_line(), "derive", path, "--format", format], capture_output=True, text=True, check=True
        )
        page = getattr(matgrad.program(path), render)()
        if format == "text":
            # Spelt in the locale's signs on the command line.
            assert page.splitlines()[0] == printed.stdout.splitlines()[0]
        assert page.rstrip("\n") == printed.stdout.rstrip("\n")

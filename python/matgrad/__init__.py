"""matgrad derives matrix gradients by differentials, shows the steps, checks them by numbers, and runs them on arrays.

Formulas
    :func:`grad`, :func:`jacobian`, :func:`hessian`, :func:`differential` of one expression; :func:`program` for a text with
    declarations and definitions; :func:`verify` and :func:`explain` for derivations made by hand.
Numbers
    :meth:`Program.compile` makes a function of NumPy arrays; :meth:`Program.torch_function` and :meth:`Program.jax_function`
    make differentiable ones.
The network
    :func:`nn_forward_pass`, :func:`nn_forward_backward`, :func:`nn_train`, :func:`nn_predict`, and
    :class:`TwoLayerClassifier` with scikit-learn's interface.

Examples
--------
>>> import matgrad
>>> matgrad.grad("a'*X*b", wrt="X")
∂f/∂X = a·bᵀ   (m × n)
"""

from __future__ import annotations

import os as _os

from matgrad._errors import MatgradError
from matgrad._matgrad import Function, forked as _forked
from matgrad.derivation import Derivation
from matgrad.formulas import Derivative, Program, differential, grad, hessian, jacobian, program
from matgrad.network import nn_forward_backward, nn_forward_pass, nn_predict, nn_train
from matgrad.verdicts import Verdicts, explain, verify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from matgrad.checks import Check, Checked, Disagreement
    from matgrad.classifier import TwoLayerClassifier

__version__ = "0.1.0"

__all__ = [
    "Check",
    "Checked",
    "Derivation",
    "Derivative",
    "Disagreement",
    "Function",
    "MatgradError",
    "Program",
    "TwoLayerClassifier",
    "Verdicts",
    "differential",
    "explain",
    "grad",
    "hessian",
    "jacobian",
    "nn_forward_backward",
    "nn_forward_pass",
    "nn_predict",
    "nn_train",
    "program",
    "verify",
]

if hasattr(_os, "register_at_fork"):
    # The threads of compiled functions do not live on in a copy of the process.
    _os.register_at_fork(after_in_child=_forked)


def __getattr__(name: str) -> object:
    # What takes long to import waits until it is asked for: scikit-learn takes a second.
    if name == "TwoLayerClassifier":
        from matgrad.classifier import TwoLayerClassifier

        return TwoLayerClassifier
    if name in ("Check", "Checked", "Disagreement"):
        from matgrad import checks

        return getattr(checks, name)
    raise AttributeError(f"module 'matgrad' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)

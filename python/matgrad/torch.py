"""Programs as differentiable functions of PyTorch tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matgrad._function import Differentiable

if TYPE_CHECKING:
    from matgrad._text import Names
    from matgrad.formulas import Program

__all__ = ["torch_function"]


def torch_function(
    program: Program,
    of: str | None = None,
    wrt: Names | None = None,
    *,
    threads: int | None = None,
    check: bool = True,
) -> Callable[..., Any]:
    """A differentiable function of PyTorch tensors that runs a program's plan.

    Parameters
    ----------
    program : Program
        The program.
    of : str, optional
        What the function gives, a name or an expression. Without it what the program asks gradients of, or its last
        definition.
    wrt : str or list of str, optional
        By which variables it can be differentiated; by all variables where it is left out, but for one-hot matrices.
    threads, check
        As in :meth:`matgrad.Program.compile`.

    Returns
    -------
    callable
        It is called with a tensor for each variable, by name or in the order of the program's variables. Tensors are on the
        CPU and of one type, ``torch.float32`` or ``torch.float64``; a one-hot matrix may be a tensor of labels, and a scalar a
        number. It gives a tensor, that of a scalar without axes. Gradients are computed with the value, and only those that are
        asked for; of a matrix when they are needed, as the transposed Jacobian applied to what comes. They cannot be
        differentiated again.

    Raises
    ------
    ImportError
        PyTorch is not there.
    MatgradError
        There is no such result, or no rule covers its derivative.

    Examples
    --------
    >>> import torch
    >>> f = matgrad.program("L = normsq(A*x - b)").torch_function()
    >>> x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    >>> loss = f(A=torch.eye(2, dtype=torch.float64), x=x, b=torch.zeros(2, dtype=torch.float64))
    >>> loss.backward()
    >>> x.grad
    tensor([2., 2.], dtype=torch.float64)
    """
    import torch

    plan = Differentiable(program, of, wrt, threads, check)

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, dtype: str, *arrays: Any) -> Any:
            needed = tuple(bool(need) for need in ctx.needs_input_grad[1:])
            value, gradients = plan.forward(dtype, arrays, needed)
            ctx.dtype = dtype
            if gradients is None:
                tensors = [array if isinstance(array, torch.Tensor) else None for array in arrays]
                ctx.numbers = [None if isinstance(array, torch.Tensor) else array for array in arrays]
                ctx.is_scalar = False
                ctx.save_for_backward(*tensors)
            else:
                ctx.is_scalar = True
                ctx.save_for_backward(
                    *(None if gradient is None else torch.from_numpy(gradient) for gradient in gradients)
                )
            return torch.from_numpy(value)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, cotangent: Any) -> Any:
            saved = ctx.saved_tensors
            if ctx.is_scalar:
                return (None, *(None if gradient is None else cotangent * gradient for gradient in saved))
            arrays = [number if tensor is None else tensor for tensor, number in zip(saved, ctx.numbers, strict=True)]
            needed = tuple(bool(need) for need in ctx.needs_input_grad[1:])
            gradients = plan.backward(ctx.dtype, arrays, needed, cotangent)
            return (None, *(None if gradient is None else torch.from_numpy(gradient) for gradient in gradients))

    def function(*arrays: Any, **named: Any) -> Any:
        given = plan.bound(arrays, named)
        types: set[Any] = {
            array.dtype for array in given if isinstance(array, torch.Tensor) and array.dtype.is_floating_point
        }
        if len(types) > 1:
            raise TypeError(f"the tensors have the types {', '.join(sorted(map(str, types)))}; give them one")
        dtype = str(types.pop()).removeprefix("torch.") if types else str(torch.get_default_dtype()).removeprefix("torch.")
        if dtype not in ("float32", "float64"):
            raise TypeError(f"the tensors are of type torch.{dtype}; the function takes torch.float32 and torch.float64")
        plan.must_not_move(
            [isinstance(array, torch.Tensor) and array.requires_grad for array in given], torch.is_grad_enabled()
        )
        return Function.apply(dtype, *given)

    function.__name__ = function.__qualname__ = plan.of
    function.__doc__ = plan.doc("PyTorch tensors")
    return function



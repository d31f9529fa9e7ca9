"""Programs as differentiable functions of JAX arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from matgrad._function import Differentiable

if TYPE_CHECKING:
    from matgrad._text import Names
    from matgrad.formulas import Program

__all__ = ["jax_function"]


def jax_function(
    program: Program,
    of: str | None = None,
    wrt: Names | None = None,
    *,
    threads: int | None = None,
    check: bool = True,
) -> Callable[..., Any]:
    """A differentiable function of JAX arrays that runs a program's plan, by a callback.

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
        It is called with an array for each variable, by name or in the order of the program's variables, inside of
        ``jax.jit`` and ``jax.grad`` too. Arrays are of one type, 32-bit or 64-bit floats; a one-hot matrix may be an array of
        labels. It gives an array, that of a scalar without axes. It has a reverse derivative of first order (``custom_vjp``).

    Raises
    ------
    ImportError
        JAX is not there.
    MatgradError
        There is no such result, or no rule covers its derivative.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> f = matgrad.program("L = normsq(A*x - b)").jax_function()
    >>> jax.grad(lambda x: f(A=jnp.eye(2), x=x, b=jnp.zeros(2)))(jnp.ones(2))
    Array([2., 2.], dtype=float32)
    """
    import jax
    import numpy as np

    plan = Differentiable(program, of, wrt, threads, check)
    count = len(plan.names)

    def dtype_of(arrays: tuple[Any, ...]) -> str:
        found = {np.dtype(array.dtype).name for array in arrays if np.issubdtype(array.dtype, np.floating)}
        if len(found) > 1:
            raise TypeError(f"the arrays have the types {', '.join(sorted(found))}; give them one")
        dtype = found.pop() if found else "float32"
        if dtype not in ("float32", "float64"):
            raise TypeError(f"the arrays are of type {dtype}; the function takes float32 and float64")
        return dtype

    def shape_of_value(arrays: tuple[Any, ...], dtype: str) -> Any:
        return jax.ShapeDtypeStruct(plan.shape([tuple(array.shape) for array in arrays]), dtype)

    def value(*arrays: Any) -> Any:
        dtype = dtype_of(arrays)

        def compute(*given: Any) -> Any:
            return plan.forward(dtype, [np.asarray(array) for array in given], (False,) * count)[0]

        return jax.pure_callback(compute, shape_of_value(arrays, dtype), *arrays, vmap_method="sequential")

    def forward(*primals: Any) -> Any:
        arrays = tuple(primal.value for primal in primals)
        needed = tuple(bool(primal.perturbed) for primal in primals)
        plan.must_not_move(needed, True)
        # What is needed must be known when the cotangent comes: it is kept as structure, not as numbers.
        marks = tuple(() if need else None for need in needed)
        if not plan.is_scalar:
            return value(*arrays), (arrays, marks, None)
        dtype = dtype_of(arrays)
        shapes = [jax.ShapeDtypeStruct(array.shape, dtype) for array, need in zip(arrays, needed, strict=True) if need]

        def compute(*given: Any) -> Any:
            result, gradients = plan.forward(dtype, [np.asarray(array) for array in given], needed)
            return result, [gradient for gradient in gradients or [] if gradient is not None]

        struct = (jax.ShapeDtypeStruct((), dtype), shapes)
        result, gradients = jax.pure_callback(compute, struct, *arrays, vmap_method="sequential")
        return result, (arrays, marks, gradients)

    def backward(kept: Any, cotangent: Any) -> Any:
        arrays, marks, gradients = kept
        needed = tuple(mark is not None for mark in marks)
        if type(cotangent).__name__ == "SymbolicZero":
            return (None,) * count
        if gradients is None:
            dtype = dtype_of(arrays)
            shapes = [jax.ShapeDtypeStruct(array.shape, dtype) for array, need in zip(arrays, needed, strict=True) if need]

            def compute(cotangent: Any, *given: Any) -> Any:
                found = plan.backward(dtype, [np.asarray(array) for array in given], needed, np.asarray(cotangent))
                return [gradient for gradient in found if gradient is not None]

            gradients = jax.pure_callback(compute, shapes, cotangent, *arrays, vmap_method="sequential")
        else:
            gradients = [cotangent * gradient for gradient in gradients]
        left = iter(gradients)
        return tuple(next(left) if need else None for need in needed)

    differentiable = jax.custom_vjp(value)
    differentiable.defvjp(forward, backward, symbolic_zeros=True)

    def function(*arrays: Any, **named: Any) -> Any:
        given = [jax.numpy.asarray(array) for array in plan.bound(arrays, named)]
        # A number next to arrays takes their type.
        dtype = dtype_of(tuple(array for array in given if array.ndim) or tuple(given))
        given = [array.astype(dtype) if not array.ndim else array for array in given]
        return differentiable(*given)

    function.__name__ = function.__qualname__ = plan.of
    function.__doc__ = plan.doc("JAX arrays")
    return function

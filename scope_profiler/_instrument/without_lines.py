"""Callables whose lines cannot be seen, as none of them runs in Python; and what to do."""

from __future__ import annotations

from types import (
    BuiltinFunctionType, BuiltinMethodType, ClassMethodDescriptorType, MethodDescriptorType,
    MethodWrapperType, WrapperDescriptorType,
)

C_CALLABLES = (
    BuiltinFunctionType, BuiltinMethodType, ClassMethodDescriptorType, MethodDescriptorType,
    MethodWrapperType, WrapperDescriptorType,
)


def is_compiled(value: object) -> bool:
    """Whether Cython or numba compiled the function. What they give may have the code of the function that
    they compiled (`__code__`, `__wrapped__`), which does not run."""
    return _is_cython(value) or _is_numba(value)


def _is_cython(value: object) -> bool:
    """In whatever version."""
    return type(value).__name__ in ("cython_function_or_method", "fused_cython_function")


def _is_numba(value: object) -> bool:
    return any(kind.__module__.partition(".")[0] == "numba" for kind in type(value).__mro__)


def refusal(value: object) -> str:
    """Why the lines of this cannot be seen, and what to do."""
    if _is_numba(value):
        return (f"{value!r} is compiled by numba: no line of it runs in Python. Give its .py_func "
                "to see the lines as Python runs them")
    if _is_cython(value):
        return (f"{value!r} is compiled by Cython: no line of it runs in Python. Give the function "
                "of the .py or .pyx file run as Python")
    if isinstance(value, type):
        return (f"{value!r} has no method of its own in Python, and so no lines. Give the Python function "
                "that uses it")
    if isinstance(value, C_CALLABLES) or callable(value):
        return (f"{value!r} is written in C: it has no lines of Python. Give the Python function "
                "that calls it")
    return f"{value!r} holds no Python function, and has no lines"

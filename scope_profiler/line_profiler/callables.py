"""What can be registered: the functions in it, and why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial, partialmethod
from types import (
    BuiltinFunctionType, BuiltinMethodType, ClassMethodDescriptorType, FunctionType,
    MethodDescriptorType, MethodType, MethodWrapperType, WrapperDescriptorType,
)
from typing import Any

C_CALLABLES = (
    BuiltinFunctionType, BuiltinMethodType, ClassMethodDescriptorType, MethodDescriptorType,
    MethodWrapperType, WrapperDescriptorType,
)

#: The attribute of a wrapper that holds the next one.
_INSIDE: dict[type, str] = {
    MethodType: "__func__", classmethod: "__func__", staticmethod: "__func__", partial: "func",
    partialmethod: "func", cached_property: "func",
}

_FARTHEST = 64  # some objects have every attribute that one asks for


def parts_of(value: object) -> list[Any] | None:
    """What a wrapper consists of, one level down; None when it is no wrapper."""
    if isinstance(value, property):
        return [part for part in (value.fget, value.fset, value.fdel) if part is not None]
    for kind, attribute in _INSIDE.items():
        if isinstance(value, kind):
            return [getattr(value, attribute)]
    return None


def functions_of(value: Any, seen: set[int], of_class: Callable[[type], list[Any]]) -> list[Any]:
    """The functions in a callable or wrapper, each once; of_class gives those of a class.

    Raises TypeError when it is neither.
    """
    parts = parts_of(value)
    if parts is not None:
        return [found for part in parts for found in functions_of(part, seen, of_class)]
    if isinstance(value, type):
        return of_class(value)
    if not callable(value):
        raise TypeError(
            f"func = {value!r}: cannot get functions from {type(value).__name__} objects"
        )
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, FunctionType):
        return [value]
    call = type(value).__call__
    return [call] if isinstance(call, FunctionType) else []


def functions_behind(value: Any) -> Iterator[FunctionType]:
    """What decorators say that they wrap, the outermost first: of what functools.wraps(),
    functools.lru_cache() or contextlib.contextmanager() gave, and the like."""
    waiting = [value]
    for _ in range(_FARTHEST):
        if not waiting:
            return
        at = waiting.pop()
        parts = None if isinstance(at, type) else parts_of(at)
        waiting += parts or []
        if parts is None and (inside := getattr(at, "__wrapped__", None)) is not None:
            waiting.append(inside)
            if isinstance(inside, FunctionType):
                yield inside


def is_cython(value: object) -> bool:
    """Whether Cython compiled the function, in whatever version."""
    return type(value).__name__ in ("cython_function_or_method", "fused_cython_function")


def is_numba(value: object) -> bool:
    """Whether numba compiled the function."""
    return any(kind.__module__.partition(".")[0] == "numba" for kind in type(value).__mro__)


def refusal(value: object) -> str:
    """Why the lines of this cannot be seen, and what to do."""
    if is_numba(value):
        return (f"{value!r} is compiled by numba: no line of it runs in Python. Give its .py_func "
                "to see the lines as Python runs them")
    if is_cython(value):
        return (f"{value!r} is compiled by Cython: no line of it runs in Python. Give the function "
                "of the .py or .pyx file run as Python")
    if isinstance(value, C_CALLABLES) or callable(value):
        return (f"{value!r} is written in C: it has no lines of Python. Give the Python function "
                "that calls it")
    return f"{value!r} holds no Python function, and has no lines"

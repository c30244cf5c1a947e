"""What can be registered: the functions in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial, partialmethod
from types import FunctionType, MethodType
from typing import Any

from .._instrument.without_lines import is_compiled

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
    if is_compiled(value):
        return []
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
        if is_compiled(at):
            continue
        parts = None if isinstance(at, type) else parts_of(at)
        waiting += parts or []
        if parts is None and (inside := getattr(at, "__wrapped__", None)) is not None:
            waiting.append(inside)
            if isinstance(inside, FunctionType):
                yield inside

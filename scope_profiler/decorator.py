"""The decorator's part in Python: what may be decorated, and how the result is dressed."""

from functools import update_wrapper
from types import FunctionType

from . import _core

# Flags of a code object, as in inspect (which is not imported for them).
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def decorate(manager, region_name, function):
    """The function, timed under the region; see ProfileManager.profile."""
    if isinstance(function, type):
        raise TypeError(
            f"profile() decorates functions, got the class {function.__qualname__!r}: "
            "decorate its methods, or __init__ to time construction"
        )
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorate(manager, region_name, function.__func__))
    if isinstance(function, property):
        raise TypeError(
            "profile() decorates functions, got a property: put @property above @profile"
        )
    if not callable(function):
        raise TypeError(
            f"profile() decorates a callable, got {type(function).__name__}: {function!r}"
        )
    region = manager.profile_region(name_of(function) if region_name is None else region_name)
    return update_wrapper(_carrier(manager, region, function), function)


def name_of(function):
    """The name of a callable; of one that has none (a partial, say) that of what it calls, or of
    its type."""
    while not hasattr(function, "__name__"):
        inner = getattr(function, "func", None)
        if inner is None:
            return type(function).__name__
        function = inner
    return function.__name__


def _carrier(manager, region, function):
    code = _code_of(function)
    flags = code.co_flags if code is not None else 0
    if flags & _GENERATOR:
        return _generator(region, code, function)
    if flags & _COROUTINE:
        return _coroutine(region, code, function)
    if flags & _ASYNC_GENERATOR:
        return _async_generator(region, code, function)
    return manager._wrap(region, function)


def _code_of(callable):
    """The code of the Python function that a function, method or partial runs, or None."""
    while not isinstance(callable, FunctionType):
        callable = getattr(callable, "__func__", None) or getattr(callable, "func", None)
        if callable is None:
            return None
    return callable.__code__


# Functions of the same kind as the decorated one, so that callers and frameworks see no other.
# What they make delegates every resumption to Steps, and those to the function's own object.


def _generator(region, code, function):
    def profiled(*args, **kwargs):
        return (yield from _core.Steps(region, code, function(*args, **kwargs)))

    return profiled


def _coroutine(region, code, function):
    async def profiled(*args, **kwargs):
        return await _core.Steps(region, code, function(*args, **kwargs))

    return profiled


def _async_generator(region, code, function):
    async def profiled(*args, **kwargs):
        inner = function(*args, **kwargs)
        steps = _core.Steps(region, code, inner, True)
        step = steps.of(inner.__anext__())
        while True:
            try:
                item = await step
            except StopAsyncIteration:
                return
            try:
                sent = yield item
            except GeneratorExit:
                await steps.of(inner.aclose())
                steps.end()
                raise
            except BaseException as error:
                step = steps.of(inner.athrow(error))
            else:
                step = steps.of(inner.asend(sent))

    return profiled

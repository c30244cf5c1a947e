"""The decorator's part in Python: what may be decorated, and how the result is dressed."""

from collections import namedtuple
from functools import update_wrapper, wraps
import sys
from types import CodeType, FunctionType, coroutine

from .. import _core
from .._base import environment
from .._base.arguments import wrong_type
from .._base.interpreter import ASYNC_GENERATOR, COROUTINE, GENERATOR, ITERABLE_COROUTINE
from .._base.unrecorded import keep_weakly, unrecorded
from .tags import normal_tags

# Python itself makes class methods of these, but of Python functions only.
_CLASS_METHODS = ("__init_subclass__", "__class_getitem__")

# How a function is decorated: the arguments of ProfileManager.profile() but the name.
Decoration = namedtuple("Decoration", "recursive metadata record_outcome tags keep_every keep",
                        defaults=(None, None))


def profile(manager, region_name, recursive, metadata, record_outcome, tags, keep_every, keep):
    """See ProfileManager.profile."""
    if environment.DISABLED:
        named = region_name is None or isinstance(region_name, str)
        return (lambda function: function) if named else region_name
    how = decoration(recursive, metadata, record_outcome, tags, keep_every, keep)
    if region_name is None or isinstance(region_name, str):
        if region_name is not None:
            # A bad name or tag is an error here, not at the use.
            _region_of(manager, region_name, how)
        return lambda function: decorate(manager, region_name, function, how)
    if callable(region_name) or isinstance(
        region_name, (staticmethod, classmethod, property)
    ):
        return decorate(manager, None, region_name, how)
    raise TypeError(
        "region_name must be a non-empty str, got "
        f"{type(region_name).__name__}: {region_name!r}"
    )


@unrecorded
def decoration(recursive, metadata, record_outcome, tags, keep_every=None, keep=None):
    """A Decoration of these. Raises TypeError when one of them is not what profile() takes."""
    if metadata is not None and not isinstance(metadata, dict) and not callable(metadata):
        raise wrong_type("metadata", "a dict or a callable that gives one", metadata)
    for name, value in (("recursive", recursive), ("record_outcome", record_outcome)):
        if not isinstance(value, bool) and not (name == "recursive" and value is None):
            raise wrong_type(name, "a bool", value)
    tags = None if tags is None else normal_tags("tags", tags)
    if keep_every is not None or keep is not None:
        from .thinning import normal_thinning

        normal_thinning(keep_every, keep)
    return Decoration(recursive, metadata, record_outcome, tags, keep_every, keep)


def _region_of(manager, name, how):
    return manager.profile_region(name, tags=how.tags, keep_every=how.keep_every, keep=how.keep)


@unrecorded
def decorate(manager, region_name, function, how):
    """The function, timed under the region; see ProfileManager.profile."""
    if isinstance(function, type):
        raise TypeError(
            f"profile() decorates functions, got the class {function.__qualname__!r}: decorate "
            "its methods (__init__ to time construction), or pass the class to instrument()"
        )
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorate(manager, region_name, function.__func__, how))
    if isinstance(function, property):
        raise TypeError(
            "profile() decorates functions, got a property: put @property above @profile"
        )
    if not callable(function):
        raise TypeError(
            f"profile() decorates a callable, got {type(function).__name__}: {function!r}"
        )
    name = name_of(function) if region_name is None else region_name
    region = _region_of(manager, name, how)
    if how.tags:
        manager._decorated_tags.add(name)
    code = _code_of(function)
    if code is not None:
        region._locate(code.co_filename, code.co_firstlineno)
        keep_weakly(manager._decorated, code)
        _core.forget_decision(manager, code)
    if hasattr(function, "__wrapped__"):
        from .lines import watch_wrapped

        watch_wrapped(region, function, code)
    if how.recursive is not None:
        manager._recurse(region, how.recursive)
    carried = update_wrapper(carrier(manager, region, code, function, how), function)
    if name_of(function) in _CLASS_METHODS and type(carried) is not FunctionType:
        return classmethod(carried)
    return carried


def in_metadata(scope, function):
    """The function, each call in a metadata scope like this one."""
    return inside("metadata()", scope._again, function)


@unrecorded
def inside(what, scope, function):
    """The function, each call inside `with scope():`, that of a coroutine function to its end.

    Raises TypeError for what cannot be called, and for generator functions, which end at another time
    than they are left; `what` is what the user decorates with.
    """
    if not callable(function):
        raise TypeError(
            f"{what} decorates a callable, got {type(function).__name__}: {function!r}"
        )
    code = _code_of(function)
    flags = code.co_flags if code is not None else 0
    if flags & (GENERATOR | ASYNC_GENERATOR):
        raise TypeError(
            f"{what} decorates no generator functions, got {function!r}: use `with` inside it"
        )
    if flags & COROUTINE:

        @wraps(function)
        async def inside(*args, **kwargs):
            with scope():
                return await function(*args, **kwargs)

    else:

        @wraps(function)
        def inside(*args, **kwargs):
            with scope():
                return function(*args, **kwargs)

    return inside


def is_decorated(function):
    """Whether decorate() made the function, for whichever manager."""
    if isinstance(function, (_core.ProfiledFunction, _core.ProfiledCallable)):
        return True
    if not isinstance(function, FunctionType):
        return False
    if function.__code__ in _CARRIERS:
        return True
    wrapped = getattr(function, "__wrapped__", None)
    return getattr(wrapped, "__code__", None) is function.__code__  # a twin shares the code


def name_of(function):
    """The name of a callable; of one that has none (a partial, say) that of what it calls, or of
    its type."""
    while not hasattr(function, "__name__"):
        inner = getattr(function, "func", None)
        if inner is None:
            return type(function).__name__
        function = inner
    return function.__name__


def carrier(manager, region, code, function, how):
    """What takes the place of a function whose code this is, or of another callable (None)."""
    flags = code.co_flags if code is not None else 0
    for kind, make in (
        (GENERATOR, _generator), (COROUTINE, _coroutine), (ASYNC_GENERATOR, _async_generator),
    ):
        if flags & kind:
            carried = make(_stepping(manager, region, code, how), function)
            if flags & ITERABLE_COROUTINE:
                carried = coroutine(carried)
            # A partial, say, has none of its own.
            carried.__name__, carried.__qualname__ = code.co_name, code.co_qualname
            # For who reads them: the call hands on its arguments as they are.
            carried.__defaults__ = getattr(function, "__defaults__", None)
            carried.__kwdefaults__ = getattr(function, "__kwdefaults__", None)
            return carried
    return manager._wrap(region, function, how.metadata, how.record_outcome)


def _code_of(callable):
    """The code of the Python function that a function, method or partial runs, or None."""
    function = _core.function_of(callable, False)
    return None if function is None else function.__code__


# Functions of the same kind as the decorated one, so that callers and frameworks see no other. What
# they make delegates every resumption to a GeneratorProxy, which delegates to the function's own object.


def _stepping(manager, region, code, how):
    """(the function's own object, arguments of the call) -> GeneratorProxy."""
    metadata, record_outcome = how.metadata, how.record_outcome
    GeneratorProxy = _core.GeneratorProxy
    if metadata is None and not record_outcome:
        return lambda inner, args, kwargs, is_async: GeneratorProxy(region, code, inner, is_async)

    def annotated(inner, args, kwargs, is_async):
        scope = None
        if metadata is not None and region._recording:
            try:
                scope = manager._metadata_of_call(metadata, args, kwargs)
            except BaseException:
                if not is_async:
                    inner.close()  # it was never awaited
                raise
        return GeneratorProxy(region, code, inner, is_async, scope, record_outcome)

    return annotated


# An exception that passes gets our frame on top of its traceback, which is taken off again. That is
# not in a function of its own, as none can be called where the recursion limit is reached.
# GeneratorExit is handed on outside of the `except` block where the user's code does not handle it, so
# that it does not become the context of other exceptions.


def _generator(steps_of, function):
    def profiled(*args, **kwargs):
        steps = steps_of(function(*args, **kwargs), args, kwargs, False)
        while True:
            try:
                return (yield from steps)
            except BaseException as error:
                error.__traceback__ = error.__traceback__.tb_next
                if not steps.hand_on(error):
                    raise

    return profiled


def _coroutine(steps_of, function):
    async def profiled(*args, **kwargs):
        steps = steps_of(function(*args, **kwargs), args, kwargs, False)
        while True:
            try:
                return await steps
            except BaseException as error:
                error.__traceback__ = error.__traceback__.tb_next
                if not steps.hand_on(error):
                    raise

    return profiled


def _async_generator(steps_of, function):
    async def profiled(*args, **kwargs):
        inner = function(*args, **kwargs)
        steps = steps_of(inner, args, kwargs, True)
        steps.of(first_step(inner))
        while True:
            try:
                items = [await steps]
            except StopAsyncIteration:
                return
            except BaseException as error:
                error.__traceback__ = error.__traceback__.tb_next
                if not steps.hand_on(error):
                    raise
                continue
            try:
                steps.of(inner.asend((yield items.pop())))  # no reference of ours keeps the item alive
            except BaseException as error:
                error.__traceback__ = error.__traceback__.tb_next
                steps.of_throw(inner.athrow(error))

    return profiled


def first_step(inner):
    """The first __anext__() of an async generator, hidden from the event loop: that knows the generator
    around this one, and would close both."""
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, id)  # any callable
    try:
        return inner.__anext__()
    finally:
        sys.set_asyncgen_hooks(*hooks)


_CARRIERS = {
    constant
    for make in (_generator, _coroutine, _async_generator)
    for constant in make.__code__.co_consts
    if isinstance(constant, CodeType)
}
_CARRIERS |= {code.replace(co_flags=code.co_flags | ITERABLE_COROUTINE) for code in _CARRIERS
              if code.co_flags & GENERATOR}

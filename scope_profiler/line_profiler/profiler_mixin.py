"""Decorating with a profiler: whatever is called switches it on while the call is under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial, partialmethod, wraps
import inspect
from types import FunctionType, MethodType, ModuleType
from typing import Any

from .._base.warning import warn
from .._instrument.decorator import first_step
from .._instrument.without_lines import C_CALLABLES
from .callables import functions_of
from .scoping_policy import ScopingPolicy


class ByCountProfilerMixin:
    """What a profiler decorates with, by its enable_by_count() and disable_by_count().

    wrap_callable() takes whatever can be called, or holds what can be: functions of all kinds,
    methods, properties, partials, classes (in place), objects with a __call__. Each of the others
    takes one kind.
    """

    _class_scoping_policy = ScopingPolicy.CHILDREN

    def enable_by_count(self) -> None:
        """Profile in this thread until disable_by_count() has been called as often."""
        raise NotImplementedError

    def disable_by_count(self) -> None:
        """Take back one enable_by_count()."""
        raise NotImplementedError

    # ---- Decorating

    def wrap_callable(self, func: Any) -> Any:
        """The callable, or wrapper of callables, profiled while it is called; classes in place, and
        what is written in C as it is. Raises TypeError when it is neither."""
        for kind, wrap in self._ways:
            if isinstance(func, kind):
                return wrap(self, func)
        if isinstance(func, C_CALLABLES):
            return func
        if inspect.isasyncgenfunction(func):
            return self.wrap_async_generator(func)
        if inspect.iscoroutinefunction(func):
            return self.wrap_coroutine(func)
        if inspect.isgeneratorfunction(func):
            return self.wrap_generator(func)
        if isinstance(func, type):
            return self.wrap_class(func)
        if callable(func):
            return self.wrap_function(func)
        raise TypeError(f"func = {func!r}: does not look like a callable or callable wrapper")

    def wrap_function(self, func: Callable[..., Any]) -> Any:
        """A function, or an object with a __call__."""
        if self._already_a_wrapper(func):
            return func

        @wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.enable_by_count()
            try:
                return func(*args, **kwargs)
            finally:
                self.disable_by_count()

        return self._mark_wrapper(wrapper)

    def wrap_generator(self, func: Callable[..., Any]) -> Any:
        """A generator function; profiled is what runs between one yield and the next."""
        if self._already_a_wrapper(func):
            return func

        @wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            inner = func(*args, **kwargs)
            steps = [partial(next, inner)]  # no reference of ours keeps what is sent or thrown alive
            while True:
                self.enable_by_count()
                try:
                    items = [steps.pop()()]
                except StopIteration as stop:
                    return stop.value
                finally:
                    self.disable_by_count()
                try:
                    steps.append(partial(inner.send, (yield items.pop())))
                except BaseException as error:
                    steps.append(partial(inner.throw, error))

        return self._mark_wrapper(wrapper)

    def wrap_coroutine(self, func: Callable[..., Any]) -> Any:
        """A coroutine function; profiled is all that the thread does up to its end."""
        if self._already_a_wrapper(func):
            return func

        @wraps(func)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.enable_by_count()
            try:
                return await func(*args, **kwargs)
            finally:
                self.disable_by_count()

        return self._mark_wrapper(wrapper)

    def wrap_async_generator(self, func: Callable[..., Any]) -> Any:
        """An async generator function; profiled is all that the thread does between one yield and
        the next."""
        if self._already_a_wrapper(func):
            return func

        @wraps(func)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            inner = func(*args, **kwargs)
            steps = [first_step(inner)]
            while True:
                self.enable_by_count()
                try:
                    items = [await steps.pop()]
                except StopAsyncIteration:
                    return
                finally:
                    self.disable_by_count()
                try:
                    steps.append(inner.asend((yield items.pop())))
                except BaseException as error:
                    steps.append(inner.athrow(error))

        return self._mark_wrapper(wrapper)

    def wrap_classmethod(self, func: classmethod[Any, Any, Any]) -> Any:
        """A class method."""
        return self._rebuilt(func, ["__func__"])

    def wrap_staticmethod(self, func: staticmethod[Any, Any]) -> Any:
        """A static method."""
        return self._rebuilt(func, ["__func__"])

    def wrap_boundmethod(self, func: MethodType) -> Any:
        """A method of an object."""
        return self._rebuilt(func, ["__func__"], func.__self__)

    def wrap_partial(self, func: partial[Any]) -> Any:
        """A functools.partial."""
        return self._rebuilt(func, ["func"], *func.args, **func.keywords)

    def wrap_partialmethod(self, func: partialmethod[Any]) -> Any:
        """A functools.partialmethod."""
        return self._rebuilt(func, ["func"], *func.args, **func.keywords)

    def wrap_property(self, func: property) -> Any:
        """A property."""
        return self._rebuilt(func, ["fget", "fset", "fdel"], doc=func.__doc__)

    def wrap_cached_property(self, func: cached_property[Any]) -> Any:
        """A functools.cached_property."""
        return self._rebuilt(func, ["func"])

    def wrap_class(self, func: type) -> type:
        """A class: what was defined in it is wrapped in place. Warns of what cannot be."""
        self._wrap_members(func, {
            name: member for name, member in vars(func).items()
            if any(self._taken(func)(part) for part in self._functions_or_classes(member))
        })
        return func

    def _wrap_members(self, namespace: type | ModuleType, members: Mapping[str, object]) -> None:
        refused = {}
        for name, member in members.items():
            wrapped = self.wrap_callable(member)
            if wrapped is not member:
                try:
                    setattr(namespace, name, wrapped)
                except (TypeError, AttributeError):  # a type that does not let itself be changed
                    refused[name] = member
        if refused:
            warn(f"cannot wrap {len(refused)} attribute(s) of {namespace!r} "
                 f"(`{{attr: value}}`): {refused!r}")

    def _rebuilt(self, func: Any, parts: list[str], *args: Any, **kwargs: Any) -> Any:
        """An object of the same kind, of wrapped parts and these arguments."""
        given = [getattr(func, part) for part in parts]
        wrapped = [None if part is None else self.wrap_callable(part) for part in given]
        rebuilt = type(func)(*wrapped, *args, **kwargs)
        for name in ("__name__", "attrname"):
            if not isinstance(func, (property, cached_property)):
                break
            try:
                setattr(rebuilt, name, getattr(func, name))
            except AttributeError:
                pass
        for name, value in getattr(func, "__dict__", {}).items():
            if hasattr(rebuilt, "__dict__"):
                rebuilt.__dict__.setdefault(name, value)
        return rebuilt

    #: In this order: the kinds that hold others come first.
    _ways: tuple[tuple[type, Callable[[Any, Any], Any]], ...] = (
        (classmethod, wrap_classmethod),
        (staticmethod, wrap_staticmethod),
        (MethodType, wrap_boundmethod),
        (partialmethod, wrap_partialmethod),
        (partial, wrap_partial),
        (property, wrap_property),
        (cached_property, wrap_cached_property),
    )

    # ---- What there is to decorate

    @classmethod
    def get_underlying_functions(cls, func: object) -> list[FunctionType]:
        """The Python functions in a callable or wrapper; of a class those that were defined in it.
        Raises TypeError when it is neither."""
        return functions_of(func, set(), cls._functions_of_class)

    @classmethod
    def _functions_of_class(cls, owner: type, seen: set[int] | None = None) -> list[Any]:
        taken, found = cls._taken(owner), []
        seen = set() if seen is None else seen
        for member in vars(owner).values():
            for part in cls._functions_or_classes(member, seen):
                if taken(part):
                    found += cls._functions_of_class(part, seen) if isinstance(part, type) else [part]
        return found

    @staticmethod
    def _functions_or_classes(member: object, seen: set[int] | None = None) -> list[Any]:
        try:
            return functions_of(member, set() if seen is None else seen, lambda inner: [inner])
        except TypeError:
            return []

    @classmethod
    def _taken(cls, owner: type) -> Callable[[Any], bool]:
        function = cls._class_scoping_policy.get_filter(owner, "func")
        inner = cls._class_scoping_policy.get_filter(owner, "class")
        return lambda part: (inner if isinstance(part, type) else function)(part)

    # ---- What is decorated already

    _profiler_wrapped_marker = "__line_profiler_id__"

    def _already_a_wrapper(self, func: object) -> bool:
        return getattr(func, self._profiler_wrapped_marker, None) == id(self)

    def _mark_wrapper(self, wrapper: Any) -> Any:
        setattr(wrapper, self._profiler_wrapped_marker, id(self))
        return wrapper

    # ---- Running

    def run(self, cmd: Any) -> Any:
        """Profile a statement in the main module; gives the profiler."""
        import __main__

        return self.runctx(cmd, __main__.__dict__, __main__.__dict__)

    def runctx(self, cmd: Any, globals: dict[str, Any], locals: Mapping[str, object]) -> Any:
        """Profile a statement in these namespaces; gives the profiler."""
        self.enable_by_count()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable_by_count()
        return self

    def runcall(self, func: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        """Profile one call; gives what it returns."""
        self.enable_by_count()
        try:
            return func(*args, **kw)
        finally:
            self.disable_by_count()

    def __enter__(self) -> Any:
        self.enable_by_count()
        return self

    def __exit__(self, *exception: object) -> None:
        self.disable_by_count()

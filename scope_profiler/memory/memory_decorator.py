"""`profile`: prints what the lines of a function took, after each call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from functools import partial, wraps
import inspect
from typing import IO, Any

from .memory_profiler import MemoryProfiler
from .usage import choose_backend


def profile(func: Callable[..., Any] | None = None, stream: IO[str] | None = None,
            precision: int = 1, backend: str = "psutil") -> Any:
    """Decorator: print what each line of the function took of memory, when a call of it ends.

    With or without parentheses. stream: where to, sys.stdout for None. precision: decimals of MiB.
    backend: see MemoryProfiler. Of a coroutine or generator the table comes at its end. Raises
    ValueError for an unknown backend.
    """
    backend = choose_backend(backend)
    if func is None:
        return partial(profile, stream=stream, precision=precision, backend=backend)
    function: Callable[..., Any] = func

    @contextmanager
    def measured() -> Any:
        profiler = MemoryProfiler(backend=backend)
        try:
            yield profiler(function)
        finally:
            profiler.show(stream, precision)

    wrapper: Callable[..., Any]
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with measured() as called:
                return await called(*args, **kwargs)

    elif inspect.isasyncgenfunction(function):

        @wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with measured() as called:
                async for value in called(*args, **kwargs):
                    yield value

    elif inspect.isgeneratorfunction(function):

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with measured() as called:
                return (yield from called(*args, **kwargs))

    else:

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with measured() as called:
                return called(*args, **kwargs)

    return wrapper

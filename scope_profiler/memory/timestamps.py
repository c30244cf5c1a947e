"""`TimeStamper`: how much memory the process used when functions and blocks began and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
import os
import sys
from time import time
from typing import IO, Any, NamedTuple

from .usage import choose_backend, reading


class Stamp(NamedTuple):
    """A call or block: MiB and seconds since the epoch at its begin and at its end, and how many were
    open around it, with itself."""

    name: str
    begin: tuple[float, float]
    end: tuple[float, float]
    level: int


class TimeStamper:
    """Notes memory and time where what it decorates begins and ends, and `timestamp()` blocks.

    backend, include_children: see memory_usage().
    """

    def __init__(self, backend: str | None = None, include_children: bool = False) -> None:
        self.backend = choose_backend(backend)
        self.include_children = include_children
        self.stamps: list[Stamp] = []
        self._level = 0

    def __call__(self, func: Callable[..., Any] | None = None, precision: int | None = None) -> Any:
        """Decorator, with or without parentheses. precision: no meaning, as in memory_profiler."""
        if func is None:
            return partial(self.__call__, precision=precision)
        function: Callable[..., Any] = func

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self.timestamp(f"{function.__module__}.{function.__qualname__}"):
                return function(*args, **kwargs)

        return wrapper

    @contextmanager
    def timestamp(self, name: str = "<block>") -> Iterator[None]:
        """A context manager for a block of that name."""
        self._level += 1
        level, begin = self._level, self._now()
        try:
            yield
        finally:
            self._level -= 1
            self.stamps.append(Stamp(name, begin, self._now(), level))

    def _now(self) -> tuple[float, float]:
        return reading(os.getpid(), self.backend, self.include_children), time()

    def show_results(self, stream: IO[str] | None = None) -> None:
        """Print them in the format of mprof."""
        out = sys.stdout if stream is None else stream
        for name, begin, end, level in self.stamps:
            numbers = " ".join(f"{number:.4f}" for number in (*begin, *end))
            out.write(f"FUNC {name} {numbers} {level}\n")

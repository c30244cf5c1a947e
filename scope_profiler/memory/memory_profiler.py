"""`MemoryProfiler`: what each line of the functions that are registered takes of memory."""

from __future__ import annotations

from collections.abc import Iterator
import sys
from types import CodeType
from typing import IO, Any

from .._base.unrecorded import unrecorded
from .._base.warning import warn
from .._instrument import lines, memory
from .._model.counted_code import CountedCode
from .._model.counted_lines import CountedLine
from ..line_profiler import LineProfiler as _LineProfiler
from ..line_profiler.whole_calls import table
from .usage_table import LineMemory, show_results, tables
from .usage import choose_backend


class MemoryProfiler(_LineProfiler):
    """Measures what each line of functions takes of memory, while it is on. It is one of
    `line_profiler.LineProfiler`, which says when that is.

        profile = MemoryProfiler()

        @profile
        def load(): ...

        profile.show()

    include_children, backend: of memory_profiler; there is a warning where they ask for more than the
    resident set of the process, by which lines are measured. max_mem: cannot be had.

    Raises ValueError for an unknown backend, or when max_mem is given.
    """

    def __init__(self, *functions: Any, include_children: bool = False, backend: str | None = None,
                 max_mem: float | None = None, **settings: Any) -> None:
        self.backend = choose_backend(backend)
        if max_mem is not None:
            raise ValueError("max_mem cannot be had: no debugger is entered at a limit of memory")
        if include_children or self.backend not in ("psutil", "posix"):
            warn("lines are measured by the resident set of the process alone; include_children and "
                 "other backends are for memory_usage()")
        self._inner: dict[int, list[CodeType]] = {}  # by the id of what they are in
        super().__init__(*functions, **settings)
        memory.start(self._manager)
        self.reset_stats()

    def __call__(self, func: Any = None, precision: int = 1) -> Any:
        """Decorator, see LineProfiler. precision: no meaning, as in memory_profiler."""
        return self if func is None else super().__call__(func)

    def _register(self, code: CodeType, func: Any) -> None:
        """Functions inside a function count in its table."""
        super()._register(code, func)
        self._inner[id(code)] = inner = list(_inside(code))
        for each in inner:
            super()._register(each, func)

    @unrecorded
    def reset_stats(self) -> None:
        """Begin measuring anew."""
        self._manager._begin(False, True, False, False, False, self.line_details, True)

    @unrecorded
    def lines(self) -> dict[CountedCode, list[CountedLine]]:
        """All that is known of the lines, by function."""
        return {CountedCode(*key): rows for key, rows in lines.lines_of(self._region).items()}

    def functions_measured(self) -> Iterator[tuple[CountedCode, list[CountedCode]]]:
        """Each function that is registered, with the functions inside it."""
        for number, inner in self._inner.items():
            yield _counted(self._codes[number]), [_counted(code) for code in inner]

    @property
    def code_map(self) -> Any:
        """{file: {line: (increment, usage, occurrences)}} of what has run."""
        found: dict[str, dict[int, LineMemory]] = {}
        for code, rows in tables(self):
            found.setdefault(code.co_filename, {}).update(rows)
        return found

    def show(self, stream: IO[str] | None = None, precision: int = 1) -> None:
        """Print the table of memory_profiler, to stream (sys.stdout), and below it the calls of functions
        that have no lines, in ns. precision: decimals of MiB."""
        show_results(self, stream, precision)
        if calls := self.get_stats().calls:
            (sys.stdout if stream is None else stream).writelines(table(calls, 1))


#: As memory_profiler calls it.
LineProfiler = MemoryProfiler


def _inside(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _inside(each)


def _counted(code: CodeType) -> CountedCode:
    return CountedCode(code.co_filename, code.co_firstlineno, code.co_qualname)

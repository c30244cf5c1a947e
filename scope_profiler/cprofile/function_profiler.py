"""`Profile`: cProfile's class, on our tracing of every function."""

from __future__ import annotations

from collections.abc import Callable
import os
from types import CodeType
from typing import Any, NamedTuple, Self, TextIO, TypeVar

from .._base.arguments import boolean
from .._base.shown import shown
from .._instrument import call_tracing
from .._model.counted_code import CountedCode
from ..manager import ProfileManager

T = TypeVar("T")


class Subentry(NamedTuple):
    """What one function called of another, as cProfile has it; times in seconds."""

    code: CountedCode | str
    callcount: int
    reccallcount: int
    totaltime: float
    inlinetime: float


class Entry(NamedTuple):
    """A function, as cProfile has it; calls: a list of `Subentry`, or None."""

    code: CountedCode | str
    callcount: int
    reccallcount: int
    totaltime: float
    inlinetime: float
    calls: list[Subentry] | None


class Profile:
    """A profile of functions, as `cProfile.Profile`.

    timer, timeunit: None: time is taken by the core. subcalls: No meaning: who called whom is always
    recorded. builtins: Whether functions in C are recorded too.

    Raises ValueError for a timer.
    """

    #: After create_stats(): what pstats makes its tables of.
    stats: dict[Any, Any]

    def __init__(
        self, timer: None = None, timeunit: float = 0.0, subcalls: bool = True, builtins: bool = True
    ) -> None:
        if timer is not None:
            raise ValueError(f"timer takes None: time is taken by the core; got {timer!r}")
        self._manager = ProfileManager()
        self._builtins = boolean("builtins", builtins)
        self._is_on = False
        self._begin()

    def _begin(self) -> None:
        self._manager.setup(
            output=None, aggregation_mode=True, verbose=False, trace_c=self._builtins)

    def enable(self, subcalls: bool = True, builtins: bool = True) -> None:
        """Record from now on, in all threads; nothing when that is so. For the arguments see the class:
        what was said there counts."""
        if not self._is_on:
            call_tracing.start(self._manager, only_user_code=False)
            self._is_on = True

    def disable(self) -> None:
        """End that; nothing when it is not on. What was recorded stays, and enable() adds to it."""
        if self._is_on:
            self._is_on = False
            call_tracing.stop(self._manager)

    def clear(self) -> None:
        """Forget what was recorded."""
        was_on = self._is_on
        self.disable()
        self._manager.reset()
        self._begin()
        if was_on:
            self.enable()

    def __enter__(self) -> Self:
        self.enable()
        return self

    def __exit__(self, *exception: object) -> None:
        self.disable()

    # ---- What is to be profiled

    def run(self, cmd: str | CodeType) -> Self:
        """Run a statement in `__main__`, recorded."""
        import __main__

        return self.runctx(cmd, vars(__main__), vars(__main__))

    def runctx(self, cmd: str | CodeType, globals: dict[str, Any], locals: Any) -> Self:
        """Run a statement in these namespaces, recorded."""
        with self:
            exec(cmd, globals, locals)
        return self

    def runcall(self, func: Callable[..., T], /, *args: Any, **kw: Any) -> T:
        """Call a function, recorded, and return what it returns."""
        with self:
            return func(*args, **kw)

    # ---- What was recorded

    def _functions(self) -> dict[str, Any]:
        from .._run.snapshot import take_snapshot
        from ..results.functions import functions_of

        return functions_of(take_snapshot(self._manager, results=False).recorded.nodes, self._place)

    def _place(self, name: str) -> tuple[str | None, int]:
        region = self._manager.get_region(name)
        return (None, 0) if region is None else (region.source_file, region.source_lineno or 0)

    def getstats(self) -> list[Entry]:
        """The functions as entries, with what each of them called."""
        functions = self._functions()
        return [
            Entry(_code(one), one.sums.calls, 0, one.sums.total_ns / 1e9, one.sums.own_ns / 1e9, [
                Subentry(_code(functions[name]), sums.calls, 0, sums.total_ns / 1e9, sums.own_ns / 1e9)
                for name, sums in one.callees.items()
            ] or None)
            for one in functions.values()
        ]

    def snapshot_stats(self) -> None:
        """Have in `stats` what was recorded up to now."""
        from ..exports.prof import table_of

        self.stats = table_of(self._functions())

    def create_stats(self) -> None:
        """disable(), and have in `stats` what was recorded: what `pstats.Stats(profile)` calls."""
        self.disable()
        self.snapshot_stats()

    def dump_stats(self, file: str | os.PathLike[str]) -> None:
        """Write a file for pstats, which is whole at any time. Raises OSError when that cannot be."""
        from ..exports.prof import write_table

        self.create_stats()
        write_table(file, self.stats)

    def print_stats(self, sort: Any = -1, stream: TextIO | None = None) -> None:
        """Print the table of pstats, sorted by one of its keys or by several in a tuple.

        stream: Where it goes; None for sys.stdout.
        """
        from ..exports.prof import stats, table_of

        self.create_stats()
        printed = stats(table_of(self._functions(), shown), stream)
        keys = sort if isinstance(sort, tuple) else (sort,)
        printed.strip_dirs().sort_stats(*keys).print_stats()


def _code(function: Any) -> CountedCode | str:
    if function.file is None:
        return str(function.name)
    return CountedCode(function.file, function.line, function.function)

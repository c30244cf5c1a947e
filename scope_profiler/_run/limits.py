"""Calls that take longer than the limit of their region: setup(on_slow=, slow_callback=)."""

from __future__ import annotations

from fnmatch import fnmatchcase
import logging
import sys
from threading import current_thread

from .._base.shown import shown
from .._model.over_limit import CallOverLimit, CallsInside
from .._model.recorded import OTHER_PATHS
from ..report.style import format_time, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_log = logging.getLogger("scope_profiler")


class SlowCalls:
    """What tells of them, in a run. The core asks it for limits, and calls it in the middle of the program:
    it imports nothing there, and no exception comes out."""

    def __init__(self, limits: Mapping[str, float],
                 callback: Callable[[CallOverLimit], object]) -> None:
        self._limits = limits
        self._callback = callback
        self.start_over()

    def start_over(self) -> None:
        """Nothing has been told yet."""
        self._told = self._failed = 0
        self._error = ""  # the first that the callback raised

    def limit_ns(self, name: str) -> float | None:
        """The limit of a region: that of its name, or else of the first pattern that matches it."""
        limit = self._limits.get(name)
        if limit is None:
            found = (limit for pattern, limit in self._limits.items() if fnmatchcase(name, pattern))
            limit = next(found, None)
        return None if limit is None else 1e9 * limit

    def tell(self, name: str, ns: float, limit_ns: float, own_ns: float, metadata: dict[str, Any],
             rows: list[tuple[str | None, int, int, float]] | None) -> None:
        """A call of the region has taken so long, and its own time; rows: of what ran inside it (name, place
        of the row around it or -1, calls, ns), or None."""
        self._told += 1
        try:
            self._callback(CallOverLimit(
                name, round(ns), round(limit_ns), round(own_ns), current_thread().name, _task(),
                metadata, None if rows is None else _inside(rows),
            ))
        except KeyboardInterrupt:
            raise  # the user's: the core has it come again where it can be raised
        except BaseException as error:
            self._failed += 1
            self._error = self._error or repr(error)

    def facts(self) -> dict[str, Any]:
        """What there is to say of it, as facts of a Recorded."""
        if not self._told:
            return {}
        return {"slow_calls": self._told, "slow_failed": self._failed, "slow_error": self._error}


def _task():
    """The name of the asyncio task that runs here, or None."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return None
    task = asyncio.current_task()
    return None if task is None else task.get_name()


def _inside(rows):
    """Each below its caller, the longest first."""
    below = [[] for _ in (None, *rows)]  # the last are those of the call itself
    for place in sorted(range(len(rows)), key=lambda place: rows[place][3]):
        below[rows[place][1]].append(place)
    found, paths, waiting = [], [()] * len(rows), below[-1]
    while waiting:
        place = waiting.pop()
        name, above, calls, ns = rows[place]
        paths[place] = (*(paths[above] if above >= 0 else ()), name or OTHER_PATHS)
        found.append(CallsInside(paths[place], calls, round(ns)))
        waiting.extend(below[place])
    return tuple(found)


_MOST = 5


def log(call: CallOverLimit) -> None:
    """Write it to the log, what ran right inside it in a few words."""
    where = f"thread {call.thread}" + (f", task {call.task}" if call.task else "")
    noted = "".join(f", {shown(key)}={shown(repr(value))}" for key, value in call.metadata.items())
    _log.warning("%s took %s, over its limit of %s (%s%s)%s", shown(call.region),
                 format_time(call.duration_ns), format_time(call.limit_ns), shown(where), noted,
                 _words(call))


def _words(call):
    direct = [row for row in call.inside or () if len(row.path) == 1]
    parts = [f"{shown(row.path[0])} {format_time(row.total_ns)} in {many(row.calls, 'call')}"
             for row in direct[:_MOST]]
    if len(direct) > _MOST:
        parts.append(f"{many(len(direct) - _MOST, 'more region')}")
    return f"; inside: {', '.join(parts)}; own {format_time(call.exclusive_ns)}" if parts else ""

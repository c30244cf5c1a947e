"""Calls of functions whose lines cannot be seen: each is timed as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from .._instrument.decorator import name_of
from ..report.plain_lines import WIDTHS, cells

#: {function: (how often it was called, the time of these calls in units)}.
WholeCalls: TypeAlias = dict[str, tuple[int, int | float]]

TITLE = "Functions without lines, whose calls are timed as a whole"


def name_of_callable(function: Any) -> str:
    """By which its calls are shown."""
    name = getattr(function, "__qualname__", None)
    name = name if isinstance(name, str) else name_of(function)
    module = getattr(function, "__module__", None)
    return name if not isinstance(module, str) or module == "builtins" else f"{module}.{name}"


def added_up(parts: Iterable[tuple[Mapping[str, tuple[int, int | float]], float]]) -> WholeCalls:
    """The sum of several, each with how much longer its unit is than that of the sum."""
    sums: WholeCalls = {}
    for calls, scale in parts:
        for name, (count, time) in calls.items():
            count_before, time_before = sums.get(name, (0, 0))
            sums[name] = count_before + count, time_before + (time if scale == 1 else round(time * scale))
    return sums


def table(calls: WholeCalls, scale: float, widths: Mapping[str, int] = WIDTHS) -> Iterator[str]:
    """The lines of their table as text. scale: what times are multiplied with to be shown."""
    rows = [(*cells(count, time, 0, scale, widths)[:3], name) for name, (count, time) in calls.items()]
    wide = [max(widths[column], *(len(row[place]) for row in rows))
            for place, column in enumerate(("hits", "time", "perhit"))]

    def line(*values: str) -> str:
        return " ".join(f"{value:>{width}}" for value, width in zip(values, wide)) + f"  {values[-1]}\n"

    heading = line("Calls", "Time", "Per Call", "Function")
    yield from (f"{TITLE}\n\n", heading, "=" * (len(heading) - 1) + "\n")
    yield from (line(*row) for row in rows)
    yield "\n"

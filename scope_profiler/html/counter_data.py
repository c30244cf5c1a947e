"""The counters of the program on the page: a table of them, and a chart of each over time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .._base.shown import shown
from .._model.counter_values import CounterValues
from ..results import ProfilingResults
from ..results.chart_counters import stretches

#: Counters, ranks of one, and points of a curve.
_MOST, _MOST_RANKS, _MOST_POINTS = 12, 20, 2000

Counters = Mapping[str, Mapping[int, CounterValues]]


def counter_data(results: ProfilingResults, counters: Counters) -> list[dict[str, Any]]:
    """For charts.js: of each counter its name, and a curve for each rank: times in s since the begin of the
    run, and values; of very many the least and the most of some that follow each other."""
    begun = results.metadata.get("start_time_ns", 0)
    return [
        {"name": shown(name), "curves": [_curve(rank, known, begun)
                                         for rank, known in [*of_ranks.items()][:_MOST_RANKS]]}
        for name, of_ranks in [*counters.items()][:_MOST]
    ]


def left_out(counters: Counters) -> str:
    """What to say of those that have no chart."""
    ranks = max(map(len, counters.values()), default=0)
    return " and ".join(
        f"{number - most} of {number} {what}" for number, most, what in (
            (len(counters), _MOST, "counters"), (ranks, _MOST_RANKS, "ranks")) if number > most)


def _curve(rank: int, known: CounterValues, begun: int) -> dict[str, Any]:
    first, least, most = stretches(known.values, _MOST_POINTS)
    times = (known.times_ns[first] - begun).tolist()
    curve = {"rank": rank, "time": [float(f"{ns / 1e9:.9g}") for ns in times], "least": _finite(least)}
    return curve if len(first) == len(known) else {**curve, "most": _finite(most)}


def _finite(values: Any) -> list[float | None]:
    """JSON has no others."""
    return [value if math.isfinite(value) else None for value in values.tolist()]

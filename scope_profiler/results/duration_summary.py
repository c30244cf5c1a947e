"""How long the calls of a region took, as few numbers: how often how long, and over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._model.sketch import Sketch
from .mpi_region import MPIRegion
from .region import Region


#: Later and longer than anything.
_NEVER = np.iinfo(np.int64).max


class Histogram(NamedTuple):
    """How many calls took how long.

    edges_ns: float64 [bins + 1], each so many times the one before. calls: int64 [bins].
    """

    edges_ns: np.ndarray
    calls: np.ndarray


class OverTime(NamedTuple):
    """The calls over time: each by itself, or of each stretch of time with a call its fewest numbers.

    start_ns: int64 [n]: when the call, or the first of the stretch, began, on the axis of
        ``perf_counter_ns()``.
    calls: int64 [n]: how many they are. least_ns, mean_ns, most_ns: float64 [n], of their durations.
    is_single: Whether each is a call.
    """

    start_ns: np.ndarray
    calls: np.ndarray
    least_ns: np.ndarray
    mean_ns: np.ndarray
    most_ns: np.ndarray
    is_single: bool


def histogram(region: MPIRegion, most: int = 60) -> Histogram | None:
    """The calls in at most so many bins; None where neither sketches nor all calls are known.

    From the sketches of the recorder, so a call may be counted in a bin beside its own, where the edge of
    that is within 0.8 % of its duration.
    """
    sketch = region.sketch or _sketch_of_calls(region)
    if sketch is None or not len(sketch.values):
        return None
    values = np.maximum(sketch.values * sketch.unit, 1.0)
    low, high = values.min() / 1.01, values.max() * 1.01
    bins = int(np.clip(np.ceil(np.log2(high / low) * 8), 1, most))
    edges = np.geomspace(low, high, bins + 1)
    return Histogram(edges, np.histogram(values, edges, weights=sketch.counts)[0].round().astype(np.int64))


def _sketch_of_calls(region: MPIRegion) -> Sketch | None:
    """Where not each rank has one: of the calls of the others, if all of them are known."""
    called = [region[rank] for rank in region if region[rank].num_calls]
    if any(one.sketch is None and one.num_events < one.num_calls for one in called):
        return None
    return Sketch.merged(
        Sketch.of_durations(one.durations_ns) if one.sketch is None else one.sketch for one in called)


def over_time(region: MPIRegion, most: int = 500) -> OverTime | None:
    """At most so many calls or stretches of time; None where no call has its interval.

    Of many calls, those of one rank at a time are in memory.
    """
    called = [region[rank] for rank in region if region[rank].num_events]
    if not called:
        return None
    if sum(of_rank.num_events for of_rank in called) > most:
        return _stretches(called, most)
    start = np.concatenate([of_rank.start_times_ns for of_rank in called])
    length = np.concatenate([of_rank.durations_ns for of_rank in called])
    order = np.argsort(start, kind="stable")
    values = length[order].astype(np.float64)
    return OverTime(start[order], np.ones(len(start), np.int64), values, values, values, True)


def _stretches(called: list[Region], most: int) -> OverTime:
    """Calls over time, in equal stretches of which those without a call are left out."""
    begin = min(int(of_rank.start_times_ns[0]) for of_rank in called)
    end = max(int(of_rank.start_times_ns[-1]) for of_rank in called)
    edges = np.linspace(begin, end + 1, most + 1)
    calls, total = np.zeros(most, np.int64), np.zeros(most, np.int64)
    least, longest = np.full(most, _NEVER), np.zeros(most, np.int64)
    first = np.full(most, _NEVER)
    for of_rank in called:
        start, length = of_rank.start_times_ns, of_rank.durations_ns
        bounds = np.searchsorted(start, edges)
        bounds[0], bounds[-1] = 0, len(start)  # floats may be too coarse for the edges
        known = np.diff(bounds) > 0
        rows = bounds[:-1][known]
        calls += np.diff(bounds)
        total[known] += np.add.reduceat(length, rows)
        least[known] = np.minimum(least[known], np.minimum.reduceat(length, rows))
        longest[known] = np.maximum(longest[known], np.maximum.reduceat(length, rows))
        first[known] = np.minimum(first[known], start[rows])
    known = calls > 0
    return OverTime(first[known], calls[known], least[known].astype(np.float64),
                    total[known] / calls[known], longest[known].astype(np.float64), False)

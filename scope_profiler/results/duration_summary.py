"""How long the calls of a region took, as few numbers: how often how long, and over time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._model.sketch import Sketch
from .mpi_region import MPIRegion
from .region import Region


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
    called = [region[rank] for rank in region if region[rank].num_calls]
    sketches = [known for known in map(_sketch, called) if known is not None]
    if not called or len(sketches) < len(called):
        return None
    sketch = Sketch.merged(sketches)
    values = np.maximum(sketch.values * sketch.unit, 1.0)
    low, high = values.min() / 1.01, values.max() * 1.01
    bins = int(np.clip(np.ceil(np.log2(high / low) * 8), 1, most))
    edges = np.geomspace(low, high, bins + 1)
    return Histogram(edges, np.histogram(values, edges, weights=sketch.counts)[0].round().astype(np.int64))


def _sketch(region: Region) -> Sketch | None:
    if region.sketch is None and region.num_events == region.num_calls:
        return Sketch.of_durations(region.durations_ns)
    return region.sketch


def over_time(region: MPIRegion, most: int = 500) -> OverTime | None:
    """At most so many calls or stretches of time; None where no call has its interval."""
    called = [region[rank] for rank in region if region[rank].num_events]
    if not called:
        return None
    starts = [of_rank.start_times_ns for of_rank in called]
    lengths = [of_rank.durations_ns for of_rank in called]
    start, length = starts[0], lengths[0]
    if len(called) > 1:
        start, length = np.concatenate(starts), np.concatenate(lengths)
        order = np.argsort(start, kind="stable")
        start, length = start[order], length[order]
    if len(start) <= most:
        values = length.astype(np.float64)
        return OverTime(start, np.ones(len(start), np.int64), values, values, values, True)
    bounds = np.searchsorted(start, np.linspace(start[0], start[-1] + 1, most + 1))
    first = np.unique(bounds[:-1])
    calls = np.diff(np.append(first, len(start)))
    return OverTime(
        start[first], calls, np.minimum.reduceat(length, first).astype(np.float64),
        np.add.reduceat(length, first) / calls, np.maximum.reduceat(length, first).astype(np.float64), False,
    )

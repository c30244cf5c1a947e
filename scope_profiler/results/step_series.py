"""`StepSeries`: how long a region took in each step, and whether that grows."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .metadata_groups import by_value

if TYPE_CHECKING:
    from .event_metadata import EventMetadata
    from .profiling_results import ProfilingResults
    from .region import Region

#: Two-sided 99 % of the normal distribution.
_Z = 2.5758
#: From more steps the medians of so many stretches are looked at: their pairs are all that fit in memory.
_STRETCHES = 1000


class Drift(NamedTuple):
    """By how much steps get longer: the slope of Theil and Sen, which is the median of the slopes between
    all pairs of steps, so that outliers, less than 29 % of the steps, do not move it.

    per_step_ns: The slope, nanoseconds a step.
    low_ns, high_ns: Where it lies with 99 %, were the steps independent (Sen 1968).
    relative: What it comes to from the first step to the last, over the median of the steps.

    H. Theil, A rank-invariant method of linear and polynomial regression analysis, 1950.
    P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63, 1968.
    """

    per_step_ns: float
    low_ns: float
    high_ns: float
    relative: float

    @property
    def is_sure(self) -> bool:
        """Whether the steps get longer, or shorter, wherever in the interval the slope lies."""
        return self.low_ns > 0 or self.high_ns < 0


class StepSeries(NamedTuple):
    """The calls of a region on a rank, by a number that was noted for them, in the order in which the
    numbers are met. Calls without one are left out.

    steps: float64 [steps], what was noted: `metadata(step=...)`.
    start_times_ns: int64 [steps], when the first call of each began.
    durations_ns: int64 [steps], how long all calls of each took together.
    num_calls: int64 [steps].
    """

    steps: np.ndarray
    start_times_ns: np.ndarray
    durations_ns: np.ndarray
    num_calls: np.ndarray

    @property
    def drift(self) -> Drift | None:
        """Whether steps get longer; None of too few steps for an interval, which takes six."""
        return drift_of(self.steps, self.durations_ns.astype(float))


def step_series(
    results: ProfilingResults, name: str, key: str, ranks: Iterable[int] | None
) -> dict[int, StepSeries]:
    """See `ProfilingResults.step_series`."""
    region = results[name]
    found = {}
    for rank in region if ranks is None else sorted({*region} & {*ranks}):
        region[rank].require_intervals(name)
        series = _series_of(region[rank], key)
        if series is not None:
            found[rank] = series
    return found


def _series_of(region: Region, key: str) -> StepSeries | None:
    """None where no number was noted for any call."""
    of_call = _steps_of(region.event_metadata, key)
    rows = np.flatnonzero(~np.isnan(of_call))
    if not len(rows):
        return None
    steps, first, place = np.unique(of_call[rows], return_index=True, return_inverse=True)
    durations, calls = np.zeros(len(steps), np.int64), np.bincount(place)
    np.add.at(durations, place, region.durations_ns[rows])
    order = np.argsort(first)
    return StepSeries(steps[order], region.start_times_ns[rows][first][order], durations[order], calls[order])


def _steps_of(known: EventMetadata, key: str) -> np.ndarray:
    """float64 [calls]: the number that was noted, NaN where there is none."""
    values, of_call = by_value(known, key)
    return np.array([_number(value) for value in values])[of_call]


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and isfinite(value) else float("nan")


def drift_of(steps: np.ndarray, values: np.ndarray) -> Drift | None:
    """The slope of float64 [steps] values over float64 [steps]; None where there are too few of them."""
    if len(steps) > _STRETCHES:
        edges = np.linspace(0, len(steps), _STRETCHES + 1).astype(int)[1:-1]
        points, heights = (np.array([*map(np.median, np.split(each, edges))]) for each in (steps, values))
    else:
        points, heights = steps, values
    one, other = np.triu_indices(len(points), 1)
    apart = points[other] - points[one]
    slopes = np.sort((heights[other] - heights[one])[apart != 0] / apart[apart != 0])
    count = len(points)
    reach = _Z * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    outside = int((len(slopes) - reach) / 2)
    if len(slopes) <= reach:
        return None
    slope, median = float(np.median(slopes)), float(np.median(values))
    length = float(steps.max() - steps.min())
    return Drift(slope, float(slopes[outside]), float(slopes[-1 - outside]),
                 slope * length / median if median else 0.0)

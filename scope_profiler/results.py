"""Results of a run: immutable, in numpy columns, computed when first asked for.

A `Region` holds the calls that one rank made of one region, an `MPIRegion`
the ranks of one region, and `ProfilingResults` the regions of a run.

Every time is kept as int64 nanoseconds on the axis of
``time.perf_counter_ns()``; the attributes ending in ``_ns`` give these, the
others seconds as floats. No Python object is made per call except by
`events`, and what walks over the calls does so in blocks of `BLOCK` rows, so
that ten million calls need no temporary of their own size.
"""

from __future__ import annotations

import difflib
import json
import operator
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

#: Rows that are worked on at a time: 1 MiB of int64, which stays in the cache.
BLOCK = 1 << 17

#: What `Region(statistics=...)` may hold, in ns but for the count.
INTEGER_STATISTICS = (
    "count",
    "total",
    "minimum",
    "maximum",
    "first",
    "last",
    "first_start",
    "last_end",
)
FLOAT_STATISTICS = ("mean", "std", "p50", "p95", "p99")

#: Columns that may accompany the calls, one integer per call.
OPTIONAL_COLUMNS = ("thread_ids", "call_ids", "parent_ids")

_PERCENTILES = (50, 95, 99)
#: Statistics that fill these cached properties of a region.
_COUNTED = {
    "total": "total_duration_ns",
    "minimum": "min_duration_ns",
    "maximum": "max_duration_ns",
}
_NO_METADATA: Mapping[str, Any] = MappingProxyType({})


def blocks(length: int) -> Iterator[slice]:
    """Slices of at most `BLOCK` rows that together cover ``range(length)``."""
    for start in range(0, length, BLOCK):
        yield slice(start, min(start + BLOCK, length))


def _seconds(name: str, remark: str = "", unknown: float | None = None) -> Any:
    """A property: the attribute `name`, of nanoseconds, in seconds."""

    def seconds(self: Any) -> float | None:
        value = getattr(self, name)
        return unknown if value is None else value / 1e9

    return property(seconds, doc=f"`{name}` in seconds; {remark}".rstrip("; ") + ".")


def _percentile(percentile: int) -> Any:
    """A property: that percentile of the durations, in seconds."""
    return property(
        lambda self: self.percentile_duration(percentile),
        doc=f"The {percentile}th percentile of the durations in seconds; None when unknown.",
    )


class Region:
    """The calls that one rank made of one region.

    Parameters
    ----------
    start_times_ns, durations_ns
        int64 [n], one row per recorded call, sorted by start. None or empty
        when only aggregates are known. The arrays are not copied.
    exclusive_total_ns
        Time in this region and in none that it contains; None when unknown.
    inclusive_total_ns
        Wall time in this region, counting only the outermost call of a
        recursion; None to derive it from the calls.
    errors
        Calls that an exception left.
    statistics
        Aggregates over *every* call, also those of which no interval was
        kept: any of `INTEGER_STATISTICS` and `FLOAT_STATISTICS`, at least
        ``count`` and ``total``. An entry that is None or NaN is unknown.
        Where every call has its interval, these are the better source, and
        only the totals and extremes are taken from here, to save a pass.
    tags, source_file, source_lineno, source_text
        What is known of the region itself.
    event_metadata
        One mapping per recorded call, or None.
    thread_ids, call_ids, parent_ids
        Integers [n] beside the calls, or None when not recorded. A parent of
        -1 is a root; parents are given as call ids, which are unique per rank.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what it got and what it takes.
    """

    def __init__(
        self,
        *,
        start_times_ns: Any = None,
        durations_ns: Any = None,
        exclusive_total_ns: int | None = None,
        inclusive_total_ns: int | None = None,
        errors: int = 0,
        statistics: Mapping[str, float | None] | None = None,
        tags: Iterable[str] = (),
        source_file: str | None = None,
        source_lineno: int | None = None,
        source_text: str | None = None,
        event_metadata: Sequence[Mapping[str, Any]] | None = None,
        thread_ids: Any = None,
        call_ids: Any = None,
        parent_ids: Any = None,
    ) -> None:
        if (start_times_ns is None) != (durations_ns is None):
            raise ValueError("start_times_ns and durations_ns must be given together")
        self._starts = _column("start_times_ns", start_times_ns, None, np.int64)
        length = len(self._starts)
        self._durations = _column("durations_ns", durations_ns, length, np.int64)
        if (self._starts[1:] < self._starts[:-1]).any():
            raise ValueError("start_times_ns must be sorted; got a start before the one it follows")
        if (call_ids is None) != (parent_ids is None):
            raise ValueError("call_ids and parent_ids must be given together")
        given = {"thread_ids": thread_ids, "call_ids": call_ids, "parent_ids": parent_ids}
        self._columns = {
            name: _column(name, values, length)
            for name, values in given.items()
            if values is not None and length
        }
        self._statistics = _normal_statistics(statistics, length)
        self._num_events = self._num_calls = length
        if self._statistics is not None:
            self._num_calls = self._statistics["count"]
        if self._statistics is not None and 0 < length == self._num_calls:
            for name, attribute in _COUNTED.items():
                if name in self._statistics:
                    self.__dict__[attribute] = self._statistics[name]
            self._statistics = None
        self._exclusive = _integer("exclusive_total_ns", exclusive_total_ns)
        self._inclusive = _integer("inclusive_total_ns", inclusive_total_ns)
        self._errors = _integer("errors", errors, minimum=0)
        self._tags = _normal_tags(tags)
        self._source_file = source_file or None
        self._source_lineno = _integer("source_lineno", source_lineno)
        self._source_text = source_text or None
        self._event_metadata = _normal_event_metadata(event_metadata, length)

    # -- what was recorded ---------------------------------------------------

    @property
    def start_times_ns(self) -> np.ndarray:
        """int64 [num_events], read-only, ascending."""
        return self._starts

    @property
    def durations_ns(self) -> np.ndarray:
        """int64 [num_events], read-only."""
        return self._durations

    @cached_property
    def end_times_ns(self) -> np.ndarray:
        """int64 [num_events], read-only."""
        return _read_only(self._starts + self._durations)

    @cached_property
    def start_times(self) -> np.ndarray:
        """float64 [num_events], seconds, read-only."""
        return _read_only(self._starts / 1e9)

    @cached_property
    def end_times(self) -> np.ndarray:
        """float64 [num_events], seconds, read-only."""
        return _read_only(self.end_times_ns / 1e9)

    @cached_property
    def durations(self) -> np.ndarray:
        """float64 [num_events], seconds, read-only."""
        return _read_only(self._durations / 1e9)

    @property
    def thread_ids(self) -> np.ndarray | None:
        """Integers [num_events], or None when not recorded."""
        return self._columns.get("thread_ids")

    @property
    def call_ids(self) -> np.ndarray | None:
        """Integers [num_events], unique per rank, or None when not recorded."""
        return self._columns.get("call_ids")

    @property
    def parent_ids(self) -> np.ndarray | None:
        """Integers [num_events], -1 for a root, or None when not recorded."""
        return self._columns.get("parent_ids")

    @property
    def event_metadata(self) -> tuple[Mapping[str, Any], ...]:
        """One mapping per recorded call, all empty where none was given."""
        if self._event_metadata is None:
            return (_NO_METADATA,) * self.num_events
        return self._event_metadata

    @property
    def has_event_metadata(self) -> bool:
        """Whether metadata was given for the calls."""
        return self._event_metadata is not None

    @property
    def statistics(self) -> Mapping[str, float] | None:
        """The aggregates over all calls; None where every call has its interval."""
        return None if self._statistics is None else MappingProxyType(self._statistics)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the region."""
        return self._tags

    @property
    def source_file(self) -> str | None:
        """The file that the region was first entered in, or None."""
        return self._source_file

    @property
    def source_lineno(self) -> int | None:
        """The line that the region was first entered on, or None."""
        return self._source_lineno

    @property
    def source_text(self) -> str | None:
        """The source of the region, or None when not captured."""
        return self._source_text

    @property
    def errors(self) -> int:
        """How many calls an exception left."""
        return self._errors

    # -- how much was recorded -----------------------------------------------

    @property
    def num_events(self) -> int:
        """How many calls have an interval: `num_calls`, or fewer where some were dropped."""
        return self._num_events

    @property
    def num_calls(self) -> int:
        """How many calls there were."""
        return self._num_calls

    @property
    def has_event_data(self) -> bool:
        """Whether there are intervals to look at (also true of a region that was never called)."""
        return self.num_events > 0 or self.num_calls == 0

    @property
    def has_timing(self) -> bool:
        """Whether the region was called at all."""
        return self.num_calls > 0

    @property
    def has_source(self) -> bool:
        """Whether the place of the region is known."""
        return self._source_file is not None

    @property
    def _complete(self) -> bool:
        """Whether every call has its interval, which then are the best source there is."""
        return self._num_events == self._num_calls

    def _known(self, name: str, of_events: Callable[[], Any], otherwise: Any = None) -> Any:
        """A statistic of the recorder's, or else what follows from the calls, if there are any."""
        known = None if self._statistics is None else self._statistics.get(name)
        if known is not None:
            return known
        return of_events() if self._num_events else otherwise

    # -- in nanoseconds ------------------------------------------------------

    @cached_property
    def total_duration_ns(self) -> int:
        """The sum of the durations of all calls, recursive ones included."""
        return self._known("total", lambda: int(self._durations.sum()), 0)

    @cached_property
    def inclusive_duration_ns(self) -> int:
        """Wall time in the region: a recursion counts by its outermost call.

        Where the recorder did not say, the union of the intervals per thread;
        without all intervals, the total.
        """
        if self._inclusive is not None:
            return self._inclusive
        if not self._complete:
            return self.total_duration_ns
        return _union_ns(self._starts, self._durations, self.thread_ids)

    @property
    def exclusive_duration_ns(self) -> int | None:
        """Time in this region and in none that it contains; None when unknown."""
        return self._exclusive

    @cached_property
    def min_duration_ns(self) -> int:
        """The shortest call; 0 when there was none."""
        return self._known("minimum", lambda: int(self._durations.min()), 0)

    @cached_property
    def max_duration_ns(self) -> int:
        """The longest call; 0 when there was none."""
        return self._known("maximum", lambda: int(self._durations.max()), 0)

    @property
    def first_duration_ns(self) -> int:
        """The call that started first; 0 when unknown."""
        return self._known("first", lambda: int(self._durations[0]), 0)

    @property
    def last_duration_ns(self) -> int:
        """The call that started last; 0 when unknown."""
        return self._known("last", lambda: int(self._durations[-1]), 0)

    @property
    def first_start_time_ns(self) -> int | None:
        """When the first call started; None when unknown."""
        return self._known("first_start", lambda: int(self._starts[0]))

    @cached_property
    def last_end_time_ns(self) -> int | None:
        """When the last call to end did; None when unknown."""
        return self._known("last_end", self._last_end_of_events)

    def _last_end_of_events(self) -> int:
        return max(
            int((self._starts[rows] + self._durations[rows]).max())
            for rows in blocks(self._num_events)
        )

    @cached_property
    def std_duration_ns(self) -> float:
        """Standard deviation of the durations (over n, not n - 1); 0.0 when unknown."""
        if not self._complete:
            return self._statistics.get("std", 0.0)
        if not self.num_events:
            return 0.0
        # Two passes: the mean is known, so nothing cancels.
        mean = self.total_duration_ns / self.num_events
        squares = 0.0
        for rows in blocks(self.num_events):
            deviation = self._durations[rows] - mean
            squares += float(np.square(deviation, out=deviation).sum())
        return (squares / self.num_events) ** 0.5

    @cached_property
    def _percentiles_ns(self) -> dict[float, float]:
        return _percentiles(self._durations, _PERCENTILES)

    # -- in seconds ----------------------------------------------------------

    total_duration = _seconds("total_duration_ns")
    inclusive_duration = _seconds("inclusive_duration_ns")
    exclusive_duration = _seconds("exclusive_duration_ns", "None when unknown")
    min_duration = _seconds("min_duration_ns")
    max_duration = _seconds("max_duration_ns")
    first_duration = _seconds("first_duration_ns")
    last_duration = _seconds("last_duration_ns")
    std_duration = _seconds("std_duration_ns")
    first_start_time = _seconds("first_start_time_ns", "0.0 when unknown", 0.0)
    last_end_time = _seconds("last_end_time_ns", "0.0 when unknown", 0.0)
    p50_duration = _percentile(50)
    p95_duration = _percentile(95)
    p99_duration = _percentile(99)

    @property
    def average_duration(self) -> float:
        """Mean duration of a call; 0.0 when there was none."""
        return self.total_duration_ns / (self.num_calls * 10**9) if self.num_calls else 0.0

    def percentile_duration(self, percentile: float) -> float | None:
        """The duration that `percentile` per cent of the calls do not exceed, in seconds.

        Interpolated linearly between calls. 0.0 when there was no call, None
        when neither all intervals nor this percentile are known.

        Raises ValueError when `percentile` is not in 0..100.
        """
        _check_percentile(percentile)
        if not self.num_calls:
            return 0.0
        if not self._complete:
            known = self._statistics.get(f"p{percentile:g}")
            return None if known is None else known / 1e9
        if percentile in _PERCENTILES:
            return self._percentiles_ns[percentile] / 1e9
        return _percentiles(self._durations, (percentile,))[percentile] / 1e9

    # -- as Python objects ---------------------------------------------------

    def get_summary(self) -> dict[str, Any]:
        """The scalars of the region by name, durations in seconds."""
        return _scalars(self)

    def events(self, origin: float = 0.0) -> list[dict[str, Any]]:
        """The recorded calls as a dict each, `origin` seconds subtracted from their times.

        This makes Python objects for every call: for large runs use the columns.
        """
        columns = {
            "start": (self.start_times - origin).tolist(),
            "end": (self.end_times - origin).tolist(),
            "duration": self.durations.tolist(),
        }
        keys = {"call_ids": "call_id", "parent_ids": "parent_id", "thread_ids": "thread"}
        columns.update(
            (key, self._columns[name].tolist())
            for name, key in keys.items()
            if name in self._columns
        )
        if self._event_metadata is not None:
            columns["metadata"] = [dict(entry) for entry in self._event_metadata]
        names = ("call_index", *columns)
        return [dict(zip(names, row)) for row in zip(range(self.num_events), *columns.values())]

    def __len__(self) -> int:
        return self.num_calls

    def __repr__(self) -> str:
        return f"<Region: {_describe(self)}>"


class MPIRegion:
    """One region on all ranks that know it; a mapping from rank to `Region`.

    Parameters
    ----------
    name
        The name of the region.
    regions
        `Region` by rank.

    Raises
    ------
    TypeError, ValueError
        When a rank is not an int >= 0 or a value not a `Region`.
    """

    def __init__(self, name: str, regions: Mapping[int, Region]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name must be a str; got {name!r}")
        for rank, region in regions.items():
            if not isinstance(region, Region):
                raise TypeError(f"regions must map ranks to Region; rank {rank!r} has {region!r}")
        self._name = name
        self._regions = {
            _integer("rank", rank, minimum=0): regions[rank] for rank in sorted(regions)
        }

    @property
    def name(self) -> str:
        """The name of the region."""
        return self._name

    @property
    def regions(self) -> Mapping[int, Region]:
        """`Region` by rank, ranks ascending."""
        return MappingProxyType(self._regions)

    @property
    def ranks(self) -> list[int]:
        """The ranks that know the region, ascending."""
        return list(self._regions)

    def __getitem__(self, rank: int) -> Region:
        try:
            return self._regions[rank]
        except KeyError:
            raise KeyError(
                f"region {self._name!r} has no rank {rank!r}; it has {self.ranks}"
            ) from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)

    def __contains__(self, rank: object) -> bool:
        return rank in self._regions

    # -- per rank ------------------------------------------------------------

    def num_calls_per_rank(self) -> dict[int, int]:
        """Number of calls by rank."""
        return {rank: region.num_calls for rank, region in self._regions.items()}

    def total_durations(self) -> dict[int, float]:
        """Total duration by rank, seconds."""
        return {rank: region.total_duration for rank, region in self._regions.items()}

    def average_durations(self) -> dict[int, float]:
        """Average duration by rank, seconds."""
        return {rank: region.average_duration for rank, region in self._regions.items()}

    def min_durations(self) -> dict[int, float]:
        """Shortest duration by rank, seconds."""
        return {rank: region.min_duration for rank, region in self._regions.items()}

    def max_durations(self) -> dict[int, float]:
        """Longest duration by rank, seconds."""
        return {rank: region.max_duration for rank, region in self._regions.items()}

    # -- over all ranks ------------------------------------------------------

    @cached_property
    def _called(self) -> list[Region]:
        return [region for region in self._regions.values() if region.num_calls]

    @property
    def num_calls(self) -> int:
        """How many calls there were on all ranks."""
        return sum(region.num_calls for region in self._regions.values())

    @property
    def num_events(self) -> int:
        """How many of the calls have an interval."""
        return sum(region.num_events for region in self._regions.values())

    @property
    def errors(self) -> int:
        """How many calls an exception left, on all ranks."""
        return sum(region.errors for region in self._regions.values())

    @property
    def has_event_data(self) -> bool:
        """Whether every rank has intervals to look at."""
        return all(region.has_event_data for region in self._regions.values())

    @property
    def has_timing(self) -> bool:
        """Whether the region was called on any rank."""
        return any(region.has_timing for region in self._regions.values())

    @property
    def durations_ns(self) -> np.ndarray:
        """int64 [num_events], rank after rank; a copy when there are several ranks."""
        parts = [region.durations_ns for region in self._regions.values()]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])

    @property
    def durations(self) -> np.ndarray:
        """float64 [num_events], seconds, rank after rank; a copy."""
        return self.durations_ns / 1e9

    @property
    def total_duration_ns(self) -> int:
        """The sum of the durations of all calls on all ranks."""
        return sum(region.total_duration_ns for region in self._regions.values())

    @property
    def inclusive_duration_ns(self) -> int:
        """Wall time in the region, recursion counted once, summed over ranks."""
        return sum(region.inclusive_duration_ns for region in self._regions.values())

    @property
    def exclusive_duration_ns(self) -> int | None:
        """Time outside contained regions, summed over ranks; None when unknown."""
        values = [region.exclusive_duration_ns for region in self._regions.values()]
        return None if None in values else sum(values)

    @property
    def min_duration_ns(self) -> int:
        """The shortest call on any rank; 0 when there was none."""
        return min((region.min_duration_ns for region in self._called), default=0)

    @property
    def max_duration_ns(self) -> int:
        """The longest call on any rank; 0 when there was none."""
        return max((region.max_duration_ns for region in self._called), default=0)

    total_duration = _seconds("total_duration_ns")
    inclusive_duration = _seconds("inclusive_duration_ns")
    exclusive_duration = _seconds("exclusive_duration_ns", "None when unknown")
    min_duration = _seconds("min_duration_ns")
    max_duration = _seconds("max_duration_ns")

    @property
    def average_duration(self) -> float:
        """Mean duration of a call on any rank, seconds; 0.0 when there was none."""
        return self.total_duration_ns / (self.num_calls * 10**9) if self.num_calls else 0.0

    @property
    def std_duration(self) -> float:
        """Standard deviation over the calls of all ranks, seconds."""
        if len(self._called) == 1:
            return self._called[0].std_duration
        mean, squares = self.average_duration, 0.0
        for region in self._called:
            squares += region.num_calls * (
                region.std_duration**2 + (region.average_duration - mean) ** 2
            )
        return (squares / self.num_calls) ** 0.5 if self.num_calls else 0.0

    p50_duration = _percentile(50)
    p95_duration = _percentile(95)
    p99_duration = _percentile(99)

    def percentile_duration(self, percentile: float) -> float | None:
        """As `Region.percentile_duration`, over the calls of all ranks.

        None also where several ranks have only aggregates, which cannot be combined.
        """
        called = self._called
        if len(called) == 1:
            return called[0].percentile_duration(percentile)
        _check_percentile(percentile)
        if not called:
            return 0.0
        if self.num_events != self.num_calls:
            return None
        if percentile in _PERCENTILES:
            return self._percentiles_ns[percentile] / 1e9
        return _percentiles(self.durations_ns, (percentile,))[percentile] / 1e9

    @cached_property
    def _percentiles_ns(self) -> dict[float, float]:
        return _percentiles(self.durations_ns, _PERCENTILES)

    @property
    def first_start_time_ns(self) -> int | None:
        """When the first call on any rank started; None when unknown."""
        return min(_known_values(self._regions, "first_start_time_ns"), default=None)

    @property
    def last_end_time_ns(self) -> int | None:
        """When the last call on any rank to end did; None when unknown."""
        return max(_known_values(self._regions, "last_end_time_ns"), default=None)

    first_start_time = _seconds("first_start_time_ns", "0.0 when unknown", 0.0)
    last_end_time = _seconds("last_end_time_ns", "0.0 when unknown", 0.0)

    @property
    def first_duration(self) -> float:
        """The first call on the rank that started first, seconds; 0.0 when unknown."""
        first = min(
            self._called,
            key=lambda region: _or(region.first_start_time_ns, _INT64.max),
            default=None,
        )
        return 0.0 if first is None else first.first_duration

    @property
    def last_duration(self) -> float:
        """The last call on the rank that ended last, seconds; 0.0 when unknown."""
        last = max(
            self._called, key=lambda region: _or(region.last_end_time_ns, _INT64.min), default=None
        )
        return 0.0 if last is None else last.last_duration

    @property
    def rank_imbalance(self) -> float:
        """Largest total of a rank over the mean of the ranks that called the region.

        1.0 is a perfect balance; 0.0 when fewer than two ranks called it.
        """
        totals = [region.total_duration for region in self._called]
        if len(totals) < 2 or not sum(totals):
            return 0.0
        return max(totals) / (sum(totals) / len(totals))

    @property
    def rank_imbalance_pct(self) -> float:
        """By how many per cent the slowest rank exceeds the mean; 0.0 below two ranks."""
        ratio = self.rank_imbalance
        return (ratio - 1.0) * 100.0 if ratio else 0.0

    # -- the region itself, from the first rank that knows ---------------------

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the region."""
        return next((region.tags for region in self._regions.values() if region.tags), ())

    @property
    def has_source(self) -> bool:
        """Whether the place of the region is known."""
        return self._with_source is not None

    @property
    def source_file(self) -> str | None:
        """The file that the region was first entered in, or None."""
        return None if self._with_source is None else self._with_source.source_file

    @property
    def source_lineno(self) -> int | None:
        """The line that the region was first entered on, or None."""
        return None if self._with_source is None else self._with_source.source_lineno

    @property
    def source_text(self) -> str | None:
        """The source of the region, or None when not captured."""
        return next(
            (region.source_text for region in self._regions.values() if region.source_text), None
        )

    @property
    def _with_source(self) -> Region | None:
        return next((region for region in self._regions.values() if region.has_source), None)

    # -- as Python objects ---------------------------------------------------

    def get_summary(self) -> dict[str, Any]:
        """The scalars of the region by name, durations in seconds."""
        return {"name": self._name, "num_ranks": len(self), **_scalars(self)}

    def events(
        self, ranks: int | Iterable[int] | None = None, origin: float = 0.0
    ) -> list[dict[str, Any]]:
        """The recorded calls of `ranks` (None: all) as a dict each; see `Region.events`."""
        wanted = _rank_set(ranks)
        return [
            {"name": self._name, "rank": rank, **event}
            for rank, region in self._regions.items()
            if wanted is None or rank in wanted
            for event in region.events(origin)
        ]

    def __repr__(self) -> str:
        return f"<MPIRegion {self._name!r} on {len(self)} rank(s): {_describe(self)}>"


class ProfilingResults:
    """The regions of a run, by name; iterating yields `MPIRegion`.

    Parameters
    ----------
    regions
        `MPIRegion` by name.
    metadata
        Facts about the run. Kept are str, int, float, bool and lists of str;
        an entry that is None is dropped, any other value kept as its JSON
        text, so that every file format can carry it.
    line_profile
        By rank, a list of functions, each a dict of ``region, filename,
        function`` (str), ``first_lineno`` (int), ``line_numbers, hits``
        (int64 [lines]), ``times`` (float64 [lines]), ``unit`` (float,
        seconds per time) and possibly further str, int and float entries.
    file_path
        The file that the results are in, or None.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what it got and what it takes.
    """

    def __init__(
        self,
        regions: Mapping[str, MPIRegion],
        metadata: Mapping[str, Any] | None = None,
        *,
        line_profile: Mapping[int, Iterable[Mapping[str, Any]]] | None = None,
        file_path: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, region in regions.items():
            if not isinstance(region, MPIRegion) or region.name != name:
                raise TypeError(
                    f"regions must map names to the MPIRegion of that name; {name!r} has {region!r}"
                )
        self._regions = dict(regions)
        self._metadata = {
            str(key): _plain_value(value)
            for key, value in (metadata or {}).items()
            if value is not None
        }
        self._line_profile = {
            _integer("line_profile", rank, minimum=0): [_normal_lines(entry) for entry in entries]
            for rank, entries in (line_profile or {}).items()
        }
        self._file_path = None if file_path is None else Path(file_path)

    @classmethod
    def from_h5(cls, path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
        """The results in `path`; see `scope_profiler.io.load`."""
        from .io import load

        return load(path, verbose)

    # -- the regions ---------------------------------------------------------

    @property
    def region_names(self) -> list[str]:
        """The names of the regions, in the order in which they were made."""
        return list(self._regions)

    def get_region(self, region_name: str) -> MPIRegion:
        """The region of that name.

        Raises KeyError, naming close names, when there is none.
        """
        try:
            return self._regions[region_name]
        except KeyError:
            raise KeyError(self._no_region(region_name)) from None

    def _no_region(self, region_name: object) -> str:
        message = f"no region named {region_name!r}"
        if self._file_path is not None:
            message += f" in {self._file_path}"
        close = difflib.get_close_matches(str(region_name), self._regions, n=5, cutoff=0.5)
        if close:
            return f"{message}; did you mean {', '.join(map(repr, close))}?"
        if not self._regions:
            return f"{message}; there are no regions"
        names = [repr(name) for name in self._regions]
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        return f"{message}; there are {', '.join(names[:20])}{more}"

    def get_regions(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
    ) -> list[MPIRegion]:
        """The regions whose name matches, sorted by their first start.

        `include` and `exclude` are regular expressions, one or several, that
        match at the beginning of a name. Regions of unknown start come last.

        Raises ValueError when one is not a regular expression.
        """
        included = _patterns("include", include)
        excluded = _patterns("exclude", exclude)
        chosen = [
            region
            for name, region in self._regions.items()
            if (included is None or any(pattern.match(name) for pattern in included))
            and not any(pattern.match(name) for pattern in excluded or ())
        ]
        return sorted(chosen, key=lambda region: _or(region.first_start_time_ns, _INT64.max))

    def __getitem__(self, region_name: str) -> MPIRegion:
        return self.get_region(region_name)

    def __contains__(self, region_name: object) -> bool:
        return region_name in self._regions

    def __iter__(self) -> Iterator[MPIRegion]:
        return iter(self._regions.values())

    def __len__(self) -> int:
        return len(self._regions)

    # -- the run -------------------------------------------------------------

    @property
    def file_path(self) -> Path | None:
        """The file that the results are in; None when in memory only."""
        return self._file_path

    @property
    def metadata(self) -> dict[str, Any]:
        """Facts about the run (a copy)."""
        return dict(self._metadata)

    @property
    def label(self) -> str | None:
        """The name that the run was given, or None. May be set."""
        return self._metadata.get("label")

    @label.setter
    def label(self, label: str | None) -> None:
        if label is not None and not isinstance(label, str):
            raise TypeError(f"label must be a str or None; got {label!r}")
        if label is None:
            self._metadata.pop("label", None)
        else:
            self._metadata["label"] = label

    @property
    def display_label(self) -> str:
        """The label, or else the name of the file, or else nothing."""
        return self.label or (self._file_path.stem if self._file_path else "")

    @property
    def num_ranks(self) -> int:
        """How many ranks took part."""
        ranks = set(self._line_profile).union(*(region.ranks for region in self))
        return max(len(ranks), self._metadata_int("mpi_size") or 0)

    @property
    def num_nodes(self) -> int | None:
        """How many machines took part; None when unknown."""
        return self._metadata_int("num_nodes")

    @property
    def has_event_data(self) -> bool:
        """Whether every region has intervals to look at."""
        return all(region.has_event_data for region in self)

    @property
    def line_profile(self) -> dict[int, list[dict[str, Any]]]:
        """Lines by rank, as described for the constructor; empty when not in line mode."""
        return self._line_profile

    def _metadata_int(self, key: str) -> int | None:
        value = self._metadata.get(key)
        return value if isinstance(value, int) else None

    def _metadata_seconds(self, key: str) -> float | None:
        value = self._metadata_int(key)
        return None if value is None else value / 1e9

    # -- its times, in seconds -------------------------------------------------

    @property
    def minimum_start_time(self) -> float:
        """When the first call started; 0.0 when unknown."""
        return min(_known_values(self._regions, "first_start_time_ns"), default=0) / 1e9

    @property
    def maximum_end_time(self) -> float:
        """When the last call ended; 0.0 when unknown."""
        return max(_known_values(self._regions, "last_end_time_ns"), default=0) / 1e9

    @property
    def time_span(self) -> float:
        """From the first start to the last end."""
        return self.maximum_end_time - self.minimum_start_time

    @property
    def run_start_time(self) -> float | None:
        """When the run was set up; None when unknown."""
        return self._metadata_seconds("start_time_ns")

    @property
    def finalize_time(self) -> float | None:
        """When the run was finalized; None when unknown."""
        return self._metadata_seconds("finalize_time_ns")

    @property
    def total_time(self) -> float | None:
        """From setup to finalize; None when unknown."""
        start, end = self._metadata_int("start_time_ns"), self._metadata_int("finalize_time_ns")
        return None if start is None or end is None else (end - start) / 1e9

    @property
    def time_origin(self) -> float:
        """What relative times count from: the setup, or else the first start."""
        start = self.run_start_time
        return self.minimum_start_time if start is None else start

    @property
    def startup_time(self) -> float:
        """From the setup to the first call; 0.0 when unknown."""
        first, start = self.minimum_start_time, self.run_start_time
        return first - start if first and start is not None else 0.0

    # -- as Python objects ---------------------------------------------------

    def summary(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
    ) -> list[dict[str, Any]]:
        """One dict of scalars per region, durations in seconds, sorted by first start."""
        rows = []
        for region in self.get_regions(include, exclude):
            row = region.get_summary()
            row["tags"] = region.tags
            row["errors"] = region.errors
            row.update(_percentile_scalars(region))
            row["rank_imbalance"] = region.rank_imbalance
            row["rank_imbalance_pct"] = region.rank_imbalance_pct
            # The short names by which tables choose their columns.
            row.update((f"p{p}", row[f"p{p}_duration"]) for p in _PERCENTILES)
            row["imbalance"] = row["rank_imbalance_pct"]
            rows.append(row)
        return rows

    def events(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> list[dict[str, Any]]:
        """The recorded calls as a dict each, times in seconds.

        `relative` times count from `origin`, which is `time_origin` when
        None. This makes Python objects for every call: for large runs use the
        columns of the regions.
        """
        zero = (self.time_origin if origin is None else origin) if relative else 0.0
        return [
            event
            for region in self.get_regions(include, exclude)
            for event in region.events(ranks, zero)
        ]

    def to_dataframe(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        per_rank: bool = False,
    ) -> Any:
        """`summary` as a pandas DataFrame, or one row per region and rank.

        Raises ImportError when pandas is not installed.
        """
        if not per_rank:
            return _pandas("to_dataframe").DataFrame(self.summary(include, exclude))
        return _pandas("to_dataframe").DataFrame(
            [
                {
                    "name": region.name,
                    "rank": rank,
                    **region[rank].get_summary(),
                    **_percentile_scalars(region[rank]),
                    "errors": region[rank].errors,
                }
                for region in self.get_regions(include, exclude)
                for rank in region
            ]
        )

    def to_events_dataframe(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> Any:
        """`events` as a pandas DataFrame.

        Raises ImportError when pandas is not installed.
        """
        events = self.events(include, exclude, ranks, relative, origin)
        return _pandas("to_events_dataframe").DataFrame(events)

    def __repr__(self) -> str:
        size = f"{len(self)} region(s), {self.num_ranks} rank(s)"
        return f"<ProfilingResults {self.display_label!r}: {size}>"


def exclusive_totals(regions: Sequence[Region]) -> list[int | None]:
    """Exclusive time of each region of one rank, from how their intervals nest.

    For files whose writer did not say. Calls nest within a thread, as far as
    threads are known.

    Parameters
    ----------
    regions
        All regions of the rank.

    Returns
    -------
    list
        ns per region; None for all when calls overlap without nesting, or
        when not every call has its interval.
    """
    unknown: list[int | None] = [None] * len(regions)
    if not all(region._complete for region in regions):
        return unknown
    counts = [region.num_events for region in regions]
    if not sum(counts):
        return [0] * len(regions)
    owner = np.repeat(np.arange(len(regions)), counts)
    starts = np.concatenate([region.start_times_ns for region in regions])
    durations = np.concatenate([region.durations_ns for region in regions])
    threads = np.concatenate(
        [
            np.zeros(region.num_events, np.int64)
            if region.thread_ids is None
            else region.thread_ids
            for region in regions
        ]
    )
    totals = np.array([region.total_duration_ns for region in regions])
    for thread in np.unique(threads):
        rows = np.flatnonzero(threads == thread)
        parents = _containing(starts[rows], durations[rows])
        if parents is None:
            return unknown
        nested = parents >= 0
        np.subtract.at(totals, owner[rows[parents[nested]]], durations[rows[nested]])
    return totals.tolist()


# -- over intervals ------------------------------------------------------------


def _containing(starts: np.ndarray, durations: np.ndarray) -> np.ndarray | None:
    """The row of the smallest interval around each; -1 for none, None when they do not nest.

    The depth of a call is how many started before it and have not ended, and
    its parent the last call before it that is one level up.
    """
    length = len(starts)
    ends = starts + durations
    order = np.lexsort((-ends, starts))
    starts, ends = starts[order], ends[order]
    # An end is half a tick early, so that it comes before a start at the same
    # time, except where that start is its own.
    closed = np.sort(2 * ends - (ends > starts))
    index = np.arange(length)
    depths = index - np.searchsorted(closed, 2 * starts)
    keys = depths * length + index
    by_depth = np.argsort(keys)
    above = np.searchsorted(keys[by_depth], keys - length) - 1
    nested = depths > 0
    parents = np.where(nested, by_depth[above], 0)
    if np.any(depths < 0) or np.any(
        nested & ((depths[parents] != depths - 1) | (ends[parents] < ends))
    ):
        return None
    result = np.empty(length, np.int64)
    result[order] = np.where(nested, order[parents], -1)
    return result


def _union_ns(starts: np.ndarray, durations: np.ndarray, threads: np.ndarray | None) -> int:
    """Length of the union of intervals sorted by start, summed over threads."""
    total = 0
    covered: dict[int, int] = {}
    for rows in blocks(len(starts)):
        for thread in (0,) if threads is None else np.unique(threads[rows]).tolist():
            chosen = slice(None) if threads is None else threads[rows] == thread
            begin = starts[rows][chosen]
            end = begin + durations[rows][chosen]
            # Where coverage reaches with each call, and where it reached before it.
            reach = np.maximum.accumulate(end)
            np.maximum(reach, covered.get(thread, _INT64.min), out=reach)
            before = np.concatenate(([covered.get(thread, _INT64.min)], reach[:-1]))
            total += int(np.maximum(end - np.maximum(begin, before), 0).sum())
            covered[thread] = int(reach[-1])
    return total


def _percentiles(values: np.ndarray, percentiles: Sequence[float]) -> dict[float, float]:
    """Percentiles by linear interpolation, as `numpy.percentile`, which is slow on few values."""
    last = len(values) - 1
    ranks = {percentile: percentile / 100 * last for percentile in percentiles}
    wanted = {int(rank) for rank in ranks.values()}
    values = np.partition(values, sorted(wanted | {min(row + 1, last) for row in wanted}))
    result = {}
    for percentile, rank in ranks.items():
        row = int(rank)
        low, high = int(values[row]), int(values[min(row + 1, last)])
        result[percentile] = low + (high - low) * (rank - row)
    return result


# -- arguments -------------------------------------------------------------------

_INT64 = np.iinfo(np.int64)


def _column(name: str, values: Any, length: int | None, dtype: type | None = None) -> np.ndarray:
    """`values` as a read-only integer array of one dimension and of that length."""
    array = np.asarray(() if values is None else values)
    if not array.size:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must be integers in one dimension; got {array.dtype} of shape {array.shape}"
        )
    if length is not None and len(array) != length:
        raise ValueError(f"{name} must have one value per call, {length}; got {len(array)}")
    return _read_only(array if dtype is None else array.astype(dtype, copy=False))


def _read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written to; the caller's own array stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def _integer(name: str, value: Any, minimum: int | None = None) -> Any:
    if value is None and minimum is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int; got {value!r}") from None
    if minimum is not None and number < minimum:
        raise ValueError(f"{name} must be at least {minimum}; got {number}")
    return number


def _normal_statistics(
    statistics: Mapping[str, Any] | None, length: int
) -> dict[str, float] | None:
    if statistics is None:
        return None
    known = {}
    for name, value in statistics.items():
        if name not in INTEGER_STATISTICS and name not in FLOAT_STATISTICS:
            raise ValueError(
                f"statistics takes {', '.join(INTEGER_STATISTICS + FLOAT_STATISTICS)}; got {name!r}"
            )
        if value is None or value != value:
            continue
        known[name] = (
            float(value) if name in FLOAT_STATISTICS else _integer(f"statistics[{name!r}]", value)
        )
    if "count" not in known or "total" not in known:
        raise ValueError(f"statistics needs count and total; got {sorted(known)}")
    if known["count"] < length:
        raise ValueError(
            f"statistics['count'] must be at least the {length} calls given; got {known['count']}"
        )
    return known


def _normal_tags(tags: Iterable[str]) -> tuple[str, ...]:
    if isinstance(tags, str):
        raise TypeError(f"tags must be several str, not one; got {tags!r}")
    normal = tuple(tags)
    for tag in normal:
        if not isinstance(tag, str):
            raise TypeError(f"tags must be str; got {tag!r}")
    return normal


def _normal_event_metadata(
    entries: Sequence[Mapping[str, Any]] | None, length: int
) -> Sequence[Mapping[str, Any]] | None:
    if entries is None or not len(entries) and not length:
        return None
    if len(entries) != length:
        raise ValueError(
            f"event_metadata must have one mapping per call, {length}; got {len(entries)}"
        )
    return tuple(entries)


_LINE_ENTRIES = {
    "region",
    "filename",
    "function",
    "first_lineno",
    "line_numbers",
    "hits",
    "times",
    "unit",
}


def _normal_lines(entry: Mapping[str, Any]) -> dict[str, Any]:
    missing = _LINE_ENTRIES - set(entry)
    if missing:
        raise ValueError(
            f"line_profile entries need {', '.join(sorted(missing))}; got {sorted(entry)}"
        )
    normal = {name: _plain_value(value) for name, value in entry.items() if value is not None}
    normal["line_numbers"] = _column("line_numbers", entry["line_numbers"], None, np.int64)
    normal["hits"] = _column("hits", entry["hits"], len(normal["line_numbers"]), np.int64)
    times = np.asarray(entry["times"], np.float64)
    if times.shape != normal["hits"].shape:
        raise ValueError(
            f"times must have one value per line, {len(normal['hits'])}; got shape {times.shape}"
        )
    normal["times"] = _read_only(times)
    return normal


def _plain_value(value: Any) -> Any:
    """`value` as a str, int, float, bool or list of str, which every file format knows."""
    if isinstance(value, np.generic):
        value = value.item()
    if (
        isinstance(value, (str, float))
        or isinstance(value, int)
        and _INT64.min <= value <= _INT64.max
    ):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    return json.dumps(value, default=str)


def _patterns(name: str, patterns: str | Iterable[str] | None) -> list[re.Pattern[str]] | None:
    if patterns is None:
        return None
    compiled = []
    for pattern in (patterns,) if isinstance(patterns, str) else patterns:
        try:
            compiled.append(re.compile(pattern))
        except (re.error, TypeError) as error:
            raise ValueError(
                f"{name} must be regular expressions; got {pattern!r} ({error})"
            ) from None
    return compiled


def _rank_set(ranks: int | Iterable[int] | None) -> set[int] | None:
    if ranks is None:
        return None
    return {ranks} if isinstance(ranks, int) else set(ranks)


def _check_percentile(percentile: float) -> None:
    if not 0 <= percentile <= 100:
        raise ValueError(f"percentile must be in 0..100; got {percentile!r}")


def _pandas(method: str) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"{method}() needs pandas, which is not installed") from error
    return pandas


# -- scalars ---------------------------------------------------------------------

_SCALARS = [
    "num_calls",
    "total_duration",
    "inclusive_duration",
    "exclusive_duration",
    "average_duration",
    "min_duration",
    "max_duration",
    "first_duration",
    "last_duration",
    "std_duration",
]


def _scalars(region: Region | MPIRegion) -> dict[str, Any]:
    return {name: getattr(region, name) for name in _SCALARS}


def _percentile_scalars(region: Region | MPIRegion) -> dict[str, float | None]:
    return {f"p{p}_duration": region.percentile_duration(p) for p in _PERCENTILES}


def _known_values(regions: Mapping[Any, Any], name: str) -> Iterator[int]:
    values = (getattr(region, name) for region in regions.values())
    return (value for value in values if value is not None)


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _describe(region: Region | MPIRegion) -> str:
    return (
        f"{region.num_calls} call(s), {region.total_duration:.6g} s in total, "
        f"{region.average_duration:.3g} s on average"
    )

"""`MPIRegion`: one region on all ranks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from .._base.arguments import check_percentile, finite, integer, mapping, rank_set, text
from .columns import INT64
from .call_rows import CallRows
from .columns import parts_of
from .event_columns import event_columns
from .region import Region
from .scalars import Scalars, known_or, known_values
from .._model.sketch import Sketch
from .._model.work import together
from .rank_regions import RankRegions


class MPIRegion(Scalars):
    """One region on all ranks that know it; a mapping from rank to `Region`.

    name: The name of the region.
    regions: `Region` by rank.

    Raises TypeError or ValueError when a rank is not an int >= 0 or a value not a `Region`.
    """

    def __init__(self, name: str, regions: Mapping[int, Region]) -> None:
        text("name", name)
        for rank, region in mapping("regions", regions).items():
            if not isinstance(region, Region):
                raise TypeError(f"regions must map ranks to Region; rank {rank!r} has {region!r}")
        self._name = name
        self._regions = {
            rank: regions[rank]
            for rank in sorted(integer("rank", rank, minimum=0) for rank in regions)
        }
        #: For who draws the region, to do so in one colour everywhere.
        self.color: Any = None

    @classmethod
    def _of_sorted(cls, name: str, regions: dict[int, Region], color: Any = None) -> MPIRegion:
        """As the constructor, of what is known to be right, ranks ascending."""
        made = object.__new__(cls)
        made._name, made._regions, made.color = name, regions, color
        return made

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
        except (KeyError, TypeError):  # TypeError: it cannot be a key
            raise KeyError(
                f"region {self._name!r} has no rank {rank!r}; it has {self.ranks}"
            ) from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)

    def __contains__(self, rank: object) -> bool:
        return rank in self._regions

    def attached(
        self, in_rank: Mapping[int, tuple[RankRegions, int]], totals: Mapping[int, int]
    ) -> MPIRegion:
        """The same region with the others of its ranks; see `Region.attached`. Both are by rank."""
        return MPIRegion._of_sorted(self._name, {
            rank: region.attached(*in_rank[rank], totals.get(rank))
            for rank, region in self._regions.items()
        }, self.color)

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
    def dropped_events(self) -> int | None:
        """How many calls have no interval, on all ranks; see `Region.dropped_events`."""
        return self._sum_known("dropped_events")

    @property
    def throttled_calls(self) -> int | None:
        """How many further calls were counted and not timed, on all ranks; None when unknown."""
        return self._sum_known("throttled_calls")

    @property
    def errors(self) -> int | None:
        """How many calls an exception left, on all ranks; None when unknown."""
        return self._sum_known("errors")

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
    def inclusive_durations(self) -> np.ndarray:
        """The durations, by the name that goes with `exclusive_durations`."""
        return self.durations

    @property
    def exclusive_durations(self) -> np.ndarray:
        """float64 [num_events], seconds, rank after rank; see `Region.exclusive_durations_ns`."""
        parts = [region.exclusive_durations for region in self._regions.values()]
        return np.concatenate([np.empty(0), *parts])

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
        return self._sum_known("exclusive_duration_ns")

    @property
    def corrected_exclusive_ns(self) -> int | None:
        """The exclusive time less what measuring took, on all ranks; None when unknown."""
        return self._sum_known("corrected_exclusive_ns")

    @property
    def corrected_total_ns(self) -> int | None:
        """The inclusive time less what measuring took, on all ranks; None when unknown."""
        return self._sum_known("corrected_total_ns")

    def _sum_known(self, name: str) -> int | None:
        values = [getattr(region, name) for region in self._regions.values()]
        return None if None in values else sum(values)

    @property
    def min_duration_ns(self) -> int:
        """The shortest call on any rank; 0 when there was none."""
        return min((region.min_duration_ns for region in self._called), default=0)

    @property
    def max_duration_ns(self) -> int:
        """The longest call on any rank; 0 when there was none."""
        return max((region.max_duration_ns for region in self._called), default=0)

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

    def percentile_duration(self, percentile: float) -> float | None:
        """As `Region.percentile_duration`, over the calls of all ranks.

        None also where several ranks have aggregates that cannot be combined.
        """
        called = self._called
        if len(called) == 1:
            return called[0].percentile_duration(percentile)
        check_percentile("percentile", percentile)
        if not called:
            return 0.0
        sketch = self.sketch
        if sketch is not None:
            return sketch.percentile_ns(percentile, self.min_duration_ns, self.max_duration_ns) / 1e9
        return self._percentile_of_events(percentile) if self._complete else None

    @cached_property
    def sketch(self) -> Sketch | None:
        """The calls of all ranks by how long they took, as `Region.sketch`; None where a rank that called
        the region has none."""
        sketches = [region.sketch for region in self._called if region.sketch is not None]
        return Sketch.merged(sketches) if len(sketches) == len(self._called) else None

    @property
    def work(self) -> dict[str, float] | None:
        """What was added on all ranks by `add()`, by quantity; None where nothing was."""
        return together(region.work for region in self._regions.values())

    @property
    def first_start_time_ns(self) -> int | None:
        """When the first call on any rank started; None when unknown."""
        return min(known_values(self._regions.values(), "first_start_time_ns"), default=None)

    @property
    def last_end_time_ns(self) -> int | None:
        """When the last call on any rank to end did; None when unknown."""
        return max(known_values(self._regions.values(), "last_end_time_ns"), default=None)

    @property
    def first_duration(self) -> float:
        """The first call on the rank that started first, seconds; 0.0 when unknown."""
        first = min(
            self._called,
            key=lambda region: known_or(region.first_start_time_ns, INT64.max),
            default=None,
        )
        return 0.0 if first is None else first.first_duration

    @property
    def last_duration(self) -> float:
        """The last call on the rank that ended last, seconds; 0.0 when unknown."""
        last = max(
            self._called,
            key=lambda region: known_or(region.last_end_time_ns, INT64.min),
            default=None,
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
        return {"name": self._name, "num_ranks": len(self), **self._summary()}

    def events(
        self, ranks: int | Iterable[int] | None = None, origin: float = 0.0
    ) -> CallRows:
        """The recorded calls of `ranks` (None: all) as a dict each; see `Region.events`."""
        return events_of([self], rank_set(ranks), finite("origin", origin))

    def __repr__(self) -> str:
        return f"<MPIRegion {self._name!r} on {len(self)} rank(s): {self._description()}>"


def events_of(
    regions: Iterable[MPIRegion], ranks: Collection[int] | None, origin: float
) -> CallRows:
    """The recorded calls of these regions on these ranks (None: all), a dict each."""
    calls = [
        (region.name, rank, region[rank])
        for region in regions for rank in region if ranks is None or rank in ranks
    ]
    for name, _, region in calls:
        region.require_intervals(name)
    ends = np.cumsum([region.num_events for _, _, region in calls], dtype=np.int64)

    def dicts(rows: slice) -> list[dict[str, Any]]:
        return [
            {"name": calls[index][0], "rank": calls[index][1], **event}
            for index, part in parts_of(rows, ends)
            for event in calls[index][2].events(origin)[part]
        ]

    length = int(ends[-1]) if calls else 0
    return CallRows(length, lambda: event_columns(calls, origin), dicts)

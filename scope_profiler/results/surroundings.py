"""`Surroundings`: the regions of one rank, and what is only known of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._base.arguments import several_of
from . import nesting
from .errors import EventDataUnavailableError, NestingError

if TYPE_CHECKING:
    from .region import Region


class Nest(NamedTuple):
    """The calls of several regions of one rank, in the order in which they began.

    All are int64 [n]. `region_index` and `call_index` say where a call is
    from; `parent` is a row of these columns, -1 for none; `call_id` is the
    number that it was recorded with, or else its row; `lane` is None where
    neither threads nor tasks are known.
    """

    region_index: np.ndarray
    call_index: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    lane: np.ndarray | None
    parent: np.ndarray
    depth: np.ndarray
    exclusive_ns: np.ndarray
    call_id: np.ndarray


class Surroundings:
    """The regions of one rank, among which calls have their parents and children."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self._regions = [region.alone() for region in regions]

    def nest(self, places: Iterable[int] | None = None) -> Nest:
        """How the calls of the regions at `places` (None: all) lie within each other.

        Parents are those recorded, where all regions here have them: then a
        call of another place is passed over on the way to its own parent.
        Otherwise they follow from the intervals of the wanted calls alone.

        Raises NestingError when a call ends before it starts, or when numbers
        of calls are given twice or make one its own ancestor.
        """
        places = range(len(self._regions)) if places is None else list(places)
        if any(region.num_events for region in self._regions) and all(
            map(_is_numbered, self._regions)
        ):
            return _by_id(self._regions, places)
        return _by_interval([self._regions[place] for place in places])

    def exclusive_durations_ns(self, place: int) -> np.ndarray:
        """int64 [num_events]: those of the region at that place.

        Raises EventDataUnavailableError when intervals are missing, and
        NestingError when they are none.
        """
        if self._incomplete is not None:
            raise EventDataUnavailableError(
                "exclusive durations need the interval of every call of the rank; of one region, "
                f"{self._incomplete.num_events} of {self._incomplete.num_calls} calls have theirs"
            )
        return self._exclusive[place]

    def exclusive_total_ns(self, place: int) -> int | None:
        """The sum of these; None when they cannot be told."""
        try:
            return int(self.exclusive_durations_ns(place).sum())
        except (EventDataUnavailableError, NestingError):
            return None

    @cached_property
    def _incomplete(self) -> Region | None:
        """A region not every call of which has its interval."""
        regions = (region for region in self._regions if region.num_events != region.num_calls)
        return next(regions, None)

    @cached_property
    def _exclusive(self) -> list[np.ndarray]:
        nest = self.nest()
        ends = np.cumsum([region.num_events for region in self._regions])
        first = np.array([0, *ends])
        values = np.empty(len(nest.start_ns), np.int64)
        values[first[nest.region_index] + nest.call_index] = nest.exclusive_ns
        values.flags.writeable = False
        return np.split(values, ends[:-1])


def exclusive_totals(regions: Sequence[Region]) -> list[int | None]:
    """Exclusive time in ns of each of these, all regions of one rank; None where unknown."""
    from .region import Region  # which needs this file

    regions = several_of("regions", regions, Region)
    surroundings = Surroundings(regions)
    return [surroundings.exclusive_total_ns(place) for place in range(len(regions))]


def _is_numbered(region: Region) -> bool:
    ids = region.call_ids
    return not region.num_events if ids is None else bool((ids >= 0).all())


def _by_interval(regions: Sequence[Region]) -> Nest:
    calls = _gathered(regions)
    order = np.lexsort((-calls.end_ns, calls.start_ns))
    calls = calls.taken(order)
    parents = nesting.parents_by_interval(calls.start_ns, calls.end_ns, calls.lane)
    return _nest(calls, parents, np.arange(len(order)))


def _by_id(everything: Sequence[Region], chosen: Sequence[int]) -> Nest:
    """The nest of those of all regions that are at the places `chosen`."""
    calls = _gathered(everything)
    ids = _gather(everything, "call_ids")
    parents = nesting.parents_by_id(ids, _gather(everything, "parent_ids"))
    # A parent comes first also where it starts with its child.
    order = np.lexsort((nesting.depths(parents), calls.start_ns))
    calls, ids = calls.taken(order), ids[order]
    parents = _renumbered(parents[order], order, len(order))
    if (parents >= np.arange(len(parents))).any():
        raise NestingError("a call starts before its parent, by their numbers")

    position = np.full(len(everything), -1)
    position[chosen] = np.arange(len(chosen))
    kept = position[calls.region_index] >= 0
    parents = nesting.parents_among(parents, kept)[kept]
    calls = calls.taken(kept)._replace(region_index=position[calls.region_index[kept]])
    return _nest(calls, _renumbered(parents, np.flatnonzero(kept), len(kept)), ids[kept])


def _renumbered(parents: np.ndarray, taken: np.ndarray, length: int) -> np.ndarray:
    """`parents`, rows of `length` columns, as rows of those columns once rows are `taken`."""
    rows = np.full(length, -1)
    rows[taken] = np.arange(len(taken))
    return np.where(parents >= 0, rows[parents], -1)


class _Calls(NamedTuple):
    """Columns of a `Nest` that need no parents."""

    region_index: np.ndarray
    call_index: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    lane: np.ndarray | None

    def taken(self, rows: np.ndarray) -> _Calls:
        return _Calls(*(None if column is None else column[rows] for column in self))


def _gathered(regions: Sequence[Region]) -> _Calls:
    """Every call, region after region."""
    counts = [region.num_events for region in regions]
    starts, durations = _gather(regions, "start_times_ns"), _gather(regions, "durations_ns")
    if len(durations) and durations.min() < 0:
        raise NestingError(f"a call ends {-int(durations.min())} ns before it starts")
    lane = None
    if any(region.thread_ids is not None or region.task_ids is not None for region in regions):
        threads, tasks = _gather(regions, "thread_ids"), _gather(regions, "task_ids")
        lane = np.where(tasks >= 0, tasks, np.where(threads >= 0, -2 - threads, -1))
    return _Calls(
        np.repeat(np.arange(len(regions)), counts),
        np.arange(len(starts)) - np.repeat(np.cumsum(counts, dtype=np.int64) - counts, counts),
        starts,
        starts + durations,
        lane,
    )


def _gather(regions: Sequence[Region], name: str) -> np.ndarray:
    """That column of all regions, region after region, int64; -1 where one has none."""
    parts = [np.empty(0, np.int64)]
    for region in regions:
        values = getattr(region, name)
        parts.append(np.full(region.num_events, -1) if values is None else values)
    return np.concatenate(parts, dtype=np.int64)


def _nest(calls: _Calls, parents: np.ndarray, ids: np.ndarray) -> Nest:
    return Nest(
        *calls,
        parents,
        nesting.depths(parents),
        nesting.exclusive_ns(calls.start_ns, calls.end_ns, parents),
        ids,
    )

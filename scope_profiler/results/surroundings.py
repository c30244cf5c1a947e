"""`Surroundings`: the regions of one rank, and what is only known of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._model.recorded import Recorded
from . import intervals, nesting
from .columns import blocks
from .errors import EventDataUnavailableError, NestingError

if TYPE_CHECKING:
    from .region import Region


class Nest(NamedTuple):
    """The calls of several regions of one rank, in the order in which they began.

    All are integers [n], times int64. `region_index` and `call_index` say where a call is
    from; `parent` is a row of these columns, -1 for none; `call_id` is the
    number that it was recorded with, None where that is its row; `lane` is None where
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
    call_id: np.ndarray | None


class Surroundings:
    """The regions of one rank, among which calls have their parents and children."""

    def __init__(self, regions: Iterable[Region], recorded: Recorded | None = None) -> None:
        self._regions = [region.alone() for region in regions]
        self._recorded = recorded

    def nest(self, places: Iterable[int] | None = None) -> Nest:
        """How the calls of the regions at `places` (None: all) lie within each other.

        Parents are those that the recorder's tree says, or its numbers of calls,
        where all regions here have them: then a call of another place is passed
        over on the way to its own parent. Otherwise they follow from the intervals
        of the wanted calls alone.

        Raises NestingError when a call ends before it starts, or when numbers
        of calls are given twice or make one its own ancestor.
        """
        places = range(len(self._regions)) if places is None else list(places)
        if self.is_recorded:
            return self._by_tree(places)
        if any(region.num_events for region in self._regions) and all(
            map(_is_numbered, self._regions)
        ):
            return _by_id(self._regions, places)
        return _by_interval([self._regions[place] for place in places])

    @property
    def has_tree(self) -> bool:
        """Whether the recorder's tree is known."""
        return self._recorded is not None

    @cached_property
    def is_recorded(self) -> bool:
        """Whether the place of each call in the recorder's tree is known."""
        return self._recorded is not None and all(
            region.node_ids is not None for region in self._regions if region.num_events
        )

    @cached_property
    def _tree(self) -> nesting.Tree:
        return nesting.Tree(self._recorded.nodes)

    def _by_tree(self, places: Sequence[int]) -> Nest:
        calls, order = _ordered(self._regions)
        nodes = _gather(self._regions, "node_ids")[order]
        _deepest_last(calls, nodes, self._tree.level)

        def search(starts: np.ndarray, ends: np.ndarray, nodes: np.ndarray) -> np.ndarray:
            return nesting.by_tree(starts, ends, nodes, self._tree)

        found = nesting.nest(calls.start_ns, calls.end_ns, calls.lane, search, nodes, self._tree)
        if list(places) == list(range(len(self._regions))):
            return _nest(calls, found)
        return _chosen(calls, found.parent, places, len(self._regions))

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


def _is_numbered(region: Region) -> bool:
    ids = region.call_ids
    return not region.num_events if ids is None else bool((ids >= 0).all())


def _by_interval(regions: Sequence[Region]) -> Nest:
    calls, _ = _ordered(regions)
    return _nest(calls, nesting.nest(
        calls.start_ns, calls.end_ns, calls.lane, intervals.parents_by_interval
    ))


def _by_id(everything: Sequence[Region], chosen: Sequence[int]) -> Nest:
    """The nest of those of all regions that are at the places `chosen`."""
    calls = _gathered(everything)
    ids = _gather(everything, "call_ids")
    parents = intervals.parents_by_id(ids, _gather(everything, "parent_ids"))
    # A parent comes first also where it starts with its child.
    order = np.lexsort((nesting.depths(parents), calls.start_ns))
    calls, ids = calls.taken(order), ids[order]
    parents = _renumbered(parents[order], order, len(order))
    if (parents >= np.arange(len(parents))).any():
        raise NestingError("a call starts before its parent, by their numbers")
    return _chosen(calls, parents, chosen, len(everything), ids)


def _chosen(
    calls: _Calls,
    parents: np.ndarray,
    places: Sequence[int],
    regions: int,
    ids: np.ndarray | None = None,
) -> Nest:
    """The nest of the calls of the regions at those places, of `regions` in all."""
    position = np.full(regions, -1)
    position[places] = np.arange(len(places))
    kept = position[calls.region_index] >= 0
    parents = nesting.parents_among(parents, kept)[kept]
    calls = calls.taken(kept)._replace(region_index=position[calls.region_index[kept]])
    parents = _renumbered(parents, np.flatnonzero(kept), len(kept))
    nested = nesting.Nesting(parents, nesting.depths(parents), False)
    return _nest(calls, nested, None if ids is None else ids[kept])


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


def _ordered(regions: Sequence[Region]) -> tuple[_Calls, np.ndarray]:
    """Every call in the order in which they began, of those that began together the longest first;
    and of each its row where the calls are region after region."""
    counts = [region.num_events for region in regions]
    starts = _gather(regions, "start_times_ns")
    order, starts = _sorted_with_rows(starts)
    ends = _gather(regions, "durations_ns")
    _check_durations(ends)
    ends = ends[order]
    ends += starts
    together = np.flatnonzero(starts[1:] == starts[:-1])
    if len(together):
        rows = np.unique(np.concatenate((together, together + 1)))
        by = rows[np.lexsort((order[rows], -ends[rows], starts[rows]))]
        order[rows], ends[rows] = order[by], ends[by]
    first = np.cumsum([0, *counts], dtype=np.int64)[:-1].astype(np.int32)
    region_of = np.repeat(np.arange(len(regions), dtype=np.min_scalar_type(len(regions))), counts)
    region_index, call_index = np.empty_like(order), np.empty_like(order)
    for rows in blocks(len(order)):
        region_index[rows] = region_of[order[rows]]
        call_index[rows] = order[rows] - first[region_index[rows]]
    lanes = _lanes(regions)
    return _Calls(
        region_index,
        call_index,
        starts,
        ends,
        None if lanes is None else lanes[order],
    ), order


def _sorted_with_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the values in ascending order, and these. What it is given is used up."""
    if not len(values):
        return np.empty(0, np.int32), values
    least, bits = values.min(), len(values).bit_length()
    if bits > 31 or int(values.max() - least).bit_length() + bits > 63:
        order = np.argsort(values, kind="stable")
        return order, values[order]
    # Sorting values with their rows in the lowest bits is several times faster than argsort().
    order = np.arange(len(values), dtype=np.int32)
    values -= least
    values <<= bits
    values |= order
    values.sort()
    for rows in blocks(len(values)):
        order[rows] = values[rows] & ((1 << bits) - 1)
    values >>= bits
    values += least
    return order, values


def _deepest_last(calls: _Calls, nodes: np.ndarray, level: np.ndarray) -> None:
    """Put calls of the same begin and end in the order of their levels."""
    together = np.flatnonzero(
        (calls.start_ns[1:] == calls.start_ns[:-1]) & (calls.end_ns[1:] == calls.end_ns[:-1])
    )
    if not len(together):
        return
    rows = np.unique(np.concatenate((together, together + 1)))
    by = rows[np.lexsort((level[nodes[rows]], -calls.end_ns[rows], calls.start_ns[rows]))]
    for column in (calls.region_index, calls.call_index, calls.lane, nodes):
        if column is not None:
            column[rows] = column[by]


def _gathered(regions: Sequence[Region]) -> _Calls:
    """Every call, region after region."""
    counts = [region.num_events for region in regions]
    starts, durations = _gather(regions, "start_times_ns"), _gather(regions, "durations_ns")
    _check_durations(durations)
    return _Calls(
        np.repeat(np.arange(len(regions)), counts),
        np.arange(len(starts)) - np.repeat(np.cumsum(counts, dtype=np.int64) - counts, counts),
        starts,
        starts + durations,
        _lanes(regions),
    )


def _check_durations(durations: np.ndarray) -> None:
    if len(durations) and durations.min() < 0:
        raise NestingError(f"a call ends {-int(durations.min())} ns before it starts")


def _lanes(regions: Sequence[Region]) -> np.ndarray | None:
    """int64 [calls], region after region: task or thread; None where neither is known."""
    if all(region.thread_ids is None and region.task_ids is None for region in regions):
        return None
    threads, tasks = _gather(regions, "thread_ids"), _gather(regions, "task_ids")
    return np.where(tasks >= 0, tasks, np.where(threads >= 0, -2 - threads, -1))


def _gather(regions: Sequence[Region], name: str) -> np.ndarray:
    """That column of all regions, region after region, int64 or as wide as the widest of them; -1
    where one has none."""
    columns = [getattr(region, name) for region in regions if region.num_events]
    known = [column.dtype for column in columns if column is not None]
    parts = [np.empty(0, np.result_type(np.int16, *known) if name == "node_ids" else np.int64)]
    for region in regions:
        values = getattr(region, name)
        parts.append(np.broadcast_to(-1, region.num_events) if values is None else values)
    return np.concatenate(parts, dtype=parts[0].dtype, casting="unsafe")


def _nest(calls: _Calls, nested: nesting.Nesting, ids: np.ndarray | None = None) -> Nest:
    return Nest(
        *calls,
        nested.parent,
        nested.depth,
        nesting.exclusive_ns(calls.start_ns, calls.end_ns, nested.parent, nested.is_proper),
        ids,
    )

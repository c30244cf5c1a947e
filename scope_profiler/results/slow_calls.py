"""The slowest calls of a region, each with what ran inside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._model.recorded import Recorded
from .call_stack import nested_calls
from .errors import NestingError
from .intervals import tree_of_calls
from .rank_regions import NestedCalls

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults


_SIDES: tuple[Any, Any] = ("left", "right")


class SlowCall(NamedTuple):
    """A call of a region.

    rank, call_index: the rank that made it, and its number among the calls of the region there.
    start_ns: when it began, since the run was set up, or else since the first call.
    duration_ns, exclusive_ns: how long it took, and what of that no call inside it did; the latter is
        None where it is not known which calls are inside which.
    track: the name of its thread or task; None when that was not recorded.
    metadata: what was noted for it.
    inside: the tree of it and of the calls inside it; None when that is not known.
    """

    rank: int
    call_index: int
    start_ns: int
    duration_ns: int
    exclusive_ns: int | None
    track: str | None
    metadata: Mapping[str, Any]
    inside: Recorded | None


def slowest_calls(
    results: ProfilingResults, name: str, count: int, ranks: Iterable[int] | None = None
) -> list[SlowCall]:
    """The `count` calls of a region that took longest, the longest first.

    ranks: Those to look at; None for all.

    Raises KeyError when there is no such region.
    Raises EventDataUnavailableError when of its calls only aggregates were kept.
    """
    chosen = slowest_places(results, name, count, ranks)
    calls = {rank: RankCalls(results, rank) for rank in {rank for rank, _ in chosen}}
    return [calls[rank].call(name, index) for rank, index in chosen]


def slowest_places(
    results: ProfilingResults, name: str, count: int, ranks: Iterable[int] | None = None
) -> list[tuple[int, int]]:
    """Where these are: the rank of each, and its number among the calls of the region there. Raises the
    same."""
    region = results[name]
    found = []
    for rank in region if ranks is None else sorted({*region} & {*ranks}):
        region[rank].require_intervals(name)
        durations = region[rank].durations_ns
        candidates = np.arange(len(durations))
        if len(durations) > count:
            candidates = np.flatnonzero(durations >= np.partition(durations, -count)[-count])
        longest = candidates[np.argsort(-durations[candidates], kind="stable")[:count]]
        found += [(-int(durations[index]), rank, int(index)) for index in longest]
    return [(rank, index) for _, rank, index in sorted(found)[:count]]


class RankCalls:
    """The calls of a rank.

    nested: How they lie within each other, of the regions `names`; None to find out, of all regions.
    """

    def __init__(
        self, results: ProfilingResults, rank: int, names: Iterable[str] | None = None,
        nested: NestedCalls | None = None,
    ) -> None:
        self._results, self._rank = results, rank
        every = results if names is None else [results[name] for name in names]
        regions = [region for region in every if rank in region and region[rank].num_events]
        self._names = [region.name for region in regions]
        self._regions = [region[rank] for region in regions]
        self._origin = round(results.time_origin * 1e9)
        try:
            self._nested: NestedCalls | None = nested_calls(regions, rank) if nested is None else nested
        except NestingError:
            self._nested = None

    def call(self, name: str, index: int) -> SlowCall:
        """That call of the region."""
        number = self._names.index(name)
        region = self._regions[number]
        inside = exclusive = None
        if self._nested is not None:
            rows = self._rows_inside(self._nested, number, index)
            exclusive = int(self._nested.exclusive_ns[rows[0]])
            inside = self._tree(self._nested, rows)
        return SlowCall(
            self._rank, index, int(region.start_times_ns[index]) - self._origin,
            int(region.durations_ns[index]), exclusive, self._track(number, index),
            region.event_metadata[index], inside,
        )

    def _rows_inside(self, calls: NestedCalls, number: int, index: int) -> np.ndarray:
        """The row of a call, and those of all calls inside it."""
        start = self._regions[number].start_times_ns[index]
        first, end = (int(np.searchsorted(calls.start_ns, start, side)) for side in _SIDES)
        alike = (calls.region_index[first:end] == number) & (calls.call_index[first:end] == index)
        [row] = first + np.flatnonzero(alike)
        last = np.searchsorted(calls.start_ns, calls.end_ns[row], side="right")
        is_inside = np.zeros(last - row, bool)
        is_inside[0] = True
        depth, parent = calls.depth[row:last], calls.parent[row:last] - row
        for level in range(int(depth[0]) + 1, int(depth.max()) + 1):
            at_level = np.flatnonzero((depth == level) & (parent >= 0))
            is_inside[at_level] = is_inside[parent[at_level]]
        return row + np.flatnonzero(is_inside)

    def _tree(self, calls: NestedCalls, rows: np.ndarray) -> Recorded:
        parent = np.searchsorted(rows, calls.parent[rows])
        parent[0] = -1
        part = replace(
            calls, region_index=calls.region_index[rows], call_index=calls.call_index[rows],
            start_ns=calls.start_ns[rows], end_ns=calls.end_ns[rows], parent=parent,
            depth=calls.depth[rows] - calls.depth[rows[0]], is_proper=False,
            track=None, call_id=None,
        )
        return tree_of_calls(self._names, self._regions, part)[0]

    def _track(self, number: int, index: int) -> str | None:
        region = self._regions[number]
        task = -1 if region.task_ids is None else int(region.task_ids[index])
        thread = -1 if region.thread_ids is None else int(region.thread_ids[index])
        if task < 0 and thread < 0:
            return None
        return self._results.lane_label(task if task >= 0 else -2 - thread, self._rank)

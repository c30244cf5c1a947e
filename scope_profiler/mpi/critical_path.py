"""The critical path of a run of several ranks: what it would have to be shorter for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._base.arguments import instance
from ..results import NestingError, ProfilingResults
from .collectives import CollectiveCalls, collectives_of

#: Collective calls in which ranks wait for the root alone, and in which the root alone waits.
_FROM_ROOT = frozenset(("bcast", "scatter", "scatterv"))
_TO_ROOT = frozenset(("reduce", "gather", "gatherv"))


class PathPiece(NamedTuple):
    """A piece of the path: what one rank did while others waited for it.

    rank: int.
    begin_ns, end_ns: On the axis of ``perf_counter_ns()``.
    operation: The collective call in which this rank has waited for the one before; None for the first.
    """

    rank: int
    begin_ns: int
    end_ns: int
    operation: str | None


class CriticalPath(NamedTuple):
    """From the end of the rank that ended last back to the begin, always on the rank that was waited for.

    pieces: Without a gap, the first first.
    by_rank: In seconds, how much of the path each rank was, the most first.
    by_region: In seconds, how much of it was spent in each region itself, the most first. None where
        not every call is known.
    """

    pieces: list[PathPiece]
    by_rank: dict[int, float]
    by_region: dict[str, float] | None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return sum(self.by_rank.values())


def critical_path(results: ProfilingResults) -> CriticalPath | None:
    """The critical path over the collective calls of a run with `profile_mpi_calls`.

    A rank that leaves a collective call has waited for the one that arrived last; in bcast and scatter for
    the root, in reduce and gather the root alone waits. Messages from one rank to another are not looked
    at, and clocks have to be aligned, see `collective_waits`. None where there are no collective calls
    that can be put together.

    Raises TypeError when `results` are no ProfilingResults.
    """
    instance(ProfilingResults)("results", results)
    groups = [(each.operations, each.calls) for each in collectives_of(results) if each.calls is not None]
    if not groups:
        return None
    pieces = _Walk(results, groups).pieces()[::-1]
    seconds: dict[int, float] = {}
    for piece in pieces:
        seconds[piece.rank] = seconds.get(piece.rank, 0.0) + (piece.end_ns - piece.begin_ns) / 1e9
    return CriticalPath(pieces, _most_first(seconds), _by_region(results, pieces))


def _most_first(seconds: dict[Any, float]) -> dict[Any, float]:
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


class _Walk:
    """Backwards along the path."""

    def __init__(
        self, results: ProfilingResults, groups: list[tuple[list[str], CollectiveCalls]]
    ) -> None:
        self._results = results
        self._groups = groups
        self._orders: dict[int, np.ndarray] = {}

    def pieces(self) -> list[PathPiece]:
        """The last first."""
        ends = {rank: max(each[rank].last_end_time_ns or 0 for each in self._results if rank in each)
                for rank in {rank for each in self._results for rank in each}}
        rank = max(ends, key=ends.__getitem__)
        until, found = ends[rank], []
        place = len(self._order(rank))
        while place:
            place -= 1
            group, number = self._order(rank)[place].tolist()
            operations, calls = self._groups[group]
            row = calls.ranks.index(rank)
            other = _waited_for(operations[calls.kinds[number]], calls, row, number)
            arrival = int(calls.starts[other, number])
            if other != row and arrival < until:  # else of another thread, which has gone on
                found.append(PathPiece(rank, arrival, until, operations[calls.kinds[number]]))
                rank, until = calls.ranks[other], arrival
                place = int(np.flatnonzero((self._order(rank) == (group, number)).all(axis=1))[0])
        begin = min(start for each in self._results if rank in each
                    and (start := each[rank].first_start_time_ns) is not None)
        return [*found, PathPiece(rank, begin, until, None)]

    def _order(self, rank: int) -> np.ndarray:
        """int64 [calls, 2]: the group and the number of each collective call of the rank, as they began."""
        if rank not in self._orders:
            every = [(group, calls.starts[calls.ranks.index(rank)]) for group, (_, calls)
                     in enumerate(self._groups) if rank in calls.ranks]
            rows = [np.stack([np.full(len(starts), group), np.arange(len(starts))], axis=1)
                    for group, starts in every]
            order = np.argsort(np.concatenate([starts for _, starts in every] or [[]]), kind="stable")
            self._orders[rank] = np.concatenate(rows or [np.empty((0, 2), np.int64)])[order]
        return self._orders[rank]


def _waited_for(operation: str, calls: CollectiveCalls, row: int, number: int) -> int:
    """The row of the rank that this one has waited for; its own where it has not waited."""
    starts, root = calls.starts[:, number], int(calls.roots[number])
    if operation in _FROM_ROOT and root >= 0:
        other = root
    elif operation in _TO_ROOT and root >= 0 and row != root:
        other = row
    else:
        other = int(np.argmax(starts))
    # Who arrives after this one has left was not waited for.
    return other if starts[row] < starts[other] < starts[row] + calls.durations[row, number] else row


def _by_region(results: ProfilingResults, pieces: list[PathPiece]) -> dict[str, float] | None:
    if any(each[rank].num_events != each[rank].num_calls for each in results for rank in each):
        return None
    seconds: dict[str, float] = {}
    for rank in {piece.rank for piece in pieces}:
        names = [each.name for each in results if rank in each]
        first = next(each[rank] for each in results if rank in each)
        try:
            calls = first.rank_regions.nested_calls()
        except NestingError:
            return None
        edges = np.array([(piece.begin_ns, piece.end_ns) for piece in pieces if piece.rank == rank])
        spent = _on_path(calls.end_ns, edges) - _on_path(calls.start_ns, edges)
        if calls.track is not None:  # of other threads nobody knows whether they were waited for
            spent[calls.track != _track_of_mpi(calls, names)] = 0
        own = np.bincount(calls.region_index, spent, len(names))
        inside = calls.parent >= 0
        own -= np.bincount(calls.region_index[calls.parent[inside]], spent[inside], len(names))
        for name, ns in zip(names, own.tolist()):
            if ns > 0:
                seconds[name] = seconds.get(name, 0.0) + ns / 1e9
    return _most_first(seconds)


def _on_path(times: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How much of the pieces, ascending int64 [pieces, 2], lies before each time, ns."""
    lengths = edges[:, 1] - edges[:, 0]
    before = np.concatenate([[0], np.cumsum(lengths)])
    piece = np.searchsorted(edges[:, 0], times, "right") - 1
    within = np.minimum(times - edges[piece, 0], lengths[piece])
    return np.where(piece >= 0, before[piece] + within, 0)


def _track_of_mpi(calls: Any, names: list[str]) -> int:
    """That which most of the calls of MPI are on."""
    is_mpi = np.array([name.startswith("mpi:") for name in names])[calls.region_index]
    tracks, counts = np.unique(calls.track[is_mpi], return_counts=True)
    return int(tracks[np.argmax(counts)] if len(tracks) else calls.track[0])

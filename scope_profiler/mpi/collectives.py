"""Collective calls of MPI, those that belong together found among the regions of all ranks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .call_names import MPIRegionMetadata, parse_mpi_region

if TYPE_CHECKING:
    from ..results import ProfilingResults, Region

_Regions = list[tuple[MPIRegionMetadata, "Region"]]


class CollectiveCalls(NamedTuple):
    """The calls of a communicator, a column for each, in their order, which is the same on all its ranks.

    ranks: The rank of each row.
    kinds: int64 [calls], which of the operations.
    roots: int64 [calls], the row of the root; -1 where there is none, or it is not known.
    starts, durations: int64 [ranks, calls], ns.
    """

    ranks: list[int]
    kinds: np.ndarray
    roots: np.ndarray
    starts: np.ndarray
    durations: np.ndarray


class Collectives(NamedTuple):
    """The collective calls of a communicator.

    regions: Those of each rank.
    operations: Their names.
    calls: None where they cannot be put together: a rank is missing, or has another number of calls, or
        the times of single calls are not known.
    """

    communicator: int
    regions: dict[int, _Regions]
    operations: list[str]
    calls: CollectiveCalls | None


def calls_of(results: ProfilingResults) -> Iterator[tuple[MPIRegionMetadata, int, Region]]:
    """The regions of MPI calls, each with what its name says and its rank."""
    for region in results:
        call = parse_mpi_region(region.name)
        if call is not None:
            for rank in region:
                yield call, rank, region[rank]


def places_of(results: ProfilingResults) -> dict[int, int]:
    """The rank in the results of each rank in COMM_WORLD, which is another in those of `setup(comm=)`."""
    world = results.metadata.get("world_ranks") or range(results.num_ranks)
    return {int(of_world): rank for rank, of_world in enumerate(world) if of_world != ""}


def collectives_of(results: ProfilingResults) -> list[Collectives]:
    """Those of each communicator."""
    groups: dict[int, dict[int, _Regions]] = {}
    for call, rank, region in calls_of(results):
        if call.kind == "collective" and call.communicator >= 0:
            groups.setdefault(call.communicator, {}).setdefault(rank, []).append((call, region))
    size, places = results.metadata.get("world_size", results.num_ranks), places_of(results)
    found = []
    for communicator, by_rank in sorted(groups.items()):
        operations = sorted({call.operation for regions in by_rank.values() for call, _ in regions})
        is_whole = communicator != 0 or len(by_rank) == size
        calls = _together(by_rank, operations, places if communicator == 0 else {}) if is_whole else None
        found.append(Collectives(communicator, by_rank, operations, calls))
    return found


def _together(
    by_rank: dict[int, _Regions], operations: list[str], places: dict[int, int]
) -> CollectiveCalls | None:
    """The calls of all ranks. places: The rank of each root; empty where that is not known."""
    if any(region.num_events != region.num_calls for regions in by_rank.values() for _, region in regions):
        return None
    ranks = sorted(by_rank)
    rows = {rank: row for row, rank in enumerate(ranks)}
    columns = [_in_order(by_rank[rank], operations) for rank in ranks]
    kinds, roots = columns[0][:2]
    if any(not np.array_equal(kinds, each[0]) for each in columns):
        return None
    row_of = {root: rows.get(places.get(root, -1), -1) for root in np.unique(roots).tolist()}
    return CollectiveCalls(
        ranks, kinds, np.array([row_of[root] for root in roots.tolist()], np.int64),
        np.array([each[2] for each in columns]), np.array([each[3] for each in columns]))


def _in_order(regions: _Regions, operations: list[str]) -> tuple[np.ndarray, ...]:
    """Of the calls of a rank, by their start: the place of the operation, root, start and duration, ns."""
    kinds, roots = (
        np.concatenate([np.full(region.num_calls, value(call)) for call, region in regions])
        for value in (lambda call: operations.index(call.operation), lambda call: call.root))
    starts = np.concatenate([region.start_times_ns for _, region in regions])
    durations = np.concatenate([region.durations_ns for _, region in regions])
    order = np.argsort(starts, kind="stable")
    return kinds[order], roots[order], starts[order], durations[order]

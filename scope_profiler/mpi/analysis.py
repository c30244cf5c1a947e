"""Who sends to whom, and who waits for whom: of results with regions of MPI calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._base.arguments import instance
from ..results import ProfilingResults
from .call_names import PARTNER, MPIRegionMetadata, parse_mpi_region

if TYPE_CHECKING:
    from ..results import Region


class CommunicationMatrix(NamedTuple):
    """What ranks have sent, each call counted by who sends.

    messages: int64 [ranks, ranks], from the rank of the row to that of the column.
    bytes: The same in bytes, as far as they are known.
    unknown: How many messages have no known size or partner; those without partner are nowhere else.
    """

    messages: np.ndarray
    bytes: np.ndarray
    unknown: int


def communication_matrix(results: ProfilingResults) -> CommunicationMatrix:
    """Who has sent how much to whom, point to point: of the results of a run with `profile_mpi_calls`.

    Raises TypeError when `results` are no ProfilingResults.
    """
    instance(ProfilingResults)("results", results)
    ranks = results.num_ranks
    messages, sizes = np.zeros((ranks, ranks), np.int64), np.zeros((ranks, ranks), np.int64)
    unknown, places = 0, _places(results)
    for call, rank, region in _calls(results):
        if not call.operation.endswith("send") and call.operation != "sendrecv":
            continue
        peer = next((int(tag.removeprefix(PARTNER)) for tag in region.tags if tag.startswith(PARTNER)),
                    call.peer)
        of_world = call.communicator == 0 or any(tag.startswith(PARTNER) for tag in region.tags)
        peer = places.get(peer, -1) if of_world else -1
        is_there = peer >= 0
        if is_there:
            messages[rank, peer] += region.num_calls
            sizes[rank, peer] += region.num_calls * max(call.bytes, 0)
        unknown += region.num_calls * (not is_there or call.bytes < 0)
    return CommunicationMatrix(messages, sizes, unknown)


def collective_waits(results: ProfilingResults) -> list[dict[str, Any]]:
    """How long ranks have waited in collective calls for the last to arrive, and how long the rest took.

    The calls of a communicator are the same on all of its ranks, in the same order. A rank waits from its
    own call to that of the last; what comes then is the transfer. That takes every call of every rank, with
    times of aligned clocks: where a rank is missing or has another number of calls it cannot be told.

    Returns list of dict: For each operation of each communicator ``operation`` (str), ``communicator``,
    ``ranks``, ``num_calls`` (int, of a rank), and in seconds by rank (dict, int to float) ``total``,
    ``waiting`` and ``transfer``; the last two None where they cannot be told; ``last`` (dict), how often
    each rank was the last to arrive.

    Raises TypeError when `results` are no ProfilingResults.
    """
    instance(ProfilingResults)("results", results)
    groups: dict[int, dict[int, list[tuple[str, Region]]]] = {}
    for call, rank, region in _calls(results):
        if call.kind == "collective" and call.communicator >= 0:
            of_group = groups.setdefault(call.communicator, {})
            of_group.setdefault(rank, []).append((call.operation, region))
    rows: list[dict[str, Any]] = []
    size = results.metadata.get("world_size", results.num_ranks)
    for communicator, by_rank in sorted(groups.items()):
        rows += _waits_of(communicator, by_rank, size)
    return rows


def _places(results: ProfilingResults) -> dict[int, int]:
    """The rank in the results of each rank in COMM_WORLD, which is another in those of `setup(comm=)`."""
    world = results.metadata.get("world_ranks") or range(results.num_ranks)
    return {int(of_world): rank for rank, of_world in enumerate(world) if of_world != ""}


def _calls(results: ProfilingResults) -> Iterator[tuple[MPIRegionMetadata, int, Region]]:
    for region in results:
        call = parse_mpi_region(region.name)
        if call is not None:
            for rank in region:
                yield call, rank, region[rank]


def _waits_of(
    communicator: int, by_rank: dict[int, list[tuple[str, Region]]], world_size: int
) -> Iterator[dict[str, Any]]:
    operations = sorted({operation for regions in by_rank.values() for operation, _ in regions})
    known = all(region.num_events == region.num_calls
                for regions in by_rank.values() for _, region in regions)
    columns = {rank: _in_order(regions, operations) for rank, regions in by_rank.items()} if known else {}
    kinds = next(iter(columns.values()))[0] if columns else np.empty(0, np.int64)
    known = bool(columns) and all(np.array_equal(kinds, each[0]) for each in columns.values())
    known = known and (communicator != 0 or len(columns) == world_size)
    waiting = {}
    latest = np.empty(0, np.int64)
    if known:
        starts = np.array([each[1] for each in columns.values()])
        latest = starts.argmax(axis=0)
        for row, (rank, (_, _, duration)) in enumerate(columns.items()):
            waiting[rank] = np.clip(starts.max(axis=0) - starts[row], 0, duration)
    for place, operation in enumerate(operations):
        total = {rank: sum(region.total_duration_ns for name, region in regions if name == operation) / 1e9
                 for rank, regions in by_rank.items()}
        calls = [sum(region.num_calls for name, region in regions if name == operation)
                 for regions in by_rank.values()]
        waits = {rank: float(waiting[rank][kinds == place].sum()) / 1e9 for rank in waiting} or None
        yield {
            "operation": operation, "communicator": communicator, "ranks": sorted(by_rank),
            "num_calls": max(calls), "total": total, "waiting": waits,
            "transfer": waits and {rank: total[rank] - waits[rank] for rank in waits},
            "last": None if waits is None else {
                rank: int((latest[kinds == place] == row).sum()) for row, rank in enumerate(columns)},
        }


def _in_order(
    regions: list[tuple[str, Region]], operations: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the calls of a rank, by their start: the place of the operation, start and duration, ns."""
    kinds = np.concatenate([np.full(region.num_calls, operations.index(name)) for name, region in regions])
    starts = np.concatenate([region.start_times_ns for _, region in regions])
    durations = np.concatenate([region.durations_ns for _, region in regions])
    order = np.argsort(starts, kind="stable")
    return kinds[order], starts[order], durations[order]

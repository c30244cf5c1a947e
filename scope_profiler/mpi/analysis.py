"""Who sends to whom, and who waits for whom: of results with regions of MPI calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .._base.arguments import instance
from ..results import ProfilingResults
from .call_names import PARTNER
from .collectives import Collectives, calls_of, collectives_of, places_of


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
    unknown, places = 0, places_of(results)
    for call, rank, region in calls_of(results):
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
    return [row for each in collectives_of(results) for row in _waits_of(each)]


def _waits_of(collectives: Collectives) -> Iterator[dict[str, Any]]:
    known, waiting, latest = collectives.calls, {}, np.empty(0, np.int64)
    if known is not None:
        latest, arrival = known.starts.argmax(axis=0), known.starts.max(axis=0)
        for at, rank in enumerate(known.ranks):
            waiting[rank] = np.clip(arrival - known.starts[at], 0, known.durations[at])
    for place, operation in enumerate(collectives.operations):
        of_rank = {rank: [region for call, region in regions if call.operation == operation]
                   for rank, regions in collectives.regions.items()}
        total = {rank: sum(each.total_duration_ns for each in regions) / 1e9
                 for rank, regions in of_rank.items()}
        row: dict[str, Any] = {
            "operation": operation, "communicator": collectives.communicator, "ranks": sorted(of_rank),
            "num_calls": max(sum(each.num_calls for each in regions) for regions in of_rank.values()),
            "total": total, "waiting": None, "transfer": None, "last": None,
        }
        if known is not None:
            rows = known.kinds == place
            waits = {rank: float(each[rows].sum()) / 1e9 for rank, each in waiting.items()}
            row.update(
                waiting=waits, transfer={rank: total[rank] - waits[rank] for rank in waits},
                last={rank: int((latest[rows] == at).sum()) for at, rank in enumerate(known.ranks)})
        yield row

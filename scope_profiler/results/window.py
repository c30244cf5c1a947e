"""The time between two results of a run: what `later - earlier` is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._model.difference import lines_between, recorded_between
from .._model.recorded import Node, Recorded, merged
from .line_entries import entry_of, lines_of
from .mpi_region import MPIRegion
from .region import Region
from .stored_column import values_of

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults

#: What two results of one run have in common.
_SAME = ("program_id", "process_id", "process_ids", "start_time_ns")


def window(later: ProfilingResults, earlier: ProfilingResults) -> dict[str, Any]:
    """The arguments of `ProfilingResults` for what came between; see `ProfilingResults.__sub__`."""
    _check(later, earlier)
    trees = {
        rank: recorded_between(tree, earlier.recorded.get(rank, Recorded([], 0, {})))
        for rank, tree in later.recorded.items()
    }
    by_name = {rank: _by_name(tree) for rank, (tree, _) in trees.items()}
    regions = {}
    for region in later:
        before = earlier[region.name] if region.name in earlier else ()
        of_ranks = {}
        for rank in region:
            nodes = by_name[rank].get(region.name)
            if nodes is not None:
                known = before[rank] if rank in before else None
                of_ranks[rank] = _region(region[rank], known, merged(nodes), trees[rank][1])
        if of_ranks:
            regions[region.name] = MPIRegion(region.name, of_ranks)
    metadata = later.metadata
    if "finalize_time_ns" in earlier.metadata:
        metadata["start_time_ns"] = earlier.metadata["finalize_time_ns"]
    return {
        "regions": regions,
        "metadata": metadata,
        "num_ranks": later.num_ranks,
        "line_profile": {
            rank: [
                entry_of(lines) for lines in lines_between(
                    map(lines_of, entries), map(lines_of, earlier.line_profile.get(rank, ())))
            ]
            for rank, entries in later.line_profile.items()
        },
        "is_root": later.is_root,
        "threads": later.threads,
        "tasks": later.tasks,
        "recorded": {rank: tree for rank, (tree, _) in trees.items()},
    }


def _check(later: ProfilingResults, earlier: ProfilingResults) -> None:
    after, before = later.metadata, earlier.metadata
    for name in _SAME:
        if after.get(name) != before.get(name):
            raise ValueError(
                "later - earlier takes two results of the same run, one taken after the other; these "
                f"differ in {name}: {after.get(name)!r} and {before.get(name)!r}"
            )
    for results, which in ((later, "later"), (earlier, "earlier")):
        ranks = {rank for region in results for rank in region}
        if not ranks <= results.recorded.keys():
            raise ValueError(f"the {which} results do not have the tree that was recorded, as those "
                             "of a snapshot and of files of this version have it")
    if after.get("finalize_time_ns", 0) < before.get("finalize_time_ns", 0):
        raise ValueError("later - earlier takes the results that were taken later first; got them the "
                         "other way round")


def _by_name(tree: Recorded) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in tree.nodes:
        if node.statistics.num_calls:
            found.setdefault(node.name, []).append(node)
    return found


def _region(later: Region, earlier: Region | None, node: Node, places: list[int]) -> Region:
    """Its calls that ended between. node: what is known of them together; places: of the nodes of the
    later tree in the new one."""
    known = node.statistics
    rows = _rows(later, earlier)
    calls = later._chosen(rows)
    if "node_ids" in calls:
        calls["node_ids"] = np.array(places, np.int64)[values_of(calls["node_ids"])]
    return Region(
        **calls,
        exclusive_total_ns=known.exclusive_ns,
        inclusive_total_ns=known.total_ns,
        corrected_exclusive_ns=known.corrected_exclusive_ns,
        corrected_total_ns=known.corrected_total_ns,
        errors=known.errors,
        statistics={
            "count": known.num_calls,
            "total": known.sum_ns,
            "minimum": known.minimum_ns,
            "maximum": known.maximum_ns,
            "mean": known.sum_ns / known.num_calls,
            "std": known.std_ns,
            **{p: getattr(known, f"{p}_ns") for p in ("p50", "p90", "p95", "p99", "p999")},
        },
        sketch=node.sketch,
        work=known.work,
        throttled_calls=known.throttled_calls,
    )


def _rows(later: Region, earlier: Region | None) -> np.ndarray:
    """bool [num_events of later]: those of its calls that `earlier` does not have. None, where that has
    calls and no intervals of them."""
    rows = np.ones(later.num_events, bool)
    if earlier is None or earlier.num_calls == 0 or not later.num_events:
        return rows
    if not earlier.num_events:
        return ~rows
    starts, lengths = (
        np.concatenate([getattr(one, name) for one in (earlier, later)])
        for name in ("start_times_ns", "durations_ns")
    )
    is_later = np.arange(len(starts)) >= earlier.num_events
    order = np.lexsort((is_later, lengths, starts))
    starts, lengths = starts[order], lengths[order]
    begins = np.ones(len(order), bool)  # of calls that are alike, of which the earlier come first
    begins[1:] = (starts[1:] != starts[:-1]) | (lengths[1:] != lengths[:-1])
    group = np.cumsum(begins) - 1
    known = np.bincount(group, ~is_later[order]).astype(np.int64)  # how many are earlier, of each
    place = np.arange(len(order)) - np.flatnonzero(begins)[group]
    old = order[is_later[order] & (place < 2 * known[group])] - earlier.num_events
    rows[old] = False
    return rows

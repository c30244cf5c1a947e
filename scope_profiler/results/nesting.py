"""Nesting: what follows from how the intervals of calls lie within each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .columns import INT64, blocks

if TYPE_CHECKING:
    from .region import Region


def exclusive_totals(regions: Sequence[Region]) -> list[int | None]:
    """Exclusive time of each region of one rank, from how their intervals nest.

    For files whose writer did not say. Calls nest within a thread; those whose
    thread is unknown, within each other.

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
    if not all(region.num_events == region.num_calls for region in regions):
        return unknown
    counts = [region.num_events for region in regions]
    if not sum(counts):
        return [0] * len(regions)
    owner = np.repeat(np.arange(len(regions)), counts)
    starts = np.concatenate([region.start_times_ns for region in regions])
    durations = np.concatenate([region.durations_ns for region in regions])
    threads = np.concatenate(
        [
            np.full(region.num_events, -1)
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


def union_ns(starts: np.ndarray, durations: np.ndarray, threads: np.ndarray | None) -> int:
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
            np.maximum(reach, covered.get(thread, INT64.min), out=reach)
            before = np.concatenate(([covered.get(thread, INT64.min)], reach[:-1]))
            total += int(np.maximum(end - np.maximum(begin, before), 0).sum())
            covered[thread] = int(reach[-1])
    return total

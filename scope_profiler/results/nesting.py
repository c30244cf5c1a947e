"""Nesting: what follows from how the intervals of calls lie within each other.

A call is inside another of the same lane, a thread or a task, that began no
later and ends no earlier; its parent is the one of these that began last. A
call of no length belongs to what runs on at its instant, not to what ends
there. Calls that overlap in part, as those of tasks in one thread do whose
task is not known, are not inside each other: for them that is no error.
"""

from __future__ import annotations

import numpy as np

from .columns import INT64, blocks
from .errors import NestingError


def parents_by_interval(
    starts: np.ndarray, ends: np.ndarray, lanes: np.ndarray | None
) -> np.ndarray:
    """The row of the innermost interval around each, in its lane; -1 for none.

    Parameters
    ----------
    starts, ends
        int64 [n], sorted by start, of those the latest end first.
    lanes
        int64 [n], or None where all are in one.

    Returns
    -------
    np.ndarray
        int64 [n]; a parent comes before its children.
    """
    parents = np.empty(len(starts), np.int64)
    if not len(starts):
        return parents
    if lanes is None:
        lanes = np.broadcast_to(np.int64(0), len(starts))
    order = np.argsort(lanes, kind="stable")
    # An end is half a tick early, so that it comes before a start at the same
    # time, except where that start is its own.
    closes = 2 * (ends - starts[0]) - (ends > starts)
    lane_now = None
    open_rows: list[int] = []
    open_closes: list[int] = []
    for block in blocks(len(order)):
        rows = order[block]
        found = []
        for row, close, lane in zip(rows.tolist(), closes[rows].tolist(), lanes[rows].tolist()):
            if lane != lane_now:
                lane_now = lane
                open_rows.clear()
                open_closes.clear()
            # What ends before this one cannot be around a later one that this is not around.
            while open_closes and open_closes[-1] < close:
                open_rows.pop()
                open_closes.pop()
            found.append(open_rows[-1] if open_rows else -1)
            open_rows.append(row)
            open_closes.append(close)
        parents[rows] = found
    return parents


def parents_by_id(call_ids: np.ndarray, parent_ids: np.ndarray) -> np.ndarray:
    """The row of the call that each names as its parent; -1 where it is none of these.

    Raises NestingError when two calls have the same id.
    """
    order = np.argsort(call_ids, kind="stable")
    known = call_ids[order]
    twice = np.flatnonzero(known[1:] == known[:-1])
    if len(twice):
        raise NestingError(f"two calls have the number {known[twice[0]]}")
    places = np.minimum(np.searchsorted(known, parent_ids), max(len(known) - 1, 0))
    return np.where(known[places] == parent_ids, order[places], -1) if len(known) else places


def parents_among(parents: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The nearest ancestor of each row that is kept; -1 for none. kept: bool [n].

    Raises NestingError when the parents form a circle.
    """
    nearest = parents.copy()
    rows = np.flatnonzero((nearest >= 0) & ~kept[nearest])
    for _ in _doublings():
        if not len(rows):
            return nearest
        # What is not kept has got as far itself: each step doubles the distance.
        nearest[rows] = nearest[nearest[rows]]
        rows = rows[(nearest[rows] >= 0) & ~kept[nearest[rows]]]
    raise NestingError("calls are their own ancestors, by their numbers")


def depths(parents: np.ndarray) -> np.ndarray:
    """int64 [n]: how many ancestors each row has.

    Raises NestingError when the parents form a circle.
    """
    result = (parents >= 0).astype(np.int64)
    above = parents.copy()
    rows = np.flatnonzero(above >= 0)
    for _ in _doublings():
        if not len(rows):
            return result
        higher = above[rows]
        result[rows] += result[higher]
        above[rows] = above[higher]
        rows = rows[above[rows] >= 0]
    raise NestingError("calls are their own ancestors, by their numbers")


def _doublings() -> range:
    """As many as lead past the end of every chain that has one."""
    return range(65)


def exclusive_ns(starts: np.ndarray, ends: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """int64 [n]: the part of each interval, sorted by start, that none of its children covers."""
    exclusive = ends - starts
    children = np.flatnonzero(parents >= 0)
    children = children[np.argsort(parents[children], kind="stable")]
    owners = parents[children]
    begins = np.maximum(starts[children], starts[owners])
    stops = np.minimum(ends[children], ends[owners])
    overlap = np.flatnonzero((owners[1:] == owners[:-1]) & (begins[1:] < stops[:-1]))
    if len(overlap):
        _begin_after_those_before(begins, stops, owners, np.isin(owners, owners[overlap]))
    np.subtract.at(exclusive, owners, np.maximum(stops - begins, 0))
    return exclusive


def _begin_after_those_before(
    begins: np.ndarray, stops: np.ndarray, owners: np.ndarray, concerned: np.ndarray
) -> None:
    """Move the begins, so that what children of one owner share counts once."""
    rows = np.flatnonzero(concerned)
    moved = []
    owner_now, reach = None, 0
    columns = (column[rows].tolist() for column in (owners, begins, stops))
    for owner, begin, stop in zip(*columns):
        if owner != owner_now:
            owner_now, reach = owner, begin
        moved.append(max(begin, reach))
        reach = max(reach, stop)
    begins[rows] = moved


def covered_ns(
    starts: np.ndarray, durations: np.ndarray, threads: np.ndarray | None
) -> dict[int, int]:
    """Length of the union of intervals sorted by start, by thread (None: all are of 0)."""
    covered: dict[int, int] = {}
    reached: dict[int, int] = {}
    for rows in blocks(len(starts)):
        for thread in (0,) if threads is None else np.unique(threads[rows]).tolist():
            chosen = slice(None) if threads is None else threads[rows] == thread
            begin = starts[rows][chosen]
            end = begin + durations[rows][chosen]
            # Where coverage reaches with each call, and where it reached before it.
            reach = np.maximum.accumulate(end)
            np.maximum(reach, reached.get(thread, INT64.min), out=reach)
            before = np.concatenate(([reached.get(thread, INT64.min)], reach[:-1]))
            new = int(np.maximum(end - np.maximum(begin, before), 0).sum())
            covered[thread] = covered.get(thread, 0) + new
            reached[thread] = int(reach[-1])
    return covered

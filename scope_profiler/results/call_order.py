"""The calls of several regions of one rank as columns: region after region, or as they began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .columns import merged_blocks
from .errors import NestingError

if TYPE_CHECKING:
    from .region import Region


class OrderedCalls(NamedTuple):
    """A row for each call.

    region_index, call_index: int32 [n]: the region, and the number of the call in it.
    start_ns, end_ns: int64 [n].
    track: int64 [n], see `CallArrays.lane`; None where neither threads nor tasks are known.
    node: Integers [n], see `Region.node_ids`; None where none is known.
    """

    region_index: np.ndarray
    call_index: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    track: np.ndarray | None
    node: np.ndarray | None

    def taken(self, rows: np.ndarray) -> OrderedCalls:
        """Those of the calls: their rows, or a boolean for each."""
        columns: list[Any] = [None if column is None else column[rows] for column in self]
        return OrderedCalls(*columns)


def by_region(regions: Sequence[Region], parts: Sequence[slice] | None = None) -> OrderedCalls:
    """The calls of each region after those of the one before.

    parts: of each region the rows to take; None for all.

    Raises NestingError when a call ends before it starts, or later than can be told.
    """
    parts = [slice(0, region.num_events) for region in regions] if parts is None else parts
    counts = [part.stop - part.start for part in parts]
    starts = gathered(regions, "start_times_ns", parts)
    ends = gathered(regions, "durations_ns", parts)
    if len(ends) and ends.min() < 0:
        raise NestingError(f"a call ends {-int(ends.min())} ns before it starts")
    ends += starts
    if (ends < starts).any():
        raise NestingError("a call ends later than 64 bits of nanoseconds can tell")
    first = np.cumsum([0, *counts])[:-1] - [part.start for part in parts]
    track = node = None
    if _any_has(regions, "thread_ids") or _any_has(regions, "task_ids"):
        thread, task = (gathered(regions, name, parts) for name in ("thread_ids", "task_ids"))
        track = np.where(task >= 0, task, np.where(thread >= 0, -2 - thread, -1))
    if _any_has(regions, "node_ids"):
        node = gathered(regions, "node_ids", parts)
    return OrderedCalls(
        np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        np.arange(len(starts), dtype=np.int32) - np.repeat(first.astype(np.int32), counts),
        starts,
        ends,
        track,
        node,
    )


def by_start(regions: Sequence[Region], level: np.ndarray | None = None) -> OrderedCalls:
    """The calls in the order in which they began, of those that began together the longest first.

    level: of each node; of calls with the same start and end, those of lower levels come first.

    Raises NestingError when a call ends before it starts.
    """
    total = sum(region.num_events for region in regions)
    first = by_region(regions, [slice(0, 0)] * len(regions))
    empty: list[Any] = [None if part is None else np.empty(total, part.dtype) for part in first]
    calls = OrderedCalls(*empty)
    for rows, parts in merged_blocks([region.start_times_ns for region in regions]):
        block = by_region(regions, parts)
        order = _order(block, level)
        for column, values in zip(calls, block):
            if column is not None and values is not None:
                np.take(values, order, out=column[rows], mode="clip")
    return calls


def _order(calls: OrderedCalls, level: np.ndarray | None) -> np.ndarray:
    """Integers [n]: the rows in the order of `by_start`."""
    starts = calls.start_ns
    order = sorted_rows(starts)
    starts = starts[order]
    together = np.flatnonzero(starts[1:] == starts[:-1])
    if len(together):
        places = np.unique(np.concatenate((together, together + 1)))
        rows = order[places]
        deeper = rows if level is None or calls.node is None else level[calls.node[rows]]
        order[places] = rows[np.lexsort((rows, deeper, -calls.end_ns[rows], calls.start_ns[rows]))]
    return order


def sorted_rows(values: np.ndarray) -> np.ndarray:
    """int64 [n]: the rows of int64 values in ascending order, those of equal ones as they come."""
    if not len(values):
        return np.empty(0, np.int64)
    least, bits = int(values.min()), len(values).bit_length()
    if (int(values.max()) - least).bit_length() + bits > 63:
        return np.argsort(values, kind="stable")
    # Sorting values with their rows in the lowest bits is several times faster than argsort().
    order = values - least
    order <<= bits
    order |= np.arange(len(values))
    order.sort()
    order &= (1 << bits) - 1
    return order


def gathered(
    regions: Sequence[Region], name: str, parts: Sequence[slice] | None = None
) -> np.ndarray:
    """That column of all regions, region after region, -1 where one has none: int64, or the nodes as
    wide as the widest of them. parts: see `by_region`."""
    columns = [getattr(region, name) for region in regions]
    known = [column for column in columns if column is not None and len(column)]
    dtype = np.result_type(np.int16, *known) if name == "node_ids" else np.int64
    if parts is None:
        parts = [slice(0, region.num_events) for region in regions]
    pieces = [
        np.full(part.stop - part.start, -1, dtype) if column is None else column[part]
        for column, part in zip(columns, parts)
        if part.stop > part.start
    ]
    return np.concatenate([np.empty(0, dtype), *pieces], dtype=dtype, casting="unsafe")


def _any_has(regions: Sequence[Region], name: str) -> bool:
    return any(region.has_column(name) for region in regions)

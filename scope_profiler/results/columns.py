"""Columns: arrays with one integer per call, read-only, worked on in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .._base.room import rest

#: Rows that are worked on at a time: 1 MiB of int64, which stays in the cache.
BLOCK = 1 << 17

#: Columns that may accompany starts and durations, and what stands for a call that has none.
OPTIONAL_COLUMNS = {
    "thread_ids": -1,
    "task_ids": -1,
    "await_ns": 0,
    "call_ids": -1,
    "parent_ids": -1,
    "node_ids": -1,
}

INT64 = np.iinfo(np.int64)


def blocks(length: int, size: int = BLOCK, chunk: int | None = None) -> Iterator[slice]:
    """Slices of at most `size` rows that together cover ``range(length)``.

    Whatever walks over calls, reads or writes them does it by these, or by `merged_blocks`, so that
    it takes little memory of its own.

    chunk: how many rows lie together in a file; a slice ends where such a piece ends. None for any.
    """
    if chunk is not None:
        size = max(size // chunk, 1) * chunk
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def pieces(*columns: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Columns of one length in pieces; what of them lies on disk (see `room`) is not kept in memory."""
    for rows in blocks(len(columns[0])):
        yield tuple(column[rows] for column in columns)
        for column in columns:
            rest(column[rows])


def ascend(values: np.ndarray, strictly: bool = False) -> bool:
    """Whether no value is less than the one before it; strictly: whether each is larger."""
    compare = np.greater if strictly else np.greater_equal
    for rows in blocks(len(values) - 1):
        if not compare(values[rows.start + 1 : rows.stop + 1], values[rows]).all():
            return False
        rest(values[rows])
    return True


def parts_of(rows: slice, ends: np.ndarray) -> Iterator[tuple[int, slice]]:
    """Which parts of several columns some rows of all of them are, one column after the other.

    ends: integers [columns], ascending: the rows up to the end of each. Yields the index of a column
    and the rows of it.
    """
    begin, last = int(np.searchsorted(ends, rows.start, "right")), int(np.searchsorted(ends, rows.stop))
    first, done = int(ends[begin - 1]) if begin else 0, rows.start
    for index, end in enumerate(ends[begin : last + 1].tolist(), begin):
        stop = min(end, rows.stop)
        if stop > done:
            yield index, slice(done - first, stop - first)
        first, done = end, stop


def merged_blocks(columns: Sequence[np.ndarray]) -> Iterator[tuple[slice, list[slice]]]:
    """The rows of several ascending columns in blocks, as they are when all are sorted together.

    Of each block: its rows among all that are sorted, and of each column those that it takes. Equal
    values are in the same block. What a block costs for each column is little beside its rows.
    """
    step = max(BLOCK, 64 * len(columns)) // _SAMPLES
    samples = [column[::step] for column in columns]
    bounds = np.sort(np.concatenate(samples))[_SAMPLES::_SAMPLES] if samples else ()
    before, done = (0,) * len(columns), 0
    cuts = [[*np.searchsorted(column, bounds).tolist(), len(column)] for column in columns]
    for after in zip(*cuts):
        length = sum(after) - sum(before)
        if length:
            yield slice(done, done + length), [slice(*ends) for ends in zip(before, after)]
        before, done = after, done + length


#: How many values of a block say where it ends.
_SAMPLES = 1 << 7


def column(name: str, values: Any, length: int | None, dtype: type | None = None) -> np.ndarray:
    """`values` as a read-only integer array of one dimension and of that length."""
    array = np.asarray(() if values is None else values)
    if not array.size:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(
            f"{name} must be integers in one dimension; got {array.dtype} of shape {array.shape}"
        )
    if length is not None and len(array) != length:
        raise ValueError(f"{name} must have one value per call, {length}; got {len(array)}")
    return read_only(array if dtype is None else array.astype(dtype, copy=False))


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written to; the caller's own array stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def percentiles(values: np.ndarray, wanted: Sequence[float]) -> dict[float, float]:
    """Percentiles by linear interpolation, as `numpy.percentile`, which is slow on few values."""
    last = len(values) - 1
    ranks = {percentile: percentile / 100 * last for percentile in wanted}
    rows = {int(rank) for rank in ranks.values()}
    values = np.partition(values, sorted(rows | {min(row + 1, last) for row in rows}))
    result = {}
    for percentile, rank in ranks.items():
        row = int(rank)
        low, high = int(values[row]), int(values[min(row + 1, last)])
        result[percentile] = low + (high - low) * (rank - row)
    return result

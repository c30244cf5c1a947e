"""The columns of an HDF5 file that have a value for every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import h5py
import numpy as np

from .._base.room import rest
from ..results import OPTIONAL_COLUMNS, Region, blocks
from ..results.region_calls import columns_of
from .compression import Compression
from .hdf5_datasets import Dataset, Group
from .progress_bar import progress
from .region_rows import recorded_columns
from .safe_file import SafeFile

#: Row numbers of a region's metadata, which are kept apart from the other columns.
METADATA_IDS = "metadata_ids"

_ENCODED = ("start_deltas", "durations")

#: So many values are worth giving back to the system, see `rest`.
_LARGE = 1 << 9

#: For columns that are of few different values: 16 bits of a call become next to nothing.
PACKED = Compression("auto")

#: What gives the values of regions that a column is made of; None for one that has none.
Values = Callable[[Sequence[Region]], list[Any]]


class EventWriter:
    """Writes columns of one value per call, the calls of each region in turn.

    counts: How many calls the regions have.
    most_nodes: How many nodes the largest tree has that the calls have their places in.
    only_room: Make room for the calls, for others to write them: see `hdf5_parallel`.
    """

    def __init__(
        self,
        group: h5py.Group,
        regions: Sequence[Region],
        counts: np.ndarray,
        output: SafeFile,
        compression: Compression,
        most_nodes: int,
        only_room: bool = False,
    ) -> None:
        self._group = group
        self._regions = regions
        self._output = output
        self._compression = compression
        self._node_type = "<i2" if most_nodes < 1 << 15 else "<i4"
        self._only_room = only_room
        self._ends = np.cumsum(counts)
        self._length = int(self._ends[-1]) if len(regions) else 0
        self._advance: Callable[[int], None] = lambda more: None

    def write(self) -> None:
        """Starts, durations and the optional columns."""
        known = recorded_columns(self._regions)
        with progress("Writing the calls", self._length * (2 + len(known))) as self._advance:
            self._write(known)
        self._advance = lambda more: None

    def _write(self, known: list[str]) -> None:
        for name in (*_ENCODED, *known):
            if name == "node_ids":
                self.write_column(name, self._node_type, PACKED)
            else:
                self.write_column(name)

    def write_column(
        self,
        name: str,
        dtype: str = "<i8",
        compression: Compression | None = None,
    ) -> None:
        """One of the columns of `values_of`.

        It is written in blocks; where it is divided into chunks, in whole ones: each is then
        compressed once. `compression` is for where none was chosen.
        """
        if self._only_room:
            make_room(self._group, name, self._length, dtype)
            return
        values = values_of(name)
        if self._compression.name is not None or compression is None:
            compression = self._compression
        chunk = compression.rows_per_chunk(self._length)
        dataset = self._group.create_dataset(
            name,
            (self._length,),
            dtype,
            chunks=chunk and (chunk,),
            **compression.filters(self._length),
        )
        before = 0
        for rows in blocks(self._length, chunk=chunk):
            self._output.check()
            written = self._gathered(rows, values, OPTIONAL_COLUMNS.get(name, 0), dtype)
            if name == _ENCODED[0]:
                before = to_deltas(written, self._begins_in(rows), before)
            dataset[rows] = written
            self._advance(rows.stop - rows.start)

    def _gathered(self, rows: slice, values: Values, fill: int, dtype: str) -> np.ndarray:
        """Rows of the column, in which region follows region; fill: where one has no values."""
        gathered = np.empty(rows.stop - rows.start, dtype)
        first, last = np.searchsorted(self._ends, (rows.start, rows.stop - 1), "right").tolist()
        regions, ends = self._regions[first : last + 1], self._ends[first : last + 1]
        parts: list[Any] = values(regions)
        for place in [place for place, column in enumerate(parts) if column is None]:
            parts[place] = np.full(regions[place].num_events, fill, dtype)
        # Of the regions at both ends, it may be some of their calls.
        parts[-1] = parts[-1][: len(parts[-1]) - (int(ends[-1]) - rows.stop)]
        parts[0] = parts[0][len(parts[0]) - (min(int(ends[0]), rows.stop) - rows.start) :]
        np.concatenate(parts, out=gathered, casting="same_kind")
        for place in np.flatnonzero(np.diff(ends, prepend=0) >= _LARGE).tolist():
            rest(parts[place])
        return gathered

    def _begins_in(self, rows: slice) -> np.ndarray:
        """Where regions begin among rows of a column."""
        begins = np.append(0, self._ends[:-1])
        return begins[slice(*np.searchsorted(begins, (rows.start, rows.stop)))] - rows.start


def make_room(group: h5py.Group, name: str, length: int, dtype: str) -> None:
    """A column in one piece, whose values have their place in the file and are whatever lies there."""
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    of_type = h5py.h5t.py_create(np.dtype(dtype), logical=True)
    h5py.h5d.create(group.id, name.encode(), of_type, h5py.h5s.create_simple((length,)), how)


def values_of(column: str) -> Values:
    """What gives the values that a column of the group `events` is made of: starts, for their deltas."""
    if column == METADATA_IDS:
        return lambda regions: [region.event_metadata.ids for region in regions]
    name = {"start_deltas": "start_times_ns", "durations": "durations_ns"}.get(column, column)
    return partial(columns_of, name=name)


def to_deltas(starts: np.ndarray, begins: np.ndarray, before: int) -> int:
    """Make of starts how long after the one before it each is; return the last start.

    begins: Where a region begins, whose first start stays as it is. before: The start before the first.
    """
    last, firsts = int(starts[-1]), starts[begins]
    starts[1:] -= starts[:-1].copy()
    starts[0] -= before
    starts[begins] = firsts
    return last


def read_events(
    events: Group, schema: int, offsets: Sequence[int], counts: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """The columns of each run of calls, as arguments of `Region`, and `METADATA_IDS`.

    Raises ValueError when the columns and the runs do not fit together.
    """
    datasets, end = check_events(events, schema, offsets, counts)
    columns = {name: dataset.read(end) for name, dataset in datasets.items()}
    names = _encoded(schema)

    starts, durations = (columns.pop(name) for name in names)
    if schema < 3:
        durations -= starts
    for offset, count in zip(offsets, counts):
        rows = slice(offset, offset + count)
        if schema >= 3:
            np.cumsum(starts[rows], out=starts[rows])
        yield {
            "start_times_ns": starts[rows],
            "durations_ns": durations[rows],
            **{name: column[rows] for name, column in columns.items()},
        }


def check_events(
    events: Group, schema: int, offsets: Sequence[int], counts: Sequence[int]
) -> tuple[dict[str, Dataset], int]:
    """The columns that there are, and how many of their rows are of runs; raises as `read_events`."""
    names = _encoded(schema)
    datasets = {
        name: events.dataset(name)
        for name in (*names, *OPTIONAL_COLUMNS, METADATA_IDS)
        if name in events or name in names
    }
    lengths = {name: len(dataset) for name, dataset in datasets.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of events differ in length: {lengths}")
    return datasets, _checked_end(offsets, counts, lengths[names[0]])


def _encoded(schema: int) -> tuple[str, str]:
    """The names of the two columns that say when calls were."""
    return _ENCODED if schema >= 3 else ("start_times", "end_times")


def _checked_end(offsets: Sequence[int], counts: Sequence[int], length: int) -> int:
    """How many calls the runs have, which do not overlap."""
    end = 0
    for offset, count in sorted(zip(offsets, counts)):
        if count and offset < end:
            raise ValueError("the runs of two regions overlap in events")
        end = max(end, offset + count)
    if end > length:
        raise ValueError(f"events has {length} calls, not the {end} that its index speaks of")
    return end

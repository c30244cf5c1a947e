"""The columns of calls that stay in an HDF5 file until they are asked for."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from .._model.node_table import NodeTable
from .._model.recorded import Recorded
from ..results import OPTIONAL_COLUMNS, Region, blocks
from ..results.stored_column import StoredColumn
from ..results.stored_regions import region_of_checked
from .hdf5_datasets import Dataset, Group
from .hdf5_events import METADATA_IDS, check_events
from .hdf5_file import ReadFile
from .hdf5_index import Index
from .hdf5_metadata import EventNotes
from .recent_columns import RecentColumns

#: Of a file of fewer calls and regions everything is read at once: that takes no time, and no file stays
#: open.
SMALL = 1 << 16

#: What columns are called in the file, where that is not what regions call them.
_NAMES = {"start_deltas": "start_times_ns", "durations": "durations_ns"}

_OPTIONAL = frozenset(OPTIONAL_COLUMNS)

#: How many bytes of columns of all files stay in memory. From then on the calls of a region on a rank are
#: read by themselves, and those that were asked for last stay.
KEPT = 1 << 29
_kept = 0
_recent = RecentColumns(1 << 27)


#: Of a column its name, that which regions have for it, and what gives the part of a row.
_Source = tuple[str, str, Callable[[int], np.ndarray]]


class StoredEvents:
    """The columns of calls, each read when it is first asked for, then kept, as far as there is room.

    The file is kept open, so it stays what it was when another takes its name.

    root, file, path: The file.
    index, names, notes: What is known of its regions.
    recorded: The trees of its ranks.
    max_bytes: As for `load`.

    Raises ValueError when the columns and the runs do not fit together, OSError when there are too
    many open files.
    """

    def __init__(
        self,
        root: Group,
        file: io.FileIO,
        path: Path,
        index: Index,
        names: list[str],
        notes: EventNotes,
        recorded: Mapping[int, Recorded],
        max_bytes: int | None,
    ) -> None:
        self._index, self._names, self._notes, self._recorded = index, names, notes, recorded
        datasets, self._end = check_events(root.group("events"), 3, index.offsets, index.counts)
        for name, dataset in datasets.items():
            dataset.check()
            if not dataset.is_integers:
                raise ValueError(f"events/{name} has no integers")
        self.known = list(datasets)
        self._columns: dict[str, np.ndarray] = {}
        self._size = 0
        self._raw = open(os.dup(file.fileno()), "rb", buffering=0)
        self._file = ReadFile(self._raw, path, max_bytes)
        self._datasets: dict[str, Dataset] = {}

    def run(self, row: int) -> dict[str, Any]:
        """Of a row of the index, as `read_events`; and what is known of the calls without reading them,
        as ``of_calls``."""
        unrecorded = self._unrecorded(row)
        sources = [source for source in self._sources() if source[0] not in unrecorded]
        return {**self._columns_of(row, sources), "of_calls": self._index.of_calls([row])[0]}

    def _sources(self) -> list[_Source]:
        """Of each column its name, that which regions have for it, and what gives the part of a row. Not
        kept, as these keep the file open."""
        return [(name, _NAMES.get(name, name), partial(self._run, name)) for name in self.known]

    def _columns_of(self, row: int, sources: Iterable[_Source]) -> dict[str, StoredColumn]:
        count, tree = self._index.counts[row], self._recorded.get(self._index.ranks[row])
        return {
            ours: StoredColumn(source, row, count, tree if name == "node_ids" else None, False)
            for name, ours, source in sources
        }

    def regions(self, rows: Sequence[int], told: Sequence[Mapping[str, Any]]) -> Iterator[Region]:
        """The regions of rows of an index that `is_sound`, of each of which its tree has `told` that."""
        all_sources = self._sources()
        facts = {**self._index.facts(rows), "of_calls": self._index.of_calls(rows)}
        by_unrecorded: dict[frozenset[str], list[_Source]] = {}
        for row, of_tree, *known in zip(rows, told, *facts.values()):
            unrecorded = self._unrecorded(row)
            sources = by_unrecorded.get(unrecorded)
            if sources is None:
                sources = [source for source in all_sources if source[0] not in unrecorded]
                by_unrecorded[unrecorded] = sources
            columns = self._columns_of(row, sources)
            starts, durations = columns.pop("start_times_ns"), columns.pop("durations_ns")
            ids = columns.pop(METADATA_IDS, None)
            if self._index.ranks[row] not in self._recorded:
                columns.pop("node_ids", None)  # as `Region.attached`
            is_called = self._index.counts[row]
            yield region_of_checked(
                starts, durations, columns if is_called else {},
                self._notes.of(row, ids) if is_called else None, {**dict(zip(facts, known)), **of_tree})

    def _unrecorded(self, row: int) -> frozenset[str]:
        """Which optional columns a row does not have."""
        recorded = self._index.recorded_columns(row)
        return _OPTIONAL if recorded is None else _OPTIONAL.difference(recorded)

    def _run(self, name: str, row: int) -> np.ndarray:
        """The calls of a region on a rank."""
        offset, count = self._index.offsets[row], self._index.counts[row]
        if name in self._columns or _kept + 8 * self._end <= KEPT:
            return self._column(name)[offset : offset + count]

        def read(root: Group, schema: int) -> np.ndarray:
            if name not in self._datasets:
                self._datasets[name] = root.group("events").dataset(name)
            values = self._datasets[name].read_rows(slice(offset, offset + count))
            self._check(name, values, slice(row, row + 1))
            return values

        return _recent.column(id(self), (name, row), lambda: self._file.read(read))

    def _column(self, name: str) -> np.ndarray:
        global _kept
        if name not in self._columns:

            def read(root: Group, schema: int) -> np.ndarray:
                values = root.group("events").dataset(name).read(self._end)
                self._check(name, values, slice(None))
                return values

            values = self._columns[name] = self._file.read(read)
            self._size += values.nbytes
            _kept += values.nbytes
        return self._columns[name]

    def __del__(self) -> None:
        global _kept
        _kept -= getattr(self, "_size", 0)
        _recent.forget(id(self))
        if hasattr(self, "_file"):
            self._file.close()
            self._raw.close()

    def _check(self, name: str, values: np.ndarray, runs: slice) -> None:
        """Look at the values of some runs, one after the other, and make starts of their differences."""
        if name == "durations" and len(values) and values.min() < 0:
            raise ValueError(f"a call has a negative duration, {values.min()} ns")
        ends = np.cumsum(np.array(self._index.counts[runs], np.int64))
        if name == "start_deltas":
            _add_up(values, ends)
        elif name == "node_ids":
            self._check_nodes(values, ends, runs)
        elif name == METADATA_IDS:
            lengths = self._notes.lengths[runs]
            for rows, of_run in _runs_of(ends):
                if ((values[rows] < -1) | (values[rows] >= lengths[of_run])).any():
                    raise ValueError("a call has metadata that is not in the table of its region")

    @cached_property
    def _nodes_of_rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The number of the region that each node is of, tree after tree; and of each row of the index where
        the nodes of its rank begin there, and how many they are, -1 where its calls are at none."""
        numbers = {name: number for number, name in enumerate(self._names)}
        regions: list[int] = []
        places = {}
        for rank, tree in self._recorded.items():
            names = NodeTable.of(tree.nodes).names
            places[rank] = len(regions), len(names)
            regions += [numbers.get(name, -1) for name in names]
        of_rows = np.array([places.get(rank, (0, -1)) for rank in self._index.ranks], np.int64).reshape(-1, 2)
        of_rows[~self._index.has_column("node_ids"), 1] = -1
        return np.array([*regions, -1], np.int64), of_rows[:, 0], of_rows[:, 1]

    def _check_nodes(self, nodes: np.ndarray, ends: np.ndarray, runs: slice) -> None:
        """That each place in a tree is one of the region that made the call."""
        regions, *of_rows = self._nodes_of_rows
        first, length = (column[runs] for column in of_rows)
        numbers = np.array(self._index.numbers[runs])
        for rows, of_run in _runs_of(ends):
            found, known = nodes[rows], length[of_run]
            is_there = (found >= 0) & (found < known)
            place = np.where(is_there, first[of_run] + found, len(regions) - 1)
            is_wrong = (regions[place] != numbers[of_run]) & (known >= 0)
            if is_wrong.any():
                name = self._names[numbers[of_run[is_wrong.argmax()]]]
                raise ValueError(f"calls of region {name!r} are at nodes of others")


def _runs_of(ends: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """All rows of runs with these ends, in blocks, and of each row the number of its run."""
    for rows in blocks(int(ends[-1]) if len(ends) else 0):
        first, last = np.searchsorted(ends, (rows.start, rows.stop - 1), "right").tolist()
        lengths = np.diff(np.minimum(ends[first : last + 1], rows.stop), prepend=rows.start)
        yield rows, np.repeat(np.arange(first, last + 1), lengths)


def _add_up(deltas: np.ndarray, ends: np.ndarray) -> None:
    """Make starts of them, run by run, of which `ends` are the ends; each begins with its first start."""
    firsts = np.unique(np.concatenate([[0], ends]))[:-1]
    descending = deltas < 0
    descending[firsts] = False
    if descending.any():
        raise ValueError("the starts of a region are not sorted")
    if len(firsts):
        # Each run begins where the sum of those before it is taken off again.
        deltas[firsts[1:]] -= np.add.reduceat(deltas, firsts)[:-1]
        np.cumsum(deltas, out=deltas)

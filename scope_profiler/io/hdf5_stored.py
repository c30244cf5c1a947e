"""The columns of calls that stay in an HDF5 file until they are asked for."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from .._model.recorded import Recorded
from ..results.stored_column import StoredColumn
from .hdf5_datasets import Group
from .hdf5_events import check_events
from .hdf5_file import read_open
from .hdf5_index import Index

#: Of a file of fewer calls everything is read at once: that takes no time, and no file stays open.
SMALL = 1 << 16

#: What columns are called in the file, where that is not what regions call them.
_NAMES = {"start_deltas": "start_times_ns", "durations": "durations_ns"}


#: How many bytes of columns of all files stay in memory. From then on the calls of a region on a rank are
#: read whenever they are asked for.
KEPT = 1 << 29
_kept = 0


class StoredEvents:
    """The columns of calls, each read when it is first asked for, then kept, as far as there is room.

    The file is kept open, so it stays what it was when another takes its name.

    root, file, path: The file.
    index, names: What is known of its regions.
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
        recorded: Mapping[int, Recorded],
        max_bytes: int | None,
    ) -> None:
        self._index, self._names, self._recorded = index, names, recorded
        self._path, self._max_bytes = path, max_bytes
        datasets, self._end = check_events(root.group("events"), 3, index.offsets, index.counts)
        for name, dataset in datasets.items():
            dataset.check()
            if not dataset.is_integers:
                raise ValueError(f"events/{name} has no integers")
        self._known = list(datasets)
        self._columns: dict[str, np.ndarray] = {}
        self._size = 0
        self._file = open(os.dup(file.fileno()), "rb", buffering=0)

    def runs(self) -> Iterator[dict[str, Any]]:
        """As `read_events`; and what is known of the calls without reading them, as ``of_calls``."""
        index = self._index
        for number, (count, rank, of_calls) in enumerate(zip(index.counts, index.ranks, index.of_calls())):
            tree = self._recorded.get(rank)
            run: dict[str, Any] = {
                _NAMES.get(name, name): StoredColumn(
                    partial(self._run, name, number), slice(None), count,
                    tree if name == "node_ids" else None, is_kept=False)
                for name in self._known
            }
            yield {**run, "of_calls": of_calls}

    def _run(self, name: str, number: int) -> np.ndarray:
        """The calls of a region on a rank."""
        offset, count = self._index.offsets[number], self._index.counts[number]
        if name in self._columns or _kept + 8 * self._end <= KEPT:
            return self._column(name)[offset : offset + count]

        def read(root: Group, schema: int) -> np.ndarray:
            values = root.group("events").dataset(name).read_rows(slice(offset, offset + count))
            self._check(name, values, [(number, slice(0, count))])
            return values

        return read_open(self._file, self._path, read, self._max_bytes)

    def _column(self, name: str) -> np.ndarray:
        global _kept
        if name not in self._columns:

            def read(root: Group, schema: int) -> np.ndarray:
                values = root.group("events").dataset(name).read(self._end)
                self._check(name, values, [
                    (number, slice(offset, offset + count)) for number, (offset, count)
                    in enumerate(zip(self._index.offsets, self._index.counts))])
                return values

            values = self._columns[name] = read_open(self._file, self._path, read, self._max_bytes)
            self._size += values.nbytes
            _kept += values.nbytes
        return self._columns[name]

    def __del__(self) -> None:
        global _kept
        _kept -= getattr(self, "_size", 0)

    def _check(self, name: str, values: np.ndarray, runs: list[tuple[int, slice]]) -> None:
        """Look at the values of some runs, each with its rows, and make starts of their differences."""
        if name == "start_deltas":
            _add_up(values, runs)
        elif name == "durations" and len(values) and values.min() < 0:
            raise ValueError(f"a call has a negative duration, {values.min()} ns")
        elif name == "node_ids":
            self._check_nodes(values, runs)

    @cached_property
    def _of_trees(self) -> list[Sequence[str] | None]:
        return self._index.recorded_columns()

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._names)}

    def _check_nodes(self, values: np.ndarray, runs: list[tuple[int, slice]]) -> None:
        """That each place in a tree is one of the region that made the call."""
        known: dict[int, np.ndarray] = {}
        for run, rows in runs:
            number, rank, nodes = self._index.numbers[run], self._index.ranks[run], values[rows]
            if not len(nodes) or rank not in self._recorded or "node_ids" not in (self._of_trees[run] or ()):
                continue
            if rank not in known:
                names = (node.name for node in self._recorded[rank].nodes)
                known[rank] = np.array([self._numbers.get(name, -1) for name in names], np.int64)
            least, most = int(nodes.min()), int(nodes.max())
            if least < 0 or most >= len(known[rank]) or (known[rank][nodes] != number).any():
                raise ValueError(f"calls of region {self._names[number]!r} are at nodes of others")


def _add_up(deltas: np.ndarray, runs: list[tuple[int, slice]]) -> None:
    """Make starts of them, run by run; each begins with its first start."""
    for _, rows in runs:
        if (deltas[rows][1:] < 0).any():
            raise ValueError("the starts of a region are not sorted")
        np.cumsum(deltas[rows], out=deltas[rows])

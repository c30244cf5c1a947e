"""The columns of calls that stay in an HDF5 file until they are asked for."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from functools import partial
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


class StoredEvents:
    """The columns of calls, each read when it is first asked for, then kept.

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
        self._file = open(os.dup(file.fileno()), "rb", buffering=0)

    def runs(self) -> Iterator[dict[str, Any]]:
        """As `read_events`; and what is known of the calls without reading them, as ``of_calls``."""
        sources = [(_NAMES.get(name, name), partial(self._column, name)) for name in self._known]
        index = self._index
        for offset, count, rank, of_calls in zip(
            index.offsets, index.counts, index.ranks, index.of_calls()
        ):
            rows = slice(offset, offset + count)
            tree = self._recorded.get(rank)
            run: dict[str, Any] = {
                name: StoredColumn(source, rows, count, tree if name == "node_ids" else None)
                for name, source in sources
            }
            yield {**run, "of_calls": of_calls}

    def _column(self, name: str) -> np.ndarray:
        if name not in self._columns:
            self._columns[name] = read_open(
                self._file, self._path, lambda root, schema: self._read(root, name), self._max_bytes
            )
        return self._columns[name]

    def _read(self, root: Group, name: str) -> np.ndarray:
        values = root.group("events").dataset(name).read(self._end)
        if name == "start_deltas":
            self._add_up(values)
        elif name == "durations" and len(values) and values.min() < 0:
            raise ValueError(f"a call has a negative duration, {values.min()} ns")
        elif name == "node_ids":
            self._check_nodes(values)
        return values

    def _add_up(self, deltas: np.ndarray) -> None:
        """Make starts of them, run by run; each begins with its first start."""
        for offset, count in zip(self._index.offsets, self._index.counts):
            rows = slice(offset, offset + count)
            if count and (deltas[offset + 1 : offset + count] < 0).any():
                raise ValueError("the starts of a region are not sorted")
            np.cumsum(deltas[rows], out=deltas[rows])

    def _check_nodes(self, values: np.ndarray) -> None:
        """That each place in a tree is one of the region that made the call."""
        index = self._index
        numbers = {name: number for number, name in enumerate(self._names)}
        regions = {
            rank: np.array([numbers.get(node.name, -1) for node in tree.nodes], np.int64)
            for rank, tree in self._recorded.items()
        }
        for number, rank, offset, count, columns in zip(
            index.numbers, index.ranks, index.offsets, index.counts, index.recorded_columns()
        ):
            if not count or rank not in regions or "node_ids" not in (columns or ()):
                continue
            nodes, known = values[offset : offset + count], regions[rank]
            least, most = int(nodes.min()), int(nodes.max())
            if least < 0 or most >= len(known) or (known[nodes] != number).any():
                raise ValueError(f"calls of region {self._names[number]!r} are at nodes of others")

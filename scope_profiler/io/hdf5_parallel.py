"""The calls of one rank in the file of all ranks, which each of them writes: parallel HDF5.

The file is there, by `write_hdf5(fill=)`, with all but the calls: these have their place in it, in one piece
a column. So no rank changes its structure, and each writes for itself.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import h5py
import numpy as np

from .._base.room import rest
from ..results import OPTIONAL_COLUMNS, ProfilingResults, Region, blocks
from .hdf5_datasets import Group
from .hdf5_events import to_deltas, values_of
from .hdf5_file import opened
from .hdf5_index import Index
from .hdf5_texts import read_texts


#: Bytes of the file of rank 0, from which on it is quicker than what rank 0 does alone.
WORTHWHILE = 64 << 20

#: Of one region: its first start is after 0.
_NO_BEGINS = np.empty(0, np.int64)


def is_possible() -> bool:
    """Whether h5py was built with MPI."""
    return bool(h5py.get_config().mpi)


class _Run(NamedTuple):
    """Calls of a region that follow one another in the columns, from `offset` on."""

    region: Region
    offset: int


class RankCalls:
    """The calls of a rank, and where they belong in the file.

    results: Of that rank alone.

    Raises OSError or ValueError when the file cannot be read, or has no room for just these calls.
    """

    def __init__(self, path: str | os.PathLike[str], results: ProfilingResults, rank: int) -> None:
        self._path = path
        self._runs = opened(path, lambda root, schema, file: _runs(root, results, rank))

    def write(self, communicator: Any) -> None:
        """Write them. Opening and closing the file are collective: all ranks of the communicator
        have to call this."""
        with h5py.File(self._path, "r+", driver="mpio", comm=communicator) as file:
            for name, column in file["events"].items():
                values = values_of(name)
                for region, offset in self._runs:
                    (own,), before = values([region]), 0
                    for rows in blocks(region.num_events):
                        written: Any = OPTIONAL_COLUMNS[name] if own is None else own[rows]
                        if name == "start_deltas":
                            written = written.copy()
                            before = to_deltas(written, _NO_BEGINS, before)
                        column[offset + rows.start : offset + rows.stop] = written
                        if own is not None:
                            rest(own[rows])


def _runs(root: Group, results: ProfilingResults, rank: int) -> list[_Run]:
    names = read_texts(root.group("region_table"), "names")
    index = Index(root.group("rank_region_index"), len(names))
    rows = [row for row, of_rank in enumerate(index.ranks) if of_rank == rank]
    own = {region.name: region[of_rank] for region in results for of_rank in region}
    counts = {names[index.numbers[row]]: index.counts[row] for row in rows}
    if counts != {name: region.num_events for name, region in own.items()}:
        raise ValueError(f"{root.name} has no room for the calls of rank {rank}")
    return [_Run(own[names[index.numbers[row]]], index.offsets[row]) for row in rows if index.counts[row]]

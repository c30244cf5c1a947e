"""The recorder's trees in HDF5: the group `recorded`."""

from __future__ import annotations

from collections.abc import Mapping

import h5py

from .._model.recorded import Recorded
from .hdf5_datasets import Group
from .hdf5_texts import read_texts, write_texts
from .recorded_tables import from_tables, tables_of

_GROUP = "recorded"

#: Shorter columns are not compressed: a chunk takes room of its own.
_LONG = 4096

#: What a node takes in memory, as objects of Python.
_ROW_BYTES = 3000


def write_recorded(file: h5py.File, recorded: Mapping[int, Recorded]) -> None:
    """The trees of all ranks; no group where there are none."""
    if not recorded:
        return
    group = file.create_group(_GROUP)
    for name, table in tables_of(recorded).items():
        if isinstance(table, list):
            write_texts(group, name, table)
        elif len(table) > _LONG:
            group.create_dataset(name, data=table, compression="gzip", compression_opts=1,
                                 shuffle=True)
        else:
            group[name] = table


def read_recorded(file: Group) -> dict[int, Recorded]:
    """What `write_recorded` wrote; empty where there is no such group.

    Raises KeyError, ValueError or TypeError when it is not that.
    """
    if _GROUP not in file:
        return {}
    group = file.group(_GROUP)
    arrays = {name: group.read(name) for name in ("nodes", "sketch_values", "sketch_counts")}
    rows = len(arrays["nodes"])
    group.allowance.take(rows * _ROW_BYTES, f"{group.name} with {rows} nodes")
    texts = {name: read_texts(group, name) for name in ("names", "facts")}
    for name in ("samples", "quantities", "counter_names"):  # not in files of versions before they were
        if name in group:
            texts[name] = read_texts(group, name)
    for name in ("work", "counters"):
        if name in group:
            arrays[name] = group.read(name)
    for name in ("facts", "samples"):
        for text in texts.get(name, ()):
            group.json(text, f"{group.name}/{name}")  # raises when it takes too much memory
    return from_tables({**texts, **arrays})

"""The tables of threads and tasks in HDF5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import h5py
import numpy as np

from .hdf5_datasets import Group
from .hdf5_texts import read_texts, write_texts
from .thread_tables import Info, columns_of, from_row, row_of

_TYPES = {int: "<i8", bool: "i1"}

#: What a row takes in memory, as an object of Python.
_ROW_BYTES = 1000


def write_table(file: h5py.File, name: str, tables: Mapping[int, Sequence[Info]]) -> None:
    """The table of that name, all ranks in one; none where there are no rows."""
    rows = [(rank, row_of(info)) for rank, of_rank in tables.items() for info in of_rank]
    if not rows:
        return
    group = file.create_group(name)
    group["ranks"] = np.array([rank for rank, _ in rows], "<u4")
    kind = next(type(info) for of_rank in tables.values() for info in of_rank)
    for column, of_type in columns_of(kind).items():
        values = [row[column] for _, row in rows]
        if of_type is str:
            write_texts(group, column, values)
        else:
            group[column] = np.array(values, _TYPES[of_type])


def read_table(file: Group, name: str, kind: type[Info]) -> dict[int, list[Info]]:
    """What `write_table` wrote, or others; empty where there is no such table.

    Raises ValueError when its columns differ in length.
    """
    if name not in file:
        return {}
    group = file.group(name)
    ranks = group.read("ranks")
    file.allowance.take(len(ranks) * _ROW_BYTES, f"{group.name} with {len(ranks)} rows")
    columns = {
        column: read_texts(group, column) if of_type is str else group.read(column).tolist()
        for column, of_type in columns_of(kind).items()
        if column in group
    }
    tables: dict[int, list[Info]] = {}
    for rank, *values in zip(ranks.tolist(), *columns.values(), strict=True):
        tables.setdefault(rank, []).append(from_row(kind, rank, dict(zip(columns, values))))
    return tables

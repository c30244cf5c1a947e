"""What was noted for single calls, in HDF5: each table of notes once, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from ..results import Region
from .compression import Compression
from .hdf5_datasets import Group
from .hdf5_events import METADATA_IDS, EventWriter
from .hdf5_texts import read_texts, write_texts
from .json_values import json_text
from .metadata_tables import MetadataTables, checked_table, from_table, per_call

#: The group of the tables, each by its number; and in the index what 0.7.5 reads.
_TABLES = "event_metadata"

#: In the index: which table the region has, -1 for none.
_NUMBERS = "metadata_tables"


def write_event_metadata(
    file: h5py.File, regions: Sequence[Region], events: EventWriter, compression: Compression
) -> None:
    """The tables, which of them each region has, and the row of it that each call has.

    For regions of few calls also what 0.7.5 reads: the mappings of all calls, in the index.
    """
    index = file["rank_region_index"]
    notes = (per_call(region) for region in regions)
    write_texts(index, _TABLES, (json_text(entries) if entries else "[]" for entries in notes))
    known = MetadataTables(regions)
    if not known.tables:
        return
    index[_NUMBERS] = np.array(known.numbers, "<i8")
    events.write_column(METADATA_IDS, "<i4")
    group = file.create_group(_TABLES)
    for number, table in enumerate(known.tables):
        # Bytes and not a text, as HDF5 does not compress texts.
        data = np.frombuffer(json_text(list(table)).encode("ascii"), np.uint8)
        group.create_dataset(str(number), data=data, **compression.filters(len(data)))


def read_event_metadata(
    file: Group, ids: Sequence[np.ndarray | None]
) -> list[Sequence[Mapping[str, Any]] | None]:
    """The metadata of each row of the index, of which `ids` are the `METADATA_IDS`."""
    index = file.group("rank_region_index")
    if _NUMBERS in index:
        tables: dict[int, Any] = {-1: None}
        group = file.group(_TABLES)
        for name in group:
            text = group.read(name).tobytes()
            tables[int(name)] = checked_table(group.json(text, f"{group.name}/{name}"))
        numbers = index.read(_NUMBERS).tolist()
        return [from_table(rows, tables[number]) for rows, number in zip(ids, numbers, strict=True)]
    texts = read_texts(index, _TABLES) if _TABLES in index else []
    # The aggregate layout has the column without rows.
    return [
        None if text in ("", "[]") else index.json(text, f"{index.name}/{_TABLES}") for text in texts
    ] or [None] * len(ids)

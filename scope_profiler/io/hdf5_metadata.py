"""What was noted for single calls, in HDF5: each table of notes once, as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import attrgetter
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
    if not any(map(attrgetter("has_event_metadata"), regions)):
        write_texts(index, _TABLES, ["[]"] * len(regions))
        return
    notes = (per_call(region) for region in regions)
    write_texts(index, _TABLES, (json_text(entries) if entries else "[]" for entries in notes))
    known = MetadataTables(regions)
    index[_NUMBERS] = np.array(known.numbers, "<i8")
    events.write_column(METADATA_IDS, "<i4")
    group = file.create_group(_TABLES)
    for number, table in enumerate(known.tables):
        # Bytes and not a text, as HDF5 does not compress texts.
        data = np.frombuffer(json_text(list(table)).encode("ascii"), np.uint8)
        group.create_dataset(str(number), data=data, **compression.filters(len(data)))


class EventNotes:
    """The metadata of calls as it was read: of a row of the index, and then of each call.

    Raises ValueError when it is damaged.
    """

    def __init__(self, file: Group, rows: int) -> None:
        index = file.group("rank_region_index")
        self._tables: dict[int, Any] = {-1: None}
        self._numbers, self._texts = [-1] * rows, [""] * rows
        if _NUMBERS in index:
            group = file.group(_TABLES)
            for name in group:
                text = group.read(name).tobytes()
                self._tables[int(name)] = checked_table(group.json(text, f"{group.name}/{name}"))
            self._numbers = index.read(_NUMBERS).tolist()
        elif _TABLES in index:
            # The aggregate layout has the column without rows.
            self._texts = read_texts(index, _TABLES) or self._texts
        if not len(self._numbers) == len(self._texts) == rows:
            raise ValueError(f"{index.name} has {rows} rows, but not so many with metadata of calls")
        self._index = index

    def is_sound(self, has_ids: bool) -> bool:
        """Whether there is no row of which `of` could raise anything."""
        used = {*self._numbers}
        return used <= self._tables.keys() and (has_ids or used <= {-1}) and {*self._texts} <= {"", "[]"}

    @cached_property
    def lengths(self) -> np.ndarray:
        """Int [rows]: how many entries the table of each has; 0 where nothing was noted."""
        return np.array([len(self._tables.get(number) or ()) for number in self._numbers], np.int64)

    def of(self, row: int, ids: Any) -> Sequence[Mapping[str, Any]] | None:
        """Of a row, of which `ids` are the `METADATA_IDS`; None where nothing was noted."""
        text = self._texts[row]
        if text not in ("", "[]"):
            return self._index.json(text, f"{self._index.name}/{_TABLES}")
        return from_table(ids, self._tables[self._numbers[row]])

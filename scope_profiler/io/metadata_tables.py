"""What was noted for single calls, as both formats have it: tables that regions share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..results import EventMetadata, Region

#: Up to so many calls of a region, their mappings are also written one by one, which is all that
#: 0.7.5 reads.
PER_CALL = 1 << 16


class MetadataTables:
    """The tables of several regions, each once.

    tables: Sequences of mappings.
    numbers: The index of its table for each of the regions, -1 where nothing was noted.
    """

    def __init__(self, regions: Iterable[Region]) -> None:
        self.tables: list[Sequence[Mapping[str, Any]]] = []
        self.numbers: list[int] = []
        known: dict[int, int] = {}
        for region in regions:
            if not region.has_event_metadata:
                self.numbers.append(-1)
                continue
            table = region.event_metadata.table
            number = known.setdefault(id(table), len(self.tables))
            if number == len(self.tables):
                self.tables.append(table)
            self.numbers.append(number)


def per_call(region: Region) -> list[Mapping[str, Any]] | None:
    """One mapping per call; None where nothing was noted, or for too many calls."""
    if not region.has_event_metadata or region.num_events > PER_CALL:
        return None
    known = region.event_metadata
    nothing: dict[str, Any] = {}
    return [nothing if row < 0 else known.table[row] for row in known.ids.tolist()]


def checked_table(table: Any) -> list[dict[str, Any]]:
    """A table that was read.

    Raises ValueError where it is none.
    """
    if not isinstance(table, list) or not all(isinstance(entry, dict) for entry in table):
        raise ValueError("a table of event metadata must be a list of objects")
    return table


def from_table(ids: Any, table: list[dict[str, Any]] | None) -> EventMetadata | None:
    """The metadata of a region, of which the ids and the table were read; None for none. Ids that are read
    later are checked then."""
    if table is None:
        return None
    if ids is None:
        raise ValueError("there is a table of event metadata, but no metadata_ids")
    return EventMetadata(ids, table)

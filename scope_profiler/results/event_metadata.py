"""`EventMetadata`: what was noted for single calls, equal notes kept once."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .columns import column
from .stored_column import StoredColumn, taken, values_of

#: In `EventMetadata.ids`: nothing was noted for the call.
NOTHING = -1

#: What equality can be told of in no time; entries of others are kept as they come.
_SCALARS = (str, int, float, bool, type(None))


class EventMetadata(Sequence):
    """One mapping per call; immutable, and no Python object is kept per call.

    An item is a dict of its own, ``{}`` where nothing was noted; a slice is an
    `EventMetadata` over the same table. It equals any sequence of equal mappings.

    ids: int32 or int64 [calls]: the row of `table` that each call has, -1 for none.
    table: The mappings that calls refer to. It is not copied, so that the regions of a run can
        share one, and must not be changed any more.

    Raises TypeError or ValueError naming the argument, what it got and what it takes.
    """

    __slots__ = ("_column", "_table")

    def __init__(self, ids: Any, table: Sequence[Mapping[str, Any]]) -> None:
        if isinstance(table, (str, bytes)) or not isinstance(table, Sequence):
            raise TypeError(f"table must be a sequence of mappings; got {table!r}")
        self._table = table
        if isinstance(ids, StoredColumn):
            self._column: np.ndarray | StoredColumn = ids
            return
        self._column = ids = column("ids", ids, None)
        if not len(ids):
            return
        least, most = int(ids.min()), int(ids.max())
        if least < NOTHING or most >= len(table):
            raise ValueError(
                f"ids must be -1 or rows of table, which has {len(table)}; got {least} to {most}"
            )

    @classmethod
    def of(cls, entries: Iterable[Mapping[str, Any]]) -> EventMetadata:
        """From one mapping per call: equal ones become one row of the table."""
        rows: dict[Hashable, int] = {}
        table: list[dict[str, Any]] = []
        ids: list[int] = []
        if not isinstance(entries, Iterable):
            raise TypeError(f"event_metadata must be several mappings; got {entries!r}")
        for entry in entries:
            if not isinstance(entry, Mapping):
                raise TypeError(f"event_metadata must be mappings; got {entry!r}")
            if not entry:
                ids.append(NOTHING)
                continue
            row = len(table)
            if all(type(value) in _SCALARS for value in entry.values()):
                row = rows.setdefault(tuple(_key(*item) for item in entry.items()), row)
            if row == len(table):
                table.append(dict(entry))
            ids.append(row)
        return cls(np.array(ids, np.int32), table)

    @classmethod
    def none(cls, length: int) -> EventMetadata:
        """That of calls for which nothing was noted, in no memory."""
        if isinstance(length, bool) or not isinstance(length, (int, np.integer)) or length < 0:
            raise ValueError(f"length must be an int of at least 0; got {length!r}")
        return cls(np.broadcast_to(np.int32(NOTHING), length), ())

    @property
    def ids(self) -> np.ndarray:
        """int32 or int64 [calls], read-only: the row of `table`, -1 for none."""
        return values_of(self._column)

    @property
    def table(self) -> Sequence[Mapping[str, Any]]:
        """The mappings that calls refer to."""
        return self._table

    def taken(self, rows: np.ndarray | slice) -> EventMetadata:
        """That of the calls `rows`: their indices, or a boolean for each call."""
        return EventMetadata(self.ids[rows], self._table)

    def stored(self, rows: np.ndarray | slice, length: int) -> EventMetadata:
        """As `taken`, of so many calls, whose rows are taken when they are asked for."""
        return EventMetadata(taken(self._column, rows, length), self._table)

    def matching(self, wanted: Mapping[str, Any]) -> np.ndarray:
        """Bool [calls]: whether all these entries, each equal, are noted for the call."""
        table = np.array([_has(entry, wanted) for entry in self._table] + [not wanted])
        return table[self.ids]

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.taken(index)
        row = self.ids[operator.index(index)]
        return {} if row == NOTHING else dict(self._table[row])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return ({} if row == NOTHING else dict(self._table[row]) for row in self.ids.tolist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, EventMetadata) and other._table is self._table:
            return np.array_equal(self.ids, other.ids)
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<EventMetadata of {len(self)} call(s), {len(self._table)} different>"


def _key(name: str, value: Any) -> Hashable:
    """Tells apart what Python does not: 1, 1.0 and True, 0.0 and -0.0."""
    return name, type(value), repr(value) if type(value) is float else value


def _has(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    try:
        return all(name in entry and bool(entry[name] == wanted[name]) for name in wanted)
    except Exception:  # of an object that was noted, or of an array, which is no single truth
        return False

"""`StoredColumn`: a column whose values are read when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .columns import read_only


class StoredColumn:
    """Some rows of a column that lies elsewhere, as in a file.

    source: Gives those rows, an array of integers in one dimension. Who makes a `StoredColumn` has the
        values checked there: nobody else looks at them before they are used.
    rows: What `source` takes for them.
    length: How many these are.
    of: What the values are places in, so that they need not be checked against it again.
    is_kept: Whether the values stay in memory once they were asked for; else the source sees to that.
    """

    __slots__ = ("_source", "_rows", "_length", "_values", "of", "is_kept")

    def __init__(
        self, source: Callable[[Any], np.ndarray], rows: Any, length: int, of: Any = None,
        is_kept: bool = True,
    ) -> None:
        self._source = source
        self._rows = rows
        self._length = length
        self._values: np.ndarray | None = None
        self.of = of
        self.is_kept = is_kept

    def __len__(self) -> int:
        return self._length

    @property
    def is_read(self) -> bool:
        """Whether the values are in memory."""
        return self._values is not None

    @property
    def values(self) -> np.ndarray:
        """The values, read-only; raises what reading them raises."""
        if self._values is not None:
            return self._values
        values = read_only(self._source(self._rows))
        if self.is_kept:
            self._values = values
        return values

    def __reduce__(self) -> tuple[Any, ...]:
        return _read_already, (self.values, self.of)


def _read_already(values: np.ndarray, of: Any) -> StoredColumn:
    return StoredColumn(values.__getitem__, slice(None), len(values), of)


def values_of(column: np.ndarray | StoredColumn) -> np.ndarray:
    """The values of a column, wherever it is."""
    return column.values if isinstance(column, StoredColumn) else column


def taken(column: np.ndarray | StoredColumn, rows: Any, length: int) -> StoredColumn:
    """So many rows of a column, that are taken from it when they are asked for."""
    if not isinstance(column, StoredColumn):
        return StoredColumn(column.__getitem__, rows, length)
    return StoredColumn(lambda rows: column.values[rows], rows, length, column.of,
                        column.is_kept or not isinstance(rows, slice))

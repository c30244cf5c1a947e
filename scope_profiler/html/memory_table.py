"""What the calls at each place of the tree took of memory, most first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._base.shown import shown
from ..report import table_columns as known
from ..report.rows import Row

_MOST = 100

COLUMNS = ("calls", "allocated", "freed", "peak", "allocations", "frees")


class MemoryRow(NamedTuple):
    """A place of the tree: the names from the root to it, its texts, and for bars what it allocated and its
    peak as per cent of the most of all."""

    path: str
    cells: list[str]
    allocated: float
    peak: float


def memory_rows(rows: Sequence[Row]) -> list[MemoryRow]:
    """Those that allocated most; [] where memory was not measured. rows: of the tree."""
    measured = [row for row in rows if row.statistics.allocated_bytes is not None]
    measured.sort(key=lambda row: -(row.statistics.allocated_bytes or 0))
    allocated = max((row.statistics.allocated_bytes or 0 for row in measured), default=0)
    peak = max((row.statistics.peak_bytes or 0 for row in measured), default=0)
    return [
        MemoryRow(_path(row), [known.cell(row, column, 0) for column in COLUMNS],
                  _share(row.statistics.allocated_bytes, allocated), _share(row.statistics.peak_bytes, peak))
        for row in measured[:_MOST]
    ]


def _path(row: Row | None) -> str:
    names: list[str] = []
    while row is not None:
        names.append(shown(row.name))
        row = row.parent
    return " › ".join(reversed(names))


def _share(part: int | None, most: int) -> float:
    return round(100 * (part or 0) / most, 2) if most else 0.0

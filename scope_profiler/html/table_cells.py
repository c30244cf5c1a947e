"""The tables of regions: the texts that `scope-profiler inspect` prints, and what they are sorted by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._base.shown import shown
from ..report import table_columns as known
from ..report.region_table import first_rows
from ..report.results_table import ResultsTable
from ..report.rows import Row
from ..report.style import format_count, many

#: Nobody scrolls through more, and browsers get slow.
MOST_ROWS = 1000

#: Columns besides those that are printed when nothing is chosen; they are hidden at first.
_MORE = ("p90", "p95", "p999")
_HIDDEN = {*_MORE, "std", "freed", "min"}


class Column(NamedTuple):
    """A column: what heads it, and whether it is hidden at first."""

    name: str
    heading: str
    is_hidden: bool


class Cell(NamedTuple):
    """What a cell shows, and the number that it is sorted by; None where that is unknown."""

    text: str
    value: Any


class TableRow(NamedTuple):
    """A row: of the tree with its number, that of its parent (-1 for none) and its depth.

    region: The number of the region, by which it has its colour.
    """

    name: str
    region: int
    mark: str
    cells: list[Cell]
    number: int
    parent: int
    depth: int
    has_children: bool
    total_share: float  # per cent of the run
    own_share: float


class RegionTable(NamedTuple):
    """A table of regions, and how many rows it leaves out."""

    columns: list[Column]
    rows: list[TableRow]
    left_out: str


def region_table(table: ResultsTable, with_imbalance: bool, regions: Mapping[str, int]) -> RegionTable:
    """The rows that took most of a table, all where there are no more than MOST_ROWS.

    regions: The number of each region.
    """
    chosen = first_rows(table.rows, MOST_ROWS, known.SORT_KEYS["total"])
    names = _columns(chosen, with_imbalance) if chosen else []
    numbers = {id(row): number for number, row in enumerate(chosen)}
    rows = []
    for number, row in enumerate(chosen):
        rows.append(TableRow(
            shown(row.name), regions[row.name], _mark(row),
            [_cell(row, name, table.wall_ns) for name in names], number,
            numbers.get(id(row.parent), -1), row.depth, any(id(child) in numbers for child in row.children),
            _percent(row.total_ns, table.wall_ns), _percent(row.own_ns, table.wall_ns),
        ))
    left_out = len(table.rows) - len(chosen)
    return RegionTable(
        [Column(name, known.heading(name), name in _HIDDEN) for name in names], rows,
        f"{many(left_out, 'row')} of those that took least are not shown" if left_out else "",
    )


def _columns(rows: Sequence[Row], with_imbalance: bool) -> list[str]:
    chosen = [name for name in known.chosen(rows) if name != "region"]
    for name in _MORE:
        chosen.insert(chosen.index("max"), name)
    # In the order of their size: p50 p90 p95 p99 p99.9.
    chosen.remove("p99")
    chosen.insert(chosen.index("p999"), "p99")
    return [*chosen, "imbalance"] if with_imbalance and "imbalance" not in chosen else chosen


def _cell(row: Row, name: str, wall_ns: int) -> Cell:
    key = known.sort_key("total" if name == "percent" else name)
    value = key(row) if key else len(row.by_rank) if name == "ranks" else None
    return Cell(known.cell(row, name, wall_ns), value)


def _mark(row: Row) -> str:
    count = row.statistics.open_calls
    return "" if not count else "open" if count == 1 else f"{format_count(count)} open"


def _percent(part: int | None, whole: int) -> float:
    """For a bar: between 0 and 100."""
    return round(min(max(100 * (part or 0) / whole, 0), 100), 3) if whole > 0 else 0.0

"""The slowest calls of the page: as `scope-profiler inspect --slowest` has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._base.shown import shown
from ..exports.timelines import Timeline
from ..report import table_columns as known
from ..report.region_table import first_rows
from ..report.rows import Row, in_order, tree_rows
from ..report.style import format_time
from ..results import ProfilingResults
from ..results.slow_calls import RankCalls, SlowCall, slowest_places
from .run_choice import Choice

#: Regions, calls of each, and rows of what ran inside one.
_MOST, _CALLS, _ROWS = 15, 5, 20

COLUMNS = ("calls", "parent_percent", "total", "own")


class SlowRow(NamedTuple):
    """A row of what ran inside a call."""

    name: str
    depth: int
    cells: list[str]


class SlowCallTable(NamedTuple):
    """A call: how long it took, where and when, what was noted for it, and what ran inside."""

    duration: str
    start: str
    where: str
    metadata: list[tuple[str, str]]
    rows: list[SlowRow]
    left_out: int


class SlowRegion(NamedTuple):
    """The slowest calls of a region."""

    name: str
    median: str
    calls: list[SlowCallTable]


class SlowCalls:
    """The slowest calls of the regions that took most. What ran inside them is looked at rank by rank, while
    the calls of the rank are at hand. rows: of the table of regions, those first that took most."""

    def __init__(self, results: ProfilingResults, choice: Choice, rows: Sequence[Row]) -> None:
        self._results = results
        self._rows = [row for row in rows[:_MOST] if results[row.name].num_calls > 1 and all(
            results[row.name][rank].has_event_data for rank in results[row.name]
            if choice.ranks is None or rank in choice.ranks)]
        self._places = {row.name: slowest_places(results, row.name, _CALLS, choice.ranks)
                        for row in self._rows}
        self._found: dict[tuple[str, int, int], SlowCall] = {}

    def look_at(self, timeline: Timeline) -> None:
        """Find what ran inside those of this rank."""
        if timeline.nested is None:
            return
        names = [name for name, _ in timeline.regions]
        calls = RankCalls(self._results, timeline.rank, names, timeline.nested)
        for name, places in self._places.items():
            for rank, index in places:
                if rank == timeline.rank:
                    self._found[name, rank, index] = calls.call(name, index)

    def tables(self) -> list[SlowRegion]:
        """Those that were found."""
        several = self._results.num_ranks > 1
        tables = []
        for row in self._rows:
            found = [self._found[row.name, *place] for place in self._places[row.name]
                     if (row.name, *place) in self._found]
            if found:
                tables.append(SlowRegion(shown(row.name), known.cell(row, "p50", 0),
                                         [_table(call, several) for call in found]))
        return tables


def _table(call: SlowCall, several_ranks: bool) -> SlowCallTable:
    where = [shown(call.track)] if call.track is not None else []
    if several_ranks:
        where.append(f"rank {call.rank}")
    rows: list[Row] = []
    if call.inside is not None and len(call.inside.nodes) > 1:
        rows = in_order(tree_rows({call.rank: call.inside}), known.SORT_KEYS["total"])
    chosen = first_rows(rows, _ROWS, known.SORT_KEYS["total"])
    return SlowCallTable(
        format_time(call.duration_ns), format_time(call.start_ns), ", ".join(where),
        [(shown(key), shown(value)) for key, value in call.metadata.items()],
        [SlowRow(shown(row.name), row.depth,
                 [known.cell(row, column, call.duration_ns) for column in COLUMNS]) for row in chosen],
        len(rows) - len(chosen),
    )

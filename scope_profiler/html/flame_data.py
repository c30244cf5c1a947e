"""The flame graph of the page: the call tree as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..exports.weights import with_those_below
from ..report.region_table import first_rows
from ..report.rows import Row
from ..report.table_columns import SORT_KEYS

#: Boxes; others are too narrow to be seen.
_MOST = 20_000


def flame_data(rows: Sequence[Row], regions: Mapping[str, int]) -> dict[str, Any]:
    """For flame.js: of each node its parent (-1 for none), region, total and own time, calls, and how wide it
    is: its own time and that of all below it, which is its total but for what ran at the same time.

    rows: Of the tree, depth first. regions: The number of each region.
    """
    chosen = first_rows(rows, _MOST, SORT_KEYS["total"])
    places = {id(row): place for place, row in enumerate(rows)}
    weights = with_those_below([row.own_ns for row in rows], [places.get(id(row.parent), -1) for row in rows])
    numbers = {id(row): number for number, row in enumerate(chosen)}
    return {
        "parent": [numbers.get(id(row.parent), -1) for row in chosen],
        "region": [regions[row.name] for row in chosen],
        "weight": [weights[places[id(row)]] for row in chosen],
        "total": [row.total_ns for row in chosen],
        "own": [row.own_ns for row in chosen],
        "calls": [row.statistics.counted_calls for row in chosen],
    }

"""`EventColumns`: the calls of several regions as columns in seconds, of which data frames are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .columns import OPTIONAL_COLUMNS, blocks
from .event_metadata import NOTHING

if TYPE_CHECKING:
    from .region import Region

#: Optional columns of regions, and what events call them; waits are in seconds there.
EVENT_KEYS = {
    "call_ids": "call_id",
    "parent_ids": "parent_id",
    "thread_ids": "thread",
    "task_ids": "task",
    "await_ns": "await_duration",
}


class EventColumns(NamedTuple):
    """A row for each call, region after region.

    regions: Names, which `name` counts.
    name: int32 [n]. rank, call_index: int64 [n]. start, end, duration: float64 [n], seconds.
    optional: By the key of an event, int64 or float64 [n], of those columns that any region has.
    missing: By the same keys, bool [n]: where there is none; keys of which all is there are left out.
    notes: int64 [n], rows of `table`, -1 for none; None where nothing was noted at all.
    table: What was noted.
    """

    regions: list[str]
    name: np.ndarray
    rank: np.ndarray
    call_index: np.ndarray
    start: np.ndarray
    end: np.ndarray
    duration: np.ndarray
    optional: dict[str, np.ndarray]
    missing: dict[str, np.ndarray]
    notes: np.ndarray | None
    table: Sequence[Mapping[str, Any]]

    def times(self) -> dict[str, np.ndarray]:
        """What every call has, by the key of an event, but for its name."""
        return {key: getattr(self, key) for key in _ALWAYS}


_ALWAYS = ("rank", "call_index", "start", "end", "duration")


def event_columns(calls: Sequence[tuple[str, int, Region]], origin: float) -> EventColumns:
    """Of several regions, each with its name and rank; `origin` seconds are subtracted from times."""
    names = list(dict.fromkeys(name for name, _, _ in calls))
    codes = {name: code for code, name in enumerate(names)}
    total = sum(region.num_events for _, _, region in calls)
    known = [
        key for key in EVENT_KEYS if any(region.has_column(key) for _, _, region in calls)
    ]
    made = EventColumns(
        names,
        np.empty(total, np.int32),
        np.empty(total, np.int64),
        np.empty(total, np.int64),
        np.empty(total),
        np.empty(total),
        np.empty(total),
        {EVENT_KEYS[key]: np.empty(total, float if key == "await_ns" else np.int64) for key in known},
        {},
        np.full(total, NOTHING) if any(one.has_event_metadata for _, _, one in calls) else None,
        [],
    )
    tables: dict[int, int] = {}  # by what they are: where they begin in the one of all
    begin = 0
    for name, rank, region in calls:
        of_region = slice(begin, begin + region.num_events)
        begin = of_region.stop
        made.name[of_region], made.rank[of_region] = codes[name], rank
        made.call_index[of_region] = np.arange(region.num_events)
        _add_times(made, of_region, region, origin)
        for key in known:
            _add_optional(made, of_region, region, key)
        if made.notes is not None and region.has_event_metadata:
            notes = region.event_metadata
            first = tables.setdefault(id(notes.table), len(made.table))
            if first == len(made.table):
                made.table.extend(notes.table)  # type: ignore[attr-defined]
            made.notes[of_region] = np.where(notes.ids == NOTHING, NOTHING, notes.ids + first)
    return made


def _add_times(made: EventColumns, rows: slice, region: Region, origin: float) -> None:
    starts, durations = region.start_times_ns, region.durations_ns
    for part in blocks(region.num_events):
        to = slice(rows.start + part.start, rows.start + part.stop)
        made.start[to] = starts[part] / 1e9 - origin
        made.end[to] = (starts[part] + durations[part]) / 1e9 - origin
        made.duration[to] = durations[part] / 1e9


def _add_optional(made: EventColumns, rows: slice, region: Region, name: str) -> None:
    key, values = EVENT_KEYS[name], getattr(region, name)
    if values is None:
        missing = made.missing.setdefault(key, np.zeros(len(made.name), bool))
        missing[rows], made.optional[key][rows] = True, OPTIONAL_COLUMNS[name]
    else:
        made.optional[key][rows] = values / 1e9 if name == "await_ns" else values

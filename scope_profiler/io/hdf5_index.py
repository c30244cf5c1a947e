"""The index of an HDF5 file: a row for each region on each rank."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import h5py
import numpy as np

from ..results import FLOAT_STATISTICS, INTEGER_STATISTICS, Region
from .hdf5_datasets import Group
from .hdf5_schema import AGGREGATES, COLUMN_BITS, EXTENDED, RECORDED, SUMMARY, UNKNOWN
from .hdf5_texts import read_texts, write_texts
from .recorded_tables import known_or
from .region_rows import (
    EXTENDED_ATTRIBUTES, exclusive_of_events, exclusive_or_total, from_extended, from_summary,
    recorded_columns,
)


def write_index(
    group: h5py.Group, rows: Sequence[tuple[int, int, Region]], aggregate: bool
) -> None:
    """Region number, rank and all that is known of each region but its calls."""
    for name, dtype, values in _number_columns(rows, aggregate):
        group[name] = np.asarray(values, dtype)
    regions = [region for _, _, region in rows]
    for name, texts in (
        ("source_files", (region.source_file or "" for region in regions)),
        ("source_texts", (region.source_text or "" for region in regions)),
        ("tags", (json.dumps(region.tags) if region.tags else "[]" for region in regions)),
    ):
        write_texts(group, name, texts)


def _number_columns(
    rows: Sequence[tuple[int, int, Region]], aggregate: bool
) -> Iterator[tuple[str, Any, Any]]:
    """Name, type and values of the columns that are of numbers."""
    regions = [region for _, _, region in rows]
    counts = np.array([region.num_events for region in regions], "<u8")
    yield "region_ids", "<u4", [number for number, _, _ in rows]
    yield "ranks", "<u4", [rank for _, rank, _ in rows]
    yield "event_offsets", "<u8", np.cumsum(counts, dtype="<u8") - counts
    yield "event_counts", "<u8", counts
    yield "source_lines", "<i8", [_or(region.source_lineno, -1) for region in regions]
    yield "exclusive_totals", "<i8", [_or(exclusive_of_events(region), -1) for region in regions]
    yield "summary_statistics", SUMMARY, [_summary_row(region) for region in regions]
    yield "extended_statistics", EXTENDED, _extended_rows(regions)
    statistics = [region.statistics or {} for region in regions]
    if any(statistics):
        yield "recorded_statistics", RECORDED, _recorded_rows(statistics)
    if aggregate:
        for name, attribute in AGGREGATES.items():
            values = [getattr(region, attribute) for region in regions]
            yield f"aggregate_{name}s", "<u8" if name == "count" else "<i8", values
        yield "aggregate_exclusives", "<i8", [exclusive_or_total(region) for region in regions]


def _summary_row(region: Region) -> tuple[float, ...]:
    """Aggregates over the intervals that are written, which may be fewer than the calls."""
    count = region.num_events
    if not count:
        return (0,) * len(SUMMARY.names or ())
    if count != region.num_calls:
        region = Region(start_times_ns=region.start_times_ns, durations_ns=region.durations_ns)
    total = region.total_duration_ns
    return (
        total,
        region.min_duration_ns,
        region.max_duration_ns,
        region.first_duration_ns,
        region.last_duration_ns,
        region.first_start_time_ns or 0,
        region.last_end_time_ns or 0,
        0,
        0,
        total / count,
        region.std_duration_ns**2 * count,
    )


def _extended_rows(regions: Sequence[Region]) -> np.ndarray:
    rows = np.empty(len(regions), EXTENDED)
    for name, of_region in EXTENDED_ATTRIBUTES.items():
        rows[name] = known_or([getattr(region, of_region) for region in regions], UNKNOWN)
    rows["columns"] = 0
    for name in recorded_columns(regions):
        rows["columns"] += [COLUMN_BITS[name] * region.has_column(name) for region in regions]
    return rows


def _recorded_rows(statistics: Sequence[Mapping[str, float]]) -> np.ndarray:
    rows = np.empty(len(statistics), RECORDED)
    for names, unknown in ((INTEGER_STATISTICS, UNKNOWN), (FLOAT_STATISTICS, np.nan)):
        for name in names:
            rows[name] = [known.get(name, unknown) for known in statistics]
    return rows


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


#: What a summary says of calls, and what regions call it.
_OF_CALLS = {
    "total": "total", "minimum": "minimum", "maximum": "maximum", "first": "first", "last": "last",
    "start_minimum": "first_start", "end_maximum": "last_end",
}

#: What a row takes in memory, as objects of Python, besides its texts and calls.
_ROW_BYTES = 2000


class Index:
    """The index as it was read.

    Raises ValueError when its columns do not fit together.
    """

    def __init__(self, group: Group, num_names: int) -> None:
        self._group = group
        self._known = set(group)
        numbers = group.read("region_ids")
        group.allowance.take(len(numbers) * _ROW_BYTES, f"{group.name} with {len(numbers)} rows")
        self.numbers: list[int] = numbers.tolist()
        if self.numbers and max(self.numbers) >= num_names:
            raise ValueError(
                f"there are {num_names} region names, "
                f"but region {max(self.numbers)} is referred to"
            )
        self.ranks = self.column("ranks", 0)
        self.offsets = self.column("event_offsets", 0)
        self.counts = self.column("event_counts", 0)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def has_summaries(self) -> bool:
        """Whether aggregates are known without looking at the calls."""
        return bool({"summary_statistics", "aggregate_counts"} & self._known)

    @property
    def is_ours(self) -> bool:
        """Whether it says of each row which columns it has, as others do not."""
        return "summary_statistics" in self._known and None not in self.recorded_columns()

    def of_calls(self) -> list[dict[str, int]]:
        """Of each row what follows from its calls, by the names that regions have for it."""
        rows = self.column("summary_statistics", {})
        return [
            {ours: row[name] for name, ours in _OF_CALLS.items() if name in row}
            if count else {} for row, count in zip(rows, self.counts)
        ]

    def column(self, name: str, otherwise: Any) -> Sequence[Any]:
        """The values of a column; compound ones as dicts."""
        # The aggregate layout leaves out what it has no use for, or has it empty.
        dataset = self._group.dataset(name) if name in self._known else None
        if dataset is None or not len(dataset):
            return [otherwise] * len(self)
        if len(dataset) != len(self):
            raise ValueError(f"rank_region_index/{name} has {len(dataset)} rows, not {len(self)}")
        if dataset.is_text:
            return read_texts(self._group, name)
        values, fields = dataset.read().tolist(), dataset.fields
        return values if fields is None else [dict(zip(fields, value)) for value in values]

    def facts(self) -> list[dict[str, Any]]:
        """Of each row the arguments of `Region`, but for its calls."""
        files, texts = self.column("source_files", ""), self.column("source_texts", "")
        lines = self.column("source_lines", -1)
        tags = self.column("tags", "[]")
        exclusives = self.column("exclusive_totals", -1)
        if "aggregate_counts" in self._known:
            exclusives = self.column("aggregate_exclusives", -1)
        facts = [
            {
                "source_file": files[row],
                "source_lineno": None if lines[row] < 0 else lines[row],
                "source_text": texts[row],
                "tags": () if tags[row] in ("", "[]") else self._group.json(tags[row], "tags"),
                "exclusive_total_ns": None if exclusives[row] < 0 else exclusives[row],
                "statistics": statistics,
            }
            for row, statistics in enumerate(self._statistics())
        ]
        for known, row in zip(facts, self._extended):
            if row is not None:
                known.update(from_extended({
                    name: None if value == UNKNOWN else value for name, value in row.items()
                }))
        return facts

    def recorded_columns(self) -> list[Sequence[str] | None]:
        """Of each row which optional columns it has; None where its writer did not say."""
        return [
            None
            if row is None or "columns" not in row
            else [name for name, bit in COLUMN_BITS.items() if row["columns"] & bit]
            for row in self._extended
        ]

    @cached_property
    def _extended(self) -> Sequence[Mapping[str, int] | None]:
        return self.column("extended_statistics", None)

    def _statistics(self) -> list[dict[str, float] | None]:
        """What was counted over all calls, where not each of them is there."""
        statistics: list[dict[str, float] | None] = [None] * len(self)
        if "aggregate_counts" in self._known:
            columns = [self.column(f"aggregate_{name}s", 0) for name in AGGREGATES]
            statistics = [dict(zip(AGGREGATES, values)) for values in zip(*columns)]
        recorded = self.column("recorded_statistics", None)
        return [
            otherwise if row is None else _from_recorded(row)
            for row, otherwise in zip(recorded, statistics)
        ]

    def summaries(self) -> list[dict[str, float]]:
        """Of each row aggregates over all of its calls."""
        rows = self.column("summary_statistics", None)
        return [
            from_summary({**row, "count": count}) if recorded is None else recorded
            for recorded, row, count in zip(self._statistics(), rows, self.counts)
        ]


_RECORDED = frozenset(RECORDED.names or ())


def _from_recorded(row: Mapping[str, float]) -> dict[str, float] | None:
    known = {name: value for name, value in row.items() if value != UNKNOWN and name in _RECORDED}
    return known if "count" in known else None

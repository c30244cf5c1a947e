"""The index of an HDF5 file: a row for each region on each rank."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

import h5py
import numpy as np

from .._model.node_table import fill, known_or, or_none
from .._model.statistics import LONGEST_NS
from ..results import BLOCK, FLOAT_STATISTICS, INTEGER_STATISTICS, Region
from ..results.region_calls import columns_of
from .hdf5_datasets import Group
from .hdf5_schema import AGGREGATES, COLUMN_BITS, EXTENDED, RECORDED, SUMMARY, UNKNOWN
from .hdf5_texts import read_texts, write_texts
from .region_rows import (
    EXTENDED_ATTRIBUTES, LARGEST_RANK, exclusive_or_total, from_extended,
    from_summary, recorded_columns,
)


def write_index(
    group: h5py.Group, numbers: Sequence[int], ranks: Sequence[int], regions: Sequence[Region],
    counts: np.ndarray, aggregate: bool,
) -> None:
    """Region number, rank and all that is known of each region but its calls, of which there are so many."""
    group["region_ids"], group["ranks"] = np.array(numbers, "<u4"), np.array(ranks, "<u4")
    for name, dtype, values in _number_columns(regions, counts, aggregate):
        group[name] = np.asarray(values, dtype)
    for name, attribute in (("source_files", "source_file"), ("source_texts", "source_text")):
        write_texts(group, name, map(attrgetter(attribute), regions), lambda text: text or "")
    write_texts(group, "tags", map(attrgetter("tags"), regions), json.dumps)


def _number_columns(
    regions: Sequence[Region], counts: np.ndarray, aggregate: bool
) -> Iterator[tuple[str, Any, Any]]:
    """Name, type and values of the columns that are of numbers."""
    complete = counts == np.array([region.num_calls for region in regions], np.int64)
    recorded, extended = _recorded_rows(regions), _extended_rows(regions)
    yield "event_offsets", "<u8", np.cumsum(counts) - counts
    yield "event_counts", "<u8", counts
    yield "source_lines", "<i8", known_or([region.source_lineno for region in regions], -1)
    # Where it was given, and belongs to the intervals that are written.
    yield "exclusive_totals", "<i8", np.where(complete, np.maximum(extended["exclusive"], -1), -1)
    yield "summary_statistics", SUMMARY, _summaries(regions, counts, complete, recorded)
    yield "extended_statistics", EXTENDED, extended
    if (recorded["count"] != UNKNOWN).any():
        yield "recorded_statistics", RECORDED, recorded
    if aggregate:
        for name, attribute in AGGREGATES.items():
            values = [getattr(region, attribute) for region in regions]
            yield f"aggregate_{name}s", "<u8" if name == "count" else "<i8", values
        yield "aggregate_exclusives", "<i8", [exclusive_or_total(region) for region in regions]


def _summaries(
    regions: Sequence[Region], counts: np.ndarray, complete: np.ndarray, recorded: np.ndarray
) -> np.ndarray:
    """Aggregates over the intervals that are written, of so many calls, which may be fewer than there were.

    complete: Of each region whether they are of all calls; recorded: see `_recorded_rows`.
    """
    rows = np.zeros(len(regions), SUMMARY)
    few = complete & (counts < BLOCK)
    for number in np.flatnonzero((counts > 0) & ~few).tolist():
        rows[number] = _summary_row(regions[number])
    places = np.flatnonzero((counts > 0) & few)
    for chosen in np.split(places, np.flatnonzero(np.diff(np.cumsum(counts[places]) // BLOCK)) + 1):
        if len(chosen):
            of_chosen = [regions[number] for number in chosen.tolist()]
            rows[chosen] = _summary_rows(of_chosen, counts[chosen], recorded[chosen])
    return rows


def _summary_row(region: Region) -> tuple[float, ...]:
    count = region.num_events
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


def _summary_rows(regions: Sequence[Region], counts: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """As `_summary_row`, of many regions of which each call has its interval: of their calls together."""
    rows = np.zeros(len(regions), SUMMARY)
    ends = np.cumsum(counts)
    begins = ends - counts
    starts = np.concatenate(columns_of(regions, "start_times_ns"))
    durations = np.concatenate(columns_of(regions, "durations_ns"))
    rows["total"] = np.add.reduceat(durations, begins)
    rows["minimum"] = np.minimum.reduceat(durations, begins)
    rows["maximum"] = np.maximum.reduceat(durations, begins)
    rows["first"], rows["last"] = durations[begins], durations[ends - 1]
    rows["start_minimum"] = starts[begins]
    rows["end_maximum"] = np.maximum.reduceat(starts + durations, begins)
    # The recorder's own count for more than what follows from the calls.
    for name, ours in _OF_CALLS.items():
        np.copyto(rows[name], recorded[ours], where=recorded[ours] != UNKNOWN)
    rows["mean"] = [total / count for total, count in zip(rows["total"].tolist(), counts.tolist())]
    deviations = recorded["std"].copy()
    for number in np.flatnonzero(np.isnan(deviations)).tolist():
        deviations[number] = regions[number].std_duration_ns
    rows["m2"] = np.square(deviations) * counts
    return rows


def _extended_rows(regions: Sequence[Region]) -> np.ndarray:
    rows = np.empty(len(regions), EXTENDED)
    columns = zip(*map(attrgetter(*EXTENDED_ATTRIBUTES.values()), regions))
    for name, values in zip(EXTENDED_ATTRIBUTES, columns):
        fill(rows[name], values, UNKNOWN)
    rows["columns"] = 0
    for name in recorded_columns(regions):
        rows["columns"] += [COLUMN_BITS[name] * region.has_column(name) for region in regions]
    return rows


def _recorded_rows(regions: Sequence[Region]) -> np.ndarray:
    rows = np.empty(len(regions), RECORDED)
    for names, unknown in ((INTEGER_STATISTICS, UNKNOWN), (FLOAT_STATISTICS, np.nan)):
        for name in names:
            rows[name] = unknown
    # Column by column, of all regions of which the same is known.
    alike: dict[tuple[str, ...], list[int]] = {}
    statistics = [region._statistics or {} for region in regions]
    for number, known in enumerate(statistics):
        alike.setdefault(tuple(known), []).append(number)
    for fields, numbers in alike.items():
        chosen: Any = np.array(numbers) if len(alike) > 1 else slice(None)
        for name, values in zip(fields, zip(*(statistics[number].values() for number in numbers))):
            rows[name][chosen] = values
    return rows


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
        self.ranks = self._column("ranks", 0)
        self.offsets = self._column("event_offsets", 0)
        self.counts = self._column("event_counts", 0)
        self._files, self._texts = self._column("source_files", ""), self._column("source_texts", "")
        self._lines = self._column("source_lines", -1)
        tags = self._column("tags", "[]")
        known = {text: () if text in ("", "[]") else group.json(text, "tags") for text in {*tags}}
        self._tags = [known[text] for text in tags]
        exclusives = "aggregate_exclusives" if self._is_aggregate else "exclusive_totals"
        self._exclusives = self._column(exclusives, -1)
        self._aggregates = {name: self._column(f"aggregate_{name}s", 0) for name in AGGREGATES}
        self._recorded = self._table("recorded_statistics")
        self._summaries = self._table("summary_statistics")
        self._extended = self._table("extended_statistics")

    def _column(self, name: str, otherwise: Any) -> Sequence[Any]:
        """The values of a column."""
        # The aggregate layout leaves out what it has no use for, or has it empty.
        dataset = self._group.dataset(name) if name in self._known else None
        if dataset is None or not len(dataset):
            return [otherwise] * len(self)
        if len(dataset) != len(self):
            raise ValueError(f"rank_region_index/{name} has {len(dataset)} rows, not {len(self)}")
        return read_texts(self._group, name) if dataset.is_text else dataset.read().tolist()

    def _table(self, name: str) -> np.ndarray | None:
        """The rows of several columns; None where there are none."""
        dataset = self._group.dataset(name) if name in self._known else None
        if dataset is None or not len(dataset):
            return None
        if len(dataset) != len(self) or dataset.fields is None:
            raise ValueError(f"rank_region_index/{name} is no table of {len(self)} rows")
        return dataset.read()

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def _is_aggregate(self) -> bool:
        return "aggregate_counts" in self._known

    @property
    def has_summaries(self) -> bool:
        """Whether aggregates are known without looking at the calls."""
        return self._is_aggregate or "summary_statistics" in self._known

    @property
    def is_ours(self) -> bool:
        """Whether it says of each row which columns it has, as others do not, and has the calls row by
        row."""
        counts = np.array(self.counts)
        return (
            "summary_statistics" in self._known
            and self._extended is not None
            and "columns" in (self._extended.dtype.names or ())
            and bool((np.array(self.offsets) == np.cumsum(counts) - counts).all())
        )

    @property
    def is_sound(self) -> bool:
        """Whether each row is as this version writes it, so that it will be a region without an error.
        Others have to be looked at one by one."""
        if self._is_aggregate or self._extended is None or self._extended.dtype != EXTENDED:
            return False
        if self._summaries is None or self._summaries.dtype != SUMMARY:
            return False
        integers = (self.numbers, self.ranks, self.offsets, self.counts, self._lines, self._exclusives)
        texts = (self._files, self._texts)
        if {type(value) for column in integers for value in column} != {int} or \
           {type(value) for column in texts for value in column} != {str}:
            return False
        errors = self._extended["errors"]
        numbered = self.has_column("call_ids") == self.has_column("parent_ids")
        return (
            0 <= min(self.numbers) and 0 <= min(self.ranks) <= max(self.ranks) <= LARGEST_RANK
            and len({*zip(self.numbers, self.ranks)}) == len(self)
            and all(isinstance(tags, (tuple, list)) and all(type(tag) is str for tag in tags)
                    for tags in {id(tags): tags for tags in self._tags}.values())
            and bool(((errors == UNKNOWN) | (errors >= 0)).all() and numbered.all())
            and self._has_sound_statistics
        )

    @property
    def _has_sound_statistics(self) -> bool:
        if self._recorded is None:
            return True
        if self._recorded.dtype != RECORDED:
            return False
        known = self._recorded["count"] != UNKNOWN
        enough = self._recorded["count"] >= np.array(self.counts, np.int64)
        long = [np.abs(self._recorded[name]) > LONGEST_NS for name in FLOAT_STATISTICS]
        return bool((~known | enough & (self._recorded["total"] != UNKNOWN)).all()) and not np.any(long)

    def facts(self, rows: Sequence[int]) -> dict[str, Sequence[Any]]:
        """Of rows the arguments of `Region`, but for their calls: each as a list."""
        lines, exclusives = ([column[row] for row in rows] for column in (self._lines, self._exclusives))
        known: dict[str, Sequence[Any]] = {
            "source_file": [self._files[row] for row in rows],
            "source_lineno": [None if line < 0 else line for line in lines],
            "source_text": [self._texts[row] for row in rows],
            "tags": [self._tags[row] for row in rows],
            "exclusive_total_ns": [None if exclusive < 0 else exclusive for exclusive in exclusives],
            "statistics": self._statistics(rows),
        }
        if self._extended is not None:
            table = self._extended[rows]
            known.update(from_extended({name: or_none(table[name]) for name in _fields(table)}))
        return known

    def of_calls(self, rows: Sequence[int]) -> list[dict[str, int]]:
        """What follows from the calls of rows, by the names that regions have for it."""
        if self._summaries is None:
            return [{} for _ in rows]
        names = [name for name in _OF_CALLS if name in _fields(self._summaries)]
        ours = [_OF_CALLS[name] for name in names]
        table = self._summaries[rows]
        return [dict(zip(ours, known)) if self.counts[row] else {}
                for row, known in zip(rows, zip(*(table[name].tolist() for name in names)))]

    def recorded_columns(self, row: int) -> Sequence[str] | None:
        """Which optional columns a row has; None where its writer did not say."""
        return None if self._column_bits is None else _columns_of(self._column_bits[row])

    @cached_property
    def _column_bits(self) -> list[int] | None:
        if self._extended is None or "columns" not in _fields(self._extended):
            return None
        return self._extended["columns"].tolist()

    def has_column(self, name: str) -> np.ndarray:
        """Bool [rows]: whether each has that one of the optional columns. Of one that `is_ours`."""
        assert self._extended is not None
        return self._extended["columns"] & COLUMN_BITS[name] != 0

    def _statistics(self, rows: Sequence[int]) -> list[dict[str, float] | None]:
        """What was counted over all calls, where not each of them is there."""
        if self._recorded is not None:
            return _statistics(self._recorded[rows])
        if self._is_aggregate:
            return [{name: values[row] for name, values in self._aggregates.items()} for row in rows]
        return [None for _ in rows]

    def summaries(self) -> list[dict[str, float]]:
        """Of each row aggregates over all of its calls."""
        rows = range(len(self))
        statistics = self._statistics(rows)
        if self._summaries is None:
            return [known or {} for known in statistics]
        names = _fields(self._summaries)
        return [known or from_summary({**dict(zip(names, row)), "count": count})
                for known, row, count in zip(statistics, self._summaries.tolist(), self.counts)]


def _fields(table: np.ndarray) -> tuple[str, ...]:
    return table.dtype.names or ()


@cache
def _columns_of(bits: int) -> tuple[str, ...]:
    return tuple(name for name, bit in COLUMN_BITS.items() if bits & bit)


_RECORDED = frozenset(RECORDED.names or ())


def _statistics(table: np.ndarray) -> list[dict[str, float] | None]:
    """The rows of `recorded_statistics`, each without what is unknown; None where that is the count."""
    columns = {name: or_none(table[name]) for name in _fields(table) if name in _RECORDED}
    columns = {name: values for name, values in columns.items() if any(value is not None for value in values)}
    rows = [dict(zip(columns, values)) for values in zip(*columns.values())] or [{} for _ in table]
    if any(None in values for values in columns.values()):
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return [row if "count" in row else None for row in rows]

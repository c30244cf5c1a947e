"""Rows: what a file says of one region on one rank, as both formats have it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from .._model.node_table import NodeTable
from .._model.recorded import Recorded
from ..results import OPTIONAL_COLUMNS, EventMetadata, MPIRegion, ProfilingResults, Region

#: Name of a region, rank, and what `Region` takes for them.
Row = tuple[str, int, dict[str, Any]]

#: What the formats of 0.7.5 have no place for, by its name in files: the attribute of a region
#: that it is, and the argument that it becomes. What a region derives from its calls when it is
#: asked is left to be derived again.
_EXTENDED = {
    "errors": ("errors", "errors"),
    "inclusive": ("given_inclusive_ns", "inclusive_total_ns"),
    "exclusive": ("given_exclusive_ns", "exclusive_total_ns"),
    "corrected_exclusive": ("corrected_exclusive_ns", "corrected_exclusive_ns"),
    "corrected_total": ("corrected_total_ns", "corrected_total_ns"),
}

EXTENDED_NAMES = tuple(_EXTENDED)
EXTENDED_ATTRIBUTES = {name: attribute for name, (attribute, _) in _EXTENDED.items()}


def extended(region: Region) -> dict[str, int | None]:
    """The integers that are ours, by their names in files; None where unknown."""
    return {name: getattr(region, attribute) for name, (attribute, _) in _EXTENDED.items()}


def from_extended(row: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Region` that `extended` stands for, or columns of them."""
    return {argument: row[name] for name, (_, argument) in _EXTENDED.items() if name in row}


#: Of the statistics of a region.
_DURATIONS = ("total", "minimum", "maximum", "first", "last")

#: Files have 32 bits for a rank.
LARGEST_RANK = (1 << 32) - 1

#: Of a summary: what the statistics of a region call it.
_STATISTICS = {
    "count": "count",
    "total": "total",
    "minimum": "minimum",
    "maximum": "maximum",
    "first": "first",
    "last": "last",
    "start_minimum": "first_start",
    "end_maximum": "last_end",
    "mean": "mean",
}


def aggregate(region: Region) -> dict[str, float]:
    """What is known of a region of which no call was kept, by the names of 0.7.5."""
    statistics = {
        "mean": region.total_duration_ns / region.num_calls,
        "minimum": region.min_duration_ns,
        "maximum": region.max_duration_ns,
        **(region.statistics or {}),
    }
    known = {
        name: statistics[statistic]
        for name, statistic in _STATISTICS.items()
        if statistic in statistics
    }
    known["exclusive"] = exclusive_or_total(region)
    if "std" in statistics:
        known["m2"] = statistics["std"] ** 2 * region.num_calls
    return known


def from_summary(row: Mapping[str, float]) -> dict[str, float]:
    """`Region(statistics=...)`, of a summary that has a count as well, or of an aggregate."""
    known = {statistic: row[name] for name, statistic in _STATISTICS.items() if name in row}
    if "m2" in row and row["count"]:
        known["std"] = math.sqrt(row["m2"] / row["count"])
    return known


def calls_were_read(results: ProfilingResults) -> bool:
    """Whether calls that are missing were not recorded; False for a mere summary of a file."""
    return results._event_data_available


def exclusive_or_total(region: Region) -> int:
    """What 0.7.5 itself gives as the exclusive time of a region of which no call was kept."""
    exclusive = region.given_exclusive_ns
    return region.total_duration_ns if exclusive is None else exclusive


def exclusive_of_events(region: Region) -> int | None:
    """The exclusive time, where it was given and belongs to the intervals that are written."""
    exclusive = region.given_exclusive_ns
    known = exclusive is not None and exclusive >= 0 and region.num_events == region.num_calls
    return exclusive if known else None


def with_trees(rows: Iterable[Row], recorded: Mapping[int, Recorded]) -> Iterator[Row]:
    """The rows with what the trees say of them; see `Trees`."""
    trees = Trees(recorded)
    for name, rank, known in rows:
        known.update(trees.told(name, rank))
        yield name, rank, known


class Trees:
    """What the trees say of how long calls took, of their work, and of throttled ones.

    recorded: The trees, by rank.
    """

    def __init__(self, recorded: Mapping[int, Recorded]) -> None:
        self._recorded = recorded
        self._tables: dict[int, NodeTable] = {}

    def told(self, name: str, rank: int) -> dict[str, Any]:
        """Of one region on one rank, as arguments of `Region`."""
        if rank in self._recorded and rank not in self._tables:
            self._tables[rank] = NodeTable.of(self._recorded[rank].nodes)
        table = self._tables.get(rank)
        if table is None or name not in table.by_name:
            return {"sketch": None, "work": None, "throttled_calls": 0}
        return table.told(table.by_name[name])


def checked_rank(rank: int) -> int:
    """The rank; raises ValueError when no format has such a number."""
    if not 0 <= rank <= LARGEST_RANK:
        raise ValueError(f"a rank must be at least 0 and at most {LARGEST_RANK}; got {rank}")
    return rank


def regions_of(names: Iterable[str], rows: Iterable[Row]) -> dict[str, MPIRegion]:
    """The regions by name, in the order of `names`; what others did not sort is sorted.

    Raises ValueError when a region has a rank twice, and for ranks and durations that cannot be.
    """
    regions: dict[str, dict[int, Region]] = {name: {} for name in names}
    for name, rank, known in rows:
        if rank in regions.setdefault(name, {}):
            raise ValueError(f"region {name!r} has rank {rank} twice")
        # Files of other programs do not count errors.
        if "errors" not in known:
            _forget_unrecorded(known)
            _sort(known)
        region = Region(**known)
        if "of_calls" not in known:
            _check(name, region)
        regions[name][checked_rank(rank)] = region
    return {name: MPIRegion(name, by_rank) for name, by_rank in regions.items()}


def _check(name: str, region: Region) -> None:
    shortest = [region.statistics.get(key, 0) for key in _DURATIONS] if region.statistics else [0]
    if region.num_events:
        shortest.append(int(region.durations_ns.min()))
    if min(shortest) < 0:
        raise ValueError(f"region {name!r} has a negative duration, {min(shortest)} ns")


def _forget_unrecorded(known: dict[str, Any]) -> None:
    """Columns that are -1 throughout were recorded for other regions only."""
    for name in ("thread_ids", "task_ids", "call_ids"):
        if name in known and not (known[name] != -1).any():
            del known[name]
    if "task_ids" not in known:
        known.pop("await_ns", None)
    if "call_ids" not in known or "parent_ids" not in known:
        known.pop("call_ids", None)
        known.pop("parent_ids", None)


def _sort(known: dict[str, Any]) -> None:
    starts = known.get("start_times_ns", ())
    if not len(starts) or (starts[1:] >= starts[:-1]).all():
        return
    order = starts.argsort(kind="stable")
    for name in ("start_times_ns", "durations_ns", *OPTIONAL_COLUMNS):
        if name in known:
            known[name] = known[name][order]
    if known.get("event_metadata") is not None:
        known["event_metadata"] = EventMetadata.of(known["event_metadata"]).taken(order)


def recorded_columns(regions: Sequence[Region]) -> list[str]:
    """The optional columns that at least one of the regions has."""
    known: set[str] = set().union(*map(attrgetter("columns_known"), regions))
    return [name for name in OPTIONAL_COLUMNS if name in known]

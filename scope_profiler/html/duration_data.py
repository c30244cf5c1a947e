"""The charts of single regions: how long calls took, over time, and by what was noted for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._base.shown import shown
from ..report import table_columns as known
from ..report.rows import Row
from ..results import EventDataUnavailableError, MPIRegion, ProfilingResults
from ..results.duration_summary import histogram, over_time
from ..results.metadata_groups import grouped_by, metadata_keys
from .run_choice import Choice

#: Regions; keys of one; values of a key, and what looking at all of them may take.
_MOST, _MOST_KEYS, _MOST_VALUES, _MOST_WORK = 40, 6, 300, 10**8

_MARKS = {"p50": "p50", "p90": "p90", "p99": "p99", "max": "Max"}


def duration_data(
    results: ProfilingResults, choice: Choice, rows: Sequence[Row], regions: Mapping[str, int]
) -> list[dict[str, Any]]:
    """For charts.js, of the regions that took most. rows: of the table of regions, those first.
    regions: The number of each."""
    found = []
    for row in rows[:_MOST]:
        region = on_ranks(results[row.name], choice.ranks)
        data = {"region": regions[row.name], **_histogram(region), **_series(results, region)}
        if len(data) > 1:
            data["marks"] = [[name, value, known.cell(row, column, 0)] for column, name in _MARKS.items()
                             if (value := known.SORT_KEYS[column](row)) is not None]
            data["keys"] = [*_keys(results, region, choice)]
            found.append(data)
    return found


def on_ranks(region: MPIRegion, ranks: set[int] | None) -> MPIRegion:
    """The region as it is on these ranks; None for all."""
    if ranks is None:
        return region
    return MPIRegion(region.name, {rank: region[rank] for rank in region if rank in ranks})


def _histogram(region: MPIRegion) -> dict[str, Any]:
    found = histogram(region)
    if found is None:
        return {}
    return {"edges": _rounded(found.edges_ns), "counts": found.calls.tolist()}


def _series(results: ProfilingResults, region: MPIRegion) -> dict[str, Any]:
    found = over_time(region)
    if found is None:
        return {}
    start = found.start_ns - round(results.time_origin * 1e9)
    series = {"start": start.tolist(), "mean": _rounded(found.mean_ns)}
    if not found.is_single:
        series.update(least=_rounded(found.least_ns), most=_rounded(found.most_ns),
                      calls=found.calls.tolist())
    return {"series": series}


def _keys(results: ProfilingResults, region: MPIRegion, choice: Choice) -> Any:
    for key in metadata_keys(region)[:_MOST_KEYS]:
        values = {repr(entry.get(key)) for rank in region for entry in region[rank].event_metadata.table}
        if len(values) > _MOST_VALUES or len(values) * region.num_events > _MOST_WORK:
            continue
        try:
            groups = grouped_by(results, region.name, key, choice.ranks)
        except EventDataUnavailableError:
            continue
        yield {
            "key": shown(key), "values": [shown(group.name) for group in groups],
            "calls": [group.num_calls for group in groups],
            **{name: [_nanoseconds(group.percentile_duration(percentile)) for group in groups]
               for name, percentile in (("p50", 50), ("p95", 95))},
            "max": [group.max_duration_ns for group in groups],
        }


def _nanoseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


def _rounded(column: Any) -> list[float]:
    return [float(f"{value:.5g}") for value in column.tolist()]


def imbalance_data(rows: Sequence[Row], regions: Mapping[str, int]) -> dict[str, Any]:
    """For charts.js: of the regions that took most the time on each rank, ns; {} with one rank."""
    ranks = sorted({rank for row in rows for rank in row.by_rank})
    if len(ranks) < 2:
        return {}
    return {"ranks": ranks, "regions": [regions[row.name] for row in rows[:_MOST]],
            "total": [[row.by_rank.get(rank) for rank in ranks] for row in rows[:_MOST]]}

"""Charts with a number for each region, or each rank of it: durations, imbalance, rank heat map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.arguments import integer_or_none
from .chart_data import ChartData, chosen_regions, table
from .mpi_region import MPIRegion
from .call_stack import nested_calls

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults

#: What a bar can show of a region: {name: attribute of `MPIRegion` and `Region`, in seconds}.
METRICS = {
    "total": "total_duration", "avg": "average_duration", "min": "min_duration",
    "max": "max_duration", "first": "first_duration", "last": "last_duration",
}  # fmt: skip
#: Those that are the sum of the region's own time and that of what it calls.
ADDITIVE = ("total", "avg")
#: The segment of a bar that is outside of every region called from there.
OWN = "self"


class Bar:
    """One region, or several that were put together under a name."""

    def __init__(self, name: str, regions: Sequence[MPIRegion]) -> None:
        self.name = name
        self.regions = regions
        self.num_calls = sum(region.num_calls for region in regions)

    def value(self, metric: str) -> float:
        """That metric over the calls of all these regions and ranks, seconds."""
        total = sum(region.total_duration_ns for region in self.regions) / 1e9
        if metric == "total":
            return total
        if metric == "avg":
            return total / self.num_calls if self.num_calls else 0.0
        if metric in ("min", "max"):
            choose = min if metric == "min" else max
            return choose(getattr(region, METRICS[metric]) for region in self.regions)
        if len(self.regions) == 1:
            return float(getattr(self.regions[0], METRICS[metric]))
        first = metric == "first"
        times = "first_start_time_ns" if first else "last_end_time_ns"
        known = [region for region in self.regions if getattr(region, times) is not None]
        at = (min if first else max)(known, key=lambda region: getattr(region, times), default=None)
        return 0.0 if at is None else float(getattr(at, METRICS[metric]))


def durations(
    runs: Mapping[str, ProfilingResults],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    metrics: Sequence[str] = ("total",),
    sort_by: str | None = None,
    top_n: int | None = None,
    combine_regions: Mapping[str, str | Iterable[str]] | None = None,
    stack_children: bool = False,
) -> ChartData:
    """A bar for each run and region, and each metric of it; see `plot_durations`.

    Columns: file, region, metric, [segment,] value_seconds.
    """
    for metric in metrics:
        if metric not in METRICS:
            raise ValueError(f"metrics must be of {', '.join(METRICS)}; got {metric!r}")
        if stack_children and metric not in ADDITIVE:
            raise ValueError(f"stack_children is for the metrics {' and '.join(ADDITIVE)}; got {metric!r}")
    if sort_by is not None and sort_by != "name" and sort_by not in METRICS:
        raise ValueError(f"sort_by must be name or one of {', '.join(METRICS)}; got {sort_by!r}")
    top_n = integer_or_none("top_n", top_n)
    if top_n is not None and top_n < 1:
        raise ValueError(f"top_n must be an int from 1 on; got {top_n}")
    group_of = _groups(combine_regions)
    chosen = chosen_regions(runs, ranks, include, exclude)
    bars = {label: _bars(regions, group_of) for label, regions in chosen.items()}
    names = list(dict.fromkeys(name for of_run in bars.values() for name in of_run))
    if sort_by == "name":
        names.sort()
    elif sort_by is not None:
        names.sort(key=lambda name: -max(
            of_run[name].value(sort_by) for of_run in bars.values() if name in of_run))
    names = names[:top_n]
    rows: list[tuple[Any, ...]] = []
    for metric in metrics:
        for label, of_run in bars.items():
            if stack_children:
                rows += _segments(label, runs[label], of_run, names, metric, group_of)
            else:
                rows += [
                    (label, name, metric, of_run[name].value(metric)) for name in names if name in of_run]
    columns = f"file region metric {'segment ' if stack_children else ''}value_seconds"
    return table("durations", "bars", columns, rows, metrics=list(metrics),
                 options={"stack_children": bool(stack_children)})


def _groups(combine: Mapping[str, str | Iterable[str]] | None) -> Any:
    """What says under which name a region goes."""
    patterns = {}
    for name, expressions in (combine or {}).items():
        given = [expressions] if isinstance(expressions, str) else list(expressions)
        try:
            patterns[name] = [re.compile(one) for one in given]
        except (re.error, TypeError) as error:
            raise ValueError(f"combine_regions[{name!r}] must be regular expressions; {error}") from None

    def group_of(region: str) -> str:
        return next((
            name for name, given in patterns.items() if any(one.match(region) for one in given)
        ), region)

    return group_of


def _bars(regions: Sequence[MPIRegion], group_of: Any) -> dict[str, Bar]:
    members: dict[str, list[MPIRegion]] = {}
    for region in regions:
        members.setdefault(group_of(region.name), []).append(region)
    return {name: Bar(name, of_group) for name, of_group in members.items()}


def _segments(
    label: str, run: ProfilingResults, bars: Mapping[str, Bar], names: Sequence[str], metric: str,
    group_of: Any,
) -> list[tuple[Any, ...]]:
    """Of each bar its own time, and that of what is called from it, segment by segment."""
    own: dict[str, int] = dict.fromkeys(bars, 0)
    below: dict[tuple[str, str], int] = {}
    for rank in sorted({rank for bar in bars.values() for region in bar.regions for rank in region}):
        regions = [region for region in run if rank in region and region[rank].num_calls]
        calls = nested_calls(regions, rank)
        groups = list(dict.fromkeys(group_of(region.name) for region in regions))
        group = np.array([groups.index(group_of(region.name)) for region in regions])[calls.region_index]
        for number, name in enumerate(groups):
            if name in own:
                own[name] += int(calls.exclusive_ns[group == number].sum())
        inside = calls.parent >= 0
        above = group[calls.parent[inside]]
        pairs, place = np.unique(above * len(groups) + group[inside], return_inverse=True)
        spent = np.zeros(len(pairs), np.int64)
        np.add.at(spent, place, (calls.end_ns - calls.start_ns)[inside])
        for pair, inside_ns in zip(pairs.tolist(), spent.tolist()):
            key = groups[pair // len(groups)], groups[pair % len(groups)]
            below[key] = below.get(key, 0) + inside_ns
    wanted = {child for above, child in below if above in names}
    in_order = dict.fromkeys(group_of(region.name) for region in run.get_regions())
    segments = [OWN, *(name for name in in_order if name in wanted)]
    rows: list[tuple[Any, ...]] = []
    for segment in segments:
        for name in names:
            time: int | None = own.get(name) if segment == OWN else below.get((name, segment))
            if name in bars and time is not None:
                per = bars[name].num_calls if metric == "avg" else 1
                rows.append((label, name, metric, segment, time / 1e9 / per))
    return rows


def imbalance(
    runs: Mapping[str, ProfilingResults],
    metric: str = "total",
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
) -> ChartData:
    """A point for each region and rank, and the mean of the ranks; see `plot_imbalance`.

    Columns: file, region, rank, value_seconds, mean_over_ranks_seconds.
    """
    if metric not in ("avg", "min", "max", "total"):
        raise ValueError(f"metric must be one of avg, min, max, total; got {metric!r}")
    rows = []
    for label, regions in chosen_regions(runs, ranks, include, exclude).items():
        for region in regions:
            values = [float(getattr(region[rank], METRICS[metric])) for rank in region]
            mean = sum(values) / len(values)
            rows += [(label, region.name, rank, value, mean) for rank, value in zip(region, values)]
    return table("imbalance", "points", "file region rank value_seconds mean_over_ranks_seconds", rows,
                 metric=metric)


def rank_totals(
    runs: Mapping[str, ProfilingResults],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    exclusive: bool = False,
) -> ChartData:
    """The time of each region on each rank; see `plot_rank_heatmap`.

    Columns: file, rank, region, total_duration_seconds or exclusive_duration_seconds, which is None
    where it is not known.
    """
    attribute = "exclusive_duration" if exclusive else "total_duration"
    rows = []
    for label, regions in chosen_regions(runs, ranks, include, exclude).items():
        for region in regions:
            rows += [(label, rank, region.name, getattr(region[rank], attribute)) for rank in region]
    return table("rank_heatmap", "points", f"file rank region {attribute}_seconds", rows)

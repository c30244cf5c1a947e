"""Charts of single calls: Gantt, duration over time, histogram, occupancy of time bins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.arguments import integer, not_negative, number
from .chart_data import ChartData, chosen_regions, table
from .errors import NestingError
from .mpi_region import MPIRegion
from .call_stack import nested_calls

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults

Runs = Mapping[str, "ProfilingResults"]
Chosen = Iterable[str] | str | None


def intervals(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
) -> ChartData:
    """Every call, region after region; see `plot_gantt`.

    Columns: file, rank, region, start_seconds and end_seconds since the first call of the run, depth: how
    many calls of any region it is inside of.
    """
    files: list[np.ndarray] = []
    pieces: dict[str, list[np.ndarray]] = {}
    for label, regions in _with_calls(runs, ranks, include, exclude).items():
        origin = _first_start(runs[label])
        depths = _depths(runs[label], regions)
        for region in regions:
            for rank in region:
                calls = region[rank]
                length = calls.num_events
                files.append(np.full(length, label, object))
                starts = (calls.start_times_ns - origin) / 1e9
                for name, column in (
                    ("rank", np.full(length, rank)),
                    ("region", np.full(length, region.name, object)),
                    ("start_seconds", starts),
                    ("end_seconds", (calls.end_times_ns - origin) / 1e9),
                    ("depth", depths[region.name, rank]),
                ):
                    pieces.setdefault(name, []).append(column)
    columns = {"file": np.concatenate(files), **{
        name: np.concatenate(parts) for name, parts in pieces.items()}}
    return ChartData("gantt", "intervals", columns, {
        "file_ranks": {label: run.num_ranks for label, run in runs.items()}})


def _depths(run: ProfilingResults, regions: Sequence[MPIRegion]) -> dict[tuple[str, int], np.ndarray]:
    """By region and rank, how many calls of any region of the run each call is inside of."""
    found = {}
    for rank in sorted({rank for region in regions for rank in region}):
        every = [region for region in run if rank in region and region[rank].num_events]
        try:
            calls = nested_calls(every, rank)
        except NestingError:
            found.update({(one.name, rank): np.zeros(one[rank].num_events, np.int32) for one in every})
            continue
        ends = np.cumsum([region[rank].num_events for region in every])
        depth = np.empty(ends[-1], np.int32)
        depth[np.array([0, *ends])[calls.region_index] + calls.call_index] = calls.depth
        found.update(zip(((one.name, rank) for one in every), np.split(depth, ends[:-1])))
    return found


def series(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
) -> ChartData:
    """The duration of each call over time: the first calls of all ranks together, and so on; see
    `plot_duration_timeseries`.

    Columns: file, region, call_index, time_seconds (the mean of the starts, since the first of all),
    mean_duration_seconds, min_duration_seconds, max_duration_seconds, num_ranks.
    """
    names = ("file region call_index time_seconds mean_duration_seconds min_duration_seconds "
             "max_duration_seconds num_ranks")
    pieces: list[list[Any]] = []
    for label, regions in _with_calls(runs, ranks, include, exclude).items():
        origin = _first_start(runs[label])
        for region in regions:
            longest = max(region[rank].num_events for rank in region)
            starts, spent, number = (np.zeros(longest) for _ in range(3))
            least, most = np.full(longest, np.inf), np.zeros(longest)
            for rank in region:
                duration = region[rank].durations_ns / 1e9
                rows = slice(0, len(duration))
                starts[rows] += (region[rank].start_times_ns - origin) / 1e9
                spent[rows] += duration
                number[rows] += 1
                least[rows] = np.minimum(least[rows], duration)
                most[rows] = np.maximum(most[rows], duration)
            pieces.append([
                np.full(longest, label, object), np.full(longest, region.name, object),
                np.arange(longest), starts / number, spent / number, least, most,
                number.astype(np.int64),
            ])
    columns = dict(zip(names.split(), map(np.concatenate, zip(*pieces))))
    return ChartData("timeseries", "points", columns)


def histogram(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
    bins: int = 30, logarithmic: bool = False,
) -> ChartData:
    """How many calls took how long, in bins that all regions of a run share, of equal width or of equal
    ratio; see `plot_duration_histogram`.

    Columns: file, region, bin_low_seconds, bin_high_seconds, bin_center_seconds, count.
    """
    bins = integer("bins", bins, 1)
    rows: list[tuple[Any, ...]] = []
    for label, regions in _with_calls(runs, ranks, include, exclude).items():
        if not regions:
            continue
        durations = [region.durations for region in regions]
        low, high = min(one.min() for one in durations), max(one.max() for one in durations)
        if low == high:  # the bins are as narrow as the clock tells apart
            low, high = max(0.0, low - 0.5e-9), high + 0.5e-9
        edges = np.linspace(low, high, bins + 1)
        if logarithmic:
            edges[1:-1] = np.geomspace(low or min(1e-9, high / 2), high, bins + 1)[1:-1]
        low_edges, high_edges = edges[:-1].tolist(), edges[1:].tolist()
        for region, values in zip(regions, durations):
            counts = np.histogram(values, edges)[0].tolist()
            rows += [
                (label, region.name, begin, end, (begin + end) / 2, count)
                for begin, end, count in zip(low_edges, high_edges, counts)
            ]
    names = "file region bin_low_seconds bin_high_seconds bin_center_seconds count"
    return table("histogram", "bins", names, rows)


def occupancy(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
    bins: int = 200, start_time: float | None = None, end_time: float | None = None,
    min_duration: float = 0.0,
) -> ChartData:
    """For how long calls of each region were open within each bin of time; those of several ranks, and
    calls inside a call of the same region, add up. See `plot_timeline_density`.

    Columns: file, region, bin_start_seconds, bin_end_seconds, occupied_seconds.
    """
    bins = integer("bins", bins, 1)
    least = not_negative("min_duration", min_duration)
    rows: list[tuple[Any, ...]] = []
    for label, regions in _with_calls(runs, ranks, include, exclude).items():
        if not regions:
            continue
        origin = _first_start(runs[label])
        last = max(region.last_end_time_ns or 0 for region in regions)
        begin, end = window(start_time, end_time, (last - origin) / 1e9)
        edges = np.linspace(begin, end, bins + 1)
        low_edges, high_edges = edges[:-1].tolist(), edges[1:].tolist()
        for region in regions:
            spent = np.zeros(bins)
            for rank in region:
                durations = region[rank].durations_ns
                kept = durations >= least * 1e9
                starts = (region[rank].start_times_ns[kept] - origin) / 1e9
                spent += _covered(starts, starts + durations[kept] / 1e9, edges)
            rows += [(label, region.name, *of_bin) for of_bin in zip(low_edges, high_edges, spent.tolist())]
    names = "file region bin_start_seconds bin_end_seconds occupied_seconds"
    return table("density", "points", names, rows)


def _covered(starts: np.ndarray, ends: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How long the intervals lie within each bin, together: the growth from edge to edge of how long
    they have been open up to there."""

    def up_to(times: np.ndarray) -> np.ndarray:
        """Σ max(0, edge − time) over the times, for each edge."""
        times = np.sort(times)
        sums = np.concatenate([[0.0], np.cumsum(times)])
        before = np.searchsorted(times, edges)
        return before * edges - sums[before]

    return np.maximum(np.diff(up_to(starts) - up_to(ends)), 0.0)


def window(start_time: float | None, end_time: float | None, length: float) -> tuple[float, float]:
    """The part of a timeline that is shown, in seconds since its begin.

    Raises ValueError when it ends before it starts.
    """
    begin = 0.0 if start_time is None else number("start_time", start_time)
    end = length if end_time is None else number("end_time", end_time)
    if not begin < end:
        if start_time is None and end_time is None:
            return begin, begin + 1e-9
        raise ValueError(f"end_time must be after start_time ({begin:g} s); got {end:g} s of {length:g} s")
    return begin, end


def _with_calls(runs: Runs, ranks: Any, include: Any, exclude: Any) -> dict[str, list[MPIRegion]]:
    """The chosen regions. Raises EventDataUnavailableError where one has no intervals."""
    chosen = chosen_regions(runs, ranks, include, exclude)
    for regions in chosen.values():
        for region in regions:
            for rank in region:
                region[rank].require_intervals(region.name)
    return chosen


def _first_start(run: ProfilingResults) -> int:
    """When the first call of any region and rank began: where the time axis of every chart is 0."""
    return min((region.first_start_time_ns or 0 for region in run if region.num_calls), default=0)

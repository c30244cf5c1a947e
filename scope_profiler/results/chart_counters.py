"""Charts of what the program counted itself: counters over time, and work as points of a roofline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._base.arguments import name_filter, rank_set
from .chart_calls import Chosen, Runs
from .chart_data import ChartData, chosen_regions

_NAMES = ("file", "rank", "counter", "time_seconds", "value", "thread")


def counters(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
) -> ChartData:
    """The values of counters over time; see `plot_counters`.

    Columns: file, rank, counter, time_seconds since the begin of the run, value, thread.

    Raises ValueError when there are none.
    """
    wanted, chosen = name_filter(include, exclude), rank_set(ranks)
    pieces: list[list[Any]] = []
    names: set[str] = set()
    for label, run in runs.items():
        begun = run.metadata.get("start_time_ns", 0)
        for name, of_ranks in run.counters().items():
            names.add(name)
            for rank, known in of_ranks.items():
                if wanted(name) and (chosen is None or rank in chosen):
                    pieces.append([
                        np.full(len(known), label, object), np.full(len(known), rank),
                        np.full(len(known), name, object), (known.times_ns - begun) / 1e9, known.values,
                        known.thread_ids,
                    ])
    if not pieces:
        there = ", ".join(map(repr, sorted(names)[:10]))
        raise ValueError("no counter matches; " + (f"there are {there}" if names else
                                                   "none had a value: see counter()"))
    return ChartData("counters", "points", dict(zip(_NAMES, map(np.concatenate, zip(*pieces)))))


def stretches(values: Any, most: int) -> tuple[Any, Any, Any]:
    """Of many values at most so many stretches that follow each other: where each begins, the least and the
    most in it. Arrays. NaN counts where a stretch has nothing else."""
    first = np.unique(np.linspace(0, len(values), min(most, len(values)), endpoint=False).astype(np.int64))
    return first, np.fmin.reduceat(values, first), np.fmax.reduceat(values, first)


def roofline_points(
    runs: Runs, flops: str, moved: str, ranks: int | Iterable[int] | None = None,
    include: Chosen = None, exclude: Chosen = None,
) -> list[dict[str, Any]]:
    """A point for each region on each rank that did work in both quantities, by the names of 0.7.5."""
    points = []
    for label, regions in chosen_regions(runs, ranks, include, exclude).items():
        for region in regions:
            for rank in region:
                known = region[rank]
                rates = known.work_rates or {}
                if rates.get(flops) and rates.get(moved):
                    points.append({
                        "file": label, "region": region.name, "rank": rank,
                        "performance_gflops": rates[flops] / 1e9,
                        "bandwidth_gbs": rates[moved] / 1e9,
                        "arithmetic_intensity_flops_per_byte": rates[flops] / rates[moved],
                        "runtime_seconds": known.inclusive_duration_ns / 1e9,
                        "flops_metric": flops, "bandwidth_metric": moved,
                    })
    return points

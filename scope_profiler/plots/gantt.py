"""Gantt chart: a row for each region, in which its calls are bars along time, rank below rank."""

from __future__ import annotations

from collections.abc import Iterable
import os
from typing import Any

import numpy as np

from .._base.arguments import integer, integer_or_none, not_negative
from ..results.chart_calls import intervals, window
from ..results.chart_data import ChartData, runs_of
from . import spans
from .picture import (
    Picture, check_output, finished, left_out, most_important, region_order, short, titled,
    unit_of,
)


def plot_gantt(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "tab20",
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
    min_duration: float = 0.0,
    start_time: float | None = None,
    end_time: float | None = None,
    aggregate_calls: int = 1,
    collapse_depth: int | None = None,
) -> Any:
    """Draw when each region was open: a row for each, in it a line for each rank. Several runs are below
    each other.

    Calls too short to be seen are drawn together with those next to them. The file of the numbers has
    every call, whatever the part that is drawn.

    min_duration: Seconds; shorter calls are left out.
    start_time, end_time: The part that is drawn, seconds since the first call.
    aggregate_calls: How many calls, one after the other, are one bar.
    collapse_depth: Calls inside more calls than this are left out; None for none.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    least = not_negative("min_duration", min_duration)
    together = integer("aggregate_calls", aggregate_calls, 1)
    deepest = integer_or_none("collapse_depth", collapse_depth)
    runs = runs_of(profiling_data)
    data = intervals(runs, ranks, include, exclude)
    last = float(np.max(data["end_seconds"], initial=0.0))
    part = window(start_time, end_time, last)
    drawn = _drawn(data, least, part, together, deepest)

    def draw(picture: Picture) -> Any:
        return _draw(picture, drawn, part)

    return finished(data, draw, filepath, show, verbose, data_filepath, data_format, return_fig,
                    region_order(data), cmap)


def _drawn(
    data: ChartData, least: float, part: tuple[float, float], together: int, deepest: int | None
) -> ChartData:
    """The bars."""
    kept = data["end_seconds"] - data["start_seconds"] >= least
    kept &= (data["end_seconds"] >= part[0]) & (data["start_seconds"] <= part[1])
    if deepest is not None:
        kept &= data["depth"] <= deepest
    columns = {name: np.asarray(values)[kept] for name, values in data.columns.items()}
    length = int(kept.sum())
    if together > 1 and length:
        same = np.ones(length, bool)
        for name in ("file", "region", "rank"):
            same[1:] &= columns[name][1:] == columns[name][:-1]
        same[0] = False
        begins = np.maximum.accumulate(np.where(same, 0, np.arange(length)))
        first = np.flatnonzero((np.arange(length) - begins) % together == 0)
        columns["end_seconds"] = np.maximum.reduceat(columns["end_seconds"], first)
        columns = {
            name: values if name == "end_seconds" else values[first] for name, values in columns.items()
        }
    return ChartData(data.kind, data.unit_name, columns, data.facts)


def _draw(picture: Picture, data: ChartData, part: tuple[float, float]) -> Any:
    labels = list(data.facts["file_ranks"])
    spent = ChartData("", "", {**data.columns, "spent": data["end_seconds"] - data["start_seconds"]})
    names, hidden = most_important(_summed(spent), "spent")
    lanes = {label: data.where("file", label) for label in labels}
    ranks = {label: np.unique(of_run["rank"]).tolist() for label, of_run in lanes.items()}
    called = {label: set(of_run["region"]) for label, of_run in lanes.items()}
    rows = {label: [name for name in names if name in called[label]] for label in labels}
    heights = [
        max(0.8, len(rows[label]) * min(0.16 + 0.09 * len(ranks[label]), 0.8)) for label in labels]
    panels = picture.panels(len(labels), heights, sharex=True)
    size, unit = unit_of(part[1])
    pixel = (part[1] - part[0]) / spans.PIXELS
    for axes, label in zip(panels, labels):
        of_run = lanes[label]
        for row, name in enumerate(rows[label]):
            of_region = of_run["region"] == name
            height = 0.84 / max(len(ranks[label]), 1)
            for lane, rank in enumerate(ranks[label]):
                chosen = of_region & (of_run["rank"] == rank)
                starts, ends = spans.merged(
                    of_run["start_seconds"][chosen].astype(float),
                    of_run["end_seconds"][chosen].astype(float), pixel)
                spans.draw(axes, starts / size, ends / size, row - 0.42 + lane * height,
                           height * 0.94, [picture.color[name]], pixel / size)
        axes.set_yticks(range(len(rows[label])), [short(name) for name in rows[label]])
        axes.set_ylim(max(len(rows[label]), 1) - 0.5, -0.5)
        axes.set_xlim(part[0] / size, part[1] / size)
        axes.grid(axis="x")
        title = "When regions were open"
        if len(ranks[label]) > 1:
            title += f", ranks {ranks[label][0]} to {ranks[label][-1]} from top to bottom"
        titled(axes, title, label)
    panels[-1].set_xlabel(f"time since the first call [{unit}]")
    picture.note(left_out(hidden, hidden + len(names)))
    return panels[0] if len(panels) == 1 else panels


def _summed(data: ChartData) -> ChartData:
    """The time of each region, all calls together."""
    names, place = np.unique(np.asarray(data["region"], str), return_inverse=True)
    sums = dict(zip(names.tolist(), np.bincount(place, data["spent"].astype(float), len(names)).tolist()))
    order = region_order(data)
    return ChartData("", "", {"region": order, "spent": [sums[name] for name in order]})

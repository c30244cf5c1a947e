"""Curves, one for each region: durations over time, how often each duration was, durations by rank."""

from __future__ import annotations

from collections.abc import Iterable
import os
from typing import Any

import numpy as np

from .._base.arguments import boolean
from ..results.chart_calls import histogram, series
from ..results.chart_data import ChartData, runs_of
from ..results.chart_regions import imbalance
from .picture import (
    Picture, check_output, counts_logarithmic, durations_logarithmic, finished, labels_in, left_out,
    most_important, region_order, titled, unit_of,
)

#: More curves cannot be told apart.
_CURVES = 12
#: How many points of a curve a picture shows.
_POINTS = 600
#: From which ratio on durations have a logarithmic scale.
_FAR = 50
_HEIGHT = 3.4


def plot_duration_timeseries(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "tab20",
    log_scale: bool = False,
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw how long each call took over time: warm-up, drift, outliers. The line is the mean over the
    ranks of their first, second, ... call, the band from the shortest to the longest of these; of many
    calls, both are of all calls that a point of the picture stands for.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = series(runs_of(profiling_data), ranks, include, exclude)
    log = boolean("log_scale", log_scale)
    return finished(data, lambda picture: _draw_series(picture, data, log), filepath, show, verbose,
                    data_filepath, data_format, return_fig, region_order(data), cmap)


def plot_duration_histogram(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    bins: int = 30,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "tab20",
    log_scale: bool = False,
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw how many calls of each region took how long. Where the longest call took 50 times as long as
    the shortest, the bins of the picture are of equal ratio; those of `data_filepath` are as wide as each
    other.

    bins: How many there are, between the shortest and the longest call of each run.
    log_scale: Whether numbers of calls have a logarithmic scale.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    runs = runs_of(profiling_data)
    data = histogram(runs, ranks, include, exclude, bins)
    log = boolean("log_scale", log_scale)

    def draw(picture: Picture) -> Any:
        ends = np.asarray(data["bin_high_seconds"])[np.asarray(data["count"]) > 0]
        spread = ends.max() > _FAR * np.asarray(data["bin_low_seconds"]).min()
        drawn = histogram(runs, ranks, include, exclude, bins, logarithmic=True) if spread else data
        return _draw_histogram(picture, drawn, log, spread)

    return finished(data, draw, filepath, show, verbose,
                    data_filepath, data_format, return_fig, region_order(data), cmap)


def plot_imbalance(
    profiling_data: Any,
    metric: str = "total",
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "tab20",
    log_scale: bool = False,
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw a number of each region by rank, and the mean over the ranks as a dashed line.

    metric: "total", "avg", "min" or "max" of the calls of a rank.
    log_scale: Whether durations have a logarithmic scale also where the largest is less than 50 times
        the smallest.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = imbalance(runs_of(profiling_data), metric, ranks, include, exclude)
    log = boolean("log_scale", log_scale)
    return finished(data, lambda picture: _draw_imbalance(picture, data, log), filepath, show, verbose,
                    data_filepath, data_format, return_fig, region_order(data), cmap)


def _draw_series(picture: Picture, data: ChartData, log: bool) -> Any:
    def draw(axes: Any, name: str, of_region: dict[str, Any], size: float, unit: Any) -> None:
        at, unit_name = unit
        time, mean, low, high = _thinned(*(
            of_region[column].astype(float) for column in (
                "time_seconds", "mean_duration_seconds", "min_duration_seconds", "max_duration_seconds")))
        color = picture.color[name]
        axes.fill_between(time / at, low / size, high / size, color=color, alpha=0.25, linewidth=0)
        axes.plot(time / at, mean / size, color=color, linewidth=1.1,
                  marker="o" if len(time) <= 60 else None, markersize=2.5)
        axes.set_xlabel(f"start of the call, since the first one [{unit_name}]")

    return _panels(picture, data, "max_duration_seconds", "time_seconds", "Duration of each call", log, draw)


def _thinned(time: np.ndarray, mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """At most so many points that a picture shows them: mean, least and most of some calls each."""
    if len(time) <= _POINTS:
        return [time, mean, low, high]
    first = np.linspace(0, len(time), _POINTS, endpoint=False).astype(np.int64)
    number = np.diff(np.append(first, len(time)))
    return [
        np.add.reduceat(time, first) / number, np.add.reduceat(mean, first) / number,
        np.minimum.reduceat(low, first), np.maximum.reduceat(high, first),
    ]


def _draw_histogram(picture: Picture, data: ChartData, log: bool, spread: bool) -> Any:
    names, hidden = _chosen(data, "count")
    labels = labels_in(data)
    found = picture.panels(len(labels), _HEIGHT)
    for axes, label in zip(found, labels):
        of_run = data.where("file", label)
        size, unit = unit_of(float(of_run["bin_high_seconds"].max()))
        for name in names:
            at = of_run["region"] == name
            if at.any():
                edges = np.append(of_run["bin_low_seconds"][at], of_run["bin_high_seconds"][at][-1])
                axes.stairs(of_run["count"][at].astype(float), edges.astype(float) / size,
                            color=picture.color[name], linewidth=1.2)
        if log:
            counts_logarithmic(axes.yaxis)
        axes.set_ylim(bottom=0)
        if spread:
            durations_logarithmic(axes.xaxis, size)
        axes.set_xlabel("duration of a call" if spread else f"duration of a call [{unit}]")
        axes.set_ylabel("calls")
        axes.grid(axis="y")
        titled(axes, "How many calls took how long", label)
    picture.legend(found[0], names)
    picture.note(left_out(hidden, hidden + len(names)))
    return found[0] if len(found) == 1 else found


def _draw_imbalance(picture: Picture, data: ChartData, log: bool) -> Any:
    def draw(axes: Any, name: str, of_region: dict[str, Any], size: float, unit: Any) -> None:
        ranks = of_region["rank"].astype(int)
        color = picture.color[name]
        axes.plot(ranks, of_region["value_seconds"].astype(float) / size, color=color, marker="o",
                  markersize=3.5, linewidth=1.1)
        axes.axhline(float(of_region["mean_over_ranks_seconds"][0]) / size, color=color, linewidth=0.8,
                     linestyle="--")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("rank")

    metric = data.facts["metric"]
    title = {"total": "Time in regions", "avg": "Mean duration of a call", "min": "Shortest call",
             "max": "Longest call"}[metric]
    title += " by rank, and the mean (dashed)"
    return _panels(picture, data, "value_seconds", "rank", title, log, draw)


def _panels(
    picture: Picture, data: ChartData, value: str, along: str, title: str, log: bool, draw: Any
) -> Any:
    """A panel for each run, in it a curve for each region, with durations on the vertical axis."""
    names, hidden = _chosen(data, value)
    labels = labels_in(data)
    found = picture.panels(len(labels), _HEIGHT)
    for axes, label in zip(found, labels):
        of_run = data.where("file", label)
        shown = np.isin(of_run["region"].astype(str), names)
        size, unit = unit_of(float(of_run[value][shown].max()) if shown.any() else 1.0)
        along_unit = unit_of(float(of_run[along].max()))
        for name in names:
            at = of_run["region"] == name
            if at.any():
                draw(axes, name, {column: values[at] for column, values in of_run.items()}, size, along_unit)
        least = of_run[value][shown & (of_run[value] > 0)].min(initial=np.inf)
        if log or of_run[value][shown].max(initial=0.0) > _FAR * least:
            durations_logarithmic(axes.yaxis, size)
            axes.set_ylabel("duration")
        else:
            axes.set_ylim(bottom=0)
            axes.set_ylabel(f"duration [{unit}]")
        axes.grid(axis="y")
        titled(axes, title, label)
    picture.legend(found[0], names)
    picture.note(left_out(hidden, hidden + len(names)))
    return found[0] if len(found) == 1 else found


def _chosen(data: ChartData, value: str) -> tuple[list[str], int]:
    return most_important(data, value, _CURVES)

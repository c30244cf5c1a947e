"""Heat maps: regions by time, and regions by rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import os
from typing import Any

import numpy as np

from .._base.arguments import boolean
from ..results.chart_calls import occupancy
from ..results.chart_data import ChartData, runs_of
from ..results.chart_regions import rank_totals
from .picture import (
    Picture, check_output, colors_of, duration_text, finished, labels_in, left_out, most_important, short,
    titled, unit_of,
)


def plot_timeline_density(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "magma",
    bins: int = 200,
    start_time: float | None = None,
    end_time: float | None = None,
    min_duration: float = 0.0,
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw how many calls of each region were open, the mean over each bin of time and over all ranks
    together: what stays readable with millions of calls.

    bins: How many there are. start_time, end_time: The part that is drawn, seconds since the first call.
    min_duration: Seconds; shorter calls are left out.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = occupancy(runs_of(profiling_data), ranks, include, exclude, bins, start_time, end_time,
                     min_duration)

    def draw(picture: Picture) -> Any:
        return _draw_density(picture, data, cmap)

    return finished(data, draw, filepath, show, verbose, data_filepath, data_format, return_fig)


def _draw_density(picture: Picture, data: ChartData, cmap: str) -> Any:
    names, hidden = most_important(_sums(data, "occupied_seconds"), "value")
    labels = labels_in(data)
    rows = _rows(data, names)
    found = picture.panels(len(labels), [max(0.8, 0.24 * len(rows[label])) for label in labels])
    for axes, label in zip(found, labels):
        of_run = data.where("file", label)
        low, high = of_run["bin_start_seconds"].astype(float), of_run["bin_end_seconds"].astype(float)
        values = np.array([
            (of_run["occupied_seconds"] / (high - low))[of_run["region"] == name].astype(float)
            for name in rows[label]])
        size, unit = unit_of(float(high.max()))
        picture_of = axes.imshow(
            values, aspect="auto", cmap=colors_of(cmap), vmin=0.0, interpolation="nearest",
            extent=(low.min() / size, high.max() / size, len(rows[label]) - 0.5, -0.5))
        picture.figure.colorbar(picture_of, ax=axes, pad=0.01, label="calls open")
        axes.set_yticks(range(len(rows[label])), [short(name) for name in rows[label]])
        axes.set_xlabel(f"time since the first call [{unit}]")
        titled(axes, "How many calls were open", label)
    picture.note(left_out(hidden, hidden + len(names)))
    return found[0] if len(found) == 1 else found


def plot_rank_heatmap(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "viridis",
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
    exclusive: bool = False,
) -> Any:
    """Draw the time of each region on each rank as a field of a table.

    exclusive: Whether it is the time outside of the regions below.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = rank_totals(runs_of(profiling_data), ranks, include, exclude, boolean("exclusive", exclusive))

    def draw(picture: Picture) -> Any:
        return _draw_ranks(picture, data, cmap)

    return finished(data, draw, filepath, show, verbose, data_filepath, data_format, return_fig)


def _draw_ranks(picture: Picture, data: ChartData, cmap: str) -> Any:
    column = [*data.columns][-1]
    known = np.array([np.nan if value is None else value for value in data[column]], float)
    columns = {**data.columns, "value": np.nan_to_num(known), column: known}
    data = ChartData(data.kind, data.unit_name, columns)
    names, hidden = most_important(_sums(data, "value"), "value")
    labels = labels_in(data)
    rows = _rows(data, names)
    most = float(np.nanmax(known)) if len(known) else 0.0
    size, unit = unit_of(most)
    wide = max(len(set(data.where("file", label)["rank"].tolist())) for label in labels)
    found = picture.panels(
        len(labels), [max(0.8, 0.26 * len(rows[label])) for label in labels], min(6.5 + 0.5 * wide, 14.0))
    for axes, label in zip(found, labels):
        of_run = data.where("file", label)
        ranks = np.unique(of_run["rank"]).tolist()
        table = np.full((len(rows[label]), len(ranks)), np.nan)
        for name, rank, value in zip(of_run["region"], of_run["rank"], of_run[column].astype(float)):
            if name in rows[label]:
                table[rows[label].index(name), ranks.index(rank)] = value
        colors = colors_of(cmap)
        field = axes.imshow(table / size, aspect="auto", cmap=colors, vmin=0.0, vmax=most / size or 1.0)
        if table.shape[1] <= 12:
            for (row, at), value in np.ndenumerate(table):
                red, green, blue = colors(value / most if most else 0.0)[:3]
                dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
                axes.text(at, row, "?" if np.isnan(value) else duration_text(value), ha="center",
                          va="center", fontsize=7, color="white" if dark else "black")
        step = -(-len(ranks) // 24)
        axes.set_xticks(range(0, len(ranks), step), ranks[::step])
        axes.set_yticks(range(len(rows[label])), [short(name) for name in rows[label]])
        axes.set_xlabel("rank")
        picture.figure.colorbar(field, ax=axes, pad=0.01, label=f"time [{unit}]")
        own = "Own time of regions" if column.startswith("exclusive") else "Time in regions"
        titled(axes, f"{own} by rank", label)
    picture.note(left_out(hidden, hidden + len(names)))
    return found[0] if len(found) == 1 else found


def _rows(data: ChartData, names: Sequence[str]) -> dict[str, list[str]]:
    """By run, those of the regions that it has."""
    found = {}
    for label in labels_in(data):
        has = set(data.where("file", label)["region"])
        found[label] = [name for name in names if name in has]
    return found


def _sums(data: ChartData, column: str) -> ChartData:
    """The sum of a column for each region."""
    sums: dict[str, float] = {}
    for name, value in zip(data["region"], data[column]):
        sums[name] = sums.get(name, 0.0) + float(value)
    return ChartData("", "", {"region": [*sums], "value": [*sums.values()]})

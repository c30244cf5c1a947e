"""Flame chart and flame graph: calls inside calls, along time, and all together."""

from __future__ import annotations

from collections.abc import Iterable
import os
from typing import Any

import numpy as np

from ..results.chart_data import ChartData, runs_of
from ..results.chart_trees import flame_calls, flame_nodes
from . import spans
from .picture import (
    LEGEND, Picture, check_output, finished, labels_in, region_order, short, titled, unit_of,
)

#: Deeper levels are drawn as deep as this, so that a picture stays one.
_DEEPEST = 60


def plot_flame_chart(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "inferno",
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw the calls of a rank (the first of those chosen) along time, each below the one that it is
    inside of; threads and tasks by themselves. Several runs are below each other.

    Of calls too short to be seen, each pixel has the colour of the region that took most of it.

    Arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = flame_calls(runs_of(profiling_data), ranks, include, exclude)
    return finished(data, lambda picture: _draw_chart(picture, data), filepath, show, verbose,
                    data_filepath, data_format, return_fig, region_order(data), cmap)


plot_flame = plot_flame_chart


def plot_flame_graph(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "inferno",
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw the paths of calls, each as wide as its calls took together, upon the path that called it; of
    each run and rank (the first for None) by itself.

    Arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = flame_nodes(runs_of(profiling_data), ranks, include, exclude)
    return finished(data, lambda picture: _draw_graph(picture, data), filepath, show, verbose,
                    data_filepath, data_format, return_fig, region_order(data), cmap)


def _draw_chart(picture: Picture, data: ChartData) -> Any:
    panels = []  # (label, rank, lane, columns)
    for label in labels_in(data):
        of_run = data.where("file", label)
        lanes = of_run.get("lane", np.full(len(of_run["file"]), ""))
        for lane in dict.fromkeys(lanes.tolist()):
            kept = lanes == lane
            panels.append((label, lane, {name: column[kept] for name, column in of_run.items()}))
    heights = [max(0.5, 0.22 * _levels(columns)) for _, _, columns in panels]
    found = picture.panels(len(panels), heights)
    for axes, (label, lane, columns) in zip(found, panels):
        in_run = data.where("file", label)
        origin = float(in_run["start_seconds"].min())
        length = max(float(in_run["end_seconds"].max()) - origin, 1e-9)
        size, unit = unit_of(length)
        _draw_levels(picture, axes, columns, origin, length / spans.PIXELS, size)
        axes.set_ylim(_levels(columns) - 0.5, -0.5)
        axes.set_xlim(0, length / size)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"time since the first call [{unit}]")
        rank = f"rank {columns['rank'][0]}"
        titled(axes, f"Calls along time, {rank}{', ' + short(lane, 60) if lane else ''}", label)
    if len(picture.color) <= LEGEND:
        picture.legend(found[0], [*picture.color])
    return found[0] if len(found) == 1 else found


def _draw_graph(picture: Picture, data: ChartData) -> Any:
    panels = []
    for label in labels_in(data):
        of_run = data.where("file", label)
        for rank in dict.fromkeys(of_run["rank"].tolist()):
            kept = of_run["rank"] == rank
            panels.append((label, rank, {name: column[kept] for name, column in of_run.items()}))
    found = picture.panels(len(panels), [max(0.5, 0.26 * _levels(columns)) for _, _, columns in panels])
    for axes, (label, rank, columns) in zip(found, panels):
        length = float(columns["end_seconds"].max()) or 1e-9
        size, unit = unit_of(length)
        _draw_levels(picture, axes, columns, 0.0, length / spans.PIXELS, size)
        axes.set_ylim(-0.5, _levels(columns) - 0.5)
        axes.set_xlim(0, length / size)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"time of all calls together [{unit}]")
        titled(axes, f"Flame graph, rank {rank}", label)
    return found[0] if len(found) == 1 else found


def _levels(columns: Any) -> int:
    return min(int(columns["depth"].max()), _DEEPEST) + 1


def _draw_levels(
    picture: Picture, axes: Any, columns: Any, origin: float, pixel: float, size: float
) -> None:
    """Spans at their depth, in the colours of their regions. size: of the unit of the axis."""
    numbers = {name: number for number, name in enumerate(picture.color)}
    names = list(numbers)
    colors = [_light(picture.color[name]) for name in names]
    kinds = np.array([numbers[name] for name in columns["region"]])
    starts = columns["start_seconds"].astype(float) - origin
    ends = columns["end_seconds"].astype(float) - origin
    depth = columns["depth"].astype(int)
    for level in range(_levels(columns)):
        at = depth == level
        low, high, kind = spans.dominant(starts[at], ends[at], kinds[at], pixel)
        spans.draw(axes, low / size, high / size, level - 0.46, 0.92, [colors[one] for one in kind],
                   pixel / size)
        spans.texts(axes, low / size, high / size, level, [names[one] for one in kind], pixel / size)


def _light(color: Any) -> tuple[float, ...]:
    """The colour, so light that black can be read upon it."""
    red, green, blue = color[:3]
    brightness = 0.3 * red + 0.59 * green + 0.11 * blue
    white = max(0.0, (0.62 - brightness) / (1 - brightness)) if brightness < 0.62 else 0.0
    return tuple(part + (1 - part) * white for part in (red, green, blue))

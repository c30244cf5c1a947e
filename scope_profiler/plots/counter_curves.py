"""Counters of the program over time."""

from __future__ import annotations

from collections.abc import Iterable
import os
from typing import Any

import numpy as np

from .._base.arguments import boolean
from ..results.chart_counters import counters, stretches
from ..results.chart_data import ChartData, runs_of
from .picture import Picture, check_output, finished, left_out, numbers_logarithmic, short, unit_of

#: Counters, and curves of each, that a picture has room for; points that one shows of a curve.
_COUNTERS, _CURVES, _POINTS = 12, 20, 2000
_HEIGHT = 2.0


def plot_counters(
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
    """Draw the values that `counter()` was given over time: a panel for each counter, a curve for each run
    and rank. Of very many values the least and the most of some that follow each other are drawn.

    include, exclude: Counters, by regular expressions. log_scale: Whether values have a logarithmic scale.

    Other arguments, what is raised and returned: see `plot_durations`; ValueError also where there are no
    counters.
    """
    check_output(filepath, data_filepath, data_format, backend)
    data = counters(runs_of(profiling_data), ranks, include, exclude)
    log = boolean("log_scale", log_scale)
    curves = list(dict.fromkeys(_curves(data)))
    return finished(data, lambda picture: _draw(picture, data, log), filepath, show, verbose,
                    data_filepath, data_format, return_fig, curves, cmap)


def _curves(data: ChartData) -> list[str]:
    """Of each value the name of its curve: the run and the rank, as far as there are several."""
    files, ranks = data["file"].tolist(), data["rank"].tolist()
    several_ranks = len({*ranks}) > 1
    if len({*files}) == 1:
        return [f"rank {rank}" if several_ranks else files[0] for rank in ranks]
    return [f"{file}, rank {rank}" if several_ranks else file for file, rank in zip(files, ranks)]


def _draw(picture: Picture, data: ChartData, log: bool) -> Any:
    names = list(dict.fromkeys(data["counter"]))
    curve_of = np.array(_curves(data), object)
    curves = list(dict.fromkeys(curve_of))[:_CURVES]
    found = picture.panels(min(len(names), _COUNTERS), _HEIGHT, sharex=True)
    size, unit = unit_of(float(data["time_seconds"].max()))
    for axes, name in zip(found, names):
        for curve in curves:
            rows = (data["counter"] == name) & (curve_of == curve)
            if rows.any():
                _curve(axes, data["time_seconds"][rows] / size, data["value"][rows], picture.color[curve])
        if log:
            numbers_logarithmic(axes.yaxis)
        axes.set_title(short(name), loc="left")
        axes.grid(axis="y")
    found[-1].set_xlabel(f"time since the begin of the run [{unit}]")
    if len(curves) > 1:
        picture.legend(found[0], curves, "curves")
    hidden = max(len(names) - _COUNTERS, 0)
    picture.note(left_out(hidden, len(names), "counters").replace("with the most time", "that came last"))
    return found[0] if len(found) == 1 else found


def _curve(axes: Any, time: np.ndarray, values: np.ndarray, color: Any) -> None:
    if len(time) <= _POINTS:
        axes.plot(time, values, color=color, linewidth=1.1, drawstyle="steps-post",
                  marker="o" if len(time) <= 60 else None, markersize=2.5)
        return
    first, least, most = stretches(values, _POINTS)
    axes.fill_between(time[first], least, most, color=color, linewidth=0.8)

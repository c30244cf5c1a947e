"""Scaling: how the time of regions changes from run to run, against their number of ranks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
import os
from typing import Any

import numpy as np

from ..results.chart_data import ChartData, runs_of
from ..results.chart_scaling import scaling
from .picture import Picture, check_output, finished, region_order

_CURVES = 12


def plot_speedup(
    profiling_data: Any,
    x_field: str = "num_ranks",
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
) -> Any:
    """Draw how many times as fast each region was as in the run with the least of `x_field`, by the mean
    time of a rank; and what would be ideal where all runs do the same work.

    x_field: "num_ranks", "num_nodes", or a number in the metadata, such as "omp_num_threads".

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`. There
    have to be at least two runs.
    """
    return _plot("speedup", profiling_data, x_field, ranks, include, exclude, None, filepath, show, verbose,
                 cmap, data_filepath, data_format, backend, return_fig)


def plot_scaling_efficiency(
    profiling_data: Any,
    x_field: str = "num_ranks",
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
) -> Any:
    """Draw the speed-up of each region as a part of the ideal one, for runs that do the same work
    together (strong scaling). Arguments, what is raised and returned: see `plot_speedup`."""
    return _plot("scaling_efficiency", profiling_data, x_field, ranks, include, exclude, None, filepath,
                 show, verbose, cmap, data_filepath, data_format, backend, return_fig)


def plot_weak_scaling(
    profiling_data: Any,
    x_field: str = "num_ranks",
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
) -> Any:
    """Draw the time of each region as a multiple of that in the run with the least of `x_field`, for runs
    that do the same work on each rank (weak scaling): ideal is 1. Arguments, what is raised and returned:
    see `plot_speedup`."""
    return _plot("weak_scaling", profiling_data, x_field, ranks, include, exclude, None, filepath, show,
                 verbose, cmap, data_filepath, data_format, backend, return_fig)


def plot_weak_scaling_efficiency(
    profiling_data: Any,
    x_field: str = "num_ranks",
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    work_per_rank: Sequence[float] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "tab20",
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
) -> Any:
    """Draw the time of each region in the run with the least of `x_field` over that in each run, for runs
    that do the same work on each rank (weak scaling): ideal is 1.

    work_per_rank: What each run does on a rank, to have it checked that this is the same for all.

    Other arguments, what is raised and returned: see `plot_speedup`.
    """
    return _plot("weak_scaling_efficiency", profiling_data, x_field, ranks, include, exclude, work_per_rank,
                 filepath, show, verbose, cmap, data_filepath, data_format, backend, return_fig)


def _plot(
    kind: str, profiling_data: Any, x_field: str, ranks: Any, include: Any, exclude: Any, work: Any,
    filepath: Any, show: bool, verbose: bool, cmap: str, data_filepath: Any, data_format: str,
    backend: str, return_fig: bool,
) -> Any:
    check_output(filepath, data_filepath, data_format, backend)
    data = scaling(kind, runs_of(profiling_data), x_field, ranks, include, exclude, work)
    return finished(data, lambda picture: _draw(picture, data), filepath, show, verbose, data_filepath,
                    data_format, return_fig, region_order(data), cmap)


_TITLES = {
    "speedup": ("Speed-up", "times as fast"),
    "scaling_efficiency": ("Efficiency, strong scaling", "speed-up / ideal speed-up"),
    "weak_scaling": ("Time, weak scaling", "time / time of the smallest run"),
    "weak_scaling_efficiency": ("Efficiency, weak scaling", "time of the smallest run / time"),
}


def _draw(picture: Picture, data: ChartData) -> Any:
    field, value = [*data.columns][1:]
    options = data.facts["options"]
    [axes] = picture.panels(1, 3.8, 8.0)
    names = region_order(data)
    shown = names[:_CURVES]
    every = np.unique(np.asarray(data[field], float))
    ideal = every / every[0] if data.kind == "speedup" else np.ones(len(every))
    axes.plot(every, ideal, color="#888888", linewidth=1.0, linestyle="--")
    axes.annotate("ideal", (every[-1], ideal[-1]), (4, 0), textcoords="offset points", va="center",
                  fontsize=8, color="#666666", annotation_clip=False)
    for name, marker in zip(shown, cycle("os^Dv")):
        of_region = data.where("region", name)
        axes.plot(of_region[field].astype(float), of_region[value].astype(float), marker=marker,
                  markersize=5, markerfacecolor="none", linewidth=1.2, color=picture.color[name])
    if every[0] > 0 and every[-1] / every[0] >= 8:
        axes.set_xscale("log", base=2)
        if data.kind == "speedup":
            axes.set_yscale("log", base=2)
    axes.set_xticks(every, [f"{x:g}" for x in every])
    axes.minorticks_off()
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=0)
    else:
        axes.yaxis.set_major_formatter("{x:g}")
    axes.grid()
    title, label = _TITLES[data.kind]
    axes.set_title(f"{title} of regions, mean over ranks", loc="left")
    axes.set_xlabel(options["x_label"])
    axes.set_ylabel(label)
    picture.legend(axes, shown)
    if len(shown) < len(names):
        picture.note(f"the first {len(shown)} of {len(names):,} regions; choose by include")
    return axes

"""Bars: the duration of each region, of one run or several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
import os
from pathlib import Path
from typing import Any

from .._base.arguments import strings
from ..results.chart_data import ChartData, runs_of
from ..results.chart_regions import OWN, durations
from .picture import (
    OTHERS, Picture, check_output, duration_text, durations_logarithmic, finished, labels_in, left_out,
    most_important, short, titled, unit_of,
)

_TITLES = {
    "total": "Time in each region, all calls", "avg": "Mean duration of a call",
    "min": "Shortest call", "max": "Longest call", "first": "First call", "last": "Last call",
}  # fmt: skip


def plot_durations(
    profiling_data: Any,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    labels: Sequence[str] | None = None,
    metric: str = "total",
    metrics: Sequence[str] | None = None,
    sort_by: str | None = None,
    top_n: int | None = None,
    combine_regions: Mapping[str, str | Iterable[str]] | None = None,
    stack_children: bool = False,
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
    """Draw a bar for the time of each region, and of several runs side by side.

    profiling_data: `ProfilingResults`, one or several.
    ranks, include, exclude: Which ranks and regions; see `ProfilingResults.print_summary`.
    labels: Names of the runs; None for their own.
    metric, metrics: "total", "avg", "min", "max", "first" or "last": over all calls and ranks. Several
        metrics make a picture each, `filepath` with the name of the metric behind.
    sort_by: A metric, the largest first, or "name"; None for the order in which the regions began.
    top_n: How many regions; None for all.
    combine_regions: {name: regular expressions}: regions that are one bar of that name.
    stack_children: Whether a bar of "total" or "avg" is made of the region's own time and that of the
        regions that it calls.
    filepath, show: Where the picture goes: a file (.png, .svg, .pdf), a window.
    verbose: Whether to print which files were written.
    cmap: A colormap of matplotlib.
    log_scale: Whether durations have a logarithmic scale.
    data_filepath, data_format: Where the numbers go, as "csv", "json" or "parquet".
    backend: "matplotlib".
    return_fig: Whether to return (figure, axes).

    Returns the paths of the pictures that were written, [] for none; with `return_fig`, (figure, axes),
    or a list of these for several metrics.

    Raises TypeError or ValueError for a bad argument, ranks that are not there, or when no region
    matches; ModuleNotFoundError when a picture is drawn and matplotlib is not installed; OSError.
    """
    check_output(filepath, data_filepath, data_format, backend)
    runs = runs_of(profiling_data, labels)
    wanted = [metric] if metrics is None else strings("metrics", metrics)
    data = durations(runs, ranks, include, exclude, wanted, sort_by, top_n, combine_regions, stack_children)
    keys = list(dict.fromkeys(data["segment"])) if stack_children else labels_in(data)
    found, paths = [], []
    for number, one in enumerate(wanted):
        path = filepath
        if filepath is not None and len(wanted) > 1:
            path = Path(filepath).with_stem(f"{Path(filepath).stem}_{one}")

        def draw(picture: Picture, metric: str = one) -> Any:
            return _draw(picture, data, metric, keys, bool(log_scale), bool(stack_children))

        found.append(finished(
            data, draw, path, show, verbose, None if number else data_filepath, data_format,
            return_fig, keys, cmap))
        if path is not None:
            paths.append(os.fspath(path))
    if return_fig:
        return found if len(found) > 1 else found[0]
    return paths


def _draw(
    picture: Picture, data: ChartData, metric: str, keys: Sequence[str], log: bool, stacked: bool
) -> Any:
    rows = [row for row in data.rows() if row["metric"] == metric]
    labels = labels_in(data)
    names, hidden = most_important(data, "value_seconds")
    place = {name: at for at, name in enumerate(names)}
    rows = [row for row in rows if row["region"] in place]
    height = 0.8 / len(labels)
    sums: dict[tuple[str, str], float] = {}
    for row in rows:
        at = row["file"], row["region"]
        sums[at] = sums.get(at, 0.0) + row["value_seconds"]
    size, unit = unit_of(max(sums.values(), default=1.0))
    [axes] = picture.panels(1, max(1.2, len(names) * (0.16 * len(labels) + 0.12)))
    ends: dict[tuple[str, str], float] = {}
    for row in rows:
        at = row["file"], row["region"]
        left, value = ends.get(at, 0.0), row["value_seconds"] / size
        ends[at] = left + value
        key = row["segment"] if stacked else row["file"]
        color = OTHERS if stacked and key == OWN else picture.color[key]
        middle = place[row["region"]] + (labels.index(row["file"]) - (len(labels) - 1) / 2) * height
        axes.barh(middle, value, height * 0.92, left=left, color=color)
    for (label, name), end in ends.items():
        middle = place[name] + (labels.index(label) - (len(labels) - 1) / 2) * height
        prefix = f"{short(label, 16)}: " if stacked and len(labels) > 1 else ""
        axes.annotate(prefix + duration_text(sums[label, name]), (end, middle), (3, 0),
                      textcoords="offset points", va="center", fontsize=7, color="#444444")
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    if log:
        durations_logarithmic(axes.xaxis, size)
    axes.margins(x=0.12)
    axes.set_xlabel(f"time [{unit}]")
    axes.grid(axis="x")
    titled(axes, _TITLES[metric], labels[0] if len(labels) == 1 else "")
    if len(keys) > 1:
        picture.color[OWN] = OTHERS
        picture.legend(axes, keys, "regions" if stacked else "runs")
    picture.note(left_out(hidden, hidden + len(names), how="choose by top_n or include"))
    return axes

"""Performance against arithmetic intensity, of the work that was added to regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._base.arguments import finite, text
from ..results.chart_counters import roofline_points
from ..results.chart_data import runs_of, table
from .picture import Picture, check_output, finished, numbers_logarithmic

_FLOPS, _BYTES = "flops", "bytes"


def collect_roofline_points(
    profiling_data: Any, *, flops_metric: str | None = None, bandwidth_metric: str | None = None,
    ranks: Any = None, include: Any = None, exclude: Any = None,
) -> list[dict[str, Any]]:
    """The points of a roofline: of each region and rank that did work in both quantities a dict with
    file, region, rank, performance_gflops, bandwidth_gbs, arithmetic_intensity_flops_per_byte,
    runtime_seconds, flops_metric and bandwidth_metric.

    profiling_data: One run or several.
    flops_metric, bandwidth_metric: What `add()` calls operations, and bytes; "flops" and "bytes" unless
        given. Rates are for each second of the region's time, of a rank's threads together their mean.
    ranks, include, exclude: Which ranks, and regions by regular expressions.
    """
    return roofline_points(runs_of(profiling_data), text("flops_metric", flops_metric or _FLOPS),
                           text("bandwidth_metric", bandwidth_metric or _BYTES), ranks, include, exclude)


def plot_roofline(
    profiling_data: Any, *, flops_metric: str | None = None, bandwidth_metric: str | None = None,
    peak_flops: float | None = None, peak_bandwidth: float | None = None, ranks: Any = None,
    include: Any = None, exclude: Any = None, filepath: Any = None, show: bool = False,
    verbose: bool = True, cmap: str = "tab20", data_filepath: Any = None, data_format: str = "csv",
    backend: str = "matplotlib",
) -> dict[str, Any]:
    """Draw the performance of regions against their arithmetic intensity, flops for each byte, below the
    roof of the machine; from the work that `add(flops=…, bytes=…)` was given.

    peak_flops, peak_bandwidth: Of the machine, GFLOP/s and GB/s. Without them the roof is that of the best
        that was reached here, and the picture says so.

    Other arguments: see `collect_roofline_points` and `plot_durations`. Returns the points and the roof: a
    dict with points, peak_flops_gflops, peak_bandwidth_gbs and empirical_ceilings. ValueError where no region
    did work in both.
    """
    check_output(filepath, data_filepath, data_format, backend)
    for name, peak in (("peak_flops", peak_flops), ("peak_bandwidth", peak_bandwidth)):
        if peak is not None and finite(name, peak) <= 0:
            raise ValueError(f"{name} must be a positive number; got {peak!r}")
    points = collect_roofline_points(
        profiling_data, flops_metric=flops_metric, bandwidth_metric=bandwidth_metric, ranks=ranks,
        include=include, exclude=exclude)
    if not points:
        raise ValueError(f"a roofline needs regions with work in {flops_metric or _FLOPS!r} and "
                         f"{bandwidth_metric or _BYTES!r}, added by region.add(); "
                         f"{', '.join(runs_of(profiling_data))} has none")
    roof = {
        "points": points,
        "peak_flops_gflops": float(peak_flops or max(one["performance_gflops"] for one in points)),
        "peak_bandwidth_gbs": float(peak_bandwidth or max(one["bandwidth_gbs"] for one in points)),
        "empirical_ceilings": [name for name, peak in (("flops", peak_flops), ("bandwidth", peak_bandwidth))
                               if peak is None],
    }
    data = table("roofline", "points", " ".join(points[0]), [tuple(one.values()) for one in points])
    names = list(dict.fromkeys(one["region"] for one in points))
    finished(data, lambda picture: _draw(picture, roof, names), filepath, show, verbose, data_filepath,
             data_format, False, names, cmap)
    return roof


def _draw(picture: Picture, roof: dict[str, Any], names: Sequence[str]) -> Any:
    [axes] = picture.panels(1, 4.6)
    points, flops, moved = roof["points"], roof["peak_flops_gflops"], roof["peak_bandwidth_gbs"]
    intensity = np.array([one["arithmetic_intensity_flops_per_byte"] for one in points])
    ends = [min(intensity.min(), flops / moved) / 2, max(intensity.max(), flops / moved) * 2]
    at = np.array([ends[0], flops / moved, ends[1]])
    axes.plot(at, np.minimum(flops, at * moved), color="#333333", linewidth=1.4)
    axes.text(ends[1], flops, f"{flops:.4g} GFLOP/s ", ha="right", va="bottom", fontsize=8)
    middle = (ends[0] * flops / moved) ** 0.5
    axes.text(middle, middle * moved, f"{moved:.4g} GB/s  ", ha="right", va="bottom", fontsize=8)
    for one, x in zip(points, intensity):
        axes.plot(x, one["performance_gflops"], "o", color=picture.color[one["region"]], markersize=6)
    numbers_logarithmic(axes.xaxis)
    numbers_logarithmic(axes.yaxis)
    axes.set_xlabel("arithmetic intensity [flops for each byte]")
    axes.set_ylabel("performance [GFLOP/s]")
    axes.grid(which="major")
    axes.set_title("Performance of regions below the roof", loc="left")
    picture.legend(axes, names)
    if roof["empirical_ceilings"]:
        picture.note("The roof is the best that was reached here: --peak-flops and --peak-bandwidth give "
                     "that of the machine")
    return axes

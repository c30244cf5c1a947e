"""Pictures of results by matplotlib, which is imported when one is drawn.

Each `plot_...` takes one run or several, and writes the picture where `filepath` says (its name says the
format: .png, .svg, .pdf), the numbers in it where `data_filepath` says, or returns the figure. The
numbers themselves are made in `results/chart_*.py`.
"""

from __future__ import annotations

from typing import Any

_LAZY = {
    "plot_durations": "bars",
    "plot_gantt": "gantt",
    "plot_flame": "flames",
    "plot_flame_chart": "flames",
    "plot_flame_graph": "flames",
    "plot_timeline_density": "heat_maps",
    "plot_rank_heatmap": "heat_maps",
    "plot_duration_timeseries": "curves",
    "plot_duration_histogram": "curves",
    "plot_imbalance": "curves",
    "plot_speedup": "scaling",
    "plot_scaling_efficiency": "scaling",
    "plot_weak_scaling": "scaling",
    "plot_weak_scaling_efficiency": "scaling",
    "plot_callgraph": "call_graphs",
    "collect_roofline_points": "roofline",
    "plot_counters": "counter_curves",
    "plot_likwid": "counters",
    "plot_perf_events": "counters",
    "plot_roofline": "roofline",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        from .._base.needs import explained

        with explained():
            return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The charts by the names that `scope-profiler plot` has for them."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A chart. function: Of this package. about: What it shows. takes: Settings of its own, by the name
    of the argument. several: Whether it compares runs, so that there have to be two."""

    function: str
    about: str
    takes: tuple[str, ...] = ()
    several: bool = False


_PART = ("start_time", "end_time", "min_duration")
KINDS = {
    "gantt": Kind("plot_gantt", "when each region was open, by rank",
                  (*_PART, "aggregate_calls", "collapse_depth")),
    "density": Kind("plot_timeline_density", "how many calls of each region were open, by time",
                    (*_PART, "bins")),
    "flame_chart": Kind("plot_flame_chart", "calls inside calls along time"),
    "flame_graph": Kind("plot_flame_graph", "calls inside calls, all calls of a path together"),
    "callgraph": Kind("plot_callgraph", "calls inside calls, or which region calls which",
                      ("compact", "fluid")),
    "durations": Kind("plot_durations", "the time of each region as a bar",
                      ("labels", "metrics", "sort_by", "top_n", "combine_regions", "stack_children",
                       "log_scale")),
    "timeseries": Kind("plot_duration_timeseries", "how long each call took, over time", ("log_scale",)),
    "speedup": Kind("plot_speedup", "how many times as fast regions are, run by run", ("x_field",), True),
    "weak_scaling": Kind("plot_weak_scaling", "the time of regions with as much work on each rank",
                         ("x_field",), True),
    "weak_scaling_efficiency": Kind("plot_weak_scaling_efficiency", "the same as a part of the ideal",
                                    ("x_field", "work_per_rank"), True),
    "rank_heatmap": Kind("plot_rank_heatmap", "the time of regions by rank", ("exclusive",)),
    "scaling_efficiency": Kind("plot_scaling_efficiency", "the speed-up as a part of the ideal",
                               ("x_field",), True),
    "histogram": Kind("plot_duration_histogram", "how many calls took how long", ("bins", "log_scale")),
    "imbalance": Kind("plot_imbalance", "a number of each region by rank, and the mean",
                      ("metric", "log_scale")),
    "counters": Kind("plot_counters", "counters of the program over time", ("log_scale",)),
    "likwid": Kind("plot_likwid", "a counter of LIKWID", ("metric", "labels", "log_scale")),
    "roofline": Kind("plot_roofline", "performance against arithmetic intensity",
                     ("flops_metric", "bandwidth_metric", "peak_flops", "peak_bandwidth")),
    "perf_events": Kind("plot_perf_events", "a counter of perf", ("metric", "labels")),
}
_COUNTERS = ("counters", "likwid", "roofline", "perf_events")
#: {name: the charts that are drawn by it}.
PRESETS = {
    "default": ("durations", "gantt"),
    "quick": ("durations", "rank_heatmap", "scaling_efficiency", "speedup", "weak_scaling"),
    "all": tuple(kind for kind in KINDS if kind not in _COUNTERS),
}

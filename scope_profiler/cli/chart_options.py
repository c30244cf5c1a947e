"""Charts as commands make them: their options, and drawing one."""

import os
from typing import Any

import click

from ..io.progress_bar import progress
from .profile_files import Refused, loaded, refusing
from .several import Several

#: {how the name of a file ends: the format of the numbers in it, or None for a picture}
FORMATS = {".png": None, ".svg": None, ".pdf": None, ".csv": "csv", ".json": "json", ".parquet": "parquet"}

_SECONDS: Any = {"metavar": "SECONDS", "type": float}
_OPTIONS = [
    click.option("--start-time", **_SECONDS, help="gantt, density: from here on, since the first call."),
    click.option("--end-time", **_SECONDS, help="gantt, density: up to here."),
    click.option("--min-duration", **_SECONDS, help="gantt, density: without shorter calls."),
    click.option("--aggregate-calls", metavar="N", type=int, help="gantt: each N calls are one bar."),
    click.option("--collapse-depth", metavar="N", type=int, help="gantt: without calls inside more than N."),
    click.option("--compact/--no-compact", "--compact-callgraph", default=None,
                 help="callgraph: one box for each region."),
    click.option("--fluid/--no-fluid", "--fluid-callgraph", default=None,
                 help="callgraph: that, as if on springs."),
    click.option("--metrics", cls=Several, metavar="NAME",
                 help="durations: total, avg, min, max, first, last."),
    click.option("--sort-by", metavar="NAME", help="durations: one of these, or name."),
    click.option("--top-n", metavar="N", type=int, help="durations: the first N regions."),
    click.option("--combine-regions", cls=Several, metavar="NAME=REGEX[,REGEX]",
                 help="durations: the regions that match are one bar."),
    click.option("--stack-children", is_flag=True, default=None,
                 help="durations: bars of the region's own time and that of what it calls."),
    click.option("--log-scale", is_flag=True, default=None,
                 help="Durations, or numbers of calls, logarithmic."),
    click.option("--bins", metavar="N", type=int, help="histogram, density: how many bins."),
    click.option("--metric", "--imbalance-metric", "--likwid-metric", metavar="NAME",
                 help="imbalance: total, avg, min, max."),
    click.option("--exclusive", is_flag=True, default=None,
                 help="rank_heatmap: time outside of regions below."),
    click.option("--x", "x_field", metavar="FIELD",
                 help="Scaling: what runs differ in. [default: num_ranks]"),
    click.option("--work-per-rank", cls=Several, type=float, metavar="NUMBER",
                 help="weak_scaling_efficiency: of each file; they have to be equal."),
    click.option("--flops-metric", metavar="NAME",
                 help="roofline: what add() calls operations; flops unless given."),
    click.option("--bandwidth-metric", metavar="NAME",
                 help="roofline: what add() calls bytes; bytes unless given."),
    click.option("--peak-flops", metavar="GFLOP/S", type=float, help="roofline: of the machine."),
    click.option("--peak-bandwidth", metavar="GB/S", type=float, help="roofline: of the machine."),
]


def chart_options(function):
    """The function with the options that single charts have."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def settings_of(options, kinds, asked):
    """The settings of charts among the values of options: those that were given.

    Refuses what none of these kinds takes; asked: what the user calls them.
    """
    from ..plots.charts import KINDS

    settings = {name: value for name, value in options.items() if value not in (None, ())}
    if "combine_regions" in settings:
        settings["combine_regions"] = _groups(settings["combine_regions"])
    for name in settings:
        if not any(name in KINDS[kind].takes for kind in kinds):
            raise click.UsageError(f"{_option(name)} is not for {asked}")
    return settings


def draw_all(targets, paths, labels, warm_up, chosen, settings, **how):
    """Read the files, write each chart, {kind: path}, and return the results, and all paths written."""
    with progress("Drawing", len(paths) + len(targets)) as advance:
        runs, written = [], []
        for path, label in zip(paths, labels):
            runs.append(loaded(path, warm_up, label))
            advance(1)
        for kind, target in targets.items():
            written += _draw(kind, runs, target, chosen, settings, **how)
            advance(1)
    return runs, written


def _draw(kind, runs, target, chosen, settings, *, show=False, backend=None, cmap=None):
    """Write one chart, and of those that are of one run alone, one for each; return the paths.

    target: The file, whose name says the format. chosen: ranks, include and exclude.
    """
    from .. import plots
    from ..plots.charts import KINDS

    arguments = {name: settings[name] for name in KINDS[kind].takes if name in settings}
    arguments.update({name: value for name, value in (("backend", backend), ("cmap", cmap)) if value})
    data = FORMATS[os.path.splitext(target)[1].lower()]
    if kind == "perf_events" and data:
        raise Refused("perf_events has no file of numbers")
    targets = [(runs, target)]
    if kind == "callgraph":
        stem, suffix = os.path.splitext(target)
        targets = [(run, target if len(runs) == 1 else f"{stem}_{number}{suffix}")
                   for number, run in enumerate(runs, 1)]
        ranks = chosen["ranks"]
        if ranks is not None and len(ranks) != 1:
            raise Refused("callgraph is of one rank: give one by --ranks")
        chosen = {**chosen, "rank": min(ranks) if ranks else 0}
        del chosen["ranks"]
    with refusing():
        function = getattr(plots, KINDS[kind].function)
        for run, path in targets:
            where = {"data_filepath": path, "data_format": data} if data else {"filepath": path}
            function(run, show=show, verbose=False, **where, **chosen, **arguments)
    return [path for _, path in targets]


def _groups(words):
    groups = {}
    for word in words:
        name, equals, patterns = word.partition("=")
        if not (name and equals and patterns):
            raise click.BadParameter(f"takes NAME=REGEX[,REGEX]; got {word!r}",
                                     param_hint="--combine-regions")
        groups[name] = patterns.split(",")
    return groups


def _option(name):
    return "--" + {"x_field": "x"}.get(name, name).replace("_", "-")

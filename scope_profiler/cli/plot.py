"""scope-profiler plot: pictures of results."""

import os
import textwrap
from typing import Any

import click

from .._base.shown import shown
from .profile_files import Refused, loaded, matching, ranks_of, refusing, skipping_first
from .several import ReadingCommand, Several

_FORMATS = {".png": None, ".svg": None, ".pdf": None, ".csv": "csv", ".json": "json", ".parquet": "parquet"}
_SECONDS: Any = {"metavar": "SECONDS", "type": float}


@click.command(cls=ReadingCommand, short_help="Draw charts as PNG, SVG or PDF.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", metavar="[KIND] FILE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="OUT", type=click.Path(),
              help="A folder, or for one chart the file: .png, .svg, .pdf; or .csv, .json, .parquet for "
                   "the numbers in it. [default: KIND_plot.png in this folder]")
@click.option("--format", type=click.Choice(["png", "svg", "pdf", "csv", "json", "parquet"]),
              help="Of what is written into a folder. [default: png]")
@click.option("--label", cls=Several, metavar="LABEL", help="The name of a file; once for each.")
@click.option("-i", "--include", cls=Several, metavar="REGEX",
              help="Only regions whose name these match at its beginning.")
@click.option("-e", "--exclude", cls=Several, metavar="REGEX", help="Not regions whose name these match.")
@click.option("-r", "--ranks", "--rank", cls=Several, metavar="RANKS",
              help="Only these ranks: 0 2, 0,2 or 0-3.")
@skipping_first
@click.option("--show", is_flag=True, help="Show them in windows.")
@click.option("--backend", metavar="NAME", help="matplotlib. (Charts for browsers: scope-profiler report.)")
@click.option("--cmap", metavar="NAME", help="A colormap of matplotlib, such as tab20 or viridis.")
@click.option("--start-time", **_SECONDS, help="gantt, density: from here on, since the first call.")
@click.option("--end-time", **_SECONDS, help="gantt, density: up to here.")
@click.option("--min-duration", **_SECONDS, help="gantt, density: without shorter calls.")
@click.option("--aggregate-calls", metavar="N", type=int, help="gantt: each N calls are one bar.")
@click.option("--collapse-depth", metavar="N", type=int, help="gantt: without calls inside more than N.")
@click.option("--compact/--no-compact", "--compact-callgraph", default=None,
              help="callgraph: one box for each region.")
@click.option("--fluid/--no-fluid", "--fluid-callgraph", default=None,
              help="callgraph: that, as if on springs.")
@click.option("--metrics", cls=Several, metavar="NAME", help="durations: total, avg, min, max, first, last.")
@click.option("--sort-by", metavar="NAME", help="durations: one of these, or name.")
@click.option("--top-n", metavar="N", type=int, help="durations: the first N regions.")
@click.option("--combine-regions", cls=Several, metavar="NAME=REGEX[,REGEX]",
              help="durations: the regions that match are one bar.")
@click.option("--stack-children", is_flag=True, default=None,
              help="durations: bars of the region's own time and that of what it calls.")
@click.option("--log-scale", is_flag=True, default=None, help="Durations, or numbers of calls, logarithmic.")
@click.option("--bins", metavar="N", type=int, help="histogram, density: how many bins.")
@click.option("--metric", metavar="NAME", help="imbalance: total, avg, min, max.")
@click.option("--exclusive", is_flag=True, default=None, help="rank_heatmap: time outside of regions below.")
@click.option("--x", "x_field", metavar="FIELD",
              help="Scaling: what runs differ in. [default: num_ranks]")
@click.option("--work-per-rank", cls=Several, type=float, metavar="NUMBER",
              help="weak_scaling_efficiency: of each file; they have to be equal.")
@click.option("--flops-metric", metavar="NAME",
              help="roofline: what add() calls operations; flops unless given.")
@click.option("--bandwidth-metric", metavar="NAME",
              help="roofline: what add() calls bytes; bytes unless given.")
@click.option("--peak-flops", metavar="GFLOP/S", type=float, help="roofline: of the machine.")
@click.option("--peak-bandwidth", metavar="GB/S", type=float, help="roofline: of the machine.")
@click.option("-q", "--quiet", is_flag=True, help="Do not print which files were written.")
def plot(words, output, format, label, include, exclude, ranks, warm_up, show, backend, cmap, quiet,
         **settings):
    """Draw charts of the results in FILE, by matplotlib.

    KIND is a chart or one of the sets default, quick and all; `scope-profiler plot list` prints them.
    Several files are drawn into one chart, side by side, each with its label.

    \b
    Examples:
      scope-profiler plot run.h5
      scope-profiler plot gantt run.h5 -o gantt.svg --start-time 1 --end-time 2
      scope-profiler plot durations old.h5 new.h5 --label old --label new -o bars.png
      scope-profiler plot speedup ranks*.h5 -o charts/
      scope-profiler plot histogram run.h5 -o numbers.csv
    """
    from ..plots.charts import KINDS, PRESETS

    if words == ("list",):
        return click.echo(_list())
    first, *files = words
    if first not in KINDS and first not in PRESETS:
        if first.isidentifier() and not os.path.exists(first):
            raise click.UsageError(f"there is neither a chart nor a file {shown(first)!r}; "
                                   "`scope-profiler plot list` prints the charts")
        first, files = "default", words
    if not files:
        raise click.UsageError(f"plot {first} takes a file of results")
    settings = {name: value for name, value in settings.items() if value not in (None, ())}
    if "combine_regions" in settings:
        settings["combine_regions"] = _groups(settings["combine_regions"])
    kinds = PRESETS.get(first, (first,))
    for name in settings:
        if not any(name in KINDS[kind].takes for kind in kinds):
            raise click.UsageError(f"{_option(name)} is not for {first}")
    chosen = {"ranks": ranks_of(ranks), "include": include or None, "exclude": exclude or None}
    paths = matching(files)
    if label and len(label) != len(paths):
        raise click.UsageError(f"--label has to be given once for each of the {len(paths)} files")
    if first in PRESETS:
        kinds = [kind for kind in kinds if len(paths) > 1 or not KINDS[kind].several]
    end = None if output is None else os.path.splitext(output)[1].lower()
    is_file = end in _FORMATS and not os.path.isdir(output)
    if is_file and (len(kinds) > 1 or format):
        raise click.UsageError("--output has to be a folder for several charts, and where there is --format")
    if not is_file:
        end, output = f".{format or 'png'}", output or ""
    runs = [loaded(path, warm_up) for path in paths]
    for run, name in zip(runs, label):
        run.label = name
    for kind in kinds:
        target = output if is_file else os.path.join(output, f"{kind}_plot{end}")
        _draw(kind, runs, target, end, chosen, show, backend, cmap, quiet, settings)


def _draw(kind, runs, target, end, chosen, show, backend, cmap, quiet, settings):
    """One chart; of those that are of one run alone, one for each."""
    from .. import plots
    from ..plots.charts import KINDS

    arguments = {name: settings[name] for name in KINDS[kind].takes if name in settings}
    arguments.update({name: value for name, value in (("backend", backend), ("cmap", cmap)) if value})
    data = _FORMATS[end]
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
        draw = getattr(plots, KINDS[kind].function)
        for run, path in targets:
            where = {"data_filepath": path, "data_format": data} if data else {"filepath": path}
            draw(run, show=show, verbose=not quiet, **where, **chosen, **arguments)


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


def _list():
    from ..plots.charts import KINDS, PRESETS

    width = max(map(len, KINDS)) + 2
    lines = ["Charts (* of several files):"]
    for name, kind in KINDS.items():
        lines.append(f"{' *'[kind.several]} {name:{width}}{kind.about}")
    lines.append("Sets of charts:")
    for name, kinds in PRESETS.items():
        about = "all but those of counters" if name == "all" else ", ".join(kinds)
        lines += textwrap.wrap(about, 79, initial_indent=f"  {name:{width}}",
                               subsequent_indent=" " * (width + 2))
    return "\n".join(lines)

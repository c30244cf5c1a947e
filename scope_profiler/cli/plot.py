"""scope-profiler plot: pictures of results."""

import os
import textwrap

import click

from .._base.shown import shown
from .chart_options import FORMATS, chart_options, draw_all, settings_of
from .profile_files import choosing_regions, labels_of, matching, ranks_of, skipping_first
from .several import ReadingCommand, Several


@click.command(cls=ReadingCommand, short_help="Draw charts as PNG, SVG or PDF.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", metavar="[KIND] FILE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="OUT", type=click.Path(),
              help="A folder, or for one chart the file: .png, .svg, .pdf; or .csv, .json, .parquet for "
                   "the numbers in it. [default: KIND_plot.png in this folder]")
@click.option("--format", type=click.Choice(["png", "svg", "pdf", "csv", "json", "parquet"]),
              help="Of what is written into a folder. [default: png]")
@click.option("--label", cls=Several, metavar="LABEL", help="The name of a file; once for each.")
@choosing_regions
@skipping_first
@click.option("--show", is_flag=True, help="Show them in windows.")
@click.option("--backend", metavar="NAME", help="matplotlib. (Charts for browsers: scope-profiler report.)")
@click.option("--cmap", metavar="NAME", help="A colormap of matplotlib, such as tab20 or viridis.")
@chart_options
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
    kinds = PRESETS.get(first, (first,))
    settings = settings_of(settings, kinds, first)
    chosen = {"ranks": ranks_of(ranks), "include": include or None, "exclude": exclude or None}
    paths = matching(files)
    labels = labels_of(label, paths)
    if first in PRESETS:
        kinds = [kind for kind in kinds if len(paths) > 1 or not KINDS[kind].several]
    end = None if output is None else os.path.splitext(output)[1].lower()
    is_file = end in FORMATS and not os.path.isdir(output)
    if is_file and (len(kinds) > 1 or format):
        raise click.UsageError("--output has to be a folder for several charts, and where there is --format")
    if not is_file:
        end, output = f".{format or 'png'}", output or ""
    targets = {kind: output if is_file else os.path.join(output, f"{kind}_plot{end}") for kind in kinds}
    _, written = draw_all(targets, paths, labels, warm_up, chosen, settings,
                          show=show, backend=backend, cmap=cmap)
    for path in () if quiet else written:
        click.echo(f"Wrote {shown(path)}")


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

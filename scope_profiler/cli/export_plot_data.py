"""scope-profiler export plot-data: the numbers of charts as files."""

import os

import click

from .._base.shown import shown
from .chart_options import chart_options, draw_all, settings_of
from .profile_files import choosing_regions, labels_of, matching, ranks_of, refusing, skipping_first
from .several import ReadingCommand, Several

#: Files of other programs that may go with them: {name: the function that writes each, and the file}.
_COMPANIONS = {
    "prof": ("export_prof", "profile.prof"),
    "speedscope": ("export_speedscope", "profile.speedscope.json"),
    "flamegraph": ("export_flamegraph_svg", "flamegraph.svg"),
}

#: How 0.7.5 names the files of charts that have another name in commands.
_STEMS = {"density": "timeline_density", "timeseries": "duration_timeseries"}


@click.command("plot-data", cls=ReadingCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="FOLDER", required=True, type=click.Path(file_okay=False),
              help="The folder for the files, which is made.")
@click.option("-p", "--plots", cls=Several, metavar="KIND",
              help="The charts: `scope-profiler plot list` prints them. [default: durations gantt]")
@click.option("--format", type=click.Choice(["csv", "json", "parquet"]), default="csv", show_default=True,
              help="Of the numbers.")
@click.option("--label", cls=Several, metavar="LABEL", help="The name of a file; once for each.")
@choosing_regions
@skipping_first
@click.option("--with", "companions", cls=Several, type=click.Choice([*_COMPANIONS, "all"]), is_flag=False,
              flag_value="all", help="Write these for other programs, too; all of them where none is named.")
@chart_options
@click.option("-q", "--quiet", is_flag=True, help="Do not print which files were written.")
def plot_data(files, output, plots, format, label, include, exclude, ranks, warm_up, companions, quiet,
              **settings):
    """Write the numbers that charts of FILE are drawn from, a file for each, and the statistics of all
    regions as region_statistics.json.

    FILE is a file in HDF5 or JSON, a folder of such, or a pattern in quotes. Of several a chart has
    all, each with its label; charts that compare runs need two.

    \b
    Examples:
      scope-profiler export plot-data run.h5 -o numbers/
      scope-profiler export plot-data run.h5 -o numbers/ --plots gantt histogram --format parquet
      scope-profiler export plot-data old.h5 new.h5 -o numbers/ --label old --label new --plots speedup
    """
    from ..plots.charts import KINDS, PRESETS

    kinds = [*dict.fromkeys(plots or PRESETS["default"])]
    for kind in kinds:
        if kind not in KINDS:
            raise click.UsageError(f"there is no chart {shown(kind)!r}; "
                                   "`scope-profiler plot list` prints them")
    settings = settings_of(settings, kinds, ", ".join(kinds))
    chosen = {"ranks": ranks_of(ranks), "include": include or None, "exclude": exclude or None}
    paths = matching(files)
    targets = {kind: os.path.join(output, f"{_STEMS.get(kind, kind)}_data.{format}") for kind in kinds}
    runs, written = draw_all(targets, paths, labels_of(label, paths), warm_up, chosen, settings)
    written.append(_write_statistics(runs, os.path.join(output, "region_statistics.json"), chosen))
    for name in _COMPANIONS if "all" in companions else companions:
        written += _write_companion(name, runs, output, chosen)
    for path in () if quiet else written:
        click.echo(f"Wrote {shown(path)}")


def _write_statistics(runs, target, chosen):
    from ..io.region_statistics import write_region_statistics_json

    with refusing():
        write_region_statistics_json(runs, target, **chosen)
    return target


def _write_companion(name, runs, output, chosen):
    from .. import exports

    function, file = _COMPANIONS[name]
    with refusing():
        return getattr(exports, function)(runs, os.path.join(output, file), verbose=False, **chosen)

"""scope-profiler inspect: what is in files of results."""

import json
import sys

import click

from .profile_files import (
    check_choice, choosing_regions, loaded, matching, ranks_of, refusing, skipping_first,
)
from .several import ReadingCommand, Several, by_commas


@click.command(cls=ReadingCommand, short_help="Print regions, threads, tasks and metadata of a file.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@choosing_regions
@click.option("--sort", metavar="COLUMN", default="total", show_default=True,
              help="By what those below the same parent are sorted: start, name, calls, total, own, avg, "
                   "min, max, p50, p95, p99, std and the other columns.")
@click.option("--columns", cls=Several, metavar="COLUMN", callback=by_commas,
              help="The columns of the table, of which there are more than are shown: ranks, "
                   "parent_percent, p90, p95, p999, first, last, imbalance and others.")
@click.option("--percentage-mode", type=click.Choice(["coverage", "exclusive"]), default="coverage",
              show_default=True, help="What '% run' is of: all time in a region, or that outside of the "
                                      "regions below it.")
@click.option("--top", metavar="N", type=click.IntRange(1),
              help="Only the N rows that are first by --sort, and what they are inside of.")
@click.option("--flat", is_flag=True, help="A row for each region, wherever it was called: no tree.")
@click.option("--all", "whole", is_flag=True, help="Leave no row out, however little it stands for.")
@click.option("--region", "names", cls=Several, metavar="NAME",
              help="The regions that --slowest and --by are about, by their whole name.")
@click.option("--slowest", metavar="K", type=click.IntRange(1),
              help="The K slowest calls of --region: metadata, thread, time, and what ran inside.")
@click.option("--by", "key", metavar="KEY",
              help="Statistics of --region by a key of its metadata: p50, p95, p99 of each endpoint or step; "
                   "of numbers also the drift, by rank.")
@skipping_first
@click.option("--source", cls=Several, metavar="NAME",
              help="Print the source of these regions, where it was kept.")
@click.option("--full", is_flag=True, help="Print long values of metadata in full.")
@click.option("--metadata-only", "only", flag_value="metadata", help="Print the metadata alone.")
@click.option("--regions-only", "only", flag_value="regions", help="Print the regions alone.")
@click.option("--samples-only", "only", flag_value="samples", help="Print what was sampled alone.")
@click.option("--counters-only", "only", flag_value="counters", help="Print the counters alone.")
@click.option("--threads-only", "only", flag_value="threads", help="Print the threads and tasks alone.")
@click.option("--json", "form", flag_value="json", help="For machines: a list with an object for each file.")
@click.option("--csv", "form", flag_value="csv", help="For machines: the rows of the table.")
@click.option("--export-metadata", metavar="FILE", help="Write the metadata of all files to this JSON file.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
def inspect(files, ranks, columns, warm_up, export_metadata, quiet, **how):
    """Print what is in files of results: the regions as a tree, threads, tasks, and facts of the run.

    FILE is a file in HDF5 or JSON, a folder of such, or a pattern in quotes. Percentages are of the wall
    time of the run, of all its processes together. Times have four significant digits; --json and --csv
    give nanoseconds.

    \b
    Examples:
      scope-profiler inspect run.h5
      scope-profiler inspect run.h5 --include solver --sort own --top 10
      scope-profiler inspect run.h5 --region request --slowest 5
      scope-profiler inspect run.h5 --region request --by endpoint --sort p99
      scope-profiler inspect run.h5 --region solve --by step --skip-first step=3
      scope-profiler inspect run.h5 --csv --flat > regions.csv
    """
    from ..report import inspection

    if bool(how["slowest"] or how["key"]) != bool(how["names"]):
        raise click.UsageError("--slowest or --by, and --region NAME: one needs the other")
    if how["only"] and (how["slowest"] or how["key"] or how["form"]):
        raise click.UsageError(f"--{how['only']}-only is for the plain table")
    with refusing():
        chosen = inspection.Chosen(ranks=ranks_of(ranks), columns=columns or None, **how)
    results = [loaded(path, warm_up) for path in matching(files)]
    check_choice(results, chosen.include, chosen.exclude, chosen.ranks)
    if export_metadata:
        with refusing(export_metadata), open(export_metadata, "w", encoding="utf-8") as file:
            json.dump({str(each.file_path): each.metadata for each in results}, file, indent=2)
            file.write("\n")
    if quiet:
        return
    with refusing():
        inspection.show(results, chosen, sys.stdout)

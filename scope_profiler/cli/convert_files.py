"""scope-profiler convert and import-native: files of results in other formats."""

from pathlib import Path

import click

from .profile_files import Refused, loaded, refusing

_HELP = {"help_option_names": ["-h", "--help"]}


@click.command(short_help="Write a file of results in another format.", context_settings=_HELP)
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
def convert(source, target, quiet):
    """Write what SOURCE holds to TARGET, whose name says the format: .h5, .json, .json.gz or .parquet.

    Nothing is lost in any of them.

    \b
    Examples:
      scope-profiler convert run.h5 run.parquet
      scope-profiler convert run.json.gz run.h5
    """
    results = loaded(source)
    _write(results, target, quiet)


@click.command("import-native", short_help="Write traces of native code as a file of results.",
               context_settings=_HELP)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="FILE", default="profiling_data.h5", show_default=True,
              help="The file to write.")
@click.option("--label", metavar="TEXT", help="The name of the run in tables.")
@click.option("--merge", metavar="PROFILE", type=click.Path(),
              help="A file of the run's Python side, to which the native ranks are added as ranks of "
                   "their own.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing.")
def import_native(inputs, output, label, merge, quiet):
    """Write traces of native code, of all ranks, as one file of results.

    INPUT is a file `.spt`, or a folder with such files.

    \b
    Examples:
      scope-profiler import-native traces/ -o native.h5
      scope-profiler import-native run_rank*.spt --merge run.h5 -o both.h5
    """
    from ..io import TraceFormatError, load_traces
    from ..results import merge_results

    with refusing():
        try:
            results = load_traces(inputs, label)
        except TraceFormatError as error:
            raise Refused(str(error)) from None
    if merge is not None:
        with refusing():
            results = merge_results(loaded(merge), results, label=label, ranks=True)
    _write(results, output, quiet)
    if not quiet:
        results.print_summary()


def _write(results, target, quiet):
    from ..io import write_profile

    with refusing(target):
        path = write_profile(results, Path(target))
    if not quiet:
        click.echo(f"Written: {path}")

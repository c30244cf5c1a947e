"""scope-profiler line-profile: the lines that files of results have."""

import sys

import click

from .profile_files import loaded, matching, ranks_of, refusing
from .several import ReadingCommand, Several


@click.command("line-profile", cls=ReadingCommand, short_help="Print the lines that a file has counted.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("-i", "--include", cls=Several, metavar="REGEX",
              help="Only of regions whose name these match at its beginning.")
@click.option("-e", "--exclude", cls=Several, metavar="REGEX", help="Not of regions whose name these match.")
@click.option("-r", "--ranks", "--rank", cls=Several, metavar="RANKS",
              help="Only of these ranks: 0 2, 0,2 or 0-3.  [default: all]")
@click.option("--function", metavar="REGEX", help="Only functions in whose name this is found.")
@click.option("--region", metavar="REGEX", help="Only of regions in whose name this is found.")
@click.option("--sort", type=click.Choice(["time", "hits", "name", "file"]), default="time",
              show_default=True, help="In which order functions come.")
@click.option("-z", "--skip-zero", is_flag=True,
              help="Leave out lines that did not run, and functions that were not called.")
@click.option("--top", metavar="N", type=click.IntRange(1),
              help="One table of the N lines that took most, of all functions.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing: for the exit status.")
def line_profile(file, ranks, quiet, **how):
    """Print the lines of functions that were recorded with --line-profile, and what they took.

    The source is that of the moment when the lines were counted, as the file has it. On a terminal hot
    lines are coloured, and there are columns for memory and details where these were recorded; piped, it
    is the layout of line_profiler.

    \b
    Examples:
      scope-profiler line-profile run.h5
      scope-profiler line-profile run.h5 --function solve --skip-zero
      scope-profiler line-profile run.h5 --top 20
    """
    from ..report import stored_lines

    [path] = matching([file])[:1]
    results, wanted = loaded(path), ranks_of(ranks)
    how["include"], how["exclude"] = how["include"] or None, how["exclude"] or None
    with refusing(path):
        import io

        stored_lines.show(results, io.StringIO() if quiet else sys.stdout, ranks=wanted, **how)

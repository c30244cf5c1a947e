"""scope-profiler report: files of results as an HTML report."""

import os

import click

from .._base.file_names import split
from .._base.shown import shown
from .profile_files import (
    Refused, check_choice, choosing_regions, loaded, matching, ranks_of, refusing, skipping_first,
)
from .several import ReadingCommand, Several


@click.command(cls=ReadingCommand, short_help="Write an HTML report: tables, timeline, flame graph, charts.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="OUT", type=click.Path(),
              help="The file to write, or a folder for it.  [default: the name of the first file, in .html]")
@click.option("--title", help="What heads the report.")
@choosing_regions
@skipping_first
@click.option("--sort", metavar="COLUMN", default="total", show_default=True,
              help="By what the rows of the tables are sorted at first, as for inspect.")
@click.option("--show", is_flag=True, help="Open it in the browser.")
@click.option("--columns", cls=Several, hidden=True)
@click.option("--no-charts", is_flag=True, hidden=True)
@click.option("--charts-cdn", is_flag=True, hidden=True)
def report(files, output, title, include, exclude, ranks, warm_up, sort, show, **of_peer):
    """Write one HTML file that shows what is in FILE, for any browser, without a network.

    FILE is a file in HDF5 or JSON, a folder of such, or a pattern in quotes. With several, each has its
    pages in the report, and each but the first is compared with the first.

    \b
    Examples:
      scope-profiler report run.h5
      scope-profiler report before.h5 after.h5 -o change.html
      scope-profiler report big.h5 -o solver.html --include solver --ranks 0-3
    """
    for name, value in of_peer.items():  # options of 0.7.5
        if value:
            click.echo(f"--{name.replace('_', '-')} has no effect: the report has all in it", err=True)
    paths = matching(files)
    target = _target(paths[0], output)
    if any(os.path.realpath(target) == os.path.realpath(path) for path in paths):
        raise Refused(f"{target}: it would be written over; give another name by --output")
    first, *others = runs = [loaded(path, warm_up) for path in paths]
    ranks = ranks_of(ranks)
    check_choice(runs, include, exclude, ranks)
    with refusing():
        written = first.to_html(target, others=others, title=title, ranks=ranks,
                                include=include or None, exclude=exclude or None, sort=sort)
    click.echo(f"Wrote {shown(written)}")
    if show:
        import webbrowser

        if not webbrowser.open(written.absolute().as_uri()):
            raise Refused(f"{written}: there is no browser to show it in")


def _target(path, output):
    name = split(os.path.basename(path))[0] + ".html"
    if output is None:
        return os.path.join(os.path.dirname(path), name)
    if os.path.isdir(output) or output.endswith(os.sep):
        return os.path.join(output, name)
    return output

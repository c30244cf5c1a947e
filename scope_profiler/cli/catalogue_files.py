"""scope-profiler catalogue: a page that links HTML reports."""

import os

import click

from .._base.shown import shown
from .profile_files import refusing


@click.command("catalogue", short_help="Write a page that links HTML reports.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="PAGE", type=click.Path(), default="catalogue.html",
              show_default=True, help="The page to write.")
@click.option("--title", default="Profiling reports", show_default=True, help="What heads the page.")
def catalogue(reports, output, title):
    """Write a page with a link to each of the HTML reports, by its title.

    Links are relative to the page, so that it can be moved or served together with the reports.

    \b
    Examples:
      scope-profiler catalogue monday.html tuesday.html
      scope-profiler catalogue runs/*.html -o runs/index.html --title "Nightly runs"
    """
    from ..html.catalogue import create_catalogue

    for report in reports:
        with refusing(report):
            os.stat(report)
    with refusing():
        click.echo(f"Wrote {shown(create_catalogue(reports, output, title=title))}")

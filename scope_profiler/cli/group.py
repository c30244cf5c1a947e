"""The commands of `scope-profiler`."""

import click

from .._version import __version__
from .kernprof import kernprof
from .run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def group():
    """Profile Python programs by named regions, functions and lines."""


group.add_command(run)
group.add_command(kernprof)

"""The commands of `scope-profiler`, each of which is imported when it is asked for."""

from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
import os
import signal
import sys

import click

from .._version import __version__

#: In the order of the help: {name: the command, as a module of this folder and a name in it}.
COMMANDS = {
    "run": "run.run",
    "kernprof": "kernprof.kernprof",
    "inspect": "inspect_file.inspect",
    "convert": "convert_files.convert",
    "import-native": "convert_files.import_native",
    "line-profile": "line_profile.line_profile",
    "report": "report_files.report",
    "plot": "plot.plot",
    "export": "export_files.export",
    "diff": "diff.diff",
    "check": "diff.check",
    "benchmark": "benchmark.benchmark",
    "mpi": "mpi_calls.mpi",
    "merge": "merge_files.merge",
    "recover": "recover.recover",
    "top": "top.top",
    "catalogue": "catalogue_files.catalogue",
}

#: Commands of 0.7.5 that this version does not have.
LATER = ("native-lines", "site", "tui")


class _Group(click.Group):
    """A group with the commands of the table."""

    def list_commands(self, ctx):
        return [*COMMANDS]

    def get_command(self, ctx, name):
        if name in LATER:
            raise click.UsageError(f"{name} is for a later version of scope-profiler", ctx)
        if name not in COMMANDS:
            close = get_close_matches(name, COMMANDS, 1)
            if close:
                raise click.UsageError(f"No such command {name!r}: did you mean {close[0]!r}?", ctx)
            return None
        module, attribute = COMMANDS[name].split(".")
        return getattr(import_module(f".{module}", __package__), attribute)

    def invoke(self, ctx):
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
            return result
        except BrokenPipeError:  # whoever read has enough, as `head` does
            _write_nowhere()
            ctx.exit(128 + signal.SIGPIPE)


def _write_nowhere():
    """What Python still has for standard output would only fail when it ends."""
    with suppress(OSError, ValueError, AttributeError):  # it is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def group():
    """Profile Python programs by named regions, functions and lines.

    \b
    Examples:
      scope-profiler run simulate.py --steps 100
      scope-profiler COMMAND --help

    \b
    Exit status: 0 when all is done; 1 when a check has found something, or the program
    of `run` ended so; 2 when the words on the command line, or a file, cannot be used.

    NO_COLOR=1 switches colours off.

    \b
    Completion in bash, and likewise in zsh and fish:
      eval "$(_SCOPE_PROFILER_COMPLETE=bash_source scope-profiler)"
    """

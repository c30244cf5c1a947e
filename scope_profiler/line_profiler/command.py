"""The command `python -m scope_profiler.line_profiler`: prints what files have."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
import os
import sys

from .._version import __version__
from .cli_utils import add_argument, get_cli_config, positive_float, short_string_path
from .stats import LineStats
from .text import show_text


def main(args: Sequence[str] | None = None) -> None:
    """Print the tables of the files that are named on the command line, added up.

    args: the arguments; those of the process unless they are given.
    """
    parser = _parser()
    options = parser.parse_args(args)
    source = get_cli_config("cli")
    if options.config is not None:
        try:
            source = get_cli_config("cli", options.config)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    given = {name: value for name, value in vars(options).items() if value is not None}
    settings = {**source.conf_dict, **given}
    for path in options.profile_output:
        if path.endswith((".py", ".pyw", ".ipynb")):
            parser.error(f"{path} is a program, and files with results are printed here. To run it "
                         f"line by line: scope-profiler kernprof -lv {path}")
    try:
        stats = LineStats.from_files(*options.profile_output)
    except OSError as error:
        parser.exit(1, f"{parser.prog}: error: {error}\n")
    try:
        show_text(
            stats.timings, stats.unit, settings["unit"], stripzeros=settings["skip_zero"],
            rich=settings["rich"], sort=settings["sort"], summarize=settings["summarize"],
            config=source.path, sources=stats.sources,
            calls=stats.calls,
        )
        sys.stdout.flush()
    except BrokenPipeError:  # of `| head`; what is left in the buffer goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _parser() -> ArgumentParser:
    source = get_cli_config("cli")
    default = source.conf_dict
    parser = ArgumentParser(
        "python -m scope_profiler.line_profiler",
        description="Print the lines that were counted and timed, of files that kernprof, "
                    "LineProfiler.dump_stats() or line_profiler wrote.",
    )
    add_argument(parser, "-V", "--version", action="version", version=__version__)
    add_argument(parser, "-c", "--config", metavar="FILE",
                 help="A TOML file whose table tool.line_profiler.cli has the defaults of these "
                      f"options. (Default: {short_string_path(source.path)})")
    add_argument(parser, "--no-config", action="store_const", dest="config", const=False,
                 help="The defaults are those of the package.")
    add_argument(parser, "-u", "--unit", type=positive_float, metavar="SECONDS",
                 help=f"Times are shown in multiples of it. (Default: {default['unit']})")
    for short, long, about in (
        ("-r", "--rich", "Coloured, if the package rich is installed."),
        ("-z", "--skip-zero", "Leave out functions that did not run."),
        ("-t", "--sort", "Those that took least first."),
        ("-m", "--summarize", "A line for each function at the end."),
    ):
        value = default[long[2:].replace("-", "_")]
        add_argument(parser, short, long, action="store_true", help=f"{about} (Default: {value})")
    parser.add_argument("profile_output", nargs="+", metavar="FILE", help="results (.lprof, .json)")
    return parser

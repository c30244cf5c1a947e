"""python -m scope_profiler.memory: a program with memory_profiler's `profile` built in."""

from __future__ import annotations

import argparse
import builtins
from contextlib import contextmanager
import sys
from typing import Any

from .._launch.main_program import MainProgram
from .._version import __version__
from .memory_profiler import MemoryProfiler
from .usage_table import show_results
from .timestamps import TimeStamper
from .usage import BACKENDS, choose_backend


def main(arguments: list[str] | None = None) -> None:
    """Run the command with these arguments, those of the process for None."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.program:
        parser.error("a script or module to run is missing")
    if options.max_mem is not None:
        parser.error("--pdb-mmem cannot be had: no debugger is entered at a limit of memory")
    profiler: Any
    if options.timestamp:
        profiler = TimeStamper(options.backend, options.include_children)
    else:
        profiler = MemoryProfiler(backend=options.backend, include_children=options.include_children)
    name, *args = options.program
    try:
        program = (MainProgram.from_path if name.endswith(".py") else MainProgram.from_module)(name)
    except (OSError, ImportError, SyntaxError, ValueError) as error:
        parser.error(f"can't run {name!r}: {error}")
    builtins.profile = profiler  # type: ignore[attr-defined]
    if choose_backend(options.backend) == "tracemalloc":
        import tracemalloc

        tracemalloc.start()
    try:
        program.run(args)
    finally:
        with _output(options.out_filename) as out:
            if options.timestamp:
                profiler.show_results(out)
            else:
                show_results(profiler, out, options.precision)


@contextmanager
def _output(path: str | None) -> Any:
    if path is None:
        yield sys.stdout
        return
    with open(path, "a", encoding="utf-8") as file:
        yield file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scope_profiler.memory",
        description="Run a program, and print what the lines of functions with @profile took of "
                    "memory. `profile` needs no import there.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--pdb-mmem", dest="max_mem", metavar="MAXMEM", type=float,
                        help=argparse.SUPPRESS)
    parser.add_argument("--precision", type=int, default=3, help="decimals of MiB (default: 3)")
    parser.add_argument("-o", dest="out_filename", metavar="FILE",
                        help="where to add the results, instead of printing them")
    parser.add_argument("--timestamp", action="store_true",
                        help="when the functions began and ended, and the memory then")
    parser.add_argument("--include-children", action="store_true",
                        help="with the memory of child processes, for --timestamp")
    parser.add_argument("--backend", choices=[*BACKENDS], default="psutil",
                        help="what is read of a process, for --timestamp (default: psutil)")
    parser.add_argument("program", nargs=argparse.REMAINDER,
                        help="a script (.py) or a module, and its arguments")
    return parser


if __name__ == "__main__":
    main()

"""python -m scope_profiler.cprofile [-o FILE] [-s KEY] [-m MODULE | SCRIPT] [ARGS]: as cProfile's."""

from __future__ import annotations

import argparse
import os
import pstats
import sys

from .._launch.main_program import MainProgram
from .function_profiler import Profile


def main() -> None:
    """What the command does; sys.argv are its words."""
    parser = argparse.ArgumentParser(
        prog="python -m scope_profiler.cprofile",
        description="Run a Python program and print which functions it called, and how long they took.")
    parser.add_argument("-o", "--outfile", metavar="FILE", help="write them to a file for pstats")
    parser.add_argument("-s", "--sort", metavar="KEY", default="stdname",
                        choices=sorted(pstats.Stats.sort_arg_dict_default),  # type: ignore[attr-defined]
                        help="by what they are sorted, as cumulative, tottime, ncalls")
    parser.add_argument("-m", dest="is_module", action="store_true", help="SCRIPT is a module's name")
    parser.add_argument("script", metavar="SCRIPT")
    parser.add_argument("args", metavar="ARGS", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    outfile = given.outfile and os.path.abspath(given.outfile)  # the program may go elsewhere
    if not sys.flags.safe_path:
        sys.path[:1] = [os.getcwd()] if given.is_module else []
    load = MainProgram.from_module if given.is_module else MainProgram.from_path
    program = load(given.script)
    profile = Profile()
    try:
        profile.runcall(program.run, given.args)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    finally:
        if outfile is None:
            profile.print_stats(given.sort)
        else:
            profile.dump_stats(outfile)


if __name__ == "__main__":
    main()

"""Compares the share of each line in the time of its function with the truth.

    python benchmarks/line_shares.py [--python PATH ...] [--rounds N]

What a line takes by itself is timed without a profiler, in a loop of its own, by the clock of the
process: the shortest of all rounds, less the loop. Its share in that of all lines of a function is the
truth. Of what profilers tell, too, the shortest time of each line counts: rounds are short against a time
slice, so in some of them nothing else has run.
"""

import argparse
import json
from itertools import repeat
import math
from operator import sub
import subprocess
import sys
from time import process_time_ns

from environments import Interpreter, about, check

WITHIN = 2.0  # percentage points
HITS = 100  # in a round, which is short against a time slice

#: {function: its lines}, which are executed in a loop; the loop is a line, too.
FUNCTIONS = {
    "50 to 500 ns": ("a = x + 1", "b = chr(a)", "c = sum(r10)", "d = [a, b, c]", "e = sum(r40)"),
    "50 ns to 10 us": ("a = x + 1", "b = sum(r10)", "c = sum(r100)", "d = sum(r1000)"),
    "one long, many short": ("a = x + 1", "b = a", "c = b", "d = c", "e = sum(r100)"),
    "calls": ("a = x + 1", "b = unprofiled(x)", "c = profiled(x)", "d = sum(r100)"),
    "calls of lines": ("a = sum(r40)", "b = profiled_loop(r10)", "c = loop(r10)"),
}

CALLED = """
def unprofiled(x):
    y = x + 1
    return y

def profiled(x):
    y = x + 1
    return y

def loop(r):
    for i in r:
        y = i + 1
    return y

def profiled_loop(r):
    for i in r:
        y = i + 1
    return y
"""

LOOP = "def function(n, x=7, a=8, b=9, c=10, d=11, e=12):\n    for _ in repeat(None, n):\n"


def namespace():
    names = {"repeat": repeat, "r10": range(10), "r40": range(40), "r100": range(100),
             "r1000": range(1000)}
    exec(compile(CALLED, "<called>", "exec"), names)
    return names


def define(lines, names):
    source = LOOP + "".join(f"        {line}\n" for line in lines)
    exec(compile(source, f"<function of {len(lines)} lines>", "exec"), names)
    return names["function"]


# ---- The truth


def truth(lines, rounds, n=HITS):
    """The share of the loop and of each line, in per cent."""
    names = namespace()
    empty = define(["pass"], names)
    loops = [define([line], names) for line in lines]
    taken = {}
    for _ in range(rounds):
        for place, function in enumerate((empty, *loops)):
            start = process_time_ns()
            function(n)
            taken[place] = min(taken.get(place, math.inf), process_time_ns() - start)
    own = [taken[0], *(max(taken[i] - taken[0], 0) for i in range(1, len(lines) + 1))]
    global LAST; LAST = own
    return shares(own)


def shares(times):
    """Per cent of all."""
    return [100 * ns / sum(times) for ns in times]


# ---- Profilers


class Ours:
    """scope_profiler: the time of lines as it is measured, and less what measuring added."""

    package = "scope_profiler"

    def times(self, lines, n=HITS):
        """{"raw" and "net": [ns of the loop and of each line]}"""
        from scope_profiler import ProfileManager

        manager = ProfileManager()
        manager.setup(use_line_profiler=True, deactivate_file_output=True)
        names = namespace()
        for name in ("profiled", "profiled_loop"):
            names[name] = manager.profile(name)(names[name])
        function = manager.profile("function")(define(lines, names))
        function(n)
        [rows] = manager.get_region("function").get_stats().lines.values()
        manager.reset()
        return {"raw": [row.time_ns for row in rows], "net": [max(row.net_ns, 0) for row in rows]}


class Peer:
    package = "line_profiler"

    def times(self, lines, n=HITS):
        from line_profiler import LineProfiler

        profiler = LineProfiler()
        names = namespace()
        for name in ("profiled", "profiled_loop"):
            names[name] = profiler(names[name])
        function = profiler(define(lines, names))
        function(n)
        timings = profiler.get_stats().timings
        [rows] = [rows for (_, _, name), rows in timings.items() if name == "function"]
        return {"peer": [ns for _, _, ns in rows]}


def measured(tool, rounds):
    """{function: {what: the largest difference from the truth, in percentage points}}"""
    found = {}
    for name, lines in FUNCTIONS.items():
        right, taken = truth(lines, rounds), [tool.times(lines) for _ in range(rounds)]
        found[name] = {
            what: max(map(abs, map(sub, shares(shortest(taken, what)), right))) for what in taken[0]
        }
    return found


def shortest(taken, what):
    """Of each line, of all rounds."""
    return [*map(min, zip(*(each[what] for each in taken)))]


LAYOUT = "{:<24} {:>9} {:>9} {:>14}  {}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PATH",
                        help="the interpreters to measure in (this one)")
    parser.add_argument("--rounds", type=int, default=100, help="rounds of each function (100)")
    parser.add_argument("--here", choices=["ours", "line_profiler"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        tool = Ours() if options.here == "ours" else Peer()
        print(json.dumps({**about(tool.package), "found": measured(tool, options.rounds)}))
        return
    for path in options.python:
        interpreter = Interpreter(path)
        found = {}
        for tool in ("ours", "line_profiler"):
            command, environment = interpreter.command(
                tool, "line_shares.py", "--here", tool, "--rounds", options.rounds)
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE,
                                  text=True)
            answer = json.loads(done.stdout.splitlines()[-1])
            check(tool, answer)
            for name, of_tool in answer["found"].items():
                found.setdefault(name, {}).update(of_tool)
        print(f"\nPython {interpreter.version}: the largest error of a line's share, percentage points\n")
        print(LAYOUT.format("lines of", "net", "raw", "line_profiler", ""))
        for name, errors in found.items():
            print(LAYOUT.format(name, *(f"{errors[what]:.1f}" for what in ("net", "raw", "peer")),
                                "" if errors["net"] <= WITHIN else f"NOT within {WITHIN:g}"))


if __name__ == "__main__":
    main()

"""Compares the share of each line in the time of its function with the truth.

    python benchmarks/line_shares.py [--python PATH ...] [--rounds N] [--lines]

The lines are busy for known times: the truth is how much longer a call of the function takes with a line
than without it, without a profiler and by the clock of the process. A share is that of the line in the sum of
all. Of the truth and of profilers alike the shortest of many rounds counts, which are short against a time
slice: so nothing else has run in it. They alternate, and what measuring adds is measured anew in each, as the
speed of a processor changes.

A line has a time of its own only where it needs what the line before it has come to: else the processor
begins it while that one is still busy, and both together take less than each by itself. The last function is
of such lines: what is measured of them, one after the other, cannot be what they take together.
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
HITS = 500  # in a round, which is short against a time slice

#: {function: its lines}. nN: an integer of N digits of 30 bits, whose remainder takes a time in proportion;
#: x is 250, and stays so.
FUNCTIONS = {
    "50 to 500 ns": tuple(f"x = 150 + n{digits} % x" for digits in (8, 16, 64, 100, 32)),
    "50 ns to 10 us": tuple(f"x = 150 + n{digits} % x" for digits in (8, 32, 100, 2000)),
    "one long, many short": ("a = x + 1", "b = a", "c = b", "d = c", "x = 150 + n200 % x"),
    "calls of functions": ("x = 150 + n64 % x", "b = unprofiled(n64)", "c = profiled(n64)",
                           "x = 150 + n100 % x"),
    "a profiled loop": ("x = 150 + n200 % x", "b = profiled_loop(n16)", "c = loop(n16)"),
    "lines that overlap": tuple(f"a = n{digits} % x" for digits in (8, 16, 64, 100, 32)),
}

CALLED = """
def unprofiled(n):
    y = n % 7
    return y

def profiled(n):
    y = n % 7
    return y

def loop(n):
    for i in (1, 2, 3, 4):
        y = n % 7
    return y

def profiled_loop(n):
    for i in (1, 2, 3, 4):
        y = n % 7
    return y

def burst(n, function):
    for _ in repeat(None, n):
        function()
"""


def namespace():
    names = {"repeat": repeat, **{f"n{digits}": 250 * (3 << 30 * digits - 10) + 100
                                  for digits in (8, 16, 32, 64, 100, 200, 2000)}}
    exec(compile(CALLED, "<called>", "exec"), names)
    return names


def define(lines, names):
    source = "def function(x=250, a=8, b=9, c=10, d=11, e=12):\n"
    source += "".join(f"    {line}\n" for line in (*lines, "return x"))
    exec(compile(source, f"<function of {len(lines)} lines>", "exec"), names)
    return names["function"]


def shares(times):
    """Per cent of all."""
    return [100 * ns / sum(times) for ns in times]


# ---- The truth


class Truth:
    """How long a function takes with all lines, and without each."""

    def __init__(self, lines):
        self.names = namespace()
        without = [lines[:i] + lines[i + 1:] for i in range(len(lines))]
        self.functions = [define(left, self.names) for left in (lines, *without)]
        self.taken = [math.inf] * len(self.functions)

    def measure(self):
        for place, function in enumerate(self.functions):
            self.names["burst"](HITS, function)
            start = process_time_ns()
            self.names["burst"](HITS, function)
            self.taken[place] = min(self.taken[place], process_time_ns() - start)

    def times(self):
        """The nanoseconds of each line."""
        whole, *without = self.taken
        return [max(whole - taken, 0) / HITS for taken in without]


# ---- Profilers


class Ours:
    """scope_profiler: the time of lines as it is measured, and less what measuring added.

    detailed: with line_details, which reads the clock when all that a line was to do is done.
    """

    package = "scope_profiler"

    def __init__(self, detailed):
        self.settings = {"use_line_profiler": True, "line_details": detailed, "deactivate_file_output": True}
        self.kinds = ("raw, detailed", "detailed") if detailed else ("raw", "net")

    def prepare(self, lines):
        """What is to be run by times(): a function whose code has been met, which takes its time."""
        from scope_profiler import ProfileManager
        from scope_profiler._instrument import line_overhead, overhead

        self.measured_overhead = overhead._overheads, line_overhead._known
        self.manager = ProfileManager()
        self.manager.setup(**self.settings)
        self.names = namespace()
        for name in ("profiled", "profiled_loop"):
            self.names[name] = self.manager.profile(name)(self.names[name])
        self.function = self.manager.profile("function")(define(lines, self.names))
        self.names["burst"](50, self.function)

    def times(self, lines):
        """{kind: [ns of each line]}, as it is measured and less what measuring added"""
        self.manager.setup(**self.settings, replace=True)
        self.names["burst"](HITS, self.function)
        for known in self.measured_overhead:
            known.clear()
        [rows] = self.manager.get_region("function").get_stats().lines.values()
        self.manager.reset()  # else the clock is read exactly for all, where details are kept
        return dict(zip(self.kinds, ([row.time_ns / HITS for row in rows],
                                     [max(row.net_ns, 0) / HITS for row in rows])))


class Peer:
    package = "line_profiler"

    def prepare(self, lines):
        """Nothing is left of it."""

    def times(self, lines):
        from line_profiler import LineProfiler

        profiler = LineProfiler()
        names = namespace()
        for name in ("profiled", "profiled_loop"):
            names[name] = profiler(names[name])
        names["burst"](HITS, profiler(define(lines, names)))
        timings = profiler.get_stats().timings
        [rows] = [rows for (_, _, name), rows in timings.items() if name == "function"]
        return {"peer": [ns / HITS for _, _, ns in rows]}


def measured(tools, rounds):
    """{function: {"true" and each kind of time of the tools: [ns of each line]}}"""
    found = {}
    for name, lines in FUNCTIONS.items():
        truth = Truth(lines)
        least = {}  # kind: times of the round with the shortest measured time, which is the key
        for tool in tools:
            tool.prepare(lines)
        for _ in range(rounds):
            for tool in tools:
                truth.measure()
                times = tool.times(lines)
                measured = sum(next(iter(times.values())))
                for what, taken in times.items():
                    least[what] = min(least.get(what, (math.inf,)), (measured, taken[:len(lines)]))
        found[name] = {"true": truth.times(), **{what: taken for what, (_, taken) in least.items()}}
    return found


def error(times, right):
    """The largest of a line's share, in percentage points."""
    return max(map(abs, map(sub, shares(times), shares(right))))


LAYOUT = "{:<24} {:>9} {:>9} {:>9} {:>14}  {}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PATH",
                        help="the interpreters to measure in (this one)")
    parser.add_argument("--rounds", type=int, default=30, help="rounds of each function (30)")
    parser.add_argument("--lines", action="store_true", help="print the ns and the share of each line")
    parser.add_argument("--here", choices=["ours", "line_profiler"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        tools = [Ours(False), Ours(True)] if options.here == "ours" else [Peer()]
        print(json.dumps({**about(tools[0].package), "found": measured(tools, options.rounds)}))
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
                found.setdefault(name, {}).update(
                    {f"{what} {tool}" if what == "true" else what: times
                     for what, times in of_tool.items()})
        print(f"\nPython {interpreter.version}: the largest error of a line's share, percentage points\n")
        print(LAYOUT.format("lines of", "net", "detailed", "raw", "line_profiler", "").rstrip())
        for name, times in found.items():
            net, detailed, raw = (error(times[what], times["true ours"])
                                  for what in ("net", "detailed", "raw"))
            peer = error(times["peer"], times["true line_profiler"])
            print(LAYOUT.format(name, f"{net:.1f}", f"{detailed:.1f}", f"{raw:.1f}", f"{peer:.1f}",
                                "" if max(net, detailed) <= WITHIN else f"NOT within {WITHIN:g}").rstrip())
            if options.lines:
                for i, line in enumerate(FUNCTIONS[name]):
                    print(f"    {line:<24}", *(f"{what} {ns[i]:.1f} ({shares(ns)[i]:.1f} %)"
                                               for what, ns in times.items()))


if __name__ == "__main__":
    main()

"""Counts the machine instructions of an event: unlike times, they are the same on every run.

    python benchmarks/instructions.py [--python PATH ...] [--only TEXT] [--write]

A process runs a case under `valgrind --tool=callgrind` with two numbers of executions; the
difference of the counts, divided by that of the executions, is the cost of one. What the loop,
the plain line or the plain call needs is counted the same way and subtracted. The calls into the
kernel, which callgrind does not see, are few: neither side makes one per event, except that
valgrind turns clock_gettime, which line_profiler and scope-profiler read, into one.
"""

import argparse
import json
import re
import subprocess
import sys

from environments import Interpreter, check, write

_FEW, _MANY = 3_000, 15_000
_VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")

# label, state, case, what is subtracted, the peer or None, the most we may need or None
_NEWEST = (3, 12)
EVENTS = [
    ("line event", "lines", "lines from 1", "plain lines from 1", "line_profiler",
     {(3, 11): 410, _NEWEST: 360}),
    ("line event, line number > 256", "lines", "lines from 1000", "plain lines from 1000",
     "line_profiler", None),
    ("decorated call, line mode", "lines", "decorated", "call", "line_profiler",
     {(3, 11): 1100, _NEWEST: 1100}),
    ("with profile_region", "on", "with", "loop", "scope_profiler", None),
    ("reused region", "on", "reused", "loop", "scope_profiler", None),
    ("decorated call", "on", "decorated", "call", "scope_profiler", None),
]


def count(interpreter, tool, state, case):
    """Instructions for one execution of a case."""
    _run(interpreter, tool, state, case, _FEW, ())  # so that no run compiles Python files
    few, many = (_run(interpreter, tool, state, case, n) for n in (_FEW, _MANY))
    return (many - few) / (_MANY - _FEW)


def _run(interpreter, tool, state, case, n, valgrind=_VALGRIND):
    package = "line_profiler" if tool == "line_profiler" else "scope_profiler"
    command, environment = interpreter.command(tool, "worker.py", package, state, "--once", case,
                                               n)
    environment["PYTHONHASHSEED"] = "0"  # the same dictionaries in every run
    done = subprocess.run([*valgrind, *command], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    check(tool, json.loads(done.stdout.splitlines()[-1]))
    collected = re.search(r"Collected : (\d+)", done.stderr)
    return int(collected.group(1)) if collected else None


LAYOUT = "{:<34} {:>8} {:>8} {:>8}  {:<8} {}"


def line_of(interpreter, label, state, case, base, peer, targets):
    """A line of the table."""
    costs = {}
    for tool in filter(None, ("ours", peer)):
        costs[tool] = (count(interpreter, tool, state, case)
                       - count(interpreter, tool, state, base))
    ours, theirs = costs["ours"], costs.get(peer)
    target = targets and (targets.get(interpreter.minor) or targets[_NEWEST])
    verdict = "" if not target else "met" if ours <= target else "NOT met"
    return LAYOUT.format(label, f"{ours:.0f}", f"{theirs:.0f}", f"{theirs / ours:.1f}x",
                         f"<= {target}" if target else "", verdict).rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PATH",
                        help="the interpreters to count in (this one)")
    parser.add_argument("--only", default="", metavar="TEXT", help="events with this in their name")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    options = parser.parse_args()
    tables = []
    for path in options.python:
        interpreter = Interpreter(path)
        lines = [LAYOUT.format("", "ours", "peer", "ratio", "target", "").rstrip()]
        print(f"\nPython {interpreter.version}, instructions\n\n{lines[0]}")
        for event in EVENTS:
            if options.only in event[0]:
                lines.append(line_of(interpreter, *event))
                print(lines[-1], flush=True)
        tables.append((f"Python {interpreter.version}, instructions", "\n".join(lines)))
        if options.write:
            write("instructions", "Machine instructions, with callgrind.", tables)


if __name__ == "__main__":
    main()

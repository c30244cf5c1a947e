"""Prints what we cost beside scope-profiler 0.7.5 and line_profiler 5.1.0.

    python benchmarks/run.py [--python PATH ...] [--rounds N] [--quick] [--only TEXT] [--full]
                             [--write]

Every tool has a process for each state it can be in. A round asks each for one timing of each case,
ours and the peer's right after one another, so that a busy moment of the machine meets both. Some
rounds later the processes are replaced, as one keeps the addresses that it got, and with them what
falls together in the caches. Of all rounds the smallest timing of a case counts.
"""

import argparse
from datetime import date
import json
import math
import os
import platform
import subprocess
import sys

from environments import Interpreter, check, write
from large import large_rows
from rows import ROWS, Most


class Worker:
    """A process of worker.py."""

    def __init__(self, interpreter, tool, state):
        package = "scope_profiler" if tool == "ours" else tool
        self.tool = tool
        self.command, self.environment = interpreter.command(tool, "worker.py", package, state)
        self.best = {}
        self.errors = {}

    def start(self):
        """Begin, or go on with a new process."""
        self.process = subprocess.Popen(self.command, env=self.environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.about = self._answer()
        if "file" in self.about:
            check(self.tool, self.about)

    def _answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "the process ended"}

    def run(self, case):
        """One more round of the case."""
        if case in self.errors:
            return
        try:
            print(json.dumps({"case": case}), file=self.process.stdin, flush=True)
            answer = self._answer()
        except BrokenPipeError:
            answer = {"error": "the process ended"}
        if "error" in answer:
            self.errors[case] = self.about.get("error", answer["error"])
        else:
            self.best[case] = min(answer["ns"], self.best.get(case, math.inf))

    def value(self, row):
        """The row's value, or the text of what went wrong."""
        for case in row.cases():
            if case in self.errors:
                return self.errors[case]
        return row.value(self.best.__getitem__)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


_ROUNDS_OF_A_PROCESS = 10


def measure(interpreter, rows, rounds):
    """{(tool, state): Worker} with the timings of all cases the rows need."""
    needed = {}  # (state, peer) -> cases, in order
    for row in filter(interpreter.can_measure, rows):
        peer = row.peer if interpreter.peers else None
        needed.setdefault((row.state, peer), {}).update(dict.fromkeys(row.cases()))
    workers = {}
    for state, peer in needed:
        for tool in ("ours", peer):
            if tool and (tool, state) not in workers:
                workers[tool, state] = Worker(interpreter, tool, state)
    for done in range(rounds):
        if done % _ROUNDS_OF_A_PROCESS == 0:
            for worker in workers.values():
                if done:
                    worker.stop()
                worker.start()
        print(f"\r{interpreter.version}: round {done + 1} of {rounds} ", end="", file=sys.stderr)
        for (state, peer), cases in needed.items():
            for case in cases:
                for tool in filter(None, ("ours", peer)):
                    workers[tool, state].run(case)
    print(file=sys.stderr)
    for worker in workers.values():
        worker.stop()
    return workers


LAYOUT = "{:<38} {:>10} {:>10} {:>8}  {:<10} {}"


def line_of(row, ours, peer, minor):
    """A line of the table: the values, the ratio, the target and whether it is met."""
    unit = getattr(row, "unit", None) or ("x" if row.over else "ns")
    target = row.target_of(minor)
    notes = [f"{whose}: {value}" for whose, value in (("ours", ours), ("peer", peer))
             if isinstance(value, str)]
    ours, peer = (None if isinstance(value, str) else value for value in (ours, peer))
    if target and ours is not None and (peer is not None or isinstance(target, Most)):
        notes.insert(0, "met" if target.met(ours, peer) else "NOT met")
    comparable = None not in (ours, peer) and unit != "x" and ours > 1
    ratio = f"{peer / ours:.1f}x" if comparable else ""
    return LAYOUT.format(row.label, *(_number(v, unit) for v in (ours, peer)), ratio,
                         "" if target is None else str(target), "; ".join(notes)).rstrip()


def _number(value, unit):
    if value is None:
        return "-"
    if unit == "x":
        return f"{value:.2f}x"
    digits = 1 if unit == "ns" and abs(value) < 1000 or abs(value) < 10 else 0
    return f"{value:.{digits}f} {unit}"


def table(interpreter, rows, workers, large):
    """The table as text; above it what was measured."""
    told = {f"{tool} {w.about['version']} ({w.about['clock']})"
            for (tool, _), w in workers.items() if "clock" in w.about}
    lines = [f"measured, and the clock: {', '.join(sorted(told))}", "",
             LAYOUT.format("", "ours", "peer", "ratio", "target", "").rstrip()]
    for row in rows:
        if not interpreter.can_measure(row):
            lines.append(line_of(row, "needs a Python without the GIL", None, interpreter.minor))
            continue
        ours = workers["ours", row.state].value(row)
        peer = workers.get((row.peer, row.state))
        peer = None if peer is None else peer.value(row)
        lines.append(line_of(row, ours, peer, interpreter.minor))
    lines += [line_of(row, ours, peer, interpreter.minor) for row, ours, peer in large]
    return "\n".join(lines)


def machine():
    """The processor and how many of them."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            model = next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", nargs="+", default=[sys.executable], metavar="PATH",
                        help="the interpreters to measure in (this one)")
    parser.add_argument("--rounds", type=int, default=60, help="rounds of each case (60)")
    parser.add_argument("--quick", action="store_true", help="10 rounds, and no large cases")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows with this in their name")
    parser.add_argument("--full", action="store_true", help="finalize 10 M calls as well")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    options = parser.parse_args()
    rounds = 10 if options.quick else options.rounds
    rows = [row for row in ROWS if options.only in row.label]
    about = f"{machine()}, {date.today()}; the smallest of {rounds} rounds"
    print(about)
    tables = {"times": [], "times without the GIL": []}  # of the parts of README.md
    for path in options.python:
        interpreter = Interpreter(path)
        workers = measure(interpreter, rows, rounds)
        large = []
        if interpreter.peers and not options.quick:
            large = large_rows(interpreter, options.only, options.full)
        part = "times" if interpreter.has_gil else "times without the GIL"
        tables[part].append((f"Python {interpreter.version}",
                             table(interpreter, rows, workers, large)))
        print("\n{}\n\n{}".format(*tables[part][-1]), flush=True)
        if options.write:
            write(part, about, tables[part])


if __name__ == "__main__":
    main()

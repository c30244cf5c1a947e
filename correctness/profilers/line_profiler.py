"""line_profiler, with its decorator."""

import sys

from clocks import Real
from profilers.base import Cannot, Profiler

TITLE = "line_profiler"
PACKAGE = "line_profiler"
CLOCKS = ("real",)


class Adapter(Profiler):
    WHY = {
        "region": "counts lines of functions, not of blocks",
        "calls": "counts lines, not calls",
        "total": "times lines, not calls",
        "own": "times lines, not calls",
        "running": "times lines, not calls",
        "longest": "times lines, not calls",
        "command": "counts lines, not calls",
        "follow_children": "counts lines, not calls",
    }

    def __init__(self, clock):
        from line_profiler import LineProfiler

        self.clock = Real()
        self.profiler = LineProfiler()
        self.stats = None

    def profiled(self, name):
        return self.profiler

    def begin(self, features):
        if self.stats is not None:
            raise Cannot("counts from its begin, has no second run")

    def end(self):
        self.stats = self.profiler.get_stats()

    def hits(self):
        return {line: hits for line, hits, _ in self.rows()}

    def times(self):
        return {line: time * self.stats.unit * 1e9 for line, _, time in self.rows()}

    def rows(self):
        return [row for (file, *_), rows in self.stats.timings.items() if file == sys.argv[0]
                for row in rows]

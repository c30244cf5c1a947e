"""yappi, with its wall clock; where waiting is told apart, with that of the processor."""

from importlib import import_module
import pstats
import time

from clocks import Real
from profilers.base import FunctionProfiler

TITLE = "yappi"
PACKAGE = "yappi"
CLOCKS = ("real",)


class Adapter(FunctionProfiler):
    WHY = {
        "longest": "has no single calls",
        "region": "profiles functions, has no regions",
        "hits": "has no lines",
        "times": "has no lines",
        "follow_children": "profiles one process",
    }

    def __init__(self, clock):
        super().__init__()
        self.clock = Real()
        self.yappi = import_module("yappi")

    def begin(self, features):
        self.yappi.clear_stats()
        if "waiting" in features:
            self.clock = Real(time.thread_time_ns)
            self.yappi.set_clock_type("cpu")
        else:
            self.yappi.set_clock_type("wall")
        self.yappi.start()

    def end(self):
        self.yappi.stop()
        self.stats = self.yappi.get_func_stats()

    def column(self, name, column):
        return sum(getattr(stat, column) for stat in self.stats
                   if self.is_of(name, stat.module, stat.name.rpartition(".")[2]))

    def calls(self, name):
        return self.column(name, "ncall")

    def total(self, name):
        return self.column(name, "ttot") * 1e9

    def own(self, name):
        return self.column(name, "tsub") * 1e9

    running = total

    def command(self, script):
        self.file = script
        return ["-m", "yappi", "-o", "run.prof", "-f", "pstat", script]

    def load(self):
        stats = pstats.Stats("run.prof").stats
        self.calls = lambda name: sum(row[1] for (file, _, function), row in stats.items()
                                      if self.is_of(name, file, function.rpartition(".")[2]))

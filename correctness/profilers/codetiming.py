"""codetiming: a new Timer for each block, and one for each decorated function."""

from clocks import Fake
from profilers.base import Profiler

TITLE = "codetiming"
PACKAGE = "codetiming"
CLOCKS = ("fake",)


class Adapter(Profiler):
    WHY = {
        "own": "times do not know of each other",
        "running": "has no times apart from waiting",
        "hits": "has no lines",
        "times": "has no lines",
        "command": "writes no files",
        "follow_children": "writes no files",
    }

    def __init__(self, clock):
        from codetiming import Timer

        self.clock = Fake().replace()
        self.timer = Timer

    def profiled(self, name):
        return self.timer(name=name, logger=None)

    region = profiled

    def begin(self, features):
        self.timer.timers.clear()

    def end(self):
        pass

    def calls(self, name):
        return self.timer.timers.count(name) if name in self.timer.timers else 0

    def total(self, name):
        return self.timer.timers.total(name) * 1e9

    def longest(self, name):
        return self.timer.timers.max(name) * 1e9

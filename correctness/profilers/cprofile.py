"""cProfile, of the standard library."""

import cProfile
import pstats

from clocks import Fake
from profilers.base import Cannot, FunctionProfiler

TITLE = "cProfile"
PACKAGE = None
CLOCKS = ("fake",)


class Adapter(FunctionProfiler):
    WHY = {
        "region": "profiles functions, has no regions",
        "hits": "has no lines",
        "times": "has no lines",
    }

    def __init__(self, clock):
        super().__init__()
        self.clock = Fake()

    def begin(self, features):
        self.profile = cProfile.Profile(self.clock.seconds)
        self.profile.enable()

    def end(self):
        self.profile.disable()
        self.stats = pstats.Stats(self.profile).stats

    def column(self, name, column):
        return sum(row[column] for (file, _, function), row in self.stats.items()
                   if self.is_of(name, file, function))

    def calls(self, name):
        return self.column(name, 1)

    def own(self, name):
        return self.column(name, 2) * 1e9

    def total(self, name):
        return self.column(name, 3) * 1e9

    running = total

    def command(self, script):
        self.file = script
        return ["-m", "cProfile", "-o", "run.prof", script]

    def load(self):
        self.stats = pstats.Stats("run.prof").stats

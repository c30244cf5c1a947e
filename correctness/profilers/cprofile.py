"""cProfile, of the standard library."""

import cProfile
import pstats

from clocks import Fake, Real
from profilers.base import FunctionProfiler

TITLE = "cProfile"
PACKAGE = None
CLOCKS = ("fake",)


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
        self.clock = Fake()

    def begin(self, features):
        if "threads" in features:
            # On 3.12 and newer a clock in Python may crash the interpreter there.
            self.clock = Real()
            self.profile = cProfile.Profile()
        else:
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
        self.check_steps(name)
        return self.running(name)

    def running(self, name):
        return self.column(name, 3) * 1e9

    def command(self, script):
        self.file = script
        return ["-m", "cProfile", "-o", "run.prof", script]

    def load(self):
        self.stats = pstats.Stats("run.prof").stats

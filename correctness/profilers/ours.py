"""This package."""

from glob import glob
from importlib import import_module
import sys

from clocks import Fake, Real
from profilers.base import Profiler

TITLE = "ours"
PACKAGE = None
CLOCKS = ("fake", "real")


class Adapter(Profiler):
    def __init__(self, clock):
        self.scope_profiler = import_module("scope_profiler")
        self.manager = self.scope_profiler.ProfileManager
        self.profiled = self.manager.profile
        self.region = self.manager.profile_region
        self.clock = self.make_clock(clock)

    def make_clock(self, clock):
        from scope_profiler import _core

        return Fake(_core._fake_clock) if clock == "fake" else Real()

    def begin(self, features):
        self.manager.setup(deactivate_file_output=True, replace=True,
                           **self.settings(features))

    def settings(self, features):
        return {"use_line_profiler": "lines" in features, "track_async": "waiting" in features}

    def end(self):
        self.stats = {name: self.manager.get_region(name).get_stats()
                      for name in self.manager.registered_regions()}

    def calls(self, name):
        return self.stats[name].num_calls if name in self.stats else 0

    def total(self, name):
        return self.stats[name].total_ns

    def own(self, name):
        return self.stats[name].exclusive_ns

    def running(self, name):
        return self.stats[name].running_ns

    def longest(self, name):
        return self.stats[name].maximum_ns

    def hits(self):
        return self.lines(1)

    def times(self):
        return self.lines(2)

    def lines(self, column):
        """{line: sum of a column of the line tables}, where the unit of time is a ns."""
        found = {}
        for name in self.manager.registered_regions():
            for (file, *_), rows in self.manager.get_region(name).get_stats().timings.items():
                for row in rows:
                    if file == sys.argv[0]:
                        found[row[0]] = found.get(row[0], 0) + row[column]
        return found

    def command(self, script):
        return ["-m", "scope_profiler", "run", "-q", "-o", "run.h5", script]

    def follow_children(self):
        """It does."""

    def load(self):
        """The file of the program, and those of its children beside it."""
        read = [self.scope_profiler.load(file) for file in ("run.h5", *glob("run.*.h5"))]
        self.calls = lambda name: sum(each[name].num_calls for each in read if name in each)

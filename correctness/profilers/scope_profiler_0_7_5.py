"""The pure-Python package of the same name; used as ours is, and read as its docs do."""

from clocks import Fake, Real
from profilers import ours

TITLE = "scope-profiler 0.7.5"
PACKAGE = "scope-profiler"
CLOCKS = ("fake",)


class Adapter(ours.Adapter):
    def __init__(self, clock):
        self.clock = Fake().replace()  # before the import, which takes the functions
        super().__init__(clock)

    def make_clock(self, clock):
        return self.clock

    def begin(self, features):
        if "lines" in features:
            self.clock = Real()  # line_profiler's, which is read in C
        super().begin(features)

    def settings(self, features):
        if "lines" in features:  # which do not go with what follows
            return {"use_line_profiler": True}
        return {"track_threads": "threads" in features,
                "track_async": "tasks" in features or "waiting" in features}

    def end(self):
        self.results = self.manager.finalize(verbose=False, return_results=True)

    def calls(self, name):
        return self.results[name].num_calls if name in self.results else 0

    def total(self, name):
        return self.results[name].inclusive_duration * 1e9

    def own(self, name):
        return self.results[name].exclusive_duration * 1e9

    def longest(self, name):
        return self.results[name].max_duration * 1e9

    def running(self, name):
        region = self.results[name]
        return (region.total_duration - region[0].total_await_duration) * 1e9

"""VizTracer: the calls are the events of its trace; a total is that of the outermost events."""

import json
import re

from clocks import Real
from profilers.base import Cannot, FunctionProfiler

TITLE = "VizTracer"
PACKAGE = "viztracer"
CLOCKS = ("real",)

_FILE = "trace.json"
_NAME = re.compile(r"(?:.*\.)?(.*) \((.*):\d+\)$")


class Adapter(FunctionProfiler):
    WHY = {
        "own": "a trace, without own times",
        "hits": "has no lines",
        "times": "has no lines",
    }

    def __init__(self, clock):
        from viztracer import VizTracer

        super().__init__()
        self.clock = Real()
        self.make = VizTracer
        self.tracer = None
        self.regions = set()

    def region(self, name):
        if self.tracer is None:
            raise Cannot("an event belongs to one run")
        self.regions.add(name)
        return self.tracer.log_event(name)

    def begin(self, features):
        self.tracer = self.make(verbose=0, ignore_c_function=True, log_async="tasks" in features)
        self.tracer.start()

    def end(self):
        self.tracer.stop()
        self.tracer.save(_FILE)
        self.load()

    def command(self, script):
        self.file = script
        return ["-m", "viztracer", "--quiet", "--ignore_c_function", "-o", _FILE, script]

    def follow_children(self):
        """It does."""

    def load(self):
        with open(_FILE, encoding="utf-8") as file:
            self.trace = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X"]

    def events(self, name):
        """[(thread, begin, -end), ...] in µs, in order: each after the one it is nested in."""
        found = []
        for event in self.trace:
            function, file = _NAME.match(event["name"]).groups()
            if (self.is_of(name, file, function)
                    or (name in self.regions and (function, file) == (name, __file__))):
                begin = event["ts"]
                found.append((event["tid"], begin, -begin - event["dur"]))
        return sorted(found)

    def calls(self, name):
        return len(self.events(name))

    def total(self, name):
        self.check_steps(name)
        return self.outermost(name)

    def longest(self, name):
        return max(-minus_end - begin for _, begin, minus_end in self.events(name)) * 1e3

    def running(self, name):
        if name in self.regions:
            raise Cannot("the event of a region is not divided")
        return self.outermost(name)

    def outermost(self, name):
        """What the events took that are in no other, in ns."""
        total, ends = 0, {}
        for thread, begin, minus_end in self.events(name):
            if -minus_end > ends.get(thread, 0):
                total += -minus_end - begin
                ends[thread] = -minus_end
        return total * 1e3

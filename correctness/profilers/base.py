"""What a case may ask of a profiler."""

from inspect import iscoroutinefunction
from pathlib import Path
import sys


class Cannot(Exception):
    """The profiler does not do what the case is about; says why."""


class Profiler:
    """A profiler as cases see it. What an adapter does not define it cannot do.

    begin(features), end(): a run. features: what the case is about, of "lines", "threads",
    "tasks" and "waiting"; an adapter switches on what its profiler has for that.
    profiled(name): a decorator. region(name): a context manager.
    calls(name), total(name), own(name), running(name), longest(name): a number; times in ns. Of the
    run that ended last.
    hits(), times(): {line number: number}, {line number: ns} of the case's file.
    command(script): how to start a program under the profiler, the arguments of Python.
    follow_children(): has that record children of the program, too.
    load(): reads what that wrote into this folder; calls() is about it then.
    """

    WHY = {}  # {what it cannot: the reason}

    def __getattr__(self, name):
        if name in self.WHY:
            raise Cannot(self.WHY[name])
        raise AttributeError(name)


class FunctionProfiler(Profiler):
    """One that profiles every function, and tells of them by file and name."""

    def __init__(self):
        self.names = {}  # {name in the case: names of the functions}
        self.coroutines = set()  # the names of those
        self.file = str(Path(sys.argv[0]).resolve())

    def profiled(self, name):
        def remember(function):
            self.names.setdefault(name, set()).add(function.__name__)
            if iscoroutinefunction(function):
                self.coroutines.add(name)
            return function
        return remember

    def check_steps(self, name):
        """For profilers that do not know of a coroutine's time but that of its steps."""
        if name in self.coroutines:
            raise Cannot("times the steps of a coroutine, not what is between them")

    def is_of(self, name, file, function):
        """Whether the function of a file is the case's."""
        return function in self.names.get(name, {name}) and file == self.file

"""One process that uses one package in one state, and runs the case it is asked for.

    python worker.py PACKAGE STATE               answer requests, one JSON line each
    python worker.py PACKAGE STATE --once CASE N run a case once (for instruction counts)

PACKAGE is scope_profiler, whichever of the two is on the path, line_profiler, memory_profiler or
cProfile. STATE is

    never      no run was ever set up            on         a run is active
    after      a run was active and is over      aggregate  a run without events is active
    threads    on, and told to tell threads apart, where that is an option
    tasks      on, and told to follow tasks
    metadata   on, with metadata of calls, for which every region looks from the first on
    sizes      on, with many names and deep recursion
    lines      line mode is on
    calls      every function is traced
    memory     on, and it is measured what calls take of memory
    line memory  what lines take is measured

The request {"case": name} is answered with {"ns": time of one execution}; what went wrong with
{"error": text}. The first line tells {"version": ..., "file": ..., "clock": ...} of the package,
for the runner to check. The state is checked here: that calls count where a run is on, and that
none does where not.
"""

import json
import sys
from time import get_clock_info

import cases
import environments

_ROUND_NS = 2_000_000  # long against the clock, short against a time slice


class LineMode:
    """The line mode of scope_profiler, as cases.line_cases() wants it."""

    def __init__(self, manager):
        self.manager = manager
        self.count = 0
        self.start()

    def start(self):
        self.manager.setup(use_line_profiler=True, deactivate_file_output=True)

    def profile(self, function):
        """The function, with its lines registered."""
        self.count += 1
        return self.manager.profile(f"lines {self.count}")(function)

    def without(self, function, n):
        """function(n) while line mode is off."""
        self.manager.reset()
        time = function(n)
        self.start()
        return time

    def check(self, function, lines_per_pass):
        """An error if not every line of the function's passes is counted."""
        function(1000)
        timings = self.manager.get_region(f"lines {self.count}").get_stats().timings
        _check_hits(timings, 1000 * lines_per_pass)


class LineProfiler:
    """The same of line_profiler. It is on while a function it knows runs, and only then."""

    def __init__(self):
        from line_profiler import LineProfiler as Profiler

        self.profiler = Profiler()

    def profile(self, function):
        return self.profiler(function)

    def without(self, function, n):
        return function(n)

    def check(self, function, lines_per_pass):
        function(1000)
        _check_hits(self.profiler.get_stats().timings, 1000 * lines_per_pass)


def _check_hits(timings, wanted):
    counted = max(sum(row[1] for row in rows) for rows in timings.values())
    if not wanted <= counted <= wanted + 2:
        raise RuntimeError(f"{counted} lines counted, {wanted} executed")


class Calls:
    """The tracing of every function, of scope_profiler, as cases.traced_cases() wants it. The peer
    has but the recursive way."""

    def __init__(self, make_manager):
        self.make_manager = make_manager
        self.ways = {"recursive": self.recursive, "elsewhere": self.elsewhere}
        if hasattr(make_manager, "_begin"):
            self.ways |= {"traced": self.traced, "left out": self.left_out}

    def in_way(self, way, function):
        """The case that runs the function in this way, in a run of its own."""
        manager = self.make_manager()

        def warm(n):
            function(1000)  # what is decided once, for each function, is not of a call
            return function(n)

        def case(n):
            manager.setup(deactivate_file_output=True)
            time = self.ways[way](manager, warm, n)
            manager._reset()
            return time

        return case

    @staticmethod
    def recursive(manager, function, n):
        return manager.profile("entry", recursive=True)(lambda: function(n))()

    def elsewhere(self, manager, function, n):
        self.recursive(manager, int, n)
        return function(n)

    @staticmethod
    def traced(manager, function, n, wanted=None):
        from scope_profiler import calls

        with calls.tracing(manager, only_user_code=False, wanted=wanted):
            return function(n)

    def left_out(self, manager, function, n):
        return self.traced(manager, function, n, lambda code: False)


class CProfile:
    """The same of cProfile."""

    ways = ("traced",)

    def in_way(self, way, function):
        def traced(n):
            import cProfile

            with cProfile.Profile():
                return function(n)

        return traced


def cases_of(package, state):
    """The cases of the package, which is brought into the state first."""
    if package == "line_profiler":
        if state == "registered":
            return cases.registered_cases(LineProfiler().profiler)
        return cases.line_cases(LineProfiler())
    if package == "cProfile":
        return cases.traced_cases(CProfile())
    if package == "memory_profiler":
        from memory_profiler import LineProfiler as MemoryProfiler

        return cases.line_memory_cases(MemoryProfiler())
    from scope_profiler import ProfileManager

    if state == "line memory":
        from scope_profiler.memory import MemoryProfiler

        return cases.line_memory_cases(MemoryProfiler())
    if state == "memory":
        without = ProfileManager()
        without.setup(deactivate_file_output=True)
        setup(ProfileManager, state)
        return cases.memory_cases(ProfileManager, without)
    if state == "calls":
        return cases.traced_cases(Calls(ProfileManager))
    if state == "lines":
        return cases.line_cases(LineMode(ProfileManager))
    if state == "registered":
        from scope_profiler.line_profiler import LineProfiler as Ours

        return cases.registered_cases(Ours())
    if state == "after":
        ProfileManager.setup(deactivate_file_output=True)
        warm_up(cases.region_cases(ProfileManager))
        ProfileManager.reset()
    elif state != "never":
        setup(ProfileManager, state)
    _check_state(ProfileManager, state)
    make = {"sizes": cases.size_cases, "tasks": cases.task_cases}.get(state, cases.region_cases)
    return make(ProfileManager)


def _check_state(manager, state):
    """An error if regions do not do in the state what its name says."""
    decorated = manager.profile("decorated probe")(cases.empty)
    for _ in range(10):
        with manager.profile_region("probe"):
            decorated()
    wanted = 0 if state in ("never", "after") else 10
    for name in ("probe", "decorated probe"):
        counted = getattr(manager.profile_region(name), "num_calls", 0)
        if counted != wanted:
            raise RuntimeError(f"{counted} calls of {wanted} were counted in the state {state!r}")


def setup(manager, state):
    """Begin a run."""
    options = {"deactivate_file_output": True}
    if state == "aggregate":
        options["aggregation_mode"] = True
    if state == "memory":
        options["memory"] = True
    manager.setup(**options, track_threads=state == "threads", track_async=state == "tasks")


def warm_up(known):
    """Run every case a little."""
    for case in known.values():
        case(1000)


class Clock:
    """Runs cases, each with as many executions as fill a round."""

    def __init__(self, known):
        self.cases = known
        self.counts = {}

    def run(self, name):
        """Nanoseconds for one execution, of one round."""
        case = self.cases[name]
        if name not in self.counts:
            self.counts[name] = self.enough(case)
        n = self.counts[name]
        return case(n) / n

    @staticmethod
    def enough(case):
        """How many executions take a round; the case is warm afterwards."""
        n = getattr(case, "smallest", 1200)
        case(n)
        while case(n) < getattr(case, "round_ns", _ROUND_NS):
            n *= 2
        return n


def about(package):
    """What runs here, and the clock it reads."""
    told = environments.about(package)
    try:
        clock = sys.modules[package]._core.clock_info()["source"]
    except AttributeError:
        clock = get_clock_info("perf_counter").implementation
    return {**told, "clock": clock}


def serve(package, state):
    """Answer requests until there are no more."""
    replies, sys.stdout = sys.stdout, sys.stderr  # nobody else's prints among the answers
    clock = None
    try:
        answer = about(package)
        clock = Clock(cases_of(package, state))
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=replies, flush=True)
    for line in sys.stdin:
        try:
            answer = {"ns": clock.run(json.loads(line)["case"])}
        except (Exception, RecursionError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=replies, flush=True)


if __name__ == "__main__":
    if sys.argv[3:4] == ["--once"]:
        cases_of(*sys.argv[1:3])[sys.argv[4]](int(sys.argv[5]))
        print(json.dumps(about(sys.argv[1])))
    else:
        serve(*sys.argv[1:3])

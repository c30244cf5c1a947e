"""What measuring costs on this machine, for reports.

The core counts each kind of work of ours (node.h). This module measures what one of a kind takes, when
that is first asked for, by bursts of calls of empty functions and blocks.
"""

from collections import namedtuple
from contextlib import nullcontext
from functools import partial
import mmap
from time import perf_counter_ns

from .. import _core

# In the order of the core: ways of making a call, and a step of one; what is done besides.
WAYS = ("block", "decorated", "traced", "traced_c", "generator", "traced_generator", "step",
        "traced_step")
COSTS = (*WAYS, "lookup", "metadata", "annotation", "outcome", "line", "work", "throttled")


class Cost(namedtuple("Cost", "inside_ns around_ns")):
    """Nanoseconds that one adds to the time of its own call, and to the calls around that."""

    @property
    def ns(self):
        return self.inside_ns + self.around_ns


class Overhead:
    """What each kind costs: with single calls kept (events) or not, with lines counted or not."""

    def __init__(self, manager_type, events, lines):
        self._manager_type = manager_type  # of the managers that bursts are measured with
        self.events = events
        self.lines = lines
        self._known = {}
        self._memory_ns = None

    def cost(self, name):
        """The Cost of one of COSTS."""
        cost = self.burst_cost(name)
        if name not in WAYS or "step" in name:
            return cost
        return Cost(cost.inside_ns, cost.around_ns + self.memory_ns())

    def burst_cost(self, name):
        """The Cost in a burst, where the memory for calls that are kept is never new."""
        if name not in self._known:
            if name in _TRACED:  # that is measured when tracing begins: see measure_traced()
                return _traced.get(name) or self.burst_cost(_LIKE.get(name, "traced"))
            self._known[name] = _measure(name, self)
        return self._known[name]

    def memory_ns(self):
        """Nanoseconds that it takes to get the memory for a call that is kept."""
        if not self.events:
            return 0.0
        if self._memory_ns is None:
            self._memory_ns = _Run(self.manager(), self, 1).memory_ns()
        return self._memory_ns

    def manager(self):
        """A manager of its own, to measure with."""
        manager = self._manager_type()
        manager._calibrates = True  # it is used where others record nothing: see unrecorded.py
        return manager

    def facts(self, counts):
        """What so many of each of COSTS came to, as facts of a Recorded: how many there were, and
        nanoseconds. They can be added up."""
        facts = {"overhead_ns": 0.0}
        for name, n in zip(COSTS, counts):
            if n:
                facts[f"{name}_costs"] = n
                facts[f"{name}_costs_ns"] = n * self.cost(name).ns
                facts["overhead_ns"] += facts[f"{name}_costs_ns"]
        return facts

    def added_ns(self, load):
        """What they added to a time: load is what a row of _core.Manager._collect() says of it."""
        added = 0.0
        for place, n in enumerate(memoryview(load).cast("Q")):
            if n:
                added += n * self._of_load(place)
        return added

    def added_to_each(self, loads):
        """The same of many loads: a list."""
        import numpy as np

        added = np.zeros(len(loads))
        columns = np.frombuffer(b"".join(loads), np.uint64).reshape(len(loads), -1).T
        for place, column in enumerate(columns):  # as added_ns() does, so to the last digit the same
            if column.any():
                added += column * self._of_load(place)
        return added.tolist()

    def _of_load(self, place):
        """What one of the numbers in a load stands for, ns."""
        if place < len(COSTS):
            return self.cost(COSTS[place]).inside_ns
        return self.cost(WAYS[place - len(COSTS)]).around_ns


_overheads = {}  # (clock, events, lines): Overhead
_traced = {}  # name: Cost
_LIKE = {"traced": "decorated", "traced_generator": "generator", "traced_step": "step"}
_TRACED = (*_LIKE, "traced_c", "throttled")


def of(manager):
    """The Overhead of the manager's run, by the clock in use."""
    run = manager._run
    keeps_calls = run is None or not run._settings["aggregation_mode"]
    return of_type(type(manager._default), keeps_calls, manager._line_mode)


def of_type(manager_type, events, lines):
    """The Overhead of runs with single calls kept (events) or not, with lines counted or not.
    manager_type: of the managers to measure with."""
    key = _core.clock_info()["source"], events, lines
    if key not in _overheads:
        _overheads[key] = Overhead(manager_type, events, lines)
    return _overheads[key]


# ---- Bursts

_ROUNDS = 12
_LEAST_NS = 1_000_000  # a busy moment of the machine is to be over meanwhile
FILE = "<scope_profiler overhead>"  # which is not traced, but here

_SOURCE = """
def burst(rounds):
    for i in rounds:
        {statement}

def called():
    pass

def ends():
    yield

def steps():
    for i in range(400):
        yield i
"""

# A statement, the same without us, which function of the first is ours, how often it is executed,
# and what else of COSTS it contains.
_Burst = namedtuple("_Burst", "statement plain function times contains",
                    defaults=("pass", None, 400, ()))
_BURSTS = {
    "block": _Burst("with region: pass"),
    "lookup": _Burst("with manager.profile_region('region'): pass", contains=("block",)),
    "decorated": _Burst("called()", "called()", "called"),
    "generator": _Burst("for _ in ends(): pass", "for _ in ends(): pass", "ends", 100, ("step",)),
    "step": _Burst("for _ in steps(): pass", "for _ in steps(): pass", "steps", 1),
    "metadata": _Burst("with manager.metadata(step=i): pass", times=100),
    "annotation": _Burst("with region: pass", contains=("block", "metadata")),
    "outcome": _Burst("called()", "called()", "called", 100, ("decorated",)),
    "line": _Burst("i = i", "i = i", "burst"),
    "work": _Burst("manager.add(units=i)"),
    "throttled": _Burst("called()", "called()", "called", contains=("traced",)),
}
_BURSTS["traced_c"] = _Burst("len('')", "len('')")
for _name, _other in _LIKE.items():
    _BURSTS[_name] = _BURSTS[_other]._replace(
        contains=tuple("traced_" + part for part in _BURSTS[_other].contains))


def _measure(name, overhead):
    """The Cost, which may ask the overhead for others."""
    manager = overhead.manager()
    if not overhead.lines:
        return _cost(name, manager, overhead)
    from . import lines

    try:
        lines.start(manager)
    except RuntimeError:  # others have taken all tool ids of sys.monitoring since the run
        return Cost(0.0, 0.0)
    manager._arm = lines.arm
    try:
        return _cost(name, manager, overhead)
    finally:
        manager._record(False)
        lines.stop(manager)


def measure_traced(manager_type, tracing, of_c):
    """Measure what traced calls cost, for all runs of the process, if that has not been done; of_c:
    those of C functions.
    manager_type: of the managers to measure with. tracing(manager, decide, decide_c): a context
    manager that traces calls, as _core.trace_calls() does."""
    if of_c:
        _measure_traced(manager_type, tracing, "traced_c", "burst", False, _region)
        return
    for name in ("traced", "traced_step", "traced_generator"):
        _measure_traced(manager_type, tracing, name, _BURSTS[name].function, _region, None)


def measure_throttled(manager_type, tracing):
    """The same for calls of what is throttled; tracing(manager, decide, decide_c, (calls, ns))."""
    _measure_traced(manager_type, partial(tracing, throttle=(1, 1e9)), "throttled", "called", _region, None)


def _region(manager, _=None):
    return manager.profile_region("region")


def _measure_traced(manager_type, tracing, name, function, region, decide_c):
    if name in _traced:
        return
    overhead = of_type(manager_type, True, False)
    manager = overhead.manager()

    def decide(manager, code, namespace, in_span):
        if code.co_filename == FILE and code.co_name == function:
            return region and region(manager), True, decide_c is not None
        return None

    _traced[name] = _cost(name, manager, overhead, lambda: tracing(manager, decide, decide_c))


def _cost(name, manager, overhead, tracing=nullcontext):
    burst = _BURSTS[name]
    run = _Run(manager, overhead, burst.times)
    plain, empty = (run.shortest(_namespace(text)["burst"]).total
                    for text in (burst.plain, "pass"))
    function = _prepared(name, manager, burst)
    with tracing():
        ours = run.shortest(function)
    others = [other for other in (*burst.contains, "line") if other != name]
    n = ours.counts[name]
    if n == 0:  # calls have no metadata where each is not kept
        return Cost(0.0, 0.0)
    added = ours.total - plain - sum(ours.counts[o] * overhead.burst_cost(o).ns for o in others)
    if name not in WAYS:
        return Cost(max(0.0, added / n), 0.0)
    inside = (ours.inside - (plain - empty)
              - sum(ours.counts[o] * overhead.burst_cost(o).inside_ns for o in others))
    added, inside = max(0.0, added / n), max(0.0, inside / n)
    return Cost(min(inside, added), max(0.0, added - inside))


def _prepared(name, manager, burst):
    """burst() with what is ours in it. As in a program, what gives regions and metadata is a class."""
    as_class = type("ProfileManager", (), {"profile_region": manager.profile_region,
                                           "metadata": manager.metadata, "add": manager.add})
    namespace = _namespace(burst.statement, manager=as_class, region=manager.profile_region("region"))
    if burst.function is not None and name not in _LIKE:
        decorate = manager.profile("region", record_outcome=name == "outcome")
        namespace[burst.function] = decorate(namespace[burst.function])
    if name == "annotation":
        return manager.metadata(step=0)(namespace["burst"])
    return namespace["burst"]


def _namespace(statement, **names):
    exec(compile(_SOURCE.format(statement=statement), FILE, "exec"), names)
    return names


_Taken = namedtuple("_Taken", "total inside counts")


class _Run:
    """Runs bursts."""

    def __init__(self, manager, overhead, times):
        self._manager = manager
        self._mode = overhead.events, overhead.lines
        self._rounds = range(times)

    def shortest(self, burst):
        """Nanoseconds of one: in all, and in the calls made in it; and what it contains."""
        taken = []
        end = perf_counter_ns() + _LEAST_NS
        while len(taken) < _ROUNDS or perf_counter_ns() < end:
            taken.append(self._once(burst))
        return _Taken(min(t.total for t in taken), min(t.inside for t in taken), taken[-1].counts)

    def memory_ns(self):
        """What Overhead.memory_ns() tells: the middle of several, as the system may have some memory
        at hand."""
        calls, record = 16_384, 16
        touched = bytes(calls * record // mmap.PAGESIZE)
        kept = []

        def touch(_):
            kept.append(mmap.mmap(-1, calls * record))
            kept[-1][::mmap.PAGESIZE] = touched

        taken = sorted(self._once(touch).total for _ in range(9))
        for memory in kept:
            memory.close()
        return taken[len(taken) // 2] / calls

    def _once(self, burst):
        manager = self._manager
        manager._begin(*self._mode)
        with manager.profile_region("burst"):
            burst(self._rounds)
        rows = {row[1].name: row for row in manager._collect(None)}
        manager._record(False)
        outer, inner = rows["burst"], rows.get("region")
        counts = dict(zip(COSTS, memoryview(outer[14]).cast("Q").tolist()))
        counts["block"] -= 1
        return _Taken(outer[5], inner[7] if inner else 0, counts)

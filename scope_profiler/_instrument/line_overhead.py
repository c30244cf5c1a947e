"""What measuring adds to the time of a line, as overhead.py has it for regions: part of its own event,
and whole what is done for lines and calls that are recorded below it.

What an event takes depends on the line: how many of its instructions are slower where it is instrumented,
and on 3.12 and newer whether its number is one of the integers that Python keeps. Of a single line it is
right within some nanoseconds.
"""

from collections import namedtuple
from contextlib import nullcontext
from time import perf_counter_ns

from .. import _core
from .._base import interpreter
from . import lines, overhead

_SMALL = 256  # Python keeps integers up to this
_ROUNDS, _LEAST_NS, _TIMES = 12, 5_000_000, 100

_SOURCE = """
def plain(rounds, x=1, y=2):
    for i in rounds:
        x = x
        x = y + i
        z = [x]

def calling(rounds, x=1):
    for i in rounds:
        call(x)
        abs(x)
        call(i)

def calls(rounds):
    for i in rounds:
        called()

def called():
    pass

def blocks(rounds):
    for i in rounds:
        blocked()

def blocked():
    with region:
        pass

def steps(rounds):
    for i in generate(rounds):
        pass

def generate(rounds):
    for i in rounds:
        yield i
"""


#: Of an event: nanoseconds in the time of its line, besides for each of its instructions that is slowed,
#: and in all, of a line as most are.
_Event = namedtuple("_Event", "inside_ns slowed_ns ns")


class LineOverhead:
    """What it is in runs of this Overhead, with line_details or without."""

    def __init__(self, of_calls, details=False):
        self._of_calls = of_calls
        self._details = details
        self._mode = of_calls and (of_calls.events, True, False, False, False, details)  # of _begin()
        self._events = {}  # whether line numbers are small: an _Event
        self._frames = {}  # name of one of _FRAMES: ns that a frame adds to the line below

    def added_ns(self, line, hits, below, slowed):
        """To the time of a line with so many hits. below: how many lines were counted and how many
        frames ended, by sp_line_why, in frames above it; None for none. slowed: as
        interpreter.slowed() has it."""
        event = self._event(line <= _SMALL)
        added = hits * (event.inside_ns + slowed * event.slowed_ns)
        if below is None:
            return added
        events, *frames = below
        return added + events * event.ns + sum(
            n * self._frame(name) for name, n in zip(_FRAMES, frames) if n)

    def _event(self, small):
        if small not in self._events:
            self._events[small] = self._in_line_mode(_event, small) or _Event(0.0, 0.0, 0.0)
        return self._events[small]

    def _frame(self, name):
        if name not in self._frames:
            event = self._event(True)
            ns = self._in_line_mode(_frame, name, event) or 0.0
            kept = self._of_calls.memory_ns() if ns and name in ("decorated", "block") else 0.0
            self._frames[name] = ns + kept
        return self._frames[name]

    def _in_line_mode(self, measure, *arguments):
        """None where others have taken all tool ids of sys.monitoring since the run."""
        manager = self._of_calls.manager()
        try:
            lines.start(manager, self._details)
        except RuntimeError:
            return None
        manager._arm = lines.arm
        try:
            return measure(manager, self._mode, *arguments)
        finally:
            manager._record(False)
            lines.stop(manager)


_known = {}  # (Overhead, whether with line_details): LineOverhead


def of(manager):
    """The LineOverhead of the manager's run."""
    run = manager._run
    return _of(overhead.of(manager), run is not None and run._settings["line_details"])


def of_type(manager_type, details):
    """The LineOverhead where lines are counted and no calls. manager_type: of the managers to measure
    with. details: with line_details."""
    return _of(overhead.of_type(manager_type, False, True), details)


def _of(*how):
    if how not in _known:
        _known[how] = LineOverhead(*how)
    return _known[how]


def _event(manager, mode, small):
    first = 1 if small else 4 * _SMALL
    plain, calling = (_lines(manager, mode, first, name) for name in ("plain", "calling"))
    each = max(0.0, (calling.inside_ns - plain.inside_ns) / (calling.slowed - plain.slowed))
    inside = max(0.0, plain.inside_ns - each * plain.slowed)
    return _Event(inside, each, (plain.ns + calling.ns) / 2)


#: Of the lines of a burst: the mean of what an event adds to the time of its line, and in all, and of how
#: much slower they are.
_Lines = namedtuple("_Lines", "inside_ns ns slowed")


def _lines(manager, mode, first, name):
    plain = _namespace(first)[name]
    taken = _shortest(lambda: _timed(plain)).ns
    decorated = manager.profile(name)(_namespace(first)[name])
    ours = _shortest(lambda: _timed(decorated, manager, mode))
    return _Lines(max(0.0, (ours.of_lines - taken) / (ours.hits or 1)),
                  max(0.0, (ours.ns - taken) / (ours.hits or 1)), _slowed(plain))


def _slowed(function):
    """The mean of its lines but the first."""
    code = function.__code__
    slowed = interpreter.slowed(interpreter.instructions(code))
    values = [slowed[line] for line in slowed if line > code.co_firstlineno]
    return sum(values) / len(values)


#: Frames by sp_line_why: which function of the source makes them.
_FRAMES = {"decorated": "calls", "watched": "calls", "block": "blocks", "step": "steps"}


def _frame(manager, mode, name, event):
    """What one adds to the line that it runs below, but for its own lines."""
    burst = _FRAMES[name]
    plain = _namespace(1, region=nullcontext())
    taken = _shortest(lambda: _timed(plain[burst])).ns
    region = manager.profile_region("frame")
    names = _namespace(1, region=region)
    if name == "watched":
        _core.watch_lines(region, names["called"].__code__, True)
    else:
        for called in ("called", "generate"):
            names[called] = manager.profile("called")(names[called])
    function = manager.profile("burst")(names[burst])
    ours = _shortest(lambda: _timed(function, manager, mode, names[burst]))
    own = ours.hits * (event.inside_ns + _slowed(plain[burst]) * event.slowed_ns)
    return max(0.0, (ours.of_lines - taken - own) / _TIMES - event.ns)


def _namespace(first, **names):
    names["call"] = abs
    exec(compile("\n" * (first - 1) + _SOURCE, overhead.FILE, "exec"), names)
    return names


_Taken = namedtuple("_Taken", "ns hits of_lines")


def _timed(function, manager=None, mode=(), counted=None):
    """A burst; where a manager is given in a run of its own, with the hits and nanoseconds of its lines.
    mode: of that. counted: whose, None for all."""
    if manager is not None:
        manager._begin(*mode)
    rounds = range(_TIMES)
    begun = perf_counter_ns()
    function(rounds)
    ns = perf_counter_ns() - begun
    if manager is None:
        return _Taken(ns, 0, 0)
    rows = [row for _, (_, _, name), rows, _ in manager._lines(None) for row in rows
            if counted is None or name == counted.__name__]
    return _Taken(ns, sum(row[1] for row in rows), sum(row[2] for row in rows))


def _shortest(timed):
    """The least of several, until a busy moment of the machine is over."""
    taken = []
    end = perf_counter_ns() + _LEAST_NS
    while len(taken) < _ROUNDS or perf_counter_ns() < end:
        taken.append(timed())
    return _Taken(min(t.ns for t in taken), taken[-1].hits, min(t.of_lines for t in taken))

"""What measuring adds to the time of a line, as overhead.py has it for regions: part of its own event,
and whole what is done for lines and calls that are recorded below it.

What an event takes depends on the line: how its first instruction does where it is instrumented, and on
3.12 and newer whether its number is one of the integers that Python keeps. Measured are lines of several
kinds, so of a single one it is right within some nanoseconds.
"""

from time import perf_counter_ns

from .. import _core
from . import lines, overhead

_SMALL = 256  # Python keeps integers up to this
_ROUNDS, _LEAST_NS, _TIMES = 12, 1_000_000, 100

_SOURCE = """
def burst(rounds, x=1, y=2):
    for i in rounds:
        x = x
        call(x)
        x = y + i
        z = [x]

def calls(rounds):
    for i in rounds:
        called()

def called():
    pass
"""


class LineOverhead:
    """What it is in runs of this Overhead."""

    def __init__(self, of_calls):
        self._of_calls = of_calls
        self._events = {}  # whether line numbers are small: (ns in the time of the line, ns in all)
        self._watched = None

    def added_ns(self, line, hits, below):
        """To the time of a line with so many hits. below: how many lines were counted and how many
        frames ended, by sp_line_why, in frames above it; None for none."""
        inside, event = self._event(line <= _SMALL)
        if below is None:
            return hits * inside
        events, called, watched, blocks, steps = below
        cost = self._of_calls.cost
        return (
            hits * inside + events * event
            + (called and called * cost("decorated").ns) + (watched and watched * self._call())
            + (blocks and blocks * cost("block").ns) + (steps and steps * cost("step").ns)
        )

    def _event(self, small):
        if small not in self._events:
            self._events[small] = self._in_line_mode(_event, small)
        return self._events[small]

    def _call(self):
        """Of a function that is watched, but for its lines."""
        if self._watched is None:
            self._watched = self._in_line_mode(_call, self._event(True)[1])
        return self._watched

    def _in_line_mode(self, measure, argument):
        manager = self._of_calls.manager()
        try:
            lines.start(manager)
        except RuntimeError:  # others have taken all tool ids of sys.monitoring since the run
            return (0.0, 0.0) if measure is _event else 0.0
        manager._arm = lines.arm
        try:
            return measure(manager, argument)
        finally:
            manager._record(False)
            lines.stop(manager)


_known = {}  # Overhead: LineOverhead


def of(manager):
    """The LineOverhead of the manager's run."""
    of_calls = overhead.of(manager)
    if of_calls not in _known:
        _known[of_calls] = LineOverhead(of_calls)
    return _known[of_calls]


def _event(manager, small):
    first = 1 if small else 4 * _SMALL
    taken = _shortest(lambda: _timed(_namespace(first)["burst"]))
    decorated = manager.profile("burst")(_namespace(first)["burst"])
    counts = []

    def run():
        ns = _timed(decorated, manager)
        counts.append(_counted(manager))
        return ns

    in_all = _shortest(run)
    hits, counted = counts[-1][0], min(ns for _, ns in counts)
    return max(0.0, (counted - taken) / hits), max(0.0, (in_all - taken) / hits)


def _call(manager, event):
    plain = _shortest(lambda: _timed(_namespace(1)["calls"]))
    watched = _namespace(1)
    _core.watch_lines(manager.profile_region("called"), watched["called"].__code__, True)
    return max(0.0, (_shortest(lambda: _timed(watched["calls"], manager)) - plain) / _TIMES - event)


def _namespace(first):
    names = {"call": abs}
    exec(compile("\n" * (first - 1) + _SOURCE, overhead.FILE, "exec"), names)
    return names


def _timed(function, manager=None):
    """Nanoseconds of a burst; where a manager is given in a run of its own."""
    if manager is not None:
        manager._begin(False, True)
    rounds = range(_TIMES)
    begun = perf_counter_ns()
    function(rounds)
    return perf_counter_ns() - begun


def _shortest(timed):
    """The least of several, until a busy moment of the machine is over."""
    taken = []
    end = perf_counter_ns() + _LEAST_NS
    while len(taken) < _ROUNDS or perf_counter_ns() < end:
        taken.append(timed())
    return min(taken)


def _counted(manager):
    """(hits, nanoseconds) of all lines of the run."""
    rows = [row for _, _, rows, _ in manager._lines(None) for row in rows]
    return sum(row[1] for row in rows), sum(row[2] for row in rows)

"""What the C core knows at one moment."""

from collections import namedtuple
from time import perf_counter_ns

#: The parts of Manager._snapshot(), Manager._annotations(), Manager._lines(None), empty without line
#: mode, and when that was, on the axis of perf_counter_ns().
Moment = namedtuple("Moment", "tree sketches scale regions calls counters annotations lines taken_ns")


def now(manager, calls, start_over=False, rooms=None, cut=False):
    """The Moment that is; calls: with every call by itself. start_over: what is recorded after it is no
    more of what was recorded before; cut: nor in the same journal. rooms: where the calls go, see
    `rooms`. It imports nothing, which takes its time."""
    taken_ns = perf_counter_ns()
    core = manager._snapshot(calls, start_over, rooms, cut)
    lines = []
    if manager._line_mode:
        lines = manager._take_lines() if start_over else manager._lines(None)
    return Moment(*core, manager._annotations(), lines, taken_ns)

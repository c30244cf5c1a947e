"""What the C core knows at one moment."""

from collections import namedtuple
from time import perf_counter_ns

#: The parts of Manager._snapshot(), Manager._annotations(), Manager._lines(None), empty without line
#: mode, and when that was, on the axis of perf_counter_ns().
Moment = namedtuple("Moment", "tree sketches scale regions calls counters annotations lines taken_ns")


def now(manager, calls):
    """The Moment that is; calls: with every call by itself. It imports nothing, which takes its time."""
    taken_ns = perf_counter_ns()
    return Moment(*manager._snapshot(calls), manager._annotations(),
                  manager._lines(None) if manager._line_mode else [], taken_ns)
